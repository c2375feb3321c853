// Package api is how the program speaks HTTP: a thin cover over Huma on the standard mux
// that adds what every route needs and no route should write itself.
//
// The life of a request: a trace id and a language are settled; the route is found; who
// asks is signed in and holds the permission that the route needs; query and body are read
// strictly (strict.go); a write that bears an Idempotency-Key is answered once (key.go);
// Huma decodes and validates; the handler runs; the answer leaves in one piece.
//
// Laws:
//   - What cannot be understood wholly is refused, never partly ignored: unknown fields and
//     query parameters, wrong case, duplicate keys, invalid UTF-8, trailing content.
//   - Every refusal is application/problem+json with a stable code and a text in the
//     language of the caller, and never repeats a value that was sent.
//   - The same key with the same request has one effect and one answer, whatever is
//     retried, raced or cut; with another request it is refused.
//   - What goes wrong inside is logged once, with the trace id, and told to nobody.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/trace"
)

// prefixes are the paths under which every route of the API lives. A path under one of
// them that no route has is answered with a problem, never with a page.
var prefixes = []string{"/v1/", portalPrefix}

// portalPrefix is that of the members' own routes.
const portalPrefix = "/portal/v1/"

// Defaults of Config.
const (
	defaultTimeout = 30 * time.Second // a till has long given up by then
	defaultCookie  = "patron_session"
	memberCookie   = "patron_portal"
)

// Config is what a Router is made from.
type Config struct {
	DB    *db.DB      // keeps the answers of writes that bear a key; required
	Clock clock.Clock // required
	Auth  Authenticator
	Log   *slog.Logger // slog.Default() where nil
	// Members signs in whoever asks under /portal/v1/, and nobody else does there: neither a
	// key nor a colleague's session opens a route of the portal, nor the other way round.
	Members Authenticator

	Title, Version  string        // of the OpenAPI document
	DefaultLanguage string        // "zh-CN" where empty
	Timeout         time.Duration // the longest that a request may take; 30 s where zero
	SessionCookie   string        // the cookie's name in the reference; "patron_session" where empty
	MemberCookie    string        // that of members; "patron_portal" where empty
	TrustedOrigins  []string      // other origins whose pages may write with a session, as "https://shop.example"

	// Vault keeps stored answers unreadable in the database; nil stores them as they are.
	Vault Vault
	// Whose says of which member the body of an answer tells, 0 for nobody: the answer is
	// kept under their number, so that ForgetMember finds it. Nil keeps none.
	Whose func(body []byte) int64
	// Proxies stand in front and are believed.
	Proxies Proxies
	// Observe is called after each request to a route of the API, for metrics. route is the
	// template ("POST /v1/sales"). It must not block.
	Observe func(route string, class Class, status int, took time.Duration)
	// Rooms bound how many requests of a class are worked on at once; those that are missing
	// have the bounds of this package.
	Rooms map[Class]Room
	Trace *trace.Tracer // nil for no traces
}

// Vault encrypts what is stored; seal.Box is one. aad binds a sealed text to its place.
type Vault interface {
	SealBytes(plain, aad []byte) []byte
	OpenBytes(sealed, aad []byte) ([]byte, error)
	// RewrapBytes gives the same under the newest key, and whether that is a change.
	RewrapBytes(sealed, aad []byte) (fresh []byte, changed bool, err error)
}

// Doc describes one route: its place in the reference and what it asks of the caller.
type Doc struct {
	ID          string   // operation id, lower camel case, unique: "closeTask"
	Summary     string   // one sentence
	Description string   // more, where one sentence is too little; plain text
	Tags        []string // the groups of the reference
	Needs       Permission
	OneOf       []Permission // instead of Needs: any of these will do
	Public      bool         // nobody need be signed in; an Idempotency-Key is then not kept
	Fails       []error      // the refusals of the handler, for the reference
	Status      int          // of success; 200 where zero, or 204 without a body
	KeyRequired bool         // a write without Idempotency-Key is refused
	OwnKey      bool         // the handler's service keeps key and answer itself, in its own transaction
	Secret      bool         // the answer holds a secret and is not kept: a retry gets ErrAnswerLost
	Stream      bool         // the answer is written as it is made, with no time limit: exports. For events see Watch
	Upload      bool         // the body is a file of any kind, which the handler reads by BodyOf as it comes, without a time limit; it bears no key
	Hidden      bool         // not in the reference
	MaxBody     int64        // in bytes; 1 MiB where zero
	Takes       []string     // content types of a body that is no JSON

	watch bool // set by Watch
}

// Router holds the routes. Register all of them before it serves.
type Router struct {
	cfg     Config
	log     *slog.Logger
	huma    huma.API
	names   *names
	routes  *http.ServeMux // of the API
	plain   *http.ServeMux // pages, files, probes
	flights flights
	rooms   [classes]*room
	watches *watches
	served  []Route
	origin  *http.CrossOriginProtection
	docs    docsPage
}

// New makes a Router that serves the reference at /docs and /openapi.json and nothing else
// yet. It panics on a configuration that cannot work: that is a programmer's error.
func New(cfg Config) *Router {
	if cfg.DB == nil || cfg.Clock == nil {
		panic("api: New needs DB and Clock")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.DefaultLanguage == "" {
		cfg.DefaultLanguage = i18n.Chinese
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.SessionCookie == "" {
		cfg.SessionCookie = defaultCookie
	}
	if cfg.MemberCookie == "" {
		cfg.MemberCookie = memberCookie
	}
	r := &Router{
		cfg: cfg, log: cfg.Log, names: newNames(),
		routes: http.NewServeMux(), plain: http.NewServeMux(),
		origin: http.NewCrossOriginProtection(), watches: newWatches(),
	}
	for _, o := range cfg.TrustedOrigins {
		if err := r.origin.AddTrustedOrigin(o); err != nil {
			panic("api: trusted origin " + o + ": " + err.Error())
		}
	}
	for class, room := range rooms {
		if given, ok := cfg.Rooms[Class(class)]; ok {
			room = given
		}
		r.rooms[class] = newRoom(room)
	}
	r.huma = huma.NewAPI(r.document(), (*adapter)(r))
	r.serveReference()
	return r
}

// Mux is for what is no part of the API: pages, files, probes. Patterns under /v1/ and
// /portal/v1/ never reach it.
func (r *Router) Mux() *http.ServeMux { return r.plain }

// Get adds a route that reads. h gets its input decoded and validated, from a struct whose
// fields are tagged as Huma wants: path, query, header, and a field Body.
func Get[I, O any](r *Router, path string, h func(context.Context, *I) (*O, error), d Doc) {
	register(r, http.MethodGet, path, h, d)
}

// Post adds a route that makes something or acts.
func Post[I, O any](r *Router, path string, h func(context.Context, *I) (*O, error), d Doc) {
	register(r, http.MethodPost, path, h, d)
}

// Put adds a route that replaces.
func Put[I, O any](r *Router, path string, h func(context.Context, *I) (*O, error), d Doc) {
	register(r, http.MethodPut, path, h, d)
}

// Patch adds a route that changes part of something.
func Patch[I, O any](r *Router, path string, h func(context.Context, *I) (*O, error), d Doc) {
	register(r, http.MethodPatch, path, h, d)
}

// Delete adds a route that removes.
func Delete[I, O any](r *Router, path string, h func(context.Context, *I) (*O, error), d Doc) {
	register(r, http.MethodDelete, path, h, d)
}

func register[I, O any](r *Router, method, path string, h func(context.Context, *I) (*O, error), d Doc) {
	check(method, path, d)
	op := r.operation(method, path, d)
	op.Metadata[directKey] = func(op *huma.Operation) direct { return directly(r, op, h) }
	if raw, ok := any(new(O)).(rawAnswer); ok {
		r.documentRaw(&op, raw)
		huma.Register(r.huma, op, func(ctx context.Context, in *I) (*rawOut, error) {
			out, err := h(ctx, in)
			if err != nil {
				return nil, r.problem(ctx, err)
			}
			return writeRaw(any(out).(rawAnswer).raw()), nil
		})
		return
	}
	huma.Register(r.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		return out, nil
	})
}

// check panics on a route that contradicts itself.
func check(method, path string, d Doc) {
	switch {
	case !isAPI(path):
		panic("api: " + path + " is not under " + strings.Join(prefixes, " or "))
	case d.ID == "" || d.Summary == "":
		panic("api: " + method + " " + path + " has no ID or Summary")
	case d.Public && (d.Needs != "" || len(d.OneOf) > 0 || d.KeyRequired || d.OwnKey):
		panic("api: " + d.ID + " is public: it can neither need a permission nor keep a key")
	case strings.HasPrefix(path, portalPrefix) && d.Needs != "":
		panic("api: " + d.ID + " is of the portal: members have no permissions")
	case d.Needs != "" && len(d.OneOf) > 0:
		panic("api: " + d.ID + " needs one permission, and one of several")
	case method == http.MethodGet && (d.KeyRequired || d.OwnKey):
		panic("api: " + d.ID + " reads: it has no key")
	case d.watch && d.Public:
		panic("api: " + d.ID + " is public: nobody would bound who watches")
	case d.Upload && (method != http.MethodPost || d.KeyRequired || d.OwnKey || d.Public || d.MaxBody == 0):
		panic("api: " + d.ID + " takes a file: it is a POST with a MaxBody, of somebody, and without a key")
	case d.Stream && method != http.MethodGet:
		panic("api: " + d.ID + " writes: its answer has to be kept, so it cannot stream")
	}
}

func isAPI(path string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}
