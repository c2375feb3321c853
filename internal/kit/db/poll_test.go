package db_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// It looks every second until the context ends, and complains once for each outage.
func TestPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 9500*time.Millisecond)
		defer stop()
		looks := 0
		db.Poll(ctx, slog.New(slog.NewTextHandler(&log, nil)), time.Second, "nothing is there", func(context.Context) error {
			looks++
			if looks >= 2 && looks <= 4 || looks >= 7 {
				return errors.New("gone")
			}
			return nil
		})
		if n := strings.Count(log.String(), "nothing is there"); looks != 9 || n != 2 {
			t.Errorf("%d looks and %d complaints, want 9 and 2: %s", looks, n, log.String())
		}
	})
}

// What the program does for itself is not counted as work.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		read := func(ctx context.Context) error {
			return d.Read(ctx, func(context.Context, *db.Tx) error { return nil })
		}
		before := d.Begun()
		if err := errors.Join(read(db.Upkeep(t.Context())), read(t.Context())); err != nil {
			t.Fatal(err)
		}
		if n := d.Begun() - before; n != 1 {
			t.Errorf("%d transactions were counted, want 1", n)
		}
	})
}
