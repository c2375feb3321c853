package app_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// L2: a twin that comes while the first is under way waits for its answer. The first is
// held up by a lock on the member's account.
func TestTwinWaits(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(t, a, 1)
		for _, kind := range []string{"sale", "spending", "hold", "adjustment"} {
			o := s.order(kindOf(kind), s.members[0])
			locked, release := make(chan struct{}), make(chan struct{})
			var all sync.WaitGroup
			all.Go(func() {
				err := a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) error {
					if _, err := tx.ExecText(ctx, "UPDATE account SET entry_n = entry_n"); err != nil {
						return err
					}
					close(locked)
					<-release
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			<-locked
			const twins = 4
			answers := make([]apptest.Response, twins)
			written := make(chan struct{}, twins)
			for i := range twins {
				all.Go(func() {
					ctx := httptrace.WithClientTrace(a.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { written <- struct{}{} }})
					var err error
					if answers[i], err = o.send(a.In(ctx)); err != nil {
						t.Error(err)
					}
				})
			}
			for range twins {
				<-written
			}
			close(release)
			all.Wait()
			fresh := 0
			for _, r := range answers {
				if r.Status != 201 || !sameBody(r, answers[0]) {
					t.Errorf("%s: %d %s, another got %s", kind, r.Status, r.Body, answers[0].Body)
				}
				if !r.Replayed() {
					fresh++
				}
			}
			if fresh != 1 {
				t.Errorf("%s: %d of %d twins were the first", kind, fresh, twins)
			}
		}
	})
}

// L5: of n clients who spend, hold or pay with one balance at once, exactly as many get
// through as it covers; 10,000 attempts.
func TestNoDoubleSpend(t *testing.T) {
	t.Parallel()
	const clients = 50
	rounds := soak.Times(200)
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		rng := rand.New(rand.NewPCG(5, 5))
		for round := range rounds {
			m, covers := a.Member(), 1+rng.IntN(clients-1)
			a.Give(m, int64(10*covers+rng.IntN(10)))
			start := make(chan struct{})
			var got, insufficient atomic.Int64
			var all sync.WaitGroup
			for i := range clients {
				all.Go(func() {
					path, body := "/v1/members/"+m+"/spendings", J{"currency": "points", "amount": 10, "reason": "t", "source": "l5", "document": fmt.Sprint(round, "/", i)}
					if (round+i)%2 == 1 {
						path, body = "/v1/holds", J{"member": m, "currency": "points", "amount": 10, "ttl_seconds": 600, "purpose": "t"}
					}
					<-start
					switch r := a.Do("POST", path, body); {
					case r.Status == 201:
						got.Add(1)
					case r.Status == 409 && r.Problem().Code == "ledger.insufficient":
						insufficient.Add(1)
					default:
						t.Errorf("%d %s", r.Status, r.Body)
					}
				})
			}
			close(start)
			all.Wait()
			if w := a.Wallet(m); got.Load() != int64(covers) || insufficient.Load() != int64(clients-covers) || w.Available < 0 || w.Available > 9 || w.Held+w.Spent != int64(10*covers) {
				t.Fatalf("round %d: a balance for %d let %d through; %+v", round, covers, got.Load(), w)
			}
		}
	})
}

// L5 for one hold: of a capture, a release and sales that it pays for at once, one wins.
func TestHoldEndsOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		for range 20 {
			m := a.Member()
			a.Give(m, 10)
			var h struct{ ID string }
			a.Post("/v1/holds", J{"member": m, "currency": "points", "amount": 10, "ttl_seconds": 600, "purpose": "t"}).Into(&h)
			start := make(chan struct{})
			var won atomic.Int64
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					path, body := "/v1/holds/"+h.ID+"/capture", any(J{})
					switch i % 3 {
					case 1:
						path, body = "/v1/holds/"+h.ID+"/release", nil
					case 2:
						path, body = "/v1/sales", a.Sale(J{"member": m, "total": 0, "lines": []J{apptest.Line(1, 1, 0)}, "payments": []J{{"kind": "points", "amount": 0, "reference": h.ID}}})
					}
					<-start
					if r := a.Do("POST", path, body); r.Status < 300 {
						won.Add(1)
					} else {
						r.Refused(409, "ledger.hold_over")
					}
				})
			}
			close(start)
			all.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d of 12 ended one hold", won.Load())
			}
		}
	})
}
