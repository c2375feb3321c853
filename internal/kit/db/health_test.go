package db_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A schema that somebody else moves on, or takes a step out of, is noticed.
func TestMigrated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		change := func(text string) {
			t.Helper()
			err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, text)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Migrated(t.Context()); err != nil {
			t.Errorf("as it was made: %v", err)
		}
		change(`INSERT INTO schema_version (version, name, applied_ms) VALUES (9999, 'later', 0)`)
		if err := d.Migrated(t.Context()); !errors.Is(err, db.ErrNewer) {
			t.Errorf("after a newer program: %v", err)
		}
		change(`DELETE FROM schema_version WHERE version IN (9999, 3)`)
		if err := d.Migrated(t.Context()); err == nil || !strings.Contains(err.Error(), "0003_job") {
			t.Errorf("without a step: %v", err)
		}
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.InTx(t.Context(), put("a", 1)); err != nil {
			t.Fatal(err)
		}
		s, err := d.Stats(t.Context())
		if err != nil || s.Bytes < 1<<17 || s.Pool.Most == 0 {
			t.Errorf("stats = %+v, %v", s, err)
		}
		if lite := d.Engine() == db.SQLite; lite != (s.LogBytes > 0) {
			t.Errorf("log of %d bytes on %v", s.LogBytes, d.Engine())
		}
	})
}

// The warm-up says when it begins and when it ends, and how far it came.
func TestWarm(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := dbtest.Options(t, db.SQLite)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	d := dbtest.OpenAt(t, o)
	before, err := d.Stats(t.Context())
	if err != nil || before.Warm.Done || before.Warm.Read > 0 {
		t.Errorf("before: %+v, %v", before.Warm, err)
	}
	if err := d.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := d.Stats(t.Context())
	if w := after.Warm; err != nil || !w.Done || w.Read != after.Bytes || w.Of != after.Bytes {
		t.Errorf("after: %+v of %d bytes, %v", w, after.Bytes, err)
	}
	for _, want := range []string{"reading the database through", "was read through", "whole=true"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log.String())
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Warm(gone); err == nil || !strings.Contains(log.String(), "whole=false") {
		t.Errorf("broken off: %v\n%s", err, log.String())
	}
}
