package offer

import (
	"context"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) boardRoutes(r *api.Router) {
	api.Get(r, "/v1/leaderboards", s.getBoards, api.Doc{ID: "listLeaderboards", Summary: "List leaderboards, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/leaderboards", s.postBoard, api.Doc{ID: "addLeaderboard", Summary: "Make a leaderboard, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated, Fails: []error{ErrCode, ErrTaken, ErrMany, ErrNames, ErrBoard}})
	api.Get(r, "/v1/leaderboards/{id}", s.getBoard, api.Doc{ID: "getLeaderboard", Summary: "Show a leaderboard.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNoBoard}})
	api.Patch(r, "/v1/leaderboards/{id}", s.patchBoard, api.Doc{ID: "changeLeaderboard", Summary: "Change, publish or end a leaderboard; what is left out stays.", Tags: tags, Needs: staff.WriteRules,
		Description: "Metric, currency and cycle are fixed once it is live. Prizes are given by what stands when a cycle is frozen.", Fails: []error{ErrNoBoard, ErrEdited, ErrNames, ErrBoard, ErrMove}})
	api.Get(r, "/v1/leaderboards/{id}/standings", s.getStandings, api.Doc{ID: "leaderboardStandings", Summary: "List the places of a cycle: as they stand, or as they were frozen.", Tags: tags, Needs: staff.ReadMembers, Fails: []error{ErrNoBoard, program.ErrDay, api.ErrCursor}})
}

// BoardHead is what everybody sees of a leaderboard.
type BoardHead struct {
	ID       string      `json:"id" doc:"The leaderboard."`
	Code     string      `json:"code" doc:"Unique and fixed."`
	Name     string      `json:"name" doc:"In the language of the caller."`
	Metric   Metric      `json:"metric" enum:"spend,visits,earned" doc:"What it counts."`
	Currency string      `json:"currency,omitempty" doc:"Of earned: code of the currency. Of spend: the programme's money."`
	Every    RepeatEvery `json:"every" enum:"day,week,month" doc:"The cycle."`
	Prizes   []Prize     `json:"prizes" doc:"What places win."`
}

func (s *Service) head(ctx context.Context, b *Board) BoardHead {
	cur := b.Terms.Currency
	if b.Terms.Metric == BySpend {
		cur = s.currency()
	}
	return BoardHead{b.PublicID(), b.Code, i18n.Pick(api.Language(ctx), b.Terms.NameEN, b.Terms.NameZH), b.Terms.Metric, cur, b.Terms.Every, append([]Prize{}, b.Terms.Prizes...)}
}

type boardView struct {
	BoardHead
	NameEN  string    `json:"name_en" doc:"English name."`
	NameZH  string    `json:"name_zh" doc:"Chinese name."`
	Shown   int64     `json:"shown" doc:"How many places members see; 0 for 50."`
	State   State     `json:"state" enum:"draft,live,ended" doc:"Where it stands."`
	Frozen  string    `json:"frozen,omitempty" format:"date" doc:"First day of the last cycle that is frozen."`
	Version int64     `json:"version" doc:"Grows with every change."`
	Made    time.Time `json:"made_at" doc:"When it was made."`
	Changed time.Time `json:"changed_at" doc:"When it was changed last."`
}

func (s *Service) viewBoard(ctx context.Context, b *Board) boardView {
	v := boardView{s.head(ctx, b), b.Terms.NameEN, b.Terms.NameZH, b.Terms.Shown, b.State, "", b.Version, b.Made, b.Changed}
	if b.Frozen > 0 {
		v.Frozen = cycleStart(b.Terms.Every, b.Frozen).String()
	}
	return v
}

type boardOut struct{ Body boardView }

func (s *Service) answerBoard(ctx context.Context, b *Board, err error) (*boardOut, error) {
	if err != nil {
		return nil, err
	}
	return &boardOut{s.viewBoard(ctx, b)}, nil
}

type boardsIn struct{ api.Page }

type boardsOut struct{ Body api.List[boardView] }

func (s *Service) getBoards(ctx context.Context, in *boardsIn) (*boardsOut, error) {
	list, next, err := page(s.Boards(), func(b *Board) int64 { return b.ID }, in.Page)
	if err != nil {
		return nil, err
	}
	out := &boardsOut{api.List[boardView]{Items: []boardView{}, NextCursor: next}}
	for _, b := range list {
		out.Body.Items = append(out.Body.Items, s.viewBoard(ctx, b))
	}
	return out, nil
}

type newBoardIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on." example:"monthly-regulars"`
		BoardTerms
	}
}

func (s *Service) postBoard(ctx context.Context, in *newBoardIn) (*boardOut, error) {
	b, err := s.AddBoard(ctx, in.Body.Code, in.Body.BoardTerms)
	return s.answerBoard(ctx, b, err)
}

// BoardRef names the leaderboard that a path is about.
type BoardRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The leaderboard: ldb_…, or its code."`
}

func (s *Service) getBoard(ctx context.Context, in *BoardRef) (*boardOut, error) {
	b, err := s.Board(in.ID)
	return s.answerBoard(ctx, b, err)
}

type changeBoardIn struct {
	BoardRef
	Body struct {
		Version  int64        `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from."`
		NameEN   *string      `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH   *string      `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		Metric   *Metric      `json:"metric,omitempty" enum:"spend,visits,earned" doc:"What it counts."`
		Currency *string      `json:"currency,omitempty" maxLength:"40" doc:"Of earned: code of the currency."`
		Every    *RepeatEvery `json:"every,omitempty" enum:"day,week,month" doc:"The cycle."`
		Prizes   *[]Prize     `json:"prizes,omitempty" maxItems:"100" doc:"What places win: all of it anew."`
		Shown    *int64       `json:"shown,omitempty" minimum:"0" maximum:"1000" doc:"How many places members see."`
		State    *State       `json:"state,omitempty" enum:"live,ended" doc:"Publish it, or end it for good."`
	}
}

func (s *Service) patchBoard(ctx context.Context, in *changeBoardIn) (*boardOut, error) {
	c := &in.Body
	b, err := s.ChangeBoard(ctx, in.ID, c.Version, func(b *Board) {
		set(&b.Terms.NameEN, c.NameEN)
		set(&b.Terms.NameZH, c.NameZH)
		set(&b.Terms.Metric, c.Metric)
		set(&b.Terms.Currency, c.Currency)
		set(&b.Terms.Every, c.Every)
		set(&b.Terms.Prizes, c.Prizes)
		set(&b.Terms.Shown, c.Shown)
		set(&b.State, c.State)
	})
	return s.answerBoard(ctx, b, err)
}

type rankView struct {
	Place    int64      `json:"place" doc:"From 1; 0 for none."`
	Member   string     `json:"member" doc:"The member's id; in the portal their masked number."`
	Name     string     `json:"member_name,omitempty" doc:"What the member is called; never in the portal."`
	Me       bool       `json:"me,omitempty" doc:"It is the caller."`
	Score    int64      `json:"score" doc:"Money or points in the smallest unit, or purchases."`
	Reached  *time.Time `json:"reached_at,omitempty" doc:"When the score was reached: of equals the earlier stands higher."`
	Currency string     `json:"prize_currency,omitempty" doc:"Of the prize."`
	Amount   int64      `json:"prize_amount,omitempty" doc:"What the place wins."`
	Given    bool       `json:"given,omitempty" doc:"The prize was given."`
}

func (s *Service) viewRank(r Ranked) rankView {
	return rankView{
		Place: r.Place, Member: member.ID(r.Member).String(), Score: r.Score, Reached: moment(r.ReachedMS),
		Currency: s.currencyCode(r.Currency), Amount: r.Amount, Given: r.Given,
	}
}

// masked shows places to members: of others only a masked number.
func (s *Service) masked(list []Ranked, me int64) []rankView {
	out := []rankView{}
	for _, r := range list {
		v := s.viewRank(r)
		v.Member, v.Me = member.Mask(member.KindCard, member.ID(r.Member).Number()), r.Member == me
		out = append(out, v)
	}
	return out
}

type standingsIn struct {
	BoardRef
	api.Page
	Day string `query:"day" maxLength:"10" doc:"A day of the cycle, as 2026-03-01; today where absent."`
}

type standingsOut struct {
	Body struct {
		api.List[rankView]
		From   string `json:"from" format:"date" doc:"First day of the cycle."`
		Until  string `json:"until" format:"date" doc:"The first day after it."`
		Frozen bool   `json:"frozen" doc:"The cycle is over, its prizes are given, and it never changes."`
	}
}

func (s *Service) getStandings(ctx context.Context, in *standingsIn) (*standingsOut, error) {
	b, err := s.Board(in.ID)
	if err != nil {
		return nil, err
	}
	atMS := s.nowMS()
	if in.Day != "" {
		day, err := program.ParseDay(in.Day)
		if err != nil {
			return nil, at(err, "query.day")
		}
		atMS = day.Start(s.zone()).UnixMilli()
	}
	cycle := s.cycle(b, atMS)
	list, next, err := s.Standings(ctx, b, cycle, in.Page)
	if err != nil {
		return nil, err
	}
	out := &standingsOut{}
	out.Body.Items, out.Body.NextCursor = []rankView{}, next
	for _, r := range list {
		out.Body.Items = append(out.Body.Items, s.viewRank(r))
	}
	out.Body.From, out.Body.Until, out.Body.Frozen = cycleStart(b.Terms.Every, cycle).String(), cycleStart(b.Terms.Every, cycle+1).String(), cycle <= b.Frozen
	return out, member.NameAll(ctx, s.o.Members, out.Body.Items, func(v *rankView) (string, *string) { return v.Member, &v.Name })
}
