package coupon

import (
	"errors"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Use is one coupon used on one sale. It is kept with the checkout and the sale; its JSON is on
// disk. Hold, Redeem and Undo write into it: whoever keeps it keeps what they have left there.
type Use struct {
	Coupon  int64   `json:"c"`
	Version int64   `json:"v"`
	Code    string  `json:"k"`           // of the voucher; the shared code, folded
	Amount  int64   `json:"m"`           // what it takes off, minor units of the sale's money
	ByLine  []int64 `json:"l"`           // adds up to Amount, in the order of the sale's lines
	Until   int64   `json:"u,omitempty"` // of the hold, Unix milliseconds
	Member  int64   `json:"w,omitempty"` // under whom it is counted; 0 for nobody
	Day     int32   `json:"d,omitempty"` // on which programme day it is counted
	Periods int64   `json:"p,omitempty"` // in which periods of the member: 1 day, 2 week, 4 month
	Back    int64   `json:"x,omitempty"` // of Amount, what returns gave back to the budget
	Given   bool    `json:"g,omitempty"` // a return has brought the use itself back
}

// The periods of Use.Periods. A span of a count is the period above the number of its cycle.
const (
	inDay   = 1
	inWeek  = 2
	inMonth = 4

	spanShift = 32
)

// count is one thing that a use is counted by.
type count struct {
	key    quota.Key
	limit  quota.Limit
	amount int64
	spent  error // what to say when no use is left
}

// counts is all that a use is counted by, under the limits of the coupon as it stands.
func (n *snapshot) counts(u *Use) []count {
	var l Limits
	if c := n.coupons[u.Coupon]; c != nil {
		l = c.Terms.Limits
	}
	list := []count{{quota.Key{Kind: quota.CouponUse, ID: u.Coupon}, quota.Limit{N: l.Uses, Amount: l.Budget}, u.Amount, ErrUses}}
	if u.Member <= 0 {
		return list
	}
	list = append(list, count{quota.Key{Kind: quota.CouponUses, ID: u.Coupon, Part: u.Member}, quota.Limit{N: l.UsesEver}, 0, ErrMyUses.With("when", errs.Word{EN: "in all", ZH: "累计"})})
	for _, p := range []struct {
		bit, most, cycle int64
		when             errs.Word
	}{
		{inDay, l.UsesDay, int64(u.Day), errs.Word{EN: "today", ZH: "今日"}},
		{inWeek, l.UsesWeek, (int64(u.Day) + 3) / 7, errs.Word{EN: "this week", ZH: "本周"}},
		{inMonth, l.UsesMonth, monthOf(program.Day(u.Day)), errs.Word{EN: "this month", ZH: "本月"}},
	} {
		if u.Periods&p.bit != 0 {
			k := quota.Key{Kind: quota.CouponUses, ID: u.Coupon, Part: u.Member, Span: p.bit<<spanShift | p.cycle}
			list = append(list, count{k, quota.Limit{N: p.most}, 0, ErrMyUses.With("when", p.when)})
		}
	}
	return list
}

func monthOf(d program.Day) int64 {
	at := d.Start(time.UTC)
	return int64(at.Year())*12 + int64(at.Month()) - 1
}

// countFor says under whom and when a use is counted.
func (n *snapshot) countFor(u *Use, owner int64, day int32) {
	u.Member, u.Day, u.Periods = max(0, owner), day, 0
	if c := n.coupons[u.Coupon]; c != nil && owner > 0 {
		l := c.Terms.Limits
		for bit, most := range map[int64]int64{inDay: l.UsesDay, inWeek: l.UsesWeek, inMonth: l.UsesMonth} {
			if most > 0 {
				u.Periods |= bit
			}
		}
	}
}

// shared reports whether a use is of a shared code: there is no voucher.
func (n *snapshot) sharedUse(u *Use) bool {
	v := n.of(u.Coupon, u.Version)
	return v != nil && v.terms.SharedCode != ""
}

// rows is what a use looks at and writes.
func (n *snapshot) rows(uses []Use) (need ledger.Needs) {
	for i := range uses {
		u := &uses[i]
		for _, c := range n.counts(u) {
			need.Rows = append(need.Rows, c.key.Row())
			if c.key.Kind == quota.CouponUses && c.limit != (quota.Limit{}) {
				need.Rows = append(need.Rows, quota.KinRow(c.key.Part))
			}
		}
		if !n.sharedUse(u) {
			need.Rows = append(need.Rows, voucherRow(u.Code))
		}
	}
	return need
}

// UseNeeds names what Hold, Free, Redeem and Undo look at. Owner is the member of the sale, 0
// or a stand-in where there is none. What else they need they ask for by themselves.
func (s *Service) UseNeeds(uses []Use, owner int64) ledger.Needs {
	n, day := s.now.Load(), int32(s.o.Program.Snapshot().Day(s.o.Clock.Now()))
	list := slices.Clone(uses)
	for i := range list {
		if list[i].Day == 0 {
			n.countFor(&list[i], owner, day)
		}
	}
	return n.rows(list)
}

// used is a use with what it is about, as the batch finds it.
type used struct {
	*Use
	v       *version
	voucher *Voucher // nil of a shared code
	live    bool     // the checkout's own hold stands
}

// gather finds what uses are about. It asks for what is missing before anything changes.
func (n *snapshot) gather(st *ledger.State, uses []Use, checkout int64) ([]used, error) {
	if err := st.Require(n.rows(uses)); err != nil {
		return nil, err
	}
	list := make([]used, len(uses))
	for i := range uses {
		u := &uses[i]
		x := used{Use: u, v: n.of(u.Coupon, u.Version)}
		if x.v == nil {
			return nil, ErrUnknown.With("code", u.Code)
		}
		if x.v.terms.SharedCode == "" {
			if x.voucher = load(st, u.Code); x.voucher == nil || x.voucher.Coupon != u.Coupon {
				return nil, ErrUnknown.With("code", u.Code)
			}
			x.live = checkout != 0 && x.voucher.HoldBy == checkout && x.voucher.HoldUntil > st.NowMS && u.Until > st.NowMS
		} else {
			x.live = checkout != 0 && u.Until > st.NowMS
		}
		list[i] = x
	}
	return list, nil
}

// Hold holds coupons for a checkout until an instant. It looks at everything again, under lock:
// the voucher, who holds it, its time, limits and budget. All are held, or a refusal names which
// one is not (param code) and nothing has changed. Each Use then says until when it is held.
func (s *Service) Hold(st *ledger.State, a *ledger.Account, uses []Use, checkout, untilMS int64) error {
	n := s.now.Load()
	for i := range uses {
		n.countFor(&uses[i], a.ID, st.Day(st.NowMS))
	}
	list, err := n.gather(st, uses, checkout)
	if err != nil {
		return err
	}
	if err := n.mayUse(st, a, list, checkout, st.NowMS); err != nil {
		return err
	}
	for _, u := range list {
		for _, c := range n.counts(u.Use) {
			if u.Until, err = quota.Hold(st, c.key, c.limit, 1, c.amount, untilMS); err != nil {
				return c.refusal(err).With("code", u.Code)
			}
		}
		if u.voucher != nil {
			u.voucher.HoldBy, u.voucher.HoldUntil = checkout, u.Until
			u.voucher.step(st, a, u.v.coupon, Step{Kind: StepHeld}, map[string]any{"until_ms": u.Until})
		}
	}
	return nil
}

// refusal translates what a counter says into the coupon's own words.
func (c count) refusal(err error) *errs.Error {
	if errors.Is(err, quota.ErrBudget) {
		return ErrBudget
	}
	return errs.As(c.spent).Because(err)
}

// mayUse refuses the first use that cannot be, at an instant that the caller names. What lies
// in one call is counted together.
func (n *snapshot) mayUse(st *ledger.State, a *ledger.Account, list []used, checkout, atMS int64) error {
	if err := n.related(st, list); err != nil {
		return err
	}
	seen := map[string]bool{}
	var sum []count
	for _, u := range list {
		if seen[u.Code] {
			return ErrTwice.With("code", u.Code)
		}
		seen[u.Code] = true
		if u.live {
			continue
		}
		if err := n.may(st, a, u, checkout, atMS); err != nil {
			if e := errs.As(err); e != nil {
				return e.With("code", u.Code)
			}
			return err
		}
		for _, c := range n.counts(u.Use) {
			i := slices.IndexFunc(sum, func(x count) bool { return x.key == c.key })
			if i < 0 {
				i, sum = len(sum), append(sum, count{key: c.key})
			}
			sum[i].limit.N, sum[i].amount = sum[i].limit.N+1, sum[i].amount+c.amount
			left := quota.Left(st, c.key, c.limit)
			switch {
			case left.N < sum[i].limit.N:
				return errs.As(c.spent).With("code", u.Code)
			case left.Amount < sum[i].amount:
				return ErrBudget.With("code", u.Code)
			}
		}
	}
	return nil
}

// related asks for what the limits of members look at.
func (n *snapshot) related(st *ledger.State, list []used) error {
	var keys []quota.Key
	for _, u := range list {
		for _, c := range n.counts(u.Use) {
			if c.limit != (quota.Limit{}) {
				keys = append(keys, c.key)
			}
		}
	}
	return quota.Related(st, keys...)
}

// may refuses one use by what does not depend on counts.
func (n *snapshot) may(st *ledger.State, a *ledger.Account, u used, checkout, atMS int64) error {
	c := u.v.coupon
	if c.State == Paused || c.State == Draft {
		return ErrPaused
	}
	if u.voucher == nil {
		if c.Terms.Limits.ofMember() && a.ID <= 0 {
			return ErrMember
		}
		return n.sharedAt(c, atMS)
	}
	if err := u.voucher.usable(st.NowMS, atMS, checkout); err != nil {
		return err
	}
	if u.v.terms.Bearer {
		return nil
	}
	return owns(st, a, u.voucher)
}

// sharedAt refuses a shared code that is not taken at an instant.
func (n *snapshot) sharedAt(c *Coupon, atMS int64) error {
	switch c.Standing(atMS, n.zone) {
	case Live:
		return nil
	case Scheduled:
		return ErrEarly
	case Paused, Draft:
		return ErrPaused
	}
	return ErrOver
}

// usable refuses a voucher by its own row, at an instant of use.
func (v *Voucher) usable(nowMS, atMS, checkout int64) error {
	switch {
	case v.Stage == Redeemed:
		return ErrUsed
	case v.Stage == Revoked:
		return ErrRevoked
	case atMS > v.Until:
		return ErrOver
	case v.gifting(nowMS):
		return ErrGifted
	case atMS < v.begins():
		return ErrEarly
	case v.held(nowMS, checkout):
		return ErrHeld.With("until", timeOf(v.HoldUntil).Format(time.RFC3339))
	}
	return nil
}

// begins is when it can first be used by the clock of a till. One that is good from the moment
// it is given is good at once at a till whose clock is behind, or tells no more than seconds.
func (v *Voucher) begins() int64 {
	if v.From == v.IssuedMS {
		return v.From - sale.MaxApart.Milliseconds()
	}
	return v.From
}

// owns refuses a voucher that is somebody else's. Whoever was merged into a is a.
func owns(st *ledger.State, a *ledger.Account, v *Voucher) error {
	if a.ID <= 0 {
		return ErrMember
	}
	m := v.Member
	if m == 0 || m == a.ID {
		return nil
	}
	for range maxMerges {
		if err := st.Require(ledger.Needs{Members: []int64{m}}); err != nil {
			return err
		}
		x, err := st.Account(m)
		if err != nil {
			return err
		}
		if m = x.MergedInto; m == 0 {
			break
		}
		if m == a.ID {
			return nil
		}
	}
	return ErrForeign
}

// ofMember reports whether uses of each member are limited: then somebody has to be known.
func (l Limits) ofMember() bool { return l.UsesEver+l.UsesDay+l.UsesWeek+l.UsesMonth > 0 }

// Free gives holds of a checkout back before their time. Those that have lapsed are gone
// already, and what somebody else holds by now stays.
func (s *Service) Free(st *ledger.State, a *ledger.Account, uses []Use, checkout int64) error {
	n := s.now.Load()
	list, err := n.gather(st, uses, checkout)
	if err != nil {
		return err
	}
	for _, u := range list {
		if !u.live {
			continue
		}
		for _, c := range n.counts(u.Use) {
			quota.Free(st, c.key, 1, c.amount, u.Until)
		}
		u.Until = 0
		if u.voucher != nil {
			u.voucher.HoldBy, u.voucher.HoldUntil = 0, 0
			u.voucher.step(st, a, u.v.coupon, Step{Kind: StepReleased}, nil)
		}
	}
	return nil
}

// Redeem uses coupons on a sale, which has its number. What the checkout still holds is used
// for sure; what it never held, or no longer holds, is looked at anew, at the sale's own time.
// All are used, or a refusal names which one is not and nothing has changed.
func (s *Service) Redeem(st *ledger.State, a *ledger.Account, uses []Use, checkout int64, doc *sale.Document) error {
	n := s.now.Load()
	list, err := n.gather(st, uses, checkout)
	if err != nil {
		return err
	}
	for _, u := range list {
		if !u.live {
			n.countFor(u.Use, a.ID, st.Day(st.NowMS))
		}
	}
	if err := st.Require(n.rows(uses)); err != nil {
		return err
	}
	if err := n.mayUse(st, a, list, checkout, min(doc.AtMS, st.NowMS)); err != nil {
		return err
	}
	for _, u := range list {
		for _, c := range n.counts(u.Use) {
			if u.live {
				quota.Confirm(st, c.key, 1, c.amount, u.Until)
			} else if err := quota.Take(st, c.key, c.limit, 1, c.amount); err != nil {
				return c.refusal(err).With("code", u.Code)
			}
		}
		u.Until = 0
		more := map[string]any{"amount": u.Amount, "sale": doc.ID(), "total": doc.Total}
		if u.voucher == nil {
			more["shared"] = true
			tell(st, a, u.v.coupon, stepWords[StepRedeemed], doc.AtMS, u.Code, more)
			continue
		}
		if u.voucher.Stage == Expired { // it was used in time, and told late
			u.voucher.Stage, more["revived"] = Issued, true
			if u.voucher.Member != 0 {
				u.voucher.Stage = Claimed
			}
		}
		u.voucher.redeem(u.v, a, u.Amount, doc, n.zone)
		u.voucher.step(st, a, u.v.coupon, Step{
			Kind: StepRedeemed, AtMS: doc.AtMS, Store: doc.Store, Till: doc.Till, Staff: doc.Staff, Sale: u.voucher.Sale, Amount: u.Amount,
		}, more)
	}
	return nil
}

// redeem notes a use in the voucher.
func (v *Voucher) redeem(of *version, a *ledger.Account, amount int64, doc *sale.Document, zone *time.Location) {
	v.HoldBy, v.HoldUntil = 0, 0
	if v.Member == 0 && !of.terms.Bearer { // who uses it first has claimed it
		v.Member, v.ClaimedMS, v.Stage = a.ID, doc.AtMS, Claimed
	}
	if v.UsedN++; v.UsedN == 1 {
		v.FirstMS, v.Until = doc.AtMS, of.terms.untilAfterUse(doc.AtMS, v.End, zone)
	}
	v.UsedMS, v.Off = doc.AtMS, v.Off+amount
	v.Sale = ledger.LotKey{Member: doc.Member, Seq: doc.Seq}
	if v.UsedN >= of.terms.uses() {
		v.Stage = Redeemed
	}
}

// Undo brings back what a return of a sale brings back of its coupons: money to the budget for
// the lines that came back, and by the coupon's policy the use itself. The lines of r.Sale say
// what was returned by now, this return included. It is called once for each return, with the
// uses as the last call left them.
func (s *Service) Undo(st *ledger.State, a *ledger.Account, uses []Use, r *sale.Reversal) error {
	n := s.now.Load()
	list, err := n.gather(st, uses, 0)
	if err != nil {
		return err
	}
	for _, u := range list {
		back, lines, whole := u.returned(r.Sale)
		more := back - u.Back
		given := !u.Given && (whole && u.v.terms.Returns != Keep || lines && u.v.terms.Returns == Lines)
		if more == 0 && !given {
			continue
		}
		times := int64(0)
		if given {
			times = 1
		}
		for i, c := range n.counts(u.Use) {
			switch {
			case i == 0:
				quota.Return(st, c.key, times, more)
			case given:
				quota.Return(st, c.key, times, 0)
			}
		}
		u.Back, u.Given = back, u.Given || given
		body := map[string]any{"amount": more, "sale": r.Sale.ID(), "return": r.Return.ID(), "back": given}
		if u.voucher == nil {
			body["shared"] = true
			tell(st, a, u.v.coupon, stepWords[StepReversed], st.NowMS, u.Code, body)
			continue
		}
		u.voucher.Off -= more
		if given {
			u.voucher.unuse()
		}
		u.voucher.step(st, a, u.v.coupon, Step{
			Kind: StepReversed, Store: r.Return.Store, Till: r.Return.Till, Staff: r.Return.Staff, Sale: ledger.LotKey{Member: r.Sale.Member, Seq: r.Sale.Seq}, Amount: more,
		}, body)
	}
	return nil
}

// returned is what of a use has come back by now, whether all lines have that it took
// something off, and whether the whole sale has.
func (u *Use) returned(d *sale.Document) (back int64, lines, whole bool) {
	lines, whole = true, true
	for i := range d.Body.Lines {
		l := &d.Body.Lines[i]
		all := l.BackMilli == l.Milli
		whole = whole && all
		if i < len(u.ByLine) && u.ByLine[i] > 0 {
			lines = lines && all
			back += sale.Share(u.ByLine[i], l, l.BackMilli, l.BackAmount)
		}
	}
	return back, lines, whole
}

// unuse takes a use back. A voucher that was taken back or wrote its end meanwhile stays so.
func (v *Voucher) unuse() {
	v.UsedN--
	if v.Stage == Redeemed {
		v.Stage = Issued
		if v.Member != 0 {
			v.Stage = Claimed
		}
	}
	if v.UsedN == 0 {
		v.FirstMS, v.UsedMS, v.Until, v.Sale = 0, 0, v.End, ledger.LotKey{}
	}
}
