package catalog

import (
	"maps"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Snapshot is the catalogue as this process knows it, for hot paths: nothing in it asks
// the database. It does not change; ask for a new one for each batch of work.
type Snapshot struct {
	tree *tree
	// The category id of each sku, 0 for none: all of them as of some time, and over it
	// what changed since. A product costs about 60 bytes here.
	base, over map[string]int64
	position   int64 // of the last event that is in here
}

// tree is all categories. It is made anew when one changes.
type tree struct {
	version int64
	list    []Category // by id
	byID    map[int64]*Category
	byPath  map[string]*Category
}

func newTree(version int64, list []Category) *tree {
	t := &tree{version, list, make(map[int64]*Category, len(list)), make(map[string]*Category, len(list))}
	for i := range list {
		t.byID[list[i].ID] = &list[i]
		t.byPath[list[i].Path] = &list[i]
	}
	return t
}

// Category returns the path of a product's category, "" for none, and whether the sku is
// known at all.
func (s *Snapshot) Category(sku string) (path string, known bool) {
	category, known := s.categoryOf(sku)
	if c := s.tree.byID[category]; c != nil {
		path = c.Path
	}
	return path, known
}

func (s *Snapshot) categoryOf(sku string) (category int64, known bool) {
	if category, known = s.over[sku]; !known {
		category, known = s.base[sku]
	}
	return category, known
}

// Under reports whether a category is an ancestor or lies under it. Each is named by its
// id ("cat_…"), by its path, or in the words of a sale.
func (s *Snapshot) Under(category, ancestor string) bool {
	return Under(s.resolve(category), s.resolve(ancestor))
}

// resolve returns the path that is meant, of a category that need not exist.
func (s *Snapshot) resolve(name string) string {
	if _, ok := s.tree.byPath[name]; ok {
		return name
	}
	if c := s.byPublicID(name); c != nil {
		return c.Path
	}
	return Path(name)
}

func (s *Snapshot) byPublicID(name string) *Category {
	if !strings.HasPrefix(name, "cat_") {
		return nil
	}
	_, n, err := id.Decode("cat_", name)
	if err != nil {
		return nil
	}
	return s.tree.byID[n]
}

// Find returns a category by id or path, or ErrNoCategory.
func (s *Snapshot) Find(name string) (Category, error) {
	if c := s.tree.byPath[name]; c != nil {
		return *c, nil
	}
	if c := s.byPublicID(name); c != nil {
		return *c, nil
	}
	return Category{}, ErrNoCategory
}

// Categories returns all categories in the order in which they were made. The caller
// changes nothing in it.
func (s *Snapshot) Categories() []Category { return s.tree.list }

// with returns a snapshot in which products have these categories. It copies what changed
// since the base only; when that grows past an eighth of the base it becomes part of it.
func (s *Snapshot) with(changed map[string]int64) *Snapshot {
	next := *s
	if len(changed) == 0 {
		return &next
	}
	const small = 4096 // entries that are cheap to copy each time
	if n := len(s.over) + len(changed); n > small && n > len(s.base)/8 {
		next.base, next.over = make(map[string]int64, len(s.base)+n), nil
		maps.Copy(next.base, s.base)
		maps.Copy(next.base, s.over)
		maps.Copy(next.base, changed)
		return &next
	}
	next.over = make(map[string]int64, len(s.over)+len(changed))
	maps.Copy(next.over, s.over)
	maps.Copy(next.over, changed)
	return &next
}
