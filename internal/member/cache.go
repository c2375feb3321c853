package member

import (
	"hash/maphash"
	"sync"
	"time"
)

// The bounds of the caches. This node forgets at once what it changes; another may go on
// with an owner that has changed for staleFor: it asks every pollEvery whether an identifier
// was taken away anywhere, and keeps owners for as long as it has been told that none was
// (moved.go). It may go on with a merged record for mergedFor: the posting engine, which has
// the account under lock, says where it went. On the embedded database there is no other
// node.
const (
	staleFor    = 2 * time.Second
	pollEvery   = 500 * time.Millisecond
	mergedFor   = time.Minute
	keptFor     = 24 * time.Hour
	stripes     = 64
	stripeLimit = 1024 // two generations of it in each stripe: 131,072 entries, about 10 MB
)

// cache keeps what was read, for a moment.
//
// It never gives an answer older than a write of this process that has returned: a writer
// calls forget after its commit, and a reader puts what it read only if nothing in the
// stripe was forgotten since before it began to read.
type cache[K comparable, V any] struct {
	keep    time.Duration
	seed    maphash.Seed
	stripes [stripes]stripe[K, V]
}

type stripe[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]entry[V]
	forgotten  uint64 // grows with every forget
}

type entry[V any] struct {
	value V
	at    time.Time // when it was read
}

func newCache[K comparable, V any](keep time.Duration) *cache[K, V] {
	c := &cache[K, V]{keep: keep, seed: maphash.MakeSeed()}
	for i := range c.stripes {
		c.stripes[i].young = map[K]entry[V]{}
	}
	return c
}

func (c *cache[K, V]) of(key K) *stripe[K, V] {
	return &c.stripes[maphash.Comparable(c.seed, key)%stripes]
}

// get returns what is kept for key: for as long as the cache keeps things, or while now is
// before trusted, when nothing has changed elsewhere. Where there is nothing, it returns the
// mark that put wants.
func (c *cache[K, V]) get(key K, now, trusted time.Time) (value V, mark uint64, ok bool) {
	s := c.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.young[key]
	if !ok {
		if e, ok = s.old[key]; ok {
			s.add(key, e)
		}
	}
	if age := now.Sub(e.at); ok && (age < c.keep || age < keptFor && now.Before(trusted)) {
		return e.value, 0, true
	}
	return value, s.forgotten, false
}

// put keeps a value that was read after get gave the mark.
func (c *cache[K, V]) put(key K, value V, mark uint64, now time.Time) {
	s := c.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forgotten == mark {
		s.add(key, entry[V]{value, now})
	}
}

// add keeps an entry; a full generation becomes the old one, and the older one goes.
func (s *stripe[K, V]) add(key K, e entry[V]) {
	if len(s.young) >= stripeLimit {
		s.old, s.young = s.young, make(map[K]entry[V], stripeLimit)
	}
	s.young[key] = e
}

// forgetAll drops everything.
func (c *cache[K, V]) forgetAll() {
	for i := range c.stripes {
		s := &c.stripes[i]
		s.mu.Lock()
		clear(s.young)
		s.old = nil
		s.forgotten++
		s.mu.Unlock()
	}
}

// forget drops a key. Call it after the commit of the write that changed it.
func (c *cache[K, V]) forget(key K) {
	s := c.of(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.young, key)
	delete(s.old, key)
	s.forgotten++
}
