package member

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) timelineRoutes(r *api.Router) {
	api.Get(r, "/v1/members/{ref}/timeline", s.getTimeline, api.Doc{
		ID: "getTimeline", Summary: "List what happened with a member, newest first.", Tags: routeTags, Needs: staff.ReadMembers,
		Description: "Also what happened with the records that were merged into the member. What was done a moment ago may still be missing.",
		Fails:       []error{ErrNotFound, ErrRef, ErrQR, ErrKinds},
	})
}

type timelineIn struct {
	ByRef
	api.Page
	Kind string `query:"kind" maxLength:"400" doc:"Only events of these kinds, with commas between them: task.closed, or task for all of the noun." example:"note,call,task.closed"`
}

// eventView is an event on a timeline.
type eventView struct {
	ID   string          `json:"id" doc:"The event."`
	Type string          `json:"type" doc:"What happened, as in member.joined."`
	At   time.Time       `json:"at" doc:"When."`
	Data json.RawMessage `json:"data" doc:"What it tells; no personal values."`
	Text string          `json:"text,omitempty" doc:"What the note says, what was noted of the call, or what the task is called, as it stands now."`
}

type timelineOut struct{ Body api.List[eventView] }

func (s *Service) getTimeline(ctx context.Context, in *timelineIn) (*timelineOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	after, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	var before int64
	if after != nil {
		before = after[0]
	}
	list, err := s.Timeline(ctx, ref, splitKinds(in.Kind), before, in.Limit+1)
	if e := errs.As(err); e != nil && e.Is(ErrKinds) {
		return nil, e.At("query.kind")
	}
	if err != nil {
		return nil, err
	}
	out := &timelineOut{paged(list, in.Limit, func(m Moment) eventView {
		return eventView{m.ID(), m.Kind, m.At(), m.Body, m.Text}
	}, func(m Moment) []int64 { return []int64{m.Position} })}
	return out, nil
}

func splitKinds(text string) (kinds []string) {
	for kind := range strings.SplitSeq(text, ",") {
		if kind = strings.TrimSpace(kind); kind != "" {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// paged makes a page of rows that were read with one more than the limit.
func paged[R, V any](rows []R, limit int, view func(R) V, at func(R) []int64) api.List[V] {
	out := api.List[V]{Items: []V{}}
	for i, r := range rows {
		if i == limit {
			out.NextCursor = api.EncodeCursor(at(rows[i-1])...)
			break
		}
		out.Items = append(out.Items, view(r))
	}
	return out
}

// pointOf reads the cursor of a list by time; without one it is first.
func pointOf(cursor string, first point) (point, error) {
	parts, err := api.DecodeCursor(cursor, 2)
	if err != nil || parts == nil {
		return first, err
	}
	return point{parts[0], parts[1]}, nil
}

func (p point) parts() []int64 { return []int64{p.ms, p.n} }
