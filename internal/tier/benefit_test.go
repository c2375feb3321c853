package tier_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A tier raises what the sale earns by rules, by the tier before the sale and rounded down
// once; a return takes it back line by line, and a whole one leaves nothing.
func TestBenefitRaises(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		settle(t, a)
		a.Must(200, "POST", "/v1/members/"+m+"/tier", J{"scheme": "club", "tier": "silver", "reason": "a guest of the house"})
		type sold struct {
			ID     string
			Tier   string
			Points []struct {
				Rule   string
				Amount int64
			}
			Balances map[string]int64
		}
		var s sold
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 250_900, "lines": []J{apptest.Line(1, 1, 100_400), apptest.Line(2, 1, 150_500)}})).Into(&s)
		if len(s.Points) != 2 || s.Points[1].Rule != "tier:silver" || s.Points[1].Amount != s.Points[0].Amount*200/1000 {
			t.Fatalf("silver × 1.2 on the sale that makes gold: %+v", s)
		}
		before := s.Balances["points"] - s.Points[0].Amount - s.Points[1].Amount
		a.Post("/v1/sales/"+s.ID+"/returns", J{"document": "R1", "at": a.Clock.Now().Format(time.RFC3339), "lines": []J{apptest.Back(1, 1)}})
		left := s.Points[0].Amount + s.Points[1].Amount
		if got, share := a.Wallet(m).Available-before, left*1505/2509; got < share || got > share+2 {
			t.Errorf("of %d, %d are left after two fifths came back, want %d", left, got, share)
		}
		a.Post("/v1/sales/"+s.ID+"/returns", J{"document": "R2", "at": a.Clock.Now().Format(time.RFC3339)})
		if got := a.Wallet(m).Available; got != before {
			t.Errorf("a sale that came back whole left %d", got-before)
		}
		if s.Tier != "gold" {
			t.Errorf("after the sale: %s", s.Tier)
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 10_000, "lines": []J{apptest.Line(1, 1, 10_000)}})).Into(&s)
		if len(s.Points) != 2 || s.Points[1].Rule != "tier:gold" || s.Points[1].Amount != s.Points[0].Amount/2 {
			t.Errorf("gold × 1.5: %+v", s)
		}
	})
}
