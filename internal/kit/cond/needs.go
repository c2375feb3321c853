package cond

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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
