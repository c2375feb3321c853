package trace

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// The bounds of the sender.
const (
	maxQueue   = 4096             // spans that wait; more are dropped
	maxBatch   = 512              // spans of one request to the collector
	sendEvery  = 2 * time.Second  // or as soon as a batch is full
	sendWithin = 10 * time.Second // one request
	maxAnswer  = 64 << 10
	quietFor   = time.Minute // between two complaints about one collector
)

// Options say where spans go.
type Options struct {
	Endpoint string  // http://host:4318; /v1/traces is added where there is no path. Empty for none
	Share    float64 // of the requests without a traceparent that are sampled, 0 to 1
	Version  string  // of the program
	Log      *slog.Logger
}

// Tracer makes spans and sends them.
type Tracer struct {
	url      string
	share    float64
	log      *slog.Logger
	resource *resource.Resource
	client   *http.Client
	queue    chan *Span
	quit     chan struct{}
	once     sync.Once
	done     sync.WaitGroup
	counts   counts
	quiet    time.Time // until when nothing is said of failures
}

// New makes a Tracer, or nil where no endpoint is named.
func New(o Options) (*Tracer, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint of traces: %w", err)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	t := &Tracer{
		url: u.String(), share: o.Share, log: o.Log, client: &http.Client{Timeout: sendWithin},
		queue: make(chan *Span, maxQueue), quit: make(chan struct{}),
		resource: &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "patron"), text("service.version", o.Version)}},
	}
	t.done.Go(t.run)
	return t, nil
}

// take queues a span that has ended, or drops it.
func (t *Tracer) take(s *Span) {
	select {
	case t.queue <- s:
	default:
		t.counts.dropped.Add(1)
	}
}

// Close sends what waits, once, and ends the sender. Spans that end later are lost.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	t.once.Do(func() { close(t.quit) })
	t.done.Wait()
}

func (t *Tracer) run() {
	tick := time.NewTicker(sendEvery)
	defer tick.Stop()
	var batch []*Span
	for {
		select {
		case s := <-t.queue:
			if batch = append(batch, s); len(batch) < maxBatch {
				continue
			}
		case <-tick.C:
		case <-t.quit:
			for len(t.queue) > 0 {
				batch = append(batch, <-t.queue)
			}
			t.send(batch)
			return
		}
		t.send(batch)
		batch = nil
	}
}

// send sends a batch, and drops it where that fails: the next one may do better, and what
// is kept meanwhile would have to be bounded too.
func (t *Tracer) send(batch []*Span) {
	if len(batch) == 0 {
		return
	}
	if err := t.post(batch); err != nil {
		t.counts.dropped.Add(int64(len(batch)))
		if now := time.Now(); now.After(t.quiet) {
			t.quiet = now.Add(quietFor)
			t.log.Warn("traces were not sent", "spans", len(batch), "error", err)
		}
		return
	}
	t.counts.sent.Add(int64(len(batch)))
}

func (t *Tracer) post(batch []*Span) error {
	body, err := proto.Marshal(t.message(batch))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := t.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered %s", res.Status)
	}
	var part collector.ExportTraceServiceResponse
	if proto.Unmarshal(answer, &part) == nil && part.GetPartialSuccess().GetRejectedSpans() > 0 {
		return fmt.Errorf("the collector refused %d of %d spans", part.PartialSuccess.RejectedSpans, len(batch))
	}
	return nil
}

// message is a batch in the form of OTLP.
func (t *Tracer) message(batch []*Span) *collector.ExportTraceServiceRequest {
	spans := make([]*otlp.Span, len(batch))
	for i, s := range batch {
		spans[i] = s.message()
	}
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*otlp.ResourceSpans{{
		Resource:   t.resource,
		ScopeSpans: []*otlp.ScopeSpans{{Scope: &common.InstrumentationScope{Name: "patron"}, Spans: spans}},
	}}}
}

func (s *Span) message() *otlp.Span {
	m := &otlp.Span{
		TraceId: s.id.Trace[:], SpanId: s.id.Span[:], Name: s.name, Kind: otlp.Span_SpanKind(s.kind),
		StartTimeUnixNano: uint64(s.from.UnixNano()), EndTimeUnixNano: uint64(s.from.Add(s.to.Sub(s.from)).UnixNano()),
		Status: &otlp.Status{},
	}
	if s.parent != [8]byte{} {
		m.ParentSpanId = s.parent[:]
	}
	if s.failed {
		m.Status.Code = otlp.Status_STATUS_CODE_ERROR
	}
	for _, f := range s.fields {
		if f.text != "" {
			m.Attributes = append(m.Attributes, text(f.name, f.text))
			continue
		}
		m.Attributes = append(m.Attributes, &common.KeyValue{Key: f.name, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: f.number}}})
	}
	for _, l := range s.links {
		m.Links = append(m.Links, &otlp.Span_Link{TraceId: l.Trace[:], SpanId: l.Span[:]})
	}
	return m
}

func text(name, value string) *common.KeyValue {
	return &common.KeyValue{Key: name, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}
