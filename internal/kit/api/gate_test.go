package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	var seen []string
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) {
		c.Observe = func(route string, class api.Class, status int, took time.Duration) {
			seen = append(seen, fmt.Sprint(class, " ", route, " ", status))
		}
	})
	w := s.do(ask{path: brew, body: `{"cups":1,"kind":"green","grade":"A","extra":{"a":"b"},"at":"2026-03-01T12:00:00+08:00"}`, header: map[string]string{"Content-Type": "application/json; charset=UTF-8"}})
	if w.Code != 201 || w.Header().Get("Location") != "/v1/teas/longjing" || strings.TrimSpace(w.Body.String()) != `{"brewed":1,"by":"anna"}` {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", "Content-Length": fmt.Sprint(w.Body.Len()), "Link": "",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if w := s.do(ask{path: "/v1/bell", as: "-"}); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("nothing to say: %d %q", w.Code, w.Body)
	}
	s.do(ask{path: brew, as: "-"})
	if want := []string{"serving POST /v1/teas/{name}/brew 201", "public POST /v1/bell 204", "serving POST /v1/teas/{name}/brew 401"}; !slices.Equal(seen, want) {
		t.Errorf("observed %q", seen)
	}
}

// A session works from pages of the same site, and of those that are trusted.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) { c.TrustedOrigins = []string{"https://friend.example"} })
	for origin, want := range map[string]int{"": 201, "http://shop.example": 201, "https://friend.example": 201, "https://foe.example": 403, "null": 403} {
		w := s.do(ask{path: brew, body: `{"cups":1}`, as: "-", header: map[string]string{"Cookie": "patron_session=anna", "Origin": origin}})
		if w.Code != want {
			t.Errorf("from %q: %d, want %d", origin, w.Code, want)
		}
	}
	w := s.do(ask{path: brew, body: `{"cups":1}`, header: map[string]string{"Origin": "https://foe.example"}})
	if w.Code != 201 {
		t.Errorf("a bearer token is no cookie: %d", w.Code)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	var first api.List[string]
	if err := json.Unmarshal(s.do(ask{method: "GET", path: "/v1/teas?limit=7"}).Body.Bytes(), &first); err != nil {
		t.Fatal(err)
	}
	if at, err := api.DecodeCursor(first.NextCursor, 2); err != nil || !slices.Equal(at, []int64{7, -1}) {
		t.Fatalf("next_cursor %q: %v, %v", first.NextCursor, at, err)
	}
	w := s.do(ask{method: "GET", path: "/v1/teas?sweet=true&cursor=" + first.NextCursor})
	if got := strings.TrimSpace(w.Body.String()); got != `{"items":["longjing"]}` {
		t.Errorf("last page: %s", got)
	}
	if w := s.do(ask{method: "GET", path: "/v1/teas"}); !strings.Contains(w.Body.String(), api.EncodeCursor(50, -1)) {
		t.Errorf("the limit is not 50 by default: %s", w.Body)
	}
	if w := s.do(ask{method: "GET", path: "/v1/teas?cursor"}); w.Code != 200 {
		t.Errorf("a bare name is an empty text, not %q: %s", "true", w.Body)
	}
	if w := s.do(ask{method: "HEAD", path: "/v1/teas"}); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
}

// A cursor of which one character was changed, or that was cut, is refused.
func TestCursor(t *testing.T) {
	t.Parallel()
	parts := []int64{0, -1, 1 << 62, 1740787200000}
	cursor := api.EncodeCursor(parts...)
	if got, err := api.DecodeCursor(cursor, 4); err != nil || !slices.Equal(got, parts) {
		t.Fatalf("%v, %v", got, err)
	}
	if got, err := api.DecodeCursor("", 4); got != nil || err != nil {
		t.Errorf("first page: %v, %v", got, err)
	}
	bad := []string{cursor + "A", "%", "AAAA", api.EncodeCursor(1, 2, 3), api.EncodeCursor(1, 2, 3, 4, 5)}
	for i := range cursor {
		other := "A"
		if cursor[i] == 'A' {
			other = "B"
		}
		bad = append(bad, cursor[:i], cursor[:i]+other+cursor[i+1:])
	}
	for _, c := range bad[:len(bad):len(bad)] {
		if c == "" {
			continue
		}
		if got, err := api.DecodeCursor(c, 4); err == nil {
			t.Errorf("DecodeCursor(%q) = %v", c, got)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) { c.Timeout = time.Millisecond })
	w := s.do(ask{path: "/v1/fail/slow"})
	if p := problemIn(t, w); w.Code != 503 || p.Code != "request.timeout" || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Over a real connection: what comes in pieces, what is cut, and what is too large.
func TestConnection(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = api.Server("", s.http)
	srv.Start()
	defer srv.Close()
	send := func(method, path string, body io.Reader, contentType string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer anna")
		req.Header.Set("Content-Type", contentType)
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	res := send("GET", "/v1/steam", nil, "")
	text, err := io.ReadAll(res.Body)
	if string(text) != "puff puff puff " || err != nil || res.ContentLength >= 0 {
		t.Errorf("stream: %q, %v, length %d", text, err, res.ContentLength)
	}
	chunked := struct{ io.Reader }{strings.NewReader(`{"cups":1}`)} // no length is known
	if res := send("POST", brew, chunked, "application/json"); res.StatusCode != 201 {
		t.Errorf("chunked: %d", res.StatusCode)
	}
	endless := struct{ io.Reader }{io.LimitReader(zeros{}, 2<<20)}
	if res := send("POST", brew, endless, "application/json"); res.StatusCode != 413 {
		t.Errorf("chunked and too large: %d", res.StatusCode)
	}
	if res := send("PUT", "/v1/label", strings.NewReader("a,b\n1,2\n"), "text/csv"); res.StatusCode != 204 {
		t.Errorf("file: %d", res.StatusCode)
	}
	if res := send("PUT", "/v1/label", strings.NewReader("a,b\n1,2\n3"), "text/csv"); res.StatusCode != 413 {
		t.Errorf("file past its limit: %d", res.StatusCode)
	}
	if res := send("PUT", "/v1/label", strings.NewReader("{}"), "application/json"); res.StatusCode != 400 {
		t.Errorf("file of another type: %d", res.StatusCode)
	}
	if srv.Config.ReadHeaderTimeout != 5*time.Second || srv.Config.MaxHeaderBytes != 16<<10 || srv.Config.IdleTimeout == 0 || srv.Config.WriteTimeout == 0 {
		t.Errorf("bounds: %+v", srv.Config)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestRequestInfo(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	var got api.Info
	s.router.Mux().HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { got = api.RequestInfo(r.Context()) })
	s.do(ask{method: "GET", path: "/livez", header: map[string]string{"User-Agent": strings.Repeat("茶", 100) + "\xff"}})
	if got.IP != "192.0.2.1" || len(got.TraceID) != 32 || len(got.UserAgent) > 256 || !strings.HasPrefix(got.UserAgent, "茶") {
		t.Errorf("%+v", got)
	}
	s.router.Mux().HandleFunc("GET /boom", func(http.ResponseWriter, *http.Request) { panic("boom") })
	if w := s.do(ask{method: "GET", path: "/boom"}); problemIn(t, w).Code != "internal" || !strings.Contains(s.log.String(), "boom") {
		t.Errorf("panic in a page: %s", w.Body)
	}
}

func TestRegisterRefusesContradictions(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	for name, doc := range map[string]api.Doc{
		"no id":             {Summary: "x"},
		"no summary":        {ID: "x"},
		"public permission": {ID: "x", Summary: "x", Public: true, Needs: "y"},
		"public key":        {ID: "x", Summary: "x", Public: true, KeyRequired: true},
		"streaming write":   {ID: "x", Summary: "x", Stream: true},
		"no refusal":        {ID: "x", Summary: "x", Fails: []error{io.EOF}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, d)
			defer func() {
				if recover() == nil {
					t.Error("it was taken")
				}
			}()
			api.Post(s.router, "/v1/x", s.brew, doc)
		})
	}
}

func TestReference(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	one, two := newShop(t, d), newShop(t, d)
	doc := one.router.OpenAPI()
	if !bytes.Equal(doc, two.router.OpenAPI()) || !bytes.Equal(doc, one.router.OpenAPI()) {
		t.Fatal("the same routes make another document")
	}
	w := one.do(ask{method: "GET", path: "/openapi.json", as: "-"})
	if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), doc) {
		t.Errorf("served %d and other bytes", w.Code)
	}
	var open struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []map[string]any
			Responses   map[string]map[string]any
			Security    []map[string][]string
		}
		Components map[string]map[string]any
	}
	if err := json.Unmarshal(doc, &open); err != nil {
		t.Fatal(err)
	}
	if open.OpenAPI != "3.1.0" || strings.Contains(string(doc), "$schema") {
		t.Errorf("version %q", open.OpenAPI)
	}
	for _, want := range []string{"bearer", "session"} {
		if open.Components["securitySchemes"][want] == nil {
			t.Errorf("no security scheme %s", want)
		}
	}
	b := open.Paths[brewTemplate]["post"]
	text := fmt.Sprint(b.Responses["409"]["description"], b.Responses["404"]["description"])
	if !strings.Contains(text, "`tea.sold_out`") || !strings.Contains(text, "`tea.missing`") || len(b.Security) != 2 {
		t.Errorf("brewTea: %s, security %v", text, b.Security)
	}
	if got := fmt.Sprint(b.Parameters); !strings.Contains(got, "IdempotencyKey") || !strings.Contains(got, "AcceptLanguage") {
		t.Errorf("parameters: %s", got)
	}
	if sell := fmt.Sprint(open.Paths["/v1/teas/{name}/sell"]["post"]); !strings.Contains(sell, "IdempotencyKeyRequired") || !strings.Contains(sell, "BrewOut") {
		t.Errorf("sellTea: %s", sell)
	}
	for path, item := range open.Paths {
		for method, op := range item {
			if op.Responses["default"]["$ref"] != "#/components/responses/Problem" {
				t.Errorf("%s %s has no problem: %v", method, path, op.Responses)
			}
		}
	}
	if open.Paths["/v1/fail/{how}"] != nil {
		t.Error("a hidden route shows")
	}
	if !slices.Contains(one.router.Routes(), "POST "+brewTemplate) {
		t.Errorf("routes: %v", one.router.Routes())
	}
}

const brewTemplate = "/v1/teas/{name}/brew"

func TestDocsPage(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	for _, tt := range []struct{ path, lang, want string }{
		{"/docs", "en", "No sign-in needed|Refusals|There is no more {tea}."},
		{"/docs", "zh", "无需登录|拒绝原因|{tea} 已售完。"},
		{"/docs?lang=en", "zh", "No sign-in needed"},
	} {
		w := s.do(ask{method: "GET", path: tt.path, lang: tt.lang, as: "-"})
		page := w.Body.String()
		for _, want := range append(strings.Split(tt.want, "|"), brewTemplate, "How many.", "tea.sold_out", "tea.brew", `id="brewTea"`, "integer int64 (≥ 1, ≤ 12)", "string: green | black") {
			if !strings.Contains(page, want) {
				t.Errorf("%s in %s: %q is missing", tt.path, tt.lang, want)
			}
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(page, "<script") || strings.Contains(page, "://") {
			t.Errorf("the page loads what it should not: %s", csp)
		}
	}
	if w := s.do(ask{method: "GET", path: "/docs/style.css", as: "-"}); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %v", w.Code, w.Header())
	}
}
