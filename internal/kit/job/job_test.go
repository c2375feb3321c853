package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is a queue on a fresh database, at noon. Most tests do not start it but turn its
// wheels by hand, so that they wait for nothing.
type rig struct {
	*testing.T
	db    *db.DB
	clock *clock.Manual
	*Queue
}

func each(t *testing.T, body func(r rig)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(noon)
		body(rig{t, d, c, node(t, d, c)})
	})
}

// node is one of several queues on one database.
func node(t *testing.T, d *db.DB, c clock.Clock) *Queue {
	return NewQueue(d, c, Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

func (r rig) enqueue(n New) ID {
	r.Helper()
	n.Now = r.clock.Now()
	var id ID
	err := r.db.InTx(r.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		id, err = Enqueue(ctx, tx, n)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return id
}

// claimed leases what is due for a node.
func (r rig) claimed(q *Queue) []*Run {
	r.Helper()
	runs, _, err := q.claim(r.Context(), DefaultQueue, 10)
	if err != nil {
		r.Fatal(err)
	}
	return runs
}

// work does what is due and returns how many jobs that were.
func (r rig) work(q *Queue) int {
	r.Helper()
	runs := r.claimed(q)
	for _, run := range runs {
		q.run(run)
	}
	return len(runs)
}

func (r rig) job(id ID) Job {
	r.Helper()
	j, err := r.Get(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	return j
}

func (r rig) wantState(id ID, want State) Job {
	r.Helper()
	j := r.job(id)
	if j.State != want {
		r.Errorf("job is %s after %d tries (%s), want %s", j.State, j.Tries, j.Error, want)
	}
	return j
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAJobRunsOnceItIsCommitted(t *testing.T) {
	each(t, func(r rig) {
		var ran []string
		r.Register("mail.send", func(ctx context.Context, run *Run) error {
			var args struct{ To string }
			if err := run.Args(&args); err != nil {
				return err
			}
			if c := api.CallerOf(ctx); c.Kind != "system" || c.ID != run.ID.String() {
				t.Errorf("the caller inside a job is %+v", c)
			}
			run.Progress(3, 4, "nearly")
			ran = append(ran, args.To)
			return nil
		})
		undo := errors.New("undo")
		err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := Enqueue(ctx, tx, New{Kind: "mail.send", Args: map[string]string{"To": "nobody"}})
			return errors.Join(err, undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		id := r.enqueue(New{Kind: "mail.send", Args: map[string]string{"To": "ann"}})
		if n := r.work(r.Queue); n != 1 || fmt.Sprint(ran) != "[ann]" {
			t.Fatalf("%d jobs ran: %v", n, ran)
		}
		j := r.wantState(id, Done)
		if j.Progress != 3 || j.Total != 4 || j.Note != "nearly" || j.Tries != 1 || j.DoneMS != noon.UnixMilli() {
			t.Errorf("done: %+v", j)
		}
		if n := r.work(r.Queue); n != 0 {
			t.Errorf("%d jobs ran again", n)
		}
	})
}

func TestAJobWaitsForItsTime(t *testing.T) {
	each(t, func(r rig) {
		r.Register("a", func(context.Context, *Run) error { return nil })
		later := r.enqueue(New{Kind: "a", RunAt: noon.Add(time.Minute)})
		_, next, err := r.claim(t.Context(), DefaultQueue, 1)
		if err != nil || next != time.Minute {
			t.Errorf("the next job is due in %v, %v; want a minute", next, err)
		}
		r.clock.Advance(time.Minute)
		if n := r.work(r.Queue); n != 1 {
			t.Errorf("at its time %d jobs ran", n)
		}
		r.wantState(later, Done)
	})
}

func TestUniqueWhileUnfinished(t *testing.T) {
	each(t, func(r rig) {
		r.Register("a", func(context.Context, *Run) error { return nil })
		r.Register("b", func(context.Context, *Run) error { return nil })
		one := New{Kind: "a", UniqueKey: "k"}
		first := r.enqueue(one)
		if twin := r.enqueue(one); twin != first {
			t.Errorf("while it is ready a twin was added: %v", twin)
		}
		runs := r.claimed(r.Queue)
		if twin := r.enqueue(one); twin != first {
			t.Errorf("while it runs a twin was added: %v", twin)
		}
		if other := r.enqueue(New{Kind: "b", UniqueKey: "k"}); other == first {
			t.Error("another kind shares the key")
		}
		if one, other := r.enqueue(New{Kind: "a"}), r.enqueue(New{Kind: "a"}); one == other {
			t.Error("jobs without a key are taken for twins")
		}
		r.run(runs[0])
		again := r.enqueue(one)
		if again == first {
			t.Error("after it is done the key is still taken")
		}
		r.wantState(again, Ready)
	})
}

func TestEnqueueRefusesNonsense(t *testing.T) {
	each(t, func(r rig) {
		for name, n := range map[string]New{
			"no kind":      {},
			"kind":         {Kind: "A b"},
			"queue":        {Kind: "a", Queue: "A"},
			"tries":        {Kind: "a", MaxTries: -1},
			"key":          {Kind: "a", UniqueKey: strings.Repeat("k", maxKey+1)},
			"args":         {Kind: "a", Args: strings.Repeat("x", maxArgs)},
			"not JSON":     {Kind: "a", Args: func() {}},
			"largest args": {Kind: "a", Args: strings.Repeat("x", maxArgs-2)},
		} {
			err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				_, err := Enqueue(ctx, tx, n)
				return err
			})
			if (err == nil) != (name == "largest args") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestRetries(t *testing.T) {
	each(t, func(r rig) {
		fails := 2
		r.Register("a", func(_ context.Context, run *Run) error {
			if run.Try <= fails {
				return fmt.Errorf("try %d\nof %d", run.Try, run.MaxTries)
			}
			return nil
		})
		id := r.enqueue(New{Kind: "a", MaxTries: 5})
		for try := 1; try <= fails; try++ {
			r.work(r.Queue)
			j := r.wantState(id, Ready)
			pause := time.UnixMilli(j.RunAtMS).Sub(r.clock.Now())
			if least, most := backoff(try, 0), backoff(try, 1); pause < least || pause > most || j.Error != fmt.Sprintf("try %d of 5", try) {
				t.Errorf("after try %d: pause %v, want %v to %v; error %q", try, pause, least, most, j.Error)
			}
			if n := r.work(r.Queue); n != 0 {
				t.Errorf("it ran before its pause was over")
			}
			r.clock.Advance(pause)
		}
		r.work(r.Queue)
		if j := r.wantState(id, Done); j.Error != "" || j.Tries != 3 {
			t.Errorf("done: %+v", j)
		}
		if got := r.Ended(); !maps.Equal(got, map[End]int64{EndDone: 1, EndAgain: 2, EndFailed: 0}) {
			t.Errorf("ended: %v", got)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tries  int
		jitter float64
		want   time.Duration
	}{
		{1, 0.5, 5 * time.Second}, {1, 0, 4 * time.Second}, {1, 1, 6 * time.Second},
		{2, 0.5, 10 * time.Second}, {3, 0.5, 20 * time.Second}, {10, 0.5, 2560 * time.Second},
		{11, 0.5, time.Hour}, {1000, 0.5, time.Hour}, {1000, 1, 72 * time.Minute}, {0, 0.5, 5 * time.Second},
	} {
		if got := backoff(tt.tries, tt.jitter); got != tt.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", tt.tries, tt.jitter, got, tt.want)
		}
	}
}

// Each row is a way to end that is not done, and what is left of the job.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   Func
		max  int
		want State
		says string
	}{
		{"error on the last try", func(context.Context, *Run) error { return errors.New("no") }, 1, Failed, "no"},
		{"error before it", func(context.Context, *Run) error { return errors.New("no") }, 2, Ready, "no"},
		{"permanent error", func(context.Context, *Run) error { return fmt.Errorf("so: %w", Permanent(errors.New("no"))) }, 9, Failed, "so: no"},
		{"panic on the last try", func(context.Context, *Run) error { panic("oh") }, 1, Failed, "panic: oh"},
		{"panic before it", func(context.Context, *Run) error { panic("oh") }, 2, Ready, "panic: oh"},
		{"arguments of another shape", func(_ context.Context, r *Run) error { var n int; return r.Args(&n) }, 9, Failed, "arguments of job"},
		{"past its time", func(ctx context.Context, _ *Run) error { <-ctx.Done(); return ctx.Err() }, 1, Failed, "deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(r rig) {
				r.Register("a", tt.do, Within(50*time.Millisecond))
				id := r.enqueue(New{Kind: "a", MaxTries: tt.max, Args: "text"})
				r.work(r.Queue)
				if j := r.wantState(id, tt.want); !strings.Contains(j.Error, tt.says) {
					r.Errorf("error = %q, want %q in it", j.Error, tt.says)
				}
				want := map[State]int64{Ready: 0, Running: 0, Failed: 0}
				want[tt.want] = 1
				if got, err := r.Depth(r.Context()); err != nil || !maps.Equal(got, want) {
					r.Errorf("depth: %v, %v", got, err)
				}
				if got := r.Ended(); got[EndAgain] != want[Ready] || got[EndFailed] != want[Failed] {
					r.Errorf("ended: %v", got)
				}
			})
		})
	}
}

func TestAKindOfANewerVersionWaits(t *testing.T) {
	each(t, func(r rig) {
		id := r.enqueue(New{Kind: "newer", MaxTries: 1})
		r.work(r.Queue)
		if j := r.wantState(id, Ready); j.Tries != 0 || j.RunAtMS != noon.Add(time.Minute).UnixMilli() {
			t.Errorf("given back: %+v", j)
		}
		newer, ran := node(t, r.db, r.clock), false
		newer.Register("newer", func(context.Context, *Run) error { ran = true; return nil })
		r.clock.Advance(time.Minute)
		r.work(newer)
		if r.wantState(id, Done); !ran {
			t.Error("the newer version did not run it")
		}
	})
}

func TestRetryByHand(t *testing.T) {
	each(t, func(r rig) {
		broken := true
		r.Register("a", func(context.Context, *Run) error {
			if broken {
				return errors.New("no")
			}
			return nil
		})
		id := r.enqueue(New{Kind: "a", MaxTries: 1, UniqueKey: "k"})
		if _, err := r.Retry(t.Context(), id); !errors.Is(err, ErrRetry) {
			t.Errorf("Retry of a ready job = %v", err)
		}
		r.work(r.Queue)
		r.wantState(id, Failed)
		twin := r.enqueue(New{Kind: "a", UniqueKey: "k", MaxTries: 1})
		if _, err := r.Retry(t.Context(), id); !errors.Is(err, ErrTwin) {
			t.Errorf("Retry beside a twin = %v", err)
		}
		broken = false
		r.work(r.Queue)
		r.wantState(twin, Done)
		j, err := r.Retry(t.Context(), id)
		if err != nil || j.State != Ready || j.DoneMS != 0 || j.Tries != 1 || j.MaxTries != 2 {
			t.Fatalf("Retry = %+v, %v; want one more try", j, err)
		}
		r.work(r.Queue)
		r.wantState(id, Done)
		if _, err := r.Retry(t.Context(), id+1000); !errors.Is(err, ErrUnknown) {
			t.Errorf("Retry of nothing = %v", err)
		}
	})
}

func TestPurge(t *testing.T) {
	each(t, func(r rig) {
		r.Register("a", func(_ context.Context, run *Run) error {
			var fail bool
			if err := run.Args(&fail); err != nil || !fail {
				return err
			}
			return errors.New("no")
		})
		done, failed := r.enqueue(New{Kind: "a", Args: false}), r.enqueue(New{Kind: "a", Args: true, MaxTries: 1})
		cancelled := r.enqueue(New{Kind: "a", RunAt: noon.Add(time.Hour)})
		_, err := r.Cancel(t.Context(), cancelled)
		must(t, err)
		r.work(r.Queue)
		waiting := r.enqueue(New{Kind: "a", Args: false, RunAt: noon.Add(9000 * time.Hour)})

		r.clock.Advance(purgeAfter)
		must(t, r.purge(t.Context(), &Run{}))
		r.wantState(done, Done)
		r.clock.Advance(time.Millisecond)
		must(t, r.purge(t.Context(), &Run{}))
		for _, id := range []ID{done, cancelled} {
			if _, err := r.Get(t.Context(), id); !errors.Is(err, ErrUnknown) {
				t.Errorf("job %d is still there: %v", id, err)
			}
		}
		r.wantState(failed, Failed)
		r.wantState(waiting, Ready)
	})
}
