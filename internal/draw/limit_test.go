package draw_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Of 64 who play at once for a prize of which there are ten, ten win it, on two draws at the same
// time; numbers have no gaps, and what everybody paid is what was counted.
func TestStockRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("one", J{"prizes": []J{cup(1_000_000, 10)}})
		w.draw("two", J{"prizes": []J{cup(1_000_000, 10)}})
		var members []string
		for range 64 {
			members = append(members, w.rich(20))
		}
		done := make(chan map[int]int)
		go func() { done <- w.together("one", members) }()
		if got := w.together("two", members); got[201] != 64 {
			t.Errorf("two answers %v", got)
		}
		if got := <-done; got[201] != 64 {
			t.Errorf("one answers %v", got)
		}
		for _, code := range []string{"one", "two"} {
			f := w.figures(code)
			if f.given("cup") != 10 || f.given("") != 54 || f.Plays != 64 || f.Members != 64 || f.Table.Number != 2 || f.Table.From != 11 {
				t.Errorf("%s: %+v", code, f)
			}
			w.Must(200, "POST", "/v1/draws/"+code+"/end", nil)
			if _, lines, found := w.proof(code, 1); len(lines) != 64 || len(found) > 0 {
				t.Errorf("%s: %d lines, %v", code, len(lines), found)
			}
		}
		for _, m := range members {
			if n := w.Wallet(m).Available; n != 0 {
				t.Errorf("%s has %d points left", m, n)
			}
		}
		w.Verify()
	})
}

// Of 64 plays of one member at once, as many are taken as the limits allow.
func TestLimitRace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		for _, tt := range []struct {
			code  string
			edits J
			want  int
		}{
			{"day", J{"plays_per_day": 5}, 5},
			{"ever", J{"plays_per_member": 7}, 7},
			{"free", J{"free_per_day": 3, "price": nil}, 3},
			{"money", J{}, 4},
		} {
			tt.edits["prizes"] = []J{cup(0, 0)}
			w.draw(tt.code, tt.edits)
			points := int64(1000)
			if tt.code == "money" {
				points = 49
			}
			m := w.rich(points)
			var all []string
			for range 64 {
				all = append(all, m)
			}
			if got := w.together(tt.code, all); got[201] != tt.want || got[409] != 64-tt.want {
				t.Errorf("%s: %v, want %d", tt.code, got, tt.want)
			}
		}
		w.Verify()
	})
}

// A play is refused for one reason at a time, and changes nothing; the next day has its own.
func TestRefusals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.rich(15)
		refused := func(name, draw string, body J, status int, code string) {
			t.Helper()
			before := w.Wallet(m).Available
			r := w.Do("POST", "/v1/members/"+m+"/plays", apptest.With(J{"draw": draw}, body), apptest.Keyed(fmt.Sprint("k", w.Unique())))
			if r.Refused(status, code); w.Wallet(m).Available != before {
				t.Errorf("%s took points", name)
			}
		}
		w.draw("wheel", J{"free_per_day": 1, "plays_per_day": 2, "plays_per_member": 3, "prizes": []J{cup(0, 0)}})
		refused("no draw", "other", nil, 404, "draw.unknown")
		refused("nonce", "wheel", J{"nonce": "a|b"}, 422, "draw.nonce")
		refused("price", "wheel", J{"pay": 10}, 409, "draw.price_changed")
		if p := w.play(m, "wheel"); p.Paid != 0 {
			t.Errorf("the first play costs %d", p.Paid)
		}
		refused("price", "wheel", J{"pay": 0}, 409, "draw.price_changed")
		if p := w.play(m, "wheel"); p.Paid != 10 {
			t.Errorf("the second play costs %d", p.Paid)
		}
		refused("today", "wheel", nil, 409, "draw.today")
		w.nextDay()
		w.play(m, "wheel")
		refused("ever", "wheel", nil, 409, "draw.often")
		w.draw("dear", nil)
		refused("points", "dear", nil, 409, "ledger.insufficient")
		w.draw("others", J{"audience": `member.city == "suzhou"`})
		refused("audience", "others", nil, 409, "draw.audience")
		w.draw("later", J{"from": w.Clock.Now().Add(time.Hour).Format(time.RFC3339)})
		refused("early", "later", nil, 409, "draw.not_live")
		w.Must(200, "POST", "/v1/draws/dear/pause", nil)
		refused("paused", "dear", nil, 409, "draw.not_live")
		if f := w.figures("wheel"); f.Plays != 3 {
			t.Errorf("%d plays", f.Plays)
		}
		w.Verify()
	})
}

// A draw that cannot be is refused, for the part that is wrong.
func TestTerms(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		good := J{"code": "good", "name_en": "Wheel", "look": "wheel", "free_per_day": 1, "prizes": []J{cup(1000, 0)}}
		for _, tt := range []struct {
			name  string
			edits J
			code  string
		}{
			{"code", J{"code": "Über"}, "draw.code"},
			{"name", J{"name_en": " "}, "draw.names"},
			{"times", J{"from": "2026-03-02", "until": "2026-03-01"}, "draw.window"},
			{"no way to play", J{"free_per_day": 0}, "draw.price"},
			{"price in growth", J{"price": J{"currency": "growth", "amount": 5}}, "draw.price"},
			{"odds", J{"prizes": []J{cup(999_999, 0), apptest.With(cup(2, 0), J{"code": "b"})}}, "draw.odds"},
			{"twice", J{"prizes": []J{cup(1, 0), cup(1, 0)}}, "draw.prize_twice"},
			{"points of nothing", J{"prizes": []J{{"code": "a", "name_en": "A", "kind": "points", "odds": 1}}}, "draw.prize"},
			{"coupon that is not there", J{"prizes": []J{{"code": "a", "name_en": "A", "kind": "coupon", "coupon": "x", "odds": 1}}}, "coupon.no_coupon"},
			{"instead of itself", J{"prizes": []J{apptest.With(cup(1, 0), J{"instead": "cup"})}}, "draw.prize"},
			{"guarantee of nothing", J{"guarantee": J{"after": 5, "prize": "b"}}, "draw.guarantee"},
			{"guarantee at once", J{"guarantee": J{"after": 1, "prize": "cup"}}, "draw.guarantee"},
			{"audience", J{"audience": "member.shoe == 1"}, "cond.field"},
		} {
			p := w.Do("POST", "/v1/draws", apptest.With(good, tt.edits)).Problem()
			if p.Code != tt.code {
				t.Errorf("%s: %s, want %s", tt.name, p.Code, tt.code)
			}
		}
		w.Post("/v1/draws", good)
		w.Do("POST", "/v1/draws", good).Refused(409, "draw.code_taken")
		w.Must(200, "PATCH", "/v1/draws/good", J{"epoch": "week"})
		w.Must(200, "POST", "/v1/draws/good/publish", nil)
		w.Do("PATCH", "/v1/draws/good", J{"epoch": "day"}).Refused(409, "draw.epoch")
		w.Do("PATCH", "/v1/draws/good", J{"version": 1, "free_per_day": 2}).Refused(409, "draw.edited")
		w.Do("DELETE", "/v1/draws/good", nil).Refused(409, "draw.started")
	})
}
