package app

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/staff"
)

// scrapeWithin bounds what a scrape may ask the database.
const scrapeWithin = 2 * time.Second

// metrics counts what the program does, for Prometheus. Whatever is called for each request
// or posting finds its counters without a lock and makes no object.
type metrics struct {
	registry *prometheus.Registry
	requests map[string]*[6]prometheus.Counter // by route and first digit of the status; fixed once routes are
	seconds  []prometheus.Observer             // by class

	kinds    atomic.Pointer[map[reflect.Type]kind] // copied for each new one: there are some twenty
	learning sync.Mutex
	writes   *prometheus.CounterVec
	refusals *prometheus.CounterVec

	batchSize, batchSeconds prometheus.Histogram
	retries                 prometheus.Counter
	unknown, defects        prometheus.Counter
	violations              map[string]prometheus.Counter // by section of the policy; fixed from the start
}

// kind are the counters of one kind of command.
type kind struct{ kept, refused prometheus.Counter }

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patron_ledger_writes_total", Help: "Postings that were confirmed, by kind of command.",
		}, []string{"kind"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "patron_ledger_refusals_total", Help: "Postings that were refused by the state of things, by kind of command.",
		}, []string{"kind"}),
		batchSize: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "patron_ledger_batch_commands", Help: "Commands in one transaction of the posting engine.",
			Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
		}),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "patron_ledger_batch_seconds", Help: "How long one transaction of the posting engine took.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "patron_ledger_retries_total", Help: "Batches that met another node's and were posted again."}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{Name: "patron_ledger_unknown_total", Help: "Postings of which the database did not say whether they took effect."}),
		defects: prometheus.NewCounter(prometheus.CounterOpts{Name: "patron_ledger_defects_total", Help: "Postings that got no answer otherwise: no connection, or a fault of the program."}),
	}
	m.kinds.Store(&map[reflect.Type]kind{})
	violations := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patron_csp_reports_total", Help: "Reports of browsers that a page tried what its policy forbids, by directive.",
	}, []string{"directive"})
	m.violations = map[string]prometheus.Counter{}
	for _, s := range sections {
		m.violations[s] = violations.WithLabelValues(s)
	}
	m.registry.MustRegister(violations, m.writes, m.refusals, m.batchSize, m.batchSeconds, m.retries, m.unknown, m.defects,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Posted, Answered, Failed and Retried make metrics a ledger.Watch.
func (m *metrics) Posted(commands int, took time.Duration) {
	m.batchSize.Observe(float64(commands))
	m.batchSeconds.Observe(took.Seconds())
}

// Answered counts a command under the name of its type.
func (m *metrics) Answered(c ledger.Command, refusal error) {
	t := reflect.TypeOf(c)
	k, ok := (*m.kinds.Load())[t]
	if !ok {
		k = m.learn(t)
	}
	if refusal != nil {
		k.refused.Inc()
		return
	}
	k.kept.Inc()
}

func (m *metrics) learn(t reflect.Type) kind {
	m.learning.Lock()
	defer m.learning.Unlock()
	name := kindName(t)
	k := kind{m.writes.WithLabelValues(name), m.refusals.WithLabelValues(name)}
	all := maps.Clone(*m.kinds.Load())
	all[t] = k
	m.kinds.Store(&all)
	return k
}

// kindName turns *sale.record into sale.record and ledger.EarnCommand into ledger.earn.
func kindName(t reflect.Type) string {
	pack, name, _ := strings.Cut(strings.TrimPrefix(t.String(), "*"), ".")
	name = strings.TrimSuffix(name, "Command")
	return pack + "." + string(unicode.ToLower(rune(name[0]))) + name[1:]
}

// Failed counts commands without an answer.
func (m *metrics) Failed(commands int, unknown bool) {
	if unknown {
		m.unknown.Add(float64(commands))
		return
	}
	m.defects.Add(float64(commands))
}

// Retried counts a batch that is posted again.
func (m *metrics) Retried() { m.retries.Inc() }

// serve prepares the counters of all routes, which must be registered by now.
func (m *metrics) serve(routes []api.Route) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "patron_http_requests_total", Help: "Requests answered, by route and class of status.",
	}, []string{"route", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "patron_http_request_seconds", Help: "How long requests took, by class of route.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
	}, []string{"class"})
	m.registry.MustRegister(requests, seconds)
	m.requests = make(map[string]*[6]prometheus.Counter, len(routes))
	for _, r := range routes {
		counters := &[6]prometheus.Counter{}
		for digit, status := range []string{"other", "other", "2xx", "3xx", "4xx", "5xx"} {
			counters[digit] = requests.WithLabelValues(r.Name, status)
		}
		m.requests[r.Name] = counters
	}
	for _, c := range api.Classes() {
		m.seconds = append(m.seconds, seconds.WithLabelValues(c.String()))
	}
}

// observe counts a request that was answered.
func (m *metrics) observe(route string, class api.Class, status int, took time.Duration) {
	digit := status / 100
	if digit > 5 {
		digit = 0
	}
	m.requests[route][digit].Inc()
	m.seconds[class].Observe(took.Seconds())
}

// serveMetrics answers whoever is on this machine, or bears a key that may operate the
// system. A proxy on this machine calls for somebody else, which its headers show.
func (a *App) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !api.RequestInfo(r.Context()).Here {
		c, err := a.auth.Authenticate(r.Context(), r)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			say(w, http.StatusUnauthorized, "metrics are for this machine, or for a key with the scope "+string(staff.Operate)+"\n")
			return
		}
		if !c.Can[staff.Operate] {
			say(w, http.StatusForbidden, "this needs the scope "+string(staff.Operate)+"\n")
			return
		}
	}
	a.scrape.ServeHTTP(w, r)
}

// expose makes the handler of scrapes, and registers what is looked up at each of them.
func (a *App) expose() {
	a.metrics.serve(a.API.Served())
	a.metrics.registry.MustRegister(a.figures()...)
	a.scrape = promhttp.HandlerFor(a.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 2, Timeout: 2 * scrapeWithin, ErrorHandling: promhttp.ContinueOnError,
	})
}

// figures are the collectors of what is known elsewhere.
func (a *App) figures() []prometheus.Collector {
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	counter := func(name, help string, f func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(f()) })
	}
	return []prometheus.Collector{
		gauge("patron_ledger_queue_length", "Commands that wait for the posting engine.", func() float64 { return float64(a.Ledger.Engine().Waiting()) }),
		gauge("patron_events_lag_seconds", "For how long the oldest event has been waiting to be handed on.", func() float64 { return a.Events.Behind().Seconds() }),
		counter("patron_events_moved_total", "Events that this node handed on.", func() int64 { n, _ := a.Events.Counts(); return n }),
		counter("patron_events_set_aside_total", "How often a subscriber failed and was set aside for a batch of events.", func() int64 { _, n := a.Events.Counts(); return n }),
		gauge("patron_clock_off_seconds", "By how much the machine's clock is ahead of the time that is told.", func() float64 { return a.wall().Off.Seconds() }),
		gauge("patron_http_connections", "Connections that are open.", func() float64 { return float64(a.open.Load()) }),
		counter("patron_trace_spans_sent_total", "Spans that the collector took.", func() int64 { return a.trace.Counts().Sent }),
		counter("patron_trace_spans_dropped_total", "Spans that were lost.", func() int64 { return a.trace.Counts().Dropped }),
		&gathered{app: a},
	}
}

// gathered collects what takes a look at the database, or has labels: once for a scrape.
type gathered struct{ app *App }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	buildDesc       = desc("patron_build_info", "Always 1; says what runs.", "version", "engine")
	readyDesc       = desc("patron_ready", "1 for each check of /readyz that passes, 0 for one that fails.", "check")
	workingDesc     = desc("patron_http_working", "Requests that are being worked on, by class.", "class")
	waitingDesc     = desc("patron_http_waiting", "Requests that wait for a place, by class.", "class")
	overloadDesc    = desc("patron_http_overload_total", "Requests refused for want of a place, by class.", "class")
	jobsDesc        = desc("patron_jobs", "Jobs of all nodes, by state.", "state")
	jobRunsDesc     = desc("patron_job_runs_total", "Runs of jobs on this node, by how they ended.", "end")
	dbBytesDesc     = desc("patron_db_bytes", "Size of the database.")
	logBytesDesc    = desc("patron_db_log_bytes", "Size of the write-ahead log of the embedded database.")
	connectionsDesc = desc("patron_db_connections", "Connections to the database that are in use; of the embedded one, those that read.")
	mostDesc        = desc("patron_db_connections_max", "How many there may be.")
	connWaitsDesc   = desc("patron_db_connection_waits_total", "How often one had to be waited for.")
	checkpointsDesc = desc("patron_db_checkpoints_total", "How often the log of the embedded database was written back.")
	checkpointDesc  = desc("patron_db_checkpoint_seconds_total", "How long that took, all in all.")
	lastDesc        = desc("patron_db_checkpoint_last_seconds", "How long the last one took.")
	warmDesc        = desc("patron_db_warm_bytes", "How much of the embedded database was read through since the start.")
	warmDoneDesc    = desc("patron_db_warm_done", "1 once that is over.")
	diskFreeDesc    = desc("patron_disk_free_bytes", "Free on the disk of the data directory.")
	diskDesc        = desc("patron_disk_bytes", "Size of that disk.")
)

// Describe makes gathered a collector whose metrics are known beforehand.
func (g *gathered) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		buildDesc, readyDesc, workingDesc, waitingDesc, overloadDesc, jobsDesc, jobRunsDesc, dbBytesDesc, logBytesDesc,
		connectionsDesc, mostDesc, connWaitsDesc, checkpointsDesc, checkpointDesc, lastDesc, warmDesc, warmDoneDesc, diskFreeDesc, diskDesc,
	} {
		out <- d
	}
}

// Collect looks. What cannot be had is left out, so that a database that is gone does not
// take the rest along.
func (g *gathered) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeWithin)
	defer cancel()
	a := g.app
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	send(buildDesc, prometheus.GaugeValue, 1, Version, a.DB.Engine().String())
	for _, c := range a.Health() {
		send(readyDesc, prometheus.GaugeValue, number(c.OK), c.Name)
	}
	for _, c := range api.Classes() {
		crowd := a.API.Crowd(c)
		send(workingDesc, prometheus.GaugeValue, float64(crowd.Working), c.String())
		send(waitingDesc, prometheus.GaugeValue, float64(crowd.Waiting), c.String())
		send(overloadDesc, prometheus.CounterValue, float64(crowd.Refused), c.String())
	}
	for end, n := range a.Jobs.Ended() {
		send(jobRunsDesc, prometheus.CounterValue, float64(n), end.String())
	}
	if depth, err := a.Jobs.Depth(ctx); err == nil {
		for state, n := range depth {
			send(jobsDesc, prometheus.GaugeValue, float64(n), string(state))
		}
	}
	if free, all, err := a.disk(a.dir); err == nil {
		send(diskFreeDesc, prometheus.GaugeValue, float64(free))
		send(diskDesc, prometheus.GaugeValue, float64(all))
	}
	if s, err := a.DB.Stats(ctx); err == nil {
		send(dbBytesDesc, prometheus.GaugeValue, float64(s.Bytes))
		send(logBytesDesc, prometheus.GaugeValue, float64(s.LogBytes))
		send(connectionsDesc, prometheus.GaugeValue, float64(s.Pool.Used))
		send(mostDesc, prometheus.GaugeValue, float64(s.Pool.Most))
		send(connWaitsDesc, prometheus.CounterValue, float64(s.Pool.Waits))
		send(checkpointsDesc, prometheus.CounterValue, float64(s.Checkpoint.Count))
		send(checkpointDesc, prometheus.CounterValue, s.Checkpoint.Took.Seconds())
		send(lastDesc, prometheus.GaugeValue, s.Checkpoint.Last.Seconds())
		send(warmDesc, prometheus.GaugeValue, float64(s.Warm.Read))
		send(warmDoneDesc, prometheus.GaugeValue, number(s.Warm.Done))
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
