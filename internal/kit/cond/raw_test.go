package cond

import (
	"fmt"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"testing"
)

func TestRaw(t *testing.T) {
	e, err := NewEnv(Config{Decimals: 2, Facts: Standard([]string{"POINTS"}), Attributes: []Attribute{{Key: "size", Type: Number}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`sale.totl > 5`, `sal.total > 5`, `sale.total > "x"`, `member.spent(30) > 5`, `member.spend("x") > 5`, `member.tierr.rank > 1`, `spend(5) > 1`, `sale.total >`, `sale.total > 5 &&`, `sale.total = 5`, `(sale.total > 5`, `sale.total > 5 and now.weekend`, `"abc`, `sale.total && true`, `sale.lines.exists(l, l.skuu == "x")`, `sale.lines.exists(5, true)`, `member.tags.exists(t, u == t)`, `tier.rank > 1`, `1 + "x" == 2`, `sale.total > 5.5`, `sale.store in "x"`, `"x" in sale.store`, `sale.store in ["x", 5]`, `[1,"x"].size() > 1`, `!sale.total`, `sale.lines[0].sku == "x"`, `sale.store.matches("x")`, `timestamp("x") == now`, `member.attributes.siz > 1`, `sale.total > 1 ? true : 5`, `{"a":1}.a == 1`, `Member{} == member`, `null == 1`, `has(sale.total)`, `sale.total > 99999999999999999999`, `for == 1`, `sale.total >= money(sale.store)`, `sale.total > 5 ,`, `sale.store == '中文' && sale.totl > 5`, `line.sku == "x"`, `sale.total.foo`, `sale.total ≥ 5`, `sale.total > 5u`, "member.tags.map(t,t)", `sale.total > 5;`, `sale.store == “x”`, `member.spend(30`, `now.weekday == "2"`, `sale . totl > 1`, ``, `sale.total > 100`, `now.weekday == 9`, `member.gender == "femal"`, `now.festival in ["mid_autum"]`, `now.date > "2026-6-1"`, `member.spend(0) > 1`, `member.spend(now.day) > 1`, `member.points("POINT") > 1`, `member.points("POINTS") > 1 && member.spend(30) + member.spend() > money("5")`, `sale.total / now.day > 1`, `sale.total / 100 > 1`, `sale.lines.map(l, l.amount).sum() > 100`, `sale.total >= money("12.345")`, `sale == sale`, `line.quantity == 2`, `sale.lines.exists(l, l.quantity == 2)`, `sale.lines.exists(a, sale.lines.exists(b, a.sku == b.sku))`, `!(((((((((((((((((((((((((((((((((((((((((((((now.weekend)))))))))))))))))))))))))))))))))))))))))))))`, `now.time > "9:00"`, "sale.total > money(\"5\") &&\n  sale.totl > money(\"6\")"} {

		c, err := e.Compile(s, OfSale)
		if x := errs.As(err); x != nil {
			fmt.Printf("%-40s %s | %s\n      %s\n", s, x.Code, x.Text("en"), x.Text("zh"))
		} else {
			fmt.Printf("%-40s OK %v %v %v\n", s, err, c.Needs(), c.uses)
		}
	}
}
