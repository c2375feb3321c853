package staff

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

const (
	anybody  = "anybody"  // nobody need be signed in
	everyone = "everyone" // whoever is signed in
)

// needs says what each route asks for. A route that is not here fails the test, and so
// does a line without a route.
var needs = map[string]api.Permission{
	"POST /v1/setup":       anybody,
	"POST /v1/sign-in":     anybody,
	"POST /v1/sign-out":    everyone,
	"GET /v1/me":           everyone,
	"PATCH /v1/me":         everyone,
	"POST /v1/me/password": everyone,

	"GET /v1/sessions":         everyone,
	"DELETE /v1/sessions":      everyone,
	"DELETE /v1/sessions/{id}": everyone,

	"GET /v1/roles":                everyone,
	"GET /v1/colleagues":           "members.write",
	"GET /v1/staff":                "staff.manage",
	"POST /v1/staff":               "staff.manage",
	"GET /v1/staff/{id}":           "staff.manage",
	"PATCH /v1/staff/{id}":         "staff.manage",
	"POST /v1/staff/{id}/password": "staff.manage",
	"POST /v1/staff/{id}/sign-out": "staff.manage",

	"GET /v1/keys":         "keys.manage",
	"POST /v1/keys":        "keys.manage",
	"GET /v1/keys/{id}":    "keys.manage",
	"DELETE /v1/keys/{id}": "keys.manage",

	"POST /v1/keys/{id}/rotate": "keys.manage",

	"GET /v1/audit": "audit.read",

	"GET /v1/program":       everyone,
	"PATCH /v1/program":     "program.manage",
	"GET /v1/program/rates": everyone,
	"PUT /v1/program/rates": "program.manage",

	"PUT /v1/program/logo":    "program.manage",
	"DELETE /v1/program/logo": "program.manage",

	"GET /v1/merchants":        everyone,
	"POST /v1/merchants":       "program.manage",
	"GET /v1/merchants/{id}":   everyone,
	"PATCH /v1/merchants/{id}": "program.manage",
	"GET /v1/stores":           everyone,
	"POST /v1/stores":          "program.manage",
	"GET /v1/stores/{id}":      everyone,
	"PATCH /v1/stores/{id}":    "program.manage",
	"GET /v1/tills":            everyone,
	"POST /v1/tills":           "program.manage",
	"GET /v1/tills/{id}":       everyone,
	"PATCH /v1/tills/{id}":     "program.manage",
}

// principal is somebody who calls. secret gives a way in that still holds, however often
// the calls before have ended sessions.
type principal struct {
	name   string
	can    map[api.Permission]bool // nil: may not come in at all
	secret func() string
}

// Every route answers every caller as the tables say, and a refused call writes nothing.
func TestMatrix(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		routes := w.router.Routes()
		if want := slices.Sorted(maps.Keys(needs)); !slices.Equal(routes, want) {
			t.Fatalf("the routes are\n%s\nthe table has\n%s", strings.Join(routes, "\n"), strings.Join(want, "\n"))
		}
		calls := 0
		for _, who := range w.principals() {
			for _, route := range routes {
				w.check(route, who)
				calls++
			}
		}
		t.Logf("%d calls", calls)
	})
}

// principals are nobody, each role, keys of several scopes, and ways in that are over.
func (w *world) principals() []principal {
	list := []principal{
		{"nobody", nil, func() string { return "" }},
		{"a wrong key", nil, func() string { return keyText(false) }},
		{"a wrong session", nil, newSecret},
	}
	for _, c := range columns {
		a := w.person(string(c.Role), c.Role)
		list = append(list, principal{string(c.Role), c.Role.Can(), func() string { return w.signIn(a) }})
	}
	for _, scopes := range [][]string{{All}, {"sales.write"}, {"program.manage", "audit.read"}} {
		_, secret := w.key(NewKey{Name: "k", Scopes: scopes})
		list = append(list, principal{"key of " + strings.Join(scopes, ","), scope(scopes), func() string { return secret }})
	}
	gone := w.person("gone", Owner)
	session := w.signIn(gone)
	if _, err := w.staff.ChangeStaff(w.ctx(), gone.ID, AccountChange{Active: new(bool)}); err != nil {
		w.t.Fatal(err)
	}
	revoked, revokedSecret := w.key(NewKey{Name: "k", Scopes: []string{All}})
	if err := w.staff.RevokeKey(w.ctx(), revoked.ID, ""); err != nil {
		w.t.Fatal(err)
	}
	_, expired := w.key(NewKey{Name: "k", Scopes: []string{All}, Until: w.clock.Now().Add(time.Minute)})
	w.clock.Advance(time.Minute)
	return append(list,
		principal{"a disabled owner", nil, func() string { return session }},
		principal{"a revoked key", nil, func() string { return revokedSecret }},
		principal{"an expired key", nil, func() string { return expired }})
}

// check makes one call and compares the answer with the tables. What lies behind the door
// answers as it likes (the bodies are empty), only not with these refusals.
func (w *world) check(route string, who principal) {
	w.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	secret := who.secret()
	before := w.count("SELECT COUNT(*) FROM audit")
	var body any
	if method != http.MethodGet && method != http.MethodDelete {
		body = json.RawMessage("{}")
	}
	out := w.call(method, strings.ReplaceAll(path, "{id}", "x"), secret, body)

	need := needs[route]
	want := ""
	switch {
	case need == anybody:
	case who.can == nil:
		want = "request.unauthenticated"
	case need != everyone && !who.can[need]:
		want = "request.permission"
	}
	got := codeOf(out)
	if want != "" && got != want {
		w.t.Errorf("%s by %s: %d %s, want %s", route, who.name, out.Code, got, want)
	}
	if want == "" && (got == "request.unauthenticated" || got == "request.permission" || out.Code >= 500) {
		w.t.Errorf("%s by %s: %d %s, want to be let in", route, who.name, out.Code, out.Body)
	}
	if after := w.count("SELECT COUNT(*) FROM audit"); want != "" && after != before {
		w.t.Errorf("%s by %s was refused, and wrote", route, who.name)
	}
}
