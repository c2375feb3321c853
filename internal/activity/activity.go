// Package activity is what a member did, day by day: how often they bought, for how much,
// and what they earned of each currency of points. Conditions, tiers and offers ask it for
// sums over windows.
//
// # Life
//
// A Book lies packed in the member's account. The postings themselves write it: the ledger
// what was earned, a sale that it was made. A return is taken off the day of its sale.
//
// # Laws
//
//   - The sums of a Book are those of the member's sales and earnings, whatever their order.
//   - Days older than KeptDays before the newest are added up by month, so that a Book does
//     not grow with a long life: a window that reaches further back is cut at a month.
//   - Adding a Book to another and taking it off again changes nothing.
package activity

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// KeptDays is for how long single days are kept: three years and a quarter.
const KeptDays = 1188

// Day is days since 1 January 1970 in the programme's zone.
type Day = int32

// Sums is what happened in a span of days.
type Sums struct {
	Visits int64           // sales that have not come back whole
	Spend  int64           // paid in them, less returns, in minor units of the programme's money
	Earned map[int64]int64 // by currency of points, less what returns took back
}

// entry is one day, or a month at its first day.
type entry struct {
	day    Day
	visits int64
	spend  int64
	earned []earned // by currency
}

type earned struct{ currency, n int64 }

// Book is the activity of one member. The zero Book is of one who has done nothing.
type Book struct {
	days  []entry // in order, none twice
	first Day     // of the first purchase ever, 0 for none
}

// Clone copies the book: changes of the one are not seen in the other.
func (b *Book) Clone() *Book {
	c := &Book{days: slices.Clone(b.days), first: b.first}
	for i := range c.days {
		c.days[i].earned = slices.Clone(c.days[i].earned)
	}
	return c
}

// Bought adds a purchase to a day: visits and spend may be negative, to take off what a
// return brought back.
func (b *Book) Bought(day Day, visits, spend int64) {
	e := b.at(day)
	e.visits, e.spend = e.visits+visits, e.spend+spend
	if visits > 0 && (b.first == 0 || day < b.first) {
		b.first = day
	}
	b.tidy(day)
}

// Earn adds points to a day; a negative amount takes off.
func (b *Book) Earn(day Day, currency, amount int64) {
	e := b.at(day)
	i, found := slices.BinarySearchFunc(e.earned, currency, func(x earned, c int64) int { return cmp.Compare(x.currency, c) })
	if !found {
		e.earned = slices.Insert(e.earned, i, earned{currency: currency})
	}
	if e.earned[i].n += amount; e.earned[i].n == 0 {
		e.earned = slices.Delete(e.earned, i, i+1)
	}
	b.tidy(day)
}

// Add adds all of another book, or with sign -1 takes it off.
func (b *Book) Add(other *Book, sign int64) {
	for _, e := range other.days {
		mine := b.at(e.day)
		mine.visits, mine.spend = mine.visits+sign*e.visits, mine.spend+sign*e.spend
		for _, x := range e.earned {
			b.Earn(e.day, x.currency, sign*x.n)
		}
		b.tidy(e.day)
	}
	if sign > 0 && other.first != 0 && (b.first == 0 || other.first < b.first) {
		b.first = other.first
	}
}

// at is the entry that a day is added to. The pointer is good until the next call.
func (b *Book) at(day Day) *entry {
	if n := len(b.days); n > 0 && day < b.days[n-1].day-KeptDays {
		day = monthOf(day)
	}
	i, found := b.find(day)
	if !found {
		b.days = slices.Insert(b.days, i, entry{day: day})
	}
	return &b.days[i]
}

func (b *Book) find(day Day) (int, bool) {
	return slices.BinarySearchFunc(b.days, day, func(e entry, d Day) int { return cmp.Compare(e.day, d) })
}

// tidy drops the entry of a day on which nothing is left, and adds up by month what has
// grown old.
func (b *Book) tidy(day Day) {
	if i, found := b.find(day); found && b.days[i].nothing() {
		b.days = slices.Delete(b.days, i, i+1)
	}
	for len(b.days) > 0 {
		old := b.days[len(b.days)-1].day - KeptDays
		i := slices.IndexFunc(b.days, func(e entry) bool { return e.day >= old || e.day != monthOf(e.day) })
		if i < 0 || b.days[i].day >= old {
			return
		}
		b.fold(i)
	}
}

// fold moves one old day into its month.
func (b *Book) fold(i int) {
	e := b.days[i]
	b.days = slices.Delete(b.days, i, i+1)
	month := monthOf(e.day)
	j, found := b.find(month)
	if !found {
		b.days = slices.Insert(b.days, j, entry{day: month})
	}
	m := &b.days[j]
	m.visits, m.spend = m.visits+e.visits, m.spend+e.spend
	for _, x := range e.earned {
		k, found := slices.BinarySearchFunc(m.earned, x.currency, func(y earned, c int64) int { return cmp.Compare(y.currency, c) })
		if !found {
			m.earned = slices.Insert(m.earned, k, earned{currency: x.currency})
		}
		m.earned[k].n += x.n
	}
}

func (e *entry) nothing() bool { return e.visits == 0 && e.spend == 0 && len(e.earned) == 0 }

// monthOf is the first day of a day's month.
func monthOf(day Day) Day {
	y, m, _ := time.Unix(int64(day)*daySeconds, 0).UTC().Date()
	return Day(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).Unix() / daySeconds)
}

const daySeconds = 24 * 60 * 60

// window is the days of a window that ends with a day: so many days with it, or all for 0.
func (b *Book) window(day Day, days int64) []entry {
	from := 0
	if days > 0 {
		from, _ = b.find(Day(max(int64(day)-days+1, -1<<31)))
	}
	to, found := b.find(day)
	if found {
		to++
	}
	return b.days[min(from, to):to]
}

// Visits is how often the member bought in the window of days that ends with day; days 0
// is ever.
func (b *Book) Visits(day Day, days int64) (n int64) {
	for _, e := range b.window(day, days) {
		n += e.visits
	}
	return n
}

// Spend is what the member paid in the window.
func (b *Book) Spend(day Day, days int64) (n int64) {
	for _, e := range b.window(day, days) {
		n += e.spend
	}
	return n
}

// Earned is what the member earned of a currency in the window.
func (b *Book) Earned(currency int64, day Day, days int64) (n int64) {
	for _, e := range b.window(day, days) {
		for _, x := range e.earned {
			if x.currency == currency {
				n += x.n
			}
		}
	}
	return n
}

// Between adds up the days of [from, to).
func (b *Book) Between(from, to Day) Sums {
	s := Sums{Earned: map[int64]int64{}}
	for _, e := range b.days {
		if e.day < from || e.day >= to {
			continue
		}
		s.Visits, s.Spend = s.Visits+e.visits, s.Spend+e.spend
		for _, x := range e.earned {
			s.Earned[x.currency] += x.n
		}
	}
	return s
}

// First is the day of the first purchase ever, Last that of the latest that has not come
// back; false where there is none.
func (b *Book) First() (Day, bool) { return b.first, b.first != 0 }

// Last is the day of the latest purchase that has not come back whole.
func (b *Book) Last() (Day, bool) {
	for _, e := range slices.Backward(b.days) {
		if e.visits > 0 {
			return e.day, true
		}
	}
	return 0, false
}

// form is the first byte of a packed book: how the rest is to be read.
const form = 1

// Pack writes the book as bytes; nothing for one without anything in it.
func (b *Book) Pack() []byte {
	if len(b.days) == 0 && b.first == 0 {
		return []byte{}
	}
	out := make([]byte, 0, 16+12*len(b.days))
	out = append(out, form)
	out = binary.AppendVarint(out, int64(b.first))
	out = binary.AppendUvarint(out, uint64(len(b.days)))
	var last Day
	for _, e := range b.days {
		out = binary.AppendVarint(out, int64(e.day-last))
		out = binary.AppendVarint(out, e.visits)
		out = binary.AppendVarint(out, e.spend)
		out = binary.AppendUvarint(out, uint64(len(e.earned)))
		for _, x := range e.earned {
			out = binary.AppendVarint(out, x.currency)
			out = binary.AppendVarint(out, x.n)
		}
		last = e.day
	}
	return out
}

// ErrPacked says that bytes are no packed book.
var ErrPacked = errors.New("activity: these bytes are no book")

// Unpack reads what Pack wrote.
func Unpack(packed []byte) (*Book, error) {
	b := &Book{}
	if len(packed) == 0 {
		return b, nil
	}
	r := reader{rest: packed[1:], bad: packed[0] != form}
	b.first = Day(r.int())
	n := r.count()
	b.days = make([]entry, 0, n)
	var last Day
	for range n {
		e := entry{day: last + Day(r.int()), visits: r.int(), spend: r.int()}
		for range r.count() {
			e.earned = append(e.earned, earned{r.int(), r.int()})
		}
		if len(b.days) > 0 && e.day <= last {
			r.bad = true
		}
		last = e.day
		b.days = append(b.days, e)
	}
	if r.bad || len(r.rest) > 0 {
		return nil, ErrPacked
	}
	return b, nil
}

// reader takes numbers off bytes. After one that is not there all are 0.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	return r.took(v, n)
}

// count is how many things follow: no more than there are bytes.
func (r *reader) count() int64 {
	v, n := binary.Uvarint(r.rest)
	if v > uint64(len(r.rest)) {
		r.bad = true
		return 0
	}
	return r.took(int64(v), n)
}

func (r *reader) took(v int64, n int) int64 {
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}
