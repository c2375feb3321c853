package job

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// serve claims the jobs of one queue as long as it has room for them.
func (q *Queue) serve(ctx context.Context, name string, workers int) {
	room := make(chan struct{}, workers)
	wake := q.wakes[name]
	for ctx.Err() == nil {
		wait := poll
		if free := workers - len(room); free > 0 {
			claimed, next, err := q.claim(ctx, name, free)
			if err != nil && ctx.Err() == nil {
				q.log.Error("claiming jobs failed and will be tried again", "queue", name, "error", err)
			}
			for _, run := range claimed {
				room <- struct{}{}
				q.runs.Go(func() {
					defer func() { <-room; signal(wake) }()
					q.run(run)
				})
			}
			wait = min(poll, next)
			if len(claimed) == free {
				continue
			}
		}
		sleep(ctx, wake, wait)
	}
}

// sleep returns at a signal, after d, or when ctx ends.
func sleep(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}

// claim leases up to n jobs that are due, and says in how long the next is. It reads before
// it writes, so that an idle queue never asks for the writer.
func (q *Queue) claim(ctx context.Context, queue string, n int) (runs []*Run, next time.Duration, err error) {
	now := q.clock.Now()
	var due sql.NullInt64
	err = q.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, dueSQL, queue).Scan(&due)
	})
	if err != nil || !due.Valid {
		return nil, poll, err
	}
	if wait := time.UnixMilli(due.Int64).Sub(now); wait > 0 {
		return nil, wait, nil
	}
	err = q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		runs, err = q.claimIn(ctx, tx, queue, n, now)
		return err
	})
	if err != nil {
		return nil, poll, fmt.Errorf("claim jobs of %s: %w", queue, err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range runs {
		r.ctx, r.end = context.WithCancelCause(q.base)
		q.running[r.ID] = r
	}
	return runs, poll, nil
}

func (q *Queue) claimIn(ctx context.Context, tx *db.Tx, queue string, n int, now time.Time) (runs []*Run, err error) {
	rows, err := tx.Query(ctx, claimSQL, queue, now.UnixMilli(), q.owner, now.Add(q.lease).UnixMilli(), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // a reader: what matters is in Err
	for rows.Next() {
		r := &Run{queue: q}
		var args string
		if err := rows.Scan(&r.ID, &r.Kind, &args, &r.Try, &r.MaxTries); err != nil {
			return nil, err
		}
		r.args = []byte(args)
		runs = append(runs, r)
	}
	return runs, rows.Err()
}
