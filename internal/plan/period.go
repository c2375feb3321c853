package plan

import (
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// Every is how long a period is.
type Every string

// The lengths.
const (
	Month   Every = "month"
	Quarter Every = "quarter"
	Year    Every = "year"
)

// months is the length in months; 0 for what is no length.
func (e Every) months() int {
	return map[Every]int{Month: 1, Quarter: 3, Year: 12}[e]
}

// After is the first day after n periods that began on anchor: the same day of a later month,
// or the last one of a month that has no such day. It is always counted from the anchor: from
// 31 January it goes to 28 February and then to 31 March.
func (e Every) After(anchor program.Day, n int64) program.Day {
	const daySeconds = 24 * 60 * 60
	y, m, d := time.Unix(int64(anchor)*daySeconds, 0).UTC().Date()
	first := time.Date(y, m+time.Month(n*int64(e.months())), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return program.Day(first.Unix()/daySeconds) + program.Day(min(d, last)-1)
}

// Standing says where a membership stands.
type Standing string

// The standings. One that is cancelled at its end still gives all benefits, as do the days of
// grace.
const (
	None      Standing = "" // the member has had none
	Trial     Standing = "trial"
	Active    Standing = "active"
	Cancelled Standing = "cancelled_at_end"
	Grace     Standing = "grace"
	Over      Standing = "ended"
)

// Runs reports whether a membership of this standing gives its benefits.
func (s Standing) Runs() bool { return s != None && s != Over }

// Why says why a membership ended.
type Why string

// The ends.
const (
	Lapsed   Why = "lapsed"    // nobody paid in time
	Quit     Why = "cancelled" // by the member, or by staff for them
	Refunded Why = "refunded"
	PlanOver Why = "plan_ended" // the plan is not renewed any more
	Erased   Why = "erased"     // the member's record was erased
	Merged   Why = "merged"     // the member goes on with that of another record of theirs
)

// Membership is what a member has of plans: the one that runs, or the last one.
type Membership struct {
	Member  int64
	N       int64 // which of the member's memberships, from 1; 0 for none
	Plan    int64
	Started program.Day
	Anchor  program.Day // first day of the first paid period; days before it are the trial
	Until   program.Day // first day that is not paid for
	Paid    int64       // periods that were paid for
	Grace   int64       // days of grace, as they were when it was last paid for
	Ended   program.Day // first day without it; 0 while it runs
	Why     Why
	// Cancelled: it ends at Until, without grace.
	Cancelled bool
	// Auto: the provider may be asked for renewals, since the member has paid through it.
	Auto     bool
	Reminded program.Day // the Until of which plan.renewal_due was told
	Lapsed   program.Day // the Until of which plan.grace was told
	Periods  int64       // rows of plan_period
	via      int64       // the merged record that it came from; 0 for none
}

// On says where the membership stands on a day, by its row alone.
func (m *Membership) On(day program.Day) Standing {
	switch {
	case m.N == 0 || day < m.Started:
		return None
	case m.Ended != 0 && day >= m.Ended:
		return Over
	case day < m.Until && m.Cancelled:
		return Cancelled
	case day < m.Anchor:
		return Trial
	case day < m.Until:
		return Active
	case m.Cancelled || day >= m.Until+program.Day(m.Grace):
		return Over
	}
	return Grace
}

// endOf is the first day without the membership, where time alone ends it.
func (m *Membership) endOf() program.Day {
	if m.Cancelled {
		return m.Until
	}
	return m.Until + program.Day(m.Grace)
}

// next is the first day after today on which there is something to write down, or 0. remind
// is how many days before the end a reminder goes out, 0 for none; charge reports whether the
// provider is to be asked.
func (m *Membership) next(today program.Day, remind int, charge bool) program.Day {
	if m.N == 0 || m.Ended != 0 {
		return 0
	}
	days := []program.Day{m.Until, m.endOf()}
	if remind > 0 && !m.Cancelled && m.Reminded != m.Until {
		days = append(days, m.Until-program.Day(remind))
	}
	if charge && !m.Cancelled {
		days = append(days, m.Until-1)
		if today >= m.Until-1 {
			days = append(days, today+1) // until it is paid or over
		}
	}
	var first program.Day
	for _, d := range days {
		if d > today && (first == 0 || d < first) {
			first = d
		}
	}
	return first
}

// payable refuses a payment for one more period before the last one that was paid for has
// begun: nobody pays more than one period ahead.
func (m *Membership) payable(e Every, today program.Day) bool {
	return m.Paid == 0 || today >= e.After(m.Anchor, m.Paid-1)
}

// Share is what is given back of an amount that was paid for [from, until) when the last day
// of use is day: in proportion to the days that have not begun, rounded once, half up:
//
//	amount × (until − max(day+1, from)) ÷ (until − from)
//
// It is all of it where the period has not begun, and nothing on its last day. unused and all
// are the days of the fraction.
func Share(amount int64, from, until, day program.Day) (share, unused, all int64) {
	all = int64(until - from)
	if all <= 0 {
		panic("plan: a period without a day")
	}
	unused = min(max(int64(until)-max(int64(day)+1, int64(from)), 0), all)
	share, _ = money.MulDiv(amount, unused, all, money.HalfUp) // no more than amount
	return share, unused, all
}
