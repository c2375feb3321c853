package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Run is one try of a job, as its function sees it.
type Run struct {
	ID       ID
	Kind     string
	Try      int // from 1
	MaxTries int

	args  []byte
	queue *Queue
	ctx   context.Context // of this run; it is here because the keeper and Cancel end it
	end   context.CancelCauseFunc

	mu          sync.Mutex
	done, total int64
	note        string
	changed     bool // since it was last written
}

// Args reads the arguments into a pointer. An error is permanent: they will not change.
func (r *Run) Args(into any) error {
	if err := json.Unmarshal(r.args, into); err != nil {
		return Permanent(fmt.Errorf("arguments of job %d: %w", r.ID, err))
	}
	return nil
}

// Progress tells people how far the job is: done of total (0 where unknown), and a note
// without personal values. It costs nothing: what was said last is written about once a
// second, and at the end.
func (r *Run) Progress(done, total int64, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.total, r.note, r.changed = done, total, clip(note, maxNote), true
}

// The bounds of what a row keeps of a run, in bytes.
const (
	maxNote  = 500
	maxError = 1000
)

// Why a run may end early, beside errStopped.
var (
	errLost      = errors.New("the lease was lost")
	errCancelled = errors.New("cancelled")
)

// run does one claimed job and writes down how it ended.
func (q *Queue) run(r *Run) {
	defer func() {
		r.end(nil)
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.running[r.ID] == r { // it may have been cancelled, retried and begun anew
			delete(q.running, r.ID)
		}
	}()
	k, known := q.kinds[r.Kind]
	if !known {
		q.settle(r, "give back", giveBackSQL, q.clock.Now().Add(time.Minute).UnixMilli(), "this version does not know the kind")
		return
	}
	ctx, span := q.trace.Start(r.ctx, "job "+r.Kind)
	err := r.call(ctx, k)
	span.Number("patron.try", int64(r.Try))
	span.End(err != nil)
	q.finish(r, err)
}

// call runs the function. A panic is a failure like any other.
func (r *Run) call(ctx context.Context, k kind) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.queue.log.Error("a job panicked", "job", r.ID, "kind", r.Kind, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, k.within)
	defer cancel()
	return k.do(api.WithCaller(ctx, api.Caller{Kind: "system", ID: r.ID.String(), Name: r.Kind}), r)
}

// finish writes how a run ended. Where the lease is gone there is nothing to write.
func (q *Queue) finish(r *Run, err error) {
	now := q.clock.Now()
	var forGood *permanent
	switch why := context.Cause(r.ctx); {
	case err == nil:
		r.mu.Lock()
		done, total, note := r.done, r.total, r.note
		r.mu.Unlock()
		q.ended[EndDone].Add(1)
		q.settle(r, "done", doneSQL, now.UnixMilli(), done, total, note)
	case errors.Is(why, errLost), errors.Is(why, errCancelled):
		q.log.Info("a job ended without its lease", "job", r.ID, "kind", r.Kind, "why", why)
	case errors.Is(why, errStopped):
		q.settle(r, "give back", giveBackSQL, now.UnixMilli(), "interrupted by a restart")
	case r.Try >= r.MaxTries, errors.As(err, &forGood):
		q.ended[EndFailed].Add(1)
		q.log.Error("a job failed", "job", r.ID, "kind", r.Kind, "try", r.Try, "error", err)
		q.settle(r, "fail", failSQL, now.UnixMilli(), clip(err.Error(), maxError))
	default:
		q.ended[EndAgain].Add(1)
		next := now.Add(backoff(r.Try, rand.Float64()))
		q.log.Warn("a job failed and will be tried again", "job", r.ID, "kind", r.Kind, "try", r.Try, "next", next, "error", err)
		q.settle(r, "again", againSQL, next.UnixMilli(), clip(err.Error(), maxError))
	}
}

// settleWithin bounds the last write of a run, which no context of the run may stop.
const settleWithin = 10 * time.Second

// settle writes an end under the token of the lease. If the write fails the lease runs out
// and the job is done again, which its function can bear.
func (q *Queue) settle(r *Run, what string, s *db.Stmt, args ...any) {
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	var n int64
	err := q.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, s, append([]any{r.ID, q.owner, r.Try}, args...)...)
		return err
	})
	switch {
	case err != nil:
		q.log.Error("the end of a job was not written; it will run again", "job", r.ID, "kind", r.Kind, "end", what, "error", err)
	case n == 0:
		q.log.Warn("a job ended after it had lost its lease", "job", r.ID, "kind", r.Kind, "end", what)
	}
}

// clip puts a text on one line and cuts it.
func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
