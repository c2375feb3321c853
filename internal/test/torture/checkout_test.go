//go:build torture

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/dbtest"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// step is a request of a checkout's life that the blow falls on. What has to come before it is done
// in peace; what comes after it says whether the server still knows where it stood.
type step int

const (
	opening step = iota
	changing
	confirming
	releasing
	returning
	lapsing // nothing is under way: it is held while the server dies, and its time runs out
	steps
)

func (s step) String() string {
	return [...]string{"opening", "changing", "confirming", "releasing", "returning", "lapsing"}[s]
}

const (
	given   = 1000 // points that each member has
	spent   = 200  // of them pay
	taken   = 1500 // off by the voucher
	lapseIn = 30   // seconds: the least that a checkout lasts
)

// till is a shop that sells by checkouts: a member, a voucher and some points for each of them.
type till struct {
	t      *testing.T
	client client
	coupon string
	n      int
	life   []*life
	lapse  time.Time // when the last of those that lapse does
}

// life is one checkout, with what the till has heard of it.
type life struct {
	step               step
	name, member, code string
	id, sale           string // of the checkout, of what it sold
	confirmed          bool
	earned             int64 // by the sale; what follows is of its return
	clawed, restored   int64
}

func newTill(t *testing.T, c client) *till {
	t.Helper()
	w := &till{t: t, client: c}
	var list struct {
		Items []struct {
			Code   string
			Policy j
		}
	}
	if err := c.get("/v1/currencies", &list); err != nil {
		t.Fatal(err)
	}
	for _, cur := range list.Items {
		if cur.Code == "points" {
			cur.Policy["unit_value_millionths"] = 1_000_000 // a fen a point: they can pay
			w.ask(http.MethodPatch, "/v1/currencies/points", "points-pay", j{"policy": cur.Policy}, nil)
		}
	}
	var made struct{ ID string }
	w.ask(http.MethodPost, "/v1/coupons", "coupon", j{"code": "torture", "name_en": "Fifteen off", "name_zh": "减十五", "effect": j{"kind": "amount", "amount": taken}, "limits": j{"budget": 100_000_000}}, &made)
	w.ask(http.MethodPost, "/v1/coupons/"+made.ID+"/publish", "publish", j{}, nil)
	w.coupon = made.ID
	return w
}

// ask sends what has to be granted, of a server that is well.
func (w *till) ask(method, path, key string, body j, to any) {
	w.t.Helper()
	a, err := w.client.ask(method, path, key, must(body))
	if err != nil || a.status/100 != 2 {
		w.t.Fatalf("%s %s %s: %v, %d %s", method, path, key, err, a.status, a.body)
	}
	if to != nil {
		if err := json.Unmarshal(a.body, to); err != nil {
			w.t.Fatalf("%s: %v in %s", path, err, a.body)
		}
	}
}

func (l *life) basket(first int64) j {
	b := j{"member": l.member, "coupons": []string{l.code}, "spend": []j{{"currency": "points", "amount": spent}},
		"lines": []j{{"line": 1, "sku": "tea", "quantity": 1, "amount": first}, {"line": 2, "sku": "cake", "quantity": 1, "amount": 5000}}}
	if l.step == lapsing {
		b["ttl_seconds"] = lapseIn
	}
	return b
}

// request is what a step sends.
func (w *till) request(l *life, s step) (path, key string, body j) {
	key = fmt.Sprint(s, "-", l.name)
	at := time.Now().Format(time.RFC3339)
	switch s {
	case opening, lapsing:
		return "/v1/checkouts", key, l.basket(10_000)
	case changing:
		return "/v1/checkouts/" + l.id + "/change", key, l.basket(20_000)
	case confirming:
		return "/v1/checkouts/" + l.id + "/confirm", key, j{"source": "till", "document": l.name, "payments": []j{{"kind": "cash", "amount": 1}}}
	case releasing:
		return "/v1/checkouts/" + l.id + "/release", key, j{}
	default:
		return "/v1/sales/" + l.sale + "/returns", key, j{"document": "R" + l.name, "at": at, "lines": []j{{"line": 2, "quantity": 1}}}
	}
}

// hear takes the answer to a step into what the till knows.
func (w *till) hear(l *life, s step, a answer) {
	w.t.Helper()
	var said struct {
		ID               string
		Points, Restored amounts
		ClawedBack       amounts   `json:"clawed_back"`
		ExpiresAt        time.Time `json:"expires_at"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		w.t.Fatalf("%v: %v in %s", s, err, a.body)
	}
	switch s {
	case confirming:
		l.confirmed, l.sale, l.earned = true, said.ID, said.Points.sum()
	case returning:
		l.clawed, l.restored = said.ClawedBack.sum(), said.Restored.sum()
	default:
		if l.id = said.ID; l.step == lapsing {
			w.lapse = said.ExpiresAt
		}
	}
}

// amounts are points of several currencies or lots, as answers list them.
type amounts []struct{ Amount int64 }

func (a amounts) sum() (n int64) {
	for _, e := range a {
		n += e.Amount
	}
	return n
}

// peace does a step while nothing happens.
func (w *till) peace(l *life, s step) {
	w.t.Helper()
	path, key, body := w.request(l, s)
	a, err := w.client.ask(http.MethodPost, path, key, must(body))
	if err != nil || a.status/100 != 2 {
		w.t.Fatalf("%s of one that dies %v: %v, %d %s", path, l.step, err, a.status, a.body)
	}
	w.hear(l, s, a)
}

// begin makes a checkout whose next request is that of its step.
func (w *till) begin(s step) *life {
	w.t.Helper()
	w.n++
	l := &life{step: s, name: fmt.Sprint("c", w.n)}
	var made struct{ ID, Code string }
	w.ask(http.MethodPost, "/v1/members", "m-"+l.name, j{"external_id": "till/" + l.name}, &made)
	l.member = made.ID
	w.ask(http.MethodPost, "/v1/members/"+l.member+"/earnings", "e-"+l.name, j{"currency": "points", "amount": given, "reason": "torture", "source": "torture", "document": l.name}, nil)
	w.ask(http.MethodPost, "/v1/coupons/"+w.coupon+"/vouchers", "v-"+l.name, j{"member": l.member}, &made)
	l.code = made.Code
	w.life = append(w.life, l)
	if s != opening {
		w.peace(l, opening)
	}
	if s == returning {
		w.peace(l, confirming)
	}
	return l
}

// resolve asks again for what the blow fell on: the answer that was given, or, where none was, one
// that holds from now on.
func (w *till) resolve(l *life, first answer, sent error, path, key string, body []byte) {
	w.t.Helper()
	a, err := w.client.ask(http.MethodPost, path, key, body)
	switch {
	case err != nil || a.status/100 != 2:
		w.t.Errorf("%v %s: no answer after a kill: %v, %d %s", l.step, l.name, err, a.status, a.body)
		return
	case sent == nil && first.status/100 == 2 && (!a.replayed || !bytes.Equal(first.body, a.body)):
		w.t.Errorf("%v %s: answered %s, and after a kill %s", l.step, l.name, first.body, a.body)
	}
	w.hear(l, l.step, a)
}

// check compares a member and a voucher with what was answered.
func (w *till) check(l *life) {
	w.t.Helper()
	var list []struct{ Available, Pending, Held, Debt int64 }
	var v struct{ State string }
	if err := w.client.get("/v1/members/"+l.member+"/wallets", &list); err != nil || len(list) == 0 {
		w.t.Fatalf("wallet of %s: %v, %v", l.name, list, err)
	}
	if err := w.client.get("/v1/vouchers/"+l.code, &v); err != nil {
		w.t.Fatal(err)
	}
	want, state := int64(given), "claimed"
	if l.confirmed {
		want, state = given-spent+l.earned-l.clawed+l.restored, "redeemed"
	}
	if got := list[0].Available + list[0].Pending - list[0].Debt; got != want || list[0].Held != 0 || v.State != state {
		w.t.Errorf("%s, killed while %v: has %d and %d held, voucher %s; answers say %d and 0, %s", l.name, l.step, got, list[0].Held, v.State, want, state)
	}
}

// L6, L9: a server that is killed at any step of a checkout holds nothing for ever, spends nothing
// twice, and tells whoever asks again what really happened.
func TestKillCheckout(t *testing.T) {
	t.Parallel()
	rounds := soak.Count("TORTURE_CHECKOUTS", 12)
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, e)
			s := p.start(t)
			w := newTill(t, s.client)
			answered := 0
			for range rounds {
				var batch []*life
				for s := opening; s < steps; s++ {
					batch = append(batch, w.begin(s))
				}
				type asked struct {
					path, key string
					body      []byte
					answer    answer
					err       error
				}
				sent := make([]asked, len(batch))
				var all sync.WaitGroup
				for i, l := range batch {
					if l.step == lapsing {
						continue
					}
					path, key, body := w.request(l, l.step)
					sent[i] = asked{path: path, key: key, body: must(body)}
					all.Go(func() {
						time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
						sent[i].answer, sent[i].err = s.ask(http.MethodPost, path, key, sent[i].body)
					})
				}
				time.Sleep(time.Duration(1+rand.IntN(50)) * time.Millisecond)
				s.kill()
				all.Wait()
				s = p.start(t)
				w.client = s.client
				for i, l := range batch {
					if l.step == lapsing {
						continue
					}
					if sent[i].err == nil {
						answered++
					}
					w.resolve(l, sent[i].answer, sent[i].err, sent[i].path, sent[i].key, sent[i].body)
					if t.Failed() {
						return
					}
					if l.step == opening || l.step == changing {
						w.peace(l, confirming)
					}
					w.check(l)
				}
			}
			time.Sleep(time.Until(w.lapse.Add(time.Second)))
			var used int64
			for _, l := range w.life {
				w.check(l)
				if l.confirmed {
					used++
				}
			}
			var c struct {
				Counts struct{ Issued, Used, Held int64 }
			}
			if err := w.client.get("/v1/coupons/"+w.coupon, &c); err != nil {
				t.Fatal(err)
			}
			if n := int64(w.n); c.Counts.Issued != n || c.Counts.Used != used || c.Counts.Held != 0 {
				t.Errorf("the coupon says %+v; %d were given and %d used", c.Counts, n, used)
			}
			s.stop(t)
			p.verify(t)
			t.Logf("%d kills, %d checkouts, %d of %d requests had their answer before it", rounds, w.n, answered, rounds*int(steps-1))
		})
	}
}
