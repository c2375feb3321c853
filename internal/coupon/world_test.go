package coupon_test

import (
	"testing"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/test/apptest"
)

type J = apptest.J

// voucher is one as the API tells.
type voucher struct {
	Code, Shown, State string
	CouponID           string `json:"coupon_id"`
	Member             string `json:"member_id"`
	Uses               int64
	UsesLeft           int64 `json:"uses_left"`
	Off                int64
	Origin             string
	ValidUntil         string `json:"valid_until"`
	ValidFrom          string `json:"valid_from"`
	History            []struct {
		Step   string
		Amount int64
	}
}

// counted is what a coupon's counters say, as the API tells.
type counted struct {
	Issued, Used, Held, Off int64
	StockLeft               *int64 `json:"stock_left"`
	BudgetLeft              *int64 `json:"budget_left"`
}

type world struct {
	*apptest.App
	t testing.TB
}

func each(t *testing.T, fn func(t *testing.T, w world)) {
	t.Helper()
	apptest.Each(t, func(t *testing.T, a *apptest.App) { fn(t, world{a, t}) })
}

// coupon makes and publishes a coupon: 20 yuan off from 100 on, unless edits say otherwise.
func (w world) coupon(code string, edits J) string {
	w.t.Helper()
	body := apptest.With(J{
		"code": code, "name_en": "20 off 100", "name_zh": "满100减20", "effect": J{"kind": "amount", "amount": 2000}, "minimum": J{"amount": 10000},
	}, edits)
	var c struct{ ID string }
	w.Post("/v1/coupons", body).Into(&c)
	w.Must(200, "POST", "/v1/coupons/"+c.ID+"/publish", nil)
	return c.ID
}

// give gives a member a voucher.
func (w world) give(coupon, member string) (v voucher) {
	w.t.Helper()
	w.Post("/v1/coupons/"+coupon+"/vouchers", J{"member": member}).Into(&v)
	return v
}

func (w world) voucher(code string) (v voucher) {
	w.t.Helper()
	w.Get("/v1/vouchers/" + code).Into(&v)
	return v
}

func (w world) counts(id string) counted {
	w.t.Helper()
	var c struct{ Counts counted }
	w.Get("/v1/coupons/" + id).Into(&c)
	return c.Counts
}

// act is a command that a checkout would be: it does something with uses under the lock of a member.
type act struct {
	needs ledger.Needs
	owner int64
	do    func(st *ledger.State, a *ledger.Account) error
}

func (c *act) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.owner}}
	n.Add(c.needs)
	return n
}

func (c *act) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(c.owner)
	if err != nil {
		return nil, err
	}
	return nil, c.do(st, a)
}

// number is the number of a member.
func (w world) number(m string) int64 {
	w.t.Helper()
	id, err := member.ParseID(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return int64(id)
}

// use is a use of a voucher (or shared code) that takes so much off a basket of one line.
func (w world) use(of, code string, amount int64) coupon.Use {
	w.t.Helper()
	c, err := w.Coupons.Find(of)
	if err != nil {
		w.t.Fatal(err)
	}
	return coupon.Use{Coupon: c.ID, Version: c.Version, Code: code, Amount: amount, ByLine: []int64{amount}}
}

func (w world) post(owner int64, uses []coupon.Use, do func(st *ledger.State, a *ledger.Account) error) error {
	c := &act{needs: w.Coupons.UseNeeds(uses, owner), owner: owner, do: do}
	return w.Ledger.Engine().Do(w.Context(), ledger.Request{Command: c, Actor: "test"}).Err
}

func (w world) hold(owner int64, uses []coupon.Use, checkout, untilMS int64) error {
	return w.post(owner, uses, func(st *ledger.State, a *ledger.Account) error { return w.Coupons.Hold(st, a, uses, checkout, untilMS) })
}

func (w world) free(owner int64, uses []coupon.Use, checkout int64) error {
	return w.post(owner, uses, func(st *ledger.State, a *ledger.Account) error { return w.Coupons.Free(st, a, uses, checkout) })
}

// doc is a sale of one line of 10 pieces.
func (w world) doc(owner, seq, amount int64) *sale.Document {
	return &sale.Document{Member: owner, Seq: seq, Kind: sale.Purchase, AtMS: w.Clock.Now().UnixMilli(), Total: amount, Currency: "CNY", Till: "T1", Owner: max(0, owner), Body: sale.Body{Lines: []sale.Line{{Line: 1, Milli: 10_000, Amount: amount}}}}
}

func (w world) redeem(owner int64, uses []coupon.Use, checkout int64, d *sale.Document) error {
	return w.post(owner, uses, func(st *ledger.State, a *ledger.Account) error { return w.Coupons.Redeem(st, a, uses, checkout, d) })
}

// back returns so many more pieces of a sale.
func (w world) back(owner int64, uses []coupon.Use, d *sale.Document, pieces int64) error {
	l := &d.Body.Lines[0]
	amount := l.Amount * pieces * 1000 / l.Milli
	l.BackMilli, l.BackAmount = l.BackMilli+pieces*1000, l.BackAmount+amount
	r := &sale.Reversal{Sale: d, Return: &sale.Document{Member: d.Member, Seq: d.Seq + 1000}}
	return w.post(owner, uses, func(st *ledger.State, a *ledger.Account) error { return w.Coupons.Undo(st, a, uses, r) })
}
