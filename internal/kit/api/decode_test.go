package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// tea has a field of every kind that inputs have.
type tea struct {
	Name  string         `json:"name" minLength:"2" maxLength:"5"`
	Cups  int64          `json:"cups" minimum:"0" maximum:"100"`
	Grams grams          `json:"grams,omitempty"`
	Hot   bool           `json:"hot,omitempty"`
	Leaf  string         `json:"leaf,omitempty" enum:"green,black"`
	Price *int64         `json:"price,omitempty" minimum:"1"`
	Tags  []string       `json:"tags,omitempty" maxItems:"2"`
	Steps []Step         `json:"steps,omitempty" minItems:"1" maxItems:"6"`
	Free  map[string]any `json:"free,omitempty"`
	Step
}

// Step is exported, as Huma leaves embedded fields of other types out.
type Step struct {
	Minutes int64 `json:"minutes,omitempty" minimum:"1"`
}

// grams reads its own JSON, as Quantity of sales does.
type grams int64

func (g *grams) UnmarshalJSON(b []byte) error {
	var f float64
	err := json.Unmarshal(b, &f)
	*g = grams(f * 1000)
	return err
}

func (grams) Schema(huma.Registry) *huma.Schema {
	least, most := 0.0, 50.0
	return &huma.Schema{Type: "number", ExclusiveMinimum: &least, Maximum: &most}
}

type teaIn struct {
	Shop  string `path:"shop" maxLength:"8"`
	Sweet bool   `query:"sweet"`
	Body  tea
}

type teaOut struct {
	Body struct {
		Shop string
		Tea  tea
	}
}

// teaHouse serves one route twice: directly, and as if there were no direct way.
type teaHouse struct {
	route  *route
	direct direct
}

func newTeaHouse(t testing.TB, d *db.DB) *teaHouse {
	t.Helper()
	r := New(Config{DB: d, Clock: clock.System(), Title: "Tea", Version: "1"})
	Post(r, "/v1/shops/{shop}/teas", func(_ context.Context, in *teaIn) (*teaOut, error) {
		out := &teaOut{}
		out.Body.Shop, out.Body.Tea = in.Shop, in.Body
		return out, nil
	}, Doc{ID: "addTea", Summary: "Add a tea.", Public: true, Status: http.StatusCreated})
	handler, _ := r.routes.Handler(httptest.NewRequest("POST", "/v1/shops/x/teas", nil))
	h := &teaHouse{route: handler.(*route)}
	h.direct = h.route.direct
	if h.direct == nil {
		t.Fatal("the route has no direct way")
	}
	return h
}

// ask sends a body one way or the other.
func (h *teaHouse) ask(path, query, body string, directly bool) *httptest.ResponseRecorder {
	h.route.direct = nil
	if directly {
		h.route.direct = h.direct
	}
	req := httptest.NewRequest("POST", path+query, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.route.router.Handler().ServeHTTP(w, req)
	return w
}

// answersDirectly reports whether the direct way takes a body, without Huma.
func (h *teaHouse) answersDirectly(body string) bool {
	req := httptest.NewRequest("POST", "/v1/shops/x/teas", nil)
	req.SetPathValue("shop", "x")
	out := newReply()
	defer out.free()
	return h.direct(req.Context(), out, req, nil, input{bytes: []byte(body)})
}

// Whatever is sent, the direct way gives the answer that Huma gives, or none.
func TestDirectIsAsHuma(t *testing.T) {
	t.Parallel()
	house := newTeaHouse(t, dbtest.Open(t, db.SQLite))
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		body := drawTea(t)
		path := rapid.SampledFrom([]string{"/v1/shops/x/teas", "/v1/shops/123456789/teas", "/v1/shops/%E8%8C%B6/teas", "/v1/shops/a%2Fb/teas"}).Draw(t, "path")
		query := rapid.SampledFrom([]string{"", "", "?sweet=true", "?sweet=1"}).Draw(t, "query")
		direct, plain := house.ask(path, query, body, true), house.ask(path, query, body, false)
		if direct.Code != plain.Code || withoutTrace(direct.Body.String()) != withoutTrace(plain.Body.String()) || !reflect.DeepEqual(direct.Header(), plain.Header()) {
			t.Fatalf("%s%s %s\ndirectly: %d %v %s\nby Huma: %d %v %s", path, query, body, direct.Code, direct.Header(), direct.Body, plain.Code, plain.Header(), plain.Body)
		}
		if query == "" && plain.Code == 201 && house.answersDirectly(body) {
			taken++
		}
	})
	if taken == 0 {
		t.Error("no body was answered directly")
	}
}

// withoutTrace drops the id of the trace, which differs.
func withoutTrace(body string) string {
	before, _, _ := strings.Cut(body, `,"trace_id"`)
	return before
}

// drawTea writes a body: mostly right, now and then with a part that is not.
func drawTea(t *rapid.T) string {
	value := func(name string, good, odd []string) string {
		if rapid.IntRange(0, 9).Draw(t, name+" is odd") == 0 {
			good = append(odd, `null`, `{}`, `[]`, `"x"`, `-1`, `1.5`, `true`, `1e2`, `12345678901`)
		}
		return rapid.SampledFrom(good).Draw(t, name)
	}
	minutes := func() string { return value("minutes", []string{"1", "7"}, []string{"0"}) }
	fields := map[string]func() string{
		"name": func() string {
			return value("name", []string{`"ab"`, `"龙井茶"`, `"abcde"`}, []string{`"a"`, `"abcdef"`, `"龙"`, `"a\nb"`, `"\u9f99\u4e95"`, `"<&>"`})
		},
		"cups": func() string { return value("cups", []string{"0", "100", "7"}, []string{"101", "-0", "7.0", "1e1"}) },
		"grams": func() string {
			return value("grams", []string{"0.5", "50", "3"}, []string{"0", "50.001", "-0.0", "1e1"})
		},
		"hot":   func() string { return value("hot", []string{"true", "false"}, nil) },
		"leaf":  func() string { return value("leaf", []string{`"green"`, `"black"`}, []string{`"red"`, `""`}) },
		"price": func() string { return value("price", []string{"1", "9"}, []string{"0"}) },
		"tags": func() string {
			return value("tags", []string{`[]`, `["a"]`, `["a", "b"]`}, []string{`["a","b","c"]`, `[1]`, `["a",null]`})
		},
		"steps": func() string {
			var list []string
			for range rapid.IntRange(0, 7).Draw(t, "steps") {
				list = append(list, `{"minutes":`+minutes()+`}`)
			}
			return "[" + strings.Join(list, ", ") + "]"
		},
		"free":    func() string { return value("free", []string{`{"a":1}`, `{}`}, nil) },
		"minutes": minutes,
		"Name":    func() string { return `"ab"` }, // another case
		"other":   func() string { return `1` },
	}
	names := []string{"name", "cups", "grams", "hot", "leaf", "price", "tags", "steps", "minutes"}
	rare := rapid.IntRange(0, 9).Draw(t, "rare fields")
	if rare < 2 {
		names = append(names, []string{"free", "Name", "other"}[rapid.IntRange(0, 2).Draw(t, "rare")])
	}
	var parts []string
	for _, n := range rapid.Permutation(names).Draw(t, "order") {
		if must := n == "name" || n == "cups"; rapid.IntRange(0, 9).Draw(t, "has "+n) < 5 || must && rare > 0 {
			parts = append(parts, fmt.Sprintf("%q:%s%s", n, rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "space"), fields[n]()))
		}
	}
	return "{" + strings.Join(parts, ",") + "}" + rapid.SampledFrom([]string{"", "", "", " \n", "x"}).Draw(t, "end")
}

// What cannot be read directly is left to Huma for the whole route.
func TestNoDirectWay(t *testing.T) {
	t.Parallel()
	r := New(Config{DB: dbtest.Open(t, db.SQLite), Clock: clock.System(), Title: "Tea", Version: "1"})
	type plain struct{ Body struct{ A string } }
	type bytesBody struct {
		Body struct {
			A []byte `json:"a"`
		}
	}
	type header struct {
		H    string `header:"H"`
		Body struct{ A string }
	}
	type fallback struct {
		Body struct {
			A string `json:"a" default:"x"`
		}
	}
	type number struct {
		N    int64 `path:"n"`
		Body struct{ A string }
	}
	none := func(name string, has bool) {
		if has {
			t.Errorf("%s: there is a direct way", name)
		}
	}
	none("a header", way[header](r, "/v1/a") != nil)
	none("a default", way[fallback](r, "/v1/b") != nil)
	none("a number in the path", way[number](r, "/v1/c/{n}") != nil)
	if way[plain](r, "/v1/d") == nil {
		t.Error("a plain body has no direct way")
	}
	if d := way[bytesBody](r, "/v1/e"); d != nil { // the field alone is Huma's
		req := httptest.NewRequest("POST", "/v1/e", nil)
		if d(req.Context(), newReply(), req, nil, input{bytes: []byte(`{"a":"YQ=="}`)}) {
			t.Error("bytes were read directly")
		}
	}
}

func way[I any](r *Router, path string) direct {
	Post(r, path, func(context.Context, *I) (*teaOut, error) { return &teaOut{}, nil },
		Doc{ID: "op" + strings.Trim(strings.ReplaceAll(path, "/", ""), "{}"), Summary: "Do.", Public: true})
	handler, _ := r.routes.Handler(httptest.NewRequest("POST", strings.ReplaceAll(path, "{n}", "1"), nil))
	return handler.(*route).direct
}
