package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// The bounds of health.
const (
	probeWithin = 2 * time.Second // all checks together: a database that does not answer sooner is not ready
	probeEvery  = time.Second     // how often it is looked at, however often somebody asks
	maxBehind   = 5 * time.Minute // this node's clock behind that of another
	maxLag      = 5 * time.Second // of events, before it is worth telling
	lowShare    = 20              // a disk is low with less than one part in so many free …
	lowBytes    = 8 << 30         // … unless so much is
	leastBytes  = 32 << 20        // and with less than this in any case
)

// Check is one thing that a node needs to serve.
type Check struct {
	Name string
	OK   bool
	Says string // for whoever operates the server: a few words without names or paths
}

// health is what was found when somebody looked last.
type health struct {
	mu     sync.Mutex
	at     time.Time
	checks []Check
}

// Health looks at what the node needs to serve. It looks once in a second at most, so that
// asking costs nothing.
func (a *App) Health() []Check {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	if a.health.checks == nil || time.Since(a.health.at) >= probeEvery {
		ctx, cancel := context.WithTimeout(context.Background(), probeWithin)
		defer cancel()
		a.health.checks = []Check{
			a.checkStorage(), a.checkDatabase(ctx), a.checkDisk(), a.checkMigrations(ctx), a.checkClock(ctx),
			a.checkEvents(), a.checkWarm(ctx),
		}
		a.health.at = time.Now()
	}
	// Whether it stops is known without looking.
	return append([]Check{{"serving", !a.stopping.Load(), says(!a.stopping.Load(), "stopping")}}, a.health.checks...)
}

// says is what a check says where it fails.
func says(ok bool, otherwise string) string {
	if ok {
		return ""
	}
	return otherwise
}

func (a *App) checkStorage() Check {
	ok := a.DB.Failure() == nil
	return Check{"storage", ok, says(ok, "failed; start again when it is well")}
}

// checkDatabase writes a row. What the error says is for the log: this is read by anybody.
func (a *App) checkDatabase(ctx context.Context) Check {
	began := time.Now()
	if err := a.DB.Touch(ctx); err != nil {
		return Check{"database", false, "takes no writes"}
	}
	return Check{"database", true, fmt.Sprintf("wrote in %d ms", time.Since(began).Milliseconds())}
}

func (a *App) checkDisk() Check {
	if a.DB.Engine() == db.Postgres {
		return Check{"disk", true, "of the database server: not looked at"}
	}
	free, all, err := a.disk(a.dir)
	if err != nil {
		return Check{"disk", false, "cannot be looked at"}
	}
	return Check{"disk", enough(free, all), fmt.Sprintf("%d %% free", 100*free/max(all, 1))}
}

// enough reports whether a disk has room for some time to come.
func enough(free, all int64) bool {
	return free >= leastBytes && (free >= lowBytes || free >= all/lowShare)
}

func (a *App) checkMigrations(ctx context.Context) Check {
	ok := a.DB.Migrated(ctx) == nil
	return Check{"migrations", ok, says(ok, "the schema is not that of this version")}
}

// checkClock compares the clock with what truly passed, and with the newest write, which
// may be another node's.
func (a *App) checkClock(ctx context.Context) Check {
	if s := a.wall(); s.Held {
		return Check{"clock", false, fmt.Sprintf("the machine's clock has leapt and is off by %v; time goes on without it", s.Off.Round(time.Second))}
	}
	newest, err := event.Newest(ctx, a.DB)
	if err != nil {
		return Check{"clock", false, "cannot be compared"}
	}
	if behind := newest.Sub(a.Clock.Now()); behind > maxBehind {
		return Check{"clock", false, fmt.Sprintf("%v behind the newest posting", behind.Round(time.Second))}
	}
	return Check{"clock", true, ""}
}

// wall is the state of the machine's clock; the zero State for the clocks of tests.
func (a *App) wall() clock.State {
	if w, ok := a.Clock.(*clock.Wall); ok {
		return w.State()
	}
	return clock.State{}
}

// checkEvents never fails: to send the requests elsewhere would help no event, and postings
// do not wait for them.
func (a *App) checkEvents() Check {
	lag := a.Events.Behind()
	return Check{"events", true, says(lag <= maxLag, fmt.Sprintf("%v behind", lag.Round(time.Millisecond)))}
}

// checkWarm never fails: a cold server is slow, not wrong.
func (a *App) checkWarm(ctx context.Context) Check {
	if a.DB.Engine() == db.Postgres {
		return Check{"warm-up", true, ""}
	}
	s, err := a.DB.Stats(ctx)
	switch w := s.Warm; {
	case err != nil:
		return Check{"warm-up", true, "cannot be looked at"}
	case !w.Done:
		return Check{"warm-up", true, fmt.Sprintf("reading the database through: %d of %d MB", w.Read>>20, w.Of>>20)}
	}
	return Check{"warm-up", true, ""}
}

// watchClock tells the log when the machine's clock goes wrong and when it is right again.
func (a *App) watchClock(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := a.wall(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := a.wall()
		a.logClock(last, now)
		last = now
	}
}

func (a *App) logClock(last, now clock.State) {
	switch {
	case now.Held && !last.Held:
		a.Log.Error("the machine's clock has leapt; time goes on without it until it is right or the server is started anew", slog.Duration("off", now.Off))
	case last.Held && !now.Held:
		a.Log.Info("the machine's clock is followed again", slog.Duration("off", now.Off))
	case now.Steps > last.Steps:
		a.Log.Warn("the machine's clock was set forward", slog.Duration("by", now.Step))
	case now.Off < -time.Minute && last.Off >= -time.Minute:
		a.Log.Warn("the machine's clock was set back; time goes on at half speed until it has caught up", slog.Duration("by", -now.Off))
	}
}
