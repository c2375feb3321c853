package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/staff"
)

// adjustmentKind is how staff.Approvals knows an adjustment that needs a second person.
const adjustmentKind = "adjustment"

// adjustmentLasts is how long a second person has to decide on an adjustment.
const adjustmentLasts = 30 * 24 * time.Hour

// approvalTable holds approvals of every kind. The engine adds those of adjustments, and
// decides on them in the transaction of the posting that a yes leads to: an adjustment is
// approved if and only if it is posted. A no is staff's, in a transaction of its own, so
// the rows are shared.
var approvalTable = DefineSharedTable(staff.ApprovalTable, 1, staff.ApprovalColumns)

// adjustments registers them with staff.
func (s *Service) adjustments() staff.ApprovalKind {
	return staff.ApprovalKind{
		Name: adjustmentKind, EN: "Adjustment of points", ZH: "积分调整",
		Reads: staff.ReadPoints, Decides: staff.ApprovePoints, Lasts: adjustmentLasts,
		Approve: s.approve, Show: s.showAdjustment,
	}
}

// asked is the payload of an approval. Its JSON names are on disk.
type asked struct {
	Currency int64 `json:"currency"`
	Amount   int64 `json:"amount"`
	Store    int64 `json:"store"`
}

func askedOf(a staff.Approval) (p asked, err error) {
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return p, fmt.Errorf("read approval %d: %w", a.ID, err)
	}
	return p, nil
}

// approvalBody is the body of approval.asked and approval.decided, as staff writes it too.
type approvalBody struct {
	Approval string              `json:"approval"`
	Kind     string              `json:"kind"`
	Currency string              `json:"currency"`
	Amount   int64               `json:"amount"`
	State    staff.ApprovalState `json:"state"`
}

// ask puts the adjustment before a second person.
func (c adjustCommand) ask(s *State, a *Account, cur *Currency) *Adjustment {
	payload, err := json.Marshal(asked{cur.ID, c.amount, c.store})
	if err != nil {
		panic(err) // numbers always marshal
	}
	now := time.UnixMilli(s.NowMS)
	ap := staff.Approval{
		ID: c.approval, Kind: adjustmentKind, Member: a.ID, Merchant: c.issuer, Payload: payload, Reason: c.reason,
		State: staff.Waiting, AskedBy: s.actor, Asked: now, Until: now.Add(adjustmentLasts),
	}
	s.Put(approvalTable, ap.Row()...)
	s.tellAs(a, "approval.asked", approvalBody{ap.PublicID(), ap.Kind, cur.Code, c.amount, ap.State})
	return &Adjustment{State: "waiting", Approval: ap.PublicID(), Member: memberID(a.ID), Currency: cur.Code, Amount: c.amount, Balances: s.Balances(a)}
}

// approve is a second person's yes, which posts the adjustment.
func (s *Service) approve(ctx context.Context, a staff.Approval, dry bool) (staff.Decision, error) {
	by := actorOf(ctx)
	answer := s.engine.Do(ctx, Request{Command: approveCommand{member: a.Member, approval: a.ID, by: by}, Actor: by, DryRun: dry})
	if answer.Err != nil {
		return staff.Decision{}, answer.Err
	}
	return answer.Value.(staff.Decision), nil
}

// approveCommand posts an adjustment that a second person agreed to. A yes that is said
// again gets the same answer; the member's lock keeps two who say it at once apart, and
// that of the row who says no.
type approveCommand struct {
	member, approval int64
	by               string
}

func (c approveCommand) key() RowKey { return RowKey{approvalTable, []any{c.approval}} }

func (c approveCommand) Needs() Needs {
	return Needs{Members: []int64{c.member}, Rows: []RowKey{c.key()}}
}

func (c approveCommand) Decide(s *State) (any, error) {
	v := s.Row(approvalTable, c.key().Key...)
	if v == nil {
		return nil, staff.ErrNoApproval
	}
	ap := staff.ApprovalOf(v)
	home, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	repeated, err := ap.Decide(staff.Approved, c.by, time.UnixMilli(s.NowMS))
	switch {
	case err != nil:
		return nil, err
	case ap.Member != c.member || ap.Kind != adjustmentKind:
		return nil, staff.ErrNoApproval
	case repeated:
		return c.again(s, ap)
	}
	p, err := c.post(s, home, &ap)
	if err != nil {
		return nil, err
	}
	s.Put(approvalTable, ap.Row()...)
	s.tellAs(home, "approval.decided", approvalBody{ap.PublicID(), ap.Kind, p.Currency, p.Amount, ap.State})
	return staff.Decision{Approval: ap, Entry: p}, nil
}

// post makes the adjustment, to the survivor where the member was merged meanwhile.
func (c approveCommand) post(s *State, home *Account, ap *staff.Approval) (*Posted, error) {
	a, err := s.survivor(home)
	if err != nil {
		return nil, err
	}
	said, err := askedOf(*ap)
	if err != nil {
		return nil, err
	}
	cur := s.Config.Currencies[said.Currency]
	p, err := s.adjust(a, cur, said.Amount, ap.Merchant, Posting{Reason: ap.Reason, Store: said.Store, Source: "approval", Document: ap.PublicID()})
	if err != nil {
		return nil, err
	}
	_, seq, err := id.Decode(entryPrefix, p.ID)
	ap.Done, ap.Result = ap.Decided, entryRef{a.ID, seq}.String()
	return p, err
}

// entryRef is how the result of an approval names the entry that it was posted as.
type entryRef struct{ member, seq int64 }

func (r entryRef) String() string { return fmt.Sprintf("%d/%d", r.member, r.seq) }

func parseEntryRef(text string) (r entryRef, ok bool) {
	n, err := fmt.Sscanf(text, "%d/%d", &r.member, &r.seq)
	return r, n == 2 && err == nil
}

// again answers a decision that was made before in the same way.
func (c approveCommand) again(s *State, ap staff.Approval) (any, error) {
	posted, ok := parseEntryRef(ap.Result)
	if !ok {
		return nil, fmt.Errorf("approval %d is approved, and its result says of nothing posted", ap.ID)
	}
	home := s.accounts[posted.member]
	if home == nil {
		return nil, &Again{Needs{Members: []int64{posted.member}}}
	}
	a, err := s.survivor(home)
	if err != nil {
		return nil, err
	}
	entry, err := s.posted(a, posted.member, posted.seq)
	if err != nil {
		return nil, err
	}
	said, err := askedOf(ap)
	entry.Amount = said.Amount
	return staff.Decision{Approval: ap, Entry: entry, Repeated: true}, err
}

// survivor follows the merges of an account to the one that stands alone, settled.
func (s *State) survivor(a *Account) (*Account, error) {
	for range maxMoves {
		if a.MergedInto == 0 {
			return s.Account(a.ID)
		}
		next := s.accounts[a.MergedInto]
		if next == nil {
			return nil, &Again{Needs{Members: []int64{a.MergedInto}}}
		}
		a = next
	}
	return nil, fmt.Errorf("member %d: a chain of more than %d merges", a.ID, maxMoves)
}

// showAdjustment adds what the ledger knows of an approval.
func (s *Service) showAdjustment(a staff.Approval, v *staff.ApprovalView) {
	said, err := askedOf(a)
	if err != nil {
		s.log.Error("an approval cannot be read", "approval", a.ID, "error", err)
		return
	}
	v.Amount = said.Amount
	if cur := s.Config().Currencies[said.Currency]; cur != nil {
		v.Currency = cur.Code
	}
	if r, ok := parseEntryRef(a.Result); ok {
		v.EntryID = EntryID(r.member, r.seq)
	}
}
