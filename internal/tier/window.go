package tier

import (
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
)

// Day is a date of the programme's calendar.
type Day = program.Day

// The ends of time, as days.
const (
	firstDay = Day(-1 << 30)
	lastDay  = Day(math.MaxInt32)
)

// WindowKind says what time counts.
type WindowKind string

// The kinds of window.
const (
	Lifetime   WindowKind = "lifetime"   // everything
	Calendar   WindowKind = "calendar"   // the month, quarter, half or year in which the day lies
	Rolling    WindowKind = "rolling"    // the N months that end with the day
	Membership WindowKind = "membership" // the year since the latest anniversary of joining
	InTerm     WindowKind = "term"       // since the term began; for keeping only
)

// Period is a part of the calendar year.
type Period string

// The periods.
const (
	Month   Period = "month"
	Quarter Period = "quarter"
	Half    Period = "half"
	Year    Period = "year"
)

// months is how many a period has, 0 for no period.
func (p Period) months() int {
	return map[Period]int{Month: 1, Quarter: 3, Half: 6, Year: 12}[p]
}

// Window is a time in which purchases and earnings count, as seen from a day.
type Window struct {
	Kind   WindowKind `json:"kind" yaml:"kind" enum:"lifetime,calendar,rolling,membership,term" doc:"lifetime: everything. calendar: the period in which the day lies. rolling: the months that end with the day. membership: since the latest anniversary of joining. term (for keeping only): since the term began."`
	Period Period     `json:"period,omitempty" yaml:"period,omitempty" enum:"month,quarter,half,year" doc:"Of a calendar window."`
	Months int        `json:"months,omitempty" yaml:"months,omitempty" minimum:"0" maximum:"120" doc:"Of a rolling window."`
}

func (w Window) valid(keeping bool) bool {
	switch w.Kind {
	case Lifetime, Membership:
		return true
	case InTerm:
		return keeping
	case Calendar:
		return w.Period.months() > 0
	case Rolling:
		return w.Months >= 1 && w.Months <= maxMonths
	}
	return false
}

// from is the first day that counts, as seen from a day. joined is when the member joined,
// began when the term did.
func (w Window) from(on, joined, began Day) Day {
	switch w.Kind {
	case Calendar:
		return periodStart(on, w.Period.months())
	case Rolling:
		return addMonths(on+1, -w.Months)
	case Membership:
		return anniversary(joined, on)
	case InTerm:
		return began
	}
	return firstDay
}

// next is the first day after on from which the window begins anew by itself, or lastDay. A
// rolling window moves every day, which is not what is meant.
func (w Window) next(on, joined Day) Day {
	switch w.Kind {
	case Calendar:
		return addMonths(periodStart(on, w.Period.months()), w.Period.months())
	case Membership:
		return nextAnniversary(joined, on)
	}
	return lastDay
}

// cycle numbers the stretches of time in each of which a welcome bonus is paid once: the window's
// own period, or years of membership; whole blocks of its months for a rolling one; all time for
// a lifetime.
func (w Window) cycle(on, joined Day) int64 {
	switch w.Kind {
	case Calendar, Membership:
		return int64(w.from(on, joined, 0))
	case Rolling:
		return int64(monthOf(on) / w.Months)
	}
	return 0
}

// TermKind says what a term ends with.
type TermKind string

// The kinds of term.
const (
	Forever        TermKind = "forever"    // it does not end
	NoTerm         TermKind = "none"       // the tier is held while what keeps it is there
	ToPeriodEnd    TermKind = "calendar"   // with the calendar period
	ForMonths      TermKind = "months"     // so many months after the tier was reached
	ToMembership   TermKind = "membership" // on the anniversary of joining
	maxEvaluations          = 500          // terms that one evaluation steps through: 40 years of months
)

// Term says for how long a tier is held.
type Term struct {
	Kind   TermKind `json:"kind" yaml:"kind" enum:"forever,none,calendar,months,membership" doc:"forever: for good. none: while what keeps it is there, looked at daily. calendar: to the end of the period. months: so many months. membership: to the anniversary of joining."`
	Period Period   `json:"period,omitempty" yaml:"period,omitempty" enum:"month,quarter,half,year" doc:"Of a term by the calendar."`
	Months int      `json:"months,omitempty" yaml:"months,omitempty" minimum:"0" maximum:"120" doc:"Of a term by months."`
	// Next gives who has just reached a tier the whole of the period after.
	Next bool `json:"next,omitempty" yaml:"next,omitempty" doc:"calendar and membership: whether who reaches a tier holds it to the end of the period after the one in which they did."`
}

func (t Term) valid() bool {
	switch t.Kind {
	case Forever, NoTerm, ToMembership:
		return true
	case ToPeriodEnd:
		return t.Period.months() > 0
	case ForMonths:
		return t.Months >= 1 && t.Months <= maxMonths
	}
	return false
}

// end is the first day after the term of a tier that is reached on a day, 0 for none.
func (t Term) end(on, joined Day) Day {
	switch t.Kind {
	case ToPeriodEnd:
		n := t.Period.months()
		first := addMonths(periodStart(on, n), n)
		if t.Next {
			return addMonths(first, n)
		}
		return first
	case ForMonths:
		return addMonths(on, t.Months)
	case ToMembership:
		first := nextAnniversary(joined, on)
		if t.Next {
			return nextAnniversary(joined, first)
		}
		return first
	}
	return 0
}

// renewed is the end of the term that begins where another one ended. Terms by months go on
// counting from the day on which the tier was reached, so that a term from the 31st does not end
// on the 28th for ever.
func (t Term) renewed(ended, since, joined Day) Day {
	switch t.Kind {
	case ToPeriodEnd:
		n := t.Period.months()
		return addMonths(periodStart(ended, n), n)
	case ForMonths:
		k := (monthOf(ended)-monthOf(since))/t.Months - 1
		for k = max(1, k); ; k++ { // two or three turns
			if end := addMonths(since, k*t.Months); end > ended {
				return end
			}
		}
	case ToMembership:
		return nextAnniversary(joined, ended)
	}
	return 0
}

// civil is the date of a day.
func civil(d Day) (year int, month time.Month, dom int) {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Date()
}

func dayOf(year int, month time.Month, dom int) Day {
	return Day(time.Date(year, month, dom, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// monthOf numbers the months of all years.
func monthOf(d Day) int {
	year, month, _ := civil(d)
	return year*12 + int(month) - 1
}

// addMonths goes n months on, or back. A day that the month does not have becomes its last.
func addMonths(d Day, n int) Day {
	year, month, dom := civil(d)
	m := year*12 + int(month) - 1 + n
	last := dayOf(m/12, time.Month(m%12+2), 0)
	return min(dayOf(m/12, time.Month(m%12+1), 1)+Day(dom-1), last)
}

// periodStart is the first day of the period of n months in which a day lies.
func periodStart(d Day, n int) Day {
	m := monthOf(d)
	m -= m % n
	return dayOf(m/12, time.Month(m%12+1), 1)
}

// anniversary is the latest anniversary of joining that is not after a day, the day of joining
// itself among them. Who joined on 29 February has it on the 28th in other years. Purchases from
// before the joining, which an import may bring, lie in years that are counted backwards.
func anniversary(joined, on Day) Day {
	months := monthOf(on) - monthOf(joined)
	years := months / 12
	if months < 0 && months%12 != 0 {
		years--
	}
	if at := addMonths(joined, 12*years); at <= on {
		return at
	}
	return addMonths(joined, 12*(years-1))
}

// nextAnniversary is the first one after a day.
func nextAnniversary(joined, on Day) Day {
	years := (monthOf(anniversary(joined, on))-monthOf(joined))/12 + 1
	return addMonths(joined, 12*years)
}
