package discount

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// wallet is a believable basket and the coupons of a member: some of the same definition,
// percentages and cash, thresholds, scopes, all classes.
func wallet(seed uint64, nLines, nCoupons int, joint bool) ([]Line, []Promo) {
	r := rand.New(rand.NewPCG(seed, 7))
	lines := make([]Line, nLines)
	for i := range lines {
		lines[i] = Line{
			Line: int64(i + 1), SKU: fmt.Sprintf("s%d", i%9), Category: []string{"tea", "cup", "cake"}[r.IntN(3)],
			Milli: 1000 * int64(1+r.IntN(3)), Amount: int64(500 + r.IntN(15_000)),
		}
	}
	list := make([]Promo, nCoupons)
	for k := range list {
		p := Promo{Ref: fmt.Sprintf("c%02d", k), Stage: StageCoupon, Rank: int64(r.IntN(30)), Budget: -1, Order: r.IntN(3)}
		if !joint {
			p.Class = []Class{Joint, Joint, Joint, BestOf, BestOf, Exclusive}[r.IntN(6)]
		}
		switch r.IntN(6) {
		case 0, 1:
			p.Effect = Effect{Kind: Amount, Amount: int64(500 * (1 + r.IntN(8)))}
			p.MinAmount = p.Effect.Amount * int64(3+r.IntN(8))
		case 2, 3:
			p.Effect = Effect{Kind: Percent, Percent: int64(500 * (1 + r.IntN(4)))}
			p.Cap = int64(r.IntN(2)) * 3000
		case 4:
			p.Effect = Effect{Kind: BuyGet, Buy: 2, Get: 1, Percent: 5000, Times: 2}
		case 5:
			p.Effect = Effect{Kind: Percent, Percent: 5000, Per: PerNth, Nth: 2, Times: 1}
		}
		if c := []string{"", "", "tea", "cup"}[r.IntN(4)]; c != "" {
			p.Scope = func(i int) bool { return lines[i].Category == c }
		}
		list[k] = p
	}
	return lines, list
}

// The bound of the search: 20 coupons on 20 lines. Each of 20 baskets is one round.
func BenchmarkBest(b *testing.B) {
	for _, joint := range []bool{false, true} {
		b.Run(fmt.Sprintf("joint=%v", joint), func(b *testing.B) {
			inexact := 0
			for i := 0; b.Loop(); i++ {
				lines, list := wallet(uint64(i%20), 20, 20, joint)
				if r := Best(lines, list); !r.Exact {
					inexact++
				}
			}
			b.ReportMetric(float64(inexact)/float64(b.N), "inexact/op")
		})
	}
}

// The search of believable wallets ends within its bound: 20 coupons, of all classes or all
// joint, on 20 lines. Of 100 that all go together at most one is not searched to the end.
func TestWithinBound(t *testing.T) {
	t.Parallel()
	for _, joint := range []bool{false, true} {
		short := 0
		for seed := range uint64(200) {
			lines, list := wallet(seed, 20, 20, joint)
			if !Best(lines, list).Exact {
				short++
			}
		}
		if short > 2 || !joint && short > 0 {
			t.Errorf("joint %v: %d of 200 searches did not end", joint, short)
		}
	}
}

// Twelve that all go together, against each of their 4,096 sets: where the search turns back
// there is nothing.
func TestTurnsBackRightly(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		lines, list := wallet(seed, 8, 12, true)
		r := Best(lines, list)
		subsets(list, func(set []Promo) {
			if _, off, used := naiveAll(lines, set); off > r.Off {
				t.Errorf("seed %d: Best saves %d, %v saves %d", seed, r.Off, used, off)
			}
		})
	}
}
