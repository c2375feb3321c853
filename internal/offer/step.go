package offer

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Step is the part that offers have in sales. App hands it to the sales.
func (s *Service) Step() sale.Step { return step{s} }

type step struct{ s *Service }

// Name is part of sale.Step. It is on disk.
func (step) Name() string { return "offer" }

// Prepare finds the open offers that a purchase may begin or count for. Those that the member
// has are known only in the batch.
func (t step) Prepare(ctx context.Context, b *sale.Basket) (sale.Part, error) {
	n := t.s.now.Load()
	if !n.active || b.Sale.Flags&sale.History != 0 {
		return nil, nil
	}
	p := &part{step: t, n: n, basket: b, snap: b.Programme, facts: b.Facts(), memo: make([]*counted, n.size), day: int32(b.Programme.Day(b.At))}
	if n.who {
		if err := p.meet(ctx); err != nil {
			return nil, err
		}
	}
	for _, v := range n.index.of(b.Sale.Body.Lines, b.Under) {
		if b.Sale.AtMS < v.from || b.Sale.AtMS > v.until || !v.counts.sale(b.Sale.Store, b.Sale.Channel) {
			continue
		}
		known := v.sale == nil || len(v.sale.Needs()) == 0
		if known && !p.holds(v, v.sale) {
			continue
		}
		if v.audience != nil && v.audience.AsksWho() {
			if err := p.meet(ctx); err != nil {
				return nil, err
			}
		}
		if v.audience != nil && len(v.audience.Needs()) == 0 && !p.holds(v, v.audience) {
			continue // asked here, beside other requests, and not in the batch, which is one for all
		}
		if known && p.count(v) == nil {
			continue // most offers are for other products
		}
		p.open = append(p.open, v)
	}
	return p, nil
}

// part is what offers make of one sale.
type part struct {
	step   step
	n      *snapshot
	basket *sale.Basket
	snap   *program.Snapshot
	facts  *cond.Facts
	day    int32
	open   []*version // that may begin by it
	memo   []*counted // by version: what is worked out already
	all    []keptLine // every line of the sale, once somebody asks for it
}

// meet reads who the member is.
func (p *part) meet(ctx context.Context) (err error) {
	p.facts.Member, err = p.basket.Who(ctx)
	return err
}

// Needs is part of sale.Part.
func (p *part) Needs(owner int64) ledger.Needs {
	return ledger.Needs{Rows: []ledger.RowKey{BookRow(owner)}}
}

// Asks is part of sale.Part.
func (p *part) Asks() []cond.Need { return p.n.asks }

// counted is what of a sale counts for a version: which of its lines, and what they add.
type counted struct {
	lines []keptLine
	share Share
}

// kept is what a sale keeps for its returns. Its JSON is on disk.
type kept struct {
	Unit  int32        `json:"d"` // programme day of the sale
	Of    []keptOf     `json:"o"`
	Lines [][]keptLine `json:"l"` // each list once
}

// keptOf is an instance that the sale counted for: its member, its number, and which of the
// lists of lines counted.
type keptOf [3]int64

// keptLine is a line that counted, with its money in the programme's currency.
type keptLine struct {
	Line   int64 `json:"n"`
	Amount int64 `json:"m"`
	Milli  int64 `json:"q"`
	Of     int   `json:"o,omitempty"`
}

// count works out what of the sale counts for a version, nil for nothing.
func (p *part) count(v *version) *counted {
	c := p.memo[v.at]
	if c == nil {
		if c = p.countNew(v); c == nil {
			c = &nothing
		}
		p.memo[v.at] = c
	}
	if c == &nothing {
		return nil
	}
	return c
}

// nothing stands in a memo for a version that the sale does not count for.
var nothing counted

func (p *part) countNew(v *version) *counted {
	d := p.basket.Sale
	if !v.counts.sale(d.Store, d.Channel) || !p.holds(v, v.sale) {
		return nil
	}
	c := &counted{}
	if v.counts.every() {
		c.lines = p.every()
	} else {
		c.lines = p.linesOf(&v.counts)
	}
	c.share = v.terms.Goal.share(lines(c.lines), v.terms.Goal.unitOf(p.day))
	if len(c.lines) == 0 || c.share.N == 0 && c.share.Sum == 0 {
		return nil
	}
	return c
}

// every lists the lines of the sale for those for whom all count.
func (p *part) every() []keptLine {
	if p.all == nil {
		p.all = p.linesOf(&filter{})
	}
	return p.all
}

func (p *part) linesOf(f *filter) (list []keptLine) {
	for i, l := range p.basket.Sale.Body.Lines {
		if of, ok := f.line(l.SKU, l.Category, l.Brand, p.basket.Under); ok {
			list = append(list, keptLine{l.Line, p.facts.Sale.Lines[i].Amount, l.Milli, of})
		}
	}
	return list
}

func lines(list []keptLine) []Line {
	out := make([]Line, len(list))
	for i, l := range list {
		out[i] = Line{l.Amount, l.Milli, l.Of}
	}
	return out
}

// holds evaluates a condition of an offer. One that fails holds for nobody, and is shown with
// the offer: it never stops the sale.
func (p *part) holds(v *version, c *cond.Cond) bool {
	if c == nil {
		return true
	}
	ok, err := c.Eval(p.facts)
	if err != nil {
		p.step.s.failed(v.offer, err, p.basket.At)
	}
	return ok && err == nil
}

// counts reports whether purchases at an instant count for an offer.
func (o *Offer) counts(atMS int64) bool {
	return o.State == Live || o.State == Ended && (o.EndedMS == 0 || atMS < o.EndedMS)
}

// Decide is part of sale.Part. It adds the sale to what the member has, begins what they can
// begin by it, and gives what is completed.
func (p *part) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	b := bookOf(s, a.ID)
	if len(b.Open) == 0 && len(p.open) == 0 {
		return nil
	}
	p.facts.Found = o.Found
	if len(p.n.asks) > 0 { // else nothing of it depends on the state
		clear(p.memo)
	}
	w := &work{s: s, a: a, book: b, part: p, doc: o.Doc, fresh: map[*Instance]bool{}}
	for _, i := range b.Open {
		v, of := p.n.of(i), p.n.offers[i.Offer]
		if v == nil || of == nil || !of.counts(o.Doc.AtMS) || !i.covers(o.Doc.AtMS) || v.terms.Repeat.Every == EveryCompletion && i.Done != 0 {
			continue // of what repeats by completion, the next purchase is of the next instance
		}
		if c := p.count(v); c != nil {
			w.add(i, v, c)
		}
	}
	for _, v := range p.open {
		w.begin(v)
	}
	if len(w.touched) == 0 {
		return nil
	}
	if err := w.finish(o); err != nil {
		return err
	}
	b.put(s, a.ID)
	o.Keep(p.step, w.kept)
	return nil
}

// work is one sale on its way through a member's Book.
type work struct {
	s       *ledger.State
	a       *ledger.Account
	book    *Book
	part    *part
	doc     *sale.Document
	kept    kept
	touched []*Instance
	fresh   map[*Instance]bool
}

// add adds what counts to an instance.
func (w *work) add(i *Instance, v *version, c *counted) {
	i.Progress.add(&v.terms.Goal, c.share, 1)
	w.kept.Unit = w.part.day
	at := slices.IndexFunc(w.kept.Lines, func(list []keptLine) bool { return slices.Equal(list, c.lines) })
	if at < 0 {
		at, w.kept.Lines = len(w.kept.Lines), append(w.kept.Lines, c.lines)
	}
	w.kept.Of = append(w.kept.Of, keptOf{i.Member, i.Seq, int64(at)})
	w.touched = append(w.touched, i)
}

// begin gives the member an open offer by their first purchase that counts for it.
func (w *work) begin(v *version) {
	p := w.part
	has, cycle, err := w.book.current(v, w.doc.AtMS, p.snap)
	if has != nil || err != nil {
		return
	}
	if v.audience != nil && len(v.audience.Needs()) > 0 && !p.holds(v, v.audience) {
		return
	}
	c := p.count(v)
	if c == nil {
		return
	}
	i, err := w.book.receive(w.s, w.a, v, w.doc.AtMS, cycle, false, p.snap)
	if err != nil {
		return // they follow all that can be followed
	}
	w.fresh[i] = true
	w.add(i, v, c)
}

// finish completes what is reached by now, gives the rewards, and writes the rows.
func (w *work) finish(o *sale.Outcome) error {
	var done []*Instance
	var need ledger.Needs
	for _, i := range w.touched {
		v := w.part.n.of(i)
		if (i.Step == StepOpen || i.Step == StepExpired) && v.terms.Goal.Met(&i.Progress) {
			done = append(done, i)
			if !w.fresh[i] {
				need.Rows = append(need.Rows, instanceRow(i.Member, i.Seq))
			}
		}
	}
	if err := w.s.Require(need); err != nil {
		return err
	}
	for _, i := range done {
		if err := w.complete(i, o); err != nil {
			return err
		}
	}
	for _, i := range w.touched {
		if w.fresh[i] || slices.Contains(done, i) {
			i.putRow(w.s)
		}
	}
	if w.part.basket.Explain {
		w.explain(o)
	}
	return nil
}

// explain says for which offers the sale counted, and how far they are now.
func (w *work) explain(o *sale.Outcome) {
	for _, i := range w.touched {
		g := &w.part.n.of(i).terms.Goal
		done, all := g.Reach(&i.Progress)
		o.Trace = append(o.Trace, sale.Trace{Rule: ruleOf(w.part.n.offers[i.Offer]), Given: fmt.Sprintf("%s, instance %s", g.Kind, i.ID()), Result: fmt.Sprintf("%d of %d: %s", done, all, i.Standing(w.doc.AtMS))})
	}
}

// complete notes that the goal is met, and rewards.
func (w *work) complete(i *Instance, o *sale.Outcome) error {
	v, of := w.part.n.of(i), w.part.n.offers[i.Offer]
	if i.Step == StepExpired {
		tell(w.s, w.a, "offer.revived", i, of, w.doc.AtMS, nil) // its purchases were told late
	}
	i.Step, i.Done = StepCompleted, w.doc.AtMS
	w.book.note(i.Offer, func(t *Tally) { t.Done++ })
	given, err := w.reward(i, v, of, o)
	if err != nil {
		return err
	}
	if v.badge != 0 {
		i.Badge, i.Step = v.badge, StepRewarded
		w.book.award(v.badge, 1, w.doc.AtMS)
	}
	more := map[string]any{"sale": w.doc.ID()}
	if len(given) > 0 {
		i.Step, more["given"] = StepRewarded, given
	}
	if v.badge != 0 {
		more["badge"] = v.terms.Reward.Badge
	}
	tell(w.s, w.a, "offer.completed", i, of, w.doc.AtMS, more)
	return nil
}

// reward grants the points of an offer. They are of the instance, not of lines of the sale:
// the sale shows them, and a return that undoes the completion takes them back by itself.
func (w *work) reward(i *Instance, v *version, of *Offer, o *sale.Outcome) ([]move, error) {
	r := v.terms.Reward
	if r.Amount == 0 {
		return nil, nil
	}
	before := len(w.doc.Effect.Earned)
	n, err := o.Give(w.s, w.a, sale.Earning{Currency: r.Currency, Amount: r.Amount, Rule: ruleOf(of)})
	if err != nil || n == 0 {
		return nil, err
	}
	e := &w.doc.Effect.Earned[before]
	i.Given = append(i.Given, Given{e.Currency, e.Member, e.Lot, e.Amount})
	return []move{{e.Currency, e.Amount}}, nil
}

// ruleOf is under which name the reward of an offer stands in entries.
func ruleOf(of *Offer) string { return "offer:" + of.Code }

// Undo is part of sale.Step: what was returned is taken off the progress of what the sale
// counted for. What is no longer complete is open again, and its reward is taken back.
func (t step) Undo(s *ledger.State, a *ledger.Account, r *sale.Reversal) error {
	var k kept
	if !r.Kept(t, &k) {
		return nil
	}
	n := t.s.now.Load()
	need := ledger.Needs{Rows: []ledger.RowKey{BookRow(a.ID)}}
	for _, of := range k.Of {
		need.Rows = append(need.Rows, instanceRow(of[0], of[1]))
	}
	if err := s.Require(need); err != nil {
		return err
	}
	u := &undoing{s: s, a: a, book: bookOf(s, a.ID), n: n, r: r}
	for _, of := range k.Of {
		if err := u.take(of, k); err != nil {
			return err
		}
	}
	u.book.put(s, a.ID)
	return nil
}

// undoing is one return on its way through a member's Book.
type undoing struct {
	s    *ledger.State
	a    *ledger.Account
	book *Book
	n    *snapshot
	r    *sale.Reversal
}

func (u *undoing) take(of keptOf, k kept) error {
	i, followed := u.book.find(of[0], of[1]), true
	if i == nil {
		i, followed = loadRow(u.s, of[0], of[1]), false
	}
	if i == nil {
		return nil
	}
	v := u.n.of(i)
	if v == nil {
		return fmt.Errorf("offer %d: version %d is gone", i.Offer, i.Version)
	}
	g := &v.terms.Goal
	unit := g.unitOf(k.Unit)
	before, after := u.lines(k.Lines[of[2]])
	i.Progress.add(g, g.share(before, unit), -1)
	i.Progress.add(g, g.share(after, unit), 1)
	if (i.Step == StepCompleted || i.Step == StepRewarded) && !g.Met(&i.Progress) {
		if err := u.reopen(i, followed); err != nil {
			return err
		}
		i.putRow(u.s)
	} else if !followed {
		i.putRow(u.s)
	}
	return nil
}

// lines is what was left of the lines that counted before this return, and is after it. A line
// that has come back whole leaves nothing.
func (u *undoing) lines(list []keptLine) (before, after []Line) {
	for _, k := range list {
		at := slices.IndexFunc(u.r.Sale.Body.Lines, func(l sale.Line) bool { return l.Line == k.Line })
		if at < 0 {
			continue
		}
		l := u.r.Sale.Body.Lines[at]
		was := l
		for _, back := range u.r.Lines {
			if back.Line == k.Line {
				was.BackMilli, was.BackAmount = was.BackMilli-back.Milli, was.BackAmount-back.Amount
			}
		}
		before, after = append(before, k.left(was)), append(after, k.left(l))
	}
	return before, after
}

func (k keptLine) left(l sale.Line) Line {
	out := Line{Milli: k.Milli - l.BackMilli, Of: k.Of}
	if out.Milli > 0 {
		out.Amount = left(k.Amount, l.BackAmount, l.Amount)
	}
	return out
}

// reopen undoes a completion: an instance whose time is over has expired.
func (u *undoing) reopen(i *Instance, followed bool) error {
	of := u.n.offers[i.Offer]
	taken, err := u.clawBack(i)
	if err != nil {
		return err
	}
	if i.Badge != 0 {
		u.book.award(i.Badge, -1, i.Done)
	}
	i.Step, i.Done, i.Given, i.Badge = StepOpen, 0, nil, 0
	if u.s.NowMS > i.Until {
		i.Step = StepExpired
	} else if !followed {
		i.Keep = keepUntil(i.Until, u.s.NowMS)
		u.book.Open = append(u.book.Open, i)
	}
	u.book.note(i.Offer, func(t *Tally) { t.Done-- })
	tell(u.s, u.a, "offer.reopened", i, of, u.r.Return.AtMS, map[string]any{"return": u.r.Return.ID(), "taken": taken})
	if i.Step == StepExpired {
		tell(u.s, u.a, "offer.expired", i, of, u.r.Return.AtMS, nil)
	}
	return nil
}

// clawBack takes back what an instance was rewarded with, and notes it in the return.
func (u *undoing) clawBack(i *Instance) ([]move, error) {
	taken := []move{}
	for _, g := range i.Given {
		cur := u.s.Config.Currencies[g.Currency]
		n := ledger.Needs{Members: []int64{g.Member}, LotSeqs: []ledger.LotKey{{Member: g.Member, Seq: g.Lot}}, Heads: []ledger.Head{{Member: u.a.ID, Currency: cur.Code}}}
		if err := u.s.Require(n); err != nil {
			return nil, err
		}
		gone, err := u.gone(g)
		if err != nil {
			return nil, err
		}
		ret := u.r.Return
		out, err := u.s.Clawback(u.a, cur, []ledger.Take{{Member: g.Member, Lot: g.Lot, Amount: g.Amount, Gone: gone}}, ledger.Posting{
			AtMS: ret.AtMS, Cause: ledger.Cause{Kind: ledger.ByReturn, Member: ret.Member, Seq: ret.Seq}, Store: u.r.Sale.Store, Rule: ruleOf(u.n.offers[i.Offer]),
		})
		if err != nil {
			return nil, err
		}
		u.show(g.Currency, out)
		u.r.Clawed = append(u.r.Clawed, sale.Clawed{Rule: ruleOf(u.n.offers[i.Offer]), Currency: g.Currency, Amount: out.Total()})
		taken = append(taken, move{g.Currency, g.Amount})
	}
	return taken, nil
}

// show adds to what the return says that it took back.
func (u *undoing) show(currency int64, out ledger.Clawed) {
	list := &u.r.Return.Effect.Clawed
	at := slices.IndexFunc(*list, func(m sale.Moved) bool { return m.Currency == currency })
	if at < 0 {
		at = len(*list)
		*list = append(*list, sale.Moved{Currency: currency})
	}
	m := &(*list)[at]
	m.Amount, m.Debt, m.Waived = m.Amount+out.Total(), m.Debt+out.Debt, m.Waived+out.Waived
}

// gone is how much of a reward ended unused in the member's hands: it is not taken twice.
func (u *undoing) gone(g Given) (int64, error) {
	home, err := u.s.Account(g.Member)
	if err != nil {
		return 0, err
	}
	left, ended := int64(0), int64(0)
	key := ledger.LotKey{Member: g.Member, Seq: g.Lot}
	if l := u.s.Lot(home, g.Lot); l != nil {
		left, ended = l.Left-l.Held, l.Expired
	}
	for _, next := range u.s.Survivors(home) {
		if err := u.s.Require(ledger.Needs{Origins: []ledger.Origin{{Member: next.ID, Of: key}}}); err != nil {
			return 0, err
		}
		heirs, err := u.s.Heirs(next, key)
		if err != nil {
			return 0, err
		}
		for _, l := range heirs {
			left, ended = left+l.Left-l.Held, ended+l.Expired
		}
	}
	return min(max(0, g.Amount-left), max(0, ended)), nil
}
