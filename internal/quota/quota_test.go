package quota_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// act is a command that does something with counts under the lock of a member.
type act struct {
	member int64
	keys   []quota.Key
	do     func(s *ledger.State) (any, error)
}

func (c act) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}}
	for _, k := range c.keys {
		n.Rows = append(n.Rows, k.Row(), quota.KinRow(k.Part))
	}
	return n
}

func (c act) Decide(s *ledger.State) (any, error) { return c.do(s) }

func do(a *apptest.App, c act) (any, error) {
	out := a.Ledger.Engine().DoMany(a.Context(), []ledger.Request{{Command: c, Actor: "test"}})[0]
	return out.Value, out.Err
}

func owner(t testing.TB, a *apptest.App) int64 {
	t.Helper()
	m, err := member.ParseID(a.Member())
	if err != nil {
		t.Fatal(err)
	}
	return int64(m)
}

// Whatever is taken, held, given back and left to lapse, a count is what a list of all that was
// done says, and what was refused is what the list has no room for.
func TestCount(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := owner(t, a)
		next := int64(0)
		rapid.Check(t, func(t *rapid.T) {
			next++
			k := quota.Key{Kind: quota.CouponUse, ID: next}
			limit := quota.Limit{N: rapid.Int64Range(0, 6).Draw(t, "limit"), Amount: rapid.Int64Range(0, 60).Draw(t, "budget")}
			type piece struct {
				n, amount, until int64 // until 0: taken
			}
			var list []piece
			used := func() (n, amount int64) {
				for _, p := range list {
					if p.until == 0 || p.until > a.Clock.Now().UnixMilli() {
						n, amount = n+p.n, amount+p.amount
					}
				}
				return n, amount
			}
			for range rapid.IntRange(1, 12).Draw(t, "steps") {
				p := piece{n: rapid.Int64Range(1, 3).Draw(t, "n"), amount: rapid.Int64Range(0, 25).Draw(t, "amount")}
				n, amount := used()
				want := error(nil)
				if limit.Amount > 0 && amount+p.amount > limit.Amount {
					want = quota.ErrBudget
				}
				if limit.N > 0 && n+p.n > limit.N {
					want = quota.ErrSpent
				}
				i := 0
				if len(list) > 0 {
					i = rapid.IntRange(0, len(list)-1).Draw(t, "which")
				}
				what := rapid.SampledFrom([]string{"take", "hold", "end", "confirm", "wait"}).Draw(t, "what")
				if what == "wait" {
					a.Clock.Advance(time.Duration(rapid.Int64Range(1, 40).Draw(t, "seconds")) * time.Second)
					continue
				}
				now := a.Clock.Now().UnixMilli()
				_, err := do(a, act{m, []quota.Key{k}, func(s *ledger.State) (any, error) {
					switch what {
					case "take":
						return nil, quota.Take(s, k, limit, p.n, p.amount)
					case "hold":
						until, err := quota.Hold(s, k, limit, p.n, p.amount, now+15_000)
						p.until = until
						return nil, err
					}
					want = nil
					switch {
					case len(list) == 0:
					case what == "end" && list[i].until == 0:
						quota.Return(s, k, list[i].n, list[i].amount)
					case what == "end":
						quota.Free(s, k, list[i].n, list[i].amount, list[i].until)
					case list[i].until > now:
						quota.Confirm(s, k, list[i].n, list[i].amount, list[i].until)
					}
					return nil, nil
				}})
				if !errors.Is(err, want) || (err != nil) != (want != nil) {
					t.Fatalf("%s %+v of %+v: %v, want %v", what, p, list, err, want)
				}
				switch {
				case err != nil:
				case what == "take", what == "hold":
					if p.until != 0 && (p.until < now+15_000 || p.until > now+25_000) {
						t.Fatalf("held until %d ms from now", p.until-now)
					}
					list = append(list, p)
				case len(list) == 0:
				case what == "end":
					list = append(list[:i:i], list[i+1:]...)
				case list[i].until > now:
					list[i].until = 0
				}
				n, amount = used()
				err = a.DB.Read(context.Background(), func(ctx context.Context, tx *db.Tx) error {
					got, err := quota.Read(ctx, tx, []quota.Key{k}, now)
					if c := got[k]; c.Used+c.Held != n || c.Amount+c.HeldAmount != amount {
						return fmt.Errorf("%+v, want %d and %d: %+v", c, n, amount, list)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	})
}

// Sixty-four members take and hold, in any order of the things that they take, what there are
// ten of: ten get one of each, on one engine or on two at once. One count alone cannot be had.
func TestRace(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		members := make([]int64, 64)
		for i := range members {
			members[i] = owner(t, a)
		}
		keys := []quota.Key{{Kind: quota.RewardStock, ID: 1}, {Kind: quota.CouponUse, ID: 1}, {Kind: quota.DrawPrize, ID: 9}}
		limit := quota.Limit{N: 10}
		until := a.Clock.Now().UnixMilli() + 60_000
		var wg sync.WaitGroup
		var mu sync.Mutex
		var got, refused int
		for _, m := range members {
			wg.Go(func() {
				mine := append([]quota.Key(nil), keys...)
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				_, err := do(a, act{m, mine, func(s *ledger.State) (any, error) {
					for i, k := range mine {
						var err error
						if (m+int64(i))%2 == 0 {
							err = quota.Take(s, k, limit, 1, 0)
						} else {
							_, err = quota.Hold(s, k, limit, 1, 0, until)
						}
						if err != nil {
							return nil, err
						}
					}
					return nil, nil
				}})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					got++
				case errors.Is(err, quota.ErrSpent):
					refused++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got != 10 || refused != 54 {
			t.Errorf("%d got one, %d were refused", got, refused)
		}
		err := a.DB.Read(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			all, err := quota.Read(ctx, tx, keys, a.Clock.Now().UnixMilli())
			for k, c := range all {
				if c.Used+c.Held != 10 {
					t.Errorf("%+v stands at %+v", k, c)
				}
			}
			return err
		})
		if err != nil || t.Failed() {
			t.Fatal(err)
		}
	})
}
