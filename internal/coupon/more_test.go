package coupon_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

// batch is a job for many, as the API tells.
type batch struct {
	ID, State              string
	Total, Issued, Refused int64
	Passed                 int64 `json:"passed_over"`
	Looked                 int64 `json:"looked_at"`
}

func (w world) print(coupon string, body J) batch {
	w.t.Helper()
	var b batch
	w.Must(202, "POST", "/v1/coupons/"+coupon+"/batches", body).Into(&b)
	return w.ended("/v1/coupon-batches/" + b.ID)
}

func (w world) send(coupon string, body J) batch {
	w.t.Helper()
	var b batch
	w.Must(202, "POST", "/v1/coupons/"+coupon+"/send", body).Into(&b)
	return w.ended("/v1/coupon-sendings/" + b.ID)
}

func (w world) ended(path string) (b batch) {
	w.t.Helper()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(2 * time.Millisecond) {
		if w.Get(path).Into(&b); b.State != "filling" && b.State != "running" {
			return b
		}
	}
	w.t.Fatalf("the job does not end: %+v", b)
	return b
}

// A sending reaches each member once, whoever else is named; limits and conditions hold; sent
// again under one name it does nothing.
func TestSend(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		var members []string
		for range 12 {
			members = append(members, w.Member())
		}
		all := w.coupon("all", J{"limits": J{"per_member": 1}})
		b := w.send(all, J{"all": true, "name": "once"})
		if b.State != "done" || b.Issued != 12 || b.Looked != 12 {
			t.Fatalf("%+v", b)
		}
		again := w.send(all, J{"all": true, "name": "once"})
		if again.ID != b.ID || w.counts(all).Issued != 12 {
			t.Errorf("%+v", again)
		}
		if b = w.send(all, J{"all": true, "name": "twice"}); b.Issued != 0 || b.Refused != 12 {
			t.Errorf("%+v", b)
		}
		some := w.coupon("some", J{"limits": J{"stock": 5}})
		if b = w.send(some, J{"members": append(members[:6:6], members[0])}); b.Issued != 5 || b.Refused != 2 {
			t.Errorf("%+v", b)
		}
		w.Give(members[3], 500)
		rich := w.coupon("rich", nil)
		if b = w.send(rich, J{"condition": `member.points("points") >= 500`}); b.Issued != 1 || b.Passed != 11 {
			t.Errorf("%+v", b)
		}
		var list struct{ Items []voucher }
		w.Get("/v1/members/" + members[3] + "/vouchers").Into(&list)
		if len(list.Items) != 3 || list.Items[0].Origin != "sending" {
			t.Errorf("%+v", list)
		}
		w.Do("POST", "/v1/coupons/"+all+"/send", J{"all": true, "members": members}).Refused(422, "coupon.whom")
		w.Verify()
	})
}

// A purchase gives a voucher for a next time; what is returned of it takes that back once too
// little is left, but not what was used.
func TestFromSale(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.coupon("next", J{"from_sale": J{"amount": 5000}, "valid": J{"days": 7}, "limits": J{"stock": 3}})
		m := w.Member()
		has := func() int {
			var list struct{ Items []voucher }
			w.Get("/v1/members/" + m + "/vouchers").Into(&list)
			return len(list.Items)
		}
		buy := func(amount int64) string {
			s := w.Sale(J{"member": m, "total": amount, "lines": []J{apptest.Line(1, 10, amount)}})
			w.Post("/v1/sales", s)
			return s["document"].(string)
		}
		buy(4999)
		if has() != 0 {
			t.Fatal("too small a purchase gave one")
		}
		doc := buy(8000)
		if has() != 1 {
			t.Fatal("it gave none")
		}
		w.Post("/v1/returns", w.Return(doc, J{"lines": []J{apptest.Back(1, 3)}}))
		if has() != 1 { // 56 yuan are left
			t.Error("it was taken back too soon")
		}
		w.Post("/v1/returns", w.Return(doc, J{"lines": []J{apptest.Back(1, 1)}}))
		if has() != 0 || w.counts(id).Issued != 0 { // 48 yuan are left
			t.Error("it was not taken back")
		}
		doc = buy(6000)
		var list struct{ Items []voucher }
		w.Get("/v1/members/" + m + "/vouchers").Into(&list)
		n := w.number(m)
		if err := w.redeem(n, []coupon.Use{w.use(id, list.Items[0].Code, 2000)}, 0, w.doc(n, 900, 10000)); err != nil {
			t.Fatal(err)
		}
		w.Post("/v1/returns", w.Return(doc, nil))
		if v := w.voucher(list.Items[0].Code); v.State != "redeemed" {
			t.Errorf("%+v", v)
		}
		for range 4 {
			buy(9000)
		}
		if c := w.counts(id); c.Issued != 3 || has() != 2 { // the stock ends; sales go through
			t.Errorf("%+v, %d", c, has())
		}
		w.Verify()
	})
}

// basket is what a checkout asks about.
func (w world) basket(owner int64, edit func(*sale.Document), lines ...sale.Line) *sale.Basket {
	w.t.Helper()
	d := &sale.Document{Kind: sale.Purchase, AtMS: w.Clock.Now().UnixMilli(), Currency: "CNY", Store: w.Program.Snapshot().DefaultStore().ID, Channel: "shop", Body: sale.Body{Lines: lines}}
	for _, l := range lines {
		d.Total += l.Amount
	}
	if edit != nil {
		edit(d)
	}
	b, _, _, err := w.Sales.Look(w.Context(), d, member.ID(owner))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// Candidates are what the owner holds, the soonest to end first, and what a till names, each
// with why it cannot be used.
func TestCandidates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m, other := w.Member(), w.Member()
		n := w.number(m)
		late := w.give(w.coupon("late", J{"valid": J{"days": 30}}), m)
		soon := w.give(w.coupon("soon", J{"valid": J{"days": 3}}), m)
		foreign := w.give(w.coupon("foreign", nil), other)
		bearer := w.give(w.coupon("bearer", J{"bearer": true}), other)
		online := w.give(w.coupon("online", J{"channels": []string{"web"}}), m)
		waits := w.give(w.coupon("waits", J{"valid": J{"wait_hours": 2}}), m)
		weekend := w.give(w.coupon("never", J{"condition": "sale.total > money(\"999999\")"}), m)
		shared := w.coupon("shared", J{"shared_code": "WELCOME-2026", "limits": J{"uses_per_member": 1, "budget": 1500}, "partial": true})
		b := w.basket(n, nil, sale.Line{Line: 1, SKU: "a", Milli: 1000, Amount: 12000})
		list, err := w.Coupons.Candidates(w.Context(), b, []string{foreign.Code, "welcome 2o26", bearer.Code, "NOPE"}, true, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]error{}
		var order []string
		for _, c := range list {
			got[c.Code] = c.Refused
			order = append(order, c.Code)
			if c.Coupon != nil && c.Promo.Ref != c.Code {
				t.Errorf("%+v", c)
			}
			if c.Coupon != nil && c.Coupon.PublicID() == shared && c.Promo.Budget != 1500 {
				t.Errorf("the budget is %d", c.Promo.Budget)
			}
		}
		for code, want := range map[string]error{
			late.Code: nil, soon.Code: nil, foreign.Code: coupon.ErrForeign, bearer.Code: nil, online.Code: coupon.ErrChannel, waits.Code: coupon.ErrEarly,
			weekend.Code: coupon.ErrBasket, "WE1C0ME2026": nil, "N0PE": coupon.ErrUnknown,
		} {
			if have, there := got[code]; !there || !errors.Is(have, want) {
				t.Errorf("%s: %v, want %v (%t)", code, have, want, there)
			}
		}
		if order[4] != soon.Code || order[5] != late.Code {
			t.Errorf("%v", order)
		}
		nobody, err := w.Coupons.Candidates(w.Context(), w.basket(0, nil, sale.Line{Line: 1, Milli: 1000, Amount: 12000}), []string{soon.Code, bearer.Code, "WELCOME2026"}, true, 0)
		if err != nil || len(nobody) != 3 || !errors.Is(nobody[0].Refused, coupon.ErrMember) || nobody[1].Refused != nil || !errors.Is(nobody[2].Refused, coupon.ErrMember) {
			t.Errorf("%+v, %v", nobody, err)
		}
		// Who was merged into the owner is the owner.
		w.Must(200, "POST", "/v1/members/"+other+"/merge", J{"into": m})
		list, err = w.Coupons.Candidates(w.Context(), w.basket(n, nil, sale.Line{Line: 1, Milli: 1000, Amount: 12000}), []string{foreign.Code}, false, 0)
		if err != nil || list[0].Refused != nil {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := w.redeem(n, []coupon.Use{w.use("foreign", foreign.Code, 2000)}, 0, w.doc(n, 1, 12000)); err != nil {
			t.Error(err)
		}
		w.Verify()
	})
}

// The trial says what comes off by line, or why nothing does.
func TestTry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.coupon("tea", J{"scope": J{"skus": []string{"tea"}}})
		type tried struct {
			Off, Pay, More int64
			ByLine         []int64 `json:"by_line"`
			Why, Refusal   string
		}
		ask := func(path string, body any) (r tried) {
			w.Must(200, "POST", path, body).Into(&r)
			return r
		}
		lines := []J{{"sku": "tea", "quantity": 2, "amount": 12000}, {"sku": "cup", "quantity": 1, "amount": 5000}}
		if r := ask("/v1/coupons/"+id+"/try", J{"lines": lines}); r.Off != 2000 || r.Pay != 15000 || r.ByLine[0] != 2000 || r.ByLine[1] != 0 {
			t.Errorf("%+v", r)
		}
		if r := ask("/v1/coupons/"+id+"/try", J{"lines": []J{{"sku": "tea", "quantity": 1, "amount": 9000}}}); r.Why != "threshold" || r.More != 1000 {
			t.Errorf("%+v", r)
		}
		draft := J{"name_en": "Half", "effect": J{"kind": "percent", "percent": 5000}, "channels": []string{"web"}}
		if r := ask("/v1/coupons/try", J{"coupon": draft, "basket": J{"lines": lines, "channel": "shop"}}); r.Refusal != "coupon.channel" {
			t.Errorf("%+v", r)
		}
		if r := ask("/v1/coupons/try", J{"coupon": draft, "basket": J{"lines": lines, "channel": "web"}}); r.Off != 8500 {
			t.Errorf("%+v", r)
		}
		w.Do("POST", "/v1/coupons/try", J{"coupon": J{"name_en": "x", "effect": J{"kind": "percent"}}, "basket": J{"lines": lines}}).Refused(422, "coupon.effect")
	})
}

// racing runs n callers at once and counts those that were not refused.
func racing(n int, try func(i int) error) (won int, refusals map[string]int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	refusals = map[string]int{}
	for i := range n {
		wait.Go(func() {
			err := try(i)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				refusals[err.Error()]++
			}
		})
	}
	wait.Wait()
	return won, refusals
}

// Of 64 who want what there is less of, as many get it as there is: stock, pieces of one
// member, one voucher, uses and money of a shared code.
func TestRaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		const n = 64
		var members []int64
		for range n {
			members = append(members, w.number(w.Member()))
		}
		stock := w.coupon("stock", J{"limits": J{"stock": 10}})
		won, why := racing(n, func(i int) error {
			_, err := w.Coupons.Hand(w.Context(), members[i], stock, false)
			return err
		})
		if won != 10 || w.counts(stock).Issued != 10 {
			t.Errorf("stock: %d got one, %d are counted: %v", won, w.counts(stock).Issued, why)
		}
		mine := w.coupon("mine", J{"limits": J{"per_member": 3}})
		if won, why = racing(n, func(int) error {
			_, err := w.Coupons.Hand(w.Context(), members[0], mine, false)
			return err
		}); won != 3 {
			t.Errorf("per member: %d: %v", won, why)
		}
		one := w.coupon("one", J{"bearer": true})
		v, err := w.Coupons.Hand(w.Context(), members[0], one, false)
		if err != nil {
			t.Fatal(err)
		}
		if won, why = racing(n, func(i int) error {
			return w.redeem(members[i], []coupon.Use{w.use(one, v.Code, 100)}, 0, w.doc(members[i], 1, 10000))
		}); won != 1 || w.counts(one).Used != 1 {
			t.Errorf("one voucher: %d: %v", won, why)
		}
		budget := w.coupon("budget", J{"shared_code": "BUDGET", "limits": J{"budget": 950}})
		if won, why = racing(n, func(i int) error {
			until := w.Clock.Now().UnixMilli() + 60_000
			uses := []coupon.Use{w.use(budget, "BVDGET", 100)}
			if err := w.hold(members[i], uses, int64(i+1), until); err != nil || i%2 == 0 {
				return err
			}
			return w.redeem(members[i], uses, int64(i+1), w.doc(members[i], 2, 10000))
		}); won != 9 {
			t.Errorf("budget: %d: %v", won, why)
		}
		if c := w.counts(budget); c.Used+c.Held != 9 || *c.BudgetLeft != 50 {
			t.Errorf("%+v", c)
		}
		twice := w.coupon("twice", J{"shared_code": "TWICE", "limits": J{"uses": 7}})
		if won, why = racing(n, func(i int) error {
			return w.redeem(members[i], []coupon.Use{w.use(twice, "TW1CE", 1)}, 0, w.doc(members[i], 3, 10000))
		}); won != 7 {
			t.Errorf("uses: %d: %v", won, why)
		}
		w.Verify()
	})
}

// All of a checkout's coupons are held or none: the refusal names which one is not.
func TestAllOrNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.Member()
		n := w.number(m)
		a := w.coupon("a", J{"limits": J{"uses": 1}})
		first, second := w.give(a, m), w.give(a, m)
		uses := []coupon.Use{w.use(a, first.Code, 100), w.use(a, second.Code, 100)}
		err := w.hold(n, uses, 5, w.Clock.Now().UnixMilli()+60_000)
		if !errors.Is(err, coupon.ErrUses) {
			t.Fatal(err)
		}
		if c := w.counts(a); c.Held != 0 || w.voucher(first.Code).State != "claimed" {
			t.Errorf("%+v", c)
		}
		if err := w.hold(n, []coupon.Use{uses[0], uses[0]}, 5, w.Clock.Now().UnixMilli()+60_000); !errors.Is(err, coupon.ErrTwice) {
			t.Error(err)
		}
	})
}

// A late confirm has one answer: what nobody took meanwhile is used, what somebody took is
// refused.
func TestLateConfirm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		m := w.Member()
		n := w.number(m)
		id := w.coupon("late", nil)
		for i, taken := range []bool{false, true} {
			v := w.give(id, m)
			uses := []coupon.Use{w.use(id, v.Code, 100)}
			if err := w.hold(n, uses, 5, w.Clock.Now().UnixMilli()+60_000); err != nil {
				t.Fatal(err)
			}
			w.Clock.Advance(2 * time.Minute)
			if taken {
				if err := w.hold(n, []coupon.Use{w.use(id, v.Code, 100)}, 6, w.Clock.Now().UnixMilli()+60_000); err != nil {
					t.Fatal(err)
				}
			}
			err := w.redeem(n, uses, 5, w.doc(n, int64(i+1), 10000))
			if taken != errors.Is(err, coupon.ErrHeld) || !taken && err != nil {
				t.Errorf("taken %t: %v", taken, err)
			}
		}
	})
}

// Grants are given within the posting of another noun.
func TestGrant(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		id := w.coupon("granted", J{"limits": J{"stock": 1}})
		m := w.number(w.Member())
		for i := range 2 {
			g, err := w.Coupons.PrepareGrant(id, coupon.Origin{Kind: "reward", Ref: fmt.Sprint("ord_", i)}, 0)
			if err != nil {
				t.Fatal(err)
			}
			c := &act{needs: g.Needs(m), owner: m, do: func(st *ledger.State, a *ledger.Account) error {
				_, err := g.Decide(st, a)
				return err
			}}
			err = w.Ledger.Engine().Do(w.Context(), ledger.Request{Command: c, Actor: "test"}).Err
			if i == 0 && err != nil || i == 1 && !errors.Is(err, coupon.ErrStock) {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// A batch and a sending stop where they are when their coupon is paused, and go on from there,
// each member once and no code too many, when it is resumed.
func TestPausedBatch(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w world) {
		const codes, members = 60_000, 20 // so many codes take seconds, a pause takes none
		for range members {
			w.Member()
		}
		id := w.coupon("pausing", J{"limits": J{"per_member": 1}})
		var sent, printed batch
		w.Must(202, "POST", "/v1/coupons/"+id+"/batches", J{"count": codes, "name": "print"}).Into(&printed)
		w.Must(202, "POST", "/v1/coupons/"+id+"/send", J{"all": true, "name": "all"}).Into(&sent)
		w.Must(200, "POST", "/v1/coupons/"+id+"/pause", nil)
		w.Rest() // the jobs end
		stopped := w.counts(id).Issued
		var b batch
		if w.Get("/v1/coupon-batches/" + printed.ID).Into(&b); b.State != "running" || stopped >= codes {
			t.Fatalf("paused, and %d were issued, and it is %s", stopped, b.State)
		}
		w.Must(200, "POST", "/v1/coupons/"+id+"/resume", nil)
		w.Rest()
		for _, path := range []string{"/v1/coupon-sendings/" + sent.ID, "/v1/coupon-batches/" + printed.ID} {
			if b := w.ended(path); b.State != "done" {
				t.Errorf("%s: %+v", path, b)
			}
		}
		if got := w.counts(id).Issued; got != codes+members {
			t.Errorf("%d issued, want %d", got, codes+members)
		}
	})
}
