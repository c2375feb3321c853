package draw

import (
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Where a member stands with draws is counted on with whom they are merged into, and taken off
// again when that is undone. How often they played without a prize, and the numbers of their plays
// in an epoch, stay their own: others could not recompute a guarantee that jumps.
type companion struct{}

// Companion follows merges. App hands it to the ledger.
func (s *Service) Companion() ledger.Companion { return companion{} }

// Rows is part of ledger.Companion.
func (companion) Rows(member int64) []ledger.RowKey { return []ledger.RowKey{memberRow(member)} }

// Merged adds what was counted.
func (companion) Merged(s *ledger.State, from, into *ledger.Account) error {
	return count(s, from, into, 1)
}

// Unmerged takes it off.
func (companion) Unmerged(s *ledger.State, from, into *ledger.Account) error {
	return count(s, from, into, -1)
}

func count(s *ledger.State, from, into *ledger.Account, sign int64) error {
	f, t := bookOf(s, from.ID), bookOf(s, into.ID)
	if len(f) == 0 {
		return nil
	}
	for draw, x := range f {
		y := t[draw]
		y.Plays = max(0, y.Plays+sign*x.Plays)
		switch {
		case y.Day == x.Day:
			y.Today = max(0, y.Today+sign*x.Today)
		case sign > 0 && x.Day > y.Day:
			y.Day, y.Today = x.Day, x.Today
		}
		t[draw] = y
	}
	t.put(s, into.ID)
	return nil
}
