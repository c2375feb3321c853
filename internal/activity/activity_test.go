package activity

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// deed is one thing that a book is told.
type deed struct {
	day                   Day
	visits, spend, points int64
}

func deeds(t *rapid.T) []deed {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) deed {
		return deed{
			rapid.Int32Range(17000, 21000).Draw(t, "day"), rapid.Int64Range(0, 3).Draw(t, "visits"),
			rapid.Int64Range(-500, 5000).Draw(t, "spend"), rapid.Int64Range(-50, 500).Draw(t, "points"),
		}
	}), 0, 60).Draw(t, "deeds")
}

func told(list []deed) *Book {
	b := &Book{}
	for _, d := range list {
		b.Bought(d.day, d.visits, d.spend)
		b.Earn(d.day, 1, d.points)
	}
	return b
}

// The sums of a book are those of what it was told, in any order, after packing, and for
// every window within the days that are kept one by one.
func TestBookSums(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := deeds(t)
		b := told(list)
		if shuffled := told(rapid.Permutation(list).Draw(t, "order")); b.Visits(30000, 0) != shuffled.Visits(30000, 0) || b.Spend(30000, 0) != shuffled.Spend(30000, 0) {
			t.Fatal("the order of deeds makes a difference")
		}
		again, err := Unpack(b.Pack())
		if err != nil || !bytes.Equal(again.Pack(), b.Pack()) {
			t.Fatalf("packed and unpacked: %v", err)
		}
		newest := Day(0)
		for _, d := range list {
			newest = max(newest, d.day)
		}
		end := rapid.Int32Range(newest-200, newest+10).Draw(t, "end")
		days := rapid.Int64Range(1, KeptDays-200).Draw(t, "days")
		var visits, spend, points int64
		for _, d := range list {
			if d.day <= end && int64(d.day) > int64(end)-days {
				visits, spend, points = visits+d.visits, spend+d.spend, points+d.points
			}
		}
		if got := again.Visits(end, days); got != visits {
			t.Fatalf("visits in %d days to %d: %d, told %d", days, end, got, visits)
		}
		if got := again.Spend(end, days); got != spend {
			t.Fatalf("spend in %d days to %d: %d, told %d", days, end, got, spend)
		}
		if got := again.Earned(1, end, days); got != points {
			t.Fatalf("earned in %d days to %d: %d, told %d", days, end, got, points)
		}
		s := again.Between(end-Day(days)+1, end+1)
		if s.Visits != visits || s.Spend != spend || s.Earned[1] != points {
			t.Fatalf("between: %+v", s)
		}
	})
}

// A book that is added to another and taken off again leaves the sums as they were.
func TestBookAdded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, two := told(deeds(t)), told(deeds(t))
		c := one.Clone()
		c.Add(two, 1)
		if c.Spend(30000, 0) != one.Spend(30000, 0)+two.Spend(30000, 0) || c.Earned(1, 30000, 0) != one.Earned(1, 30000, 0)+two.Earned(1, 30000, 0) {
			t.Fatal("a sum of two books is not the sum")
		}
		c.Add(two, -1)
		if c.Visits(30000, 0) != one.Visits(30000, 0) || c.Spend(30000, 0) != one.Spend(30000, 0) || c.Earned(1, 30000, 0) != one.Earned(1, 30000, 0) {
			t.Fatal("added and taken off, a book changed")
		}
	})
}

// However long a life is, the days of three years and the months before are all there is.
func TestBookStaysSmall(t *testing.T) {
	t.Parallel()
	b := &Book{}
	for day := Day(0); day < 30*365; day++ {
		b.Bought(day, 1, 2500)
	}
	if n := len(b.days); n > KeptDays+1+30*12 {
		t.Errorf("%d entries after thirty years", n)
	}
	if got := b.Visits(30*365, 0); got != 30*365 {
		t.Errorf("%d visits in thirty years", got)
	}
	if first, ok := b.First(); !ok || first != 0 && first != 1 {
		t.Errorf("first purchase on day %d (%v)", first, ok)
	}
}

// Bytes that nobody packed are refused, whatever they are.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte{})
	f.Add(told([]deed{{20000, 1, 100, 5}}).Pack())
	f.Fuzz(func(t *testing.T, packed []byte) {
		if b, err := Unpack(packed); err == nil {
			b.Visits(20000, 30)
		}
	})
}
