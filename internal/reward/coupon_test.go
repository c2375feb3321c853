package reward_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/reward"
)

// vouchers gives codes that say whose they are, and runs out for whom it is told to.
type vouchers struct{}

func (vouchers) Prepare(ref string) (reward.Gift, error) {
	if ref != "ten-off" {
		return nil, errors.New("no such coupon")
	}
	return gift{}, nil
}

func (vouchers) Back(string) reward.Taking { return taking{} }

type taking struct{}

func (taking) Ready(*ledger.State) error { return nil }

func (taking) Decide(*ledger.State, *ledger.Account) error { return nil }

type gift struct{}

var errNone = errors.New("none is left")

func (gift) Needs(int64) ledger.Needs { return ledger.Needs{} }

func (gift) Decide(_ *ledger.State, a *ledger.Account) (string, error) {
	if !a.MayEarn { // by which a test makes it fail
		return "", ledger.ErrMayNotEarn.Because(errNone)
	}
	return "TEN-OFF-1", nil
}

// A coupon is given in the posting of its order: where it cannot be given, nothing is taken.
func TestCoupon(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Rewards.UseVouchers(vouchers{})
		w.Post("/v1/rewards", J{"code": "bad", "name_en": "Bad", "kind": "coupon", "coupon": "x", "prices": []J{{"currency": "points", "points": 100}}})
		w.Do("POST", "/v1/rewards/bad/publish", nil).Refused(422, "reward.coupon")
		r := w.reward("ten", 5, J{"kind": "coupon", "coupon": "ten-off"})
		m := w.rich(300)
		o := w.orders(m, r, nil)
		if o.Order.State != "done" || o.Order.GiftCode != "TEN-OFF-1" || o.Balances["points"] != 200 {
			t.Errorf("%+v", o)
		}
		w.Must(200, "POST", "/v1/members/"+m+"/block", J{"earn": true, "reason": "test"})
		w.Do("POST", "/v1/members/"+m+"/reward-orders", J{"reward": r}).Refused(409, "ledger.may_not_earn")
		if w.points(m) != 200 || w.left(r) != 4 {
			t.Errorf("%d points, %d left", w.points(m), w.left(r))
		}
		held := w.reward("ten-plus", 1, J{"kind": "coupon", "coupon": "ten-off", "prices": []J{{"currency": "points", "points": 10, "money": 100}}})
		other := w.rich(10)
		o = w.orders(other, held, nil)
		if o.Order.State != "held" || o.Order.GiftCode != "" {
			t.Errorf("%+v", o)
		}
		if paid := w.do(o.Order, "pay", J{"payment": J{"kind": "cash", "amount": 100, "currency": "CNY"}}); paid.Order.State != "done" || paid.Order.GiftCode != "TEN-OFF-1" {
			t.Errorf("%+v", paid)
		}
	})
}

// A coupon is revoked with the return of its order, in one posting; one that was used, or that a
// checkout holds, keeps the order, until the purchase comes back.
func TestCouponReturned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		var c struct{ ID string }
		w.Post("/v1/coupons", J{"code": "twenty", "name_en": "20 off", "effect": J{"kind": "amount", "amount": 2000}, "limits": J{"stock": 2, "per_member": 2}}).Into(&c)
		w.Must(200, "POST", "/v1/coupons/"+c.ID+"/publish", nil)
		r := w.reward("twenty", 5, J{"kind": "coupon", "coupon": "twenty"})
		m := w.rich(300)
		state := func(code string) string {
			var v struct{ State string }
			w.Get("/v1/vouchers/" + code).Into(&v)
			return v.State
		}
		back := J{"reason": "test", "restock": true}
		o := w.orders(m, r, nil)
		out := w.do(o.Order, "return", back)
		if out.Order.State != "returned" || out.Balances["points"] != 300 || state(o.Order.GiftCode) != "revoked" || w.left(r) != 5 {
			t.Errorf("%+v, the voucher is %s, %d left", out, state(o.Order.GiftCode), w.left(r))
		}
		if again := w.do(o.Order, "return", back); again.Balances["points"] != 300 {
			t.Errorf("twice: %+v", again)
		}

		o = w.orders(m, r, nil)
		w.orders(m, r, nil) // of two that may be out none is left
		w.Do("POST", "/v1/members/"+m+"/reward-orders", J{"reward": r}).Refused(409, "coupon.often")
		basket := J{"member": m, "currency": "CNY", "lines": []J{{"line": 1, "sku": "tea", "quantity": 1, "amount": 10000}}, "coupons": []string{o.Order.GiftCode}}
		var held struct{ ID string }
		w.Must(201, "POST", "/v1/checkouts", basket).Into(&held)
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/return", back).Refused(409, "coupon.held")
		w.Must(200, "POST", "/v1/checkouts/"+held.ID+"/release", nil)
		sold := w.Sale(J{"member": m, "coupons": []string{o.Order.GiftCode}})
		w.Post("/v1/sales", sold)
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/return", back).Refused(409, "reward.gift_used")
		if got := w.order(o.Order.ID); got.State != "done" || w.left(r) != 3 || state(o.Order.GiftCode) != "redeemed" {
			t.Errorf("refused, and %s, %d left, %s", got.State, w.left(r), state(o.Order.GiftCode))
		}
		w.Post("/v1/returns", w.Return(sold["document"], nil))
		if out := w.do(o.Order, "return", back); out.Order.State != "returned" || state(o.Order.GiftCode) != "revoked" || w.left(r) != 4 {
			t.Errorf("%+v, %s", out, state(o.Order.GiftCode))
		}
		w.Verify()
	})
}

// Who is erased leaves no address, no code and no note; what waited is cancelled, and the goods
// are in stock again.
func TestErasure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("box", 5, J{"ways": []string{"ship", "pickup"}})
		m := w.rich(400)
		to := J{"name": "王小明", "phone": "12011112222", "line": "茶馆路 1 号"}
		sent := w.orders(m, r, J{"address": to}).Order
		w.do(sent, "ship", J{"carrier": "SF", "tracking": "123"})
		cancelled := w.orders(m, r, J{"way": "pickup"}).Order
		w.do(cancelled, "cancel", J{"reason": "Ms Wang moved house"})
		waits := w.orders(m, r, J{"way": "pickup"}).Order
		export := string(w.Get("/v1/members/" + m + "/export").Body)
		for _, want := range []string{"茶馆路 1 号", sent.ID, "reward_orders"} {
			if !strings.Contains(export, want) {
				t.Errorf("the export lacks %s", want)
			}
		}
		w.Must(200, "POST", "/v1/members/"+m+"/erase", J{"reason": "request"})
		for _, id := range []string{sent.ID, cancelled.ID, waits.ID} {
			if o := w.order(id); o.Address != nil || o.Tracking != "" || o.PickupCode != "" || o.State == "paid" {
				t.Errorf("%+v", o)
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM reward_order_step WHERE note <> ''"); n != 0 {
			t.Error("notes are left")
		}
		if w.left(r) != 4 {
			t.Errorf("%d left", w.left(r))
		}
	})
}
