package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// machine is a place where the program runs as people run it: by its command line.
type machine struct {
	t   *testing.T
	dir string
	url string // of PostgreSQL, or ""
}

// run does a command and returns what it printed and how it ended.
func (m *machine) run(args ...string) (out, complaint string, code int) {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	e := &env{ctx: m.t.Context(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, dir: m.dir, exit: func(int) {}}
	code = run(e, append(args, m.flags()...))
	return stdout.String(), stderr.String(), code
}

func (m *machine) flags() []string {
	flags := []string{"--data-dir", filepath.Join(m.dir, "data"), "--log-level", "error"}
	if m.url != "" {
		flags = append(flags, "--database-url", m.url)
	}
	return flags
}

// must is run for what has to succeed.
func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, complaint, code := m.run(args...)
	if code != 0 {
		m.t.Fatalf("patron %s: exit %d: %s", strings.Join(args, " "), code, complaint)
	}
	return out
}

// refused is run for what has to fail, with one line that says so.
func (m *machine) refused(want string, args ...string) {
	m.t.Helper()
	_, complaint, code := m.run(args...)
	lines := strings.Split(strings.TrimSpace(complaint), "\n")
	if last := lines[len(lines)-1]; code != 1 || !strings.HasPrefix(last, "patron: ") || !strings.Contains(last, want) {
		m.t.Errorf("patron %s: exit %d: %s; want %q", strings.Join(args, " "), code, complaint, want)
	}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// serve starts the server and returns its address and what ends it.
func (m *machine) serve() (url string, stop func()) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	greeting, hears := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	e := &env{ctx: ctx, stdin: strings.NewReader(""), stdout: hears, stderr: &stderr, dir: m.dir, exit: func(int) {}}
	go func() {
		ended <- run(e, append([]string{"serve", "--listen", "127.0.0.1:0"}, m.flags()...))
		_ = hears.Close()
	}()
	found := make(chan string, 1)
	go func() {
		var said bytes.Buffer
		_, _ = io.Copy(io.MultiWriter(&said, watcher{&said, found}), greeting)
		close(found)
	}()
	url, ok := <-found
	if !ok {
		m.t.Fatalf("the server did not start: exit %d: %s", <-ended, stderr.String())
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // it greets before it serves
		if res, err := http.Get(url + "/livez"); err == nil {
			_ = res.Body.Close()
			break
		} else if time.Now().After(end) {
			m.t.Fatal(err)
		}
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if code := <-ended; code != 0 {
				m.t.Errorf("the server ended with %d: %s", code, stderr.String())
			}
		})
	}
	m.t.Cleanup(stop)
	return url, stop
}

// watcher says once what address the server has told.
type watcher struct {
	said  *bytes.Buffer
	found chan string
}

func (w watcher) Write(b []byte) (int, error) {
	if url := address.FindString(w.said.String()); url != "" {
		select {
		case w.found <- url:
		default:
		}
	}
	return len(b), nil
}

// till is a client of the API.
type till struct{ url, key string }

// send answers the status, or an error where none came.
func (c till) send(method, path string, body, to any) (int, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%x", sha256.Sum256(text)))
	} else {
		req.Body = http.NoBody
		req.ContentLength = 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode < 300 && to != nil {
		err = json.Unmarshal(answer, to)
	}
	return res.StatusCode, err
}

// sold is one sale that the server has confirmed.
type sold struct {
	member, document string
	points           int64
	begun, ended     time.Time
}

const (
	shoppers = 25
	tills    = 4
)

// sell records sales at several tills until told to end, and returns those confirmed.
func (c till) sell(t *testing.T, from *atomic.Int64, end <-chan struct{}) (all []sold) {
	var mu sync.Mutex
	var at sync.WaitGroup
	for range tills {
		at.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				s, err := c.record(from.Add(1))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, s)
				mu.Unlock()
			}
		})
	}
	at.Wait()
	return all
}

// record records the sale of a number. It always is the same sale.
func (c till) record(n int64) (sold, error) {
	s := sold{member: fmt.Sprintf("ext:drill/%d", n%shoppers), document: fmt.Sprintf("D%d", n), begun: time.Now()}
	amount := 100 * (1 + n%50)
	var answer struct {
		Points []struct {
			Currency string
			Amount   int64
		}
	}
	status, err := c.send(http.MethodPost, "/v1/sales", map[string]any{
		"source": "till", "document": s.document, "member": s.member, "at": "2026-03-10T12:00:00+08:00", "currency": "CNY",
		"total": amount, "lines": []any{map[string]any{"line": 1, "sku": "tea", "quantity": 1, "amount": amount}},
	}, &answer)
	if err != nil || status > 201 {
		return s, fmt.Errorf("sale %s: %d, %v", s.document, status, err)
	}
	for _, p := range answer.Points {
		s.points += p.Amount
	}
	s.ended = time.Now()
	return s, nil
}

// balances are the points of all shoppers.
func (c till) balances(t *testing.T) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for i := range shoppers {
		ref := fmt.Sprintf("ext:drill/%d", i)
		var list []struct {
			Currency  string
			Available int64
		}
		if status, err := c.send(http.MethodGet, "/v1/members/"+strings.ReplaceAll(ref, "/", "%2F")+"/wallets", nil, &list); err != nil || status != 200 {
			t.Fatalf("wallets of %s: %d, %v", ref, status, err)
		}
		for _, w := range list {
			if w.Currency == "points" {
				out[ref] = w.Available
			}
		}
	}
	return out
}

// has asks whether the server knows a sale.
func (c till) has(t *testing.T, document string) bool {
	t.Helper()
	var list struct{ Items []struct{ ID string } }
	if status, err := c.send(http.MethodGet, "/v1/sales?source=till&document="+document, nil, &list); err != nil || status != 200 {
		t.Fatalf("sale %s: %d, %v", document, status, err)
	}
	return len(list.Items) == 1
}

func sum(list []sold) map[string]int64 {
	out := map[string]int64{}
	for _, s := range list {
		out[s.member] += s.points
	}
	return out
}

func same(t *testing.T, what string, got, want map[string]int64) {
	t.Helper()
	for i := range shoppers {
		ref := fmt.Sprintf("ext:drill/%d", i)
		if got[ref] != want[ref] {
			t.Errorf("%s: %s has %d points, want %d", what, ref, got[ref], want[ref])
		}
	}
}

// TestDrill is the drill of docs/operations.md, by the same commands: a shop sells, is
// backed up while it sells, sells on, loses its machine, and is restored elsewhere. Every
// member then has what they had at the time of the backup, and the tills, which send what
// the backup does not know once more, bring the rest back.
func TestDrill(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			shop := &machine{t: t, dir: t.TempDir()}
			if e == db.Postgres {
				shop.url = dbtest.Empty(t)
			}
			safe := t.TempDir() // another machine, where copies are kept
			url, stop := shop.serve()
			c := till{url, strings.TrimSpace(shop.must("key", "create", "--name", "till", "--scopes", "all"))}
			for i := range shoppers {
				status, err := c.send(http.MethodPost, "/v1/members", map[string]any{"external_id": fmt.Sprintf("drill/%d", i), "phone": fmt.Sprintf("138%08d", i)}, nil)
				if err != nil || status != http.StatusCreated {
					t.Fatalf("enrol: %d, %v", status, err)
				}
			}

			// 1. Keep the secret on another machine.
			identity := filepath.Join(safe, "identity")
			if err := os.WriteFile(identity, []byte(shop.must("key", "backup")), 0o600); err != nil {
				t.Fatal(err)
			}

			// 2. Back up while the shop sells.
			var number atomic.Int64
			end, confirmed := make(chan struct{}), make(chan []sold)
			go func() { confirmed <- c.sell(t, &number, end) }()
			sellUpTo := func(n int64) {
				for number.Load() < n && !t.Failed() {
					time.Sleep(time.Millisecond) // the tills need a moment
				}
			}
			sellUpTo(40)
			file := filepath.Join(safe, "shop.backup")
			began := time.Now()
			shop.must("backup", file)
			ended := time.Now()
			sellUpTo(number.Load() + 40)
			close(end)
			all := <-confirmed
			shop.refused("is there already", "backup", file)
			shop.refused("Stop it first", "restore", file, "--identity", identity, "--replace")
			shop.must("restore", file, "--dry-run", "--identity", identity) // beside the server

			// 3. Lose the machine.
			stop()
			lost := *shop
			shop = &machine{t: t, dir: t.TempDir(), url: lost.url}
			if e == db.Postgres {
				conn, err := pgx.Connect(t.Context(), shop.url)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Exec(t.Context(), "DROP SCHEMA patron CASCADE"); err != nil {
					t.Fatal(err)
				}
				if err := conn.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(filepath.Join(lost.dir, "data")); err != nil {
				t.Fatal(err)
			}

			// 4. Restore, and verify.
			shop.refused("--identity", "restore", file)
			shop.must("restore", file, "--identity", identity)
			if out := shop.must("verify"); !strings.Contains(out, ": 0 findings") {
				t.Errorf("verify says %s", out)
			}

			// 5. Serve again. Everybody has what they had.
			url, stop = shop.serve()
			c.url = url // the tills' key is in the backup
			var kept []sold
			before, after := 0, 0
			for _, s := range all {
				known := c.has(t, s.document)
				if known {
					kept = append(kept, s)
				}
				if s.ended.Before(began) {
					if before++; !known {
						t.Errorf("%s was confirmed before the backup began and is not in it", s.document)
					}
				}
				if s.begun.After(ended) {
					if after++; known {
						t.Errorf("%s was begun after the backup had ended and is in it", s.document)
					}
				}
			}
			if before == 0 || after == 0 || len(kept) == len(all) {
				t.Fatalf("of %d sales %d were before and %d after the backup, %d are kept: this shows nothing", len(all), before, after, len(kept))
			}
			same(t, "restored", c.balances(t), sum(kept))

			// 6. The tills send again what they had sent since.
			for n := range number.Load() {
				if _, err := c.record(n + 1); err != nil {
					t.Fatal(err)
				}
			}
			same(t, "after the tills sent again", c.balances(t), sum(all))
			stop()
			if out := shop.must("verify"); !strings.Contains(out, ": 0 findings") {
				t.Errorf("verify says %s", out)
			}
		})
	}
}

// Mistakes of the command line are said in one line, and in Chinese where the terminal is.
func TestRestoreMistakes(t *testing.T) {
	t.Parallel()
	m := &machine{t: t, dir: t.TempDir()}
	m.must("migrate")
	m.must("backup", "a.backup") // relative: beside whoever typed it
	if _, err := os.Stat(filepath.Join(m.dir, "a.backup")); err != nil {
		t.Fatal(err)
	}
	m.refused("There is a database already", "restore", "a.backup")
	m.refused("is no backup", "restore", filepath.Join("data", "patron.keys"), "--replace")
	m.refused("cannot be read", "restore", "none")
	if err := os.Truncate(filepath.Join(m.dir, "a.backup"), 5000); err != nil {
		t.Fatal(err)
	}
	m.refused("damaged", "restore", "a.backup", "--replace")
	if _, _, code := m.run("restore"); code != 2 {
		t.Errorf("without a file it ends with %d, want 2", code)
	}
	var stderr bytes.Buffer
	e := &env{ctx: t.Context(), stdin: strings.NewReader(""), stdout: io.Discard, stderr: &stderr, dir: m.dir, exit: func(int) {}, vars: []string{"LANG=zh_CN.UTF-8"}}
	if code := run(e, append([]string{"restore", "a.backup", "--replace"}, m.flags()...)); code != 1 || !strings.Contains(stderr.String(), "已损坏或不完整") {
		t.Errorf("in Chinese: %d: %s", code, stderr.String())
	}
}
