package program

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Auditor writes the audit trail. It stands here as an interface because staff, which
// keeps the trail, is the higher noun.
type Auditor interface {
	// Record notes inside tx that the caller of ctx did action to subject. before and
	// after are written as JSON and hold no personal data.
	Record(ctx context.Context, tx *db.Tx, action, subject string, before, after any) error
}

// Check refuses a change of settings that a higher noun cannot live with: a point
// currency that does not exist, another currency when there are sales already. It runs
// inside the transaction of the change.
type Check func(ctx context.Context, tx *db.Tx, before, after Settings) error

// Service keeps the programme. It is safe for use by many goroutines.
type Service struct {
	db     *db.DB
	clock  clock.Clock
	audit  Auditor
	checks []Check

	now        atomic.Pointer[Snapshot]
	rates      atomic.Pointer[rateBook]
	logo       atomic.Pointer[Logo]
	refreshing sync.Mutex // one reload at a time, so that an older one never wins
}

// pollEvery is how often Run asks for the version: twice as often as promised.
const pollEvery = time.Second

// New opens the programme, and writes the default one where there is none yet.
func New(ctx context.Context, d *db.DB, c clock.Clock, a Auditor) (*Service, error) {
	s := &Service{db: d, clock: c, audit: a}
	err := s.Refresh(ctx)
	if errors.Is(err, errNoProgram) {
		if err = s.found(ctx); err == nil {
			err = s.Refresh(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AddCheck registers a check of settings. Call it while the program is built, before Run.
func (s *Service) AddCheck(c Check) { s.checks = append(s.checks, c) }

// Snapshot is the programme as this process knows it. It costs one atomic load.
func (s *Service) Snapshot() *Snapshot { return s.now.Load() }

// Run keeps the snapshot fresh until ctx ends. A database that does not answer leaves the
// last snapshot in use; the log says so once, until it answers again.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	db.Poll(ctx, log, pollEvery, "the settings cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh reads the programme anew if it has changed.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	var fresh *Snapshot
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		version, rates, err := readVersions(ctx, tx)
		old := s.now.Load()
		if err != nil || old != nil && old.Version == version && old.ratesVersion == rates {
			return err
		}
		fresh, err = readSnapshot(ctx, tx)
		return err
	})
	if err != nil || fresh == nil {
		return err
	}
	if old := s.now.Load(); old == nil || old.ratesVersion != fresh.ratesVersion {
		s.rates.Store(&rateBook{})
	}
	s.now.Store(fresh)
	return nil
}

// found writes the first programme. Of two processes that start at the same time one
// does; the other finds it done.
func (s *Service) found(ctx context.Context) error {
	merchant, err := s.db.NextID(ctx, "merchant")
	if err != nil {
		return err
	}
	store, err := s.db.NextID(ctx, "store")
	if err != nil {
		return err
	}
	first := Defaults()
	first.DefaultStore = store
	at := s.clock.Now()
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		made, err := insertProgram(ctx, tx, first, at)
		if err != nil || !made {
			return err
		}
		if err := insertMerchant(ctx, tx, Merchant{ID: merchant, Code: "main", NameEN: first.NameEN, NameZH: first.NameZH, Open: true}, at); err != nil {
			return err
		}
		return insertStore(ctx, tx, Store{ID: store, Merchant: merchant, Code: "main", NameEN: "Main store", NameZH: "总店", Open: true}, at)
	})
}

// change runs fn in a transaction that also raises the version, and refreshes the
// snapshot before it returns, so that a caller reads what they wrote.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		// The version first: its row is the lock that makes changes go one after the other.
		if err := raiseVersion(ctx, tx, s.clock.Now()); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if errors.Is(err, db.ErrUnique) {
		return ErrCodeTaken.At("body.code").Because(err)
	}
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// SettingsChange is a change of settings: what is nil stays.
type SettingsChange struct {
	Version                        int64 // that the caller has seen; 0 = any
	NameEN, NameZH, Zone, Currency *string
	Languages                      *[]string
	DefaultStore                   *string // public id or code
	Earning                        *Earning
	Limits                         *Limits
	Brand                          *Brand  // its logo stays: see SetLogo
	Demo                           *string // see Settings; no route changes it
	Modules                        *Modules
	Offline                        *Offline
}

// ChangeSettings changes what c names and leaves the rest. It needs a caller without
// limits. It gives ErrChanged where the settings moved on since c.Version.
func (s *Service) ChangeSettings(ctx context.Context, c SettingsChange) (*Snapshot, error) {
	if err := wholeProgram(ctx); err != nil {
		return nil, err
	}
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		now, err := readSnapshot(ctx, tx) // from the database: another process may have changed it
		if err != nil {
			return err
		}
		if c.Version != 0 && c.Version != now.Version-1 { // change has raised it already
			return ErrChanged
		}
		after, err := c.apply(now)
		if err != nil {
			return err
		}
		if err := s.write(ctx, tx, now.Settings, after); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "program.change", "program", now.Settings, after)
	})
	return s.Snapshot(), err
}

// write writes settings that no higher noun refuses.
func (s *Service) write(ctx context.Context, tx *db.Tx, before, after Settings) error {
	for _, check := range s.checks {
		if err := check(ctx, tx, before, after); err != nil {
			return err
		}
	}
	return updateSettings(ctx, tx, after)
}

// Hold keeps other changes away until the end of a transaction, after which the programme has
// a new version.
func (s *Service) Hold(ctx context.Context, tx *db.Tx) error {
	return raiseVersion(ctx, tx, s.clock.Now())
}

// SettingsIn reads the settings as a transaction sees them.
func (s *Service) SettingsIn(ctx context.Context, tx *db.Tx) (Settings, error) {
	now, err := readSnapshot(ctx, tx)
	if err != nil {
		return Settings{}, err
	}
	return now.Settings, nil
}

// SetEarning changes the base rule in a transaction of the caller's, who has called Hold,
// writes the audit trail and calls Refresh after the commit.
func (s *Service) SetEarning(ctx context.Context, tx *db.Tx, e Earning) error {
	before, err := s.SettingsIn(ctx, tx)
	if err != nil {
		return err
	}
	after := before
	after.Earning = e
	if err := after.check(); err != nil {
		return err
	}
	return s.write(ctx, tx, before, after)
}

func (c SettingsChange) apply(now *Snapshot) (Settings, error) {
	out := now.Settings
	set(&out.NameEN, c.NameEN)
	set(&out.NameZH, c.NameZH)
	out.NameEN, out.NameZH = fillNames(out.NameEN, out.NameZH)
	set(&out.Zone, c.Zone)
	set(&out.Currency, c.Currency)
	set(&out.Languages, c.Languages)
	set(&out.Earning, c.Earning)
	set(&out.Limits, c.Limits)
	set(&out.Demo, c.Demo)
	if c.Brand != nil {
		logo := out.Brand.Logo
		out.Brand, out.Brand.Logo = *c.Brand, logo
	}
	set(&out.Modules, c.Modules)
	set(&out.Offline, c.Offline)
	if c.DefaultStore != nil {
		st, err := now.FindStore(*c.DefaultStore)
		if err != nil {
			return Settings{}, errs.As(err).At("body.default_store")
		}
		if !st.Open {
			return Settings{}, ErrClosed.At("body.default_store")
		}
		out.DefaultStore = st.ID
	}
	return out, out.check()
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// wholeProgram refuses callers who are limited to merchants or stores.
func wholeProgram(ctx context.Context) error {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return ErrLimited
	}
	return nil
}
