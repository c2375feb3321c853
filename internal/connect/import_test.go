package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/connect/file"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

var errNoSale = errs.New(errs.Conflict, "test.no_sale", "No sale for this return.", "没有对应的销售。")

// shop is a sink that remembers what it has, as the real one does. A return waits where
// nobody of its member bought its first sku before.
type shop struct {
	has     map[string]bool
	bought  map[string]bool
	batches []int
	failAt  int // fail at this batch, counted from 1
	answer  func(i int) Outcome
}

func newShop() *shop { return &shop{has: map[string]bool{}, bought: map[string]bool{}} }

var errShop = errors.New("the shop is closed")

func take[T any](s *shop, batch []T, key func(T) string, decide func(T) Outcome) ([]Outcome, error) {
	s.batches = append(s.batches, len(batch))
	if s.failAt == len(s.batches) {
		return nil, errShop
	}
	out := make([]Outcome, len(batch))
	for i, r := range batch {
		switch k := key(r); {
		case s.answer != nil:
			out[i] = s.answer(i)
		case s.has[k]:
			out[i].State = Repeated
		default:
			s.has[k] = true
			out[i] = decide(r)
		}
	}
	return out, nil
}

func taken[T any](T) Outcome { return Outcome{State: Taken} }

func (s *shop) Sales(_ context.Context, batch []file.Document) ([]Outcome, error) {
	return take(s, batch, func(d file.Document) string { return d.Key }, func(d file.Document) Outcome {
		if sku := d.Member + d.Lines[0].SKU; d.Type == file.Return && !s.bought[sku] {
			return Outcome{State: Parked, Reason: errNoSale}
		}
		for _, l := range d.Lines {
			s.bought[d.Member+l.SKU] = true
		}
		return Outcome{State: Taken, MemberCreated: d.Member != "" && d.Type == file.Sale}
	})
}

func (s *shop) Members(_ context.Context, batch []file.MemberRow) ([]Outcome, error) {
	return take(s, batch, func(m file.MemberRow) string { return m.ExternalID }, taken)
}

func (s *shop) Events(_ context.Context, batch []file.EventRow) ([]Outcome, error) {
	return take(s, batch, func(e file.EventRow) string { return e.Type + e.Key }, taken)
}

func (s *shop) Balances(_ context.Context, batch []file.BalanceRow) ([]Outcome, error) {
	return take(s, batch, func(b file.BalanceRow) string { return b.Member }, taken)
}

func (s *shop) Products(_ context.Context, batch []file.ProductRow) ([]Outcome, error) {
	return take(s, batch, func(p file.ProductRow) string { return p.SKU }, taken)
}

func retail() Options {
	return Options{
		Kind: file.Sales, Path: "testdata/online_retail.csv", Source: "uk", Currency: "GBP", Location: time.UTC,
		Map:   "document=invoice_no,member=customer_id,at=invoice_time,sku=stock_code,name=description,quantity=quantity,unit_price=unit_price_gbp",
		Sales: file.SalesOptions{ReturnsPrefix: "C"},
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustImport(t *testing.T, sink Sink, o Options) Report {
	t.Helper()
	r, err := Import(context.Background(), sink, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func same(t *testing.T, what string, got, want Report) {
	t.Helper()
	if !maps.Equal(got.Reasons, want.Reasons) {
		t.Errorf("%s: reasons %v, want %v", what, got.Reasons, want.Reasons)
	}
	got.Reasons, want.Reasons = nil, nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

// The invoices of a shop, with returns, a correction of its books and rows that lie apart.
func TestImportSales(t *testing.T) {
	t.Parallel()
	o := retail()
	var refused bytes.Buffer
	o.Errors = file.NewRefused(&refused, "en")
	s := newShop()
	reasons := map[string]int64{"sale_row.negative_quantity": 1, "sale_row.negative_amount": 1, "test.no_sale": 2}
	same(t, "first", mustImport(t, s, o), Report{Lines: 35, Taken: 31, Parked: 2, Refused: 2, Sales: 7, Returns: 2, MembersCreated: 5, Reasons: reasons})
	for _, want := range []string{
		"24,sale_row.negative_quantity,", "536589,21777,,-10,",
		"33,sale_row.negative_amount,", "A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,",
	} {
		if !strings.Contains(refused.String(), want) {
			t.Errorf("the error file misses %q:\n%s", want, refused.String())
		}
	}
	if n := strings.Count(refused.String(), "\r\n"); n != 3 {
		t.Errorf("the error file has %d lines", n)
	}

	delete(reasons, "test.no_sale")
	o.Errors = nil
	same(t, "again", mustImport(t, s, o), Report{Lines: 35, Repeated: 33, Refused: 2, Reasons: reasons})
}

func TestDryRunCallsNobody(t *testing.T) {
	t.Parallel()
	o := retail()
	o.DryRun = true
	reasons := map[string]int64{"sale_row.negative_quantity": 1, "sale_row.negative_amount": 1}
	same(t, "sales", mustImport(t, nil, o), Report{Lines: 35, Taken: 33, Refused: 2, Sales: 7, Returns: 4, Reasons: reasons})
	same(t, "members", mustImport(t, nil, Options{
		Kind: file.Members, Path: write(t, "id,phone\n1,2\n,\n"), Source: "x", Currency: "CNY", Location: time.UTC, DryRun: true,
	}), Report{Lines: 2, Taken: 1, Refused: 1, Reasons: map[string]int64{"member_row.no_identifier": 1}})
}

// An import that broke off is run again: what was in is repeated, the rest goes in.
func TestRestart(t *testing.T) {
	t.Parallel()
	const n = 2*batchRecords + 50
	var text strings.Builder
	text.WriteString("document,at,amount\n")
	for i := range n {
		fmt.Fprintf(&text, "%d,2026-03-01,1\n", i)
	}
	o := Options{Kind: file.Sales, Path: write(t, text.String()), Source: "x", Currency: "CNY", Location: time.UTC}
	s := newShop()
	s.failAt = 2
	r, err := Import(context.Background(), s, o)
	if !errors.Is(err, errShop) || r.Taken != batchRecords || r.Lines != n {
		t.Errorf("broken off: %+v, %v", r, err)
	}
	s.failAt = 0
	same(t, "again", mustImport(t, s, o), Report{Lines: n, Taken: n - batchRecords, Repeated: batchRecords, Sales: n - batchRecords})

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s = newShop()
	if _, err := Import(ctx, s, o); !errors.Is(err, context.Canceled) || len(s.batches) > 0 {
		t.Errorf("cancelled: %v after %v", err, s.batches)
	}
	o.Kind, o.Map = file.Members, "external_id=document"
	if _, err := Import(ctx, s, o); !errors.Is(err, context.Canceled) || len(s.batches) > 0 {
		t.Errorf("cancelled: %v after %v", err, s.batches)
	}
}

// A batch ends at a number of records, and for long documents at a number of rows.
func TestBatches(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("document,at,amount\n")
	for doc := range 5 {
		for range batchRows/2 - 1 {
			fmt.Fprintf(&text, "%d,2026-03-01,1\n", doc)
		}
	}
	s := newShop()
	mustImport(t, s, Options{Kind: file.Sales, Path: write(t, text.String()), Source: "x", Currency: "CNY", Location: time.UTC})
	if !slices.Equal(s.batches, []int{2, 2, 1}) {
		t.Errorf("batches of %v documents", s.batches)
	}

	text.Reset()
	text.WriteString("sku,price\n")
	for i := range 2*batchRecords + 1 {
		fmt.Fprintf(&text, "%d,1\n", i)
	}
	s = newShop()
	mustImport(t, s, Options{Kind: file.Products, Path: write(t, text.String()), Source: "x", Currency: "CNY", Location: time.UTC})
	if !slices.Equal(s.batches, []int{batchRecords, batchRecords, 1}) {
		t.Errorf("batches of %v products", s.batches)
	}
}

func TestImportRecords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind file.Kind
		text string
		want Report
	}{
		{file.Members, "id,name\n1,a\n2,\"b\n3,c\n1,a\n", Report{Lines: 4, Taken: 2, Refused: 1, Repeated: 1, Reasons: map[string]int64{"row.quote": 1}}},
		{file.Events, "type,member,at,key\nvisit,a,2026-03-01,1\nvisit,a,then,2\n", Report{Lines: 2, Taken: 1, Refused: 1, Reasons: map[string]int64{"value.time": 1}}},
		{file.Balances, "member,amount\na,5\nb,-5\n", Report{Lines: 2, Taken: 1, Refused: 1, Reasons: map[string]int64{"balance_row.negative": 1}}},
		{file.Products, "sku,price\na,5\na,5\n", Report{Lines: 2, Taken: 1, Repeated: 1}},
		{file.Products, "sku,price\n", Report{}},
	} {
		o := Options{Kind: tt.kind, Path: write(t, tt.text), Source: "x", Currency: "CNY", Location: time.UTC}
		same(t, string(tt.kind), mustImport(t, newShop(), o), tt.want)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit func(*Options)
		want *errs.Error
	}{
		"no source":             {func(o *Options) { o.Source = "" }, ErrSource},
		"no file":               {func(o *Options) { o.Path = "testdata/none.csv" }, file.ErrOpen},
		"unknown kind":          {func(o *Options) { o.Kind = "orders" }, file.ErrKind},
		"unknown column":        {func(o *Options) { o.Map = "document=invoice" }, file.ErrMapColumn},
		"a needed field":        {func(o *Options) { o.Map = "document=invoice_no" }, file.ErrMapMissing},
		"a document of nothing": {func(o *Options) { o.Sales.From = []string{"sku"} }, file.ErrFrom},
		"unknown currency":      {func(o *Options) { o.Currency = "XXX" }, errs.New(errs.Invalid, "money.currency", "", "")},
	} {
		o := retail()
		tt.edit(&o)
		s := newShop()
		if _, err := Import(context.Background(), s, o); !errors.Is(err, tt.want) || len(s.batches) > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A sink that does not answer for each record is a mistake in the program, and shows.
func TestSinkMustAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]Outcome{
		"no state":               {},
		"refused without reason": {State: Refused},
		"line without reason":    {State: Taken, Lines: []LineOutcome{{Line: 1, State: Refused}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s went through", name)
				}
			}()
			s := newShop()
			s.answer = func(int) Outcome { return answer }
			_, err := Import(context.Background(), s, retail())
			t.Errorf("%s: %v", name, err)
		}()
	}
}

// Whatever a sink answers, for documents or for single lines, the four counts add up and
// the error file has a row for each refused one.
func TestCountsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		state := rapid.SampledFrom([]State{Taken, Repeated, Parked, Refused})
		s := newShop()
		s.answer = func(int) Outcome {
			o := Outcome{State: state.Draw(t, "state"), Reason: errNoSale}
			if rapid.Bool().Draw(t, "except") {
				o.Lines = []LineOutcome{{Line: 1, State: state.Draw(t, "line"), Reason: errNoSale}}
			}
			return o
		}
		o := retail()
		var refused bytes.Buffer
		o.Errors = file.NewRefused(&refused, "zh")
		r, err := Import(context.Background(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Lines != 35 || r.Taken+r.Parked+r.Refused+r.Repeated != 35 {
			t.Fatalf("%+v", r)
		}
		if n := strings.Count(refused.String(), "\r\n"); int64(n) != r.Refused+1 {
			t.Fatalf("%d rows in the error file for %d refused", n-1, r.Refused)
		}
	})
}

func TestReport(t *testing.T) {
	t.Parallel()
	one := Report{Lines: 10, Taken: 1, Parked: 2, Refused: 3, Repeated: 4, Sales: 5, Returns: 6, MembersCreated: 7, Reasons: map[string]int64{"a": 3}}
	var sum Report
	sum.Add(one)
	sum.Add(one)
	got, err := json.Marshal(sum)
	want := `{"lines":20,"taken":2,"parked":4,"refused":6,"repeated":8,"sales":10,"returns":12,"members_created":14,"reasons":{"a":6}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	if err := sum.check(); err != nil {
		t.Errorf("counts that add up: %v", err)
	}
	if sum.Taken--; !errors.Is(sum.check(), ErrCounts) {
		t.Error("a lost row goes unnoticed")
	}
}

// Progress is shown for each part, and each is ended.
func TestShow(t *testing.T) {
	t.Parallel()
	var log []string
	o := retail()
	o.Show = func(label string, m Measure) func() {
		log = append(log, label)
		return func() {
			if done, total := m(); done != total || total == 0 {
				t.Errorf("%s ended at %d of %d", label, done, total)
			}
			log = append(log, "end")
		}
	}
	mustImport(t, newShop(), o)
	if !slices.Equal(log, []string{"reading", "end", "posting", "end"}) {
		t.Errorf("shown %q", log)
	}
}
