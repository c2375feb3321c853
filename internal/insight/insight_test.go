package insight_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

type figureOut struct {
	Key, Title, Definition, Explanation, Missing string
	Worth                                        *int64
	Today, Month                                 *comparedOut
}

type comparedOut struct {
	Value   *int64
	Against string
	Compare []comparedOut
}

type dashboardOut struct {
	Day, Currency, Points string
	Figures               []figureOut
	Series                []struct {
		Key  string
		Days []struct {
			Day     string
			Value   int64
			Compare int64 `json:"four_weeks_before"`
		}
	}
}

func (d dashboardOut) of(t *testing.T, key string) figureOut {
	t.Helper()
	for _, f := range d.Figures {
		if f.Key == key {
			return f
		}
	}
	t.Fatalf("no figure %s", key)
	return figureOut{}
}

// A day of a shop, told by the dashboard.
func TestDashboard(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m, "document": "A"}))
		a.Post("/v1/sales", a.Sale(J{"document": "B"}))
		a.Post("/v1/sales", a.Sale(J{"member": m, "document": "C", "at": "2026-03-03T00:30:00+08:00"})) // the day before in UTC
		a.Post("/v1/returns", a.Return("A", J{"lines": []J{{"line": 1, "quantity": 0.5}}}))
		a.Give(m, 500)
		a.Post("/v1/members/"+m+"/spendings", J{"currency": "points", "amount": 30, "reason": "x", "source": "s", "document": "1"})
		a.Drain()
		var d dashboardOut
		a.Get("/v1/reports/dashboard").Into(&d)
		for key, want := range map[string][3]int64{ // today, a week before, this month
			"sales_total": {15000, 10000, 25000}, "sales_count": {2, 1, 3}, "returns_total": {5000, 0, 5000}, "members_joined": {1, 0, 1},
			"active_members": {1, 1, 1}, "points_issued": {600, 100, 700}, "points_clawed_back": {50, 0, 50}, "points_redeemed": {30, 0, 30},
			"points_outstanding": {620, 100, 620}, "participation": {3333, 10000, 6000},
		} {
			f := d.of(t, key)
			if got := [3]int64{*f.Today.Value, 0, *f.Month.Value}; got[0] != want[0] || got[2] != want[2] {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
			before := f.Today.Compare[0]
			if before.Against != "week_before" || before.Value == nil && want[1] != 0 || before.Value != nil && *before.Value != want[1] {
				t.Errorf("%s a week before: %+v, want %d", key, before, want[1])
			}
		}
	})
}
