package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Parts hands out the parts of a database that was frozen and written.
type Parts interface {
	// Next returns the next part with its content, or io.EOF after the last.
	Next() (Part, io.Reader, error)
}

// Load makes a new database at o from parts, with the schema that it had: the migrations
// of versions. Open and Migrate bring it up to date. It refuses versions that this program
// does not know with ErrNewer, and a place where there is a database already. What it has
// made when it fails is the caller's to Drop. It returns the rows of each table.
//
// The content is not to be trusted before the caller has seen the end of its parts.
func Load(ctx context.Context, o Options, e Engine, versions []int, parts Parts) (rows map[string]int64, err error) {
	if err := Known(versions); err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = "patron"
	}
	if !names.MatchString(o.Name) {
		return nil, fmt.Errorf("load a database: %q is no name for a file or a schema", o.Name)
	}
	if e == Postgres {
		rows, err = loadPostgres(ctx, o, versions, parts)
	} else {
		err = loadSQLite(ctx, o, parts)
	}
	if err != nil {
		return nil, fmt.Errorf("load the database: %w", err)
	}
	return rows, nil
}

// Known refuses a database with migrations of a newer program, with ErrNewer.
func Known(versions []int) error {
	list, err := migrationsFor(SQLite, migrations)
	if err != nil {
		return err
	}
	if _, err := missing(list, versions); err != nil {
		return err
	}
	for _, v := range versions {
		if !slices.ContainsFunc(list, func(m migration) bool { return m.version == v }) {
			return ErrNewer.With("found", v, "known", list[len(list)-1].version)
		}
	}
	return nil
}

func loadSQLite(ctx context.Context, o Options, parts Parts) (err error) {
	part, content, err := parts.Next()
	if err != nil {
		return err
	}
	if part.Name != FilePart {
		return fmt.Errorf("part %q is no file", part.Name)
	}
	path := filepath.Join(o.Dir, o.Name+".db")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = ErrRoom.With("path", o.Dir).Because(err)
		}
	}()
	paced := &Paced{File: f}
	for ctx.Err() == nil {
		if _, err := io.CopyN(paced, content, copyPiece); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if err := errors.Join(ctx.Err(), f.Sync()); err != nil {
		return err
	}
	if _, _, err := parts.Next(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more than one file"), err)
	}
	return nil
}
