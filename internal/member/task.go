package member

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

const taskPrefix = "tsk_"

// Task is something that a colleague means to do for a member. It is open or done; done it
// can be opened again. Its reminder is given once, while it is open.
type Task struct {
	place
	Version  int64
	Title    string // "" where the member's key was destroyed
	Text     string
	Outcome  string // of the last time that it was closed
	State    TaskState
	Owner    string    // a colleague, "stf_…"; "" for nobody yet
	Due      time.Time // exclusive: from here on it is overdue
	WholeDay bool      // only a day was named, at whose end it is due
	Remind   time.Time // zero for no reminder
	Author   string    // "staff:stf_…"
	Added    time.Time
	DoneBy   string
	Done     time.Time // zero while it is open

	armed           bool // the reminder is still to come
	sealed, outcome []byte
}

// TaskState is where a task stands.
type TaskState string

// The states.
const (
	TaskOpen TaskState = "open"
	TaskDone TaskState = "done"
)

// PublicID is what the outside calls the task.
func (t Task) PublicID() string { return t.id(taskPrefix) }

// Overdue reports whether the task should have been done by now.
func (t Task) Overdue(now time.Time) bool { return t.State == TaskOpen && !now.Before(t.Due) }

// The bounds of a task's texts, in characters.
const (
	maxTitle   = 200
	maxOutcome = 500
)

var (
	// ErrNoTask answers for a task that is not there.
	ErrNoTask = errs.New(errs.NotFound, "member.no_task", "There is no such task.", "没有这个任务。")
	// ErrTaskDone refuses to close, or change, a task that is done.
	ErrTaskDone = errs.New(errs.Conflict, "member.task_done", "This task is done already. Open it again to change it.", "该任务已完成。如需修改，请先重新打开。")
	// ErrTaskOpen refuses to open a task that is open.
	ErrTaskOpen = errs.New(errs.Conflict, "member.task_open", "This task is open.", "该任务未完成，无需重新打开。")
	// ErrOwner refuses a task for somebody who does not work here.
	ErrOwner = errs.New(errs.Invalid, "member.task_owner", "A task is for a colleague who can sign in: me, an id as in stf_…, or nobody.", "任务负责人须为可登录的同事：me、stf_… 编号，或留空。")
	// ErrDue refuses a task without a day or time that can be meant.
	ErrDue = errs.New(errs.Invalid, "member.task_due", "Say when: a day as in 2026-03-01 or a time, in the years 2000 to 2200.", "请填写日期（如 2026-03-01）或时间，年份在 2000 至 2200 之间。")
	// ErrRemind refuses a reminder that would come too late.
	ErrRemind = errs.New(errs.Invalid, "member.task_remind", "A reminder lies in the future.", "提醒时间须晚于现在。")
)

// taskText is what is sealed of a task beside its outcome. Its JSON names are on disk.
type taskText struct {
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

// taskBody is the body of the events of tasks; it does not hold what is to be done.
type taskBody struct {
	Task   string    `json:"task"`
	By     string    `json:"by,omitempty"`
	Owner  string    `json:"owner,omitempty"` // who has it now
	Due    time.Time `json:"due_at"`
	Fields []string  `json:"fields,omitempty"` // that changed
}

// told tells of a task and puts it on the audit trail.
func (s *Service) told(ctx context.Context, tx *db.Tx, kind string, t Task, fields ...string) error {
	body := taskBody{Task: t.PublicID(), By: writer(ctx), Owner: t.Owner, Due: t.Due, Fields: fields}
	if err := s.tell(ctx, tx, kind, t.member, body); err != nil {
		return err
	}
	return s.record(ctx, tx, kind, t.PublicID(), nil, struct {
		Member ID        `json:"member"`
		Owner  string    `json:"owner"`
		Due    time.Time `json:"due_at"`
		Fields []string  `json:"fields,omitempty"`
	}{t.member, t.Owner, t.Due, fields})
}

const taskColumns = `member_id, id, version, text, outcome, state, owner, due_ms, whole_day, remind_ms, armed, author, added_ms, done_by, done_ms`

func scanTask(scan func(...any) error) (t Task, err error) {
	var due, remind, added, done int64
	err = scan(&t.member, &t.n, &t.Version, &t.sealed, &t.outcome, &t.State, &t.Owner, &due, &t.WholeDay,
		&remind, &t.armed, &t.Author, &added, &t.DoneBy, &done)
	t.Due, t.Remind, t.Added, t.Done = when(due), when(remind), when(added), when(done)
	return t, err
}

var taskSQL = db.Define("member.task", `
	SELECT `+taskColumns+`
	FROM task
	WHERE shard = $1 AND member_id = $2 AND id = $3`)

// readTask reads a task with its texts.
func (s *Service) readTask(ctx context.Context, tx *db.Tx, p place) (Task, error) {
	t, err := scanTask(tx.QueryRow(ctx, taskSQL, p.member.Shard(), int64(p.member), p.n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Task{}, ErrNoTask
	}
	if err != nil {
		return Task{}, fmt.Errorf("read task %d of member %d: %w", p.n, p.member, err)
	}
	list := []Task{t}
	err = s.openTasks(ctx, tx, list)
	return list[0], err
}

// openTasks reads the texts of tasks.
func (s *Service) openTasks(ctx context.Context, tx *db.Tx, list []Task) error {
	var members []ID
	for _, t := range list {
		members = append(members, t.member)
	}
	keys, err := s.keyring(ctx, tx, members)
	if err != nil {
		return err
	}
	for i := range list {
		if err := keys.openTask(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (k keyring) openTask(t *Task) (err error) {
	if t.Outcome, err = k.open(t.outcome, t.place, "task outcome"); err != nil {
		return err
	}
	text, err := k.open(t.sealed, t.place, "task")
	if err != nil || text == "" {
		return err
	}
	var said taskText
	if json.Unmarshal([]byte(text), &said) != nil {
		return fmt.Errorf("open task %d of member %d: the text is no JSON", t.n, t.member) // the cause would quote it
	}
	t.Title, t.Text = said.Title, said.Text
	return nil
}

// Task reads a task.
func (s *Service) Task(ctx context.Context, p place) (t Task, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		t, err = s.readTask(ctx, tx, p)
		return err
	})
	return t, err
}

// TaskFilter says which tasks to list, over all members.
type TaskFilter struct {
	State TaskState
	Owner *string // nil for everybody's, "" for those of nobody
	Until time.Time
}

// where writes the filter as SQL behind fixed conditions that use the parameters up to
// used. Only what is asked for stands in it, so that an index can serve it.
func (f TaskFilter) where(used int) (text string, args []any) {
	add := func(condition string, value any) {
		args = append(args, value)
		text += fmt.Sprintf(" AND %s $%d", condition, used+len(args))
	}
	if f.Owner != nil {
		add("owner =", *f.Owner)
	}
	if !f.Until.IsZero() {
		add("due_ms <", f.Until.UnixMilli())
	}
	return text, args
}

// Tasks lists the tasks of all members, what is due first, after a point.
func (s *Service) Tasks(ctx context.Context, f TaskFilter, after point, limit int) (list []Task, err error) {
	more, args := f.where(3)
	text := fmt.Sprintf(`
		SELECT `+taskColumns+`
		FROM task
		WHERE state = $1 AND (due_ms, id) > ($2, $3)%s
		ORDER BY due_ms, id
		LIMIT $%d`, more, 4+len(args))
	args = append(append([]any{string(f.State), after.ms, after.n}, args...), limit)
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		if list, err = scanTasks(tx.QueryText(ctx, text, args...)); err != nil {
			return err
		}
		return s.openTasks(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return list, nil
}

func scanTasks(rows *db.Rows, err error) (list []Task, _ error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		t, err := scanTask(rows.Scan)
		list = append(list, t)
		return err
	})(rows, err)
	return list, err
}

var memberTasksSQL = db.Define("member.tasks", `
	SELECT `+taskColumns+`
	FROM task
	WHERE shard = $1 AND member_id = $2 AND state = $3 AND (due_ms, id) > ($4, $5)
	ORDER BY due_ms, id
	LIMIT $6`)

// MemberTasks lists the tasks of a member and of the records merged into it, what is due
// first, after a point.
func (s *Service) MemberTasks(ctx context.Context, ref Ref, state TaskState, after point, limit int) (list []Task, err error) {
	m, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		records, err := recordsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		list, err = gather(records, limit, func(r ID) ([]Task, error) {
			return scanTasks(tx.Query(ctx, memberTasksSQL, r.Shard(), int64(r), string(state), after.ms, after.n, limit))
		}, func(a, b Task) int {
			return cmp.Or(cmp.Compare(a.point().ms, b.point().ms), cmp.Compare(a.n, b.n))
		})
		if err != nil {
			return err
		}
		return s.openTasks(ctx, tx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("tasks of member %d: %w", m, err)
	}
	return list, nil
}

func (t Task) point() point { return point{t.Due.UnixMilli(), t.n} }
