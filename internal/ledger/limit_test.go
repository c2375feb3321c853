package ledger

import (
	"errors"
	"testing"
)

// Earning is cut to the room that the tightest limit leaves; the rest is refused whole.
func TestLimits(t *testing.T) {
	t.Parallel()
	limited := func(action, window string, amount int64) *Currency {
		return &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{
			Transfer: Transfer{Allowed: true}, Limits: []Limit{{action, window, amount}, {action, "ever", 1000}}}}
	}
	at := func(text string) int64 { return at(t, shanghai, text) }
	// noon is 2026-03-10 12:00. Each row: what went before at an instant, and what is left
	// of 100 at noon.
	for _, tt := range []struct {
		name, window string
		before       int64
		when         int64
		left         int64
	}{
		{"nothing before", "day", 0, 0, 100},
		{"the same day", "day", 30, noon - 1, 70},
		{"first instant of the day", "day", 30, at("2026-03-10 00:00:00"), 70},
		{"last instant of the day before", "day", 30, at("2026-03-09 23:59:59.999"), 100},
		{"all of it", "day", 100, noon, 0},
		{"the same month", "month", 30, at("2026-03-01 00:00:00"), 70},
		{"the month before", "month", 30, at("2026-02-28 23:59:59.999"), 100},
		{"ever", "ever", 30, at("2026-02-01 00:00:00"), 70},
	} {
		t.Run(tt.name, func(t *testing.T) {
			earns := newDesk(t, limited("earn", tt.window, 100))
			if tt.before > 0 {
				earns.grant(Grant{Amount: tt.before, Posting: Posting{AtMS: tt.when}})
			}
			g := earns.grant(Grant{Amount: 150, Posting: Posting{AtMS: noon}})
			if got := 150 - g.Cut; got != tt.left || (g.Lot == nil) != (tt.left == 0) {
				t.Errorf("150 were cut to %d (lot %+v), want %d", got, g.Lot, tt.left)
			}
			if free := earns.grant(Grant{Amount: 500, Kind: TopUp, Unlimited: true}); free.Cut != 0 {
				t.Errorf("an unlimited grant was cut by %d", free.Cut)
			}

			spends := newDesk(t, limited("spend", tt.window, 100))
			spends.grant(Grant{Amount: 500, Posting: Posting{AtMS: noon - 60*day}})
			if tt.before > 0 {
				if _, err := spends.spend(tt.before, tt.when); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := spends.spend(tt.left+1, noon); !errors.Is(err, ErrLimit) {
				t.Errorf("one more than is left: %v", err)
			}
			if tt.left > 0 {
				if _, err := spends.spend(tt.left, noon); err != nil {
					t.Errorf("just what is left: %v", err)
				}
			}
		})
	}
}

// What staff correct does not use up what a member may earn.
func TestUnlimitedGrantsDoNotCount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{Limits: []Limit{{"earn", "day", 100}}}})
	d.grant(Grant{Amount: 100, Kind: Adjust, Unlimited: true})
	if g := d.grant(Grant{Amount: 100}); g.Cut != 0 {
		t.Errorf("a correction cut the day's earning by %d", g.Cut)
	}
}

// Who is past a limit, because it was lowered meanwhile, earns nothing and moves nothing
// until there is room again. What they have is not touched.
func TestLoweredLimit(t *testing.T) {
	t.Parallel()
	points := &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{Limits: []Limit{{"earn", "day", 100}, {"spend", "day", 50}}}}
	d := newDesk(t, points)
	d.grant(Grant{Amount: 100, Posting: Posting{AtMS: noon}})
	if _, err := d.spend(50, noon); err != nil {
		t.Fatal(err)
	}
	points.Policy.Limits = []Limit{{"earn", "day", 60}, {"spend", "day", 10}}
	if g := d.grant(Grant{Amount: 30, Posting: Posting{AtMS: noon}}); g.Lot != nil || g.Cut != 30 {
		t.Errorf("earned past a lowered limit: lot %+v, cut %d", g.Lot, g.Cut)
	}
	if _, err := d.spend(1, noon); !errors.Is(err, ErrLimit) {
		t.Errorf("spent past a lowered limit: %v", err)
	}
	points.Policy.Limits = []Limit{{"earn", "day", 101}}
	if g := d.grant(Grant{Amount: 30, Posting: Posting{AtMS: noon}}); g.Cut != 29 {
		t.Errorf("with room for one, %d of 30 were cut", g.Cut)
	}
}

// Two cards do not make two limits: the counters of merged members add up, and part again.
func TestMergedLimits(t *testing.T) {
	t.Parallel()
	p := newPair(t, &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{Limits: []Limit{{"earn", "day", 100}, {"earn", "ever", 150}}}})
	p.earn(1, 60)
	p.earn(2, 30)
	p.merge()
	if cut := p.earn(2, 50); cut != 40 {
		t.Errorf("of 50, 40 + 60 + 30 after, %d were cut, want 40", cut)
	}
	p.unmerge(LotKey{1, 1})
	if cut := p.earn(2, 80); cut != 20 {
		t.Errorf("of 80, after 30 + 10 of their own, %d were cut, want 20", cut)
	}
	if cut := p.earn(1, 80); cut != 40 {
		t.Errorf("of 80, after 60 of their own, %d were cut, want 40", cut)
	}
}
