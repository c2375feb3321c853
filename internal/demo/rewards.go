package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/reward"
)

// sold is a reward of the shop: what it says, how much there is, and how it looks.
type sold struct {
	code  string
	terms reward.Terms
	stock map[string]int64 // by store; "" common
	codes int              // of its pool
	looks func(*canvas)
}

// theRewards is what the shop gives for points.
func theRewards(now time.Time) []sold {
	day := func(n int) string { return now.AddDate(0, 0, n).In(zone).Format(time.DateOnly) }
	flat := func(n int64) []reward.Option { return []reward.Option{{Currency: points, Points: n}} }
	return []sold{
		{code: "tea-tree", looks: drawTree, terms: reward.Terms{
			NameEN: "Plant a tea tree", NameZH: "捐种一棵茶树", TextEN: "We plant a tea tree in the hills of Yunnan in your name.", TextZH: "以您的名义，在云南茶山种下一棵茶树。",
			Kind: reward.Donation, Category: "good", Prices: flat(100), Limits: reward.Limits{Month: 3},
		}},
		{code: "scone-pair", looks: drawScones, terms: reward.Terms{
			NameEN: "A pair of scones", NameZH: "现烤司康一对", TextEN: "Warm from the oven, with clotted cream and jam.", TextZH: "现烤出炉，配凝脂奶油与果酱。",
			Kind: reward.ServiceK, Category: "bakery", PickupDays: 14, Prices: flat(120), Limits: reward.Limits{Day: 1},
		}},
		{code: "film-20", looks: drawTicket, codes: 120, terms: reward.Terms{
			NameEN: "20 yuan off a cinema ticket", NameZH: "影票立减 20 元", TextEN: "A code of the Orion cinemas, for any film.", TextZH: "星河影城通用券码，任意影片可用。",
			Kind: reward.CodeK, Category: "partner", Prices: flat(200), Limits: reward.Limits{Month: 2},
		}},
		{code: "cold-brew-cup", looks: drawCup, stock: map[string]int64{"": 60}, terms: reward.Terms{
			NameEN: "Cold-brew tumbler", NameZH: "冷泡茶随行杯", TextEN: "Glass, 500 ml, with a strainer for whole leaves.", TextZH: "500 毫升玻璃杯，附整叶茶滤。",
			Kind: reward.Goods, Category: "ware", Tags: []string{"summer"}, Stock: reward.StockCommon, Ways: []reward.Way{reward.Pickup, reward.Ship}, PickupDays: 14,
			Prices: []reward.Option{{Currency: points, Points: 260, Until: day(9)}, {Currency: points, Points: 320}}, Limits: reward.Limits{Ever: 2},
		}},
		{code: "spring-tin", looks: drawTin, stock: map[string]int64{"": 40}, terms: reward.Terms{
			NameEN: "Longjing of the first picking, 50 g", NameZH: "明前龙井小罐 50 克", TextEN: "Picked before Qingming on the slopes above West Lake.\nPay with points, or with fewer and some money.", TextZH: "清明前采于西湖茶山。\n可全用积分，也可积分加现金。",
			Kind: reward.Goods, Category: "tea", Tags: []string{"spring", "limited"}, Stock: reward.StockCommon, Ways: []reward.Way{reward.Pickup, reward.Ship}, PickupDays: 7, HoldMinutes: 24 * 60,
			Prices: []reward.Option{{Currency: points, Points: 600, Least: 200, Step: 50, Worth: 10_000}},
		}},
		{code: "tasting", looks: drawTasting, stock: map[string]int64{"sh-jingan": 12, "hz-xihu": 8}, terms: reward.Terms{
			NameEN: "An hour with a tea master", NameZH: "茶艺师一小时品鉴课", TextEN: "Six teas, one master, four guests. Bring the code on the day.", TextZH: "六款茶，一位茶艺师，四位茶友。到店出示取货码。",
			Kind: reward.ServiceK, Category: "experience", Stock: reward.StockStores, Stores: []string{"sh-jingan", "hz-xihu"}, PickupDays: 60, Lapse: reward.LapseKeep,
			Prices: []reward.Option{{Condition: "member.tier.rank >= 3", Currency: points, Points: 480}, {Currency: points, Points: 640}}, Limits: reward.Limits{Month: 1},
		}},
		{code: "celadon-gaiwan", looks: drawGaiwan, stock: map[string]int64{"": 3}, terms: reward.Terms{
			NameEN: "Celadon gaiwan", NameZH: "青瓷盖碗", TextEN: "Longquan celadon, 110 ml, thrown and glazed by hand.", TextZH: "龙泉青瓷，110 毫升，手工拉坯施釉。",
			Kind: reward.Goods, Category: "ware", Tags: []string{"limited"}, Stock: reward.StockCommon, Ways: []reward.Way{reward.Ship}, Prices: []reward.Option{{Currency: points, Points: 880, Money: 30_00}}, HoldMinutes: 24 * 60, Limits: reward.Limits{Ever: 1},
		}},
		{code: "moon-box", looks: drawMoon, stock: map[string]int64{"": 1}, terms: reward.Terms{
			NameEN: "Moon cakes for two", NameZH: "团圆月饼礼盒", TextEN: "Lotus paste and salted yolk; few were made.", TextZH: "莲蓉蛋黄，小批量手作。",
			Kind: reward.Goods, Category: "bakery", Tags: []string{"autumn", "limited"}, Stock: reward.StockCommon, PickupDays: 10, Prices: flat(180),
		}},
	}
}

// rewards fills the catalogue.
func (s *shop) rewards(ctx context.Context) error {
	r := s.app.Rewards
	for _, x := range theRewards(s.options.Now) {
		if _, err := r.Add(ctx, x.code, x.terms); err != nil {
			return fmt.Errorf("reward %s: %w", x.code, err)
		}
		for _, p := range s.stores {
			if n := x.stock[p.code]; n > 0 {
				if _, err := r.AddStock(ctx, x.code, p.code, n); err != nil {
					return fmt.Errorf("stock of %s: %w", x.code, err)
				}
			}
		}
		if n := x.stock[""]; n > 0 {
			if _, err := r.AddStock(ctx, x.code, "", n); err != nil {
				return fmt.Errorf("stock of %s: %w", x.code, err)
			}
		}
		if x.codes > 0 {
			text := ""
			for i := range x.codes {
				text += fmt.Sprintf("ORION-%04d-%04d\n", 1000+i*37%9000, s.random.IntN(10_000))
			}
			if _, _, err := r.AddCodes(ctx, x.code, text); err != nil {
				return fmt.Errorf("codes of %s: %w", x.code, err)
			}
		}
		if _, err := r.AddPicture(ctx, x.code, drawing(x.looks)); err != nil {
			return fmt.Errorf("picture of %s: %w", x.code, err)
		}
		if _, err := r.Move(ctx, x.code, reward.Live); err != nil {
			return fmt.Errorf("publish %s: %w", x.code, err)
		}
	}
	return nil
}

// redeem has members order: of each state there is something to be seen, and the member whom
// the portal shows has a pick-up that waits.
func (s *shop) redeem(ctx context.Context) error {
	home := map[string]any{"name": "陈茶客", "phone": "12000000000", "line": "上海市静安区茶香路 8 号 302 室"}
	type wish struct {
		reward string
		more   map[string]any
		steps  []string
	}
	wishes := []wish{
		{"moon-box", nil, nil},
		{"scone-pair", nil, []string{"ready"}},
		{"scone-pair", nil, []string{"ready", "pickup"}},
		{"film-20", nil, nil},
		{"tea-tree", nil, nil},
		{"cold-brew-cup", nil, nil},
		{"cold-brew-cup", map[string]any{"way": "ship", "address": home}, nil},
		{"cold-brew-cup", map[string]any{"way": "ship", "address": home}, []string{"ship"}},
		{"cold-brew-cup", map[string]any{"way": "ship", "address": home}, []string{"ship", "deliver"}},
		{"spring-tin", map[string]any{"points": 200, "store": "sh-jingan"}, nil},
		{"spring-tin", map[string]any{"points": 250, "store": "hz-xihu"}, []string{"pay", "ready"}},
		{"cold-brew-cup", nil, []string{"cancel"}},
		{"scone-pair", nil, []string{"pickup", "return"}},
	}
	var last *person
	for i, w := range wishes {
		p := s.anyone(320, last)
		if i == 1 {
			p = s.shown(p)
		}
		if p == nil {
			return nil
		}
		last = p
		body := map[string]any{"reward": w.reward, "source": "demo", "document": fmt.Sprintf("R-%d", i)}
		for k, v := range w.more {
			body[k] = v
		}
		var out reward.OrderAnswer
		ok, err := s.tills.post(ctx, "/v1/members/"+p.id.String()+"/reward-orders", body, &out)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		p.points = out.Balances[points]
		for _, step := range w.steps {
			if err := s.step(ctx, step, out.Order); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown is the member whom the portal will show: the richest who has a telephone.
func (s *shop) shown(or *person) *person {
	best := or
	for _, p := range s.people[:s.here] {
		if !p.gone && p.enrol.Phone != "" && (best == nil || p.points > best.points) {
			best = p
		}
	}
	return best
}

func (s *shop) step(ctx context.Context, step string, o reward.OrderView) error {
	path, body := "/v1/reward-orders/"+o.ID+"/"+step, map[string]any{}
	switch step {
	case "ship":
		body["carrier"], body["tracking"] = "顺丰速运", "SF"+o.ID[len(o.ID)-10:]
	case "cancel", "return":
		body["reason"] = "会员改变主意"
	case "pay":
		body["payment"] = map[string]any{"kind": "wechat", "amount": o.Money.Amount, "currency": o.Money.Currency}
	case "pickup":
		path, body["code"] = "/v1/reward-orders/pickup", o.Pickup
	}
	var out reward.OrderAnswer
	_, err := s.tills.post(ctx, path, body, &out)
	return err
}
