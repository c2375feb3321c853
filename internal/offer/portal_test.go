package offer_test

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A member sees what they can begin and what they have, takes part, checks in, and stands on a
// leaderboard until they no longer want to; nobody else's instance can be touched.
func TestPortal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		w.Post("/v1/badges", J{"code": "first", "name_en": "First", "name_zh": "首单"})
		w.offer("yes", J{"delivery": "open", "hours": 0, "opt_in": true, "goal": J{"kind": "visits", "count": 1}, "reward": J{"badge": "first"}})
		w.Must(200, "PUT", "/v1/check-in", J{"active": true, "currency": "points", "steps": []int{3}})
		w.Post("/v1/leaderboards", J{"code": "week", "name_en": "Week", "metric": "visits", "every": "week"})
		w.Must(200, "PATCH", "/v1/leaderboards/week", J{"state": "live"})
		other := w.Member()
		theirs := w.send(w.offer("sent", nil), J{"members": []string{other}})
		if theirs.Sent != 1 {
			t.Fatal(theirs)
		}
		m, cookie := w.signedIn("13912345678")
		do := func(method, path string, body any) apptest.Response {
			t.Helper()
			return w.Do(method, "/portal/v1/"+path, body, apptest.Header{Name: "Authorization"}, cookie, apptest.Language("zh-CN"))
		}
		own := func() (list struct{ Items []offered }) {
			t.Helper()
			do("GET", "offers", nil).Into(&list)
			return list
		}
		list := own()
		if len(list.Items) != 1 || list.Items[0].State != "available" || !list.Items[0].Waits || list.Items[0].ID != "" {
			t.Fatalf("%+v", list)
		}
		do("POST", "offers/"+w.has(other)[0].ID+"/view", nil).Refused(404, "offer.no_instance")
		var i offered
		do("POST", "offers/"+list.Items[0].OfferID+"/accept", nil).Into(&i)
		if i.State != "viewed" || i.Waits || !strings.HasPrefix(i.ID, "ofi_") {
			t.Fatalf("%+v", i)
		}
		w.buys(m, 100, nil)
		w.Drain()
		if list = own(); len(list.Items) != 1 || list.Items[0].State != "rewarded" || list.Items[0].Progress.Percent != 100 {
			t.Errorf("%+v", list)
		}
		var badges struct{ Items []struct{ Name string } }
		if do("GET", "badges", nil).Into(&badges); len(badges.Items) != 1 || badges.Items[0].Name != "首单" {
			t.Errorf("%+v", badges)
		}
		for _, want := range []int64{3, 0} {
			var c struct{ Amount int64 }
			if do("POST", "check-in", nil).Into(&c); c.Amount != want {
				t.Errorf("the check-in gave %d, want %d", c.Amount, want)
			}
		}
		type board struct {
			Items []struct {
				Top     []struct{ Member string }
				Own     struct{ Place, Score int64 }
				Visible bool
			}
		}
		boards := func() (b board) {
			do("GET", "leaderboards", nil).Into(&b)
			return b
		}
		if b := boards(); len(b.Items) != 1 || len(b.Items[0].Top) != 1 || b.Items[0].Own.Place != 1 || !b.Items[0].Visible || strings.HasPrefix(b.Items[0].Top[0].Member, "mem_") {
			t.Errorf("%+v", b)
		}
		do("PUT", "leaderboards/visibility", J{"visible": false})
		if b := boards(); len(b.Items[0].Top) != 0 || b.Items[0].Own.Place != 0 || b.Items[0].Visible {
			t.Errorf("out of sight: %+v", b)
		}
	})
}

// signedIn enrols a member and signs them in to the portal.
func (w world) signedIn(phone string) (member string, cookie apptest.Header) {
	w.t.Helper()
	var m struct{ ID string }
	w.Post("/v1/members", J{"phone": phone}).Into(&m)
	demo := "phone:12000000001"
	if _, err := w.Program.ChangeSettings(w.Context(), program.SettingsChange{Demo: &demo}); err != nil {
		w.t.Fatal(err)
	}
	var asked struct{ Challenge string }
	var inbox struct{ Items []struct{ Code string } }
	w.Must(202, "POST", "/portal/v1/codes", J{"phone": phone}).Into(&asked)
	w.Get("/portal/v1/inbox").Into(&inbox)
	r := w.Post("/portal/v1/sign-in", J{"phone": phone, "challenge": asked.Challenge, "code": inbox.Items[0].Code})
	text, _, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
	return m.ID, apptest.Header{Name: "Cookie", Value: text}
}
