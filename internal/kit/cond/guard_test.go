package cond

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
)

// parts are what conditions are made of: those that guards know, and others.
var parts = []string{
	`sale.total >= money("100")`, `sale.total < money("123.50")`, `sale.total <= money("123.50")`, `sale.total > money("123.49")`, `money("123.50") >= sale.total`, `money("123.50") < sale.total`, `money("123.50") <= sale.total`, `money("1") > sale.total`, `sale.total != money("123.50")`,
	`sale.channel == "shop"`, `"app" != sale.channel`, `sale.channel in ["shop", "online"]`, `sale.store in []`, `sale.currency < "CNZ"`,
	`"vip" in member.tags`, `"gone" in member.tags`, `!("vip" in member.tags)`, `member.birthday.this_month`, `!member.birthday.today`, `member.birthday.month == 5`,
	`member.tier.rank >= 2`, `member.tier.code in ["gold", "silver"]`, `member.attributes.roast == "dark"`, `member.attributes.parent`, `member.attributes.size > 38.0`, `member.attributes.size >= 38`,
	`member.age in [30, 36]`, `member.joined >= "2025-05-12"`, `now.weekday == 2`, `now.time < "22:00"`, `-1 < member.birthday.in_days`,
	`sale.lines.exists(l, l.brand == "ACME")`, `member.spend(90) >= money("10")`, `sale.paid_by_money * 2 > sale.total`, `member.tags.exists(member, member == "app")`,
	`(sale.till == "T1" || sale.till == "T2")`, `(now.day == 12 && sale.staff == "E07")`, `sale.has_sku("A-100")`, `true`, `false`, `member.language.startsWith("zh")`,
	`sale.total * 900000000000000 * 900 > money("5")`, // past the limits: a failure, beside what does not hold none
}

// What guards say is what CEL says.
func TestGuards(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	asked, failed := 0, 0
	for range 4_000 {
		var list []string
		for range 1 + random.IntN(4) {
			list = append(list, parts[random.IntN(len(parts))])
		}
		c, err := e.Compile(strings.Join(list, " && "), OfSale)
		if err != nil {
			t.Fatalf("%q: %v", list, err)
		}
		for range 3 {
			f := shopFacts()
			m := f.Member
			m.Tags = map[string][]string{"": nil, "a": {"vip"}, "b": {"app", "vip"}}[pick("", "a", "b")]
			m.TierCode, m.TierRank = pick("", "gold", "silver"), random.IntN(4)
			m.BirthMonth, m.BirthDay = random.IntN(13), 1+random.IntN(28)
			m.BirthYear, m.JoinedDay = 1989+random.IntN(2), dayOf(2025, 5, 11+random.IntN(2))
			m.Attributes = map[string]Value{"size": NumberValue(int64(379+random.IntN(3)), 10), "parent": YesNoValue(random.IntN(2) == 0), "roast": TextValue(pick("dark", "light"))}
			f.Sale.Total = []int64{0, 99, 10_000, 12_349, 12_350}[random.IntN(5)]
			f.Sale.Channel, f.Sale.Currency, f.Sale.Till = pick("shop", "app", ""), pick("CNY", "CNZ"), pick("T1", "T3")
			f.Now = NewMoment(time.Date(2026, 5, 12+random.IntN(2), 10+random.IntN(14), 0, 0, 0, shanghai), shanghai)
			want, fault := c.run(f)
			got, err := c.Eval(f)
			if (fault != nil) != (err != nil) || err == nil && types.Bool(got) != want {
				t.Fatalf("%s: %v, %v; CEL says %v, %v", c.Text(), got, err, want, fault)
			}
			if _, known := c.quickly(f); known {
				asked++
			}
			if err != nil {
				failed++
			}
		}
	}
	if asked < 5_000 || failed == 0 {
		t.Errorf("%d of 12000 known without CEL, %d failed", asked, failed)
	}
}
