package ledger

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// fill writes a book with one of everything in it. What each member has:
//
//	1  points: two lots, one partly spent, an open hold
//	2  points: what 1 gave away
//	3  a debt
//	4  a hold that was captured in part, one that was released, expired points
//	5  merged into 6
func fill(b *bench) {
	b.t.Helper()
	points := b.config.Currencies[1]
	b.must(earn(4, 1, 10))
	b.clock.Advance(20 * 24 * time.Hour)
	b.must(earn(1, 1, 100))
	b.must(withDocument(earn(1, 1, 50)))
	b.must(spend(1, 1, 30))
	b.must(transfer(1, 2, 1, 20))
	b.must(on(1, func(s *State, a *Account) (any, error) {
		_, err := s.Hold(a, points, 10, s.NowMS+10*day, "open", Posting{})
		return nil, err
	}))
	b.must(earn(3, 1, 40))
	b.must(spend(3, 1, 35))
	b.must(on(3, func(s *State, a *Account) (any, error) {
		s.Clawback(a, points, []Take{{Member: 3, Lot: 1, Amount: 40}}, Posting{})
		return nil, nil
	}))
	b.must(earn(4, 1, 60))
	for _, amount := range []int64{25, 0} {
		var seq int64
		b.must(on(4, func(s *State, a *Account) (any, error) {
			h, err := s.Hold(a, points, 30, s.NowMS+20*day, "done", Posting{})
			if err == nil {
				seq = h.Seq
			}
			return nil, err
		}))
		b.must(on(4, func(s *State, a *Account) (any, error) {
			h, err := s.FindHold(a, seq)
			if err != nil {
				return nil, err
			}
			if amount == 0 {
				return nil, s.Release(a, h)
			}
			_, err = s.Capture(a, points, h, amount, Posting{})
			return nil, err
		}))
	}
	for _, m := range []int64{5, 6} {
		b.must(earn(m, 1, 70))
		b.must(earn(m, 4, 7))
	}
	b.must(cmd{Needs{Members: []int64{5, 6}, Lots: []int64{5, 6}}, func(s *State) (any, error) {
		from, err := s.Account(5)
		if err != nil {
			return nil, err
		}
		to, err := s.Account(6)
		if err != nil {
			return nil, err
		}
		return nil, s.Merge(from, to, Posting{})
	}})
	b.clock.Advance(12 * 24 * time.Hour)
	b.must(on(4, func(*State, *Account) (any, error) { return nil, nil })) // its oldest lot expires
	b.must(on(1, func(*State, *Account) (any, error) { return nil, nil })) // its hold ends
	b.must(on(1, func(s *State, a *Account) (any, error) {
		_, err := s.Hold(a, points, 15, s.NowMS+day, "open", Posting{})
		return nil, err
	}))
}

// withDocument makes a command leave a document of its entry.
func withDocument(c cmd) cmd {
	d := Document{DocEarning, "test", "1"}
	member := c.needs.Members[0]
	c.needs.Fresh = []RowKey{d.Need()}
	do := c.do
	c.do = func(s *State) (any, error) {
		v, err := do(s)
		if err == nil {
			s.PutDoc(d, Doc{Kind: DocEarning, Member: member, Seq: s.accounts[member].EntryN})
		}
		return v, err
	}
	return c
}

// verified runs Verify and fails the test where it cannot.
func (b *bench) verified(checks ...Check) Report {
	b.t.Helper()
	r, err := Verify(b.t.Context(), b.db, b.config, nil, checks...)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// clean fails the test unless the books add up.
func (b *bench) clean() {
	b.t.Helper()
	if r := b.verified(); !r.Clean() {
		b.t.Fatalf("%d findings, the first: %+v", len(r.Findings), r.Findings[0])
	}
}

func TestVerifyClean(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.clean() // an empty book
		fill(b)
		var last, total int64
		r, err := Verify(t.Context(), d, b.config, func(done, of int64) { last, total = done, of })
		if err != nil || !r.Clean() {
			t.Fatalf("findings %+v, error %v", r.Findings, err)
		}
		entries := b.number("SELECT COUNT(*) FROM entry")
		if r.Entries != entries || last != entries || total != entries || r.Members != 6 {
			t.Errorf("read %d entries of %d members, told %d of %d; there are %d of 6", r.Entries, r.Members, last, total, entries)
		}
		// The dispatcher has handed some events on.
		list, last := firstWaiting(b, 6)
		for i, e := range list {
			b.exec(`INSERT INTO event (position, shard, member_id, kind, at_ms, body) VALUES ($1, $2, $3, $4, $5, $6)`, i+1, e.Shard, e.Member, e.Kind, e.AtMS, e.Body)
		}
		b.clean() // a row that is in both was on its way
		b.exec("DELETE FROM outbox WHERE id <= $1", last)
		b.clean()
	})
}

// firstWaiting are the events in the first rows of the outbox, and the last of those rows.
func firstWaiting(b *bench, rows int) (list []event.Event, last int64) {
	b.t.Helper()
	err := b.db.Read(b.t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, last, err = event.Waiting(ctx, tx, 0, rows)
		return err
	})
	if err != nil || len(list) == 0 {
		b.t.Fatalf("%d events wait: %v", len(list), err)
	}
	return list, last
}

// dispatch moves what waits to the log.
func (b *bench) dispatch() {
	b.t.Helper()
	if err := event.New(b.db, b.clock, nil).Drain(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// Each corruption is planted in a book that was clean, and found as a breach of the
// invariant that it breaks, at the member whom it concerns.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		fill(b)
		b.clean()
		b.dispatch()
		b.clean()
		b.unguard()
		b.keep()
		for _, tt := range corruptions {
			b.exec(tt.plant)
			where := ""
			if tt.member != 0 {
				where = id.Encode("mem_", tt.member, 0)
			}
			r := b.verified()
			if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Invariant == tt.invariant && strings.Contains(f.Where, where) && f.EN != "" && f.ZH != ""
			}) {
				t.Errorf("%s: no breach of %s was found, only %+v", tt.name, tt.invariant, r.Findings)
			}
			b.restore()
		}
		b.clean()
	})
}

var corruptions = []struct {
	name      string
	invariant string
	member    int64 // 0 = nobody's
	plant     string
}{
	{"amount of an entry changed", "I10", 1, "UPDATE entry SET active = active + 1 WHERE member_id = 1 AND seq = 1"},
	{"amount of an entry and its digest's balance", "I2", 1, "UPDATE entry SET active = active + 1, after_active = after_active + 1 WHERE member_id = 1 AND seq = 1"},
	{"entry moved between accounts", "I2", 1, "UPDATE entry SET active = 0, pending = 100 WHERE member_id = 1 AND seq = 1"},
	{"entry without another side", "I1", 1, "UPDATE entry SET held = held + 1 WHERE member_id = 1 AND kind = 4"},
	{"kind of an entry", "I1", 1, "UPDATE entry SET kind = 99 WHERE member_id = 1 AND seq = 1"},
	{"reason of an entry changed", "I10", 1, "UPDATE entry SET reason = 'goodwill' WHERE member_id = 1 AND seq = 1"},
	{"salt of an entry changed", "I10", 1, "UPDATE entry SET salt = digest WHERE member_id = 1 AND seq = 1"},
	{"digest of an entry changed", "I10", 1, "UPDATE entry SET digest = salt WHERE member_id = 1 AND seq = 1"},
	{"touches of an entry unreadable", "I10", 1, "UPDATE entry SET touches = 'x' WHERE member_id = 1 AND seq = 1"},
	{"touches of an entry changed", "I4", 1, "UPDATE entry SET touches = '2:-30' WHERE member_id = 1 AND kind = 3"},
	{"entry deleted", "I10", 1, "DELETE FROM entry WHERE member_id = 1 AND seq = 2"},
	{"last entry deleted", "I10", 2, "DELETE FROM entry WHERE member_id = 2 AND seq = 1"},
	{"half of a transfer missing", "I6", 0, "DELETE FROM entry WHERE member_id = 2 AND kind = 12"},
	{"half of a merge missing", "I6", 0, "DELETE FROM entry WHERE member_id = 5 AND kind = 15 AND currency_id = 4"},
	{"wallet off by one", "I2", 1, "UPDATE wallet SET active = active + 1 WHERE member_id = 1 AND currency_id = 1"},
	{"wallet richer than its lots", "I3", 1, "UPDATE wallet SET active = active + 1 WHERE member_id = 1 AND currency_id = 1"},
	{"more owned than owed", "I6", 0, "UPDATE wallet SET pending = pending + 1 WHERE member_id = 1 AND currency_id = 1"},
	{"wallet missing", "I2", 1, "DELETE FROM wallet WHERE member_id = 1 AND currency_id = 1"},
	{"usable and owed", "I5", 3, "UPDATE wallet SET active = 1 WHERE member_id = 3"},
	{"negative debt", "I5", 1, "UPDATE wallet SET debt = -1 WHERE member_id = 1"},
	{"hint past an open lot", "I3", 1, "UPDATE wallet SET first_open = 99 WHERE member_id = 1"},
	{"line out of order", "I3", 1, "UPDATE lot SET earned_ms = earned_ms - 1 WHERE member_id = 1 AND seq = 2"},
	{"closed lot among the strays", "I3", 4, "UPDATE lot SET stray = 1 WHERE member_id = 4 AND left_n = 0"},
	{"hint past an instant", "I3", 1, "UPDATE wallet SET next_ms = 253402300799999 WHERE member_id = 1 AND currency_id = 1"},
	{"lot left", "I4", 1, "UPDATE lot SET left_n = left_n - 1 WHERE member_id = 1 AND left_n > 0"},
	{"lot left and spent", "I4", 1, "UPDATE lot SET left_n = left_n - 1, spent = spent + 1 WHERE member_id = 1 AND left_n > 0"},
	{"lot held", "I7", 6, "UPDATE lot SET held = held + 1 WHERE member_id = 6 AND seq = 1"},
	{"lot over granted", "I4", 2, "UPDATE lot SET left_n = granted + 5 WHERE member_id = 2"},
	{"lot missing", "I4", 4, "DELETE FROM lot WHERE member_id = 4 AND left_n = 0"},
	{"lot of nobody's", "I4", 2, "UPDATE lot SET seq = 77 WHERE member_id = 2"},
	{"lot pending again", "I3", 2, "UPDATE lot SET state = 0 WHERE member_id = 2"},
	{"hold amount", "I7", 1, "UPDATE hold SET amount = amount + 1 WHERE member_id = 1 AND state = 0"},
	{"hold pins", "I7", 1, "UPDATE hold SET lots = '1:1' WHERE member_id = 1 AND state = 0"},
	{"hold pins unreadable", "I7", 1, "UPDATE hold SET lots = 'x' WHERE member_id = 1 AND state = 0"},
	{"hold open again", "I7", 4, "UPDATE hold SET state = 0 WHERE member_id = 4 AND captured > 0"},
	{"hold captured twice", "I7", 4, "UPDATE hold SET captured = captured + 1 WHERE member_id = 4 AND captured > 0"},
	{"hold missing", "I7", 1, "DELETE FROM hold WHERE member_id = 1 AND state = 0"},
	{"hint past an open hold", "I7", 1, "UPDATE account SET first_hold = 0 WHERE member_id = 1"},
	{"gap in the numbers", "I10", 1, "UPDATE account SET entry_n = entry_n + 1 WHERE member_id = 1"},
	{"account missing", "I10", 1, "DELETE FROM account WHERE member_id = 1"},
	{"document of no entry", "I9", 1, "UPDATE document SET seq = 1000"},
	{"document of nobody", "I9", 44, "UPDATE document SET member_id = 44"},
	{"event missing", "I11", 1, "DELETE FROM event WHERE position = (SELECT MAX(position) FROM event WHERE member_id = 1)"},
	{"first event missing", "I11", 1, "DELETE FROM event WHERE position = (SELECT MIN(position) FROM event WHERE member_id = 1)"},
	{"event twice in the log", "I11", 1, `INSERT INTO event (position, shard, member_id, kind, at_ms, body)
			SELECT 1000, shard, member_id, kind, at_ms, body FROM event WHERE position = (SELECT MIN(position) FROM event WHERE member_id = 1)`},
}

// books are the tables that corruptions are planted in.
var books = []string{"account", "wallet", "lot", "hold", "entry", "document", "event"}

// keep copies the books; restore puts the copy back.
func (b *bench) keep() {
	for _, table := range books {
		b.exec("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table)
	}
}

func (b *bench) restore() {
	b.t.Helper()
	for _, table := range books {
		b.exec("DELETE FROM " + table)
		b.exec("INSERT INTO " + table + " SELECT * FROM kept_" + table)
	}
}

// A report stays readable however wrong the book is.
func TestVerifyBound(t *testing.T) {
	t.Parallel()
	v := &verifier{}
	for range maxFindings + 3 {
		v.found(Finding{Invariant: "I1"})
	}
	if len(v.report.Findings) != maxFindings || v.report.More != 3 {
		t.Errorf("%d findings and %d more", len(v.report.Findings), v.report.More)
	}
}

// Nouns above the ledger add what they know, and their errors carry their name.
func TestVerifyChecks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		r := b.verified(Check{"sale", func(_ context.Context, _ *db.DB, found func(Finding)) error {
			found(Finding{Invariant: "I8", Where: "sale 1"})
			return nil
		}})
		if len(r.Findings) != 1 || r.Findings[0].Where != "sale 1" {
			t.Errorf("findings %+v", r.Findings)
		}
		fault := errors.New("no such table")
		_, err := Verify(t.Context(), d, nil, nil, Check{"sale", func(context.Context, *db.DB, func(Finding)) error { return fault }})
		if !errors.Is(err, fault) || !strings.Contains(err.Error(), "check sale") {
			t.Errorf("error %v", err)
		}
	})
}

// Entries are written once: the database itself refuses all else, on both engines.
func TestEntriesNeverChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		b.must(earn(1, 1, 5))
		change := []string{"UPDATE entry SET active = 6", "UPDATE entry SET reason = reason", "DELETE FROM entry"}
		if d.Engine() == db.Postgres {
			change = append(change, "TRUNCATE entry")
		}
		for _, text := range change {
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, text)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "ledger entries never change") {
				t.Errorf("%s: error %v", text, err)
			}
		}
		b.clean()
		b.must(earn(1, 1, 5)) // what is new still goes in
	})
}

// unguard takes the triggers off that keep entries as they are.
func (b *bench) unguard() {
	b.t.Helper()
	on := ""
	if b.db.Engine() == db.Postgres {
		on = " ON entry"
	}
	b.exec("DROP TRIGGER entry_no_update" + on)
	b.exec("DROP TRIGGER entry_no_delete" + on)
}
