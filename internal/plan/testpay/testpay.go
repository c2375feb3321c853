// Package testpay is a payment provider for trying things out: no money moves. It is written
// the way a real one is: it has a page on which a member agrees, remembers orders by their ids,
// and tells the program what became of them by signed callbacks over HTTP.
//
// Life of an order: taken (Charge), authorised and paid when the member agrees on its page, or
// failed when they do not; a renewal is paid at once, by what the member agreed to before;
// refunded when the program asks for it.
package testpay

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/plan"
)

// header bears the signature of a callback: HMAC-SHA256 of its body under the shared secret.
const header = "Patron-Test-Signature"

// Provider is the payment provider. It is an http.Handler for the pages on which members pay.
type Provider struct {
	secret []byte
	client http.Client

	mu       sync.Mutex
	page     string // address of the pages
	callback string // where it tells what happens
	orders   map[string]*order
	agreed   map[string]bool // payers who have agreed to renewals
	refuse   map[string]bool // payers whose renewals fail
}

type order struct {
	plan.Order
	ref      string
	turn     plan.Turn
	refunded int64
}

// New makes a provider that shares a secret with the program.
func New(secret string) *Provider {
	return &Provider{
		secret: []byte(secret), client: http.Client{Timeout: 10 * time.Second},
		orders: map[string]*order{}, agreed: map[string]bool{}, refuse: map[string]bool{},
	}
}

// At says where its pages are, and where the program hears callbacks.
func (p *Provider) At(page, callback string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.page, p.callback = page, callback
}

// Refuse makes renewals of a payer fail, as an empty account does.
func (p *Provider) Refuse(payer string, yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse[payer] = yes
}

// Orders is how many orders it has taken, and how much of them it holds.
func (p *Provider) Orders() (n int, holds int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.orders {
		if n++; o.turn == plan.Paid || o.turn == plan.MoneyReturns {
			holds += o.Amount.Amount - o.refunded
		}
	}
	return n, holds
}

// Name is part of plan.Provider.
func (p *Provider) Name() string { return "test" }

// Charge is part of plan.Provider.
func (p *Provider) Charge(ctx context.Context, o plan.Order) (plan.Charge, error) {
	p.mu.Lock()
	was := p.orders[o.ID]
	if was == nil {
		was = &order{Order: o, ref: "T" + strconv.Itoa(len(p.orders)+1)}
		p.orders[o.ID] = was
	}
	answer := plan.Charge{Reference: was.ref, URL: p.page + "/pay/" + o.ID}
	agreed, refused := p.agreed[o.Payer], p.refuse[o.Payer]
	p.mu.Unlock()
	switch {
	case o.First || was.turn != "":
		return answer, nil
	case !agreed || refused:
		return plan.Charge{Reference: was.ref}, p.tell(ctx, was, plan.Failed, "the member's bank refused")
	}
	return plan.Charge{Reference: was.ref}, p.tell(ctx, was, plan.Paid, "")
}

// Refund is part of plan.Provider.
func (p *Provider) Refund(ctx context.Context, o plan.Order, amount int64) error {
	p.mu.Lock()
	was := p.orders[o.ID]
	if was == nil || was.turn != plan.Paid && was.turn != plan.MoneyReturns || amount > was.Amount.Amount {
		p.mu.Unlock()
		return errors.New("testpay: nothing was paid that could go back")
	}
	was.refunded = max(was.refunded, amount)
	p.mu.Unlock()
	return p.tell(ctx, was, plan.MoneyReturns, "")
}

// Callback is part of plan.Provider.
func (p *Provider) Callback(get func(string) string, body []byte) (n plan.Notice, err error) {
	sent, err := hex.DecodeString(get(header))
	if err != nil || !hmac.Equal(sent, p.sign(body)) {
		return n, plan.ErrSignature
	}
	return n, json.Unmarshal(body, &n)
}

func (p *Provider) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, p.secret)
	mac.Write(body)
	return mac.Sum(nil)
}

// tell calls the program back.
func (p *Provider) tell(ctx context.Context, o *order, turn plan.Turn, why string) error {
	p.mu.Lock()
	o.turn = turn
	to := p.callback
	p.mu.Unlock()
	body, err := json.Marshal(plan.Notice{Order: o.ID, Reference: o.ref, Turn: turn, Why: why})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(header, hex.EncodeToString(p.sign(body)))
	res, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return fmt.Errorf("testpay: the program answered %s: %s", res.Status, why)
	}
	return nil
}

var page = template.Must(template.New("pay").Parse(`<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Test payment</title>
<h1>{{.Text.ZH}} · {{.Text.EN}}</h1><p>{{.Amount.Amount}} {{.Amount.Currency}} (minor units). 测试支付，不会扣款。No money moves.</p>
<form method="post"><button name="outcome" value="paid">付款 · Pay</button> <button name="outcome" value="failed">拒绝 · Refuse</button></form>`))

// ServeHTTP is the page of an order, on which its member agrees or does not: POST with outcome
// paid or failed.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	o := p.orders[strings.TrimPrefix(r.URL.Path, "/pay/")]
	p.mu.Unlock()
	if o == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		_ = page.Execute(w, o) // whoever asked may be gone
		return
	}
	err := error(nil)
	if r.FormValue("outcome") == "paid" {
		p.mu.Lock()
		p.agreed[o.Payer] = true
		p.mu.Unlock()
		err = errors.Join(p.tell(r.Context(), o, plan.Authorised, ""), p.tell(r.Context(), o, plan.Paid, ""))
	} else {
		err = p.tell(r.Context(), o, plan.Failed, "the member refused")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = fmt.Fprintln(w, "完成 · Done")
}
