package insight

import (
	"context"
	"errors"
	"strings"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Bounds of a search.
const (
	mostHits     = 8    // of each sort
	newestSales  = 2000 // whose sources a number is looked for in
	maxSearch    = 100
	leastProduct = 2 // letters, for a search of products by name
)

// Found is what a search found, by sort. Each is empty where nothing fits or the caller may
// not see it.
type Found struct {
	Members  []member.Line `json:"members" doc:"Members by phone, e-mail, card, number, external id or words of the name; at most 8."`
	Sales    []sale.View   `json:"sales" doc:"Sales and returns by number or id; at most 8. A number is looked for in the systems that sent the latest sales; source/number names one."`
	Products []Product     `json:"products" doc:"Products by sku, or by text in it or in the name; at most 8."`
}

// Product is a product that was found.
type Product struct {
	SKU      string `json:"sku" doc:"What sales name it by."`
	NameEN   string `json:"name_en" doc:"English name; may be empty."`
	NameZH   string `json:"name_zh" doc:"Chinese name; may be empty."`
	Category string `json:"category" doc:"Path of its category; empty for none."`
}

// Search looks for a text in everything that the caller may see.
func (s *Service) Search(ctx context.Context, q string) (*Found, error) {
	out := &Found{Members: []member.Line{}, Sales: []sale.View{}, Products: []Product{}}
	if q = strings.TrimSpace(q); q == "" {
		return out, nil
	}
	can := api.CallerOf(ctx).Can
	var err error
	if can[staff.ReadMembers] {
		if out.Members, err = s.o.Members.Lines(ctx, member.Search{Q: q, Limit: mostHits}); err != nil {
			return nil, err
		}
	}
	if can[staff.ReadSales] {
		if out.Sales, err = s.searchSales(ctx, q); err != nil {
			return nil, err
		}
	}
	if can[staff.ReadCatalog] {
		out.Products, err = s.searchProducts(ctx, q)
	}
	return out, err
}

func (s *Service) searchSales(ctx context.Context, q string) ([]sale.View, error) {
	if source, number, ok := strings.Cut(q, "/"); ok {
		found, err := s.o.Sales.Numbered(ctx, strings.TrimSpace(number), []string{strings.TrimSpace(source)}, mostHits)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	sources, err := s.o.Sales.Sources(ctx, newestSales)
	if err != nil {
		return nil, err
	}
	return s.o.Sales.Numbered(ctx, q, sources, mostHits)
}

// searchProducts finds the product of a sku first, then those in which the text stands.
func (s *Service) searchProducts(ctx context.Context, q string) ([]Product, error) {
	out := []Product{}
	add := func(p catalog.Product) {
		out = append(out, Product{p.SKU, p.NameEN, p.NameZH, p.Category})
	}
	exact, err := s.o.Catalog.Get(ctx, q)
	switch {
	case err == nil:
		add(exact)
	case !errors.Is(err, catalog.ErrUnknown):
		return nil, err
	}
	if len([]rune(q)) < leastProduct {
		return out, nil
	}
	list, err := s.o.Catalog.List(ctx, catalog.Filter{Query: q}, mostHits)
	for _, p := range list {
		if p.SKU != exact.SKU && len(out) < mostHits {
			add(p)
		}
	}
	return out, err
}
