package event

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// A poisoned event is one that a subscriber cannot take. Each row is another way to fail.
func TestAFailingSubscriberStopsNobodyElse(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail func(ctx context.Context, tx *db.Tx) error
	}{
		{"an error", func(context.Context, *db.Tx) error { return errors.New("no") }},
		{"a panic", func(context.Context, *db.Tx) error { panic("no") }},
		{"a broken statement", func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, "INSERT INTO effect (position) VALUES (NULL), (1), (1)")
			return err
		}},
		{"a broken statement whose error is dropped", func(ctx context.Context, tx *db.Tx) error {
			_, _ = tx.ExecText(ctx, "INSERT INTO nowhere (x) VALUES (1)")
			return nil
		}},
		{"rows left open", func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.QueryText(ctx, "SELECT 1")
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { each(t, func(r rig) { testFailing(r, tt.fail) }) })
	}
}

func testFailing(r rig, fail func(context.Context, *db.Tx) error) {
	const poison, events = 13, 20
	r.makeTable()
	healed := false
	taken := map[int64]int{}
	r.Subscribe("weak", func(ctx context.Context, tx *db.Tx, list []Event) error {
		for _, e := range list {
			if e.Position == poison && !healed {
				return fail(ctx, tx)
			}
		}
		for _, e := range list {
			taken[e.Position]++
		}
		return nil
	})
	r.counting(r.Dispatcher)
	r.tell("a.b", 1, 1, events)
	r.drain()
	if n, _ := r.effects(); n != events {
		r.Errorf("the sound subscriber had %d effects, want %d", n, events)
	}
	if len(taken) != 0 {
		r.Errorf("the failing one took %v of a batch that it failed", taken)
	}

	// The dispatcher comes back, and in the end only the poisoned event is left.
	r.clock.Advance(firstReplay)
	r.replayAll()
	if len(taken) != events-1 || taken[poison] != 0 {
		r.Errorf("after the replay it took %v, want all but %d", taken, poison)
	}
	left := r.failures()
	if len(left) != 1 || left[0].First != poison || left[0].Last != poison || left[0].Tries != 1 || left[0].Error == "" {
		r.Fatalf("left = %+v, want position %d alone", left, poison)
	}

	healed = true
	if n, err := r.Replay(r.Context(), "weak"); n != 1 || err != nil {
		r.Fatalf("Replay = %d, %v", n, err)
	}
	r.replayAll()
	if taken[poison] != 1 || len(r.failures()) != 0 {
		r.Errorf("healed: took %d times, left %+v", taken[poison], r.failures())
	}
	for p, n := range taken {
		if n != 1 {
			r.Errorf("position %d took effect %d times", p, n)
		}
	}
	if n, _ := r.effects(); n != events {
		r.Errorf("the replay gave the sound subscriber %d effects, want %d", n, events)
	}
}

func (r rig) replayAll() {
	r.Helper()
	for range 100 {
		more, err := r.replayNext(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		if !more {
			return
		}
	}
	r.Fatal("the replay does not end")
}

func (r rig) failures() []Failure {
	r.Helper()
	list, err := r.Failures(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return list
}

// A subscriber that fails on everything costs three tries once and one for each batch
// after, and gets all its events when it is repaired.
func TestASubscriberThatAlwaysFails(t *testing.T) {
	each(t, func(r rig) {
		broken, calls, took := true, 0, 0
		r.Subscribe("broken", func(_ context.Context, _ *db.Tx, list []Event) error {
			if calls++; broken {
				return errors.New("always")
			}
			took += len(list)
			return nil
		})
		const batches = 4
		for i := range batches {
			r.tell("a.b", 1, i, 1)
			r.drain()
		}
		if want := maxTries + batches - 1; calls != want {
			t.Errorf("it was called %d times, want %d", calls, want)
		}
		broken = false
		if n, err := r.Replay(t.Context(), ""); n != batches || err != nil {
			t.Fatalf("Replay = %d, %v", n, err)
		}
		r.replayAll()
		if took != batches || len(r.failures()) != 0 {
			t.Errorf("repaired: it took %d of %d, left %v", took, batches, r.failures())
		}
	})
}

// A version that lacks a subscriber keeps its failures for one that has it.
func TestAFailureOutlivesItsSubscriber(t *testing.T) {
	each(t, func(r rig) {
		r.Subscribe("old", func(context.Context, *db.Tx, []Event) error { return errors.New("no") })
		r.tell("a.b", 1, 1, 1)
		r.drain()
		newer := newDispatcher(t, r.db, r.clock)
		r.release(t.Context())
		r.clock.Advance(firstReplay)
		if more, err := newer.replayNext(t.Context()); !more || err != nil {
			t.Fatalf("replayNext = %t, %v", more, err)
		}
		if left := r.failures(); len(left) != 1 || left[0].Tries != 1 {
			t.Errorf("left = %+v", left)
		}
	})
}

// A database that is busy is nobody's failure: the batch waits and no try is counted.
func TestABusyDatabaseIsNoFailure(t *testing.T) {
	each(t, func(r rig) {
		busy := true
		r.Subscribe("sound", func(context.Context, *db.Tx, []Event) error {
			if busy {
				return fmt.Errorf("write: %w", db.ErrBusy)
			}
			return nil
		})
		r.tell("a.b", 1, 1, 1)
		for range maxTries + 1 {
			if n, err := r.step(t.Context()); n != 0 || !errors.Is(err, db.ErrBusy) {
				t.Fatalf("step = %d, %v; want ErrBusy", n, err)
			}
		}
		busy = false
		r.drain()
		if len(r.failures()) != 0 || len(r.log()) != 1 {
			t.Errorf("failures %v, log %v", r.failures(), r.log())
		}
	})
}

func TestSinglePause(t *testing.T) {
	t.Parallel()
	for tries, want := range map[int]time.Duration{
		1: time.Minute, 2: 2 * time.Minute, 3: 4 * time.Minute, 9: 256 * time.Minute, 10: rarestReplay, 99: rarestReplay,
	} {
		if got := singlePause(tries); got != want {
			t.Errorf("singlePause(%d) = %v, want %v", tries, got, want)
		}
	}
}

func TestBatchSize(t *testing.T) {
	t.Parallel()
	b := batchSize{target: 4 * time.Millisecond, least: 20, n: 64}
	for _, tt := range []struct {
		name   string
		events int
		took   time.Duration
		want   int
	}{
		{"a quick full batch grows", 64, time.Millisecond, 72},
		{"a quick batch that was not full tells nothing", 10, time.Millisecond, 72},
		{"near the target it stays", 72, 3500 * time.Microsecond, 72},
		{"a slow one shrinks in proportion", 72, 8 * time.Millisecond, 36},
		{"but not under the least", 36, time.Second, 20},
	} {
		b.adapt(tt.events, tt.took)
		if b.n != tt.want {
			t.Fatalf("%s: %d, want %d", tt.name, b.n, tt.want)
		}
	}
	for range 100 {
		b.adapt(b.n, 0)
	}
	if b.n != mostBatch {
		t.Errorf("it grew to %d, want %d", b.n, mostBatch)
	}
}

// The oldest mark survives a standstill of any length.
func TestMarksAreThinnedOut(t *testing.T) {
	t.Parallel()
	var m marks
	for i := range int64(5 * maxMarks) {
		m.note(1, i+1, noon.Add(time.Duration(i)*time.Second))
	}
	if since, ok := m.since(); !ok || !since.Equal(noon) || len(m.list) > maxMarks {
		t.Errorf("since %v, %t, %d marks", since, ok, len(m.list))
	}
	m.note(0, 0, noon)
	if _, ok := m.since(); ok {
		t.Error("marks are left though nothing waits")
	}
}
