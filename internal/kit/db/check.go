package db

import (
	"context"
	"time"
)

// checkWithin bounds the check of one table. While it lasts the log of SQLite cannot begin
// anew, so tables are checked one by one, each in a snapshot of its own.
const checkWithin = 10 * time.Minute

// Depth says how closely Check looks.
type Depth string

// The depths.
const (
	// Quick reads every page and sees whether it can be what it should be.
	Quick Depth = "quick_check"
	// Full also compares every index with its table.
	Full Depth = "integrity_check"
)

// Check reads the whole file of SQLite, beside all writers, and returns what is wrong with
// it, in the engine's words: a disk that has changed bytes on its own. What it cannot see is
// a value that is another but could be right; the invariants of the books are for that.
//
// On PostgreSQL it returns nothing: there the server's own checksums guard the pages, and
// Open warns where they are off.
func (d *DB) Check(ctx context.Context, depth Depth) (wrong []string, err error) {
	if d.Engine() != SQLite {
		return nil, nil
	}
	tables, err := d.texts(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		said, err := d.texts(ctx, "SELECT * FROM pragma_"+string(depth)+"($1)", table)
		if err != nil {
			return wrong, err
		}
		for _, s := range said {
			if s != "ok" {
				wrong = append(wrong, s)
			}
		}
	}
	return wrong, nil
}

// texts reads one column of texts in a snapshot.
func (d *DB) texts(ctx context.Context, query string, args ...any) (list []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	_, err = d.once(ctx, reading, func(ctx context.Context, tx *Tx) error {
		rows, err := tx.QueryText(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			list = append(list, text)
		}
		return rows.Err()
	})
	return list, err
}
