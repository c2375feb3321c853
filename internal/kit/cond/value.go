package cond

import "cel.dev/cel-go/common/types"

// TextValue is a text, a date (2026-03-01) or a choice.
func TextValue(s string) Value { return Value{types.String(s)} }

// WholeValue is a whole number, or an amount of money in its smallest unit.
func WholeValue(n int64) Value { return Value{types.Int(n)} }

// NumberValue is a number with decimals, given exactly as n divided by scale.
func NumberValue(n, scale int64) Value { return Value{types.Double(float64(n) / float64(scale))} }

// YesNoValue is yes or no.
func YesNoValue(b bool) Value { return Value{types.Bool(b)} }
