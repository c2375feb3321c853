package coupon

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Codes of vouchers: random characters of an alphabet without look-alikes, and at the end one
// that finds mistakes of the hand. They are kept in capitals without dashes.

// alphabet is Crockford's base 32: no I, L, O and U, which are read as 1, 1, 0 and V.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	randomChars = 13 // of a code without a pattern: 65 bits
	bearerBits  = 60 // what a code needs that whoever guesses it may use
	maxPattern  = 40
)

// ErrPattern refuses a pattern of codes.
var ErrPattern = errs.New(errs.Invalid, "coupon.pattern", "The pattern does not do: {why}.", "券码格式不可用：{why}。")

// valueOf is the number of each character of the alphabet, plus one; 0 for others.
var valueOf = func() (v [256]byte) {
	for i := range len(alphabet) {
		v[alphabet[i]] = byte(i) + 1
	}
	return v
}()

// fold brings what somebody typed into the form in which codes are kept: capitals, without
// spaces and dashes, look-alikes as the character that the alphabet has.
func fold(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c == ' ' || c == '-' || c == '\t' || c == '\n' || c == '\r':
			continue
		}
		switch c {
		case 'O':
			c = '0'
		case 'I', 'L':
			c = '1'
		case 'U':
			c = 'V'
		}
		out = append(out, c)
	}
	return string(out)
}

// plain reports whether a folded code has characters of the alphabet only.
func plain(code string) bool {
	for i := range len(code) {
		if valueOf[code[i]] == 0 {
			return false
		}
	}
	return code != ""
}

// The check character makes a weighted sum over GF(32) come to zero. The weight of a place is
// a power of x, a generator of the field (x⁵ = x² + 1), so no weight is zero and neighbours
// differ: one wrong character, and two neighbours that were swapped, leave something other than
// zero. (Ordinary sums by 10 or 11 miss some; see the test, which tries all.)

// double multiplies by x in GF(32).
func double(v byte) byte {
	if v <<= 1; v&32 != 0 {
		v ^= 0b100101
	}
	return v
}

// residue is the weighted sum of a code by Horner's rule: the last character has weight 1.
func residue(code string) (sum byte) {
	for i := range len(code) {
		sum = double(sum) ^ (valueOf[code[i]] - 1)
	}
	return sum
}

// withCheck adds the check character to a code.
func withCheck(code string) string { return code + string(alphabet[double(residue(code))]) }

// sound reports whether a folded code has the right check character.
func sound(code string) bool { return len(code) >= 2 && plain(code) && residue(code) == 0 }

// shown is a code as people read it: in groups of four.
func shown(code string) string {
	var b strings.Builder
	for i := range len(code) {
		if i > 0 && i%4 == 0 && len(code)-i > 1 {
			b.WriteByte('-')
		}
		b.WriteByte(code[i])
	}
	return b.String()
}

// Pattern is how codes look: # is a random character, everything else stands as it is, and
// the check character follows.
type Pattern string

// defaultPattern is that of codes of which nobody says how they look.
const defaultPattern = Pattern("#############")

// check refuses a pattern that has no room for so many codes: ten times as many have to be
// there as are drawn, so that one is found at once and none is found by trying a few. Codes
// that whoever guesses may use have at least 60 bits.
func (p Pattern) check(n int64, bearer bool) (Pattern, error) {
	if p == "" {
		return defaultPattern, nil
	}
	wrong := func(en, zh string) error { return ErrPattern.With("why", errs.Word{EN: en, ZH: zh}).At("body.pattern") }
	text := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(string(p)))
	random := strings.Count(text, "#")
	fixed := strings.ReplaceAll(text, "#", "")
	switch {
	case len(text) > maxPattern:
		return "", wrong("it is longer than 40 characters", "超过 40 个字符")
	case random == 0:
		return "", wrong("it has no #", "缺少 #")
	case fixed != "" && !plain(fixed):
		return "", wrong("apart from # it has digits and capitals only, without I, L, O and U", "除 # 外只能有数字和大写字母，且不含 I、L、O、U")
	case bearer && random*5 < bearerBits:
		return "", wrong(fmt.Sprintf("codes that whoever has them may use need %d #", (bearerBits+4)/5), fmt.Sprintf("不记名券至少需要 %d 个 #", (bearerBits+4)/5))
	case float64(n)*10 > math.Pow(32, float64(random)):
		return "", wrong("it has too few # for so many codes", "# 太少，不足以生成这么多券码")
	}
	return Pattern(text), nil
}

// draw makes n codes of a pattern that differ from one another.
func (p Pattern) draw(n int) []string {
	random := strings.Count(string(p), "#")
	raw := make([]byte, random*n)
	if _, err := rand.Read(raw); err != nil {
		panic(err) // it does not fail
	}
	out, seen := make([]string, 0, n), make(map[string]bool, n)
	b := make([]byte, len(p))
	for len(out) < n {
		if len(raw) < random {
			raw = make([]byte, random*n)
			_, _ = rand.Read(raw)
		}
		at := 0
		for i := range len(p) {
			if b[i] = p[i]; p[i] == '#' {
				b[i] = alphabet[raw[at]&31] // 256 is a multiple of 32: no character is likelier
				at++
			}
		}
		raw = raw[random:]
		if code := withCheck(string(b)); !seen[code] {
			seen[code] = true
			out = append(out, code)
		}
	}
	return out
}

// shardOfCode is where a code lies.
func shardOfCode(code string) int64 {
	sum := sha256.Sum256([]byte(code))
	return int64(sum[0])
}
