package sale_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// hold sets points of a member aside and returns the hold's id.
func hold(a *apptest.App, m string, amount int64) string {
	var h struct{ ID string }
	a.Post("/v1/holds", J{"member": m, "currency": "points", "amount": amount, "ttl_seconds": 600, "purpose": "till"}).Into(&h)
	return h.ID
}

func points(reference string) []J {
	return []J{{"kind": "points", "amount": 100, "reference": reference}}
}

// A sale that points pay for captures their hold; returns restore them in proportion to
// the money, the last lots that were used first, with the expiry that they had.
func TestHoldPays(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Post("/v1/members/"+m+"/earnings", J{"currency": "points", "amount": 30, "reason": "soon", "source": "t", "document": "1", "expires_at": "2026-04-01"})
		a.Post("/v1/members/"+m+"/earnings", J{"currency": "points", "amount": 70, "reason": "late", "source": "t", "document": "2", "expires_at": "2026-05-01"})
		h := hold(a, m, 90) // all of the first lot, 60 of the second
		var sold apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": m, "payments": points(h), "lines": []J{apptest.Line(1, 3, 10000)}})).Into(&sold)
		if w := a.Wallet(m); w.Available != 10+100 || w.Held != 0 || w.Spent != 90 {
			t.Fatalf("after the sale: %+v", w)
		}
		back := func(document string, lines ...J) (r apptest.Returned) {
			a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": document, "at": a.Clock.Now().Format(time.RFC3339), "lines": lines}).Into(&r)
			return r
		}
		if r := back("R1", apptest.Back(1, 1)); r.Total != 3333 || r.Restored[0].Amount != 29 || r.Balances["points"] != 110-33+29 {
			t.Errorf("a third back: %+v", r)
		}
		if w := a.Wallet(m); len(w.Expiring) != 1 || w.Expiring[0].Amount != 10+29 || w.Expiring[0].ExpiresAt != "2026-05-01T16:00:00Z" {
			t.Errorf("restored to other lots than the last ones used: %+v", w.Expiring)
		}
		a.Clock.Set(time.Date(2026, 4, 10, 0, 0, 0, 0, time.UTC)) // the first lot has ended
		if r := back("R2"); r.Restored[0].Amount != 61 || r.Balances["points"] != 70 {
			t.Errorf("the rest back: %+v", r)
		}
		if w := a.Wallet(m); w.Available != 70 || w.Spent != 0 || w.Earned != 100 {
			t.Errorf("in the end, with 30 lapsed: %+v", w)
		}
	})
}

// What a return restores to a member who was merged, and the survivor in turn, is the last
// survivor's; and when the merges are undone, one after the other, it is where it was, and
// so is what the return took back of the life's earnings.
func TestRestoredAfterMerges(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, next, last := a.Member(), a.Member(), a.Member()
		a.Give(m, 90)
		var sold apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": m, "payments": points(hold(a, m, 90))})).Into(&sold)
		a.Must(200, "POST", "/v1/members/"+m+"/merge", J{"into": next})
		a.Must(200, "POST", "/v1/members/"+next+"/merge", J{"into": last})
		a.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R", "at": at(0)})
		if w := a.Wallet(last); w.Available != 90 || w.Spent != 0 || w.Earned != 90 {
			t.Errorf("with the last survivor: %+v", w)
		}
		a.Must(200, "POST", "/v1/members/"+next+"/unmerge", J{})
		a.Must(200, "POST", "/v1/members/"+m+"/unmerge", J{})
		for _, who := range []string{m, next, last} {
			want := int64(0)
			if who == m {
				want = 90
			}
			if w := a.Wallet(who); w.Available != want || w.Earned != want || w.Spent != 0 {
				t.Errorf("alone again: %+v, want %d", w, want)
			}
		}
	})
}

// A hold that cannot pay refuses the sale, and nothing of it is recorded.
func TestHoldRefused(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other := a.Member(), a.Member()
		a.Give(m, 100)
		a.Give(other, 100)
		over := hold(a, m, 10)
		a.Clock.Advance(10 * time.Minute) // the first instant at which it is over
		done := hold(a, m, 10)
		a.Must(200, "POST", "/v1/holds/"+done+"/capture", J{})
		good := hold(a, m, 10)
		for _, tt := range []struct {
			name     string
			edit     J
			status   int
			code, at string
		}{
			{"another member's", J{"payments": points(hold(a, other, 10))}, 409, "sale.hold_owner", ""},
			{"nobody's sale", J{"member": nil, "payments": points(good)}, 409, "sale.hold_owner", ""},
			{"expired", J{"payments": points(over)}, 409, "ledger.hold_over", ""},
			{"captured before", J{"payments": points(done)}, 409, "ledger.hold_over", ""},
			{"twice in one sale", J{"payments": append(points(good), points(good)...)}, 409, "ledger.hold_over", ""},
			{"no hold", J{"payments": points("cash")}, 422, "sale.payment", "body.payments[0].reference"},
			{"another kind of id", J{"payments": points(m)}, 422, "sale.payment", "body.payments[0].reference"},
			{"one that was never made", J{"payments": points(ledger.HoldID(1, 999))}, 404, "ledger.hold_unknown", ""},
		} {
			n := a.Number("SELECT COUNT(*) FROM sale")
			doc := a.Sale(apptest.With(J{"member": m}, tt.edit))
			r := a.Do("POST", "/v1/sales", doc).Refused(tt.status, tt.code)
			if tt.at != "" && (len(r.Errors) != 1 || r.Errors[0].Location != tt.at) {
				t.Errorf("%s: at %+v", tt.name, r.Errors)
			}
			if now := a.Number("SELECT COUNT(*) FROM sale"); now != n {
				t.Errorf("%s: %d rows were recorded", tt.name, now-n)
			}
			delete(doc, "payments")
			a.Post("/v1/sales", doc) // the document is still free
		}
		if w := a.Wallet(m); w.Held != 10 {
			t.Errorf("the good hold is touched: %+v", w)
		}
	})
}
