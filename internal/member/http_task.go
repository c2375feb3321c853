package member

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) taskRoutes(r *api.Router) {
	set := []error{ErrWritten, ErrOwner, ErrDue, ErrRemind}
	api.Post(r, "/v1/members/{ref}/tasks", s.postTask, api.Doc{
		ID: "addTask", Summary: "Write a follow-up task for a member.", Tags: noteTags, Needs: staff.ServeMembers, Status: 201,
		Fails: append([]error{ErrNotFound, ErrRef, ErrQR, program.ErrOff}, set...),
	})
	api.Get(r, "/v1/members/{ref}/tasks", s.getMemberTasks, api.Doc{
		ID: "listMemberTasks", Summary: "List the tasks for a member, what is due first.", Tags: noteTags, Needs: staff.ReadMembers,
		Fails: []error{ErrNotFound, ErrRef, ErrQR},
	})
	api.Get(r, "/v1/tasks", s.getTasks, api.Doc{
		ID: "listTasks", Summary: "List tasks over all members, what is due first.", Tags: noteTags, Needs: staff.ReadMembers,
		Fails: []error{ErrOwner, program.ErrTime},
	})
	api.Get(r, "/v1/tasks/{id}", s.getTask, api.Doc{
		ID: "getTask", Summary: "Read a task.", Tags: noteTags, Needs: staff.ReadMembers, Fails: []error{ErrNoTask},
	})
	api.Patch(r, "/v1/tasks/{id}", s.patchTask, api.Doc{
		ID: "changeTask", Summary: "Change an open task, or give it to a colleague.", Tags: noteTags, Needs: staff.ServeMembers,
		Description: "What is left out stays, null empties. With If-Match, the change is refused unless the task still has that version.",
		Fails:       append([]error{ErrNoTask, ErrEdited, ErrTaskDone}, set...),
	})
	api.Post(r, "/v1/tasks/{id}/close", s.postCloseTask, api.Doc{
		ID: "closeTask", Summary: "Close a follow-up task with its outcome.", Tags: noteTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNoTask, ErrTaskDone, ErrWritten},
	})
	api.Post(r, "/v1/tasks/{id}/reopen", s.postReopenTask, api.Doc{
		ID: "reopenTask", Summary: "Open a task that is done again.", Tags: noteTags, Needs: staff.ServeMembers,
		Fails: []error{ErrNoTask, ErrTaskOpen},
	})
}

type taskView struct {
	ID       string     `json:"id" doc:"The task."`
	Member   ID         `json:"member_id" doc:"Whose page it is on."`
	Name     string     `json:"member_name,omitempty" doc:"What the member is called; shown in the list over all members."`
	Version  int64      `json:"version" doc:"Grows at every change; for If-Match."`
	Title    string     `json:"title" doc:"What is to be done; empty where the member was erased."`
	Text     string     `json:"text" doc:"More about it."`
	State    TaskState  `json:"state" enum:"open,done" doc:"Where it stands."`
	Owner    string     `json:"owner" doc:"The colleague who is to do it, stf_…; empty for nobody yet."`
	DueAt    time.Time  `json:"due_at" doc:"The instant from which it is overdue."`
	DueDay   string     `json:"due_day,omitempty" doc:"The day that was named, if only a day was." example:"2026-03-12"`
	Overdue  bool       `json:"overdue" doc:"Whether it should be done by now."`
	RemindAt *time.Time `json:"remind_at,omitempty" doc:"When its owner is to be reminded."`
	Author   string     `json:"author" doc:"Who wrote it, as staff:stf_… or key:key_…"`
	Added    time.Time  `json:"added_at" doc:"When it was written."`
	DoneAt   *time.Time `json:"done_at,omitempty" doc:"When it was closed."`
	DoneBy   string     `json:"done_by,omitempty" doc:"By whom."`
	Outcome  string     `json:"outcome,omitempty" doc:"What came of it; of a task that was opened again, the last time."`
}

func (s *Service) viewTask(t Task, member ID) taskView {
	v := taskView{
		ID: t.PublicID(), Member: member, Version: t.Version, Title: t.Title, Text: t.Text, State: t.State, Owner: t.Owner,
		DueAt: t.Due, Overdue: t.Overdue(s.clock.Now()), RemindAt: moment(t.Remind), Author: t.Author, Added: t.Added,
		DoneAt: moment(t.Done), DoneBy: t.DoneBy, Outcome: t.Outcome,
	}
	if t.WholeDay {
		v.DueDay = program.DayOf(t.Due.Add(-time.Millisecond), s.zone()).String()
	}
	return v
}

type taskOut struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body taskView
}

// answerTask makes the answer of a use case.
func (s *Service) answerTask(ctx context.Context, t Task, err error) (*taskOut, error) {
	if err != nil {
		return nil, err
	}
	at, _, err := s.follows(ctx, []ID{t.member})
	if err != nil {
		return nil, err
	}
	return &taskOut{tag(t.Version), s.viewTask(t, at[0])}, nil
}

type addTaskIn struct {
	ByRef
	Body struct {
		Title  string  `json:"title" minLength:"1" maxLength:"800" doc:"What is to be done, at most 200 characters."`
		Text   *string `json:"text,omitempty" maxLength:"16000" doc:"More about it, at most 4000 characters."`
		Owner  *string `json:"owner,omitempty" maxLength:"64" doc:"The colleague who is to do it: stf_…, me, or empty for nobody yet. Left out: me, where a person writes it."`
		Due    string  `json:"due" minLength:"1" maxLength:"40" doc:"A day, at whose end it is due, or a time; without a zone, in the programme's." example:"2026-03-12"`
		Remind *string `json:"remind_at,omitempty" maxLength:"40" doc:"When its owner is to be reminded: a time, or the day at whose beginning." example:"2026-03-12T09:00"`
	}
}

func (s *Service) postTask(ctx context.Context, in *addTaskIn) (*taskOut, error) {
	if s.hooks.Programme != nil {
		if err := s.hooks.Programme().Uses(program.TasksModule); err != nil {
			return nil, err
		}
	}
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	b := &in.Body
	t, err := s.AddTask(ctx, ref, TaskChange{Title: &b.Title, Text: b.Text, Owner: b.Owner, Due: &b.Due, Remind: b.Remind})
	return s.answerTask(ctx, t, err)
}

type memberTasksIn struct {
	ByRef
	api.Page
	State TaskState `query:"state" enum:"open,done" default:"open" doc:"Which ones."`
}

type tasksOut struct{ Body api.List[taskView] }

func (s *Service) getMemberTasks(ctx context.Context, in *memberTasksIn) (*tasksOut, error) {
	ref, err := in.parse()
	if err != nil {
		return nil, err
	}
	after, err := pointOf(in.Cursor, point{})
	if err != nil {
		return nil, err
	}
	list, err := s.MemberTasks(ctx, ref, in.State, after, in.Limit+1)
	return s.answerTasks(ctx, list, in.Limit, err)
}

// answerTasks makes a page of tasks, each with the member who stands for its record now.
func (s *Service) answerTasks(ctx context.Context, list []Task, limit int, err error) (*tasksOut, error) {
	if err != nil {
		return nil, err
	}
	records := make([]ID, len(list))
	for i, t := range list {
		records[i] = t.member
	}
	at, _, err := s.follows(ctx, records)
	if err != nil {
		return nil, err
	}
	owner := map[ID]ID{}
	for i, r := range records {
		owner[r] = at[i]
	}
	return &tasksOut{paged(list, limit, func(t Task) taskView { return s.viewTask(t, owner[t.member]) }, func(t Task) []int64 { return t.point().parts() })}, nil
}

type tasksIn struct {
	api.Page
	State     TaskState `query:"state" enum:"open,done" default:"open" doc:"Which ones."`
	Owner     string    `query:"owner" maxLength:"64" doc:"Whose: me, stf_…, or nobody. Left out: everybody's."`
	DueBefore string    `query:"due_before" maxLength:"40" doc:"Only tasks that are due before this time; without a zone, in the programme's."`
	Overdue   bool      `query:"overdue" doc:"Only tasks that should be done by now."`
}

func (s *Service) getTasks(ctx context.Context, in *tasksIn) (*tasksOut, error) {
	f := TaskFilter{State: in.State}
	var err error
	if f.Until, err = s.parseTime(in.DueBefore); err != nil {
		return nil, program.ErrTime.At("query.due_before")
	}
	if now := s.clock.Now().Add(time.Millisecond); in.Overdue && (f.Until.IsZero() || now.Before(f.Until)) {
		f.Until = now // due ≤ now
	}
	if f.Owner, err = ownerOf(ctx, in.Owner); err != nil {
		return nil, err
	}
	after, err := pointOf(in.Cursor, point{})
	if err != nil {
		return nil, err
	}
	list, err := s.Tasks(ctx, f, after, in.Limit+1)
	out, err := s.answerTasks(ctx, list, in.Limit, err)
	if err != nil {
		return nil, err
	}
	return out, s.nameTasks(ctx, out.Body.Items)
}

// nameTasks adds what the members of tasks are called.
func (s *Service) nameTasks(ctx context.Context, list []taskView) error {
	var members []ID
	for _, t := range list {
		members = append(members, t.Member)
	}
	names, err := s.names(ctx, members)
	for i := range list {
		list[i].Name = names[list[i].Member]
	}
	return err
}

// ownerOf reads whose tasks a list asks for.
func ownerOf(ctx context.Context, text string) (*string, error) {
	switch c := api.CallerOf(ctx); {
	case text == "":
		return nil, nil
	case text == "nobody":
		text = ""
	case text == "me" && c.Kind != "staff":
		return nil, ErrOwner.At("query.owner")
	case text == "me":
		text = c.ID
	}
	return &text, nil
}

type taskRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The task."`
}

func (s *Service) getTask(ctx context.Context, in *taskRef) (*taskOut, error) {
	p, err := parsePlace(taskPrefix, in.ID, ErrNoTask)
	if err != nil {
		return nil, err
	}
	t, err := s.Task(ctx, p)
	return s.answerTask(ctx, t, err)
}

type changeTaskIn struct {
	ID      string `path:"id" minLength:"1" maxLength:"64" doc:"The task."`
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The version that this change is made from, as ETag gave it."`
	Body    struct {
		Title  *string `json:"title,omitempty" minLength:"1" maxLength:"800" doc:"What is to be done, at most 200 characters."`
		Text   edit    `json:"text,omitempty" maxLength:"16000" doc:"More about it, at most 4000 characters."`
		Owner  edit    `json:"owner,omitempty" maxLength:"64" doc:"The colleague who is to do it: stf_… or me; null for nobody."`
		Due    *string `json:"due,omitempty" minLength:"1" maxLength:"40" doc:"A day, at whose end it is due, or a time; without a zone, in the programme's."`
		Remind edit    `json:"remind_at,omitempty" maxLength:"40" doc:"When its owner is to be reminded; null for no reminder."`
	}
}

func (s *Service) patchTask(ctx context.Context, in *changeTaskIn) (*taskOut, error) {
	p, err := parsePlace(taskPrefix, in.ID, ErrNoTask)
	if err != nil {
		return nil, err
	}
	b := in.Body
	c := TaskChange{Title: b.Title, Text: b.Text.to, Owner: b.Owner.to, Due: b.Due, Remind: b.Remind.to}
	if c.Version, err = parseVersion(in.IfMatch, ErrEdited); err != nil {
		return nil, err
	}
	t, err := s.ChangeTask(ctx, p, c)
	return s.answerTask(ctx, t, err)
}

type closeTaskIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" doc:"The task."`
	Body struct {
		Outcome string `json:"outcome" minLength:"1" maxLength:"2000" doc:"What came of it, at most 500 characters."`
	}
}

func (s *Service) postCloseTask(ctx context.Context, in *closeTaskIn) (*taskOut, error) {
	p, err := parsePlace(taskPrefix, in.ID, ErrNoTask)
	if err != nil {
		return nil, err
	}
	t, err := s.CloseTask(ctx, p, in.Body.Outcome)
	return s.answerTask(ctx, t, err)
}

func (s *Service) postReopenTask(ctx context.Context, in *taskRef) (*taskOut, error) {
	p, err := parsePlace(taskPrefix, in.ID, ErrNoTask)
	if err != nil {
		return nil, err
	}
	t, err := s.ReopenTask(ctx, p)
	return s.answerTask(ctx, t, err)
}
