package offer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Options are what a Service is made of. All but Log are required.
type Options struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Program   *program.Service
	Members   *member.Service
	Ledger    *ledger.Service
	Audit     *staff.Audit
	Approvals *staff.Approvals
	Events    *event.Dispatcher
	Jobs      *job.Queue
}

// Service is offers and what belongs to them as the rest of the program sees it. It is safe
// for use by many goroutines.
type Service struct {
	o          Options
	now        atomic.Pointer[snapshot]
	refreshing sync.Mutex
	failures   sync.Map // of conditions on this node, by offer: *Failure, the last
}

// Failure is a condition of an offer that could not be worked out.
type Failure struct {
	Why error
	At  time.Time // of the sale
}

// failed notes that a condition could not be worked out, and logs the first of each offer.
func (s *Service) failed(o *Offer, why error, at time.Time) {
	if _, known := s.failures.Swap(o.ID, &Failure{why, at}); !known {
		s.o.Log.Warn("a condition of an offer cannot be worked out", "offer", o.Code, "error", why)
	}
}

// Failing is the last failure of a condition of an offer on this node, nil for none.
func (s *Service) Failing(o *Offer) *Failure {
	f, _ := s.failures.Load(o.ID)
	out, _ := f.(*Failure)
	return out
}

// New makes the service, and registers its jobs, its subscriber and its kind of approval.
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

func (s *Service) nowMS() int64 { return s.o.Clock.Now().UnixMilli() }

func (s *Service) zone() *time.Location { return s.o.Program.Snapshot().Zone }

// Currency is the programme's money, in which goals are written.
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

// Find finds an offer by id or code.
func (s *Service) Find(ref string) (*Offer, error) {
	n := s.now.Load()
	if o := n.by[ref]; o != nil {
		return o, nil
	}
	if _, number, err := id.Decode(offerPrefix, ref); err == nil && n.offers[number] != nil {
		return n.offers[number], nil
	}
	return nil, ErrNotFound
}

// List lists offers, the newest first: all of them are in memory, and few.
func (s *Service) List(state State, q string) []*Offer {
	n, nowMS, zone := s.now.Load(), s.nowMS(), s.zone()
	var out []*Offer
	q = strings.ToLower(q)
	for _, o := range n.offers {
		t := &o.Terms
		named := q == "" || strings.Contains(o.Code, q) || strings.Contains(strings.ToLower(t.NameEN), q) || strings.Contains(t.NameZH, q)
		if named && (state == "" || o.Standing(nowMS, zone) == state) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *Offer) int { return int(min(1, max(-1, b.ID-a.ID))) })
	return out
}

// Add makes a draft.
func (s *Service) Add(ctx context.Context, code string, t Terms) (*Offer, error) {
	if !codeForm.MatchString(code) {
		return nil, ErrCode.At("body.code")
	}
	if err := s.check(&t); err != nil {
		return nil, err
	}
	if len(s.now.Load().offers) >= maxOffers {
		return nil, ErrMany.With("most", maxOffers)
	}
	n, err := s.o.DB.NextID(ctx, "offer")
	if err != nil {
		return nil, err
	}
	o := &Offer{ID: n, Code: code, State: Draft, Version: 1, Terms: t}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error { return s.insert(ctx, tx, o) })
	if err != nil {
		return nil, fmt.Errorf("add offer %s: %w", code, err)
	}
	return s.Find(o.PublicID())
}

func (s *Service) insert(ctx context.Context, tx *db.Tx, o *Offer) error {
	nowMS := s.nowMS()
	made, err := tx.Exec(ctx, insertOfferSQL, o.ID, o.Code, string(pack(o.Terms)), nowMS)
	if err != nil {
		return err
	}
	if made == 0 {
		return ErrTaken.At("body.code")
	}
	if err := insertVersion(ctx, tx, o, staff.ActorOf(ctx), nowMS); err != nil {
		return err
	}
	return s.o.Audit.Record(ctx, tx, "offer.add", o.PublicID(), nil, audited(o))
}

// audited is what the trail keeps of an offer.
func audited(o *Offer) any {
	return map[string]any{"code": o.Code, "state": o.State, "terms": o.Terms}
}

// read reads an offer as the database has it.
func read(ctx context.Context, tx *db.Tx, n int64) (*Offer, error) {
	o, err := scanOffer(tx.QueryRow(ctx, offerSQL, n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return o, err
}

// Change changes what an offer says, from a version unless that is 0. Who has received it goes
// on by the version that they received.
func (s *Service) Change(ctx context.Context, ref string, from int64, edit func(*Terms)) (*Offer, error) {
	o, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, o.ID)
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
		if string(pack(next.Terms)) == string(pack(was.Terms)) {
			return nil
		}
		return s.edit(ctx, tx, was, &next)
	})
	if err != nil {
		return nil, fmt.Errorf("change offer %s: %w", o.Code, err)
	}
	return s.Find(o.PublicID())
}

func (s *Service) edit(ctx context.Context, tx *db.Tx, was, next *Offer) error {
	nowMS := s.nowMS()
	n, err := tx.Exec(ctx, updateOfferSQL, was.ID, was.Version, string(pack(next.Terms)), nowMS)
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
	return s.o.Audit.Record(ctx, tx, "offer.change", was.PublicID(), audited(was), audited(next))
}

// moves says from which states each may be entered.
var moves = map[State][]State{Live: {Draft, Paused}, Paused: {Live}, Ended: {Live, Paused}}

// Move publishes, pauses, resumes or ends an offer. To say again what is so already changes
// nothing.
func (s *Service) Move(ctx context.Context, ref string, to State) (*Offer, error) {
	o, err := s.Find(ref)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, o.ID)
		if err != nil || was.State == to {
			return err
		}
		return s.moveIn(ctx, tx, was, to)
	})
	if err != nil {
		return nil, fmt.Errorf("move offer %s to %s: %w", o.Code, to, err)
	}
	return s.Find(o.PublicID())
}

func (s *Service) moveIn(ctx context.Context, tx *db.Tx, was *Offer, to State) error {
	if !slices.Contains(moves[to], was.State) {
		return ErrMove.With("state", stateWord(was.State))
	}
	next := *was
	next.State = to
	if to == Ended {
		next.EndedMS = s.nowMS()
	}
	n, err := tx.Exec(ctx, moveOfferSQL, was.ID, string(was.State), string(to), s.nowMS(), next.EndedMS)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrEdited
	}
	return s.o.Audit.Record(ctx, tx, "offer."+string(to), was.PublicID(), audited(was), audited(&next))
}

func stateWord(st State) errs.Word {
	zh := map[State]string{Draft: "草稿", Live: "已发布", Paused: "已暂停", Ended: "已结束"}
	return errs.Word{EN: string(st), ZH: zh[st]}
}

// Remove deletes a draft.
func (s *Service) Remove(ctx context.Context, ref string) error {
	o, err := s.Find(ref)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		was, err := read(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, removeOfferSQL, o.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrStarted
		}
		if _, err := tx.Exec(ctx, removeVersionsSQL, o.ID); err != nil {
			return err
		}
		return s.o.Audit.Record(ctx, tx, "offer.remove", o.PublicID(), audited(was), nil)
	})
}

// Versions lists what an offer said, the newest first.
func (s *Service) Versions(ctx context.Context, o *Offer) (list []Version, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			_, v, err := scanVersion(rows)
			list = append(list, v)
			return err
		})(tx.Query(ctx, versionsOfSQL, o.ID))
	})
	return list, err
}

// check refuses terms that cannot be, and brings them into their one form.
func (s *Service) check(t *Terms) error {
	n := s.now.Load()
	t.NameEN, t.NameZH = fill(t.NameEN, t.NameZH)
	if t.NameEN == "" || utf8.RuneCountInString(t.NameEN) > 100 || utf8.RuneCountInString(t.NameZH) > 100 {
		return ErrNames.At("body.name_en")
	}
	t.TextEN, t.TextZH = fill(t.TextEN, t.TextZH)
	if t.Picture != "" && !strings.HasPrefix(t.Picture, "https://") && !strings.HasPrefix(t.Picture, "/") {
		return ErrPicture.At("body.picture")
	}
	if err := t.Goal.check(); err != nil {
		return err
	}
	if err := s.checkTimes(t); err != nil {
		return err
	}
	if t.Delivery != Sent && t.Delivery != Open {
		t.Delivery = Sent
	}
	if t.Repeat.Every == Once {
		t.Repeat.Every = ""
	}
	if t.Delivery == Sent && t.Repeat != (Repeat{}) {
		return ErrRepeat.At("body.repeat")
	}
	for _, ref := range t.Counts.Stores {
		if _, err := s.o.Program.Snapshot().FindStore(ref); err != nil {
			return at(err, "body.counts.stores")
		}
	}
	if err := checkCondition(n.words, t.Audience, cond.OfMember); err != nil {
		return at(err, "body.audience")
	}
	if err := checkCondition(n.words, t.Counts.Condition, cond.OfSale); err != nil {
		return at(err, "body.counts.condition")
	}
	return s.checkReward(&t.Reward, n)
}

func (s *Service) checkTimes(t *Terms) error {
	for _, part := range []struct {
		text *string
		at   string
	}{{&t.From, "body.from"}, {&t.Until, "body.until"}} {
		if *part.text == "" {
			continue
		}
		when, err := s.o.Program.Snapshot().ParseTime(*part.text)
		if err != nil {
			return at(err, part.at)
		}
		*part.text = when.In(s.zone()).Format(time.RFC3339Nano)
	}
	if from, until := t.span(s.zone()); until < from {
		return ErrWindow.At("body.until")
	}
	if t.Hours < 0 || t.Hours > maxHours {
		return ErrWindow.At("body.hours")
	}
	return nil
}

func (s *Service) checkReward(r *Reward, n *snapshot) error {
	if (r.Currency == "") != (r.Amount == 0) {
		return ErrReward.At("body.reward")
	}
	if r.Currency != "" {
		cur := s.o.Ledger.Config().ByCode[r.Currency]
		if cur == nil || cur.Kind == ledger.Stored {
			return ErrReward.At("body.reward.currency")
		}
	}
	if r.Badge != "" && n.badge[r.Badge] == nil {
		return ErrBadge.With("code", r.Badge).At("body.reward.badge")
	}
	return nil
}

// asked are the facts about a member that a condition may ask for here: those that the locked
// rows of a batch hold.
var asked = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

func checkCondition(words *cond.Env, text string, kind cond.Kind) error {
	if text == "" {
		return nil
	}
	c, err := words.Compile(text, kind)
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

// fill gives the one text for the other where that is missing.
func fill(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}

// when reads the time that a request names, now where it names none.
func (s *Service) when(text, location string) (int64, error) {
	now := s.o.Clock.Now()
	if text == "" {
		return now.UnixMilli(), nil
	}
	t, err := s.o.Program.Snapshot().ParseTime(text)
	if err != nil {
		return 0, at(err, location)
	}
	if t.After(now.Add(maxAhead)) {
		return 0, ErrFuture.At(location)
	}
	return t.UnixMilli(), nil
}

// maxAhead is how far a sender's clock may be ahead of ours.
const maxAhead = 5 * time.Minute

// maxMerges bounds a chain of merges.
const maxMerges = 17

// do sends a command that a request of the caller makes, and again for the survivor where the
// member was merged meanwhile.
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
