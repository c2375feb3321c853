// Package code is the programme as one file: what members can own and how they earn it, as
// YAML that people read, keep under version control and move from one installation to another.
//
// The file has a section for each part of the programme. A part is kept by its noun, which
// registers it in app: this package knows none of them. A section that is missing is left as it
// is; one that is there says all of its part, so that what it does not name is removed, or
// refused where that cannot be.
//
// Laws:
//   - What was exported and applied to an empty programme is exported again byte for byte.
//   - Apply changes all that differs or nothing: one transaction goes over all parts. What
//     would be refused by one of them refuses the file, each with its place and line.
//   - Things are named by their codes, never by ids, which differ from one database to another.
package code

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// SchemaID is where the JSON Schema of the file is published.
const SchemaID = "https://raw.githubusercontent.com/patron-loyalty/patron/main/docs/programme.schema.json"

// format is the version of the file's form.
const format = 1

// header tells editors which schema the file has.
const header = "# yaml-language-server: $schema=" + SchemaID + "\n"

// Part is one section of the file.
type Part interface {
	// Name is the key of the section: "plans".
	Name() string
	// Words are what people call one thing of it, or the whole where it is not a list.
	Words() errs.Word
	// Type is what the section holds: a slice of structs, or a struct. Its JSON tags say the
	// names of fields, and its other tags their bounds.
	Type() reflect.Type
	// Before reads what Apply needs and cannot read inside a transaction; the context that it
	// returns is Apply's.
	Before(ctx context.Context) (context.Context, error)
	// Lock keeps other changes of the part away until the end of the transaction.
	Lock(ctx context.Context, tx *db.Tx) error
	// Read returns the section as it is, in an order that does not change, as a Type.
	Read(ctx context.Context, tx *db.Tx) (any, error)
	// Tidy brings a section of the file, a Type, into the one form that Read would give it.
	Tidy(section any) (any, error)
	// Apply makes the part what a tidy section says, where that differs from now, which Read
	// has given. Refusals name the place inside the section: "[2].price".
	Apply(ctx context.Context, tx *db.Tx, now, section any) []error
	// Applied takes over what was committed. It is called after each apply that changed the part.
	Applied(ctx context.Context) error
}

// The refusals.
var (
	ErrYAML    = errs.New(errs.Malformed, "programme.yaml", "The file is not YAML that can be read: {why}", "文件不是可读取的 YAML：{why}")
	ErrLarge   = errs.New(errs.TooLarge, "programme.large", "A file has at most {most} bytes.", "文件最多 {most} 字节。")
	ErrFormat  = errs.New(errs.Invalid, "programme.format", "The file needs version: {version} at its top.", "文件开头须有 version: {version}。")
	ErrAnchor  = errs.New(errs.Invalid, "programme.anchor", "Anchors and aliases are not read: write things out.", "不支持锚点与别名，请完整书写。")
	ErrRefused = errs.New(errs.Conflict, "programme.refused", "The file was refused; nothing was changed. See errors.", "文件未通过检查，数据没有改动，见 errors。")
	ErrTwice   = errs.New(errs.Invalid, "programme.twice", "There is a {what} {code} above already.", "前面已有代码为 {code} 的{what}。")
	ErrGone    = errs.New(errs.Conflict, "programme.gone", "The file does not name the {what} {code}, which cannot be removed.{why}", "文件中缺少{what} {code}，而它不能删除。{why}")
)

// MaxFile bounds a file, in bytes.
const MaxFile = 4 << 20

// Service reads and writes the programme as a file.
type Service struct {
	db    *db.DB
	audit program.Auditor
	parts []Part
	shape *api.Shape // of the whole file
}

// New makes the service. The parts are applied in their order: what others name comes first.
func New(d *db.DB, audit program.Auditor, parts ...Part) *Service {
	return &Service{db: d, audit: audit, parts: parts, shape: api.ShapeOf(fileType(parts))}
}

// fileType is the struct that the whole file is.
func fileType(parts []Part) reflect.Type {
	fields := []reflect.StructField{{
		Name: "Version", Type: reflect.TypeFor[int](), Tag: reflect.StructTag(fmt.Sprintf(`json:"version" minimum:"%d" maximum:"%d" doc:"Version of the form of this file."`, format, format)),
	}}
	for _, p := range parts {
		w := p.Words()
		fields = append(fields, reflect.StructField{
			Name: strings.ToUpper(p.Name()[:1]) + p.Name()[1:], Type: p.Type(),
			Tag: reflect.StructTag(fmt.Sprintf(`json:"%s,omitempty" doc:"%s · %s. Left out, it stays as it is."`, p.Name(), w.EN, w.ZH)),
		})
	}
	return reflect.StructOf(fields)
}

// Schema is the JSON Schema of the file.
func (s *Service) Schema() ([]byte, error) { return s.shape.Schema(SchemaID, "Patron programme") }

// Export writes the programme.
func (s *Service) Export(ctx context.Context) (text []byte, err error) {
	sections := make([]any, len(s.parts))
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		for i, p := range s.parts {
			if sections[i], err = p.Read(ctx, tx); err != nil {
				return fmt.Errorf("export %s: %w", p.Name(), err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(header)
	fmt.Fprintf(&out, "version: %d\n", format)
	for i, p := range s.parts {
		tree, err := treeOf(sections[i])
		if err != nil {
			return nil, err
		}
		if tree == nil {
			tree = []any{}
		}
		body, err := yaml.MarshalWithOptions(yaml.MapSlice{{Key: p.Name(), Value: tree}}, yaml.IndentSequence(true), yaml.UseLiteralStyleIfMultiline(true))
		if err != nil {
			return nil, fmt.Errorf("export %s: %w", p.Name(), err)
		}
		out.Write(body)
	}
	return out.Bytes(), nil
}

// treeOf is a value as its JSON says it, in the order of its fields and without what is empty.
func treeOf(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.UnmarshalWithOptions(b, &tree, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return prune(tree), nil
}

// prune leaves out fields that say nothing: objects without a field.
func prune(v any) any {
	switch v := v.(type) {
	case yaml.MapSlice:
		var out yaml.MapSlice
		for _, f := range v {
			f.Value = prune(f.Value)
			if m, ok := f.Value.(yaml.MapSlice); ok && len(m) == 0 || f.Value == nil {
				continue
			}
			out = append(out, f)
		}
		return out
	case map[string]any: // an empty object comes as this
		return yaml.MapSlice{}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

// Op is what happens to a thing.
type Op string

// The ops.
const (
	Add    Op = "add"
	Change Op = "change"
	Remove Op = "remove"
)

// Difference is one thing that the file has otherwise than the programme.
type Difference struct {
	Section string        `json:"section" doc:"Section of the file." example:"plans"`
	What    string        `json:"what" doc:"What people call it, in the language of the caller."`
	Code    string        `json:"code,omitempty" doc:"Its code; absent where the section is one thing."`
	Op      Op            `json:"op" enum:"add,change,remove" doc:"What applying the file does to it."`
	Fields  []FieldChange `json:"fields,omitempty" doc:"What differs, of a change."`
	words   errs.Word
}

// FieldChange is one field that differs.
type FieldChange struct {
	Field  string `json:"field" doc:"The way to it." example:"price.amount"`
	Before string `json:"before,omitempty" doc:"What it is, as JSON; absent where there is nothing."`
	After  string `json:"after,omitempty" doc:"What the file says, as JSON; absent where it says nothing."`
}

// Result is what a file does, or did.
type Result struct {
	Applied     bool         `json:"applied" doc:"It was done."`
	Differences []Difference `json:"differences" doc:"What the file changes, by section."`
	Refusals    []Refusal    `json:"refusals" doc:"What stands against it; then nothing is done."`
}

// Refusal is one thing that is wrong with a file.
type Refusal struct {
	Path   string `json:"path" doc:"The place in the file." example:"plans[2].price.amount"`
	Line   int    `json:"line,omitempty" doc:"Its line; absent where there is none."`
	Code   string `json:"code" doc:"Stable code of the refusal."`
	Reason string `json:"reason" doc:"What is wrong, in the language of the caller."`
	field  errs.Field
}

// Same reports whether the file says what is.
func (r *Result) Same() bool { return len(r.Differences) == 0 }

// Diff compares a file with the programme. Nothing is locked, and nothing that the parts would
// refuse is found.
func (s *Service) Diff(ctx context.Context, text []byte) (*Result, error) {
	f, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	r := &Result{Differences: []Difference{}, Refusals: f.refusals(ctx)}
	if len(r.Refusals) > 0 {
		return r, nil
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		r.Differences = r.Differences[:0]
		for _, x := range f.sections {
			now, err := x.part.Read(ctx, tx)
			if err != nil {
				return err
			}
			d, err := differences(ctx, x.part, now, x.value)
			if err != nil {
				return err
			}
			r.Differences = append(r.Differences, d...)
		}
		return nil
	})
	return r, err
}

// errUndo rolls back what was only tried.
var errUndo = errors.New("tried")

// Apply makes the programme what a file says. With dry it finds out all that it would do and
// what would be refused, and changes nothing; without, a refusal is the error.
func (s *Service) Apply(ctx context.Context, text []byte, dry bool) (*Result, error) {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return nil, program.ErrLimited
	}
	f, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	for _, x := range f.sections {
		if ctx, err = x.part.Before(ctx); err != nil {
			return nil, err
		}
	}
	var r *Result
	var touched []Part
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		r, touched = &Result{Differences: []Difference{}, Refusals: f.refusals(ctx)}, nil
		if len(r.Refusals) > 0 {
			return errUndo
		}
		for _, x := range f.sections {
			changed, err := s.section(ctx, tx, f, x, r)
			if err != nil {
				return err
			}
			if changed {
				touched = append(touched, x.part)
			}
		}
		if dry || len(r.Refusals) > 0 || r.Same() {
			return errUndo
		}
		return s.audit.Record(ctx, tx, "programme.apply", "programme", nil, trail(r))
	})
	switch {
	case errors.Is(err, errUndo):
		err = nil
	case err != nil:
		return nil, err
	default:
		r.Applied = true
		for _, p := range touched {
			err = errors.Join(err, p.Applied(ctx))
		}
	}
	if !dry && len(r.Refusals) > 0 {
		return r, r.refuse()
	}
	return r, err
}

// section applies one section inside the transaction, and notes what stands against it.
func (s *Service) section(ctx context.Context, tx *db.Tx, f *file, x section, r *Result) (changed bool, err error) {
	if err := x.part.Lock(ctx, tx); err != nil {
		return false, err
	}
	now, err := x.part.Read(ctx, tx)
	if err != nil {
		return false, err
	}
	d, err := differences(ctx, x.part, now, x.value)
	if err != nil || len(d) == 0 {
		return false, err
	}
	r.Differences = append(r.Differences, d...)
	for _, wrong := range x.part.Apply(ctx, tx, now, x.value) {
		refused := errs.As(wrong)
		if refused == nil || refused.Kind == errs.Internal || refused.Kind == errs.Unavailable {
			return false, wrong
		}
		r.Refusals = append(r.Refusals, f.refusal(ctx, x.part.Name(), refused))
	}
	return true, nil
}

// trail is what the audit trail keeps of an apply: what became of each thing.
func trail(r *Result) any {
	type thing struct {
		Op     Op            `json:"op"`
		Code   string        `json:"code,omitempty"`
		Fields []FieldChange `json:"fields,omitempty"`
	}
	out := map[string][]thing{}
	for _, d := range r.Differences {
		out[d.Section] = append(out[d.Section], thing{d.Op, d.Code, d.Fields})
	}
	return out
}

// refuse is the refusal of the whole file, with all that stands against it.
func (r *Result) refuse() error {
	e := *ErrRefused
	for _, x := range r.Refusals {
		f := x.field
		f.Location = x.Path
		if x.Line > 0 {
			f.Location += fmt.Sprintf(" (%d)", x.Line)
		}
		e.Fields = append(e.Fields, f)
	}
	return &e
}
