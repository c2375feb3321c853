package cond

import (
	"cmp"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// guard asks one part of a condition without CEL: a field beside something written out. A sale
// asks hundreds of conditions, and most fail on such a part.
type guard struct {
	read  func(*Facts) ref.Val
	holds func(ref.Val) (holds, known bool) // not known: CEL is asked
}

// makeGuards finds those parts of a condition, of those that must all hold, that a guard can ask,
// and notes whether these are all parts there are. What the guards say is what CEL says: false
// && x is false, whatever x is.
func (c *Cond) makeGuards() {
	parts := conjuncts(c.tree.NativeRep().Expr(), nil)
	for _, e := range parts {
		if g, ok := c.guard(e); ok {
			c.guards = append(c.guards, g)
		}
	}
	c.guarded = len(c.guards) == len(parts)
}

// quickly asks the guards: known is false where only CEL can tell.
func (c *Cond) quickly(f *Facts) (holds, known bool) {
	known = c.guarded
	for i := range c.guards {
		g := &c.guards[i]
		holds, sure := g.holds(g.read(f))
		if sure && !holds {
			return false, true
		}
		known = known && sure
	}
	return true, known
}

func (c *Cond) guard(e ast.Expr) (g guard, ok bool) {
	if read := c.field(e); read != nil {
		return guard{read, isTrue}, true
	}
	if e.Kind() != ast.CallKind {
		return g, false
	}
	args := e.AsCall().Args()
	switch name := e.AsCall().FunctionName(); name {
	case "!_":
		read := c.field(args[0])
		return guard{read, func(v ref.Val) (bool, bool) { holds, known := isTrue(v); return !holds, known }}, read != nil
	case "@in":
		return c.guardIn(args[0], args[1])
	case "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_":
		read, value := c.field(args[0]), c.written(args[1])
		if read == nil || value == nil {
			read, value = c.field(args[1]), c.written(args[0])
			name = mirrored[name]
		}
		if read == nil || value == nil {
			return g, false
		}
		return guard{read, func(v ref.Val) (bool, bool) {
			order, known := compare(v, value)
			return inOrder(name, order), known
		}}, true
	}
	return g, false
}

// mirrored is how an operator reads from the other side.
var mirrored = map[string]string{"_==_": "_==_", "_!=_": "_!=_", "_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}

// guardIn asks whether a field is one of a list of texts, or whether a list has a text.
func (c *Cond) guardIn(e, list ast.Expr) (g guard, ok bool) {
	if value := c.written(e); value != nil {
		read := c.field(list)
		return guard{read, func(v ref.Val) (bool, bool) {
			l, known := v.(traits.Lister)
			return known && l.Contains(value) == types.True, known
		}}, read != nil
	}
	read := c.field(e)
	if read == nil || list.Kind() != ast.ListKind {
		return g, false
	}
	var values []ref.Val
	for _, x := range list.AsList().Elements() {
		v := c.written(x)
		if v == nil {
			return g, false
		}
		values = append(values, v)
	}
	return guard{read, func(v ref.Val) (holds, known bool) {
		for _, x := range values {
			order, known := compare(v, x)
			if !known {
				return false, false
			}
			if order == 0 {
				return true, true
			}
		}
		return false, true
	}}, true
}

func isTrue(v ref.Val) (holds, known bool) {
	b, ok := v.(types.Bool)
	return bool(b), ok
}

// compare orders two values of one type.
func compare(a, b ref.Val) (order int, known bool) {
	switch x := a.(type) {
	case types.String:
		y, ok := b.(types.String)
		return cmp.Compare(x, y), ok
	case types.Int:
		y, ok := b.(types.Int)
		return cmp.Compare(x, y), ok
	}
	return 0, false
}

func inOrder(operator string, order int) bool {
	switch operator {
	case "_==_":
		return order == 0
	case "_!=_":
		return order != 0
	case "_<_":
		return order < 0
	case "_<=_":
		return order <= 0
	case "_>_":
		return order > 0
	}
	return order >= 0
}

// written is the value of a part that is written out, nil where it is worked out.
func (c *Cond) written(e ast.Expr) ref.Val {
	if v, ok := constant(e); ok {
		return v
	}
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != "money" {
		return nil
	}
	v, _ := constant(e.AsCall().Args()[0])
	text, _ := v.(types.String)
	n, ok := parseMoney(string(text), c.env.decimals)
	if !ok {
		return nil
	}
	return types.Int(n)
}

// field reads a field of what a condition looks at, nil where a part is none.
func (c *Cond) field(e ast.Expr) func(*Facts) ref.Val {
	if e.Kind() != ast.SelectKind || e.AsSelect().IsTestOnly() {
		return nil
	}
	root := e.AsSelect().Operand()
	for root.Kind() == ast.SelectKind && !root.AsSelect().IsTestOnly() {
		root = root.AsSelect().Operand()
	}
	if root.Kind() != ast.IdentKind || !slices.Contains([]string{"member", "sale", "line", "event", "now"}, root.AsIdent()) {
		return nil
	}
	w := c.env.byType[c.tree.NativeRep().GetType(e.AsSelect().Operand().ID()).TypeName()][e.AsSelect().FieldName()]
	if w == nil || w.get == nil {
		return nil
	}
	get, typ := w.get, w.on
	return func(f *Facts) ref.Val { return get(&object{typ: typ, facts: f, line: f.Line}) }
}
