// Package spa serves a built single-page app: one page that draws every address of its own,
// and the files that it is made of.
//
// Life: New reads the folder once and keeps a table of what is there; Handler answers from
// the table alone, so that no path reaches outside of it.
//
// Laws:
//   - A file whose name holds a hash of its content is kept for a year and never asked for
//     again; all else is asked about each time, by ETag, so that a new version is seen at
//     once.
//   - Only a person who goes to an address gets the page in the place of a file that is not
//     there; a script or picture that is missing is missing.
//   - A file that lies beside its .br and .gz is sent as the smallest of them that the
//     browser takes.
//
// Compressing is left to the build (scripts/press.mjs): brotli at its best takes half a
// minute for a megabyte here, at every start, and at the level that is quick it sends an
// eighth more (measured with ECharts: 299 kB against 340 kB).
package spa

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Options say how an app is served.
type Options struct {
	Prefix   string            // where it lives, with both slashes: "/" or "/portal/"
	Header   map[string]string // of every answer that is the page, such as its Content-Security-Policy
	NotFound http.Handler      // answers where there is nothing
}

// Handler serves one app.
type Handler struct {
	files fs.FS
	opts  Options
	table map[string]file // by path below the prefix
}

// file is one file of the app in all its encodings.
type file struct {
	kind   string // Content-Type
	hashed bool
	as     []encoded // best first; the last is the file as it is
}

type encoded struct {
	coding string // "br", "gzip" or "identity"
	name   string
	etag   string
	size   int64
}

// page is the name of the one page.
const page = "index.html"

// kinds are the types of what a build makes. The table of the system differs from machine
// to machine; a browser refuses a script or a service worker under a wrong type.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif", ".gif": "image/gif",
	".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8", ".xml": "text/xml; charset=utf-8",
	".wasm": "application/wasm", ".pdf": "application/pdf", ".mp3": "audio/mpeg",
}

// hashed is the name that Vite gives to what it has hashed: "assets/react-DBOkbtbu.js".
var hashed = regexp.MustCompile(`^assets/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

// New reads what is in files, which must hold the page.
func New(files fs.FS, o Options) (*Handler, error) {
	if !strings.HasPrefix(o.Prefix, "/") || !strings.HasSuffix(o.Prefix, "/") || o.NotFound == nil {
		panic("spa: New needs a prefix between slashes, and an answer for what is not there")
	}
	h := &Handler{files: files, opts: o, table: map[string]file{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			return err
		}
		f := file{kind: kinds[path.Ext(name)], hashed: hashed.MatchString(name)}
		if f.kind == "" {
			f.kind = "application/octet-stream"
		}
		f.as, err = h.encodings(name)
		h.table[name] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the app: %w", err)
	}
	if _, ok := h.table[page]; !ok {
		return nil, fmt.Errorf("read the app: there is no %s", page)
	}
	return h, nil
}

// encodings are those in which a file is there, smallest first as a build makes them.
func (h *Handler) encodings(name string) (as []encoded, err error) {
	plain, err := fs.ReadFile(h.files, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	for _, e := range []struct{ coding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}, {"identity", ""}} {
		info, err := fs.Stat(h.files, name+e.suffix)
		if err != nil {
			continue // there is none
		}
		if e.suffix != "" && info.Size() >= int64(len(plain)) {
			continue
		}
		as = append(as, encoded{e.coding, name + e.suffix, `"` + tag + "-" + e.coding[:2] + `"`, info.Size()})
	}
	return as, nil
}

// ServeHTTP answers GET and HEAD; the mux lets nothing else through.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, h.opts.Prefix)
	f, there := h.table[name]
	switch {
	case !below:
		h.opts.NotFound.ServeHTTP(w, r)
	case name == page:
		http.Redirect(w, r, h.opts.Prefix, http.StatusMovedPermanently) // one address for one page
	case there:
		h.send(w, r, f)
	case name == "" || navigates(r):
		for key, value := range h.opts.Header {
			w.Header().Set(key, value)
		}
		h.send(w, r, h.table[page])
	default:
		h.opts.NotFound.ServeHTTP(w, r)
	}
}

// navigates reports whether a person goes to an address: the browser then asks for a page
// in so many words. A name that ends like a file is never an address of the app.
func navigates(r *http.Request) bool {
	_, named := kinds[strings.ToLower(path.Ext(r.URL.Path))]
	return !named && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// send answers with a file in the encoding that suits.
func (h *Handler) send(w http.ResponseWriter, r *http.Request, f file) {
	e := choose(f.as, r.Header.Values("Accept-Encoding"))
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	if f.hashed {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if len(f.as) > 1 {
		header.Set("Vary", "Accept-Encoding")
	}
	if strings.HasPrefix(f.kind, "text/html") {
		header.Add("Vary", "Accept") // a script gets nothing where a person gets the page
	}
	header.Set("ETag", e.etag)
	if matches(r.Header.Values("If-None-Match"), f.as) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if e.coding != "identity" {
		header.Set("Content-Encoding", e.coding)
	}
	header.Set("Content-Type", f.kind)
	header.Set("Content-Length", strconv.FormatInt(e.size, 10))
	if r.Method == http.MethodHead {
		return
	}
	in, err := h.files.Open(e.name)
	if err != nil {
		panic("spa: " + err.Error()) // it was there at the start
	}
	defer in.Close() // read only
	_, _ = io.Copy(w, in)
}

// matches reports whether the browser has one of the encodings. Which one does not matter:
// they hold the same.
func matches(lines []string, as []encoded) bool {
	for _, line := range lines {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
			for _, e := range as {
				if one == e.etag || one == "*" {
					return true
				}
			}
		}
	}
	return false
}

// choose takes the encoding that the browser likes best, and of equals the smallest. One
// that likes none of them gets the file as it is.
func choose(as []encoded, lines []string) encoded {
	best, most := as[len(as)-1], 0.0
	likes := qualities(lines)
	for _, e := range as {
		q, named := likes[e.coding]
		if !named {
			q, named = likes["*"]
		}
		if !named && e.coding == "identity" {
			q = 0.001 // taken unless refused, but nobody who names others prefers it
		}
		if q > most {
			best, most = e, q
		}
	}
	return best
}

// maxCodings bounds what is read of a header.
const maxCodings = 32

// qualities reads Accept-Encoding (RFC 9110, 12.5.3). A weight that is none is 0: better
// the file as it is than one that cannot be read.
func qualities(lines []string) map[string]float64 {
	out := map[string]float64{}
	for one := range strings.SplitSeq(strings.Join(lines, ","), ",") {
		coding, params, weighted := strings.Cut(one, ";")
		if coding = strings.ToLower(strings.TrimSpace(coding)); coding == "" || len(out) == maxCodings {
			continue
		}
		if coding == "x-gzip" {
			coding = "gzip"
		}
		q := 1.0
		if weighted {
			text, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
			var err error
			if q, err = strconv.ParseFloat(text, 64); err != nil || !ok || !(q >= 0 && q <= 1) {
				q = 0
			}
		}
		out[coding] = q
	}
	return out
}
