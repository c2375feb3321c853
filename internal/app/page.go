package app

import (
	"embed"
	"net/http"
)

//go:embed page
var pages embed.FS

// setupPage serves the page behind the one-time link of the first owner.
func (a *App) setupPage() {
	for path, name := range map[string]string{"GET /setup": "page/setup.html", "GET /setup.css": "page/setup.css", "GET /setup.js": "page/setup.js"} {
		a.API.Mux().HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			http.ServeFileFS(w, r, pages, name)
		})
	}
}
