package offer

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/ledger"
)

// What is followed of a member goes to whom they are merged into, and comes back with what was
// theirs when that is undone.
type companion struct{}

// Companion follows merges. App hands it to the ledger.
func (s *Service) Companion() ledger.Companion { return companion{} }

// Rows is part of ledger.Companion.
func (companion) Rows(member int64) []ledger.RowKey { return []ledger.RowKey{BookRow(member)} }

// Merged moves the instances, and adds up what is counted.
func (companion) Merged(s *ledger.State, from, into *ledger.Account) error {
	f, t := bookOf(s, from.ID), bookOf(s, into.ID)
	if f.empty() {
		return nil
	}
	f.Moved = []int64{from.ID}
	for _, i := range f.Open {
		if !slices.Contains(f.Moved, i.Member) {
			f.Moved = append(f.Moved, i.Member)
		}
	}
	t.Open, f.Open = append(t.Open, f.Open...), nil
	t.count(f, 1)
	f.put(s, from.ID)
	t.put(s, into.ID)
	return nil
}

// Unmerged gives them back.
func (companion) Unmerged(s *ledger.State, from, into *ledger.Account) error {
	f, t := bookOf(s, from.ID), bookOf(s, into.ID)
	if len(f.Moved) == 0 {
		return nil
	}
	theirs := func(i *Instance) bool { return slices.Contains(f.Moved, i.Member) }
	for _, i := range t.Open {
		if theirs(i) {
			f.Open = append(f.Open, i)
		}
	}
	t.Open = slices.DeleteFunc(t.Open, theirs)
	f.Moved = nil
	t.count(f, -1)
	f.put(s, from.ID)
	t.put(s, into.ID)
	return nil
}

func (b *Book) empty() bool {
	return b.Next == 0 && len(b.Open) == 0 && len(b.Tally) == 0 && len(b.Badges) == 0
}

// count adds what is counted of another Book, or takes it off.
func (b *Book) count(other *Book, sign int64) {
	for offer, o := range other.Tally {
		b.note(offer, func(t *Tally) {
			t.Received, t.Done, t.Cycle = t.Received+sign*o.Received, t.Done+sign*o.Done, max(t.Cycle, o.Cycle)
		})
	}
	for badge, h := range other.Badges {
		b.award(badge, sign*h.N, h.Last)
	}
}
