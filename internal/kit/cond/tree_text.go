package cond

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrRule refuses a rule of the visual builder that cannot be written as text.
var ErrRule = errs.New(errs.Invalid, "cond.rule", "The rule for {field}: {reason}.", "{field} 的规则：{reason}。")

// Text writes a tree as the text of a condition. It fails with ErrRule on a field, an operator
// or a value that the vocabulary does not have, and with ErrDeep.
func (e *Env) Text(t Tree) (string, error) {
	text, err := e.groupText(&t, 0)
	if err == nil && !t.Not && strings.HasPrefix(text, "(") {
		text = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")") // the root needs no brackets
	}
	return text, err
}

// groupText writes a group in brackets.
func (e *Env) groupText(t *Tree, depth int) (string, error) {
	if depth > maxDepth/2 || len(t.Rules) > maxNodes {
		return "", ErrDeep.With("nodes", maxNodes, "depth", maxDepth)
	}
	not := ""
	if t.Not {
		not = "!"
	}
	if len(t.Rules) == 0 {
		return map[bool]string{false: "true", true: "!(true)"}[t.Not], nil
	}
	sign := " && "
	if t.Combinator == "or" {
		sign = " || "
	}
	var parts []string
	for _, n := range t.Rules {
		part, err := e.nodeText(n, depth+1)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return not + "(" + strings.Join(parts, sign) + ")", nil
}

func (e *Env) nodeText(n Node, depth int) (string, error) {
	switch {
	case n.Tree != nil:
		return e.groupText(n.Tree, depth)
	case n.Rule != nil:
		return e.ruleText(n.Rule)
	}
	return "", ErrRule.With("field", "?", "reason", errs.Word{EN: "it is empty", ZH: "为空"})
}

// ruleText writes one rule.
func (e *Env) ruleText(r *Rule) (string, error) {
	refuse := func(en, zh string) (string, error) {
		return "", ErrRule.With("field", r.Field, "reason", errs.Word{EN: en, ZH: zh})
	}
	w := e.byName[r.Field]
	if w == nil || w.on == nil || w.typ == Object {
		return refuse("there is no such field", "没有该字段")
	}
	if !slices.Contains(w.operators(), r.Operator) {
		return refuse("it takes no operator "+r.Operator, "不支持运算符 "+r.Operator)
	}
	name, ok := w.callText(r.Args)
	if !ok {
		return refuse("write "+w.signature(), "请写 "+w.signature())
	}
	if w.typ == YesNo {
		switch r.Value {
		case true:
			return name, nil
		case false:
			return "!" + name, nil
		}
		return refuse("the value is true or false", "值为 true 或 false")
	}
	value, ok := e.valueText(w, r)
	if !ok {
		return refuse("the value does not fit its type, "+string(w.typ), "值与类型 "+string(w.typ)+" 不符")
	}
	switch r.Operator {
	case "=":
		return name + " == " + value, nil
	case "in":
		return name + " in " + value, nil
	case "notIn":
		return "!(" + name + " in " + value + ")", nil
	case "contains", "doesNotContain", "beginsWith", "doesNotBeginWith", "endsWith", "doesNotEndWith":
		return partText(w, name, r.Operator, value), nil
	}
	return name + " " + r.Operator + " " + value, nil
}

// partText writes what looks into a text or a list of texts.
func partText(w *word, name, operator, value string) string {
	if w.typ == Texts {
		if operator == "contains" {
			return value + " in " + name
		}
		return "!(" + value + " in " + name + ")"
	}
	switch operator {
	case "contains", "doesNotContain":
		name += ".contains(" + value + ")"
	case "beginsWith", "doesNotBeginWith":
		name += ".startsWith(" + value + ")"
	default:
		name += ".endsWith(" + value + ")"
	}
	if strings.HasPrefix(operator, "doesNot") {
		return "!" + name
	}
	return name
}

// callText writes the name of a field, with what it is called with.
func (w *word) callText(args []any) (string, bool) {
	if w.call == nil {
		return w.fullName(), len(args) == 0
	}
	if len(args) > len(w.args) {
		return "", false
	}
	var list []string
	for i, p := range w.args {
		if i >= len(args) {
			if !p.Optional {
				return "", false
			}
			break
		}
		text, ok := literalText(p.Type, args[i], 0)
		if !ok {
			return "", false
		}
		list = append(list, text)
	}
	return w.fullName() + "(" + strings.Join(list, ", ") + ")", true
}

// valueText writes the value of a rule.
func (e *Env) valueText(w *word, r *Rule) (string, bool) {
	t := w.typ
	if t == Texts {
		t = Text
	}
	if r.Operator != "in" && r.Operator != "notIn" {
		return literalText(t, r.Value, e.decimals)
	}
	list, ok := r.Value.([]any)
	if !ok || len(list) > maxNodes {
		return "", false
	}
	var texts []string
	for _, v := range list {
		text, ok := literalText(t, v, e.decimals)
		if !ok {
			return "", false
		}
		texts = append(texts, text)
	}
	return "[" + strings.Join(texts, ", ") + "]", true
}

// literalText writes a value as a literal of a type.
func literalText(t Type, v any, decimals int) (string, bool) {
	switch t {
	case Whole:
		n, ok := number(v)
		return strconv.FormatFloat(n, 'f', -1, 64), ok && n == math.Trunc(n)
	case Number:
		n, ok := number(v)
		text := strconv.FormatFloat(n, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text, ok
	case Money:
		s, ok := v.(string)
		if ok {
			_, ok = parseMoney(s, decimals)
		}
		return "money(" + quote(s) + ")", ok
	}
	s, ok := v.(string)
	return quote(s), ok && utf8.ValidString(s)
}

// exact is the largest whole number up to which a float64 has all.
const exact = 1 << 53

// number reads a number of JSON, or of Go.
func number(v any) (float64, bool) {
	var n float64
	switch v := v.(type) {
	case float64:
		n = v
	case int:
		n = float64(v)
	case int64:
		n = float64(v)
	case json.Number:
		var err error
		if n, err = v.Float64(); err != nil {
			return 0, false
		}
	default:
		return 0, false
	}
	return n, n >= -exact && n <= exact
}
