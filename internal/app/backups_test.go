package app_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
)

// until asks again and again until it is so. What is waited for works in the background
// and has nobody to tell.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !so(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// running opens the program with all that works in the background.
func (h *house) running() *app.App {
	h.t.Helper()
	a := h.open()
	a.Start(h.t.Context())
	h.t.Cleanup(func() {
		if err := a.Close(); err != nil {
			h.t.Errorf("close: %v", err)
		}
	})
	return a
}

type listed struct {
	Name             string
	Bytes            int64
	At               time.Time `json:"made_at"`
	Verified         bool
	Members, Entries int64
	Error            string
}

func (h *house) list(a *app.App) []listed {
	h.t.Helper()
	var out struct{ Items []listed }
	h.ask(a, http.StatusOK, "GET", "/v1/backups", "", &out)
	return out.Items
}

// order asks for a backup and waits for the end of its job.
func (h *house) order(a *app.App) (state, note string) {
	h.t.Helper()
	var made struct {
		Job string `json:"job_id"`
	}
	h.ask(a, http.StatusAccepted, "POST", "/v1/backups", "", &made)
	var job struct{ State, Note, Error string }
	waitFor(h.t, "the backup", func() bool {
		h.ask(a, http.StatusOK, "GET", "/v1/jobs/"+made.Job, "", &job)
		return job.State == "done" || job.State == "failed"
	})
	return job.State, job.Note + job.Error
}

// A backup that is asked for is on the shelf, verified; what is older than is kept goes,
// and nothing else.
func TestBackupsOnTheShelf(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		h.config.BackupDir = filepath.Join(t.TempDir(), "shelf")
		a := h.running()
		if list := h.list(a); len(list) != 0 {
			t.Errorf("at first there are %v", list)
		}
		h.enrol(a, "13800138000", 70)
		if state, note := h.order(a); state != "done" {
			t.Fatalf("the job is %s: %s", state, note)
		}
		list := h.list(a)
		if len(list) != 1 || !list[0].Verified || list[0].Members != 1 || list[0].Entries != 1 || list[0].Error != "" || !list[0].At.Equal(noon) {
			t.Fatalf("listed are %+v", list)
		}
		first := filepath.Join(h.config.BackupDir, list[0].Name)
		if st, err := os.Stat(first); err != nil || st.Size() != list[0].Bytes {
			t.Errorf("%s: %v, %v", first, st, err)
		}
		foreign := filepath.Join(h.config.BackupDir, "patron-other-20200101T000000Z.backup")
		if err := os.WriteFile(foreign, nil, 0o600); err != nil {
			t.Fatal(err)
		}

		// Fourteen days later it is kept, a day more and it goes.
		for _, tt := range []struct {
			later time.Duration
			want  int
		}{{14 * 24 * time.Hour, 2}, {24 * time.Hour, 2}} {
			h.clock.Set(h.clock.Now().Add(tt.later))
			if state, note := h.order(a); state != "done" {
				t.Fatalf("the job is %s: %s", state, note)
			}
			if list := h.list(a); len(list) != tt.want {
				t.Errorf("%v later listed are %+v, want %d", tt.later, list, tt.want)
			}
		}
		if _, err := os.Stat(first); err == nil {
			t.Error("the first is still there after fifteen days")
		}
		if _, err := os.Stat(foreign); err != nil {
			t.Errorf("a file that is not ours is gone: %v", err)
		}
		if _, err := h.restore(filepath.Join(h.config.BackupDir, h.list(a)[0].Name), func(r *app.Restore) { r.DryRun = true }); err != nil {
			t.Errorf("the newest does not open: %v", err)
		}
	})
}

// A bad backup shows, with the reason; the last good one stays however old it is.
func TestBackupsBad(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		a := h.running()
		h.enrol(a, "13800138000", 70)
		if state, note := h.order(a); state != "done" {
			t.Fatalf("the job is %s: %s", state, note)
		}
		err := a.DB.InTx(h.context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `UPDATE wallet SET active = active + 1`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		h.clock.Set(noon.AddDate(0, 0, 100))
		if state, note := h.order(a); state != "failed" || !strings.Contains(note, "backup.bad") {
			t.Errorf("the job is %s: %s", state, note)
		}
		list := h.list(a)
		if len(list) != 2 {
			t.Fatalf("listed are %+v", list)
		}
		if bad := list[0]; bad.Verified || !strings.HasSuffix(bad.Name, ".backup.bad") || !strings.Contains(bad.Error, "verification") {
			t.Errorf("the bad one is %+v", bad)
		}
		if good := list[1]; !good.Verified || !good.At.Equal(noon) {
			t.Errorf("the good one is %+v", good)
		}
	})
}

// By itself there is one backup a day, at its time in the programme's zone, and the key
// for it is there from the first start.
func TestBackupsSchedule(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		h.config.BackupAt = "03:00"
		a := h.running()
		if _, err := os.Stat(filepath.Join(h.config.DataDir, "patron.backup.key")); err != nil {
			t.Errorf("no key after the first start: %v", err)
		}
		planned := func() (slot time.Time) {
			err := a.DB.Read(h.context(), func(ctx context.Context, tx *db.Tx) error {
				rows, err := tx.QueryText(ctx, `SELECT slot_ms FROM job_schedule WHERE kind = 'backup.make'`)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					var ms int64
					if err := rows.Scan(&ms); err != nil {
						return err
					}
					slot = time.UnixMilli(ms).UTC()
				}
				return rows.Err()
			})
			if err != nil {
				t.Fatal(err)
			}
			return slot
		}
		waitFor(t, "the calendar", func() bool { return !planned().IsZero() })
		night := time.Date(2026, 3, 10, 19, 0, 0, 0, time.UTC) // 03:00 in Shanghai
		if got := planned(); !got.Equal(night.AddDate(0, 0, -1)) {
			t.Errorf("the first slot is %v", got)
		}
		h.clock.Set(night)
		waitFor(t, "the backup of the night", func() bool { return len(h.list(a)) > 0 })
		list := h.list(a)
		at := func(l listed) bool { return l.At.Equal(night) && l.Verified }
		if len(list) != 1 || !slices.ContainsFunc(list, at) {
			t.Errorf("listed are %+v", list)
		}
	})
}

// A test key has nothing to do with backups of the live programme.
func TestBackupsOfTheSandbox(t *testing.T) {
	t.Parallel()
	eachHouse(t, func(t *testing.T, h *house) {
		live := h.open()
		pair := app.NewSandbox(live)
		_, secret, err := live.Staff.CreateKey(h.context(), staff.NewKey{Name: "till", Scopes: []string{"all"}, Test: true})
		if err != nil {
			t.Fatal(err)
		}
		for method, want := range map[string]int{http.MethodPost: http.StatusConflict, http.MethodGet: http.StatusOK} {
			r := httptest.NewRequest(method, "/v1/backups", nil)
			r.Header.Set("Authorization", "Bearer "+secret)
			w := httptest.NewRecorder()
			pair.Handler().ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: %d, want %d: %s", method, w.Code, want, w.Body)
			}
		}
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
		if err := live.Close(); err != nil {
			t.Error(err)
		}
	})
}
