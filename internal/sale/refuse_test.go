package sale_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// bad is one request that is refused, and how.
type bad struct {
	name   string
	body   string
	status int
	code   string
	at     string // the only location, or ""
	field  string // the code at it
}

// text is a body as JSON with one thing changed.
func text(j J, from, to string) string {
	b, err := json.Marshal(j)
	if err != nil || !strings.Contains(string(b), from) {
		panic("no " + from + " in " + string(b))
	}
	return strings.Replace(string(b), from, to, 1)
}

// Whatever is wrong with a sale is refused with a status and code of its own, names the
// place, speaks the caller's language and records nothing.
func TestBadSales(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		good := a.Sale(J{"member": m, "lines": []J{apptest.Line(1, 2, 10000)}, "payments": []J{{"kind": "cash", "amount": 10000}}})
		many := []J{}
		for i := range 501 {
			many = append(many, apptest.Line(i+1, 1, 0))
		}
		attributes := J{}
		for i := range 51 {
			attributes[name("a", i)] = i
		}
		with := func(edits J) string { return text(apptest.With(good, edits), "{", "{") }
		rows := []bad{
			{"no JSON", `{"source"`, 400, "request.json", "body", ""},
			{"no body", ``, 400, "request.body_missing", "body", ""},
			{"something behind", with(nil) + "{}", 400, "request.trailing", "body", ""},
			{"unknown field", text(good, `"source"`, `"x":1,"source"`), 400, "request.unknown_field", "body.x", "field.unknown"},
			{"unknown field of a line", text(good, `"sku"`, `"x":1,"sku"`), 400, "request.unknown_field", "body.lines[0].x", "field.unknown"},
			{"wrong case", text(good, `"source"`, `"Source"`), 400, "request.unknown_field", "", ""},
			{"duplicate key", text(good, `"source"`, `"source":"a","source"`), 400, "request.duplicate_key", "body.source", ""},
			{"duplicate key in another case", text(good, `"source"`, `"SOURCE":"a","source"`), 400, "request.duplicate_key", "body.source", ""},
			{"invalid UTF-8", text(good, `"till"`, "\"ti\xffll\""), 400, "request.utf8", "", ""},
			{"U+0000", text(good, `"till"`, `"\u0000"`), 400, "request.nul", "", ""},
			{"deep", text(good, `"source"`, `"attributes":`+strings.Repeat(`{"a":`, 70)+`1`+strings.Repeat(`}`, 70)+`,"source"`), 400, "request.depth", "", ""},
			{"past 64 bits", text(good, `"total":10000`, `"total":99999999999999999999`), 400, "request.number", "body.total", ""},
			{"over 1 MiB", with(J{"attributes": J{"a": strings.Repeat("x", 1<<20)}}), 413, "request.too_large", "body", ""},

			{"text for a number", text(good, `"total":10000`, `"total":"10000"`), 422, "request.invalid", "body.total", "value.integer"},
			{"fraction of a fen", text(good, `"total":10000`, `"total":10000.5`), 422, "request.invalid", "body.total", "value.integer"},
			{"number for a text", text(good, `"source":"till"`, `"source":1`), 422, "request.invalid", "body.source", "value.string"},
			{"null", text(good, `"source":"till"`, `"source":null`), 422, "request.invalid", "body.source", "value.string"},
			{"object for a list", with(J{"lines": J{}}), 422, "request.invalid", "body.lines", "value.array"},
			{"list for an object", `[]`, 422, "request.invalid", "body", "value.object"},
			{"no source", with(J{"source": nil}), 422, "request.invalid", "body.source", "value.required"},
			{"no document", with(J{"document": nil}), 422, "request.invalid", "body.document", "value.required"},
			{"empty document", with(J{"document": ""}), 422, "request.invalid", "body.document", "value.min_length"},
			{"long document", with(J{"document": strings.Repeat("9", 65)}), 422, "request.invalid", "body.document", "value.max_length"},
			{"no time", with(J{"at": nil}), 422, "request.invalid", "body.at", "value.required"},
			{"no currency", with(J{"currency": nil}), 422, "request.invalid", "body.currency", "value.required"},
			{"no total", with(J{"total": nil}), 422, "request.invalid", "body.total", "value.required"},
			{"no lines", with(J{"lines": nil}), 422, "request.invalid", "body.lines", "value.required"},
			{"empty lines", with(J{"lines": []J{}}), 422, "request.invalid", "body.lines", "value.min_items"},
			{"a line without sku", text(good, `"sku":"sku-1"`, `"name":"x"`), 422, "request.invalid", "body.lines[0].sku", "value.required"},
			{"a line without amount", with(J{"lines": []J{{"line": 1, "sku": "x", "quantity": 1}}}), 422, "request.invalid", "body.lines[0].amount", "value.required"},
			{"line 0", text(good, `"line":1`, `"line":0`), 422, "request.invalid", "body.lines[0].line", "value.minimum"},
			{"negative amount", text(good, `"amount":10000,"line"`, `"amount":-1,"line"`), 422, "request.invalid", "body.lines[0].amount", "value.minimum"},
			{"negative total", with(J{"total": -1}), 422, "request.invalid", "body.total", "value.minimum"},
			{"amount past the limit", text(good, `"amount":10000,"line"`, `"amount":1000000000001,"line"`), 422, "request.invalid", "body.lines[0].amount", "value.maximum"},
			{"negative payment", with(J{"payments": []J{{"kind": "cash", "amount": -1}}}), 422, "request.invalid", "body.payments[0].amount", "value.minimum"},
			{"quantity 0", text(good, `"quantity":2`, `"quantity":0`), 422, "request.invalid", "body.lines[0].quantity", "value.exclusive_minimum"},
			{"negative quantity", text(good, `"quantity":2`, `"quantity":-1`), 422, "request.invalid", "body.lines[0].quantity", "value.exclusive_minimum"},
			{"quantity past the limit", text(good, `"quantity":2`, `"quantity":1000001`), 422, "request.invalid", "body.lines[0].quantity", "value.maximum"},
			{"four decimals", text(good, `"quantity":2`, `"quantity":0.0001`), 422, "sale.quantity_form", "body.lines[0].quantity", ""},
			{"quantity as text", text(good, `"quantity":2`, `"quantity":"2"`), 422, "request.invalid", "body.lines[0].quantity", "value.number"},

			{"unknown currency", with(J{"currency": "XYZ"}), 422, "money.currency", "body.currency", ""},
			{"lower case currency", with(J{"currency": "cny"}), 422, "money.currency", "body.currency", ""},
			{"sum is not total", with(J{"total": 9999}), 422, "sale.total", "body.total", ""},
			{"sum past the limit", with(J{"total": 0, "lines": []J{apptest.Line(1, 1, 1e12), apptest.Line(2, 1, 1)}}), 422, "money.too_big", "body.lines[1].amount", ""},
			{"a line twice", with(J{"lines": []J{apptest.Line(1, 1, 5000), apptest.Line(1, 1, 5000)}}), 422, "sale.line_twice", "body.lines[1].line", ""},
			{"ahead by five minutes and a second", with(J{"at": "2026-03-10T12:05:01+08:00"}), 422, "sale.future", "body.at", ""},
			{"no time at all", with(J{"at": "noon"}), 422, "program.time", "body.at", ""},
			{"29 February of no leap year", with(J{"at": "2026-02-29"}), 422, "program.time", "body.at", ""},
			{"more lines than the settings allow", with(J{"lines": many, "total": 0}), 422, "sale.too_many", "body.lines", ""},
			{"more attributes than the settings allow", with(J{"attributes": attributes}), 422, "sale.too_many", "body.attributes", ""},
			{"coupons", with(J{"coupons": []string{"A"}}), 404, "coupon.unknown", "", ""},
			{"no member of this number", with(J{"member": "no:8999999"}), 404, "member.not_found", "body.member", ""},
			{"no member of this phone", with(J{"member": "phone:+8613800000000"}), 404, "member.not_found", "body.member", ""},
			{"no form of a member", with(J{"member": "Zhang San"}), 422, "member.ref", "body.member", ""},
			{"no store", with(J{"store": "moon"}), 404, "program.no_store", "body.store", ""},
		}
		before := a.Number("SELECT COUNT(*) FROM sale") + a.Number("SELECT COUNT(*) FROM request")
		for _, r := range rows {
			checkBad(t, a.Client, "/v1/sales", r)
		}
		p := a.Do("POST", "/v1/sales?verbose=true", good).Refused(400, "request.unknown_field")
		if p.Errors[0].Location != "query.verbose" {
			t.Errorf("an unknown parameter: %+v", p)
		}
		a.Do("POST", "/v1/sales?dry_run=1", good).Refused(422, "request.invalid")
		a.Do("POST", "/v1/sales", good, apptest.Header{Name: "Idempotency-Key"}).Refused(400, "request.key_missing")
		a.Do("POST", "/v1/sales", good, apptest.Keyed("with space")).Refused(400, "request.key_form")
		a.Do("POST", "/v1/sales", good, apptest.Header{Name: "Content-Type", Value: "text/plain"}).Refused(400, "request.content_type")
		a.Do("POST", "/v1/sales", good, apptest.Header{Name: "Authorization", Value: "Bearer pk_live_x"}).Refused(401, "request.unauthenticated")
		a.Key("sales.read").Do("POST", "/v1/sales", good).Refused(403, "request.permission")
		a.Key("sales.write").Do("GET", "/v1/sales", nil).Refused(403, "request.permission")
		if after := a.Number("SELECT COUNT(*) FROM sale") + a.Number("SELECT COUNT(*) FROM request"); after != before {
			t.Errorf("refusals left %d rows behind", after-before)
		}
		a.Post("/v1/sales", good, apptest.Keyed("k"))
		a.Do("POST", "/v1/sales", apptest.With(good, J{"till": "2"}), apptest.Keyed("k")).Refused(422, "request.key_reused")
		if w := a.Wallet(m); w.Available != 100 {
			t.Errorf("after one good sale: %+v", w)
		}
	})
}

// checkBad sends one bad request in both languages.
func checkBad(t *testing.T, c apptest.Client, path string, r bad) {
	t.Helper()
	var details []string
	for _, lang := range []string{"en", "zh-CN"} {
		p := c.Do("POST", path, r.body, apptest.Language(lang)).Problem()
		if p.Status != r.status || p.Code != r.code {
			t.Errorf("%s: %d %s, want %d %s (%+v)", r.name, p.Status, p.Code, r.status, r.code, p.Errors)
			return
		}
		if r.at != "" && (len(p.Errors) != 1 || p.Errors[0].Location != r.at || r.field != "" && p.Errors[0].Code != r.field) {
			t.Errorf("%s: at %+v, want %s %s", r.name, p.Errors, r.at, r.field)
		}
		details = append(details, p.Title+p.Detail)
		if han := strings.ContainsFunc(p.Title+p.Detail, func(r rune) bool { return r > 0x2E80 }); han != (lang == "zh-CN") {
			t.Errorf("%s: in %s it says %s", r.name, lang, p.Detail)
		}
	}
	if details[0] == details[1] {
		t.Errorf("%s: the same in both languages: %s", r.name, details[0])
	}
}

// The same for returns.
func TestBadReturns(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other := a.Member(), a.Member()
		doc := a.Sale(J{"member": m, "lines": []J{apptest.Line(1, 2, 6000), apptest.Line(2, 1, 4000)}})
		var sold apptest.Sold
		a.Post("/v1/sales", doc).Into(&sold)
		of := doc["document"]
		path := "/v1/sales/" + sold.ID + "/returns"
		byID := func(edits J) string {
			return text(apptest.With(J{"document": name("B", a.Unique()), "at": at(0)}, edits), "{", "{")
		}
		byDoc := func(edits J) string { return text(a.Return(of, edits), "{", "{") }
		for _, tt := range []struct {
			path string
			body func(J) string
		}{{path, byID}, {"/v1/returns", byDoc}} {
			for _, r := range []bad{
				{"unknown field", tt.body(J{"x": 1}), 400, "request.unknown_field", "body.x", "field.unknown"},
				{"unknown field of a line", tt.body(J{"lines": []J{{"line": 1, "quantity": 1, "sku": "x"}}}), 400, "request.unknown_field", "body.lines[0].sku", "field.unknown"},
				{"duplicate key", strings.Replace(tt.body(nil), `"at"`, `"at":"x","at"`, 1), 400, "request.duplicate_key", "body.at", ""},
				{"no document", tt.body(J{"document": nil}), 422, "request.invalid", "body.document", "value.required"},
				{"quantity 0", tt.body(J{"lines": []J{apptest.Back(1, 0)}}), 422, "request.invalid", "body.lines[0].quantity", "value.exclusive_minimum"},
				{"four decimals", tt.body(J{"lines": []J{apptest.Back(1, 0.0001)}}), 422, "sale.quantity_form", "body.lines[0].quantity", ""},
				{"no quantity", tt.body(J{"lines": []J{{"line": 1}}}), 422, "request.invalid", "body.lines[0].quantity", "value.required"},
				{"negative amount", tt.body(J{"lines": []J{{"line": 1, "quantity": 1, "amount": -1}}}), 422, "request.invalid", "body.lines[0].amount", "value.minimum"},
				{"the future", tt.body(J{"at": at(1)}), 422, "sale.future", "body.at", ""},
				{"before the sale", tt.body(J{"at": at(-1)}), 422, "sale.before_sale", "", ""},
				{"no such line", tt.body(J{"lines": []J{apptest.Back(3, 1)}}), 422, "sale.no_line", "", ""},
				{"a line twice", tt.body(J{"lines": []J{apptest.Back(1, 1), apptest.Back(1, 1)}}), 422, "sale.line_twice", "", ""},
				{"more than was sold", tt.body(J{"lines": []J{apptest.Back(1, 2.001)}}), 409, "sale.too_much", "", ""},
				{"more money than was paid", tt.body(J{"lines": []J{{"line": 1, "quantity": 1, "amount": 6001}}}), 409, "sale.too_much", "", ""},
			} {
				checkBad(t, a.Client, tt.path, r)
			}
		}
		checkBad(t, a.Client, "/v1/returns", bad{"somebody else's", byDoc(J{"member": other}), 409, "sale.other_member", "", ""})
		checkBad(t, a.Client, "/v1/returns", bad{"nobody's", byDoc(J{"member": "no:8999999"}), 404, "member.not_found", "body.member", ""})
		checkBad(t, a.Client, "/v1/sales/"+m+"/returns", bad{"no id of a sale", byID(nil), 404, "sale.unknown", "", ""})
		a.Do("POST", path, J{"document": "k", "at": at(0)}, apptest.Header{Name: "Idempotency-Key"}).Refused(400, "request.key_missing")
		a.Key("sales.read").Do("POST", path, J{"document": "k", "at": at(0)}).Refused(403, "request.permission")
		if w := a.Wallet(m); w.Available != 100 {
			t.Errorf("refused returns moved points: %+v", w)
		}
		var ret apptest.Returned
		a.Post(path, J{"document": "all", "at": at(0)}).Into(&ret)
		for _, p := range []string{path, "/v1/returns"} {
			body := byID(nil)
			if p == "/v1/returns" {
				body = byDoc(nil)
			}
			checkBad(t, a.Client, p, bad{"nothing left", body, 409, "sale.nothing_left", "", ""})
		}
		checkBad(t, a.Client, "/v1/sales/"+ret.ID+"/returns", bad{"a return of a return", byID(nil), 409, "sale.is_return", "", ""})
	})
}

// What is at the edge, and good: a sale that cost nothing, one at the limit, one five
// minutes ahead, one of a member who may not earn, which stands with a notice, one without
// a rate, times without a zone.
func TestGoodEdges(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		for _, tt := range []struct {
			name   string
			edit   J
			points int64
			flag   string
		}{
			{"nothing paid", J{"total": 0, "lines": []J{apptest.Line(1, 1, 0)}}, 0, ""},
			{"a free line beside others", J{"lines": []J{apptest.Line(1, 1, 0), apptest.Line(2, 1, 10000)}}, 100, ""},
			{"ahead by five minutes", J{"at": "2026-03-10T12:05:00+08:00"}, 100, ""},
			{"time without a zone", J{"at": "2026-03-10 12:00"}, 100, ""},
			{"a date", J{"at": "2026-03-10"}, 100, ""},
			{"seven days late", J{"at": at(-7 * 24)}, 100, ""},
			{"later than that", J{"at": at(-7*24 - 1)}, 100, "late"},
			{"no rate", J{"currency": "USD"}, 0, "no_rate"},
			{"lines out of order", J{"lines": []J{apptest.Line(9, 1, 4000), apptest.Line(2, 1, 6000)}}, 100, ""},
		} {
			var s apptest.Sold
			a.Post("/v1/sales", a.Sale(apptest.With(J{"member": m}, tt.edit))).Into(&s)
			var got int64
			for _, p := range s.Points {
				got += p.Amount
			}
			if flags := strings.Join(s.Flags, ","); got != tt.points || flags != tt.flag {
				t.Errorf("%s: %d points, flags %q", tt.name, got, flags)
			}
		}
		rich := a.Member()
		var s apptest.Sold
		a.Post("/v1/sales", a.Sale(J{"member": rich, "total": int64(1e12), "lines": []J{apptest.Line(1, 1, 1e12)}})).Into(&s)
		if s.Balances["points"] != 1e10 {
			t.Errorf("at the limit: %+v", s)
		}
		blocked := a.Member()
		a.Must(200, "POST", "/v1/members/"+blocked+"/block", J{"reason": "test"})
		a.Post("/v1/sales", a.Sale(J{"member": blocked})).Into(&s)
		if len(s.Points) != 0 || len(s.Notices) != 1 || s.Notices[0].Code != "ledger.may_not_earn" || s.Notices[0].Title == "" || s.Notices[0].TitleZ == "" || s.MemberID != blocked {
			t.Errorf("of a blocked member: %+v", s)
		}
	})
}

// Tills whose clocks differ, or tell no more than seconds, can take back at once what another
// sold: such a return bears the time of its sale, whether it comes before it or after.
func TestReturnByAnotherClock(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		sold := func(doc J) (s apptest.Sold) {
			a.Post("/v1/sales", doc).Into(&s)
			return s
		}
		m := a.Member()
		for _, tt := range []struct {
			name   string
			behind float64 // hours
			good   bool
		}{{"a second", 1. / 3600, true}, {"five minutes", 5. / 60, true}, {"more", 6. / 60, false}} {
			one, two := a.Sale(J{"member": m}), a.Sale(J{"member": m})
			s := sold(one)
			early := J{"at": at(-tt.behind), "lines": []J{apptest.Back(1, 1)}}
			r := a.Do("POST", "/v1/sales/"+s.ID+"/returns", J{"document": name("C", a.Unique()), "at": early["at"], "lines": early["lines"]})
			var waits struct{ ID string }
			a.Must(202, "POST", "/v1/returns", a.Return(two["document"], early)).Into(&waits)
			sold(two)
			w := read(a, waits.ID)
			if !tt.good {
				r.Refused(422, "sale.before_sale")
				if w.State != "parked" {
					t.Errorf("%s: %+v", tt.name, w)
				}
				continue
			}
			var back struct{ ID, At string }
			if r.Into(&back); r.Status != 201 || read(a, back.ID).At != read(a, s.ID).At || w.State != "posted" || w.At != read(a, s.ID).At {
				t.Errorf("%s: %s, waited %+v", tt.name, r.Body, w)
			}
		}
	})
}
