package app_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// J is a JSON object.
type J = apptest.J

// order is one write of these tests: what it asks and what it moves if it is granted.
type order struct {
	kind   string
	method string
	path   string
	body   J
	key    string
	member string
	delta  int64 // of the member's usable points
	other  string
	gain   int64 // of the other one's
}

// shop is members with points, and ways to make orders about them.
type shop struct {
	*apptest.App
	t       *testing.T
	members []string
	rng     *rand.Rand
}

const firstPoints = 300

func newShop(t *testing.T, a *apptest.App, members int) *shop {
	const seed = 7 // fixed, so that a failure comes again
	s := &shop{App: a, t: t, rng: rand.New(rand.NewPCG(seed, seed))}
	a.Policy(func(p *ledger.Policy) { p.Transfer.Allowed = true })
	for range members {
		m := a.Member()
		a.Give(m, firstPoints)
		s.members = append(s.members, m)
	}
	return s
}

// kinds are the writes that L1 and L2 are about: all that move points, and three that do
// not. Each makes an order about a member; what has to be there before is made at once.
var kinds = []struct {
	name string
	make func(s *shop, m string, n int64) order
}{
	{"enrolment", func(s *shop, m string, n int64) order {
		return order{path: "/v1/members", body: J{"external_id": fmt.Sprint("new/", n)}}
	}},
	{"tags", func(s *shop, m string, n int64) order {
		return order{path: "/v1/members/" + m + "/tags", body: J{"add": []string{fmt.Sprint("t", n)}}}
	}},
	{"event", func(s *shop, m string, n int64) order {
		return order{path: "/v1/events", body: J{"type": "visit", "member": m, "at": "2026-03-10", "key": fmt.Sprint(n)}}
	}},
	{"sale", func(s *shop, m string, n int64) order {
		return order{path: "/v1/sales", body: s.Sale(J{"member": m, "total": 1000, "lines": []J{apptest.Line(1, 1, 1000)}}), delta: 10}
	}},
	{"sale of nobody", func(s *shop, m string, n int64) order {
		return order{path: "/v1/sales", body: s.Sale(nil)}
	}},
	{"return", func(s *shop, m string, n int64) order {
		return order{path: "/v1/sales/" + s.sell(m, "") + "/returns", body: J{"document": fmt.Sprint("R", n), "at": "2026-03-10 12:00"}, delta: -100}
	}},
	{"return by document", func(s *shop, m string, n int64) order {
		document := fmt.Sprint("D", n)
		s.sell(m, document)
		return order{path: "/v1/returns", body: s.Return(document, J{"lines": []J{{"line": 1, "quantity": 1, "amount": 10000}}}), delta: -100}
	}},
	{"assignment", func(s *shop, m string, n int64) order {
		return order{path: "/v1/sales/" + s.sell("", "") + "/assign", body: J{"member": m}, delta: 100}
	}},
	{"earning", func(s *shop, m string, n int64) order {
		return order{path: "/v1/members/" + m + "/earnings", body: J{"currency": "points", "amount": 7, "reason": "t", "source": "l1", "document": fmt.Sprint(n)}, delta: 7}
	}},
	{"spending", func(s *shop, m string, n int64) order {
		return order{path: "/v1/members/" + m + "/spendings", body: J{"currency": "points", "amount": 60, "reason": "t", "source": "l1", "document": fmt.Sprint(n)}, delta: -60}
	}},
	{"adjustment", func(s *shop, m string, n int64) order {
		return order{path: "/v1/members/" + m + "/adjustments", body: J{"currency": "points", "amount": -3, "reason": fmt.Sprint(n)}, delta: -3}
	}},
	{"transfer", func(s *shop, m string, n int64) order {
		to := s.members[(slices.Index(s.members, m)+1)%len(s.members)]
		return order{path: "/v1/transfers", body: J{"from": m, "to": to, "currency": "points", "amount": 5, "reason": fmt.Sprint(n)}, delta: -5, other: to, gain: 5}
	}},
	{"hold", func(s *shop, m string, n int64) order {
		return order{path: "/v1/holds", body: J{"member": m, "currency": "points", "amount": 2, "ttl_seconds": 600, "purpose": fmt.Sprint(n)}, delta: -2}
	}},
	{"capture", func(s *shop, m string, n int64) order {
		return order{path: "/v1/holds/" + s.hold(m) + "/capture", body: J{"amount": 1}, delta: 1} // the other one comes back
	}},
	{"release", func(s *shop, m string, n int64) order {
		return order{path: "/v1/holds/" + s.hold(m) + "/release", delta: 2}
	}},
}

// sell makes a sale of 100 points and returns its id.
func (s *shop) sell(m, document string) string {
	edit := J{}
	if m != "" {
		edit["member"] = m
	}
	if document != "" {
		edit["document"] = document
	}
	var sold apptest.Sold
	s.Post("/v1/sales", s.Sale(edit)).Into(&sold)
	return sold.ID
}

func (s *shop) hold(m string) string {
	var h struct{ ID string }
	s.Post("/v1/holds", J{"member": m, "currency": "points", "amount": 2, "ttl_seconds": 600, "purpose": "t"}).Into(&h)
	return h.ID
}

func (s *shop) order(kind int, m string) order {
	o := kinds[kind].make(s, m, s.Unique())
	o.kind, o.method, o.member, o.key = kinds[kind].name, "POST", m, fmt.Sprint("key-", s.Unique())
	return o
}

func (o *order) send(c apptest.Client, headers ...apptest.Header) (apptest.Response, error) {
	var body any
	if o.body != nil {
		body = o.body
	}
	return c.Send(o.method, o.path, body, append([]apptest.Header{apptest.Keyed(o.key)}, headers...)...)
}

// L1: a command that is sent one to five times, in any order among others, by many at
// once, with every tenth connection cut while it is under way, has one effect and one
// answer: the same status and the same bytes, of which at most one is not marked as a
// repetition. What members have in the end is what the answers say.
func TestSameKeySameAnswer(t *testing.T) {
	t.Parallel()
	const members, workers = 50, 16
	commands := soak.Times(2000)
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(t, a, members)
		orders := make([]order, commands)
		for i := range orders {
			orders[i] = s.order(i%len(kinds), s.members[s.rng.IntN(members)])
		}
		before := s.available()
		heard := make([]hearing, commands)
		s.repeat(orders, heard, workers)
		want := before
		for i := range orders {
			o, h := &orders[i], &heard[i]
			last, err := o.send(a.Client)
			if err != nil {
				t.Fatalf("%s: %v", o.kind, err)
			}
			h.add(t, o, last)
			if last.Status < 300 {
				want[o.member] += o.delta
				want[o.other] += o.gain
			} else if last.Status != http.StatusConflict {
				t.Errorf("%s: %d %s", o.kind, last.Status, last.Body)
			}
		}
		got := s.available()
		for _, m := range s.members {
			if got[m] != want[m] {
				t.Errorf("%s has %d, by the answers %d", m, got[m], want[m])
			}
		}
	})
}

// available is what each member has, less what they owe.
func (s *shop) available() map[string]int64 {
	out := map[string]int64{}
	for _, m := range s.members {
		w := s.Wallet(m)
		out[m] = w.Available - w.Debt
	}
	return out
}

// hearing is the answers to one order that arrived.
type hearing struct {
	mu    sync.Mutex
	first *apptest.Response
	fresh int
}

func (h *hearing) add(t *testing.T, o *order, r apptest.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Status == http.StatusServiceUnavailable {
		return // unknown: ask again
	}
	if !r.Replayed() {
		h.fresh++
	}
	if h.first == nil {
		h.first = &r
		return
	}
	if r.Status != h.first.Status || !sameBody(r, *h.first) {
		t.Errorf("%s, two answers to one key:\n%d %s\n%d %s", o.kind, h.first.Status, h.first.Body, r.Status, r.Body)
	}
	if h.fresh > 1 {
		t.Errorf("%s: answered twice as if for the first time", o.kind)
	}
}

// plainWrites may come without a key: nothing moves points.
var plainWrites = map[string]bool{"enrolment": true, "tags": true}

// sameBody reports whether two answers are the same JSON, to the byte.
func sameBody(a, b apptest.Response) bool {
	return bytes.Equal(a.Body, b.Body)
}

// repeat sends every order one to five times, spread over its neighbours.
func (s *shop) repeat(orders []order, heard []hearing, workers int) {
	const spread = 40.0 // how many orders further the copies of one go
	type copied struct {
		order int
		place float64
		cut   time.Duration // 0: not
	}
	var copies []copied
	for i := range orders {
		for range 1 + s.rng.IntN(5) {
			c := copied{order: i, place: float64(i) + spread*s.rng.Float64()*s.rng.Float64()}
			if s.rng.IntN(10) == 0 {
				c.cut = time.Duration(1 + s.rng.IntN(int(4*time.Millisecond)))
			}
			copies = append(copies, c)
		}
	}
	slices.SortFunc(copies, func(x, y copied) int { return int(1e6*x.place) - int(1e6*y.place) })
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(copies); i = int(next.Add(1)) - 1 {
				c := copies[i]
				client := s.Client
				if c.cut > 0 {
					ctx, cancel := context.WithTimeout(s.t.Context(), c.cut)
					client = client.In(ctx)
					defer cancel()
				}
				if r, err := orders[c.order].send(client); err == nil {
					heard[c.order].add(s.t, &orders[c.order], r)
				} else if c.cut == 0 {
					s.t.Errorf("%s: %v", orders[c.order].kind, err)
				}
			}
		})
	}
	all.Wait()
}

// L2: a key belongs to one request. With another body it is refused, without effect; a
// write that moves points needs one; and it is the caller's own and the route's own.
func TestKeyIsOneRequest(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(t, a, 2)
		colleague := a.Key("all")
		for kind := range kinds {
			o := s.order(kind, s.members[0])
			first, err := o.send(a.Client)
			if err != nil || first.Status >= 300 {
				t.Fatalf("%s: %v, %d %s", o.kind, err, first.Status, first.Body)
			}
			p := s.order(kind, s.members[0]) // another one
			p.key = o.key
			between := s.available()
			if r, err := p.send(a.Client); err != nil {
				t.Fatal(err)
			} else {
				r.Refused(422, "request.key_reused")
			}
			if r, _ := p.send(a.Client, apptest.Header{Name: "Idempotency-Key"}); !plainWrites[o.kind] {
				r.Refused(400, "request.key_missing")
				if got := s.available(); got[p.member] != between[p.member] {
					t.Errorf("%s: a refused request moved %d", o.kind, got[p.member]-between[p.member])
				}
			}
			if r, _ := o.send(a.Client); !r.Replayed() || !sameBody(r, first) {
				t.Errorf("%s: the first request again: %s", o.kind, r.Body)
			}
			p = s.order(kind, s.members[0])
			p.key = o.key // another caller's key of the same name
			if r, _ := p.send(colleague); r.Status != first.Status || r.Replayed() {
				t.Errorf("%s: a colleague's key of the same name: %d %s", o.kind, r.Status, r.Body)
			}
		}
		one := s.order(8, s.members[0]) // one key on two routes
		two := s.order(9, s.members[0])
		two.key = one.key
		for _, o := range []order{one, two} {
			if r, _ := o.send(a.Client); r.Status != 201 || r.Replayed() {
				t.Errorf("%s under a key of another route: %d %s", o.kind, r.Status, r.Body)
			}
		}
	})
}

func kindOf(name string) int {
	for i, k := range kinds {
		if k.name == name {
			return i
		}
	}
	panic(name)
}

// L4: a refusal by state stays the answer to its key, whatever the state is since.
func TestRefusalStays(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		for i := range 25 {
			m := a.Member()
			path, body, key := "/v1/members/"+m+"/spendings", J{"currency": "points", "amount": 50, "reason": "t", "source": "l4", "document": fmt.Sprint(i)}, fmt.Sprint("l4-", i)
			first := a.Do("POST", path, body, apptest.Keyed(key))
			first.Refused(409, "ledger.insufficient")
			a.Give(m, 100)
			if r := a.Do("POST", path, body, apptest.Keyed(key)); !r.Replayed() || !sameBody(r, first) {
				t.Fatalf("after a top-up: replayed %v, %q, at first %q", r.Replayed(), r.Body, first.Body)
			}
			a.Post(path, body) // a new key asks anew
		}
	})
}
