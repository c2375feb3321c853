package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
)

// pos is the source of the tills' documents.
const pos = "pos"

// topUp is what members pay in, and bonus what they get on top, in fen.
const (
	topUp      = 20_000
	topUpBonus = 2_000
)

// sell makes the purchases of some hours, and what members do at the till besides.
func (s *shop) sell(ctx context.Context, visits []*visit) error {
	if len(visits) == 0 {
		return nil
	}
	items := make([]sale.Item, 0, len(visits))
	var plain []*visit
	for _, v := range visits {
		if err := s.prepare(ctx, v); err != nil {
			return err
		}
		item := s.item(v)
		if done, err := s.checkout(ctx, v, item.Sale); err != nil {
			return err
		} else if !done {
			items, plain = append(items, item), append(plain, v)
		}
	}
	ask := sale.Ask{Bulk: true, History: s.clock.Now().Before(s.live0())}
	for i, r := range s.app.Sales.ImportMany(ctx, items, nil, ask) {
		if r.Err != nil {
			return fmt.Errorf("sale %s: %w", plain[i].doc, r.Err)
		}
		s.sold(plain[i], items[i].Sale, r.Answer)
	}
	return s.spend(ctx, visits)
}

// prepare does what comes before a purchase: topping up, and setting points aside.
func (s *shop) prepare(ctx context.Context, v *visit) error {
	p := v.who
	if p == nil {
		return nil
	}
	if p.stores && p.balance < 6_000 {
		if err := s.payIn(ctx, v); err != nil {
			return err
		}
	}
	if p.points < 600 || s.random.IntN(100) >= 3 {
		return nil
	}
	return s.hold(ctx, v)
}

func (s *shop) payIn(ctx context.Context, v *visit) error {
	s.made.TopUps++
	body := map[string]any{
		"currency": balance, "principal": topUp, "bonus": topUpBonus, "store": v.at2.code, "reason": "充200送20",
		"payment": map[string]any{"kind": "wechat", "reference": fmt.Sprintf("DEMO%08d", s.made.TopUps)},
	}
	var out ledger.Posted
	_, err := s.tills.post(ctx, "/v1/members/"+v.who.id.String()+"/topups", body, &out)
	v.who.balance = out.Balances[balance]
	return err
}

// hold sets points aside. Some holds pay for the purchase, some are given back, and some
// are forgotten until their time is up.
func (s *shop) hold(ctx context.Context, v *visit) error {
	var made ledger.HoldView
	ok, err := s.tills.post(ctx, "/v1/holds", map[string]any{
		"member": v.who.id.String(), "currency": points, "amount": 300, "ttl_seconds": 900, "purpose": "积分抵现",
	}, &made)
	if err != nil || !ok {
		return err
	}
	s.made.Holds++
	switch n := s.random.IntN(10); {
	case n < 5:
		v.hold = made.ID
	case n < 7:
		_, err = s.tills.post(ctx, "/v1/holds/"+made.ID+"/release", map[string]any{}, &made)
	}
	return err
}

// item is a purchase as the till sends it.
func (s *shop) item(v *visit) sale.Item {
	n := &sale.New{
		Source: pos, At: v.at.Format(time.RFC3339), Currency: "CNY", Store: v.at2.code, Till: tillCode(s.random.IntN(v.at2.tills)),
		Staff: fmt.Sprintf("S%02d", 1+s.random.IntN(4)), Channel: "store",
	}
	if v.who != nil && s.random.IntN(100) < 18 {
		n.Channel = "mini_program"
	}
	n.Lines = s.basket(v)
	for _, l := range n.Lines {
		n.Total += l.Amount
	}
	v.sum = n.Total
	s.receipt[v.at2.code]++
	v.doc = fmt.Sprintf("%s-%s-%04d", strings.ToUpper(v.at2.code), v.at.Format("060102"), s.receipt[v.at2.code])
	n.Document = v.doc
	n.Payments = s.payment(v)
	item := sale.Item{Sale: n}
	if v.who != nil {
		item.Owner = v.who.id
	}
	return item
}

// basket fills up: mostly one or two things, mostly favourites.
func (s *shop) basket(v *visit) (lines []sale.NewLine) {
	r, day := s.random, midnight(v.at)
	for range 1 + pick(r, 4, func(i int) int { return []int{45, 33, 15, 7}[i] }) {
		n := pick(r, len(menu), func(i int) int { return v.wants(i, day) })
		p, milli := menu[n], int64(1000)
		if r.IntN(100) < 11 && p.price < 5_000 {
			milli = 2000
		}
		same := false
		for _, l := range lines {
			same = same || l.SKU == p.sku
		}
		if same {
			continue
		}
		lines = append(lines, sale.NewLine{
			Line: int64(len(lines) + 1), SKU: p.sku, Name: p.zh, Quantity: sale.Quantity(milli), Amount: p.price * milli / 1000, Cost: p.cost * milli / 1000,
		})
	}
	return lines
}

// wants is the weight of a product at a visit; 0 for what the store does not sell that day.
func (v *visit) wants(i int, day time.Time) int {
	p := menu[i]
	bakery := v.at2.merchant == bakeries.Code
	switch {
	case !p.season.sold(day), bakery && !strings.HasPrefix(p.path, "bakery") && p.path != "coffee", !bakery && p.path == "bakery/bread":
		return 0
	}
	w := p.weight
	if v.who == nil {
		return w
	}
	for _, liked := range v.who.likes {
		if liked == i {
			w += 60
		}
	}
	return w
}

// payment is how a purchase is paid: with points set aside, with stored value, or with
// money.
func (s *shop) payment(v *visit) (list []sale.NewPayment) {
	rest := v.sum
	if v.hold != "" {
		part := min(int64(300), rest) // 300 points are worth 3 yuan
		list = append(list, sale.NewPayment{Kind: "points", Amount: part, Reference: v.hold})
		rest -= part
	}
	if rest == 0 {
		return list
	}
	v.paid = []string{"wechat", "alipay", "card", "cash"}[pick(s.random, 4, func(i int) int { return []int{55, 30, 8, 7}[i] })]
	if v.who != nil && v.hold == "" && v.who.balance >= rest {
		v.paid = balance
	}
	return append(list, sale.NewPayment{Kind: v.paid, Amount: rest})
}

// sold notes what a purchase changed, and whether some of it will come back.
func (s *shop) sold(v *visit, n *sale.New, a *sale.Answer) {
	s.made.Sales++
	if v.who == nil {
		s.made.Unassigned++
		return
	}
	v.who.points, v.who.lastSale = a.Balances[points], v.doc
	v.who.month += v.sum
	if s.random.IntN(1000) < 17 {
		s.back = append(s.back, s.regret(v, n))
	}
}

// spend lets members use what they have: stored value for the purchase just made, points
// for a drink.
func (s *shop) spend(ctx context.Context, visits []*visit) error {
	var rs []ledger.Request
	for _, v := range visits {
		if v.who == nil {
			continue
		}
		store := v.at2.id
		if v.paid == balance {
			v.who.balance -= v.sum
			rs = append(rs, ledger.RequestOf(ctx, ledger.SpendCommand{
				Member: int64(v.who.id), Currency: balance, Amount: v.sum, Source: pos, Document: "BAL-" + v.doc, Reason: "储值支付", Store: store,
			}, false))
		}
		if v.who.points >= 300 && s.random.IntN(100) < 9 {
			amount := redeemable(v.who.points)
			v.who.points -= amount
			s.made.Redemptions++
			rs = append(rs, ledger.RequestOf(ctx, ledger.SpendCommand{
				Member: int64(v.who.id), Currency: points, Amount: amount, Source: pos, Document: "PTS-" + v.doc, Reason: "积分兑换饮品", Store: store,
			}, false))
		}
	}
	for _, a := range s.app.Ledger.Engine().DoMany(ctx, rs) {
		if a.Err != nil {
			return fmt.Errorf("spend: %w", a.Err)
		}
	}
	return nil
}

// redeemable is the dearest reward that somebody can have.
func redeemable(have int64) int64 {
	for _, price := range []int64{2000, 1000, 500} {
		if have >= price {
			return price
		}
	}
	return 300
}
