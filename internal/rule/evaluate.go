package rule

import (
	"math/big"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// ErrLimit is an amount past what points can be.
var ErrLimit = errs.New(errs.Invalid, "rule.limit", "The amount is past the limit.", "数额超出上限。")

// Base is what was given before the rules run: by the settings' own rule.
type Base struct {
	Currency string
	Lines    []int64 // of each line of the sale
}

// plan is the rules that one sale, event or date asks, with what could be worked out without
// the member's lock. It may be decided any number of times.
type plan struct {
	set     *Set
	facts   cond.Facts // without what is known under the lock only
	asked   []*asked
	day     int32
	explain bool
}

// asked is one rule of a plan.
type asked struct {
	*compiled
	known    bool   // holds, lines and err are worked out
	why      string // an outcome where it gives nothing; "" while it may
	err      error
	lines    []int64 // what was paid for each line that counts
	counts   []bool  // which lines count
	eligible int64   // the sum of lines, without what was paid in ways that earn nothing
	steps    []sale.TraceStep
}

// plan lists the rules of a trigger that the facts let through, as far as these can be asked
// before anything is known of the member: see ask. With explain it lists those too that the index
// leaves out.
func (s *Set) plan(f *cond.Facts, trigger string, explain bool) *plan {
	p := &plan{set: s, facts: *f, day: int32(program.DayOf(f.Now.Time(), f.Now.Time().Location())), explain: explain}
	if trigger == OnSale {
		may := s.candidates(f)
		if explain {
			for i, c := range s.sales {
				a := &asked{compiled: c}
				if !may.has(i) {
					a.known, a.why = true, c.leftOut(f)
				}
				p.asked = append(p.asked, a)
			}
		} else {
			may.each(func(i int) { p.asked = append(p.asked, &asked{compiled: s.sales[i]}) })
		}
	} else {
		for _, c := range s.on(trigger) {
			if trigger != OnEvent || c.def.Trigger.Event == f.Event.Type {
				p.asked = append(p.asked, &asked{compiled: c})
			}
		}
		if trigger == OnEvent && f.Event.Type == OnProfile {
			for _, c := range s.on(OnProfile) {
				p.asked = append(p.asked, &asked{compiled: c})
			}
			slices.SortFunc(p.asked, func(a, b *asked) int { return a.compare(b.compiled) })
		}
	}
	for _, a := range p.asked {
		if a.known {
			continue
		}
		if a.why = a.first(f); a.why == "" && a.quick != nil && !explain {
			if holds, err := a.quick.Eval(f); err == nil && !holds {
				a.why = OutCondition
			}
		}
		a.known = a.why != ""
	}
	p.thin()
	return p
}

// asksWho reports whether a rule of the plan reads who the member is.
func (p *plan) asksWho() bool {
	return slices.ContainsFunc(p.asked, func(a *asked) bool { return !a.known && a.who })
}

// ask works out what needs no lock, of a member as they are.
func (p *plan) ask(m *cond.Member) *plan {
	p.facts.Member = m
	for _, a := range p.asked {
		if !a.known && !a.late {
			a.ask(&p.facts, p.set.under, p.explain)
		}
	}
	p.thin()
	return p
}

// thin lets go of rules that give nothing, unless somebody wants to read why.
func (p *plan) thin() {
	if !p.explain {
		p.asked = slices.DeleteFunc(p.asked, func(a *asked) bool { return a.known && a.why != "" && a.err == nil })
	}
}

// leftOut says why the index left a rule out.
func (c *compiled) leftOut(f *cond.Facts) string {
	weekday := (int(f.Now.Time().Weekday()) + 6) % 7
	if c.weekdays != 0 && c.weekdays&(1<<weekday) == 0 {
		return OutCalendar
	}
	return OutScope
}

// first asks what costs nothing: the calendar, store and channel.
func (c *compiled) first(f *cond.Facts) string {
	weekday := (int(f.Now.Time().Weekday()) + 6) % 7
	switch {
	case !c.counts(f.Now.Time()) || c.weekdays != 0 && c.weekdays&(1<<weekday) == 0 || !c.def.Valid.today(f.Now, !c.dated()):
		return OutCalendar
	case f.Sale == nil:
		return ""
	case len(c.def.Scope.Stores) > 0 && !contains(c.def.Scope.Stores, f.Sale.Store),
		len(c.def.Scope.Channels) > 0 && !contains(c.def.Scope.Channels, f.Sale.Channel):
		return OutScope
	}
	return ""
}

// dated reports whether a date sets the rule off.
func (c *compiled) dated() bool {
	on := c.def.Trigger.On
	return on == OnBirthday || on == OnAnniversary || on == OnSchedule
}

// ask works out the conditions of a rule on facts that have all that they need.
func (a *asked) ask(f *cond.Facts, under func(category, ancestor string) bool, explain bool) {
	a.known = true
	if a.fault != nil {
		a.err = a.fault
		return
	}
	if a.when != nil {
		holds, err := a.hold(a.when, f, explain)
		if a.err = err; err != nil {
			return
		}
		if !holds {
			a.why = OutCondition
			return
		}
	}
	if f.Sale == nil {
		a.lines, a.counts = []int64{0}, []bool{true}
		return
	}
	a.goods(f, under, explain)
}

// hold asks one condition, and keeps what decided where that is wanted.
func (a *asked) hold(c *cond.Cond, f *cond.Facts, explain bool) (bool, error) {
	if !explain {
		return c.Eval(f)
	}
	holds, steps, err := c.Explain(f)
	for _, s := range steps {
		a.steps = append(a.steps, sale.TraceStep{Step: s})
	}
	return holds, err
}

// goods finds the lines that count.
func (a *asked) goods(f *cond.Facts, under func(category, ancestor string) bool, explain bool) {
	scope := &a.def.Scope
	a.lines, a.counts = make([]int64, len(f.Sale.Lines)), make([]bool, len(f.Sale.Lines))
	any, sum := false, int64(0)
	for i := range f.Sale.Lines {
		l := &f.Sale.Lines[i]
		if !scope.covers(l, under) {
			continue
		}
		if a.line != nil {
			f.Line = l
			holds, err := a.hold(a.line, f, explain && len(f.Sale.Lines) == 1)
			if f.Line = nil; err != nil {
				a.err = err
				return
			}
			if !holds {
				continue
			}
		}
		a.counts[i], a.lines[i], any = true, l.Amount, true
		sum += l.Amount
	}
	if !any {
		a.why = OutScope
		return
	}
	without := int64(0)
	if !a.def.Effect.EarnsOnPoints {
		without += f.Sale.PaidByPoints
	}
	if !a.def.Effect.EarnsOnCoupons {
		without += f.Sale.PaidByCoupons
	}
	a.eligible = sum
	if without > 0 && f.Sale.Total > 0 {
		a.eligible, _ = money.MulDiv(sum, max(0, f.Sale.Total-without), f.Sale.Total, money.Floor)
	}
}

// covers reports whether the lists of a scope let a line through.
func (s *Scope) covers(l *cond.Line, under func(category, ancestor string) bool) bool {
	below := func(list []string) bool {
		return l.Category != "" && slices.ContainsFunc(list, func(c string) bool { return under(l.Category, c) })
	}
	if len(s.SKUs)+len(s.Categories)+len(s.Brands) > 0 && !contains(s.SKUs, l.SKU) && !contains(s.Brands, l.Brand) && !below(s.Categories) {
		return false
	}
	return !contains(s.NotSKUs, l.SKU) && !contains(s.NotBrands, l.Brand) && !below(s.NotCategories)
}

// needs lists what has to be looked up for the rules whose conditions wait.
func (p *plan) needs() (list []cond.Need) {
	for _, a := range p.asked {
		if !a.known {
			list = append(list, a.compiled.needs...)
		}
	}
	return list
}

// counted reports whether a rule reckons with what the member had before.
func (c *compiled) counted() bool { return c.def.Caps.ofMember() || c.def.Effect.Carry }

// Outcome is what one rule came to.
type Outcome struct {
	*asked
	Wanted  int64 // before caps
	Amount  int64
	Weights []int64 // how much each line has to do with it
	Basis   int64

	// Of a rule that carries: its parts by line, of which Of make a unit, and what waits from
	// now on.
	Parts    []int64
	Of       int64
	Carry    int64
	moved    bool // the carry has changed
	why      string
	cap      *capName
	chosen   bool // it gives what it came to
	instead  *Outcome
	fault    error // why it could not be worked out
	failedBy *compiled
}

// reckoning is what a plan is decided by, besides its own.
type reckoning struct {
	base []Base
	use  *Use                    // nil: nothing had so far
	left func(c *compiled) int64 // of a budget; nil: all
}

// earned is what was given so far of one currency, by line.
type earned struct {
	currency         string
	initial, running []int64
}

// decide works out what the rules give, on facts that have all that the plan's needs ask. It
// changes nothing of the plan.
func (p *plan) decide(facts *cond.Facts, r reckoning) []*Outcome {
	list := slices.Clone(p.asked)
	for i, a := range list {
		if !a.known {
			late, f := *a, *facts
			late.ask(&f, p.set.under, p.explain)
			list[i] = &late
		}
	}
	d := &decider{plan: p, reckoning: r}
	for _, b := range r.base {
		d.give(b.Currency, b.Lines, false)
	}
	var out []*Outcome
	for i := 0; i < len(list); {
		stage, from := list[i].stage, len(out)
		for i < len(list) && list[i].stage == stage {
			n := i + 1
			for list[i].group != nil && n < len(list) && list[n].group == list[i].group {
				n++
			}
			out = append(out, d.unit(list[i:n])...)
			i = n
		}
		for _, o := range out[from:] { // what it multiplies was given before the stage
			if o.chosen && o.Amount > 0 {
				d.give(o.def.Effect.Currency, money.Split(o.Amount, o.Weights), o.def.Effect.Kind == Multiplier)
			}
		}
	}
	return out
}

type decider struct {
	*plan
	reckoning
	earned []earned
}

// give adds to what was given so far.
func (d *decider) give(currency string, lines []int64, multiplied bool) {
	e := d.of(currency, len(lines))
	for i, n := range lines {
		e.running[i] += n
		if !multiplied {
			e.initial[i] += n
		}
	}
}

func (d *decider) of(currency string, lines int) *earned {
	for i := range d.earned {
		if d.earned[i].currency == currency {
			return &d.earned[i]
		}
	}
	d.earned = append(d.earned, earned{currency, make([]int64, lines), make([]int64, lines)})
	return &d.earned[len(d.earned)-1]
}

// unit decides a rule that stands alone, or a group.
func (d *decider) unit(list []*asked) []*Outcome {
	out := make([]*Outcome, len(list))
	var failed *compiled
	for i, a := range list {
		o := &Outcome{asked: a, why: a.why, fault: a.err}
		out[i] = o
		if o.fault == nil && a.why == "" {
			o.fault = d.work(o)
		}
		if o.fault != nil {
			failed = a.compiled
		}
	}
	if failed != nil {
		for _, o := range out {
			o.why, o.Amount, o.failedBy, o.moved = OutFailed, 0, failed, false
		}
		return out
	}
	mode := All
	if list[0].group != nil {
		mode = list[0].group.Mode
	}
	var best *Outcome
	for _, o := range out {
		gives := o.why == "" && (o.Amount > 0 || o.def.Effect.Kind == Tag)
		switch {
		case mode == All:
			o.chosen = o.why == ""
		case gives && (best == nil || mode == Best && o.Amount > best.Amount || mode == Least && o.Amount < best.Amount):
			best = o
		}
	}
	if mode == All {
		return out
	}
	for _, o := range out {
		if o == best {
			o.chosen = true
			continue
		}
		if o.moved = false; best != nil && o.why == "" {
			o.why, o.instead = OutOutdone, best
		}
	}
	return out
}

// work computes what a rule says and what its caps leave of it.
func (d *decider) work(o *Outcome) error {
	e := &o.def.Effect
	o.Weights = o.lines
	switch e.Kind {
	case Tag:
	case PerAmount:
		o.Basis = o.eligible
		if err := d.fraction(o, o.Basis, e.Points, e.Per); err != nil {
			return err
		}
	case Multiplier:
		of := d.of(e.Currency, len(o.lines))
		from := of.running
		if o.def.Stack.Base == Initial {
			from = of.initial
		}
		o.Weights = make([]int64, len(o.lines))
		for i := range o.lines {
			if o.counts[i] {
				o.Weights[i] = from[i]
				o.Basis += from[i]
			}
		}
		if err := d.fraction(o, o.Basis, e.Percent-100, 100); err != nil {
			return err
		}
	case Steps:
		o.Basis = o.eligible
		n, err := e.climb(o.Basis)
		if o.Wanted = n; err != nil {
			return err
		}
	case Fixed:
		if err := d.fixed(o); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(o.Weights, func(n int64) bool { return n > 0 }) {
		o.Weights = make([]int64, len(o.lines)) // a gift: shared among the lines that count
		for i, in := range o.counts {
			if in {
				o.Weights[i] = 1
			}
		}
	}
	d.bound(o)
	return nil
}

// fraction rounds basis × up ÷ down, or carries what is left of it.
func (d *decider) fraction(o *Outcome, basis, up, down int64) error {
	e := &o.def.Effect
	if !e.Carry {
		n, ok := money.MulDiv(basis, up, down, e.Rounding)
		if o.Wanted = n; !ok || n > maxPoints {
			return ErrLimit
		}
		return nil
	}
	by := new(big.Int).GCD(nil, nil, big.NewInt(up), big.NewInt(down)).Int64()
	up, down = up/by, down/by
	if basis > money.Max/up { // parts are shared out and taken back like money
		return ErrLimit
	}
	parts := basis * up
	use := d.use.of(o.id)
	all := parts + use.carried(down)
	o.Parts, o.Of, o.Carry, o.moved = money.Split(parts, o.Weights), down, all, true
	if all > 0 {
		o.Wanted, o.Carry = all/down, all%down
	}
	if o.Wanted > maxPoints {
		return ErrLimit
	}
	return nil
}

// climb works out a scale.
func (e *Effect) climb(basis int64) (int64, error) {
	if !e.graduated() {
		n := int64(0)
		for _, s := range e.Steps {
			if basis >= s.From {
				n = s.Points
			}
		}
		return n, nil
	}
	sum := new(big.Rat) // the steps' denominators differ, and the whole is rounded once
	for i, s := range e.Steps {
		to := basis
		if i+1 < len(e.Steps) {
			to = min(to, e.Steps[i+1].From)
		}
		if to > s.From {
			sum.Add(sum, new(big.Rat).Mul(big.NewRat(to-s.From, 1), big.NewRat(s.Points, s.Per)))
		}
	}
	if !sum.Num().IsInt64() || !sum.Denom().IsInt64() {
		return 0, ErrLimit
	}
	n, ok := money.MulDiv(sum.Num().Int64(), 1, sum.Denom().Int64(), e.Rounding)
	if !ok || n > maxPoints {
		return 0, ErrLimit
	}
	return n, nil
}

// fixed gives points once, for each line or for each whole piece.
func (d *decider) fixed(o *Outcome) error {
	e := &o.def.Effect
	if e.Each == Once || d.facts.Sale == nil {
		o.Wanted, o.Basis = e.Points, o.eligible
		return nil
	}
	o.Weights = make([]int64, len(o.lines))
	for i, in := range o.counts {
		if !in {
			continue
		}
		o.Weights[i] = 1
		if e.Each == EachPiece {
			o.Weights[i] = d.facts.Sale.Lines[i].Milli / 1000
		}
		o.Basis += o.Weights[i]
	}
	n, ok := money.MulDiv(o.Basis, e.Points, 1, money.Floor)
	if o.Wanted = n; !ok || n > maxPoints {
		return ErrLimit
	}
	return nil
}

// bound cuts what a rule says to what its caps leave.
func (d *decider) bound(o *Outcome) {
	c := &o.def.Caps
	o.Amount = o.Wanted
	cut := func(left int64, name *capName) {
		if left < o.Amount {
			o.Amount, o.cap = max(0, left), name
		}
	}
	if c.Sale > 0 {
		cut(c.Sale, &capSale)
	}
	if c.ofMember() {
		use := d.use.of(o.id)
		left, which := use.room(c, d.day)
		if o.def.Effect.Kind == Tag && left == 0 {
			o.why, o.cap = OutCapped, which
		}
		cut(left, which)
	}
	if c.Budget > 0 {
		left := c.Budget
		if d.left != nil {
			left = d.left(o.compiled)
		}
		cut(left, &capBudget)
	}
	if o.Amount > 0 || o.def.Effect.Kind == Tag {
		return
	}
	if o.why = OutNothing; o.cap != nil {
		o.why = OutCapped
	}
}
