package staff

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

// Routes adds what this package serves of approvals.
func (s *Approvals) Routes(r *api.Router) {
	tags := []string{"Approvals"}
	reading, deciding := s.permissions(reads), s.permissions(decides)
	api.Get(r, "/v1/approvals", s.listApprovals, api.Doc{ID: "listApprovals", Summary: "List what waits, or waited, for a second person.", Tags: tags, OneOf: reading,
		Description: "Of the kinds that the caller may read: adjustments need points.read. A caller who is limited to merchants sees theirs only, so a page may hold fewer than was asked for.",
		Fails:       []error{api.ErrPermission}})
	api.Get(r, "/v1/approvals/{id}", s.getApproval, api.Doc{ID: "getApproval", Summary: "Read an approval.", Tags: tags, OneOf: reading, Fails: []error{ErrNoApproval, api.ErrPermission}})
	for _, d := range []struct {
		path, id, summary string
		to                ApprovalState
		needs             []api.Permission
		fails             []error
	}{
		{"approve", "approve", "Agree to what was asked for, which is carried out by it.", Approved, deciding, []error{ErrOwn}},
		{"reject", "reject", "Refuse what was asked for.", Rejected, deciding, []error{ErrOwn}},
		{"withdraw", "withdrawApproval", "Take back what one asked for oneself.", Withdrawn, nil, []error{ErrNotOwn}},
	} {
		handler := func(ctx context.Context, in *decideIn) (*api.RawOf[Decided], error) {
			return s.postDecision(ctx, in, d.to)
		}
		api.Post(r, "/v1/approvals/{id}/"+d.path, handler, api.Doc{ID: d.id, Summary: d.summary, Tags: tags, KeyRequired: true, OneOf: d.needs,
			Description: "Of many who decide at once, one does; who says the same again gets the same answer. Where it cannot be carried out, the refusal is that of what was asked for, and it waits on.",
			Fails:       append(d.fails, ErrNoApproval, ErrDecided, api.ErrPermission)})
	}
}

type approvalsIn struct {
	api.Page
	State ApprovalState `query:"state" enum:"waiting,approved,rejected,withdrawn,expired" default:"waiting" doc:"Which ones."`
	Kind  string        `query:"kind" maxLength:"40" doc:"Only this kind: adjustment."`
	Mine  bool          `query:"mine" doc:"Only what the caller asked for."`
}

type approvalsOut struct{ Body api.List[ApprovalView] }

// permissions are those of the kinds, each once, sorted. Which of them it takes depends on
// the kind of what is asked for, so the handlers look once more.
func (s *Approvals) permissions(of func(ApprovalKind) api.Permission) (list []api.Permission) {
	for _, k := range s.kinds {
		list = append(list, of(k))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func reads(k ApprovalKind) api.Permission   { return k.Reads }
func decides(k ApprovalKind) api.Permission { return k.Decides }

func (s *Approvals) listApprovals(ctx context.Context, in *approvalsIn) (*approvalsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if after == nil {
		after = []int64{1<<63 - 1}
	}
	f := ApprovalFilter{State: in.State, Kind: in.Kind}
	if in.Mine {
		f.AskedBy = ActorOf(ctx)
	}
	list, err := s.List(ctx, f, after[0], in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &approvalsOut{}
	out.Body.Items = []ApprovalView{}
	for i, a := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].ID)
			break
		}
		if s.shows(ctx, a) {
			out.Body.Items = append(out.Body.Items, s.view(a))
		}
	}
	return out, nil
}

type approvalRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The approval."`
}

type approvalOut struct{ Body ApprovalView }

func (s *Approvals) getApproval(ctx context.Context, in *approvalRef) (*approvalOut, error) {
	a, _, err := s.find(ctx, in.ID)
	if err == nil && !s.shows(ctx, a) {
		err = ErrNoApproval
	}
	if err != nil {
		return nil, err
	}
	return &approvalOut{s.view(a)}, nil
}

type decideIn struct {
	ID     string `path:"id" minLength:"1" maxLength:"64" doc:"The approval."`
	DryRun bool   `query:"dry_run" doc:"Work out the same answer and keep nothing."`
}

// Decided is the answer to a decision.
type Decided struct {
	Approval ApprovalView `json:"approval" doc:"What was decided."`
	Entry    any          `json:"entry,omitempty" doc:"Of an adjustment that was approved: what was posted, as the route of adjustments answers; absent otherwise."`
}

func (s *Approvals) postDecision(ctx context.Context, in *decideIn, to ApprovalState) (*api.RawOf[Decided], error) {
	d, err := s.Decide(ctx, in.ID, to, in.DryRun)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(Decided{s.view(d.Approval), d.Entry})
	if err != nil {
		return nil, fmt.Errorf("answer the decision on %s: %w", in.ID, err)
	}
	return &api.RawOf[Decided]{Raw: api.Raw{Status: http.StatusOK, Body: body, Replayed: d.Repeated}}, nil
}
