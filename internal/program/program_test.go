package program

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Each row changes one thing in settings that would pass.
func TestSettingsCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Settings)
		want error
	}{
		{"good", func(*Settings) {}, nil},
		{"no name", func(s *Settings) { s.NameEN, s.NameZH = "", "" }, ErrName},
		{"one name", func(s *Settings) { s.NameEN = "" }, nil},
		{"longest name", func(s *Settings) { s.NameZH = strings.Repeat("客", 200) }, nil},
		{"name too long", func(s *Settings) { s.NameZH = strings.Repeat("客", 201) }, ErrName},
		{"zone of the list", func(s *Settings) { s.Zone = "America/St_Johns" }, nil},
		{"no zone", func(s *Settings) { s.Zone = "" }, ErrZone},
		{"the server's zone", func(s *Settings) { s.Zone = "Local" }, ErrZone},
		{"zone of nowhere", func(s *Settings) { s.Zone = "Asia/Peking" }, ErrZone},
		{"zone as a path", func(s *Settings) { s.Zone = "../../etc/passwd" }, ErrZone},
		{"other currency", func(s *Settings) { s.Currency = "JPY" }, nil},
		{"small currency", func(s *Settings) { s.Currency = "cny" }, money.ErrCurrency},
		{"no language", func(s *Settings) { s.Languages = nil }, ErrLanguage},
		{"language twice", func(s *Settings) { s.Languages = []string{"en", "en"} }, ErrLanguage},
		{"other language", func(s *Settings) { s.Languages = []string{"zh"} }, ErrLanguage},
		{"no points", func(s *Settings) { s.Earning.Points = 0 }, nil},
		{"negative points", func(s *Settings) { s.Earning.Points = -1 }, ErrEarning},
		{"most points", func(s *Settings) { s.Earning.Points = 1_000_000 }, nil},
		{"too many points", func(s *Settings) { s.Earning.Points = 1_000_001 }, ErrEarning},
		{"per nothing", func(s *Settings) { s.Earning.Per = 0 }, ErrEarning},
		{"per too much", func(s *Settings) { s.Earning.Per = 1_000_000_001 }, ErrEarning},
		{"other rounding", func(s *Settings) { s.Earning.Rounding = "up" }, ErrEarning},
		{"no point currency", func(s *Settings) { s.Earning.Currency = "" }, ErrCode},
		{"pending for a year", func(s *Settings) { s.Earning.PendingDays = 365 }, nil},
		{"pending for longer", func(s *Settings) { s.Earning.PendingDays = 366 }, ErrEarning},
		{"category without a name", func(s *Settings) { s.Earning.Excluded = []string{""} }, ErrEarning},
		{"too many categories", func(s *Settings) { s.Earning.Excluded = make([]string, 501) }, ErrEarning},
		{"no lines", func(s *Settings) { s.Limits.SaleLines = 0 }, ErrLimits},
		{"too many lines", func(s *Settings) { s.Limits.SaleLines = 1001 }, ErrLimits},
		{"too large a batch", func(s *Settings) { s.Limits.BatchSales = 201 }, ErrLimits},
		{"no attributes", func(s *Settings) { s.Limits.Attributes = 0 }, ErrLimits},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := Defaults()
			tt.edit(&s)
			if got := s.check(); !errors.Is(got, tt.want) {
				t.Errorf("check = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"main": true, "A": true, "bund-1": true, "a.b_c-D9": true, strings.Repeat("x", 40): true,
		"": false, "-a": false, ".a": false, "a b": false, "a/b": false, "店": false, strings.Repeat("x", 41): false,
	} {
		if got := goodCode(code); got != want {
			t.Errorf("goodCode(%q) = %v, want %v", code, got, want)
		}
	}
}

// The first instant of a day is on that day, and the instant before it is not: on every
// day of eighty years in zones where midnight is skipped (São Paulo, Beirut), comes twice
// (Havana), moves by half an hour (Lord Howe), or where a day is missing (Apia).
func TestDayStart(t *testing.T) {
	t.Parallel()
	zones := []string{"Asia/Shanghai", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "UTC"}
	for _, name := range zones {
		zone := mustZone(t, name)
		for d := Day(1); d < 80*365; d++ {
			start := d.Start(zone)
			if name == "Pacific/Apia" && d.String() == "2011-12-30" {
				continue // there was none: Samoa crossed the date line
			}
			on, before := start.In(zone).Format(time.DateOnly), start.Add(-1).In(zone).Format(time.DateOnly)
			if on != d.String() || before >= d.String() {
				t.Fatalf("%s in %s starts at %s", d, name, start.In(zone))
			}
		}
	}
	for _, tt := range []struct{ zone, day, want string }{
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // 00:00 -03 became 01:00 -02
		{"America/Havana", "2018-11-04", "2018-11-04T04:00:00Z"},    // 01:00 -04 became 00:00 -05
		{"Asia/Shanghai", "2026-03-01", "2026-02-28T16:00:00Z"},
	} {
		if got := mustDay(t, tt.day).Start(mustZone(t, tt.zone)).UTC().Format(time.RFC3339); got != tt.want {
			t.Errorf("%s in %s starts at %s, want %s", tt.day, tt.zone, got, tt.want)
		}
	}
}

func mustDay(t *testing.T, text string) Day {
	t.Helper()
	d, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestParseDay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1970-01-01": "1970-01-01", "2024-02-29": "2024-02-29", "9999-12-31": "9999-12-31",
		"2023-02-29": "", "1969-12-31": "", "2026-3-1": "", "": "", "2026-03-01T00:00:00Z": "",
	} {
		d, err := ParseDay(text)
		if (err == nil) != (want != "") || err == nil && d.String() != want {
			t.Errorf("ParseDay(%q) = %v, %v", text, d, err)
		}
	}
}

// What has a zone keeps it; what has none is in the programme's.
func TestParseTime(t *testing.T) {
	t.Parallel()
	zone := mustZone(t, "Asia/Shanghai")
	for text, want := range map[string]string{
		"2026-03-01T12:00:00Z":        "2026-03-01T12:00:00Z",
		"2026-03-01T12:00:00+02:00":   "2026-03-01T10:00:00Z",
		"2026-03-01T12:00:00.1239Z":   "2026-03-01T12:00:00.123Z",
		"2026-03-01T12:00:00":         "2026-03-01T04:00:00Z",
		"2026-03-01 12:00:00":         "2026-03-01T04:00:00Z",
		"2026-03-01 12:00":            "2026-03-01T04:00:00Z",
		"2026-03-01":                  "2026-02-28T16:00:00Z",
		"":                            "",
		"noon":                        "",
		"2026-13-01":                  "",
		"01/02/2026":                  "",
		"2026-03-01T12:00:00+0200":    "",
		"2026-03-01T12:00:00Z and so": "",
	} {
		got, err := ParseTime(text, zone)
		if want == "" {
			if !errors.Is(err, ErrTime) {
				t.Errorf("ParseTime(%q) = %v, %v; want ErrTime", text, got, err)
			}
			continue
		}
		if err != nil || got.Format("2006-01-02T15:04:05.999Z07:00") != want {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		amount           int64
		from, to         string
		millionths, want int64
		ok               bool
	}{
		{"dollars in yuan", 1000, "USD", "CNY", 7_100_000, 7100, true},
		{"same currency", 1000, "CNY", "CNY", RateOne, 1000, true},
		{"half to even, down", 5, "USD", "CNY", 500_000, 2, true},
		{"half to even, up", 7, "USD", "CNY", 500_000, 4, true},
		{"yen have no decimals", 100, "JPY", "CNY", 48_000, 480, true},
		{"into yen", 480, "CNY", "JPY", 20_833_333, 100, true},
		{"dinars have three", 1000, "KWD", "CNY", 23_000_000, 2300, true},
		{"nothing", 0, "USD", "CNY", 7_100_000, 0, true},
		{"past the limit", money.Max, "USD", "CNY", 7_100_000, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := Convert(tt.amount, tt.from, tt.to, tt.millionths)
			if got != tt.want || ok != tt.ok {
				t.Errorf("Convert = %d, %v; want %d, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestFormatRate(t *testing.T) {
	t.Parallel()
	for millionths, want := range map[int64]string{7_100_000: "7.1", 1: "0.000001", 1_000_000: "1", 10_000_000: "10", 123_456_789: "123.456789"} {
		if got := formatRate(millionths); got != want {
			t.Errorf("formatRate(%d) = %s, want %s", millionths, got, want)
		}
	}
}
