//go:build torture

package torture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// j is a JSON object.
type j = map[string]any

// client sends requests with an API key.
type client struct {
	url, key string
	http     *http.Client
}

// answer is what a server said, read wholly.
type answer struct {
	status   int
	body     []byte
	replayed bool
}

func (c client) ask(method, path, key string, body []byte) (answer, error) {
	req, err := http.NewRequest(method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Accept-Language", "en")
	if method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, text, res.Header.Get("Idempotent-Replayed") == "true"}, err
}

// get reads something into to.
func (c client) get(path string, to any) error {
	a, err := c.ask(http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, a.status, a.body)
	}
	return json.Unmarshal(a.body, to)
}

// outcome is what the shop knows of a request.
type outcome int

const (
	unknown outcome = iota // no answer, or one that says so
	granted
	refused // by the state of the member; the refusal is kept
)

// move is what a request does to one member if it is granted.
type move struct {
	member int
	net    int64 // usable, pending and held points less debt
	held   int64
}

// note is one request and what became of it.
type note struct {
	kind, path, key string
	body            []byte
	moves           []move
	outcome         outcome
	answer          answer
	id              string // of what was made
}

func (n *note) String() string { return fmt.Sprintf("%s %s %s", n.kind, n.key, n.body) }

// settle reads an answer. It says whether the answer may be given at all.
func (n *note) settle(a answer) bool {
	var made struct{ ID, Code string }
	_ = json.Unmarshal(a.body, &made) // what is no JSON has neither
	switch {
	case a.status == http.StatusOK || a.status == http.StatusCreated:
		n.outcome, n.id = granted, made.ID
	case a.status == http.StatusConflict && made.Code == "ledger.insufficient":
		n.outcome = refused
	default:
		return a.status == http.StatusServiceUnavailable
	}
	n.answer = a
	return true
}

// shop sends work to a server and writes down what it knows. It outlives the server.
type shop struct {
	t       *testing.T
	members []string
	seed    uint64
	n       atomic.Int64 // for keys

	mu     sync.Mutex
	notes  []*note
	frozen bool // answers that come now are not believed: the cut may have been before them
	faults []string
}

// newShop makes the members and gives them something to begin with.
func newShop(t *testing.T, c client, members int) *shop {
	t.Helper()
	s := &shop{t: t, seed: uint64(time.Now().UnixNano())}
	t.Logf("seed %d", s.seed) // the moments are the machine's own, but what is sent comes again
	s.allowTransfers(c)
	for i := range members {
		s.members = append(s.members, fmt.Sprint("ext:torture/", i))
		made := &note{kind: "member", path: "/v1/members", key: fmt.Sprint("member-", i), body: must(j{"external_id": fmt.Sprint("torture/", i)})}
		s.do(c, made)
		s.do(c, s.earning(i, 1000))
	}
	for _, n := range s.notes {
		if n.outcome != granted {
			t.Fatalf("%v: %d %s", n, n.answer.status, n.answer.body)
		}
	}
	return s
}

func (s *shop) allowTransfers(c client) {
	var list struct {
		Items []struct {
			Code   string
			Policy j
		}
	}
	if err := c.get("/v1/currencies", &list); err != nil {
		s.t.Fatal(err)
	}
	for _, cur := range list.Items {
		if cur.Code != "points" {
			continue
		}
		cur.Policy["transfer"].(j)["allowed"] = true
		if a, err := c.ask(http.MethodPatch, "/v1/currencies/points", "allow-transfers", must(j{"policy": cur.Policy})); err != nil || a.status != http.StatusOK {
			s.t.Fatalf("allow transfers: %v, %d %s", err, a.status, a.body)
		}
	}
}

func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of strings and numbers
	}
	return b
}

// do sends a request, having written it down, and writes down what comes.
func (s *shop) do(c client, n *note) {
	s.plan(n)
	a, err := c.ask(http.MethodPost, n.path, n.key, n.body)
	s.hear(n, a, err, false)
}

func (s *shop) plan(n *note) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, n)
}

// hear writes down what came. Of a server that is well, strict wants an answer to all.
func (s *shop) hear(n *note, a answer, err error, strict bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen {
		return
	}
	if first := n.answer; n.outcome != unknown { // the same was sent to another server
		if err == nil && a.status != http.StatusServiceUnavailable && (a.status != first.status || !bytes.Equal(a.body, first.body)) {
			s.faults = append(s.faults, fmt.Sprintf("two answers to %v: %d %s and %d %s", n, first.status, first.body, a.status, a.body))
		}
	} else if err == nil && !n.settle(a) {
		s.faults = append(s.faults, fmt.Sprintf("%v: %d %s", n, a.status, a.body))
	}
	if strict && (err != nil || a.status == http.StatusServiceUnavailable) {
		s.faults = append(s.faults, fmt.Sprintf("no answer to %v: %v, %d %s", n, err, a.status, a.body))
	}
}

// freeze makes the shop believe no answer that comes later: call it before the moment at
// which the disk is cut. thaw ends it, when nothing is under way any more.
func (s *shop) freeze() { s.mu.Lock(); s.frozen = true; s.mu.Unlock() }
func (s *shop) thaw()   { s.mu.Lock(); s.frozen = false; s.mu.Unlock() }

// load is work under way.
type load struct {
	stop chan struct{}
	once sync.Once
	all  sync.WaitGroup
}

// work begins to send from so many clients at once, each as fast as it is answered.
func (s *shop) work(c client, clients int) *load {
	l := &load{stop: make(chan struct{})}
	for range clients {
		w := &clerk{shop: s, rng: rand.New(rand.NewPCG(s.seed, uint64(s.n.Add(1))))}
		l.all.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				n := w.next()
				if s.do(c, n); n.outcome == unknown {
					time.Sleep(5 * time.Millisecond) // the server is on its way out: do not spin
				}
			}
		})
	}
	return l
}

// end stops the load and waits for what is under way.
func (l *load) end() {
	l.once.Do(func() { close(l.stop) })
	l.all.Wait()
}

// clerk is one client: only it gives back its sales and ends its holds, so that each is
// done once.
type clerk struct {
	shop  *shop
	rng   *rand.Rand
	sales []*note
	holds []*note
}

// next is a piece of work. What the members have stays within bounds: about as much is
// spent as comes in.
func (w *clerk) next() *note {
	s, m := w.shop, w.rng.IntN(len(w.shop.members))
	switch p := w.rng.IntN(100); {
	case p < 35:
		n := s.sale(m, 1+w.rng.Int64N(40))
		w.sales = append(w.sales, n)
		return n
	case p < 45:
		return s.earning(m, 1+w.rng.Int64N(60))
	case p < 65:
		return s.spending(m, 1+w.rng.Int64N(80))
	case p < 75:
		return s.transfer(m, (m+1+w.rng.IntN(len(s.members)-1))%len(s.members), 1+w.rng.Int64N(20))
	case p < 85:
		if n := pop(&w.sales); n != nil {
			return s.whole(n)
		}
	case p < 93:
		if n := pop(&w.holds); n != nil {
			return s.end(n, w.rng)
		}
	}
	n := s.hold(m, 2+w.rng.Int64N(20))
	w.holds = append(w.holds, n)
	return n
}

// pop takes the oldest of a list, if it was granted.
func pop(list *[]*note) *note {
	if len(*list) < 4 {
		return nil
	}
	n := (*list)[0]
	*list = (*list)[1:]
	if n.outcome != granted {
		return nil
	}
	return n
}

func (s *shop) note(kind, path string, body j, moves ...move) *note {
	key := fmt.Sprintf("%s-%d", kind, s.n.Add(1))
	for name, v := range body {
		if v == "KEY" {
			body[name] = key
		}
	}
	return &note{kind: kind, path: path, key: key, body: must(body), moves: moves}
}

func (s *shop) at(m int, path string) string {
	return "/v1/members/" + url.PathEscape(s.members[m]) + path
}

func (s *shop) sale(m int, points int64) *note {
	amount := 100 * points // one point a yuan
	return s.note("sale", "/v1/sales", j{"member": s.members[m], "source": "till", "document": "KEY", "at": time.Now().Format(time.RFC3339), "currency": "CNY",
		"total": amount, "lines": []j{{"line": 1, "sku": "tea", "quantity": 1, "amount": amount}}}, move{m, points, 0})
}

func (s *shop) whole(sold *note) *note {
	m := sold.moves[0]
	return s.note("return", "/v1/sales/"+sold.id+"/returns", j{"document": "KEY", "at": time.Now().Format(time.RFC3339)}, move{m.member, -m.net, 0})
}

func (s *shop) earning(m int, n int64) *note {
	return s.note("earning", s.at(m, "/earnings"), j{"currency": "points", "amount": n, "reason": "torture", "source": "torture", "document": "KEY"}, move{m, n, 0})
}

func (s *shop) spending(m int, n int64) *note {
	return s.note("spending", s.at(m, "/spendings"), j{"currency": "points", "amount": n, "reason": "torture", "source": "torture", "document": "KEY"}, move{m, -n, 0})
}

func (s *shop) transfer(from, to int, n int64) *note {
	return s.note("transfer", "/v1/transfers", j{"from": s.members[from], "to": s.members[to], "currency": "points", "amount": n, "reason": "KEY"}, move{from, -n, 0}, move{to, n, 0})
}

func (s *shop) hold(m int, n int64) *note {
	return s.note("hold", "/v1/holds", j{"member": s.members[m], "currency": "points", "amount": n, "ttl_seconds": 86400, "purpose": "KEY"}, move{m, 0, n})
}

// end captures a part of a hold, or releases it.
func (s *shop) end(h *note, rng *rand.Rand) *note {
	m := h.moves[0]
	if rng.IntN(2) == 0 {
		return s.note("release", "/v1/holds/"+h.id+"/release", j{}, move{m.member, 0, -m.held})
	}
	n := 1 + rng.Int64N(m.held)
	return s.note("capture", "/v1/holds/"+h.id+"/capture", j{"amount": n}, move{m.member, -n, -m.held})
}
