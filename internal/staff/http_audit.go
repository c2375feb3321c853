package staff

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// auditRoutes show the trail.
func (s *Service) auditRoutes(r *api.Router) {
	api.Get(r, "/v1/audit", s.listAudit, api.Doc{ID: "listAudit", Summary: "Read the audit trail, newest first.", Tags: []string{"Audit"},
		Needs: ReadAudit, Fails: []error{program.ErrTime, program.ErrLimited}})
}

type entryView struct {
	ID        string    `json:"id" doc:"Id of the entry."`
	At        time.Time `json:"at" doc:"When."`
	ActorKind string    `json:"actor_kind" doc:"staff, key, system, member or anonymous."`
	Actor     string    `json:"actor" doc:"Id of who did it."`
	Action    string    `json:"action" doc:"What was done." example:"store.change"`
	Subject   string    `json:"subject" doc:"Id of what it was done to."`
	Before    any       `json:"before,omitempty" doc:"How it was; absent where there was nothing."`
	After     any       `json:"after,omitempty" doc:"How it is; absent where there is nothing."`
	IP        string    `json:"ip" doc:"From where."`
	UserAgent string    `json:"user_agent" doc:"With what."`
	Trace     string    `json:"trace_id" doc:"In which request."`
}

func viewEntry(e Entry) entryView {
	return entryView{e.PublicID(), e.At, e.ActorKind, e.Actor, e.Action, e.Subject, loose(e.Before), loose(e.After), e.IP, e.UserAgent, e.Trace}
}

// loose is kept JSON as it will be written, or nil.
func loose(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return raw
}

type auditIn struct {
	api.Page
	Actor   string `query:"actor" maxLength:"100" doc:"Only what this actor did."`
	Action  string `query:"action" maxLength:"100" doc:"Only this action."`
	Subject string `query:"subject" maxLength:"100" doc:"Only what was done to this."`
	From    string `query:"from" maxLength:"40" doc:"Only from this time on."`
	To      string `query:"to" maxLength:"40" doc:"Only before this time."`
}

type auditOut struct{ Body api.List[entryView] }

// listAudit is for the whole programme: entries bear no store to limit them by.
func (s *Service) listAudit(ctx context.Context, in *auditIn) (*auditOut, error) {
	if err := wide(ctx); err != nil {
		return nil, err
	}
	f, err := s.filter(in)
	if err != nil {
		return nil, err
	}
	rows, err := s.audit.Entries(ctx, f, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return &auditOut{paged(rows, in.Limit, viewEntry, func(e Entry) int64 { return e.ID })}, nil
}

func (s *Service) filter(in *auditIn) (Filter, error) {
	f := Filter{Actor: in.Actor, Action: in.Action, Subject: in.Subject}
	before, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return f, err
	}
	if before != nil {
		f.Before = before[0]
	}
	if f.From, err = s.instant(in.From, "query.from"); err != nil {
		return f, err
	}
	f.Until, err = s.instant(in.To, "query.to")
	return f, err
}

func (s *Service) instant(text, at string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := s.program.Snapshot().ParseTime(text)
	if err != nil {
		return t, errs.As(err).At(at)
	}
	return t, nil
}
