package till_test

import (
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

type shift struct {
	ID, State  string
	Expected   int64 `json:"expected_cash"`
	Counted    int64 `json:"counted_cash"`
	Difference int64
	Report     struct {
		Money []struct {
			Currency                                                             string
			Sales, Sold, Returns, Returned, Voids, Voided, Net, Unnamed, Members int64
			Payments                                                             []struct {
				Kind   string
				Amount int64
			}
		}
		Points []struct {
			Currency                string
			Earned, Spent, Restored int64
			ClawedBack              int64 `json:"clawed_back"`
		}
		StoredValue []struct {
			Currency, Payment    string
			Count, Amount, Worth int64
		} `json:"stored_value"`
	}
}

// A shift adds up what its till sold, took back, voided and took in, and nothing of another
// till or another time; the drawer holds the cash of it.
func TestShift(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Post("/v1/currencies", J{"code": "wallet", "kind": "stored", "name_en": "Wallet", "name_zh": "储值", "policy": J{"decimals": 2, "unit_value_millionths": 1_000_000}})
		cashier := a.Key("sales.read", "sales.write", "points.write", "members.read")
		now := func() string { return a.Clock.Now().Format(time.RFC3339) }
		sell := func(edit J) (s apptest.Sold) {
			a.Clock.Advance(time.Minute)
			cashier.Post("/v1/sales", a.Sale(apptest.With(J{"till": "T1", "at": now(), "member": m, "payments": []J{{"kind": "cash", "amount": 10000}}}, edit))).Into(&s)
			return s
		}
		sell(nil) // before the shift
		a.Clock.Advance(time.Minute)
		var sh shift
		cashier.Post("/v1/shifts", J{"store": "main", "till": "T1", "opening_cash": 5000}).Into(&sh)
		cashier.Do("POST", "/v1/shifts", J{"store": "main", "till": "T1"}).Refused(409, "shift.open")

		first := sell(nil)
		sell(J{"payments": []J{{"kind": "card", "amount": 9000}}})
		sell(J{"till": "T2"})
		wrong := sell(nil)
		void := J{"document": "V1", "at": now(), "till": "T1", "reason": "rang up twice"}
		cashier.Do("POST", "/v1/sales/"+wrong.ID+"/void", apptest.With(void, J{"till": "T2"})).Refused(409, "sale.void_till")
		cashier.Do("POST", "/v1/sales/"+wrong.ID+"/void", apptest.With(void, J{"reason": " "})).Refused(422, "sale.reason")
		var r apptest.Returned
		cashier.Post("/v1/sales/"+wrong.ID+"/void", void).Into(&r)
		if r.Total != 10000 || len(r.ClawedBack) != 1 || r.ClawedBack[0].Amount != 100 {
			t.Errorf("a void takes back all: %+v", r)
		}
		cashier.Post("/v1/sales/"+wrong.ID+"/void", void) // the same again is the first answer
		cashier.Do("POST", "/v1/sales/"+wrong.ID+"/void", apptest.With(void, J{"document": "V2"})).Refused(409, "sale.void_part")
		cashier.Post("/v1/sales/"+first.ID+"/returns", J{"document": "R1", "at": now(), "till": "T1", "lines": []J{{"line": 1, "quantity": 1, "amount": 4000}}, "payments": []J{{"kind": "cash", "amount": 4000}}})
		cashier.Post("/v1/members/"+m+"/topups", J{"currency": "wallet", "principal": 2500, "bonus": 100, "payment": J{"kind": "cash", "reference": "p1"}})
		a.Post("/v1/members/"+m+"/topups", J{"currency": "wallet", "principal": 700, "payment": J{"kind": "cash", "reference": "p2"}}) // somebody else
		a.Clock.Advance(time.Minute)

		cashier.Get("/v1/shifts/" + sh.ID).Into(&sh)
		// In the drawer: 50 at first, 100 + 100 sold, 100 voided, 40 returned, 25 topped up.
		if sh.State != "open" || sh.Expected != 5000+20000-10000-4000+2500 || len(sh.Report.Money) != 1 || len(sh.Report.Points) != 1 || len(sh.Report.StoredValue) != 1 {
			t.Fatalf("open: %+v", sh)
		}
		y := sh.Report.Money[0]
		if y.Currency != "CNY" || y.Sales != 3 || y.Sold != 30000 || y.Returns != 2 || y.Returned != 14000 || y.Voids != 1 || y.Voided != 10000 || y.Net != 16000 || y.Unnamed != 1000 ||
			len(y.Payments) != 2 || y.Payments[0].Kind != "card" || y.Payments[0].Amount != 9000 || y.Payments[1].Amount != 6000 {
			t.Errorf("money: %+v", y)
		}
		if p := sh.Report.Points[0]; p.Currency != "points" || p.Earned != 300 || p.ClawedBack != 200 {
			t.Errorf("points: %+v", p)
		}
		if v := sh.Report.StoredValue[0]; v.Currency != "wallet" || v.Payment != "cash" || v.Count != 1 || v.Amount != 2500 || v.Worth != 2500 {
			t.Errorf("stored value: %+v", v)
		}
		a.Key("sales.write").Do("POST", "/v1/shifts/"+sh.ID+"/close", J{"counted_cash": 1}).Refused(403, "shift.not_yours")
		cashier.Must(200, "POST", "/v1/shifts/"+sh.ID+"/close", J{"counted_cash": 13400, "note": "a coin fell"}).Into(&sh)
		if sh.State != "closed" || sh.Difference != -100 {
			t.Errorf("closed: %+v", sh)
		}
		cashier.Do("POST", "/v1/shifts/"+sh.ID+"/close", J{"counted_cash": 1}).Refused(409, "shift.closed")
		sell(nil) // after it
		var again shift
		cashier.Get("/v1/shifts/" + sh.ID).Into(&again)
		if again.Report.Money[0].Sales != 3 || again.Expected != sh.Expected {
			t.Errorf("a closed shift says something else: %+v", again)
		}
		var late shift
		cashier.Post("/v1/shifts", J{"store": "main", "till": "T1"}).Into(&late)
		var list struct{ Items []shift }
		if cashier.Get("/v1/shifts?store=main&till=T1&open=true").Into(&list); len(list.Items) != 1 || list.Items[0].ID != late.ID {
			t.Errorf("open ones: %+v", list)
		}
		old := sell(nil)
		a.Clock.Advance(30 * time.Minute)
		cashier.Do("POST", "/v1/sales/"+old.ID+"/void", apptest.With(void, J{"document": "V3", "at": now()})).Refused(409, "sale.void_late")
		cashier.Do("GET", "/v1/reports/shift?from=2026-03-01&to=2026-03-10", nil).Refused(422, "shift.span")
		cashier.Do("GET", "/v1/reports/shift?from=2026-03-10&to=2026-03-11&store=nowhere", nil).Refused(404, "program.no_store")
	})
}

// Of many who open a shift at one till, one does.
func TestShiftRace(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var wg sync.WaitGroup
		opened := make([]int, 8)
		for i := range opened {
			wg.Go(func() {
				r, err := a.Send("POST", "/v1/shifts", J{"store": "main", "till": "T1"})
				if err == nil {
					opened[i] = r.Status
				}
			})
		}
		wg.Wait()
		made := 0
		for _, status := range opened {
			if status == 201 {
				made++
			} else if status != 409 {
				t.Errorf("status %d", status)
			}
		}
		if made != 1 {
			t.Errorf("%d opened the till", made)
		}
	})
}

// A receipt says what was sold, and which reprint it is.
func TestReceipt(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		var s apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": a.Member(), "document": "A-17"})).Into(&s)
		var r struct {
			Number string
			Copy   int
			Member string `json:"member_number"`
			Store  struct{ Code string }
			Sale   struct{ Total int64 }
		}
		for range 2 {
			if a.Get("/v1/sales/" + s.ID + "/receipt").Into(&r); r.Copy != 0 || r.Number != "A-17" || r.Store.Code != "main" || r.Sale.Total != 10000 || r.Member == "" {
				t.Errorf("%+v", r)
			}
		}
		for i := range 2 {
			if a.Must(200, "POST", "/v1/sales/"+s.ID+"/receipt/reprint", nil).Into(&r); r.Copy != i+1 {
				t.Errorf("reprint %d is called %d", i+1, r.Copy)
			}
		}
		a.Do("GET", "/v1/sales/sal_nothing/receipt", nil).Refused(404, "sale.unknown")
	})
}
