package offer_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// A member checks in once a day, however many calls there are at once; days in a row climb the
// ladder, a day that is missed begins it anew, and days that have passed are settled.
func TestCheckIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.Member()
		w.Do("POST", "/v1/members/"+m+"/check-in", J{}).Refused(409, "offer.no_check_in")
		w.Must(200, "PUT", "/v1/check-in", J{"active": true, "currency": "points", "steps": []int{1, 2, 4}})
		checkIn := func(body J) (c struct {
			Run, Amount int64
			Repeated    bool
		}) {
			t.Helper()
			w.Must(200, "POST", "/v1/members/"+m+"/check-in", body).Into(&c)
			return c
		}
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if r, err := w.Send(http.MethodPost, "/v1/members/"+m+"/check-in", J{}); err != nil || r.Status != 200 {
					t.Errorf("%v %s", err, r.Body)
				}
			})
		}
		all.Wait()
		if got := w.points(m); got != 1 {
			t.Fatalf("%d points for sixty-four check-ins at once", got)
		}
		for day, want := range []int64{2, 4, 4} {
			w.Clock.Advance(24 * time.Hour)
			if c := checkIn(J{}); c.Run != int64(day+2) || c.Amount != want || c.Repeated {
				t.Errorf("day %d: %+v, want %d", day+2, c, want)
			}
		}
		if c := checkIn(J{"at": w.Clock.Now().Add(-72 * time.Hour).Format(time.RFC3339)}); !c.Repeated || c.Amount != 0 {
			t.Errorf("a day that has passed: %+v", c)
		}
		w.Clock.Advance(48 * time.Hour)
		var state struct {
			Today            bool
			Run, Total, Next int64
		}
		if w.Get("/v1/members/" + m + "/check-in").Into(&state); state.Today || state.Run != 0 || state.Total != 4 || state.Next != 1 {
			t.Errorf("after a day that was missed: %+v", state)
		}
		// The day turns at midnight of the programme, which is 16:00 UTC.
		w.Clock.Set(time.Date(2026, 3, 20, 15, 59, 59, 0, time.UTC))
		first := checkIn(J{})
		w.Clock.Set(time.Date(2026, 3, 20, 16, 0, 0, 0, time.UTC))
		if second := checkIn(J{}); first.Run != 1 || second.Run != 2 {
			t.Errorf("around midnight: %+v, %+v", first, second)
		}
		// An event that says so is a check-in, however often it is told.
		w.Clock.Advance(24 * time.Hour)
		for range 2 {
			w.Post("/v1/events", J{"type": "check_in", "member": m, "at": w.Clock.Now().Format(time.RFC3339), "key": "kiosk-1"})
		}
		if c := checkIn(J{}); c.Run != 3 || !c.Repeated {
			t.Errorf("after the event: %+v", c)
		}
		if got := w.points(m); got != 1+2+4+4+1+2+4 {
			t.Errorf("%d points", got)
		}
	})
}

// An open offer begins by the first purchase that counts, for those of its audience; one that
// asks for a yes counts from then on only; each calendar cycle is its own.
func TestOpenOffers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		open := func(code string, edits J) {
			body := J{"delivery": "open", "hours": 0, "goal": J{"kind": "visits", "count": 2}}
			for k, v := range edits {
				body[k] = v
			}
			w.offer(code, body)
		}
		open("once", nil)
		open("daily", J{"repeat": J{"every": "day"}, "reward": J{"currency": "points", "amount": 1}})
		open("again", J{"repeat": J{"every": "completion", "times": 2}, "reward": J{"currency": "points", "amount": 1000}})
		open("gold", J{"audience": `"gold" in member.tags`})
		open("yes", J{"opt_in": true, "counts": J{"condition": `sale.total >= money("10")`}, "reward": J{"currency": "points", "amount": 7}})
		open("rich", J{"audience": `member.spend(30) >= money("30")`, "goal": J{"kind": "visits", "count": 1}, "reward": J{"currency": "points", "amount": 100000}})
		m := w.Member()
		var list struct{ Items []offered }
		if w.Get("/v1/members/" + m + "/offers?available=true").Into(&list); len(list.Items) != 4 || list.Items[0].State != "available" {
			t.Fatalf("available: %+v", list.Items)
		}
		w.Do("POST", "/v1/members/"+m+"/offers/gold/accept", nil).Refused(409, "offer.audience")
		sell := func(n int, amount int64) {
			for range n {
				w.buys(m, amount, nil)
			}
		}
		sell(2, 900) // once and daily; again once
		w.Must(200, "POST", "/v1/members/"+m+"/offers/yes/accept", nil)
		sell(2, 999) // again a second time, and no more; too small for the yes
		if got := w.points(m); got != 50+1+2*1000 {
			t.Errorf("%d points, %+v", got, w.has(m))
		}
		w.Clock.Advance(24 * time.Hour)
		sell(2, 1000) // daily, yes, and rich by the second: 37.98 and 10 before it
		if got := w.points(m); got != 50+2+2*1000+7+100000 {
			t.Errorf("%d points, %+v", got, w.has(m))
		}
	})
}

// A sending goes to whom a condition leaves, or to the lines of a file, once under its name.
func TestSending(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		offer := w.offer("send", J{"audience": `!("no" in member.tags)`})
		var members []string
		for i := range 7 {
			var m struct{ ID string }
			w.Post("/v1/members", J{"external_id": fmt.Sprint("tags/", i), "tags": [][]string{{"vip", "no"}, {"vip"}, {"vip"}, {}, {}, {}, {}}[i]}).Into(&m)
			members = append(members, m.ID)
		}
		if s := w.send(offer, J{"condition": `"vip" in member.tags`}); s.Looked != 7 || s.Sent != 2 || s.Passed != 5 {
			t.Errorf("by condition: %+v", s)
		}
		if s := w.send(offer, J{"all": true}); s.Sent != 6 || s.Passed != 1 {
			t.Errorf("to all: %+v", s)
		}
		file := "member,at\n" + members[0] + ",2026-03-09 08:00\n" + members[6] + ",\next:no/body,\n"
		for range 2 {
			var s sending
			w.Must(202, "POST", "/v1/offers/"+offer+"/send-file?name=march", []byte(file), headerFile).Into(&s)
			if s = w.ended("/v1/offer-sendings/" + s.ID); s.Total != 3 || s.Sent != 2 || s.Refused != 1 {
				t.Errorf("by file: %+v", s)
			}
		}
		if n := len(w.has(members[6])); n != 2 {
			t.Errorf("%d instances, want one of all and one of the file", n)
		}
		w.Do("POST", "/v1/offers/"+offer+"/send-file?name=bad", []byte("who\nx\n"), headerFile).Refused(422, "offer.file")
		w.Do("POST", "/v1/offers/"+offer+"/send", J{}).Refused(422, "offer.whom")
	})
}

// Points for many wait for a second person, and are then given to each once.
func TestGrants(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		a, b := w.Member(), w.Member()
		var g sending
		w.Must(202, "POST", "/v1/grants", J{"members": []string{a, b}, "currency": "points", "amount": 30, "reason": "Sorry for the rain", "name": "rain"}).Into(&g)
		if g.State != "waiting" || g.Approval == "" || w.points(a) != 0 {
			t.Fatalf("%+v with %d points", g, w.points(a))
		}
		w.Do("POST", "/v1/approvals/"+g.Approval+"/approve", nil).Refused(409, "approval.own")
		second := w.Key("points.approve", "points.read")
		second.Must(200, "POST", "/v1/approvals/"+g.Approval+"/approve", nil)
		if g = w.ended("/v1/grants/" + g.ID); g.State != "done" || g.Sent != 2 || w.points(a) != 30 || w.points(b) != 30 {
			t.Errorf("%+v, %d and %d points", g, w.points(a), w.points(b))
		}
		w.Must(202, "POST", "/v1/grants", J{"members": []string{a, b}, "currency": "points", "amount": 30, "reason": "Sorry for the rain", "name": "rain"}).Into(&g)
		if g.State != "done" || w.points(a) != 30 {
			t.Errorf("told again: %+v, %d points", g, w.points(a))
		}
		w.Must(202, "POST", "/v1/grants", J{"all": true, "currency": "points", "amount": 1, "reason": "No"}).Into(&g)
		second.Must(200, "POST", "/v1/approvals/"+g.Approval+"/reject", nil)
		w.Drain()
		if w.Get("/v1/grants/" + g.ID).Into(&g); g.State != "rejected" || w.points(a) != 30 {
			t.Errorf("rejected: %+v", g)
		}
	})
}

// Places are by score, and of equals by who reached it first; who does not want to be seen
// stands nowhere; a cycle that is over is frozen with its prizes, and what comes back later
// counts in the next.
func TestLeaderboard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		w.Post("/v1/leaderboards", J{"code": "week", "name_en": "Week", "metric": "spend", "every": "week", "prizes": []J{
			{"from": 1, "to": 1, "currency": "points", "amount": 100}, {"from": 2, "to": 3, "currency": "points", "amount": 10}}})
		w.Must(200, "PATCH", "/v1/leaderboards/week", J{"state": "live"})
		var m [4]string
		for i := range m {
			m[i] = w.Member()
		}
		hidden, err := member.ParseID(m[3])
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Offers.SetVisible(w.Context(), int64(hidden), false); err != nil {
			t.Fatal(err)
		}
		w.buys(m[0], 5000, nil)
		w.Clock.Advance(time.Minute)
		late := w.buys(m[1], 5000, nil)
		w.buys(m[2], 7000, nil)
		w.buys(m[3], 9000, nil)
		w.Drain()
		standings := func(day string) (places []string, frozen bool) {
			var page struct {
				Items []struct {
					Place  int64
					Member string
				}
				Frozen bool
			}
			w.Get("/v1/leaderboards/week/standings?day=" + day).Into(&page)
			for _, p := range page.Items {
				places = append(places, p.Member)
			}
			return places, page.Frozen
		}
		same := func(got []string, want ...string) bool {
			ok := len(got) == len(want)
			for i := range want {
				ok = ok && got[i] == want[i]
			}
			return ok
		}
		if got, frozen := standings("2026-03-10"); !same(got, m[2], m[0], m[1]) || frozen {
			t.Errorf("places %v of %v", got, m)
		}
		w.Clock.Set(time.Date(2026, 3, 15, 16, 14, 0, 0, time.UTC)) // Monday, before it is frozen
		if err := w.Offers.Freeze(w.Context()); err != nil || w.points(m[2]) != 0 {
			t.Fatalf("%v, %d points", err, w.points(m[2]))
		}
		w.Clock.Advance(2 * time.Minute)
		for range 2 {
			if err := w.Offers.Freeze(w.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.buys(m[1], 2000, nil)
		w.buys(m[0], 1000, nil)
		w.Post("/v1/returns", w.Return(late, nil))
		w.Drain()
		if got, frozen := standings("2026-03-10"); !same(got, m[2], m[0], m[1]) || !frozen {
			t.Errorf("frozen places %v of %v", got, m)
		}
		if got, _ := standings("2026-03-16"); !same(got, m[0]) {
			t.Errorf("the next cycle: %v, want %v alone", got, m[0])
		}
		for i, want := range []int64{10, 10, 100, 0} {
			if got := w.points(m[i]); got != want {
				t.Errorf("member %d has %d points, want %d", i, got, want)
			}
		}
	})
}

// What is followed of a member goes to whom they are merged into, and comes back.
func TestMerge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		w.Post("/v1/badges", J{"code": "regular", "name_en": "Regular"})
		offer := w.offer("badge", J{"reward": J{"badge": "regular"}})
		a, b := w.Member(), w.Member()
		w.send(offer, J{"members": []string{a}})
		w.buys(a, 6000, nil)
		w.Must(200, "POST", "/v1/members/"+a+"/merge", J{"into": b})
		document := w.buys(b, 4000, nil)
		badges := func(m string) (list struct{ Items []struct{ Code string } }) {
			w.Get("/v1/members/" + m + "/badges").Into(&list)
			return list
		}
		if list := w.has(b); len(list) != 1 || list[0].State != "rewarded" || len(badges(b).Items) != 1 {
			t.Fatalf("after the merge: %+v, %+v", list, badges(b))
		}
		w.Post("/v1/returns", w.Return(document, nil))
		if list := w.has(b); list[0].State != "progressing" || list[0].Progress.Done != 6000 || len(badges(b).Items) != 0 {
			t.Errorf("after the return: %+v, %+v", list, badges(b))
		}
		w.Must(200, "POST", "/v1/members/"+a+"/unmerge", nil)
		if own, other := w.has(a), w.has(b); len(own) != 1 || own[0].Progress.Done != 6000 || len(other) != 0 {
			t.Errorf("after it was undone: %+v and %+v", own, other)
		}
	})
}

// What is over is written down by the sweep; a purchase that was made in time and is told late
// counts all the same, and figures mend themselves.
func TestSweep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		offer, m := w.offer("sweep", nil), w.Member()
		w.send(offer, J{"members": []string{m}})
		made := w.Clock.Now().Add(time.Hour).Format(time.RFC3339)
		w.Clock.Advance(100 * time.Hour)
		if list := w.has(m); list[0].State != "expired" {
			t.Errorf("before the sweep: %+v", list)
		}
		sweep := func() {
			t.Helper()
			if err := w.Offers.Sweep(w.Context(), func(int64) {}); err != nil {
				t.Fatal(err)
			}
			w.Drain()
		}
		sweep()
		sweep()
		if n := w.Number("SELECT COUNT(*) FROM event WHERE kind = 'offer.expired'"); n != 1 {
			t.Errorf("told %d times", n)
		}
		w.buys(m, 10000, J{"at": made})
		w.Drain()
		var f struct{ Expired, Completed int64 }
		if w.Get("/v1/offers/" + offer + "/figures").Into(&f); w.has(m)[0].State != "rewarded" || f.Expired != 0 || f.Completed != 1 {
			t.Errorf("%+v, %+v", w.has(m), f)
		}
		w.Clock.Advance(60 * 24 * time.Hour)
		sweep()
		if n := w.Number("SELECT COUNT(*) FROM member_offer WHERE next_ms < 253402300799999"); n != 0 || w.has(m)[0].State != "rewarded" {
			t.Errorf("%d are still followed: %+v", n, w.has(m))
		}
	})
}
