package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/till"
)

// couponsFor is how many days before now the coupons begin: some are used by now, and none has
// come to its end.
const couponsFor = 12

// theCoupons is what the shop gives. Codes of vouchers are drawn and differ each time; all else
// is the same.
var theCoupons = []struct {
	code  string
	terms coupon.Terms
	// sent and claimed: to each so-manyth member; none for 0.
	sent, claimed int
}{
	{"tea-20-off-100", coupon.Terms{
		NameEN: "20 off 100", NameZH: "满100减20", TextEN: "On everything but gift cards.", TextZH: "全场通用，礼品卡除外。",
		Effect: coupon.Effect{Kind: coupon.Amount, Amount: 20_00}, Minimum: coupon.Minimum{Amount: 100_00}, Scope: coupon.Scope{ExcludeCategories: []string{"goods/cards"}},
		Valid: coupon.Valid{Days: 14}, Limits: coupon.Limits{Budget: 8_000_00}, Stack: coupon.Stack{Class: coupon.Best},
	}, 4, 0},
	{"second-half-price", coupon.Terms{
		NameEN: "Every second milk tea at half price", NameZH: "奶茶第二杯半价", TextEN: "Each second milk tea of an order costs half. May be given to a friend.", TextZH: "同单每两杯奶茶，第二杯半价。可转赠好友。",
		Effect: coupon.Effect{Kind: coupon.Percent, Percent: 50_00, Per: coupon.PerNth, Nth: 2}, Scope: coupon.Scope{Categories: []string{"tea/milk"}},
		Valid: coupon.Valid{Days: 7}, Limits: coupon.Limits{Stock: 500, PerMember: 2}, Listed: true, Transferable: true,
	}, 0, 5},
	{"cake-for-points", coupon.Terms{
		NameEN: "A cake", NameZH: "蛋糕兑换券", TextEN: "Any cake up to 35 yuan.", TextZH: "可兑换 35 元以内任意蛋糕一份。",
		Effect: coupon.Effect{Kind: coupon.Exchange, Amount: 35_00, Units: 1}, Scope: coupon.Scope{Categories: []string{"bakery/cake"}},
		Valid: coupon.Valid{Days: 30}, Price: coupon.Price{Currency: points, Amount: 150}, Limits: coupon.Limits{Stock: 200}, Listed: true,
	}, 0, 0},
	{"tea-time", coupon.Terms{
		NameEN: "15 % off in the afternoon", NameZH: "下午茶85折", TextEN: "From 14 to 17 o'clock on working days, at most 20 yuan.", TextZH: "工作日 14 点至 17 点可用，最高减 20 元。",
		Effect: coupon.Effect{Kind: coupon.Percent, Percent: 15_00}, Weekdays: []int64{1, 2, 3, 4, 5}, Hours: []coupon.Hours{{From: "14:00", Until: "17:00"}}, Cap: 20_00,
		SharedCode: "TEATIME", Bearer: true, Stack: coupon.Stack{Class: coupon.Exclusive}, Limits: coupon.Limits{UsesDay: 1},
	}, 0, 0},
	{"see-you-soon", coupon.Terms{
		NameEN: "5 off the next 25", NameZH: "下单返券：满25减5", TextEN: "For your next visit, from tomorrow on.", TextZH: "下次到店可用，次日生效。",
		Effect: coupon.Effect{Kind: coupon.Amount, Amount: 5_00}, Minimum: coupon.Minimum{Amount: 25_00}, Valid: coupon.Valid{Wait: 12, Days: 10},
		FromSale: &coupon.FromSale{Amount: 30_00}, Limits: coupon.Limits{PerMember: 20},
	}, 0, 0},
}

// openCoupons gives the shop its coupons, and some of its members vouchers.
func (s *shop) openCoupons(ctx context.Context, zone *time.Location) error {
	c := s.app.Coupons
	s.coupons = true
	until := s.options.Now.AddDate(0, 1, 0).In(zone).Format(time.DateOnly)
	for _, t := range theCoupons {
		t.terms.Until = until
		if _, err := c.Add(ctx, t.code, t.terms); err != nil {
			return fmt.Errorf("coupon %s: %w", t.code, err)
		}
		if _, err := c.Move(ctx, t.code, coupon.Live); err != nil {
			return fmt.Errorf("publish coupon %s: %w", t.code, err)
		}
		for _, p := range s.people[:s.here] {
			if p.gone {
				continue
			}
			if t.sent > 0 && p.n%t.sent == 1 {
				if _, err := c.Hand(ctx, int64(p.id), t.code, false); err != nil && !errors.Is(err, ledger.ErrMayNotEarn) { // one is blocked
					return fmt.Errorf("give coupon %s: %w", t.code, err)
				}
			}
			if t.claimed > 0 && p.n%t.claimed == 2 {
				if _, err := c.Claim(ctx, int64(p.id), t.code); err != nil && !errors.Is(err, ledger.ErrMayNotEarn) {
					return fmt.Errorf("claim coupon %s: %w", t.code, err)
				}
			}
		}
	}
	return nil
}

// checkout makes a purchase of a member through a checkout, as a till does where there are
// coupons: what saves most is used, if anything does. It reports whether it did.
func (s *shop) checkout(ctx context.Context, v *visit, n *sale.New) (bool, error) {
	if v.who == nil || !s.coupons || v.hold != "" || v.paid == balance {
		return false, nil
	}
	var q struct {
		ID string
		till.Quote
	}
	ok, err := s.tills.post(ctx, "/v1/checkouts", till.Wish{
		Member: v.who.id.String(), Lines: n.Lines, Store: n.Store, Till: n.Till, Staff: n.Staff, Channel: n.Channel, Best: true,
	}, &q)
	if err != nil || !ok || q.Off == 0 {
		return false, err // what it holds, its time gives back
	}
	var a sale.Answer
	ok, err = s.tills.post(ctx, "/v1/checkouts/"+q.ID+"/confirm", till.Confirmation{
		Source: n.Source, Document: n.Document, At: n.At, Payments: []sale.NewPayment{{Kind: v.paid, Amount: q.ToPay}},
	}, &a)
	if err != nil || !ok {
		return false, err
	}
	v.sum -= q.Off
	s.made.Coupons++
	s.sold(v, n, &a)
	return true, nil
}
