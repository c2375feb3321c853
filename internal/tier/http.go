package tier

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

const (
	schemePrefix = "tir_"
	tryPrefix    = "trt_"
)

var tags = []string{"Tiers"}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	s.schemeRoutes(r)
	s.figureRoutes(r)
	s.memberRoutes(r)
}

func (s *Service) schemeRoutes(r *api.Router) {
	wrong := []error{ErrCode, ErrName, ErrWindow, ErrTerm, ErrTwice, ErrOrder, ErrGrowth, ErrFacts, ErrOtherText, ledger.ErrCurrency, ledger.ErrAmount,
		cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost}
	api.Get(r, "/v1/tier-schemes", s.getSchemes, api.Doc{ID: "listTierSchemes", Summary: "List the tier schemes, with their drafts.", Tags: tags, Needs: staff.ReadRules,
		Description: "There are no pages: at most ten that have not ended."})
	api.Post(r, "/v1/tier-schemes", s.postScheme, api.Doc{ID: "addTierScheme", Summary: "Make a tier scheme, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: 201,
		Fails: append([]error{ErrTaken, ErrSchemes}, wrong...)})
	api.Get(r, "/v1/tier-schemes/{code}", s.getScheme, api.Doc{ID: "getTierScheme", Summary: "Read a tier scheme.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoScheme}})
	api.Put(r, "/v1/tier-schemes/{code}/draft", s.putDraft, api.Doc{ID: "putTierDraft", Summary: "Write the draft of a tier scheme; what is live stays.", Tags: tags, Needs: staff.WriteRules,
		Fails: append([]error{ErrNoScheme, ErrChanged, ErrEnded}, wrong...)})
	api.Delete(r, "/v1/tier-schemes/{code}/draft", s.deleteDraft, api.Doc{ID: "dropTierDraft", Summary: "Throw the draft of a live tier scheme away.", Tags: tags, Needs: staff.WriteRules, Status: 200,
		Fails: []error{ErrNoScheme, ErrNoDraft}})
	api.Post(r, "/v1/tier-schemes/{code}/publish", s.postPublish, api.Doc{ID: "publishTierScheme", Summary: "Make the draft live.", Tags: tags, Needs: staff.WriteRules, Status: 200,
		Description: "All members are looked at soon after. Who qualifies by the new rules rises; nobody falls before their term ends, but in schemes without terms.",
		Fails:       append([]error{ErrNoScheme, ErrChanged, ErrEnded, ErrNoDraft, ErrMain}, wrong...)})
	api.Post(r, "/v1/tier-schemes/{code}/end", s.postEnd, api.Doc{ID: "endTierScheme", Summary: "End a tier scheme for good, or give up one that was never published.", Tags: tags, Needs: staff.WriteRules, Status: 200,
		Fails: []error{ErrNoScheme, ErrChanged, ErrEnded}})
	api.Get(r, "/v1/tier-schemes/{code}/versions", s.getVersions, api.Doc{ID: "listTierVersions", Summary: "List what was published of a tier scheme, newest first.", Tags: tags, Needs: staff.ReadRules,
		Fails: []error{ErrNoScheme, api.ErrCursor}})
}

// schemeView is a tier scheme as the outside sees it.
type schemeView struct {
	ID      string    `json:"id" doc:"The scheme, as tir_…"`
	Code    string    `json:"code" doc:"Its short name."`
	State   State     `json:"state" enum:"draft,live,ended" doc:"draft: never published. A live scheme may have a draft of its next version beside it."`
	Version int64     `json:"version" doc:"Version that is live; 0 where none is."`
	Edited  int64     `json:"edited" doc:"Grows with every change: send it back so that nobody's change is lost."`
	Changed time.Time `json:"changed_at" doc:"When it was last changed."`
	Live    *Scheme   `json:"live,omitempty" doc:"What is live."`
	Draft   *Scheme   `json:"draft,omitempty" doc:"What is being prepared."`
}

func viewScheme(s Stored) schemeView {
	return schemeView{id.Encode(schemePrefix, 0, s.ID), s.Code, s.State, s.Version, s.Edited, s.Changed, s.Live, s.Draft}
}

type schemesOut struct{ Body api.List[schemeView] }

func (s *Service) getSchemes(ctx context.Context, _ *struct{}) (*schemesOut, error) {
	list, err := s.Schemes(ctx)
	if err != nil {
		return nil, err
	}
	out := &schemesOut{api.List[schemeView]{Items: []schemeView{}}}
	for _, one := range list {
		out.Body.Items = append(out.Body.Items, viewScheme(one))
	}
	return out, nil
}

// SchemeRef names the scheme that a path is about. Its name is exported because Huma fills no
// embedded field with another; so is that of Edited.
type SchemeRef struct {
	Code string `path:"code" maxLength:"40" doc:"Code of the scheme."`
}

type schemeOut struct{ Body schemeView }

func answerScheme(one Stored, err error) (*schemeOut, error) {
	if err != nil {
		return nil, err
	}
	return &schemeOut{viewScheme(one)}, nil
}

type addIn struct{ Body Scheme }

func (s *Service) postScheme(ctx context.Context, in *addIn) (*schemeOut, error) {
	return answerScheme(s.Add(ctx, in.Body))
}

func (s *Service) getScheme(ctx context.Context, in *SchemeRef) (*schemeOut, error) {
	return answerScheme(s.Scheme(ctx, in.Code))
}

// Edited is embedded by changes of a scheme.
type Edited struct {
	From int64 `query:"edited" minimum:"0" doc:"The state of the scheme that this change is made from; another one meanwhile is a conflict. 0 for any."`
}

type draftIn struct {
	SchemeRef
	Edited
	Body Scheme
}

func (s *Service) putDraft(ctx context.Context, in *draftIn) (*schemeOut, error) {
	return answerScheme(s.PutDraft(ctx, in.Code, in.From, in.Body))
}

func (s *Service) deleteDraft(ctx context.Context, in *SchemeRef) (*schemeOut, error) {
	return answerScheme(s.DropDraft(ctx, in.Code))
}

type stepIn struct {
	SchemeRef
	Edited
}

func (s *Service) postPublish(ctx context.Context, in *stepIn) (*schemeOut, error) {
	return answerScheme(s.Publish(ctx, in.Code, in.From))
}

func (s *Service) postEnd(ctx context.Context, in *stepIn) (*schemeOut, error) {
	return answerScheme(s.End(ctx, in.Code, in.From))
}

type versionsIn struct {
	SchemeRef
	api.Page
}

type versionView struct {
	Version int64     `json:"version" doc:"Its number."`
	Scheme  Scheme    `json:"scheme" doc:"What was published."`
	Actor   string    `json:"actor" doc:"Who published it, as staff:stf_…"`
	At      time.Time `json:"at" doc:"When."`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *versionsIn) (*versionsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	before := int64(1 << 62)
	if after != nil {
		before = after[0]
	}
	list, err := s.Versions(ctx, in.Code, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{api.List[versionView]{Items: []versionView{}}}
	for _, v := range list[:min(len(list), in.Limit)] {
		out.Body.Items = append(out.Body.Items, versionView(v))
	}
	if len(list) > in.Limit {
		out.Body.NextCursor = api.EncodeCursor(list[in.Limit-1].Version)
	}
	return out, nil
}

func (s *Service) memberRoutes(r *api.Router) {
	whose := []error{member.ErrNotFound, member.ErrRef, member.ErrQR}
	api.Get(r, "/v1/members/{ref}/tier", s.getMemberTier, api.Doc{ID: "getMemberTier", Summary: "Read where a member stands in every live scheme, and how far the next tier is.", Tags: tags, Needs: staff.ReadMembers, Fails: whose})
	api.Get(r, "/v1/members/{ref}/tier/history", s.getHistory, api.Doc{ID: "listMemberTierHistory", Summary: "List what changed a member's standing, newest first, with the sums that counted.", Tags: tags, Needs: staff.ReadMembers,
		Fails: append([]error{ErrNoScheme, api.ErrCursor}, whose...)})
	api.Post(r, "/v1/members/{ref}/tier", s.postMemberTier, api.Doc{ID: "setMemberTier", Summary: "Give a member a tier by hand.", Tags: tags, Needs: staff.ManageMembers, Status: 200, OwnKey: true,
		Description: "Without a lock the tier is held to its end and the member may rise meanwhile; with one nothing moves it by itself until then. No welcome bonus is given.",
		Fails:       append([]error{ErrNoScheme, ErrNoMain, ErrNoTier, ErrReason, ErrUntil}, whose...)})
	api.Delete(r, "/v1/members/{ref}/tier/lock", s.deleteLock, api.Doc{ID: "unlockMemberTier", Summary: "Take the lock off a member's tier.", Tags: tags, Needs: staff.ManageMembers, Status: 200, OwnKey: true,
		Description: "From then on the rules decide again: who qualifies for more rises at once, and the tier is held to the end of a term.",
		Fails:       append([]error{ErrNoScheme, ErrNoMain, ErrNoLock}, whose...)})
}
