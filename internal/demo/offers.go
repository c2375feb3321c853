package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/offer"
)

// offersFor is how many days before now the offers begin: what is sold before comes in as
// history, which no offer counts.
const offersFor = 6

// theOffers is what the shop invites its members to.
var theOffers = []struct {
	code  string
	terms offer.Terms
	sent  int // of how many members one receives it; 0 where it is open
}{
	{"week-three", offer.Terms{
		NameEN: "Three cups in five days", NameZH: "五日三杯", TextEN: "Come three times within five days and the fourth cup is nearly ours.", TextZH: "五天内光临三次，送您 60 积分，下一杯更划算。",
		Goal: offer.Goal{Kind: offer.Visits, Count: 3}, Delivery: offer.Sent, Hours: 5 * 24, Reward: offer.Reward{Currency: points, Amount: 60, Badge: "regular"},
	}, 2},
	{"spend-100", offer.Terms{
		NameEN: "100 yuan in two weeks", NameZH: "两周满百", TextEN: "Spend 100 yuan within two weeks, in any of our stores.", TextZH: "两周内累计消费满 100 元，任意门店均可。",
		Goal: offer.Goal{Kind: offer.Spend, Amount: 100_00}, Delivery: offer.Sent, Hours: 14 * 24, Reward: offer.Reward{Currency: points, Amount: 100},
		Counts: offer.Counts{ExcludeCategories: []string{"goods/cards"}},
	}, 3},
	{"tea-and-cake", offer.Terms{
		NameEN: "Tea and cake", NameZH: "茶点成双", TextEN: "Two teas and a cake this month: taste what goes together.", TextZH: "本月内购买两杯茶和一块蛋糕，发现绝配。",
		Goal: offer.Goal{Kind: offer.Products, Products: []offer.Product{{Category: "tea", Quantity: 2}, {Category: "bakery/cake"}}}, Delivery: offer.Open,
		Reward: offer.Reward{Currency: points, Amount: 80, Badge: "gourmet"},
	}, 0},
	{"streak-3", offer.Terms{
		NameEN: "Three days in a row", NameZH: "连续三日打卡", TextEN: "Say yes, then come three days in a row.", TextZH: "报名后连续三天到店消费。",
		Goal: offer.Goal{Kind: offer.Streak, Count: 3, Unit: offer.Day}, Delivery: offer.Open, OptIn: true, Reward: offer.Reward{Currency: points, Amount: 50},
	}, 0},
	{"big-basket", offer.Terms{
		NameEN: "A basket over 150", NameZH: "单笔满 150", TextEN: "One purchase of 150 yuan or more within a week.", TextZH: "一周内单笔消费满 150 元。",
		Goal: offer.Goal{Kind: offer.Purchase, Amount: 150_00}, Delivery: offer.Sent, Hours: 3 * 24, Reward: offer.Reward{Currency: growth, Amount: 150},
	}, 4},
}

var theBadges = []struct {
	code  string
	terms offer.BadgeTerms
}{
	{"regular", offer.BadgeTerms{NameEN: "Regular", NameZH: "常客", TextEN: "Came three times within five days.", TextZH: "五天内光临三次。", Color: "#2f6f4f", Icon: "茶"}},
	{"gourmet", offer.BadgeTerms{NameEN: "Gourmet", NameZH: "美食家", TextEN: "Knows what goes with tea.", TextZH: "懂得茶与点心的搭配。", Color: "#b4652a", Icon: "🍰"}},
}

// offers opens badges, offers, the check-in and a leaderboard, and sends what is sent.
func (s *shop) offers(ctx context.Context) error {
	o := s.app.Offers
	for _, b := range theBadges {
		if _, err := o.AddBadge(ctx, b.code, b.terms); err != nil {
			return err
		}
	}
	if _, err := o.SetLadder(ctx, offer.Ladder{Active: true, Currency: points, Steps: []int64{1, 2, 3, 5, 5, 5, 10}, Cyclic: true}); err != nil {
		return err
	}
	_, err := o.AddBoard(ctx, "week-tea", offer.BoardTerms{
		NameEN: "Tea lovers of the week", NameZH: "本周茶客榜", Metric: offer.ByVisits, Every: offer.EveryWeek,
		Prizes: []offer.Prize{{From: 1, To: 1, Currency: points, Amount: 200}, {From: 2, To: 3, Currency: points, Amount: 100}, {From: 4, To: 10, Currency: points, Amount: 50}},
	})
	if err != nil {
		return err
	}
	if _, err := o.ChangeBoard(ctx, "week-tea", 0, func(b *offer.Board) { b.State = offer.Live }); err != nil {
		return err
	}
	until := s.options.Now.AddDate(0, 0, 24).In(zone).Format(time.DateOnly)
	for _, t := range theOffers {
		t.terms.Until = until
		if _, err := o.Add(ctx, t.code, t.terms); err != nil {
			return fmt.Errorf("offer %s: %w", t.code, err)
		}
		if _, err := o.Move(ctx, t.code, offer.Live); err != nil {
			return fmt.Errorf("publish offer %s: %w", t.code, err)
		}
		if t.sent == 0 {
			continue
		}
		var to []int64
		for _, p := range s.people[:s.here] {
			if !p.gone && p.n%t.sent == 0 {
				to = append(to, int64(p.id))
			}
		}
		if err := o.Hand(ctx, t.code, to); err != nil {
			return fmt.Errorf("send offer %s: %w", t.code, err)
		}
	}
	_, err = o.Add(ctx, "spring-beans", offer.Terms{ // one that is still being written
		NameEN: "Spring leaves", NameZH: "春茶季", TextEN: "200 yuan of tea leaves.", TextZH: "茶叶累计满 200 元。",
		Goal: offer.Goal{Kind: offer.Spend, Amount: 200_00}, Delivery: offer.Open, Counts: offer.Counts{Categories: []string{"goods/leaf"}}, Reward: offer.Reward{Currency: points, Amount: 300},
	})
	return err
}

// look has members look at what they received, take part, and check in; one is taken back.
func (s *shop) look(ctx context.Context) error {
	o, nowMS := s.app.Offers, s.clock.Now().UnixMilli()
	if err := o.Sweep(ctx, func(int64) {}); err != nil {
		return err
	}
	for i, p := range s.people[:s.here] {
		if p.gone {
			continue
		}
		list, err := o.Received(ctx, int64(p.id))
		if err != nil {
			return err
		}
		for _, x := range list {
			if p.n%2 == 0 && x.Step == offer.StepOpen && nowMS <= x.Until {
				if _, err := o.See(ctx, int64(p.id), x.ID(), nowMS); err != nil {
					return err
				}
			}
		}
		if i%9 == 0 {
			if _, err := o.Accept(ctx, int64(p.id), "streak-3", nowMS); err != nil {
				return err
			}
		}
		if i%3 != 0 {
			continue
		}
		for day := i % 4; day >= 0; day-- { // up to four days in a row, until today
			if _, err := o.CheckIn(ctx, int64(p.id), s.clock.Now().AddDate(0, 0, -day).UnixMilli(), false); err != nil {
				return err
			}
		}
	}
	for _, p := range s.people[:s.here] { // one was sent by mistake
		list, err := o.Received(ctx, int64(p.id))
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.Step == offer.StepOpen && x.Viewed == 0 && x.Progress.Zero() && nowMS <= x.Until {
				_, err := o.Cancel(ctx, int64(p.id), x.ID(), "sent by mistake")
				return err
			}
		}
	}
	return nil
}
