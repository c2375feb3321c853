package tillsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/tillsim"
)

// options drive a till against a program of a test, whose clock is moved instead of waited for.
func options(a *apptest.App, at string) tillsim.Options {
	return tillsim.Options{
		URL: at, Key: a.Secret(), Now: a.Clock.Now,
		Wait: func(_ context.Context, until time.Time) error { a.Clock.Set(until); return nil },
	}
}

// failed are the cases of a verdict that failed, with what came.
func failed(v tillsim.Verdict) (names []string, why string) {
	for _, c := range v.Cases {
		if c.Pass {
			continue
		}
		names = append(names, c.Case)
		for _, s := range c.Steps {
			if !s.OK {
				why += "\n" + c.Case + ": " + s.What.EN + ": expected " + s.Expected + ", came " + s.Came
			}
		}
	}
	return names, why
}

// Against the real thing every case passes: where points pay and where they do not, with a
// member and a coupon of its own and with given ones.
func TestPass(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		v, err := tillsim.Run(t.Context(), options(a, a.URL))
		names, why := failed(v)
		if err != nil || !v.Pass || v.Skips != 2 || v.Pays != 0 {
			t.Errorf("without points: %v %v%s", err, names, why)
		}
		a.Policy(func(p *ledger.Policy) { p.UnitValue = 1_000_000 })
		if _, err := a.Program.ChangeSettings(a.Context(), program.SettingsChange{Offline: &program.Offline{Hours: 24}}); err != nil {
			t.Fatal(err)
		}
		v, err = tillsim.Run(t.Context(), options(a, a.URL))
		if names, why = failed(v); err != nil || !v.Pass || v.Skips != 0 || v.Failed != 0 || v.Passed != len(v.Cases) || v.Pays == 0 {
			t.Errorf("with points: %v %v%s", err, names, why)
		}
		o := options(a, a.URL)
		o.Member, o.Coupon = v.Member, coupon(a)
		v, err = tillsim.Run(t.Context(), o)
		if names, why = failed(v); err != nil || !v.Pass || v.Coupon != o.Coupon {
			t.Errorf("with given ones: %v %v%s", err, names, why)
		}
		a.Verify()
	})
}

// coupon is one that a voucher of is never given back.
func coupon(a *apptest.App) string {
	var c struct{ ID string }
	a.Post("/v1/coupons", apptest.J{"code": "given", "name_en": "g", "name_zh": "g", "effect": apptest.J{"kind": "percent", "percent": 1000}, "returns": "keep"}).Into(&c)
	a.Must(200, "POST", "/v1/coupons/"+c.ID+"/publish", nil)
	return c.ID
}

// A server that breaks one promise fails the case that is about it. The faults stand in a proxy
// before the real thing.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault func(f *faulty)
		want  []string // cases that must fail, among others
	}{
		{"none", func(*faulty) {}, nil},
		{"keys are lost", func(f *faulty) {
			f.in = func(r *http.Request, _ []byte) []byte { r.Header.Del("Idempotency-Key"); return nil }
		}, []string{"setup"}},
		{"retries are new sales", func(f *faulty) {
			f.in = func(r *http.Request, body []byte) []byte {
				if r.Method != "POST" || !strings.HasSuffix(r.URL.Path, "/sales") || !f.again(string(body)) {
					return nil
				}
				n := "-" + itoa(f.n.Add(1))
				r.Header.Set("Idempotency-Key", r.Header.Get("Idempotency-Key")+n)
				return renumbered(body, n)
			}
		}, []string{"same-key", "new-key", "dropped-answer", "twins", "totals"}},
		{"offline sales are taken twice", func(f *faulty) {
			f.in = func(r *http.Request, body []byte) []byte {
				if !strings.HasSuffix(r.URL.Path, "/offline/sales") || !f.again(string(body)) {
					return nil
				}
				return renumbered(body, "-"+itoa(f.n.Add(1)))
			}
		}, []string{"snapshots", "totals"}},
		{"an extra sale nobody sees", func(f *faulty) {
			f.after = func(r *http.Request, body []byte) {
				if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/v1/sales") && f.n.Add(1) == 3 {
					f.repeat(r, renumbered(body, "-more"))
				}
			}
		}, []string{"totals"}},
		{"late confirmations are taken", func(f *faulty) {
			f.out = func(r *http.Response) {
				if r.StatusCode == 409 && strings.HasSuffix(r.Request.URL.Path, "/confirm") {
					r.StatusCode = 201
				}
			}
		}, []string{"confirm-twice", "release-twice", "two-tills", "confirm-late"}},
		{"the second answer differs", func(f *faulty) {
			f.out = func(r *http.Response) {
				if r.Header.Get("Idempotent-Replayed") == "" || !strings.Contains(r.Request.URL.Path, "/sales") {
					return
				}
				b, _ := io.ReadAll(r.Body)
				b = bytes.Replace(b, []byte(`"total":`), []byte(`"total":1`), 1)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
				r.Header.Del("Content-Length")
			}
		}, []string{"same-key", "new-key", "one-step", "returns"}},
		{"a release is lost", func(f *faulty) {
			f.in = func(r *http.Request, _ []byte) []byte {
				if strings.HasSuffix(r.URL.Path, "/release") {
					r.Method, r.URL.Path = "GET", strings.TrimSuffix(r.URL.Path, "/release")
				}
				return nil
			}
		}, []string{"release-twice"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := apptest.Open(t, db.SQLite) // the fault is before the server
			a.Policy(func(p *ledger.Policy) { p.UnitValue = 1_000_000 })
			if _, err := a.Program.ChangeSettings(a.Context(), program.SettingsChange{Offline: &program.Offline{Hours: 24}}); err != nil {
				t.Fatal(err)
			}
			f := newFaulty(t, a.URL)
			tt.fault(f)
			v, err := tillsim.Run(t.Context(), options(a, f.url))
			if len(tt.want) == 1 && tt.want[0] == "setup" {
				if err == nil {
					t.Error("a server that sees no keys was set up")
				}
				return
			}
			names, why := failed(v)
			if err != nil || v.Pass != (len(tt.want) == 0) {
				t.Fatalf("%v, passed %v%s", err, v.Pass, why)
			}
			for _, c := range tt.want {
				if !slices.Contains(names, c) {
					t.Errorf("%s passed; failed were %v%s", c, names, why)
				}
			}
		})
	}
}

// What cannot be set up is an error, not a verdict, and says what to do.
func TestSetUp(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		o := options(a, a.URL)
		o.Key = a.Key("sales.write", "sales.read", "members.read", "members.write", "points.read", "points.write").Secret()
		if _, err := tillsim.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--coupon") {
			t.Errorf("a key that makes no coupons: %v", err)
		}
		o.Coupon = coupon(a)
		if v, err := tillsim.Run(t.Context(), o); err != nil || !v.Pass {
			_, why := failed(v)
			t.Errorf("a till's key with a coupon: %v%s", err, why)
		}
		o.URL = "127.0.0.1:1"
		if _, err := tillsim.Run(t.Context(), o); err == nil {
			t.Error("no address was taken")
		}
	})
}

// faulty is a proxy before a server.
type faulty struct {
	url   string
	to    *url.URL
	in    func(r *http.Request, body []byte) []byte // another body, or nil
	out   func(*http.Response)
	after func(r *http.Request, body []byte)

	n    atomic.Int64
	mu   sync.Mutex
	seen map[string]bool
}

func newFaulty(t *testing.T, at string) *faulty {
	f := &faulty{seen: map[string]bool{}}
	f.to, _ = url.Parse(at)
	p := httputil.NewSingleHostReverseProxy(f.to)
	p.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) } // the till hung up
	p.ModifyResponse = func(r *http.Response) error {
		if f.out != nil {
			f.out(r)
		}
		return nil
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // half of a request: nothing is handed on
		}
		if f.in != nil {
			if other := f.in(r, body); other != nil {
				body = other
			}
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		p.ServeHTTP(w, r)
		if f.after != nil {
			f.after(r, body)
		}
	}))
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

// again reports whether something was seen before.
func (f *faulty) again(what string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	was := f.seen[what]
	f.seen[what] = true
	return was
}

// repeat sends a request once more, under another key.
func (f *faulty) repeat(r *http.Request, body []byte) {
	req, _ := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, f.to.String()+r.URL.Path, bytes.NewReader(body))
	req.Header = r.Header.Clone()
	req.Header.Set("Idempotency-Key", r.Header.Get("Idempotency-Key")+"-more")
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

// renumbered is a sale under another document.
func renumbered(body []byte, more string) []byte {
	var s map[string]any
	_ = json.Unmarshal(body, &s)
	s["document"] = s["document"].(string) + more
	out, _ := json.Marshal(s)
	return out
}

func itoa(n int64) string {
	b, _ := json.Marshal(n)
	return string(b)
}
