// Package file reads what other systems write: rows of CSV and Excel files, and out of
// them members, sales, events, balances and products; and it writes lists back out.
//
// Life of an import: Open finds out by the first bytes what a file is (gzip, Excel, which
// encoding, which separator) and reads its header. A Mapping says which column fills
// which field. Values turns the text of cells into amounts, quantities and times. Gather
// brings the rows of one sale together, wherever they lie in the file.
//
// Laws:
//   - A file never sinks the program: rows, cells, columns and unpacked sizes have bounds,
//     and memory does not grow with the number of rows.
//   - A broken row never sinks a file: it is handed out with its line number and a reason,
//     and reading goes on at the next line.
//   - No row is lost: each row of the file ends in exactly one document or record, or in
//     one Problem.
//   - Nothing is guessed where a guess could change an amount.
//
// The package knows files only. It opens no database and calls no noun.
package file

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Bounds of what is read. Real files stay far under them; an attack or a wrong file does not.
const (
	MaxRowBytes  = 1 << 20  // one row; no till writes a megabyte about one line of a sale
	MaxColumns   = 256      // columns of a file
	MaxCellBytes = 64 << 10 // one cell
	maxRaw       = 4 << 10  // of a broken row, what is kept to show
	sniffBytes   = 1 << 20  // read ahead to tell encodings apart

	maxRatio      = 100       // unpacked to packed; honest tables reach about 30
	ratioFreeGzip = 16 << 20  // a gzip file may unpack to this at any ratio
	ratioFreeZip  = 1 << 20   // an entry of a workbook may
	maxEntry      = 200 << 20 // one entry of a workbook, unpacked
	maxWorkbook   = 64 << 20  // a workbook, packed: it is held in memory while read
	maxUnpacked   = 400 << 20 // all entries of a workbook together
)

// The reasons for which a whole file is refused.
var (
	ErrOpen     = errs.New(errs.NotFound, "file.open", "The file {path} cannot be opened.", "无法打开文件 {path}。")
	ErrEmpty    = errs.New(errs.Invalid, "file.empty", "The file has no header row.", "文件没有表头行。")
	ErrHeader   = errs.New(errs.Invalid, "file.header", "The header row cannot be read. ", "无法读取表头行。")
	ErrDamaged  = errs.New(errs.Invalid, "file.damaged", "The file is damaged or cut off after line {line}.", "文件在第 {line} 行之后已损坏或不完整。")
	ErrBomb     = errs.New(errs.TooLarge, "file.bomb", "The file unpacks to far more than it should: the limits are {ratio} times its size and {mib} MiB an entry.", "文件解压后异常庞大：上限为原大小的 {ratio} 倍，且每个条目不超过 {mib} MiB。")
	ErrOldExcel = errs.New(errs.Invalid, "file.old_excel", "This is an Excel 97–2003 file (.xls). Save it as .xlsx or CSV.", "这是 Excel 97–2003 文件（.xls），请另存为 .xlsx 或 CSV。")
	ErrWorkbook = errs.New(errs.Invalid, "file.workbook", "The Excel file cannot be read.", "无法读取该 Excel 文件。")
	ErrSheet    = errs.New(errs.Invalid, "file.sheet", "The Excel file has no sheet {sheet}. It has: {sheets}.", "Excel 文件中没有工作表 {sheet}，现有：{sheets}。")
	ErrSize     = errs.New(errs.TooLarge, "file.size", "An Excel file may have up to {mib} MiB. Save a larger one as CSV.", "Excel 文件最大 {mib} MiB，更大的请另存为 CSV。")
)

// The reasons for which one row is refused as it is read.
var (
	ErrQuote   = errs.New(errs.Invalid, "row.quote", "A quotation mark stands where none may stand, or is not closed.", "引号位置错误或未闭合。")
	ErrFields  = errs.New(errs.Invalid, "row.fields", "The row has {got} cells, the header has {want}.", "该行有 {got} 个单元格，表头有 {want} 个。")
	ErrBytes   = errs.New(errs.Invalid, "row.bytes", "The row holds bytes that are no text in {encoding}.", "该行含有不属于 {encoding} 编码的字节。")
	ErrRowSize = errs.New(errs.TooLarge, "row.size", "The row is longer than {max} bytes.", "该行超过 {max} 字节。")
	ErrCell    = errs.New(errs.TooLarge, "row.cell", "A cell is longer than {max} bytes.", "有单元格超过 {max} 字节。")
	ErrColumns = errs.New(errs.TooLarge, "row.columns", "There are more than {max} columns.", "列数超过 {max}。")
)

// Options say how to read a file. The zero value finds everything out by itself.
type Options struct {
	Sheet string // of a workbook; empty means the first
	Comma byte   // separator; 0 means what the header shows: comma, semicolon or tab
}

// Row is one row of a file under its header.
type Row struct {
	Line  int64       // where the row begins in the file; the header is line 1
	Cells []string    // as many as the header has. The slice is valid until the next call, the strings for ever
	Raw   string      // of a bad row its text, cut where it is long
	Bad   *errs.Error // why the row cannot be read; nil for a good one
}

// rows is what a kind of file can do: hand out raw rows, the header first.
type rows interface {
	next() (Row, error) // io.EOF after the last
	close() error
}

// Reader hands out the rows of one file. It is for one goroutine; Progress alone may be
// called from others.
type Reader struct {
	header []string
	rows   rows
	file   *os.File
	total  int64
	read   atomic.Int64
	count  int64

	// Comma is the separator of a text file, 0 for a workbook.
	Comma byte
	// Spreadsheet is true for a workbook: numbers come with the noise of floating point,
	// and dates as numbers of days.
	Spreadsheet bool
	// Epoch1904 is true for a workbook that counts its days from 1904, as old Macs did.
	Epoch1904 bool
	// Encoding names what the text was written in.
	Encoding string
}

// Open opens a file and reads its header. The path "-" means standard input, which may
// hold text, packed or not, but no workbook.
func Open(path string, o Options) (*Reader, error) {
	r := &Reader{}
	if path == "-" {
		r.file = os.Stdin
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, ErrOpen.With("path", path).Because(err)
		}
		r.file = f
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() {
			r.total = st.Size()
		}
	}
	if err := r.begin(o); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// begin looks at the first bytes and reads the header.
func (r *Reader) begin(o Options) error {
	src := bufio.NewReaderSize(&counted{r.file, &r.read}, 64<<10)
	magic, err := src.Peek(8)
	if err != nil && err != io.EOF {
		return ErrDamaged.With("line", 0).Because(err)
	}
	switch {
	case strings.HasPrefix(string(magic), "PK\x03\x04"):
		err = r.beginWorkbook(o)
	case strings.HasPrefix(string(magic), "\xD0\xCF\x11\xE0"):
		err = ErrOldExcel
	case strings.HasPrefix(string(magic), "\x1F\x8B"):
		err = r.beginGzip(src, o)
	default:
		err = r.beginText(src, o)
	}
	if err != nil {
		return err
	}
	return r.readHeader()
}

func (r *Reader) beginGzip(src io.Reader, o Options) error {
	z, err := gzip.NewReader(src)
	if err != nil {
		return ErrDamaged.With("line", 0).Because(err)
	}
	return r.beginText(&bounded{src: z, packed: &r.read}, o)
}

func (r *Reader) readHeader() error {
	row, err := r.rows.next()
	switch {
	case err == io.EOF:
		return ErrEmpty
	case err != nil:
		return err
	case row.Bad != nil:
		e := *ErrHeader
		e.EN += row.Bad.Text("en")
		e.ZH += row.Bad.Text("zh-CN")
		return &e
	}
	r.header = make([]string, len(row.Cells))
	filled := false
	for i, cell := range row.Cells {
		r.header[i] = strings.TrimSpace(cell)
		filled = filled || r.header[i] != ""
	}
	if !filled {
		return ErrEmpty
	}
	return nil
}

// Header returns the names of the columns, without the space around them.
func (r *Reader) Header() []string { return r.header }

// Next returns the next row, or io.EOF after the last. Any other error ends the file:
// it is damaged, and nothing after it can be read.
func (r *Reader) Next() (Row, error) {
	row, err := r.rows.next()
	if err != nil {
		return Row{}, err
	}
	r.count++
	if row.Bad == nil && len(row.Cells) != len(r.header) {
		row.Raw = clip(strings.Join(row.Cells, string(max(r.Comma, ','))))
		row.Bad = ErrFields.With("got", len(row.Cells), "want", len(r.header))
	}
	return row, nil
}

// Rows returns how many rows Next has handed out, good and bad.
func (r *Reader) Rows() int64 { return r.count }

// Progress returns the bytes read so far and those of the whole file, as they lie on the
// disk; the second is 0 where nobody can know, as for a pipe or the rows of a workbook.
func (r *Reader) Progress() (read, total int64) { return r.read.Load(), r.total }

// Close closes the file.
func (r *Reader) Close() error {
	var err error
	if r.rows != nil {
		err = r.rows.close()
	}
	if r.file == os.Stdin {
		return err
	}
	return errors.Join(err, r.file.Close())
}

// clip cuts what is shown of a broken row.
func clip(s string) string {
	if len(s) > maxRaw {
		s = s[:maxRaw]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// counted counts the bytes that go through.
type counted struct {
	src io.Reader
	n   *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// bounded stops a packed stream that unpacks to far more than it takes. What has been
// read of the packed side is a little ahead of what was unpacked, by one buffer: too
// little to matter past the free amount.
type bounded struct {
	src    io.Reader
	packed *atomic.Int64
	n      int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.src.Read(p)
	b.n += int64(n)
	if b.n > ratioFreeGzip && b.n > maxRatio*b.packed.Load() {
		return 0, bomb()
	}
	return n, err
}

func bomb() error { return ErrBomb.With("ratio", maxRatio, "mib", maxEntry>>20) }
