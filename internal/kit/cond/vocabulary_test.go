package cond

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Whatever is declared is documented in both languages, with an example that compiles where
// the word may be used, and uses it.
func TestVocabulary(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	documented := map[string]bool{}
	for _, w := range e.Vocabulary() {
		if documented[w.Name] {
			t.Errorf("%s is documented twice", w.Name)
		}
		documented[w.Name] = true
		han := strings.ContainsFunc(w.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		if w.EN == "" || !han || w.Type == "" || len(w.Kinds) == 0 {
			t.Errorf("%s is not documented: %+v", w.Name, w)
		}
		last := w.Name[strings.LastIndex(w.Name, ".")+1:]
		if !strings.Contains(w.Example, last) {
			t.Errorf("the example of %s does not show it: %s", w.Name, w.Example)
		}
		for _, kind := range []Kind{OfMember, OfSale, OfLine, OfEvent} {
			c, err := e.Compile(w.Example, kind)
			if may := slices.Contains(w.Kinds, kind.String()); may && err != nil {
				t.Errorf("the example of %s in a condition of %s: %v", w.Name, kind, err)
			} else if !may && err == nil {
				t.Errorf("%s is not documented for %s, where %s compiles", w.Name, kind, w.Example)
			} else if may && !c.Uses(w.Name) && w.Operators != nil {
				t.Errorf("the example of %s uses %v", w.Name, c.uses)
			}
		}
		for _, a := range w.Args {
			if a.EN == "" || a.ZH == "" || a.Type == "" {
				t.Errorf("an argument of %s is not documented", w.Name)
			}
		}
		for _, c := range w.Values {
			if c.EN == "" || c.ZH == "" {
				t.Errorf("the value %q of %s is not documented", c.Value, w.Name)
			}
		}
	}
	// And the other way: what CEL accepts as a field or function of ours has an entry.
	for _, p := range paths {
		for field := range e.fields(p) {
			if full := p + "." + escape(field); !documented[full] && paths[typeAt(full)] == "" {
				t.Errorf("%s compiles and is not documented", full)
			}
		}
	}
	for name := range e.kinds[OfLine].Functions() {
		known := operator(name) || slices.ContainsFunc(e.Vocabulary(), func(w Entry) bool { return w.Name[strings.LastIndex(w.Name, ".")+1:] == name })
		if !known {
			t.Errorf("the function %s compiles and is not documented", name)
		}
	}
}

// A programme may call an attribute whatever it likes.
func TestReservedNames(t *testing.T) {
	t.Parallel()
	var attributes []Attribute
	for _, name := range reserved {
		attributes = append(attributes, Attribute{Key: name, Type: Whole, EN: "x", ZH: "某"})
	}
	e, err := NewEnv(Config{Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	f := shopFacts()
	for _, name := range reserved {
		f.Member.Attributes[name] = WholeValue(7)
		field := "member.attributes.`" + name + "`"
		text, err := e.Text(Tree{Combinator: "and", Rules: []Node{{Rule: &Rule{Field: field, Operator: "=", Value: 7.0}}}})
		if err != nil || text != field+" == 7" {
			t.Errorf("%s: %s, %v", name, text, err)
			continue
		}
		c, err := e.Compile(text, OfMember)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := c.Eval(f); err != nil || !got {
			t.Errorf("%s = %v, %v", text, got, err)
		}
		if tree, ok := e.ParseTree(text, OfMember); !ok || tree.Rules[0].Field != field {
			t.Errorf("%s came back as %s", text, inJSON(tree))
		}
	}
	if _, err := NewEnv(Config{Attributes: []Attribute{{Key: "x", Type: Lines}}}); err == nil {
		t.Error("an attribute that is a list of lines")
	}
}

// fields asks CEL, not our table, which fields an object has.
func (e *Env) fields(path string) map[string]bool {
	list := map[string]bool{}
	for name, p := range paths {
		if p == path {
			names, _ := e.kinds[OfLine].CELTypeProvider().FindStructFieldNames(name)
			for _, n := range names {
				list[n] = true
			}
		}
	}
	return list
}

// typeAt is the type whose objects stand at a path, or "".
func typeAt(path string) string {
	for name, p := range paths {
		if p == path {
			return name
		}
	}
	return ""
}

// Every operator that the builder is offered can be written, compiled and read back.
func TestOperators(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, w := range e.Vocabulary() {
		var args []any
		for _, a := range w.Args {
			switch {
			case w.Operators == nil:
			case a.Type == Text && a.Values != nil:
				args = append(args, a.Values[0])
			case a.Type == Text:
				args = append(args, "x")
			default:
				args = append(args, 30.0)
			}
		}
		for _, operator := range w.Operators {
			r := &Rule{Field: w.Name, Args: args, Operator: operator, Value: sampleValue(w)}
			if operator == "in" || operator == "notIn" {
				r.Value = []any{r.Value}
			}
			kind := map[string]Kind{"member": OfMember, "sale": OfSale, "line": OfLine, "event": OfEvent}[w.Kinds[0]]
			text, err := e.Text(Tree{Combinator: "and", Rules: []Node{{Rule: r}}})
			if err != nil {
				t.Errorf("%s %s: %v", w.Name, operator, err)
				continue
			}
			tree, ok := e.ParseTree(text, kind)
			if !ok || len(tree.Rules) != 1 || inJSON(tree.Rules[0]) != inJSON(Node{Rule: r}) {
				_, err := e.Compile(text, kind)
				t.Errorf("%s came back as %s, %v (%v)", text, inJSON(tree), ok, err)
			}
		}
	}
}

// sampleValue is a value that a field takes, as the builder holds it.
func sampleValue(w Entry) any {
	switch {
	case len(w.Values) > 0:
		return w.Values[0].Value
	case w.Type == Whole:
		return float64(max(w.Min, 1))
	case w.Type == Number:
		return 1.0
	}
	if w.Type == Text || w.Type == Texts {
		return "x"
	}
	return map[Type]any{Money: "12.50", YesNo: true, Date: "2026-01-01", Hour: "09:30"}[w.Type]
}
