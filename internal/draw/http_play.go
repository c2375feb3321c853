package draw

import (
	"context"
	"net/http"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
)

// whyNot is why a play may be refused.
var whyNot = []error{ErrNotFound, ErrNotLive, ErrAudience, ErrToday, ErrOften, ErrNonce, ErrPaying, ErrBusy, ledger.ErrInsufficient, ledger.ErrMayNotEarn, ledger.ErrMayNotSpend, ledger.ErrLimit, ledger.ErrMember}

func (s *Service) playRoutes(r *api.Router) {
	api.Get(r, "/v1/draws/{id}/figures", s.getFigures, api.Doc{ID: "drawFigures", Summary: "Say what a draw came to: plays, members, what was paid, prizes given against those expected.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Get(r, "/v1/draws/{id}/plays", s.getPlays, api.Doc{ID: "listDrawPlays", Summary: "List who played a draw, the newest first.", Tags: tags, Needs: staff.ReadMembers, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/v1/members/{ref}/plays", s.getMemberPlays, api.Doc{ID: "listMemberPlays", Summary: "List what a member played and won, the newest first.", Tags: tags, Needs: staff.ReadMembers,
		Fails: []error{member.ErrNotFound, member.ErrRef, member.ErrQR, api.ErrCursor}})
	api.Post(r, "/v1/members/{ref}/plays", s.postMemberPlay, api.Doc{ID: "playForMember", Summary: "Play a draw for a member who stands at the counter, or at a screen of the shop.", Tags: tags, Needs: staff.MovePoints,
		Description: "One posting: the price is taken and the prize given, or neither. It cannot be tried without effect: that would tell the outcome.",
		Status:      http.StatusCreated, KeyRequired: true, OwnKey: true, Fails: slices.Concat(whyNot, []error{member.ErrNotFound, member.ErrRef, member.ErrQR})})
	api.Get(r, "/v1/draw-prizes/{code}", s.getPrize, api.Doc{ID: "getDrawPrize", Summary: "Find a prize by its pick-up code.", Tags: tags, Needs: staff.MovePoints, Fails: []error{ErrNoPrize}})
	api.Post(r, "/v1/draw-prizes/{code}/hand-out", s.postHandOut, api.Doc{ID: "handOutDrawPrize", Summary: "Mark a prize as handed out, once.", Tags: tags, Needs: staff.MovePoints, Fails: []error{ErrNoPrize, ErrHanded}})
}

type figuresOut struct {
	Body struct {
		Plays      int64         `json:"plays" doc:"Plays so far."`
		Members    int64         `json:"members" doc:"Members who played at least once, each record counted once."`
		Free       int64         `json:"free" doc:"Of the plays, those that cost nothing."`
		Paid       []costView    `json:"paid" doc:"What the others cost the members, by currency."`
		Worth      int64         `json:"worth" doc:"What the prizes given are worth, in the units of the budget."`
		BudgetLeft *int64        `json:"budget_left,omitempty" doc:"What is left of the budget; absent where it has no bound."`
		Guaranteed int64         `json:"guaranteed" doc:"Prizes that the guarantee gave, on top of what the odds make expected."`
		Owed       int64         `json:"owed" doc:"Prizes that could not be given at once, and are seen to at the counter."`
		Prizes     []prizeFigure `json:"prizes" doc:"By prize, those that were taken out of the draw too; nothing comes last, with an empty code."`
		Table      Table         `json:"table" doc:"The odds in force; number 0 before the draw is published."`
	}
}

type costView struct {
	Currency string `json:"currency" doc:"Code of the currency."`
	Amount   int64  `json:"amount" doc:"In its smallest unit."`
}

type prizeFigure struct {
	Code     string  `json:"code" doc:"The prize; empty for nothing."`
	Given    int64   `json:"given" doc:"How often it was won."`
	Expected float64 `json:"expected" doc:"How often it was to be expected by the odds in force at each play, without the guarantee."`
	Left     *int64  `json:"left,omitempty" doc:"How many are left; absent where that has no bound."`
}

func (s *Service) getFigures(ctx context.Context, in *Ref) (*figuresOut, error) {
	g, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	f, err := s.Figures(ctx, g)
	if err != nil {
		return nil, err
	}
	out := &figuresOut{}
	b := &out.Body
	b.Plays, b.Members, b.Free, b.Worth, b.Guaranteed, b.Owed, b.Table = f.Plays, f.Members, f.Free, f.Worth, f.Sure, f.Owed, f.Table
	b.Paid, b.Prizes = []costView{}, []prizeFigure{}
	for _, c := range sortedKeys(f.Paid) {
		b.Paid = append(b.Paid, costView{c, f.Paid[c]})
	}
	if f.BudgetLeft >= 0 {
		b.BudgetLeft = &f.BudgetLeft
	}
	nothing, seen := prizeFigure{Given: f.Plays, Expected: float64(f.Plays)}, map[string]bool{}
	add := func(code string) {
		p := prizeFigure{Code: code, Given: f.Given[code], Expected: f.Expected[code]}
		if n, is := f.Left[code]; is && n >= 0 {
			p.Left = &n
		}
		b.Prizes, seen[code] = append(b.Prizes, p), true
		nothing.Given, nothing.Expected = nothing.Given-p.Given, nothing.Expected-p.Expected
	}
	for _, p := range g.Terms.Prizes {
		add(p.Code)
	}
	for _, code := range sortedKeys(f.Expected) {
		if !seen[code] {
			add(code)
		}
	}
	b.Prizes = append(b.Prizes, nothing)
	if b.Table.Odds == nil {
		b.Table.Odds = []Odds{}
	}
	return out, nil
}

type playsOut struct{ Body api.List[PlayView] }

func (s *Service) views(list []*Play, next string) *playsOut {
	games := s.now.Load().games
	out := &playsOut{api.List[PlayView]{Items: []PlayView{}, NextCursor: next}}
	for _, p := range list {
		out.Body.Items = append(out.Body.Items, view(games[p.Draw], p))
	}
	return out
}

type playsIn struct {
	Ref
	api.Page
}

func (s *Service) getPlays(ctx context.Context, in *playsIn) (*playsOut, error) {
	g, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.Plays(ctx, g, in.Page)
	if err != nil {
		return nil, err
	}
	out := s.views(list, next)
	for i := range out.Body.Items { // a code is for whoever stands at the counter, not for who reads lists
		out.Body.Items[i].PickUp, out.Body.Items[i].Coupon = "", ""
	}
	return out, member.NameAll(ctx, s.o.Members, out.Body.Items, func(v *PlayView) (string, *string) { return v.Member, &v.MemberName })
}

type memberPlaysIn struct {
	ledger.MemberRef
	api.Page
}

func (s *Service) getMemberPlays(ctx context.Context, in *memberPlaysIn) (*playsOut, error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	list, next, err := s.OfMember(ctx, m, in.Page)
	if err != nil {
		return nil, err
	}
	return s.views(list, next), nil
}

type memberPlayIn struct {
	ledger.MemberRef
	Body struct {
		Draw  string `json:"draw" minLength:"1" maxLength:"40" doc:"The draw: drw_…, or its code."`
		Nonce string `json:"nonce,omitempty" maxLength:"64" doc:"What the member throws in, so that the shop cannot know the outcome beforehand: letters, digits, dashes and underscores. One is made where it is absent."`
		Pay   *int64 `json:"pay,omitempty" minimum:"0" doc:"What the member has agreed to pay, 0 for a free play; the play is refused where it costs something else. Absent for whatever it costs."`
	}
}

func (s *Service) postMemberPlay(ctx context.Context, in *memberPlayIn) (*api.RawOf[Played], error) {
	m, err := s.memberOf(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	return answered(s.Play(ctx, m, in.Body.Draw, Wish{Nonce: in.Body.Nonce, Pay: in.Body.Pay}))
}

// answered is what a handler returns of an Answer.
func answered(a ledger.Answer) (*api.RawOf[Played], error) {
	if a.Raw.Status == 0 {
		return nil, a.Err
	}
	return &api.RawOf[Played]{Raw: a.Raw}, nil
}

type prizeIn struct {
	Code string `path:"code" minLength:"1" maxLength:"40" doc:"The pick-up code, with or without dashes." example:"K7M2Q-9XHT-4WBE"`
}

type prizeOut struct{ Body PlayView }

func (s *Service) prizeView(ctx context.Context, p *Play, err error) (*prizeOut, error) {
	if err != nil {
		return nil, err
	}
	list := []PlayView{view(s.now.Load().games[p.Draw], p)}
	err = member.NameAll(ctx, s.o.Members, list, func(v *PlayView) (string, *string) { return v.Member, &v.MemberName })
	return &prizeOut{list[0]}, err
}

func (s *Service) getPrize(ctx context.Context, in *prizeIn) (*prizeOut, error) {
	p, err := s.Prize(ctx, in.Code)
	return s.prizeView(ctx, p, err)
}

func (s *Service) postHandOut(ctx context.Context, in *prizeIn) (*prizeOut, error) {
	p, err := s.HandOut(ctx, in.Code)
	return s.prizeView(ctx, p, err)
}
