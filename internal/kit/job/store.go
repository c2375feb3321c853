package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	enqueueSQL = db.Define("job.enqueue", `
	INSERT INTO job (queue, kind, args, state, run_at_ms, tries, max_tries, unique_key, lease_until_ms, lease_owner,
		progress, progress_total, note, error, created_ms)
	VALUES ($1, $2, $3, 'ready', $4, 0, $5, $6, 0, '', 0, 0, '', '', $7)
	ON CONFLICT (kind, unique_key) WHERE state IN ('ready', 'running') DO NOTHING
	RETURNING id`)
	twinSQL = db.Define("job.findTwin", `
	SELECT id
	FROM job
	WHERE kind = $1 AND unique_key = $2 AND state IN ('ready', 'running')`)
	dueSQL = db.Define("job.nextDue", `
	SELECT MIN(run_at_ms)
	FROM job
	WHERE queue = $1 AND state = 'ready'`)
)

// Workers of several nodes claim at once on PostgreSQL: with SKIP LOCKED they pass each
// other by instead of queueing for the same first rows. The CTE is materialised, because a
// subquery with a limit and a lock that the planner runs twice claims twice the limit.
var claimSQL = db.Define("job.claim", `
	UPDATE job
	SET state = 'running', tries = tries + 1, lease_owner = $3, lease_until_ms = $4
	WHERE id IN (
		SELECT id
		FROM job
		WHERE queue = $1 AND state = 'ready' AND run_at_ms <= $2
		ORDER BY run_at_ms, id
		LIMIT $5
	)
	RETURNING id, kind, args, tries, max_tries`).
	OnPostgres(`
	WITH free AS MATERIALIZED (
		SELECT id
		FROM job
		WHERE queue = $1 AND state = 'ready' AND run_at_ms <= $2
		ORDER BY run_at_ms, id
		LIMIT $5
		FOR UPDATE SKIP LOCKED
	)
	UPDATE job
	SET state = 'running', tries = tries + 1, lease_owner = $3, lease_until_ms = $4
	FROM free
	WHERE job.id = free.id
	RETURNING job.id, kind, args, tries, max_tries`)

// The statements of a worker. Owner and tries together are the token of one lease: a
// worker that lost it changes nothing.
var (
	doneSQL = db.Define("job.done", `
	UPDATE job
	SET state = 'done', done_ms = $4, progress = $5, progress_total = $6, note = $7, error = ''
	WHERE id = $1 AND lease_owner = $2 AND tries = $3 AND state = 'running'`)
	againSQL = db.Define("job.again", `
	UPDATE job
	SET state = 'ready', run_at_ms = $4, error = $5
	WHERE id = $1 AND lease_owner = $2 AND tries = $3 AND state = 'running'`)
	failSQL = db.Define("job.fail", `
	UPDATE job
	SET state = 'failed', done_ms = $4, error = $5
	WHERE id = $1 AND lease_owner = $2 AND tries = $3 AND state = 'running'`)
	giveBackSQL = db.Define("job.giveBack", `
	UPDATE job
	SET state = 'ready', tries = tries - 1, run_at_ms = $4, note = $5
	WHERE id = $1 AND lease_owner = $2 AND tries = $3 AND state = 'running'`)
	progressSQL = db.Define("job.progress", `
	UPDATE job
	SET progress = $4, progress_total = $5, note = $6
	WHERE id = $1 AND lease_owner = $2 AND tries = $3 AND state = 'running'`)
	renewSQL = db.Define("job.renew", `
	UPDATE job
	SET lease_until_ms = $2
	WHERE lease_owner = $1 AND state = 'running'
	RETURNING id, tries`)
	expiredSQL = db.Define("job.anyExpired", `
	SELECT EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until_ms < $1)`)
	takeOverSQL = db.Define("job.takeOver", `
	UPDATE job
	SET
		state = CASE WHEN tries >= max_tries THEN 'failed' ELSE 'ready' END,
		done_ms = CASE WHEN tries >= max_tries THEN CAST($1 AS BIGINT) END,
		error = 'the worker was lost'
	WHERE state = 'running' AND lease_until_ms < $1`)
)

// The statements of the calendar, of people and of the purge.
var (
	firstSlotSQL = db.Define("job.firstSlot", `
	INSERT INTO job_schedule (kind, slot_ms)
	VALUES ($1, $2)
	ON CONFLICT (kind) DO NOTHING`)
	nextSlotSQL = db.Define("job.nextSlot", `
	UPDATE job_schedule
	SET slot_ms = $2
	WHERE kind = $1 AND slot_ms < $2`)
	cancelSQL = db.Define("job.cancel", `
	UPDATE job
	SET state = 'cancelled', done_ms = $2
	WHERE id = $1 AND state IN ('ready', 'running')`)
	// One more try by hand. The count of tries never goes back: it is part of the token.
	retrySQL = db.Define("job.retry", `
	UPDATE job
	SET
		state = 'ready',
		max_tries = CASE WHEN max_tries > tries THEN max_tries ELSE tries + 1 END,
		run_at_ms = $2,
		done_ms = NULL,
		lease_owner = ''
	WHERE id = $1 AND state IN ('failed', 'cancelled')`)
	purgeSQL = db.Define("job.purge", `
	DELETE FROM job
	WHERE id IN (
		SELECT id
		FROM job
		WHERE state IN ('done', 'cancelled') AND done_ms < $1
		ORDER BY done_ms, id
		LIMIT $2
	)`)
	getSQL = db.Define("job.get", `
	SELECT id, queue, kind, args, state, run_at_ms, tries, max_tries, progress, progress_total, note, error, created_ms, done_ms
	FROM job
	WHERE id = $1`)
	listSQL = db.Define("job.list", `
	SELECT id, queue, kind, args, state, run_at_ms, tries, max_tries, progress, progress_total, note, error, created_ms, done_ms
	FROM job
	WHERE id < $1 AND ($2 = '' OR state = $2) AND ($3 = '' OR kind = $3)
	ORDER BY id DESC
	LIMIT $4`)
)

// scanJob reads a row of getSQL or listSQL.
func scanJob(row interface{ Scan(...any) error }) (j Job, err error) {
	var args string
	var done sql.NullInt64
	err = row.Scan(&j.ID, &j.Queue, &j.Kind, &args, &j.State, &j.RunAtMS, &j.Tries, &j.MaxTries,
		&j.Progress, &j.Total, &j.Note, &j.Error, &j.CreatedMS, &done)
	j.Args, j.DoneMS = []byte(args), done.Int64
	return j, err
}

// get returns a job, or ErrUnknown.
func get(ctx context.Context, tx *db.Tx, id ID) (Job, error) {
	j, err := scanJob(tx.QueryRow(ctx, getSQL, id))
	if errors.Is(err, sql.ErrNoRows) {
		return j, ErrUnknown
	}
	if err != nil {
		return j, fmt.Errorf("get job %d: %w", id, err)
	}
	return j, nil
}

// list returns jobs with an id under before, newest first, of a state and a kind where
// they are not empty.
func list(ctx context.Context, tx *db.Tx, before ID, state State, kind string, limit int) ([]Job, error) {
	rows, err := tx.Query(ctx, listSQL, before, state, kind, limit)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close() // a reader: what matters is in Err
	var jobs []Job
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		jobs = append(jobs, j)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return jobs, nil
}
