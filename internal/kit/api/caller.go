package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

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
	IP        string // of the caller
	UserAgent string // at most 256 bytes
	TraceID   string // 32 hexadecimal digits, as in W3C Trace Context
}

var (
	// ErrUnauthenticated refuses a request that nobody signed.
	ErrUnauthenticated = errs.New(errs.Unauthenticated, "request.unauthenticated",
		"Sign in, or send an API key as Authorization: Bearer.", "请先登录，或以 Authorization: Bearer 发送 API 密钥。")
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
	if rt.router.cfg.Auth == nil {
		return nil, ErrUnauthenticated
	}
	caller, err := rt.router.cfg.Auth.Authenticate(ctx, req)
	if err != nil {
		return nil, err
	}
	if caller.Kind == "" {
		return nil, ErrUnauthenticated.Because(errors.New("the authenticator named nobody"))
	}
	scopeOf(ctx).caller = caller.Kind + ":" + caller.ID
	if need := rt.doc.Needs; need != "" && !caller.Can[need] {
		return nil, ErrPermission.With("permission", need)
	}
	if any := rt.doc.OneOf; len(any) > 0 && !slices.ContainsFunc(any, func(p Permission) bool { return caller.Can[p] }) {
		return nil, ErrPermission.With("permission", any[0])
	}
	return WithCaller(ctx, caller), nil
}

// safe reports whether a method only reads.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead
}
