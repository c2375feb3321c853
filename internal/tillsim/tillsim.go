// Package tillsim is the conformance run of `patron till-sim`: it drives a till against a
// running server through all that goes wrong between the two, and gives a verdict.
//
// Life: a member, a coupon and vouchers are made (or given to it); each case (cases.go) sends
// requests and says of each answer what was expected and what came; meanwhile a model counts
// what the till meant (model.go); at the end, what the server keeps is compared with the model.
//
// Laws:
//   - The model never asks the server what a case did: it counts a sale where the till meant
//     one, however often it was sent.
//   - Nothing of others is touched: documents and keys bear the run's own sign, and all is bought
//     by the run's member.
//   - A case that fails does not stop the others; one that cannot be tried is skipped, and says why.
package tillsim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Word is a text in both languages.
type Word struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// Options say where the till stands and what it may use.
type Options struct {
	URL      string // of the server, as http://127.0.0.1:8080
	Key      string // API key with sales.write, sales.read, points.read, members.read, and those for what is not given
	Member   string // who buys; made where empty (members.write)
	Coupon   string // id (cpn_…) of a live coupon whose vouchers are used; made where empty (rules.write)
	Currency string // of points
	Money    string // ISO 4217 code of the sales
	Store    string // where it sells; the key's or the programme's default where empty

	Now  func() time.Time                                 // the server's clock where nil
	Wait func(ctx context.Context, until time.Time) error // sleeps where nil
	Done func(Result)                                     // is told of each case; nil for nobody
}

// Verdict is what a run comes to.
type Verdict struct {
	Run    string   `json:"run"` // the sign that its documents begin with
	Server string   `json:"server"`
	Member string   `json:"member_id"`
	Coupon string   `json:"coupon_id"`
	Pays   int64    `json:"points_paid"` // points that a case pays with; 0 where they pay for nothing here
	Pass   bool     `json:"pass"`
	Passed int      `json:"passed"`
	Failed int      `json:"failed"`
	Skips  int      `json:"skipped"`
	Cases  []Result `json:"cases"`
}

// Result is what one case comes to.
type Result struct {
	Case  string `json:"case"`
	Title Word   `json:"title"`
	Pass  bool   `json:"pass"`
	Left  *Word  `json:"skipped,omitempty"` // why it was not tried
	Steps []Step `json:"steps"`
}

// Step is one thing that was looked at.
type Step struct {
	What     Word      `json:"what"`
	Expected string    `json:"expected"`
	Came     string    `json:"came"`
	OK       bool      `json:"ok"`
	Messages []Message `json:"messages,omitempty"`
}

// Message is one request and its answer, as they went over the line.
type Message struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Key    string `json:"idempotency_key,omitempty"`
	Sent   any    `json:"sent,omitempty"`
	Status int    `json:"status,omitempty"` // 0 where no answer was read
	Replay bool   `json:"replayed,omitempty"`
	Answer any    `json:"answer,omitempty"`
}

// DropMessages leaves of the steps what was expected and what came.
func (v *Verdict) DropMessages() {
	for i := range v.Cases {
		for j := range v.Cases[i].Steps {
			v.Cases[i].Steps[j].Messages = nil
		}
	}
}

// run is one run.
type run struct {
	Options
	line  *line
	sign  string
	n     int // counts documents and keys
	model *model
	codes []string // vouchers that no case has taken yet
	made  bool     // the coupon is the run's own
	off   int64    // what a voucher takes off the run's basket
	pays  int64
	late  pending
}

// vouchersNeeded is how many vouchers the cases take.
const vouchersNeeded = 11

// source is under which the run numbers its documents.
const source = "till-sim"

// startPoints is what the run's own member is given to begin with.
const startPoints = 5000

// Run tries everything. An error means that there is no verdict: the run could not be set up.
func Run(ctx context.Context, o Options) (Verdict, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return Verdict{}, fmt.Errorf("%q is no address like http://127.0.0.1:8080", o.URL)
	}
	if o.Currency == "" {
		o.Currency = "points"
	}
	if o.Money == "" {
		o.Money = "CNY"
	}
	sign := make([]byte, 5)
	_, _ = rand.Read(sign) // never fails
	r := &run{Options: o, sign: "SIM-" + strings.ToUpper(hex.EncodeToString(sign)), line: newLine(u, o.Key)}
	defer r.line.close()
	if r.Wait == nil {
		r.Wait = sleep
	}
	if err := r.prepare(ctx); err != nil {
		return Verdict{}, err
	}
	v := Verdict{Run: r.sign, Server: o.URL, Member: r.model.member, Coupon: r.Coupon, Pays: r.pays, Pass: true}
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return v, err
		}
		res := r.try(ctx, c)
		switch {
		case res.Left != nil:
			v.Skips++
		case res.Pass:
			v.Passed++
		default:
			v.Failed, v.Pass = v.Failed+1, false
		}
		v.Cases = append(v.Cases, res)
		if o.Done != nil {
			o.Done(res)
		}
	}
	return v, r.tidy(ctx)
}

// try does one case.
func (r *run) try(ctx context.Context, c kase) (out Result) {
	t := &trial{run: r, ctx: ctx}
	out = Result{Case: c.name, Title: c.title, Pass: true, Steps: []Step{}}
	if why := c.skip(r); why != nil {
		out.Left = why
		return out
	}
	func() {
		defer func() {
			if p := recover(); p != nil && p != errStopped { //nolint:errorlint // thrown as it is
				panic(p)
			}
		}()
		c.do(t)
	}()
	if out.Left = t.left; t.left != nil {
		return out
	}
	out.Steps = t.steps
	for _, s := range t.steps {
		out.Pass = out.Pass && s.OK
	}
	return out
}

// prepare sees to it that there is somebody who buys, and what they buy with.
func (r *run) prepare(ctx context.Context) error {
	if r.Now == nil {
		skew, err := r.line.skew(ctx)
		if err != nil {
			return err
		}
		r.Now = func() time.Time { return time.Now().Add(skew) }
	}
	if err := r.prepareMember(ctx); err != nil {
		return err
	}
	if err := r.prepareCoupon(ctx); err != nil {
		return err
	}
	return r.preparePrices(ctx)
}

func (r *run) prepareMember(ctx context.Context) error {
	var m struct{ ID string }
	if r.Member != "" {
		if err := r.setUp(ctx, "GET", "/v1/members/"+url.PathEscape(r.Member), nil, &m); err != nil {
			return err
		}
	} else {
		body := object{"external_id": "till-sim/" + r.sign, "source": source}
		if err := r.setUp(ctx, "POST", "/v1/members", body, &m); err != nil {
			return fmt.Errorf("%w\n(a member of your own is named with --member; 也可用 --member 指定会员)", err)
		}
		give := object{"currency": r.Currency, "amount": startPoints, "reason": "till-sim", "source": source, "document": r.sign}
		if err := r.setUp(ctx, "POST", "/v1/members/"+m.ID+"/earnings", give, nil); err != nil {
			return err
		}
	}
	r.model = newModel(m.ID)
	w, err := r.wallet(ctx)
	if err != nil {
		return err
	}
	r.model.points = w.whole()
	_, r.model.entry, err = r.foreign(ctx, 0, nil)
	return err
}

func (r *run) prepareCoupon(ctx context.Context) error {
	if r.Coupon == "" {
		var c struct{ ID string }
		body := object{
			"code": strings.ToLower(r.sign), "name_en": "Till conformance run", "name_zh": "收银对接测试",
			"effect": object{"kind": "amount", "amount": ownOff}, "limits": object{"stock": vouchersNeeded},
		}
		if err := r.setUp(ctx, "POST", "/v1/coupons", body, &c); err != nil {
			return fmt.Errorf("%w\n(a coupon of your own is named with --coupon; 也可用 --coupon 指定优惠券)", err)
		}
		if err := r.setUp(ctx, "POST", "/v1/coupons/"+c.ID+"/publish", nil, nil); err != nil {
			return err
		}
		r.Coupon, r.made = c.ID, true
	}
	for range vouchersNeeded {
		var v struct{ Code string }
		if err := r.setUp(ctx, "POST", "/v1/coupons/"+url.PathEscape(r.Coupon)+"/vouchers", object{"member": r.model.member}, &v); err != nil {
			return err
		}
		r.codes = append(r.codes, v.Code)
		r.model.vouchers[v.Code] = "claimed"
	}
	return nil
}

// preparePrices asks, holding nothing, what a voucher takes off and how many points this
// programme takes.
func (r *run) preparePrices(ctx context.Context) error {
	var q checkout
	body := r.basket(amounts...)
	body["coupons"] = []string{r.codes[0]}
	if err := r.setUp(ctx, "POST", "/v1/checkouts?dry_run=true", body, &q); err != nil {
		return err
	}
	if r.off = q.Off; r.made && q.Off != ownOff {
		return fmt.Errorf("a coupon of %d off takes %d off a basket of %d; %d 元券在 %d 的购物篮上减了 %d", int64(ownOff), q.Off, q.Total, int64(ownOff), q.Total, q.Off)
	}
	if q.Off == 0 {
		return fmt.Errorf("a voucher of %s takes nothing off a basket of %d; 该券对 %d 的购物篮无效", r.Coupon, q.Total, q.Total)
	}
	for _, p := range q.Payable {
		if p.Currency != r.Currency || p.Most == 0 {
			continue
		}
		// Enough that a share of it is not nothing, and little enough for three cases at once.
		step := max(1, p.Step)
		want := max(p.Least, min(500, p.Most/8))
		if want = (want + step - 1) / step * step; want <= p.Most && want*4 <= p.Available {
			r.pays = want
		}
	}
	return nil
}

// setUp sends what has to succeed for the run to begin.
func (r *run) setUp(ctx context.Context, method, path string, body any, into any) error {
	key := ""
	if method != "GET" {
		key = r.next("setup")
	}
	a := r.line.send(ctx, method, path, key, body)
	if a.err != nil {
		return fmt.Errorf("%s %s: %w", method, path, a.err)
	}
	if a.status >= 300 {
		return fmt.Errorf("%s %s: %s %s", method, path, a.short(), a.problem.Detail)
	}
	return a.into(into)
}

// tidy ends the run's own coupon. The member and the sales stay: they are history.
func (r *run) tidy(ctx context.Context) error {
	if !r.made {
		return nil
	}
	return r.setUp(context.WithoutCancel(ctx), "POST", "/v1/coupons/"+r.Coupon+"/end", nil, nil)
}

// next is a word that no other request of this or another run has.
func (r *run) next(what string) string {
	r.n++
	return fmt.Sprintf("%s-%s-%d", r.sign, what, r.n)
}

// voucher is one that no other case uses.
func (r *run) voucher() string {
	if len(r.codes) == 0 {
		panic("more vouchers are taken than are made: vouchersNeeded")
	}
	code := r.codes[0]
	r.codes = r.codes[1:]
	return code
}

func sleep(ctx context.Context, until time.Time) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(until)):
		return nil
	}
}

var errStopped = errors.New("the case cannot go on")
