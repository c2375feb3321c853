package rule

import (
	"sync"

	"github.com/patron-loyalty/patron/internal/ledger"
)

// A budget lies in sixteen slices, each with its share of it. A sale takes from the slice of
// its member, so that sales of different members seldom wait for each other. Once a slice is
// used up, sales look at all of them and take from those that have something left. No slice
// gives more than its share, so a budget is never passed; and as all are looked at before a
// rule stops, it stops only when nothing is left.

func budgetRow(rule, slice int64) ledger.RowKey {
	return ledger.RowKey{Table: budgetTable, Key: []any{rule*slices16 + slice}}
}

// sliceOf is from which slice a member takes first.
func sliceOf(member int64) int64 { return (member%slices16 + slices16) % slices16 }

// shareOfSlice is what a slice has of a budget.
func shareOfSlice(budget, slice int64) int64 {
	n := budget / slices16
	if slice < budget%slices16 {
		n++
	}
	return n
}

// spent is what was taken of a slice, whose row was asked for.
func (b *batch) spent(rule, slice int64) int64 {
	v := b.state.Row(budgetTable, rule*slices16+slice)
	if v == nil {
		return 0
	}
	return v[1].(int64)
}

// slices are those that the batch looks at, in the order in which it takes.
func (b *batch) slices(rule int64) []int64 {
	own := sliceOf(b.account.ID)
	if !b.tight[rule] {
		return []int64{own}
	}
	list := make([]int64, slices16)
	for i := range list {
		list[i] = (own + int64(i)) % slices16
	}
	return list
}

// left is what the slices that the batch looks at have left.
func (b *batch) left(c *compiled) (n int64) {
	for _, slice := range b.slices(c.id) {
		n += max(0, shareOfSlice(c.def.Caps.Budget, slice)-b.spent(c.id, slice))
	}
	return n
}

// short reports whether a budget cut a rule of which not all slices were looked at. From then on
// they are.
func (b *batch) short(out []*Outcome) bool {
	short := false
	for _, o := range out {
		if o.cap == &capBudget && !b.tight[o.id] {
			b.service.tight.put(o.id)
			short = true
		}
	}
	return short
}

// take takes from the slices, and returns how much from which.
func (b *batch) take(rule, budget, n int64) (taken [][2]int64) {
	for _, slice := range b.slices(rule) {
		used := b.spent(rule, slice)
		part := min(n, max(0, shareOfSlice(budget, slice)-used))
		if part == 0 {
			continue
		}
		b.state.Put(budgetTable, rule*slices16+slice, used+part)
		taken, n = append(taken, [2]int64{slice, part}), n-part
	}
	if n > 0 {
		panic("rule: a rule gave more than its budget has left")
	}
	return taken
}

// giveBack puts back into the slices what was taken from them.
func giveBack(s *ledger.State, k *keptRule, n int64) {
	for i := range k.Budget {
		part := min(n, k.Budget[i][1])
		if part <= 0 {
			continue
		}
		key := k.Rule*slices16 + k.Budget[i][0]
		if v := s.Row(budgetTable, key); v != nil {
			s.Put(budgetTable, key, max(0, v[1].(int64)-part))
		}
		k.Budget[i][1] -= part
		n -= part
	}
}

// tightRules are the rules of whose budget a slice was found used up.
type tightRules struct {
	mu   sync.Mutex
	list map[int64]bool // replaced, never changed
}

func (t *tightRules) all() map[int64]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.list
}

func (t *tightRules) put(rule int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.list[rule] {
		return
	}
	next := map[int64]bool{rule: true}
	for r := range t.list {
		next[r] = true
	}
	t.list = next
}
