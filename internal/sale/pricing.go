package sale

import (
	"context"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// Pricing is the Step that takes off a sale what member prices, tiers, plans and coupons take off, before anything else looks at
// it: what is earned, and what rules see, is what is paid. It comes first among the steps, and has
// a part in sales that nobody owns too. Its Prepare is not asked.
type Pricing interface {
	Step
	// Price takes off what some codes take off, by Basket.TakeOff, before the batch, and returns
	// the part that makes it so in the batch. A refusal by state is held back until the batch
	// has seen that the document is new: the one that was recorded is answered first.
	Price(ctx context.Context, b *Basket, coupons []string) (Part, error)
}

// TakeOff takes an amount off the lines of a sale that is being prepared, and lists it among its
// discounts. byLine stands in the order of the lines; none may be more than its line comes to.
func (b *Basket) TakeOff(kind, ref string, byLine []int64) {
	d := b.Sale
	lines := append([]Line(nil), d.Body.Lines...)
	var sum int64
	for i, n := range byLine {
		l := &lines[i]
		if n < 0 || n > l.Amount {
			panic("sale: more is taken off a line than it comes to")
		}
		l.Amount, l.Off, sum = l.Amount-n, l.Off+n, sum+n
	}
	d.Body.Lines, d.Total = lines, d.Total-sum
	d.Body.Discounts = append(d.Body.Discounts, Discount{Kind: kind, Ref: ref, Amount: sum, ByLine: slices.Clone(byLine)})
	b.facts = nil // they look at what is paid
}

// pricing is the step that prices, or nil.
func (s *Service) pricing() Pricing {
	if len(s.steps) > 0 {
		p, _ := s.steps[0].(Pricing)
		return p
	}
	return nil
}

// price lets a sale be priced: as the caller says, or by the codes that the sale names.
func (s *Service) price(ctx context.Context, p *plan, b *Basket, ask Ask) error {
	if len(b.Sale.Body.Coupons) == 0 && ask.Price == nil {
		return nil
	}
	how := ask.Price
	if how == nil {
		step := s.pricing()
		if step == nil {
			return ErrCoupons.At("body.coupons")
		}
		how = func(ctx context.Context, b *Basket) (Part, error) { return step.Price(ctx, b, b.Sale.Body.Coupons) }
	}
	part, err := how(ctx, b)
	if e := errs.As(err); e != nil && e.Kind == errs.Conflict {
		p.refused = err
		return nil
	}
	p.priced = part
	return err
}

// unprice lets the coupons of a sale see a return of it, be the sale somebody's or nobody's.
func unprice(s *ledger.State, steps []Step, a *ledger.Account, r *Reversal) error {
	if len(steps) == 0 {
		return nil
	}
	if p, ok := steps[0].(Pricing); ok {
		return p.Undo(s, a, r)
	}
	return nil
}

// whole reports whether nothing of a sale is left.
func (d *Document) whole() bool {
	for _, l := range d.Body.Lines {
		if l.BackMilli != l.Milli {
			return false
		}
	}
	return true
}

// Basket makes of a sale that is not recorded what steps would see of it: for whoever says
// beforehand what it would come to. With it comes who buys, 0 for nobody.
func (s *Service) Basket(ctx context.Context, n New) (*Basket, error) {
	out := make([]Result, 1)
	owner := s.owners(ctx, []New{n}, out)[0]
	if out[0].Err != nil {
		return nil, out[0].Err
	}
	d, _, err := s.draft(ctx, n, false)
	if err != nil {
		return nil, err
	}
	b, err := s.basket(ctx, d, nil)
	if err != nil {
		return nil, err
	}
	s.owned(b, owner, Ask{})
	d.own(owner)
	return b, nil
}

// owned says whose a basket is.
func (s *Service) owned(b *Basket, owner member.ID, ask Ask) {
	b.Owner, b.Explain = owner, ask.Explain
	if owner == 0 {
		return
	}
	if b.who = s.whoIs(owner); ask.crowd != nil {
		b.who = func(ctx context.Context) (*cond.Member, error) { return ask.crowd.who(ctx, owner) }
	}
}
