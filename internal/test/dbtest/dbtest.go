// Package dbtest gives every test a database of its own, on both engines.
//
// Life: the first test that asks migrates one database of each engine; every test then
// gets a copy (a file, or a database made from a template) and loses it when it ends.
//
// Laws: both engines are always tested. PostgreSQL comes from PATRON_TEST_POSTGRES, the
// URL of a superuser; where that is empty, scripts/with-postgres.sh starts a private
// cluster, once in a test process, which goes away with the process. Where PostgreSQL is
// not installed the test fails; it is never skipped.
package dbtest

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Engines are what Each runs on.
var Engines = []db.Engine{db.SQLite, db.Postgres}

// Each runs body as parallel subtests "sqlite" and "postgresql", each on a fresh migrated
// database.
func Each(t *testing.T, body func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, e := range Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			body(t, Open(t, e))
		})
	}
}

// Open opens a fresh migrated database and closes it when the test ends.
func Open(t testing.TB, e db.Engine) *db.DB {
	t.Helper()
	return OpenAt(t, Options(t, e))
}

// OpenAt opens the database of o and closes it when the test ends. The test may close it
// before.
func OpenAt(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open %s: %v", o.URL+o.Dir, err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return d
}

// Options say where a fresh migrated database is, for a test that opens it more than once
// or hands it to the whole program.
func Options(t testing.TB, e db.Engine) db.Options {
	t.Helper()
	o := db.Options{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	if e == db.Postgres {
		o.URL = URL(t)
	} else {
		o.Dir = Dir(t)
	}
	return o
}

// Dir returns a data directory with a fresh migrated SQLite file.
func Dir(t testing.TB) string {
	t.Helper()
	file, err := migratedFile()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "patron.db"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Copy copies a database that nobody has open, as a backup does, and says where the copy
// is. Other files of the data directory are not copied.
func Copy(t testing.TB, o db.Options) db.Options {
	t.Helper()
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		return db.Options{URL: create(t, strings.TrimPrefix(u.Path, "/")), Log: o.Log}
	}
	file, err := os.ReadFile(filepath.Join(o.Dir, "patron.db"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "patron.db"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return db.Options{Dir: dir, Log: o.Log}
}

// migratedFile is the bytes of a migrated SQLite file, made once in a process.
var migratedFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "patron-dbtest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := migrate(db.Options{Dir: dir}); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "patron.db"))
})
