package reward

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
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Vouchers gives coupons as rewards: coupons are a noun beside this one, so app brings the two
// together. Nil until then: rewards of kind coupon are refused.
type Vouchers interface {
	// Prepare makes ready to give one coupon of a definition, by its code or id: what chance
	// decides is decided here. It refuses a definition that cannot be given.
	Prepare(ref string) (Gift, error)
	// Back is the coupon of a code that an order gave, to be taken back.
	Back(code string) Taking
}

// Taking is one coupon that is about to be taken back.
type Taking interface {
	// Ready asks for what is missing, and refuses with ErrGiftUsed what was used. It changes nothing.
	Ready(s *ledger.State) error
	// Decide takes it back, in the posting of the return. After Ready it does not refuse.
	Decide(s *ledger.State, a *ledger.Account) error
}

// Gift is one coupon that is about to be given.
type Gift interface {
	// Needs is what Decide must have in its State.
	Needs(member int64) ledger.Needs
	// Decide gives it to the account, in the posting of the order, and returns its code.
	Decide(s *ledger.State, a *ledger.Account) (code string, err error)
}

// Options are what a Service is made of. All but Log and Vouchers are required.
type Options struct {
	DB       *db.DB
	Box      *seal.Box
	Clock    clock.Clock
	Log      *slog.Logger
	Program  *program.Service
	Members  *member.Service
	Ledger   *ledger.Service
	Audit    *staff.Audit
	Jobs     *job.Queue
	Vouchers Vouchers
}

// Service is rewards and their orders as the rest of the program sees them. It is safe for use
// by many goroutines.
type Service struct {
	o          Options
	now        atomic.Pointer[snapshot]
	refreshing sync.Mutex
	drawing    sync.Mutex // one picture is taken apart at a time: it may take 100 MB
}

// New makes the service and registers its jobs.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	s.registerJobs()
	return s, nil
}

// UseVouchers connects the coupons. Call it while the program is built.
func (s *Service) UseVouchers(v Vouchers) { s.o.Vouchers = v }

func (s *Service) nowMS() int64 { return s.o.Clock.Now().UnixMilli() }

func (s *Service) zone() *time.Location { return s.o.Program.Snapshot().Zone }

// money is the programme's currency of money.
func (s *Service) money() string { return s.o.Program.Snapshot().Settings.Currency }

// limited refuses a caller who has a part of the programme only.
func limited(ctx context.Context) error {
	if c := api.CallerOf(ctx); len(c.Merchants)+len(c.Stores) > 0 {
		return program.ErrLimited
	}
	return nil
}

// change runs fn in a transaction that also raises the version of the catalogue, and takes it
// over here before it returns.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	if err := limited(ctx); err != nil {
		return err
	}
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, raiseSQL); err != nil { // its row is the lock: changes go one after the other
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Find finds a reward by id or code.
func (s *Service) Find(ref string) (*Reward, error) {
	n := s.now.Load()
	if r := n.by[ref]; r != nil {
		return r, nil
	}
	if _, number, err := id.Decode(rewardPrefix, ref); err == nil && n.rewards[number] != nil {
		return n.rewards[number], nil
	}
	return nil, ErrNotFound
}

// List lists rewards, the newest first: all of them are in memory, and few.
func (s *Service) List(state State, q string) []*Reward {
	var out []*Reward
	q = strings.ToLower(q)
	for _, r := range s.now.Load().rewards {
		t := &r.Terms
		named := q == "" || strings.Contains(r.Code, q) || strings.Contains(strings.ToLower(t.NameEN), q) || strings.Contains(strings.ToLower(t.NameZH), q)
		if named && (state == "" || r.State == state) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Reward) int { return int(min(1, max(-1, b.ID-a.ID))) })
	return out
}

// Add makes a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*Reward, error) {
	n, err := s.o.DB.NextID(ctx, "reward")
	if err != nil {
		return nil, err
	}
	r := &Reward{ID: n, Code: code, State: Draft, Version: 1, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.insert(ctx, tx, r); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "reward.add", r.PublicID(), nil, audited(r))
	})
	if err != nil {
		return nil, fmt.Errorf("add reward %s: %w", code, err)
	}
	return s.Find(r.PublicID())
}

func (s *Service) insert(ctx context.Context, tx *db.Tx, r *Reward) error {
	if !codeForm.MatchString(r.Code) {
		return ErrCode.At("body.code")
	}
	if err := s.check(ctx, tx, &r.Terms); err != nil {
		return err
	}
	if len(s.now.Load().rewards) >= maxRewards {
		return ErrMany.With("most", maxRewards)
	}
	nowMS := s.nowMS()
	made, err := tx.Exec(ctx, insertRewardSQL, r.ID, r.Code, pack(r.Terms), nowMS)
	if err != nil {
		return err
	}
	if made == 0 {
		return ErrTaken.At("body.code")
	}
	return insertVersion(ctx, tx, r, staff.ActorOf(ctx), nowMS)
}

// audited is what the trail keeps of a reward.
func audited(r *Reward) any {
	return map[string]any{"code": r.Code, "state": r.State, "terms": r.Terms}
}

// Change changes what a reward says, from a version unless that is 0. Orders that were made
// keep their version and price.
func (s *Service) Change(ctx context.Context, ref string, from int64, edit func(*Terms)) (*Reward, error) {
	r, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if from != 0 && from != was.Version {
			return ErrEdited
		}
		next := *was
		edit(&next.Terms)
		changed, err := s.edit(ctx, tx, was, &next)
		if err != nil || !changed {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "reward.change", was.PublicID(), audited(was), audited(&next))
	})
	if err != nil {
		return nil, fmt.Errorf("change reward %s: %w", r.Code, err)
	}
	return s.Find(r.PublicID())
}

// edit writes other terms of a reward, if they are others.
func (s *Service) edit(ctx context.Context, tx *db.Tx, was, next *Reward) (changed bool, err error) {
	if was.State == Ended {
		return false, ErrMove.With("state", stateWords[Ended])
	}
	if err := s.check(ctx, tx, &next.Terms); err != nil {
		return false, err
	}
	a, b := &was.Terms, &next.Terms
	if was.State != Draft && (a.Kind != b.Kind || a.Stock != b.Stock) {
		return false, ErrFixed.At("body.kind")
	}
	if pack(b) == pack(a) {
		return false, nil
	}
	nowMS := s.nowMS()
	n, err := tx.Exec(ctx, updateRewardSQL, was.ID, was.Version, pack(b), nowMS)
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, ErrEdited
	}
	next.Version = was.Version + 1
	return true, insertVersion(ctx, tx, next, staff.ActorOf(ctx), nowMS)
}

// Move publishes, pauses, resumes or ends a reward. To say again what is so already changes
// nothing.
func (s *Service) Move(ctx context.Context, ref string, to State) (*Reward, error) {
	r, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, r.ID)
		if err != nil || was.State == to {
			return err
		}
		if err := s.move(ctx, tx, was, to); err != nil {
			return err
		}
		next := *was
		next.State = to
		return s.o.Audit.Record(ctx, tx, "reward."+string(to), was.PublicID(), audited(was), audited(&next))
	})
	if err != nil {
		return nil, fmt.Errorf("move reward %s to %s: %w", r.Code, to, err)
	}
	return s.Find(r.PublicID())
}

func (s *Service) move(ctx context.Context, tx *db.Tx, was *Reward, to State) error {
	if !slices.Contains(moves[to], was.State) {
		return ErrMove.With("state", stateWords[was.State])
	}
	if to == Live && was.Terms.Kind == Coupon {
		if _, err := s.voucher(&was.Terms); err != nil {
			return err
		}
	}
	n, err := tx.Exec(ctx, moveRewardSQL, was.ID, string(was.State), string(to), s.nowMS())
	if err == nil && n == 0 {
		err = ErrEdited
	}
	return err
}

// voucher prepares the coupon that a reward of kind coupon gives.
func (s *Service) voucher(t *Terms) (Gift, error) {
	if s.o.Vouchers == nil {
		return nil, ErrCoupon.At("body.coupon")
	}
	g, err := s.o.Vouchers.Prepare(t.Coupon)
	if err != nil {
		return nil, ErrCoupon.At("body.coupon").Because(err)
	}
	return g, nil
}

// Remove deletes a draft.
func (s *Service) Remove(ctx context.Context, ref string) error {
	r, err := s.Find(ref)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if err := drop(ctx, tx, was); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "reward.remove", r.PublicID(), audited(was), nil)
	})
}

func drop(ctx context.Context, tx *db.Tx, r *Reward) error {
	n, err := tx.Exec(ctx, removeRewardSQL, r.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrStarted
	}
	for _, stmt := range []*db.Stmt{removeVersionsSQL, removeStockSQL} {
		if _, err := tx.Exec(ctx, stmt, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Versions lists what a reward said, the newest first.
func (s *Service) Versions(ctx context.Context, r *Reward) (list []Version, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			_, v, err := scanVersion(rows)
			list = append(list, v)
			return err
		})(tx.Query(ctx, versionsOfSQL, r.ID))
	})
	return list, err
}

// check refuses terms that cannot be, by the currencies that the transaction sees, and brings
// them into their one form.
func (s *Service) check(ctx context.Context, tx *db.Tx, t *Terms) error {
	t.tidy()
	if err := t.check(); err != nil {
		return err
	}
	snap := s.o.Program.Snapshot()
	for i, ref := range t.Stores {
		if _, err := snap.FindStore(ref); err != nil {
			return at(err, fmt.Sprintf("body.stores[%d]", i))
		}
	}
	if err := s.checkTimes(&t.VisibleFrom, &t.VisibleUntil, "body.visible_"); err != nil {
		return err
	}
	if err := s.checkTimes(&t.From, &t.Until, "body."); err != nil {
		return err
	}
	config, err := s.o.Ledger.ConfigIn(ctx, tx)
	if err != nil {
		return err
	}
	words := s.now.Load().words
	if err := checkCondition(words, t.Audience); err != nil {
		return at(err, "body.audience")
	}
	for i := range t.Prices {
		p := &t.Prices[i]
		place := fmt.Sprintf("body.prices[%d].", i)
		if cur := config.ByCode[p.Currency]; cur == nil || cur.Kind == ledger.Growth {
			return ErrPrices.With("most", maxPrices).At(place + "currency")
		}
		if err := s.checkTimes(&p.From, &p.Until, place); err != nil {
			return err
		}
		if err := checkCondition(words, p.Condition); err != nil {
			return at(err, place+"condition")
		}
	}
	return nil
}

// checkTimes brings two instants into their one form, and refuses those that are none.
func (s *Service) checkTimes(from, until *string, place string) error {
	for _, part := range []struct {
		text *string
		at   string
	}{{from, place + "from"}, {until, place + "until"}} {
		if *part.text == "" {
			continue
		}
		when, err := s.o.Program.Snapshot().ParseTime(*part.text)
		if err != nil {
			return at(err, part.at)
		}
		*part.text = when.In(s.zone()).Format(time.RFC3339Nano)
	}
	if first, last := span(*from, *until, s.zone()); last < first {
		return ErrWindow.At(place + "until")
	}
	return nil
}

// asked are the facts about a member that a condition may ask for here: those that the locked
// rows of a batch hold.
var asked = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

func checkCondition(words *cond.Env, text string) error {
	if text == "" {
		return nil
	}
	c, err := words.Compile(text, cond.OfMember)
	if err != nil {
		return err
	}
	for _, need := range c.Needs() {
		if !slices.Contains(asked, need.Fact) {
			return ErrFacts.With("fact", need.Fact)
		}
	}
	return nil
}

// maxMerges bounds a chain of merges.
const maxMerges = 17

// post sends a command about a member as the caller's, and again about the survivor where the
// member turns out to have been merged.
func (s *Service) post(ctx context.Context, m int64, dry bool, build func(member int64) (ledger.Command, error)) ledger.Answer {
	for range maxMerges {
		c, err := build(m)
		if err != nil {
			return ledger.Answer{Err: err}
		}
		a := s.o.Ledger.Engine().Do(ctx, ledger.RequestOf(ctx, c, dry))
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) || ctx.Err() != nil {
			return a
		}
		s.o.Members.Forget(member.ID(moved.From))
		m = moved.To
	}
	return ledger.Answer{Err: ledger.ErrMember}
}

// memberOf finds the member that a request names.
func (s *Service) memberOf(ctx context.Context, text, place string) (int64, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return int64(m), nil
		}
	}
	if e := errs.As(err); e != nil {
		return 0, e.At(place)
	}
	return 0, err
}
