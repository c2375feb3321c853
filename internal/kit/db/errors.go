package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// The refusals that the engines' own errors are translated to.
var (
	ErrUnique  = errs.New(errs.Conflict, "db.unique", "There is one like this already.", "已存在相同的记录。")
	ErrForeign = errs.New(errs.Conflict, "db.foreign",
		"Something that this refers to is not there, or something else still refers to this.",
		"所引用的记录不存在，或仍被其他记录引用。")
	ErrBusy = errs.New(errs.Unavailable, "db.busy",
		"The database is busy or out of reach. Try again with the same key.", "数据库繁忙或无法连接，请使用相同的幂等键重试。")
	// ErrStorage means that the disk is full, failed, or holds nonsense. Whether the last
	// write is there is unknown.
	ErrStorage = errs.New(errs.Unavailable, "db.storage",
		"The storage failed; whether this was saved is not known. Try again with the same key.",
		"存储发生故障，无法确定是否已保存，请使用相同的幂等键重试。")
	ErrNewer = errs.New(errs.Conflict, "db.newer",
		"The database was written by a newer version of this program ({found}, this one knows {known}). Install that version or a later one.",
		"数据库由更新版本的程序写入（数据库版本 {found}，本程序支持到 {known}），请安装相同或更新的版本。")
	ErrLocked = errs.New(errs.Conflict, "db.locked",
		"Another server is running on {path}. Stop it first, or choose another data directory.",
		"另一个服务正在使用 {path}，请先停止它，或改用其他数据目录。")
	ErrWeak = errs.New(errs.Conflict, "db.weak",
		"The database would lose what it has confirmed: {name} is {found}, needed is {want}. Change the setting and start again.",
		"数据库设置会丢失已确认的数据：{name} 为 {found}，要求为 {want}。请修改设置后重新启动。")
	ErrRoom = errs.New(errs.Conflict, "db.room",
		"There is not enough room on the disk of {path}.", "{path} 所在磁盘空间不足。")
	ErrHeld = errs.New(errs.Conflict, "db.held",
		"The database is being restored. Try again when that has ended.", "数据库正在恢复中，请在恢复结束后重试。")
	ErrInUse = errs.New(errs.Conflict, "db.in_use",
		"A server or a tool has the database open. Stop it first.", "有服务或工具正在使用该数据库，请先停止它。")
	ErrGrant = errs.New(errs.Conflict, "db.grant",
		"The database user may not make a schema. Let it: GRANT CREATE ON DATABASE … TO …",
		"数据库用户无权创建模式（schema），请授权：GRANT CREATE ON DATABASE … TO …")
)

// Violation is a constraint that a write broke: ErrUnique or ErrForeign by errors.Is.
type Violation struct {
	kind       *errs.Error
	constraint string
}

// Constraint says what was broken, in the same words on both engines where they tell it:
// "member.phone" or "account.shard,member_id" for a key, the name of the index for one on
// an expression. For a foreign key SQLite tells nothing and it is empty.
func (v *Violation) Constraint() string { return v.constraint }

// Error is the text for the log.
func (v *Violation) Error() string {
	return fmt.Sprintf("%v (%s)", v.kind, v.constraint)
}

// Unwrap returns the refusal with its cause.
func (v *Violation) Unwrap() error { return v.kind }

// Constraint returns what a unique violation inside err broke, or "".
func Constraint(err error) string {
	var v *Violation
	if errors.As(err, &v) {
		return v.constraint
	}
	return ""
}

// errClosed is what a transaction meets that begins after Close.
var errClosed = errors.New("the database is closed")

// Translate turns an error of the native pool into one of this package, for the posting
// engine, which goes past Tx on PostgreSQL. It notes a storage error.
func (d *DB) Translate(err error) error { return d.translate(err) }

// translate turns an engine's error into one of ours and notes a storage error. Errors
// that say what is wrong with the program (a bad statement) pass as they are, and so does
// the end of a context.
func (d *DB) translate(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errs.As(err) != nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var lite *sqlite.Error
	var pg *pgconn.PgError
	out := err
	switch {
	case errors.Is(err, errClosed):
		out = ErrBusy.Because(err)
	case errors.As(err, &lite):
		out = fromSQLite(lite)
	case errors.As(err, &pg):
		out = fromPostgres(pg)
	case lost(err):
		out = ErrBusy.Because(err)
	}
	if errors.Is(out, ErrStorage) {
		d.fail(out)
	}
	return out
}

func fromSQLite(err *sqlite.Error) error {
	switch err.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return &Violation{ErrUnique.Because(err), liteKey(err.Error())}
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return &Violation{ErrForeign.Because(err), ""}
	case lib.SQLITE_IOERR_NOMEM:
		return ErrBusy.Because(err) // short of memory, not of disk
	}
	switch err.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_NOMEM:
		return ErrBusy.Because(err)
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return ErrStorage.Because(err)
	}
	return err
}

// liteKey reads "UNIQUE constraint failed: lot.shard, lot.seq (2067)" as "lot.shard,seq".
func liteKey(message string) string {
	const before = "constraint failed: "
	i := strings.LastIndex(message, before)
	if i < 0 {
		return ""
	}
	list := message[i+len(before):]
	if i := strings.LastIndex(list, " ("); i >= 0 {
		list = list[:i]
	}
	if name, ok := strings.CutPrefix(list, "index '"); ok {
		return strings.TrimSuffix(name, "'")
	}
	columns := strings.Split(list, ", ")
	for i := range columns[1:] {
		_, columns[i+1], _ = strings.Cut(columns[i+1], ".")
	}
	return strings.Join(columns, ",")
}

func fromPostgres(err *pgconn.PgError) error {
	switch err.Code {
	case "23505":
		return &Violation{ErrUnique.Because(err), postgresKey(err)}
	case "23503":
		return &Violation{ErrForeign.Because(err), err.ConstraintName}
	case "53100", "58030", "XX001", "XX002": // disk full, I/O error, data or index corrupted
		return ErrStorage.Because(err)
	case "40001", "40P01", "55P03": // serialisation, deadlock, lock not available
		return ErrBusy.Because(err)
	case "25006": // read-only: a standby after a failover
		return ErrBusy.Because(err)
	}
	switch err.Code[:min(2, len(err.Code))] {
	case "08", "53": // connection, resources
		return ErrBusy.Because(err)
	case "57":
		if err.Code != "57014" { // a cancelled statement is the caller's own doing
			return ErrBusy.Because(err)
		}
	}
	return err
}

// postgresKey reads the columns from the detail, "Key (shard, seq)=(3, 4) already exists.",
// of which the brackets are the same in every language.
func postgresKey(err *pgconn.PgError) string {
	_, rest, ok := strings.Cut(err.Detail, "(")
	columns, _, closed := strings.Cut(rest, ")=(")
	if !ok || !closed || strings.Contains(columns, "(") {
		return err.ConstraintName
	}
	return err.TableName + "." + strings.ReplaceAll(columns, ", ", ",")
}

// lost reports whether err means that the connection, not the statement, failed.
func lost(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		saysClosed(err.Error())
}

// saysClosed knows the errors of pgx and database/sql that have no variable to compare with.
func saysClosed(text string) bool {
	return strings.Contains(text, "conn closed") || strings.Contains(text, "closed pool") ||
		strings.Contains(text, "sql: database is closed")
}

// again reports whether the engine has undone the transaction and asks for another try.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
