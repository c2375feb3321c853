package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// face is what a build of a face looks like.
func face(title string) fstest.MapFS {
	return fstest.MapFS{
		"index.html":               {Data: []byte("<!doctype html><title>" + title + "</title><script type=module src=assets/index-Abcd1234.js></script>")},
		"assets/index-Abcd1234.js": {Data: []byte("// " + title)},
		"sw.js":                    {Data: []byte("// " + title)},
		"manifest.webmanifest":     {Data: []byte("{}")},
	}
}

// visit asks for an address as a browser does when a person goes there, or as a script.
func visit(t *testing.T, h http.Handler, method, path string, person bool) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept", "*/*")
	if person {
		r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func openFaces(t *testing.T, console, portal fstest.MapFS) http.Handler {
	t.Helper()
	h := newHouse(t, db.SQLite)
	o := app.Options{Config: h.config, Clock: h.clock, Log: h.log(), Auth: everyone{}}
	if console != nil {
		o.Console, o.Portal = console, portal
	}
	a, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a.Handler()
}

// The faces take the addresses that nothing else has, each below its own.
func TestFaces(t *testing.T) {
	t.Parallel()
	h := openFaces(t, face("console"), face("portal"))
	const page, problem = "text/html; charset=utf-8", "application/problem+json"
	for _, tt := range []struct {
		path       string
		person     bool
		status     int
		kind, body string
	}{
		{"/", true, 200, page, "<title>console"},
		{"/till", true, 200, page, "<title>console"},
		{"/setup", true, 200, page, "<title>console"},
		{"/members/phone:+8613800000000", true, 200, page, "<title>console"},
		{"/portals", true, 200, page, "<title>console"},
		{"/portal", true, 307, "", ""},
		{"/portal/", true, 200, page, "<title>portal"},
		{"/portal/history", true, 200, page, "<title>portal"},
		{"/portal/sw.js", false, 200, "text/javascript; charset=utf-8", "// portal"},
		{"/portal/manifest.webmanifest", false, 200, "application/manifest+json", "{}"},
		{"/sw.js", false, 200, "text/javascript; charset=utf-8", "// console"},
		{"/assets/index-Abcd1234.js", false, 200, "text/javascript; charset=utf-8", "// console"},
		{"/assets/index-Gone1234.js", false, 404, problem, "request.path"},
		{"/nothing", false, 404, problem, "request.path"},
		{"/v1", true, 404, problem, "request.path"},
		{"/v1/nothing", true, 404, problem, "request.path"},
		{"/portal/v1", true, 404, problem, "request.path"},
		{"/portal/v1/nothing", true, 404, problem, "request.path"},
		{"/docs/nothing", true, 404, problem, "request.path"},
		{"/docs", true, 200, page, "/docs/style.css"},
		{"/openapi.json", true, 200, "application/vnd.oai.openapi+json;version=3.1", `"openapi"`},
		{"/livez", true, 200, "text/plain; charset=utf-8", "ok"},
		{"/readyz", true, 200, "text/plain; charset=utf-8", "ok"},
		{"/%2e%2e/%2e%2e/etc/passwd", false, 404, problem, "request.path"},
	} {
		w := visit(t, h, "GET", tt.path, tt.person)
		if w.Code != tt.status || tt.kind != "" && w.Header().Get("Content-Type") != tt.kind || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: %d %s %.80s", tt.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Code == 404 && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: what is missing is kept: %s", tt.path, w.Header().Get("Cache-Control"))
		}
	}
	if w := visit(t, h, "POST", "/", true); w.Code != 405 {
		t.Errorf("POST /: %d", w.Code)
	}
}

// Pages say what they may do, and scripts of strangers are not in it.
func TestFaceHeaders(t *testing.T) {
	t.Parallel()
	with, without := openFaces(t, face("console"), face("portal")), openFaces(t, nil, nil)
	for _, tt := range []struct {
		h            http.Handler
		path, camera string
	}{{with, "/till", "camera=(self)"}, {with, "/portal/", "camera=()"}, {without, "/", ""}, {without, "/setup", ""}, {with, "/docs", ""}} {
		w := visit(t, tt.h, "GET", tt.path, true)
		if w.Code != 200 {
			t.Errorf("%s: %d", tt.path, w.Code)
		}
		csp := directives(w.Header().Get("Content-Security-Policy"))
		scripts := csp["script-src"]
		if scripts == "" {
			scripts = csp["default-src"]
		}
		if scripts != "'self'" && scripts != "'none'" || csp["frame-ancestors"] != "'none'" || csp["base-uri"] != "'none'" {
			t.Errorf("%s: %v", tt.path, csp)
		}
		if tt.camera != "" && (csp["connect-src"] != "'self'" || csp["worker-src"] != "'self'" || csp["img-src"] != "'self' data: blob:" || csp["report-uri"] != "/csp-report") {
			t.Errorf("%s: %v", tt.path, csp)
		}
		h := w.Header()
		if !strings.HasPrefix(h.Get("Permissions-Policy"), tt.camera) || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", tt.path, h)
		}
		if strings.Contains(w.Body.String(), " style=") || strings.Contains(w.Body.String(), "<style") || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s holds what its policy forbids", tt.path)
		}
	}
}

func directives(csp string) map[string]string {
	out := map[string]string{}
	for one := range strings.SplitSeq(csp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(one), " ")
		out[name] = value
	}
	return out
}

// A binary without faces says so, and the first owner can sign in all the same.
func TestNoFaces(t *testing.T) {
	t.Parallel()
	h := openFaces(t, nil, nil)
	for path, want := range map[string]string{"/": "没有包含网页界面", "/setup": "设置所有者", "/setup.js": "use strict", "/setup.css": "color-scheme"} {
		w := visit(t, h, "GET", path, true)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %.80s", path, w.Code, w.Header(), w.Body)
		}
	}
	if w := visit(t, h, "GET", "/till", true); w.Code != 404 {
		t.Errorf("/till: %d", w.Code)
	}
}

// Reports of browsers are counted by what was tried, whoever sends them, within bounds.
func TestPolicyReports(t *testing.T) {
	t.Parallel()
	h := openFaces(t, face("console"), face("portal"))
	send := func(body string) int {
		r := httptest.NewRequest("POST", "/csp-report", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/csp-report")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	for body, want := range map[string]int{
		`{"csp-report":{"effective-directive":"script-src-elem","blocked-uri":"https://evil.example/x?secret"}}`: 204,
		`{"csp-report":{"violated-directive":"img-src https:"}}`:                                                 204,
		`{"csp-report":{"effective-directive":"made-up-by-a-stranger"}}`:                                         204,
		`nonsense`: 400,
		`{"csp-report":{"blocked-uri":"` + strings.Repeat("x", 20<<10) + `"}}`: 400,
	} {
		if got := send(body); got != want {
			t.Errorf("%.60s: %d, want %d", body, got, want)
		}
	}
	text := scrape(t, h)
	for line, want := range map[string]float64{
		`patron_csp_reports_total{directive="script-src-elem"}`: 1, `patron_csp_reports_total{directive="img-src"}`: 1,
		`patron_csp_reports_total{directive="other"}`: 1, `patron_csp_reports_total{directive="made-up-by-a-stranger"}`: -1,
	} {
		if got := value(t, text, line); got != want {
			t.Errorf("%s = %v, want %v", line, got, want)
		}
	}
}
