package till

import (
	"context"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
)

// pricing is the step of sales that lets coupons take something off: those that a sale names
// (a checkout in one step), and those that a checkout held.
type pricing struct{ coupons *coupon.Service }

// Pricing makes the step. It comes first among the steps of sales.
func Pricing(coupons *coupon.Service) sale.Pricing { return pricing{coupons} }

// Name is part of sale.Step: under it the uses are kept with the sale.
func (pricing) Name() string { return "coupon_uses" }

// Prepare is part of sale.Step; Price is asked instead.
func (pricing) Prepare(context.Context, *sale.Basket) (sale.Part, error) { return nil, nil }

// Price is part of sale.Pricing. All codes have to take something off: a till that sends a sale
// has told its customer so.
func (p pricing) Price(ctx context.Context, b *sale.Basket, codes []string) (sale.Part, error) {
	list, err := p.coupons.Candidates(ctx, b, codes, false, 0)
	if err != nil {
		return nil, err
	}
	promos, err := promosOf(list, true)
	if err != nil {
		return nil, err
	}
	r := discount.Apply(coupon.BasketLines(b), promos)
	for _, l := range r.Left {
		return nil, ErrCoupon.With("code", l.Ref, "why", whyWord(l, b))
	}
	uses := usesOf(list, r)
	takeOff(b, uses)
	return redeem{p: p, uses: uses}, nil
}

// Undo is part of sale.Step.
func (p pricing) Undo(s *ledger.State, a *ledger.Account, r *sale.Reversal) error {
	var uses []coupon.Use
	if !r.Kept(p, &uses) {
		return nil
	}
	if err := p.coupons.Undo(s, a, uses, r); err != nil {
		return err
	}
	r.Keep(p, uses)
	return nil
}

// promosOf are the candidates that can be used. Where all have to, the first that cannot is the
// refusal.
func promosOf(list []coupon.Candidate, all bool) (out []discount.Promo, err error) {
	for _, c := range list {
		if c.Refused == nil {
			out = append(out, c.Promo)
			continue
		}
		if all {
			if e := errs.As(c.Refused); e != nil {
				return nil, e.With("code", c.Code)
			}
			return nil, c.Refused
		}
	}
	return out, nil
}

// usesOf are the coupons that a result applies.
func usesOf(list []coupon.Candidate, r discount.Result) (out []coupon.Use) {
	for _, x := range r.Applied {
		for i := range list {
			if list[i].Code == x.Ref && list[i].Refused == nil {
				out = append(out, list[i].Use(x.Amount, x.ByLine))
				break
			}
		}
	}
	return out
}

// takeOff takes off a basket what uses take.
func takeOff(b *sale.Basket, uses []coupon.Use) {
	for _, u := range uses {
		b.TakeOff("coupon", u.Code, u.ByLine)
	}
}

// redeem is the part of a sale that uses coupons; of a checkout, those that it held.
type redeem struct {
	p        pricing
	uses     []coupon.Use
	checkout *Checkout // nil where there is none
}

// Needs is part of sale.Part.
func (r redeem) Needs(owner int64) ledger.Needs {
	n := r.p.coupons.UseNeeds(r.uses, owner)
	if r.checkout != nil {
		n.Rows = append(n.Rows, checkoutRow(r.checkout.Member, r.checkout.ID))
	}
	return n
}

// Asks is part of sale.Part.
func (redeem) Asks() []cond.Need { return nil }

// Decide is part of sale.Part. The checkout is looked at again under its lock: of a confirmation
// and a release, one comes first.
func (r redeem) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	uses, n := append([]coupon.Use(nil), r.uses...), int64(0)
	if r.checkout != nil {
		c, err := loadCheckout(s, r.checkout.Member, r.checkout.ID)
		if err != nil {
			return err
		}
		if err := c.open(s.NowMS); err != nil {
			return err
		}
		n, uses = c.ID, append([]coupon.Use(nil), c.Body.Uses...)
		c.Stage, c.Sale = StageConfirmed, ledger.LotKey{Member: o.Doc.Member, Seq: o.Doc.Seq}
		defer func() { c.put(s) }()
	}
	if len(uses) == 0 {
		return nil
	}
	if err := r.p.coupons.Redeem(s, a, uses, n, o.Doc); err != nil {
		return err
	}
	o.Keep(r.p, uses)
	return nil
}
