package draw

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Draws"}

// wrong is why terms may be refused.
var wrong = []error{
	ErrNames, ErrWindow, ErrPrice, ErrOdds, ErrPrize, ErrTwice, ErrGuarantee, ErrFacts, program.ErrTime,
	cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Get(r, "/v1/draws", s.getDraws, api.Doc{ID: "listDraws", Summary: "List draws, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/draws", s.postDraw, api.Doc{ID: "addDraw", Summary: "Make a draw, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated,
		Fails: slices.Concat(wrong, []error{ErrCode, ErrTaken, ErrMany})})
	api.Get(r, "/v1/draws/{id}", s.getDraw, api.Doc{ID: "getDraw", Summary: "Show a draw.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Patch(r, "/v1/draws/{id}", s.patchDraw, api.Doc{ID: "changeDraw", Summary: "Change what a draw says; what is left out stays.", Tags: tags, Needs: staff.WriteRules,
		Description: "Each change is a version. The next play goes by it: where that changes the odds, a new table with its time and its first play is published at once.",
		Fails:       slices.Concat(wrong, []error{ErrNotFound, ErrEdited, ErrMove, ErrEpoch})})
	api.Delete(r, "/v1/draws/{id}", s.deleteDraw, api.Doc{ID: "removeDraw", Summary: "Delete a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent, Fails: []error{ErrNotFound, ErrStarted}})
	for _, m := range []struct {
		path, id, summary string
		to                State
	}{
		{"publish", "publishDraw", "Publish a draft: it can be played from its time on. The hash of its first seed is published with it.", Live},
		{"pause", "pauseDraw", "Pause a draw: until it is resumed it cannot be played.", Paused},
		{"resume", "resumeDraw", "Go on with a paused draw.", Live},
		{"end", "endDraw", "End a draw for good, and reveal all its seeds.", Ended},
	} {
		api.Post(r, "/v1/draws/{id}/"+m.path, s.mover(m.to), api.Doc{ID: m.id, Summary: m.summary, Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNotFound, ErrMove, ErrEdited}})
	}
	api.Get(r, "/v1/draws/{id}/versions", s.getVersions, api.Doc{ID: "listDrawVersions", Summary: "List what a draw said, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	s.playRoutes(r)
	s.proofRoutes(r)
	s.portalRoutes(r)
}

// Ref names the draw that a path is about.
type Ref struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The draw: drw_…, or its code."`
}

// drawView is a draw as staff see it.
type drawView struct {
	ID      string `json:"id" doc:"The draw."`
	Code    string `json:"code" doc:"Unique and fixed." example:"tea-wheel"`
	State   State  `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Where it stands now; scheduled until its time begins, ended when it is over."`
	Version int64  `json:"version" doc:"Of what it says; grows with every change."`
	Terms
	Nothing int64      `json:"nothing_odds" doc:"Of a million plays, how many win nothing on average as long as all prizes are there; the guarantee comes on top."`
	Made    time.Time  `json:"made_at" doc:"When it was made."`
	Changed time.Time  `json:"changed_at" doc:"When it was changed last."`
	Ended   *time.Time `json:"ended_at,omitempty" doc:"When it was ended by hand."`
}

func (s *Service) view(g *Game) drawView {
	v := drawView{
		ID: g.PublicID(), Code: g.Code, State: g.Standing(s.nowMS(), s.zone()), Version: g.Version, Terms: g.Terms, Nothing: Million,
		Made: g.Made, Changed: g.Changed, Ended: moment(g.EndedMS),
	}
	if v.Epoch == "" {
		v.Epoch = EveryDay
	}
	for _, p := range g.Terms.Prizes {
		v.Nothing -= p.Odds
	}
	return v
}

type drawOut struct{ Body drawView }

func (s *Service) answer(g *Game, err error) (*drawOut, error) {
	if err != nil {
		return nil, err
	}
	return &drawOut{s.view(g)}, nil
}

type drawsIn struct {
	api.Page
	State State  `query:"state" enum:"draft,scheduled,live,paused,ended" doc:"Only those that stand there."`
	Q     string `query:"q" maxLength:"100" doc:"Only those whose code or name has this in it."`
}

type drawsOut struct{ Body api.List[drawView] }

func (s *Service) getDraws(_ context.Context, in *drawsIn) (*drawsOut, error) {
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	out, last := &drawsOut{api.List[drawView]{Items: []drawView{}}}, int64(0)
	for _, g := range s.List(in.State, in.Q) {
		if after != nil && g.ID >= after[0] {
			continue
		}
		if len(out.Body.Items) == max(1, in.Limit) {
			out.Body.NextCursor = api.EncodeCursor(last)
			break
		}
		out.Body.Items, last = append(out.Body.Items, s.view(g)), g.ID
	}
	return out, nil
}

type newDrawIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on: lower-case letters, digits, dashes and underscores." example:"tea-wheel"`
		Terms
	}
}

func (s *Service) postDraw(ctx context.Context, in *newDrawIn) (*drawOut, error) {
	return s.answer(s.Add(ctx, in.Body.Code, in.Body.Terms))
}

func (s *Service) getDraw(_ context.Context, in *Ref) (*drawOut, error) {
	return s.answer(s.Find(in.ID))
}

type changeDrawIn struct {
	Ref
	Body struct {
		Version   int64      `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		NameEN    *string    `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH    *string    `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		TextEN    *string    `json:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
		TextZH    *string    `json:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
		Look      *Look      `json:"look,omitempty" enum:"wheel,scratch,box" doc:"What it looks like."`
		Audience  *string    `json:"audience,omitempty" maxLength:"8000" doc:"Who may play; empty for everybody."`
		From      *string    `json:"from,omitempty" maxLength:"40" doc:"From when on; empty for no bound."`
		Until     *string    `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it is over; empty for no bound."`
		Epoch     *Every     `json:"epoch,omitempty" enum:"day,week,whole" doc:"How long an epoch is; of a draft only."`
		Price     *Price     `json:"price,omitempty" doc:"What a play costs beyond the free ones."`
		Free      *int64     `json:"free_per_day,omitempty" minimum:"0" maximum:"1000" doc:"Plays of a member that are free, per day."`
		PerDay    *int64     `json:"plays_per_day,omitempty" minimum:"0" maximum:"100000" doc:"Plays of a member per day at most; 0 for no bound."`
		PerMember *int64     `json:"plays_per_member,omitempty" minimum:"0" maximum:"1000000" doc:"Plays of a member at most; 0 for no bound."`
		Budget    *int64     `json:"budget,omitempty" minimum:"0" maximum:"1000000000000" doc:"What all prizes together may be worth; 0 for no bound."`
		Guarantee *Guarantee `json:"guarantee,omitempty" doc:"The play with which a member wins at the latest."`
		Prizes    *[]Prize   `json:"prizes,omitempty" maxItems:"24" doc:"What can be won: all of it anew."`
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) patchDraw(ctx context.Context, in *changeDrawIn) (*drawOut, error) {
	b := &in.Body
	return s.answer(s.Change(ctx, in.ID, b.Version, func(t *Terms) {
		set(&t.NameEN, b.NameEN)
		set(&t.NameZH, b.NameZH)
		set(&t.TextEN, b.TextEN)
		set(&t.TextZH, b.TextZH)
		set(&t.Look, b.Look)
		set(&t.Audience, b.Audience)
		set(&t.From, b.From)
		set(&t.Until, b.Until)
		set(&t.Epoch, b.Epoch)
		set(&t.Price, b.Price)
		set(&t.Free, b.Free)
		set(&t.PerDay, b.PerDay)
		set(&t.PerMember, b.PerMember)
		set(&t.Budget, b.Budget)
		set(&t.Guarantee, b.Guarantee)
		set(&t.Prizes, b.Prizes)
	}))
}

func (s *Service) deleteDraw(ctx context.Context, in *Ref) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

func (s *Service) mover(to State) func(context.Context, *Ref) (*drawOut, error) {
	return func(ctx context.Context, in *Ref) (*drawOut, error) {
		return s.answer(s.Move(ctx, in.ID, to))
	}
}

type versionView struct {
	Version int64 `json:"version" doc:"Its number."`
	Terms
	Actor string    `json:"actor" doc:"Who wrote it, as staff:stf_…"`
	At    time.Time `json:"at" doc:"When."`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *Ref) (*versionsOut, error) {
	g, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Versions(ctx, g)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{api.List[versionView]{Items: []versionView{}}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, versionView{v.Number, v.Terms, v.Actor, timeOf(v.AtMS)})
	}
	return out, nil
}

// memberOf finds the member that a request names.
func (s *Service) memberOf(ctx context.Context, text string) (int64, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return int64(m), nil
		}
	}
	return 0, at(err, "path.ref")
}
