package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Seen is what a line of a sale says of its product. All but the sku may be empty.
type Seen struct {
	SKU      string
	Name     string // in either language
	Category string // as the sale words it
	Brand    string
}

// Learn adds the products among seen that nobody knows yet, in the caller's transaction.
// It costs nothing where all are known, one statement where some are not, and more only
// where a category is new. What it knows already it leaves as it is, whoever wrote it. A
// sku that the catalogue could not hold is passed over: a sale is never refused for it.
//
// What it added is in the snapshot once the dispatcher has passed its events on. Call it
// after the members of the transaction are locked, and nudge the dispatcher after it.
func (s *Service) Learn(ctx context.Context, tx *db.Tx, seen []Seen) error {
	snapshot := s.Snapshot()
	items, words := unknown(snapshot, seen)
	if len(items) == 0 {
		return nil
	}
	now := s.clock.Now().UnixMilli()
	if err := growTree(ctx, tx, snapshot, words, now); err != nil {
		return err
	}
	for part := range slices.Chunk(items, MaxBulk) {
		added, err := writeAll(ctx, tx, learnSQL, part, now)
		if err != nil {
			return err
		}
		if err := tell(ctx, tx, added, now); err != nil {
			return err
		}
	}
	return nil
}

// unknown returns the products that the snapshot lacks, each once, as the first line tells
// of it, and the words for their categories. They are ordered by sku, so that two
// transactions which learn the same never wait for each other in a ring.
func unknown(snapshot *Snapshot, seen []Seen) (items []item, words []string) {
	had := map[string]bool{}
	for _, line := range seen {
		if _, known := snapshot.categoryOf(line.SKU); known || had[line.SKU] || !validSKU(line.SKU) {
			continue
		}
		had[line.SKU] = true
		p := Product{SKU: line.SKU, Brand: cut(line.Brand, maxBrand), Active: true, Category: snapshot.resolve(line.Category)}
		p.NameEN, p.NameZH = byScript(cut(line.Name, maxName))
		items, words = append(items, p.item()), append(words, line.Category)
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.SKU, b.SKU) })
	return items, words
}

// growTree makes the categories that words name and that are not there, with those above
// them. Their names are the words as they were written. A full tree grows no more: the
// products are then without a category.
func growTree(ctx context.Context, tx *db.Tx, snapshot *Snapshot, words []string, now int64) error {
	fresh := missing(snapshot, words, now)
	if len(fresh) == 0 || len(snapshot.tree.list)+len(fresh) > MaxCategories {
		return nil
	}
	if err := lockTree(ctx, tx); err != nil {
		return err
	}
	for _, c := range fresh {
		if _, _, err := addCategory(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// missing returns the categories that the snapshot lacks, those above before those below.
func missing(snapshot *Snapshot, words []string, now int64) (fresh []Category) {
	had := map[string]bool{}
	for _, w := range words {
		if snapshot.byPublicID(w) != nil || snapshot.tree.byPath[w] != nil {
			continue
		}
		path := ""
		for _, part := range split(w) {
			s := slug(part)
			if s == "" || path != "" && depth(path) == maxDepth {
				continue
			}
			path = strings.TrimPrefix(path+"/"+s, "/")
			if snapshot.tree.byPath[path] != nil || had[path] {
				continue
			}
			had[path] = true
			c := Category{Path: path, ChangedMS: now}
			c.NameEN, c.NameZH = byScript(cut(part, maxName))
			fresh = append(fresh, c)
		}
	}
	slices.SortStableFunc(fresh, func(a, b Category) int { return cmp.Compare(depth(a.Path), depth(b.Path)) })
	return fresh
}
