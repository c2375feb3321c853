// Package till is the day of a cashier: the shift at a till, from the money that is in the
// drawer when it opens to what is counted when it closes.
//
// Life: a shift is opened at a till with what lies in the drawer. Sales and returns are
// posted as ever; they know nothing of shifts. Closing adds up what the till sold, took back
// and took in since then, compares it with what was counted, and keeps the report as it
// was.
//
// Laws:
//   - A till has one open shift at most.
//   - A report is made from the sales themselves, of a span of time: a shift that is closed
//     wrongly changes none of them, and the report of any span can be asked for again.
//   - What a closed shift said then is kept; a sale that comes late, from a till that was
//     offline, shows in a new report and not in that one.
package till

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/price"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

const (
	prefix  = "shi_"
	maxSpan = 3 * 24 * time.Hour // of a report: shifts that were forgotten over a weekend
	maxNote = 500                // characters
	cash    = "cash"             // the kind of a payment that lies in the drawer
)

var (
	// ErrUnknown answers for a shift that is not there, or of another store.
	ErrUnknown = errs.New(errs.NotFound, "shift.unknown", "There is no such shift.", "没有这个班次。")
	// ErrOpen refuses a second open shift of a till.
	ErrOpen = errs.New(errs.Conflict, "shift.open", "This till has an open shift. Close it first.", "该收银台有未结束的班次，请先交班。")
	// ErrClosed refuses to close a shift twice.
	ErrClosed = errs.New(errs.Conflict, "shift.closed", "This shift is closed already.", "该班次已结束。")
	// ErrNotYours refuses to close a colleague's shift.
	ErrNotYours = errs.New(errs.Forbidden, "shift.not_yours", "Only who opened a shift may close it, or a person who manages the programme.", "只能由开班人或有计划管理权限的人交班。")
	// ErrSpan refuses a report over too long a time.
	ErrSpan = errs.New(errs.Invalid, "shift.span", "A report goes from one time to a later one, over {days} days at most.", "报表须从较早时间到较晚时间，最长 {days} 天。")
	// ErrNote refuses a note that is too long.
	ErrNote = errs.New(errs.Invalid, "shift.note", "A note has {max} characters at most.", "备注最多 {max} 个字符。")
)

// Options are what a Service is made of. All are required.
type Options struct {
	DB      *db.DB
	Clock   clock.Clock
	Program *program.Service
	Sales   *sale.Service
	Ledger  *ledger.Service
	Prices  *price.Service
	Coupons *coupon.Service
	Members *member.Service
	Audit   *staff.Audit
	Box     *seal.Box
}

// Service keeps shifts. It is safe for use by many goroutines.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o} }

// Report is what a till did in a span of time.
type Report struct {
	Store       string       `json:"store" doc:"The store."`
	Till        string       `json:"till,omitempty" doc:"The till, as sales name it; absent for all."`
	Staff       string       `json:"staff,omitempty" doc:"The salesperson, as sales name them; absent for all."`
	From        time.Time    `json:"from" doc:"From when."`
	To          time.Time    `json:"to" doc:"Until when, exclusive."`
	Money       []Money      `json:"money" doc:"By currency of sales."`
	Points      []Points     `json:"points" doc:"By currency of points."`
	StoredValue []StoredTake `json:"stored_value" doc:"Top-ups, by currency and kind of payment. They name no till: those of the store count, and with staff or of a shift those of its cashier."`
}

// Money is what was sold and taken back in one currency, in minor units.
type Money struct {
	Currency string        `json:"currency" doc:"ISO 4217 code."`
	Sales    int64         `json:"sales" doc:"How many."`
	Sold     int64         `json:"sold" doc:"What for."`
	Members  int64         `json:"member_sales" doc:"How many of them were members'."`
	Returns  int64         `json:"returns" doc:"How many, with voids."`
	Returned int64         `json:"returned" doc:"What for, with voids."`
	Voids    int64         `json:"voids" doc:"How many of the returns undid a sale at once."`
	Voided   int64         `json:"voided" doc:"What for."`
	Net      int64         `json:"net" doc:"Sold less returned."`
	Payments []PaymentTake `json:"payments" doc:"What came in less what went back, by kind."`
	Unnamed  int64         `json:"unnamed" doc:"Of net, what no payment says."`
}

// PaymentTake is what came in of one kind of payment.
type PaymentTake struct {
	Kind   string `json:"kind"`
	Amount int64  `json:"amount"`
}

// Points is what moved of one currency of points.
type Points struct {
	Currency   string `json:"currency" doc:"Code."`
	Earned     int64  `json:"earned" doc:"By sales."`
	ClawedBack int64  `json:"clawed_back" doc:"By returns."`
	Spent      int64  `json:"spent" doc:"Paid with."`
	Restored   int64  `json:"restored" doc:"Given back by returns."`
}

// StoredTake is what was paid into stored value.
type StoredTake struct {
	Currency string `json:"currency" doc:"Code."`
	Payment  string `json:"payment" doc:"How it was paid."`
	Count    int64  `json:"count"`
	Amount   int64  `json:"amount" doc:"In the currency's smallest unit, without bonus."`
	Worth    int64  `json:"worth" doc:"In minor units of the programme's money."`
}

// Span says what to report of.
type Span struct {
	Store       int64
	Till, Staff string
	Cashier     string // actor whose top-ups count; "" for all of the store
	From, To    time.Time
}

// Report adds up a span.
func (s *Service) Report(ctx context.Context, sp Span) (r Report, err error) {
	if !sp.From.Before(sp.To) || sp.To.Sub(sp.From) > maxSpan {
		return r, ErrSpan.With("days", int(maxSpan.Hours()/24)).At("query.from")
	}
	from, to := sp.From.UnixMilli(), sp.To.UnixMilli()
	r = Report{Store: program.StoreID(sp.Store), Till: sp.Till, Staff: sp.Staff, From: sp.From.UTC(), To: sp.To.UTC(), Money: []Money{}, Points: []Points{}, StoredValue: []StoredTake{}}
	sums, err := s.o.Sales.Tallies(ctx, sp.Store, sp.Till, sp.Staff, from, to)
	if err != nil {
		return r, err
	}
	points := map[int64]*Points{}
	of := func(currency int64) *Points {
		if points[currency] == nil {
			points[currency] = &Points{}
			if c := s.o.Ledger.Config().Currencies[currency]; c != nil {
				points[currency].Currency = c.Code
			}
		}
		return points[currency]
	}
	for _, t := range sums {
		m := Money{
			Currency: t.Currency, Sales: t.Sales, Sold: t.Sold, Members: t.Members, Returns: t.Returns, Returned: t.Returned, Voids: t.Voids, Voided: t.Voided,
			Net: t.Sold - t.Returned, Unnamed: t.Unpaid, Payments: []PaymentTake{},
		}
		for _, kind := range slices.Sorted(maps.Keys(t.Payments)) {
			m.Payments = append(m.Payments, PaymentTake{kind, t.Payments[kind]})
		}
		r.Money = append(r.Money, m)
		for c, n := range t.Earned {
			of(c).Earned += n
		}
		for c, n := range t.ClawedBack {
			of(c).ClawedBack += n
		}
		for c, n := range t.Spent {
			of(c).Spent += n
		}
		for c, n := range t.Restored {
			of(c).Restored += n
		}
	}
	for _, c := range slices.Sorted(maps.Keys(points)) {
		r.Points = append(r.Points, *points[c])
	}
	r.StoredValue, err = s.stored(ctx, sp, from, to)
	return r, err
}

// stored adds up top-ups.
func (s *Service) stored(ctx context.Context, sp Span, from, to int64) ([]StoredTake, error) {
	list, err := s.o.Ledger.TopUps(ctx, from, to)
	if err != nil {
		return nil, err
	}
	type key struct{ currency, payment string }
	sums := map[key]*StoredTake{}
	for _, t := range list {
		if t.Store == 0 { // none was named
			t.Store = s.o.Program.Snapshot().DefaultStore().ID
		}
		if t.Currency == nil || t.Store != sp.Store || sp.Cashier != "" && t.Actor != sp.Cashier {
			continue
		}
		k := key{t.Currency.Code, t.Payment}
		if sums[k] == nil {
			sums[k] = &StoredTake{Currency: k.currency, Payment: k.payment}
		}
		sums[k].Count, sums[k].Amount, sums[k].Worth = sums[k].Count+1, sums[k].Amount+t.Amount, sums[k].Worth+t.Worth
	}
	out := []StoredTake{}
	for _, t := range sums {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b StoredTake) int {
		return strings.Compare(a.Currency+"\x00"+a.Payment, b.Currency+"\x00"+b.Payment)
	})
	return out, nil
}

// cashIn is what should have come into the drawer, in the programme's money.
func (r Report) cashIn(money string) (n int64) {
	for _, m := range r.Money {
		for _, p := range m.Payments {
			if m.Currency == money && p.Kind == cash {
				n += p.Amount
			}
		}
	}
	for _, t := range r.StoredValue {
		if t.Payment == cash {
			n += t.Worth
		}
	}
	return n
}

// Shift is one, open or closed. Cash is in minor units of the programme's money.
type Shift struct {
	ID               int64
	Store            int64
	Till             string
	Cashier          string // as sales name them; "" where the till names nobody
	OpenedBy         string // "staff:stf_…"
	Opened           time.Time
	OpeningCash      int64
	ClosedBy         string
	Closed           time.Time // zero while it is open
	Counted, Expects int64
	Note             string
	Report           Report // while it is open, empty
}

// PublicID is what the outside calls the shift.
func (s Shift) PublicID() string { return id.Encode(prefix, 0, s.ID) }

const columns = `id, store_id, till, cashier, opened_by, opened_ms, opening_cash, closed_by, closed_ms, counted_cash, expected_cash, note, report`

var (
	openSQL = db.Define("till.open", `
		INSERT INTO shift (id, store_id, till, cashier, opened_by, opened_ms, opening_cash, closed_by, closed_ms, counted_cash, expected_cash, note, report)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, 0, 0, '', '{}')
		ON CONFLICT (store_id, till) WHERE closed_ms = 0 DO NOTHING`)
	closeSQL = db.Define("till.close", `
		UPDATE shift
		SET closed_by = $2, closed_ms = $3, counted_cash = $4, expected_cash = $5, note = $6, report = $7
		WHERE id = $1 AND closed_ms = 0`)
	getSQL = db.Define("till.get", `
		SELECT `+columns+`
		FROM shift
		WHERE id = $1`)
	listSQL = db.Define("till.list", `
		SELECT `+columns+`
		FROM shift
		WHERE id < $1 AND ($2 = 0 OR closed_ms = 0)
		ORDER BY id DESC
		LIMIT $3`)
	ofTillSQL = db.Define("till.ofTill", `
		SELECT `+columns+`
		FROM shift
		WHERE store_id = $1 AND till = $2 AND id < $3 AND ($4 = 0 OR closed_ms = 0)
		ORDER BY id DESC
		LIMIT $5`)
)

func scan(row interface{ Scan(...any) error }) (sh Shift, err error) {
	var opened, closed int64
	var report string
	err = row.Scan(&sh.ID, &sh.Store, &sh.Till, &sh.Cashier, &sh.OpenedBy, &opened, &sh.OpeningCash, &sh.ClosedBy, &closed, &sh.Counted, &sh.Expects, &sh.Note, &report)
	if err != nil {
		return sh, err
	}
	sh.Opened = time.UnixMilli(opened).UTC()
	if closed == 0 {
		return sh, nil
	}
	sh.Closed = time.UnixMilli(closed).UTC()
	return sh, json.Unmarshal([]byte(report), &sh.Report)
}

// store finds a store that the caller may act in.
func (s *Service) store(ctx context.Context, ref string) (program.Store, error) {
	snap := s.o.Program.Snapshot()
	st, err := snap.FindStore(ref)
	if err == nil && !snap.SeesStore(api.CallerOf(ctx), st.ID) {
		err = program.ErrNoStore
	}
	return st, err
}

// Open opens a shift.
func (s *Service) Open(ctx context.Context, store, till, cashier string, drawer int64) (sh Shift, err error) {
	if err := s.o.Program.Snapshot().Uses(program.TillModule); err != nil {
		return sh, err
	}
	st, err := s.store(ctx, store)
	if err != nil {
		return sh, errs.As(err).At("body.store")
	}
	now := s.o.Clock.Now()
	sh = Shift{Store: st.ID, Till: till, Cashier: cashier, OpenedBy: staff.ActorOf(ctx), Opened: now.UTC(), OpeningCash: drawer}
	if sh.ID, err = s.o.DB.NextID(ctx, "shift"); err != nil {
		return sh, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, openSQL, sh.ID, sh.Store, sh.Till, sh.Cashier, sh.OpenedBy, now.UnixMilli(), drawer)
		if err != nil {
			return fmt.Errorf("open a shift: %w", err)
		}
		if n == 0 {
			return ErrOpen
		}
		return s.o.Audit.Record(ctx, tx, "shift.open", sh.PublicID(), nil, map[string]any{"store": program.StoreID(sh.Store), "till": till, "cash": drawer})
	})
	return sh, err
}

// Get reads a shift that the caller may see.
func (s *Service) Get(ctx context.Context, n int64) (sh Shift, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		sh, err = scan(tx.QueryRow(ctx, getSQL, n))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.o.Program.Snapshot().SeesStore(api.CallerOf(ctx), sh.Store) {
		return sh, ErrUnknown
	}
	return sh, err
}

// Sums is the report of a shift as it stands: of an open one, until now.
func (s *Service) Sums(ctx context.Context, sh Shift, until time.Time) (Report, error) {
	from := sh.Opened
	if until.Sub(from) > maxSpan { // it was forgotten: the last days are what can be said
		from = until.Add(-maxSpan)
	}
	if !from.Before(until) {
		until = from.Add(time.Millisecond)
	}
	return s.Report(ctx, Span{Store: sh.Store, Till: sh.Till, Cashier: sh.OpenedBy, From: from, To: until})
}

// Close closes a shift with what was counted in the drawer.
func (s *Service) Close(ctx context.Context, n, counted int64, note string) (Shift, error) {
	note = strings.TrimSpace(note)
	if utf8.RuneCountInString(note) > maxNote {
		return Shift{}, ErrNote.With("max", maxNote).At("body.note")
	}
	sh, err := s.Get(ctx, n)
	if err != nil {
		return sh, err
	}
	if !sh.Closed.IsZero() {
		return sh, ErrClosed
	}
	if sh.OpenedBy != staff.ActorOf(ctx) && !api.CallerOf(ctx).Can[program.Manage] {
		return sh, ErrNotYours
	}
	now := s.o.Clock.Now()
	if sh.Report, err = s.Sums(ctx, sh, now); err != nil {
		return sh, err
	}
	sh.ClosedBy, sh.Closed, sh.Counted, sh.Note = staff.ActorOf(ctx), now.UTC(), counted, note
	sh.Expects = sh.OpeningCash + sh.Report.cashIn(s.o.Program.Snapshot().Settings.Currency)
	report, err := json.Marshal(sh.Report)
	if err != nil {
		return sh, err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		count, err := tx.Exec(ctx, closeSQL, sh.ID, sh.ClosedBy, now.UnixMilli(), counted, sh.Expects, note, string(report))
		if err != nil {
			return fmt.Errorf("close shift %d: %w", n, err)
		}
		if count == 0 {
			return ErrClosed
		}
		return s.o.Audit.Record(ctx, tx, "shift.close", sh.PublicID(), nil, map[string]int64{"counted": counted, "expected": sh.Expects})
	})
	return sh, err
}

// List returns shifts before a number (0 = the newest), newest first: of a till where it is
// named, and only open ones if that is asked for.
func (s *Service) List(ctx context.Context, store, till string, open bool, before int64, limit int) (list []Shift, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	stmt, args := listSQL, []any{before, open, limit}
	if till != "" {
		st, err := s.store(ctx, store)
		if err != nil {
			return nil, errs.As(err).At("query.store")
		}
		stmt, args = ofTillSQL, append([]any{st.ID, till}, args...)
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			sh, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, sh)
			return nil
		})(tx.Query(ctx, stmt, args...))
	})
	return list, err
}
