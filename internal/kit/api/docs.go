package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// maxRowDepth is how deep the table of a body goes; below it stands the name of the type.
const maxRowDepth = 6

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS []byte

var docsTemplate = template.Must(template.New("docs").Parse(docsHTML))

// docsPage holds what is made of the routes once all of them are there: at the first
// request for it.
type docsPage struct {
	once sync.Once
	json []byte
	page map[string][]byte // by language
}

func (p *docsPage) build(r *Router) {
	p.once.Do(func() {
		p.json = r.OpenAPI()
		p.page = map[string][]byte{}
		for _, lang := range []string{i18n.Chinese, i18n.English} {
			var b bytes.Buffer
			if err := docsTemplate.Execute(&b, reference(r, lang)); err != nil {
				panic("api: the reference cannot be rendered: " + err.Error())
			}
			p.page[lang] = b.Bytes()
		}
	})
}

func (p *docsPage) document(r *Router) []byte {
	p.build(r)
	return p.json
}

// serveDocs serves the reference in the language of the reader, or of ?lang=.
func (r *Router) serveDocs(w http.ResponseWriter, req *http.Request) {
	r.docs.build(r)
	lang := Language(req.Context())
	if asked := req.URL.Query().Get("lang"); asked != "" {
		lang = i18n.Negotiate(asked, lang)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write(r.docs.page[lang])
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(docsCSS)
}

// What the template shows.
type (
	docsView struct {
		Title, Version, Lang, Other string
		Words                       map[string]string
		Groups                      []docsGroup
	}
	docsGroup struct {
		Name, Anchor string
		Operations   []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary string
		Description               []string
		Needs                     string
		Public, KeyRequired       bool
		Params, Body              []docsRow
		Answers                   []docsAnswer
		Fails                     []docsFail
	}
	docsRow struct {
		Name, In, Type, Doc string
		Required            bool
	}
	docsAnswer struct {
		Status, Text string
		Rows         []docsRow
	}
	docsFail struct {
		Status     int
		Code, Text string
	}
)

// words are the texts of the frame: English, Chinese.
var words = map[string][2]string{
	"reference": {"API reference", "接口参考"}, "other": {"中文", "English"},
	"parameters": {"Parameters", "参数"}, "body": {"Body", "请求体"}, "answers": {"Answers", "应答"},
	"refusals": {"Refusals", "拒绝原因"}, "name": {"Name", "名称"}, "in": {"In", "位置"}, "type": {"Type", "类型"},
	"meaning": {"Meaning", "含义"}, "required": {"required", "必填"}, "needs": {"Needs", "所需权限"},
	"public": {"No sign-in needed", "无需登录"}, "key": {"Idempotency-Key is required", "须带 Idempotency-Key"},
	"code": {"Code", "代码"}, "status": {"Status", "状态码"}, "document": {"OpenAPI document", "OpenAPI 文档"},
	"refusal_note": {
		"Every refusal is application/problem+json. Besides those listed, any route may answer 400, 401, 403, 404, 413, 422, 429 or 503.",
		"所有拒绝均为 application/problem+json。除列出的以外，任何接口都可能返回 400、401、403、404、413、422、429 或 503。"},
}

// reference makes the view of the document in one language.
func reference(r *Router, lang string) docsView {
	v := docsView{Title: r.cfg.Title, Version: r.cfg.Version, Lang: lang, Words: map[string]string{}}
	v.Other = i18n.Pick(lang, i18n.Chinese, i18n.English)
	for k, w := range words {
		v.Words[k] = i18n.Pick(lang, w[0], w[1])
	}
	doc := r.huma.OpenAPI()
	groups := map[string]*docsGroup{}
	var order []string
	for _, t := range doc.Tags {
		order = append(order, t.Name)
	}
	for _, path := range sortedKeys(doc.Paths) {
		for _, op := range operations(doc.Paths[path]) {
			tag := "API"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			g := groups[tag]
			if g == nil {
				g = &docsGroup{Name: tag, Anchor: "tag-" + tag}
				groups[tag] = g
			}
			g.Operations = append(g.Operations, operationView(doc, op, lang))
		}
	}
	for _, tag := range sortedKeys(groups) {
		v.Groups = append(v.Groups, *groups[tag])
	}
	slices.SortStableFunc(v.Groups, func(a, b docsGroup) int {
		return cmp.Compare(slices.Index(order, a.Name), slices.Index(order, b.Name))
	})
	return v
}

func operationView(doc *huma.OpenAPI, op *huma.Operation, lang string) docsOperation {
	d := op.Metadata[docKey].(Doc)
	v := docsOperation{
		ID: d.ID, Method: op.Method, Path: op.Path, Summary: d.Summary, Needs: string(d.Needs),
		Public: d.Public, KeyRequired: d.KeyRequired,
	}
	if d.Description != "" {
		v.Description = strings.Split(d.Description, "\n\n")
	}
	schemas := doc.Components.Schemas
	for _, p := range op.Parameters {
		if p.Ref == "" {
			v.Params = append(v.Params, docsRow{Name: p.Name, In: p.In, Type: schemaType(schemas, p.Schema), Required: p.Required, Doc: p.Description})
		}
	}
	if op.RequestBody != nil {
		v.Body = contentRows(schemas, op.RequestBody.Content)
	}
	for _, status := range sortedKeys(op.Responses) {
		if res := op.Responses[status]; status < "4" {
			v.Answers = append(v.Answers, docsAnswer{Status: status, Text: res.Description, Rows: contentRows(schemas, res.Content)})
		}
	}
	for _, err := range d.Fails {
		e := errs.As(err)
		v.Fails = append(v.Fails, docsFail{Status: kinds[e.Kind].status, Code: e.Code, Text: e.Text(lang)})
	}
	return v
}

func contentRows(schemas huma.Registry, content map[string]*huma.MediaType) []docsRow {
	for _, name := range sortedKeys(content) {
		m := content[name]
		if m.Schema == nil {
			continue
		}
		if rows := schemaRows(schemas, m.Schema, "", 0); len(rows) > 0 {
			return rows
		}
		return []docsRow{{Name: name, Type: schemaType(schemas, m.Schema), Doc: m.Schema.Description}}
	}
	return nil
}

// schemaRows lists the fields of an object, those of nested objects below their own.
func schemaRows(schemas huma.Registry, s *huma.Schema, prefix string, depth int) []docsRow {
	s = resolved(schemas, s)
	for s.Type == huma.TypeArray && s.Items != nil {
		prefix = strings.TrimSuffix(prefix, ".") + "[]."
		s = resolved(schemas, s.Items)
	}
	if depth == maxRowDepth {
		return nil
	}
	var rows []docsRow
	for _, name := range sortedKeys(s.Properties) {
		p := s.Properties[name]
		rows = append(rows, docsRow{
			Name: prefix + name, Type: schemaType(schemas, p),
			Doc: cmp.Or(p.Description, resolved(schemas, p).Description), Required: slices.Contains(s.Required, name),
		})
		rows = append(rows, schemaRows(schemas, p, prefix+name+".", depth+1)...)
	}
	return rows
}

func resolved(schemas huma.Registry, s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// schemaType is the type of a value in words that a programmer reads at a glance.
func schemaType(schemas huma.Registry, s *huma.Schema) string {
	if s == nil {
		return ""
	}
	s = resolved(schemas, s)
	t := s.Type
	switch {
	case t == huma.TypeArray && s.Items != nil:
		t = schemaType(schemas, s.Items) + "[]"
	case s.Format != "":
		t += " " + s.Format
	case t == "":
		t = "any"
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			values[i], _ = e.(string)
		}
		t += ": " + strings.Join(values, " | ")
	}
	return t + bounds(s)
}

func bounds(s *huma.Schema) string {
	var parts []string
	add := func(sign string, v *float64) {
		if v != nil {
			parts = append(parts, sign+strconv.FormatFloat(*v, 'f', -1, 64))
		}
	}
	add("≥ ", s.Minimum)
	add("> ", s.ExclusiveMinimum)
	add("≤ ", s.Maximum)
	add("< ", s.ExclusiveMaximum)
	for _, n := range []struct {
		word string
		v    *int
	}{{"min length ", s.MinLength}, {"max length ", s.MaxLength}, {"min items ", s.MinItems}, {"max items ", s.MaxItems}} {
		if n.v != nil {
			parts = append(parts, n.word+strconv.Itoa(*n.v))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
