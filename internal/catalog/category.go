package catalog

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// CategoryEdit is what a person says of a category. Nil leaves a thing as it is.
type CategoryEdit struct {
	Parent *string // id or path; "" for the top
	Slug   *string
	NameEN *string
	NameZH *string
}

// categoryBody is the body of CategoryChanged. A path that is empty means that the
// category is no more, a former one that is empty that it is new.
type categoryBody struct {
	ID     string `json:"category_id"`
	Path   string `json:"path,omitempty"`
	Former string `json:"former_path,omitempty"`
}

// apply returns the category that an edit makes of c, in a tree.
func (e CategoryEdit) apply(c Category, t *Snapshot) (Category, error) {
	above, last := parent(c.Path), c.Slug()
	if e.NameEN != nil {
		c.NameEN = strings.TrimSpace(*e.NameEN)
	}
	if e.NameZH != nil {
		c.NameZH = strings.TrimSpace(*e.NameZH)
	}
	if e.Slug != nil {
		last = *e.Slug
	}
	if e.Parent != nil {
		above = ""
		if *e.Parent != "" {
			p, err := t.Find(*e.Parent)
			if err != nil {
				return c, ErrNoCategory.At("body.parent")
			}
			above, c.ParentID = p.Path, p.ID
		} else {
			c.ParentID = 0
		}
	}
	if slug(last) != last || last == "" {
		return c, ErrSlug.At("body.slug")
	}
	c.Path = strings.TrimPrefix(above+"/"+last, "/")
	return c, c.check()
}

func (c Category) check() error {
	switch {
	case c.NameEN == "" && c.NameZH == "":
		return ErrName.At("body.name_en")
	case max(utf8.RuneCountInString(c.NameEN), utf8.RuneCountInString(c.NameZH)) > maxName:
		return ErrTooLong.With("limit", maxName).At("body.name_en")
	case depth(c.Path) > maxDepth:
		return ErrDepth.With("limit", maxDepth).At("body.parent")
	}
	return nil
}

// AddCategory makes a category. The slug is needed, the parent is the top where nil.
func (s *Service) AddCategory(ctx context.Context, e CategoryEdit) (Category, error) {
	return s.editTree(ctx, func(ctx context.Context, tx *db.Tx, t *Snapshot, now int64) (was, is Category, err error) {
		if len(t.tree.list) >= MaxCategories {
			return was, is, ErrFull.With("limit", MaxCategories)
		}
		if is, err = e.apply(is, t); err != nil {
			return was, is, err
		}
		is.ChangedMS = now
		id, added, err := addCategory(ctx, tx, is)
		if err == nil && !added {
			err = ErrTaken.At("body.slug")
		}
		is.ID = id
		return was, is, err
	})
}

// ChangeCategory renames or moves a category, with all that lies under it.
func (s *Service) ChangeCategory(ctx context.Context, name string, e CategoryEdit) (Category, error) {
	return s.editTree(ctx, func(ctx context.Context, tx *db.Tx, t *Snapshot, now int64) (was, is Category, err error) {
		if was, err = t.Find(name); err != nil {
			return was, is, err
		}
		if is, err = e.apply(was, t); err != nil {
			return was, is, err
		}
		if is.Path != was.Path && Under(is.Path, was.Path) {
			return was, is, ErrLoop.At("body.parent")
		}
		if depth(is.Path)+t.tree.height(was) > maxDepth {
			return was, is, ErrDepth.With("limit", maxDepth).At("body.parent")
		}
		is.ChangedMS = now
		return was, is, saveCategory(ctx, tx, was, is)
	})
}

// height is how many levels lie under a category.
func (t *tree) height(of Category) (levels int) {
	for _, c := range t.list {
		if Under(c.Path, of.Path) {
			levels = max(levels, depth(c.Path)-depth(of.Path))
		}
	}
	return levels
}

// DropCategory deletes a category that holds nothing, or gives ErrInUse.
func (s *Service) DropCategory(ctx context.Context, name string) error {
	_, err := s.editTree(ctx, func(ctx context.Context, tx *db.Tx, t *Snapshot, _ int64) (was, is Category, err error) {
		if was, err = t.Find(name); err != nil {
			return was, is, err
		}
		return was, is, dropCategory(ctx, tx, was)
	})
	return err
}

// editTree runs one change of the tree, alone, on the tree as it stands, and tells of it.
// A category that is zero before was made, one that is zero after is gone.
func (s *Service) editTree(ctx context.Context, change func(context.Context, *db.Tx, *Snapshot, int64) (was, is Category, err error)) (is Category, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := lockTree(ctx, tx); err != nil {
			return err
		}
		t, err := loadTree(ctx, tx)
		if err != nil {
			return err
		}
		now := s.clock.Now().UnixMilli()
		var was Category
		if was, is, err = change(ctx, tx, &Snapshot{tree: t}, now); err != nil {
			return err
		}
		body := categoryBody{ID: was.PublicID(), Path: is.Path, Former: was.Path}
		if was.ID == 0 {
			body.ID = is.PublicID()
		}
		if err := event.Append(ctx, tx, event.Event{Kind: CategoryChanged, AtMS: now, Body: event.MustBody(body)}); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "category.change", body.ID, categoryAudit(was), categoryAudit(is))
	})
	if err != nil {
		return Category{}, err
	}
	s.nudge()
	return is, s.Refresh(ctx)
}

func categoryAudit(c Category) any {
	if c.ID == 0 {
		return nil
	}
	return viewCategory(c)
}
