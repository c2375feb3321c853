package ledger

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// wild is a clock that a test sets, also back: that of another node.
type wild struct {
	mu  sync.Mutex
	now time.Time
}

func (w *wild) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *wild) set(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = t
}

// node starts one more Engine on the same database, on a clock of its own.
func (b *bench) node(c clock.Clock) *Engine {
	b.t.Helper()
	e, err := NewEngine(b.t.Context(), b.db, c, slog.New(slog.DiscardHandler), func() *Config { return b.config }, EngineOptions{Workers: 1})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(e.Close)
	return e
}

const year = 365 * 24 * time.Hour

// Whatever the clocks of the nodes say, the books add up, and what has ended stays ended.
func TestSkewedClocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, skews := range map[string][]time.Duration{
			"minutes": {0, -5 * time.Minute, 5 * time.Minute, time.Second, -time.Second},
			"a year":  {0, -year, year},
		} {
			b := newBench(t, d, 1)
			clocks := [2]*wild{{}, {}}
			nodes := [2]*Engine{b.node(clocks[0]), b.node(clocks[1])}
			dice := rand.New(rand.NewPCG(7, uint64(len(name))))
			var ended int64
			for i := range 150 {
				k := dice.IntN(2)
				at := time.UnixMilli(noon).Add(time.Duration(i)*10*time.Hour + skews[dice.IntN(len(skews))])
				clocks[k].set(at)
				member := int64(len(name)*100 + dice.IntN(3))
				c := Command(earn(member, []int64{1, 4}[dice.IntN(2)], 100))
				switch dice.IntN(4) {
				case 0:
					c = spend(member, 1, 1+dice.Int64N(150))
				case 1:
					c = on(member, func(*State, *Account) (any, error) { return nil, nil }) // settles alone
				}
				nodes[k].Do(t.Context(), Request{Command: c, Actor: "test"})
				now := b.number(`SELECT CAST(COALESCE(SUM(expired), 0) AS BIGINT) FROM lot`)
				if now < ended {
					t.Fatalf("%s, step %d: %d points had ended, now %d", name, i, ended, now)
				}
				ended = now
			}
			if ended == 0 {
				t.Errorf("%s: nothing ended, so nothing was tried", name)
			}
		}
		newBench(t, d, 1).clean()
	})
}

// A machine's clock that leaps a year ends no points before their day, and every posting
// stands after the one before it.
func TestLeap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var mu sync.Mutex
		wall, passed := time.UnixMilli(noon), time.Duration(0)
		move := func(set, pass time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			wall, passed = wall.Add(set+pass), passed+pass
		}
		b := newBench(t, d, 1)
		read := func() (time.Time, time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			return wall, passed
		}
		e := b.node(clock.New(read, func() time.Duration { return 0 }))
		post := func(c Command) {
			t.Helper()
			if a := e.Do(t.Context(), Request{Command: c, Actor: "test"}); a.Err != nil {
				t.Fatal(a.Err)
			}
		}
		post(earn(1, 1, 100)) // for thirty days
		for _, set := range []time.Duration{year, -year, -year, year, time.Hour, -time.Hour} {
			move(set, time.Minute)
			post(earn(1, 1, 10))
			post(spend(1, 1, 5))
		}
		if w := b.wallet(1, 1); w.Active != 130 {
			t.Errorf("%+v", w)
		}
		back := b.number(`
			SELECT COUNT(*)
			FROM entry AS a
			JOIN entry AS b ON b.shard = a.shard AND b.member_id = a.member_id AND b.seq = a.seq + 1
			WHERE b.at_ms < a.at_ms`)
		if back != 0 {
			t.Errorf("%d entries stand before the one in front of them", back)
		}
		move(31*24*time.Hour, 31*24*time.Hour) // the day itself, with the clock a month wrong besides
		post(earn(1, 1, 1))
		if w := b.wallet(1, 1); w.Active != 1 {
			t.Errorf("after the day: %+v", w)
		}
		b.clean()
	})
}
