package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// link is a connection to PostgreSQL as batches use it. Its statements are prepared once,
// and their arrays are written in the binary format straight from the rows of a batch: by
// way of database/sql or pgx's own conversion that was a tenth of the server's work.
type link struct {
	conn   *pgconn.PgConn
	names  map[string]string // of prepared statements, by text
	buffer []byte            // of the parameters of one statement
}

func newLink(conn *pgconn.PgConn) *link { return &link{conn: conn, names: map[string]string{}} }

// query is one statement of a pipeline: with arrays of integers, or with the first columns
// of some rows as one array each.
type query struct {
	text    string
	ints    [][]int64
	rows    [][]any
	columns []Column
	table   *Table            // whose rows it returns, if any
	read    func([]any) error // takes each of them
}

// pipeline is what goes to the database together.
type pipeline []query

func (p *pipeline) add(q query) { *p = append(*p, q) }

// binaryFormat asks for it in all parameters or all results.
var binaryFormat = []int16{1}

// send sends a pipeline and reads what each statement answers. When all but the last have
// been answered it calls written, if that is not nil.
func (l *link) send(ctx context.Context, p pipeline, written func()) (err error) {
	ctx, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	for _, q := range p {
		if err := l.prepare(ctx, q.text); err != nil {
			return err
		}
	}
	pipe := l.conn.StartPipeline(ctx)
	defer func() {
		if cerr := pipe.Close(); err == nil {
			err = cerr
		}
	}()
	for i, q := range p {
		if i == len(p)-1 && written != nil {
			pipe.SendFlushRequest() // else the server keeps its answers until the end
		}
		pipe.SendQueryPrepared(l.names[q.text], l.params(q), binaryFormat, binaryFormat)
	}
	if err := pipe.Sync(); err != nil {
		return err
	}
	for i, q := range p {
		if i == len(p)-1 && written != nil {
			written()
		}
		if err := answer1(pipe, q); err != nil {
			return err
		}
	}
	return nil
}

// prepare prepares a statement that this connection has not seen.
func (l *link) prepare(ctx context.Context, text string) error {
	if l.names[text] != "" {
		return nil
	}
	name := "posting_" + strconv.Itoa(len(l.names))
	if _, err := l.conn.Prepare(ctx, name, text, nil); err != nil {
		return err
	}
	l.names[text] = name
	return nil
}

// answer1 reads what one statement answers.
func answer1(pipe *pgconn.Pipeline, q query) error {
	got, err := pipe.GetResults()
	if err != nil {
		return err
	}
	rows, ok := got.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("ledger: %T in place of the answer of a statement", got)
	}
	for q.read != nil && rows.NextRow() {
		if err = q.read(q.table.decode(rows.Values())); err != nil {
			break
		}
	}
	_, cerr := rows.Close()
	return errors.Join(err, cerr)
}

// decode makes values of a row in the binary format.
func (t *Table) decode(raw [][]byte) []any {
	out := make([]any, len(t.cols))
	for i, c := range t.cols {
		switch v := raw[i]; c.Type {
		case Int:
			out[i] = integer(v)
		case Text:
			out[i] = string(v)
		case Bytes:
			out[i] = append([]byte(nil), v...)
		}
	}
	return out
}

// integer is a SMALLINT, INTEGER or BIGINT.
func integer(v []byte) int64 {
	switch len(v) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(v)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(v)))
	case 8:
		return int64(binary.BigEndian.Uint64(v))
	}
	panic(fmt.Sprintf("ledger: an integer of %d bytes", len(v)))
}

// The element types of arrays, by their numbers in the catalogue of PostgreSQL.
var elements = map[ColumnType]uint32{Int: 20, Text: 25, Bytes: 17}

// params writes the arrays of a query. They are good until the next call.
func (l *link) params(q query) [][]byte {
	b := l.buffer[:0]
	var ends []int
	for _, list := range q.ints {
		b = arrayHead(b, Int, len(list))
		for _, n := range list {
			b = appendInteger(b, n)
		}
		ends = append(ends, len(b))
	}
	for i, c := range q.columns {
		b = arrayHead(b, c.Type, len(q.rows))
		for _, r := range q.rows {
			switch v := r[i].(type) {
			case int64:
				b = appendInteger(b, v)
			case string:
				b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
			case []byte:
				b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
			}
		}
		ends = append(ends, len(b))
	}
	l.buffer = b
	out := make([][]byte, len(ends))
	from := 0
	for i, to := range ends {
		out[i], from = b[from:to], to
	}
	return out
}

// arrayHead begins an array of one dimension: its number of dimensions, whether it has
// nulls, the type of its elements, how many there are, and the number of the first.
func arrayHead(b []byte, t ColumnType, n int) []byte {
	for _, v := range []uint32{1, 0, elements[t], uint32(n), 1} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

func appendInteger(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(n))
}
