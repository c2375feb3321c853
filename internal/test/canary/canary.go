// Package canary looks for texts where they must not lie: in files, in logs, in every column
// of a database, in all the forms in which a value hides.
//
// Life: a test plants values that occur nowhere else, lets the program work, and then asks
// where they are.
//
// Law: a text that is found in any form is found; texts of fewer than nine bytes are not
// looked for in base64, where so little may occur by chance.
package canary

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// form is one way in which a text may be written.
type form struct {
	name string
	text []byte
}

// forms lists the ways: as it is, in UTF-16 of both byte orders, in hexadecimal of both
// cases, percent-encoded, escaped as in JSON, and in base64 from any place of three.
func forms(text string) []form {
	var little, big, escaped []byte
	for _, u := range utf16.Encode([]rune(text)) {
		little = append(little, byte(u), byte(u>>8))
		big = append(big, byte(u>>8), byte(u))
		escaped = fmt.Appendf(escaped, `\u%04x`, u)
	}
	list := []form{
		{"plain text", []byte(text)}, {"UTF-16LE", little}, {"UTF-16BE", big}, {"JSON escapes", escaped},
		{"hexadecimal", []byte(hex.EncodeToString([]byte(text)))}, {"hexadecimal", fmt.Appendf(nil, "%X", text)},
		{"URL encoding", []byte(url.QueryEscape(text))}, {"URL encoding", []byte(url.PathEscape(text))},
	}
	if len(text) < 9 {
		return list
	}
	for skip := range 3 {
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			inner := alphabet.EncodeToString(append(make([]byte, skip), text...))
			list = append(list, form{"base64", []byte(inner[4 : len(inner)-4])})
		}
	}
	return list
}

// Find returns the form in which a text lies in bytes, or "".
func Find(in []byte, text string) string {
	for _, f := range forms(text) {
		if bytes.Contains(in, f.text) {
			return f.name
		}
	}
	return ""
}

// None fails the test for every text that lies in bytes.
func None(t testing.TB, place string, in []byte, texts []string) {
	t.Helper()
	for _, text := range texts {
		if how := Find(in, text); how != "" {
			t.Errorf("%s: %q lies there as %s", place, text, how)
		}
	}
}

// All fails the test for every text that does not lie in bytes as it is.
func All(t testing.TB, place string, in []byte, texts []string) {
	t.Helper()
	for _, text := range texts {
		if !bytes.Contains(in, []byte(text)) {
			t.Errorf("%s: %q is missing", place, text)
		}
	}
}

// NoneInDir is None for every file under a directory: a data directory, backups, exports.
func NoneInDir(t testing.TB, dir string, texts []string) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		in, err := os.ReadFile(name)
		seen++
		None(t, name, in, texts)
		return err
	})
	if err != nil || seen == 0 {
		t.Errorf("search %s: %d files, %v", dir, seen, err)
	}
}

// Of every table, all columns as text: bytes come as hexadecimal.
const (
	liteTables     = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	postgresTables = `SELECT relname FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ('r', 'p') ORDER BY relname`
	liteColumns    = `SELECT name FROM pragma_table_info('%s') ORDER BY cid`
	postgresCols   = `SELECT attname FROM pg_attribute WHERE attrelid = CAST('%s' AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
)

// NoneInDatabase is None for every column of every row, as SQL shows them. Of SQLite the
// files say more: search them too.
func NoneInDatabase(t testing.TB, d *db.DB, texts []string) {
	t.Helper()
	tables, columns := liteTables, liteColumns
	if d.Engine() == db.Postgres {
		tables, columns = postgresTables, postgresCols
	}
	list := column(t, d, tables)
	if len(list) < 10 {
		t.Fatalf("only %d tables", len(list))
	}
	for _, table := range list {
		for _, name := range column(t, d, fmt.Sprintf(columns, table)) {
			query := fmt.Sprintf(`SELECT CAST(%s AS TEXT) FROM %s WHERE %s IS NOT NULL`, name, table, name)
			if d.Engine() == db.SQLite {
				query = fmt.Sprintf(`SELECT CASE typeof(%s) WHEN 'blob' THEN lower(hex(%s)) ELSE CAST(%s AS TEXT) END FROM %s WHERE %s IS NOT NULL`, name, name, name, table, name)
			}
			for _, value := range slices.Compact(column(t, d, query)) {
				None(t, table+"."+name, []byte(value), texts)
			}
		}
	}
}

// column reads the one column of a query.
func column(t testing.TB, d *db.DB, query string) (list []string) {
	t.Helper()
	err := d.Read(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *db.Tx) error {
		list = nil
		rows, err := tx.QueryText(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var value string
			if err := rows.Scan(&value); err != nil {
				return err
			}
			list = append(list, value)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return list
}
