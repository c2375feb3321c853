package tier_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
	"github.com/patron-loyalty/patron/internal/tier"
)

// crowd makes members of so many purchases each, past the engine: 20 days of buying in three
// years and a standing in the ladder that is live. Their books do not add up, and nobody asks.
func crowd(b *testing.B, a *apptest.App, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	today := activity.Day(20_522) // apptest.Noon
	const step = 2_000
	for first := 0; first < n; first += step {
		err := a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) error {
			for i := first; i < min(n, first+step); i++ {
				m := int64(1_000_000 + i)
				book := &activity.Book{}
				for range 20 {
					day, amount := today-activity.Day(r.IntN(1_100)), 1_000+r.Int64N(30_000)
					book.Bought(day, 1, amount)
					book.Earn(day, 1, amount/100)
				}
				if _, err := tx.ExecText(ctx, `INSERT INTO account (shard, member_id, entry_n, sale_n, event_n, may_earn, may_spend, merged_into, first_hold, activity) VALUES ($1, $2, 0, 0, 0, 1, 1, 0, 0, $3)`, id.Shard(m), m, book.Pack()); err != nil {
					return err
				}
				body := `{"n":1,"l":[{"s":1,"t":"base","r":1,"b":20500,"f":20500,"p":20500}]}`
				if _, err := tx.ExecText(ctx, `INSERT INTO tier_member (shard, member_id, tier, next_day, body) VALUES ($1, $2, 'base', 2147483647, $3)`, id.Shard(m), m, body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// How fast a what-if goes over the members. PATRON_BENCH_MEMBERS says how many there are.
func BenchmarkWhatIf(b *testing.B) {
	n := 20_000
	if text := os.Getenv("PATRON_BENCH_MEMBERS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			a := apptest.Open(b, e)
			a.Post("/v1/tier-schemes", club(nil))
			a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
			if err := a.Tiers.LookAll(a.Context(), nil); err != nil {
				b.Fatal(err)
			}
			crowd(b, a, n)
			draft := club(J{"window": J{"kind": "rolling", "months": 12}})
			draft["tiers"].([]J)[1]["qualify"] = J{"spend": 60_000}
			a.Must(200, "PUT", "/v1/tier-schemes/club/draft", draft)
			st, err := a.Tiers.Scheme(a.Context(), "club")
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			members := int64(0)
			for b.Loop() {
				var r tier.Result
				if r, err = a.Tiers.WhatIfOf(a.Context(), *st.Draft); err != nil {
					b.Fatal(err)
				}
				members += r.Members
			}
			b.StopTimer()
			b.ReportMetric(float64(members)/b.Elapsed().Seconds(), "members/s")
			a.Exec("DELETE FROM tier_member WHERE member_id >= 1000000")
			a.Exec("DELETE FROM account WHERE member_id >= 1000000")
		})
	}
}
