package ledger

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// at reads a local time of a zone, which must exist there.
func at(t *testing.T, zone *time.Location, text string) int64 {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04:05.999", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixMilli()
}

// The day on which points end is wholly theirs: the first instant without them is the
// first of the day after, in the programme's zone.
func TestEnd(t *testing.T) {
	t.Parallel()
	rolling := func(n int, unit, round string) Expiry {
		return Expiry{Policy: "rolling", Count: n, Unit: unit, Round: round}
	}
	fixed := func(dates ...string) Expiry { return Expiry{Policy: "fixed", Dates: dates} }
	for _, tt := range []struct {
		name   string
		zone   string
		expiry Expiry
		active string
		want   string // "" = never
	}{
		{"a day", "Asia/Shanghai", rolling(1, "day", ""), "2026-03-10 12:00:00", "2026-03-12 00:00:00"},
		{"from the first instant", "Asia/Shanghai", rolling(1, "day", ""), "2026-03-10 00:00:00", "2026-03-12 00:00:00"},
		{"from the last instant", "Asia/Shanghai", rolling(1, "day", ""), "2026-03-10 23:59:59.999", "2026-03-12 00:00:00"},
		{"a month", "Asia/Shanghai", rolling(1, "month", ""), "2026-01-15 09:00:00", "2026-02-16 00:00:00"},
		{"month-end clamp", "Asia/Shanghai", rolling(1, "month", ""), "2026-01-31 09:00:00", "2026-03-01 00:00:00"},
		{"month-end clamp in a leap year", "Asia/Shanghai", rolling(1, "month", ""), "2028-01-31 09:00:00", "2028-03-01 00:00:00"},
		{"28 February is not clamped in a leap year", "Asia/Shanghai", rolling(1, "month", ""), "2028-01-28 09:00:00", "2028-02-29 00:00:00"},
		{"the clamp does not stick", "Asia/Shanghai", rolling(2, "month", ""), "2026-01-31 09:00:00", "2026-04-01 00:00:00"},
		{"over the new year", "Asia/Shanghai", rolling(3, "month", ""), "2026-11-30 09:00:00", "2027-03-01 00:00:00"},
		{"a year from 29 February", "Asia/Shanghai", rolling(1, "year", ""), "2028-02-29 09:00:00", "2029-03-01 00:00:00"},
		{"four years from 29 February", "Asia/Shanghai", rolling(4, "year", ""), "2028-02-29 09:00:00", "2032-03-01 00:00:00"},
		{"to the end of the month", "Asia/Shanghai", rolling(12, "month", "month"), "2020-07-06 09:00:00", "2021-08-01 00:00:00"},
		{"to the end of the quarter", "Asia/Shanghai", rolling(1, "month", "quarter"), "2026-01-31 09:00:00", "2026-04-01 00:00:00"},
		{"already the end of the quarter", "Asia/Shanghai", rolling(2, "month", "quarter"), "2026-01-31 09:00:00", "2026-04-01 00:00:00"},
		{"to the end of the year", "Asia/Shanghai", rolling(1, "year", "year"), "2026-01-01 00:00:00", "2028-01-01 00:00:00"},
		{"days to the end of the month", "Asia/Shanghai", rolling(90, "day", "month"), "2026-03-10 12:00:00", "2026-07-01 00:00:00"},

		{"fixed, later this year", "Asia/Shanghai", fixed("03-31", "12-31"), "2026-03-10 12:00:00", "2026-04-01 00:00:00"},
		{"fixed, today", "Asia/Shanghai", fixed("03-10"), "2026-03-10 12:00:00", "2026-03-11 00:00:00"},
		{"fixed, yesterday", "Asia/Shanghai", fixed("03-09"), "2026-03-10 12:00:00", "2027-03-10 00:00:00"},
		{"fixed, in any order", "Asia/Shanghai", fixed("12-31", "06-30", "03-31"), "2026-04-01 00:00:00", "2026-07-01 00:00:00"},
		{"fixed, 29 February", "Asia/Shanghai", fixed("02-29"), "2027-01-05 00:00:00", "2027-03-01 00:00:00"},
		{"fixed, 29 February of a leap year", "Asia/Shanghai", fixed("02-29"), "2028-01-05 00:00:00", "2028-03-01 00:00:00"},
		{"fixed, after the clamped 29 February", "Asia/Shanghai", fixed("02-29"), "2027-03-01 00:00:00", "2028-03-01 00:00:00"},

		{"never", "Asia/Shanghai", Expiry{}, "2026-03-10 12:00:00", ""},
		{"sliding points have no end of their own", "Asia/Shanghai", Expiry{Policy: "sliding", Count: 1, Unit: "day"}, "2026-03-10 12:00:00", ""},

		{"clocks forward", "Europe/London", rolling(1, "day", ""), "2026-03-28 12:00:00", "2026-03-30 00:00:00"},
		{"clocks back", "Europe/London", rolling(1, "day", ""), "2026-10-24 12:00:00", "2026-10-26 00:00:00"},
		{"the end is in summer time", "Europe/London", rolling(1, "month", ""), "2026-03-01 00:00:00", "2026-04-02 00:00:00"},
		{"no midnight in São Paulo", "America/Sao_Paulo", rolling(1, "day", ""), "2018-11-02 12:00:00", "2018-11-04 01:00:00"},
		{"two 23 o'clocks in São Paulo", "America/Sao_Paulo", rolling(1, "day", ""), "2018-02-16 12:00:00", "2018-02-18 00:00:00"},
		{"no midnight in Beirut", "Asia/Beirut", rolling(1, "day", ""), "2026-03-27 12:00:00", "2026-03-29 01:00:00"},
		{"two 23 o'clocks in Beirut", "Asia/Beirut", rolling(1, "day", ""), "2026-10-23 12:00:00", "2026-10-25 00:00:00"},
		{"a day that Samoa skipped", "Pacific/Apia", rolling(1, "day", ""), "2011-12-28 12:00:00", "2011-12-31 00:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := zoneOf(tt.zone)
			want := Never
			if tt.want != "" {
				want = at(t, zone, tt.want)
			}
			if got := tt.expiry.End(at(t, zone, tt.active), zone); got != want {
				t.Errorf("End(%s) = %s, want %s", tt.active, time.UnixMilli(got).In(zone), time.UnixMilli(want).In(zone))
			}
		})
	}
}

// A sliding wallet counts from its last activity, with the same calendar.
func TestSlide(t *testing.T) {
	t.Parallel()
	e := Expiry{Policy: "sliding", Count: 1, Unit: "month"}
	if got, want := e.Slide(at(t, shanghai, "2026-01-31 23:59:59"), shanghai), at(t, shanghai, "2026-03-01 00:00:00"); got != want {
		t.Errorf("Slide = %s, want %s", time.UnixMilli(got), time.UnixMilli(want))
	}
	if got := (Expiry{Policy: "rolling", Count: 1, Unit: "day"}).Slide(noon, shanghai); got != Never {
		t.Errorf("a rolling currency slides to %d", got)
	}
}

// Points that wait become usable at the start of a day, and their expiry counts from then.
func TestActiveAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, zone, earned string
		days               int
		want               string
	}{
		{"at once", "Asia/Shanghai", "2026-03-10 12:34:56.789", 0, "2026-03-10 12:34:56.789"},
		{"tomorrow", "Asia/Shanghai", "2026-03-10 23:59:59.999", 1, "2026-03-11 00:00:00"},
		{"over a month", "Asia/Shanghai", "2026-02-27 00:00:00", 3, "2026-03-02 00:00:00"},
		{"no midnight", "America/Sao_Paulo", "2018-11-01 12:00:00", 3, "2018-11-04 01:00:00"},
		{"midnight twice", "America/Havana", "2026-10-31 12:00:00", 1, "2026-11-01 00:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			zone := zoneOf(tt.zone)
			if got, want := activeAt(at(t, zone, tt.earned), tt.days, zone), at(t, zone, tt.want); got != want {
				t.Errorf("activeAt = %s, want %s", time.UnixMilli(got).In(zone), time.UnixMilli(want).In(zone))
			}
		})
	}
}

// firstInstant finds the start of a date by asking the zone about every quarter of an hour:
// all its changes since 1972 fall on one.
func firstInstant(y int, m time.Month, d int, zone *time.Location) time.Time {
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for t := want.Add(-30 * time.Hour); ; t = t.Add(15 * time.Minute) {
		ly, lm, ld := t.In(zone).Date()
		if !time.Date(ly, lm, ld, 0, 0, 0, 0, time.UTC).Before(want) {
			return t
		}
	}
}

// Whatever the zone and the date, a day starts at its first instant, and a day that a
// country skipped starts with the one after.
func TestStartOfDay(t *testing.T) {
	t.Parallel()
	zones := []string{"Asia/Shanghai", "Europe/London", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia",
		"Africa/Cairo", "Asia/Amman", "America/Asuncion", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kwajalein", "UTC"}
	for _, name := range zones { // every day on which the clocks of a zone change, and the days beside it
		zone := zoneOf(name)
		for at := time.Date(1973, 1, 1, 0, 0, 0, 0, zone); at.Year() < 2030; {
			_, end := at.ZoneBounds()
			if end.IsZero() {
				break
			}
			at = end
			y, m, d := end.In(zone).Date()
			for n := -2; n <= 2; n++ {
				if got, want := startOfDay(y, m, d+n, zone), firstInstant(y, m, d+n, zone); !got.Equal(want) {
					t.Errorf("%s: %d-%02d-%02d starts at %s, want %s", name, y, m, d+n, got, want.In(zone))
				}
			}
		}
	}
	if t.Failed() {
		return
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := zoneOf(rapid.SampledFrom(zones).Draw(t, "zone"))
		y, m, d := rapid.IntRange(1973, 2050).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 40).Draw(t, "day")
		if got, want := startOfDay(y, m, d, zone), firstInstant(y, m, d, zone); !got.Equal(want) {
			t.Errorf("%s: %d-%02d-%02d starts at %s, want %s", zone, y, m, d, got, want.In(zone))
		}
	})
}

// Whatever the policy, points live at least to the end of the day on which they become
// usable, and their end is the start of a day.
func TestEndIsLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := zoneOf(rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/London", "America/Sao_Paulo", "Asia/Beirut"}).Draw(t, "zone"))
		e := Expiry{Policy: rapid.SampledFrom([]string{"rolling", "fixed", "sliding"}).Draw(t, "policy")}
		e.Count = rapid.IntRange(1, 40).Draw(t, "count")
		e.Unit = rapid.SampledFrom([]string{"day", "month", "year"}).Draw(t, "unit")
		e.Round = rapid.SampledFrom([]string{"", "month", "quarter", "year"}).Draw(t, "round")
		e.Dates = []string{rapid.SampledFrom([]string{"01-01", "02-29", "06-30", "12-31"}).Draw(t, "date")}
		if err := e.Check(); err != nil {
			t.Fatal(err)
		}
		active := rapid.Int64Range(0, 3_000_000_000_000).Draw(t, "active")
		end := e.End(active, zone)
		if e.Policy == "sliding" {
			end = e.Slide(active, zone)
		}
		y, m, d := time.UnixMilli(active).In(zone).Date()
		if tomorrow := firstInstant(y, m, d+1, zone).UnixMilli(); end < tomorrow {
			t.Fatalf("points usable from %d end at %d, before %d", active, end, tomorrow)
		}
		y, m, d = time.UnixMilli(end).In(zone).Date()
		if start := firstInstant(y, m, d, zone).UnixMilli(); start != end {
			t.Fatalf("points end at %d, not the start %d of a day", end, start)
		}
	})
}

// Policies that cannot be computed are refused when they are set, not when points move.
func TestCurrencyCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy Policy
		want   error
	}{
		{"nothing", Policy{}, nil},
		{"rolling", Policy{Expiry: Expiry{Policy: "rolling", Count: 1, Unit: "day"}}, nil},
		{"no count", Policy{Expiry: Expiry{Policy: "rolling", Unit: "day"}}, ErrExpiryPolicy},
		{"no unit", Policy{Expiry: Expiry{Policy: "sliding", Count: 1}}, ErrExpiryPolicy},
		{"unknown policy", Policy{Expiry: Expiry{Policy: "lunar"}}, ErrExpiryPolicy},
		{"no dates", Policy{Expiry: Expiry{Policy: "fixed"}}, ErrExpiryDates},
		{"30 February", Policy{Expiry: Expiry{Policy: "fixed", Dates: []string{"02-30"}}}, ErrExpiryDates},
		{"29 February", Policy{Expiry: Expiry{Policy: "fixed", Dates: []string{"02-29"}}}, nil},
		{"least is most", Policy{Transfer: Transfer{Min: 5, Max: 5}}, nil},
		{"least above most", Policy{Transfer: Transfer{Min: 6, Max: 5}}, ErrTransferRule},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := (&Currency{Policy: tt.policy}).Check(); !errors.Is(err, tt.want) {
				t.Errorf("Check = %v, want %v", err, tt.want)
			}
		})
	}
}
