package app

import (
	"bytes"
	"html/template"
	"net/http"
	"os"
	"strings"

	"rsc.io/qr"

	"github.com/patron-loyalty/patron/internal/kit/cert"
)

// trustTemplate is the page that tells people how to trust the local authority.
var trustTemplate = template.Must(template.ParseFS(pages, "page/trust.html"))

// trustView is what it shows.
type trustView struct {
	URL, Name, Fingerprint, Until string
	Code                          bool
}

// trustMux serves the root of the local authority: a page with a code to scan and what to do
// on each kind of device, and the file itself. There is nothing secret about a root; whether
// it is the right one its fingerprint shows.
func (f *Front) trustMux() *http.ServeMux {
	root := f.authority.Root()
	v := trustView{URL: f.TrustURL(), Name: root.Subject.CommonName, Fingerprint: cert.Fingerprint(root), Until: root.NotAfter.Format("2006-01-02")}
	var code []byte
	if c, err := qr.Encode(v.URL, qr.M); err == nil && v.URL != "" {
		c.Scale = 6
		code, v.Code = c.PNG(), true
	}
	var page bytes.Buffer
	if err := trustTemplate.Execute(&page, v); err != nil {
		panic("app: the page of the local authority: " + err.Error())
	}
	style, err := pages.ReadFile("page/setup.css")
	if err != nil {
		panic("app: " + err.Error())
	}
	mux := http.NewServeMux()
	for path, part := range map[string]struct {
		kind string
		body []byte
	}{
		"/trust":                 {"text/html; charset=utf-8", page.Bytes()},
		"/trust/style.css":       {"text/css; charset=utf-8", style},
		"/trust/code.png":        {"image/png", code},
		"/trust/patron-root.crt": {"application/x-x509-ca-cert", cert.PEM(root)}, // the type by which tablets know what to do
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", part.kind)
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			_, _ = w.Write(part.body) // a caller who is gone needs none
		})
	}
	return mux
}

// LocalRoot is the root of the local authority in a data directory, and where a running
// server serves it ("" where none has yet).
func LocalRoot(dataDir string) (name, fingerprint, until, url string, err error) {
	root, err := cert.ReadRoot(TLSDir(dataDir))
	if err != nil {
		return "", "", "", "", err
	}
	text, _ := os.ReadFile(trustFile(dataDir)) // none before the first start
	return root.Subject.CommonName, cert.Fingerprint(root), root.NotAfter.Format("2006-01-02"), strings.TrimSpace(string(text)), nil
}
