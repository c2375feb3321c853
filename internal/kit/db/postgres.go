package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connectWithin = 10 * time.Second
	// oldestPostgres is the oldest server that is still kept up by its makers.
	oldestPostgres = 140000
)

// postgres is the PostgreSQL engine: one pool, seen natively and through database/sql,
// and one connection more for leases.
type postgres struct {
	db    *DB
	pool  *pgxpool.Pool
	sql   *sql.DB
	leash *pgxpool.Pool // one connection; see lease
	lock  int64         // key of the advisory lock for migrations of this schema
	held  int64         // key of the advisory lock that says that somebody has the schema open
}

func openPostgres(ctx context.Context, d *DB, o Options) (_ store, err error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		// The error of pgx repeats the URL with the password blanked.
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if !strings.Contains(o.URL, "pool_max_conns") {
		// Reads wait for the network more than for the processor, so some more than cores.
		config.MaxConns = int32(4 + 4*runtime.NumCPU())
	}
	settle(config.ConnConfig, o.Name)
	p := &postgres{db: d, lock: lockKey("boot", o.Name), held: lockKey("open", o.Name)}
	// A server that comes back weaker takes nothing until it is right again: to callers that
	// is an outage.
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		err := guardPostgres(ctx, c)
		if errors.Is(err, ErrWeak) {
			err = ErrBusy.Because(err)
		}
		return errors.Join(err, p.join(ctx, c))
	}
	if err := p.makeSchema(ctx, config.ConnConfig, o.Name, d.log); err != nil {
		return nil, d.translate(err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, d.translate(err)
	}
	one := config.Copy()
	one.MaxConns, one.MinConns, one.MinIdleConns = 1, 1, 0 // kept also while nothing happens: see join
	if p.leash, err = pgxpool.NewWithConfig(ctx, one); err != nil {
		return nil, d.translate(err)
	}
	p.sql = stdlib.OpenDBFromPool(p.pool)
	return p, d.translate(p.leash.Ping(ctx)) // so that it is open, for others to see, from now on
}

// join says on this connection, for as long as it lives, that the schema is open. Whoever
// wants to replace the schema needs the same lock for itself alone; see Hold.
func (p *postgres) join(ctx context.Context, c *pgx.Conn) error {
	return tryLock(ctx, c, "SELECT pg_try_advisory_lock_shared($1)", p.held, ErrHeld)
}

// How long a lock is asked for again. A session that was closed a moment ago may not have
// let go of its locks yet; one that is at work keeps them for far longer. Nobody queues
// meanwhile: an open database would let nobody else in.
const (
	lockWithin = 2 * time.Second
	lockPause  = 20 * time.Millisecond
)

// tryLock takes an advisory lock of a schema, or returns the refusal.
func tryLock(ctx context.Context, c *pgx.Conn, query string, key int64, refusal error) error {
	for end := time.Now().Add(lockWithin); ; {
		var taken bool
		if err := c.QueryRow(ctx, query, key).Scan(&taken); err != nil || taken {
			return err
		}
		if time.Now().After(end) {
			return refusal
		}
		select {
		case <-time.After(lockPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle sets what every session begins with, over whatever the server's defaults are.
func settle(c *pgx.ConnConfig, schema string) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectWithin
	}
	c.RuntimeParams["search_path"] = schema
	c.RuntimeParams["application_name"] = "patron"
	c.RuntimeParams["default_transaction_isolation"] = "read committed"
	// A node that hangs must not hold its locks for ever.
	c.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
}

// makeSchema guards the server, and makes the schema if it is missing. It holds the boot
// lock meanwhile: two CREATE SCHEMA IF NOT EXISTS at once can fail.
func (p *postgres) makeSchema(ctx context.Context, config *pgx.ConnConfig, name string, log *slog.Logger) (err error) {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	if err := errors.Join(guardPostgres(ctx, c), p.join(ctx, c)); err != nil {
		return err
	}
	var checksums string
	if err := c.QueryRow(ctx, "SHOW data_checksums").Scan(&checksums); err != nil {
		return err
	}
	if checksums != "on" {
		log.Warn("the PostgreSQL server keeps no checksums of its pages and would not notice a failing disk", "data_checksums", checksums)
	}
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", p.lock); err != nil {
		return err
	}
	_, err = c.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{name}.Sanitize())
	return err // closing the connection lets go of the lock
}

// guardPostgres reads the settings of a session back that durability rests on. It runs on
// every connection, since a role or a database may have its own.
func guardPostgres(ctx context.Context, c *pgx.Conn) error {
	var fsync, pages, commit, encoding string
	var version int
	err := c.QueryRow(ctx, `
		SELECT current_setting('fsync'), current_setting('full_page_writes'),
			current_setting('synchronous_commit'), current_setting('server_encoding'),
			CAST(current_setting('server_version_num') AS INTEGER)`).
		Scan(&fsync, &pages, &commit, &encoding, &version)
	if err != nil {
		return err
	}
	for _, g := range []struct {
		name, found, want string
		ok                bool
	}{
		{"fsync", fsync, "on", fsync == "on"},
		{"full_page_writes", pages, "on", pages == "on"},
		{"synchronous_commit", commit, "on", slices.Contains([]string{"on", "remote_write", "remote_apply"}, commit)},
		{"server_encoding", encoding, "UTF8", encoding == "UTF8"},
		{"server_version_num", fmt.Sprint(version), fmt.Sprint(oldestPostgres) + "+", version >= oldestPostgres},
	} {
		if !g.ok {
			return ErrWeak.With("name", g.name, "found", g.found, "want", g.want)
		}
	}
	return nil
}

// lockKey is an advisory lock of a schema: the same in every node.
func lockKey(what, schema string) int64 {
	h := fnv.New64a()
	h.Write([]byte("patron " + what + " " + schema))
	return int64(h.Sum64())
}

func (p *postgres) engine() Engine { return Postgres }

// starts is how a transaction of each mode begins; a glance has none.
var starts = map[mode]string{
	posting:    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	foreground: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	background: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	reading:    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

func (p *postgres) begin(ctx context.Context, m mode) (*Tx, error) {
	conn, err := p.sql.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if start := starts[m]; start != "" {
		if _, err := conn.ExecContext(ctx, start); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &Tx{
		db: p.db, mode: m,
		session: &session{engine: Postgres, conn: conn},
		// The pool drops a connection that comes back broken or inside a transaction.
		release: func() { conn.Close() },
	}, nil
}

// lease takes its own connection, not one of the pool: its caller may hold one, and
// callers that each hold one and want another would wait for each other.
func (p *postgres) lease(ctx context.Context, name string, n int64) (int64, error) {
	var next int64
	err := p.leash.QueryRow(ctx, leaseSQL.pg, name, n).Scan(&next)
	return next - n, err
}

func (p *postgres) migrate(ctx context.Context, list []migration) (err error) {
	pooled, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	// Out of the pool: closing it lets go of the lock, whatever has happened.
	c := pooled.Hijack()
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	if _, err := c.Exec(ctx, "SELECT pg_advisory_lock($1)", p.lock); err != nil {
		return err
	}
	return migrateOn(ctx, c, list)
}

// migrateOn does the missing steps on a connection. The caller sees to it that nobody else
// does.
func migrateOn(ctx context.Context, c *pgx.Conn, list []migration) error {
	if _, err := c.Exec(ctx, fill(Postgres, versionTable)); err != nil {
		return err
	}
	rows, err := c.Query(ctx, versionList)
	if err != nil {
		return err
	}
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return err
	}
	todo, err := missing(list, applied)
	if err != nil {
		return err
	}
	for _, m := range todo {
		if err := step(ctx, c, m); err != nil {
			return fmt.Errorf("%04d_%s: %w", m.version, m.name, err)
		}
	}
	return nil
}

// step runs one migration. The simple protocol takes a text of many statements.
func step(ctx context.Context, c *pgx.Conn, m migration) error {
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Conn().PgConn().Exec(ctx, m.text).ReadAll(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, versionAdd, m.version, m.name, time.Now().UnixMilli())
		return err
	})
}

func (p *postgres) prepare(ctx context.Context, list []*Stmt) error {
	return p.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		for _, s := range list {
			if s.pg == "" {
				continue
			}
			if _, err := c.Conn().PgConn().Prepare(ctx, "", s.pg, nil); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		return nil
	})
}

func (p *postgres) warm(context.Context) error { return nil }

func (p *postgres) shrink(context.Context) error { return nil }

// scrub runs outside of a transaction, as VACUUM wants it. Another session's transaction
// that is older than the deletion keeps the dead rows for this once.
func (p *postgres) scrub(ctx context.Context, tables []string) error {
	for _, t := range tables {
		if !names.MatchString(t) {
			return fmt.Errorf("%q is no name of a table", t)
		}
		if _, err := p.pool.Exec(ctx, "VACUUM "+t); err != nil {
			return err
		}
	}
	return nil
}

// close waits for the connections that are in use.
func (p *postgres) close() error {
	var err error
	if p.sql != nil {
		err = p.sql.Close()
	}
	for _, pool := range []*pgxpool.Pool{p.pool, p.leash} {
		if pool != nil {
			pool.Close()
		}
	}
	return err
}
