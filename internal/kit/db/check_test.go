package db_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A whole database has nothing wrong, on either engine and at either depth.
func TestCheckOfWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, depth := range []db.Depth{db.Quick, db.Full} {
			if wrong, err := d.Check(t.Context(), depth); err != nil || len(wrong) > 0 {
				t.Errorf("%s: %q, %v", depth, wrong, err)
			}
		}
	})
}

// A value that the disk has changed in an index is found by the full check, and rows that
// it has made unreadable by the quick one.
func TestCheckOfDamaged(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		from, to string
		depth    db.Depth
	}{
		{"another value in one of two places", "needle-in-a-stack", "noodle-in-a-stack", db.Full},
		{"a row that cannot be read", "needle-in-a-stack", "", db.Quick},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			d, err := db.Open(t.Context(), db.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			err = d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, "CREATE TABLE straw (name TEXT PRIMARY KEY)")
				if err == nil {
					_, err = tx.ExecText(ctx, "INSERT INTO straw (name) VALUES ($1)", tt.from)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, filepath.Join(dir, "patron.db"), tt.from, tt.to)
			d = dbtest.OpenAt(t, db.Options{Dir: dir})
			if wrong, err := d.Check(t.Context(), tt.depth); err == nil && len(wrong) == 0 {
				t.Error("nothing was noticed")
			}
		})
	}
}

// damage changes the first of the places that hold a text, or, without another text, the
// header of the page that it is on.
func damage(t *testing.T, file, from, to string) {
	t.Helper()
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(all, []byte(from))
	if at < 0 || bytes.Count(all, []byte(from)) != 2 {
		t.Fatalf("%q is not once in the table and once in the index", from)
	}
	if to != "" {
		copy(all[at:], to)
	} else {
		clear(all[at&^4095:][:8])
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
}
