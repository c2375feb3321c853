package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// The law by which members are chosen: few come often, many seldom. P(k) ~ 1/(v+k)^s.
const (
	zipfS = 1.1
	zipfV = 100
)

// worker sends one request after the other on a connection of its own.
type worker struct {
	run     *run
	conn    *connection
	random  *rand.Rand
	members *rand.Zipf
	name    string // begins its documents and keys
	next    int64
	key     []byte
	body    []byte
	second  int64 // that now is written for
	now     []byte

	took    histogram
	last    time.Time // answer
	ops     int64
	refused int64
	errors  int64
	first   string // error
}

func newWorker(r *run, n int) *worker {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	return &worker{
		run: r, conn: newConnection(r.at, r.Key), random: random, name: r.tag + "-" + strconv.Itoa(n) + "-",
		members: rand.NewZipf(random, zipfS, zipfV, uint64(r.Members-1)),
	}
}

// work sends until the time is up. The last request is waited for, and counts if it was
// sent in time.
func (w *worker) work(ctx context.Context) {
	defer w.conn.close()
	for ctx.Err() == nil {
		due, ok := w.due(ctx)
		if !ok {
			return
		}
		w.send(ctx, due)
	}
}

// due is when the next request is to be sent. In an open loop it waits until then; one that
// is late is sent at once.
func (w *worker) due(ctx context.Context) (time.Time, bool) {
	if w.run.Rate == 0 {
		now := time.Now()
		return now, now.Before(w.run.end)
	}
	slot := w.run.slot.Add(1) - 1
	at := w.run.begin.Add(time.Duration(float64(slot) / w.run.Rate * float64(time.Second)))
	if !at.Before(w.run.end) {
		return at, false
	}
	if wait := time.Until(at); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return at, false
		}
	}
	return at, true
}

func (w *worker) send(ctx context.Context, due time.Time) {
	w.next++
	w.key = strconv.AppendInt(append(w.key[:0], w.name...), w.next, 36)
	path, items := "/v1/sales", 1
	switch {
	case w.spends():
		path = w.spending()
	case w.run.Batch > 1:
		path, items = "/v1/sales/batch", w.run.Batch
		w.batch()
	default:
		w.body = w.sale(append(w.body[:0], '{'), w.key, w.member())
	}
	status, err := w.conn.do(ctx, "POST", path, string(w.key), w.body)
	if due.Before(w.run.counted) {
		return
	}
	w.last = time.Now()
	w.took.note(w.last.Sub(due))
	w.count(path, status, items, err)
}

// count notes how a request ended.
func (w *worker) count(path string, status, items int, err error) {
	switch {
	case err == nil && status/100 == 2:
		bad := 0
		if items > 1 {
			bad = bytes.Count(w.conn.body, []byte(`"problem":`))
		}
		w.ops += int64(items - bad)
		if w.errors += int64(bad); bad == 0 || w.first != "" {
			return
		}
		w.first = w.conn.said()
	case err == nil && status == 409:
		w.refused++
	default:
		if w.errors += int64(items); w.first != "" {
			return
		}
		if w.first = fmt.Sprintf("POST %s: %d %s", path, status, w.conn.said()); err != nil {
			w.first = err.Error()
		}
	}
}

func (w *worker) spends() bool {
	return w.run.Load == Spend || w.run.Load == Mixed && w.random.Float64() < w.run.SpendShare
}

// member is the number of the one whom a request is about, from 1.
func (w *worker) member() uint64 { return w.members.Uint64() + 1 }

// clock writes now as the API takes it, once a second.
func (w *worker) clock() []byte {
	if now := time.Now(); now.Unix() != w.second {
		w.second = now.Unix()
		w.now = now.UTC().AppendFormat(w.now[:0], time.RFC3339)
	}
	return w.now
}

// sale appends a sale of three lines to a body whose brace is open. Prices differ from one
// to the next; the sum is kept right.
func (w *worker) sale(b, document []byte, member uint64) []byte {
	first, second, third := 100+w.random.Int64N(4000), 100+w.random.Int64N(4000), 100+w.random.Int64N(4000)
	b = append(append(append(b, `"source":"bench","document":"`...), document...), `","member":"ext:bench/`...)
	b = append(strconv.AppendUint(b, member, 10), `","at":"`...)
	b = append(append(b, w.clock()...), `","currency":"CNY","total":`...)
	b = strconv.AppendInt(b, first+second+third, 10)
	b = append(b, `,"lines":[`...)
	b = w.line(b, 1, first)
	b = w.line(append(b, ','), 2, second)
	b = w.line(append(b, ','), 3, third)
	return append(b, "]}"...)
}

// products is how many skus there are in sales.
const products = 500

func (w *worker) line(b []byte, n, amount int64) []byte {
	b = append(strconv.AppendInt(append(b, `{"line":`...), n, 10), `,"sku":"BENCH-`...)
	b = append(strconv.AppendInt(b, w.random.Int64N(products), 10), `","quantity":1,"amount":`...)
	return append(strconv.AppendInt(b, amount, 10), '}')
}

// batch makes the body of many sales, each with a document and a key.
func (w *worker) batch() {
	w.body = append(w.body[:0], `{"items":[`...)
	document := append([]byte(nil), w.key...)
	for i := range w.run.Batch {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		document = strconv.AppendInt(append(document[:len(w.key)], '.'), int64(i), 10)
		w.body = append(append(append(w.body, `{"idempotency_key":"`...), document...), `",`...)
		w.body = w.sale(w.body, document, w.member())
	}
	w.body = append(w.body, "]}"...)
}

// spending makes a body that uses one to three points up, and returns its path.
func (w *worker) spending() string {
	b := append(w.body[:0], `{"currency":"points","amount":`...)
	b = strconv.AppendInt(b, 1+w.random.Int64N(3), 10)
	b = append(append(b, `,"reason":"bench","source":"bench-spend","document":"`...), w.key...)
	w.body = append(b, `"}`...)
	return "/v1/members/ext:bench%2F" + strconv.FormatUint(w.member(), 10) + "/spendings"
}
