// Package clock tells the time. Everything that asks for it gets a Clock at
// construction; rules and decisions get a plain time.Time.
//
// Law: of two readings of one Clock the later is never the earlier time, whatever the
// machine's clock does.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. It never runs backwards.
type Clock interface {
	Now() time.Time
}

// Leap is by how much the machine's clock may be off what has truly passed and still be
// believed. A correction is smaller; one that is larger is a fault, and following it would
// end points before their day, which nothing can undo.
const Leap = 24 * time.Hour

// notable is the least difference that is worth telling people.
const notable = time.Minute

// Wall is the clock of the machine, to the millisecond (what the database keeps), with its
// faults kept out:
//
//   - A step forward up to Leap is followed at once.
//   - A step back up to Leap is followed at half speed, so that time goes on and never back.
//   - A leap either way is not followed. Time goes on by what the processor counts, until
//     the machine's clock is right again or the program is started anew. That a machine
//     wakes from sleep is no leap.
type Wall struct {
	read   func() (wall time.Time, passed time.Duration)
	asleep func() time.Duration

	mu    sync.Mutex
	last  time.Time     // what was told last, not yet cut to the millisecond
	at    time.Duration // what had passed by then
	slept time.Duration // for how long the machine had slept when that was last asked
	off   time.Duration // by how much the machine's clock is ahead of what was told
	held  bool
	step  time.Duration // the newest step forward that was followed
	steps int64
}

// System is the clock of this machine.
func System() *Wall {
	start := time.Now()
	return New(func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0).UTC(), now.Sub(start)
	}, asleep)
}

// New makes a Wall from a source that tells the machine's clock and what has passed by a
// counter that nobody can set, and from one that tells for how long the machine has slept
// since it was started, which that counter leaves out.
func New(read func() (wall time.Time, passed time.Duration), asleep func() time.Duration) *Wall {
	w := &Wall{read: read, asleep: asleep, slept: asleep()}
	w.last, w.at = read()
	return w
}

// Now is the time.
func (w *Wall) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	wall, at := w.read()
	passed := max(at-w.at, 0)
	off := wall.Sub(w.last.Add(passed))
	held := off < -Leap || off > Leap && off > Leap+w.sleep()
	if !held && !w.held && off > notable {
		w.steps, w.step = w.steps+1, off
	}
	switch {
	case held:
		w.last = w.last.Add(passed)
	case wall.Before(w.last):
		w.last = w.last.Add(passed / 2)
	default:
		w.last = wall
	}
	w.at, w.held, w.off = at, held, wall.Sub(w.last)
	return w.last.Truncate(time.Millisecond)
}

// sleep is for how long the machine has slept since this was last asked. It costs two calls
// of the system, so only a leap asks.
func (w *Wall) sleep() time.Duration {
	before := w.slept
	w.slept = w.asleep()
	return max(w.slept-before, 0)
}

// NotBefore lets the clock go on from t where it is behind: the newest time that was ever
// written down.
func (w *Wall) NotBefore(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t.After(w.last) {
		w.last = t.UTC()
	}
}

// State is how the machine's clock compares to the time that is told.
type State struct {
	Off   time.Duration // the machine's clock is ahead by this much; negative where it is behind
	Held  bool          // it has leapt, and time goes on without it
	Step  time.Duration // the newest step forward that was followed, of those over a minute
	Steps int64         // how many there were
}

// State looks at the clock.
func (w *Wall) State() State {
	w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	return State{Off: w.off, Held: w.held, Step: w.step, Steps: w.steps}
}

// Manual is a clock for tests: it moves only when told.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// At makes a Manual that stands at t.
func At(t time.Time) *Manual { return &Manual{now: t.UTC()} }

// Now returns where the clock stands.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to t, or leaves it where it is if t is earlier.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.After(m.now) {
		m.now = t.UTC()
	}
}

// Advance moves the clock on by d.
func (m *Manual) Advance(d time.Duration) { m.Set(m.Now().Add(d)) }
