package catalog

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/patron-loyalty/patron/internal/staff"
)

func TestCategories(t *testing.T) {
	each(t, func(r rig) {
		tea := r.category("tea")
		green := r.category("tea/green")
		r.category("tea/green/spring")
		gift := r.category("gift")
		_, err := r.Put(t.Context(), Product{SKU: "G1", NameEN: "G", Category: green.PublicID()})
		r.must(err)

		s := r.Snapshot()
		for _, tt := range []struct {
			category, ancestor string
			want               bool
		}{
			{"tea/green", "tea", true}, {"tea/green/spring", tea.PublicID(), true}, {green.PublicID(), "tea", true},
			{"Tea / Green", "tea/green", true}, {"tea", "tea/green", false}, {"gift", "tea", false}, {"", "tea", false},
			{"coffee/bean", "coffee", true}, // known or not: a rule may be written first
		} {
			if got := s.Under(tt.category, tt.ancestor); got != tt.want {
				t.Errorf("Under(%q, %q) = %t", tt.category, tt.ancestor, got)
			}
		}

		moved, err := r.ChangeCategory(t.Context(), "tea/green", CategoryEdit{Parent: ptr("gift"), Slug: ptr("green-gift"), NameZH: ptr("绿")})
		r.must(err)
		if moved.ID != green.ID || moved.ParentID != gift.ID || moved.Path != "gift/green-gift" || moved.NameZH != "绿" || moved.NameEN != green.NameEN {
			t.Errorf("moved = %+v", moved)
		}
		other := r.node()
		for name, s := range map[string]*Snapshot{"here": r.Snapshot(), "another node": other.Snapshot()} {
			if path, _ := s.Category("G1"); path != "gift/green-gift" {
				t.Errorf("%s: the product is in %q", name, path)
			}
			if _, err := s.Find("gift/green-gift/spring"); err != nil {
				t.Errorf("%s: the branch did not come along: %v", name, err)
			}
			if !s.Under(green.PublicID(), "gift") || s.Under(green.PublicID(), "tea") {
				t.Errorf("%s: what names it by id does not follow", name)
			}
		}
		top, err := r.ChangeCategory(t.Context(), green.PublicID(), CategoryEdit{Parent: ptr("")})
		if err != nil || top.Path != "green-gift" || top.ParentID != 0 {
			t.Errorf("to the top: %+v, %v", top, err)
		}
	})
}

func TestCategoriesRefuse(t *testing.T) {
	each(t, func(r rig) {
		r.category("tea")
		green := r.category("tea/green")
		deep := make([]string, maxDepth)
		for i := range deep {
			deep[i] = fmt.Sprint("d", i)
			r.category(strings.Join(deep[:i+1], "/"))
		}
		deepest := strings.Join(deep, "/")
		_, err := r.Put(t.Context(), Product{SKU: "G1", NameEN: "G", Category: "tea/green"})
		r.must(err)

		named := func(e CategoryEdit) CategoryEdit { e.NameEN = ptr("x"); return e }
		for _, tt := range []struct {
			name string
			do   func() error
			want error
		}{
			{"path taken", func() error { _, err := r.AddCategory(t.Context(), named(CategoryEdit{Slug: ptr("tea")})); return err }, ErrTaken},
			{"no name", func() error { _, err := r.AddCategory(t.Context(), CategoryEdit{Slug: ptr("x")}); return err }, ErrName},
			{"no slug", func() error { _, err := r.AddCategory(t.Context(), named(CategoryEdit{})); return err }, ErrSlug},
			{"upper case", func() error { _, err := r.AddCategory(t.Context(), named(CategoryEdit{Slug: ptr("X")})); return err }, ErrSlug},
			{"slash", func() error { _, err := r.AddCategory(t.Context(), named(CategoryEdit{Slug: ptr("a/b")})); return err }, ErrSlug},
			{"no such parent", func() error {
				_, err := r.AddCategory(t.Context(), named(CategoryEdit{Slug: ptr("x"), Parent: ptr("no")}))
				return err
			}, ErrNoCategory},
			{"too deep", func() error {
				_, err := r.AddCategory(t.Context(), named(CategoryEdit{Slug: ptr("x"), Parent: &deepest}))
				return err
			}, ErrDepth},
			{"under itself", func() error {
				_, err := r.ChangeCategory(t.Context(), "tea", CategoryEdit{Parent: ptr("tea/green")})
				return err
			}, ErrLoop},
			{"a branch that would be too deep", func() error {
				_, err := r.ChangeCategory(t.Context(), "d0", CategoryEdit{Parent: ptr("tea")})
				return err
			}, ErrDepth},
			{"onto another", func() error {
				_, err := r.ChangeCategory(t.Context(), "tea/green", CategoryEdit{Parent: ptr(""), Slug: ptr("d0")})
				return err
			}, ErrTaken},
			{"change nothing there", func() error { _, err := r.ChangeCategory(t.Context(), "no", CategoryEdit{}); return err }, ErrNoCategory},
			{"delete with branches", func() error { return r.DropCategory(t.Context(), "tea") }, ErrInUse},
			{"delete with products", func() error { return r.DropCategory(t.Context(), green.PublicID()) }, ErrInUse},
		} {
			if err := tt.do(); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
			}
		}
		r.must(r.DropCategory(t.Context(), deepest))
		if _, err := r.Snapshot().Find(deepest); !errors.Is(err, ErrNoCategory) {
			t.Errorf("a deleted category is found: %v", err)
		}
		trail, err := staff.NewAudit(r.db, r.clock).Entries(t.Context(), staff.Filter{Action: "category.change"}, 100)
		if err != nil || len(trail) != 2+maxDepth+1 {
			t.Errorf("%d entries in the audit trail, want one for each change that was made (%v)", len(trail), err)
		}
	})
}

// Two moves that would make a ring together: one is refused, whichever comes second.
func TestMovesMakeNoRing(t *testing.T) {
	each(t, func(r rig) {
		r.category("a")
		r.category("b")
		errs := make([]error, 2)
		var all sync.WaitGroup
		for i, move := range [][2]string{{"a", "b"}, {"b", "a"}} {
			all.Go(func() { _, errs[i] = r.ChangeCategory(t.Context(), move[0], CategoryEdit{Parent: &move[1]}) })
		}
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("both or neither moved: %v", errs)
		}
		for _, c := range r.node().Snapshot().Categories() {
			if c.Path != "a" && c.Path != "b" && c.Path != "a/b" && c.Path != "b/a" {
				t.Errorf("path %q", c.Path)
			}
		}
	})
}
