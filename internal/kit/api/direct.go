package api

import (
	"context"
	"net/http"
	"net/url"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// direct answers a request without Huma, or reports that Huma has to: because the route
// takes what only Huma reads, or because the request is not plainly right.
type direct func(ctx context.Context, out *reply, req *http.Request, query url.Values, body input) bool

// directly makes the direct way of a route. I may have a body, path parameters that are
// texts, and query parameters, which only Huma reads: a request that has some is Huma's.
func directly[I, O any](r *Router, op *huma.Operation, h func(context.Context, *I) (*O, error)) direct {
	read := reader[I](r, op)
	write := writer[O](op)
	if read == nil || write == nil {
		return nil
	}
	return func(ctx context.Context, out *reply, req *http.Request, query url.Values, body input) bool {
		if len(query) > 0 || !takesJSON(req) {
			return false
		}
		in := new(I)
		if !read(req, body, reflect.ValueOf(in).Elem()) {
			return false
		}
		answer, err := h(ctx, in)
		if err != nil {
			r.writeProblem(ctx, out, err)
			return true
		}
		write(out, answer)
		return true
	}
}

// reader compiles what fills an input, or nil where Huma has to.
func reader[I any](r *Router, op *huma.Operation) func(*http.Request, input, reflect.Value) bool {
	t := reflect.TypeFor[I]()
	field, ok := t.FieldByName("Body")
	if !ok || op.RequestBody == nil || len(op.RequestBody.Content) != 1 || op.RequestBody.Content[typeJSON] == nil {
		return nil
	}
	if p := reflect.PointerTo(t); p.Implements(resolver) || p.Implements(pathResolver) {
		return nil
	}
	decode := compile(r.huma.OpenAPI().Components.Schemas, field.Type, op.RequestBody.Content[typeJSON].Schema)
	params, ok := pathParams(t, op)
	if decode == nil || !ok {
		return nil
	}
	return func(req *http.Request, body input, v reflect.Value) bool {
		for _, p := range params {
			if !p.read(req, v) {
				return false
			}
		}
		c := &cursor{src: body.bytes}
		return len(body.bytes) > 0 && decode(c, v.FieldByIndex(field.Index)) && c.peek() == 0
	}
}

// pathParam is a text in the path.
type pathParam struct {
	name   string
	index  []int
	schema *huma.Schema
}

func (p pathParam) read(req *http.Request, v reflect.Value) bool {
	text := req.PathValue(p.name)
	least, most := lengths(p.schema.MinLength, p.schema.MaxLength)
	if text == "" || len(text) < least || len(text) > most { // of bytes: a text of other letters is Huma's
		return false
	}
	v.FieldByIndex(p.index).SetString(text)
	return true
}

// pathParams finds the path parameters of an input. It reports false where one is no text,
// or where there are parameters of another kind than path and query, or with defaults.
func pathParams(t reflect.Type, op *huma.Operation) (params []pathParam, ok bool) {
	schemas := map[string]*huma.Schema{}
	for _, p := range op.Parameters {
		if p.In == "path" {
			schemas[p.Name] = p.Schema
		}
	}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get
		switch name := tag("path"); {
		case tag("header") != "" || tag("cookie") != "" || tag("default") != "" || tag("required") != "" || !embedsPlainly(t, f.Index):
			return nil, false
		case name != "":
			s := schemas[name]
			if f.Type.Kind() != reflect.String || s == nil || s.Format != "" || len(s.Enum) > 0 || hasMore(s) {
				return nil, false
			}
			params = append(params, pathParam{name, f.Index, s})
		case f.Name == "RawBody":
			return nil, false
		}
	}
	return params, true
}

// writer makes what writes an answer: one that is kept byte for byte, or a body and nothing
// else. It is nil for other answers.
func writer[O any](op *huma.Operation) func(*reply, *O) {
	t := reflect.TypeFor[O]()
	if _, ok := any(new(O)).(rawAnswer); ok {
		return func(out *reply, o *O) {
			raw := any(o).(rawAnswer).raw()
			out.header["Content-Type"] = contentTypes[contentType(raw.Status)]
			if raw.Replayed {
				out.header.Set(headerReplayed, "true")
			}
			out.WriteHeader(raw.Status)
			_, _ = out.Write(raw.Body) // into memory
		}
	}
	if t.Kind() != reflect.Struct || t.NumField() != 1 || t.Field(0).Name != "Body" || t.Field(0).Type.Kind() == reflect.Func {
		return nil
	}
	return func(out *reply, o *O) {
		out.header["Content-Type"] = contentTypes[typeJSON]
		out.WriteHeader(op.DefaultStatus)
		if err := huma.DefaultJSONFormat.Marshal(out, reflect.ValueOf(o).Elem().Field(0).Interface()); err != nil {
			panic("api: an answer that JSON cannot hold: " + err.Error())
		}
	}
}

// contentTypes are header values that are shared, as they never change.
var contentTypes = map[string][]string{typeJSON: {typeJSON}, typeProblem: {typeProblem}}

// takesJSON reports whether the caller wants what it gets here; whoever asks for anything
// else is Huma's.
func takesJSON(req *http.Request) bool {
	accept := req.Header.Get("Accept")
	return accept == "" || accept == "*/*" || accept == typeJSON
}
