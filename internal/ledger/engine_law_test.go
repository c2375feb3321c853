package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// One key has one effect and one answer, byte for byte: within a batch, across batches,
// and however many send it at once.
func TestSameKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		first := b.Do(t.Context(), keyed("a", "body", earn(1, 1, 10)))
		if first.Err != nil || first.Raw.Replayed || len(first.Raw.Body) == 0 {
			t.Fatalf("first answer %+v", first)
		}
		same := func(what string, a Answer) {
			if a.Err != nil || !bytes.Equal(a.Raw.Body, first.Raw.Body) || a.Raw.Status != first.Raw.Status || !a.Raw.Replayed {
				t.Errorf("%s: %+v, want %s again", what, a, first.Raw.Body)
			}
		}
		same("later", b.Do(t.Context(), keyed("a", "body", earn(1, 1, 10))))

		many := make([]Request, 50)
		for i := range many {
			many[i] = keyed("b", "body", earn(2, 1, 10))
		}
		answers := b.DoMany(t.Context(), many) // some of them in one batch
		together(20, func(int) { b.Do(t.Context(), keyed("b", "body", earn(2, 1, 10))) })
		for i, a := range answers[1:] {
			if a.Err != nil || !bytes.Equal(a.Raw.Body, answers[0].Raw.Body) {
				t.Errorf("answer %d: %+v, want %s", i, a, answers[0].Raw.Body)
			}
		}
		if one, two := b.wallet(1, 1).Earned, b.wallet(2, 1).Earned; one != 10 || two != 10 {
			t.Errorf("earned %d and %d, want 10 each", one, two)
		}
		b.clean()
	})
}

// A key that comes with another body is refused and has no effect.
func TestKeyReused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.Do(t.Context(), keyed("a", "ten", earn(1, 1, 10)))
		for range 2 { // the refusal is not kept in place of the answer
			if a := b.Do(t.Context(), keyed("a", "eleven", earn(1, 1, 11))); !errors.Is(a.Err, api.ErrKeyReused) {
				t.Fatalf("answer %+v", a)
			}
		}
		if a := b.Do(t.Context(), keyed("a", "ten", earn(1, 1, 10))); a.Err != nil || !a.Raw.Replayed {
			t.Errorf("the first request again: %+v", a)
		}
		if w := b.wallet(1, 1); w.Active != 10 {
			t.Errorf("%d usable, want 10", w.Active)
		}
	})
}

// A refusal by state stays the answer of its key when the state has changed; a refusal of
// the request itself is not kept.
func TestRefusalsAreKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		first := b.Do(t.Context(), keyed("a", "", spend(1, 1, 10)))
		if !errors.Is(first.Err, ErrInsufficient) || first.Raw.Status != 409 {
			t.Fatalf("answer %+v", first)
		}
		b.must(earn(1, 1, 10))
		if a := b.Do(t.Context(), keyed("a", "", spend(1, 1, 10))); a.Err != nil || a.Raw.Status != 409 || !bytes.Equal(a.Raw.Body, first.Raw.Body) || !a.Raw.Replayed {
			t.Errorf("after a top-up: %+v, want %s again", a, first.Raw.Body)
		}
		if a := b.Do(t.Context(), keyed("b", "", spend(1, 1, 10))); a.Err != nil {
			t.Errorf("another key: %v", a.Err)
		}
		if a := b.Do(t.Context(), keyed("c", "", spend(1, 1, 0))); !errors.Is(a.Err, ErrAmount) {
			t.Errorf("an amount of 0: %+v", a)
		}
		if n := b.number("SELECT COUNT(*) FROM request"); n != 2 {
			t.Errorf("%d answers kept, want 2", n)
		}
		b.clean()
	})
}

// documented makes a grant that stands for a document for ever.
func documented(member, amount int64, name string) cmd {
	doc := Document{DocEarning, "shop", name}
	c := earn(member, 1, amount)
	do := c.do
	c.needs.Fresh = []RowKey{doc.Need()}
	c.do = func(s *State) (any, error) {
		if was, ok := s.FindDoc(doc); ok {
			return moved{Entry: was.Seq}, nil
		}
		v, err := do(s)
		if err != nil {
			return nil, err
		}
		s.PutDoc(doc, Doc{Kind: DocEarning, Member: member, Seq: v.(moved).Entry, Content: ContentHash(amount)})
		return moved{Entry: v.(moved).Entry}, nil
	}
	return c
}

// When its key has long been forgotten, a retry still finds what its document became.
func TestNaturalKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 4)
		first := b.Do(t.Context(), keyed("a", "", documented(1, 10, "D1")))
		b.exec("DELETE FROM request")
		again := b.Do(t.Context(), keyed("a", "", documented(1, 10, "D1")))
		if again.Err != nil || again.Raw.Replayed || !bytes.Equal(again.Raw.Body, first.Raw.Body) {
			t.Errorf("answer %+v, want %s from the document", again, first.Raw.Body)
		}
		// The same document for many members at once: workers meet at the document.
		together(24, func(i int) { b.Do(t.Context(), Request{Command: documented(int64(i), 10, "D2")}) })
		if n := b.number("SELECT CAST(SUM(active) AS BIGINT) FROM wallet"); n != 20 {
			t.Errorf("two documents made %d points, want 20", n)
		}
		b.clean()
	})
}

// A document is taken for new without a look. Whatever a command then makes of that, one
// whose document was there already answers with it: where it would now be refused, where it
// puts nothing, in a dry run, and amid others whose documents are new.
func TestFresh(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		once := func(name string, puts bool) cmd {
			doc := Document{DocSpending, "till", name}
			c := spend(1, 1, 10)
			do := c.do
			c.needs.Fresh = []RowKey{doc.Need()}
			c.do = func(s *State) (any, error) {
				if was, seen := s.FindDoc(doc); seen {
					return moved{Entry: was.Seq}, nil
				}
				if !puts {
					return moved{Entry: -1}, nil
				}
				v, err := do(s)
				if err == nil {
					s.PutDoc(doc, Doc{Kind: DocSpending, Member: 1, Seq: v.(moved).Entry})
				}
				return v, err
			}
			return c
		}
		b.must(earn(1, 1, 10))
		first := b.must(once("D", true)).Value.(moved)
		for name, r := range map[string]Request{
			"refused by now": {Command: once("D", true)},
			"puts nothing":   {Command: once("D", false)},
			"dry":            {Command: once("D", true), DryRun: true},
			"keyed":          keyed("k", "", once("D", true)),
		} {
			if a := b.Do(t.Context(), r); a.Err != nil || a.Value.(moved).Entry != first.Entry {
				t.Errorf("%s: %+v, want entry %d", name, a, first.Entry)
			}
		}
		var mixed []Request
		for i := range int64(30) {
			mixed = append(mixed, Request{Command: documented(2, 1, fmt.Sprint("E", i%20))}, Request{Command: once("D", true)})
		}
		for i, a := range b.DoMany(t.Context(), mixed) {
			if a.Err != nil || i%2 == 1 && a.Value.(moved).Entry != first.Entry {
				t.Errorf("answer %d of many: %+v", i, a)
			}
		}
		was := b.must(documented(2, 1, "E0")).Value.(moved).Entry
		if a := b.Do(t.Context(), Request{Command: documented(2, 1, "E0"), DryRun: true}); a.Err != nil || a.Value.(moved).Entry != was {
			t.Errorf("a dry run that could do it: %+v, want entry %d", a, was)
		}
		if one, two := b.wallet(1, 1).Active, b.wallet(2, 1).Active; one != 0 || two != 20 {
			t.Errorf("%d and %d usable, want 0 and 20", one, two)
		}
		b.clean()
	})
}

// Of many who spend at once, just as many succeed as there are points for.
func TestNoDoubleSpend(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 4)
		const k, n, rounds = 7, 40, 5
		for round := range int64(rounds) {
			member := 100 + round
			b.must(earn(member, 1, 3*k+2))
			var won atomic.Int64
			together(n, func(int) {
				switch a := b.Do(t.Context(), Request{Command: spend(member, 1, 3)}); {
				case a.Err == nil:
					won.Add(1)
				case !errors.Is(a.Err, ErrInsufficient):
					t.Errorf("refused: %v", a.Err)
				}
			})
			if won.Load() != k || b.wallet(member, 1).Active != 2 {
				t.Errorf("%d of %d spends succeeded, want %d; %d are left", won.Load(), n, k, b.wallet(member, 1).Active)
			}
		}
		b.clean()
	})
}

// Members who give to each other at once neither block each other for ever nor make or
// lose a point.
func TestTransfersCross(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 4)
		b.config.Currencies[1].Policy.Transfer.FeePercent = 0
		const members = 6
		for m := range int64(members) {
			b.must(earn(m+1, 1, 1000))
		}
		together(16, func(i int) {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 15 {
				from := r.Int64N(members) + 1
				to := from%members + 1
				if r.IntN(2) == 0 {
					from, to = to, from
				}
				if a := b.Do(t.Context(), Request{Command: transfer(from, to, 1, r.Int64N(50)+1)}); a.Err != nil && !errors.Is(a.Err, ErrInsufficient) {
					t.Errorf("%d to %d: %v", from, to, a.Err)
				}
			}
		})
		if n := b.number("SELECT CAST(SUM(active) AS BIGINT) FROM wallet"); n != 1000*members {
			t.Errorf("%d points are left of %d", n, 1000*members)
		}
		b.clean()
	})
}

// A command that panics answers for itself; those around it take effect.
func TestPanicSinksNoBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		faults := map[string]Command{
			"deciding": on(1, func(s *State, a *Account) (any, error) {
				if _, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: 5}); err != nil {
					return nil, err
				}
				panic("at the worst moment")
			}),
			"answering": on(1, func(s *State, a *Account) (any, error) {
				_, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: 5})
				return map[string]any{"cannot be JSON": func() {}}, err
			}),
			"a value of the wrong type": cmd{Needs{Members: []int64{1}}, func(s *State) (any, error) {
				s.Put(documentTable, 1, []byte{1}, int64(3), int64(1), int64(1), []byte{})
				return nil, nil
			}},
			"what the database refuses": on(1, func(s *State, a *Account) (any, error) {
				_, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[1], Amount: 5})
				for range 2 { // the same key twice, past what the state can see
					r := &row{table: documentTable, values: []any{int64(1), []byte{1}, int64(3), int64(1), int64(1), []byte{}}}
					s.changed = append(s.changed, r)
				}
				return nil, err
			}),
		}
		want := int64(0)
		for name, bad := range faults {
			var list []Request
			for i := range 5 {
				list = append(list, Request{Command: earn(1, 1, 2)}, Request{Command: earn(int64(10+i), 1, 2)})
			}
			want += 10
			list[4] = keyed(name, "", bad)
			want -= 2
			for i, a := range b.DoMany(t.Context(), list) {
				if i == 4 && !errors.Is(a.Err, ErrDefect) || i != 4 && a.Err != nil {
					t.Errorf("%s: answer %d is %+v", name, i, a)
				}
			}
		}
		if w := b.wallet(1, 1); w.Active != want {
			t.Errorf("%d usable, want %d", w.Active, want)
		}
		b.clean()
	})
}

// A command finds out on the way what it needs: a row is loaded at once, a member with the
// next batch.
func TestAgain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		b.must(documented(1, 10, "D"))
		b.must(earn(2, 1, 30))
		doc := Document{DocEarning, "shop", "D"}
		var tries int
		follow := cmd{Needs{Members: []int64{7}}, func(s *State) (any, error) {
			tries++
			if !s.Has(documentTable, doc.key().Key...) {
				return nil, &Again{Needs{Rows: []RowKey{doc.Need()}}}
			}
			was, _ := s.FindDoc(doc)
			owner := was.Member // whose lots are needed, and another member's
			if s.accounts[owner] == nil || s.accounts[2] == nil {
				return nil, &Again{Needs{Members: []int64{owner, 2}, Lots: []int64{owner, 2}}}
			}
			var sum int64
			for _, m := range []int64{owner, 2} {
				a, err := s.Account(m)
				if err != nil {
					return nil, err
				}
				touches, err := s.Spend(a, s.Config.Currencies[1], 10, Posting{})
				if err != nil {
					return nil, err
				}
				sum += touches[0].Amount
			}
			return moved{Entry: sum}, nil
		}}
		if a := b.must(follow); a.Value.(moved).Entry != -20 || tries != 3 {
			t.Errorf("answer %+v after %d tries, want -20 after 3", a.Value, tries)
		}
		endless := cmd{Needs{Members: []int64{7}}, func(*State) (any, error) { return nil, &Again{} }}
		b.refused(endless, ErrDefect)
		if one, two := b.wallet(1, 1).Active, b.wallet(2, 1).Active; one != 0 || two != 20 {
			t.Errorf("%d and %d are left, want 0 and 20", one, two)
		}
		b.clean()
	})
}

// Lots that are asked for in the middle of a batch join those that it has made already.
func TestLotsLoadedLate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.must(earn(1, 1, 10))
		b.must(earn(1, 1, 10))
		late := cmd{Needs{Members: []int64{1}}, func(s *State) (any, error) {
			a, err := s.Account(1)
			if err != nil {
				return nil, err
			}
			if !a.lotsIn() {
				return nil, &Again{Needs{Lots: []int64{1}}}
			}
			touches, err := s.Spend(a, s.Config.Currencies[1], 12, Posting{})
			return moved{Lots: touches}, err
		}}
		release := b.stall()
		var all sync.WaitGroup
		all.Go(func() {
			answers := b.DoMany(t.Context(), []Request{{Command: earn(1, 1, 10)}, {Command: late}})
			if got := fmt.Sprint(answers[1].Value); answers[1].Err != nil || got != "{0 [{1 -10} {2 -2}]}" {
				t.Errorf("answer %s, error %v", got, answers[1].Err)
			}
		})
		b.waiting(2)
		release()
		all.Wait()
		if w := b.wallet(1, 1); w.Active != 18 || w.FirstOpen != 2 {
			t.Errorf("wallet %+v", w)
		}
		b.clean()
	})
}

// stall keeps the first worker busy until release is called.
func (b *bench) stall() (release func()) {
	begun, wait := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var ended sync.WaitGroup
	ended.Go(func() {
		b.Do(b.t.Context(), Request{Command: cmd{Needs{Members: []int64{999}}, func(*State) (any, error) {
			once.Do(func() { close(begun) })
			<-wait
			return nil, nil
		}}})
	})
	<-begun
	return func() { close(wait); ended.Wait() }
}

// waiting returns once n requests wait for the first worker.
func (b *bench) waiting(n int) {
	for len(b.queues[0].fast)+len(b.queues[0].bulk) < n {
		select {
		case <-b.t.Context().Done():
			b.t.Fatal("the requests did not come")
		default:
		}
	}
}

// A dry run answers as the real one would, and leaves nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.must(earn(1, 1, 10))
		dry := keyed("a", "", spend(1, 1, 4))
		dry.DryRun = true
		for range 2 {
			if a := b.Do(t.Context(), dry); a.Err != nil || a.Raw.Replayed || a.Value.(moved).Entry != 2 {
				t.Fatalf("dry run: %+v", a)
			}
		}
		new := Request{Command: documented(5, 1, "D"), DryRun: true}
		// In one batch with others, whose numbers it must not take.
		release := b.stall()
		var all sync.WaitGroup
		all.Go(func() {
			b.DoMany(t.Context(), []Request{dry, {Command: earn(1, 1, 1)}, new, dry, {Command: documented(6, 1, "D")}})
		})
		b.waiting(5)
		release()
		all.Wait()
		if w, n := b.wallet(1, 1), b.number("SELECT COUNT(*) FROM entry"); w.Active != 11 || n != 3 {
			t.Errorf("%d usable and %d entries, want 11 and 3", w.Active, n)
		}
		if n := b.number("SELECT COUNT(*) FROM request") + b.number("SELECT COUNT(*) FROM account WHERE member_id = 5"); n != 0 {
			t.Errorf("%d rows were left by dry runs", n)
		}
		if m := b.number("SELECT member_id FROM document"); m != 6 {
			t.Errorf("the document is member %d's, want 6", m)
		}
		if a := b.Do(t.Context(), keyed("a", "", spend(1, 1, 4))); a.Err != nil || a.Raw.Replayed {
			t.Errorf("in earnest: %+v", a)
		}
		b.clean()
	})
}

// Two servers on one PostgreSQL meet at new accounts, at documents, at keys and at members,
// in either order, and post everything once.
func TestTwoEngines(t *testing.T) {
	t.Parallel()
	b := newBench(t, dbtest.Open(t, db.Postgres), 2)
	other := b.engine(2)
	const rounds, n = 20, 8
	for round := range int64(rounds) {
		together(n, func(i int) {
			e := []*Engine{b.Engine, other}[i%2]
			rs := []Request{
				{Command: earn(1000+round, 1, 5)}, // a new account, made by both
				{Command: documented(2000+round, 7, fmt.Sprint("D", round))},
				{Command: documented(3000+round, 7, fmt.Sprint("E", round))},
				keyed(fmt.Sprint("key", round), "", earn(4000+round, 1, 3)),
				{Command: transfer(1000+round, 5000+round, 1, 1)},
			}
			if i%4 > 1 { // others ask for the documents the other way round
				rs[1], rs[2] = rs[2], rs[1]
			}
			for k, a := range e.DoMany(t.Context(), rs) {
				if a.Err != nil && !(k == 4 && errors.Is(a.Err, ErrInsufficient)) {
					t.Errorf("round %d, request %d: %v", round, k, a.Err)
				}
			}
		})
	}
	for _, tt := range []struct{ from, want int64 }{{2000, 7}, {3000, 7}, {4000, 3}} {
		if got := b.number("SELECT CAST(SUM(earned) AS BIGINT) FROM wallet WHERE member_id >= $1 AND member_id < $2", tt.from, tt.from+1000); got != rounds*tt.want {
			t.Errorf("members from %d earned %d, want %d", tt.from, got, rounds*tt.want)
		}
	}
	if got := b.number("SELECT CAST(SUM(earned) AS BIGINT) FROM wallet WHERE member_id >= 1000 AND member_id < 2000"); got != rounds*n*5 {
		t.Errorf("the new members earned %d, want %d", got, rounds*n*5)
	}
	b.clean()
}

// Bulk work and other work are both done; what others wait for goes first.
func TestBulkGivesWay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		var order []string // written by the one worker, read when it is done
		note := func(what string, member int64) cmd {
			return cmd{Needs{Members: []int64{member}}, func(*State) (any, error) {
				order = append(order, what)
				return nil, nil
			}}
		}
		release := b.stall()
		var all sync.WaitGroup
		all.Go(func() { b.Do(t.Context(), Request{Command: note("bulk", 1), Bulk: true}) })
		b.waiting(1)
		all.Go(func() { b.Do(t.Context(), Request{Command: note("fast", 2)}) })
		b.waiting(2)
		release()
		all.Wait()
		if !slices.Equal(order, []string{"fast", "bulk"}) {
			t.Errorf("done: %v", order)
		}
	})
}

// Close lets everything finish that was taken on, and takes on nothing more.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 2)
		var done, refused atomic.Int64
		var begun sync.WaitGroup
		begun.Add(30)
		var all sync.WaitGroup
		for i := range int64(30) {
			all.Go(func() {
				for n := range 20 {
					r := Request{Command: earn(i+1, 1, 1), Bulk: i%3 == 0}
					switch a := b.Do(t.Context(), r); {
					case a.Err == nil:
						done.Add(1)
					case errors.Is(a.Err, ErrOverload):
						refused.Add(1)
					default:
						t.Errorf("answer %v", a.Err)
					}
					if n == 0 {
						begun.Done()
					}
				}
			})
		}
		begun.Wait()
		b.Close()
		b.Close() // twice is once
		all.Wait()
		if n := b.number("SELECT COUNT(*) FROM entry"); n != done.Load() {
			t.Errorf("%d entries for %d answers", n, done.Load())
		}
		if a := b.Do(t.Context(), Request{Command: earn(1, 1, 1)}); !errors.Is(a.Err, ErrOverload) {
			t.Errorf("after Close: %v", a.Err)
		}
		b.clean()
	})
}

// A member whose books do not add up is closed, and nobody else is.
func TestCorruptBooksAreClosed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.must(earn(1, 1, 10))
		b.must(earn(2, 1, 10))
		b.exec("UPDATE wallet SET active = 1000 WHERE member_id = 1")
		b.refused(spend(1, 1, 500), ErrCorrupt)
		b.refused(transfer(1, 2, 1, 1), ErrCorrupt)
		b.must(spend(2, 1, 5))
		if n := b.number("SELECT COUNT(*) FROM entry WHERE member_id = 1"); n != 1 {
			t.Errorf("%d entries, want the first alone", n)
		}
	})
}
