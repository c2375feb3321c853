package cond

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Each text has one mistake. The refusal names its kind, its place and, where one is near,
// the name that was meant.
func TestRefusals(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, tt := range []struct {
		text         string
		want         *errs.Error
		line, column int
		says         string // in the English text
	}{
		{"", ErrEmpty, 0, 0, "Write true"},
		{" \n ", ErrEmpty, 0, 0, "Write true"},
		{strings.Repeat("界", maxText+1), ErrLong, 0, 0, "8001 characters"},

		{`sale.total >`, ErrSyntax, 1, 13, "something is missing"},
		{`(sale.total > 0`, ErrSyntax, 1, 16, "a ) is missing"},
		{`sale.channel = "shop"`, ErrSyntax, 1, 14, "write == to compare"},
		{`now.weekend and now.day == 8`, ErrSyntax, 1, 13, "write && for and"},
		{`now.weekend or now.day == 8`, ErrSyntax, 1, 13, "write || for or"},
		{`not now.weekend`, ErrSyntax, 1, 5, "expected was &&, || or the end"},
		{`now.hour ≥ 5`, ErrSyntax, 1, 10, "write >="},
		{`sale.store == “x”`, ErrSyntax, 1, 15, "straight quotes"},
		{`sale.store == "x`, ErrSyntax, 1, 15, "not closed"},
		{`now.day == 99999999999999999999`, ErrSyntax, 1, 12, "too large"},
		{`for == 1`, ErrSyntax, 1, 1, "reserved"},
		{`sale.lines.exists(5, true)`, ErrSyntax, 1, 19, "give each of the list a name"},

		{`sal.total > 0`, ErrName, 1, 1, "Did you mean sale?"},
		{`mebmer.age > 5`, ErrName, 1, 1, "Did you mean member?"},
		{`tier.rank > 1`, ErrName, 1, 1, "Did you mean member.tier?"},
		{`spend(5) > 1`, ErrName, 1, 1, "Did you mean member.spend(days)?"},
		{`line.sku == "x"`, ErrName, 1, 1, "of the kind line"},
		{`event.type == "x"`, ErrName, 1, 1, "of the kind event"},
		{`sale.store.contain("x")`, ErrName, 1, 12, "Did you mean contains?"},
		{`sale.store.matches("x")`, ErrName, 1, 12, "no matches()"},
		{`maxx(1, 2) > 1`, ErrName, 1, 1, "Did you mean max?"},
		{`timestamp("2026-01-01T00:00:00Z") == 1`, ErrName, 1, 1, "no timestamp()"},

		{`sale.totl > 0`, ErrField, 1, 6, "Did you mean sale.total?"},
		{`now.day == 8 && sale.totl > 0`, ErrField, 1, 22, "Did you mean sale.total?"},
		{"now.day == 8 &&\n  sale . totl > 0", ErrField, 2, 10, "Did you mean sale.total?"},
		{`sale.store == "中文店" && sale.totl > 0`, ErrField, 1, 29, "Did you mean sale.total?"},
		{`member.tierr.rank > 1`, ErrField, 1, 8, "Did you mean member.tier?"},
		{`member.tier.rnak > 1`, ErrField, 1, 13, "Did you mean member.tier.rank?"},
		{`member.attributes.siez > 1.0`, ErrField, 1, 19, "Did you mean member.attributes.size?"},
		{`member.spnd(30) > 0`, ErrField, 1, 8, "Did you mean member.spend(days)?"},
		{`sale.lines.exists(l, l.skuu == "x")`, ErrField, 1, 24, "Did you mean line.sku?"},
		{`sale.lines.filter(l, l.amount > 0).exists(k, k.brnd == "x")`, ErrField, 1, 48, "Did you mean line.brand?"},
		{`sale.zzzzzzzz == 1`, ErrField, 1, 6, "sale has no zzzzzzzz."},
		{`sale.total.cents > 1`, ErrField, 1, 12, "a whole number has no cents"},

		{`sale.store > 5`, ErrType, 1, 12, "a text > a whole number does not fit"},
		{`now.weekday == "2"`, ErrType, 1, 13, "both sides have to be of one type"},
		{`member.attributes.size == 2`, ErrType, 1, 24, "as 2.0"},
		{`now.day && true`, ErrType, 1, 5, "expected was yes/no"},
		{`!now.day`, ErrType, 1, 1, "expected was yes or no"},
		{`member.spend("x") > 0`, ErrType, 1, 8, "write member.spend(days)"},
		{`member.points() > 0`, ErrType, 1, 8, `write member.points("currency of points")`},
		{`"vip" in member.city`, ErrType, 1, 7, "expected was a list on the right"},
		{`sale.store in ["a", 5]`, ErrType, 1, 15, "texts only, or numbers only"},
		{`sale.store + "x" == "y"`, ErrType, 1, 12, "numbers of one kind"},
		{`sale.lines[0].sku == "x"`, ErrType, 1, 11, "no such operation"},
		{`sale == sale`, ErrType, 1, 6, "compare its fields"},
		{`sale.lines == sale.lines`, ErrType, 1, 12, "compare its fields"},
		{`member.tags != []`, ErrType, 1, 13, "compare its fields"},
		{`{"a": 1}.a == 1`, ErrType, 1, 1, "conditions know texts"},
		{`null == null`, ErrType, 1, 1, "conditions know texts"},
		{`b"x" == b"x"`, ErrType, 1, 1, "conditions know texts"},
		{`now.day > 1 ? true : 5`, ErrType, 1, 13, "the same type on both sides"},
		{`sale.store == "` + strings.Repeat("x", maxLiteral+1) + `"`, ErrType, 1, 15, "at most 500 characters"},

		{`sale.total`, ErrResult, 0, 0, "This gives a whole number, expected was a condition"},
		{`member.tags`, ErrResult, 0, 0, "a list of texts"},

		{`sale.total > 100`, ErrMoney, 1, 14, `sale.total is an amount of money; write it as money("100")`},
		{`100 < sale.total`, ErrMoney, 1, 1, `money("100")`},
		{`sale.total == 99.5`, ErrType, 1, 12, "as 2.0"},
		{`sale.total > 99.5`, ErrMoney, 1, 14, `money("99.5")`},
		{`sale.total - 5 > 0`, ErrMoney, 1, 14, `money("5")`},
		{`max(sale.total, 5) > 0`, ErrMoney, 1, 17, `money("5")`},
		{`member.spend(30) * 2 >= 500`, ErrMoney, 1, 25, `money("500")`},
		{`sale.lines.map(l, l.amount).sum() > 5`, ErrMoney, 1, 37, `money("5")`},
		{`sale.lines.filter(l, l.brand == "x").map(l, l.amount).sum() > 5`, ErrMoney, 1, 63, `money("5")`},
		{`sale.lines.exists(l, l.unit_price > 5)`, ErrMoney, 1, 37, `money("5")`},

		{`now.weekday == 0`, ErrValue, 1, 16, "it runs from 1 to 7"},
		{`now.month in [1, 13]`, ErrValue, 1, 18, "it runs from 1 to 12"},
		{`member.gender == "femal"`, ErrValue, 1, 18, "Did you mean female?"},
		{`now.festival in ["qixi", "mid_autum"]`, ErrValue, 1, 26, "Did you mean mid_autumn?"},
		{`member.attributes.roast == "drak"`, ErrValue, 1, 28, "Did you mean dark?"},
		{`member.points("POINT") > 0`, ErrValue, 1, 15, "Did you mean POINTS?"},
		{`now.date > "2026-6-1"`, ErrValue, 1, 12, "write a date as 2026-03-01"},
		{`now.date > "2026-02-30"`, ErrValue, 1, 12, "write a date as 2026-03-01"},
		{`now.time > "9:00"`, ErrValue, 1, 12, "write a time as 09:30"},

		{`member.spend(now.day) > 0`, ErrConstant, 1, 18, "member.spend(days) takes a fixed value"},
		{`member.spend(0) > 0`, ErrConstant, 1, 14, "1 to 3660 days"},
		{`member.spend(-1) > 0`, ErrConstant, 1, 14, "1 to 3660 days"},
		{`member.spend(3661) > 0`, ErrConstant, 1, 14, "1 to 3660 days"},
		{`member.bought(sale.store, 3) > 0.0`, ErrConstant, 1, 20, "category"},
		{`member.events("", 3) > 0`, ErrValue, 1, 15, "type of event"},
		{`sale.total > money(sale.store)`, ErrConstant, 1, 14, `an amount as money("12.50")`},
		{`sale.total > money("12.345")`, ErrConstant, 1, 14, `an amount as money("12.50")`},
		{`sale.total > money("1e3")`, ErrConstant, 1, 14, `an amount as money("12.50")`},
		{`sale.total > money("1,000")`, ErrConstant, 1, 14, `an amount as money("12.50")`},
		{`sale.total > money("--5")`, ErrConstant, 1, 14, `an amount as money("12.50")`},
		{`sale.total > money("-+5")`, ErrConstant, 1, 14, `an amount as money("12.50")`},

		{`sale.total / now.day > 1`, ErrDivisor, 1, 12, "other than 0"},
		{`sale.total / 0 > 1`, ErrDivisor, 1, 12, "other than 0"},
		{`sale.total % 0 > 1`, ErrDivisor, 1, 12, "other than 0"},
		{`sale.number("a") / 0.0 > 1.0`, ErrDivisor, 1, 18, "other than 0"},

		{strings.Repeat("(", 60) + "now.weekend" + strings.Repeat(")", 60), ErrDeep, 0, 0, "at most 40 deep"},
		{"now.weekend" + strings.Repeat(" ? true : (now.weekend", 50) + " ? true : false" + strings.Repeat(")", 50), ErrDeep, 0, 0, "too large"},
		{"now.day in [" + strings.Repeat("1,", 2_500) + "1]", ErrDeep, 0, 0, "at most 2000 parts"},
		{`sale.lines.exists(a, sale.lines.exists(b, a.sku == b.sku && a.name != b.name))`, ErrCost, 0, 0, "only once"},
		{`sale.lines.all(a, sale.lines.exists(b, sale.lines.exists(c, true)))`, ErrCost, 0, 0, "only once"},
	} {
		c, err := e.Compile(tt.text, OfSale)
		got := errs.As(err)
		if c != nil || !errors.Is(err, tt.want) || got == nil {
			t.Errorf("%.60s: %v, want %s", tt.text, err, tt.want.Code)
			continue
		}
		if line, column := Where(err); line != tt.line || column != tt.column {
			t.Errorf("%.60s: at %d:%d, want %d:%d", tt.text, line, column, tt.line, tt.column)
		}
		if en := got.Text("en"); !strings.Contains(en, tt.says) || strings.Contains(en, "{") && !strings.Contains(tt.text, "{") {
			t.Errorf("%.60s: says %q, want %q", tt.text, en, tt.says)
		}
		if zh := got.Text("zh-CN"); !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || zh == got.Text("en") {
			t.Errorf("%.60s: no Chinese in %q", tt.text, zh)
		}
	}
}

// What CEL says in words of its own does not reach people.
func TestNoForeignWords(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, text := range []string{
		`a.b.c.d`, `member.tags.all(1)`, `sale.lines.map(l)`, `[1, [2]] == 3`, `-"x" == 1`, `1 == 1u`, `now.day ? 1 : 2`, `size(5) > 1`,
		`member.tags.exists(t, t > 1)`, `[].exists(x, x)`, `member.tags.map(t, t == "x", t)`, `sale.has_sku(5)`, `min(1, 2.0) > 1`, `has(member.age)`,
	} {
		_, err := e.Compile(text, OfSale)
		it := errs.As(err)
		if it == nil {
			continue // some are fine
		}
		for _, word := range []string{"overload", "undeclared", "undefined", "expression", "int64", "_"} {
			if strings.Contains(strings.ReplaceAll(it.Text("en"), "has_sku", ""), word) {
				t.Errorf("%s: %q", text, it.Text("en"))
			}
		}
	}
}

// Each condition is one question of the same member, sale and moment.
func TestEval(t *testing.T) {
	t.Parallel()
	e, f := shopEnv(t), shopFacts()
	for _, tt := range []struct {
		kind Kind
		text string
		want bool
	}{
		{OfMember, `true`, true},
		{OfMember, `member.number == "8000123" && member.status == "active"`, true},
		{OfMember, `"vip" in member.tags`, true},
		{OfMember, `"VIP" in member.tags`, false},
		{OfMember, `member.tags.exists(t, t.startsWith("ap"))`, true},
		{OfMember, `size(member.tags) == 2`, true},
		{OfMember, `member.gender == "female" && member.birth_year == 1990`, true},
		{OfMember, `member.age == 35`, true}, // 36 in eight days
		{OfMember, `member.birthday.month == now.month && member.birthday.day == 20`, true},
		{OfMember, `member.birthday.this_month && !member.birthday.today && member.birthday.in_days == 8`, true},
		{OfMember, `member.joined == "2025-05-12" && member.days_since_joining == 365`, true},
		{OfMember, `member.city == "310000" && member.language.startsWith("zh") && member.store == "S001" && member.source == "wechat"`, true},
		{OfMember, `member.tier.code == "gold" && member.tier.rank == 3`, true},
		{OfMember, `member.attributes.size >= 38 && member.attributes.size < 39`, true},
		{OfMember, `member.attributes.size == 38.5`, true},
		{OfMember, `member.attributes.parent && member.attributes.wedding < "2020-01-01" && member.attributes.roast == "dark"`, true},
		{OfMember, `member.attributes.team == ""`, true}, // not given: the default
		{OfMember, `member.points("POINTS") == 320`, true},
		{OfMember, `member.spend(90) == money("999") && member.spend() == money("2500")`, true},
		{OfMember, `member.visits(30) >= 5`, true},
		{OfMember, `member.bought("coffee", 30) == 12.5`, true},
		{OfMember, `member.spent_on("coffee", 365) == 0`, true}, // the zero Value is the default
		{OfMember, `now.date == "2026-05-12" && now.time == "14:30" && now.year == 2026 && now.month == 5 && now.day == 12`, true},
		{OfMember, `now.weekday == 2 && now.nth == 2 && !now.weekend && now.hour == 14 && now.minute == 30`, true},
		{OfMember, `now.last_of_month`, false},
		{OfMember, `now.lunar_month == 3 && now.lunar_day == 26 && !now.lunar_leap && now.festival == ""`, true},
		{OfSale, `sale.total == money("123.50") && sale.total >= money("123.5") && sale.total < money("123.51")`, true},
		{OfSale, `sale.paid_by_points == money("5") && sale.paid_by_coupons == money("10") && sale.paid_by_money == money("108.50")`, true},
		{OfSale, `sale.currency == "CNY" && sale.store in ["S002", "S001"] && sale.merchant == "M1" && sale.channel != "online"`, true},
		{OfSale, `sale.till == "T1" && sale.staff == "E07" && sale.source == "till" && sale.document.endsWith("-1")`, true},
		{OfSale, `sale.amount_of("drinks/coffee") == money("123.50") && sale.amount_of("drinks/coffee/latte") == money("60") && sale.amount_of("drinks/cof") == 0 && sale.amount_of("tea") == 0`, true},
		{OfSale, `sale.pieces_of("drinks/coffee") == 2.5`, true},
		{OfSale, `sale.has_sku("B-7") && !sale.has_sku("B-8")`, true},
		{OfSale, `sale.text("campaign") == "spring" && sale.number("guests") >= 4 && sale.flag("delivery") && sale.has("guests")`, true},
		{OfSale, `sale.text("guests") == "" && sale.number("campaign") == 0.0 && !sale.flag("none") && !sale.has("none")`, true},
		{OfSale, `sale.lines.exists(l, l.brand == "ACME" && l.quantity >= 2)`, true},
		{OfSale, `sale.lines.exists(l, l.flag("gift") && l.sku == "B-7")`, true},
		{OfSale, `sale.lines.all(l, l.in_category("drinks"))`, true},
		{OfSale, `sale.lines.exists_one(l, l.category == "drinks/coffee")`, true},
		{OfSale, `sale.lines.filter(l, l.brand == "ACME").map(l, l.amount).sum() == money("60")`, true},
		{OfSale, `size(sale.lines) == 2 && size(sale.lines.filter(l, l.quantity < 1)) == 1`, true},
		{OfSale, `(sale.total > money("200") ? 2 : 1) == 1`, true},
		{OfSale, `max(now.day, 20) == 20 && min(now.day, 20) == 12 && int(2.9) == 2 && double(2) == 2.0`, true},
		{OfLine, `line.sku == "A-100" && line.name.contains("att") && line.category == "drinks/coffee/latte" && line.brand == "ACME"`, true},
		{OfLine, `line.quantity == 2.0 && line.amount == money("60") && line.unit_price == money("30")`, true},
		{OfLine, `line.in_category("drinks/coffee") && line.in_category("drinks") && !line.in_category("drinks/coffee/latte/x") && !line.in_category("")`, true},
		{OfLine, `sale.total > line.amount`, true},
		{OfEvent, `event.type == "visit" && event.number("guests") == 2.0 && !event.has("other")`, true},
	} {
		c, err := e.Compile(tt.text, tt.kind)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got, err := c.Eval(f); err != nil || got != tt.want {
			t.Errorf("%s = %v, %v", tt.text, got, err)
		}
	}
}

// Where the catalogue is at hand, it says what lies below what.
func TestUnder(t *testing.T) {
	t.Parallel()
	c, err := shopEnv(t).Compile(`line.in_category("cat_7") && sale.amount_of("cat_7") == money("60")`, OfLine)
	if err != nil {
		t.Fatal(err)
	}
	f := shopFacts()
	f.Under = func(category, ancestor string) bool { return category == "drinks/coffee/latte" && ancestor == "cat_7" }
	if got, err := c.Eval(f); err != nil || !got {
		t.Errorf("Eval = %v, %v", got, err)
	}
}

func TestAmount(t *testing.T) {
	t.Parallel()
	e, f := shopEnv(t), shopFacts()
	for text, want := range map[string]int64{
		`50`:                                50,
		`sale.total / 100`:                  123,
		`min(sale.total / 100 * 3, 200)`:    200,
		`-sale.total`:                       -12_350,
		`sale.total % 100`:                  50,
		`now.weekday == 2 ? 20 : 10`:        20,
		`sale.lines.map(l, l.amount).sum()`: 12_350,
		`int(sale.pieces_of("drinks/coffee") * 10.0)`: 25,
		`money("-0.05")`: -5,
	} {
		c, err := e.CompileAmount(text, OfSale)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := c.Amount(f); err != nil || got != want {
			t.Errorf("%s = %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := e.CompileAmount(`now.weekend`, OfSale); !errors.Is(err, ErrResult) {
		t.Errorf("a condition as an amount: %v", err)
	}
}

// What fails does so with an error, and never with a panic or a silent default.
func TestEvalFails(t *testing.T) {
	t.Parallel()
	e := shopEnv(t)
	for _, tt := range []struct {
		name string
		text string
		kind Kind
		edit func(*Facts)
		want *errs.Error
	}{
		{"overflow", `sale.total * 9223372036854775807 > 0`, OfSale, func(*Facts) {}, ErrEval},
		{"overflow of a sum", `sale.lines.map(l, 9223372036854775807).sum() > 1`, OfSale, func(*Facts) {}, ErrEval},
		{"a fact that was not loaded", `member.spend(91) > 0`, OfSale, func(*Facts) {}, ErrFacts},
		{"a fact of another type", `member.spend(90) > 0`, OfSale, func(f *Facts) { f.Found[Need{Fact: FactSpend, Days: 90}] = TextValue("x") }, ErrFacts},
		{"no member", `true`, OfMember, func(f *Facts) { f.Member = nil }, ErrFacts},
		{"no moment", `true`, OfMember, func(f *Facts) { f.Now = Moment{} }, ErrFacts},
		{"no sale", `true`, OfSale, func(f *Facts) { f.Sale = nil }, ErrFacts},
		{"no line", `true`, OfLine, func(f *Facts) { f.Line = nil }, ErrFacts},
		{"no event", `true`, OfEvent, func(f *Facts) { f.Event = nil }, ErrFacts},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := e.Compile(tt.text, tt.kind)
			if err != nil {
				t.Fatal(err)
			}
			f := shopFacts()
			tt.edit(f)
			if got, err := c.Eval(f); got || !errors.Is(err, tt.want) {
				t.Errorf("Eval = %v, %v", got, err)
			}
			if got, _, err := c.Explain(f); got || !errors.Is(err, tt.want) {
				t.Errorf("Explain = %v, %v", got, err)
			}
		})
	}
}

// A sale of many more lines than the estimate reckons with is stopped by the cost limit.
func TestCostLimit(t *testing.T) {
	t.Parallel()
	c, err := shopEnv(t).Compile(`sale.lines.all(l, l.name.contains("a") || l.sku != "b")`, OfSale)
	if err != nil {
		t.Fatal(err)
	}
	f := shopFacts()
	f.Sale.Lines = make([]Line, maxLines)
	if got, err := c.Eval(f); err != nil || !got {
		t.Errorf("at the bound: %v, %v", got, err)
	}
	f.Sale.Lines = make([]Line, 500*maxLines)
	if _, err := c.Eval(f); !errors.Is(err, ErrEval) || !strings.Contains(err.Error(), "too long") {
		t.Errorf("far past the bound: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	c, err := shopEnv(t).Compile(`member.visits(30) > 1 || member.spend(30) + member.spend() > money("5") && member.visits(30) < 9
		|| member.bought("tea", 7) > 1 || sale.lines.exists(l, l.sku == "A" && member.points("GROWTH") > 1)`, OfSale)
	if err != nil {
		t.Fatal(err)
	}
	want := []Need{
		{FactBought, "tea", 7}, {FactPoints, "GROWTH", 0}, {FactSpend, "", 0}, {FactSpend, "", 30}, {FactVisits, "", 30},
	}
	if !slices.Equal(c.Needs(), want) {
		t.Errorf("Needs = %v, want %v", c.Needs(), want)
	}
	for name, want := range map[string]bool{"line.sku": true, "sale.lines": true, "member.spend": true, "member.points": true, "sale.total": false, "line.brand": false} {
		if c.Uses(name) != want {
			t.Errorf("Uses(%s) = %v", name, !want)
		}
	}
	if c.AST() == nil || !c.AST().IsChecked() || c.Kind() != OfSale || !strings.HasPrefix(c.Text(), "member.visits") {
		t.Error("the condition does not tell what it is")
	}
}

// A fact that a noun declares is a word like all others.
func TestOwnFact(t *testing.T) {
	t.Parallel()
	churn := Fact{Name: "member.churn_risk", Type: Number, EN: "Risk of losing the member", ZH: "流失风险", Example: `member.churn_risk() > 0.5`}
	e, err := NewEnv(Config{Facts: []Fact{churn}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Compile(churn.Example, OfMember)
	if err != nil {
		t.Fatal(err)
	}
	f := shopFacts()
	f.Found[Need{Fact: churn.Name}] = NumberValue(75, 100)
	if got, err := c.Eval(f); err != nil || !got || !slices.Equal(c.Needs(), []Need{{Fact: churn.Name}}) {
		t.Errorf("Eval = %v, %v; Needs = %v", got, err, c.Needs())
	}
	if _, err := NewEnv(Config{Facts: []Fact{churn, churn}}); err == nil {
		t.Error("two facts of one name")
	}
	if _, err := NewEnv(Config{Facts: []Fact{{Name: "sale.x"}}}); err == nil {
		t.Error("a fact that is not of member")
	}
}

// One condition, one set of facts, many goroutines.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	e, f := shopEnv(t), shopFacts()
	c, err := e.Compile(`sale.lines.exists(l, l.brand == "ACME") && member.spend(90) >= money("999") && sale.total > 0`, OfSale)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 50 {
				if got, err := c.Eval(f); err != nil || !got {
					t.Errorf("Eval = %v, %v", got, err)
				}
				if got, steps, err := c.Explain(f); err != nil || !got || len(steps) != 3 {
					t.Errorf("Explain = %v, %v, %v", got, steps, err)
				}
			}
		})
	}
	group.Wait()
}

// The money of a currency without decimals has none.
func TestMoney(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text     string
		decimals int
		want     int64
		ok       bool
	}{
		{"12.50", 2, 1_250, true}, {"12.5", 2, 1_250, true}, {"12", 2, 1_200, true}, {"0.05", 2, 5, true}, {"-1", 2, -100, true},
		{"100", 0, 100, true}, {"100.5", 0, 0, false}, {"12.345", 2, 0, false}, {"", 2, 0, false}, {".5", 2, 0, false}, {"5.", 2, 0, false},
		{"1 000", 2, 0, false}, {"+5", 2, 0, false}, {"1.+5", 2, 0, false}, {"9999999999999", 2, 0, false}, {"１２", 2, 0, false},
	} {
		n, ok := parseMoney(tt.text, tt.decimals)
		if n != tt.want || ok != tt.ok {
			t.Errorf("parseMoney(%q, %d) = %d, %v", tt.text, tt.decimals, n, ok)
		}
	}
	for n, want := range map[int64]string{0: "0.00", 5: "0.05", -5: "-0.05", 1_250: "12.50", -123_456: "-1234.56"} {
		if got := formatMoney(n, 2); got != want {
			t.Errorf("formatMoney(%d) = %s", n, got)
		}
	}
	if got := formatMoney(-120, 0); got != "-120" {
		t.Errorf("formatMoney of yen = %s", got)
	}
}

// A price of one piece is rounded down, of fractions of a piece and of large amounts too.
func TestUnitPrice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ amount, milli, want int64 }{
		{1_000, 3_000, 333}, {6_350, 500, 12_700}, {999, 1_000, 999}, {1, 3_000, 0}, {500, 0, 0}, {1_000_000_000_000, 1, 1_000_000_000_000_000}, {1_000_000_000_000, 7, 142_857_142_857_142},
	} {
		l := Line{Amount: tt.amount, Milli: tt.milli}
		if got := l.unitPrice(); got != tt.want {
			t.Errorf("%d for %d thousandths: %d, want %d", tt.amount, tt.milli, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "abc", 0}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"ab", "abc", 1}, {"kitten", "sitting", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("from %q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// Birthdays at the edges of the calendar.
func TestBirthday(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		year, month, day int
		today            string
		age, in          int64
	}{
		{"the day itself", 1990, 5, 12, "2026-05-12", 36, 0},
		{"the day before", 1990, 5, 13, "2026-05-12", 35, 1},
		{"the day after", 1990, 5, 11, "2026-05-12", 36, 364},
		{"29 February in a leap year", 2000, 2, 29, "2028-02-29", 28, 0},
		{"29 February in another", 2000, 2, 29, "2026-02-28", 26, 0},
		{"on 28 February of a leap year", 2000, 2, 29, "2028-02-28", 27, 1},
		{"over new year", 1990, 1, 1, "2026-12-31", 36, 1},
		{"no year", 0, 5, 12, "2026-05-12", 0, 0},
		{"only the year", 1990, 0, 0, "2026-05-12", 36, -1},
		{"nothing", 0, 0, 0, "2026-05-12", 0, -1},
		{"born today", 2026, 5, 12, "2026-05-12", 0, 0},
	} {
		at, err := time.ParseInLocation(time.DateOnly, tt.today, shanghai)
		if err != nil {
			t.Fatal(err)
		}
		f := &Facts{Member: &Member{BirthYear: tt.year, BirthMonth: tt.month, BirthDay: tt.day}, Now: NewMoment(at, shanghai)}
		if age, in := f.age(), f.birthdayIn(); age != tt.age || in != tt.in {
			t.Errorf("%s: age %d, in %d days, want %d, %d", tt.name, age, in, tt.age, tt.in)
		}
	}
}
