package rule

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

var shopWords = func() *cond.Env {
	env, err := cond.NewEnv(cond.Config{Decimals: 2, Facts: cond.Standard([]string{"points", "growth"})})
	if err != nil {
		panic(err)
	}
	return env
}()

func pathUnder(category, ancestor string) bool {
	rest, ok := strings.CutPrefix(category, ancestor)
	return ok && ancestor != "" && (rest == "" || rest[0] == '/')
}

type fataler interface {
	Helper()
	Fatal(...any)
}

// setOf compiles definitions into a set that counts.
func setOf(t fataler, groups []Group, defs ...Definition) *Set {
	t.Helper()
	s := newSnapshot(&book{groups: groups}, shopWords, shanghai, pathUnder)
	var list []*compiled
	for i := range defs {
		d := &defs[i]
		if d.Trigger.On == "" {
			d.Trigger.On = OnSale
		}
		d.NameEN = "Rule " + d.Code
		if err := d.check(shanghai); err != nil {
			t.Fatal(d.Code, err)
		}
		c := s.compile(d, int64(i+1), 1)
		if c.fault != nil && !strings.HasPrefix(d.Code, "broken") {
			t.Fatal(d.Code, c.fault)
		}
		list = append(list, c)
	}
	return newSet(list, s)
}

// basket is a sale on Tuesday, 12 May 2026, at half past two, of a member whose birthday is in
// that month.
func basket(lines ...cond.Line) *cond.Facts {
	s := &cond.Sale{Currency: "CNY", Store: "S1", Channel: "store", Lines: lines}
	for _, l := range lines {
		s.Total += l.Amount
	}
	return &cond.Facts{
		Member: &cond.Member{BirthMonth: 5, BirthDay: 20, TierCode: "gold", TierRank: 3}, Sale: s, Under: pathUnder,
		Now: cond.NewMoment(time.Date(2026, 5, 12, 14, 30, 0, 0, shanghai), shanghai),
	}
}

func line(sku, category string, amount int64) cond.Line {
	return cond.Line{SKU: sku, Category: category, Brand: "ACME", Milli: 1000, Amount: amount}
}

// baseOf is what one point for each yuan gives, by line.
func baseOf(f *cond.Facts) []Base {
	w := make([]int64, len(f.Sale.Lines))
	for i, l := range f.Sale.Lines {
		w[i] = l.Amount
	}
	return []Base{{"points", money.Split(f.Sale.Total/100, w)}}
}

// got evaluates a sale and returns what each rule gave, by code.
func got(set *Set, f *cond.Facts, r reckoning) map[string]int64 {
	out := map[string]int64{}
	for _, o := range set.plan(f, OnSale, false).ask(f.Member).decide(f, r) {
		if o.chosen && o.Amount > 0 {
			out[o.def.Code] = o.Amount
		}
	}
	return out
}

func points(n int64) Effect { return Effect{Kind: Fixed, Currency: "points", Points: n} }

// A coffee shop's programme: each rule alone and together, by hand.
func TestCoffeeShop(t *testing.T) {
	t.Parallel()
	times := func(percent int64) Effect { return Effect{Kind: Multiplier, Currency: "points", Percent: percent} }
	rules := []Definition{
		{Code: "tuesday", Effect: times(200), Valid: Valid{Weekdays: []int64{2}}, Stack: Stack{Stage: 1, Base: Initial}},
		{Code: "birthday", Effect: times(300), Condition: "member.birthday.this_month", Caps: Caps{Month: 500}, Stack: Stack{Stage: 1, Base: Initial}},
		{Code: "beans", Effect: points(50), Scope: Scope{Categories: []string{"beans"}}, Stack: Stack{Stage: 2}},
		{Code: "gold", Effect: times(150), Condition: `member.tier.code == "gold"`, Stack: Stack{Stage: 3}},
		{Code: "eighth", Effect: points(8), Valid: Valid{MonthDays: []int64{8}}},
		{Code: "growth", Effect: Effect{Kind: PerAmount, Currency: "growth", Points: 2, Per: 300}},
	}
	for _, tt := range []struct {
		name  string
		facts func() *cond.Facts
		use   *Use
		want  map[string]int64
	}{
		{"tuesday, birthday, gold", func() *cond.Facts { return basket(line("A", "drinks", 10_000)) }, nil,
			map[string]int64{"tuesday": 100, "birthday": 200, "gold": 200, "growth": 66}}, // gold: half of 100 + 100 + 200
		{"with beans", func() *cond.Facts { return basket(line("A", "drinks", 8_000), line("B", "beans/dark", 2_000)) }, nil,
			map[string]int64{"tuesday": 100, "birthday": 200, "beans": 50, "gold": 225, "growth": 66}},
		{"the month is nearly used up", func() *cond.Facts { return basket(line("A", "drinks", 10_000)) },
			&Use{rules: []RuleUse{{Rule: 2, Days: []DayUse{{20_574, 460, 3}, {20_590, 20, 1}}}}},
			map[string]int64{"tuesday": 100, "birthday": 20, "gold": 110, "growth": 66}},
		{"wednesday, another month", func() *cond.Facts {
			f := basket(line("A", "drinks", 10_000))
			f.Now = cond.NewMoment(time.Date(2026, 7, 8, 9, 0, 0, 0, shanghai), shanghai)
			return f
		}, nil, map[string]int64{"eighth": 8, "gold": 54, "growth": 66}},
		{"no tier", func() *cond.Facts {
			f := basket(line("A", "drinks", 99))
			f.Member.TierCode = ""
			return f
		}, nil, map[string]int64{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.facts()
			if got := got(setOf(t, nil, rules...), f, reckoning{base: baseOf(f), use: tt.use}); !maps.Equal(got, tt.want) {
				t.Errorf("gave %v, want %v", got, tt.want)
			}
		})
	}
}

// What each part of a definition does: each row changes one thing in a rule that gives 10.
func TestParts(t *testing.T) {
	t.Parallel()
	f := func() *cond.Facts {
		f := basket(line("A", "drinks/tea", 3_000), cond.Line{SKU: "B", Category: "food", Brand: "Beta", Milli: 2_500, Amount: 7_000})
		return f
	}
	for _, tt := range []struct {
		name string
		edit func(*Definition, *cond.Facts)
		want int64
	}{
		{"as it is", func(*Definition, *cond.Facts) {}, 10},
		{"another store", func(d *Definition, _ *cond.Facts) { d.Scope.Stores = []string{"S2"} }, 0},
		{"this store", func(d *Definition, _ *cond.Facts) { d.Scope.Stores = []string{"S2", "S1"} }, 10},
		{"another channel", func(d *Definition, _ *cond.Facts) { d.Scope.Channels = []string{"web"} }, 0},
		{"sku", func(d *Definition, _ *cond.Facts) { d.Scope.SKUs = []string{"B"} }, 10},
		{"no such sku", func(d *Definition, _ *cond.Facts) { d.Scope.SKUs = []string{"C"} }, 0},
		{"brand", func(d *Definition, _ *cond.Facts) { d.Scope.Brands = []string{"Beta"} }, 10},
		{"category above", func(d *Definition, _ *cond.Facts) { d.Scope.Categories = []string{"drinks"} }, 10},
		{"all left out", func(d *Definition, _ *cond.Facts) {
			d.Scope.NotBrands, d.Scope.NotCategories = []string{"ACME"}, []string{"food"}
		}, 0},
		{"line condition", func(d *Definition, _ *cond.Facts) { d.Scope.Line = "line.quantity > 3" }, 0},
		{"each line", func(d *Definition, _ *cond.Facts) { d.Effect.Each = EachLine }, 20},
		{"each whole piece", func(d *Definition, _ *cond.Facts) { d.Effect.Each = EachPiece }, 30},
		{"pieces of some", func(d *Definition, _ *cond.Facts) { d.Effect.Each, d.Scope.SKUs = EachPiece, []string{"B"} }, 20},
		{"cap of the sale", func(d *Definition, _ *cond.Facts) { d.Caps.Sale = 7 }, 7},
		{"until is exclusive", func(d *Definition, _ *cond.Facts) { d.Valid.Until = "2026-05-12T14:30:00+08:00" }, 0},
		{"from is not", func(d *Definition, _ *cond.Facts) { d.Valid.From = "2026-05-12 14:30" }, 10},
		{"before", func(d *Definition, _ *cond.Facts) { d.Valid.From = "2026-05-12 14:31" }, 0},
		{"hours", func(d *Definition, _ *cond.Facts) { d.Valid.Hours = []Hours{{"14:00", "14:31"}} }, 10},
		{"hours past", func(d *Definition, _ *cond.Facts) { d.Valid.Hours = []Hours{{"14:00", "14:30"}} }, 0},
		{"night", func(d *Definition, _ *cond.Facts) { d.Valid.Hours = []Hours{{"22:00", "15:00"}} }, 10},
		{"another weekday", func(d *Definition, _ *cond.Facts) { d.Valid.Weekdays = []int64{1, 3} }, 0},
		{"day from the end", func(d *Definition, _ *cond.Facts) { d.Valid.MonthDays = []int64{-20} }, 10},
		{"last day", func(d *Definition, _ *cond.Facts) { d.Valid.MonthDays = []int64{-1} }, 0},
		{"each year's date", func(d *Definition, _ *cond.Facts) { d.Valid.Dates = []string{"05-12"} }, 10},
		{"another date", func(d *Definition, _ *cond.Facts) { d.Valid.Dates = []string{"2025-05-12"} }, 0},
		{"festival or date", func(d *Definition, f *cond.Facts) {
			d.Valid.Festivals, d.Valid.Dates = []string{"dragon_boat"}, []string{"11-11"}
			f.Now = cond.NewMoment(time.Date(2026, 6, 19, 9, 0, 0, 0, shanghai), shanghai)
		}, 10},
		{"half paid with points", func(d *Definition, f *cond.Facts) {
			d.Effect, f.Sale.PaidByPoints = Effect{Kind: PerAmount, Currency: "points", Points: 1, Per: 100}, 5_000
		}, 50},
		{"which earns", func(d *Definition, f *cond.Facts) {
			d.Effect, f.Sale.PaidByPoints = Effect{Kind: PerAmount, Currency: "points", Points: 1, Per: 100, EarnsOnPoints: true}, 5_000
		}, 100},
		{"coupons too", func(d *Definition, f *cond.Facts) {
			d.Effect, f.Sale.PaidByCoupons = Effect{Kind: PerAmount, Currency: "points", Points: 1, Per: 100, EarnsOnPoints: true}, 2_500
		}, 75},
		{"half up", func(d *Definition, _ *cond.Facts) {
			d.Effect = Effect{Kind: PerAmount, Currency: "points", Points: 1, Per: 4_000, Rounding: money.HalfUp}
		}, 3},
		{"steps", func(d *Definition, _ *cond.Facts) {
			d.Effect = Effect{Kind: Steps, Currency: "points", Steps: []Step{{0, 1, 0}, {10_000, 20, 0}, {10_001, 50, 0}}}
		}, 20},
		{"graduated, rounded once", func(d *Definition, _ *cond.Facts) {
			d.Effect = Effect{Kind: Steps, Currency: "points", Steps: []Step{{0, 1, 3_000}, {5_000, 1, 2_000}, {10_000, 9, 1}}}
		}, 4}, // 5/3 + 5/2 = 4 1/6
		{"ever", func(d *Definition, _ *cond.Facts) { d.Caps.Ever = 4 }, 4},
		{"budget", func(d *Definition, _ *cond.Facts) { d.Caps.Budget = 3 }, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, facts := Definition{Code: "x", Effect: points(10)}, f()
			tt.edit(&d, facts)
			if got := got(setOf(t, nil, d), facts, reckoning{})["x"]; got != tt.want {
				t.Errorf("gave %d, want %d", got, tt.want)
			}
		})
	}
}

// Of a group all, the first by priority, the best or the least count; a cap lets another go
// first, and one that fails takes its group along and nobody else.
func TestGroups(t *testing.T) {
	t.Parallel()
	rules := func(edit func(d []Definition)) []Definition {
		list := []Definition{
			{Code: "a", Effect: points(30), Stack: Stack{Group: "g", Priority: 2}},
			{Code: "b", Effect: points(10), Stack: Stack{Group: "g", Priority: 1}},
			{Code: "c", Effect: points(50), Stack: Stack{Group: "g", Priority: 3}},
			{Code: "d", Effect: points(1)},
		}
		if edit != nil {
			edit(list)
		}
		return list
	}
	for _, tt := range []struct {
		name, mode string
		edit       func([]Definition)
		want       map[string]int64
	}{
		{"all", All, nil, map[string]int64{"a": 30, "b": 10, "c": 50, "d": 1}},
		{"first", First, nil, map[string]int64{"b": 10, "d": 1}},
		{"best", Best, nil, map[string]int64{"c": 50, "d": 1}},
		{"least", Least, nil, map[string]int64{"b": 10, "d": 1}},
		{"first does not hold", First, func(d []Definition) { d[1].Condition = "false" }, map[string]int64{"a": 30, "d": 1}},
		{"best is capped", Best, func(d []Definition) { d[2].Caps.Sale = 20 }, map[string]int64{"a": 30, "d": 1}},
		{"one is broken", Best, func(d []Definition) { d[0].Code, d[0].Condition = "broken", "member.nothing == 1" }, map[string]int64{"d": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := setOf(t, []Group{{Code: "g", Mode: tt.mode, Stage: 4}}, rules(tt.edit)...)
			if got := got(set, basket(line("A", "", 100)), reckoning{}); !maps.Equal(got, tt.want) {
				t.Errorf("gave %v, want %v", got, tt.want)
			}
		})
	}
}

// drawRules draws rules of all kinds in two stages, groups that do not care about order, and
// scopes that often hit.
func drawRules(t *rapid.T) []Definition {
	var list []Definition
	for i := range rapid.IntRange(1, 9).Draw(t, "rules") {
		d := Definition{Code: fmt.Sprintf("r%d", i), Trigger: Trigger{On: OnSale}}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			d.Effect = points(rapid.Int64Range(1, 40).Draw(t, "points"))
		case 1:
			d.Effect = Effect{Kind: PerAmount, Currency: "points", Points: rapid.Int64Range(1, 5).Draw(t, "points"), Per: rapid.Int64Range(1, 700).Draw(t, "per"), Carry: rapid.Bool().Draw(t, "carry")}
		default:
			d.Effect = Effect{Kind: Multiplier, Currency: "points", Percent: rapid.Int64Range(101, 400).Draw(t, "percent")}
			d.Stack.Base = rapid.SampledFrom([]string{Initial, Running}).Draw(t, "base")
		}
		d.Stack.Stage = rapid.Int64Range(0, 1).Draw(t, "stage")
		d.Stack.Group = rapid.SampledFrom([]string{"", "", "all", "best", "least"}).Draw(t, "group")
		d.Condition = rapid.SampledFrom([]string{"", "", `sale.total >= money("20")`, "now.weekday == 2", "false"}).Draw(t, "condition")
		for _, l := range []*[]string{&d.Scope.SKUs, &d.Scope.NotSKUs} {
			if rapid.IntRange(0, 2).Draw(t, "scoped") == 0 {
				*l = []string{rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "sku")}
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "by category") == 0 {
			d.Scope.Categories = []string{rapid.SampledFrom([]string{"drinks", "food", "toys"}).Draw(t, "category")}
		}
		if rapid.IntRange(0, 3).Draw(t, "by store") == 0 {
			d.Scope.Stores = []string{rapid.SampledFrom([]string{"S1", "S2"}).Draw(t, "store")}
		}
		if rapid.IntRange(0, 3).Draw(t, "by day") == 0 {
			d.Valid.Weekdays = []int64{rapid.Int64Range(1, 3).Draw(t, "weekday")}
		}
		if rapid.IntRange(0, 3).Draw(t, "capped") == 0 {
			d.Caps.Sale = rapid.Int64Range(1, 30).Draw(t, "cap")
		}
		list = append(list, d)
	}
	return list
}

func drawBasket(t *rapid.T) *cond.Facts {
	var lines []cond.Line
	for range rapid.IntRange(1, 4).Draw(t, "lines") {
		lines = append(lines, line(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "sku"),
			rapid.SampledFrom([]string{"", "drinks/tea", "food"}).Draw(t, "category"), rapid.Int64Range(0, 9_999).Draw(t, "amount")))
	}
	return basket(lines...)
}

var drawnGroups = []Group{{Code: "all", Mode: All}, {Code: "best", Mode: Best}, {Code: "least", Mode: Least, Stage: 1}}

// The order in which rules were made, and so in which they are read, changes nothing.
func TestOrderMakesNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rules, f := drawRules(t), drawBasket(t)
		r := reckoning{base: baseOf(f)}
		want := got(setOf(t, drawnGroups, slices.Clone(rules)...), f, r)
		if is := got(setOf(t, drawnGroups, rapid.Permutation(rules).Draw(t, "order")...), f, r); !maps.Equal(is, want) {
			t.Fatalf("gave %v, before %v", is, want)
		}
	})
}

// The index leaves out only what would give nothing: asking every rule, as a trace does, gives
// the same.
func TestIndexLeavesOutNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set, f := setOf(t, drawnGroups, drawRules(t)...), drawBasket(t)
		r := reckoning{base: baseOf(f)}
		all := set.plan(f, OnSale, true).ask(f.Member)
		for _, a := range all.asked { // without the index
			a.known, a.why, a.lines, a.counts, a.eligible = false, a.first(f), nil, nil, 0
			a.known = a.why != ""
		}
		want := map[string]int64{}
		for _, o := range all.decide(f, r) {
			if o.chosen && o.Amount > 0 {
				want[o.def.Code] = o.Amount
			}
		}
		if is := got(set, f, r); !maps.Equal(is, want) {
			t.Fatalf("gave %v, without the index %v", is, want)
		}
	})
}

// Under proportional rules that carry, a sale in parts earns what it would have earned whole:
// never more. The oracle knows no rules: it is a sum of fractions.
func TestSplittingEarnsNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		up, per := rapid.Int64Range(1, 7).Draw(t, "points"), rapid.Int64Range(1, 900).Draw(t, "per")
		set := setOf(t, nil, Definition{Code: "x", Effect: Effect{Kind: PerAmount, Currency: "points", Points: up, Per: per, Carry: true}})
		use, given, spent := &Use{}, int64(0), int64(0)
		for range rapid.IntRange(1, 12).Draw(t, "parts") {
			amount := rapid.Int64Range(0, 1_500).Draw(t, "amount")
			f := basket(line("A", "", amount))
			for _, o := range set.plan(f, OnSale, false).ask(f.Member).decide(f, reckoning{use: use}) {
				u := use.of(o.id)
				u.Carry, u.Of = o.Carry, o.Of
				use.put(u)
				if o.chosen {
					given += o.Amount
				}
			}
			if spent += amount; given != spent*up/per {
				t.Fatalf("%d for %d in parts, whole %d", given, spent, spent*up/per)
			}
		}
	})
}

// A use is kept as it is, whatever it holds.
func TestUsePacks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := &Use{}
		for range rapid.IntRange(0, 5).Draw(t, "rules") {
			r := RuleUse{Rule: rapid.Int64Range(1, 1<<40).Draw(t, "rule"), Carry: rapid.Int64Range(-1000, 1000).Draw(t, "carry"), Of: 100}
			day := int32(20_000)
			for range rapid.IntRange(0, 20).Draw(t, "adds") {
				day += rapid.Int32Range(-30, 200).Draw(t, "day")
				r.add(day, rapid.Int64Range(-5, 100).Draw(t, "points"), 1, true)
			}
			u.put(r)
		}
		if is := unpackUse(u.pack()); fmt.Sprint(is) != fmt.Sprint(u) {
			t.Fatalf("was %v, is %v", u, is)
		}
	})
}

// Windows begin on Mondays and on the first; what is forgotten gives no room.
func TestRoom(t *testing.T) {
	t.Parallel()
	day := func(text string) int32 {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return int32(d.Unix() / 86_400)
	}
	r := RuleUse{Ever: 60, Times: 3, Days: []DayUse{{day("2026-05-31"), 10, 1}, {day("2026-06-01"), 20, 1}, {day("2026-06-07"), 30, 1}}}
	for _, tt := range []struct {
		caps Caps
		on   string
		want int64
	}{
		{Caps{Day: 25}, "2026-06-01", 5},
		{Caps{Day: 25}, "2026-06-02", 25},
		{Caps{Week: 100}, "2026-06-01", 50}, // Monday to Sunday
		{Caps{Week: 100}, "2026-06-08", 100},
		{Caps{Week: 100}, "2026-05-31", 90},
		{Caps{Month: 100}, "2026-06-30", 50},
		{Caps{Month: 100}, "2026-05-01", 90},
		{Caps{Ever: 61}, "2027-01-01", 1},
		{Caps{Ever: 61, Day: 5}, "2026-06-01", 0},
		{Caps{TimesMonth: 2}, "2026-06-02", 0},
		{Caps{TimesWeek: 2, Ever: 99}, "2026-05-31", 39},
		{Caps{TimesEver: 3}, "2027-01-01", 0},
	} {
		if got, _ := r.room(&tt.caps, day(tt.on)); got != tt.want {
			t.Errorf("%+v on %s leaves %d, want %d", tt.caps, tt.on, got, tt.want)
		}
	}
	r.add(day("2027-08-01"), 1, 1, true)
	if got, why := r.room(&Caps{Month: 100}, day("2026-06-15")); got != 0 || why != &capForgotten {
		t.Errorf("a month that is forgotten leaves %d", got)
	}
}

// A multiplier of what was given initially leaves out what multipliers gave; a running one does not.
func TestMultiplierBase(t *testing.T) {
	t.Parallel()
	times := func(percent int64) Effect { return Effect{Kind: Multiplier, Currency: "points", Percent: percent} }
	f := basket(line("A", "", 10_000))
	set := setOf(t, nil,
		Definition{Code: "double", Effect: times(200), Stack: Stack{Stage: 1}},
		Definition{Code: "initial", Effect: times(110), Stack: Stack{Stage: 2, Base: Initial}},
		Definition{Code: "running", Effect: times(110), Stack: Stack{Stage: 2, Base: Running}})
	want := map[string]int64{"double": 100, "initial": 10, "running": 20}
	if got := got(set, f, reckoning{base: baseOf(f)}); !maps.Equal(got, want) {
		t.Errorf("gave %v, want %v", got, want)
	}
}
