package job

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Get returns a job, or ErrUnknown.
func (q *Queue) Get(ctx context.Context, id ID) (j Job, err error) {
	err = q.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		j, err = get(ctx, tx, id)
		return err
	})
	return j, err
}

// Last returns the newest job of a kind; the zero Job where there is none.
func (q *Queue) Last(ctx context.Context, kind string) (j Job, err error) {
	err = q.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		found, err := list(ctx, tx, math.MaxInt64, "", kind, 1)
		if len(found) > 0 {
			j = found[0]
		}
		return err
	})
	return j, err
}

// Retry makes a failed or cancelled job ready again, for one more try where it has used
// all. It refuses others with ErrRetry, and with ErrTwin where a job for the same work is unfinished.
func (q *Queue) Retry(ctx context.Context, id ID) (Job, error) {
	j, err := q.change(ctx, id, retrySQL, ErrRetry)
	if err == nil {
		q.Nudge()
	}
	return j, err
}

// Cancel ends a job that is unfinished, or gives ErrCancel. One that runs is told at once
// where it runs here, and with the next renewal of its lease where it runs elsewhere.
func (q *Queue) Cancel(ctx context.Context, id ID) (Job, error) {
	j, err := q.change(ctx, id, cancelSQL, ErrCancel)
	if err != nil {
		return j, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[id]; r != nil {
		r.end(errCancelled)
	}
	return j, nil
}

// change runs a guarded statement on a job and returns the job as it is then. Where the
// guard held, the job is unknown or refused.
func (q *Queue) change(ctx context.Context, id ID, s *db.Stmt, refusal error) (j Job, err error) {
	now := q.clock.Now().UnixMilli()
	err = q.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, s, id, now)
		if errors.Is(err, db.ErrUnique) {
			return ErrTwin
		}
		if err != nil {
			return fmt.Errorf("%s %d: %w", s.Name(), id, err)
		}
		if j, err = get(ctx, tx, id); err == nil && n == 0 {
			err = refusal
		}
		return err
	})
	return j, err
}
