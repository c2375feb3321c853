package api

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// ErrCursor refuses a cursor that no list gave.
var ErrCursor = errs.New(errs.Malformed, "request.cursor",
	"This cursor is not one that this list gave.", "此游标不是本列表给出的。")

// Page is embedded by the input of every list.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items to return at most."`
	Cursor string `query:"cursor" maxLength:"200" doc:"Where to go on: next_cursor of the page before."`
}

// List is the body of every list. NextCursor is empty on the last page.
type List[T any] struct {
	Items      []T    `json:"items" doc:"The items of this page."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Asks for the next page; absent on the last one."`
}

// DryRun is embedded by the input of every write that rules decide.
type DryRun struct {
	DryRun  bool `query:"dry_run" doc:"Work out the same answer and keep nothing."`
	Explain bool `query:"explain" doc:"Add the trace: which rule decided what, and why."`
}

// maxCursorParts bounds a cursor: the sort columns of one list.
const maxCursorParts = 8

// EncodeCursor makes the opaque cursor that holds the sort position after an item.
func EncodeCursor(parts ...int64) string {
	if len(parts) > maxCursorParts {
		panic("api: a cursor of too many parts")
	}
	b := make([]byte, 0, 4+len(parts)*binary.MaxVarintLen64)
	for _, p := range parts {
		b = binary.AppendVarint(b, p)
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor returns the n parts of a cursor, nil for the empty one (the first page), or
// ErrCursor. The checksum finds cursors that were cut or edited; a cursor grants nothing,
// so a forged one does no harm.
func DecodeCursor(s string, n int) ([]int64, error) {
	if s == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 4 {
		return nil, ErrCursor.At("query.cursor")
	}
	body, sum := b[:len(b)-4], binary.BigEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, ErrCursor.At("query.cursor")
	}
	parts := make([]int64, 0, n)
	for len(body) > 0 && len(parts) <= n {
		v, used := binary.Varint(body)
		if used <= 0 {
			return nil, ErrCursor.At("query.cursor")
		}
		parts, body = append(parts, v), body[used:]
	}
	if len(parts) != n {
		return nil, ErrCursor.At("query.cursor")
	}
	return parts, nil
}
