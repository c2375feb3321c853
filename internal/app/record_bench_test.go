package app_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// BenchmarkRecord posts sales of three lines by 64 callers at once, each durable before it
// is answered, without HTTP. Members are chosen by a Zipf law.
func BenchmarkRecord(b *testing.B) {
	const members, callers = 20_000, 64
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		b.Run(engine.String(), func(b *testing.B) {
			o := dbtest.Options(b, engine)
			c := config.Defaults()
			c.DataDir, c.DatabaseURL = o.Dir, o.URL
			a, err := app.Open(b.Context(), app.Options{Config: c, Box: seal.Test()})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := a.Close(); err != nil {
					b.Error(err)
				}
			}()
			a.Start(b.Context())
			list := make([]member.Enrolment, members)
			for i := range list {
				list[i] = member.Enrolment{External: fmt.Sprintf("bench/%d", i), Source: "bench"}
			}
			made, err := a.Members.CreateMany(b.Context(), list)
			if err != nil {
				b.Fatal(err)
			}
			var n atomic.Int64
			at := time.Now().Format(time.RFC3339)
			ctx := staff.AsSystem(b.Context(), "bench")
			b.SetParallelism(callers / 2)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				zipf := rand.NewZipf(rand.New(rand.NewPCG(1, uint64(n.Add(1)))), 1.1, 100, members-1)
				for pb.Next() {
					doc := fmt.Sprintf("d%d", n.Add(1))
					key, err := api.MakeKey(ctx, "POST /v1/sales", doc, []byte(doc))
					if err != nil {
						b.Error(err)
						return
					}
					r := a.Sales.Record(ctx, sale.New{
						Source: "bench", Document: doc, Member: made[zipf.Uint64()].ID.String(), At: at, Currency: "CNY", Total: 4350,
						Lines: []sale.NewLine{
							{Line: 1, SKU: "tea", Quantity: 1000, Amount: 2800, Name: "龙井茶"},
							{Line: 2, SKU: "cake", Quantity: 2000, Amount: 1200, Name: "绿豆糕"},
							{Line: 3, SKU: "bag", Quantity: 1000, Amount: 350, Name: "手提袋"},
						},
					}, sale.Ask{HTTP: true, Key: key})
					if r.Err != nil {
						b.Error(r.Err)
						return
					}
				}
			})
			b.StopTimer()
			batches, commands := a.Ledger.Engine().Counts()
			b.ReportMetric(float64(commands)/float64(batches), "sales/batch")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sales/s")
		})
	}
}
