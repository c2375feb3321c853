package tier

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Step is the part of the tiers in a sale: it comes last, when what the sale earned is known.
func (s *Service) Step() sale.Step { return step{s} }

type step struct{ s *Service }

// Name is part of sale.Step.
func (step) Name() string { return "tier" }

// Prepare is part of sale.Step.
func (t step) Prepare(ctx context.Context, b *sale.Basket) (sale.Part, error) {
	snap := t.s.Snapshot()
	if len(snap.Ladders) == 0 {
		return nil, nil
	}
	k := look{snap: snap, on: dayAt(b.At.UnixMilli(), b.Programme.Zone), quiet: b.Sale.Flags&sale.History != 0}
	if snap.profile {
		var err error
		if k.profile, err = b.Who(ctx); err != nil {
			return nil, err
		}
		k.joined = Day(k.profile.JoinedDay)
	}
	return part{k}, nil
}

// Undo is part of sale.Step. Days have been put right by the sale: the purchase counts no more
// on its own day.
func (t step) Undo(s *ledger.State, a *ledger.Account, r *sale.Reversal) error {
	snap := t.s.Snapshot()
	if len(snap.Ladders) == 0 {
		return nil
	}
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{Row(a.ID)}}); err != nil {
		return err
	}
	_, err := look{snap: snap, ret: true, quiet: r.Return.Flags&sale.History != 0}.decide(s, a)
	return err
}

// part is the step's part in one sale.
type part struct{ look }

// Needs is part of sale.Part.
func (p part) Needs(owner int64) ledger.Needs {
	return ledger.Needs{Rows: []ledger.RowKey{Row(owner)}}
}

// Asks is part of sale.Part. Conditions are asked after the sale, not before it.
func (part) Asks() []cond.Need { return nil }

// Decide is part of sale.Part.
func (p part) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	code, err := p.look.decide(s, a)
	o.SetTier(code)
	return err
}
