package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// waitFor asks until something is true. Jobs run in the background and say when they are
// done in their rows only.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// ended waits until no job of a kind is unfinished, and fails the test if one failed.
func ended(t *testing.T, a *apptest.App, kind string) {
	t.Helper()
	waitFor(t, kind, func() bool {
		return a.Number("SELECT COUNT(*) FROM job WHERE kind = $1 AND state IN ('ready', 'running')", kind) == 0
	})
	if n := a.Number("SELECT COUNT(*) FROM job WHERE kind = $1 AND state <> 'done'", kind); n != 0 {
		t.Errorf("%d jobs %s did not end well", n, kind)
	}
}

// older counts what lies under a wrapping key that is not the primary, by looking at the
// bytes and not by asking the box.
func older(a *apptest.App, primary string) int64 {
	head := "01" + primary
	hex := "lower(hex(substr(%s, 1, 5)))"
	if a.DB.Engine() == db.Postgres {
		hex = "encode(substr(%s, 1, 5), 'hex')"
	}
	members := a.Number("SELECT COUNT(*) FROM member WHERE erased_ms = 0 AND "+fmt.Sprintf(hex, "wrapped_key")+" <> $1", head)
	answers := a.Number("SELECT COUNT(*) FROM request WHERE "+fmt.Sprintf(hex, "answer")+" LIKE '01%' AND "+fmt.Sprintf(hex, "answer")+" <> $1", head)
	return members + answers
}

// primary is the number of the wrapping key in use, as the API tells it.
func primary(a *apptest.App) (number string, keys int) {
	var v struct {
		Primary string
		Keys    int
	}
	a.Get("/v1/sealing-keys").Into(&v)
	return v.Primary, v.Keys
}

const rotated = 2000

// Keys rotate online under load, and the old one goes only when nothing lies under it. What
// was answered before is still answered, and everybody is still readable and found.
func TestRotate(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			s := apptest.Setup{Database: dbtest.Options(t, e)}
			if s.Dir = s.Database.Dir; s.Dir == "" {
				s.Dir = t.TempDir()
			}
			a := apptest.OpenAt(t, s) // with a key file
			many(t, a, rotated)
			enrolment := J{"external_id": "shop/first", "name": "Li"}
			first := a.Post("/v1/members", enrolment, apptest.Keyed("first"))
			erase(a, "ext:m%2F7", nil) // has no key any more
			old, _ := primary(a)

			stop := load(t, a)
			a.Must(202, "POST", "/v1/sealing-keys/rotate", nil)
			ended(t, a, "privacy.rotate")
			stop()
			fresh, keys := primary(a)
			if fresh == old || keys != 2 {
				t.Fatalf("after the first pass: key %s of %d, before %s", fresh, keys, old)
			}
			// A pass that still finds something, written by a request that was under way, looks
			// again ten minutes later.
			asked := 0
			waitFor(t, "retire", func() bool {
				if asked++; asked%200 == 1 { // not so often that a pass under way loses its lease
					a.Clock.Advance(11 * time.Minute)
				}
				_, keys := primary(a)
				return keys == 1
			})
			ended(t, a, "privacy.retire")
			if n := older(a, fresh); n != 0 {
				t.Errorf("%d values lie under a key that is gone", n)
			}
			if again := a.Do("POST", "/v1/members", enrolment, apptest.Keyed("first")); !again.Replayed() || string(again.Body) != string(first.Body) {
				t.Errorf("a retry after the rotation: %d %s", again.Status, again.Body)
			}
			readAll(t, a, rotated)
			if _, err := os.Stat(filepath.Join(s.Dir, "patron.keys.before-"+fresh)); err != nil {
				t.Errorf("the file from before, which backups need: %v", err)
			}
		})
	}
}

// many enrols members m/0 … m/n-1.
func many(t *testing.T, a *apptest.App, n int) {
	t.Helper()
	list := make([]member.Enrolment, n)
	for i := range list {
		list[i] = member.Enrolment{External: fmt.Sprint("m/", i), Name: fmt.Sprint("Name", i)}
	}
	if _, err := a.Members.CreateMany(a.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// readAll fails the test unless all of them open, but for the erased m/7.
func readAll(t *testing.T, a *apptest.App, n int) {
	t.Helper()
	for i := range n {
		ref, err := member.ParseRef(fmt.Sprint("ext:m/", i))
		if err != nil {
			t.Fatal(err)
		}
		m, err := a.Members.Get(t.Context(), ref)
		if i == 7 && errors.Is(err, member.ErrNotFound) { // in one of the tests
			continue
		}
		if err != nil || !strings.HasPrefix(m.Name, fmt.Sprint("Name", i)) {
			t.Fatalf("member %d: %q, %v", i, m.Name, err)
		}
	}
}

// load changes and enrols members until the returned function is called.
func load(t *testing.T, a *apptest.App) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for w := range 3 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				n := (w*611 + i*17) % rotated
				if n == 7 {
					continue
				}
				if r, err := a.Send("PATCH", fmt.Sprint("/v1/members/ext:m%2F", n), J{"name": fmt.Sprint("Name", n, " ", i)}); err != nil || r.Status != 200 {
					t.Errorf("change of member %d: %v, %d %s", n, err, r.Status, r.Body)
				}
				if r, err := a.Send("POST", "/v1/members", J{"external_id": fmt.Sprint("l/", w, ".", i)}); err != nil || r.Status != 201 {
					t.Errorf("enrolment: %v, %d", err, r.Status)
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// A rotation that is broken off twenty times, each time in a program that is opened anew
// with the key file as it lies there, ends with one new key under which everything is.
func TestRotateBrokenOff(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			s := apptest.Setup{Database: dbtest.Options(t, e)}
			if s.Dir = s.Database.Dir; s.Dir == "" {
				s.Dir = t.TempDir()
			}
			a := apptest.OpenAt(t, s)
			many(t, a, rotated+500)
			old, _ := primary(a)
			a.Stop()
			box, err := seal.Open(filepath.Join(s.Dir, "patron.keys"))
			if err != nil {
				t.Fatal(err)
			}
			if err := box.Rotate(); err != nil { // the first step of the job, and then the power fails
				t.Fatal(err)
			}
			moved := int64(0)
			for range 20 {
				moved += breakOff(t, s)
			}
			if moved == 0 || moved >= rotated+500 {
				t.Fatalf("%d moved in twenty tries: none was broken off in the middle", moved)
			}
			s.First = 1000
			a = apptest.OpenAt(t, s)
			if n := older(a, old); n == 0 {
				t.Error("nothing has been moved")
			}
			a.Must(202, "POST", "/v1/sealing-keys/rotate", nil) // goes on with the key that is there
			ended(t, a, "privacy.rotate")
			a.Clock.Advance(11 * time.Minute)
			waitFor(t, "retire", func() bool { _, keys := primary(a); return keys == 1 })
			fresh, _ := primary(a)
			if n := older(a, fresh); n != 0 {
				t.Errorf("%d values lie under a key that is gone", n)
			}
			readAll(t, a, rotated+500)
		})
	}
}

// breakOff runs a pass in a program of its own, ends it after the first page that moved
// anything, and returns how many it moved.
func breakOff(t *testing.T, s apptest.Setup) int64 {
	t.Helper()
	d, err := db.Open(t.Context(), s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	box, err := seal.Open(filepath.Join(s.Dir, "patron.keys"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	moved, err := member.New(d, box, clock.At(apptest.Noon), nil).Rewrap(ctx, func(int64) { cancel() })
	if err == nil {
		t.Fatal("a pass that was to be broken off was not")
	}
	return moved
}

// The sandbox is sealed with the keys of the live programme: it moves with it, and cannot
// rotate them itself.
func TestRotateSandbox(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			a := apptest.Open(t, e)
			_, secret, err := a.Staff.CreateKey(staff.AsSystem(t.Context(), "test"), staff.NewKey{Name: "till", Scopes: []string{"all"}, Test: true})
			if err != nil {
				t.Fatal(err)
			}
			pair := a.Sandbox()
			ask := func(method, path, body string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, path, strings.NewReader(body))
				r.Header.Set("Authorization", "Bearer "+secret)
				if body != "" {
					r.Header.Set("Content-Type", "application/json")
				}
				w := httptest.NewRecorder()
				pair.ServeHTTP(w, r)
				return w
			}
			if w := ask("POST", "/v1/members", `{"phone": "13800138000", "name": "Li"}`); w.Code != http.StatusCreated {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if w := ask("POST", "/v1/sealing-keys/rotate", ""); w.Code != http.StatusConflict {
				t.Errorf("the sandbox rotates the keys of the live programme: %d %s", w.Code, w.Body)
			}
			a.Must(202, "POST", "/v1/sealing-keys/rotate", nil)
			ended(t, a, "privacy.rotate")
			a.Clock.Advance(11 * time.Minute)
			waitFor(t, "retire", func() bool { _, keys := primary(a); return keys == 1 })
			var m struct{ Name string }
			if w := ask("GET", "/v1/members/phone:13800138000", ""); w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &m) != nil || m.Name != "Li" {
				t.Errorf("a member of the sandbox after the rotation: %d %s", w.Code, w.Body)
			}
		})
	}
}
