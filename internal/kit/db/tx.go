package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// maxTries bounds how often a transaction runs that PostgreSQL undoes for a deadlock
	// or a conflict. Locks are taken in one order, so the second try nearly always passes.
	maxTries = 5
	// readWithin bounds a snapshot: while one is open the log of SQLite cannot be reused
	// and grows. Exports page by key over many.
	readWithin = 10 * time.Second
	// endWithin bounds a commit or rollback, which the caller's context does not: it must
	// not be torn in the middle, nor hang for ever on a dead network.
	endWithin = 30 * time.Second
)

// Tx is a transaction. It belongs to the goroutine that runs its function.
type Tx struct {
	db      *DB
	mode    mode
	session *session
	release func()           // gives the connection, and the writer's turn, back
	broken  error            // the first statement that failed; nothing may follow it
	open    *Rows            // not yet closed; nothing may run beside it
	leased  map[string]*span // integers leased inside this transaction; see NextIDs
	rows    int64            // written, to know when a checkpoint is due
}

// Engine says which engine this runs on.
func (tx *Tx) Engine() Engine { return tx.db.Engine() }

// InTx runs fn in a write transaction: all of it is kept, durably, or nothing. fn may run
// more than once on PostgreSQL (a deadlock), so it changes nothing but the database and
// variables that it sets anew. It must use the context that it is given.
func (d *DB) InTx(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return d.claimed(ctx, foreground, fn)
}

// InBackground is InTx for work that nobody waits for. On SQLite it lets postings and InTx
// go first; since it then holds all writers up, keep it under 5 ms.
func (d *DB) InBackground(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return d.claimed(ctx, background, fn)
}

// InPosting is InTx for the posting engine: first at the writer of SQLite. It makes no
// claim, since a batch carries the keys of many requests and writes them itself.
func (d *DB) InPosting(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return d.write(ctx, posting, fn)
}

// Read runs fn on a snapshot, beside all writers. It lasts 10 seconds at most.
func (d *DB) Read(ctx context.Context, fn func(context.Context, *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	_, err := d.once(ctx, reading, fn)
	return err
}

// Glance is Read for look-ups on hot paths: each statement sees the database as it then is,
// so more than one need not agree. It saves PostgreSQL the two round trips of BEGIN and
// ROLLBACK, which cost more than the look-up.
func (d *DB) Glance(ctx context.Context, fn func(context.Context, *Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	_, err := d.once(ctx, glancing, fn)
	return err
}

// write runs fn until it is kept, refused, or has been undone too often.
func (d *DB) write(ctx context.Context, m mode, fn func(context.Context, *Tx) error) error {
	for try := 1; ; try++ {
		undone, err := d.once(ctx, m, fn)
		if !undone || try == maxTries {
			return err
		}
		// Two that met in a deadlock would meet again if both came back at once.
		pause := time.Duration(rand.Int64N(int64(10*time.Millisecond) << try))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// mark is what a context inside a transaction carries.
type mark struct{ tx *Tx }

type markKey struct{}

// inside returns the transaction of this database that ctx belongs to, or nil.
func (d *DB) inside(ctx context.Context) *Tx {
	m, _ := ctx.Value(markKey{}).(mark)
	if m.tx == nil || m.tx.db != d {
		return nil
	}
	return m.tx
}

// once runs fn in one transaction and reports whether the engine undid it for a reason
// that another try may not meet.
func (d *DB) once(ctx context.Context, m mode, fn func(context.Context, *Tx) error) (undone bool, err error) {
	if d.inside(ctx) != nil {
		panic("db: a transaction inside a transaction; pass the Tx instead")
	}
	if err := d.Failure(); err != nil {
		return false, err
	}
	if ctx.Value(upkeepKey{}) == nil {
		d.begun.Add(1)
	}
	tx, err := d.store.begin(ctx, m)
	if err != nil {
		return false, d.translate(given(ctx, err))
	}
	ended := false
	defer func() { // also when fn panics
		if !ended {
			tx.rollback()
		}
		tx.release()
	}()

	err = tx.run(context.WithValue(ctx, markKey{}, mark{tx}), fn)
	if m == glancing {
		ended = true // nothing was begun
		return again(err), err
	}
	if err != nil || m == reading {
		return again(err) || again(tx.broken), err
	}
	ended = true
	if err := d.translate(tx.end("COMMIT")); err != nil {
		tx.rollback()
		return again(err), err
	}
	d.blocks.publish(tx.leased)
	return false, nil
}

// run calls fn and adds what fn may have overlooked.
func (tx *Tx) run(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := fn(ctx, tx); err != nil {
		return tx.db.translate(err)
	}
	if tx.broken != nil {
		return fmt.Errorf("a statement failed and its error was dropped: %w", tx.broken)
	}
	if tx.open != nil {
		tx.open.Close()
		return errors.New("db: rows were left open at the end of a transaction")
	}
	return nil
}

// end runs COMMIT or ROLLBACK, which the caller's context cannot interrupt.
func (tx *Tx) end(how string) error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	_, err := tx.session.conn.ExecContext(ctx, how)
	return err
}

// rollback undoes the transaction. An error tells nothing new: SQLite has undone it by
// itself after some errors, and a lost connection of PostgreSQL undoes it at the server.
// A storage error was noted when it was first seen.
func (tx *Tx) rollback() {
	if tx.open != nil {
		tx.open.Close()
	}
	err := tx.end("ROLLBACK")
	if err != nil && tx.Engine() == SQLite {
		err = tx.end("ROLLBACK") // the first may have been interrupted in place of what was before it; see begin
	}
	if err != nil {
		tx.db.log.Debug("rollback after the transaction had ended", "error", err)
	}
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, s *Stmt, args ...any) (int64, error) {
	return tx.exec(ctx, s, "", args)
}

// ExecText runs text that was put together at run time. Values go into args, never into
// the text.
func (tx *Tx) ExecText(ctx context.Context, text string, args ...any) (int64, error) {
	return tx.exec(ctx, nil, text, args)
}

// Query runs a statement that returns rows. Close them before the next statement.
func (tx *Tx) Query(ctx context.Context, s *Stmt, args ...any) (*Rows, error) {
	return tx.query(ctx, s, "", args)
}

// QueryText is Query for text that was put together at run time, such as a list with
// filters. Values go into args, never into the text.
func (tx *Tx) QueryText(ctx context.Context, text string, args ...any) (*Rows, error) {
	return tx.query(ctx, nil, text, args)
}

// QueryRow runs a statement that returns one row at most. Its errors come from Scan, which
// must be called.
func (tx *Tx) QueryRow(ctx context.Context, s *Stmt, args ...any) *Row {
	rows, err := tx.query(ctx, s, "", args)
	return &Row{rows: rows, err: err}
}

func (tx *Tx) exec(ctx context.Context, s *Stmt, text string, args []any) (int64, error) {
	if tx.mode == glancing {
		return 0, errors.New("db: a glance writes nothing")
	}
	args, err := tx.ready(args)
	if err != nil {
		return 0, err
	}
	result, err := tx.session.exec(ctx, s, text, args)
	if err != nil {
		return 0, tx.breaks(named(s, given(ctx, err)))
	}
	n, err := result.RowsAffected()
	tx.rows += n
	return n, err
}

func (tx *Tx) query(ctx context.Context, s *Stmt, text string, args []any) (*Rows, error) {
	args, err := tx.ready(args)
	if err != nil {
		return nil, err
	}
	rows, err := tx.session.query(ctx, s, text, args)
	if err != nil {
		return nil, tx.breaks(named(s, given(ctx, err)))
	}
	tx.open = &Rows{tx: tx, rows: rows}
	return tx.open, nil
}

// ready refuses a statement that one of the engines could not run now, and returns its
// arguments in a form that means the same to both.
func (tx *Tx) ready(args []any) ([]any, error) {
	if tx.broken != nil {
		return nil, fmt.Errorf("the transaction has failed before: %w", tx.broken)
	}
	if tx.open != nil {
		return nil, errors.New("db: a statement while rows are open; close them first")
	}
	out := make([]any, len(args)) // the caller's slice stays as it is
	for i, a := range args {
		switch v := a.(type) {
		case bool:
			out[i] = number(v)
		case json.RawMessage:
			if v != nil {
				out[i] = string(v)
			}
		case time.Time:
			return nil, errors.New("db: a time is stored as Unix milliseconds; pass UnixMilli()")
		default:
			out[i] = a
		}
	}
	return out, nil
}

func number(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// breaks notes the first error of the transaction, translated.
func (tx *Tx) breaks(err error) error {
	err = tx.db.translate(err)
	if tx.broken == nil {
		tx.broken = err
	}
	return err
}

// given returns the error of ctx where its end, and not the network, broke a connection.
func given(ctx context.Context, err error) error {
	if ctx.Err() != nil && lost(err) {
		return fmt.Errorf("%w: %v", ctx.Err(), err)
	}
	return err
}

// named adds the name of the statement to an error that is for the log.
func named(s *Stmt, err error) error {
	if s == nil {
		return err
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// Rows are the answer of a query, as in database/sql. Err must be asked after the last
// Next.
type Rows struct {
	tx   *Tx
	rows *sql.Rows
}

// Next moves to the next row and reports whether there is one.
func (r *Rows) Next() bool {
	if r.rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan copies the columns of the row. An empty value of bytes may come back as nil.
func (r *Rows) Scan(dest ...any) error { return r.rows.Scan(dest...) }

// Err returns what ended the rows early, or nil.
func (r *Rows) Err() error {
	if err := r.rows.Err(); err != nil {
		return r.tx.breaks(err)
	}
	return nil
}

// Close ends the rows. It may be called twice.
func (r *Rows) Close() error {
	if r.tx.open == r {
		r.tx.open = nil
	}
	err := r.rows.Close()
	if fault := r.rows.Err(); fault != nil { // PostgreSQL may fail only while it sends the rows
		return r.tx.breaks(fault)
	}
	return err
}

// Row is the answer of QueryRow.
type Row struct {
	rows *Rows
	err  error
}

// Scan copies the columns, or returns sql.ErrNoRows where there is no row.
func (r *Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		r.rows.Close()
		return err
	}
	return r.rows.Close()
}
