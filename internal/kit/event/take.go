package event

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// On PostgreSQL one statement deletes, numbers and inserts. Three statements would not
// only cost three round trips: between them another transaction can commit a row with a
// smaller id, which a DELETE by range would drop unread. The ids go in as an array, so that
// they are looked up: joined, the planner would read all the dead rows of a busy outbox.
var moveSQL = db.Define("event.move", ``).
	OnPostgres(`
	WITH gone AS (
		DELETE FROM outbox
		WHERE id = ANY (ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $2))
		RETURNING id, shard, member_id, kind, at_ms, body
	), numbered AS (
		SELECT $1::BIGINT + ROW_NUMBER() OVER (ORDER BY id) AS position, shard, member_id, kind, at_ms, body
		FROM gone
	), put AS (
		INSERT INTO event (position, shard, member_id, kind, at_ms, body)
		SELECT position, shard, member_id, kind, at_ms, body
		FROM numbered
	)
	SELECT position, shard, member_id, kind, at_ms, body
	FROM numbered
	ORDER BY position`)

// SQLite has no writing CTE, and needs none: its transaction is the only writer.
var (
	copySQL = db.Define("event.copy", `
	INSERT INTO event (position, shard, member_id, kind, at_ms, body)
	SELECT $1 + ROW_NUMBER() OVER (ORDER BY id), shard, member_id, kind, at_ms, body
	FROM (
		SELECT id, shard, member_id, kind, at_ms, body
		FROM outbox
		ORDER BY id
		LIMIT $2
	)`).OnPostgres(``)
	clearSQL = db.Define("event.clear", `
	DELETE FROM outbox
	WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT $1)`).OnPostgres(``)
)

// take moves up to limit events from the outbox to the log, after a position, and returns
// them in order. The caller holds the lease.
func take(ctx context.Context, tx *db.Tx, position int64, limit int) ([]Event, error) {
	batch, err := takeOn(ctx, tx, position, limit)
	if err != nil {
		return nil, fmt.Errorf("move events after %d: %w", position, err)
	}
	for i, e := range batch {
		if e.Position != position+int64(i)+1 {
			return nil, fmt.Errorf("move events: position %d follows %d", e.Position, position+int64(i))
		}
	}
	return batch, nil
}

func takeOn(ctx context.Context, tx *db.Tx, position int64, limit int) ([]Event, error) {
	if tx.Engine() == db.Postgres {
		return readEvents(tx.Query(ctx, moveSQL, position, limit))
	}
	n, err := tx.Exec(ctx, copySQL, position, limit)
	if err != nil || n == 0 {
		return nil, err
	}
	if _, err := tx.Exec(ctx, clearSQL, n); err != nil {
		return nil, err
	}
	return readEvents(tx.Query(ctx, listSQL, position, n))
}

// The bounds of a batch. Under the least one the fixed cost of a transaction would eat
// the rate; past the most one a transaction of a slow subscriber would grow too long.
const (
	leastBatch = 64 // fewer, and the commits cost more than the events
	mostBatch  = 1024
)

// batchSize follows how long batches take, so that a slice of background work stays under
// its target whatever the subscribers cost.
type batchSize struct {
	target   time.Duration
	least, n int
}

// SQLite has one writer: 5 ms is what a posting may have to wait. On PostgreSQL nobody
// waits for a batch, and the target only bounds what a crash repeats.
func newBatchSize(e db.Engine) batchSize {
	if e == db.SQLite {
		return batchSize{4 * time.Millisecond, leastBatch, 64}
	}
	return batchSize{50 * time.Millisecond, 256, 256} // a busy machine is no reason for small ones
}

func (b *batchSize) now() int { return b.n }

// adapt shrinks at once after a slow batch, and grows by an eighth after a full one that
// had time to spare.
func (b *batchSize) adapt(events int, took time.Duration) {
	switch {
	case took > b.target:
		b.n = max(b.least, int(float64(events)*float64(b.target)/float64(took)))
	case events == b.n && took < b.target*3/4:
		b.n = min(mostBatch, b.n+b.n/8)
	}
}

// marks remembers when which outbox ids were first seen to wait. The time of an event
// does not serve: it may be years older than its row.
type marks struct {
	mu   sync.Mutex
	list []mark
}

type mark struct {
	last int64 // the newest id then
	at   time.Time
}

// maxMarks at one mark a poll covers more than two minutes of standstill; after that the
// marks are thinned out, so the oldest is never lost.
const maxMarks = 1024

// note takes the oldest and the newest id that wait, 0 for none.
func (m *marks) note(first, last int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := 0
	for gone < len(m.list) && (first == 0 || m.list[gone].last < first) {
		gone++
	}
	m.list = m.list[gone:]
	if n := len(m.list); last == 0 || n > 0 && m.list[n-1].last >= last {
		return
	}
	if len(m.list) == maxMarks {
		for i := range maxMarks / 2 {
			m.list[i] = m.list[2*i]
		}
		m.list = m.list[:maxMarks/2]
	}
	m.list = append(m.list, mark{last, now})
}

// since is when the oldest event that still waits was first seen, or false where none is.
func (m *marks) since() (time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.list) == 0 {
		return time.Time{}, false
	}
	return m.list[0].at, true
}
