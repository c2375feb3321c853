package sale

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// decimals of the currencies of these tests, from ISO 4217.
var decimals = map[string]int{"CNY": 2, "JPY": 0, "KWD": 3, "USD": 2, "CLF": 4}

// basket makes a sale of lines that cost so much, of categories "tea", "tea/green", ….
func basket(currency, own string, rate int64, rule program.Earning, lines ...Line) *Basket {
	b := &Basket{
		Sale: &Document{Currency: currency, Body: Body{Lines: lines}}, Rate: rate,
		Programme: &program.Snapshot{Settings: program.Settings{Currency: own, Earning: rule}},
		Under:     func(c, a string) bool { return c == a || strings.HasPrefix(c, a+"/") },
	}
	for _, l := range lines {
		b.Sale.Total += l.Amount
	}
	return b
}

func pointsOf(b *Basket) int64 {
	earn, _ := baseRule{}.Earn(b)
	if len(earn) == 0 {
		return 0
	}
	return earn[0].Amount
}

// exact is the rule in rational numbers: major units × rate, in minor units of the
// programme's currency, × points ÷ per.
func exact(amount int64, from, to string, rate int64, e program.Earning) *big.Rat {
	r := big.NewRat(amount, 1)
	ten := big.NewRat(10, 1)
	for range decimals[from] {
		r.Quo(r, ten)
	}
	r.Mul(r, big.NewRat(rate, 1_000_000))
	for range decimals[to] {
		r.Mul(r, ten)
	}
	return r.Mul(r, big.NewRat(e.Points, e.Per))
}

// round rounds a rational that is not negative.
func round(r *big.Rat, mode money.Rounding) *big.Int {
	floor := new(big.Int).Quo(r.Num(), r.Denom())
	rest := new(big.Rat).Sub(r, new(big.Rat).SetInt(floor))
	half := rest.Cmp(big.NewRat(1, 2))
	up := mode == money.Ceil && rest.Sign() > 0 || mode == money.HalfUp && half >= 0 ||
		mode == money.HalfEven && (half > 0 || half == 0 && floor.Bit(0) == 1)
	if up {
		floor.Add(floor, big.NewInt(1))
	}
	return floor
}

// The base rule is exact: whatever the currencies, rate and rounding, the points are those
// of rational arithmetic, rounded once. Past the limit nothing is earned.
func TestBaseRuleExact(t *testing.T) {
	t.Parallel()
	codes := []string{"CNY", "JPY", "KWD", "USD", "CLF"}
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(codes).Draw(t, "from"), rapid.SampledFrom(codes).Draw(t, "to")
		rate := int64(program.RateOne)
		if from != to {
			rate = rapid.Int64Range(1, 1_000_000*program.RateOne).Draw(t, "rate")
		}
		e := program.Earning{
			Currency: "points", Points: rapid.Int64Range(0, 1_000_000).Draw(t, "points"), Per: rapid.SampledFrom([]int64{1, 3, 7, 100, 997, 900_000_000}).Draw(t, "per"),
			Rounding: rapid.SampledFrom([]money.Rounding{money.Floor, money.HalfUp, money.HalfEven, money.Ceil}).Draw(t, "rounding"),
		}
		amount := rapid.OneOf(rapid.Int64Range(0, 100_000), rapid.Int64Range(0, money.Max)).Draw(t, "amount")
		want := round(exact(amount, from, to, rate, e), e.Rounding)
		if want.Cmp(big.NewInt(money.Max)) > 0 {
			want.SetInt64(0)
		}
		if got := pointsOf(basket(from, to, rate, e, Line{Line: 1, Amount: amount})); want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("%d %s at %d in %s, %+v: %d points, want %s", amount, from, rate, to, e, got, want)
		}
	})
}

// The rows change one thing each.
func TestBaseRule(t *testing.T) {
	t.Parallel()
	rule := program.Earning{Currency: "points", Points: 1, Per: 100, Rounding: money.Floor, Excluded: []string{"gift"}}
	for _, tt := range []struct {
		name     string
		currency string
		rate     int64
		edit     func(*program.Earning)
		lines    []Line
		want     int64
		says     string
	}{
		{"yuan", "CNY", 1_000_000, nil, []Line{{Amount: 12345}}, 123, "floor: 123"},
		{"half up", "CNY", 1_000_000, func(e *program.Earning) { e.Rounding = money.HalfUp }, []Line{{Amount: 12350}}, 124, "half_up: 124"},
		{"half even stays", "CNY", 1_000_000, func(e *program.Earning) { e.Rounding = money.HalfEven }, []Line{{Amount: 12450}}, 124, ""},
		{"up", "CNY", 1_000_000, func(e *program.Earning) { e.Rounding = money.Ceil }, []Line{{Amount: 1}}, 1, ""},
		{"rounded once for all lines", "CNY", 1_000_000, nil, []Line{{Amount: 150}, {Amount: 150}}, 3, ""},
		{"yen: no decimals", "JPY", 48_000, nil, []Line{{Amount: 1000}}, 48, "rate 0.048000"},
		{"dinar: three decimals", "KWD", 23_500_000, nil, []Line{{Amount: 1000}}, 23, "rate 23.500000"},
		{"an excluded category", "CNY", 1_000_000, nil, []Line{{Amount: 5000, Category: "gift"}, {Amount: 7000, Category: "tea"}}, 70, "eligible 7000 of 12000"},
		{"below an excluded category", "CNY", 1_000_000, nil, []Line{{Amount: 5000, Category: "gift/card"}, {Amount: 7000}}, 70, ""},
		{"a name that begins alike", "CNY", 1_000_000, nil, []Line{{Amount: 5000, Category: "gifts"}}, 50, ""},
		{"all excluded", "CNY", 1_000_000, nil, []Line{{Amount: 5000, Category: "gift"}}, 0, "eligible 0 of 5000"},
		{"nothing paid", "CNY", 1_000_000, nil, []Line{{Amount: 0}}, 0, ""},
		{"no rate", "USD", 0, nil, []Line{{Amount: 5000}}, 0, "no rate"},
		{"switched off", "CNY", 1_000_000, func(e *program.Earning) { e.Points = 0 }, []Line{{Amount: 5000}}, 0, "nothing by themselves"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := rule
			if tt.edit != nil {
				tt.edit(&e)
			}
			earn, trace := baseRule{}.Earn(basket(tt.currency, "CNY", tt.rate, e, tt.lines...))
			var got int64
			for _, g := range earn {
				got += g.Amount
			}
			if got != tt.want || (len(earn) == 0) != (tt.want == 0) {
				t.Errorf("earned %d, want %d", got, tt.want)
			}
			if len(trace) != 1 || trace[0].Rule != BaseRule || !strings.Contains(trace[0].Given+" "+trace[0].Result, tt.says) {
				t.Errorf("trace %+v does not say %q", trace, tt.says)
			}
		})
	}
}

// L20: a basket that is cut in two never earns more than the whole where points are
// rounded down; and what a sale earned is shared among its lines to the last point.
func TestSplitBasket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := program.Earning{Currency: "points", Points: rapid.Int64Range(1, 50).Draw(t, "points"), Per: rapid.Int64Range(1, 5000).Draw(t, "per"), Rounding: money.Floor}
		a, b := rapid.Int64Range(0, 100_000).Draw(t, "a"), rapid.Int64Range(0, 100_000).Draw(t, "b")
		one := pointsOf(basket("CNY", "CNY", 1_000_000, e, Line{Amount: a}, Line{Amount: b}))
		two := pointsOf(basket("CNY", "CNY", 1_000_000, e, Line{Amount: a})) + pointsOf(basket("CNY", "CNY", 1_000_000, e, Line{Amount: b}))
		if two > one {
			t.Fatalf("apart %d, together %d", two, one)
		}
	})
}

// What comes back of a line's points: nothing for nothing, all for the whole, never less
// for more, never more than the part of the money (of the pieces, where it was free).
func TestShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.Int64Range(0, 1000).Draw(t, "points")
		l := &Line{Milli: rapid.Int64Range(1, 5000).Draw(t, "milli"), Amount: rapid.Int64Range(0, 1000).Draw(t, "amount")}
		milli, amount := rapid.Int64Range(0, l.Milli).Draw(t, "back"), rapid.Int64Range(0, l.Amount).Draw(t, "money")
		got := Share(points, l, milli, amount)
		if Share(points, l, 0, 0) != 0 || Share(points, l, l.Milli, amount) != points {
			t.Fatal("nothing and all")
		}
		part := big.NewRat(amount, max(1, l.Amount))
		if l.Amount == 0 {
			part = big.NewRat(milli, l.Milli)
		}
		most := new(big.Rat).Mul(part, big.NewRat(points, 1))
		if n := big.NewRat(got, 1); milli < l.Milli && (n.Cmp(most) > 0 || new(big.Rat).Sub(most, n).Cmp(big.NewRat(1, 1)) >= 0) {
			t.Fatalf("share of %d for %s: %d", points, part, got)
		}
		if more := Share(points, l, min(l.Milli, milli+1), min(l.Amount, amount+1)); more < got {
			t.Fatalf("%d for more, %d for less", more, got)
		}
	})
}

// A quantity is read as it is written, exactly, and written the same.
func TestQuantity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, back string
		want       Quantity
		bad        bool
	}{
		{"1", "1", 1000, false}, {"0.333", "0.333", 333, false}, {"2.50", "2.5", 2500, false}, {"1.0000", "1", 1000, false},
		{"0.001", "0.001", 1, false}, {"1000000", "1000000", maxQuantity, false}, {"0", "0", 0, false},
		{"0.0001", "", 0, true}, {"1000000.001", "", 0, true}, {"-1", "", 0, true}, {"-0.5", "", 0, true}, {"1e3", "", 0, true}, {`"1"`, "", 0, true}, {"null", "", 0, true},
	} {
		var q Quantity
		if tt.bad {
			tt.want = badQuantity
		}
		if err := q.UnmarshalJSON([]byte(tt.text)); err != nil || q != tt.want {
			t.Errorf("%s: %d, %v", tt.text, q, err)
		}
		if b, _ := q.MarshalJSON(); !tt.bad && string(b) != tt.back {
			t.Errorf("%s is written as %s", tt.text, b)
		}
	}
}
