package ledger

import (
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/program"
)

// Activity is what a has done by day. It is not to be changed: see State.Record.
func (a *Account) Activity() *activity.Book {
	if a.book == nil {
		b, err := activity.Unpack(a.packed)
		if err != nil {
			panic(fmt.Sprintf("ledger: the activity of member %d: %v", a.ID, err))
		}
		a.book = b
	}
	return a.book
}

// Record returns the activity of a for a command that adds to it.
func (s *State) Record(a *Account) *activity.Book {
	s.edit(a)
	if a.bookEpoch != s.epoch {
		a.book, a.bookEpoch = a.Activity().Clone(), s.epoch
	}
	return a.book
}

// Along calls f for a, and for the members who were merged into a one after the other,
// beginning with home, to whom something had happened that is taken back now: with each it
// was counted, and an unmerge parts the counters again.
func (s *State) Along(a *Account, home int64, f func(*Account)) {
	for next := s.accounts[home]; next != nil && next != a; next = s.accounts[next.MergedInto] {
		f(next)
	}
	f(a)
}

// Day is the date in the programme's zone at an instant.
func (s *State) Day(ms int64) activity.Day {
	return activity.Day(program.DayOf(time.UnixMilli(ms), s.Config.Zone))
}

// earned adds what was earned to the member's days. Stored value is paid in, not earned.
func (s *State) earned(a *Account, c *Currency, atMS, amount int64) {
	if c.Kind != Stored && amount != 0 && a.ID > 0 {
		s.Record(a).Earn(s.Day(atMS), c.ID, amount)
	}
}

// Companion is what a noun above keeps of members in rows of its own: it follows a merge
// and its undoing. What was counted for one counts for the other.
type Companion interface {
	// Rows are those of a member that Merged and Unmerged look at.
	Rows(member int64) []RowKey
	Merged(s *State, from, into *Account) error
	Unmerged(s *State, from, into *Account) error
}

// Accompany has a companion follow merges. It is called while the program is built.
func (s *Service) Accompany(c Companion) { s.companions = append(s.companions, c) }
