package portal_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A member sees the plans that are on offer in their language, begins a trial, cancels it and
// takes that back; drafts are not shown.
func TestPlan(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		terms := J{
			"name_en": "Gold card", "name_zh": "金卡", "every": "month", "price": J{"amount": 2500, "currency": "CNY"},
			"trial_days": 7, "grace_days": 3, "remind_days": 5, "benefits": J{"multiplier": 1500},
		}
		for _, code := range []string{"gold", "draft"} {
			a.Post("/v1/plans", J{"code": code, "terms": terms})
		}
		a.Must(200, "POST", "/v1/plans/gold/state", J{"state": "live"})
		p := enrol(t, a, "13800138000", nil)
		var offers struct {
			Items []struct {
				Code, Name string
				Online     bool `json:"pay_online"`
			}
		}
		p.want(200, "", "GET", "/portal/v1/plans", nil, "Accept-Language", "zh-CN").into(&offers)
		if len(offers.Items) != 1 || offers.Items[0].Code != "gold" || offers.Items[0].Name != "金卡" || offers.Items[0].Online {
			t.Errorf("on offer: %+v", offers.Items)
		}
		standing := func() (s struct{ Standing string }) {
			p.want(200, "", "GET", "/portal/v1/plan", nil).into(&s)
			return s
		}
		p.want(201, "", "POST", "/portal/v1/plan/trial", J{"plan": "gold"}, "Idempotency-Key", "k1")
		p.want(409, "plan.runs", "POST", "/portal/v1/plan/trial", J{"plan": "gold"}, "Idempotency-Key", "k2")
		p.want(409, "plan.no_provider", "POST", "/portal/v1/plan/checkout", J{}, "Idempotency-Key", "k3")
		if s := standing(); s.Standing != "trial" {
			t.Errorf("stands %q", s.Standing)
		}
		p.want(200, "", "POST", "/portal/v1/plan/cancel", nil, "Idempotency-Key", "k4")
		if s := standing(); s.Standing != "cancelled_at_end" {
			t.Errorf("stands %q", s.Standing)
		}
		p.want(200, "", "POST", "/portal/v1/plan/resume", nil, "Idempotency-Key", "k5")
		if s := standing(); s.Standing != "trial" {
			t.Errorf("stands %q", s.Standing)
		}
	})
}
