package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The job that verifies the books and the audit trail.
const (
	verifyKind = "books.verify"
	verifySlot = "all"
)

// verified is what a verification found, as the note of its job holds it.
type verified struct {
	Findings  int    `json:"findings"`
	First     string `json:"first,omitempty"`
	AuditHead string `json:"audit_head"`
}

// verifyRoutes lets operators verify from the console.
func (a *App) verifyRoutes() {
	a.Jobs.Register(verifyKind, a.runVerify)
	api.Post(a.API, "/v1/system/verify", a.postVerify, api.Doc{
		ID: "verifyBooks", Summary: "Recompute the books and the chain over the audit trail, in the background.", Tags: []string{"System"}, Needs: staff.Operate, Status: http.StatusAccepted,
		Description: "Follow the job that it answers; /v1/system shows what the last one found. Where one runs already, the job is that one's.",
	})
}

type jobStarted struct {
	Body struct {
		Job string `json:"job_id" doc:"The job: see /v1/jobs."`
	}
}

func (a *App) postVerify(ctx context.Context, _ *struct{}) (*jobStarted, error) {
	var id job.ID
	err := a.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		id, err = job.Enqueue(ctx, tx, job.New{Kind: verifyKind, UniqueKey: verifySlot, MaxTries: 1, Now: a.Clock.Now()})
		if err != nil {
			return err
		}
		return a.Audit.Record(ctx, tx, "books.verify", id.String(), nil, nil)
	})
	if err != nil {
		return nil, err
	}
	a.Jobs.Nudge()
	out := &jobStarted{}
	out.Body.Job = id.String()
	return out, nil
}

// runVerify ends well also where it found something: then it has done its work, and its
// note says what there is to be looked at.
func (a *App) runVerify(ctx context.Context, run *job.Run) error {
	r, err := a.Verify(ctx, nil)
	if err != nil {
		return err
	}
	v := verified{Findings: len(r.Findings), AuditHead: r.AuditHead}
	if len(r.Findings) > 0 {
		f := r.Findings[0]
		v.First = fmt.Sprintf("%s %s", f.Invariant, f.Where)
		if len(v.First) > 200 {
			v.First = v.First[:200]
		}
		a.Log.Error("a verification found something", "findings", len(r.Findings), "first", v.First)
	}
	note, err := json.Marshal(v)
	if err == nil {
		run.Progress(1, 1, string(note))
	}
	return err
}

// lastVerify is when the books were last verified from here, and what that found.
type lastVerify struct {
	At        time.Time `json:"at" doc:"When it ended."`
	Findings  int       `json:"findings" doc:"How much did not add up; 0 is good."`
	First     string    `json:"first,omitempty" doc:"The first of them: which invariant, and where."`
	AuditHead string    `json:"audit_head" doc:"The newest link of the chain over the audit trail, worth keeping elsewhere."`
}

func (a *App) lastVerified(ctx context.Context) (*lastVerify, error) {
	j, err := a.Jobs.Last(ctx, verifyKind)
	if err != nil || j.State != job.Done {
		return nil, err
	}
	var v verified
	if err := json.Unmarshal([]byte(j.Note), &v); err != nil {
		return nil, fmt.Errorf("read what a verification found: %w", err)
	}
	return &lastVerify{time.UnixMilli(j.DoneMS).UTC(), v.Findings, v.First, v.AuditHead}, nil
}
