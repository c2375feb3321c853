package staff

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// trail writes n entries and chains them.
func (w *world) trail(n int) {
	w.t.Helper()
	for i := range n {
		w.record(fmt.Sprintf("thing.%d", i))
	}
	w.chain()
}

func (w *world) record(action string) {
	w.t.Helper()
	w.clock.Advance(time.Second)
	err := w.db.InTx(w.ctx(), func(ctx context.Context, tx *db.Tx) error {
		return w.staff.audit.Record(ctx, tx, action, "sub", nil, map[string]int{"n": 1})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) chain() {
	w.t.Helper()
	if err := w.staff.audit.Chain(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// flaws are what a verification finds.
func (w *world) flaws(kept *Head) (Head, []Flaw) {
	w.t.Helper()
	var list []Flaw
	head, err := w.staff.audit.VerifyAudit(w.t.Context(), kept, func(f Flaw) { list = append(list, f) })
	if err != nil {
		w.t.Fatal(err)
	}
	return head, list
}

// behind changes the database as somebody could who may do everything to it: without the
// triggers that refuse it.
func (w *world) behind(statements ...string) {
	w.t.Helper()
	off := []string{
		"DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete",
		"DROP TRIGGER IF EXISTS audit_link_no_update", "DROP TRIGGER IF EXISTS audit_link_no_delete",
	}
	if w.db.Engine() == db.Postgres {
		off = []string{"ALTER TABLE audit DISABLE TRIGGER USER", "ALTER TABLE audit_link DISABLE TRIGGER USER"}
	}
	err := w.db.InTx(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for _, text := range append(off, statements...) {
			if _, err := tx.ExecText(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// forge makes all hashes anew, as somebody would who knows how.
func (w *world) forge() {
	w.t.Helper()
	w.behind(
		"DELETE FROM audit_link", "DELETE FROM audit_waiting",
		"UPDATE audit_head SET position = 0, hash = CAST('' AS "+map[db.Engine]string{db.SQLite: "BLOB", db.Postgres: "BYTEA"}[w.db.Engine()]+")",
		"INSERT INTO audit_waiting (audit_id) SELECT id FROM audit",
	)
	w.chain()
}

// S37: an entry that is changed, deleted, exchanged or put in, and a chain that is cut off,
// are found, whoever did it. What is not wrong is not told of.
func TestS37AuditTampering(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO audit (at_ms, actor_kind, actor, action, subject, before, after, ip, user_agent, trace_id) VALUES (1, 'staff', 'x', 'y', 'z', NULL, NULL, '', '', '')"
	link := func(set string, position int) string {
		return fmt.Sprintf("UPDATE audit_link SET %s WHERE position = %d", set, position)
	}
	for _, tt := range []struct {
		name    string
		attack  []string
		flaws   int
		mention string
	}{
		{"nothing", nil, 0, ""},
		{"flip the actor", []string{"UPDATE audit SET actor = 'stf_other' WHERE id = 4"}, 1, "does not follow"},
		{"flip the instant", []string{"UPDATE audit SET at_ms = at_ms + 1 WHERE id = 4"}, 1, "does not follow"},
		{"flip the actor's kind", []string{"UPDATE audit SET actor_kind = 'key' WHERE id = 4"}, 1, "does not follow"},
		{"flip the action", []string{"UPDATE audit SET action = 'thing.9' WHERE id = 4"}, 1, "does not follow"},
		{"flip the subject", []string{"UPDATE audit SET subject = 'other' WHERE id = 4"}, 1, "does not follow"},
		{"flip what was after", []string{"UPDATE audit SET after = '{\"n\":2}' WHERE id = 4"}, 1, "does not follow"},
		{"take away what was after", []string{"UPDATE audit SET after = NULL WHERE id = 4"}, 1, "does not follow"},
		{"add what was before", []string{"UPDATE audit SET before = '' WHERE id = 4"}, 1, "does not follow"},
		{"flip the address", []string{"UPDATE audit SET ip = '10.0.0.1' WHERE id = 4"}, 1, "does not follow"},
		{"flip the browser", []string{"UPDATE audit SET user_agent = 'curl' WHERE id = 4"}, 1, "does not follow"},
		{"flip the trace", []string{"UPDATE audit SET trace_id = 'x' WHERE id = 4"}, 1, "does not follow"},
		{"move a text from one column to the next", []string{"UPDATE audit SET action = 'thing.', subject = '3sub' WHERE id = 4"}, 1, "does not follow"},
		{"delete an entry", []string{"DELETE FROM audit WHERE id = 4"}, 1, "is not there"},
		{"delete the first entry", []string{"DELETE FROM audit WHERE id = 1"}, 1, "is not there"},
		{"delete the last entry", []string{"DELETE FROM audit WHERE id = 7"}, 1, "is not there"},
		{"exchange two entries", []string{"UPDATE audit SET action = CASE id WHEN 3 THEN 'thing.3' ELSE 'thing.2' END WHERE id IN (3, 4)"}, 2, "does not follow"},
		{"exchange two links", []string{link("audit_id = 99", 3), link("audit_id = 3", 4), link("audit_id = 4", 3)}, 2, "does not follow"},
		{"put an entry in", []string{insert}, 1, "was put in"},
		{"put an entry in that looks new", []string{strings.Replace(insert, "VALUES (1,", "VALUES (4000000000000,", 1)}, 1, "was put in"},
		{"put an entry and a link in", []string{insert, "INSERT INTO audit_link (position, audit_id, hash) SELECT 8, 8, hash FROM audit_link WHERE position = 7"}, 1, "beyond the head"},
		{"put an entry and a link in, and move the head", []string{insert, "INSERT INTO audit_link (position, audit_id, hash) SELECT 8, 8, hash FROM audit_link WHERE position = 7", "UPDATE audit_head SET position = 8"}, 1, "does not follow"},
		{"delete an entry and its link", []string{"DELETE FROM audit WHERE id = 4", "DELETE FROM audit_link WHERE position = 4"}, 2, "no positions 4 to 4"},
		{"cut the end off", []string{"DELETE FROM audit_link WHERE position > 5", "DELETE FROM audit WHERE id > 5"}, 1, "cut off"},
		{"empty the chain", []string{"DELETE FROM audit_link", "DELETE FROM audit"}, 1, "cut off"},
		{"empty the trail", []string{"DELETE FROM audit"}, 7, "is not there"},
		{"another hash in the head", []string{"UPDATE audit_head SET hash = (SELECT hash FROM audit_link WHERE position = 1)"}, 1, "the head has another hash"},
		{"another hash in a link", []string{"UPDATE audit_link SET hash = (SELECT hash FROM audit_link WHERE position = 1) WHERE position = 4"}, 2, "does not follow"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				w.trail(7)
				if _, list := w.flaws(nil); len(list) != 0 {
					t.Fatalf("before: %v", list)
				}
				w.behind(tt.attack...)
				_, list := w.flaws(nil)
				if len(list) != tt.flaws || len(list) > 0 && !strings.Contains(list[0].EN, tt.mention) {
					t.Errorf("found %q, want %d with %q", list, tt.flaws, tt.mention)
				}
			})
		})
	}
}

// S37: who can write to the database and makes all hashes anew is found by a head that was
// kept elsewhere; so is a tail that was cut off with its head.
func TestS37AuditCheckpoint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		attack  func(*world)
		mention string // "" for a trail that is well
	}{
		{"nothing", func(*world) {}, ""},
		{"the trail goes on", func(w *world) { w.trail(3) }, ""},
		{"rewritten with its hashes", func(w *world) {
			w.behind("UPDATE audit SET actor = 'stf_other' WHERE id = 4")
			w.forge()
		}, "rewritten"},
		{"rewritten, and went on", func(w *world) {
			w.behind("UPDATE audit SET actor = 'stf_other' WHERE id = 4")
			w.forge()
			w.trail(3)
		}, "rewritten"},
		{"cut off with its head", func(w *world) {
			w.behind("DELETE FROM audit WHERE id > 5")
			w.forge()
		}, "shorter than when the head 7 was kept"},
		{"cut off, and went on", func(w *world) {
			w.behind("DELETE FROM audit WHERE id > 5")
			w.forge()
			w.trail(3)
		}, "rewritten"},
		{"emptied with its head", func(w *world) {
			w.behind("DELETE FROM audit")
			w.forge()
		}, "shorter"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				w.trail(7)
				head, _ := w.flaws(nil)
				kept, err := ParseHead(head.String())
				if err != nil || kept != head || head.Position != 7 {
					t.Fatalf("head %v reads as %v, %v", head, kept, err)
				}
				tt.attack(w)
				if _, list := w.flaws(nil); len(list) != 0 {
					t.Fatalf("the attack shows by itself: %q", list)
				}
				_, list := w.flaws(&kept)
				if tt.mention == "" && len(list) > 0 || tt.mention != "" && (len(list) != 1 || !strings.Contains(list[0].EN, tt.mention)) {
					t.Errorf("found %q, want %q", list, tt.mention)
				}
			})
		})
	}
}

// Whatever is flipped in a trail of any length, and wherever, is found.
func TestS37AnyFlip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Entry {
			text := rapid.StringN(0, 6, 24)
			e := Entry{ID: rapid.Int64Range(1, 1<<40).Draw(t, name), At: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "at")),
				ActorKind: text.Draw(t, "kind"), Actor: text.Draw(t, "actor"), Action: text.Draw(t, "action"), Subject: text.Draw(t, "subject"),
				IP: text.Draw(t, "ip"), UserAgent: text.Draw(t, "agent"), Trace: text.Draw(t, "trace")}
			if rapid.Bool().Draw(t, "has before") {
				e.Before = []byte(text.Draw(t, "before"))
			}
			if rapid.Bool().Draw(t, "has after") {
				e.After = []byte(text.Draw(t, "after"))
			}
			return e
		}
		h := Head{Position: rapid.Int64Range(0, 1<<40).Draw(t, "position")}
		a, b := draw("a"), draw("b")
		same := fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b) // written apart from the code under test
		if (h.next(a).Hash == h.next(b).Hash) != same {
			t.Fatalf("%#v and %#v: same %t", a, b, same)
		}
		later := Head{Position: h.Position + 1, Hash: h.Hash}
		if h.next(a).Hash == later.next(a).Hash {
			t.Fatal("an entry can move to another position")
		}
	})
}

// However many nodes write and chain at once, positions have no gap, each entry has one,
// and the chain holds.
func TestAuditChainRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const writers, each = 6, 25
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				node := NewAudit(d, w.clock)
				for i := range each {
					err := d.InTx(w.ctx(), func(ctx context.Context, tx *db.Tx) error {
						return node.Record(ctx, tx, "thing.done", "sub", nil, i)
					})
					if err == nil && i%5 == 0 {
						err = node.Chain(t.Context())
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		w.chain()
		head, list := w.flaws(nil)
		if head.Position != writers*each || len(list) != 0 || w.count("SELECT COUNT(*) FROM audit_waiting") != 0 {
			t.Errorf("head %v, found %q", head, list)
		}
	})
}

// An entry that waits is well for as long as the trail does not go on without it; one that
// goes before it is chained is missed.
func TestAuditWaiting(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.trail(2)
		w.record("late") // 3
		w.clock.Advance(mostBehind - time.Second)
		w.record("next") // 4, ten minutes after the one before
		if _, list := w.flaws(nil); len(list) != 0 {
			t.Errorf("within the bound: %q", list)
		}
		w.record("past") // 5
		if _, list := w.flaws(nil); len(list) != 1 || !strings.Contains(list[0].EN, "waited") {
			t.Errorf("past the bound: %q", list)
		}
		w.behind("DELETE FROM audit WHERE id = 5")
		if _, list := w.flaws(nil); len(list) != 1 || !strings.Contains(list[0].EN, "before it was chained") {
			t.Errorf("deleted while it waited: %q", list)
		}
	})
}

func TestParseHead(t *testing.T) {
	t.Parallel()
	sum := strings.Repeat("0a", 32)
	for _, tt := range []struct {
		text string
		good bool
	}{
		{"12:" + sum, true}, {"0:" + sum, true},
		{"-1:" + sum, false}, {":" + sum, false}, {"12", false}, {"12:" + sum[2:], false}, {"12:" + sum + "0a", false}, {"12:x" + sum[1:], false}, {"", false},
	} {
		if h, err := ParseHead(tt.text); (err == nil) != tt.good || tt.good && h.String() != tt.text {
			t.Errorf("ParseHead(%q) = %v, %v", tt.text, h, err)
		}
	}
}
