package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// look is the loop that keeps house: the calendar, leases (ours renewed, dead ones taken
// over), progress. It outlives the last run.
func (q *Queue) look(ctx context.Context) {
	tick := time.NewTicker(keep)
	defer tick.Stop()
	renewed := q.clock.Now()
	for {
		steps := []func(context.Context) error{q.plan, q.takeOver, q.report}
		if now := q.clock.Now(); now.Sub(renewed) >= q.lease/4 {
			steps, renewed = append(steps, q.renew), now
		}
		for _, step := range steps {
			if err := step(ctx); err != nil && ctx.Err() == nil {
				q.log.Error("keeping the job queue failed and will be tried again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// errWaits rolls the planning of a slot back whose predecessor is unfinished.
var errWaits = errors.New("the last run is unfinished")

// plan makes the jobs of slots that have come. The row of job_schedule moves on in the
// same transaction, so of several nodes one makes the job; the key keeps runs apart.
func (q *Queue) plan(ctx context.Context) error {
	now := q.clock.Now()
	for _, p := range q.calendar {
		slot := p.last(now)
		if !slot.After(p.planned) {
			continue
		}
		err := q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
			return p.makeJob(ctx, tx, slot, now)
		})
		if errors.Is(err, errWaits) {
			continue
		}
		if err != nil {
			return fmt.Errorf("plan %s: %w", p.Kind, err)
		}
		p.planned = slot
		q.Nudge()
	}
	return nil
}

func (p *periodic) makeJob(ctx context.Context, tx *db.Tx, slot, now time.Time) error {
	first, err := tx.Exec(ctx, firstSlotSQL, p.Kind, slot.UnixMilli())
	if err != nil || first == 1 {
		return err
	}
	moved, err := tx.Exec(ctx, nextSlotSQL, p.Kind, slot.UnixMilli())
	if err != nil || moved == 0 {
		return err
	}
	n := p.New
	n.UniqueKey, n.RunAt, n.Now = "slot", slot, now
	_, added, err := enqueue(ctx, tx, n)
	if err == nil && !added || errors.Is(err, ErrTwin) {
		return errWaits
	}
	return err
}

// takeOver makes jobs ready again whose worker fell silent, and fails those that have now
// lost their last try: a job that kills its process does not kill it for ever.
func (q *Queue) takeOver(ctx context.Context) error {
	now := q.clock.Now().UnixMilli()
	var any bool
	err := q.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, expiredSQL, now).Scan(&any)
	})
	if err != nil || !any {
		return err
	}
	var n int64
	err = q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, takeOverSQL, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over jobs: %w", err)
	}
	if n > 0 {
		q.log.Warn("jobs of a lost worker were taken over", "jobs", n)
		q.Nudge()
	}
	return nil
}

// mine returns the runs of this process.
func (q *Queue) mine() []*Run {
	q.mu.Lock()
	defer q.mu.Unlock()
	runs := make([]*Run, 0, len(q.running))
	for _, r := range q.running {
		runs = append(runs, r)
	}
	return runs
}

// renew prolongs the leases of this process, and ends the runs that no longer have one:
// cancelled from elsewhere, or taken over. The list of runs is read before the leases, so
// a job that is claimed meanwhile is not missed among them.
func (q *Queue) renew(ctx context.Context) error {
	runs := q.mine()
	if len(runs) == 0 {
		return nil
	}
	held := map[ID]int{}
	until := q.clock.Now().Add(q.lease).UnixMilli()
	err := q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(held)
		rows, err := tx.Query(ctx, renewSQL, q.owner, until)
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() {
			var id ID
			var try int
			if err := rows.Scan(&id, &try); err != nil {
				return err
			}
			held[id] = try
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("renew leases of jobs: %w", err)
	}
	for _, r := range runs {
		if held[r.ID] != r.Try {
			r.end(errLost)
		}
	}
	return nil
}

// report writes the progress that was told since the last time.
func (q *Queue) report(ctx context.Context) error {
	var told []*Run
	for _, r := range q.mine() {
		r.mu.Lock()
		if r.changed {
			told = append(told, r)
		}
		r.mu.Unlock()
	}
	if len(told) == 0 {
		return nil
	}
	return q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, r := range told {
			r.mu.Lock()
			done, total, note := r.done, r.total, r.note
			r.changed = false
			r.mu.Unlock()
			if _, err := tx.Exec(ctx, progressSQL, r.ID, q.owner, r.Try, done, total, note); err != nil {
				return fmt.Errorf("report progress of job %d: %w", r.ID, err)
			}
		}
		return nil
	})
}

// The purge.
const (
	purgeKind  = "job.purge"
	purgeEvery = time.Hour
	purgeAfter = 14 * 24 * time.Hour
	purgeSlice = 200 // rows, which stay well under 5 ms
)

// purge drops jobs that were done or cancelled two weeks ago. Failed ones wait for people.
func (q *Queue) purge(ctx context.Context, run *Run) error {
	before := q.clock.Now().Add(-purgeAfter).UnixMilli()
	for total := int64(0); ; {
		var n int64
		err := q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			n, err = tx.Exec(ctx, purgeSQL, before, purgeSlice)
			return err
		})
		if err != nil {
			return fmt.Errorf("purge jobs: %w", err)
		}
		total += n
		run.Progress(total, 0, "")
		if n < purgeSlice {
			return nil
		}
	}
}
