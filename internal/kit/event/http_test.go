package event

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// everybody signs everyone in, with the rights that it lists.
type everybody []api.Permission

func (e everybody) Authenticate(context.Context, *http.Request) (api.Caller, error) {
	c := api.Caller{Kind: "key", ID: "key_test", Can: map[api.Permission]bool{}}
	for _, p := range e {
		c.Can[p] = true
	}
	return c, nil
}

func (r rig) ask(can everybody, method, path, body string) (int, string) {
	r.Helper()
	router := api.New(api.Config{DB: r.db, Clock: r.clock, Auth: can})
	r.Routes(router)
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer x")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	router.Handler().ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

func TestRoutes(t *testing.T) {
	each(t, func(r rig) {
		r.Subscribe("weak", func(context.Context, *db.Tx, []Event) error { return http.ErrBodyNotAllowed })
		r.tell("sale.recorded", 7, 1, 2)
		r.tell("shop.opened", 0, 3, 1)
		r.tell("sale.recorded", -3, 4, 1)
		r.drain()
		reader := everybody{mayRead}

		status, body := r.ask(reader, "GET", "/v1/events?after=1&limit=2", "")
		var page struct {
			Items []struct {
				Position         int64
				ID, Type, Member string
				Body             struct{ N int }
			}
			Last int64
		}
		if err := json.Unmarshal([]byte(body), &page); status != 200 || err != nil || len(page.Items) != 2 || page.Last != 3 {
			t.Fatalf("%d %s", status, body)
		}
		if e := page.Items[0]; e.Position != 2 || e.Type != "sale.recorded" || e.Member != id.Encode("mem_", 7, 0) ||
			!strings.HasPrefix(e.ID, "evt_") || e.Body.N != 2 {
			t.Errorf("item = %+v", e)
		}
		if page.Items[1].Member != "" {
			t.Errorf("an event of nobody has member %q", page.Items[1].Member)
		}
		if _, body = r.ask(reader, "GET", "/v1/events?after=2&type=sale.recorded", ""); !strings.Contains(body, `"position":4`) ||
			strings.Contains(body, "mem_") || strings.Contains(body, `"position":3`) {
			t.Errorf("sales after 2: %s", body)
		}
		if status, body = r.ask(reader, "GET", "/v1/events?after=4", ""); status != 200 || !strings.Contains(body, `"items":[]`) || !strings.Contains(body, `"last":4`) {
			t.Errorf("past the end: %d %s", status, body)
		}
		for path, want := range map[string]int{
			"/v1/events?after=-1": 422, "/v1/events?limit=201": 422, "/v1/events?after=x": 422, "/v1/events?before=1": 400,
			"/v1/event-failures": 403,
		} {
			if status, body := r.ask(reader, "GET", path, ""); status != want && !(path == "/v1/events?after=x" && status == 400) {
				t.Errorf("%s = %d %s, want %d", path, status, body, want)
			}
		}
		operator := everybody{mayOperate}
		if status, body = r.ask(operator, "GET", "/v1/event-failures", ""); status != 200 || !strings.Contains(body, `"subscriber":"weak"`) {
			t.Errorf("failures: %d %s", status, body)
		}
		if status, body = r.ask(operator, "POST", "/v1/event-failures/replay", `{"subscriber":"weak"}`); status != 200 || strings.Contains(body, `"ranges":0`) {
			t.Errorf("replay: %d %s", status, body)
		}
		if status, _ = r.ask(operator, "POST", "/v1/event-failures/replay", `{"subscriber":"none"}`); status != 404 {
			t.Errorf("replay of nobody: %d", status)
		}
		if status, _ = r.ask(reader, "POST", "/v1/event-failures/replay", `{}`); status != 403 {
			t.Errorf("replay without the right: %d", status)
		}
	})
}
