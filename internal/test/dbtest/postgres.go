package dbtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

const (
	// within bounds what is asked of the cluster; making a database takes some 50 ms, but
	// all packages may ask at once.
	within = 2 * time.Minute
	// templateLock keeps two test processes from making the template at once.
	templateLock = 7_283_001
)

// URL returns the URL of a fresh migrated PostgreSQL database. It is dropped when the test
// ends.
func URL(t testing.TB) string {
	t.Helper()
	name, err := template()
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	return create(t, name)
}

// Empty returns the URL of a PostgreSQL database with nothing in it, for tests of the
// migrator. It is dropped when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, "template0")
}

func create(t testing.TB, from string) string {
	t.Helper()
	name := "patron_test_" + strings.ToLower(rand.Text())
	if err := admin(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, from)); err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	t.Cleanup(func() {
		// By force: a test that failed may have left connections.
		if err := admin(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	address, _ := server() // it has just worked
	return at(address, name)
}

// server is the URL of a superuser, of the cluster that the environment names or of one of
// our own.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("PATRON_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	return startCluster()
})

// startCluster starts a cluster that stops when this process ends, in whatever way: the
// script waits for the end of its input, which the system closes.
func startCluster() (string, error) {
	cmd, _, address, err := runScript()
	if err != nil {
		return "", err
	}
	// Nobody waits for this goroutine: it keeps cmd, and with it the script's input, alive
	// for as long as the process.
	go cmd.Wait()
	return address, nil
}

// repository is the folder of go.mod, over the one of the package that a test runs in.
func repository() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err = os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir, err = up, nil
		}
	}
	return "", err
}

// runScript starts a cluster and returns its URL, and the script that stops it at the end of
// its input.
func runScript() (cmd *exec.Cmd, input io.Closer, address string, err error) {
	root, err := repository()
	if err != nil {
		return nil, nil, "", err
	}
	cmd = exec.Command(filepath.Join(root, "scripts", "with-postgres.sh"), "sh", "-c", `echo "$PATRON_TEST_POSTGRES"; cat >/dev/null`)
	cmd.Env = append(os.Environ(), "PATRON_TEST_POSTGRES=") // a cluster of our own, whatever there is
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}   // an interrupt must not end it before us
	if input, err = cmd.StdinPipe(); err != nil {           // held open by cmd
		return nil, nil, "", err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, "", err
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return nil, nil, "", err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return nil, nil, "", errors.Join(errors.New("start a private cluster"), cmd.Wait(), errors.New(complaint.String()))
	}
	return cmd, input, strings.TrimSpace(line), nil
}

// template is the name of a migrated database, made once in a cluster for each state of
// the migrations.
var template = sync.OnceValues(func() (string, error) {
	name := "patron_template_" + db.Fingerprint()
	address, err := server()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer c.Close(ctx) // lets go of the lock
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", templateLock); err != nil {
		return "", err
	}
	var there bool
	err = c.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil || there {
		return name, err
	}
	// Under another name until it is whole, since a process may be killed meanwhile.
	draft := name + "_" + strings.ToLower(rand.Text()[:8])
	if _, err := c.Exec(ctx, "CREATE DATABASE "+draft+" TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := migrate(db.Options{URL: at(address, draft)}); err != nil {
		return "", err
	}
	_, err = c.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
	return name, err
})

// migrate opens a database, migrates it and closes it.
func migrate(o db.Options) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(d.Migrate(ctx), d.Close())
}

// admin runs one statement as superuser on a connection of its own.
func admin(statement string) error {
	address, err := server()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// at is the address of another database in the same cluster.
func at(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic("PATRON_TEST_POSTGRES is no URL") // pgx has just connected to it
	}
	u.Path = "/" + name
	return u.String()
}
