package ledger

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// approvalPrefix begins the public id of an approval. The id carries the member too, so
// that a decision knows whom to lock before it has read anything.
const approvalPrefix = "apr_"

// The states of an approval. All but waiting are final.
const (
	approvalWaiting  = "waiting"
	approvalApproved = "approved"
	approvalRejected = "rejected"
)

// The reasons for which a decision is refused.
var (
	ErrNoApproval = errs.New(errs.NotFound, "approval.unknown", "There is no such approval.", "没有这条审批。")
	ErrOwn        = errs.New(errs.Conflict, "approval.own", "You asked for this yourself; somebody else has to decide.", "这是您本人提交的申请，须由他人审批。")
	ErrDecided    = errs.New(errs.Conflict, "approval.decided", "This has been decided already: it was {state}.", "该申请已审批：{state}。")
)

// approvalTable is written by the engine, in the transaction of the posting that a
// decision leads to: an adjustment is approved if and only if it is posted.
var approvalTable = DefineTable("approval", 1, "id int, member_id int, currency_id int, amount int, reason text, store_id int, issuer_id int, state text, asked_by text, asked_ms int, decided_by text, decided_ms int, entry_member int, entry_seq int")

// approval is an adjustment that waits, or has waited, for a second person.
type approval struct {
	id, member, currency, amount int64
	reason                       string
	store, issuer                int64
	state                        string
	askedBy                      string
	askedMS                      int64
	decidedBy                    string
	decidedMS                    int64
	entryMember, entrySeq        int64 // what it was posted as
}

func (a *approval) row() []any {
	return []any{a.id, a.member, a.currency, a.amount, a.reason, a.store, a.issuer, a.state, a.askedBy, a.askedMS, a.decidedBy, a.decidedMS, a.entryMember, a.entrySeq}
}

func approvalOf(v []any) *approval {
	i := ints(v)
	return &approval{
		id: i(0), member: i(1), currency: i(2), amount: i(3), reason: v[4].(string), store: i(5), issuer: i(6), state: v[7].(string),
		askedBy: v[8].(string), askedMS: i(9), decidedBy: v[10].(string), decidedMS: i(11), entryMember: i(12), entrySeq: i(13),
	}
}

func (a *approval) publicID() string { return id.Encode(approvalPrefix, a.member, a.id) }

// approvalBody is the body of approval.asked and approval.decided.
type approvalBody struct {
	Approval string `json:"approval"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	State    string `json:"state"`
}

// ask puts the adjustment before a second person.
func (c adjustCommand) ask(s *State, a *Account, cur *Currency) *Adjustment {
	ap := &approval{
		id: c.approval, member: a.ID, currency: cur.ID, amount: c.amount, reason: c.reason, store: c.store, issuer: c.issuer,
		state: approvalWaiting, askedBy: s.actor, askedMS: s.NowMS,
	}
	s.Put(approvalTable, ap.row()...)
	s.tellAs(a, "approval.asked", approvalBody{ap.publicID(), cur.Code, ap.amount, ap.state})
	return &Adjustment{State: "waiting", Approval: ap.publicID(), Member: memberID(a.ID), Currency: cur.Code, Amount: c.amount, Balances: s.Balances(a)}
}

// decideCommand is a second person's yes or no. A decision that is made again gets the same
// answer; the member's lock keeps two who decide at once apart.
type decideCommand struct {
	member, approval int64
	yes              bool
	by               string
	sees             func(issuer int64) bool // whether it is for this caller to decide
}

func (c decideCommand) key() RowKey { return RowKey{approvalTable, []any{c.approval}} }

func (c decideCommand) Needs() Needs {
	return Needs{Members: []int64{c.member}, Lots: []int64{c.member}, Rows: []RowKey{c.key()}}
}

func (c decideCommand) Decide(s *State) (any, error) {
	v := s.Row(approvalTable, c.key().Key...)
	if v == nil {
		return nil, ErrNoApproval
	}
	ap := approvalOf(v)
	home, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	want := approvalRejected
	if c.yes {
		want = approvalApproved
	}
	switch {
	case ap.member != c.member || !c.sees(ap.issuer):
		return nil, ErrNoApproval
	case ap.state == want:
		return c.again(s, ap)
	case ap.state != approvalWaiting:
		return nil, ErrDecided.With("state", ap.state)
	case ap.askedBy == c.by:
		return nil, ErrOwn
	}
	ap.state, ap.decidedBy, ap.decidedMS = want, c.by, s.NowMS
	out := &Decided{Approval: viewApproval(s.Config, ap)}
	if c.yes {
		if out.Entry, err = c.post(s, home, ap); err != nil {
			return nil, err
		}
		out.Approval = viewApproval(s.Config, ap)
	}
	s.Put(approvalTable, ap.row()...)
	s.tellAs(home, "approval.decided", approvalBody{ap.publicID(), out.Approval.Currency, ap.amount, ap.state})
	return out, nil
}

// post makes the adjustment, to the survivor where the member was merged meanwhile.
func (c decideCommand) post(s *State, home *Account, ap *approval) (*Posted, error) {
	a, err := s.survivor(home)
	if err != nil {
		return nil, err
	}
	if !a.lotsIn {
		return nil, &Again{Needs{Members: []int64{a.ID}, Lots: []int64{a.ID}}}
	}
	cur := s.Config.Currencies[ap.currency]
	p, err := s.adjust(a, cur, ap.amount, ap.issuer, Posting{Reason: ap.reason, Store: ap.store, Source: "approval", Document: ap.publicID()})
	if err != nil {
		return nil, err
	}
	_, seq, err := id.Decode(entryPrefix, p.ID)
	ap.entryMember, ap.entrySeq = a.ID, seq
	return p, err
}

// again answers a decision that was made before in the same way.
func (c decideCommand) again(s *State, ap *approval) (*Decided, error) {
	out := &Decided{Approval: viewApproval(s.Config, ap), repeated: true}
	if !c.yes {
		return out, nil
	}
	home := s.accounts[ap.entryMember]
	if home == nil {
		return nil, &Again{Needs{Members: []int64{ap.entryMember}}}
	}
	a, err := s.survivor(home)
	if err != nil {
		return nil, err
	}
	if out.Entry, err = s.posted(a, ap.entryMember, ap.entrySeq); err != nil {
		return nil, err
	}
	out.Entry.Amount = ap.amount
	return out, nil
}

// survivor follows the merges of an account to the one that stands alone, settled.
func (s *State) survivor(a *Account) (*Account, error) {
	for range maxMoves {
		if a.MergedInto == 0 {
			return s.Account(a.ID)
		}
		next := s.accounts[a.MergedInto]
		if next == nil {
			return nil, &Again{Needs{Members: []int64{a.MergedInto}, Lots: []int64{a.MergedInto}}}
		}
		a = next
	}
	return nil, fmt.Errorf("member %d: a chain of more than %d merges", a.ID, maxMoves)
}

// Decided is the answer to a decision.
type Decided struct {
	Approval ApprovalView `json:"approval" doc:"What was decided."`
	Entry    *Posted      `json:"entry,omitempty" doc:"What was posted; absent after a no."`

	repeated bool
}

// Status is 200: the approval was there before.
func (d *Decided) Status() int { return 200 }

// Whose is the member for whom staff wrote the reason.
func (d *Decided) Whose() int64 { return ownerOf(d.Approval.Member) }

// Repeated reports whether the decision is an earlier one.
func (d *Decided) Repeated() bool { return d.repeated }

// ApprovalView is an approval as the outside sees it.
type ApprovalView struct {
	ID        string `json:"id" doc:"The approval."`
	Member    string `json:"member_id" doc:"Whose balance it is about."`
	Currency  string `json:"currency" doc:"Code of the point currency."`
	Amount    int64  `json:"amount" doc:"Signed, in the smallest unit."`
	Reason    string `json:"reason" doc:"Why it is asked for."`
	State     string `json:"state" enum:"waiting,approved,rejected" doc:"All but waiting are final."`
	AskedBy   string `json:"asked_by" doc:"Who asked, as staff:stf_… or key:key_…"`
	AskedAt   string `json:"asked_at" format:"date-time" doc:"When."`
	DecidedBy string `json:"decided_by,omitempty" doc:"Who decided."`
	DecidedAt string `json:"decided_at,omitempty" format:"date-time" doc:"When."`
	EntryID   string `json:"entry_id,omitempty" doc:"What it was posted as."`
}

func viewApproval(c *Config, a *approval) ApprovalView {
	v := ApprovalView{
		ID: a.publicID(), Member: memberID(a.member), Amount: a.amount, Reason: a.reason, State: a.state,
		AskedBy: a.askedBy, AskedAt: stamp(a.askedMS), DecidedBy: a.decidedBy, DecidedAt: stamp(a.decidedMS),
	}
	if cur := c.Currencies[a.currency]; cur != nil {
		v.Currency = cur.Code
	}
	if a.entrySeq != 0 {
		v.EntryID = EntryID(a.entryMember, a.entrySeq)
	}
	return v
}

var approvalsSQL = db.Define("ledger.approvals", `
	SELECT `+approvalTable.names()+`
	FROM approval
	WHERE state = $1 AND id < $2
	ORDER BY id DESC
	LIMIT $3`)

// approvals reads up to n approvals of a state before a number, newest first.
func (s *Service) approvals(ctx context.Context, state string, before int64, n int) (list []*approval, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err := many(ctx, tx, approvalsSQL, approvalTable, state, before, n)
		for _, v := range rows {
			list = append(list, approvalOf(v))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list approvals: %w", err)
	}
	return list, nil
}
