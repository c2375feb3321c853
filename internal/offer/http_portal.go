package offer

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

var portalTags = []string{"Portal"}

// self is the member who makes a request of the portal.
func self(ctx context.Context) (int64, error) {
	c := api.CallerOf(ctx)
	m, err := member.ParseID(c.ID)
	if c.Kind != "member" || err != nil {
		return 0, api.ErrNotSignedIn
	}
	return int64(m), nil
}

func (s *Service) portalRoutes(r *api.Router) {
	acts := []error{ErrNoInstance, ErrOver, ErrNotLive, ErrAudience, ErrOften, ErrFull, ledger.ErrMember}
	api.Get(r, "/portal/v1/offers", s.getOwnOffers, api.Doc{ID: "portalOffers", Summary: "List one's offers with progress, those that one can begin first.", Tags: portalTags, Fails: []error{api.ErrCursor}})
	api.Post(r, "/portal/v1/offers/{id}/view", s.postOwnView, api.Doc{ID: "portalViewOffer", Summary: "Say that one has looked at an offer.", Tags: portalTags,
		Description: "The instance (ofi_…), or an open offer that is not begun (off_…).", Fails: acts})
	api.Post(r, "/portal/v1/offers/{id}/accept", s.postOwnAccept, api.Doc{ID: "portalAcceptOffer", Summary: "Take part in an offer.", Tags: portalTags, Fails: acts})
	api.Get(r, "/portal/v1/badges", s.getOwnBadges, api.Doc{ID: "portalBadges", Summary: "List one's badges.", Tags: portalTags})
	api.Get(r, "/portal/v1/check-in", s.getOwnCheckIn, api.Doc{ID: "portalCheckInState", Summary: "Say where one stands on the ladder of daily check-ins.", Tags: portalTags})
	api.Post(r, "/portal/v1/check-in", s.postOwnCheckIn, api.Doc{ID: "portalCheckIn", Summary: "Check in for today; once a day, however often it is sent.", Tags: portalTags, Fails: []error{ErrNoCheckIn, ledger.ErrMember}})
	api.Get(r, "/portal/v1/leaderboards", s.getOwnBoards, api.Doc{ID: "portalLeaderboards", Summary: "List leaderboards with the first places and one's own, of this cycle and the last.", Tags: portalTags})
	api.Put(r, "/portal/v1/leaderboards/visibility", s.putVisible, api.Doc{ID: "portalLeaderboardVisibility", Summary: "Say whether one wants to be on leaderboards.", Tags: portalTags})
}

type ownOffersIn struct{ api.Page }

func (s *Service) getOwnOffers(ctx context.Context, in *ownOffersIn) (*instancesOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return s.instancesOf(ctx, m, in.Page, true)
}

type ownOfferIn struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The instance (ofi_…), or an open offer (off_…)."`
}

func (s *Service) postOwnView(ctx context.Context, in *ownOfferIn) (*instanceOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.See(ctx, m, in.ID, s.nowMS())
	return s.answerInstance(ctx, i, err)
}

func (s *Service) postOwnAccept(ctx context.Context, in *ownOfferIn) (*instanceOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	i, err := s.Accept(ctx, m, in.ID, s.nowMS())
	return s.answerInstance(ctx, i, err)
}

func (s *Service) getOwnBadges(ctx context.Context, _ *struct{}) (*wonOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return s.won(ctx, m)
}

// ownCheckIn is the ladder as a member sees it.
type ownCheckIn struct {
	Active       bool    `json:"active" doc:"Whether there is a daily check-in."`
	Today        bool    `json:"today" doc:"One has checked in today."`
	Run          int64   `json:"run" doc:"Days in a row, up to today or yesterday."`
	Total        int64   `json:"total" doc:"All days so far."`
	Next         int64   `json:"next" doc:"What the next check-in gives."`
	Steps        []int64 `json:"steps" doc:"What each day in a row gives."`
	Cyclic       bool    `json:"cyclic" doc:"After the last step begins the first."`
	Currency     string  `json:"currency,omitempty" doc:"Code of the currency."`
	CurrencyName string  `json:"currency_name,omitempty" doc:"Its name, in the language of the caller."`
}

type ownCheckInOut struct{ Body ownCheckIn }

func (s *Service) getOwnCheckIn(ctx context.Context, _ *struct{}) (*ownCheckInOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return s.checkInState(ctx, m)
}

func (s *Service) checkInState(ctx context.Context, m int64) (*ownCheckInOut, error) {
	st, err := s.CheckInOf(ctx, m)
	if err != nil {
		return nil, err
	}
	l := s.Ladder()
	v := ownCheckIn{Active: l.Active, Today: st.Today, Run: st.Run, Total: st.Total, Next: st.Next, Steps: append([]int64{}, l.Steps...), Cyclic: l.Cyclic, Currency: l.Currency}
	if cur := s.o.Ledger.Config().ByCode[l.Currency]; cur != nil {
		v.CurrencyName = i18n.Pick(api.Language(ctx), cur.NameEN, cur.NameZH)
	}
	return &ownCheckInOut{v}, nil
}

func (s *Service) postOwnCheckIn(ctx context.Context, _ *struct{}) (*checkedInOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return s.answerCheckIn(s.CheckIn(ctx, m, s.nowMS(), false))
}

type ownBoard struct {
	BoardHead
	Until   time.Time  `json:"until" doc:"The first instant after this cycle."`
	Top     []rankView `json:"top" doc:"The first places of this cycle."`
	Own     rankView   `json:"own" doc:"Where one stands; place 0 where one does not."`
	Last    []rankView `json:"last" doc:"The first places of the cycle before, once it is frozen."`
	Visible bool       `json:"visible" doc:"One is on leaderboards."`
}

type ownBoardsOut struct {
	Body struct {
		Items []ownBoard `json:"items" doc:"All that are live; there are few."`
	}
}

func (s *Service) getOwnBoards(ctx context.Context, _ *struct{}) (*ownBoardsOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	out := &ownBoardsOut{}
	out.Body.Items = []ownBoard{}
	for _, b := range s.Boards() {
		if b.State != Live {
			continue
		}
		v, err := s.ownBoard(ctx, b, m)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

func (s *Service) ownBoard(ctx context.Context, b *Board, m int64) (v ownBoard, err error) {
	cycle := s.cycle(b, s.nowMS())
	shown := int(b.Terms.Shown)
	if shown == 0 {
		shown = 50
	}
	shown = min(shown, 200)
	top, _, err := s.Standings(ctx, b, cycle, api.Page{Limit: shown})
	if err != nil {
		return v, err
	}
	own, hidden, err := s.Own(ctx, b, cycle, m)
	if err != nil {
		return v, err
	}
	out, err := s.optedOut(ctx, m)
	if err != nil {
		return v, err
	}
	v = ownBoard{BoardHead: s.head(ctx, b), Until: cycleStart(b.Terms.Every, cycle+1).Start(s.zone()).UTC(), Visible: !hidden && !out, Last: []rankView{}}
	v.Top, v.Own = s.masked(top, m), s.masked([]Ranked{own}, m)[0]
	if b.Frozen >= cycle-1 {
		last, _, err := s.Standings(ctx, b, cycle-1, api.Page{Limit: shown})
		if err != nil {
			return v, err
		}
		v.Last = s.masked(last, m)
	}
	return v, nil
}

type visibleIn struct {
	Body struct {
		Visible bool `json:"visible" doc:"Whether one wants to be on leaderboards. Who does not wins no prizes."`
	}
}

type visibleOut struct {
	Body struct {
		Visible bool `json:"visible" doc:"As it is now."`
	}
}

func (s *Service) putVisible(ctx context.Context, in *visibleIn) (*visibleOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.SetVisible(ctx, m, in.Body.Visible); err != nil {
		return nil, err
	}
	out := &visibleOut{}
	out.Body.Visible = in.Body.Visible
	return out, nil
}
