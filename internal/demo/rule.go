package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/rule"
)

// rulesDays is how long before the end the shop's rules begin to count.
const rulesDays = 45

// addRules makes the rules of the shop: one of each sort, most of them live for the last weeks.
func (s *shop) addRules(ctx context.Context) error {
	if _, err := s.app.Rules.PutGroup(ctx, rule.Group{Code: "times", NameEN: "Multiplied points", NameZH: "多倍积分", Mode: rule.Best, Stage: 2}); err != nil {
		return fmt.Errorf("make a group of rules: %w", err)
	}
	sales := rule.Trigger{On: rule.OnSale}
	times := func(percent int64) rule.Effect {
		return rule.Effect{Kind: rule.Multiplier, Currency: points, Percent: percent}
	}
	gift := func(n int64, each string) rule.Effect {
		return rule.Effect{Kind: rule.Fixed, Currency: points, Points: n, Each: each}
	}
	end := midnight(s.options.Now)
	day := func(n int) string { return end.AddDate(0, 0, n).Format(time.DateOnly) }
	for _, r := range []struct {
		rule.Definition
		draft bool
	}{
		{Definition: rule.Definition{
			Code: "bakery-tuesday", NameEN: "Bread on Tuesdays", NameZH: "周二面包日", DescriptionEN: "Double points for all that is baked.", DescriptionZH: "烘焙商品双倍积分。",
			Trigger: sales, Scope: rule.Scope{Categories: []string{"bakery"}}, Effect: times(200), Valid: rule.Valid{Weekdays: []int64{2}},
			Stack: rule.Stack{Group: "times", Base: rule.Initial},
		}},
		{Definition: rule.Definition{
			Code: "birthday-month", NameEN: "Birthday month", NameZH: "生日月三倍积分", DescriptionEN: "Three times the points in the month of the birthday, up to 500.", DescriptionZH: "生日当月三倍积分，最多多得 500。",
			Trigger: sales, Condition: "member.birthday.this_month", Effect: times(300), Caps: rule.Caps{Month: 500},
			Stack: rule.Stack{Group: "times", Base: rule.Initial},
		}},
		{Definition: rule.Definition{
			Code: "leaf-gift", NameEN: "Tea leaves to take home", NameZH: "茶叶加赠", DescriptionEN: "30 points for each tin or box.", DescriptionZH: "每件茶叶加赠 30 积分。",
			Trigger: sales, Scope: rule.Scope{Categories: []string{"goods/leaf"}}, Effect: gift(30, rule.EachPiece), Caps: rule.Caps{Sale: 150},
		}},
		{Definition: rule.Definition{
			Code: "member-day", NameEN: "Member day", NameZH: "每月 8 日会员日", DescriptionEN: "18 points for the first purchase from 30 yuan on the 8th.", DescriptionZH: "每月 8 日首笔满 30 元得 18 积分。",
			Trigger: sales, Condition: `sale.total >= money("30")`, Effect: gift(18, rule.Once), Valid: rule.Valid{MonthDays: []int64{8}}, Caps: rule.Caps{TimesDay: 1},
		}},
		{Definition: rule.Definition{
			Code: "quiet-afternoon", NameEN: "Quiet afternoons", NameZH: "午后闲时", DescriptionEN: "5 points on workdays between two and five, from a budget.", DescriptionZH: "工作日 14–17 点每单 5 积分，预算有限。",
			Trigger: sales, Effect: gift(5, rule.Once), Valid: rule.Valid{Weekdays: []int64{1, 2, 3, 4, 5}, Hours: []rule.Hours{{From: "14:00", Until: "17:00"}}, Until: day(30)},
			Caps: rule.Caps{TimesDay: 1, Budget: 20_000},
		}},
		{Definition: rule.Definition{
			Code: "birthday-gift", NameEN: "Birthday gift", NameZH: "生日礼", DescriptionEN: "88 points on the day, good for a month.", DescriptionZH: "生日当天赠 88 积分，一个月有效。",
			Trigger: rule.Trigger{On: rule.OnBirthday}, Effect: rule.Effect{Kind: rule.Fixed, Currency: points, Points: 88, ExpiresAfter: 30},
		}},
		{draft: true, Definition: rule.Definition{
			Code: "gold-half-more", NameEN: "Half as much again for gold", NameZH: "金卡 1.5 倍积分", DescriptionEN: "To be tried first.", DescriptionZH: "待试算。",
			Trigger: sales, Condition: `member.tier.code == "gold"`, Effect: times(150), Stack: rule.Stack{Group: "times", Base: rule.Initial},
		}},
	} {
		if _, err := s.app.Rules.Create(ctx, r.Definition); err != nil {
			return fmt.Errorf("make rule %s: %w", r.Code, err)
		}
		if r.draft {
			continue
		}
		if _, err := s.app.Rules.Publish(ctx, r.Code, 0, end.AddDate(0, 0, -rulesDays)); err != nil {
			return fmt.Errorf("publish rule %s: %w", r.Code, err)
		}
	}
	return nil
}
