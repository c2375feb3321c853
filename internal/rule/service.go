package rule

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

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Options are what a Service is made of.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Ledger  *ledger.Service
	Audit   *staff.Audit
	// Under reports whether a category is another or lies below it.
	Under func(category, ancestor string) bool
}

// Service keeps the rules. It is safe for use by many goroutines.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	program *program.Service
	members *member.Service
	ledger  *ledger.Service
	audit   *staff.Audit
	under   func(category, ancestor string) bool
	sales   *sale.Service // see Use
	jobs    *job.Queue    // see Register
	tiers   Tiers         // nil where nobody keeps tiers
	tight   tightRules

	now        atomic.Pointer[Snapshot]
	refreshing sync.Mutex // one reload at a time, so that an older one never wins
}

// pollEvery is how often Run looks for what other nodes changed: twice as often as promised.
const pollEvery = time.Second

// New opens the rules and compiles them.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{db: o.DB, clock: o.Clock, log: o.Log, program: o.Program, members: o.Members, ledger: o.Ledger, audit: o.Audit, under: o.Under}
	if err := s.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("open the rules: %w", err)
	}
	return s, nil
}

// Use gives the service what is built after it. Call it while the program is built.
func (s *Service) Use(sales *sale.Service) { s.sales = sales }

// Snapshot is the rules as this process knows them. It costs one atomic load.
func (s *Service) Snapshot() *Snapshot { return s.now.Load() }

// Run keeps the snapshot fresh until ctx ends. While the database does not answer the last one
// stays in use; the log says so once.
func (s *Service) Run(ctx context.Context) {
	db.Poll(ctx, s.log, pollEvery, "the rules cannot be read; the last ones stay in use", s.Refresh)
}

// Refresh reads and compiles the rules anew if they have changed, or what they are compiled in.
func (s *Service) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return err
	}
	old, programme := s.now.Load(), s.program.Snapshot()
	var fresh *book
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		version, err := configVersion(ctx, tx)
		if err != nil || old != nil && old.book.version == version && old.words == words && old.zone == programme.Zone.String() {
			return err
		}
		fresh, err = readBook(ctx, tx)
		return err
	})
	if err != nil || fresh == nil {
		return err
	}
	s.now.Store(newSnapshot(fresh, words, programme.Zone, s.under))
	return nil
}

// change runs fn in a transaction that also raises the version, on the rules as they are under
// the lock of that row, and refreshes the snapshot before it returns.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx, b *book) error) error {
	err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, raiseSQL); err != nil {
			return err
		}
		b, err := readBook(ctx, tx)
		if err != nil {
			return err
		}
		return fn(ctx, tx, b)
	})
	if err != nil {
		return taken(err)
	}
	return s.Refresh(ctx)
}

// edit changes one rule, from a revision unless that is 0.
func (s *Service) edit(ctx context.Context, ref, action string, revision int64, fn func(ctx context.Context, tx *db.Tx, b *book, r *Rule) error) (*Rule, error) {
	var code string
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx, b *book) error {
		r, err := b.find(ref)
		if err != nil {
			return err
		}
		if revision != 0 && revision != r.Revision {
			return ErrEdited
		}
		code = r.Code
		before := r.trail(s.clock.Now())
		if err := fn(ctx, tx, b, r); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, action, ID(r.ID), before, r.trail(s.clock.Now()))
	})
	if err != nil {
		return nil, err
	}
	return s.Get(code)
}

// trail is a rule as the audit trail shows it.
func (r *Rule) trail(now time.Time) any {
	counts, version := r.Counts(now.UnixMilli())
	return map[string]any{"code": r.Code, "state": r.State(now.UnixMilli()), "version": version, "rule": counts, "draft": r.Draft, "runs": r.Runs}
}

// Get returns a rule by public id or code, as this process knows it. It is not to be changed.
func (s *Service) Get(ref string) (*Rule, error) { return s.Snapshot().book.find(ref) }

// numberOf is the number in a public id, or 0, which no rule has.
func numberOf(ref string) int64 {
	if !strings.HasPrefix(ref, prefix) {
		return 0
	}
	_, n, err := id.Decode(prefix, ref)
	if err != nil {
		return 0
	}
	return n
}

// Create makes a draft.
func (s *Service) Create(ctx context.Context, d Definition) (*Rule, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.accept(words, &d); err != nil {
		return nil, err
	}
	n, err := s.db.NextID(ctx, "rule")
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx, b *book) error {
		if len(b.rules) >= maxRules {
			return ErrMany.With("most", maxRules)
		}
		if err := b.fits(&d); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertRuleSQL, n, d.Code, d.text(), now.UnixMilli()); err != nil {
			return err
		}
		r := &Rule{ID: n, Code: d.Code, Draft: &d}
		return s.audit.Record(ctx, tx, "rule.create", ID(n), nil, r.trail(now))
	})
	if err != nil {
		return nil, err
	}
	return s.Get(d.Code)
}

// accept checks and compiles a definition.
func (s *Service) accept(words *cond.Env, d *Definition) error {
	zone := s.program.Snapshot().Zone
	if err := d.check(zone); err != nil {
		return err
	}
	if cur := s.ledger.Config().ByCode[d.Effect.Currency]; d.Effect.Currency != "" && (cur == nil || !cur.Active || cur.Kind == ledger.Stored) {
		return ledger.ErrCurrency.With("code", d.Effect.Currency).At("body.effect.currency")
	}
	_, err := compile(d, 0, 0, words, zone)
	return err
}

// fits refuses a definition that does not fit to the groups.
func (b *book) fits(d *Definition) error {
	if d.Stack.Group == "" {
		return nil
	}
	g := b.group(d.Stack.Group)
	if g == nil {
		return ErrGroup.At("body.stack.group")
	}
	if g.Mode != Best && g.Mode != Least {
		return nil
	}
	for _, r := range b.rules { // what cannot be compared
		if r.Code == d.Code {
			continue
		}
		for _, other := range []*Definition{r.Versions[r.Version], r.Draft} {
			if other != nil && other.Stack.Group == g.Code && other.Effect.Currency != d.Effect.Currency {
				return part("stack.group", "Rules of which the best or the least counts give the same currency", "择优或择低的规则组内须为同一币种")
			}
		}
	}
	return nil
}

// Change edits the draft of a rule; one that has none gets one, from its last version.
func (s *Service) Change(ctx context.Context, ref string, revision int64, edit func(*Definition)) (*Rule, error) {
	words, err := s.ledger.Words(ctx) // before the transaction: it reads by itself
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, ref, "rule.change", revision, func(ctx context.Context, tx *db.Tx, b *book, r *Rule) error {
		if r.at(s.clock.Now().UnixMilli()) == ended {
			return ErrState.With("state", stateWord(Ended))
		}
		base := r.Draft
		if base == nil {
			base = r.Versions[r.Version]
		}
		d := *base
		edit(&d)
		d.Code = r.Code
		if err := s.accept(words, &d); err != nil {
			return err
		}
		if err := b.fits(&d); err != nil {
			return err
		}
		r.Draft = &d
		if r.Version > 0 && d.text() == r.Versions[r.Version].text() {
			r.Draft = nil // as it was: nothing waits
		}
		return r.save(ctx, tx, s.clock.Now())
	})
}

// Discard drops the draft beside a published rule.
func (s *Service) Discard(ctx context.Context, ref string) (*Rule, error) {
	return s.edit(ctx, ref, "rule.discard", 0, func(ctx context.Context, tx *db.Tx, _ *book, r *Rule) error {
		if r.Draft == nil || r.Version == 0 {
			return ErrNoDraft
		}
		r.Draft = nil
		return r.save(ctx, tx, s.clock.Now())
	})
}

// Delete removes a rule that was never published.
func (s *Service) Delete(ctx context.Context, ref string) error {
	return s.change(ctx, func(ctx context.Context, tx *db.Tx, b *book) error {
		r, err := b.find(ref)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, deleteRuleSQL, r.ID, r.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrState.With("state", stateWord(r.State(s.clock.Now().UnixMilli())))
		}
		return s.audit.Record(ctx, tx, "rule.delete", ID(r.ID), r.trail(s.clock.Now()), nil)
	})
}

// Publish makes the draft the next version, which counts from an instant on: the zero time is
// now, and for a first version the beginning of today, so that tills whose clocks differ and
// sales that come late in the day are not left out. It may lie ahead, or, for a first version,
// in the past.
func (s *Service) Publish(ctx context.Context, ref string, revision int64, from time.Time) (*Rule, error) {
	words, err := s.ledger.Words(ctx)
	if err != nil {
		return nil, err
	}
	return s.edit(ctx, ref, "rule.publish", revision, func(ctx context.Context, tx *db.Tx, b *book, r *Rule) error {
		return s.publish(ctx, tx, b, r, words, from)
	})
}

func (s *Service) publish(ctx context.Context, tx *db.Tx, b *book, r *Rule, words *cond.Env, from time.Time) error {
	now := s.clock.Now()
	switch {
	case r.at(now.UnixMilli()) == ended:
		return ErrState.With("state", stateWord(Ended))
	case r.Draft == nil:
		return ErrNoDraft
	case r.Version >= maxVersions:
		return ErrMany.With("most", maxVersions)
	}
	if err := s.accept(words, r.Draft); err != nil { // attributes or currencies may have gone since
		return err
	}
	if err := b.fits(r.Draft); err != nil {
		return err
	}
	fromMS := from.UnixMilli()
	if from.IsZero() {
		if fromMS = now.UnixMilli(); r.Version == 0 {
			fromMS = startOfDay(now, s.program.Snapshot().Zone).UnixMilli()
		}
	}
	if _, err := tx.Exec(ctx, unplanSQL, r.ID, now.UnixMilli()); err != nil {
		return err
	}
	r.Runs = slices.DeleteFunc(r.Runs, func(run Run) bool { return run.FromMS > now.UnixMilli() })
	if n := len(r.Runs); n > 0 && fromMS < r.Runs[n-1].FromMS {
		return ErrFrom.At("body.from")
	}
	r.Version++
	if _, err := tx.Exec(ctx, insertVersionSQL, r.ID, r.Version, r.Draft.text(), now.UnixMilli(), staff.ActorOf(ctx)); err != nil {
		return err
	}
	r.Versions[r.Version], r.Draft = r.Draft, nil
	for slice := range int64(slices16) {
		if r.Versions[r.Version].Caps.Budget == 0 {
			break
		}
		if _, err := tx.Exec(ctx, makeBudgetSQL, r.ID*slices16+slice); err != nil {
			return err
		}
	}
	return s.run(ctx, tx, r, r.Version, fromMS)
}

// run lets a version count from an instant on, and saves the rule.
func (s *Service) run(ctx context.Context, tx *db.Tx, r *Rule, version, fromMS int64) error {
	if _, err := tx.Exec(ctx, insertRunSQL, r.ID, version, fromMS); err != nil {
		return err
	}
	r.Runs = append(r.Runs, Run{version, fromMS})
	if err := r.save(ctx, tx, s.clock.Now()); err != nil {
		return err
	}
	r.Revision++
	return nil
}

func startOfDay(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// Pause lets a rule give nothing until it is resumed. What was planned is dropped.
func (s *Service) Pause(ctx context.Context, ref string) (*Rule, error) {
	return s.turn(ctx, ref, "rule.pause", []string{Live, Scheduled}, func(*Rule) int64 { return 0 }, time.Time{})
}

// Resume lets a paused rule count again, by its last version.
func (s *Service) Resume(ctx context.Context, ref string) (*Rule, error) {
	return s.turn(ctx, ref, "rule.resume", []string{Paused}, func(r *Rule) int64 { return r.Version }, time.Time{})
}

// End ends a rule for good, from an instant on; the zero time is now.
func (s *Service) End(ctx context.Context, ref string, at time.Time) (*Rule, error) {
	return s.turn(ctx, ref, "rule.end", []string{Live, Scheduled, Paused}, func(*Rule) int64 { return ended }, at)
}

func (s *Service) turn(ctx context.Context, ref, action string, from []string, to func(*Rule) int64, at time.Time) (*Rule, error) {
	return s.edit(ctx, ref, action, 0, func(ctx context.Context, tx *db.Tx, _ *book, r *Rule) error {
		return s.turnIn(ctx, tx, r, from, to, at)
	})
}

func (s *Service) turnIn(ctx context.Context, tx *db.Tx, r *Rule, from []string, to func(*Rule) int64, at time.Time) error {
	now := s.clock.Now()
	if state := r.State(now.UnixMilli()); !slices.Contains(from, state) {
		return ErrState.With("state", stateWord(state))
	}
	if at.IsZero() || at.Before(now) {
		at = now
	}
	if _, err := tx.Exec(ctx, unplanSQL, r.ID, now.UnixMilli()); err != nil {
		return err
	}
	r.Runs = slices.DeleteFunc(r.Runs, func(run Run) bool { return run.FromMS > now.UnixMilli() })
	return s.run(ctx, tx, r, to(r), at.UnixMilli())
}

// stateWord names a state to people.
func stateWord(state string) errs.Word {
	zh := map[string]string{Draft: "草稿", Scheduled: "待生效", Live: "生效中", Paused: "已暂停", Ended: "已结束"}
	return errs.Word{EN: state, ZH: zh[state]}
}

// Versions lists the versions of a rule, the latest first.
func (s *Service) Versions(ctx context.Context, ref string, before int64, limit int) (list []Published, err error) {
	r, err := s.Get(ref)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readVersions(ctx, tx, r.ID, before, limit)
		return err
	})
	return list, err
}

// PutGroup makes a group or changes it, from a revision unless that is 0.
func (s *Service) PutGroup(ctx context.Context, g Group) (Group, error) {
	if err := g.check(); err != nil {
		return g, err
	}
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx, b *book) error {
		was := b.group(g.Code)
		if was == nil {
			if len(b.groups) >= maxGroups {
				return ErrMany.With("most", maxGroups)
			}
			if _, err := tx.Exec(ctx, insertGroupSQL, g.Code, g.NameEN, g.NameZH, g.Mode, g.Stage); err != nil {
				return err
			}
			g.Revision = 1
			return s.audit.Record(ctx, tx, "rule.group_put", g.Code, nil, g)
		}
		if g.Revision != 0 && g.Revision != was.Revision {
			return ErrEdited
		}
		if g.Mode != was.Mode && (g.Mode == Best || g.Mode == Least) {
			if err := b.oneCurrency(g.Code); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, updateGroupSQL, g.Code, g.NameEN, g.NameZH, g.Mode, g.Stage, was.Revision); err != nil {
			return err
		}
		g.Revision = was.Revision + 1
		return s.audit.Record(ctx, tx, "rule.group_put", g.Code, was, g)
	})
	return g, err
}

// oneCurrency refuses a group whose rules give several.
func (b *book) oneCurrency(group string) error {
	first := ""
	for _, r := range b.rules {
		for _, d := range []*Definition{r.Versions[r.Version], r.Draft} {
			if d == nil || d.Stack.Group != group {
				continue
			}
			if first == "" {
				first = d.Effect.Currency
			}
			if d.Effect.Currency != first {
				return part("mode", "Rules of which the best or the least counts give the same currency", "择优或择低的规则组内须为同一币种")
			}
		}
	}
	return nil
}

// DeleteGroup removes a group that no rule belongs to.
func (s *Service) DeleteGroup(ctx context.Context, code string) error {
	return s.change(ctx, func(ctx context.Context, tx *db.Tx, b *book) error {
		was := b.group(code)
		if was == nil {
			return ErrGroup
		}
		if used := b.users(code, s.clock.Now().UnixMilli()); len(used) > 0 {
			return ErrGroupUse.With("rules", listed(used))
		}
		if _, err := tx.Exec(ctx, deleteGroupSQL, code); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "rule.group_delete", code, was, nil)
	})
}

// at names the field of a refusal.
func at(err error, location string) error {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.At(location)
	}
	return err
}
