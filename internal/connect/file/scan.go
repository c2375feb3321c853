package file

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// scanner splits text into rows as RFC 4180 has it, with LF or CRLF, and any one byte as
// the separator. On good text it agrees with encoding/csv. It differs on bad text: where
// quotes are wrong, the line at which the row began is bad, and reading goes on at the
// line after that one, whatever an open quote had swallowed by then. (encoding/csv would
// lose every row up to the next quote.) A row that is well formed but has the wrong
// number of cells ends where its quotes say.
//
// Going back costs no more than reading each byte twice: an open quote is followed at
// most to the next quotation mark that settles it, and lines with none are not openers.
type scanner struct {
	src     io.Reader
	damaged func(err error, line int64) error
	comma   byte
	enc     string
	dec     *encoding.Decoder // nil but for GB18030

	buf   []byte // buf[pos:] is unread
	pos   int
	eof   bool
	line  int64  // of buf[pos]
	text  []byte // of a row with quotes: the cells without them
	ends  []int  // pairs: where each cell begins and ends in the text
	cells []string
}

func newScanner(src io.Reader, comma byte, enc string, damaged func(error, int64) error) *scanner {
	s := &scanner{src: src, comma: comma, enc: enc, damaged: damaged, line: 1, buf: make([]byte, 0, 256<<10)}
	if enc == encGB {
		s.dec = gb18030.NewDecoder()
	}
	return s
}

func (s *scanner) close() error { return nil }

// next returns the next row that is not blank.
func (s *scanner) next() (Row, error) {
	for {
		end, err := s.lineEnd(0)
		if err != nil {
			return Row{}, err
		}
		if end < 0 {
			return s.skipLong()
		}
		line := s.buf[s.pos : s.pos+end]
		if len(line) == 0 {
			return Row{}, io.EOF
		}
		if bytes.IndexByte(line, '"') >= 0 {
			return s.quotedRow(end)
		}
		body := trimEnd(line)
		if len(body) == 0 {
			s.take(end)
			continue
		}
		s.split(body)
		row := s.row(body, body)
		s.take(end)
		return row, nil
	}
}

// lineEnd returns where the line that holds the unread byte from ends, behind its LF, both
// counted from pos; the length of what is left where the file ends first; -1 where the
// row so far is longer than a row may be.
func (s *scanner) lineEnd(from int) (int, error) {
	for seen := from; ; {
		if i := bytes.IndexByte(s.buf[s.pos+seen:], '\n'); i >= 0 {
			if seen+i+1 > MaxRowBytes {
				return -1, nil
			}
			return seen + i + 1, nil
		}
		seen = len(s.buf) - s.pos
		if seen > MaxRowBytes {
			return -1, nil
		}
		if s.eof {
			return seen, nil
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more behind what is unread, which moves to the front of the buffer.
func (s *scanner) fill() error {
	if s.pos > 0 {
		s.buf = s.buf[:copy(s.buf[:cap(s.buf)], s.buf[s.pos:])]
		s.pos = 0
	}
	if len(s.buf) == cap(s.buf) {
		bigger := make([]byte, len(s.buf), 2*cap(s.buf)) // ends at twice MaxRowBytes
		copy(bigger, s.buf)
		s.buf = bigger
	}
	n, err := io.ReadAtLeast(s.src, s.buf[len(s.buf):cap(s.buf)], 1)
	s.buf = s.buf[:len(s.buf)+n]
	switch err {
	case nil:
	case io.EOF:
		s.eof = true
	default:
		return s.damaged(err, s.line)
	}
	return nil
}

// take marks n bytes as read.
func (s *scanner) take(n int) {
	s.line += int64(bytes.Count(s.buf[s.pos:s.pos+n], []byte{'\n'}))
	s.pos += n
}

// skipLong reads past a line that is longer than a row may be, keeping only its beginning.
func (s *scanner) skipLong() (Row, error) {
	row := Row{Line: s.line, Raw: s.show(s.buf[s.pos:]), Bad: ErrRowSize.With("max", MaxRowBytes)}
	for {
		if i := bytes.IndexByte(s.buf[s.pos:], '\n'); i >= 0 {
			s.take(i + 1)
			return row, nil
		}
		s.pos = len(s.buf)
		if s.eof {
			return row, nil
		}
		if err := s.fill(); err != nil {
			return Row{}, err
		}
	}
}

// split marks the cells of a line without quotes.
func (s *scanner) split(body []byte) {
	s.ends = s.ends[:0]
	from := 0
	for len(s.ends) <= 2*MaxColumns {
		i := bytes.IndexByte(body[from:], s.comma)
		if i < 0 {
			break
		}
		s.ends = append(s.ends, from, from+i)
		from += i + 1
	}
	s.ends = append(s.ends, from, len(body))
}

// quotedRow reads a row whose first line, of length first, holds a quotation mark.
func (s *scanner) quotedRow(first int) (Row, error) {
	end, ok, err := s.unquote(first)
	if err != nil {
		return Row{}, err
	}
	line := s.buf[s.pos : s.pos+first]
	if !ok {
		row := Row{Line: s.line, Raw: s.show(trimEnd(line)), Bad: ErrQuote}
		s.take(first)
		return row, nil
	}
	row := s.row(s.text, s.buf[s.pos:s.pos+end])
	s.take(end)
	return row, nil
}

// unquote copies the cells of the row at pos into text, and returns where the row ends.
// It gives false where the quotes are wrong or the row grows past its bound.
func (s *scanner) unquote(first int) (end int, ok bool, err error) {
	s.text, s.ends = s.text[:0], s.ends[:0]
	at, end := 0, first // at: the next byte; end: of the line that it is on
	for {
		from := len(s.text)
		if at < end && s.buf[s.pos+at] == '"' {
			if at, end, err = s.quotedCell(at+1, end); err != nil || at < 0 {
				return 0, false, err
			}
		} else {
			n := s.plainCell(s.buf[s.pos+at : s.pos+end])
			if n < 0 {
				return 0, false, nil
			}
			at += n
		}
		s.ends = append(s.ends, from, len(s.text))
		rest := s.buf[s.pos+at : s.pos+end]
		if len(trimEnd(rest)) == 0 {
			return end, true, nil
		}
		if rest[0] != s.comma {
			return 0, false, nil // something behind the closing quote
		}
		at++
	}
}

// plainCell copies a cell without quotes and returns its length, -1 where one is in it.
func (s *scanner) plainCell(rest []byte) int {
	cell := trimEnd(rest)
	if i := bytes.IndexByte(cell, s.comma); i >= 0 {
		cell = cell[:i]
	}
	if bytes.IndexByte(cell, '"') >= 0 {
		return -1
	}
	s.text = append(s.text, cell...)
	return len(cell)
}

// quotedCell copies a cell whose opening quote stands before at, over as many lines as it
// takes. It returns the place behind the closing quote and the end of the line that it is
// on, or -1 where none comes.
func (s *scanner) quotedCell(at, end int) (int, int, error) {
	for {
		line := s.buf[s.pos+at : s.pos+end]
		i := bytes.IndexByte(line, '"')
		switch {
		case i >= 0 && i+1 < len(line) && line[i+1] == '"':
			s.text = append(s.text, line[:i+1]...)
			at += i + 2
		case i >= 0:
			s.text = append(s.text, line[:i]...)
			return at + i + 1, end, nil
		default:
			body := trimEnd(line)
			s.text = append(s.text, body...)
			if len(line) == 0 || line[len(line)-1] != '\n' {
				return -1, 0, nil // the file ended
			}
			s.text = append(s.text, '\n')
			next, err := s.lineEnd(end)
			if err != nil || next < 0 || next == end {
				return -1, 0, err
			}
			at, end = end, next
		}
	}
}

// trimEnd cuts the line end: LF, CRLF, or the CR of a last line that lost its LF.
func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// row makes the row of the cells that are marked in text; raw is the row as it stands in
// the file.
func (s *scanner) row(text, raw []byte) Row {
	row := Row{Line: s.line}
	if row.Bad = s.check(text); row.Bad == nil {
		row.Bad = s.cut(text)
	}
	if row.Bad != nil {
		row.Raw = s.show(trimEnd(raw))
		return row
	}
	row.Cells = s.cells
	return row
}

// check finds what is wrong with a row as a whole before any cell is looked at.
func (s *scanner) check(text []byte) *errs.Error {
	switch {
	case len(s.ends) > 2*MaxColumns:
		return ErrColumns.With("max", MaxColumns)
	case bytes.IndexByte(text, 0) >= 0,
		s.dec == nil && !utf8.Valid(text),
		s.enc == encUTF16 && bytes.ContainsRune(text, utf8.RuneError): // how the decoder marks a broken pair
		return ErrBytes.With("encoding", s.enc)
	}
	return nil
}

// cut fills cells. One string is made for the whole row, and the cells share it.
func (s *scanner) cut(text []byte) *errs.Error {
	whole := string(text)
	s.cells = s.cells[:0]
	for i := 0; i < len(s.ends); i += 2 {
		cell := whole[s.ends[i]:s.ends[i+1]]
		if s.dec != nil && !ascii(cell) {
			decoded, err := s.dec.String(cell)
			if err != nil || strings.ContainsRune(decoded, utf8.RuneError) {
				return ErrBytes.With("encoding", s.enc)
			}
			cell = decoded
		}
		if len(cell) > MaxCellBytes {
			return ErrCell.With("max", MaxCellBytes)
		}
		s.cells = append(s.cells, cell)
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// show makes text that can be shown out of the bytes of a broken row.
func (s *scanner) show(raw []byte) string {
	raw = raw[:min(len(raw), maxRaw)]
	if s.dec != nil {
		if text, err := s.dec.Bytes(raw); err == nil {
			raw = text
		}
	}
	return strings.ReplaceAll(clip(string(raw)), "\x00", "\uFFFD")
}

func asRefusal(err error) error {
	if e := errs.As(err); e != nil {
		return e
	}
	return nil
}
