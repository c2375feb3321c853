package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

func TestEarnAndSpend(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		w.told()
		got := w.post(201, "/v1/members/"+m+"/earnings", `{"currency":"points","amount":100,"reason":"gift","source":"crm","document":"g1","expires_at":"2026-12-31"}`)
		if got["member_id"] != m || got["amount"] != 100.0 || dig(got, "balances", "points") != 100.0 || dig(got, "lots", 0, "expires_at") != "2026-12-31T16:00:00Z" || dig(got, "lots", 0, "state") != "active" {
			t.Errorf("earned %v", got)
		}
		w.post(201, "/v1/members/"+m+"/earnings", `{"currency":"points","amount":50,"reason":"gift","source":"crm","document":"g2","expires_at":"2026-06-30T12:00:00+08:00"}`)
		w.post(201, "/v1/members/ext:t%2F1/earnings", `{"currency":"points","amount":7,"reason":"gift","source":"crm","document":"g3","pending_until":"2026-03-12"}`)
		w.has(m, "points", 150, 7, 0, 0)
		got = w.post(201, "/v1/members/"+m+"/spendings", `{"currency":"points","amount":60,"reason":"coffee","source":"till","document":"p1"}`)
		if dig(got, "lots", 0, "amount") != 50.0 || dig(got, "lots", 0, "expires_at") != "2026-06-30T04:00:00Z" || dig(got, "lots", 1, "amount") != 10.0 || dig(got, "balances", "points") != 90.0 {
			t.Errorf("the lot that expires first goes first: %v", got)
		}
		if told := w.told(); told != "points.earned points.earned points.earned points.spent" {
			t.Errorf("told %s", told)
		}
		card := w.get("/v1/members/" + m)
		if dig(card, "wallets", 0, "available") != 90.0 {
			t.Errorf("card %v", card["wallets"])
		}
	})
}

// A document has one effect for ever, under whatever key it comes again; another content
// under its name is refused, with both sides shown.
func TestDocuments(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("balance", "stored", `{"decimals":2}`)
		m, other := w.member("1"), w.member("2")
		w.earn(m, "points", 500)
		for _, tt := range []struct{ path, same, amount, wider string }{
			{"/earnings", `{"currency":"points","amount":100,"reason":"gift","source":"crm","document":"d","expires_at":"2027-01-01"}`, `"amount":100`, `"amount":101`},
			{"/earnings", `{"currency":"points","amount":10,"reason":"gift","source":"crm","document":"x"}`, `"document":"x"`, `"document":"x","expires_at":"2027-01-01"`},
			{"/spendings", `{"currency":"points","amount":40,"reason":"tea","source":"crm","document":"d"}`, `"amount":40`, `"amount":41`},
			{"/topups", `{"currency":"balance","principal":1000,"bonus":100,"payment":{"kind":"wechat","reference":"w1"}}`, `"bonus":100`, `"bonus":99`},
			{"/topups", `{"currency":"balance","principal":10,"payment":{"kind":"cash"},"source":"till","document":"t1"}`, `"principal":10`, `"principal":11`},
		} {
			t.Run(tt.path+tt.wider, func(t *testing.T) {
				w.t = t
				path := "/v1/members/" + m + tt.path
				first := w.send(ask{method: "POST", path: path, body: tt.same})
				entries := w.number("SELECT COUNT(*) FROM entry")
				again := w.send(ask{method: "POST", path: path, body: strings.Replace(tt.same, `"gift"`, `"present"`, 1)})
				if first.status != 201 || first.replayed || again.status != 201 || !again.replayed || compact(first.body) != compact(again.body) {
					t.Errorf("first %d %v %s\nagain %d %v %s", first.status, first.replayed, first.body, again.status, again.replayed, again.body)
				}
				changed := strings.Replace(tt.same, tt.amount, tt.wider, 1)
				text := w.refuse(409, "ledger.document_taken", ask{method: "POST", path: path, body: changed})
				if !strings.Contains(text, m) || strings.Count(text, "points")+strings.Count(text, "balance") < 2 {
					t.Errorf("both sides are not shown: %s", text)
				}
				text = w.refuse(409, "ledger.document_taken", ask{method: "POST", path: "/v1/members/" + other + tt.path, body: tt.same})
				if !strings.Contains(text, m) || !strings.Contains(text, other) {
					t.Errorf("both members are not shown: %s", text)
				}
				if n := w.number("SELECT COUNT(*) FROM entry"); n != entries {
					t.Errorf("%d entries, want %d", n, entries)
				}
			})
		}
	})
}

// Twenty callers send one document at the same time: it has one effect.
func TestDocumentRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				body := `{"currency":"points","amount":5,"reason":"gift","source":"crm","document":"one"}`
				if r := w.send(ask{method: "POST", path: "/v1/members/" + m + "/earnings", body: body, key: fmt.Sprint("race-", i)}); r.status != 201 {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		all.Wait()
		w.has(m, "points", 5, 0, 0, 0)
	})
}

// Sixty callers want ten of three hundred points each: thirty get them.
func TestSpendRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		for range 30 {
			w.earn(m, "points", 10)
		}
		var all sync.WaitGroup
		var spent atomic.Int64
		for i := range 60 {
			all.Go(func() {
				body := fmt.Sprintf(`{"currency":"points","amount":10,"reason":"r","source":"till","document":"%d"}`, i)
				r := w.send(ask{method: "POST", path: "/v1/members/" + m + "/spendings", body: body, key: fmt.Sprint("race-", i)})
				switch r.status {
				case 201:
					spent.Add(10)
				case 409:
				default:
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		all.Wait()
		if spent.Load() != 300 {
			t.Errorf("spent %d, want 300", spent.Load())
		}
		w.has(m, "points", 0, 0, 0, 0)
	})
}

// A refusal by the state of things is the answer of its key for good, even when the state
// has changed since; a new key gets a new look.
func TestKeptRefusal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		a := ask{method: "POST", path: "/v1/members/" + m + "/spendings", body: `{"currency":"points","amount":10,"reason":"tea","source":"till","document":"p"}`, key: "k"}
		w.refuse(409, "ledger.insufficient", a)
		w.earn(m, "points", 100)
		again := w.send(a)
		if again.status != 409 || !again.replayed || !strings.Contains(string(again.body), "ledger.insufficient") || again.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("again %d %v %s", again.status, again.replayed, again.body)
		}
		other := a
		other.body = strings.Replace(a.body, "10", "11", 1)
		w.refuse(422, "request.key_reused", other)
		a.key = "k2"
		w.read(201, a)
		w.has(m, "points", 90, 0, 0, 0)
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("growth", "growth", `{"decimals":0}`)
		w.currency("limited", "points", `{"decimals":0,"limits":[{"action":"earn","window":"day","amount":30},{"action":"spend","window":"month","amount":20}]}`)
		w.currency("old", "points", `{"decimals":0}`)
		w.read(200, ask{method: "PATCH", path: "/v1/currencies/old", body: `{"active":false}`})
		m, blocked := w.member("1"), w.member("2")
		for _, cur := range []string{"points", "growth", "limited"} {
			w.earn(m, cur, 25)
		}
		w.earn(blocked, "points", 100)
		w.post(200, "/v1/members/"+blocked+"/block", `{"reason":"fraud"}`)
		doc := func(currency, amount, more string) string {
			w.keys++
			return fmt.Sprintf(`{"currency":%q,"amount":%s,"reason":"r","source":"s","document":"d%d"%s}`, currency, amount, w.keys, more)
		}
		w.limits["east"] = api.Caller{Stores: []int64{1, 2}}
		before := w.number("SELECT COUNT(*) FROM entry")
		for _, tt := range []struct {
			name       string
			status     int
			code       string
			path, body string
		}{
			{"amount zero", 422, "value.minimum", "/v1/members/" + m + "/earnings", doc("points", "0", "")},
			{"amount negative", 422, "value.minimum", "/v1/members/" + m + "/spendings", doc("points", "-1", "")},
			{"amount past the limit", 422, "value.maximum", "/v1/members/" + m + "/earnings", doc("points", "1000000000001", "")},
			{"amount with a fraction", 422, "value.integer", "/v1/members/" + m + "/earnings", doc("points", "1.5", "")},
			{"adjustment of nothing", 422, "ledger.amount", "/v1/members/" + m + "/adjustments", `{"currency":"points","amount":0,"reason":"r"}`},
			{"balance past the limit", 409, "ledger.full", "/v1/members/" + m + "/earnings", doc("points", "1000000000000", "")},
			{"unknown currency", 422, "ledger.currency", "/v1/members/" + m + "/earnings", doc("miles", "1", "")},
			{"currency out of use", 422, "ledger.currency", "/v1/members/" + m + "/earnings", doc("old", "1", "")},
			{"unknown member", 404, "member.not_found", "/v1/members/ext:t%2F9/earnings", doc("points", "1", "")},
			{"no member", 422, "member.ref", "/v1/members/bob/spendings", doc("points", "1", "")},
			{"unknown store", 404, "program.no_store", "/v1/members/" + m + "/earnings", doc("points", "1", `,"store":"moon"`)},
			{"not a time", 422, "program.time", "/v1/members/" + m + "/earnings", doc("points", "1", `,"expires_at":"soon"`)},
			{"expires before it begins", 422, "ledger.dates", "/v1/members/" + m + "/earnings", doc("points", "1", `,"expires_at":"2026-03-09"`)},
			{"expires before it activates", 422, "ledger.dates", "/v1/members/" + m + "/earnings", doc("points", "1", `,"expires_at":"2026-03-20","pending_until":"2026-03-21"`)},
			{"growth spent", 409, "ledger.not_spendable", "/v1/members/" + m + "/spendings", doc("growth", "1", "")},
			{"growth held", 409, "ledger.not_spendable", "/v1/holds", `{"member":"` + m + `","currency":"growth","amount":1,"ttl_seconds":5,"purpose":"p"}`},
			{"too much spent", 409, "ledger.insufficient", "/v1/members/" + m + "/spendings", doc("points", "26", "")},
			{"too much taken", 409, "ledger.insufficient", "/v1/members/" + m + "/adjustments", `{"currency":"points","amount":-26,"reason":"r"}`},
			{"spend limit", 409, "ledger.limit", "/v1/members/" + m + "/spendings", doc("limited", "21", "")},
			{"blocked earns", 409, "ledger.may_not_earn", "/v1/members/" + blocked + "/earnings", doc("points", "1", "")},
			{"blocked spends", 409, "ledger.may_not_spend", "/v1/members/" + blocked + "/spendings", doc("points", "1", "")},
			{"blocked holds", 409, "ledger.may_not_spend", "/v1/holds", `{"member":"` + blocked + `","currency":"points","amount":1,"ttl_seconds":5,"purpose":"p"}`},
			{"points topped up", 422, "ledger.not_stored", "/v1/members/" + m + "/topups", `{"currency":"points","principal":1,"payment":{"kind":"cash"}}`},
			{"half a document", 422, "ledger.unnamed", "/v1/members/" + m + "/topups", `{"currency":"points","principal":1,"payment":{"kind":"cash"},"source":"s"}`},
			{"hold for ever", 422, "value.maximum", "/v1/holds", `{"member":"` + m + `","currency":"points","amount":1,"ttl_seconds":2592001,"purpose":"p"}`},
			{"hold for no time", 422, "value.minimum", "/v1/holds", `{"member":"` + m + `","currency":"points","amount":1,"ttl_seconds":0,"purpose":"p"}`},
			{"unknown hold", 404, "ledger.hold_unknown", "/v1/holds/hld_00000000000000000000000000/capture", `{}`},
			{"transfer switched off", 409, "ledger.no_transfer", "/v1/transfers", `{"from":"` + m + `","to":"` + blocked + `","currency":"points","amount":1}`},
			{"transfer to oneself", 422, "ledger.self", "/v1/transfers", `{"from":"` + m + `","to":"ext:t/1","currency":"points","amount":1}`},
			{"unknown field", 400, "request.unknown_field", "/v1/members/" + m + "/spendings", doc("points", "1", `,"colour":"red"`)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				w.t = t
				got := w.read(tt.status, ask{method: "POST", path: tt.path, body: tt.body})
				code := got["code"]
				if list, ok := got["errors"].([]any); ok && code != tt.code {
					code = dig(list, 0, "code")
				}
				if code != tt.code {
					t.Errorf("refused with %v, want %s", got, tt.code)
				}
			})
		}
		w.t = t
		w.refuse(422, "ledger.store_needed", ask{method: "POST", path: "/v1/members/" + m + "/earnings", body: doc("points", "1", ""), who: "east"})
		if n := w.number("SELECT COUNT(*) FROM entry"); n != before {
			t.Errorf("refusals made %d entries", n-before)
		}
		got := w.earn(m, "limited", 10)
		if got["amount"] != 5.0 || got["cut"] != 5.0 {
			t.Errorf("an earning is cut to the room left: %v", got)
		}
		w.refuse(409, "ledger.limit", ask{method: "POST", path: "/v1/members/" + m + "/earnings", body: doc("limited", "1", "")})
	})
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		w.earn(m, "points", 30)
		w.told()
		got := w.post(201, "/v1/members/"+m+"/spendings?dry_run=true", `{"currency":"points","amount":20,"reason":"r","source":"s","document":"d"}`)
		if dig(got, "balances", "points") != 10.0 {
			t.Errorf("answer %v", got)
		}
		w.has(m, "points", 30, 0, 0, 0)
		if told := w.told(); told != "" {
			t.Errorf("told %s", told)
		}
		got = w.post(201, "/v1/members/"+m+"/spendings", `{"currency":"points","amount":20,"reason":"r","source":"s","document":"d"}`)
		if dig(got, "balances", "points") != 10.0 {
			t.Errorf("answer %v", got)
		}
	})
}

// A hold can be captured up to its last millisecond and not in the next one, whether or
// not anything has written its end down.
func TestHolds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		w.earn(m, "points", 100)
		w.told()
		h := w.post(201, "/v1/holds", `{"member":"`+m+`","currency":"points","amount":60,"ttl_seconds":10,"purpose":"order 7"}`)
		if h["state"] != "open" || h["amount"] != 60.0 || dig(h, "balances", "points") != 40.0 || h["expires_at"] != "2026-03-10T04:00:10Z" {
			t.Errorf("hold %v", h)
		}
		id := h["id"].(string)
		w.has(m, "points", 40, 0, 60, 0)
		w.refuse(409, "ledger.insufficient", ask{method: "POST", path: "/v1/holds", body: `{"member":"` + m + `","currency":"points","amount":41,"ttl_seconds":10,"purpose":"p"}`})
		w.refuse(409, "ledger.hold_amount", ask{method: "POST", path: "/v1/holds/" + id + "/capture", body: `{"amount":61}`})
		h = w.post(200, "/v1/holds/"+id+"/capture", `{"amount":25}`)
		if h["state"] != "captured" || h["captured"] != 25.0 || dig(h, "balances", "points") != 75.0 {
			t.Errorf("captured %v", h)
		}
		if text := w.refuse(409, "ledger.hold_over", ask{method: "POST", path: "/v1/holds/" + id + "/release", lang: "zh"}); !strings.Contains(text, "（已使用）") {
			t.Errorf("refused in Chinese with %q", text)
		}

		id = hold60(w, m)
		h = w.post(200, "/v1/holds/"+id+"/release", ``)
		if h["state"] != "released" || dig(h, "balances", "points") != 75.0 {
			t.Errorf("released %v", h)
		}

		id = hold60(w, m)
		w.clock.Advance(10*time.Second - time.Millisecond)
		if h := w.get("/v1/holds/" + id); h["state"] != "open" {
			t.Errorf("at its last instant: %v", h)
		}
		w.has(m, "points", 15, 0, 60, 0)
		w.post(200, "/v1/holds/"+id+"/capture?dry_run=true", `{}`)
		w.clock.Advance(time.Millisecond)
		if h := w.get("/v1/holds/" + id); h["state"] != "expired" || h["ended_at"] != h["expires_at"] {
			t.Errorf("over: %v", h)
		}
		w.has(m, "points", 75, 0, 0, 0)
		if n := w.number("SELECT COUNT(*) FROM hold WHERE state = 0"); n != 1 {
			t.Errorf("%d open in the database, want 1: nothing has written it down", n)
		}
		w.refuse(409, "ledger.hold_over", ask{method: "POST", path: "/v1/holds/" + id + "/capture", body: `{}`})
		w.spend(m, 75)
		if n := w.number("SELECT COUNT(*) FROM hold WHERE state = 0"); n != 0 {
			t.Errorf("%d open in the database after a posting", n)
		}
		if told := w.told(); told != "hold.made hold.captured hold.made hold.released hold.made points.spent" {
			t.Errorf("told %s", told)
		}
	})
}

// hold60 makes a hold of 60 for ten seconds.
func hold60(w *world, m string) string {
	return w.post(201, "/v1/holds", `{"member":"`+m+`","currency":"points","amount":60,"ttl_seconds":10,"purpose":"order 8"}`)["id"].(string)
}

func TestTransfers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("gift", "points", `{"decimals":0,"transfer":{"allowed":true,"min":5,"max":50,"fee_percent":10,"keeps_expiry":true},"limits":[{"action":"transfer","window":"day","amount":60}]}`)
		a, b := w.member("a"), w.member("b")
		w.post(201, "/v1/members/"+a+"/earnings", `{"currency":"gift","amount":200,"reason":"r","source":"s","document":"d","expires_at":"2026-05-31"}`)
		w.told()
		give := func(n int) ask {
			return ask{method: "POST", path: "/v1/transfers", body: fmt.Sprintf(`{"from":%q,"to":"ext:t/b","currency":"gift","amount":%d}`, a, n)}
		}
		got := w.read(201, give(25))
		if got["amount"] != 25.0 || got["fee"] != 3.0 || dig(got, "balances", "gift") != 172.0 || dig(got, "lots", 0, "amount") != 25.0 {
			t.Errorf("sent %v", got)
		}
		if told := w.told(); told != "points.sent points.received" {
			t.Errorf("told %s", told)
		}
		w.has(b, "gift", 25, 0, 0, 0)
		if v := w.wallet(b, "gift"); len(v.Expiring) != 1 || v.Expiring[0].ExpiresAt != "2026-05-31T16:00:00Z" {
			t.Errorf("the end is not kept: %+v", v.Expiring)
		}
		w.refuse(409, "ledger.transfer_size", give(4))
		w.refuse(409, "ledger.transfer_size", give(51))
		w.read(201, give(30))
		w.refuse(409, "ledger.limit", give(6))
		w.clock.Advance(24 * time.Hour)
		w.read(201, give(6))
		w.post(200, "/v1/members/"+b+"/block", `{"earn":true,"reason":"r"}`)
		w.refuse(409, "ledger.may_not_earn", give(6))
	})
}

func TestTopUps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("balance", "stored", `{"decimals":2,"spend_order":"proportional"}`)
		m := w.member("1")
		w.told()
		got := w.post(201, "/v1/members/"+m+"/topups", `{"currency":"balance","principal":10000,"bonus":2000,"payment":{"kind":"wechat","reference":"w1"}}`)
		if got["amount"] != 12000.0 || dig(got, "lots", 0, "bucket") != "principal" || dig(got, "lots", 1, "bucket") != "bonus" || dig(got, "balances", "balance") != 12000.0 {
			t.Errorf("paid in %v", got)
		}
		w.post(201, "/v1/members/"+m+"/spendings", `{"currency":"balance","amount":1200,"reason":"tea","source":"till","document":"p"}`)
		if v := w.wallet(m, "balance"); *v.Principal != 9000 || *v.Bonus != 1800 {
			t.Errorf("principal %d, bonus %d", *v.Principal, *v.Bonus)
		}
		w.earn(m, "balance", 50)
		if v := w.wallet(m, "balance"); *v.Principal != 9000 || *v.Bonus != 1850 {
			t.Errorf("what nobody paid in is bonus: principal %d, bonus %d", *v.Principal, *v.Bonus)
		}
		// A payment without a number is not known again.
		cash := `{"currency":"balance","principal":100,"payment":{"kind":"cash"}}`
		w.post(201, "/v1/members/"+m+"/topups", cash)
		w.post(201, "/v1/members/"+m+"/topups", cash)
		w.has(m, "balance", 11050, 0, 0, 0)
		if told := w.told(); told != "points.topped_up points.spent points.earned points.topped_up points.topped_up" {
			t.Errorf("told %s", told)
		}
	})
}

// What comes on top of a top-up: the largest bonus of the steps that are reached on the day, where
// the caller states none. A retry gets the first answer, whatever the steps say by then.
func TestTopUpSteps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		today := w.clock.Now().Add(8 * time.Hour).Format(time.DateOnly) // the programme is in China
		tomorrow := w.clock.Now().Add(32 * time.Hour).Format(time.DateOnly)
		w.currency("balance", "stored", `{"decimals":2,"spend_order":"proportional","top_ups":[
			{"least":10000,"bonus":500},{"least":50000,"bonus":5000},{"least":50000,"bonus":8000,"until":"`+today+`"},{"least":1,"bonus":9999,"from":"`+tomorrow+`"}]}`)
		m := w.member("1")
		pay := func(n int64, more, ref string) string {
			return fmt.Sprintf(`{"currency":"balance","principal":%d,%s"payment":{"kind":"wechat","reference":"%s"}}`, n, more, ref)
		}
		for i, tt := range []struct {
			paid  int64
			more  string
			bonus int64
		}{
			{9_999, "", 0},
			{10_000, "", 500},
			{49_999, "", 500},
			{50_000, "", 8000},
			{50_000, `"bonus":0,`, 0},
			{50_000, `"bonus":123,`, 123},
		} {
			ref := fmt.Sprint("s", i)
			tried := w.post(201, "/v1/members/"+m+"/topups?dry_run=true", pay(tt.paid, tt.more, ref))
			got := w.post(201, "/v1/members/"+m+"/topups", pay(tt.paid, tt.more, ref))
			if got["amount"] != float64(tt.paid+tt.bonus) || tried["amount"] != got["amount"] {
				t.Errorf("%d paid, %s gave %v, tried %v", tt.paid, tt.more, got["amount"], tried["amount"])
			}
		}
		before := w.wallet(m, "balance")
		w.clock.Advance(48 * time.Hour)
		if again := w.post(201, "/v1/members/"+m+"/topups", pay(50_000, "", "s3")); again["amount"] != 58_000.0 {
			t.Errorf("again: %v", again)
		}
		w.refuse(409, "ledger.document_taken", ask{method: "POST", path: "/v1/members/" + m + "/topups", body: pay(50_001, "", "s3")})
		if got := w.wallet(m, "balance"); got.Available != before.Available || *got.Bonus != 500+500+8000+123 {
			t.Errorf("%+v, before %+v", got, before)
		}
		if got := w.post(201, "/v1/members/"+m+"/topups", pay(1, "", "s9")); got["amount"] != 10_000.0 {
			t.Errorf("two days later: %v", got)
		}
		for _, policy := range []string{
			`"top_ups":[{"least":1,"bonus":1,"from":"2026-03-02","until":"2026-03-01"}]`, `"top_ups":[{"least":1,"bonus":1,"from":"soon"}]`,
		} {
			w.refuse(422, "ledger.top_ups", ask{method: "POST", path: "/v1/currencies", body: `{"code":"b2","kind":"stored","name_en":"B","policy":{"decimals":2,` + policy + `}}`})
		}
		w.refuse(422, "ledger.top_ups", ask{method: "POST", path: "/v1/currencies", body: `{"code":"b2","kind":"points","name_en":"B","policy":{"decimals":0,"top_ups":[{"least":1,"bonus":1}]}}`})
		w.verify()
	})
}
