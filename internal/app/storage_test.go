package app

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A file that the disk has changed is told of by the daily job and by verify, though
// nothing that they read of the books is wrong.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	dir, box := dbtest.Dir(t), seal.Test()
	open := func() *App {
		c := config.Defaults()
		c.DataDir = dir
		a, err := Open(t.Context(), Options{Config: c, Box: box, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	const needle = "needle-in-a-stack"
	err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, "CREATE TABLE straw (name TEXT PRIMARY KEY)")
		if err == nil {
			_, err = tx.ExecText(ctx, "INSERT INTO straw (name) VALUES ($1)", needle)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func(a *App) (findings int, job error) {
		r, err := a.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return len(r.Findings), a.checkPages(t.Context())
	}
	if n, err := look(a); err != nil || n > 0 {
		t.Errorf("of a whole file: %v, %d findings", err, n)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(dir, "patron.db")
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(all, []byte(needle))
	clear(all[at&^4095:][8:40]) // where the rows of the page stand
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	a = open()
	defer a.Close()
	if n, err := look(a); err == nil || !strings.Contains(err.Error(), "damaged") || n == 0 {
		t.Errorf("of a damaged file: %v, %d findings", err, n)
	}
}
