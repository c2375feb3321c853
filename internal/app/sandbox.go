package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
)

// sandboxName is the database file or schema of the sandbox.
const sandboxName = "sandbox"

// Sandbox serves a live programme, and beside it a second one that test keys write to: a
// whole program on a database of its own, so that nothing of a test can reach a member. It
// is opened when the first test key comes.
type Sandbox struct{ half *testHalf }

// NewSandbox makes the pair. Close ends the test half.
func NewSandbox(live *App) *Sandbox { return &Sandbox{live.test} }

// testHalf is the test half of a live programme, opened when it is first needed.
type testHalf struct {
	live   *App
	config config.Config

	mu   sync.Mutex
	test *App
}

// Handler sends requests that bear a test key to the test half and all others to the live
// one. The live half's staff says who a key belongs to, in both.
func (s *Sandbox) Handler() http.Handler {
	live := s.half.live.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "pk_test_") {
			live.ServeHTTP(w, r)
			return
		}
		r = s.half.live.API.Arrive(r) // a key may be bound to where it is used from
		if c, err := s.half.live.Staff.Authenticate(r.Context(), r); err != nil || !c.Sandbox {
			live.ServeHTTP(w, r) // it refuses the key, and nothing is opened for a stranger
			return
		}
		test, err := s.half.open(r.Context())
		if err != nil {
			slog.Error("the sandbox cannot be opened", "error", err)
			http.Error(w, "the sandbox is not available", http.StatusServiceUnavailable)
			return
		}
		test.Handler().ServeHTTP(w, r)
	})
}

func (s *testHalf) open(ctx context.Context) (*App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.test != nil {
		return s.test, nil
	}
	own := s.config
	own.BackupAt = config.Off // nothing in it is worth keeping
	a, err := Open(context.WithoutCancel(ctx), Options{Config: own, Clock: s.live.Clock, Log: s.live.Log, Box: s.live.Box, Name: sandboxName, Auth: sandboxAuth{s.live}})
	if err != nil {
		return nil, err
	}
	a.Start(ctx)
	s.test = a
	return a, nil
}

// liveAuth lets nobody in who belongs to the sandbox: whatever way a test key may find to
// the live half, it writes nothing there.
type liveAuth struct{ staff *staff.Service }

func (a liveAuth) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	c, err := a.staff.Authenticate(ctx, r)
	if err == nil && c.Sandbox {
		return api.Caller{}, api.ErrUnauthenticated
	}
	return c, err
}

// sandboxAuth lets test keys in, and nobody else.
type sandboxAuth struct{ live *App }

func (a sandboxAuth) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	c, err := a.live.Staff.Authenticate(ctx, r)
	if err == nil && !c.Sandbox {
		return api.Caller{}, api.ErrUnauthenticated
	}
	c.Merchants, c.Stores = nil, nil // places of the live programme
	return c, err
}

// Close ends the test half, if it was opened.
func (s *Sandbox) Close() error { return s.half.close() }

func (s *testHalf) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	test := s.test
	if s.test = nil; test == nil {
		return nil
	}
	return test.Close()
}

// Rewrap brings the records of the sandbox under the newest wrapping key, as it is sealed
// with the keys of the live programme. A sandbox that nobody has used is left unmade.
func (s *testHalf) Rewrap(ctx context.Context, progress func(moved int64)) (int64, error) {
	if there, err := s.exists(ctx); err != nil || !there {
		return 0, err
	}
	test, err := s.open(ctx)
	if err != nil {
		return 0, fmt.Errorf("open the sandbox: %w", err)
	}
	members, err := test.Members.Rewrap(ctx, progress)
	if err != nil {
		return members, err
	}
	answers, err := test.API.Rewrap(ctx, func(n int64) { progress(members + n) })
	if err != nil {
		return members + answers, err
	}
	keys, err := test.Till.Rewrap(ctx, func(n int64) { progress(members + answers + n) })
	return members + answers + keys, err
}

// exists reports whether there is a database of the sandbox.
func (s *testHalf) exists(ctx context.Context) (there bool, err error) {
	if s.live.DB.Engine() == db.SQLite {
		_, err := os.Stat(filepath.Join(s.config.DataDir, sandboxName+".db"))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
	err = s.live.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT 1 FROM pg_namespace WHERE nspname = $1", sandboxName)
		if err != nil {
			return err
		}
		defer rows.Close()
		there = rows.Next()
		return rows.Err()
	})
	return there, err
}
