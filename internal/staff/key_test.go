package staff

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A key opens what its scopes and limits say, which the Caller shows.
func TestKeyCaller(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		main := w.prog.Snapshot().DefaultStore()
		k, secret := w.key(NewKey{Name: "till", Scopes: []string{"sales.write"}, Stores: []string{"main", program.StoreID(main.ID)}, Merchants: []string{"main"}})
		c, err := w.who(w.staff, withKey(secret))
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind != "key" || c.ID != k.PublicID() || c.Name != "till" || len(c.Can) != 1 || !c.Can[WriteSales] || c.Sandbox {
			t.Errorf("the caller is %+v", c)
		}
		if len(c.Stores) != 1 || c.Stores[0] != main.ID || len(c.Merchants) != 1 || c.Merchants[0] != main.Merchant {
			t.Errorf("limited to %v and %v", c.Merchants, c.Stores)
		}
		_, test := w.key(NewKey{Name: "try", Scopes: []string{All}, Test: true})
		if c, err := w.who(w.staff, withKey(test)); err != nil || !c.Sandbox || !strings.HasPrefix(test, "pk_test_") || len(c.Can) != len(table) {
			t.Errorf("a test key is %+v, %v", c, err)
		}
		if !strings.HasPrefix(secret, k.Prefix) || len(secret)-len(k.Prefix) < 40 || !strings.HasPrefix(secret, "pk_live_") {
			t.Errorf("the secret %s is shown as %s", secret, k.Prefix)
		}
	})
}

// Ways to write a key in a request.
func TestCredentials(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		_, secret := w.key(NewKey{Name: "k", Scopes: []string{All}})
		session := w.signIn(w.person("li", Owner))
		for _, tt := range []struct {
			name   string
			header string
			cookie *http.Cookie
			want   string // kind of caller
		}{
			{"bearer", "Bearer " + secret, nil, "key"},
			{"small letters", "bearer " + secret, nil, "key"},
			{"no scheme", secret, nil, ""},
			{"basic", "Basic " + secret, nil, ""},
			{"cut", "Bearer " + secret[:len(secret)-1], nil, ""},
			{"more", "Bearer " + secret + "x", nil, ""},
			{"capitals", "Bearer " + strings.ToUpper(secret), nil, ""},
			{"huge", "Bearer " + strings.Repeat("x", 1<<20), nil, ""},
			{"empty", "Bearer ", nil, ""},
			{"session as a key", "Bearer " + session, nil, ""},
			{"session", "", &http.Cookie{Name: cookiePlain, Value: session}, "staff"},
			{"session in the cookie of TLS", "", &http.Cookie{Name: cookieTLS, Value: session}, ""},
			{"key as a session", "", &http.Cookie{Name: cookiePlain, Value: secret}, ""},
			{"wrong key beside a session", "Bearer x", &http.Cookie{Name: cookiePlain, Value: session}, ""},
			{"nothing", "", nil, ""},
		} {
			r := httptest.NewRequest("GET", "/v1/me", nil)
			if tt.header != "" {
				r.Header.Set("Authorization", tt.header)
			}
			if tt.cookie != nil {
				r.AddCookie(tt.cookie)
			}
			c, err := w.who(w.staff, r)
			if c.Kind != tt.want || (tt.want == "") != errors.Is(err, api.ErrUnauthenticated) {
				t.Errorf("%s: %q, %v", tt.name, c.Kind, err)
			}
		}
	})
}

// A key ends at the instant of its expiry, also for a process that holds it in memory.
func TestS10KeyExpiry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		until := w.clock.Now().Add(time.Hour)
		_, secret := w.key(NewKey{Name: "k", Scopes: []string{All}, Until: until})
		w.clock.Set(until.Add(-time.Millisecond))
		if _, err := w.who(w.staff, withKey(secret)); err != nil {
			t.Errorf("before: %v", err)
		}
		w.clock.Set(until)
		if _, err := w.who(w.staff, withKey(secret)); !errors.Is(err, api.ErrUnauthenticated) {
			t.Errorf("at its expiry: %v", err)
		}
		if _, _, err := w.staff.CreateKey(w.ctx(), NewKey{Name: "k", Scopes: []string{All}, Until: until}); !errors.Is(err, ErrExpiry) {
			t.Errorf("a key that is over already: %v", err)
		}
	})
}

// A revoked key is refused at once here; by another process, which holds it in memory,
// as soon as it looks, and it looks before it trusts anything for longer than a second.
func TestS10KeyRevocation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		other := w.node()
		k, secret := w.key(NewKey{Name: "k", Scopes: []string{All}})
		_, kept := w.key(NewKey{Name: "kept", Scopes: []string{All}})
		for _, s := range []*Service{w.staff, other} {
			if _, err := w.who(s, withKey(secret)); err != nil {
				t.Fatal(err)
			}
		}
		if out := w.call("DELETE", "/v1/keys/"+k.PublicID()+"?reason=the+laptop+was+lost", kept, nil); out.Code != 204 {
			t.Fatal(out.Code, out.Body)
		}
		if w.count(`SELECT COUNT(*) FROM audit WHERE action = 'key.revoke' AND after LIKE '%the laptop was lost%'`) != 1 {
			t.Error("the reason is not in the trail")
		}
		if _, err := w.who(w.staff, withKey(secret)); !errors.Is(err, api.ErrUnauthenticated) {
			t.Errorf("here: %v", err)
		}
		later(other, time.Second)
		if other.passes.fresh() {
			t.Error("a second later what is in memory still counts as fresh")
		}
		if _, err := w.who(other, withKey(secret)); !errors.Is(err, api.ErrUnauthenticated) {
			t.Errorf("a second later, elsewhere: %v", err)
		}
		if _, err := w.who(other, withKey(kept)); err != nil {
			t.Errorf("another key: %v", err)
		}
		before := w.count("SELECT COUNT(*) FROM audit")
		if err := w.staff.RevokeKey(w.ctx(), k.ID, ""); err != nil || w.count("SELECT COUNT(*) FROM audit") != before {
			t.Errorf("revoked twice: %v", err)
		}
		if err := w.staff.RevokeKey(w.ctx(), 999, ""); !errors.Is(err, ErrNoKey) {
			t.Errorf("no key: %v", err)
		}
	})
}

// A pass that was read before a revocation is not put into memory after it.
func TestLatePass(t *testing.T) {
	t.Parallel()
	m := newPasses()
	_, epoch := m.get(token{1})
	m.forget()
	m.put(token{1}, &pass{}, epoch)
	if p, _ := m.get(token{1}); p != nil {
		t.Error("it was put in")
	}
	_, epoch = m.get(token{1})
	m.put(token{1}, &pass{}, epoch)
	if p, _ := m.get(token{1}); p == nil {
		t.Error("one in time was not")
	}
	for i := range maxPasses + 10 {
		m.put(token{byte(i), byte(i >> 8), byte(i >> 16)}, &pass{}, epoch)
	}
	if len(m.byToken) > maxPasses {
		t.Errorf("%d passes in memory", len(m.byToken))
	}
}

// Nobody gives, through keys or accounts, what they do not have.
func TestS10NoEscalation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner := w.person("owner", Owner)
		_, staffOnly := w.key(NewKey{Name: "k", Scopes: []string{"staff.manage"}})
		_, limited := w.key(NewKey{Name: "k", Scopes: []string{All}, Stores: []string{"main"}})
		_, sandbox := w.key(NewKey{Name: "k", Scopes: []string{All}, Test: true})
		integrator := w.signIn(w.person("int", Integrator))
		newStaff := map[string]any{"email": "x@shop.example", "name": "x", "role": "owner", "password": goodPassword}
		newKey := func(scope string, test bool) any {
			return map[string]any{"name": "x", "scopes": []string{scope}, "test": test}
		}
		for _, tt := range []struct {
			name, method, path, secret string
			body                       any
			want                       string
		}{
			{"owner by a lesser key", "POST", "/v1/staff", staffOnly, newStaff, "staff.too_high"},
			{"owner's password by a lesser key", "POST", "/v1/staff/" + owner.PublicID() + "/password", staffOnly, map[string]any{"password": goodPassword}, "staff.too_high"},
			{"owner disabled by a lesser key", "PATCH", "/v1/staff/" + owner.PublicID(), staffOnly, map[string]any{"active": false}, "staff.too_high"},
			{"owner signed out by a lesser key", "POST", "/v1/staff/" + owner.PublicID() + "/sign-out", staffOnly, nil, "staff.too_high"},
			{"owner by a key of one store", "POST", "/v1/staff", limited, newStaff, "program.limited"},
			{"key by a key of one store", "POST", "/v1/keys", limited, newKey("sales.read", false), "program.limited"},
			{"trail by a key of one store", "GET", "/v1/audit", limited, nil, "program.limited"},
			{"staff by a key of one store", "GET", "/v1/staff", limited, nil, "program.limited"},
			{"owner by a test key", "POST", "/v1/staff", sandbox, newStaff, "staff.sandbox"},
			{"live key by a test key", "POST", "/v1/keys", sandbox, newKey("sales.read", false), "staff.sandbox"},
			{"test key by a test key", "POST", "/v1/keys", sandbox, newKey("sales.read", true), ""},
			{"full key by an integrator", "POST", "/v1/keys", integrator, newKey(All, false), "staff.too_high"},
			{"adjusting key by an integrator", "POST", "/v1/keys", integrator, newKey("points.adjust", false), "staff.too_high"},
			{"selling key by an integrator", "POST", "/v1/keys", integrator, newKey("sales.write", false), ""},
		} {
			if out := w.call(tt.method, tt.path, tt.secret, tt.body); codeOf(out) != tt.want || out.Code >= 500 || (tt.want == "") != (out.Code == 201) {
				t.Errorf("%s: %d %s", tt.name, out.Code, out.Body)
			}
		}
	})
}

// The secret is in the first answer and nowhere else.
func TestS10KeyOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner := w.signIn(w.person("owner", Owner))
		out := w.call("POST", "/v1/keys", owner, map[string]any{"name": "shop", "scopes": []string{"sales.write", "sales.read"}, "stores": []string{"main"}, "expires_at": "2026-12-31"})
		var made struct {
			ID, Secret, Prefix string
			Scopes, Stores     []string
			Expires            time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal(out.Body.Bytes(), &made); err != nil || out.Code != 201 {
			t.Fatal(out.Code, out.Body, err)
		}
		if !made.Expires.Equal(time.Date(2026, 12, 30, 16, 0, 0, 0, time.UTC)) || len(made.Stores) != 1 || !strings.HasPrefix(made.Stores[0], "sto_") {
			t.Errorf("made %+v", made)
		}
		if out := w.call("GET", "/v1/me", made.Secret, nil); out.Code != 200 || !strings.Contains(out.Body.String(), `"sales.write"`) {
			t.Errorf("GET /v1/me: %d %s", out.Code, out.Body)
		}
		for _, path := range []string{"/v1/keys", "/v1/keys/" + made.ID, "/v1/audit"} {
			out := w.call("GET", path, owner, nil)
			if out.Code != 200 || strings.Contains(out.Body.String(), made.Secret) || !strings.Contains(out.Body.String(), made.ID) {
				t.Errorf("GET %s: %d %s", path, out.Code, out.Body)
			}
		}
		if out := w.call("DELETE", "/v1/keys/"+made.ID, owner, nil); out.Code != 204 {
			t.Errorf("DELETE: %d %s", out.Code, out.Body)
		}
		if out := w.call("GET", "/v1/me", made.Secret, nil); out.Code != 401 {
			t.Errorf("after it: %d", out.Code)
		}
	})
}

// The last use is written down at most once a minute, and not by the request.
func TestS10LastUsed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, secret := w.key(NewKey{Name: "k", Scopes: []string{All}})
		use := func() time.Time {
			t.Helper()
			if _, err := w.who(w.staff, withKey(secret)); err != nil {
				t.Fatal(err)
			}
			if err := w.staff.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			k, err := w.staff.Key(t.Context(), k.ID)
			if err != nil {
				t.Fatal(err)
			}
			return k.Used
		}
		first := w.clock.Now()
		if got := use(); !got.Equal(first) {
			t.Errorf("first use noted as %s", got)
		}
		w.clock.Advance(touchEvery - time.Millisecond)
		if got := use(); !got.Equal(first) {
			t.Errorf("noted twice in a minute: %s", got)
		}
		w.clock.Advance(time.Millisecond)
		if got := use(); !got.Equal(w.clock.Now()) {
			t.Errorf("not noted after a minute: %s", got)
		}
	})
}

// BenchmarkAuthenticate is a hit: what every request pays. The bound is 5 µs.
func BenchmarkAuthenticate(b *testing.B) {
	s := newService(nil, systemClock{}, slog.New(slog.NewTextHandler(io.Discard, nil)), nil, nil, cheap)
	secret := keyText(false)
	p := &pass{number: 1}
	p.caller = api.Caller{Kind: "key", Can: Owner.Can()}
	s.passes.put(hashOf(secret), p, 0)
	s.passes.trusted.Store(int64(time.Hour))
	r := withKey(secret)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Authenticate(b.Context(), r); err != nil {
				b.Error(err)
			}
		}
	})
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }
