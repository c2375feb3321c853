package member

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) callRoutes(r *api.Router) {
	api.Post(r, "/v1/members/{ref}/calls", s.postCall, api.Doc{
		ID: "logCall", Summary: "Log a telephone call with a member.", Tags: noteTags, Needs: staff.ServeMembers, Status: 201,
		Fails: []error{ErrNotFound, ErrRef, ErrQR, ErrWritten, ErrCall, ErrMention, program.ErrTime},
	})
	api.Get(r, "/v1/members/{ref}/calls", s.getCalls, api.Doc{
		ID: "listCalls", Summary: "List the calls with a member, latest first.", Tags: noteTags, Needs: staff.ReadMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR},
	})
	api.Delete(r, "/v1/calls/{id}", s.deleteCall, api.Doc{
		ID: "deleteCall", Summary: "Take a call that was logged by mistake off the member's page.", Tags: noteTags, Needs: staff.ServeMembers, Status: 204,
		Description: "For whoever logged it, and for who manages members.", Fails: []error{ErrNoCall, ErrNotYours},
	})
}

type callView struct {
	ID        string      `json:"id" doc:"The call."`
	Member    ID          `json:"member_id" doc:"Whose page it is on."`
	Direction Direction   `json:"direction" enum:"in,out" doc:"in: the member rang."`
	Outcome   CallOutcome `json:"outcome" enum:"reached,no_answer,busy,voicemail,wrong_number" doc:"What came of it."`
	At        time.Time   `json:"at" doc:"When it began."`
	Seconds   int64       `json:"duration_seconds" doc:"How long it lasted."`
	Text      string      `json:"text" doc:"What was said; empty where nothing was noted, or the member was erased."`
	Author    string      `json:"author" doc:"Who logged it, as staff:stf_… or key:key_…"`
	Added     time.Time   `json:"logged_at" doc:"When it was logged."`
	Mentions  []string    `json:"mentions,omitempty" doc:"The colleagues whom it names, as stf_…"`
}

func viewCall(c Call, member ID, mentions []string) callView {
	return callView{c.PublicID(), member, c.Direction, c.Outcome, c.At, int64(c.Duration / time.Second), c.Text, c.Author, c.Added, mentions}
}

type logCallIn struct {
	ByRef
	Body struct {
		Direction Direction   `json:"direction" enum:"in,out" doc:"in: the member rang."`
		Outcome   CallOutcome `json:"outcome" enum:"reached,no_answer,busy,voicemail,wrong_number" doc:"What came of it."`
		At        string      `json:"at,omitempty" maxLength:"40" doc:"When it began, if not now: RFC 3339, or a time in the programme's zone."`
		Seconds   int64       `json:"duration_seconds,omitempty" minimum:"0" maximum:"86400" doc:"How long it lasted."`
		Text      string      `json:"text,omitempty" maxLength:"16000" doc:"What was said, at most 4000 characters."`
		Mentions  []string    `json:"mentions,omitempty" maxItems:"20" doc:"Colleagues whom the text names (stf_…): each finds it at /v1/me/mentions."`
	}
}

type callOut struct{ Body callView }

func (s *Service) postCall(ctx context.Context, in *logCallIn) (*callOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	b := in.Body
	at, err := s.parseTime(b.At)
	if err != nil {
		return nil, program.ErrTime.At("body.at")
	}
	c, err := s.LogCall(ctx, ref, NewCall{Direction: b.Direction, Outcome: b.Outcome, At: at, Duration: time.Duration(b.Seconds) * time.Second, Text: b.Text, Mentions: b.Mentions})
	if err != nil {
		return nil, err
	}
	named, err := s.mentionedIn(ctx, inCall, []place{c.place})
	return &callOut{viewCall(c, c.member, named[c.place])}, err
}

type callsIn struct {
	ByRef
	api.Page
}

type callsOut struct{ Body api.List[callView] }

func (s *Service) getCalls(ctx context.Context, in *callsIn) (*callsOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	after, err := pointOf(in.Cursor, latest)
	if err != nil {
		return nil, err
	}
	who, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	list, err := s.Calls(ctx, RefID(who), after, in.Limit+1)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, c := range list {
		places = append(places, c.place)
	}
	named, err := s.mentionedIn(ctx, inCall, places)
	if err != nil {
		return nil, err
	}
	return &callsOut{paged(list, in.Limit, func(c Call) callView { return viewCall(c, who, named[c.place]) }, func(c Call) []int64 { return c.point().parts() })}, nil
}

type callRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The call."`
}

func (s *Service) deleteCall(ctx context.Context, in *callRef) (*struct{}, error) {
	p, err := parsePlace(callPrefix, in.ID, ErrNoCall)
	if err != nil {
		return nil, err
	}
	return nil, s.DeleteCall(ctx, p)
}
