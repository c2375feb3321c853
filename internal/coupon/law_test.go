package coupon_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/sale"
)

// naive is a voucher as a list of what was done to it says it stands.
type naive struct {
	code     string
	revoked  bool
	used     bool
	holdBy   int64
	holdTill int64
	uses     []coupon.Use // of its sale, or of its hold
	sold     *sale.Document
}

// Whatever is given, held, let lapse, freed, used, returned and taken back, in any order: what
// is refused is what a plain list of it says cannot be, the counters are the sums of that list,
// and once everything is returned and taken back they are at nothing.
func TestLaws(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.Member()
		n := w.number(m)
		round, seq, checkouts := 0, int64(100), int64(0)
		rapid.Check(t, func(t *rapid.T) {
			round++
			stock := rapid.Int64Range(0, 4).Draw(t, "stock")
			most := rapid.Int64Range(0, 3).Draw(t, "uses")
			budget := rapid.Int64Range(0, 3).Draw(t, "budget") * 1000
			id := w.coupon(fmt.Sprint("law-", round), J{"limits": J{"stock": stock, "uses": most, "budget": budget}})
			c, err := w.Coupons.Find(id)
			if err != nil {
				t.Fatal(err)
			}
			var list []*naive
			now := func() int64 { return w.Clock.Now().UnixMilli() }
			counts := func() (issued, used, off, taken int64) {
				for _, v := range list {
					if !v.revoked {
						issued++
					}
					switch {
					case v.used:
						used, taken = used+1, taken+1
						off += 1000 - v.sold.Body.Lines[0].BackAmount/10
					case v.holdBy != 0 && v.holdTill > now():
						taken++
					}
				}
				return issued, used, off, taken
			}
			room := func() bool {
				_, _, off, taken := counts()
				held := int64(0)
				for _, v := range list {
					if !v.used && v.holdBy != 0 && v.holdTill > now() {
						held += 1000
					}
				}
				return (most == 0 || taken < most) && (budget == 0 || off+held+1000 <= budget)
			}
			for range rapid.IntRange(1, 14).Draw(t, "steps") {
				what := rapid.SampledFrom([]string{"give", "hold", "use", "confirm", "free", "part", "whole", "revoke", "wait"}).Draw(t, "what")
				if what == "give" {
					v, err := w.Coupons.Hand(w.Context(), n, id, false)
					issued, _, _, _ := counts()
					if full := stock > 0 && issued >= stock; full != errors.Is(err, coupon.ErrStock) {
						t.Fatalf("%d of %d are out: %v", issued, stock, err)
					}
					if err == nil {
						list = append(list, &naive{code: v.Code})
					}
					continue
				}
				if what == "wait" {
					w.Pass(time.Duration(rapid.Int64Range(1, 90).Draw(t, "seconds")) * time.Second)
					continue
				}
				if len(list) == 0 {
					continue
				}
				v := list[rapid.IntRange(0, len(list)-1).Draw(t, "which")]
				held := v.holdBy != 0 && v.holdTill > now()
				switch what {
				case "hold", "use":
					uses := []coupon.Use{{Coupon: c.ID, Version: c.Version, Code: v.code, Amount: 1000, ByLine: []int64{1000}}}
					may := !v.revoked && !v.used && !held && room()
					checkouts++
					if what == "hold" {
						err = w.hold(n, uses, checkouts, now()+30_000)
					} else {
						seq++
						d := w.doc(n, seq, 10_000)
						if err = w.redeem(n, uses, 0, d); err == nil {
							v.used, v.sold = true, d
						}
					}
					if may != (err == nil) {
						t.Fatalf("%s of %+v with room %t: %v", what, v, room(), err)
					}
					if err == nil {
						v.uses = uses
						if what == "hold" {
							v.holdBy, v.holdTill = checkouts, uses[0].Until
						}
					}
				case "confirm":
					if !held {
						continue
					}
					seq++
					d := w.doc(n, seq, 10_000)
					if err := w.redeem(n, v.uses, v.holdBy, d); err != nil {
						t.Fatalf("a live hold is not confirmed: %v", err)
					}
					v.used, v.sold, v.holdBy = true, d, 0
				case "free":
					if v.holdBy == 0 || v.used {
						continue
					}
					if err := w.free(n, v.uses, v.holdBy); err != nil {
						t.Fatal(err)
					}
					v.holdBy = 0
				case "part", "whole":
					if !v.used {
						continue
					}
					left := (v.sold.Body.Lines[0].Milli - v.sold.Body.Lines[0].BackMilli) / 1000
					pieces := left
					if what == "part" {
						pieces = rapid.Int64Range(1, left).Draw(t, "pieces")
					}
					if err := w.back(n, v.uses, v.sold, pieces); err != nil {
						t.Fatal(err)
					}
					if pieces == left {
						v.used, v.sold = false, nil
					}
				case "revoke":
					_, err := w.Coupons.Revoke(w.Context(), v.code, "test")
					if may := !v.used && !held || v.revoked; may != (err == nil) {
						t.Fatalf("revoke %+v: %v", v, err)
					}
					v.revoked = v.revoked || err == nil
				}
				issued, used, off, taken := counts()
				if is := w.counts(id); is.Issued != issued || is.Used != used || is.Off != off || is.Used+is.Held != taken {
					t.Fatalf("after %s: %+v, want %d issued, %d used, %d off, %d taken", what, is, issued, used, off, taken)
				}
			}
			for _, v := range list { // reversing everything restores everything
				if v.used {
					l := v.sold.Body.Lines[0]
					if err := w.back(n, v.uses, v.sold, (l.Milli-l.BackMilli)/1000); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.Pass(time.Minute)
			for _, v := range list {
				if _, err := w.Coupons.Revoke(w.Context(), v.code, "test"); err != nil {
					t.Fatal(err)
				}
			}
			if is := w.counts(id); is.Issued != 0 || is.Used != 0 || is.Off != 0 || is.Held != 0 {
				t.Fatalf("%+v is left", is)
			}
		})
		w.Verify()
	})
}
