package discount

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawLines is a basket near the edges: cheap lines, equal prices, weighed and free ones.
func drawLines(t *rapid.T, most int) []Line {
	n := rapid.IntRange(1, most).Draw(t, "lines")
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{
			Line: int64(i + 1), SKU: fmt.Sprintf("s%d", rapid.IntRange(0, 3).Draw(t, "sku")),
			Category: rapid.SampledFrom([]string{"tea", "cup", ""}).Draw(t, "category"),
			Milli:    rapid.SampledFrom([]int64{1000, 1000, 2000, 3000, 7000, 1250, 0}).Draw(t, "milli"),
			Amount:   rapid.OneOf(rapid.Int64Range(0, 30), rapid.Int64Range(0, 10_000)).Draw(t, "amount"),
			Delivery: rapid.IntRange(0, 9).Draw(t, "delivery") == 0,
		}
	}
	return lines
}

func drawPromo(t *rapid.T, lines []Line, ref string, stage int) Promo {
	var sum int64
	for _, l := range lines {
		sum += l.Amount
	}
	amount := rapid.OneOf(rapid.Int64Range(0, 40), rapid.Int64Range(0, sum+1))
	p := Promo{
		Ref: ref, Stage: stage,
		Order:  rapid.IntRange(0, 2).Draw(t, "order"),
		Rank:   rapid.Int64Range(0, 3).Draw(t, "rank"),
		Class:  rapid.SampledFrom([]Class{Joint, Joint, Joint, BestOf, BestOf, Exclusive}).Draw(t, "class"),
		From:   rapid.SampledFrom([]Base{Running, Running, Initial}).Draw(t, "from"),
		Budget: -1,
		Effect: Effect{
			Kind:    Kind(rapid.IntRange(int(Percent), int(Set)).Draw(t, "kind")),
			Percent: rapid.SampledFrom([]int64{500, 1000, 2000, 3333, 5000, 10000}).Draw(t, "percent"),
			Amount:  amount.Draw(t, "amount"),
			Per:     Each(rapid.IntRange(int(PerOrder), int(PerNth)).Draw(t, "per")),
			Nth:     rapid.Int64Range(1, 3).Draw(t, "nth"),
			Buy:     rapid.Int64Range(1, 3).Draw(t, "buy"),
			Get:     rapid.Int64Range(1, 2).Draw(t, "get"),
			Times:   rapid.Int64Range(0, 3).Draw(t, "times"),
			Units:   rapid.Int64Range(0, 3).Draw(t, "units"),
			SKUs:    rapid.SampledFrom([][]string{{"s0"}, {"s1", "s2"}, {"none"}}).Draw(t, "gift"),
		},
	}
	if p.Effect.Kind == Set {
		for range lines {
			p.Effect.ByLine = append(p.Effect.ByLine, rapid.Int64Range(0, 60).Draw(t, "set"))
		}
	}
	if rapid.Bool().Draw(t, "threshold") {
		p.MinAmount = amount.Draw(t, "least")
	}
	if rapid.IntRange(0, 4).Draw(t, "quantity") == 0 {
		p.MinMilli = rapid.Int64Range(0, 12).Draw(t, "pieces") * 1000
	}
	if rapid.IntRange(0, 3).Draw(t, "capped") == 0 {
		p.Cap = amount.Draw(t, "cap")
	}
	if rapid.IntRange(0, 3).Draw(t, "budgeted") == 0 {
		p.Budget = amount.Draw(t, "budget")
		p.Partial = rapid.Bool().Draw(t, "partial")
	}
	switch rapid.IntRange(0, 3).Draw(t, "scope") {
	case 0:
		p.Scope = func(i int) bool { return lines[i].Category == "tea" }
	case 1:
		p.Scope = func(i int) bool { return i%2 == 0 }
	}
	return p
}

func drawSet(t *rapid.T, lines []Line, most int) (list []Promo) {
	for i := range rapid.IntRange(0, 2).Draw(t, "early") {
		list = append(list, drawPromo(t, lines, fmt.Sprintf("e%d", i), rapid.IntRange(0, 1).Draw(t, "stage")))
	}
	for i := range rapid.IntRange(0, most).Draw(t, "coupons") {
		list = append(list, drawPromo(t, lines, fmt.Sprintf("c%d", i), StageCoupon))
	}
	return list
}

// sound is what must hold of every result.
func sound(t *rapid.T, lines []Line, list []Promo, r Result) {
	off := make([]int64, len(lines))
	var all int64
	byRef := map[string]Promo{}
	for _, p := range list {
		byRef[p.Ref] = p
	}
	var last *Promo
	var coupons []Promo
	for _, a := range r.Applied {
		p := byRef[a.Ref]
		if last != nil && (p.Stage < last.Stage || p.Stage == last.Stage && (p.Order < last.Order || p.Order == last.Order && p.Ref < last.Ref)) {
			t.Fatalf("%s is applied after %s", p.Ref, last.Ref)
		}
		last = &p
		coupons = append(coupons, p)
		var sum int64
		for i, n := range a.ByLine {
			if n < 0 || n > 0 && lines[i].Delivery != (p.Effect.Kind == FreeDelivery) {
				t.Fatalf("%s takes %d off line %d", a.Ref, n, i)
			}
			off[i] += n
			sum += n
		}
		if sum != a.Amount || sum == 0 || p.Cap > 0 && sum > p.Cap || p.Budget >= 0 && sum > p.Budget {
			t.Fatalf("%s takes %d by line, says %d; cap %d, budget %d", a.Ref, sum, a.Amount, p.Cap, p.Budget)
		}
		all += sum
	}
	for i, l := range lines {
		if r.Lines[i] < 0 || r.Lines[i] != l.Amount-off[i] {
			t.Fatalf("line %d: %d less %d is %d", i, l.Amount, off[i], r.Lines[i])
		}
	}
	if all != r.Off {
		t.Fatalf("discounts add up to %d, Off is %d", all, r.Off)
	}
	if !naiveGoes(coupons) {
		t.Fatalf("classes that do not go together: %+v", r.Applied)
	}
	if len(r.Applied)+len(r.Left) != len(list) {
		t.Fatalf("%d applied and %d left of %d", len(r.Applied), len(r.Left), len(list))
	}
	for _, l := range r.Left {
		if !slices.Contains(Whys, l.Why) || (l.More > 0) != (l.Why == WhyThreshold || l.Why == WhyQuantity) || (l.SKU != "") != (l.Why == WhyGiftMissing) {
			t.Fatalf("left: %+v", l)
		}
	}
}

// One promo does what the slow working-out does, line by line, with the same reason.
func TestEffects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, 6)
		list := []Promo{drawPromo(t, lines, "a", StagePrice), drawPromo(t, lines, "b", StageCoupon)}
		r := Apply(lines, list)
		sound(t, lines, list, r)
		left := make([]int64, len(lines))
		for i, l := range lines {
			left[i] = l.Amount
		}
		for _, p := range list {
			by, why, more := naiveTake(lines, p, left)
			var got []int64
			for _, a := range r.Applied {
				if a.Ref == p.Ref {
					got = a.ByLine
				}
			}
			for _, l := range r.Left {
				if l.Ref == p.Ref {
					got = make([]int64, len(lines))
					if l.Why != why || l.More != more {
						t.Fatalf("%+v: %s %d, want %s %d", p, l.Why, l.More, why, more)
					}
				}
			}
			if !slices.Equal(got, by) {
				t.Fatalf("%+v on %v of %+v: %v, want %v", p, left, lines, got, by)
			}
			for i := range left {
				left[i] -= by[i]
			}
		}
	})
}

// subsets of coupons that go together, with what they leave.
func subsets(list []Promo, each func(set []Promo)) {
	var early, coupons []Promo
	for _, p := range list {
		if p.Stage == StageCoupon {
			coupons = append(coupons, p)
		} else {
			early = append(early, p)
		}
	}
	for bits := range 1 << len(coupons) {
		set := slices.Clone(early)
		for i, p := range coupons {
			if bits>>i&1 == 1 {
				set = append(set, p)
			}
		}
		if naiveGoes(set) {
			each(set)
		}
	}
}

// No set of coupons saves more than Best, and of those that save as much none has fewer, or
// as many that end sooner.
func TestBest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, 5)
		list := drawSet(t, lines, 8)
		r := Best(lines, list)
		sound(t, lines, list, r)
		if !r.Exact {
			t.Fatal("not exact")
		}
		rank := map[string]int64{}
		for _, p := range list {
			rank[p.Ref] = p.Rank
		}
		ranked := func(refs []string) (ranks []int64, n int) {
			for _, ref := range refs {
				if ref[0] == 'c' {
					ranks = append(ranks, rank[ref])
				}
			}
			slices.Sort(ranks)
			return ranks, len(ranks)
		}
		var refs []string
		for _, a := range r.Applied {
			refs = append(refs, a.Ref)
		}
		ours, n := ranked(refs)
		subsets(list, func(set []Promo) {
			_, off, used := naiveAll(lines, set)
			theirs, m := ranked(used)
			if off > r.Off || off == r.Off && (m < n || m == n && slices.Compare(theirs, ours) < 0) {
				t.Fatalf("Best saves %d by %v %v, %v saves %d %v", r.Off, refs, ours, used, off, theirs)
			}
		})
	})
}

// Apply takes off all that is asked for, as far as the classes allow it; else at least as
// much as with any one exclusive coupon or any one that is best of.
func TestApply(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, 5)
		list := drawSet(t, lines, 5)
		r := Apply(lines, list)
		sound(t, lines, list, r)
		if naiveGoes(list) {
			left, off, used := naiveAll(lines, list)
			var refs []string
			for _, a := range r.Applied {
				refs = append(refs, a.Ref)
			}
			if !slices.Equal(left, r.Lines) || off != r.Off || !slices.Equal(refs, used) {
				t.Fatalf("Apply leaves %v by %v, want %v by %v", r.Lines, refs, left, used)
			}
			return
		}
		for _, chosen := range list {
			if chosen.Stage != StageCoupon || chosen.Class == Joint {
				continue
			}
			var set []Promo
			for _, p := range list {
				if p.Stage != StageCoupon || p.Ref == chosen.Ref || p.Class == Joint && chosen.Class == BestOf {
					set = append(set, p)
				}
			}
			if _, off, used := naiveAll(lines, set); off > r.Off {
				t.Fatalf("Apply saves %d, %v saves %d", r.Off, used, off)
			}
		}
	})
}

// The order in which promos are handed over does not matter.
func TestShuffled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, 5)
		list := drawSet(t, lines, 6)
		other := rapid.Permutation(list).Draw(t, "shuffled")
		if a, b := Apply(lines, list), Apply(lines, other); !reflect.DeepEqual(a, b) {
			t.Fatalf("Apply: %+v, shuffled %+v", a, b)
		}
		if a, b := Best(lines, list), Best(lines, other); !reflect.DeepEqual(a, b) {
			t.Fatalf("Best: %+v, shuffled %+v", a, b)
		}
	})
}

// Of more coupons than all sets can be tried of, Best still saves as much as taking in turn
// whichever adds most, of equals by the rule of Best.
func TestManyAtLeastGreedy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t, 4)
		var list []Promo
		byRef := map[string]Promo{}
		for i := range rapid.IntRange(21, 30).Draw(t, "coupons") {
			p := drawPromo(t, lines, fmt.Sprintf("c%02d", i), StageCoupon)
			list = append(list, p)
			byRef[p.Ref] = p
		}
		r := Best(lines, list)
		sound(t, lines, list, r)
		var set []Promo
		for off := int64(0); ; {
			most, best := off, []Promo(nil)
			for _, p := range list {
				with := append(slices.Clone(set), p)
				if slices.ContainsFunc(set, func(q Promo) bool { return q.Ref == p.Ref }) || !naiveGoes(with) {
					continue
				}
				_, n, refs := naiveAll(lines, with)
				var used []Promo
				for _, ref := range refs {
					used = append(used, byRef[ref])
				}
				if n > most || n == most && best != nil && naivePrefers(used, best) {
					most, best = n, used
				}
			}
			if best == nil {
				if r.Off < off {
					t.Fatalf("Best saves %d, greedy %d", r.Off, off)
				}
				return
			}
			off, set = most, best
		}
	})
}

// naivePrefers says whether of two sets that save the same x is preferred to y.
func naivePrefers(x, y []Promo) bool {
	if len(x) != len(y) {
		return len(x) < len(y)
	}
	var a, b []int64
	for i := range x {
		a, b = append(a, x[i].Rank), append(b, y[i].Rank)
	}
	slices.Sort(a)
	slices.Sort(b)
	if n := slices.Compare(a, b); n != 0 {
		return n < 0
	}
	return slices.CompareFunc(x, y, func(p, q Promo) int {
		return cmp.Or(cmp.Compare(p.Order, q.Order), cmp.Compare(p.Ref, q.Ref))
	}) < 0
}
