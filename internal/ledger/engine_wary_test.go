package ledger

import (
	"context"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// The time of a posting is known as soon as it is there, before anybody dispatches its
// events, and stays known after: the clock of the next start must not be behind it.
func TestNewestPosting(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		check := func(when string) {
			t.Helper()
			if at, err := event.Newest(t.Context(), d); err != nil || !at.Equal(b.clock.Now()) {
				t.Errorf("%s: %v, %v; want %v", when, at, err, b.clock.Now())
			}
		}
		b.must(earn(1, 1, 5))
		b.clock.Advance(time.Hour)
		b.must(earn(2, 1, 5))
		check("waiting")
		b.dispatch()
		check("dispatched")
	})
}

// A batch that meets a document it took for new looks for such rows from then on. One whose
// new member was made by another meanwhile only tries again: nothing was taken for granted
// wrongly, and to look for all documents costs every sale of the next batches.
func TestWary(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, 1)
		w, err := b.store.worker(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		l := &lane{worker: w, queue: b.queues[0]}
		post := func(c cmd) Answer {
			t.Helper()
			k := &task{ctx: t.Context(), req: Request{Command: c}, answer: make(chan Answer, 1)}
			if _, err := b.post(t.Context(), l, []*task{k}, func() {}); err != nil {
				t.Fatal(err)
			}
			return <-k.answer
		}
		if d.Engine() == db.Postgres { // on SQLite nobody writes beside a batch
			c := documented(3, 1, "A")
			made, other := make(chan struct{}), make(chan error, 1)
			do, tries := c.do, 0
			c.do = func(s *State) (any, error) {
				if tries++; tries == 1 { // it is loaded, and no account was there
					go func() {
						other <- d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
							_, err := tx.Exec(ctx, accountTable.insert, pgArrays((&Account{ID: 3, Shard: id.Shard(3), MayEarn: true, MaySpend: true}).row())...)
							return err
						})
						close(made)
					}()
					<-made
				}
				return do(s)
			}
			a := post(c)
			if err := <-other; err != nil {
				t.Fatal(err)
			}
			if a.Err != nil || tries != 2 || l.wary != 0 {
				t.Errorf("a member whom another made: %v after %d tries, wary for %d", a.Err, tries, l.wary)
			}
		}
		first := post(documented(4, 1, "B"))
		if first.Err != nil || l.wary != 0 {
			t.Errorf("a new document: %v, wary for %d", first.Err, l.wary)
		}
		if again := post(documented(4, 1, "B")); again.Err != nil || again.Value.(moved).Entry != first.Value.(moved).Entry || l.wary != waryFor-1 {
			t.Errorf("a document that is there: %+v, want %+v; wary for %d", again, first, l.wary)
		}
		b.clean()
	})
}

// pgArrays are the arguments of an insertion of one row of integers and bytes.
func pgArrays(row []any) (args []any) {
	for _, v := range row {
		switch v := v.(type) {
		case int64:
			args = append(args, []int64{v})
		case []byte:
			args = append(args, [][]byte{v})
		}
	}
	return args
}
