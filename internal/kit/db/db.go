// Package db is the one way to the database: SQLite in a data directory, or PostgreSQL
// where a URL names one. The same text of SQL runs on both.
//
// Life: Open guards the durability settings and takes the lock of the file; Migrate brings
// the schema up to date and prepares every defined statement, so that a typo stops the
// boot; then InTx, InBackground and Read run functions inside transactions until Close.
//
// Laws:
//   - One transaction at a time per context. A transaction inside another would wait for
//     itself (SQLite) or for a second connection (PostgreSQL), so it panics.
//   - A statement that fails ends its transaction on both engines: only a rollback is left.
//   - While Rows are open, their transaction runs nothing else.
//   - No network and no waiting inside a write transaction: all writers of SQLite share it.
//   - A storage error leaves the state unknown, not failed. Failed is closed, nothing more
//     is accepted, and the process should stop; a retry with the same key finds the truth.
package db

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Engine says which database holds the data.
type Engine int

// The engines.
const (
	SQLite Engine = iota
	Postgres
)

// String returns the name of the engine as people write it.
func (e Engine) String() string {
	if e == Postgres {
		return "postgresql"
	}
	return "sqlite"
}

// Options say where the data are.
type Options struct {
	URL  string       // of a PostgreSQL database; empty for SQLite
	Dir  string       // data directory, made when missing; holds the SQLite file and its lock
	Name string       // base name of the file, or name of the schema; "patron" when empty
	Log  *slog.Logger // slog.Default when nil
}

// store is what differs by engine.
type store interface {
	engine() Engine
	// begin starts a transaction and marks its context.
	begin(ctx context.Context, mode mode) (*Tx, error)
	// lease takes n integers of a name in a transaction of its own.
	lease(ctx context.Context, name string, n int64) (first int64, err error)
	migrate(ctx context.Context, list []migration) error
	// prepare checks every statement against the schema.
	prepare(ctx context.Context, list []*Stmt) error
	warm(ctx context.Context) error
	// shrink lets go of the memory that connections keep pages in.
	shrink(ctx context.Context) error
	stats(ctx context.Context) (Stats, error)
	scrub(ctx context.Context, tables []string) error
	// freeze takes the database as it is at one instant; see Freeze.
	freeze(ctx context.Context, dir string, tell func(done, total int64)) (*Frozen, error)
	close() error
}

// mode says what a transaction is for.
type mode int

const (
	posting    mode = iota // points and money: first at the writer
	foreground             // somebody waits for the answer
	background             // nobody does
	reading                // a snapshot that writes nothing
	glancing               // single statements that write nothing
)

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	store  store
	log    *slog.Logger
	blocks blocks
	warmth warmth
	begun  atomic.Int64 // transactions and snapshots

	failOnce sync.Once
	failed   chan struct{}
	failure  error // set before failed is closed
}

// names are quoted nowhere, so that they look the same in every tool.
var names = regexp.MustCompile(`^[a-z][a-z0-9_]{0,50}$`)

// Open opens the database and refuses one that would not keep what it has confirmed. It
// changes no table; call Migrate next. ErrLocked means that another server has the file,
// ErrWeak that a setting of the server gives up durability.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Name == "" {
		o.Name = "patron"
	}
	if !names.MatchString(o.Name) {
		return nil, fmt.Errorf("open database: %q is no name for a file or a schema", o.Name)
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &DB{log: o.Log, failed: make(chan struct{})}
	var err error
	if o.URL != "" {
		d.store, err = openPostgres(ctx, d, o)
	} else {
		d.store, err = openSQLite(ctx, d, o)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return d, nil
}

// Engine says which engine this is.
func (d *DB) Engine() Engine { return d.store.engine() }

// Pool is the native pool of PostgreSQL, for the posting engine, or nil on SQLite.
func (d *DB) Pool() *pgxpool.Pool {
	if p, ok := d.store.(*postgres); ok {
		return p.pool
	}
	return nil
}

// Failed is closed at the first storage error. What was being written then may or may not
// be there, and the process should stop.
func (d *DB) Failed() <-chan struct{} { return d.failed }

// Failure returns the storage error that closed Failed, or nil.
func (d *DB) Failure() error {
	select {
	case <-d.failed:
		return d.failure
	default:
		return nil
	}
}

// fail notes the first storage error.
func (d *DB) fail(cause error) {
	d.failOnce.Do(func() {
		d.failure = cause
		d.log.Error("the database failed; stop and start the server", "error", cause)
		close(d.failed)
	})
}

// Scrub makes the database let go of bytes that a transaction has overwritten or deleted in
// some tables. On SQLite it writes the log back and cuts it to nothing, so that no older
// state of a page is left in it; on PostgreSQL it vacuums the tables, so that dead rows are
// cleared (their write-ahead log stays for as long as the server keeps it). It may fail
// while long readings run: try again later. Table names are the program's own, never input.
func (d *DB) Scrub(ctx context.Context, tables ...string) error {
	if err := d.Failure(); err != nil {
		return err
	}
	if err := d.translate(d.store.scrub(ctx, tables)); err != nil {
		return fmt.Errorf("scrub %v: %w", tables, err)
	}
	return nil
}

// Close waits for the writer, writes the log back into the file and lets go of the lock.
// Transactions that begin after it fail.
func (d *DB) Close() error { return d.store.close() }

// makeDir makes the data directory, closed to other users of the machine.
func makeDir(dir string) error {
	if dir == "" {
		return fmt.Errorf("no data directory")
	}
	return os.MkdirAll(dir, 0o700)
}
