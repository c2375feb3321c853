package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

const (
	// DefaultMaxBatch is how many commands are decided together at most: past a few
	// hundred the rate no longer grows, but the wait of the first does.
	DefaultMaxBatch = 256
	queueLength     = 8192 // per worker: seconds of work; more is refused rather than kept waiting
	maxRounds       = 6    // how often one command may ask for more before it is a defect
	maxRetries      = 8    // of a batch that met another node's
)

// Engine posts commands: many at a time, each batch one transaction.
//
// Requests queue by shard. A worker takes what is waiting, loads it under lock, decides
// it in pure Go, writes it set by set, commits, and then answers every caller. There is no
// timer: a lone request is a batch of one.
type Engine struct {
	store    store
	clock    clock.Clock
	config   func() *Config
	log      *slog.Logger
	maxBatch int
	// Committed is called after each batch that wrote events, so that they are handed on.
	committed func()

	queues []queue
	done   sync.WaitGroup
	stop   context.CancelFunc
	stopMu sync.RWMutex
	closed bool

	batches, commands atomic.Int64
}

// queue is what waits for one worker. Bulk work is taken when nothing else waits.
type queue struct{ fast, bulk chan *task }

// task is a request on its way.
type task struct {
	ctx    context.Context
	req    Request
	extra  Needs // found out on the way
	rounds int
	answer chan Answer // of one place, so that answering never waits
}

// EngineOptions are the knobs of an Engine.
type EngineOptions struct {
	Workers   int // on PostgreSQL; SQLite has one writer
	MaxBatch  int // 0 = DefaultMaxBatch
	Committed func()
}

// NewEngine starts the workers. Close stops them.
func NewEngine(ctx context.Context, d *db.DB, c clock.Clock, log *slog.Logger, config func() *Config, o EngineOptions) (*Engine, error) {
	e := &Engine{clock: c, config: config, log: log, maxBatch: o.MaxBatch, committed: o.Committed}
	if e.maxBatch < 1 {
		e.maxBatch = DefaultMaxBatch
	}
	if e.committed == nil {
		e.committed = func() {}
	}
	e.store = newStore(d)
	n := max(1, o.Workers)
	if d.Engine() == db.SQLite {
		n = 1
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	for range n {
		q := queue{make(chan *task, queueLength), make(chan *task, queueLength)}
		e.queues = append(e.queues, q)
		w, err := e.store.worker(ctx)
		if err != nil {
			e.Close()
			return nil, err
		}
		e.done.Add(1)
		go e.work(run, q, w)
	}
	return e, nil
}

// Close lets the workers finish what is queued and stops them.
func (e *Engine) Close() {
	e.stopMu.Lock()
	if !e.closed {
		e.closed = true
		for _, q := range e.queues {
			close(q.fast)
			close(q.bulk)
		}
	}
	e.stopMu.Unlock()
	e.done.Wait()
	e.stop()
	e.store.close()
}

// Counts returns how many batches and commands were committed so far.
func (e *Engine) Counts() (batches, commands int64) { return e.batches.Load(), e.commands.Load() }

// Do posts one request and waits for its answer. If ctx ends while it waits, the request
// may still take effect: a retry with the same key finds out.
func (e *Engine) Do(ctx context.Context, r Request) Answer {
	t, err := e.enqueue(ctx, r)
	if err != nil {
		return Answer{Err: err}
	}
	return t.wait(ctx)
}

// DoMany posts requests together and returns their answers in the same order. Requests of
// one member are decided in that order.
func (e *Engine) DoMany(ctx context.Context, rs []Request) []Answer {
	out, tasks := make([]Answer, len(rs)), make([]*task, len(rs))
	for i, r := range rs {
		t, err := e.enqueue(ctx, r)
		if err != nil {
			out[i].Err = err
			continue
		}
		tasks[i] = t
	}
	for i, t := range tasks {
		if t != nil {
			out[i] = t.wait(ctx)
		}
	}
	return out
}

func (e *Engine) enqueue(ctx context.Context, r Request) (*task, error) {
	t := &task{ctx: ctx, req: r, answer: make(chan Answer, 1)}
	q := e.queues[int(id.Shard(r.Command.Needs().Members[0]))%len(e.queues)]
	ch := q.fast
	if r.Bulk {
		ch = q.bulk
	}
	e.stopMu.RLock()
	defer e.stopMu.RUnlock()
	if e.closed {
		return nil, ErrOverload
	}
	if r.Bulk { // bulk callers wait for their place
		select {
		case ch <- t:
			return t, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case ch <- t:
		return t, nil
	default:
		return nil, ErrOverload
	}
}

func (t *task) wait(ctx context.Context) Answer {
	select {
	case a := <-t.answer:
		return a
	case <-ctx.Done():
		return Answer{Err: ErrUnknown.Because(ctx.Err())}
	}
}

// work is the life of a worker.
func (e *Engine) work(ctx context.Context, q queue, w worker) {
	defer e.done.Done()
	defer w.close()
	var again []*task // commands that asked for more members: they go first next time
	for {
		batch := again
		again = nil
		batch, open := e.gather(q, batch)
		if len(batch) == 0 {
			if !open {
				return
			}
			continue
		}
		again = e.run(ctx, w, batch)
	}
}

// gather takes what waits, up to a batch: first what others wait for, then bulk work. It
// blocks only where it has nothing.
func (e *Engine) gather(q queue, batch []*task) ([]*task, bool) {
	if batch, _ = drain(q.fast, batch, e.maxBatch); len(batch) == 0 {
		select {
		case t, ok := <-q.fast:
			if !ok {
				return drain(q.bulk, batch, e.maxBatch)
			}
			batch = append(batch, t)
		case t, ok := <-q.bulk:
			if !ok {
				return drain(q.fast, batch, e.maxBatch)
			}
			batch = append(batch, t)
		}
		batch, _ = drain(q.fast, batch, e.maxBatch)
	}
	batch, _ = drain(q.bulk, batch, e.maxBatch)
	return batch, true
}

// drain takes what is there without waiting. It says false where the channel is closed
// and empty.
func drain(ch chan *task, batch []*task, most int) ([]*task, bool) {
	for len(batch) < most {
		select {
		case t, ok := <-ch:
			if !ok {
				return batch, len(batch) > 0
			}
			batch = append(batch, t)
		default:
			return batch, true
		}
	}
	return batch, true
}

// run posts a batch and answers it. What it returns has to go into the next one.
func (e *Engine) run(ctx context.Context, w worker, batch []*task) []*task {
	live := batch[:0:0]
	for _, t := range batch {
		if err := t.ctx.Err(); err != nil {
			t.answer <- Answer{Err: ErrOverload.Because(err)} // nothing was begun
			continue
		}
		live = append(live, t)
	}
	if len(live) == 0 {
		return nil
	}
	again, err := e.post(ctx, w, live)
	if err == nil {
		return again
	}
	if storage := errors.Is(err, db.ErrStorage) || errs.KindOf(err) == errs.Unavailable; storage || len(live) == 1 {
		e.log.Error("a batch was not posted", "commands", len(live), "error", err)
		for _, t := range live {
			if storage {
				t.answer <- Answer{Err: ErrUnknown.Because(err)}
			} else {
				t.answer <- Answer{Err: ErrDefect.Because(err)}
			}
		}
		return nil
	}
	// One command of many sinks the batch: find it by posting each alone.
	e.log.Warn("a batch is posted one by one", "commands", len(live), "error", err)
	for _, t := range live {
		again = append(again, e.run(ctx, w, []*task{t})...)
	}
	return again
}

// decided is a command with its answer, to be given once the batch is committed.
type decided struct {
	task   *task
	answer Answer
}

// post tries a batch until no other node is in its way.
func (e *Engine) post(ctx context.Context, w worker, batch []*task) (again []*task, err error) {
	for try := 0; ; try++ {
		var out []decided
		var wrote bool
		out, again, wrote, err = e.once(ctx, w, batch)
		if err == nil {
			for _, d := range out {
				d.task.answer <- d.answer
			}
			e.batches.Add(1)
			e.commands.Add(int64(len(out)))
			if wrote {
				e.committed()
			}
			return again, nil
		}
		if try == maxRetries || !retryable(err) {
			return nil, err
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // let the other one finish
	}
}

// retryable reports whether a batch failed because another node was faster: it locked in
// another order, made the same account, or took the same document or key.
func retryable(err error) bool {
	return errors.Is(err, db.ErrUnique) || errors.Is(err, errConflict)
}

// errConflict is what a store returns for a deadlock or a serialization failure.
var errConflict = errors.New("ledger: another transaction was in the way")

// once is one transaction.
func (e *Engine) once(ctx context.Context, w worker, batch []*task) (out []decided, again []*task, wrote bool, err error) {
	s := newState(e.config(), e.clock.Now().UnixMilli())
	err = w.run(ctx, func(tx session) (err error) {
		defer recovered("a batch", &err) // the store then rolls back, and the worker lives on
		out, again = nil, nil
		var n Needs
		for _, t := range batch {
			n.add(t.needs())
		}
		if err := tx.load(ctx, s, n); err != nil {
			return err
		}
		for _, t := range batch {
			d, more, err := e.decide(ctx, tx, s, t)
			switch {
			case err != nil:
				return err
			case more:
				again = append(again, t)
			default:
				out = append(out, d)
			}
		}
		wrote = len(s.events) > 0
		return tx.write(ctx, s)
	})
	return out, again, wrote, err
}

func (t *task) needs() Needs {
	n := t.req.Command.Needs()
	if t.req.Key.Set && !t.req.DryRun {
		n.Rows = append(n.Rows, RowKey{requestTable, requestKey(t.req.Key)})
	}
	n.add(t.extra)
	return n
}

// decide settles one command within a batch. It says more where the command has to wait
// for the next batch with further members.
func (e *Engine) decide(ctx context.Context, tx session, s *State, t *task) (d decided, more bool, err error) {
	if a, ok := s.replay(&t.req); ok {
		return decided{t, a}, false, nil
	}
	for {
		m := s.begin(t.req.Actor)
		a, err := safely(&t.req, s)
		if err == nil {
			if t.req.DryRun {
				s.rollback(m)
			} else {
				s.remember(&t.req, a.Raw, a.Value)
			}
			return decided{t, a}, false, nil
		}
		s.rollback(m)
		var ask *Again
		if !errors.As(err, &ask) {
			return decided{t, e.refuse(s, t, err)}, false, nil
		}
		if t.rounds++; t.rounds > maxRounds {
			return decided{t, Answer{Err: ErrDefect.Because(err)}}, false, nil
		}
		t.extra.add(ask.Needs)
		if s.misses(ask.Needs.Members) {
			return decided{}, true, nil
		}
		if err := tx.load(ctx, s, ask.Needs); err != nil {
			return decided{}, false, err
		}
	}
}

func (s *State) misses(members []int64) bool {
	for _, m := range members {
		if s.accounts[m] == nil {
			return true
		}
	}
	return false
}

// refuse makes the answer of a refused command, and keeps it where a retry should get the
// same one.
func (e *Engine) refuse(s *State, t *task, err error) Answer {
	if errs.As(err) == nil {
		var moved *Moved
		if !errors.As(err, &moved) {
			e.log.Error("a command could not be decided", "error", err)
			err = ErrDefect.Because(err)
		}
	}
	a := Answer{Err: err}
	if t.req.Refusal != nil && t.req.Key.Set && !t.req.DryRun && kept(err) {
		a.Raw.Status, a.Raw.Body = t.req.Refusal(err)
		s.begin(t.req.Actor)
		s.remember(&t.req, a.Raw, nil)
	}
	return a
}

// safely is Decide and the writing of its answer, with a panic made an error: one bad
// command sinks no batch.
func safely(r *Request, s *State) (a Answer, err error) {
	defer recovered(fmt.Sprintf("the decision of a %T", r.Command), &err)
	for _, m := range r.Command.Needs().Members {
		if a := s.accounts[m]; a != nil && a.corrupt != "" {
			return Answer{}, ErrCorrupt.Because(errors.New(a.corrupt))
		}
	}
	v, err := r.Command.Decide(s)
	if err != nil {
		return Answer{}, err
	}
	return answer(r, v), nil
}

// recovered makes an error of a panic. It is deferred.
func recovered(what string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s panicked: %v\n%s", what, p, debug.Stack())
	}
}
