package sale_test

import (
	"encoding/json"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type batchAnswer struct {
	Items []struct {
		Status   int
		Replayed bool
		Sale     *apptest.Sold
		Problem  *apptest.Problem
	}
}

func batch(a *apptest.App, items []J) (out batchAnswer) {
	a.Must(200, "POST", "/v1/sales/batch", J{"items": items}).Into(&out)
	return out
}

// A batch takes up to 200 sales; each stands or falls alone, and twins in one batch are
// one sale.
func TestBatch(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		var items []J
		for i := range 190 {
			items = append(items, a.Sale(J{"member": m, "idempotency_key": name("k", i)}))
		}
		items = append(items,
			items[0],
			apptest.With(items[1], J{"idempotency_key": "other-key"}),
			apptest.With(items[2], J{"total": 1, "lines": []J{apptest.Line(1, 1, 1)}}),
			apptest.With(items[3], J{"total": 1, "lines": []J{apptest.Line(1, 1, 1)}, "idempotency_key": "other-content"}),
			a.Sale(J{"member": "no:8999999", "idempotency_key": "stranger"}),
			a.Sale(J{"member": m, "total": 1, "idempotency_key": "sum"}),
			a.Sale(J{"member": m, "currency": "XXX", "idempotency_key": "currency"}),
			a.Sale(J{"member": m, "at": "2027-01-01", "idempotency_key": "future"}),
			a.Sale(J{"member": m, "store": "nowhere", "idempotency_key": "store"}),
			a.Sale(J{"member": m, "idempotency_key": "with space"}),
		)
		got := batch(a, items)
		if len(got.Items) != 200 {
			t.Fatalf("%d answers", len(got.Items))
		}
		for i, r := range got.Items[:190] {
			if r.Status != 201 || r.Replayed || r.Sale == nil || r.Sale.Balances["points"] != int64(100*(i+1)) {
				t.Fatalf("item %d: %+v, %+v", i, r, r.Sale)
			}
		}
		for i, want := range []struct {
			status   int
			replayed bool
			code     string
		}{
			{201, true, ""}, {201, true, ""}, {422, false, "request.key_reused"}, {409, false, "sale.document_taken"}, {404, false, "member.not_found"},
			{422, false, "sale.total"}, {422, false, "money.currency"}, {422, false, "sale.future"}, {404, false, "program.no_store"}, {400, false, "request.key_form"},
		} {
			r := got.Items[190+i]
			if r.Status != want.status || r.Replayed != want.replayed || (r.Problem == nil) != (want.code == "") || r.Problem != nil && r.Problem.Code != want.code {
				t.Errorf("item %d: %+v, %+v, want %+v", 190+i, r, r.Problem, want)
			}
		}
		if w := a.Wallet(m); w.Available != 19000 {
			t.Errorf("after 190 sales: %+v", w)
		}
		for i, r := range batch(a, items[:50]).Items {
			if r.Status != 201 || !r.Replayed || r.Sale.ID != got.Items[i].Sale.ID {
				t.Errorf("item %d again: %+v", i, r)
			}
		}
		a.Do("POST", "/v1/sales/batch", J{"items": append(items, items[0])}).Refused(422, "request.invalid")
		a.Do("POST", "/v1/sales/batch", J{"items": []J{}}).Refused(422, "request.invalid")
	})
}

// A dry run keeps nothing and answers what the real one then does; explain adds why.
func TestDryRun(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		a.Give(m, 50)
		h := hold(a, m, 20)
		a.Drain()
		// The catalogue learns products in its own time: its events belong to no member.
		tables := []string{"sale", "entry", "lot", "wallet", "document", "request", "event WHERE member_id <> 0"}
		count := func() (out []int64) {
			for _, table := range tables {
				out = append(out, a.Number("SELECT COUNT(*) FROM "+table))
			}
			told := 0
			for _, e := range a.Waiting() {
				if e.Member != 0 {
					told++
				}
			}
			return append(out, int64(told), a.Number("SELECT CAST(SUM(active + held) AS BIGINT) FROM wallet"), a.Number("SELECT CAST(SUM(sale_n + entry_n + event_n) AS BIGINT) FROM account"))
		}
		same := func(what string, path string, body J) (real []byte) {
			t.Helper()
			before := count()
			dry := a.Do("POST", path+"?dry_run=true", body, apptest.Header{Name: "Idempotency-Key"})
			for i, n := range count() {
				if n != before[i] {
					t.Errorf("a dry %s left something behind: %v before, %v after", what, before, count())
					break
				}
			}
			got := a.Do("POST", path, body)
			if dry.Status != got.Status || string(dry.Body) != string(got.Body) && got.Status < 400 {
				t.Errorf("a dry %s: %d %s\nthe real one: %d %s", what, dry.Status, dry.Body, got.Status, got.Body)
			}
			a.Drain()
			return got.Body
		}
		doc := a.Sale(J{"member": m, "payments": points(h), "lines": []J{apptest.Line(1, 2, 10000)}})
		waits := a.Return("later", J{"lines": []J{apptest.Back(1, 1)}})
		same("return that waits", "/v1/returns", waits)
		var sold apptest.Sold
		if err := json.Unmarshal(same("sale", "/v1/sales", doc), &sold); err != nil {
			t.Fatal(err)
		}
		same("sale with a return that waited", "/v1/sales", a.Sale(J{"member": m, "document": "later"}))
		same("return", "/v1/sales/"+sold.ID+"/returns", J{"document": "R", "at": at(0), "lines": []J{apptest.Back(1, 1)}})
		same("refusal", "/v1/sales/"+sold.ID+"/returns", J{"document": "R5", "at": at(0), "lines": []J{apptest.Back(1, 5)}})
		var lost apptest.Sold
		if err := json.Unmarshal(same("sale of nobody", "/v1/sales", a.Sale(nil)), &lost); err != nil {
			t.Fatal(err)
		}
		same("assignment", "/v1/sales/"+lost.ID+"/assign", J{"member": m})
		same("event", "/v1/events", J{"type": "visit", "member": m, "at": at(0), "key": "1"})

		var why apptest.Sold
		a.Post("/v1/sales?dry_run=true&explain=true", a.Sale(J{"member": m})).Into(&why)
		if len(why.Trace) != 1 || why.Trace[0].Rule != "base" || why.Trace[0].Result == "" {
			t.Errorf("explain says %+v", why.Trace)
		}
		before := count()
		var all batchAnswer
		a.Must(200, "POST", "/v1/sales/batch?dry_run=true", J{"items": []J{a.Sale(J{"member": m, "idempotency_key": "d1"}), a.Sale(J{"member": m, "idempotency_key": "d2"})}}).Into(&all)
		for i, n := range count() {
			if n != before[i] || len(all.Items) != 2 || all.Items[1].Status != 201 {
				t.Errorf("a dry batch: %+v, %v before, %v after", all, before, count())
				break
			}
		}
	})
}
