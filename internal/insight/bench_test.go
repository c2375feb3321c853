package insight_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/insight"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// saleEvents are sales of today of many members, as the till's are.
func saleEvents(a *apptest.App, from, n int) []event.Event {
	store := program.StoreID(a.Program.Snapshot().DefaultStore().ID)
	list := make([]event.Event, n)
	for i := range list {
		m := int64((from+i)*7919%100_000 + 1)
		list[i] = event.Event{
			Position: int64(from + i + 2), Kind: "sale.recorded", Shard: id.Shard(m), Member: m, AtMS: apptest.Noon.UnixMilli() + int64(from+i),
			Body: fmt.Appendf(nil, `{"n":1,"id":"sal_0123456789abcdefghjkmnpqrs","currency":"CNY","total":12800,"store":%q,"lines":2,"earned":[{"lot_id":"lot_0123456789abcdefghjkmnpqrs","currency":"points","amount":128}],"moves":[[1,1,1,128,1]]}`, store),
		}
	}
	return list
}

// BenchmarkSubscriber is what the sums add to the dispatch of one sale.
func BenchmarkSubscriber(b *testing.B) {
	for _, e := range dbtest.Engines {
		for _, batch := range []int{64, 256} {
			b.Run(fmt.Sprint(e, "/", batch), func(b *testing.B) {
				a := apptest.Open(b, e)
				a.Drain()
				a.Exec("UPDATE rollup SET zone = 'Asia/Shanghai'") // begun: else the sums would be compared with the books meanwhile
				b.ResetTimer()
				err := a.DB.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error { // one, since the dispatcher commits in any case
					for at := 0; at < b.N; at += batch {
						if err := a.Insight.Apply(ctx, tx, saleEvents(a, at, batch)); err != nil {
							return err
						}
					}
					return nil
				})
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64((b.N+batch-1)/batch*batch), "ns/event")
				for _, table := range []string{"day_sale", "day_point", "day_active", "active_month"} { // there are no such sales
					a.Exec("DELETE FROM " + table)
				}
			})
		}
	}
}

// BenchmarkDispatch moves a backlog of sales to the log of the whole program. Compare it with
// the same without the subscriber.
func BenchmarkDispatch(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			a := apptest.Open(b, e)
			a.Drain()
			a.Exec("UPDATE event_dispatcher SET owner = 'nobody', until_ms = 4000000000000")
			for at := 0; at < b.N; at += 1000 {
				err := a.DB.InTx(b.Context(), func(ctx context.Context, tx *db.Tx) error {
					return event.AppendAll(ctx, tx, saleEvents(a, at, min(1000, b.N-at)))
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			a.Exec("UPDATE event_dispatcher SET until_ms = 0")
			a.Drain()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
			for _, table := range []string{"event", "day_sale", "day_point", "day_active", "active_month"} { // there are no such sales
				a.Exec("DELETE FROM " + table)
			}
		})
	}
}

// BenchmarkDashboard reads ten years of a hundred stores. The promise is 50 ms.
func BenchmarkDashboard(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			a := apptest.Open(b, e)
			today := int64(program.DayOf(apptest.Noon, time.UTC))
			for day := today - 3650; day <= today; day += 365 {
				for _, q := range []string{
					"INSERT INTO day_sale (store_id, currency, day, sales, total, returns, returned, member_sales, member_total, member_returns, member_returned) SELECT s.n, 'CNY', d.n, 1, 1, 0, 0, 1, 1, 0, 0 FROM %s",
					"INSERT INTO day_point (store_id, currency_id, day, issued, opened, redeemed, restored, expired, clawed, adjusted, fees, net) SELECT s.n, 1, d.n, 1, 0, 0, 0, 0, 0, 0, 0, 1 FROM %s",
					"INSERT INTO day_member (store_id, day, joined) SELECT s.n, d.n, 1 FROM %s",
					"INSERT INTO day_active (scope, scope_id, day, members, first_members) SELECT 2, s.n, d.n, 1, 1 FROM %s",
				} {
					from := "(WITH RECURSIVE n(n) AS (SELECT -1 UNION ALL SELECT n + 1 FROM n WHERE n < 100) SELECT n FROM n) AS s, " +
						fmt.Sprintf("(WITH RECURSIVE n(n) AS (SELECT %d UNION ALL SELECT n + 1 FROM n WHERE n < %d) SELECT n FROM n) AS d", day, min(day+364, today))
					a.Exec(fmt.Sprintf(q, from))
				}
			}
			ctx := a.Context()
			b.ResetTimer()
			for b.Loop() {
				if _, err := a.Insight.Dashboard(ctx, insight.Ask{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			for _, table := range []string{"day_sale", "day_point", "day_active", "day_member"} {
				a.Exec("DELETE FROM " + table)
			}
		})
	}
}
