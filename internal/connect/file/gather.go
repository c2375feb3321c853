package file

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

const (
	maxDocumentRows  = 10_000    // of one document; the longest invoice of a wholesaler has about a thousand
	maxDocumentBytes = 8 << 20   // of its cells
	fragmentBytes    = 128 << 10 // rows of one document that lie together travel as one piece up to this
	checkEvery       = 4096      // rows between looks at whether to stop
)

// Documents hands out the documents of a file of sales.
type Documents struct {
	sales  sales
	sorter *sorter
	merged *merger
	total  int64        // bytes of all documents
	done   atomic.Int64 // of those handed out
}

// Gather reads a whole file of sales and brings the rows of each document together,
// wherever they lie. The documents come out in the order of their time, sales before
// returns of the same instant, then by number: points, tiers and expiry of the past
// depend on what came first, and so the result does not depend on how a file is sorted.
//
// Rows that belong to no document (broken, or without a number) go to refuse at once, in
// the order of the file. If reading fails half way, Gather fails before it has handed
// out anything: a file that is cut off posts nothing.
//
// Memory is bounded: the rows are sorted by document on the disk, then the documents by
// time; see sorter. One pass over the file is enough, so pipes work. A row is parsed when
// it is handed out; what is stored are its cells, which the error file needs.
//
// One number used by both a sale and a return (told apart by the column kind) makes two
// documents; the return then is of that sale, and its number gets "/return" behind it.
func Gather(ctx context.Context, r *Reader, m *Mapping, v *Values, o SalesOptions, refuse func(Problem) error) (*Documents, error) {
	d := &Documents{sales: sales{m, v, o}}
	byKey := newSorter(o.TempDir, o.memory)
	err := d.collect(ctx, r, byKey, refuse)
	if err == nil {
		err = d.arrange(ctx, byKey)
	}
	if err = errors.Join(err, byKey.close()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// collect reads the rows into the first sorter, by document.
func (d *Documents) collect(ctx context.Context, r *Reader, out *sorter, refuse func(Problem) error) error {
	p := &piece{out: out}
	for {
		if r.Rows()%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := r.Next()
		if err == io.EOF {
			return p.flush()
		}
		if err != nil {
			return err
		}
		if row.Bad != nil {
			if err := refuse(Problem{row.Line, row.Bad, []string{row.Raw}}); err != nil {
				return err
			}
			continue
		}
		key, typ, err := d.sales.identity(row.Cells)
		if err != nil {
			err = refuse(Problem{row.Line, errs.As(err), append([]string(nil), row.Cells...)})
		} else {
			err = p.add(key, typ, row)
		}
		if err != nil {
			return err
		}
	}
}

// piece is a stretch of rows of one document that lie together. Most files have their
// documents whole: then the sorter has one small key for each, not one for each row.
type piece struct {
	out  *sorter
	key  string
	typ  Type
	line int64
	body []byte
	sort []byte
}

func (p *piece) add(key string, typ Type, row Row) error {
	if key != p.key || typ != p.typ || len(p.body) > fragmentBytes {
		if err := p.flush(); err != nil {
			return err
		}
		p.key, p.typ, p.line = strings.Clone(key), typ, row.Line
	}
	p.body = binary.AppendUvarint(p.body, uint64(row.Line))
	p.body = binary.AppendUvarint(p.body, uint64(len(row.Cells)))
	for _, c := range row.Cells {
		p.body = append(binary.AppendUvarint(p.body, uint64(len(c))), c...)
	}
	return nil
}

// flush hands the piece to the sorter under number, type and first line. A number holds
// no zero byte (the reader sees to it), so the zero that ends it keeps "1" before "12".
func (p *piece) flush() error {
	if len(p.body) == 0 {
		return nil
	}
	p.sort = appendKey(p.sort[:0], p.key, p.typ)
	p.sort = binary.BigEndian.AppendUint64(p.sort, uint64(p.line))
	err := p.out.add(p.sort, p.body)
	p.body = p.body[:0]
	return err
}

func appendKey(b []byte, key string, typ Type) []byte {
	return append(append(b, key...), 0, rank(typ))
}

func rank(t Type) byte {
	if t == Return {
		return 1
	}
	return 0
}

// rows reads back what piece.add wrote.
func readRows(body []byte) []raw {
	var rows []raw
	text := string(body) // one string for all cells
	take := func() uint64 {
		n, size := binary.Uvarint(body)
		if size <= 0 {
			panic("file: a stored row cannot be read back")
		}
		body, text = body[size:], text[size:]
		return n
	}
	for len(body) > 0 {
		r := raw{line: int64(take())}
		r.cells = make([]string, take())
		for i := range r.cells {
			n := take()
			r.cells[i] = text[:n]
			body, text = body[n:], text[n:]
		}
		rows = append(rows, r)
	}
	return rows
}

// arrange joins the pieces of each document and sorts the documents by time.
func (d *Documents) arrange(ctx context.Context, byKey *sorter) error {
	pieces, err := byKey.sorted()
	if err != nil {
		return err
	}
	d.sorter = newSorter(d.sales.o.TempDir, d.sales.o.memory)
	j := joiner{d: d}
	for n := 0; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		sort, body, err := pieces.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = j.add(sort[:len(sort)-8], body)
		}
		if err != nil {
			return err
		}
	}
	if err := j.flush(); err != nil {
		return err
	}
	d.merged, err = d.sorter.sorted()
	return err
}

// joiner collects the pieces of one document at a time.
type joiner struct {
	d        *Documents
	key      []byte // number, zero, type
	body     []byte
	rows     int
	chunk    uint64
	tooLong  bool // some of the document has gone on already, as refused
	soldName string
}

// Marks in front of a stored document.
const (
	markTooLong = 1 << iota // refused for its length
	markOfSale              // a return that shares its number with a sale
)

func (j *joiner) add(key, body []byte) error {
	if string(key) != string(j.key) {
		if err := j.flush(); err != nil {
			return err
		}
		j.key, j.tooLong, j.chunk = append(j.key[:0], key...), false, 0
	}
	n := countRows(body)
	if j.rows+n > maxDocumentRows || len(j.body)+len(body) > maxDocumentBytes {
		j.tooLong = true
		if err := j.flush(); err != nil {
			return err
		}
	}
	j.body = append(j.body, body...)
	j.rows += n
	return nil
}

func countRows(body []byte) int {
	n := 0
	take := func() uint64 {
		v, size := binary.Uvarint(body)
		body = body[size:]
		return v
	}
	for ; len(body) > 0; n++ {
		take()
		for cells := take(); cells > 0; cells-- {
			size := take()
			body = body[size:]
		}
	}
	return n
}

// flush stores the document under its time. The time is parsed here only to sort by;
// rows that cannot be read sort last and are refused when they are handed out.
func (j *joiner) flush() error {
	if len(j.body) == 0 {
		return nil
	}
	n := len(j.key) - 2
	number, typ := string(j.key[:n]), j.key[n+1]
	mark := byte(0)
	if j.tooLong {
		mark |= markTooLong
	}
	if typ == rank(Sale) {
		j.soldName = number
	} else if j.soldName == number {
		mark |= markOfSale
	}
	at := int64(math.MaxInt64)
	for _, r := range readRows(j.body) {
		if t, err := j.d.sales.v.Time(j.d.sales.m.Get(r.cells, "at")); err == nil {
			at = min(at, t.UnixNano())
		}
	}
	sort := binary.BigEndian.AppendUint64(nil, uint64(at)^1<<63) // negative times first
	sort = append(append(sort, typ), j.key[:n+1]...)
	sort = binary.BigEndian.AppendUint64(sort, j.chunk)
	err := j.d.sorter.add(sort, append([]byte{mark}, j.body...))
	j.d.total += int64(len(j.body)) + 1
	j.body, j.rows = j.body[:0], 0
	j.chunk++
	return err
}

// Next returns the next document, or io.EOF after the last. A document may have problems
// and no lines: then nothing of it can be taken.
func (d *Documents) Next() (Document, error) {
	sort, value, err := d.merged.next()
	if err != nil {
		return Document{}, err
	}
	typ, key := Sale, string(sort[9:len(sort)-9])
	if sort[8] == rank(Return) {
		typ = Return
	}
	d.done.Add(int64(len(value)))
	doc := d.sales.document(key, typ, readRows(value[1:]))
	if value[0]&markOfSale != 0 {
		doc.Key += "/return"
		if doc.Of == "" {
			doc.Of = key
		}
	}
	if value[0]&markTooLong != 0 {
		doc.refuse(ErrTooLong.With("max", maxDocumentRows))
	}
	return doc, nil
}

// Progress returns how many bytes of documents Next has handed out, of how many. Other
// goroutines may call it.
func (d *Documents) Progress() (done, total int64) { return d.done.Load(), d.total }

// Close lets go of the temporary files. It does not close the reader.
func (d *Documents) Close() error {
	if d.sorter == nil {
		return nil
	}
	return d.sorter.close()
}
