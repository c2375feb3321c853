package event

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// On PostgreSQL one statement finds and deletes: between two, another transaction could
// commit a row with a smaller id, which a DELETE by range would drop unread. The ids go in
// as an array, so that they are looked up: joined, the planner would read all the dead rows
// of a busy outbox. A row is taken whole, so a batch may go past its limit by part of one.
var takeSQL = db.Define("event.take", ``).
	OnPostgres(`
	DELETE FROM outbox
	WHERE id = ANY (ARRAY(
		SELECT id
		FROM (
			SELECT id, SUM(n) OVER (ORDER BY id) - n AS before
			FROM (SELECT id, n FROM outbox ORDER BY id LIMIT $1) AS oldest
		) AS counted
		WHERE before < $1
	))
	RETURNING id, n, at_ms, events`)

// SQLite's transaction is the only writer, so nothing comes between these two.
var (
	waitingSQL = db.Define("event.waiting", `
	SELECT id, n, at_ms, events
	FROM outbox
	WHERE id > $1
	ORDER BY id
	LIMIT $2`)
	clearSQL = db.Define("event.clear", `
	DELETE FROM outbox
	WHERE id <= $1`).OnPostgres(``)
)

var (
	putSQL = db.Define("event.put", ``).
		OnPostgres(`
	INSERT INTO event (position, shard, member_id, kind, at_ms, body)
	SELECT $1::BIGINT + n.i, ($2::BIGINT[])[n.i], ($3::BIGINT[])[n.i], n.kind, ($4::BIGINT[])[n.i], n.body
	FROM unnest($5::TEXT[], $6::TEXT[]) WITH ORDINALITY AS n (kind, body, i)`)
	putBulk = db.DefineBulk("event.putBulk", db.InsertSizes, 6,
		"INSERT INTO event (position, shard, member_id, kind, at_ms, body) VALUES", db.Values(6), "")
)

// waiting is a row of the outbox.
type waiting struct {
	id   int64
	n    int
	atMS int64 // when a posting wrote it; 0 for other writers
	row  []byte
}

// taken is a batch on its way to the log.
type taken struct {
	events   []Event
	newestMS int64 // of its rows' at_ms
}

// last is the position of the last event of a batch that is not empty.
func (t taken) last() int64 { return t.events[len(t.events)-1].Position }

// take moves events from the outbox to the log, after a position, and returns them in
// order: row by row until there are limit of them. The caller holds the lease.
func take(ctx context.Context, tx *db.Tx, position int64, limit int) (taken, error) {
	t, err := takeOn(ctx, tx, limit)
	if err == nil && len(t.events) > 0 {
		for i := range t.events {
			t.events[i].Position = position + int64(i) + 1
		}
		err = put(ctx, tx, position, t.events)
	}
	if err != nil {
		return taken{}, fmt.Errorf("move events after %d: %w", position, err)
	}
	return t, nil
}

func takeOn(ctx context.Context, tx *db.Tx, limit int) (t taken, err error) {
	var rows []waiting
	if tx.Engine() == db.Postgres {
		rows, err = readWaiting(math.MaxInt)(tx.Query(ctx, takeSQL, limit))
		slices.SortFunc(rows, func(a, b waiting) int { return cmp.Compare(a.id, b.id) })
	} else if rows, err = readWaiting(limit)(tx.Query(ctx, waitingSQL, 0, limit)); err == nil && len(rows) > 0 {
		_, err = tx.Exec(ctx, clearSQL, rows[len(rows)-1].id)
	}
	if err != nil {
		return t, err
	}
	for _, w := range rows {
		list, err := w.unpack()
		if err != nil {
			return t, err
		}
		t.events, t.newestMS = append(t.events, list...), max(t.newestMS, w.atMS)
	}
	return t, nil
}

// readWaiting reads rows of the outbox until they hold limit events.
func readWaiting(limit int) func(*db.Rows, error) ([]waiting, error) {
	return func(rows *db.Rows, err error) ([]waiting, error) {
		if err != nil {
			return nil, err
		}
		defer rows.Close() // a reader: what matters is in Err
		var list []waiting
		for n := 0; n < limit && rows.Next(); {
			var w waiting
			if err := rows.Scan(&w.id, &w.n, &w.atMS, &w.row); err != nil {
				return nil, err
			}
			list, n = append(list, w), n+w.n
		}
		return list, rows.Err()
	}
}

// unpack reads the events of a row, all that it counts.
func (w waiting) unpack() ([]Event, error) {
	list, err := Unpack(w.row)
	if err == nil && len(list) != w.n {
		err = fmt.Errorf("%w: %d events of %d", errTorn, len(list), w.n)
	}
	if err != nil {
		return nil, fmt.Errorf("row %d: %w", w.id, err)
	}
	return list, nil
}

// put writes numbered events into the log.
func put(ctx context.Context, tx *db.Tx, position int64, list []Event) error {
	if tx.Engine() == db.SQLite {
		args := make([]any, 0, 6*len(list))
		for _, e := range list {
			args = append(args, e.Position, e.Shard, e.Member, e.Kind, e.AtMS, e.Body)
		}
		return putBulk.Exec(ctx, tx, args)
	}
	shards, members, times := make([]int64, len(list)), make([]int64, len(list)), make([]int64, len(list))
	kinds, bodies := make([]string, len(list)), make([]string, len(list))
	for i, e := range list {
		shards[i], members[i], times[i], kinds[i], bodies[i] = int64(e.Shard), e.Member, e.AtMS, e.Kind, string(e.Body)
	}
	_, err := tx.Exec(ctx, putSQL, position, shards, members, times, kinds, bodies)
	return err
}

// Waiting returns the events in up to so many rows of the outbox, in order, and the row to
// go on after: after 0 first, until it stays where it was. What the dispatcher moves
// meanwhile is met in the log by who reads that afterwards.
func Waiting(ctx context.Context, tx *db.Tx, after int64, limit int) (list []Event, last int64, err error) {
	rows, err := readWaiting(math.MaxInt)(tx.Query(ctx, waitingSQL, after, limit))
	if err != nil {
		return nil, after, fmt.Errorf("read the outbox: %w", err)
	}
	last = after
	for _, w := range rows {
		events, err := w.unpack()
		if err != nil {
			return nil, after, fmt.Errorf("read the outbox: %w", err)
		}
		list, last = append(list, events...), w.id
	}
	return list, last, nil
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
	case events >= b.n && took < b.target*3/4:
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
