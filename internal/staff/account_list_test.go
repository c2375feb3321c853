package staff

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Each filter of the list narrows it, and pages of one row show everyone who fits once.
func TestAccountFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		secret := w.signIn(w.person("Boss", Owner))
		w.person("Mei_Lin", Cashier)
		w.person("meixlin", Cashier)
		gone := w.person("ann", Manager)
		if _, err := w.staff.ChangeStaff(w.ctx(), gone.ID, AccountChange{Active: new(bool)}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ query, want string }{
			{"", "Boss Mei_Lin meixlin ann"},
			{"&role=cashier", "Mei_Lin meixlin"},
			{"&state=disabled", "ann"},
			{"&state=active&role=manager", ""},
			{"&q=MEI", "Mei_Lin meixlin"},
			{"&q=mei_l", "Mei_Lin"}, // a sign of LIKE is a letter like any other
			{"&q=boss@", "Boss"},
			{"&q=%25", ""},
		} {
			var got []string
			for cursor := ""; ; {
				out := w.call("GET", "/v1/staff?limit=1"+tt.query+cursor, secret, nil)
				var page struct {
					Items []struct{ Name string }
					Next  string `json:"next_cursor"`
				}
				if err := json.Unmarshal(out.Body.Bytes(), &page); err != nil || out.Code != 200 {
					t.Fatal(tt.query, out.Code, out.Body, err)
				}
				for _, a := range page.Items {
					got = append(got, a.Name)
				}
				if page.Next == "" {
					break
				}
				cursor = "&cursor=" + page.Next
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q lists %v, want %s", tt.query, got, tt.want)
			}
		}
		if out := w.call("GET", "/v1/staff?role=king", secret, nil); out.Code != 422 {
			t.Errorf("no role: %d", out.Code)
		}
	})
}
