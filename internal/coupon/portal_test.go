package coupon_test

import (
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// signedIn enrols a member by phone and signs them in at the portal.
func (w world) signedIn(phone string) (member string, do func(method, path string, body any) apptest.Response) {
	w.t.Helper()
	var m struct{ ID string }
	w.Post("/v1/members", J{"phone": phone}).Into(&m)
	demo := "phone:12000000001"
	if _, err := w.Program.ChangeSettings(w.Context(), program.SettingsChange{Demo: &demo}); err != nil {
		w.t.Fatal(err)
	}
	var asked struct{ Challenge string }
	var inbox struct{ Items []struct{ Code string } }
	w.Must(202, "POST", "/portal/v1/codes", J{"phone": phone}).Into(&asked)
	w.Get("/portal/v1/inbox").Into(&inbox)
	r := w.Post("/portal/v1/sign-in", J{"phone": phone, "challenge": asked.Challenge, "code": inbox.Items[0].Code})
	text, _, _ := strings.Cut(r.Header.Get("Set-Cookie"), ";")
	cookie := apptest.Header{Name: "Cookie", Value: text}
	return m.ID, func(method, path string, body any) apptest.Response {
		w.t.Helper()
		return w.Do(method, "/portal/v1/"+path, body, apptest.Header{Name: "Authorization"}, cookie, apptest.Language("zh-CN"))
	}
}

// own is a voucher as its holder sees it.
type own struct {
	Code, Name, State string
	CanGive           bool  `json:"can_give"`
	UsesLeft          int64 `json:"uses_left"`
	Token             string
}

// A member finds what they can claim, claims and pays, gives it away by a link that is good
// once, and takes one back; codes that are not there and those of others are answered alike.
func TestPortal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.coupon("hidden", nil)
		free := w.coupon("free", J{"listed": true, "transferable": true, "limits": J{"per_member": 1, "stock": 5}, "name_en": "Free", "name_zh": "免费券"})
		w.coupon("bought", J{"listed": true, "price": J{"currency": "points", "amount": 30}})
		w.coupon("not-me", J{"listed": true, "audience": `member.city == "nowhere"`})
		m, do := w.signedIn("13912345678")
		_, other := w.signedIn("13912345679")

		var centre struct {
			Items []struct {
				CouponCode string `json:"coupon_code"`
				Can        bool   `json:"can_claim"`
				Why        string
				StockLeft  *int64 `json:"stock_left"`
				Price      *struct{ Amount int64 }
			}
		}
		do("GET", "coupons", nil).Into(&centre)
		if len(centre.Items) != 2 || centre.Items[0].CouponCode != "bought" || centre.Items[0].Price.Amount != 30 || *centre.Items[1].StockLeft != 5 {
			t.Fatalf("%+v", centre)
		}
		do("POST", "coupons/bought/claim", nil).Refused(409, "ledger.insufficient")
		w.Give(m, 50)
		var v own
		do("POST", "coupons/bought/claim", nil).Into(&v)
		if v.State != "claimed" || v.Name != "满100减20" || w.Wallet(m).Available != 20 || v.CanGive {
			t.Errorf("%+v", v)
		}
		do("POST", "coupons/hidden/claim", nil).Refused(409, "coupon.not_claimable")
		do("POST", "coupons/not-me/claim", nil).Refused(409, "coupon.audience")
		do("POST", "coupons/"+free+"/claim", nil).Into(&v)
		do("POST", "coupons/"+free+"/claim", nil).Refused(409, "coupon.often")
		do("GET", "coupons", nil).Into(&centre)
		if last := centre.Items[1]; last.Can || last.Why != "coupon.often" || *last.StockLeft != 4 {
			t.Errorf("%+v", last)
		}
		var list struct{ Items []own }
		if do("GET", "vouchers", nil).Into(&list); len(list.Items) != 2 {
			t.Errorf("%+v", list)
		}

		unknown := other("GET", "vouchers/"+strings.Repeat("7", 14), nil).Problem()
		foreign := other("GET", "vouchers/"+v.Code, nil).Problem()
		if unknown.Code != "coupon.unknown" || foreign.Code != unknown.Code || foreign.Title != unknown.Title {
			t.Errorf("%+v and %+v", unknown, foreign)
		}
		other("POST", "vouchers", J{"code": v.Code}).Refused(404, "coupon.unknown")

		var g own
		do("POST", "vouchers/"+v.Code+"/gift", nil).Into(&g)
		if g.State != "gifting" || g.Token == "" {
			t.Fatalf("%+v", g)
		}
		first := g.Token
		do("POST", "vouchers/"+v.Code+"/gift", nil).Into(&g)
		other("POST", "voucher-gifts/"+first+"/accept", nil).Refused(404, "coupon.gift")
		do("POST", "voucher-gifts/"+g.Token+"/accept", nil).Refused(409, "coupon.own_gift")
		do("DELETE", "vouchers/"+v.Code+"/gift", nil).Into(&own{})
		other("POST", "voucher-gifts/"+g.Token+"/accept", nil).Refused(404, "coupon.gift")
		do("POST", "vouchers/"+v.Code+"/gift", nil).Into(&g)
		var shown struct {
			Name string
			Own  bool
		}
		if other("GET", "voucher-gifts/"+g.Token, nil).Into(&shown); shown.Name != "免费券" || shown.Own {
			t.Errorf("%+v", shown)
		}
		if other("POST", "voucher-gifts/"+g.Token+"/accept", nil).Into(&g); g.State != "claimed" {
			t.Errorf("%+v", g)
		}
		other("POST", "voucher-gifts/"+g.Token+"/accept", nil)
		do("GET", "vouchers/"+v.Code, nil).Refused(404, "coupon.unknown")
		for range 20 {
			if r := other("GET", "vouchers/"+strings.Repeat("5", 14), nil); r.Status == 429 {
				w.Verify()
				return
			}
		}
		t.Error("who guesses is not slowed down")
	})
}

// A printed voucher is added by whoever has its code; whose it is then cannot be taken.
func TestPrinted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.coupon("paper", J{"limits": J{"stock": 30, "per_member": 1}})
		b := w.print(id, J{"count": 40, "pattern": "TEA-####-####", "name": "flyer"})
		if b.State != "done" || b.Issued != 30 || b.Refused != 10 {
			t.Fatalf("%+v", b)
		}
		w.Do("POST", "/v1/coupons/"+id+"/batches", J{"count": 41, "name": "flyer"}).Refused(409, "coupon.name_taken")
		w.Do("POST", "/v1/coupons/"+id+"/batches", J{"count": 40, "pattern": "#", "name": "short"}).Refused(422, "coupon.pattern")
		lines := strings.Split(strings.TrimSpace(string(w.Get("/v1/coupon-batches/"+b.ID+"/codes").Body)), "\n")
		if len(lines) != 31 || !strings.HasPrefix(lines[1], "TEA") {
			t.Fatalf("%d lines: %s", len(lines), lines[:2])
		}
		code, _, _ := strings.Cut(lines[1], ",")
		_, do := w.signedIn("13912345678")
		_, other := w.signedIn("13912345679")
		var v own
		if do("POST", "vouchers", J{"code": strings.ToLower(code[:7] + " " + code[7:])}).Into(&v); v.State != "claimed" {
			t.Errorf("%+v", v)
		}
		do("POST", "vouchers", J{"code": code}).Into(&v) // theirs already: the same answer
		other("POST", "vouchers", J{"code": code}).Refused(404, "coupon.unknown")
		second, _, _ := strings.Cut(lines[2], ",")
		do("POST", "vouchers", J{"code": second}).Refused(409, "coupon.often")
		w.Drain()
		var f struct{ Issued, Claimed int64 }
		if w.Get("/v1/coupons/" + id + "/figures").Into(&f); f.Issued != 30 || f.Claimed != 1 {
			t.Errorf("%+v", f)
		}
	})
}
