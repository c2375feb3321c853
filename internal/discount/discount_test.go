package discount

import (
	"reflect"
	"slices"
	"testing"
)

// Tea 60.00 (2 units), cups 45.00 (3 units), delivery 8.00: what a table needs.
var counter = []Line{
	{Line: 1, SKU: "tea", Category: "tea", Milli: 2000, Amount: 6000},
	{Line: 2, SKU: "cup", Category: "cup", Milli: 3000, Amount: 4500},
	{Line: 3, SKU: "post", Milli: 1000, Amount: 800, Delivery: true},
}

func cups(i int) bool { return counter[i].Category == "cup" }

// Each row is worked out by hand.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		p    Promo
		want []int64 // nil: nothing, for left
		left Left
	}{
		{"ten per cent: 1050 shared 600 to 450", Promo{Effect: Effect{Kind: Percent, Percent: 1000}}, []int64{600, 450, 0}, Left{}},
		{"10.01 off: 1001 shared 572 to 429", Promo{Effect: Effect{Kind: Amount, Amount: 1001}}, []int64{572, 429, 0}, Left{}},
		{"200.00 off: no more than there is", Promo{Effect: Effect{Kind: Amount, Amount: 20_000}}, []int64{6000, 4500, 0}, Left{}},
		{"20 off each full 50: twice", Promo{MinAmount: 5000, Effect: Effect{Kind: Amount, Amount: 2000, Per: PerStep}}, []int64{2286, 1714, 0}, Left{}},
		{"20 off each full 50, once at most", Promo{MinAmount: 5000, Effect: Effect{Kind: Amount, Amount: 2000, Per: PerStep, Times: 1}}, []int64{1143, 857, 0}, Left{}},
		{"over 105: just reached", Promo{MinAmount: 10_500, Effect: Effect{Kind: Amount, Amount: 105}}, []int64{60, 45, 0}, Left{}},
		{"over 105.01: one short", Promo{MinAmount: 10_501, Effect: Effect{Kind: Amount, Amount: 105}}, nil, Left{Why: WhyThreshold, More: 1}},
		{"three cups: reached", Promo{MinMilli: 3000, Scope: cups, Effect: Effect{Kind: Amount, Amount: 100}}, []int64{0, 100, 0}, Left{}},
		{"four cups: one short", Promo{MinMilli: 4000, Scope: cups, Effect: Effect{Kind: Amount, Amount: 100}}, nil, Left{Why: WhyQuantity, More: 1000}},
		{"cheapest free", Promo{Effect: Effect{Kind: Percent, Percent: 10_000, Per: PerCheapest}}, []int64{0, 1500, 0}, Left{}},
		{"second at half: of 30 30 15 15 15 the second and the fourth", Promo{Effect: Effect{Kind: Percent, Percent: 5000, Per: PerNth, Nth: 2}}, []int64{1500, 750, 0}, Left{}},
		{"cups at 12.00", Promo{Scope: cups, Effect: Effect{Kind: FixedPrice, Amount: 1200, Per: PerUnit}}, []int64{0, 900, 0}, Left{}},
		{"two at 20.00: the dearest", Promo{Effect: Effect{Kind: FixedPrice, Amount: 2000, Times: 2}}, []int64{2000, 0, 0}, Left{}},
		{"all at 30.00: nothing is dearer", Promo{Effect: Effect{Kind: FixedPrice, Amount: 3000}}, nil, Left{Why: WhyNoEffect}},
		{"buy two get one: of 30 30 15 15 15 the third", Promo{Effect: Effect{Kind: BuyGet, Buy: 2, Get: 1, Percent: 10_000}}, []int64{0, 1500, 0}, Left{}},
		{"buy one get two: the second and third, and the fifth of a group that is not full", Promo{Effect: Effect{Kind: BuyGet, Buy: 1, Get: 2, Percent: 10_000}}, []int64{3000, 3000, 0}, Left{}},
		{"buy one get two, once", Promo{Effect: Effect{Kind: BuyGet, Buy: 1, Get: 2, Percent: 10_000, Times: 1}}, []int64{3000, 1500, 0}, Left{}},
		{"a cup with goods for 90: the cup does not count, 90 is there", Promo{MinAmount: 9000, Effect: Effect{Kind: Gift, SKUs: []string{"cup"}}}, []int64{0, 1500, 0}, Left{}},
		{"a cup with goods for 90.01: it would, were the cup counted", Promo{MinAmount: 9001, Effect: Effect{Kind: Gift, SKUs: []string{"cup"}}}, nil, Left{Why: WhyThreshold, More: 1}},
		{"a gift that is not there", Promo{Effect: Effect{Kind: Gift, SKUs: []string{"spoon", "tray"}}}, nil, Left{Why: WhyGiftMissing, SKU: "spoon"}},
		{"free delivery over 105", Promo{MinAmount: 10_500, Effect: Effect{Kind: FreeDelivery}}, []int64{0, 0, 800}, Left{}},
		{"free delivery up to 5.00", Promo{Cap: 500, Effect: Effect{Kind: FreeDelivery}}, []int64{0, 0, 500}, Left{}},
		{"exchange: the dearest", Promo{Effect: Effect{Kind: Exchange}}, []int64{3000, 0, 0}, Left{}},
		{"exchange of up to 20.00: the dearest that fits", Promo{Effect: Effect{Kind: Exchange, Amount: 2000, Units: 2}}, []int64{0, 3000, 0}, Left{}},
		{"set by line: no more than there is, and never delivery", Promo{Effect: Effect{Kind: Set, ByLine: []int64{100, 9000, 300}}}, []int64{100, 4500, 0}, Left{}},
		{"cap", Promo{Cap: 70, Effect: Effect{Kind: Percent, Percent: 5000}}, []int64{40, 30, 0}, Left{}},
		{"budget: a part", Promo{Budget: 70, Partial: true, Effect: Effect{Kind: Amount, Amount: 71}}, []int64{40, 30, 0}, Left{}},
		{"budget: nothing", Promo{Budget: 70, Effect: Effect{Kind: Amount, Amount: 71}}, nil, Left{Why: WhyBudget}},
		{"nothing in scope", Promo{Scope: func(int) bool { return false }, Effect: Effect{Kind: Amount, Amount: 71}}, nil, Left{Why: WhyNothing}},
		{"a scope of all is not of delivery", Promo{Scope: func(int) bool { return true }, Effect: Effect{Kind: Percent, Percent: 10_000}}, []int64{6000, 4500, 0}, Left{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.p.Ref, tt.p.Stage = "p", StageCoupon
			if tt.p.Budget == 0 {
				tt.p.Budget = -1
			}
			r := Apply(counter, []Promo{tt.p})
			if tt.want == nil {
				tt.left.Ref = "p"
				if len(r.Applied) != 0 || !reflect.DeepEqual(r.Left, []Left{tt.left}) {
					t.Errorf("%+v, want left %+v", r, tt.left)
				}
				return
			}
			if len(r.Applied) != 1 || !slices.Equal(r.Applied[0].ByLine, tt.want) {
				t.Errorf("%+v, want %v", r, tt.want)
			}
		})
	}
}

// What is weighed is one unit, and its fixed price is for each 1,000 thousandths.
func TestWeighed(t *testing.T) {
	t.Parallel()
	lines := []Line{{SKU: "leaf", Milli: 1250, Amount: 5000}, {SKU: "cup", Milli: 1000, Amount: 4000}}
	for _, tt := range []struct {
		name string
		e    Effect
		want []int64
	}{
		{"30.00 a kilo: 37.50", Effect{Kind: FixedPrice, Amount: 3000}, []int64{1250, 1000}},
		{"second free: the cup", Effect{Kind: BuyGet, Buy: 1, Get: 1, Percent: 10_000}, []int64{0, 4000}},
	} {
		r := Apply(lines, []Promo{{Ref: "p", Stage: StageCoupon, Budget: -1, Effect: tt.e}})
		if len(r.Applied) != 1 || !slices.Equal(r.Applied[0].ByLine, tt.want) {
			t.Errorf("%s: %+v, want %v", tt.name, r, tt.want)
		}
	}
}

// A basket of 105: after 10 % it is 94.50, and 20 % from 100 on are not reached of what is
// left, but are of the basket as it was. The order of the two decides too.
func TestOrderOfTwo(t *testing.T) {
	t.Parallel()
	lines := []Line{{SKU: "pot", Milli: 1000, Amount: 10_500}}
	ten := Promo{Ref: "ten", Stage: StageCoupon, Order: 1, Budget: -1, Effect: Effect{Kind: Percent, Percent: 1000}}
	twenty := Promo{Ref: "twenty", Stage: StageCoupon, Order: 2, Budget: -1, MinAmount: 10_000, Effect: Effect{Kind: Percent, Percent: 2000}}

	r := Apply(lines, []Promo{ten, twenty})
	if r.Off != 1050 || !reflect.DeepEqual(r.Left, []Left{{Ref: "twenty", Why: WhyThreshold, More: 550}}) {
		t.Errorf("running: %+v", r)
	}
	if r = Best(lines, []Promo{ten, twenty}); r.Off != 2100 || !reflect.DeepEqual(r.Left, []Left{{Ref: "ten", Why: WhyNotBest}}) {
		t.Errorf("best leaves the first out: %+v", r)
	}
	initial := twenty
	initial.From = Initial
	if r = Apply(lines, []Promo{ten, initial}); r.Off != 1050+2100 {
		t.Errorf("initial: %+v", r)
	}
	initial.Stage = StageStanding
	if r = Apply(lines, []Promo{ten, initial}); r.Off != 2100+840 || r.Applied[0].Ref != "twenty" {
		t.Errorf("an earlier stage comes first: %+v", r)
	}
}

// Why a coupon is left out: what it lacks itself, before what is used instead of it.
func TestReasons(t *testing.T) {
	t.Parallel()
	cash := func(ref string, class Class, off, least int64) Promo {
		return Promo{Ref: ref, Stage: StageCoupon, Class: class, Budget: -1, MinAmount: least, Effect: Effect{Kind: Amount, Amount: off}}
	}
	for _, tt := range []struct {
		name string
		list []Promo
		used []string
		left []Left
	}{
		{"two best of", []Promo{cash("a", BestOf, 100, 0), cash("b", BestOf, 200, 0)}, []string{"b"}, []Left{{Ref: "a", Why: WhyNotBest}}},
		{"two best of and a joint", []Promo{cash("a", BestOf, 100, 0), cash("b", BestOf, 200, 0), cash("c", Joint, 50, 0)}, []string{"b", "c"}, []Left{{Ref: "a", Why: WhyNotBest}}},
		{"exclusive wins", []Promo{cash("a", Joint, 100, 0), cash("b", Exclusive, 200, 0)}, []string{"b"}, []Left{{Ref: "a", Why: WhyExclusive}}},
		{"exclusive loses", []Promo{cash("a", Joint, 300, 0), cash("b", Exclusive, 200, 0)}, []string{"a"}, []Left{{Ref: "b", Why: WhyNotBest}}},
		{"exclusive that does not reach stands in nobody's way", []Promo{cash("a", Joint, 100, 0), cash("b", Exclusive, 200, 10_501)}, []string{"a"}, []Left{{Ref: "b", Why: WhyThreshold, More: 1}}},
		{"as much alone as with another", []Promo{cash("a", Joint, 10, 0), cash("b", Joint, 10_500, 0)}, []string{"b"}, []Left{{Ref: "a", Why: WhyNotBest}}},
		{"nothing left", []Promo{cash("a", Joint, 10_500, 0), cash("z", Joint, 10, 0)}, []string{"a"}, []Left{{Ref: "z", Why: WhyNoEffect}}},
		{"of equals the one that ends sooner", []Promo{cash("a", BestOf, 100, 0), func() Promo { p := cash("b", BestOf, 100, 0); p.Rank = -1; return p }()}, []string{"b"}, []Left{{Ref: "a", Why: WhyNotBest}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Best(counter, tt.list)
			var used []string
			for _, a := range r.Applied {
				used = append(used, a.Ref)
			}
			if !slices.Equal(used, tt.used) || !reflect.DeepEqual(r.Left, tt.left) {
				t.Errorf("%+v, want %v and %+v", r, tt.used, tt.left)
			}
		})
	}
}
