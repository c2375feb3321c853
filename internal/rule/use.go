package rule

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// slices16 is in how many rows the budget of a rule lies, so that no row is locked by every
// sale.
const slices16 = 16

// keptDays is for how many days, back from the latest, a member's use is kept by day. A sale
// that is older than that gets nothing from a rule with a cap by day, week or month, since
// nobody knows what was given then: a cap is never passed.
const keptDays = 400

// Use is what one member has had of the rules that count it.
type Use struct{ rules []RuleUse } // by rule, ascending

// RuleUse is what one member has had of one rule.
type RuleUse struct {
	Rule  int64
	Ever  int64 // points, net of returns
	Times int64
	Days  []DayUse // ascending
	Floor int32    // days before it are forgotten
	// Carry is the fraction that waits, in parts of a unit of which Of make one. It may be
	// below 0, where a return took back what it had helped to.
	Carry, Of int64
}

// DayUse is the use of one day of the programme.
type DayUse struct {
	Day           int32
	Points, Times int64
}

// of returns the use of a rule, which is empty where there is none.
func (u *Use) of(rule int64) RuleUse {
	if u == nil {
		return RuleUse{Rule: rule}
	}
	if i, ok := u.place(rule); ok {
		return u.rules[i]
	}
	return RuleUse{Rule: rule}
}

func (u *Use) place(rule int64) (int, bool) {
	return slices.BinarySearchFunc(u.rules, rule, func(r RuleUse, n int64) int {
		switch {
		case r.Rule < n:
			return -1
		case r.Rule > n:
			return 1
		}
		return 0
	})
}

// put sets the use of a rule; one of which nothing is left goes.
func (u *Use) put(r RuleUse) {
	i, ok := u.place(r.Rule)
	if nothing := r.Ever == 0 && r.Times == 0 && r.Carry == 0 && r.Floor == 0 && len(r.Days) == 0; nothing {
		if ok {
			u.rules = slices.Delete(u.rules, i, i+1)
		}
		return
	}
	if !ok {
		u.rules = slices.Insert(u.rules, i, r)
		return
	}
	u.rules[i] = r
}

// add counts points and times on a day. Both may be negative, for a return.
func (r *RuleUse) add(day int32, points, times int64, windows bool) {
	r.Ever, r.Times = max(0, r.Ever+points), max(0, r.Times+times)
	if !windows || day < r.Floor {
		return
	}
	r.Days = slices.Clone(r.Days)
	i, ok := slices.BinarySearchFunc(r.Days, day, func(d DayUse, n int32) int { return int(d.Day) - int(n) })
	if !ok {
		r.Days = slices.Insert(r.Days, i, DayUse{Day: day})
	}
	d := &r.Days[i]
	d.Points, d.Times = max(0, d.Points+points), max(0, d.Times+times)
	if d.Points == 0 && d.Times == 0 {
		r.Days = slices.Delete(r.Days, i, i+1)
	}
	r.forget()
}

// forget drops the days that are too old.
func (r *RuleUse) forget() {
	if len(r.Days) == 0 {
		return
	}
	floor := r.Days[len(r.Days)-1].Day - keptDays
	n := 0
	for n < len(r.Days) && r.Days[n].Day < floor {
		n++
	}
	if n > 0 {
		r.Days, r.Floor = r.Days[n:], max(r.Floor, floor)
	}
}

// window is the days [from, to) of a cap around a day.
type window struct{ from, to int32 }

func dayWindow(day int32) window { return window{day, day + 1} }

func weekWindow(day int32) window {
	monday := day - (day+3)%7 // day 0 was a Thursday
	return window{monday, monday + 7}
}

func monthWindow(day int32) window {
	const seconds = 24 * 60 * 60
	y, m, _ := time.Unix(int64(day)*seconds, 0).UTC().Date()
	at := func(m time.Month) int32 { return int32(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).Unix() / seconds) }
	return window{at(m), at(m + 1)}
}

// within sums the use of a window; false where some of it is forgotten.
func (r *RuleUse) within(w window) (points, times int64, known bool) {
	for _, d := range r.Days {
		if d.Day >= w.from && d.Day < w.to {
			points, times = points+d.Points, times+d.Times
		}
	}
	return points, times, w.from >= r.Floor
}

// room is how much a rule may still give to the member on a day, and which cap bounds it.
func (r *RuleUse) room(c *Caps, day int32) (int64, *capName) {
	left, which := int64(math.MaxInt64), (*capName)(nil)
	cut := func(n int64, name *capName) {
		if n = max(0, n); n < left {
			left, which = n, name
		}
	}
	if c.Ever > 0 {
		cut(c.Ever-r.Ever, &capEver)
	}
	if c.TimesEver > 0 && r.Times >= c.TimesEver {
		cut(0, &capTimesEver)
	}
	for _, w := range []struct {
		window            func(int32) window
		points, times     int64
		byPoints, byTimes *capName
	}{
		{dayWindow, c.Day, c.TimesDay, &capDay, &capTimesDay},
		{weekWindow, c.Week, c.TimesWeek, &capWeek, &capTimesWeek},
		{monthWindow, c.Month, c.TimesMonth, &capMonth, &capTimesMonth},
	} {
		if w.points == 0 && w.times == 0 {
			continue
		}
		points, times, known := r.within(w.window(day))
		if !known {
			cut(0, &capForgotten)
		}
		if w.points > 0 {
			cut(w.points-points, w.byPoints)
		}
		if w.times > 0 && times >= w.times {
			cut(0, w.byTimes)
		}
	}
	return left, which
}

// capName names a cap to people.
type capName struct{ en, zh string }

var (
	capSale       = capName{"the most for one sale", "单次上限"}
	capDay        = capName{"the member's most for a day", "会员每日上限"}
	capWeek       = capName{"the member's most for a week", "会员每周上限"}
	capMonth      = capName{"the member's most for a month", "会员每月上限"}
	capEver       = capName{"the member's most ever", "会员累计上限"}
	capTimesDay   = capName{"the member's times for a day", "会员每日次数"}
	capTimesWeek  = capName{"the member's times for a week", "会员每周次数"}
	capTimesMonth = capName{"the member's times for a month", "会员每月次数"}
	capTimesEver  = capName{"the member's times ever", "会员累计次数"}
	capForgotten  = capName{"a cap of a time so long ago that it is no longer counted", "时间过久、已不再计数的上限"}
	capBudget     = capName{"the budget of the rule", "规则预算"}
)

// carried is the fraction that waits, in parts of which of make a unit.
func (r *RuleUse) carried(of int64) int64 {
	if r.Of == of || r.Carry == 0 || r.Of == 0 {
		return r.Carry
	}
	// The rule was changed. What waits is rounded down; below 0 it is rounded away from it.
	n, ok := money.MulDiv(max(r.Carry, -r.Carry), of, r.Of, money.Floor)
	switch {
	case !ok:
		return 0
	case r.Carry < 0:
		return -n - 1
	}
	return n
}

// merge adds what another member had, or takes it away again.
func (u *Use) merge(from *Use, sign int64) {
	for _, f := range from.rules {
		r := u.of(f.Rule)
		if r.Of == 0 {
			r.Of = f.Of
		}
		if r.Of != 0 {
			r.Carry = r.Carry + sign*f.carried(r.Of)
		}
		if sign > 0 {
			r.Floor = max(r.Floor, f.Floor)
		}
		ever, times := r.Ever, r.Times
		for _, d := range f.Days {
			r.add(d.Day, sign*d.Points, sign*d.Times, true)
		}
		r.Ever, r.Times = max(0, ever+sign*f.Ever), max(0, times+sign*f.Times)
		u.put(r)
	}
}

// useForm is the first byte of a packed Use.
const useForm = 1

// pack writes the use as its row keeps it.
func (u *Use) pack() []byte {
	b := binary.AppendUvarint([]byte{useForm}, uint64(len(u.rules)))
	for _, r := range u.rules {
		for _, n := range []int64{r.Rule, r.Ever, r.Times, int64(r.Floor), r.Carry, r.Of, int64(len(r.Days))} {
			b = binary.AppendVarint(b, n)
		}
		last := int32(0)
		for _, d := range r.Days {
			b = binary.AppendVarint(b, int64(d.Day-last))
			b = binary.AppendVarint(b, d.Points)
			b = binary.AppendVarint(b, d.Times)
			last = d.Day
		}
	}
	return b
}

// unpackUse reads what pack wrote; nil gives an empty one. What it cannot read was not written
// by this program: it panics, and the command that asked is refused as a defect.
func unpackUse(b []byte) *Use {
	u := &Use{}
	if len(b) == 0 {
		return u
	}
	if b[0] != useForm {
		panic(fmt.Sprintf("rule: a use of form %d", b[0]))
	}
	b = b[1:]
	n, used := binary.Uvarint(b)
	if used <= 0 || n > maxRules*10 {
		panic("rule: a use cannot be read")
	}
	b = b[used:]
	next := func() int64 {
		n, used := binary.Varint(b)
		if used <= 0 {
			panic("rule: a use cannot be read")
		}
		b = b[used:]
		return n
	}
	for range n {
		r := RuleUse{Rule: next(), Ever: next(), Times: next(), Floor: int32(next()), Carry: next(), Of: next()}
		last := int32(0)
		for range next() {
			last += int32(next())
			r.Days = append(r.Days, DayUse{last, next(), next()})
		}
		u.rules = append(u.rules, r)
	}
	return u
}
