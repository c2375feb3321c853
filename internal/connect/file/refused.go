package file

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/cell"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Refused writes the error file of an import: CSV with one row for each row that did not
// go in: where it stood, a stable code, why in the reader's language, and then its cells
// under their own header, so that the mended file can be imported with the same mapping.
// It begins with a byte order mark, without which Excel shows Chinese as garbage.
type Refused struct {
	out  *bufio.Writer
	lang string
	rows int64
}

// NewRefused makes an error file for texts in a language. It writes to w; Flush ends it.
func NewRefused(w io.Writer, lang string) *Refused {
	return &Refused{out: bufio.NewWriter(w), lang: lang}
}

// Begin writes the header for a file; an error file may hold the rows of several.
func (f *Refused) Begin(header []string) error {
	if f.rows == 0 {
		if _, err := f.out.WriteString("\uFEFF"); err != nil {
			return err
		}
	}
	names := []string{"line", "code", "reason"}
	if strings.HasPrefix(strings.ToLower(f.lang), "zh") {
		names = []string{"行号", "代码", "原因"}
	}
	return f.record(append(names, header...))
}

// Write adds one row.
func (f *Refused) Write(p Problem) error {
	cells := append([]string{strconv.FormatInt(p.FileLine, 10), p.Reason.Code, ReasonText(p.Reason, f.lang)}, p.Cells...)
	return f.record(cells)
}

// Flush writes out what is still in memory.
func (f *Refused) Flush() error { return f.out.Flush() }

func (f *Refused) record(cells []string) error {
	f.rows++
	for i, c := range cells {
		if i > 0 {
			if err := f.out.WriteByte(','); err != nil {
				return err
			}
		}
		if !plainNumber(c) {
			c = Inert(c)
		}
		if _, err := f.out.WriteString(quoted(c)); err != nil {
			return err
		}
	}
	_, err := f.out.WriteString("\r\n")
	return err
}

// ReasonText is the text of a reason with the field in front that is at fault.
func ReasonText(e *errs.Error, lang string) string {
	text := e.Text(lang)
	if len(e.Fields) > 0 {
		text = e.Fields[0].Location + ": " + text
	}
	return text
}

// Inert makes text harmless for a spreadsheet.
func Inert(text string) string { return cell.Inert(text) }

// plainNumber reports whether a cell is a number and nothing else, which no spreadsheet
// evaluates: -5 stays -5 in an error file, and +8613800000000 a telephone number.
func plainNumber(s string) bool {
	return isPlain(strings.TrimPrefix(s, "+")) && !strings.HasPrefix(s, "+-")
}

// quoted puts a cell of CSV in quotes where it must be.
func quoted(s string) string {
	if strings.ContainsAny(s, ",;\"\r\n\t'") || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}
