package tillsim_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// schema is as much of a schema of the API's file as the examples need.
type schema struct {
	Ref   string             `json:"$ref"`
	Props map[string]*schema `json:"properties"`
	Items *schema            `json:"items"`
	Any   any                `json:"additionalProperties"`
}

type operation struct {
	Body struct {
		Content map[string]struct{ Schema *schema }
	} `json:"requestBody"`
	Answers map[string]struct {
		Content map[string]struct{ Schema *schema }
	} `json:"responses"`
}

type openAPI struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct{ Schemas map[string]*schema }
}

func (o *openAPI) find(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = o.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

// unknown lists the fields of an example that a schema does not have.
func (o *openAPI) unknown(at string, v any, s *schema) (list []string) {
	s = o.find(s)
	switch v := v.(type) {
	case map[string]any:
		if s == nil || s.Props == nil {
			return nil // free, as balances by currency
		}
		for k, x := range v {
			if p := s.Props[k]; p == nil {
				list = append(list, at+"."+k)
			} else {
				list = append(list, o.unknown(at+"."+k, x, p)...)
			}
		}
	case []any:
		for _, x := range v {
			if s != nil {
				list = append(list, o.unknown(at+"[]", x, s.Items)...)
			}
		}
	}
	return list
}

var (
	block = regexp.MustCompile("(?s)```(json)?\n(.*?)```")
	asks  = regexp.MustCompile(`^(GET|POST|PUT|PATCH) (/v1/[^\s?]*)(?:\?\S*)?\n?`)
	route = regexp.MustCompile("`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`?\\s]*)")
)

// Every route that docs/pos.md names is there, and every field of its examples.
func TestExamples(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "pos.md"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(root, "api", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec openAPI
	if err := json.Unmarshal(file, &spec); err != nil {
		t.Fatal(err)
	}
	of := func(method, path string) (op operation, there bool) {
		raw, there := spec.Paths[path][strings.ToLower(method)]
		if there {
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
		}
		return op, there
	}
	named, asked, answered := 0, 0, 0
	for _, m := range route.FindAllStringSubmatch(string(text), -1) {
		if _, there := of(m[1], m[2]); !there {
			t.Errorf("there is no %s %s", m[1], m[2])
		}
		named++
	}
	var last operation
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		body := m[2]
		if head := asks.FindStringSubmatch(body); head != nil {
			op, there := of(head[1], head[2])
			if !there {
				t.Errorf("there is no %s %s", head[1], head[2])
			}
			last, body = op, body[len(head[0]):]
			if strings.TrimSpace(body) == "" {
				continue
			}
			var v any
			if err := json.Unmarshal([]byte(body), &v); err != nil {
				t.Errorf("%s: %v", head[2], err)
				continue
			}
			for _, f := range spec.unknown(head[2], v, op.Body.Content["application/json"].Schema) {
				t.Errorf("no field %s", f)
			}
			asked++
			continue
		}
		if m[1] != "json" {
			continue
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Errorf("%v in %s", err, body)
			continue
		}
		if v["code"] != nil && v["trace_id"] != nil {
			continue // a problem: of every route
		}
		for status, a := range last.Answers {
			if status[0] != '2' {
				continue
			}
			for _, f := range spec.unknown("answer "+status, v, a.Content["application/json"].Schema) {
				t.Errorf("no field %s", f)
			}
			answered++
		}
	}
	if named < 4 || asked < 7 || answered < 3 {
		t.Errorf("only %d routes, %d requests and %d answers were found", named, asked, answered)
	}
}
