package db

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Stmt is a statement with a name, declared once as a package variable beside the
// function that runs it.
type Stmt struct {
	name   string
	sqlite string // as written, placeholders $1, $2, …; empty where it runs on the other engine only
	pg     string
}

// registry holds every statement of the program. It is written by package initialisation
// only and read afterwards.
var registry struct {
	sync.Mutex
	list   []*Stmt
	byName map[string]*Stmt
}

// Define declares a statement for both engines. Placeholders are $1, $2, … and may repeat.
// The name, "noun.verb", is unique: a second one panics. A statement of one engine only
// has an empty text here and its text in OnPostgres or OnSQLite.
func Define(name, sql string) *Stmt {
	s := &Stmt{name: name, sqlite: strings.TrimSpace(sql), pg: strings.TrimSpace(sql)}
	registry.Lock()
	defer registry.Unlock()
	if registry.byName == nil {
		registry.byName = map[string]*Stmt{}
	}
	if registry.byName[name] != nil {
		panic(fmt.Sprintf("db: two statements are named %q", name))
	}
	registry.byName[name] = s
	registry.list = append(registry.list, s)
	return s
}

// OnPostgres gives the statement another text on PostgreSQL. It needs a reason, written
// beside it.
func (s *Stmt) OnPostgres(sql string) *Stmt {
	s.pg = strings.TrimSpace(sql)
	return s
}

// OnSQLite gives the statement another text on SQLite. It needs a reason, written beside it.
func (s *Stmt) OnSQLite(sql string) *Stmt {
	s.sqlite = strings.TrimSpace(sql)
	return s
}

// Name is the name that Define gave.
func (s *Stmt) Name() string { return s.name }

// Text is what runs on an engine, or empty where the statement is not for that engine.
func (s *Stmt) Text(e Engine) string {
	if e == Postgres {
		return s.pg
	}
	return s.sqlite
}

// Statements returns every statement that the packages of this program have defined.
func Statements() []*Stmt {
	registry.Lock()
	defer registry.Unlock()
	return append([]*Stmt(nil), registry.list...)
}

// numbered rewrites $n to ?n for SQLite, which would otherwise take $1 for a name and
// number it by its first appearance. Quotes and comments are left as they are.
//
// Where they stand in order, each once, they are plain question marks: SQLite keeps a list
// of those that are numbered, and the driver asks it for each one's name, so that binding
// the 900 values of a statement over many rows took longer than running it.
func numbered(sql string) string {
	var b strings.Builder
	ordered := true
	for i, n := 0, 0; i < len(sql); {
		if size := opaque(sql[i:]); size > 0 {
			i += size
			continue
		}
		if placeholder(sql, i) {
			n++
			digits := len(sql[i+1:]) - len(strings.TrimLeft(sql[i+1:], "0123456789"))
			ordered = ordered && sql[i+1:i+1+digits] == strconv.Itoa(n)
		}
		i++
	}
	for i := 0; i < len(sql); {
		if n := opaque(sql[i:]); n > 0 {
			b.WriteString(sql[i : i+n])
			i += n
			continue
		}
		if !placeholder(sql, i) {
			b.WriteByte(sql[i])
			i++
			continue
		}
		b.WriteByte('?')
		for i++; ordered && i < len(sql) && isDigit(sql[i]); i++ {
		}
	}
	return b.String()
}

// placeholder reports whether $1, $2, … begins at i.
func placeholder(sql string, i int) bool {
	return sql[i] == '$' && i+1 < len(sql) && isDigit(sql[i+1]) && !(i > 0 && isWord(sql[i-1]))
}

// opaque returns the length of the quoted text or comment that sql begins with, or 0.
// An unclosed one reaches to the end; the engine will complain about it.
func opaque(sql string) int {
	switch {
	case strings.HasPrefix(sql, "--"):
		return through(sql, 2, "\n")
	case strings.HasPrefix(sql, "/*"):
		return through(sql, 2, "*/")
	case sql[0] == '\'' || sql[0] == '"' || sql[0] == '`':
		// A doubled quote inside reads as two quoted texts in a row, to the same effect.
		return through(sql, 1, sql[:1])
	}
	return 0
}

// through returns the length of sql up to and with the first end that is at or after from.
func through(sql string, from int, end string) int {
	if i := strings.Index(sql[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(sql)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
