package till

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Wish is a basket with what its customer wants to use.
type Wish struct {
	Member     string         `json:"member,omitempty" maxLength:"255" doc:"Whose purchase it is, by any identifier; absent for nobody's." example:"phone:+8613800000000"`
	Currency   string         `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"ISO 4217 code of all amounts; the programme's where absent." example:"CNY"`
	Lines      []sale.NewLine `json:"lines" minItems:"1" maxItems:"1000" doc:"The basket at its full prices, before member prices, discounts of tier and plan, and coupons. A line with the attribute delivery: true is the cost of delivery."`
	Store      string         `json:"store,omitempty" maxLength:"64" doc:"Id or code; absent = the caller's only store, or the programme's default."`
	Till       string         `json:"till,omitempty" maxLength:"64"`
	Staff      string         `json:"staff,omitempty" maxLength:"64" doc:"Who serves."`
	Channel    string         `json:"channel,omitempty" maxLength:"32" doc:"As store, web, app."`
	Coupons    []string       `json:"coupons,omitempty" maxItems:"20" doc:"Codes to use: of vouchers, or campaign codes."`
	Best       bool           `json:"best,omitempty" doc:"Use whatever the member holds, and the codes, so that most is saved."`
	Spend      []Wanted       `json:"spend,omitempty" maxItems:"8" doc:"Points and stored value to pay with."`
	TTL        int64          `json:"ttl_seconds,omitempty" minimum:"10" maximum:"3600" doc:"For how long everything is held, rounded up to ten seconds; 600 where absent."`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Anything else that rules, coupons and reports may use."`
}

// Wanted is an amount of one currency to pay with.
type Wanted struct {
	Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the currency." example:"points"`
	Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"In its smallest unit."`
}

// Quote is what a basket comes to. Amounts of money are in minor units of its currency.
type Quote struct {
	Currency string        `json:"currency" doc:"ISO 4217 code of the amounts."`
	Total    int64         `json:"total" doc:"What the lines came to before anything came off."`
	Off      int64         `json:"off" doc:"What comes off in all: member prices, discounts of tier and plan, coupons."`
	Paid     int64         `json:"paid" doc:"What points and stored value pay."`
	ToPay    int64         `json:"to_pay" doc:"What is left to pay: total - off - paid."`
	Lines    []QuoteLine   `json:"lines" doc:"By line, in the order of the basket."`
	Standing []QuoteOff    `json:"standing" doc:"What comes off by who buys, before coupons, in this order: member prices, then the discount of the tier, then that of the plan."`
	Coupons  []QuoteCoupon `json:"coupons" doc:"What is used, in the order in which it takes off."`
	LeftOut  []QuoteLeft   `json:"left_out" doc:"Codes that were named, or held by the member, and are not used, each with its reason."`
	Better   *Better       `json:"better,omitempty" doc:"Another set of what the member holds that would save more; ask with best=true to use it."`
	Spends   []QuoteSpend  `json:"spends" doc:"What points and stored value pay."`
	Payable  []Payable     `json:"payable" doc:"What the member could pay with on this basket, within the rules of each currency."`
	Earns    []sale.Given  `json:"earns" doc:"What the purchase would earn, as a sale right now; lot ids mean nothing yet."`
	Notices  []sale.Notice `json:"notices,omitempty" doc:"Why something is not given, or less than the rules say."`
}

// QuoteLine is one line.
type QuoteLine struct {
	Line   int64     `json:"line" doc:"Its number."`
	Amount int64     `json:"amount" doc:"What it came to."`
	Off    int64     `json:"off" doc:"What comes off it."`
	Pay    int64     `json:"pay" doc:"What is left of it."`
	By     []LineOff `json:"by,omitempty" doc:"What each discount takes off it, in the order in which they come."`
}

// LineOff is what one discount takes off one line.
type LineOff struct {
	Kind string `json:"kind" enum:"member_price,tier,plan,coupon" doc:"What it is."`
	Code string `json:"code" doc:"Of the price list, the tier, the plan or the voucher."`
	Off  int64  `json:"off" doc:"In minor units."`
}

// QuoteOff is what comes off by who buys.
type QuoteOff struct {
	Kind   string `json:"kind" enum:"member_price,tier,plan" doc:"What it is."`
	Code   string `json:"code" doc:"Of the price list, the tier or the plan."`
	NameEN string `json:"name_en"`
	NameZH string `json:"name_zh"`
	Off    int64  `json:"off" doc:"What it takes off."`
}

// QuoteCoupon is one coupon that is used.
type QuoteCoupon struct {
	Code     string `json:"code" doc:"Of the voucher, or the campaign code."`
	CouponID string `json:"coupon_id" doc:"What it is one of."`
	NameEN   string `json:"name_en"`
	NameZH   string `json:"name_zh"`
	Off      int64  `json:"off" doc:"What it takes off."`
}

// QuoteLeft is one coupon that is not used.
type QuoteLeft struct {
	Code   string `json:"code"`
	NameEN string `json:"name_en,omitempty" doc:"Absent where the code is not known."`
	NameZH string `json:"name_zh,omitempty"`
	Named  bool   `json:"named" doc:"The request named it; the others the member holds."`
	Why    string `json:"why" doc:"Stable: threshold, quantity, nothing, gift_missing, no_effect, budget, exclusive, not_best, not_asked (it would save something), or the code of a refusal, as coupon.over."`
	More   int64  `json:"more,omitempty" doc:"Of threshold: minor units that are missing. Of quantity: thousandths of a unit."`
	SKU    string `json:"sku,omitempty" doc:"Of gift_missing: what to add to the basket."`
	Words  string `json:"words" doc:"The reason in the language of the caller."`
}

// Better is a set of coupons that saves more.
type Better struct {
	Off   int64    `json:"off" doc:"What would come off in all with it."`
	Codes []string `json:"codes" doc:"Of which coupons it is."`
}

// QuoteSpend is a part that points or stored value pays.
type QuoteSpend struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount" doc:"In its smallest unit."`
	Worth    int64  `json:"worth" doc:"In minor units of the basket's money."`
	HoldID   string `json:"hold_id,omitempty" doc:"What holds it; absent on a dry run."`
}

// Payable is how much of one currency a basket takes.
type Payable struct {
	Currency  string `json:"currency"`
	Available int64  `json:"available" doc:"What the member has."`
	Least     int64  `json:"least" doc:"The least that is taken."`
	Most      int64  `json:"most" doc:"The most that this basket takes of what the member has; 0 where it takes none."`
	Step      int64  `json:"step" doc:"It is taken in multiples of this."`
	Worth     int64  `json:"worth" doc:"What the most is worth."`
}

// quoted is a Quote with what has to be held for it.
type quoted struct {
	basket *sale.Basket
	body   Body
}

// quote works out what a basket comes to. n is the checkout's number, was the checkout that is
// changed, nil for a new one: what it holds counts as free.
func (s *Service) quote(ctx context.Context, w Wish, n int64, was *Checkout) (*quoted, error) {
	snap := s.o.Program.Snapshot()
	if w.Currency == "" {
		w.Currency = snap.Settings.Currency
	}
	doc := sale.New{
		Source: quoteSource, Document: strconv.FormatInt(n, 10), Member: w.Member, At: s.o.Clock.Now().UTC().Format(time.RFC3339Nano), Currency: w.Currency,
		Lines: w.Lines, Store: w.Store, Till: w.Till, Staff: w.Staff, Channel: w.Channel, Attributes: w.Attributes,
	}
	for i, l := range w.Lines {
		var ok bool
		if doc.Total, ok = money.Add(doc.Total, l.Amount); !ok {
			return nil, money.ErrTooBig.At("body.lines[" + strconv.Itoa(i) + "].amount")
		}
	}
	b, err := s.o.Sales.Basket(ctx, doc)
	if err != nil {
		return nil, err
	}
	if b.Owner != 0 {
		doc.Member = b.Owner.String()
	}
	q := &quoted{basket: b, body: Body{New: doc, Quote: Quote{
		Currency: w.Currency, Total: doc.Total, Standing: []QuoteOff{}, Coupons: []QuoteCoupon{}, LeftOut: []QuoteLeft{}, Spends: []QuoteSpend{}, Payable: []Payable{}, Earns: []sale.Given{},
	}}}
	if err := s.discounts(ctx, q, w, n, was); err != nil {
		return nil, err
	}
	if err := s.spends(ctx, q, w, was); err != nil {
		return nil, err
	}
	return q, s.earns(ctx, q)
}

// discounts takes off what comes off by who buys, picks the coupons that are used, and says of the
// others why they are not.
func (s *Service) discounts(ctx context.Context, q *quoted, w Wish, n int64, was *Checkout) error {
	b, out := q.basket, &q.body.Quote
	lines := coupon.BasketLines(b)
	var own []coupon.Use
	if was != nil {
		own = was.Body.Uses
	}
	takes, err := s.o.Prices.Standing(ctx, b, lines)
	if err != nil {
		return err
	}
	list, err := s.o.Coupons.Candidates(ctx, b, w.Coupons, b.Owner != 0, n, own...)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for i := range list[:min(len(w.Coupons), len(list))] { // they come first
		named[list[i].Code] = true
	}
	all, _ := promosOf(list, false)
	early := standing(takes)
	best := discount.Best(lines, slices.Concat(early, all))
	r := best
	if !w.Best {
		asked := slices.Clone(early)
		for _, p := range all {
			if named[p.Ref] {
				asked = append(asked, p)
			}
		}
		if r = discount.Apply(lines, asked); best.Off > r.Off {
			out.Better = &Better{Off: best.Off}
			for _, x := range best.Applied {
				if find(takes, x.Ref) == nil {
					out.Better.Codes = append(out.Better.Codes, x.Ref)
				}
			}
		}
	}
	q.body.Offs, q.body.Uses = offsOf(takes, r), usesOf(list, r)
	out.Off = r.Off
	for _, x := range q.body.Offs {
		o := QuoteOff{Kind: x.Kind, Code: x.Ref, Off: sum(x.ByLine)}
		for _, t := range takes {
			if t.Kind == x.Kind && t.Ref == x.Ref {
				o.NameEN, o.NameZH = t.NameEN, t.NameZH
			}
		}
		out.Standing = append(out.Standing, o)
	}
	for i, l := range b.Sale.Body.Lines {
		line := QuoteLine{Line: l.Line, Amount: l.Amount, Off: l.Amount - r.Lines[i], Pay: r.Lines[i]}
		for _, x := range q.body.Offs {
			if x.ByLine[i] > 0 {
				line.By = append(line.By, LineOff{x.Kind, x.Ref, x.ByLine[i]})
			}
		}
		for _, u := range q.body.Uses {
			if u.ByLine[i] > 0 {
				line.By = append(line.By, LineOff{"coupon", u.Code, u.ByLine[i]})
			}
		}
		out.Lines = append(out.Lines, line)
	}
	s.reasons(ctx, q, list, early, named, r)
	return nil
}

func sum(list []int64) (n int64) {
	for _, x := range list {
		n += x
	}
	return n
}

// reasons says what is used, and of each coupon that is not why.
func (s *Service) reasons(ctx context.Context, q *quoted, list []coupon.Candidate, early []discount.Promo, named map[string]bool, r discount.Result) {
	out, language := &q.body.Quote, api.Language(ctx)
	off, left := map[string]int64{}, map[string]discount.Left{}
	for _, x := range r.Applied {
		off[x.Ref] = x.Amount
	}
	for _, x := range r.Left {
		left[x.Ref] = x
	}
	for _, c := range list {
		l := QuoteLeft{Code: c.Code, Named: named[c.Code]}
		if c.Coupon != nil {
			l.NameEN, l.NameZH = c.Coupon.Terms.NameEN, c.Coupon.Terms.NameZH
		}
		why, skipped := left[c.Code]
		switch e := errs.As(c.Refused); {
		case e != nil:
			l.Why, l.Words = e.Code, e.Text(language)
		case off[c.Code] > 0:
			out.Coupons = append(out.Coupons, QuoteCoupon{Code: c.Code, CouponID: c.Coupon.PublicID(), NameEN: l.NameEN, NameZH: l.NameZH, Off: off[c.Code]})
			continue
		case skipped:
			l.Why, l.More, l.SKU, l.Words = string(why.Why), why.More, why.SKU, inWords(whyWord(why, q.basket), language)
		default: // held by the member and not named
			l.Why, l.Words = "not_asked", inWords(notAsked, language)
			for _, x := range discount.Apply(coupon.BasketLines(q.basket), append(slices.Clone(early), c.Promo)).Left {
				if x.Ref == c.Code {
					l.Why, l.More, l.SKU, l.Words = string(x.Why), x.More, x.SKU, inWords(whyWord(x, q.basket), language)
				}
			}
		}
		out.LeftOut = append(out.LeftOut, l)
	}
}

var notAsked = errs.Word{EN: "Not asked for.", ZH: "未选用。"}

func inWords(w errs.Word, language string) string { return i18n.Pick(language, w.EN, w.ZH) }

// whyWord says why a coupon takes nothing off, with what is missing where that is known.
func whyWord(l discount.Left, b *sale.Basket) errs.Word {
	switch l.Why {
	case discount.WhyThreshold:
		return errs.Word{EN: i18n.Money(l.More, b.Sale.Currency, "en") + " more is needed.", ZH: "还差 " + i18n.Money(l.More, b.Sale.Currency, "zh-CN") + "。"}
	case discount.WhyQuantity:
		more := strconv.FormatFloat(float64(l.More)/1000, 'f', -1, 64)
		return errs.Word{EN: more + " more pieces are needed.", ZH: "还差 " + more + " 件。"}
	case discount.WhyGiftMissing:
		return errs.Word{EN: "add the gift " + l.SKU + " to the order.", ZH: "请把赠品 " + l.SKU + " 加入订单。"}
	}
	return coupon.WhyWords[l.Why]
}

// spends checks what is to be paid with points and stored value, and says what could be.
func (s *Service) spends(ctx context.Context, q *quoted, w Wish, was *Checkout) error {
	out, snap := &q.body.Quote, s.o.Program.Snapshot()
	rest := out.Total - out.Off
	out.ToPay = rest
	if q.basket.Owner == 0 || w.Currency != snap.Settings.Currency {
		if len(w.Spend) > 0 {
			if q.basket.Owner == 0 {
				return ErrNobody.At("body.member")
			}
			return ErrMoney.With("currency", snap.Settings.Currency).At("body.currency")
		}
		return nil
	}
	wallets, err := s.o.Ledger.Wallets(ctx, int64(q.basket.Owner))
	if err != nil {
		return err
	}
	has := map[string]int64{}
	for _, v := range wallets {
		has[v.Currency] = v.Available
	}
	if was != nil && was.stage(s.o.Clock.Now().UnixMilli()) == StageOpen {
		for _, x := range was.Body.Spends {
			has[x.Currency] += x.Amount
		}
	}
	asked := map[string]int64{}
	for i, x := range w.Spend {
		at := "body.spend[" + strconv.Itoa(i) + "]"
		cur, err := s.o.Ledger.Config().Currency(x.Currency)
		if err != nil {
			return errs.As(err).At(at + ".currency")
		}
		if asked[cur.Code] != 0 {
			return ledger.ErrCurrency.At(at + ".currency")
		}
		asked[cur.Code] = x.Amount
		p := s.payable(q, cur, has[cur.Code], rest-out.Paid)
		switch {
		case cur.Kind == ledger.Growth || cur.Policy.UnitValue == 0:
			return ErrWorthless.With("currency", cur.Code).At(at + ".currency")
		case x.Amount > has[cur.Code]:
			return ledger.ErrInsufficient.With("available", cur.Format(has[cur.Code]), "amount", cur.Format(x.Amount)).At(at + ".amount")
		case p.Most == 0:
			return ErrSpendNone.With("currency", cur.Code).At(at + ".amount")
		case x.Amount < p.Least || x.Amount > p.Most || x.Amount%p.Step != 0:
			return ErrSpend.With("currency", cur.Code, "least", cur.Format(p.Least), "most", cur.Format(p.Most), "step", cur.Format(p.Step)).At(at + ".amount")
		}
		worth := worthOf(cur, x.Amount)
		q.body.Spends = append(q.body.Spends, Spend{Currency: cur.Code, Amount: x.Amount, Worth: worth})
		out.Spends = append(out.Spends, QuoteSpend{Currency: cur.Code, Amount: x.Amount, Worth: worth})
		out.Paid += worth
	}
	for _, v := range wallets {
		cur, err := s.o.Ledger.Config().Currency(v.Currency)
		if err != nil || cur.Kind == ledger.Growth || cur.Policy.UnitValue == 0 || has[v.Currency] == 0 {
			continue
		}
		others := out.Paid - worthOf(cur, asked[cur.Code])
		out.Payable = append(out.Payable, s.payable(q, cur, has[v.Currency], rest-others))
	}
	out.ToPay = rest - out.Paid
	return nil
}

// worthOf is what an amount pays, rounded down.
func worthOf(c *ledger.Currency, amount int64) int64 {
	n, _ := money.MulDiv(amount, c.Policy.UnitValue, 1_000_000, money.Floor) // policies bound both
	return n
}

// stepOf is in multiples of what a currency is taken: where nothing is said, so many as are worth a
// minor unit.
func stepOf(c *ledger.Currency) int64 {
	if c.Policy.Pay.Step == 0 && c.Policy.UnitValue < 1_000_000 {
		return (1_000_000 + c.Policy.UnitValue - 1) / max(1, c.Policy.UnitValue)
	}
	return max(1, c.Policy.Pay.Step)
}

// payable is how much of a currency a basket takes, of what its member has, where so much is
// left to pay.
func (s *Service) payable(q *quoted, c *ledger.Currency, has, rest int64) Payable {
	pay, snap := c.Policy.Pay, s.o.Program.Snapshot()
	out := Payable{Currency: c.Code, Available: has, Step: stepOf(c)}
	out.Least = max(pay.Least, out.Step)
	for _, ref := range pay.ExcludeStores {
		if st, err := snap.FindStore(ref); err == nil && st.ID == q.basket.Sale.Store {
			return out
		}
	}
	open := int64(0) // what may be paid so
	for i, l := range q.body.Quote.Lines {
		if !s.excluded(q.basket, q.basket.Sale.Body.Lines[i].Category, pay.ExcludeCategories) {
			open += l.Pay
		}
	}
	if pay.MostPercent > 0 {
		open = min(open, (q.body.Quote.Total-q.body.Quote.Off)*pay.MostPercent/100)
	}
	most, _ := money.MulDiv(min(open, rest), 1_000_000, max(1, c.Policy.UnitValue), money.Floor)
	most = min(most, has)
	if pay.Most > 0 {
		most = min(most, pay.Most)
	}
	if most -= most % out.Step; most >= out.Least {
		out.Most, out.Worth = most, worthOf(c, most)
	}
	return out
}

func (s *Service) excluded(b *sale.Basket, category string, list []string) bool {
	for _, x := range list {
		if category != "" && b.Under(category, x) {
			return true
		}
	}
	return false
}

// earns tries the basket as a sale.
func (s *Service) earns(ctx context.Context, q *quoted) error {
	if q.basket.Owner == 0 {
		return nil
	}
	r := s.o.Sales.Record(ctx, q.body.New, sale.Ask{DryRun: true, Price: func(_ context.Context, b *sale.Basket) (sale.Part, error) {
		takeOff(b, q.body.Offs, q.body.Uses)
		for _, x := range q.body.Spends { // rules see what points pay
			b.Sale.Body.Payments = append(b.Sale.Body.Payments, sale.Payment{Kind: payKind(s.o.Ledger.Config().ByCode[x.Currency]), Amount: x.Worth})
		}
		return nil, nil
	}})
	if r.Err != nil {
		return r.Err
	}
	q.body.Quote.Earns, q.body.Quote.Notices = r.Answer.Points, r.Answer.Notices
	return nil
}

// payKind is how a payment with a currency is called in a sale.
func payKind(c *ledger.Currency) string {
	if c != nil && c.Kind == ledger.Stored {
		return "stored_value"
	}
	return "points"
}

// view is a checkout as the outside sees it.
type checkoutView struct {
	ID        string    `json:"id" doc:"The checkout: the token that holds everything."`
	State     string    `json:"state" enum:"open,confirmed,released,expired" doc:"Every state but open is final."`
	MemberID  string    `json:"member_id,omitempty" doc:"Whose purchase it is."`
	ExpiresAt time.Time `json:"expires_at" doc:"The first instant at which it can no longer be confirmed."`
	SaleID    string    `json:"sale_id,omitempty" doc:"What it became."`
	Quote

	made bool
}

// Status is 201 for a checkout that was made now.
func (v *checkoutView) Status() int {
	if v.made {
		return 201
	}
	return 200
}

func (c *Checkout) view(nowMS int64) *checkoutView {
	v := &checkoutView{ID: c.PublicID(), State: c.stage(nowMS).String(), MemberID: c.memberOf(), ExpiresAt: time.UnixMilli(c.Until).UTC(), Quote: c.Body.Quote}
	v.Spends = []QuoteSpend{}
	for _, x := range c.Body.Spends {
		sp := QuoteSpend{Currency: x.Currency, Amount: x.Amount, Worth: x.Worth}
		if x.Hold != 0 {
			sp.HoldID = ledger.HoldID(c.Member, x.Hold)
		}
		v.Spends = append(v.Spends, sp)
	}
	if c.Sale.Seq != 0 {
		v.SaleID = (&sale.Document{Member: c.Sale.Member, Seq: c.Sale.Seq}).ID()
	}
	return v
}

// copyOf is a body of its own: what a command decides on may be decided more than once.
func copyOf(b Body) Body {
	raw, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	var out Body
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	return out
}
