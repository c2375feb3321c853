package privacy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// An export is a list for each sheet, with all rows however many pages they take, of all
// records of a person; and the trail has who asked for it.
func TestExport(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		from, into := enrol(a, 1), enrol(a, 2)
		const sales, entries = 120, 520 // more than a page each
		for range sales {
			a.Post("/v1/sales", a.Sale(J{"member": into, "total": 1000, "lines": []J{apptest.Line(1, 1, 1000)}}))
		}
		for range entries {
			a.Give(into, 1)
		}
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into})
		a.Drain()
		var sheets map[string][]map[string]any
		r := a.Get("/v1/members/" + from + "/export").Into(&sheets)
		if kind := r.Header.Get("Content-Type"); kind != "application/json" || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("an export of %s, %s", kind, r.Header.Get("Cache-Control"))
		}
		for sheet, want := range map[string]int{"export": 1, "profile": 2, "identifiers": 6, "consents": 4, "sales": sales + 2, "sale_lines": sales + 2} {
			if got := len(sheets[sheet]); got != want {
				t.Errorf("%s: %d rows, want %d", sheet, got, want)
			}
		}
		ledger := a.Number("SELECT COUNT(*) FROM entry WHERE member_id > 0")
		if got := int64(len(sheets["entries"])); got != ledger {
			t.Errorf("%d entries of %d", got, ledger)
		}
		if got, want := int64(len(sheets["events"])), a.Number("SELECT COUNT(*) FROM event WHERE member_id > 0"); got != want {
			t.Errorf("%d events of %d", got, want)
		}
		var trail struct {
			Items []struct{ Action, Subject, Actor string }
		}
		a.Get("/v1/audit?action=member.exported").Into(&trail)
		if len(trail.Items) != 1 || trail.Items[0].Subject != into || trail.Items[0].Actor == "" {
			t.Errorf("the trail: %+v", trail.Items)
		}
	})
}

// What a spreadsheet would take for a formula is shown by it as text, in every cell that
// came from outside; numbers stay numbers.
func TestExportIsInert(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	for i, start := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		evil := start + `HYPERLINK("http://x","y")`
		var m struct{ ID string }
		a.Post("/v1/members", J{"external_id": fmt.Sprint("e/", i), "name": evil, "address": evil, "city": evil, "tags": []string{evil}}).Into(&m)
		a.Post("/v1/members/"+m.ID+"/adjustments", J{"currency": "points", "amount": 5, "reason": evil})
		a.Post("/v1/members/"+m.ID+"/adjustments", J{"currency": "points", "amount": -3, "reason": "x"})
		text := string(exports(t, a, m.ID)["csv"])
		for _, line := range strings.Split(text, "\r\n") {
			for _, cell := range strings.Split(line, ",") {
				if strings.HasPrefix(strings.TrimPrefix(cell, `"`), start+"HYPER") {
					t.Errorf("a cell begins with %q in %q", start, line)
				}
			}
		}
		if !strings.Contains(text, `"'`+start+"HYPER") || !strings.Contains(text, ",-3,") {
			t.Errorf("%q: the text is not there, or the number is none:\n%s", start, text)
		}
	}
}

// Who may do what: reading consents and writing them is everyday work, taking everything
// out or away is not.
func TestPrivacyPermissions(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	id := enrol(a, 1)
	serves := a.Key(string(staff.ReadMembers), string(staff.ServeMembers), string(staff.ReadPoints), string(staff.MovePoints))
	serves.Get("/v1/members/" + id + "/consents")
	serves.Post("/v1/members/"+id+"/consents", J{"consents": []J{{"purpose": "marketing", "granted": false}}})
	for _, tt := range []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/members/" + id + "/export", nil},
		{"POST", "/v1/members/" + id + "/erase", J{"reason": "request"}},
		{"PUT", "/v1/consent-texts", J{"purpose": "marketing", "text_en": "a", "text_zh": "b"}},
		{"GET", "/v1/sealing-keys", nil},
		{"POST", "/v1/sealing-keys/rotate", nil},
	} {
		if r := serves.Do(tt.method, tt.path, tt.body); r.Status != 403 {
			t.Errorf("%s %s by somebody who serves members: %d", tt.method, tt.path, r.Status)
		}
	}
	if v := read(a, id); v.ErasedAt != "" {
		t.Error("erased by somebody who may not")
	}
}
