package member_test

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// person signs a colleague in, and returns their id and what sends requests as them.
func person(t *testing.T, a *apptest.App, name string, role staff.Role) (string, func(status int, method, path string, body any) apptest.Response) {
	t.Helper()
	const password = "a good long password of a test"
	p, err := a.Staff.CreateStaff(a.Context(), staff.NewAccount{Email: name + "@example.com", Name: name, Role: role, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	none := apptest.Header{Name: "Authorization"}
	in := a.Must(200, "POST", "/v1/sign-in", apptest.J{"email": name + "@example.com", "password": password}, none)
	cookie, _, _ := strings.Cut(in.Header.Get("Set-Cookie"), ";")
	return p.PublicID(), func(status int, method, path string, body any) apptest.Response {
		t.Helper()
		return a.Must(status, method, path, body, none, apptest.Header{Name: "Cookie", Value: cookie})
	}
}

type mentions struct {
	Unread int64
	Items  []struct {
		ID, What, Text, By string
		Member             string `json:"member_id"`
		Read               string `json:"read_at"`
	}
}

// A colleague whom a note or call names finds it, once, with what it says; read, it counts
// no more; and an erasure takes it away.
func TestMentions(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		ann, asAnn := person(t, a, "ann", staff.Agent)
		bob, asBob := person(t, a, "bob", staff.Agent)
		var note struct {
			ID       string
			Mentions []string
		}
		a.Post("/v1/members/"+m+"/notes", apptest.J{"text": "@ann please ring", "mentions": []string{ann, ann}}).Into(&note)
		a.Post("/v1/members/"+m+"/calls", apptest.J{"direction": "in", "outcome": "reached", "text": "for @ann and @bob", "mentions": []string{bob, ann}})
		a.Must(200, "PATCH", "/v1/notes/"+note.ID, apptest.J{"text": "@ann and @bob please ring", "mentions": []string{ann, bob}}).Into(&note)
		if len(note.Mentions) != 2 {
			t.Errorf("the note names %v", note.Mentions)
		}
		read := func(as func(int, string, string, any) apptest.Response, query string) (l mentions) {
			as(200, "GET", "/v1/me/mentions"+query, nil).Into(&l)
			return l
		}
		l := read(asAnn, "")
		if l.Unread != 2 || len(l.Items) != 2 || l.Items[0].What != "call" || l.Items[0].Text != "for @ann and @bob" || l.Items[1].Text != "@ann and @bob please ring" || l.Items[1].Member != m {
			t.Fatalf("%+v", l)
		}
		asAnn(204, "POST", "/v1/me/mentions/read", apptest.J{"id": l.Items[1].ID})
		if l := read(asAnn, "?unread=true"); l.Unread != 1 || len(l.Items) != 1 || l.Items[0].What != "call" {
			t.Errorf("after one was read: %+v", l)
		}
		asAnn(204, "POST", "/v1/me/mentions/read", apptest.J{"id": l.Items[0].ID, "up_to": true})
		if l := read(asAnn, ""); l.Unread != 0 || len(l.Items) != 2 || l.Items[0].Read == "" {
			t.Errorf("after all were read: %+v", l)
		}
		if l := read(asBob, ""); l.Unread != 2 {
			t.Errorf("a colleague's are read too: %+v", l)
		}
		for _, who := range []string{"stf_nothing", m} {
			a.Do("POST", "/v1/members/"+m+"/notes", apptest.J{"text": "x", "mentions": []string{who}}).Refused(422, "member.mention")
		}
		if n := a.Number("SELECT COUNT(*) FROM note"); n != 1 {
			t.Errorf("%d notes, of which one was refused", n)
		}
		a.Must(200, "POST", "/v1/members/"+m+"/erase", apptest.J{"reason": "request"})
		if l := read(asBob, ""); l.Unread != 0 || len(l.Items) != 0 {
			t.Errorf("after an erasure: %+v", l)
		}
	})
}

// A member's advisor is set, listed by, changed and taken off.
func TestAdvisor(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		ann, asAnn := person(t, a, "ann", staff.Agent)
		bob, _ := person(t, a, "bob", staff.Cashier)
		type one struct {
			ID, Advisor string
			Version     int64
		}
		var first, second one
		a.Post("/v1/members", apptest.J{"external_id": "x/1", "advisor": ann, "tags": []string{"vip"}}).Into(&first)
		a.Post("/v1/members", apptest.J{"external_id": "x/2"}).Into(&second)
		if first.Advisor != ann || second.Advisor != "" {
			t.Errorf("%+v %+v", first, second)
		}
		list := func(query string) (ids []string) {
			var l struct{ Items []one }
			asAnn(200, "GET", "/v1/members?limit=1&"+query, nil).Into(&l)
			for _, m := range l.Items {
				ids = append(ids, m.ID)
			}
			return ids
		}
		if got := list("advisor=me"); len(got) != 1 || got[0] != first.ID {
			t.Errorf("ann's are %v", got)
		}
		if got := list("advisor=" + ann + "&tag=gone"); len(got) != 0 {
			t.Errorf("ann's with a tag that nobody bears are %v", got)
		}
		a.Must(200, "PATCH", "/v1/members/"+first.ID, apptest.J{"advisor": bob}).Into(&first)
		if got := list("advisor=me"); first.Advisor != bob || len(got) != 0 {
			t.Errorf("after a change: %+v, ann's are %v", first, got)
		}
		a.Must(200, "PATCH", "/v1/members/"+first.ID, apptest.J{"advisor": nil}).Into(&first)
		if n := a.Number("SELECT COUNT(*) FROM member_advisor"); n != 0 {
			t.Errorf("%d are left", n)
		}
		a.Do("PATCH", "/v1/members/"+second.ID, apptest.J{"advisor": "stf_nothing", "city": "x"}).Refused(422, "member.advisor")
		a.Do("POST", "/v1/members", apptest.J{"external_id": "x/3", "advisor": second.ID}).Refused(422, "member.advisor")
		if n := a.Number("SELECT COUNT(*) FROM member"); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
		var me struct{ Language, Theme, Role, Email string }
		asAnn(200, "PATCH", "/v1/me", apptest.J{"language": "zh-CN", "theme": "dark"})
		asAnn(200, "PATCH", "/v1/me", apptest.J{"name": "Ann"})
		if asAnn(200, "GET", "/v1/me", nil).Into(&me); me.Language != "zh-CN" || me.Theme != "dark" || me.Role != "agent" || me.Email != "ann@example.com" {
			t.Errorf("%+v", me)
		}
		asAnn(422, "PATCH", "/v1/me", apptest.J{"theme": "pink"})
	})
}
