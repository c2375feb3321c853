package coupon

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Bounds of what a checkout looks at.
const (
	MaxCodes      = 50  // that a till names
	maxCandidates = 200 // of what a member holds
)

// Candidate is a coupon looked at for one basket.
type Candidate struct {
	Code    string // folded
	Coupon  *Coupon
	Version int64
	Voucher *Voucher       // nil: a shared code
	Promo   discount.Promo // Ref is Code; empty where Coupon is nil
	Refused error          // why it cannot be used at all; nil where the basket decides
	UntilMS int64          // its last instant
}

// Use makes of a candidate what a checkout holds, with what it takes off.
func (c *Candidate) Use(amount int64, byLine []int64) Use {
	return Use{Coupon: c.Coupon.ID, Version: c.Version, Code: c.Code, Amount: amount, ByLine: byLine}
}

// DeliveryAttribute is the attribute of a line that says that it is the cost of delivery.
const DeliveryAttribute = "delivery"

// BasketLines are the lines of a basket as discounts are reckoned from them, in their order.
func BasketLines(b *sale.Basket) []discount.Line {
	out := make([]discount.Line, len(b.Sale.Body.Lines))
	for i, l := range b.Sale.Body.Lines {
		delivery, _ := l.Attributes[DeliveryAttribute].(bool)
		out[i] = discount.Line{Line: l.Line, SKU: l.SKU, Category: l.Category, Brand: l.Brand, Milli: l.Milli, Amount: l.Amount, Delivery: delivery}
	}
	return out
}

// Candidates looks at codes that a till names, in their order, and, where all is set, at
// whatever else the owner can use, the soonest to end first. Lines of b hold amounts before
// coupons. checkout is the checkout whose own holds do not count against it, 0 for none, and own
// is what it holds.
func (s *Service) Candidates(ctx context.Context, b *sale.Basket, codes []string, all bool, checkout int64, own ...Use) ([]Candidate, error) {
	n := s.now.Load()
	l := looking{s: s, n: n, b: b, checkout: checkout, nowMS: s.nowMS(), atMS: b.At.UnixMilli()}
	var list []Candidate
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if list, err = l.find(ctx, tx, codes, all); err != nil {
			return err
		}
		return l.count(ctx, tx, list)
	})
	if err != nil {
		return nil, err
	}
	l.without(own)
	if err := l.meet(ctx, list); err != nil {
		return nil, err
	}
	for i := range list {
		l.judge(&list[i])
	}
	return list, nil
}

// looking is one look at a basket.
type looking struct {
	s           *Service
	n           *snapshot
	b           *sale.Basket
	checkout    int64
	nowMS, atMS int64
	records     []int64 // of the owner: who was merged into them is they
	counts      map[quota.Key]quota.Count
	facts       *cond.Facts
}

var (
	voucherSQL = db.Define("coupon.voucher", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE shard = $1 AND code = $2`)
	usableSQL = db.Define("coupon.usable", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE member_id = $1 AND member_id <> 0 AND state = 2 AND until_ms >= $2
		ORDER BY until_ms, shard, code
		LIMIT $3`)
)

func readVoucher(ctx context.Context, tx *db.Tx, code string) (*Voucher, error) {
	v, err := scanVoucher(tx.QueryRow(ctx, voucherSQL, shardOfCode(code), code).Scan)
	if errors.Is(err, errNoRows) {
		return nil, nil
	}
	return v, err
}

func scanVouchers(to *[]*Voucher) func(*db.Rows, error) error {
	return db.ReadRows(func(rows *db.Rows) error {
		v, err := scanVoucher(rows.Scan)
		*to = append(*to, v)
		return err
	})
}

// find looks up codes and what the owner holds.
func (l *looking) find(ctx context.Context, tx *db.Tx, codes []string, all bool) (list []Candidate, err error) {
	seen := map[string]bool{}
	for _, text := range codes {
		code := fold(text)
		if seen[code] {
			continue
		}
		seen[code] = true
		if c := l.n.shared[code]; c != nil {
			list = append(list, Candidate{Code: code, Coupon: c, Version: c.Version})
			continue
		}
		v, err := readVoucher(ctx, tx, code)
		if err != nil {
			return nil, err
		}
		list = append(list, l.n.candidate(code, v))
	}
	if l.b.Owner == 0 {
		return list, nil
	}
	if l.records, err = recordsOf(ctx, tx, int64(l.b.Owner)); err != nil || !all {
		return list, err
	}
	held, err := usableOf(ctx, tx, l.records, l.atMS, maxCandidates)
	for _, v := range held {
		if !seen[v.Code] {
			list = append(list, l.n.candidate(v.Code, v))
		}
	}
	return list, err
}

// candidate is what a code leads to.
func (n *snapshot) candidate(code string, v *Voucher) Candidate {
	c := Candidate{Code: code, Voucher: v, Refused: ErrUnknown}
	if v == nil {
		return c
	}
	if of := n.of(v.Coupon, v.Version); of != nil {
		c.Coupon, c.Version, c.UntilMS, c.Refused = of.coupon, v.Version, v.Until, nil
	}
	return c
}

// recordsOf are the numbers of a member and of all that were merged into them.
func recordsOf(ctx context.Context, tx *db.Tx, m int64) (list []int64, err error) {
	records, err := member.RecordsOf(ctx, tx, member.ID(m))
	for _, r := range records {
		list = append(list, int64(r))
	}
	return list, err
}

// usableOf are vouchers that records hold and that are not over, the soonest to end first.
func usableOf(ctx context.Context, tx *db.Tx, records []int64, atMS int64, most int) (list []*Voucher, err error) {
	for _, m := range records {
		if err := scanVouchers(&list)(tx.Query(ctx, usableSQL, m, atMS, most)); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(x, y *Voucher) int {
		return cmp.Or(cmp.Compare(x.Until, y.Until), strings.Compare(x.Code, y.Code))
	})
	return list[:min(len(list), most)], nil
}

// use is a candidate as it would be counted.
func (l *looking) use(c *Candidate) *Use {
	u := &Use{Coupon: c.Coupon.ID, Version: c.Version, Code: c.Code}
	l.n.countFor(u, int64(l.b.Owner), int32(l.b.Programme.Day(timeOf(l.nowMS))))
	return u
}

// count reads what limits have left.
func (l *looking) count(ctx context.Context, tx *db.Tx, list []Candidate) (err error) {
	var keys []quota.Key
	for i := range list {
		if c := &list[i]; c.Refused == nil {
			for _, k := range l.n.counts(l.use(c)) {
				if k.limit != (quota.Limit{}) && !slices.Contains(keys, k.key) {
					keys = append(keys, k.key)
				}
			}
		}
	}
	if len(keys) > 0 {
		l.counts, err = quota.Read(ctx, tx, keys, l.nowMS)
	}
	return err
}

// meet finds what conditions of candidates ask for.
func (l *looking) meet(ctx context.Context, list []Candidate) error {
	var versions []*version
	for _, c := range list {
		if c.Refused == nil {
			versions = append(versions, l.n.of(c.Coupon.ID, c.Version))
		}
	}
	return l.meetFor(ctx, versions)
}

func (l *looking) meetFor(ctx context.Context, versions []*version) (err error) {
	l.facts = l.b.Facts()
	l.facts.Found = cond.Found{}
	var needs []cond.Need
	who := false
	for _, v := range versions {
		for _, x := range []*cond.Cond{v.sale, v.audience} {
			if x != nil {
				needs = append(needs, x.Needs()...)
				who = who || x.AsksWho() || x == v.audience
			}
		}
	}
	if l.b.Owner == 0 {
		return nil
	}
	if who {
		if l.facts.Member, err = l.b.Who(ctx); err != nil {
			return err
		}
	}
	if len(needs) == 0 {
		return nil
	}
	l.facts.Found, err = sale.FoundOf(ctx, l.s.o.Ledger.Engine(), int64(l.b.Owner), needs)
	return err
}

// judge says whether a candidate can be used at all, and makes its promo.
func (l *looking) judge(c *Candidate) {
	if c.Refused != nil {
		return
	}
	v := l.n.of(c.Coupon.ID, c.Version)
	if c.Voucher == nil {
		c.UntilMS = v.until
	}
	c.Promo = v.promo(c.Code, l.b, c.UntilMS)
	if c.Refused = l.own(c, v); c.Refused != nil {
		return
	}
	if c.Refused = l.place(v); c.Refused != nil {
		return
	}
	if c.Refused = l.left(c); c.Refused != nil {
		return
	}
	c.Refused = l.holds(v)
}

// own refuses by the voucher and whose it is.
func (l *looking) own(c *Candidate, v *version) error {
	if st := c.Coupon.State; st == Paused || st == Draft {
		return ErrPaused
	}
	if c.Voucher == nil {
		if c.Coupon.Terms.Limits.ofMember() && l.b.Owner == 0 {
			return ErrMember
		}
		return l.n.sharedAt(c.Coupon, l.atMS)
	}
	if err := c.Voucher.usable(l.nowMS, l.atMS, l.checkout); err != nil {
		return err
	}
	switch {
	case v.terms.Bearer:
		return nil
	case l.b.Owner == 0:
		return ErrMember
	case c.Voucher.Member != 0 && !slices.Contains(l.records, c.Voucher.Member):
		return ErrForeign
	}
	return nil
}

// place refuses by where and when is bought, and in which money.
func (l *looking) place(v *version) error {
	d := l.b.Sale
	switch {
	case d.Currency != l.b.Programme.Settings.Currency:
		return ErrCurrency.With("currency", l.b.Programme.Settings.Currency)
	case v.stores != nil && !v.stores[d.Store]:
		return ErrStore
	case len(v.terms.Channels) > 0 && !slices.Contains(v.terms.Channels, d.Channel):
		return ErrChannel
	case !v.open(l.b.At.In(l.b.Programme.Zone)):
		return ErrTime
	}
	return nil
}

// left refuses where a limit leaves nothing, and puts what the budget has left into the promo.
func (l *looking) left(c *Candidate) error {
	for _, k := range l.n.counts(l.use(c)) {
		x := l.counts[k.key]
		if k.limit.N > 0 && x.Used+x.Held >= k.limit.N && !l.ownHold(c) {
			return k.spent
		}
		if k.limit.Amount > 0 {
			if c.Promo.Budget = max(0, k.limit.Amount-x.Amount-x.HeldAmount); c.Promo.Budget == 0 && !l.ownHold(c) {
				return ErrBudget
			}
		}
	}
	return nil
}

// without takes off the counts what the checkout that asks holds.
func (l *looking) without(own []Use) {
	for i := range own {
		if own[i].Until <= l.nowMS {
			continue
		}
		for _, k := range l.n.counts(&own[i]) {
			if x, known := l.counts[k.key]; known {
				x.Held, x.HeldAmount = max(0, x.Held-1), max(0, x.HeldAmount-k.amount)
				l.counts[k.key] = x
			}
		}
	}
}

// ownHold reports whether the checkout that asks holds the voucher: then its own count is
// among those that are held, and does not speak against it.
func (l *looking) ownHold(c *Candidate) bool {
	return l.checkout != 0 && c.Voucher != nil && c.Voucher.HoldBy == l.checkout && c.Voucher.HoldUntil > l.nowMS
}

// holds refuses by conditions. One that cannot be worked out does not hold.
func (l *looking) holds(v *version) error {
	if v.audience != nil {
		if l.b.Owner == 0 {
			return ErrMember
		}
		if ok, err := v.audience.Eval(l.facts); !ok || err != nil {
			return ErrAudience
		}
	}
	if v.sale != nil {
		if ok, err := v.sale.Eval(l.facts); !ok || err != nil {
			return ErrBasket
		}
	}
	return nil
}

// promo is what a version takes off a basket. The budget is filled in by who counts it.
func (v *version) promo(ref string, b *sale.Basket, untilMS int64) discount.Promo {
	t := v.terms
	p := discount.Promo{
		Ref: ref, Stage: discount.StageCoupon, Order: int(t.Stack.Order), Rank: untilMS, Effect: t.Effect.compile(),
		MinAmount: t.Minimum.Amount, MinMilli: t.Minimum.Quantity * 1000, Cap: t.Cap, Budget: -1, Partial: t.Partial,
		Scope: t.Scope.Of(b),
	}
	switch t.Stack.Class {
	case Best:
		p.Class = discount.BestOf
	case Exclusive:
		p.Class = discount.Exclusive
	}
	if t.Minimum.Base == Initial {
		p.From = discount.Initial
	}
	return p
}

var (
	effectKinds = map[EffectKind]discount.Kind{
		Percent: discount.Percent, Amount: discount.Amount, FixedPrice: discount.FixedPrice, Gift: discount.Gift,
		BuyGet: discount.BuyGet, FreeDelivery: discount.FreeDelivery, Exchange: discount.Exchange,
	}
	pers = map[Per]discount.Each{
		PerStep: discount.PerStep, PerLine: discount.PerLine, PerUnit: discount.PerUnit, PerCheapest: discount.PerCheapest, PerNth: discount.PerNth,
	}
)

func (e *Effect) compile() discount.Effect {
	return discount.Effect{
		Kind: effectKinds[e.Kind], Percent: e.Percent, Amount: e.Amount, Per: pers[e.Per], Nth: e.Nth, Buy: e.Buy, Get: e.Get, Times: e.Times, Units: e.Units, SKUs: e.SKUs,
	}
}
