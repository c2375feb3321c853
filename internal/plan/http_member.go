package plan

import (
	"context"
	"math"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) memberRoutes(r *api.Router) {
	missing := []error{member.ErrNotFound, member.ErrRef, member.ErrQR}
	api.Get(r, "/v1/members/{ref}/plan", s.getMembership, api.Doc{
		ID: "getMembership", Summary: "Read the paid membership of a member, as it stands today.", Tags: tags, Needs: staff.ReadMembers, Fails: missing,
	})
	api.Post(r, "/v1/members/{ref}/plan", s.postTrial, own(api.Doc{
		ID: "startTrial", Summary: "Begin the trial of a plan.", Needs: staff.MovePoints, Status: http.StatusCreated,
		Description: "Without a trial a membership begins with its first payment: see recordPlanPayment, or checkoutPlan where a payment provider is connected.",
		Fails:       append([]error{ErrUnknown, ErrNotOnSale, ErrNoTrial, ErrTrialUsed, ErrRuns, ErrOther}, missing...),
	}))
	api.Get(r, "/v1/members/{ref}/plan/payments", s.getPayments, api.Doc{
		ID: "listPlanPayments", Summary: "List what a member paid for memberships, newest first.", Tags: tags, Needs: staff.ReadMembers, Fails: append([]error{api.ErrCursor}, missing...),
	})
	api.Post(r, "/v1/members/{ref}/plan/payments", s.postPayment, own(api.Doc{
		ID: "recordPlanPayment", Summary: "Record a payment: it begins a membership, or renews the one that runs.", Needs: staff.MovePoints, Status: http.StatusCreated,
		Description: "One payment counts once for ever: it is known by its method and reference. One period may be paid ahead; a payment in the days of grace goes on without a gap.",
		Fails:       append([]error{ErrUnknown, ErrNone, ErrOther, ErrNotOnSale, ErrNotRenewed, ErrAhead, ErrAmount, ErrPaid}, missing...),
	}))
	api.Post(r, "/v1/members/{ref}/plan/cancel", s.postCancel, own(api.Doc{
		ID: "cancelMembership", Summary: "Cancel a membership: at the end of what is paid, or at once.", Needs: staff.ServeMembers, Status: http.StatusOK,
		Description: "At once gives nothing back: see refundMembership. In the days of grace both end it at once.", Fails: append([]error{ErrNone}, missing...),
	}))
	api.Post(r, "/v1/members/{ref}/plan/resume", s.postResume, own(api.Doc{
		ID: "resumeMembership", Summary: "Take back a cancellation before it has ended the membership.", Needs: staff.ServeMembers, Status: http.StatusOK,
		Fails: append([]error{ErrNotCancel}, missing...),
	}))
	api.Post(r, "/v1/members/{ref}/plan/refund", s.postRefund, own(api.Doc{
		ID: "refundMembership", Summary: "End a membership and give back what was paid for days that have not begun.", Needs: staff.AdjustPoints, Status: http.StatusOK,
		Description: "amount × unused days ÷ days of the period, rounded once, half up; points that came with the payment are taken back in the same proportion. With dry_run it says how much that is.",
		Fails:       append([]error{ErrNoRefund, ErrTooMuch}, missing...),
	}))
}

// own are the marks of routes whose key is kept by the posting engine.
func own(d api.Doc) api.Doc {
	d.Tags, d.KeyRequired, d.OwnKey = tags, true, true
	return d
}

// MembershipOf reads what a member has today.
func (s *Service) MembershipOf(ctx context.Context, m member.ID) (MembershipView, error) {
	got, err := s.read(ctx, m)
	if err != nil {
		return MembershipView{}, err
	}
	return s.book().view(&got, s.Today()), nil
}

type membershipOut struct{ Body MembershipView }

func (s *Service) getMembership(ctx context.Context, in *ledger.MemberRef) (*membershipOut, error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	v, err := s.MembershipOf(ctx, m)
	return &membershipOut{v}, err
}

// answered is what a handler returns of an Answer of the engine.
func answered(a ledger.Answer) (*api.RawOf[Answer], error) {
	if a.Raw.Status == 0 {
		return nil, a.Err
	}
	if v, ok := a.Value.(*Answer); ok && v.repeated {
		a.Raw.Replayed = true
	}
	return &api.RawOf[Answer]{Raw: a.Raw}, nil
}

type trialIn struct {
	ledger.MemberRef
	ledger.DryRun
	Body struct {
		Plan string `json:"plan" minLength:"1" maxLength:"64" doc:"Code or id of the plan." example:"gold"`
	}
}

func (s *Service) postTrial(ctx context.Context, in *trialIn) (*api.RawOf[Answer], error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	return s.StartTrial(ctx, m, in.Body.Plan, in.DryRun.DryRun)
}

// StartTrial begins the trial of a plan. The key of the request is kept with it.
func (s *Service) StartTrial(ctx context.Context, m member.ID, ref string, dry bool) (*api.RawOf[Answer], error) {
	p, err := s.planOf(ref, "body.plan")
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, ErrUnknown.At("body.plan")
	}
	return answered(s.post(ctx, m, dry, func(b base) ledger.Command { return startTrial{b, p} }))
}

type paymentsIn struct {
	ledger.MemberRef
	api.Page
}

type paymentsOut struct{ Body api.List[PaymentView] }

func (s *Service) getPayments(ctx context.Context, in *paymentsIn) (*paymentsOut, error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.Payments(ctx, m, in.Page)
	return &paymentsOut{list}, err
}

// Payments is a page of what a member paid, newest first.
func (s *Service) Payments(ctx context.Context, m member.ID, page api.Page) (out api.List[PaymentView], err error) {
	at, err := api.DecodeCursor(page.Cursor, 1)
	if err != nil {
		return out, err
	}
	before := int64(math.MaxInt64)
	if at != nil {
		before = at[0]
	}
	list, err := s.periods(ctx, m, before, page.Limit+1)
	out.Items = []PaymentView{}
	b := s.book()
	for i := range list {
		if i == page.Limit {
			out.NextCursor = api.EncodeCursor(list[i-1].Seq)
			break
		}
		out.Items = append(out.Items, *b.payment(&list[i]))
	}
	return out, err
}

type paymentIn struct {
	ledger.MemberRef
	ledger.DryRun
	Body struct {
		Plan      string `json:"plan,omitempty" maxLength:"64" doc:"Code or id of the plan; may be left out to renew the one that runs." example:"gold"`
		Amount    int64  `json:"amount" minimum:"0" maximum:"100000000" doc:"In minor units of the currency: the price, or another amount with a reason."`
		Currency  string `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code." example:"CNY"`
		Method    string `json:"method" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"How it was paid." example:"wechat"`
		Reference string `json:"reference,omitempty" maxLength:"128" doc:"Number of the payment, unique in its method. Without one only the Idempotency-Key keeps it from counting twice."`
		Reason    string `json:"reason,omitempty" maxLength:"500" doc:"Why it is not the price."`
	}
}

func (s *Service) postPayment(ctx context.Context, in *paymentIn) (*api.RawOf[Answer], error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	b := in.Body
	return s.Pay(ctx, m, Payment{b.Plan, b.Amount, b.Currency, b.Method, b.Reference, b.Reason}, in.DryRun.DryRun)
}

// Payment is one that somebody took.
type Payment struct {
	Plan      string // code or id; may be empty to renew the one that runs
	Amount    int64
	Currency  string
	Method    string // how it was paid: "wechat"
	Reference string // unique in its method
	Reason    string // why it is not the price
}

// Pay records a payment. The key of the request is kept with it.
func (s *Service) Pay(ctx context.Context, m member.ID, p Payment, dry bool) (*api.RawOf[Answer], error) {
	of, err := s.planOf(p.Plan, "body.plan")
	if err != nil {
		return nil, err
	}
	return answered(s.post(ctx, m, dry, func(base base) ledger.Command {
		return pay{base: base, plan: of, amount: p.Amount, currency: p.Currency, method: p.Method, reference: p.Reference, reason: p.Reason}
	}))
}

type cancelIn struct {
	ledger.MemberRef
	ledger.DryRun
	Body struct {
		When string `json:"when" enum:"end,now" doc:"end: it runs until what is paid for is over; now: it ends at once."`
	}
}

func (s *Service) postCancel(ctx context.Context, in *cancelIn) (*api.RawOf[Answer], error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	return s.Cancel(ctx, m, in.Body.When == "now", in.DryRun.DryRun)
}

// Cancel cancels a membership. The key of the request is kept with it.
func (s *Service) Cancel(ctx context.Context, m member.ID, now, dry bool) (*api.RawOf[Answer], error) {
	return answered(s.post(ctx, m, dry, func(b base) ledger.Command { return cancel{b, now} }))
}

type resumeIn struct {
	ledger.MemberRef
	ledger.DryRun
}

func (s *Service) postResume(ctx context.Context, in *resumeIn) (*api.RawOf[Answer], error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	return s.Resume(ctx, m, in.DryRun.DryRun)
}

// Resume takes a cancellation back. The key of the request is kept with it.
func (s *Service) Resume(ctx context.Context, m member.ID, dry bool) (*api.RawOf[Answer], error) {
	return answered(s.post(ctx, m, dry, func(b base) ledger.Command { return resume{b} }))
}

type refundIn struct {
	ledger.MemberRef
	ledger.DryRun
	Body struct {
		Amount    *int64 `json:"amount,omitempty" minimum:"1" maximum:"100000000" doc:"Instead of what the unused days are worth; at most what was paid for periods that are not over."`
		Method    string `json:"method,omitempty" maxLength:"40" doc:"How it is given back; as it was paid where absent." example:"wechat"`
		Reference string `json:"reference,omitempty" maxLength:"128" doc:"Number of the refund at whoever makes it."`
		Reason    string `json:"reason" minLength:"1" maxLength:"500" doc:"Why."`
	}
}

func (s *Service) postRefund(ctx context.Context, in *refundIn) (*api.RawOf[Answer], error) {
	m, err := s.lookup(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	b := in.Body
	return s.Refund(ctx, m, RefundOrder{b.Amount, b.Method, b.Reference, b.Reason}, in.DryRun.DryRun)
}

// RefundOrder says how a membership is refunded.
type RefundOrder struct {
	Amount    *int64 // instead of what the unused days are worth
	Method    string
	Reference string
	Reason    string
}

// Refund ends a membership and gives back what was not used. The key of the request is kept
// with it.
func (s *Service) Refund(ctx context.Context, m member.ID, o RefundOrder, dry bool) (*api.RawOf[Answer], error) {
	a := s.post(ctx, m, dry, func(base base) ledger.Command { return refund{base, o.Amount, o.Method, o.Reference, o.Reason} })
	if a.Err == nil && !dry {
		s.refundCharges(ctx)
	}
	return answered(a)
}
