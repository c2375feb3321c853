package api_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A crowd of one class is refused, told when to come back, and keeps no other class out.
func TestOverload(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) {
		c.Rooms = map[api.Class]api.Room{api.Serving: {Places: 1}}
	})
	inside, leave, done := make(chan bool), make(chan bool), make(chan int)
	s.before = func(context.Context, *brewIn) error {
		inside <- true
		<-leave
		return nil
	}
	go func() { done <- s.do(ask{path: brew, body: `{"cups":1}`}).Code }()
	<-inside
	w := s.do(ask{path: brew, body: `{"cups":1}`})
	if w.Code != 503 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), `"code":"request.overload"`) {
		t.Errorf("one too many: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got := s.router.Crowd(api.Serving); got != (api.Crowd{Working: 1, Refused: 1}) {
		t.Errorf("serving: %+v", got)
	}
	s.before = nil
	if w := s.do(ask{path: "/v1/teas/longjing/sell", body: `{"cups":1}`, header: map[string]string{"Idempotency-Key": "1"}}); w.Code != 201 {
		t.Errorf("a posting meanwhile: %d %s", w.Code, w.Body)
	}
	if w := s.do(ask{method: "GET", path: "/v1/teas"}); w.Code != 200 {
		t.Errorf("a list meanwhile: %d %s", w.Code, w.Body)
	}
	close(leave)
	if code := <-done; code != 201 {
		t.Errorf("the one inside: %d", code)
	}
	if w := s.do(ask{path: brew, body: `{"cups":1}`}); w.Code != 201 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// A body that trickles in holds no place.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) {
		c.Rooms = map[api.Class]api.Room{api.Serving: {Places: 1}}
	})
	body, feed := io.Pipe()
	slow := httptest.NewRequest(http.MethodPost, brew, body)
	slow.Header.Set("Authorization", "Bearer anna")
	slow.Header.Set("Content-Type", "application/json")
	done := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		s.http.ServeHTTP(w, slow)
		done <- w.Code
	}()
	if _, err := io.WriteString(feed, `{"cups"`); err != nil {
		t.Fatal(err)
	}
	if w := s.do(ask{path: brew, body: `{"cups":1}`}); w.Code != 201 {
		t.Errorf("beside a slow body: %d", w.Code)
	}
	if _, err := io.WriteString(feed, `:1}`); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if code := <-done; code != 201 {
		t.Errorf("the slow one: %d", code)
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	want := map[string]api.Class{
		"POST " + brewTemplate: api.Serving, "POST /v1/teas/{name}/sell": api.Posting, "GET /v1/teas": api.Browsing,
		"GET /v1/teas/{name}": api.Serving, "GET /v1/steam": api.Streaming,
	}
	found := 0
	for _, r := range s.router.Served() {
		if class, ok := want[r.Name]; ok {
			if found++; class != r.Class {
				t.Errorf("%s is %v", r.Name, r.Class)
			}
		}
	}
	if found != len(want) {
		t.Errorf("%d of %d routes", found, len(want))
	}
}

// The log has a line for each request on level debug and none above, and shows the route,
// not what was asked.
func TestRequestLine(t *testing.T) {
	t.Parallel()
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		var log lockedBuffer
		s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
		})
		s.do(ask{method: "GET", path: "/v1/teas/%0Alongjing-canary", header: map[string]string{"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}})
		if level == slog.LevelInfo {
			if log.String() != "" {
				t.Errorf("on level info: %s", log.String())
			}
			continue
		}
		for _, want := range []string{`route="GET /v1/teas/{name}"`, "status=404", "ms=", "caller=key:anna", "trace_id=4bf92f3577b34da6a3ce929d0e0e4736"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%q is not in: %s", want, log.String())
			}
		}
		if strings.Contains(log.String(), "canary") || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("the log: %s", log.String())
		}
	}
}
