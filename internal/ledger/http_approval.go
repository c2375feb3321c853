package ledger

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) approvalRoutes(r *api.Router) {
	tags := []string{"Approvals"}
	api.Get(r, "/v1/approvals", s.listApprovals, api.Doc{ID: "listApprovals", Summary: "List adjustments that wait, or waited, for a second person.", Tags: tags,
		Description: "A caller who is limited to merchants sees theirs only, so a page may hold fewer than was asked for.", Needs: staff.ReadPoints})
	for _, d := range []struct {
		path, id, summary string
		handler           func(context.Context, *decideIn) (*api.RawOf[Decided], error)
	}{
		{"approve", "approve", "Agree to an adjustment, which is posted by it.", s.approve},
		{"reject", "reject", "Refuse an adjustment.", s.reject},
	} {
		doc := posts(api.Doc{ID: d.id, Summary: d.summary, Needs: staff.ApprovePoints, Status: 200, Fails: []error{ErrNoApproval, ErrOwn, ErrDecided, ErrInsufficient, ErrFull}})
		doc.Tags = tags
		api.Post(r, "/v1/approvals/{id}/"+d.path, d.handler, doc)
	}
}

type approvalsIn struct {
	api.Page
	State string `query:"state" enum:"waiting,approved,rejected" default:"waiting" doc:"Which ones."`
}

type approvalsOut struct{ Body api.List[ApprovalView] }

func (s *Service) listApprovals(ctx context.Context, in *approvalsIn) (*approvalsOut, error) {
	before, err := cursorOr(in.Cursor, Never)
	if err != nil {
		return nil, err
	}
	list, err := s.approvals(ctx, in.State, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &approvalsOut{}
	out.Body.Items = []ApprovalView{}
	for i, a := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].id)
			break
		}
		if s.seesIssuer(ctx, a.issuer) {
			out.Body.Items = append(out.Body.Items, viewApproval(s.Config(), a))
		}
	}
	return out, nil
}

// seesIssuer reports whether the caller may decide for a merchant; 0 is the programme,
// for which nobody decides who has a part of it only.
func (s *Service) seesIssuer(ctx context.Context, issuer int64) bool {
	who := api.CallerOf(ctx)
	if issuer == 0 {
		return len(who.Merchants)+len(who.Stores) == 0
	}
	return s.program.Snapshot().SeesMerchant(who, issuer)
}

type decideIn struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The approval."`
	DryRun
}

func (s *Service) approve(ctx context.Context, in *decideIn) (*api.RawOf[Decided], error) {
	return s.decide(ctx, in, true)
}

func (s *Service) reject(ctx context.Context, in *decideIn) (*api.RawOf[Decided], error) {
	return s.decide(ctx, in, false)
}

func (s *Service) decide(ctx context.Context, in *decideIn, yes bool) (*api.RawOf[Decided], error) {
	m, n, err := id.Decode(approvalPrefix, in.ID)
	if err != nil {
		return nil, ErrNoApproval.At("path.id").Because(err)
	}
	c := decideCommand{member: m, approval: n, yes: yes, by: actorOf(ctx), sees: func(issuer int64) bool { return s.seesIssuer(ctx, issuer) }}
	return answered[Decided](s.engine.Do(ctx, RequestOf(ctx, c, in.DryRun.DryRun)))
}
