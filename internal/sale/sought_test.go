package sale_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Filters without an index find what fits and nothing else, on pages of any size, and
// together with those that have one.
func TestFilters(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/stores", J{"code": "east", "name_en": "East", "merchant": "main"})
		m := a.Member()
		want := map[string][]string{}
		note := func(id string, queries ...string) {
			for _, q := range queries {
				want[q] = append(want[q], id)
			}
		}
		for i := range 12 {
			edit := J{"at": at(float64(-i)), "till": name("T", i%2), "channel": "shop", "staff": name("p", i%3), "member": m}
			if i%4 == 0 {
				edit["store"] = "east"
			}
			var s apptest.Sold
			a.Post("/v1/sales", a.Sale(edit)).Into(&s)
			note(s.ID, name("till=T", i%2), "channel=shop", name("staff=p", i%3), "kind=sale", name("till=T", i%2, "&member=", m))
			if i%4 == 0 {
				note(s.ID, "store=east", name("store=east&till=T", i%2))
			}
			if i%5 == 0 {
				var r apptest.Returned
				a.Post("/v1/sales/"+s.ID+"/returns", J{"document": name("back", i), "at": at(0)}).Into(&r)
				note(s.ID, "state=returned", name("state=returned&till=T", i%2))
				note(r.ID, "kind=return")
				if i%4 == 0 {
					note(r.ID, "store=east")
				}
			}
		}
		want["channel=web"], want["store=main&kind=return&till=T0"] = nil, nil
		for query, ids := range want {
			for _, size := range []int{1, 3, 50} {
				got := list(t, a.Client, query, size)
				slices.Sort(got)
				slices.Sort(ids)
				if !slices.Equal(got, ids) {
					t.Errorf("%q by %d: %v, want %v", query, size, got, ids)
				}
			}
		}
		a.Do("GET", "/v1/sales?store=nowhere", nil).Refused(404, "program.no_store")
		a.Do("GET", "/v1/sales?state=returned&member="+m, nil).Refused(422, "sale.filter")
	})
}

// A page costs a bounded look, however rare what is sought: it ends with a cursor, and
// going on finds what lies far behind.
func TestSoughtFar(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var rare apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"at": at(-10), "till": "rare"})).Into(&rare)
		a.Post("/v1/sales", a.Sale(J{"at": at(-5)}))
		const copies = 11_000
		err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < `+fmt.Sprint(copies)+`)
				INSERT INTO sale (shard, member_id, seq, kind, state, source, document, store_id, till, staff, channel, currency, total, at_ms, posted_ms, owner_id, of_member, of_seq, next_seq, flags, body, effect)
				SELECT s.shard, s.member_id, s.seq + 100000 + n.i, s.kind, s.state, s.source, s.document, s.store_id, s.till, s.staff, s.channel, s.currency, s.total, s.at_ms, s.posted_ms, s.owner_id, s.of_member, s.of_seq, s.next_seq, s.flags, s.body, s.effect
				FROM sale s, n
				WHERE s.till = ''`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Exec("DELETE FROM sale WHERE seq > 100000") // the books know nothing of them
		var page struct {
			Items []view
			Next  string `json:"next_cursor"`
		}
		a.Get("/v1/sales?till=rare").Into(&page)
		if len(page.Items) != 0 || page.Next == "" {
			t.Errorf("the first page looked at everything: %d items, next %q", len(page.Items), page.Next)
		}
		if got := list(t, a.Client, "till=rare", 50); !slices.Equal(got, []string{rare.ID}) {
			t.Errorf("found %v, want %s", got, rare.ID)
		}
	})
}

// A return that names no sale may be of more sales than a command may ask for one by one.
func TestManySalesAtOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		const sales = 60
		m := member.ID(1)
		back := sale.NewReturn{Source: "till", Document: "C1", At: at(0)}
		for i := range sales {
			sku := name("sku", i)
			r := record(a, m, sale.New{Source: "till", Document: name("S", i), At: at(-2), Currency: "CNY", Total: 1000,
				Lines: []sale.NewLine{{Line: 1, SKU: sku, Quantity: 1000, Amount: 1000}}}, sale.Ask{})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			back.Lines = append(back.Lines, sale.Asked{Line: int64(i + 1), SKU: sku, Milli: 1000, Amount: -1})
		}
		r := a.Sales.TakeBack(a.Context(), back, m, sale.Ask{})
		if r.Err != nil || len(r.ParkedLines()) > 0 || r.Return.Total != sales*1000 {
			t.Fatalf("a return of %d sales: %+v, %v", sales, r.Return, r.Err)
		}
		if w := walletOf(t, a, m); w.available != 0 || w.earned != 0 {
			t.Errorf("of what %d sales earned, %+v is left", sales, w)
		}
	})
}
