package member

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// Moment is one event on a timeline.
type Moment struct {
	event.Event
	// Text is what the note says, what was said on the call, or what the task is called that
	// the event is about: as it stands now, since events hold no personal value.
	Text string
}

// maxKinds bounds how many kinds of events one request asks for; each is a query.
const maxKinds = 8

// ErrKinds refuses a filter that names no kinds of events.
var ErrKinds = errs.New(errs.Invalid, "member.timeline_kinds",
	"Name up to {max} kinds of events or nouns, as in note,task.closed.", "最多可列出 {max} 个事件类型或名词，如 note,task.closed。")

// Timeline lists the events of a member and of the records merged into it, newest first,
// before a position (0 for the newest). kinds are "task.closed", or "task" for all of the
// noun; none stands for all.
//
// What was written a moment ago comes onto it when the dispatcher has handed it on.
func (s *Service) Timeline(ctx context.Context, ref Ref, kinds []string, before int64, limit int) ([]Moment, error) {
	if len(kinds) > maxKinds {
		return nil, ErrKinds.With("max", maxKinds)
	}
	m, err := s.Trace(ctx, ref)
	if err != nil {
		return nil, err
	}
	var list []Moment
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		records, err := recordsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		events, err := gather(records, limit, func(r ID) ([]event.Event, error) {
			return eventsOf(ctx, tx, r, kinds, before, limit)
		}, later)
		if err != nil {
			return err
		}
		list, err = s.moments(ctx, tx, events)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("timeline of member %d: %w", m, err)
	}
	return list, nil
}

// later orders events newest first.
func later(a, b event.Event) int { return cmp.Compare(b.Position, a.Position) }

// eventsOf reads the events of one record, of several kinds or of all.
func eventsOf(ctx context.Context, tx *db.Tx, m ID, kinds []string, before int64, limit int) ([]event.Event, error) {
	if len(kinds) == 0 {
		return event.ListMember(ctx, tx, m.Shard(), int64(m), before, limit)
	}
	var list []event.Event
	for _, kind := range kinds {
		part, err := event.ListMemberKind(ctx, tx, m.Shard(), int64(m), kind, before, limit)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, later) // "task" and "task.closed" may both be asked for
	return slices.CompactFunc(list, func(a, b event.Event) bool { return a.Position == b.Position }), nil
}

// moments adds to events the texts that they are about.
func (s *Service) moments(ctx context.Context, tx *db.Tx, events []event.Event) ([]Moment, error) {
	list := make([]Moment, len(events))
	texts := map[string]string{} // by public id: one thing is often on the page several times
	for i, e := range events {
		list[i].Event = e
		subject := subjectOf(e)
		if subject == "" {
			continue
		}
		text, seen := texts[subject]
		if !seen {
			var err error
			if text, err = s.writtenOf(ctx, tx, subject); err != nil {
				return nil, err
			}
			texts[subject] = text
		}
		list[i].Text = text
	}
	return list, nil
}

// subjectOf is the note, call or task that an event is about, or "".
func subjectOf(e event.Event) string {
	var body struct{ Note, Call, Task string }
	switch {
	case !slices.Contains(writtenKinds, e.Kind), json.Unmarshal(e.Body, &body) != nil:
		return ""
	}
	return cmp.Or(body.Note, body.Call, body.Task)
}

// writtenKinds are the events about what staff write.
var writtenKinds = []string{
	"note.added", "note.changed", "call.logged",
	"task.added", "task.changed", "task.assigned", "task.closed", "task.reopened", "task.due",
}

// writtenOf reads the text of a note, call or task; "" where it was deleted.
func (s *Service) writtenOf(ctx context.Context, tx *db.Tx, id string) (string, error) {
	if p, err := parsePlace(notePrefix, id, ErrNoNote); err == nil {
		n, err := s.readNote(ctx, tx, p)
		if err != nil || !n.Deleted.IsZero() {
			return "", unlessGone(err)
		}
		return n.Text, nil
	}
	if p, err := parsePlace(callPrefix, id, ErrNoCall); err == nil {
		c, err := s.readCall(ctx, tx, p)
		return c.Text, unlessGone(err)
	}
	p, err := parsePlace(taskPrefix, id, ErrNoTask)
	if err != nil {
		return "", nil // nothing of ours
	}
	t, err := s.readTask(ctx, tx, p)
	return t.Title, unlessGone(err)
}

// unlessGone makes nothing of the refusal that there is no such thing.
func unlessGone(err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	return err
}
