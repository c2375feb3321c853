package ledger

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// One of everything, through the database and back: what a batch writes the next one finds.
func TestEngineLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		b.must(earn(1, 1, 100))
		b.must(spend(1, 1, 30))
		b.must(earn(1, 1, 50))
		if w := b.wallet(1, 1); w.Active != 120 || w.Earned != 150 || w.Spent != 30 || w.FirstOpen != 1 {
			t.Fatalf("wallet %+v after 100 - 30 + 50", w)
		}
		var hold int64
		b.must(on(1, func(s *State, a *Account) (any, error) {
			h, err := s.Hold(a, s.Config.Currencies[1], 90, s.NowMS+1000, "order", Posting{})
			if err != nil {
				return nil, err
			}
			hold = h.Seq
			return moved{Entry: h.Seq}, nil
		}))
		if w := b.wallet(1, 1); w.Active != 30 || w.Held != 90 {
			t.Fatalf("wallet %+v with 90 of 120 held", w)
		}
		b.must(on(1, func(s *State, a *Account) (any, error) {
			h, err := s.FindHold(a, hold)
			if err != nil {
				return nil, err
			}
			touches, err := s.Capture(a, s.Config.Currencies[1], h, 75, Posting{})
			return moved{Lots: touches}, err
		}))
		if w := b.wallet(1, 1); w.Active != 45 || w.Held != 0 || w.FirstOpen != 3 {
			t.Fatalf("wallet %+v after 75 of 90 were captured", w)
		}
		b.must(transfer(1, 2, 1, 20))
		if v, w := b.wallet(1, 1), b.wallet(2, 1); v.Active != 23 || w.Active != 20 {
			t.Fatalf("wallets %+v and %+v after a transfer of 20 with a fee of 2", v, w)
		}
		b.clock.Advance(31 * 24 * time.Hour)
		b.refused(spend(1, 1, 1), ErrInsufficient)
		b.must(on(1, func(*State, *Account) (any, error) { return nil, nil }))
		if w := b.wallet(1, 1); w.Active != 0 || w.FirstOpen != 0 || w.NextMS != Never {
			t.Fatalf("wallet %+v after all has expired", w)
		}
		n := 0
		for _, e := range waiting(t, d) {
			if e.Kind == "points.expired" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d events of expiry, want 1", n)
		}
	})
}
