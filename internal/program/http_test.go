package program

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// callers lets a request in as whoever it holds: signing in is the business of staff.
type callers struct{ now api.Caller }

func (c *callers) Authenticate(context.Context, *http.Request) (api.Caller, error) { return c.now, nil }

// client calls the routes of this package.
type client struct {
	t    *testing.T
	http http.Handler
	who  *callers
}

func newClient(t *testing.T, d *db.DB, s *Service) *client {
	who := &callers{api.Caller{Kind: "staff", ID: "stf_x", Can: map[api.Permission]bool{Manage: true}}}
	r := api.New(api.Config{DB: d, Clock: clock.System(), Auth: who, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	s.Routes(r)
	return &client{t, r.Handler(), who}
}

// call sends a request and reads the answer, which must have a status.
func (c *client) call(method, path, body string, status int) map[string]any {
	c.t.Helper()
	out := httptest.NewRecorder()
	c.http.ServeHTTP(out, httptest.NewRequest(method, path, strings.NewReader(body)))
	if out.Code != status {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, out.Code, out.Body, status)
	}
	answer := map[string]any{}
	if out.Body.Len() > 0 {
		if err := json.Unmarshal(out.Body.Bytes(), &answer); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer
}

// codes walks through all pages of a list and returns what field holds in each item.
func (c *client) codes(path, field string) (out []string) {
	c.t.Helper()
	for next := path; ; {
		page := c.call("GET", next, "", 200)
		for _, item := range page["items"].([]any) {
			out = append(out, item.(map[string]any)[field].(string))
		}
		cursor, more := page["next_cursor"].(string)
		if !more {
			return out
		}
		next = path + "&cursor=" + cursor
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		c := newClient(t, d, s)

		now := c.call("GET", "/v1/program", "", 200)
		if now["name_zh"] != "常客" || now["version"] != 1.0 || now["default_store"] != StoreID(s.Snapshot().DefaultStore().ID) {
			t.Errorf("the programme is %v", now)
		}
		changed := c.call("PATCH", "/v1/program", `{"version": 1, "currency": "USD", "earning": {"currency": "miles", "points": 2, "per": 100, "rounding": "half_up", "excluded_categories": ["gift"], "pending_days": 7}}`, 200)
		if changed["currency"] != "USD" || changed["zone"] != "Asia/Shanghai" || changed["earning"].(map[string]any)["pending_days"] != 7.0 {
			t.Errorf("changed to %v", changed)
		}
		for body, status := range map[string]int{
			`{"version": 1, "name_en": "x"}`: 409, `{"zone": "Nowhere"}`: 422, `{"zones": "UTC"}`: 400, `{"currency": "usd"}`: 422,
			`{"earning": {"currency": "x"}}`: 422, `{"default_store": "none"}`: 404, `{"languages": ["fr"]}`: 422,
		} {
			c.call("PATCH", "/v1/program", body, status)
		}

		m := c.call("POST", "/v1/merchants", `{"code": "tea", "name_en": "Tea"}`, 201)
		st := c.call("POST", "/v1/stores", `{"code": "bund", "name_zh": "外滩", "merchant": "tea", "zone": "Asia/Tokyo", "address": "1 Bund"}`, 201)
		till := c.call("POST", "/v1/tills", `{"code": "1", "store": "bund"}`, 201)
		if st["merchant"] != m["id"] || st["name_en"] != "外滩" || till["store"] != st["id"] || till["open"] != true {
			t.Errorf("made %v, %v, %v", m, st, till)
		}
		c.call("POST", "/v1/stores", `{"code": "bund", "name_en": "x", "merchant": "tea"}`, 409)
		c.call("POST", "/v1/stores", `{"code": "b", "name_en": "x", "merchant": "none"}`, 404)
		if got := c.call("PATCH", "/v1/stores/bund", `{"open": false, "zone": ""}`, 200); got["open"] != false || got["zone"] != nil {
			t.Errorf("closed: %v", got)
		}
		if got := c.call("GET", "/v1/stores/"+st["id"].(string), "", 200); got["open"] != false || got["address"] != "1 Bund" {
			t.Errorf("read: %v", got)
		}
		if got := c.call("PATCH", "/v1/merchants/tea", `{"name_zh": "茶"}`, 200); got["name_zh"] != "茶" || got["name_en"] != "Tea" {
			t.Errorf("renamed: %v", got)
		}
		if got := c.call("PATCH", "/v1/tills/"+till["id"].(string), `{"open": false}`, 200); got["open"] != false {
			t.Errorf("till: %v", got)
		}
		c.call("GET", "/v1/tills/1", "", 404)
	})
}

// Lists page by number, show each place once, and only those that the caller may see.
func TestLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		c := newClient(t, d, s)
		c.call("POST", "/v1/merchants", `{"code": "tea", "name_en": "Tea"}`, 201)
		for _, code := range []string{"a", "b", "c", "d", "e"} {
			c.call("POST", "/v1/stores", `{"code": "`+code+`", "name_en": "x", "merchant": "tea"}`, 201)
			c.call("POST", "/v1/tills", `{"code": "1", "store": "`+code+`"}`, 201)
		}
		c.call("PATCH", "/v1/stores/c", `{"name_en": "Bund", "name_zh": "外滩"}`, 200)
		c.call("PATCH", "/v1/stores/e", `{"name_en": "bund", "name_zh": "外滩东", "address": "East"}`, 200)
		shut := c.call("POST", "/v1/tills", `{"code": "2", "store": "d"}`, 201)["id"].(string)
		c.call("PATCH", "/v1/tills/"+shut, `{"open": false}`, 200)
		c.call("PATCH", "/v1/stores/d", `{"open": false}`, 200)
		number := func(code string) int64 { st, _ := s.Snapshot().StoreByCode(code); return st.ID }
		tea, _ := s.Snapshot().MerchantByCode("tea")
		for _, tt := range []struct {
			path              string
			merchants, stores []int64
			want              string
		}{
			{"/v1/stores?limit=200", nil, nil, "main a b c d e"},
			{"/v1/stores?limit=2", nil, nil, "main a b c d e"},
			{"/v1/stores?limit=1&merchant=tea", nil, nil, "a b c d e"},
			{"/v1/stores?limit=2&merchant=main", nil, nil, "main"},
			{"/v1/stores?limit=2", []int64{tea.ID}, nil, "a b c d e"},
			{"/v1/stores?limit=1", nil, []int64{number("b"), number("e")}, "b e"},
			{"/v1/stores?limit=2", nil, []int64{999}, ""},
			{"/v1/merchants?limit=1", nil, nil, "main tea"},
			{"/v1/merchants?limit=1", nil, []int64{number("b")}, "tea"},
			{"/v1/tills?limit=2", nil, nil, "1 1 1 1 1 2"},
			{"/v1/tills?limit=2&store=b", nil, nil, "1"},
			{"/v1/tills?limit=2", nil, []int64{number("b"), number("main")}, "1"},
			{"/v1/stores?limit=2&q=BUND", nil, nil, "c e"},
			{"/v1/stores?limit=1&q=%E5%A4%96%E6%BB%A9", nil, nil, "c e"},
			{"/v1/stores?limit=2&q=east+bund", nil, nil, "e"},
			{"/v1/stores?limit=2&q=bund&merchant=main", nil, nil, ""},
			{"/v1/stores?limit=2&q=bund", nil, []int64{number("c"), number("d")}, "c"},
			{"/v1/stores?limit=2&state=closed", nil, nil, "d"},
			{"/v1/stores?limit=2&state=open&merchant=tea", nil, nil, "a b c e"},
			{"/v1/merchants?limit=1&q=tea", nil, nil, "tea"},
			{"/v1/merchants?limit=1&state=closed", nil, nil, ""},
			{"/v1/tills?limit=2&q=2", nil, nil, "2"},
			{"/v1/tills?limit=2&state=closed", nil, nil, "2"},
		} {
			c.who.now.Merchants, c.who.now.Stores = tt.merchants, tt.stores
			if got := strings.Join(c.codes(tt.path, "code"), " "); got != tt.want {
				t.Errorf("%s for %v, %v: %s, want %s", tt.path, tt.merchants, tt.stores, got, tt.want)
			}
		}
		c.who.now.Merchants, c.who.now.Stores = nil, []int64{number("b")}
		c.call("GET", "/v1/stores/a", "", 404)
		c.call("GET", "/v1/merchants/main", "", 404)
		c.call("GET", "/v1/stores?cursor=x", "", 400)
	})
}

func TestRatesOverHTTP(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := open(t, d)
		c := newClient(t, d, s)
		c.call("PUT", "/v1/program/rates", `{"rates": [
			{"currency": "USD", "day": "2026-03-01", "rate": "7.1"}, {"currency": "USD", "day": "2026-03-02", "rate": "7.25"},
			{"currency": "USD", "day": "2026-02-28", "rate": "7"}, {"currency": "GBP", "day": "2026-03-01", "rate": "9.100000"}]}`, 204)
		if got := strings.Join(c.codes("/v1/program/rates?currency=USD&limit=2", "rate"), " "); got != "7.25 7.1 7" {
			t.Errorf("rates are %s", got)
		}
		for body, status := range map[string]int{
			`{"rates": []}`: 422,
			`{"rates": [{"currency": "USD", "day": "2026-03-01", "rate": 7.1}]}`:         422,
			`{"rates": [{"currency": "USD", "day": "2026-03-01", "rate": "0"}]}`:         422,
			`{"rates": [{"currency": "USD", "day": "2026-03-01", "rate": "1.2345678"}]}`: 422,
			`{"rates": [{"currency": "USD", "day": "2026-02-30", "rate": "1"}]}`:         422,
			`{"rates": [{"currency": "CNY", "day": "2026-03-01", "rate": "1"}]}`:         422,
			`{"rates": [{"currency": "ABC", "day": "2026-03-01", "rate": "1"}]}`:         422,
		} {
			c.call("PUT", "/v1/program/rates", body, status)
		}
		c.call("GET", "/v1/program/rates?currency=ABC", "", 422)
		c.call("GET", "/v1/program/rates", "", 422)
	})
}
