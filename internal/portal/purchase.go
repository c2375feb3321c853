package portal

import (
	"context"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Purchase is a sale or a return as its owner reads it: not what it cost the shop, who sold
// it, or what tills wrote beside it.
type Purchase struct {
	ID       string         `json:"id" doc:"The purchase or return."`
	Kind     string         `json:"kind" enum:"sale,return" doc:"What it was."`
	State    string         `json:"state" enum:"bought,part_returned,returned,waiting" doc:"Of a sale: what became of it. Of a return: returned, or waiting for the shop."`
	At       time.Time      `json:"at" doc:"When."`
	Store    string         `json:"store,omitempty" doc:"Name of the store, in the language of the caller."`
	Document string         `json:"document" doc:"Number on the receipt."`
	Currency string         `json:"currency" doc:"ISO 4217 code."`
	Total    int64          `json:"total" doc:"Paid, or given back, in minor units."`
	Sale     string         `json:"sale_id,omitempty" doc:"Of a return: its sale."`
	Lines    []purchaseLine `json:"lines" doc:"What was bought, or came back."`
	Points   []earned       `json:"points" doc:"What it earned, and what was taken back of that since; of a return, what it took back."`
}

type purchaseLine struct {
	Line             int64         `json:"line" doc:"Number of the line."`
	Name             string        `json:"name,omitempty" doc:"What it is called."`
	SKU              string        `json:"sku,omitempty" doc:"Its number."`
	Quantity         sale.Quantity `json:"quantity" doc:"How much."`
	Amount           int64         `json:"amount" doc:"Paid for the line, in minor units."`
	ReturnedQuantity sale.Quantity `json:"returned_quantity,omitempty" doc:"What came back so far."`
	ReturnedAmount   int64         `json:"returned_amount,omitempty" doc:"What was given back for it."`
}

type earned struct {
	Currency string `json:"currency" doc:"Code of the point currency."`
	Amount   int64  `json:"amount" doc:"Earned; of a return 0."`
	Back     int64  `json:"taken_back" doc:"Taken back by returns."`
}

type purchasesIn struct{ api.Page }

type purchasesOut struct{ Body api.List[Purchase] }

func (s *Service) getPurchases(ctx context.Context, in *purchasesIn) (*purchasesOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	docs, next, err := s.o.Sales.OfMember(ctx, m, in.Page)
	if err != nil {
		return nil, err
	}
	return &purchasesOut{api.List[Purchase]{Items: s.viewPurchases(ctx, docs), NextCursor: next}}, nil
}

type purchaseIn struct {
	ID string `path:"id" maxLength:"64" doc:"The purchase or return (sal_…)."`
}

type purchaseOut struct {
	Body struct {
		Purchase
		Returns []Purchase `json:"returns" doc:"Of a sale: what came back of it."`
	}
}

func (s *Service) getPurchase(ctx context.Context, in *purchaseIn) (*purchaseOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	key, err := sale.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Sales.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	records, err := s.o.Members.Records(ctx, member.RefID(m))
	if err != nil {
		return nil, err
	}
	mine := func(d *sale.Document) bool { return d.Owner != 0 && slices.Contains(records, member.ID(d.Owner)) }
	if !mine(d) {
		return nil, sale.ErrNotFound
	}
	out := &purchaseOut{}
	out.Body.Purchase, out.Body.Returns = s.viewPurchase(ctx, d), []Purchase{}
	if d.Kind == sale.Purchase {
		back, err := s.o.Sales.ReturnsOf(ctx, d)
		if err != nil {
			return nil, err
		}
		out.Body.Returns = s.viewPurchases(ctx, back)
	}
	return out, nil
}

func (s *Service) viewPurchases(ctx context.Context, docs []*sale.Document) []Purchase {
	list := make([]Purchase, len(docs))
	for i, d := range docs {
		list[i] = s.viewPurchase(ctx, d)
	}
	return list
}

func (s *Service) viewPurchase(ctx context.Context, d *sale.Document) Purchase {
	v := Purchase{
		ID: d.ID(), Kind: "sale", State: state(d), At: time.UnixMilli(d.AtMS).UTC(), Document: d.Document, Currency: d.Currency, Total: d.Total,
		Lines: []purchaseLine{}, Points: []earned{},
	}
	if d.Kind == sale.Return {
		v.Kind = "return"
	}
	if st, ok := s.o.Program.Snapshot().Store(d.Store); ok {
		v.Store = i18n.Pick(api.Language(ctx), st.NameEN, st.NameZH)
	}
	if d.OfSeq != 0 {
		v.Sale = id.Encode("sal_", d.OfMember, d.OfSeq)
	}
	for _, l := range d.Body.Lines {
		v.Lines = append(v.Lines, purchaseLine{l.Line, l.Name, l.SKU, sale.Quantity(l.Milli), max(0, l.Amount), sale.Quantity(l.BackMilli), l.BackAmount})
	}
	currency := func(n int64) string {
		if c := s.o.Ledger.Config().Currencies[n]; c != nil {
			return c.Code
		}
		return ""
	}
	for _, e := range d.Effect.Earned {
		v.Points = append(v.Points, earned{currency(e.Currency), e.Amount, e.Clawed})
	}
	for _, c := range d.Effect.Clawed {
		v.Points = append(v.Points, earned{currency(c.Currency), 0, c.Amount})
	}
	return v
}

// state says what became of a document.
func state(d *sale.Document) string {
	if d.Kind == sale.Return {
		if d.State != sale.Posted {
			return "waiting"
		}
		return "returned"
	}
	some, all := false, true
	for _, l := range d.Body.Lines {
		some = some || l.BackMilli > 0
		all = all && l.BackMilli >= l.Milli
	}
	switch {
	case some && all:
		return "returned"
	case some:
		return "part_returned"
	}
	return "bought"
}
