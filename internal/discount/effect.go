package discount

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// part is a promo that is ready to be applied to one basket.
type part struct {
	Promo
	scope  []int // lines that count for the threshold
	target []int // lines that the effect touches
	steady bool  // takes the less off the less is left
	most   int64 // more than it can take off at any point of stage 2
}

// basket is the lines with what is being done to them.
type basket struct {
	lines   []Line
	initial []int64
	stage2  []int64  // what the earlier stages have left
	early   []*part  // stages 0 and 1, in order
	coupons []*part  // stage 2, in order
	runs    []run    // scratch
	rems    []uint64 // scratch
}

// run is units of one line that cost the same.
type run struct {
	line  int
	n     int64
	price int64 // of a unit
	milli int64 // of a unit: 1000, or of what is weighed the whole line
}

// verdict is what one promo does to a basket as it stands.
type verdict struct {
	off  int64
	why  Why // where off is 0
	more int64
	sku  string
}

// take works out what p takes off lines of which left is left: by line into out, which is
// cleared first. It changes nothing else.
func (b *basket) take(p *part, left, out []int64) verdict {
	v := b.want(p, left, out, false)
	if v.why != "" {
		clear(out)
		return v
	}
	if p.Budget >= 0 && v.off > p.Budget {
		if !p.Partial || p.Budget == 0 {
			clear(out)
			return verdict{why: WhyBudget}
		}
		b.shrink(out, v.off, p.Budget)
		v.off = p.Budget
	}
	return v
}

// want is take without the budget. Where it is loose, thresholds do not count.
func (b *basket) want(p *part, left, out []int64, loose bool) verdict {
	clear(out)
	if len(p.scope) == 0 && p.Effect.Kind != Gift {
		return verdict{why: WhyNothing}
	}
	from := left
	if p.From == Initial {
		from = b.initial
	}
	if p.Effect.Kind == Gift {
		b.give(p, from, left)
	}
	if v := b.threshold(p, from); v.why != "" && !loose {
		return v
	}
	switch {
	case p.Effect.Kind == Gift && len(p.target) == 0:
		return verdict{why: WhyGiftMissing, sku: first(p.Effect.SKUs)}
	case len(p.target) == 0:
		return verdict{why: WhyNothing}
	}
	b.effect(p, from, left, out)
	var off int64
	for _, i := range p.target {
		out[i] = min(out[i], left[i])
		off += out[i]
	}
	if off == 0 {
		return verdict{why: WhyNoEffect}
	}
	if p.Cap > 0 && off > p.Cap {
		b.shrink(out, off, p.Cap)
		off = p.Cap
	}
	return verdict{off: off}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// counts is what the lines in scope come to and hold, for the threshold. A gift does not
// help to reach its own: its units, which b.runs names, are taken off.
func (b *basket) counts(p *part, from []int64) (amount, milli int64) {
	for _, i := range p.scope {
		amount += from[i]
		milli += b.lines[i].Milli
	}
	if p.Effect.Kind == Gift {
		for _, r := range b.runs {
			if slices.Contains(p.scope, r.line) {
				amount -= r.n * r.price
				milli -= r.n * r.milli
			}
		}
	}
	return amount, milli
}

func (b *basket) threshold(p *part, from []int64) verdict {
	if p.MinAmount == 0 && p.MinMilli == 0 {
		return verdict{}
	}
	amount, milli := b.counts(p, from)
	switch {
	case amount < p.MinAmount:
		return verdict{why: WhyThreshold, more: p.MinAmount - amount}
	case milli < p.MinMilli:
		return verdict{why: WhyQuantity, more: p.MinMilli - milli}
	}
	return verdict{}
}

// effect fills in what the effect would take off by line. It may be more than a line has
// left where it is worked out from the initial amounts.
func (b *basket) effect(p *part, from, left, out []int64) {
	e := p.Effect
	switch {
	case e.Kind == Gift:
		b.pick(out, upTo(max(1, e.Units)), whole)
	case e.Kind == Set:
		for _, i := range p.target {
			out[i] = e.ByLine[i]
		}
	case e.Kind == FreeDelivery:
		for _, i := range p.target {
			out[i] = left[i]
		}
	case e.Kind == Exchange:
		b.units(p.target, from, left)
		if e.Amount > 0 {
			b.runs = slices.DeleteFunc(b.runs, func(r run) bool { return r.price > e.Amount })
		}
		b.pick(out, upTo(max(1, e.Units)), whole)
	case e.Kind == BuyGet:
		b.units(p.target, from, left)
		b.pick(out, groups(e.Buy, e.Get, e.Times), e.off)
	case e.Kind == FixedPrice || e.Per == PerUnit || e.Per == PerCheapest || e.Per == PerNth:
		b.units(p.target, from, left)
		b.pick(out, b.chosen(e), e.off)
	case e.Per == PerLine:
		for _, i := range p.target {
			out[i] = e.off(run{price: from[i]})
		}
	default:
		b.order(p, from, left, out)
	}
}

// order takes something off the lines as a whole, shared by what each has left.
func (b *basket) order(p *part, from, left, out []int64) {
	var all, rest int64
	for _, i := range p.target {
		all += from[i]
		rest += left[i]
	}
	off := p.Effect.off(run{price: all})
	if p.Effect.Kind == Amount {
		off = p.Effect.Amount
	}
	if p.Effect.Kind == Amount && p.Effect.Per == PerStep {
		off = times(off, b.steps(p, from), rest)
	}
	if off = min(off, rest); off == 0 {
		return
	}
	for _, i := range p.target {
		out[i] = left[i]
	}
	b.shrink(out, rest, off)
}

// steps is how many times the threshold is full.
func (b *basket) steps(p *part, from []int64) int64 {
	amount, milli := b.counts(p, from)
	n := int64(-1)
	if p.MinAmount > 0 {
		n = amount / p.MinAmount
	}
	if p.MinMilli > 0 && (n < 0 || milli/p.MinMilli < n) {
		n = milli / p.MinMilli
	}
	if n < 0 {
		n = 1 // no threshold: once
	}
	if p.Effect.Times > 0 {
		n = min(n, p.Effect.Times)
	}
	return n
}

// times is a × n, or most where it would be more. Nothing overflows.
func times(a, n, most int64) int64 {
	if n > 0 && a > most/n {
		return most
	}
	return a * n
}

// off is what the effect takes off one unit (or line, or order) of a price.
func (e Effect) off(r run) int64 {
	switch e.Kind {
	case Amount:
		return min(e.Amount, r.price)
	case FixedPrice:
		price := e.Amount
		if r.milli != 1000 {
			ok := false
			if price, ok = money.MulDiv(e.Amount, r.milli, 1000, money.HalfUp); !ok {
				return 0 // past any amount: not cheaper
			}
		}
		return max(0, r.price-price)
	}
	n, _ := money.MulDiv(r.price, e.Percent, 10_000, money.HalfUp) // a sum of a basket: far from the limit
	return min(n, r.price)
}

func whole(r run) int64 { return r.price }

// units fills b.runs with the units of lines, the dearest first; of equals the earlier line.
// Lines that are free already, or have nothing left, have no units.
//
// What a line comes to is shared evenly over its units; what does not divide makes the first
// of them one dearer. So a line has at most two runs, however many units.
func (b *basket) units(lines []int, from, left []int64) {
	b.runs = b.runs[:0]
	for _, i := range lines {
		if left[i] == 0 || from[i] == 0 {
			continue
		}
		l := b.lines[i]
		if l.Milli == 0 || l.Milli%1000 != 0 {
			b.runs = append(b.runs, run{line: i, n: 1, price: from[i], milli: l.Milli})
			continue
		}
		n := l.Milli / 1000
		price, dearer := from[i]/n, from[i]%n
		if dearer > 0 {
			b.runs = append(b.runs, run{line: i, n: dearer, price: price + 1, milli: 1000})
		}
		if price > 0 {
			b.runs = append(b.runs, run{line: i, n: n - dearer, price: price, milli: 1000})
		}
	}
	slices.SortFunc(b.runs, func(x, y run) int { // no two are equal: runs of one line differ in price
		switch {
		case x.price > y.price:
			return -1
		case x.price < y.price:
			return 1
		}
		return x.line - y.line
	})
}

// give fills b.runs with the units that a gift makes free.
func (b *basket) give(p *part, from, left []int64) {
	b.units(p.target, from, left)
	n := max(1, p.Effect.Units)
	for k := range b.runs {
		b.runs[k].n = min(b.runs[k].n, n)
		n -= b.runs[k].n
	}
	b.runs = slices.DeleteFunc(b.runs, func(r run) bool { return r.n == 0 })
}

// upto says of the first n units in the row of b.runs how many are picked.
type upto func(n int64) int64

func upTo(most int64) upto { return func(n int64) int64 { return min(n, most) } }

// groups picks the last get of each group of buy + get units.
func groups(buy, get, most int64) upto {
	size := max(1, buy+get)
	return func(n int64) int64 {
		full, rest := n/size, max(0, n%size-buy)
		if most > 0 && full >= most {
			full, rest = most, 0
		}
		return full*get + rest
	}
}

// chosen is which units of the row an effect by unit picks.
func (b *basket) chosen(e Effect) upto {
	switch {
	case e.Per == PerNth:
		return groups(max(1, e.Nth)-1, 1, e.Times)
	case e.Per == PerCheapest:
		var all int64
		for _, r := range b.runs {
			all += r.n
		}
		return func(n int64) int64 {
			if n == all {
				return 1
			}
			return 0
		}
	case e.Times > 0:
		return upTo(e.Times)
	}
	return func(n int64) int64 { return n }
}

// pick adds up by line what picked units have off.
func (b *basket) pick(out []int64, count upto, off func(run) int64) {
	var at, before int64
	for _, r := range b.runs {
		at += r.n
		now := count(at)
		out[r.line] += (now - before) * off(r)
		before = now
	}
}

// shrink makes shares that add up to sum add up to a smaller total, in proportion, by
// largest remainder. None grows.
func (b *basket) shrink(shares []int64, sum, total int64) {
	if total < sum {
		money.SplitInto(shares, b.rems, total, shares)
	}
}
