package cond

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// What CEL says is wrong is turned into refusals that a marketing manager can follow: in both
// languages, with the place, what was expected and the nearest name. CEL gives texts only, so
// these are matched; the tests keep them for the version in go.mod. One that is not known
// still comes out with its place.

// place is where in the text something is, from 1, in characters.
type place struct{ line, column int }

func (p place) fill(e *errs.Error) *errs.Error {
	return e.With("line", p.line, "column", p.column)
}

// first returns the leftmost of CEL's complaints: the others often follow from it. One
// without a place comes last.
func first(issues *cel.Issues) *cel.Error {
	list := slices.Clone(issues.Errors())
	if placed := slices.DeleteFunc(slices.Clone(list), func(e *cel.Error) bool { return e.Location.Line() < 1 }); len(placed) > 0 {
		list = placed
	}
	slices.SortStableFunc(list, func(a, b *cel.Error) int {
		if d := a.Location.Line() - b.Location.Line(); d != 0 {
			return d
		}
		return a.Location.Column() - b.Location.Column()
	})
	return list[0]
}

// syntaxFault explains why a text cannot be read.
func (e *Env) syntaxFault(text string, issues *cel.Issues) error {
	if strings.TrimSpace(text) == "" {
		return ErrEmpty
	}
	it := first(issues)
	if strings.Contains(it.Message, "exceeds limit") || strings.Contains(it.Message, "recursion") || strings.Contains(it.Message, "nesting") {
		return ErrDeep.With("nodes", maxNodes, "depth", maxDepth)
	}
	at := place{max(it.Location.Line(), 1), max(it.Location.Column(), 0) + 1}
	found := tokenAt(text, at)
	return at.fill(ErrSyntax).With("found", foundWord(found), "expected", expectedAfter(it.Message, found))
}

// tokenAt is the word or sign that stands at a place; "" at the end.
func tokenAt(text string, at place) string {
	lines := strings.Split(text, "\n")
	if at.line < 1 || at.line > len(lines) {
		return ""
	}
	rest := []rune(lines[at.line-1])
	if at.column > len(rest) {
		return ""
	}
	rest = rest[at.column-1:]
	word := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	n := 1
	for word(rest[0]) && n < len(rest) && n < 30 && word(rest[n]) {
		n++
	}
	return string(rest[:n])
}

func foundWord(token string) errs.Word {
	if token == "" {
		return errs.Word{EN: "the end", ZH: "结尾"}
	}
	return errs.Word{EN: token, ZH: token}
}

// instead is what people write who know other languages, or whose keyboard is set to Chinese.
var instead = map[string]errs.Word{
	"=":   {EN: "write == to compare", ZH: "比较请写 =="},
	"and": {EN: "write && for and", ZH: "“并且”请写 &&"},
	"AND": {EN: "write && for and", ZH: "“并且”请写 &&"},
	"or":  {EN: "write || for or", ZH: "“或者”请写 ||"},
	"OR":  {EN: "write || for or", ZH: "“或者”请写 ||"},
	"not": {EN: "write ! for not", ZH: "“非”请写 !"},
	"&":   {EN: "write && for and", ZH: "“并且”请写 &&"},
	"|":   {EN: "write || for or", ZH: "“或者”请写 ||"},
	"≥":   {EN: "write >=", ZH: "请写 >="},
	"≤":   {EN: "write <=", ZH: "请写 <="},
	"≠":   {EN: "write !=", ZH: "请写 !="},
	"<>":  {EN: "write !=", ZH: "请写 !="},
	"“":   {EN: `write texts in straight quotes: "…"`, ZH: `文本请用半角引号："…"`},
	"”":   {EN: `write texts in straight quotes: "…"`, ZH: `文本请用半角引号："…"`},
	"‘":   {EN: `write texts in straight quotes: "…"`, ZH: `文本请用半角引号："…"`},
	"（":   {EN: "write ( of the Latin keyboard", ZH: "请用半角括号 ("},
	"）":   {EN: "write ) of the Latin keyboard", ZH: "请用半角括号 )"},
	"，":   {EN: "write , of the Latin keyboard", ZH: "请用半角逗号 ,"},
	"；":   {EN: "leave it out", ZH: "请删去"},
	";":   {EN: "leave it out", ZH: "请删去"},
	`"`:   {EN: "the text in quotes is not closed", ZH: "引号没有闭合"},
	`'`:   {EN: "the text in quotes is not closed", ZH: "引号没有闭合"},
}

func expectedAfter(message, found string) errs.Word {
	if w, ok := instead[found]; ok {
		return w
	}
	switch {
	case strings.Contains(message, "missing ')'"):
		return errs.Word{EN: "a ) is missing", ZH: "缺少 )"}
	case strings.Contains(message, "missing ']'"):
		return errs.Word{EN: "a ] is missing", ZH: "缺少 ]"}
	case strings.Contains(message, "int literal"), strings.Contains(message, "double literal"):
		return errs.Word{EN: "the number is too large", ZH: "数字过大"}
	case strings.Contains(message, "reserved identifier"):
		return errs.Word{EN: "the word is reserved", ZH: "这是保留字"}
	case strings.Contains(message, "simple name"):
		return errs.Word{EN: "give each of the list a name, as in exists(l, l.sku == \"A\")", ZH: "请先给每一项取代称，如 exists(l, l.sku == \"A\")"}
	case strings.Contains(message, "expecting <EOF>"):
		return errs.Word{EN: "expected was &&, || or the end", ZH: "应为 &&、|| 或结尾"}
	case strings.Contains(message, "token recognition"):
		return errs.Word{EN: "the sign has no meaning here", ZH: "该符号在此没有意义"}
	case found == "":
		return errs.Word{EN: "something is missing: a field, a text or a number", ZH: "缺少内容：字段、文本或数字"}
	}
	return errs.Word{EN: "expected was a field, a text or a number", ZH: "应为字段、文本或数字"}
}

var (
	undeclaredText = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	undefinedText  = regexp.MustCompile(`^undefined field '([^']*)'`)
	overloadText   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'`)
	mismatchText   = regexp.MustCompile(`^expected type '([^']*)' but found '([^']*)'`)
	selectionText  = regexp.MustCompile(`^type '([^']*)' does not support field selection`)
)

// checkFault explains what does not fit together in a text that could be read.
func (f *finder) checkFault(tree *ast.AST, issues *cel.Issues) error {
	f.tree = tree
	it := first(issues)
	node := f.node(it.ExprID)
	at := place{max(it.Location.Line(), 1), max(it.Location.Column(), 0) + 1}
	if node != nil {
		at = f.at(node)
	}
	if m := undeclaredText.FindStringSubmatch(it.Message); m != nil {
		return f.unknown(at, node, m[1])
	}
	if m := undefinedText.FindStringSubmatch(it.Message); m != nil && node != nil && node.Kind() == ast.SelectKind {
		return f.noField(at, f.guess(node.AsSelect().Operand()), m[1])
	}
	if m := overloadText.FindStringSubmatch(it.Message); m != nil && node != nil && node.Kind() == ast.CallKind {
		return f.misfit(at, node.AsCall(), m[2])
	}
	if m := mismatchText.FindStringSubmatch(it.Message); m != nil {
		want := typeName(m[1])
		return at.fill(ErrType).With("found", typeName(m[2]),
			"expected", errs.Word{EN: "expected was " + want.EN, ZH: "应为" + want.ZH})
	}
	if m := selectionText.FindStringSubmatch(it.Message); m != nil && node != nil && node.Kind() == ast.SelectKind {
		return at.fill(ErrField).With("of", typeName(m[1]), "name", node.AsSelect().FieldName(), "hint", errs.Word{})
	}
	return at.fill(ErrType).With("found", foundWord(tokenAt(f.text, at)), "expected", errs.Word{EN: it.Message, ZH: it.Message})
}

// unknown refuses a name that is not declared.
func (f *finder) unknown(at place, node ast.Expr, name string) error {
	if node != nil && node.Kind() == ast.CallKind {
		call := node.AsCall()
		if operator(name) {
			return at.fill(ErrType).With("found", operatorSign(name), "expected", errs.Word{
				EN: "conditions have no such operation", ZH: "条件中没有这种运算"})
		}
		if call.IsMemberFunction() {
			return f.noField(at, f.guess(call.Target()), name+"()")
		}
		return at.fill(ErrName).With("name", name+"()", "hint", didYouMean(near(name, f.env.functionNames())))
	}
	for _, kind := range []Kind{OfSale, OfLine, OfEvent} {
		if slices.Contains(variables(kind), name) { // it exists, elsewhere
			return at.fill(ErrName).With("name", name, "hint", errs.Word{
				EN: " It is known in conditions of the kind " + kind.String() + ".", ZH: "它只用于 " + kind.String() + " 类条件。"})
		}
	}
	if full := f.env.pathTo(name); full != "" {
		return at.fill(ErrName).With("name", name, "hint", didYouMean(full))
	}
	return at.fill(ErrName).With("name", name, "hint", didYouMean(near(name, variables(f.kind))))
}

// noField refuses a field or function that a type does not have.
func (f *finder) noField(at place, of *cel.Type, name string) error {
	plain := strings.TrimSuffix(name, "()")
	if of == nil || f.env.byType[of.TypeName()] == nil {
		return at.fill(ErrName).With("name", name, "hint", didYouMean(near(plain, f.env.functionNames())))
	}
	var names []string
	for _, w := range f.env.byType[of.TypeName()] {
		names = append(names, w.name)
	}
	slices.Sort(names)
	owner := paths[of.TypeName()]
	best := near(plain, names)
	if w := f.env.byType[of.TypeName()][best]; w != nil {
		best = w.signature()
	}
	return at.fill(ErrField).With("of", owner, "name", name, "hint", didYouMean(best))
}

// misfit refuses a function or operator that is not made for the types of its arguments.
func (f *finder) misfit(at place, call ast.CallExpr, signature string) error {
	name := call.FunctionName()
	given := signatureTypes(signature)
	if !operator(name) {
		var w *word
		if call.IsMemberFunction() {
			if of := f.guess(call.Target()); of != nil {
				w = f.env.byType[of.TypeName()][name]
			}
		} else if w = f.env.alone[name]; w == nil {
			if full := f.env.pathTo(name); full != "" {
				return at.fill(ErrName).With("name", name+"()", "hint", didYouMean(full))
			}
		}
		want := errs.Word{EN: "see the documentation of " + name, ZH: "请查看 " + name + " 的说明"}
		if w != nil {
			want = errs.Word{EN: "write " + w.signature(), ZH: "请写 " + w.signature()}
		}
		return at.fill(ErrType).With("found", errs.Word{EN: name + " with " + joined(given, ", ").EN, ZH: name + "（" + joined(given, "、").ZH + "）"}, "expected", want)
	}
	between := " " + operatorSign(name) + " "
	if name == "_?_:_" {
		between = ", "
	}
	found := joined(given, between)
	return at.fill(ErrType).With("found", found, "expected", expectedOf(name, signature))
}

// expectedOf says what an operator takes.
func expectedOf(name, signature string) errs.Word {
	switch {
	case (name == "_==_" || name == "_!=_") && strings.Contains(signature, "double") && strings.Contains(signature, "int"):
		return errs.Word{EN: "write the whole number with decimals, as 2.0", ZH: "请给整数加上小数，如 2.0"}
	case name == "_&&_" || name == "_||_" || name == "!_":
		return errs.Word{EN: "expected was yes or no on each side", ZH: "两侧应为是或否"}
	case name == "@in":
		return errs.Word{EN: `expected was a list on the right, as ["a", "b"], of the type on the left`, ZH: `右侧应为同类型的列表，如 ["a", "b"]`}
	case name == "_?_:_":
		return errs.Word{EN: "expected was yes or no before ?, and the same type on both sides of :", ZH: "? 前应为是或否，: 两侧类型应相同"}
	case name == "_+_" || name == "_-_" || name == "_*_" || name == "_/_" || name == "_%_" || name == "-_":
		return errs.Word{EN: "expected were numbers of one kind, both whole or both with decimals", ZH: "应为同类数字：都为整数或都为小数"}
	}
	return errs.Word{EN: "both sides have to be of one type", ZH: "两侧类型应相同"}
}

// signatureTypes splits "Member.(int, list(string))" into its types.
func signatureTypes(s string) []string {
	if _, after, ok := strings.Cut(s, ".("); ok {
		s = "(" + after
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "("), ")")
	var list []string
	depth, from := 0, 0
	for i, r := range s + "," {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if t := strings.TrimSpace(s[min(from, len(s)):min(i, len(s))]); depth == 0 && t != "" {
				list = append(list, t)
			}
			if depth == 0 {
				from = i + 1
			}
		}
	}
	return list
}

func joined(names []string, between string) errs.Word {
	var en, zh []string
	for _, n := range names {
		w := typeName(n)
		en, zh = append(en, w.EN), append(zh, w.ZH)
	}
	if len(names) == 0 {
		return errs.Word{EN: "nothing", ZH: "无参数"}
	}
	if len(names) == 1 {
		return errs.Word{EN: strings.TrimLeft(between, " ,、") + en[0], ZH: strings.TrimLeft(between, " ,、") + zh[0]}
	}
	return errs.Word{EN: strings.Join(en, between), ZH: strings.Join(zh, between)}
}

func typeWord(t *cel.Type) errs.Word { return typeName(cel.FormatCELType(t)) }

// typeName is a type of CEL in words.
func typeName(name string) errs.Word {
	if strings.HasPrefix(name, "list(list(") {
		return errs.Word{EN: "a list of lists", ZH: "列表的列表"}
	}
	if inner, ok := strings.CutPrefix(name, "list("); ok {
		w := typeName(strings.TrimSuffix(inner, ")"))
		return errs.Word{EN: "a list of " + strings.TrimPrefix(w.EN, "a ") + "s", ZH: w.ZH + "列表"}
	}
	switch name {
	case types.BoolType.TypeName():
		return errs.Word{EN: "yes/no", ZH: "是/否"}
	case types.IntType.TypeName():
		return errs.Word{EN: "a whole number", ZH: "整数"}
	case types.DoubleType.TypeName():
		return errs.Word{EN: "a number with decimals", ZH: "小数"}
	case types.StringType.TypeName():
		return errs.Word{EN: "a text", ZH: "文本"}
	}
	if p, ok := paths[name]; ok {
		return errs.Word{EN: p, ZH: p}
	}
	return errs.Word{EN: strconv.Quote(name), ZH: strconv.Quote(name)}
}
