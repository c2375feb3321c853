package member

import (
	"fmt"
	"testing"
	"time"
)

// Each row is what happens between the read of an old value and its arrival in the cache.
func TestCache(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		between func(c *cache[string, int])
		later   time.Duration
		kept    bool
	}{
		{"nothing", func(*cache[string, int]) {}, 0, true},
		{"the key is written", func(c *cache[string, int]) { c.forget("k") }, 0, false},
		{"still fresh", func(*cache[string, int]) {}, staleFor - 1, true},
		{"stale", func(*cache[string, int]) {}, staleFor, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCache[string, int](staleFor)
			_, mark, ok := c.get("k", noon, time.Time{})
			if ok {
				t.Fatal("something in an empty cache")
			}
			tt.between(c)
			c.put("k", 7, mark, noon)
			if v, _, ok := c.get("k", noon.Add(tt.later), time.Time{}); ok != tt.kept || ok && v != 7 {
				t.Errorf("got %d, %v; want kept %v", v, ok, tt.kept)
			}
			c.forget("k")
			if _, _, ok := c.get("k", noon, time.Time{}); ok {
				t.Error("kept after it was forgotten")
			}
		})
	}
}

// However much is put, the cache holds no more than its bound, and the newest stay.
func TestCacheBound(t *testing.T) {
	t.Parallel()
	c := newCache[string, int](staleFor)
	const n = 3 * stripes * stripeLimit
	for i := range n {
		key := fmt.Sprint(i)
		_, mark, _ := c.get(key, noon, time.Time{})
		c.put(key, i, mark, noon)
	}
	held := 0
	for i := range c.stripes {
		held += len(c.stripes[i].young) + len(c.stripes[i].old)
	}
	if held > 2*stripes*stripeLimit {
		t.Errorf("%d entries, at most %d", held, 2*stripes*stripeLimit)
	}
	if _, _, ok := c.get(fmt.Sprint(n-1), noon, time.Time{}); !ok {
		t.Error("the newest is gone")
	}
}
