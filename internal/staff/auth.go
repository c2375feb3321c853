package staff

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// How a request is signed in. A key or session that was read from the database stays in
// memory as a pass; a hit costs one hash and one look in a map.
//
// How a revocation reaches every node within a second: whatever takes a right away raises
// staff_state.version in its own transaction. Passes are trusted only for trustFor after
// the *beginning* of the last look at that number; a higher number makes the node forget
// all its passes. Run looks every pollEvery; where it could not (the database is slow, or
// Run is not running), the next request looks before it trusts. So no node goes by a pass
// that was revoked more than trustFor ago, and a database that cannot be asked lets
// nobody in.
const (
	pollEvery = 300 * time.Millisecond
	trustFor  = 900 * time.Millisecond
	// maxPasses bounds the memory: about 300 bytes each. A full map is emptied, which
	// costs each key one read and needs no order kept on the hot path.
	maxPasses = 20_000
)

// pass is a key or session that was found good.
type pass struct {
	caller  api.Caller // shared by all requests: nobody writes to its map or lists
	account int64      // 0 for a key
	number  int64      // of the key or the session
	until   int64      // Unix ms, exclusive: key's expiry or session's greatest age; 0 = none
	seen    atomic.Int64

	networks []netip.Prefix // of a key: from where it may be used; empty for anywhere
}

// isKey tells keys from sessions: a key in a cookie opens nothing, nor the other way.
func (p *pass) isKey() bool { return p.account == 0 }

// good reports whether the pass still holds by the clock alone.
func (p *pass) good(nowMS int64) bool {
	if p.until != 0 && nowMS >= p.until {
		return false
	}
	return p.isKey() || nowMS-p.seen.Load() < idleLimit.Milliseconds()
}

type token [sha256.Size]byte

// passes is the memory of one node.
type passes struct {
	mu      sync.RWMutex
	byToken map[token]*pass
	// epoch grows when passes are forgotten. A pass that was read from the database before
	// that is not put in after it.
	epoch uint64

	looking sync.Mutex   // one look at the version at a time
	version int64        // last seen; under looking
	trusted atomic.Int64 // nanoseconds since start until which passes may be used
	start   time.Time    // monotonic: the fake clock of tests and jumps of the wall do not matter here
}

func newPasses() *passes {
	return &passes{byToken: map[token]*pass{}, start: time.Now()}
}

func (m *passes) fresh() bool { return int64(time.Since(m.start)) < m.trusted.Load() }

// refresh looks at the version unless another look began less than spare ago.
func (m *passes) refresh(ctx context.Context, look func(context.Context) (int64, error), spare time.Duration) error {
	m.looking.Lock()
	defer m.looking.Unlock()
	began := time.Since(m.start)
	if spare > 0 && time.Duration(m.trusted.Load()) > began+trustFor-spare {
		return nil // somebody looked while this one waited
	}
	version, err := look(ctx)
	if err != nil {
		return err
	}
	if version != m.version {
		m.version = version
		m.forget()
	}
	m.trusted.Store(int64(began + trustFor))
	return nil
}

// get returns a pass and the epoch in which it, or its absence, was seen.
func (m *passes) get(t token) (*pass, uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.byToken[t], m.epoch
}

// put keeps a pass that was read in an epoch, if that epoch lasts.
func (m *passes) put(t token, p *pass, epoch uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if epoch != m.epoch {
		return
	}
	if len(m.byToken) >= maxPasses {
		clear(m.byToken)
	}
	m.byToken[t] = p
}

// forget drops every pass.
func (m *passes) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.byToken)
	m.epoch++
}

// Authenticate finds out who makes a request, from its bearer key or its session cookie.
// The Caller is shared: do not write to its map or its lists.
func (s *Service) Authenticate(ctx context.Context, r *http.Request) (api.Caller, error) {
	secret, isKey := credentials(r)
	if secret == "" {
		return api.Caller{}, api.ErrUnauthenticated
	}
	if !s.passes.fresh() {
		if err := s.passes.refresh(ctx, s.version, trustFor/2); err != nil {
			return api.Caller{}, err
		}
	}
	t := token(sha256.Sum256([]byte(secret)))
	now := s.clock.Now().UnixMilli()
	p, epoch := s.passes.get(t)
	if p == nil || p.isKey() != isKey || !p.good(now) {
		var err error
		if p, err = s.readPass(ctx, t, isKey, now); err != nil {
			return api.Caller{}, err
		}
		s.passes.put(t, p, epoch)
	}
	if !within(p.networks, api.RequestInfo(ctx).IP) {
		return api.Caller{}, ErrNetwork
	}
	if !api.RequestInfo(ctx).Watching {
		s.touch(p, now)
	}
	return p.caller, nil
}

// credentials takes the key or the session's token out of a request. Where both are sent
// the key counts.
func credentials(r *http.Request) (secret string, isKey bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, key, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") || len(key) > maxSecret {
			return "", true
		}
		return strings.TrimSpace(key), true
	}
	c, err := r.Cookie(cookieName(api.RequestInfo(r.Context()).Secure))
	if err != nil || len(c.Value) > maxSecret {
		return "", false
	}
	return c.Value, false
}

// maxSecret bounds what is hashed; ours are shorter.
const maxSecret = 128

// readPass reads a key or session from the database, or gives ErrUnauthenticated.
func (s *Service) readPass(ctx context.Context, t token, isKey bool, now int64) (p *pass, err error) {
	read := readSessionPass
	if isKey {
		read = readKeyPass
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		p, err = read(ctx, tx, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !p.good(now) {
		return nil, api.ErrUnauthenticated
	}
	return p, nil
}

// version reads the number that says whether passes still hold.
func (s *Service) version(ctx context.Context) (v int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		v, err = readVersion(ctx, tx)
		return err
	})
	return v, err
}

// touchEvery is how exactly the last use of a key or session is known. A session may thus
// count as idle a minute early.
const touchEvery = time.Minute

// touch notes that a pass is in use, at most once a minute, and leaves the writing to Run.
func (s *Service) touch(p *pass, now int64) {
	seen := p.seen.Load()
	if now-seen >= touchEvery.Milliseconds() && p.seen.CompareAndSwap(seen, now) {
		s.touched.add(p, now)
	}
}

// touched are the uses that have not been written down yet.
type touched struct {
	mu       sync.Mutex
	keys     map[int64]int64 // number → Unix ms
	sessions map[int64]int64
}

func newTouched() *touched {
	return &touched{keys: map[int64]int64{}, sessions: map[int64]int64{}}
}

// add is bounded by what there is: one place for each key and session in use.
func (t *touched) add(p *pass, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	to := t.sessions
	if p.isKey() {
		to = t.keys
	}
	if len(to) < maxPasses {
		to[p.number] = now
	}
}

func (t *touched) take() (keys, sessions map[int64]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys, sessions = t.keys, t.sessions
	t.keys, t.sessions = map[int64]int64{}, map[int64]int64{}
	return keys, sessions
}

// flushSlice is how many uses one transaction writes: well under 5 ms.
const flushSlice = 50

// flush writes down which keys and sessions were used. What it cannot write is lost: the
// next use notes itself again.
func (s *Service) flush(ctx context.Context) error {
	keys, sessions := s.touched.take()
	if err := s.write(ctx, touchKeySQL, keys); err != nil {
		return err
	}
	return s.write(ctx, touchSessionSQL, sessions)
}

func (s *Service) write(ctx context.Context, stmt *db.Stmt, uses map[int64]int64) error {
	for len(uses) > 0 {
		slice := map[int64]int64{}
		for n, at := range uses {
			if slice[n] = at; len(slice) == flushSlice {
				break
			}
		}
		for n := range slice {
			delete(uses, n)
		}
		err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
			for n, at := range slice {
				if _, err := tx.Exec(ctx, stmt, n, at); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
