package tier

import (
	"encoding/json"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Standing is where a member stands in one scheme. Its short names are in rows: never reuse one.
type Standing struct {
	Scheme int64  `json:"s"`
	Tier   string `json:"t,omitempty"` // code, "" for none
	Rank   int    `json:"r,omitempty"` // that the tier had, for ladders from which it is gone
	Since  Day    `json:"b,omitempty"` // the tier was reached
	From   Day    `json:"f,omitempty"` // the running term began
	Until  Day    `json:"u,omitempty"` // first day after the term, 0 for no end
	Proof  Day    `json:"p,omitempty"` // as of which the term was earned
	Kept   bool   `json:"k,omitempty"` // it was earned by keeping, not by qualifying
	Hand   bool   `json:"h,omitempty"` // the term was given by hand

	Locked     bool   `json:"l,omitempty"`
	LockUntil  Day    `json:"lu,omitempty"` // first day on which it is not locked, 0 for no end
	Reason     string `json:"w,omitempty"`  // of what was done by hand
	Floor      string `json:"ft,omitempty"` // tier that was given by hand, under which nobody falls
	FloorUntil Day    `json:"fu,omitempty"`

	Paid   []Paid `json:"pd,omitempty"` // the last welcome bonus of each tier
	Near   *Paid  `json:"n,omitempty"`  // near which tier, and in which cycle, was told
	Warned Day    `json:"wn,omitempty"` // end of the term of which was told that it will not be kept
	Next   Day    `json:"x,omitempty"`  // when to look again, 0 for never
}

// Paid is a tier in a cycle.
type Paid struct {
	Tier  string `json:"t"`
	Cycle int64  `json:"c"`
}

func (s *Standing) paid(tier string, cycle int64) bool {
	for _, p := range s.Paid {
		if p.Tier == tier && p.Cycle == cycle {
			return true
		}
	}
	return false
}

// pay notes that a welcome bonus was paid. The list is a new one: standings are copied.
func (s *Standing) pay(tier string, cycle int64) {
	list := make([]Paid, 0, len(s.Paid)+1)
	for _, p := range s.Paid {
		if p.Tier != tier {
			list = append(list, p)
		}
	}
	s.Paid = append(list, Paid{tier, cycle})
}

// standings is what a member's row holds: a standing for each scheme in which they were looked at.
type standings struct {
	N      int64      `json:"n"`           // rows of history so far
	Joined Day        `json:"j,omitempty"` // when they joined, as a look last found it; 0 where none asked
	Out    bool       `json:"o,omitempty"` // merged into another, or erased: nobody looks, and no list shows it
	List   []Standing `json:"l,omitempty"`
}

// of is the standing in a scheme, an empty one where there is none.
func (r *standings) of(scheme int64) Standing {
	for _, s := range r.List {
		if s.Scheme == scheme {
			return s
		}
	}
	return Standing{Scheme: scheme}
}

func (r *standings) set(st Standing) {
	list := make([]Standing, 0, len(r.List)+1)
	done := false
	for _, s := range r.List {
		if s.Scheme == st.Scheme {
			s, done = st, true
		}
		list = append(list, s)
	}
	if !done {
		list = append(list, st)
	}
	r.List = list
}

// next is the earliest day on which one of them must be looked at again, lastDay for none.
func (r *standings) next() Day {
	next := lastDay
	if r.Out {
		return next
	}
	for _, s := range r.List {
		if s.Next != 0 {
			next = min(next, s.Next)
		}
	}
	return next
}

func (r *standings) pack() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // plain values
	}
	return string(b)
}

func unpack(text string) (standings, error) {
	var r standings
	if text == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("read a standing: %w", err)
	}
	return r, nil
}

// Columns of the row of a member: tier is that of the main scheme, for lists.
var (
	memberTable  = ledger.DefineTable("tier_member", 2, "shard int, member_id int, tier text, next_day int, body text")
	historyTable = ledger.DefineTable("tier_history", 3, "shard int, member_id int, seq int, scheme_id int, kind text, from_tier text, to_tier text, day int, until_day int, at_ms int, actor text, reason text, evidence text")
)

// Row names the row of a member, for the Needs of a command that asks for the tier.
func Row(member int64) ledger.RowKey {
	return ledger.RowKey{Table: memberTable, Key: []any{int64(id.Shard(member)), member}}
}

// load reads the row of a member out of a state, which must have it.
func load(s *ledger.State, member int64) (standings, error) {
	v := s.Row(memberTable, int64(id.Shard(member)), member)
	if v == nil {
		return standings{}, nil
	}
	return unpack(v[4].(string))
}

// At is where a member stands in the main scheme, with what counts for others.
type At struct {
	Code   string // "" for none
	Rank   int    // from 1; 0 for none
	NameEN string
	NameZH string

	benefits Benefits
}

// Multiplier is what earning rules multiply by, in thousandths: 1000 for × 1.
func (a *At) Multiplier() int64 { return a.benefits.milli() }

// Benefits are what the tier gives.
func (a *At) Benefits() Benefits { return a.benefits }

// Of is where a member stands in the main scheme, by the row that the state has loaded: name
// Row(member) in Needs. It is never nil. Take the Snapshot before the batch: a decision is to see one.
func (n *Snapshot) Of(s *ledger.State, member int64) *At {
	if n.main == nil {
		return &At{}
	}
	r, err := load(s, member)
	if err != nil {
		return &At{} // verify tells of it
	}
	return n.main.at(r.of(n.main.ID))
}

// at says what a standing gives by this ladder.
func (l *Ladder) at(s Standing) *At {
	rank := l.rankOf(s)
	if rank == 0 {
		return &At{}
	}
	t := &l.Tiers[rank-1]
	return &At{Code: t.Code, Rank: rank, NameEN: t.NameEN, NameZH: t.NameZH, benefits: t.Benefits}
}
