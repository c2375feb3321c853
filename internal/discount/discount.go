// Package discount works out what comes off a basket: prices of members, discounts of tiers
// and plans, and coupons, by line and with a reason for each that gives nothing.
//
// Life: none. It is arithmetic: no database, no clock, no currency. The same lines and promos
// give the same result, in whatever order the promos are handed over.
//
// Laws:
//   - What comes off a line is never more than the line comes to, so no line goes below zero.
//   - The discounts of a promo by line add up to what it takes off, and all of them to Off.
//   - Promos are applied in the order of their stage, then Order, then Ref. Each sees what
//     those before it have left (running), or the basket as it was handed over (initial).
//   - Of coupons (stage 2), an exclusive one is the only one that is used, and of those that
//     are best of, one is. Prices and discounts of earlier stages always apply.
//   - Best saves at least as much as any set of coupons that the classes allow, while its
//     search ends within its bound (Result.Exact); beyond, at least as much as a greedy choice.
//   - A percentage is rounded half up, once for what it is worked out from: the order, the
//     line or the unit.
package discount

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Line is one line of a basket before discounts. It is at index i of the slice wherever
// something is said by line.
type Line struct {
	Line     int64  // number of the line in the caller's words
	SKU      string // product code, or ""
	Category string // category, or ""
	Brand    string // brand, or ""
	Milli    int64  // quantity in thousandths; what is no whole number counts as one unit, as what is weighed
	Amount   int64  // what the line comes to, in the smallest unit of money; not negative
	Delivery bool   // a cost of delivery: only free delivery touches it
}

// The stages, in the order in which they come.
const (
	StagePrice    = 0 // prices of members
	StageStanding = 1 // discounts of tiers and plans
	StageCoupon   = 2 // coupons: the only stage with a choice
)

// Class says which coupons go with which on one order. It counts in StageCoupon only.
type Class int

// The classes.
const (
	Joint     Class = iota // goes with other joint ones and with one that is best of
	BestOf                 // of all that are best of, one is used
	Exclusive              // the only coupon on the order
)

// Base says which amounts a threshold and a percentage are worked out from.
type Base int

// The bases.
const (
	Running Base = iota // what the promos before it have left
	Initial             // the lines as they were handed over
)

// Kind is what sort of discount an effect is.
type Kind int

// The kinds, with the fields of Effect that each reads.
const (
	// Percent takes Percent off: Per order, line, unit, cheapest or nth.
	Percent Kind = iota
	// Amount takes Amount off: Per order once, step for each full threshold, line, unit,
	// cheapest or nth.
	Amount
	// FixedPrice sells each unit in scope for Amount, where it costs more: what is weighed, each
	// 1,000 thousandths. With Times, so many units, the dearest first. Per cheapest and nth
	// pick their units; any other Per means each.
	FixedPrice
	// Gift makes up to Units units of the SKUs (one of which is to be had, or several) free, the
	// dearest first. They do not count for the promo's own threshold. The scope does not bind them.
	Gift
	// BuyGet sorts the units in scope by price, the dearest first, and groups them by Buy + Get:
	// of each group the last Get, which are its cheapest, have Percent off. At the end of the
	// row a group that is not full gives what goes past Buy. With Times, the first so many groups.
	BuyGet
	// FreeDelivery takes the delivery lines off. The threshold is of what is in scope.
	FreeDelivery
	// Exchange gives Units units in scope for nothing: the dearest that fit. Where Amount is
	// above 0, only units that cost at most so much fit.
	Exchange
	// Set takes off each line what ByLine says: somebody has looked at this very basket, as for
	// the prices of members. What a line has less than that, it is free.
	Set
)

// Each says what a percentage or an amount is taken off of.
type Each int

// The ways.
const (
	PerOrder    Each = iota // of what is in scope as a whole, shared over its lines
	PerStep                 // as PerOrder, once for each full threshold (MinAmount, MinMilli; of two the fewer times)
	PerLine                 // of each line
	PerUnit                 // of each unit; with Times, of the dearest so many
	PerCheapest             // of the one cheapest unit that still costs something
	PerNth                  // of every Nth unit, by price, the dearest first: the cheapest of each Nth
)

// Effect is what a promo takes off. Which fields count is said at each kind.
type Effect struct {
	Kind    Kind
	Percent int64    // in hundredths of a per cent: 10000 is all
	Amount  int64    // in the smallest unit of money
	Per     Each     //
	Nth     int64    // 2: every second unit
	Buy     int64    // units
	Get     int64    // units
	Times   int64    // most repetitions: steps, units or groups; 0 is no bound
	Units   int64    // of a gift and an exchange; 0 counts as 1
	SKUs    []string // of a gift
	ByLine  []int64  // of Set: in the order of the lines
}

// Promo is one thing that may take something off.
type Promo struct {
	Ref       string           // unique in the set
	Stage     int              // StagePrice, StageStanding or StageCoupon
	Order     int              // within a stage, the lower comes first; of equals the smaller Ref
	Class     Class            // counts in StageCoupon
	Rank      int64            // of sets that save the same with as many promos, the lower ranks are used: the instant at which it ends
	Effect    Effect           //
	Scope     func(i int) bool // which lines; nil for all. Delivery lines are never in it
	MinAmount int64            // what the lines in scope have to come to, at least
	MinMilli  int64            // how many thousandths the lines in scope have to hold, at least
	From      Base             // what threshold and percentages are worked out from
	Cap       int64            // the most that it takes off; 0 for no cap
	Budget    int64            // what is left of its budget, in money; -1 for no budget
	Partial   bool             // what the budget has left is given where it is too little; else nothing
}

// Why says why a promo gives nothing. The words are stable: programs hold on to them.
//
//	threshold      the lines in scope come to too little; More says how much is missing
//	quantity       the lines in scope hold too few; More says how many thousandths are missing
//	nothing        no line is in scope (of free delivery: none is a delivery)
//	gift_missing   the gift is not in the basket; SKU says which to add
//	no_effect      nothing is left to take off: it is free already, or cheaper than the fixed price
//	budget         its budget has too little left
//	exclusive      a coupon is used that goes with no other
//	not_best       what is used instead saves more, or as much by the rule for equals
type Why string

// The reasons.
const (
	WhyThreshold   Why = "threshold"
	WhyQuantity    Why = "quantity"
	WhyNothing     Why = "nothing"
	WhyGiftMissing Why = "gift_missing"
	WhyNoEffect    Why = "no_effect"
	WhyBudget      Why = "budget"
	WhyExclusive   Why = "exclusive"
	WhyNotBest     Why = "not_best"
)

// Whys are all reasons, for whoever has to have a text for each.
var Whys = []Why{WhyThreshold, WhyQuantity, WhyNothing, WhyGiftMissing, WhyNoEffect, WhyBudget, WhyExclusive, WhyNotBest}

// Applied is a promo that takes something off.
type Applied struct {
	Ref    string
	Amount int64   // more than 0
	ByLine []int64 // adds up to Amount
}

// Left is a promo that gives nothing.
type Left struct {
	Ref  string
	Why  Why
	More int64  // of threshold and quantity: how much is missing
	SKU  string // of gift_missing: what to add
}

// Result is what comes of a basket.
type Result struct {
	Applied []Applied // in the order in which they were applied
	Left    []Left    // in the order in which they would have been
	Lines   []int64   // what is left to pay, by line
	Off     int64     // what came off in all
	Exact   bool      // of Best: no set of coupons saves more. Of Apply always true
}

// The bounds of what this package takes; callers refuse what is past them.
const (
	MaxLines  = 1000 // of a basket
	MaxPromos = 400  // of a set: what applies by itself, what is asked for and what a member holds
	// MaxExact is up to how many coupons Best looks at all sets. Of more it looks at those that
	// save most alone, and at a greedy choice of all.
	MaxExact = 20
)

// Apply takes off all that is asked for. Where the classes forbid that its coupons go
// together, those are used that save most: one exclusive coupon, or all that are joint with
// the best of those that are best of.
func Apply(lines []Line, list []Promo) Result {
	b := open(lines, list)
	sets := b.asked()
	best := b.weigh(sets[0])
	for _, set := range sets[1:] {
		if next := b.weigh(set); next.better(best) {
			best = next
		}
	}
	return b.result(best, true)
}

// Best looks for the set of coupons that saves most. Of sets that save the same it takes the
// one with fewer coupons; then the one whose ranks, from the lowest up, are lower; then the
// one whose coupons come first in order.
func Best(lines []Line, list []Promo) Result {
	b := open(lines, list)
	best, exact := b.search()
	return b.result(best, exact)
}

// Sum is what lines come to.
func Sum(lines []Line) (n int64) {
	for _, l := range lines {
		n += l.Amount
	}
	return n
}

// check panics where lines or promos are past what this package takes: the caller has
// refused them before.
func check(lines []Line, list []Promo) {
	if len(lines) > MaxLines || len(list) > MaxPromos {
		panic("discount: too many lines or promos")
	}
	for _, l := range lines {
		if l.Amount < 0 || l.Amount > money.Max || l.Milli < 0 {
			panic("discount: a line below nothing or past the limit")
		}
	}
	if Sum(lines) > money.Max {
		panic("discount: a basket past the limit")
	}
	seen := make(map[string]bool, len(list))
	for _, p := range list {
		if seen[p.Ref] {
			panic("discount: two promos with the ref " + p.Ref)
		}
		seen[p.Ref] = true
		if p.Effect.Kind == Set && (len(p.Effect.ByLine) != len(lines) || slices.ContainsFunc(p.Effect.ByLine, func(n int64) bool { return n < 0 })) {
			panic("discount: what is set by line is not of this basket: " + p.Ref)
		}
	}
}
