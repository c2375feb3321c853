package dbtest

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Cluster is a PostgreSQL of one test's own, which it may stop, start and weaken.
type Cluster struct {
	URL string // of a superuser, on an empty database
	dir string
}

// NewCluster starts one. It goes away with the test.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	script, input, address, err := runScript()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = script.Wait() // it cleans up
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &Cluster{URL: u.String(), dir: u.Query().Get("host")}
}

// Crash ends the server at once, as a power cut does.
func (c *Cluster) Crash(t testing.TB) { t.Helper(); c.control(t, "stop") }

// Start starts it again.
func (c *Cluster) Start(t testing.TB) { t.Helper(); c.control(t, "start") }

// Restart is Crash and Start.
func (c *Cluster) Restart(t testing.TB) { t.Helper(); c.control(t, "restart") }

// Set adds a line to the configuration, where the last word counts. It holds from the next
// start.
func (c *Cluster) Set(t testing.TB, line string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(c.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) control(t testing.TB, action string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	path, lookErr := exec.LookPath("pg_ctl")
	if lookErr != nil {
		if err != nil || len(found) == 0 {
			t.Fatal("PostgreSQL is not installed")
		}
		path = found[len(found)-1]
	}
	cmd := exec.Command(path, "-D", filepath.Join(c.dir, "data"), "-l", filepath.Join(c.dir, "log"), "-m", "immediate", "-w", "-t", "60", action)
	cmd.Dir = c.dir
	if info, err := os.Stat(filepath.Join(c.dir, "data")); err == nil && os.Getuid() == 0 {
		owner := info.Sys().(*syscall.Stat_t) // the server refuses to run as root
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
		cmd.Env = append(os.Environ(), "HOME="+c.dir)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		t.Fatalf("pg_ctl %s: %v\n%s\n%s", action, err, out, log)
	}
}
