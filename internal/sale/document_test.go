package sale_test

import (
	"strings"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// One document of a source is one sale, for ever: the same again, under another key or
// long after the key was forgotten (L3), is answered as the first time; another content or
// another member is refused with both shown.
func TestDocumentOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m, other := a.Member(), a.Member()
		doc := a.Sale(J{"member": m})
		var first, again apptest.Sold
		a.Post("/v1/sales", doc, apptest.Keyed("k1")).Into(&first)
		for _, h := range []string{"k1", "k2"} {
			r := a.Post("/v1/sales", doc, apptest.Keyed(h)).Into(&again)
			if !r.Replayed() || again.ID != first.ID || len(again.Points) != 1 || again.Points[0] != first.Points[0] {
				t.Errorf("again under %s: %s", h, r.Body)
			}
		}
		a.Clock.Advance(40 * 24 * time.Hour)
		a.Purge(a.Clock.Now().Add(-30 * 24 * time.Hour))
		if n := a.Number("SELECT COUNT(*) FROM request"); n != 0 {
			t.Fatalf("%d keys are kept after 40 days", n)
		}
		if r := a.Post("/v1/sales", doc, apptest.Keyed("k1")).Into(&again); !r.Replayed() || again.ID != first.ID {
			t.Errorf("again after 40 days: %s", r.Body)
		}
		if w := a.Wallet(m); w.Available != 100 {
			t.Errorf("after four deliveries: %+v", w)
		}
		for _, tt := range []struct {
			name string
			edit J
			says []string // of both sides
		}{
			{"another total", J{"total": 20000, "lines": []J{apptest.Line(1, 1, 20000)}}, []string{"CNY 10000", "CNY 20000"}},
			{"another time", J{"at": at(-24)}, []string{"2026-03-10T04:00:00Z", "2026-03-09T04:00:00Z"}},
			{"another quantity", J{"lines": []J{apptest.Line(1, 2, 10000)}}, []string{"#1 sku-1 × 1 = 10000", "#1 sku-1 × 2 = 10000"}},
			{"another currency", J{"currency": "USD"}, []string{"CNY 10000", "USD 10000"}},
			{"another member", J{"member": other}, []string{m, other}},
			{"nobody", J{"member": nil}, []string{m}},
		} {
			for lang, word := range map[string]string{"en": "Recorded:", "zh-CN": "已入账："} {
				p := a.Do("POST", "/v1/sales", apptest.With(doc, tt.edit), apptest.Language(lang)).Refused(409, "sale.document_taken")
				for _, s := range append(tt.says, word) {
					if !strings.Contains(p.Detail, s) {
						t.Errorf("%s, %s: %q does not say %q", tt.name, lang, p.Detail, s)
					}
				}
			}
		}
	})
}

// Systems number as they like: a document is one source's, also where source and number
// run together like another's, and a return may bear the number of a sale.
func TestDocumentOfASource(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		ids := map[string]bool{}
		for _, of := range []J{{"source": "till", "document": "1"}, {"source": "shop", "document": "1"}, {"source": "till1", "document": "1"}, {"source": "till", "document": "11"}} {
			var sold apptest.Sold
			if r := a.Post("/v1/sales", a.Sale(apptest.With(of, J{"member": m}))).Into(&sold); r.Replayed() {
				t.Errorf("%v was taken for another", of)
			}
			ids[sold.ID] = true
		}
		a.Post("/v1/returns", a.Return("1", J{"document": "1"}))
		if w := a.Wallet(m); len(ids) != 4 || w.Available != 300 {
			t.Errorf("%d sales and %d points, want 4 and 300", len(ids), w.Available)
		}
	})
}

// The same for returns, by either route.
func TestReturnDocumentOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		m := a.Member()
		doc := a.Sale(J{"member": m, "lines": []J{apptest.Line(1, 4, 10000)}})
		var sold apptest.Sold
		a.Post("/v1/sales", doc).Into(&sold)
		path := "/v1/sales/" + sold.ID + "/returns"
		byID := J{"document": "R1", "at": at(0), "lines": []J{apptest.Back(1, 1)}}
		byDoc := a.Return(doc["document"], J{"lines": []J{apptest.Back(1, 1)}})
		for _, tt := range []struct {
			path string
			body J
		}{{path, byID}, {"/v1/returns", byDoc}} {
			var first, again apptest.Returned
			a.Post(tt.path, tt.body).Into(&first)
			if r := a.Post(tt.path, tt.body).Into(&again); !r.Replayed() || again.ID != first.ID || again.ClawedBack[0] != first.ClawedBack[0] {
				t.Errorf("again: %s", r.Body)
			}
			p := a.Do("POST", tt.path, apptest.With(tt.body, J{"lines": []J{apptest.Back(1, 2)}})).Refused(409, "sale.document_taken")
			if !strings.Contains(p.Detail, "#1 sku-1 × 1 = 2500") || !strings.Contains(p.Detail, "× 2") {
				t.Errorf("the refusal shows %q", p.Detail)
			}
		}
		if w := a.Wallet(m); w.Available != 50 {
			t.Errorf("after two quarters came back: %+v", w)
		}
	})
}

// A sale that was recorded for a member who was merged since is still the same sale.
func TestDocumentAfterMerge(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		from, into := a.Member(), a.Member()
		doc := a.Sale(J{"member": from})
		var first, again apptest.Sold
		a.Post("/v1/sales", doc).Into(&first)
		a.Must(200, "POST", "/v1/members/"+from+"/merge", J{"into": into})
		for _, who := range []string{from, into} {
			r := a.Post("/v1/sales", apptest.With(doc, J{"member": who})).Into(&again)
			if !r.Replayed() || again.ID != first.ID || again.MemberID != into {
				t.Errorf("again for %s: %s", who, r.Body)
			}
		}
		var r apptest.Returned
		a.Post("/v1/sales/"+first.ID+"/returns", J{"document": "R", "at": at(0)}).Into(&r)
		if r.ClawedBack[0].Amount != 100 || r.ClawedBack[0].Debt != 0 || a.Wallet(into).Available != 0 {
			t.Errorf("a return after the merge: %+v", r)
		}
	})
}
