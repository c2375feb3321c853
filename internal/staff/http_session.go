package staff

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
)

// sessionRoutes show a person where they are signed in.
func (s *Service) sessionRoutes(r *api.Router) {
	tags := []string{"Sign-in"}
	api.Get(r, "/v1/sessions", s.listSessions, api.Doc{ID: "listSessions", Summary: "List one's own sessions, oldest first.", Tags: tags, Fails: []error{ErrNoPerson}})
	api.Delete(r, "/v1/sessions", s.deleteSessions, api.Doc{ID: "endSessions", Summary: "End all of one's own sessions, this one too.", Tags: tags, Status: 204, Fails: []error{ErrNoPerson}})
	api.Delete(r, "/v1/sessions/{id}", s.deleteSession, api.Doc{ID: "endSession", Tags: tags, Status: 204,
		Summary: "End one of one's own sessions; who manages staff can end others' too.", Fails: []error{ErrNoSession}})
}

type sessionView struct {
	ID        string    `json:"id" doc:"Id of the session."`
	Started   time.Time `json:"started_at" doc:"When the person signed in."`
	Seen      time.Time `json:"seen_at" doc:"When it was last used, to the minute."`
	IP        string    `json:"ip" doc:"Address at sign-in."`
	UserAgent string    `json:"user_agent" doc:"Browser at sign-in."`
}

func viewSession(s Session) sessionView {
	return sessionView{s.PublicID(), s.Started, s.Seen, s.IP, s.UserAgent}
}

type sessionsOut struct{ Body api.List[sessionView] }

// listSessions needs no pages: an account has at most maxSessions.
func (s *Service) listSessions(ctx context.Context, _ *struct{}) (*sessionsOut, error) {
	n, err := self(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.Sessions(ctx, n)
	if err != nil {
		return nil, err
	}
	return &sessionsOut{paged(rows, len(rows), viewSession, func(s Session) int64 { return s.ID })}, nil
}

func (s *Service) deleteSessions(ctx context.Context, _ *struct{}) (*struct{}, error) {
	n, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.EndSessions(ctx, n)
}

type sessionRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"Id of the session."`
}

func (s *Service) deleteSession(ctx context.Context, in *sessionRef) (*struct{}, error) {
	n, err := number(sessionPrefix, in.ID, ErrNoSession)
	if err != nil {
		return nil, err
	}
	return nil, s.EndSession(ctx, n)
}
