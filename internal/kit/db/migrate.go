package db

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migration is one step of the schema, as text for one engine.
type migration struct {
	version int
	name    string // file name without number and ending
	text    string
}

// Migrate brings the schema up to date, each step in a transaction of its own, under a
// lock, so that of several nodes that start at once one migrates and the others find it
// done. A database that a newer program has written is refused with ErrNewer. Then every
// defined statement is prepared: an error names the statement.
func (d *DB) Migrate(ctx context.Context) error {
	list, err := migrationsFor(d.Engine(), migrations)
	if err != nil {
		return err
	}
	if err := d.store.migrate(ctx, list); err != nil {
		return fmt.Errorf("migrate: %w", d.translate(err))
	}
	if err := d.store.prepare(ctx, Statements()); err != nil {
		return fmt.Errorf("prepare statements: %w", d.translate(err))
	}
	return nil
}

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+?)(?:\.(sqlite|postgres))?\.sql$`)

// migrationsFor reads the steps for an engine, in order. A number that is used twice, or a
// file whose name says nothing, is an error.
func migrationsFor(e Engine, from fs.FS) ([]migration, error) {
	files, err := fs.Glob(from, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, path := range files {
		part := fileName.FindStringSubmatch(strings.TrimPrefix(path, "migrations/"))
		if part == nil {
			return nil, fmt.Errorf("migration %s: the name is not NNNN_noun.sql", path)
		}
		if part[3] == "sqlite" && e != SQLite || part[3] == "postgres" && e != Postgres {
			continue
		}
		text, err := fs.ReadFile(from, path)
		if err != nil {
			return nil, err
		}
		version, _ := strconv.Atoi(part[1]) // four digits
		list = append(list, migration{version, part[2], fill(e, string(text))})
	}
	slices.SortFunc(list, func(a, b migration) int { return a.version - b.version })
	for i := 1; i < len(list); i++ {
		if list[i].version == list[i-1].version {
			return nil, fmt.Errorf("migration %04d is there twice: %s and %s", list[i].version, list[i-1].name, list[i].name)
		}
	}
	return list, nil
}

// fill puts in what the engines spell differently.
func fill(e Engine, text string) string {
	if e == Postgres {
		return strings.NewReplacer(
			"{{bytes}}", "BYTEA",
			"{{text}}", `TEXT COLLATE "C"`,
			"{{identity}}", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			" {{clustered}}", "", "{{clustered}}", "",
		).Replace(text)
	}
	return strings.NewReplacer(
		"{{bytes}}", "BLOB",
		"{{text}}", "TEXT",
		"{{identity}}", "INTEGER PRIMARY KEY AUTOINCREMENT",
		"{{clustered}}", "WITHOUT ROWID",
	).Replace(text)
}

// What the migrator itself needs; run as text, since the table is not there yet when
// statements are prepared.
const (
	versionTable = `
		CREATE TABLE IF NOT EXISTS schema_version (
			version BIGINT NOT NULL PRIMARY KEY,
			name {{text}} NOT NULL,
			applied_ms BIGINT NOT NULL
		)`
	versionList = `SELECT version FROM schema_version ORDER BY version`
	versionAdd  = `INSERT INTO schema_version (version, name, applied_ms) VALUES ($1, $2, $3)`
)

// missing returns the steps of list that a database with these versions has not had. A
// lower number that came later is applied too: branches of work merge in any order.
func missing(list []migration, applied []int) ([]migration, error) {
	known := 0
	if len(list) > 0 {
		known = list[len(list)-1].version
	}
	if len(applied) > 0 && slices.Max(applied) > known {
		return nil, ErrNewer.With("found", slices.Max(applied), "known", known)
	}
	var out []migration
	for _, m := range list {
		if !slices.Contains(applied, m.version) {
			out = append(out, m)
		}
	}
	return out, nil
}

// Fingerprint changes whenever a migration does. Tests keep migrated databases by it.
func Fingerprint() string {
	h := sha256.New()
	files, _ := fs.Glob(migrations, "migrations/*.sql") // embedded: cannot fail
	for _, path := range files {
		text, _ := migrations.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
