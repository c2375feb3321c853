package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Memory that is given back costs nothing but a look at the disk: who reads goes on, and
// the writer is free again.
func TestShrink(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before := d.Begun()
		err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			if err := d.Shrink(context.WithoutCancel(t.Context())); err != nil {
				return err
			}
			var n int
			return tx.QueryRow(ctx, getSQL, "nobody").Scan(&n)
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatalf("a row of nobody: %v", err)
		}
		for i := range 3 {
			if err := d.Shrink(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, putSQL, fmt.Sprint("x", i), 1)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.Begun() - before; n != 4 {
			t.Errorf("%d transactions were counted, want 4", n)
		}
	})
}
