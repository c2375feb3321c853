package app

import (
	"context"
	"runtime/debug"
	"time"
)

// When a server that nobody calls gives its memory back.
const (
	restEvery = 15 * time.Second // how often it looks
	// restBelow is how many transactions in that time count as rest, beside those of upkeep.
	restBelow = 300
	// restAgain is after how many quiet looks it rests once more, for what a trickle of
	// requests and the program's own upkeep have gathered.
	restAgain = 8
)

// rest gives memory back when a busy time is over. A busy server keeps what it has: pages
// of the database near, and room for what requests leave behind, which is then cleaned
// more seldom.
func (a *App) rest(ctx context.Context) {
	tick := time.NewTicker(restEvery)
	defer tick.Stop()
	quiet, last := 0, a.DB.Begun()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := a.DB.Begun()
		if now-last < restBelow {
			quiet++
		} else {
			quiet = 0
		}
		if last = now; quiet%restAgain != 1 {
			continue
		}
		if err := a.DB.Shrink(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("memory was not given back", "error", err)
		}
		debug.FreeOSMemory()
	}
}
