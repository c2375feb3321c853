package tier_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

// club is a ladder by what is spent in a calendar year, held to the end of the next.
func club(edits J) J {
	return apptest.With(J{
		"code": "club", "name_en": "Club", "name_zh": "会员等级", "main": true,
		"window": J{"kind": "calendar", "period": "year"}, "term": J{"kind": "calendar", "period": "year", "next": true}, "downgrade": "reassess",
		"tiers": []J{
			{"code": "base", "name_en": "Base", "qualify": J{}, "benefits": J{}},
			{"code": "silver", "name_en": "Silver", "qualify": J{"spend": 50_000}, "benefits": J{"earn_multiplier": 1200}, "welcome": J{"currency": "points", "amount": 50}},
			{"code": "gold", "name_en": "Gold", "qualify": J{"spend": 200_000}, "benefits": J{"earn_multiplier": 1500, "text_zh": "生日礼"}},
		},
	}, edits)
}

// live makes a scheme and publishes it.
func live(t *testing.T, a *apptest.App, scheme J) {
	t.Helper()
	a.Post("/v1/tier-schemes", scheme)
	a.Must(200, "POST", "/v1/tier-schemes/"+scheme["code"].(string)+"/publish", nil)
	settle(t, a)
}

// settle lets everybody be looked at who is to be.
func settle(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Rest() // a job that is still busy writes rows of its own
	for _, look := range []error{a.Tiers.LookAll(a.Context(), nil), a.Tiers.LookMoved(a.Context(), nil), a.Tiers.LookDue(a.Context(), nil)} {
		if look != nil {
			t.Fatal(look)
		}
	}
}

type standing struct {
	Items []struct {
		Scheme string
		Tier   *struct {
			Code string
			Rank int
		}
		Since, Until string
		ByHand       bool `json:"by_hand"`
		Lock         *struct{ Until, Reason string }
		Next         *struct {
			Tier     struct{ Code string }
			Percent  int
			Until    string
			Evidence struct {
				From, To string
				Parts    []struct {
					Metric              string
					Have, Need, Missing int64
				}
			}
		}
	}
}

func stands(a *apptest.App, m string) (s standing) {
	a.Get("/v1/members/" + m + "/tier").Into(&s)
	return s
}

// code is the tier of a member in the first scheme.
func (s standing) code() string {
	if len(s.Items) == 0 || s.Items[0].Tier == nil {
		return ""
	}
	return s.Items[0].Tier.Code
}

type listed struct {
	Items []struct{ ID, Tier string }
	Next  string `json:"next_cursor"`
}

// A member joins, rises by a sale in its own answer, is found in lists, keeps the tier through
// a return, and falls when the term ends.
func TestLife(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		m := a.Member()
		settle(t, a)
		var got struct{ Tier string }
		a.Get("/v1/members/" + m).Into(&got)
		if got.Tier != "base" {
			t.Fatalf("who has just joined stands in %q", got.Tier)
		}
		var sold struct {
			ID       string
			Tier     string
			Balances map[string]int64
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 49_900, "lines": []J{apptest.Line(1, 1, 49_900)}})).Into(&sold)
		if sold.Tier != "base" {
			t.Errorf("the first sale answers tier %q", sold.Tier)
		}
		s := stands(a, m)
		if n := s.Items[0].Next; n == nil || n.Tier.Code != "silver" || n.Percent != 99 || n.Evidence.Parts[0].Missing != 100 || n.Until != "2027-01-01" {
			t.Errorf("on the way to silver: %+v", n)
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 10_000, "lines": []J{apptest.Line(1, 1, 10_000)}})).Into(&sold)
		if sold.Tier != "silver" || sold.Balances["points"] != 499+100+50 {
			t.Errorf("the sale that reaches silver: %+v", sold)
		}
		var page listed
		a.Get("/v1/members?tier=silver").Into(&page)
		if len(page.Items) != 1 || page.Items[0].ID != m || page.Items[0].Tier != "silver" {
			t.Errorf("members in silver: %+v", page)
		}
		a.Post("/v1/sales/"+sold.ID+"/returns", a.Return(nil, J{"of": nil, "source": nil}))
		if s = stands(a, m); s.code() != "silver" || s.Items[0].Until != "2028-01-01" || s.Items[0].Since != "2026-03-10" {
			t.Errorf("after a return within the term: %+v", s)
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 20_000, "lines": []J{apptest.Line(1, 1, 20_000)}})).Into(&sold)
		var w struct {
			Items []struct{ Kind, From, To string }
		}
		a.Get("/v1/members/" + m + "/tier/history").Into(&w)
		if len(w.Items) != 2 || w.Items[0].To != "silver" || w.Items[1].To != "base" {
			t.Errorf("history: %+v", w)
		}
		a.Clock.Set(time.Date(2027, 12, 31, 16, 0, 0, 0, time.UTC).Add(-time.Millisecond)) // a moment before 2028 in Shanghai
		settle(t, a)
		if s := stands(a, m); s.code() != "silver" {
			t.Errorf("a moment before the end of the term: %+v", s)
		}
		a.Clock.Advance(time.Millisecond)
		if s := stands(a, m); s.code() != "base" {
			t.Errorf("at the end of the term, before the daily run: %+v", s)
		}
		settle(t, a)
		a.Get("/v1/members?tier=silver").Into(&page)
		if s := stands(a, m); s.code() != "base" || len(page.Items) != 0 {
			t.Errorf("after the daily run: %+v, listed %+v", s, page)
		}
		if n := a.Number("SELECT COUNT(*) FROM tier_history WHERE kind = 'downgraded'"); n != 1 {
			t.Errorf("%d falls", n)
		}
	})
}

// A tier given by hand with a lock is moved by nothing until its end, and by everything again
// after the lock is taken off.
func TestByHand(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Do("POST", "/v1/members/"+m+"/tier", J{"tier": "gold", "reason": "VIP"}).Refused(409, "tier.no_main")
		live(t, a, club(nil))
		path := "/v1/members/" + m + "/tier"
		a.Do("POST", path, J{"tier": "tin", "reason": "VIP"}).Refused(422, "tier.no_tier")
		a.Do("POST", path, J{"tier": "gold", "reason": " "}).Refused(422, "tier.reason")
		a.Do("POST", path, J{"tier": "gold", "reason": "VIP", "until": "2026-03-09"}).Refused(422, "tier.until")
		a.Do("DELETE", path+"/lock", nil).Refused(409, "tier.no_lock")

		a.Must(200, "POST", path+"?dry_run=true", J{"tier": "gold", "reason": "VIP"})
		if s := stands(a, m); s.code() != "base" {
			t.Errorf("after a dry run: %+v", s)
		}
		key := apptest.Keyed("one")
		a.Must(200, "POST", path, J{"tier": "base", "reason": "abuse", "until": "2026-12-31", "lock": true}, key)
		if !a.Must(200, "POST", path, J{"tier": "base", "reason": "abuse", "until": "2026-12-31", "lock": true}, key).Replayed() {
			t.Error("the same request with the same key is carried out again")
		}
		a.Post("/v1/sales", a.Sale(J{"member": m, "total": 300_000, "lines": []J{apptest.Line(1, 1, 300_000)}}))
		s := stands(a, m)
		if s.code() != "base" || s.Items[0].Lock == nil || s.Items[0].Lock.Until != "2027-01-01" || s.Items[0].Lock.Reason != "abuse" {
			t.Errorf("locked: %+v", s)
		}
		a.Must(200, "DELETE", path+"/lock", nil)
		if s := stands(a, m); s.code() != "gold" || s.Items[0].Lock != nil {
			t.Errorf("unlocked: %+v", s)
		}
		if n := a.Number("SELECT COUNT(*) FROM audit WHERE action IN ('member.tier_set', 'member.tier_unlocked')"); n != 2 {
			t.Errorf("%d entries of the audit trail", n)
		}
		viewer := a.Key("members.read")
		viewer.Do("POST", path, J{"tier": "gold", "reason": "VIP"}).Refused(403, "request.permission")
	})
}

// Growth value that moves outside of sales lifts at once, points given by hand do.
func TestGrowth(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/currencies", J{"code": "growth", "kind": "growth", "name_en": "Growth", "name_zh": "成长值", "policy": J{"decimals": 0}})
		scheme := club(J{"currency": "growth", "tiers": []J{
			{"code": "one", "name_en": "One", "qualify": J{"growth": 100}, "benefits": J{}},
			{"code": "two", "name_en": "Two", "qualify": J{"growth": 200, "visits": 1, "any": true}, "benefits": J{}},
		}})
		live(t, a, scheme)
		m := a.Member()
		a.Post("/v1/members/"+m+"/earnings", J{"currency": "growth", "amount": 100, "reason": "gift", "source": "test", "document": "one"})
		settle(t, a)
		if n := a.Number("SELECT COUNT(*) FROM tier_member WHERE tier = 'one'"); n != 1 {
			t.Error("growth value that was given lifts nobody")
		}
		a.Post("/v1/sales", a.Sale(J{"member": m}))
		if s := stands(a, m); s.code() != "two" {
			t.Errorf("after a purchase: %+v", s)
		}
	})
}

// Of two who are one, the survivor stands where the higher stood; undone, each stands where they
// stood, but the survivor keeps what was given.
func TestMerge(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		low, high := a.Member(), a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": high, "total": 60_000, "lines": []J{apptest.Line(1, 1, 60_000)}}))
		settle(t, a)
		a.Must(200, "POST", "/v1/members/"+high+"/merge", J{"into": low})
		settle(t, a)
		var page listed
		a.Get("/v1/members?tier=silver").Into(&page)
		if s := stands(a, low); s.code() != "silver" || len(page.Items) != 1 || page.Items[0].ID != low {
			t.Errorf("the survivor: %+v, listed %+v", s, page)
		}
		if b := a.Wallet(low); b.Available != 600+50 {
			t.Errorf("the bonus is paid again: %+v", b)
		}
		a.Must(200, "POST", "/v1/members/"+high+"/unmerge", nil)
		settle(t, a)
		if s := stands(a, high); s.code() != "silver" {
			t.Errorf("parted again: %+v", s)
		}
	})
}

// An edit of the rules lifts who qualifies, and takes nothing away.
func TestPublish(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(nil))
		a.Do("POST", "/v1/tier-schemes", club(nil)).Refused(409, "tier.code_taken")
		a.Do("POST", "/v1/tier-schemes/club/publish", nil).Refused(409, "tier.no_draft")
		m, n := a.Member(), a.Member()
		for who, amount := range map[string]int64{m: 60_000, n: 40_000} {
			a.Post("/v1/sales", a.Sale(J{"member": who, "total": amount, "lines": []J{apptest.Line(1, 1, amount)}}))
		}
		var st struct{ Edited int64 }
		a.Get("/v1/tier-schemes/club").Into(&st)
		harder := club(nil)
		harder["tiers"].([]J)[1]["qualify"] = J{"spend": 100_000}
		a.Must(200, "PUT", "/v1/tier-schemes/club/draft?edited="+itoa(st.Edited), harder)
		a.Do("PUT", "/v1/tier-schemes/club/draft?edited="+itoa(st.Edited), harder).Refused(409, "tier.changed")
		a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		settle(t, a)
		if s := stands(a, m); s.code() != "silver" {
			t.Errorf("harder rules take a running term away: %+v", s)
		}
		easier := club(nil)
		easier["tiers"].([]J)[1]["qualify"] = J{"spend": 30_000}
		a.Must(200, "PUT", "/v1/tier-schemes/club/draft", easier)
		a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		settle(t, a)
		if c := a.Number("SELECT COUNT(*) FROM tier_member WHERE tier = 'silver'"); c != 2 {
			t.Errorf("%d stand in silver after the rules became easier", c)
		}
		var versions struct{ Items []struct{ Version int64 } }
		a.Get("/v1/tier-schemes/club/versions").Into(&versions)
		if len(versions.Items) != 3 || versions.Items[0].Version != 3 {
			t.Errorf("versions: %+v", versions)
		}
		a.Do("POST", "/v1/tier-schemes", club(J{"code": "vip", "tiers": []J{{"code": "a", "name_en": "A", "qualify": J{}, "benefits": J{}}, {"code": "b", "name_en": "B", "qualify": J{}, "benefits": J{}}}})).Refused(422, "tier.order")
		a.Do("POST", "/v1/tier-schemes", club(J{"code": "vip", "tiers": []J{{"code": "a", "name_en": "A", "qualify": J{"condition": `member.bought("tea", 3) > 1.0`}, "benefits": J{}}}})).Refused(422, "tier.facts")
		a.Post("/v1/tier-schemes", club(J{"code": "vip"}))
		a.Do("POST", "/v1/tier-schemes/vip/publish", nil).Refused(409, "tier.main")
		a.Must(200, "POST", "/v1/tier-schemes/club/end", nil)
		settle(t, a)
		if c := a.Number("SELECT COUNT(*) FROM tier_member WHERE tier <> ''"); c != 0 {
			t.Errorf("%d still stand in a scheme that has ended", c)
		}
		a.Must(200, "POST", "/v1/tier-schemes/vip/publish", nil)
	})
}

// A condition on who a member is holds or not from the sale on, and when they change.
func TestCondition(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		live(t, a, club(J{"window": J{"kind": "membership"}, "tiers": []J{
			{"code": "base", "name_en": "Base", "qualify": J{}, "benefits": J{}},
			{"code": "vip", "name_en": "VIP", "qualify": J{"condition": `"vip" in member.tags && member.visits() >= 1`}, "benefits": J{}},
		}}))
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m}))
		a.Must(200, "POST", "/v1/members/"+m+"/tags", J{"add": []string{"vip"}})
		settle(t, a)
		if s := stands(a, m); s.code() != "vip" {
			t.Errorf("tagged: %+v", s)
		}
		if n := a.Number("SELECT COUNT(*) FROM tier_member WHERE tier = 'vip'"); n != 1 {
			t.Error("the tag is not noticed")
		}
	})
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
