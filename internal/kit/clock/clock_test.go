package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// machine is a machine whose clock can be set wrong and that can sleep.
type machine struct {
	wall          time.Time
	passed, slept time.Duration
}

func (m *machine) clock() *Wall {
	return New(func() (time.Time, time.Duration) { return m.wall, m.passed }, func() time.Duration { return m.slept })
}

// pass lets time pass, as it does on a machine that is well.
func (m *machine) pass(d time.Duration) { m.wall, m.passed = m.wall.Add(d), m.passed+d }

func (m *machine) set(by time.Duration) { m.wall = m.wall.Add(by) }

func (m *machine) sleep(d time.Duration) { m.wall, m.slept = m.wall.Add(d), m.slept+d }

// Each row sets the clock off once; then an hour passes.
func TestWall(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct {
		name string
		do   func(*machine)
		want time.Duration // what the clock has gone on by, all in all
		held bool
	}{
		{"well", func(*machine) {}, time.Hour, false},
		{"a second forward", func(m *machine) { m.set(time.Second) }, time.Hour + time.Second, false},
		{"a day forward", func(m *machine) { m.set(Leap) }, time.Hour + Leap, false},
		{"more than a day forward", func(m *machine) { m.set(Leap + time.Second) }, time.Hour, true},
		{"a year forward", func(m *machine) { m.set(year) }, time.Hour, true},
		{"a second back", func(m *machine) { m.set(-time.Second) }, time.Hour - time.Second, false},
		{"three hours back", func(m *machine) { m.set(-3 * time.Hour) }, time.Hour / 2, false},
		{"a year back", func(m *machine) { m.set(-year) }, time.Hour, true},
		{"a week's sleep", func(m *machine) { m.sleep(7 * 24 * time.Hour) }, time.Hour + 7*24*time.Hour, false},
		{"a year forward and back", func(m *machine) { m.set(year); m.pass(0); m.set(-year) }, time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &machine{wall: noon}
			w := m.clock()
			w.Now()
			tt.do(m)
			w.Now()
			for range 60 {
				m.pass(time.Minute)
				w.Now()
			}
			if got := w.Now().Sub(noon); got != tt.want || w.State().Held != tt.held {
				t.Errorf("went on by %v, held %v; want %v, %v", got, w.State().Held, tt.want, tt.held)
			}
		})
	}
}

// A machine whose clock leaps and comes back is followed again without anybody's doing.
func TestWallRecovers(t *testing.T) {
	t.Parallel()
	m := &machine{wall: noon}
	w := m.clock()
	m.set(400 * 24 * time.Hour)
	m.pass(time.Hour)
	if s := w.State(); !s.Held || s.Off != 400*24*time.Hour {
		t.Errorf("after the leap: %+v", s)
	}
	m.set(-400 * 24 * time.Hour)
	m.pass(time.Hour)
	if s := w.State(); s.Held || s.Off != 0 || !w.Now().Equal(noon.Add(2*time.Hour)) {
		t.Errorf("after the return: %+v at %v", s, w.Now())
	}
}

// A start never goes behind what was written before it.
func TestWallNotBefore(t *testing.T) {
	t.Parallel()
	m := &machine{wall: noon}
	w := m.clock()
	w.NotBefore(noon.Add(365 * 24 * time.Hour))
	m.pass(time.Hour)
	if got := w.Now().Sub(noon); got != 365*24*time.Hour+time.Hour || !w.State().Held {
		t.Errorf("went on by %v, %+v", got, w.State())
	}
}

// Whatever the machine's clock does: time never goes back, it never goes faster than what
// passes, slept and was stepped forward by steps that are believed, and on a machine that is
// well it goes on.
func TestWallLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{wall: noon}
		w := m.clock()
		last, most := w.Now(), w.Now()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			d := time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(t, "d"))
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				m.pass(d)
				most = most.Add(d)
			case 1:
				m.set(d - 15*time.Hour)
				most = most.Add(max(d-15*time.Hour, 0))
			case 2:
				m.set(time.Duration(rapid.IntRange(-1, 1).Draw(t, "year")) * 365 * 24 * time.Hour)
			case 3:
				m.sleep(d)
				most = most.Add(d)
			}
			now := w.Now()
			if now.Before(last) || now.After(most) {
				t.Fatalf("told %v after %v, at most %v", now, last, most)
			}
			last = now
		}
		m.pass(time.Minute)
		if now := w.Now(); now.Sub(last) < 29*time.Second {
			t.Fatalf("a minute was %v", now.Sub(last))
		}
	})
}
