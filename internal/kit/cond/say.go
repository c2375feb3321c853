package cond

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Say tells a condition in words, in both languages, for the side of an editor and for
// traces: "What was paid ≥ 100 and Day of the week = Tuesday". What the visual builder cannot
// show comes back as the text itself. It is also good for one Step of an explanation.
func (e *Env) Say(text string, kind Kind) errs.Word {
	t, ok := e.ParseTree(text, kind)
	if !ok {
		return errs.Word{EN: text, ZH: text}
	}
	if len(t.Rules) == 0 && !t.Not {
		return errs.Word{EN: "always", ZH: "始终"}
	}
	w := e.sayGroup(&t)
	if !t.Not { // the whole needs no brackets
		w.EN = strings.TrimSuffix(strings.TrimPrefix(w.EN, "("), ")")
		w.ZH = strings.TrimSuffix(strings.TrimPrefix(w.ZH, "（"), "）")
	}
	return w
}

func (e *Env) sayGroup(t *Tree) errs.Word {
	and, not := errs.Word{EN: " and ", ZH: "，且"}, errs.Word{}
	if t.Combinator == "or" {
		and = errs.Word{EN: " or ", ZH: "，或"}
	}
	if t.Not {
		not = errs.Word{EN: "not ", ZH: "非"}
	}
	var en, zh []string
	for _, n := range t.Rules {
		w := errs.Word{EN: "always", ZH: "始终"}
		switch {
		case n.Rule != nil:
			w = e.sayRule(n.Rule)
		case len(n.Tree.Rules) > 0 || n.Not:
			w = e.sayGroup(n.Tree)
		}
		en, zh = append(en, w.EN), append(zh, w.ZH)
	}
	if len(en) == 0 {
		return errs.Word{EN: "never", ZH: "从不"}
	}
	return errs.Word{EN: not.EN + "(" + strings.Join(en, and.EN) + ")", ZH: not.ZH + "（" + strings.Join(zh, and.ZH) + "）"}
}

// saidOperators are the operators in words; %s is the value.
var saidOperators = map[string]errs.Word{
	"=": {EN: " = %s", ZH: " = %s"}, "!=": {EN: " ≠ %s", ZH: " ≠ %s"},
	"<": {EN: " < %s", ZH: " < %s"}, "<=": {EN: " ≤ %s", ZH: " ≤ %s"}, ">": {EN: " > %s", ZH: " > %s"}, ">=": {EN: " ≥ %s", ZH: " ≥ %s"},
	"in": {EN: " is one of %s", ZH: "为 %s 之一"}, "notIn": {EN: " is none of %s", ZH: "不为 %s"},
	"contains": {EN: " contains %s", ZH: "包含 %s"}, "doesNotContain": {EN: " does not contain %s", ZH: "不包含 %s"},
	"beginsWith": {EN: " begins with %s", ZH: "以 %s 开头"}, "doesNotBeginWith": {EN: " does not begin with %s", ZH: "不以 %s 开头"},
	"endsWith": {EN: " ends with %s", ZH: "以 %s 结尾"}, "doesNotEndWith": {EN: " does not end with %s", ZH: "不以 %s 结尾"},
}

func (e *Env) sayRule(r *Rule) errs.Word {
	w := e.byName[r.Field]
	label, args := w.label(), sayArgs(w, r.Args)
	label = errs.Word{EN: label.EN + args.EN, ZH: label.ZH + args.ZH}
	switch r.Value {
	case true:
		return label
	case false:
		return errs.Word{EN: "not: " + label.EN, ZH: "非" + label.ZH}
	}
	values, ok := r.Value.([]any)
	if !ok {
		values = []any{r.Value}
	}
	var en, zh []string
	for _, v := range values {
		said := w.sayValue(v)
		en, zh = append(en, said.EN), append(zh, said.ZH)
	}
	said := saidOperators[r.Operator]
	return errs.Word{EN: label.EN + fmt.Sprintf(said.EN, strings.Join(en, ", ")), ZH: label.ZH + fmt.Sprintf(said.ZH, strings.Join(zh, "、"))}
}

// label is the documentation of a word up to its first explanation.
func (w *word) label() errs.Word {
	en, zh := w.en, w.zh
	if i := strings.IndexAny(en, ":;,("); i > 0 {
		en = strings.TrimSpace(en[:i])
	}
	if i := strings.IndexAny(zh, "：；，（"); i > 0 {
		zh = zh[:i]
	}
	return errs.Word{EN: en, ZH: zh}
}

// sayArgs tells what a field is asked with: a category, a window.
func sayArgs(w *word, args []any) errs.Word {
	var en, zh []string
	for _, a := range args {
		switch a := a.(type) {
		case string:
			en, zh = append(en, a), append(zh, a)
		case float64:
			days := strconv.FormatFloat(a, 'f', -1, 64)
			en, zh = append(en, "last "+days+" days"), append(zh, "近 "+days+" 天")
		}
	}
	if len(args) < len(w.args) {
		en, zh = append(en, "ever"), append(zh, "累计")
	}
	if len(en) == 0 {
		return errs.Word{}
	}
	return errs.Word{EN: " (" + strings.Join(en, ", ") + ")", ZH: "（" + strings.Join(zh, "，") + "）"}
}

var weekdays = [...]errs.Word{
	{EN: "Monday", ZH: "周一"}, {EN: "Tuesday", ZH: "周二"}, {EN: "Wednesday", ZH: "周三"}, {EN: "Thursday", ZH: "周四"},
	{EN: "Friday", ZH: "周五"}, {EN: "Saturday", ZH: "周六"}, {EN: "Sunday", ZH: "周日"},
}

// sayValue tells a value: choices by their names.
func (w *word) sayValue(v any) errs.Word {
	switch v := v.(type) {
	case float64:
		if i := int(v) - 1; w.fullName() == "now.weekday" && i >= 0 && i < len(weekdays) {
			return weekdays[i]
		}
		s := strconv.FormatFloat(v, 'f', -1, 64)
		return errs.Word{EN: s, ZH: s}
	case string:
		if i := slices.IndexFunc(w.values, func(c Choice) bool { return c.Value == v }); i >= 0 {
			return errs.Word{EN: w.values[i].EN, ZH: w.values[i].ZH}
		}
		if w.typ == Money || w.typ == Date || w.typ == Hour {
			return errs.Word{EN: v, ZH: v}
		}
		return errs.Word{EN: "“" + v + "”", ZH: "“" + v + "”"}
	}
	return errs.Word{}
}
