package coupon_test

import (
	"errors"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
)

// A limit of a member counts what was given to, and used by, the records that were merged into
// them; what is taken back counts no more, whoever had it; and a merge that is undone leaves each
// with their own.
func TestMergedLimits(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		id := w.coupon("two", J{"limits": J{"per_member": 2}})
		a, b, c := w.Member(), w.Member(), w.Member()
		first := w.give(id, a)
		w.give(id, b)
		merge := func(from, into string) { w.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into}) }
		merge(a, b)
		often := func(m string) {
			t.Helper()
			w.Do("POST", "/v1/coupons/"+id+"/vouchers", J{"member": m}).Refused(409, "coupon.often")
		}
		often(b)
		often(a) // who is b by now
		merge(b, c)
		often(c)
		w.Must(200, "POST", "/v1/vouchers/"+first.Code+"/revoke", J{"reason": "test"})
		w.give(id, c)
		often(c)
		w.Must(200, "POST", "/v1/members/"+b+"/unmerge", nil)
		w.give(id, c) // its own second
		often(c)
		w.give(id, b) // of a's and its own one is left
		often(b)
		w.Must(200, "POST", "/v1/members/"+a+"/unmerge", nil)
		w.give(id, a)
		w.give(id, a)
		often(a)
		w.Verify()
	})
}

// Uses are counted the same way, and a use of one record that comes back is given back there.
func TestMergedUses(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		id := w.coupon("once", J{"limits": J{"uses_per_member": 1, "uses_per_day": 1}})
		a, b := w.Member(), w.Member()
		used, kept := w.give(id, a), w.give(id, b)
		na, nb := w.number(a), w.number(b)
		uses := []coupon.Use{w.use(id, used.Code, 2000)}
		doc := w.doc(na, 1, 10000)
		if err := w.redeem(na, uses, 0, doc); err != nil {
			t.Fatal(err)
		}
		w.Must(200, "POST", "/v1/members/"+a+"/merge", J{"into": b})
		more := []coupon.Use{w.use(id, kept.Code, 2000)}
		if err := w.redeem(nb, more, 0, w.doc(nb, 2, 10000)); !errors.Is(err, coupon.ErrMyUses) {
			t.Fatalf("a second use of one person: %v", err)
		}
		if err := w.hold(nb, more, 7, w.Clock.Now().Add(time.Minute).UnixMilli()); !errors.Is(err, coupon.ErrMyUses) {
			t.Fatalf("a hold of a second use: %v", err)
		}
		if err := w.back(na, uses, doc, 10); err != nil {
			t.Fatal(err)
		}
		if err := w.redeem(nb, more, 0, w.doc(nb, 2, 10000)); err != nil {
			t.Fatalf("after the first came back: %v", err)
		}
		w.Verify()
	})
}
