package cond

import (
	"slices"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Cond is a compiled condition or amount. It is safe for many goroutines.
type Cond struct {
	env     *Env
	kind    Kind
	text    string
	tree    *cel.Ast
	needs   []Need
	uses    []string
	program cel.Program
	guards  []guard // of a condition: parts that are asked before the program
	guarded bool    // they are all of it
	asksWho bool
	watched func() (cel.Program, error) // the same, with the values of all parts kept; made when first asked for
}

// Compile turns a text into a condition, or says what is wrong with it and where.
func (e *Env) Compile(text string, kind Kind) (*Cond, error) {
	return e.compile(text, kind, cel.BoolType, errs.Word{EN: "a condition: yes or no", ZH: "条件（是或否）"})
}

// CompileAmount turns a text into an amount: a whole number of points or of money.
func (e *Env) CompileAmount(text string, kind Kind) (*Cond, error) {
	return e.compile(text, kind, cel.IntType, errs.Word{EN: "a whole number", ZH: "整数"})
}

func (e *Env) compile(text string, kind Kind, want *cel.Type, wantWord errs.Word) (*Cond, error) {
	if n := utf8.RuneCountInString(text); n > maxText {
		return nil, ErrLong.With("n", n, "max", maxText)
	}
	ce := e.kinds[kind]
	source := common.NewTextSource(text)
	parsed, issues := ce.ParseSource(source)
	if len(issues.Errors()) > 0 {
		return nil, e.syntaxFault(text, issues)
	}
	c := &Cond{env: e, kind: kind, text: text}
	f := &finder{env: e, kind: kind, text: text, info: parsed.NativeRep().SourceInfo()}
	if err := f.bounded(parsed.NativeRep().Expr()); err != nil {
		return nil, err
	}
	checked, issues := ce.Check(parsed)
	if len(issues.Errors()) > 0 {
		return nil, f.checkFault(parsed.NativeRep(), issues)
	}
	c.tree = checked
	f.tree = checked.NativeRep()
	if got := checked.OutputType(); !got.IsExactType(want) {
		return nil, ErrResult.With("found", typeWord(got), "expected", wantWord)
	}
	if err := f.inspect(); err != nil {
		return nil, err
	}
	c.needs, c.uses = f.needs, f.uses
	c.asksWho = c.readsWho()
	if err := c.bound(ce); err != nil {
		return nil, err
	}
	if want == cel.BoolType {
		c.makeGuards()
	}
	return c, c.plan(ce)
}

// bound refuses what could cost too much, whatever the facts.
func (c *Cond) bound(ce *cel.Env) error {
	estimate, err := ce.EstimateCost(c.tree, sizes{})
	if err != nil {
		return ErrCost.Because(err)
	}
	if estimate.Max > maxCost {
		return ErrCost
	}
	return nil
}

// sizes tells the estimate how long lists and texts may be.
type sizes struct{}

// EstimateSize bounds what comes from outside: lists by the lines of a sale, texts by the
// fields of requests.
func (sizes) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	switch element.Type().Kind() {
	case types.ListKind:
		return &cost.SizeEstimate{Max: maxLines}
	case types.StringKind:
		return &cost.SizeEstimate{Max: maxLiteral}
	}
	return nil
}

// EstimateCallCost knows which of our functions go through the lines.
func (sizes) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	switch function {
	case "amount_of", "pieces_of", "has_sku", "sum":
		return &cost.CallEstimate{CostEstimate: cost.Estimate{Min: 1, Max: maxLines}}
	}
	return nil
}

// plan makes the program. A condition that goes through a list counts its cost as it runs;
// one that does not is bounded by its size, and counting would take longer than running it.
func (c *Cond) plan(ce *cel.Env) error {
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(foldMoney)}
	if c.loops() {
		options = append(options, cel.CostLimit(2*maxCost))
	}
	var err error
	if c.program, err = ce.Program(c.tree, options...); err != nil {
		return ErrEval.With("reason", "plan").Because(err)
	}
	c.watched = onceProgram(ce, c.tree)
	return nil
}

func (c *Cond) loops() bool {
	found := ast.MatchDescendants(ast.NavigateAST(c.tree.NativeRep()), ast.KindMatcher(ast.ComprehensionKind))
	return len(found) > 0
}

// foldMoney works out money("…") once, when the condition is compiled.
func foldMoney(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || call.Function() != "money" {
		return i, nil
	}
	frame, err := interpreter.NewExecutionFrame(interpreter.EmptyActivation())
	if err != nil {
		return nil, err
	}
	defer frame.Close()
	return interpreter.NewConstValue(call.ID(), call.Exec(frame)), nil
}

// Kind is what the condition is asked of.
func (c *Cond) Kind() Kind { return c.kind }

// Text is what was compiled.
func (c *Cond) Text() string { return c.text }

// AST is the checked syntax tree, for the translation to SQL. It is not to be changed.
func (c *Cond) AST() *ast.AST { return c.tree.NativeRep() }

// Needs lists the facts that cost a look-up, each once, sorted: what the caller has to load
// into Facts.Found. It is not to be changed.
func (c *Cond) Needs() []Need { return c.needs }

// Uses reports whether the condition reads a name of the vocabulary ("line.sku",
// "now.weekday", "member.spend"): what rules are indexed by.
func (c *Cond) Uses(name string) bool { return slices.Contains(c.uses, name) }

// Eval reports whether the condition holds. It fails with ErrFacts or ErrEval.
func (c *Cond) Eval(f *Facts) (bool, error) {
	if err := c.given(f); err != nil {
		return false, err
	}
	if holds, known := c.quickly(f); known {
		return holds, nil
	}
	v, err := c.run(f)
	if err != nil {
		return false, err
	}
	holds, ok := v.(types.Bool)
	if !ok {
		panic("cond: Eval of an amount")
	}
	return bool(holds), nil
}

// Amount works out an amount compiled by CompileAmount. It fails with ErrFacts or ErrEval.
func (c *Cond) Amount(f *Facts) (int64, error) {
	if err := c.given(f); err != nil {
		return 0, err
	}
	v, err := c.run(f)
	if err != nil {
		return 0, err
	}
	n, ok := v.(types.Int)
	if !ok {
		panic("cond: Amount of a condition")
	}
	return int64(n), nil
}

func (c *Cond) run(f *Facts) (ref.Val, error) {
	v, _, err := c.program.Eval(activation{f})
	if err != nil {
		return nil, evalFault(err)
	}
	return v, nil
}

// given refuses facts that lack what the kind of the condition promises.
func (c *Cond) given(f *Facts) error {
	missing := ""
	switch {
	case f.Member == nil:
		missing = "member"
	case f.Now.at.IsZero():
		missing = "now"
	case f.Sale == nil && (c.kind == OfSale || c.kind == OfLine):
		missing = "sale"
	case f.Line == nil && c.kind == OfLine:
		missing = "line"
	case f.Event == nil && c.kind == OfEvent:
		missing = "event"
	default:
		return nil
	}
	return ErrFacts.With("name", missing)
}
