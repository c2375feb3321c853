// Package cond is the language of conditions: what a rule, an offer, a tier or a segment asks
// of a member, a sale, a line or an event, in CEL, with one vocabulary for all of them.
//
// # Life
//
// An Env is built once from what a programme has declared (attributes, currencies, the facts
// that nouns register). A text is compiled once into a Cond, which may then be evaluated any
// number of times, by any number of goroutines, on Facts. When attributes or currencies
// change, a new Env is built; a Cond of the old one stays good.
//
// # Laws
//
//   - Every fact has a type and a default and is never null: what is not known is "", 0 or
//     false. So a condition that compiles fails at evaluation only by overflow or by passing
//     its cost limit.
//   - Evaluation reads nothing but the Facts it is given: no clock, no database, no map order.
//     What costs a look-up is a function with constant arguments, and Needs lists it.
//   - Money is a whole number of the smallest unit of the programme's currency, and is written
//     money("12.50"): a bare number next to an amount of money does not compile.
//   - Dates are texts as 2026-03-01, times of day as 14:30: they compare as texts do.
//   - What a condition can cost is bounded before it is ever run.
//   - There are no regular expressions, and nothing is divided by what could be zero: what
//     compiles can become SQL (Cond.AST).
package cond

import "github.com/patron-loyalty/patron/internal/kit/errs"

// Kind says what a condition is asked of, and so which words it may use.
type Kind int

// The kinds. Every one sees member and now.
const (
	OfMember Kind = iota // nothing else: birthdays, schedules, tiers, segments
	OfSale               // sale
	OfLine               // sale, and line, the one that is looked at
	OfEvent              // event
)

// String is the kind as the API writes it.
func (k Kind) String() string { return [...]string{"member", "sale", "line", "event"}[k] }

// Bounds of one condition. What people write by hand has 50 to 300 characters; a builder's
// list of 200 products has 3,000.
const (
	maxText    = 8_000   // characters
	maxNodes   = 2_000   // parts of the syntax tree
	maxDepth   = 40      // how deep they nest
	maxCost    = 200_000 // CEL's units, worked out before the condition is ever run: about 10 ms
	maxLines   = 1_000   // lines of a sale and tags of a member that the estimate reckons with
	maxDays    = 3_660   // the longest window of a fact: ten years
	maxLiteral = 500     // characters of one text in quotes
)

// The refusals of Compile and CompileAmount. Each tells line and column (counted from 1, in
// characters) in its text and as the parameters "line" and "column", which Where reads.
var (
	ErrEmpty = errs.New(errs.Invalid, "cond.empty",
		"The condition is empty. Write true for one that always holds.", "条件为空。若要始终成立，请写 true。")
	ErrLong = errs.New(errs.Invalid, "cond.long",
		"The condition has {n} characters, at most {max} are allowed.", "条件有 {n} 个字符，最多 {max} 个。")
	ErrSyntax = errs.New(errs.Invalid, "cond.syntax",
		"Line {line}, column {column}: {found} was not expected here; {expected}.",
		"第 {line} 行第 {column} 列：此处不应出现 {found}；{expected}。")
	ErrName = errs.New(errs.Invalid, "cond.name",
		"Line {line}, column {column}: there is no {name} here.{hint}",
		"第 {line} 行第 {column} 列：这里没有 {name}。{hint}")
	ErrField = errs.New(errs.Invalid, "cond.field",
		"Line {line}, column {column}: {of} has no {name}.{hint}",
		"第 {line} 行第 {column} 列：{of} 没有 {name}。{hint}")
	ErrType = errs.New(errs.Invalid, "cond.type",
		"Line {line}, column {column}: {found} does not fit here; {expected}.",
		"第 {line} 行第 {column} 列：{found} 不适用于此处；{expected}。")
	ErrResult = errs.New(errs.Invalid, "cond.result",
		"This gives {found}, expected was {expected}.", "结果是{found}，应为{expected}。")
	ErrMoney = errs.New(errs.Invalid, "cond.money",
		"Line {line}, column {column}: {name} is an amount of money; write it as {expected}.",
		"第 {line} 行第 {column} 列：{name} 是金额，请写成 {expected}。")
	ErrValue = errs.New(errs.Invalid, "cond.value",
		"Line {line}, column {column}: {name} is never {found}; {expected}.{hint}",
		"第 {line} 行第 {column} 列：{name} 不会是 {found}；{expected}。{hint}")
	ErrConstant = errs.New(errs.Invalid, "cond.constant",
		"Line {line}, column {column}: {name} takes a fixed value here: {expected}.",
		"第 {line} 行第 {column} 列：{name} 在此处只接受固定值：{expected}。")
	ErrDivisor = errs.New(errs.Invalid, "cond.divisor",
		"Line {line}, column {column}: divide by a fixed number other than 0.",
		"第 {line} 行第 {column} 列：除数须为非零的固定数字。")
	ErrDeep = errs.New(errs.Invalid, "cond.deep",
		"The condition is too large: at most {nodes} parts, nested at most {depth} deep. Divide it into several rules.",
		"条件过于复杂：最多 {nodes} 个部分、嵌套 {depth} 层。请拆分为多条规则。")
	ErrCost = errs.New(errs.Invalid, "cond.cost",
		"The condition could take too long to work out. Go through the lines of a sale only once.",
		"条件的计算量可能过大。请只遍历一次销售行。")
)

// The failures of Eval, Amount and Explain. The caller records them against the rule.
var (
	// ErrFacts is a programmer's error: a fact that Needs lists, or the sale, line or event of
	// the condition's kind, was not handed in.
	ErrFacts = errs.New(errs.Internal, "cond.facts",
		"The condition asks for {name}, which was not loaded.", "条件需要 {name}，但未加载。")
	// ErrEval is arithmetic past the limits, or a cost past its bound.
	ErrEval = errs.New(errs.Invalid, "cond.eval",
		"The condition could not be worked out: {reason}.", "条件无法计算：{reason}。")
)

// Where tells the line and column that a refusal of Compile names, from 1; 0, 0 where it is
// about the condition as a whole.
func Where(err error) (line, column int) {
	e := errs.As(err)
	if e == nil {
		return 0, 0
	}
	line, _ = e.Param("line").(int)
	column, _ = e.Param("column").(int)
	return line, column
}
