package desk_test

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

type view struct {
	ID, Name, Query string
	Columns         []string
	Shared, Own     bool
	Version         int64
}

// A view is its owner's; shared, others see it and only who manages the programme changes
// it. It names no person.
func TestViews(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		ann, bob := a.Key("members.read"), a.Key("members.read")
		names := func(c apptest.Client, feature string) string {
			var list struct{ Items []view }
			c.Get("/v1/views?feature=" + feature).Into(&list)
			var out []string
			for _, v := range list.Items {
				out = append(out, v.Name)
			}
			return strings.Join(out, " ")
		}
		var own, shared view
		ann.Post("/v1/views", J{"feature": "members", "name": " own ", "query": "?tag=vip&joined_from=2026-01-01", "columns": []string{"name", "tags"}}).Into(&own)
		ann.Post("/v1/views", J{"feature": "members", "name": "shared", "query": "", "shared": true}).Into(&shared)
		ann.Post("/v1/views", J{"feature": "sales", "name": "other", "query": "", "shared": true})
		if own.Name != "own" || own.Query != "joined_from=2026-01-01&tag=vip" || !own.Own || len(own.Columns) != 2 {
			t.Errorf("%+v", own)
		}
		if got := names(ann, "members"); got != "own shared" {
			t.Errorf("the owner sees %q", got)
		}
		if got := names(bob, "members"); got != "shared" {
			t.Errorf("a colleague sees %q", got)
		}
		if got := names(bob, "sales"); got != "other" {
			t.Errorf("of sales a colleague sees %q", got)
		}
		bob.Do("PATCH", "/v1/views/"+own.ID, J{"name": "x"}).Refused(404, "view.unknown")
		bob.Do("DELETE", "/v1/views/"+shared.ID, nil).Refused(403, "view.not_yours")
		bob.Do("PATCH", "/v1/views/"+shared.ID, J{"name": "x"}).Refused(403, "view.not_yours")
		var v view
		a.Must(200, "PATCH", "/v1/views/"+shared.ID, J{"name": "ours", "version": 1}).Into(&v)
		if v.Name != "ours" || v.Version != 2 || !v.Shared || v.Own {
			t.Errorf("%+v", v)
		}
		ann.Do("PATCH", "/v1/views/"+shared.ID, J{"name": "x", "version": 1}).Refused(409, "view.edited")
		for _, bad := range []struct {
			edit J
			code string
		}{
			{J{"query": "q=%E7%8E%8B"}, "view.person"}, {J{"query": "tag=%zz"}, "view.query"}, {J{"query": "tag=%00"}, "view.query"},
			{J{"query": "a=1" + many(30)}, "view.query"},
			{J{"name": "  "}, "view.name"}, {J{"name": strings.Repeat("长", 61)}, "view.name"}, {J{"columns": []string{"a", "a"}}, "view.columns"}, {J{"feature": "secrets"}, "request.invalid"},
		} {
			ann.Do("POST", "/v1/views", apptest.With(J{"feature": "members", "name": "n", "query": ""}, bad.edit)).Refused(422, bad.code)
		}
		ann.Must(204, "DELETE", "/v1/views/"+own.ID, nil)
		ann.Do("DELETE", "/v1/views/"+own.ID, nil).Refused(404, "view.unknown")
		for range 98 {
			ann.Post("/v1/views", J{"feature": "audit", "name": "n", "query": ""})
		}
		ann.Do("POST", "/v1/views", J{"feature": "audit", "name": "n", "query": ""}).Refused(409, "view.many")
	})
}

// many is so many more parameters.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&p" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "=1")
	}
	return b.String()
}
