package rule_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A trace tells of every rule, in both languages, what it looked at and how it came to what it
// gives; a dry run says the same and keeps nothing.
func TestTrace(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.Must(200, "PUT", "/v1/rule-groups/g", J{"name_en": "G", "mode": "best", "stage": 3})
		s.live("double", J{"effect": J{"kind": "multiplier", "currency": "points", "percent": 200}, "condition": `sale.total >= money("50")`, "stack": J{"stage": 1}})
		s.live("capped", J{"caps": J{"day": 4}})
		s.live("small", J{"effect": J{"kind": "per_amount", "currency": "points", "points": 1, "per": 100000}})
		s.live("never", J{"condition": `sale.channel == "moon"`})
		s.live("past", J{"valid": J{"until": "2001-01-01"}})
		s.live("food", J{"scope": J{"categories": []string{"food"}}})
		s.live("less", J{"stack": J{"group": "g"}})
		s.live("more", J{"stack": J{"group": "g"}, "effect": J{"kind": "fixed", "currency": "points", "points": 11}})
		m := s.Member()
		var sold struct {
			apptest.Sold
			Trace []struct {
				Rule, Outcome, Given, Result string
				WhyEN                        string `json:"why_en"`
				WhyZH                        string `json:"why_zh"`
				Steps                        []struct {
					Text, Value string
					Holds       bool
					WordsZH     string `json:"words_zh"`
				}
				Amount int64
			}
		}
		s.Post("/v1/sales?dry_run=true&explain=true", s.Sale(J{"member": m})).Into(&sold)
		want := map[string]string{
			"base": "", "double@1": "given", "capped@1": "capped", "small@1": "nothing", "never@1": "condition",
			"past@1": "calendar", "food@1": "scope", "less@1": "outdone", "more@1": "given",
		}
		got := map[string]string{}
		for _, x := range sold.Trace {
			got[x.Rule] = x.Outcome
			if x.Rule == "base" {
				continue
			}
			if x.WhyEN == "" || x.WhyZH == "" || x.Result == "" || x.WhyEN == x.WhyZH {
				t.Errorf("%+v", x)
			}
			switch x.Rule {
			case "double@1":
				if x.Steps[0].Value != "100.00" || !x.Steps[0].Holds || x.Steps[0].WordsZH != "实付金额 ≥ 50" || x.Amount != 104 {
					t.Errorf("%+v", x)
				}
				if x.WhyEN != "104 Points given before × 1 = 104 Points." {
					t.Error(x.WhyEN)
				}
			case "capped@1":
				if x.Amount != 4 || x.WhyZH != "10 积分；受会员每日上限限制，得 4 积分。" {
					t.Errorf("%+v", x)
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("outcomes %v", got)
		}
		if n := s.Number("SELECT COUNT(*) FROM sale") + s.Number("SELECT COUNT(*) FROM rule_use"); n != 0 {
			t.Errorf("a dry run kept %d rows", n)
		}
		_, gave := s.sell(m, nil)
		if dry := byRule(sold.Sold); !maps.Equal(gave, dry) || !maps.Equal(gave, map[string]int64{"base": 100, "capped@1": 4, "double@1": 104, "more@1": 11}) {
			t.Errorf("gave %v, dry %v", gave, dry)
		}
	})
}

// A sale that comes back whole, at once or in parts, leaves balances, caps, budgets and
// fractions as they were; what was sold meanwhile changes nothing of that.
func TestReturnedWhole(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("budget", J{"caps": J{"budget": 1000, "day": 500, "times_ever": 90}})
		s.live("carry", J{"effect": J{"kind": "per_amount", "currency": "points", "points": 3, "per": 700, "carry": true}})
		s.live("twice", J{"effect": J{"kind": "multiplier", "currency": "points", "percent": 150, "carry": true}, "stack": J{"stage": 1}, "caps": J{"month": 9000}})
		m, other := s.Member(), s.Member()
		s.sell(m, J{"total": 3333, "lines": []J{apptest.Line(1, 1, 3333)}})
		state := func(m string) string {
			var r string
			for _, code := range []string{"budget", "carry", "twice"} {
				var x shown
				s.Get("/v1/rules/" + code).Into(&x)
				r += fmt.Sprint(x.Budget, " ")
			}
			return fmt.Sprint(r, s.Wallet(m).Available, s.use())
		}
		before := state(m)
		lines := []J{apptest.Line(1, 2, 1999), apptest.Line(2, 1, 0), apptest.Line(3, 3, 5001)}
		for name, parts := range map[string][][]J{
			"at once":  {nil},
			"in parts": {{apptest.Back(3, 1)}, {apptest.Back(1, 1), apptest.Back(3, 1)}, {apptest.Back(2, 1)}, nil},
		} {
			sold, gave := s.sell(m, J{"total": 7000, "lines": lines})
			if gave["budget@1"] != 10 || gave["carry@1"] != 30 || gave["twice@1"] < 55 || state(m) == before {
				t.Errorf("gave %v", gave)
			}
			s.sell(other, nil)
			for _, p := range parts {
				s.giveBack(sold.ID, p...)
			}
			theirs, _ := s.sell(other, nil)
			s.giveBack(theirs.ID)
			all := state(m)
			sold, _ = s.sell(other, nil) // and take back what the first one left with the other
			s.giveBack(sold.ID)
			if all != state(m) {
				t.Errorf("%s: a whole return of another changes %s to %s", name, all, state(m))
			}
		}
		// The other's two first sales stand.
		for _, x := range s.sales(other) {
			s.giveBack(x)
		}
		if after := state(m); after != before {
			t.Errorf("before %s\nafter  %s", before, after)
		}
	})
}

// use is all that is kept of members' use, of those with anything, as it lies in the database.
func (s shop) use() (all string) {
	s.t.Helper()
	err := s.DB.Read(s.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT member_id, body FROM rule_use WHERE length(body) > 2 ORDER BY shard, member_id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var m int64
			var body []byte
			if err := rows.Scan(&m, &body); err != nil {
				return err
			}
			all += fmt.Sprintf("%d:%x ", m, body)
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// sales lists what is left of a member's sales.
func (s shop) sales(m string) (ids []string) {
	s.t.Helper()
	var page struct {
		Items []struct {
			ID    string
			Kind  string
			Lines []struct {
				Returned float64 `json:"returned_quantity"`
			}
		}
	}
	s.Get("/v1/sales?limit=200&member=" + m).Into(&page)
	for _, x := range page.Items {
		if x.Kind != "return" && s.Do("POST", "/v1/sales/"+x.ID+"/returns?dry_run=true", J{"document": "x", "at": s.Clock.Now().Format("2006-01-02T15:04:05Z07:00")}).Status == 201 {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// A cap and a budget are never passed by sales at the same time, and used up to the last point.
func TestCapsUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("budget", J{"caps": J{"budget": 333}})
		s.live("member", J{"effect": J{"kind": "fixed", "currency": "points", "points": 7}, "caps": J{"day": 100, "times_day": 90}})
		s.live("thrice", J{"effect": J{"kind": "fixed", "currency": "points", "points": 1}, "caps": J{"times_ever": 3}})
		var members []string
		for range 8 {
			members = append(members, s.Member())
		}
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				if _, err := s.Send("POST", "/v1/sales", s.Sale(J{"member": members[i%4]}), apptest.Keyed(fmt.Sprint("k", i))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		given := func(rule string) int64 {
			return s.Number("SELECT COALESCE(SUM(active + pending), 0) FROM entry WHERE rule = '" + rule + "@1'")
		}
		if n := s.Number("SELECT COUNT(*) FROM sale"); n != 64 {
			t.Fatalf("%d sales", n)
		}
		if got := []int64{given("budget"), given("member"), given("thrice")}; !slices.Equal(got, []int64{333, 400, 12}) {
			t.Errorf("gave %v", got)
		}
		var r shown
		if s.Get("/v1/rules/budget").Into(&r); r.Budget == nil || r.Budget.Left != 0 || r.Budget.Used != 333 {
			t.Errorf("%+v", r.Budget)
		}
	})
}

// A rule that cannot be worked out takes its group along, never the sale; it is listed, and
// tried again by hand gives what it would have given.
func TestFailure(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.Must(200, "PUT", "/v1/rule-groups/g", J{"name_en": "G", "mode": "all", "stage": 3})
		s.live("overflow", J{"condition": `sale.total * 9000000000000000 * 9000 > money("1")`, "stack": J{"group": "g"}})
		s.live("beside", J{"stack": J{"group": "g"}})
		s.live("apart", J{})
		m := s.Member()
		sold, gave := s.sell(m, nil)
		if !maps.Equal(gave, map[string]int64{"base": 100, "apart@1": 10}) {
			t.Errorf("gave %v", gave)
		}
		var list struct {
			Items []struct {
				ID, Rule, Code string
				SaleID         string `json:"sale_id"`
				Member         string `json:"member_id"`
				WhyEN          string `json:"why_en"`
				WhyZH          string `json:"why_zh"`
				Mended         string `json:"mended_at"`
			}
		}
		s.Get("/v1/rules/failures?open=true").Into(&list)
		if len(list.Items) != 1 || list.Items[0].Rule != "overflow@1" || list.Items[0].SaleID != sold.ID || list.Items[0].Code != "cond.eval" || list.Items[0].WhyZH == "" {
			t.Fatalf("%+v", list)
		}
		s.Do("POST", "/v1/rules/failures/"+list.Items[0].ID+"/retry", J{}).Refused(409, "rule.failed_again")
		s.Must(200, "PATCH", "/v1/rules/overflow", J{"condition": `sale.total > money("1")`})
		s.Must(200, "POST", "/v1/rules/overflow/publish", J{})
		var out struct {
			Points []struct {
				Currency string
				Amount   int64
			}
			Failure struct {
				Mended string `json:"mended_at"`
			}
		}
		s.Must(200, "POST", "/v1/rules/failures/"+list.Items[0].ID+"/retry", J{}).Into(&out)
		if len(out.Points) != 2 || out.Points[0].Amount != 10 || out.Failure.Mended == "" || s.Wallet(m).Available != 130 {
			t.Errorf("%+v, %d", out, s.Wallet(m).Available)
		}
		s.Do("POST", "/v1/rules/failures/"+list.Items[0].ID+"/retry", J{}).Refused(409, "rule.mended")
		if s.giveBack(sold.ID); s.Wallet(m).Available != 0 {
			t.Errorf("%d left after the return", s.Wallet(m).Available)
		}
	})
}

// Merged members share one cap; parted again each has their own.
func TestMerge(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("ever", J{"caps": J{"ever": 25}})
		a, b := s.Member(), s.Member()
		s.sell(a, nil)
		s.sell(b, nil)
		s.Must(200, "POST", "/v1/members/"+a+"/merge", J{"into": b})
		sold, gave := s.sell(b, nil)
		if gave["ever@1"] != 5 {
			t.Errorf("after the merge %v", gave)
		}
		s.giveBack(sold.ID)
		s.Must(200, "POST", "/v1/members/"+a+"/unmerge", J{})
		for _, m := range []string{a, b} {
			_, first := s.sell(m, nil)
			_, second := s.sell(m, nil)
			if first["ever@1"] != 10 || second["ever@1"] != 5 {
				t.Errorf("parted: %v, then %v", first, second)
			}
		}
	})
}

// A sale that is assigned earns as of its own day, by the version and the caps of then.
func TestAssigned(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		m := s.Member()
		var nobodys apptest.Sold
		s.live("ten", J{"caps": J{"day": 15}})
		s.Post("/v1/sales", s.Sale(J{})).Into(&nobodys)
		s.sell(m, nil)
		s.Must(200, "PATCH", "/v1/rules/ten", J{"effect": J{"kind": "fixed", "currency": "points", "points": 99}, "caps": J{}})
		s.Clock.Advance(2 * time.Second)
		s.Must(200, "POST", "/v1/rules/ten/publish", J{})
		var sold apptest.Sold
		s.Must(200, "POST", "/v1/sales/"+nobodys.ID+"/assign", J{"member": m}).Into(&sold)
		if got := byRule(sold); got["ten@1"] != 5 {
			t.Errorf("assigned: %v", got)
		}
	})
}

// Conditions on what the member did before: sums and counts of the account, and what was bought
// of a category, without the sale itself and less what came back.
func TestFactsOfBefore(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("spend", J{"condition": `member.spend(30) >= money("100")`})
		s.live("visits", J{"condition": `member.visits() == 1`})
		s.live("points", J{"condition": `member.points("points") >= 100`})
		s.live("tea", J{"condition": `member.spent_on("tea", 7) >= money("60") && member.bought("tea") >= 1.5`})
		m := s.Member()
		line := apptest.With(apptest.Line(1, 1.5, 10000), J{"category": "tea/green"})
		first, gave := s.sell(m, J{"lines": []J{line}})
		if len(gave) != 1 {
			t.Errorf("first %v", gave)
		}
		s.Clock.Advance(time.Minute)
		want := map[string]int64{"base": 100, "spend@1": 10, "visits@1": 10, "points@1": 10, "tea@1": 10}
		second, gave := s.sell(m, nil)
		if !maps.Equal(gave, want) {
			t.Errorf("second %v", gave)
		}
		s.giveBack(second.ID)
		if _, gave := s.sell(m, J{"total": 1, "lines": []J{apptest.Line(1, 1, 1)}}); gave["visits@1"] != 10 || gave["tea@1"] != 10 {
			t.Errorf("after a return %v", gave)
		}
		s.giveBack(first.ID)
		if _, gave := s.sell(m, nil); gave["tea@1"] != 0 || gave["spend@1"] != 0 {
			t.Errorf("after the other %v", gave)
		}
	})
}
