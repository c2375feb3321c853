package plan_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/plan/testpay"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A refund gives back what the days are worth that have not begun, all of a period that is paid
// ahead, and takes the gifts back in the same proportion; a trial of it changes nothing, and a
// second one finds nothing left.
func TestRefund(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", J{"trial_days": 0, "price": J{"amount": 3100, "currency": "CNY"}})
		m := a.Member()
		pay(a, m, "w1", J{"amount": 3100}) // 10 March to 9 April: 31 days
		pass(a, 9*day)                     // 19 March: 21 days have not begun
		path := "/v1/members/" + m + "/plan/refund"
		var got answer
		a.Must(200, "POST", path+"?dry_run=true", J{"reason": "moved away"}).Into(&got)
		if got.Refund.Amount != 2100 || got.Refund.Unused != 21 || standing(a, m).Standing != "active" {
			t.Errorf("tried: %+v", got.Refund)
		}
		a.Do("POST", path, J{"reason": "x", "amount": 3101}).Refused(409, "plan.refund_too_much")
		got = answer{}
		a.Must(200, "POST", path, J{"reason": "moved away", "method": "wechat", "reference": "r1"}).Into(&got)
		// 300 points came with it, of which 300 × 21 ÷ 31 = 203.2 go back.
		if got.Refund.Amount != 2100 || fmt.Sprint(got.Refund.TakeBack) != "[{points 203}]" || got.Balances["points"] != 97 || got.Membership.Standing != "ended" || got.Membership.Why != "refunded" {
			t.Errorf("refunded: %+v %+v %v", got.Refund, got.Membership, got.Balances)
		}
		a.Do("POST", path, J{"reason": "again"}).Refused(409, "plan.nothing_to_refund")

		ahead := a.Member()
		pay(a, ahead, "w2", J{"amount": 3100})
		pay(a, ahead, "w3", J{"amount": 3100})
		a.Do("POST", "/v1/members/"+ahead+"/plan/payments", payment("w4", J{"amount": 3100})).Refused(409, "plan.ahead")
		got = answer{}
		a.Must(200, "POST", "/v1/members/"+ahead+"/plan/refund", J{"reason": "x"}).Into(&got)
		// The running one has 30 of 31 days to go: 3000. The next one has not begun: 3100.
		if got.Refund.Amount != 6100 || got.Balances["points"] != 300-290 {
			t.Errorf("ahead: %+v %v", got.Refund, got.Balances)
		}

		quit := a.Member()
		pay(a, quit, "w5", J{"amount": 3100})
		a.Must(200, "POST", "/v1/members/"+quit+"/plan/cancel", J{"when": "now"})
		pass(a, 5*day)
		got = answer{}
		a.Must(200, "POST", "/v1/members/"+quit+"/plan/refund", J{"reason": "x"}).Into(&got)
		if got.Refund.Amount != 3000 { // by the day on which it ended
			t.Errorf("after a cancellation: %+v", got.Refund)
		}
		whole := a.Member()
		pay(a, whole, "w6", J{"amount": 3100})
		a.Must(200, "POST", "/v1/members/"+whole+"/plan/refund", J{"reason": "a mistake of ours", "amount": 3100})
	})
}

// pass lets time go on, with the audit trail chained as it would be long before.
func pass(a *apptest.App, d time.Duration) {
	if err := a.Audit.Chain(a.Context()); err != nil {
		panic(err) // the test's own database
	}
	a.Clock.Advance(d)
}

// One payment counts once, whoever races to record it; its number with another amount is
// refused; a price that is not the price needs a reason.
func TestPaymentOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", nil)
		m := a.Member()
		var group sync.WaitGroup
		var mu sync.Mutex
		fresh := 0
		for range 16 {
			group.Go(func() {
				r, err := a.Send("POST", "/v1/members/"+m+"/plan/payments", payment("w1", nil))
				if err != nil || r.Status != 201 {
					t.Errorf("%v %s", err, r.Body)
				}
				mu.Lock()
				defer mu.Unlock()
				if !r.Replayed() {
					fresh++
				}
			})
		}
		group.Wait()
		if n := a.Number("SELECT COUNT(*) FROM plan_period"); fresh != 1 || n != 1 || a.Wallet(m).Available != 300 {
			t.Errorf("%d fresh, %d payments, %d points", fresh, n, a.Wallet(m).Available)
		}
		at := "/v1/members/" + m + "/plan/payments"
		a.Do("POST", at, payment("w1", J{"amount": 1, "reason": "x"})).Refused(409, "plan.payment_taken")
		a.Do("POST", "/v1/members/"+a.Member()+"/plan/payments", payment("w1", nil)).Refused(409, "plan.payment_taken")
		a.Do("POST", at, payment("w2", J{"amount": 1})).Refused(409, "plan.amount")
		a.Do("POST", at, payment("w2", J{"currency": "USD"})).Refused(409, "plan.amount")
		a.Post(at, payment("w2", J{"amount": 990, "reason": "first month half price"}))
		var list struct {
			Items []struct {
				Amount int64
				Reason string
			}
		}
		if a.Get(at).Into(&list); len(list.Items) != 2 || list.Items[0].Amount != 990 || list.Items[0].Reason == "" {
			t.Errorf("%+v", list)
		}
	})
}

// shop is a program whose plans are charged through the test provider, over HTTP both ways.
func shop(t *testing.T, e int) (*apptest.App, *testpay.Provider) {
	t.Helper()
	by := testpay.New("a secret of the two")
	a := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, dbtest.Engines[e]), Box: seal.Test(), Payments: []plan.Provider{by}})
	pages := httptest.NewServer(by)
	t.Cleanup(pages.Close)
	by.At(pages.URL, a.URL+"/v1/plan-callbacks/test")
	live(a, "gold", J{"provider": "test", "trial_days": 0})
	return a, by
}

// agree is what a member does on the provider's page.
func agree(t *testing.T, at, outcome string) {
	t.Helper()
	r, err := http.PostForm(at, url.Values{"outcome": {outcome}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); err != nil || r.StatusCode != 200 {
		t.Fatalf("the page answers %s: %s (%v)", r.Status, body, err)
	}
}

// A member pays on the provider's page, is charged for renewals, and gets the money back: each
// step comes by a signed callback, and what is told or asked twice happens once.
func TestProvider(t *testing.T) {
	t.Parallel()
	for e, engine := range dbtest.Engines {
		t.Run(engine.String(), func(t *testing.T) {
			t.Parallel()
			a, by := shop(t, e)
			m := a.Member()
			var c struct {
				ID, State string
				URL       string `json:"pay_url"`
			}
			a.Post("/v1/members/"+m+"/plan/checkout", J{"plan": "gold"}).Into(&c)
			first := c
			if a.Post("/v1/members/"+m+"/plan/checkout", J{"plan": "gold"}).Into(&c); c != first || c.State != "asked" {
				t.Errorf("asked again: %+v, first %+v", c, first)
			}
			agree(t, c.URL, "failed")
			if s := standing(a, m).Standing; s != "" {
				t.Errorf("refused, and stands %q", s)
			}
			a.Post("/v1/members/"+m+"/plan/checkout", J{"plan": "gold"}).Into(&c)
			agree(t, c.URL, "paid")
			agree(t, c.URL, "paid") // the provider tells everything twice
			if s := standing(a, m); s.Standing != "active" || !s.Auto || s.Paid != 1 || a.Wallet(m).Available != 300 {
				t.Errorf("paid: %+v", s)
			}

			// The day before the end it is charged, once, however often the run is started.
			pass(a, 30*day)
			for range 2 {
				if err := a.Plans.Daily(a.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
			if s := standing(a, m); s.Paid != 2 || s.LastDay != "2026-05-09" {
				t.Errorf("renewed: %+v", s)
			}
			// An empty account: once a day in the days of grace, and then it is over.
			by.Refuse(m, true)
			before, _ := by.Orders()
			pass(a, 28*day)
			for range 10 {
				for range 2 { // the second as if the first had been killed before it asked
					if err := a.Plans.Daily(a.Context(), nil); err != nil {
						t.Fatal(err)
					}
					a.Exec("UPDATE plan_member SET next_day = 1 WHERE next_day > 0")
				}
				pass(a, day)
			}
			after, holds := by.Orders()
			if s := standing(a, m); s.Standing != "ended" || s.Why != "lapsed" || after-before != 4 || holds != 5000 {
				t.Errorf("after refusals: %+v, %d tries, holds %d", s, after-before, holds)
			}

			// Money goes back by the way that it came.
			other := a.Member()
			a.Post("/v1/members/"+other+"/plan/checkout", J{"plan": "gold"}).Into(&c)
			agree(t, c.URL, "paid")
			a.Must(200, "POST", "/v1/members/"+other+"/plan/refund", J{"reason": "x"})
			if err := a.Plans.Chase(a.Context()); err != nil { // again, and nothing more goes back
				t.Error(err)
			}
			var charges struct {
				Items []struct {
					State  string
					Refund int64
				}
			}
			a.Get("/v1/members/" + other + "/plan/charges").Into(&charges)
			if len(charges.Items) != 1 || charges.Items[0].State != "refunded" || charges.Items[0].Refund == 0 {
				t.Errorf("charges: %+v", charges)
			}
			if _, now := by.Orders(); now != holds+2500-charges.Items[0].Refund {
				t.Errorf("the provider holds %d, before %d", now, holds)
			}
			a.Do("POST", "/v1/plan-callbacks/test", J{"Order": c.ID, "Turn": "paid"}).Refused(403, "plan.signature")
			a.Do("POST", "/v1/plan-callbacks/nobody", J{}).Refused(404, "plan.no_charge")
		})
	}
}

// Money that comes when it has no place any more goes back.
func TestPaidTooLate(t *testing.T) {
	t.Parallel()
	a, by := shop(t, 0)
	m := a.Member()
	var c struct {
		URL string `json:"pay_url"`
	}
	a.Post("/v1/members/"+m+"/plan/checkout", J{"plan": "gold"}).Into(&c)
	a.Must(200, "POST", "/v1/plans/gold/state", J{"state": "ended"})
	agree(t, c.URL, "paid")
	if _, holds := by.Orders(); holds != 0 || standing(a, m).Standing != "" {
		t.Errorf("the provider holds %d, the member stands %q", holds, standing(a, m).Standing)
	}
}

// The daily run tells of renewals and ends once, however often it runs, and leaves alone who
// has cancelled.
func TestDaily(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", J{"trial_days": 0})
		m, quit := a.Member(), a.Member()
		pay(a, m, "w1", nil)
		pay(a, quit, "w2", nil)
		a.Must(200, "POST", "/v1/members/"+quit+"/plan/cancel", J{"when": "end"})
		told := func() string {
			a.Drain()
			var page struct{ Items []struct{ Type string } }
			a.Get("/v1/events?limit=200").Into(&page)
			counts := map[string]int{}
			for _, e := range page.Items {
				if strings.HasPrefix(e.Type, "plan.") {
					counts[e.Type]++
				}
			}
			return fmt.Sprint(counts)
		}
		for i := range 40 {
			pass(a, day)
			if i == 28 { // two days before the end: nothing is told again
				a.Must(200, "POST", "/v1/members/"+m+"/plan/cancel", J{"when": "end"})
				a.Must(200, "POST", "/v1/members/"+m+"/plan/resume", nil)
			}
			for range 2 {
				if err := a.Plans.Daily(a.Context(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got, want := told(), "map[plan.cancelled:2 plan.ended:2 plan.grace:1 plan.renewal_due:1 plan.resumed:1 plan.started:2]"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		if s := standing(a, quit); s.Why != "cancelled" || s.LastDay != "2026-04-09" {
			t.Errorf("%+v", s)
		}
		var f struct {
			Total struct {
				Revenue, Net, Payments, Begun, Ended int64
				Before                               int64 `json:"paying_before"`
				Churn                                *float64
			}
		}
		if a.Get("/v1/reports/plans?month=2026-03").Into(&f); f.Total.Revenue != 5000 || f.Total.Begun != 2 || f.Total.Before != 0 || f.Total.Churn != nil {
			t.Errorf("March: %+v", f.Total)
		}
		if a.Get("/v1/reports/plans?month=2026-04").Into(&f); f.Total.Before != 2 || f.Total.Ended != 2 || *f.Total.Churn != 1 || f.Total.Revenue != 0 {
			t.Errorf("April: %+v", f.Total)
		}
		a.Do("GET", "/v1/reports/plans?month=x", nil).Refused(422, "plan.month")
	})
}

// A merge hands what runs to the survivor, who may have it refunded; undone, it goes back.
func TestMerge(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", J{"trial_days": 0})
		from, into := a.Member(), a.Member()
		pay(a, from, "w1", nil)
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into})
		if s := standing(a, into); s.Standing != "active" || s.LastDay != "2026-04-09" {
			t.Fatalf("the survivor: %+v", s)
		}
		pay(a, into, "w2", nil)
		a.Verify()
		a.Must(200, "POST", "/v1/members/"+from+"/unmerge", nil)
		if s := standing(a, from); s.Standing != "active" || s.LastDay != "2026-05-09" || s.Paid != 2 {
			t.Errorf("undone: %+v", s)
		}
		if s := standing(a, into); s.Standing != "ended" || s.Why != "merged" {
			t.Errorf("the survivor, undone: %+v", s)
		}
		both := a.Member()
		pay(a, both, "w3", nil)
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": both})
		if s := standing(a, both); s.LastDay != "2026-04-09" {
			t.Errorf("both ran: %+v", s)
		}
		a.Must(200, "POST", "/v1/members/"+from+"/unmerge", nil)
		if s := standing(a, from); s.Standing != "active" || s.LastDay != "2026-05-09" {
			t.Errorf("what rested: %+v", s)
		}
		var got answer
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into})
		a.Must(200, "POST", "/v1/members/"+into+"/plan/refund", J{"reason": "x"}).Into(&got)
		if got.Refund.Amount == 0 {
			t.Errorf("the survivor's refund: %+v", got.Refund)
		}
		var f struct{ Total struct{ Revenue int64 } }
		if a.Get("/v1/reports/plans?month=2026-03").Into(&f); f.Total.Revenue != 3*2500 {
			t.Errorf("revenue of three payments: %d", f.Total.Revenue)
		}
	})
}

// Verify finds a membership that is not what its payments say.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", nil)
		pay(a, a.Member(), "w1", nil)
		for _, tt := range []struct{ name, break_, mend string }{
			{"paid until elsewhere", "UPDATE plan_member SET until_day = until_day + 1", "UPDATE plan_member SET until_day = until_day - 1"},
			{"a payment is missing", "UPDATE plan_member SET period_n = period_n + 1", "UPDATE plan_member SET period_n = period_n - 1"},
			{"too much refunded", "UPDATE plan_period SET refunded = amount + 1", "UPDATE plan_period SET refunded = 0"},
			{"over, and not kept so", "UPDATE plan_member SET ended = 1", "UPDATE plan_member SET ended = 0"},
		} {
			a.Exec(tt.break_)
			r, err := a.App.Verify(a.Context(), nil)
			if err != nil || len(r.Findings) != 1 || r.Findings[0].Invariant != "plans" {
				t.Errorf("%s: %v %+v", tt.name, err, r.Findings)
			}
			a.Exec(tt.mend)
		}
	})
}

// Plans are shaped in steps, each version is kept, and what members hold on to is fixed.
func TestPlans(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		id := live(a, "gold", nil)
		for _, tt := range []struct {
			name   string
			edit   J
			status int
			code   string
		}{
			{"another length", J{"every": "year"}, 409, "plan.fixed"},
			{"no name", J{"name_en": "", "name_zh": " "}, 422, "plan.name"},
			{"another money", J{"price": J{"amount": 1, "currency": "USD"}}, 422, "plan.price"},
			{"for nothing", J{"price": J{"amount": 0, "currency": "CNY"}}, 422, "plan.price"},
			{"a gift of nothing there is", J{"start_gifts": []J{{"currency": "gems", "amount": 1}}}, 422, "plan.gift"},
			{"a gift twice", J{"start_gifts": []J{{"currency": "points", "amount": 1}, {"currency": "points", "amount": 1}}}, 422, "plan.gift"},
			{"a provider that is not here", J{"provider": "bank"}, 422, "plan.provider"},
			{"days of sale in no order", J{"sale_from": "2026-04-02", "sale_until": "2026-04-01"}, 422, "plan.sale"},
			{"fewer than none", J{"benefits": J{"multiplier": 999}}, 422, "request.invalid"},
		} {
			p := a.Do("PUT", "/v1/plans/"+id, J{"terms": terms(tt.edit)}).Refused(tt.status, tt.code)
			if len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Location, "body.terms.") {
				t.Errorf("%s: at %+v", tt.name, p.Errors)
			}
		}
		a.Must(200, "PUT", "/v1/plans/gold", J{"version": 2, "terms": terms(J{"price": J{"amount": 3000, "currency": "CNY"}})})
		a.Do("PUT", "/v1/plans/gold", J{"version": 2, "terms": terms(nil)}).Refused(409, "plan.changed")
		a.Do("POST", "/v1/plans", J{"code": "gold", "terms": terms(nil)}).Refused(409, "plan.code_taken")
		var versions struct {
			Items []struct {
				Version int64
				State   string
			}
		}
		if a.Get("/v1/plans/gold/versions").Into(&versions); fmt.Sprint(versions.Items) != "[{3 live} {2 live} {1 draft}]" {
			t.Errorf("versions %+v", versions)
		}
		m := a.Member()
		a.Do("POST", "/v1/members/"+m+"/plan/payments", payment("w1", nil)).Refused(409, "plan.amount") // the price of before
		pay(a, m, "w1", J{"amount": 3000})
		a.Do("DELETE", "/v1/plans/gold", nil).Refused(409, "plan.used")
		a.Must(200, "POST", "/v1/plans/gold/state", J{"state": "paused"})
		a.Do("POST", "/v1/members/"+a.Member()+"/plan/payments", payment("w2", J{"amount": 3000})).Refused(409, "plan.not_on_sale")
		pay(a, m, "w3", J{"amount": 3000}) // who has it renews it
		a.Must(200, "POST", "/v1/plans/gold/state", J{"state": "ended"})
		a.Do("POST", "/v1/plans/gold/state", J{"state": "paused"}).Refused(409, "plan.step")
		pass(a, 62*day)
		if s := standing(a, m); s.RenewsOn != "" {
			t.Errorf("of a plan that has ended: %+v", s)
		}
		soon := live(a, "soon", J{"sale_from": "2026-12-01"})
		var p struct{ State string }
		if a.Get("/v1/plans/" + soon).Into(&p); p.State != "scheduled" {
			t.Errorf("state %q", p.State)
		}
		a.Must(204, "DELETE", "/v1/plans/soon", nil)
		a.Key("points.write").Do("POST", "/v1/plans", J{"code": "x", "terms": terms(nil)}).Refused(403, "request.permission")
	})
}

// Who is erased has no membership any more, is not charged, and nothing that was written beside
// their payments is left; what was paid stays.
func TestErase(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", nil)
		m := a.Member()
		pay(a, m, "a number of theirs", J{"amount": 1, "reason": "a friend of the house"})
		export := string(a.Get("/v1/members/" + m + "/export").Body)
		for _, want := range []string{"a number of theirs", "a friend of the house", "gold"} {
			if !strings.Contains(export, want) {
				t.Errorf("the export lacks %q", want)
			}
		}
		a.Must(200, "POST", "/v1/members/"+m+"/erase", J{"reason": "request", "forfeit": true})
		if n := a.Number("SELECT COUNT(*) FROM plan_period WHERE reference <> '' OR reason <> ''"); n != 0 {
			t.Errorf("%d payments tell of somebody", n)
		}
		if n := a.Number("SELECT COUNT(*) FROM plan_member WHERE why = 'erased' AND next_day = 0"); n != 1 {
			t.Errorf("%d memberships ended", n)
		}
		if n := a.Number("SELECT SUM(amount) FROM plan_period"); n != 1 {
			t.Errorf("%d was paid", n)
		}
	})
}

// A plan multiplies what a sale earns, on the sale's own day, and a return takes all of it back
// line by line.
func TestMultiplier(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(a, "gold", J{"trial_days": 0, "start_gifts": []J{}})
		m := a.Member()
		sell := func(edits J) (got struct {
			ID     string
			Points []struct {
				Amount int64
				Rule   string
			}
		}) {
			a.Post("/v1/sales", a.Sale(apptest.With(J{"member": m, "total": 301, "lines": []J{apptest.Line(1, 1, 100), apptest.Line(2, 1, 201)}}, edits))).Into(&got)
			return got
		}
		if got := sell(nil); fmt.Sprint(got.Points) != "[{3 base}]" {
			t.Errorf("without a plan: %+v", got.Points)
		}
		pass(a, day)
		pay(a, m, "w1", nil)
		before := a.Wallet(m).Available
		got := sell(nil)
		if fmt.Sprint(got.Points) != "[{3 base} {1 plan:gold}]" { // 1.5 more, rounded down
			t.Errorf("with a plan: %+v", got.Points)
		}
		a.Post("/v1/sales/"+got.ID+"/returns", J{"document": "r1", "at": a.Clock.Now().Format(time.RFC3339)})
		if after := a.Wallet(m).Available; after != before {
			t.Errorf("returned: %d points, before %d", after, before)
		}
		if got := sell(J{"at": a.Clock.Now().Add(-day).Format(time.RFC3339)}); fmt.Sprint(got.Points) != "[{3 base}]" {
			t.Errorf("a sale of the day before: %+v", got.Points)
		}
		pass(a, 40*day)
		if got := sell(nil); fmt.Sprint(got.Points) != "[{3 base}]" {
			t.Errorf("after the end: %+v", got.Points)
		}
	})
}
