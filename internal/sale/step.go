package sale

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// Step has a part in what a sale does for its owner. Nouns above have theirs: rules, offers,
// tiers. They run in the order in which they were handed to the service.
type Step interface {
	// Name is under which the step keeps things with a sale.
	Name() string
	// Prepare does, before the batch, all that needs no locked state, and writes nothing. Nil
	// is a step that has no part in this sale. It is not asked about sales that nobody owns.
	Prepare(ctx context.Context, b *Basket) (Part, error)
	// Undo takes back, in the batch of a return, what the step keeps of the sale. The points
	// that its lines had earned have been taken back already. It may Require what it needs.
	Undo(s *ledger.State, a *ledger.Account, r *Reversal) error
}

// Part is what a step makes of one sale.
type Part interface {
	// Needs is what Decide looks at beside the owner's account.
	Needs(owner int64) ledger.Needs
	// Asks lists the facts of the owner that Decide wants to find in the Outcome, of those
	// that can be known in a batch: see Known.
	Asks() []cond.Need
	// Decide is pure, and may run several times on fresh states before one takes effect.
	Decide(s *ledger.State, a *ledger.Account, o *Outcome) error
}

// ErrStale is what a Part returns that finds something to have changed since Prepare looked
// at it: all is prepared anew.
var ErrStale = errs.New(errs.Unavailable, "sale.stale", "This member's books keep changing. Try again in a moment.", "该会员数据正在变动，请稍后重试。")

// Facts are what conditions can look at before the batch: the sale in the programme's money and
// its own time. Member is empty before Who has been asked, and Found: what is asked for is added
// by who asks.
func (b *Basket) Facts() *cond.Facts {
	if b.facts == nil {
		b.facts = &cond.Facts{Sale: b.sale(), Now: cond.NewMoment(b.At, b.Programme.Zone), Under: b.Under}
	}
	f := *b.facts
	if f.Member = b.owner; f.Member == nil {
		f.Member = &cond.Member{}
	}
	return &f
}

// Who is what the owner says of themselves, which is read when it is first asked for: most
// sales do not depend on it. Nothing is known where nobody owns the sale. It is not to be changed.
func (b *Basket) Who(ctx context.Context) (_ *cond.Member, err error) {
	if b.owner == nil && b.who != nil {
		if b.owner, err = b.who(ctx); err != nil {
			return nil, err
		}
	}
	if b.owner == nil {
		return &cond.Member{}, nil
	}
	return b.owner, nil
}

// Worth is what an amount of the sale's money is in the programme's, rounded half up; 0
// where nobody has said what its currency was worth that day.
func (b *Basket) Worth(amount int64) int64 {
	from, err1 := money.Decimals(b.Sale.Currency)
	to, err2 := money.Decimals(b.Programme.Settings.Currency)
	if err1 != nil || err2 != nil {
		return 0
	}
	up, down := b.Rate, int64(program.RateOne)
	for ; from < to; from++ {
		up *= 10
	}
	for ; from > to; from-- {
		down *= 10
	}
	n, ok := money.MulDiv(amount, up, down, money.HalfUp)
	if !ok {
		return 0
	}
	return n
}

func (b *Basket) sale() *cond.Sale {
	d := b.Sale
	f := &cond.Sale{
		Total: b.Worth(d.Total), Currency: d.Currency, Channel: d.Channel, Till: d.Till, Staff: d.Staff,
		Source: d.Source, Document: d.Document, Attributes: d.Body.Attributes,
	}
	if st, ok := b.Programme.Store(d.Store); ok {
		f.Store = st.Code
		if m, ok := b.Programme.Merchant(st.Merchant); ok {
			f.Merchant = m.Code
		}
	}
	for _, p := range d.Body.Payments {
		switch p.Kind {
		case "points":
			f.PaidByPoints += b.Worth(p.Amount)
		case "coupon":
			f.PaidByCoupons += b.Worth(p.Amount)
		}
	}
	for _, l := range d.Body.Lines {
		f.Lines = append(f.Lines, cond.Line{SKU: l.SKU, Name: l.Name, Category: l.Category, Brand: l.Brand, Milli: l.Milli, Amount: b.Worth(l.Amount), Attributes: l.Attributes})
	}
	return f
}

// Known reports whether a fact can be known in a batch, from the account alone. Others are
// looked up before it.
func Known(n cond.Need) bool {
	switch n.Fact {
	case cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits:
		return true
	}
	return false
}

// Find answers those of some needs that are Known, for windows that end with a day.
func Find(s *ledger.State, a *ledger.Account, day activity.Day, needs []cond.Need, found cond.Found) {
	for _, n := range needs {
		if _, done := found[n]; done || !Known(n) {
			continue
		}
		var v int64
		switch n.Fact {
		case cond.FactPoints:
			v = s.Balances(a)[n.Text]
		case cond.FactEarned:
			if c := s.Config.ByCode[n.Text]; c != nil {
				v = a.Activity().Earned(c.ID, day, n.Days)
			}
		case cond.FactSpend:
			v = a.Activity().Spend(day, n.Days)
		case cond.FactVisits:
			v = a.Activity().Visits(day, n.Days)
		}
		found[n] = cond.WholeValue(v)
	}
}

// Outcome is what comes out of a sale, while its parts are decided.
type Outcome struct {
	Doc   *Document
	Day   activity.Day // of the sale
	Base  []Earning    // what the settings' own rule gives; it is granted already
	Found cond.Found   // what the parts asked for, as it was before the sale gave anything

	Notices []Notice
	Trace   []Trace
}

// SetTier says what the owner's tier is after the sale: its code, "" for none.
func (o *Outcome) SetTier(code string) { o.Doc.Effect.Tier = code }

// Give grants points: one lot, whose shares by line a return takes back. It returns how much
// was given: less than asked for where a limit of the currency cut it, which the answer says.
func (o *Outcome) Give(s *ledger.State, a *ledger.Account, e Earning) (int64, error) {
	d := o.Doc
	cur, err := s.Config.Currency(e.Currency)
	if err != nil {
		return 0, o.notice(err) // the settings name a currency that is gone: the sale goes through
	}
	g := ledger.Grant{
		Posting: ledger.Posting{AtMS: d.AtMS, Cause: ledger.Cause{Kind: ledger.BySale, Member: d.Member, Seq: d.Seq}, Rule: e.Rule, Store: d.Store},
		Kind:    ledger.Earn, Currency: cur, Amount: e.Amount, ExpiresMS: e.ExpiresMS,
	}
	if e.PendingDays > 0 {
		g.ActiveMS = s.ActiveAfter(d.AtMS, e.PendingDays)
	}
	got, err := s.Grant(a, g)
	if err != nil {
		return 0, o.notice(err)
	}
	if got.Cut > 0 {
		o.Notices = append(o.Notices, noticeOf(ledger.ErrLimit.With("limit", cur.Format(e.Amount), "window", "sale", "left", cur.Format(e.Amount-got.Cut))))
	}
	if got.Lot == nil {
		return 0, nil
	}
	d.Effect.Earned = append(d.Effect.Earned, Earned{
		Currency: cur.ID, Member: a.ID, Lot: got.Lot.Seq, Amount: got.Lot.Granted, Rule: e.Rule,
		Shares: money.Split(got.Lot.Granted, e.Weights),
	})
	return got.Lot.Granted, nil
}

// notice tells of a refusal in the answer. What is no refusal is returned: the batch has to
// stop for it.
func (o *Outcome) notice(err error) error {
	if errs.As(err) == nil {
		return err
	}
	o.Notices = append(o.Notices, noticeOf(err))
	return nil
}

// Keep keeps with the sale what a step will want to know when it is returned.
func (o *Outcome) Keep(step interface{ Name() string }, v any) {
	if o.Doc.Effect.Kept == nil {
		o.Doc.Effect.Kept = map[string]json.RawMessage{}
	}
	o.Doc.Effect.Kept[step.Name()] = json.RawMessage(pack(v))
}

// Reversal is a return as a Step sees it.
type Reversal struct {
	Sale   *Document
	Return *Document
	Day    activity.Day // of the sale
	Lines  []Line       // what comes back now
	Whole  bool         // nothing of the sale is left
	Clawed []Clawed     // what was taken back now of what the sale had earned
}

// Clawed is how much of one earning came off.
type Clawed struct {
	Rule     string `json:"r"`
	Currency int64  `json:"c"`
	Amount   int64  `json:"m"`
}

// Kept reads what a step kept with the sale, and false where it kept nothing.
func (r *Reversal) Kept(step Step, to any) bool {
	raw, ok := r.Sale.Effect.Kept[step.Name()]
	if ok {
		unpack(string(raw), to)
	}
	return ok
}

// Keep replaces what a step keeps with the sale.
func (r *Reversal) Keep(step Step, v any) { (&Outcome{Doc: r.Sale}).Keep(step, v) }

// plan is all that a sale does for its owner, as it was prepared before the batch.
type plan struct {
	base  []Earning
	trace []Trace
	worth int64 // the sale's total in the programme's money
	parts []Part

	priced  Part  // what coupons took off
	refused error // why they took off nothing
}

// needs adds to n what the parts look at.
func (p *plan) needs(owner int64, n ledger.Needs) ledger.Needs {
	if p.priced != nil {
		n.Add(p.priced.Needs(owner))
	}
	for _, part := range p.parts {
		n.Add(part.Needs(owner))
	}
	return n
}

// apply gives the owner what a sale gives: what the settings' rule says, a place among the
// days on which they bought, and what the parts decide.
func (p *plan) apply(s *ledger.State, a *ledger.Account, d *Document) (*Outcome, error) {
	o := &Outcome{Doc: d, Day: s.Day(d.AtMS), Base: p.base, Found: cond.Found{}, Trace: slices.Clip(p.trace)}
	for _, part := range p.parts {
		Find(s, a, o.Day, part.Asks(), o.Found)
	}
	d.Effect.Day, d.Effect.Worth = o.Day, p.worth
	s.Record(a).Bought(o.Day, 1, p.worth)
	if !a.MayEarn {
		if len(p.base)+len(p.parts) > 0 {
			o.Notices = []Notice{noticeOf(ledger.ErrMayNotEarn)}
		}
		return o, nil
	}
	for _, e := range p.base {
		if _, err := o.Give(s, a, e); err != nil {
			return nil, err
		}
	}
	for _, part := range p.parts {
		if err := part.Decide(s, a, o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// prepare works out what a sale does for an owner, as of its own time.
func (s *Service) prepare(ctx context.Context, d *Document, owner member.ID, ask Ask) (*plan, error) {
	b, err := s.basket(ctx, d, ask.rates)
	if err != nil {
		return nil, err
	}
	s.owned(b, owner, ask)
	p := &plan{}
	if err := s.price(ctx, p, b, ask); err != nil {
		return nil, err
	}
	p.worth = b.Worth(d.Total)
	p.base, p.trace = baseRule{}.Earn(b)
	if owner == 0 || len(s.steps) == 0 {
		return p, nil
	}
	for _, step := range s.steps {
		part, err := step.Prepare(ctx, b)
		if err != nil {
			return nil, err
		}
		if part != nil {
			p.parts = append(p.parts, part)
		}
	}
	return p, nil
}

// basket is a sale before the batch. It fills in categories that the till did not name.
func (s *Service) basket(ctx context.Context, d *Document, rates map[string]int64) (*Basket, error) {
	snap := s.program.Snapshot()
	when := time.UnixMilli(d.AtMS)
	rate, ok := rates[d.Currency]
	if ok {
		d.Effect.Rate = rate // for whoever looks at it again: the settings may not have one
	} else if rate = d.Effect.Rate; rate != 0 {
		ok = true
	}
	if !ok {
		var err error
		if rate, ok, err = s.program.Rate(ctx, d.Currency, snap.Day(when)); err != nil {
			return nil, err
		}
	}
	d.Flags &^= NoRate
	if !ok {
		d.Flags |= NoRate
	}
	for i := range d.Body.Lines {
		if l := &d.Body.Lines[i]; l.Category == "" {
			l.Category = s.catalog.CategoryOf(l.SKU)
		}
	}
	return &Basket{Sale: d, At: when, Programme: snap, Rate: rate, Under: s.catalog.Under}, nil
}

// whoIs reads the profile of one member.
func (s *Service) whoIs(m member.ID) func(context.Context) (*cond.Member, error) {
	return func(ctx context.Context) (*cond.Member, error) { return s.members.Profile(ctx, m) }
}

// crowd is the owners of sales that are posted together: when a step asks for the first, all are
// read in one go. One goroutine prepares the sales.
type crowd struct {
	members *member.Service
	owners  []member.ID
	read    map[member.ID]*cond.Member
}

func (c *crowd) who(ctx context.Context, m member.ID) (_ *cond.Member, err error) {
	if c.read == nil {
		if c.read, err = c.members.Profiles(ctx, c.owners); err != nil {
			return nil, err
		}
	}
	if who := c.read[m]; who != nil {
		return who, nil
	}
	return c.members.Profile(ctx, m)
}

// together makes a crowd of the owners of sales, nil of one alone.
func (s *Service) together(owners []member.ID) *crowd {
	owners = slices.DeleteFunc(slices.Clone(owners), func(m member.ID) bool { return m == 0 })
	if len(owners) < 2 {
		return nil
	}
	return &crowd{members: s.members, owners: owners}
}

// Look is a sale as steps would see it, made or made up, with what the settings' own rule gives
// for it. Nothing is kept. Without an owner nothing is known of a member.
func (s *Service) Look(ctx context.Context, d *Document, owner member.ID) (*Basket, []Earning, []Trace, error) {
	b, err := s.basket(ctx, d, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	if b.Owner = owner; owner != 0 {
		b.who = s.whoIs(owner)
		if _, err := b.Who(ctx); err != nil {
			return nil, nil, nil, err
		}
	}
	base, trace := baseRule{}.Earn(b)
	return b, base, trace, nil
}

// Benefit is a standing of the owner by which they earn more than others.
type Benefit struct {
	Rule           string // under which it stands in entries: it has a colon, as tier:gold
	NameEN, NameZH string
	Milli          int64 // in thousandths: 1500 is half as much again
}

// Raise gives what a benefit adds to all that the settings' rule and the rules of the
// programme gave for the sale, of each currency of points, rounded down once:
//
//	added = floor(given × (milli − 1000) ÷ 1000)
//
// Benefits do not raise each other, nor rewards.
func (o *Outcome) Raise(s *ledger.State, a *ledger.Account, b Benefit) error {
	if b.Milli <= 1000 {
		return nil
	}
	given := map[int64]*Earning{}
	var order []int64
	for _, e := range o.Doc.Effect.Earned {
		if cur := s.Config.Currencies[e.Currency]; cur == nil || cur.Kind != ledger.Points || strings.Contains(e.Rule, ":") {
			continue
		}
		if given[e.Currency] == nil {
			given[e.Currency] = &Earning{Currency: s.Config.Currencies[e.Currency].Code, Rule: b.Rule, Weights: make([]int64, len(e.Shares))}
			order = append(order, e.Currency)
		}
		g := given[e.Currency]
		g.Amount += e.Amount
		for i, n := range e.Shares {
			g.Weights[i] += n
		}
	}
	for _, c := range order {
		e, basis := given[c], given[c].Amount
		var ok bool
		if e.Amount, ok = money.MulDiv(basis, b.Milli-1000, 1000, money.Floor); !ok || e.Amount == 0 {
			continue
		}
		for _, base := range o.Base { // what is raised may have to wait
			if base.Currency == e.Currency {
				e.PendingDays = base.PendingDays
			}
		}
		got, err := o.Give(s, a, *e)
		if err != nil {
			return err
		}
		times := fmt.Sprintf("%d × %d ÷ 1000", basis, b.Milli-1000)
		o.Trace = append(o.Trace, Trace{
			Rule: b.Rule, Given: times, Result: fmt.Sprint(got), NameEN: b.NameEN, NameZH: b.NameZH, Outcome: "given",
			WhyEN: b.NameEN + ": " + times + ", rounded down.", WhyZH: b.NameZH + "：" + times + "，向下取整。", Currency: e.Currency, Basis: basis, Wanted: e.Amount, Amount: got,
		})
	}
	return nil
}
