package rule_test

import (
	"maps"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A rule goes from draft over live and paused to ended; a change of a live one waits beside it.
func TestLife(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		m := s.Member()
		var r shown
		s.Must(201, "POST", "/v1/rules", rule("ten", nil)).Into(&r)
		if r.State != "draft" || r.Version != 0 || r.Rule.NameZH != "Rule ten" || r.Words.EN == "" || r.Words.ZH == "" {
			t.Errorf("a draft: %+v", r)
		}
		s.Do("POST", "/v1/rules", rule("ten", nil)).Refused(409, "rule.code_taken")
		s.Do("POST", "/v1/rules/ten/pause", J{}).Refused(409, "rule.state")
		if _, got := s.sell(m, nil); got["ten@1"] != 0 {
			t.Errorf("a draft gives %v", got)
		}
		s.Must(200, "POST", "/v1/rules/"+r.ID+"/publish", J{"revision": r.Revision}).Into(&r)
		if r.State != "live" || r.Version != 1 {
			t.Errorf("published: %+v", r)
		}
		if _, got := s.sell(m, nil); !maps.Equal(got, map[string]int64{"base": 100, "ten@1": 10}) {
			t.Errorf("live gives %v", got)
		}
		s.Do("POST", "/v1/rules/ten/publish", J{}).Refused(409, "rule.no_draft")
		s.Do("PATCH", "/v1/rules/ten", J{"revision": r.Revision - 1, "name_en": "x"}).Refused(409, "rule.edited")
		s.Must(200, "PATCH", "/v1/rules/ten", J{"effect": J{"kind": "fixed", "currency": "points", "points": 20}}).Into(&r)
		if r.State != "live" || r.Rule.Effect.Points != 10 || r.Draft == nil || r.Draft.Effect.Points != 20 {
			t.Errorf("changed: %+v", r)
		}
		if _, got := s.sell(m, nil); got["ten@1"] != 10 {
			t.Errorf("a draft beside a live rule gives %v", got)
		}
		tomorrow := s.Clock.Now().Add(24 * time.Hour)
		s.Must(200, "POST", "/v1/rules/ten/publish", J{"from": tomorrow.Format(time.RFC3339)}).Into(&r)
		if r.State != "live" || r.Version != 1 || r.Next == nil || r.Next.Version != 2 {
			t.Errorf("planned: %+v", r)
		}
		if _, got := s.sell(m, nil); got["ten@1"] != 10 {
			t.Errorf("before its time the next version gives %v", got)
		}
		before := s.Clock.Now()
		s.Clock.Advance(25 * time.Hour)
		if _, got := s.sell(m, nil); got["ten@2"] != 20 {
			t.Errorf("the next version gives %v", got)
		}
		if _, got := s.sell(m, J{"at": before.Format(time.RFC3339)}); got["ten@1"] != 10 {
			t.Errorf("a sale that comes late is given %v", got)
		}
		s.Must(200, "POST", "/v1/rules/ten/pause", J{}).Into(&r)
		if _, got := s.sell(m, nil); r.State != "paused" || len(got) != 1 {
			t.Errorf("paused: %+v gives %v", r, got)
		}
		s.Clock.Advance(time.Minute)
		s.Must(200, "POST", "/v1/rules/ten/resume", J{})
		if _, got := s.sell(m, nil); got["ten@2"] != 20 {
			t.Errorf("resumed gives %v", got)
		}
		s.Clock.Advance(time.Minute)
		s.Must(200, "POST", "/v1/rules/ten/end", J{}).Into(&r)
		if _, got := s.sell(m, nil); r.State != "ended" || len(got) != 1 {
			t.Errorf("ended: %+v gives %v", r, got)
		}
		s.Do("PATCH", "/v1/rules/ten", J{"name_en": "x"}).Refused(409, "rule.state")
		s.Do("DELETE", "/v1/rules/ten", nil).Refused(409, "rule.state")
		var versions struct {
			Items []struct {
				Version int64
				Rule    def
			}
		}
		s.Get("/v1/rule-versions?rule=ten").Into(&versions)
		if len(versions.Items) != 2 || versions.Items[0].Version != 2 || versions.Items[1].Rule.Effect.Points != 10 {
			t.Errorf("versions: %+v", versions)
		}
		if n := s.Number("SELECT COUNT(*) FROM audit WHERE action LIKE 'rule.%'"); n != 7 {
			t.Errorf("%d entries on the trail", n)
		}
		if err := s.Audit.Chain(t.Context()); err != nil { // a day has gone by
			t.Fatal(err)
		}
		s.Verify()
	})
}

// Drafts go without a trace in the list; groups that are in use stay.
func TestDraftsAndGroups(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.Do("POST", "/v1/rules", rule("a", J{"stack": J{"group": "g"}})).Refused(404, "rule.group_unknown")
		s.Must(200, "PUT", "/v1/rule-groups/g", J{"name_en": "G", "mode": "best", "stage": 3})
		var r shown
		s.Must(201, "POST", "/v1/rules", rule("a", J{"stack": J{"group": "g", "stage": 1}})).Into(&r)
		if r.Stage != 3 {
			t.Errorf("runs in stage %d", r.Stage)
		}
		s.Do("DELETE", "/v1/rule-groups/g", nil).Refused(409, "rule.group_in_use")
		s.Must(204, "DELETE", "/v1/rules/a", nil)
		s.Must(204, "DELETE", "/v1/rule-groups/g", nil)
		s.Do("GET", "/v1/rules/a", nil).Refused(404, "rule.unknown")
		for _, edit := range []J{
			{"code": "base"}, {"code": "Up"}, {"effect": J{"kind": "fixed", "currency": "points"}},
			{"effect": J{"kind": "multiplier", "currency": "points", "percent": 100}},
			{"effect": J{"kind": "fixed", "currency": "nothing", "points": 1}},
			{"trigger": J{"on": "event"}}, {"condition": "sale.totl > 1"}, {"condition": "sale.total"},
			{"valid": J{"from": "2026-02-01", "until": "2026-01-01"}}, {"valid": J{"festivals": []string{"monday"}}},
			{"trigger": J{"on": "birthday"}, "scope": J{"stores": []string{"main"}}},
		} {
			if r := s.Do("POST", "/v1/rules", rule("b", edit)); r.Status != 422 {
				t.Errorf("%v: %d %s", edit, r.Status, r.Body)
			}
		}
	})
}

// A rule says in both languages what it does, and where a condition is wrong.
func TestCheck(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		var out struct {
			OK     bool
			Errors []struct {
				Location, Code, Message string
				Line, Column            int
			}
			Words struct{ EN, ZH string }
		}
		s.Must(200, "POST", "/v1/rules/check", J{"rule": rule("a", J{
			"condition": `sale.total >= money("100") && now.weekday == 2`, "scope": J{"categories": []string{"coffee"}},
			"effect": J{"kind": "per_amount", "currency": "points", "points": 2, "per": 150, "carry": true}, "caps": J{"month": 500},
		})}).Into(&out)
		if !out.OK || out.Words.EN != "On each purchase, if What was paid ≥ 100 and Day of the week = Tuesday: 2 Points for every CNY 1.50 of categories coffee. At most 500 Points a month. Fractions are kept for the next time; What is paid with points or coupons does not count." {
			t.Errorf("%+v", out)
		}
		if out.Words.ZH != "每笔消费，满足：实付金额 ≥ 100，且星期 = 周二：购买品类 coffee，每满 CNY 1.50 得 2 积分。上限：每人每月 500 积分。零头结转下次；积分与卡券支付部分不计。" {
			t.Errorf("%s", out.Words.ZH)
		}
		s.Must(200, "POST", "/v1/rules/check", J{"condition": "sale.total > 1 &&\n sale.storr == \"x\""}, apptest.Language("zh-CN")).Into(&out)
		if out.OK || len(out.Errors) != 1 || out.Errors[0].Line != 2 || out.Errors[0].Location != "condition" {
			t.Errorf("%+v", out)
		}
		var tree struct {
			Text string
			Tree struct{ Rules []any }
		}
		s.Must(200, "POST", "/v1/rules/tree", J{"text": `sale.total >= money("100") || now.weekend`}).Into(&tree)
		if len(tree.Tree.Rules) != 2 {
			t.Errorf("%+v", tree)
		}
		again := J{}
		s.Must(200, "POST", "/v1/rules/tree", J{"tree": J{"combinator": "or", "rules": tree.Tree.Rules}}).Into(&again)
		if again["text"] != `sale.total >= money("100") || now.weekend` {
			t.Errorf("%v", again)
		}
		s.Must(200, "GET", "/v1/rules/vocabulary?kind=line", nil)
	})
}
