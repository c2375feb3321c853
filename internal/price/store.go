package price

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	configSQL = db.Define("price.config", `
		SELECT version
		FROM price_config
		WHERE one = 1`)
	raiseSQL = db.Define("price.raiseConfig", `
		UPDATE price_config
		SET version = version + 1
		WHERE one = 1`)

	listsSQL = db.Define("price.lists", `
		SELECT id, code, state, version, terms, made_ms, changed_ms,
			(SELECT COUNT(*) FROM price_item AS i WHERE i.list_id = l.id)
		FROM price_list AS l
		ORDER BY id`)
	listSQL = db.Define("price.list", `
		SELECT id, code, state, version, terms, made_ms, changed_ms,
			(SELECT COUNT(*) FROM price_item AS i WHERE i.list_id = l.id)
		FROM price_list AS l
		WHERE id = $1`)
	insertListSQL = db.Define("price.insertList", `
		INSERT INTO price_list (id, code, state, version, terms, made_ms, changed_ms)
		VALUES ($1, $2, $3, 1, $4, $5, $5)
		ON CONFLICT (code) DO NOTHING`)
	updateListSQL = db.Define("price.updateList", `
		UPDATE price_list
		SET state = $3, terms = $4, version = version + 1, changed_ms = $5
		WHERE id = $1 AND version = $2`)
	removeListSQL = db.Define("price.removeList", `
		DELETE FROM price_list
		WHERE id = $1 AND version = $2`)

	liveItemsSQL = db.Define("price.liveItems", `
		SELECT i.list_id, i.kind, i.ref, i.price, i.percent
		FROM price_item AS i
		JOIN price_list AS l ON l.id = i.list_id
		WHERE l.state = 'live'
		ORDER BY i.list_id, i.kind, i.ref`)
	allItemsSQL = db.Define("price.allItems", `
		SELECT list_id, kind, ref, price, percent
		FROM price_item
		ORDER BY list_id, kind, ref`)
	itemsOfSQL = db.Define("price.itemsOf", `
		SELECT list_id, kind, ref, price, percent
		FROM price_item
		WHERE list_id = $1
		ORDER BY kind, ref`)
	itemsPageSQL = db.Define("price.itemsPage", `
		SELECT n, kind, ref, price, percent
		FROM price_item
		WHERE list_id = $1 AND n < $2 AND ($3 = '' OR LOWER(ref) LIKE $3 ESCAPE '\')
		ORDER BY n DESC
		LIMIT $4`)
	lastItemSQL = db.Define("price.lastItem", `
		SELECT COALESCE(MAX(n), 0)
		FROM price_item
		WHERE list_id = $1`)
	putItemSQL = db.Define("price.putItem", `
		INSERT INTO price_item (list_id, n, kind, ref, price, percent)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (list_id, kind, ref) DO UPDATE
		SET price = excluded.price, percent = excluded.percent`)
	removeItemSQL = db.Define("price.removeItem", `
		DELETE FROM price_item
		WHERE list_id = $1 AND kind = $2 AND ref = $3`)
	removeItemsSQL = db.Define("price.removeItems", `
		DELETE FROM price_item
		WHERE list_id = $1`)
)

func pack(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return string(b)
}

func scanList(scan func(...any) error) (*List, error) {
	var l List
	var terms string
	var made, changed int64
	if err := scan(&l.ID, &l.Code, &l.State, &l.Version, &terms, &made, &changed, &l.Items); err != nil {
		return nil, err
	}
	l.Made, l.Changed = time.UnixMilli(made).UTC(), time.UnixMilli(changed).UTC()
	if err := json.Unmarshal([]byte(terms), &l.Terms); err != nil {
		return nil, fmt.Errorf("terms of price list %d: %w", l.ID, err)
	}
	return &l, nil
}

// readList reads a list as the database has it.
func readList(ctx context.Context, tx *db.Tx, n int64) (*List, error) {
	l, err := scanList(tx.QueryRow(ctx, listSQL, n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrUnknown
	}
	return l, err
}

func readLists(ctx context.Context, tx *db.Tx) (list []*List, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		l, err := scanList(rows.Scan)
		list = append(list, l)
		return err
	})(tx.Query(ctx, listsSQL))
	return list, err
}

// eachItem reads items with the lists that they are of.
func eachItem(ctx context.Context, tx *db.Tx, stmt *db.Stmt, each func(list int64, i Item), args ...any) error {
	return db.ReadRows(func(rows *db.Rows) error {
		var list, kind, price, percent int64
		var ref string
		err := rows.Scan(&list, &kind, &ref, &price, &percent)
		each(list, itemOf(kind, ref, price, percent))
		return err
	})(tx.Query(ctx, stmt, args...))
}

// place is an item in the order of its list.
type place struct {
	n    int64
	item Item
}

func readPage(ctx context.Context, tx *db.Tx, list, before int64, q string, most int) (out []place, err error) {
	if q = strings.ToLower(strings.TrimSpace(q)); q != "" {
		q = "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
	}
	err = db.ReadRows(func(rows *db.Rows) error {
		var n, kind, price, percent int64
		var ref string
		err := rows.Scan(&n, &kind, &ref, &price, &percent)
		out = append(out, place{n, itemOf(kind, ref, price, percent)})
		return err
	})(tx.Query(ctx, itemsPageSQL, list, before, q, most))
	return out, err
}
