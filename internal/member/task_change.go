package member

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// TaskChange is what a task is made or changed from: nil leaves a field.
type TaskChange struct {
	Title, Text *string
	Owner       *string // "me", "stf_…", or "" for nobody
	Due         *string // a day, or a time; without a zone, the programme's
	Remind      *string // a time, or the day at whose beginning; "" for none
	Version     *int64  // refuse unless the task has this version
}

// apply makes a change in memory and names what it changed.
func (s *Service) applyTask(ctx context.Context, t *Task, c TaskChange) (fields []string, err error) {
	before := *t
	var faults faults
	if c.Title != nil {
		t.Title, err = cleanWritten(*c.Title, maxTitle)
		faults.add("title", err)
	}
	if c.Text != nil {
		t.Text = ""
		if *c.Text != "" {
			t.Text, err = cleanWritten(*c.Text, maxWritten)
			faults.add("text", err)
		}
	}
	if c.Due != nil {
		t.Due, t.WholeDay, err = s.parseDue(*c.Due)
		faults.add("due", err)
	}
	if c.Remind != nil {
		t.Remind, err = s.parseRemind(*c.Remind)
		faults.add("remind", err)
	}
	if c.Owner != nil {
		if t.Owner, err = s.parseOwner(ctx, *c.Owner); err != nil {
			if errs.As(err) == nil {
				return nil, err
			}
			faults.add("owner", err)
		}
	}
	if faults.err != nil {
		return nil, faults.err
	}
	return t.differs(before), nil
}

// differs names the fields in which a task is not what it was, and arms a reminder that is
// new.
func (t *Task) differs(before Task) (fields []string) {
	note := func(name string, differs bool) {
		if differs {
			fields = append(fields, name)
		}
	}
	note("title", t.Title != before.Title)
	note("text", t.Text != before.Text)
	note("owner", t.Owner != before.Owner)
	note("due", !t.Due.Equal(before.Due) || t.WholeDay != before.WholeDay)
	if !t.Remind.Equal(before.Remind) {
		fields = append(fields, "remind")
		t.armed = !t.Remind.IsZero()
	}
	return fields
}

// parseDue reads when a task is due: at the end of a day, or at a time.
func (s *Service) parseDue(text string) (due time.Time, wholeDay bool, err error) {
	if d, err := program.ParseDay(text); err == nil {
		due, wholeDay = (d + 1).Start(s.zone()), true
	} else if due, err = program.ParseTime(text, s.zone()); err != nil {
		return time.Time{}, false, ErrDue
	}
	if due.Year() < 2000 || due.Year() > 2200 {
		return time.Time{}, false, ErrDue
	}
	return due.UTC(), wholeDay, nil
}

func (s *Service) parseRemind(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := program.ParseTime(text, s.zone())
	if err != nil || at.Year() > 2200 {
		return time.Time{}, ErrDue
	}
	if !at.After(s.clock.Now()) {
		return time.Time{}, ErrRemind
	}
	return at, nil
}

// parseOwner reads whose a task is to be. An error that is no refusal is of the database.
func (s *Service) parseOwner(ctx context.Context, ref string) (string, error) {
	if c := api.CallerOf(ctx); ref == "me" {
		if c.Kind != "staff" {
			return "", ErrOwner
		}
		return c.ID, nil
	}
	if ref == "" || s.hooks.Colleague == nil {
		return ref, nil
	}
	err := s.hooks.Colleague(ctx, ref)
	if e := errs.As(err); e != nil && e.Kind == errs.NotFound {
		err = ErrOwner
	}
	return ref, err
}

// sealTask seals the texts of a task.
func (s *Service) sealTask(ctx context.Context, tx *db.Tx, t *Task) error {
	key, err := s.keyOf(ctx, tx, t.member)
	if err != nil {
		return err
	}
	text, err := json.Marshal(taskText{t.Title, t.Text})
	if err != nil {
		return fmt.Errorf("seal task %d of member %d: %w", t.n, t.member, err)
	}
	t.sealed = key.Seal(text, t.aad("task"))
	return nil
}

var insertTaskSQL = db.Define("member.insertTask", `
	INSERT INTO task (shard, member_id, id, version, text, outcome, state, owner, due_ms, whole_day, remind_ms, armed, author, added_ms, done_by, done_ms)
	VALUES ($1, $2, $3, 1, $4, $5, 'open', $6, $7, $8, $9, $10, $11, $12, '', 0)`)

// AddTask writes a task for a member. Without an owner it is for whoever writes it, if
// that is a person.
func (s *Service) AddTask(ctx context.Context, ref Ref, c TaskChange) (Task, error) {
	if c.Owner == nil && api.CallerOf(ctx).Kind == "staff" {
		me := "me"
		c.Owner = &me
	}
	if c.Due == nil {
		return Task{}, ErrDue.At("body.due")
	}
	t := Task{Version: 1, State: TaskOpen, Author: writer(ctx), Added: s.clock.Now()}
	if _, err := s.applyTask(ctx, &t, c); err != nil {
		return Task{}, err
	}
	m, err := s.Find(ctx, ref)
	if err != nil {
		return Task{}, err
	}
	if t.place, err = s.newPlace(ctx, m, "task"); err != nil {
		return Task{}, err
	}
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.sealTask(ctx, tx, &t); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertTaskSQL, m.Shard(), int64(m), t.n, t.sealed, []byte{}, t.Owner, milli(t.Due), t.WholeDay,
			milli(t.Remind), t.armed, t.Author, t.Added.UnixMilli())
		if err != nil {
			return fmt.Errorf("add task to member %d: %w", m, err)
		}
		if err := s.arm(ctx, tx, t); err != nil {
			return err
		}
		return s.told(ctx, tx, "task.added", t)
	})
	return t, err
}

// updateTaskSQL leaves a reminder that stays at its instant as it is in the row: it may have
// been given since the task was read.
var updateTaskSQL = db.Define("member.updateTask", `
	UPDATE task
	SET version = version + 1, text = $5, owner = $6, due_ms = $7, whole_day = $8, remind_ms = $9,
		armed = CASE WHEN remind_ms = $9 THEN armed ELSE CAST($10 AS SMALLINT) END
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND version = $4 AND state = 'open'`)

// ChangeTask changes an open task, or gives it to somebody else. A change that meets
// another runs again on what that one left, unless the caller named the version that they saw.
func (s *Service) ChangeTask(ctx context.Context, p place, c TaskChange) (Task, error) {
	for range maxRaces {
		before, err := s.Task(ctx, p)
		if err != nil {
			return Task{}, err
		}
		after := before
		fields, err := s.applyTask(ctx, &after, c)
		switch {
		case err != nil:
			return Task{}, err
		case c.Version != nil && *c.Version != before.Version:
			return Task{}, ErrEdited
		case before.State != TaskOpen:
			return Task{}, ErrTaskDone
		case len(fields) == 0:
			return before, nil
		}
		err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			return s.saveTask(ctx, tx, &after, before, fields)
		})
		if !errors.Is(err, errRaced) {
			after.Version = before.Version + 1
			return after, err
		}
	}
	return Task{}, ErrEdited
}

func (s *Service) saveTask(ctx context.Context, tx *db.Tx, after *Task, before Task, fields []string) error {
	if err := s.sealTask(ctx, tx, after); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, updateTaskSQL, after.member.Shard(), int64(after.member), after.n, before.Version, after.sealed,
		after.Owner, milli(after.Due), after.WholeDay, milli(after.Remind), after.armed)
	if err != nil {
		return fmt.Errorf("change task %d of member %d: %w", after.n, after.member, err)
	}
	if n == 0 {
		return errRaced
	}
	if err := s.arm(ctx, tx, *after); err != nil {
		return err
	}
	if after.Owner != before.Owner {
		return s.told(ctx, tx, "task.assigned", *after, fields...)
	}
	return s.told(ctx, tx, "task.changed", *after, fields...)
}

var closeTaskSQL = db.Define("member.closeTask", `
	UPDATE task
	SET version = version + 1, state = 'done', done_ms = $4, done_by = $5, outcome = $6, armed = 0
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND state = 'open'`)

// CloseTask marks a task done, with what came of it. The guard stands in the statement: of
// two colleagues who close the same task, one does and the other gets ErrTaskDone.
func (s *Service) CloseTask(ctx context.Context, p place, outcome string) (Task, error) {
	outcome, err := cleanWritten(outcome, maxOutcome)
	if err != nil {
		return Task{}, errs.As(err).At("body.outcome")
	}
	return s.turnTask(ctx, p, "task.closed", ErrTaskDone, func(ctx context.Context, tx *db.Tx) (int64, error) {
		key, err := s.keyOf(ctx, tx, p.member)
		if err != nil {
			return 0, err
		}
		return tx.Exec(ctx, closeTaskSQL, p.member.Shard(), int64(p.member), p.n, s.clock.Now().UnixMilli(), writer(ctx),
			key.Seal([]byte(outcome), p.aad("task outcome")))
	})
}

// reopenTaskSQL arms the reminder again if its time has not come. The outcome stays until
// there is another.
var reopenTaskSQL = db.Define("member.reopenTask", `
	UPDATE task
	SET version = version + 1, state = 'open', done_ms = 0, done_by = '', armed = CASE WHEN remind_ms > $4 THEN 1 ELSE 0 END
	WHERE shard = $1 AND member_id = $2 AND id = $3 AND state = 'done'`)

// ReopenTask makes a task that is done open again.
func (s *Service) ReopenTask(ctx context.Context, p place) (Task, error) {
	return s.turnTask(ctx, p, "task.reopened", ErrTaskOpen, func(ctx context.Context, tx *db.Tx) (int64, error) {
		return tx.Exec(ctx, reopenTaskSQL, p.member.Shard(), int64(p.member), p.n, s.clock.Now().UnixMilli())
	})
}

// turnTask changes the state of a task by a guarded statement and tells of it. Where the
// statement finds nothing to do, there is no such task or it is in that state already.
func (s *Service) turnTask(ctx context.Context, p place, kind string, already error, turn func(context.Context, *db.Tx) (int64, error)) (t Task, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := turn(ctx, tx)
		if errors.Is(err, ErrNotFound) {
			return ErrNoTask
		}
		if err != nil {
			return fmt.Errorf("task %d of member %d: %w", p.n, p.member, err)
		}
		if t, err = s.readTask(ctx, tx, p); err != nil {
			return err
		}
		if n == 0 {
			return already
		}
		if err := s.arm(ctx, tx, t); err != nil {
			return err
		}
		return s.told(ctx, tx, kind, t)
	})
	return t, err
}
