package tier

import (
	"cmp"
	"context"
	"slices"

	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// maxSample is how many of those who make a move are named.
const maxSample = 10

// yearDays is for how long back the cost of multipliers is reckoned.
const yearDays = 365

// trial tallies what a draft would do to some members.
type trial struct {
	live, draft *Ladder // live may be nil
	today       Day
	points      []*ledger.Currency // of which multipliers give more

	members int64
	now     map[path]*tally
	settled map[path]*tally
	bonuses map[string]*Cost
	factors map[string]*Cost
}

// path is from which tier to which.
type path struct{ from, to string }

type tally struct {
	n      int64
	sample []int64 // the lowest numbers, in order
}

func (t *tally) add(m int64) {
	t.n++
	i, _ := slices.BinarySearch(t.sample, m)
	if i < maxSample {
		t.sample = slices.Insert(t.sample, i, m)
		t.sample = t.sample[:min(len(t.sample), maxSample)]
	}
}

// WhatIfOf checks a draft and works out what it would do.
func (s *Service) WhatIfOf(ctx context.Context, draft Scheme) (Result, error) {
	l, err := s.check(ctx, draft)
	if err != nil {
		return Result{}, err
	}
	return s.WhatIf(ctx, l, nil)
}

// WhatIf works out what a draft would do to all members, against what is live. progress, which
// may be nil, hears how far it is.
func (s *Service) WhatIf(ctx context.Context, draft *Ladder, progress func(done, total int64, note string)) (Result, error) {
	live := s.Snapshot().Ladder(draft.Code)
	if live != nil {
		draft.ID = live.ID
	}
	asks := &Snapshot{} // what either of the two asks of members
	asks.add(draft)
	if live != nil {
		asks.add(live)
	}
	config := s.o.Ledger.Config()
	fresh := func() *trial {
		t := &trial{live: live, draft: draft, today: s.today(), now: map[path]*tally{}, settled: map[path]*tally{}, bonuses: map[string]*Cost{}, factors: map[string]*Cost{}}
		for _, c := range config.Currencies {
			if c.Kind == ledger.Points && c.Active {
				t.points = append(t.points, c)
			}
		}
		return t
	}
	all, err := overCrowd(ctx, s, asks, fresh, (*trial).member, progress)
	if err != nil {
		return Result{}, err
	}
	sum := all[0]
	for _, t := range all[1:] {
		sum.join(t)
	}
	return sum.result(), nil
}

// member tallies one member.
func (t *trial) member(p *person) {
	t.members++
	in := Input{Sums: p.sums, Joined: p.joined, Now: t.today, Current: p.row.of(t.draft.ID)}
	before := Outcome{Standing: in.Current}
	from, factor := "", int64(1000)
	if t.live != nil {
		before = Evaluate(t.live, in)
		at := t.live.at(before.Standing)
		from, factor = at.Code, at.Multiplier()
	}
	in.Current = before.Standing
	after := Evaluate(t.draft, in)
	at := t.draft.at(after.Standing)
	count(t.now, path{from, at.Code}, p.id)

	end := ""
	if t.live != nil {
		end = t.live.settled(in, before.Standing)
	}
	count(t.settled, path{end, t.draft.settled(in, after.Standing)}, p.id)

	for _, w := range after.Awards {
		if !slices.ContainsFunc(before.Awards, func(b Award) bool { return b.Tier == w.Tier && b.Cycle == w.Cycle }) {
			charge(t.bonuses, w.Currency, w.Amount)
		}
	}
	if more := at.Multiplier() - factor; more != 0 {
		for _, c := range t.points {
			if earned := p.sums.book.Earned(c.ID, activity.Day(t.today), yearDays); earned != 0 {
				charge(t.factors, c.Code, earned*more/factor)
			}
		}
	}
}

func count(m map[path]*tally, k path, member int64) {
	t := m[k]
	if t == nil {
		t = &tally{}
		m[k] = t
	}
	t.add(member)
}

func charge(m map[string]*Cost, currency string, amount int64) {
	c := m[currency]
	if c == nil {
		c = &Cost{Currency: currency}
		m[currency] = c
	}
	c.Amount, c.Members = c.Amount+amount, c.Members+1
}

// settled is where a member would stand if every term ended today: the highest tier that they
// keep or qualify for, as of today or as of the end of the last whole window, where windows
// begin anew. What is locked or given by hand stays.
func (l *Ladder) settled(in Input, st Standing) string {
	rank := l.rankOf(st)
	if st.Locked || st.Hand && st.Floor != "" {
		return l.code(rank)
	}
	e := &evaluation{l: l, in: &in, out: Outcome{Standing: st}}
	days := []Day{in.Now}
	for _, w := range []Window{l.Window, l.window(true)} {
		if w.Kind == Calendar || w.Kind == Membership {
			days = append(days, w.from(in.Now, in.Joined, 0)-1)
		}
	}
	for r := len(l.Tiers); r > 0; r-- {
		if r <= rank && l.Downgrade == Never {
			return l.code(rank)
		}
		for _, on := range days {
			if e.qualifies(r, on, on) || r <= rank && e.keeps(r, on, on) {
				return l.code(r)
			}
		}
	}
	return ""
}

// join adds what another tallied.
func (t *trial) join(o *trial) {
	t.members += o.members
	for _, m := range []struct{ to, from map[path]*tally }{{t.now, o.now}, {t.settled, o.settled}} {
		for k, v := range m.from {
			if m.to[k] == nil {
				m.to[k] = &tally{}
			}
			sum := m.to[k]
			for _, id := range v.sample {
				sum.add(id)
			}
			sum.n += v.n - int64(len(v.sample))
		}
	}
	for _, m := range []struct{ to, from map[string]*Cost }{{t.bonuses, o.bonuses}, {t.factors, o.factors}} {
		for k, v := range m.from {
			if m.to[k] == nil {
				m.to[k] = &Cost{Currency: k}
			}
			m.to[k].Amount, m.to[k].Members = m.to[k].Amount+v.Amount, m.to[k].Members+v.Members
		}
	}
}

func (t *trial) result() Result {
	return Result{Members: t.members, Now: t.moves(t.now), Settled: t.moves(t.settled), Bonuses: costs(t.bonuses), Multiplier: costs(t.factors)}
}

// moves lists who go where, the tiers from the bottom up.
func (t *trial) moves(m map[path]*tally) []Move {
	out := []Move{}
	for k, v := range m {
		move := Move{From: k.from, To: k.to, Members: v.n}
		if k.from != k.to {
			for _, id := range v.sample {
				move.Sample = append(move.Sample, member.ID(id).String())
			}
		}
		out = append(out, move)
	}
	live := t.live
	if live == nil {
		live = t.draft
	}
	slices.SortFunc(out, func(a, b Move) int {
		return cmp.Or(cmp.Compare(live.rank(a.From), live.rank(b.From)), cmp.Compare(a.From, b.From), cmp.Compare(t.draft.rank(a.To), t.draft.rank(b.To)), cmp.Compare(a.To, b.To))
	})
	return out
}

func costs(m map[string]*Cost) []Cost {
	out := []Cost{}
	for _, c := range m {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Cost) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}
