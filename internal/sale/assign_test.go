package sale_test

import (
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A sale that nobody owns earns nothing, and everything as of its own day once it is
// assigned: pending and expiry count from the sale. What came back meanwhile is taken off.
func TestAssign(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Policy(func(p *ledger.Policy) {
			p.Expiry = ledger.Expiry{Policy: "rolling", Count: 30, Unit: "day"}
			p.PendingDays = 3
		})
		var sold, mine apptest.Sold
		doc := a.Sale(J{"at": at(-48), "lines": []J{apptest.Line(1, 4, 10000)}})
		a.Post("/v1/sales", doc).Into(&sold)
		if sold.MemberID != "" || len(sold.Points) != 0 || len(sold.Balances) != 0 {
			t.Errorf("nobody's sale: %+v", sold)
		}
		var ret apptest.Returned
		a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R1", "at": at(-24), "lines": []J{apptest.Back(1, 1)}}).Into(&ret)
		if len(ret.ClawedBack) != 0 || len(ret.Balances) != 0 || ret.State != "posted" {
			t.Errorf("a return of nobody's sale: %+v", ret)
		}
		if got := list(t, a.Client, "unassigned=true", 50); !slices.Equal(got, []string{sold.ID}) {
			t.Errorf("the queue has %v, want the sale alone", got)
		}
		m := a.Member()
		r := a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign", J{"member": m}, apptest.Keyed("assign")).Into(&mine)
		if p := mine.Points; mine.MemberID != m || mine.ID != sold.ID || len(p) != 1 || p[0].Amount != 100 || p[0].State != "pending" ||
			p[0].UsableAt != "2026-03-10T16:00:00Z" || p[0].ExpiresAt != "2026-04-10T16:00:00Z" || mine.Trace != nil {
			t.Errorf("assigned two days later: %s", r.Body)
		}
		if w := a.Wallet(m); w.Pending != 75 || w.Available != 0 {
			t.Errorf("a quarter had come back: %+v", w)
		}
		if r := a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign", J{"member": m}, apptest.Keyed("assign")); !r.Replayed() {
			t.Errorf("the same key again: %s", r.Body)
		}
		for _, who := range []string{m, a.Member()} {
			a.Do("POST", "/v1/sales/"+sold.ID+"/assign", J{"member": who}).Refused(409, "sale.assigned")
		}
		a.Do("POST", "/v1/sales/"+ret.ID+"/assign", J{"member": m}).Refused(409, "sale.is_return")
		if got := list(t, a.Client, "unassigned=true", 50); len(got) != 0 {
			t.Errorf("still in the queue: %v", got)
		}
		if got := list(t, a.Client, "member="+m, 1); !slices.Equal(got, []string{ret.ID, sold.ID}) {
			t.Errorf("the member's list has %v, want the return and the sale", got)
		}
		a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R2", "at": at(0)}).Into(&ret)
		if w := a.Wallet(m); w.Pending != 0 || w.Debt != 0 || ret.ClawedBack[0].Amount != 75 {
			t.Errorf("the rest came back: %+v, %+v", ret, w)
		}
		if again := a.Post("/v1/sales", doc).Into(&mine); !again.Replayed() || mine.MemberID != m {
			t.Errorf("the receipt sent again without a member: %s", again.Body)
		}
	})
}

// Points of a sale so old that they have ended are given and have ended; a return takes
// nothing then.
func TestAssignTooLate(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Policy(func(p *ledger.Policy) { p.Expiry = ledger.Expiry{Policy: "rolling", Count: 1, Unit: "day"} })
		var sold, mine apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"at": at(-240)})).Into(&sold)
		if !slices.Equal(sold.Flags, []string{"late"}) {
			t.Errorf("flags %v", sold.Flags)
		}
		m := a.Member()
		a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign?explain=true", J{"member": m}).Into(&mine)
		if mine.Points[0].Amount != 100 || mine.Points[0].State != "ended" || mine.Balances["points"] != 0 || len(mine.Trace) != 1 {
			t.Errorf("%+v", mine)
		}
		var ret apptest.Returned
		a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R", "at": at(0)}).Into(&ret)
		if ret.ClawedBack[0].Waived != 100 || ret.ClawedBack[0].Debt != 0 {
			t.Errorf("expired points were taken back: %+v", ret)
		}
	})
}

// Assigning to a member who was merged assigns to the survivor; to one who may not earn,
// the sale, and a notice. A sale that had no rate then earns with the one that came since.
func TestAssignToWhom(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		from, into := a.Member(), a.Member()
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into})
		var sold, mine apptest.Sold
		a.Post("/v1/sales", a.Sale(nil)).Into(&sold)
		a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign", J{"member": from}).Into(&mine)
		if mine.MemberID != into || a.Wallet(into).Available != 100 {
			t.Errorf("to a merged member: %+v", mine)
		}

		blocked := a.Member()
		a.Must(200, "POST", "/v1/members/"+blocked+"/block", J{"earn": true, "reason": "test"})
		a.Post("/v1/sales", a.Sale(nil)).Into(&sold)
		a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign", J{"member": blocked}).Into(&mine)
		if mine.MemberID != blocked || len(mine.Points) != 0 || len(mine.Notices) != 1 || mine.Notices[0].Code != "ledger.may_not_earn" {
			t.Errorf("to a blocked member: %+v", mine)
		}

		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"currency": "USD"})).Into(&sold)
		if !slices.Equal(sold.Flags, []string{"no_rate"}) {
			t.Errorf("flags %v", sold.Flags)
		}
		if err := a.Program.SetRates(a.Context(), []program.Rate{{Currency: "USD", Day: a.Program.Snapshot().Day(apptest.Noon), Millionths: 7_100_000}}); err != nil {
			t.Fatal(err)
		}
		a.Must(200, "POST", "/v1/sales/"+sold.ID+"/assign", J{"member": m}).Into(&mine)
		if len(mine.Points) != 1 || mine.Points[0].Amount != 710 || len(mine.Flags) != 0 {
			t.Errorf("with a rate: %+v", mine)
		}
		a.Do("POST", "/v1/sales/"+sold.ID+"/assign", J{"member": "no:8999999"}).Refused(404, "member.not_found")
		a.Do("POST", "/v1/sales/sal_00000000000000000000000000/assign", J{"member": m}).Refused(404, "sale.unknown")
	})
}

// A sale that an import brought in by a rate of its own, and that nobody owned, earns by that
// rate, though the settings have none.
func TestAssignForeign(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		n := sale.New{Source: "uk", Document: "1", At: at(-2), Currency: "GBP", Total: 1533, Lines: []sale.NewLine{{Line: 1, SKU: "tea", Quantity: 1000, Amount: 1533}}}
		for range 2 { // and once more: it is the same
			r := a.Sales.ImportMany(a.Context(), []sale.Item{{Sale: &n}}, map[string]int64{"GBP": 9_100_000}, sale.Ask{History: true})[0]
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		var page struct{ Items []struct{ ID string } }
		a.Get("/v1/sales").Into(&page)
		m := a.Member()
		var mine apptest.Sold
		a.Must(200, "POST", "/v1/sales/"+page.Items[0].ID+"/assign", J{"member": m}).Into(&mine)
		if w := a.Wallet(m); len(page.Items) != 1 || w.Available != 139 { // of 139.503 yuan
			t.Errorf("%d sales; it gave %+v", len(page.Items), w)
		}
	})
}
