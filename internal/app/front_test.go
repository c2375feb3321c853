package app_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A server never speaks in the open over a network, and says how else.
func TestCheckFront(t *testing.T) {
	t.Parallel()
	proxy := func(c *config.Config) { c.TrustedProxy = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }
	for _, tt := range []struct {
		listen string
		edit   func(*config.Config)
		want   error
	}{
		{"127.0.0.1:8080", nil, nil}, {"127.8.9.1:8080", nil, nil}, {"[::1]:8080", nil, nil}, {"localhost:8080", nil, nil}, {"[::ffff:127.0.0.1]:1", nil, nil},
		{"0.0.0.0:8080", nil, app.ErrOpen}, {":8080", nil, app.ErrOpen}, {"[::]:8080", nil, app.ErrOpen}, {"192.168.1.2:8080", nil, app.ErrOpen}, {"shop.lan:80", nil, app.ErrOpen},
		{"0.0.0.0:8080", proxy, nil},
		{"0.0.0.0:8443", func(c *config.Config) { c.TLSLocal = true }, nil},
		{"0.0.0.0:443", func(c *config.Config) { c.ACMEDomain = []string{"shop.example"} }, nil},
		{"0.0.0.0:443", func(c *config.Config) { c.TLSCert, c.TLSKey = "a", "b" }, nil},
		{"0.0.0.0:443", func(c *config.Config) { c.TLSCert = "a" }, app.ErrHalfTLS},
		{"0.0.0.0:443", func(c *config.Config) { c.TLSKey = "a" }, app.ErrHalfTLS},
		{"0.0.0.0:443", func(c *config.Config) { c.TLSLocal, c.ACMEDomain = true, []string{"shop.example"} }, app.ErrTwoSources},
	} {
		c := config.Defaults()
		c.Listen = tt.listen
		if tt.edit != nil {
			tt.edit(&c)
		}
		err := app.CheckFront(c)
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.listen, err, tt.want)
		}
		if errors.Is(err, app.ErrOpen) {
			for _, lang := range []string{"en", "zh-CN"} {
				for _, way := range []string{"--tls-cert", "--acme-domain", "--tls-local", "--trusted-proxy", "127.0.0.1", tt.listen} {
					if !strings.Contains(errs.As(err).Text(lang), way) {
						t.Errorf("%s: the refusal does not name %s", lang, way)
					}
				}
			}
		}
	}
}

// Past the proxy there is no way in but to ask whether it lives.
func TestPastProxy(t *testing.T) {
	t.Parallel()
	c := config.Defaults()
	c.Listen, c.TrustedProxy = "0.0.0.0:8080", []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f, err := app.NewFront(c, clock.System(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := f.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	for _, tt := range []struct {
		from, path string
		want       int
	}{
		{"10.1.2.3:1", "/v1/me", 200}, {"127.0.0.1:1", "/v1/me", 200}, {"[::1]:1", "/v1/me", 200}, {"[::ffff:10.1.2.3]:1", "/v1/me", 200},
		{"192.168.1.9:1", "/v1/me", 403}, {"192.168.1.9:1", "/", 403}, {"192.168.1.9:1", "/livez", 200}, {"192.168.1.9:1", "/readyz", 200}, {"192.168.1.9:1", "/metrics", 403},
	} {
		r := httptest.NewRequest("GET", tt.path, nil)
		r.RemoteAddr = tt.from
		r.Header.Set("X-Forwarded-For", "10.1.2.3")
		r.Header.Set("X-Forwarded-Proto", "https")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s from %s: %d, want %d", tt.path, tt.from, w.Code, tt.want)
		}
	}
}

// tlsShop is a program with a local authority, reached as tablets reach it.
type tlsShop struct {
	*apptest.App
	front      *app.Front
	url, plain string
	client     *http.Client // trusts the root that it fetched
	stop       func()
	ended      chan error
}

func openTLS(t *testing.T, h func(*app.App) http.Handler) *tlsShop {
	t.Helper()
	s := &tlsShop{App: apptest.Open(t, db.SQLite), ended: make(chan error, 2)}
	l, plain := listen(t), listen(t)
	c := config.Defaults()
	c.DataDir, c.TLSLocal, c.Listen, c.HTTPListen = t.TempDir(), true, l.Addr().String(), plain.Addr().String()
	var err error
	if s.front, err = app.NewFront(c, clock.System(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	t.Cleanup(stop)
	handler := s.Handler()
	if h != nil {
		handler = h(s.App.App)
	}
	go func() { s.ended <- s.Serve(ctx, l, s.front.TLS(), s.front.Wrap(handler)) }()
	go func() { s.ended <- s.front.ServePlain(ctx, plain) }()
	s.url, s.plain = s.front.Origin(l.Addr()), "http://"+plain.Addr().String()

	res := s.get(http.DefaultClient, s.plain+"/trust/patron-root.crt")
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if res.Header.Get("Content-Type") != "application/x-x509-ca-cert" || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("no root: %v %s", res.Header, text)
	}
	s.client = &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *tlsShop) get(c *http.Client, url string) *http.Response {
	res, err := c.Get(url)
	if err != nil {
		panic(err)
	}
	return res
}

// A tablet fetches the root over plain HTTP and is then at home over TLS; all other plain
// HTTP is led there, and what writes is told that it came the wrong way.
func TestLocalFront(t *testing.T) {
	t.Parallel()
	s := openTLS(t, nil)
	res := s.get(s.client, s.url+"/livez")
	_ = res.Body.Close()
	if res.StatusCode != 200 || res.ProtoMajor != 2 || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("over TLS: %d, HTTP/%d, %v", res.StatusCode, res.ProtoMajor, res.Header)
	}
	res = s.get(http.DefaultClient, s.plain+"/trust")
	page, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"iPad", "Android", "Windows", "证书信任设置", "Certificate Trust Settings", s.front.TrustURL(), "/trust/code.png"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not tell of %s", want)
		}
	}
	if res = s.get(http.DefaultClient, s.plain+"/trust/code.png"); res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the code: %v", res.Header)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "https://"))
	for host, want := range map[string]string{"shop.lan": "https://shop.lan/till?x=1", "shop.lan:8081": "https://shop.lan:" + port + "/till?x=1", "[fd00::1]:1": "https://[fd00::1]:" + port + "/till?x=1"} {
		req, err := http.NewRequest("GET", s.plain+"/till?x=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		res, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Header.Get("Location"); res.StatusCode != 301 || got != want {
			t.Errorf("%s is led to %d %s, want %s", host, res.StatusCode, got, want)
		}
	}
	if res, err := s.client.Post(s.plain+"/v1/sign-in", "application/json", strings.NewReader("{}")); err != nil || res.StatusCode != 403 {
		t.Errorf("a password in the open: %v, %v", res, err)
	}
	s.stop()
	for range 2 {
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	}
}

// The session of a person who signs in over TLS is a cookie that no other site can set, read
// or send a write with; a key is not bound by where the page comes from.
func TestSessionOverTLS(t *testing.T) {
	t.Parallel()
	s := openTLS(t, func(a *app.App) http.Handler {
		own := api.New(api.Config{DB: a.DB, Clock: a.Clock, Auth: a.Staff, Title: "x"}) // apptest signs everybody in
		a.Staff.Routes(own)
		return own.Handler()
	})
	const password = "four words that differ"
	if _, err := s.Staff.CreateStaff(s.Context(), staff.NewAccount{Email: "li@shop.example", Name: "Li", Role: staff.Owner, Password: password}); err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, s.App, staff.All)
	send := func(method, path, body string, header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res
	}
	in := send("POST", "/v1/sign-in", `{"email":"li@shop.example","password":"`+password+`"}`, "X-Forwarded-Proto", "http")
	if in.StatusCode != 200 || len(in.Cookies()) != 1 {
		t.Fatalf("sign-in: %d", in.StatusCode)
	}
	c := in.Cookies()[0]
	if c.Name != "__Host-patron_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie: %+v", c)
	}
	cookie, evil := c.Name+"="+c.Value, "https://evil.example"
	for _, tt := range []struct {
		name, method string
		want         int
		header       []string
	}{
		{"from our page", "PATCH", 200, []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Origin", s.url}},
		{"from another site", "PATCH", 403, []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", evil}},
		{"from another host of the domain", "PATCH", 403, []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site", "Origin", evil}},
		{"from an old browser on another site", "PATCH", 403, []string{"Cookie", cookie, "Origin", evil}},
		{"reading from another site", "GET", 200, []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}},
		{"under the plain name", "GET", 401, []string{"Cookie", "patron_session=" + c.Value}},
		{"a key from a page of another site", "POST", 201, []string{"Authorization", "Bearer " + secret, "Sec-Fetch-Site", "cross-site", "Origin", evil}},
		{"a key that brings a cookie along", "POST", 201, []string{"Authorization", "Bearer " + secret, "Cookie", cookie, "Origin", evil}},
	} {
		path, body := "/v1/me", `{"name":"Li"}`
		if tt.method == "POST" {
			path, body = "/v1/keys", `{"name":"`+tt.name+`","scopes":["all"]}`
		}
		if tt.method == "GET" {
			body = ""
		}
		if res := send(tt.method, path, body, tt.header...); res.StatusCode != tt.want {
			text, _ := io.ReadAll(res.Body)
			t.Errorf("%s: %d, want %d: %s", tt.name, res.StatusCode, tt.want, text)
		}
	}
	if res := send("POST", "/v1/sign-in", `{"email":"li@shop.example","password":"`+password+`"}`, "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Errorf("another site signs somebody in: %d", res.StatusCode)
	}
}

// A server that is told to stop while somebody listens to a stream, over HTTP/1 or HTTP/2,
// ends the stream and then itself, without waiting.
func TestStopWithStreams(t *testing.T) {
	t.Parallel()
	s := openTLS(t, func(a *app.App) http.Handler {
		api.Watch(a.API, "/v1/test-stream", func(context.Context, *struct{}) (api.Source[int], error) {
			return func(ctx context.Context, send func(api.Message[int]) error) error { <-ctx.Done(); return nil }, nil
		}, api.Doc{ID: "testStream", Summary: "x"})
		a.Uncounted("GET /v1/test-stream")
		return a.Handler()
	})
	secret := secretOf(t, s.App, staff.All)
	var streams []*bufio.Reader
	for _, h2 := range []bool{true, false} {
		transport := s.client.Transport.(*http.Transport).Clone()
		if transport.ForceAttemptHTTP2 = h2; !h2 {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
			transport.TLSClientConfig.NextProtos = nil
		}
		req, err := http.NewRequest("GET", s.url+"/v1/test-stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		res, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || (res.ProtoMajor == 2) != h2 {
			t.Fatalf("%d over HTTP/%d", res.StatusCode, res.ProtoMajor)
		}
		in := bufio.NewReader(res.Body)
		if line, err := in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
			t.Fatalf("%q, %v", line, err)
		}
		streams = append(streams, in)
	}
	began := time.Now()
	s.stop()
	for i, in := range streams {
		if rest, err := io.ReadAll(in); err != nil {
			t.Errorf("stream %d was cut: %q, %v", i, rest, err)
		}
	}
	for range 2 {
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > 20*time.Second { // 30 s is how long it waits for requests
		t.Errorf("it took %v", took)
	}
}

// Over TLS that the world trusts, browsers are told to come back that way.
func TestFilesFront(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	c := config.Defaults()
	c.DataDir, c.TLSLocal = t.TempDir(), true
	if _, err := app.NewFront(c, clock.System(), log); err != nil {
		t.Fatal(err)
	}
	c.TLSLocal = false
	c.TLSCert = filepath.Join(app.TLSDir(c.DataDir), "authority.pem") // holds both
	c.TLSKey = c.TLSCert
	f, err := app.NewFront(c, clock.System(), log)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	f.Wrap(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Header().Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") || f.HTTPListen() != "" || f.TrustURL() != "" {
		t.Errorf("%q, plain HTTP at %q", got, f.HTTPListen())
	}
	c.TLSCert = "none.crt"
	if _, err := app.NewFront(c, clock.System(), log); errs.As(err) == nil || !strings.Contains(err.Error(), "none.crt") {
		t.Errorf("a file that is not there: %v", err)
	}
}
