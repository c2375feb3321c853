package insight

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// shape is how a table of sums is written.
type shape struct {
	name string
	keys []string
	sums []string
	text int // which key is a text, -1 for none
	args func(cell) []any
	put  *db.Stmt
}

// shapes stand in the order of table.
var shapes = [tables]*shape{
	daySale: {
		name: "day_sale", keys: []string{"store_id", "currency", "day"}, text: 1,
		sums: []string{"sales", "total", "returns", "returned", "member_sales", "member_total", "member_returns", "member_returned"},
		args: func(c cell) []any { return []any{c.store, c.unit, c.day} },
	},
	dayPoint: {
		name: "day_point", keys: []string{"store_id", "currency_id", "day"}, text: -1,
		sums: []string{"issued", "opened", "redeemed", "restored", "expired", "clawed", "adjusted", "fees", "net"},
		args: func(c cell) []any { return []any{c.store, c.point, c.day} },
	},
	dayMember: {
		name: "day_member", keys: []string{"store_id", "day"}, text: -1, sums: []string{"joined"},
		args: func(c cell) []any { return []any{c.store, c.day} },
	},
}

var activeShape = &shape{
	name: "day_active", keys: []string{"scope", "scope_id", "day"}, text: -1, sums: []string{"members", "first_members"},
}

func init() {
	for _, s := range append(shapes[:], activeShape) {
		s.put = s.define()
	}
}

// define declares the statement that adds a list of rows, given as JSON arrays, to those
// that are there: one statement for a batch, since on PostgreSQL the round trip is most of
// the cost. The engines read JSON in words of their own.
func (s *shape) define() *db.Stmt {
	cols := slices.Concat(s.keys, s.sums)
	var lite, pg, set []string
	for i := range cols {
		lite = append(lite, fmt.Sprintf("json_extract(value, '$[%d]')", i))
		cast := "::BIGINT"
		if i == s.text {
			cast = ""
		}
		pg = append(pg, fmt.Sprintf("(value->>%d)%s", i, cast))
	}
	for _, c := range s.sums {
		set = append(set, fmt.Sprintf("%s = %s.%s + excluded.%s", c, s.name, c, c))
	}
	text := func(values []string, from string) string {
		return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s ON CONFLICT (%s) DO UPDATE SET %s",
			s.name, strings.Join(cols, ", "), strings.Join(values, ", "), from, strings.Join(s.keys, ", "), strings.Join(set, ", "))
	}
	return db.Define("insight.put."+s.name, text(lite, "json_each($1) WHERE TRUE")).
		OnPostgres(text(pg, "json_array_elements($1::JSON)"))
}

// writeMost bounds the rows of one statement, so that a slice of background work stays one.
const writeMost = 500

// write adds rows to a table.
func (s *shape) write(ctx context.Context, tx *db.Tx, rows [][]any) error {
	for part := range slices.Chunk(rows, writeMost) {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, s.put, string(text)); err != nil {
			return fmt.Errorf("add to %s: %w", s.name, err)
		}
	}
	return nil
}

// cells lists the cells of sums that are not all nothing, in one order for all writers, so
// that two of them wait for each other and never in a ring.
func cells(sums map[cell]*row) []cell {
	return slices.SortedFunc(func(yield func(cell) bool) {
		for c, r := range sums {
			if *r != (row{}) && !yield(c) {
				return
			}
		}
	}, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.store, b.store), cmp.Compare(a.unit, b.unit), cmp.Compare(a.point, b.point), cmp.Compare(a.day, b.day))
	})
}

// addSums adds sums to their tables.
func addSums(ctx context.Context, tx *db.Tx, sums map[cell]*row) error {
	var rows [tables][][]any
	for _, c := range cells(sums) {
		s := shapes[c.table]
		args := s.args(c)
		for _, n := range sums[c][:len(s.sums)] {
			args = append(args, n)
		}
		rows[c.table] = append(rows[c.table], args)
	}
	for i, list := range rows {
		if err := shapes[i].write(ctx, tx, list); err != nil {
			return err
		}
	}
	return nil
}

// monthKey is a member in a month.
type monthKey struct {
	member int64
	month  int64
}

// monthDays is on which days of a month, by store.
type monthDays map[int64]int64

var (
	activeOfSQL = db.Define("insight.activeOf", `
	SELECT a.member_id, a.month, a.store_id, a.days
	FROM json_each($1) AS k
	JOIN active_month AS a ON a.shard = json_extract(k.value, '$[0]')
		AND a.member_id = json_extract(k.value, '$[1]') AND a.month = json_extract(k.value, '$[2]')`).
		OnPostgres(`
	SELECT a.member_id, a.month, a.store_id, a.days
	FROM json_array_elements($1::JSON) AS k (value)
	JOIN active_month AS a ON a.shard = (k.value->>0)::SMALLINT
		AND a.member_id = (k.value->>1)::BIGINT AND a.month = (k.value->>2)::INTEGER`)
	putActiveSQL = db.Define("insight.putActive", `
	INSERT INTO active_month (shard, member_id, month, store_id, days)
	SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]')
	FROM json_each($1)
	WHERE TRUE
	ON CONFLICT (shard, member_id, month, store_id) DO UPDATE SET days = excluded.days`).
		OnPostgres(`
	INSERT INTO active_month (shard, member_id, month, store_id, days)
	SELECT (value->>0)::SMALLINT, (value->>1)::BIGINT, (value->>2)::INTEGER, (value->>3)::BIGINT, (value->>4)::BIGINT
	FROM json_array_elements($1::JSON)
	ON CONFLICT (shard, member_id, month, store_id) DO UPDATE SET days = excluded.days`)
	dropActiveSQL = db.Define("insight.dropActive", `
	DELETE FROM active_month
	WHERE shard = $1 AND member_id = $2 AND month = $3 AND store_id = $4`)
)

func (k monthKey) compare(o monthKey) int {
	return cmp.Or(cmp.Compare(k.member, o.member), cmp.Compare(k.month, o.month))
}

// readActive reads what is there of members in months.
func readActive(ctx context.Context, tx *db.Tx, keys []monthKey) (map[monthKey]monthDays, error) {
	list := make([][]any, len(keys))
	for i, k := range keys {
		list[i] = []any{id.Shard(k.member), k.member, k.month}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	out := make(map[monthKey]monthDays, len(keys))
	err = db.ReadRows(func(rows *db.Rows) error {
		var k monthKey
		var store, days int64
		if err := rows.Scan(&k.member, &k.month, &store, &days); err != nil {
			return err
		}
		if out[k] == nil {
			out[k] = monthDays{}
		}
		out[k][store] = days
		return nil
	})(tx.Query(ctx, activeOfSQL, string(text)))
	return out, err
}

// addVisits adds visits to the months of members, and counts those that are new.
func addVisits(ctx context.Context, tx *db.Tx, snap *program.Snapshot, visits map[visit]struct{}) error {
	if len(visits) == 0 {
		return nil
	}
	fresh := map[monthKey]monthDays{}
	for v := range visits {
		month, bit := monthOf(v.day)
		k := monthKey{v.member, month}
		if fresh[k] == nil {
			fresh[k] = monthDays{}
		}
		fresh[k][v.store] |= bit
	}
	keys := slices.SortedFunc(maps.Keys(fresh), monthKey.compare)
	known, err := readActive(ctx, tx, keys)
	if err != nil {
		return err
	}
	counts := newCounts(snap)
	var rows [][]any
	for _, k := range keys {
		before, after := known[k], maps.Clone(known[k])
		if after == nil {
			after = monthDays{}
		}
		for _, store := range slices.Sorted(maps.Keys(fresh[k])) {
			if days := after[store] | fresh[k][store]; days != after[store] {
				after[store] = days
				rows = append(rows, []any{id.Shard(k.member), k.member, k.month, store, days})
			}
		}
		counts.add(k.month, before, -1)
		counts.add(k.month, after, 1)
	}
	if err := putActive(ctx, tx, rows); err != nil {
		return err
	}
	return activeShape.write(ctx, tx, counts.rows())
}

func putActive(ctx context.Context, tx *db.Tx, rows [][]any) error {
	for part := range slices.Chunk(rows, writeMost) {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, putActiveSQL, string(text)); err != nil {
			return fmt.Errorf("write active members: %w", err)
		}
	}
	return nil
}
