package price

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Quoted is what one unit of a product costs a member.
type Quoted struct {
	SKU     string   `json:"sku" doc:"The product."`
	Price   *int64   `json:"price" doc:"What everybody pays by the catalogue, in minor units; null where the catalogue has no price in the programme's currency."`
	Member  *int64   `json:"member_price" doc:"What the member pays, without coupons; null where price is, unless a list says a price."`
	List    string   `json:"list,omitempty" doc:"Code of the price list whose price it is."`
	NameEN  string   `json:"name_en,omitempty" doc:"Name of the list."`
	NameZH  string   `json:"name_zh,omitempty" doc:"Name of the list."`
	Percent int64    `json:"percent,omitempty" doc:"Where the list gives a percentage: how much, in hundredths of a per cent."`
	Until   string   `json:"until,omitempty" doc:"The first instant at which the list no longer holds; absent where it has no end."`
	Also    []string `json:"also,omitempty" doc:"What else is in member_price: tier, plan."`
}

type pricesIn struct {
	Member  string   `query:"member" maxLength:"255" doc:"Who looks, by any identifier; absent for nobody in particular: then nothing is cheaper." example:"phone:+8613800000000"`
	SKU     []string `query:"sku" minItems:"1" maxItems:"100" required:"true" doc:"The products, separated by commas." example:"T101,T102"`
	Store   string   `query:"store" maxLength:"64" doc:"Where: id or code; absent = the caller's only store, or the programme's default."`
	Channel string   `query:"channel" maxLength:"32" doc:"As store, web, app."`
}

type pricesOut struct {
	Body struct {
		Currency string   `json:"currency" doc:"ISO 4217 code of the prices."`
		Items    []Quoted `json:"items" doc:"In the order of the question."`
	}
}

func (s *Service) getPrices(ctx context.Context, in *pricesIn) (*pricesOut, error) {
	snap := s.o.Program.Snapshot()
	doc := sale.New{
		Source: "prices", Document: "0", Member: in.Member, At: s.o.Clock.Now().UTC().Format(time.RFC3339Nano), Currency: snap.Settings.Currency, Store: in.Store, Channel: in.Channel,
	}
	known := make([]*int64, len(in.SKU))
	for i, sku := range in.SKU {
		l := sale.NewLine{Line: int64(i + 1), SKU: sku, Quantity: 1000}
		p, err := s.o.Catalog.Get(ctx, sku)
		if err != nil && !errors.Is(err, catalog.ErrUnknown) {
			return nil, err
		}
		if l.Category, l.Brand = p.Category, p.Brand; p.Price != nil && p.Currency == doc.Currency {
			known[i], l.Amount = p.Price, *p.Price
			doc.Total += l.Amount
		}
		doc.Lines = append(doc.Lines, l)
	}
	b, err := s.sales.Basket(ctx, doc)
	if err != nil {
		return nil, err
	}
	lines := make([]discount.Line, len(doc.Lines))
	for i, l := range b.Sale.Body.Lines {
		lines[i] = discount.Line{Line: l.Line, SKU: l.SKU, Category: l.Category, Brand: l.Brand, Milli: l.Milli, Amount: l.Amount}
	}
	m, err := s.match(ctx, b, lines)
	if err != nil {
		return nil, err
	}
	out := &pricesOut{}
	out.Body.Currency, out.Body.Items = doc.Currency, make([]Quoted, len(lines))
	for i, l := range lines {
		out.Body.Items[i] = s.quote(m, i, l, known[i])
	}
	return out, nil
}

// quote says what one unit of a line costs by itself.
func (s *Service) quote(m *matched, i int, l discount.Line, known *int64) Quoted {
	q := Quoted{SKU: l.SKU, Price: known, Member: known}
	if m == nil {
		return q
	}
	may := m.may[i]
	if known == nil { // of what costs nobody knows what, the lowest price that is said
		may = slices.DeleteFunc(slices.Clone(may), func(e entry) bool { return e.price == 0 })
		for _, e := range may {
			l.Amount = max(l.Amount, e.price+1)
		}
		if len(may) == 0 {
			return q
		}
	}
	e, off := best(may, l)
	if off > 0 {
		q.List, q.NameEN, q.NameZH, q.Percent, q.Until = e.in.Code, e.in.Terms.NameEN, e.in.Terms.NameZH, e.percent, e.in.Terms.Until
	}
	one := &matched{b: m.b, may: [][]entry{may}, tier: m.tier, plan: m.plan}
	takes := one.takes([]discount.Line{l})
	promos := make([]discount.Promo, len(takes))
	for k, t := range takes {
		promos[k] = t.Promo
		if on := t.Promo.Scope; on != nil { // it numbers the lines of the question
			promos[k].Scope = func(int) bool { return on(i) }
		}
	}
	r := discount.Apply([]discount.Line{l}, promos)
	for _, x := range r.Applied {
		for _, t := range takes {
			if t.Promo.Ref == x.Ref && t.Kind != KindPrice {
				q.Also = append(q.Also, t.Kind)
			}
		}
	}
	q.Member = &r.Lines[0]
	return q
}
