package member

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// The routes of notes, calls and tasks, as a client meets them.
func TestWrittenRoutes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newSite(t, d)
		m := create(t, s.service, Enrolment{Card: "a", Name: "Lin"})
		at := "/v1/members/" + m.ID.String()
		expect := func(status int, code any, method, path, body string, can ...api.Permission) map[string]any {
			t.Helper()
			got, out := s.send(method, path, body, can...)
			if got != status || out["code"] != code {
				t.Fatalf("%s %s: %d %v, want %d %v\n%v", method, path, got, out["code"], status, code, out)
			}
			return out
		}
		items := func(out map[string]any) []any { list, _ := out["items"].([]any); return list }

		note := expect(201, nil, http.MethodPost, at+"/notes", `{"text":"likes oolong","pinned":true}`)
		if note["member_id"] != m.ID.String() || note["author"] != "key:key_1" || note["version"] != 1.0 || note["edited_at"] != nil {
			t.Errorf("note %v", note)
		}
		id := fmt.Sprint(note["id"])
		expect(200, nil, http.MethodPatch, "/v1/notes/"+id, `{"pinned":false}`)
		expect(404, "member.no_note", http.MethodGet, "/v1/notes/not_x", "")
		expect(422, "member.written", http.MethodPost, at+"/notes", `{"text":" "}`)
		expect(403, "request.permission", http.MethodPost, at+"/notes", `{"text":"x"}`, staff.ReadMembers)
		expect(403, "request.permission", http.MethodGet, at+"/notes?deleted=true", "", staff.ReadMembers)
		if got := items(expect(200, nil, http.MethodGet, at+"/notes?pinned=true", "", staff.ReadMembers)); len(got) != 0 {
			t.Errorf("pinned notes %v", got)
		}
		expect(204, nil, http.MethodDelete, "/v1/notes/"+id, "")

		call := expect(201, nil, http.MethodPost, at+"/calls", `{"direction":"in","outcome":"reached","at":"2026-03-01T09:30","duration_seconds":90,"text":"asks"}`)
		if call["at"] != "2026-03-01T09:30:00Z" || call["duration_seconds"] != 90.0 {
			t.Errorf("call %v", call)
		}
		if got := items(expect(200, nil, http.MethodGet, at+"/calls", "")); len(got) != 1 {
			t.Errorf("calls %v", got)
		}
		expect(204, nil, http.MethodDelete, "/v1/calls/"+fmt.Sprint(call["id"]), "")
		expect(404, "member.no_call", http.MethodDelete, "/v1/calls/"+fmt.Sprint(call["id"]), "")

		task := expect(201, nil, http.MethodPost, at+"/tasks", `{"title":"ring","due":"2026-03-02","remind_at":"2026-03-02T09:00","owner":"stf_x"}`)
		if task["due_at"] != "2026-03-03T00:00:00Z" || task["due_day"] != "2026-03-02" || task["remind_at"] != "2026-03-02T09:00:00Z" || task["overdue"] != false || task["owner"] != "stf_x" {
			t.Errorf("task %v", task)
		}
		on := "/v1/tasks/" + fmt.Sprint(task["id"])
		task = expect(200, nil, http.MethodPatch, on, `{"remind_at":null,"owner":null,"due":"2026-03-01T12:00"}`)
		if task["remind_at"] != nil || task["owner"] != "" || task["overdue"] != true || task["due_day"] != nil || task["title"] != "ring" {
			t.Errorf("changed to %v", task)
		}
		if got := items(expect(200, nil, http.MethodGet, "/v1/tasks?owner=nobody&overdue=true&due_before=2026-03-02", "")); len(got) != 1 || got[0].(map[string]any)["member_name"] != "Lin" {
			t.Errorf("overdue tasks %v", got)
		}
		expect(422, "member.task_owner", http.MethodGet, "/v1/tasks?owner=me", "") // a key has no tasks
		expect(409, "member.task_open", http.MethodPost, on+"/reopen", "")
		expect(200, nil, http.MethodPost, on+"/close", `{"outcome":"reached"}`)
		expect(409, "member.task_done", http.MethodPost, on+"/close", `{"outcome":"reached"}`)
		expect(403, "request.permission", http.MethodPost, on+"/reopen", "", staff.ReadMembers)
		if got := items(expect(200, nil, http.MethodGet, at+"/tasks?state=done", "")); len(got) != 1 {
			t.Errorf("done tasks %v", got)
		}
		expect(422, "member.timeline_kinds", http.MethodGet, at+"/timeline?kind=a,b,c,d,e,f,g,h,i", "")
	})
}
