package sale

import (
	"github.com/patron-loyalty/patron/internal/ledger"
)

// assign is the command that gives a sale without a member to one, who then earns as of
// the day of the sale. The sale keeps its number and its place.
type assign struct {
	sale    ledger.LotKey
	to      int64
	plan    *plan
	steps   []Step
	explain bool
	flags   Flags // as the rules see it now: a rate may have come meanwhile
}

func (c *assign) Needs() ledger.Needs {
	return c.plan.needs(c.to, ledger.Needs{Members: []int64{c.to, c.sale.Member}, Rows: []ledger.RowKey{rowKey(c.sale.Member, c.sale.Seq)}})
}

func (c *assign) Decide(s *ledger.State) (any, error) {
	d := load(s, c.sale.Member, c.sale.Seq)
	switch {
	case d == nil:
		return nil, ErrNotFound
	case d.Kind != Purchase:
		return nil, ErrIsReturn
	case d.Owner != 0:
		return nil, ErrAssigned
	}
	a, err := s.Account(c.to)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	var n ledger.Needs
	for _, seq := range d.Body.Returns {
		n.Rows = append(n.Rows, rowKey(d.Member, seq))
	}
	if err := s.Require(n); err != nil {
		return nil, err
	}
	more := assigned{SoldMS: d.AtMS}
	for _, seq := range d.Body.Returns {
		ret := load(s, d.Member, seq)
		more.Returns = append(more.Returns, assignedBack{ret.AtMS, ret.Total})
		ret.Owner = a.ID
		put(s, ret)
	}
	d.Owner, d.Flags, d.Body.Returns = a.ID, c.flags, nil
	outcome, err := c.plan.apply(s, a, d)
	if err != nil {
		return nil, err
	}
	if err := c.takeOff(s, a, d); err != nil {
		return nil, err
	}
	put(s, d)
	s.Event(a, "sale.assigned", s.NowMS, eventBody(s, d, more))
	out := answerOf(s, a, d)
	out.Notices, out.status = outcome.Notices, 200
	if c.explain {
		out.Trace = outcome.Trace
	}
	return out, nil
}

// takeOff takes off at once what was returned while nobody owned the sale.
func (c *assign) takeOff(s *ledger.State, a *ledger.Account, d *Document) error {
	r := &Reversal{Sale: d, Return: &Document{}}
	for _, l := range d.Body.Lines {
		if l.BackMilli > 0 {
			r.Lines = append(r.Lines, Line{Line: l.Line, SKU: l.SKU, Milli: l.BackMilli, Amount: l.BackAmount})
		}
	}
	if len(r.Lines) == 0 {
		return nil
	}
	p := ledger.Posting{Cause: ledger.Cause{Kind: ledger.BySale, Member: d.Member, Seq: d.Seq}, Store: d.Store}
	var err error
	if r.Clawed, err = claw(s, a, d, r.Return, p); err != nil {
		return err
	}
	return undo(s, c.steps, a, r)
}
