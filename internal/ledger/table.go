package ledger

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Table is a table that batches write set by set, and whose rows they find by key. Nouns
// above the ledger declare theirs as package variables and reach them through State.Row
// and State.Put.
type Table struct {
	name string
	cols []Column
	key  int  // how many of the first columns are the key
	lock bool // what is loaded stays locked: others change it too

	insert *db.Stmt // a row with the key there already is an error: the batch is run again
	update *db.Stmt
	load   *db.Stmt
}

// Column is one column of a Table. There are no nulls: 0 and "" mean nothing.
type Column struct {
	Name string
	Type ColumnType
}

// ColumnType is how a column's values travel.
type ColumnType int

// The types, with the Go type of their values.
const (
	Int   ColumnType = iota // int64
	Text                    // string
	Bytes                   // []byte
)

// DefineTable declares a table by its columns, as "shard int, member_id int, body text";
// the first key ones are the key. It defines the statements that write and load its rows.
func DefineTable(name string, key int, columns string) *Table {
	return defineTable(name, key, columns, "")
}

// DefineSharedTable is DefineTable for rows that others change too, in transactions of their
// own: what a batch loads stays locked until its end. Members are locked before, and rows
// in the order of their keys; who changes such a row elsewhere locks no member after it.
// (On SQLite nobody writes beside a batch.)
func DefineSharedTable(name string, key int, columns string) *Table {
	var order []string
	for part := range strings.SplitSeq(columns, ",") {
		if len(order) < key {
			order = append(order, "t."+strings.Fields(part)[0])
		}
	}
	t := defineTable(name, key, columns, " ORDER BY "+strings.Join(order, ", ")+" FOR UPDATE OF t")
	t.lock = true
	return t
}

func defineTable(name string, key int, columns, lock string) *Table {
	t := &Table{name: name, key: key}
	types := map[string]ColumnType{"int": Int, "text": Text, "bytes": Bytes}
	for part := range strings.SplitSeq(columns, ",") {
		f := strings.Fields(part)
		t.cols = append(t.cols, Column{f[0], types[f[1]]})
	}
	t.insert = db.Define(name+".insertRow", t.insertSQLite()).OnPostgres(t.insertPostgres())
	if key > 0 && len(t.cols) > key {
		t.update = db.Define(name+".updateRow", t.updateSQLite()).OnPostgres(t.updatePostgres())
	}
	if key > 0 {
		t.load = db.Define(name+".loadRow", t.loadSQLite()).OnPostgres(t.loadPostgres() + lock)
	}
	return t
}

func (t *Table) names() string {
	n := make([]string, len(t.cols))
	for i, c := range t.cols {
		n[i] = c.Name
	}
	return strings.Join(n, ", ")
}

// each joins what f makes of the columns from one on.
func (t *Table) each(from, to int, sep string, f func(i int, c Column) string) string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, f(i, t.cols[i]))
	}
	return strings.Join(out, sep)
}

func (t *Table) insertSQLite() string {
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", t.name, t.names(),
		t.each(0, len(t.cols), ", ", func(i int, _ Column) string { return fmt.Sprintf("$%d", i+1) }))
}

func (t *Table) updateSQLite() string {
	set := func(i int, c Column) string { return fmt.Sprintf("%s = $%d", c.Name, i+1) }
	return fmt.Sprintf("UPDATE %s SET %s WHERE %s", t.name, t.each(t.key, len(t.cols), ", ", set), t.each(0, t.key, " AND ", set))
}

// set is the rows that PostgreSQL is handed as one array per column, of the first n columns:
// the expressions for its columns, and what they are selected from. Integers are taken from
// their arrays by subscript, which costs half of what unnest does, as that stores each
// array once more; texts and bytes are not all of one length, so a subscript would count
// its way to them.
func (t *Table) set(n int) (columns, from string) {
	var listed, names []string
	column := func(i int, c Column) string {
		array := fmt.Sprintf("$%d::%s[]", i+1, map[ColumnType]string{Int: "bigint", Text: "text", Bytes: "bytea"}[c.Type])
		if c.Type == Int {
			return "(" + array + ")[n.i]"
		}
		listed, names = append(listed, array), append(names, c.Name)
		return "n." + c.Name
	}
	columns = t.each(0, n, ", ", column)
	if len(listed) == 0 {
		return columns, "generate_series(1, cardinality($1::bigint[])) AS n (i)"
	}
	return columns, fmt.Sprintf("unnest(%s) WITH ORDINALITY AS n (%s, i)", strings.Join(listed, ", "), strings.Join(names, ", "))
}

func (t *Table) insertPostgres() string {
	columns, from := t.set(len(t.cols))
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", t.name, t.names(), columns, from)
}

func (t *Table) updatePostgres() string {
	columns, from := t.set(len(t.cols))
	expr := strings.Split(columns, ", ")
	return fmt.Sprintf("UPDATE %s AS t SET %s FROM %s WHERE %s", t.name,
		t.each(t.key, len(t.cols), ", ", func(i int, c Column) string { return c.Name + " = " + expr[i] }), from,
		t.each(0, t.key, " AND ", func(i int, c Column) string { return "t." + c.Name + " = " + expr[i] }))
}

func (t *Table) loadSQLite() string {
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s", t.names(), t.name,
		t.each(0, t.key, " AND ", func(i int, c Column) string { return fmt.Sprintf("%s = $%d", c.Name, i+1) }))
}

func (t *Table) loadPostgres() string {
	columns, from := t.set(t.key)
	expr := strings.Split(columns, ", ")
	return fmt.Sprintf("SELECT %s FROM %s JOIN %s AS t ON %s",
		t.each(0, len(t.cols), ", ", func(_ int, c Column) string { return "t." + c.Name }), from, t.name,
		t.each(0, t.key, " AND ", func(i int, c Column) string { return "t." + c.Name + " = " + expr[i] }))
}

// check panics on a value whose type is not its column's: here it is one command's fault,
// at writing it would be the whole batch's.
func (t *Table) check(values []any) {
	for i, c := range t.cols {
		ok := false
		switch c.Type {
		case Int:
			_, ok = values[i].(int64)
		case Text:
			_, ok = values[i].(string)
		case Bytes:
			_, ok = values[i].([]byte)
		}
		if !ok {
			panic(fmt.Sprintf("ledger: %s.%s cannot be a %T", t.name, c.Name, values[i]))
		}
	}
}

// targets are fresh variables for one row of the table.
func (t *Table) targets() []any {
	out := make([]any, len(t.cols))
	for i, c := range t.cols {
		switch c.Type {
		case Int:
			out[i] = new(int64)
		case Text:
			out[i] = new(string)
		case Bytes:
			out[i] = new([]byte)
		}
	}
	return out
}

// values are what was scanned into targets.
func (t *Table) values(targets []any) []any {
	out := make([]any, len(targets))
	for i, v := range targets {
		switch p := v.(type) {
		case *int64:
			out[i] = *p
		case *string:
			out[i] = *p
		case *[]byte:
			out[i] = *p
		}
	}
	return out
}

// RowKey names one row of a table.
type RowKey struct {
	Table *Table
	Key   []any
}

type rowID struct {
	table *Table
	key   string
}

func (t *Table) id(key []any) rowID {
	if len(key) < t.key {
		panic("ledger: short key for table " + t.name)
	}
	b := make([]byte, 0, 32)
	for i := range t.key {
		switch v := key[i].(type) {
		case int64:
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case string:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		default:
			panic(fmt.Sprintf("ledger: a key of table %s is a %T", t.name, v))
		}
	}
	return rowID{t, string(b)}
}

// row is one row of a table in a State. values is nil where it is known not to be there.
type row struct {
	table   *Table
	values  []any
	existed bool // in the database, before this batch
	assumed bool // not to be in the database, without a look
	queued  bool // in State.changed
}

// unseen reports whether nobody has looked for the row or put it.
func (r *row) unseen() bool { return r == nil || r.assumed && r.values == nil }

// assume takes rows for absent that the state does not have.
func (s *State) assume(fresh []RowKey) {
	for _, k := range fresh {
		if i := k.Table.id(k.Key); s.rows[i] == nil {
			s.rows[i] = &row{table: k.Table, assumed: true}
		}
	}
}

// unseen returns those of some rows that were only assumed to be absent.
func (s *State) unseen(rows []RowKey) (out []RowKey) {
	for _, k := range rows {
		if s.rows[k.Table.id(k.Key)].unseen() {
			out = append(out, k)
		}
	}
	return out
}

// Row returns a row by key, or nil where there is none, or none is assumed to be. It must
// have been named in Needs or put by this batch.
func (s *State) Row(t *Table, key ...any) []any {
	r := s.rows[t.id(key)]
	if r == nil {
		panic("ledger: a row of " + t.name + " was not asked for")
	}
	return r.values
}

// Has reports whether a row was loaded or put, be it there or not.
func (s *State) Has(t *Table, key ...any) bool { return s.rows[t.id(key)] != nil }

// Put writes a row, whole, in place of one with the same key. A row that was not loaded
// is taken for a new one.
func (s *State) Put(t *Table, values ...any) {
	if len(values) != len(t.cols) {
		panic(fmt.Sprintf("ledger: %d values for the %d columns of %s", len(values), len(t.cols), t.name))
	}
	t.check(values)
	k := t.id(values)
	r := s.rows[k]
	if r == nil {
		r = &row{table: t}
		s.rows[k] = r
		s.undo = append(s.undo, func() { delete(s.rows, k) }) // else it would pass for one that was looked for
	}
	was := *r
	s.undo = append(s.undo, func() { *r = was })
	r.values = values
	if !r.queued {
		r.queued = true
		s.changed = append(s.changed, r)
	}
}
