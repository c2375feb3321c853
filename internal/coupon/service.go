package coupon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Options are what a Service is made of. All but Log are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Log     *slog.Logger
	Program *program.Service
	Members *member.Service
	Ledger  *ledger.Service
	Audit   *staff.Audit
	Events  *event.Dispatcher
	Jobs    *job.Queue
}

// Service is coupons and vouchers as the rest of the program sees them. It is safe for use by
// many goroutines.
type Service struct {
	o          Options
	now        atomic.Pointer[snapshot]
	refreshing sync.Mutex
	guesses    guesses
	sales      *sale.Service
}

// New makes the service, and registers its jobs and its subscriber.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Service{o: o}
	if err := s.Refresh(ctx); err != nil {
		return nil, err
	}
	s.register()
	return s, nil
}

// Use hands over the sales, which are made after the coupons that have a part in them.
func (s *Service) Use(sales *sale.Service) { s.sales = sales }

func (s *Service) nowMS() int64 { return s.o.Clock.Now().UnixMilli() }

func (s *Service) zone() *time.Location { return s.o.Program.Snapshot().Zone }

// currency is the programme's money, in which coupons are written.
func (s *Service) currency() string { return s.o.Program.Snapshot().Settings.Currency }

// change runs fn in a transaction that also raises the version of the configuration, and
// takes it over here before it returns.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx) error) error {
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, raiseSQL); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Find finds a coupon by id or code.
func (s *Service) Find(ref string) (*Coupon, error) {
	n := s.now.Load()
	if c := n.by[ref]; c != nil {
		return c, nil
	}
	if _, number, err := id.Decode(couponPrefix, ref); err == nil && n.coupons[number] != nil {
		return n.coupons[number], nil
	}
	return nil, ErrNotFound
}

// List lists coupons, the newest first: all of them are in memory, and few.
func (s *Service) List(state State, q string) []*Coupon {
	n, nowMS, zone := s.now.Load(), s.nowMS(), s.zone()
	var out []*Coupon
	q = strings.ToLower(q)
	for _, c := range n.coupons {
		t := &c.Terms
		named := q == "" || strings.Contains(c.Code, q) || strings.Contains(strings.ToLower(t.NameEN), q) || strings.Contains(strings.ToLower(t.NameZH), q) ||
			t.SharedCode != "" && strings.Contains(strings.ToLower(t.SharedCode), q)
		if named && (state == "" || c.Standing(nowMS, zone) == state) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *Coupon) int { return int(min(1, max(-1, b.ID-a.ID))) })
	return out
}

// Add makes a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*Coupon, error) {
	if !codeForm.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := s.check(&t); err != nil {
		return nil, err
	}
	if len(s.now.Load().coupons) >= maxCoupons {
		return nil, ErrMany.With("most", maxCoupons)
	}
	n, err := s.o.DB.NextID(ctx, "coupon")
	if err != nil {
		return nil, err
	}
	c := &Coupon{ID: n, Code: code, State: Draft, Version: 1, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error { return s.insert(ctx, tx, c) })
	if err != nil {
		return nil, fmt.Errorf("add coupon %s: %w", code, err)
	}
	return s.Find(c.PublicID())
}

func (s *Service) insert(ctx context.Context, tx *db.Tx, c *Coupon) error {
	nowMS := s.nowMS()
	if err := checkSharedIn(ctx, tx, c); err != nil {
		return err
	}
	made, err := tx.Exec(ctx, insertCouponSQL, c.ID, c.Code, fold(c.Terms.SharedCode), pack(c.Terms), nowMS)
	if err != nil {
		return err
	}
	if made == 0 {
		return ErrTaken.At("body.code")
	}
	if err := insertVersion(ctx, tx, c, staff.ActorOf(ctx), nowMS); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "coupon.add", c.PublicID(), nil, audited(c))
}

// audited is what the trail keeps of a coupon.
func audited(c *Coupon) any {
	return map[string]any{"code": c.Code, "state": c.State, "terms": c.Terms}
}

// Change changes what a coupon says, from a version unless that is 0. Vouchers that are out
// go on by the version under which they were issued.
func (s *Service) Change(ctx context.Context, ref string, from int64, edit func(*Terms)) (*Coupon, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if from != 0 && from != was.Version {
			return ErrEdited
		}
		if was.State == Ended {
			return ErrMove.With("state", stateWord(Ended))
		}
		next := *was
		edit(&next.Terms)
		if err := s.check(&next.Terms); err != nil {
			return err
		}
		if was.State != Draft && (was.Terms.SharedCode == "") != (next.Terms.SharedCode == "") {
			return ErrSharedHas.At("body.shared_code") // vouchers may be out
		}
		if pack(next.Terms) == pack(was.Terms) {
			return nil
		}
		return s.edit(ctx, tx, was, &next)
	})
	if err != nil {
		return nil, fmt.Errorf("change coupon %s: %w", c.Code, err)
	}
	return s.Find(c.PublicID())
}

func (s *Service) edit(ctx context.Context, tx *db.Tx, was, next *Coupon) error {
	nowMS := s.nowMS()
	if err := checkSharedIn(ctx, tx, next); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, updateCouponSQL, was.ID, was.Version, pack(next.Terms), fold(next.Terms.SharedCode), nowMS)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	next.Version = was.Version + 1
	if err := insertVersion(ctx, tx, next, staff.ActorOf(ctx), nowMS); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "coupon.change", was.PublicID(), audited(was), audited(next))
}

// moves says from which states each may be entered.
var moves = map[State][]State{Live: {Draft, Paused}, Paused: {Live}, Ended: {Live, Paused}}

// Move publishes, pauses, resumes or ends a coupon. To say again what is so already changes
// nothing.
func (s *Service) Move(ctx context.Context, ref string, to State) (*Coupon, error) {
	c, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, c.ID)
		if err != nil || was.State == to {
			return err
		}
		return s.moveIn(ctx, tx, was, to)
	})
	if err != nil {
		return nil, fmt.Errorf("move coupon %s to %s: %w", c.Code, to, err)
	}
	return s.Find(c.PublicID())
}

func (s *Service) moveIn(ctx context.Context, tx *db.Tx, was *Coupon, to State) error {
	if !slices.Contains(moves[to], was.State) {
		return ErrMove.With("state", stateWord(was.State))
	}
	next := *was
	next.State = to
	if to == Ended {
		next.EndedMS = s.nowMS()
	}
	n, err := tx.Exec(ctx, moveCouponSQL, was.ID, string(was.State), string(to), s.nowMS(), next.EndedMS)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	if was.State == Paused && to == Live {
		if err := s.goOn(ctx, tx, was.ID); err != nil {
			return err
		}
	}
	return s.o.Audit.Record(ctx, tx, "coupon."+string(to), was.PublicID(), audited(was), audited(&next))
}

// goOn makes jobs of the batches and sendings that stopped when a coupon was paused.
func (s *Service) goOn(ctx context.Context, tx *db.Tx, coupon int64) error {
	var list []int64
	err := db.ReadRows(func(rows *db.Rows) error {
		var n int64
		err := rows.Scan(&n)
		list = append(list, n)
		return err
	})(tx.Query(ctx, runningSQL, coupon))
	if err != nil {
		return err
	}
	for _, n := range list { // without a unique key: the old job may be about to end. Two of one batch do no harm.
		if _, err := job.Enqueue(ctx, tx, job.New{Kind: batchJob, Args: n, Now: s.o.Clock.Now()}); err != nil {
			return err
		}
	}
	return nil
}

func stateWord(st State) errs.Word {
	zh := map[State]string{Draft: "草稿", Live: "已发布", Paused: "已暂停", Ended: "已结束"}
	return errs.Word{EN: string(st), ZH: zh[st]}
}

// Remove deletes a draft.
func (s *Service) Remove(ctx context.Context, ref string) error {
	c, err := s.Find(ref)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, removeCouponSQL, c.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrStarted
		}
		if _, err := tx.Exec(ctx, removeVersionsSQL, c.ID); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "coupon.remove", c.PublicID(), audited(was), nil)
	})
}

// Versions lists what a coupon said, the newest first.
func (s *Service) Versions(ctx context.Context, c *Coupon) (list []Version, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			_, v, err := scanVersion(rows)
			list = append(list, v)
			return err
		})(tx.Query(ctx, versionsOfSQL, c.ID))
	})
	return list, err
}

// maxMerges bounds a chain of merges.
const maxMerges = 17

// do sends a command about a member that a request of the caller makes, and again for the
// survivor where the member was merged meanwhile.
func (s *Service) do(ctx context.Context, m int64, build func(member int64) ledger.Command) (any, error) {
	for range maxMerges {
		a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: build(m), Actor: staff.ActorOf(ctx)})
		var moved *ledger.Moved
		if !errors.As(a.Err, &moved) || ctx.Err() != nil {
			return a.Value, a.Err
		}
		s.o.Members.Forget(member.ID(moved.From))
		m = moved.To
	}
	return nil, ledger.ErrMember
}

// page cuts a list that is in memory into pages, by number from the newest.
func page[T any](list []T, number func(T) int64, p api.Page) ([]T, string, error) {
	after, err := api.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return nil, "", err
	}
	below := int64(math.MaxInt64)
	if after != nil {
		below = after[0]
	}
	list = slices.DeleteFunc(slices.Clone(list), func(x T) bool { return number(x) >= below })
	if limit := max(1, p.Limit); len(list) > limit {
		return list[:limit], api.EncodeCursor(number(list[limit-1])), nil
	}
	return list, "", nil
}
