package catalog

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"":                      "",
		"tea/green":             "tea/green",
		"Tea / Green Tea":       "tea/green-tea",
		"茶 > 绿茶":                "茶/绿茶",
		"ＴＥＡ／Ｇｒｅｅｎ":             "tea/green",
		"//Tea//":               "tea",
		"-- & --":               "",
		"Gifts & Sets!":         "gifts-sets",
		"a_b":                   "a_b",
		"Crème Brûlée":          "crème-brûlée",
		"1/2/3/4/5/6/7/8/9/10":  "1/2/3/4/5/6/7/8",
		strings.Repeat("x", 99): strings.Repeat("x", maxSlug),
	} {
		if got := Path(words); got != want {
			t.Errorf("Path(%q) = %q, want %q", words, got, want)
		}
	}
}

// Whatever the words, the form is one that no second look changes, and within its bounds.
func TestPathIsItsOwnForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.String().Draw(t, "words")
		p := Path(words)
		if again := Path(p); again != p {
			t.Fatalf("Path(%q) = %q, and of that %q", words, p, again)
		}
		if p == "" {
			return
		}
		parts := strings.Split(p, "/")
		if len(parts) > maxDepth {
			t.Fatalf("%q is too deep", p)
		}
		for _, s := range parts {
			if s == "" || len([]rune(s)) > maxSlug || strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") {
				t.Fatalf("%q has the slug %q", p, s)
			}
		}
	})
}

func TestUnder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, ancestor string
		want           bool
	}{
		{"tea/green", "tea", true},
		{"tea", "tea", true},
		{"tea/green/long-jing", "tea", true},
		{"teaware", "tea", false},
		{"tea", "tea/green", false},
		{"food/tea", "tea", false},
		{"tea", "", false},
		{"", "tea", false},
		{"", "", false},
	} {
		if got := Under(tt.path, tt.ancestor); got != tt.want {
			t.Errorf("Under(%q, %q) = %t", tt.path, tt.ancestor, got)
		}
	}
}

// Each row changes one thing in a product that would pass.
func TestCheck(t *testing.T) {
	t.Parallel()
	n := func(v int64) *int64 { return &v }
	for _, tt := range []struct {
		name string
		edit func(*Product)
		want error
	}{
		{"good", func(*Product) {}, nil},
		{"Chinese name only", func(p *Product) { p.NameEN, p.NameZH = "", "茶" }, nil},
		{"no price", func(p *Product) { p.Price, p.Cost, p.Currency = nil, nil, "" }, nil},
		{"free", func(p *Product) { p.Price = n(0) }, nil},
		{"dearest", func(p *Product) { p.Price = n(money.Max) }, nil},
		{"longest sku", func(p *Product) { p.SKU = strings.Repeat("s", MaxSKU) }, nil},
		{"sku too long", func(p *Product) { p.SKU = strings.Repeat("s", MaxSKU+1) }, ErrSKU},
		{"no sku", func(p *Product) { p.SKU = "" }, ErrSKU},
		{"space at the end", func(p *Product) { p.SKU = "A " }, ErrSKU},
		{"control character", func(p *Product) { p.SKU = "A\tB" }, ErrSKU},
		{"no name", func(p *Product) { p.NameEN = "" }, ErrName},
		{"name too long", func(p *Product) { p.NameZH = strings.Repeat("茶", maxName+1) }, ErrTooLong},
		{"longest name", func(p *Product) { p.NameZH = strings.Repeat("茶", maxName) }, nil},
		{"brand too long", func(p *Product) { p.Brand = strings.Repeat("b", maxBrand+1) }, ErrTooLong},
		{"negative", func(p *Product) { p.Cost = n(-1) }, ErrAmount},
		{"too dear", func(p *Product) { p.Cost = n(money.Max + 1) }, money.ErrTooBig},
		{"no currency", func(p *Product) { p.Currency = "" }, money.ErrCurrency},
		{"unknown currency", func(p *Product) { p.Currency = "XXZ" }, money.ErrCurrency},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Product{SKU: "A-1", NameEN: "Tea", Price: n(1200), Cost: n(700), Currency: "CNY"}
			tt.edit(&p)
			if err := p.Check(); !errors.Is(err, tt.want) {
				t.Errorf("Check = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestFoldAndPattern(t *testing.T) {
	t.Parallel()
	if got := fold("SKU-1", "", " Lóng　Jǐng ", "龙井"); got != "sku-1 lóng jǐng 龙井" {
		t.Errorf("fold = %q", got)
	}
	if got := pattern(` 50%_\ `); got != `%50\%\_\\%` {
		t.Errorf("pattern = %q", got)
	}
}

// Snapshots made from each other answer as one map would, over the joint of base and rest.
func TestSnapshotWith(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, s := map[string]int64{}, &Snapshot{tree: newTree(1, nil)}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			changed := map[string]int64{}
			from := rapid.IntRange(0, 9000).Draw(t, "from")
			for i := range rapid.IntRange(0, 5000).Draw(t, "n") {
				sku := "s" + string(rune('0'+(from+i)%7)) + strings.Repeat("x", (from+i)%13) + string(rune(0x4e00+(from+i)%9000))
				changed[sku] = int64(from + i)
				want[sku] = int64(from + i)
			}
			before, old := len(s.over)+len(s.base), s
			s = s.with(changed)
			if len(old.over)+len(old.base) != before {
				t.Fatal("an old snapshot has changed")
			}
		}
		for sku, category := range want {
			if got, known := s.categoryOf(sku); !known || got != category {
				t.Fatalf("%q is in %d (%t), want %d", sku, got, known, category)
			}
		}
		if _, known := s.categoryOf("nothing"); known {
			t.Fatal("it knows what nobody told it")
		}
	})
}
