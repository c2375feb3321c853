//go:build torture

package torture

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/soak"
)

const page = 4096

// damage does something to the bytes of a database.
type damage struct {
	name string
	do   func(b []byte, rng *rand.Rand) []byte
}

var damages = []damage{
	{"one bit", func(b []byte, rng *rand.Rand) []byte {
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		return b
	}},
	{"bytes all over", func(b []byte, rng *rand.Rand) []byte {
		for range 1 + len(b)/(16*page) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		return b
	}},
	{"a page of nothing", func(b []byte, rng *rand.Rand) []byte {
		clear(b[page*rng.IntN(len(b)/page):][:page])
		return b
	}},
	{"a page in the place of another", func(b []byte, rng *rand.Rand) []byte {
		from, to := page*rng.IntN(len(b)/page), page*rng.IntN(len(b)/page)
		copy(b[to:to+page], b[from:from+page])
		return b
	}},
	{"a tail that is gone", func(b []byte, rng *rand.Rand) []byte { return b[:rng.IntN(len(b))] }},
}

// books is what every member has and how it came about, as the API shows it.
func (s *shop) books(c client) (list []any, err error) {
	for i := range s.members {
		var wallets []struct{ Available, Pending, Held, Debt int64 }
		if err := c.get(s.at(i, "/wallets"), &wallets); err != nil {
			return nil, err
		}
		entries, err := s.entries(c, i)
		if err != nil {
			return nil, err
		}
		list = append(list, wallets, entries)
	}
	return list, nil
}

// endHolds releases every hold that is open.
func (s *shop) endHolds(c client) {
	open := map[string]*note{}
	for _, n := range s.notes {
		switch {
		case n.outcome != granted:
		case n.kind == "hold":
			open[n.id] = n
		case n.kind == "capture" || n.kind == "release":
			delete(open, n.id)
		}
	}
	for _, n := range open {
		m := n.moves[0]
		s.do(c, s.note("release", "/v1/holds/"+n.id+"/release", j{}, move{m.member, 0, -m.held}))
	}
}

// O6: a database whose bytes have changed on the disk is noticed, by the start, by a read
// or by verify; where nobody notices, nobody has other money.
func TestRot(t *testing.T) {
	t.Parallel()
	p, shop, files := stocked(t)
	p.dir = write(t, files)
	s := p.start(t)
	l := shop.work(s.client, clients)
	time.Sleep(2 * time.Second)
	l.end()
	clean(t, "the load", shop.check(s.client, recent))
	shop.endHolds(s.client) // when one ends is said in one place only: another instant would be believed
	truth, err := shop.books(s.client)
	if err != nil {
		t.Fatal(err)
	}
	s.stop(t)
	files = read(t, p.dir)
	noticed, harmless := 0, 0
	for i := range soak.Count("TORTURE_COPIES", 50) {
		rng := rand.New(rand.NewPCG(shop.seed, uint64(i)))
		how := damages[i%len(damages)]
		copied := maps.Clone(files)
		copied["patron.db"] = how.do(slices.Clone(files["patron.db"]), rng)
		p.dir = write(t, copied)
		if _, err := p.tool("verify"); err != nil {
			noticed++
			continue
		}
		s := p.launch(t)
		select {
		case s.url = <-s.origin:
		case <-s.ended:
			noticed++
			continue
		}
		got, err := shop.books(s.client)
		s.kill()
		if err != nil {
			noticed++
		} else if a, b := must(got), must(truth); string(a) != string(b) {
			t.Errorf("copy %d, %s: other money, and nobody noticed", i, how.name)
		} else {
			harmless++
		}
	}
	t.Logf("%d bytes; of the damaged copies %d were noticed, %d had lost nothing", len(files["patron.db"]), noticed, harmless)
}

// O6: a log that was damaged or cut is used up to the damage. So the books are those of an
// earlier instant, whole; or they are noticed to be none. Never are they anything else.
func TestRottenLog(t *testing.T) {
	t.Parallel()
	p, shop, files := stocked(t)
	p.dir = write(t, files)
	s := p.start(t)
	l := shop.work(s.client, clients)
	time.Sleep(time.Second)
	s.kill()
	l.end()
	files = read(t, p.dir)
	if len(files["patron.db-wal"]) < 10*page {
		t.Fatal("there is no log to damage")
	}
	s = p.start(t)
	truth := map[int][]entry{}
	for i := range shop.members {
		var err error
		if truth[i], err = shop.entries(s.client, i); err != nil {
			t.Fatal(err)
		}
	}
	s.kill()
	noticed, earlier, same := 0, 0, 0
	for i := range soak.Count("TORTURE_LOGS", 30) {
		rng := rand.New(rand.NewPCG(shop.seed, uint64(i)))
		how := damages[i%len(damages)]
		copied := maps.Clone(files)
		delete(copied, "patron.db-shm") // the index of the log is made anew, as after a start of the machine
		copied["patron.db-wal"] = how.do(slices.Clone(files["patron.db-wal"]), rng)
		p.dir = write(t, copied)
		if _, err := p.tool("verify"); err != nil {
			noticed++
			continue
		}
		s := p.start(t)
		short := false
		for m := range shop.members {
			got, err := shop.entries(s.client, m)
			if err != nil {
				t.Fatal(err)
			}
			if was := truth[m]; !within(got, was) {
				t.Errorf("copy %d, %s: %s has entries that never were", i, how.name, shop.members[m])
			} else if len(got) < len(was) {
				short = true
			}
		}
		s.kill()
		if short {
			earlier++
		} else {
			same++
		}
	}
	t.Logf("log of %d bytes; of the damaged copies %d were noticed, %d were the books of an earlier instant, %d had lost nothing", len(files["patron.db-wal"]), noticed, earlier, same)
}

// within reports whether the books of a member are the beginning of others, newest first.
func within(got, all []entry) bool {
	if len(got) > len(all) {
		return false
	}
	return slices.Equal(got, all[len(all)-len(got):])
}
