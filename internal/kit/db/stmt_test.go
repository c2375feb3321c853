package db

import "testing"

// Each row changes one thing of what stands around a placeholder.
func TestNumbered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"none", "SELECT 1", "SELECT 1"},
		{"one", "SELECT $1", "SELECT ?"},
		{"two digits", "SELECT $12,$1", "SELECT ?12,?1"},
		{"twice", "a=$1 OR b=$1", "a=?1 OR b=?1"},
		{"in order", "($1, $2)", "(?, ?)"},
		{"out of order", "($2, $1)", "(?2, ?1)"},
		{"a gap", "($1, $3)", "(?1, ?3)"},
		{"again at the end", "($1, $2) = $1", "(?1, ?2) = ?1"},
		{"in text", "SELECT '$1', $2", "SELECT '$1', ?2"},
		{"after a doubled quote", "SELECT 'it''s $1', $2", "SELECT 'it''s $1', ?2"},
		{"in a name", `SELECT "a$1", "$2", $3`, `SELECT "a$1", "$2", ?3`},
		{"in a line comment", "SELECT 1 -- $1\n, $2", "SELECT 1 -- $1\n, ?2"},
		{"in a block comment", "SELECT /* $1 ' */ $2", "SELECT /* $1 ' */ ?2"},
		{"quote in a comment", "-- it's\nSELECT $1", "-- it's\nSELECT ?"},
		{"unclosed", "SELECT '$1", "SELECT '$1"},
		{"at the end of a word", "SELECT a$1, $2", "SELECT a$1, ?2"},
		{"no number", "SELECT $x, $", "SELECT $x, $"},
		{"Chinese", "SELECT '会员$1', $1", "SELECT '会员$1', ?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := numbered(tt.in); got != tt.want {
				t.Errorf("numbered(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDefineTwice(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a second statement of one name was accepted")
		}
	}()
	Define("db.lease", "SELECT 1")
}

func TestStatementByEngine(t *testing.T) {
	t.Parallel()
	s := (&Stmt{name: "x", sqlite: "both", pg: "both"}).OnPostgres("pg")
	if s.Text(SQLite) != "both" || s.Text(Postgres) != "pg" {
		t.Errorf("texts are %q and %q", s.Text(SQLite), s.Text(Postgres))
	}
	if s.OnSQLite("lite"); s.Text(SQLite) != "lite" || s.Text(Postgres) != "pg" {
		t.Errorf("texts are %q and %q", s.Text(SQLite), s.Text(Postgres))
	}
}
