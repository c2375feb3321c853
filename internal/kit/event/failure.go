package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// When what was set aside is tried again.
const (
	firstReplay  = 30 * time.Second // enough for a passing trouble to pass
	singleReplay = time.Minute      // for an event that failed alone; doubled each time
	rarestReplay = 6 * time.Hour
	maxFailures  = 200 // that Failures returns
)

// Failure is a range of the log that a subscriber could not take.
type Failure struct {
	ID          int64
	Subscriber  string
	First, Last int64 // positions, both included
	Tries       int   // since it was set aside
	NextMS      int64 // when it is replayed
	AtMS        int64 // when it was set aside
	Error       string
}

var (
	recordSQL = db.Define("event.recordFailure", `
	INSERT INTO event_failure (subscriber, first_position, last_position, tries, next_ms, at_ms, error)
	VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	dueSQL = db.Define("event.dueFailure", `
	SELECT id, subscriber, first_position, last_position, tries, next_ms, at_ms, error
	FROM event_failure
	WHERE next_ms <= $1
	ORDER BY next_ms, id
	LIMIT 1`)
	settleSQL = db.Define("event.settleFailure", `
	DELETE FROM event_failure
	WHERE id = $1`)
	hastenSQL = db.Define("event.hastenFailures", `
	UPDATE event_failure
	SET next_ms = 1
	WHERE $1 = '' OR subscriber = $1`)
	failuresSQL = db.Define("event.listFailures", `
	SELECT id, subscriber, first_position, last_position, tries, next_ms, at_ms, error
	FROM event_failure
	ORDER BY id
	LIMIT $1`)
	rangeSQL = db.Define("event.listRange", `
	SELECT position, shard, member_id, kind, at_ms, body
	FROM event
	WHERE position BETWEEN $1 AND $2
	ORDER BY position`)
)

// record keeps a failure, to be replayed at a time.
func (f Failure) record(ctx context.Context, tx *db.Tx, next time.Time, cause error) error {
	if f.AtMS == 0 {
		f.AtMS = next.UnixMilli()
	}
	_, err := tx.Exec(ctx, recordSQL, f.Subscriber, f.First, f.Last, f.Tries, next.UnixMilli(), f.AtMS, oneLine(cause))
	if err != nil {
		return fmt.Errorf("record failure of subscriber %s: %w", f.Subscriber, err)
	}
	return nil
}

// Replay asks for everything that was set aside for a subscriber (for all with "") to be
// tried again at once, by whichever node dispatches. It returns how many ranges wait.
func (d *Dispatcher) Replay(ctx context.Context, name string) (ranges int64, err error) {
	err = d.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		ranges, err = tx.Exec(ctx, hastenSQL, name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replay events of %q: %w", name, err)
	}
	d.Nudge()
	return ranges, nil
}

// Failures returns what is set aside, oldest first, at most maxFailures ranges.
func (d *Dispatcher) Failures(ctx context.Context) (list []Failure, err error) {
	err = d.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		rows, err := tx.Query(ctx, failuresSQL, maxFailures)
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() {
			f, err := scanFailure(rows)
			if err != nil {
				return err
			}
			list = append(list, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list failures of subscribers: %w", err)
	}
	return list, nil
}

func scanFailure(row interface{ Scan(...any) error }) (f Failure, err error) {
	err = row.Scan(&f.ID, &f.Subscriber, &f.First, &f.Last, &f.Tries, &f.NextMS, &f.AtMS, &f.Error)
	return f, err
}

// replayNext tries the range that is due longest, and says whether there may be another.
//
// It holds the lease like a batch does, so a range is never applied twice. A range that
// fails again is halved and both halves are due at once: within 2 log2(n) turns only the
// events that fail by themselves are left, and those wait longer each time.
func (d *Dispatcher) replayNext(ctx context.Context) (more bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var f Failure
	var refused *refusal
	err = d.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		more, refused = false, nil
		_, leads, err := d.claim(ctx, tx)
		if err != nil || !leads {
			return err
		}
		f, err = scanFailure(tx.QueryRow(ctx, dueSQL, d.clock.Now().UnixMilli()))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find events to replay: %w", err)
		}
		more = true
		err = d.replay(ctx, tx, f)
		errors.As(err, &refused)
		return err
	})
	if refused != nil {
		err = d.putBack(ctx, f, refused.cause)
	}
	return more, err
}

// replay applies a range to its subscriber and settles it.
func (d *Dispatcher) replay(ctx context.Context, tx *db.Tx, f Failure) error {
	s := d.named(f.Subscriber)
	if s == nil {
		return &refusal{&subscriber{name: f.Subscriber}, errors.New("this version has no such subscriber")}
	}
	batch, err := readEvents(tx.Query(ctx, rangeSQL, f.First, f.Last))
	if err != nil {
		return err
	}
	if err := s.run(ctx, tx, batch); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, settleSQL, f.ID); err != nil {
		return fmt.Errorf("settle failure %d: %w", f.ID, err)
	}
	return nil
}

// putBack replaces a range that failed again by its halves, or a single event by itself
// for later.
func (d *Dispatcher) putBack(ctx context.Context, f Failure, cause error) error {
	return d.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, settleSQL, f.ID)
		if err != nil {
			return fmt.Errorf("put back failure %d: %w", f.ID, err)
		}
		if n == 0 { // another node has dealt with it since
			return nil
		}
		now := d.clock.Now()
		if f.First == f.Last {
			f.Tries++
			return f.record(ctx, tx, now.Add(singlePause(f.Tries)), cause)
		}
		left, right := f, f
		left.Last = f.First + (f.Last-f.First)/2
		right.First = left.Last + 1
		if err := left.record(ctx, tx, now, cause); err != nil {
			return err
		}
		return right.record(ctx, tx, now, cause)
	})
}

// singlePause is the wait after so many tries of one event: 1, 2, 4 … minutes, at most
// rarestReplay.
func singlePause(tries int) time.Duration {
	if tries > 9 { // 2^9 minutes are past the most already
		return rarestReplay
	}
	return min(rarestReplay, singleReplay<<max(0, tries-1))
}

func (d *Dispatcher) named(name string) *subscriber {
	for _, s := range d.subs {
		if s.name == name {
			return s
		}
	}
	return nil
}
