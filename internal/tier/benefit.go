package tier

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Of is the code and the rank of a member's tier in the main scheme, for rules that ask.
func (s *Service) Of(st *ledger.State, a *ledger.Account) (code string, rank int) {
	at := s.Snapshot().Of(st, a.ID)
	return at.Code, at.Rank
}

// HeldBy is where a member stands in the main scheme on a day, read outside of a batch: for what a
// basket is quoted by. It is never nil. As for what sales earn, a term that is over by then is
// over whether that was written down or not.
func (s *Service) HeldBy(ctx context.Context, tx *db.Tx, m member.ID, day program.Day) (*At, error) {
	l := s.Snapshot().main
	if l == nil {
		return &At{}, nil
	}
	_, _, row, err := readRow(ctx, tx, int64(m))
	if err != nil {
		return nil, fmt.Errorf("read the tier of member %s: %w", m, err)
	}
	st := row.of(l.ID)
	if st.Next != 0 && Day(day) >= st.Next && !l.daily && (!l.yearly() || row.Joined != 0) {
		var book peopleRows
		if err := peopleSQL.Query(ctx, tx, []any{rowID(int64(m)), int64(m)}, book.read); err != nil {
			return nil, fmt.Errorf("read the tier of member %s: %w", m, err)
		}
		for _, p := range book.list {
			if err := p.open(s.o.Clock.Now().UnixMilli(), s.o.Program.Snapshot().Zone); err != nil {
				return nil, err
			}
			st = lapsed(l, Input{Sums: p.sums, Joined: row.Joined, Now: Day(day), Current: st, Quiet: true})
		}
	}
	return l.at(st), nil
}

// Discounts reports whether a tier of the main scheme takes something off what its members buy.
func (n *Snapshot) Discounts() bool {
	return n.main != nil && slices.ContainsFunc(n.main.Tiers, func(t Tier) bool { return t.Benefits.Discount > 0 || t.Benefits.FreeDelivery })
}

// Benefit is the part of the tiers that raises what rules give: it comes right after them,
// and goes by the tier that the member has before the sale.
func (s *Service) Benefit() sale.Step { return benefit{s} }

type benefit struct{ s *Service }

// Name is part of sale.Step.
func (benefit) Name() string { return "tier_benefit" }

// Prepare is part of sale.Step.
func (b benefit) Prepare(context.Context, *sale.Basket) (sale.Part, error) {
	snap := b.s.Snapshot()
	if snap.main == nil || !snap.main.raises() {
		return nil, nil
	}
	return raise{snap}, nil
}

// Undo is part of sale.Step: points come back by the shares of their lines.
func (benefit) Undo(*ledger.State, *ledger.Account, *sale.Reversal) error { return nil }

// raises reports whether a tier of the ladder multiplies.
func (l *Ladder) raises() bool {
	for i := range l.Tiers {
		if l.Tiers[i].Benefits.milli() > 1000 {
			return true
		}
	}
	return false
}

// raise is what a tier adds to one sale.
type raise struct{ snap *Snapshot }

// Needs is part of sale.Part.
func (raise) Needs(owner int64) ledger.Needs { return ledger.Needs{Rows: []ledger.RowKey{Row(owner)}} }

// Asks is part of sale.Part.
func (raise) Asks() []cond.Need { return nil }

// Decide is part of sale.Part. A term that ended before the day of the sale is over, whether
// the daily run has written that down or not; and what is of the past earns by no tier that
// was reached later.
func (r raise) Decide(s *ledger.State, a *ledger.Account, o *sale.Outcome) error {
	row, err := load(s, a.ID)
	if err != nil {
		return nil // verify tells of it
	}
	l, day := r.snap.main, Day(o.Day)
	st := row.of(l.ID)
	switch {
	case o.Doc.Flags&sale.History != 0 && day < st.Since:
		return nil
	case st.Next != 0 && day >= st.Next && !l.daily && (!l.yearly() || row.Joined != 0):
		st = lapsed(l, Input{Sums: sumsOf(s, a, nil), Joined: row.Joined, Now: day, Current: st, Quiet: true})
	}
	at := l.at(st)
	return o.Raise(s, a, sale.Benefit{Rule: "tier:" + at.Code, NameEN: at.NameEN, NameZH: at.NameZH, Milli: at.Multiplier()})
}
