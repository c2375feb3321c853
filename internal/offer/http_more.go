package offer

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) badgeRoutes(r *api.Router) {
	api.Get(r, "/v1/badges", s.getBadges, api.Doc{ID: "listBadges", Summary: "List badges, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/badges", s.postBadge, api.Doc{ID: "addBadge", Summary: "Make a badge.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated, Fails: []error{ErrCode, ErrTaken, ErrMany, ErrNames, ErrPicture}})
	api.Get(r, "/v1/badges/{id}", s.getBadge, api.Doc{ID: "getBadge", Summary: "Show a badge.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoBadge}})
	api.Patch(r, "/v1/badges/{id}", s.patchBadge, api.Doc{ID: "changeBadge", Summary: "Change a badge; what is left out stays.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNoBadge, ErrEdited, ErrNames, ErrPicture}})
}

// BadgeView is a badge as the outside sees it.
type BadgeView struct {
	ID   string `json:"id" doc:"The badge."`
	Code string `json:"code" doc:"Unique and fixed."`
	BadgeTerms
	Active  bool  `json:"active" doc:"Whether it can be chosen for offers."`
	Version int64 `json:"version" doc:"Grows with every change."`
}

func viewBadge(b *Badge) BadgeView {
	return BadgeView{b.PublicID(), b.Code, b.Terms, b.Active, b.Version}
}

type badgeOut struct{ Body BadgeView }

type badgesIn struct{ api.Page }

type badgesOut struct{ Body api.List[BadgeView] }

func answerBadge(b *Badge, err error) (*badgeOut, error) {
	if err != nil {
		return nil, err
	}
	return &badgeOut{viewBadge(b)}, nil
}

func (s *Service) getBadges(_ context.Context, in *badgesIn) (*badgesOut, error) {
	list, next, err := page(s.Badges(), func(b *Badge) int64 { return b.ID }, in.Page)
	if err != nil {
		return nil, err
	}
	out := &badgesOut{api.List[BadgeView]{Items: []BadgeView{}, NextCursor: next}}
	for _, b := range list {
		out.Body.Items = append(out.Body.Items, viewBadge(b))
	}
	return out, nil
}

type newBadgeIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on." example:"early-bird"`
		BadgeTerms
	}
}

func (s *Service) postBadge(ctx context.Context, in *newBadgeIn) (*badgeOut, error) {
	return answerBadge(s.AddBadge(ctx, in.Body.Code, in.Body.BadgeTerms))
}

// BadgeRef names the badge that a path is about.
type BadgeRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The badge: bdg_…, or its code."`
}

func (s *Service) getBadge(_ context.Context, in *BadgeRef) (*badgeOut, error) {
	return answerBadge(s.Badge(in.ID))
}

type changeBadgeIn struct {
	BadgeRef
	Body struct {
		Version int64   `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from."`
		NameEN  *string `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH  *string `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		TextEN  *string `json:"text_en,omitempty" maxLength:"500" doc:"What it is for, in English."`
		TextZH  *string `json:"text_zh,omitempty" maxLength:"500" doc:"What it is for, in Chinese."`
		Color   *string `json:"color,omitempty" maxLength:"7" pattern:"^(#[0-9a-f]{6})?$" doc:"Its colour."`
		Icon    *string `json:"icon,omitempty" maxLength:"500" doc:"A sign, or the address of a picture."`
		Active  *bool   `json:"active,omitempty" doc:"Whether it can be chosen for offers."`
	}
}

func (s *Service) patchBadge(ctx context.Context, in *changeBadgeIn) (*badgeOut, error) {
	c := &in.Body
	return answerBadge(s.ChangeBadge(ctx, in.ID, c.Version, func(b *Badge) {
		set(&b.Terms.NameEN, c.NameEN)
		set(&b.Terms.NameZH, c.NameZH)
		set(&b.Terms.TextEN, c.TextEN)
		set(&b.Terms.TextZH, c.TextZH)
		set(&b.Terms.Color, c.Color)
		set(&b.Terms.Icon, c.Icon)
		set(&b.Active, c.Active)
	}))
}

type wonView struct {
	BadgeView
	Name  string    `json:"name" doc:"In the language of the caller."`
	N     int64     `json:"times" doc:"How often it was won."`
	First time.Time `json:"first_at" doc:"When it was won first."`
	Last  time.Time `json:"last_at" doc:"When it was won last."`
}

type wonOut struct {
	Body struct {
		Items []wonView `json:"items" doc:"All of them."`
	}
}

// MemberRef names the member that a path is about.
type MemberRef struct {
	Ref string `path:"ref" minLength:"1" maxLength:"255" doc:"The member, by any identifier."`
}

func (s *Service) getMemberBadges(ctx context.Context, in *MemberRef) (*wonOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	return s.won(ctx, m)
}

func (s *Service) won(ctx context.Context, m int64) (*wonOut, error) {
	list, err := s.BadgesOf(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &wonOut{}
	out.Body.Items = []wonView{}
	for _, w := range list {
		out.Body.Items = append(out.Body.Items, wonView{viewBadge(w.Badge), i18n.Pick(api.Language(ctx), w.Badge.Terms.NameEN, w.Badge.Terms.NameZH), w.N, timeOf(w.First), timeOf(w.Last)})
	}
	return out, nil
}

func (s *Service) checkInRoutes(r *api.Router) {
	api.Get(r, "/v1/check-in", s.getLadder, api.Doc{ID: "getCheckIn", Summary: "Show the ladder of the daily check-in.", Tags: tags, Needs: staff.ReadRules})
	api.Put(r, "/v1/check-in", s.putLadder, api.Doc{ID: "setCheckIn", Summary: "Set the ladder of the daily check-in.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrLadder}})
	api.Get(r, "/v1/members/{ref}/check-in", s.getMemberCheckIn, api.Doc{ID: "getMemberCheckIn", Summary: "Say where a member stands on the ladder.", Tags: tags, Needs: staff.ReadMembers, Fails: []error{member.ErrRef, member.ErrNotFound, member.ErrQR}})
	api.Post(r, "/v1/members/{ref}/check-in", s.postMemberCheckIn, api.Doc{ID: "checkInMember", Summary: "Check a member in; once a day of the programme, however often it is sent.", Tags: tags, Needs: staff.WriteEvents,
		Description: "The same as an event of type check_in.", Fails: []error{member.ErrRef, member.ErrNotFound, member.ErrQR, ErrNoCheckIn, ErrFuture, program.ErrTime, ledger.ErrMember}})
}

type ladderOut struct{ Body Ladder }

func (s *Service) viewLadder(l Ladder) *ladderOut {
	l.Steps = append([]int64{}, l.Steps...)
	return &ladderOut{l}
}

func (s *Service) getLadder(context.Context, *struct{}) (*ladderOut, error) {
	return s.viewLadder(s.Ladder()), nil
}

type ladderIn struct{ Body Ladder }

func (s *Service) putLadder(ctx context.Context, in *ladderIn) (*ladderOut, error) {
	l, err := s.SetLadder(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return s.viewLadder(l), nil
}

func (s *Service) getMemberCheckIn(ctx context.Context, in *MemberRef) (*ownCheckInOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	return s.checkInState(ctx, m)
}

type checkInIn struct {
	MemberRef
	Body *struct {
		At string `json:"at,omitempty" maxLength:"40" doc:"When; now where absent."`
	}
}

func (in *checkInIn) at() string {
	if in.Body == nil {
		return ""
	}
	return in.Body.At
}

type checkedInOut struct {
	Body struct {
		Member   string           `json:"member_id" doc:"Who checked in."`
		Day      string           `json:"day" format:"date" doc:"For which day of the programme."`
		Run      int64            `json:"run" doc:"The how manieth day in a row it is."`
		Amount   int64            `json:"amount" doc:"What it gave; 0 where it was done before."`
		Currency string           `json:"currency,omitempty" doc:"Of which currency."`
		Repeated bool             `json:"repeated" doc:"They had checked in for that day, or a later one."`
		Balances map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`
	}
}

func (s *Service) answerCheckIn(c *CheckedIn, err error) (*checkedInOut, error) {
	if err != nil {
		return nil, err
	}
	out := &checkedInOut{}
	b := &out.Body
	b.Member, b.Day, b.Run, b.Amount, b.Currency, b.Repeated, b.Balances = member.ID(c.Member).String(), c.Day.String(), c.Run, c.Amount, s.Ladder().Currency, c.Repeated, c.Balances
	return out, nil
}

func (s *Service) postMemberCheckIn(ctx context.Context, in *checkInIn) (*checkedInOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	atMS, err := s.when(in.at(), "body.at")
	if err != nil {
		return nil, err
	}
	return s.answerCheckIn(s.CheckIn(ctx, m, atMS, false))
}
