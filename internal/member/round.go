package member

import (
	"context"
	"sync"
	"time"
)

const (
	// findAtOnce is how many rounds run together: one for each core of a small server.
	findAtOnce = 2
	// findMost is how many postings share a round. The statements of members take that many.
	findMost = 256
	// findWithin is the deadline of a round, which goes on when the caller who began it has
	// gone.
	findWithin = 10 * time.Second
)

// finder looks the members of single postings up, many together: postings that come at the
// same time wait for the database once. Alone, each lookup would be a transaction of its own
// and cost about as much as the posting.
//
// There is no timer. Who finds a place free does a round for all who wait then; whoever
// comes while all places are taken waits, until either somebody's round has found theirs
// or a place is free.
type finder struct {
	find   func(context.Context, []Ref) ([]ID, error)
	places chan struct{}

	mu      sync.Mutex
	waiting []*lookup
}

// lookup is one member that is looked for.
type lookup struct {
	ref  Ref
	done chan struct{} // closed when id and err are there
	id   ID
	err  error
}

func newFinder(find func(context.Context, []Ref) ([]ID, error)) *finder {
	return &finder{find: find, places: make(chan struct{}, findAtOnce)}
}

// one returns the member of a Ref, 0 for nobody. When ctx ends first, the lookup is left
// to the next round, and its answer to nobody.
func (f *finder) one(ctx context.Context, ref Ref) (ID, error) {
	l := &lookup{ref: ref, done: make(chan struct{})}
	f.mu.Lock()
	f.waiting = append(f.waiting, l)
	f.mu.Unlock()
	places := f.places
	for {
		select {
		case <-l.done:
			return l.id, l.err
		case places <- struct{}{}:
			if f.round(ctx) == 0 {
				places = nil // this lookup is in somebody's round, which will end
			}
			<-f.places
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// round looks up all who wait, and returns how many did.
func (f *finder) round(ctx context.Context) int {
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
	refs := make([]Ref, n)
	for i, l := range batch {
		refs[i] = l.ref
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), findWithin)
	defer cancel()
	ids, err := f.find(ctx, refs)
	for i, l := range batch {
		if l.err = err; err == nil {
			l.id = ids[i]
		}
		close(l.done)
	}
	return n
}
