package app

import (
	"cmp"
	"embed"
	"io/fs"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/spa"
	"github.com/patron-loyalty/patron/web"
)

// pages are what a binary without the built faces shows in their place: how to become the
// first owner, and where the rest is.
//
//go:embed page
var pages embed.FS

// policy is the Content-Security-Policy of the faces. Scripts are files of ours and nothing
// else; what a stranger gets into a page cannot run.
//
// Styles may stand inline. Ant Design writes its style sheets from script as they are needed,
// and the tips of ECharts are HTML with style attributes, which no nonce covers; a nonce
// would also have to be made for each answer, and then neither an ETag nor a service worker
// could keep the page. A style runs nothing, and img-src and connect-src leave it nowhere to
// send what it could read.
//
// Blobs are pictures of the camera and files that are made in the page.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
	"connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; " +
	"frame-src 'none'; frame-ancestors 'none'; report-uri " + reportPath

// faceHeader are the headers of a page that draws a face. The till reads codes by camera.
func faceHeader(camera string) map[string]string {
	return map[string]string{
		"Content-Security-Policy":    policy,
		"Permissions-Policy":         "camera=(" + camera + "), microphone=(), geolocation=(), payment=(), usb=(), serial=(), bluetooth=(), midi=(), display-capture=()",
		"Cross-Origin-Opener-Policy": "same-origin",
	}
}

// faces serves the console at / and the portal at /portal, with the API and the probes
// before them; or the plain pages, in a binary without them.
func (a *App) faces(o Options) error {
	mux, nothing := a.API.Mux(), http.HandlerFunc(a.API.NotFound)
	for _, path := range []string{"/v1", "/portal/v1", "/docs/"} { // addresses near ours are no addresses of a face
		mux.Handle("GET "+path, nothing)
	}
	mux.HandleFunc("POST "+reportPath, a.takeReport)
	console, portal := o.Console, o.Portal
	if console == nil && portal == nil {
		console, portal = web.Console, web.Portal
	}
	for _, face := range []struct {
		files          fs.FS
		prefix, camera string
	}{{console, "/", "self"}, {portal, "/portal/", ""}} {
		if face.files == nil {
			continue
		}
		h, err := spa.New(face.files, spa.Options{Prefix: face.prefix, Header: faceHeader(face.camera), NotFound: nothing})
		if err != nil {
			return err
		}
		mux.Handle("GET "+face.prefix, h)
	}
	if console == nil {
		a.plainPages()
	}
	return nil
}

// plainPages are those of a binary without faces.
func (a *App) plainPages() {
	for path, name := range map[string]string{
		"GET /{$}": "index.html", "GET /setup": "setup.html", "GET /setup.css": "setup.css", "GET /setup.js": "setup.js",
	} {
		a.API.Mux().HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; report-uri "+reportPath)
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Cache-Control", "no-store")
			text, err := pages.ReadFile("page/" + name)
			if err != nil {
				panic("app: " + err.Error()) // the table above is wrong
			}
			h.Set("Content-Type", cmp.Or(map[string]string{"setup.css": "text/css; charset=utf-8", "setup.js": "text/javascript; charset=utf-8"}[name], "text/html; charset=utf-8"))
			_, _ = w.Write(text) // a caller who is gone needs none
		})
	}
}
