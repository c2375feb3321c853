package member

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// door lets everybody in with the permissions that the bearer token lists.
type door struct{}

func (door) Authenticate(_ context.Context, r *http.Request) (api.Caller, error) {
	caller := api.Caller{Kind: "key", ID: "key_1", Name: "test", Can: map[api.Permission]bool{}}
	for p := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ",") {
		caller.Can[api.Permission(p)] = true
	}
	return caller, nil
}

// site serves the members' routes over a fresh database.
type site struct {
	t       *testing.T
	handler http.Handler
	service *Service
	db      *db.DB
}

func newSite(t *testing.T, d *db.DB) *site {
	c := clock.At(noon)
	s := New(d, seal.Test(), c, nil)
	r := api.New(api.Config{DB: d, Clock: c, Auth: door{}, Title: "t", Version: "1"})
	s.Routes(r)
	return &site{t, r.Handler(), s, d}
}

var all = []api.Permission{staff.ReadMembers, staff.ServeMembers, staff.ManageMembers, staff.ManageProgram}

// send makes a request and reads the answer as JSON.
func (s *site) send(method, path, body string, can ...api.Permission) (int, map[string]any) {
	s.t.Helper()
	if len(can) == 0 {
		can = all
	}
	var words []string
	for _, p := range can {
		words = append(words, string(p))
	}
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+strings.Join(words, ","))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if strings.Contains(body, "stale") {
		req.Header.Set("If-Match", `"1"`)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	got := map[string]any{}
	if w.Code == http.StatusNoContent {
		return w.Code, got
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Code, got
}

// ok is send for a request that succeeds.
func (s *site) ok(method, path, body string) map[string]any {
	s.t.Helper()
	status, got := s.send(method, path, body)
	if status >= 300 {
		s.t.Fatalf("%s %s: %d %v", method, path, status, got)
	}
	return got
}

// wallets stands for a noun above.
type wallets struct{ name string }

func (w wallets) Card(_ context.Context, m ID) (string, any, error) {
	return w.name, []string{m.Number()}, nil
}

// switches notes what it was told.
type switches struct{ told []string }

func (s *switches) SetSwitches(_ context.Context, m ID, earn, spend *bool, reason string) error {
	word := func(b *bool) string {
		if b == nil {
			return "-"
		}
		return map[bool]string{true: "on", false: "off"}[*b]
	}
	s.told = append(s.told, m.Number()+" "+word(earn)+" "+word(spend)+" "+reason)
	return nil
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d)
		lever := &switches{}
		s.service.Use(Hooks{Switches: lever})
		for _, name := range []string{"wallets", "tier", "other"} {
			s.service.Register(wallets{name})
		}
		s.ok("PUT", "/v1/attributes/shoe", `{"kind":"number","label_en":"Shoe size","label_zh":"鞋码"}`)
		m := s.ok("POST", "/v1/members", `{"external_id":"shop/4","phone":"13800136027","email":"li@example.com","name":"李明","attributes":{"shoe":42},"tags":["vip"],"consents":["marketing_email"],"joined_at":"2025-12-31"}`)
		id := m["id"].(string)
		if m["phone"] != "+8613800136027" || m["number"] != "8000001" || m["external_id"] != "shop/4" || m["joined_at"] != "2025-12-31T00:00:00Z" {
			t.Errorf("created %v", m)
		}
		for _, card := range []any{m["wallets"], m["tier"], m["cards"].(map[string]any)["other"]} {
			if !slices.Equal(card.([]any), []any{"8000001"}) {
				t.Errorf("card %v", card)
			}
		}
		for _, name := range []string{id, "no:8000001", "phone:+8613800136027", "ext:shop%2F4", "email:" + url.PathEscape("LI@example.com")} {
			if got := s.ok("GET", "/v1/members/"+name, ""); got["id"] != id {
				t.Errorf("GET by %s: %v", name, got["id"])
			}
		}
		got := s.ok("PATCH", "/v1/members/"+id, `{"email":null,"name":"Li Ming","attributes":{"shoe":null}}`)
		if got["email"] != nil || got["name"] != "Li Ming" || got["phone"] != "+8613800136027" || len(got["attributes"].(map[string]any)) != 0 || got["version"] != 2.0 {
			t.Errorf("patched %v", got)
		}
		got = s.ok("POST", "/v1/members/"+id+"/tags", `{"add":["new"],"remove":["vip"]}`)
		if tags := got["tags"].([]any); !slices.Equal(tags, []any{"new"}) {
			t.Errorf("tags %v", tags)
		}
		list := s.ok("GET", "/v1/members?q=li&tag=new", "")["items"].([]any)
		if len(list) != 1 || list[0].(map[string]any)["phone"] != "138****6027" {
			t.Errorf("list %v: one member, masked", list)
		}
		s.ok("POST", "/v1/members/"+id+"/block", `{"reason":"fraud"}`)
		s.ok("POST", "/v1/members/"+id+"/unblock", `{"earn":true,"reason":"cleared"}`)
		if want := []string{"8000001 off off fraud", "8000001 on - cleared"}; !slices.Equal(lever.told, want) {
			t.Errorf("switches %v, want %v", lever.told, want)
		}
		dispatch(t, d, clock.At(noon))
		events := s.ok("GET", "/v1/members/"+id+"/timeline?limit=2", "")
		if items := events["items"].([]any); len(items) != 2 || items[0].(map[string]any)["type"] != "member.tagged" || events["next_cursor"] == nil {
			t.Errorf("timeline %v", events)
		}
		rest := s.ok("GET", "/v1/members/"+id+"/timeline?limit=2&cursor="+events["next_cursor"].(string), "")
		if items := rest["items"].([]any); len(items) != 1 || !slices.Equal(items[0].(map[string]any)["data"].(map[string]any)["consents"].([]any), []any{"marketing_email"}) {
			t.Errorf("timeline goes on with %v", rest)
		}
	})
}

func TestMergeRoutes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d)
		a := s.ok("POST", "/v1/members", `{"phone":"13800136027","tags":["new"]}`)["id"].(string)
		b := s.ok("POST", "/v1/members", `{"card":"c2"}`)["id"].(string)
		preview := s.ok("GET", "/v1/members/"+a+"/merge?into="+b, "")
		if one := preview["identifiers"].([]any)[0].(map[string]any); one["value"] != "138****6027" || preview["tags"].([]any)[0] != "new" {
			t.Errorf("preview %v", preview)
		}
		got := s.ok("POST", "/v1/members/"+a+"/merge", `{"into":"card:c2"}`)
		if got["id"] != b || got["phone"] != "+8613800136027" || got["merged"].([]any)[0] != a {
			t.Errorf("survivor %v", got)
		}
		if got := s.ok("GET", "/v1/members/"+a, ""); got["id"] != b {
			t.Errorf("the merged record reads as %v, want the survivor", got["id"])
		}
		if got := s.ok("POST", "/v1/members/"+a+"/unmerge", ""); got["id"] != a || got["merged_into"] != nil {
			t.Errorf("unmerged %v", got)
		}
	})
}

// Each request is refused with the status that the conventions give for its sort.
func TestRoutesRefuse(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s := newSite(t, d)
	id := s.ok("POST", "/v1/members", `{"phone":"13800136027","name":"x"}`)["id"].(string)
	s.ok("PATCH", "/v1/members/"+id, `{"city":"bj"}`)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"POST", "/v1/members", `{"phone":"13800136027"}`, 409, "member.identifier_taken"},
		{"POST", "/v1/members", `{"name":"x"}`, 422, "member.identifier_needed"},
		{"POST", "/v1/members", `{"phone":"1"}`, 422, "member.phone"},
		{"POST", "/v1/members", `{"card":"1","birthday":"2030-01-01"}`, 422, "member.birthday"},
		{"POST", "/v1/members", `{"card":"1","joined_at":"soon"}`, 422, "member.joined_at"},
		{"GET", "/v1/members/mem_x", "", 404, "member.not_found"},
		{"GET", "/v1/members/phone:13900139000", "", 404, "member.not_found"},
		{"GET", "/v1/members/phone:1", "", 422, "member.phone"},
		{"GET", "/v1/members/13800136027", "", 422, "member.ref"},
		{"GET", "/v1/members/qr:abc", "", 404, "member.not_found"},
		{"PATCH", "/v1/members/" + id, `{"phone":null}`, 409, "member.identifier_last"},
		{"PATCH", "/v1/members/" + id, `{"name":"stale"}`, 409, "member.changed"},
		{"POST", "/v1/members/" + id + "/merge", `{"into":"` + id + `"}`, 409, "member.merge_self"},
		{"POST", "/v1/members/" + id + "/unmerge", "", 409, "member.not_merged"},
		{"POST", "/v1/members/" + id + "/block", `{"reason":"x"}`, 503, "member.no_wallets"},
		{"POST", "/v1/members/" + id + "/block", `{"earn":false,"spend":false,"reason":"x"}`, 422, "member.switches"},
		{"POST", "/v1/members/" + id + "/identifiers", `{"kind":"passport","value":"1"}`, 422, "member.identifier_kind"},
		{"POST", "/v1/members/" + id + "/identifiers/remove", `{"kind":"card","value":"1"}`, 404, "member.identifier_unknown"},
		{"PUT", "/v1/attributes/Shoe", `{"kind":"number","label_en":"a","label_zh":"b"}`, 422, "member.attribute_schema"},
	} {
		status, got := s.send(tt.method, tt.path, tt.body)
		if status != tt.status || got["code"] != tt.code {
			t.Errorf("%s %s %s: %d %v; want %d %s", tt.method, tt.path, tt.body, status, got, tt.status, tt.code)
		}
		if text, _ := json.Marshal(got); strings.Contains(string(text), "13800136027") {
			t.Errorf("%s %s repeats a phone: %s", tt.method, tt.path, text)
		}
	}
}

// Each route asks for its own permission: with all others it is refused.
func TestRoutesNeed(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s := newSite(t, d)
	id := s.ok("POST", "/v1/members", `{"card":"1"}`)["id"].(string)
	for _, tt := range []struct {
		method, path, body string
		needs              api.Permission
	}{
		{"POST", "/v1/members", `{"card":"2"}`, staff.ServeMembers},
		{"GET", "/v1/members", "", staff.ReadMembers},
		{"GET", "/v1/members/" + id, "", staff.ReadMembers},
		{"PATCH", "/v1/members/" + id, `{"name":"x"}`, staff.ServeMembers},
		{"POST", "/v1/members/" + id + "/tags", `{}`, staff.ServeMembers},
		{"GET", "/v1/members/" + id + "/timeline", "", staff.ReadMembers},
		{"POST", "/v1/members/" + id + "/merge", `{"into":"card:1"}`, staff.ManageMembers},
		{"POST", "/v1/members/" + id + "/unmerge", "", staff.ManageMembers},
		{"POST", "/v1/members/" + id + "/block", `{"reason":"x"}`, staff.ManageMembers},
		{"GET", "/v1/attributes", "", staff.ReadMembers},
		{"PUT", "/v1/attributes/a", `{"kind":"text","label_en":"a","label_zh":"b"}`, staff.ManageProgram},
	} {
		var others []api.Permission
		for _, p := range all {
			if p != tt.needs {
				others = append(others, p)
			}
		}
		if status, got := s.send(tt.method, tt.path, tt.body, others...); status != http.StatusForbidden {
			t.Errorf("%s %s without %s: %d %v", tt.method, tt.path, tt.needs, status, got)
		}
		if status, got := s.send(tt.method, tt.path, tt.body, tt.needs); status == http.StatusForbidden {
			t.Errorf("%s %s with %s: %v", tt.method, tt.path, tt.needs, got)
		}
	}
}

// A card that fails fails the page, with the cause for the log.
func TestCardFails(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s := newSite(t, d)
	id := s.ok("POST", "/v1/members", `{"card":"1"}`)["id"].(string)
	s.service.Register(broken{})
	if status, got := s.send("GET", "/v1/members/"+id, ""); status != http.StatusInternalServerError {
		t.Errorf("%d %v", status, got)
	}
}

type broken struct{}

func (broken) Card(context.Context, ID) (string, any, error) {
	return "wallets", nil, errors.New("gone")
}
