package job

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

type operator struct{ may bool }

func (o operator) Authenticate(context.Context, *http.Request) (api.Caller, error) {
	return api.Caller{Kind: "staff", ID: "stf_test", Can: map[api.Permission]bool{mayOperate: o.may}}, nil
}

func (r rig) ask(o operator, method, path string, into any) int {
	r.Helper()
	router := api.New(api.Config{DB: r.db, Clock: r.clock, Auth: o})
	r.Routes(router)
	req := httptest.NewRequest(method, path, nil)
	req.Header.Set("Authorization", "Bearer x")
	rec := httptest.NewRecorder()
	router.Handler().ServeHTTP(rec, req)
	if into != nil && rec.Code == http.StatusOK {
		if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
			r.Errorf("%s %s: %v in %s", method, path, err, rec.Body)
		}
	}
	return rec.Code
}

func TestRoutes(t *testing.T) {
	each(t, func(r rig) {
		r.Register("a", func(context.Context, *Run) error { return errors.New("no") })
		r.Register("b", func(context.Context, *Run) error { return nil })
		r.enqueue(New{Kind: "b"})
		r.enqueue(New{Kind: "b"})
		failed := r.enqueue(New{Kind: "a", MaxTries: 1, Args: map[string]int{"n": 1}})
		r.work(r.Queue)
		waiting := r.enqueue(New{Kind: "b"})
		may := operator{true}

		var page api.List[jobItem]
		var ids []string
		for path := "/v1/jobs?limit=3"; ; path = "/v1/jobs?limit=3&cursor=" + page.NextCursor {
			page = api.List[jobItem]{}
			if status := r.ask(may, "GET", path, &page); status != 200 {
				t.Fatalf("%s = %d", path, status)
			}
			for _, j := range page.Items {
				ids = append(ids, j.ID)
			}
			if page.NextCursor == "" {
				break
			}
		}
		if len(ids) != 4 || ids[0] != waiting.String() || ids[1] != failed.String() {
			t.Errorf("jobs = %v", ids)
		}
		r.ask(may, "GET", "/v1/jobs?state=failed&kind=a", &page)
		if len(page.Items) != 1 || page.Items[0].Error != "no" || string(page.Items[0].Args) != `{"n":1}` || page.Items[0].Ended == nil {
			t.Errorf("failed jobs = %+v", page.Items)
		}

		var one jobItem
		of := func(id ID) string { return "/v1/jobs/" + id.String() }
		for _, tt := range []struct {
			method, path string
			status       int
			state        State
		}{
			{"GET", of(failed), 200, Failed},
			{"POST", of(failed) + "/cancel", 409, ""},
			{"POST", of(failed) + "/retry", 200, Ready},
			{"POST", of(failed) + "/retry", 409, ""},
			{"POST", of(waiting) + "/cancel", 200, Cancelled},
			{"GET", of(waiting + 99), 404, ""},
			{"GET", "/v1/jobs/job_nonsense", 404, ""},
			{"GET", "/v1/jobs?state=lost", 422, ""},
		} {
			one = jobItem{}
			if status := r.ask(may, tt.method, tt.path, &one); status != tt.status || one.State != tt.state {
				t.Errorf("%s %s = %d %q, want %d %q", tt.method, tt.path, status, one.State, tt.status, tt.state)
			}
			if status := r.ask(operator{}, tt.method, tt.path, nil); status != 403 {
				t.Errorf("%s %s without the right = %d", tt.method, tt.path, status)
			}
		}
	})
}
