package portal

import (
	"context"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/plan"
)

// planRoutes show a member's paid membership, and let them begin and cancel one.
func (s *Service) planRoutes(r *api.Router) {
	api.Get(r, "/portal/v1/plan", s.getPlan, api.Doc{ID: "portalPlan", Summary: "Read one's paid membership, as it stands today.", Tags: tags})
	api.Get(r, "/portal/v1/plans", s.getPlans, api.Doc{ID: "portalPlans", Summary: "List the plans that are on offer.", Tags: tags})
	api.Get(r, "/portal/v1/plan/payments", s.getPlanPayments, api.Doc{ID: "portalPlanPayments", Summary: "List what one paid for memberships, newest first.", Tags: tags, Fails: []error{api.ErrCursor}})
	key := func(d api.Doc) api.Doc {
		d.Tags, d.KeyRequired, d.OwnKey = tags, true, true
		return d
	}
	api.Post(r, "/portal/v1/plan/trial", s.postPlanTrial, key(api.Doc{ID: "portalStartTrial", Summary: "Begin the trial of a plan.", Status: http.StatusCreated,
		Fails: []error{plan.ErrUnknown, plan.ErrNotOnSale, plan.ErrNoTrial, plan.ErrTrialUsed, plan.ErrRuns, plan.ErrOther}}))
	api.Post(r, "/portal/v1/plan/checkout", s.postPlanCheckout, api.Doc{ID: "portalCheckout", Summary: "Ask to pay for a plan, or for the next period of one's own: the answer says where.", Tags: tags, Status: http.StatusCreated,
		Fails: []error{plan.ErrUnknown, plan.ErrNone, plan.ErrOther, plan.ErrNotOnSale, plan.ErrNotRenewed, plan.ErrAhead, plan.ErrNoProvider, plan.ErrAsk}})
	api.Post(r, "/portal/v1/plan/cancel", s.postPlanCancel, key(api.Doc{ID: "portalCancelPlan", Summary: "Cancel one's membership at the end of what is paid.", Status: http.StatusOK, Fails: []error{plan.ErrNone}}))
	api.Post(r, "/portal/v1/plan/resume", s.postPlanResume, key(api.Doc{ID: "portalResumePlan", Summary: "Take one's cancellation back.", Status: http.StatusOK, Fails: []error{plan.ErrNotCancel}}))
}

type ownPlanOut struct{ Body plan.MembershipView }

func (s *Service) getPlan(ctx context.Context, _ *struct{}) (*ownPlanOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.o.Plans.MembershipOf(ctx, m)
	return &ownPlanOut{v}, err
}

// offerView is a plan as members read it.
type offerView struct {
	Code     string        `json:"code" doc:"The plan."`
	Name     string        `json:"name" doc:"Its name, in the language of the caller."`
	About    string        `json:"about,omitempty" doc:"What it is."`
	Every    plan.Every    `json:"every" enum:"month,quarter,year" doc:"How long a period is."`
	Price    money.Money   `json:"price" doc:"What a period costs."`
	Trial    int           `json:"trial_days" doc:"Days for nothing before the first period."`
	Benefits plan.Benefits `json:"benefits" doc:"What it gives."`
	Gifts    []plan.Gift   `json:"start_gifts" doc:"Points that come with the first payment."`
	Renewal  []plan.Gift   `json:"renewal_gifts" doc:"Points that come with every other payment."`
	Online   bool          `json:"pay_online" doc:"It can be paid for here; else at the shop."`
}

type offersOut struct{ Body api.List[offerView] }

func (s *Service) getPlans(ctx context.Context, _ *struct{}) (*offersOut, error) {
	out := &offersOut{}
	out.Body.Items = []offerView{}
	lang := api.Language(ctx)
	for _, p := range s.o.Plans.Offered() {
		t := p.Terms
		out.Body.Items = append(out.Body.Items, offerView{
			Code: p.Code, Name: i18n.Pick(lang, t.NameEN, t.NameZH), About: i18n.Pick(lang, t.AboutEN, t.AboutZH), Every: t.Every, Price: t.Price, Trial: t.TrialDays,
			Benefits: t.Benefits, Gifts: append([]plan.Gift{}, t.StartGifts...), Renewal: append([]plan.Gift{}, t.RenewalGifts...), Online: t.Provider != "",
		})
	}
	return out, nil
}

type planPaymentsIn struct{ api.Page }

type planPaymentsOut struct{ Body api.List[plan.PaymentView] }

func (s *Service) getPlanPayments(ctx context.Context, in *planPaymentsIn) (*planPaymentsOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.o.Plans.Payments(ctx, m, in.Page)
	return &planPaymentsOut{list}, err
}

type planIn struct {
	Body struct {
		Plan string `json:"plan" minLength:"1" maxLength:"64" doc:"Code of the plan."`
	}
}

func (s *Service) postPlanTrial(ctx context.Context, in *planIn) (*api.RawOf[plan.Answer], error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	return s.o.Plans.StartTrial(ctx, m, in.Body.Plan, false)
}

type planCheckoutIn struct {
	Body struct {
		Plan string `json:"plan,omitempty" maxLength:"64" doc:"Code of the plan; may be left out to renew one's own."`
	}
}

type planCheckoutOut struct{ Body plan.ChargeView }

func (s *Service) postPlanCheckout(ctx context.Context, in *planCheckoutIn) (*planCheckoutOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.o.Plans.Checkout(ctx, m, in.Body.Plan)
	if err != nil {
		return nil, err
	}
	return &planCheckoutOut{*v}, nil
}

func (s *Service) postPlanCancel(ctx context.Context, _ *struct{}) (*api.RawOf[plan.Answer], error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	return s.o.Plans.Cancel(ctx, m, false, false)
}

func (s *Service) postPlanResume(ctx context.Context, _ *struct{}) (*api.RawOf[plan.Answer], error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	return s.o.Plans.Resume(ctx, m, false)
}
