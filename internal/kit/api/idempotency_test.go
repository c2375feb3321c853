package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

func keyed(path, key, body string) ask {
	return ask{path: path, body: body, header: map[string]string{"Idempotency-Key": key}}
}

// brewed counts cups in the database.
func (s *shop) brewed(tea string) (n int64) {
	s.t.Helper()
	s.count(&n, `SELECT COALESCE(SUM(next), 0) FROM sequence WHERE name = $1`, tea)
	return n
}

// kept counts rows of table request.
func (s *shop) kept() (n int64) {
	s.t.Helper()
	s.count(&n, `SELECT COUNT(*) FROM request WHERE at_ms >= $1`, 0)
	return n
}

func (s *shop) count(n *int64, query string, arg any) {
	s.t.Helper()
	err := s.db.Read(s.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, query, arg)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

const brew = "/v1/teas/longjing/brew"

func TestReplay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		first := s.do(keyed(brew, "k1", `{"cups":2,"note":"hot"}`))
		if first.Code != http.StatusCreated || first.Header().Get("Idempotent-Replayed") != "" {
			t.Fatalf("first: %d %s", first.Code, first.Body)
		}
		for _, body := range []string{`{"cups":2,"note":"hot"}`, " {\"cups\" : 2,\n\"note\":\"hot\"}"} {
			again := s.do(keyed(brew, "k1", body))
			if again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" ||
				again.Header().Get("Content-Type") != first.Header().Get("Content-Type") {
				t.Errorf("retry: %d %v %s", again.Code, again.Header(), again.Body)
			}
		}
		if got := s.brewed("longjing"); got != 2 || s.calls.Load() != 1 {
			t.Errorf("brewed %d cups in %d calls", got, s.calls.Load())
		}

		// Anything else about the request, and it is another one.
		for name, other := range map[string]ask{
			"body":  keyed(brew, "k1", `{"cups":3,"note":"hot"}`),
			"space": keyed(brew, "k1", `{"cups":2,"note":"h ot"}`),
			"path":  keyed("/v1/teas/biluo/brew", "k1", `{"cups":2,"note":"hot"}`),
			"query": keyed(brew+"?explain=true", "k1", `{"cups":2,"note":"hot"}`),
		} {
			w := s.do(other)
			if p := problemIn(t, w); w.Code != 422 || p.Code != "request.key_reused" {
				t.Errorf("other %s: %d %s", name, w.Code, w.Body)
			}
		}

		// A key belongs to a caller and a route.
		stranger := keyed(brew, "k1", `{"cups":2,"note":"hot"}`)
		stranger.as = "ben"
		if w := s.do(stranger); w.Code != 201 || !strings.Contains(w.Body.String(), `"by":"ben"`) {
			t.Errorf("the same key of another caller: %d %s", w.Code, w.Body)
		}
		if w := s.do(keyed("/v1/teas/longjing/gift", "k1", `{"cups":2,"note":"hot"}`)); w.Code != 200 || w.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("the same key on another route: %d %s", w.Code, w.Body)
		}
		if w := s.do(keyed(brew, "k2", `{"cups":1}`)); w.Code != 201 || s.brewed("longjing") != 7 {
			t.Errorf("another key: %d, %d cups", w.Code, s.brewed("longjing"))
		}
	})
}

// A refusal by state is the answer for good; one by shape or value is not, and the key may
// be used again for the mended request.
func TestRefusalKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		const soldOut = "/v1/teas/sold-out/brew"
		first := s.do(keyed(soldOut, "k", `{"cups":1}`))
		again := s.do(keyed(soldOut, "k", `{"cups":1}`))
		if first.Code != 409 || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" || s.calls.Load() != 1 {
			t.Errorf("refusal by state: %d, then %d %s after %d calls", first.Code, again.Code, again.Body, s.calls.Load())
		}
		problemIn(t, again)
		for _, bad := range []string{`{"cups":0}`, `{"cups":1,"x":1}`, `{`} {
			if w := s.do(keyed(brew, "mended", bad)); w.Code != 422 && w.Code != 400 {
				t.Errorf("%s: %d", bad, w.Code)
			}
		}
		s.before = func(context.Context, *brewIn) error { return fmt.Errorf("out of water") }
		if w := s.do(keyed(brew, "mended", `{"cups":1}`)); w.Code != 500 {
			t.Errorf("failure: %d", w.Code)
		}
		s.before = nil
		if w := s.do(keyed(brew, "mended", `{"cups":1}`)); w.Code != 201 || w.Header().Get("Idempotent-Replayed") != "" {
			t.Errorf("mended: %d %s", w.Code, w.Body)
		}
	})
}

// The crash window: the write and its claim are in the database, the answer is not.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.do(keyed(brew, "k", `{"cups":1}`))
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			n, err := tx.ExecText(ctx, `UPDATE request SET status = 0, answer = NULL`)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w := s.do(keyed(brew, "k", `{"cups":1}`))
		if p := problemIn(t, w); w.Code != 409 || p.Code != "request.answer_lost" || s.brewed("longjing") != 1 {
			t.Errorf("%d %s, %d cups", w.Code, w.Body, s.brewed("longjing"))
		}
		if w := s.do(keyed(brew, "k", `{"cups":2}`)); problemIn(t, w).Code != "request.key_reused" {
			t.Errorf("other body: %s", w.Body)
		}
	})
}

// A panic after the write leaves the effect, and a retry must not repeat it.
func TestCrashAfterWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		s.before = func(ctx context.Context, in *brewIn) error {
			err := d.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.ExecText(ctx, `INSERT INTO sequence (name, next) VALUES ($1, 1)`, "spilled")
				return err
			})
			if err != nil {
				return err
			}
			panic("dropped the pot")
		}
		if w := s.do(keyed(brew, "k", `{"cups":1}`)); w.Code != 500 {
			t.Fatalf("panic: %d", w.Code)
		}
		s.before = nil
		if w := s.do(keyed(brew, "k", `{"cups":1}`)); problemIn(t, w).Code != "request.answer_lost" {
			t.Errorf("retry: %d %s", w.Code, w.Body)
		}
		if s.brewed("spilled") != 1 || s.brewed("longjing") != 0 {
			t.Errorf("spilled %d, brewed %d", s.brewed("spilled"), s.brewed("longjing"))
		}
	})
}

// Twins in flight: one works, the others wait and get its answer.
func TestTwins(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		begun, release := make(chan struct{}), make(chan struct{})
		s.before = func(context.Context, *brewIn) error {
			close(begun) // twice would panic: only one may get here
			<-release
			return nil
		}
		const n = 8
		answers := make([]*httptest.ResponseRecorder, n)
		var all sync.WaitGroup
		all.Go(func() { answers[0] = s.do(keyed(brew, "k", `{"cups":1}`)) })
		<-begun
		for i := 1; i < n; i++ {
			all.Go(func() { answers[i] = s.do(keyed(brew, "k", `{"cups":1}`)) })
		}
		// A twin whose time is up does not wait for ever.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		late := s.ask(ctx, keyed(brew, "k", `{"cups":1}`))
		if p := problemIn(t, late); late.Code != 409 || p.Code != "request.in_flight" || late.Header().Get("Retry-After") != "1" {
			t.Errorf("late twin: %d %v %s", late.Code, late.Header(), late.Body)
		}
		// Another key does not wait at all.
		s2 := keyed("/v1/teas/sold-out/brew", "k2", `{"cups":1}`)
		if w := s.do(s2); w.Code != 409 {
			t.Errorf("another key: %d", w.Code)
		}
		close(release)
		all.Wait()
		for i, w := range answers {
			if w.Code != 201 || w.Body.String() != answers[0].Body.String() || (w.Header().Get("Idempotent-Replayed") == "true") != (i > 0) {
				t.Errorf("twin %d: %d %v %s", i, w.Code, w.Header(), w.Body)
			}
		}
		if got := s.brewed("longjing"); got != 1 {
			t.Errorf("brewed %d cups", got)
		}
	})
}

// Two processes on one database get the same key: whoever commits first has the effect,
// and the other one its answer.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		one, two := newShop(t, d), newShop(t, d)
		var inner *httptest.ResponseRecorder
		one.before = func(context.Context, *brewIn) error {
			inner = two.do(keyed(brew, "k", `{"cups":1}`))
			return nil
		}
		outer := one.do(keyed(brew, "k", `{"cups":1}`))
		if inner.Code != 201 || outer.Code != 201 || outer.Body.String() != inner.Body.String() || outer.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("first %d %s, second %d %s", inner.Code, inner.Body, outer.Code, outer.Body)
		}
		if got := one.brewed("longjing"); got != 1 {
			t.Errorf("brewed %d cups", got)
		}
		if log := one.log.String(); log != "" {
			t.Errorf("logged: %s", log)
		}
	})
}

// The answer is kept also where the caller hung up before it was there.
func TestKeptAfterHangUp(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(ctx context.Context, _ *brewIn) error {
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `INSERT INTO sequence (name, next) VALUES ($1, 1)`, "hung-up")
			return err
		})
		cancel()
		if err != nil {
			return err
		}
		return errSoldOut.With("tea", "longjing")
	}
	s.ask(ctx, keyed(brew, "k", `{"cups":1}`))
	w := s.do(keyed(brew, "k", `{"cups":1}`))
	if p := problemIn(t, w); p.Code != "tea.sold_out" || w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Routes whose service keeps the key: the key is there, twins wait, and nothing is stored here.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	const sell = "/v1/teas/longjing/sell"
	var keys []api.Key
	s.before = func(ctx context.Context, _ *brewIn) error {
		keys = append(keys, api.KeyOf(ctx))
		return nil
	}
	first := s.do(keyed(sell, "k", `{"cups":1}`))
	if first.Code != 201 || first.Body.String() != `{"language":"zh-CN","set":true}` || first.Header().Get("Idempotent-Replayed") != "" ||
		first.Header().Get("Content-Type") != "application/json" {
		t.Errorf("first: %d %v %s", first.Code, first.Header(), first.Body)
	}
	if w := s.do(keyed(sell, "k", `{ "cups": 1 }`)); w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("a replayed Raw does not say so: %v", w.Header())
	}
	s.do(keyed(sell, "k", `{"cups":2}`))
	s.do(keyed(sell, "other", `{"cups":1}`))
	s.do(keyed(sell+"?dry_run=true", "k", `{"cups":1}`))
	s.do(ask{path: sell + "?dry_run=true", body: `{"cups":1}`})
	if len(keys) != 6 {
		t.Fatalf("%d calls came through", len(keys))
	}
	if keys[0] != keys[1] || keys[2].Hash != keys[0].Hash || keys[2].Body == keys[0].Body || keys[3].Hash == keys[0].Hash || keys[3].Body != keys[0].Body {
		t.Errorf("keys: %+v", keys)
	}
	if keys[4].Set || keys[5].Set {
		t.Error("a dry run has a key")
	}
	if got := s.kept(); got != 0 {
		t.Errorf("%d rows kept here", got)
	}
}

func TestMakeKey(t *testing.T) {
	t.Parallel()
	ctx := api.WithCaller(t.Context(), api.Caller{Kind: "key", ID: "anna"})
	make := func(ctx context.Context, route, given string, parts ...string) api.Key {
		raw := [][]byte{}
		for _, p := range parts {
			raw = append(raw, []byte(p))
		}
		k, err := api.MakeKey(ctx, route, given, raw...)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := make(ctx, "r", "k", "ab", "c")
	if base != make(ctx, "r", "k", "ab", "c") || !base.Set {
		t.Error("the same is not the same")
	}
	for name, other := range map[string]api.Key{
		"parts": make(ctx, "r", "k", "a", "bc"), "route": make(ctx, "rk", "k", "ab", "c"), "key": make(ctx, "r", "kk", "ab", "c"),
		"caller": make(api.WithCaller(ctx, api.Caller{Kind: "staff", ID: "anna"}), "r", "k", "ab", "c"),
	} {
		if other == base {
			t.Errorf("another %s has the same key", name)
		}
	}
	if _, err := api.MakeKey(ctx, "r", ""); err == nil {
		t.Error("an empty key is taken")
	}
}

func TestSecretNotKept(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	const gift = "/v1/teas/longjing/gift"
	if w := s.do(keyed(gift, "k", `{"cups":1}`)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := s.do(keyed(gift, "k", `{"cups":1}`)); problemIn(t, w).Code != "request.answer_lost" || s.brewed("longjing") != 1 {
		t.Errorf("retry: %d %s", w.Code, w.Body)
	}
}

// A dry run and a public route keep nothing, whatever key they bear.
func TestNotKept(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite))
	s.do(keyed(brew+"?dry_run=true", "k", `{"cups":1}`))
	s.do(keyed("/v1/bell", "k", ""))
	s.do(keyed("/v1/bell", "k", "{}"))
	s.do(ask{path: brew, body: `{"cups":1}`})
	if s.kept() != 0 || s.calls.Load() != 4 {
		t.Errorf("%d kept of %d calls", s.kept(), s.calls.Load())
	}
}

// mirror is a vault that shows whether both ways are used with the same context.
type mirror struct{}

func (mirror) SealBytes(plain, aad []byte) []byte {
	return append(append([]byte("sealed:"), aad...), flip(plain)...)
}

func (mirror) OpenBytes(sealed, aad []byte) ([]byte, error) {
	rest, ok := strings.CutPrefix(string(sealed), "sealed:"+string(aad))
	if !ok {
		return nil, fmt.Errorf("not sealed for this place")
	}
	return flip([]byte(rest)), nil
}

func (mirror) RewrapBytes(sealed, _ []byte) ([]byte, bool, error) { return sealed, false, nil }

func flip(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = ^c
	}
	return out
}

func TestVault(t *testing.T) {
	t.Parallel()
	s := newShop(t, dbtest.Open(t, db.SQLite), func(c *api.Config) { c.Vault = mirror{} })
	first := s.do(keyed(brew, "k", `{"cups":1}`))
	again := s.do(keyed(brew, "k", `{"cups":1}`))
	if again.Body.String() != first.Body.String() || again.Code != 201 {
		t.Errorf("retry: %d %s", again.Code, again.Body)
	}
	var sealed int64
	s.count(&sealed, `SELECT COUNT(*) FROM request WHERE status = $1 AND CAST(substr(answer, 1, 7) AS TEXT) = 'sealed:'`, 201)
	if sealed != 1 {
		t.Error("the answer is stored as it is")
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, d)
		begin := s.clock.Now()
		s.do(keyed(brew, "old", `{"cups":1}`))
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			for i := range 1352 + 256 { // of one shard more than two slices, and one of each
				shard := 7
				if i >= 1352 {
					shard = i - 1352
				}
				hash := append([]byte{byte(shard)}, fmt.Sprintf("%015d", i)...)
				if _, err := tx.ExecText(ctx, `INSERT INTO request (shard, hash, body_hash, status, at_ms) VALUES ($1, $2, $3, 200, $4)`,
					shard, hash, hash, begin.UnixMilli()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s.clock.Advance(24 * time.Hour)
		s.do(keyed(brew, "new", `{"cups":1}`))
		purge := func(before time.Time, turns ...int) (n int64) {
			for _, turn := range turns {
				removed, err := s.router.Purge(t.Context(), before, 20000+turn)
				if err != nil {
					t.Fatal(err)
				}
				n += removed
			}
			return n
		}
		if n := purge(begin, 0, 1, 2, 3); n != 0 {
			t.Errorf("purged %d of what is not older", n)
		}
		if n := purge(begin.Add(time.Hour), 3); n != 1352+64 && n != 1352+64+1 { // perhaps with that of "old"
			t.Errorf("purged %d in the turn of the full shard", n)
		}
		if n := purge(begin.Add(time.Hour), 1, 2, 0); n < 192 || s.kept() != 1 {
			t.Errorf("purged %d in the other turns, kept %d", n, s.kept())
		}
		if w := s.do(keyed(brew, "new", `{"cups":1}`)); w.Header().Get("Idempotent-Replayed") != "true" {
			t.Error("the new key was purged")
		}
	})
}
