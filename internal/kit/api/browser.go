package api

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// SessionCookie is the cookie that bears a session of people: its plain name, and how long
// a browser keeps it.
//
// Over TLS its name begins with __Host-, which makes browsers refuse one that was set over
// plain HTTP or by another host of the domain. A loopback has no TLS, and the plain name.
type SessionCookie struct {
	Name   string
	MaxAge time.Duration
}

// maxToken bounds what is looked at in a cookie; ours are shorter.
const maxToken = 128

func (c SessionCookie) name(secure bool) string {
	if secure {
		return "__Host-" + c.Name
	}
	return c.Name
}

// Make carries a token to the browser; an empty one takes the cookie away.
func (c SessionCookie) Make(token string, secure bool) *http.Cookie {
	out := &http.Cookie{
		Name: c.name(secure), Value: token, Path: "/", Secure: secure,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(c.MaxAge / time.Second),
	}
	if token == "" {
		out.MaxAge = -1
	}
	return out
}

// Read takes the token out of a request; "" where there is none.
func (c SessionCookie) Read(r *http.Request) string {
	got, err := r.Cookie(c.name(RequestInfo(r.Context()).Secure))
	if err != nil || len(got.Value) > maxToken {
		return ""
	}
	return got.Value
}

// Loopback reports whether a Host header names this machine.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Browser is embedded by inputs that set or read the cookie of a session, or that need to
// know under which address the browser found us. Huma fills it.
type Browser struct {
	secure  bool
	plain   bool
	origin  string
	cookies string
}

// Resolve reads what Huma has no tag for.
func (b *Browser) Resolve(ctx huma.Context) []error {
	b.secure = RequestInfo(ctx.Context()).Secure
	b.plain = !b.secure && !Loopback(ctx.Host())
	b.origin = "http://" + ctx.Host()
	if b.secure {
		b.origin = "https://" + ctx.Host()
	}
	b.cookies = ctx.Header("Cookie")
	return nil
}

// Plain reports HTTP in the open over a network: no place for a session.
func (b *Browser) Plain() bool { return b.plain }

// Origin is how the browser names us, "https://club.example".
func (b *Browser) Origin() string { return b.origin }

// Token is what a cookie bears, "" where there is none.
func (b *Browser) Token(c SessionCookie) string {
	list, err := http.ParseCookie(b.cookies)
	if err != nil {
		return ""
	}
	for _, one := range list {
		if one.Name == c.name(b.secure) && len(one.Value) <= maxToken {
			return one.Value
		}
	}
	return ""
}

// Set is the header that carries a token to the browser, or takes the cookie away.
func (b *Browser) Set(c SessionCookie, token string) string { return c.Make(token, b.secure).String() }
