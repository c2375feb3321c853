package cond

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// asked is what a test knows of a field by itself: how to read it and which values to try.
// The oracle below goes by this table and never asks the code under test.
var asked = []struct {
	field  string
	args   []any
	typ    Type
	read   func(*Facts) any
	values []any
}{
	{"sale.total", nil, Money, func(f *Facts) any { return f.Sale.Total }, []any{"0", "99.99", "100", "100.00", "123.5"}},
	{"sale.channel", nil, Text, func(f *Facts) any { return f.Sale.Channel }, []any{"shop", "online", "s", "", `"quo\ted"`, "网店\n"}},
	{"member.tags", nil, Texts, func(f *Facts) any { return f.Member.Tags }, []any{"vip", "app", "none"}},
	{"member.age", nil, Whole, func(f *Facts) any { return int64(36) }, []any{18.0, 35.0, 36.0}},
	{"member.tier.rank", nil, Whole, func(f *Facts) any { return int64(f.Member.TierRank) }, []any{-1.0, 0.0, 2.0, 3.0}},
	{"member.birthday.this_month", nil, YesNo, func(f *Facts) any { return f.Member.BirthMonth == 5 }, []any{true, false}},
	{"member.attributes.size", nil, Number, func(f *Facts) any { return 38.5 }, []any{38.0, 38.5, -1.0}},
	{"member.spend", []any{90.0}, Money, func(f *Facts) any { return int64(99_900) }, []any{"999", "1000"}},
	{"member.bought", []any{"coffee", 30.0}, Number, func(f *Facts) any { return 12.5 }, []any{12.5, 13.0}},
	{"now.date", nil, Date, func(f *Facts) any { return "2026-05-12" }, []any{"2026-05-12", "2026-05-13"}},
	{"sale.flag", []any{"delivery"}, YesNo, func(f *Facts) any { return true }, []any{true, false}},
}

// operatorsFor is what may be asked of each type, as react-querybuilder names it.
var operatorsFor = map[Type][]string{
	Money: {"=", "!=", "<", "<=", ">", ">="}, Whole: {"=", "!=", "<", "<=", ">", ">=", "in", "notIn"}, Number: {"=", "!=", "<", "<=", ">", ">="},
	Text: {"=", "!=", "in", "notIn", "contains", "doesNotContain", "beginsWith", "doesNotBeginWith", "endsWith", "doesNotEndWith"},
	Date: {"=", "!=", "<", "<=", ">", ">="}, Texts: {"contains", "doesNotContain"}, YesNo: {"="},
}

func drawRule(t *rapid.T) *Rule {
	a := asked[rapid.IntRange(0, len(asked)-1).Draw(t, "field")]
	r := &Rule{Field: a.field, Args: a.args, Operator: rapid.SampledFrom(operatorsFor[a.typ]).Draw(t, "operator")}
	if r.Operator == "in" || r.Operator == "notIn" {
		r.Value = append([]any{}, rapid.SliceOfN(rapid.SampledFrom(a.values), 0, 3).Draw(t, "values")...)
	} else {
		r.Value = rapid.SampledFrom(a.values).Draw(t, "value")
	}
	return r
}

func drawTree(t *rapid.T, depth int) *Tree {
	g := &Tree{Combinator: rapid.SampledFrom([]string{"and", "or"}).Draw(t, "combinator"), Not: rapid.Bool().Draw(t, "not"), Rules: []Node{}}
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		if depth > 0 && rapid.Bool().Draw(t, "nest") {
			g.Rules = append(g.Rules, Node{Tree: drawTree(t, depth-1)})
		} else {
			g.Rules = append(g.Rules, Node{Rule: drawRule(t)})
		}
	}
	return g
}

// treeHolds is what a tree means.
func treeHolds(g *Tree, f *Facts) bool {
	holds := g.Combinator == "and" || len(g.Rules) == 0
	for _, n := range g.Rules {
		one := false
		if n.Tree != nil {
			one = treeHolds(n.Tree, f)
		} else {
			one = ruleHolds(n.Rule, f)
		}
		if g.Combinator == "and" {
			holds = holds && one
		} else {
			holds = holds || one
		}
	}
	return holds != g.Not
}

func ruleHolds(r *Rule, f *Facts) bool {
	i := slices.IndexFunc(asked, func(a struct {
		field  string
		args   []any
		typ    Type
		read   func(*Facts) any
		values []any
	}) bool {
		return a.field == r.Field
	})
	is := asked[i].read(f)
	if tags, ok := is.([]string); ok {
		return slices.Contains(tags, r.Value.(string)) == (r.Operator == "contains")
	}
	if list, ok := r.Value.([]any); ok {
		in := slices.ContainsFunc(list, func(v any) bool { return order(is, v) == 0 })
		return in == (r.Operator == "in")
	}
	switch r.Operator {
	case "contains", "doesNotContain":
		return strings.Contains(is.(string), r.Value.(string)) == (r.Operator == "contains")
	case "beginsWith", "doesNotBeginWith":
		return strings.HasPrefix(is.(string), r.Value.(string)) == (r.Operator == "beginsWith")
	case "endsWith", "doesNotEndWith":
		return strings.HasSuffix(is.(string), r.Value.(string)) == (r.Operator == "endsWith")
	case "=":
		return order(is, r.Value) == 0
	case "!=":
		return order(is, r.Value) != 0
	case "<":
		return order(is, r.Value) < 0
	case "<=":
		return order(is, r.Value) <= 0
	case ">":
		return order(is, r.Value) > 0
	}
	return order(is, r.Value) >= 0
}

// order compares what a field is with the value of a rule.
func order(is, value any) int {
	switch is := is.(type) {
	case bool:
		if is == value.(bool) {
			return 0
		}
		return 1
	case string:
		return strings.Compare(is, value.(string))
	case float64:
		return int((is - value.(float64)) * 2)
	}
	n := is.(int64)
	if cents, ok := map[any]int64{"0": 0, "99.99": 9_999, "100": 10_000, "100.00": 10_000, "123.5": 12_350, "999": 99_900, "1000": 100_000}[value]; ok {
		return int(n - cents)
	}
	return int(n) - int(value.(float64))
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Whatever the builder makes can be written as text, means the same there, and comes back as
// it was, but for brackets that say nothing.
func TestTreeRoundTrip(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	rapid.Check(t, func(t *rapid.T) {
		tree, f := drawTree(t, 2), shopFacts()
		f.Sale.Total = rapid.SampledFrom([]int64{0, 9_999, 10_000, 12_350}).Draw(t, "total")
		f.Sale.Channel = rapid.SampledFrom([]string{"shop", "online", `"quo\ted"`, "网店\n"}).Draw(t, "channel")
		f.Member.TierRank = rapid.IntRange(0, 3).Draw(t, "rank")
		f.Member.BirthMonth = rapid.IntRange(4, 5).Draw(t, "month")
		f.Member.BirthDay = 1 // 36 in either month

		text, err := e.Text(*tree)
		if err != nil {
			t.Fatalf("Text(%s): %v", inJSON(tree), err)
		}
		c, err := e.Compile(text, OfSale)
		if err != nil {
			t.Fatalf("Compile(%s): %v", text, err)
		}
		got, err := c.Eval(f)
		if want := treeHolds(tree, f); err != nil || got != want {
			t.Fatalf("%s = %v, %v, want %v", text, got, err, want)
		}
		back, ok := e.ParseTree(text, OfSale)
		if want := tree.Tidy(); !ok || inJSON(back) != inJSON(want) {
			t.Fatalf("%s came back as\n%s, want\n%s", text, inJSON(back), inJSON(want))
		}
		if treeHolds(&back, f) != got {
			t.Fatalf("%s came back with another meaning: %s", text, inJSON(back))
		}
		again, err := e.Text(back)
		if err != nil {
			t.Fatalf("Text(%s): %v", inJSON(back), err)
		}
		if third, ok := e.ParseTree(again, OfSale); !ok || inJSON(third) != inJSON(back) {
			t.Fatalf("%s is not stable: %s", again, inJSON(third))
		}
	})
}

// The JSON of the builder is read as it comes.
func TestTreeJSON(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	const builder = `{"combinator":"and","rules":[
		{"field":"sale.total","operator":">=","value":"100"},
		{"combinator":"or","not":true,"rules":[
			{"field":"now.weekday","operator":"in","value":[6,7]},
			{"field":"member.spend","args":[30],"operator":"<","value":"50.5"}]}]}`
	var tree Tree
	if err := json.Unmarshal([]byte(builder), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := e.Text(tree)
	want := `sale.total >= money("100") && !(now.weekday in [6, 7] || member.spend(30) < money("50.5"))`
	if err != nil || text != want {
		t.Fatalf("Text = %s, %v", text, err)
	}
	back, ok := e.ParseTree(text, OfSale)
	if !ok || inJSON(back) != inJSON(tree) {
		t.Errorf("came back as %s", inJSON(back))
	}
}

// What the builder cannot show is left to the text, and what it can is told from it.
func TestParseTree(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, tt := range []struct {
		text string
		want string // "" where the builder cannot show it
	}{
		{`true`, `{"combinator":"and","rules":[]}`},
		{`false`, `{"combinator":"and","not":true,"rules":[]}`},
		{`now.weekend`, `{"combinator":"and","rules":[{"field":"now.weekend","operator":"=","value":true}]}`},
		{`!now.weekend`, `{"combinator":"and","rules":[{"field":"now.weekend","operator":"=","value":false}]}`},
		{`now.weekend == true`, `{"combinator":"and","rules":[{"field":"now.weekend","operator":"=","value":true}]}`},
		{`sale.total > 0`, `{"combinator":"and","rules":[{"field":"sale.total","operator":"\u003e","value":"0"}]}`},
		{`member.tier.rank > -1`, `{"combinator":"and","rules":[{"field":"member.tier.rank","operator":"\u003e","value":-1}]}`},
		{`(now.weekend || now.day == 8) && sale.store == "S1" && now.hour < 9`, `{"combinator":"and","rules":[{"combinator":"or","rules":[{"field":"now.weekend","operator":"=","value":true},{"field":"now.day","operator":"=","value":8}]},{"field":"sale.store","operator":"=","value":"S1"},{"field":"now.hour","operator":"\u003c","value":9}]}`},
		{`now.weekend && (now.day == 8 && now.hour < 9)`, `{"combinator":"and","rules":[{"field":"now.weekend","operator":"=","value":true},{"combinator":"and","rules":[{"field":"now.day","operator":"=","value":8},{"field":"now.hour","operator":"\u003c","value":9}]}]}`},
		{`sale.lines.exists(l, l.sku == "A")`, ``},
		{`member.birthday.month == now.month`, ``},
		{`sale.total * 2 > money("5")`, ``},
		{`now.weekend ? true : false`, ``},
		{`5 < now.day`, ``},
		{`size(member.tags) > 1`, ``},
		{`member.birth_year == 9007199254740993`, ``},
		{`sale.nothing`, ``},
	} {
		tree, ok := e.ParseTree(tt.text, OfSale)
		if ok != (tt.want != "") || ok && inJSON(tree) != tt.want {
			t.Errorf("ParseTree(%s) = %s, %v", tt.text, inJSON(tree), ok)
		}
	}
}

// A tree from outside that does not fit the vocabulary is refused, with the field.
func TestTextRefuses(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, tt := range []struct {
		name string
		rule Rule
	}{
		{"no such field", Rule{Field: "sale.totl", Operator: "=", Value: "1"}},
		{"an object", Rule{Field: "member.tier", Operator: "=", Value: "1"}},
		{"a function that stands alone", Rule{Field: "money", Operator: "=", Value: "1"}},
		{"no such operator", Rule{Field: "sale.total", Operator: "contains", Value: "1"}},
		{"an operator with code in it", Rule{Field: "sale.total", Operator: "> money(\"1\") ||", Value: "1"}},
		{"a number for money", Rule{Field: "sale.total", Operator: "=", Value: 100.0}},
		{"a text that is no amount", Rule{Field: "sale.total", Operator: "=", Value: "1.234"}},
		{"a text for a number", Rule{Field: "now.day", Operator: "=", Value: "1"}},
		{"a fraction for a whole number", Rule{Field: "now.day", Operator: "=", Value: 1.5}},
		{"a number past what JSON holds", Rule{Field: "now.year", Operator: "=", Value: 1e300}},
		{"one value for a list", Rule{Field: "now.day", Operator: "in", Value: 1.0}},
		{"a list for one value", Rule{Field: "now.day", Operator: "=", Value: []any{1.0}}},
		{"a missing argument", Rule{Field: "member.points", Operator: "=", Value: 1.0}},
		{"an argument too many", Rule{Field: "member.spend", Args: []any{1.0, 2.0}, Operator: "=", Value: "1"}},
		{"an argument of another type", Rule{Field: "member.spend", Args: []any{"1"}, Operator: "=", Value: "1"}},
		{"an argument of a field", Rule{Field: "sale.total", Args: []any{1.0}, Operator: "=", Value: "1"}},
		{"no value", Rule{Field: "now.weekend", Operator: "="}},
		{"a text that is not UTF-8", Rule{Field: "sale.store", Operator: "=", Value: "\xff"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, err := e.Text(Tree{Combinator: "and", Rules: []Node{{Rule: &tt.rule}}})
			if !errors.Is(err, ErrRule) {
				t.Errorf("Text = %s, %v", text, err)
			}
		})
	}
	deep := &Tree{Combinator: "and", Rules: []Node{{}}}
	if _, err := e.Text(*deep); !errors.Is(err, ErrRule) {
		t.Errorf("an empty node: %v", err)
	}
	for range 1_000 {
		deep = &Tree{Combinator: "and", Not: true, Rules: []Node{{Tree: deep}}}
	}
	if _, err := e.Text(*deep); !errors.Is(err, ErrDeep) {
		t.Errorf("a deep tree: %v", err)
	}
	t.Run("what is written compiles at every depth", func(t *testing.T) {
		t.Parallel()
		rule := Node{Rule: &Rule{Field: "member.spend", Args: []any{30.0}, Operator: ">=", Value: "5"}}
		g := &Tree{Combinator: "and", Rules: []Node{rule}}
		for depth := 1; ; depth++ {
			g = &Tree{Combinator: []string{"and", "or"}[depth%2], Not: true, Rules: []Node{rule, {Tree: g}}}
			text, err := e.Text(*g)
			if errors.Is(err, ErrDeep) && depth > 10 {
				return
			}
			if err != nil {
				t.Fatal(depth, err)
			}
			if _, err := e.Compile(text, OfSale); err != nil {
				t.Fatal(fmt.Sprint(depth), len(text), err)
			}
		}
	})
}
