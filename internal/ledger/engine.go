package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/trace"
)

const (
	// DefaultMaxBatch is how many commands are decided together at most: past a few
	// hundred the rate no longer grows, but the wait of the first does.
	DefaultMaxBatch = 256
	queueLength     = 8192 // per worker: seconds of work; more is refused rather than kept waiting
	maxRounds       = 16   // how often one command may ask for more before it is a defect
	maxRetries      = 8    // of a batch that met another node's
	waryFor         = 64   // batches that look for fresh rows after one that found some there
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
	watch             Watch
	trace             *trace.Tracer
	complained        atomic.Int64 // when the log last told of a failed batch, in Unix seconds
}

// queue is what waits for one worker. Bulk work is taken when nothing else waits.
type queue struct {
	fast, bulk chan *task
	again      chan *task    // those that asked for more members: they go first
	turn       chan struct{} // of one place: held by the lane that decides
}

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
	Watch     Watch         // nil where nobody counts
	Trace     *trace.Tracer // nil for no traces
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
	if e.watch, e.trace = o.Watch, o.Trace; e.watch == nil {
		e.watch = nobody{}
	}
	e.store = newStore(d)
	n := max(1, o.Workers)
	if d.Engine() == db.SQLite {
		n = 1
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	for range n {
		q := queue{
			fast: make(chan *task, queueLength), bulk: make(chan *task, queueLength),
			again: make(chan *task, e.store.lanes()*e.maxBatch), // all that the lanes can have in hand
			turn:  make(chan struct{}, 1),
		}
		e.queues = append(e.queues, q)
		for range e.store.lanes() {
			w, err := e.store.worker(ctx)
			if err != nil {
				e.Close()
				return nil, err
			}
			e.done.Go(func() { e.work(run, &lane{worker: w, queue: q}) })
		}
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

// Config is what commands are decided by at this moment.
func (e *Engine) Config() *Config { return e.config() }

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

// lane is one connection of a worker. A worker has two where the database commits for
// several at a time: while the batch of one lane waits for the disk, the other decides the
// next. They take turns, so that batches stay as large as they would be, and locks are
// taken by one lane at a time.
type lane struct {
	worker
	queue
	wary int // batches that look before they decide, as fresh rows were there already
}

// pass gives the turn away, once for each time that it was taken.
func (l *lane) pass(has *bool) {
	if *has {
		*has = false
		<-l.turn
	}
}

// work is the life of a lane.
func (e *Engine) work(ctx context.Context, l *lane) {
	defer l.close()
	for {
		l.turn <- struct{}{}
		has := true
		batch := e.gather(l.queue)
		var again []*task
		if len(batch) > 0 {
			again = e.run(ctx, l, batch, func() { l.pass(&has) })
		}
		l.pass(&has)
		if len(batch) == 0 {
			return
		}
		for _, t := range again {
			l.again <- t
		}
	}
}

// gather takes what waits, up to a batch: first what was begun, then what others wait for,
// then bulk work. It blocks where there is nothing, and returns nothing once the queue is
// closed and empty.
func (e *Engine) gather(q queue) []*task {
	batch := drain(q.fast, drain(q.again, nil, e.maxBatch), e.maxBatch)
	for fast, bulk := q.fast, q.bulk; len(batch) == 0 && (fast != nil || bulk != nil); {
		var t *task
		ok := true
		select {
		case t = <-q.again:
		case t, ok = <-fast:
			if !ok {
				fast = nil
			}
		case t, ok = <-bulk:
			if !ok {
				bulk = nil
			}
		}
		if ok {
			batch = drain(q.fast, append(batch, t), e.maxBatch)
		}
	}
	return drain(q.bulk, batch, e.maxBatch)
}

// drain takes what is there without waiting.
func drain(ch chan *task, batch []*task, most int) []*task {
	for len(batch) < most {
		select {
		case t, ok := <-ch:
			if !ok {
				return batch
			}
			batch = append(batch, t)
		default:
			return batch
		}
	}
	return batch
}

// run posts a batch and answers it. What it returns has to go into the next one.
//
// It calls written when the next batch may be begun: at the latest when it returns.
func (e *Engine) run(ctx context.Context, l *lane, batch []*task, written func()) []*task {
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
	again, err := e.post(ctx, l, live, written)
	if err == nil {
		return again
	}
	if storage := errors.Is(err, db.ErrStorage) || errs.KindOf(err) == errs.Unavailable; storage || len(live) == 1 {
		e.failed(live, err, storage)
		return nil
	}
	// One command of many sinks the batch: find it by posting each alone.
	e.log.Warn("a batch is posted one by one", "commands", len(live), "error", err)
	for _, t := range live {
		again = append(again, e.run(ctx, l, []*task{t}, func() {})...)
	}
	return again
}

// decided is a command with its answer, to be given once the batch is committed.
type decided struct {
	task   *task
	answer Answer
}

// post tries a batch until no other node is in its way.
func (e *Engine) post(ctx context.Context, l *lane, batch []*task, written func()) (again []*task, err error) {
	began, span := time.Now(), e.span(batch)
	defer func() { span.End(err != nil) }()
	for try := 0; ; try++ {
		var out []decided
		var wrote bool
		trust := l.wary == 0
		out, again, wrote, err = e.once(ctx, l, batch, trust, written)
		if err == nil {
			l.wary = max(0, l.wary-1)
			e.count(out, time.Since(began))
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
		if trust && notFresh(err, batch) {
			l.wary = waryFor
		} else {
			e.watch.Retried() // it was another batch
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // let the other one finish
	}
}

// retryable reports whether a batch failed because another node was faster: it locked in
// another order, made the same account, or took the same document or key.
func retryable(err error) bool {
	return errors.Is(err, db.ErrUnique) || errors.Is(err, errConflict)
}

// notFresh reports whether a batch failed because a row was there that it took for absent
// without a look. An account or a wallet that another batch made meanwhile is no such row:
// the next try finds it. What cannot be told counts as one, since a look does no harm.
func notFresh(err error, batch []*task) bool {
	if !errors.Is(err, db.ErrUnique) {
		return false
	}
	table, _, told := strings.Cut(db.Constraint(err), ".")
	if !told {
		return true
	}
	for _, t := range batch {
		for _, k := range t.needs(true).Fresh {
			if k.Table.name == table {
				return true
			}
		}
	}
	return false
}

// errConflict is what a store returns for a deadlock or a serialization failure.
var errConflict = errors.New("ledger: another transaction was in the way")

// once is one transaction. Where it trusts, fresh rows are assumed to be absent.
func (e *Engine) once(ctx context.Context, l *lane, batch []*task, trust bool, written func()) (out []decided, again []*task, wrote bool, err error) {
	s := newState(e.config(), e.clock.Now().UnixMilli())
	err = l.run(ctx, func(tx session) (err error) {
		defer recovered("a batch", &err) // the store then rolls back, and the worker lives on
		out, again = nil, nil
		var n Needs
		for _, t := range batch {
			n.Add(t.needs(trust))
		}
		if err := tx.load(ctx, s, n); err != nil {
			return err
		}
		if err := tx.load(ctx, s, s.pinsOf(n.Holds)); err != nil {
			return err
		}
		s.assume(n.Fresh)
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
		return tx.write(ctx, s, written)
	})
	return out, again, wrote, err
}

// needs is what has to be loaded before t is decided. A dry run puts nothing, so nothing
// would tell that what it took for fresh was there.
func (t *task) needs(trust bool) Needs {
	n := t.req.Command.Needs()
	n.Fresh = append(n.Fresh, t.keyRow()...)
	if !trust || t.req.DryRun {
		n.Rows, n.Fresh = append(n.Rows, n.Fresh...), nil
	}
	n.Add(t.extra)
	return n
}

// keyRow is where the answer to the task's key is kept, if it has one.
func (t *task) keyRow() []RowKey {
	if !t.req.Key.Set || t.req.DryRun {
		return nil
	}
	return []RowKey{{requestTable, requestKey(t.req.Key)}}
}

// decide settles one command within a batch. It says more where the command has to wait
// for the next batch with further members.
func (e *Engine) decide(ctx context.Context, tx session, s *State, t *task) (d decided, more bool, err error) {
	for {
		if a, ok := s.replay(&t.req); ok {
			return decided{t, a}, false, nil
		}
		m := s.begin(t.req.Actor)
		a, err := safely(&t.req, s)
		if err == nil {
			s.remember(&t.req, a.Raw, a.Value)
		}
		var ask *Again
		again := errors.As(err, &ask)
		unseen := s.unseen(append(t.req.Command.Needs().Fresh, t.keyRow()...))
		if err == nil && len(unseen) == 0 {
			if t.req.DryRun {
				s.rollback(m)
			}
			return decided{t, a}, false, nil
		}
		s.rollback(m)
		switch {
		case again:
			if t.rounds++; t.rounds > maxRounds {
				return decided{t, Answer{Err: ErrDefect.Because(err)}}, false, nil
			}
		case len(unseen) > 0: // what it was decided on may not be true
			ask = &Again{Needs{Rows: unseen}}
		default:
			return decided{t, e.refuse(s, t, err)}, false, nil
		}
		t.extra.Add(ask.Needs)
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
