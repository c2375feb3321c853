package plan

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// pollEvery is how often Run asks for the version: twice as often as promised.
const pollEvery = time.Second

// Options are what a Service is made of. All but Log, Jobs and Providers are required.
type Options struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger // slog.Default() where nil
	Program   *program.Service
	Members   *member.Service
	Ledger    *ledger.Service
	Audit     *staff.Audit
	Jobs      *job.Queue // gets the daily run; nil in tools that do no jobs
	Providers []Provider
}

// Service keeps plans and memberships. It is safe for use by many goroutines.
type Service struct {
	o         Options
	providers map[string]Provider

	now        atomic.Pointer[book]
	refreshing sync.Mutex // one reload at a time, so that an older one never wins
}

// book is all plans as of one version. It never changes after it is made.
type book struct {
	version int64
	list    []*Plan // by id
	byID    map[int64]*Plan
	byCode  map[string]*Plan
}

// New opens the plans and registers the jobs.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o, providers: map[string]Provider{}}
	for _, p := range o.Providers {
		s.providers[p.Name()] = p
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	if o.Jobs != nil {
		s.registerJobs(o.Jobs)
	}
	return s, nil
}

func (s *Service) book() *book { return s.now.Load() }

// Run keeps the plans fresh until ctx ends. A database that does not answer leaves the last
// ones in use; the log says so once, until it answers again.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.o.Log, pollEvery, "the plans cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh reads the plans anew if they have changed.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	var fresh *book
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		fresh = nil
		version, err := bookVersion(ctx, tx)
		if old := s.now.Load(); err != nil || old != nil && old.version == version {
			return err
		}
		list, err := readPlans(ctx, tx)
		fresh = newBook(version, list)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the plans: %w", err)
	}
	if fresh != nil {
		s.now.Store(fresh)
	}
	return nil
}

func newBook(version int64, list []*Plan) *book {
	b := &book{version: version, list: list, byID: make(map[int64]*Plan, len(list)), byCode: make(map[string]*Plan, len(list))}
	for _, p := range list {
		b.byID[p.ID], b.byCode[p.Code] = p, p
	}
	return b
}

// find returns a plan by code or id.
func (b *book) find(ref string) (*Plan, error) {
	if p := b.byCode[ref]; p != nil {
		return p, nil
	}
	_, n, err := decodeID(ref)
	if p := b.byID[n]; err == nil && p != nil {
		return p, nil
	}
	return nil, ErrUnknown
}

// nameOf is what people call a plan.
func (b *book) nameOf(n int64) errs.Word {
	if p := b.byID[n]; p != nil {
		return errs.Word{EN: p.Terms.NameEN, ZH: p.Terms.NameZH}
	}
	return errs.Word{EN: "?", ZH: "?"}
}

// Plans lists the plans, the oldest first: bounded, so without pages.
func (s *Service) Plans() []*Plan { return s.book().list }

// Offered lists the plans that can be bought today.
func (s *Service) Offered() (list []*Plan) {
	today := s.Today()
	for _, p := range s.book().list {
		if p.OnSale(today) {
			list = append(list, p)
		}
	}
	return list
}

// Today is the programme's day.
func (s *Service) Today() program.Day { return s.o.Program.Snapshot().Day(s.o.Clock.Now()) }

// limited refuses a caller who has a part of the programme only.
func limited(ctx context.Context) error {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return program.ErrLimited
	}
	return nil
}

// change runs fn in a transaction that raises the version of the book, and refreshes it.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	if err := limited(ctx); err != nil {
		return err
	}
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		// The version first: its row is the lock that makes changes go one after the other.
		if err := raiseBook(ctx, tx); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if errors.Is(err, db.ErrUnique) {
		return ErrTaken.At("body.code").Because(err)
	}
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Add makes a plan, as a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*Plan, error) {
	n, err := s.o.DB.NextID(ctx, "plan")
	if err != nil {
		return nil, err
	}
	p := &Plan{ID: n, Code: code, State: Draft, Version: 1, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error { return s.add(ctx, tx, p) })
	return p, err
}

// add writes a new plan.
func (s *Service) add(ctx context.Context, tx *db.Tx, p *Plan) error {
	if err := s.insert(ctx, tx, p, "body", "body.terms"); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "plan.add", p.Code, nil, audited(p))
}

// insert is add without the audit trail. Places of what is wrong begin with at, those of terms
// with terms.
func (s *Service) insert(ctx context.Context, tx *db.Tx, p *Plan, at, terms string) error {
	if !codes.MatchString(p.Code) {
		return ErrCode.At(at + ".code")
	}
	if err := s.check(ctx, tx, &p.Terms, terms); err != nil {
		return err
	}
	list, err := readPlans(ctx, tx)
	if err != nil {
		return err
	}
	if len(list) >= maxPlans {
		return ErrMany.With("most", maxPlans)
	}
	now := s.o.Clock.Now().UTC()
	p.Made, p.Changed = now, now
	if err := insertPlan(ctx, tx, p); err != nil {
		return err
	}
	return keepVersion(ctx, tx, p, staff.ActorOf(ctx))
}

// audited is a plan as the audit trail has it.
func audited(p *Plan) any {
	return struct {
		State State `json:"state"`
		Terms Terms `json:"terms"`
	}{p.State, p.Terms}
}

// check brings terms into their one form and refuses those that cannot be, gifts of
// currencies that are not there and providers that are not connected among them.
func (s *Service) check(ctx context.Context, tx *db.Tx, t *Terms, at string) error {
	t.tidy()
	if err := t.check(s.o.Program.Snapshot().Settings.Currency, at); err != nil {
		return err
	}
	for _, list := range []struct {
		name  string
		gifts []Gift
	}{{"start_gifts", t.StartGifts}, {"renewal_gifts", t.RenewalGifts}} {
		for i, g := range list.gifts {
			if ok, err := ledger.InUse(ctx, tx, g.Currency); err != nil || !ok {
				return errors.Join(err, giftUnless(ok, fmt.Sprintf("%s.%s[%d].currency", at, list.name, i)))
			}
		}
	}
	if t.Provider != "" && s.providers[t.Provider] == nil {
		return ErrProvider.With("name", t.Provider).At(at + ".provider")
	}
	return nil
}

func giftUnless(ok bool, at string) error {
	if ok {
		return nil
	}
	return ErrGift.At(at)
}

// Edit changes the terms of a plan, from a version unless that is 0. Those who have the plan
// have its new benefits from then on, and pay the new price at their next renewal.
func (s *Service) Edit(ctx context.Context, ref string, version int64, t Terms) (*Plan, error) {
	return s.alter(ctx, ref, version, "plan.change", func(ctx context.Context, tx *db.Tx, p *Plan) error {
		return s.edit(ctx, tx, p, t, "body.terms")
	})
}

func (s *Service) edit(ctx context.Context, tx *db.Tx, p *Plan, t Terms, at string) error {
	if err := s.check(ctx, tx, &t, at); err != nil {
		return err
	}
	if p.State != Draft && (t.Every != p.Terms.Every || t.Price.Currency != p.Terms.Price.Currency) {
		return ErrFixed.At(at + ".every")
	}
	p.Terms = t
	return nil
}

// SetState changes the state of a plan.
func (s *Service) SetState(ctx context.Context, ref string, version int64, to State) (*Plan, error) {
	return s.alter(ctx, ref, version, "plan."+string(to), func(_ context.Context, _ *db.Tx, p *Plan) error { return p.step(to, "body.state") })
}

func (p *Plan) step(to State, at string) error {
	if !slices.Contains(steps[p.State], to) {
		return ErrStep.With("from", stateWords[p.State], "to", stateWords[to]).At(at)
	}
	p.State = to
	return nil
}

// alter changes a plan under the lock of the book.
func (s *Service) alter(ctx context.Context, ref string, version int64, action string, edit func(context.Context, *db.Tx, *Plan) error) (p *Plan, err error) {
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := readPlans(ctx, tx)
		if err != nil {
			return err
		}
		before, err := newBook(0, list).find(ref)
		if err != nil {
			return err
		}
		if version != 0 && version != before.Version {
			return ErrChanged
		}
		after := *before
		if err := edit(ctx, tx, &after); err != nil {
			return err
		}
		p = &after
		return s.write(ctx, tx, action, before, p)
	})
	return p, err
}

// write writes what a plan has become.
func (s *Service) write(ctx context.Context, tx *db.Tx, action string, before, after *Plan) error {
	if err := s.keep(ctx, tx, before, after, staff.ActorOf(ctx)); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, action, after.Code, audited(before), audited(after))
}

// keep is write without the audit trail.
func (s *Service) keep(ctx context.Context, tx *db.Tx, before, after *Plan, by string) error {
	after.Version, after.Changed = before.Version+1, s.o.Clock.Now().UTC()
	if err := updatePlan(ctx, tx, after); err != nil {
		return err
	}
	return keepVersion(ctx, tx, after, by)
}

// Remove removes a plan that no member ever had.
func (s *Service) Remove(ctx context.Context, ref string) error {
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := readPlans(ctx, tx)
		if err != nil {
			return err
		}
		p, err := newBook(0, list).find(ref)
		if err != nil {
			return err
		}
		if err := s.drop(ctx, tx, p); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "plan.remove", p.Code, audited(p), nil)
	})
}

// drop removes a plan, without the audit trail.
func (s *Service) drop(ctx context.Context, tx *db.Tx, p *Plan) error {
	used, err := planUsed(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if used {
		return ErrUsed
	}
	return deletePlan(ctx, tx, p.ID)
}

// post sends a command about a member, and again about the survivor where the member turns
// out to have been merged.
func (s *Service) post(ctx context.Context, m member.ID, dry bool, command func(base) ledger.Command) ledger.Answer {
	for range maxMoves {
		a := s.o.Ledger.Engine().Do(ctx, ledger.RequestOf(ctx, command(base{int64(m), s.book()}), dry))
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) || ctx.Err() != nil {
			return a
		}
		s.o.Members.Forget(member.ID(moved.From))
		m = member.ID(moved.To)
	}
	return ledger.Answer{Err: fmt.Errorf("member %d: a chain of more than %d merges", m, maxMoves)}
}

// maxMoves bounds how far a request follows merges: no chain of them is longer.
const maxMoves = 17

// lookup finds the member that a request names at a place.
func (s *Service) lookup(ctx context.Context, text, at string) (member.ID, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return m, nil
		}
	}
	if e := errs.As(err); e != nil {
		return 0, e.At(at)
	}
	return 0, err
}

// planOf finds the plan that a request names.
func (s *Service) planOf(ref, at string) (*Plan, error) {
	if strings.TrimSpace(ref) == "" {
		return nil, nil
	}
	p, err := s.book().find(ref)
	if err != nil {
		return nil, ErrUnknown.At(at)
	}
	return p, nil
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms) }
