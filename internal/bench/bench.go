// Package bench is the load generator of `patron bench`: it sends durable requests to a
// running server over HTTP and says how many were answered, and how long each took.
//
// Life: the members that it needs are made through the API if they are not there (members.go);
// every worker gets a connection of its own and sends one request after the other until the
// time is up; what the workers counted is added up; at the end it waits until the server
// has handed on its events, as a rate that leaves work behind is none.
//
// Laws:
//   - Every request is new: a document and an Idempotency-Key that no other has.
//   - Only what the server confirmed counts. A refusal by state (a spend without enough
//     points) is counted apart, everything else is an error.
//   - With a rate, the wait of a request begins when it was to be sent, not when a worker
//     got round to it: a server that stalls is not spared the requests of that time.
//   - Server and generator share the machine, so a request costs the generator little:
//     bodies are appended from parts, answers are read and not decoded.
package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Load is what is sent.
type Load string

// The loads.
const (
	Earn  Load = "earn"  // sales of three lines
	Spend Load = "spend" // spendings
	Mixed Load = "mixed" // sales, and spendings in a share of SpendShare
)

// Bounds of Options.
const (
	MaxInFlight = 4096
	MaxBatch    = 200 // what the API takes at once
	MaxMembers  = 100_000_000
)

// Options say what to send, and where.
type Options struct {
	URL        string // of the server, as http://127.0.0.1:8080
	Key        string // API key with the scopes for members, sales, points and system
	Load       Load
	InFlight   int           // requests under way at most; each has a connection
	Rate       float64       // requests a second, sent on time; 0 = as fast as they are answered
	Batch      int           // sales in one request; 1 posts them one by one
	For        time.Duration // how long it counts
	WarmUp     time.Duration // how long it sends before it counts
	Members    int           // whom it is about: made where missing, chosen by a Zipf law
	SpendShare float64       // of Mixed, 0 to 1
	Progress   func(doing string, done, total int64)
}

// Result is what was measured. Latencies are of requests, rates of postings: the two
// differ by the batch.
type Result struct {
	Load     Load    `json:"load"`
	Engine   string  `json:"engine"` // of the server: sqlite or postgresql
	Members  int     `json:"members"`
	InFlight int     `json:"in_flight"`
	Batch    int     `json:"batch"`
	Rate     float64 `json:"rate,omitempty"` // that was asked for
	Seconds  float64 `json:"seconds"`        // from the end of the warm-up to the last answer
	Ops      int64   `json:"ops"`            // postings that were confirmed
	TPS      float64 `json:"tps"`            // postings a second
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	Refused  int64   `json:"refused"` // by state: 409
	Errors   int64   `json:"errors"`
	Error    string  `json:"error,omitempty"` // the first of them
	Lag      float64 `json:"lag_s"`           // the longest that an event waited to be handed on
	Drain    float64 `json:"drain_s"`         // how long the server went on handing on afterwards
	MeanPost float64 `json:"mean_post_batch"` // postings that the server put into one transaction
}

// check refuses what cannot be run.
func (o *Options) check() (*url.URL, error) {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is no address like http://127.0.0.1:8080", o.URL)
	case o.Load != Earn && o.Load != Spend && o.Load != Mixed:
		return nil, fmt.Errorf("there is no load %q: earn, spend or mixed", o.Load)
	case o.InFlight < 1 || o.InFlight > MaxInFlight:
		return nil, fmt.Errorf("in flight: 1 to %d", MaxInFlight)
	case o.Batch < 1 || o.Batch > MaxBatch:
		return nil, fmt.Errorf("batch: 1 to %d", MaxBatch)
	case o.Batch > 1 && o.Load != Earn:
		return nil, errors.New("only sales go in batches: use earn")
	case o.Members < 1 || o.Members > MaxMembers:
		return nil, fmt.Errorf("members: 1 to %d", MaxMembers)
	case o.For <= 0 || o.WarmUp < 0 || o.Rate < 0 || o.SpendShare < 0 || o.SpendShare > 1:
		return nil, errors.New("a time, rate or share is out of its range")
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return u, nil
}

// run is one measurement.
type run struct {
	Options
	at      *url.URL
	tag     string // makes documents and keys of this run differ from all others
	begin   time.Time
	counted time.Time // when the warm-up is over
	end     time.Time
	slot    atomic.Int64 // the next request of an open loop
	status  *watch
}

// Run measures. An error means that there is no result: refusals and failed requests are
// counted in it instead.
func Run(ctx context.Context, o Options) (Result, error) {
	at, err := o.check()
	if err != nil {
		return Result{}, err
	}
	r := &run{Options: o, at: at, tag: strconv.FormatInt(time.Now().UnixNano(), 36) + "-" + strconv.FormatUint(rand.Uint64()&0xffffff, 36)}
	if r.status, err = newWatch(r); err != nil {
		return Result{}, err
	}
	defer r.status.close()
	if err := r.prepare(ctx); err != nil {
		return Result{}, err
	}
	return r.measure(ctx)
}

func (r *run) measure(ctx context.Context) (Result, error) {
	before, err := r.status.settled(ctx)
	if err != nil {
		return Result{}, err
	}
	r.begin = time.Now()
	r.counted = r.begin.Add(r.WarmUp)
	r.end = r.counted.Add(r.For)
	ctx, cancel := context.WithDeadline(ctx, r.end.Add(answerWithin))
	defer cancel()
	workers := make([]*worker, r.InFlight)
	var all sync.WaitGroup
	for i := range workers {
		workers[i] = newWorker(r, i)
		all.Go(func() { workers[i].work(ctx) })
	}
	stop, watching := make(chan struct{}), sync.WaitGroup{}
	watching.Go(func() { r.status.follow(stop) })
	all.Wait()
	close(stop)
	watching.Wait()
	if err := context.Cause(ctx); errors.Is(err, context.Canceled) {
		return Result{}, err
	}
	return r.sum(ctx, workers, before)
}

// sum adds up what the workers counted and waits for the server to hand on its events.
func (r *run) sum(ctx context.Context, workers []*worker, before system) (Result, error) {
	var h histogram
	out := Result{Load: r.Load, Members: r.Members, InFlight: r.InFlight, Batch: r.Batch, Rate: r.Rate}
	last := r.end
	for _, w := range workers {
		h.add(&w.took)
		out.Ops += w.ops
		out.Refused += w.refused
		out.Errors += w.errors
		if out.Error == "" {
			out.Error = w.first
		}
		if w.last.After(last) {
			last = w.last
		}
	}
	out.Seconds = last.Sub(r.counted).Seconds()
	out.TPS = float64(out.Ops) / out.Seconds
	out.P50, out.P95, out.P99, out.Max = h.ms(0.50), h.ms(0.95), h.ms(0.99), h.ms(1)
	from := time.Now()
	after, err := r.status.settled(context.WithoutCancel(ctx))
	if err != nil {
		return out, err
	}
	out.Drain = time.Since(from).Seconds()
	out.Lag, out.Engine = r.status.lag.Seconds(), after.Engine
	if n := after.Batches - before.Batches; n > 0 {
		out.MeanPost = float64(after.Commands-before.Commands) / float64(n)
	}
	return out, nil
}
