package demo

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/tier"
)

// ladder is the shop's tiers: by growth value of the last twelve months, held for a year.
func ladder() tier.Scheme {
	return tier.Scheme{
		Code: "club", NameEN: "Club", NameZH: "会员等级", Main: true, Currency: growth,
		Window: tier.Window{Kind: tier.Rolling, Months: 12}, Term: tier.Term{Kind: tier.ForMonths, Months: 12},
		GraceDays: 30, Downgrade: tier.Reassess, WarnDays: 30, NearPercent: 80,
		Tiers: []tier.Tier{
			{Code: "leaf", NameEN: "Green Leaf", NameZH: "青叶", Color: "#5B7F5B", Icon: "leaf",
				Benefits: tier.Benefits{TextEN: "A free cup on joining", TextZH: "入会赠饮一杯"}},
			{Code: "silver", NameEN: "Silver Tip", NameZH: "银毫", Color: "#8A939C", Icon: "star", Qualify: tier.Criteria{Growth: 500}, Keep: &tier.Criteria{Growth: 400},
				Benefits: tier.Benefits{Multiplier: 1200, BirthdayGift: true, TextEN: "A larger cup for the price of a small one on Tuesdays", TextZH: "每周二免费升杯"}},
			{Code: "gold", NameEN: "Gold Bud", NameZH: "金芽", Color: "#B08A2E", Icon: "crown", Qualify: tier.Criteria{Growth: 1500}, Keep: &tier.Criteria{Growth: 1200},
				Benefits: tier.Benefits{Multiplier: 1500, Discount: 5, BirthdayGift: true, FreeDelivery: true, TextEN: "New teas a week early", TextZH: "新茶提前一周品鉴"},
				Welcome:  &tier.Bonus{Currency: points, Amount: 200}},
			{Code: "reserve", NameEN: "Reserve", NameZH: "御藏", Color: "#612F4E", Icon: "gem", Qualify: tier.Criteria{Growth: 4000}, Keep: &tier.Criteria{Growth: 3000},
				Benefits: tier.Benefits{Multiplier: 2000, Discount: 10, BirthdayGift: true, FreeDelivery: true, Priority: true, TextEN: "Two invitations to the spring tasting", TextZH: "春茶品鉴会两席"},
				Welcome:  &tier.Bonus{Currency: points, Amount: 500}},
		},
	}
}

// addLadder publishes the tiers before anybody has joined.
func (s *shop) addLadder(ctx context.Context) error {
	l := ladder()
	if _, err := s.app.Tiers.Add(ctx, l); err != nil {
		return fmt.Errorf("make the tiers: %w", err)
	}
	if _, err := s.app.Tiers.Publish(ctx, l.Code, 0); err != nil {
		return fmt.Errorf("publish the tiers: %w", err)
	}
	return nil
}

// lookAtTiers does what the jobs of the tiers do: it looks at who has joined and who has earned
// growth value, and at those whose day has come.
func (s *shop) lookAtTiers(ctx context.Context) error {
	if err := s.app.Events.Drain(ctx); err != nil {
		return err
	}
	if err := s.app.Tiers.LookMoved(ctx, nil); err != nil {
		return err
	}
	return s.app.Tiers.LookDue(ctx, nil)
}
