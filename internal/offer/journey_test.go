package offer_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

func each(t *testing.T, body func(t *testing.T, w world)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, a *apptest.App) { body(t, world{a, t}) })
}

// An offer is received, viewed, progresses with purchases, is completed and rewarded; a return
// that brings it below opens it again and takes the reward back; the next purchase completes
// it anew; figures say so.
func TestJourney(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		offer, m := w.offer("spend", nil), w.Member()
		if s := w.send(offer, J{"members": []string{m}}); s.State != "done" || s.Sent != 1 || s.Total != 1 || s.Looked != 1 {
			t.Fatalf("sent: %+v", s)
		}
		state := func(want string, done, points int64) offered {
			t.Helper()
			list := w.has(m)
			if len(list) != 1 || list[0].State != want || list[0].Progress.Done != done || w.points(m) != points {
				t.Fatalf("%+v with %d points, want %s at %d with %d", list, w.points(m), want, done, points)
			}
			return list[0]
		}
		i := state("received", 0, 0)
		w.Must(200, "POST", "/v1/members/"+m+"/offers/"+i.ID+"/view", nil)
		w.Must(200, "POST", "/v1/members/"+m+"/offers/"+i.ID+"/view", J{})
		state("viewed", 0, 0)
		w.buys(m, 4000, nil)
		state("progressing", 4000, 0)
		second := w.buys(m, 6000, nil)
		if i = state("rewarded", 10000, 50); i.CompletedAt == nil || !i.CompletedAt.Equal(w.Clock.Now()) {
			t.Errorf("completed at %v", i.CompletedAt)
		}
		w.buys(m, 1000, nil)
		state("rewarded", 10000, 50)
		var back apptest.Returned
		w.Post("/v1/returns", w.Return(second, nil)).Into(&back)
		if len(back.ClawedBack) != 1 || back.ClawedBack[0].Amount != 50 {
			t.Errorf("clawed back %+v", back)
		}
		state("progressing", 5000, 0)
		w.buys(m, 5000, nil)
		state("rewarded", 10000, 50)
		w.Drain()
		var f struct {
			Received, Viewed, Completed int64
			Cost                        []struct {
				Currency string
				Amount   int64
			}
			Days []J
		}
		w.Get("/v1/offers/" + offer + "/figures").Into(&f)
		if f.Received != 1 || f.Viewed != 1 || f.Completed != 1 || len(f.Cost) != 1 || f.Cost[0].Amount != 50 || len(f.Days) != 1 {
			t.Errorf("figures %+v", f)
		}
	})
}

// The window is closed on both sides: the first and the last instant count, those beside them
// do not.
func TestWindow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		offer := w.offer("window", J{"goal": J{"kind": "purchase", "amount": 1000}})
		at := w.Clock.Now().Add(-200 * time.Hour)
		for _, tt := range []struct {
			name string
			when time.Time
			want string
		}{
			{"one tick early", at.Add(-time.Millisecond), "expired"},
			{"first instant", at, "rewarded"},
			{"last instant", at.Add(72 * time.Hour), "rewarded"},
			{"one tick late", at.Add(72*time.Hour + time.Millisecond), "expired"},
			{"too small", at.Add(time.Hour), "expired"},
		} {
			m := w.Member()
			w.send(offer, J{"members": []string{m}, "at": at.Format(time.RFC3339Nano)})
			amount := int64(1000)
			if tt.name == "too small" {
				amount = 999
			}
			w.buys(m, amount, J{"at": tt.when.Format(time.RFC3339Nano)})
			if list := w.has(m); len(list) != 1 || list[0].State != tt.want {
				t.Errorf("%s: %+v, want %s", tt.name, list, tt.want)
			}
		}
	})
}
