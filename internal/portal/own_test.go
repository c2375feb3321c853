package portal_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/seal"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
	"github.com/patron-loyalty/patron/internal/test/canary"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

var inPath = regexp.MustCompile(`\{[a-z]+\}`)

// What is another member's is answered as if it were not there; no key and no colleague opens
// a route of the portal, and no member one of the staff's.
func TestOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		one, two := enrol(t, a, "13600000001", nil), enrol(t, a, "13600000002", nil)
		var sold, nobodys apptest.Sold
		a.Post("/v1/offers", J{"code": "three", "name_en": "Three", "delivery": "open", "goal": J{"kind": "visits", "count": 3}, "reward": J{"currency": "points", "amount": 5}})
		a.Must(200, "POST", "/v1/offers/three/publish", nil)
		a.Post("/v1/sales", a.Sale(J{"member": one.ID})).Into(&sold)
		a.Post("/v1/sales", a.Sale(nil)).Into(&nobodys)
		var list struct{ Items []struct{ ID string } }
		one.get("/portal/v1/sessions", &list)
		var offers struct{ Items []struct{ ID string } }
		a.Get("/v1/members/" + one.ID + "/offers").Into(&offers)

		a.Post("/v1/coupons", J{"code": "ten", "name_en": "Ten", "effect": J{"kind": "amount", "amount": 1000}, "transferable": true})
		a.Must(200, "POST", "/v1/coupons/ten/publish", nil)
		var voucher struct{ Code string }
		a.Post("/v1/coupons/ten/vouchers", J{"member": one.ID}).Into(&voucher)

		ids := map[string][]string{ // every route that takes an id
			"GET /portal/v1/purchases/{id}":      {sold.ID, nobodys.ID, "sal_x", one.ID},
			"DELETE /portal/v1/sessions/{id}":    {list.Items[0].ID, "pss_x", one.ID},
			"POST /portal/v1/offers/{id}/view":   {offers.Items[0].ID, "ofi_x", one.ID},
			"POST /portal/v1/offers/{id}/accept": {offers.Items[0].ID, "ofi_x", one.ID},
			// Rewards are everybody's: who may not see one is tried in their own tests, as orders are.
			"GET /portal/v1/rewards/{id}":               {"rwd_x"},
			"PUT /portal/v1/rewards/{id}/wish":          {"rwd_x"},
			"DELETE /portal/v1/rewards/{id}/wish":       {"rwd_x"},
			"GET /portal/v1/reward-orders/{id}":         {"rwo_x"},
			"POST /portal/v1/reward-orders/{id}/cancel": {"rwo_x"},
			// So are coupons and draws; a voucher is its holder's.
			"POST /portal/v1/coupons/{id}/claim":           {"cpn_x", voucher.Code},
			"GET /portal/v1/vouchers/{code}":               {voucher.Code, "NOSUCHC0DE"},
			"POST /portal/v1/vouchers/{code}/gift":         {voucher.Code, "NOSUCHC0DE"},
			"DELETE /portal/v1/vouchers/{code}/gift":       {voucher.Code, "NOSUCHC0DE"},
			"GET /portal/v1/vouchers/{code}/qr":            {}, // draws what it is told
			"GET /portal/v1/voucher-gifts/{token}":         {voucher.Code},
			"POST /portal/v1/voucher-gifts/{token}/accept": {voucher.Code},
			"GET /portal/v1/draws/{id}":                    {"drw_x"},
			"POST /portal/v1/draws/{id}/plays":             {}, // wants a body: see the tests of draws
		}
		stranger := visit(t, a)
		door := []string{"program", "logo", "manifest", "codes", "sign-in", "join", "inbox", "reward-pictures/{hash}", "draws/{id}/epochs", "draws/{id}/proof", "draws/{id}/lines"}
		for _, route := range a.API.Routes() {
			method, path, _ := strings.Cut(route, " ")
			rest, portal := strings.CutPrefix(path, "/portal/v1/")
			switch {
			case portal && !slices.Contains(door, rest):
				if r := stranger.send(method, strings.ReplaceAll(path, "{id}", "x"), nil); r.status != 401 {
					t.Errorf("a stranger: %s: %d", route, r.status)
				}
				if r := a.Do(method, strings.ReplaceAll(path, "{id}", "x"), nil); r.Status != 401 {
					t.Errorf("a key: %s: %d", route, r.Status)
				}
				if strings.Contains(path, "{") && ids[route] == nil {
					t.Errorf("%s takes an id that this test does not try", route)
				}
			case !portal && method == "GET" && !strings.Contains(path, "{"):
				if r := one.send(method, path, nil); r.status != 401 {
					t.Errorf("a member: %s: %d", route, r.status)
				}
			}
		}
		for route, list := range ids {
			method, path, _ := strings.Cut(route, " ")
			for _, id := range list {
				if r := two.send(method, inPath.ReplaceAllString(path, id), nil, "Idempotency-Key", "of-another"); r.status != 404 {
					t.Errorf("%s of another: %s: %d %s", route, id, r.status, r.body)
				}
			}
		}
		one.want(200, "", "GET", "/portal/v1/me", nil)
		one.want(200, "", "GET", "/portal/v1/purchases/"+sold.ID, nil)

		session, secret, _ := strings.Cut(one.cookie, ".")
		_, theirs, _ := strings.Cut(two.cookie, ".")
		for _, forged := range []string{session, session + ".", session + "." + theirs, session + ".x" + secret[1:], "patron_portal=." + secret} {
			stranger.cookie = forged
			stranger.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
		}
	})
}

// History says why, purchases say what became of them, both page by page; and nothing of the
// shop's own is in them.
func TestHistoryAndPurchases(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		p := enrol(t, a, "13600000001", nil)
		var whole, part apptest.Sold
		line := apptest.With(apptest.Line(1, 2, 10000), J{"cost": 777777, "name": "Oolong", "attributes": J{"secret": "of the till"}})
		a.Post("/v1/sales", a.Sale(J{"member": p.ID, "lines": []J{line}, "staff": "till-hand"})).Into(&part)
		a.Post("/v1/sales/"+part.ID+"/returns", J{"document": "R1", "at": "2026-03-10 12:00", "lines": []J{apptest.Back(1, 1)}})
		a.Post("/v1/sales", a.Sale(J{"member": p.ID})).Into(&whole)
		a.Post("/v1/members/"+p.ID+"/adjustments", J{"currency": "points", "amount": -5, "reason": "counted twice"})
		type purchase struct {
			ID, Kind, State, Store string
			Lines                  []struct{ Name string }
			Points                 []struct{ Amount, TakenBack int64 }
			Returns                []struct{ ID, State string }
		}
		var got []string
		for cursor := ""; ; {
			var page struct {
				Items []purchase
				Next  string `json:"next_cursor"`
			}
			r := p.want(200, "", "GET", "/portal/v1/purchases?limit=1&cursor="+cursor, nil)
			r.into(&page)
			if s := string(r.body); strings.Contains(s, "777777") || strings.Contains(s, "of the till") || strings.Contains(s, "till-hand") {
				t.Errorf("the shop's own: %s", s)
			}
			for _, x := range page.Items {
				got = append(got, x.Kind+" "+x.State)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if want := []string{"sale bought", "return returned", "sale part_returned"}; !slices.Equal(got, want) {
			t.Errorf("purchases %q, want %q", got, want)
		}
		var one purchase
		p.get("/portal/v1/purchases/"+part.ID, &one)
		if len(one.Returns) != 1 || one.Returns[0].State != "returned" || one.Lines[0].Name != "Oolong" || one.Store != "Main store" {
			t.Errorf("%+v", one)
		}
		var whys []string
		for cursor := ""; ; {
			var page struct {
				Items []struct {
					Why      string
					Amount   int64
					Purchase string `json:"purchase_id"`
				}
				Next string `json:"next_cursor"`
			}
			p.get("/portal/v1/history?limit=2&cursor="+cursor, &page)
			for _, e := range page.Items {
				whys = append(whys, fmt.Sprintf("%+d %s", e.Amount, e.Why))
				if strings.HasPrefix(e.Why, "For a purchase") && e.Purchase == "" {
					t.Errorf("%q names no purchase", e.Why)
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		want := []string{"-5 counted twice", "+100 For a purchase at Main store", "-50 A purchase was returned at Main store", "+100 For a purchase at Main store"}
		if !slices.Equal(whys, want) {
			t.Errorf("history %q, want %q", whys, want)
		}
	})
}

// A gift is shown before it is given: to whom, masked, and what leaves. It moves once.
func TestTransfer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		a.Policy(func(p *ledger.Policy) { p.Transfer = ledger.Transfer{Allowed: true, FeePercent: 10, Max: 500} })
		one, two := enrol(t, a, "13600000001", nil), enrol(t, a, "13600000002", J{"name": "王小明 Ann"})
		a.Give(one.ID, 100)
		var home struct {
			Wallets []struct {
				Currency string
				Transfer struct{ Min, Max int64 }
			}
		}
		one.get("/portal/v1/me", &home)
		if home.Wallets[0].Transfer.Max != 500 {
			t.Errorf("terms %+v", home)
		}
		gift := J{"to": "phone:13600000002", "currency": "points", "amount": 50}
		var seen struct {
			To          string
			Number      string `json:"to_number"`
			Name        string `json:"to_name"`
			Leaves, Fee int64
			After       int64 `json:"available_after"`
		}
		r := one.want(200, "", "POST", "/portal/v1/transfers/preview", gift)
		r.into(&seen)
		if seen.Name != "王** A**" || seen.Number != "80****02" || seen.Leaves != 55 || seen.Fee != 5 || seen.After != 45 || bytes.Contains(r.body, []byte("小明")) {
			t.Errorf("preview %s", r.body)
		}
		if w := a.Wallet(one.ID); w.Available != 100 {
			t.Errorf("a preview moved points: %+v", w)
		}
		act := apptest.With(gift, J{"to": seen.To})
		one.want(400, "request.key_missing", "POST", "/portal/v1/transfers", act)
		got := together(5, func() int { return one.send("POST", "/portal/v1/transfers", act, "Idempotency-Key", "gift-1").status })
		if got[201] != 5 {
			t.Errorf("one gift, sent five times: %v", got)
		}
		if again := one.want(201, "", "POST", "/portal/v1/transfers", act, "Idempotency-Key", "gift-1"); again.header.Get("Idempotent-Replayed") != "true" {
			t.Error("the gift was not replayed")
		}
		if x, y := a.Wallet(one.ID), a.Wallet(two.ID); x.Available != 45 || y.Available != 50 {
			t.Errorf("after one gift: %d and %d", x.Available, y.Available)
		}
		one.want(409, "ledger.insufficient", "POST", "/portal/v1/transfers", act, "Idempotency-Key", "gift-2")
		one.want(422, "ledger.self", "POST", "/portal/v1/transfers/preview", apptest.With(gift, J{"to": "phone:13600000001"}))
		one.want(404, "portal.unknown_friend", "POST", "/portal/v1/transfers/preview", apptest.With(gift, J{"to": "phone:13600000009"}))
		var history struct{ Items []struct{ Why string } }
		two.get("/portal/v1/history", &history)
		if history.Items[0].Why != "From member 80****01" {
			t.Errorf("why %q", history.Items[0].Why)
		}
		for range 30 {
			one.send("POST", "/portal/v1/transfers/preview", apptest.With(gift, J{"to": "phone:13600000009"}))
		}
		one.want(429, "portal.too_many_looked_up", "POST", "/portal/v1/transfers/preview", gift)
		two.want(422, "ledger.self", "POST", "/portal/v1/transfers/preview", gift)
	})
}

// A member changes what is theirs to change; a birthday once.
func TestProfileAndConsents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		p := enrol(t, a, "13600000001", nil)
		var v struct {
			Name, Phone, City, Birthday string
			Fixed                       bool `json:"birthday_fixed"`
		}
		p.want(200, "", "PATCH", "/portal/v1/profile", J{"name": "Mei Li", "city": "Suzhou", "birthday": "--02-28"}).into(&v)
		if v.Name != "Mei Li" || v.City != "Suzhou" || v.Fixed || v.Phone != "+8613600000001" {
			t.Errorf("%+v", v)
		}
		p.want(409, "portal.birthday_set", "PATCH", "/portal/v1/profile", J{"birthday": "--03-01"})
		p.want(200, "", "PATCH", "/portal/v1/profile", J{"birthday": "1990-02-28"}).into(&v)
		p.want(409, "portal.birthday_set", "PATCH", "/portal/v1/profile", J{"birthday": "1991-02-28"})
		p.want(200, "", "PATCH", "/portal/v1/profile", J{"birthday": "1990-02-28", "city": ""}).into(&v)
		if !v.Fixed || v.Birthday != "1990-02-28" {
			t.Errorf("%+v", v)
		}

		a.Must(200, "PUT", "/v1/consent-texts", J{"purpose": "marketing", "text_en": "May we write?", "text_zh": "可以联系您吗？"})
		p.want(422, "consent.version", "POST", "/portal/v1/consents", J{"consents": []J{{"purpose": "marketing", "granted": true, "text_version": 9}}})
		var c struct {
			Items []struct {
				Purpose string
				Text    string `json:"text_en"`
				Current []struct {
					Granted bool
					Version int64 `json:"text_version"`
				}
			}
		}
		p.want(200, "", "POST", "/portal/v1/consents", J{"consents": []J{{"purpose": "marketing", "granted": true, "text_version": 1}}}).into(&c)
		m := c.Items[1]
		if m.Purpose != "marketing" || m.Text != "May we write?" || len(m.Current) != 1 || !m.Current[0].Granted || m.Current[0].Version != 1 {
			t.Errorf("%+v", m)
		}
		p.want(200, "", "POST", "/portal/v1/consents", J{"consents": []J{{"purpose": "marketing", "granted": false}}}).into(&c)
		if c.Items[1].Current[0].Granted {
			t.Error("taken back, and still granted")
		}
		if n := a.Number("SELECT COUNT(*) FROM consent WHERE source = 'portal' AND actor = $1", "member:"+p.ID); n != 2 {
			t.Errorf("%d rows of evidence", n)
		}
		r := p.want(200, "", "GET", "/portal/v1/export", nil)
		for _, want := range []string{"Mei Li", "+8613600000001", "portal_sessions", "1990-02-28"} {
			if !bytes.Contains(r.body, []byte(want)) {
				t.Errorf("%q is not in the export", want)
			}
		}
		for range 9 {
			p.want(200, "", "GET", "/portal/v1/export?format=csv", nil)
		}
		p.want(429, "portal.too_often", "GET", "/portal/v1/export", nil)
		if n := a.Number("SELECT COUNT(*) FROM audit WHERE actor_kind = 'member' AND (ip <> '' OR user_agent <> '')"); n != 0 {
			t.Errorf("the trail keeps the address of members: %d", n)
		}
	})
}

// An account is closed with a code of its own kind, and then it is gone.
func TestClose(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		p, two := enrol(t, a, "13600000001", nil), enrol(t, a, "13600000002", nil)
		a.Give(p.ID, 30)
		a.Clock.Advance(time.Minute)
		challenge, code := p.ask(p.phone)
		p.want(422, "portal.code", "POST", "/portal/v1/close", J{"by": "phone", "challenge": challenge, "code": code})
		p.want(409, "portal.no_address", "POST", "/portal/v1/close/code", J{"by": "email"})
		a.Clock.Advance(time.Minute)
		var asked struct{ Challenge, To string }
		p.want(202, "", "POST", "/portal/v1/close/code", J{"by": "phone"}).into(&asked)
		if asked.To != "136****0001" {
			t.Errorf("to %q", asked.To)
		}
		closing := J{"by": "phone", "challenge": asked.Challenge, "code": p.inbox()}
		two.want(422, "portal.code", "POST", "/portal/v1/close", closing)
		visit(t, a).want(422, "portal.code", "POST", "/portal/v1/sign-in", apptest.With(p.phone, J{"challenge": asked.Challenge, "code": closing["code"]}))
		cookie := p.cookie
		p.want(200, "", "POST", "/portal/v1/close", closing)
		p.cookie = cookie
		p.want(401, "portal.signed_out", "GET", "/portal/v1/me", nil)
		two.want(200, "", "GET", "/portal/v1/me", nil)
		if w := a.Wallet(p.ID); w.Available != 0 {
			t.Errorf("left: %+v", w)
		}
		if n := a.Number("SELECT COUNT(*) FROM portal_session"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// The code on the screen finds the member for a minute, on every node that has the keys.
func TestQR(t *testing.T) {
	t.Parallel()
	box := seal.Test()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			a := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, e), Box: box, Edit: demo})
			node := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, e), Box: box, Clock: a.Clock})
			node.Member()
			stranger := apptest.OpenAt(t, apptest.Setup{Database: dbtest.Options(t, e), Box: seal.Test(), Clock: a.Clock})
			stranger.Member()
			p := enrol(t, a, "13600000001", nil)
			var v struct {
				Code, SVG string
				Expires   time.Time `json:"expires_at"`
			}
			p.get("/portal/v1/vouchers/7K3Q-X9PW-DF0M-A5/qr", &v)
			if !strings.HasPrefix(v.SVG, "<svg ") {
				t.Errorf("a voucher is drawn as %s", v.SVG)
			}
			p.get("/portal/v1/qr", &v)
			if !strings.HasPrefix(v.SVG, "<svg ") || v.Expires.Sub(a.Clock.Now()) != time.Minute {
				t.Errorf("%s until %v", v.SVG, v.Expires)
			}
			find := func(a *apptest.App, code string, status int) {
				t.Helper()
				var m struct{ ID, Code string }
				a.Must(status, "GET", "/v1/members/"+code, nil).Into(&m)
				if status == 200 && m.ID != p.ID || status == 422 && m.Code != "member.qr" {
					t.Errorf("%s: %+v", code, m)
				}
			}
			find(a, v.Code, 200)
			find(node, v.Code, 200)
			find(a, "qr:"+strings.ToLower(v.Code[3:]), 200)
			find(stranger, v.Code, 422)
			for i := range v.Code[3:] {
				flipped := []byte(v.Code)
				if flipped[3+i]++; flipped[3+i] > 'Z' {
					flipped[3+i] = 'A'
				}
				if m, err := a.Portal.Resolve(t.Context(), string(flipped[3:])); err == nil {
					t.Errorf("changed at %d it finds %v", i, m)
				}
			}
			var sold apptest.Sold
			a.Post("/v1/sales", a.Sale(J{"member": v.Code})).Into(&sold)
			if sold.MemberID != p.ID {
				t.Errorf("a sale to the code: %+v", sold)
			}
			a.Clock.Advance(time.Minute - time.Millisecond)
			find(a, v.Code, 200)
			a.Clock.Advance(time.Millisecond)
			find(a, v.Code, 422)
			var batch struct{ Items []struct{ Status int } }
			a.Must(200, "POST", "/v1/sales/batch", J{"items": []J{
				apptest.With(a.Sale(J{"member": v.Code}), J{"idempotency_key": "a"}), apptest.With(a.Sale(J{"member": p.ID}), J{"idempotency_key": "b"}),
			}}).Into(&batch)
			if batch.Items[0].Status != 404 || batch.Items[1].Status != 201 {
				t.Errorf("one code that is over among others: %+v", batch)
			}
		})
	}
}

// Who scans a store's code joins there, with what they agreed to; who has joined is signed in.
func TestJoin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		a.Must(200, "PUT", "/v1/consent-texts", J{"purpose": "marketing", "text_en": "May we write?", "text_zh": "可以联系您吗？"})
		var link struct{ URL, SVG string }
		a.Get("/v1/stores/main/join-link").Into(&link)
		if link.URL != a.URL+"/portal/join?store=main" || !strings.HasPrefix(link.SVG, "<svg ") {
			t.Errorf("%+v", link)
		}
		g := visit(t, a)
		var shown struct {
			Store   struct{ Code string }
			Joining struct{ Points, Per int64 }
		}
		g.get("/portal/v1/program?store=main", &shown)
		if shown.Store.Code != "main" || shown.Joining.Points != 1 {
			t.Errorf("%+v", shown)
		}
		g.want(404, "program.no_store", "GET", "/portal/v1/program?store=gone", nil)

		to := J{"email": "Guest@Club.example"}
		challenge, code := g.ask(to)
		body := apptest.With(with(to, challenge, code), J{"store": "main", "name": "Ann", "consents": []J{{"purpose": "marketing", "granted": true, "text_version": 1}, {"purpose": "profiling", "granted": false}}})
		g.want(422, "consent.version", "POST", "/portal/v1/join", apptest.With(body, J{"consents": []J{{"purpose": "marketing", "granted": true, "text_version": 2}}}))
		g.want(404, "program.no_store", "POST", "/portal/v1/join", apptest.With(body, J{"store": "gone"}))
		got := together(4, func() int { return visit(t, a).send("POST", "/portal/v1/join", body).status })
		if got[201] != 1 {
			t.Errorf("four join with one code: %v", got)
		}
		if n := a.Number("SELECT COUNT(*) FROM member"); n != 1 {
			t.Fatalf("%d members", n)
		}
		var m struct {
			ID, Store, Source, Name string
			Identifiers             []struct {
				VerifiedAt *time.Time `json:"verified_at"`
			}
		}
		a.Get("/v1/members/email:guest@club.example").Into(&m)
		if m.Source != "portal" || m.Store == "" || m.Name != "Ann" || m.Identifiers[0].VerifiedAt == nil {
			t.Errorf("%+v", m)
		}
		if n := a.Number("SELECT COUNT(*) FROM consent WHERE source = 'portal' AND purpose = 'marketing' AND granted = 1 AND text_version = 1"); n == 0 {
			t.Error("no evidence of the consent")
		}
		a.Clock.Advance(time.Minute)
		challenge, code = g.ask(to)
		var in struct {
			New bool
			ID  string `json:"member_id"`
		}
		g.want(201, "", "POST", "/portal/v1/join", with(to, challenge, code)).into(&in)
		if in.New || in.ID != m.ID {
			t.Errorf("again: %+v", in)
		}
	})
}

// A brand can be read by everybody, and a picture is a picture.
func TestBrand(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *apptest.App) {
		for color, code := range map[string]string{"#FFD700": "program.contrast", "#777777": "program.contrast", "red": "program.color", "#12345G": "program.color"} {
			if p := a.Must(422, "PATCH", "/v1/program", J{"brand": J{"color": color}}).Problem(); p.Code != code {
				t.Errorf("%s: %s", color, p.Code)
			}
		}
		a.Must(200, "PATCH", "/v1/program", J{"brand": J{"color": "#767676", "tagline_en": "Tea, slowly"}})
		var picture bytes.Buffer
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
			t.Fatal(err)
		}
		kind := apptest.Header{Name: "Content-Type", Value: "image/png"}
		for name, body := range map[string][]byte{"svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "cut": picture.Bytes()[:20], "text": []byte("logo")} {
			if p := a.Must(422, "PUT", "/v1/program/logo", body, kind).Problem(); p.Code != "program.logo" {
				t.Errorf("%s: %s", name, p.Code)
			}
		}
		a.Must(413, "PUT", "/v1/program/logo", append(picture.Bytes(), make([]byte, program.MaxLogo)...), kind)
		a.Must(400, "PUT", "/v1/program/logo", []byte(`<svg/>`), apptest.Header{Name: "Content-Type", Value: "image/svg+xml"})
		g := visit(t, a)
		g.want(404, "program.no_logo", "GET", "/portal/v1/logo", nil)
		a.Must(200, "PUT", "/v1/program/logo", picture.Bytes(), kind)
		a.Must(200, "PATCH", "/v1/program", J{"brand": J{"color": "#612f4e"}})
		var p struct {
			Brand struct {
				Color string
				Logo  string `json:"logo_url"`
			}
		}
		g.get("/portal/v1/program", &p)
		if p.Brand.Color != "#612F4E" || p.Brand.Logo == "" {
			t.Fatalf("%+v", p)
		}
		r := g.send("GET", p.Brand.Logo, nil)
		if r.status != 200 || r.header.Get("Content-Type") != "image/png" || !bytes.Equal(r.body, picture.Bytes()) || !strings.Contains(r.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%d %v", r.status, r.header)
		}
		if again := g.send("GET", p.Brand.Logo, nil, "If-None-Match", r.header.Get("ETag")); again.status != 304 || len(again.body) != 0 {
			t.Errorf("again: %d", again.status)
		}
		var m struct {
			Name, Lang  string
			Theme_color string
			Icons       []struct{ Src, Sizes string }
		}
		g.get("/portal/v1/manifest?lang=en", &m) // a small logo would be refused as an icon
		if m.Name == "" || m.Lang != "en" || m.Theme_color != "#612F4E" || len(m.Icons) != 3 {
			t.Errorf("manifest with a small logo: %+v", m)
		}
		picture.Reset()
		if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 144, 144))); err != nil {
			t.Fatal(err)
		}
		a.Must(200, "PUT", "/v1/program/logo", picture.Bytes(), kind)
		g.get("/portal/v1/manifest?lang=zh-CN", &m)
		if m.Lang != "zh-CN" || len(m.Icons) != 1 || m.Icons[0].Sizes != "144x144" || !strings.Contains(m.Icons[0].Src, "/portal/v1/logo") {
			t.Errorf("manifest with a logo: %+v", m)
		}
		a.Must(204, "DELETE", "/v1/program/logo", nil)
		g.want(404, "program.no_logo", "GET", "/portal/v1/logo", nil)
	})
}

// keeping is a log that several goroutines write to.
type keeping struct {
	sync.Mutex
	bytes.Buffer
}

func (k *keeping) Write(b []byte) (int, error) {
	k.Lock()
	defer k.Unlock()
	return k.Buffer.Write(b)
}

// No code, phone, address or cookie lies in the database or in a log of any level.
func TestCanary(t *testing.T) {
	t.Parallel()
	for _, e := range dbtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			var logged keeping
			a := apptest.OpenAt(t, apptest.Setup{
				Database: dbtest.Options(t, e), Box: seal.Test(), Edit: demo, Log: slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}),
			})
			p := enrol(t, a, "13612345679", nil)
			a.Clock.Advance(time.Minute)
			challenge, code := p.ask(p.phone)
			visit(t, a).want(422, "portal.code", "POST", "/portal/v1/sign-in", with(p.phone, challenge, other(code)))
			g := visit(t, a)
			joining, second := g.ask(J{"email": "canary.guest@club.example"})
			g.want(201, "", "POST", "/portal/v1/join", with(J{"email": "canary.guest@club.example"}, joining, second))
			_, secret, _ := strings.Cut(p.cookie, ".")
			texts := []string{"+8613612345679", "13612345679", "canary.guest@club.example", challenge, joining, secret, `"` + code + `"`, `"` + second + `"`}
			canary.NoneInDatabase(t, a.DB, texts)
			if n := a.Number("SELECT COUNT(*) FROM portal_code WHERE length(code) = 16"); n != 1 { // the one that is not used yet
				t.Errorf("%d codes", n)
			}
			logged.Lock()
			defer logged.Unlock()
			canary.None(t, "log", logged.Bytes(), texts)
			if regexp.MustCompile(`\b(` + code + `|` + second + `)\b`).Match(logged.Bytes()) {
				t.Error("a code lies in the log")
			}
			if !strings.Contains(logged.String(), "POST /portal/v1/codes") {
				t.Error("the test looks in the wrong place: the routes are not logged")
			}
		})
	}
}
