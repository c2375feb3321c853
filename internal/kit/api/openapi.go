package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

const schemaPrefix = "#/components/schemas/"

// Parts of the document that many operations refer to.
const (
	refProblem  = "#/components/responses/Problem"
	refLanguage = "#/components/parameters/AcceptLanguage"
	refKey      = "#/components/parameters/IdempotencyKey"
	refKeyMust  = "#/components/parameters/IdempotencyKeyRequired"
)

// The ways to sign in, as the document names them.
const (
	schemeBearer  = "bearer"
	schemeSession = "session"
	schemeMember  = "member"
)

// document is the OpenAPI document before the first route, with the formats.
func (r *Router) document() huma.Config {
	schemas := huma.NewMapRegistry(schemaPrefix, r.names.name)
	problem := schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: r.cfg.Title, Version: r.cfg.Version},
			Components: &huma.Components{
				Schemas:         schemas,
				SecuritySchemes: r.schemes(),
				Parameters:      sharedParams(),
				Responses: map[string]*huma.Response{"Problem": {
					Description: "A refusal.",
					Content:     map[string]*huma.MediaType{typeProblem: {Schema: problem}},
				}},
			},
		},
		Formats:       map[string]huma.Format{typeJSON: format, "json": format},
		DefaultFormat: typeJSON,
	}
}

func (r *Router) schemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		schemeBearer:  {Type: "http", Scheme: "bearer", Description: "An API key, for machines."},
		schemeSession: {Type: "apiKey", In: "cookie", Name: r.cfg.SessionCookie, Description: "A session, for people."},
		schemeMember:  {Type: "apiKey", In: "cookie", Name: r.cfg.MemberCookie, Description: "A member's session in the portal. Over https the name begins with __Host-."},
	}
}

func sharedParams() map[string]*huma.Param {
	key := func(must bool) *huma.Param {
		return &huma.Param{
			Name: headerKey, In: "header", Required: must,
			Description: "Names this write. The same key with the same request gets the first answer, with Idempotent-Replayed: true; with another request it is refused. Any unique text of yours, as a UUID.",
			Schema:      &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(maxKey)},
		}
	}
	return map[string]*huma.Param{
		"IdempotencyKey":         key(false),
		"IdempotencyKeyRequired": key(true),
		"AcceptLanguage": {
			Name: "Accept-Language", In: "header",
			Description: "The language of the texts in the answer: zh-CN or en.",
			Schema:      &huma.Schema{Type: huma.TypeString, Examples: []any{"zh-CN", "en"}},
		},
	}
}

// operation makes what Huma registers from a Doc.
func (r *Router) operation(method, path string, d Doc) huma.Operation {
	r.names.operation = title(d.ID)
	r.nameTags(d.Tags)
	op := huma.Operation{
		OperationID: d.ID, Method: method, Path: path,
		Summary: d.Summary, Description: described(d), Tags: d.Tags,
		DefaultStatus: d.Status, Hidden: d.Hidden,
		MaxBodyBytes: -1, // the body is read and bounded before Huma sees it
		Metadata:     map[string]any{docKey: d},
		Parameters:   []*huma.Param{{Ref: refLanguage}},
		Responses:    refusals(d.Fails),
		Security:     []map[string][]string{},
	}
	switch {
	case d.Public:
	case strings.HasPrefix(path, portalPrefix):
		op.Security = []map[string][]string{{schemeMember: {}}}
	default:
		op.Security = []map[string][]string{{schemeBearer: {}}, {schemeSession: {}}}
	}
	if needs := d.permissions(); len(needs) > 0 {
		op.Extensions = map[string]any{"x-permissions": needs}
	}
	if len(d.Takes) > 0 {
		file := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		for _, kind := range d.Takes {
			op.RequestBody.Content[kind] = file
		}
	}
	if d.Upload {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			typeFile: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}
	}
	switch {
	case safe(method) || d.Public || d.Upload:
	case d.KeyRequired:
		op.Parameters = append(op.Parameters, &huma.Param{Ref: refKeyMust})
	default:
		op.Parameters = append(op.Parameters, &huma.Param{Ref: refKey})
	}
	return op
}

func (r *Router) nameTags(tags []string) {
	doc := r.huma.OpenAPI()
	for _, name := range tags {
		if !slices.ContainsFunc(doc.Tags, func(t *huma.Tag) bool { return t.Name == name }) {
			doc.Tags = append(doc.Tags, &huma.Tag{Name: name})
		}
	}
}

// permissions are those of which the route takes one: for pages that show only what may be
// done.
func (d Doc) permissions() []Permission {
	if d.Needs != "" {
		return []Permission{d.Needs}
	}
	return d.OneOf
}

func described(d Doc) string {
	if len(d.OneOf) > 0 {
		names := make([]string, len(d.OneOf))
		for i, p := range d.OneOf {
			names[i] = "`" + string(p) + "`"
		}
		return strings.TrimSpace(d.Description + "\n\nNeeds the permission " + strings.Join(names, " or ") + ".")
	}
	if d.Needs == "" {
		return d.Description
	}
	return strings.TrimSpace(d.Description + "\n\nNeeds the permission `" + string(d.Needs) + "`.")
}

// refusals documents the refusals of a handler by status, and all others as the default.
func refusals(fails []error) map[string]*huma.Response {
	out := map[string]*huma.Response{"default": {Ref: refProblem}}
	for _, err := range fails {
		e := errs.As(err)
		if e == nil {
			panic("api: Doc.Fails holds an error that is no refusal: " + err.Error())
		}
		status := statusText(kinds[e.Kind].status)
		res := out[status]
		if res == nil {
			res = &huma.Response{Content: map[string]*huma.MediaType{
				typeProblem: {Schema: &huma.Schema{Ref: schemaPrefix + "Problem"}},
			}}
			out[status] = res
		}
		res.Description = strings.TrimSpace(res.Description + "\n- `" + e.Code + "`: " + e.EN)
	}
	return out
}

func statusText(status int) string { return strconv.Itoa(status) }

// OpenAPI returns the document: the same bytes for the same routes in the same order.
func (r *Router) OpenAPI() []byte {
	out, err := json.MarshalIndent(r.huma.OpenAPI(), "", "  ")
	if err != nil {
		panic("api: the OpenAPI document cannot be written: " + err.Error())
	}
	return append(out, '\n')
}

// Routes returns the patterns of all routes of the API, sorted: "POST /v1/sales". For the
// test that compares them with the document.
func (r *Router) Routes() []string {
	var out []string
	for path, item := range r.huma.OpenAPI().Paths {
		for _, op := range operations(item) {
			out = append(out, op.Method+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

// operations returns those of a path, in the order in which a reader looks for them.
func operations(item *huma.PathItem) []*huma.Operation {
	var out []*huma.Operation
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
		if op != nil {
			out = append(out, op)
		}
	}
	return out
}

// serveReference serves the document and the page made from it.
func (r *Router) serveReference() {
	r.plain.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(r.docs.document(r))
	})
	r.plain.HandleFunc("GET /docs", r.serveDocs)
	r.plain.HandleFunc("GET /docs/style.css", serveStyle)
}
