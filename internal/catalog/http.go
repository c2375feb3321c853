package catalog

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	tags := []string{"Catalog"}
	api.Get(r, "/v1/products", s.getProducts, api.Doc{
		ID: "listProducts", Summary: "List products, with filters.", Tags: tags, Needs: staff.ReadCatalog,
	})
	api.Get(r, "/v1/products/{sku}", s.getProduct, api.Doc{
		ID: "getProduct", Summary: "Read a product.", Tags: tags, Needs: staff.ReadCatalog, Fails: []error{ErrUnknown},
	})
	api.Put(r, "/v1/products/{sku}", s.putProduct, api.Doc{
		ID: "putProduct", Summary: "Make a product, or replace all that it says.", Tags: tags, Needs: staff.WriteCatalog,
		Fails: []error{ErrSKU, ErrName, ErrNoCategory, ErrAmount, ErrCurrency, money.ErrCurrency, money.ErrTooBig},
	})
	api.Patch(r, "/v1/products/{sku}", s.patchProduct, api.Doc{
		ID: "changeProduct", Summary: "Change part of a product.", Tags: tags, Needs: staff.WriteCatalog,
		Fails: []error{ErrUnknown, ErrName, ErrNoCategory, ErrAmount, ErrCurrency, money.ErrCurrency, money.ErrTooBig},
	})
	s.categoryRoutes(r)
}

type productView struct {
	SKU      string       `json:"sku" doc:"What sales name it by."`
	NameEN   string       `json:"name_en" doc:"English name; may be empty."`
	NameZH   string       `json:"name_zh" doc:"Chinese name; may be empty."`
	Category string       `json:"category" doc:"Path of its category; empty for none." example:"tea/green"`
	Brand    string       `json:"brand" doc:"Brand; may be empty."`
	Cost     *money.Money `json:"cost,omitempty" doc:"What one costs the shop."`
	Price    *money.Money `json:"price,omitempty" doc:"What one is sold for."`
	Active   bool         `json:"active" doc:"Whether it is sold now."`
	Learned  bool         `json:"learned" doc:"Known from sales only; nobody has edited it."`
	Changed  time.Time    `json:"changed_at" doc:"When it was last changed."`
}

func view(p Product) productView {
	return productView{p.SKU, p.NameEN, p.NameZH, p.Category, p.Brand, p.amount(p.Cost), p.amount(p.Price),
		p.Active, p.Learned, time.UnixMilli(p.ChangedMS).UTC()}
}

func (p Product) amount(v *int64) *money.Money {
	if v == nil {
		return nil
	}
	return &money.Money{Amount: *v, Currency: p.Currency}
}

type productsIn struct {
	api.Page
	Category string `query:"category" maxLength:"500" doc:"Only this category and what lies under it: a path or an id."`
	Brand    string `query:"brand" maxLength:"100" doc:"Only this brand."`
	Q        string `query:"q" maxLength:"100" doc:"Text to find in sku or names, whatever its case and width."`
}

type productsOut struct{ Body api.List[productView] }

func (s *Service) getProducts(ctx context.Context, in *productsIn) (*productsOut, error) {
	f := Filter{Category: in.Category, Brand: in.Brand, Query: in.Q}
	at, err := api.DecodeCursor(in.Cursor, 1)
	if err != nil {
		return nil, err
	}
	if at != nil {
		f.After = at[0]
	}
	list, err := s.List(ctx, f, in.Limit+1)
	if err != nil {
		return nil, err
	}
	var out productsOut
	out.Body.Items = make([]productView, 0, len(list))
	for i, p := range list {
		if i == in.Limit {
			out.Body.NextCursor = api.EncodeCursor(list[i-1].ID)
			break
		}
		out.Body.Items = append(out.Body.Items, view(p))
	}
	return &out, nil
}

type productIn struct {
	SKU string `path:"sku" maxLength:"100" doc:"The sku."`
}

type productOut struct{ Body productView }

func (s *Service) getProduct(ctx context.Context, in *productIn) (*productOut, error) {
	return answer(s.Get(ctx, in.SKU))
}

func answer(p Product, err error) (*productOut, error) {
	if err != nil {
		return nil, err
	}
	return &productOut{view(p)}, nil
}

type putIn struct {
	SKU  string `path:"sku" maxLength:"100" doc:"The sku."`
	Body struct {
		NameEN   string       `json:"name_en,omitempty" maxLength:"200" doc:"English name."`
		NameZH   string       `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name; one of the two is needed."`
		Category string       `json:"category,omitempty" maxLength:"500" doc:"Path or id of a category."`
		Brand    string       `json:"brand,omitempty" maxLength:"100" doc:"Brand."`
		Cost     *money.Money `json:"cost,omitempty" doc:"What one costs the shop."`
		Price    *money.Money `json:"price,omitempty" doc:"What one is sold for, in the same currency."`
		Active   *bool        `json:"active,omitempty" doc:"False for a product that is no longer sold; true where absent."`
	}
}

func (s *Service) putProduct(ctx context.Context, in *putIn) (*productOut, error) {
	b := in.Body
	p := Product{SKU: in.SKU, NameEN: b.NameEN, NameZH: b.NameZH, Category: b.Category, Brand: b.Brand,
		Active: b.Active == nil || *b.Active}
	if err := p.setAmounts(b.Cost, b.Price); err != nil {
		return nil, err
	}
	return answer(s.Put(ctx, p))
}

// setAmounts takes cost and price where they are given. A currency that one brings counts
// for the other too, so it must not turn an amount into another.
func (p *Product) setAmounts(cost, price *money.Money) error {
	for _, m := range []struct {
		is     *money.Money
		to     **int64
		beside *int64
		where  string
	}{{cost, &p.Cost, p.Price, "body.cost.currency"}, {price, &p.Price, p.Cost, "body.price.currency"}} {
		if m.is == nil {
			continue
		}
		both := cost != nil && price != nil
		if both && cost.Currency != price.Currency || !both && m.beside != nil && p.Currency != m.is.Currency {
			return ErrCurrency.At(m.where)
		}
		amount := m.is.Amount
		*m.to, p.Currency = &amount, m.is.Currency
	}
	return nil
}

type patchIn struct {
	SKU  string `path:"sku" maxLength:"100" doc:"The sku."`
	Body struct {
		NameEN   *string      `json:"name_en,omitempty" maxLength:"200" doc:"English name."`
		NameZH   *string      `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name."`
		Category *string      `json:"category,omitempty" maxLength:"500" doc:"Path or id of a category; empty for none."`
		Brand    *string      `json:"brand,omitempty" maxLength:"100" doc:"Brand."`
		Cost     *money.Money `json:"cost,omitempty" doc:"What one costs the shop."`
		Price    *money.Money `json:"price,omitempty" doc:"What one is sold for."`
		Active   *bool        `json:"active,omitempty" doc:"Whether it is sold."`
	}
}

func (s *Service) patchProduct(ctx context.Context, in *patchIn) (*productOut, error) {
	b := in.Body
	return answer(s.Change(ctx, in.SKU, func(p *Product) error {
		for _, t := range []struct{ to, from *string }{
			{&p.NameEN, b.NameEN}, {&p.NameZH, b.NameZH}, {&p.Category, b.Category}, {&p.Brand, b.Brand},
		} {
			if t.from != nil {
				*t.to = *t.from
			}
		}
		if b.Active != nil {
			p.Active = *b.Active
		}
		return p.setAmounts(b.Cost, b.Price)
	}))
}
