package spa

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

const script = "assets/index-BwzNSxOR.js"

// app is a small build. Its .br only begins differently: what packs it is not asked here.
func app(t *testing.T) fs.FS {
	t.Helper()
	text := strings.Repeat("console.log('hello');\n", 200)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"index.html": f("<!doctype html><title>app</title>"), "index.html.br": f("as brotli"),
		script: f(text), script + ".br": f("br"), script + ".gz": f(packed.String()),
		"assets/plain.css": f("body{}"), "assets/plain.css.gz": f("longer than the file"),
		"favicon.svg": f("<svg/>"), "sw.js": f("self"), "manifest.webmanifest": f("{}"), "logo": f("x"),
	}
}

func serve(t *testing.T, prefix string) http.Handler {
	t.Helper()
	h, err := New(app(t), Options{Prefix: prefix, Header: map[string]string{"Content-Security-Policy": "yes"}, NotFound: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = target // as it comes, without the cleaning of a mux
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const html = "text/html,application/xhtml+xml,*/*;q=0.8" // what browsers ask for when a person goes somewhere

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/", "/portal/"} {
		h := serve(t, prefix)
		const forever, asked = "public, max-age=31536000, immutable", "no-cache"
		for _, tt := range []struct {
			path, accept string
			status       int
			kind, cache  string
		}{
			{"", html, 200, "text/html; charset=utf-8", asked},
			{"", "*/*", 200, "text/html; charset=utf-8", asked},
			{"members/mem_1", html, 200, "text/html; charset=utf-8", asked},
			{"members/email:li@shop.example", html, 200, "text/html; charset=utf-8", asked},
			{"till", html, 200, "text/html; charset=utf-8", asked},
			{"members/mem_1", "*/*", 404, "", ""},
			{"members/mem_1", "application/json", 404, "", ""},
			{"index.html", html, 301, "", ""},
			{script, "*/*", 200, "text/javascript; charset=utf-8", forever},
			{"assets/index-AAAAAAAA.js", "*/*", 404, "", ""},
			{"assets/index-AAAAAAAA.js", html, 404, "", ""},
			{"assets/plain.css", "*/*", 200, "text/css; charset=utf-8", asked},
			{"sw.js", "*/*", 200, "text/javascript; charset=utf-8", asked},
			{"manifest.webmanifest", "*/*", 200, "application/manifest+json", asked},
			{"favicon.svg", "image/*", 200, "image/svg+xml", asked},
			{"favicon.ico", "image/*", 404, "", ""},
			{"logo", "*/*", 200, "application/octet-stream", asked},
			{script + ".br", "*/*", 404, "", ""},
			{script + ".gz", "*/*", 404, "", ""},
			{"assets", "*/*", 404, "", ""},
			{"../../etc/passwd", "*/*", 404, "", ""},
			{"assets/../index.html", "*/*", 404, "", ""},
			{"/etc/passwd", "*/*", 404, "", ""},
			{`..\spa.go`, "*/*", 404, "", ""},
		} {
			w := get(h, "GET", prefix+tt.path, "Accept", tt.accept)
			if w.Code != tt.status {
				t.Errorf("%s%s for %s: %d, want %d", prefix, tt.path, tt.accept, w.Code, tt.status)
				continue
			}
			page := strings.HasPrefix(tt.kind, "text/html")
			if w.Code == 200 && (w.Header().Get("Content-Type") != tt.kind || w.Header().Get("Cache-Control") != tt.cache || (w.Header().Get("Content-Security-Policy") != "") != page) {
				t.Errorf("%s%s: %v", prefix, tt.path, w.Header())
			}
		}
		if w := get(h, "HEAD", prefix+script, "Accept-Encoding", "gzip"); w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" || w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("HEAD: %d bytes, %v", w.Body.Len(), w.Header())
		}
	}
	if w := get(serve(t, "/portal/"), "GET", "/other", "Accept", html); w.Code != 404 {
		t.Errorf("outside of the prefix: %d", w.Code)
	}
}

func TestEncoding(t *testing.T) {
	t.Parallel()
	h := serve(t, "/")
	for accept, want := range map[string]string{
		"gzip, deflate, br, zstd": "br", "br": "br", "gzip": "gzip", "x-gzip": "gzip", "GZIP": "gzip", "": "", "-": "", "deflate": "",
		"br;q=0": "", "br;q=0, gzip": "gzip", "br;q=0.5, gzip;q=0.8": "gzip", "br;q=0.5,gzip;q=0.5": "br", "gzip;q=1.0, br ; q = 0.001": "gzip",
		"*": "br", "*;q=0": "", "br;q=0, *": "gzip", "identity, br;q=0.5": "", "identity;q=0.2, br;q=0.5": "br", "identity;q=0": "",
		"br;q=nan": "", "br;q=2": "", "br;x=1": "", "br;q=": "",
	} {
		w := get(h, "GET", "/"+script, "Accept-Encoding", accept)
		if accept == "-" {
			w = get(h, "GET", "/"+script)
		}
		if got := w.Header().Get("Content-Encoding"); got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: sent as %q, want %q; Vary %q", accept, got, want, w.Header().Get("Vary"))
		}
		if want == "gzip" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := out.ReadFrom(z); err != nil || !strings.HasPrefix(out.String(), "console.log") {
				t.Errorf("unpacked: %v %.20s", err, out.String())
			}
		}
	}
	if w := get(h, "GET", "/assets/plain.css", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Body.String() != "body{}" {
		t.Errorf("a packed file that is larger was sent: %v", w.Header())
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	h := serve(t, "/")
	packed := get(h, "GET", "/"+script, "Accept-Encoding", "br").Header().Get("ETag")
	plain := get(h, "GET", "/"+script).Header().Get("ETag")
	if packed == plain || !strings.HasPrefix(packed, `"`) {
		t.Fatalf("the tags of two encodings are %s and %s", packed, plain)
	}
	for given, want := range map[string]int{
		packed: 304, plain: 304, "W/" + packed: 304, `"other", ` + packed: 304, "*": 304, `"other"`: 200, strings.Trim(packed, `"`): 200,
	} {
		w := get(h, "GET", "/"+script, "Accept-Encoding", "br", "If-None-Match", given)
		if w.Code != want || want == 304 && (w.Body.Len() > 0 || w.Header().Get("ETag") != packed || w.Header().Get("Cache-Control") == "") {
			t.Errorf("%s: %d, %d bytes, %v", given, w.Code, w.Body.Len(), w.Header())
		}
	}
	if w := get(h, "GET", "/members", "Accept", html); w.Code != 200 || w.Header().Get("ETag") == "" {
		t.Errorf("the page: %d %v", w.Code, w.Header())
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := New(fstest.MapFS{"a.js": {}}, Options{Prefix: "/", NotFound: http.NotFoundHandler()}); err == nil {
		t.Error("a folder without a page was taken")
	}
}
