package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Site is the place of a database, held so that nobody can open it, to put another
// database there.
type Site struct {
	options Options
	lock    io.Closer // of a data directory
	conn    *pgx.Conn // holds the advisory lock of a schema
}

// Hold holds the place of a database. It refuses with ErrLocked or ErrInUse while anybody
// has it open. The data directory is made if it is missing; the database need not be there.
func Hold(ctx context.Context, o Options) (*Site, error) {
	if o.Name == "" {
		o.Name = "patron"
	}
	s := &Site{options: o}
	if o.URL == "" {
		if err := makeDir(o.Dir); err != nil {
			return nil, fmt.Errorf("hold the database: %w", err)
		}
		lock, err := lockFile(filepath.Join(o.Dir, o.Name+".lock"))
		if err != nil {
			return nil, fmt.Errorf("hold the database: %w", err)
		}
		s.lock = lock
		return s, nil
	}
	c, err := connectTo(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("hold the database: %w", err)
	}
	if err := errors.Join(guardPostgres(ctx, c), holdAlone(ctx, c, o.Name)); err != nil {
		return nil, fmt.Errorf("hold the database: %w", errors.Join(err, hangUp(ctx, c)))
	}
	s.conn = c
	return s, nil
}

// holdAlone takes the lock of a schema that everybody who has it open shares.
func holdAlone(ctx context.Context, c *pgx.Conn, schema string) error {
	return tryLock(ctx, c, "SELECT pg_try_advisory_lock($1)", lockKey("open", schema), ErrInUse)
}

// Release lets others open the database again.
func (s *Site) Release() error {
	if s.conn != nil {
		return hangUp(context.Background(), s.conn)
	}
	return s.lock.Close()
}

// Occupied reports whether there is a database, and refuses one of a newer program with
// ErrNewer. A file that cannot be read counts as a database: it is kept like any other.
func (s *Site) Occupied(ctx context.Context) (bool, error) {
	list, there, err := s.versions(ctx)
	if err != nil || !there {
		return there, err
	}
	return true, Known(list)
}

func (s *Site) versions(ctx context.Context) (list []int, there bool, err error) {
	if s.conn == nil {
		path := filepath.Join(s.options.Dir, s.options.Name+".db")
		if st, err := os.Stat(path); err != nil || st.Size() == 0 {
			return nil, false, ignore(err, fs.ErrNotExist)
		}
		list, err = fileVersions(ctx, path)
		if err != nil {
			return nil, true, nil // broken, which may be why it is replaced
		}
		return list, true, nil
	}
	made, err := tables(ctx, s.conn)
	if err != nil || len(made) == 0 {
		return nil, false, err
	}
	list, err = versionsOn(ctx, s.conn)
	if err != nil {
		return nil, true, fmt.Errorf("the schema %s has tables that are not ours: %w", s.options.Name, err)
	}
	return list, true, nil
}

func ignore(err, known error) error {
	if errors.Is(err, known) {
		return nil
	}
	return err
}

// endings are those of the files of one SQLite database.
var endings = []string{".db", ".db-wal", ".db-shm"}

// Replace puts the database at from, which nobody has open, in this place. What was there,
// and others beside it by name, is kept: files in the folder aside, schemas with the
// ending "_before_" and its name, which are returned. On PostgreSQL it happens at once;
// files are moved one by one, and a crash between leaves them in one of the two places.
func (s *Site) Replace(ctx context.Context, from Options, aside string, others ...string) (schemas []string, err error) {
	if s.conn != nil {
		return s.replaceSchema(ctx, from.Name, aside, others)
	}
	return nil, s.replaceFiles(from, aside, others)
}

func (s *Site) replaceFiles(from Options, aside string, others []string) error {
	for _, name := range append([]string{s.options.Name}, others...) {
		for _, ending := range endings {
			err := os.Rename(filepath.Join(s.options.Dir, name+ending), filepath.Join(aside, name+ending))
			if ignore(err, fs.ErrNotExist) != nil {
				return err
			}
		}
	}
	return os.Rename(filepath.Join(from.Dir, from.Name+".db"), filepath.Join(s.options.Dir, s.options.Name+".db"))
}

func (s *Site) replaceSchema(ctx context.Context, from, aside string, others []string) (kept []string, err error) {
	if err := holdAlone(ctx, s.conn, from); err != nil {
		return nil, err
	}
	ending := "_before_" + strings.ToLower(strings.TrimPrefix(filepath.Base(aside), "before-"))
	err = pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
		for _, name := range append([]string{s.options.Name}, others...) {
			var there bool
			err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", name).Scan(&there)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			if err := renameSchema(ctx, tx, name, name+ending); err != nil {
				return err
			}
			kept = append(kept, name+ending)
		}
		return renameSchema(ctx, tx, from, s.options.Name)
	})
	return kept, err
}

func renameSchema(ctx context.Context, tx pgx.Tx, from, to string) error {
	_, err := tx.Exec(ctx, fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", pgx.Identifier{from}.Sanitize(), pgx.Identifier{to}.Sanitize()))
	return err
}

// Drop removes the database of o that nobody has open: the schema, or the files. It is no
// error if there is none.
func Drop(ctx context.Context, o Options) (err error) {
	if o.URL == "" {
		for _, ending := range append([]string{".lock"}, endings...) {
			err = errors.Join(err, ignore(os.Remove(filepath.Join(o.Dir, o.Name+ending)), fs.ErrNotExist))
		}
		return err
	}
	c, err := connectTo(ctx, o)
	if err != nil {
		return fmt.Errorf("drop %s: %w", o.Name, err)
	}
	defer func() { err = errors.Join(err, hangUp(ctx, c)) }()
	if err := holdAlone(ctx, c, o.Name); err != nil {
		return fmt.Errorf("drop %s: %w", o.Name, err)
	}
	if _, err := c.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{o.Name}.Sanitize()+" CASCADE"); err != nil {
		return fmt.Errorf("drop %s: %w", o.Name, err)
	}
	return nil
}

// DropLeft drops the schemas that nobody has open and whose names begin so and sort before
// an older name: what processes left behind that were killed. It does nothing on SQLite.
func DropLeft(ctx context.Context, o Options, begin, before string) (err error) {
	if o.URL == "" {
		return nil
	}
	o.Name = before // any name: the connection needs one
	c, err := connectTo(ctx, o)
	if err != nil {
		return fmt.Errorf("drop what was left: %w", err)
	}
	defer func() { err = errors.Join(err, hangUp(ctx, c)) }()
	rows, err := c.Query(ctx, `
		SELECT CAST(nspname AS TEXT)
		FROM pg_namespace
		WHERE starts_with(CAST(nspname AS TEXT), $1) AND CAST(nspname AS TEXT) COLLATE "C" < $2
		ORDER BY nspname`, begin, before)
	if err != nil {
		return fmt.Errorf("drop what was left: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("drop what was left: %w", err)
	}
	for _, name := range list {
		if holdAlone(ctx, c, name) != nil {
			continue // in use
		}
		if _, err := c.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{name}.Sanitize()+" CASCADE"); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}
