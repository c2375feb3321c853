package offer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// What 200 offers add to a sale: most are for a category, for some members or for large sales,
// as in a shop; twenty are for all.
func BenchmarkSale(b *testing.B) {
	for _, offers := range []int{0, 200} {
		b.Run(fmt.Sprint(offers, " offers"), func(b *testing.B) {
			w := world{apptest.Open(b, db.SQLite), b}
			for i := range offers {
				edits := J{"delivery": "open", "hours": 0, "goal": J{"kind": "spend", "amount": 1_000_000_000}}
				switch {
				case i%10 == 0:
				case i%10 < 5:
					edits["counts"] = J{"categories": []string{fmt.Sprint("category-", i)}}
				case i%10 < 8:
					edits["audience"] = fmt.Sprintf(`"tag-%d" in member.tags`, i)
				default:
					edits["counts"] = J{"condition": fmt.Sprintf(`sale.total >= money("%d")`, 100_000+i)}
				}
				w.offer(fmt.Sprint("offer-", i), edits)
			}
			var members []string
			for range 100 {
				members = append(members, w.Member())
			}
			n := 0
			round := func() {
				var list []sale.New
				for range 50 {
					n++
					list = append(list, sale.New{Source: "till", Document: fmt.Sprint(w.Unique()), Member: members[n%100], At: w.Clock.Now().Format(time.RFC3339), Currency: "CNY", Total: 1000,
						Lines: []sale.NewLine{{Line: 1, SKU: "a", Quantity: 1000, Amount: 1000}}})
				}
				for _, r := range w.Sales.RecordMany(w.Context(), list, make([]sale.Ask, len(list))) {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
			round() // members receive what is open with their first purchase
			round()
			n = 0
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/sale")
		})
	}
}
