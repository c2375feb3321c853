package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// S10: a key that takes the place of another may do the same; both are good for the
// overlap, and the old one ends at its instant, in every process.
func TestS10RotationOverlap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		other := w.node()
		old, secret := w.key(NewKey{Name: "till", Scopes: []string{"sales.write"}, Stores: []string{"main"}, Networks: []string{"192.0.2.0/24"}, Until: w.clock.Now().Add(100 * time.Hour)})
		good := func(s *Service, secret string) bool {
			_, err := w.who(s, withKey(secret))
			if err != nil && !errors.Is(err, api.ErrUnauthenticated) && !errors.Is(err, ErrNetwork) {
				t.Fatal(err)
			}
			return errors.Is(err, ErrNetwork) // the key is good; here it comes from nowhere
		}
		if !good(w.staff, secret) || !good(other, secret) {
			t.Fatal("the old key is not good")
		}
		w.clock.Advance(10 * time.Hour)
		fresh, young, err := w.staff.RotateKey(w.ctx(), old.ID, time.Hour)
		if err != nil || fresh.Replaces != old.ID || young == secret || !strings.HasPrefix(young, fresh.Prefix) {
			t.Fatalf("%+v, %v", fresh, err)
		}
		if fmt.Sprint(fresh.Scopes, fresh.Stores, fresh.Networks, fresh.Name, fresh.Test) != fmt.Sprint(old.Scopes, old.Stores, old.Networks, old.Name, old.Test) || !fresh.Until.Equal(w.clock.Now().Add(100*time.Hour)) {
			t.Errorf("%+v takes the place of %+v", fresh, old)
		}
		later(other, time.Second)
		w.clock.Advance(time.Hour - time.Millisecond)
		for _, s := range []*Service{w.staff, other} {
			if !good(s, secret) || !good(s, young) {
				t.Error("within the overlap one of the keys is not good")
			}
		}
		w.clock.Advance(time.Millisecond)
		for _, s := range []*Service{w.staff, other} {
			if good(s, secret) || !good(s, young) {
				t.Error("after the overlap the old key is good, or the new one is not")
			}
		}
	})
}

// S10: of many who rotate a key at once one does; a key that is over, or has a successor,
// is not rotated; and an overlap never makes a key live longer.
func TestS10RotationOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, _ := w.key(NewKey{Name: "k", Scopes: []string{All}, Until: w.clock.Now().Add(time.Minute)})
		var did atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				switch _, _, err := w.staff.RotateKey(w.ctx(), k.ID, time.Hour); {
				case err == nil:
					did.Add(1)
				case !errors.Is(err, ErrRotated):
					t.Error(err)
				}
			})
		}
		all.Wait()
		now, err := w.staff.Key(t.Context(), k.ID)
		if did.Load() != 1 || err != nil || !now.Until.Equal(k.Until) {
			t.Errorf("rotated %d times; ends %s, want %s (%v)", did.Load(), now.Until, k.Until, err)
		}
		gone, _ := w.key(NewKey{Name: "k", Scopes: []string{All}})
		if err := w.staff.RevokeKey(w.ctx(), gone.ID, ""); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.staff.RotateKey(w.ctx(), gone.ID, 0); !errors.Is(err, ErrKeyOver) {
			t.Errorf("a revoked key: %v", err)
		}
		if _, _, err := w.staff.RotateKey(w.ctx(), gone.ID+99, 0); !errors.Is(err, ErrNoKey) {
			t.Errorf("no key: %v", err)
		}
		integrator := w.signIn(w.person("i", Integrator))
		full, _ := w.key(NewKey{Name: "k", Scopes: []string{All}})
		if out := w.call("POST", "/v1/keys/"+full.PublicID()+"/rotate", integrator, map[string]any{}); codeOf(out) != "staff.too_high" {
			t.Errorf("an integrator rotates a full key: %d %s", out.Code, out.Body)
		}
	})
}

// S10: the new secret is in the answer and nowhere else; without an overlap the old key
// ends at once.
func TestS10RotationOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		owner := w.signIn(w.person("owner", Owner))
		k, secret := w.key(NewKey{Name: "k", Scopes: []string{All}})
		rotate := func(id string, body any) (made struct{ ID, Secret, Replaces string }) {
			t.Helper()
			out := w.call("POST", "/v1/keys/"+id+"/rotate", owner, body)
			if err := json.Unmarshal(out.Body.Bytes(), &made); err != nil || out.Code != 201 {
				t.Fatal(out.Code, out.Body, err)
			}
			return made
		}
		first := rotate(k.PublicID(), map[string]any{})
		second := rotate(first.ID, map[string]any{"overlap_seconds": 0})
		if first.Replaces != k.PublicID() || second.Replaces != first.ID {
			t.Errorf("%+v, then %+v", first, second)
		}
		for name, tt := range map[string]struct {
			secret string
			want   int
		}{"the first key, in its day": {secret, 200}, "the second, ended": {first.Secret, 401}, "the third": {second.Secret, 200}} {
			if out := w.call("GET", "/v1/me", tt.secret, nil); out.Code != tt.want {
				t.Errorf("%s: %d", name, out.Code)
			}
		}
		if out := w.call("GET", "/v1/keys", owner, nil); strings.Contains(out.Body.String(), second.Secret) {
			t.Error("the secret can be read again")
		}
		if n := w.count("SELECT COUNT(*) FROM audit WHERE action = 'key.rotate'"); n != 2 {
			t.Errorf("%d entries on the trail", n)
		}
	})
}

// S10: a key with networks is good from there only; the address is the connection's, not
// one that the caller claims.
func TestS10Networks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		_, anywhere := w.key(NewKey{Name: "k", Scopes: []string{All}})
		_, bound := w.key(NewKey{Name: "k", Scopes: []string{All}, Networks: []string{"203.0.113.0/24", "198.51.100.7", "2001:db8:1::/48"}})
		for _, tt := range []struct {
			secret, ip string
			want       int
		}{
			{anywhere, "10.0.0.1", 200},
			{bound, "203.0.113.0", 200},
			{bound, "203.0.113.255", 200},
			{bound, "203.0.114.0", 403},
			{bound, "198.51.100.7", 200},
			{bound, "198.51.100.8", 403},
			{bound, "[2001:db8:1:ffff::1]", 200},
			{bound, "[2001:db8:2::1]", 403},
			{bound, "[::ffff:203.0.113.9]", 200},
			{bound, "10.0.0.1", 403},
		} {
			r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
			r.Header.Set("Authorization", "Bearer "+tt.secret)
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			r.RemoteAddr = tt.ip + ":5555"
			if out := w.send(r); out.Code != tt.want || tt.want == 403 && codeOf(out) != "staff.network" {
				t.Errorf("from %s: %d %s", tt.ip, out.Code, out.Body)
			}
		}
	})
}

func TestParseNetworks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", "[]"},
		{"203.0.113.7", "[203.0.113.7/32]"},
		{"203.0.113.7/24,203.0.113.0/24", "[203.0.113.0/24]"},
		{"2001:db8::1", "[2001:db8::1/128]"},
		{"203.0.113.0/33", ""}, {"203.0.113", ""}, {"localhost", ""}, {"fe80::1%eth0", ""}, {"::ffff:203.0.113.7", ""}, {" 203.0.113.7", ""},
		{strings.Repeat("203.0.113.7,", maxNetworks) + "203.0.113.7", ""},
	} {
		var texts []string
		if tt.in != "" {
			texts = strings.Split(tt.in, ",")
		}
		list, err := parseNetworks(texts)
		if got := fmt.Sprint(networkTexts(list)); (err == nil) != (tt.want != "") || err == nil && got != tt.want || err != nil && !errors.Is(err, ErrNetworks) {
			t.Errorf("parseNetworks(%q) = %s, %v", tt.in, got, err)
		}
	}
}
