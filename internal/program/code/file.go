package code

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// file is one that was read.
type file struct {
	tree     *ast.File
	sections []section // in the order in which parts are applied
	faults   []errs.Field
}

// section is one that stands in a file, as its part's type and in its one form.
type section struct {
	part  Part
	value any
}

// parse reads a file. What is no YAML is an error; what is wrong in it stands among its faults.
func (s *Service) parse(text []byte) (*file, error) {
	if len(text) > MaxFile {
		return nil, ErrLarge.With("most", MaxFile)
	}
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, ErrYAML.With("why", reason(err))
	}
	f := &file{tree: tree}
	if at := anchor(tree); at != "" {
		f.fault(ErrAnchor.At(at))
		return f, nil
	}
	var value map[string]any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, ErrYAML.With("why", reason(err))
	}
	// By way of JSON, numbers are what the schema and the structs of parts know them by.
	b, err := json.Marshal(value)
	if err != nil {
		return nil, ErrYAML.With("why", reason(err))
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, err
	}
	if plain == nil || plain["version"] == nil {
		f.fault(ErrFormat.With("version", format).At("version"))
		return f, nil
	}
	const root = "file"
	for _, w := range s.shape.Faults(root, plain) {
		w.Location = strings.TrimPrefix(strings.TrimPrefix(w.Location, root), ".")
		f.faults = append(f.faults, w)
	}
	if len(f.faults) > 0 {
		return f, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	for _, p := range s.parts {
		if body, ok := raw[p.Name()]; ok {
			f.take(p, body)
		}
	}
	return f, nil
}

// take reads a section into the type of its part.
func (f *file) take(p Part, body json.RawMessage) {
	into := reflect.New(p.Type())
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into.Interface()); err != nil {
		if refused := errs.As(err); refused != nil {
			f.fault(refused.At(p.Name()))
			return
		}
		f.fault(api.ErrInvalid.At(p.Name()))
		return
	}
	v, err := p.Tidy(into.Elem().Interface())
	if refused := errs.As(err); refused != nil {
		f.fault(within(p.Name(), refused))
		return
	}
	f.sections = append(f.sections, section{p, v})
}

func (f *file) fault(e *errs.Error) { f.faults = append(f.faults, e.Fields...) }

// within puts the name of a section in front of the places of a refusal.
func within(name string, e *errs.Error) *errs.Error {
	out := *e
	out.Fields = nil
	for _, x := range e.Fields {
		x.Location = join(name, x.Location)
		out.Fields = append(out.Fields, x)
	}
	if len(out.Fields) == 0 {
		return e.At(name)
	}
	return &out
}

func join(a, b string) string {
	if b == "" || b[0] == '[' {
		return a + b
	}
	return a + "." + b
}

// refusals are the faults of the file itself.
func (f *file) refusals(ctx context.Context) []Refusal {
	out := []Refusal{}
	for _, x := range f.faults {
		out = append(out, f.told(ctx, x))
	}
	return out
}

// refusal is what a part refused.
func (f *file) refusal(ctx context.Context, section string, e *errs.Error) Refusal {
	x := within(section, e).Fields[0]
	x.Code, x.EN, x.ZH = e.Code, e.Text("en"), e.Text("zh-CN")
	return f.told(ctx, x)
}

func (f *file) told(ctx context.Context, x errs.Field) Refusal {
	return Refusal{Path: x.Location, Line: f.line(x.Location), Code: x.Code, Reason: i18n.Pick(api.Language(ctx), x.EN, x.ZH), field: x}
}

// line finds the line of a place, or of what it lies in where it is not there.
func (f *file) line(at string) int {
	for at != "" {
		if p, err := yaml.PathString("$." + at); err == nil {
			if n, err := p.FilterFile(f.tree); err == nil && n != nil {
				return n.GetToken().Position.Line
			}
		}
		cut := max(strings.LastIndexByte(at, '.'), strings.LastIndexByte(at, '['))
		if cut <= 0 {
			return 0
		}
		at = at[:cut]
	}
	return 0
}

// anchor is where a file has an anchor or an alias: written out they could be a thousand times
// as large.
func anchor(f *ast.File) string {
	var at string
	look := visitor(func(n ast.Node) {
		switch n.(type) {
		case *ast.AnchorNode, *ast.AliasNode:
			at = strings.TrimPrefix(strings.TrimPrefix(n.GetPath(), "$"), ".")
			if at == "" {
				at = "version"
			}
		}
	})
	for _, d := range f.Docs {
		if d.Body != nil {
			ast.Walk(look, d.Body)
		}
	}
	return at
}

type visitor func(ast.Node)

// Visit is part of ast.Visitor.
func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

// reason is the first line of what the YAML library says: the place and what is wrong.
func reason(err error) string {
	var y yaml.Error
	if errors.As(err, &y) {
		if t := y.GetToken(); t != nil && t.Position != nil {
			return "line " + strconv.Itoa(t.Position.Line) + ": " + y.GetMessage()
		}
		return y.GetMessage()
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// differences compares a section with what is.
func differences(ctx context.Context, p Part, now, file any) ([]Difference, error) {
	was, err := plainOf(now)
	if err != nil {
		return nil, err
	}
	is, err := plainOf(file)
	if err != nil {
		return nil, err
	}
	word := p.Words()
	d := Difference{Section: p.Name(), What: i18n.Pick(api.Language(ctx), word.EN, word.ZH), words: word}
	before, listed := was.([]any)
	if !listed && p.Type().Kind() != reflect.Slice {
		if d.Fields = compare("", was, is); len(d.Fields) == 0 {
			return nil, nil
		}
		d.Op = Change
		return []Difference{d}, nil
	}
	after, _ := is.([]any)
	return lists(d, before, after), nil
}

// lists compares things by their codes: changes and additions in the order of the file, then
// removals.
func lists(d Difference, before, after []any) (out []Difference) {
	old := map[string]any{}
	for _, v := range before {
		old[codeOf(v)] = v
	}
	for _, v := range after {
		x := d
		x.Code = codeOf(v)
		was, there := old[x.Code]
		delete(old, x.Code)
		if !there {
			x.Op = Add
			out = append(out, x)
		} else if x.Fields = compare("", was, v); len(x.Fields) > 0 {
			x.Op = Change
			out = append(out, x)
		}
	}
	for _, v := range before {
		if code := codeOf(v); old[code] != nil {
			x := d
			x.Code, x.Op = code, Remove
			out = append(out, x)
		}
	}
	return out
}

func codeOf(v any) string {
	m, _ := v.(map[string]any)
	code, _ := m["code"].(string)
	return code
}

// compare lists the fields in which two trees differ, by name.
func compare(at string, was, is any) (out []FieldChange) {
	a, b := asMap(was), asMap(is)
	if a == nil || b == nil {
		if reflect.DeepEqual(was, is) {
			return nil
		}
		return []FieldChange{{at, text(was), text(is)}}
	}
	names := make([]string, 0, len(a)+len(b))
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		place := name
		if at != "" {
			place = at + "." + name
		}
		out = append(out, compare(place, a[name], b[name])...)
	}
	return out
}

// asMap is a tree with fields, or nil; nothing at all has none.
func asMap(v any) map[string]any {
	if v == nil {
		return nil
	}
	m, _ := v.(map[string]any)
	return m
}

func text(v any) string {
	if v == nil {
		return ""
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // it was read from JSON
	}
	return strings.TrimSpace(out.String())
}

// plainOf is a value as JSON decodes it, with exact numbers and without empty objects.
func plainOf(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		return nil, err
	}
	return bare(out), nil
}

func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if x = bare(x); x == nil {
				delete(v, name)
			} else {
				v[name] = x
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}
