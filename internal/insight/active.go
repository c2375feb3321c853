package insight

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/program"
)

// The scopes of day_active.
const (
	ofProgram  = 0
	ofMerchant = 1
	ofStore    = 2
)

// scope is the programme, a merchant or a store.
type scope struct {
	kind int8
	id   int64
}

// monthOf is the month of a day, and the day's bit in it.
func monthOf(d program.Day) (month, bit int64) {
	y, m, day := dateOf(d)
	return int64(y)*12 + int64(m) - 1, 1 << (day - 1)
}

// dateOf is the calendar's date of a day.
func dateOf(d program.Day) (int, time.Month, int) {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Date()
}

// firstOf is the first day of a month.
func firstOf(month int64) program.Day {
	return program.Day(time.Date(int(month/12), time.Month(month%12+1), 1, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// countKey is a row of day_active.
type countKey struct {
	scope scope
	day   program.Day
}

// counts are how many members were active, and how many for the first time in a month. What
// one member adds follows from the days of theirs alone, so a change of a member's days is
// the old ones taken off and the new ones added.
type counts struct {
	snap *program.Snapshot
	n    map[countKey]*[2]int64
}

func newCounts(snap *program.Snapshot) *counts {
	return &counts{snap: snap, n: map[countKey]*[2]int64{}}
}

// add counts the days of one member in a month, by store, sign times.
func (c *counts) add(month int64, days map[int64]int64, sign int64) {
	if len(days) == 0 {
		return
	}
	var all int64
	merchants := map[int64]int64{}
	for store, d := range days {
		all |= d
		c.days(scope{ofStore, store}, month, d, sign)
		st, _ := c.snap.Store(store)
		merchants[st.Merchant] |= d
	}
	for m, d := range merchants {
		c.days(scope{ofMerchant, m}, month, d, sign)
	}
	c.days(scope{ofProgram, 0}, month, all, sign)
}

func (c *counts) days(s scope, month, days, sign int64) {
	first := firstOf(month)
	lowest := bits.TrailingZeros64(uint64(days))
	for left := uint64(days); left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		k := countKey{s, first + program.Day(i)}
		n := c.n[k]
		if n == nil {
			n = &[2]int64{}
			c.n[k] = n
		}
		n[0] += sign
		if i == lowest {
			n[1] += sign
		}
	}
}

func compareCounts(a, b countKey) int {
	return cmp.Or(cmp.Compare(a.scope.kind, b.scope.kind), cmp.Compare(a.scope.id, b.scope.id), cmp.Compare(a.day, b.day))
}

// rows are the counts that changed, as rows of day_active, in their order.
func (c *counts) rows() (rows [][]any) {
	for _, k := range slices.SortedFunc(maps.Keys(c.n), compareCounts) {
		if n := c.n[k]; *n != [2]int64{} {
			rows = append(rows, []any{k.scope.kind, k.scope.id, k.day, n[0], n[1]})
		}
	}
	return rows
}
