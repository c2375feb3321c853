package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Permission names one right, "members.read". The rights themselves are declared by the
// nouns that ask for them.
type Permission string

// Caller is who makes a request.
type Caller struct {
	Kind    string // "staff", "key", "member" or "system"
	ID      string // public id, "stf_…"
	Name    string // for the audit trail
	Can     map[Permission]bool
	Sandbox bool

	// Merchants and Stores are where the caller may act; empty means everywhere.
	Merchants, Stores []int64
}

// principal is the name space of the caller's keys: two callers never share one.
func (c Caller) principal() string { return c.Kind + "\x00" + c.ID }

// Authenticator finds out who makes a request, by bearer token or session cookie. It
// returns a refusal of kind errs.Unauthenticated where nobody is signed in.
type Authenticator interface {
	Authenticate(ctx context.Context, r *http.Request) (Caller, error)
}

// Info is what a request tells about itself.
type Info struct {
	IP        string // of the caller; behind named proxies, as they say
	Secure    bool   // the browser spoke TLS, to us or to a named proxy
	Here      bool   // it comes from this machine, and no proxy passed it on
	UserAgent string // at most 256 bytes
	TraceID   string // 32 hexadecimal digits, as in W3C Trace Context
	Watching  bool   // a page listens by itself: no sign that a person is there
}

var (
	// ErrUnauthenticated refuses a request that nobody signed.
	ErrUnauthenticated = errs.New(errs.Unauthenticated, "request.unauthenticated",
		"Sign in, or send an API key as Authorization: Bearer.", "请先登录，或以 Authorization: Bearer 发送 API 密钥。")
	// ErrNotSignedIn refuses a route of the portal to who is not signed in as a member.
	ErrNotSignedIn = errs.New(errs.Unauthenticated, "portal.signed_out",
		"You are not signed in, or your session has ended. Sign in again.", "您尚未登录，或登录已失效，请重新登录。")
	// ErrPermission refuses a caller who lacks the right that the route needs.
	ErrPermission = errs.New(errs.Forbidden, "request.permission",
		"This needs the permission {permission}. An administrator can grant it.", "此操作需要权限 {permission}，可请管理员授予。")
	// ErrOrigin refuses a write that a page of another site sent with the caller's cookie.
	ErrOrigin = errs.New(errs.Forbidden, "request.cross_origin",
		"This request comes from a page of another site.", "此请求来自其他网站的页面。")
)

type callerKey struct{}

// CallerOf returns who makes the request, or the zero Caller on a public route.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// WithCaller sets who acts: for jobs, commands and tests.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Require refuses a caller without a permission: for the few rights that depend on what is
// in the request. A route's own right stands in Doc.Needs.
func Require(ctx context.Context, p Permission) error {
	if !CallerOf(ctx).Can[p] {
		return ErrPermission.With("permission", p)
	}
	return nil
}

// admit signs the caller in and checks the right that the route needs.
func (rt *route) admit(ctx context.Context, req *http.Request) (context.Context, error) {
	if !safe(req.Method) && req.Header.Get("Authorization") == "" {
		if err := rt.router.origin.Check(req); err != nil {
			return nil, ErrOrigin.Because(err)
		}
	}
	if rt.doc.Public {
		return ctx, nil
	}
	s := scopeOf(ctx)
	s.info.Watching = rt.doc.watch
	caller, err := rt.signIn(ctx, req)
	if caller.Kind != "" {
		s.caller = caller.Kind + ":" + caller.ID
	}
	if err != nil {
		return nil, err
	}
	if rt.doc.watch {
		s.again = func() error {
			_, err := rt.signIn(ctx, req)
			return err
		}
	}
	if any := rt.doc.OneOf; len(any) > 0 && !slices.ContainsFunc(any, func(p Permission) bool { return caller.Can[p] }) {
		return nil, ErrPermission.With("permission", any[0])
	}
	return WithCaller(ctx, caller), nil
}

// signIn finds out who the caller is, and that they have the right that the route needs.
func (rt *route) signIn(ctx context.Context, req *http.Request) (Caller, error) {
	auth, refusal := rt.router.cfg.Auth, ErrUnauthenticated
	if rt.portal() {
		auth, refusal = rt.router.cfg.Members, ErrNotSignedIn
	}
	if auth == nil {
		return Caller{}, refusal
	}
	caller, err := auth.Authenticate(ctx, req)
	switch need := rt.doc.Needs; {
	case err != nil:
		return Caller{}, err
	case caller.Kind == "":
		return Caller{}, refusal.Because(errors.New("the authenticator named nobody"))
	case need != "" && !caller.Can[need]:
		return caller, ErrPermission.With("permission", need)
	}
	return caller, nil
}

// portal reports whether the route is one of the members' own.
func (rt *route) portal() bool { return strings.HasPrefix(rt.op.Path, portalPrefix) }

// safe reports whether a method only reads.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
