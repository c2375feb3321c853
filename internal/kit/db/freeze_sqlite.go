package db

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// The slices of a copy. A slice holds all writers up, so it is as long as the rules of
// background work allow; its size follows the machine.
const (
	sliceTime            = 4 * time.Millisecond
	firstSlice, maxSlice = 16, 4096 // pages of 4 KiB
	pageBytes            = 4 << 10
)

// syncEvery is after how many bytes of a large file the disk is waited for. Without it the
// disk's debt is paid all at once, and the commits of everybody wait for that.
const syncEvery = 8 << 20

// Paced writes to a large file beside a database at work.
type Paced struct {
	File *os.File
	debt int
}

// Write writes, and waits for the disk now and then.
func (p *Paced) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	if err != nil {
		return n, err
	}
	return n, p.owe(n)
}

func (p *Paced) owe(bytes int) error {
	if p.debt += bytes; p.debt < syncEvery {
		return nil
	}
	p.debt = 0
	return p.File.Sync()
}

// copying is an online backup on the writer's connection. Every call is made with the
// writer's turn.
type copying struct {
	lite   *lite
	backup *sqlite.Backup
}

func (l *lite) freeze(ctx context.Context, dir string, tell func(done, total int64)) (_ *Frozen, err error) {
	path := filepath.Join(dir, "frozen.db")
	if err := makeFile(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if err := l.copyTo(ctx, path, tell); err != nil {
		return nil, err
	}
	list, err := fileVersions(ctx, path)
	if err != nil {
		return nil, err
	}
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return &Frozen{
		Engine: SQLite, Versions: list, Parts: []Part{{Name: FilePart}}, Bytes: stat.Size(),
		write: func(ctx context.Context, _ Part, w io.Writer) (int64, error) { return 0, writeFile(ctx, path, w) },
		close: func() error { return os.Remove(path) },
	}, nil
}

// copyTo copies the database into a file while writers go on.
func (l *lite) copyTo(ctx context.Context, path string, tell func(done, total int64)) (err error) {
	l.copies.Add(1)
	defer l.copies.Done()
	// A handle of our own, closed after SQLite has closed its own: closing any handle of a
	// file lets go of the locks that the process has on it.
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	c := &copying{lite: l}
	if err := c.turn(ctx, func() error { return c.begin(path) }); err != nil {
		return err
	}
	err = c.run(ctx, file, tell)
	return errors.Join(err, c.finish())
}

// turn does something with the writer's turn.
func (c *copying) turn(ctx context.Context, do func() error) error {
	if err := c.lite.queue.lock(ctx, background); err != nil {
		return err
	}
	defer c.lite.queue.unlock()
	return do()
}

func (c *copying) begin(path string) error {
	u := url.URL{Path: path}
	// The copy needs no journal: half a copy is thrown away.
	target := "file:" + u.EscapedPath() + "?" + url.Values{"_pragma": {"synchronous(0)", "journal_mode(off)"}}.Encode()
	return c.lite.writer.conn.Raw(func(conn any) (err error) {
		c.backup, err = conn.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		}).NewBackup(target)
		return err
	})
}

// run copies slice by slice until nothing is left.
func (c *copying) run(ctx context.Context, file *os.File, tell func(done, total int64)) error {
	pages, paced := firstSlice, Paced{File: file}
	for more := true; more; {
		var took time.Duration
		var left, total int
		err := c.turn(ctx, func() (err error) {
			begin := time.Now()
			more, err = c.backup.Step(int32(pages))
			took = time.Since(begin)
			left, total = c.backup.Remaining(), c.backup.PageCount()
			return err
		})
		if err != nil {
			return copyFault(err, file.Name())
		}
		tell(int64(total-left), int64(total))
		if err := paced.owe(pages * pageBytes); err != nil {
			return err
		}
		pages = slice(pages, took)
	}
	return nil
}

// slice is how many pages to copy next, after so many took so long.
func slice(pages int, took time.Duration) int {
	switch {
	case took > sliceTime:
		return max(firstSlice, pages/2)
	case took < sliceTime/2:
		return min(maxSlice, pages*2)
	}
	return pages
}

// finish ends the backup. Where the database is being closed nobody gets a turn any more;
// close then holds the writer, and waits for this.
func (c *copying) finish() error {
	err := c.lite.queue.lock(context.Background(), background)
	switch {
	case err == nil:
		defer c.lite.queue.unlock()
	case !errors.Is(err, errClosed):
		return err
	}
	return copyFault(c.backup.Finish(), "")
}

// copyFault hides what SQLite says of a copy from translate: a full disk under the copy is
// no failure of the database.
func copyFault(err error, path string) error {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return err
	}
	if lite.Code()&0xff == lib.SQLITE_FULL {
		return ErrRoom.With("path", filepath.Dir(path)).Because(errors.New(err.Error()))
	}
	return errors.New(err.Error())
}

// openCopy opens a file that nobody else has open, to read it.
func openCopy(path string) (*sql.DB, error) {
	return sql.Open("sqlite", source(path, readerCache, "query_only(1)"))
}

// fileVersions reads which migrations a file has had.
func fileVersions(ctx context.Context, path string) (list []int, err error) {
	file, err := openCopy(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	rows, err := file.QueryContext(ctx, versionList)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // a reader: what matters is in Err
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// copyPiece is after how many bytes of a file the end of the context is looked at.
const copyPiece = 1 << 20

func writeFile(ctx context.Context, path string, w io.Writer) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	for ctx.Err() == nil {
		if _, err := io.CopyN(w, f, copyPiece); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ctx.Err()
}
