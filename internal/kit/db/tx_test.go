package db_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// The tests use the tables of 0001_kit.sql.
var (
	putSQL = db.Define("dbtest.put", `
		INSERT INTO sequence (name, next)
		VALUES ($1, $2)`)
	addSQL = db.Define("dbtest.add", `
		UPDATE sequence
		SET next = next + $2
		WHERE name = $1
		RETURNING next`)
	getSQL  = db.Define("dbtest.get", `SELECT next FROM sequence WHERE name = $1`)
	listSQL = db.Define("dbtest.list", `SELECT name, next FROM sequence ORDER BY name`)
	noteSQL = db.Define("dbtest.note", `
		INSERT INTO request (shard, hash, body_hash, status, answer, at_ms)
		VALUES ($1, $2, $3, $4, $5, $6)`)
)

var errMine = errors.New("my own reason")

// value reads a row outside of any write, or -1 where it is not there.
func value(t *testing.T, d *db.DB, name string) (v int64) {
	t.Helper()
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, getSQL, name).Scan(&v)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func put(name string, v int64) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, putSQL, name, v)
		return err
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, in := range map[string]func(context.Context, func(context.Context, *db.Tx) error) error{
			"InTx": d.InTx, "InBackground": d.InBackground, "InPosting": d.InPosting,
		} {
			if err := in(t.Context(), put(name, 7)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := value(t, d, name); got != 7 {
				t.Errorf("%s kept %d, want 7", name, got)
			}
		}
	})
}

// However a function ends but well, nothing of it is kept, and the writer is free again.
func TestUndone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, end := range map[string]func(ctx context.Context, tx *db.Tx) error{
			"error":  func(context.Context, *db.Tx) error { return errMine },
			"panic":  func(context.Context, *db.Tx) error { panic(errMine) },
			"ignore": func(ctx context.Context, tx *db.Tx) error { tx.Exec(ctx, putSQL, "a", 2); return nil },
			"rows":   func(ctx context.Context, tx *db.Tx) error { tx.Query(ctx, listSQL); return nil },
		} {
			err := func() (err error) {
				defer func() {
					if p := recover(); p != nil {
						err = p.(error)
					}
				}()
				return d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					if err := put("a", 1)(ctx, tx); err != nil {
						return err
					}
					return end(ctx, tx)
				})
			}()
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			if got := value(t, d, "a"); got != -1 {
				t.Errorf("%s: the write was kept", name)
			}
		}
	})
}

// On PostgreSQL a failed statement ends its transaction. SQLite would go on; it is held to
// the same, so that what passes on one engine passes on both.
func TestNothingAfterFailure(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if err := put("a", 1)(ctx, tx); err != nil {
				return err
			}
			if err := put("a", 2)(ctx, tx); !errors.Is(err, db.ErrUnique) {
				t.Errorf("second insert = %v", err)
			}
			return put("b", 3)(ctx, tx)
		})
		if !errors.Is(err, db.ErrUnique) || value(t, d, "b") != -1 {
			t.Errorf("InTx = %v, b = %d", err, value(t, d, "b"))
		}
	})
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		none := func(context.Context, *db.Tx) error { return nil }
		for name, inner := range map[string]func(context.Context) error{
			"write": func(ctx context.Context) error { return d.InTx(ctx, none) },
			"read":  func(ctx context.Context) error { return d.Read(ctx, none) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("a %s inside a transaction was accepted", name)
					}
				}()
				d.InTx(t.Context(), func(ctx context.Context, _ *db.Tx) error { return inner(ctx) })
			}()
		}
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			rows, err := tx.Query(ctx, listSQL)
			if err != nil {
				return err
			}
			defer rows.Close()
			if _, err := tx.Exec(ctx, putSQL, "a", 1); err == nil {
				t.Error("a statement ran while rows were open")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Read(t.Context(), put("a", 1)); err == nil || value(t, d, "a") != -1 {
			t.Errorf("a write in Read = %v", err)
		}
	})
}

// A glance writes nothing, and each of its statements sees what is committed by then.
func TestGlance(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Glance(t.Context(), put("a", 1)); err == nil || value(t, d, "a") != -1 {
			t.Errorf("a write in Glance = %v", err)
		}
		if err := d.InTx(t.Context(), put("a", 1)); err != nil {
			t.Fatal(err)
		}
		err := d.Glance(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			var before, after int64
			if err := tx.QueryRow(ctx, getSQL, "a").Scan(&before); err != nil {
				return err
			}
			if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, addSQL, "a", 10)
				return err
			}); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, getSQL, "a").Scan(&after); err != nil {
				return err
			}
			if before != 1 || after != 11 {
				t.Errorf("saw %d, then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// A snapshot sees nothing of what is committed after its first statement.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.InTx(t.Context(), put("a", 1)); err != nil {
			t.Fatal(err)
		}
		err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			var before, after int64
			if err := tx.QueryRow(ctx, getSQL, "a").Scan(&before); err != nil {
				return err
			}
			if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, addSQL, "a", 10)
				return err
			}); err != nil {
				return err
			}
			err := tx.QueryRow(ctx, getSQL, "a").Scan(&after)
			if before != after {
				t.Errorf("read %d, then %d", before, after)
			}
			return err
		})
		if err != nil || value(t, d, "a") != 11 {
			t.Errorf("%v; a = %d", err, value(t, d, "a"))
		}
	})
}

func TestUnique(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		note := func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, noteSQL, 3, []byte{3, 1}, []byte{9}, 200, nil, 1)
			return err
		}
		if err := d.InTx(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		err := d.InTx(t.Context(), note)
		var v *db.Violation
		if !errors.Is(err, db.ErrUnique) || !errors.As(err, &v) || v.Constraint() != "request.shard,hash" {
			t.Errorf("the second = %v, constraint %q", err, db.Constraint(err))
		}
		if d.Failure() != nil {
			t.Error("a refusal closed the database")
		}
	})
}

func TestForeign(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			for _, text := range []string{
				`CREATE TABLE parent (id BIGINT NOT NULL PRIMARY KEY)`,
				`CREATE TABLE child (parent_id BIGINT NOT NULL REFERENCES parent (id))`,
				`INSERT INTO child (parent_id) VALUES (5)`,
			} {
				if _, err := tx.ExecText(ctx, text); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, db.ErrForeign) {
			t.Errorf("a child without parent = %v", err)
		}
	})
}

// Arguments and columns mean the same on both engines.
func TestValues(t *testing.T) {
	t.Parallel()
	type seq int64
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		some := seq(4)
		for i, tt := range []struct {
			in   any
			want string // length of the answer, or "null"
		}{
			{[]byte{1, 2}, "2"}, {[]byte{}, "0"}, {[]byte(nil), "null"}, {nil, "null"},
		} {
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				if _, err := tx.Exec(ctx, noteSQL, i, []byte{1}, []byte{1}, true, tt.in, &some); err != nil {
					return err
				}
				rows, err := tx.QueryText(ctx, `
					SELECT CASE WHEN answer IS NULL THEN 'null' ELSE CAST(LENGTH(answer) AS VARCHAR(9)) END, answer, status, at_ms
					FROM request
					WHERE shard = $1`, i)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					var kind string
					var answer []byte
					var status bool
					var at seq
					if err := rows.Scan(&kind, &answer, &status, &at); err != nil {
						return err
					}
					if kind != tt.want || !status || at != some || len(answer) > 0 != (kind == "2") {
						t.Errorf("%#v came back as %s %v %v %d", tt.in, kind, answer, status, at)
					}
				}
				return rows.Err()
			})
			if err != nil {
				t.Errorf("%#v: %v", tt.in, err)
			}
		}
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, putSQL, json.RawMessage(`{"a":1}`), 1); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, putSQL, "t", time.Now())
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "UnixMilli") {
			t.Errorf("a time as argument = %v", err)
		}
	})
}

// Text is ordered by its bytes on both engines.
func TestTextOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		want := []string{"B", "Z", "_", "a", "é", "会", "员"}
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			for _, name := range []string{"会", "a", "Z", "é", "B", "员", "_"} {
				if err := put(name, 1)(ctx, tx); err != nil {
					return err
				}
			}
			rows, err := tx.Query(ctx, listSQL)
			if err != nil {
				return err
			}
			defer rows.Close()
			var got []string
			for rows.Next() {
				var name string
				var next int64
				if err := rows.Scan(&name, &next); err != nil {
					return err
				}
				got = append(got, name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("order %q, want %q", got, want)
			}
			return rows.Err()
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Guards in the statement hold among many: of twenty who each take one of five, five do.
func TestRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const takers, there = 20, 5
		if err := d.InTx(t.Context(), put("left", there)); err != nil {
			t.Fatal(err)
		}
		var took atomic.Int64
		var all sync.WaitGroup
		for range takers {
			all.Go(func() {
				err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					n, err := tx.ExecText(ctx, `UPDATE sequence SET next = next - 1 WHERE name = $1 AND next > 0`, "left")
					if err == nil && n == 0 {
						return errMine
					}
					return err
				})
				if err == nil {
					took.Add(1)
				} else if !errors.Is(err, errMine) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if took.Load() != there || value(t, d, "left") != 0 {
			t.Errorf("%d took, %d are left", took.Load(), value(t, d, "left"))
		}
	})
}

// Two that lock in opposite order: PostgreSQL undoes one, which runs again.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.Postgres)
	for _, name := range []string{"a", "b"} {
		if err := d.InTx(t.Context(), put(name, 0)); err != nil {
			t.Fatal(err)
		}
	}
	var met sync.WaitGroup // both hold their first lock
	met.Add(2)
	var runs atomic.Int64
	var all sync.WaitGroup
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		var first sync.Once
		all.Go(func() {
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				runs.Add(1)
				if _, err := tx.Exec(ctx, addSQL, order[0], 1); err != nil {
					return err
				}
				first.Do(func() { met.Done(); met.Wait() })
				_, err := tx.Exec(ctx, addSQL, order[1], 1)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if value(t, d, "a") != 2 || value(t, d, "b") != 2 || runs.Load() < 3 {
		t.Errorf("a %d, b %d after %d runs", value(t, d, "a"), value(t, d, "b"), runs.Load())
	}
}

// A caller who gives up undoes his transaction and nobody else's.
func TestCancel(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if err := put("a", 1)(ctx, tx); err != nil {
				return err
			}
			cancel()
			return put("b", 1)(ctx, tx)
		})
		if !errors.Is(err, context.Canceled) || value(t, d, "a") != -1 {
			t.Errorf("InTx = %v, a = %d", err, value(t, d, "a"))
		}
		if err := d.InTx(t.Context(), put("c", 1)); err != nil || value(t, d, "c") != 1 {
			t.Errorf("the next InTx = %v", err)
		}
	})
}

// The claim is made once, with the first write that is kept.
func TestClaim(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		made := 0
		ctx := db.WithClaim(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			made++
			return put("claim", 1)(ctx, tx)
		})
		fail := func(context.Context, *db.Tx) error { return errMine }
		if err := d.InTx(ctx, fail); !errors.Is(err, errMine) || value(t, d, "claim") != -1 {
			t.Errorf("a failed write = %v, and kept its claim: %d", err, value(t, d, "claim"))
		}
		if _, err := d.NextID(ctx, "x"); err != nil || value(t, d, "claim") != -1 {
			t.Errorf("NextID made the claim, or failed: %v", err)
		}
		if err := d.InPosting(ctx, put("p", 1)); err != nil || value(t, d, "claim") != -1 {
			t.Errorf("a posting made the claim, or failed: %v", err)
		}
		for i := range 3 {
			if err := d.InTx(ctx, put(fmt.Sprint(i), 1)); err != nil {
				t.Error(err)
			}
		}
		if value(t, d, "claim") != 1 || made != 2 {
			t.Errorf("claim %d made %d times, want once undone and once kept", value(t, d, "claim"), made)
		}
	})
}

// Of writes at once under one claim, one makes it.
func TestClaimRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := db.WithClaim(t.Context(), put("claim", 1))
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if err := d.InTx(ctx, put(fmt.Sprint(i), 1)); err != nil {
					t.Error(err) // a second claim would be a unique violation
				}
			})
		}
		all.Wait()
	})
}

// What the claim refuses is not written.
func TestClaimRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := db.WithClaim(t.Context(), func(context.Context, *db.Tx) error { return errMine })
		if err := d.InTx(ctx, put("a", 1)); !errors.Is(err, errMine) || value(t, d, "a") != -1 {
			t.Errorf("InTx = %v, a = %d", err, value(t, d, "a"))
		}
	})
}

// leaving is a context that ends when it has been asked so many times.
type leaving struct {
	context.Context
	left atomic.Int64
	done chan struct{}
}

func (l *leaving) ask() {
	if l.left.Add(-1) == 0 {
		close(l.done)
	}
}

func (l *leaving) Done() <-chan struct{} {
	l.ask()
	return l.done
}

func (l *leaving) Err() error {
	l.ask()
	select {
	case <-l.done:
		return context.Canceled
	default:
		return nil
	}
}

// A caller who goes while a transaction is being begun, or at any other moment, leaves no
// connection inside one.
func TestGoneAtAnyMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nothing := func(context.Context, *db.Tx) error { return nil }
		for asked := range int64(60) {
			for range 5 {
				for _, do := range []func(context.Context, func(context.Context, *db.Tx) error) error{d.InTx, d.Read} {
					ctx := &leaving{Context: t.Context(), done: make(chan struct{})}
					ctx.left.Store(asked + 1)
					_ = do(ctx, nothing) // either way is right
					if err := do(t.Context(), nothing); err != nil {
						t.Fatalf("after somebody who left when asked %d times: %v", asked, err)
					}
				}
			}
		}
	})
}
