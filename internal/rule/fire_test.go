package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type toldEvent struct {
	Points []struct {
		Currency, Rule string
		Amount         int64
		UsableAt       string `json:"usable_at"`
	}
}

// An event gives what rules on it say, as long as their caps allow; told again it has the same
// answer and gives nothing.
func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("visit", J{"trigger": J{"on": "event", "event": "visit"}, "condition": `event.number("guests") >= 2.0`, "caps": J{"times_day": 1}})
		s.live("profile", J{"trigger": J{"on": "profile_completed"}})
		m := s.Member()
		tell := func(kind, key string, guests int) (e toldEvent, r apptest.Response) {
			r = s.Post("/v1/events", J{"type": kind, "member": m, "at": s.Clock.Now().Format(time.RFC3339), "key": key, "properties": J{"guests": guests}})
			r.Into(&e)
			return e, r
		}
		if e, _ := tell("visit", "1", 1); len(e.Points) != 0 {
			t.Errorf("%+v", e)
		}
		e, first := tell("visit", "2", 2)
		if len(e.Points) != 1 || e.Points[0].Amount != 10 || e.Points[0].Rule != "visit@1" || e.Points[0].UsableAt == "" {
			t.Errorf("%+v", e)
		}
		if _, again := tell("visit", "2", 2); string(again.Body) != string(first.Body) || !again.Replayed() {
			t.Errorf("again: %s", again.Body)
		}
		if e, _ := tell("visit", "3", 2); len(e.Points) != 0 {
			t.Errorf("twice a day: %+v", e)
		}
		for i, want := range []int{1, 0} {
			if e, _ := tell("profile_completed", fmt.Sprint(i), 0); len(e.Points) != want {
				t.Errorf("profile completed %d: %+v", i, e)
			}
		}
		if got := s.Wallet(m).Available; got != 20 {
			t.Errorf("has %d", got)
		}
		s.Drain()
		var r shown
		if s.Get("/v1/rules/visit").Into(&r); r.Given == nil || r.Given.Points != 10 || r.Given.Times != 1 {
			t.Errorf("%+v", r.Given)
		}
	})
}

// What rules have given is summed, less what came back; a tag is put on the member.
func TestGivenAndTags(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("ten", nil)
		s.live("mark", J{"effect": J{"kind": "tag", "tag": "big \"spender\""}, "condition": `sale.total > money("50")`, "caps": J{"times_ever": 1}})
		m := s.Member()
		sold, _ := s.sell(m, nil)
		s.sell(m, nil)
		s.giveBack(sold.ID)
		s.Drain()
		s.work("rule.tag")
		var r shown
		if s.Get("/v1/rules/ten").Into(&r); r.Given.Points != 10 || r.Given.Times != 2 {
			t.Errorf("%+v", r.Given)
		}
		var who struct{ Tags []string }
		if s.Get("/v1/members/" + m).Into(&who); len(who.Tags) != 1 || who.Tags[0] != `big "spender"` {
			t.Errorf("%v", who.Tags)
		}
	})
}

// work does what waits in the queue of a kind.
func (s shop) work(kind string) {
	s.t.Helper()
	s.Jobs.Nudge()
	for range 600 {
		if s.Number("SELECT COUNT(*) FROM job WHERE kind = '"+kind+"' AND state NOT IN ('done', 'failed')") == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if n := s.Number("SELECT COUNT(*) FROM job WHERE kind = '" + kind + "' AND state = 'failed'"); n > 0 {
		s.t.Errorf("%d jobs of %s failed", n, kind)
	}
}

// A birthday and an anniversary give once a year, whatever is run how often, and joining once.
func TestDates(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		s.live("birthday", J{"trigger": J{"on": "birthday"}})
		s.live("ahead", J{"trigger": J{"on": "birthday", "days_before": 3}, "effect": J{"kind": "fixed", "currency": "points", "points": 1}})
		s.live("year", J{"trigger": J{"on": "anniversary", "years": []int{2}}, "effect": J{"kind": "fixed", "currency": "points", "points": 100}})
		s.live("joined", J{"trigger": J{"on": "joined"}, "effect": J{"kind": "fixed", "currency": "points", "points": 1000}})
		s.live("tuesdays", J{"trigger": J{"on": "schedule"}, "valid": J{"weekdays": []int{2}}, "condition": `"daily" in member.tags`, "effect": J{"kind": "fixed", "currency": "points", "points": 10000}})
		make := func(edit J) string {
			var m struct{ ID string }
			s.Post("/v1/members", apptest.With(J{"external_id": fmt.Sprint("d/", s.Unique())}, edit)).Into(&m)
			return m.ID
		}
		now := s.Clock.Now() // Tuesday, 10 March 2026
		born := make(J{"birthday": "1990-03-10", "joined_at": "2020-01-01"})
		ahead := make(J{"birthday": "--03-13", "joined_at": "2020-01-01"})
		two := make(J{"joined_at": "2024-03-10T15:00:00+08:00"})
		fresh := make(J{})
		daily := make(J{"tags": []string{"daily"}, "joined_at": "2020-01-01"})
		for range 2 {
			s.Drain()
			s.work("rule.fire")
			if err := s.Rules.RunDaily(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for m, want := range map[string]int64{born: 10, ahead: 1, two: 100, fresh: 1000, daily: 10000} {
			if got := s.Wallet(m).Available; got != want {
				t.Errorf("%s has %d, want %d", m, got, want)
			}
		}
		if s.Clock.Advance(365 * 24 * time.Hour); s.Clock.Now().Sub(now) > 0 {
			if err := s.Rules.RunDaily(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := s.Audit.Chain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.Wallet(born).Available; got != 20 {
			t.Errorf("after a year %d", got)
		}
	})
}

// Each tier that is reached fires, and one that was lost and is reached again only in another year.
func TestTierReached(t *testing.T) {
	each(t, func(t *testing.T, s shop) {
		tier := func(code string, spend int) J { return J{"code": code, "name_en": code, "qualify": J{"spend": spend}} }
		s.Post("/v1/tier-schemes", J{
			"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "calendar", "period": "year"},
			"term": J{"kind": "calendar", "period": "year", "next": true}, "downgrade": "reassess", "drop_on_return": true,
			"tiers": []J{{"code": "base", "name_en": "Base"}, tier("silver", 10_000), tier("gold", 50_000)},
		})
		s.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		s.Rest()
		s.live("risen", J{"trigger": J{"on": "tier_reached"}, "effect": J{"kind": "fixed", "currency": "points", "points": 10_000}})
		s.live("golden", J{"trigger": J{"on": "tier_reached", "tier": "gold"}, "effect": J{"kind": "fixed", "currency": "points", "points": 100_000}})
		m := s.Member()
		for i, step := range []struct {
			spend int64 // 0: the last purchase comes back
			gave  int64
		}{{10_000, 10_000}, {60_000, 120_000}, {0, 120_000}, {60_000, 120_000}} {
			if step.spend > 0 {
				s.Post("/v1/sales", s.Sale(J{"member": m, "document": fmt.Sprint("lifts", i), "total": step.spend, "lines": []J{apptest.Line(1, 1, step.spend)}}))
			} else {
				s.Post("/v1/returns", s.Return(fmt.Sprint("lifts", i-1), nil))
			}
			s.Rest()
			if err := s.Tiers.LookMoved(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			s.Rest()
			if got := s.Wallet(m).Available / 10_000 * 10_000; got != step.gave {
				t.Errorf("step %d: %d points, want %d", i, s.Wallet(m).Available, step.gave)
			}
		}
	})
}
