package job

import (
	"context"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(name string) func() *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return func() *time.Location { return l }
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	shanghai := Daily(3, 30, zone("Asia/Shanghai"))
	for _, tt := range []struct {
		name      string
		s         Schedule
		now, last string
	}{
		{"before the time of day", shanghai, "2026-03-01T19:29:59.999Z", "2026-02-28T19:30:00Z"},
		{"at it", shanghai, "2026-03-01T19:30:00Z", "2026-03-01T19:30:00Z"},
		{"over the end of a month", shanghai, "2026-03-01T19:00:00Z", "2026-02-28T19:30:00Z"},
		{"the clock jumps over the time", Daily(2, 30, zone("Europe/Berlin")), "2026-03-29T12:00:00Z", "2026-03-29T01:30:00Z"},
		{"the clock jumps over midnight", Daily(0, 0, zone("America/Santiago")), "2025-09-07T12:00:00Z", "2025-09-07T04:00:00Z"},
		{"hourly", Interval(time.Hour), "2026-03-01T12:34:56Z", "2026-03-01T12:00:00Z"},
		{"hourly, at the hour", Interval(time.Hour), "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339Nano, tt.now)
			must(t, err)
			if got := tt.s.last(now).Format(time.RFC3339); got != tt.last {
				t.Errorf("last = %s, want %s", got, tt.last)
			}
		})
	}
}

// Looked at every quarter of an hour for two years, the slots go forward, each as soon as
// it has come, one on each day of the wall calendar: in zones that jump by an hour, by half
// an hour, at midnight, and not at all.
func TestEveryDayHasOneSlot(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Shanghai"} {
		for _, at := range []struct{ hour, minute int }{{0, 0}, {0, 30}, {1, 45}, {2, 15}, {23, 45}} {
			here := zone(name)
			s := Daily(at.hour, at.minute, here)
			now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
			before := s.last(now)
			for range 730 * 24 * 4 {
				now = now.Add(15 * time.Minute)
				slot := s.last(now)
				if slot.Equal(before) {
					continue
				}
				y, m, d := before.In(here()).Date()
				tomorrow := time.Date(y, m, d+1, 12, 0, 0, 0, time.UTC).Day()
				if !slot.Equal(now) || slot.In(here()).Day() != tomorrow {
					t.Fatalf("%s %+v: at %v the slot is %v after %v", name, at, now, slot, before)
				}
				before = slot
			}
		}
	}
}

// Three nodes look at the calendar at the same times over ten days, and work: each day has
// one run. A node that starts anew changes nothing.
func TestASlotRunsOnce(t *testing.T) {
	each(t, func(r rig) {
		var mu sync.Mutex
		runs := map[string]int{}
		make1 := func() *Queue {
			q := node(t, r.db, r.clock)
			q.Register("day.close", func(context.Context, *Run) error {
				mu.Lock()
				defer mu.Unlock()
				runs[r.clock.Now().Format(time.DateOnly)]++
				return nil
			})
			q.Every(Daily(3, 0, zone("UTC")), New{Kind: "day.close"})
			return q
		}
		nodes := []*Queue{make1(), make1(), make1()}
		const days = 10
		for hour := range days * 24 {
			if hour%50 == 0 {
				nodes[hour%3] = make1()
			}
			var all sync.WaitGroup
			for _, q := range nodes {
				all.Go(func() {
					if err := q.plan(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			r.work(nodes[hour%3])
			r.clock.Advance(time.Hour)
		}
		if len(runs) != days {
			t.Errorf("%d days have runs, want %d: %v", len(runs), days, runs)
		}
		for day, n := range runs {
			if n != 1 {
				t.Errorf("%s has %d runs", day, n)
			}
		}
	})
}

// The first slot that is seen has passed and does not run; slots missed while nobody was
// up run once; a slot whose predecessor runs waits for it.
func TestMissedAndLateSlots(t *testing.T) {
	each(t, func(r rig) {
		ran := 0
		r.Register("a", func(context.Context, *Run) error { ran++; return nil })
		r.Every(Interval(time.Hour), New{Kind: "a"})
		step := func(name string, pass time.Duration, want int) {
			t.Helper()
			r.clock.Advance(pass)
			must(t, r.plan(t.Context()))
			if r.work(r.Queue); ran != want {
				t.Errorf("%s: %d runs, want %d", name, ran, want)
			}
		}
		step("first seen", 0, 0)
		step("the same slot", 59*time.Minute, 0)
		step("the next slot", time.Minute, 1)
		step("five slots missed", 5*time.Hour, 2)

		r.clock.Advance(time.Hour)
		must(t, r.plan(t.Context()))
		var slow *Run
		for _, run := range r.claimed(r.Queue) {
			if run.Kind == "a" {
				slow = run
				continue
			}
			r.run(run)
		}
		step("while the last run is unfinished", 2*time.Hour, 2)
		r.run(slow)
		step("and after it", 0, 4)
	})
}
