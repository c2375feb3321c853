package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Whole sets in one statement: an import and a posting write hundreds of products, and
// one statement each would cost PostgreSQL a round trip and SQLite its five milliseconds.
// The engines read JSON arrays by different functions; the rest of the text is the same.
var (
	putSQL = db.Define("catalog.put", `
	INSERT INTO product (sku, name_en, name_zh, name_fold, category_id, brand, cost, price, currency, active, learned, changed_ms)
	SELECT
		json_extract(value, '$.sku'),
		json_extract(value, '$.en'),
		json_extract(value, '$.zh'),
		json_extract(value, '$.fold'),
		(SELECT c.id FROM category AS c WHERE c.path = json_extract(value, '$.category')),
		json_extract(value, '$.brand'),
		json_extract(value, '$.cost'),
		json_extract(value, '$.price'),
		json_extract(value, '$.currency'),
		json_extract(value, '$.active'),
		0,
		$2
	FROM json_each($1)
	WHERE true
	ORDER BY key`+onPut).
		OnPostgres(`
	INSERT INTO product (sku, name_en, name_zh, name_fold, category_id, brand, cost, price, currency, active, learned, changed_ms)
	SELECT
		value->>'sku',
		value->>'en',
		value->>'zh',
		value->>'fold',
		(SELECT c.id FROM category AS c WHERE c.path = value->>'category'),
		value->>'brand',
		(value->>'cost')::BIGINT,
		(value->>'price')::BIGINT,
		value->>'currency',
		(value->>'active')::SMALLINT,
		0,
		$2::BIGINT
	FROM json_array_elements($1::JSON) WITH ORDINALITY AS list (value, n)
	ORDER BY n` + onPut)
	learnSQL = db.Define("catalog.learn", `
	INSERT INTO product (sku, name_en, name_zh, name_fold, category_id, brand, currency, active, learned, changed_ms)
	SELECT
		json_extract(value, '$.sku'),
		json_extract(value, '$.en'),
		json_extract(value, '$.zh'),
		json_extract(value, '$.fold'),
		(SELECT c.id FROM category AS c WHERE c.path = json_extract(value, '$.category')),
		json_extract(value, '$.brand'),
		'',
		1,
		1,
		$2
	FROM json_each($1)
	WHERE NOT EXISTS (SELECT 1 FROM product AS p WHERE p.sku = json_extract(value, '$.sku'))
	ORDER BY key`+onLearn).
		OnPostgres(`
	INSERT INTO product (sku, name_en, name_zh, name_fold, category_id, brand, currency, active, learned, changed_ms)
	SELECT
		value->>'sku',
		value->>'en',
		value->>'zh',
		value->>'fold',
		(SELECT c.id FROM category AS c WHERE c.path = value->>'category'),
		value->>'brand',
		'',
		1,
		1,
		$2::BIGINT
	FROM json_array_elements($1::JSON) WITH ORDINALITY AS list (value, n)
	WHERE NOT EXISTS (SELECT 1 FROM product AS p WHERE p.sku = value->>'sku')
	ORDER BY n` + onLearn)
)

const (
	// A put that changes nothing writes nothing and tells nothing.
	onPut = `
	ON CONFLICT (sku) DO UPDATE
	SET
		name_en = excluded.name_en,
		name_zh = excluded.name_zh,
		name_fold = excluded.name_fold,
		category_id = excluded.category_id,
		brand = excluded.brand,
		cost = excluded.cost,
		price = excluded.price,
		currency = excluded.currency,
		active = excluded.active,
		learned = 0,
		changed_ms = excluded.changed_ms
	WHERE product.learned <> 0
		OR product.name_en <> excluded.name_en
		OR product.name_zh <> excluded.name_zh
		OR product.category_id IS DISTINCT FROM excluded.category_id
		OR product.brand <> excluded.brand
		OR product.cost IS DISTINCT FROM excluded.cost
		OR product.price IS DISTINCT FROM excluded.price
		OR product.currency <> excluded.currency
		OR product.active <> excluded.active
	RETURNING sku, category_id, active, learned`
	onLearn = `
	ON CONFLICT (sku) DO NOTHING
	RETURNING sku, category_id, active, learned`
)

var (
	// lockSQL takes the row's lock and returns what stands in it, so that an edit of some
	// fields meets no other edit half way.
	lockSQL = db.Define("catalog.lock", `
	UPDATE product
	SET changed_ms = changed_ms
	WHERE sku = $1
	RETURNING id, sku, name_en, name_zh, COALESCE((SELECT c.path FROM category AS c WHERE c.id = category_id), ''),
		COALESCE(category_id, 0), brand, cost, price, currency, active, learned, changed_ms`)
	getSQL = db.Define("catalog.get", `
	SELECT p.id, p.sku, p.name_en, p.name_zh, COALESCE(c.path, ''), COALESCE(p.category_id, 0), p.brand, p.cost, p.price,
		p.currency, p.active, p.learned, p.changed_ms
	FROM product AS p
	LEFT JOIN category AS c ON c.id = p.category_id
	WHERE p.sku = $1`)
	// The branch of a path is the path itself and the range from "path/" to "path0": the
	// digit follows the slash, and text compares bytewise.
	listSQL = db.Define("catalog.list", `
	SELECT p.id, p.sku, p.name_en, p.name_zh, COALESCE(c.path, ''), COALESCE(p.category_id, 0), p.brand, p.cost, p.price,
		p.currency, p.active, p.learned, p.changed_ms
	FROM product AS p
	LEFT JOIN category AS c ON c.id = p.category_id
	WHERE p.id > $1
		AND ($2 = '' OR c.path = $2 OR c.path >= $2 || '/' AND c.path < $2 || '0')
		AND ($3 = '' OR p.brand = $3)
		AND ($4 = '' OR p.name_fold LIKE $4 ESCAPE '\')
	ORDER BY p.id
	LIMIT $5`)
	allSQL = db.Define("catalog.all", `
	SELECT sku, COALESCE(category_id, 0)
	FROM product
	ORDER BY id`)
)

// item is a product on its way through putSQL and learnSQL.
type item struct {
	SKU      string `json:"sku"`
	EN       string `json:"en"`
	ZH       string `json:"zh"`
	Fold     string `json:"fold"`
	Category string `json:"category"`
	Brand    string `json:"brand"`
	Cost     *int64 `json:"cost"`
	Price    *int64 `json:"price"`
	Currency string `json:"currency"`
	Active   int    `json:"active"`
}

func (p Product) item() item {
	i := item{SKU: p.SKU, EN: p.NameEN, ZH: p.NameZH, Fold: fold(p.SKU, p.NameEN, p.NameZH), Category: p.Category,
		Brand: p.Brand, Cost: p.Cost, Price: p.Price, Currency: p.Currency}
	if p.Active {
		i.Active = 1
	}
	return i
}

// written is a row that putSQL or learnSQL changed.
type written struct {
	sku      string
	category int64 // 0 for none
	active   bool
	learned  bool
}

// writeAll runs putSQL or learnSQL and returns the rows that it changed.
func writeAll(ctx context.Context, tx *db.Tx, s *db.Stmt, items []item, now int64) ([]written, error) {
	text, err := json.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	rows, err := tx.Query(ctx, s, string(text), now)
	if err != nil {
		return nil, fmt.Errorf("%s %d products: %w", s.Name(), len(items), err)
	}
	defer rows.Close() // what matters is in Err
	var list []written
	for rows.Next() {
		var w written
		var category sql.NullInt64
		if err := rows.Scan(&w.sku, &category, &w.active, &w.learned); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name(), err)
		}
		w.category = category.Int64
		list = append(list, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s %d products: %w", s.Name(), len(items), err)
	}
	return list, nil
}

func scanProduct(row interface{ Scan(...any) error }) (p Product, err error) {
	var cost, price sql.NullInt64
	err = row.Scan(&p.ID, &p.SKU, &p.NameEN, &p.NameZH, &p.Category, &p.CategoryID, &p.Brand, &cost, &price,
		&p.Currency, &p.Active, &p.Learned, &p.ChangedMS)
	if cost.Valid {
		p.Cost = &cost.Int64
	}
	if price.Valid {
		p.Price = &price.Int64
	}
	return p, err
}

// getProduct returns a product by sku, or ErrUnknown. With lockSQL the row stays locked.
func getProduct(ctx context.Context, tx *db.Tx, s *db.Stmt, sku string) (Product, error) {
	p, err := scanProduct(tx.QueryRow(ctx, s, sku))
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrUnknown
	}
	if err != nil {
		return p, fmt.Errorf("get product %q: %w", sku, err)
	}
	return p, nil
}

// Filter says which products List returns. Empty fields filter nothing.
type Filter struct {
	After    int64  // id of the last product of the page before
	Category string // path: products in it and under it
	Brand    string
	Query    string // anywhere in sku or names, without case and width
}

func listProducts(ctx context.Context, tx *db.Tx, f Filter, limit int) ([]Product, error) {
	like := ""
	if fold(f.Query) != "" {
		like = pattern(f.Query)
	}
	rows, err := tx.Query(ctx, listSQL, f.After, f.Category, f.Brand, like, limit)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	defer rows.Close() // a reader: what matters is in Err
	var list []Product
	for rows.Next() {
		p, err := scanProduct(rows)
		if err != nil {
			return nil, fmt.Errorf("list products: %w", err)
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return list, nil
}

// allCategories returns the category id of every sku.
func allCategories(ctx context.Context, tx *db.Tx) (map[string]int64, error) {
	rows, err := tx.Query(ctx, allSQL)
	if err != nil {
		return nil, fmt.Errorf("load products: %w", err)
	}
	defer rows.Close() // a reader: what matters is in Err
	all := map[string]int64{}
	for rows.Next() {
		var sku string
		var category int64
		if err := rows.Scan(&sku, &category); err != nil {
			return nil, fmt.Errorf("load products: %w", err)
		}
		all[sku] = category
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("load products: %w", err)
	}
	return all, nil
}
