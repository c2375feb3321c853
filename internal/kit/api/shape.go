package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Shape is the schema of a type, made and checked the way bodies of requests are: for
// documents that come another way, as a file.
type Shape struct {
	registry huma.Registry
	schema   *huma.Schema
}

// shapePrefix is where JSON Schema keeps the parts of a document.
const shapePrefix = "#/$defs/"

// ShapeOf makes the schema of a type.
func ShapeOf(t reflect.Type) *Shape {
	names := newNames()
	r := huma.NewMapRegistry(shapePrefix, names.name)
	return &Shape{r, huma.SchemaFromType(r, t)}
}

// Faults says what is wrong with a value as JSON decodes it, in both languages, by place.
// Locations begin with at.
func (s *Shape) Faults(at string, value any) []errs.Field {
	var res huma.ValidateResult
	path := huma.NewPathBuffer(make([]byte, 0, 64), 0)
	path.Push(at)
	huma.Validate(s.registry, s.schema, path, huma.ModeWriteToServer, value, &res)
	fields := make([]errs.Field, 0, len(res.Errors))
	for _, e := range res.Errors {
		f, _ := field(e)
		fields = append(fields, f)
	}
	slices.SortStableFunc(fields, func(a, b errs.Field) int { return strings.Compare(a.Location, b.Location) })
	return fields
}

// Schema writes the JSON Schema.
func (s *Shape) Schema(id, title string) ([]byte, error) {
	root, err := tree(s.schema)
	if err != nil {
		return nil, err
	}
	root["$schema"], root["$id"], root["title"] = "https://json-schema.org/draft/2020-12/schema", id, title
	defs := map[string]any{}
	for name, part := range s.registry.Map() {
		if defs[name], err = tree(part); err != nil {
			return nil, err
		}
	}
	root["$defs"] = defs
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err = enc.Encode(root)
	return out.Bytes(), err
}

func tree(s *huma.Schema) (out map[string]any, err error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal(b, &out)
}
