package reward_test

import (
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// Goods for points are paid at once, made ready, and handed over against the code, once.
func TestPickup(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 2, nil)
		m := w.rich(250)
		o := w.orders(m, r, nil)
		if o.Order.State != "paid" || o.Balances["points"] != 150 || o.Order.PickupCode == "" || w.left(r) != 1 {
			t.Fatalf("%+v, %d left", o, w.left(r))
		}
		if got := w.do(o.Order, "ready", nil); got.Order.State != "fulfilled" {
			t.Errorf("%+v", got)
		}
		w.Do("POST", "/v1/reward-orders/pickup", J{"code": "ABCD-EFGH-JKLMN"}).Refused(404, "reward.pickup")
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/ship", J{"carrier": "SF"}).Refused(422, "reward.way")
		var got ordered
		w.Must(200, "POST", "/v1/reward-orders/pickup?dry_run=true", J{"code": o.Order.PickupCode}).Into(&got)
		w.Must(200, "POST", "/v1/reward-orders/pickup", J{"code": " " + o.Order.PickupCode[:4] + o.Order.PickupCode[5:]}).Into(&got)
		if got.Order.State != "done" {
			t.Errorf("%+v", got)
		}
		w.Do("POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode}).Refused(409, "reward.step")
		if one := w.order(o.Order.ID); one.steps() != "paid ready picked_up" || one.PickupCode != "" {
			t.Errorf("%s, code %q", one.steps(), one.PickupCode)
		}
		w.refused(409, "ledger.insufficient", w.rich(99), r, nil)
		if w.left(r) != 1 {
			t.Error("who could not pay took of the stock")
		}
		w.orders(m, r, nil)
		w.refused(409, "reward.sold_out", w.rich(100), r, nil)
	})
}

// Money on top: points and stock are held until it is paid. In time it is the whole price, and
// once; late, everything has gone back by itself.
func TestMoney(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("set", 1, J{"hold_minutes": 10, "limits": J{"ever": 1}, "prices": []J{{"currency": "points", "points": 500, "least": 100, "step": 100, "worth": 1500, "money": 50}}})
		m := w.rich(300)
		w.refused(422, "reward.share", m, r, J{"points": 150})
		w.refused(409, "ledger.insufficient", m, r, nil)
		o := w.orders(m, r, J{"points": 200})
		// (500 − 200) × 1.5 = 450 fen, and 50 in any case
		if o.Order.State != "held" || o.Order.Money.Amount != 500 || o.Balances["points"] != 100 || w.Wallet(m).Held != 200 || w.left(r) != 0 {
			t.Fatalf("%+v", o)
		}
		w.refused(409, "reward.sold_out", w.rich(900), r, J{"points": 100})
		pay := func(amount int64, ref string) J {
			return J{"payment": J{"kind": "wechat", "reference": ref, "amount": amount, "currency": "CNY"}}
		}
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/pay", pay(499, "A")).Refused(422, "reward.money")
		w.Do("POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode}).Refused(409, "reward.unpaid")
		var seen ordered
		w.Must(200, "POST", "/v1/reward-orders/pickup?dry_run=true", J{"code": o.Order.PickupCode}).Into(&seen)
		if seen.Order.State != "held" || seen.Order.Money.Amount != o.Order.Money.Amount {
			t.Errorf("a look at an unpaid order shows %+v", seen.Order)
		}
		w.Pass(11 * time.Minute)
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/pay", pay(500, "A")).Refused(409, "reward.late")
		if one := w.order(o.Order.ID); one.State != "cancelled" || !one.Lapsed {
			t.Errorf("before the sweep: %+v", one)
		}
		if w.points(m) != 300 || w.left(r) != 1 {
			t.Errorf("%d points, %d left", w.points(m), w.left(r))
		}
		w.after(0)
		if one := w.order(o.Order.ID); one.steps() != "held unpaid" {
			t.Errorf("after it: %s", one.steps())
		}
		w.Verify()

		o = w.orders(m, r, J{"points": 300})
		if o.Order.Money.Amount != 350 {
			t.Errorf("%+v", o.Order)
		}
		paid := w.do(o.Order, "pay", pay(350, "B"))
		if paid.Order.State != "paid" || w.Wallet(m).Held != 0 || w.Wallet(m).Spent != 300 {
			t.Errorf("%+v, %+v", paid, w.Wallet(m))
		}
		if again := w.do(o.Order, "pay", pay(350, "B")); again.Order.State != "paid" {
			t.Errorf("%+v", again)
		}
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/pay", pay(350, "C")).Refused(409, "reward.paid")
		w.Verify()
		back := w.do(o.Order, "cancel", J{"reason": "test"})
		if back.Refund == nil || back.Refund.Amount != 350 || back.Balances["points"] != 300 || w.left(r) != 1 {
			t.Errorf("%+v", back)
		}
		w.Verify()
		o = w.orders(m, r, J{"points": 100}) // the limit counts what was not cancelled
		out := ordered{}
		w.Must(200, "POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode, "payment": pay(650, "D")["payment"]}).Into(&out)
		if out.Order.State != "done" || out.Order.Money.Amount != 650 {
			t.Errorf("%+v", out)
		}
		w.refused(409, "reward.limit", m, r, J{"points": 100})
	})
}

// A cancelled order gives points back to the lots that they came from, at their first expiry.
func TestBackToItsLots(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 0, nil)
		m := w.Member()
		for _, until := range []string{"2026-04-01", "2026-05-01"} {
			w.Post("/v1/members/"+m+"/earnings", J{"currency": "points", "amount": 70, "reason": "x", "source": "x", "document": until, "expires_at": until})
		}
		expiring := func() (out []string) {
			for _, e := range w.Wallet(m).Expiring {
				out = append(out, e.ExpiresAt[:10]+" "+string(rune('0'+e.Amount/10)))
			}
			return out
		}
		before := expiring()
		o := w.orders(m, r, nil)
		if w.points(m) != 40 {
			t.Fatal(w.points(m))
		}
		w.do(o.Order, "cancel", J{"reason": "x"})
		if got := expiring(); len(got) != 2 || got[0] != before[0] || got[1] != before[1] {
			t.Errorf("%v, were %v", got, before)
		}
		o = w.orders(m, r, nil)
		w.Must(200, "POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode})
		w.do(o.Order, "return", J{"reason": "broken"})
		if got := expiring(); len(got) != 2 || got[0] != before[0] || w.order(o.Order.ID).State != "returned" {
			t.Errorf("%v, were %v", got, before)
		}
		o = w.orders(m, r, nil)
		w.Pass(30 * 24 * time.Hour) // past the first lot's end
		w.do(o.Order, "cancel", J{"reason": "x"})
		if w.points(m) != 70 {
			t.Errorf("%d points came back to life", w.points(m)-70)
		}
	})
}

// A missed deadline gives the points back, or keeps them; the goods go back to stock.
func TestDeadline(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		for _, tt := range []struct {
			lapse string
			want  int64
			kept  bool
		}{{"return", 100, false}, {"keep", 0, true}} {
			r := w.reward("r-"+tt.lapse, 1, J{"pickup_days": 2, "lapse": tt.lapse})
			m := w.rich(100)
			o := w.orders(m, r, nil)
			if o.Order.ExpiresAt == nil || !o.Order.ExpiresAt.Equal(time.Date(2026, 3, 12, 16, 0, 0, 0, time.UTC)) && tt.lapse == "return" { // midnight in Shanghai
				t.Fatalf("until %v", o.Order.ExpiresAt)
			}
			w.Pass(o.Order.ExpiresAt.Add(-time.Millisecond).Sub(w.Clock.Now()))
			w.after(0)
			if one := w.order(o.Order.ID); one.State != "paid" {
				t.Errorf("%s: in the last instant: %s", tt.lapse, one.State)
			}
			w.Pass(time.Millisecond)
			w.Do("POST", "/v1/reward-orders/pickup", J{"code": o.Order.PickupCode}).Refused(409, "reward.late")
			w.after(0)
			w.after(0)
			one := w.order(o.Order.ID)
			if one.State != "cancelled" || !one.Lapsed || one.Kept != tt.kept || w.points(m) != tt.want || w.left(r) != 1 {
				t.Errorf("%s: %+v, %d points, %d left", tt.lapse, one, w.points(m), w.left(r))
			}
		}
	})
}

// Shipped goods have a sealed address, a carrier and a number, and arrive.
func TestShipping(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("box", 0, J{"ways": []string{"ship", "pickup"}})
		m := w.rich(300)
		to := J{"name": "王小明", "phone": "12011112222", "line": "上海市静安区茶馆路 1 号"}
		w.refused(422, "reward.address", m, r, nil)
		w.refused(422, "reward.address", m, r, J{"way": "pickup", "address": to})
		o := w.orders(m, r, J{"address": to})
		if o.Order.PickupCode != "" {
			t.Errorf("%+v", o.Order)
		}
		if n := w.Number("SELECT COUNT(*) FROM reward_order WHERE length(address) > 20"); n != 1 {
			t.Errorf("%d addresses are kept", n)
		}
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/deliver", nil).Refused(409, "reward.step")
		w.do(o.Order, "ship", J{"carrier": "SF", "tracking": "1"})
		w.do(o.Order, "ship", J{"carrier": "SF", "tracking": "12"})
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/cancel", J{"reason": "x"}).Refused(409, "reward.step")
		w.do(o.Order, "deliver", nil)
		one := w.order(o.Order.ID)
		if one.State != "done" || one.Tracking != "12" || one.Address == nil || one.Address.Line != to["line"] || one.steps() != "paid shipped shipped delivered" {
			t.Errorf("%+v", one)
		}
		var list struct{ Items []order }
		w.Get("/v1/reward-orders").Into(&list)
		if len(list.Items) != 1 || list.Items[0].Address != nil {
			t.Errorf("a list shows addresses: %+v", list)
		}
	})
}

// Codes of third parties are handed out one by one; staff see their end, the member all of it.
func TestCodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("film", 0, J{"kind": "code"})
		text := apptest.Header{Name: "Content-Type", Value: "text/plain"}
		var added struct{ Added, Known, Left int64 }
		w.Must(200, "POST", "/v1/rewards/"+r+"/codes", []byte("FILM-0001\n\nFILM-0002\r\nFILM-0001\n"), text).Into(&added)
		if added.Added != 2 || added.Known != 1 || added.Left != 2 {
			t.Fatalf("%+v", added)
		}
		w.Must(200, "POST", "/v1/rewards/"+r+"/codes", []byte("FILM-0002"), text).Into(&added)
		if added.Added != 0 || added.Left != 2 {
			t.Fatalf("%+v", added)
		}
		m, do := w.signedIn("13912345678")
		w.Give(m, 1000)
		var o ordered
		do("POST", "reward-orders", J{"reward": r}).Into(&o)
		if o.Order.State != "done" || o.Order.GiftCode != "FILM-0001" {
			t.Fatalf("%+v", o)
		}
		var again order
		do("GET", "reward-orders/"+o.Order.ID, nil).Into(&again)
		if again.GiftCode != "FILM-0001" || again.History[0].Actor != "" {
			t.Errorf("%+v", again)
		}
		if one := w.order(o.Order.ID); one.GiftCode != "" || one.GiftEnd != "0001" {
			t.Errorf("%+v", one)
		}
		w.Do("POST", "/v1/reward-orders/"+o.Order.ID+"/return", J{"reason": "x"}).Refused(409, "reward.no_return")
		if two := w.orders(w.rich(100), r, nil); two.Order.GiftEnd != "0002" {
			t.Errorf("%+v", two)
		}
		w.refused(409, "reward.sold_out", m, r, nil)
		if n := w.Number("SELECT COUNT(*) FROM reward_code WHERE code LIKE '%FILM%'"); n != 0 {
			t.Error("codes lie open in the database")
		}
	})
}

// The price is that of the first option that holds, and no other wallet is tried.
func TestPrices(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		w.Post("/v1/currencies", J{"code": "coins", "name_en": "Coins", "kind": "points", "policy": J{"decimals": 0}})
		r := w.reward("cup", 0, J{"prices": []J{
			{"currency": "points", "points": 30, "until": "2026-03-11"},
			{"condition": `"vip" in member.tags`, "currency": "coins", "points": 5},
			{"currency": "points", "points": 100},
		}})
		m := w.rich(1000)
		shelf := func() (v struct {
			Items []struct {
				State, Code   string
				Missing, Left int64
				Price         struct {
					Currency string
					Points   int64
					Usual    int64 `json:"usual_points"`
				}
			}
		}) {
			w.Get("/v1/members/" + m + "/rewards").Into(&v)
			return v
		}
		if s := shelf(); len(s.Items) != 1 || s.Items[0].Price.Points != 30 || s.Items[0].Price.Usual != 100 || s.Items[0].State != "open" {
			t.Fatalf("%+v", s)
		}
		if o := w.orders(m, r, nil); o.Order.Points != 30 {
			t.Errorf("%+v", o)
		}
		w.Pass(24 * time.Hour)
		if o := w.orders(m, r, nil); o.Order.Points != 100 {
			t.Errorf("%+v", o)
		}
		w.Must(200, "POST", "/v1/members/"+m+"/tags", J{"add": []string{"vip"}})
		w.refused(409, "ledger.insufficient", m, r, nil)
		if s := shelf(); s.Items[0].State != "short" || s.Items[0].Missing != 5 || s.Items[0].Price.Currency != "coins" {
			t.Errorf("%+v", s)
		}
		v := w.Must(200, "PUT", "/v1/rewards/"+r, J{"name_en": "Cup", "kind": "goods", "prices": []J{{"currency": "points", "points": 1}}})
		var now struct{ Version int64 }
		v.Into(&now)
		w.refused(409, "reward.price", m, r, J{"version": now.Version - 1})
		w.orders(m, r, J{"version": now.Version})
	})
}

// One source and document stand for one order, whatever the key.
func TestNaturalKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 5, nil)
		m := w.rich(1000)
		a := w.orders(m, r, J{"source": "shop", "document": "1"})
		b := w.orders2(m, r, J{"source": "shop", "document": "1"})
		if a.Order.ID != b.Order.ID || w.points(m) != 900 || w.left(r) != 4 {
			t.Errorf("%s and %s, %d points", a.Order.ID, b.Order.ID, w.points(m))
		}
		w.refused(409, "reward.document", w.rich(100), r, J{"source": "shop", "document": "1"})
	})
}

// orders2 is an order that was sent before.
func (w world) orders2(member, reward string, edits J) (o ordered) {
	w.t.Helper()
	w.Must(200, "POST", "/v1/members/"+member+"/reward-orders", apptest.With(J{"reward": reward}, edits)).Into(&o)
	return o
}

// An order stays with whom it was made for, and who survives a merge has it; its points come
// back to them.
func TestMerge(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 3, nil)
		one, two := w.rich(100), w.rich(150)
		a, b := w.orders(one, r, nil), w.orders(two, r, nil)
		w.Must(200, "POST", "/v1/members/"+one+"/merge", J{"into": two})
		var list struct{ Items []order }
		w.Get("/v1/members/" + two + "/reward-orders").Into(&list)
		if len(list.Items) != 2 || list.Items[0].MemberID != two || list.Items[1].MemberID != two {
			t.Fatalf("%+v", list)
		}
		if got := w.do(a.Order, "cancel", J{"reason": "x"}); got.Balances["points"] != 150 {
			t.Errorf("%+v", got)
		}
		if got := w.do(b.Order, "cancel", J{"reason": "x"}); got.Balances["points"] != 250 {
			t.Errorf("%+v", got)
		}
		if o := w.orders(one, r, nil); o.Order.MemberID != two {
			t.Errorf("%+v", o)
		}
	})
}

// A limit of a member counts what the records ordered that were merged into them; what is
// cancelled counts no more, whoever ordered it.
func TestMergedLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		r := w.reward("tin", 9, J{"limits": J{"ever": 2, "day": 2}})
		one, two := w.rich(500), w.rich(500)
		a := w.orders(one, r, nil)
		w.orders(two, r, nil)
		w.Must(200, "POST", "/v1/members/"+one+"/merge", J{"into": two})
		w.refused(409, "reward.limit", two, r, nil)
		w.do(a.Order, "cancel", J{"reason": "test"})
		w.orders(two, r, nil)
		w.refused(409, "reward.limit", two, r, nil)
		w.Must(200, "POST", "/v1/members/"+one+"/unmerge", nil)
		w.orders(one, r, nil)
		w.refused(409, "reward.limit", two, r, nil)
		w.Verify()
	})
}
