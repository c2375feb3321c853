package cond

import "cel.dev/cel-go/common/ast"

// Cond is a compiled condition or amount. It is safe for many goroutines.
type Cond struct {
	kind Kind
	text string
}

// Compile turns a text into a condition, or says what is wrong with it and where.
func (e *Env) Compile(text string, kind Kind) (*Cond, error) { return nil, nil }

// CompileAmount turns a text into an amount: a whole number of points or of money.
func (e *Env) CompileAmount(text string, kind Kind) (*Cond, error) { return nil, nil }

// Kind is what the condition is asked of.
func (c *Cond) Kind() Kind { return c.kind }

// Text is what was compiled.
func (c *Cond) Text() string { return c.text }

// AST is the checked syntax tree, for the translation to SQL. It is not to be changed.
func (c *Cond) AST() *ast.AST { return nil }

// Needs lists the facts that cost a look-up, each once, sorted: what the caller has to load
// into Facts.Found. It is not to be changed.
func (c *Cond) Needs() []Need { return nil }

// Uses reports whether the condition reads a name of the vocabulary ("line.sku",
// "now.weekday"): what rules are indexed by.
func (c *Cond) Uses(name string) bool { return false }

// Eval reports whether the condition holds. It fails with ErrFacts or ErrEval.
func (c *Cond) Eval(f *Facts) (bool, error) { return false, nil }

// Amount works out an amount compiled by CompileAmount. It fails with ErrFacts or ErrEval.
func (c *Cond) Amount(f *Facts) (int64, error) { return 0, nil }
