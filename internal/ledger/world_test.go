package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// begin is when tests begin: noon in Shanghai, where the programme is.
var begin = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

// world is the ledger behind its routes, with what it stands on.
type world struct {
	t       *testing.T
	db      *db.DB
	clock   *clock.Manual
	program *program.Service
	members *member.Service
	ledger  *ledger.Service
	events  *event.Dispatcher
	jobs    *job.Queue
	handler http.Handler
	keys    int
	limits  map[string]api.Caller // callers who may act for a part of the programme
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, clock: clock.At(begin), limits: map[string]api.Caller{}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	audit := staff.NewAudit(d, w.clock)
	var err error
	if w.program, err = program.New(t.Context(), d, w.clock, audit); err != nil {
		t.Fatal(err)
	}
	w.events = event.New(d, w.clock, log)
	w.jobs = job.NewQueue(d, w.clock, job.Options{Log: log})
	w.members = member.New(d, seal.Test(), w.clock, log)
	approvals := staff.NewApprovals(d, w.clock, log, w.program, audit, nil)
	w.ledger, err = ledger.New(t.Context(), ledger.Options{
		DB: d, Clock: w.clock, Log: log, Program: w.program, Members: w.members, Audit: audit,
		Jobs: w.jobs, Events: w.events, Approvals: approvals, Workers: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.ledger.Close)
	w.members.Use(member.Hooks{Programme: w.program.Snapshot, Merger: w.ledger, Switches: w.ledger, Audit: audit})
	w.members.Register(w.ledger)
	w.members.Register(w.ledger.BlockedCard())
	r := api.New(api.Config{DB: d, Clock: w.clock, Auth: w, Log: log, DefaultLanguage: "en", Title: "t", Version: "1"})
	w.program.Routes(r)
	w.members.Routes(r)
	w.ledger.Routes(r)
	approvals.Routes(r)
	w.handler = r.Handler()
	return w
}

// Authenticate lets everybody in under the name that the bearer token says, as an owner.
func (w *world) Authenticate(_ context.Context, r *http.Request) (api.Caller, error) {
	name := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	c := w.limits[name]
	c.Kind, c.ID, c.Name = "staff", name, name
	if c.Can == nil {
		c.Can = staff.Owner.Can()
	}
	return c, nil
}

// ask is a request and what is changed about it.
type ask struct {
	method, path, body string
	who                string // "ann" where empty
	key                string // a fresh one where empty
	lang               string
}

type reply struct {
	status   int
	body     []byte
	replayed bool
	header   http.Header
}

func (w *world) send(a ask) reply {
	w.t.Helper()
	if a.who == "" {
		a.who = "ann"
	}
	if a.key == "" {
		w.keys++
		a.key = fmt.Sprint("key-", w.keys)
	}
	req := httptest.NewRequest(a.method, a.path, strings.NewReader(a.body))
	req.Header.Set("Authorization", "Bearer "+a.who)
	req.Header.Set("Accept-Language", a.lang)
	if a.method != http.MethodGet {
		req.Header.Set("Idempotency-Key", a.key)
	}
	if a.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	return reply{rec.Code, rec.Body.Bytes(), rec.Header().Get("Idempotent-Replayed") == "true", rec.Header()}
}

// post sends a write and expects a status; its answer is read as JSON.
func (w *world) post(status int, path, body string) map[string]any {
	w.t.Helper()
	return w.read(status, ask{method: "POST", path: path, body: body})
}

func (w *world) get(path string) map[string]any {
	w.t.Helper()
	return w.read(200, ask{method: "GET", path: path})
}

func (w *world) read(status int, a ask) map[string]any {
	w.t.Helper()
	r := w.send(a)
	out := map[string]any{}
	if err := json.Unmarshal(r.body, &out); err != nil || r.status != status {
		w.t.Fatalf("%s %s %s: %d %s, want %d", a.method, a.path, a.body, r.status, r.body, status)
	}
	return out
}

// refuse expects a problem with a code.
func (w *world) refuse(status int, code string, a ask) string {
	w.t.Helper()
	got := w.read(status, a)
	if got["code"] != code {
		w.t.Fatalf("%s %s %s: refused with %v, want %s", a.method, a.path, a.body, got, code)
	}
	return got["detail"].(string)
}

// member makes a member and returns their id.
func (w *world) member(external string) string {
	w.t.Helper()
	return w.post(201, "/v1/members", fmt.Sprintf(`{"external_id":"t/%s"}`, external))["id"].(string)
}

// earn gives points by a document of its own.
func (w *world) earn(m, currency string, amount int64) map[string]any {
	w.t.Helper()
	w.keys++
	return w.post(201, "/v1/members/"+m+"/earnings", fmt.Sprintf(`{"currency":%q,"amount":%d,"reason":"gift","source":"test","document":"e%d"}`, currency, amount, w.keys))
}

func (w *world) spend(m string, amount int64) map[string]any {
	w.t.Helper()
	w.keys++
	return w.post(201, "/v1/members/"+m+"/spendings", fmt.Sprintf(`{"currency":"points","amount":%d,"reason":"coffee","source":"test","document":"s%d"}`, amount, w.keys))
}

// currency makes a currency with a policy.
func (w *world) currency(code, kind, policy string) {
	w.t.Helper()
	w.post(201, "/v1/currencies", fmt.Sprintf(`{"code":%q,"kind":%q,"name_en":"%s EN","name_zh":"%s 中文","policy":%s}`, code, kind, code, code, policy))
}

// wallet reads one wallet of a member.
func (w *world) wallet(m, currency string) ledger.WalletView {
	w.t.Helper()
	r := w.send(ask{method: "GET", path: "/v1/members/" + m + "/wallets"})
	var list []ledger.WalletView
	if err := json.Unmarshal(r.body, &list); err != nil || r.status != 200 {
		w.t.Fatalf("wallets: %d %s", r.status, r.body)
	}
	for _, v := range list {
		if v.Currency == currency {
			return v
		}
	}
	w.t.Fatalf("no wallet of %s in %s", currency, r.body)
	return ledger.WalletView{}
}

// has compares available, pending, held and debt of a wallet.
func (w *world) has(m, currency string, want ...int64) {
	w.t.Helper()
	v := w.wallet(m, currency)
	if got := []int64{v.Available, v.Pending, v.Held, v.Debt}; !reflect.DeepEqual(got, want) {
		w.t.Fatalf("%s of %s: available, pending, held, debt are %v, want %v", currency, m, got, want)
	}
}

// kinds lists the events of postings so far, and forgets them.
func (w *world) told() string {
	w.t.Helper()
	var all []string
	err := w.db.InTx(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		all = nil
		list, _, err := event.Waiting(ctx, tx, 0, 10_000)
		if err != nil {
			return err
		}
		for _, e := range list {
			all = append(all, e.Kind)
		}
		_, err = tx.ExecText(ctx, "DELETE FROM outbox")
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func (w *world) number(query string, args ...any) (n int64) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// dig follows keys and places into an answer.
func dig(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

func compact(b []byte) string {
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return string(b)
	}
	return out.String()
}
