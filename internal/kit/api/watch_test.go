package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

type steep struct {
	Cup int `json:"cup" doc:"Which one."`
}

type watchIn struct {
	api.LastEvent
	Tea string `path:"tea" doc:"The tea."`
}

// kettle is a shop whose teas can be watched, on a real server with short deadlines.
type kettle struct {
	*shop
	url  string
	cups chan steep
	over chan struct{} // one for each source that returned
	gone atomic.Bool   // the caller may listen no longer
}

func newKettle(t *testing.T) *kettle {
	k := &kettle{cups: make(chan steep), over: make(chan struct{}, 64)}
	k.shop = newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) { c.Auth = k })
	k.router.BeatEvery(50 * time.Millisecond)
	api.Watch(k.router, "/v1/watch/{tea}", k.open, api.Doc{ID: "watchTea", Summary: "Watch a tea.", Needs: "tea.brew", Fails: []error{errNoTea}})
	api.Get(k.router, "/v1/slow", slowly, api.Doc{ID: "readSlowly", Summary: "Read.", Stream: true})
	server := httptest.NewUnstartedServer(k.http)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	k.url = server.URL
	return k
}

func (k *kettle) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	if k.gone.Load() {
		return api.Caller{}, api.ErrUnauthenticated
	}
	if strings.Contains(r.URL.Path, "/watch/") != api.RequestInfo(ctx).Watching {
		return api.Caller{}, errors.New("whether it is a sign of somebody is told wrongly")
	}
	return guests{}.Authenticate(ctx, r)
}

func (k *kettle) open(_ context.Context, in *watchIn) (api.Source[steep], error) {
	if in.Tea == "none" {
		return nil, errNoTea
	}
	return func(ctx context.Context, send func(api.Message[steep]) error) error {
		defer func() { k.over <- struct{}{} }()
		if in.LastEventID != "" {
			if err := send(api.Message[steep]{ID: "after " + in.LastEventID}); err != nil {
				return err
			}
		}
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case c := <-k.cups:
				if c.Cup == 13 {
					panic("the kettle is dry")
				}
				if err := send(api.Message[steep]{ID: "7", Kind: "steep", Data: c}); err != nil {
					return err
				}
			}
		}
	}, nil
}

// slowly takes longer than the deadlines of the server, as a long export does.
func slowly(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		for range 5 {
			select {
			case <-ctx.Done():
				panic(http.ErrAbortHandler)
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := io.WriteString(c.BodyWriter(), "sip "); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

// listen opens a stream; what it says comes line by line, and the channel is closed at its end.
func (k *kettle) listen(as, path string, header ...string) (*http.Response, <-chan string) {
	k.t.Helper()
	req, err := http.NewRequestWithContext(k.t.Context(), "GET", k.url+path, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+as)
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = res.Body.Close() })
	lines := make(chan string, 1024)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	return res, lines
}

// hear waits for a line, and says which came before it.
func hear(t *testing.T, lines <-chan string, want string) (before []string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case got, more := <-lines:
			if got == want && more {
				return before
			}
			if !more {
				t.Fatalf("the stream ended without %q", want)
			}
			before = append(before, got)
		case <-late:
			t.Fatalf("no %q; heard %q", want, before)
		}
	}
}

// ends waits for the end of a stream.
func ends(t *testing.T, lines <-chan string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case _, more := <-lines:
			if !more {
				return
			}
		case <-late:
			t.Fatal("the stream goes on")
		}
	}
}

// A stream outlives every deadline of the server, beats, says what comes, and goes on from
// where the browser was.
func TestWatch(t *testing.T) {
	t.Parallel()
	k := newKettle(t)
	res, lines := k.listen("anna", "/v1/watch/longjing", "Last-Event-ID", "6")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	hear(t, lines, "retry: 3000")
	hear(t, lines, "id: after 6")
	for range 10 { // 500 ms, with deadlines of 200
		hear(t, lines, ":")
	}
	k.cups <- steep{4}
	hear(t, lines, "id: 7")
	if between := hear(t, lines, `data: {"cup":4}`); len(between) != 1 || between[0] != "event: steep" {
		t.Errorf("heard %q between the id and the data", between)
	}
	_ = res.Body.Close()
	select {
	case <-k.over:
	case <-time.After(20 * time.Second):
		t.Error("the source goes on for a caller who is gone")
	}
}

// What must not be watched is refused as any other request is.
func TestWatchRefused(t *testing.T) {
	t.Parallel()
	k := newKettle(t)
	for _, tt := range []struct {
		as, path string
		want     int
	}{
		{"thirsty", "/v1/watch/longjing", 403},
		{"anna", "/v1/watch/none", 404},
		{"anna", "/v1/watch/longjing?x=1", 400},
	} {
		res, _ := k.listen(tt.as, tt.path)
		if res.StatusCode != tt.want || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", tt.path, res.StatusCode, res.Header.Get("Content-Type"))
		}
	}
}

// The streams of one caller are bounded, and leave a place when they end.
func TestWatchBound(t *testing.T) {
	t.Parallel()
	k := newKettle(t)
	var first *http.Response
	for range 16 {
		res, lines := k.listen("anna", "/v1/watch/longjing")
		hear(t, lines, "retry: 3000")
		first = res
	}
	if res, _ := k.listen("anna", "/v1/watch/longjing"); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", res.StatusCode)
	}
	if n := k.router.Crowd(api.Watching).Working; n != 16 {
		t.Errorf("%d watch", n)
	}
	if res, _ := k.listen("ben", "/v1/watch/longjing"); res.StatusCode != 200 {
		t.Errorf("another caller: %d", res.StatusCode)
	}
	_ = first.Body.Close()
	<-k.over
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if res, _ := k.listen("anna", "/v1/watch/longjing"); res.StatusCode == 200 {
			return
		}
		if time.Now().After(until) {
			t.Fatal("no place came free")
		}
	}
}

// Whoever is signed out hears no more, and a server that stops ends all streams at once.
func TestWatchEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*kettle){
		"signed out": func(k *kettle) { k.gone.Store(true) },
		"stopping":   func(k *kettle) { k.router.HangUp() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKettle(t)
			_, lines := k.listen("anna", "/v1/watch/longjing")
			hear(t, lines, "retry: 3000")
			end(k)
			ends(t, lines)
			<-k.over
			want := map[string]int{"signed out": 401, "stopping": 503}[name]
			if res, _ := k.listen("anna", "/v1/watch/longjing"); res.StatusCode != want {
				t.Errorf("it comes back: %d", res.StatusCode)
			}
		})
	}
}

// A source that fails is logged, and leaves its place.
func TestWatchFails(t *testing.T) {
	t.Parallel()
	k := newKettle(t)
	_, lines := k.listen("anna", "/v1/watch/longjing")
	hear(t, lines, "retry: 3000")
	k.cups <- steep{13}
	ends(t, lines)
	<-k.over
	for until := time.Now().Add(20 * time.Second); k.router.Crowd(api.Watching).Working > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the place is not free")
		}
	}
	if !strings.Contains(k.log.String(), "the kettle is dry") {
		t.Errorf("log: %s", k.log.String())
	}
}

// An export that takes longer than the deadlines of the server arrives whole.
func TestStreamOutlivesDeadlines(t *testing.T) {
	t.Parallel()
	k := newKettle(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", k.url+"/v1/slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer anna")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); err != nil || string(text) != "sip sip sip sip sip " {
		t.Errorf("%q, %v", text, err)
	}
}
