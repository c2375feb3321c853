package plan_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

// terms are those of a plan of 25 yuan a month; edits replace fields.
func terms(edits J) J {
	return apptest.With(J{
		"name_en": "Gold card", "name_zh": "金卡", "every": "month", "price": J{"amount": 2500, "currency": "CNY"},
		"trial_days": 7, "grace_days": 3, "remind_days": 5,
		"benefits":    J{"multiplier": 1500, "discount_percent": 5, "free_delivery": true, "others": []J{{"en": "A tea on your birthday", "zh": "生日赠饮"}}},
		"start_gifts": []J{{"currency": "points", "amount": 300}}, "renewal_gifts": []J{{"currency": "points", "amount": 100}},
	}, edits)
}

// live makes a plan that is on offer and returns its id.
func live(a *apptest.App, code string, edits J) string {
	var p struct{ ID string }
	a.Post("/v1/plans", J{"code": code, "terms": terms(edits)}).Into(&p)
	a.Must(200, "POST", "/v1/plans/"+p.ID+"/state", J{"state": "live"})
	return p.ID
}

type membership struct {
	Standing  string
	Plan      string
	Number    int64
	StartedOn string `json:"started_on"`
	TrialEnds string `json:"trial_last_day"`
	LastDay   string `json:"last_day"`
	RenewsOn  string `json:"renews_on"`
	GraceEnds string `json:"grace_last_day"`
	PayFrom   string `json:"payable_from"`
	Paid      int64  `json:"periods_paid"`
	Auto      bool   `json:"auto_renew"`
	Why       string `json:"ended_why"`
	Benefits  *struct{ Multiplier int64 }
}

type points struct {
	Currency string
	Amount   int64
}

type answer struct {
	Membership membership
	Payment    *struct {
		ID               string
		FirstDay         string `json:"first_day"`
		LastDay          string `json:"last_day"`
		Amount, Refunded int64
		Reference        string
		Gifts            []points
	}
	Refund *struct {
		Amount   int64
		Unused   int64    `json:"unused_days"`
		TakeBack []points `json:"gifts_taken_back"`
	}
	Balances map[string]int64
}

func standing(a *apptest.App, m string) (got membership) {
	a.Get("/v1/members/" + m + "/plan").Into(&got)
	return got
}

func payment(ref string, edits J) J {
	return apptest.With(J{"plan": "gold", "amount": 2500, "currency": "CNY", "method": "wechat", "reference": ref}, edits)
}

// pay records a payment.
func pay(a *apptest.App, m, ref string, edits J) (got answer) {
	a.Post("/v1/members/"+m+"/plan/payments", payment(ref, edits)).Into(&got)
	return got
}

const day = 24 * time.Hour

// A membership goes from its trial through payments and grace to its end, with the gifts of
// each period, and at each step the route says where it stands.
func TestLife(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", nil)
		m := a.Member()
		if got := standing(a, m); got != (membership{}) {
			t.Fatalf("before: %+v", got)
		}
		var got answer
		a.Post("/v1/members/"+m+"/plan", J{"plan": "gold"}).Into(&got)
		if s := got.Membership; s.Standing != "trial" || s.StartedOn != "2026-03-10" || s.TrialEnds != "2026-03-16" || s.RenewsOn != "2026-03-17" || s.GraceEnds != "2026-03-19" || s.Benefits.Multiplier != 1500 {
			t.Errorf("trial: %+v", s)
		}
		if n := a.Wallet(m).Available; n != 0 {
			t.Errorf("a trial gave %d points", n)
		}
		got = pay(a, m, "w1", nil) // in the trial: the period begins when that is over
		if s, p := got.Membership, got.Payment; s.Standing != "trial" || s.LastDay != "2026-04-16" || p.FirstDay != "2026-03-17" || p.LastDay != "2026-04-16" || got.Balances["points"] != 300 {
			t.Errorf("paid: %+v %+v %v", s, p, got.Balances)
		}
		pass(a, 7*day)
		if s := standing(a, m); s.Standing != "active" || s.RenewsOn != "2026-04-17" {
			t.Errorf("active: %+v", s)
		}
		pass(a, 32*day) // 18 April
		if s := standing(a, m); s.Standing != "grace" || s.GraceEnds != "2026-04-19" || s.Benefits == nil {
			t.Errorf("grace: %+v", s)
		}
		if got = pay(a, m, "w2", nil); got.Payment.FirstDay != "2026-04-17" || got.Balances["points"] != 400 || got.Membership.Standing != "active" {
			t.Errorf("renewed: %+v %+v", got.Membership, got.Payment)
		}
		pass(a, 32*day) // 20 May: grace is over
		if s := standing(a, m); s.Standing != "ended" || s.Why != "lapsed" || s.LastDay != "2026-05-19" || s.Benefits != nil {
			t.Errorf("ended: %+v", s)
		}
		a.Do("POST", "/v1/members/"+m+"/plan", J{"plan": "gold"}).Refused(409, "plan.trial_used")
		if got = pay(a, m, "w3", nil); got.Membership.Number != 2 || got.Membership.StartedOn != "2026-05-20" || got.Balances["points"] != 700 {
			t.Errorf("again: %+v", got.Membership)
		}
	})
}
