package offer_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// bought is one purchase of a history: at so many hours from the receipt, of three products.
type bought struct {
	hour   int
	amount [3]int64 // of tea, cups and cakes; a line of two pieces each, none where 0
	back   [3]int64 // pieces of each that come back
}

// The naive offers that the law is about: what is left of purchases in the window decides.
var naive = []struct {
	code   string
	goal   J
	counts J
	reward int64
	met    func(list []bought) bool
}{
	{"spend", J{"kind": "spend", "amount": 9000}, J{}, 11, func(list []bought) bool {
		n := int64(0)
		for _, b := range list {
			n += b.left(0) + b.left(1) + b.left(2)
		}
		return n >= 9000
	}},
	{"tea-spend", J{"kind": "spend", "amount": 4000}, J{"skus": []string{"tea"}}, 101, func(list []bought) bool {
		n := int64(0)
		for _, b := range list {
			n += b.left(0)
		}
		return n >= 4000
	}},
	{"big", J{"kind": "purchase", "amount": 5000, "count": 2}, J{"exclude_skus": []string{"cake"}}, 1_001, func(list []bought) bool {
		n := 0
		for _, b := range list {
			if b.left(0)+b.left(1) >= 5000 {
				n++
			}
		}
		return n >= 2
	}},
	{"often", J{"kind": "visits", "count": 3}, J{}, 10_001, func(list []bought) bool {
		n := 0
		for _, b := range list {
			if b.pieces() > 0 {
				n++
			}
		}
		return n >= 3
	}},
	{"row", J{"kind": "streak", "count": 3, "unit": "day"}, J{}, 100_001, func(list []bought) bool {
		days := map[int]bool{}
		for _, b := range list {
			if b.pieces() > 0 {
				days[(b.hour+12)/24] = true // the receipt is at noon
			}
		}
		for d := range days {
			if days[d+1] && days[d+2] {
				return true
			}
		}
		return false
	}},
	{"set", J{"kind": "products", "products": []J{{"sku": "tea", "quantity": 3}, {"sku": "cup"}}}, J{}, 1_000_001, func(list []bought) bool {
		tea, cups := int64(0), int64(0)
		for _, b := range list {
			tea, cups = tea+b.kept(0), cups+b.kept(1)
		}
		return tea >= 3 && cups >= 1
	}},
}

// kept is how many pieces of a product are left, left what was paid for them.
func (b bought) kept(i int) int64 {
	if b.amount[i] == 0 {
		return 0
	}
	return 2 - b.back[i]
}

func (b bought) left(i int) int64 { return b.amount[i] * b.kept(i) / 2 }

func (b bought) pieces() int64 { return b.kept(0) + b.kept(1) + b.kept(2) }

const lawWindow = 120 // hours

// Whatever a member buys and brings back, in whatever order that is told: an instance is
// rewarded if and only if what is left of the purchases within its window, both ends included,
// meets its goal. A purchase that is returned whole leaves nothing, one that is told twice
// counts once.
func TestLaw(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		received := w.Clock.Now().Add(-lawWindow * time.Hour)
		members := make([]string, 30)
		for i := range members {
			members[i] = w.Member()
		}
		for _, n := range naive {
			o := w.offer(n.code, J{"goal": n.goal, "counts": n.counts, "hours": lawWindow + 2400, "until": received.Add(lawWindow*time.Hour + time.Millisecond).Format(time.RFC3339Nano), "reward": J{"currency": "points", "amount": n.reward}})
			if s := w.send(o, J{"members": members, "at": received.Format(time.RFC3339Nano)}); s.Sent != int64(len(members)) {
				t.Fatalf("%+v", s)
			}
		}
		next := 0
		rapid.Check(t, func(rt *rapid.T) {
			if next == len(members) { // enough was tried
				return
			}
			m := members[next]
			next++
			h := w.lawHistory(rt, m, received)
			h.post()
			h.compare("all")
			before := w.has(m)
			extra := h.sell(bought{hour: rapid.IntRange(0, lawWindow).Draw(rt, "extra"), amount: [3]int64{4000, 6000, 2000}})
			w.Post("/v1/returns", w.Return(extra, nil))
			if after := w.has(m); fmt.Sprint(states(before)) != fmt.Sprint(states(after)) {
				rt.Fatalf("a sale that was returned whole leaves\n%v, was\n%v", states(after), states(before))
			}
			h.compare("with one that came back whole")
		})
	})
}

// states is what may not differ.
func states(list []offered) (out []string) {
	for _, i := range list {
		out = append(out, fmt.Sprint(i.Code, " ", i.State, " ", i.Progress.Done))
	}
	return out
}

// history is what one member buys.
type history struct {
	world
	rt       *rapid.T
	member   string
	received time.Time
	list     []bought
}

func (w world) lawHistory(rt *rapid.T, member string, received time.Time) *history {
	h := &history{world: w, rt: rt, member: member, received: received}
	for range rapid.IntRange(1, 5).Draw(rt, "purchases") {
		b := bought{hour: rapid.SampledFrom([]int{-1, 0, 1, 11, 12, 13, 30, 36, 59, 60, 84, 100, lawWindow, lawWindow}).Draw(rt, "hour")}
		for i := range b.amount {
			b.amount[i] = 2 * rapid.SampledFrom([]int64{0, 1, 499, 500, 1250, 2000, 2500}).Draw(rt, "amount")
			if b.amount[i] > 0 {
				b.back[i] = rapid.SampledFrom([]int64{0, 0, 0, 1, 2}).Draw(rt, "back")
			}
		}
		if b.amount == [3]int64{} {
			b.amount[0] = 2
		}
		h.list = append(h.list, b)
	}
	return h
}

// sell posts one purchase, and what of it came back right after it if it is told so.
func (h *history) sell(b bought) (document string) {
	var lines []J
	total := int64(0)
	for i, sku := range []string{"tea", "cup", "cake"} {
		if b.amount[i] > 0 {
			lines = append(lines, J{"line": i + 1, "sku": sku, "quantity": 2, "amount": b.amount[i]})
			total += b.amount[i]
		}
	}
	sale := h.Sale(J{"member": h.member, "at": h.received.Add(time.Duration(b.hour) * time.Hour).Format(time.RFC3339Nano), "total": total, "lines": lines})
	h.Post("/v1/sales", sale)
	if h.Unique()%3 == 0 { // told twice
		h.Post("/v1/sales", sale)
	}
	return sale["document"].(string)
}

func (h *history) bring(document string, b bought) {
	var lines []J
	for i := range b.back {
		if b.back[i] > 0 {
			lines = append(lines, apptest.Back(i+1, float64(b.back[i])))
		}
	}
	if len(lines) > 0 {
		h.Post("/v1/returns", h.Return(document, J{"lines": lines}))
	}
}

// post tells the purchases in any order, and each time some of what came back.
func (h *history) post() {
	order := rapid.Permutation(h.list).Draw(h.rt, "order")
	var later []func()
	for _, b := range order {
		document := h.sell(b)
		if back := func() { h.bring(document, b) }; rapid.Bool().Draw(h.rt, "at once") {
			back()
		} else {
			later = append(later, back)
		}
	}
	for _, back := range later {
		back()
	}
}

func (h *history) compare(when string) {
	h.rt.Helper()
	inside := slices.DeleteFunc(slices.Clone(h.list), func(b bought) bool { return b.hour < 0 || b.hour > lawWindow })
	points := int64(0)
	got := h.has(h.member)
	for i, n := range naive {
		want := n.met(inside)
		if want {
			points += n.reward
		}
		if is := got[i].State == "rewarded"; got[i].Code != n.code || is != want {
			h.rt.Fatalf("%s: %s is %s at %d of %d, want met %v for %+v", when, n.code, got[i].State, got[i].Progress.Done, got[i].Progress.All, want, inside)
		}
	}
	if got := h.points(h.member); got != points {
		h.rt.Fatalf("%s: %d points, want %d", when, got, points)
	}
}

// Of sixty-four purchases at once each counts once, and the reward is given once.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Earning(func(e *program.Earning) { e.Points = 0 })
		m := w.Member()
		w.send(w.offer("visits", J{"goal": J{"kind": "visits", "count": 64}}), J{"members": []string{m}})
		w.send(w.offer("spend", J{"goal": J{"kind": "spend", "amount": 640}}), J{"members": []string{m}})
		w.offer("open", J{"goal": J{"kind": "spend", "amount": 640}, "delivery": "open", "hours": 0})
		var all sync.WaitGroup
		for range 64 {
			sale := w.Sale(J{"member": m, "total": 10, "lines": []J{apptest.Line(1, 1, 10)}})
			for range 2 {
				all.Go(func() {
					if r, err := w.Send(http.MethodPost, "/v1/sales", sale); err != nil || r.Status != http.StatusCreated {
						t.Errorf("%v %s", err, r.Body)
					}
				})
			}
		}
		all.Wait()
		for _, i := range w.has(m) {
			if i.State != "rewarded" || i.Progress.Done != i.Progress.All {
				t.Errorf("%+v", i)
			}
		}
		if n := len(w.has(m)); n != 3 || w.points(m) != 150 {
			t.Errorf("%d instances, %d points", n, w.points(m))
		}
	})
}
