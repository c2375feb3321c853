package db

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// waiter queues for q in a goroutine and, when it is its turn, notes its name and leaves.
func waiter(t *testing.T, q *queue, class mode, name string, order *[]string) {
	t.Helper()
	go func() {
		if err := q.lock(context.Background(), class); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		*order = append(*order, name) // under the lock that is tested
		q.unlock()
	}()
	synctest.Wait() // it stands in the queue now
}

func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var order []string
		if err := q.lock(t.Context(), background); err != nil {
			t.Fatal(err)
		}
		waiter(t, &q, background, "background 1", &order)
		waiter(t, &q, foreground, "foreground 1", &order)
		waiter(t, &q, posting, "posting 1", &order)
		waiter(t, &q, foreground, "foreground 2", &order)
		waiter(t, &q, posting, "posting 2", &order)
		q.unlock()
		synctest.Wait()
		want := []string{"posting 1", "posting 2", "foreground 1", "foreground 2", "background 1"}
		if !slices.Equal(order, want) {
			t.Errorf("order %q, want %q", order, want)
		}
	})
}

// Postings that never pause do not starve the others: each waits for maxPassed of them.
func TestQueueBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		var order []string
		if err := q.lock(t.Context(), posting); err != nil {
			t.Fatal(err)
		}
		waiter(t, &q, background, "background", &order)
		for range 3 * maxPassed {
			waiter(t, &q, posting, "posting", &order)
		}
		q.unlock()
		synctest.Wait()
		if got := slices.Index(order, "background"); got != maxPassed {
			t.Errorf("background went after %d postings, want %d", got, maxPassed)
		}
	})
}

// One who gives up leaves the queue, and a turn that was already his goes to the next.
func TestQueueCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		if err := q.lock(t.Context(), posting); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- q.lock(ctx, posting) }()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("lock = %v, want %v", err, context.Canceled)
		}
		var order []string
		waiter(t, &q, foreground, "next", &order)
		q.unlock()
		synctest.Wait()
		if len(order) != 1 {
			t.Error("the turn was lost with the one who gave up")
		}
		if err := q.lock(t.Context(), foreground); err != nil {
			t.Errorf("lock of a free queue = %v", err)
		}
	})
}

// A turn that is granted in the same moment as the waiter gives up is passed on, not lost.
func TestQueueLateCancel(t *testing.T) {
	t.Parallel()
	var q queue
	if err := q.lock(t.Context(), posting); err != nil {
		t.Fatal(err)
	}
	turn := make(chan struct{})
	q.waiting[posting] = append(q.waiting[posting], turn)
	q.unlock() // grants the turn, which nobody takes
	q.leave(posting, turn)
	if q.held {
		t.Error("the lock is held by one who has left")
	}
}

func TestQueueShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queue
		if err := q.lock(t.Context(), posting); err != nil {
			t.Fatal(err)
		}
		waits := make(chan error, 1)
		go func() { waits <- q.lock(t.Context(), foreground) }()
		synctest.Wait()
		q.shut()
		if err := <-waits; !errors.Is(err, errClosed) {
			t.Errorf("who waited got %v, want %v", err, errClosed)
		}
		if err := q.lock(t.Context(), posting); !errors.Is(err, errClosed) {
			t.Errorf("who came later got %v, want %v", err, errClosed)
		}
	})
}
