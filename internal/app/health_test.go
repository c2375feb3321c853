package app_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// probe asks a handler as a supervisor does.
func probe(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// ready fails the test unless /readyz answers with a status and says something.
func ready(t *testing.T, a *app.App, status int, says string) {
	t.Helper()
	a.Forget()
	if w := probe(a.Handler(), "/readyz"); w.Code != status || !strings.Contains(w.Body.String(), says) {
		t.Errorf("readyz: %d, want %d with %q\n%s", w.Code, status, says, w.Body)
	}
}

// Each thing that a node needs is broken in turn, and is well again afterwards.
func TestReady(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		lite := a.DB.Engine() == db.SQLite
		for _, tt := range []struct {
			name        string
			break_, fix func()
			says        string
			only        bool
		}{
			{"stopping", func() { a.Stopping(true) }, func() { a.Stopping(false) }, "failed serving stopping", true},
			{"disk", func() { a.SetDisk(func(string) (int64, int64, error) { return 1 << 30, 100 << 30, nil }) },
				func() { a.SetDisk(db.Disk) }, "failed disk 1 % free", lite},
			{"disk that cannot be looked at", func() { a.SetDisk(func(string) (int64, int64, error) { return 0, 0, errors.New("gone") }) },
				func() { a.SetDisk(db.Disk) }, "failed disk", lite},
			{"migrations", func() { a.Exec(`INSERT INTO schema_version (version, name, applied_ms) VALUES (9999, 'later', 0)`) },
				func() { a.Exec(`DELETE FROM schema_version WHERE version = 9999`) }, "failed migrations", true},
			{"clock", func() {
				a.Exec(`UPDATE event_dispatcher SET at_ms = $1`, a.Clock.Now().Add(6*time.Minute).UnixMilli())
			}, func() { a.Exec(`UPDATE event_dispatcher SET at_ms = 0`) },
				"failed clock 6m0s behind the newest posting", true},
		} {
			ready(t, a.App, 200, "ok\n")
			if !tt.only {
				continue
			}
			tt.break_()
			ready(t, a.App, 503, tt.says)
			if w := probe(a.Handler(), "/livez"); w.Code != 200 {
				t.Errorf("%s: livez %d", tt.name, w.Code)
			}
			tt.fix()
		}
		ready(t, a.App, 200, "ok database wrote in")
	})
}

// A database that takes no write within two seconds is not ready, and the answer comes.
func TestReadyBusy(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		ready(t, a.App, 200, "ok\n") // makes the row
		held, release, done := make(chan bool), make(chan bool), make(chan error)
		go func() {
			done <- a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, `UPDATE sequence SET next = next WHERE name = 'touch'`)
				close(held)
				<-release
				return err
			})
		}()
		<-held
		began := time.Now()
		ready(t, a.App, 503, "failed database takes no writes")
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
		ready(t, a.App, 200, "ok\n")
	})
}

// However often somebody asks, the database is asked once in a second.
func TestReadyIsCheap(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		began := time.Now()
		for range 500 {
			if w := probe(a.Handler(), "/readyz"); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		most := 2 + int64(time.Since(began)/time.Second)
		if n := a.Number(`SELECT next FROM sequence WHERE name = 'touch'`); n > most {
			t.Errorf("the database was written to %d times, at most %d", n, most)
		}
	})
}

func TestEnough(t *testing.T) {
	t.Parallel()
	const mega, giga = 1 << 20, 1 << 30
	for _, tt := range []struct {
		free, all int64
		want      bool
	}{
		{5 * giga, 100 * giga, true}, {5*giga - 1, 100 * giga, false},
		{8 * giga, 1000 * giga, true}, {8*giga - 1, 1000 * giga, false},
		{32 * mega, 100 * mega, true}, {32*mega - 1, 100 * mega, false}, {0, 0, false},
	} {
		if got := app.Enough(tt.free, tt.all); got != tt.want {
			t.Errorf("%d of %d: %v", tt.free, tt.all, got)
		}
	}
}

// box is one for all openings of one database.
var box = sync.OnceValue(seal.Test)

// bare opens a program on a database that may be opened again, on a clock of the test.
func bare(t *testing.T, o db.Options, c clock.Clock, log *slog.Logger, edit ...func(*config.Config)) *app.App {
	t.Helper()
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.DataDir = o.URL, o.Dir
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	for _, e := range edit {
		e(&cfg)
	}
	a, err := app.Open(t.Context(), app.Options{Config: cfg, Clock: c, Log: log, Box: box()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A storage that failed is neither alive nor ready.
func TestStorageFailed(t *testing.T) {
	t.Parallel()
	a := bare(t, dbtest.Options(t, db.SQLite), nil, slog.New(slog.DiscardHandler))
	ready(t, a, 200, "ok\n")
	err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.ExecText(ctx, "PRAGMA max_page_count = 1"); err != nil {
			return err
		}
		_, err := tx.ExecText(ctx, `INSERT INTO request (shard, hash, body_hash, status, answer, at_ms) VALUES (0, x'00', x'00', 0, $1, 0)`, make([]byte, 1<<20))
		return err
	})
	if !errors.Is(err, db.ErrStorage) {
		t.Fatalf("a full disk: %v", err)
	}
	ready(t, a, 503, "failed storage")
	if w := probe(a.Handler(), "/livez"); w.Code != 503 {
		t.Errorf("livez: %d", w.Code)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// faulty is a machine whose clock is set by a test.
type faulty struct{ off time.Duration }

func (f *faulty) clock() *clock.Wall {
	start := time.Now()
	return clock.New(func() (time.Time, time.Duration) { return time.Now().Add(f.off), time.Since(start) },
		func() time.Duration { return 0 })
}

// A leap of the machine's clock is told by /readyz and the log, and is over when the clock
// is right again.
func TestClockLeaps(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-365 * 24 * time.Hour, 365 * 24 * time.Hour} {
		var log bytes.Buffer
		f := &faulty{}
		a := bare(t, dbtest.Options(t, db.SQLite), f.clock(), slog.New(slog.NewTextHandler(&log, nil)))
		before := a.Clock.(*clock.Wall).State()
		ready(t, a, 200, "ok clock\n")
		f.off = by
		ready(t, a, 503, "failed clock the machine's clock has leapt and is off by "+by.String())
		leapt := a.Clock.(*clock.Wall).State()
		a.LogClock(before, leapt)
		if got := a.Clock.Now(); time.Since(got).Abs() > time.Minute {
			t.Errorf("the clock followed to %v", got)
		}
		f.off = 0
		ready(t, a, 200, "ok clock\n")
		a.LogClock(leapt, a.Clock.(*clock.Wall).State())
		for _, want := range []string{"level=ERROR msg=\"the machine's clock has leapt", "followed again"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %q:\n%s", want, log.String())
			}
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A server that is started with its clock behind what is written goes on from there.
func TestClockBehindAtStart(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		o := dbtest.Options(t, e)
		ahead := time.Now().Add(400 * 24 * time.Hour).Truncate(time.Millisecond)
		first := bare(t, o, clock.At(ahead), slog.New(slog.DiscardHandler))
		err := first.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `UPDATE event_dispatcher SET at_ms = $1`, ahead.UnixMilli())
			return err
		})
		if err := errors.Join(err, first.Close()); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		second := bare(t, o, new(faulty).clock(), slog.New(slog.NewTextHandler(&log, nil)))
		if got := second.Clock.Now(); got.Before(ahead) || got.After(ahead.Add(time.Minute)) {
			t.Errorf("%v: the clock tells %v, the newest posting is of %v", e, got, ahead)
		}
		if !strings.Contains(log.String(), "behind the newest posting") {
			t.Errorf("the log: %s", log.String())
		}
		ready(t, second, 503, "failed clock")
		if err := second.Close(); err != nil {
			t.Error(err)
		}
	}
}
