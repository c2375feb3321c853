package sale_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

// at writes an instant so many hours after the clock's beginning.
func at(hours float64) string {
	return apptest.Noon.Add(time.Duration(hours * float64(time.Hour))).Format(time.RFC3339)
}

// key makes an idempotency key of a name.
func key(name string) api.Key {
	sum := sha256.Sum256([]byte(name))
	return api.Key{Hash: [16]byte(sum[:16]), Body: [16]byte(sum[16:]), Set: true}
}

// record posts a sale of a member (0 for nobody's) past HTTP, for tests of many thousands.
func record(a *apptest.App, owner member.ID, n sale.New, ask sale.Ask) sale.Result {
	return a.Sales.ImportMany(a.Context(), []sale.Item{{Sale: &n, Owner: owner}}, nil, ask)[0]
}

// give gives a member points past HTTP.
func give(t testing.TB, a *apptest.App, m member.ID, amount int64) {
	t.Helper()
	if err := a.Ledger.Engine().Do(a.Context(), ledger.Request{Command: ledger.EarnCommand{Member: int64(m), Currency: "points", Amount: amount}}).Err; err != nil {
		t.Fatalf("give %d points: %v", amount, err)
	}
}

// held puts points of a member on hold for an hour and returns the hold's id.
func held(t testing.TB, a *apptest.App, m member.ID, amount int64) string {
	t.Helper()
	var h *ledger.Hold
	c := holdCommand{m, func(s *ledger.State, acc *ledger.Account) (err error) {
		h, err = s.Hold(acc, s.Config.ByCode["points"], amount, s.NowMS+time.Hour.Milliseconds(), "test", ledger.Posting{})
		return err
	}}
	if err := a.Ledger.Engine().Do(a.Context(), ledger.Request{Command: c}).Err; err != nil {
		t.Fatalf("hold %d points: %v", amount, err)
	}
	return ledger.HoldID(int64(m), h.Seq)
}

type holdCommand struct {
	member member.ID
	do     func(*ledger.State, *ledger.Account) error
}

func (c holdCommand) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{int64(c.member)}, Lots: []int64{int64(c.member)}}
}

func (c holdCommand) Decide(s *ledger.State) (any, error) {
	acc, err := s.Account(int64(c.member))
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.do(s, acc)
}

// wallet is what a member has of the first currency, as it stands in the database.
type wallet struct{ available, pending, held, debt, earned, spent int64 }

// wallets reads all of them.
func wallets(t testing.TB, a *apptest.App) map[member.ID]wallet {
	t.Helper()
	out := map[member.ID]wallet{}
	err := a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT member_id, active, pending, held, debt, earned, spent FROM wallet")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m member.ID
			var w wallet
			if err := rows.Scan(&m, &w.available, &w.pending, &w.held, &w.debt, &w.earned, &w.spent); err != nil {
				return err
			}
			out[m] = w
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sideBySide runs f for 0 … n-1, so many at a time that batches fill.
func sideBySide(n int, f func(i int)) {
	const width = 64
	next := make(chan int)
	var all sync.WaitGroup
	for range width {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

func name(parts ...any) string { return fmt.Sprint(parts...) }
