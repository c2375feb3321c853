package draw_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/draw"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// A member sees the odds, what the next play costs and what is fixed of it; what they throw in
// stands in the line, and so does the mark that was shown before. Nobody else's plays are theirs.
func TestPortal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"free_per_day": 1, "plays_per_day": 3, "guarantee": J{"after": 5, "prize": "points"}, "prizes": []J{
			cup(0, 0), {"code": "points", "name_en": "5 points", "name_zh": "5 积分", "kind": "points", "currency": "points", "amount": 5, "odds": 0},
		}})
		w.Post("/v1/draws", J{"code": "draft", "name_en": "Draft", "look": "box", "free_per_day": 1, "prizes": []J{cup(1, 0)}})
		w.draw("others", J{"audience": `member.city == "suzhou"`})
		m, cookie := w.signedIn("13912345678")
		w.Give(m, 100)
		do := func(method, path string, body any, headers ...apptest.Header) apptest.Response {
			t.Helper()
			return w.Do(method, "/portal/v1/"+path, body, append(headers, apptest.Header{Name: "Authorization"}, cookie, apptest.Language("zh-CN"))...)
		}
		type own struct {
			Code, Name, Mark, Hash, Sure string
			Price, Next, Epoch           int64
			FreeLeft                     int64  `json:"free_left"`
			Left                         *int64 `json:"plays_left"`
			Guarantee                    int64  `json:"guarantee_in"`
			Nothing                      int64  `json:"nothing_odds"`
		}
		var list struct{ Items []own }
		do("GET", "draws", nil).Into(&list)
		if len(list.Items) != 1 || list.Items[0].Name != "转盘" {
			t.Fatalf("%+v", list)
		}
		see := func() (d own) {
			t.Helper()
			do("GET", "draws/wheel", nil).Into(&d)
			return d
		}
		d := see()
		if d.Price != 0 || d.FreeLeft != 1 || *d.Left != 3 || d.Guarantee != 5 || d.Nothing != 1_000_000 || d.Next != 1 || len(d.Mark) != 16 || len(d.Hash) != 64 {
			t.Errorf("before: %+v", d)
		}
		do("GET", "draws/draft", nil).Refused(404, "draw.unknown")
		do("GET", "draws/others", nil).Refused(409, "draw.audience")
		do("POST", "draws/wheel/plays", J{"pay": 5}, apptest.Keyed("a")).Refused(409, "draw.price_changed")
		var p drawn
		do("POST", "draws/wheel/plays", J{"nonce": "mine", "pay": 0}, apptest.Keyed("b")).Into(&p)
		if p.Line.Nonce != "mine" || p.Line.Mark != d.Mark || p.Line.K != 1 || p.Paid != 0 {
			t.Errorf("played: %+v", p)
		}
		if d = see(); d.Price != 10 || d.FreeLeft != 0 || *d.Left != 2 || d.Guarantee != 4 || d.Next != 2 {
			t.Errorf("after: %+v", d)
		}
		w.play(w.rich(100), "wheel")
		var plays struct{ Items []drawn }
		if do("GET", "plays", nil).Into(&plays); len(plays.Items) != 1 || plays.Items[0].ID != p.ID {
			t.Errorf("plays %+v", plays)
		}
	})
}

// Who is merged into another has used up their plays too, and gets them back when that is undone;
// what each had won stays theirs to pick up.
func TestMerge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"price": nil, "free_per_day": 5, "prizes": []J{cup(1_000_000, 0)}})
		a, b := w.Member(), w.Member()
		w.play(a, "wheel")
		won := w.play(a, "wheel")
		w.play(b, "wheel")
		w.Must(200, "POST", "/v1/members/"+a+"/merge", J{"into": b})
		w.play(b, "wheel")
		w.play(b, "wheel")
		w.Do("POST", "/v1/members/"+b+"/plays", J{"draw": "wheel"}, apptest.Keyed("sixth")).Refused(409, "draw.today")
		var plays struct{ Items []drawn }
		if w.Get("/v1/members/" + b + "/plays").Into(&plays); len(plays.Items) != 5 {
			t.Errorf("%d plays of the survivor", len(plays.Items))
		}
		w.Must(200, "POST", "/v1/draw-prizes/"+strings.ToLower(won.PickUp)+"/hand-out", nil)
		w.Must(200, "POST", "/v1/members/"+a+"/unmerge", nil)
		for range 3 {
			w.play(a, "wheel")
		}
		for range 2 {
			w.play(b, "wheel")
		}
		w.Must(200, "POST", "/v1/draws/wheel/end", nil)
		if _, lines, found := w.proof("wheel", 1); len(lines) != 10 || len(found) > 0 {
			t.Errorf("%d lines, %v", len(lines), found)
		}
		w.Verify()
	})
}

// The verification of the books finds an outcome, a count and a play that were changed in the
// database.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.draw("wheel", J{"price": nil, "free_per_day": 50})
		m := w.Member()
		for range 12 {
			w.play(m, "wheel")
		}
		finds := func() int {
			t.Helper()
			r, err := w.App.App.Verify(context.WithoutCancel(w.Context()), nil)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, f := range r.Findings {
				if f.Invariant == "D1" {
					n++
				}
			}
			return n
		}
		if n := finds(); n != 0 {
			t.Fatalf("%d findings in honest books", n)
		}
		for _, tt := range []struct{ name, do, undo string }{
			{"a play without its member", `UPDATE draw_play SET n = 99 WHERE n = 5`, `UPDATE draw_play SET n = 5 WHERE n = 99`},
			{"a line that is gone", `UPDATE draw_line SET n = 99 WHERE n = 6`, `UPDATE draw_line SET n = 6 WHERE n = 99`},
			{"another prize", `UPDATE draw_play SET prize = prize || 'x' WHERE n = 7`, `UPDATE draw_play SET prize = SUBSTR(prize, 1, LENGTH(prize) - 1) WHERE n = 7`},
		} {
			w.Exec(tt.do)
			if n := finds(); n == 0 {
				t.Errorf("%s is not found", tt.name)
			}
			w.Exec(tt.undo)
		}
	})
}

// The seed of an epoch that is not over stands nowhere in the database, and the key of the marks
// nowhere once it is.
func TestSealed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		secret := bytes.Repeat([]byte("0123456789abcdef"), 4)
		w.Draws.Seeds(bytes.NewReader(secret))
		w.draw("wheel", J{"price": nil, "free_per_day": 5, "epoch": "whole"})
		if n := w.Number(`SELECT COUNT(*) FROM draw_epoch WHERE closed_ms = 0 AND LENGTH(seed) = 0 AND LENGTH(sealed) > 64`); n != 1 {
			t.Fatalf("%d epochs are open and sealed", n)
		}
		var p draw.Proof
		if w.public("/portal/v1/draws/wheel/proof", &p); p.Seed != "" || p.Hash != draw.Commitment(secret[:32]) {
			t.Errorf("%+v", p)
		}
		w.Must(200, "POST", "/v1/draws/wheel/end", nil)
		if n := w.Number(`SELECT COUNT(*) FROM draw_epoch WHERE closed_ms > 0 AND LENGTH(sealed) = 0 AND LENGTH(seed) = 32`); n != 1 {
			t.Errorf("%d epochs are closed", n)
		}
	})
}

// A coupon that is won is the member's at once, as long as there are any; then it is owed, and
// nobody is refused a play for it.
func TestCoupon(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Post("/v1/coupons", J{"code": "five-off", "name_en": "5 off", "effect": J{"kind": "amount", "amount": 500}, "limits": J{"stock": 2}})
		w.Must(200, "POST", "/v1/coupons/five-off/publish", nil)
		w.draw("wheel", J{"price": nil, "free_per_day": 5, "prizes": []J{{"code": "c", "name_en": "Coupon", "kind": "coupon", "coupon": "five-off", "odds": 1_000_000}}})
		m := w.Member()
		codes := map[string]bool{}
		for i := range 4 {
			var p struct {
				Won, Owed bool
				Coupon    string `json:"coupon_code"`
				PickUp    string `json:"pick_up_code"`
			}
			w.Must(201, "POST", "/v1/members/"+m+"/plays", J{"draw": "wheel"}).Into(&p)
			if want := i >= 2; !p.Won || p.Owed != want || (p.Coupon == "") != want || (p.PickUp != "") != want {
				t.Errorf("play %d: %+v", i, p)
			}
			codes[p.Coupon] = true
		}
		if len(codes) != 3 || w.figures("wheel").Owed != 2 {
			t.Errorf("codes %v", codes)
		}
		w.Verify()
	})
}
