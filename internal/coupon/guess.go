package coupon

import (
	"context"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ErrSlow refuses to look up a code after too many that were not there.
var ErrSlow = errs.New(errs.TooMany, "coupon.slow_down", "Too many codes that are not there. Try again in {retry_after} seconds.", "尝试的券码有误次数过多，请在 {retry_after} 秒后重试。")

// The budgets of codes that are not there: so many are free, then one second's wait that
// doubles with each further one. A code of 65 bits is not guessed in any case; this keeps short
// patterns of vouchers that members hold from being tried out, and the database from being
// asked for nothing.
const (
	freeMisses        = 10
	freeMissesAddress = 60 // a shop has one address for many people
	longestWait       = 10 * time.Minute
	forgetAfter       = time.Hour
	maxGuessers       = 20_000 // in memory, of each kind; an old one goes first
)

// guesses counts misses by caller and by address. It is kept in memory: every node counts for
// itself. A look-up is counted before it is made, so that many at once are counted too, and
// taken back when it finds something.
type guesses struct {
	mu  sync.Mutex
	who map[string]*tries
}

type tries struct {
	n     int
	last  time.Time
	until time.Time // nothing is looked up before this
}

// admit counts a look-up of the caller of ctx, or gives ErrSlow. What it returns takes the
// count back.
func (g *guesses) admit(ctx context.Context, now time.Time) (found func(), err error) {
	c := api.CallerOf(ctx)
	keys := []struct {
		name string
		free int
	}{{c.Kind + " " + c.ID, freeMisses}, {"ip " + staff.Network(api.RequestInfo(ctx).IP), freeMissesAddress}}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.who == nil {
		g.who = map[string]*tries{}
	}
	var all []*tries
	for _, k := range keys {
		t := g.find(k.name, now)
		if wait := t.until.Sub(now); wait > 0 {
			return nil, ErrSlow.With("retry_after", int((wait+time.Second-1)/time.Second))
		}
		all = append(all, t)
	}
	for i, k := range keys {
		t := all[i]
		t.n, t.last = t.n+1, now
		if over := t.n - k.free; over > 0 {
			t.until = now.Add(min(longestWait, time.Second<<min(over-1, 20)))
		}
	}
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, t := range all {
			t.n, t.until = max(0, t.n-1), time.Time{}
		}
	}, nil
}

func (g *guesses) find(name string, now time.Time) *tries {
	t := g.who[name]
	if t != nil && now.Sub(t.last) < forgetAfter {
		return t
	}
	if t == nil && len(g.who) >= maxGuessers {
		g.drop()
	}
	t = &tries{last: now}
	g.who[name] = t
	return t
}

// drop makes room for one more: the oldest of a sample.
func (g *guesses) drop() {
	var oldest string
	var when time.Time
	seen := 0
	for name, t := range g.who {
		if seen == 0 || t.last.Before(when) {
			oldest, when = name, t.last
		}
		if seen++; seen == 20 {
			break
		}
	}
	delete(g.who, oldest)
}
