package tier_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type trial struct {
	ID, State string
	Result    struct {
		Members     int64
		Now         []move
		Settled     []move
		Bonuses     []cost
		Multipliers []cost
	}
}

type move struct {
	From, To string
	Members  int64
	Sample   []string
}

type cost struct {
	Currency        string
	Amount, Members int64
}

// moved is how many make a move.
func moved(list []move, from, to string) int64 {
	for _, m := range list {
		if m.From == from && m.To == to {
			return m.Members
		}
	}
	return 0
}

// What a what-if says is what happens when the same is published: who rises, and what it costs.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		for i := range int64(12) { // 100, 200 … 1,200 yuan
			m, amount := a.Member(), 10_000*(i+1)
			a.Post("/v1/sales", a.Sale(J{"member": m, "total": amount, "lines": []J{apptest.Line(1, 1, amount)}}))
		}
		a.Member() // who has bought nothing
		settle(t, a)
		var stand struct {
			Items []struct {
				None, Members int64
				Tiers         []struct {
					Code    string
					Members int64
				}
			}
		}
		a.Get("/v1/tiers").Into(&stand)
		if v := stand.Items[0]; v.Members != 13 || v.None != 0 || v.Tiers[0].Members != 5 || v.Tiers[1].Members != 8 || v.Tiers[2].Members != 0 {
			t.Errorf("who stand where: %+v", v)
		}
		draft := club(nil)
		draft["tiers"].([]J)[1]["qualify"] = J{"spend": 30_000}
		draft["tiers"].([]J)[1]["benefits"] = J{"earn_multiplier": 1500}
		draft["tiers"].([]J)[2]["qualify"] = J{"spend": 100_000}
		draft["tiers"].([]J)[2]["welcome"] = J{"currency": "points", "amount": 500}
		var v trial
		a.Must(202, "POST", "/v1/tiers/what-if", J{"scheme": "club", "draft": draft}).Into(&v)
		for v.State == "running" {
			a.Get("/v1/tiers/what-if/" + v.ID).Into(&v)
		}
		r := v.Result
		if v.State != "done" || r.Members != 13 || moved(r.Now, "base", "base") != 3 || moved(r.Now, "base", "silver") != 2 || moved(r.Now, "silver", "silver") != 5 || moved(r.Now, "silver", "gold") != 3 {
			t.Errorf("who moves: %+v", v)
		}
		if len(r.Bonuses) != 1 || r.Bonuses[0] != (cost{"points", 2*50 + 3*500, 5}) {
			t.Errorf("bonuses: %+v", r.Bonuses)
		}
		// In silver × 1.2 becomes × 1.5 for 500 to 900 yuan; × 1.5 is new for 300 and 400; gold × 1.5 instead of × 1.2 for 1,000 to 1,200.
		// Each of 500 and more has a bonus of 50 among what they earned.
		want := int64(150 + 200)
		for n := int64(500); n <= 1200; n += 100 {
			want += (n + 50) * 300 / 1200
		}
		if len(r.Multipliers) != 1 || r.Multipliers[0].Amount != want || r.Multipliers[0].Members != 10 {
			t.Errorf("multipliers: %+v, want %d", r.Multipliers, want)
		}
		before := a.Number("SELECT CAST(SUM(earned) AS BIGINT) FROM wallet")
		a.Must(200, "PUT", "/v1/tier-schemes/club/draft", draft)
		a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		settle(t, a)
		if n := a.Number("SELECT COUNT(*) FROM tier_history WHERE from_tier = 'silver' AND to_tier = 'gold'"); n != 3 {
			t.Errorf("%d rose to gold", n)
		}
		if n := a.Number("SELECT CAST(SUM(earned) AS BIGINT) FROM wallet") - before; n != r.Bonuses[0].Amount {
			t.Errorf("the bonuses came to %d", n)
		}
		var h struct {
			Metric        string
			Members, Zero int64
			Bars          []struct{ From, To, Members int64 }
		}
		a.Get("/v1/tiers/histogram").Into(&h)
		sum := h.Zero
		for _, b := range h.Bars {
			sum += b.Members
		}
		if h.Metric != "spend" || h.Members != 13 || h.Zero != 1 || sum != 13 {
			t.Errorf("histogram: %+v", h)
		}
		a.Do("GET", "/v1/tiers/what-if/trt_x", nil).Refused(404, "tier.no_try")
	})
}

// A draft that makes it harder moves nobody on its day, and says where it leads to.
func TestWhatIfHarder(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 60_000, "lines": []J{apptest.Line(1, 1, 60_000)}}))
		draft := club(nil)
		draft["tiers"].([]J)[1]["qualify"] = J{"spend": 70_000}
		var v trial
		a.Must(202, "POST", "/v1/tiers/what-if", J{"scheme": "club", "draft": draft}).Into(&v)
		for v.State == "running" {
			a.Get("/v1/tiers/what-if/" + v.ID).Into(&v)
		}
		if moved(v.Result.Now, "silver", "silver") != 1 || moved(v.Result.Settled, "silver", "base") != 1 {
			t.Errorf("%+v", v)
		}
		if s := v.Result.Settled; len(s) != 1 || len(s[0].Sample) != 1 || s[0].Sample[0] != m {
			t.Errorf("who: %+v", s)
		}
	})
}
