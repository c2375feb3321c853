package tier_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/tier"
)

// apply makes the live schemes those of a list.
func apply(t *testing.T, a *apptest.App, want []tier.Scheme) (done []tier.Applied) {
	t.Helper()
	err := a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		done, err = a.Tiers.Apply(ctx, tx, want)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Tiers.Refresh(a.Context()); err != nil {
		t.Fatal(err)
	}
	return done
}

// What is exported and applied again changes nothing; what differs is published, what is missing ends.
func TestApply(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		first, err := a.Tiers.Export(a.Context())
		if err != nil || len(first) != 1 {
			t.Fatalf("export: %+v, %v", first, err)
		}
		if done := apply(t, a, first); len(done) != 0 {
			t.Errorf("the same again: %+v", done)
		}
		other := first[0]
		other.Code, other.NameEN = "other", "Other"
		mine := first[0]
		mine.Main = false
		if done := apply(t, a, []tier.Scheme{other, mine}); len(done) != 2 {
			t.Errorf("another main scheme: %+v", done)
		}
		if n := a.Tiers.Snapshot(); n.Main() == nil || n.Main().Code != "other" {
			t.Errorf("main is %+v", n.Main())
		}
		if done := apply(t, a, []tier.Scheme{other}); len(done) != 1 || done[0] != (tier.Applied{Code: "club", Action: "end"}) {
			t.Errorf("without the first: %+v", done)
		}
		last, err := a.Tiers.Export(a.Context())
		if err != nil || !reflect.DeepEqual(last, []tier.Scheme{other}) {
			t.Errorf("export: %+v, %v", last, err)
		}
	})
}

// Of many purchases at once that each would reach a tier, one does, and the bonus is paid once.
func TestBonusOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		var all sync.WaitGroup
		for range 32 {
			s := a.Sale(J{"member": m, "total": 60_000, "lines": []J{apptest.Line(1, 1, 60_000)}})
			all.Go(func() { a.Post("/v1/sales", s) })
		}
		all.Wait()
		// The first makes silver, the fourth gold; each earns by the tier before it.
		if w := a.Wallet(m); w.Available != 32*600+3*120+28*300+50 {
			t.Errorf("the bonus was not paid once: %+v", w)
		}
		if n := a.Number("SELECT COUNT(*) FROM tier_history WHERE to_tier = 'gold'"); n != 1 {
			t.Errorf("reached gold %d times", n)
		}
	})
}

// The past comes in quietly: tiers as of then, no bonus; then the daily run brings it up to date.
func TestHistory(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		settle(t, a)
		id, err := member.ParseID(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{"2021-05-01", "2023-02-01", "2023-03-01"} {
			old := sale.New{Source: "old", Document: at, At: at + "T12:00:00Z", Member: m, Currency: "CNY", Total: 60_000, Lines: []sale.NewLine{{Line: 1, SKU: "tea", Quantity: 1000, Amount: 60_000}}}
			if r := a.Sales.ImportMany(a.Context(), []sale.Item{{Sale: &old, Owner: id}}, nil, sale.Ask{History: true})[0]; r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		settle(t, a)
		var h struct {
			Items []struct{ Kind, From, To, Day string }
		}
		a.Get("/v1/members/" + m + "/tier/history").Into(&h)
		var told []string
		for _, x := range h.Items {
			told = append(told, x.Day+" "+x.Kind+" "+x.To)
		}
		if w := a.Wallet(m); w.Available != 3*600+120 { // by silver, the third alone
			t.Errorf("a bonus for the past: %+v", w)
		}
		t.Logf("%s", strings.Join(told, "\n"))
		if n := a.Number("SELECT COUNT(*) FROM tier_history WHERE to_tier = 'silver'"); n == 0 {
			t.Error("the past reached nothing")
		}
		if n := a.Number("SELECT COUNT(*) FROM event WHERE kind = 'tier.changed' AND body NOT LIKE '%quiet%'"); n > 3 {
			t.Errorf("%d changes are told aloud", n)
		}
	})
}

// What verify looks at is found where it is wrong.
func TestVerify(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 60_000, "lines": []J{apptest.Line(1, 1, 60_000)}}))
		settle(t, a)
		for name, wrong := range map[string][2]string{
			"another tier in lists":     {"UPDATE tier_member SET tier = 'gold' WHERE tier = 'silver'", "UPDATE tier_member SET tier = 'silver' WHERE tier = 'gold'"},
			"another day":               {"UPDATE tier_member SET next_day = next_day + 1", "UPDATE tier_member SET next_day = next_day - 1"},
			"another end of history":    {"UPDATE tier_history SET to_tier = 'gold' WHERE to_tier = 'silver'", "UPDATE tier_history SET to_tier = 'silver' WHERE to_tier = 'gold'"},
			"a gap":                     {"UPDATE tier_history SET seq = 9 WHERE to_tier = 'silver'", "UPDATE tier_history SET seq = (SELECT COUNT(*) FROM tier_history) WHERE seq = 9"},
			"a history without a owner": {"UPDATE tier_member SET member_id = member_id + 77", "UPDATE tier_member SET member_id = member_id - 77"},
		} {
			a.Exec(wrong[0])
			r, err := a.App.Verify(a.Context(), nil)
			seen := false
			for _, f := range r.Findings {
				seen = seen || f.Invariant == "T1"
			}
			if err != nil || !seen {
				t.Errorf("%s: %+v, %v", name, r.Findings, err)
			}
			a.Exec(wrong[1])
		}
	})
}

// An export tells where somebody stands and why; an erasure takes what colleagues wrote, and who
// was erased counts no more.
func TestPrivacy(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		a.Must(200, "POST", "/v1/members/"+m+"/tier", J{"tier": "gold", "reason": "sister of the owner", "lock": true})
		settle(t, a)
		text := string(a.Do("GET", "/v1/members/"+m+"/export?format=json", nil).Body)
		if !strings.Contains(text, "sister of the owner") || !strings.Contains(text, "tier_history") {
			t.Errorf("the export tells nothing of tiers: %s", text)
		}
		a.Must(200, "POST", "/v1/members/"+m+"/erase", J{"reason": "request"})
		a.Drain()
		if n := a.Number("SELECT COUNT(*) FROM tier_member WHERE body LIKE '%sister%' OR tier <> '!'") + a.Number("SELECT COUNT(*) FROM tier_history WHERE reason <> ''"); n != 0 {
			t.Errorf("%d rows are left as they were", n)
		}
	})
}

// The daily run and what-ifs that are asked for go on after a stop: what has a later day is done.
func TestNearAndDrop(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(J{"near_percent": 80, "warn_days": 30}))
		m := a.Member()
		for range 3 {
			a.Post("/v1/sales", a.Sale(J{"member": m, "total": 15_000, "lines": []J{apptest.Line(1, 1, 15_000)}}))
		}
		a.Drain()
		if n := a.Number("SELECT COUNT(*) FROM event WHERE kind = 'tier.near_upgrade'"); n != 1 {
			t.Errorf("told %d times that silver is near", n)
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 15_000, "lines": []J{apptest.Line(1, 1, 15_000)}}))
		a.Clock.Set(time.Date(2027, 12, 1, 15, 0, 0, 0, time.UTC))
		settle(t, a)
		settle(t, a)
		a.Drain()
		if n := a.Number("SELECT COUNT(*) FROM event WHERE kind = 'tier.about_to_drop'"); n != 0 {
			t.Errorf("told too early")
		}
		a.Clock.Advance(24 * time.Hour)
		settle(t, a)
		a.Clock.Advance(24 * time.Hour)
		settle(t, a)
		a.Drain()
		if n := a.Number("SELECT COUNT(*) FROM event WHERE kind = 'tier.about_to_drop'"); n != 1 {
			t.Errorf("told %d times that silver goes", n)
		}
	})
}
