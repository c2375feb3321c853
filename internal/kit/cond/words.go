package cond

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// word is one field, function or fact of the vocabulary: its declaration, what it does and its
// documentation in one place, so that none can be without the others.
type word struct {
	on   *cel.Type // whose field or function it is; nil for one that stands alone
	name string
	typ  Type
	of   *cel.Type // the type of an Object
	en   string
	zh   string
	eg   string // an example that compiles

	get  func(*object) ref.Val                   // of a field
	args []Param                                 // of a function
	call func(o *object, args []ref.Val) ref.Val // of a function of an object
	fact bool                                    // costs a look-up

	values   []Choice
	min, max int64
}

// oneOf lists the only values of a field, as value, English, Chinese.
func (w word) oneOf(triples ...string) word {
	for i := 0; i < len(triples); i += 3 {
		w.values = append(w.values, Choice{triples[i], triples[i+1], triples[i+2]})
	}
	return w
}

// between bounds a whole number.
func (w word) between(low, high int64) word {
	w.min, w.max = low, high
	return w
}

// as gives a field another type of the same make: Money or Date.
func (w word) as(t Type) word {
	w.typ = t
	return w
}

func text(name string, get func(*object) string, en, zh, eg string) word {
	return word{name: name, typ: Text, en: en, zh: zh, eg: eg,
		get: func(o *object) ref.Val { return types.String(get(o)) }}
}

func whole(name string, get func(*object) int64, en, zh, eg string) word {
	return word{name: name, typ: Whole, en: en, zh: zh, eg: eg,
		get: func(o *object) ref.Val { return types.Int(get(o)) }}
}

func yesNo(name string, get func(*object) bool, en, zh, eg string) word {
	return word{name: name, typ: YesNo, en: en, zh: zh, eg: eg,
		get: func(o *object) ref.Val { return types.Bool(get(o)) }}
}

// part is a field that has fields of its own.
func part(name string, of *cel.Type, en, zh, eg string) word {
	return word{name: name, typ: Object, of: of, en: en, zh: zh, eg: eg,
		get: func(o *object) ref.Val { return &object{typ: of, facts: o.facts} }}
}

// on sets whose words they are.
func on(t *cel.Type, words ...word) []word {
	for i := range words {
		words[i].on = t
	}
	return words
}

// celType is how CEL sees a type.
func (w word) celType() *cel.Type {
	switch w.typ {
	case Whole, Money:
		return cel.IntType
	case Number:
		return cel.DoubleType
	case YesNo:
		return cel.BoolType
	case Texts:
		return cel.ListType(cel.StringType)
	case Lines:
		return cel.ListType(lineType)
	case Object:
		return w.of
	}
	return cel.StringType
}
