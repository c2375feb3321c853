package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Bounds of a JSON body.
const (
	maxDepth  = 64  // no request of ours nests past 8; deeper is an attack on the stack
	maxNumber = 64  // characters; the longest int64 has 20
	maxPath   = 200 // bytes of a location in an answer
)

// What is wrong with a body that cannot be read as strict JSON.
var (
	ErrJSON = errs.New(errs.Malformed, "request.json",
		"The body is not valid JSON (at byte {offset}).", "请求体不是合法的 JSON（第 {offset} 字节）。")
	ErrTrailing = errs.New(errs.Malformed, "request.trailing",
		"Something follows the end of the JSON value (at byte {offset}).", "JSON 值结束之后还有内容（第 {offset} 字节）。")
	ErrDepth = errs.New(errs.Malformed, "request.depth",
		"The body nests deeper than {limit} levels.", "请求体嵌套超过 {limit} 层。")
	ErrDuplicate = errs.New(errs.Malformed, "request.duplicate_key",
		"This key stands more than once in its object, or again in another case.", "同一对象中此键重复出现，或仅大小写不同。")
	ErrUTF8 = errs.New(errs.Malformed, "request.utf8",
		"The request holds text that is not valid UTF-8.", "请求中有不合法的 UTF-8 文本。")
	ErrNUL = errs.New(errs.Malformed, "request.nul",
		"A text holds the character U+0000.", "文本中含有字符 U+0000。")
	ErrNumberRange = errs.New(errs.Malformed, "request.number",
		"This number is past the range of 64-bit integers, or of double precision.", "此数字超出 64 位整数或双精度的范围。")
)

// scanner reads JSON (RFC 8259) once, before Huma does, and refuses what encoding/json
// lets pass: doubled keys and keys that differ in case only (it folds case), invalid
// UTF-8 and lone surrogates (it puts U+FFFD), integers past int64 (it rounds them), and
// depth. It allocates only for objects of many keys and for keys with escapes.
type scanner struct {
	src    []byte
	pos    int
	depth  int
	spaced bool     // there is white space between tokens
	keys   []uint64 // hashes of the keys of all open objects, those of the innermost last
}

// fault is a refusal on its way up; each level puts its part in front of path.
type fault struct {
	err  *errs.Error
	path string
}

// scanJSON returns nil where body is one strict JSON value, and whether it is compact: free
// of white space between tokens.
func scanJSON(body []byte) (compact bool, err error) {
	if !utf8.Valid(body) {
		return false, ErrUTF8.At("body")
	}
	var first [4 * manyKeys]uint64 // most bodies need no more
	s := scanner{src: body, keys: first[:0]}
	f := s.value()
	if f == nil {
		s.space()
		if s.pos < len(s.src) {
			f = s.fault(ErrTrailing)
		}
	}
	if f != nil {
		return false, f.err.At(clip("body" + f.path))
	}
	return !s.spaced, nil
}

func (s *scanner) fault(err *errs.Error) *fault {
	return &fault{err: err.With("offset", s.pos)}
}

func (s *scanner) value() *fault {
	s.space()
	if s.pos >= len(s.src) {
		return s.fault(ErrJSON)
	}
	switch c := s.src[s.pos]; c {
	case '{':
		return s.object()
	case '[':
		return s.array()
	case '"':
		return s.text()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

// open goes one level down, past the bracket.
func (s *scanner) open() *fault {
	if s.depth == maxDepth {
		return &fault{err: ErrDepth.With("limit", maxDepth)}
	}
	s.depth++
	s.pos++
	return nil
}

func (s *scanner) object() *fault {
	if f := s.open(); f != nil {
		return f
	}
	base := len(s.keys)
	var many map[uint64]struct{}
	if s.end('}') {
		return nil
	}
	for {
		s.space()
		start := s.pos
		if s.pos >= len(s.src) || s.src[s.pos] != '"' {
			return s.fault(ErrJSON)
		}
		if f := s.text(); f != nil {
			return f
		}
		key := s.src[start:s.pos]
		if !s.isNew(hashKey(key), base, &many) {
			return &fault{err: ErrDuplicate, path: "." + keyText(key)}
		}
		s.space()
		if s.pos >= len(s.src) || s.src[s.pos] != ':' {
			return s.fault(ErrJSON)
		}
		s.pos++
		if f := s.value(); f != nil {
			f.path = "." + keyText(key) + f.path
			return f
		}
		done, f := s.next('}')
		if f != nil {
			return f
		}
		if done {
			s.keys = s.keys[:base]
			return nil
		}
	}
}

func (s *scanner) array() *fault {
	if f := s.open(); f != nil {
		return f
	}
	if s.end(']') {
		return nil
	}
	for i := 0; ; i++ {
		if f := s.value(); f != nil {
			f.path = "[" + strconv.Itoa(i) + "]" + f.path
			return f
		}
		if done, f := s.next(']'); done || f != nil {
			return f
		}
	}
}

// end takes the closing bracket of something empty.
func (s *scanner) end(bracket byte) bool {
	s.space()
	if s.pos < len(s.src) && s.src[s.pos] == bracket {
		s.pos++
		s.depth--
		return true
	}
	return false
}

// next takes what follows an element: a comma, or the closing bracket.
func (s *scanner) next(bracket byte) (done bool, f *fault) {
	s.space()
	if s.pos < len(s.src) {
		switch s.src[s.pos] {
		case bracket:
			s.pos++
			s.depth--
			return true, nil
		case ',':
			s.pos++
			return false, nil
		}
	}
	return false, s.fault(ErrJSON)
}

func (s *scanner) space() {
	for s.pos < len(s.src) && s.src[s.pos] <= ' ' {
		switch s.src[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
			s.spaced = true
		default:
			return
		}
	}
}

func (s *scanner) word(w string) *fault {
	if len(s.src)-s.pos < len(w) || string(s.src[s.pos:s.pos+len(w)]) != w {
		return s.fault(ErrJSON)
	}
	s.pos += len(w)
	return nil
}

// special are the bytes at which a string ends or is more than itself.
var special = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// text takes a string, quotes included.
func (s *scanner) text() *fault {
	src, i := s.src, s.pos+1
	for i < len(src) {
		if !special[src[i]] {
			i++
			continue
		}
		switch c := src[i]; {
		case c == '"':
			s.pos = i + 1
			return nil
		case c == '\\':
			s.pos = i
			if f := s.escape(); f != nil {
				return f
			}
			i = s.pos
		default: // a control character
			s.pos = i
			return s.fault(ErrJSON)
		}
	}
	s.pos = len(src)
	return s.fault(ErrJSON)
}

// escape takes one escape, or the two that make a surrogate pair.
func (s *scanner) escape() *fault {
	if s.pos+1 >= len(s.src) {
		return s.fault(ErrJSON)
	}
	if c := s.src[s.pos+1]; c != 'u' {
		if strings.IndexByte(`"\/bfnrt`, c) < 0 {
			return s.fault(ErrJSON)
		}
		s.pos += 2
		return nil
	}
	unit, ok := s.hex(s.pos)
	switch {
	case !ok:
		return s.fault(ErrJSON)
	case unit == 0:
		return s.fault(ErrNUL)
	case unit >= 0xDC00 && unit <= 0xDFFF:
		return s.fault(ErrUTF8)
	case unit >= 0xD800 && unit <= 0xDBFF:
		low, ok := s.hex(s.pos + 6)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return s.fault(ErrUTF8)
		}
		s.pos += 6
	}
	s.pos += 6
	return nil
}

// hex reads the code unit of a \uXXXX that begins at a place.
func (s *scanner) hex(at int) (uint64, bool) {
	if at+6 > len(s.src) || s.src[at] != '\\' || s.src[at+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.src[at+2:at+6]), 16, 32)
	return v, err == nil
}

// number takes a number by the grammar of RFC 8259, §6, and checks its range.
func (s *scanner) number() *fault {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	switch whole := s.digits(); {
	case whole == 0, whole > 1 && s.src[s.pos-whole] == '0':
		return s.fault(ErrJSON)
	}
	integer := true
	if s.peek() == '.' {
		integer = false
		s.pos++
		if s.digits() == 0 {
			return s.fault(ErrJSON)
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		integer = false
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			return s.fault(ErrJSON)
		}
	}
	if !inRange(s.src[start:s.pos], integer) {
		return &fault{err: ErrNumberRange}
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

func (s *scanner) digits() (n int) {
	for s.pos < len(s.src) && s.src[s.pos] >= '0' && s.src[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}

func inRange(number []byte, integer bool) bool {
	if len(number) > maxNumber {
		return false
	}
	if !integer {
		_, err := strconv.ParseFloat(string(number), 64)
		return err == nil
	}
	if len(number) <= 18 {
		return true
	}
	_, err := strconv.ParseInt(string(number), 10, 64)
	return err == nil
}

// unquote decodes a quoted string that the scanner has found good.
func unquote(quoted []byte) string {
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return string(quoted)
	}
	return text
}

func keyText(quoted []byte) string { return clip(unquote(quoted)) }

// clip bounds a location, which holds names that the caller chose.
func clip(s string) string {
	if len(s) <= maxPath {
		return s
	}
	end := maxPath
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
