package db

import (
	"context"
	"database/sql"
	"fmt"
)

// session is a connection with its prepared statements. One goroutine uses it at a time.
type session struct {
	engine Engine
	conn   *sql.Conn
	// stmts are SQLite's, kept for the life of the connection: preparing costs more than
	// running. pgx keeps its own by the text.
	stmts map[*Stmt]*sql.Stmt
}

func (s *session) exec(ctx context.Context, stmt *Stmt, text string, args []any) (sql.Result, error) {
	if stmt != nil && s.engine == SQLite {
		p, err := s.prepared(ctx, stmt)
		if err != nil {
			return nil, err
		}
		return p.ExecContext(ctx, args...)
	}
	return s.conn.ExecContext(ctx, s.text(stmt, text), args...)
}

func (s *session) query(ctx context.Context, stmt *Stmt, text string, args []any) (*sql.Rows, error) {
	if stmt != nil && s.engine == SQLite {
		p, err := s.prepared(ctx, stmt)
		if err != nil {
			return nil, err
		}
		return p.QueryContext(ctx, args...)
	}
	return s.conn.QueryContext(ctx, s.text(stmt, text), args...)
}

// text is what to send: that of the statement, or the text given, for this engine.
func (s *session) text(stmt *Stmt, text string) string {
	if stmt != nil {
		text = stmt.Text(s.engine)
	}
	if text == "" {
		panic(fmt.Sprintf("db: statement %q is not for %s", stmt.Name(), s.engine))
	}
	if s.engine == SQLite {
		return numbered(text)
	}
	return text
}

func (s *session) prepared(ctx context.Context, stmt *Stmt) (*sql.Stmt, error) {
	if p := s.stmts[stmt]; p != nil {
		return p, nil
	}
	p, err := s.conn.PrepareContext(ctx, s.text(stmt, ""))
	if err != nil {
		return nil, err
	}
	s.stmts[stmt] = p
	return p, nil
}
