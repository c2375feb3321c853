package tier

import (
	"context"
	"runtime"
	"sync"

	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Members are read in pages of crowdPage by one goroutine, while others work on what was read.
const crowdPage = 2_000

// overCrowd calls f for every member to whom something has happened, in several goroutines: each
// has a tally of its own, which make makes, and all tallies are returned. What scheme asks of
// members is there. progress hears how many were read, and about how many there are.
func overCrowd[T any](ctx context.Context, s *Service, snap *Snapshot, make func() T, f func(T, *person), progress func(done, total int64, note string)) ([]T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := newPages()
	var workers sync.WaitGroup
	tallies := []T{}
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		tally := make()
		tallies = append(tallies, tally)
		workers.Go(func() {
			for list := range pages {
				if err := s.fill(ctx, snap.profile, snap.asksPoints(), list); err != nil {
					cancel(err)
					for range pages { // let the reader go on to see it
					}
					return
				}
				for _, p := range list {
					if !p.row.Out {
						f(tally, p)
					}
				}
			}
		})
	}
	err := s.readCrowd(ctx, pages, progress)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return tallies, err
}

// newPages is the queue between the reader and the others: a page for each waits.
func newPages() chan []*person { return make(chan []*person, runtime.GOMAXPROCS(0)) }

// readCrowd reads all members and closes pages.
func (s *Service) readCrowd(ctx context.Context, pages chan<- []*person, progress func(done, total int64, note string)) error {
	defer close(pages)
	at, done := theStart, int64(0)
	for {
		list, last, err := s.walk(ctx, crowdSQL, at, crowdPage)
		if err != nil || len(list) == 0 {
			return err
		}
		select {
		case pages <- list:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		at, done = last, done+int64(len(list))
		if progress != nil {
			progress(done, max(done, done*id.Shards/(last.shard+1)), "")
		}
	}
}
