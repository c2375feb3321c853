package app_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/backup"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A lost machine comes back from the backup and one secret: points, people, and the keys
// that read them. The next backup is for the same secret.

func TestRestoreLostMachine(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		identity := filepath.Join(t.TempDir(), "identity")
		var secret string
		h.in(func(a *app.App) {
			key, err := a.BackupKey()
			if err != nil {
				t.Fatal(err)
			}
			secret = key.Secret()
			h.enrol(a, "13900139000", 5) // after the backup
		})
		if err := os.WriteFile(identity, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.lose()
		if _, err := h.restore(path); !errors.Is(err, backup.ErrNoKey) {
			t.Errorf("without the secret: %v", err)
		}
		out, err := h.restore(path, func(r *app.Restore) { r.Identity = identity })
		if err != nil {
			t.Fatal(err)
		}
		if !out.Replaced || out.Aside != "" || !out.At.Equal(noon) || out.Report.Members != 1 || len(out.Report.Findings) > 0 {
			t.Errorf("restored %+v", out)
		}
		if got := h.points("13800138000"); got != 70 {
			t.Errorf("the member has %d points, want 70", got)
		}
		if got := h.points("13900139000"); got != -1 {
			t.Errorf("who came after the backup has %d points", got)
		}
		h.in(func(a *app.App) {
			if key, err := a.BackupKey(); err != nil || key.Secret() != secret {
				t.Errorf("the key for backups is another: %v", err)
			}
		})
		if left := h.scratch(); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
	})
}

// A database that is there is replaced only where that is said, and is kept.

func TestRestoreReplaces(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		h.in(func(a *app.App) { h.enrol(a, "13900139000", 5) })
		if _, err := h.restore(path); !errors.Is(err, app.ErrOccupied) {
			t.Fatalf("over a database: %v", err)
		}
		if got := h.points("13900139000"); got != 5 {
			t.Fatalf("a refused restore has changed something: %d", got)
		}
		out, err := h.restore(path, replace)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := h.points("13800138000"), h.points("13900139000"); a != 70 || b != -1 {
			t.Errorf("points are %d and %d, want 70 and nobody", a, b)
		}
		if left := h.scratch(); len(left) > 0 {
			t.Errorf("left are %v", left)
		}
		// What was put aside opens, with its keys, and has what it had.
		old := *h
		old.config.DataDir = out.Aside
		if h.engine() == db.Postgres {
			if list := h.schemas("patron_before_%"); len(list) != 1 || !slices.Equal(list, out.Schemas) {
				t.Fatalf("schemas put aside: %v, told %v", list, out.Schemas)
			}
			return // the program opens the schema patron only
		}
		if got := old.points("13900139000"); got != 5 {
			t.Errorf("put aside are %d points, want 5", got)
		}
	})
}

// Whatever is wrong is said before anything is touched, in both languages.

func TestRestoreRefusals(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		dir := t.TempDir()
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put := func(name string, content []byte) string {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
		other, err := backup.Ephemeral()
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(whole)
		flipped[len(flipped)/2] ^= 1
		wrong := put("wrong", []byte(other.Secret()))
		before := h.points("13800138000")
		for _, tt := range []struct {
			name string
			path string
			edit func(*app.Restore)
			want error
		}{
			{"wrong key", path, func(r *app.Restore) { r.Identity = wrong }, backup.ErrKey},
			{"a backup for a key", path, func(r *app.Restore) { r.Identity = path }, backup.ErrKeyFile},
			{"half a file", put("half", whole[:len(whole)/2]), replace, backup.ErrDamaged},
			{"all but a byte", put("less", whole[:len(whole)-1]), replace, backup.ErrDamaged},
			{"a flipped byte", put("flipped", flipped), replace, backup.ErrDamaged},
			{"no backup", wrong, replace, backup.ErrForeign},
			{"no file", filepath.Join(dir, "none"), replace, backup.ErrRead},
			{"newer version", h.rewritten(dir, "newer", func(head *backup.Header, f *db.Frozen) { f.Versions = append(f.Versions, 9999) }), replace, db.ErrNewer},
			{"other keys", h.rewritten(dir, "keys", func(head *backup.Header, f *db.Frozen) { head.Keys = []byte("{}") }), replace, errs.New(errs.Invalid, "seal.file", "", "")},
			{"a part missing", h.rewritten(dir, "part", func(head *backup.Header, f *db.Frozen) { f.Parts = f.Parts[:len(f.Parts)-1] }), replace, nil},
		} {
			_, err := h.restore(tt.path, replace, tt.edit)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
				continue
			}
			if refused := errs.As(err); refused != nil {
				for _, lang := range []string{"en", "zh-CN"} {
					if text := refused.Text(lang); strings.Contains(text, "{") || strings.Contains(text, "\n") {
						t.Errorf("%s: says %q", tt.name, text)
					}
				}
			}
			if left := h.scratch(); len(left) > 0 {
				t.Errorf("%s: left are %v", tt.name, left)
			}
		}
		if after := h.points("13800138000"); after != before {
			t.Errorf("the refused restores have changed something: %d points, %d before", after, before)
		}
	})
}

// rewritten is a backup of the house with something else in it.

func (h *house) rewritten(dir, name string, edit func(*backup.Header, *db.Frozen)) (path string) {
	h.t.Helper()
	path = filepath.Join(dir, name)
	h.in(func(a *app.App) {
		key, err := a.BackupKey()
		if err != nil {
			h.t.Fatal(err)
		}
		frozen, err := a.DB.Freeze(h.context(), h.t.TempDir(), nil)
		if err != nil {
			h.t.Fatal(err)
		}
		head := backup.Header{Program: "9", At: noon, Keys: a.Box.File()}
		edit(&head, frozen)
		draft, err := backup.Write(h.context(), path, head, frozen, key.Public(), key)
		if err = errors.Join(err, frozen.Close()); err != nil {
			h.t.Fatal(err)
		}
		if err := draft.Keep(); err != nil {
			h.t.Fatal(err)
		}
	})
	return path
}

// What stands in the way at the target is said too.

func TestRestoreTarget(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		t.Run("running server", func(t *testing.T) {
			h.in(func(*app.App) {
				want := db.ErrLocked
				if h.engine() == db.Postgres {
					want = db.ErrInUse
				}
				if _, err := h.restore(path, replace); !errors.Is(err, want) {
					t.Errorf("under a server: %v, want %v", err, want)
				}
				out, err := h.restore(path, func(r *app.Restore) { r.DryRun = true })
				if err != nil || out.Replaced || out.Report.Members != 1 {
					t.Errorf("a dry run beside it: %+v, %v", out, err)
				}
			})
		})
		t.Run("no folder can be made", func(t *testing.T) {
			_, err := h.restore(path, replace, func(r *app.Restore) {
				r.Identity = filepath.Join(h.config.DataDir, "patron.backup.key")
				r.Config.DataDir = "/proc/patron"
			})
			if !errors.Is(err, backup.ErrWrite) {
				t.Errorf("%v, want %v", err, backup.ErrWrite)
			}
		})
		t.Run("other engine", func(t *testing.T) {
			o := dbtest.Options(t, map[db.Engine]db.Engine{db.SQLite: db.Postgres, db.Postgres: db.SQLite}[h.engine()])
			_, err := h.restore(path, replace, func(r *app.Restore) {
				r.Identity = filepath.Join(h.config.DataDir, "patron.backup.key")
				if r.Config.DatabaseURL = o.URL; o.URL == "" {
					r.Config.DataDir = o.Dir
				}
			})
			if !errors.Is(err, app.ErrEngine) {
				t.Errorf("%v, want %v", err, app.ErrEngine)
			}
		})
		if h.engine() == db.SQLite {
			t.Run("no room", func(t *testing.T) {
				_, err := h.restore(path, replace, func(r *app.Restore) { r.Free = func(string) (int64, error) { return 1000, nil } })
				if !errors.Is(err, db.ErrRoom) {
					t.Errorf("%v, want %v", err, db.ErrRoom)
				}
			})
		}
		t.Run("newer database", func(t *testing.T) {
			h.in(func(a *app.App) {
				err := a.DB.InTx(h.context(), func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.ExecText(ctx, `INSERT INTO schema_version (version, name, applied_ms) VALUES (9999, 'later', 0)`)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
			if _, err := h.restore(path, replace); !errors.Is(err, db.ErrNewer) {
				t.Errorf("%v, want %v", err, db.ErrNewer)
			}
		})
	})
}

// What is done after a restore is in the restored programme, and where it fails nothing is
// replaced.
func TestAfterRestore(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		h.in(func(a *app.App) { h.enrol(a, "13900139000", 5) })
		fails := errors.New("it cannot be done")
		after := func(err error) func(*app.Restore) {
			return func(r *app.Restore) {
				r.After = []app.AfterRestore{func(_ context.Context, a *app.App, dataDir string) error {
					if dataDir != h.config.DataDir {
						t.Errorf("the folder is %s", dataDir)
					}
					name := "Restored"
					_, cerr := a.Program.ChangeSettings(staff.AsSystem(t.Context(), "after"), program.SettingsChange{NameEN: &name})
					return errors.Join(err, cerr)
				}}
			}
		}
		if _, err := h.restore(path, replace, after(fails)); !errors.Is(err, fails) {
			t.Errorf("restored: %v", err)
		}
		if got := h.points("13900139000"); got != 5 {
			t.Errorf("the failed restore has changed something: %d", got)
		}
		if _, err := h.restore(path, replace, after(nil)); err != nil {
			t.Fatal(err)
		}
		h.in(func(a *app.App) {
			if got := a.Program.Snapshot().Settings.NameEN; got != "Restored" {
				t.Errorf("the programme is called %q", got)
			}
		})
	})
}

// A restore that was broken off while it put files in place lets nobody start on what is
// left, and is done again.

func TestRestoreBrokenOff(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		path := h.backup()
		mark := filepath.Join(h.config.DataDir, "patron.restoring")
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Open(t.Context(), app.Options{Config: h.config, Clock: h.clock, Log: h.log()}); !errors.Is(err, app.ErrBroken) {
			t.Fatalf("opened: %v", err)
		}
		if h.engine() == db.SQLite { // as if the old files had gone aside and no others had come
			for _, name := range []string{"patron.db", "patron.keys"} {
				if err := os.Remove(filepath.Join(h.config.DataDir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := h.restore(path, replace); err != nil {
			t.Fatal(err)
		}
		if got := h.points("13800138000"); got != 70 {
			t.Errorf("%d points, want 70", got)
		}
	})
}

// A backup whose books do not add up is kept as a bad one, and restored only by force.

// A backup for a public key of the configuration verifies itself all the same, and opens
// with the secret that was never here.

// A backup that cannot be written leaves nothing, neither the file nor the copies.

// The sandbox is not in a backup and not in its place after a restore: the keys may be
// others.

func TestRestoreSandbox(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		var secret string
		use := func() int {
			live := h.open()
			pair := app.NewSandbox(live)
			defer func() {
				if err := errors.Join(pair.Close(), live.Close()); err != nil {
					t.Error(err)
				}
			}()
			if secret == "" {
				var err error
				if _, secret, err = live.Staff.CreateKey(h.context(), staff.NewKey{Name: "till", Scopes: []string{"all"}, Test: true}); err != nil {
					t.Fatal(err)
				}
			}
			r := httptest.NewRequest(http.MethodPost, "/v1/members", strings.NewReader(`{"phone": "13800138000"}`))
			r.Header.Set("Authorization", "Bearer "+secret)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			pair.Handler().ServeHTTP(w, r)
			return w.Code
		}
		if got := use(); got != http.StatusCreated {
			t.Fatalf("the sandbox answers %d", got)
		}
		path := h.backup()
		if got := use(); got != http.StatusConflict {
			t.Fatalf("the sandbox answers %d: it should have the member", got)
		}
		if _, err := h.restore(path, replace); err != nil {
			t.Fatal(err)
		}
		if got := use(); got != http.StatusCreated {
			t.Errorf("after the restore it answers %d: it should be empty", got)
		}
	})
}
