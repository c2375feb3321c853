// Package job is a durable queue and calendar on the program's own tables: work that is
// too long for a request, must be tried again, or happens at a time.
//
// Life of a job: Enqueue puts it in the table in the transaction of whoever wants it done
// (ready). A worker of some node leases it (running) and calls the function registered for
// its kind. It ends done, or is tried again after a pause that grows, until its tries are
// used up (failed). People may cancel it before it ends (cancelled), and retry a failed or
// cancelled one. Done and cancelled jobs are purged after a while; failed ones stay.
//
// Laws:
//   - A job is there if and only if the transaction that asked for it was committed.
//   - A job runs at least once: a worker that dies is replaced when its lease runs out. The
//     function is therefore written so that a second run does no harm.
//   - At any time one worker holds the lease. A worker that lost it (it slept too long) is
//     told by the end of its context and can no longer write to the job.
//   - Of one kind and unique key, at most one job is unfinished.
//   - A slot of a periodic kind runs once, however many nodes there are. Two runs of one
//     kind never overlap: a slot that comes while the last run is unfinished waits for it,
//     and of several that wait only the latest runs.
package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// ID is the number of a job.
type ID int64

// String is the id as the outside sees it.
func (i ID) String() string { return id.Encode("job_", 0, int64(i)) }

// ParseID reads what String made, or gives id.ErrBad.
func ParseID(text string) (ID, error) {
	_, n, err := id.Decode("job_", text)
	return ID(n), err
}

// State is where a job stands.
type State string

// The states. Ready and Running are unfinished, the others finished.
const (
	Ready     State = "ready"     // waits for its time or for a worker
	Running   State = "running"   // leased to a worker
	Done      State = "done"      // its function returned without an error
	Failed    State = "failed"    // its tries are used up, or the error was permanent
	Cancelled State = "cancelled" // a person stopped it
)

// The bounds of a job.
const (
	DefaultQueue = "default"
	defaultTries = 10 // with the pauses of backoff, about an hour and a half
	maxArgs      = 64 << 10
	maxKey       = 200
	enqueueTurns = 3 // twins that may finish under our hands
)

// New asks for a job.
type New struct {
	Kind      string    // as registered
	Args      any       // made to JSON; nil for none. No personal value unless sealed.
	UniqueKey string    // optional: no second job of this kind and key while one is unfinished
	RunAt     time.Time // not before this; zero for at once
	Queue     string    // DefaultQueue when empty
	MaxTries  int       // 10 when zero
	Now       time.Time // when it is asked for, which is only shown; the wall clock when zero
}

// The refusals.
var (
	ErrUnknown = errs.New(errs.NotFound, "job.unknown", "There is no such job.", "没有这个任务。")
	ErrRetry   = errs.New(errs.Conflict, "job.not_retriable",
		"Only a job that failed or was cancelled can be tried again.", "只有失败或已取消的任务可以重试。")
	ErrTwin = errs.New(errs.Conflict, "job.twin",
		"Another job for the same work is already waiting or running.", "同一工作的另一个任务正在等待或运行。")
	ErrCancel = errs.New(errs.Conflict, "job.finished", "The job has already ended.", "任务已经结束。")
)

var kindPattern = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z_]*)*$`)

// Enqueue adds a job in the caller's transaction and returns its id. Where an unfinished
// job has the same kind and unique key, nothing is added and the id is that one's. The
// queue finds the job within a second of the commit, or at once when nudged.
func Enqueue(ctx context.Context, tx *db.Tx, n New) (ID, error) {
	id, _, err := enqueue(ctx, tx, n)
	if err != nil {
		return 0, fmt.Errorf("enqueue %s: %w", n.Kind, err)
	}
	return id, nil
}

func enqueue(ctx context.Context, tx *db.Tx, n New) (id ID, added bool, err error) {
	args, err := n.check()
	if err != nil {
		return 0, false, err
	}
	var runAt int64
	if !n.RunAt.IsZero() {
		runAt = n.RunAt.UnixMilli()
	}
	key := sql.NullString{String: n.UniqueKey, Valid: n.UniqueKey != ""}
	// Between the two statements the twin may finish, on PostgreSQL: then there is room.
	for range enqueueTurns {
		err = tx.QueryRow(ctx, enqueueSQL, n.Queue, n.Kind, args, runAt, n.MaxTries, key, n.Now.UnixMilli()).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, err == nil, err
		}
		err = tx.QueryRow(ctx, twinSQL, n.Kind, n.UniqueKey).Scan(&id)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, false, err
		}
	}
	return 0, false, ErrTwin
}

// check fills the defaults and returns the arguments as JSON. What it finds wrong is a
// mistake of the program.
func (n *New) check() (args string, err error) {
	if n.Queue == "" {
		n.Queue = DefaultQueue
	}
	if n.MaxTries == 0 {
		n.MaxTries = defaultTries
	}
	if n.Now.IsZero() {
		n.Now = time.Now()
	}
	raw, err := json.Marshal(n.Args)
	switch {
	case err != nil:
		return "", fmt.Errorf("arguments: %w", err)
	case len(raw) > maxArgs:
		return "", fmt.Errorf("arguments of %d bytes, at most %d", len(raw), maxArgs)
	case !kindPattern.MatchString(n.Kind) || !kindPattern.MatchString(n.Queue):
		return "", fmt.Errorf("kind %q or queue %q is no name", n.Kind, n.Queue)
	case n.MaxTries < 0 || len(n.UniqueKey) > maxKey:
		return "", errors.New("negative tries, or a unique key that is too long")
	}
	return string(raw), nil
}

// Job is a row as people see it.
type Job struct {
	ID              ID
	Queue, Kind     string
	Args            json.RawMessage
	State           State
	RunAtMS         int64 // not before; 0 for at once
	Tries, MaxTries int
	Progress, Total int64
	Note, Error     string
	CreatedMS       int64
	DoneMS          int64 // 0 while unfinished
}

// The pause before another try.
const (
	firstPause  = 5 * time.Second
	longestWait = time.Hour
)

// backoff is the pause after so many tries: 5 s doubled each time, an hour at most, give
// or take a fifth by jitter in [0, 1), so that what failed together does not come back
// together.
func backoff(tries int, jitter float64) time.Duration {
	pause := longestWait
	if tries < 11 { // 5 s × 2^10 is past the longest
		pause = min(longestWait, firstPause<<max(0, tries-1))
	}
	return time.Duration(float64(pause) * (0.8 + 0.4*jitter))
}

// Permanent marks an error that another try would meet again: the job fails at once.
func Permanent(err error) error { return &permanent{err} }

type permanent struct{ cause error }

func (p *permanent) Error() string { return p.cause.Error() }
func (p *permanent) Unwrap() error { return p.cause }
