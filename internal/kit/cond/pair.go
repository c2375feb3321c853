package cond

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// pair looks at two sides that are compared or added: what, and the value beside it.
func (f *finder) pair(e ast.Expr, sign string, what, value ast.Expr) error {
	t := f.tree.GetType(what.ID())
	if t.Kind() == types.StructKind || t.Kind() == types.ListKind && sign != "_+_" {
		return f.at(e).fill(ErrType).With("found", typeWord(t), "expected", errs.Word{EN: "compare its fields", ZH: "请比较其字段"})
	}
	v, ok := constant(value)
	if !ok {
		return nil
	}
	if number := bare(v); number != "" && f.unit(what) == Money {
		return f.at(value).fill(ErrMoney).With("name", f.env.unparse(what, f.info), "expected", "money("+quote(number)+")")
	}
	w := f.word(what)
	if w == nil {
		return nil
	}
	return f.possible(value, sign, w, v)
}

// bare is a number that stands for itself, as a text; "" for 0, which is nothing of anything.
func bare(v ref.Val) string {
	switch n := v.(type) {
	case types.Int:
		if n != 0 {
			return strconv.FormatInt(int64(n), 10)
		}
	case types.Double:
		return strconv.FormatFloat(float64(n), 'f', -1, 64)
	}
	return ""
}

// possible refuses a comparison with a value that the field never has.
func (f *finder) possible(value ast.Expr, sign string, w *word, v any) error {
	equal := sign == "_==_" || sign == "_!=_" || sign == "@in"
	switch v := v.(type) {
	case types.Int:
		if equal && w.max > 0 && (int64(v) < w.min || int64(v) > w.max) {
			return f.at(value).fill(ErrValue).With("name", w.fullName(), "found", fmt.Sprint(v), "hint", errs.Word{}, "expected",
				errs.Word{EN: fmt.Sprintf("it runs from %d to %d", w.min, w.max), ZH: fmt.Sprintf("范围为 %d 至 %d", w.min, w.max)})
		}
	case types.String:
		switch {
		case w.values != nil && equal && !slices.ContainsFunc(w.values, func(c Choice) bool { return c.Value == string(v) }):
			var values []string
			for _, c := range w.values {
				values = append(values, c.Value)
			}
			return f.never(value, w.fullName(), string(v), values)
		case w.typ == Date && v != "" && !parses(time.DateOnly, string(v)):
			return f.at(value).fill(ErrValue).With("name", w.fullName(), "found", quote(string(v)), "hint", errs.Word{},
				"expected", errs.Word{EN: "write a date as 2026-03-01", ZH: "日期请写成 2026-03-01"})
		case w.typ == Hour && !parses("15:04", string(v)):
			return f.at(value).fill(ErrValue).With("name", w.fullName(), "found", quote(string(v)), "hint", errs.Word{},
				"expected", errs.Word{EN: "write a time as 09:30", ZH: "时刻请写成 09:30"})
		}
	}
	return nil
}

func parses(layout, text string) bool {
	t, err := time.Parse(layout, text)
	return err == nil && t.Format(layout) == text
}

// unit says what a whole number counts: Money, or Whole for anything else.
func (f *finder) unit(e ast.Expr) Type {
	if w := f.word(e); w != nil && w.typ == Money {
		return Money
	}
	either := func(parts ...ast.Expr) Type {
		for _, p := range parts {
			if f.unit(p) == Money {
				return Money
			}
		}
		return Whole
	}
	switch e.Kind() {
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case "_+_", "_-_", "_*_", "-_", "min", "max":
			return either(call.Args()...)
		case "_?_:_":
			return either(call.Args()[1:]...)
		case "sum":
			return f.unit(call.Target())
		}
	case ast.ComprehensionKind: // of map: what it puts into the list
		return either(e.AsComprehension().LoopStep())
	case ast.ListKind:
		return either(e.AsList().Elements()...)
	}
	return Whole
}
