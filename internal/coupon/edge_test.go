package coupon_test

import (
	"errors"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
)

// What is somebody else's cannot be used; what nobody holds is theirs who uses it first; what
// belongs to whoever shows it may be used by all.
func TestForeign(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m, other := w.Member(), w.Member()
		mine := w.coupon("mine", nil)
		v := w.give(mine, m)
		try := func(owner int64, id, code string) error {
			return w.redeem(owner, []coupon.Use{w.use(id, code, 100)}, 0, w.doc(owner, w.Unique(), 10000))
		}
		if err := try(w.number(other), mine, v.Code); !errors.Is(err, coupon.ErrForeign) {
			t.Error(err)
		}
		if err := try(-17, mine, v.Code); !errors.Is(err, coupon.ErrMember) {
			t.Error(err)
		}
		b := w.print(mine, J{"count": 1})
		printed := string(w.Get("/v1/coupon-batches/" + b.ID + "/codes").Body)
		code := printed[len("code,shown,state,valid_from,valid_until\n"):][:14]
		if err := try(w.number(other), mine, code); err != nil {
			t.Error(err)
		}
		if got := w.voucher(code); got.Member != other || got.State != "redeemed" {
			t.Errorf("%+v", got)
		}
		bearer := w.coupon("bearer", J{"bearer": true})
		v = w.give(bearer, m)
		if err := try(-17, bearer, v.Code); err != nil {
			t.Error(err)
		}
		if err := try(w.number(m), mine, "ZZZZZZZZZZZZZZ"); !errors.Is(err, coupon.ErrUnknown) {
			t.Error(err)
		}
		w.Verify()
	})
}

// A sending that two jobs run at once, as after a lost lease, gives each member one.
func TestResume(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		for range 40 {
			w.Member()
		}
		id := w.coupon("all", nil)
		b := w.send(id, J{"all": true})
		// As if its end had not been written down, and its first slice were sent again.
		w.Exec("UPDATE voucher_batch SET state = 'running'")
		c, err := w.Coupons.Batch(w.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Coupons.Again(w.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		if got := w.counts(id); got.Issued != 40 {
			t.Errorf("%d were issued to 40", got.Issued)
		}
	})
}

// Time ends a voucher at its last instant, and the sweep writes it down once; several uses are
// counted, and the first one shortens its time.
func TestTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.Member()
		n := w.number(m)
		id := w.coupon("times", J{"times": 3, "valid": J{"hours": 48, "days_from_first_use": 1}})
		v := w.give(id, m)
		use := func() error {
			return w.redeem(n, []coupon.Use{w.use(id, v.Code, 100)}, 0, w.doc(n, w.Unique(), 10000))
		}
		before := w.voucher(v.Code).ValidUntil
		if err := use(); err != nil {
			t.Fatal(err)
		}
		got := w.voucher(v.Code)
		if got.State != "claimed" || got.Uses != 1 || got.UsesLeft != 2 || got.ValidUntil >= before {
			t.Errorf("%+v, before until %s", got, before)
		}
		until, err := time.Parse(time.RFC3339Nano, got.ValidUntil)
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(until.Sub(w.Clock.Now())) // its last instant
		if err := use(); err != nil {
			t.Errorf("at the last instant: %v", err)
		}
		w.Clock.Advance(time.Millisecond)
		if err := use(); !errors.Is(err, coupon.ErrOver) {
			t.Errorf("after it: %v", err)
		}
		for range 2 {
			if err := w.Coupons.Sweep(w.Context(), func(int64) {}); err != nil {
				t.Fatal(err)
			}
		}
		w.Drain()
		var f struct {
			Redeemed, Expired, Members int64
			Off                        int64
		}
		if w.Get("/v1/coupons/" + id + "/figures").Into(&f); f.Redeemed != 2 || f.Expired != 1 || f.Members != 1 || f.Off != 200 {
			t.Errorf("%+v", f)
		}
		var list struct{ Items []voucher }
		w.Get("/v1/members/" + m + "/vouchers?view=expired").Into(&list)
		if len(list.Items) != 1 || list.Items[0].State != "expired" {
			t.Errorf("%+v", list)
		}
		w.Verify()
	})
}
