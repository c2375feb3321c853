package file

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The encodings that are told apart.
const (
	encUTF8  = "UTF-8"
	encUTF16 = "UTF-16"
	encGB    = "GB18030"
)

// beginText sets up reading rows of text from src.
//
// UTF-16 (which must carry its mark) is turned into UTF-8 as a stream. GB18030 is not: no
// separator, quote or line end can be part of one of its characters, since their second
// bytes lie above 0x2F, so rows are split first and decoded after. That keeps a broken
// character inside its own row.
func (r *Reader) beginText(src io.Reader, o Options) error {
	b := bufio.NewReaderSize(src, sniffBytes)
	head, err := b.Peek(sniffBytes)
	if err != nil && err != io.EOF {
		return r.damaged(err, 0)
	}
	var text io.Reader = b
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		r.Encoding = encUTF8
		if _, err := b.Discard(3); err != nil {
			return r.damaged(err, 0)
		}
		head = head[3:]
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		r.Encoding = encUTF16
		dec := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		wide := bufio.NewReaderSize(transform.NewReader(b, dec), sniffBytes)
		if head, err = wide.Peek(sniffBytes); err != nil && err != io.EOF {
			return r.damaged(err, 0)
		}
		text = wide
	default:
		r.Encoding = guess(head)
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return ErrWorkbook
	}
	if r.Comma = o.Comma; r.Comma == 0 {
		r.Comma = separator(head)
	}
	r.rows = newScanner(text, r.Comma, r.Encoding, r.damaged)
	return nil
}

// damaged turns an error of reading into what the user is told.
func (r *Reader) damaged(err error, line int64) error {
	if e := asRefusal(err); e != nil {
		return e
	}
	return ErrDamaged.With("line", line).Because(err)
}

// guess tells UTF-8 from GB18030 by the beginning of a file.
//
// Text that is not valid UTF-8 throughout may still be UTF-8 with a few broken rows, or
// Latin-1. It is taken for GB18030 only where all of it is valid, and where most of its
// wide characters lie in the part of the table that Chinese text really uses (both bytes
// above 0xA0): of Latin-1, "é" and the letter after it would make a valid but rare pair.
func guess(head []byte) string {
	if len(head) == sniffBytes { // the last line is cut, perhaps in a character
		if i := bytes.LastIndexByte(head, '\n'); i > 0 {
			head = head[:i]
		}
	}
	if utf8.Valid(head) {
		return encUTF8
	}
	common, rare := 0, 0
	for i := 0; i < len(head); {
		n := gbLen(head[i:])
		switch {
		case n == 0:
			return encUTF8
		case n == 2 && head[i] > 0xA0 && head[i+1] > 0xA0:
			common++
		case n > 1:
			rare++
		}
		i += n
	}
	if rare > common {
		return encUTF8
	}
	return encGB
}

// gbLen returns the length of the GB18030 character at the beginning of b, 0 for none.
func gbLen(b []byte) int {
	trail := func(i int, from, to byte) bool { return i < len(b) && b[i] >= from && b[i] <= to }
	switch {
	case b[0] < 0x80:
		return 1
	case b[0] == 0x80 || b[0] == 0xFF:
		return 0
	case trail(1, 0x40, 0xFE) && b[1] != 0x7F:
		return 2
	case trail(1, 0x30, 0x39) && trail(2, 0x81, 0xFE) && trail(3, 0x30, 0x39):
		return 4
	}
	return 0
}

// separator counts the candidates in the header, outside of quotes; comma wins a tie.
func separator(head []byte) byte {
	if i := bytes.IndexByte(head, '\n'); i >= 0 {
		head = head[:i]
	}
	var n [256]int
	quoted := false
	for _, c := range head {
		if c == '"' {
			quoted = !quoted
		} else if !quoted {
			n[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if n[c] > n[best] {
			best = c
		}
	}
	return best
}

var gb18030 = simplifiedchinese.GB18030
