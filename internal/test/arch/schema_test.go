package arch

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/test/dbtest"
)

// Migrate prepares every statement that the imported packages have declared.
func TestStatements(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Migrate(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for _, s := range db.Statements() {
		if s.Text(db.SQLite) == "" && s.Text(db.Postgres) == "" {
			t.Errorf("statement %s has no text", s.Name())
		}
	}
}

// Every number is used by one migration, or by a pair of one name for the two engines.
func TestMigrationNumbers(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(root, "internal/kit/db/migrations/*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	form := regexp.MustCompile(`^(\d{4})_([a-z_]+)(\.sqlite|\.postgres)?\.sql$`)
	used := map[string][]string{} // by number
	for _, name := range names {
		part := form.FindStringSubmatch(filepath.Base(name))
		if part == nil {
			t.Errorf("%s is not named NNNN_noun.sql", filepath.Base(name))
			continue
		}
		used[part[1]] = append(used[part[1]], part[2]+part[3])
	}
	for number, of := range used {
		name, _, _ := strings.Cut(of[0], ".")
		slices.Sort(of)
		if !slices.Equal(of, []string{name}) && !slices.Equal(of, []string{name + ".postgres", name + ".sqlite"}) {
			t.Errorf("migration %s is used by %v", number, of)
		}
	}
}

// column is what must be the same on both engines.
type column struct {
	kind    string // bigint, integer, smallint, text, bytes
	notNull bool
	key     int // place in the primary key, from 1; 0 outside of it
}

// The queries answer table, column, type, not null, place in the key.
const (
	liteColumns = `
		SELECT m.name, c.name,
			-- An identity is INTEGER on SQLite, where that word holds 64 bits as well.
			CASE WHEN m.sql LIKE '%AUTOINCREMENT%' AND c.pk = 1 THEN 'BIGINT' ELSE c.type END,
			c."notnull" OR c.pk > 0, c.pk
		FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
		ORDER BY m.name, c.cid`
	postgresColumns = `
		SELECT t.relname, a.attname,
			format_type(a.atttypid, a.atttypmod)
				|| CASE WHEN a.attcollation = 0 OR l.collname = 'C' THEN '' ELSE ' not in C' END,
			CASE WHEN a.attnotnull THEN 1 ELSE 0 END,
			COALESCE(array_position(k.conkey, a.attnum), 0)
		FROM pg_class AS t
		JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_collation AS l ON l.oid = a.attcollation
		LEFT JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype = 'p'
		WHERE t.relnamespace = CAST(current_schema() AS regnamespace) AND t.relkind IN ('r', 'p')
		ORDER BY t.relname, a.attnum`
	liteIndexes = `
		SELECT i.name, i."unique"
		FROM sqlite_schema AS m, pragma_index_list(m.name) AS i
		WHERE m.type = 'table' AND i.origin = 'c'
		ORDER BY i.name`
	postgresIndexes = `
		SELECT x.relname, CASE WHEN i.indisunique THEN 1 ELSE 0 END
		FROM pg_index AS i
		JOIN pg_class AS x ON x.oid = i.indexrelid
		JOIN pg_class AS t ON t.oid = i.indrelid
		WHERE t.relnamespace = CAST(current_schema() AS regnamespace)
			AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
		ORDER BY x.relname`
)

// Both engines have the same tables with the same columns, in types that hold the same,
// the same primary keys, and the same indexes by name.
func TestSchemaParity(t *testing.T) {
	t.Parallel()
	lite, pg := dbtest.Open(t, db.SQLite), dbtest.Open(t, db.Postgres)
	compare(t, "column", columns(t, lite, liteColumns), columns(t, pg, postgresColumns))
	compare(t, "index", indexes(t, lite, liteIndexes), indexes(t, pg, postgresIndexes))
}

func compare[V comparable](t *testing.T, what string, lite, pg map[string]V) {
	t.Helper()
	if len(lite) == 0 {
		t.Fatalf("no %s was found", what)
	}
	all := maps.Clone(lite)
	maps.Copy(all, pg)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		l, onLite := lite[name]
		p, onPostgres := pg[name]
		switch {
		case !onLite:
			t.Errorf("%s %s is missing on SQLite", what, name)
		case !onPostgres:
			t.Errorf("%s %s is missing on PostgreSQL", what, name)
		case l != p:
			t.Errorf("%s %s is %+v on SQLite and %+v on PostgreSQL", what, name, l, p)
		}
	}
}

func columns(t *testing.T, d *db.DB, text string) map[string]column {
	t.Helper()
	out := map[string]column{}
	each(t, d, text, func(rows *db.Rows) error {
		var table, name string
		var c column
		err := rows.Scan(&table, &name, &c.kind, &c.notNull, &c.key)
		c.kind = strings.ToLower(c.kind)
		c.kind = cmp.Or(map[string]string{"blob": "bytes", "bytea": "bytes"}[c.kind], c.kind)
		out[table+"."+name] = c
		return err
	})
	return out
}

func indexes(t *testing.T, d *db.DB, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	each(t, d, text, func(rows *db.Rows) error {
		var name string
		var unique bool
		err := rows.Scan(&name, &unique)
		out[name] = fmt.Sprintf("unique %v", unique)
		return err
	})
	return out
}

func each(t *testing.T, d *db.DB, text string, row func(*db.Rows) error) {
	t.Helper()
	err := d.Read(t.Context(), func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.QueryText(ctx, text)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
