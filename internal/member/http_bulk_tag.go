package member

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) bulkTagRoutes(r *api.Router) {
	api.Post(r, "/v1/members/bulk-tags", s.postBulkTag, api.Doc{
		ID: "bulkTag", Summary: "Put tags on many members and take others off, in the background.", Tags: routeTags, Needs: staff.ManageMembers, Status: http.StatusAccepted,
		Description: "For a list of members, or for all that a filter leaves: an empty filter is everybody. Who joins while it runs is left out. A second run changes nothing more.",
		Fails:       []error{ErrBulkTag, ErrTag, ErrRef, ErrNotFound, ErrJoined},
	})
	api.Get(r, "/v1/bulk-tags/{id}", s.getBulkTag, api.Doc{
		ID: "getBulkTag", Summary: "Show how far a bulk tagging is.", Tags: routeTags, Needs: staff.ManageMembers, Fails: []error{ErrNoBulkTag},
	})
	api.Post(r, "/v1/bulk-tags/{id}/cancel", s.postCancelBulkTag, api.Doc{
		ID: "cancelBulkTag", Summary: "Stop a bulk tagging; what it did stays.", Tags: routeTags, Needs: staff.ManageMembers, Fails: []error{ErrNoBulkTag, job.ErrCancel},
	})
}

type bulkTagIn struct {
	Body struct {
		Add     []string `json:"add,omitempty" maxItems:"50" doc:"Tags to put on."`
		Remove  []string `json:"remove,omitempty" maxItems:"50" doc:"Tags to take off."`
		Members []string `json:"members,omitempty" maxItems:"1000" doc:"These members, named in any way."`
		Filter  *struct {
			Tag         string `json:"tag,omitempty" maxLength:"200" doc:"Only members with this tag."`
			JoinedFrom  string `json:"joined_from,omitempty" maxLength:"40" doc:"Only members who joined at this time or later."`
			JoinedUntil string `json:"joined_until,omitempty" maxLength:"40" doc:"Only members who joined before this time."`
		} `json:"filter,omitempty" doc:"Or all members that this leaves."`
	}
}

type bulkTagView struct {
	ID       string     `json:"id" doc:"The bulk tagging."`
	Job      string     `json:"job_id" doc:"The job that does it."`
	State    job.State  `json:"state" enum:"ready,running,done,failed,cancelled" doc:"Where it stands."`
	Error    string     `json:"error,omitempty" doc:"Why it failed, in English."`
	Add      []string   `json:"add" doc:"Tags that are put on."`
	Remove   []string   `json:"remove" doc:"Tags that are taken off."`
	Total    int64      `json:"total" doc:"How many members it is for; 0 where a filter says."`
	Members  int64      `json:"members" doc:"How many were looked at so far."`
	Changed  int64      `json:"changed" doc:"Of these, who bear other tags now."`
	Added    int64      `json:"added" doc:"Tags that were put on."`
	Removed  int64      `json:"removed" doc:"Tags that were taken off."`
	Refused  int64      `json:"refused" doc:"Members who cannot bear more tags, or are gone."`
	Maker    string     `json:"maker" doc:"Who asked for it, as staff:stf_…"`
	Made     time.Time  `json:"made_at" doc:"When."`
	Finished *time.Time `json:"done_at,omitempty" doc:"When it was done."`
}

type bulkTagOut struct{ Body bulkTagView }

func (s *Service) answerBulkTag(ctx context.Context, b BulkTagged, err error) (*bulkTagOut, error) {
	if err != nil {
		return nil, err
	}
	v := bulkTagView{
		ID: b.PublicID(), Job: b.Job.String(), State: job.Done, Add: append([]string{}, b.Plan.Add...), Remove: append([]string{}, b.Plan.Remove...),
		Total: int64(len(b.Plan.Members)), Members: b.Members, Changed: b.Changed, Added: b.Added, Removed: b.Removed, Refused: b.Refused, Maker: b.Maker, Made: b.Made, Finished: moment(b.Done),
	}
	if !b.Done.IsZero() {
		return &bulkTagOut{v}, nil
	}
	switch j, err := s.jobs.Get(ctx, b.Job); {
	case errors.Is(err, job.ErrUnknown):
		v.State = job.Cancelled
	case err != nil:
		return nil, err
	case j.State == job.Done: // since b was read
		v.State = job.Running
	default:
		v.State, v.Error = j.State, j.Error
	}
	return &bulkTagOut{v}, nil
}

func (s *Service) postBulkTag(ctx context.Context, in *bulkTagIn) (*bulkTagOut, error) {
	b := BulkTag{Add: in.Body.Add, Remove: in.Body.Remove, All: in.Body.Filter != nil}
	if f := in.Body.Filter; f != nil {
		b.Tag = f.Tag
		for name, part := range map[string]struct {
			text string
			to   *int64
		}{"joined_from": {f.JoinedFrom, &b.FromMS}, "joined_until": {f.JoinedUntil, &b.UntilMS}} {
			t, err := s.parseTime(part.text)
			if err != nil {
				return nil, ErrJoined.At("body.filter." + name)
			}
			if !t.IsZero() {
				*part.to = t.UnixMilli()
			}
		}
	}
	refs := make([]Ref, len(in.Body.Members))
	for i, text := range in.Body.Members {
		ref, err := ParseRef(text)
		if e := errs.As(err); e != nil {
			return nil, e.At(fmt.Sprintf("body.members[%d]", i))
		}
		refs[i] = ref
	}
	found, err := s.FindMany(ctx, refs)
	if err != nil {
		return nil, err
	}
	seen := map[ID]bool{}
	for i, m := range found {
		if m == 0 {
			return nil, ErrNotFound.At(fmt.Sprintf("body.members[%d]", i))
		}
		if !seen[m] {
			b.Members = append(b.Members, m)
		}
		seen[m] = true
	}
	out, err := s.TagMany(ctx, b)
	return s.answerBulkTag(ctx, out, err)
}

type bulkTagRef struct {
	ID string `path:"id" maxLength:"40" doc:"The bulk tagging."`
}

func (r bulkTagRef) number() (int64, error) {
	_, n, err := id.Decode(bulkTagPrefix, r.ID)
	if err != nil {
		return 0, ErrNoBulkTag
	}
	return n, nil
}

func (s *Service) getBulkTag(ctx context.Context, in *bulkTagRef) (*bulkTagOut, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	b, err := s.BulkTagged(ctx, n)
	return s.answerBulkTag(ctx, b, err)
}

func (s *Service) postCancelBulkTag(ctx context.Context, in *bulkTagRef) (*bulkTagOut, error) {
	n, err := in.number()
	if err != nil {
		return nil, err
	}
	b, err := s.BulkTagged(ctx, n)
	if err != nil {
		return nil, err
	}
	if _, err := s.jobs.Cancel(ctx, b.Job); err != nil {
		return nil, err
	}
	b, err = s.BulkTagged(ctx, n)
	return s.answerBulkTag(ctx, b, err)
}
