package staff

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

// cheap makes hashes of no worth, so that tests do not wait for them.
var cheap = cost{memory: 8, time: 1, threads: 1}

const goodPassword = "violet kettle on the ninth stair"

// world is a small program: settings, staff, and the routes of both.
type world struct {
	t      *testing.T
	db     *db.DB
	clock  *clock.Manual
	staff  *Service
	prog   *program.Service
	router *api.Router
	http   http.Handler
}

// The names of the cookie, without TLS and with it.
const (
	cookiePlain = "patron_session"
	cookieTLS   = "__Host-patron_session"
)

// proxy is the address of the one proxy that is believed.
const proxy = "10.9.9.9"

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, clock: clock.At(time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC))}
	audit := NewAudit(d, w.clock)
	var err error
	if w.prog, err = program.New(t.Context(), d, w.clock, audit); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	w.staff = newService(d, w.clock, log, w.prog, audit, cheap)
	w.router = api.New(api.Config{DB: d, Clock: w.clock, Auth: w.staff, Log: log, Title: "test", Version: "1",
		Proxies: api.Proxies{netip.MustParsePrefix(proxy + "/32")}})
	w.prog.Routes(w.router)
	w.staff.Routes(w.router)
	w.http = w.router.Handler()
	return w
}

// node is another process on the same database.
func (w *world) node() *Service {
	return newService(w.db, w.clock, w.staff.log, w.prog, w.staff.audit, cheap)
}

func (w *world) ctx() context.Context { return AsSystem(w.t.Context(), "test") }

// person adds an account whose address is its name.
func (w *world) person(name string, role Role) Account {
	w.t.Helper()
	a, err := w.staff.CreateStaff(w.ctx(), NewAccount{Email: name + "@shop.example", Name: name, Role: role, Password: goodPassword})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// signIn starts a session with the good password and returns its token.
func (w *world) signIn(a Account) string {
	w.t.Helper()
	_, secret, err := w.staff.SignIn(w.t.Context(), a.Email, goodPassword, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) key(n NewKey) (Key, string) {
	w.t.Helper()
	k, secret, err := w.staff.CreateKey(w.ctx(), n)
	if err != nil {
		w.t.Fatal(err)
	}
	return k, secret
}

// withKey and withSession are requests as the router hands them to Authenticate.
func withKey(secret string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	return r
}

func withSession(secret string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	r.AddCookie(&http.Cookie{Name: cookiePlain, Value: secret})
	return r
}

// who is the caller that a request is signed in as.
func (w *world) who(s *Service, r *http.Request) (api.Caller, error) {
	return s.Authenticate(w.t.Context(), r)
}

// call sends a request with a session or, where it begins with pk_, a key.
func (w *world) call(method, path, secret string, body any) *httptest.ResponseRecorder {
	w.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			w.t.Fatal(err)
		}
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(text))
	r.Host = "127.0.0.1:8080"
	switch {
	case len(secret) > 3 && secret[:3] == "pk_":
		r.Header.Set("Authorization", "Bearer "+secret)
	case secret != "":
		r.AddCookie(&http.Cookie{Name: cookiePlain, Value: secret})
	}
	return w.send(r)
}

// keyed is call with an Idempotency-Key and no body.
func (w *world) keyed(method, path, secret string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if method != http.MethodGet {
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	w.http.ServeHTTP(out, r)
	return out
}

// newJSON is a request with a body.
func newJSON(method, path string, body any) *http.Request {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return httptest.NewRequest(method, path, bytes.NewReader(text))
}

// codeOf is the code of a problem, or "".
func codeOf(out *httptest.ResponseRecorder) string {
	var p struct{ Code string }
	_ = json.Unmarshal(out.Body.Bytes(), &p) // no JSON, no code
	return p.Code
}

// later makes a node live through d without waiting: what it trusts grows old.
func later(s *Service, d time.Duration) { s.passes.start = s.passes.start.Add(-d) }

// count asks the database for one number.
func (w *world) count(sql string) (n int64) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, sql)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}
