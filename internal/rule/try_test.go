package rule_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A try tells what a basket would earn, at any time, for a member as they are or as they might
// be, with drafts in place of what is live, and keeps nothing.
func TestTry(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("tuesday", J{"effect": J{"kind": "multiplier", "currency": "points", "percent": 200}, "valid": J{"weekdays": []int{2}}, "caps": J{"budget": 150}})
		s.live("birthday", J{"condition": "member.birthday.this_month && member.spend(30) < money(\"500\")"})
		m := s.Member()
		basket := J{"lines": []J{{"amount": 10000}}}
		try := func(body J) map[string]int64 {
			t.Helper()
			var out struct {
				Points []struct{ Amount int64 }
				Rules  []struct {
					Rule   string
					Amount int64
				}
			}
			s.Must(200, "POST", "/v1/rules/try", body).Into(&out)
			sum, got := int64(0), map[string]int64{}
			for _, r := range out.Rules {
				sum += r.Amount
				got[r.Rule] = r.Amount
			}
			if len(out.Points) > 0 && out.Points[0].Amount != sum {
				t.Errorf("%+v", out)
			}
			return got
		}
		for name, tt := range map[string]struct {
			body J
			rule string
			want int64
		}{
			"the settings":       {J{"sale": basket}, "base", 100},
			"on a tuesday":       {J{"sale": basket, "at": "2030-01-01"}, "tuesday@1", 100},
			"on a wednesday":     {J{"sale": basket, "at": "2030-01-02"}, "tuesday@1", 0},
			"birthday":           {J{"sale": basket, "at": "2030-01-02", "who": J{"birthday": "01-20"}}, "birthday@1", 10},
			"spent too much":     {J{"sale": basket, "at": "2030-01-02", "who": J{"birthday": "01-20", "facts": []J{{"fact": "member.spend", "days": 30, "value": 50000}}}}, "birthday@1", 0},
			"a draft":            {J{"sale": basket, "rules": []J{rule("tuesday", J{"effect": J{"kind": "fixed", "currency": "points", "points": 3}})}}, "tuesday@2", 3},
			"a member":           {J{"sale": basket, "member": m, "at": "2030-01-01"}, "tuesday@1", 100},
			"with a birthday":    {J{"sale": basket, "member": m, "who": J{"birthday": "1990-03-20"}}, "birthday@1", 10},
			"the budget is less": {J{"sale": J{"lines": []J{{"amount": 20000}}}, "at": "2030-01-01"}, "tuesday@1", 150},
			"for a member too":   {J{"sale": J{"lines": []J{{"amount": 20000}}}, "member": m, "at": "2030-01-01"}, "tuesday@1", 150},
		} {
			if got := try(tt.body); got[tt.rule] != tt.want {
				t.Errorf("%s: %v", name, got)
			}
		}
		sold, gave := s.sell(m, J{"at": "2026-03-03", "total": 17000, "lines": []J{apptest.Line(1, 1, 17000)}})
		if gave["tuesday@1"] != 150 {
			t.Errorf("gave %v", gave)
		}
		if got := try(J{"sale_id": sold.ID}); got["tuesday@1"] != 150 || got["base"] != 170 {
			t.Errorf("a sale that was made: %v", got)
		}
		s.Do("POST", "/v1/rules/try", J{}).Refused(422, "rule.try")
		s.Do("POST", "/v1/rules/try", J{"sale": basket, "rules": []J{rule("x", J{"condition": "sale.totl"})}}).Refused(422, "cond.field")
	})
}

// A rule may ask for the tier: the sale and the try of it see the same, and so does a try in a
// programme whose rules do not ask.
func TestTryTier(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.Post("/v1/tier-schemes", J{"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "lifetime"}, "term": J{"kind": "forever"}, "downgrade": "none",
			"tiers": []J{{"code": "gold", "name_en": "Gold"}}})
		s.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		s.live("all", nil)
		m := s.Member()
		s.Must(200, "POST", "/v1/members/"+m+"/tier", J{"tier": "gold", "reason": "a guest of the house"})
		for _, rules := range []int{1, 2} {
			var sold, tried struct {
				ID     string
				Points []struct {
					Rule   string
					Amount int64
				}
			}
			s.Post("/v1/sales", s.Sale(J{"member": m})).Into(&sold)
			s.Must(200, "POST", "/v1/rules/try", J{"sale_id": sold.ID}).Into(&tried)
			given := 0
			for _, p := range sold.Points {
				if p.Rule != "base" {
					given++
				}
			}
			if given != rules {
				t.Errorf("with %d rules: sold %+v", rules, sold)
			}
			if rules == 1 {
				s.live("gold", J{"condition": `member.tier.code == "gold"`})
			}
		}
	})
}
