package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// prepareInFlight is how many requests prepare. Each is a batch, so that a few fill the
// server.
const prepareInFlight = 8

// How many members are made, and get their first points, with one request.
const (
	enrolBatch = 200
	primeBatch = 100
)

// prepare makes the members that are missing and, for spendings, gives everyone points.
func (r *run) prepare(ctx context.Context) error {
	c := newConnection(r.at, r.Key)
	defer c.close()
	have, err := r.existing(ctx, c)
	if err != nil {
		return err
	}
	// An earlier run that was cut short may have left gaps just before its end.
	if from := max(have-prepareInFlight*enrolBatch, 0); have < r.Members {
		err = r.each(ctx, "members", from, r.Members, enrolBatch, r.enrol)
	}
	if err != nil || r.Load == Earn {
		return err
	}
	primed, err := r.primed(ctx, c)
	if err != nil || primed {
		return err
	}
	return r.each(ctx, "first points", 0, r.Members, primeBatch, r.prime)
}

// existing finds how many members there are: they are made in order, so that a search by
// halves finds the last.
func (r *run) existing(ctx context.Context, c *connection) (int, error) {
	low, high := 0, r.Members // low are there, high+1 are not asked for
	for probe := high; low < high; probe = (low + high + 1) / 2 {
		status, err := c.do(ctx, "GET", "/v1/members/ext:bench%2F"+strconv.Itoa(probe), "", nil)
		switch {
		case err != nil:
			return 0, err
		case status == 200:
			low = probe
		case status == 404:
			high = probe - 1
		default:
			return 0, fmt.Errorf("look for members: %d %s", status, c.said())
		}
	}
	return low, nil
}

// each does something with the numbers from+1 to end, step of them at a time, in parallel.
func (r *run) each(ctx context.Context, what string, from, end, step int, do func(context.Context, *connection, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var next atomic.Int64
	next.Store(int64(from))
	for range prepareInFlight {
		all.Go(func() {
			c := newConnection(r.at, r.Key)
			defer c.close()
			for ctx.Err() == nil {
				first := int(next.Add(int64(step))) - step
				if first >= end {
					return
				}
				if err := do(ctx, c, first+1); err != nil {
					cancel(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.Progress(what, min(next.Load(), int64(end)), int64(end))
			case <-stop:
				return
			}
		}
	})
	all.Wait()
	close(stop)
	showing.Wait()
	return context.Cause(ctx)
}

// enrol makes a batch of members. One who is there already is as good.
func (r *run) enrol(ctx context.Context, c *connection, first int) error {
	b := []byte(`{"items":[`)
	for n := first; n < min(first+enrolBatch, r.Members+1); n++ {
		if n > first {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"idempotency_key":"bench-member-%[1]d","external_id":"bench/%[1]d"}`, n)
	}
	status, err := c.do(ctx, "POST", "/v1/members/batch", "", append(b, "]}"...))
	if err != nil {
		return err
	}
	good := bytes.Count(c.body, []byte(`{"status":201`)) + bytes.Count(c.body, []byte(`{"status":409`))
	if want := min(enrolBatch, r.Members+1-first); status != 200 || good != want {
		return fmt.Errorf("make members %d to %d: %d %s", first, first+want-1, status, c.said())
	}
	return nil
}

// primeDocument is the first purchase of a member, by which they have points to spend.
func primeDocument(n int) string { return "prime-" + strconv.Itoa(n) }

// primed reports whether the last member has had a first purchase.
func (r *run) primed(ctx context.Context, c *connection) (bool, error) {
	status, err := c.do(ctx, "GET", "/v1/sales?source=bench&document="+primeDocument(r.Members), "", nil)
	if err == nil && status != 200 {
		err = fmt.Errorf("look for first purchases: %d %s", status, c.said())
	}
	return bytes.Contains(c.body, []byte(`"document"`)), err
}

// prime records first purchases of a batch of members. Its time is a fixed instant of the
// day, so that a second run of the same day sends the same.
func (r *run) prime(ctx context.Context, c *connection, first int) error {
	at := time.Now().UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
	b := []byte(`{"items":[`)
	for n := first; n < min(first+primeBatch, r.Members+1); n++ {
		if n > first {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"idempotency_key":"%[1]s","source":"bench","document":"%[1]s","member":"ext:bench/%[2]d","at":"%[3]s","currency":"CNY","total":10000000,"lines":[{"line":1,"sku":"BENCH-0","quantity":1,"amount":10000000}]}`,
			primeDocument(n), n, at)
	}
	status, err := c.do(ctx, "POST", "/v1/sales/batch", primeDocument(first), append(b, "]}"...))
	switch {
	case err != nil:
		return err
	case status != 200:
		return fmt.Errorf("first purchases: %d %s", status, c.said())
	case bytes.Contains(c.body, []byte(`"status":5`)):
		return fmt.Errorf("first purchases: %s", c.said())
	}
	return nil
}

// system is what the server says of itself.
type system struct {
	Engine   string `json:"engine"`
	LagMS    int64  `json:"lag_ms"`
	Waiting  int64  `json:"waiting"`
	Batches  int64  `json:"batches"`
	Commands int64  `json:"commands"`
}

// watch asks the server how it is, on a connection of its own.
type watch struct {
	conn *connection
	lag  time.Duration // the longest seen
}

func newWatch(r *run) (*watch, error) {
	w := &watch{conn: newConnection(r.at, r.Key)}
	_, err := w.ask(context.Background())
	return w, err
}

func (w *watch) close() { w.conn.close() }

func (w *watch) ask(ctx context.Context) (s system, err error) {
	status, err := w.conn.do(ctx, "GET", "/v1/system", "", nil)
	if err != nil {
		return s, err
	}
	if status != 200 {
		return s, fmt.Errorf("GET /v1/system: %d %s", status, w.conn.said())
	}
	return s, json.Unmarshal(w.conn.body, &s)
}

// drainWithin bounds the wait for the server to hand on its events.
const drainWithin = 10 * time.Minute

// settled waits until no event waits, and returns how the server is then.
func (w *watch) settled(ctx context.Context) (system, error) {
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	w.conn.close() // it may have rested for longer than the server lets it
	for {
		s, err := w.ask(ctx)
		if err != nil || s.Waiting == 0 {
			return s, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return s, fmt.Errorf("%d events still wait to be handed on: %w", s.Waiting, ctx.Err())
		}
	}
}

// follow notes the longest lag until stop is closed. A server that does not answer is
// noticed by the workers.
func (w *watch) follow(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if s, err := w.ask(context.Background()); err == nil {
			w.lag = max(w.lag, time.Duration(s.LagMS)*time.Millisecond)
		}
	}
}
