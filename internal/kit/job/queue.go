package job

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/trace"
)

// The rhythm of a queue.
const (
	defaultLease   = 30 * time.Second
	poll           = time.Second // how often a node looks for what other nodes enqueued
	keep           = time.Second // how often leases, progress and the calendar are looked after
	defaultWorkers = 2           // of a queue that Options do not name
	maxWorkers     = 64
	defaultWithin  = 6 * time.Hour // the longest that one run may take
	unwindWithin   = 5 * time.Second
)

// Options of a Queue.
type Options struct {
	Workers map[string]int // how many jobs of each queue run at once on this node; a queue that is not named here does not run
	Lease   time.Duration  // how long a worker that fell silent keeps its job; 30 s when zero
	Log     *slog.Logger   // slog.Default when nil
	Trace   *trace.Tracer  // nil for no traces
}

// Func does a job. Its context ends when the job was cancelled, the lease was lost, its
// time is over, or the process must stop; it then returns soon.
type Func func(ctx context.Context, run *Run) error

type kind struct {
	do     Func
	within time.Duration
}

type periodic struct {
	New
	Schedule
	planned time.Time // the newest slot that this process knows to be planned
}

// Queue runs the jobs of one node.
type Queue struct {
	db      *db.DB
	clock   clock.Clock
	log     *slog.Logger
	owner   string // of this process, in leases
	lease   time.Duration
	workers map[string]int

	kinds    map[string]kind // fixed when it starts
	calendar []*periodic     // used by the keeper only
	wakes    map[string]chan struct{}

	trace *trace.Tracer
	ended [ends]atomic.Int64

	mu      sync.Mutex
	running map[ID]*Run

	base      context.Context // of all runs
	interrupt context.CancelCauseFunc
	stop      context.CancelFunc // of the workers' loops; nil before Start
	release   context.CancelFunc // of the keeper
	workings  sync.WaitGroup     // the workers' loops
	runs      sync.WaitGroup
	keeping   sync.WaitGroup
}

// NewQueue makes the queue of a node. Next come Register and Every, then Start.
func NewQueue(d *db.DB, c clock.Clock, o Options) *Queue {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Lease == 0 {
		o.Lease = defaultLease
	}
	if o.Workers == nil {
		o.Workers = map[string]int{DefaultQueue: defaultWorkers}
	}
	q := &Queue{
		db: d, clock: c, log: o.Log, owner: rand.Text(), lease: o.Lease, workers: o.Workers, trace: o.Trace,
		kinds: map[string]kind{}, wakes: map[string]chan struct{}{}, running: map[ID]*Run{},
	}
	for name, n := range o.Workers {
		if n < 1 || n > maxWorkers {
			panic(fmt.Sprintf("job: %d workers for queue %s", n, name))
		}
		q.wakes[name] = make(chan struct{}, 1)
	}
	q.base, q.interrupt = context.WithCancelCause(context.Background())
	q.Register(purgeKind, q.purge)
	q.Every(Interval(purgeEvery), New{Kind: purgeKind, MaxTries: 1})
	return q
}

// Option changes how a kind runs.
type Option func(*kind)

// Within bounds one run of the kind; 6 hours without it.
func Within(d time.Duration) Option { return func(k *kind) { k.within = d } }

// Register says what does the jobs of a kind. Call it before Start, once for each kind. A
// job of a kind that nobody registered waits for a newer version of the program.
func (q *Queue) Register(name string, do Func, options ...Option) {
	if _, twice := q.kinds[name]; twice || q.stop != nil || !kindPattern.MatchString(name) {
		panic("job: kind " + name + " is registered twice, too late, or is no name")
	}
	k := kind{do: do, within: defaultWithin}
	for _, o := range options {
		o(&k)
	}
	q.kinds[name] = k
}

// Every makes a job of n at each slot of a schedule. The first slot after the schedule was
// first seen is the first to run; slots that passed while no node was up run once, late.
// UniqueKey and RunAt of n are set here.
func (q *Queue) Every(s Schedule, n New) {
	if _, ok := q.kinds[n.Kind]; !ok || q.stop != nil {
		panic("job: periodic kind " + n.Kind + " is not registered, or comes too late")
	}
	q.calendar = append(q.calendar, &periodic{New: n, Schedule: s})
}

// Start begins to work. It returns at once; Stop ends it.
func (q *Queue) Start() {
	if q.stop != nil {
		panic("job: the queue was started twice")
	}
	var working, keeping context.Context
	working, q.stop = context.WithCancel(context.Background())
	keeping, q.release = context.WithCancel(context.Background())
	for name, n := range q.workers {
		q.workings.Go(func() { q.serve(working, name, n) })
	}
	q.keeping.Go(func() { q.look(keeping) })
}

// Nudge says that jobs were committed. It never waits.
func (q *Queue) Nudge() {
	for _, wake := range q.wakes {
		signal(wake)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// errStopped ends runs that outlast the grace of Stop. Their jobs go back to ready.
var errStopped = errors.New("the process stops")

// Stop takes no new jobs and waits for those that run. When ctx ends first, the rest are
// interrupted: they go back to ready without having used a try.
func (q *Queue) Stop(ctx context.Context) error {
	if q.stop == nil {
		return nil
	}
	q.stop()
	defer q.keeping.Wait()
	defer q.release() // last, so that leases are renewed while runs are waited for
	ended := make(chan struct{})
	go func() {
		q.workings.Wait() // first, so that no run begins any more
		q.runs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	q.interrupt(errStopped)
	select {
	case <-ended:
		return nil
	case <-time.After(unwindWithin):
		return errors.New("stop the job queue: some jobs did not return; their leases will run out")
	}
}
