//go:build torture

package torture

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

const (
	members = 40
	clients = 8
	// recent is how many answers are asked for again after a blow: more than eight clients
	// can have been given since it fell.
	recent = 100
)

// newPlace is a fresh database of an engine.
func newPlace(t *testing.T, e db.Engine) place {
	t.Helper()
	p := place{binary: patron(), dir: t.TempDir()}
	if e == db.Postgres {
		p.url = dbtest.URL(t)
	}
	return p.furnished(t)
}

// clean fails the test with what was found, and stops it: what comes after would only say
// the same again.
func clean(t *testing.T, when string, faults []string) {
	t.Helper()
	for i, f := range faults {
		if i == 10 {
			t.Errorf("and %d more", len(faults)-i)
			break
		}
		t.Error(f)
	}
	if t.Failed() {
		t.Fatal("after ", when)
	}
}

// L9: a server that is killed at any moment, again and again, loses nothing that it has
// answered, keeps nothing by halves, and does nothing twice.
func TestKill(t *testing.T) {
	t.Parallel()
	cycles := soak.Count("TORTURE_CYCLES", 100)
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, e)
			s := p.start(t)
			shop := newShop(t, s.client, members)
			for cycle := range cycles {
				l := shop.work(s.client, clients)
				time.Sleep(time.Duration(20+rand.IntN(400)) * time.Millisecond)
				s.kill()
				l.end()
				if cycle%10 == 9 { // also while it starts
					s = p.launch(t)
					time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
					s.kill()
				}
				if cycle%20 == 19 {
					p.verify(t)
				}
				s = p.start(t)
				clean(t, "a kill", shop.check(s.client, recent))
			}
			clean(t, "all kills", shop.audit(s.client))
			s.stop(t)
			p.verify(t)
			t.Logf("%d kills, %d requests", cycles, len(shop.notes))
		})
	}
}
