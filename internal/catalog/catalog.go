// Package catalog keeps what the programme sells: products by sku, and the tree of
// categories that rules and reports speak of.
//
// Life of a product: it is put by the API or an import, or learned from the first sale
// that names its sku. What was learned is filled in and corrected by people; a sale never
// overwrites that. A product is not deleted, since sales name it; it is made inactive.
//
// Laws:
//   - A sku is unique in the programme and taken as it is written, case included.
//   - A category is known by its path, the slugs from the top ("tea/green"). Only a category
//     without products and without branches can be deleted.
//   - A sale's own word on a line's category counts for that sale; the catalogue answers
//     where the sale said nothing.
//   - Every change of a product tells catalog.product_changed. The snapshot in memory
//     follows these events, so it is right on every node within a second or two.
package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Product is one thing that is sold.
type Product struct {
	ID             int64
	SKU            string
	NameEN, NameZH string
	Category       string // path; "" for none
	CategoryID     int64  // 0 for none
	Brand          string
	Cost, Price    *int64 // in minor units of Currency, not negative; nil where unknown
	Currency       string // of cost and price; "" where both are unknown
	Active         bool
	Learned        bool // nobody has put or edited it yet
	ChangedMS      int64
}

// Category is one node of the tree.
type Category struct {
	ID             int64
	ParentID       int64  // 0 at the top
	Path           string // "tea/green"
	NameEN, NameZH string
	ChangedMS      int64
}

// PublicID is the id of the category as the outside sees it. It stays when the path changes.
func (c Category) PublicID() string { return id.Encode("cat_", 0, c.ID) }

// Slug is the last part of the path.
func (c Category) Slug() string { return c.Path[strings.LastIndexByte(c.Path, '/')+1:] }

// The bounds of the catalogue.
const (
	MaxSKU        = 100    // bytes
	maxName       = 200    // characters
	maxBrand      = 100    // characters
	maxSlug       = 60     // characters
	maxDepth      = 8      // levels of the tree
	MaxCategories = 10_000 // the tree lies in memory, and people have to find their way in it
	MaxBulk       = 1000   // products in one call of PutAll or Learn
)

// The refusals.
var (
	ErrUnknown    = errs.New(errs.NotFound, "catalog.unknown_product", "There is no product with this sku.", "没有此 SKU 的商品。")
	ErrNoCategory = errs.New(errs.NotFound, "catalog.unknown_category", "There is no such category.", "没有这个分类。")
	ErrSKU        = errs.New(errs.Invalid, "catalog.sku",
		"A sku has 1 to 100 bytes, no control characters, and no space at either end.", "SKU 长度为 1 至 100 字节，不含控制字符，首尾不能有空格。")
	ErrName     = errs.New(errs.Invalid, "catalog.name", "A name in at least one language is needed.", "至少需要一种语言的名称。")
	ErrTooLong  = errs.New(errs.Invalid, "catalog.too_long", "This is longer than {limit} characters.", "长度超过 {limit} 个字符。")
	ErrAmount   = errs.New(errs.Invalid, "catalog.amount", "Cost and price are not negative.", "成本和价格不能为负数。")
	ErrCurrency = errs.New(errs.Invalid, "catalog.currencies", "Cost and price are in one currency.", "成本和价格须使用同一种货币。")
	ErrSlug     = errs.New(errs.Invalid, "catalog.slug",
		"A slug is of small letters, digits, - and _, 60 characters at most.", "分类标识只能包含小写字母、汉字、数字、- 和 _，最多 60 个字符。")
	ErrTaken = errs.New(errs.Conflict, "catalog.path_taken", "There is a category with this path already.", "已存在相同路径的分类。")
	ErrDepth = errs.New(errs.Invalid, "catalog.depth", "The tree has {limit} levels at most.", "分类最多 {limit} 级。")
	ErrLoop  = errs.New(errs.Conflict, "catalog.loop", "A category cannot be moved under itself.", "分类不能移动到自身之下。")
	ErrInUse = errs.New(errs.Conflict, "catalog.in_use",
		"The category still has products or branches. Move them first.", "该分类下还有商品或子分类，请先移走。")
	ErrFull = errs.New(errs.Conflict, "catalog.full", "There are {limit} categories already.", "分类数量已达上限 {limit}。")
)

// Check returns why p cannot be kept, or nil. It does not know which categories there are.
func (p Product) Check() error {
	if !validSKU(p.SKU) {
		return ErrSKU.At("path.sku")
	}
	if p.NameEN == "" && p.NameZH == "" {
		return ErrName.At("body.name_en")
	}
	for _, t := range []struct {
		where, text string
		limit       int
	}{{"body.name_en", p.NameEN, maxName}, {"body.name_zh", p.NameZH, maxName}, {"body.brand", p.Brand, maxBrand}} {
		if utf8.RuneCountInString(t.text) > t.limit {
			return ErrTooLong.With("limit", t.limit).At(t.where)
		}
	}
	return p.checkAmounts()
}

func (p Product) checkAmounts() error {
	for _, a := range []struct {
		where string
		v     *int64
	}{{"body.cost.amount", p.Cost}, {"body.price.amount", p.Price}} {
		switch {
		case a.v == nil:
		case *a.v < 0:
			return ErrAmount.At(a.where)
		case *a.v > money.Max:
			return money.ErrTooBig.At(a.where)
		}
	}
	if p.Cost == nil && p.Price == nil {
		return nil
	}
	_, err := money.Decimals(p.Currency)
	return err
}

func validSKU(sku string) bool {
	return sku != "" && len(sku) <= MaxSKU && utf8.ValidString(sku) && strings.TrimSpace(sku) == sku &&
		!strings.ContainsFunc(sku, unicode.IsControl)
}

// Under reports whether a path is an ancestor's or lies under it. Both are in the form
// that Path gives. Nothing lies under "".
func Under(path, ancestor string) bool {
	rest, ok := strings.CutPrefix(path, ancestor)
	return ok && ancestor != "" && (rest == "" || rest[0] == '/')
}

// Path brings the words that a sale or a file uses for a category ("Tea / Green Tea",
// "茶 > 绿茶") into the form that categories are known by ("tea/green-tea", "茶/绿茶"). What
// is too deep or too long is cut. It returns "" where nothing is left.
func Path(words string) string {
	var parts []string
	for _, w := range split(words) {
		if s := slug(w); s != "" && len(parts) < maxDepth {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "/")
}

func split(words string) []string {
	return strings.FieldsFunc(norm.NFKC.String(words), func(r rune) bool { return r == '/' || r == '>' })
}

// slug makes small letters of a word and joins what is no letter or digit by one hyphen.
func slug(word string) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range strings.ToLower(norm.NFKC.String(word)) {
		if !unicode.In(r, unicode.L, unicode.N, unicode.M) && r != '_' {
			gap = n > 0
			continue
		}
		if gap && n < maxSlug-1 {
			b.WriteByte('-')
			n++
		}
		gap = false
		if n == maxSlug {
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// fold is the form in which names are searched: one width, one case, single spaces.
func fold(texts ...string) string {
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(strings.Join(texts, " ")))), " ")
}

// pattern makes what a person typed into a LIKE pattern that finds it anywhere, its own
// signs taken literally.
func pattern(q string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(q)) + "%"
}

// byScript puts a name of an unknown language where it belongs: with a Han character it is
// Chinese.
func byScript(name string) (en, zh string) {
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return "", name
	}
	return name, ""
}

// cut shortens a text to a number of characters.
func cut(s string, most int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most]))
}

// parent is the path above a path, "" at the top.
func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '/'))]
}

// depth is the number of levels of a path.
func depth(path string) int { return strings.Count(path, "/") + 1 }
