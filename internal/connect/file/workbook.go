package file

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/xuri/excelize/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// inMemory is the size past which a sheet or the table of its texts is unpacked to a
// temporary file instead of into memory.
const inMemory = 8 << 20

// workbook hands out the rows of one sheet.
type workbook struct {
	book *excelize.File
	rows *excelize.Rows
	line int64
	wide int // of the header; shorter rows are filled up, because Excel leaves empty cells away
	read *atomic.Int64
}

// beginWorkbook checks a workbook before anything of it is unpacked, and opens a sheet.
func (r *Reader) beginWorkbook(o Options) (err error) {
	if r.file == os.Stdin {
		return ErrWorkbook.Because(fmt.Errorf("a workbook cannot be read from a pipe"))
	}
	if r.total > maxWorkbook {
		return ErrSize.With("mib", maxWorkbook>>20)
	}
	if err := checkZip(r.file, r.total); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil { // the library trusts more of a file than we do
			err = ErrWorkbook.Because(fmt.Errorf("panic: %v", p))
		}
	}()
	if _, err := r.file.Seek(0, io.SeekStart); err != nil {
		return ErrWorkbook.Because(err)
	}
	book, err := excelize.OpenReader(r.file, excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: inMemory, RawCellValue: true,
	})
	if err != nil {
		return ErrWorkbook.Because(err)
	}
	w := &workbook{book: book, read: &r.read}
	r.rows = w  // from here on Close closes it
	r.total = 0 // the whole file has been read, and how many rows are in it shows at the end only
	r.read.Store(0)
	r.Spreadsheet, r.Encoding = true, encUTF8
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		r.Epoch1904 = *props.Date1904
	}
	return w.open(o.Sheet)
}

// checkZip refuses a workbook whose entries say that they unpack to too much. The zip
// reader itself stops an entry that turns out longer than it said.
func checkZip(f io.ReaderAt, size int64) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return ErrWorkbook.Because(err)
	}
	var sum uint64
	for _, e := range z.File {
		n := e.UncompressedSize64
		sum += min(n, maxUnpacked+1)
		if n > maxEntry || sum > maxUnpacked || n > ratioFreeZip && n/maxRatio > e.CompressedSize64 {
			return bomb()
		}
	}
	return nil
}

func (w *workbook) open(sheet string) error {
	names := w.book.GetSheetList()
	if len(names) == 0 {
		return ErrEmpty
	}
	if sheet == "" {
		sheet = names[0]
	}
	if i, err := w.book.GetSheetIndex(sheet); err != nil || i < 0 {
		return ErrSheet.With("sheet", sheet, "sheets", strings.Join(names, ", "))
	}
	var err error
	if w.rows, err = w.book.Rows(sheet); err != nil {
		return ErrWorkbook.Because(err)
	}
	return nil
}

// next returns the next row with something in it.
func (w *workbook) next() (row Row, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ErrDamaged.With("line", w.line).Because(fmt.Errorf("panic: %v", p))
		}
	}()
	for w.rows.Next() {
		w.line++
		cells, err := w.rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return Row{}, ErrDamaged.With("line", w.line).Because(err)
		}
		for len(cells) > w.wide && cells[len(cells)-1] == "" {
			cells = cells[:len(cells)-1]
		}
		if blank(cells) {
			continue
		}
		if w.wide == 0 {
			w.wide = len(cells)
		}
		for len(cells) < w.wide {
			cells = append(cells, "")
		}
		return w.row(cells), nil
	}
	if err := w.rows.Error(); err != nil {
		return Row{}, ErrDamaged.With("line", w.line).Because(err)
	}
	return Row{}, io.EOF
}

func (w *workbook) row(cells []string) Row {
	for _, c := range cells {
		w.read.Add(int64(len(c)))
	}
	row := Row{Line: w.line, Cells: cells}
	if row.Bad = checkCells(cells); row.Bad != nil {
		row.Raw, row.Cells = clip(strings.Join(cells, ",")), nil
	}
	return row
}

func checkCells(cells []string) *errs.Error {
	if len(cells) > MaxColumns {
		return ErrColumns.With("max", MaxColumns)
	}
	for _, c := range cells {
		if len(c) > MaxCellBytes {
			return ErrCell.With("max", MaxCellBytes)
		}
		if strings.IndexByte(c, 0) >= 0 {
			return ErrBytes.With("encoding", encUTF8)
		}
	}
	return nil
}

func blank(cells []string) bool {
	for _, c := range cells {
		if c != "" {
			return false
		}
	}
	return true
}

func (w *workbook) close() error {
	var err error
	if w.rows != nil {
		err = w.rows.Close()
	}
	if e := w.book.Close(); err == nil {
		err = e
	}
	return err
}
