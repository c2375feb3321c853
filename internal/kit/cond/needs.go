package cond

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// finder walks the tree of one text: what it needs and uses, and what CEL's types do not see.
type finder struct {
	env   *Env
	kind  Kind
	text  string
	info  *ast.SourceInfo
	tree  *ast.AST // checked; while faults of the check are explained, only read
	needs []Need
	uses  []string
}

// at is the place of a part: of a field or a function its name, of an operation its sign.
func (f *finder) at(e ast.Expr) place {
	loc := f.info.GetStartLocation(e.ID())
	at := place{loc.Line(), loc.Column() + 1}
	lines := strings.Split(f.text, "\n")
	if at.line < 1 || at.line > len(lines) {
		return at
	}
	row := []rune(lines[at.line-1])
	switch {
	case e.Kind() == ast.SelectKind:
		at.column = ahead(row, at.column, e.AsSelect().FieldName())
	case e.Kind() == ast.CallKind && !operator(e.AsCall().FunctionName()):
		name := e.AsCall().FunctionName()
		if i := strings.LastIndex(string(row[:min(at.column, len(row))]), name); i >= 0 {
			at.column = utf8.RuneCountInString(string(row)[:i]) + 1
		}
	}
	return at
}

// ahead is the column from which on a name stands, or the column itself.
func ahead(row []rune, column int, name string) int {
	if column < 1 || column > len(row) {
		return column
	}
	rest := string(row[column-1:])
	if i := strings.Index(rest, name); i >= 0 {
		return column + utf8.RuneCountInString(rest[:i])
	}
	return column
}

// node finds a part by its number.
func (f *finder) node(id int64) (found ast.Expr) {
	ast.PreOrderVisit(f.tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.ID() == id {
			found = e
		}
	}))
	return found
}

// guess is the type of a part that was not checked, or nil.
func (f *finder) guess(e ast.Expr) *cel.Type {
	switch e.Kind() {
	case ast.IdentKind:
		switch name := e.AsIdent(); name {
		case "member":
			return memberType
		case "sale":
			return saleType
		case "line":
			return lineType
		case "event":
			return eventType
		case "now":
			return nowType
		default:
			return f.elementOf(name)
		}
	case ast.SelectKind:
		if of := f.guess(e.AsSelect().Operand()); of != nil {
			if w := f.env.byType[of.TypeName()][e.AsSelect().FieldName()]; w != nil {
				return w.celType()
			}
		}
	case ast.ComprehensionKind: // of filter: as what it goes through
		return f.guess(e.AsComprehension().IterRange())
	}
	return nil
}

// elementOf is the type of a name that exists, all, filter or map has given.
func (f *finder) elementOf(name string) (t *cel.Type) {
	ast.PreOrderVisit(f.tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.ComprehensionKind || e.AsComprehension().IterVar() != name || t != nil {
			return
		}
		if list := f.guess(e.AsComprehension().IterRange()); list != nil && list.Kind() == types.ListKind {
			t = list.Parameters()[0]
		}
	}))
	return t
}

// bounded refuses what nests too deep or is too large once exists and its like are written out.
func (f *finder) bounded(root ast.Expr) error {
	deep := ErrDeep.With("nodes", maxNodes, "depth", maxDepth)
	nodes := 0
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(ast.Expr) { nodes++ }))
	if nodes > maxNodes {
		return deep
	}
	return nil
}

// inspect walks the checked tree and collects needs and uses.
func (f *finder) inspect() error {
	var fault error
	ast.PreOrderVisit(f.tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if fault == nil {
			fault = f.part(e)
		}
	}))
	if fault != nil {
		return fault
	}
	slices.SortFunc(f.needs, func(a, b Need) int {
		return cmp.Or(cmp.Compare(a.Fact, b.Fact), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Days, b.Days))
	})
	f.needs = slices.Compact(f.needs)
	slices.Sort(f.uses)
	f.uses = slices.Compact(f.uses)
	return nil
}

// part looks at one part of the tree.
func (f *finder) part(e ast.Expr) error {
	switch e.Kind() {
	case ast.MapKind, ast.StructKind:
		return f.foreign(e, errs.Word{EN: "{…}", ZH: "{…}"})
	case ast.LiteralKind:
		return f.literal(e)
	case ast.ListKind:
		if t := f.tree.GetType(e.ID()); t.Parameters()[0].Kind() == types.DynKind {
			return f.at(e).fill(ErrType).With("found", errs.Word{EN: "a list of different things", ZH: "不同类型的列表"},
				"expected", errs.Word{EN: "a list holds texts only, or numbers only", ZH: "列表只能全为文本或全为数字"})
		}
	case ast.SelectKind:
		if w := f.word(e); w != nil {
			f.uses = append(f.uses, w.fullName())
		}
	case ast.CallKind:
		return f.call(e)
	}
	return nil
}

func (f *finder) foreign(e ast.Expr, found errs.Word) error {
	return f.at(e).fill(ErrType).With("found", found, "expected", errs.Word{
		EN: "conditions know texts, numbers, true and false, and lists of these", ZH: "条件中只有文本、数字、true、false 及其列表"})
}

// literal refuses what no field has the type of, and texts that no field could hold. What
// exists and its like are written out with is not the text's own and passes.
func (f *finder) literal(e ast.Expr) error {
	switch v := e.AsLiteral().(type) {
	case types.Bool, types.Int, types.Double:
		return nil
	case types.String:
		if utf8.RuneCountInString(string(v)) > maxLiteral {
			return f.at(e).fill(ErrType).With("found", errs.Word{EN: "this text", ZH: "该文本"}, "expected",
				errs.Word{EN: fmt.Sprintf("at most %d characters are", maxLiteral), ZH: fmt.Sprintf("最多 %d 个字符", maxLiteral)})
		}
		return nil
	default:
		token := tokenAt(f.text, f.at(e))
		return f.foreign(e, errs.Word{EN: token, ZH: token})
	}
}

// word is the vocabulary's word of a field or of a call, or nil.
func (f *finder) word(e ast.Expr) *word {
	switch e.Kind() {
	case ast.SelectKind:
		return f.env.byType[f.tree.GetType(e.AsSelect().Operand().ID()).TypeName()][e.AsSelect().FieldName()]
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return f.env.byType[f.tree.GetType(call.Target().ID()).TypeName()][call.FunctionName()]
		}
		return f.env.alone[call.FunctionName()]
	}
	return nil
}

// call looks at an operation or a function.
func (f *finder) call(e ast.Expr) error {
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case "_/_", "_%_":
		if v, ok := constant(args[1]); !ok || v.Equal(types.Int(0)) == types.True {
			return f.at(e).fill(ErrDivisor)
		}
	case "money":
		text, ok := constant(args[0])
		_, isText := text.(types.String)
		if ok = ok && isText; ok {
			_, ok = parseMoney(string(text.(types.String)), f.env.decimals)
		}
		if !ok {
			return f.notConstant(e, "money", errs.Word{EN: "an amount as " + f.env.amount(1250), ZH: "金额，如 " + f.env.amount(1250)})
		}
	case "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_+_", "_-_", "min", "max":
		return cmp.Or(f.pair(e, name, args[0], args[1]), f.pair(e, name, args[1], args[0]))
	case "@in":
		if args[1].Kind() == ast.ListKind {
			for _, x := range args[1].AsList().Elements() {
				if err := f.pair(e, name, args[0], x); err != nil {
					return err
				}
			}
		}
	default:
		if w := f.word(e); w != nil {
			return f.ask(e, w)
		}
	}
	return nil
}

// ask looks at the call of a function of ours.
func (f *finder) ask(e ast.Expr, w *word) error {
	f.uses = append(f.uses, w.fullName())
	if !w.fact {
		return nil
	}
	need := Need{Fact: w.fullName()}
	for i, a := range e.AsCall().Args() {
		v, ok := constant(a)
		if !ok {
			return f.notConstant(a, w.signature(), errs.Word{EN: w.args[i].EN, ZH: w.args[i].ZH})
		}
		switch v := v.(type) {
		case types.Int:
			if v < 1 || v > maxDays {
				return f.notConstant(a, w.signature(), errs.Word{EN: fmt.Sprintf("1 to %d days", maxDays), ZH: fmt.Sprintf("1 至 %d 天", maxDays)})
			}
			need.Days = int64(v)
		case types.String:
			if values := w.args[i].Values; values != nil && !slices.Contains(values, string(v)) || v == "" {
				return f.never(a, w.args[i].EN, string(v), values)
			}
			need.Text = string(v)
		}
	}
	f.needs = append(f.needs, need)
	return nil
}

func (f *finder) notConstant(e ast.Expr, name string, expected errs.Word) error {
	return f.at(e).fill(ErrConstant).With("name", name, "expected", expected)
}

// never refuses a value that a field or an argument does not take.
func (f *finder) never(e ast.Expr, name, value string, values []string) error {
	shown := values[:min(len(values), 12)]
	list := strings.Join(shown, ", ")
	if slices.Contains(shown, "") {
		list += `""`
	}
	return f.at(e).fill(ErrValue).With("name", name, "found", quote(value),
		"expected", errs.Word{EN: "it is one of: " + list, ZH: "可选值：" + list}, "hint", didYouMean(near(value, values)))
}

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

// constant is the value of a part that is written out: a literal, or one with a minus sign.
func constant(e ast.Expr) (v ref.Val, ok bool) {
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral(), true
	}
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "-_" && e.AsCall().Args()[0].Kind() == ast.LiteralKind {
		switch n := e.AsCall().Args()[0].AsLiteral().(type) {
		case types.Int:
			return -n, true
		case types.Double:
			return -n, true
		}
	}
	return nil, false
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
