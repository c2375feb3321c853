package track_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// J is a JSON object.
type J = apptest.J

func visit(m, key string) J {
	return J{"type": "visit", "member": m, "at": "2026-03-10T12:00:00+08:00", "key": key, "properties": J{"door": 2}}
}

// An event is told once under its type and key, for ever: the same again gets the first
// answer, also when its key was forgotten and its member merged; another time, other
// properties or another member are refused.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other, into := a.Member(), a.Member(), a.Member()
		told := func() int64 {
			a.Drain()
			return a.Number("SELECT COUNT(*) FROM event WHERE kind = 'event.visit'")
		}
		first := a.Post("/v1/events", visit(m, "1"), apptest.Keyed("k"))
		var got struct {
			MemberID string `json:"member_id"`
			Points   []string
		}
		if first.Into(&got); got.MemberID != m || got.Points == nil || first.Replayed() {
			t.Errorf("%s", first.Body)
		}
		for _, key := range []string{"k", "k2"} {
			if r := a.Post("/v1/events", visit(m, "1"), apptest.Keyed(key)); !r.Replayed() || string(r.Body) != string(first.Body) {
				t.Errorf("again: %s", r.Body)
			}
		}
		for name, body := range map[string]J{
			"another member":   visit(other, "1"),
			"another time":     apptest.With(visit(m, "1"), J{"at": "2026-03-09"}),
			"other properties": apptest.With(visit(m, "1"), J{"properties": J{"door": 3}}),
		} {
			if p := a.Do("POST", "/v1/events", body).Refused(409, "track.key_taken"); p.Detail == "" {
				t.Error(name)
			}
		}
		a.Post("/v1/events", apptest.With(visit(m, "1"), J{"type": "visit.second"})) // a name space of its own
		a.Must(200, "POST", "/v1/members/"+m+"/merge", J{"into": into})
		a.Clock.Advance(40 * 24 * time.Hour)
		a.Purge(a.Clock.Now())
		r := a.Post("/v1/events", visit(m, "1"), apptest.Keyed("k")).Into(&got)
		if !r.Replayed() || got.MemberID != into {
			t.Errorf("after a merge: %s", r.Body)
		}
		if n := told(); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// What is told is an event of its member, with its properties; a dry run tells nothing.
func TestBecomesAnEvent(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Must(201, "POST", "/v1/events?dry_run=true", visit(m, "1"))
		a.Post("/v1/events", visit(m, "2"))
		a.Drain()
		var page struct{ Items []json.RawMessage }
		a.Get("/v1/events?type=event.visit").Into(&page)
		if len(page.Items) != 1 {
			t.Fatalf("%d events", len(page.Items))
		}
		for _, part := range []string{`"event.visit"`, `"door":2`, `"key":"2"`, m} {
			if !bytes.Contains(page.Items[0], []byte(part)) {
				t.Errorf("%s lacks %s", page.Items[0], part)
			}
		}
	})
}

// What is wrong with an event is refused in the caller's language, with its place.
func TestBadEvents(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		for _, tt := range []struct {
			name     string
			edit     J
			status   int
			code, at string
		}{
			{"no name", J{"type": "Visit"}, 422, "track.type", "body.type"},
			{"dot at the end", J{"type": "visit."}, 422, "track.type", "body.type"},
			{"no type", J{"type": nil}, 422, "request.invalid", "body.type"},
			{"no key", J{"key": nil}, 422, "request.invalid", "body.key"},
			{"no member", J{"member": nil}, 422, "request.invalid", "body.member"},
			{"nobody", J{"member": "no:8999999"}, 404, "member.not_found", "body.member"},
			{"no form of a member", J{"member": "me"}, 422, "member.ref", "body.member"},
			{"no time", J{"at": "soon"}, 422, "program.time", "body.at"},
			{"the future", J{"at": "2026-03-10T12:05:01+08:00"}, 422, "track.future", "body.at"},
			{"large", J{"properties": J{"a": strings.Repeat("x", 16<<10)}}, 422, "track.large", "body.properties"},
			{"unknown field", J{"x": 1}, 400, "request.unknown_field", "body.x"},
			{"properties of another type", J{"properties": []int{1}}, 422, "request.invalid", "body.properties"},
		} {
			var said []string
			for _, lang := range []string{"en", "zh-CN"} {
				p := a.Do("POST", "/v1/events", apptest.With(visit(m, fmt.Sprint(a.Unique())), tt.edit), apptest.Language(lang)).Refused(tt.status, tt.code)
				if len(p.Errors) != 1 || p.Errors[0].Location != tt.at {
					t.Errorf("%s: at %+v", tt.name, p.Errors)
				}
				said = append(said, p.Detail)
			}
			if said[0] == said[1] {
				t.Errorf("%s: the same in both languages", tt.name)
			}
		}
		a.Do("POST", "/v1/events", visit(m, "1"), apptest.Header{Name: "Idempotency-Key"}).Refused(400, "request.key_missing")
		a.Key("events.read").Do("POST", "/v1/events", visit(m, "1")).Refused(403, "request.permission")
		a.Post("/v1/events", apptest.With(visit(m, "1"), J{"at": "2026-03-10T12:05:00+08:00", "properties": nil}))
	})
}
