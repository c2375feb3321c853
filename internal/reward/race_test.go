package reward_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// atOnce runs n functions at once and counts those that were answered with a status.
func atOnce(n int, do func(i int) (status int)) map[int]int64 {
	var mu sync.Mutex
	out := map[int]int64{}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			status := do(i)
			mu.Lock()
			defer mu.Unlock()
			out[status]++
		})
	}
	wg.Wait()
	return out
}

// send orders, and fails only where nothing was answered.
func (w world) send(member, reward string, edits J) int {
	r, err := w.Send("POST", "/v1/members/"+member+"/reward-orders", apptest.With(J{"reward": reward}, edits), apptest.Keyed(fmt.Sprint("race-", w.Unique())))
	if err != nil {
		w.t.Error(err)
	}
	return r.Status
}

// 64 members at once get 10 of 10, each one's own limit holds for 64 orders at once, and codes
// of a pool are each somebody's.
func TestRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		const many, few = 64, 10
		stock := w.reward("tin", few, nil)
		held := w.reward("set", few, J{"prices": []J{{"currency": "points", "points": 10, "money": 100}}})
		limited := w.reward("cup", 0, J{"limits": J{"day": 3}, "prices": []J{{"currency": "points", "points": 1}}})
		pool := w.reward("film", 0, J{"kind": "code", "prices": []J{{"currency": "points", "points": 1}}})
		var codes strings.Builder
		for i := range few {
			fmt.Fprintf(&codes, "CODE-%d\n", i)
		}
		w.Must(200, "POST", "/v1/rewards/"+pool+"/codes", []byte(codes.String()), apptest.Header{Name: "Content-Type", Value: "text/plain"})
		members := make([]string, many)
		for i := range members {
			members[i] = w.rich(1000)
		}
		for name, reward := range map[string]string{"stock": stock, "held": held, "pool": pool} {
			got := atOnce(many, func(i int) int { return w.send(members[i], reward, nil) })
			if got[201] != few || got[409] != many-few {
				t.Errorf("%s of %d: %v", name, few, got)
			}
		}
		if got := atOnce(many, func(int) int { return w.send(members[0], limited, nil) }); got[201] != 3 || got[409] != many-3 {
			t.Errorf("a limit of 3 a day: %v", got)
		}
		if n := w.Number("SELECT COUNT(DISTINCT member_id) FROM reward_code WHERE member_id > 0"); n != few {
			t.Errorf("%d have a code of %d", n, few)
		}
		if w.left(stock) != 0 || w.left(held) != 0 {
			t.Errorf("%d and %d left", w.left(stock), w.left(held))
		}
	})
}

// Whoever pays, cancels and lets time pass at once: an order ends one way, and nothing of it is
// there twice.
func TestOneEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("set", 30, J{"hold_minutes": 10, "prices": []J{{"currency": "points", "points": 10, "money": 100}}})
		for range 6 {
			m := w.rich(10)
			o := w.orders(m, r, nil).Order
			var paid, cancelled atomic.Int64
			atOnce(12, func(i int) int {
				path, body := "/cancel", J{"reason": "x"}
				if i%2 == 0 {
					path, body = "/pay", J{"payment": J{"kind": "cash", "amount": 100, "currency": "CNY", "reference": fmt.Sprint(i)}}
				}
				res, err := w.Send("POST", "/v1/reward-orders/"+o.ID+path, body, apptest.Keyed(fmt.Sprint("end-", w.Unique())))
				if err != nil {
					t.Error(err)
				} else if res.Status == 200 && i%2 == 0 {
					paid.Add(1)
				} else if res.Status == 200 {
					cancelled.Add(1)
				}
				return res.Status
			})
			if paid.Load() > 1 || cancelled.Load() == 0 {
				t.Errorf("paid %d times, cancelled %d times", paid.Load(), cancelled.Load())
			}
			if w.points(m) != 10 {
				t.Errorf("%d points", w.points(m))
			}
		}
		if w.left(r) != 30 {
			t.Errorf("%d left", w.left(r))
		}
		w.after(11 * time.Minute)
	})
}
