package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/connect/file"
)

// onDisk copies an upload, or the beginning of a text file, to where package file reads it.
// Call done when it has been read.
func (s *Service) onDisk(ctx context.Context, i Import, beginning bool) (path string, done func(), err error) {
	from, err := s.o.Stash.Read(ctx, i.Stash)
	if err != nil {
		return "", nil, err
	}
	defer from.Close()
	dir := filepath.Join(s.o.Dir, "imports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	s.tidy(dir)
	f, err := os.CreateTemp(dir, "import-") // 0600
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.Remove(f.Name()) }
	var head [4]byte
	n, err := io.ReadFull(from, head[:])
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil {
		_, err = f.Write(head[:n])
	}
	if rest := io.Reader(from); err == nil {
		if beginning && string(head[:2]) != "PK" { // a workbook is read from its end
			rest = io.LimitReader(from, peekBytes)
		}
		_, err = io.Copy(f, rest)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		done()
		return "", nil, fmt.Errorf("bring an upload to the disk: %w", err)
	}
	return f.Name(), done, nil
}

// tidy removes what a process that was killed has left: no run takes that long.
func (s *Service) tidy(dir string) {
	left, _ := os.ReadDir(dir) // none where there is no folder
	for _, f := range left {
		if about, err := f.Info(); err == nil && time.Since(about.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}

// Preview is what a file seems to be.
type Preview struct {
	Format, Encoding, Comma string
	Header                  []string
	Rows                    [][]string
	Bad                     []string // of rows that cannot be read: why, in the language that was asked for
	Map                     map[string]string
	Missing                 [][]string // groups of fields of which none is mapped
}

// Preview reads the beginning of a file.
func (s *Service) Preview(ctx context.Context, n int64, kind file.Kind, sheet, lang string) (p Preview, err error) {
	i, _, _, err := s.Get(ctx, n)
	if err != nil {
		return p, err
	}
	if i.State == "uploading" {
		return p, ErrUploading
	}
	if kind == "" {
		kind = i.Kind
	}
	path, done, err := s.onDisk(ctx, i, true)
	if err != nil {
		return p, err
	}
	defer done()
	r, err := file.Open(path, file.Options{Sheet: sheet})
	if err != nil {
		return p, err
	}
	defer r.Close()
	p = Preview{Format: "csv", Encoding: r.Encoding, Header: r.Header(), Rows: [][]string{}, Bad: []string{}}
	if r.Spreadsheet {
		p.Format = "xlsx"
	} else {
		p.Comma = string(r.Comma)
	}
	for len(p.Rows)+len(p.Bad) < peekRows {
		row, err := r.Next()
		if err != nil { // the end, or the end of what was brought here
			break
		}
		if row.Bad != nil {
			p.Bad = append(p.Bad, fmt.Sprintf("%d: %s", row.Line, file.ReasonText(row.Bad, lang)))
			continue
		}
		p.Rows = append(p.Rows, slices.Clone(row.Cells))
	}
	m, err := file.NewMapping(kind, "", p.Header)
	if err != nil {
		return p, err
	}
	p.Map = m.Columns()
	for _, group := range file.Needs(kind) {
		if !slices.ContainsFunc(group, m.Has) {
			p.Missing = append(p.Missing, group)
		}
	}
	return p, nil
}
