package staff

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// S2: while five hundred sign-ins at once want hashes and none gets one, every other route
// answers; no more wait than may, and the others are told to come back. There are as many
// turns as cores (TestS2HashSlots: no hash without one).
func TestS2SignInFlood(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		session := w.signIn(w.person("li", Owner))
		_, key := w.key(NewKey{Name: "k", Scopes: []string{All}})
		h := w.staff.hasher
		for range cap(h.slots) {
			h.slots <- struct{}{}
		}
		var shed, denied atomic.Int64
		var flood sync.WaitGroup
		for i := range 500 {
			flood.Go(func() {
				r := signInFrom(fmt.Sprintf("10.0.%d.%d", i/250, i%250), fmt.Sprintf("x%d@shop.example", i))
				switch out := w.send(r); {
				case out.Code == http.StatusServiceUnavailable && codeOf(out) == "staff.busy":
					shed.Add(1)
				case out.Code == http.StatusUnauthorized:
					denied.Add(1)
				default:
					t.Errorf("%d %s", out.Code, out.Body)
				}
			})
		}
		for until := time.Now().Add(20 * time.Second); h.waiting.Load() < maxWaiting; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("only %d wait", h.waiting.Load())
			}
		}
		for _, secret := range []string{session, key} {
			for _, path := range []string{"/v1/me", "/v1/staff", "/v1/keys", "/v1/program"} {
				if out := w.call("GET", path, secret, nil); out.Code != 200 {
					t.Errorf("GET %s in the flood: %d %s", path, out.Code, out.Body)
				}
			}
		}
		if n := h.waiting.Load(); n > maxWaiting {
			t.Errorf("%d wait for a turn", n)
		}
		for range cap(h.slots) {
			<-h.slots
		}
		flood.Wait()
		if shed.Load()+denied.Load() != 500 || denied.Load() < maxWaiting {
			t.Errorf("%d were sent away, %d were denied", shed.Load(), denied.Load())
		}
		if cap(h.slots) != runtime.GOMAXPROCS(0) {
			t.Errorf("%d turns, %d cores", cap(h.slots), runtime.GOMAXPROCS(0))
		}
	})
}

func signInFrom(ip, email string) *http.Request {
	r := newJSON("POST", "/v1/sign-in", map[string]string{"email": email, "password": goodPassword})
	r.Host, r.RemoteAddr = "127.0.0.1:8080", ip+":1234"
	return r
}

// The budgets go by where attempts really come from: behind a named proxy each browser has
// its own, and neither an address that a caller makes up before the proxy nor one that a
// stranger makes up without it begins a new one.
func TestS2ForgedAddress(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, tt := range map[string]struct {
			from  string
			chain func(i int) string
			slow  bool
		}{
			"many browsers behind the proxy": {proxy, func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }, false},
			"one who makes up others":        {proxy, func(i int) string { return fmt.Sprintf("198.51.100.%d, 203.0.113.9", i) }, true},
			"a stranger without the proxy":   {"203.0.113.9", func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }, true},
		} {
			w := newWorld(t, d)
			slow := false
			for i := range freeByAddress + 3 {
				r := signInFrom(tt.from, fmt.Sprintf("x%d@shop.example", i))
				r.Header.Set("X-Forwarded-For", tt.chain(i+1))
				switch out := w.send(r); out.Code {
				case http.StatusTooManyRequests:
					slow = true
				case http.StatusUnauthorized:
				default:
					t.Fatalf("%s: %d %s", name, out.Code, out.Body)
				}
			}
			if slow != tt.slow {
				t.Errorf("%s: slowed down %v, want %v", name, slow, tt.slow)
			}
		}
	})
}

// S8: a token that somebody planted in the browser before the sign-in opens nothing after
// it, and each sign-in makes a token of its own, of 256 bits, of which the database has
// the hash only.
func TestS8Fixation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.person("li", Cashier)
		planted := w.signIn(a)
		_, fresh, err := w.staff.SignIn(t.Context(), a.Email, goodPassword, planted)
		if err != nil || fresh == planted || len(fresh) < 43 { // 43 letters of 6 bits
			t.Fatal(fresh, err)
		}
		if _, err := w.who(w.staff, withSession(planted)); err == nil {
			t.Error("the planted token is signed in")
		}
		if _, err := w.who(w.staff, withSession(fresh)); err != nil {
			t.Error(err)
		}
		made := newSecret()
		if _, _, err := w.staff.SignIn(t.Context(), a.Email, goodPassword, made); err != nil {
			t.Fatal(err)
		}
		if _, err := w.who(w.staff, withSession(made)); err == nil {
			t.Error("a made-up token was taken for the session's")
		}
	})
}
