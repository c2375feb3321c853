package cond

import "testing"

func TestQuick(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, c := range []struct {
		text, quick string // "" for none
		kind        Kind
		who         bool
	}{
		{`member.birthday.this_month && sale.channel == "app"`, `(sale.channel == "app")`, OfSale, true},
		{`member.spend(90) >= money("100") && (now.weekday == 5 || sale.total > money("1"))`, `(now.weekday == 5 || sale.total > money("1"))`, OfSale, false},
		{`member.tier.rank >= 2 && sale.lines.exists(l, l.quantity >= 3.0) && sale.store == "S001"`, `(sale.lines.exists(l, l.quantity >= 3.0)) && (sale.store == "S001")`, OfSale, false},
		{`sale.total > money("100") && sale.channel == "app"`, "", OfSale, false}, // all of it is quick
		{`member.age >= 18 || sale.channel == "app"`, "", OfSale, true},
		{`!(member.age >= 18 && sale.channel == "app")`, "", OfSale, true},
		{`(member.age >= 18 || sale.channel == "app") && sale.total > money("5")`, `(sale.total > money("5"))`, OfSale, true},
		{`sale.lines.exists(l, l.category == member.city) && sale.channel == "app"`, `(sale.channel == "app")`, OfSale, true},
		{`member.attributes.team == "reds" && event.type == "visit"`, `(event.type == "visit")`, OfEvent, true},
		{`"vip" in member.tags`, "", OfMember, true},
		{`member.points("POINTS") > 100 && member.visits(30) > 2`, "", OfMember, false},
	} {
		full, err := e.Compile(c.text, c.kind)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		got := ""
		if q := full.Quick(); q != nil {
			got = q.Text()
		}
		if got != c.quick {
			t.Errorf("%s: quick is %s, want %s", c.text, got, c.quick)
		}
		if full.AsksWho() != c.who {
			t.Errorf("%s: asks who the member is: %v", c.text, full.AsksWho())
		}
	}
}

// What Quick rules out, the condition rules out too, on any facts.
func TestQuickRulesOut(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	sales := []string{`sale.total > money("100")`, `sale.channel == "app"`, `sale.channel == "shop"`, `sale.lines.exists(l, l.brand == "ACME")`, `sale.total * 9000000000 > money("1")`, `now.weekday == 2`, `!(sale.store == "S001")`}
	members := []string{`member.age > 30`, `"vip" in member.tags`, `member.points("POINTS") > 1000`, `member.points("POINTS") * 9000000000000000 * 9000 > 5`}
	out := 0
	for _, a := range sales {
		for _, b := range members {
			for _, c := range sales {
				full, err := e.Compile(a+" && "+b+" && ("+c+" || false)", OfSale)
				if err != nil {
					t.Fatal(err)
				}
				q := full.Quick()
				if q == nil {
					t.Fatalf("%s: nothing is quick", full.Text())
				}
				f := shopFacts()
				f.Member = &Member{} // nothing is known yet
				f.Found = nil
				if holds, err := q.Eval(f); err != nil || holds {
					continue
				}
				out++
				if holds, err := full.Eval(shopFacts()); holds || err != nil {
					t.Errorf("%s: %v, %v, and %s does not hold", full.Text(), holds, err, q.Text())
				}
			}
		}
	}
	if out == 0 {
		t.Error("nothing was ruled out")
	}
}
