package db

import (
	"context"
	"sync"
)

// maxPassed is how often a waiter of a lower class may be passed over before it goes
// first once. It bounds the wait of the lower classes under a load of postings that never
// pauses, and costs those one turn in nine.
const maxPassed = 8

// queue is a lock with classes: posting goes first, then foreground, then background;
// first come first served inside a class. It is handed over directly, so nobody who comes
// later slips in between.
type queue struct {
	mu      sync.Mutex
	held    bool
	closed  bool // nobody gets a turn any more
	waiting [reading][]chan struct{}
	passed  [reading]int // grants to others since the head of the class began to wait
}

// lock waits for its turn, or returns the error of ctx.
func (q *queue) lock(ctx context.Context, class mode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if q.closed || !q.held {
		q.held = true
		defer q.mu.Unlock()
		return q.open()
	}
	turn := make(chan struct{})
	q.waiting[class] = append(q.waiting[class], turn)
	q.mu.Unlock()

	select {
	case <-turn:
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.open()
	case <-ctx.Done():
		q.leave(class, turn)
		return ctx.Err()
	}
}

// open returns nil, or why there are no more turns. The caller holds mu.
func (q *queue) open() error {
	if q.closed {
		return errClosed
	}
	return nil
}

// shut sends everybody away who waits or comes later. The caller has the lock and keeps it.
func (q *queue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for c := range q.waiting {
		for _, turn := range q.waiting[c] {
			close(turn)
		}
		q.waiting[c] = nil
	}
}

// leave takes a waiter out who gave up. If its turn has come meanwhile, it passes it on.
func (q *queue) leave(class mode, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting[class] {
		if w == turn {
			q.waiting[class] = append(q.waiting[class][:i:i], q.waiting[class][i+1:]...)
			return
		}
	}
	if !q.closed {
		q.next()
	}
}

func (q *queue) unlock() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.held {
		panic("db: unlock of a writer that nobody holds")
	}
	q.next()
}

// next hands the lock to whoever is first, or frees it. The caller holds mu.
func (q *queue) next() {
	class, ok := q.first()
	if !ok {
		q.held = false
		return
	}
	for c := range q.waiting {
		if mode(c) != class && len(q.waiting[c]) > 0 {
			q.passed[c]++
		}
	}
	q.passed[class] = 0
	turn := q.waiting[class][0]
	q.waiting[class] = q.waiting[class][1:]
	close(turn)
}

// first chooses the class that goes next: one that was passed over too often, else the
// highest.
func (q *queue) first() (mode, bool) {
	best, ok := reading, false
	for c := range q.waiting {
		if len(q.waiting[c]) == 0 {
			q.passed[c] = 0
			continue
		}
		if q.passed[c] >= maxPassed {
			return mode(c), true
		}
		if !ok {
			best, ok = mode(c), true
		}
	}
	return best, ok
}
