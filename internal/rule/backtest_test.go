package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// tested is a back-test as the API shows it.
type tested struct {
	ID, State, Error string
	Done, Total      int64
	Report           struct {
		Sales, Members int64
		Touched        int64 `json:"members_touched"`
		Currencies     []struct {
			Currency    string
			Points, Was int64
			Cost        *struct{ Amount int64 }
		}
		Rules []struct {
			Rule                       string
			Points, Was, Times, Capped int64
			WasTimes                   int64 `json:"was_times"`
		}
		Days []struct {
			Day         string
			Points, Was int64
		}
		Most, Least []struct {
			Member      string `json:"member_id"`
			Points, Was int64
		}
	}
}

func (s shop) backTest(asked J) (out tested) {
	s.t.Helper()
	s.Must(202, "POST", "/v1/rules/back-tests", asked).Into(&out)
	s.work("rule.back_test")
	s.Get("/v1/rules/back-tests/" + out.ID).Into(&out)
	if out.State != "done" {
		s.t.Fatalf("%+v", out)
	}
	return out
}

// What a back-test says of the live rules is what they gave, point by point and rule by rule:
// with caps, budgets, fractions, groups, sums over windows, and returns. Of a draft it says what
// it would have given instead.
func TestBackTestIsLive(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.Policy(func(p *ledger.Policy) { p.UnitValue = 10_000 })
		s.Must(200, "PUT", "/v1/rule-groups/g", J{"name_en": "G", "mode": "best", "stage": 2})
		s.live("carry", J{"effect": J{"kind": "per_amount", "currency": "points", "points": 3, "per": 700, "carry": true}})
		s.live("double", J{"effect": J{"kind": "multiplier", "currency": "points", "percent": 200, "carry": true}, "stack": J{"stage": 3}, "caps": J{"month": 300}})
		s.live("budget", J{"caps": J{"budget": 95, "day": 15}})
		s.live("often", J{"condition": "member.visits(3) >= 2", "stack": J{"group": "g"}})
		s.live("spender", J{"condition": `member.spend(10) >= money("150")`, "stack": J{"group": "g"}, "effect": J{"kind": "fixed", "currency": "points", "points": 30}})
		s.live("tea", J{"condition": `member.spent_on("tea", 5) >= money("50")`})
		s.live("twice", J{"caps": J{"times_week": 2}})
		members := []string{s.Member(), s.Member(), s.Member()}
		total := func() (n int64) {
			for _, m := range members {
				n += s.Wallet(m).Available
			}
			return n
		}
		var sold []string
		for i := range 40 {
			n := int64(i)
			amount := 1000 + n*n*n*37%9000
			line := apptest.With(apptest.Line(1, 2, amount), J{"category": []string{"tea/green", "food"}[i%2]})
			x, _ := s.sell(members[i%3], J{"total": amount + 500, "lines": []J{line, apptest.Line(2, 1, 500)}})
			sold = append(sold, x.ID)
			s.Clock.Advance(time.Duration(1+i%5) * time.Hour)
			switch i % 7 {
			case 3:
				s.giveBack(sold[i-1], apptest.Back(1, 1))
			case 5:
				s.giveBack(sold[i-2])
			}
			s.Clock.Advance(time.Minute)
		}
		period := J{"from": "2026-03-01", "until": s.Clock.Now().Add(24 * time.Hour).Format(time.DateOnly)}
		out := s.backTest(period)
		r := out.Report
		if r.Sales != 40 || r.Members != 3 || r.Touched != 0 || len(r.Most)+len(r.Least) != 0 || len(r.Days) < 3 || out.Done != out.Total {
			t.Errorf("%+v", r)
		}
		if c := r.Currencies[0]; c.Points != total() || c.Was != total() || c.Cost == nil || c.Cost.Amount != total()/100 && c.Cost.Amount != total()/100+1 {
			t.Errorf("%+v, have %d", c, total())
		}
		gave := 0
		for _, x := range r.Rules {
			if x.Points != x.Was || x.Times != x.WasTimes {
				t.Errorf("%+v", x)
			}
			if x.Was > 0 {
				gave++
			}
		}
		if gave != 8 { // base and all seven
			t.Errorf("%d rules gave something: %+v", gave, r.Rules)
		}
		out = s.backTest(apptest.With(period, J{
			"rules": []J{rule("twice", J{"effect": J{"kind": "fixed", "currency": "points", "points": 1}})}, "without": []string{"tea", "double", "budget", "often", "spender", "carry"},
		}))
		for _, x := range out.Report.Rules {
			if x.Rule == "twice" && (x.Times != 40 || x.Points >= 40 || x.Points < 30) {
				t.Errorf("%+v", x)
			}
			if x.Rule == "tea" && (x.Points != 0 || x.Was == 0) {
				t.Errorf("%+v", x)
			}
		}
		if len(out.Report.Least) != 3 || out.Report.Touched != 3 {
			t.Errorf("%+v", out.Report.Least)
		}
		var list struct{ Items []tested }
		if s.Get("/v1/rules/back-tests").Into(&list); len(list.Items) != 2 {
			t.Errorf("%+v", list)
		}
		s.Do("POST", "/v1/rules/back-tests/"+out.ID+"/cancel", J{}).Refused(409, "rule.test_over")
		s.Do("POST", "/v1/rules/back-tests", J{"from": "2026-03-01", "until": "2026-03-01"}).Refused(422, "rule.period")
		if err := s.Audit.Chain(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// Sales that an import brought in by a rate of its own are looked at again by that rate, though
// the settings have none.
func TestBackTestForeign(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("twice", J{"effect": J{"kind": "multiplier", "currency": "points", "percent": 200}, "stack": J{"stage": 1}})
		m := s.Member()
		owner, err := member.ParseID(m)
		if err != nil {
			t.Fatal(err)
		}
		n := sale.New{Source: "uk", Document: "1", At: "2026-03-10T02:00:00Z", Member: m, Currency: "GBP", Total: 1533, Lines: []sale.NewLine{{Line: 1, SKU: "tea", Quantity: 1000, Amount: 1533}}}
		if r := s.Sales.ImportMany(s.Context(), []sale.Item{{Sale: &n, Owner: owner}}, map[string]int64{"GBP": 9_100_000}, sale.Ask{History: true})[0]; r.Err != nil {
			t.Fatal(r.Err)
		}
		const gave = 2 * 139 // of 139.503 yuan
		if w := s.Wallet(m); w.Available != gave {
			t.Errorf("it gave %+v", w)
		}
		if c := s.backTest(J{"from": "2026-03-01", "until": "2026-03-11"}).Report.Currencies[0]; c.Points != gave || c.Was != gave {
			t.Errorf("%+v", c)
		}
	})
}

// A return that names no sale, and of which one line matches none, counts by the others.
func TestBackTestParked(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("carry", J{"effect": J{"kind": "per_amount", "currency": "points", "points": 3, "per": 700, "carry": true}})
		m := s.Member()
		owner, err := member.ParseID(m)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 { // the fraction that waits is what the returns left
			n := int64(1000 + 130*i)
			s.sell(m, J{"total": 2*n + 500, "lines": []J{apptest.Line(1, 2, 2*n), apptest.Line(2, 1, 500)}})
			s.Clock.Advance(time.Second)
			back := sale.NewReturn{Source: "till", Document: fmt.Sprint("C", i), At: s.Clock.Now().Format(time.RFC3339), Lines: []sale.Asked{{Line: 1, SKU: "sku-1", Milli: 1000, Amount: n}, {Line: 2, SKU: "nothing", Milli: 1000, Amount: 500}}}
			if r := s.Sales.TakeBack(s.Context(), back, owner, sale.Ask{}); r.Err != nil || r.Return.State != "parked" {
				t.Fatalf("%+v, %v", r.Return, r.Err)
			}
			s.Clock.Advance(time.Second)
		}
		had := s.Wallet(m).Available
		out := s.backTest(J{"from": "2026-03-01", "until": s.Clock.Now().Add(24 * time.Hour).Format(time.DateOnly)})
		if c := out.Report.Currencies[0]; c.Points != had || c.Was != had || out.Report.Touched != 0 {
			t.Errorf("%+v, have %d", c, had)
		}
	})
}
