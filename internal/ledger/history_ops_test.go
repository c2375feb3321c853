package ledger

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"
)

// The things that happen in a history. Each says what the ledger is asked, what refusal
// the model expects, and what the model does.

func (h *history) grant() {
	who := h.who()
	c, cur := h.currency()
	n := rapid.Int64Range(1, 20).Draw(h.t, "amount")
	g := Grant{Kind: Earn, Currency: cur, Amount: n, Posting: Posting{AtMS: h.model.now}}
	if c == curStored && rapid.Bool().Draw(h.t, "bonus") {
		g.Bucket = Bonus
	}
	next := (h.model.now/step + 1) * step
	switch rapid.SampledFrom([]string{"now", "now", "pending", "backdated", "short", "wrong"}).Draw(h.t, "when") {
	case "pending":
		g.ActiveMS = next + step*rapid.Int64Range(0, 60).Draw(h.t, "until")
	case "backdated": // the older ones have expired meanwhile
		g.AtMS -= day * rapid.Int64Range(1, 45).Draw(h.t, "days")
	case "short":
		g.ActiveMS, g.ExpiresMS = h.model.now, next+step*rapid.Int64Range(0, 8).Draw(h.t, "life")
	case "wrong":
		g.ActiveMS, g.ExpiresMS = next+step, next+step
	}
	l := policyLot(c, g.AtMS, g.Bucket == Bonus)
	if g.ActiveMS != 0 {
		l.active = g.ActiveMS
		if c == curPoints {
			l.expires = midnight(l.active, 31)
		}
	}
	l.expires = cmp.Or(g.ExpiresMS, l.expires)
	var want error
	if l.expires <= l.active {
		want = ErrDates
	}
	// A grant asks for no lots, as sales do.
	h.do(Needs{Members: []int64{h.id(who)}}, want, func(s *State) error {
		a, err := s.Account(h.id(who))
		if err != nil {
			return err
		}
		_, err = s.Grant(a, g)
		return err
	}, func() {
		h.model.members[who].earned[c] += n
		h.model.grant(who, l, n)
	})
}

// on is do for a command on one member, with all their lots, the first of them, or none.
func (h *history) on(who int, n Needs, want error, f func(s *State, a *Account) error, then func(x *mMember)) {
	h.t.Helper()
	n.Members = []int64{h.id(who)}
	switch rapid.SampledFrom([]string{"first", "first", "none", "all"}).Draw(h.t, "lots") {
	case "first":
		for _, c := range h.config.Currencies {
			n.Heads = append(n.Heads, Head{Member: h.id(who), Currency: c.Code})
		}
	case "all":
		n.Lots = n.Members
	}
	h.do(n, want, func(s *State) error {
		a, err := s.Account(h.id(who))
		if err != nil {
			return err
		}
		return f(s, a)
	}, func() { then(&h.model.members[who]) })
}

// refusal is what the model says to taking n out of a purse.
func (h *history) refusal(who int, c, n int64) error {
	switch {
	case c == curGrowth:
		return ErrNotSpendable
	case h.model.members[who].sum(c, inUsable) < n:
		return ErrInsufficient
	}
	return nil
}

func (h *history) spend() {
	who := h.who()
	c, cur := h.currency()
	n := h.near(h.model.members[who].sum(c, inUsable))
	var took []Touch
	h.on(who, Needs{}, h.refusal(who, c, n), func(s *State, a *Account) (err error) {
		took, err = s.Spend(a, cur, n, Posting{})
		return err
	}, func(x *mMember) {
		pins := x.pay(c, n, inSpent)
		x.spent[c] += n
		x.slide(c, h.model.now)
		h.sameTouches(took, pins, -1)
	})
}

// sameTouches compares the lots that the ledger says it took with the model's.
func (h *history) sameTouches(got []Touch, want []mPin, sign int64) {
	h.t.Helper()
	same := len(got) == len(want)
	for i := range want {
		same = same && got[i] == Touch{want[i].lot.seq, sign * want[i].n}
	}
	if !same {
		h.t.Fatalf("took %v, want %v", got, want)
	}
}

func (h *history) hold() {
	who := h.who()
	c, cur := h.currency()
	n := h.near(h.model.members[who].sum(c, inUsable))
	until := (h.model.now/step + rapid.Int64Range(1, 20).Draw(h.t, "steps")) * step
	var made *Hold
	h.on(who, Needs{}, h.refusal(who, c, n), func(s *State, a *Account) (err error) {
		made, err = s.Hold(a, cur, n, until, "test", Posting{})
		return err
	}, func(x *mMember) {
		pins := x.pay(c, n, inPinned)
		x.holds = append(x.holds, &mHold{seq: made.Seq, cur: c, until: until, pins: pins})
		h.sameTouches(made.Lots, pins, 1)
	})
}

// anyHold draws a hold of a member, over or not, or nil where there is none.
func (h *history) anyHold(who int) *mHold {
	if holds := h.model.members[who].holds; len(holds) > 0 {
		return holds[rapid.IntRange(max(0, len(holds)-4), len(holds)-1).Draw(h.t, "hold")]
	}
	return nil
}

func (h *history) capture() {
	who := h.who()
	hold := h.anyHold(who)
	if hold == nil {
		return
	}
	var all int64
	for _, p := range hold.pins {
		all += p.n
	}
	n := h.near(all)
	var want error
	if hold.over {
		want = ErrHoldOver
	} else if n > all {
		want = ErrHoldAmount
	}
	h.on(who, Needs{Holds: []LotKey{{h.id(who), hold.seq}}}, want, func(s *State, a *Account) error {
		found, err := s.FindHold(a, hold.seq)
		if err != nil {
			return err
		}
		_, err = s.Capture(a, h.config.Currencies[hold.cur], found, n, Posting{})
		return err
	}, func(x *mMember) {
		left, rest := n, []mPin(nil)
		for _, p := range hold.pins {
			k := min(left, p.n)
			p.lot.move(inPinned, inSpent, k)
			left -= k
			rest = append(rest, mPin{p.lot, p.n - k})
		}
		x.spent[hold.cur] += n
		x.slide(hold.cur, h.model.now)
		x.unpin(hold, rest, h.model.now)
	})
}

func (h *history) release() {
	who := h.who()
	hold := h.anyHold(who)
	if hold == nil {
		return
	}
	var want error
	if hold.over {
		want = ErrHoldOver
	}
	h.on(who, Needs{Holds: []LotKey{{h.id(who), hold.seq}}}, want, func(s *State, a *Account) error {
		found, err := s.FindHold(a, hold.seq)
		if err != nil {
			return err
		}
		return s.Release(a, found)
	}, func(x *mMember) { x.unpin(hold, hold.pins, h.model.now) })
}

// lotsIn draws up to three lots of one currency that have something in a box, and how much
// of each.
func (h *history) draw(who int, has func(*mLot) int64) (c int64, out []mPin) {
	var lots []*mLot
	for _, l := range h.model.members[who].lots {
		if has(l) > 0 {
			lots = append(lots, l)
		}
	}
	if len(lots) == 0 {
		return 0, nil
	}
	first := rapid.SampledFrom(lots).Draw(h.t, "lot")
	for _, l := range lots {
		if l == first || l.cur == first.cur && len(out) < 2 && rapid.Bool().Draw(h.t, "too") {
			out = append(out, mPin{l, h.part(has(l))})
		}
	}
	return first.cur, out
}

func (h *history) keysOf(who int, pins []mPin) (out []LotKey) {
	for _, p := range pins {
		out = append(out, LotKey{h.id(who), p.lot.seq})
	}
	return out
}

// clawback is of what anybody earned: also of one who was merged, from the survivor.
func (h *history) clawback() {
	home := rapid.IntRange(0, 2).Draw(h.t, "member")
	c, takes := h.draw(home, func(l *mLot) int64 { return l.granted() - l.in[inClawed] - l.in[inExpired] })
	if takes == nil {
		return
	}
	survivors := h.survivors(home)
	h.chain(home, survivors, h.keysOf(home, takes), func(s *State, chain []*Account) error {
		var list []Take
		for _, t := range takes {
			list = append(list, Take{Member: chain[0].ID, Lot: t.lot.seq, Amount: t.n + 2, Gone: 2})
		}
		_, err := s.Clawback(chain[len(chain)-1], h.config.Currencies[c], list, Posting{})
		return err
	}, func() { h.model.clawback(home, survivors, c, takes) })
}

// giveBack is to anybody: also to one who was merged, for whom the survivor gets it.
func (h *history) giveBack() {
	who := rapid.IntRange(0, 2).Draw(h.t, "member")
	survivors := h.survivors(who)
	c, back := h.draw(who, func(l *mLot) int64 { return l.in[inSpent] })
	if back == nil {
		return
	}
	h.chain(who, survivors, h.keysOf(who, back), func(s *State, chain []*Account) error {
		var list []Touch
		for _, b := range back {
			list = append(list, Touch{b.lot.seq, b.n})
		}
		s.GiveBack(chain[0], h.config.Currencies[c], list, Posting{})
		s.Forward(chain[0], h.config.Currencies[c], Posting{})
		return nil
	}, func() { h.model.restore(who, survivors, c, back) })
}

// chain is do for a command on a member and all into whom they were merged.
func (h *history) chain(who int, survivors []int, closed []LotKey, f func(s *State, chain []*Account) error, then func()) {
	h.t.Helper()
	ids := []int64{h.id(who)}
	for _, to := range survivors {
		ids = append(ids, h.id(to))
	}
	h.do(Needs{Members: ids, LotSeqs: closed}, nil, func(s *State) error {
		var chain []*Account
		for _, id := range ids {
			a, err := s.Account(id)
			if err != nil {
				return err
			}
			chain = append(chain, a)
		}
		return f(s, chain)
	}, then)
}

// survivors are those whom a member was merged into, one after the other.
func (h *history) survivors(who int) (out []int) {
	for i := 0; i < len(h.merged); i++ {
		if h.merged[i][0] == who {
			who = h.merged[i][1]
			out, i = append(out, who), -1
		}
	}
	return out
}

func (h *history) transfer() {
	from, to := h.who(), h.who()
	c, cur := h.currency()
	n := h.near(h.model.members[from].sum(c, inUsable))
	fee := int64(0)
	if c == curPoints {
		fee = (n + 9) / 10
	}
	var want error
	switch {
	case from == to:
		want = ErrSelf
	case c == curGrowth:
		want = ErrNotSpendable
	case c == curStored:
		want = ErrNoTransfer
	default:
		want = h.refusal(from, c, n+fee)
	}
	needs := Needs{Members: []int64{h.id(from), h.id(to)}, Heads: []Head{{Member: h.id(from), Currency: cur.Code}}}
	h.do(needs, want, func(s *State) error {
		f, err := s.Account(h.id(from))
		if err != nil {
			return err
		}
		t, err := s.Account(h.id(to))
		if err != nil {
			return err
		}
		_, err = s.Transfer(f, t, cur, n, Posting{})
		return err
	}, func() {
		f := &h.model.members[from]
		moved := f.take(f.usable(c), n, inMoved)
		f.take(f.usable(c), fee, inSpent)
		f.slide(c, h.model.now)
		for _, p := range moved {
			l := &mLot{cur: c, earned: p.lot.earned, active: h.model.now, expires: unending, born: p.lot}
			if c == curPoints {
				l.expires = p.lot.expires // these keep their end
			}
			h.model.grant(to, l, p.n)
		}
	})
}

func (h *history) adjust() {
	who := h.who()
	c, cur := h.currency()
	usable := h.model.members[who].sum(c, inUsable)
	n := h.near(usable) * rapid.SampledFrom([]int64{1, -1}).Draw(h.t, "sign")
	var want error
	if -n > usable {
		want = ErrInsufficient
	}
	h.on(who, Needs{}, want, func(s *State, a *Account) error {
		_, _, err := s.Adjust(a, cur, n, Posting{})
		return err
	}, func(x *mMember) {
		if n > 0 {
			h.model.grant(who, policyLot(c, h.model.now, false), n)
		} else {
			x.take(x.usable(c), -n, inClawed)
		}
	})
}

func (h *history) merge() {
	from, to := h.who(), h.who()
	var want error
	if from == to {
		want = ErrSelf
	} else if slices.ContainsFunc(h.model.members[from].holds, func(x *mHold) bool { return !x.over }) {
		want = ErrHoldsOpen
	}
	ids := []int64{h.id(from), h.id(to)}
	h.do(Needs{Members: ids, Lots: ids}, want, func(s *State) error {
		f, err := s.Account(ids[0])
		if err != nil {
			return err
		}
		t, err := s.Account(ids[1])
		if err != nil {
			return err
		}
		return s.Merge(f, t, Posting{})
	}, func() {
		h.model.merge(from, to)
		h.merged = append(h.merged, [2]int{from, to})
	})
}

func (h *history) unmerge() {
	if len(h.merged) == 0 {
		return
	}
	last := h.merged[len(h.merged)-1]
	ids := []int64{h.id(last[0]), h.id(last[1])}
	needs := Needs{Members: ids, Lots: ids}
	h.do(needs, nil, func(s *State) error { // the lots are those of now, not of the latest posting
		survivor, err := s.Account(ids[1])
		for _, seq := range MergedLots(ids[0], survivor) {
			needs.LotSeqs = append(needs.LotSeqs, LotKey{ids[0], seq})
		}
		return err
	}, func() {})
	h.do(needs, nil, func(s *State) error {
		f, err := s.Account(ids[0])
		if err != nil {
			return err
		}
		t, err := s.Account(ids[1])
		if err != nil {
			return err
		}
		return s.Unmerge(f, t, Posting{})
	}, func() {
		h.model.unmerge(last[0], last[1])
		h.merged = h.merged[:len(h.merged)-1]
	})
}
