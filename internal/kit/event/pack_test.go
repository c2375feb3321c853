package event

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// What is packed comes back as it was, in its order, and in rows that keep their bounds.
func TestPack(t *testing.T) {
	t.Parallel()
	large := json.RawMessage(`"` + strings.Repeat("x", MaxBody-2) + `"`)
	var list []Event
	for i := range 200 {
		list = append(list, of([]string{"sale.recorded", "points.earned"}[i/3%2], int64(i*7919-3), i))
	}
	list = append(list, of("a.b", 0, 1), Event{Kind: "a.b", AtMS: -1 << 62, Body: large}, Event{Kind: "a.b", Member: 5, Shard: id.Shard(5), Body: large}, of("a.b", -9, 2))
	var back []Event
	for _, r := range Pack(list) {
		got, err := Unpack(r.Events)
		if err != nil || len(got) != r.N || r.N < 1 || r.N > mostPacked || len(r.Events) > packedBytes && r.N > 1 {
			t.Fatalf("a row of %d events and %d bytes: %d, %v", r.N, len(r.Events), len(got), err)
		}
		for _, e := range got { // a search of the bytes finds what is in a body
			if !bytes.Contains(r.Events, e.Body) {
				t.Fatalf("body %s does not lie there as it is", e.Body)
			}
		}
		back = append(back, got...)
	}
	if !reflect.DeepEqual(back, list) {
		t.Error("what comes back is not what was packed")
	}
	if n := len(Pack(list[:200])); n != 4 {
		t.Errorf("200 small events take %d rows, want 4", n)
	}
	if len(Pack(nil)) != 0 {
		t.Error("nothing takes a row")
	}
}

// A row that lost its end, its beginning or a byte, or got more, is refused or at least not
// read as another number of events.
func TestUnpackRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	list := []Event{of("a.b", 5, 1), of("c.d", 6, 2), of("a.b", 0, 3)}
	whole := Pack(list)[0].Events
	for n := range whole {
		if _, err := Unpack(whole[:n]); !errors.Is(err, errTorn) {
			t.Errorf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, bad := range [][]byte{nil, whole[1:], append(bytes.Clone(whole), 0), []byte(`[{"m":1`), []byte("hello"), {packed, 0}} {
		if _, err := Unpack(bad); !errors.Is(err, errTorn) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	long := bytes.Clone(whole)
	long[1] = 4 // counts one more
	if _, err := Unpack(long); !errors.Is(err, errTorn) {
		t.Error(err)
	}
}

// What waited when version 17 of the schema came is a JSON list, and moves on like the rest.
func TestEventsOfBeforeVersion17(t *testing.T) {
	each(t, func(r rig) {
		r.write(func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, "INSERT INTO outbox (n, at_ms, events) VALUES (1, 0, $1)",
				[]byte(`[{"m" : 7, "t":-5, "k": "sale.recorded", "b":"{\"n\":1,  \"a\":\"茶\\u8336\"}"}]`))
			return err
		})
		r.tell("a.b", 7, 2, 1)
		r.drain()
		log := r.log()
		want := Event{Position: 1, Kind: "sale.recorded", Shard: id.Shard(7), Member: 7, AtMS: -5, Body: json.RawMessage(`{"n":1,  "a":"茶\u8336"}`)}
		if len(log) != 2 || !reflect.DeepEqual(log[0], want) {
			t.Errorf("log %+v, want first %+v", log, want)
		}
	})
}

// The dispatcher stops at a row that counts other events than it holds: to go on would lose
// them without a word.
func TestATornRowStopsTheLog(t *testing.T) {
	each(t, func(r rig) {
		r.tell("a.b", 1, 1, 3)
		r.write(func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, "UPDATE outbox SET n = 2")
			return err
		})
		if err := r.Drain(t.Context()); !errors.Is(err, errTorn) || len(r.log()) != 0 {
			t.Errorf("drained with %v, %d in the log", err, len(r.log()))
		}
	})
}

// Rows of many events, of few, and of one that is large: a batch ends at the end of a row,
// and the order of all of them stays.
func TestRowsKeepTheirOrder(t *testing.T) {
	each(t, func(r rig) {
		n := 0
		for _, size := range []int{1, 64, 65, 3, 130, 1, 1} {
			r.tell("a.b", 9, n, size)
			n += size
		}
		r.size.n = 10
		moved, err := r.step(t.Context())
		if err != nil || moved != 65 {
			t.Errorf("the first batch of 10 moved %d, %v; want both rows that it begins", moved, err)
		}
		r.drain()
		log := r.log()
		if len(log) != n {
			t.Fatalf("%d events in the log of %d", len(log), n)
		}
		for i, e := range log {
			if want := fmt.Sprintf(`{"n":%d}`, i); string(e.Body) != want || e.Position != int64(i+1) {
				t.Fatalf("place %d holds %d: %s, want %s", i, e.Position, e.Body, want)
			}
		}
	})
}

// A wipe finds a member's events among those of others in the rows that wait, over more
// rows than one call looks at, and leaves the rest as it was.
func TestWipeWaiting(t *testing.T) {
	each(t, func(r rig) {
		secret := func(member int64, kind string, n int) Event {
			e := of(kind, member, n)
			e.Body = MustBody(map[string]any{"n": n, "note": fmt.Sprintf("secret of %d", member)})
			return e
		}
		for i := range wipePage + 20 {
			r.write(func(ctx context.Context, tx *db.Tx) error {
				return AppendAll(ctx, tx, []Event{secret(7, "note.made", i+1), secret(8, "note.made", i+1), secret(7, "kept.kind", i+1)})
			})
		}
		calls := 0
		for from, done := int64(0), false; !done; calls++ {
			r.write(func(ctx context.Context, tx *db.Tx) error {
				next, end, err := Wipe(ctx, tx, id.Shard(7), 7, from, func(kind string) bool { return kind == "kept.kind" })
				if next != 0 {
					from = next
				}
				done = end
				return err
			})
		}
		if calls != 2 {
			t.Errorf("%d calls for two pages", calls)
		}
		list := r.read(func(ctx context.Context, tx *db.Tx) (list []Event, err error) {
			list, _, err = Waiting(ctx, tx, 0, 1000)
			return list, err
		})
		if len(list) != 3*(wipePage+20) {
			t.Fatalf("%d events wait", len(list))
		}
		for i, e := range list {
			want := string(secret(e.Member, e.Kind, i/3+1).Body)
			if e.Member == 7 && e.Kind == "note.made" {
				want = fmt.Sprintf(`{"n":%d}`, i/3+1)
			}
			if string(e.Body) != want {
				t.Fatalf("%s of %d: %s, want %s", e.Kind, e.Member, e.Body, want)
			}
		}
		r.drain()
	})
}

// Two erasures at once wipe events of two members in one row: neither brings back what the
// other wiped.
func TestWipesAtOnce(t *testing.T) {
	each(t, func(r rig) {
		const members = 8
		for range 5 {
			var list []Event
			for m := range members {
				e := of("note.made", int64(m+1), 0)
				e.Body = MustBody(map[string]string{"note": "secret"})
				list = append(list, e)
			}
			r.write(func(ctx context.Context, tx *db.Tx) error { return AppendAll(ctx, tx, list) })
		}
		errs := make(chan error, members)
		for m := range members {
			go func() {
				errs <- r.db.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
					_, _, err := Wipe(ctx, tx, id.Shard(int64(m+1)), int64(m+1), 0, func(string) bool { return false })
					return err
				})
			}()
		}
		for range members {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		r.drain()
		for _, e := range r.log() {
			if string(e.Body) != "{}" {
				t.Errorf("event %d of member %d: %s", e.Position, e.Member, e.Body)
			}
		}
	})
}

// A reader of one kind finds a rare one in a long log, and goes on behind what is of others.
func TestListOfARareKind(t *testing.T) {
	const long = 20_000
	each(t, func(r rig) {
		r.write(func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, fmt.Sprintf(`
				INSERT INTO event (position, shard, member_id, kind, at_ms, body)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				SELECT i, 0, 0, CASE i %% %d WHEN 0 THEN 'rare.kind' ELSE 'a.b' END, 0, '{}' FROM n`, 2*long+10, long+5))
			if err == nil {
				_, err = tx.ExecText(ctx, "UPDATE event_dispatcher SET position = $1", 2*long+10)
			}
			return err
		})
		check := func(after int64, limit int, wantLast int64, want ...int64) {
			t.Helper()
			list, last := r.list(after, "rare.kind", limit)
			var got []int64
			for _, e := range list {
				got = append(got, e.Position)
			}
			if last != wantLast || !reflect.DeepEqual(got, want) {
				t.Errorf("after %d: %v up to %d, want %v up to %d", after, got, last, want, wantLast)
			}
		}
		check(0, 10, 2*long+10, long+5, 2*long+10)
		check(0, 1, long+5, long+5)
		check(long, 1, long+5, long+5)
		check(long+5, 10, 2*long+10, 2*long+10)
		check(2*long+10, 10, 2*long+10)
		check(9*long, 10, 9*long)
	})
}

// The newest posting is known from the outbox as from the log, whatever times its events tell.
func TestNewest(t *testing.T) {
	each(t, func(r rig) {
		newest := func(want int64) {
			t.Helper()
			got, err := Newest(t.Context(), r.db)
			if err != nil || want == 0 && !got.IsZero() || want != 0 && got.UnixMilli() != want {
				t.Errorf("newest %v, %v; want %d", got, err, want)
			}
		}
		newest(0)
		post := noon.UnixMilli() + 5000 // another node's, whose clock is ahead
		e := of("a.b", 1, 1)
		e.AtMS = post + 99_000
		r.write(func(ctx context.Context, tx *db.Tx) error {
			row := Pack([]Event{e})[0]
			_, err := tx.ExecText(ctx, "INSERT INTO outbox (n, at_ms, events) VALUES ($1, $2, $3)", row.N, post, row.Events)
			return err
		})
		r.tell("a.b", 1, 2, 1)
		newest(post)
		r.drain()
		newest(post)
		r.clock.Advance(-1)
		r.tell("a.b", 1, 3, 1)
		r.drain()
		newest(post)
	})
}
