package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rig is a dispatcher on a fresh database, at noon.
type rig struct {
	*testing.T
	db    *db.DB
	clock *clock.Manual
	*Dispatcher
}

func each(t *testing.T, body func(r rig)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.At(noon)
		body(rig{t, d, c, newDispatcher(t, d, c)})
	})
}

func newDispatcher(t testing.TB, d *db.DB, c clock.Clock) *Dispatcher {
	return New(d, c, slog.New(slog.NewTextHandler(t.Output(), nil)))
}

// tell appends events of a member, numbered from a number, in one transaction.
func (r rig) tell(kind string, member int64, from, n int) {
	r.Helper()
	list := make([]Event, n)
	for i := range list {
		list[i] = of(kind, member, from+i)
	}
	r.write(func(ctx context.Context, tx *db.Tx) error { return AppendAll(ctx, tx, list) })
}

func of(kind string, member int64, n int) Event {
	e := Event{Kind: kind, Member: member, AtMS: noon.UnixMilli(), Body: MustBody(map[string]int{"n": n})}
	if member != 0 {
		e.Shard = id.Shard(member)
	}
	return e
}

func (r rig) write(fn func(context.Context, *db.Tx) error) {
	r.Helper()
	if err := r.db.InTx(r.Context(), fn); err != nil {
		r.Fatal(err)
	}
}

func (r rig) drain() {
	r.Helper()
	if err := r.Drain(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func (r rig) read(fn func(context.Context, *db.Tx) ([]Event, error)) (list []Event) {
	r.Helper()
	err := r.db.Read(r.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = fn(ctx, tx)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return list
}

func (r rig) log() []Event {
	r.Helper()
	list, _ := r.list(0, "", MaxPage)
	return list
}

// list is List, in a transaction of its own.
func (r rig) list(after int64, kind string, limit int) (list []Event, last int64) {
	r.Helper()
	list = r.read(func(ctx context.Context, tx *db.Tx) (list []Event, err error) {
		list, last, err = List(ctx, tx, after, kind, limit)
		return list, err
	})
	return list, last
}

func bodies(list []Event) string {
	var b strings.Builder
	for _, e := range list {
		fmt.Fprintf(&b, "%d:%s ", e.Position, strings.Trim(string(e.Body), `{}"n:`))
	}
	return strings.TrimSpace(b.String())
}

func TestEventsReachTheLogInOrder(t *testing.T) {
	each(t, func(r rig) {
		var got []Event
		r.Subscribe("seer", func(_ context.Context, _ *db.Tx, events []Event) error {
			got = append(got, slices.Clone(events)...)
			return nil
		})
		r.tell("sale.recorded", 7, 1, 2)
		r.write(func(ctx context.Context, tx *db.Tx) error { return Append(ctx, tx, of("shop.opened", 0, 3)) })
		r.tell("sale.recorded", 8, 4, 1)
		r.drain()

		all := r.log()
		if want := "1:1 2:2 3:3 4:4"; bodies(all) != want {
			t.Errorf("log = %s, want %s", bodies(all), want)
		}
		if bodies(got) != bodies(all) {
			t.Errorf("the subscriber saw %s, the log has %s", bodies(got), bodies(all))
		}
		if e := all[0]; e.Kind != "sale.recorded" || e.Member != 7 || e.Shard != id.Shard(7) || !e.At().Equal(noon) || e.ID() == all[1].ID() {
			t.Errorf("first event = %+v", e)
		}
		kind, _ := r.list(1, "sale.recorded", 10)
		if want := "2:2 4:4"; bodies(kind) != want {
			t.Errorf("sales after 1 = %s, want %s", bodies(kind), want)
		}
		member := r.read(func(ctx context.Context, tx *db.Tx) ([]Event, error) {
			return ListMember(ctx, tx, id.Shard(7), 7, 0, 10)
		})
		if want := "2:2 1:1"; bodies(member) != want {
			t.Errorf("timeline = %s, want %s", bodies(member), want)
		}
		older := r.read(func(ctx context.Context, tx *db.Tx) ([]Event, error) {
			return ListMember(ctx, tx, id.Shard(7), 7, 2, 10)
		})
		if want := "1:1"; bodies(older) != want {
			t.Errorf("timeline before 2 = %s, want %s", bodies(older), want)
		}
	})
}

// A backlog of many batches keeps its order, and nothing of it is lost between two.
func TestABacklogKeepsItsOrder(t *testing.T) {
	each(t, func(r rig) {
		const events = 2*mostBatch + 7
		r.tell("a.b", 1, 1, events)
		r.drain()
		after := int64(0)
		for after < events {
			part, _ := r.list(after, "a.b", 300)
			if len(part) == 0 {
				t.Fatalf("the log ends at %d, want %d", after, events)
			}
			for _, e := range part {
				after++
				if want := fmt.Sprintf(`{"n":%d}`, after); e.Position != after || string(e.Body) != want {
					t.Fatalf("position %d holds %s, want %d with %s", e.Position, e.Body, after, want)
				}
			}
		}
	})
}

func TestAChangeThatIsUndoneTellsNothing(t *testing.T) {
	each(t, func(r rig) {
		undo := errors.New("undo")
		err := r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			return errors.Join(Append(ctx, tx, of("sale.recorded", 1, 1)), undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		r.tell("sale.recorded", 1, 2, 1)
		r.drain()
		if want := "1:2"; bodies(r.log()) != want {
			t.Errorf("log = %s, want %s", bodies(r.log()), want)
		}
	})
}

// A body comes back byte for byte, whatever is in it.
func TestBodiesStayAsTheyAre(t *testing.T) {
	each(t, func(r rig) {
		want := []string{`{"b":1,  "a":"\u8336"}`, `{"茶":"a\"b\\c<&>"}`, `1e400`, `null`, `[12345678901234567890]`}
		r.write(func(ctx context.Context, tx *db.Tx) error {
			var list []Event
			for _, b := range want {
				list = append(list, Event{Kind: "a.b", Body: json.RawMessage(b)})
			}
			return AppendAll(ctx, tx, list)
		})
		r.drain()
		for i, e := range r.log() {
			if string(e.Body) != want[i] {
				t.Errorf("body = %s, want %s", e.Body, want[i])
			}
		}
	})
}

// Each row changes one thing in an event that would pass.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Event)
		ok   bool
	}{
		{"good", func(e *Event) {}, true},
		{"three parts", func(e *Event) { e.Kind = "sale.line.added" }, true},
		{"no member", func(e *Event) { e.Member, e.Shard = 0, 0 }, true},
		{"largest body", func(e *Event) { e.Body = []byte(`"` + strings.Repeat("x", MaxBody-2) + `"`) }, true},
		{"body too large", func(e *Event) { e.Body = []byte(`"` + strings.Repeat("x", MaxBody-1) + `"`) }, false},
		{"one part", func(e *Event) { e.Kind = "sale" }, false},
		{"upper case", func(e *Event) { e.Kind = "Sale.recorded" }, false},
		{"wrong shard", func(e *Event) { e.Shard++ }, false},
		{"shard without member", func(e *Event) { e.Member = 0 }, false},
		{"not JSON", func(e *Event) { e.Body = []byte(`{`) }, false},
		{"no body", func(e *Event) { e.Body = nil }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := of("sale.recorded", 5, 1)
			tt.edit(&e)
			if err := e.Check(); (err == nil) != tt.ok {
				t.Errorf("Check = %v, want ok %t", err, tt.ok)
			}
		})
	}
}

// counting makes a table and a subscriber that counts each event in it. Its effect is a
// row per position, so an event that is applied twice breaks the key.
func (r rig) counting(d *Dispatcher) {
	d.Subscribe("counter", func(ctx context.Context, tx *db.Tx, events []Event) error {
		for _, e := range events {
			if _, err := tx.ExecText(ctx, "INSERT INTO effect (position) VALUES ($1)", e.Position); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r rig) effects() (n, last int64) {
	r.Helper()
	r.read(func(ctx context.Context, tx *db.Tx) ([]Event, error) {
		rows, err := tx.QueryText(ctx, "SELECT COUNT(*), COALESCE(MAX(position), 0) FROM effect")
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		rows.Next()
		return nil, errors.Join(rows.Scan(&n, &last), rows.Err())
	})
	return n, last
}

func (r rig) makeTable() {
	r.write(func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, "CREATE TABLE effect (position BIGINT PRIMARY KEY)")
		return err
	})
}

// Writers, two nodes that dispatch, and leases that change hands in the middle: every
// event has its effect once, and positions have no gap.
func TestEffectsHappenExactlyOnce(t *testing.T) {
	each(t, func(r rig) {
		const writers, each = 4, 150
		r.makeTable()
		nodes := []*Dispatcher{r.Dispatcher, newDispatcher(t, r.db, r.clock)}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var running, writing sync.WaitGroup
		for _, d := range nodes {
			r.counting(d)
			running.Go(func() { d.Run(ctx) })
		}
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					r.tell("sale.recorded", int64(w+1), i, 1)
					if i%10 == 0 {
						r.clock.Advance(lease + 1) // whoever comes next takes the lease
					}
					nodes[i%2].Nudge()
				}
			})
		}
		writing.Wait()
		r.waitFor(writers * each)
		stop()
		running.Wait()

		if n, last := r.effects(); n != writers*each || last != writers*each {
			t.Errorf("%d effects, last %d; want %d of both", n, last, writers*each)
		}
		seen := map[int64]int{}
		for i, e := range r.log() {
			if e.Position != int64(i+1) {
				t.Fatalf("position %d at place %d", e.Position, i+1)
			}
			var body struct{ N int }
			if err := json.Unmarshal(e.Body, &body); err != nil || body.N != seen[e.Member] {
				t.Fatalf("member %d: event %d at the place of %d (%v)", e.Member, body.N, seen[e.Member], err)
			}
			seen[e.Member]++
		}
	})
}

func (r rig) waitFor(position int64) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	if err := r.WaitFor(ctx, position); err != nil {
		r.Fatal(err)
	}
}

func TestALeaseIsTakenOverWhenItRunsOut(t *testing.T) {
	each(t, func(r rig) {
		other := newDispatcher(t, r.db, r.clock)
		r.tell("a.b", 1, 1, 1)
		if n, err := r.step(t.Context()); n != 1 || err != nil {
			t.Fatalf("the first node moved %d, %v", n, err)
		}
		r.tell("a.b", 1, 2, 1)
		r.clock.Advance(lease)
		if n, err := other.step(t.Context()); n != 0 || err != nil {
			t.Fatalf("inside the lease the second node moved %d, %v", n, err)
		}
		r.clock.Advance(time.Millisecond)
		if n, err := other.step(t.Context()); n != 1 || err != nil {
			t.Fatalf("past the lease the second node moved %d, %v", n, err)
		}
		r.tell("a.b", 1, 3, 1)
		if n, err := r.step(t.Context()); n != 0 || err != nil {
			t.Fatalf("the first node, which lost the lease, moved %d, %v", n, err)
		}
		other.release(t.Context())
		if n, err := r.step(t.Context()); n != 1 || err != nil {
			t.Fatalf("after the release the first node moved %d, %v", n, err)
		}
		if want := "1:1 2:2 3:3"; bodies(r.log()) != want {
			t.Errorf("log = %s, want %s", bodies(r.log()), want)
		}
	})
}

// Run wakes by a nudge, and without one by its poll; at its end it gives the lease up.
func TestRun(t *testing.T) {
	each(t, func(r rig) {
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Dispatcher.Run(ctx) })
		for i := range 3 {
			r.tell("a.b", 1, i, 1)
			if i > 0 {
				r.Nudge()
			}
			r.waitFor(int64(i + 1))
		}
		stop()
		running.Wait()
		other := newDispatcher(t, r.db, r.clock)
		r.tell("a.b", 1, 9, 1)
		if n, err := other.step(t.Context()); n != 1 || err != nil {
			t.Errorf("after Run ended another node moved %d, %v", n, err)
		}
	})
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	each(t, func(r rig) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.WaitFor(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("WaitFor = %v, want the end of its context", err)
		}
	})
}

func TestLag(t *testing.T) {
	each(t, func(r rig) {
		check := func(when string, lag time.Duration, n int64) {
			t.Helper()
			gotLag, gotN, err := r.Lag(t.Context())
			if err != nil || gotLag != lag || gotN != n {
				t.Errorf("%s: lag = %v, %d, %v; want %v, %d", when, gotLag, gotN, err, lag, n)
			}
			if got := r.Behind(); got != lag {
				t.Errorf("%s: behind by %v, want %v", when, got, lag)
			}
		}
		check("empty", 0, 0)
		r.tell("a.b", 1, 1, int(r.size.now()))
		check("just written", 0, int64(r.size.now()))
		r.clock.Advance(2 * time.Second)
		r.tell("a.b", 1, 1, 1)
		check("two seconds on", 2*time.Second, int64(r.size.now()+1))
		r.clock.Advance(time.Second)
		if _, err := r.step(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("the first batch is gone", time.Second, 1)
		r.drain()
		check("drained", 0, 0)
	})
}
