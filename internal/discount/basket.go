package discount

import (
	"cmp"
	"slices"
)

// open makes a basket ready: promos in order, their scopes worked out, the earlier stages
// applied.
func open(lines []Line, list []Promo) *basket {
	check(lines, list)
	b := &basket{lines: lines, initial: make([]int64, len(lines)), rems: make([]uint64, len(lines))}
	for i, l := range lines {
		b.initial[i] = l.Amount
	}
	for _, p := range list {
		q := b.part(p)
		if p.Stage < StageCoupon {
			b.early = append(b.early, q)
		} else {
			b.coupons = append(b.coupons, q)
		}
	}
	slices.SortFunc(b.early, inOrder)
	slices.SortFunc(b.coupons, inOrder)
	b.stage2 = slices.Clone(b.initial)
	out := make([]int64, len(lines))
	for _, p := range b.early {
		b.take(p, b.stage2, out)
		subtract(b.stage2, out)
	}
	return b
}

func inOrder(x, y *part) int {
	return cmp.Or(cmp.Compare(x.Stage, y.Stage), cmp.Compare(x.Order, y.Order), cmp.Compare(x.Ref, y.Ref))
}

func subtract(left, off []int64) {
	for i := range left {
		left[i] -= off[i]
	}
}

func (b *basket) part(p Promo) *part {
	q := &part{Promo: p}
	for i, l := range b.lines {
		if !l.Delivery && (p.Scope == nil || p.Scope(i)) {
			q.scope = append(q.scope, i)
		}
		switch p.Effect.Kind {
		case FreeDelivery:
			if l.Delivery {
				q.target = append(q.target, i)
			}
		case Gift:
			if !l.Delivery && l.SKU != "" && slices.Contains(p.Effect.SKUs, l.SKU) {
				q.target = append(q.target, i)
			}
		}
	}
	if p.Effect.Kind != FreeDelivery && p.Effect.Kind != Gift {
		q.target = q.scope
	}
	return q
}

// choice is a set of coupons and what it saves.
type choice struct {
	set []*part // in order
	off int64   // of the coupons alone
}

// better says whether c is to be preferred to d: the rule of Best.
func (c choice) better(d choice) bool {
	if c.off != d.off {
		return c.off > d.off
	}
	if len(c.set) != len(d.set) {
		return len(c.set) < len(d.set)
	}
	if n := slices.Compare(ranks(c.set), ranks(d.set)); n != 0 {
		return n < 0
	}
	return slices.CompareFunc(c.set, d.set, inOrder) < 0
}

func ranks(set []*part) []int64 {
	list := make([]int64, len(set))
	for i, p := range set {
		list[i] = p.Rank
	}
	slices.Sort(list)
	return list
}

// weigh applies a set of coupons. Those of it that give nothing are not of the choice.
func (b *basket) weigh(set []*part) choice {
	left, out := slices.Clone(b.stage2), make([]int64, len(b.lines))
	c := choice{}
	for _, p := range set {
		if v := b.take(p, left, out); v.off > 0 {
			subtract(left, out)
			c.off += v.off
			c.set = append(c.set, p)
		}
	}
	return c
}

// asked is the sets of coupons that Apply chooses from: the whole, where the classes allow
// it; else each exclusive one, and the joint ones with each that is best of.
func (b *basket) asked() (sets [][]*part) {
	var rest, rivals []*part
	for _, p := range b.coupons {
		switch p.Class {
		case Exclusive:
			sets = append(sets, []*part{p})
		case BestOf:
			rivals = append(rivals, p)
		default:
			rest = append(rest, p)
		}
	}
	for _, p := range rivals {
		set := append(slices.Clone(rest), p)
		slices.SortFunc(set, inOrder)
		sets = append(sets, set)
	}
	if len(rivals) == 0 {
		sets = append(sets, rest)
	}
	return sets
}

// result applies everything for good and says why what is left out is left out.
func (b *basket) result(c choice, exact bool) Result {
	r := Result{Lines: slices.Clone(b.initial), Exact: exact, Applied: []Applied{}, Left: []Left{}}
	for _, p := range append(slices.Clone(b.early), b.coupons...) {
		if p.Stage == StageCoupon && !slices.Contains(c.set, p) {
			r.Left = append(r.Left, b.reason(p, c))
			continue
		}
		out := make([]int64, len(b.lines))
		v := b.take(p, r.Lines, out)
		if v.off == 0 {
			r.Left = append(r.Left, v.left(p))
			continue
		}
		subtract(r.Lines, out)
		r.Off += v.off
		r.Applied = append(r.Applied, Applied{Ref: p.Ref, Amount: v.off, ByLine: out})
	}
	return r
}

func (v verdict) left(p *part) Left { return Left{Ref: p.Ref, Why: v.why, More: v.more, SKU: v.sku} }

// reason says why a coupon is not of the choice. What it lacks itself comes first, for that
// is what somebody can do something about.
func (b *basket) reason(p *part, c choice) Left {
	out := make([]int64, len(b.lines))
	if v := b.take(p, b.stage2, out); v.off == 0 {
		return v.left(p)
	}
	for _, q := range c.set {
		switch {
		case q.Class == Exclusive:
			return Left{Ref: p.Ref, Why: WhyExclusive}
		case p.Class == Exclusive, p.Class == BestOf && q.Class == BestOf:
			return Left{Ref: p.Ref, Why: WhyNotBest}
		}
	}
	set := append(slices.Clone(c.set), p)
	slices.SortFunc(set, inOrder)
	left := slices.Clone(b.stage2)
	for _, q := range set {
		v := b.take(q, left, out)
		if q == p && v.off == 0 {
			return v.left(p)
		}
		subtract(left, out)
	}
	return Left{Ref: p.Ref, Why: WhyNotBest}
}
