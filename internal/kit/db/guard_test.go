package db

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"
)

// A connection with one setting weakened is refused, and the refusal names the setting.
func TestGuardSQLite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, pragma, want string }{
		{"good", "cache_size(-100)", ""},
		{"full is not normal", "synchronous(1)", "synchronous"},
		{"off", "synchronous(0)", "synchronous"},
		{"no foreign keys", "foreign_keys(0)", "foreign_keys"},
		{"rollback journal", "journal_mode(delete)", "journal_mode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool, err := sql.Open("sqlite", source(filepath.Join(t.TempDir(), "x.db"), 100, "journal_mode(wal)"))
			if err != nil {
				t.Fatal(err)
			}
			defer pool.Close()
			conn, err := pool.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			name, value, _ := strings.Cut(strings.TrimSuffix(tt.pragma, ")"), "(")
			if _, err := conn.ExecContext(t.Context(), "PRAGMA "+name+" = "+value); err != nil {
				t.Fatal(err)
			}
			err = guardSQLite(t.Context(), conn)
			if tt.want == "" && err != nil {
				t.Errorf("guard = %v", err)
			}
			if tt.want != "" && (!errors.Is(err, ErrWeak) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("guard = %v, want %v of %s", err, ErrWeak.Code, tt.want)
			}
		})
	}
}

func TestOlder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		version string
		want    bool
	}{
		{"3.51.3", false}, {"3.51.2", true}, {"3.51.10", false}, {"3.60.0", false}, {"3.9.9", true}, {"4.0.0", false}, {"3.51", true},
	} {
		if got := older(tt.version, "3.51.3"); got != tt.want {
			t.Errorf("older(%s) = %v", tt.version, got)
		}
	}
}

func TestConstraintNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"constraint failed: UNIQUE constraint failed: member.phone (2067)", "member.phone"},
		{"constraint failed: UNIQUE constraint failed: lot.shard, lot.member_id, lot.seq (1555)", "lot.shard,member_id,seq"},
		{"constraint failed: UNIQUE constraint failed: index 'staff_by_mail' (2067)", "staff_by_mail"},
		{"something else", ""},
	} {
		if got := liteKey(tt.in); got != tt.want {
			t.Errorf("liteKey(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	for _, tt := range []struct{ detail, want string }{
		{"Key (phone)=(+86 1) already exists.", "member.phone"},
		{"Schlüssel »(shard, seq)=(1, (2))« existiert bereits.", "member.shard,seq"},
		{"Key (lower(mail))=(x) already exists.", "member_key"},
		{"", "member_key"},
	} {
		err := &pgconn.PgError{TableName: "member", ConstraintName: "member_key", Detail: tt.detail}
		if got := postgresKey(err); got != tt.want {
			t.Errorf("postgresKey(%q) = %q, want %q", tt.detail, got, tt.want)
		}
	}
}

// What the server says decides whether to try again, to stop, or to tell the programmer.
func TestFromPostgres(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]error{
		"23505": ErrUnique, "23503": ErrForeign,
		"53100": ErrStorage, "58030": ErrStorage, "XX001": ErrStorage,
		"40001": ErrBusy, "40P01": ErrBusy, "53300": ErrBusy, "57P01": ErrBusy, "08006": ErrBusy, "25006": ErrBusy,
	} {
		if got := fromPostgres(&pgconn.PgError{Code: code}); !errors.Is(got, want) {
			t.Errorf("%s is %v, want %v", code, got, want)
		}
	}
	for _, code := range []string{"42601", "57014", "23502", "22003"} {
		got := fromPostgres(&pgconn.PgError{Code: code})
		var plain *pgconn.PgError
		if got != error(plain) && !errors.As(got, &plain) || errors.Is(got, ErrBusy) || errors.Is(got, ErrStorage) {
			t.Errorf("%s became %v", code, got)
		}
	}
}

func TestMigrationFiles(t *testing.T) {
	t.Parallel()
	from := func(names ...string) fstest.MapFS {
		files := fstest.MapFS{}
		for _, n := range names {
			files["migrations/"+n] = &fstest.MapFile{Data: []byte("SELECT 1 -- {{bytes}}")}
		}
		return files
	}
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		count int // 0 for an error
	}{
		{"in order", from("0001_a.sql", "0002_b.sql"), 2},
		{"a pair", from("0001_a.sqlite.sql", "0001_a.postgres.sql"), 1},
		{"twice", from("0001_a.sql", "0001_b.sql"), 0},
		{"a pair and both", from("0001_a.sql", "0001_a.postgres.sql", "0001_a.sqlite.sql"), 0},
		{"no number", from("a.sql"), 0},
		{"unknown engine", from("0001_a.mysql.sql"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, e := range []Engine{SQLite, Postgres} {
				list, err := migrationsFor(e, tt.files)
				if len(list) != tt.count || (err == nil) != (tt.count > 0) {
					t.Errorf("%s: %d migrations, error %v, want %d", e, len(list), err, tt.count)
				}
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	list := []migration{{version: 1}, {version: 2}, {version: 4}}
	for _, tt := range []struct {
		name    string
		applied []int
		want    int // -1 for ErrNewer
	}{
		{"new", nil, 3}, {"all there", []int{1, 2, 4}, 0}, {"one behind", []int{1, 2}, 1},
		{"a gap", []int{1, 4}, 1}, {"newer", []int{1, 2, 4, 5}, -1},
	} {
		got, err := missing(list, tt.applied)
		if tt.want < 0 && !errors.Is(err, ErrNewer) || tt.want >= 0 && (err != nil || len(got) != tt.want) {
			t.Errorf("%s: %d missing, error %v, want %d", tt.name, len(got), err, tt.want)
		}
	}
}
