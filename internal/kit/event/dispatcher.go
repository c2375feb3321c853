package event

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/trace"
)

// The bounds of dispatch.
const (
	// lease is how long a dispatcher that fell silent keeps others out.
	lease = 4 * time.Second
	// poll is how often a node looks for events that nobody nudged it about: those of
	// other nodes, and of writers that do not nudge.
	poll = 150 * time.Millisecond
	// breath is how long a nudged node waits for more events to come: one batch of many costs
	// hardly more than one of a few, and every commit holds up the postings.
	breath = 40 * time.Millisecond
	// complainEvery is how often the log tells of an outage that lasts.
	complainEvery = 10 * time.Second
	// maxTries is how often a subscriber gets a batch before it is set aside for it.
	maxTries = 3
	// retryPause is the wait before the second try; each next is four times as long. All
	// tries together stay well under the lag that is allowed.
	retryPause = 50 * time.Millisecond
	// maxSubscribers bounds the work inside one transaction.
	maxSubscribers = 64
)

// Subscriber writes what follows from events, in the transaction that gives them their
// positions. It gets them in order, up to a few hundred at a time, and should sum them in
// memory and write set by set. It must not keep the slice.
type Subscriber func(ctx context.Context, tx *db.Tx, events []Event) error

type subscriber struct {
	name    string
	apply   Subscriber
	failing bool // its last batch was set aside: the next one gets a single try
}

// Dispatcher moves events from the outbox to the log. Every node has one; the lease
// decides which of them works.
type Dispatcher struct {
	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	owner string // of this process, in the lease
	size  batchSize
	marks marks
	nudge chan struct{}
	seen  broadcast // the newest position that this process knows of
	moved atomic.Int64
	aside atomic.Int64
	trace *trace.Tracer

	mu   sync.Mutex // one batch at a time; guards subs and size
	subs []*subscriber
}

// New makes the dispatcher of this process. Call Subscribe next, then Run.
func New(d *db.DB, c clock.Clock, log *slog.Logger) *Dispatcher {
	if log == nil {
		log = slog.Default()
	}
	return &Dispatcher{
		db:    d,
		clock: c,
		log:   log,
		owner: rand.Text(),
		size:  newBatchSize(d.Engine()),
		nudge: make(chan struct{}, 1),
	}
}

// Subscribe adds a subscriber under a name that stays the same for ever: failures are kept
// by it. All subscribers are added before the first dispatch, the same on every node.
func (d *Dispatcher) Subscribe(name string, apply Subscriber) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.subs) == maxSubscribers || slices.ContainsFunc(d.subs, func(s *subscriber) bool { return s.name == name }) {
		panic("event: subscriber " + name + " is one too many, or there twice")
	}
	d.subs = append(d.subs, &subscriber{name: name, apply: apply})
}

// Traced makes spans of dispatches. Call it before Run.
func (d *Dispatcher) Traced(t *trace.Tracer) { d.trace = t }

// Counts returns, since the start, how many events this process moved to the log, and how
// often it set a subscriber aside for a batch.
func (d *Dispatcher) Counts() (moved, aside int64) { return d.moved.Load(), d.aside.Load() }

// Nudge says that events were committed. It never waits, and many nudges are as one.
func (d *Dispatcher) Nudge() {
	select {
	case d.nudge <- struct{}{}:
	default:
	}
}

// Run dispatches until ctx ends, then gives the lease up, so that another node takes over
// at once. Errors are logged and tried again: only a failed storage ends it.
func (d *Dispatcher) Run(ctx context.Context) {
	timer := time.NewTicker(poll)
	defer timer.Stop()
	defer d.release(context.WithoutCancel(ctx))
	var quiet time.Time // until when the log says nothing of failures
	for ctx.Err() == nil && d.db.Failure() == nil {
		more, err := d.turn(ctx)
		if now := time.Now(); err != nil && ctx.Err() == nil && now.After(quiet) {
			quiet = now.Add(complainEvery)
			d.log.Error("dispatch of events failed and will be tried again", "error", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.nudge:
			_ = pause(ctx, breath) // its error is that ctx ended, which the loop sees
		case <-timer.C:
		}
	}
}

// turn does what is due: a batch, else what was set aside. It says whether to go on at once.
func (d *Dispatcher) turn(ctx context.Context) (more bool, err error) {
	found, err := d.look(ctx)
	switch {
	case err != nil:
		return false, err
	case found.waits:
		most := d.size.now()
		moved, err := d.step(ctx)
		return moved >= most, err
	case found.due:
		return d.replayNext(ctx)
	}
	return false, nil
}

var lookSQL = db.Define("event.look", `
	SELECT
		COALESCE((SELECT MIN(id) FROM outbox), 0),
		COALESCE((SELECT MAX(id) FROM outbox), 0),
		COALESCE((SELECT MIN(next_ms) FROM event_failure), 0),
		position
	FROM event_dispatcher
	WHERE one = 1`)

// work is what look found.
type work struct {
	waits bool // events in the outbox
	due   bool // a replay of what was set aside
}

// look reads, without a lock, whether there is work, and notes since when. It is what an
// idle node does on every poll, so it writes nothing.
func (d *Dispatcher) look(ctx context.Context) (work, error) {
	var first, last, next, position int64
	err := d.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, lookSQL).Scan(&first, &last, &next, &position)
	})
	if err != nil {
		return work{}, fmt.Errorf("look into the outbox: %w", err)
	}
	now := d.clock.Now()
	d.marks.note(first, last, now)
	d.seen.set(position)
	return work{waits: last > 0, due: next > 0 && next <= now.UnixMilli()}, nil
}

// step moves one batch and returns how many events it had: 0 where another node holds the
// lease or nothing waits. A batch that a subscriber refuses is tried again, with pauses,
// until the subscriber is set aside for it.
func (d *Dispatcher) step(ctx context.Context) (moved int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx, span := d.trace.Start(ctx, "event.dispatch")
	defer func() {
		span.Number("patron.events", int64(moved))
		span.End(err != nil)
		d.moved.Add(int64(moved))
	}()
	aside := map[*subscriber]error{}
	tries := map[*subscriber]int{}
	for {
		moved, err = d.move(ctx, aside)
		var refused *refusal
		if !errors.As(err, &refused) {
			break
		}
		s := refused.by
		tries[s]++
		if tries[s] >= maxTries || s.failing {
			aside[s] = refused.cause
			d.aside.Add(1)
			d.log.Error("a subscriber failed and was set aside for a batch of events", "subscriber", s.name, "error", refused.cause)
			continue
		}
		if err := pause(ctx, retryPause<<(2*(tries[s]-1))); err != nil {
			return 0, err
		}
	}
	if err == nil && moved > 0 {
		for _, s := range d.subs {
			_, s.failing = aside[s]
		}
	}
	return moved, err
}

// claimSQL takes or renews the lease. It also locks the row until the end of the
// transaction: of two nodes that believe to hold the lease, one waits here and then finds
// that it does not.
var claimSQL = db.Define("event.claim", `
	UPDATE event_dispatcher
	SET owner = $1, until_ms = $2
	WHERE one = 1 AND (owner = $1 OR until_ms < $3)
	RETURNING position`)

var advanceSQL = db.Define("event.advance", `
	UPDATE event_dispatcher
	SET position = $2, at_ms = CASE WHEN at_ms < $3 THEN $3 ELSE at_ms END
	WHERE one = 1 AND owner = $1`)

// move is one batch in one transaction.
func (d *Dispatcher) move(ctx context.Context, aside map[*subscriber]error) (int, error) {
	var t taken
	var refused error
	var took time.Duration
	limit := d.size.now()
	err := d.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		started := time.Now()
		defer func() { took = time.Since(started) }()
		t, refused = taken{}, nil // the transaction may be run again
		position, leads, err := d.claim(ctx, tx)
		if err != nil || !leads {
			return err
		}
		if t, err = take(ctx, tx, position, limit); err != nil || len(t.events) == 0 {
			return err
		}
		if refused = d.apply(ctx, tx, t.events, aside); refused != nil {
			return refused
		}
		return d.advance(ctx, tx, t)
	})
	if refused != nil {
		return 0, refused // as it was: the database translates what passes through it
	}
	if err != nil || len(t.events) == 0 {
		return 0, err
	}
	d.size.adapt(len(t.events), took)
	d.seen.set(t.last())
	return len(t.events), nil
}

// claim takes or renews the lease and returns the position of the newest event, or false
// where another node leads.
func (d *Dispatcher) claim(ctx context.Context, tx *db.Tx) (position int64, leads bool, err error) {
	now := d.clock.Now()
	err = tx.QueryRow(ctx, claimSQL, d.owner, now.Add(lease).UnixMilli(), now.UnixMilli()).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("claim the dispatch of events: %w", err)
	}
	return position, true, nil
}

func (d *Dispatcher) advance(ctx context.Context, tx *db.Tx, t taken) error {
	n, err := tx.Exec(ctx, advanceSQL, d.owner, t.last(), max(t.newestMS, d.clock.Now().UnixMilli()))
	if err == nil && n != 1 {
		err = errors.New("the lease was lost inside its own transaction")
	}
	if err != nil {
		return fmt.Errorf("advance the log to %d: %w", t.last(), err)
	}
	return nil
}

// apply runs the subscribers over a batch, and records the failure of those that are set
// aside for it.
func (d *Dispatcher) apply(ctx context.Context, tx *db.Tx, batch []Event, aside map[*subscriber]error) error {
	for _, s := range d.subs {
		if cause, ok := aside[s]; ok {
			f := Failure{Subscriber: s.name, First: batch[0].Position, Last: batch[len(batch)-1].Position}
			if err := f.record(ctx, tx, d.clock.Now().Add(firstReplay), cause); err != nil {
				return err
			}
			continue
		}
		if err := s.run(ctx, tx, batch); err != nil {
			return err
		}
	}
	return nil
}

// refusal is the failure of a subscriber, as against one of the database or the dispatcher.
type refusal struct {
	by    *subscriber
	cause error
}

func (r *refusal) Error() string { return "subscriber " + r.by.name + ": " + r.cause.Error() }
func (r *refusal) Unwrap() error { return r.cause }

// run applies the subscriber. A panic is a failure like any other. What is no fault of the
// subscriber (the end of ctx, a database that is busy, lost or full) is returned as it is,
// to be tried again without counting.
//
// The read after it finds a subscriber that dropped the error of a statement or left rows
// open. Both spoil the transaction, and without the read the next one would get the blame.
func (s *subscriber) run(ctx context.Context, tx *db.Tx, batch []Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &refusal{s, fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if err = s.apply(ctx, tx, batch); err == nil {
		_, err = Position(ctx, tx)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, errors.Is(err, db.ErrBusy), errors.Is(err, db.ErrStorage):
		return err
	}
	return &refusal{s, err}
}

var releaseSQL = db.Define("event.release", `
	UPDATE event_dispatcher
	SET until_ms = 0
	WHERE one = 1 AND owner = $1`)

// release gives the lease up. Failing to is harmless: the lease runs out by itself.
func (d *Dispatcher) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := d.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, releaseSQL, d.owner)
		return err
	})
	if err != nil {
		d.log.Warn("the lease of the event dispatcher was not given up", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
