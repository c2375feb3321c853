package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/price"
)

// thePrices is what members of the shop pay less for.
var thePrices = []struct {
	code  string
	terms price.Terms
	items []price.Item
}{
	{"members-bakery", price.Terms{NameEN: "Members' bakery", NameZH: "会员烘焙价"}, []price.Item{
		{SKU: "B101", Price: 6_80}, {SKU: "B104", Price: 9_90}, {SKU: "B201", Price: 28_00}, {SKU: "B301", Price: 9_90},
	}},
	{"gold-leaf", price.Terms{NameEN: "Tea leaves for Gold and above", NameZH: "金芽茶叶专享价", Tiers: []string{"gold", "reserve"}}, []price.Item{
		{SKU: "G101", Price: 108_00}, {Category: "goods/leaf", Percent: 12_00},
	}},
	{"tea-pass-cups", price.Terms{NameEN: "Tea pass prices", NameZH: "茶友卡专享价", Plans: []string{teaPass}}, []price.Item{
		{SKU: "T201", Price: 13_00}, {SKU: "T302", Price: 15_00}, {Category: "tea/cold", Percent: 10_00},
	}},
}

// prices gives the shop its member prices.
func (s *shop) prices(ctx context.Context, zone *time.Location) error {
	until := s.options.Now.AddDate(0, 2, 0).In(zone).Format(time.DateOnly)
	for _, t := range thePrices {
		t.terms.Until = until
		if _, err := s.app.Prices.Add(ctx, t.code, t.terms); err != nil {
			return fmt.Errorf("price list %s: %w", t.code, err)
		}
		if _, err := s.app.Prices.Put(ctx, t.code, t.items); err != nil {
			return fmt.Errorf("prices of %s: %w", t.code, err)
		}
		if _, err := s.app.Prices.Move(ctx, t.code, price.Live); err != nil {
			return fmt.Errorf("publish price list %s: %w", t.code, err)
		}
	}
	return nil
}
