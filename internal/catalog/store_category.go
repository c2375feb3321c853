package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	versionSQL = db.Define("catalog.treeVersion", `
	SELECT version
	FROM category_tree
	WHERE one = 1`)
	lockTreeSQL = db.Define("catalog.lockTree", `
	UPDATE category_tree
	SET version = version + 1
	WHERE one = 1`)
	treeSQL = db.Define("catalog.tree", `
	SELECT id, COALESCE(parent_id, 0), path, name_en, name_zh, changed_ms
	FROM category
	ORDER BY id`)
	addCategorySQL = db.Define("catalog.addCategory", `
	INSERT INTO category (parent_id, path, name_en, name_zh, changed_ms)
	VALUES ((SELECT c.id FROM category AS c WHERE c.path = $1), $2, $3, $4, $5)
	ON CONFLICT (path) DO NOTHING
	RETURNING id`)
	nameCategorySQL = db.Define("catalog.nameCategory", `
	UPDATE category
	SET name_en = $2, name_zh = $3, parent_id = $4, changed_ms = $5
	WHERE id = $1`)
	// A whole branch at once: what stands before the branch's own part is replaced.
	moveBranchSQL = db.Define("catalog.moveBranch", `
	UPDATE category
	SET path = $2 || SUBSTR(path, LENGTH($1) + 1), changed_ms = $3
	WHERE path = $1 OR path >= $1 || '/' AND path < $1 || '0'`)
	dropCategorySQL = db.Define("catalog.dropCategory", `
	DELETE FROM category
	WHERE id = $1`)
)

// lockTree makes this transaction the only one that changes the tree, until it ends.
func lockTree(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.Exec(ctx, lockTreeSQL); err != nil {
		return fmt.Errorf("lock the category tree: %w", err)
	}
	return nil
}

func treeVersion(ctx context.Context, tx *db.Tx) (v int64, err error) {
	if err := tx.QueryRow(ctx, versionSQL).Scan(&v); err != nil {
		return 0, fmt.Errorf("read version of the category tree: %w", err)
	}
	return v, nil
}

// loadTree reads all categories.
func loadTree(ctx context.Context, tx *db.Tx) (*tree, error) {
	version, err := treeVersion(ctx, tx)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, treeSQL)
	if err != nil {
		return nil, fmt.Errorf("load categories: %w", err)
	}
	defer rows.Close() // a reader: what matters is in Err
	list := []Category{}
	for rows.Next() {
		var c Category
		if err := rows.Scan(&c.ID, &c.ParentID, &c.Path, &c.NameEN, &c.NameZH, &c.ChangedMS); err != nil {
			return nil, fmt.Errorf("load categories: %w", err)
		}
		list = append(list, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load categories: %w", err)
	}
	return newTree(version, list), nil
}

// addCategory adds a category under the one whose path is above its own, and returns its
// id, or false where the path is taken.
func addCategory(ctx context.Context, tx *db.Tx, c Category) (id int64, added bool, err error) {
	err = tx.QueryRow(ctx, addCategorySQL, parent(c.Path), c.Path, c.NameEN, c.NameZH, c.ChangedMS).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("add category %s: %w", c.Path, err)
	}
	return id, true, nil
}

// saveCategory writes names and parent, and moves the branch where the path is another.
func saveCategory(ctx context.Context, tx *db.Tx, was, is Category) error {
	above := sql.NullInt64{Int64: is.ParentID, Valid: is.ParentID != 0}
	if _, err := tx.Exec(ctx, nameCategorySQL, is.ID, is.NameEN, is.NameZH, above, is.ChangedMS); err != nil {
		return fmt.Errorf("save category %s: %w", was.Path, err)
	}
	if was.Path == is.Path {
		return nil
	}
	_, err := tx.Exec(ctx, moveBranchSQL, was.Path, is.Path, is.ChangedMS)
	if errors.Is(err, db.ErrUnique) {
		return ErrTaken
	}
	if err != nil {
		return fmt.Errorf("move category %s to %s: %w", was.Path, is.Path, err)
	}
	return nil
}

func dropCategory(ctx context.Context, tx *db.Tx, c Category) error {
	_, err := tx.Exec(ctx, dropCategorySQL, c.ID)
	if errors.Is(err, db.ErrForeign) {
		return ErrInUse
	}
	if err != nil {
		return fmt.Errorf("delete category %s: %w", c.Path, err)
	}
	return nil
}
