package plan

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Plans"}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	wrong := []error{ErrName, ErrText, ErrEvery, ErrPrice, ErrDays, ErrBenefit, ErrGift, ErrSale, ErrProvider, program.ErrLimited}
	api.Get(r, "/v1/plans", s.getPlans, api.Doc{
		ID: "listPlans", Summary: "List the plans of paid membership, the oldest first.", Tags: tags,
		Description: "Whoever is signed in may read them: a till sells them. There are at most 200, so there are no pages.",
	})
	api.Post(r, "/v1/plans", s.postPlan, api.Doc{
		ID: "addPlan", Summary: "Make a plan, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated, Fails: append([]error{ErrCode, ErrTaken, ErrMany}, wrong...),
	})
	api.Get(r, "/v1/plans/{id}", s.getPlan, api.Doc{ID: "getPlan", Summary: "Read a plan.", Tags: tags, Fails: []error{ErrUnknown}})
	api.Put(r, "/v1/plans/{id}", s.putPlan, api.Doc{
		ID: "changePlan", Summary: "Change the terms of a plan, as a whole.", Tags: tags, Needs: staff.WriteRules,
		Description: "Those who have the plan have its new benefits at once, and pay the new price from their next renewal on.",
		Fails:       append([]error{ErrUnknown, ErrChanged, ErrFixed}, wrong...),
	})
	api.Post(r, "/v1/plans/{id}/state", s.postState, api.Doc{
		ID: "setPlanState", Summary: "Put a plan on offer, pause it or end it.", Tags: tags, Needs: staff.WriteRules,
		Description: "Paused, it is not sold, and those who have it renew it. Ended, it is neither sold nor renewed; what was paid for runs to its end.",
		Fails:       []error{ErrUnknown, ErrChanged, ErrStep, program.ErrLimited},
	})
	api.Delete(r, "/v1/plans/{id}", s.deletePlan, api.Doc{
		ID: "deletePlan", Summary: "Remove a plan that nobody ever had.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent,
		Fails: []error{ErrUnknown, ErrUsed, program.ErrLimited},
	})
	api.Get(r, "/v1/plans/{id}/versions", s.getVersions, api.Doc{
		ID: "listPlanVersions", Summary: "List what a plan was like, the newest version first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrUnknown, api.ErrCursor},
	})
	api.Get(r, "/v1/plans/{id}/members", s.getMembers, api.Doc{
		ID: "listPlanMembers", Summary: "List who has a plan, or had it last.", Tags: tags, Needs: staff.ReadMembers, Fails: []error{ErrUnknown, api.ErrCursor, program.ErrDay},
		Description: "With a standing or a day the page is filtered: it may then hold fewer than limit.",
	})
	api.Get(r, "/v1/reports/plans", s.getFigures, api.Doc{
		ID: "getPlanFigures", Summary: "Report members, revenue and churn of every plan, of a month.", Tags: []string{"Reports"}, Needs: staff.ReadReports, Fails: []error{ErrMonth},
	})
	s.memberRoutes(r)
	s.chargeRoutes(r)
}

// PlanRef names the plan that a path is about.
type PlanRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The plan: id or code."`
}

type planOut struct{ Body View }

type plansOut struct{ Body api.List[View] }

func (s *Service) getPlans(context.Context, *struct{}) (*plansOut, error) {
	out := &plansOut{}
	out.Body.Items = []View{}
	for _, p := range s.Plans() {
		out.Body.Items = append(out.Body.Items, s.show(p))
	}
	return out, nil
}

func (s *Service) getPlan(_ context.Context, in *PlanRef) (*planOut, error) {
	p, err := s.book().find(in.ID)
	if err != nil {
		return nil, err
	}
	return &planOut{s.show(p)}, nil
}

type addIn struct {
	Body struct {
		Code  string `json:"code" minLength:"1" maxLength:"40" doc:"Unique among plans; never changes." example:"gold"`
		Terms Terms  `json:"terms" doc:"What it costs and gives."`
	}
}

func (s *Service) postPlan(ctx context.Context, in *addIn) (*planOut, error) {
	p, err := s.Add(ctx, in.Body.Code, in.Body.Terms)
	if err != nil {
		return nil, err
	}
	return &planOut{s.show(p)}, nil
}

type changeIn struct {
	PlanRef
	Body struct {
		Version int64 `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		Terms   Terms `json:"terms" doc:"The whole terms."`
	}
}

func (s *Service) putPlan(ctx context.Context, in *changeIn) (*planOut, error) {
	p, err := s.Edit(ctx, in.ID, in.Body.Version, in.Body.Terms)
	if err != nil {
		return nil, err
	}
	return &planOut{s.show(p)}, nil
}

type stateIn struct {
	PlanRef
	Body struct {
		State   State `json:"state" enum:"live,paused,ended" doc:"What it becomes."`
		Version int64 `json:"version,omitempty" minimum:"1" doc:"The version that the caller has seen."`
	}
}

func (s *Service) postState(ctx context.Context, in *stateIn) (*planOut, error) {
	p, err := s.SetState(ctx, in.ID, in.Body.Version, in.Body.State)
	if err != nil {
		return nil, err
	}
	return &planOut{s.show(p)}, nil
}

func (s *Service) deletePlan(ctx context.Context, in *PlanRef) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

type versionsIn struct {
	PlanRef
	api.Page
}

// VersionView is what a plan was like.
type VersionView struct {
	Version int64     `json:"version" doc:"Number of the version."`
	State   State     `json:"state" doc:"State that it was in."`
	Terms   Terms     `json:"terms" doc:"What it cost and gave."`
	At      time.Time `json:"at" doc:"From when on."`
	By      string    `json:"by" doc:"Who changed it, as staff:stf_…"`
}

type versionsOut struct{ Body api.List[VersionView] }

func (s *Service) getVersions(ctx context.Context, in *versionsIn) (*versionsOut, error) {
	p, err := s.book().find(in.ID)
	if err != nil {
		return nil, err
	}
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(math.MaxInt64)
	if at != nil {
		before = at[0]
	}
	list, err := s.Versions(ctx, p.ID, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{}
	out.Body.Items = []VersionView{}
	for i, v := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].Version)
			break
		}
		out.Body.Items = append(out.Body.Items, VersionView(v))
	}
	return out, nil
}

type membersIn struct {
	PlanRef
	api.Page
	Standing Standing `query:"standing" enum:"trial,active,cancelled_at_end,grace,ended" doc:"Only those that stand so today."`
	RenewsBy string   `query:"renews_by" maxLength:"10" doc:"Only those whose next payment is due on this date or before." example:"2026-03-31"`
}

type membersOut struct{ Body api.List[MembershipView] }

func (s *Service) getMembers(ctx context.Context, in *membersIn) (*membersOut, error) {
	p, err := s.book().find(in.ID)
	if err != nil {
		return nil, err
	}
	var by program.Day
	if in.RenewsBy != "" {
		if by, err = program.ParseDay(in.RenewsBy); err != nil {
			return nil, program.ErrDay.At("query.renews_by")
		}
	}
	at, err := api.DecodeCursor(in.Cursor, 2)
	if err != nil {
		return nil, err
	}
	after := place{shard: -1}
	if at != nil {
		after = place{at[0], at[1]}
	}
	list, more, err := s.Members(ctx, p.ID, after, in.Limit, func(m *Membership, today program.Day) bool {
		st := m.On(today)
		return (in.Standing == "" || in.Standing == st) && (by == 0 || st.Runs() && !m.Cancelled && m.Until <= by)
	})
	if err != nil {
		return nil, err
	}
	out, b, today := &membersOut{}, s.book(), s.Today()
	out.Body.Items = []MembershipView{}
	for i := range list {
		out.Body.Items = append(out.Body.Items, b.view(&list[i], today))
	}
	if more != nil {
		out.Body.NextCursor = api.EncodeCursor(more.shard, more.member)
	}
	return out, member.NameAll(ctx, s.o.Members, out.Body.Items, func(v *MembershipView) (string, *string) { return v.Member, &v.Name })
}

type figuresIn struct {
	Month string `query:"month" maxLength:"7" doc:"The month; this one where absent." example:"2026-03"`
}

type figuresOut struct{ Body Figures }

func (s *Service) getFigures(ctx context.Context, in *figuresIn) (*figuresOut, error) {
	f, err := s.Figures(ctx, in.Month)
	if err != nil {
		return nil, err
	}
	return &figuresOut{*f}, nil
}
