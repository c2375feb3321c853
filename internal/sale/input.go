package sale

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// New is a sale as a caller sends it.
type New struct {
	Source     string         `json:"source" minLength:"1" maxLength:"64" doc:"System that numbers the documents: a till, a shop, an ERP."`
	Document   string         `json:"document" minLength:"1" maxLength:"64" doc:"Number of the receipt; unique for ever under its source."`
	Member     string         `json:"member,omitempty" maxLength:"255" doc:"Whose purchase it is, by any identifier; absent = nobody's yet." example:"phone:+8613800000000"`
	At         string         `json:"at" minLength:"1" maxLength:"40" doc:"When it was made. RFC 3339; without a zone, in the programme's." example:"2026-11-22T10:05:00+08:00"`
	Currency   string         `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code of all amounts." example:"CNY"`
	Total      int64          `json:"total" minimum:"0" maximum:"1000000000000" doc:"Sum of the lines, in minor units."`
	Lines      []NewLine      `json:"lines" minItems:"1" maxItems:"1000" doc:"What was bought."`
	Store      string         `json:"store,omitempty" maxLength:"64" doc:"Id or code; absent = the caller's only store, or the programme's default."`
	Till       string         `json:"till,omitempty" maxLength:"64"`
	Staff      string         `json:"staff,omitempty" maxLength:"64" doc:"Who served."`
	Channel    string         `json:"channel,omitempty" maxLength:"32" doc:"As store, web, app."`
	Payments   []NewPayment   `json:"payments,omitempty" maxItems:"20" doc:"How it was paid."`
	Discounts  []NewDiscount  `json:"discounts,omitempty" maxItems:"200" doc:"What the till took off already."`
	Coupons    []string       `json:"coupons,omitempty" maxItems:"20" doc:"Codes to redeem with this sale, which is then a checkout in one step: total and lines are those before member prices, discounts of tier and plan, and coupons, and the answer says what was taken off. All codes are redeemed, or the sale is refused."`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Anything else that rules and reports may use."`
}

// NewLine is one line of a New.
type NewLine struct {
	Line       int64          `json:"line" minimum:"1" maximum:"1000000" doc:"Number of the line on the receipt."`
	SKU        string         `json:"sku" minLength:"1" maxLength:"64"`
	Quantity   Quantity       `json:"quantity"`
	Amount     int64          `json:"amount" minimum:"0" maximum:"1000000000000" doc:"Paid for the whole line, in minor units; may be 0."`
	Name       string         `json:"name,omitempty" maxLength:"200"`
	Category   string         `json:"category,omitempty" maxLength:"200"`
	Brand      string         `json:"brand,omitempty" maxLength:"100"`
	Cost       int64          `json:"cost,omitempty" minimum:"0" maximum:"1000000000000" doc:"What the line cost the shop, in minor units."`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// NewPayment is one payment of a New.
type NewPayment struct {
	Kind      string `json:"kind" minLength:"1" maxLength:"32" doc:"As cash, card, wechat, alipay; points is a hold that this sale captures."`
	Amount    int64  `json:"amount" minimum:"0" maximum:"1000000000000" doc:"In minor units of the sale's currency."`
	Reference string `json:"reference,omitempty" maxLength:"128" doc:"Number at the payment provider; of points the hold (hld_…)."`
}

// NewDiscount is one discount of a New.
type NewDiscount struct {
	Kind   string `json:"kind" minLength:"1" maxLength:"32"`
	Ref    string `json:"ref,omitempty" maxLength:"64"`
	Amount int64  `json:"amount" minimum:"0" maximum:"1000000000000" doc:"In minor units, positive."`
}

// draft checks a New and turns it into a Document without owner and number.
func (s *Service) draft(ctx context.Context, n New, history bool) (*Document, []ledger.LotKey, error) {
	snap := s.program.Snapshot()
	if _, err := money.Decimals(n.Currency); err != nil {
		return nil, nil, at(err, "body.currency")
	}
	when, flags, err := s.when(n.At, snap, history)
	if err != nil {
		return nil, nil, at(err, "body.at")
	}
	store, err := storeOf(ctx, snap, n.Store)
	if err != nil {
		return nil, nil, at(err, "body.store")
	}
	lines, err := linesOf(n)
	if err != nil {
		return nil, nil, err
	}
	d := &Document{
		Kind: Purchase, Source: n.Source, Document: n.Document, Store: store, Till: n.Till, Staff: n.Staff, Channel: n.Channel,
		Currency: n.Currency, Total: n.Total, AtMS: when.UnixMilli(), Flags: flags,
		Body: Body{Lines: lines, Attributes: n.Attributes, Coupons: n.Coupons},
	}
	holds, err := d.addPayments(n)
	return d, holds, err
}

// checkSize refuses more than the settings allow one request. Files are taken as they are.
func (n *New) checkSize(most program.Limits) error {
	switch {
	case len(n.Lines) > most.SaleLines:
		return ErrMany.With("most", most.SaleLines).At("body.lines")
	case len(n.Attributes) > most.Attributes:
		return ErrMany.With("most", most.Attributes).At("body.attributes")
	}
	for i, l := range n.Lines {
		if len(l.Attributes) > most.Attributes {
			return ErrMany.With("most", most.Attributes).At("body.lines[" + strconv.Itoa(i) + "].attributes")
		}
	}
	return nil
}

// at names the field of a refusal.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}

// when reads a sale's time: not ahead of the clock, and flagged where it is old.
func (s *Service) when(text string, snap *program.Snapshot, history bool) (time.Time, Flags, error) {
	t, err := snap.ParseTime(text)
	if err != nil {
		return t, 0, err
	}
	now := s.clock.Now()
	switch {
	case t.After(now.Add(MaxApart)):
		return t, 0, ErrFuture
	case history:
		return t, History, nil
	case t.Before(now.Add(-lateAfter)):
		return t, Late, nil
	}
	return t, 0, nil
}

// storeOf is where a sale was made, which the caller must be allowed to say.
func storeOf(ctx context.Context, snap *program.Snapshot, ref string) (int64, error) {
	c := api.CallerOf(ctx)
	store := snap.DefaultStore()
	switch {
	case ref != "":
		var err error
		if store, err = snap.FindStore(ref); err != nil {
			return 0, err
		}
	case len(c.Stores) == 1:
		store, _ = snap.Store(c.Stores[0])
	}
	if !snap.SeesStore(c, store.ID) {
		return 0, program.ErrNoStore
	}
	return store.ID, nil
}

func linesOf(n New) ([]Line, error) {
	lines := make([]Line, len(n.Lines))
	seen := make(map[int64]bool, len(n.Lines))
	var sum int64
	for i, l := range n.Lines {
		if seen[l.Line] {
			return nil, ErrLineTwice.With("line", l.Line).At("body.lines[" + strconv.Itoa(i) + "].line")
		}
		seen[l.Line] = true
		if err := l.Quantity.check(l.Line, "body.lines["+strconv.Itoa(i)+"].quantity"); err != nil {
			return nil, err
		}
		var ok bool
		if sum, ok = money.Add(sum, l.Amount); !ok {
			return nil, money.ErrTooBig.At("body.lines[" + strconv.Itoa(i) + "].amount")
		}
		lines[i] = Line{Line: l.Line, SKU: l.SKU, Name: l.Name, Category: l.Category, Brand: l.Brand, Milli: int64(l.Quantity), Amount: l.Amount, Cost: l.Cost, Attributes: l.Attributes}
	}
	if sum != n.Total {
		return nil, ErrTotal.With("sum", sum, "total", n.Total).At("body.total")
	}
	return lines, nil
}

// addPayments notes the payments, and which holds they capture.
func (d *Document) addPayments(n New) (holds []ledger.LotKey, err error) {
	for i, p := range n.Payments {
		d.Body.Payments = append(d.Body.Payments, Payment(p))
		if p.Kind != "points" && !strings.HasPrefix(p.Reference, "hld_") {
			continue
		}
		m, seq, err := id.Decode("hld_", p.Reference)
		if err != nil {
			return nil, ErrPayment.At("body.payments[" + strconv.Itoa(i) + "].reference")
		}
		holds = append(holds, ledger.LotKey{Member: m, Seq: seq})
	}
	for _, x := range n.Discounts {
		d.Body.Discounts = append(d.Body.Discounts, Discount{Kind: x.Kind, Ref: x.Ref, Amount: x.Amount})
	}
	return holds, nil
}

// own puts a document under its owner, or under a stand-in of its store where it has none.
func (d *Document) own(owner member.ID) {
	d.Owner, d.Member = int64(owner), int64(owner)
	if owner == 0 {
		h := ledger.ContentHash([]string{d.Source, d.Document})
		d.Member = standIn(d.Store, h[0])
	}
}
