package db_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// superuser runs statements on a PostgreSQL database past the program.
func superuser(t *testing.T, url string, statements ...string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	for _, s := range statements {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// fresh is the options of a database without any table.
func fresh(t *testing.T, e db.Engine) db.Options {
	t.Helper()
	if e == db.Postgres {
		return db.Options{URL: dbtest.Empty(t)}
	}
	return db.Options{Dir: filepath.Join(t.TempDir(), "made", "by open")}
}

func TestFileModes(t *testing.T) {
	t.Parallel()
	o := fresh(t, db.SQLite)
	d := dbtest.OpenAt(t, o)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o700, "patron.db": 0o600, "patron.db-wal": 0o600, "patron.lock": 0o600,
	} {
		s, err := os.Stat(filepath.Join(o.Dir, name))
		if err != nil || s.Mode().Perm() != want {
			t.Errorf("%q has mode %v, want %v (%v)", name, s.Mode().Perm(), want, err)
		}
	}
	if err := d.Warm(t.Context()); err != nil {
		t.Errorf("Warm = %v", err)
	}
}

// A second server on the file is refused, in both languages, until the first has gone.
func TestSecondServer(t *testing.T) {
	t.Parallel()
	o := dbtest.Options(t, db.SQLite)
	first := dbtest.OpenAt(t, o)
	_, err := db.Open(t.Context(), o)
	if !errors.Is(err, db.ErrLocked) {
		t.Fatalf("the second Open = %v", err)
	}
	for _, lang := range []string{"en", "zh-CN"} {
		if text := errs.As(err).Text(lang); !strings.Contains(text, o.Dir) {
			t.Errorf("the text does not name the directory: %s", text)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	dbtest.OpenAt(t, o)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			d := dbtest.OpenAt(t, fresh(t, e))
			for range 2 { // the second finds nothing to do
				if err := d.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.InTx(t.Context(), put("a", 1)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Of several nodes that start at once on an empty database, each finds it migrated.
func TestMigrateRace(t *testing.T) {
	t.Parallel()
	o := fresh(t, db.Postgres)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			d, err := db.Open(t.Context(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(d.Migrate(t.Context()), d.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestNewer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `INSERT INTO schema_version (version, name, applied_ms) VALUES (9999, 'later', 0)`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(t.Context()); !errors.Is(err, db.ErrNewer) || errs.As(err).Param("found") != 9999 {
			t.Errorf("Migrate = %v", err)
		}
	})
}

// A session that would lose what it has confirmed is refused, wherever the setting comes
// from; also on a connection that is made after the setting has changed.
func TestWeakPostgres(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{
		{"on", "on", true}, {"remote apply", "remote_apply", true}, {"off", "off", false}, {"local", "local", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, db.Postgres)
			change := fmt.Sprintf(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %%I SET synchronous_commit = %s', current_database()); END $$`, tt.value)
			superuser(t, o.URL, change)
			d, err := db.Open(t.Context(), o)
			if err == nil {
				err = errors.Join(d.InTx(t.Context(), put("a", 1)), d.Close())
			}
			if tt.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !tt.ok && (!errors.Is(err, db.ErrWeak) || !strings.Contains(err.Error(), "synchronous_commit")) {
				t.Errorf("with synchronous_commit = %s: %v", tt.value, err)
			}
		})
	}
	t.Run("later", func(t *testing.T) {
		t.Parallel()
		o := dbtest.Options(t, db.Postgres)
		d := dbtest.OpenAt(t, o)
		superuser(t, o.URL, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`)
		if err := d.InTx(t.Context(), put("a", 1)); !errors.Is(err, db.ErrWeak) || errs.KindOf(err) != errs.Unavailable {
			t.Errorf("InTx on a weak session = %v", err)
		}
	})
}

// A server that cannot be reached, or that drops its connections, is "try again", and the
// next try works once it is back.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	_, err := db.Open(t.Context(), db.Options{URL: "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"})
	if !errors.Is(err, db.ErrBusy) {
		t.Errorf("Open without a server = %v", err)
	}

	o := dbtest.Options(t, db.Postgres)
	d := dbtest.OpenAt(t, o)
	err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if err := put("a", 1)(ctx, tx); err != nil {
			return err
		}
		superuser(t, o.URL, `
			SELECT pg_terminate_backend(pid, 5000)
			FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		return put("b", 1)(ctx, tx)
	})
	if !errors.Is(err, db.ErrBusy) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a lost connection = %v", err)
	}
	if err := d.InTx(t.Context(), put("c", 1)); err != nil || value(t, d, "a") != -1 {
		t.Errorf("the next InTx = %v, a = %d", err, value(t, d, "a"))
	}
	if d.Failure() != nil {
		t.Errorf("a lost connection counts as a storage error: %v", d.Failure())
	}
}

// After a storage error nothing is accepted any more, and Failed says so.
func TestStorageError(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		// The pages that the file has now: to SQLite a disk that is full.
		if _, err := tx.ExecText(ctx, "PRAGMA max_page_count = 1"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, noteSQL, 1, []byte{1}, []byte{1}, 1, make([]byte, 1<<20), 1)
		return err
	})
	if !errors.Is(err, db.ErrStorage) || errs.KindOf(err) != errs.Unavailable {
		t.Errorf("InTx on a full disk = %v", err)
	}
	select {
	case <-d.Failed():
	default:
		t.Error("Failed is not closed")
	}
	if err := d.InTx(t.Context(), put("a", 1)); !errors.Is(err, db.ErrStorage) {
		t.Errorf("the next InTx = %v", err)
	}
	if err := d.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// A file that is no database is refused as a storage error, not taken over.
func TestNotADatabase(t *testing.T) {
	t.Parallel()
	o := fresh(t, db.SQLite)
	o.Dir, o.Log = t.TempDir(), slog.New(slog.DiscardHandler)
	if err := os.WriteFile(filepath.Join(o.Dir, "patron.db"), []byte(strings.Repeat("shopping list ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Open(t.Context(), o); !errors.Is(err, db.ErrStorage) {
		t.Errorf("Open = %v", err)
	}
}

// After Close everything is refused at once, a second Close does nothing, and the log has
// been written back into the file.
func TestClose(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			d := dbtest.OpenAt(t, o)
			if err := d.InTx(t.Context(), put("a", 1)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := d.InTx(ctx, put("b", 1)); !errors.Is(err, db.ErrBusy) {
				t.Errorf("InTx after Close = %v", err)
			}
			if err := d.Read(ctx, put("b", 1)); !errors.Is(err, db.ErrBusy) {
				t.Errorf("Read after Close = %v", err)
			}
			if s, err := os.Stat(filepath.Join(o.Dir, "patron.db-wal")); e == db.SQLite && err == nil && s.Size() > 0 {
				t.Errorf("the log still has %d bytes", s.Size())
			}
			if got := value(t, dbtest.OpenAt(t, o), "a"); got != 1 {
				t.Errorf("a = %d after opening again", got)
			}
		})
	}
}

// The log is written back while the server runs, and begins anew: it stays far below what
// was written.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	o := dbtest.Options(t, db.SQLite)
	d := dbtest.OpenAt(t, o)
	const rounds, size = 640, 64 << 10 // 40 MiB in all
	log := filepath.Join(o.Dir, "patron.db-wal")
	for i := range rounds {
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, noteSQL, i, []byte{1}, []byte{1}, 1, make([]byte, size), 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if s.Size() > rounds*size/2 {
		t.Errorf("the log has %d bytes after %d were written", s.Size(), rounds*size)
	}
}
