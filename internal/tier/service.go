package tier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// pollEvery is how soon a node knows of a scheme that another changed.
const pollEvery = time.Second

// Options are what a Service is made of. All but Log are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Ledger  *ledger.Service
	Audit   *staff.Audit
	Jobs    *job.Queue
	Events  *event.Dispatcher
}

// Service keeps schemes and standings. It is safe for use by many goroutines.
type Service struct {
	o Options

	now        atomic.Pointer[Snapshot]
	surveys    surveys
	refreshing sync.Mutex // one reload at a time, so that an older one never wins
}

// Snapshot is the live schemes as of one version. It never changes.
type Snapshot struct {
	Ladders []*Ladder // in the order in which they were made

	edited   int64
	currency int64 // version of the currencies that it was compiled with
	words    *cond.Env
	main     *Ladder
	profile  bool // an evaluation asks who the member is: a condition, or years of membership
}

// Main is the main scheme, nil where none is live.
func (n *Snapshot) Main() *Ladder { return n.main }

// Ladder finds a live scheme by code, the main one for "".
func (n *Snapshot) Ladder(code string) *Ladder {
	if code == "" {
		return n.main
	}
	for _, l := range n.Ladders {
		if l.Code == code {
			return l
		}
	}
	return nil
}

// New opens the service and registers its jobs and its subscriber, so call it while the program
// is built.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o}
	s.now.Store(&Snapshot{edited: -1})
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	s.register()
	o.Ledger.Accompany(s)
	return s, nil
}

// Snapshot is the live schemes as this process knows them. It costs one atomic load.
func (s *Service) Snapshot() *Snapshot { return s.now.Load() }

// Run keeps the schemes fresh until ctx ends. A database that does not answer leaves the last
// ones in use; the log says so once, until it answers again.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	db.Poll(ctx, log, pollEvery, "the tier schemes cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh takes over what has changed in the schemes.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	old, config := s.now.Load(), s.o.Ledger.Config()
	words, err := s.o.Ledger.Words(ctx)
	if err != nil {
		return err
	}
	same := config.Version == old.currency && words == old.words
	var list []Stored
	var edited int64
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		err := tx.QueryRow(ctx, editedSQL).Scan(&edited)
		if err != nil || same && edited == old.edited {
			return err
		}
		list, err = readSchemes(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the tier schemes: %w", err)
	}
	if same && edited == old.edited {
		return nil
	}
	fresh := &Snapshot{edited: edited, currency: config.Version, words: words}
	for _, st := range list {
		if st.State != Live {
			continue
		}
		l, err := compile(*st.Live, words, config, "body")
		if err != nil { // a currency or an attribute is gone since: the scheme rests, and says so
			s.o.Log.Error("a tier scheme cannot be used", "scheme", st.Code, "error", err)
			continue
		}
		l.ID, l.Version = st.ID, st.Version
		fresh.add(l)
	}
	s.now.Store(fresh)
	return nil
}

func (n *Snapshot) add(l *Ladder) {
	n.Ladders = append(n.Ladders, l)
	if l.Main {
		n.main = l
	}
	n.profile = n.profile || l.daily || l.yearly()
}

// yearly reports whether something of the scheme depends on the day of joining.
func (l *Ladder) yearly() bool {
	return l.Window.Kind == Membership || l.Term.Kind == ToMembership || l.KeepWindow != nil && l.KeepWindow.Kind == Membership
}

// Schemes lists all schemes, with drafts and those that have ended: there are few.
func (s *Service) Schemes(ctx context.Context) (list []Stored, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readSchemes(ctx, tx)
		return err
	})
	return list, err
}

// Scheme reads one.
func (s *Service) Scheme(ctx context.Context, code string) (out Stored, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out, err = readScheme(ctx, tx, code)
		return err
	})
	return out, err
}

// Versions lists what was published of a scheme, newest first.
func (s *Service) Versions(ctx context.Context, code string, before int64, limit int) (list []Published, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := readScheme(ctx, tx, code)
		if err != nil {
			return err
		}
		list, err = readVersions(ctx, tx, st.ID, before, limit)
		return err
	})
	return list, err
}

// check compiles a scheme as it is sent.
func (s *Service) check(ctx context.Context, d Scheme) (*Ladder, error) {
	env, err := s.o.Ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	return compile(d, env, s.o.Ledger.Config(), "body")
}

// Add makes a scheme, as a draft.
func (s *Service) Add(ctx context.Context, d Scheme) (Stored, error) {
	l, err := s.check(ctx, d)
	if err != nil {
		return Stored{}, err
	}
	n, err := s.o.DB.NextID(ctx, "tier_scheme")
	if err != nil {
		return Stored{}, err
	}
	out := Stored{ID: n, Code: d.Code, State: Draft, Edited: 1, Draft: &l.Scheme, Changed: s.o.Clock.Now().UTC()}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := readSchemes(ctx, tx)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(st Stored) bool { return st.State == Ended })
		if len(list) >= maxSchemes {
			return ErrSchemes.With("most", maxSchemes)
		}
		if _, err := tx.Exec(ctx, insertSchemeSQL, n, d.Code, packScheme(out.Draft), out.Changed.UnixMilli()); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "tier.add", d.Code, nil, out.Draft)
	})
	if errors.Is(err, db.ErrUnique) {
		return out, ErrTaken.At("body.code").Because(err)
	}
	return out, err
}

// change changes a scheme in a transaction, from a state of it unless edited is 0, and takes
// over what came out before it returns.
func (s *Service) change(ctx context.Context, code string, edited int64, action string, edit func(ctx context.Context, tx *db.Tx, st *Stored) error) (out Stored, err error) {
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		before, err := readScheme(ctx, tx, code)
		if err != nil {
			return err
		}
		if edited != 0 && edited != before.Edited {
			return ErrChanged
		}
		out = before
		if err := edit(ctx, tx, &out); err != nil {
			return err
		}
		at := s.o.Clock.Now()
		if err := updateScheme(ctx, tx, out, at); err != nil {
			return err
		}
		out.Edited, out.Changed = before.Edited+1, at.UTC()
		return s.o.Audit.Record(ctx, tx, action, code, trail(before), trail(out))
	})
	if err != nil {
		return out, err
	}
	return out, s.Refresh(ctx)
}

// trail is a scheme as the audit trail keeps it.
func trail(s Stored) any {
	return struct {
		State   State   `json:"state"`
		Version int64   `json:"version"`
		Draft   *Scheme `json:"draft,omitempty"`
		Live    *Scheme `json:"live,omitempty"`
	}{s.State, s.Version, s.Draft, s.Live}
}

// PutDraft writes the draft of a scheme. Nothing else changes by it.
func (s *Service) PutDraft(ctx context.Context, code string, edited int64, d Scheme) (Stored, error) {
	d.Code = code
	l, err := s.check(ctx, d)
	if err != nil {
		return Stored{}, err
	}
	return s.change(ctx, code, edited, "tier.draft", func(_ context.Context, _ *db.Tx, st *Stored) error {
		if st.State == Ended {
			return ErrEnded
		}
		st.Draft = &l.Scheme
		return nil
	})
}

// DropDraft throws the draft of a scheme away.
func (s *Service) DropDraft(ctx context.Context, code string) (Stored, error) {
	return s.change(ctx, code, 0, "tier.drop_draft", func(_ context.Context, _ *db.Tx, st *Stored) error {
		if st.Draft == nil || st.State == Draft {
			return ErrNoDraft
		}
		st.Draft = nil
		return nil
	})
}

// Publish makes the draft of a scheme live. All members are looked at soon after: who qualifies
// by the new rules rises, and nobody falls before their term ends.
func (s *Service) Publish(ctx context.Context, code string, edited int64) (Stored, error) {
	out, err := s.change(ctx, code, edited, "tier.publish", func(ctx context.Context, tx *db.Tx, st *Stored) error {
		switch {
		case st.State == Ended:
			return ErrEnded
		case st.Draft == nil:
			return ErrNoDraft
		}
		if _, err := s.check(ctx, *st.Draft); err != nil { // a currency may be gone since
			return err
		}
		return s.publish(ctx, tx, st)
	})
	if err == nil {
		s.o.Jobs.Nudge()
	}
	return out, err
}

// publish turns a draft into the next version, in the caller's transaction.
func (s *Service) publish(ctx context.Context, tx *db.Tx, st *Stored) error {
	// The sweep first: its row is the lock that makes publications go one after the other, so that
	// of two main schemes the second sees the first.
	if err := s.sweep(ctx, tx); err != nil {
		return err
	}
	if st.Draft.Main {
		list, err := readSchemes(ctx, tx)
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.ID != st.ID && other.State == Live && other.Live.Main {
				return ErrMain.With("scheme", other.Code)
			}
		}
	}
	st.Version++
	st.State, st.Live, st.Draft = Live, st.Draft, nil
	if _, err := tx.Exec(ctx, insertVersionSQL, st.ID, st.Version, packScheme(st.Live), staff.ActorOf(ctx), s.o.Clock.Now().UnixMilli()); err != nil {
		return fmt.Errorf("keep version %d of tier scheme %s: %w", st.Version, st.Code, err)
	}
	return nil
}

// End ends a scheme for good, or gives up one that was never published. Standings in it stay as
// they are and count no more.
func (s *Service) End(ctx context.Context, code string, edited int64) (Stored, error) {
	return s.change(ctx, code, edited, "tier.end", func(ctx context.Context, tx *db.Tx, st *Stored) error {
		if st.State == Ended {
			return ErrEnded
		}
		st.State, st.Draft = Ended, nil
		return s.sweep(ctx, tx)
	})
}
