package coupon_test

import (
	"errors"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
)

// A voucher is given, held, lapses, is held again, used on a sale, and comes back with the
// return of all of it; its counters are then as before.
func TestLife(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.coupon("twenty", J{"limits": J{"stock": 3, "per_member": 2, "uses": 5, "budget": 10000, "uses_per_day": 1}})
		m := w.Member()
		n := w.number(m)
		v := w.give(id, m)
		if v.State != "claimed" || v.Member != m || v.UsesLeft != 1 || v.Origin != "staff" {
			t.Fatalf("%+v", v)
		}
		now := func() int64 { return w.Clock.Now().UnixMilli() }
		uses := []coupon.Use{w.use(id, v.Code, 2000)}
		if err := w.hold(n, uses, 7, now()+60_000); err != nil {
			t.Fatal(err)
		}
		if got := w.voucher(v.Code); got.State != "held" {
			t.Errorf("%+v", got)
		}
		if c := w.counts(id); c.Held != 1 || *c.BudgetLeft != 8000 {
			t.Errorf("%+v", c)
		}
		other := []coupon.Use{w.use(id, v.Code, 2000)}
		if err := w.hold(n, other, 8, now()+60_000); !errors.Is(err, coupon.ErrHeld) {
			t.Errorf("another checkout: %v", err)
		}
		w.Clock.Advance(2 * time.Minute) // the hold lapses
		if c := w.counts(id); c.Held != 0 {
			t.Errorf("%+v", c)
		}
		if err := w.free(n, uses, 7); err != nil { // of a hold that is over: nothing
			t.Error(err)
		}
		if err := w.hold(n, other, 8, now()+60_000); err != nil {
			t.Fatal(err)
		}
		if err := w.free(n, other, 8); err != nil {
			t.Fatal(err)
		}
		if err := w.hold(n, other, 8, now()+60_000); err != nil {
			t.Fatal(err)
		}
		d := w.doc(n, 1, 10000)
		if err := w.redeem(n, other, 8, d); err != nil {
			t.Fatal(err)
		}
		if err := w.redeem(n, []coupon.Use{w.use(id, v.Code, 2000)}, 0, w.doc(n, 2, 10000)); !errors.Is(err, coupon.ErrUsed) {
			t.Errorf("used twice: %v", err)
		}
		if c := w.counts(id); c.Used != 1 || c.Off != 2000 || c.Held != 0 {
			t.Errorf("%+v", c)
		}
		second := w.give(id, m)
		if err := w.redeem(n, []coupon.Use{w.use(id, second.Code, 2000)}, 0, w.doc(n, 2, 10000)); !errors.Is(err, coupon.ErrMyUses) {
			t.Errorf("twice a day: %v", err)
		}
		if err := w.back(n, other, d, 3); err != nil { // a part: money, not the voucher
			t.Fatal(err)
		}
		if c := w.counts(id); c.Used != 1 || c.Off != 1400 {
			t.Errorf("%+v", c)
		}
		if err := w.back(n, other, d, 7); err != nil {
			t.Fatal(err)
		}
		if c := w.counts(id); c.Used != 0 || c.Off != 0 || c.Issued != 2 {
			t.Errorf("%+v", c)
		}
		got := w.voucher(v.Code)
		if got.State != "claimed" || got.Uses != 0 || got.Off != 0 || got.UsesLeft != 1 {
			t.Errorf("%+v", got)
		}
		var steps []string
		for _, s := range got.History {
			steps = append(steps, s.Step)
		}
		want := []string{"issued", "claimed", "held", "held", "released", "held", "redeemed", "reversed", "reversed"}
		if len(steps) != len(want) {
			t.Fatalf("%v", steps)
		}
		for i := range want {
			if steps[i] != want[i] {
				t.Errorf("step %d is %s, want %s", i, steps[i], want[i])
			}
		}
		w.Do("POST", "/v1/coupons/"+id+"/vouchers", J{"member": m}).Refused(409, "coupon.often")
		w.give(id, w.Member())
		w.Do("POST", "/v1/coupons/"+id+"/vouchers", J{"member": w.Member()}).Refused(409, "coupon.stock")
		w.Must(200, "POST", "/v1/vouchers/"+second.Code+"/revoke", J{"reason": "test"})
		if c := w.counts(id); c.Issued != 2 || *c.StockLeft != 1 {
			t.Errorf("%+v", c)
		}
		w.Verify()
	})
}
