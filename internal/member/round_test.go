package member

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Everyone gets the member of their own Ref, whoever's round it was, and lookups that come
// together are done together.
func TestFinder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		var rounds, atOnce, most atomic.Int64
		book := map[Ref]ID{}
		for i := range callers {
			book[RefID(ID(i+1))] = ID(2 * i)
		}
		f := newFinder(func(_ context.Context, refs []Ref) ([]ID, error) {
			rounds.Add(1)
			most.Store(max(most.Load(), atOnce.Add(1)))
			defer atOnce.Add(-1)
			time.Sleep(time.Millisecond) // of the bubble: nobody waits
			out := make([]ID, len(refs))
			for i, r := range refs {
				out[i] = book[r]
			}
			if len(refs) == 0 || len(refs) > findMost {
				t.Errorf("a round of %d", len(refs))
			}
			return out, nil
		})
		var all sync.WaitGroup
		for i := range callers {
			all.Go(func() {
				if got, err := f.one(t.Context(), RefID(ID(i+1))); err != nil || got != ID(2*i) {
					t.Errorf("caller %d got %d %v", i, got, err)
				}
			})
		}
		all.Wait()
		if n := rounds.Load(); n < callers/findMost || n > callers/10 {
			t.Errorf("%d rounds for %d callers", n, callers)
		}
		if n := most.Load(); n > findAtOnce {
			t.Errorf("%d rounds at once, at most %d", n, findAtOnce)
		}
		if len(f.waiting) != 0 {
			t.Errorf("%d still wait", len(f.waiting))
		}
	})
}

// A caller who goes takes nobody's answer along, and a round that fails fails for its own
// callers only.
func TestFinderLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		fails := true
		f := newFinder(func(ctx context.Context, refs []Ref) ([]ID, error) {
			time.Sleep(time.Second)
			if ctx.Err() != nil {
				t.Error("a round ended with the caller who began it")
			}
			if fails {
				return nil, broken
			}
			return make([]ID, len(refs)), nil
		})
		if _, err := f.one(t.Context(), RefID(1)); !errors.Is(err, broken) {
			t.Errorf("a broken lookup: %v", err)
		}
		fails = false
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 1 {
					time.AfterFunc(100*time.Millisecond, cancel)
				}
				_, err := f.one(ctx, RefID(1))
				if i%2 == 0 && err != nil || i%2 == 1 && err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		all.Wait()
	})
}
