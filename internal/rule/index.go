package rule

import (
	"math/bits"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
)

// Set is rules that count together, indexed so that a sale asks few of them. It does not change.
type Set struct {
	list  []*compiled // all, in the order of evaluation
	sales []*compiled // those on sales
	other map[string][]*compiled
	under func(category, ancestor string) bool

	// For each weekday, store, product, brand and category: which of sales may count.
	weekdays   [7]bitset
	stores     map[string]bitset
	anyStore   bitset
	products   map[string]bitset
	brands     map[string]bitset
	categories map[string]bitset
	anyProduct bitset
}

// bitset is a set of places in a list.
type bitset []uint64

func (b *bitset) put(i int) {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func (b bitset) has(i int) bool { return i/64 < len(b) && b[i/64]&(1<<(i%64)) != 0 }

// or puts all of another into b.
func (b *bitset) or(more bitset) {
	for len(*b) < len(more) {
		*b = append(*b, 0)
	}
	for i, w := range more {
		(*b)[i] |= w
	}
}

// and keeps what is in another too.
func (b bitset) and(other bitset) {
	for i := range b {
		if i < len(other) {
			b[i] &= other[i]
		} else {
			b[i] = 0
		}
	}
}

func newSet(list []*compiled, s *Snapshot) *Set {
	inOrder(list)
	set := &Set{
		list: list, other: map[string][]*compiled{}, under: s.under,
		stores: map[string]bitset{}, products: map[string]bitset{}, brands: map[string]bitset{}, categories: map[string]bitset{},
	}
	for _, c := range list {
		if on := c.def.Trigger.On; on != OnSale {
			set.other[on] = append(set.other[on], c)
			continue
		}
		set.put(c)
	}
	return set
}

func (s *Set) put(c *compiled) {
	i := len(s.sales)
	s.sales = append(s.sales, c)
	for d := range s.weekdays {
		if c.weekdays == 0 || c.weekdays&(1<<d) != 0 {
			s.weekdays[d].put(i)
		}
	}
	in := func(m map[string]bitset, keys []string) {
		for _, k := range keys {
			b := m[k]
			b.put(i)
			m[k] = b
		}
	}
	scope := &c.def.Scope
	if in(s.stores, scope.Stores); len(scope.Stores) == 0 {
		s.anyStore.put(i)
	}
	in(s.products, scope.SKUs)
	in(s.brands, scope.Brands)
	if in(s.categories, scope.Categories); len(scope.SKUs)+len(scope.Brands)+len(scope.Categories) == 0 {
		s.anyProduct.put(i)
	}
}

// candidates are the rules on sales that weekday, store and products let through.
func (s *Set) candidates(f *cond.Facts) bitset {
	if len(s.sales) == 0 {
		return nil
	}
	weekday := (int(f.Now.Time().Weekday()) + 6) % 7
	var may bitset
	may.or(s.anyProduct)
	var seen []string // categories, each asked once
	for i := range f.Sale.Lines {
		l := &f.Sale.Lines[i]
		may.or(s.products[l.SKU])
		may.or(s.brands[l.Brand])
		if len(s.categories) == 0 || l.Category == "" || contains(seen, l.Category) {
			continue
		}
		seen = append(seen, l.Category)
		for category, b := range s.categories {
			if s.under(l.Category, category) {
				may.or(b)
			}
		}
	}
	var store bitset
	store.or(s.anyStore)
	store.or(s.stores[f.Sale.Store])
	may.and(store)
	may.and(s.weekdays[weekday])
	return may
}

func contains(list []string, text string) bool {
	for _, t := range list {
		if t == text {
			return true
		}
	}
	return false
}

// each goes through the members of a set in ascending order.
func (b bitset) each(fn func(i int)) {
	for w, word := range b {
		for word != 0 {
			fn(w*64 + bits.TrailingZeros64(word))
			word &= word - 1
		}
	}
}

// on are the rules of another trigger.
func (s *Set) on(trigger string) []*compiled { return s.other[trigger] }

// counts reports whether a rule is within its bounds at an instant.
func (c *compiled) counts(at time.Time) bool {
	ms := at.UnixMilli()
	return c.from <= ms && ms < c.until
}
