package staff

import (
	"context"
	"log/slog"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/program"
)

// Service keeps accounts, sessions and keys. It is safe for use by many goroutines.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	program *program.Service
	audit   *Audit
	hasher  *hasher
	guesses *guesses
	passes  *passes
	touched *touched
}

// New makes the service. Run keeps what it holds in memory fresh and writes down when
// keys were last used; without Run it is right too, only slower.
func New(d *db.DB, c clock.Clock, log *slog.Logger, p *program.Service, a *Audit) *Service {
	return newService(d, c, log, p, a, standard)
}

func newService(d *db.DB, c clock.Clock, log *slog.Logger, p *program.Service, a *Audit, hashing cost) *Service {
	return &Service{
		db: d, clock: c, log: log, program: p, audit: a,
		hasher: newHasher(hashing), guesses: newGuesses(), passes: newPasses(), touched: newTouched(),
	}
}

// AsSystem makes ctx act with every right, in the name of the program itself: for the
// command line, jobs and tests. name says which ("command line", "demo").
func AsSystem(ctx context.Context, name string) context.Context {
	return api.WithCaller(ctx, api.Caller{Kind: "system", ID: name, Name: name, Can: Owner.Can()})
}

// takeAway runs a change that may take a right away: one at a time over all nodes, and
// nobody goes on from memory after it.
func (s *Service) takeAway(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := raiseVersion(ctx, tx); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	s.passes.forget() // also after an error: a commit whose answer was lost may have happened
	return err
}

// flushEvery is how often Run writes down which keys and sessions were used.
const flushEvery = 5 * time.Second

// purgeEvery is how often Run removes sessions that have ended by themselves.
const purgeEvery = time.Hour

// Run keeps this node's memory fresh until ctx ends.
func (s *Service) Run(ctx context.Context) {
	poll, flush, purge := time.NewTicker(pollEvery), time.NewTicker(flushEvery), time.NewTicker(purgeEvery)
	defer poll.Stop()
	defer flush.Stop()
	defer purge.Stop()
	for {
		var what string
		var err error
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			_ = s.passes.refresh(ctx, s.version, 0) // an error shows in requests, which then ask themselves
			continue
		case <-flush.C:
			what, err = "note when keys were used", s.flush(ctx)
		case <-purge.C:
			what, err = "remove old sessions", s.purge(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("staff: background work failed and will be tried again", "work", what, "error", err)
		}
	}
}
