package coupon

import (
	"math"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Each single mistyped character and each pair of neighbours that was swapped is found, in
// codes of several lengths. The test tries all of them.
func TestCheckCharacter(t *testing.T) {
	t.Parallel()
	for _, p := range []Pattern{defaultPattern, "TEA##########", "########"} {
		for _, code := range p.draw(50) {
			if !sound(code) {
				t.Fatalf("%s is not sound", code)
			}
			for i := range len(code) {
				for j := range len(alphabet) {
					if alphabet[j] != code[i] {
						if wrong := code[:i] + string(alphabet[j]) + code[i+1:]; sound(wrong) {
							t.Fatalf("%s passes for %s", wrong, code)
						}
					}
				}
				if i > 0 && code[i-1] != code[i] {
					if wrong := code[:i-1] + string(code[i]) + string(code[i-1]) + code[i+1:]; sound(wrong) {
						t.Fatalf("%s passes for %s", wrong, code)
					}
				}
			}
		}
	}
}

// Of a million codes none comes twice, and each character is as likely as another in each
// place: χ² with 31 degrees of freedom stays below what one in a million tests would pass.
func TestDraw(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	const bound = 92.0 // χ²(31) at 1 - 1e-7
	codes := defaultPattern.draw(n)
	seen := make(map[string]bool, n)
	var counts [randomChars][32]float64
	for _, code := range codes {
		if seen[code] || len(code) != randomChars+1 {
			t.Fatalf("%s comes twice or is too long", code)
		}
		seen[code] = true
		for i := range randomChars {
			counts[i][strings.IndexByte(alphabet, code[i])]++
		}
	}
	for i, list := range counts {
		var chi float64
		for _, x := range list {
			chi += math.Pow(x-n/32.0, 2) / (n / 32.0)
		}
		if chi > bound {
			t.Errorf("place %d: χ² = %.1f", i, chi)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"7k3q-x9pw df0m": "7K3QX9PWDF0M", "OIlLo": "01110", "u": "V", "WELCOME2026": "WE1C0ME2026", " a b ": "AB", "茶": "茶",
	} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
	if plain("茶") || plain("") || !plain("7K3Q") {
		t.Error("plain")
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in     Pattern
		n      int64
		bearer bool
		want   Pattern
	}{
		{"", 1_000_000, true, defaultPattern},
		{"tea-####-####-####", 1000, true, "TEA############"},
		{"tea-####-####-###", 1000, true, ""}, // 55 bits
		{"tea-####-####-###", 1000, false, "TEA###########"},
		{"###", 3276, false, "###"},
		{"###", 3277, false, ""}, // 32768 codes: not ten times as many
		{"LOVE-############", 10, true, ""},
		{"TEA", 1, false, ""},
		{Pattern(strings.Repeat("#", 41)), 1, false, ""},
	} {
		got, err := tt.in.check(tt.n, tt.bearer)
		if got != tt.want || (err != nil) != (tt.want == "") || err != nil && errs.As(err).Code != "coupon.pattern" {
			t.Errorf("%s of %d: %q, %v", tt.in, tt.n, got, err)
		}
	}
}

// A place survives its cursor.
func TestPlace(t *testing.T) {
	t.Parallel()
	for _, code := range append(defaultPattern.draw(20), "", "0", "Z", "TEA0000000000", strings.Repeat("7Z", 20)) {
		first, p, ok, err := placeOf(place{-5, code}.cursor(2), 1)
		if err != nil || !ok || p != (place{-5, code}) || first[0] != 2 {
			t.Errorf("%q came back as %+v, %v", code, p, err)
		}
	}
	if _, _, ok, err := placeOf("", 1); ok || err != nil {
		t.Error("an empty cursor is a place")
	}
}
