package ledger

import (
	"errors"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/trace"
)

// Watch counts what an Engine does. Its calls come from the workers, so they must be safe
// for many at once, quick, and never wait.
type Watch interface {
	// Posted is called for each batch that was committed, with what it had to decide.
	Posted(commands int, took time.Duration)
	// Answered is called for each command of such a batch that was kept (nil) or refused. A
	// dry run, a command that went on with another member, and the answer to a key that came
	// before are none.
	Answered(c Command, refusal error)
	// Failed is called where commands of a batch got no answer: the database did not say
	// whether they took effect, or they are a defect.
	Failed(commands int, unknown bool)
	// Retried is called where a batch met another node's and is posted again.
	Retried()
}

type nobody struct{}

func (nobody) Posted(int, time.Duration) {}
func (nobody) Answered(Command, error)   {}
func (nobody) Failed(int, bool)          {}
func (nobody) Retried()                  {}

// count tells the watch of a committed batch.
func (e *Engine) count(out []decided, took time.Duration) {
	e.watch.Posted(len(out), took)
	for i := range out {
		req, a := &out[i].task.req, &out[i].answer
		if _, moved := a.Err.(*Moved); !moved && !req.DryRun && !a.Raw.Replayed {
			e.watch.Answered(req.Command, a.Err)
		}
	}
}

// errUnbegun is what a store returns that got no connection: nothing took effect.
var errUnbegun = errors.New("ledger: no transaction was begun")

// failed answers a batch that was not posted. An outage fails every batch, so the log has
// one line in a second at most.
func (e *Engine) failed(batch []*task, err error, storage bool) {
	refusal := ErrDefect.Because(err)
	switch {
	case errors.Is(err, errUnbegun):
		refusal = db.ErrBusy.Because(err)
	case storage:
		refusal = ErrUnknown.Because(err)
	}
	e.watch.Failed(len(batch), errors.Is(refusal, ErrUnknown))
	if now, last := time.Now().Unix(), e.complained.Load(); !storage || now != last && e.complained.CompareAndSwap(last, now) {
		e.log.Error("a batch was not posted", "commands", len(batch), "error", err)
	}
	for _, t := range batch {
		t.answer <- Answer{Err: refusal}
	}
}

// Waiting says how many commands wait for a worker.
func (e *Engine) Waiting() (n int) {
	for _, q := range e.queues {
		n += len(q.fast) + len(q.bulk)
	}
	return n
}

// span begins the span of a batch, under the first of its requests that is traced and
// linked to the others.
func (e *Engine) span(batch []*task) (s *trace.Span) {
	if e.trace == nil {
		return nil
	}
	for _, t := range batch {
		if s == nil && trace.Of(t.ctx) != nil {
			_, s = e.trace.Start(t.ctx, "ledger.batch")
		}
		s.Link(t.ctx)
	}
	s.Number("patron.commands", int64(len(batch)))
	return s
}
