package discount

import "slices"

// seeker goes through the sets of coupons that go together, with the coupon before without
// it, and turns back where what is still to be had cannot make the set the best.
type seeker struct {
	*basket
	list  []*part // in order
	sets  [][]int // sets of lines that scopes and targets are
	scope []int   // of each coupon of list: its scope, in sets
	goal  []int   // of each coupon of list: what it touches, in sets
	at    []step  // by depth
	set   []*part // what is taken so far
	best  choice
	steps int
}

// step is the scratch of one depth.
type step struct {
	left, out []int64
	most      []int64 // of each coupon of list: the most that it can still take
	stale     bool    // most is of before the last coupon was taken
	sums      []int64 // of sets: what their lines have left
	rest      []int64 // of sets: the least that can be left in the end
}

// prepare works out the sets of lines.
func (s *seeker) prepare() {
	seen := map[string]int{}
	number := func(lines []int) int {
		key := make([]byte, len(s.lines))
		for _, i := range lines {
			key[i] = 1
		}
		n, ok := seen[string(key)]
		if !ok {
			n = len(s.sets)
			seen[string(key)] = n
			s.sets = append(s.sets, lines)
		}
		return n
	}
	for _, p := range s.list {
		s.scope = append(s.scope, number(p.scope))
		s.goal = append(s.goal, number(p.target))
	}
	s.at = make([]step, len(s.list)+1)
	for i := range s.at {
		s.at[i] = step{
			left: make([]int64, len(s.lines)), out: make([]int64, len(s.lines)), most: make([]int64, len(s.list)),
			sums: make([]int64, len(s.sets)), rest: make([]int64, len(s.sets)),
		}
	}
	copy(s.at[0].left, s.stage2)
	for i, p := range s.list {
		s.at[0].most[i] = p.most
	}
}

// offer takes a choice where it is better than the best so far.
func (s *seeker) offer(c choice) {
	if c.better(s.best) {
		c.set = slices.Clone(c.set)
		s.best = c
	}
}

// descend tries coupons from depth on. off is what the set so far saves; rival says that it
// has one that is best of.
func (s *seeker) descend(depth int, off int64, rival bool) {
	s.offer(choice{set: s.set, off: off})
	if s.steps++; depth == len(s.list) || s.steps > maxSteps {
		return
	}
	if s.idle(off+s.ahead(depth, rival)) || s.renew(depth) && s.idle(off+s.ahead(depth, rival)) {
		return
	}
	now, next := &s.at[depth], &s.at[depth+1]
	p := s.list[depth]
	if p.Class != BestOf || !rival {
		if v := s.take(p, now.left, now.out); v.off > 0 {
			copy(next.left, now.left)
			subtract(next.left, now.out)
			copy(next.most, now.most)
			next.stale = true
			s.set = append(s.set, p)
			s.descend(depth+1, off+v.off, rival || p.Class == BestOf)
			s.set = s.set[:len(s.set)-1]
		}
	}
	copy(next.left, now.left)
	copy(next.most, now.most)
	next.stale = false
	s.descend(depth+1, off, rival)
}

// idle says that sets of more coupons than s.set, which save at most so much, cannot be the
// best: of sets that save the same, those of fewer coupons are, or of as many with lower ranks.
func (s *seeker) idle(most int64) bool {
	return most < s.best.off || most == s.best.off && len(s.set) >= len(s.best.set)
}

// renew works out anew what the coupons from depth on can still take, once a coupon was
// taken. Those by order follow from sums alone (reach); the others have to look at their
// units, which costs more than all else, so only where the bound before did not suffice.
func (s *seeker) renew(depth int) bool {
	now := &s.at[depth]
	if !now.stale {
		return false
	}
	now.stale = false
	for i := depth; i < len(s.list); i++ {
		if p := s.list[i]; p.steady && !p.whole() && now.most[i] > 0 {
			now.most[i] = min(now.most[i], s.want(p, now.left, now.out, p.Effect.Kind == Gift).off)
		}
	}
	return true
}

// whole says that the effect is of what is in scope as a whole.
func (p *part) whole() bool {
	return p.Effect.Per == PerOrder && p.Effect.Kind <= Amount
}

// ahead is at least what the coupons from depth on can still save, whichever are taken.
//
// Two bounds, of which the lower counts. Both follow a sum of lines down, as if each coupon
// took the most that it can of that sum, which leaves no more than any choice would: for a
// coupon the sum after it is the lower the lower it was before. The first follows what all
// lines have left. The second follows each set of lines that coupons touch by itself, and
// adds up. Of those that are best of one is taken, so the one that could take most is added.
func (s *seeker) ahead(depth int, rival bool) int64 {
	now := &s.at[depth]
	for k, lines := range s.sets {
		now.sums[k] = 0
		for _, i := range lines {
			now.sums[k] += now.left[i]
		}
	}
	copy(now.rest, now.sums)
	var all int64
	for _, n := range now.left {
		all += n
	}
	total, apart, one := all, int64(0), int64(0)
	for i := depth; i < len(s.list); i++ {
		p := s.list[i]
		if p.From == Running && p.Effect.Kind != Gift && now.sums[s.scope[i]] < p.MinAmount {
			continue // what is left only gets less
		}
		goal := &now.rest[s.goal[i]]
		if p.Class == BestOf {
			if !rival {
				one = max(one, p.reach(now.most[i], now.sums[s.goal[i]]))
			}
			continue
		}
		own := p.reach(now.most[i], *goal)
		*goal -= own
		apart += own
		total -= p.reach(now.most[i], total)
	}
	return min(all, one+min(all-total, apart))
}

// reach is at least what p takes off lines that come to sum, or off a part of them, where it
// can take most.
func (p *part) reach(most, sum int64) int64 {
	n := min(most, sum)
	if p.Effect.Kind == Percent && p.Effect.Per == PerOrder && p.From == Running {
		n = min(n, p.Effect.off(run{price: sum}))
	}
	return n
}
