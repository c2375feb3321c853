package member

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) mergeRoutes(r *api.Router) {
	api.Post(r, "/v1/members/{ref}/merge", s.postMerge, api.Doc{
		ID: "mergeMember", Summary: "Merge a member into another, who goes on.", Tags: routeTags, Needs: staff.ManageMembers,
		Description: "Nothing is rewritten: the record points at the survivor until it is unmerged, and every identifier of either finds the survivor. The answer is the survivor.",
		Fails:       []error{ErrNotFound, ErrRef, ErrQR, ErrMergeSelf, ErrMerged, ErrMergeDeep},
	})
	api.Get(r, "/v1/members/{ref}/merge", s.getMerge, api.Doc{
		ID: "previewMerge", Summary: "Show what a merge would join, and change nothing.", Tags: routeTags, Needs: staff.ManageMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrMergeSelf},
	})
	api.Post(r, "/v1/members/{ref}/unmerge", s.postUnmerge, api.Doc{
		ID: "unmergeMember", Summary: "Take a record out of the member that it was merged into.", Tags: routeTags, Needs: staff.ManageMembers,
		Description: "Name the record by its own id or by an identifier of its own. The answer is the record, standing for itself again.",
		Fails:       []error{ErrNotFound, ErrRef, ErrQR, ErrNotMerged},
	})
	blocked := []error{ErrNotFound, ErrRef, ErrSwitches, ErrNoWallets}
	api.Post(r, "/v1/members/{ref}/block", s.postBlock, api.Doc{
		ID: "blockMember", Summary: "Stop a member from earning, spending, or both.", Tags: routeTags, Needs: staff.ManageMembers, Fails: blocked,
	})
	api.Post(r, "/v1/members/{ref}/unblock", s.postUnblock, api.Doc{
		ID: "unblockMember", Summary: "Let a member earn, spend, or both again.", Tags: routeTags, Needs: staff.ManageMembers, Fails: blocked,
	})
}

type mergeIn struct {
	ByRef
	Body struct {
		Into string `json:"into" minLength:"1" maxLength:"400" doc:"The member who goes on, named in any way."`
	}
}

func (s *Service) postMerge(ctx context.Context, in *mergeIn) (*memberOut, error) {
	from, into, err := in.pair(in.Body.Into, "body.into")
	if err != nil {
		return nil, err
	}
	m, err := s.Merge(ctx, from, into)
	return s.answer(ctx, m, err)
}

// pair reads the two members of a merge.
func (in ByRef) pair(other, location string) (from, into Ref, err error) {
	if from, err = in.parse(); err != nil {
		return Ref{}, Ref{}, err
	}
	if into, err = ParseRef(other); err != nil {
		return Ref{}, Ref{}, errs.As(err).At(location)
	}
	return from, into, nil
}

type previewIn struct {
	ByRef
	Into string `query:"into" required:"true" minLength:"1" maxLength:"400" doc:"The member who would go on."`
}

type previewOut struct {
	Body struct {
		From        lineView         `json:"from" doc:"The record that would be merged."`
		Into        lineView         `json:"into" doc:"The member who would go on."`
		Identifiers []identifierView `json:"identifiers" doc:"What the survivor would also be found by; values masked."`
		Tags        []string         `json:"tags" doc:"The tags that the survivor would gain."`
	}
}

func (s *Service) getMerge(ctx context.Context, in *previewIn) (*previewOut, error) {
	from, into, err := in.pair(in.Into, "query.into")
	if err != nil {
		return nil, err
	}
	p, err := s.PreviewMerge(ctx, from, into)
	if err != nil {
		return nil, err
	}
	out := &previewOut{}
	out.Body.From, out.Body.Into = viewLine(p.From), viewLine(p.Into)
	out.Body.Identifiers = viewIdentifiers(p.Identifiers)
	for i, one := range out.Body.Identifiers {
		out.Body.Identifiers[i].Value = Mask(one.Kind, one.Value)
	}
	out.Body.Tags = append([]string{}, p.Tags...)
	return out, nil
}

func (s *Service) postUnmerge(ctx context.Context, in *ByRef) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	m, err := s.Unmerge(ctx, ref)
	return s.answer(ctx, m, err)
}

type blockIn struct {
	ByRef
	Body struct {
		Earn   *bool  `json:"earn,omitempty" doc:"Change whether the member may earn. Without earn and spend, both change."`
		Spend  *bool  `json:"spend,omitempty" doc:"Change whether the member may spend."`
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why, for colleagues."`
	}
}

func (s *Service) postBlock(ctx context.Context, in *blockIn) (*memberOut, error) {
	return s.throw(ctx, in, false)
}

func (s *Service) postUnblock(ctx context.Context, in *blockIn) (*memberOut, error) {
	return s.throw(ctx, in, true)
}

// throw sets the switches that the request names to one position.
func (s *Service) throw(ctx context.Context, in *blockIn, may bool) (*memberOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	named := func(b *bool) bool { return b != nil && *b }
	earn, spend := named(in.Body.Earn), named(in.Body.Spend)
	if in.Body.Earn == nil && in.Body.Spend == nil {
		earn, spend = true, true
	}
	m, err := s.SetSwitches(ctx, ref, position(earn, may), position(spend, may), in.Body.Reason)
	return s.answer(ctx, m, err)
}

// position is where a switch goes, nil for one that is not named.
func position(named, may bool) *bool {
	if !named {
		return nil
	}
	return &may
}

// maxReason bounds the reason of a block, in characters.
const maxReason = 500

// SetSwitches sets whether a member may earn and spend, in the ledger, which also tells of
// it; nil leaves a switch as it is.
func (s *Service) SetSwitches(ctx context.Context, ref Ref, earn, spend *bool, reason string) (Member, error) {
	if earn == nil && spend == nil || reason == "" || !printable(reason, maxReason) {
		return Member{}, ErrSwitches.With("max", maxReason)
	}
	if s.hooks.Switches == nil {
		return Member{}, ErrNoWallets
	}
	who, err := s.Find(ctx, ref)
	if err != nil {
		return Member{}, err
	}
	if err := s.hooks.Switches.SetSwitches(ctx, who, earn, spend, reason); err != nil {
		return Member{}, err
	}
	return s.get(ctx, who)
}
