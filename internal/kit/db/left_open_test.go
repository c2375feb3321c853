package db_test

import (
	"context"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A connection that was left in a transaction ends it before the next.
func TestLeftOpen(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	if err := d.LeaveOpen(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 8 { // more than there are readers
		if err := d.Read(t.Context(), func(context.Context, *db.Tx) error { return nil }); err != nil {
			t.Errorf("read: %v", err)
		}
	}
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, putSQL, "after", 1)
		return err
	})
	if got := value(t, d, "after"); err != nil || got != 1 {
		t.Errorf("write: %v, then %d", err, got)
	}
}
