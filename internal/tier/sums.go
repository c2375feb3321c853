package tier

import (
	"time"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// dayAt is the programme's date at an instant.
func dayAt(ms int64, zone *time.Location) Day { return program.DayOf(time.UnixMilli(ms), zone) }

// bookSums are the sums of a member's book.
type bookSums struct {
	book    *activity.Book
	profile *cond.Member // nil where no condition asks
	nowMS   int64
	zone    *time.Location
	// find answers what a condition asks for, for windows that end with a day.
	find func(day activity.Day, needs []cond.Need, found cond.Found)
}

// sumsOf reads what a member did out of a state.
func sumsOf(s *ledger.State, a *ledger.Account, profile *cond.Member) Sums {
	return &bookSums{book: a.Activity(), profile: profile, nowMS: s.NowMS, zone: s.Config.Zone, find: func(day activity.Day, needs []cond.Need, found cond.Found) {
		sale.Find(s, a, day, needs, found)
	}}
}

// Between is part of Sums.
func (b *bookSums) Between(currency int64, from, to Day) (s Sum) {
	if to <= from {
		return s
	}
	last, days := activity.Day(to-1), int64(to)-int64(from)
	s.Spend, s.Visits = b.book.Spend(last, days), b.book.Visits(last, days)
	if currency != 0 {
		s.Growth = b.book.Earned(currency, last, days)
	}
	return s
}

// Holds is part of Sums. A condition is asked at the end of a day, or now where that is today.
func (b *bookSums) Holds(c *cond.Cond, on Day) (bool, error) {
	at := time.UnixMilli(b.nowMS)
	if on < dayAt(b.nowMS, b.zone) {
		at = (on + 1).Start(b.zone).Add(-time.Millisecond)
	}
	f := &cond.Facts{Member: b.profile, Now: cond.NewMoment(at, b.zone), Found: cond.Found{}}
	if f.Member == nil {
		f.Member = &cond.Member{}
	}
	b.find(activity.Day(on), c.Needs(), f.Found)
	return c.Eval(f)
}
