package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Every load runs against the whole program, without a failed request, and what it says
// was posted is in the books.
func TestRun(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		_, key, err := a.Staff.CreateKey(a.Context(), staff.NewKey{Name: "bench", Scopes: []string{staff.All}})
		if err != nil {
			t.Fatal(err)
		}
		a.Clock.Set(time.Now()) // sales bear the time at which they are made
		o := Options{URL: a.URL, Key: key, InFlight: 8, Batch: 1, Members: 70, For: 300 * time.Millisecond, SpendShare: 0.3}
		for _, tt := range []struct {
			name string
			edit func(*Options)
		}{
			{"earn", func(o *Options) { o.Load = Earn }},
			{"batch", func(o *Options) { o.Load, o.Batch = Earn, 20 }},
			{"spend", func(o *Options) { o.Load = Spend }},
			{"mixed on time", func(o *Options) { o.Load, o.Rate = Mixed, 50 }},
		} {
			o := o
			tt.edit(&o)
			_, before := a.Ledger.Engine().Counts()
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if _, after := a.Ledger.Engine().Counts(); r.Ops == 0 || r.Ops > after-before {
				t.Errorf("%s: %d postings, of which the ledger knows %d", tt.name, r.Ops, after-before)
			}
			if r.Errors != 0 || r.Refused != 0 || r.Engine != a.DB.Engine().String() || r.P50 > r.P99 || r.TPS == 0 {
				t.Errorf("%s: %+v", tt.name, r)
			}
		}
		page, _, err := a.Members.List(a.Context(), member.Search{Limit: 200})
		if err != nil || len(page) != o.Members {
			t.Errorf("%d members, want %d (%v)", len(page), o.Members, err)
		}
	})
}

// stub is a server that says what the test wants.
func stub(t *testing.T, sale http.HandlerFunc) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/system", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"engine":"none","waiting":0}`) })
	mux.HandleFunc("GET /v1/members/{ref}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /v1/sales", sale)
	mux.HandleFunc("POST /v1/sales/batch", sale)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// A server that stalls once keeps all requests waiting that were to be sent meanwhile. A
// generator that measured from when it got round to sending would see one slow request.
func TestOpenLoop(t *testing.T) {
	t.Parallel()
	var once sync.Once
	u := stub(t, func(http.ResponseWriter, *http.Request) { once.Do(func() { time.Sleep(500 * time.Millisecond) }) })
	r, err := Run(t.Context(), Options{URL: u, Key: "k", Load: Earn, InFlight: 1, Batch: 1, Members: 5, Rate: 100, For: time.Second})
	if err != nil || r.Errors > 0 {
		t.Fatalf("%+v: %v", r, err)
	}
	if r.Ops != 100 || r.P95 < 300 || r.Max < 450 {
		t.Errorf("%d requests, 95 %% within %.0f ms, all within %.0f ms; want 100, about 450 and about 500", r.Ops, r.P95, r.Max)
	}
}

// What was refused and what failed does not count as posted.
func TestCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		status, batch   int
		body            string
		ops, refused, e bool
	}{
		{"posted", 201, 1, `{}`, true, false, false},
		{"refused", 409, 1, `{}`, false, true, false},
		{"failed", 500, 1, `{}`, false, false, true},
		{"one of a batch failed", 200, 2, `{"items":[{"sale":{}},{"problem":{}}]}`, true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u := stub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			r, err := Run(t.Context(), Options{URL: u, Key: "k", Load: Earn, InFlight: 2, Batch: tt.batch, Members: 5, For: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if r.Ops > 0 != tt.ops || r.Refused > 0 != tt.refused || r.Errors > 0 != tt.e {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	good := Options{URL: "http://127.0.0.1:1", Key: "k", Load: Earn, InFlight: 1, Batch: 1, Members: 1, For: time.Second}
	if _, err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Options){
		"address":    func(o *Options) { o.URL = "127.0.0.1:8080" },
		"load":       func(o *Options) { o.Load = "x" },
		"in flight":  func(o *Options) { o.InFlight = 0 },
		"batch":      func(o *Options) { o.Batch = MaxBatch + 1 },
		"batch kind": func(o *Options) { o.Batch, o.Load = 2, Spend },
		"members":    func(o *Options) { o.Members = 0 },
		"time":       func(o *Options) { o.For = 0 },
		"share":      func(o *Options) { o.SpendShare = 1.1 },
	} {
		o := good
		edit(&o)
		if _, err := o.check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A connection reads what servers write: a body of known length, chunks, none, and goes on
// after the other side has closed.
func TestConnection(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /plain", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), body)
	})
	mux.HandleFunc("POST /chunks", func(w http.ResponseWriter, _ *http.Request) {
		for _, part := range []string{"a", "bc", long} {
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("POST /none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	mux.HandleFunc("POST /last", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := newConnection(u, "secret")
	defer c.close()
	for range 3 {
		for _, tt := range []struct {
			path   string
			status int
			want   string
		}{{"/plain", 200, "Bearer secret key {}"}, {"/chunks", 200, "abc" + long}, {"/none", 204, ""}, {"/last", 200, ""}, {"/nowhere", 404, "404 page not found\n"}} {
			status, err := c.do(context.Background(), "POST", tt.path, "key", []byte("{}"))
			if err != nil || status != tt.status || string(c.body) != tt.want {
				t.Errorf("%s: %d %.40q %v, want %d %.40q", tt.path, status, c.body, err, tt.status, tt.want)
			}
		}
	}
}

// A quantile is that of the sorted durations, to 1.6 %.
func TestHistogram(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var a, b histogram
	var all []int64
	for i := range 10_000 {
		us := int64(1) << r.IntN(24)
		us += r.Int64N(us)
		all = append(all, us)
		h := &a
		if i%2 == 0 {
			h = &b
		}
		h.note(time.Duration(us) * time.Microsecond)
	}
	a.add(&b)
	slices.Sort(all)
	for _, share := range []float64{0.01, 0.5, 0.95, 0.99, 1} {
		want := float64(all[int(share*float64(len(all)))-1]) / 1000
		if got := a.ms(share); got < want || got > want*1.017 {
			t.Errorf("quantile %v = %v ms, want %v", share, got, want)
		}
	}
	if got := new(histogram).ms(0.5); got != 0 {
		t.Errorf("nothing counted: %v", got)
	}
}
