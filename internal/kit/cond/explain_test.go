package cond

import (
	"slices"
	"testing"
)

// Only what decided is told, with what it looked at, in the order of the text.
func TestExplain(t *testing.T) {
	t.Parallel()
	e, f := shopEnv(t), shopFacts()
	for _, tt := range []struct {
		text  string
		holds bool
		want  []Step
	}{
		{`sale.total >= money("100") && now.weekday == 2`, true, []Step{
			{`sale.total >= money("100")`, "123.50", true}, {`now.weekday == 2`, "2", true}}},
		{`sale.total >= money("200") && now.weekday == 2`, false, []Step{{`sale.total >= money("200")`, "123.50", false}}},
		{`now.weekday == 2 && sale.total >= money("200")`, false, []Step{{`sale.total >= money("200")`, "123.50", false}}},
		{`now.weekday == 1 || sale.total >= money("100")`, true, []Step{{`sale.total >= money("100")`, "123.50", true}}},
		{`now.weekday == 1 || now.day == 8`, false, []Step{{`now.weekday == 1`, "2", false}, {`now.day == 8`, "12", false}}},
		{`!(now.weekday == 2 || now.day == 8)`, false, []Step{{`now.weekday == 2`, "2", true}}},
		{`!now.weekend`, true, []Step{{`!now.weekend`, "false", true}}},
		{`!("staff" in member.tags)`, true, []Step{{`!("staff" in member.tags)`, "[vip app]", true}}},
		{`member.birthday.this_month`, true, []Step{{`member.birthday.this_month`, "true", true}}},
		{`member.spend(90) >= money("1000")`, false, []Step{{`member.spend(90) >= money("1000")`, "999.00", false}}},
		{`member.spend(90) + sale.total >= money("1000")`, true, []Step{{`member.spend(90) + sale.total >= money("1000")`, "1122.50", true}}},
		{`member.birthday.month == now.month`, true, []Step{{`member.birthday.month == now.month`, "5, 5", true}}},
		{`sale.store in ["S001", "S002"]`, true, []Step{{`sale.store in ["S001", "S002"]`, `"S001"`, true}}},
		{`sale.lines.exists(l, l.brand == "ACME")`, true, []Step{{`sale.lines.exists(l, l.brand == "ACME")`, "true", true}}},
		{`member.attributes.size > 38`, true, []Step{{`member.attributes.size > 38`, "38.5", true}}},
		{`now.weekend ? sale.total > 0 : now.day == 12`, true, []Step{{`now.weekend`, "false", false}, {`now.day == 12`, "12", true}}},
		{`(now.day == 12 || now.day == 13) && (now.hour < 3 || now.hour > 13)`, true, []Step{{`now.day == 12`, "12", true}, {`now.hour > 13`, "14", true}}},
		{`true`, true, nil},
	} {
		c, err := e.Compile(tt.text, OfSale)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		holds, steps, err := c.Explain(f)
		if err != nil || holds != tt.holds || !slices.Equal(steps, tt.want) {
			t.Errorf("%s = %v, %v\n got %+v\nwant %+v", tt.text, holds, err, steps, tt.want)
		}
	}
}

// A long text or list is cut: traces are kept by the million.
func TestExplainIsSmall(t *testing.T) {
	t.Parallel()
	f := shopFacts()
	for range 100 {
		f.Member.Tags = append(f.Member.Tags, "标签")
	}
	c, err := shopEnv(t).Compile(`"x" in member.tags`, OfSale)
	if err != nil {
		t.Fatal(err)
	}
	if _, steps, err := c.Explain(f); err != nil || len(steps) != 1 || len([]rune(steps[0].Value)) != maxShown+1 {
		t.Errorf("%v, %v", steps, err)
	}
}
