package cond

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

type finder struct {
	env   *Env
	kind  Kind
	text  string
	info  *ast.SourceInfo
	tree  *ast.AST
	needs []Need
	uses  []string
}

func (f *finder) bounded(ast.Expr) error                         { return nil }
func (f *finder) inspect() error                                 { return nil }
func (f *finder) checkFault(*ast.AST, *cel.Issues) error         { return nil }
func (e *Env) syntaxFault(string, *cel.Issues) error             { return nil }
func onceProgram(*cel.Env, *cel.Ast) func() (cel.Program, error) { return nil }
func evalFault(e error) error                                    { return e }
func typeWord(*cel.Type) errs.Word                               { return errs.Word{} }
