package sale_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// view is a sale or return as it is read.
type view struct {
	ID, State, Kind, Source, Document string
	At                                string
	MemberID                          string `json:"member_id"`
	SaleID                            string `json:"sale_id"`
	Total                             int64
	Flags                             []string
	Lines                             []struct {
		Line             int64
		Quantity         float64
		Amount           int64
		ReturnedQuantity float64 `json:"returned_quantity"`
		ReturnedAmount   int64   `json:"returned_amount"`
		Parked           string
	}
	Points []struct {
		Amount     int64
		ClawedBack int64 `json:"clawed_back"`
	}
}

func read(a *apptest.App, id string) (v view) {
	a.Get("/v1/sales/" + id).Into(&v)
	return v
}

// list reads all pages of a list, some at a time, and returns the ids.
func list(t *testing.T, c apptest.Client, query string, size int) (ids []string) {
	t.Helper()
	cursor := ""
	for range 100 {
		var page struct {
			Items []view
			Next  string `json:"next_cursor"`
		}
		c.Get(name("/v1/sales?limit=", size, "&", query, cursor)).Into(&page)
		for _, v := range page.Items {
			ids = append(ids, v.ID)
		}
		if page.Next == "" {
			return ids
		}
		cursor = "&cursor=" + page.Next
	}
	t.Fatal("a list without end")
	return nil
}

// Returns that come before their sale wait, in the order in which they came, and take
// effect with it. One that does not fit is parked for a person; the sale stands.
func TestReturnsWait(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other := a.Member(), a.Member()
		doc := a.Sale(J{"member": m, "lines": []J{apptest.Line(1, 4, 10000)}})
		var ids []string
		for _, edit := range []J{
			{"lines": []J{apptest.Back(1, 1)}},
			{"lines": []J{apptest.Back(1, 4)}},                  // more than is left by then
			{"lines": []J{apptest.Back(7, 1)}},                  // no such line
			{"lines": []J{apptest.Back(1, 1)}, "at": at(-200)},  // earlier than the sale
			{"lines": []J{apptest.Back(1, 1)}, "member": other}, // somebody else's
			{"lines": []J{apptest.Back(1, 2)}, "member": m},
		} {
			var w apptest.Returned
			body := a.Return(doc["document"], edit)
			a.Must(202, "POST", "/v1/returns", body).Into(&w)
			if w.State != "waiting" || w.SaleID != "" || len(w.Balances) != 0 {
				t.Errorf("%+v", w)
			}
			ids = append(ids, w.ID)
			if r := a.Must(202, "POST", "/v1/returns", body); !r.Replayed() {
				t.Errorf("again: %s", r.Body)
			}
		}
		for range 7 { // each in the name of somebody else: all have to be looked at together
			a.Must(202, "POST", "/v1/returns", a.Return(doc["document"], J{"lines": []J{apptest.Back(1, 1)}, "member": a.Member()}))
		}
		if got := list(t, a.Client, "state=waiting", 4); len(got) != len(ids)+7 {
			t.Errorf("%d of %d are listed as waiting", len(got), len(ids))
		}
		var sold apptest.Sold
		a.Post("/v1/sales", doc).Into(&sold)
		if sold.Points[0].Amount != 100 || sold.Balances["points"] != 25 {
			t.Errorf("the sale that three quarters of had come back of: %+v", sold)
		}
		for i, want := range []string{"", "sale.too_much", "sale.no_line", "sale.before_sale", "sale.other_member", ""} {
			v := read(a, ids[i])
			state := "posted"
			if want != "" {
				state = "parked"
			}
			if v.State != state || v.Lines[0].Parked != want || v.SaleID != sold.ID {
				t.Errorf("return %d: %+v, want %s", i, v, want)
			}
		}
		if got := list(t, a.Client, "state=waiting", 4); len(got) != 0 {
			t.Errorf("still waiting: %v", got)
		}
		if got := list(t, a.Client, "state=parked", 3); len(got) != 4+7 {
			t.Errorf("%d of 11 are listed as parked", len(got))
		}
		if v := read(a, sold.ID); v.Lines[0].ReturnedQuantity != 3 || v.Lines[0].ReturnedAmount != 7500 || v.Points[0].ClawedBack != 75 {
			t.Errorf("the sale: %+v", v)
		}
	})
}

// A return that waits for all of a sale takes all of it.
func TestWholeWaits(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		doc := a.Sale(J{"member": m})
		body := a.Return(doc["document"], nil)
		var w, again apptest.Returned
		a.Must(202, "POST", "/v1/returns", body).Into(&w)
		var sold apptest.Sold
		a.Post("/v1/sales", doc).Into(&sold)
		if sold.Balances["points"] != 0 || sold.Points[0].State != "ended" {
			t.Errorf("%+v", sold)
		}
		a.Post("/v1/returns", body).Into(&again)
		if again.State != "posted" || again.ID != w.ID || again.SaleID != sold.ID || again.ClawedBack[0].Amount != 100 {
			t.Errorf("asked again: %+v", again)
		}
	})
}

// A key that is limited to a store neither returns nor sees what another store sold, by
// whatever name it asks, before or after the sale came.
func TestOtherStore(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		for _, code := range []string{"east", "west", "north"} {
			a.Post("/v1/stores", J{"merchant": "main", "code": code, "name_en": code})
		}
		east, both := a.KeyAt(nil, []string{"east"}, "sales.write", "sales.read"), a.KeyAt(nil, []string{"east", "west"}, "sales.write", "sales.read")
		m := a.Member()
		doc := a.Sale(J{"member": m, "store": "west"})
		var sold apptest.Sold
		var w apptest.Returned
		east.Must(202, "POST", "/v1/returns", a.Return(doc["document"], nil)).Into(&w)
		a.Post("/v1/sales", doc).Into(&sold)
		if sold.Balances["points"] != 100 || read(a, w.ID).State != "parked" {
			t.Errorf("a return that waited for another store's sale took effect: %+v", sold)
		}
		east.Do("POST", "/v1/returns", a.Return(doc["document"], nil)).Refused(404, "sale.unknown")
		east.Do("POST", "/v1/sales/"+sold.ID+"/returns", J{"document": "R", "at": at(0)}).Refused(404, "sale.unknown")
		east.Do("GET", "/v1/sales/"+sold.ID, nil).Refused(404, "sale.unknown")
		east.Do("POST", "/v1/sales", apptest.With(doc, J{"document": "other"})).Refused(404, "program.no_store")
		p := east.Do("POST", "/v1/sales", apptest.With(doc, J{"store": "east", "total": 1, "lines": []J{apptest.Line(1, 1, 1)}})).Refused(409, "sale.document_taken")
		if got := p.Detail; got == "" || strings.Contains(got, "10000") {
			t.Errorf("the refusal shows another store's sale: %s", got)
		}
		if got := list(t, east, "member="+m, 50); len(got) != 0 {
			t.Errorf("lists another store's sales: %v", got)
		}
		if got := list(t, both, "member="+m, 50); len(got) != 1 {
			t.Errorf("does not list its own: %v", got)
		}
		if got := list(t, east, "source=till&document="+doc["document"].(string), 50); len(got) != 0 {
			t.Errorf("finds another store's document: %v", got)
		}
		both.Do("POST", "/v1/sales", apptest.With(doc, J{"document": "x", "store": nil})).Refused(404, "program.no_store") // of which of the two?
		both.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R", "at": at(0)})
		var mine apptest.Sold
		east.Post("/v1/sales", a.Sale(J{"member": m})).Into(&mine)
		if v := read(a, mine.ID); v.Kind != "sale" || a.Number("SELECT COUNT(*) FROM sale WHERE store_id = $1", a.Program.Snapshot().Settings.DefaultStore) > 0 {
			t.Error("a sale of the only store that a key may act for went to the default store")
		}
	})
}

// A return that names no sale is matched by sku, latest sale first, at most up to its own
// time; what matches nothing is parked line by line.
func TestUnnamed(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		const m = member.ID(7)
		var sales []string
		for i, hours := range []float64{-72, -48, -24} {
			r := record(a, m, sale.New{
				Source: "uk", Document: name("S", i), At: at(hours), Currency: "CNY", Total: 3000,
				Lines: []sale.NewLine{{Line: 1, SKU: "tea", Quantity: 2000, Amount: 2000}, {Line: 2, SKU: name("cup", i), Quantity: 1000, Amount: 1000}},
			}, sale.Ask{})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			sales = append(sales, r.Answer.ID)
		}
		back := func(document string, hours float64, lines ...sale.Asked) *sale.ReturnAnswer {
			t.Helper()
			r := a.Sales.TakeBack(a.Context(), sale.NewReturn{Source: "uk", Document: document, At: at(hours), Lines: lines}, m, sale.Ask{})
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			return r.Return
		}
		returned := func() (out []float64) {
			for _, id := range sales {
				out = append(out, read(a, id).Lines[0].ReturnedQuantity)
			}
			return out
		}
		// Three of the four that were sold by then: two of the middle sale, one of the first.
		r := back("C1", -36, sale.Asked{Line: 1, SKU: "tea", Milli: 3000, Amount: 3000})
		if got := returned(); r.State != "posted" || got[0] != 1 || got[1] != 2 || got[2] != 0 {
			t.Errorf("newest first: %+v, %v", r, got)
		}
		// One of several lines matches; four of three left do not, and nothing is guessed.
		r = back("C2", 0, sale.Asked{Line: 1, SKU: "cup2", Milli: 1000, Amount: 1000}, sale.Asked{Line: 2, SKU: "tea", Milli: 4000, Amount: 4000}, sale.Asked{Line: 3, SKU: "pot", Milli: 1000, Amount: 10})
		if v := read(a, r.ID); r.State != "parked" || r.Total != 1000 || v.Lines[0].Parked != "" || v.Lines[1].Parked != "no_sale" || v.Lines[2].Parked != "no_sale" {
			t.Errorf("one of three: %+v, %+v", r, v)
		}
		// Two lines of one sku share what is left; the amount may be left out.
		r = back("C3", 0, sale.Asked{Line: 1, SKU: "tea", Milli: 1000, Amount: -1}, sale.Asked{Line: 2, SKU: "tea", Milli: 2000, Amount: -1})
		if got := returned(); r.State != "posted" || r.Total != 3000 || got[0] != 2 || got[2] != 2 {
			t.Errorf("the rest: %+v, %v", r, got)
		}
		if w := walletOf(t, a, m); w.available != 90-60-10 {
			t.Errorf("20 of 90 should be left: %+v", w)
		}
		// Who bought nothing returns nothing; the whole document is parked.
		stranger := a.Sales.TakeBack(a.Context(), sale.NewReturn{Source: "uk", Document: "C4", At: at(0), Lines: []sale.Asked{{Line: 1, SKU: "tea", Milli: 1000, Amount: 1000}}}, 8, sale.Ask{})
		if stranger.Err != nil || stranger.Return.State != "parked" || len(stranger.ParkedLines()) != 1 {
			t.Errorf("a member without sales: %+v", stranger)
		}
		nobody := a.Sales.TakeBack(a.Context(), sale.NewReturn{Source: "uk", Document: "C5", At: at(0), Lines: []sale.Asked{{Line: 1, SKU: "tea", Milli: 1000, Amount: 1000}}}, 0, sale.Ask{})
		if nobody.Err != nil || nobody.Return.State != "parked" {
			t.Errorf("nobody: %+v", nobody)
		}
		if again := back("C1", -36, sale.Asked{Line: 1, SKU: "tea", Milli: 3000, Amount: 3000}); again.ID == "" || returned()[0] != 2 {
			t.Errorf("a redelivery: %+v", again)
		}
	})
}

// A claw-back takes what the sale's own lot still has, pending first; what has been spent
// since becomes a debt, which the next sale repays; what expired unused is not taken again.
func TestClawback(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		sell := func(m string) string {
			var s apptest.Sold
			a.Post("/v1/sales", a.Sale(J{"member": m})).Into(&s)
			return s.ID
		}
		back := func(id string) (r apptest.Returned) {
			a.Post("/v1/sales/"+id+"/returns", J{"document": "R" + id[4:], "at": a.Clock.Now().Format(time.RFC3339)}).Into(&r)
			return r
		}
		m := a.Member()
		id := sell(m)
		a.Post("/v1/members/"+m+"/spendings", J{"currency": "points", "amount": 70, "reason": "t", "source": "t", "document": "1"})
		if r := back(id); r.ClawedBack[0].Debt != 70 || r.Debt["points"] != 70 || a.Wallet(m).Debt != 70 {
			t.Errorf("70 of 100 were spent: %+v", r)
		}
		sell(m)
		if w := a.Wallet(m); w.Available != 30 || w.Debt != 0 {
			t.Errorf("the next sale repays: %+v", w)
		}

		a.Post("/v1/currencies", J{"code": "unused", "kind": "points", "name_en": "x", "policy": J{"decimals": 0}}) // a neighbour changes nothing
		e := a.Member()
		id = sell(e)
		a.Post("/v1/members/"+e+"/spendings", J{"currency": "points", "amount": 40, "reason": "t", "source": "t", "document": "2"})
		a.Exec("UPDATE lot SET expires_ms = $1 WHERE spent = 40", a.Clock.Now().Add(time.Hour).UnixMilli())
		a.Exec("UPDATE wallet SET next_ms = $1 WHERE spent = 40", a.Clock.Now().Add(time.Hour).UnixMilli())
		a.Clock.Advance(time.Hour)
		if r := back(id); r.ClawedBack[0].Waived != 60 || r.ClawedBack[0].Debt != 40 {
			t.Errorf("40 were spent, 60 expired: %+v", r)
		}
	})
}

// What ended unused with the survivor of a merge ended unused: a return does not charge it a
// second time, however many records the points went through. What the survivor used is owed.
func TestClawbackOfWhatEndedWithTheSurvivor(t *testing.T) {
	t.Parallel()
	for _, merges := range []int{1, 2} {
		apptest.Each(t, func(t *testing.T, a *apptest.App) {
			a.Policy(func(p *ledger.Policy) { p.Expiry = ledger.Expiry{Policy: "rolling", Count: 1, Unit: "day"} })
			owner := a.Member()
			var sold, later apptest.Sold
			a.Post("/v1/sales", a.Sale(J{"member": owner})).Into(&sold)
			for range merges {
				into := a.Member()
				a.Must(200, "POST", "/v1/members/"+owner+"/merge", J{"into": into})
				owner = into
			}
			a.Post("/v1/members/"+owner+"/spendings", J{"currency": "points", "amount": 40, "reason": "t", "source": "t", "document": "1"})
			a.Clock.Advance(72 * time.Hour)
			a.Post("/v1/sales", a.Sale(J{"member": owner, "at": a.Clock.Now().Format(time.RFC3339)})).Into(&later)
			var parts [2]apptest.Returned
			a.Post("/v1/sales/"+later.ID+"/returns", J{"document": "R1", "at": a.Clock.Now().Format(time.RFC3339)}).Into(&parts[0])
			a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R2", "at": a.Clock.Now().Format(time.RFC3339)}).Into(&parts[1])
			if r := parts[0].ClawedBack[0]; r.Amount != 100 || r.Debt != 0 {
				t.Errorf("what the survivor has is taken back: %+v", r)
			}
			if r := parts[1].ClawedBack[0]; r.Waived != 60 || r.Debt != 40 || a.Wallet(owner).Debt != 40 {
				t.Errorf("after %d merges, 40 were spent and 60 expired: %+v", merges, r)
			}
		})
	}
}
