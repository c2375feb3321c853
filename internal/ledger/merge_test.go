package ledger

import "testing"

// pair posts commands on two members of a ledger in memory, of whom the first is merged
// into the second.
type pair struct {
	t   *testing.T
	mem *memory
}

func newPair(t *testing.T, currencies ...*Currency) *pair {
	mem := newMemory()
	mem.config = configOf(currencies...)
	mem.set(noon)
	return &pair{t, mem}
}

func (p *pair) do(f func(s *State, one, two *Account) error, closed ...LotKey) {
	p.t.Helper()
	both := []int64{1, 2}
	_, err := p.mem.post(Needs{Members: both, Lots: both, LotSeqs: closed}, func(s *State) error {
		one, err := s.Account(1)
		if err != nil {
			return err
		}
		two, err := s.Account(2)
		if err != nil {
			return err
		}
		return f(s, one, two)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.mem.flush()
	checkBooks(p.t, p.mem)
}

func (p *pair) merge() {
	p.t.Helper()
	p.do(func(s *State, one, two *Account) error { return s.Merge(one, two, Posting{}) })
}

// unmerge needs the closed lots of the first member that were merged.
func (p *pair) unmerge(closed ...LotKey) {
	p.t.Helper()
	p.do(func(s *State, one, two *Account) error { return s.Unmerge(one, two, Posting{}) }, closed...)
}

// earn and spend are of the first currency, by the first member or the second.
func (p *pair) earn(who int, amount int64) (cut int64) {
	p.t.Helper()
	p.do(func(s *State, one, two *Account) error {
		g, err := s.Grant([]*Account{one, two}[who-1], Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: amount})
		cut = g.Cut
		return err
	})
	return cut
}

func (p *pair) spend(who int, amount int64) {
	p.t.Helper()
	p.do(func(s *State, one, two *Account) error {
		_, err := s.Spend([]*Account{one, two}[who-1], s.Config.Currencies[1], amount, Posting{})
		return err
	})
}

// usable is what the second member can use of the first currency at an instant.
func (p *pair) usable(at int64) (n int64) {
	p.t.Helper()
	p.mem.set(at)
	p.do(func(s *State, _, two *Account) error { n = s.wallet(two, 1).Active; return nil })
	return n
}

// sliding is a currency that ends ten days after the last activity.
func sliding() *Currency {
	return &Currency{ID: 1, Code: "slide", Kind: Points, Policy: Policy{Expiry: Expiry{Policy: "sliding", Count: 10, Unit: "day"}}}
}

// Two records are one person, who was last active when either of them was. So of two
// sliding clocks the survivor goes by the later one that still runs, and it makes no
// difference whether the last activity left any points to move.
func TestMergeKeepsTheLaterClock(t *testing.T) {
	t.Parallel()
	idle := func(*pair) {}
	earned := func(p *pair) { p.earn(1, 3) }
	spent := func(p *pair) { p.earn(1, 3); p.spend(1, 3) }
	clawed := func(p *pair) {
		p.earn(1, 3)
		p.do(func(s *State, one, _ *Account) error {
			s.Clawback(one, s.Config.Currencies[1], []Take{{Member: 1, Lot: 1, Amount: 3}}, Posting{})
			return nil
		})
	}
	const active = 20 // the day on which the survivor earns 10
	own := midnight(noon, active+11)
	for _, tt := range []struct {
		name   string
		does   func(*pair) // the other one, on a day
		on     int64
		merged int64 // on which day
		usable int64 // by the survivor, up to the end
		ends   int64
	}{
		{"no activity", idle, 25, 25, 10, own},
		{"earned", earned, 25, 25, 13, own + 5*day},
		{"spent it all", spent, 25, 25, 10, own + 5*day},
		{"a return took it all", clawed, 25, 25, 10, own + 5*day},
		{"spent it all some days ago", spent, 25, 30, 10, own + 5*day},
		{"spent it all before the survivor was active", spent, 15, 25, 10, own},
		{"spent it all, and its clock has run out", spent, 5, 25, 10, own},
		{"spent it all, and the survivor's have ended", spent, 25, 32, 0, own + 5*day},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, sliding())
			for d := range tt.merged + 1 {
				p.mem.set(noon + d*day)
				if d == active {
					p.earn(2, 10)
				}
				if d == tt.on {
					tt.does(p)
				}
			}
			p.merge()
			if got := p.usable(tt.ends - 1); got != tt.usable {
				t.Errorf("%d usable in the last instant, want %d", got, tt.usable)
			}
			if got := p.usable(tt.ends); got != 0 {
				t.Errorf("%d usable at the end", got)
			}
		})
	}
}

// What comes back to a member who was merged comes back to the survivor, by whose clock it
// goes. Coming back is no activity: it only starts a clock that has run out.
func TestGiveBackAfterMerge(t *testing.T) {
	t.Parallel()
	own := midnight(noon, 5+11) // of what the survivor earns on the fifth day
	for _, tt := range []struct {
		name   string
		back   int64 // on which day
		usable int64
		ends   int64
	}{
		{"while both clocks run", 10, 13, own},
		{"when the clock of the merged one has run out", 14, 13, own},
		{"when both have run out", 20, 3, midnight(noon, 20+11)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, sliding())
			p.earn(1, 3)
			p.spend(1, 3)
			p.merge()
			p.mem.set(noon + 5*day)
			p.earn(2, 10)
			p.mem.set(noon + tt.back*day)
			p.do(func(s *State, one, _ *Account) error {
				cur := s.Config.Currencies[1]
				s.GiveBack(one, cur, []Touch{{1, 3}}, Posting{})
				s.Forward(one, cur, Posting{})
				return nil
			}, LotKey{1, 1})
			if got := p.usable(tt.ends - 1); got != tt.usable {
				t.Errorf("%d usable in the last instant, want %d", got, tt.usable)
			}
			if got := p.usable(tt.ends); got != 0 {
				t.Errorf("%d usable at the end", got)
			}
		})
	}
}
