package job

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// A worker dies in the middle of a job: when its lease runs out another does the job, and
// what the first writes after that changes nothing.
func TestACrashedWorkerIsReplaced(t *testing.T) {
	each(t, func(r rig) {
		other := node(t, r.db, r.clock)
		ran := 0
		other.Register("a", func(_ context.Context, run *Run) error { ran = run.Try; return nil })
		id := r.enqueue(New{Kind: "a", MaxTries: 3})
		dead := r.claimed(r.Queue)[0]

		r.clock.Advance(defaultLease)
		must(t, other.takeOver(t.Context()))
		if n := r.work(other); n != 0 {
			t.Fatal("it was taken over inside the lease")
		}
		r.clock.Advance(time.Millisecond)
		must(t, other.takeOver(t.Context()))
		if n := r.work(other); n != 1 || ran != 2 {
			t.Fatalf("past the lease %d jobs ran, try %d", n, ran)
		}
		r.finish(dead, errors.New("I am not dead"))
		r.finish(dead, nil)
		if j := r.wantState(id, Done); j.Tries != 2 || j.Error != "" {
			t.Errorf("done: %+v", j)
		}
	})
}

// A job that kills its worker each time is failed with its last try.
func TestAJobThatKillsItsWorkerFails(t *testing.T) {
	each(t, func(r rig) {
		id := r.enqueue(New{Kind: "a", MaxTries: 2})
		for range 2 {
			r.claimed(r.Queue)
			r.clock.Advance(defaultLease + 1)
			r.clock.Advance(time.Second)
			must(t, r.takeOver(t.Context()))
		}
		if j := r.wantState(id, Failed); j.Error == "" || j.DoneMS == 0 {
			t.Errorf("failed: %+v", j)
		}
	})
}

func TestRenewKeepsTheLease(t *testing.T) {
	each(t, func(r rig) {
		other := node(t, r.db, r.clock)
		id := r.enqueue(New{Kind: "a"})
		run := r.claimed(r.Queue)[0]
		for range 5 {
			r.clock.Advance(defaultLease / 2)
			must(t, r.renew(t.Context()))
			must(t, other.takeOver(t.Context()))
		}
		if r.wantState(id, Running); run.ctx.Err() != nil {
			t.Error("a run that has its lease was ended")
		}
		r.clock.Advance(2 * defaultLease) // it slept
		must(t, other.takeOver(t.Context()))
		must(t, r.renew(t.Context()))
		if r.wantState(id, Ready); !errors.Is(context.Cause(run.ctx), errLost) {
			t.Errorf("the run that lost its lease ended with %v", context.Cause(run.ctx))
		}
	})
}

// Two nodes claim at once; no job is claimed twice, none is forgotten.
func TestClaimsDoNotOverlap(t *testing.T) {
	each(t, func(r rig) {
		const jobs, nodes = 60, 4
		for range jobs {
			r.enqueue(New{Kind: "a"})
		}
		var mu sync.Mutex
		owner := map[ID]int{}
		var all sync.WaitGroup
		for n := range nodes {
			q := node(t, r.db, r.clock)
			all.Go(func() {
				for idle := 0; idle < 2; { // SKIP LOCKED may show nothing once, while others hold rows
					runs, _, err := q.claim(t.Context(), DefaultQueue, 3)
					if err != nil {
						t.Error(err)
						return
					}
					if len(runs) > 3 {
						t.Errorf("claimed %d, asked for 3", len(runs))
					}
					if idle++; len(runs) > 0 {
						idle = 0
					}
					mu.Lock()
					for _, run := range runs {
						if other, twice := owner[run.ID]; twice {
							t.Errorf("job %d is claimed by %d and %d", run.ID, other, n)
						}
						owner[run.ID] = n
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(owner) != jobs {
			t.Errorf("%d jobs were claimed, want %d", len(owner), jobs)
		}
	})
}

// Cancelled while it runs: its context ends, what it returns is not kept, and a retry runs
// beside the old one's last breath without mixing with it.
func TestCancel(t *testing.T) {
	each(t, func(r rig) {
		r.Register("a", func(ctx context.Context, _ *Run) error { return nil })
		ready := r.enqueue(New{Kind: "a", RunAt: noon.Add(time.Hour)})
		if j, err := r.Cancel(t.Context(), ready); err != nil || j.State != Cancelled {
			t.Errorf("Cancel of a ready job = %+v, %v", j, err)
		}
		if _, err := r.Cancel(t.Context(), ready); !errors.Is(err, ErrCancel) {
			t.Errorf("Cancel twice = %v", err)
		}
		id := r.enqueue(New{Kind: "a"})
		old := r.claimed(r.Queue)[0]
		_, err := r.Cancel(t.Context(), id)
		must(t, err)
		if !errors.Is(context.Cause(old.ctx), errCancelled) {
			t.Errorf("the run ended with %v", context.Cause(old.ctx))
		}
		_, err = r.Retry(t.Context(), id)
		must(t, err)
		again := r.claimed(r.Queue)[0]
		r.finish(old, nil)
		r.wantState(id, Running)
		r.run(again)
		r.wantState(id, Done)

		far := r.enqueue(New{Kind: "a"})
		elsewhere := r.claimed(r.Queue)[0]
		_, err = node(t, r.db, r.clock).Cancel(t.Context(), far)
		must(t, err)
		must(t, r.renew(t.Context()))
		if elsewhere.ctx.Err() == nil {
			t.Error("a run that another node cancelled goes on")
		}
	})
}

// From here on the queue is started, with all its goroutines.

func TestWorkersAreBounded(t *testing.T) {
	each(t, func(r rig) {
		const jobs = 12
		var now, most atomic.Int32
		var all sync.WaitGroup
		all.Add(jobs)
		r.Register("a", func(context.Context, *Run) error {
			defer all.Done()
			defer now.Add(-1)
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			// No more are leased than run: the rest is there for other nodes.
			return r.db.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				leased, err := list(ctx, tx, math.MaxInt64, Running, "", jobs)
				if len(leased) > defaultWorkers {
					t.Errorf("%d jobs are leased, want at most %d", len(leased), defaultWorkers)
				}
				return err
			})
		})
		for range jobs {
			r.enqueue(New{Kind: "a"})
		}
		r.Start()
		all.Wait()
		must(t, r.Stop(t.Context()))
		if n := most.Load(); n > defaultWorkers {
			t.Errorf("%d ran at once, want at most %d", n, defaultWorkers)
		}
	})
}

func TestStopWaitsForWhatRuns(t *testing.T) {
	each(t, func(r rig) {
		began, finish := make(chan struct{}), make(chan struct{})
		r.Register("a", func(ctx context.Context, run *Run) error {
			run.Progress(1, 2, "half")
			close(began)
			<-finish
			return ctx.Err()
		})
		r.Start()
		first := r.enqueue(New{Kind: "a"})
		r.Nudge()
		<-began
		stopped := make(chan error)
		go func() { stopped <- r.Stop(context.Background()) }()
		must(t, r.report(t.Context()))
		if j := r.wantState(first, Running); j.Progress != 1 || j.Total != 2 || j.Note != "half" {
			t.Errorf("running: %+v", j)
		}
		close(finish)
		must(t, <-stopped)
		r.wantState(first, Done)
		late := r.enqueue(New{Kind: "a"})
		r.Nudge()
		r.wantState(late, Ready)
	})
}

func TestStopInterruptsWhatOutlastsIt(t *testing.T) {
	each(t, func(r rig) {
		began := make(chan struct{})
		r.Register("a", func(ctx context.Context, _ *Run) error {
			close(began)
			<-ctx.Done()
			return ctx.Err()
		})
		r.Start()
		id := r.enqueue(New{Kind: "a", MaxTries: 1})
		r.Nudge()
		<-began
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		must(t, r.Stop(ctx))
		if j := r.wantState(id, Ready); j.Tries != 0 {
			t.Errorf("the interruption used a try: %+v", j)
		}
	})
}
