package api

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

func fieldsOf(err error) []errs.Field { return errs.As(err).Fields }

// Every message that Huma can make is in the table, says something in both languages, and
// takes as many values as its token gives.
func TestValidations(t *testing.T) {
	t.Parallel()
	for _, v := range validations {
		if !strings.HasPrefix(*v.message, mark) {
			t.Errorf("%s: the message of Huma was not replaced", v.code)
		}
		f := v.field("body.x", "one", "two")
		if f.EN == "" || f.ZH == "" || f.EN == f.ZH || strings.Contains(f.EN+f.ZH, "{") {
			t.Errorf("%s: %q, %q", v.code, f.EN, f.ZH)
		}
		for i := range v.args {
			place := "{" + string(rune('0'+i)) + "}"
			named := strings.HasPrefix(v.code, "value.required") && i == 0 // it goes into the location
			if !named && (!strings.Contains(v.en, place) || !strings.Contains(v.zh, place)) {
				t.Errorf("%s: a text does not show %s", v.code, place)
			}
		}
	}
	for text, c := range fixed {
		if c.en == "" || c.zh == "" || c.code == "" {
			t.Errorf("%q has no text", text)
		}
	}
}

func TestFormatToken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format string
		args   []any
		want   string
	}{
		{mark + "3" + mark + "%v", []any{1e12}, mark + "3" + mark + "1000000000000"},
		{mark + "3", []any{"the value that was sent"}, mark + "3"},
		{"other %d", []any{3}, "other 3"},
	} {
		if got := formatToken(tt.format, tt.args...); got != tt.want {
			t.Errorf("formatToken(%q) = %q, want %q", tt.format, got, tt.want)
		}
	}
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for header, taken := range map[string]bool{
		"00-" + id + "-00f067aa0ba902b7-01":                      true,
		"01-" + id + "-00f067aa0ba902b7-01-more":                 true,
		"ff-" + id + "-00f067aa0ba902b7-01":                      false,
		"00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01":     false,
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01": false,
		"00-" + id: false,
		"":         false,
		"00-" + id[:31] + "g-00f067aa0ba902b7-01": false,
	} {
		got := traceID(header)
		if (got == id) != taken || len(got) != 32 || !isHex(got) {
			t.Errorf("traceID(%q) = %q", header, got)
		}
	}
	if one, other := traceID(""), traceID(""); one == other {
		t.Error("two requests have one trace id")
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	if got := clip(strings.Repeat("a", maxPath)); len(got) != maxPath {
		t.Errorf("clipped a path that fits: %d", len(got))
	}
	if got := clip("a" + strings.Repeat("界", maxPath)); len(got) > maxPath+len("…") || !strings.HasSuffix(got, "界…") {
		t.Errorf("clip = %q", got)
	}
}
