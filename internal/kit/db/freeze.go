package db

import (
	"context"
	"fmt"
	"io"
)

// Part is one piece of a frozen database: the file of SQLite, or one table of PostgreSQL.
type Part struct {
	Name     string   `json:"name"`
	Columns  []string `json:"columns,omitempty"`  // of a table, in the order of its content
	Identity string   `json:"identity,omitempty"` // the column that numbers its rows by itself
	Next     int64    `json:"next,omitempty"`     // what that column gives next
}

// FilePart is the name of the one part of a SQLite database.
const FilePart = "file"

// Frozen is a database as it was at one instant, to be written out at leisure while
// everybody goes on. Close it.
type Frozen struct {
	Engine   Engine
	Versions []int // of the migrations that it has had
	Parts    []Part
	Bytes    int64 // about how much room it takes

	write func(ctx context.Context, p Part, w io.Writer) (rows int64, err error)
	close func() error
}

// Freeze takes the database as it is at one instant. dir is a folder of the caller's with
// room for a copy of the file of SQLite; the copy is gone after Close. tell, if not nil,
// is called with how many of how many pages were copied.
//
// SQLite is copied in slices of the writer's connection, in its background class, so that
// no writer waits longer than for one slice and the log can be written back meanwhile:
// what changes behind the copy is changed in the copy too. A snapshot that is read for
// minutes would let the log grow for as long. PostgreSQL keeps a snapshot by itself.
func (d *DB) Freeze(ctx context.Context, dir string, tell func(done, total int64)) (*Frozen, error) {
	if err := d.Failure(); err != nil {
		return nil, err
	}
	if tell == nil {
		tell = func(int64, int64) {}
	}
	f, err := d.store.freeze(ctx, dir, tell)
	if err != nil {
		return nil, fmt.Errorf("freeze the database: %w", d.translate(err))
	}
	return f, nil
}

// Write writes the content of a part and returns how many rows a table had.
func (f *Frozen) Write(ctx context.Context, p Part, w io.Writer) (rows int64, err error) {
	rows, err = f.write(ctx, p, w)
	if err != nil {
		return rows, fmt.Errorf("write %s: %w", p.Name, err)
	}
	return rows, nil
}

// Close lets go of the snapshot or removes the copy.
func (f *Frozen) Close() error { return f.close() }
