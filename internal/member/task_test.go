package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A task is open or done; closing and opening again take turns.
func TestTaskLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Title: text("ring back"), Due: text("2026-03-02")})
		if want := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC); task.Owner != "stf_a" || !task.Due.Equal(want) || !task.WholeDay {
			t.Errorf("added %+v", task)
		}
		moved, err := s.ChangeTask(as(t.Context(), "stf_b"), task.place, TaskChange{Owner: text("stf_b"), Due: text("2026-03-01T13:00")})
		if err != nil || moved.Owner != "stf_b" || !moved.Due.Equal(noon.Add(time.Hour)) || moved.WholeDay || moved.Title != "ring back" {
			t.Errorf("moved to %+v, %v", moved, err)
		}
		for _, tt := range []struct {
			after time.Duration
			want  bool
		}{{time.Hour - 1, false}, {time.Hour, true}} {
			if got := moved.Overdue(noon.Add(tt.after)); got != tt.want {
				t.Errorf("overdue after %s: %t", tt.after, got)
			}
		}
		c.Advance(time.Minute)
		done, err := s.CloseTask(as(t.Context(), "stf_b"), task.place, "reached her")
		if err != nil || done.State != TaskDone || done.Outcome != "reached her" || done.DoneBy != "staff:stf_b" || !done.Done.Equal(c.Now()) {
			t.Errorf("closed to %+v, %v", done, err)
		}
		if _, err := s.CloseTask(as(t.Context(), "stf_a"), task.place, "me too"); !errors.Is(err, ErrTaskDone) {
			t.Errorf("closed twice: %v", err)
		}
		if _, err := s.ChangeTask(as(t.Context(), "stf_a"), task.place, TaskChange{Title: text("x")}); !errors.Is(err, ErrTaskDone) {
			t.Errorf("changed when done: %v", err)
		}
		again, err := s.ReopenTask(as(t.Context(), "stf_a"), task.place)
		if err != nil || again.State != TaskOpen || !again.Done.IsZero() || again.DoneBy != "" || again.Outcome != "reached her" {
			t.Errorf("opened again to %+v, %v", again, err)
		}
		if _, err := s.ReopenTask(as(t.Context(), "stf_a"), task.place); !errors.Is(err, ErrTaskOpen) {
			t.Errorf("opened twice: %v", err)
		}
		if _, err := s.CloseTask(as(t.Context(), "stf_a"), place{m.ID, task.n + 99}, "x"); !errors.Is(err, ErrNoTask) {
			t.Errorf("closed what is not there: %v", err)
		}
		want := []string{"member.joined", "task.added", "task.assigned", "task.closed", "task.reopened"}
		if got := events(t, d, m.ID); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	})
}

// Of many colleagues who close one task, one does.
func TestCloseTaskRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Due: text("2026-03-02")})
		var did, late atomic.Int64
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				switch _, err := s.CloseTask(as(t.Context(), fmt.Sprint("stf_", i)), task.place, "done"); {
				case err == nil:
					did.Add(1)
				case errors.Is(err, ErrTaskDone):
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if did.Load() != 1 || late.Load() != 11 {
			t.Errorf("%d closed it, %d were late", did.Load(), late.Load())
		}
		if got := events(t, d, m.ID); !slices.Equal(got, []string{"member.joined", "task.added", "task.closed"}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestTaskRefusals(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, db.SQLite)
	s, _ := newService(d)
	s.Use(Hooks{Colleague: func(_ context.Context, ref string) error {
		if ref == "stf_a" {
			return nil
		}
		return staff.ErrNoAccount
	}})
	m := create(t, s, Enrolment{Card: "a"})
	good := TaskChange{Title: text("x"), Due: text("2026-03-02"), Remind: text("2026-03-01T12:01"), Owner: text("stf_a")}
	for _, tt := range []struct {
		name string
		edit func(*TaskChange)
		want error
	}{
		{"good", func(c *TaskChange) {}, nil},
		{"nobody's", func(c *TaskChange) { c.Owner = text("") }, nil},
		{"no reminder", func(c *TaskChange) { c.Remind = text("") }, nil},
		{"a stranger's", func(c *TaskChange) { c.Owner = text("stf_x") }, ErrOwner},
		{"no title", func(c *TaskChange) { c.Title = text(" ") }, ErrWritten},
		{"a long title", func(c *TaskChange) { c.Title = text(strings.Repeat("x", 201)) }, ErrWritten},
		{"no day", func(c *TaskChange) { c.Due = nil }, ErrDue},
		{"an odd day", func(c *TaskChange) { c.Due = text("2026-02-30") }, ErrDue},
		{"long ago", func(c *TaskChange) { c.Due = text("1999-12-30") }, ErrDue},
		{"a reminder now", func(c *TaskChange) { c.Remind = text("2026-03-01T12:00") }, ErrRemind},
		{"an odd reminder", func(c *TaskChange) { c.Remind = text("soon") }, ErrDue},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good
			tt.edit(&c)
			if _, err := s.AddTask(as(t.Context(), "stf_a"), RefID(m.ID), c); !errors.Is(err, tt.want) {
				t.Errorf("AddTask = %v, want %v", err, tt.want)
			}
		})
	}
}

// Tasks are listed over all members by what is due first, by owner and by time, in pages.
func TestTaskList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		for _, x := range []struct {
			m          ID
			title, due string
			owner      string
		}{
			{a.ID, "third", "2026-03-04", "stf_a"}, {b.ID, "first", "2026-03-02", "stf_b"}, {a.ID, "second", "2026-03-03", "stf_a"},
			{b.ID, "fourth", "2026-03-05", ""}, {b.ID, "second too", "2026-03-03", "stf_a"},
		} {
			addTask(t, s, "stf_a", x.m, TaskChange{Title: &x.title, Due: &x.due, Owner: &x.owner})
		}
		gone := addTask(t, s, "stf_a", a.ID, TaskChange{Title: text("gone"), Due: text("2026-03-02")})
		if _, err := s.CloseTask(as(t.Context(), "stf_a"), gone.place, "ok"); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name string
			f    TaskFilter
			want []string
		}{
			{"all", TaskFilter{State: TaskOpen}, []string{"first", "second", "second too", "third", "fourth"}},
			{"done", TaskFilter{State: TaskDone}, []string{"gone"}},
			{"mine", TaskFilter{State: TaskOpen, Owner: text("stf_a")}, []string{"second", "second too", "third"}},
			{"nobody's", TaskFilter{State: TaskOpen, Owner: text("")}, []string{"fourth"}},
			{"until exclusive", TaskFilter{State: TaskOpen, Until: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}, []string{"first"}},
			{"until", TaskFilter{State: TaskOpen, Until: time.Date(2026, 3, 4, 0, 0, 0, 1e6, time.UTC)}, []string{"first", "second", "second too"}},
			{"mine until", TaskFilter{State: TaskOpen, Owner: text("stf_b"), Until: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}, []string{"first"}},
		} {
			var got []string
			for after := (point{}); ; {
				page, err := s.Tasks(t.Context(), tt.f, after, 2)
				if err != nil {
					t.Fatal(err)
				}
				for _, task := range page {
					got, after = append(got, task.Title), task.point()
				}
				if len(page) < 2 {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

// reminders counts the events task.due of a member.
func reminders(t *testing.T, d *db.DB, m ID) (n int) {
	t.Helper()
	for _, kind := range events(t, d, m) {
		if kind == "task.due" {
			n++
		}
	}
	return n
}

// However many runs a reminder gets at once, on however many nodes, it is given once; not
// before its time was set anew, and not for what is done.
func TestReminderOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		nodes := []*Service{s, New(d, seal.Test(), c, nil)}
		m := create(t, s, Enrolment{Card: "a"})
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Due: text("2026-03-02"), Remind: text("2026-03-01T13:00")})
		give := func(at time.Time, want int, when string) {
			t.Helper()
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					if err := nodes[i%2].remind(t.Context(), reminder{m.ID, task.n, at.UnixMilli()}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if got := reminders(t, d, m.ID); got != want {
				t.Errorf("%s: reminded %d times, want %d", when, got, want)
			}
		}
		ctx := as(t.Context(), "stf_a")
		must := func(_ Task, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		one, two := noon.Add(time.Hour), noon.Add(2*time.Hour)
		give(noon.Add(time.Minute), 0, "a job of another instant")
		give(one, 1, "at its time")
		must(s.ChangeTask(ctx, task.place, TaskChange{Title: text("ring at home")}))
		give(one, 1, "after a change of something else")
		must(s.ChangeTask(ctx, task.place, TaskChange{Remind: text("2026-03-01T14:00")}))
		give(one, 1, "the old instant after it was moved")
		must(s.CloseTask(ctx, task.place, "done"))
		give(two, 1, "when done")
		must(s.ReopenTask(ctx, task.place))
		give(two, 2, "open again before its time")
		must(s.CloseTask(ctx, task.place, "done"))
		c.Advance(3 * time.Hour)
		must(s.ReopenTask(ctx, task.place))
		give(two, 2, "open again after its time")
	})
}

// A change that was read before the reminder was given does not arm it again.
func TestReminderMeetsChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Due: text("2026-03-02"), Remind: text("2026-03-01T13:00")})
		before, err := s.Task(t.Context(), task.place)
		if err != nil {
			t.Fatal(err)
		}
		r := reminder{m.ID, task.n, noon.Add(time.Hour).UnixMilli()}
		if err := s.remind(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		after := before
		after.Title = "ring at home"
		err = d.InTx(as(t.Context(), "stf_a"), func(ctx context.Context, tx *db.Tx) error {
			return s.saveTask(ctx, tx, &after, before, []string{"title"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.remind(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if n := reminders(t, d, m.ID); n != 1 {
			t.Errorf("reminded %d times", n)
		}
	})
}

// The queues of two nodes give a reminder when its time has come, and once.
func TestReminderByQueue(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		addTask(t, s, "stf_a", m.ID, TaskChange{Due: text("2026-03-02"), Remind: text("2026-03-01T13:00")})
		c.Advance(time.Hour)
		for range 2 {
			q := job.NewQueue(d, c, job.Options{})
			New(d, seal.Test(), c, nil).RegisterJobs(q)
			q.Start()
			t.Cleanup(func() {
				if err := q.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
			q.Nudge()
		}
		done := func() (n int64) {
			err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
				return db.ReadRows(func(rows *db.Rows) error { return rows.Scan(&n) })(tx.QueryText(ctx, `SELECT COUNT(*) FROM job WHERE kind = 'member.remind' AND state = 'done'`))
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for until := time.Now().Add(20 * time.Second); done() == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("no queue gave the reminder")
			}
		}
		if n := reminders(t, d, m.ID); n != 1 {
			t.Errorf("reminded %d times", n)
		}
	})
}
