package till

import (
	"context"
	"slices"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/price"
	"github.com/patron-loyalty/patron/internal/sale"
)

// pricing is the step of sales by which something comes off: prices of members, discounts of their
// tier and plan, and coupons. It is those of a sale that names coupons (a checkout in one step), and
// those that a checkout held.
type pricing struct {
	prices  *price.Service
	coupons *coupon.Service
}

// Pricing makes the step. It comes first among the steps of sales.
func Pricing(prices *price.Service, coupons *coupon.Service) sale.Pricing {
	return pricing{prices, coupons}
}

// Name is part of sale.Step: under it the uses are kept with the sale.
func (pricing) Name() string { return "coupon_uses" }

// Prepare is part of sale.Step; Price is asked instead.
func (pricing) Prepare(context.Context, *sale.Basket) (sale.Part, error) { return nil, nil }

// Price is part of sale.Pricing. All codes have to take something off: a till that sends a sale
// has told its customer so.
func (p pricing) Price(ctx context.Context, b *sale.Basket, codes []string) (sale.Part, error) {
	lines := coupon.BasketLines(b)
	takes, err := p.prices.Standing(ctx, b, lines)
	if err != nil {
		return nil, err
	}
	list, err := p.coupons.Candidates(ctx, b, codes, false, 0)
	if err != nil {
		return nil, err
	}
	promos, err := promosOf(list, true)
	if err != nil {
		return nil, err
	}
	r := discount.Apply(lines, append(standing(takes), promos...))
	for _, l := range r.Left {
		if find(takes, l.Ref) == nil {
			return nil, ErrCoupon.With("code", l.Ref, "why", whyWord(l, b))
		}
	}
	uses := usesOf(list, r)
	takeOff(b, offsOf(takes, r), uses)
	return redeem{p: p, uses: uses}, nil
}

// standing are the promos of what comes off by who buys.
func standing(takes []price.Take) (out []discount.Promo) {
	for _, t := range takes {
		out = append(out, t.Promo)
	}
	return out
}

// find is the take of a promo, nil where the promo is a coupon's.
func find(takes []price.Take, ref string) *price.Take {
	for i := range takes {
		if takes[i].Promo.Ref == ref {
			return &takes[i]
		}
	}
	return nil
}

// Off is what comes off a basket by who buys, as a checkout keeps it. Its JSON is on disk.
type Off struct {
	Kind   string  `json:"k"`
	Ref    string  `json:"r"`
	ByLine []int64 `json:"l"`
}

// offsOf is what a result takes off by who buys. What one tier or plan gives in two ways is one.
func offsOf(takes []price.Take, r discount.Result) (out []Off) {
	for _, x := range r.Applied {
		t := find(takes, x.Ref)
		if t == nil {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].Kind == t.Kind && out[last].Ref == t.Ref {
			for i, n := range x.ByLine {
				out[last].ByLine[i] += n
			}
			continue
		}
		out = append(out, Off{t.Kind, t.Ref, slices.Clone(x.ByLine)})
	}
	return out
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

// takeOff takes off a basket what comes off by who buys, then what uses of coupons take.
func takeOff(b *sale.Basket, offs []Off, uses []coupon.Use) {
	for _, x := range offs {
		b.TakeOff(x.Kind, x.Ref, x.ByLine)
	}
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
