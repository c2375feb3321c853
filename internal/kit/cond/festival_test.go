package cond

import (
	"fmt"
	"testing"
	"time"
)

// The table agrees with the calendar worked out from the moon and the sun, for every day of
// 61 years.
func TestLunarByAstronomy(t *testing.T) {
	t.Parallel()
	var months []oracleMonth
	for year := 2000; year <= 2062; year++ {
		months = append(months, oracleMonths(year)...)
	}
	checked := 0
	for i, m := range months[:len(months)-1] {
		for day := m.first; day < months[i+1].first; day++ {
			if day < dayOf(2000, 1, 1) || day > dayOf(2060, 12, 31) {
				if got := lunarOf(day); got != (lunarDate{}) {
					t.Fatalf("%s, outside: %+v", dateText(day), got)
				}
				continue
			}
			eve := day == months[i+1].first-1 && months[i+1].number == 1 && !months[i+1].leap
			want := lunarDate{m.number, int(day-m.first) + 1, m.leap, eve}
			if got := lunarOf(day); got != want {
				t.Fatalf("%s: %+v, want %+v", dateText(day), got, want)
			}
			checked++
		}
	}
	if checked != int(dayOf(2061, 1, 1)-dayOf(2000, 1, 1)) {
		t.Errorf("only %d days", checked)
	}
	for year := 2000; year <= 2060; year++ {
		for name, want := range map[string]int32{"qingming": termDay(15, dayOf(year, 4, 5)), "winter_solstice": termDay(270, dayOf(year, 12, 21))} {
			at := time.Unix(int64(want)*daySeconds, 0).UTC()
			if n := NewMoment(at, time.UTC); n.festival != name {
				t.Errorf("%s of %d is on %s, not %q", name, year, n.date, n.festival)
			}
		}
	}
}

// Dates as they were, or have been announced, in almanacs and by the State Council.
func TestFestivals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, dates string }{
		{"spring_festival", "2000-02-05 2001-01-24 2008-02-07 2015-02-19 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 2030-02-03 2034-02-19 2050-01-23"},
		{"new_years_eve", "2022-01-31 2023-01-21 2024-02-09 2025-01-28 2026-02-16 2030-02-02"},
		{"lantern", "2023-02-05 2024-02-24 2025-02-12 2026-03-03"},
		{"qingming", "2008-04-04 2020-04-04 2023-04-05 2024-04-04 2025-04-04 2026-04-05"},
		{"dragon_boat", "2008-06-08 2012-06-23 2019-06-07 2020-06-25 2021-06-14 2022-06-03 2023-06-22 2024-06-10 2025-05-31 2026-06-19 2027-06-09 2028-05-28"},
		{"qixi", "2020-08-25 2021-08-14 2022-08-04 2023-08-22 2024-08-10 2025-08-29 2026-08-19"},
		{"zhongyuan", "2023-08-30 2024-08-18 2025-09-06 2026-08-27"},
		{"mid_autumn", "2008-09-14 2012-09-30 2017-10-04 2019-09-13 2020-10-01 2021-09-21 2022-09-10 2023-09-29 2024-09-17 2025-10-06 2026-09-25 2027-09-15 2028-10-03"},
		{"double_ninth", "2020-10-25 2021-10-14 2022-10-04 2023-10-23 2024-10-11 2025-10-29 2026-10-18"},
		{"winter_solstice", "2020-12-21 2021-12-21 2022-12-22 2023-12-22 2024-12-21 2025-12-21"},
		{"laba", "2020-01-02 2021-01-20 2022-01-10 2022-12-30 2024-01-18 2025-01-07 2026-01-26"},
	} {
		var date string
		for rest := tt.dates; len(rest) > 0; rest = rest[min(11, len(rest)):] {
			date = rest[:10]
			at, err := time.ParseInLocation(time.DateOnly, date, shanghai)
			if err != nil {
				t.Fatal(err)
			}
			for _, hour := range []int{0, 23} {
				if got := NewMoment(at.Add(time.Duration(hour)*time.Hour), shanghai); got.festival != tt.name {
					t.Errorf("%s at %d is %q, want %s (%+v)", date, hour, got.festival, tt.name, got.lunar)
				}
			}
		}
	}
	// A year has each festival once, but for the feast days of the last month.
	for year := 2000; year <= 2060; year++ {
		seen := map[string]int{}
		for day := dayOf(year, 1, 1); day <= dayOf(year, 12, 31); day++ {
			n := NewMoment(time.Unix(int64(day)*daySeconds, 0), time.UTC)
			seen[n.festival]++
		}
		for _, f := range festivals {
			if n := seen[f.name]; n != 1 && !(f.month == 12 && n <= 2) && !(f.name == "new_years_eve" && n <= 2) {
				t.Errorf("%s comes %d times in %d", f.name, n, year)
			}
		}
	}
}

// Leap months that trip calendars up: 2033 has one after the 11th, and none after the 7th.
func TestLeapMonths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		date string
		want lunarDate
	}{
		{"2020-05-22", lunarDate{4, 30, false, false}},
		{"2020-05-23", lunarDate{4, 1, true, false}},
		{"2025-07-25", lunarDate{6, 1, true, false}},
		{"2023-03-22", lunarDate{2, 1, true, false}},
		{"2033-08-25", lunarDate{8, 1, false, false}},
		{"2033-12-22", lunarDate{11, 1, true, false}},
		{"1999-12-31", lunarDate{}},
		{"2000-01-01", lunarDate{11, 25, false, false}},
		{"2060-12-31", lunarDate{12, 9, false, false}},
		{"2061-01-01", lunarDate{}},
	} {
		at, err := time.Parse(time.DateOnly, tt.date)
		if err != nil {
			t.Fatal(err)
		}
		if got := NewMoment(at, time.UTC).lunar; got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.date, got, tt.want)
		}
	}
}

// The calendar is that of the programme's zone.
func TestMoment(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 2, 28, 17, 5, 0, 0, time.UTC)
	for zone, want := range map[*time.Location]string{
		shanghai: "2026-03-01 01:05 7 1 5", time.UTC: "2026-02-28 17:05 6 4 5", newYork: "2026-02-28 12:05 6 4 5",
	} {
		n := NewMoment(at, zone)
		if got := fmt.Sprintf("%s %s %d %d %d", n.date, n.clock, n.weekday, (n.dom+6)/7, n.minute); got != want {
			t.Errorf("in %s: %s, want %s", zone, got, want)
		}
		if !n.Time().Equal(at) {
			t.Errorf("Time = %s", n.Time())
		}
	}
}
