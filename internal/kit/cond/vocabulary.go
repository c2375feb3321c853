package cond

import (
	"slices"
	"strings"
)

// Entry documents one field or function, in both languages. It is what the builder and the
// documentation are made from.
type Entry struct {
	Name      string   `json:"name" doc:"As it is written in a condition." example:"member.tier.rank"`
	Type      Type     `json:"type" doc:"What it gives."`
	Kinds     []string `json:"kinds" doc:"Where it may be used: member, sale, line, event."`
	Args      []Param  `json:"args,omitempty" doc:"What it is called with."`
	EN        string   `json:"en" doc:"In a few words, in English."`
	ZH        string   `json:"zh" doc:"In a few words, in Chinese."`
	Values    []Choice `json:"values,omitempty" doc:"The only values it takes."`
	Min       int64    `json:"min,omitempty" doc:"The least value, where min and max are not both 0."`
	Max       int64    `json:"max,omitempty" doc:"The greatest value."`
	Operators []string `json:"operators,omitempty" doc:"What a rule of the visual builder may ask of it; none where it is for texts only."`
	Example   string   `json:"example" doc:"A condition that compiles."`
	LooksUp   bool     `json:"looks_up,omitempty" doc:"Costs a look-up: its arguments are fixed values."`
}

// Param is one argument of a function.
type Param struct {
	Type     Type     `json:"type"`
	EN       string   `json:"en"`
	ZH       string   `json:"zh"`
	Values   []string `json:"values,omitempty" doc:"The only values it takes."`
	Optional bool     `json:"optional,omitempty" doc:"May be left out."`
}

// Choice is one value of a field that has few.
type Choice struct {
	Value string `json:"value"`
	EN    string `json:"en"`
	ZH    string `json:"zh"`
}

// Vocabulary documents every field and function that conditions may use, in the order in which
// people should read them.
func (e *Env) Vocabulary() []Entry {
	list := make([]Entry, 0, len(e.words))
	for i := range e.words {
		w := &e.words[i]
		if w.typ == Object {
			continue // its fields are words of their own
		}
		list = append(list, Entry{
			Name: w.fullName(), Type: w.typ, Kinds: w.kinds(), Args: w.args, EN: w.en, ZH: w.zh,
			Values: w.values, Min: w.min, Max: w.max, Operators: w.operators(), Example: w.eg, LooksUp: w.fact,
		})
	}
	return list
}

// paths is where the objects of a type are found.
var paths = map[string]string{
	"Member": "member", "Tier": "member.tier", "Birthday": "member.birthday", "Attributes": "member.attributes",
	"Sale": "sale", "Line": "line", "Event": "event", "Now": "now",
}

// fullName is the word as it is written.
func (w *word) fullName() string {
	if w.on == nil {
		return w.name
	}
	return paths[w.on.TypeName()] + "." + escape(w.name)
}

// reserved are the words that CEL keeps for itself: a field of such a name stands in back
// quotes. Only attributes can have one; their keys are the programme's own.
var reserved = strings.Fields("as break const continue else false for function if import in let loop namespace null package return true var void while")

func escape(name string) string {
	if slices.Contains(reserved, name) {
		return "`" + name + "`"
	}
	return name
}

// root is the variable that the word hangs on, or "".
func (w *word) root() string {
	if w.on == nil {
		return ""
	}
	root, _, _ := strings.Cut(paths[w.on.TypeName()], ".")
	return root
}

// kinds lists where the word may be used.
func (w *word) kinds() []string {
	list := []Kind{OfMember, OfSale, OfLine, OfEvent}
	switch w.root() {
	case "sale":
		list = []Kind{OfSale, OfLine}
	case "line":
		list = []Kind{OfLine}
	case "event":
		list = []Kind{OfEvent}
	}
	if w.on == nil && strings.Contains(w.eg, "sale.") { // of the list functions, which are shown on lines
		list = []Kind{OfSale, OfLine}
	}
	var names []string
	for _, k := range list {
		names = append(names, k.String())
	}
	return names
}

// operators lists what the builder offers.
func (w *word) operators() []string {
	switch {
	case w.on == nil:
		return nil
	case len(w.values) > 0:
		return []string{"=", "!=", "in", "notIn"}
	}
	return slices.Clone(operatorsOf[w.typ])
}

var operatorsOf = map[Type][]string{
	Text:   {"=", "!=", "in", "notIn", "contains", "doesNotContain", "beginsWith", "doesNotBeginWith", "endsWith", "doesNotEndWith"},
	Whole:  {"=", "!=", "<", "<=", ">", ">=", "in", "notIn"},
	Number: {"=", "!=", "<", "<=", ">", ">="},
	Money:  {"=", "!=", "<", "<=", ">", ">="},
	YesNo:  {"="},
	Date:   {"=", "!=", "<", "<=", ">", ">=", "in", "notIn"},
	Hour:   {"<", "<=", ">", ">="},
	Texts:  {"contains", "doesNotContain"},
}
