package plan

import (
	"context"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Step is the part that plans have in a sale: they multiply what the base rule and the rules
// gave, so it runs after these. A plan counts on the sale's own day.
func (s *Service) Step() sale.Step { return step{s} }

type step struct{ service *Service }

// Name is part of sale.Step.
func (step) Name() string { return "plan" }

// Prepare takes no part where no plan multiplies.
func (s step) Prepare(context.Context, *sale.Basket) (sale.Part, error) {
	b := s.service.book()
	if !slices.ContainsFunc(b.list, func(p *Plan) bool { return p.Terms.Benefits.Multiplier > 1000 && p.State != Draft }) {
		return nil, nil
	}
	return raise{b}, nil
}

// Undo has nothing to take back: what a line earned by the plan goes with the line.
func (step) Undo(*ledger.State, *ledger.Account, *sale.Reversal) error { return nil }

// raise is what a plan adds to one sale.
type raise struct{ book *book }

// Needs is part of sale.Part.
func (raise) Needs(owner int64) ledger.Needs {
	return ledger.Needs{Rows: []ledger.RowKey{Row(owner)}}
}

// Asks is part of sale.Part.
func (raise) Asks() []cond.Need { return nil }

// Decide raises what each currency of points has earned so far.
func (r raise) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	m := load(s, a.ID)
	h := r.book.holding(&m, program.Day(o.Day))
	name := r.book.nameOf(m.Plan)
	return o.Raise(s, a, sale.Benefit{Rule: "plan:" + h.Plan, NameEN: name.EN, NameZH: name.ZH, Milli: h.Multiplier})
}
