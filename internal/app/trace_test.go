package app_test

import (
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/patron-loyalty/patron/internal/kit/config"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// A sale can be followed from its request into its batch, and what works in the background
// has spans of its own. No span says for whom.
func TestTraces(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var spans []*otlp.Span
			var all strings.Builder
			sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				var m collector.ExportTraceServiceRequest
				if err != nil || proto.Unmarshal(body, &m) != nil {
					t.Errorf("what came is no OTLP: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				all.Write(body)
				for _, rs := range m.ResourceSpans {
					for _, ss := range rs.ScopeSpans {
						spans = append(spans, ss.Spans...)
					}
				}
			}))
			defer sink.Close()
			a := bare(t, dbtest.Options(t, e), nil, slog.New(slog.DiscardHandler), func(c *config.Config) { c.OtelEndpoint, c.OtelShare = sink.URL, 1 })
			a.Start(t.Context())
			server := httptest.NewServer(a.Handler())
			defer server.Close()
			_, secret, err := a.Staff.CreateKey(staff.AsSystem(t.Context(), "test"), staff.NewKey{Name: "test", Scopes: []string{staff.All}})
			if err != nil {
				t.Fatal(err)
			}
			c := apptest.NewClient(t, server.URL, secret)
			var m struct{ ID string }
			c.Post("/v1/members", apptest.J{"phone": canaries[2], "name": canaries[0]}).Into(&m)
			const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
			c.Post("/v1/sales", apptest.J{
				"source": "till", "document": "S1", "at": time.Now().Format(time.RFC3339), "currency": "CNY", "member": "phone:" + canaries[2],
				"total": 10000, "lines": []apptest.J{apptest.Line(1, 1, 10000)},
			}, apptest.Header{Name: "Traceparent", Value: "00-" + trace + "-00f067aa0ba902b7-01"})
			if err := a.Events.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil { // sends the rest
				t.Fatal(err)
			}
			var request, batch, dispatch *otlp.Span
			for _, s := range spans {
				switch {
				case s.Name == "POST /v1/sales":
					request = s
				case s.Name == "ledger.batch" && hex.EncodeToString(s.TraceId) == trace:
					batch = s
				case s.Name == "event.dispatch":
					dispatch = s
				}
			}
			if request == nil || batch == nil || dispatch == nil {
				t.Fatalf("%d spans; request %v, batch %v, dispatch %v", len(spans), request, batch, dispatch)
			}
			if hex.EncodeToString(request.TraceId) != trace || string(batch.ParentSpanId) != string(request.SpanId) {
				t.Error("the batch is not under its request")
			}
			for _, c := range canaries {
				if strings.Contains(all.String(), c) {
					t.Errorf("a span holds %q", c)
				}
			}
		})
	}
}
