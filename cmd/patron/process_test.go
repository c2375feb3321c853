package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// become makes the test binary the program itself, so that a test has a real process to
// send signals to.
const become = "PATRON_TEST_BECOME"

func TestMain(m *testing.M) {
	if os.Getenv(become) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// within bounds every wait of these tests.
const within = time.Minute

// where are the flags that say which database a process works on.
func where(t *testing.T, e db.Engine) []string {
	t.Helper()
	o := dbtest.Options(t, e)
	if o.Dir == "" {
		return []string{"--data-dir", t.TempDir(), "--database-url", o.URL}
	}
	return []string{"--data-dir", o.Dir}
}

func spawn(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), become+"=1")
	return cmd
}

// process is a server in a process of its own.
type process struct {
	*exec.Cmd
	t    *testing.T
	url  string
	log  *lines
	done chan error
}

// serve starts a server and waits until it answers.
func serve(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: spawn(t, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), t: t, log: &lines{}, done: make(chan error, 1)}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	go func() {
		read := bufio.NewReader(out)
		text := ""
		for {
			line, err := read.ReadString('\n')
			text += line
			if found := regexp.MustCompile(`(http://\S+)/docs`).FindStringSubmatch(line); found != nil {
				address <- found[1]
			}
			if err != nil {
				break
			}
		}
		p.done <- p.Wait()
	}()
	t.Cleanup(func() { _ = p.Process.Kill() })
	select {
	case p.url = <-address:
	case err := <-p.done:
		t.Fatalf("the server ended: %v\n%s", err, p.log)
	case <-time.After(within):
		t.Fatalf("the server does not start\n%s", p.log)
	}
	return p
}

// ended waits for the end and returns the exit status; -1 where a signal killed it.
func (p *process) ended() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("the server does not end\n%s", p.log)
	}
	return p.ProcessState.ExitCode()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// lines is what a process wrote, with a way to wait for words in it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	grew chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grew != nil {
		close(l.grew)
		l.grew = nil
	}
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) wait(t *testing.T, words string) {
	t.Helper()
	end := time.After(within)
	for {
		l.mu.Lock()
		if strings.Contains(l.text.String(), words) {
			l.mu.Unlock()
			return
		}
		if l.grew == nil {
			l.grew = make(chan struct{})
		}
		grew := l.grew
		l.mu.Unlock()
		select {
		case <-grew:
		case <-end:
			t.Fatalf("nobody said %q:\n%s", words, l)
		}
	}
}

// key makes an API key with a tool beside the server.
func key(t *testing.T, flags []string) string {
	t.Helper()
	cmd := spawn(t, append([]string{"key", "create", "--name", "test", "--scopes", "all"}, flags...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("key create: %v %s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// ticket is the body of a sale of a document; the same again for the same document.
func ticket(t *testing.T, at time.Time, document string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"source": "till", "document": document, "at": at.UTC().Format(time.RFC3339), "currency": "CNY", "total": 100,
		"lines": []map[string]any{{"line": 1, "sku": "a", "quantity": 1, "amount": 100}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// post sends a sale under a key.
func post(c *http.Client, url, key, idempotency string, body []byte) (status int, replayed bool, err error) {
	req, err := http.NewRequest(http.MethodPost, url+"/v1/sales", bytes.NewReader(body))
	if err != nil {
		return 0, false, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", idempotency)
	res, err := c.Do(req)
	if err != nil {
		return 0, false, err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, false, err
	}
	return res.StatusCode, res.Header.Get("Idempotent-Replayed") == "true", nil
}

// refusedToDial reports whether nobody listened any more: the request did not get in.
func refusedToDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED)
}

// A server that is told to stop while it is busy answers whoever it let in and ends well,
// and what it confirmed is there.
func TestStopAtLoad(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			flags := where(t, e)
			p := serve(t, flags...)
			secret := key(t, flags)

			const workers, before = 8, 200
			at := time.Now()
			var mu sync.Mutex
			kept := []string{}
			enough := make(chan struct{})
			var group sync.WaitGroup
			for w := range workers {
				transport := &http.Transport{DisableKeepAlives: w%2 == 0}
				defer transport.CloseIdleConnections()
				client := &http.Client{Transport: transport, Timeout: within}
				group.Go(func() {
					for i := 0; i < 5000; i++ {
						document := fmt.Sprintf("D%d-%d", w, i)
						status, _, err := post(client, p.url, secret, document, ticket(t, at, document))
						if err != nil {
							if !refusedToDial(err) {
								t.Errorf("a request that got in got no answer: %v", err)
							}
							return
						}
						if status != http.StatusCreated {
							t.Errorf("sale %s: %d", document, status)
							return
						}
						mu.Lock()
						if kept = append(kept, document); len(kept) == before {
							close(enough)
						}
						mu.Unlock()
					}
				})
			}
			select {
			case <-enough:
			case <-time.After(within):
				t.Fatalf("the load does not come up\n%s", p.log)
			}
			p.signal(syscall.SIGTERM)
			group.Wait()
			if code := p.ended(); code != 0 {
				t.Errorf("exit status %d\n%s", code, p.log)
			}

			again := serve(t, flags...)
			for _, document := range kept {
				status, replayed, err := post(http.DefaultClient, again.url, secret, document, ticket(t, at, document))
				if err != nil || status != http.StatusCreated || !replayed {
					t.Fatalf("confirmed sale %s, sent again: %d, replayed %v, %v", document, status, replayed, err)
				}
			}
			again.signal(syscall.SIGTERM)
			if code := again.ended(); code != 0 {
				t.Errorf("exit status %d\n%s", code, again.log)
			}
		})
	}
}

// The first signal waits for a request that has begun; the second does not.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	flags := where(t, db.SQLite)
	p := serve(t, flags...)
	secret := key(t, flags)
	slow, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	// The body never comes, so this request is on its way until its time is over.
	fmt.Fprintf(slow, "POST /v1/sales HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", secret)
	if line, err := bufio.NewReader(slow).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server does not read the body: %q, %v", line, err)
	}
	p.signal(syscall.SIGTERM)
	p.log.wait(t, "stopping")
	select {
	case <-p.done:
		t.Fatal("it ended with a request on its way")
	default:
	}
	p.signal(syscall.SIGTERM)
	began := time.Now()
	if code := p.ended(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("it ended with %d\n%s", code, p.log)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The tool for containers says what /readyz says.
func TestHealth(t *testing.T) {
	t.Parallel()
	p := serve(t, where(t, db.SQLite)...)
	ask := func() (string, error) {
		out, err := spawn(t, "health", "--url", p.url).Output()
		return string(out), err
	}
	if out, err := ask(); err != nil || !strings.HasPrefix(out, "ok\n") {
		t.Errorf("a server that is well: %v\n%s", err, out)
	}
	p.signal(syscall.SIGTERM)
	p.ended()
	if out, err := ask(); err == nil {
		t.Errorf("a server that is gone: %s", out)
	}
	for listen, want := range map[string]string{
		"0.0.0.0:8080": "127.0.0.1:8080", ":8080": "127.0.0.1:8080", "[::]:80": "127.0.0.1:80", "192.0.2.1:80": "192.0.2.1:80",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("reachable(%s) = %s", listen, got)
		}
	}
}
