package plan

import (
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

var _ ledger.Companion = (*Service)(nil)

// Rows is part of ledger.Companion.
func (s *Service) Rows(member int64) []ledger.RowKey { return []ledger.RowKey{Row(member)} }

// Merged hands what runs over to the survivor, with the payments that may still be refunded.
// Where the survivor has a plan that runs, they keep that; the other one rests until the merge
// is undone.
func (s *Service) Merged(st *ledger.State, from, into *ledger.Account) error {
	b, day := s.book(), today(st)
	f, t := load(st, from.ID), load(st, into.ID)
	b.settle(st, from, &f, day)
	b.settle(st, into, &t, day)
	if f.N == 0 || f.Ended != 0 {
		return nil
	}
	if !t.On(day).Runs() {
		if err := b.inherit(st, &f, &t); err != nil {
			return err
		}
		t.put(st, b.next(&t, day))
	}
	f.Ended, f.Why = day, Merged
	f.put(st, 0)
	return nil
}

// inherit makes t a membership like f, of the survivor.
func (b *book) inherit(st *ledger.State, f, t *Membership) error {
	var keys []ledger.RowKey
	for seq := max(f.Periods-1, 1); seq <= f.Periods; seq++ {
		keys = append(keys, periodKey(f.Member, seq))
	}
	if err := st.Require(ledger.Needs{Rows: keys}); err != nil {
		return err
	}
	n, periods := t.N+1, t.Periods
	member := t.Member
	*t = *f
	t.Member, t.N, t.Periods, t.via = member, n, periods, f.Member
	for _, k := range keys {
		p := periodOf(st.Row(k.Table, k.Key...))
		if p.N != f.N {
			continue
		}
		t.Periods++
		p.Member, p.Seq, p.N, p.PaidDay = t.Member, t.Periods, t.N, 0
		p.Gifts = nil // their lots went another way; a refund leaves them
		p.put(st)
	}
	return nil
}

// Unmerged gives back what rested, or what the survivor had taken over, as it is now.
func (s *Service) Unmerged(st *ledger.State, from, into *ledger.Account) error {
	b, day := s.book(), today(st)
	f, t := load(st, from.ID), load(st, into.ID)
	if f.Why != Merged {
		return nil
	}
	f.Ended, f.Why = 0, ""
	if t.via == from.ID {
		f.Started, f.Anchor, f.Until, f.Paid, f.Grace = t.Started, t.Anchor, t.Until, t.Paid, t.Grace
		f.Ended, f.Why, f.Cancelled, f.Auto, f.Reminded, f.Lapsed = t.Ended, t.Why, t.Cancelled, t.Auto, t.Reminded, t.Lapsed
		t.via = 0
		if t.Ended == 0 {
			t.Ended, t.Why = day, Merged
		}
		t.put(st, 0)
	}
	if f.Ended != 0 {
		st.Put(endedTable, int64(id.Shard(f.Member)), f.Member, f.N, f.Plan, int64(f.Started), int64(f.Anchor), f.Paid, int64(f.Ended), string(f.Why))
	}
	f.put(st, b.next(&f, day))
	b.settle(st, from, &f, day)
	return nil
}
