package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/patron-loyalty/patron/internal/kit/clock"
)

// SetDisk says how full the disk is.
func (a *App) SetDisk(f func(string) (free, all int64, err error)) { a.disk = f }

// Stopping says whether the server has been told to stop.
func (a *App) Stopping(yes bool) { a.stopping.Store(yes) }

// Forget makes the next look at the health a fresh one.
func (a *App) Forget() {
	a.health.mu.Lock()
	defer a.health.mu.Unlock()
	a.health.checks = nil
}

// Enough and LogClock are what they are called.
var Enough = enough

// LogClock is logClock.
func (a *App) LogClock(last, now clock.State) { a.logClock(last, now) }

// Uncounted lets a test add a route to a program that is built: its requests are counted by
// counters that nobody reads.
func (a *App) Uncounted(route string) {
	c := &[6]prometheus.Counter{}
	for i := range c {
		c[i] = prometheus.NewCounter(prometheus.CounterOpts{Name: "x"})
	}
	a.metrics.requests[route] = c
}
