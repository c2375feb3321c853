package dbtest_test

import (
	"context"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var (
	addSQL   = db.Define("dbtest.add", `INSERT INTO sequence (name, next) VALUES ($1, $2)`)
	countSQL = db.Define("dbtest.count", `SELECT COUNT(*) FROM sequence`)
)

// Each test has a migrated database of its own: what one writes no other sees.
func TestEach(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				var n int
				err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					if _, err := tx.Exec(ctx, addSQL, "x", 1); err != nil {
						return err
					}
					return tx.QueryRow(ctx, countSQL).Scan(&n)
				})
				if err != nil || n != 1 {
					t.Errorf("%d rows in a fresh database after one insert, error %v", n, err)
				}
			})
		})
	}
}
