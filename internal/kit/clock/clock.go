// Package clock tells the time. Everything that asks for it gets a Clock at
// construction; rules and decisions get a plain time.Time.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time. It never runs backwards.
type Clock interface {
	Now() time.Time
}

// System is the wall clock, to the millisecond (what the database keeps). A wall that
// jumps back is held at its latest reading, so that later work never bears an earlier time.
func System() Clock { return &system{} }

type system struct {
	mu   sync.Mutex
	last time.Time
}

func (c *system) Now() time.Time {
	now := time.Now().Truncate(time.Millisecond).UTC()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.last) {
		return c.last
	}
	c.last = now
	return now
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
