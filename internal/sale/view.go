package sale

import (
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// View is a sale or return as the outside reads it.
type View struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind" enum:"sale,return"`
	State      string         `json:"state" enum:"posted,waiting,parked"`
	Source     string         `json:"source"`
	Document   string         `json:"document"`
	MemberID   string         `json:"member_id,omitempty" doc:"Whose it is; absent while nobody has claimed it."`
	MemberName string         `json:"member_name,omitempty" doc:"In the list, for who may read members: what the member is called."`
	SaleID     string         `json:"sale_id,omitempty" doc:"Of a return: its sale."`
	Of         *Of            `json:"of,omitempty" doc:"Of a return that came before its sale: the document that it named."`
	Store      string         `json:"store" doc:"Id of the store."`
	Till       string         `json:"till,omitempty"`
	Staff      string         `json:"staff,omitempty"`
	Channel    string         `json:"channel,omitempty"`
	Currency   string         `json:"currency"`
	Total      int64          `json:"total" doc:"In minor units; of a return what was given back."`
	At         string         `json:"at" doc:"When it was made."`
	PostedAt   string         `json:"posted_at" doc:"When it was recorded."`
	Flags      []string       `json:"flags"`
	Lines      []LineView     `json:"lines"`
	Payments   []NewPayment   `json:"payments,omitempty"`
	Discounts  []DiscountView `json:"discounts,omitempty" doc:"What came off: what the till says, and what was taken off here."`
	Attributes map[string]any `json:"attributes,omitempty"`
	Points     []PointsView   `json:"points" doc:"What it earned, and what of that was taken back since."`
	ClawedBack []PointsMoved  `json:"clawed_back,omitempty" doc:"Of a return: what it took back."`
	Restored   []PointsMoved  `json:"restored,omitempty" doc:"Of a return: what came back of the points that paid."`
}

// LineView is one line of a View.
type LineView struct {
	Line             int64          `json:"line"`
	SKU              string         `json:"sku,omitempty"`
	Name             string         `json:"name,omitempty"`
	Category         string         `json:"category,omitempty"`
	Brand            string         `json:"brand,omitempty"`
	Quantity         Quantity       `json:"quantity"`
	Amount           int64          `json:"amount" doc:"In minor units; 0 in a return that waits and leaves the amount to the sale."`
	Cost             int64          `json:"cost,omitempty"`
	ReturnedQuantity Quantity       `json:"returned_quantity,omitempty" doc:"Of a sale: what came back so far."`
	ReturnedAmount   int64          `json:"returned_amount,omitempty"`
	SaleID           string         `json:"sale_id,omitempty" doc:"Of a return over several sales: whose line this is."`
	Parked           string         `json:"parked,omitempty" doc:"Of a parked return: why this line has no effect yet."`
	Attributes       map[string]any `json:"attributes,omitempty"`
}

// PointsView is what a sale earned in one lot.
type PointsView struct {
	LotID      string `json:"lot_id"`
	Currency   string `json:"currency" doc:"Code of the point currency."`
	Amount     int64  `json:"amount"`
	ClawedBack int64  `json:"clawed_back"`
	Rule       string `json:"rule"`
}

// PointsMoved is what a return moved.
type PointsMoved struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Amount   int64  `json:"amount"`
	Debt     int64  `json:"debt,omitempty"`
	Waived   int64  `json:"waived,omitempty"`
}

func (s *Service) view(d *Document) View {
	v := View{
		ID: d.ID(), Kind: "sale", State: d.State.String(), Source: d.Source, Document: d.Document, Of: d.Body.Of,
		Store: program.StoreID(d.Store), Till: d.Till, Staff: d.Staff, Channel: d.Channel, Currency: d.Currency, Total: d.Total,
		At: iso(d.AtMS), PostedAt: iso(d.PostedMS), Flags: d.Flags.Names(), Lines: []LineView{}, Attributes: d.Body.Attributes, Points: []PointsView{},
	}
	if d.Kind == Return {
		v.Kind = "return"
	}
	if d.Owner != 0 {
		v.MemberID = member.ID(d.Owner).String()
	}
	if d.OfSeq != 0 {
		v.SaleID = id.Encode(idPrefix, d.OfMember, d.OfSeq)
	}
	for _, l := range d.Body.Lines {
		v.Lines = append(v.Lines, viewLine(d, l))
	}
	for _, p := range d.Body.Payments {
		v.Payments = append(v.Payments, NewPayment(p))
	}
	for _, x := range d.Body.Discounts {
		v.Discounts = append(v.Discounts, viewDiscount(d, x))
	}
	codes := s.engine.Config().Currencies
	for _, e := range d.Effect.Earned {
		v.Points = append(v.Points, PointsView{LotID: id.Encode("lot_", e.Member, e.Lot), Currency: codes[e.Currency].Code, Amount: e.Amount, ClawedBack: e.Clawed, Rule: e.Rule})
	}
	v.ClawedBack, v.Restored = viewMoved(codes, d.Effect.Clawed), viewMoved(codes, d.Effect.Restored)
	return v
}

// DiscountView is what came off a sale.
type DiscountView struct {
	Kind   string        `json:"kind" doc:"As coupon, member_price, tier, plan; of a till's own whatever it says."`
	Ref    string        `json:"ref,omitempty" doc:"Code of the voucher, the price list, the tier or the plan."`
	Amount int64         `json:"amount" doc:"In minor units, positive."`
	Lines  []LineOffView `json:"lines,omitempty" doc:"Of one that was taken off here: from which lines, whose amounts are without it."`
}

// LineOffView is what came off one line.
type LineOffView struct {
	Line int64 `json:"line"`
	Off  int64 `json:"off" doc:"In minor units."`
}

func viewDiscount(d *Document, x Discount) DiscountView {
	v := DiscountView{Kind: x.Kind, Ref: x.Ref, Amount: x.Amount}
	for i, n := range x.ByLine {
		if n > 0 {
			v.Lines = append(v.Lines, LineOffView{d.Body.Lines[i].Line, n})
		}
	}
	return v
}

func viewLine(d *Document, l Line) LineView {
	v := LineView{
		Line: l.Line, SKU: l.SKU, Name: l.Name, Category: l.Category, Brand: l.Brand, Quantity: Quantity(l.Milli), Amount: max(0, l.Amount), Cost: l.Cost,
		ReturnedQuantity: Quantity(l.BackMilli), ReturnedAmount: l.BackAmount, Parked: l.Parked, Attributes: l.Attributes,
	}
	if l.OfSeq != 0 {
		v.SaleID = id.Encode(idPrefix, d.Member, l.OfSeq)
	}
	return v
}

func viewMoved(codes map[int64]*ledger.Currency, list []Moved) []PointsMoved {
	var out []PointsMoved
	for _, m := range list {
		out = append(out, PointsMoved{codes[m.Currency].Code, m.Amount, m.Debt, m.Waived})
	}
	return out
}
