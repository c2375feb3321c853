package member

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// as makes a context in which a person acts who may serve members and nothing else.
func as(ctx context.Context, who string) context.Context {
	return api.WithCaller(ctx, api.Caller{Kind: "staff", ID: who, Can: staff.Agent.Can()})
}

// boss is a person who manages members.
func boss(ctx context.Context) context.Context {
	return api.WithCaller(ctx, api.Caller{Kind: "staff", ID: "stf_boss", Can: staff.Manager.Can()})
}

func addNote(t *testing.T, s *Service, who string, m ID, words string) Note {
	t.Helper()
	n, err := s.AddNote(as(t.Context(), who), RefID(m), words, false)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func addTask(t *testing.T, s *Service, who string, m ID, c TaskChange) Task {
	t.Helper()
	if c.Title == nil {
		c.Title = text("ring back")
	}
	task, err := s.AddTask(as(t.Context(), who), RefID(m), c)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// noteTexts are what the notes of a member say, page by page of two.
func noteTexts(t *testing.T, s *Service, m ID, f NoteFilter) (texts []string) {
	t.Helper()
	after := latest
	for {
		page, err := s.Notes(boss(t.Context()), RefID(m), f, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page {
			texts, after = append(texts, n.Text), n.point()
		}
		if len(page) < 2 {
			return texts
		}
	}
}

// A note is kept as it was written, edited by its author only, pinned by anybody, and
// deleted by its author or who manages members; then it is off the page, and not gone.
func TestNotes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		n := addNote(t, s, "stf_a", m.ID, "  likes  oolong,\r\n no sugar 少糖 \n")
		if n.Text != "likes  oolong,\n no sugar 少糖" {
			t.Errorf("kept as %q", n.Text)
		}
		c.Advance(time.Minute)
		if _, err := s.ChangeNote(as(t.Context(), "stf_b"), n.place, NoteChange{Text: text("x")}); !errors.Is(err, ErrNotYours) {
			t.Errorf("a colleague edits: %v", err)
		}
		pinned := true
		if _, err := s.ChangeNote(as(t.Context(), "stf_b"), n.place, NoteChange{Pinned: &pinned}); err != nil {
			t.Errorf("a colleague pins: %v", err)
		}
		edited, err := s.ChangeNote(as(t.Context(), "stf_a"), n.place, NoteChange{Text: text("likes oolong")})
		if err != nil || edited.Version != 3 || !edited.Edited.Equal(c.Now()) || !edited.Pinned || !edited.At.Equal(n.At) {
			t.Errorf("edited to %+v, %v", edited, err)
		}
		if got, err := s.Note(t.Context(), n.place); err != nil || got.Text != "likes oolong" {
			t.Errorf("reads as %q, %v", got.Text, err)
		}
		stale := int64(2)
		if _, err := s.ChangeNote(as(t.Context(), "stf_a"), n.place, NoteChange{Text: text("y"), Version: &stale}); !errors.Is(err, ErrEdited) {
			t.Errorf("an edit of an old version: %v", err)
		}
		if err := s.DeleteNote(as(t.Context(), "stf_b"), n.place); !errors.Is(err, ErrNotYours) {
			t.Errorf("a colleague deletes: %v", err)
		}
		if err := s.DeleteNote(boss(t.Context()), n.place); err != nil {
			t.Errorf("a manager deletes: %v", err)
		}
		if err := s.DeleteNote(boss(t.Context()), n.place); !errors.Is(err, ErrNoNote) {
			t.Errorf("and again: %v", err)
		}
		if _, err := s.ChangeNote(as(t.Context(), "stf_a"), n.place, NoteChange{Text: text("z")}); !errors.Is(err, ErrNoNote) {
			t.Errorf("an edit of a deleted note: %v", err)
		}
		if got := noteTexts(t, s, m.ID, NoteFilter{}); len(got) != 0 {
			t.Errorf("the page still shows %q", got)
		}
		if got := noteTexts(t, s, m.ID, NoteFilter{Deleted: true}); !slices.Equal(got, []string{"likes oolong"}) {
			t.Errorf("the deleted notes are %q", got)
		}
		if _, err := s.Notes(as(t.Context(), "stf_a"), RefID(m.ID), NoteFilter{Deleted: true}, latest, 2); !errors.Is(err, api.ErrPermission) {
			t.Errorf("an agent lists deleted notes: %v", err)
		}
		want := []string{"member.joined", "note.added", "note.changed", "note.changed", "note.deleted"}
		if got := events(t, d, m.ID); !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	})
}

func TestCleanWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"a\r\nb\rc", "a\nb\nc"},
		{"\n a\tb \n", "a\tb"},
		{"e\u0301", "é"},
		{strings.Repeat("字", 10), strings.Repeat("字", 10)},
		{strings.Repeat("字", 11), ""},
		{" \n ", ""},
		{"", ""},
		{"a\x00b", ""},
		{"a\x1b[2J", ""},
		{"a\xff", ""},
	} {
		got, err := cleanWritten(tt.in, 10)
		if got != tt.want || errors.Is(err, ErrWritten) != (tt.want == "") {
			t.Errorf("cleanWritten(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

// A call is what happened: it lies in the past, with an outcome of the list.
func TestLogCall(t *testing.T) {
	t.Parallel()
	good := NewCall{Direction: CallOut, Outcome: Reached, At: noon, Duration: time.Minute, Text: "asks for a catalogue"}
	for _, tt := range []struct {
		name string
		edit func(*NewCall)
		want error
	}{
		{"good", func(c *NewCall) {}, nil},
		{"nothing noted", func(c *NewCall) { c.Text = "" }, nil},
		{"a day", func(c *NewCall) { c.Duration = 24 * time.Hour }, nil},
		{"longer than a day", func(c *NewCall) { c.Duration = 24*time.Hour + time.Second }, ErrCall},
		{"less than nothing", func(c *NewCall) { c.Duration = -time.Second }, ErrCall},
		{"half a second", func(c *NewCall) { c.Duration = time.Second / 2 }, ErrCall},
		{"now", func(c *NewCall) { c.At = noon.Add(time.Hour) }, nil},
		{"the future", func(c *NewCall) { c.At = noon.Add(time.Hour + 1) }, ErrCall},
		{"no direction", func(c *NewCall) { c.Direction = "" }, ErrCall},
		{"an odd outcome", func(c *NewCall) { c.Outcome = "shouted" }, ErrCall},
		{"an odd text", func(c *NewCall) { c.Text = "\x00" }, ErrWritten},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good
			tt.edit(&c)
			if err := c.check(noon.Add(time.Hour)); !errors.Is(err, tt.want) {
				t.Errorf("check = %v, want %v", err, tt.want)
			}
		})
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		c.Advance(time.Hour)
		for i, at := range []time.Duration{10, 30, 20} { // logged in another order than they happened
			call := good
			call.At, call.Text = noon.Add(at*time.Minute), fmt.Sprint("call ", i)
			if _, err := s.LogCall(as(t.Context(), "stf_a"), RefID(m.ID), call); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.Calls(t.Context(), RefID(m.ID), latest, 10)
		if err != nil || len(list) != 3 || list[0].Text != "call 1" || list[1].Text != "call 2" || list[2].Text != "call 0" || list[0].Duration != time.Minute {
			t.Fatalf("calls %+v, %v", list, err)
		}
		if err := s.DeleteCall(as(t.Context(), "stf_b"), list[1].place); !errors.Is(err, ErrNotYours) {
			t.Errorf("a colleague deletes: %v", err)
		}
		if err := s.DeleteCall(as(t.Context(), "stf_a"), list[1].place); err != nil {
			t.Error(err)
		}
		if err := s.DeleteCall(as(t.Context(), "stf_a"), list[1].place); !errors.Is(err, ErrNoCall) {
			t.Errorf("deleted twice: %v", err)
		}
		if list, err = s.Calls(t.Context(), RefID(m.ID), latest, 1); err != nil || list[0].Text != "call 1" {
			t.Fatalf("first page %+v, %v", list, err)
		}
		if list, err = s.Calls(t.Context(), RefID(m.ID), list[0].point(), 5); err != nil || len(list) != 1 || list[0].Text != "call 0" {
			t.Fatalf("second page %+v, %v", list, err)
		}
	})
}

// What was written under a record is shown by the survivor of a merge, and goes back with
// the record; what was written on the survivor stays there.
func TestWrittenFollowsMerges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		write := func(m ID, words string) {
			t.Helper()
			addNote(t, s, "stf_a", m, words)
			addTask(t, s, "stf_a", m, TaskChange{Title: &words, Due: text("2026-04-01")})
			if _, err := s.LogCall(as(t.Context(), "stf_a"), RefID(m), NewCall{Direction: CallIn, Outcome: Busy, Text: words}); err != nil {
				t.Fatal(err)
			}
			c.Advance(time.Second)
		}
		shows := func(m ID, want ...string) {
			t.Helper()
			slices.Reverse(want) // newest first
			if got := noteTexts(t, s, m, NoteFilter{}); !slices.Equal(got, want) {
				t.Errorf("notes %q, want %q", got, want)
			}
			calls, err := s.Calls(t.Context(), RefID(m), latest, 10)
			var got []string
			for _, c := range calls {
				got = append(got, c.Text)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("calls %q, %v; want %q", got, err, want)
			}
			slices.Reverse(want) // all are due together: by number
			got = nil
			for after := (point{}); ; {
				tasks, err := s.MemberTasks(t.Context(), RefID(m), TaskOpen, after, 1)
				if err != nil {
					t.Fatal(err)
				}
				if len(tasks) == 0 {
					break
				}
				got, after = append(got, tasks[0].Title), tasks[0].point()
			}
			if !slices.Equal(got, want) {
				t.Errorf("tasks %q, want %q", got, want)
			}
		}
		write(a.ID, "under a")
		write(b.ID, "under b")
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); err != nil {
			t.Fatal(err)
		}
		write(a.ID, "after the merge") // by the merged record's id, which finds the survivor
		shows(b.ID, "under a", "under b", "after the merge")
		shows(a.ID, "under a", "under b", "after the merge")
		if _, err := s.Unmerge(t.Context(), RefID(a.ID)); err != nil {
			t.Fatal(err)
		}
		shows(a.ID, "under a")
		shows(b.ID, "under b", "after the merge")
	})
}

// EachWritten hands on everything once, however many pages it takes, deleted notes too.
func TestEachWritten(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, c := newService(d)
		a, b := create(t, s, Enrolment{Card: "a"}), create(t, s, Enrolment{Card: "b"})
		want := map[string]int{}
		for i := range writtenPage + 3 {
			m := []ID{a.ID, b.ID}[i%2]
			want[addNote(t, s, "stf_a", m, fmt.Sprint("note ", i)).Text]++
			if i%7 == 0 {
				c.Advance(time.Second) // most are of one instant
			}
		}
		gone := addNote(t, s, "stf_a", a.ID, "gone")
		if err := s.DeleteNote(as(t.Context(), "stf_a"), gone.place); err != nil {
			t.Fatal(err)
		}
		want["gone"]++
		want[addTask(t, s, "stf_a", a.ID, TaskChange{Title: text("open"), Due: text("2026-04-01")}).Title]++
		done := addTask(t, s, "stf_a", b.ID, TaskChange{Title: text("done"), Due: text("2026-04-01")})
		if _, err := s.CloseTask(as(t.Context(), "stf_a"), done.place, "ok"); err != nil {
			t.Fatal(err)
		}
		want["done"]++
		if _, err := s.LogCall(as(t.Context(), "stf_a"), RefID(b.ID), NewCall{Direction: CallIn, Outcome: Busy, Text: "call"}); err != nil {
			t.Fatal(err)
		}
		want["call"]++
		if _, err := s.Merge(t.Context(), RefID(a.ID), RefID(b.ID)); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		err := s.EachWritten(t.Context(), b.ID,
			func(n Note) error { got[n.Text]++; return nil },
			func(c Call) error { got[c.Text]++; return nil },
			func(t Task) error { got[t.Title]++; return nil })
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("handed on %d things, want %d (%v)", len(got), len(want), err)
		}
	})
}

var swapNotes = `UPDATE note SET text = (SELECT x.text FROM note x WHERE x.id = $1) WHERE id = $2`

// A sealed text put into another row does not open there, not even of the same member.
func TestSwappedNote(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		one, two := addNote(t, s, "stf_a", m.ID, "one"), addNote(t, s, "stf_a", m.ID, "two")
		change(t, d, swapNotes, one.n, two.n)
		if got, err := s.Note(t.Context(), two.place); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("read %+v, %v; want ErrSealed", got, err)
		}
	})
}

func change(t *testing.T, d *db.DB, sql string, args ...any) {
	t.Helper()
	err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where a member's key was destroyed, what was written reads as nothing, lists still come,
// and nothing can be written any more.
func TestWrittenWithoutKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := newService(d)
		m := create(t, s, Enrolment{Card: "a"})
		addNote(t, s, "stf_a", m.ID, "secret")
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Due: text("2026-04-01")})
		change(t, d, `UPDATE member SET wrapped_key = $1 WHERE id = $2`, []byte{}, int64(m.ID))
		if got := noteTexts(t, s, m.ID, NoteFilter{}); !slices.Equal(got, []string{""}) {
			t.Errorf("notes %q", got)
		}
		if got, err := s.Task(t.Context(), task.place); err != nil || got.Title != "" {
			t.Errorf("task %q, %v", got.Title, err)
		}
		if _, err := s.AddNote(as(t.Context(), "stf_a"), RefID(m.ID), "more", false); !errors.Is(err, ErrNotFound) {
			t.Errorf("a note more: %v", err)
		}
	})
}

// The timeline shows kinds that are asked for, with what the things say now.
func TestTimelineKinds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(noon)
		s := New(d, seal.Test(), c, nil)
		m := create(t, s, Enrolment{Card: "a"})
		n := addNote(t, s, "stf_a", m.ID, "first words")
		gone := addNote(t, s, "stf_a", m.ID, "gone")
		task := addTask(t, s, "stf_a", m.ID, TaskChange{Title: text("ring"), Due: text("2026-03-02")})
		for _, err := range []error{
			func() error {
				_, err := s.ChangeNote(as(t.Context(), "stf_a"), n.place, NoteChange{Text: text("last words")})
				return err
			}(),
			s.DeleteNote(as(t.Context(), "stf_a"), gone.place),
			func() error { _, err := s.CloseTask(as(t.Context(), "stf_a"), task.place, "ok"); return err }(),
			func() error {
				_, err := s.LogCall(as(t.Context(), "stf_a"), RefID(m.ID), NewCall{Direction: CallIn, Outcome: Reached, Text: "talk"})
				return err
			}(),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		dispatch(t, d, c)
		for _, tt := range []struct {
			kinds string
			want  string
		}{
			{"", "call.logged=talk task.closed=ring note.deleted= note.changed=last words task.added=ring note.added= note.added=last words member.joined="},
			{"note", "note.deleted= note.changed=last words note.added= note.added=last words"},
			{"task.closed,call", "call.logged=talk task.closed=ring"},
			{"task,task.closed", "task.closed=ring task.added=ring"},
			{"tas", ""},
			{"task.clos", ""},
		} {
			var got []string
			for before := int64(0); ; {
				page, err := s.Timeline(t.Context(), RefID(m.ID), splitKinds(tt.kinds), before, 3)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					got, before = append(got, e.Kind+"="+e.Text), e.Position
				}
				if len(page) < 3 {
					break
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q: %s, want %s", tt.kinds, strings.Join(got, " "), tt.want)
			}
		}
		if _, err := s.Timeline(t.Context(), RefID(m.ID), make([]string, maxKinds+1), 0, 3); !errors.Is(err, ErrKinds) {
			t.Errorf("too many kinds: %v", err)
		}
	})
}
