package member

import (
	"context"
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// bulk is one statement over a list of rows, prepared at a few lengths: n rows take few
// round trips, and every text is known at start. A statement longer than this gained
// nothing when measured on SQLite.
type bulk struct {
	width int // values a row
	sizes []int
	stmts []*db.Stmt
}

var (
	insertSizes = []int{64, 8, 1}
	querySizes  = []int{200, 16, 1}
)

// defineBulk declares the statement head, rows, tail at every size. Each row is written
// by row from the number of its first placeholder.
func defineBulk(name string, sizes []int, width int, head string, row func(first int) string, tail string) bulk {
	b := bulk{width: width, sizes: sizes}
	for _, n := range sizes {
		rows := make([]string, n)
		for i := range rows {
			rows[i] = row(1 + i*width)
		}
		text := head + "\n" + strings.Join(rows, ",\n") + "\n" + tail
		b.stmts = append(b.stmts, db.Define(fmt.Sprintf("%s%d", name, n), text))
	}
	return b
}

// values writes one row of placeholders: "($4, $5, $6)".
func values(width int) func(first int) string {
	return func(first int) string {
		marks := make([]string, width)
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", first+i)
		}
		return "(" + strings.Join(marks, ", ") + ")"
	}
}

// each runs the statement over all args in as few pieces as the sizes allow, in order.
// It is for statements where a row may not be given twice.
func (b bulk) each(args []any, run func(*db.Stmt, []any) error) error {
	for i, size := range b.sizes {
		for n := size * b.width; len(args) >= n; args = args[n:] {
			if err := run(b.stmts[i], args[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// exec runs the statement over all args.
func (b bulk) exec(ctx context.Context, tx *db.Tx, args []any) error {
	return b.each(args, func(st *db.Stmt, part []any) error {
		_, err := tx.Exec(ctx, st, part...)
		return err
	})
}

// query runs the statement over all args, a piece at a time, and reads each row. A short
// piece is filled up with its last row, which changes no answer of an IN list.
func (b bulk) query(ctx context.Context, tx *db.Tx, args []any, read func(*db.Rows) error) error {
	for most := b.sizes[0] * b.width; len(args) > 0; {
		part := args[:min(most, len(args))]
		args = args[len(part):]
		st, size := b.fit(len(part) / b.width)
		for len(part) < size*b.width {
			part = append(part[:len(part):len(part)], part[len(part)-b.width:]...)
		}
		if err := readRows(read)(tx.Query(ctx, st, part...)); err != nil {
			return err
		}
	}
	return nil
}

// fit returns the shortest statement that holds n rows.
func (b bulk) fit(n int) (*db.Stmt, int) {
	for i := len(b.sizes) - 1; i > 0; i-- {
		if b.sizes[i] >= n {
			return b.stmts[i], b.sizes[i]
		}
	}
	return b.stmts[0], b.sizes[0]
}

// readRows reads and closes what a query returned; it takes the query's error too, so that
// calls stay one line.
func readRows(read func(*db.Rows) error) func(*db.Rows, error) error {
	return func(rows *db.Rows, err error) error {
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() {
			if err := read(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}
