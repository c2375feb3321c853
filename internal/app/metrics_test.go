package app_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// names are all metrics of ours, with their types. Alerts and dashboards hold on to them:
// they change with a line in the changelog.
var names = []string{
	"patron_build_info gauge",
	"patron_clock_off_seconds gauge",
	"patron_csp_reports_total counter",
	"patron_db_bytes gauge",
	"patron_db_checkpoint_last_seconds gauge",
	"patron_db_checkpoint_seconds_total counter",
	"patron_db_checkpoints_total counter",
	"patron_db_connection_waits_total counter",
	"patron_db_connections gauge",
	"patron_db_connections_max gauge",
	"patron_db_log_bytes gauge",
	"patron_db_warm_bytes gauge",
	"patron_db_warm_done gauge",
	"patron_disk_bytes gauge",
	"patron_disk_free_bytes gauge",
	"patron_events_lag_seconds gauge",
	"patron_events_moved_total counter",
	"patron_events_set_aside_total counter",
	"patron_http_connections gauge",
	"patron_http_overload_total counter",
	"patron_http_request_seconds histogram",
	"patron_http_requests_total counter",
	"patron_http_waiting gauge",
	"patron_http_working gauge",
	"patron_job_runs_total counter",
	"patron_jobs gauge",
	"patron_ledger_batch_commands histogram",
	"patron_ledger_batch_seconds histogram",
	"patron_ledger_defects_total counter",
	"patron_ledger_queue_length gauge",
	"patron_ledger_refusals_total counter",
	"patron_ledger_retries_total counter",
	"patron_ledger_unknown_total counter",
	"patron_ledger_writes_total counter",
	"patron_ready gauge",
	"patron_trace_spans_dropped_total counter",
	"patron_trace_spans_sent_total counter",
}

// tooMuch is a spending that is refused.
var tooMuch = apptest.J{"currency": "points", "amount": 1_000_000, "reason": "test", "source": "test", "document": "1"}

// scrape reads the metrics as Prometheus on this machine does.
func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.RemoteAddr = "127.0.0.1:5"
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("metrics: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// value is that of one line of a scrape, or -1 where there is none.
func value(t *testing.T, text, line string) float64 {
	t.Helper()
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(l, line+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return -1
}

// Every metric is there on both engines under the name that is promised, the manual lists
// it, and alerts ask for nothing else.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	manual, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus-rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, line := range names {
		name, kind, _ := strings.Cut(line, " ")
		known[name] = true
		if kind == "histogram" {
			known[name+"_bucket"] = true
		}
		if !strings.Contains(string(manual), "`"+name+"`") {
			t.Errorf("docs/operations.md does not list %s", name)
		}
	}
	for _, name := range regexp.MustCompile(`patron_[a-z_]+`).FindAllString(string(alerts), -1) {
		if !known[name] {
			t.Errorf("an alert asks for %s, which nobody gives", name)
		}
	}
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Post("/v1/sales", a.Sale(apptest.J{"member": a.Member()})) // kinds show once there is one
		a.Must(409, "POST", "/v1/members/"+a.Member()+"/spendings", tooMuch)
		var got []string
		for l := range strings.Lines(scrape(t, a.Handler())) {
			if rest, ok := strings.CutPrefix(l, "# TYPE patron_"); ok {
				got = append(got, "patron_"+strings.TrimSpace(rest))
			}
		}
		if !slices.Equal(got, names) {
			t.Errorf("metrics:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(names, "\n"))
		}
	})
}

// What is counted is what was done.
func TestMetricValues(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		sale := a.Sale(apptest.J{"member": m})
		a.Post("/v1/sales", sale, apptest.Keyed("one"))
		a.Post("/v1/sales", sale, apptest.Keyed("one")) // the same again
		a.Post("/v1/sales", a.Sale(apptest.J{"member": m}))
		a.Must(409, "POST", "/v1/members/"+m+"/spendings", tooMuch)
		a.Drain()
		text := scrape(t, a.Handler())
		for line, want := range map[string]float64{
			`patron_ledger_writes_total{kind="sale.record"}`:                                 2,
			`patron_ledger_refusals_total{kind="ledger.spend"}`:                              1,
			`patron_http_requests_total{route="POST /v1/sales",status="2xx"}`:                3,
			`patron_http_requests_total{route="POST /v1/sales",status="5xx"}`:                0,
			`patron_http_request_seconds_count{class="posting"}`:                             4,
			`patron_http_working{class="posting"}`:                                           0,
			`patron_ready{check="database"}`:                                                 1,
			`patron_ledger_unknown_total`:                                                    0,
			`patron_events_lag_seconds`:                                                      0,
			`patron_build_info{engine="` + a.DB.Engine().String() + `",version="0.1.0-dev"}`: 1,
		} {
			if got := value(t, text, line); got != want {
				t.Errorf("%s = %v, want %v", line, got, want)
			}
		}
		for _, line := range []string{"patron_db_bytes", "patron_events_moved_total", "patron_ledger_batch_commands_count", "patron_disk_free_bytes"} {
			if value(t, text, line) < 1 {
				t.Errorf("%s = %v", line, value(t, text, line))
			}
		}
	})
}

// The metrics are for this machine, or for a key that may operate the system. A proxy on
// this machine calls for others.
func TestMetricsAccess(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, db.SQLite)
	operator := secretOf(t, a, string(staff.Operate))
	cashier := secretOf(t, a, string(staff.WriteSales))
	for _, tt := range []struct {
		from, key, header string
		want              int
	}{
		{"127.0.0.1:1", "", "", 200}, {"[::1]:1", "", "", 200},
		{"127.0.0.1:1", "", "X-Forwarded-For", 401}, {"127.0.0.1:1", "", "Forwarded", 401}, {"127.0.0.1:1", "", "Via", 401},
		{"192.0.2.1:1", "", "", 401}, {"192.0.2.1:1", "pk_live_nonsense", "", 401},
		{"192.0.2.1:1", cashier, "", 403}, {"192.0.2.1:1", operator, "", 200}, {"127.0.0.1:1", operator, "X-Forwarded-For", 200},
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.RemoteAddr = tt.from
		if tt.key != "" {
			r.Header.Set("Authorization", "Bearer "+tt.key)
		}
		if tt.header != "" {
			r.Header.Set(tt.header, "203.0.113.9")
		}
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code != tt.want || tt.want != 200 && strings.Contains(w.Body.String(), "patron_") {
			t.Errorf("%+v: %d", tt, w.Code)
		}
	}
}

func secretOf(t *testing.T, a *apptest.App, scopes ...string) string {
	t.Helper()
	_, secret, err := a.Staff.CreateKey(a.Context(), staff.NewKey{Name: "scraper", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
