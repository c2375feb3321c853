package member

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
)

// A reminder is a job for its instant, enqueued in the transaction that sets it: nothing
// has to look for reminders in between. Jobs run at least once and outlive a change of
// mind, so the job names the instant that it is for, and the statement that takes the
// reminder off its task decides: the event task.due is told by the one run that did.

// remindKind is the kind of these jobs.
const remindKind = "member.remind"

// reminder is the arguments of a job.
type reminder struct {
	Member ID    `json:"member"`
	Task   int64 `json:"task"`
	AtMS   int64 `json:"at_ms"`
}

// RegisterJobs gives the queue what members do without being asked. Call it while the
// program is built.
func (s *Service) RegisterJobs(q *job.Queue) {
	s.jobs = q
	q.Register(bulkTagKind, s.runBulkTag)
	q.Register(remindKind, func(ctx context.Context, run *job.Run) error {
		var r reminder
		if err := run.Args(&r); err != nil {
			return err
		}
		return s.remind(ctx, r)
	}, job.Within(time.Minute))
}

// arm enqueues the reminder of a task that has one to come.
func (s *Service) arm(ctx context.Context, tx *db.Tx, t Task) error {
	if !t.armed {
		return nil
	}
	_, err := job.Enqueue(ctx, tx, job.New{
		Kind: remindKind, Args: reminder{t.member, t.n, t.Remind.UnixMilli()}, RunAt: t.Remind, Now: s.clock.Now(),
		UniqueKey: fmt.Sprintf("%s/%d", t.PublicID(), t.Remind.UnixMilli()),
	})
	if err != nil {
		return fmt.Errorf("set the reminder of task %d of member %d: %w", t.n, t.member, err)
	}
	return nil
}

// disarmSQL takes a reminder off its task, if the task is still open and still to be
// reminded of at that instant.
var disarmSQL = db.Define("member.disarm", `
	UPDATE task
	SET armed = 0
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND remind_ms = $4 AND armed = 1 AND state = 'open'
	RETURNING owner, due_ms`)

// remind tells of a task whose reminder has come, exactly once. It does nothing where the
// task was closed, the reminder was moved, or another run was first.
func (s *Service) remind(ctx context.Context, r reminder) error {
	return s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		t := Task{place: place{r.Member, r.Task}}
		var due int64
		err := tx.QueryRow(ctx, disarmSQL, r.Member.Shard(), int64(r.Member), r.Task, r.AtMS).Scan(&t.Owner, &due)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("remind of task %d of member %d: %w", r.Task, r.Member, err)
		}
		return tellAt(ctx, tx, "task.due", r.Member, r.AtMS, taskBody{Task: t.PublicID(), Owner: t.Owner, Due: when(due)})
	})
}
