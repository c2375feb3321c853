package staff

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

func (w *world) link() string {
	w.t.Helper()
	text, err := w.staff.OwnerLink(w.t.Context(), "http://127.0.0.1:8080")
	if err != nil {
		w.t.Fatal(err)
	}
	_, secret, _ := strings.Cut(text, "/setup#")
	return secret
}

func owner(i int) NewAccount {
	return NewAccount{Email: fmt.Sprintf("o%d@shop.example", i), Name: "Boss", Password: goodPassword}
}

// Of many who follow the link at once one becomes the owner, and then it is of no use.
func TestSetupOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		secret := w.link()
		results := make([]error, 16)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() { _, _, results[i] = w.node().Setup(t.Context(), secret, owner(i)) })
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrLink) {
				t.Error(err)
			}
		}
		if n := w.count("SELECT COUNT(*) FROM staff"); won != 1 || n != 1 {
			t.Errorf("%d succeeded, there are %d accounts", won, n)
		}
		if _, _, err := w.staff.Setup(t.Context(), secret, owner(99)); !errors.Is(err, ErrLink) {
			t.Errorf("again: %v", err)
		}
		if again := w.link(); again != "" {
			t.Error("there is a new link though there is an owner")
		}
	})
}

// The link is refused when it is wrong, late, replaced, or not needed.
func TestSetupRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		try := func(secret string) error { _, _, err := w.staff.Setup(t.Context(), secret, owner(1)); return err }
		first := w.link()
		if err := try(""); !errors.Is(err, ErrLink) {
			t.Errorf("empty: %v", err)
		}
		if err := try(first[1:]); !errors.Is(err, ErrLink) {
			t.Errorf("wrong: %v", err)
		}
		second := w.link()
		if err := try(first); !errors.Is(err, ErrLink) {
			t.Errorf("replaced: %v", err)
		}
		w.clock.Advance(linkFor)
		if err := try(second); !errors.Is(err, ErrLink) {
			t.Errorf("late: %v", err)
		}
		third := w.link()
		if _, _, err := w.staff.Setup(t.Context(), third, NewAccount{Email: "x", Name: "x", Password: goodPassword}); !errors.Is(err, ErrEmail) {
			t.Errorf("with a bad address: %v", err)
		}
		w.clock.Advance(linkFor - time.Millisecond)
		w.person("boss", Owner) // by the command line
		if err := try(third); !errors.Is(err, ErrLink) {
			t.Errorf("beside an owner: %v", err)
		}
	})
}

// The first owner is signed in by the answer.
func TestSetupOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		out := w.call("POST", "/v1/setup", "", map[string]string{"token": w.link(), "email": "Boss@Shop.example", "name": "Boss", "password": goodPassword})
		if out.Code != 201 || !strings.Contains(out.Body.String(), `"system.operate"`) {
			t.Fatal(out.Code, out.Body)
		}
		session, _, _ := strings.Cut(strings.TrimPrefix(out.Header().Get("Set-Cookie"), cookiePlain+"="), ";")
		if out := w.call("GET", "/v1/staff", session, nil); out.Code != 200 || !strings.Contains(out.Body.String(), "boss@shop.example") {
			t.Errorf("as the owner: %d %s", out.Code, out.Body)
		}
	})
}

// Two owners who demote, or disable, each other at the same time do not both succeed.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		pair := []Account{w.person("a", Owner), w.person("b", Owner)}
		role := Cashier
		for range 10 {
			var wg sync.WaitGroup
			results := make([]error, 2)
			for i, change := range []AccountChange{{Role: &role}, {Active: new(bool)}} {
				wg.Go(func() { _, results[i] = w.node().ChangeStaff(w.ctx(), pair[i].ID, change) })
			}
			wg.Wait()
			if n := w.count("SELECT COUNT(*) FROM staff WHERE role = 'owner' AND active = 1"); n != 1 {
				t.Fatalf("%d owners are left", n)
			}
			if (results[0] == nil) == (results[1] == nil) || results[0] != nil && !errors.Is(results[0], ErrLastOwner) || results[1] != nil && !errors.Is(results[1], ErrLastOwner) {
				t.Fatal(results)
			}
			back, yes := Owner, true
			for _, a := range pair {
				if _, err := w.staff.ChangeStaff(w.ctx(), a.ID, AccountChange{Role: &back, Active: &yes}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestAccountsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.person("li", Cashier)
		good := NewAccount{Email: "new@shop.example", Name: "New", Role: Agent, Password: goodPassword}
		for _, tt := range []struct {
			name string
			edit func(*NewAccount)
			want error
		}{
			{"good", func(*NewAccount) {}, nil},
			{"address taken", func(n *NewAccount) { n.Email = " LI@Shop.example" }, ErrEmailTaken},
			{"no address", func(n *NewAccount) { n.Email = "new" }, ErrEmail},
			{"address with a name", func(n *NewAccount) { n.Email = "New <new2@shop.example>" }, ErrEmail},
			{"address too long", func(n *NewAccount) { n.Email = strings.Repeat("x", 250) + "@a.cn" }, ErrEmail},
			{"no name", func(n *NewAccount) { n.Email, n.Name = "n2@shop.example", " " }, ErrName},
			{"no role", func(n *NewAccount) { n.Email, n.Role = "n2@shop.example", "" }, ErrRole},
			{"short password", func(n *NewAccount) { n.Email, n.Password = "n2@shop.example", "short" }, ErrPassword},
			{"no such store", func(n *NewAccount) { n.Email, n.Stores = "n2@shop.example", []string{"none"} }, ErrPlaces},
			{"too many stores", func(n *NewAccount) { n.Email, n.Stores = "n2@shop.example", make([]string, maxPlaces+1) }, ErrPlaces},
		} {
			n := good
			tt.edit(&n)
			if _, err := w.staff.CreateStaff(w.ctx(), n); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		if n := w.count("SELECT COUNT(*) FROM staff"); n != 2 {
			t.Errorf("there are %d accounts", n)
		}
	})
}
