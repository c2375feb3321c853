package ledger_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/staff"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What time alone brings about is seen at once, at the exact instant, and the daily run
// changes nothing about it; run twice it writes nothing new.
func TestTimeAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		w.post(201, "/v1/members/"+m+"/earnings", `{"currency":"points","amount":100,"reason":"r","source":"s","document":"d","pending_until":"2026-03-12","expires_at":"2026-03-14"}`)
		v := w.wallet(m, "points")
		if v.Pending != 100 || v.Coming[0].UsableAt != "2026-03-11T16:00:00Z" || v.Expiring[0].ExpiresAt != "2026-03-14T16:00:00Z" || v.Earned != 100 {
			t.Errorf("wallet %+v", v)
		}
		at := func(text string) {
			when, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.Set(when)
		}
		at("2026-03-11T15:59:59.999Z")
		w.has(m, "points", 0, 100, 0, 0)
		at("2026-03-11T16:00:00Z")
		w.has(m, "points", 100, 0, 0, 0)
		at("2026-03-14T15:59:59.999Z")
		w.has(m, "points", 100, 0, 0, 0)
		at("2026-03-14T16:00:00Z")
		w.has(m, "points", 0, 0, 0, 0)
		if n := w.number("SELECT COUNT(*) FROM entry"); n != 1 {
			t.Fatalf("%d entries: reading has written something", n)
		}
		w.told()
		for range 2 {
			if err := w.ledger.SettleDue(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			w.has(m, "points", 0, 0, 0, 0)
			if n := w.number("SELECT COUNT(*) FROM entry"); n != 3 {
				t.Fatalf("%d entries, want earn, activate, expire", n)
			}
		}
		if told := w.told(); told != "points.activated points.expired" {
			t.Errorf("told %s", told)
		}
		list := w.get("/v1/members/" + m + "/entries")["items"].([]any)
		if dig(list, 0, "kind") != "expire" || dig(list, 0, "at") != "2026-03-14T16:00:00Z" || dig(list, 1, "kind") != "activate" || dig(list, 1, "at") != "2026-03-11T16:00:00Z" {
			t.Errorf("entries %v", list)
		}
	})
}

// Many wallets over several slices are settled by runs of two nodes at the same time.
func TestSettleMany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const n = 700
		rs := make([]ledger.Request, n)
		for i := range rs {
			rs[i].Command = ledger.EarnCommand{Member: int64(i + 1), Currency: "points", Amount: 5, ExpiresMS: begin.Add(time.Hour).UnixMilli()}
		}
		for _, a := range w.ledger.Engine().DoMany(t.Context(), rs) {
			if a.Err != nil {
				t.Fatal(a.Err)
			}
		}
		w.clock.Advance(time.Hour)
		// A run that is cut short has settled whole members, and those only.
		ctx, cancel := context.WithCancel(t.Context())
		if err := w.ledger.SettleDue(ctx, func(int64) { cancel() }); err == nil {
			t.Fatal("the run was not cut")
		}
		if got := w.number("SELECT COUNT(*) FROM entry WHERE kind = 7"); got != 500 {
			t.Fatalf("%d expired by the run that was cut, want a slice", got)
		}
		errs := make(chan error, 2)
		for range 2 {
			go func() { errs <- w.ledger.SettleDue(context.WithoutCancel(t.Context()), nil) }()
		}
		for range 2 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if got := w.number("SELECT COUNT(*) FROM entry WHERE kind = 7"); got != n {
			t.Errorf("%d expired, want %d", got, n)
		}
	})
}

// A member whose books do not add up is shown as written and passed over by the run; the
// others are settled.
func TestCorruptMember(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m, other := w.member("1"), w.member("2")
		for _, who := range []string{m, other} {
			w.post(201, "/v1/members/"+who+"/earnings", `{"currency":"points","amount":10,"reason":"r","source":"s","document":"`+who+`","expires_at":"2026-03-10"}`)
		}
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, "UPDATE lot SET left_n = left_n + 1 WHERE member_id = 1")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(24 * time.Hour)
		if err := w.ledger.SettleDue(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		w.has(m, "points", 10, 0, 0, 0)
		w.has(other, "points", 0, 0, 0, 0)
		if n := w.number("SELECT COUNT(*) FROM entry WHERE kind = 7"); n != 1 {
			t.Errorf("%d expired, want 1", n)
		}
		w.refuse(500, "internal", ask{method: "POST", path: "/v1/members/" + m + "/spendings", body: `{"currency":"points","amount":1,"reason":"r","source":"s","document":"d"}`})
	})
}

func TestEntryPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("growth", "growth", `{"decimals":0}`)
		m := w.member("1")
		for range 3 {
			w.earn(m, "points", 10)
			w.earn(m, "growth", 1)
		}
		w.spend(m, 25)
		var seen []string
		path := "/v1/members/" + m + "/entries?currency=points&limit=3"
		for next := ""; ; {
			page := w.get(path + next)
			for _, e := range page["items"].([]any) {
				seen = append(seen, fmt.Sprint(dig(e, "number"), dig(e, "kind"), dig(e, "available"), "→", dig(e, "available_after"), len(dig(e, "lots").([]any))))
			}
			cursor, more := page["next_cursor"]
			if !more {
				break
			}
			next = "&cursor=" + cursor.(string)
		}
		if got := strings.Join(seen, " "); got != "7spend-25→5 3 5earn10→30 1 3earn10→20 1 1earn10→10 1" {
			t.Errorf("entries %s", got)
		}
		zh := w.read(200, ask{method: "GET", path: path, lang: "zh-CN"})
		if dig(zh, "items", 0, "title") != "使用" || dig(zh, "items", 0, "reason") != "coffee" || dig(zh, "items", 0, "actor") != "staff:ann" {
			t.Errorf("in Chinese %v", dig(zh, "items", 0))
		}
		w.refuse(422, "ledger.currency", ask{method: "GET", path: "/v1/members/" + m + "/entries?currency=miles"})
	})
}

// statementWorld is a member with a bit of everything, some of it not written down yet.
func statementWorld(t *testing.T, d *db.DB) (*world, string) {
	w := newWorld(t, d)
	w.currency("balance", "stored", `{"decimals":2}`)
	m := w.member("1")
	w.post(201, "/v1/members/"+m+"/earnings", `{"currency":"points","amount":1500,"reason":"=HYPERLINK(\"http://x\") <b>","source":"crm","document":"g1","expires_at":"2026-04-30"}`)
	w.clock.Advance(24 * time.Hour)
	w.spend(m, 300)
	w.post(201, "/v1/members/"+m+"/topups", `{"currency":"balance","principal":10000,"bonus":2050,"payment":{"kind":"wechat","reference":"w1"}}`)
	w.clock.Advance(24 * time.Hour)
	w.post(201, "/v1/holds", `{"member":"`+m+`","currency":"points","amount":200,"ttl_seconds":3600,"purpose":"order 7"}`)
	w.post(201, "/v1/members/"+m+"/earnings", `{"currency":"points","amount":70,"reason":"survey","source":"crm","document":"g2","pending_until":"2026-03-15","expires_at":"2026-06-30"}`)
	w.clock.Advance(10 * 24 * time.Hour) // the hold has ended and the points have become usable
	return w, m
}

func TestStatementGolden(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, m := statementWorld(t, d)
		for _, settled := range []bool{false, true} {
			for _, tt := range []struct{ file, query, lang string }{
				{"statement.en.html", "format=html", "en"},
				{"statement.zh.html", "format=html", "zh-CN"},
				{"statement.en.csv", "format=csv", "en"},
				{"statement.zh.csv", "format=csv&from=2026-03-11&to=2026-03-11", "zh-CN"},
			} {
				r := w.send(ask{method: "GET", path: "/v1/members/" + m + "/statement?" + tt.query, lang: tt.lang})
				if r.status != 200 {
					t.Fatalf("%s: %d %s", tt.query, r.status, r.body)
				}
				golden(t, tt.file, string(r.body))
			}
			if settled {
				continue
			}
			if err := w.ledger.SettleDue(t.Context(), nil); err != nil { // and all is the same afterwards
				t.Fatal(err)
			}
		}
		r := w.send(ask{method: "GET", path: "/v1/members/" + m + "/statement?format=html"})
		if r.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(r.header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(string(r.body), "<script") || strings.Contains(string(r.body), "<b>") {
			t.Errorf("page %v", r.header)
		}
		r = w.send(ask{method: "GET", path: "/v1/members/" + m + "/statement?format=csv"})
		if !strings.Contains(string(r.body), `'=HYPERLINK`) || strings.Contains(string(r.body), `,"=HYPERLINK`) {
			t.Errorf("a formula is live in %s", r.body)
		}
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got\n%s", name, got)
	}
}

// Whatever the period: opening and all rows make closing, and the closing of one period is
// the opening of the next.
func TestStatementTies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, m := statementWorld(t, d)
		var last map[string]ledger.Balance
		for day := 9; day <= 22; day++ {
			var st ledger.Statement
			r := w.send(ask{method: "GET", path: fmt.Sprintf("/v1/members/%s/statement?from=2026-03-%02d&to=2026-03-%02d", m, day, day)})
			if err := json.Unmarshal(r.body, &st); err != nil || r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			next := map[string]ledger.Balance{}
			for _, sec := range st.Sections {
				sum := sec.Opening
				for _, row := range sec.Rows {
					sum.Available, sum.Pending, sum.Held, sum.Debt = sum.Available+row.Available, sum.Pending+row.Pending, sum.Held+row.Held, sum.Debt+row.Debt
					if row.Balance != sum {
						t.Errorf("day %d, row %d: %+v, want %+v", day, row.Number, row.Balance, sum)
					}
				}
				if sum != sec.Closing || last != nil && last[sec.Currency] != sec.Opening {
					t.Errorf("day %d, %s: %+v … %+v, rows make %+v, the day before closed %+v", day, sec.Currency, sec.Opening, sec.Closing, sum, last[sec.Currency])
				}
				next[sec.Currency] = sec.Closing
			}
			last = next
		}
		v := w.wallet(m, "points")
		if got := last["points"]; got != (ledger.Balance{Available: v.Available, Pending: v.Pending, Held: v.Held, Debt: v.Debt}) || v.Available != 1270 {
			t.Errorf("the last closing is %+v, the wallet %+v", got, v)
		}
		w.refuse(422, "ledger.period", ask{method: "GET", path: "/v1/members/" + m + "/statement?from=2026-03-10&to=2026-03-08"})
		w.refuse(422, "ledger.currency", ask{method: "GET", path: "/v1/members/" + m + "/statement?currency=miles"})
	})
}

// The report's rows balance, its totals are the sum of all wallets, and going through the
// entries gives the same.
func TestLiability(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("gift", "points", `{"decimals":0,"unit_value_millionths":1500000,"transfer":{"allowed":true,"fee_percent":10,"keeps_expiry":true}}`)
		a, b, c := w.member("a"), w.member("b"), w.member("c")
		w.earn(a, "gift", 1001)
		w.earn(b, "gift", 10)
		w.clock.Advance(24 * time.Hour)
		then := w.clock.Now()
		early := report(t, w, "")
		w.clock.Advance(30 * 24 * time.Hour)
		w.post(201, "/v1/members/"+a+"/earnings", `{"currency":"gift","amount":300,"reason":"r","source":"s","document":"1","expires_at":"2026-04-15"}`)
		w.post(201, "/v1/members/"+c+"/earnings", `{"currency":"gift","amount":40,"reason":"r","source":"s","document":"2","pending_until":"2026-08-15"}`)
		w.post(201, "/v1/transfers", `{"from":"`+a+`","to":"`+b+`","currency":"gift","amount":100}`)
		w.post(201, "/v1/members/"+b+"/spendings", `{"currency":"gift","amount":20,"reason":"r","source":"s","document":"3"}`)
		w.post(201, "/v1/members/"+a+"/adjustments", `{"currency":"gift","amount":-15,"reason":"r"}`)
		w.post(201, "/v1/holds", `{"member":"`+a+`","currency":"gift","amount":50,"ttl_seconds":2592000,"purpose":"p"}`)
		id := w.post(201, "/v1/holds", `{"member":"`+a+`","currency":"gift","amount":30,"ttl_seconds":2592000,"purpose":"p"}`)["id"].(string)
		w.post(200, "/v1/holds/"+id+"/capture", `{"amount":10}`)
		w.post(200, "/v1/members/"+c+"/merge", `{"into":"`+b+`"}`)
		w.clock.Advance(7 * 24 * time.Hour)
		if err := w.ledger.SettleDue(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		now := report(t, w, "")
		if len(now.Rows) != 2 || now.Rows[0].Month != "2026-03" || now.Rows[1].Month != "2026-04" {
			t.Errorf("rows %+v", now.Rows)
		}
		for _, r := range now.Rows {
			if r.Granted != r.Redeemed+r.Expired+r.ClawedBack+r.Moved+r.Outstanding || r.Outstanding != r.Pending+r.Active+r.Held || r.Value != r.Outstanding*15/10 {
				t.Errorf("row %+v does not balance", r)
			}
		}
		total := now.Totals[0]
		for column, got := range map[string]int64{"pending": total.Pending, "active": total.Active, "held": total.Held, "debt": total.Debt} {
			if want := w.number("SELECT CAST(SUM(" + column + ") AS BIGINT) FROM wallet"); got != want {
				t.Errorf("%s is %d, all wallets have %d", column, got, want)
			}
		}
		if total.Expired == 0 || total.Pending != 40 || total.Held == 0 || total.ClawedBack != 15 || total.Moved != 140 {
			t.Errorf("the test has not moved what it wanted to: %+v", total)
		}
		same(t, report(t, w, "?as_of="+w.clock.Now().Format(time.RFC3339)), now)
		same(t, report(t, w, "?as_of="+then.Format(time.RFC3339)), early)
		w.refuse(422, "ledger.future", ask{method: "GET", path: "/v1/reports/liability?as_of=2030-01-01"})

		w.limits["elsewhere"] = api.Caller{Merchants: []int64{999}, Can: map[api.Permission]bool{staff.ReadReports: true}}
		if got := w.read(200, ask{method: "GET", path: "/v1/reports/liability", who: "elsewhere"}); len(got["rows"].([]any)) != 0 {
			t.Errorf("another merchant sees %v", got)
		}
	})
}

func report(t *testing.T, w *world, query string) ledger.LiabilityReport {
	t.Helper()
	var out ledger.LiabilityReport
	r := w.send(ask{method: "GET", path: "/v1/reports/liability" + query})
	if err := json.Unmarshal(r.body, &out); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	return out
}

func same(t *testing.T, got, want ledger.LiabilityReport) {
	t.Helper()
	got.AsOf = want.AsOf
	g, _ := json.Marshal(got)
	v, _ := json.Marshal(want)
	if string(g) != string(v) {
		t.Errorf("by entries\n%s\nby lots\n%s", g, v)
	}
}
