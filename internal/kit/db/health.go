package db

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Migrated reports whether the schema is still the one of this program: nil, ErrNewer where
// a newer node has changed it since the start, or an error that names a missing step.
func (d *DB) Migrated(ctx context.Context) error {
	list, err := migrationsFor(d.Engine(), migrations)
	if err != nil {
		return err
	}
	return d.Read(ctx, func(ctx context.Context, tx *Tx) error {
		applied, err := versions(ctx, tx)
		if err != nil {
			return err
		}
		todo, err := missing(list, applied)
		if err == nil && len(todo) > 0 {
			err = fmt.Errorf("migration %04d_%s is missing", todo[0].version, todo[0].name)
		}
		return err
	})
}

// Stats are figures of an open database since it was opened. What an engine does not have
// is 0.
type Stats struct {
	Bytes      int64 // of the file, or of the database on the server
	LogBytes   int64 // of SQLite's log
	Warm       Warmth
	Checkpoint struct {
		Count int64
		Took  time.Duration // all together
		Last  time.Duration
	}
	Pool struct {
		Used, Most int64 // connections
		Waits      int64 // for a connection
	}
}

// Warmth is how far the file was read through after the start.
type Warmth struct {
	Read, Of int64 // bytes
	Done     bool  // to the end, or given up
}

// Stats reads the figures. On PostgreSQL it asks the server for one.
func (d *DB) Stats(ctx context.Context) (Stats, error) { return d.store.stats(ctx) }

// warmth is Warmth while it changes.
type warmth struct {
	read, of atomic.Int64
	done     atomic.Bool
}

func (w *warmth) now() Warmth { return Warmth{w.read.Load(), w.of.Load(), w.done.Load()} }

// Warm reads the whole file once through so that it lies in the page cache: a cold cache
// is about 18 times slower. It returns when done or when ctx ends, and logs both ends. On
// PostgreSQL the server keeps its own cache and there is nothing to do.
func (d *DB) Warm(ctx context.Context) error {
	defer d.warmth.done.Store(true)
	if d.Engine() == Postgres {
		return nil
	}
	began := time.Now()
	d.log.Info("reading the database through in the background; until then the first requests may wait for the disk")
	err := d.store.warm(ctx)
	w := d.warmth.now()
	d.log.LogAttrs(ctx, slog.LevelInfo, "the database was read through",
		slog.Int64("bytes", w.Read), slog.Int64("of", w.Of), slog.Duration("took", time.Since(began)), slog.Bool("whole", err == nil))
	return err
}

// Begun counts the transactions and snapshots so far, but for those of Upkeep: how busy others
// keep the database.
func (d *DB) Begun() int64 { return d.begun.Load() }

// Shrink gives the memory back in which the connections of the embedded database keep
// pages, up to 100 MB after a busy time. What is asked for next comes from the system's
// cache, which costs little and lasts for one look. PostgreSQL keeps its own.
func (d *DB) Shrink(ctx context.Context) error {
	if err := d.store.shrink(ctx); err != nil {
		return fmt.Errorf("give memory back: %w", d.translate(err))
	}
	return nil
}

// stats of SQLite are the sizes of its files and what the checkpointer has counted.
func (l *lite) stats(context.Context) (s Stats, err error) {
	s.Warm = l.db.warmth.now()
	if s.Bytes, err = size(l.path); err != nil {
		return s, err
	}
	s.LogBytes, err = size(l.path + "-wal")
	s.Checkpoint.Count = l.copier.count.Load()
	s.Checkpoint.Took, s.Checkpoint.Last = time.Duration(l.copier.took.Load()), time.Duration(l.copier.last.Load())
	s.Pool.Most, s.Pool.Used = readers, int64(readers-len(l.idle))
	return s, err
}

// size of a file; 0 where there is none.
func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

var sizeSQL = Define("db.size", ``).OnPostgres(`SELECT pg_database_size(current_database())`)

func (p *postgres) stats(ctx context.Context) (s Stats, err error) {
	s.Warm = p.db.warmth.now()
	pool := p.pool.Stat()
	s.Pool.Used, s.Pool.Most, s.Pool.Waits = int64(pool.AcquiredConns()), int64(pool.MaxConns()), pool.EmptyAcquireCount()
	err = p.db.Glance(ctx, func(ctx context.Context, tx *Tx) error {
		return tx.QueryRow(ctx, sizeSQL).Scan(&s.Bytes)
	})
	return s, err
}

var touchSQL = Define("db.touch", `
	INSERT INTO sequence (name, next)
	VALUES ('touch', 1)
	ON CONFLICT (name) DO UPDATE
	SET next = sequence.next + 1`)

// Touch writes one row and waits until it is durable: the database is writable, or this is
// the error that says why not.
func (d *DB) Touch(ctx context.Context) error {
	return d.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.Exec(ctx, touchSQL)
		return err
	})
}
