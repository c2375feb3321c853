package staff

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/program"
)

// Vault seals payloads that are personal.
type Vault interface {
	SealBytes(plain, aad []byte) []byte
	OpenBytes(sealed, aad []byte) ([]byte, error)
}

// Approvals is the one way in which a second person agrees, whatever to. Nouns register
// their kinds, and ask; people decide through its routes. It is safe for use by many
// goroutines.
type Approvals struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	audit   *Audit
	program *program.Service
	vault   Vault
	kinds   map[string]ApprovalKind // fixed once the program is built
}

// NewApprovals makes the mechanism.
func NewApprovals(d *db.DB, c clock.Clock, log *slog.Logger, p *program.Service, a *Audit, v Vault) *Approvals {
	return &Approvals{db: d, clock: c, log: log, audit: a, program: p, vault: v, kinds: map[string]ApprovalKind{}}
}

// Register adds a kind. Call it while the program is built.
func (s *Approvals) Register(k ApprovalKind) {
	if _, twice := s.kinds[k.Name]; twice || k.Name == "" || (k.Carry == nil) == (k.Approve == nil) {
		panic("staff: the kind of approval " + k.Name + " is there twice, or has not one way to be carried out")
	}
	s.kinds[k.Name] = k
}

// NewApproval is what a noun asks for.
type NewApproval struct {
	Kind             string
	Member, Merchant int64
	Payload          any // made to JSON
	Reason           string
}

// Number gives the number of an approval that is about to be asked for.
func (s *Approvals) Number(ctx context.Context) (int64, error) { return s.db.NextID(ctx, "approval") }

// Ask puts something before a second person, in the transaction of the noun that asks.
func (s *Approvals) Ask(ctx context.Context, tx *db.Tx, number int64, n NewApproval) (Approval, error) {
	k, known := s.kinds[n.Kind]
	if !known {
		return Approval{}, fmt.Errorf("ask for an approval of the kind %q, which nobody registered", n.Kind)
	}
	payload, err := json.Marshal(n.Payload)
	if err != nil {
		return Approval{}, fmt.Errorf("ask for an approval: %w", err)
	}
	a := Approval{ID: number, Kind: n.Kind, Member: n.Member, Merchant: n.Merchant, Payload: payload, Reason: n.Reason,
		State: Waiting, AskedBy: ActorOf(ctx), Asked: s.clock.Now()}
	if k.Lasts > 0 {
		a.Until = a.Asked.Add(k.Lasts)
	}
	stored := a
	if k.Personal {
		stored.Payload = s.vault.SealBytes(payload, approvalAAD(a.ID))
	}
	if err := insertApproval(ctx, tx, stored); err != nil {
		return Approval{}, fmt.Errorf("ask for an approval: %w", err)
	}
	return a, s.tell(ctx, tx, "approval.asked", a)
}

func approvalAAD(n int64) []byte { return fmt.Appendf(nil, "approval/%d/payload/1", n) }

// approvalBody is the body of approval.asked and approval.decided.
type approvalBody struct {
	Approval string        `json:"approval"`
	Kind     string        `json:"kind"`
	Currency string        `json:"currency,omitempty"`
	Amount   int64         `json:"amount,omitempty"`
	State    ApprovalState `json:"state"`
}

// body is the body of the events of an approval.
func (s *Approvals) body(a Approval) approvalBody {
	v := s.view(a)
	return approvalBody{v.ID, v.Kind, v.Currency, v.Amount, v.State}
}

// tell appends an event and an entry to the audit trail.
func (s *Approvals) tell(ctx context.Context, tx *db.Tx, kind string, a Approval) error {
	e := event.Event{Kind: kind, Member: a.Member, AtMS: s.clock.Now().UnixMilli(), Body: event.MustBody(s.body(a))}
	if a.Member != 0 {
		e.Shard = id.Shard(a.Member)
	}
	if err := event.Append(ctx, tx, e); err != nil {
		return err
	}
	return s.trail(ctx, tx, a)
}

// trail notes the state of an approval on the audit trail.
func (s *Approvals) trail(ctx context.Context, tx *db.Tx, a Approval) error {
	return s.audit.Record(ctx, tx, "approval."+string(a.State), a.PublicID(), nil, struct {
		Kind  string `json:"kind"`
		Asker string `json:"asked_by"`
	}{a.Kind, a.AskedBy})
}

// view shows an approval.
func (s *Approvals) view(a Approval) ApprovalView {
	k := s.kinds[a.Kind]
	v := ApprovalView{
		ID: a.PublicID(), Kind: a.Kind, EN: k.EN, ZH: k.ZH, Reason: a.Reason, State: a.State, AskedBy: a.AskedBy, AskedAt: a.Asked,
		ExpiresAt: optional(a.Until), DecidedBy: a.DecidedBy, DecidedAt: optional(a.Decided),
	}
	if a.Member != 0 {
		v.Member = id.Encode("mem_", a.Member, 0)
	}
	if a.State == Waiting && a.over(s.clock.Now()) {
		v.State = Expired // the run that writes it down has not come by yet
	}
	if k.Show != nil {
		k.Show(a, &v)
	}
	return v
}

// find reads an approval that the caller may see, or gives ErrNoApproval.
func (s *Approvals) find(ctx context.Context, public string) (a Approval, k ApprovalKind, err error) {
	member, n, err := id.Decode(approvalPrefix, public)
	if err != nil {
		return a, k, ErrNoApproval
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		a, err = readApproval(ctx, tx, n)
		return err
	})
	if err != nil {
		return a, k, err
	}
	k, known := s.kinds[a.Kind]
	if !known || a.Member != member || !s.sees(ctx, a.Merchant) {
		return a, k, ErrNoApproval
	}
	err = s.open(&a)
	return a, k, err
}

// open reads a payload that is sealed.
func (s *Approvals) open(a *Approval) (err error) {
	if !s.kinds[a.Kind].Personal {
		return nil
	}
	if a.Payload, err = s.vault.OpenBytes(a.Payload, approvalAAD(a.ID)); err != nil {
		return fmt.Errorf("open approval %d: %w", a.ID, err)
	}
	return nil
}

// sees reports whether the caller may decide for a merchant; 0 is the programme, for which
// nobody decides who has a part of it only.
func (s *Approvals) sees(ctx context.Context, merchant int64) bool {
	who := api.CallerOf(ctx)
	if merchant == 0 {
		return len(who.Merchants)+len(who.Stores) == 0
	}
	return s.program.Snapshot().SeesMerchant(who, merchant)
}

// Decide is a second person's yes or no, or the asker's taking back. Of many who decide at
// once one does; who decided the same before, or says the same after, gets the same answer.
func (s *Approvals) Decide(ctx context.Context, public string, to ApprovalState, dry bool) (Decision, error) {
	a, k, err := s.find(ctx, public)
	if err != nil {
		return Decision{}, err
	}
	if to != Withdrawn {
		if err := api.Require(ctx, k.Decides); err != nil {
			return Decision{}, err
		}
	}
	if to == Approved || to == Rejected {
		if err := s.another(ctx, a); err != nil {
			return Decision{}, err
		}
	}
	if to != Approved || k.Carry != nil {
		return s.decide(ctx, a, to, k.Carry, dry)
	}
	d, err := k.Approve(ctx, a, dry)
	if err != nil || d.Repeated || dry {
		return d, err
	}
	// The decision stands with what it did. The trail is another transaction's: the row and
	// the entry name who decided in any case.
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.trail(ctx, tx, d.Approval) })
	if err != nil {
		s.log.Error("an approval is not on the audit trail", "approval", d.Approval.PublicID(), "by", d.Approval.DecidedBy, "error", err)
	}
	return d, nil
}

// another refuses a person who asked by a key of theirs, or would decide by one.
func (s *Approvals) another(ctx context.Context, a Approval) error {
	if a.State != Waiting {
		return nil
	}
	var asker, decider string
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if asker, err = personOf(ctx, tx, a.AskedBy); err != nil {
			return err
		}
		decider, err = personOf(ctx, tx, ActorOf(ctx))
		return err
	})
	if err == nil && asker == decider {
		err = ErrOwn
	}
	return err
}

// errUnkept undoes a transaction that was only tried.
var errUnkept = errors.New("staff: a dry run")

// decide notes a decision and carries it out where there is something to carry out.
func (s *Approvals) decide(ctx context.Context, a Approval, to ApprovalState, carry func(context.Context, *db.Tx, Approval) (string, error), dry bool) (Decision, error) {
	by := ActorOf(ctx)
	for range decideTurns {
		now := s.clock.Now()
		d := Decision{Approval: a}
		var err error
		if d.Repeated, err = d.Approval.Decide(to, by, now); err != nil || d.Repeated {
			return d, err
		}
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			held, err := noteDecision(ctx, tx, d.Approval)
			if err != nil {
				return err
			}
			if !held {
				return errLate
			}
			if to == Approved {
				if err := s.carry(ctx, tx, &d.Approval, carry, now); err != nil {
					return err
				}
			}
			if err := s.tell(ctx, tx, "approval.decided", d.Approval); err != nil {
				return err
			}
			if dry {
				return errUnkept
			}
			return nil
		})
		switch {
		case errors.Is(err, errUnkept):
			return d, nil
		case !errors.Is(err, errLate):
			return d, err
		}
		if a, _, err = s.find(ctx, a.PublicID()); err != nil {
			return Decision{}, err
		}
	}
	return Decision{}, fmt.Errorf("approval %d: it is decided and waits at once", a.ID)
}

// decideTurns bounds how often a decision is looked at that somebody else made first: once
// is enough, since states are final.
const decideTurns = 3

// errLate says that somebody else decided first.
var errLate = errors.New("staff: decided meanwhile")

func (s *Approvals) carry(ctx context.Context, tx *db.Tx, a *Approval, carry func(context.Context, *db.Tx, Approval) (string, error), now time.Time) (err error) {
	if a.Result, err = carry(ctx, tx, *a); err != nil {
		return err
	}
	a.Done = now
	return noteDone(ctx, tx, *a)
}

// ApprovalFilter says which approvals to list: of a state, and where they are not empty of a
// kind and of who asked.
type ApprovalFilter struct {
	State         ApprovalState
	Kind, AskedBy string
}

// List reads up to n approvals under a filter before a number, newest first, of the kinds that
// the caller may read. A caller who is limited to merchants gets theirs only.
func (s *Approvals) List(ctx context.Context, f ApprovalFilter, before int64, n int) (list []Approval, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readApprovals(ctx, tx, f, before, n)
		return err
	})
	for i := range list {
		err = errors.Join(err, s.open(&list[i]))
	}
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	return list, nil
}

// Waits counts, up to most, what waits for the caller to decide, and says since when the
// oldest of it does.
func (s *Approvals) Waits(ctx context.Context, most int) (n int, oldest time.Time, err error) {
	decides := func(p api.Permission) bool { return api.CallerOf(ctx).Can[p] }
	if !slices.ContainsFunc(s.permissions(func(k ApprovalKind) api.Permission { return k.Decides }), decides) {
		return 0, oldest, nil // nobody asks them
	}
	list, err := s.List(ctx, ApprovalFilter{State: Waiting}, 1<<63-1, most)
	if err != nil {
		return 0, oldest, err
	}
	now := s.clock.Now()
	for _, a := range list {
		k := s.kinds[a.Kind]
		if s.shows(ctx, a) && api.CallerOf(ctx).Can[k.Decides] && !a.over(now) {
			n, oldest = n+1, a.Asked // newest first
		}
	}
	return n, oldest, nil
}

// shows reports whether an approval is for the caller to see.
func (s *Approvals) shows(ctx context.Context, a Approval) bool {
	k, known := s.kinds[a.Kind]
	return known && api.CallerOf(ctx).Can[k.Reads] && s.sees(ctx, a.Merchant)
}

// The run that writes down which approvals are over. Nothing depends on it: whoever would
// decide looks at the time.
const (
	expireKind  = "approval.expire"
	expireEvery = time.Hour
	expireSlice = 50 // each is a few rows
)

// RegisterJobs gives the queue what this does without being asked. Call it while the
// program is built.
func (s *Approvals) RegisterJobs(q *job.Queue) {
	q.Register(expireKind, func(ctx context.Context, _ *job.Run) error { return s.expire(ctx) })
	q.Every(job.Interval(expireEvery), job.New{Kind: expireKind})
}

// expire writes down which approvals are over.
func (s *Approvals) expire(ctx context.Context) error {
	for {
		var list []Approval
		now := s.clock.Now()
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			list, err = readOver(ctx, tx, now, expireSlice)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			if err := s.expireOne(ctx, a, now); err != nil {
				return fmt.Errorf("expire approval %d: %w", a.ID, err)
			}
		}
	}
}

func (s *Approvals) expireOne(ctx context.Context, a Approval, now time.Time) error {
	if err := s.open(&a); err != nil {
		return err
	}
	if _, err := a.Decide(Expired, "", now); err != nil {
		return err
	}
	return s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		held, err := noteDecision(ctx, tx, a)
		if err != nil || !held { // another node did
			return err
		}
		return s.tell(ctx, tx, "approval.decided", a)
	})
}
