package cond

import (
	"strings"
	"testing"
)

func TestSay(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, tt := range []struct{ text, en, zh string }{
		{`true`, "always", "始终"},
		{`false`, "never", "从不"},
		{`sale.total >= money("100") && now.weekday == 2`, "What was paid ≥ 100 and Day of the week = Tuesday", "实付金额 ≥ 100，且星期 = 周二"},
		{`member.birthday.this_month`, "It is the month of the member's birthday", "本月生日"},
		{`!now.weekend || "vip" in member.tags`, "not: It is Saturday or Sunday or Tags contains “vip”", "非周末，或标签包含 “vip”"},
		{`!(now.day == 8 && now.hour < 9)`, "not (Day of the month = 8 and Hour < 9)", "非（几号 = 8，且小时 < 9）"},
		{`now.day == 8 && (now.hour < 9 || now.hour > 20)`, "Day of the month = 8 and (Hour < 9 or Hour > 20)", "几号 = 8，且（小时 < 9，或小时 > 20）"},
		{`member.spent_on("coffee", 30) > money("5")`, "What the member paid for a category and those below it (coffee, last 30 days) > 5", "会员在品类及其下级的消费金额（coffee，近 30 天） > 5"},
		{`member.visits() == 0`, "How many purchases the member made (ever) = 0", "会员消费次数（累计） = 0"},
		{`!(sale.store in ["S1", "S2"])`, "Store is none of “S1”, “S2”", "门店不为 “S1”、“S2”"},
		{`member.gender == "female"`, "Gender = Female", "性别 = 女"},
		{`now.festival in ["mid_autumn"]`, "Festival of the Chinese calendar is one of Mid-Autumn Festival", "农历节日与节气为 中秋节 之一"},
		{`size(member.tags) > 1`, "size(member.tags) > 1", "size(member.tags) > 1"},
	} {
		if got := e.Say(tt.text, OfSale); got.EN != tt.en || got.ZH != tt.zh {
			t.Errorf("%s\n got %s | %s\nwant %s | %s", tt.text, got.EN, got.ZH, tt.en, tt.zh)
		}
	}
	for _, w := range e.Vocabulary() { // every operator has words
		for _, o := range w.Operators {
			if said := saidOperators[o]; !strings.Contains(said.EN, "%s") || !strings.Contains(said.ZH, "%s") {
				t.Errorf("no words for %s", o)
			}
		}
	}
}
