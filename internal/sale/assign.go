package sale

import (
	"github.com/patron-loyalty/patron/internal/ledger"
)

// assign is the command that gives a sale without a member to one, who then earns as of
// the day of the sale. The sale keeps its number and its place.
type assign struct {
	sale  ledger.LotKey
	to    int64
	earn  []Earning
	trace []Trace // nil where nobody asked
	flags Flags   // as the rules see it now: a rate may have come meanwhile
}

func (c *assign) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.to, c.sale.Member}, Rows: []ledger.RowKey{rowKey(c.sale.Member, c.sale.Seq)}}
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
	var notices []Notice
	if !a.MayEarn {
		notices = []Notice{noticeOf(ledger.ErrMayNotEarn)}
	} else if notices, err = earnInto(s, a, d, c.earn); err != nil {
		return nil, err
	}
	// What was returned while nobody owned the sale is taken off at once.
	if err := claw(s, a, d, &Document{}, ledger.Posting{Cause: ledger.Cause{Kind: ledger.BySale, Member: d.Member, Seq: d.Seq}, Store: d.Store}); err != nil {
		return nil, err
	}
	put(s, d)
	s.Event(a, "sale.assigned", s.NowMS, eventBody(s, d, more))
	out := answerOf(s, a, d)
	out.Notices, out.Trace, out.status = notices, c.trace, 200
	return out, nil
}
