package event

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/id"
)

// The bounds of a row of the outbox. Past a page of PostgreSQL it would lie cut up in a
// table beside the table, which costs more than a second row does.
const (
	mostPacked  = 64   // events
	packedBytes = 7500 // unless a single event is larger
)

// A row begins with what says how to read the rest.
const (
	packed = 1   // the binary form that Pack writes
	listed = '[' // a JSON array: what waited when version 17 of the schema came
)

// Row is what stands in one row of the outbox.
type Row struct {
	N      int    // how many events; at least one
	Events []byte // what Unpack reads
}

// Pack lays events out in as few rows as the bounds of a row allow, in their order. The
// bodies lie in them as they are. Shards are left out: they follow from the members.
func Pack(list []Event) []Row {
	var rows []Row
	for len(list) > 0 {
		n, size := 0, 1+binary.MaxVarintLen64
		for ; n < min(len(list), mostPacked); n++ {
			e := &list[n]
			size += 4*binary.MaxVarintLen64 + len(e.Kind) + len(e.Body)
			if n > 0 && size > packedBytes {
				break
			}
		}
		rows, list = append(rows, Row{n, packRow(list[:n], size)}), list[n:]
	}
	return rows
}

// packRow lays events out in one row of about a size.
func packRow(list []Event, size int) []byte {
	b := append(make([]byte, 0, size), packed)
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		e := &list[i]
		b = binary.AppendVarint(b, e.Member)
		b = binary.AppendVarint(b, e.AtMS)
		b = append(binary.AppendUvarint(b, uint64(len(e.Kind))), e.Kind...)
		b = append(binary.AppendUvarint(b, uint64(len(e.Body))), e.Body...)
	}
	return b
}

// errTorn is the error of a row that is not as Pack made it.
var errTorn = errors.New("a row of the outbox is not whole")

// Unpack reads the events of a row, in their order and without positions, or refuses what
// is not whole. The bodies are parts of row.
func Unpack(row []byte) ([]Event, error) {
	if len(row) > 0 && row[0] == listed {
		return unlist(row)
	}
	if len(row) == 0 || row[0] != packed {
		return nil, errTorn
	}
	r := reader{rest: row[1:]}
	n := r.length()
	if n == 0 || n > mostPacked {
		return nil, errTorn
	}
	list := make([]Event, n)
	for i := range list {
		e := &list[i]
		e.Member, e.AtMS = r.number(), r.number()
		kind := r.bytes()
		if i > 0 && list[i-1].Kind == string(kind) { // mostly: then it takes no memory
			e.Kind = list[i-1].Kind
		} else {
			e.Kind = string(kind)
		}
		e.Body = r.bytes()
		e.Shard = shardOf(e.Member)
	}
	if r.torn || len(r.rest) > 0 {
		return nil, errTorn
	}
	return list, nil
}

func shardOf(member int64) int16 {
	if member == 0 {
		return 0
	}
	return id.Shard(member)
}

// unlist is Unpack for the JSON that the migration to version 17 makes of a row.
func unlist(row []byte) ([]Event, error) {
	var all []struct {
		Member int64  `json:"m"`
		AtMS   int64  `json:"t"`
		Kind   string `json:"k"`
		Body   string `json:"b"`
	}
	if err := json.Unmarshal(row, &all); err != nil {
		return nil, fmt.Errorf("%w: %w", errTorn, err)
	}
	list := make([]Event, len(all))
	for i, e := range all {
		list[i] = Event{Kind: e.Kind, Shard: shardOf(e.Member), Member: e.Member, AtMS: e.AtMS, Body: json.RawMessage(e.Body)}
	}
	return list, nil
}

// reader takes a row apart. Once something is missing all that follows is nothing.
type reader struct {
	rest []byte
	torn bool
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) length() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) bytes() []byte {
	n := r.length()
	if r.torn || n > uint64(len(r.rest)) {
		r.torn = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.torn = true
		return
	}
	r.rest = r.rest[n:]
}
