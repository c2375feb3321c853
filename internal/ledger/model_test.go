package ledger

import (
	"cmp"
	"slices"
)

// The model is the ledger as one would keep it with matches: every point of a lot lies in
// one of seven boxes, and time moves on in steps of four hours, at each of which everything
// is looked at. It shares no code with the ledger, not even the calendar.

// The boxes. What is pending, usable or pinned is still the member's.
const (
	inPending = iota
	inUsable
	inPinned
	inSpent
	inExpired
	inClawed
	inMoved
	boxes
)

const (
	step     = day / 6         // midnight in Shanghai is one
	eastward = 8 * 3600 * 1000 // Shanghai is eight hours ahead, always
	unending = int64(253402300799999)
)

// The currencies of testConfig.
const (
	curPoints = 1 // 30 days rolling, may be given away at 10 %, owed when clawed back
	curStored = 2 // never ends, principal and bonus pay in proportion
	curGrowth = 3 // never ends, never spent
	curSlide  = 4 // 10 days after the last activity, 3 days pending, never owed, 5 days of grace
	curEnd    = 5
)

type mLot struct {
	seq                     int64 // of the ledger's lot, once it is known
	cur                     int64
	bonus                   bool
	earned, active, expires int64
	in                      [boxes]int64
	via                     *mLot // the lot of a merged member that this one was
	viaMember               int
	born                    *mLot // the first of those that this one was, by transfer or merge
}

type mPin struct {
	lot *mLot
	n   int64
}

type mHold struct {
	seq   int64
	cur   int64
	until int64
	pins  []mPin
	over  bool
}

type mMember struct {
	lots                       []*mLot
	holds                      []*mHold
	debt, clock, earned, spent [curEnd]int64
}

type model struct {
	now     int64
	members [3]mMember
	born    int64
}

// provisional is where the numbers of lots begin whose number in the ledger is not known
// yet: they come after all others, in the order in which they were made.
const provisional = int64(1) << 40

func (m *model) add(who int, l *mLot) {
	m.born++
	l.seq = provisional + m.born
	m.members[who].lots = append(m.members[who].lots, l)
}

func newModel(now int64) *model {
	m := &model{now: now}
	for i := range m.members {
		for c := range m.members[i].clock {
			m.members[i].clock[c] = unending
		}
	}
	return m
}

// midnight is the start of the day that is n days after the day of t, in Shanghai.
func midnight(t, n int64) int64 { return (t+eastward)/day*day - eastward + n*day }

// advance lets time pass: what has an instant has it at a step.
func (m *model) advance(to int64) {
	for t := (m.now/step + 1) * step; t <= to; t += step {
		for i := range m.members {
			for c := int64(1); c < curEnd; c++ {
				m.members[i].pass(c, t)
			}
		}
	}
	m.now = to
}

func (x *mMember) pass(c, t int64) {
	if x.clock[c] <= t {
		x.expire(c, t)
	}
	arrived := false
	for _, l := range x.lots {
		if l.cur == c && l.active <= t && l.in[inPending] > 0 {
			l.move(inPending, inUsable, l.in[inPending])
			arrived = true
		}
	}
	if arrived && c == curSlide && (x.clock[c] <= t || x.clock[c] == unending) {
		x.clock[c] = midnight(t, 11)
	}
	x.repay(c)
	for _, h := range x.holds {
		if h.cur == c && !h.over && h.until <= t {
			x.unpin(h, h.pins, t)
		}
	}
	x.expire(c, t)
}

func (l *mLot) move(from, to int, n int64) { l.in[from] -= n; l.in[to] += n }

func (l *mLot) granted() (n int64) {
	for _, v := range l.in {
		n += v
	}
	return n
}

func (x *mMember) sum(c int64, box int) (n int64) {
	for _, l := range x.lots {
		if l.cur == c {
			n += l.in[box]
		}
	}
	return n
}

func (x *mMember) expire(c, t int64) {
	for _, l := range x.lots {
		if l.cur == c && (l.expires <= t || x.clock[c] <= t) {
			l.move(inUsable, inExpired, l.in[inUsable])
		}
	}
}

func (x *mMember) repay(c int64) {
	n := min(x.debt[c], x.sum(c, inUsable))
	x.take(x.usable(c), n, inClawed)
	x.debt[c] -= n
}

func (x *mMember) unpin(h *mHold, pins []mPin, t int64) {
	h.over = true
	for _, p := range pins {
		p.lot.move(inPinned, inUsable, p.n)
	}
	x.repay(h.cur)
	x.expire(h.cur, t)
}

// usable are the lots with something usable, in the order in which they are spent.
func (x *mMember) usable(c int64) (out []*mLot) {
	for _, l := range x.lots {
		if l.cur == c && l.in[inUsable] > 0 {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b *mLot) int {
		return cmp.Or(cmp.Compare(a.expires, b.expires), cmp.Compare(a.earned, b.earned), cmp.Compare(a.seq, b.seq))
	})
	return out
}

// take puts n usable points into another box, one after the other.
func (x *mMember) take(from []*mLot, n int64, box int) (out []mPin) {
	for _, l := range from {
		var k int64
		for n > 0 && l.in[inUsable] > 0 {
			l.move(inUsable, box, 1)
			n, k = n-1, k+1
		}
		if k > 0 {
			out = append(out, mPin{l, k})
		}
	}
	return out
}

// pay is take in the currency's order: stored value pays from both purses in proportion.
func (x *mMember) pay(c, n int64, box int) []mPin {
	lots := x.usable(c)
	if c != curStored {
		return x.take(lots, n, box)
	}
	purse := func(bonus bool) (out []*mLot, sum int64) {
		for _, l := range lots {
			if l.bonus == bonus {
				out, sum = append(out, l), sum+l.in[inUsable]
			}
		}
		return out, sum
	}
	main, a := purse(false)
	bonus, b := purse(true)
	fromMain := n * a / (a + b)
	if fromMain+n*b/(a+b) < n && n*a%(a+b) >= n*b%(a+b) { // the odd one goes to the larger remainder
		fromMain++
	}
	return append(x.take(main, fromMain, box), x.take(bonus, n-fromMain, box)...)
}

// grant adds a lot. Where its time is over it pays a debt at most.
func (m *model) grant(who int, l *mLot, n int64) {
	x := &m.members[who]
	m.add(who, l)
	l.in[inPending] = n
	if l.active <= m.now {
		l.move(inPending, inUsable, n)
	}
	if l.cur == curSlide {
		x.clock[l.cur] = midnight(m.now, 11)
	}
	x.repay(l.cur)
	if l.expires <= m.now {
		l.move(inUsable, inExpired, l.in[inUsable])
	}
}

// policy gives a lot the instants that its currency says.
func policyLot(c, at int64, bonus bool) *mLot {
	l := &mLot{cur: c, bonus: bonus, earned: at, active: at, expires: unending}
	switch c {
	case curPoints:
		l.expires = midnight(at, 31)
	case curSlide:
		l.active = midnight(at, 3)
	}
	return l
}

func (x *mMember) slide(c, now int64) {
	if c == curSlide {
		x.clock[c] = midnight(now, 11)
	}
}

// clawback takes from the lots named, or from what has become of them with the last survivor
// where their member was merged; then from others; then it makes a debt where the currency
// knows one. Nobody has earned what was taken.
func (m *model) clawback(home int, survivors []int, c int64, takes []mPin) {
	all := append([]int{home}, survivors...)
	x := &m.members[all[len(all)-1]]
	total := int64(0)
	lack := make([]int64, len(takes))
	for i, t := range takes {
		lack[i] = t.n
		for _, l := range x.lots {
			if l != t.lot && (home == all[len(all)-1] || l.born != t.lot) {
				continue
			}
			for _, box := range []int{inPending, inUsable} {
				n := min(lack[i], l.in[box])
				l.move(box, inClawed, n)
				lack[i], total = lack[i]-n, total+n
			}
		}
	}
	for i := range takes {
		n := min(lack[i], x.sum(c, inUsable))
		x.take(x.usable(c), n, inClawed)
		total += n
		if c != curSlide {
			x.debt[c] += lack[i] - n
			total += lack[i] - n
		}
	}
	for _, who := range all {
		m.members[who].earned[c] -= total
	}
}

// giveBack restores spent points; what is over lapses, and has five days of grace where
// the currency is the sliding one.
func (m *model) giveBack(who int, c int64, back []mPin) {
	x := &m.members[who]
	for _, b := range back {
		b.lot.move(inSpent, inUsable, b.n)
		x.spent[c] -= b.n
	}
	late := int64(0)
	for _, b := range back {
		if b.lot.expires <= m.now {
			late += b.n
			b.lot.move(inUsable, inExpired, b.lot.in[inUsable])
		}
	}
	if x.clock[c] <= m.now || x.clock[c] == unending {
		x.slide(c, m.now)
	}
	x.repay(c)
	if late > 0 && c == curSlide {
		m.grant(who, &mLot{cur: c, earned: m.now, active: m.now, expires: midnight(m.now, 6)}, late)
	}
}

// merge hands all of one member to another.
func (m *model) merge(from, to int) {
	f, t := &m.members[from], &m.members[to]
	for c := int64(1); c < curEnd; c++ {
		m.hand(from, to, c)
		t.earned[c], t.spent[c] = t.earned[c]+f.earned[c], t.spent[c]+f.spent[c]
	}
}

func (m *model) hand(from, to int, c int64) {
	f, t := &m.members[from], &m.members[to]
	for _, l := range slices.Clone(f.lots) {
		if l.cur != c || l.in[inPending]+l.in[inUsable] == 0 {
			continue
		}
		n := &mLot{cur: c, bonus: l.bonus, earned: l.earned, active: l.active, expires: l.expires, via: l, viaMember: from, born: cmp.Or(l.born, l)}
		for _, box := range []int{inPending, inUsable} {
			n.in[box] = l.in[box]
			l.move(box, inMoved, l.in[box])
		}
		m.add(to, n)
	}
	t.debt[c], f.debt[c] = t.debt[c]+f.debt[c], 0
	if f.clock[c] != unending && f.clock[c] > m.now && (t.clock[c] == unending || f.clock[c] > t.clock[c]) {
		t.clock[c] = f.clock[c]
	}
	t.repay(c)
}

// restore is giveBack to a member who was merged: it goes on to the survivor, by whose
// clock it goes where that of its own has run out.
func (m *model) restore(who int, survivors []int, c int64, back []mPin) {
	x := &m.members[who]
	if len(survivors) > 0 && (x.clock[c] == unending || x.clock[c] <= m.now) {
		x.clock[c] = m.members[survivors[len(survivors)-1]].clock[c]
	}
	m.giveBack(who, c, back)
	for _, to := range survivors {
		for _, b := range back {
			m.members[to].spent[c] -= b.n
		}
		m.hand(who, to, c)
		who = to
	}
}

// unmerge gives back what is left of it.
func (m *model) unmerge(from, to int) {
	f, t := &m.members[from], &m.members[to]
	for c := int64(1); c < curEnd; c++ {
		came := false
		for _, l := range t.lots {
			if l.cur != c || l.via == nil || l.viaMember != from {
				continue
			}
			for _, box := range []int{inPending, inUsable} {
				came = came || l.in[box] > 0
				l.via.move(inMoved, box, l.in[box])
				l.move(box, inMoved, l.in[box])
			}
		}
		if came && (f.clock[c] == unending || f.clock[c] <= m.now) {
			f.clock[c] = t.clock[c]
		}
		t.earned[c], t.spent[c] = t.earned[c]-f.earned[c], t.spent[c]-f.spent[c]
		f.repay(c)
	}
}
