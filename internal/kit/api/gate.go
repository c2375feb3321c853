package api

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/i18n"
)

// Bounds of a connection.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second  // header and body; bodies are 1 MiB at most
	writeTimeout      = 60 * time.Second  // above the longest that a request may take
	idleTimeout       = 120 * time.Second // tills keep a connection between two sales
	maxHeaderBytes    = 16 << 10
	maxUserAgent      = 256
)

// Server makes the server that h is served by, with the bounds that keep slow and large
// requests from holding it up.
func Server(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr: addr, Handler: h,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
}

// scope is what the router knows about a request in hand. Only the goroutine that serves it
// writes here, before the handler runs.
type scope struct {
	info   Info
	lang   string
	route  string
	caller string       // kind and id, for the log
	again  func() error // of a stream: signs the caller in anew
}

type scopeKey struct{}

func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s
	}
	return new(scope)
}

// RequestInfo returns what the request tells about itself; the zero Info outside of one.
func RequestInfo(ctx context.Context) Info { return scopeOf(ctx).info }

// Language returns the language of the caller, "zh-CN" or "en"; English outside of a request.
func Language(ctx context.Context) string {
	if lang := scopeOf(ctx).lang; lang != "" {
		return lang
	}
	return i18n.English
}

// WithLanguage sets the language: for jobs that write to somebody, commands and tests.
func WithLanguage(ctx context.Context, lang string) context.Context {
	s := *scopeOf(ctx)
	s.lang = lang
	return context.WithValue(ctx, scopeKey{}, &s)
}

// Handler serves the API, the reference and what Mux holds.
func (r *Router) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req = r.Arrive(req)
		g := &gate{ResponseWriter: w}
		harden(w.Header())
		defer r.recover(g, req)
		if isAPI(req.URL.Path) {
			r.serveAPI(g, req)
		} else {
			r.servePlain(g, req)
		}
	})
}

// Arrive puts what a request tells about itself, and its language, into its context, unless
// that was done: for whoever looks at requests before Handler does.
func (r *Router) Arrive(req *http.Request) *http.Request {
	if _, known := req.Context().Value(scopeKey{}).(*scope); known {
		return req
	}
	s := &scope{info: r.info(req), lang: i18n.Negotiate(req.Header.Get("Accept-Language"), r.cfg.DefaultLanguage)}
	return req.WithContext(context.WithValue(req.Context(), scopeKey{}, s))
}

// serveAPI serves a path under the prefixes of the API, none of whose answers is to be kept
// by anything in between.
func (r *Router) serveAPI(g *gate, req *http.Request) {
	g.Header().Set("Cache-Control", "no-store")
	g.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	g.unrouted = true
	r.routes.ServeHTTP(g, req)
	r.refuseUnrouted(g, req)
}

// servePlain serves pages and files, and a problem where there is none.
func (r *Router) servePlain(g *gate, req *http.Request) {
	_, pattern := r.plain.Handler(req)
	g.unrouted = pattern == ""
	r.plain.ServeHTTP(g, req)
	r.refuseUnrouted(g, req)
}

// refuseUnrouted answers with a problem what the mux found no route for.
func (r *Router) refuseUnrouted(g *gate, req *http.Request) {
	switch g.swallowed {
	case http.StatusNotFound:
		r.writeProblem(req.Context(), g.ResponseWriter, ErrRoute)
	case http.StatusMethodNotAllowed: // the mux has set Allow
		r.writeProblem(req.Context(), g.ResponseWriter, ErrMethod)
	}
}

// NotFound answers with a problem that there is nothing at this address: for handlers of Mux.
func (r *Router) NotFound(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // it may be there in a moment: a newer version is being put in place
	r.writeProblem(req.Context(), w, ErrRoute)
}

// recover answers a panic outside of a route, as in a plain handler.
func (r *Router) recover(g *gate, req *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	err := panicked(p)
	if g.status != 0 {
		r.problem(req.Context(), err) // logged; the answer is past saving
		panic(http.ErrAbortHandler)
	}
	r.writeProblem(req.Context(), g.ResponseWriter, err)
}

// harden sets the headers that every answer bears; a page may set them otherwise.
func harden(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
}

// gate watches what a mux writes: its plain text for a path or method that it does not have
// is held back while unrouted.
type gate struct {
	http.ResponseWriter
	unrouted  bool
	swallowed int  // the status that was held back
	status    int  // that went out; 0 before
	stretched bool // each write begins the time for the next
}

// stretch takes the deadlines of a request off one whose answer takes as long as it takes:
// the server's own for reading would end its context, although all of it was read. What is
// left is that the reader may not keep one write waiting.
func stretch(w http.ResponseWriter) {
	if g, ok := w.(*gate); ok {
		g.stretched = true
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a recorder of tests has none
}

// found tells the gate that a route has the request.
func found(w http.ResponseWriter) {
	if g, ok := w.(*gate); ok {
		g.unrouted = false
	}
}

// WriteHeader passes the status on, or holds it back.
func (g *gate) WriteHeader(status int) {
	if g.unrouted && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		g.swallowed = status
		return
	}
	g.status = status
	g.ResponseWriter.WriteHeader(status)
}

// Write passes the body on, or drops that of a status held back.
func (g *gate) Write(p []byte) (int, error) {
	if g.swallowed != 0 {
		return len(p), nil
	}
	if g.status == 0 {
		g.WriteHeader(http.StatusOK)
	}
	if g.stretched {
		_ = http.NewResponseController(g.ResponseWriter).SetWriteDeadline(time.Now().Add(sendWithin))
	}
	return g.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (g *gate) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (r *Router) info(req *http.Request) Info {
	in := Info{TraceID: traceID(req.Header.Get("Traceparent"))}
	in.UserAgent = strings.ToValidUTF8(req.UserAgent(), "")
	if len(in.UserAgent) > maxUserAgent {
		in.UserAgent = strings.ToValidUTF8(in.UserAgent[:maxUserAgent], "")
	}
	r.cfg.Proxies.arrive(req, &in)
	return in
}

// traceID takes the trace id of a W3C traceparent header ("00-<32 hex>-<16 hex>-<2 hex>"),
// or makes one where there is none that is valid.
func traceID(parent string) string {
	if len(parent) >= 55 && parent[2] == '-' && parent[35] == '-' && parent[52] == '-' && parent[:2] != "ff" {
		if id := parent[3:35]; isHex(id) && strings.Trim(id, "0") != "" {
			return id
		}
	}
	var b [16]byte
	for i := 0; i < len(b); i += 8 {
		v := rand.Uint64()
		for j := range 8 {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	return hex.EncodeToString(b[:])
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
