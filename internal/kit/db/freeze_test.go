package db_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// thawed is a frozen database in memory.
type thawed struct {
	parts    []db.Part
	contents [][]byte
	at       int
}

func (p *thawed) Next() (db.Part, io.Reader, error) {
	if p.at == len(p.parts) {
		return db.Part{}, nil, io.EOF
	}
	p.at++
	return p.parts[p.at-1], bytes.NewReader(p.contents[p.at-1]), nil
}

// freeze freezes a database, and writes its parts. between is called while it is frozen.
func freeze(t *testing.T, d *db.DB, tell func(int64, int64), between func()) (*thawed, []int) {
	t.Helper()
	f, err := d.Freeze(t.Context(), t.TempDir(), tell)
	if err != nil {
		t.Fatal(err)
	}
	p := &thawed{}
	for _, part := range f.Parts {
		between()
		var content bytes.Buffer
		if _, err := f.Write(t.Context(), part, &content); err != nil {
			t.Fatal(err)
		}
		p.parts, p.contents = append(p.parts, part), append(p.contents, content.Bytes())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return p, f.Versions
}

// beside is a place for a second database: another directory, or another schema.
func beside(t *testing.T, o db.Options) db.Options {
	t.Helper()
	if o.URL == "" {
		o.Dir = t.TempDir()
	}
	o.Name = "scratch_test"
	return o
}

func exec(t *testing.T, d *db.DB, text string, args ...any) {
	t.Helper()
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, text, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func number(t *testing.T, d *db.DB, text string, args ...any) (n int64) {
	t.Helper()
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

const answers = 3000 // of 4 KiB each: SQLite copies them in some ten slices

// mark writes a number into rows at both ends of the database, in one transaction.
func mark(t *testing.T, d *db.DB, n int64) {
	t.Helper()
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for _, text := range []string{
			`UPDATE request SET at_ms = $1 WHERE shard = 0`,
			`UPDATE request SET at_ms = $1 WHERE shard = 2999`,
			`UPDATE sequence SET next = $1 WHERE name = 'mark'`,
		} {
			if _, err := tx.ExecText(ctx, text, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A frozen database is that of one instant, whatever is written meanwhile, and writers
// need not wait for it: here they write inside of it.
func TestFreezeIsOneInstant(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d := dbtest.OpenAt(t, o)
			exec(t, d, `INSERT INTO sequence (name, next) VALUES ('mark', 0)`)
			answer := bytes.Repeat([]byte("patron"), 680)
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				for i := range answers {
					_, err := tx.ExecText(ctx, `INSERT INTO request (shard, hash, body_hash, status, answer, at_ms) VALUES ($1, $2, $2, 200, $3, 0)`, i, []byte{byte(i), byte(i >> 8)}, answer)
					if err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var marks int64
			next := func() { marks++; mark(t, d, marks) }
			atFreeze, slices := int64(0), 0
			parts, versions := freeze(t, d, func(int64, int64) {
				if e == db.SQLite { // the copy is of the instant at which it ends
					slices++
					atFreeze = marks
					next()
				}
			}, next)
			if e == db.SQLite && slices < 5 {
				t.Fatalf("the copy took %d slices: nothing was written in the middle", slices)
			}
			place := beside(t, o)
			if _, err := db.Load(t.Context(), place, e, versions, parts); err != nil {
				t.Fatal(err)
			}
			loaded := dbtest.OpenAt(t, place)
			first := number(t, loaded, `SELECT at_ms FROM request WHERE shard = 0`)
			last := number(t, loaded, `SELECT at_ms FROM request WHERE shard = 2999`)
			other := number(t, loaded, `SELECT next FROM sequence WHERE name = 'mark'`)
			if first != atFreeze || last != atFreeze || other != atFreeze {
				t.Errorf("marks are %d, %d and %d, want %d", first, last, other, atFreeze)
			}
			if n := number(t, loaded, `SELECT COUNT(*) FROM request`); n != answers {
				t.Errorf("%d rows, want %d", n, answers)
			}
			if wrong, err := loaded.Check(t.Context(), db.Quick); err != nil || len(wrong) > 0 {
				t.Error(err)
			}
			if now := number(t, d, `SELECT at_ms FROM request WHERE shard = 0`); now != marks {
				t.Errorf("the database itself stands at %d, want %d", now, marks)
			}
		})
	}
}

// What is loaded is the same database: its rows, references, guards, and the numbers that
// it gives next, also where the highest are gone.
func TestLoadIsWhole(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d := dbtest.OpenAt(t, o)
			exec(t, d, `INSERT INTO job (queue, kind, args, state, run_at_ms, tries, max_tries, lease_until_ms, lease_owner, progress, progress_total, note, error, created_ms)
				VALUES ('q', 'k', '{}', 'done', 0, 0, 1, 0, '', 0, 0, '茶 “é”', '', 0), ('q', 'k', '{}', 'done', 0, 0, 1, 0, '', 0, 0, '', '', 0)`)
			exec(t, d, `DELETE FROM job WHERE id = 2`)
			exec(t, d, `INSERT INTO audit (at_ms, actor_kind, actor, action, subject, ip, user_agent, trace_id) VALUES (1, 'a', 'b', 'c', 'd', '', '', '')`)
			parts, versions := freeze(t, d, nil, func() {})
			place := beside(t, o)
			if _, err := db.Load(t.Context(), place, e, versions, parts); err != nil {
				t.Fatal(err)
			}
			loaded := dbtest.OpenAt(t, place)
			if err := loaded.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := number(t, loaded, `SELECT COUNT(*) FROM job WHERE note = '茶 “é”'`); n != 1 {
				t.Errorf("%d jobs", n)
			}
			exec(t, loaded, `INSERT INTO job (queue, kind, args, state, run_at_ms, tries, max_tries, lease_until_ms, lease_owner, progress, progress_total, note, error, created_ms)
				VALUES ('q', 'k', '{}', 'done', 0, 0, 1, 0, '', 0, 0, '', '', 0)`)
			if n := number(t, loaded, `SELECT MAX(id) FROM job`); n != 3 {
				t.Errorf("the next job is %d, want 3: 2 was given before", n)
			}
			for _, refused := range []string{`DELETE FROM audit`, `INSERT INTO till (id, store_id, code, is_open, created_ms, changed_ms) VALUES (1, 77, 'x', 1, 0, 0)`} {
				err := loaded.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.ExecText(ctx, refused)
					return err
				})
				if err == nil {
					t.Errorf("%s is not refused any more", refused)
				}
			}
		})
	}
}

// A database of an older program is loaded with its old schema, and then brought up to
// date like any other; one of a newer program is refused.
func TestLoadVersions(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d := dbtest.OpenAt(t, o)
			parts, versions := freeze(t, d, nil, func() {})
			place := beside(t, o)
			newer := append(slices.Clone(versions), 9999)
			if _, err := db.Load(t.Context(), place, e, newer, parts); !errors.Is(err, db.ErrNewer) {
				t.Errorf("a newer one: %v, want ErrNewer", err)
			}
			if e == db.SQLite {
				return // the file has its schema in it
			}
			// As if migration 16 and those after it had not been there: their tables are not in the
			// parts, and the tables that they changed have the columns of before. They come empty.
			empty := parts.contents[slices.IndexFunc(parts.parts, func(p db.Part) bool { return p.Name == "outbox" })]
			old, then := versions[:slices.Index(versions, 16)], &thawed{}
			young := since(t, 16)
			for k, part := range parts.parts {
				content := parts.contents[k]
				if young[part.Name] && part.Name != "approval" && part.Name != "outbox" { // those two were made anew
					continue
				}
				part.Columns = slices.DeleteFunc(slices.Clone(part.Columns), func(c string) bool { return young[part.Name+"."+c] })
				switch part.Name {
				case "event_dispatcher":
					content = empty
				case "outbox":
					part.Columns = []string{"id", "shard", "member_id", "kind", "at_ms", "body"}
				case "approval":
					part.Columns = []string{"id", "member_id", "currency_id", "amount", "reason", "state"}
				}
				then.parts, then.contents = append(then.parts, part), append(then.contents, content)
			}
			if _, err := db.Load(t.Context(), place, e, old, then); err != nil {
				t.Fatalf("an older one: %v", err)
			}
			loaded := dbtest.OpenAt(t, place)
			if n := number(t, loaded, `SELECT COUNT(*) FROM pg_attribute WHERE attrelid = to_regclass('outbox') AND attname = 'events'`); n != 0 {
				t.Error("the schema is not that of the older program")
			}
		})
	}
}

// Nobody opens a place that is held, and nobody holds one that is open.
func TestHold(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Hold(t.Context(), o); !errors.Is(err, db.ErrLocked) && !errors.Is(err, db.ErrInUse) {
				t.Errorf("an open database was held: %v", err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			site, err := db.Hold(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if there, err := site.Occupied(t.Context()); !there || err != nil {
				t.Errorf("Occupied = %v, %v", there, err)
			}
			if _, err := db.Open(t.Context(), o); !errors.Is(err, db.ErrLocked) && !errors.Is(err, db.ErrHeld) {
				t.Errorf("a held database was opened: %v", err)
			}
			if err := site.Release(); err != nil {
				t.Fatal(err)
			}
			dbtest.OpenAt(t, o)
		})
	}
}

// What was there is kept, and what is put there is there.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			exec(t, d, `INSERT INTO sequence (name, next) VALUES ('old', 1)`)
			parts, versions := freeze(t, d, nil, func() {})
			exec(t, d, `UPDATE sequence SET next = 2 WHERE name = 'old'`)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			place := beside(t, o)
			if _, err := db.Load(t.Context(), place, e, versions, parts); err != nil {
				t.Fatal(err)
			}
			aside := filepath.Join(t.TempDir(), "20260310T040000")
			if err := os.Mkdir(aside, 0o700); err != nil {
				t.Fatal(err)
			}
			site, err := db.Hold(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			schemas, err := site.Replace(t.Context(), place, aside, "sandbox")
			if err = errors.Join(err, site.Release()); err != nil {
				t.Fatal(err)
			}
			kept := db.Options{URL: o.URL, Dir: aside}
			if e == db.Postgres {
				if kept.Name = strings.Join(schemas, " "); kept.Name != "patron_before_20260310t040000" {
					t.Fatalf("kept are the schemas %v", schemas)
				}
			}
			for _, tt := range []struct {
				at   db.Options
				want int64
			}{{o, 1}, {kept, 2}} {
				if got := number(t, dbtest.OpenAt(t, tt.at), `SELECT next FROM sequence WHERE name = 'old'`); got != tt.want {
					t.Errorf("%s has %d, want %d", tt.at.Name, got, tt.want)
				}
			}
		})
	}
}

// Schemas that were left behind go; those in use and those of today stay.
func TestDropLeft(t *testing.T) {
	t.Parallel()
	o := db.Options{URL: dbtest.Empty(t)}
	for _, name := range []string{"left_1", "left_2", "left_8", "other_1"} {
		o.Name = name
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if name != "left_2" {
			err = d.Close()
		} else {
			t.Cleanup(func() { _ = d.Close() })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.DropLeft(t.Context(), o, "left_", "left_5"); err != nil {
		t.Fatal(err)
	}
	d := dbtest.OpenAt(t, db.Options{URL: o.URL, Name: "looks"})
	var left []string
	for _, name := range []string{"left_1", "left_2", "left_8", "other_1"} {
		if number(t, d, `SELECT COUNT(*) FROM pg_namespace WHERE nspname = $1`, name) == 1 {
			left = append(left, name)
		}
	}
	if got := strings.Join(left, " "); got != "left_2 left_8 other_1" {
		t.Errorf("left are %s", got)
	}
}

// A copy that is broken off, by its caller or by the end of the program, leaves a database
// that goes on or closes.
func TestFreezeBrokenOff(t *testing.T) {
	t.Parallel()
	o := dbtest.Options(t, db.SQLite)
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, d, `INSERT INTO request (shard, hash, body_hash, status, answer, at_ms) VALUES (1, $1, $1, 200, $2, 0)`, []byte{1}, make([]byte, 4<<20))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = d.Freeze(ctx, t.TempDir(), func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Freeze = %v, want the end of its context", err)
	}
	mark(t, d, 1)
	closed := make(chan error, 1)
	once := false
	_, err = d.Freeze(t.Context(), t.TempDir(), func(int64, int64) {
		if !once {
			once = true
			go func() { closed <- d.Close() }()
			for d.InTx(t.Context(), func(context.Context, *db.Tx) error { return nil }) == nil {
				continue // until Close has begun
			}
		}
	})
	if err == nil {
		t.Error("a copy was finished after its database was closed")
	}
	if err := <-closed; err != nil {
		t.Errorf("Close = %v", err)
	}
	dbtest.OpenAt(t, o)
}

// since are the tables, and the columns as table.column, that a migration or one after it adds.
func since(t *testing.T, version int) map[string]bool {
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, f := range files {
		if n, err := strconv.Atoi(f.Name()[:4]); err != nil || n < version {
			continue
		}
		text, err := os.ReadFile("migrations/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(string(text), -1) {
			made[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (\w+)`).FindAllStringSubmatch(string(text), -1) {
			made[m[1]+"."+m[2]] = true
		}
	}
	return made
}
