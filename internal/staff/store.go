package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var versionSQL = db.Define("staff.version", `
	SELECT version
	FROM staff_state
	WHERE id = 1`)

func readVersion(ctx context.Context, tx *db.Tx) (v int64, err error) {
	err = tx.QueryRow(ctx, versionSQL).Scan(&v)
	return v, err
}

var raiseVersionSQL = db.Define("staff.raiseVersion", `
	UPDATE staff_state SET version = version + 1
	WHERE id = 1`)

// raiseVersion makes every node forget its passes. The row stays locked until the end of
// tx: changes that take rights away go one after the other, so two owners who demote each
// other at the same time cannot both succeed.
func raiseVersion(ctx context.Context, tx *db.Tx) error { return exec(ctx, tx, raiseVersionSQL) }

var setLinkSQL = db.Define("staff.setLink", `
	UPDATE staff_state SET setup_hash = $1, setup_until_ms = $2
	WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM staff WHERE role = 'owner' AND active = 1)`)

// setLink keeps the hash of a new link, unless there is an owner.
func setLink(ctx context.Context, tx *db.Tx, hash token, until time.Time) (bool, error) {
	n, err := tx.Exec(ctx, setLinkSQL, hash[:], until.UnixMilli())
	return n == 1, err
}

var linkHoldsSQL = db.Define("staff.linkHolds", `
	SELECT 1
	FROM staff_state
	WHERE id = 1 AND setup_hash = $1 AND setup_until_ms > $2
		AND NOT EXISTS (SELECT 1 FROM staff WHERE role = 'owner' AND active = 1)`)

func linkHolds(ctx context.Context, tx *db.Tx, hash token, at time.Time) error {
	var one int
	err := tx.QueryRow(ctx, linkHoldsSQL, hash[:], at.UnixMilli()).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrLink
	}
	return err
}

var useLinkSQL = db.Define("staff.useLink", `
	UPDATE staff_state SET setup_hash = NULL, version = version + 1
	WHERE id = 1 AND setup_hash = $1 AND setup_until_ms > $2
		AND NOT EXISTS (SELECT 1 FROM staff WHERE role = 'owner' AND active = 1)`)

// useLink spends the link. The guard stands in the UPDATE: of many with the same token one
// finds the hash, and the others ErrLink.
func useLink(ctx context.Context, tx *db.Tx, hash token, at time.Time) error {
	n, err := tx.Exec(ctx, useLinkSQL, hash[:], at.UnixMilli())
	if err == nil && n == 0 {
		return ErrLink
	}
	return err
}

var insertAccountSQL = db.Define("staff.insert", `
	INSERT INTO staff (id, email, name, role, password, active, merchants, stores, created_ms, changed_ms)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`)

func insertAccount(ctx context.Context, tx *db.Tx, a Account) error {
	return exec(ctx, tx, insertAccountSQL, a.ID, a.Email, a.Name, string(a.Role), a.password, a.Active,
		list(a.Merchants), list(a.Stores), a.Created.UnixMilli())
}

var updateAccountSQL = db.Define("staff.update", `
	UPDATE staff SET name = $2, role = $3, active = $4, merchants = $5, stores = $6, changed_ms = $7
	WHERE id = $1 AND (
		role <> 'owner' OR active = 0
		OR (CAST($3 AS TEXT) = 'owner' AND CAST($4 AS BIGINT) = 1)
		OR EXISTS (SELECT 1 FROM staff other WHERE other.role = 'owner' AND other.active = 1 AND other.id <> $1))`)

// updateAccount writes everything but address and password, or gives ErrLastOwner. The
// caller has read the account inside tx, after raiseVersion.
func updateAccount(ctx context.Context, tx *db.Tx, a Account, at time.Time) error {
	n, err := tx.Exec(ctx, updateAccountSQL, a.ID, a.Name, string(a.Role), a.Active, list(a.Merchants), list(a.Stores), at.UnixMilli())
	if err == nil && n == 0 {
		return ErrLastOwner
	}
	return err
}

var updatePasswordSQL = db.Define("staff.updatePassword", `
	UPDATE staff SET password = $2, changed_ms = $3
	WHERE id = $1`)

func updatePassword(ctx context.Context, tx *db.Tx, n int64, phc string, at time.Time) error {
	return exec(ctx, tx, updatePasswordSQL, n, phc, at.UnixMilli())
}

var rehashSQL = db.Define("staff.rehash", `
	UPDATE staff SET password = $3
	WHERE id = $1 AND password = $2`)

var noteSignInSQL = db.Define("staff.noteSignIn", `
	UPDATE staff SET signed_in_ms = $3
	WHERE id = $1 AND password = $2 AND active = 1`)

// noteSignIn checks once more, under the lock of the row, what was true when the password
// was compared: else a session could start beside the change of password that ends all.
func noteSignIn(ctx context.Context, tx *db.Tx, a Account, at time.Time) error {
	n, err := tx.Exec(ctx, noteSignInSQL, a.ID, a.password, at.UnixMilli())
	if err == nil && n == 0 {
		return ErrSignIn
	}
	return err
}

const accountColumns = `id, email, name, role, password, active, merchants, stores, created_ms`

var accountSQL = db.Define("staff.account", `
	SELECT `+accountColumns+`
	FROM staff
	WHERE id = $1`)

func readAccount(ctx context.Context, tx *db.Tx, n int64) (Account, error) {
	a, err := scanAccount(tx.QueryRow(ctx, accountSQL, n))
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNoAccount
	}
	return a, err
}

var byEmailSQL = db.Define("staff.byEmail", `
	SELECT `+accountColumns+`
	FROM staff
	WHERE email = $1`)

// byEmail reads the account of an address, or the zero Account where there is none.
func (s *Service) byEmail(ctx context.Context, email string) (a Account, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		a, err = scanAccount(tx.QueryRow(ctx, byEmailSQL, email))
		if errors.Is(err, sql.ErrNoRows) {
			a, err = Account{}, nil
		}
		return err
	})
	return a, err
}

var accountsSQL = db.Define("staff.accounts", `
	SELECT `+accountColumns+`
	FROM staff
	WHERE id > $1
		AND ($2 = '' OR role = $2)
		AND ($3 < 0 OR active = $3)
		AND ($4 = '%%' OR email LIKE $4 ESCAPE '\' OR LOWER(name) LIKE $4 ESCAPE '\')
	ORDER BY id
	LIMIT $5`)

func readAccounts(ctx context.Context, tx *db.Tx, after int64, f AccountFilter, n int) ([]Account, error) {
	active := int64(-1)
	if f.Active != nil {
		active = 0
		if *f.Active {
			active = 1
		}
	}
	words := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(strings.TrimSpace(f.Words))) + "%"
	return all(scanAccount)(tx.Query(ctx, accountsSQL, after, string(f.Role), active, words, n))
}

// row is what both one row and many give.
type row interface{ Scan(...any) error }

func scanAccount(r row) (a Account, err error) {
	var merchants, stores string
	var created int64
	if err := r.Scan(&a.ID, &a.Email, &a.Name, &a.Role, &a.password, &a.Active, &merchants, &stores, &created); err != nil {
		return Account{}, err
	}
	a.Created = time.UnixMilli(created).UTC()
	if a.Merchants, err = numbers(merchants); err != nil {
		return Account{}, fmt.Errorf("account %d: %w", a.ID, err)
	}
	if a.Stores, err = numbers(stores); err != nil {
		return Account{}, fmt.Errorf("account %d: %w", a.ID, err)
	}
	return a, nil
}

var (
	insertEntrySQL = db.DefineBulk("staff.insertEntry", db.InsertSizes, 10, `
	INSERT INTO audit (at_ms, actor_kind, actor, action, subject, before, after, ip, user_agent, trace_id)
	VALUES`, db.Values(10), `
	RETURNING id`)
	insertWaitingSQL = db.DefineBulk("staff.insertWaiting", db.InsertSizes, 1, `
	INSERT INTO audit_waiting (audit_id)
	VALUES`, db.Values(1), "")
)

// insertEntry writes an entry, to be chained after the commit.
func insertEntry(ctx context.Context, tx *db.Tx, e Entry) error {
	return insertEntries(ctx, tx, []Entry{e})
}

func insertEntries(ctx context.Context, tx *db.Tx, list []Entry) error {
	args := make([]any, 0, 10*len(list))
	for _, e := range list {
		args = append(args, e.At.UnixMilli(), e.ActorKind, e.Actor, e.Action, e.Subject, e.Before, e.After, e.IP, e.UserAgent, e.Trace)
	}
	made := make([]any, 0, len(list))
	err := insertEntrySQL.Each(args, func(st *db.Stmt, part []any) error {
		return db.ReadRows(func(rows *db.Rows) error {
			var n int64
			err := rows.Scan(&n)
			made = append(made, n)
			return err
		})(tx.Query(ctx, st, part...))
	})
	if err != nil {
		return err
	}
	return insertWaitingSQL.Exec(ctx, tx, made)
}

const entryColumns = `audit.id, at_ms, actor_kind, actor, action, subject, before, after, ip, user_agent, trace_id`

func readEntries(ctx context.Context, tx *db.Tx, f Filter, n int) ([]Entry, error) {
	where, args := f.where()
	text := fmt.Sprintf(`
		SELECT `+entryColumns+`
		FROM audit
		%s
		ORDER BY id DESC
		LIMIT $%d`, where, len(args)+1)
	return all(scanEntry)(tx.QueryText(ctx, text, append(args, n)...))
}

func scanEntry(r row) (e Entry, err error) {
	var at int64
	var before, after sql.NullString
	err = r.Scan(&e.ID, &at, &e.ActorKind, &e.Actor, &e.Action, &e.Subject, &before, &after, &e.IP, &e.UserAgent, &e.Trace)
	e.At = time.UnixMilli(at).UTC()
	if before.Valid {
		e.Before = json.RawMessage(before.String)
	}
	if after.Valid {
		e.After = json.RawMessage(after.String)
	}
	return e, err
}

// all reads every row of a query.
func all[T any](scan func(row) (T, error)) func(*db.Rows, error) ([]T, error) {
	return func(rows *db.Rows, err error) ([]T, error) {
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var out []T
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, rows.Err()
	}
}

// exec runs a write of which the number of rows does not matter.
func exec(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) error {
	_, err := tx.Exec(ctx, stmt, args...)
	return err
}

// list writes numbers as JSON; nil as the empty list.
func list(n []int64) string {
	if n == nil {
		n = []int64{}
	}
	b, err := json.Marshal(n)
	if err != nil {
		panic("staff: " + err.Error()) // numbers always marshal
	}
	return string(b)
}

func numbers(text string) (out []int64, err error) {
	err = json.Unmarshal([]byte(text), &out)
	return out, err
}
