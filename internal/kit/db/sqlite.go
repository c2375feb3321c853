package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// readers is how many snapshots run at once. More than the cores only adds memory.
	readers = 4
	// Caches in KiB: the writer's as measured (more did not help), the readers' small.
	writerCache, readerCache = 64 << 10, 8 << 10
	// oldestSQLite is the first version without the bug that can corrupt a file when its
	// log is reset (3.7.0 to 3.51.2).
	oldestSQLite = "3.51.3"
)

// lite is the SQLite engine: one connection that writes, a few that read, and one that
// writes the log back into the file.
type lite struct {
	db     *DB
	path   string
	lock   io.Closer
	pools  []*sql.DB
	writer *session
	queue  queue // for the writer
	// idle are the readers that nobody uses.
	idle    chan *session
	closing chan struct{}
	copier  *checkpointer
	copies  sync.WaitGroup // online backups that run on the writer; see freeze
}

func openSQLite(ctx context.Context, d *DB, o Options) (_ store, err error) {
	if err := makeDir(o.Dir); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(o.Dir, o.Name+".db"))
	if err != nil {
		return nil, err
	}
	l := &lite{db: d, path: path, idle: make(chan *session, readers), closing: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.closeFiles())
		}
	}()
	if l.lock, err = lockFile(filepath.Join(o.Dir, o.Name+".lock")); err != nil {
		return nil, err
	}
	if err := guardDisk(o.Dir, d.log); err != nil {
		return nil, err
	}
	if err := makeFile(path); err != nil {
		return nil, err
	}
	if err := l.connect(ctx); err != nil {
		return nil, d.translate(err)
	}
	return l, nil
}

// makeFile makes the file before SQLite does, readable by its owner only. SQLite gives
// the log the same mode.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// source names the file with the settings that every connection begins with.
func source(path string, cache int, more ...string) string {
	pragmas := append([]string{
		"busy_timeout(5000)", // for tools that open the file beside the server
		"foreign_keys(1)",
		"synchronous(2)", // FULL: NORMAL loses confirmed transactions at a power cut
		"cache_size(-" + strconv.Itoa(cache) + ")",
		"mmap_size(0)", // an I/O error must be an error, not a signal
		"wal_autocheckpoint(0)",
		"secure_delete(fast)", // what is deleted is overwritten in pages that are written anyway
		"trusted_schema(0)",
	}, more...)
	u := url.URL{Path: path}
	return "file:" + u.EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// connect opens all connections and guards the one that writes.
func (l *lite) connect(ctx context.Context) error {
	writers, err := sql.Open("sqlite", source(l.path, writerCache, "journal_mode(wal)"))
	if err != nil {
		return err
	}
	l.pools = append(l.pools, writers)
	conn, err := writers.Conn(ctx)
	if err != nil {
		return err
	}
	l.writer = &session{SQLite, conn, map[*Stmt]*sql.Stmt{}}
	if err := guardSQLite(ctx, conn); err != nil {
		return err
	}
	behind, err := writers.Conn(ctx)
	if err != nil {
		return err
	}
	snapshots, err := sql.Open("sqlite", source(l.path, readerCache, "query_only(1)"))
	if err != nil {
		return err
	}
	l.pools = append(l.pools, snapshots)
	for range readers {
		conn, err := snapshots.Conn(ctx)
		if err != nil {
			return err
		}
		l.idle <- &session{SQLite, conn, map[*Stmt]*sql.Stmt{}}
	}
	l.copier = startCheckpointer(l, behind)
	return nil
}

// guardSQLite reads the settings back that durability rests on.
func guardSQLite(ctx context.Context, conn *sql.Conn) error {
	for _, g := range []struct{ name, query, want string }{
		{"journal_mode", "PRAGMA journal_mode", "wal"},
		{"synchronous", "PRAGMA synchronous", "2"},
		{"foreign_keys", "PRAGMA foreign_keys", "1"},
	} {
		var found string
		if err := conn.QueryRowContext(ctx, g.query).Scan(&found); err != nil {
			return err
		}
		if found != g.want {
			return ErrWeak.With("name", g.name, "found", found, "want", g.want)
		}
	}
	var version string
	if err := conn.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if older(version, oldestSQLite) {
		return ErrWeak.With("name", "sqlite_version", "found", version, "want", oldestSQLite+"+")
	}
	return nil
}

// older compares versions such as 3.51.3 by number. What is no number counts as 0.
func older(a, b string) bool {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range right {
		x, y := 0, 0
		if i < len(left) {
			x, _ = strconv.Atoi(left[i])
		}
		y, _ = strconv.Atoi(right[i])
		if x != y {
			return x < y
		}
	}
	return false
}

func (l *lite) engine() Engine { return SQLite }

func (l *lite) begin(ctx context.Context, m mode) (*Tx, error) {
	if m == reading || m == glancing {
		return l.beginRead(ctx, m)
	}
	if err := l.queue.lock(ctx, m); err != nil {
		return nil, err
	}
	if err := l.writer.begin(ctx, "BEGIN IMMEDIATE"); err != nil {
		l.queue.unlock()
		return nil, err
	}
	tx := &Tx{db: l.db, mode: m, session: l.writer}
	tx.release = func() {
		l.copier.wrote(tx.rows)
		l.queue.unlock()
	}
	return tx, nil
}

// begin begins a transaction. The caller's context does not interrupt it: a caller who goes
// in that very moment would be told that nothing was begun, while the connection is in a
// transaction that nobody ends. It takes no longer for that, as the file is ours alone.
//
// The transaction before may still be open: the driver interrupts a statement whose context
// has ended from another goroutine, and may hit the ROLLBACK that comes after it instead.
// Left so, a reader would refuse all work and hold the log from then on.
func (s *session) begin(ctx context.Context, how string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	_, err := s.conn.ExecContext(ctx, how)
	if err == nil || !strings.Contains(err.Error(), "within a transaction") {
		return err
	}
	if _, err := s.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		return err
	}
	_, err = s.conn.ExecContext(ctx, how)
	return err
}

func (l *lite) beginRead(ctx context.Context, m mode) (*Tx, error) {
	select {
	case <-l.closing:
		return nil, errClosed
	default:
	}
	select {
	case s := <-l.idle:
		if m == reading {
			if err := s.begin(ctx, "BEGIN"); err != nil {
				l.idle <- s
				return nil, err
			}
		}
		return &Tx{db: l.db, mode: m, session: s, release: func() { l.idle <- s }}, nil
	case <-l.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *lite) lease(ctx context.Context, name string, n int64) (first int64, err error) {
	// Not InTx: a lease must not make the claim of the request that happens to need it.
	_, err = l.db.once(ctx, foreground, func(ctx context.Context, tx *Tx) error {
		return tx.QueryRow(ctx, leaseSQL, name, n).Scan(&first)
	})
	return first - n, err
}

// migrate needs no lock but the writer's turn: the file has one server.
func (l *lite) migrate(ctx context.Context, list []migration) error {
	var todo []migration
	err := l.db.write(ctx, foreground, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.ExecText(ctx, fill(SQLite, versionTable)); err != nil {
			return err
		}
		applied, err := versions(ctx, tx)
		if err != nil {
			return err
		}
		todo, err = missing(list, applied)
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range todo {
		err := l.db.write(ctx, foreground, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.ExecText(ctx, m.text); err != nil {
				return err
			}
			_, err := tx.ExecText(ctx, versionAdd, m.version, m.name, time.Now().UnixMilli())
			return err
		})
		if err != nil {
			return fmt.Errorf("%04d_%s: %w", m.version, m.name, err)
		}
	}
	return nil
}

func versions(ctx context.Context, tx *Tx) (list []int, err error) {
	rows, err := tx.QueryText(ctx, versionList)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// prepare leaves the statements prepared on the connection that writes.
func (l *lite) prepare(ctx context.Context, list []*Stmt) error {
	if err := l.queue.lock(ctx, foreground); err != nil {
		return err
	}
	defer l.queue.unlock()
	for _, s := range list {
		if s.sqlite == "" {
			continue
		}
		if _, err := l.writer.prepared(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// warm reads the file in order, which the disk does far faster than at random.
func (l *lite) warm(ctx context.Context) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if all, err := size(l.path); err == nil {
		l.db.warmth.of.Store(all)
	}
	page := make([]byte, 1<<20)
	for ctx.Err() == nil {
		n, err := f.Read(page)
		l.db.warmth.read.Add(int64(n))
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// shrink empties the caches of the writer and of the readers that nobody uses.
func (l *lite) shrink(ctx context.Context) error {
	if err := l.queue.lock(ctx, background); err != nil {
		return err
	}
	_, err := l.writer.conn.ExecContext(ctx, "PRAGMA shrink_memory")
	l.queue.unlock()
	for range readers {
		select {
		case s := <-l.idle:
			_, readErr := s.conn.ExecContext(ctx, "PRAGMA shrink_memory")
			l.idle <- s
			err = errors.Join(err, readErr)
		default:
		}
	}
	return err
}

// close waits for the transactions that run, at most as long as they may last, and sends
// those away that wait.
func (l *lite) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	if err := l.queue.lock(ctx, posting); err != nil {
		if errors.Is(err, errClosed) {
			return nil // closed before
		}
		return fmt.Errorf("close database: the writer is still at work: %w", err)
	}
	l.queue.shut()
	close(l.closing)
	l.copies.Wait()
	l.copier.stop()
	for range readers {
		select {
		case s := <-l.idle:
			s.conn.Close()
		case <-ctx.Done():
			return fmt.Errorf("close database: a reader is still at work: %w", ctx.Err())
		}
	}
	var err error
	if l.db.Failure() == nil { // after a storage error nothing is written any more
		_, err = l.writer.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return errors.Join(l.db.translate(err), l.closeFiles())
}

// closeFiles closes what is open, also after half an opening; the lock last.
func (l *lite) closeFiles() error {
	var all []error
	if l.writer != nil {
		all = append(all, l.writer.conn.Close())
	}
	for _, p := range l.pools {
		all = append(all, p.Close())
	}
	if l.lock != nil {
		all = append(all, l.lock.Close())
	}
	return errors.Join(all...)
}
