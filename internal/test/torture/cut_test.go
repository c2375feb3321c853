//go:build torture

package torture

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/soak"
	"github.com/patron-loyalty/patron/internal/test/torture/disk"
)

// stocked is a place with members, as files, and the shop that knows them.
func stocked(t *testing.T) (place, *shop, map[string][]byte) {
	t.Helper()
	p := newPlace(t, db.SQLite)
	s := p.start(t)
	shop := newShop(t, s.client, members)
	s.stop(t)
	return p, shop, read(t, p.dir)
}

// read reads the files of a folder.
func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range list {
		if f.Type().IsRegular() {
			if files[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return files
}

// write writes files into a new folder.
func write(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	fill(t, dir, files)
	return dir
}

func fill(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, bytes := range files {
		if err := os.WriteFile(filepath.Join(dir, name), bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mounted is a disk with a place on it. It goes away when the test ends.
func mounted(t *testing.T, p place, files map[string][]byte) (place, *disk.Disk) {
	t.Helper()
	p.dir = t.TempDir()
	d, err := disk.Mount(p.dir, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unmount(t, d) }) // after its server was killed, which is registered later
	return p, d
}

// unmount takes a disk away that nobody uses.
func unmount(t *testing.T, d *disk.Disk) {
	t.Helper()
	if err := d.Unmount(); err != nil {
		t.Fatal(err)
	}
}

// cuts cuts the power of a program again and again and returns what it then got wrong, at
// the first time that it does.
func cuts(t *testing.T, binary string, n int) (faults []string) {
	t.Helper()
	p, shop, files := stocked(t)
	p.binary = binary
	loose := 0
	for cut := range n {
		on, d := mounted(t, p, files)
		s := on.start(t)
		if faults := shop.check(s.client, recent); len(faults) > 0 {
			s.kill()
			unmount(t, d)
			return faults
		}
		loss := disk.Losses[cut%len(disk.Losses)]
		rng := rand.New(rand.NewPCG(shop.seed, uint64(cut)))
		l := shop.work(s.client, clients)
		time.Sleep(time.Duration(50+rng.IntN(500)) * time.Millisecond)
		shop.freeze() // what is answered from here on may come after the cut
		loose += d.Loose()
		files = d.Cut(loss, rng)
		s.kill()
		l.end()
		shop.thaw()
		unmount(t, d)
		t.Logf("cut %d, %s", cut+1, loss.Name)
	}
	after := p // the last one is looked at on an ordinary disk
	after.dir = write(t, files)
	s := after.start(t)
	faults = append(shop.check(s.client, recent), shop.audit(s.client)...)
	s.stop(t)
	if _, err := after.tool("verify"); err != nil {
		faults = append(faults, err.Error())
	}
	if loose == 0 {
		faults = append(faults, "nothing was ever at stake: at no cut was anything waiting for a sync")
	}
	t.Logf("%d requests; %d bytes were at stake", len(shop.notes), loose)
	return faults
}

// L10: nothing that was answered is lost when the power goes, whatever the disk had done
// with that which it was not made to keep.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	clean(t, "a power cut", cuts(t, patron(), soak.Count("TORTURE_CUTS", 25)))
}

// The first start is cut as well: what it made, a key file among it, is there for the data
// that were written with it.
func TestPowerCutAtFirstStart(t *testing.T) {
	t.Parallel()
	for i, loss := range disk.Losses {
		t.Run(loss.Name, func(t *testing.T) {
			t.Parallel()
			p, d := mounted(t, place{binary: patron()}, nil)
			p = p.furnished(t)
			s := p.start(t)
			shop := newShop(t, s.client, 2)
			files := d.Cut(loss, rand.New(rand.NewPCG(shop.seed, uint64(i))))
			s.kill()
			unmount(t, d)
			p.dir = write(t, files)
			s = p.start(t)
			clean(t, "the first power cut", append(shop.check(s.client, recent), shop.audit(s.client)...))
			s.stop(t)
			p.verify(t)
		})
	}
}

// The test of the power cuts can fail: a program that does not wait for the disk loses answers.
func TestPowerCutNoticesWeakSync(t *testing.T) {
	t.Parallel()
	binary := weak(t, "internal/kit/db/sqlite.go",
		`"synchronous(2)"`, `"synchronous(1)"`,
		`{"synchronous", "PRAGMA synchronous", "2"}`, `{"synchronous", "PRAGMA synchronous", "1"}`)
	faults := cuts(t, binary, len(disk.Losses))
	for _, f := range faults {
		if strings.HasPrefix(f, "lost: ") {
			t.Logf("%d wrong, as it must be; one: %.200s", len(faults), f)
			return
		}
	}
	t.Fatalf("a program with synchronous=NORMAL went through the power cuts without a loss: they prove nothing\n%q", faults)
}
