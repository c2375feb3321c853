package app_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

func TestBackupVerifies(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := filepath.Join(t.TempDir(), "x.backup")
		h.in(func(a *app.App) {
			h.enrol(a, "13800138000", 70)
			err := a.DB.InTx(h.context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, `UPDATE wallet SET active = active + 1`)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			made, err := a.Backup(h.context(), path, nil)
			if !errors.Is(err, app.ErrBadBackup) || !errors.Is(err, app.ErrFindings) || made.Verified || made.Name != "x.backup.bad" {
				t.Errorf("Backup = %+v, %v", made, err)
			}
		})
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("it has the name of a good one: %v", err)
		}
		if left := h.scratch(); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
		if out, err := h.restore(path+".bad", replace); !errors.Is(err, app.ErrFindings) || len(out.Report.Findings) == 0 {
			t.Errorf("restored: %+v, %v", out, err)
		}
		out, err := h.restore(path+".bad", replace, func(r *app.Restore) { r.Despite = true })
		if err != nil || !out.Replaced {
			t.Errorf("by force: %+v, %v", out, err)
		}
	})
}

func TestBackupRecipient(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		key, err := backup.Ephemeral()
		if err != nil {
			t.Fatal(err)
		}
		h.config.BackupRecipient = key.Public()
		path := h.backup()
		if _, err := os.Stat(filepath.Join(h.config.DataDir, "patron.backup.key")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a secret was made nevertheless: %v", err)
		}
		identity := filepath.Join(t.TempDir(), "identity")
		if err := key.Save(identity); err != nil {
			t.Fatal(err)
		}
		if _, err := h.restore(path, replace, func(r *app.Restore) { r.Identity = identity }); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(h.config.DataDir, "patron.backup.key")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the secret was left on the server: %v", err)
		}
	})
}

func TestBackupRefusals(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		there := filepath.Join(t.TempDir(), "there")
		if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.in(func(a *app.App) {
			for path, want := range map[string]error{there: backup.ErrExists, "/proc/x.backup": backup.ErrWrite, filepath.Join(there, "x"): backup.ErrWrite} {
				if _, err := a.Backup(h.context(), path, nil); !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", path, err, want)
				}
			}
			ctx, cancel := context.WithCancel(h.context())
			path := filepath.Join(t.TempDir(), "x")
			_, err := a.Backup(ctx, path, func(step string, _, _ int64) {
				if step == app.StepCheck {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("broken off: %v", err)
			}
			if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) > 0 {
				t.Errorf("left are %v, %v", files, err)
			}
		})
		if left := h.scratch(); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
		if h.engine() == db.Postgres {
			return // the room is the server's
		}
		st, err := os.Stat(filepath.Join(h.config.DataDir, "patron.db"))
		if err != nil {
			t.Fatal(err)
		}
		// On one disk there must be room for the copy and the backup.
		a, err := app.Open(t.Context(), app.Options{Config: h.config, Clock: h.clock, Free: func(string) (int64, error) { return 2 * st.Size(), nil }})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Backup(h.context(), filepath.Join(t.TempDir(), "x"), nil); !errors.Is(err, db.ErrRoom) {
			t.Errorf("without room: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A backup that adds up, and of which a part is gone, is bad. Only the copy of SQLite can be
// made to lose something here: it is taken away while the copy is under way.
func TestBackupShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t, db.SQLite)
	path := filepath.Join(t.TempDir(), "x.backup")
	h.in(func(a *app.App) {
		h.enrol(a, "13800138000", 70)
		gone := false
		made, err := a.Backup(h.context(), path, func(step string, done, total int64) {
			if step != app.StepCopy || gone || done == total {
				return
			}
			gone = true
			for _, text := range []string{
				`DROP TRIGGER entry_no_delete`, `DELETE FROM entry`, `DELETE FROM lot`, `DELETE FROM wallet`, `DELETE FROM document`, `DELETE FROM account`,
			} {
				err := a.DB.InTx(h.context(), func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.ExecText(ctx, text)
					return err
				})
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
		})
		if !gone {
			t.Fatal("the copy was made at once: nothing was taken away")
		}
		if !errors.Is(err, app.ErrShort) || made.Verified {
			t.Errorf("Backup = %+v, %v", made, err)
		}
	})
}
