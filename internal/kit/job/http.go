package job

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// mayOperate stands in the table of package staff under the same word; kit is below it and
// cannot name it from there.
const mayOperate api.Permission = "system.operate"

// Routes adds what this package serves.
func (q *Queue) Routes(r *api.Router) {
	tags := []string{"System"}
	api.Get(r, "/v1/jobs", q.getJobs, api.Doc{
		ID: "listJobs", Summary: "List jobs, newest first.", Tags: tags, Needs: mayOperate,
	})
	api.Get(r, "/v1/jobs/{id}", q.getJob, api.Doc{
		ID: "getJob", Summary: "Show a job and how far it is.", Tags: tags, Needs: mayOperate,
		Fails: []error{ErrUnknown},
	})
	api.Post(r, "/v1/jobs/{id}/retry", q.postRetry, api.Doc{
		ID: "retryJob", Summary: "Try a job again that failed or was cancelled.", Tags: tags, Needs: mayOperate,
		Fails: []error{ErrUnknown, ErrRetry, ErrTwin},
	})
	api.Post(r, "/v1/jobs/{id}/cancel", q.postCancel, api.Doc{
		ID: "cancelJob", Summary: "Stop a job that waits or runs.", Tags: tags, Needs: mayOperate,
		Fails: []error{ErrUnknown, ErrCancel},
	})
}

type jobItem struct {
	ID       string          `json:"id" doc:"The job."`
	Kind     string          `json:"kind" doc:"What it does."`
	Queue    string          `json:"queue" doc:"Which workers do it."`
	State    State           `json:"state" enum:"ready,running,done,failed,cancelled" doc:"Where it stands."`
	Args     json.RawMessage `json:"args" doc:"Its arguments, by kind."`
	Tries    int             `json:"tries" doc:"How often it has been begun."`
	MaxTries int             `json:"max_tries" doc:"After so many it fails."`
	Progress int64           `json:"progress" doc:"How much is done."`
	Total    int64           `json:"progress_total" doc:"Of how much; 0 where that is not known."`
	Note     string          `json:"note" doc:"What it says of itself."`
	Error    string          `json:"error" doc:"Why its last try failed."`
	RunAt    *time.Time      `json:"run_at,omitempty" doc:"Not before this time."`
	Created  time.Time       `json:"created_at" doc:"When it was asked for."`
	Ended    *time.Time      `json:"ended_at,omitempty" doc:"When it ended."`
}

func (j Job) item() jobItem {
	return jobItem{
		ID: j.ID.String(), Kind: j.Kind, Queue: j.Queue, State: j.State, Args: j.Args, Tries: j.Tries, MaxTries: j.MaxTries,
		Progress: j.Progress, Total: j.Total, Note: j.Note, Error: j.Error,
		RunAt: instant(j.RunAtMS), Created: time.UnixMilli(j.CreatedMS).UTC(), Ended: instant(j.DoneMS),
	}
}

// instant is nil for no time.
func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

type jobsIn struct {
	api.Page
	State string `query:"state" enum:"ready,running,done,failed,cancelled" doc:"Only jobs in this state."`
	Kind  string `query:"kind" maxLength:"100" doc:"Only jobs of this kind."`
}

type jobsOut struct{ Body api.List[jobItem] }

func (q *Queue) getJobs(ctx context.Context, in *jobsIn) (*jobsOut, error) {
	before := ID(math.MaxInt64)
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if at != nil {
		before = ID(at[0])
	}
	var jobs []Job
	err = q.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		jobs, err = list(ctx, tx, before, State(in.State), in.Kind, in.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out jobsOut
	out.Body.Items = make([]jobItem, 0, len(jobs))
	for i, j := range jobs {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(int64(jobs[i-1].ID))
			break
		}
		out.Body.Items = append(out.Body.Items, j.item())
	}
	return &out, nil
}

type jobIn struct {
	ID string `path:"id" maxLength:"40" doc:"The job."`
}

type jobOut struct{ Body jobItem }

func (q *Queue) getJob(ctx context.Context, in *jobIn) (*jobOut, error) {
	return answer(ctx, in, q.Get)
}

func (q *Queue) postRetry(ctx context.Context, in *jobIn) (*jobOut, error) {
	return answer(ctx, in, q.Retry)
}

func (q *Queue) postCancel(ctx context.Context, in *jobIn) (*jobOut, error) {
	return answer(ctx, in, q.Cancel)
}

func answer(ctx context.Context, in *jobIn, do func(context.Context, ID) (Job, error)) (*jobOut, error) {
	id, err := ParseID(in.ID)
	if err != nil {
		return nil, ErrUnknown
	}
	j, err := do(ctx, id)
	if err != nil {
		return nil, err
	}
	return &jobOut{j.item()}, nil
}
