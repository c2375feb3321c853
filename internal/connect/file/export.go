package file

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Format is a form in which lists leave the program.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl" // one JSON object a line
	XLSX  Format = "xlsx"
)

// Encoding is how the text of a CSV file is written.
type Encoding string

// The encodings. Excel reads the first everywhere, as it begins with a byte order mark; older
// programs in China read only the second.
const (
	UTF8    Encoding = "utf-8"
	GB18030 Encoding = "gb18030"
)

// ErrFormat refuses a format that there is not, ErrEncoding an encoding, and ErrRows a list
// that no workbook can hold.
var (
	ErrEncoding = errs.New(errs.Invalid, "export.encoding", "There is no encoding {encoding}; there are utf-8 and, for csv alone, gb18030.", "没有编码 {encoding}；可用 utf-8，csv 还可用 gb18030。")
	ErrFormat   = errs.New(errs.Invalid, "export.format", "There is no format {format}; there are csv, xlsx and jsonl.", "没有格式 {format}；可用 csv、xlsx、jsonl。")
	ErrRows     = errs.New(errs.TooLarge, "export.rows", "An Excel sheet holds {max} rows at most. Export as CSV.", "Excel 工作表最多 {max} 行，请导出为 CSV。")
)

const (
	maxSheetRows = 1 << 20 // Excel's own limit, header included
	maxSheetText = 32_767  // characters that a cell of Excel holds
)

// Column is one column of an export.
type Column struct {
	Name  string // stable, as in the API: the key in JSONL
	Title string // what people read in CSV and Excel; "" for Name
}

// Decimal is a number with a fixed number of decimals, exact: Units × 10^-Decimals.
type Decimal struct {
	Units    int64
	Decimals int
}

// String writes all decimals: {1250, 2} is "12.50".
func (d Decimal) String() string {
	if d.Decimals <= 0 {
		return fmt.Sprint(d.Units)
	}
	sign, n := "", uint64(d.Units)
	if d.Units < 0 {
		sign, n = "-", -n // right for the least integer too
	}
	p := uint64(pow10(d.Decimals))
	return fmt.Sprintf("%s%d.%0*d", sign, n/p, d.Decimals, n%p)
}

// MarshalJSON writes the number as a number.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.String()), nil }

// Writer writes a list, row by row, in memory that does not grow with it. Cells may be
// string, int, int64, bool, Decimal, time.Time (written in its own zone) or nil for
// missing. Numbers stay numbers; text is made inert for spreadsheets, in CSV and Excel,
// whatever it looks like; anything else panics, being a mistake in the program.
type Writer interface {
	Write(cells ...any) error
	Close() error // ends the list; it does not close what it was written to
}

// NewWriter makes a writer of a format, and writes the header.
func NewWriter(w io.Writer, format Format, columns []Column) (Writer, error) {
	return NewWriterIn(w, format, UTF8, columns)
}

// NewWriterIn is NewWriter for a file in an encoding; "" is UTF-8.
func NewWriterIn(w io.Writer, format Format, encoding Encoding, columns []Column) (Writer, error) {
	if encoding == GB18030 && format == CSV {
		return newCSVWriter(gb18030.NewEncoder().Writer(w), "", columns)
	}
	if encoding != UTF8 && encoding != "" {
		return nil, ErrEncoding.With("encoding", encoding)
	}
	switch format {
	case CSV:
		return newCSVWriter(w, "\uFEFF", columns)
	case JSONL:
		return &jsonWriter{bufio.NewWriter(w), columns}, nil
	case XLSX:
		return newSheetWriter(w, columns)
	}
	return nil, ErrFormat.With("format", format)
}

func (c Column) title() string {
	if c.Title != "" {
		return c.Title
	}
	return c.Name
}

// sized panics where a row does not fit the columns: the program's mistake.
func sized(cells []any, columns []Column) {
	if len(cells) != len(columns) {
		panic(fmt.Sprintf("file: a row of %d cells for %d columns", len(cells), len(columns)))
	}
}

type csvWriter struct {
	out     *bufio.Writer
	columns []Column
}

func newCSVWriter(w io.Writer, mark string, columns []Column) (*csvWriter, error) {
	c := &csvWriter{bufio.NewWriter(w), columns}
	titles := make([]any, len(columns))
	for i, col := range columns {
		titles[i] = col.title()
	}
	if _, err := c.out.WriteString(mark); err != nil {
		return nil, err
	}
	return c, c.Write(titles...)
}

func (c *csvWriter) Write(cells ...any) error {
	sized(cells, c.columns)
	var b strings.Builder
	for i, cell := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		if text, ok := cell.(string); ok {
			b.WriteString(textCell(text))
		} else if cell != nil {
			b.WriteString(fmt.Sprint(value(cell)))
		}
	}
	b.WriteString("\r\n")
	_, err := c.out.WriteString(b.String())
	return err
}

func (c *csvWriter) Close() error { return c.out.Flush() }

// textCell puts all text in quotes, so that a spreadsheet's import does not guess by it.
func textCell(text string) string {
	return `"` + strings.ReplaceAll(Inert(text), `"`, `""`) + `"`
}

// value is a cell as it is written: a time as RFC 3339.
func value(cell any) any {
	switch v := cell.(type) {
	case nil, string, int, int64, bool, Decimal:
		return v
	case time.Time:
		return v.Format(time.RFC3339)
	}
	panic(fmt.Sprintf("file: a cell of type %T cannot be exported", cell))
}

type jsonWriter struct {
	out     *bufio.Writer
	columns []Column
}

// Write keeps the order of the columns, which a map would not. JSON goes to programs:
// its text stays as it is.
func (j *jsonWriter) Write(cells ...any) error {
	sized(cells, j.columns)
	line := []byte{'{'}
	for i, cell := range cells {
		if i > 0 {
			line = append(line, ',')
		}
		name, err := json.Marshal(j.columns[i].Name)
		if err != nil {
			return err
		}
		body, err := json.Marshal(value(cell))
		if err != nil {
			return err
		}
		line = append(append(append(line, name...), ':'), body...)
	}
	_, err := j.out.Write(append(line, '}', '\n'))
	return err
}

func (j *jsonWriter) Close() error { return j.out.Flush() }

type sheetWriter struct {
	out     io.Writer
	book    *excelize.File
	rows    *excelize.StreamWriter
	columns []Column
	row     int
}

func newSheetWriter(w io.Writer, columns []Column) (*sheetWriter, error) {
	s := &sheetWriter{out: w, book: excelize.NewFile(), columns: columns}
	var err error
	if s.rows, err = s.book.NewStreamWriter("Sheet1"); err != nil {
		return nil, fmt.Errorf("make a workbook: %w", err)
	}
	titles := make([]any, len(columns))
	for i, c := range columns {
		titles[i] = c.title()
	}
	return s, s.Write(titles...)
}

// Write adds a row. Decimals become numbers of floating point, since Excel has no others;
// amounts within money.Max are exact to the last decimal that is shown. A text cell is
// typed as text and cannot be a formula, but becomes one when the sheet is saved as CSV
// and opened again: so it is made inert too.
func (s *sheetWriter) Write(cells ...any) error {
	sized(cells, s.columns)
	if s.row == maxSheetRows {
		return ErrRows.With("max", maxSheetRows)
	}
	s.row++
	row := make([]any, len(cells))
	for i, cell := range cells {
		switch v := value(cell).(type) {
		case string:
			row[i] = v
			if _, text := cell.(string); text {
				row[i] = clipText(Inert(v))
			}
		case Decimal:
			row[i] = float64(v.Units) / float64(pow10(max(v.Decimals, 0)))
		default:
			row[i] = v
		}
	}
	return s.rows.SetRow(fmt.Sprintf("A%d", s.row), row)
}

// clipText cuts text to what a cell of Excel can hold.
func clipText(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxSheetText {
			return text[:i]
		}
	}
	return text
}

func (s *sheetWriter) Close() error {
	err := s.rows.Flush()
	if err == nil {
		_, err = s.book.WriteTo(s.out)
	}
	if e := s.book.Close(); err == nil {
		err = e
	}
	return err
}
