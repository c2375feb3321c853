package tillsim

import (
	"context"
	"sync"
	"time"
)

// kase is one thing that goes wrong.
type kase struct {
	name  string
	title Word
	skip  func(*run) *Word // why it cannot be tried; nil where it always can
	do    func(*trial)
}

// always is the skip of a case that needs nothing.
func always(*run) *Word { return nil }

// trial is one case under way.
type trial struct {
	run   *run
	ctx   context.Context
	steps []Step
	left  *Word // why it cannot be tried here after all
}

// send sends a request and expects an answer, as answer.short names it. Another answer ends the case.
func (t *trial) send(what Word, want, method, path, key string, body any) answer {
	return t.got(what, want, t.run.line.send(t.ctx, method, path, key, body))
}

// got notes an answer that came, and ends the case where another was expected.
func (t *trial) got(what Word, want string, a answer) answer {
	t.steps = append(t.steps, Step{What: what, Expected: want, Came: a.short(), OK: a.short() == want, Messages: []Message{a.message}})
	if a.short() != want {
		panic(errStopped)
	}
	return a
}

// equal compares two values.
func (t *trial) equal(what Word, want, came any) {
	t.steps = append(t.steps, Step{What: what, Expected: text(want), Came: text(came), OK: text(want) == text(came)})
}

// same expects two answers to be one, to the last sign.
func (t *trial) same(a, b answer) {
	came := "the same body"
	if string(a.body) != string(b.body) {
		came = "another body: " + string(b.body)
	}
	t.equal(Word{"the answer", "应答内容"}, "the same body", came)
}

// mend ends the case where something that has nothing to do with it failed.
func (t *trial) mend(err error) {
	if err == nil {
		return
	}
	t.steps = append(t.steps, Step{What: Word{"a look at the server", "读取服务器状态"}, Expected: "200", Came: err.Error()})
	panic(errStopped)
}

// broke notes a request whose answer nobody read.
func (t *trial) broke(what Word, method, path, key string, body any, err error) {
	t.mend(err)
	t.steps = append(t.steps, Step{What: what, Expected: "-", Came: "-", OK: true, Messages: []Message{{Method: method, Path: path, Key: key, Sent: body}}})
}

// atOnce sends several requests at the same time.
func (t *trial) atOnce(n int, request func(i int) (method, path, key string, body any)) []answer {
	out := make([]answer, n)
	var all sync.WaitGroup
	for i := range n {
		method, path, key, body := request(i)
		all.Go(func() { out[i] = t.run.line.send(t.ctx, method, path, key, body) })
	}
	all.Wait()
	return out
}

// sale is a sale of the run's member, of one line of 100.00, under a document of its own.
func (t *trial) sale() object {
	r := t.run
	s := r.basket(10000)
	s["source"], s["document"], s["at"], s["total"] = source, r.next("S"), r.now(), int64(10000)
	return s
}

// now is the server's time as requests write it: to the millisecond, or a return in the second of
// its sale could be the earlier one.
func (r *run) now() string { return r.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// amounts are the lines of the run's basket: 120.00, 60.00 and 20.00.
var amounts = []int64{12000, 6000, 2000}

// ownOff is what the run's own coupon takes off: 20.00.
const ownOff = 2000

// basket is what the run's member buys, one line an amount.
func (r *run) basket(amounts ...int64) object {
	lines := make([]object, len(amounts))
	for i, n := range amounts {
		lines[i] = object{"line": i + 1, "sku": "till-sim-" + text(int64(i+1)), "quantity": 1, "amount": n}
	}
	b := object{"member": r.model.member, "currency": r.Money, "lines": lines, "till": "till-sim"}
	if r.Store != "" {
		b["store"] = r.Store
	}
	return b
}

// checkout is what the server says of one.
type checkout struct {
	ID, State        string
	ExpiresAt        time.Time `json:"expires_at"`
	SaleID           string    `json:"sale_id"`
	Total, Off, Paid int64
	ToPay            int64 `json:"to_pay"`
	Lines            []struct{ Line, Amount, Off, Pay int64 }
	LeftOut          []struct {
		Code, Why string
	} `json:"left_out"`
	Spends  []struct{ Amount, Worth int64 }
	Payable []struct {
		Currency                          string
		Available, Least, Most, Step, Pay int64
	}
	Earns []given
}

type given struct {
	Currency string
	Amount   int64
}

// sold is what the server says of a sale.
type sold struct {
	ID     string
	Total  int64
	Points []given
	Flags  []string
}

func (r *run) earned(list []given) (n int64) {
	for _, g := range list {
		if g.Currency == r.Currency {
			n += g.Amount
		}
	}
	return n
}

// back is what the server says of a return.
type back struct {
	State      string
	Total      int64
	ClawedBack []moved `json:"clawed_back"`
	Restored   []moved
}

type moved struct {
	Currency       string
	Amount, Waived int64
}

func (r *run) moved(list []moved) (n int64) {
	for _, m := range list {
		if m.Currency == r.Currency {
			n += m.Amount
		}
	}
	return n
}

// wish is the run's basket with a voucher, and points where they pay for something here.
func (r *run) wish(code string, pays int64) object {
	b := r.basket(amounts...)
	b["coupons"] = []string{code}
	if pays > 0 {
		b["spend"] = []object{{"currency": r.Currency, "amount": pays}}
	}
	return b
}

// open holds the run's basket, and looks whether the quote adds up and everything is held.
func (t *trial) open(code string, more object) (c checkout) {
	body := t.run.wish(code, t.run.pays)
	for k, v := range more {
		body[k] = v
	}
	a := t.send(Word{"hold a basket", "锁定购物篮"}, "201", "POST", "/v1/checkouts", t.run.next("open"), body)
	t.mend(a.into(&c))
	t.adds(c)
	t.equal(Word{"off by the voucher", "券优惠"}, t.run.off, c.Off)
	return c
}

// adds looks whether a quote adds up, by itself and line by line.
func (t *trial) adds(c checkout) {
	var amount, off, pay int64
	for _, l := range c.Lines {
		amount, off, pay = amount+l.Amount, off+l.Off, pay+l.Pay
		if l.Amount != l.Off+l.Pay || l.Pay < 0 {
			t.equal(Word{"line " + text(l.Line) + ", amount", "第 " + text(l.Line) + " 行金额"}, l.Amount, l.Off+l.Pay)
		}
	}
	t.equal(Word{"total, off and to pay by the lines", "各行合计的总额、优惠与应付"}, []int64{amount, off, pay - c.Paid}, []int64{c.Total, c.Off, c.ToPay})
}

// held looks how many points the member has set aside, beside those of the checkout to be late.
func (t *trial) held(want int64) {
	l := t.run.late
	if l.code != "" && t.run.Now().Sub(l.checkout.ExpiresAt).Abs() < edge { // whether it still holds, nobody can tell from here
		t.mend(t.run.Wait(t.ctx, l.checkout.ExpiresAt.Add(edge)))
	}
	if l.code != "" && t.run.Now().Before(l.checkout.ExpiresAt) {
		want += t.run.pays
	}
	w, err := t.run.wallet(t.ctx)
	t.mend(err)
	t.equal(Word{"points held", "冻结的积分"}, want, w.Held)
}

// edge is how exactly the end of a hold is known, when the clocks agree to the second.
const edge = 2 * time.Second

// state looks where a voucher stands.
func (t *trial) state(code, want string) {
	came, err := t.run.voucherState(t.ctx, code)
	t.mend(err)
	t.equal(Word{"the voucher", "券状态"}, want, came)
}

// confirmed confirms a checkout and notes the sale.
func (t *trial) confirmed(c checkout, code string) (body object, a answer, s sold) {
	r := t.run
	body = object{"source": source, "document": r.next("C"), "payments": []object{{"kind": "cash", "amount": c.ToPay}}}
	a = t.send(Word{"confirm it", "确认"}, "201", "POST", "/v1/checkouts/"+c.ID+"/confirm", r.next("confirm"), body)
	t.mend(a.into(&s))
	r.model.sold(text(body["document"]), c.Total-c.Off, r.earned(s.Points), r.pays, code)
	t.equal(Word{"what the sale comes to", "销售金额"}, c.Total-c.Off, s.Total)
	t.equal(Word{"points earned, as quoted", "获得积分（与报价一致）"}, r.earned(c.Earns), r.earned(s.Points))
	return body, a, s
}
