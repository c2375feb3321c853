package portal_test

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A member sees their own tier, how far the next one is and the whole ladder, and nothing of why
// a colleague locked it.
func TestOwnTier(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		m := enrol(t, a, "13600000001", nil)
		var none struct{ Items []any }
		m.get("/portal/v1/tier", &none)
		if len(none.Items) != 0 {
			t.Errorf("without a scheme: %+v", none)
		}
		a.Post("/v1/tier-schemes", J{
			"code": "club", "name_en": "Club", "main": true, "window": J{"kind": "lifetime"}, "term": J{"kind": "forever"}, "downgrade": "none",
			"tiers": []J{{"code": "base", "name_en": "Base"}, {"code": "gold", "name_en": "Gold", "name_zh": "金卡", "qualify": J{"visits": 4}, "benefits": J{"earn_multiplier": 1500}}},
		})
		a.Must(200, "POST", "/v1/tier-schemes/club/publish", nil)
		a.Post("/v1/sales", a.Sale(J{"member": m.ID}))
		a.Must(200, "POST", "/v1/members/"+m.ID+"/tier", J{"tier": "base", "reason": "a secret of the shop", "lock": true})
		var own struct {
			Items []struct {
				Tier   struct{ Code string }
				Next   struct{ Percent int }
				Ladder []struct {
					NameZH   string `json:"name_zh"`
					Visits   int64
					Benefits struct {
						Multiplier int64 `json:"earn_multiplier"`
					}
				}
			}
		}
		m.get("/portal/v1/tier", &own)
		if v := own.Items[0]; v.Tier.Code != "base" || v.Next.Percent != 25 || len(v.Ladder) != 2 || v.Ladder[1].NameZH != "金卡" || v.Ladder[1].Visits != 4 || v.Ladder[1].Benefits.Multiplier != 1500 {
			t.Errorf("own tier: %+v", v)
		}
		if r := m.send("GET", "/portal/v1/tier", nil); strings.Contains(string(r.body), "secret") {
			t.Errorf("the member reads why: %s", r.body)
		}
	})
}
