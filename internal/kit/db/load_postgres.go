package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connectTo opens one connection to the server, outside of any pool.
func connectTo(ctx context.Context, o Options) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err) // repeats it with the password blanked
	}
	maps.DeleteFunc(config.RuntimeParams, func(name, _ string) bool { return strings.HasPrefix(name, "pool_") })
	settle(config, o.Name)
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, ErrBusy.Because(err)
	}
	return c, nil
}

func hangUp(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	return c.Close(ctx)
}

// loadPostgres makes the schema as the backup's program made it, fills its tables and sets
// its sequences, in one transaction.
//
// References between tables are taken out meanwhile and checked when they are put back, so
// that tables may come in any order. Triggers of ours are switched off: they guard rows
// that are there, and what migrations have put in makes way.
func loadPostgres(ctx context.Context, o Options, versions []int, parts Parts) (rows map[string]int64, err error) {
	c, err := connectTo(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, hangUp(ctx, c)) }()
	if err := holdAlone(ctx, c, o.Name); err != nil {
		return nil, err
	}
	if _, err := c.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{o.Name}.Sanitize()); err != nil {
		return nil, mayMake(err)
	}
	list, err := migrationsFor(Postgres, migrations)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(m migration) bool { return !slices.Contains(versions, m.version) })
	if err := migrateOn(ctx, c, list); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) (err error) {
		rows, err = fillTables(ctx, tx.Conn(), parts)
		return err
	})
	return rows, err
}

// mayMake explains a missing right.
func mayMake(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		return ErrGrant.Because(err)
	}
	return err
}

func fillTables(ctx context.Context, c *pgx.Conn, parts Parts) (map[string]int64, error) {
	made, err := tables(ctx, c)
	if err != nil {
		return nil, err
	}
	restore, err := dropReferences(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, t := range made {
		if _, err := c.Exec(ctx, "ALTER TABLE "+pgx.Identifier{t.Name}.Sanitize()+" DISABLE TRIGGER USER"); err != nil {
			return nil, err
		}
	}
	if _, err := c.Exec(ctx, "TRUNCATE "+tableList(made)); err != nil {
		return nil, err
	}
	rows, err := copyIn(ctx, c, made, parts)
	if err != nil {
		return nil, err
	}
	for _, t := range made {
		if _, err := c.Exec(ctx, "ALTER TABLE "+pgx.Identifier{t.Name}.Sanitize()+" ENABLE TRIGGER USER"); err != nil {
			return nil, err
		}
	}
	for _, text := range restore {
		if _, err := c.Exec(ctx, text); err != nil {
			return nil, err
		}
	}
	// So that the first plans over the new tables are not guesses.
	_, err = c.Exec(ctx, "ANALYZE "+tableList(made))
	return rows, err
}

// copyIn fills every table of the schema, each once, and no other.
func copyIn(ctx context.Context, c *pgx.Conn, made []Part, parts Parts) (map[string]int64, error) {
	rows := map[string]int64{}
	for {
		part, content, err := parts.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		known := slices.ContainsFunc(made, func(t Part) bool { return t.Name == part.Name })
		if _, twice := rows[part.Name]; twice || !known {
			return nil, fmt.Errorf("table %s comes twice, or is not in the schema of its own versions", part.Name)
		}
		tag, err := c.PgConn().CopyFrom(ctx, content, copyText(part, "FROM STDIN"))
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", part.Name, err)
		}
		rows[part.Name] = tag.RowsAffected()
		if err := setNext(ctx, c, part); err != nil {
			return nil, fmt.Errorf("table %s: %w", part.Name, err)
		}
	}
	if len(rows) != len(made) {
		return nil, fmt.Errorf("%d tables of %d came", len(rows), len(made))
	}
	return rows, nil
}

func setNext(ctx context.Context, c *pgx.Conn, p Part) error {
	if p.Identity == "" {
		return nil
	}
	_, err := c.Exec(ctx, "SELECT setval(CAST(pg_get_serial_sequence($1, $2) AS regclass), $3, false)",
		pgx.Identifier{p.Name}.Sanitize(), p.Identity, p.Next)
	return err
}

// dropReferences takes the foreign keys of the schema out and returns what puts them back.
func dropReferences(ctx context.Context, c *pgx.Conn) (restore []string, err error) {
	rows, err := c.Query(ctx, `
		SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
			format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
		FROM pg_constraint
		WHERE contype = 'f' AND connamespace = CAST(current_schema() AS regnamespace)
		ORDER BY conrelid, conname`)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (pair [2]string, err error) {
		err = row.Scan(&pair[0], &pair[1])
		return pair, err
	})
	if err != nil {
		return nil, err
	}
	for _, pair := range list {
		if _, err := c.Exec(ctx, pair[0]); err != nil {
			return nil, err
		}
		restore = append(restore, pair[1])
	}
	return restore, nil
}
