package cond

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Value is a fact or an attribute: text, whole number, number with decimals, or yes/no. The
// zero Value is what is not known.
type Value struct{ val ref.Val }

// TextValue is a text, a date (2026-03-01) or a choice.
func TextValue(s string) Value { return Value{types.String(s)} }

// WholeValue is a whole number, or an amount of money in its smallest unit.
func WholeValue(n int64) Value { return Value{types.Int(n)} }

// NumberValue is a number with decimals, n divided by scale: 1500, 1000 is 1.5.
func NumberValue(n, scale int64) Value { return Value{types.Double(float64(n) / float64(scale))} }

// YesNoValue is yes or no.
func YesNoValue(b bool) Value { return Value{types.Bool(b)} }

// zero is the default of a type.
func (t Type) zero() ref.Val {
	switch t {
	case Whole, Money:
		return types.Int(0)
	case Number:
		return types.Double(0)
	case YesNo:
		return types.False
	}
	return types.String("")
}

// quote writes a text as a literal.
func quote(s string) string { return strconv.Quote(s) }

// parseMoney reads "12.50" as smallest units: digits, and at most as many decimals as the
// currency has. It is strict, for a condition is read more often than it is written.
func parseMoney(text string, decimals int) (int64, bool) {
	number, negative := strings.CutPrefix(text, "-")
	head, tail, dot := strings.Cut(number, ".")
	if head == "" || dot && tail == "" || len(tail) > decimals || len(head) > 12 {
		return 0, false
	}
	digits := head + tail + strings.Repeat("0", decimals-len(tail))
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strings.ContainsAny(digits, "+-") {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

// formatMoney writes smallest units as "12.50".
func formatMoney(n int64, decimals int) string {
	sign := ""
	if n < 0 {
		sign = "-"
	}
	digits := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	if decimals == 0 {
		return sign + digits
	}
	if short := decimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	cut := len(digits) - decimals
	return sign + digits[:cut] + "." + digits[cut:]
}
