//go:build torture

package torture

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startWithin bounds a start after whatever happened. A restart is promised within five
	// seconds; it takes a fifth of one, and these tests share the machine with others.
	startWithin = 10 * time.Second
	// stopWithin bounds the end of a server that is asked, or forced by its storage, to end.
	stopWithin = time.Minute
)

// place is where a program works, and which program.
type place struct {
	binary string
	dir    string // data directory: the keys, and the database where url is empty
	url    string // of a PostgreSQL database
	key    string // an API key that may do everything
}

func (p place) args(words ...string) []string {
	words = append(words, "--data-dir", p.dir)
	if p.url != "" {
		words = append(words, "--database-url", p.url)
	}
	return words
}

// command makes a command that speaks English whoever runs the test.
func (p place) command(words ...string) *exec.Cmd {
	cmd := exec.Command(p.binary, p.args(words...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=en_US.UTF-8")
	return cmd
}

// tool runs a tool of the command line and returns what it printed.
func (p place) tool(words ...string) (string, error) {
	cmd := p.command(words...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("patron %s: %v\n%s%s", strings.Join(words, " "), err, out.Bytes(), said.Bytes())
	}
	return out.String(), nil
}

// furnished makes the database and an API key.
func (p place) furnished(t *testing.T) place {
	t.Helper()
	said, err := p.tool("key", "create", "--name", "torture", "--scopes", "all")
	if err != nil {
		t.Fatal(err)
	}
	p.key = strings.TrimSpace(said)
	return p
}

// verify fails the test where the books do not add up.
func (p place) verify(t *testing.T) {
	t.Helper()
	if _, err := p.tool("verify"); err != nil {
		t.Error(err)
	}
}

// server is a program that runs.
type server struct {
	client
	cmd    *exec.Cmd
	said   *said
	origin chan string
	read   sync.WaitGroup
	ended  chan struct{}
	err    error // how it ended
}

// said collects what a program writes to its log.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// launch starts a server and does not wait until it answers.
func (p place) launch(t *testing.T) *server {
	t.Helper()
	s := &server{cmd: p.command("serve", "--listen", "127.0.0.1:0"), said: &said{}, origin: make(chan string, 1), ended: make(chan struct{})}
	s.key, s.http = p.key, &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	s.cmd.Stderr = s.said
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, where, ok := strings.Cut(lines.Text(), "http://"); ok && strings.HasSuffix(where, "/docs") {
				s.origin <- "http://" + strings.TrimSuffix(where, "/docs")
			}
		}
	})
	go func() {
		s.read.Wait()
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.kill)
	return s
}

// start starts a server that listens.
func (p place) start(t *testing.T) *server {
	t.Helper()
	s := p.launch(t)
	select {
	case s.url = <-s.origin:
	case <-s.ended:
		t.Fatalf("the server did not start: %v\n%s", s.err, s.said)
	case <-time.After(startWithin):
		t.Fatalf("the server did not start within %v\n%s", startWithin, s.said)
	}
	return s
}

// kill ends the server as the system ends one: without a word. It may be called again.
func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL) // it may have ended
	<-s.ended
	s.http.CloseIdleConnections()
}

// stop asks the server to end.
func (s *server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended, which is seen below
	if !s.over(stopWithin) {
		t.Fatalf("the server did not end within %v", stopWithin)
	}
	s.http.CloseIdleConnections()
	if s.err != nil {
		t.Errorf("the server ended with %v\n%s", s.err, s.said)
	}
}

// over waits for the server's end.
func (s *server) over(within time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	select {
	case <-s.ended:
		return true
	case <-ctx.Done():
		return false
	}
}
