package staff

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A session lives for twelve hours without use and thirty days in all; each ends at the
// instant, not after it.
func TestS8SessionLimits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		live := func(secret string) bool {
			_, err := w.who(w.staff, withSession(secret))
			if err != nil && !errors.Is(err, api.ErrUnauthenticated) {
				t.Fatal(err)
			}
			return err == nil
		}
		idle := w.signIn(a)
		w.clock.Advance(idleLimit - time.Millisecond)
		if !live(idle) {
			t.Error("a session ended before it was idle for long")
		}
		w.clock.Advance(idleLimit)
		if live(idle) {
			t.Error("a session lives on after twelve idle hours")
		}
		old := w.signIn(a)
		begin := w.clock.Now()
		for w.clock.Now().Before(begin.Add(ageLimit - 6*time.Hour)) {
			w.clock.Advance(6 * time.Hour)
			if !live(old) {
				t.Fatalf("a session in use ended after %s", w.clock.Now().Sub(begin))
			}
			if err := w.staff.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.Advance(begin.Add(ageLimit).Sub(w.clock.Now()) - time.Millisecond)
		if !live(old) {
			t.Error("a session ended before its thirty days")
		}
		w.clock.Advance(time.Millisecond)
		if live(old) {
			t.Error("a session lives on after thirty days")
		}
		if err := w.staff.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := w.count("SELECT COUNT(*) FROM staff_session"); n != 0 {
			t.Errorf("%d sessions that are over are kept", n)
		}
	})
}

// Each way to end sessions ends them at once here, and in another process within a second.
func TestS8SessionsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, a Account, secret string) error{
		"password": func(w *world, a Account, _ string) error {
			me := api.WithCaller(w.t.Context(), a.caller())
			fresh, err := w.staff.ChangePassword(me, goodPassword, goodPassword+"!")
			if _, bad := w.who(w.staff, withSession(fresh)); bad != nil {
				w.t.Errorf("the browser that changed the password is out: %v", bad)
			}
			return err
		},
		"password by another": func(w *world, a Account, _ string) error {
			return w.staff.SetPassword(w.ctx(), a.ID, goodPassword+"!")
		},
		"disabled": func(w *world, a Account, _ string) error {
			_, err := w.staff.ChangeStaff(w.ctx(), a.ID, AccountChange{Active: new(bool)})
			return err
		},
		"all of one": func(w *world, a Account, _ string) error { return w.staff.EndSessions(w.ctx(), a.ID) },
		"one": func(w *world, a Account, _ string) error {
			list, err := w.staff.Sessions(w.t.Context(), a.ID)
			if err != nil || len(list) != 1 {
				w.t.Fatalf("%d sessions, %v", len(list), err)
			}
			return w.staff.EndSession(api.WithCaller(w.t.Context(), a.caller()), list[0].ID)
		},
		"sign-out": func(w *world, a Account, secret string) error {
			if out := w.call("POST", "/v1/sign-out", secret, nil); out.Code != 204 || !strings.Contains(out.Header().Get("Set-Cookie"), "Max-Age=0") {
				w.t.Errorf("sign-out: %d %v", out.Code, out.Header())
			}
			return nil
		},
		"sign-in again": func(w *world, a Account, secret string) error {
			_, _, err := w.staff.SignIn(w.t.Context(), a.Email, goodPassword, secret)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				other := w.node()
				a := w.person("li", Cashier)
				bystander := w.signIn(w.person("bystander", Cashier))
				secret := w.signIn(a)
				for _, s := range []*Service{w.staff, other} {
					if c, err := w.who(s, withSession(secret)); err != nil || c.ID != a.PublicID() {
						t.Fatalf("before: %+v, %v", c, err)
					}
				}
				if err := end(w, a, secret); err != nil {
					t.Fatal(err)
				}
				later(other, time.Second)
				for _, s := range []*Service{w.staff, other} {
					if _, err := w.who(s, withSession(secret)); !errors.Is(err, api.ErrUnauthenticated) {
						t.Errorf("after: %v", err)
					}
					if _, err := w.who(s, withSession(bystander)); err != nil {
						t.Errorf("another person's session ended too: %v", err)
					}
				}
			})
		})
	}
}

// A password that is changed while somebody signs in with the old one leaves no session
// of the old one behind.
func TestS8SignInBesideChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		password := goodPassword
		for range 15 {
			var wg sync.WaitGroup
			secrets := make([]string, 4)
			for i := range secrets {
				wg.Go(func() {
					_, secret, err := w.node().SignIn(t.Context(), a.Email, password, "")
					if err != nil && !errors.Is(err, ErrSignIn) {
						t.Error(err)
					}
					secrets[i] = secret
				})
			}
			next := password + "x"
			wg.Go(func() {
				if err := w.staff.SetPassword(w.ctx(), a.ID, next); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			for _, secret := range secrets {
				if secret == "" {
					continue
				}
				if _, err := w.who(w.node(), withSession(secret)); !errors.Is(err, api.ErrUnauthenticated) {
					t.Fatalf("a session of the old password lives (%v)", err)
				}
			}
			password = next
		}
	})
}

// Rights that are taken away or given are so in the next request.
func TestRoleChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Manager)
		secret := w.signIn(a)
		if c, _ := w.who(w.staff, withSession(secret)); !c.Can[AdjustPoints] {
			t.Fatal("a manager may not adjust")
		}
		role := Cashier
		if _, err := w.staff.ChangeStaff(w.ctx(), a.ID, AccountChange{Role: &role, Stores: &[]string{"main"}}); err != nil {
			t.Fatal(err)
		}
		c, err := w.who(w.staff, withSession(secret))
		if err != nil || c.Can[AdjustPoints] || !c.Can[WriteSales] || len(c.Stores) != 1 || c.Stores[0] != w.prog.Snapshot().DefaultStore().ID {
			t.Errorf("after the change: %+v, %v", c, err)
		}
	})
}

func TestS8Cookie(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.person("li", Cashier)
		for _, tt := range []struct {
			name, host, proto string
			status            int
			want              string // of the cookie, without its value
		}{
			{"loopback", "127.0.0.1:8080", "", 200, "patron_session=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
			{"loopback by name", "localhost:8080", "", 200, "patron_session=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
			{"loopback of IPv6", "[::1]:8080", "", 200, "patron_session=…; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"},
			{"behind a proxy with TLS", "shop.example", "https", 200, "__Host-patron_session=…; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax"},
			{"in the open", "shop.example", "", 403, ""},
			{"in the open behind a proxy", "shop.example", "http", 403, ""},
			{"a stranger who says so", "shop.example", "https", 403, ""},
			{"a name that begins so", "localhost.evil.example", "", 403, ""},
		} {
			r := httptest.NewRequest("POST", "/v1/sign-in", strings.NewReader(`{"email":"LI@shop.example ","password":"`+goodPassword+`"}`))
			r.Host = tt.host
			if tt.proto != "" {
				r.Header.Set("X-Forwarded-Proto", tt.proto)
				r.RemoteAddr = proxy + ":443"
			}
			if tt.name == "a stranger who says so" {
				r.RemoteAddr = "203.0.113.9:443"
			}
			out := w.send(r)
			got := regexp.MustCompile(`=[^;]{43};`).ReplaceAllString(out.Header().Get("Set-Cookie"), "=…;")
			if out.Code != tt.status || got != tt.want {
				t.Errorf("%s: %d %q %s", tt.name, out.Code, got, out.Body)
			}
		}
	})
}

// To a stranger every failed sign-in is the same: the same answer, and the same work,
// which shows in that each waits for a turn to hash.
func TestS4NoEnumeration(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		off := w.person("off", Cashier)
		if _, err := w.staff.ChangeStaff(w.ctx(), off.ID, AccountChange{Active: new(bool)}); err != nil {
			t.Fatal(err)
		}
		attempts := map[string][2]string{
			"wrong password": {a.Email, "wrong"},
			"no account":     {"nobody@shop.example", goodPassword},
			"disabled":       {off.Email, goodPassword},
			"no address":     {"'; DROP TABLE staff", ""},
		}
		var first []byte
		trace := regexp.MustCompile(`"trace_id":"\w+"`)
		for name, try := range attempts {
			before := w.staff.hasher.made.Load()
			out := w.call("POST", "/v1/sign-in", "", map[string]string{"email": try[0], "password": try[1]})
			if n := w.staff.hasher.made.Load() - before; n != 1 {
				t.Errorf("%s: %d hashes, want the one of every sign-in", name, n)
			}
			body := trace.ReplaceAll(out.Body.Bytes(), nil)
			if first == nil {
				first = body
			}
			if out.Code != 401 || codeOf(out) != "staff.sign_in" || !bytes.Equal(body, first) || out.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: %d %s", name, out.Code, body)
			}
		}
		for range cap(w.staff.hasher.slots) {
			w.staff.hasher.slots <- struct{}{}
		}
		for name, try := range attempts {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			if _, _, err := w.staff.SignIn(ctx, try[0], try[1], ""); !errors.Is(err, ErrHashBusy) {
				t.Errorf("%s: answered without a hash: %v", name, err)
			}
			cancel()
		}
	})
}

// The sixth attempt in a row has to wait, and is told for how long.
func TestS3SlowDown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		wrong := map[string]string{"email": a.Email, "password": "wrong"}
		for range freeByAccount {
			if out := w.call("POST", "/v1/sign-in", "", wrong); out.Code != 401 {
				t.Fatal(out.Code)
			}
		}
		right := map[string]string{"email": a.Email, "password": goodPassword}
		out := w.call("POST", "/v1/sign-in", "", right)
		if out.Code != http.StatusTooManyRequests || out.Header().Get("Retry-After") != "1" {
			t.Errorf("too soon: %d %v", out.Code, out.Header())
		}
		w.clock.Advance(time.Second)
		if out := w.call("POST", "/v1/sign-in", "", right); out.Code != 200 {
			t.Errorf("after the wait: %d %s", out.Code, out.Body)
		}
	})
}

// A hash of older parameters is made anew when its owner signs in.
func TestS1Rehash(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		w.staff.hasher = newHasher(cost{memory: 16, time: 1, threads: 1})
		if _, secret, err := w.staff.SignIn(t.Context(), a.Email, goodPassword, ""); err != nil || secret == "" {
			t.Fatal(err)
		}
		b, err := w.staff.account(t.Context(), a.ID)
		if err != nil || !strings.Contains(b.password, "m=16,") {
			t.Errorf("the hash is %s (%v)", b.password, err)
		}
		if _, _, err := w.staff.SignIn(t.Context(), a.Email, goodPassword, ""); err != nil {
			t.Errorf("with the new hash: %v", err)
		}
	})
}

// People see and end their own sessions, and nobody else's.
func TestOwnSessions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		li, ma := w.person("li", Manager), w.person("ma", Manager)
		mine, theirs := w.signIn(li), w.signIn(ma)
		list, err := w.staff.Sessions(t.Context(), ma.ID)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if out := w.call("DELETE", "/v1/sessions/"+list[0].PublicID(), mine, nil); out.Code != 404 {
			t.Errorf("ending another's session: %d", out.Code)
		}
		if out := w.call("GET", "/v1/sessions", theirs, nil); out.Code != 200 || !strings.Contains(out.Body.String(), list[0].PublicID()) {
			t.Errorf("one's own sessions: %d %s", out.Code, out.Body)
		}
		if out := w.call("DELETE", "/v1/sessions/"+list[0].PublicID(), theirs, nil); out.Code != 204 {
			t.Errorf("ending one's own: %d", out.Code)
		}
		if out := w.call("GET", "/v1/me", theirs, nil); out.Code != 401 {
			t.Errorf("after it: %d", out.Code)
		}
		for range maxSessions + 3 {
			w.signIn(li)
		}
		if list, err := w.staff.Sessions(t.Context(), li.ID); err != nil || len(list) != maxSessions {
			t.Errorf("%d sessions (%v)", len(list), err)
		}
	})
}
