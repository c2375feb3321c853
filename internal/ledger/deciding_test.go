package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

func TestApprovals(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("careful", "points", `{"decimals":0,"approve_above":100}`)
		m := w.member("1")
		w.told()
		adjust := func(status int, n int) map[string]any {
			return w.post(status, "/v1/members/"+m+"/adjustments", fmt.Sprintf(`{"currency":"careful","amount":%d,"reason":"sorry"}`, n))
		}
		if got := adjust(201, 100); got["state"] != "posted" || got["amount"] != 100.0 || got["approval_id"] != nil {
			t.Errorf("up to the limit one person decides: %v", got)
		}
		got := adjust(202, 101)
		id, _ := got["approval_id"].(string)
		if got["state"] != "waiting" || id == "" || got["id"] != nil {
			t.Errorf("waiting %v", got)
		}
		w.has(m, "careful", 100, 0, 0, 0)
		list := w.get("/v1/approvals")["items"].([]any)
		if len(list) != 1 || dig(list, 0, "id") != id || dig(list, 0, "asked_by") != "staff:ann" || dig(list, 0, "amount") != 101.0 {
			t.Errorf("list %v", list)
		}
		if dig(list, 0, "kind") != "adjustment" || dig(list, 0, "label_zh") != "积分调整" || dig(list, 0, "expires_at") != "2026-04-09T04:00:00Z" || dig(list, 0, "currency") != "careful" {
			t.Errorf("list %v", list)
		}
		approve := ask{method: "POST", path: "/v1/approvals/" + id + "/approve"}
		w.refuse(409, "approval.own", approve)
		approve.who = "ben"
		first := w.read(200, approve)
		again := w.send(approve)
		if fmt.Sprint(first) != fmt.Sprint(w.read(200, approve)) || !again.replayed || dig(first, "entry", "amount") != 101.0 || dig(first, "approval", "entry_id") != dig(first, "entry", "id") {
			t.Errorf("approved %v, again %s", first, again.body)
		}
		w.has(m, "careful", 201, 0, 0, 0)
		w.refuse(409, "approval.decided", ask{method: "POST", path: "/v1/approvals/" + id + "/reject", who: "ben"})
		entry := w.get("/v1/members/" + m + "/entries")["items"].([]any)[0]
		if dig(entry, "document") != id || dig(entry, "actor") != "staff:ben" || dig(entry, "reason") != "sorry" {
			t.Errorf("entry %v", entry)
		}

		id = adjust(202, -150)["approval_id"].(string)
		w.read(200, ask{method: "POST", path: "/v1/approvals/" + id + "/reject", who: "ben"})
		w.read(200, ask{method: "POST", path: "/v1/approvals/" + id + "/reject", who: "ben"})
		late := ask{method: "POST", path: "/v1/approvals/" + id + "/approve", who: "ben"}
		if text := w.refuse(409, "approval.decided", late); !strings.HasSuffix(text, "it was rejected.") {
			t.Errorf("refused with %q", text)
		}
		late.lang = "zh-CN"
		if text := w.refuse(409, "approval.decided", late); !strings.HasSuffix(text, "：已拒绝。") {
			t.Errorf("refused with %q", text)
		}
		w.has(m, "careful", 201, 0, 0, 0)
		if list := w.get("/v1/approvals?state=rejected")["items"].([]any); len(list) != 1 {
			t.Errorf("rejected %v", list)
		}

		// What cannot be posted yet is not decided: it waits on.
		id = adjust(202, -1000)["approval_id"].(string)
		w.refuse(409, "ledger.insufficient", ask{method: "POST", path: "/v1/approvals/" + id + "/approve", who: "ben"})
		w.earn(m, "careful", 900)
		w.read(200, ask{method: "POST", path: "/v1/approvals/" + id + "/approve", who: "ben"})
		w.has(m, "careful", 101, 0, 0, 0)
		want := "points.adjusted approval.asked points.adjusted approval.decided approval.asked approval.decided approval.asked points.earned points.adjusted approval.decided"
		if told := w.told(); told != want {
			t.Errorf("told %s", told)
		}

		w.limits["east"] = api.Caller{Merchants: []int64{999}}
		if list := w.read(200, ask{method: "GET", path: "/v1/approvals?state=approved", who: "east"})["items"].([]any); len(list) != 0 {
			t.Errorf("another merchant sees %v", list)
		}
		id = adjust(202, 500)["approval_id"].(string)
		w.refuse(404, "approval.unknown", ask{method: "POST", path: "/v1/approvals/" + id + "/approve", who: "east"})
		w.refuse(404, "approval.unknown", ask{method: "POST", path: "/v1/approvals/apr_x/approve", who: "ben"})
	})
}

// Ten approve at once: it is posted once, and all are told the same entry.
func TestApprovalRace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.currency("careful", "points", `{"decimals":0,"approve_above":1}`)
		m := w.member("1")
		id := w.post(202, "/v1/members/"+m+"/adjustments", `{"currency":"careful","amount":50,"reason":"r"}`)["approval_id"].(string)
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() {
				r := w.send(ask{method: "POST", path: "/v1/approvals/" + id + "/approve", who: fmt.Sprint("ben", i), key: fmt.Sprint("race-", i)})
				if r.status != 200 || !strings.Contains(string(r.body), `"amount":50`) {
					t.Errorf("%d %s", r.status, r.body)
				}
			})
		}
		all.Wait()
		w.has(m, "careful", 50, 0, 0, 0)
	})
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		list := w.get("/v1/currencies")["items"].([]any)
		if len(list) != 1 || dig(list, 0, "code") != "points" || dig(list, 0, "name_zh") != "积分" || dig(list, 0, "kind") != "points" {
			t.Errorf("the first start makes %v", list)
		}
		w.told()
		w.currency("stars", "points", `{"decimals":1,"pending_days":3,"expiry":{"policy":"rolling","count":1,"unit":"month","round":"month"}}`)
		w.refuse(409, "ledger.currency_taken", ask{method: "POST", path: "/v1/currencies", body: `{"code":"stars","kind":"points","name_en":"S","policy":{"decimals":0}}`})
		w.refuse(422, "ledger.currency_code", ask{method: "POST", path: "/v1/currencies", body: `{"code":"Stars","kind":"points","name_en":"S","policy":{"decimals":0}}`})
		w.refuse(422, "ledger.expiry_policy", ask{method: "POST", path: "/v1/currencies", body: `{"code":"x","kind":"points","name_en":"S","policy":{"decimals":0,"expiry":{"policy":"rolling"}}}`})
		w.refuse(422, "program.name", ask{method: "POST", path: "/v1/currencies", body: `{"code":"x","kind":"points","policy":{"decimals":0}}`})

		got := w.get("/v1/currencies/stars/preview?earned_at=2026-01-30T20:00:00%2B08:00")
		if got["usable_at"] != "2026-02-01T16:00:00Z" || got["expires_at"] != "2026-03-31T16:00:00Z" {
			t.Errorf("preview %v", got)
		}
		w.refuse(404, "ledger.no_currency", ask{method: "GET", path: "/v1/currencies/moons/preview"})

		patch := func(body string) ask { return ask{method: "PATCH", path: "/v1/currencies/stars", body: body} }
		w.refuse(422, "ledger.decimals", patch(`{"policy":{"decimals":0}}`))
		w.refuse(409, "ledger.currency_changed", patch(`{"version":7,"name_en":"Suns"}`))
		got = w.read(200, patch(`{"version":1,"name_en":"Suns","policy":{"decimals":1,"pending_days":2}}`))
		if got["version"] != 2.0 || got["name_en"] != "Suns" || got["name_zh"] != "stars 中文" {
			t.Errorf("changed %v", got)
		}
		if days := w.ledger.Config().ByCode["stars"].Policy.PendingDays; days != 2 {
			t.Errorf("postings go on with %d pending days", days)
		}
		w.refuse(409, "ledger.currency_in_use", ask{method: "PATCH", path: "/v1/currencies/points", body: `{"active":false}`})
		earning := `{"earning":{"currency":%q,"points":1,"per":100,"rounding":"floor","excluded_categories":[],"pending_days":0}}`
		w.refuse(422, "ledger.currency", ask{method: "PATCH", path: "/v1/program", body: fmt.Sprintf(earning, "moons")})
		w.read(200, ask{method: "PATCH", path: "/v1/program", body: fmt.Sprintf(earning, "stars")})
		w.read(200, ask{method: "PATCH", path: "/v1/currencies/points", body: `{"active":false}`})
		w.refuse(422, "ledger.currency", ask{method: "PATCH", path: "/v1/program", body: fmt.Sprintf(earning, "points")})
		if told := w.told(); told != "currency.changed currency.changed currency.changed" {
			t.Errorf("told %s", told)
		}
		if n := w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'currency.%'"); n != 3 {
			t.Errorf("%d entries in the audit trail", n)
		}
		w.limits["east"] = api.Caller{Merchants: []int64{1}}
		a := patch(`{"name_en":"Mine"}`)
		a.who = "east"
		w.refuse(403, "program.limited", a)
	})
}

// A change that another node has made is known here after a refresh, as is the zone.
func TestRefresh(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		err := d.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.ExecText(ctx, `UPDATE currency SET name_en = 'Coins', version = version + 1`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.read(200, ask{method: "PATCH", path: "/v1/program", body: `{"zone":"America/New_York"}`})
		if err := w.ledger.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := w.ledger.Config()
		if c.ByCode["points"].NameEN != "Coins" || c.Zone.String() != "America/New_York" {
			t.Errorf("name %s, zone %s", c.ByCode["points"].NameEN, c.Zone)
		}
	})
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		m := w.member("1")
		w.earn(m, "points", 10)
		w.told()
		for _, path := range []string{"/block", "/block", "/unblock"} {
			page := w.post(200, "/v1/members/"+m+path, `{"spend":true,"reason":"lost phone"}`)
			if card := page["cards"].(map[string]any)["blocked"].(map[string]any); card["spend"] != (path == "/block") || card["earn"] != false {
				t.Errorf("after %s the page says %v", path, card)
			}
			if path == "/block" {
				w.earn(m, "points", 1)
				w.refuse(409, "ledger.may_not_spend", ask{method: "POST", path: "/v1/members/" + m + "/spendings", body: `{"currency":"points","amount":1,"reason":"r","source":"s","document":"d"}`})
			}
		}
		w.spend(m, 12)
		if told := w.told(); told != "member.blocked points.earned points.earned member.unblocked points.spent" {
			t.Errorf("told %s", told)
		}
	})
}

// Points follow a merge, and so do documents and requests that are still on their way to
// the record that was merged.
func TestMerging(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, b := w.member("a"), w.member("b")
		gift := `{"currency":"points","amount":100,"reason":"gift","source":"crm","document":"g"}`
		w.post(201, "/v1/members/"+a+"/earnings", gift)
		w.earn(b, "points", 5)
		w.told()
		w.post(200, "/v1/members/"+a+"/merge", `{"into":"`+b+`"}`)
		if told := w.told(); told != "ledger.merged member.merged member.merged" {
			t.Errorf("told %s", told)
		}
		w.has(a, "points", 105, 0, 0, 0)
		again := w.send(ask{method: "POST", path: "/v1/members/" + a + "/earnings", body: gift})
		if again.status != 201 || !again.replayed || !strings.Contains(string(again.body), b) {
			t.Errorf("the document after the merge: %d %s", again.status, again.body)
		}
		w.spend(a, 30)
		w.post(200, "/v1/members/"+a+"/unmerge", ``)
		w.has(a, "points", 75, 0, 0, 0) // what was spent came out of the older lot
		w.has(b, "points", 0, 0, 0, 0)
		text := w.refuse(409, "ledger.document_taken", ask{method: "POST", path: "/v1/members/" + b + "/earnings", body: gift})
		if !strings.Contains(text, a) {
			t.Error(text)
		}
		w.post(201, "/v1/holds", `{"member":"`+a+`","currency":"points","amount":1,"ttl_seconds":60,"purpose":"p"}`)
		w.refuse(409, "ledger.holds_open", ask{method: "POST", path: "/v1/members/" + a + "/merge", body: `{"into":"` + b + `"}`})
	})
}

// A crash between the two transactions of a merge: the account points, the record does not.
// Requests go to the survivor all the same, and the job finishes what was begun.
func TestMergeCut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a, b := w.member("a"), w.member("b")
		w.earn(a, "points", 100)
		from, err := member.ParseID(a)
		if err != nil {
			t.Fatal(err)
		}
		into, err := member.ParseID(b)
		if err != nil {
			t.Fatal(err)
		}
		link := member.Link{From: from, Into: into, At: w.clock.Now(), By: "stf_1"}
		cut(t, w, link)
		w.has(a, "points", 100, 0, 0, 0)
		got := w.spend(a, 1)
		if got["member_id"] != b {
			t.Errorf("spent by %v, want the survivor", got["member_id"])
		}
		if who, err := w.members.Find(t.Context(), member.RefID(from)); err != nil || who != from {
			t.Fatalf("the record points at %v, %v already", who, err)
		}
		if err := w.events.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(10 * time.Second)
		w.jobs.Start()
		t.Cleanup(func() { _ = w.jobs.Stop(context.Background()) })
		deadline := time.After(20 * time.Second)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			w.members.Forget(from)
			who, err := w.members.Find(t.Context(), member.RefID(from))
			if err == nil && who == into {
				break
			}
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("the record points at %v, %v", who, err)
			}
		}
	})
}

// A caller of one merchant grants in its name.
func TestIssuer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		mer := w.post(201, "/v1/merchants", `{"code":"east","name_en":"East"}`)["id"].(string)
		w.post(201, "/v1/stores", `{"merchant":"`+mer+`","code":"e1","name_en":"E1"}`)
		east, err := w.program.Snapshot().FindMerchant("east")
		if err != nil {
			t.Fatal(err)
		}
		w.limits["till"] = api.Caller{Merchants: []int64{east.ID}}
		m := w.member("1")
		for i, tt := range []struct{ who, store string }{{"till", ""}, {"till", `,"store":"e1"`}, {"ann", `,"store":"e1"`}} {
			body := fmt.Sprintf(`{"currency":"points","amount":1,"reason":"r","source":"s","document":"%d"%s}`, i, tt.store)
			w.read(201, ask{method: "POST", path: "/v1/members/" + m + "/earnings", body: body, who: tt.who})
		}
		if n := w.number("SELECT COUNT(*) FROM lot WHERE issuer_id = $1", east.ID); n != 3 {
			t.Errorf("%d lots of the merchant, want 3", n)
		}
		w.refuse(404, program.ErrNoStore.Code, ask{method: "POST", path: "/v1/members/" + m + "/earnings", body: `{"currency":"points","amount":1,"reason":"r","source":"s","document":"x","store":"main"}`, who: "till"})
	})
}

// cut merges the accounts and leaves the records as they are.
func cut(t *testing.T, w *world, l member.Link) {
	t.Helper()
	if err := w.ledger.MergeAccounts(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}
