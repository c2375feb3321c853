// Package stash keeps files for a few days: exports to be fetched, uploads to be imported,
// the rows that an import refused.
//
// Life: Make begins an empty file with a memo of whoever keeps it. A Writer adds to it; a
// Reader reads it back, on any node. Drop removes it; what nobody dropped goes when its
// time is over.
//
// Laws:
//   - A file lies in the database, in parts of bounded size, so that every node reaches it
//     and a backup misses nothing; writing one never holds other writers up for more than a
//     part.
//   - Content and memo lie sealed under a key of the file's own, which is destroyed with
//     it. Nothing of them stands in the clear.
//   - All files together have a bound: a full stash refuses, it does not fill the disk.
package stash

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/kit/seal"
)

// The bounds of the stash.
const (
	// partSize is how much of a file one row holds, packed: a write of a millisecond.
	partSize = 128 << 10
	// most is how much all files may take together, packed.
	most = 2 << 30
	// dropParts is how many parts one transaction removes.
	dropParts = 8
	// sweepFiles bounds one run of the sweep; the next goes on.
	sweepFiles = 1_000

	sweepKind  = "stash.sweep"
	sweepEvery = time.Hour
)

var (
	// ErrGone answers for a file that was removed, or whose time is over.
	ErrGone = errs.New(errs.NotFound, "stash.gone", "This file is no longer kept.", "该文件已不再保存。")
	// ErrFull refuses a file while there is no room for more.
	ErrFull = errs.New(errs.Conflict, "stash.full",
		"Exports and uploads take up {mib} MiB, which is all that there is for them. Remove some, or wait until old ones go by themselves.",
		"导出与上传文件已占用 {mib} MiB，达到上限。请删除一些，或等待旧文件自动清理。")
)

// Stash keeps files. It is safe for use by many goroutines.
type Stash struct {
	db    *db.DB
	box   *seal.Box
	clock clock.Clock
	most  int64
}

// New makes the stash.
func New(d *db.DB, box *seal.Box, c clock.Clock) *Stash {
	return &Stash{db: d, box: box, clock: c, most: most}
}

// RegisterJobs adds the sweep to the calendar.
func (s *Stash) RegisterJobs(q *job.Queue) {
	q.Register(sweepKind, func(ctx context.Context, _ *job.Run) error { return s.Sweep(ctx) })
	q.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind, MaxTries: 1})
}

var (
	makeSQL = db.Define("stash.make", `
		INSERT INTO stash (id, wrapped_key, memo, bytes, stored, until_ms)
		VALUES ($1, $2, $3, 0, 0, $4)`)
	memoSQL = db.Define("stash.memo", `
		SELECT wrapped_key, memo, bytes
		FROM stash
		WHERE id = $1 AND until_ms > $2`)
	remindSQL = db.Define("stash.remind", `
		UPDATE stash
		SET memo = $2
		WHERE id = $1`)
	addSQL = db.Define("stash.add", `
		INSERT INTO stash_part (stash_id, n, body)
		VALUES ($1, $2, $3)`)
	grewSQL = db.Define("stash.grew", `
		UPDATE stash
		SET bytes = bytes + $2, stored = stored + $3
		WHERE id = $1`)
	storedSQL = db.Define("stash.stored", `
		SELECT CAST(COALESCE(SUM(stored), 0) AS BIGINT)
		FROM stash`)
	partSQL = db.Define("stash.part", `
		SELECT body
		FROM stash_part
		WHERE stash_id = $1 AND n = $2`)
	emptySQL = db.Define("stash.empty", `
		DELETE FROM stash_part
		WHERE stash_id = $1 AND n IN (
			SELECT n
			FROM stash_part
			WHERE stash_id = $1
			ORDER BY n
			LIMIT $2
		)`)
	emptiedSQL = db.Define("stash.emptied", `
		UPDATE stash
		SET bytes = 0, stored = 0
		WHERE id = $1`)
	dropSQL = db.Define("stash.drop", `
		DELETE FROM stash
		WHERE id = $1`)
	overSQL = db.Define("stash.over", `
		SELECT id
		FROM stash
		WHERE until_ms <= $1
		ORDER BY until_ms, id
		LIMIT $2`)
	keysSQL = db.Define("stash.keys", `
		SELECT id, wrapped_key
		FROM stash
		WHERE id > $1
		ORDER BY id
		LIMIT $2`)
	rewrapSQL = db.Define("stash.rewrap", `
		UPDATE stash
		SET wrapped_key = $3
		WHERE id = $1 AND wrapped_key = $2`)
)

func memoAAD(id int64) []byte       { return fmt.Appendf(nil, "stash/%d/memo", id) }
func partAAD(id, n int64) []byte    { return fmt.Appendf(nil, "stash/%d/%d", id, n) }
func (s *Stash) full() *errs.Error  { return ErrFull.With("mib", s.most>>20) }
func isNone(err error) bool         { return errors.Is(err, sql.ErrNoRows) }
func (s *Stash) now() (nowMS int64) { return s.clock.Now().UnixMilli() }

// Make begins an empty file, kept until an instant, in the caller's transaction.
func (s *Stash) Make(ctx context.Context, tx *db.Tx, memo any, until time.Time) (int64, error) {
	var stored int64
	if err := tx.QueryRow(ctx, storedSQL).Scan(&stored); err != nil {
		return 0, fmt.Errorf("measure the stash: %w", err)
	}
	if stored >= s.most {
		return 0, s.full()
	}
	id, err := s.db.NextID(ctx, "stash")
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(memo)
	if err != nil {
		return 0, fmt.Errorf("memo of file %d: %w", id, err)
	}
	wrapped, key := s.box.NewKey()
	if _, err := tx.Exec(ctx, makeSQL, id, wrapped, key.Seal(text, memoAAD(id)), until.UnixMilli()); err != nil {
		return 0, fmt.Errorf("make file %d: %w", id, err)
	}
	return id, nil
}

// file is the row of a file that is still kept.
func (s *Stash) file(ctx context.Context, tx *db.Tx, id int64) (key seal.RecordKey, memo []byte, size int64, err error) {
	var wrapped []byte
	err = tx.QueryRow(ctx, memoSQL, id, s.now()).Scan(&wrapped, &memo, &size)
	if isNone(err) {
		return key, nil, 0, ErrGone
	}
	if err == nil {
		key, err = s.box.Unwrap(wrapped)
	}
	if err != nil {
		return key, nil, 0, fmt.Errorf("open file %d: %w", id, err)
	}
	return key, memo, size, nil
}

// Memo reads the memo of a file into a pointer, and returns how large its content is.
func (s *Stash) Memo(ctx context.Context, tx *db.Tx, id int64, into any) (size int64, err error) {
	key, sealed, size, err := s.file(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	text, err := key.Open(sealed, memoAAD(id))
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return 0, fmt.Errorf("memo of file %d: %w", id, err)
	}
	return size, nil
}

// SetMemo replaces the memo of a file.
func (s *Stash) SetMemo(ctx context.Context, tx *db.Tx, id int64, memo any) error {
	key, _, _, err := s.file(ctx, tx, id)
	if err != nil {
		return err
	}
	text, err := json.Marshal(memo)
	if err == nil {
		_, err = tx.Exec(ctx, remindSQL, id, key.Seal(text, memoAAD(id)))
	}
	if err != nil {
		return fmt.Errorf("memo of file %d: %w", id, err)
	}
	return nil
}

// Writer adds to a file. Close ends the content; a file whose writer was not closed cannot
// be read to its end.
type Writer struct {
	s     *Stash
	ctx   context.Context // of the whole writing: io.Writer takes none
	id    int64
	key   seal.RecordKey
	n     int64
	bytes int64 // since the last part
	total int64
	pack  *gzip.Writer
	part  bytes.Buffer
}

// Write begins the content of a file anew; ctx is for all of it. What was there goes.
func (s *Stash) Write(ctx context.Context, id int64) (*Writer, error) {
	w := &Writer{s: s, ctx: ctx, id: id}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		w.key, _, _, err = s.file(ctx, tx, id)
		return err
	})
	if err == nil {
		err = s.empty(ctx, id)
	}
	if err != nil {
		return nil, err
	}
	w.pack, err = gzip.NewWriterLevel(&w.part, gzip.BestSpeed)
	return w, err
}

// Write is part of io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.pack.Write(p)
	w.bytes, w.total = w.bytes+int64(n), w.total+int64(n)
	for err == nil && w.part.Len() >= partSize {
		err = w.flush(w.part.Next(partSize))
	}
	return n, err
}

// Bytes is how much was written so far.
func (w *Writer) Bytes() int64 { return w.total }

// Close writes what is left.
func (w *Writer) Close() error {
	if err := w.pack.Close(); err != nil {
		return err
	}
	for w.part.Len() > 0 {
		if err := w.flush(w.part.Next(partSize)); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) flush(part []byte) error {
	sealed := w.key.Seal(part, partAAD(w.id, w.n))
	err := w.s.db.InBackground(w.ctx, func(ctx context.Context, tx *db.Tx) error {
		var stored int64
		if err := tx.QueryRow(ctx, storedSQL).Scan(&stored); err != nil {
			return err
		}
		if stored+int64(len(sealed)) > w.s.most {
			return w.s.full()
		}
		n, err := tx.Exec(ctx, grewSQL, w.id, w.bytes, len(sealed))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrGone // removed meanwhile
		}
		_, err = tx.Exec(ctx, addSQL, w.id, w.n, sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("write file %d: %w", w.id, err)
	}
	w.n, w.bytes = w.n+1, 0
	return nil
}

// Read opens the content of a file. No snapshot is open between two parts, however slow the
// reader is; ctx is for all of it.
func (s *Stash) Read(ctx context.Context, id int64) (io.ReadCloser, error) {
	p := &parts{s: s, ctx: ctx, id: id}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		p.key, _, _, err = s.file(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	r, err := gzip.NewReader(p)
	if err != nil {
		return nil, fmt.Errorf("read file %d: %w", id, err)
	}
	return r, nil
}

// parts reads the packed content, part after part.
type parts struct {
	s    *Stash
	ctx  context.Context
	id   int64
	key  seal.RecordKey
	n    int64
	left []byte
}

// Read is part of io.Reader.
func (p *parts) Read(to []byte) (int, error) {
	if len(p.left) == 0 {
		var sealed []byte
		err := p.s.db.Read(p.ctx, func(ctx context.Context, tx *db.Tx) error {
			return tx.QueryRow(ctx, partSQL, p.id, p.n).Scan(&sealed)
		})
		if isNone(err) {
			return 0, io.EOF
		}
		if err == nil {
			p.left, err = p.key.Open(sealed, partAAD(p.id, p.n))
		}
		if err != nil {
			return 0, fmt.Errorf("read part %d of file %d: %w", p.n, p.id, err)
		}
		p.n++
	}
	n := copy(to, p.left)
	p.left = p.left[n:]
	return n, nil
}

// empty removes the content of a file, a few parts at a time.
func (s *Stash) empty(ctx context.Context, id int64) error {
	for {
		var n int64
		err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			if n, err = tx.Exec(ctx, emptySQL, id, dropParts); err == nil && n < dropParts {
				_, err = tx.Exec(ctx, emptiedSQL, id)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("empty file %d: %w", id, err)
		}
		if n < dropParts {
			return nil
		}
	}
}

// Drop removes a file; one that is gone already is no error. Its key goes last: until then
// a drop that was cut short is taken up again by the sweep.
func (s *Stash) Drop(ctx context.Context, id int64) error {
	if err := s.empty(ctx, id); err != nil {
		return err
	}
	err := s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, dropSQL, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop file %d: %w", id, err)
	}
	return nil
}

// Sweep drops the files whose time is over.
func (s *Stash) Sweep(ctx context.Context) error {
	var over []int64
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		over = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			over = append(over, id)
			return nil
		})(tx.Query(ctx, overSQL, s.now(), sweepFiles))
	})
	if err != nil {
		return fmt.Errorf("sweep the stash: %w", err)
	}
	for _, id := range over {
		if err := s.Drop(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// rewrapPage is how many keys one look reads.
const rewrapPage = 100

// Rewrap brings the keys of files under the newest wrapping key.
func (s *Stash) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	type row struct {
		id      int64
		wrapped []byte
	}
	for last := int64(0); ; {
		var page []row
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			page = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var r row
				if err := rows.Scan(&r.id, &r.wrapped); err != nil {
					return err
				}
				page = append(page, r)
				return nil
			})(tx.Query(ctx, keysSQL, last, rewrapPage))
		})
		if err != nil || len(page) == 0 {
			return moved, err
		}
		for _, r := range page {
			fresh, changed, err := s.box.Rewrap(r.wrapped)
			if err != nil {
				return moved, fmt.Errorf("rewrap the key of file %d: %w", r.id, err)
			}
			if !changed {
				continue
			}
			err = s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, rewrapSQL, r.id, r.wrapped, fresh)
				return err
			})
			if err != nil {
				return moved, err
			}
			if moved++; progress != nil {
				progress(moved)
			}
		}
		last = page[len(page)-1].id
	}
}
