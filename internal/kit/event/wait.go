package event

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// maxCounted is how many rows of the outbox Lag counts the events of: past that the number
// only says "very many".
const maxCounted = 100_000

var countWaitingSQL = db.Define("event.countWaiting", `
	SELECT COALESCE(SUM(n), 0)
	FROM (SELECT n FROM outbox ORDER BY id LIMIT $1) AS waiting`)

// Lag says for how long the oldest event that is not in the log yet has been waiting, and
// how many wait (in the first maxCounted rows). The time is exact to one poll and begins anew
// when the process starts.
func (d *Dispatcher) Lag(ctx context.Context) (time.Duration, int64, error) {
	if _, err := d.look(ctx); err != nil {
		return 0, 0, err
	}
	var n int64
	err := d.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, countWaitingSQL, maxCounted).Scan(&n)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count waiting events: %w", err)
	}
	since, waits := d.marks.since()
	if !waits || n == 0 {
		return 0, n, nil
	}
	return d.clock.Now().Sub(since), n, nil
}

// newestSQL looks at some rows, since those of two batches may come in either order.
var newestSQL = db.Define("event.newest", `
	SELECT at_ms, COALESCE((SELECT MAX(at_ms) FROM (SELECT at_ms FROM outbox ORDER BY id DESC LIMIT 64) AS youngest), 0)
	FROM event_dispatcher
	WHERE one = 1`)

// Newest is the time of the newest posting of which the log or the outbox knows, or that of
// the newest dispatch where that is later; the zero time where there is none. That is
// the newest time that stands in the ledger: every posting tells an event.
func Newest(ctx context.Context, d *db.DB) (time.Time, error) {
	var dispatched, waits int64
	err := d.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, newestSQL).Scan(&dispatched, &waits)
	})
	if ms := max(dispatched, waits); ms > 0 && err == nil {
		return time.UnixMilli(ms).UTC(), nil
	}
	return time.Time{}, err
}

// Behind is the lag as of the last poll. It asks nobody, so it may be asked as often as one
// likes, also while the database does not answer.
func (d *Dispatcher) Behind() time.Duration {
	since, waits := d.marks.since()
	if !waits {
		return 0
	}
	return max(d.clock.Now().Sub(since), 0)
}

// Drain dispatches until the outbox is empty: for tests, and at shutdown after the last
// writer has stopped. Where another node holds the lease it waits for that one to do it,
// or for the lease to run out.
func (d *Dispatcher) Drain(ctx context.Context) error {
	for {
		found, err := d.look(ctx)
		if err != nil || !found.waits {
			return err
		}
		moved, err := d.step(ctx)
		if err != nil {
			return err
		}
		if moved == 0 {
			if err := pause(ctx, poll); err != nil {
				return fmt.Errorf("drain the outbox: %w", err)
			}
		}
	}
}

// WaitFor returns when the event at a position is in the log and its subscribers have
// run, or with the error of ctx. It wakes by signal for events of this process, by the
// poll of Run for those of others.
func (d *Dispatcher) WaitFor(ctx context.Context, position int64) error {
	if _, err := d.look(ctx); err != nil {
		return err
	}
	for {
		now, changed := d.seen.get()
		if now >= position {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for event %d, at %d: %w", position, now, ctx.Err())
		case <-changed:
		}
	}
}

// broadcast is a number that only grows and wakes all who wait for it.
type broadcast struct {
	mu      sync.Mutex
	n       int64
	changed chan struct{}
}

func (b *broadcast) set(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n <= b.n {
		return
	}
	b.n = n
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// get returns the number and a channel that is closed when it has grown.
func (b *broadcast) get() (int64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.n, b.changed
}
