package db

import (
	"context"
	"fmt"
	"strings"
)

// Bulk is one statement over a list of rows, prepared at a few lengths: n rows take few
// round trips, and every text is known at start. A statement longer than this gained
// nothing when measured on SQLite.
type Bulk struct {
	width int // values a row
	sizes []int
	stmts []*Stmt
}

// The lengths at which a Bulk is prepared.
var (
	InsertSizes = []int{64, 8, 1}
	QuerySizes  = []int{200, 16, 1}
)

// DefineBulk declares the statement head, rows, tail at every size. Each row is written
// by row from the number of its first placeholder.
func DefineBulk(name string, sizes []int, width int, head string, row func(first int) string, tail string) Bulk {
	b := Bulk{width: width, sizes: sizes}
	for _, n := range sizes {
		rows := make([]string, n)
		for i := range rows {
			rows[i] = row(1 + i*width)
		}
		text := head + "\n" + strings.Join(rows, ",\n") + "\n" + tail
		s := Define(fmt.Sprintf("%s%d", name, n), text)
		s.sqlite = failing(s.sqlite)
		b.stmts = append(b.stmts, s)
	}
	return b
}

// failing spares SQLite the journal of a statement, a copy of every page that it changes,
// from which it undoes the rows before the one at fault: after an error the whole
// transaction is undone (Tx.broken), so those rows may stay until then.
func failing(text string) string {
	if rest, found := strings.CutPrefix(text, "INSERT INTO"); found {
		return "INSERT OR FAIL INTO" + rest
	}
	return text
}

// Values writes one row of placeholders: "($4, $5, $6)".
func Values(width int) func(first int) string {
	return func(first int) string {
		marks := make([]string, width)
		for i := range marks {
			marks[i] = fmt.Sprintf("$%d", first+i)
		}
		return "(" + strings.Join(marks, ", ") + ")"
	}
}

// Each runs the statement over all args in as few pieces as the sizes allow, in order.
// It is for statements where a row may not be given twice.
func (b Bulk) Each(args []any, run func(*Stmt, []any) error) error {
	for i, size := range b.sizes {
		for n := size * b.width; len(args) >= n; args = args[n:] {
			if err := run(b.stmts[i], args[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Exec runs the statement over all args.
func (b Bulk) Exec(ctx context.Context, tx *Tx, args []any) error {
	return b.Each(args, func(st *Stmt, part []any) error {
		_, err := tx.Exec(ctx, st, part...)
		return err
	})
}

// Query runs the statement over all args, a piece at a time, and reads each row. A short
// piece is filled up with its last row, which changes no answer of an IN list.
func (b Bulk) Query(ctx context.Context, tx *Tx, args []any, read func(*Rows) error) error {
	for most := b.sizes[0] * b.width; len(args) > 0; {
		part := args[:min(most, len(args))]
		args = args[len(part):]
		st, size := b.fit(len(part) / b.width)
		for len(part) < size*b.width {
			part = append(part[:len(part):len(part)], part[len(part)-b.width:]...)
		}
		if err := ReadRows(read)(tx.Query(ctx, st, part...)); err != nil {
			return err
		}
	}
	return nil
}

// fit returns the shortest statement that holds n rows.
func (b Bulk) fit(n int) (*Stmt, int) {
	for i := len(b.sizes) - 1; i > 0; i-- {
		if b.sizes[i] >= n {
			return b.stmts[i], b.sizes[i]
		}
	}
	return b.stmts[0], b.sizes[0]
}

// ReadRows reads and closes what a query returned; it takes the query's error too, so that
// calls stay one line.
func ReadRows(read func(*Rows) error) func(*Rows, error) error {
	return func(rows *Rows, err error) error {
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
