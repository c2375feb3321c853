package app_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// noon is when the clock of these tests begins, in the programme's zone.
var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

// house is an installation with a key file of its own, whose program a test opens and
// closes.
type house struct {
	t      *testing.T
	config config.Config
	clock  *clock.Manual
}

// eachHouse runs body as parallel subtests on a house of each engine.
func eachHouse(t *testing.T, body func(t *testing.T, h *house)) {
	t.Helper()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			body(t, newHouse(t, e))
		})
	}
}

func newHouse(t *testing.T, e db.Engine) *house {
	t.Helper()
	o := dbtest.Options(t, e)
	c := config.Defaults()
	c.DatabaseURL, c.DataDir, c.BackupAt = o.URL, o.Dir, config.Off
	if c.DataDir == "" {
		c.DataDir = filepath.Join(t.TempDir(), "data")
	}
	return &house{t, c, clock.At(noon)}
}

func (h *house) engine() db.Engine {
	if h.config.DatabaseURL != "" {
		return db.Postgres
	}
	return db.SQLite
}

func (h *house) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(h.t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

func (h *house) open() *app.App {
	h.t.Helper()
	a, err := app.Open(h.t.Context(), app.Options{Config: h.config, Clock: h.clock, Log: h.log(), Auth: everyone{}})
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// in opens the program, does something, and closes it.
func (h *house) in(do func(a *app.App)) {
	h.t.Helper()
	a := h.open()
	defer func() {
		if err := a.Close(); err != nil {
			h.t.Errorf("close: %v", err)
		}
	}()
	do(a)
}

func (h *house) context() context.Context { return staff.AsSystem(h.t.Context(), "test") }

// everyone signs everybody in.
type everyone struct{}

func (everyone) Authenticate(ctx context.Context, _ *http.Request) (api.Caller, error) {
	return api.CallerOf(staff.AsSystem(ctx, "test")), nil
}

// ask sends a request and reads the answer, which has a status.
func (h *house) ask(a *app.App, want int, method, path, body string, to any) {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	if w.Code != want {
		h.t.Fatalf("%s %s: %d, want %d\n%s", method, path, w.Code, want, w.Body)
	}
	if to != nil {
		if err := json.Unmarshal(w.Body.Bytes(), to); err != nil {
			h.t.Fatal(err)
		}
	}
}

// enrol makes a member with a phone and points.
func (h *house) enrol(a *app.App, phone string, points int64) {
	h.t.Helper()
	h.ask(a, http.StatusCreated, "POST", "/v1/members", `{"phone": "`+phone+`"}`, nil)
	h.ask(a, http.StatusCreated, "POST", "/v1/members/phone:+86"+phone+"/earnings", fmt.Sprintf(
		`{"currency": "points", "amount": %d, "reason": "test", "source": "test", "document": %q}`, points, phone), nil)
}

// points are what the member with a phone has, or -1 where nobody has it.
func (h *house) points(phone string) (n int64) {
	h.t.Helper()
	h.in(func(a *app.App) {
		ref, err := member.RefTo(member.KindPhone, phone)
		if err != nil {
			h.t.Fatal(err)
		}
		found, err := a.Members.FindMany(h.context(), []member.Ref{ref})
		if err != nil {
			h.t.Fatal(err)
		}
		if found[0] == 0 {
			n = -1
			return
		}
		var shown struct{ Phone string }
		h.ask(a, http.StatusOK, "GET", "/v1/members/phone:+86"+phone, "", &shown)
		if shown.Phone != "+86"+phone {
			h.t.Errorf("the member's phone reads %q", shown.Phone)
		}
		var list []struct {
			Currency  string
			Available int64
		}
		h.ask(a, http.StatusOK, "GET", "/v1/members/phone:+86"+phone+"/wallets", "", &list)
		for _, w := range list {
			if w.Currency == "points" {
				n = w.Available
			}
		}
	})
	return n
}

// backup makes a backup of a house with one member, who has 70 points.
func (h *house) backup() (path string) {
	h.t.Helper()
	path = filepath.Join(h.t.TempDir(), "x.backup")
	h.in(func(a *app.App) {
		h.enrol(a, "13800138000", 70)
		made, err := a.Backup(h.context(), path, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		if !made.Verified || made.Members != 1 || made.Entries != 1 || made.Bytes == 0 || !made.At.Equal(noon) {
			h.t.Errorf("made %+v", made)
		}
	})
	return path
}

// restore is a restore into the house.
func (h *house) restore(path string, edit ...func(*app.Restore)) (app.Restored, error) {
	r := app.Restore{Config: h.config, Clock: h.clock, Log: h.log(), File: path}
	for _, e := range edit {
		e(&r)
	}
	return r.Run(h.t.Context())
}

func replace(r *app.Restore) { r.Replace = true }

// scratch lists what a backup or a restore has left behind.
func (h *house) scratch() (left []string) {
	h.t.Helper()
	for _, pattern := range []string{"scratch-*", "patron.restoring", ".*"} {
		found, err := filepath.Glob(filepath.Join(h.config.DataDir, pattern))
		if err != nil {
			h.t.Fatal(err)
		}
		left = append(left, found...)
	}
	if h.engine() == db.Postgres {
		left = append(left, h.schemas("patron_scratch_%")...)
	}
	return left
}

func (h *house) schemas(like string) []string {
	h.t.Helper()
	c, err := pgx.Connect(h.t.Context(), h.config.DatabaseURL)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close(context.Background())
	rows, err := c.Query(h.t.Context(), "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE nspname LIKE $1 ORDER BY nspname", like)
	if err != nil {
		h.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// lose is the loss of the machine: nothing is left but what was copied elsewhere.
func (h *house) lose() {
	h.t.Helper()
	if err := os.RemoveAll(h.config.DataDir); err != nil {
		h.t.Fatal(err)
	}
	if h.engine() == db.Postgres {
		c, err := pgx.Connect(h.t.Context(), h.config.DatabaseURL)
		if err != nil {
			h.t.Fatal(err)
		}
		defer c.Close(context.Background())
		if _, err := c.Exec(h.t.Context(), "DROP SCHEMA patron CASCADE"); err != nil {
			h.t.Fatal(err)
		}
	}
}
