package offer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Points are granted to many in two steps: one person asks, with a reason, and a second one
// agrees. Then the job begins.

// grantKind is how staff.Approvals knows a grant that needs a second person.
const grantKind = "grant"

// grantLasts is how long a second person has to decide.
const grantLasts = 30 * 24 * time.Hour

// ErrGrant refuses a grant of nothing.
var ErrGrant = errs.New(errs.Invalid, "offer.grant", "A grant names a currency of points or growth value, an amount above 0, and a reason.", "批量发放须指定积分或成长值币种、大于 0 的数量及原因。")

// grantRule is the name under which the points stand in entries.
const grantRule = "grant"

// gift is the command that gives one member points, once.
type gift struct {
	member   int64
	currency string // code
	amount   int64
	endMS    int64 // 0: as the currency says
	reason   string
	rule     string
	doc      ledger.Document
	more     map[string]any // of the event
}

// Needs names the member and the natural key.
func (c *gift) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Fresh: []ledger.RowKey{c.doc.Need()}}
}

// Decide grants.
func (c *gift) Decide(s *ledger.State) (any, error) {
	if _, seen := s.FindDoc(c.doc); seen {
		return nil, nil
	}
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	if !a.MayEarn {
		return nil, ledger.ErrMayNotEarn
	}
	cur, err := s.Config.Currency(c.currency)
	if err != nil {
		return nil, err
	}
	got, err := s.Grant(a, ledger.Grant{
		Posting: ledger.Posting{Reason: c.reason, Rule: c.rule}, Kind: ledger.Earn, Currency: cur, Amount: c.amount, ExpiresMS: c.endMS, Unlimited: true,
	})
	if err != nil {
		return nil, err
	}
	s.PutDoc(c.doc, ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: got.Lot.Seq})
	body := map[string]any{"currency": cur.Code, "amount": c.amount}
	for k, v := range c.more {
		body[k] = v
	}
	s.Event(a, "points.granted", s.NowMS, string(pack(body)))
	return nil, nil
}

// Grant asks for points to be given to many. It waits for a second person.
func (s *Service) Grant(ctx context.Context, name string, p Plan, to list) (*Sending, error) {
	cur := s.o.Ledger.Config().ByCode[p.Currency]
	if cur == nil || cur.Kind == ledger.Stored || p.Amount <= 0 || p.Amount > ledger.MaxPoints || p.Reason == "" {
		return nil, ErrGrant.At("body")
	}
	if err := s.checkPlan(p, to); err != nil {
		return nil, err
	}
	x := &Sending{Name: name, Plan: p}
	fresh, err := s.open(ctx, x)
	if err != nil || !fresh {
		return x, err
	}
	if to != nil {
		if err := s.fill(ctx, x, to); err != nil {
			return nil, s.abandon(ctx, x, err)
		}
	}
	number, err := s.o.Approvals.Number(ctx)
	if err != nil {
		return nil, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		asked, err := s.o.Approvals.Ask(ctx, tx, number, staff.NewApproval{Kind: grantKind, Payload: grantAsked{x.ID, p.Currency, p.Amount}, Reason: p.Reason})
		if err != nil {
			return err
		}
		x.Approval, x.State = asked.PublicID(), "waiting"
		if _, err := tx.Exec(ctx, waitSendingSQL, x.ID, x.Approval); err != nil {
			return err
		}
		return s.recordIn(ctx, tx, "grant.ask", x)
	})
	return x, err
}

// approvals registers grants with staff.
func (s *Service) approvals() staff.ApprovalKind {
	return staff.ApprovalKind{
		Name: grantKind, EN: "Points for many members", ZH: "批量发放积分",
		Reads: staff.ReadPoints, Decides: staff.ApprovePoints, Lasts: grantLasts,
		Carry: s.carryGrant, Show: s.showGrant,
	}
}

// carryGrant is a second person's yes: the job begins in the same transaction.
func (s *Service) carryGrant(ctx context.Context, tx *db.Tx, a staff.Approval) (string, error) {
	x, err := s.grantOf(ctx, tx, a)
	if err != nil {
		return "", err
	}
	if err := s.startIn(ctx, tx, x); err != nil {
		return "", err
	}
	return x.PublicID(), s.recordIn(ctx, tx, "grant.begin", x)
}

// grantAsked is the payload of an approval. Its JSON is on disk.
type grantAsked struct {
	Grant    int64  `json:"grant"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"` // of each member
}

func (s *Service) grantOf(ctx context.Context, tx *db.Tx, a staff.Approval) (*Sending, error) {
	var p grantAsked
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read approval %d: %w", a.ID, err)
	}
	return scanSending(tx.QueryRow(ctx, sendingSQL, p.Grant).Scan)
}

// showGrant adds to an approval how much of what it is about: of each member.
func (s *Service) showGrant(a staff.Approval, v *staff.ApprovalView) {
	var p grantAsked
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		s.o.Log.Error("an approval cannot be read", "approval", a.ID, "error", err)
		return
	}
	v.Amount, v.Currency = p.Amount, p.Currency
}

// onDecided closes grants that a second person did not agree to, or nobody decided on in time.
func (s *Service) onDecided(ctx context.Context, tx *db.Tx, events []event.Event) error {
	for _, e := range events {
		if e.Kind != "approval.decided" {
			continue
		}
		var body struct{ Approval, Kind, State string }
		if err := json.Unmarshal(e.Body, &body); err != nil || body.Kind != grantKind || body.State == string(staff.Approved) {
			continue
		}
		if _, err := tx.Exec(ctx, rejectGrantSQL, body.Approval, e.AtMS); err != nil {
			return err
		}
	}
	return nil
}

var rejectGrantSQL = db.Define("offer.rejectGrant", `
	UPDATE offer_sending
	SET state = 'rejected', done_ms = $2
	WHERE approval = $1 AND state = 'waiting'`)

var waitSendingSQL = db.Define("offer.waitSending", `
	UPDATE offer_sending
	SET state = 'waiting', approval = $2
	WHERE id = $1 AND state = 'filling'`)
