package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tables, whatever the machine has

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

const (
	day = 24 * 3600 * 1000 // ms
	// noon is 2026-03-10 12:00 in Shanghai, the zone of most tests: it has no DST.
	noon = int64(1773115200000)
)

var shanghai = zoneOf("Asia/Shanghai")

func zoneOf(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// currencies of the tests, by what they show.
func testConfig() *Config {
	return configOf(
		&Currency{ID: 1, Code: "points", Kind: Points, Policy: Policy{
			Expiry:   Expiry{Policy: "rolling", Count: 30, Unit: "day"},
			Transfer: Transfer{Allowed: true, FeePercent: 10, KeepsExpiry: true},
		}},
		&Currency{ID: 2, Code: "stored", Kind: Stored, Policy: Policy{SpendOrder: Proportional}},
		&Currency{ID: 3, Code: "growth", Kind: Growth},
		&Currency{ID: 4, Code: "slide", Kind: Points, Policy: Policy{
			Expiry: Expiry{Policy: "sliding", Count: 10, Unit: "day"}, PendingDays: 3,
			Clawback: ClawBalance, Restore: Restore{GraceDays: 5},
			Transfer: Transfer{Allowed: true},
		}},
	)
}

func configOf(list ...*Currency) *Config {
	c := &Config{Zone: shanghai, Currencies: map[int64]*Currency{}, ByCode: map[string]*Currency{}, Issuer: 1}
	for _, cur := range list {
		cur.Active = true
		c.Currencies[cur.ID], c.ByCode[cur.Code] = cur, cur
	}
	return c
}

// bench is an Engine on a fresh database, with a clock of its own.
type bench struct {
	*Engine
	t      testing.TB
	db     *db.DB
	clock  *clock.Manual
	config *Config
}

func newBench(t testing.TB, d *db.DB, workers int) *bench {
	t.Helper()
	b := &bench{t: t, db: d, clock: clock.At(time.UnixMilli(noon)), config: testConfig()}
	b.Engine = b.engine(workers)
	return b
}

// engine starts one more Engine on the same database, as a second node would.
func (b *bench) engine(workers int) *Engine {
	b.t.Helper()
	log := slog.New(slog.NewTextHandler(b.t.Output(), &slog.HandlerOptions{Level: slog.LevelError + 1}))
	e, err := NewEngine(b.t.Context(), b.db, b.clock, log, func() *Config { return b.config }, EngineOptions{Workers: workers})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(e.Close)
	return e
}

// cmd is a command made of a function.
type cmd struct {
	needs Needs
	do    func(s *State) (any, error)
}

func (c cmd) Needs() Needs                 { return c.needs }
func (c cmd) Decide(s *State) (any, error) { return c.do(s) }

// on makes a command that works on one account with all its open lots.
func on(member int64, do func(s *State, a *Account) (any, error)) cmd {
	return cmd{Needs{Members: []int64{member}, Lots: []int64{member}}, func(s *State) (any, error) {
		a, err := s.Account(member)
		if err != nil {
			return nil, err
		}
		return do(s, a)
	}}
}

// moved is the answer of the commands below.
type moved struct {
	Entry int64   `json:"entry"`
	Lots  []Touch `json:"lots,omitempty"`
}

// earn grants without asking for the member's lots, as sales do.
func earn(member, currency, amount int64) cmd {
	return cmd{Needs{Members: []int64{member}}, func(s *State) (any, error) {
		a, err := s.Account(member)
		if err != nil {
			return nil, err
		}
		g, err := s.Grant(a, Grant{Kind: Earn, Currency: s.Config.Currencies[currency], Amount: amount})
		if err != nil {
			return nil, err
		}
		s.Event(a, "points.earned", s.NowMS, "{}")
		return moved{Entry: a.EntryN, Lots: []Touch{{g.Lot.Seq, amount}}}, nil
	}}
}

func spend(member, currency, amount int64) cmd {
	return on(member, func(s *State, a *Account) (any, error) {
		touches, err := s.Spend(a, s.Config.Currencies[currency], amount, Posting{Reason: "test"})
		return moved{a.EntryN, touches}, err
	})
}

func transfer(from, to, currency, amount int64) cmd {
	n := Needs{Members: []int64{from, to}, Lots: []int64{from}}
	return cmd{n, func(s *State) (any, error) {
		f, err := s.Account(from)
		if err != nil {
			return nil, err
		}
		t, err := s.Account(to)
		if err != nil {
			return nil, err
		}
		e, err := s.Transfer(f, t, s.Config.Currencies[currency], amount, Posting{})
		if err != nil {
			return nil, err
		}
		return moved{e.Seq, e.Touches}, nil
	}}
}

// keyed is a request as one from the API: with a key, whose refusals are kept.
func keyed(key, body string, c Command) Request {
	k := api.Key{Hash: hash16(key), Body: hash16(body), Set: true}
	return Request{Command: c, Actor: "key:test", Key: k, Refusal: func(err error) (int, []byte) {
		b, _ := json.Marshal(map[string]string{"code": errs.As(err).Code})
		return 409, b
	}}
}

func hash16(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:16])
}

// must posts a command and fails the test where it is refused.
func (b *bench) must(c Command) Answer {
	b.t.Helper()
	a := b.Do(b.t.Context(), Request{Command: c, Actor: "test"})
	if a.Err != nil {
		b.t.Fatalf("refused: %v", a.Err)
	}
	return a
}

// refused posts a command and fails the test unless it is refused for a reason.
func (b *bench) refused(c Command, want error) {
	b.t.Helper()
	if a := b.Do(b.t.Context(), Request{Command: c, Actor: "test"}); !errors.Is(a.Err, want) {
		b.t.Fatalf("answer %+v, error %v, want %v", a.Value, a.Err, want)
	}
}

// wallet reads what a member has, as it stands in the database.
func (b *bench) wallet(member, currency int64) Wallet {
	b.t.Helper()
	var w Wallet
	err := b.db.Read(b.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, "SELECT active, pending, held, debt, earned, spent, first_open, next_ms, slide_ms FROM wallet WHERE member_id = $1 AND currency_id = $2", member, currency)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			return rows.Scan(&w.Active, &w.Pending, &w.Held, &w.Debt, &w.Earned, &w.Spent, &w.FirstOpen, &w.NextMS, &w.SlideMS)
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// number reads one integer.
func (b *bench) number(query string, args ...any) int64 {
	b.t.Helper()
	var n int64
	err := b.db.Read(b.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			return rows.Scan(&n)
		}
		return rows.Err()
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// exec changes the database behind the engine's back.
func (b *bench) exec(query string, args ...any) {
	b.t.Helper()
	err := b.db.InTx(b.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecText(ctx, query, args...)
		return err
	})
	if err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
}

// waiting are the events in the outbox.
func waiting(t testing.TB, d *db.DB) (list []event.Event) {
	t.Helper()
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) (err error) {
		list, _, err = event.Waiting(ctx, tx, 0, 10_000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// together runs n functions at once and waits for all of them.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// openLite is a fresh database of SQLite.
func openLite(t testing.TB) *db.DB {
	t.Helper()
	return dbtest.Open(t, db.SQLite)
}
