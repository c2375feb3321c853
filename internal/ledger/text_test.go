package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
)

func TestInert(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "coffee": "coffee", "=1+1": "'=1+1", "+86": "'+86", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx", "|x": "'|x", "a=b": "a=b", "积分": "积分",
	} {
		if got := inert(text); got != want {
			t.Errorf("inert(%q) = %q, want %q", text, got, want)
		}
	}
}

// A date is a whole day of the programme: its beginning, or with one day more its end.
func TestInstant(t *testing.T) {
	t.Parallel()
	at := func(text string) int64 {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMilli()
	}
	for _, tt := range []struct {
		text string
		days program.Day
		want int64
	}{
		{"", 0, 0},
		{"", 1, 0},
		{"2026-03-10", 0, at("2026-03-09T16:00:00Z")},
		{"2026-03-10", 1, at("2026-03-10T16:00:00Z")},
		{"2026-12-31", 1, at("2026-12-31T16:00:00Z")},
		{"2026-03-10T12:00:00", 1, at("2026-03-10T04:00:00Z")},
		{"2026-03-10T12:00:00Z", 1, at("2026-03-10T12:00:00Z")},
		{"2026-03-10T12:00:00.123Z", 0, at("2026-03-10T12:00:00.123Z")},
		{"1970-01-01T00:00:00Z", 0, 1}, // 0 would stand for "not given"
	} {
		if got, err := instant(tt.text, shanghai, tt.days, "body.x"); err != nil || got != tt.want {
			t.Errorf("instant(%q, %d) = %d, %v, want %d", tt.text, tt.days, got, err, tt.want)
		}
	}
	for _, text := range []string{"soon", "2026-02-30", "1969-12-31", "10000-01-01T00:00:00Z", "2026-03-10 25:00"} {
		if _, err := instant(text, shanghai, 0, "body.x"); !errors.Is(err, program.ErrTime) {
			t.Errorf("instant(%q): %v", text, err)
		}
	}
}

// Every kind of entry has a word in both languages.
func TestTitles(t *testing.T) {
	t.Parallel()
	for k := range kindNames {
		if en, zh := k.Title("en"), k.Title("zh-CN"); en == k.String() || zh == k.String() || en == zh {
			t.Errorf("%s is %q and %q", k, en, zh)
		}
	}
}

// A programme's worth passes 64 bits on the way, and is exact all the same.
func TestWorth(t *testing.T) {
	t.Parallel()
	c := &Currency{Code: "x", Policy: Policy{UnitValue: 1_000_000_000_000}}
	if got, err := c.worth(9_000_000_000_000); err != nil || got != 9_000_000_000_000_000_000 {
		t.Errorf("worth = %d, %v", got, err)
	}
	if _, err := c.worth(10_000_000_000_000); err == nil {
		t.Error("what does not fit is not refused")
	}
	c.Policy.UnitValue = 333_333
	if got, _ := c.worth(10); got != 3 {
		t.Errorf("worth = %d, want 3: rounded down", got)
	}
}
