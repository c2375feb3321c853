package member

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     Kind
		in, want string // want "" for a refusal
	}{
		{KindPhone, "13800138000", "+8613800138000"},
		{KindPhone, " 138-0013-8000 ", "+8613800138000"},
		{KindPhone, "+86 13800138000", "+8613800138000"},
		{KindPhone, "8613800138000", "+8613800138000"},
		{KindPhone, "１３８００１３８０００", "+8613800138000"}, // typed with a Chinese keyboard
		{KindPhone, "010-62345678", "+861062345678"},
		{KindPhone, "+44 20 7946 0958", "+442079460958"},
		{KindPhone, "0044 20 7946 0958", "+442079460958"},
		{KindPhone, "12800138000", "+8612800138000"}, // no network has it: for made-up members
		{KindPhone, "11800138000", ""},
		{KindPhone, "1380013800", ""},
		{KindPhone, "138001380000", ""},
		{KindPhone, "", ""},
		{KindPhone, "+8613800138000 ext 5", ""},
		{KindEmail, " A.B@Example.COM ", "a.b@example.com"},
		{KindEmail, "ａ@example.com", "a@example.com"},
		{KindEmail, "a@bücher.example", "a@xn--bcher-kva.example"},
		{KindEmail, "李@例子.中国", "李@xn--fsqu00a.xn--fiqs8s"},
		{KindEmail, "a b@example.com", ""},
		{KindEmail, "@example.com", ""},
		{KindEmail, "a@", ""},
		{KindEmail, "a@localhost", ""},
		{KindEmail, "a@example.com.", ""},
		{KindEmail, strings.Repeat("a", 65) + "@example.com", ""},
		{KindCard, " Ab-12 ", "Ab-12"},
		{KindCard, "ＡＢ", "AB"},
		{KindCard, "a b", ""},
		{KindCard, strings.Repeat("1", 65), ""},
		{KindExternal, "CDNow/4", "cdnow/4"},
		{KindExternal, "shop / A b ", "shop/A b"},
		{KindExternal, "a/b/c", "a/b/c"},
		{KindExternal, "shop/", ""},
		{KindExternal, "/4", ""},
		{KindExternal, "店/4", ""},
		{KindWeChat, "oXyZ_-1", "oXyZ_-1"},
		{KindCard, "\xff", ""},
		{"passport", "x", ""},
	} {
		got, err := normalise(tt.kind, tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("normalise(%s, %q) = %q, %v; want %q", tt.kind, tt.in, got, err, tt.want)
		}
	}
}

// Normalising what is normal changes nothing, and what is spelt otherwise stays the same.
func TestNormaliseTwice(t *testing.T) {
	t.Parallel()
	any := rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune(" +-0123456789@./aZ１ＡéÅﬁ\u00a0\u0301例İß")), rapid.Rune()))
	likely := map[Kind]*rapid.Generator[string]{
		KindPhone:    rapid.StringMatching(`\+?(86)?[ -]?1[3-9][0-9]( ?[0-9]{4}){2}`),
		KindEmail:    rapid.StringMatching(`[a-zA-Z0-9.ÅéİßＡ]{1,9}@[a-zA-Zü]{1,9}\.(com|CN|中国)`),
		KindExternal: rapid.StringMatching(`[a-zA-Z]{1,5} ?/ ?[a-zA-Z0-9/Åﬁ ]{1,9}`),
		KindCard:     rapid.StringMatching(`[ \x{3000}]?[a-zA-Z0-9Ａ-Ｚﬁ]{1,9} ?`),
		KindWeChat:   rapid.StringMatching(`[a-zA-Z0-9_-]{1,28}`),
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		text := rapid.OneOf(likely[k], any).Draw(t, "text")
		once, err := normalise(k, text)
		if err != nil {
			return
		}
		if twice, err := normalise(k, once); err != nil || twice != once {
			t.Fatalf("%q → %q → %q, %v", text, once, twice, err)
		}
		if padded, err := normalise(k, "  "+text+"\u3000"); err != nil || padded != once {
			t.Fatalf("with spaces around: %q, %v; want %q", padded, err, once)
		}
		if n := len([]rune(Mask(k, once))); n == 0 || Mask(k, once) == once && !strings.Contains(once, "*") {
			t.Fatalf("Mask(%q) = %q", once, Mask(k, once))
		}
	})
}

func TestMask(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     Kind
		in, want string
	}{
		{KindPhone, "+8613800136027", "138****6027"},
		{KindPhone, "+442079460958", "+442****58"},
		{KindEmail, "li.ming@example.com", "l***@example.com"},
		{KindCard, "690123456789", "69****89"},
		{KindCard, "6901", "****"},
	} {
		if got := Mask(tt.kind, tt.in); got != tt.want {
			t.Errorf("Mask(%s) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestParseRef(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want error
	}{
		{ID(7).String(), nil},
		{"no:8000007", nil},
		{"phone:13800138000", nil},
		{"qr:ABC", nil},
		{"", ErrRef},
		{"13800138000", ErrRef},
		{"phone:", ErrRef},
		{"passport:1", ErrRef},
		{"no:x", ErrRef},
		{"no:8000000", ErrNotFound},
		{"no:1", ErrNotFound},
		{"mem_x", ErrNotFound},
		{"phone:1", ErrPhone},
		{"email:x", ErrEmail},
		{"ext:4", ErrExternal},
	} {
		r, err := ParseRef(tt.text)
		if !errors.Is(err, tt.want) || (err != nil) != r.IsZero() && tt.text[:1] != "m" {
			t.Errorf("ParseRef(%q) = %+v, %v; want %v", tt.text, r, err, tt.want)
		}
	}
}

// A birthday that is taken is a date of the calendar between 1900 and today; what it tells
// is worked out here by the calendar of package time.
func TestBirthday(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.IntRange(-40, 46113).Draw(t, "day") // since 1900; the last few are in the future
		at := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		b, err := parseBirthday(at.Format(time.DateOnly), today)
		if good := day >= 0 && !at.After(today); good != (err == nil) {
			t.Fatalf("%s: %v", at.Format(time.DateOnly), err)
		}
		if err != nil {
			return
		}
		if b.Year() != at.Year() || b.MonthDay() != int(at.Month())*100+at.Day() {
			t.Fatalf("%s: year %d, month and day %d", b, b.Year(), b.MonthDay())
		}
		short, err := parseBirthday("--"+at.Format("01-02"), today)
		if err != nil || short.Year() != 0 || short.MonthDay() != b.MonthDay() {
			t.Fatalf("%s: year %d, month and day %d, %v", short, short.Year(), short.MonthDay(), err)
		}
	})
}

// Folding a folded name changes nothing, and every token that a search asks for is one that
// the name has.
func TestNameTokens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("王小明 aÉßİ-'ガ한")), rapid.Rune()), 0, 30, -1).Draw(t, "name")
		folded := foldName(name)
		if again := foldName(folded); again != folded {
			t.Fatalf("%q → %q → %q", name, folded, again)
		}
		have := map[string]bool{}
		for _, token := range nameTokens(name) {
			have[token] = true
		}
		for _, token := range queryTokens(name) {
			if !have[token] {
				t.Fatalf("%q asks for %q and has %v", name, token, have)
			}
		}
		if folded != "" && !nameMatches(name, name) {
			t.Fatalf("%q does not match itself", name)
		}
	})
}

func TestFromText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind AttributeKind
		text string
		want any // nil for a refusal
	}{
		{NumberAttribute, " 38.5 ", 38.5},
		{NumberAttribute, "x", nil},
		{NumberAttribute, "1e400", nil},
		{BooleanAttribute, "TRUE", true},
		{BooleanAttribute, "0", false},
		{BooleanAttribute, "maybe", nil},
		{DateAttribute, "2026-03-01", "2026-03-01"},
		{DateAttribute, "1.3.2026", nil},
		{TextAttribute, "a", "a"},
		{TextAttribute, "", nil},
	} {
		got, err := Attribute{Key: "k", Kind: tt.kind}.FromText(tt.text)
		if got != tt.want || (err == nil) != (tt.want != nil) {
			t.Errorf("%s %q: %v, %v; want %v", tt.kind, tt.text, got, err, tt.want)
		}
	}
}
