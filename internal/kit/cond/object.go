package cond

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// object is a value with fields inside an evaluation: member, sale, one of its lines, …
type object struct {
	typ   *cel.Type
	facts *Facts
	line  *Line // of a Line only
}

// The types of objects, by their names in the declarations.
var (
	memberType     = cel.ObjectType("Member")
	tierType       = cel.ObjectType("Tier")
	birthdayType   = cel.ObjectType("Birthday")
	attributesType = cel.ObjectType("Attributes")
	saleType       = cel.ObjectType("Sale")
	lineType       = cel.ObjectType("Line")
	eventType      = cel.ObjectType("Event")
	nowType        = cel.ObjectType("Now")
)

// ConvertToNative is for callers of CEL who want Go values; there are none.
func (o *object) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s is no %v", o.typ, t)
}

// ConvertToType knows no other type.
func (o *object) ConvertToType(t ref.Type) ref.Val { return types.NewErr("%s is no %s", o.typ, t) }

// Equal tells two objects apart by what they stand for.
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	return types.Bool(ok && p.typ == o.typ && p.facts == o.facts && p.line == o.line)
}

// Type is the object's type.
func (o *object) Type() ref.Type { return o.typ }

// Value is the object itself: fields are read from it.
func (o *object) Value() any { return o }

// activation hands the variables of Facts to an evaluation.
type activation struct{ facts *Facts }

// ResolveName finds a variable.
func (a activation) ResolveName(name string) (any, bool) {
	switch name {
	case "member":
		return &object{typ: memberType, facts: a.facts}, true
	case "sale":
		return &object{typ: saleType, facts: a.facts}, true
	case "line":
		return &object{typ: lineType, facts: a.facts, line: a.facts.Line}, true
	case "event":
		return &object{typ: eventType, facts: a.facts}, true
	case "now":
		return &object{typ: nowType, facts: a.facts}, true
	}
	return nil, false
}

// Parent is nil: there is nothing around the facts.
func (a activation) Parent() cel.Activation { return nil }

// adapter lets our own values pass, and leaves the rest to CEL.
type adapter struct{ types.Adapter }

// NativeToValue turns what a field holds into a value.
func (a adapter) NativeToValue(v any) ref.Val {
	if val, ok := v.(ref.Val); ok {
		return val
	}
	return a.Adapter.NativeToValue(v)
}

// provider tells CEL which fields each type has.
type provider struct {
	fields map[string]map[string]*types.FieldType // by type and name
	names  map[string][]string
}

// FindStructType finds a type by its name.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return nil, false
}

// FindStructFieldNames lists the fields of a type.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	list, ok := p.names[name]
	return list, ok
}

// FindStructFieldType finds a field of a type.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	f, ok := p.fields[name][field]
	return f, ok
}

// NewValue refuses: no condition makes objects.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("%s cannot be made", name)
}

// FindIdent hides the names of types, which conditions do not speak of.
func (p *provider) FindIdent(string) (ref.Val, bool) { return nil, false }

// EnumValue knows none.
func (p *provider) EnumValue(name string) ref.Val { return types.NewErr("unknown name %s", name) }
