package cond

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

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
