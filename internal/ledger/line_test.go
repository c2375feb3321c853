package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// headOf posts a command of member 1 with the first lots of the first currency alone.
func (b *bench) headOf(do func(s *State, a *Account, c *Currency) ([]Touch, error)) string {
	b.t.Helper()
	c := b.config.Currencies[1]
	a := b.must(cmd{Needs{Members: []int64{1}, Heads: []Head{{Member: 1, Currency: c.Code}}}, func(s *State) (any, error) {
		a, err := s.Account(1)
		if err != nil {
			return nil, err
		}
		touches, err := do(s, a, c)
		return moved{Lots: touches}, err
	}})
	b.clean()
	return fmt.Sprint(a.Value.(moved).Lots)
}

// Lots in line and strays are spent as one row, however few of each are loaded at first: in
// a batch that has made some of them, past lots that are pinned, and back to those that were
// given back. What is behind the first of them ends in time.
func TestSpendingOrderBehindTheFirstLots(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		grant := func(ends int64) { // 0: by the policy, in 31 days
			b.must(cmd{Needs{Members: []int64{1}}, func(s *State) (any, error) {
				a, err := s.Account(1)
				if err != nil {
					return nil, err
				}
				_, err = s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: 10, ExpiresMS: ends})
				return moved{}, err
			}})
		}
		for i := range int64(5) { // lots 1, 3 … 9 in line; 2, 4 … 10 are strays that end before them, the last one first
			grant(0)
			grant(noon + (20-i)*day)
		}
		spend := func(n int64) string {
			return b.headOf(func(s *State, a *Account, c *Currency) ([]Touch, error) { return s.Spend(a, c, n, Posting{}) })
		}
		var hold int64
		pinned := b.headOf(func(s *State, a *Account, c *Currency) ([]Touch, error) {
			h, err := s.Hold(a, c, 15, s.NowMS+day, "test", Posting{})
			if err != nil {
				return nil, err
			}
			hold = h.Seq
			return h.Lots, nil
		})
		if pinned != "[{10 10} {8 5}]" {
			t.Errorf("the hold pins %s", pinned)
		}
		if took := spend(25); took != "[{8 -5} {6 -10} {4 -10}]" {
			t.Errorf("the first spending took %s", took)
		}
		if took := spend(27); took != "[{2 -10} {1 -10} {3 -7}]" {
			t.Errorf("the second took %s", took)
		}
		if took := spend(13); took != "[{3 -3} {5 -10}]" { // all that was loaded of the line
			t.Errorf("the third took %s", took)
		}
		if w := b.wallet(1, 1); w.FirstOpen != 7 || w.Active != 20 {
			t.Errorf("wallet %+v", w)
		}
		b.headOf(func(s *State, a *Account, _ *Currency) ([]Touch, error) {
			h, err := s.FindHold(a, hold)
			if err != nil { // its number was not named: it came with the first lots
				return nil, err
			}
			return nil, s.Release(a, h)
		})
		if took := spend(16); took != "[{10 -10} {8 -5} {7 -1}]" {
			t.Errorf("the fourth took %s", took)
		}
		b.must(cmd{Needs{Members: []int64{1}, LotSeqs: []LotKey{{1, 1}}}, func(s *State) (any, error) {
			a, err := s.Account(1)
			if err == nil {
				s.GiveBack(a, s.Config.Currencies[1], []Touch{{1, 4}}, Posting{})
			}
			return moved{}, err
		}})
		if took := spend(6); took != "[{1 -4} {7 -2}]" {
			t.Errorf("the fifth took %s", took)
		}
	})
}

// A member with thousands of lots spends by reading the first of them: how many rows are
// looked at does not depend on how many there are, nor on how many were used up before.
func TestSpendingLoadsAFew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		rs := make([]Request, 600)
		for i := range rs {
			rs[i] = Request{Command: earn(1, 1, 10)}
		}
		if i := slices.IndexFunc(b.DoMany(t.Context(), rs), func(a Answer) bool { return a.Err != nil }); i >= 0 {
			t.Fatal("earning failed")
		}
		b.headOf(func(s *State, a *Account, c *Currency) ([]Touch, error) { // exactly what is loaded at first
			return s.Spend(a, c, int64(10*headLots), Posting{})
		})
		for range 50 {
			most := 0
			b.headOf(func(s *State, a *Account, c *Currency) ([]Touch, error) {
				touches, err := s.Spend(a, c, 35, Posting{})
				most = len(a.lots)
				return touches, err
			})
			if most > 2*moreLots*headLots {
				t.Fatalf("%d lots were loaded for a spending of four", most)
			}
		}
		if w, want := b.wallet(1, 1), int64(600*10-10*headLots-50*35); w.Active != want || w.FirstOpen < 50*35/10 {
			t.Errorf("wallet %+v, want %d usable", w, want)
		}
	})
}
