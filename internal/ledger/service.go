package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/trace"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

const (
	// pollEvery is how soon a node knows of a currency or a setting that another changed.
	pollEvery = time.Second
	// maxMoves bounds how far a request follows merges: no chain of them is longer.
	maxMoves = 17
)

// Options are what a Service is made from. DB, Clock, Program, Members and Audit are
// required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger // slog.Default() where nil
	Program *program.Service
	Members *member.Service
	Audit   program.Auditor
	Jobs    *job.Queue // gets the daily run; nil in tools that do no jobs
	// Approvals is where large adjustments wait for a second person; nil where nobody decides.
	Approvals *staff.Approvals
	Events    *event.Dispatcher // nudged after postings, and told to finish merges; nil in tools

	Workers  int // of the engine, on PostgreSQL
	MaxBatch int // 0 = DefaultMaxBatch
	Watch    Watch
	Trace    *trace.Tracer
}

// Service is the ledger as the rest of the program sees it: the currencies, the Engine,
// and what reads and writes through them. It is safe for use by many goroutines.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	program *program.Service
	members *member.Service
	audit   program.Auditor
	events  *event.Dispatcher
	engine  *Engine

	words vocabulary

	companions []Companion // told of merges; complete before anything is served

	now        atomic.Pointer[Config]
	programme  int64      // version of the settings that now was made from; under refreshing
	refreshing sync.Mutex // one reload at a time, so that an older one never wins
	stop       context.CancelFunc
	polling    sync.WaitGroup
}

// New opens the ledger, makes the currency "points" where there is none yet, and starts
// the engine. It registers its jobs, its subscriber and its check of settings, so call it
// while the program is built. Close ends it.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{db: o.DB, clock: o.Clock, log: o.Log, program: o.Program, members: o.Members, audit: o.Audit, events: o.Events}
	if err := s.foundCurrency(ctx); err != nil {
		return nil, fmt.Errorf("make the first point currency: %w", err)
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	e, err := NewEngine(ctx, o.DB, o.Clock, o.Log, s.Config, EngineOptions{Workers: o.Workers, MaxBatch: o.MaxBatch, Committed: s.nudge, Watch: o.Watch, Trace: o.Trace})
	if err != nil {
		return nil, fmt.Errorf("start the posting engine: %w", err)
	}
	s.engine = e
	o.Program.AddCheck(s.checkEarning)
	if o.Approvals != nil {
		o.Approvals.Register(s.adjustments())
	}
	if o.Jobs != nil {
		s.register(o.Jobs)
	}
	if o.Events != nil {
		o.Events.Subscribe("ledger.links", s.onLinks)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.polling.Go(func() { s.poll(run) })
	return s, nil
}

// Close lets the engine finish what is queued and ends the service.
func (s *Service) Close() {
	s.stop()
	s.polling.Wait()
	s.engine.Close()
}

// Engine is where nouns above send their own commands.
func (s *Service) Engine() *Engine { return s.engine }

// Config is the settings that decisions are made by, as this process knows them.
func (s *Service) Config() *Config { return s.now.Load() }

func (s *Service) nudge() {
	if s.events != nil {
		s.events.Nudge()
	}
}

// poll keeps the Config fresh. A database that does not answer leaves the last one in use;
// the log says so once, until it answers again.
func (s *Service) poll(ctx context.Context) {
	db.Poll(ctx, s.log, pollEvery, "the point currencies cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in the currencies and in the programme's settings.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	now := s.program.Snapshot()
	var fresh *Config
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		version, err := currencyVersion(ctx, tx)
		if old := s.now.Load(); err != nil || old != nil && old.Version == version && s.programme == now.Version {
			return err
		}
		list, err := readCurrencies(ctx, tx)
		fresh = &Config{
			Zone: now.Zone, Issuer: now.DefaultStore().Merchant, Version: version,
			Currencies: make(map[int64]*Currency, len(list)), ByCode: make(map[string]*Currency, len(list)),
		}
		for _, c := range list {
			fresh.Currencies[c.ID], fresh.ByCode[c.Code] = &c.Currency, &c.Currency
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the point currencies: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
		s.programme = now.Version
	}
	return nil
}

// find returns the member that a request names. at says where it does.
func (s *Service) find(ctx context.Context, text, at string) (int64, error) {
	return named(ctx, text, at, s.members.Find)
}

// findToPost is find for a posting that goes by withMember, and so finds a survivor itself.
func (s *Service) findToPost(ctx context.Context, text, at string) (int64, error) {
	return named(ctx, text, at, func(ctx context.Context, ref member.Ref) (member.ID, error) {
		found, err := s.members.FindToPost(ctx, []member.Ref{ref})
		if err == nil && found[0] == 0 {
			err = member.ErrNotFound
		}
		if err != nil {
			return 0, err
		}
		return found[0], nil
	})
}

// trace is find for readings, which show the books of one who was erased too.
func (s *Service) trace(ctx context.Context, text, at string) (int64, error) {
	return named(ctx, text, at, s.members.Trace)
}

// named reads a reference that stands at a place of the request, and looks for its member.
func named(ctx context.Context, text, at string, look func(context.Context, member.Ref) (member.ID, error)) (int64, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = look(ctx, ref); err == nil {
			return int64(m), nil
		}
	}
	if e := errs.As(err); e != nil {
		return 0, e.At(at)
	}
	return 0, err
}

// withMember does something with a member, and again with the survivor where it turns out
// that the member has been merged meanwhile.
func (s *Service) withMember(ctx context.Context, m int64, do func(member int64) Answer) Answer {
	for range maxMoves {
		a := do(m)
		var moved *Moved
		if !errors.As(a.Err, &moved) || ctx.Err() != nil {
			return a
		}
		s.members.Forget(member.ID(moved.From))
		m = moved.To
	}
	return Answer{Err: fmt.Errorf("member %d: a chain of more than %d merges", m, maxMoves)}
}

// actorOf is what entries keep of who asked.
func actorOf(ctx context.Context) string { return staff.ActorOf(ctx) }

// order sends a command that no request bears, in the name of the caller of ctx.
func (s *Service) order(ctx context.Context, m int64, command func(member int64) Command) error {
	return s.withMember(ctx, m, func(m int64) Answer {
		return s.engine.Do(ctx, Request{Command: command(m), Actor: actorOf(ctx)})
	}).Err
}

// ErrStoreNeeded refuses a posting of a caller who may act for several merchants or stores
// and has not said for which.
var ErrStoreNeeded = errs.New(errs.Invalid, "ledger.store_needed", "You act for several stores: say for which one this is.", "您负责多个门店，请指明门店。")

// place says in which store something happens and which merchant answers for it: the
// store that is named, or else the only one that the caller may act for. Zeros stand for
// the programme itself.
func (s *Service) place(ctx context.Context, ref string) (store, issuer int64, err error) {
	now, who := s.program.Snapshot(), api.CallerOf(ctx)
	switch {
	case ref != "":
		st, err := now.FindStore(ref)
		if err != nil || !now.SeesStore(who, st.ID) {
			return 0, 0, program.ErrNoStore.At("body.store")
		}
		return st.ID, st.Merchant, nil
	case len(who.Stores) == 1:
		st, _ := now.Store(who.Stores[0])
		return st.ID, st.Merchant, nil
	case len(who.Stores) == 0 && len(who.Merchants) == 1:
		return 0, who.Merchants[0], nil
	case len(who.Stores)+len(who.Merchants) > 0:
		return 0, 0, ErrStoreNeeded.At("body.store")
	}
	return 0, 0, nil
}
