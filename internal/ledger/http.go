package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ErrUnnamed refuses a document without a source, or the other way round.
var ErrUnnamed = errs.New(errs.Invalid, "ledger.unnamed", "A document is known by source and document together: give both or neither.", "单据由 source 与 document 共同标识：须同时提供，或都不提供。")

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	s.moveRoutes(r)
	s.holdRoutes(r)
	s.readRoutes(r)
	s.currencyRoutes(r)
}

// posts are the marks of every route that moves points: its key is kept by the engine, in
// the transaction of the posting.
func posts(d api.Doc) api.Doc {
	d.Tags = []string{"Points"}
	d.KeyRequired, d.OwnKey = true, true
	if d.Needs == "" {
		d.Needs = staff.MovePoints
	}
	if d.Status == 0 {
		d.Status = 201
	}
	d.Fails = append(d.Fails, member.ErrNotFound, member.ErrRef, member.ErrQR, ErrCurrency, ErrAmount)
	return d
}

func (s *Service) moveRoutes(r *api.Router) {
	api.Post(r, "/v1/members/{ref}/earnings", s.postEarning, posts(api.Doc{ID: "earn", Summary: "Give a member points for a reason that is no sale.",
		Description: "The same source and document have one effect for ever: sent again they answer with it. Points of a stored-value currency are given as bonus.",
		Fails:       []error{ErrDocumentTaken, ErrMayNotEarn, ErrLimit, ErrFull, ErrDates, program.ErrTime, program.ErrNoStore, ErrStoreNeeded}}))
	api.Post(r, "/v1/members/{ref}/spendings", s.postSpending, posts(api.Doc{ID: "spend", Summary: "Use points up: all of the amount, or nothing.",
		Description: "Takes the lots that expire first. The same source and document have one effect for ever: sent again they answer with it.",
		Fails:       []error{ErrInsufficient, ErrDocumentTaken, ErrMayNotSpend, ErrNotSpendable, ErrLimit, program.ErrNoStore, ErrStoreNeeded}}))
	api.Post(r, "/v1/members/{ref}/adjustments", s.postAdjustment, posts(api.Doc{ID: "adjust", Summary: "Correct a balance, up or down.",
		Description: "Answers 202 and moves nothing where the currency wants a second person for such an amount: see approvals.",
		Needs:       staff.AdjustPoints, Fails: []error{ErrInsufficient, ErrFull, program.ErrNoStore, ErrStoreNeeded}}))
	api.Post(r, "/v1/members/{ref}/topups", s.postTopUp, posts(api.Doc{ID: "topUp", Summary: "Take stored value that a member pays in, and give the bonus.",
		Description: "One payment has one effect for ever: it is known by source and document or, without them, by kind and reference of the payment. With dry_run=true it says what would come on top.",
		Fails:       []error{ErrNotStored, ErrDocumentTaken, ErrMayNotEarn, ErrFull, ErrUnnamed, program.ErrOff, program.ErrNoStore, ErrStoreNeeded}}))
	api.Post(r, "/v1/transfers", s.postTransfer, posts(api.Doc{ID: "transfer", Summary: "Give points of one member to another.",
		Fails: []error{ErrInsufficient, ErrNoTransfer, ErrTransferSize, ErrSelf, ErrMayNotEarn, ErrMayNotSpend, ErrNotSpendable, ErrLimit, ErrFull, program.ErrOff}}))
}

// MemberRef names the member that a path is about.
type MemberRef struct {
	Ref string `path:"ref" minLength:"1" maxLength:"300" doc:"The member: mem_…, no:…, ext:source/id, phone:…, email:…, card:… or qr:…" example:"no:8000123"`
}

// DryRun is part of every write that can be tried without effect.
type DryRun struct {
	DryRun bool `query:"dry_run" doc:"Work out the same answer and keep nothing."`
}

// send posts a command about the member that a path names.
func send[D any](ctx context.Context, s *Service, m int64, dry bool, command func(member int64) Command) (*api.RawOf[D], error) {
	return answered[D](s.withMember(ctx, m, func(m int64) Answer { return s.engine.Do(ctx, RequestOf(ctx, command(m), dry)) }))
}

// answered is what a handler returns of an Answer.
func answered[D any](a Answer) (*api.RawOf[D], error) {
	if a.Raw.Status == 0 {
		return nil, a.Err
	}
	if v, ok := a.Value.(interface{ Repeated() bool }); ok && v.Repeated() {
		a.Raw.Replayed = true
	}
	return &api.RawOf[D]{Raw: a.Raw}, nil
}

type earnIn struct {
	MemberRef
	DryRun
	Body struct {
		Currency     string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
		Amount       int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"In the smallest unit."`
		Reason       string `json:"reason" minLength:"1" maxLength:"500" doc:"Why; the member may read it."`
		Source       string `json:"source" minLength:"1" maxLength:"64" doc:"System that the document is from." example:"crm"`
		Document     string `json:"document" minLength:"1" maxLength:"128" doc:"The document, unique in its source." example:"survey-17"`
		Store        string `json:"store,omitempty" maxLength:"64" doc:"Where: id or code. Its merchant owes the points."`
		ExpiresAt    string `json:"expires_at,omitempty" maxLength:"40" doc:"Instead of the currency's policy: a time, the first instant at which they can no longer be used; or a date, to the end of which they can." example:"2026-12-31"`
		PendingUntil string `json:"pending_until,omitempty" maxLength:"40" doc:"Instead of the currency's policy: the time, or the date, from which they can be used." example:"2026-03-01"`
	}
}

func (s *Service) postEarning(ctx context.Context, in *earnIn) (*api.RawOf[Posted], error) {
	b := &in.Body
	c := EarnCommand{Currency: b.Currency, Amount: b.Amount, Reason: b.Reason, Source: b.Source, Document: b.Document}
	m, err := s.findToPost(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	if c.Store, c.Issuer, err = s.place(ctx, b.Store); err != nil {
		return nil, err
	}
	zone := s.Config().Zone
	if c.ActiveMS, err = instant(b.PendingUntil, zone, 0, "body.pending_until"); err != nil {
		return nil, err
	}
	if c.ExpiresMS, err = instant(b.ExpiresAt, zone, 1, "body.expires_at"); err != nil {
		return nil, err
	}
	return send[Posted](ctx, s, m, in.DryRun.DryRun, func(m int64) Command { c.Member = m; return c })
}

// instant reads a time, or a date: the beginning of the day that many days after it. Text
// that is not there is 0.
func instant(text string, zone *time.Location, days program.Day, at string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := program.ParseDay(text); err == nil {
		return (d + days).Start(zone).UnixMilli(), nil
	}
	t, err := program.ParseTime(text, zone)
	if err != nil || t.Year() < 1970 || t.UnixMilli() > Never {
		return 0, program.ErrTime.At(at).Because(err)
	}
	return max(t.UnixMilli(), 1), nil // 0 would stand for "not given"
}

type spendIn struct {
	MemberRef
	DryRun
	Body struct {
		Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
		Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"In the smallest unit."`
		Reason   string `json:"reason" minLength:"1" maxLength:"500" doc:"What for; the member may read it."`
		Source   string `json:"source" minLength:"1" maxLength:"64" doc:"System that the document is from." example:"till"`
		Document string `json:"document" minLength:"1" maxLength:"128" doc:"The document, unique in its source." example:"pay-4711"`
		Store    string `json:"store,omitempty" maxLength:"64" doc:"Where: id or code."`
	}
}

func (s *Service) postSpending(ctx context.Context, in *spendIn) (*api.RawOf[Posted], error) {
	b := &in.Body
	c := SpendCommand{Currency: b.Currency, Amount: b.Amount, Reason: b.Reason, Source: b.Source, Document: b.Document}
	m, err := s.findToPost(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	if c.Store, _, err = s.place(ctx, b.Store); err != nil {
		return nil, err
	}
	return send[Posted](ctx, s, m, in.DryRun.DryRun, func(m int64) Command { c.Member = m; return c })
}

type adjustIn struct {
	MemberRef
	DryRun
	Body struct {
		Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
		Amount   int64  `json:"amount" minimum:"-1000000000000" maximum:"1000000000000" doc:"Signed, in the smallest unit; not zero." example:"-50"`
		Reason   string `json:"reason" minLength:"1" maxLength:"500" doc:"Why; the member may read it."`
		Store    string `json:"store,omitempty" maxLength:"64" doc:"On whose behalf: id or code of a store."`
	}
}

func (s *Service) postAdjustment(ctx context.Context, in *adjustIn) (*api.RawOf[Adjustment], error) {
	b := &in.Body
	c := adjustCommand{currency: b.Currency, amount: b.Amount, reason: b.Reason}
	m, err := s.find(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	if c.store, c.issuer, err = s.place(ctx, b.Store); err != nil {
		return nil, err
	}
	if c.approval, err = s.db.NextID(ctx, "approval"); err != nil {
		return nil, err
	}
	return send[Adjustment](ctx, s, m, in.DryRun.DryRun, func(m int64) Command { c.member = m; return c })
}

type topUpIn struct {
	MemberRef
	DryRun
	Body struct {
		Currency  string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of a stored-value currency." example:"balance"`
		Principal int64  `json:"principal" minimum:"1" maximum:"1000000000000" doc:"What was paid in, in the smallest unit."`
		Bonus     *int64 `json:"bonus,omitempty" minimum:"0" maximum:"1000000000000" doc:"What the shop gives on top, 0 for nothing. Where absent, what the currency's steps say (policy.top_ups)."`
		Payment   struct {
			Kind      string `json:"kind" minLength:"1" maxLength:"40" doc:"How it was paid." example:"wechat"`
			Reference string `json:"reference,omitempty" maxLength:"128" doc:"Number of the payment, unique in its kind."`
		} `json:"payment" doc:"The payment."`
		Source   string `json:"source,omitempty" maxLength:"64" doc:"System that the document is from."`
		Document string `json:"document,omitempty" maxLength:"128" doc:"The document, unique in its source."`
		Reason   string `json:"reason,omitempty" maxLength:"500" doc:"A remark; the member may read it."`
		Store    string `json:"store,omitempty" maxLength:"64" doc:"Where: id or code."`
	}
}

func (s *Service) postTopUp(ctx context.Context, in *topUpIn) (*api.RawOf[Posted], error) {
	if err := s.program.Snapshot().Uses(program.StoredValueModule); err != nil {
		return nil, err
	}
	b := &in.Body
	c := topUpCommand{currency: b.Currency, principal: b.Principal, steps: b.Bonus == nil, source: b.Source, document: b.Document, reason: b.Reason}
	if b.Bonus != nil {
		c.bonus = *b.Bonus
	}
	if (b.Source == "") != (b.Document == "") {
		return nil, ErrUnnamed.At("body.source")
	}
	if b.Source == "" && b.Payment.Reference != "" {
		c.source, c.document = "payment:"+b.Payment.Kind, b.Payment.Reference
	}
	if c.reason == "" && c.source == "" {
		c.reason = b.Payment.Kind // else nothing would say how it was paid
	}
	m, err := s.find(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	if c.store, c.issuer, err = s.place(ctx, b.Store); err != nil {
		return nil, err
	}
	return send[Posted](ctx, s, m, in.DryRun.DryRun, func(m int64) Command { c.member = m; return c })
}

type transferIn struct {
	DryRun
	Body struct {
		From     string `json:"from" minLength:"1" maxLength:"300" doc:"The member who gives."`
		To       string `json:"to" minLength:"1" maxLength:"300" doc:"The member who receives."`
		Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
		Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"What the receiver gets, in the smallest unit; a fee comes on top."`
		Reason   string `json:"reason,omitempty" maxLength:"500" doc:"A remark; both may read it."`
	}
}

func (s *Service) postTransfer(ctx context.Context, in *transferIn) (*api.RawOf[Posted], error) {
	if err := s.program.Snapshot().Uses(program.TransfersModule); err != nil {
		return nil, err
	}
	b := &in.Body
	from, err := s.find(ctx, b.From, "body.from")
	if err != nil {
		return nil, err
	}
	to, err := s.find(ctx, b.To, "body.to")
	if err != nil {
		return nil, err
	}
	return s.Give(ctx, Gift{member.ID(from), member.ID(to), b.Currency, b.Amount, b.Reason}, in.DryRun.DryRun)
}

// Gift is what one member gives to another.
type Gift struct {
	From, To member.ID
	Currency string // code
	Amount   int64  // that the receiver gets; a fee comes on top
	Reason   string // both may read it
}

// Give transfers points. The key of the request is kept with the posting.
func (s *Service) Give(ctx context.Context, g Gift, dry bool) (*api.RawOf[Posted], error) {
	return answered[Posted](s.transfer(ctx, transferCommand{int64(g.From), int64(g.To), g.Currency, g.Amount, g.Reason}, dry))
}

// transfer is withMember for two: either side may turn out to have been merged.
func (s *Service) transfer(ctx context.Context, c transferCommand, dry bool) Answer {
	for range 2 * maxMoves {
		a := s.engine.Do(ctx, RequestOf(ctx, c, dry))
		var moved *Moved
		if !errors.As(a.Err, &moved) {
			return a
		}
		s.members.Forget(member.ID(moved.From))
		if c.from == moved.From {
			c.from = moved.To
		} else {
			c.to = moved.To
		}
	}
	return Answer{Err: fmt.Errorf("transfer from %d to %d: a chain of more than %d merges", c.from, c.to, maxMoves)}
}
