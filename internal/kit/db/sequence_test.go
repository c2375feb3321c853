package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// given collects integers that were given out, and who got which.
type given struct {
	mu  sync.Mutex
	all map[int64]bool
}

func (g *given) add(t *testing.T, first int64, n int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = map[int64]bool{}
	}
	for i := first; i < first+int64(n); i++ {
		if i < 1 || g.all[i] {
			t.Errorf("%d was given twice, or is none", i)
		}
		g.all[i] = true
	}
}

// No integer is given twice: not in one process, in or out of transactions, nor by two
// nodes, nor by the next process after this one.
func TestNextIDs(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			o := dbtest.Options(t, e)
			nodes := []*db.DB{dbtest.OpenAt(t, o)}
			if e == db.Postgres {
				nodes = append(nodes, dbtest.OpenAt(t, o))
			}
			var g given
			var all sync.WaitGroup
			for worker := range 8 {
				d := nodes[worker%len(nodes)]
				all.Go(func() { draw(t, d, &g, worker) })
			}
			all.Wait()
			for _, d := range nodes {
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
			draw(t, dbtest.OpenAt(t, o), &g, 0)
		})
	}
}

func draw(t *testing.T, d *db.DB, g *given, worker int) {
	for i := range 40 {
		n := 1 + (worker*i)%37
		take := func(ctx context.Context) error {
			first, err := d.NextIDs(ctx, "member", n)
			if err == nil {
				g.add(t, first, n)
			}
			return err
		}
		var err error
		if i%2 == 0 {
			err = take(t.Context())
		} else {
			err = d.InTx(t.Context(), func(ctx context.Context, _ *db.Tx) error { return take(ctx) })
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestFirstID(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, name := range []string{"a", "b"} {
			for want := int64(1); want < 40; want++ {
				if got, err := d.NextID(t.Context(), name); err != nil || got != want {
					t.Fatalf("%s: %d, %v; want %d", name, got, err, want)
				}
			}
		}
	})
}

// Integers that were leased in a transaction that is undone are not kept in memory as
// well: that would give them out twice.
func TestNextIDUndone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var g given
		for range 3 {
			err := d.InTx(t.Context(), func(ctx context.Context, _ *db.Tx) error {
				for range 40 { // over the first block
					if _, err := d.NextID(ctx, "a"); err != nil {
						return err
					}
				}
				return errMine
			})
			if !errors.Is(err, errMine) {
				t.Fatal(err)
			}
			for range 100 {
				first, err := d.NextID(t.Context(), "a")
				if err != nil {
					t.Fatal(err)
				}
				g.add(t, first, 1)
			}
		}
	})
}
