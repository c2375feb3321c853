package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// tally is a Watch that counts by word.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(word string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[word] += n
}

func (c *tally) Posted(commands int, took time.Duration) {
	c.add("posted", commands)
	if took <= 0 {
		c.add("took nothing", 1)
	}
}

func (c *tally) Answered(_ Command, refusal error) {
	if refusal != nil {
		c.add("refused", 1)
		return
	}
	c.add("kept", 1)
}

func (c *tally) Failed(commands int, unknown bool) {
	c.add(fmt.Sprint("failed, unknown ", unknown), commands)
}
func (c *tally) Retried() { c.add("retried", 1) }

// What is counted as kept was kept: not a dry run, and not the same again.
func TestWatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		var c tally
		e, err := NewEngine(t.Context(), d, b.clock, slog.New(slog.DiscardHandler), func() *Config { return b.config }, EngineOptions{Watch: &c})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		defect := cmd{Needs{Members: []int64{3}}, func(*State) (any, error) { return nil, errors.New("a bug") }}
		for _, r := range []Request{
			{Command: earn(1, 1, 10)}, keyed("a", "a", earn(1, 1, 10)), keyed("a", "a", earn(1, 1, 10)),
			{Command: earn(1, 1, 10), DryRun: true}, {Command: spend(1, 1, 1000)}, {Command: defect},
		} {
			e.Do(t.Context(), r)
		}
		want := map[string]int{"posted": 6, "kept": 2, "refused": 2}
		if !maps.Equal(c.n, want) {
			t.Errorf("%v, want %v", c.n, want)
		}
		if e.Waiting() != 0 {
			t.Errorf("%d wait", e.Waiting())
		}
	})
}

// A batch for which no connection is to be had took no effect, and its callers are told so;
// one whose connection broke may have.
func TestFailed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want *errs.Error
		word string
	}{
		{fmt.Errorf("%w: %w", errUnbegun, db.ErrBusy), db.ErrBusy, "failed, unknown false"},
		{db.ErrBusy, ErrUnknown, "failed, unknown true"},
		{errors.New("a bug"), ErrDefect, "failed, unknown false"},
	} {
		var c tally
		e := &Engine{watch: &c, log: slog.New(slog.DiscardHandler)}
		one := &task{answer: make(chan Answer, 1)}
		e.failed([]*task{one}, tt.err, errs.KindOf(tt.err) == errs.Unavailable)
		if a := <-one.answer; !errors.Is(a.Err, tt.want) || c.n[tt.word] != 1 {
			t.Errorf("%v: %v, counted %v", tt.err, a.Err, c.n)
		}
	}
}
