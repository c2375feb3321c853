package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/staff"
)

// sandboxName is the database file or schema of the sandbox.
const sandboxName = "sandbox"

// Sandbox serves a live programme, and beside it a second one that test keys write to: a
// whole program on a database of its own, so that nothing of a test can reach a member. It
// is opened when the first test key comes.
type Sandbox struct {
	live   *App
	config config.Config

	mu   sync.Mutex
	test *App
}

// NewSandbox makes the pair. Close ends the test half.
func NewSandbox(live *App, c config.Config) *Sandbox { return &Sandbox{live: live, config: c} }

// Handler sends requests that bear a test key to the test half and all others to the live
// one. The live half's staff says who a key belongs to, in both.
func (s *Sandbox) Handler() http.Handler {
	live := s.live.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "pk_test_") {
			live.ServeHTTP(w, r)
			return
		}
		if c, err := s.live.Staff.Authenticate(r.Context(), r); err != nil || !c.Sandbox {
			live.ServeHTTP(w, r) // it refuses the key, and nothing is opened for a stranger
			return
		}
		test, err := s.open(r.Context())
		if err != nil {
			slog.Error("the sandbox cannot be opened", "error", err)
			http.Error(w, "the sandbox is not available", http.StatusServiceUnavailable)
			return
		}
		test.Handler().ServeHTTP(w, r)
	})
}

func (s *Sandbox) open(ctx context.Context) (*App, error) {
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
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.test == nil {
		return nil
	}
	return s.test.Close()
}
