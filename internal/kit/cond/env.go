package cond

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Config is what an Env is built from besides the fixed vocabulary. All of it is optional.
type Config struct {
	Decimals   int         // of the programme's currency: 2 for CNY, 0 for JPY
	Attributes []Attribute // of members, those that are not personal
	Facts      []Fact      // what may be looked up: Standard, those of it that are loaded, or more
}

// Attribute is one declared attribute of members; it is read as member.attributes.KEY.
type Attribute struct {
	Key     string
	Type    Type     // Text, Number, YesNo or Date
	Choices []string // of a choice: the only values that compile
	EN, ZH  string   // its label
}

// Env compiles conditions in one vocabulary. It is safe for many goroutines.
type Env struct {
	decimals int
	kinds    [4]*cel.Env                 // by Kind
	words    []word                      // in the order of the documentation
	byType   map[string]map[string]*word // the words of an object type, by name
	byName   map[string]*word            // all words, as they are written
	alone    map[string]*word            // functions that stand alone
}

// NewEnv builds an Env. It fails only on a Config that contradicts itself, such as two facts
// of one name: a programmer's error.
func NewEnv(c Config) (*Env, error) {
	e := &Env{decimals: c.Decimals, byType: map[string]map[string]*word{}, alone: map[string]*word{}, byName: map[string]*word{}}
	e.words = slices.Concat(memberWords(), attributeWords(c.Attributes))
	for _, a := range c.Attributes {
		if !slices.Contains([]Type{Text, Number, Whole, YesNo, Date}, a.Type) {
			return nil, fmt.Errorf("cond: the attribute %s is of type %q", a.Key, a.Type)
		}
	}
	for _, f := range c.Facts {
		if !strings.HasPrefix(f.Name, "member.") {
			return nil, fmt.Errorf("cond: the fact %s is not one of member", f.Name)
		}
		e.words = append(e.words, f.word())
	}
	e.words = slices.Concat(e.words, saleWords(), eventWords(), nowWords(), functionWords())
	if err := e.index(); err != nil {
		return nil, err
	}
	declared := e.declare()
	for kind, variables := range map[Kind][]cel.EnvOption{
		OfMember: {},
		OfSale:   {cel.Variable("sale", saleType)},
		OfLine:   {cel.Variable("sale", saleType), cel.Variable("line", lineType)},
		OfEvent:  {cel.Variable("event", eventType)},
	} {
		ce, err := cel.NewCustomEnv(slices.Concat(declared, variables)...)
		if err != nil {
			return nil, fmt.Errorf("cond: declare: %w", err)
		}
		e.kinds[kind] = ce
	}
	return e, nil
}

// index finds words by type and name, and refuses two of one name.
func (e *Env) index() error {
	for i := range e.words {
		w := &e.words[i]
		e.byName[w.fullName()] = w
		if w.on == nil {
			e.alone[w.name] = w
			continue
		}
		list := e.byType[w.on.TypeName()]
		if list == nil {
			list = map[string]*word{}
			e.byType[w.on.TypeName()] = list
		}
		if list[w.name] != nil {
			return fmt.Errorf("cond: %s.%s is declared twice", w.on.TypeName(), w.name)
		}
		list[w.name] = w
	}
	return nil
}

// declare tells CEL the whole vocabulary but the variables, which depend on the kind.
func (e *Env) declare() []cel.EnvOption {
	p := &provider{fields: map[string]map[string]*types.FieldType{}, names: map[string][]string{}}
	p.fields[attributesType.TypeName()] = map[string]*types.FieldType{} // which may have none
	var calls []cel.EnvOption
	for i := range e.words {
		switch w := &e.words[i]; {
		case w.get != nil:
			p.add(w)
		case w.call != nil:
			calls = append(calls, w.function())
		}
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(adapter{types.DefaultTypeAdapter}),
		library(),
		cel.EnableMacroCallTracking(), cel.EnableIdentifierEscapeSyntax(), cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxText), cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(maxNodes), cel.ParserErrorRecoveryLimit(4),
		cel.Variable("member", memberType), cel.Variable("now", nowType),
	}
	return slices.Concat(options, ownFunctions(e.decimals), calls)
}

// add declares a field.
func (p *provider) add(w *word) {
	t := w.on.TypeName()
	if p.fields[t] == nil {
		p.fields[t] = map[string]*types.FieldType{}
	}
	p.names[t] = append(p.names[t], w.name)
	p.fields[t][w.name] = &types.FieldType{
		Type:  w.celType(),
		IsSet: func(any) bool { return true },
		GetFrom: func(v any) (any, error) {
			o, ok := v.(*object)
			if !ok {
				return nil, fmt.Errorf("%T has no %s", v, w.name)
			}
			return w.get(o), nil
		},
	}
}

// function declares a function of an object, one overload for each way to call it.
func (w *word) function() cel.EnvOption {
	binding := cel.FunctionBinding(func(args ...ref.Val) ref.Val {
		o, ok := args[0].(*object)
		if !ok {
			return types.MaybeNoSuchOverloadErr(args[0])
		}
		return w.call(o, args[1:])
	})
	var overloads []cel.FunctionOpt
	for n := len(w.args); n >= 0; n-- {
		in := []*cel.Type{w.on}
		for _, a := range w.args[:n] {
			in = append(in, word{typ: a.Type}.celType())
		}
		id := fmt.Sprintf("%s_%s_%d", strings.ToLower(w.on.TypeName()), w.name, n)
		overloads = append(overloads, cel.MemberOverload(id, in, w.celType(), binding))
		if n == 0 || !w.args[n-1].Optional {
			break
		}
	}
	return cel.Function(w.name, overloads...)
}

// amount writes an amount as it stands in a condition.
func (e *Env) amount(n int64) string { return `money("` + formatMoney(n, e.decimals) + `")` }
