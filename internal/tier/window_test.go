package tier

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/program"
)

// on reads a date.
func on(text string) Day {
	d, err := program.ParseDay(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestWindowFrom(t *testing.T) {
	t.Parallel()
	const joined, began = "2024-02-29", "2026-01-15"
	for _, tt := range []struct {
		name   string
		window Window
		on     string
		want   string
	}{
		{"month, its first day", Window{Kind: Calendar, Period: Month}, "2026-03-01", "2026-03-01"},
		{"month, its last day", Window{Kind: Calendar, Period: Month}, "2026-03-31", "2026-03-01"},
		{"leap day", Window{Kind: Calendar, Period: Month}, "2024-02-29", "2024-02-01"},
		{"quarter", Window{Kind: Calendar, Period: Quarter}, "2026-06-30", "2026-04-01"},
		{"next quarter", Window{Kind: Calendar, Period: Quarter}, "2026-07-01", "2026-07-01"},
		{"first half", Window{Kind: Calendar, Period: Half}, "2026-06-30", "2026-01-01"},
		{"second half", Window{Kind: Calendar, Period: Half}, "2026-12-31", "2026-07-01"},
		{"year", Window{Kind: Calendar, Period: Year}, "2026-12-31", "2026-01-01"},
		{"new year", Window{Kind: Calendar, Period: Year}, "2027-01-01", "2027-01-01"},
		{"a month back", Window{Kind: Rolling, Months: 1}, "2026-03-14", "2026-02-15"},
		{"a whole month", Window{Kind: Rolling, Months: 1}, "2026-03-31", "2026-03-01"},
		{"to the end of February", Window{Kind: Rolling, Months: 1}, "2026-02-28", "2026-02-01"},
		{"from a day that February has not", Window{Kind: Rolling, Months: 1}, "2026-03-29", "2026-02-28"},
		{"twelve months", Window{Kind: Rolling, Months: 12}, "2026-03-10", "2025-03-11"},
		{"twelve months that end on a leap day", Window{Kind: Rolling, Months: 12}, "2024-02-29", "2023-03-01"},
		{"twelve months to the day before a leap day", Window{Kind: Rolling, Months: 12}, "2024-02-28", "2023-02-28"},
		{"anniversary of a leap day", Window{Kind: Membership}, "2026-02-28", "2026-02-28"},
		{"the day before it", Window{Kind: Membership}, "2026-02-27", "2025-02-28"},
		{"a leap year's day before it", Window{Kind: Membership}, "2028-02-28", "2027-02-28"},
		{"a leap year's", Window{Kind: Membership}, "2028-02-29", "2028-02-29"},
		{"the day of joining", Window{Kind: Membership}, joined, joined},
		{"before the joining", Window{Kind: Membership}, "2024-02-28", "2023-02-28"},
		{"term", Window{Kind: InTerm}, "2026-03-10", began},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.window.from(on(tt.on), on(joined), on(began)); got != on(tt.want) {
				t.Errorf("from(%s) = %s, want %s", tt.on, got, tt.want)
			}
		})
	}
	if got := (Window{Kind: Lifetime}).from(on("2026-01-01"), 0, 0); got > -1_000_000 {
		t.Errorf("a lifetime begins on %d", got)
	}
}

func TestTermEnd(t *testing.T) {
	t.Parallel()
	const joined = "2024-02-29"
	for _, tt := range []struct {
		name string
		term Term
		on   string
		want string
	}{
		{"year", Term{Kind: ToPeriodEnd, Period: Year}, "2026-12-31", "2027-01-01"},
		{"the whole of the next year", Term{Kind: ToPeriodEnd, Period: Year, Next: true}, "2026-01-01", "2028-01-01"},
		{"quarter", Term{Kind: ToPeriodEnd, Period: Quarter}, "2026-03-31", "2026-04-01"},
		{"a month from the 31st", Term{Kind: ForMonths, Months: 1}, "2026-01-31", "2026-02-28"},
		{"a month from the 31st of a leap year", Term{Kind: ForMonths, Months: 1}, "2028-01-31", "2028-02-29"},
		{"a year from a leap day", Term{Kind: ForMonths, Months: 12}, "2024-02-29", "2025-02-28"},
		{"to the anniversary", Term{Kind: ToMembership}, "2026-02-27", "2026-02-28"},
		{"on the anniversary", Term{Kind: ToMembership}, "2026-02-28", "2027-02-28"},
		{"to the anniversary after it", Term{Kind: ToMembership, Next: true}, "2027-02-27", "2028-02-29"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.term.end(on(tt.on), on(joined)); got != on(tt.want) {
				t.Errorf("end(%s) = %s, want %s", tt.on, got, tt.want)
			}
		})
	}
	if (Term{Kind: Forever}).end(on("2026-01-01"), 0) != 0 || (Term{Kind: NoTerm}).end(on("2026-01-01"), 0) != 0 {
		t.Error("a term without an end has one")
	}
}

// Terms by months go on from the day on which the tier was reached: from the 31st they end on
// the last of each month, not on the 28th for ever after February.
func TestTermRenewed(t *testing.T) {
	t.Parallel()
	since := on("2026-01-31")
	term := Term{Kind: ForMonths, Months: 1}
	end := term.end(since, 0)
	var got []string
	for range 4 {
		got = append(got, end.String())
		end = term.renewed(end, since, 0)
	}
	for i, want := range []string{"2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"} {
		if got[i] != want {
			t.Errorf("term %d ends on %s, want %s", i, got[i], want)
		}
	}
}

// Midnight is that of the programme: a purchase at one instant counts in the year that its
// clocks show.
func TestZoneEdge(t *testing.T) {
	t.Parallel()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC).UnixMilli() // midnight in Shanghai
	year := Window{Kind: Calendar, Period: Year}
	for zone, want := range map[*time.Location]string{shanghai: "2027-01-01", newYork: "2026-01-01"} {
		if got := year.from(dayAt(at, zone), 0, 0); got != on(want) {
			t.Errorf("%s: the year begins on %s, want %s", zone, got, want)
		}
	}
	if got := dayAt(at-1, shanghai); got != on("2026-12-31") {
		t.Errorf("a millisecond before midnight is %s", got)
	}
}

// Whatever the day: a window begins at or before it and not before one of its length; a term ends
// after it; going on a period at a time, periods neither overlap nor leave a gap.
func TestWindowLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		day := Day(rapid.Int32Range(0, 40_000).Draw(t, "day"))
		joined := Day(rapid.Int32Range(0, 40_000).Draw(t, "joined"))
		n := rapid.IntRange(1, 24).Draw(t, "months")
		period := rapid.SampledFrom([]Period{Month, Quarter, Half, Year}).Draw(t, "period")
		long := map[Period]Day{Month: 31, Quarter: 92, Half: 184, Year: 366}

		from := Window{Kind: Calendar, Period: period}.from(day, joined, 0)
		next := Window{Kind: Calendar, Period: period}.next(day, joined)
		if from > day || next <= day || next-from > long[period] || (Window{Kind: Calendar, Period: period}).from(next-1, 0, 0) != from {
			t.Fatalf("%s of %s: [%s, %s)", period, day, from, next)
		}
		rolling := Window{Kind: Rolling, Months: n}
		if f := rolling.from(day, 0, 0); f > day || day-f >= Day(31*n+1) || day-f < Day(28*n-1) || rolling.from(day+1, 0, 0) < f {
			t.Fatalf("%d months to %s begin on %s", n, day, f)
		}
		at, then := anniversary(joined, day), nextAnniversary(joined, day)
		if at > day || then <= day || then-at < 365 || then-at > 366 {
			t.Fatalf("joined %s, on %s: years [%s, %s)", joined, day, at, then)
		}
		term := Term{Kind: ForMonths, Months: n}
		end := term.end(day, joined)
		if end <= day || term.renewed(end, day, joined) <= end {
			t.Fatalf("term of %d months from %s: %s, %s", n, day, end, term.renewed(end, day, joined))
		}
	})
}
