package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A module that is off takes nothing new and says so; what there is can be read.
func TestModules(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Policy(func(p *ledger.Policy) { p.Transfer.Allowed = true })
		m, other := a.Member(), a.Member()
		a.Give(m, 100)
		var p struct{ Modules map[string]bool }
		a.Get("/v1/program").Into(&p)
		for name, on := range p.Modules {
			if !on {
				t.Errorf("at first %s is off", name)
			}
			p.Modules[name] = false
		}
		a.Post("/v1/transfers", apptest.J{"from": m, "to": other, "currency": "points", "amount": 1})
		a.Must(200, "PATCH", "/v1/program", apptest.J{"modules": p.Modules})
		for path, body := range map[string]apptest.J{
			"/v1/transfers":                {"from": m, "to": other, "currency": "points", "amount": 1},
			"/v1/members/" + m + "/topups": {"currency": "points", "principal": 1, "payment": apptest.J{"kind": "cash"}},
			"/v1/members/" + m + "/tasks":  {"title": "ring", "due": "2026-03-11"},
			"/v1/shifts":                   {"store": "main", "till": "1"},
		} {
			a.Do("POST", path, body).Refused(409, "program.module_off")
		}
		a.Get("/v1/members/" + m + "/tasks")
		p.Modules["transfers"] = true
		a.Must(200, "PATCH", "/v1/program", apptest.J{"modules": p.Modules})
		a.Post("/v1/transfers", apptest.J{"from": m, "to": other, "currency": "points", "amount": 1})
	})
}

// What operators see: how large things are, and what the last verification found.
func TestSystemPage(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/sales", a.Sale(nil))
		type page struct {
			Version, Engine string
			DatabaseBytes   int64 `json:"database_bytes"`
			DiskFree        int64 `json:"disk_free_bytes"`
			LastVerify      *struct {
				Findings  int
				First     string
				AuditHead string `json:"audit_head"`
			} `json:"last_verify"`
		}
		read := func() (p page) { a.Get("/v1/system").Into(&p); return p }
		if p := read(); p.DatabaseBytes == 0 || p.DiskFree == 0 || p.LastVerify != nil {
			t.Errorf("%+v", p)
		}
		verify := func() page {
			var started struct {
				Job string `json:"job_id"`
			}
			a.Must(202, "POST", "/v1/system/verify", nil).Into(&started)
			for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
				var j struct{ State string }
				if a.Get("/v1/jobs/" + started.Job).Into(&j); j.State == "done" {
					return read()
				}
			}
			t.Fatal("the verification does not end")
			return page{}
		}
		if p := verify(); p.LastVerify == nil || p.LastVerify.Findings != 0 || p.LastVerify.AuditHead == "" {
			t.Errorf("good books: %+v", p.LastVerify)
		}
		m := a.Member()
		a.Give(m, 5)
		a.Exec("UPDATE wallet SET active = 6 WHERE active = 5")
		if p := verify(); p.LastVerify.Findings == 0 || p.LastVerify.First == "" {
			t.Errorf("bad books: %+v", p.LastVerify)
		}
		a.Exec("UPDATE wallet SET active = 5 WHERE active = 6")
	})
}

// Approvals are listed by kind and by who asked; the reference says which rights routes need.
func TestApprovalFilters(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.ApproveAbove(10)
		m := a.Member()
		agent := a.Key("points.adjust", "points.read")
		for range 2 {
			a.Must(http.StatusAccepted, "POST", "/v1/members/"+m+"/adjustments", apptest.J{"currency": "points", "amount": 50, "reason": "x"})
		}
		agent.Must(http.StatusAccepted, "POST", "/v1/members/"+m+"/adjustments", apptest.J{"currency": "points", "amount": 50, "reason": "x"})
		for query, want := range map[string]int{"": 3, "?mine=true": 1, "?kind=adjustment": 3, "?kind=other": 0, "?mine=true&state=approved": 0} {
			var list struct{ Items []struct{ ID string } }
			if agent.Get("/v1/approvals" + query).Into(&list); len(list.Items) != want {
				t.Errorf("%q: %d, want %d", query, len(list.Items), want)
			}
		}
		a.Key("members.read").Do("GET", "/v1/approvals", nil).Refused(403, "request.permission")
		var doc struct {
			Paths map[string]map[string]struct {
				Needs []string `json:"x-permissions"`
			}
		}
		if err := json.Unmarshal(a.API.OpenAPI(), &doc); err != nil {
			t.Fatal(err)
		}
		for at, want := range map[string]string{"get /v1/approvals": "points.read", "post /v1/approvals/{id}/approve": "points.approve", "post /v1/sales": "sales.write", "get /v1/me": ""} {
			method, path, _ := strings.Cut(at, " ")
			if got := strings.Join(doc.Paths[path][method].Needs, " "); got != want {
				t.Errorf("%s needs %q, want %q", at, got, want)
			}
		}
	})
}
