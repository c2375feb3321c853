package trace

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// sink is a collector that keeps what it is sent.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*otlp.Span
	calls int
}

func newSink(t *testing.T, status int) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.UnmarshalOptions{DiscardUnknown: false}.Unmarshal(body, &m)
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || len(m.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("%s %s %s: %v", r.Method, r.URL, r.Header.Get("Content-Type"), err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls++
		for _, rs := range m.ResourceSpans {
			if name := rs.Resource.Attributes[0]; name.Key != "service.name" || name.Value.GetStringValue() != "patron" {
				t.Errorf("resource %v", rs.Resource)
			}
			for _, ss := range rs.ScopeSpans {
				s.spans = append(s.spans, ss.Spans...)
			}
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) named(t *testing.T, name string) *otlp.Span {
	t.Helper()
	for _, sp := range s.spans {
		if sp.Name == name {
			return sp
		}
	}
	t.Fatalf("no span %q among %d", name, len(s.spans))
	return nil
}

func newTracer(t *testing.T, endpoint string, share float64) *Tracer {
	t.Helper()
	tr, err := New(Options{Endpoint: endpoint, Share: share, Version: "9", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// What is sent is what was done, in the form of OTLP.
func TestSend(t *testing.T) {
	t.Parallel()
	s := newSink(t, 200)
	tr := newTracer(t, s.URL, 1)
	ctx, request := tr.Serve(t.Context(), "POST /v1/sales", parent, "4bf92f3577b34da6a3ce929d0e0e4736")
	request.Text("http.request.method", "POST")
	request.Number("http.response.status_code", 503)
	_, batch := tr.Start(ctx, "batch")
	other, another := tr.Serve(t.Context(), "another", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	batch.Link(ctx) // its own parent: no link
	batch.Link(other)
	batch.End(false)
	request.End(true)
	another.End(false)
	tr.Close()

	req, b, o := s.named(t, "POST /v1/sales"), s.named(t, "batch"), s.named(t, "another")
	if hex.EncodeToString(req.TraceId) != "4bf92f3577b34da6a3ce929d0e0e4736" || hex.EncodeToString(req.ParentSpanId) != "00f067aa0ba902b7" || len(req.SpanId) != 8 {
		t.Errorf("ids: %x %x %x", req.TraceId, req.SpanId, req.ParentSpanId)
	}
	if req.Kind != otlp.Span_SPAN_KIND_SERVER || b.Kind != otlp.Span_SPAN_KIND_INTERNAL || req.Status.Code != otlp.Status_STATUS_CODE_ERROR || b.Status.Code != otlp.Status_STATUS_CODE_UNSET {
		t.Errorf("kinds %v %v, ends %v %v", req.Kind, b.Kind, req.Status, b.Status)
	}
	if len(req.Attributes) != 2 || req.Attributes[0].Value.GetStringValue() != "POST" || req.Attributes[1].Value.GetIntValue() != 503 {
		t.Errorf("attributes %v", req.Attributes)
	}
	if string(b.TraceId) != string(req.TraceId) || string(b.ParentSpanId) != string(req.SpanId) {
		t.Error("the batch is not under its request")
	}
	if len(b.Links) != 1 || string(b.Links[0].SpanId) != string(o.SpanId) || string(b.Links[0].TraceId) != string(o.TraceId) || o.ParentSpanId != nil {
		t.Errorf("links %v", b.Links)
	}
	now := uint64(time.Now().UnixNano())
	for _, sp := range s.spans {
		if sp.StartTimeUnixNano > sp.EndTimeUnixNano || sp.EndTimeUnixNano > now || now-sp.StartTimeUnixNano > uint64(time.Minute) {
			t.Errorf("%s from %d to %d", sp.Name, sp.StartTimeUnixNano, sp.EndTimeUnixNano)
		}
	}
	if got := tr.Counts(); got != (Counts{Sent: 3}) {
		t.Errorf("counts %+v", got)
	}
}

// The caller decides for a request that bears a traceparent, the share for all others.
func TestSampling(t *testing.T) {
	t.Parallel()
	none, all := newTracer(t, "http://127.0.0.1:1", 0), newTracer(t, "http://127.0.0.1:1", 1)
	for _, tt := range []struct {
		tracer *Tracer
		header string
		want   bool
	}{
		{none, "", false}, {all, "", true},
		{none, parent, true}, {all, parent[:53] + "00", false},
		{none, "ff" + parent[2:], false}, {all, "nonsense", true},
		{all, "00-00000000000000000000000000000000-00f067aa0ba902b7-00", true}, // no valid one
		{none, "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
	} {
		ctx, s := tt.tracer.Serve(t.Context(), "x", tt.header, "")
		if (s != nil) != tt.want || (Of(ctx) != nil) != tt.want {
			t.Errorf("share %v, %q: sampled %v", tt.tracer.share, tt.header, s != nil)
		}
	}
}

// Without an endpoint there is no Tracer, and nothing is made.
func TestOff(t *testing.T) { // alone, since it counts allocations
	tr := newTracer(t, "", 1)
	if tr != nil {
		t.Fatal("a Tracer without an endpoint")
	}
	ctx := t.Context()
	n := testing.AllocsPerRun(100, func() {
		c, s := tr.Serve(ctx, "x", parent, "")
		c, in := tr.Start(c, "y")
		in.Link(c)
		in.Text("a", "b")
		in.Number("a", 1)
		in.End(false)
		s.End(true)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
	if tr.Counts() != (Counts{}) {
		t.Error("counts")
	}
	if Of(context.Background()) != nil {
		t.Error("a span from nowhere")
	}
}

// A collector that refuses or is gone costs spans, and nothing waits for it.
func TestCollectorDown(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{newSink(t, 500).URL, "http://127.0.0.1:1"} {
		tr := newTracer(t, endpoint, 1)
		for range maxQueue + 100 {
			_, s := tr.Start(t.Context(), "x")
			s.End(false)
		}
		tr.Close()
		if c := tr.Counts(); c.Sent != 0 || c.Dropped != maxQueue+100 {
			t.Errorf("%+v", c)
		}
	}
}
