package discount

import (
	"math/big"
	"sort"
)

// A second working-out of everything, slow and plain: units one by one, sets one by one. It
// calls nothing of the code under test.

type naiveUnit struct {
	line  int
	price int64
	milli int64
}

// naiveRatio is a × b ÷ c, half up.
func naiveRatio(a, b, c int64) int64 {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	n.Add(n.Mul(n, big.NewInt(2)), big.NewInt(c))
	return n.Div(n, big.NewInt(2*c)).Int64()
}

// naiveShare shares total by weights, largest remainder, the earlier first among equals.
func naiveShare(total int64, weights []int64) []int64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	out := make([]int64, len(weights))
	if sum == 0 {
		return out
	}
	type rem struct {
		i int
		r int64
	}
	var rems []rem
	rest := total
	for i, w := range weights {
		out[i] = total * w / sum
		rest -= out[i]
		rems = append(rems, rem{i, total * w % sum})
	}
	sort.SliceStable(rems, func(x, y int) bool { return rems[x].r > rems[y].r })
	for k := range rest {
		out[rems[k].i]++
	}
	return out
}

func naiveUnits(lines []Line, in func(int) bool, from, left []int64) (list []naiveUnit) {
	for i, l := range lines {
		if !in(i) || left[i] == 0 {
			continue
		}
		n := int64(1)
		milli := l.Milli
		if l.Milli > 0 && l.Milli%1000 == 0 {
			n, milli = l.Milli/1000, 1000
		}
		for k := range n {
			price := from[i] / n
			if k < from[i]%n {
				price++
			}
			if price > 0 {
				list = append(list, naiveUnit{i, price, milli})
			}
		}
	}
	sort.SliceStable(list, func(x, y int) bool { return list[x].price > list[y].price })
	return list
}

// naiveTake is what a promo takes off by line as things stand, or why it takes nothing.
func naiveTake(lines []Line, p Promo, left []int64) ([]int64, Why, int64) {
	zero := make([]int64, len(lines))
	from := append([]int64(nil), left...)
	if p.From == Initial {
		for i, l := range lines {
			from[i] = l.Amount
		}
	}
	scope := func(i int) bool { return !lines[i].Delivery && (p.Scope == nil || p.Scope(i)) }
	gift := func(i int) bool {
		for _, sku := range p.Effect.SKUs {
			if lines[i].SKU == sku && sku != "" && !lines[i].Delivery {
				return true
			}
		}
		return false
	}
	delivery := func(i int) bool { return lines[i].Delivery }
	count := func(in func(int) bool) (n int) {
		for i := range lines {
			if in(i) {
				n++
			}
		}
		return n
	}
	e := p.Effect
	if count(scope) == 0 && e.Kind != Gift {
		return zero, WhyNothing, 0
	}
	var amount, milli int64
	for i, l := range lines {
		if scope(i) {
			amount += from[i]
			milli += l.Milli
		}
	}
	units := max(1, e.Units)
	var given []naiveUnit
	if e.Kind == Gift {
		for k, u := range naiveUnits(lines, gift, from, left) {
			if int64(k) < units {
				given = append(given, u)
				if scope(u.line) {
					amount -= u.price
					milli -= u.milli
				}
			}
		}
	}
	if amount < p.MinAmount {
		return zero, WhyThreshold, p.MinAmount - amount
	}
	if milli < p.MinMilli {
		return zero, WhyQuantity, p.MinMilli - milli
	}
	if e.Kind == Gift && count(gift) == 0 {
		return zero, WhyGiftMissing, 0
	}
	if e.Kind == FreeDelivery && count(delivery) == 0 {
		return zero, WhyNothing, 0
	}
	off := append([]int64(nil), zero...)
	one := func(u naiveUnit) int64 { // of one unit
		switch e.Kind {
		case Amount:
			return min(e.Amount, u.price)
		case FixedPrice:
			return max(0, u.price-naiveRatio(e.Amount, u.milli, 1000))
		case Gift, Exchange:
			return u.price
		}
		return naiveRatio(u.price, e.Percent, 10000)
	}
	row := naiveUnits(lines, scope, from, left)
	switch {
	case e.Kind == Set:
		for i := range lines {
			if scope(i) {
				off[i] = e.ByLine[i]
			}
		}
	case e.Kind == FreeDelivery:
		for i, l := range lines {
			if l.Delivery {
				off[i] = left[i]
			}
		}
	case e.Kind == Gift:
		for _, u := range given {
			off[u.line] += u.price
		}
	case e.Kind == Exchange:
		n := int64(0)
		for _, u := range row {
			if n < units && (e.Amount == 0 || u.price <= e.Amount) {
				off[u.line] += u.price
				n++
			}
		}
	case e.Kind == BuyGet || e.Per == PerNth:
		buy, get := e.Buy, e.Get
		if e.Kind != BuyGet {
			buy, get = e.Nth-1, 1
		}
		for k, u := range row {
			group, place := int64(k)/(buy+get), int64(k)%(buy+get)
			if place >= buy && (e.Times == 0 || group < e.Times) {
				off[u.line] += one(u)
			}
		}
	case e.Per == PerCheapest:
		if len(row) > 0 {
			u := row[len(row)-1]
			off[u.line] += one(u)
		}
	case e.Per == PerUnit || e.Kind == FixedPrice:
		for k, u := range row {
			if e.Times == 0 || int64(k) < e.Times {
				off[u.line] += one(u)
			}
		}
	case e.Per == PerLine:
		for i := range lines {
			if scope(i) {
				off[i] = one(naiveUnit{i, from[i], 1000})
			}
		}
	default:
		var all, rest int64
		weights := make([]int64, len(lines))
		for i := range lines {
			if scope(i) {
				all += from[i]
				rest += left[i]
				weights[i] = left[i]
			}
		}
		total := naiveRatio(all, e.Percent, 10000)
		if e.Kind == Amount {
			n := int64(1)
			if e.Per == PerStep && (p.MinAmount > 0 || p.MinMilli > 0) {
				n = 1 << 20
				if p.MinAmount > 0 {
					n = min(n, amount/p.MinAmount)
				}
				if p.MinMilli > 0 {
					n = min(n, milli/p.MinMilli)
				}
				if e.Times > 0 {
					n = min(n, e.Times)
				}
			}
			total = n * e.Amount
		}
		off = naiveShare(min(total, rest), weights)
	}
	var sum int64
	for i := range off {
		off[i] = min(off[i], left[i])
		sum += off[i]
	}
	if sum == 0 {
		return zero, WhyNoEffect, 0
	}
	if p.Cap > 0 && sum > p.Cap {
		off, sum = naiveShare(p.Cap, off), p.Cap
	}
	if p.Budget >= 0 && sum > p.Budget {
		if !p.Partial || p.Budget == 0 {
			return zero, WhyBudget, 0
		}
		off = naiveShare(p.Budget, off)
	}
	return off, "", 0
}

// naiveAll applies promos in order.
func naiveAll(lines []Line, list []Promo) (left []int64, off int64, used []string) {
	list = append([]Promo(nil), list...)
	sort.Slice(list, func(x, y int) bool {
		a, b := list[x], list[y]
		if a.Stage != b.Stage {
			return a.Stage < b.Stage
		}
		if a.Order != b.Order {
			return a.Order < b.Order
		}
		return a.Ref < b.Ref
	})
	for _, l := range lines {
		left = append(left, l.Amount)
	}
	for _, p := range list {
		by, _, _ := naiveTake(lines, p, left)
		var sum int64
		for i := range by {
			left[i] -= by[i]
			sum += by[i]
		}
		if off += sum; sum > 0 {
			used = append(used, p.Ref)
		}
	}
	return left, off, used
}

// naiveGoes says whether the classes let coupons go together.
func naiveGoes(list []Promo) bool {
	var exclusive, bestOf, coupons int
	for _, p := range list {
		if p.Stage != StageCoupon {
			continue
		}
		coupons++
		switch p.Class {
		case Exclusive:
			exclusive++
		case BestOf:
			bestOf++
		}
	}
	return (exclusive == 0 || coupons == 1) && bestOf <= 1
}
