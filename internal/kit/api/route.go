package api

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/patron-loyalty/patron/internal/kit/trace"
)

// adapter is the Router as Huma sees it: a place to put operations.
type adapter Router

// Handle puts an operation on the mux.
func (a *adapter) Handle(op *huma.Operation, serve func(huma.Context)) {
	r := (*Router)(a)
	rt := newRoute(r, op, serve)
	r.routes.Handle(rt.name, rt)
	r.served = append(r.served, Route{rt.name, rt.of})
}

// ServeHTTP is part of huma.Adapter.
func (a *adapter) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	(*Router)(a).Handler().ServeHTTP(w, req)
}

// route is one operation: what stands between the mux and Huma.
type route struct {
	router *Router
	op     *huma.Operation
	name   string // "POST /v1/sales/{id}/returns"
	doc    Doc
	query  map[string]*huma.Param
	of     Class
	serve  func(huma.Context)
	direct direct // nil where Huma answers all
}

// Route names a route and its class.
type Route struct {
	Name  string // "POST /v1/sales"
	Class Class
}

// Served lists the routes that were registered so far, for metrics.
func (r *Router) Served() []Route { return r.served }

// What an operation carries for its route.
const (
	docKey    = "patron.doc"
	directKey = "patron.direct"
)

func newRoute(r *Router, op *huma.Operation, serve func(huma.Context)) *route {
	doc, ok := op.Metadata[docKey].(Doc)
	if !ok {
		panic("api: " + op.OperationID + " was registered past this package")
	}
	rt := &route{router: r, op: op, name: op.Method + " " + op.Path, doc: doc, query: map[string]*huma.Param{}, serve: serve}
	for _, p := range op.Parameters {
		if p.In == "query" {
			rt.query[p.Name] = p
		}
	}
	if make, ok := op.Metadata[directKey].(func(*huma.Operation) direct); ok {
		rt.direct = make(op)
	}
	rt.of = rt.class()
	return rt
}

// ServeHTTP answers one request to the route.
func (rt *route) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	begin := time.Now()
	found(w)
	ctx := req.Context()
	scopeOf(ctx).route = rt.name
	if !rt.doc.Stream && !rt.doc.Upload {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rt.router.cfg.Timeout)
		defer cancel()
	}
	ctx, span := rt.router.cfg.Trace.Serve(ctx, rt.name, req.Header.Get("Traceparent"), scopeOf(ctx).info.TraceID)
	status := rt.answer(ctx, w, req)
	rt.observed(ctx, span, status, time.Since(begin))
}

// observed tells the metrics, the trace and the log of a request that was answered. The log
// has it on level debug, and never what was asked beyond the route.
func (rt *route) observed(ctx context.Context, span *trace.Span, status int, took time.Duration) {
	if observe := rt.router.cfg.Observe; observe != nil {
		observe(rt.name, rt.of, status, took)
	}
	if span != nil {
		span.Text("http.request.method", rt.op.Method)
		span.Text("http.route", rt.op.Path)
		span.Number("http.response.status_code", int64(status))
		span.End(status >= http.StatusInternalServerError)
	}
	if log := rt.router.log; log.Enabled(ctx, slog.LevelDebug) {
		s := scopeOf(ctx)
		log.LogAttrs(ctx, slog.LevelDebug, "request", slog.String("route", rt.name), slog.Int("status", status),
			slog.Float64("ms", float64(took.Microseconds())/1000), slog.String("caller", s.caller), slog.String("trace_id", s.info.TraceID))
	}
}

// answer works the request out in memory and then writes it, so that a failure on the way
// never leaves half an answer.
func (rt *route) answer(ctx context.Context, w http.ResponseWriter, req *http.Request) int {
	out, err := rt.work(ctx, w, req)
	if g, ok := w.(*gate); ok && g.status != 0 { // a stream has begun: all that is left is to cut it
		if err != nil {
			rt.router.problem(ctx, err)
			panic(http.ErrAbortHandler)
		}
		return g.status
	}
	if err != nil {
		out = newReply()
		rt.router.writeProblem(ctx, out, err)
	}
	if out == nil {
		return http.StatusOK // a stream that wrote nothing
	}
	defer out.free()
	return out.writeTo(w)
}

func (rt *route) work(ctx context.Context, w http.ResponseWriter, req *http.Request) (out *reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, panicked(p)
		}
	}()
	ctx, err = rt.admit(ctx, req)
	if err != nil {
		return nil, err
	}
	query, err := rt.readQuery(req)
	if err != nil {
		return nil, err
	}
	if err := checkPath(req.URL.Path); err != nil {
		return nil, err
	}
	if rt.doc.Upload {
		return rt.upload(ctx, w, req, query)
	}
	body, err := rt.readBody(w, req)
	if err != nil {
		return nil, err
	}
	defer body.free()
	room := rt.router.rooms[rt.of]
	if err := room.enter(ctx); err != nil { // only now: a body that trickles in holds no place
		return nil, err
	}
	defer room.leave()
	key, err := rt.readKey(ctx, req, query, body)
	if err != nil {
		return nil, err
	}
	if rt.doc.watch {
		var leave func()
		if ctx, leave, err = rt.router.watches.enter(ctx, CallerOf(ctx).principal()); err != nil {
			return nil, err
		}
		defer leave()
	}
	if rt.doc.Stream {
		stretch(w)
		rt.call(ctx, w, req, query, body)
		return nil, nil
	}
	return rt.once(ctx, key, func(ctx context.Context) *reply {
		out := newReply()
		if rt.direct == nil || !rt.direct(ctx, out, req, query, body) {
			rt.call(ctx, out, req, query, body)
		}
		return out
	})
}

// panicked makes an error of a panic, with the stack for the log. The panic by which a
// handler hangs up goes on.
func panicked(p any) error {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	return fmt.Errorf("panic: %v\n%s", p, debug.Stack())
}

// call gives the request to Huma, which decodes and validates it and runs the handler.
func (rt *route) call(ctx context.Context, w http.ResponseWriter, req *http.Request, query url.Values, body input) {
	req = req.WithContext(ctx)
	req.Body = body.reader()
	rt.serve(&call{base: humago.NewContext(rt.op, req, w), query: query})
}

// call is Huma's view of a request. It takes query parameters as we parsed them: Huma's own
// reader takes a bare name for "true". And it leaves deadlines alone, as the body has been
// read by now.
type call struct {
	base
	query url.Values
}

type base huma.Context // under another name, as Context is a method of it

func (c *call) Query(name string) string        { return c.query.Get(name) }
func (c *call) SetReadDeadline(time.Time) error { return nil }
func (c *call) Unwrap() huma.Context            { return c.base }

// reply is an answer in memory.
type reply struct {
	header http.Header
	status int
	body   bytes.Buffer
}

var replies = sync.Pool{New: func() any { return new(reply) }}

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 256 << 10

func newReply() *reply {
	r := replies.Get().(*reply)
	r.header, r.status = make(http.Header, 4), 0
	r.body.Reset()
	return r
}

func (r *reply) free() {
	if r.body.Cap() <= maxPooled {
		replies.Put(r)
	}
}

// Header, WriteHeader and Write make a reply an http.ResponseWriter.
func (r *reply) Header() http.Header { return r.header }

// WriteHeader sets the status; the first one stands.
func (r *reply) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write adds to the body.
func (r *reply) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *reply) writeTo(w http.ResponseWriter) int {
	r.WriteHeader(http.StatusOK)
	to := w.Header()
	for name, values := range r.header {
		to[name] = values
	}
	if r.body.Len() > 0 {
		to.Set("Content-Length", strconv.Itoa(r.body.Len()))
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // the caller may be gone
	return r.status
}
