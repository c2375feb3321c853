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
