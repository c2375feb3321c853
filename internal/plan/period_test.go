package plan

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/program"
)

func on(t interface{ Fatalf(string, ...any) }, text string) program.Day {
	d, err := program.ParseDay(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// Each row is a period that ends where the calendar is awkward.
func TestAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		anchor string
		every  Every
		n      int64
		want   string
	}{
		{"2026-03-10", Month, 0, "2026-03-10"},
		{"2026-03-10", Month, 1, "2026-04-10"},
		{"2026-01-31", Month, 1, "2026-02-28"},
		{"2026-01-31", Month, 2, "2026-03-31"}, // counted from the anchor, not from the 28th
		{"2026-01-31", Month, 3, "2026-04-30"},
		{"2024-01-31", Month, 1, "2024-02-29"},
		{"2024-01-30", Month, 1, "2024-02-29"},
		{"2023-01-29", Month, 1, "2023-02-28"},
		{"2026-12-15", Month, 1, "2027-01-15"},
		{"2025-11-30", Quarter, 1, "2026-02-28"},
		{"2025-11-30", Quarter, 2, "2026-05-30"},
		{"2024-02-29", Year, 1, "2025-02-28"},
		{"2024-02-29", Year, 4, "2028-02-29"},
		{"2026-08-31", Quarter, 1, "2026-11-30"},
	} {
		if got := tt.every.After(on(t, tt.anchor), tt.n); got.String() != tt.want {
			t.Errorf("%d %s after %s: %s, want %s", tt.n, tt.every, tt.anchor, got, tt.want)
		}
	}
}

// A membership that is paid from 10 March for a month, with 3 days of grace; each row changes
// one thing or the day.
func TestOn(t *testing.T) {
	t.Parallel()
	day := func(text string) program.Day { return on(t, text) }
	paid := Membership{N: 1, Started: day("2026-03-03"), Anchor: day("2026-03-10"), Until: day("2026-04-10"), Paid: 1, Grace: 3}
	for _, tt := range []struct {
		name, day string
		edit      func(*Membership)
		want      Standing
	}{
		{"before it began", "2026-03-02", nil, None},
		{"first day of the trial", "2026-03-03", nil, Trial},
		{"last day of the trial", "2026-03-09", nil, Trial},
		{"first paid day", "2026-03-10", nil, Active},
		{"last paid day", "2026-04-09", nil, Active},
		{"first day of grace", "2026-04-10", nil, Grace},
		{"last day of grace", "2026-04-12", nil, Grace},
		{"grace is over", "2026-04-13", nil, Over},
		{"no grace", "2026-04-10", func(m *Membership) { m.Grace = 0 }, Over},
		{"cancelled, still paid", "2026-04-09", func(m *Membership) { m.Cancelled = true }, Cancelled},
		{"cancelled in the trial", "2026-03-05", func(m *Membership) { m.Cancelled = true }, Cancelled},
		{"cancelled has no grace", "2026-04-10", func(m *Membership) { m.Cancelled = true }, Over},
		{"ended at once, that day", "2026-03-20", func(m *Membership) { m.Ended = day("2026-03-20") }, Over},
		{"ended at once, the day before", "2026-03-19", func(m *Membership) { m.Ended = day("2026-03-20") }, Active},
		{"trial without payment, grace", "2026-03-10", func(m *Membership) { m.Until, m.Paid = m.Anchor, 0 }, Grace},
		{"trial without payment, over", "2026-03-13", func(m *Membership) { m.Until, m.Paid = m.Anchor, 0 }, Over},
		{"none", "2026-03-20", func(m *Membership) { m.N = 0 }, None},
	} {
		m := paid
		if tt.edit != nil {
			tt.edit(&m)
		}
		if got := m.On(day(tt.day)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Days begin at the programme's midnight: one instant is two days in two zones.
func TestZoneEdge(t *testing.T) {
	t.Parallel()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 4, 9, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	m := Membership{N: 1, Started: on(t, "2026-03-10"), Anchor: on(t, "2026-03-10"), Until: on(t, "2026-04-10"), Paid: 1}
	for _, tt := range []struct {
		at   time.Time
		zone *time.Location
		want Standing
	}{{at, shanghai, Over}, {at.Add(-1), shanghai, Active}, {at, time.UTC, Active}} {
		if got := m.On(program.DayOf(tt.at, tt.zone)); got != tt.want {
			t.Errorf("%s in %s: %q, want %q", tt.at, tt.zone, got, tt.want)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		amount           int64
		from, until, day string
		share, unused    int64
	}{
		{3100, "2026-03-01", "2026-04-01", "2026-03-01", 3000, 30}, // the day has begun: it is used
		{3100, "2026-03-01", "2026-04-01", "2026-03-31", 0, 0},
		{3100, "2026-03-01", "2026-04-01", "2026-03-30", 100, 1},
		{3100, "2026-03-01", "2026-04-01", "2026-02-28", 3100, 31}, // it has not begun
		{3100, "2026-03-01", "2026-04-01", "2026-02-01", 3100, 31},
		{3100, "2026-03-01", "2026-04-01", "2026-05-01", 0, 0},
		{100, "2026-02-01", "2026-03-01", "2026-02-14", 50, 14},
		{99, "2026-02-01", "2026-03-01", "2026-02-14", 50, 14},        // 49.5: half up
		{100, "2024-01-01", "2025-01-01", "2024-12-30", 0, 1},         // 0.27
		{36600, "2024-02-29", "2025-02-28", "2024-02-29", 36500, 364}, // × 364 ÷ 365 = 36499.73
	} {
		share, unused, _ := Share(tt.amount, on(t, tt.from), on(t, tt.until), on(t, tt.day))
		if share != tt.share || unused != tt.unused {
			t.Errorf("%d for %s–%s on %s: %d for %d days, want %d for %d", tt.amount, tt.from, tt.until, tt.day, share, unused, tt.share, tt.unused)
		}
	}
}

// Whatever the anchor, periods follow each other without gap or overlap, each ends on the
// anchor's day of the month or on the last of a shorter one, and refunding day by day never
// gives more than was paid nor more on a later day.
func TestPeriodLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		anchor := program.Day(rapid.Int32Range(0, 40_000).Draw(t, "anchor"))
		every := rapid.SampledFrom([]Every{Month, Quarter, Year}).Draw(t, "every")
		months := map[Every]int{Month: 1, Quarter: 3, Year: 12}[every]
		first, err := time.Parse(time.DateOnly, anchor.String())
		if err != nil {
			t.Fatal(err)
		}
		last := anchor
		for n := int64(1); n < 30; n++ {
			next := every.After(anchor, n)
			end, err := time.Parse(time.DateOnly, next.String())
			if err != nil || next <= last {
				t.Fatalf("period %d of %s from %s ends on %s, the one before on %s (%v)", n, every, anchor, next, last, err)
			}
			whole := first.Year()*12 + int(first.Month()) - 1 + int(n)*months
			if got := end.Year()*12 + int(end.Month()) - 1; got != whole {
				t.Fatalf("%s is not %d months after %s", next, int(n)*months, anchor)
			}
			if end.Day() != first.Day() && (end.Day() > first.Day() || end.AddDate(0, 0, 1).Day() != 1) {
				t.Fatalf("%s after %s: neither the day nor the last of the month", next, anchor)
			}
			last = next
		}
		until := every.After(anchor, 1)
		amount := rapid.Int64Range(0, maxPrice).Draw(t, "amount")
		most := amount
		for d := anchor - 2; d < until+2; d++ {
			share, unused, all := Share(amount, anchor, until, d)
			if share < 0 || share > most || unused > all || d < anchor && share != amount || d >= until-1 && share != 0 {
				t.Fatalf("on %s: %d of %d, the day before %d", d, share, amount, most)
			}
			most = share
		}
	})
}

// The daily run comes back on each day on which something is to be written down, and on no
// other.
func TestNext(t *testing.T) {
	t.Parallel()
	day := func(text string) program.Day { return on(t, text) }
	m := Membership{N: 1, Started: day("2026-03-10"), Anchor: day("2026-03-10"), Until: day("2026-04-10"), Paid: 1, Grace: 3}
	var got []string
	for today, i := m.Started, 0; i < 10; i++ {
		next := m.next(today, 5, false)
		if next == 0 {
			break
		}
		got = append(got, next.String())
		if today = next; today == m.Until-5 {
			m.Reminded = m.Until
		}
	}
	if want := "[2026-04-05 2026-04-10 2026-04-13]"; fmt.Sprint(got) != want {
		t.Errorf("comes back on %v, want %s", got, want)
	}
	m.Reminded = 0
	if d := m.next(day("2026-04-08"), 0, true); d != day("2026-04-09") {
		t.Errorf("with a provider: %s", d)
	}
	if d := m.next(day("2026-04-09"), 0, true); d != day("2026-04-10") {
		t.Errorf("the day after: %s", d)
	}
	m.Cancelled = true
	if d := m.next(day("2026-03-20"), 5, true); d != m.Until {
		t.Errorf("cancelled: %s", d)
	}
	m.Ended = day("2026-03-20")
	if d := m.next(day("2026-03-20"), 5, true); d != 0 {
		t.Errorf("ended: %s", d)
	}
}
