package till_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// list makes a price list and publishes it.
func (w shop) list(code string, terms J, items ...J) string {
	w.t.Helper()
	var l struct{ ID string }
	w.Post("/v1/price-lists", apptest.With(J{"code": code, "name_en": code, "name_zh": code}, terms)).Into(&l)
	w.Must(200, "PUT", "/v1/price-lists/"+code+"/items", J{"items": items})
	w.Must(200, "POST", "/v1/price-lists/"+l.ID+"/publish", nil)
	return l.ID
}

// ladder has a tier for everybody and gold, which is given by hand.
func (w shop) ladder(benefits J) {
	w.t.Helper()
	w.Post("/v1/tier-schemes", J{
		"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "calendar", "period": "year"}, "term": J{"kind": "forever"}, "downgrade": "none",
		"tiers": []J{{"code": "base", "name_en": "Base", "qualify": J{}, "benefits": J{}}, {"code": "gold", "name_en": "Gold", "name_zh": "金", "qualify": J{"spend": 100_000_000}, "benefits": benefits}},
	})
	w.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
}

func (w shop) gold(m string) {
	w.t.Helper()
	w.Must(200, "POST", "/v1/members/"+m+"/tier", J{"tier": "gold", "reason": "test"})
}

// plan puts a plan on offer and has a member try it.
func (w shop) plan(m string, benefits J) {
	w.t.Helper()
	var p struct{ ID string }
	w.Post("/v1/plans", J{"code": "pass", "terms": J{
		"name_en": "Pass", "name_zh": "卡", "every": "month", "price": J{"amount": 2500, "currency": "CNY"}, "trial_days": 7, "grace_days": 0, "remind_days": 0,
		"benefits": apptest.With(J{"multiplier": 1000}, benefits),
	}}).Into(&p)
	w.Must(200, "POST", "/v1/plans/"+p.ID+"/state", J{"state": "live"})
	w.Post("/v1/members/"+m+"/plan", J{"plan": "pass"})
}

type off struct {
	Kind, Code string
	Off        int64
}

type priced struct {
	quote
	Standing []off
	Lines    []struct {
		Line, Amount, Off, Pay int64
		By                     []off
	}
}

func (w shop) priced(body J) (q priced) {
	w.t.Helper()
	w.Must(201, "POST", "/v1/checkouts?dry_run=true", body).Into(&q)
	return q
}

// A basket with member prices, a tier, a coupon and points, of which one line comes back. The
// arithmetic is done here by hand: 120 + 2 × 30 + 20 = 200 yuan. Members pay 100 for the first and 25
// for each of the second: 20 and 10 come off, 170 are left. Gold takes 5 per cent: 8.50, shared as
// 5.00 + 2.50 + 1.00; 95 + 47.50 + 19 = 161.50 are left. 20 yuan off are shared over these: 11.7647,
// 5.8823 and 2.3529 are 11.77 + 5.88 + 2.35. 83.23 + 41.62 + 16.65 = 141.50 are left; 2,000 points pay
// 20 of them. 141 points are earned, of which 41.47 of the second line, rounded to 41 by largest
// remainder (82.93, 41.47, 16.59: 83, 41, 17).
func TestMemberPrices(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.ladder(J{"discount_percent": 5})
		w.list("club-prices", J{"tiers": []string{"gold"}}, J{"sku": "sku-1", "price": 10000}, J{"sku": "sku-2", "price": 2500}, J{"sku": "sku-3", "price": 5000})
		twenty := w.coupon("twenty", J{"effect": J{"kind": "amount", "amount": 2000}, "minimum": J{"amount": 10000}, "limits": J{"budget": 100000}})
		m := w.Member()
		w.Give(m, 5000)
		code := w.give(twenty, m)
		body := J{"member": m, "lines": []J{apptest.Line(1, 1, 12000), apptest.Line(2, 2, 6000), apptest.Line(3, 1, 2000)}}
		if q := w.priced(body); q.Off != 0 || len(q.Standing) != 0 {
			t.Errorf("not gold yet: %+v", q)
		}
		w.gold(m)
		if q := w.priced(apptest.With(body, J{"member": ""})); q.Off != 0 {
			t.Errorf("nobody: %+v", q)
		}
		var q priced
		w.Post("/v1/checkouts", apptest.With(body, J{"coupons": []string{code}, "spend": []J{{"currency": "points", "amount": 2000}}})).Into(&q)
		if q.Total != 20000 || q.Off != 5850 || q.Paid != 2000 || q.ToPay != 12150 || q.Earns[0].Amount != 141 {
			t.Fatalf("%+v", q)
		}
		if !slices.Equal(q.Standing, []off{{"member_price", "club-prices", 3000}, {"tier", "gold", 850}}) || len(q.Coupons) != 1 || q.Coupons[0].Off != 2000 {
			t.Errorf("%+v %+v", q.Standing, q.Coupons)
		}
		for i, want := range []struct {
			pay int64
			by  []off
		}{
			{8323, []off{{"member_price", "club-prices", 2000}, {"tier", "gold", 500}, {"coupon", code, 1177}}},
			{4162, []off{{"member_price", "club-prices", 1000}, {"tier", "gold", 250}, {"coupon", code, 588}}},
			{1665, []off{{"tier", "gold", 100}, {"coupon", code, 235}}},
		} {
			if l := q.Lines[i]; l.Pay != want.pay || !slices.Equal(l.By, want.by) {
				t.Errorf("line %d: %+v, want %+v", i+1, l, want)
			}
		}

		// What was quoted is what is sold, whatever becomes of the list.
		w.Must(200, "POST", "/v1/price-lists/club-prices/pause", nil)
		var sold struct {
			ID    string
			Total int64
			Taken []struct {
				Kind, Ref string
				Amount    int64
			} `json:"taken_off"`
			Points []struct{ Amount int64 }
		}
		w.Post("/v1/checkouts/"+q.ID+"/confirm", J{"source": "till", "document": "P1", "payments": []J{{"kind": "cash", "amount": 12150}}}).Into(&sold)
		if sold.Total != 14150 || len(sold.Taken) != 3 || sold.Taken[0].Kind != "member_price" || sold.Taken[1].Kind != "tier" || sold.Taken[2].Kind != "coupon" || sold.Points[0].Amount != 141 {
			t.Errorf("%+v", sold)
		}
		var doc struct {
			Lines     []struct{ Amount int64 }
			Discounts []struct {
				Kind, Ref string
				Amount    int64
				Lines     []struct{ Line, Off int64 }
			}
		}
		w.Get("/v1/sales/" + sold.ID).Into(&doc)
		if d := doc.Discounts; len(d) != 3 || d[0].Ref != "club-prices" || d[0].Amount != 3000 || len(d[0].Lines) != 2 || d[0].Lines[1].Line != 2 || d[0].Lines[1].Off != 1000 || len(d[1].Lines) != 3 {
			t.Errorf("%+v", doc)
		}

		var back struct {
			Total      int64
			ClawedBack []struct{ Amount int64 } `json:"clawed_back"`
			Restored   []struct{ Amount int64 }
		}
		w.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "PR1", "at": w.Clock.Now().Format(time.RFC3339), "lines": []J{apptest.Back(2, 2)}}).Into(&back)
		if back.Total != 4162 || back.ClawedBack[0].Amount != 41 || back.Restored[0].Amount != 588 {
			t.Errorf("%+v", back)
		}
		if c := w.counts(twenty); c.Off != 1412 || c.Used != 1 {
			t.Errorf("%+v", c)
		}
		w.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "PR2", "at": w.Clock.Now().Format(time.RFC3339)})
		if got := w.Wallet(m); got.Available != 5000 || got.Debt != 0 || w.counts(twenty).Off != 0 {
			t.Errorf("after all of it: %+v %+v", got, w.counts(twenty))
		}
		w.Verify()
	})
}

// Which list a line goes by: each row changes one thing.
func TestPriceLists(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.ladder(J{})
		w.Post("/v1/categories", J{"slug": "tea", "name_en": "Tea"})
		w.Post("/v1/categories", J{"slug": "green", "parent": "tea", "name_en": "Green"})
		m, other := w.Member(), w.Member()
		w.gold(m)
		w.plan(m, J{})
		w.Give(m, 700)
		now := w.Clock.Now()
		line := J{"line": 1, "sku": "A", "quantity": 2, "amount": 10000, "category": "tea/green", "brand": "Wuyi"}
		for i, tt := range []struct {
			name  string
			terms J
			items []J
			line  J
			off   int64
		}{
			{"a price", nil, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"a price above", nil, []J{{"sku": "A", "price": 5001}}, nil, 0},
			{"another product", nil, []J{{"sku": "B", "price": 1}}, nil, 0},
			{"by weight", nil, []J{{"sku": "A", "price": 4000}}, J{"quantity": 1.255}, 10000 - 5020},
			{"per cent", nil, []J{{"sku": "A", "percent": 1250}}, nil, 1250},
			{"of a category above", nil, []J{{"category": "tea", "percent": 1000}}, nil, 1000},
			{"of a category beside", nil, []J{{"category": "tea/green", "percent": 1000}}, J{"category": "tea"}, 0},
			{"of a brand", nil, []J{{"brand": "Wuyi", "percent": 1000}}, nil, 1000},
			{"the lowest of several", nil, []J{{"brand": "Wuyi", "percent": 1000}, {"sku": "A", "price": 4400}, {"category": "tea", "percent": 1100}}, nil, 1200},
			{"delivery", nil, []J{{"sku": "A", "percent": 10000}}, J{"attributes": J{"delivery": true}}, 0},
			{"free", nil, []J{{"sku": "A", "percent": 10000}}, nil, 10000},
			{"for gold", J{"tiers": []string{"gold"}}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"for base", J{"tiers": []string{"base"}}, []J{{"sku": "A", "price": 4000}}, nil, 0},
			{"for the pass", J{"plans": []string{"pass"}}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"for base or the pass", J{"tiers": []string{"base"}, "plans": []string{"pass"}}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"for who has points", J{"audience": `member.points("points") >= 700`}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"for who has more", J{"audience": `member.points("points") > 700`}, []J{{"sku": "A", "price": 4000}}, nil, 0},
			{"gold that has more", J{"tiers": []string{"gold"}, "audience": `member.tier.code == "base"`}, []J{{"sku": "A", "price": 4000}}, nil, 0},
			{"from now on", J{"from": now.Format(time.RFC3339)}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"from the next second on", J{"from": now.Add(time.Second).Format(time.RFC3339)}, []J{{"sku": "A", "price": 4000}}, nil, 0},
			{"until the next second", J{"until": now.Add(time.Second).Format(time.RFC3339)}, []J{{"sku": "A", "price": 4000}}, nil, 2000},
			{"until now", J{"until": now.Format(time.RFC3339)}, []J{{"sku": "A", "price": 4000}}, nil, 0},
			{"on another channel", J{"channels": []string{"app"}}, []J{{"sku": "A", "price": 4000}}, nil, 0},
		} {
			code := fmt.Sprintf("row-%d", i)
			w.list(code, tt.terms, tt.items...)
			body := J{"member": m, "lines": []J{apptest.With(line, tt.line)}}
			if q := w.priced(body); q.Off != tt.off || tt.off > 0 && (len(q.Standing) != 1 || q.Standing[0].Code != code) {
				t.Errorf("%s: %d off, want %d: %+v", tt.name, q.Off, tt.off, q.Standing)
			}
			if tt.terms["tiers"] != nil || tt.terms["plans"] != nil {
				if q := w.priced(apptest.With(body, J{"member": other})); q.Off != 0 && tt.name != "for base" && tt.name != "for base or the pass" {
					t.Errorf("%s: another member has %d off", tt.name, q.Off)
				}
			}
			w.Must(200, "POST", "/v1/price-lists/"+code+"/pause", nil)
			if q := w.priced(body); q.Off != 0 {
				t.Errorf("%s, paused: %d off", tt.name, q.Off)
			}
			w.Must(204, "DELETE", "/v1/price-lists/"+code, nil)
		}

		// Of two lists the lower price, whichever was made first; of equals the first.
		w.list("first", nil, J{"sku": "A", "price": 4500})
		w.list("second", nil, J{"sku": "A", "price": 4000})
		body := J{"member": m, "lines": []J{line}}
		if q := w.priced(body); q.Off != 2000 || q.Standing[0].Code != "second" || len(q.Standing) != 1 {
			t.Errorf("%+v", q)
		}
		w.Must(200, "PUT", "/v1/price-lists/first/items", J{"items": []J{{"sku": "A", "price": 4000}}})
		if q := w.priced(body); q.Off != 2000 || q.Standing[0].Code != "first" {
			t.Errorf("%+v", q)
		}
		w.Must(200, "POST", "/v1/price-lists/first/items/remove", J{"items": []J{{"sku": "A"}, {"sku": "none"}}})
		if q := w.priced(body); q.Standing[0].Code != "second" {
			t.Errorf("%+v", q)
		}
	})
}

// What tiers and plans give: per cents on the basket or on a part of it, one after the other, and
// free delivery.
func TestStandingDiscounts(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.ladder(J{"discount_percent": 10, "free_delivery": true})
		m := w.Member()
		w.gold(m)
		w.plan(m, J{"discount_percent": 20, "discount_scope": J{"skus": []string{"sku-2"}}})
		delivery := J{"line": 3, "sku": "post", "quantity": 1, "amount": 1500, "attributes": J{"delivery": true}}
		body := J{"member": m, "lines": []J{apptest.Line(1, 1, 10000), apptest.Line(2, 1, 5000), delivery}}
		q := w.priced(body)
		// Gold: 10 + 5 off, and 15 of delivery. The pass: 20 % of the 45 that are left of the second.
		if !slices.Equal(q.Standing, []off{{"tier", "gold", 3000}, {"plan", "pass", 900}}) || q.ToPay != 9000+3600 || q.Lines[2].Pay != 0 {
			t.Errorf("%+v", q)
		}
		if err := w.Audit.Chain(w.Context()); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(8 * 24 * time.Hour) // the trial is over
		if q := w.priced(body); !slices.Equal(q.Standing, []off{{"tier", "gold", 3000}}) {
			t.Errorf("%+v", q.Standing)
		}

		// In one step it is the same: with a coupon, the sale is before everything that comes off.
		ten := w.give(w.coupon("ten", J{"effect": J{"kind": "percent", "percent": 1000}}), m)
		var sold struct{ Total int64 }
		w.Post("/v1/sales", w.Sale(J{"member": m, "coupons": []string{ten}})).Into(&sold)
		if sold.Total != 8100 {
			t.Errorf("%+v", sold)
		}
		w.Post("/v1/sales", w.Sale(J{"member": m})).Into(&sold)
		if sold.Total != 10000 { // what was paid, as ever
			t.Errorf("%+v", sold)
		}
		w.Verify()
	})
}

// What a shop window shows.
func TestPriceLookup(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.ladder(J{"discount_percent": 5})
		m := w.Member()
		w.gold(m)
		put := func(sku string, price any) {
			w.Must(200, "PUT", "/v1/products/"+sku, J{"name_en": sku, "price": J{"amount": price, "currency": "CNY"}})
		}
		put("A", 10000)
		put("B", 3000)
		w.list("club", nil, J{"sku": "A", "price": 8000}, J{"sku": "C", "price": 700})
		type item struct {
			SKU    string
			Price  *int64
			Member *int64 `json:"member_price"`
			List   string
			Also   []string
		}
		ask := func(query string) (list []item) {
			var out struct{ Items []item }
			w.Get("/v1/prices?" + query).Into(&out)
			return out.Items
		}
		list := ask("sku=A,B,C,D&member=" + m)
		if len(list) != 4 || *list[0].Price != 10000 || *list[0].Member != 7600 || list[0].List != "club" || !slices.Equal(list[0].Also, []string{"tier"}) {
			t.Errorf("%+v", list)
		}
		if *list[1].Member != 2850 || list[1].List != "" || list[2].Price != nil || *list[2].Member != 665 || list[3].Price != nil || list[3].Member != nil {
			t.Errorf("%+v", list)
		}
		if list := ask("sku=A"); *list[0].Member != 10000 || list[0].List != "" {
			t.Errorf("nobody: %+v", list)
		}
		w.Do("GET", "/v1/prices?member="+m, nil).Refused(422, "request.invalid")
	})
}

// What a list refuses, and what a trail it leaves.
func TestPriceListRefusals(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		add := func(edits J) J { return apptest.With(J{"code": "x", "name_en": "X"}, edits) }
		for _, tt := range []struct {
			edits J
			code  string
		}{
			{J{"code": "X"}, "price.code"},
			{J{"name_en": " "}, "price.name"},
			{J{"tiers": []string{"gold"}}, "price.tier"},
			{J{"plans": []string{"pass"}}, "price.plan"},
			{J{"from": "2026-05-01", "until": "2026-05-01"}, "price.window"},
			{J{"audience": "1 +"}, "cond.syntax"},
			{J{"stores": []string{"none"}}, "program.no_store"},
		} {
			if r := w.Do("POST", "/v1/price-lists", add(tt.edits)); r.Status < 400 || r.Problem().Code != tt.code {
				t.Errorf("%v: %s, want %s", tt.edits, r.Body, tt.code)
			}
		}
		w.Post("/v1/price-lists", add(nil))
		w.Do("POST", "/v1/price-lists", add(nil)).Refused(409, "price.code_taken")
		for _, item := range []J{{}, {"sku": "A"}, {"sku": "A", "price": 1, "percent": 1}, {"brand": "B", "price": 1}, {"sku": "A", "brand": "B", "percent": 1}} {
			w.Do("PUT", "/v1/price-lists/x/items", J{"items": []J{{"sku": "Z", "price": 1}, item}}).Refused(422, "price.item")
		}
		var l struct {
			Items   int
			Version int64
		}
		w.Get("/v1/price-lists/x").Into(&l)
		if l.Items != 0 {
			t.Error("a part of a refused request was written")
		}
		w.Do("POST", "/v1/price-lists/x/pause", nil).Refused(409, "price.state")
		w.Must(200, "PUT", "/v1/price-lists/x", J{"name_en": "Y", "version": l.Version})
		w.Do("PUT", "/v1/price-lists/x", J{"name_en": "Z", "version": l.Version}).Refused(409, "price.changed")
		w.Must(200, "POST", "/v1/price-lists/x/publish", nil)
		w.Do("DELETE", "/v1/price-lists/x", nil).Refused(409, "price.live")
		var items []J
		for i := range 5 {
			items = append(items, J{"sku": fmt.Sprintf("S_%d", i), "percent": 100})
		}
		w.Must(200, "PUT", "/v1/price-lists/x/items", J{"items": items})
		var page struct {
			Items []struct{ SKU string }
			Next  string `json:"next_cursor"`
		}
		w.Get("/v1/price-lists/x/items?limit=3").Into(&page)
		if len(page.Items) != 3 || page.Items[0].SKU != "S_4" || page.Next == "" {
			t.Errorf("%+v", page)
		}
		next := page.Next
		page.Next = ""
		w.Get("/v1/price-lists/x/items?limit=3&cursor=" + next).Into(&page)
		if len(page.Items) != 2 || page.Items[1].SKU != "S_0" || page.Next != "" {
			t.Errorf("%+v", page)
		}
		w.Get("/v1/price-lists/x/items?q=s_1").Into(&page)
		if len(page.Items) != 1 || page.Items[0].SKU != "S_1" {
			t.Errorf("%+v", page)
		}
		w.Do("GET", "/v1/price-lists/none", nil).Refused(404, "price.unknown")
		reader := w.Key("rules.read")
		reader.Do("PUT", "/v1/price-lists/x/items", J{"items": items}).Refused(403, "request.permission")
		if n := w.Number(`SELECT COUNT(*) FROM audit WHERE action LIKE 'price.%'`); n != 4 {
			t.Errorf("%d rows in the trail", n)
		}
	})
}

// Whatever lists, tier, plan and coupons there are: no line below zero, everything by line adds up,
// and what comes off by who buys is what it is without coupons.
func TestPriceLaw(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		w.ladder(J{"discount_percent": 7})
		m := w.Member()
		w.gold(m)
		w.plan(m, J{"discount_percent": 3})
		code := w.give(w.coupon("c", J{"effect": J{"kind": "percent", "percent": 2500}}), m)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			var items []J
			for i := range 3 {
				if p := rapid.Int64Range(0, 600).Draw(rt, "price"); p > 0 {
					items = append(items, J{"sku": fmt.Sprintf("sku-%d", i+1), "price": p})
				}
			}
			if len(items) == 0 {
				return
			}
			list := fmt.Sprintf("law-%d", n)
			w.list(list, nil, items...)
			var lines []J
			for i := range rapid.IntRange(1, 4).Draw(rt, "lines") {
				lines = append(lines, apptest.Line(i+1, float64(rapid.Int64Range(1, 3000).Draw(rt, "milli"))/1000, rapid.Int64Range(0, 900).Draw(rt, "amount")))
			}
			with, without := w.priced(J{"member": m, "lines": lines, "coupons": []string{code}}), w.priced(J{"member": m, "lines": lines})
			for _, q := range []priced{with, without} {
				var all, pay int64
				for _, l := range q.Lines {
					var by int64
					for _, x := range l.By {
						by += x.Off
					}
					if l.Pay < 0 || by != l.Off || l.Pay != l.Amount-l.Off {
						rt.Fatalf("%+v", l)
					}
					all, pay = all+l.Off, pay+l.Pay
				}
				for _, x := range q.Standing {
					all -= x.Off
				}
				for _, x := range q.Coupons {
					all -= x.Off
				}
				if all != 0 || pay != q.ToPay {
					rt.Fatalf("%+v", q)
				}
			}
			if !slices.Equal(with.Standing, without.Standing) {
				rt.Fatalf("%+v and %+v", with.Standing, without.Standing)
			}
			w.Must(200, "POST", "/v1/price-lists/"+list+"/pause", nil)
			w.Must(204, "DELETE", "/v1/price-lists/"+list, nil)
		})
	})
}
