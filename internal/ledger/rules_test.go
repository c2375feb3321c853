package ledger

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// desk posts commands on one member of a ledger in memory.
type desk struct {
	t   *testing.T
	mem *memory
}

func newDesk(t *testing.T, currencies ...*Currency) *desk {
	mem := newMemory()
	if len(currencies) > 0 {
		mem.config = configOf(currencies...)
		mem.s = newState(mem.config, noon)
	}
	return &desk{t, mem}
}

func (d *desk) do(f func(s *State, a *Account) error) error {
	d.t.Helper()
	_, err := d.mem.post(Needs{Members: []int64{1}, Lots: []int64{1}}, func(s *State) error {
		a, err := s.Account(1)
		if err != nil {
			return err
		}
		return f(s, a)
	})
	d.mem.flush()
	checkBooks(d.t, d.mem)
	return err
}

func (d *desk) must(f func(s *State, a *Account) error) {
	d.t.Helper()
	if err := d.do(f); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) grant(g Grant) Granted {
	d.t.Helper()
	var out Granted
	d.must(func(s *State, a *Account) (err error) {
		if g.Kind == 0 {
			g.Kind = Earn
		}
		if g.Currency == nil {
			g.Currency = s.Config.Currencies[1]
		}
		out, err = s.Grant(a, g)
		return err
	})
	return out
}

// spend returns what became of spending.
func (d *desk) spend(amount, atMS int64) ([]Touch, error) {
	var out []Touch
	err := d.do(func(s *State, a *Account) (err error) {
		out, err = s.Spend(a, s.Config.Currencies[1], amount, Posting{AtMS: atMS})
		return err
	})
	return out, err
}

// wallet is what the member has now.
func (d *desk) wallet(currency int64) (w Wallet) {
	d.t.Helper()
	d.must(func(*State, *Account) error { return nil })
	for _, r := range d.mem.of(walletTable, 1) {
		if have := walletOf(r); have.Currency == currency {
			w = *have
		}
	}
	return w
}

// Points can be used in [activates, expires), to the millisecond.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	active, ends := noon+day, noon+2*day
	for _, tt := range []struct {
		at   int64
		want error
	}{
		{active - 1, ErrInsufficient},
		{active, nil},
		{active + 1, nil},
		{ends - 1, nil},
		{ends, ErrInsufficient},
		{ends + 1, ErrInsufficient},
	} {
		d := newDesk(t)
		d.grant(Grant{Amount: 10, ActiveMS: active, ExpiresMS: ends})
		d.mem.set(tt.at)
		if _, err := d.spend(10, 0); !errors.Is(err, tt.want) {
			t.Errorf("spending at activation %+d ms, end %+d ms: %v, want %v", tt.at-active, tt.at-ends, err, tt.want)
		}
	}
}

// What was granted already over is granted and expired, once.
func TestGrantInThePast(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.grant(Grant{Amount: 10, Posting: Posting{AtMS: noon - 60*day}})
	if w := d.wallet(1); w.Active != 0 || w.Earned != 10 || w.FirstOpen != 0 {
		t.Errorf("wallet %+v", w)
	}
	if n := len(d.mem.tables[entryTable]); n != 2 {
		t.Errorf("%d entries, want a grant and its expiry", n)
	}
}

// A hold can be captured before its end; at its end it is over and its points are free
// again, whoever comes first.
func TestHoldAtItsEnd(t *testing.T) {
	t.Parallel()
	ends := noon + day
	for _, tt := range []struct {
		at   int64
		want error
	}{{ends - 1, nil}, {ends, ErrHoldOver}, {ends + 1, ErrHoldOver}} {
		d := newDesk(t)
		d.grant(Grant{Amount: 10})
		d.must(func(s *State, a *Account) error {
			_, err := s.Hold(a, s.Config.Currencies[1], 6, ends, "test", Posting{})
			return err
		})
		d.mem.set(tt.at)
		err := d.do(func(s *State, a *Account) error {
			h, err := s.FindHold(a, 2)
			if err != nil {
				return err
			}
			_, err = s.Capture(a, s.Config.Currencies[1], h, 6, Posting{})
			return err
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("capturing at the end %+d ms: %v, want %v", tt.at-ends, err, tt.want)
		}
		want := int64(4)
		if tt.want != nil {
			want = 10
		}
		if w := d.wallet(1); w.Active != want || w.Held != 0 {
			t.Errorf("at the end %+d ms: wallet %+v, want %d usable", tt.at-ends, w, want)
		}
	}
}

// Of captures, releases and the end of its time, one has a hold.
func TestHoldHasOneWinner(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		points := b.config.Currencies[1]
		for round := range int64(20) {
			m := round + 1
			b.must(earn(m, 1, 10))
			b.must(on(m, func(s *State, a *Account) (any, error) {
				_, err := s.Hold(a, points, 10, s.NowMS+1000, "test", Posting{})
				return nil, err
			}))
			var won atomic.Int64
			together(9, func(i int) {
				if i == 8 {
					b.clock.Advance(time.Second)
					return
				}
				a := b.Do(t.Context(), Request{Command: on(m, func(s *State, a *Account) (any, error) {
					h := s.holds[lotID{m, 2}]
					if len(a.holds) > 0 {
						h = a.holds[0]
					}
					if h == nil {
						return nil, &Again{Needs{Holds: []LotKey{{m, 2}}}}
					}
					if i%2 == 0 {
						return nil, s.Release(a, h)
					}
					_, err := s.Capture(a, points, h, 10, Posting{})
					return nil, err
				})})
				if a.Err == nil {
					won.Add(1)
				} else if !errors.Is(a.Err, ErrHoldOver) {
					t.Errorf("refused: %v", a.Err)
				}
			})
			b.must(on(m, func(*State, *Account) (any, error) { return nil, nil }))
			if state := b.number("SELECT state FROM hold WHERE member_id = $1", m); won.Load() > 1 || won.Load() == 1 != (HoldState(state) != HoldExpired) {
				t.Errorf("%d winners, and the hold was %s", won.Load(), HoldState(state))
			}
		}
		b.clean()
	})
}

// The daily run may crash and run twice: what time has made true is written down once.
func TestSettlingTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 4)
		for m := range int64(10) {
			b.must(earn(m+1, 1, 10))
			b.must(earn(m+1, 4, 10))
		}
		b.clock.Advance(40 * 24 * time.Hour)
		together(8, func(int) {
			for m := range int64(10) {
				b.Do(t.Context(), Request{Command: on(m+1, func(*State, *Account) (any, error) { return nil, nil })})
			}
		})
		if n := b.number("SELECT COUNT(*) FROM entry WHERE kind = 7"); n != 20 {
			t.Errorf("%d expiries of 20 lots", n)
		}
		if n := b.number("SELECT COUNT(*) FROM wallet WHERE next_ms < $1", Never); n != 0 {
			t.Errorf("%d wallets still wait for something", n)
		}
		b.clean()
	})
}

// Stored value pays from its two buckets in the order that the currency says.
func TestSpendOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		order  SpendOrder
		amount int64
		want   string
	}{
		{PrincipalFirst, 100, "[{1 -100}]"},
		{PrincipalFirst, 101, "[{1 -100} {2 -1}]"},
		{"", 101, "[{1 -100} {2 -1}]"},
		{BonusFirst, 21, "[{2 -20} {1 -1}]"},
		{Proportional, 6, "[{1 -5} {2 -1}]"},
		{Proportional, 3, "[{1 -3}]"}, // 2.5 and 0.5: the odd one goes to the principal
		{Proportional, 9, "[{1 -8} {2 -1}]"},
		{Proportional, 119, "[{1 -99} {2 -20}]"},
		{Proportional, 120, "[{1 -100} {2 -20}]"},
	} {
		d := newDesk(t, &Currency{ID: 1, Code: "stored", Kind: Stored, Policy: Policy{SpendOrder: tt.order}})
		d.grant(Grant{Amount: 100, Kind: TopUp})
		d.grant(Grant{Amount: 20, Kind: TopUp, Bucket: Bonus})
		if got, err := d.spend(tt.amount, 0); err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: spending %d took %v, want %s; error %v", tt.order, tt.amount, got, tt.want, err)
		}
	}
}

// A return takes as much back as the currency allows: what waits, what is usable, a debt.
func TestClawbackPolicies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy                         Clawback
		pending, active, spent         int64 // the lots, and what was spent of the second
		want                           Clawed
		leftPending, leftActive, debts int64
	}{
		{ClawDebt, 10, 10, 0, Clawed{Pending: 10, Active: 10}, 0, 0, 0},
		{ClawDebt, 10, 10, 4, Clawed{Pending: 10, Active: 6, Debt: 4}, 0, 0, 4},
		{"", 10, 10, 10, Clawed{Pending: 10, Debt: 10}, 0, 0, 10},
		{ClawBalance, 10, 10, 4, Clawed{Pending: 10, Active: 6, Waived: 4}, 0, 0, 0},
		{ClawPending, 10, 10, 4, Clawed{Pending: 10, Waived: 10}, 0, 6, 0},
	} {
		d := newDesk(t, &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{Clawback: tt.policy}})
		d.grant(Grant{Amount: tt.pending, ActiveMS: noon + day})
		d.grant(Grant{Amount: tt.active})
		if tt.spent > 0 {
			if _, err := d.spend(tt.spent, 0); err != nil {
				t.Fatal(err)
			}
		}
		var got Clawed
		d.must(func(s *State, a *Account) error {
			got, _ = s.Clawback(a, s.Config.Currencies[1], []Take{{1, 1, tt.pending, 0, 0}, {1, 2, tt.active, 0, 0}}, Posting{})
			return nil
		})
		w := d.wallet(1)
		if got != tt.want || w.Pending != tt.leftPending || w.Active != tt.leftActive || w.Debt != tt.debts {
			t.Errorf("%q, %d spent: %+v, wallet %+v; want %+v", tt.policy, tt.spent, got, w, tt.want)
		}
	}
}

// A debt is repaid by whatever becomes usable next, and by no more than it is.
func TestDebtIsRepaid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.grant(Grant{Amount: 10})
	if _, err := d.spend(10, 0); err != nil {
		t.Fatal(err)
	}
	d.must(func(s *State, a *Account) error {
		s.Clawback(a, s.Config.Currencies[1], []Take{{1, 1, 10, 0, 0}}, Posting{})
		return nil
	})
	d.grant(Grant{Amount: 7, ActiveMS: noon + day}) // does not pay before it can be used
	if w := d.wallet(1); w.Debt != 10 || w.Pending != 7 {
		t.Fatalf("wallet %+v", w)
	}
	d.grant(Grant{Amount: 4})
	if w := d.wallet(1); w.Debt != 6 || w.Active != 0 {
		t.Fatalf("wallet %+v", w)
	}
	d.mem.set(noon + day)
	if w := d.wallet(1); w.Debt != 0 || w.Active != 1 || w.Pending != 0 {
		t.Fatalf("wallet %+v", w)
	}
}

// What was over before it was granted still pays a debt: it would have, had it come in time.
func TestPastGrantPaysDebt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must(func(s *State, a *Account) error {
		s.Clawback(a, s.Config.Currencies[1], []Take{{1, 99, 6, 0, 0}}, Posting{})
		return nil
	})
	d.grant(Grant{Amount: 10, Posting: Posting{AtMS: noon - 60*day}})
	if w := d.wallet(1); w.Debt != 0 || w.Active != 0 {
		t.Errorf("wallet %+v", w)
	}
}

// What is given back before its end is as it was; from its end on it lapses, and lives on
// for the days of grace where the currency grants some.
func TestGiveBackAtTheEnd(t *testing.T) {
	t.Parallel()
	ends := noon + 2*day
	for _, tt := range []struct {
		at    int64
		grace int
		want  int64 // usable
		until int64
	}{
		{ends - 1, 0, 10, ends},
		{ends, 0, 0, Never},
		{ends + 1, 0, 0, Never},
		{ends - 1, 5, 10, ends},
		{ends, 5, 10, midnight(ends, 6)},
		{ends + 1, 5, 10, midnight(ends, 6)},
	} {
		d := newDesk(t, &Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{Restore: Restore{GraceDays: tt.grace}}})
		d.grant(Grant{Amount: 10, ExpiresMS: ends})
		touches, err := d.spend(10, 0)
		if err != nil {
			t.Fatal(err)
		}
		d.mem.set(tt.at)
		_, err = d.mem.post(Needs{Members: []int64{1}, Lots: []int64{1}, LotSeqs: []LotKey{{1, 1}}}, func(s *State) error {
			a, err := s.Account(1)
			if err == nil {
				s.GiveBack(a, s.Config.Currencies[1], []Touch{{touches[0].Lot, 10}}, Posting{})
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		d.mem.flush()
		if w := d.wallet(1); w.Active != tt.want || w.NextMS != tt.until || w.Spent != 0 {
			t.Errorf("given back at the end %+d ms with %d days of grace: wallet %+v", tt.at-ends, tt.grace, w)
		}
	}
}

// A sliding wallet whose points all wait does not end before they can be used.
func TestSlideBeforeActivation(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sliding())
	d.grant(Grant{Amount: 5, ActiveMS: noon + 30*day})
	d.mem.set(noon + 30*day)
	if w := d.wallet(1); w.Active != 5 {
		t.Fatalf("wallet %+v on the day of activation", w)
	}
	d.mem.set(noon + 42*day)
	if w := d.wallet(1); w.Active != 0 {
		t.Fatalf("wallet %+v twelve days after", w)
	}
}

// Where points become usable at the very end of a sliding wallet, the old ones end and the
// new ones begin.
func TestSlideEndsAtActivation(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sliding())
	end := midnight(noon, 11)
	d.grant(Grant{Amount: 3})
	d.grant(Grant{Amount: 5, ActiveMS: end})
	for _, tt := range []struct{ at, active int64 }{{end - 1, 3}, {end, 5}, {midnight(end, 11) - 1, 5}, {midnight(end, 11), 0}} {
		d.mem.set(tt.at)
		if w := d.wallet(1); w.Active != tt.active {
			t.Errorf("%d ms after the end: %d usable, want %d", tt.at-end, w.Active, tt.active)
		}
	}
}

// Points that a hold had pinned while their sliding wallet ran out end with the hold.
func TestSlideWhilePinned(t *testing.T) {
	t.Parallel()
	d := newDesk(t, sliding())
	d.grant(Grant{Amount: 10})
	d.must(func(s *State, a *Account) error {
		_, err := s.Hold(a, s.Config.Currencies[1], 4, noon+20*day, "test", Posting{})
		return err
	})
	d.mem.set(noon + 15*day)
	if w := d.wallet(1); w.Active != 0 || w.Held != 4 {
		t.Fatalf("wallet %+v while the hold is open", w)
	}
	d.mem.set(noon + 20*day)
	if w := d.wallet(1); w.Active != 0 || w.Held != 0 || w.NextMS != Never {
		t.Fatalf("wallet %+v after the hold", w)
	}
}

// Amounts at the edge of what is allowed are taken or refused; none wraps.
func TestAmountsAtTheEdge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for _, amount := range []int64{0, -1, math.MinInt64, MaxPoints + 1, math.MaxInt64} {
		err := d.do(func(s *State, a *Account) error {
			_, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: amount})
			return err
		})
		if !errors.Is(err, ErrAmount) {
			t.Errorf("granting %d: %v", amount, err)
		}
		if _, err := d.spend(amount, 0); !errors.Is(err, ErrAmount) {
			t.Errorf("spending %d: %v", amount, err)
		}
	}
	for _, amount := range []int64{0, math.MinInt64, -MaxPoints - 1} {
		err := d.do(func(s *State, a *Account) error {
			_, _, err := s.Adjust(a, s.Config.Currencies[1], amount, Posting{})
			return err
		})
		if !errors.Is(err, ErrAmount) {
			t.Errorf("adjusting by %d: %v", amount, err)
		}
	}
	d.grant(Grant{Amount: MaxPoints})
	err := d.do(func(s *State, a *Account) error {
		_, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: 1})
		return err
	})
	if !errors.Is(err, ErrFull) {
		t.Errorf("one more than fits: %v", err)
	}
	if _, err := d.spend(MaxPoints, 0); err != nil {
		t.Errorf("spending all: %v", err)
	}
}

// add gives the sum, or panics: it never wraps.
func TestAddNeverWraps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.SampledFrom([]int64{0, math.MaxInt64, math.MinInt64})
		draw := func(name string) int64 {
			v := edge.Draw(t, name+" near") + rapid.Int64Range(-3, 3).Draw(t, name) // wraps around, which is near too
			return v
		}
		a, b := draw("a"), draw("b")
		fits := !(b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b)
		defer func() {
			if p := recover(); (p == nil) != fits {
				t.Fatalf("add(%d, %d): panic %v, fits %v", a, b, p, fits)
			}
		}()
		if s := add(a, b); fits && s != a+b {
			t.Fatalf("add(%d, %d) = %d", a, b, s)
		}
	})
}

// A refused command leaves nothing behind, wherever it stopped.
func TestRollback(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.grant(Grant{Amount: 10})
	before := map[*Table]map[string][]any{}
	for table, rows := range d.mem.tables {
		before[table] = maps.Clone(rows)
	}
	s, _ := d.mem.post(Needs{Members: []int64{1, 2}, Lots: []int64{1}}, func(s *State) error {
		a, _ := s.Account(1)
		to, _ := s.Account(2)
		if _, err := s.Spend(a, s.Config.Currencies[1], 1, Posting{}); err != nil {
			return err
		}
		if _, err := s.Hold(a, s.Config.Currencies[1], 3, noon+day, "test", Posting{}); err != nil {
			return err
		}
		if _, err := s.Transfer(a, to, s.Config.Currencies[1], 3, Posting{}); err != nil {
			return err
		}
		s.Event(a, "test.done", noon, "{}")
		s.NextSale(a)
		s.Put(documentTable, int64(1), []byte{1}, int64(3), int64(1), int64(1), []byte{})
		return errors.New("after all of it")
	})
	for _, c := range s.changes() {
		if len(c.inserts)+len(c.updates) > 0 {
			t.Errorf("%s: %v %v", c.table.name, c.inserts, c.updates)
		}
	}
	if s.Has(documentTable, int64(1), []byte{1}) {
		t.Error("a row that was never looked for passes for one that is not there")
	}
	d.mem.flush()
	if !reflect.DeepEqual(before, d.mem.tables) {
		t.Error("the refused command changed the books")
	}
}
