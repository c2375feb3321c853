package staff

import (
	"net/netip"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrSlow refuses a sign-in that comes too soon after others that failed.
var ErrSlow = errs.New(errs.TooMany, "staff.slow_down", "Too many attempts. Try again in {retry_after} seconds.", "尝试次数过多，请在 {retry_after} 秒后重试。")

// The budgets: free attempts, then one second's wait that doubles with each further one.
// Never for ever: whoever waits gets the next attempt.
const (
	freeByAccount = 5
	freeByAddress = 20 // a shop has one address for many people
	longestWait   = 15 * time.Minute
	freeGlobal    = 600 // a minute, of everybody who comes from where they have not been
	globalWindow  = time.Minute
	forgetAfter   = time.Hour // without an attempt
	maxGuesses    = 20_000    // in memory, each kind; the oldest goes first
)

// guesses counts attempts to sign in: by account, by address, and all of them together, so
// that a guesser with many of both gets no further than that. Who comes from where they
// have signed in before is not counted with all: a flood does not keep them out.
//
// It is kept in memory:
// every node counts for itself and a restart forgets, which gives a guesser of n nodes n
// times as few tries. With passwords of 15 characters that is nothing, and the database
// is not written to by strangers.
//
// An attempt is counted before it is evaluated, so that many at once are counted too, and
// taken back when it succeeds. Whether the account exists makes no difference.
type guesses struct {
	mu        sync.Mutex
	byAccount map[string]*tries
	byAddress map[string]*tries
	known     map[string]time.Time // account and address that signed in together
	window    time.Time            // when the minute of global began
	global    int                  // attempts in it
}

type tries struct {
	n     int
	last  time.Time
	until time.Time // no attempt before this
}

func newGuesses() *guesses {
	return &guesses{byAccount: map[string]*tries{}, byAddress: map[string]*tries{}, known: map[string]time.Time{}}
}

// admit counts an attempt, or gives ErrSlow.
func (g *guesses) admit(account, ip string, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	address := Network(ip)
	key := g.accountKey(account, address)
	byAccount := find(g.byAccount, key, now)
	byAddress := find(g.byAddress, address, now)
	wait := max(byAccount.until.Sub(now), byAddress.until.Sub(now))
	if wait <= 0 && key == account {
		wait = g.countGlobal(now)
	}
	if wait > 0 {
		return ErrSlow.With("retry_after", int((wait+time.Second-1)/time.Second))
	}
	byAccount.count(freeByAccount, now)
	byAddress.count(freeByAddress, now)
	return nil
}

// countGlobal counts an attempt among all of its minute, or says how long that lasts.
func (g *guesses) countGlobal(now time.Time) (wait time.Duration) {
	if age := now.Sub(g.window); age >= globalWindow || age < 0 {
		g.window, g.global = now, 0
	}
	if g.global >= freeGlobal {
		return g.window.Add(globalWindow).Sub(now)
	}
	g.global++
	return 0
}

// accountKey gives an address from which the account has signed in a budget of its own:
// strangers who guess cannot lock out a person at their usual place.
func (g *guesses) accountKey(account, address string) string {
	if pair := account + " " + address; !g.known[pair].IsZero() {
		return pair
	}
	return account
}

// succeed takes back what admit counted for an attempt that succeeded.
func (g *guesses) succeed(account, ip string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	address := Network(ip)
	key := g.accountKey(account, address)
	delete(g.byAccount, key)
	if key == account && g.global > 0 {
		g.global--
	}
	if t := g.byAddress[address]; t != nil && t.n > 0 {
		t.n--
		t.until = time.Time{}
	}
	if len(g.known) >= maxGuesses {
		dropOldest(g.known, func(at time.Time) time.Time { return at })
	}
	g.known[account+" "+address] = now
}

func (t *tries) count(free int, now time.Time) {
	t.n++
	t.last = now
	if over := t.n - free; over >= 0 {
		t.until = now.Add(min(longestWait, time.Second<<min(over, 20)))
	}
}

// find returns the tries of a key, new ones where there are none or they are long past.
func find(in map[string]*tries, key string, now time.Time) *tries {
	t := in[key]
	if t != nil && now.Sub(t.last) < forgetAfter {
		return t
	}
	if t == nil && len(in) >= maxGuesses {
		dropOldest(in, func(t *tries) time.Time { return t.last })
	}
	t = &tries{last: now}
	in[key] = t
	return t
}

// dropOldest makes room for one more. It looks at a sample, as a full search of a full map
// would be work that a stranger can cause.
func dropOldest[T any](in map[string]T, at func(T) time.Time) {
	const sample = 20
	var oldest string
	var when time.Time
	seen := 0
	for key, v := range in {
		if seen == 0 || at(v).Before(when) {
			oldest, when = key, at(v)
		}
		if seen++; seen == sample {
			break
		}
	}
	delete(in, oldest)
}

// Network is what an address is counted by: one household has one IPv4 address, or 2^64
// of IPv6.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
