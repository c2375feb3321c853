package till_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// shop is a program whose points are worth a fen each.
type shop struct {
	*apptest.App
	t testing.TB
}

func shops(t *testing.T, fn func(t *testing.T, w shop)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, a *apptest.App) {
		a.Policy(func(p *ledger.Policy) { p.UnitValue = 1_000_000 })
		fn(t, shop{a, t})
	})
}

func (w shop) coupon(code string, terms J) string {
	w.t.Helper()
	var c struct{ ID string }
	w.Post("/v1/coupons", apptest.With(J{"code": code, "name_en": code, "name_zh": code}, terms)).Into(&c)
	w.Must(200, "POST", "/v1/coupons/"+c.ID+"/publish", nil)
	return c.ID
}

func (w shop) give(coupon, member string) string {
	w.t.Helper()
	var v struct{ Code string }
	w.Post("/v1/coupons/"+coupon+"/vouchers", J{"member": member}).Into(&v)
	return v.Code
}

func (w shop) voucher(code string) (state string) {
	w.t.Helper()
	var v struct{ State string }
	w.Get("/v1/vouchers/" + code).Into(&v)
	return v.State
}

type counts struct{ Issued, Used, Held, Off int64 }

func (w shop) counts(id string) counts {
	w.t.Helper()
	var c struct{ Counts counts }
	w.Get("/v1/coupons/" + id).Into(&c)
	return c.Counts
}

// quote is a checkout as the API tells.
type quote struct {
	ID, State        string
	ExpiresAt        time.Time `json:"expires_at"`
	SaleID           string    `json:"sale_id"`
	Total, Off, Paid int64
	ToPay            int64 `json:"to_pay"`
	Lines            []struct{ Line, Amount, Off, Pay int64 }
	Coupons          []struct {
		Code string
		Off  int64
	}
	LeftOut []struct {
		Code, Why string
		Named     bool
		More      int64
	} `json:"left_out"`
	Better *struct {
		Off   int64
		Codes []string
	}
	Spends []struct {
		Amount, Worth int64
		HoldID        string `json:"hold_id"`
	}
	Payable []struct{ Available, Least, Most, Step, Worth int64 }
	Earns   []struct{ Amount int64 }
}

func (w shop) quote(body J, more ...apptest.Header) (q quote) {
	w.t.Helper()
	w.Post("/v1/checkouts", body, more...).Into(&q)
	return q
}

func basket(member string, amounts ...int64) J {
	var lines []J
	for i, n := range amounts {
		lines = append(lines, apptest.Line(i+1, 1, n))
	}
	b := J{"lines": lines}
	if member != "" {
		b["member"] = member
	}
	return b
}

// A basket of three lines with three coupons and points, and then one line of it comes back. The
// arithmetic is done here by hand: 120 + 60 + 20 = 200 yuan. Ten per cent off everything takes
// 12 + 6 + 2; 20 yuan off from 100 are shared over 108 + 54 + 18 as 12 + 6 + 2; half price on the
// cheapest takes 8 off the third line, of which 16 are left. 152 are left to pay; 2,000 points
// pay 20 of them.
func TestCheckout(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m := w.Member()
		w.Give(m, 5000)
		ten := w.coupon("ten", J{"effect": J{"kind": "percent", "percent": 1000}, "stack": J{"order": 1}})
		twenty := w.coupon("twenty", J{"effect": J{"kind": "amount", "amount": 2000}, "minimum": J{"amount": 10000}, "stack": J{"order": 2}, "limits": J{"budget": 100000}})
		half := w.coupon("half", J{"effect": J{"kind": "percent", "percent": 5000, "per": "cheapest"}, "stack": J{"order": 3, "class": "best"}})
		codes := []string{w.give(ten, m), w.give(twenty, m), w.give(half, m)}
		q := w.quote(apptest.With(basket(m, 12000, 6000, 2000), J{"coupons": codes, "spend": []J{{"currency": "points", "amount": 2000}}}))
		if q.Total != 20000 || q.Off != 4800 || q.Paid != 2000 || q.ToPay != 13200 || q.State != "open" || len(q.LeftOut) != 0 || q.Better != nil {
			t.Fatalf("%+v", q)
		}
		for i, want := range []struct{ off, pay int64 }{{2400, 9600}, {1200, 4800}, {1200, 800}} {
			if l := q.Lines[i]; l.Off != want.off || l.Pay != want.pay {
				t.Errorf("line %d: %+v, want %+v", i+1, l, want)
			}
		}
		for i, want := range []int64{2000, 2000, 800} {
			if c := q.Coupons[i]; c.Code != codes[i] || c.Off != want {
				t.Errorf("coupon %d: %+v, want %d", i, c, want)
			}
		}
		if w.Wallet(m).Held != 2000 || w.counts(twenty).Held != 1 {
			t.Errorf("held: %+v, %+v", w.Wallet(m), w.counts(twenty))
		}
		w.Do("POST", "/v1/sales", w.Sale(J{"member": m, "coupons": codes[:1]})).Refused(409, "coupon.held")

		doc := J{"source": "till", "document": "C1", "payments": []J{{"kind": "cash", "amount": 13200}}}
		var sold struct {
			ID    string
			Total int64
			Taken []struct {
				Ref    string
				Amount int64
			} `json:"taken_off"`
			Points []struct{ Amount int64 }
		}
		first := w.Post("/v1/checkouts/"+q.ID+"/confirm", doc, apptest.Keyed("confirm"))
		first.Into(&sold)
		if sold.Total != 15200 || len(sold.Taken) != 3 || len(sold.Points) != len(q.Earns) || sold.Points[0].Amount != q.Earns[0].Amount || q.Earns[0].Amount != 152 {
			t.Errorf("sold %+v, quoted %+v", sold, q.Earns)
		}
		for _, key := range []string{"confirm", "another"} { // a retry, whatever became of its key
			if r := w.Post("/v1/checkouts/"+q.ID+"/confirm", doc, apptest.Keyed(key)); !r.Replayed() || string(r.Body) != string(first.Body) {
				t.Errorf("again: %s", r.Body)
			}
		}
		w.Do("POST", "/v1/checkouts/"+q.ID+"/confirm", apptest.With(doc, J{"document": "C2"})).Refused(409, "checkout.over")
		w.Do("POST", "/v1/checkouts/"+q.ID+"/release", J{}).Refused(409, "checkout.over")
		w.Get("/v1/checkouts/" + q.ID).Into(&q)
		if q.State != "confirmed" || q.SaleID != sold.ID {
			t.Errorf("%+v", q)
		}
		if got := w.Wallet(m); got.Held != 0 || got.Available != 3152 || w.voucher(codes[0]) != "redeemed" || w.counts(twenty) != (counts{Issued: 1, Used: 1, Off: 2000}) {
			t.Errorf("%+v %s %+v", got, w.voucher(codes[0]), w.counts(twenty))
		}

		// The second line comes back: 48 yuan, 48 points, 48 / 152 of the points that paid.
		var back struct {
			Total                int64
			ClawedBack, Restored []struct{ Amount int64 }
		}
		r := w.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R1", "at": w.Clock.Now().Format(time.RFC3339), "lines": []J{apptest.Back(2, 1)}})
		var raw struct {
			Total      int64
			ClawedBack []struct{ Amount int64 } `json:"clawed_back"`
			Restored   []struct{ Amount int64 }
		}
		r.Into(&raw)
		if back.Total = raw.Total; raw.Total != 4800 || raw.ClawedBack[0].Amount != 48 || raw.Restored[0].Amount != 2000*4800/15200 {
			t.Errorf("%s", r.Body)
		}
		if c := w.counts(twenty); c.Off != 1400 || c.Used != 1 || w.voucher(codes[1]) != "redeemed" {
			t.Errorf("after one line: %+v %s", c, w.voucher(codes[1]))
		}
		w.Post("/v1/sales/"+sold.ID+"/returns", J{"document": "R2", "at": w.Clock.Now().Format(time.RFC3339)})
		if c := w.counts(twenty); c.Off != 0 || c.Used != 0 || w.voucher(codes[1]) == "redeemed" {
			t.Errorf("after all of it: %+v %s", c, w.voucher(codes[1]))
		}
		if got := w.Wallet(m); got.Available != 5000 || got.Debt != 0 {
			t.Errorf("after all of it: %+v", got)
		}
		w.Verify()
	})
}

// A confirmation that comes late has one answer, and whatever was held can be used again at once.
func TestCheckoutLate(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m := w.Member()
		w.Give(m, 1000)
		c := w.coupon("ten", J{"effect": J{"kind": "percent", "percent": 1000}})
		code := w.give(c, m)
		body := apptest.With(basket(m, 10000), J{"coupons": []string{code}, "spend": []J{{"currency": "points", "amount": 500}}, "ttl_seconds": 30})
		q := w.quote(body)
		w.Clock.Advance(q.ExpiresAt.Sub(w.Clock.Now()) - time.Millisecond)
		if w.counts(c).Held != 1 {
			t.Error("let go before its time")
		}
		w.Clock.Advance(time.Millisecond)
		for i, key := range []string{"a", "a", "b"} {
			r := w.Do("POST", "/v1/checkouts/"+q.ID+"/confirm", J{"source": "till", "document": "L"}, apptest.Keyed(key))
			if r.Refused(409, "checkout.over"); i == 1 && !r.Replayed() {
				t.Error("the refusal was not kept")
			}
		}
		if w.Wallet(m).Available != 1000 || w.counts(c).Held != 0 {
			t.Errorf("%+v %+v", w.Wallet(m), w.counts(c))
		}
		w.Must(200, "POST", "/v1/checkouts/"+q.ID+"/release", J{}) // it is what was asked for
		again := w.quote(body)
		w.Post("/v1/checkouts/"+again.ID+"/confirm", J{"source": "till", "document": "L"})
		if w.voucher(code) != "redeemed" {
			t.Error("the voucher was not used")
		}
		w.Verify()
	})
}

// To change a checkout is one step: what the new one needs is free of what the old one held, and
// where it cannot be had the old one stands.
func TestCheckoutChanged(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m, other := w.Member(), w.Member()
		w.Give(m, 1000)
		c := w.coupon("ten", J{"effect": J{"kind": "percent", "percent": 1000}, "limits": J{"uses": 1}, "shared_code": "TEN10"})
		q := w.quote(apptest.With(basket(m, 10000), J{"coupons": []string{"TEN10"}, "spend": []J{{"currency": "points", "amount": 800}}}))
		var next quote
		w.Must(200, "POST", "/v1/checkouts/"+q.ID+"/change", apptest.With(basket(m, 20000), J{"coupons": []string{"ten10"}, "spend": []J{{"currency": "points", "amount": 900}}})).Into(&next)
		if next.ID != q.ID || next.Off != 2000 || next.Paid != 900 || w.Wallet(m).Held != 900 || w.counts(c).Held != 1 {
			t.Errorf("%+v %+v", next, w.Wallet(m))
		}
		w.Do("POST", "/v1/checkouts/"+q.ID+"/change", apptest.With(basket(m, 20000), J{"spend": []J{{"currency": "points", "amount": 1001}}})).Refused(409, "ledger.insufficient")
		w.Do("POST", "/v1/checkouts/"+q.ID+"/change", basket(other, 20000)).Refused(409, "checkout.member")
		if w.Wallet(m).Held != 900 || w.counts(c).Held != 1 {
			t.Errorf("a refused change changed something: %+v", w.Wallet(m))
		}
		if q := w.quote(apptest.With(basket(other, 10000), J{"coupons": []string{"TEN10"}})); q.Off != 0 || len(q.LeftOut) != 1 || !q.LeftOut[0].Named {
			t.Errorf("somebody else's: %+v", q)
		}
		w.Must(200, "POST", "/v1/checkouts/"+q.ID+"/release", J{})
		if w.Wallet(m).Held != 0 || w.counts(c).Held != 0 {
			t.Errorf("released: %+v", w.Wallet(m))
		}
		w.Do("POST", "/v1/checkouts/"+q.ID+"/change", basket(m, 20000)).Refused(409, "checkout.over")
		w.Do("GET", "/v1/checkouts/chk_none", nil).Refused(404, "checkout.unknown")
	})
}

// What may be used is suggested, and used where best is asked for; what is not is explained.
func TestBest(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m := w.Member()
		five := w.give(w.coupon("five", J{"effect": J{"kind": "amount", "amount": 500}, "stack": J{"class": "best"}}), m)
		nine := w.give(w.coupon("nine", J{"effect": J{"kind": "amount", "amount": 900}, "stack": J{"class": "best"}}), m)
		big := w.give(w.coupon("big", J{"effect": J{"kind": "amount", "amount": 9000}, "minimum": J{"amount": 50000}}), m)
		q := w.quote(apptest.With(basket(m, 10000), J{"coupons": []string{five, "N0SUCHC0DE"}}))
		if q.Off != 500 || q.Better == nil || q.Better.Off != 900 || !slices.Equal(q.Better.Codes, []string{nine}) {
			t.Errorf("%+v", q)
		}
		why := map[string]string{}
		for _, l := range q.LeftOut {
			why[l.Code] = l.Why
			if l.Code == big && l.More != 40000 {
				t.Errorf("%+v", l)
			}
		}
		if why[nine] != "not_asked" || why[big] != "threshold" || why["N0SVCHC0DE"] != "coupon.unknown" {
			t.Errorf("%+v", why)
		}
		best := w.quote(apptest.With(basket(m, 10000), J{"best": true}))
		if best.Off != 500 && best.Off != 900 { // the first quote holds five still
			t.Errorf("%+v", best)
		}
		if best.Off != 900 || best.Coupons[0].Code != nine {
			t.Errorf("best: %+v", best)
		}
	})
}

// Rules of a currency say how much of a basket it pays for.
func TestPayRules(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m, poor := w.Member(), w.Member()
		w.Give(m, 9000)
		w.Give(poor, 40)
		w.Policy(func(p *ledger.Policy) { p.Pay = ledger.Pay{Least: 100, Step: 50, MostPercent: 30, Most: 2500} })
		spend := func(n int64) J { return J{"spend": []J{{"currency": "points", "amount": n}}} }
		for _, tt := range []struct {
			name   string
			member string
			basket int64
			amount int64
			code   string
			most   int64
		}{
			{"the most percent", m, 5000, 1500, "", 1500},
			{"a step more", m, 5000, 1550, "checkout.spend", 0},
			{"between two steps", m, 5000, 1480, "checkout.spend", 0},
			{"too little", m, 5000, 50, "checkout.spend", 0},
			{"the most", m, 100_000, 2500, "", 2500},
			{"more than the most", m, 100_000, 2550, "checkout.spend", 0},
			{"more than there is", poor, 100_000, 100, "ledger.insufficient", 0},
			{"a basket too small", m, 300, 100, "checkout.spend_none", 0},
			{"nobody", "", 5000, 100, "checkout.no_member", 0},
		} {
			r := w.Do("POST", "/v1/checkouts?dry_run=true", apptest.With(basket(tt.member, tt.basket), spend(tt.amount)))
			if tt.code != "" {
				if p := r.Refused(r.Status, tt.code); p.Detail == "" && p.Title == "" {
					t.Error(tt.name)
				}
				continue
			}
			var q quote
			if r.Into(&q); q.Paid != tt.amount || q.Payable[0].Most != tt.most || q.Spends[0].HoldID == "" && w.Wallet(tt.member).Held != 0 {
				t.Errorf("%s: %s", tt.name, r.Body)
			}
		}
		if w.Wallet(m).Held != 0 {
			t.Error("a dry run held something")
		}
	})
}

// A sale that names coupons is a checkout in one step: all of them are used or none is, and the
// same document again gets the first answer though its coupon is used by then.
func TestCouponsOfSale(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		m := w.Member()
		ten := w.coupon("ten", J{"effect": J{"kind": "percent", "percent": 1000}})
		big := w.coupon("big", J{"effect": J{"kind": "amount", "amount": 9000}, "minimum": J{"amount": 50000}})
		a, b := w.give(ten, m), w.give(big, m)
		w.Do("POST", "/v1/sales", w.Sale(J{"member": m, "coupons": []string{a, b}})).Refused(409, "checkout.coupon")
		w.Do("POST", "/v1/sales", w.Sale(J{"member": m, "coupons": []string{a, "NOPE"}})).Refused(404, "coupon.unknown")
		w.Do("POST", "/v1/sales", w.Sale(J{"member": w.Member(), "coupons": []string{a}})).Refused(409, "coupon.foreign")
		if w.voucher(a) != "claimed" {
			t.Errorf("a refused sale used it: %s", w.voucher(a))
		}
		s := w.Sale(J{"member": m, "coupons": []string{a}})
		first := w.Post("/v1/sales", s)
		var sold struct{ Total int64 }
		if first.Into(&sold); sold.Total != 9000 {
			t.Errorf("%s", first.Body)
		}
		if r := w.Post("/v1/sales", s); !r.Replayed() || string(r.Body) != string(first.Body) {
			t.Errorf("again: %s", r.Body)
		}
		w.Do("POST", "/v1/sales", apptest.With(s, J{"coupons": []string{b}})).Refused(409, "sale.document_taken")
		w.Do("POST", "/v1/sales", w.Sale(J{"member": m, "coupons": []string{a}})).Refused(409, "coupon.used")

		// A till whose clock is behind takes what its customer claimed a moment ago, and a voucher of
		// another hour not before that.
		behind := func(by time.Duration, code string) J {
			return w.Sale(J{"member": m, "at": w.Clock.Now().Add(-by).Format(time.RFC3339Nano), "coupons": []string{code}})
		}
		w.Do("POST", "/v1/sales", behind(sale.MaxApart+time.Millisecond, w.give(ten, m))).Refused(409, "coupon.early")
		w.Post("/v1/sales", behind(sale.MaxApart, w.give(ten, m)))
		later := w.coupon("later", J{"effect": J{"kind": "amount", "amount": 100}, "valid": J{"wait_hours": 1}})
		soon := w.give(later, m)
		w.Pass(time.Hour)
		w.Do("POST", "/v1/sales", behind(time.Millisecond, soon)).Refused(409, "coupon.early")
		w.Post("/v1/sales", behind(0, soon))

		bearer := w.coupon("bearer", J{"effect": J{"kind": "amount", "amount": 300}, "bearer": true, "shared_code": "EVERY1"})
		nobody := w.Sale(J{"coupons": []string{"every1"}})
		r := w.Post("/v1/sales", nobody)
		var back struct{ ID string }
		if r.Into(&back); w.counts(bearer).Used != 1 || w.counts(bearer).Off != 300 {
			t.Errorf("nobody's: %s %+v", r.Body, w.counts(bearer))
		}
		w.Post("/v1/sales/"+back.ID+"/returns", J{"document": "RN", "at": w.Clock.Now().Format(time.RFC3339)})
		if w.counts(bearer) != (counts{}) {
			t.Errorf("nobody's return: %+v", w.counts(bearer))
		}
		w.Verify()
	})
}

// Of a confirmation and a release that race, one comes first: never both, never neither. Of
// many confirmations under numbers of their own, one makes the sale.
func TestCheckoutRace(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		c := w.coupon("race", J{"effect": J{"kind": "amount", "amount": 100}})
		for range 8 {
			m := w.Member()
			w.Give(m, 500)
			code := w.give(c, m)
			q := w.quote(apptest.With(basket(m, 10000), J{"coupons": []string{code}, "spend": []J{{"currency": "points", "amount": 500}}}))
			n, _, _ := 12, 0, 0
			results := make([]int, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					if i%4 == 3 {
						results[i] = -w.Do("POST", "/v1/checkouts/"+q.ID+"/release", J{}).Status
						return
					}
					results[i] = w.Do("POST", "/v1/checkouts/"+q.ID+"/confirm", J{"source": "till", "document": q.ID[4:] + string(rune('a'+i))}).Status
				})
			}
			wg.Wait()
			sales, let := 0, 0
			for _, r := range results {
				switch r {
				case 201:
					sales++
				case -200:
					let++
				case 409, -409:
				default:
					t.Errorf("answered %d", r)
				}
			}
			used := w.voucher(code) == "redeemed"
			if got := w.Wallet(m); sales > 1 || sales == 1 && let > 0 || (sales == 1) != used || got.Held != 0 || (got.Spent == 500) != used {
				t.Fatalf("%d sales, %d let go, used %v, %+v", sales, let, used, got)
			}
		}
		w.Verify()
	})
}

// Whatever is quoted, changed, confirmed, released, left to lapse and returned, nothing is lost
// and nothing is used twice: in the end, with all sales returned, everything is as it was.
func TestCheckoutLaw(t *testing.T) {
	t.Parallel()
	shops(t, func(t *testing.T, w shop) {
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			m := w.Member()
			w.Give(m, 3000)
			c := w.coupon("law-"+m[4:16]+string(rune('a'+n%26)), J{"effect": J{"kind": "percent", "percent": 1500}, "limits": J{"budget": 100000, "uses": 3}})
			codes := []string{w.give(c, m), w.give(c, m), w.give(c, m)}
			var open []quote
			var sold []string
			for i := range rapid.IntRange(1, 7).Draw(rt, "steps") {
				amounts := rapid.SliceOfN(rapid.Int64Range(0, 20000), 1, 4).Draw(rt, "lines")
				body := apptest.With(basket(m, amounts...), J{"coupons": codes[:rapid.IntRange(0, 3).Draw(rt, "coupons")], "ttl_seconds": 60})
				if p := rapid.Int64Range(0, 1500).Draw(rt, "points"); p > 0 {
					body["spend"] = []J{{"currency": "points", "amount": p}}
				}
				what := rapid.SampledFrom([]string{"open", "change", "confirm", "confirm", "release", "wait"}).Draw(rt, "what")
				at := 0
				if what != "open" && what != "wait" {
					if len(open) == 0 {
						continue
					}
					at = rapid.IntRange(0, len(open)-1).Draw(rt, "which")
				}
				switch what {
				case "open":
					var q quote
					if r := w.Do("POST", "/v1/checkouts", body); r.Status == 201 {
						r.Into(&q)
						open = append(open, q)
						check(rt, q)
					}
				case "change":
					var q quote
					if r := w.Do("POST", "/v1/checkouts/"+open[at].ID+"/change", body); r.Status == 200 {
						r.Into(&q)
						check(rt, q)
					}
				case "confirm":
					var s struct{ ID string }
					if r := w.Do("POST", "/v1/checkouts/"+open[at].ID+"/confirm", J{"source": "law", "document": open[at].ID + string(rune('a'+i))}); r.Status == 201 {
						r.Into(&s)
						sold = append(sold, s.ID)
					}
				case "release":
					w.Do("POST", "/v1/checkouts/"+open[at].ID+"/release", J{})
				case "wait":
					w.Pass(time.Duration(rapid.IntRange(1, 80).Draw(rt, "seconds")) * time.Second)
				}
			}
			for i, s := range sold {
				w.Post("/v1/sales/"+s+"/returns", J{"document": s[4:] + "R" + string(rune('a'+i)), "at": w.Clock.Now().Format(time.RFC3339)})
			}
			w.Pass(2 * time.Minute)
			if got, left := w.Wallet(m), w.counts(c); got.Available != 3000 || got.Held != 0 || got.Debt != 0 || left != (counts{Issued: 3}) {
				rt.Fatalf("%+v %+v after %d sales", got, left, len(sold))
			}
		})
		w.Verify()
	})
}

// check is what every quote keeps to.
func check(t *rapid.T, q quote) {
	var off, pay, by int64
	for _, l := range q.Lines {
		if l.Pay < 0 || l.Off < 0 || l.Amount != l.Off+l.Pay {
			t.Fatalf("%+v", l)
		}
		off, pay = off+l.Off, pay+l.Pay
	}
	for _, c := range q.Coupons {
		by += c.Off
	}
	if off != q.Off || by != q.Off || pay != q.Total-q.Off || q.ToPay != pay-q.Paid || q.ToPay < 0 {
		t.Fatalf("%+v", q)
	}
}
