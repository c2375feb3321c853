package sale

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// ErrCameBack refuses to give more for a sale of which something came back.
var ErrCameBack = errs.New(errs.Conflict, "sale.came_back", "Something of this sale has come back: give what it lacks by hand.", "这笔销售已有退货，请手工补发。")

// more is the command that gives the owner of a sale what a Part says beside what the sale gave
// when it was made.
type more struct {
	sale  ledger.LotKey
	owner int64
	base  []Earning
	part  Part
}

func (c *more) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.owner, c.sale.Member}, Rows: []ledger.RowKey{rowKey(c.sale.Member, c.sale.Seq)}}
	n.Add(c.part.Needs(c.owner))
	return n
}

func (c *more) Decide(s *ledger.State) (any, error) {
	d := load(s, c.sale.Member, c.sale.Seq)
	if d == nil || d.Owner == 0 {
		return nil, ErrNotFound
	}
	for _, l := range d.Body.Lines {
		if l.BackMilli > 0 {
			return nil, ErrCameBack
		}
	}
	a, err := s.Account(c.owner)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	if !a.MayEarn {
		return nil, ledger.ErrMayNotEarn
	}
	o := &Outcome{Doc: d, Day: s.Day(d.AtMS), Base: c.base, Found: cond.Found{}}
	Find(s, a, o.Day, c.part.Asks(), o.Found)
	had := len(d.Effect.Earned)
	if err := c.part.Decide(s, a, o); err != nil {
		return nil, err
	}
	put(s, d)
	s.Event(a, "sale.amended", d.AtMS, eventBody(s, d, assigned{}))
	d.Effect.Earned = d.Effect.Earned[had:] // it is packed already: the answer tells what is new
	out := answerOf(s, a, d)
	out.Notices, out.status = o.Notices, 200
	return out, nil
}

// More gives the owner of a sale what a part says that is prepared of it now. The part guards
// itself against being given twice.
func (s *Service) More(ctx context.Context, key ledger.LotKey, ask Ask, prepare func(context.Context, *Basket) (Part, error)) Result {
	d, err := s.Get(ctx, key)
	if err != nil {
		return Result{Err: err}
	}
	if d.Owner == 0 || d.Kind != Purchase {
		return Result{Err: ErrNotFound}
	}
	build := func(ctx context.Context, owner member.ID) (ledger.Command, error) {
		b, err := s.basket(ctx, d, ask.rates)
		if err != nil {
			return nil, err
		}
		b.Owner, b.Explain, b.who = owner, ask.Explain, s.whoIs(owner)
		if _, err := b.Who(ctx); err != nil {
			return nil, err
		}
		base, _ := baseRule{}.Earn(b)
		part, err := prepare(ctx, b)
		if err != nil {
			return nil, err
		}
		return &more{sale: key, owner: int64(owner), base: base, part: part}, nil
	}
	out := make([]Result, 1)
	p := posting{owner: member.ID(d.Owner), build: build, ask: ask}
	if p.command, err = build(ctx, p.owner); err != nil {
		return Result{Err: err}
	}
	s.post(ctx, []posting{p}, out)
	return out[0]
}
