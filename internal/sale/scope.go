package sale

import "slices"

// Scope says which lines of a basket something is for: a coupon, a discount. What is empty does not limit.
type Scope struct {
	Categories        []string `json:"categories,omitempty" yaml:"categories,omitempty" maxItems:"500" doc:"Only lines of these categories and those below them."`
	Brands            []string `json:"brands,omitempty" yaml:"brands,omitempty" maxItems:"500" doc:"Only lines of these brands."`
	SKUs              []string `json:"skus,omitempty" yaml:"skus,omitempty" maxItems:"500" doc:"Only lines of these products."`
	ExcludeCategories []string `json:"exclude_categories,omitempty" yaml:"exclude_categories,omitempty" maxItems:"500" doc:"No lines of these categories and those below them."`
	ExcludeBrands     []string `json:"exclude_brands,omitempty" yaml:"exclude_brands,omitempty" maxItems:"500" doc:"No lines of these brands."`
	ExcludeSKUs       []string `json:"exclude_skus,omitempty" yaml:"exclude_skus,omitempty" maxItems:"500" doc:"No lines of these products."`
}

// All reports whether every line is in scope.
func (c *Scope) All() bool {
	return len(c.Categories)+len(c.Brands)+len(c.SKUs)+len(c.ExcludeCategories)+len(c.ExcludeBrands)+len(c.ExcludeSKUs) == 0
}

// Of is which lines of a basket are in scope, nil for all.
func (c *Scope) Of(b *Basket) func(i int) bool {
	if c.All() {
		return nil
	}
	lines := b.Sale.Body.Lines
	return func(i int) bool { return c.Has(lines[i].SKU, lines[i].Category, lines[i].Brand, b.Under) }
}

// Has reports whether a line is in scope.
func (c *Scope) Has(sku, category, brand string, under func(category, ancestor string) bool) bool {
	below := func(list []string) bool {
		return slices.ContainsFunc(list, func(x string) bool { return under(category, x) })
	}
	switch {
	case slices.Contains(c.ExcludeSKUs, sku), slices.Contains(c.ExcludeBrands, brand), below(c.ExcludeCategories):
		return false
	case len(c.Categories)+len(c.Brands)+len(c.SKUs) == 0:
		return true
	}
	return slices.Contains(c.SKUs, sku) || slices.Contains(c.Brands, brand) || below(c.Categories)
}
