package cond

import (
	"slices"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"
)

// Tree is a condition as the visual builder shows it: a group of rules and groups. Its JSON is
// that of react-querybuilder's RuleGroupType. The root is always a group; one without rules
// always holds.
type Tree struct {
	Combinator string `json:"combinator" enum:"and,or"`
	Not        bool   `json:"not,omitempty"`
	Rules      []Node `json:"rules"`
}

// Node is a rule or a group; exactly one is set. In JSON it is the one or the other.
type Node struct {
	*Rule
	*Tree
}

// Rule asks one thing of one field.
type Rule struct {
	Field    string `json:"field" doc:"A name of the vocabulary." example:"member.spend"`
	Args     []any  `json:"args,omitempty" doc:"What it is called with: texts and whole numbers."`
	Operator string `json:"operator" doc:"One of the field's operators." example:">="`
	Value    any    `json:"value" doc:"Text, number, true or false, or a list of texts or numbers (in, notIn). An amount of money is a text with decimals."`
}

// opposite pairs the operators that one ! makes of each other.
var opposite = map[string]string{
	"in": "notIn", "contains": "doesNotContain", "beginsWith": "doesNotBeginWith", "endsWith": "doesNotEndWith",
}

// textOperators are the functions of texts that the builder shows as operators.
var textOperators = map[string]string{"contains": "contains", "startsWith": "beginsWith", "endsWith": "endsWith"}

// comparisons are CEL's names of what the builder writes with signs.
var comparisons = map[string]string{"_==_": "=", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}

// ParseTree reads a text that the builder can show; false for one that it cannot, which is
// then edited as text.
func (e *Env) ParseTree(text string, kind Kind) (Tree, bool) {
	if _, err := e.Compile(text, kind); err != nil {
		return Tree{}, false
	}
	// Unlike CEL's own, this parser keeps a && b && c as one group, and brackets as groups.
	p, err := parser.NewParser(parser.EnableVariadicOperatorASTs(true), parser.EnableIdentEscapeSyntax(true), parser.MaxRecursionDepth(maxDepth))
	if err != nil {
		return Tree{}, false
	}
	parsed, faults := p.Parse(common.NewTextSource(text))
	if len(faults.GetErrors()) > 0 {
		return Tree{}, false
	}
	n, ok := e.node(parsed.Expr())
	if !ok {
		return Tree{}, false
	}
	return (&Tree{Combinator: "and", Rules: []Node{n}}).Tidy(), true
}

// node reads a part as a group or a rule.
func (e *Env) node(x ast.Expr) (Node, bool) {
	if x.Kind() == ast.LiteralKind {
		always, ok := x.AsLiteral().(types.Bool)
		return Node{Tree: &Tree{Combinator: "and", Not: !bool(always), Rules: []Node{}}}, ok
	}
	if x.Kind() == ast.CallKind {
		call := x.AsCall()
		switch call.FunctionName() {
		case "_&&_":
			return e.group("and", call.Args())
		case "_||_":
			return e.group("or", call.Args())
		case "!_":
			n, ok := e.node(call.Args()[0])
			return Node{Tree: &Tree{Combinator: "and", Not: true, Rules: []Node{n}}}, ok
		}
	}
	r, ok := e.rule(x)
	return Node{Rule: r}, ok
}

func (e *Env) group(combinator string, parts []ast.Expr) (Node, bool) {
	t := &Tree{Combinator: combinator}
	for _, p := range parts {
		n, ok := e.node(p)
		if !ok {
			return Node{}, false
		}
		t.Rules = append(t.Rules, n)
	}
	return Node{Tree: t}, true
}

// rule reads a comparison of a field with a fixed value, or a field that is yes or no.
func (e *Env) rule(x ast.Expr) (*Rule, bool) {
	if r, w := e.field(x); w != nil {
		r.Operator, r.Value = "=", true
		return r, w.typ == YesNo && w.on != nil
	}
	if x.Kind() != ast.CallKind {
		return nil, false
	}
	call := x.AsCall()
	name, args := call.FunctionName(), call.Args()
	if operator := textOperators[name]; operator != "" && call.IsMemberFunction() && len(args) == 1 {
		return e.ruleOf(call.Target(), operator, args[0])
	}
	if len(args) != 2 {
		return nil, false
	}
	if name == "@in" && args[0].Kind() == ast.LiteralKind {
		return e.ruleOf(args[1], "contains", args[0])
	}
	if name == "@in" {
		return e.ruleOf(args[0], "in", args[1])
	}
	return e.ruleOf(args[0], comparisons[name], args[1])
}

// ruleOf puts a rule together, where the builder has the operator for the field.
func (e *Env) ruleOf(field ast.Expr, operator string, value ast.Expr) (*Rule, bool) {
	r, w := e.field(field)
	if w == nil || !slices.Contains(w.operators(), operator) {
		return nil, false
	}
	r.Operator = operator
	var ok bool
	if operator == "in" {
		r.Value, ok = w.readList(value)
	} else {
		r.Value, ok = w.read(value)
	}
	return r, ok
}

// field reads a name of the vocabulary, with its arguments.
func (e *Env) field(x ast.Expr) (*Rule, *word) {
	if x.Kind() == ast.SelectKind {
		if w := e.byName[pathOf(x)]; w != nil && w.get != nil && w.typ != Object {
			return &Rule{Field: w.fullName()}, w
		}
		return nil, nil
	}
	if x.Kind() != ast.CallKind || !x.AsCall().IsMemberFunction() {
		return nil, nil
	}
	w := e.byName[pathOf(x.AsCall().Target())+"."+x.AsCall().FunctionName()]
	if w == nil || w.call == nil {
		return nil, nil
	}
	r := &Rule{Field: w.fullName()}
	for _, a := range x.AsCall().Args() {
		v, ok := constant(a)
		if !ok || !whole53(v) {
			return nil, nil
		}
		r.Args = append(r.Args, plain(v))
	}
	return r, w
}

// pathOf is a chain of fields as it is written, or "".
func pathOf(x ast.Expr) string {
	switch {
	case x.Kind() == ast.IdentKind:
		return x.AsIdent()
	case x.Kind() == ast.SelectKind && !x.AsSelect().IsTestOnly():
		if before := pathOf(x.AsSelect().Operand()); before != "" {
			return before + "." + escape(x.AsSelect().FieldName())
		}
	}
	return ""
}

// read is a fixed value as the builder holds it: amounts of money as texts with decimals.
func (w *word) read(x ast.Expr) (any, bool) {
	if w.typ == Money {
		if x.Kind() == ast.CallKind && x.AsCall().FunctionName() == "money" {
			v, ok := constant(x.AsCall().Args()[0])
			return plain(v), ok
		}
		return "0", x.Kind() == ast.LiteralKind // the one number that compiles beside an amount
	}
	v, ok := constant(x)
	if !ok || !whole53(v) {
		return nil, false
	}
	return plain(v), true
}

// whole53 reports whether JSON can hold a literal exactly.
func whole53(v ref.Val) bool {
	n, ok := v.(types.Int)
	return !ok || n >= -exact && n <= exact
}

func (w *word) readList(x ast.Expr) (any, bool) {
	if x.Kind() != ast.ListKind {
		return nil, false
	}
	list := []any{}
	for _, element := range x.AsList().Elements() {
		v, ok := w.read(element)
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// plain is a literal as JSON would hold it.
func plain(v ref.Val) any {
	switch v := v.(type) {
	case types.Int:
		return float64(v)
	case types.Double:
		return float64(v)
	case types.Bool:
		return bool(v)
	case types.String:
		return string(v)
	}
	return nil
}

// Tidy returns the tree that text can hold. It means the same: a group of one rule is that
// rule, a negated rule is the rule with the opposite operator where there is one, and a
// group of nothing is joined by and.
func (t *Tree) Tidy() Tree {
	n := tidy(Node{Tree: t})
	if n.Tree != nil {
		return *n.Tree
	}
	return Tree{Combinator: "and", Rules: []Node{n}}
}

func tidy(n Node) Node {
	if n.Tree == nil {
		return n
	}
	t := &Tree{Combinator: n.Combinator, Not: n.Not, Rules: []Node{}}
	for _, r := range n.Rules {
		t.Rules = append(t.Rules, tidy(r))
	}
	switch len(t.Rules) {
	case 0:
		t.Combinator = "and"
	case 1:
		only := t.Rules[0]
		t.Combinator = "and"
		if !t.Not {
			return only
		}
		if turned, ok := only.negated(); ok {
			return turned
		}
	}
	return Node{Tree: t}
}

// negated is the node that holds when n does not, where it takes no further group to say so.
func (n Node) negated() (Node, bool) {
	if n.Tree != nil {
		if n.Not {
			return n, false
		}
		return Node{Tree: &Tree{Combinator: n.Combinator, Not: true, Rules: n.Rules}}, true
	}
	r := *n.Rule
	if yes, ok := r.Value.(bool); ok && yes {
		r.Value = false
		return Node{Rule: &r}, true
	}
	if o := opposite[r.Operator]; o != "" {
		r.Operator = o
		return Node{Rule: &r}, true
	}
	return n, false
}
