package coupon

import (
	"context"
	"errors"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Step is the part that coupons have in sales: those that a purchase gives for a next time.
// App hands it to the sales.
func (s *Service) Step() sale.Step { return step{s} }

type step struct{ s *Service }

// Name is part of sale.Step. It is on disk.
func (step) Name() string { return "coupon" }

// keptGift is a voucher that a sale gave. Its JSON is on disk.
type keptGift struct {
	Code   string `json:"c"`
	Coupon int64  `json:"n"`
	Least  int64  `json:"m"` // what the sale came to at least, in the programme's money
}

// Prepare finds the coupons that the sale gives.
func (t step) Prepare(ctx context.Context, b *sale.Basket) (sale.Part, error) {
	n := t.s.now.Load()
	if len(n.fromSale) == 0 || b.Sale.Flags&sale.History != 0 {
		return nil, nil
	}
	p := &part{step: t}
	for _, v := range n.fromSale {
		ok, err := v.gives(ctx, n, b)
		if err != nil {
			return nil, err
		}
		if ok {
			g := n.grant(v.coupon, defaultPattern.draw(1)[0], Origin{Kind: fromSale}, 0)
			p.grants = append(p.grants, g)
		}
	}
	if len(p.grants) == 0 {
		return nil, nil
	}
	return p, nil
}

// gives reports whether a sale gives a voucher of a version.
func (v *version) gives(ctx context.Context, n *snapshot, b *sale.Basket) (bool, error) {
	f := v.terms.FromSale
	d := b.Sale
	if v.coupon.Standing(d.AtMS, n.zone) != Live || b.Worth(d.Total) < f.Amount || v.giveStores != nil && !v.giveStores[d.Store] ||
		len(f.Channels) > 0 && !slices.Contains(f.Channels, d.Channel) {
		return false, nil
	}
	for _, c := range []*cond.Cond{v.give, v.audience} {
		if c == nil {
			continue
		}
		facts := b.Facts()
		facts.Found = cond.Found{}
		var err error
		if facts.Member, err = b.Who(ctx); err != nil {
			return false, err
		}
		if ok, err := c.Eval(facts); !ok || err != nil { // a sale is never stopped for it
			return false, nil
		}
	}
	return true, nil
}

// part is what coupons make of one sale.
type part struct {
	step   step
	grants []*Grant
}

// Needs is part of sale.Part.
func (p *part) Needs(owner int64) (n ledger.Needs) {
	for _, g := range p.grants {
		n.Add(g.Needs(owner))
	}
	return n
}

// Asks is part of sale.Part.
func (p *part) Asks() []cond.Need { return nil }

// Decide gives the vouchers. What limits leave none of, the sale goes through without.
func (p *part) Decide(st *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	var list []keptGift
	for _, g := range p.grants {
		mine := *g // the same part may be decided again
		mine.from.Ref = o.Doc.ID()
		_, err := mine.Decide(st, a)
		if e := errs.As(err); e != nil && e.Kind == errs.Conflict {
			continue
		}
		if errors.Is(err, ErrDrawn) {
			return sale.ErrStale
		}
		if err != nil {
			return err
		}
		list = append(list, keptGift{g.code, g.coupon.ID, g.v.terms.FromSale.Amount})
	}
	if len(list) > 0 {
		o.Keep(p.step, list)
	}
	return nil
}

// Undo takes back the vouchers of a sale that comes to too little by now, unless they were used
// or a checkout holds them. Wherever they are: one that was given away goes too.
func (t step) Undo(st *ledger.State, a *ledger.Account, r *sale.Reversal) error {
	var list []keptGift
	if !r.Kept(t, &list) {
		return nil
	}
	n := t.s.now.Load()
	var back int64
	for _, l := range r.Sale.Body.Lines {
		back += l.BackAmount
	}
	left := r.Sale.Effect.Worth - r.Sale.Effect.WorthBack
	if back == r.Sale.Total {
		left = 0
	}
	var need ledger.Needs
	for _, g := range list {
		need.Rows = append(need.Rows, voucherRow(g.Code))
		need.Rows = append(need.Rows, claimRows(g.Coupon, 0)...)
	}
	if err := st.Require(need); err != nil {
		return err
	}
	kept := list[:0:0]
	for _, g := range list {
		v, of := load(st, g.Code), n.coupons[g.Coupon]
		if v == nil || of == nil || left >= g.Least && !r.Whole {
			kept = append(kept, g)
			continue
		}
		err := v.revoke(st, a, of)
		if e := errs.As(err); e != nil && e.Kind == errs.Conflict {
			continue // it was used: what is used stays used
		}
		if err != nil {
			return err
		}
	}
	r.Keep(t, kept)
	return nil
}
