package plan

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Provider takes payments: the seam to WeChat Pay, Alipay, a bank. One is written for each, and
// handed to the program as it is built (app.Options.Payments).
//
// Patron asks for a charge and waits to be told what became of it, at
// POST /v1/plan-callbacks/NAME. Whatever it asks, it asks again until it has an answer, with
// the same ids: a provider does the same thing once.
type Provider interface {
	// Name is how plans name it: lower-case letters, digits, dashes.
	Name() string
	// Charge asks for money. It answers as soon as the order is known; that it is paid comes
	// by a callback.
	Charge(ctx context.Context, o Order) (Charge, error)
	// Refund gives amount of an order back, in all: asked again with the same amount, nothing
	// more goes back.
	Refund(ctx context.Context, o Order, amount int64) error
	// Callback reads what the provider tells, after it has checked that it is the provider who
	// does: ErrSignature where it is not. header gives the first value of a header.
	Callback(header func(name string) string, body []byte) (Notice, error)
}

// Order is a charge that is asked for.
type Order struct {
	ID        string // "chg_…": the same order has the same id
	Payer     string // the member, "mem_…": the same for all that they pay, so that a renewal can go by what they agreed to
	First     bool   // they are there and agree; else it is a renewal under what they agreed to
	Amount    money.Money
	Text      errs.Word // what it is for
	Reference string    // the provider's own, once it has given one
}

// Charge is what a provider answers to an Order.
type Charge struct {
	Reference string // the provider's own number
	URL       string // where the member agrees and pays; empty where they need not be there
}

// Turn is what became of an order.
type Turn string

// The turns.
const (
	Authorised   Turn = "authorised" // the member agreed; the money is yet to come
	Paid         Turn = "paid"
	Failed       Turn = "failed"
	MoneyReturns Turn = "refunded"
)

// Notice is what a provider tells of an order.
type Notice struct {
	Order     string // "chg_…"
	Reference string // the provider's own number
	Turn      Turn
	Why       string // where it failed
}

// ErrSignature refuses a callback that its provider did not send.
var ErrSignature = errs.New(errs.Forbidden, "plan.signature", "This was not signed by the payment provider.", "签名与支付渠道不符。")
