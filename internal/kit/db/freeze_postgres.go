package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// freeze holds one snapshot on one connection until the frozen database is closed. Tables
// are locked against changes of their shape, as by pg_dump.
func (p *postgres) freeze(ctx context.Context, _ string, tell func(done, total int64)) (_ *Frozen, err error) {
	c, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, thaw(c))
		}
	}()
	if _, err := c.Exec(ctx, starts[reading]); err != nil {
		return nil, err
	}
	f := &Frozen{Engine: Postgres, close: func() error { return thaw(c) }}
	if f.Parts, err = tables(ctx, c.Conn()); err != nil {
		return nil, err
	}
	if err := lockTables(ctx, c.Conn(), f.Parts); err != nil {
		return nil, err
	}
	if f.Versions, err = versionsOn(ctx, c.Conn()); err != nil {
		return nil, err
	}
	if f.Bytes, err = sizeOn(ctx, c.Conn()); err != nil {
		return nil, err
	}
	done := int64(0)
	f.write = func(ctx context.Context, part Part, w io.Writer) (int64, error) {
		tag, err := c.Conn().PgConn().CopyTo(ctx, w, copyText(part, "TO STDOUT"))
		done++
		tell(done, int64(len(f.Parts)))
		return tag.RowsAffected(), err
	}
	return f, nil
}

// thaw ends the snapshot and gives the connection back. The pool drops it if it is broken.
func thaw(c *pgxpool.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	defer c.Release()
	if c.Conn().IsClosed() {
		return nil // the server has ended the snapshot with it
	}
	_, err := c.Exec(ctx, "ROLLBACK")
	return err
}

// copyText is the COPY of a part, with its columns by name: the order in which a table has
// them is a matter of its history.
func copyText(p Part, how string) string {
	quoted := make([]string, len(p.Columns))
	for i, name := range p.Columns {
		quoted[i] = pgx.Identifier{name}.Sanitize()
	}
	return fmt.Sprintf("COPY %s (%s) %s (FORMAT binary)", pgx.Identifier{p.Name}.Sanitize(), strings.Join(quoted, ", "), how)
}

// tables lists the tables of the connection's schema with their columns, and the sequences
// of those that number their rows.
func tables(ctx context.Context, c *pgx.Conn) ([]Part, error) {
	rows, err := c.Query(ctx, `
		SELECT CAST(t.relname AS TEXT), ARRAY(
			SELECT CAST(a.attname AS TEXT)
			FROM pg_attribute a
			WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
			ORDER BY a.attnum
		), COALESCE((
			SELECT CAST(a.attname AS TEXT)
			FROM pg_attribute a
			WHERE a.attrelid = t.oid AND a.attidentity <> '' AND NOT a.attisdropped
		), '')
		FROM pg_class t
		WHERE t.relnamespace = CAST(current_schema() AS regnamespace) AND t.relkind = 'r'
		ORDER BY t.relname`)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Part, err error) {
		err = row.Scan(&p.Name, &p.Columns, &p.Identity)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	for i, p := range list {
		if p.Identity == "" {
			continue
		}
		if list[i].Next, err = nextOf(ctx, c, p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// nextOf reads what a table's sequence gives next. Sequences stand outside of snapshots: it
// is never less than what the snapshot's rows need.
func nextOf(ctx context.Context, c *pgx.Conn, p Part) (next int64, err error) {
	var name string
	table := pgx.Identifier{p.Name}.Sanitize()
	if err := c.QueryRow(ctx, "SELECT pg_get_serial_sequence($1, $2)", table, p.Identity).Scan(&name); err != nil {
		return 0, err
	}
	err = c.QueryRow(ctx, "SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM "+name).Scan(&next)
	return next, err
}

func lockTables(ctx context.Context, c *pgx.Conn, parts []Part) error {
	if len(parts) == 0 {
		return nil
	}
	_, err := c.Exec(ctx, "LOCK TABLE "+tableList(parts)+" IN ACCESS SHARE MODE")
	return err
}

func tableList(parts []Part) string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = pgx.Identifier{p.Name}.Sanitize()
	}
	return strings.Join(names, ", ")
}

func versionsOn(ctx context.Context, c *pgx.Conn) ([]int, error) {
	rows, err := c.Query(ctx, versionList)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// sizeOn is how much room the tables of the schema take, with their indexes.
func sizeOn(ctx context.Context, c *pgx.Conn) (bytes int64, err error) {
	err = c.QueryRow(ctx, `
		SELECT CAST(COALESCE(SUM(pg_total_relation_size(oid)), 0) AS BIGINT)
		FROM pg_class
		WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind = 'r'`).Scan(&bytes)
	return bytes, err
}
