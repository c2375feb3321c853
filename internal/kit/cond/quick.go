package cond

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"
)

// Quick is what of a condition can be asked before anything is known of the member: of the
// parts that must all hold, those that do not name them. Where it does not hold, neither does
// the condition, since false && x is false even where x fails. It is nil where there is no such
// part, and where there is no other.
func (c *Cond) Quick() *Cond {
	all := conjuncts(c.tree.NativeRep().Expr(), nil)
	quick := slices.DeleteFunc(slices.Clone(all), namesMember)
	if len(quick) == 0 || len(quick) == len(all) {
		return nil
	}
	texts := make([]string, len(quick))
	for i, e := range quick {
		text, err := parser.Unparse(e, c.tree.NativeRep().SourceInfo(), parser.EscapeIdentifiers(true))
		if err != nil {
			return nil // it is only a short cut
		}
		texts[i] = "(" + text + ")"
	}
	q, err := c.env.Compile(strings.Join(texts, " && "), c.kind)
	if err != nil {
		return nil
	}
	return q
}

// conjuncts are the parts that must all hold.
func conjuncts(e ast.Expr, list []ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "_&&_" {
		for _, part := range e.AsCall().Args() {
			list = conjuncts(part, list)
		}
		return list
	}
	return append(list, e)
}

func namesMember(e ast.Expr) (names bool) {
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		names = names || e.Kind() == ast.IdentKind && e.AsIdent() == "member"
	}))
	return names
}

// AsksWho reports whether the condition reads who the member is: neither what is looked up, nor
// their tier, which is known with their account.
func (c *Cond) AsksWho() bool { return c.asksWho }

func (c *Cond) readsWho() bool {
	return slices.ContainsFunc(c.uses, func(name string) bool {
		w := c.env.byName[name]
		return strings.HasPrefix(name, "member.") && !strings.HasPrefix(name, "member.tier") && (w == nil || !w.fact)
	})
}
