package cond

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Step is one part of a condition that decided how it came out.
type Step struct {
	Text  string `json:"text" doc:"The part, as it stands in the condition." example:"sale.total >= money(\"100\")"`
	Value string `json:"value" doc:"What it looked at was." example:"99.00"`
	Holds bool   `json:"holds" doc:"Whether it held."`
}

// Explain evaluates the condition and lists, in the order of the text, the parts that decided:
// of a && b that does not hold only those that do not, of a || b that holds only those that
// do. It takes some ten times as long as Eval.
func (c *Cond) Explain(f *Facts) (holds bool, steps []Step, err error) {
	if err := c.given(f); err != nil {
		return false, nil, err
	}
	program, err := c.watched()
	if err != nil {
		return false, nil, ErrEval.With("reason", "plan").Because(err)
	}
	v, details, err := program.Eval(activation{f})
	if err != nil {
		return false, nil, evalFault(err)
	}
	x := &explainer{cond: c, state: details.State()}
	x.decide(c.AST().Expr())
	return v == types.True, x.steps, nil
}

// explainer collects steps from the values that an evaluation has left behind.
type explainer struct {
	cond  *Cond
	state interpreter.EvalState
	steps []Step
}

func (x *explainer) value(e ast.Expr) (ref.Val, bool) { return x.state.Value(e.ID()) }

// decide goes down to the parts that made e what it is.
func (x *explainer) decide(e ast.Expr) {
	mine, ok := x.value(e)
	if !ok {
		return
	}
	name, args := "", []ast.Expr(nil)
	if e.Kind() == ast.CallKind {
		name, args = e.AsCall().FunctionName(), e.AsCall().Args()
	}
	switch name {
	case "_&&_", "_||_":
		// One side that is enough decides alone; otherwise all do.
		enough := types.Bool(name == "_||_")
		for _, a := range args {
			if v, ok := x.value(a); ok && (mine != enough || v == enough) {
				x.decide(a)
			}
		}
	case "!_":
		if simple(args[0]) {
			x.leaf(e, mine)
			return
		}
		x.decide(args[0])
	case "_?_:_":
		for _, a := range args { // the branch that was not taken has no value
			x.decide(a)
		}
	default:
		if e.Kind() != ast.LiteralKind {
			x.leaf(e, mine)
		}
	}
}

// simple reports whether a negated part is best shown together with its sign.
func simple(e ast.Expr) bool {
	return e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "_&&_" && e.AsCall().FunctionName() != "_||_" && e.AsCall().FunctionName() != "!_"
}

// leaf notes a part that is not taken apart.
func (x *explainer) leaf(e ast.Expr, mine ref.Val) {
	var seen []string
	looked := []ast.Expr{e}
	if e.Kind() == ast.CallKind && operator(e.AsCall().FunctionName()) {
		looked = e.AsCall().Args()
		if e.AsCall().FunctionName() == "!_" && looked[0].Kind() == ast.CallKind && operator(looked[0].AsCall().FunctionName()) {
			looked = looked[0].AsCall().Args()
		}
	}
	for _, a := range looked {
		if v, ok := x.value(a); ok && !fixed(a) {
			seen = append(seen, x.show(a, v))
		}
	}
	x.steps = append(x.steps, Step{
		Text: x.cond.env.unparse(e, x.cond.AST().SourceInfo()), Value: strings.Join(seen, ", "), Holds: mine == types.True,
	})
}

// fixed reports whether a part is written out, so that its value says nothing new.
func fixed(e ast.Expr) bool {
	switch e.Kind() {
	case ast.LiteralKind:
		return true
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			if !fixed(x) {
				return false
			}
		}
		return true
	case ast.CallKind:
		return e.AsCall().FunctionName() == "money"
	}
	return false
}

// maxShown bounds a value in a trace; rows of the audit and answers hold many.
const maxShown = 80

// show writes a value for people.
func (x *explainer) show(e ast.Expr, v ref.Val) string {
	f := &finder{env: x.cond.env, tree: x.cond.AST()}
	var s string
	switch v := v.(type) {
	case types.Int:
		if s = strconv.FormatInt(int64(v), 10); f.unit(e) == Money {
			s = formatMoney(int64(v), x.cond.env.decimals)
		}
	case types.Double:
		s = strconv.FormatFloat(float64(v), 'f', -1, 64)
	case types.String:
		s = quote(string(v))
	case types.Bool:
		s = strconv.FormatBool(bool(v))
	default:
		s = fmt.Sprint(texts(v))
	}
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown]) + "…"
	}
	return s
}

// texts lists a list.
func texts(v ref.Val) any {
	if list, ok := v.Value().([]string); ok {
		return list
	}
	return "…"
}

// unparse writes a part as text.
func (e *Env) unparse(part ast.Expr, info *ast.SourceInfo) string {
	text, err := parser.Unparse(part, info, parser.WrapOnColumn(maxText))
	if err != nil {
		return "…"
	}
	return text
}

// onceProgram makes the program that keeps the values of all parts, when it is first wanted.
func onceProgram(ce *cel.Env, tree *cel.Ast) func() (cel.Program, error) {
	return sync.OnceValues(func() (cel.Program, error) {
		return ce.Program(tree, cel.EvalOptions(cel.OptTrackState), cel.CostLimit(2*maxCost))
	})
}

// evalFault turns what CEL says into our failures.
func evalFault(err error) error {
	if e := errs.As(err); e != nil {
		return e
	}
	reason := errs.Word{EN: "a number is out of range", ZH: "数值超出范围"}
	if cancelled := (interpreter.EvalCancelledError{}); errors.As(err, &cancelled) {
		reason = errs.Word{EN: "it takes too long", ZH: "计算量过大"}
	}
	return ErrEval.With("reason", reason).Because(err)
}
