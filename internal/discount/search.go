package discount

import (
	"cmp"
	"slices"
)

// maxSteps bounds the search: so many sets are looked at, at most. 20 coupons that all go
// together have a million sets; what is still to be had (ahead) leaves a few hundred of them
// in the middle, and more than this in one of two hundred baskets (TestWithinBound). So many
// take about 25 ms.
const maxSteps = 8_000

// search looks for the best set, and says whether it is sure that there is none better.
func (b *basket) search() (best choice, exact bool) {
	candidates := b.useful()
	best = b.greedy(candidates)
	exact = true
	if len(candidates) > MaxExact {
		exact = false
		candidates = most(candidates)
	}
	s := &seeker{basket: b, best: best}
	for _, p := range candidates {
		if p.Class == Exclusive {
			s.offer(b.weigh([]*part{p}))
		} else {
			s.list = append(s.list, p)
		}
	}
	s.prepare()
	s.descend(0, 0, false)
	return s.best, exact && s.steps <= maxSteps
}

// useful is the coupons that can give anything, each with the most that it can.
func (b *basket) useful() (list []*part) {
	out := make([]int64, len(b.lines))
	for _, p := range b.coupons {
		if p.most = b.bound(p, out); p.most > 0 {
			list = append(list, p)
		}
	}
	return list
}

// bound is more than what p can take off in stage 2, whatever comes before it.
//
// For most kinds that is what it takes off the basket as stage 2 finds it: the less is left,
// the less it takes, and the less easily is its threshold reached. The others are those whose
// unit may change as others get cheaper.
func (b *basket) bound(p *part, out []int64) (most int64) {
	switch {
	case p.Effect.Per == PerCheapest && p.Effect.Kind <= FixedPrice:
		most = b.dearest(p)
	case p.Effect.Kind == Exchange && p.Effect.Amount > 0:
		most = times(min(p.Effect.Amount, b.dearest(p)), max(1, p.Effect.Units), Sum(b.lines))
	default:
		p.steady = true
		most = b.want(p, b.stage2, out, p.Effect.Kind == Gift).off
	}
	if p.Cap > 0 {
		most = min(most, p.Cap)
	}
	if p.Budget >= 0 {
		most = min(most, p.Budget)
	}
	return most
}

// dearest is the price of the dearest unit that p may touch.
func (b *basket) dearest(p *part) int64 {
	from := b.stage2
	if p.From == Initial {
		from = b.initial
	}
	b.units(p.target, from, b.stage2)
	if len(b.runs) == 0 {
		return 0
	}
	return b.runs[0].price
}

// most is the MaxExact coupons that can take most off.
func most(list []*part) []*part {
	list = slices.Clone(list)
	slices.SortFunc(list, func(x, y *part) int {
		return cmp.Or(cmp.Compare(y.most, x.most), cmp.Compare(x.Rank, y.Rank), inOrder(x, y))
	})
	list = list[:MaxExact]
	slices.SortFunc(list, inOrder)
	return list
}

// greedy adds the coupon with which the set saves most, of equals the one whose set is
// better, until none adds anything.
func (b *basket) greedy(list []*part) (so choice) {
	for {
		best := so
		for _, p := range list {
			if !fits(so.set, p) {
				continue
			}
			set := append(slices.Clone(so.set), p)
			slices.SortFunc(set, inOrder)
			if c := b.weigh(set); c.off > so.off && c.better(best) {
				best = c
			}
		}
		if best.off == so.off {
			return so
		}
		so = best
	}
}

// fits says whether the classes let p join a set.
func fits(set []*part, p *part) bool {
	for _, q := range set {
		if q == p || q.Class == Exclusive || p.Class == Exclusive || q.Class == BestOf && p.Class == BestOf {
			return false
		}
	}
	return true
}
