// Package trace tells a collector of OpenTelemetry where the time of a request went: spans
// of requests, batches, dispatches and jobs, sent as OTLP over HTTP.
//
// Life: New makes a Tracer where an endpoint is configured, and nil where none is; Start
// makes a Span where the request is sampled, and nil where it is not; End hands it to the
// sender, which sends in the background; Close sends the rest.
//
// Laws:
//   - A nil Tracer and a nil Span take every call and cost nothing: no object is made.
//   - A span says what kind of thing was done and how it ended, never for whom: no path, no
//     query, no body, no name.
//   - Nothing waits for a collector. Where it is slow or gone, spans are dropped and counted.
package trace

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

const (
	maxFields = 16 // of a span
	maxLinks  = 32 // of a batch to the requests in it
)

// ID names a place in a trace.
type ID struct {
	Trace [16]byte
	Span  [8]byte
}

// Kind says what side of a call a span is.
type Kind int

// The kinds, with the numbers of OTLP.
const (
	Internal Kind = 1
	Server   Kind = 2
)

// Span is one thing that was done. It belongs to one goroutine at a time.
type Span struct {
	tracer *Tracer
	id     ID
	parent [8]byte // zero for the first of a trace
	name   string
	kind   Kind
	from   time.Time
	to     time.Time
	fields []field
	links  []ID
	failed bool
}

// field is one attribute: a text, or a number where text is "".
type field struct {
	name   string
	text   string
	number int64
}

type spanKey struct{}

// Of returns the span of ctx, or nil.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}

// Start begins a span under that of ctx. Without one it begins a trace, for the share of
// them that is sampled.
func (t *Tracer) Start(ctx context.Context, name string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	above := Of(ctx)
	if above == nil && rand.Float64() >= t.share {
		return ctx, nil
	}
	s := &Span{tracer: t, name: name, kind: Internal, from: time.Now()}
	if above != nil {
		s.id.Trace, s.parent = above.id.Trace, above.id.Span
	} else {
		s.id.Trace = newTrace()
	}
	s.id.Span = newSpan()
	return context.WithValue(ctx, spanKey{}, s), s
}

// Serve begins the span of a request. parent is its traceparent header, which decides
// whether the request is sampled; without a valid one the share does. id is the trace id
// that the log shows, 32 hexadecimal digits.
func (t *Tracer) Serve(ctx context.Context, name, parent, id string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	above, sampled, ok := parse(parent)
	if ok && !sampled || !ok && rand.Float64() >= t.share {
		return ctx, nil
	}
	s := &Span{tracer: t, name: name, kind: Server, from: time.Now(), parent: above.Span}
	if _, err := hex.Decode(s.id.Trace[:], []byte(id)); err != nil {
		s.id.Trace = newTrace()
	}
	s.id.Span = newSpan()
	return context.WithValue(ctx, spanKey{}, s), s
}

// parse reads a W3C traceparent header, 00-<32 hex>-<16 hex>-<2 hex>.
func parse(header string) (id ID, sampled, ok bool) {
	if len(header) < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-' || header[:2] == "ff" || header != strings.ToLower(header) {
		return ID{}, false, false
	}
	var flags [1]byte
	_, e1 := hex.Decode(id.Trace[:], []byte(header[3:35]))
	_, e2 := hex.Decode(id.Span[:], []byte(header[36:52]))
	_, e3 := hex.Decode(flags[:], []byte(header[53:55]))
	if e1 != nil || e2 != nil || e3 != nil || id.Trace == [16]byte{} || id.Span == [8]byte{} {
		return ID{}, false, false
	}
	return id, flags[0]&1 == 1, true
}

// Text adds a field that is a text: one of a few words, nothing that a caller sent.
func (s *Span) Text(name, text string) {
	if s != nil && len(s.fields) < maxFields {
		s.fields = append(s.fields, field{name: name, text: text})
	}
}

// Number adds a field that is a number.
func (s *Span) Number(name string, n int64) {
	if s != nil && len(s.fields) < maxFields {
		s.fields = append(s.fields, field{name: name, number: n})
	}
}

// Link says that the span did the work of another one too: that of ctx, if it has one.
func (s *Span) Link(ctx context.Context) {
	if s == nil || len(s.links) == maxLinks {
		return
	}
	if other := Of(ctx); other != nil && other.id.Span != s.parent {
		s.links = append(s.links, other.id)
	}
}

// End ends the span, as failed where failed says so.
func (s *Span) End(failed bool) {
	if s == nil {
		return
	}
	s.to, s.failed = time.Now(), failed
	s.tracer.take(s)
}

func newTrace() (id [16]byte) {
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64()|1) // never all zero
	return id
}

func newSpan() (id [8]byte) {
	binary.LittleEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}

// Counts are what became of the spans so far.
type Counts struct{ Sent, Dropped int64 }

type counts struct{ sent, dropped atomic.Int64 }

// Counts returns what became of the spans so far.
func (t *Tracer) Counts() Counts {
	if t == nil {
		return Counts{}
	}
	return Counts{t.counts.sent.Load(), t.counts.dropped.Load()}
}
