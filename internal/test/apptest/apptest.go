// Package apptest starts the whole program for a test and talks to it as a client does.
//
// Life: Each opens the program on a fresh database of each engine, with a clock that the
// test moves, a key file of its own and a server on loopback; the test sends requests; at
// the end the books are verified and everything is closed.
//
// Laws: every test ends with books that add up. Helpers fail the test themselves, and say
// what was sent and what came back.
package apptest

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/app"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Noon is when the clock of a test begins: 2026-03-10 12:00 in Shanghai, the programme's
// zone.
var Noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

// App is a program that runs for one test, and a client of it that may do everything.
type App struct {
	*app.App
	Client // with a key of all scopes

	Clock *clock.Manual
	URL   string

	t    testing.TB
	n    atomic.Int64 // for Unique
	stop func()
}

// Each runs body as parallel subtests "sqlite" and "postgresql", each on a program of its
// own.
func Each(t *testing.T, body func(t *testing.T, a *App)) {
	t.Helper()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			body(t, Open(t, e))
		})
	}
}

// Open starts a program on a fresh database. When the test ends its books are verified
// and it is closed.
func Open(t testing.TB, e db.Engine) *App {
	t.Helper()
	return OpenAt(t, Setup{Database: dbtest.Options(t, e), Box: seal.Test()})
}

// Setup says on what a program is opened, for a test that opens it more than once.
type Setup struct {
	Database db.Options
	Dir      string               // data directory; that of the database, or a fresh one, where empty
	Box      *seal.Box            // keys; those of the data directory where nil
	Clock    *clock.Manual        // at Noon where nil
	Log      slog.Handler         // of errors into the test where nil
	First    int64                // Unique counts from here, where the database was used before
	Edit     func(*config.Config) // of the configuration; nil for none
	Payments []plan.Provider      // that paid memberships may be charged through
}

// OpenAt is Open on a database that may have been used before.
func OpenAt(t testing.TB, s Setup) *App {
	t.Helper()
	c := config.Defaults()
	c.DatabaseURL, c.DataDir, c.DefaultLanguage, c.BackupAt = s.Database.URL, s.Dir, "en", config.Off
	if c.DataDir == "" {
		c.DataDir = s.Database.Dir
	}
	if c.DataDir == "" {
		c.DataDir = t.TempDir()
	}
	if s.Edit != nil {
		s.Edit(&c)
	}
	if s.Clock == nil {
		s.Clock = clock.At(Noon)
	}
	if s.Log == nil { // a refusal is no error: a test that expects one looks at the answer
		s.Log = slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})
	}
	a := &App{Clock: s.Clock, t: t}
	a.n.Store(s.First)
	var err error
	if a.App, err = app.Open(t.Context(), app.Options{Config: c, Clock: a.Clock, Log: slog.New(s.Log), Box: s.Box, Payments: s.Payments}); err != nil {
		t.Fatalf("open the program: %v", err)
	}
	a.Start(t.Context())
	server := httptest.NewServer(a.Handler())
	a.URL = server.URL
	a.Client = a.Key(staff.All)
	a.stop = sync.OnceFunc(func() {
		a.Verify()
		server.Close()
		if err := a.Close(); err != nil {
			t.Errorf("close the program: %v", err)
		}
	})
	t.Cleanup(a.stop)
	return a
}

// Stop verifies the books and closes the program before the test ends.
func (a *App) Stop() { a.stop() }

// Context acts with every right, for calls of services. It outlives the test's own, so
// that it is good for cleaning up.
func (a *App) Context() context.Context {
	return staff.AsSystem(context.WithoutCancel(a.t.Context()), "test")
}

// Key makes an API key with scopes and returns a client that bears it.
func (a *App) Key(scopes ...string) Client { return a.KeyAt(nil, nil, scopes...) }

// KeyAt is Key for a client who is limited to merchants and stores, named by code.
func (a *App) KeyAt(merchants, stores []string, scopes ...string) Client {
	a.t.Helper()
	_, secret, err := a.Staff.CreateKey(a.Context(), staff.NewKey{Name: "test", Scopes: scopes, Merchants: merchants, Stores: stores})
	if err != nil {
		a.t.Fatalf("make a key: %v", err)
	}
	return Client{t: a.t, url: a.URL, key: secret, http: httpClient}
}

// NewClient is a client of a server that the test has started by itself.
func NewClient(t testing.TB, url, key string) Client {
	return Client{t: t, url: url, key: key, http: httpClient}
}

// httpClient is shared: it keeps its connections. Its deadline is past that of the server.
var httpClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// Drain waits until all events are handed on.
func (a *App) Drain() {
	a.t.Helper()
	if err := a.Events.Drain(a.Context()); err != nil {
		a.t.Fatalf("drain the events: %v", err)
	}
}

// Pass lets time pass, before which the trail is chained as a server would have done long before.
func (a *App) Pass(d time.Duration) {
	a.t.Helper()
	if err := a.Audit.Chain(a.Context()); err != nil {
		a.t.Fatalf("chain the trail: %v", err)
	}
	a.Clock.Advance(d)
}

// Rest waits until all events are handed on and no job that is due is left.
func (a *App) Rest() {
	a.t.Helper()
	a.Drain()
	for end := time.Now().Add(time.Minute); a.Number("SELECT COUNT(*) FROM job WHERE state = 'running' OR state = 'ready' AND run_at_ms <= $1", a.Clock.Now().UnixMilli()) > 0; {
		if time.Now().After(end) {
			a.t.Fatal("the jobs do not come to an end")
		}
		a.Jobs.Nudge()
		time.Sleep(2 * time.Millisecond)
	}
}

// Waiting lists the events in the outbox.
func (a *App) Waiting() (list []event.Event) {
	a.t.Helper()
	err := a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, _, err = event.Waiting(ctx, tx, 0, 10_000)
		return err
	})
	if err != nil {
		a.t.Fatalf("read the outbox: %v", err)
	}
	return list
}

// Purge removes all keys and answers from before a time.
func (a *App) Purge(before time.Time) {
	a.t.Helper()
	for turn := range api.PurgeTurns {
		if _, err := a.API.Purge(a.Context(), before, turn); err != nil {
			a.t.Fatalf("purge the keys: %v", err)
		}
	}
}

// Verify recomputes the books and fails the test where they do not add up. It runs by
// itself at the end of every test.
func (a *App) Verify() {
	a.t.Helper()
	a.Drain()
	r, err := a.App.Verify(a.Context(), nil)
	if err != nil {
		a.t.Errorf("verify: %v", err)
	}
	for _, f := range r.Findings {
		a.t.Errorf("verify: %s %s: %s", f.Invariant, f.Where, f.EN)
	}
}

// Unique returns a number that no other call of this test got.
func (a *App) Unique() int64 { return a.n.Add(1) }

// Earning sets the base rule of the programme.
func (a *App) Earning(edit func(*program.Earning)) {
	a.t.Helper()
	e := a.Program.Snapshot().Settings.Earning
	edit(&e)
	if _, err := a.Program.ChangeSettings(a.Context(), program.SettingsChange{Earning: &e}); err != nil {
		a.t.Fatalf("change the earning rule: %v", err)
	}
}

// Policy changes how the currency "points" behaves.
func (a *App) Policy(edit func(*ledger.Policy)) {
	a.t.Helper()
	p := a.Ledger.Config().ByCode["points"].Policy
	edit(&p)
	if _, err := a.Ledger.ChangeCurrency(a.Context(), "points", ledger.CurrencyChange{Policy: &p}); err != nil {
		a.t.Fatalf("change the currency: %v", err)
	}
}

// ApproveAbove makes adjustments of more points than n wait for a second person.
func (a *App) ApproveAbove(n int64) {
	a.t.Helper()
	a.Policy(func(p *ledger.Policy) { p.ApproveAbove = n })
}

// Sandbox serves the program together with its sandbox. Both end with the program.
func (a *App) Sandbox() http.Handler { return app.NewSandbox(a.App).Handler() }

// Exec changes the database behind the program's back, as time or an accident would.
func (a *App) Exec(query string, args ...any) {
	a.t.Helper()
	err := a.DB.InTx(a.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, query, args...)
		return err
	})
	if err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
}

// Number reads one integer of the database.
func (a *App) Number(query string, args ...any) (n int64) {
	a.t.Helper()
	err := a.DB.Read(a.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func unmarshal(t testing.TB, body []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(body, to); err != nil {
		t.Fatalf("read the answer: %v\n%s", err, body)
	}
}
