package member

import (
	"context"
	"sync"
	"time"
)

const (
	// findAtOnce is how many rounds run together: one for each core of a small server.
	findAtOnce = 2
	// findMost is how many callers share a round. The statements of members take that many.
	findMost = 256
	// findWithin is the deadline of a round, which goes on when the caller who began it has
	// gone.
	findWithin = 10 * time.Second
)

// finder looks up for single postings what many ask for at once, whose the posting is and who
// that is: postings that come at the same time wait for the database once. Alone, each lookup
// would be a transaction of its own and cost about as much as the posting.
//
// There is no timer. Who finds a place free does a round for all who wait then; whoever
// comes while all places are taken waits, until either somebody's round has found theirs
// or a place is free.
type finder[K, V any] struct {
	find   func(context.Context, []K) ([]V, error)
	places chan struct{}

	mu      sync.Mutex
	waiting []*lookup[K, V]
}

// lookup is what one caller looks for.
type lookup[K, V any] struct {
	key   K
	done  chan struct{} // closed when value and err are there
	value V
	err   error
}

func newFinder[K, V any](find func(context.Context, []K) ([]V, error)) *finder[K, V] {
	return &finder[K, V]{find: find, places: make(chan struct{}, findAtOnce)}
}

// one returns what belongs to a key, the zero value for nothing. When ctx ends first, the lookup
// is left to the next round, and its answer to nobody.
func (f *finder[K, V]) one(ctx context.Context, key K) (none V, err error) {
	l := &lookup[K, V]{key: key, done: make(chan struct{})}
	f.mu.Lock()
	f.waiting = append(f.waiting, l)
	f.mu.Unlock()
	places := f.places
	for {
		select {
		case <-l.done:
			return l.value, l.err
		case places <- struct{}{}:
			if f.round(ctx) == 0 {
				places = nil // this lookup is in somebody's round, which will end
			}
			<-f.places
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
}

// round looks up all who wait, and returns how many did.
func (f *finder[K, V]) round(ctx context.Context) int {
	f.mu.Lock()
	n := min(len(f.waiting), findMost)
	batch := f.waiting[:n:n]
	if f.waiting = f.waiting[n:]; len(f.waiting) == 0 {
		f.waiting = nil // let go of what is done
	}
	f.mu.Unlock()
	if n == 0 {
		return 0
	}
	keys := make([]K, n)
	for i, l := range batch {
		keys[i] = l.key
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), findWithin)
	defer cancel()
	found, err := f.find(ctx, keys)
	for i, l := range batch {
		if l.err = err; err == nil {
			l.value = found[i]
		}
		close(l.done)
	}
	return n
}
