package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The bounds of streams of server-sent events.
const (
	// beatEvery is how often a stream says that it lives where nothing else is to be said:
	// proxies cut what is silent for 30 s or 60 s. At each beat the caller is signed in anew.
	beatEvery = 15 * time.Second
	// sendWithin is how long a reader may keep one write of a stream waiting before it is cut.
	// A browser that watches comes back by itself, and reads again what it missed.
	sendWithin = 10 * time.Second
	// comeBackAfter is when a browser that was cut comes back.
	comeBackAfter = 3 * time.Second
	// maxWatches is how many streams one caller may have: some tabs of some people who share
	// an account.
	maxWatches = 16
	typeEvents = "text/event-stream"
)

// Message is one server-sent event.
type Message[D any] struct {
	ID   string // what the browser sends as Last-Event-ID when it comes back; "" leaves its last one
	Kind string // the name of the event, for addEventListener; "" is "message"
	Data D      // sent as one line of JSON
}

// Source sends messages until ctx ends, which is when the caller is gone or signed out, or
// the server stops; it must then return, and what it returns no longer matters. An error
// from send means the same. An error of its own is logged, and the stream cut.
//
// send may be called from one goroutine. It waits for a slow reader, for 10 s at most: a
// source that must not wait keeps the newest in a bounded queue of its own.
type Source[D any] func(ctx context.Context, send func(Message[D]) error) error

// Watch adds a GET route whose answer is a stream of server-sent events that goes on for as
// long as the caller listens. open checks the request and may refuse it as any handler does;
// the source that it returns does the sending. The reference documents D as the data.
//
// The router does the rest: a class of its own (Watching) with so many places, and so many
// for one caller; no time limit; heartbeats; a new look every 15 s at whether the caller may
// still listen; an end at once when the server stops (HangUp), after which browsers come
// back by themselves to whoever serves then. A stream is no sign that a person is there: it
// does not keep their session alive. An input that embeds LastEvent learns where the browser
// stopped hearing.
func Watch[I, D any](r *Router, path string, open func(context.Context, *I) (Source[D], error), d Doc) {
	d.Stream, d.watch = true, true
	check(http.MethodGet, path, d)
	op := r.operation(http.MethodGet, path, d)
	schema := r.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[D](), true, title(op.OperationID)+"Data")
	op.Responses[statusText(http.StatusOK)] = &huma.Response{
		Description: "Server-sent events; data of each is JSON like this.",
		Content:     map[string]*huma.MediaType{typeEvents: {Schema: schema}},
	}
	huma.Register(r.huma, op, func(ctx context.Context, in *I) (*rawOut, error) {
		source, err := open(ctx, in)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		return &rawOut{Body: func(c huma.Context) {
			w, ok := c.BodyWriter().(http.ResponseWriter)
			if !ok {
				panic("api: a stream without a connection")
			}
			watch(c.Context(), r, w, source)
		}}, nil
	})
}

// LastEvent is embedded by the input of a Watch that can go on from where it was cut.
type LastEvent struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"100" doc:"Id of the last event that was heard; browsers send it when they come back."`
}

// watch sends what source has until one of the two, the caller or the server ends it.
func watch[D any](ctx context.Context, r *Router, w http.ResponseWriter, source Source[D]) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	l := &line{w: w, to: http.NewResponseController(w)}
	if err := l.begin(); err != nil {
		return // gone already
	}
	var beating sync.WaitGroup
	defer beating.Wait()
	defer end()
	beating.Go(func() {
		defer end()
		l.beat(ctx, r.watches.beat, scopeOf(ctx).again)
	})
	err := source(ctx, func(m Message[D]) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		text, err := m.text()
		if err != nil {
			return err
		}
		if err := l.write(text); err != nil {
			end()
			return err
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.logError(ctx, "a stream failed", err)
	}
}

// text is a message as the standard has it. JSON holds no line break, and a line break in a
// name would begin another field.
func (m Message[D]) text() ([]byte, error) {
	if strings.ContainsAny(m.ID+m.Kind, "\r\n\x00") {
		return nil, fmt.Errorf("the id %q or the kind %q of an event has a line break", m.ID, m.Kind)
	}
	var b bytes.Buffer
	if m.ID != "" {
		b.WriteString("id: " + m.ID + "\n")
	}
	if m.Kind != "" {
		b.WriteString("event: " + m.Kind + "\n")
	}
	b.WriteString("data: ")
	if err := json.NewEncoder(&b).Encode(m.Data); err != nil { // ends its line
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// line is the connection of one stream. The source and the heart write to it in turns.
type line struct {
	mu sync.Mutex
	w  http.ResponseWriter
	to *http.ResponseController
}

// begin sends the headers, so that the browser knows that it is heard.
func (l *line) begin() error {
	h := l.w.Header()
	h.Set("Content-Type", typeEvents)
	h.Set("X-Accel-Buffering", "no") // a proxy must not gather what it is sent
	return l.write([]byte("retry: " + strconv.FormatInt(comeBackAfter.Milliseconds(), 10) + "\n\n"))
}

func (l *line) write(text []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.w.Write(text); err != nil {
		return err
	}
	return l.to.Flush()
}

// beat keeps the line alive until ctx ends, the reader is gone, or may listen no longer.
func (l *line) beat(ctx context.Context, every time.Duration, again func() error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if again != nil && again() != nil {
			return // the browser asks anew, and is told why not
		}
		if err := l.write([]byte(":\n\n")); err != nil {
			return
		}
	}
}

// watches counts the streams of each caller, and ends all of them together.
type watches struct {
	mu   sync.Mutex
	of   map[string]int
	open context.Context // lasts until HangUp; no request's
	shut context.CancelFunc
	beat time.Duration
}

func newWatches() *watches {
	open, shut := context.WithCancel(context.Background())
	return &watches{of: map[string]int{}, open: open, shut: shut, beat: beatEvery}
}

// enter counts one more stream of a caller, or refuses. The context that it returns ends
// with HangUp, and whoever got in calls leave.
func (s *watches) enter(ctx context.Context, who string) (_ context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open.Err() != nil || s.of[who] >= maxWatches {
		return nil, nil, ErrOverload
	}
	s.of[who]++
	ctx, end := context.WithCancel(ctx)
	keep := context.AfterFunc(s.open, end)
	return ctx, func() {
		keep()
		end()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[who]--; s.of[who] == 0 {
			delete(s.of, who)
		}
	}, nil
}

// HangUp ends every stream of Watch and lets none begin: for a server that stops.
func (r *Router) HangUp() { r.watches.shut() }
