package api

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Each class is bounded: so many work, so many wait, the rest is refused at once. A place
// that is left goes to one who waits, and whoever waits too long is refused too.
func TestRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Room{Places: 2, Waiting: 3, Patience: time.Second})
		var group sync.WaitGroup
		var mu sync.Mutex
		in, out := 0, 0
		leave := make(chan struct{})
		for range 10 {
			group.Go(func() {
				err := r.enter(t.Context())
				mu.Lock()
				if err == nil {
					in++
				} else if out++; !errors.Is(err, ErrOverload) || ErrOverload.Param("retry_after") == nil {
					t.Errorf("enter = %v", err)
				}
				mu.Unlock()
				if err == nil {
					<-leave
					r.leave()
				}
			})
		}
		check := func(when string, wantIn, wantOut, waiting int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if in != wantIn || out != wantOut || r.waiting.Load() != int64(waiting) || r.refused.Load() != int64(wantOut) {
				t.Errorf("%s: %d in, %d refused (%d counted), %d wait; want %d, %d, %d", when, in, out, r.refused.Load(), r.waiting.Load(), wantIn, wantOut, waiting)
			}
		}
		check("all came", 2, 5, 3)
		leave <- struct{}{}
		check("one left", 3, 5, 2)
		time.Sleep(time.Second)
		check("patience is over", 3, 7, 0)
		close(leave)
		group.Wait()
		if len(r.taken) != 0 {
			t.Errorf("%d places are still taken", len(r.taken))
		}
	})
}

// Whoever hangs up while waiting is out at once.
func TestRoomHangUp(t *testing.T) {
	t.Parallel()
	r := newRoom(Room{Places: 0, Waiting: 1, Patience: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.enter(ctx); !errors.Is(err, ErrOverload) || r.waiting.Load() != 0 {
		t.Errorf("enter = %v, %d wait", err, r.waiting.Load())
	}
}
