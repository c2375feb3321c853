package coupon_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// held lists where the vouchers of a member come from.
func (w world) held(m string) (origins []string) {
	w.t.Helper()
	var list struct{ Items []voucher }
	w.Get("/v1/members/" + m + "/vouchers").Into(&list)
	for _, v := range list.Items {
		origins = append(origins, v.Origin)
	}
	return origins
}

func (w world) joins(body J) string {
	w.t.Helper()
	var m struct{ ID string }
	w.Post("/v1/members", apptest.With(J{"external_id": fmt.Sprint("joins/", w.Unique())}, body)).Into(&m)
	return m.ID
}

// Who joins is given the coupons that say so, once, whatever is told how often, at once or one
// after the other; who is not of the audience, and who was brought along from the past, is not.
func TestJoined(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.Do("POST", "/v1/coupons", J{"code": "x", "name_en": "x", "effect": J{"kind": "free_delivery"}, "grant_on": []J{{"on": "joined", "tier": "gold"}}}).Refused(422, "coupon.grant_on")
		w.Do("POST", "/v1/coupons", J{"code": "x", "name_en": "x", "effect": J{"kind": "free_delivery"}, "grant_on": []J{{"on": "joined"}}, "shared_code": "WELCOME"}).Refused(422, "coupon.shared_terms")
		hello := w.coupon("hello", J{"grant_on": []J{{"on": "joined"}}})
		w.coupon("vip", J{"grant_on": []J{{"on": "joined"}}, "audience": `"vip" in member.tags`})
		paused := w.coupon("paused", J{"grant_on": []J{{"on": "joined"}}})
		w.Must(200, "POST", "/v1/coupons/"+paused+"/pause", nil)
		m, old := w.joins(nil), w.joins(J{"joined_at": "2020-01-01"})
		w.Rest()
		if got := w.held(m); len(got) != 1 || got[0] != "join" {
			t.Errorf("who joined has %v", got)
		}
		if got := w.held(old); len(got) != 0 {
			t.Errorf("who joined years ago has %v", got)
		}

		again := event.Event{Kind: "member.joined", Member: w.number(m), AtMS: w.Clock.Now().UnixMilli(), Body: event.MustBody(J{})}
		if err := w.Coupons.Told(w.Context(), []event.Event{again, again}); err != nil {
			t.Fatal(err)
		}
		w.Rest()
		late := w.number(w.Member()) // before the job that its joining makes
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for _, n := range []int64{w.number(m), late} {
					if err := w.Coupons.Occur(w.Context(), coupon.OnJoined, n, "ever", ""); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		w.Rest()
		if c := w.counts(hello); c.Issued != 2 {
			t.Errorf("two joined, told often: %d vouchers", c.Issued)
		}
	})
}

// A birthday gives once a year, whatever is run how often; ahead of it where the coupon says so;
// and a limit of the coupon is a limit here too.
func TestBirthday(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.coupon("cake", J{"grant_on": []J{{"on": "birthday"}}})
		w.coupon("ahead", J{"grant_on": []J{{"on": "birthday", "days_before": 3}}, "limits": J{"per_member": 1}})
		born := w.Clock.Now().Format("01-02")
		m, other := w.joins(J{"birthday": "1990-" + born}), w.joins(J{"birthday": "1990-" + w.Clock.Now().AddDate(0, 0, 40).Format("01-02")})
		run := func() {
			t.Helper()
			for range 2 {
				if err := w.Coupons.RunDaily(w.Context(), func(int64) {}); err != nil {
					t.Fatal(err)
				}
			}
		}
		for year, want := range []int{1, 3, 4} { // cake; cake and ahead; cake, and of ahead no second
			run()
			if got := w.held(m); len(got) != want || got[0] != "birthday" {
				t.Errorf("year %d: %v, want %d", year, got, want)
			}
			at := w.Clock.Now().AddDate(1, 0, -3)
			w.Clock.Set(at)
			run()
			w.Clock.Set(at.AddDate(0, 0, 3))
		}
		if got := w.held(other); len(got) != 0 && got[0] != "birthday" {
			t.Errorf("%v", got)
		}
	})
}

// Who rises to a tier is given what it gives, once in a year: the sale that lifted them comes
// back, and another lifts them again.
func TestTierReached(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.Post("/v1/tier-schemes", J{
			"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "calendar", "period": "year"},
			"term": J{"kind": "calendar", "period": "year", "next": true}, "downgrade": "reassess", "drop_on_return": true,
			"tiers": []J{{"code": "base", "name_en": "Base"}, {"code": "gold", "name_en": "Gold", "qualify": J{"spend": 50_000}}},
		})
		w.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		w.Rest()
		gold := w.coupon("gold", J{"grant_on": []J{{"on": "tier_reached", "tier": "gold"}}})
		w.coupon("platinum", J{"grant_on": []J{{"on": "tier_reached", "tier": "platinum"}}})
		m := w.Member()
		for i, want := range []string{"gold", "base", "gold"} {
			if want == "base" {
				w.Post("/v1/returns", w.Return("lifts0", nil))
			} else {
				w.Post("/v1/sales", w.Sale(J{"member": m, "document": fmt.Sprint("lifts", i), "total": 60_000, "lines": []J{apptest.Line(1, 1, 60_000)}}))
			}
			w.Rest()
			if err := w.Tiers.LookMoved(w.Context(), nil); err != nil {
				t.Fatal(err)
			}
			w.Rest()
			var st struct {
				Items []struct{ Tier *struct{ Code string } }
			}
			w.Get("/v1/members/" + m + "/tier").Into(&st)
			if st.Items[0].Tier == nil || st.Items[0].Tier.Code != want {
				t.Fatalf("step %d: %+v, want %s", i, st.Items[0].Tier, want)
			}
			if c := w.counts(gold); c.Issued != 1 {
				t.Errorf("step %d: %d vouchers", i, c.Issued)
			}
		}
		if got := w.held(m); len(got) != 1 || got[0] != "tier" {
			t.Errorf("%v", got)
		}
	})
}
