package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Huma decodes a body twice: into maps, which it validates, and into the input of the
// handler. For a body that is right this is a third of the work of a sale. So a body is
// first decoded by a decoder that was compiled from the same schema and type. It either
// gives the value that Huma would give, or says that it is not sure; then Huma reads the
// body as if nothing had been tried, and words the refusal where there is one.
//
// So a decoder may be strict where it likes, and never lenient: TestDecode compares the
// two. It reads JSON that scanJSON has found valid.

// cursor is a place in a body.
type cursor struct {
	src []byte
	pos int
}

// decoder reads the value at c into v. It reports false where it is not sure; what it did
// to v and c is then to be thrown away.
type decoder func(c *cursor, v reflect.Value) bool

var (
	unmarshaler  = reflect.TypeFor[json.Unmarshaler]()
	resolver     = reflect.TypeFor[huma.Resolver]()
	pathResolver = reflect.TypeFor[huma.ResolverWithPath]()
)

// compile makes the decoder of a type under a schema, or nil where one of them has
// something that decoders do not know.
func compile(reg huma.Registry, t reflect.Type, s *huma.Schema) decoder {
	if s = dereference(reg, s); s == nil || hasMore(s) {
		return nil
	}
	pointer := reflect.PointerTo(t)
	switch {
	case pointer.Implements(resolver), pointer.Implements(pathResolver):
		return nil
	case pointer.Implements(unmarshaler):
		return compileNumber(s)
	}
	switch t.Kind() {
	case reflect.String:
		return compileText(s)
	case reflect.Int64:
		return compileInteger(s)
	case reflect.Bool:
		return compileBool(s)
	case reflect.Pointer:
		return compilePointer(reg, t, s)
	case reflect.Slice:
		return compileList(reg, t, s)
	case reflect.Struct:
		return compileObject(reg, t, s)
	}
	return nil
}

func dereference(reg huma.Registry, s *huma.Schema) *huma.Schema {
	for s != nil && s.Ref != "" {
		s = reg.SchemaFromRef(s.Ref)
	}
	return s
}

// hasMore reports whether a schema asks for something that no decoder here checks.
func hasMore(s *huma.Schema) bool {
	return s.Default != nil || s.MultipleOf != nil || s.Pattern != "" || s.UniqueItems || s.ReadOnly || s.WriteOnly ||
		s.ContentEncoding != "" || s.MinProperties != nil || s.MaxProperties != nil || len(s.DependentRequired) > 0 ||
		len(s.OneOf) > 0 || len(s.AnyOf) > 0 || len(s.AllOf) > 0 || s.Not != nil || s.Discriminator != nil
}

// peek skips white space and returns the byte that begins the next token.
func (c *cursor) peek() byte {
	for c.pos < len(c.src) {
		switch b := c.src[c.pos]; b {
		case ' ', '\n', '\r', '\t':
			c.pos++
		default:
			return b
		}
	}
	return 0
}

// take skips white space and the byte b, or reports that it is not there.
func (c *cursor) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.pos++
	return true
}

// text takes a string without escapes.
func (c *cursor) text() ([]byte, bool) {
	if !c.take('"') {
		return nil, false
	}
	n := bytes.IndexByte(c.src[c.pos:], '"')
	if n < 0 {
		return nil, false
	}
	text := c.src[c.pos : c.pos+n]
	if bytes.IndexByte(text, '\\') >= 0 {
		return nil, false
	}
	c.pos += n + 1
	return text, true
}

// number takes a number as it is written.
func (c *cursor) number() ([]byte, bool) {
	if b := c.peek(); b != '-' && (b < '0' || b > '9') {
		return nil, false
	}
	start := c.pos
	for c.pos < len(c.src) && strings.IndexByte("+-.0123456789eE", c.src[c.pos]) >= 0 {
		c.pos++
	}
	return c.src[start:c.pos], true
}

func compileText(s *huma.Schema) decoder {
	if s.Type != huma.TypeString || s.Format != "" {
		return nil
	}
	least, most := lengths(s.MinLength, s.MaxLength)
	var allowed []string
	for _, e := range s.Enum {
		text, ok := e.(string)
		if !ok {
			return nil
		}
		allowed = append(allowed, text)
	}
	return func(c *cursor, v reflect.Value) bool {
		text, ok := c.text()
		if !ok {
			return false
		}
		if n := utf8.RuneCount(text); n < least || n > most {
			return false
		}
		set := string(text)
		if allowed != nil && !slices.Contains(allowed, set) {
			return false
		}
		v.SetString(set)
		return true
	}
}

func lengths(least, most *int) (int, int) {
	low, high := 0, int(^uint(0)>>1)
	if least != nil {
		low = *least
	}
	if most != nil {
		high = *most
	}
	return low, high
}

// compileInteger knows plain digits only: 1e3 is an integer too, and left to Huma.
func compileInteger(s *huma.Schema) decoder {
	if s.Type != huma.TypeInteger || len(s.Enum) > 0 {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		text, ok := c.number()
		if !ok {
			return false
		}
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || !inBounds(s, float64(n)) {
			return false
		}
		v.SetInt(n)
		return true
	}
}

func inBounds(s *huma.Schema, n float64) bool {
	return (s.Minimum == nil || n >= *s.Minimum) && (s.Maximum == nil || n <= *s.Maximum) &&
		(s.ExclusiveMinimum == nil || n > *s.ExclusiveMinimum) && (s.ExclusiveMaximum == nil || n < *s.ExclusiveMaximum)
}

// compileNumber is for types that read their own JSON, where that is a number.
func compileNumber(s *huma.Schema) decoder {
	if s.Type != huma.TypeNumber || len(s.Enum) > 0 {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		text, ok := c.number()
		if !ok {
			return false
		}
		n, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !inBounds(s, n) {
			return false
		}
		return v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(text) == nil
	}
}

func compileBool(s *huma.Schema) decoder {
	if s.Type != huma.TypeBoolean || len(s.Enum) > 0 {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		is := c.peek() == 't'
		if !is && c.peek() != 'f' {
			return false
		}
		v.SetBool(is)
		c.pos += len(strconv.FormatBool(is))
		return true
	}
}

func compilePointer(reg huma.Registry, t reflect.Type, s *huma.Schema) decoder {
	of := compile(reg, t.Elem(), s)
	if of == nil {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		v.Set(reflect.New(t.Elem()))
		return of(c, v.Elem())
	}
}

// firstItems is the room that a list is begun with: that of a common sale.
const firstItems = 4

func compileList(reg huma.Registry, t reflect.Type, s *huma.Schema) decoder {
	if s.Type != huma.TypeArray || t.Elem().Kind() == reflect.Uint8 || s.Items == nil {
		return nil
	}
	item := compile(reg, t.Elem(), s.Items)
	if item == nil {
		return nil
	}
	least, most := lengths(s.MinItems, s.MaxItems)
	return func(c *cursor, v reflect.Value) bool {
		if !c.take('[') {
			return false
		}
		v.Set(reflect.MakeSlice(t, 0, firstItems))
		n := 0
		for !c.take(']') {
			if n > 0 && !c.take(',') || n == most {
				return false
			}
			if n == v.Cap() {
				v.Grow(n)
			}
			v.SetLen(n + 1)
			if !item(c, v.Index(n)) {
				return false
			}
			n++
		}
		return n >= least
	}
}

// unsure is the decoder of what no decoder knows.
func unsure(*cursor, reflect.Value) bool { return false }

// property is one field of an object.
type property struct {
	index  []int
	decode decoder
	bit    uint64
}

func compileObject(reg huma.Registry, t reflect.Type, s *huma.Schema) decoder {
	closed, ok := s.AdditionalProperties.(bool)
	if s.Type != huma.TypeObject || !ok || closed || len(s.Properties) > 64 {
		return nil
	}
	fields := map[string]property{}
	for _, f := range reflect.VisibleFields(t) {
		name, ok := jsonName(f)
		if !ok {
			continue
		}
		if f.Tag.Get("default") != "" || !embedsPlainly(t, f.Index) {
			return nil
		}
		p := property{index: f.Index, decode: compile(reg, f.Type, s.Properties[name]), bit: 1 << len(fields)}
		if p.decode == nil {
			p.decode = unsure // objects without it can be read all the same
		}
		fields[name] = p
	}
	var required uint64
	for _, name := range s.Required {
		p, ok := fields[name]
		if !ok {
			return nil
		}
		required |= p.bit
	}
	if len(fields) != len(s.Properties) {
		return nil
	}
	return func(c *cursor, v reflect.Value) bool {
		if !c.take('{') {
			return false
		}
		var seen uint64
		for !c.take('}') {
			if seen != 0 && !c.take(',') {
				return false
			}
			name, ok := c.text()
			if !ok || !c.take(':') {
				return false
			}
			p, ok := fields[string(name)]
			if !ok || seen&p.bit != 0 || !p.decode(c, v.FieldByIndex(p.index)) {
				return false
			}
			seen |= p.bit
		}
		return seen&required == required
	}
}

// jsonName is the name of a field in JSON; false for those that JSON does not know.
func jsonName(f reflect.StructField) (string, bool) {
	tag, tagged := f.Tag.Lookup("json")
	name, _, _ := strings.Cut(tag, ",")
	switch {
	case !f.IsExported(), name == "-":
		return "", false
	case name != "":
		return name, true
	case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
		return "", false // its fields are visible as the outer's
	}
	return f.Name, true
}

// embedsPlainly reports whether the way to a field leads over structs, not pointers to them.
func embedsPlainly(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() != reflect.Struct {
			return false
		}
	}
	return true
}
