//go:build torture

package torture

import (
	"bufio"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/soak"
)

// both is a load that two servers of one database share: each request goes to one of them,
// or to both at once.
type both struct {
	shop   *shop
	to     [2]client
	steady int // which one has to answer everything
	stop   chan struct{}
	all    sync.WaitGroup
}

func (s *shop) workBoth(to [2]client, steady, clients int) *both {
	b := &both{shop: s, to: to, steady: steady, stop: make(chan struct{})}
	for range clients {
		w := &clerk{shop: s, rng: rand.New(rand.NewPCG(s.seed, uint64(s.n.Add(1))))}
		b.all.Go(func() {
			for {
				select {
				case <-b.stop:
					return
				default:
					b.send(w.next(), w.rng.IntN(3))
				}
			}
		})
	}
	return b
}

// send sends to the first server, the second, or (2) to both.
func (b *both) send(n *note, where int) {
	b.shop.plan(n)
	var sent sync.WaitGroup
	for i, c := range b.to {
		if where == 2 || where == i {
			sent.Go(func() {
				a, err := c.ask(http.MethodPost, n.path, n.key, n.body)
				b.shop.hear(n, a, err, i == b.steady)
			})
		}
	}
	sent.Wait()
}

func (b *both) end() {
	close(b.stop)
	b.all.Wait()
}

// Two servers on one PostgreSQL, under one load, of which one after the other is killed
// and started again: nothing is lost or doubled, and the one that lives answers every
// request. Neither a deadlock nor a conflict nor what the dead one left locked comes
// through to a caller.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	const n = 8 // few members, so that the two meet
	places := [2]place{newPlace(t, db.Postgres)}
	places[1] = places[0]
	places[1].dir = write(t, map[string][]byte{"patron.keys": read(t, places[0].dir)["patron.keys"]})
	var servers [2]*server
	servers[0] = places[0].start(t)
	shop := newShop(t, servers[0].client, n)
	servers[1] = places[1].start(t)
	cycles := soak.Count("TORTURE_NODES", 12)
	for cycle := range cycles {
		dies := cycle % 2
		lives := 1 - dies
		b := shop.workBoth([2]client{servers[0].client, servers[1].client}, lives, 2*clients)
		time.Sleep(time.Duration(200+rand.IntN(500)) * time.Millisecond)
		servers[dies].kill()
		time.Sleep(200 * time.Millisecond) // the other goes on, over what is left
		b.end()
		clean(t, "one of two was killed", shop.check(servers[lives].client, recent))
		servers[dies] = places[dies].start(t)
		clean(t, "it was started again", shop.check(servers[dies].client, recent))
	}
	clean(t, "all kills", shop.audit(servers[0].client))
	for _, s := range servers {
		s.stop(t)
	}
	places[0].verify(t)
	t.Logf("%d kills, %d requests", cycles, len(shop.notes))
}

// cluster is a PostgreSQL of this test's own, which it may crash.
type cluster struct {
	url, dir string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	cmd := exec.Command(filepath.Join(root, "scripts", "with-postgres.sh"), "sh", "-c", `echo "$PATRON_TEST_POSTGRES"; cat >/dev/null`)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PATRON_TEST_POSTGRES=") })
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the end of its input ends it
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("end the cluster: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("PostgreSQL for this test: %v", err)
	}
	u, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return cluster{u.String(), u.Query().Get("host")}
}

// control is pg_ctl, as the user whom the cluster belongs to.
func (c cluster) control(t *testing.T, words ...string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if path, perr := exec.LookPath("pg_ctl"); perr == nil {
		found = append(found, path)
	}
	if err != nil || len(found) == 0 {
		t.Fatal("there is no pg_ctl: run scripts/setup.sh")
	}
	words = append([]string{found[len(found)-1], "-D", filepath.Join(c.dir, "data"), "-w"}, words...)
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		words = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = c.dir
	if err := cmd.Run(); err != nil { // it hands its output to the server, which never closes it
		t.Fatalf("%v: %v", words, err)
	}
}

// PostgreSQL itself crashes under the server, which goes on: what was answered is there
// when the database is back, and what was not is told by its key.
func TestDatabaseCrash(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := place{binary: patron(), dir: t.TempDir(), url: c.url}.furnished(t)
	s := p.start(t)
	shop := newShop(t, s.client, members)
	crashes := soak.Count("TORTURE_CRASHES", 6)
	for range crashes {
		l := shop.work(s.client, clients)
		time.Sleep(time.Duration(200+rand.IntN(400)) * time.Millisecond)
		c.control(t, "-m", "immediate", "stop")
		time.Sleep(100 * time.Millisecond)
		c.control(t, "-l", filepath.Join(c.dir, "log"), "start")
		l.end()
		clean(t, "the database crashed", shop.check(s.client, recent))
	}
	clean(t, "all crashes", shop.audit(s.client))
	s.stop(t)
	p.verify(t)
	t.Logf("%d crashes, %d requests", crashes, len(shop.notes))
}
