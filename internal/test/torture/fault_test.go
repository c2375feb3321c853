//go:build torture

package torture

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/soak"
	"github.com/patron-loyalty/patron/internal/test/torture/disk"
)

// stopped fails the test unless the server has ended by itself, with one line that says
// that the disk is full or fails.
func stopped(t *testing.T, s *server, why string) {
	t.Helper()
	if !s.over(stopWithin) {
		t.Fatalf("%s: the server goes on\n%s", why, s.said)
	}
	s.kill() // it has ended: this lets go of its connections
	var last []string
	for _, line := range strings.Split(s.said.String(), "\n") {
		if strings.HasPrefix(line, "patron: ") {
			last = append(last, line)
		}
	}
	if s.cmd.ProcessState.ExitCode() != 1 || len(last) != 1 || !strings.Contains(last[0], "is full or fails") {
		t.Fatalf("%s: the server ended with %v and said %q\n%s", why, s.err, last, s.said)
	}
}

// L12, L13: whichever write or sync the disk fails at, the server stops rather than go on,
// and says so in one line. What it answered before is true, and what it could not answer
// is told by its key after the next start, without any repair.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	p, shop, files := stocked(t)
	kinds := []disk.Fault{
		{Op: disk.Sync, Err: syscall.EIO},
		{Op: disk.Write, Err: syscall.EIO},
		{Op: disk.Write, Err: syscall.ENOSPC, Lasting: true},
		{Op: disk.Sync, Err: syscall.EIO, Lasting: true},
	}
	for i := range soak.Count("TORTURE_FAULTS", 60) {
		fault := kinds[i%len(kinds)]
		fault.N = 1 + i/len(kinds)
		on, d := mounted(t, p, files)
		s := on.start(t)
		clean(t, "the fault before", shop.check(s.client, 30))
		d.Fail(fault)
		l := shop.work(s.client, clients)
		stopped(t, s, fault.String())
		l.end()
		if d.Struck() == 0 {
			t.Fatalf("%v: it never came to that", fault)
		}
		files = d.Files()
		unmount(t, d)
	}
	p.dir = write(t, files)
	s := p.start(t)
	clean(t, "the last fault", append(shop.check(s.client, recent), shop.audit(s.client)...))
	s.stop(t)
	p.verify(t)
	t.Logf("%d requests", len(shop.notes))
}

// L12 on a disk that is really full: the server stops, and goes on once there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	p, shop, files := stocked(t)
	for _, spare := range []int{300 << 10, 700 << 10, 1 << 20, 2 << 20} {
		dir, size := t.TempDir(), spare
		for _, b := range files {
			size += len(b)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", size)); err != nil {
			t.Fatalf("mount a small disk, which needs root (or CAP_SYS_ADMIN): %v", err)
		}
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		fill(t, dir, files)
		p.dir = dir
		s := p.start(t)
		clean(t, "the full disk before", shop.check(s.client, 30))
		l := shop.work(s.client, clients)
		stopped(t, s, "full disk")
		l.end()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprint("size=", 64<<20)); err != nil {
			t.Fatal(err)
		}
		s = p.start(t)
		clean(t, "making room", append(shop.check(s.client, recent), shop.audit(s.client)...))
		s.stop(t)
		p.verify(t)
		files = read(t, dir)
	}
}
