package member

import (
	"context"
	"fmt"
)

// writtenPage is how many rows EachWritten reads at a time, each page in a snapshot of its
// own.
const writtenPage = 200

// EachWritten hands on all that staff wrote about a member and about the records merged
// into it: notes, those that were deleted last, then calls, newest first, then tasks, open
// ones before those that are done. It is for whoever gives a member all that is kept of
// them, and may do so by their own right: it asks for no permission. An error of a function
// ends it.
func (s *Service) EachWritten(ctx context.Context, m ID, note func(Note) error, call func(Call) error, task func(Task) error) error {
	for _, deleted := range []bool{false, true} {
		err := eachPage(latest, Note.point, note, func(after point) ([]Note, error) {
			return s.notes(ctx, RefID(m), NoteFilter{Deleted: deleted}, after, writtenPage)
		})
		if err != nil {
			return fmt.Errorf("notes about member %d: %w", m, err)
		}
	}
	err := eachPage(latest, Call.point, call, func(after point) ([]Call, error) {
		return s.Calls(ctx, RefID(m), after, writtenPage)
	})
	if err != nil {
		return fmt.Errorf("calls with member %d: %w", m, err)
	}
	for _, state := range []TaskState{TaskOpen, TaskDone} {
		err := eachPage(point{}, Task.point, task, func(after point) ([]Task, error) {
			return s.MemberTasks(ctx, RefID(m), state, after, writtenPage)
		})
		if err != nil {
			return fmt.Errorf("tasks for member %d: %w", m, err)
		}
	}
	return nil
}

// eachPage goes through a list page by page.
func eachPage[R any](after point, at func(R) point, do func(R) error, read func(point) ([]R, error)) error {
	for {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
			after = at(r)
		}
		if len(page) < writtenPage {
			return nil
		}
	}
}
