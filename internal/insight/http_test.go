package insight_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/insight"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// What a figure cannot be is said, and callers who are limited see their stores only.
func TestDashboardOfSome(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		newShop(a, 1) // merchant m2 with stores s2 and s3
		m := a.Member()
		a.Post("/v1/sales", a.Sale(J{"member": m}))
		a.Post("/v1/sales", a.Sale(J{"member": m, "store": "s2", "total": 700, "lines": []J{apptest.Line(1, 1, 700)}}))
		a.Post("/v1/sales", a.Sale(J{"member": m, "store": "s3", "total": 300, "lines": []J{apptest.Line(1, 1, 300)}}))
		a.Drain()
		for _, tt := range []struct {
			name   string
			client apptest.Client
			query  string
			sales  int64
			active int64 // -1: none
			whole  bool
		}{
			{"all", a.Client, "", 11000, 1, true},
			{"a store", a.Client, "?store=s2", 700, 1, false},
			{"a merchant", a.Client, "?merchant=m2", 1000, 1, false},
			{"a key of a store", a.KeyAt(nil, []string{"s3"}, "reports.read"), "", 300, 1, false},
			{"a key of a merchant", a.KeyAt([]string{"m2"}, nil, "reports.read"), "", 1000, 1, false},
			{"a day before", a.Client, "?at=2026-03-09", 0, 0, true},
			{"another money", a.Client, "?currency=USD", 0, 1, true},
		} {
			var d dashboardOut
			tt.client.Get("/v1/reports/dashboard" + tt.query).Into(&d)
			if got := *d.of(t, "sales_total").Today.Value; got != tt.sales {
				t.Errorf("%s: sales of %d, want %d", tt.name, got, tt.sales)
			}
			if got := *d.of(t, "active_members").Today.Value; got != tt.active {
				t.Errorf("%s: %d active, want %d", tt.name, got, tt.active)
			}
			owed := d.of(t, "points_outstanding")
			if (owed.Today != nil) != tt.whole || (owed.Missing == "") != tt.whole {
				t.Errorf("%s: points owed %+v", tt.name, owed)
			}
			if s := d.Series[0]; s.Key != "sales_total" || len(s.Days) != 14 || s.Days[13].Value != tt.sales {
				t.Errorf("%s: series %+v", tt.name, s)
			}
		}
		other := a.KeyAt(nil, []string{"s3"}, "reports.read")
		other.Must(404, "GET", "/v1/reports/dashboard?store=s2", nil)
		a.Must(422, "GET", "/v1/reports/dashboard?store=s2&merchant=m2", nil)
		a.Must(422, "GET", "/v1/reports/dashboard?at=2026-03-11", nil)
		a.Key("sales.read").Must(403, "GET", "/v1/reports/dashboard", nil)
	})
}

// Points owed are the net of the liability report.
func TestOwedIsTheLiability(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(a, 5)
		for range 80 {
			s.step()
		}
		a.Drain()
		var l struct {
			Totals []struct {
				Currency string
				Net      int64
			}
		}
		a.Get("/v1/reports/liability").Into(&l)
		var d dashboardOut
		a.Get("/v1/reports/dashboard").Into(&d)
		if got := *d.of(t, "points_outstanding").Today.Value; len(l.Totals) != 1 || got != l.Totals[0].Net {
			t.Errorf("owed %d, liability %+v", got, l.Totals)
		}
	})
}

func TestIndexAndLanguages(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, dbtest.Engines[0])
	for _, lang := range []string{"en", "zh-CN"} {
		var d dashboardOut
		a.Do("GET", "/v1/reports/dashboard", nil, apptest.Language(lang)).Into(&d)
		for _, f := range d.Figures {
			if han := strings.ContainsFunc(f.Title, func(r rune) bool { return r > 0x3000 }); han != (lang == "zh-CN") || f.Definition == "" || f.Explanation == "" {
				t.Errorf("%s: %+v", lang, f)
			}
		}
	}
	var list struct{ Items []struct{ Name, Path string } }
	a.Get("/v1/reports").Into(&list)
	if len(list.Items) != len(insight.ReportNames()) {
		t.Errorf("index: %+v", list)
	}
	for _, r := range list.Items {
		a.Get(r.Path)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		newShop(a, 1)
		var m struct{ ID string }
		a.Post("/v1/members", J{"phone": "+8613800138000", "name": "陈国栋"}).Into(&m)
		a.Post("/v1/sales", a.Sale(J{"member": m.ID, "document": "INV-77", "store": "s2"}))
		a.Do("PUT", "/v1/products/tea-77", J{"name_en": "Green tea", "name_zh": "绿茶", "active": true})
		for _, tt := range []struct {
			name, q string
			c       apptest.Client
			want    string // members sales products
		}{
			{"phone", "13800138000", a.Client, "1 0 0"},
			{"name", "国栋", a.Client, "1 0 0"},
			{"document", "INV-77", a.Client, "0 1 0"},
			{"source and document", "till/INV-77", a.Client, "0 1 0"},
			{"unknown source", "shop/INV-77", a.Client, "0 0 0"},
			{"sku", "tea-77", a.Client, "0 0 1"},
			{"part of a name", "绿茶", a.Client, "0 0 1"},
			{"nothing", "zzz", a.Client, "0 0 0"},
			{"no right to members", "国栋", a.Key("sales.read"), "0 0 0"},
			{"no right to products", "tea-77", a.Key("sales.read"), "0 0 0"},
			{"no right to sales", "INV-77", a.Key("members.read"), "0 0 0"},
			{"another store's sale", "INV-77", a.KeyAt(nil, []string{"s3"}, "sales.read"), "0 0 0"},
			{"the store's sale", "INV-77", a.KeyAt(nil, []string{"s2"}, "sales.read"), "0 1 0"},
		} {
			var f struct{ Members, Sales, Products []any }
			tt.c.Get("/v1/search?q=" + strings.ReplaceAll(tt.q, "/", "%2F")).Into(&f)
			if got := fmt.Sprint(len(f.Members), len(f.Sales), len(f.Products)); got != tt.want {
				t.Errorf("%s: found %s, want %s", tt.name, got, tt.want)
			}
		}
	})
}

func TestAttention(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		look := func(c apptest.Client) map[string]int {
			var out struct {
				Items []struct {
					Key, Title, Link string
					Count            int
				}
			}
			c.Get("/v1/attention").Into(&out)
			got := map[string]int{}
			for _, i := range out.Items {
				got[i.Key] = i.Count
			}
			return got
		}
		if got := look(a.Client); len(got) != 0 {
			t.Errorf("a fresh programme has %v", got)
		}
		newShop(a, 1)
		m := a.Member()
		a.ApproveAbove(10)
		a.Must(202, "POST", "/v1/members/"+m+"/adjustments", J{"currency": "points", "amount": 50, "reason": "x"})
		a.Post("/v1/sales", a.Sale(J{"store": "s2"}))
		a.Must(202, "POST", "/v1/returns", a.Return("later", J{"store": "s2"}))
		a.Exec("INSERT INTO event_failure (subscriber, first_position, last_position, tries, next_ms, at_ms, error) VALUES ('x', 1, 1, 1, 99999999999999, 1, 'x')")
		got := look(a.Client)
		for key, want := range map[string]int{"approvals": 1, "unassigned_sales": 1, "waiting_returns": 1, "event_failures": 1} {
			if got[key] != want {
				t.Errorf("%s: %d, want %d (%v)", key, got[key], want, got)
			}
		}
		if got := look(a.KeyAt(nil, []string{"s3"}, "sales.write")); len(got) != 0 {
			t.Errorf("another store sees %v", got)
		}
		if got := look(a.Key("members.read")); len(got) != 0 {
			t.Errorf("who can do nothing sees %v", got)
		}
		a.Exec("DELETE FROM event_failure")
	})
}

// All movements of everybody come once, newest first, whatever the pages; filters leave out.
func TestEntriesOfAll(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		s := newShop(a, 9)
		a.Post("/v1/rules", J{"code": "visit", "name_en": "Visit", "trigger": J{"on": "event", "event": "visit"}, "effect": J{"kind": "fixed", "currency": "points", "points": 5}})
		a.Must(200, "POST", "/v1/rules/visit/publish", J{})
		guest := a.Member()
		for i := range 80 {
			if s.step(); i%9 == 0 { // points that an event of a type of one's own gave
				a.Post("/v1/events", J{"type": "visit", "member": guest, "at": a.Clock.Now().Format(time.RFC3339Nano), "key": fmt.Sprint(i)})
			}
		}
		a.Drain()
		list := func(c apptest.Client, query string, limit int) (ids []string) {
			cursor := ""
			for {
				var page struct {
					Items []struct {
						ID       string
						Kind     string
						PostedAt time.Time `json:"posted_at"`
					}
					Next string `json:"next_cursor"`
				}
				c.Get(fmt.Sprintf("/v1/entries?limit=%d&cursor=%s%s", limit, cursor, query)).Into(&page)
				for _, e := range page.Items {
					ids = append(ids, e.ID)
				}
				if cursor = page.Next; cursor == "" {
					return ids
				}
			}
		}
		all := list(a.Client, "", 200)
		want := a.Number("SELECT COUNT(*) FROM entry WHERE kind NOT IN (2, 4, 6, 10)")
		seen := map[string]bool{}
		for _, id := range all {
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
		}
		if int64(len(all)) != want || want < 30 {
			t.Errorf("%d entries, want %d", len(all), want)
		}
		for _, limit := range []int{1, 3, 7} {
			if got := list(a.Client, "", limit); strings.Join(got, " ") != strings.Join(all, " ") {
				t.Errorf("in pages of %d: %d entries in another order or number, want %d", limit, len(got), len(all))
			}
		}
		for _, tt := range []struct{ query, where string }{
			{"&kind=earn", "kind = 1"},
			{"&kind=clawback", "kind = 8"},
			{"&currency=points", "kind NOT IN (2, 4, 6, 10)"},
			{"&document=1", "document = '1'"},
			{"&to=2026-03-10T04:00:00Z", "1 = 0"},
			{"&to=" + a.Clock.Now().Add(-time.Minute).UTC().Format(time.RFC3339), fmt.Sprintf("kind NOT IN (2, 4, 6, 10) AND posted_ms < %d", a.Clock.Now().Add(-time.Minute).Truncate(time.Second).UnixMilli())},
			{"&from=2026-03-10T04:00:00Z&to=2026-03-10T04:00:00.001Z", fmt.Sprintf("kind NOT IN (2, 4, 6, 10) AND posted_ms = %d", apptest.Noon.UnixMilli())},
			{"&from=2026-03-10T04:00:00.001Z", fmt.Sprintf("kind NOT IN (2, 4, 6, 10) AND posted_ms > %d", apptest.Noon.UnixMilli())},
		} {
			if got, want := len(list(a.Client, tt.query, 50)), a.Number("SELECT COUNT(*) FROM entry WHERE "+tt.where); int64(got) != want {
				t.Errorf("%s: %d entries, want %d", tt.query, got, want)
			}
		}
		if got, want := len(list(a.KeyAt([]string{"m2"}, nil, "points.read"), "", 50)), a.Number("SELECT COUNT(*) FROM entry WHERE kind NOT IN (2, 4, 6, 10) AND store_id IN (SELECT id FROM store WHERE code IN ('s2', 's3'))"); int64(got) != want {
			t.Errorf("of a merchant: %d entries, want %d", got, want)
		}
		a.Must(422, "GET", "/v1/entries?kind=gift", nil)
	})
}

type happening struct {
	Position   int64
	Kind, Type string
	Member     string `json:"member_id"`
	Name       string `json:"member_name"`
	Total      int64
	Points     []struct{ Amount int64 }
	Skipped    int64
}

// listen reads n messages of the live feed.
func listen(t *testing.T, a *apptest.App, c apptest.Client, query, last string, n int) (out []happening) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", a.URL+"/v1/live"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Secret())
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for len(out) < n && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var h happening
			if err := json.Unmarshal([]byte(data), &h); err != nil {
				t.Fatal(err)
			}
			out = append(out, h)
		}
	}
	if len(out) < n {
		t.Fatalf("heard %d of %d: %v", len(out), n, lines.Err())
	}
	return out
}

func TestLive(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		newShop(a, 1)
		var m struct{ ID string }
		a.Post("/v1/members", J{"external_id": "x/1", "name": "陈国栋"}).Into(&m)
		a.Post("/v1/sales", a.Sale(J{"member": m.ID, "document": "L1"}))
		a.Drain()
		from := a.Number("SELECT MAX(position) FROM event")
		a.Post("/v1/sales", a.Sale(J{"member": m.ID, "document": "L2", "store": "s2"}))
		a.Post("/v1/returns", a.Return("L2", nil))
		a.Give(m.ID, 5)
		a.Post("/v1/sales", a.Sale(J{"document": "L3", "total": 300, "lines": []J{apptest.Line(1, 1, 300)}}))
		got := listen(t, a, a.Client, fmt.Sprintf("?after=%d", from), "", 4)
		last := from // of what was heard: events of other kinds lie between
		for i, want := range []string{"sale 10000 1 陈**", "return 10000 1 陈**", "points 0 1 陈**", "sale 300 0 "} {
			h := got[i]
			if text := fmt.Sprint(h.Kind, " ", h.Total, " ", len(h.Points), " ", h.Name); text != want || h.Position <= last {
				t.Errorf("heard %q at %d after %d, want %q", text, h.Position, last, want)
			}
			last = h.Position
		}
		again := listen(t, a, a.Client, "", fmt.Sprint(got[1].Position), 2)
		if again[0].Kind != "points" || again[1].Total != 300 {
			t.Errorf("heard after coming back: %+v", again)
		}
		store := listen(t, a, a.KeyAt(nil, []string{"s2"}, "sales.read"), "?after=0", "", 2) // L1 of another store comes before
		if store[0].Kind != "sale" || store[1].Kind != "return" || store[0].Member != "" || store[0].Name != "" || len(store[0].Points) != 0 {
			t.Errorf("a key of a store that may see sales only heard %+v", store)
		}
		ticks := make([]event.Event, 1101)
		for i := range ticks {
			ticks[i] = event.Event{Kind: "test.tick", AtMS: 1, Body: json.RawMessage("{}")}
		}
		if err := a.DB.InTx(t.Context(), func(ctx context.Context, tx *db.Tx) error { return event.AppendAll(ctx, tx, ticks) }); err != nil {
			t.Fatal(err)
		}
		a.Drain()
		a.Post("/v1/sales", a.Sale(J{"member": m.ID, "document": "L4"}))
		behind := listen(t, a, a.Client, fmt.Sprintf("?after=%d", from), "", 2)
		if behind[0].Kind != "skipped" || behind[0].Skipped < 900 || behind[1].Kind != "sale" {
			t.Errorf("far behind: %+v", behind)
		}
	})
}

func TestMaskName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "", "陈国栋": "陈**", "Lin Jingyi": "Lin J.", "Prince": "P**", " 王 ": "王**"} {
		if got := insight.MaskName(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}
