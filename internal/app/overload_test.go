package app_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Three times as many lists as there is room for: some are refused and told when to return,
// every posting goes through meanwhile, and afterwards a list is answered at once.
func TestCrowdOfLists(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		for range 30 {
			a.Member()
		}
		m := a.Member()
		const callers, each, postings = 400, 3, 60
		var refused, served, bad atomic.Int64
		var crowd, tills sync.WaitGroup
		for range callers {
			crowd.Go(func() {
				for range each {
					r, err := a.Send(http.MethodGet, "/v1/members?limit=200", nil)
					switch {
					case err == nil && r.Status == http.StatusOK:
						served.Add(1)
					case err == nil && r.Status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") == "2":
						refused.Add(1)
					default:
						bad.Add(1)
						t.Logf("%v %d %s", err, r.Status, r.Body)
					}
				}
			})
		}
		var worst atomic.Int64
		for range 4 {
			tills.Go(func() {
				for range postings / 4 {
					began := time.Now()
					r, err := a.Send(http.MethodPost, "/v1/sales", a.Sale(apptest.J{"member": m}))
					if err != nil || r.Status != http.StatusCreated {
						t.Errorf("a posting in the crowd: %v %d %s", err, r.Status, r.Body)
					}
					for took := int64(time.Since(began)); ; {
						if old := worst.Load(); took <= old || worst.CompareAndSwap(old, took) {
							break
						}
					}
				}
			})
		}
		tills.Wait()
		crowd.Wait()
		if refused.Load() == 0 || served.Load() == 0 || bad.Load() > 0 {
			t.Errorf("lists: %d refused, %d served, %d neither", refused.Load(), served.Load(), bad.Load())
		}
		if w := time.Duration(worst.Load()); w > 10*time.Second {
			t.Errorf("the slowest posting took %v", w)
		}
		if got := a.Wallet(m).Available; got != 100*postings {
			t.Errorf("%d points for %d sales", got, postings)
		}
		began := time.Now()
		if a.Get("/v1/members?limit=200"); time.Since(began) > 5*time.Second {
			t.Errorf("afterwards a list took %v", time.Since(began))
		}
		t.Logf("%d lists served, %d refused; slowest posting %v", served.Load(), refused.Load(), time.Duration(worst.Load()))
	})
}
