package staff

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

var sessionPassSQL = db.Define("staff.sessionPass", `
	SELECT staff_session.id, started_ms, seen_ms, staff.id, name, role, merchants, stores
	FROM staff_session
	JOIN staff ON staff.id = staff_id
	WHERE hash = $1 AND active = 1`)

// readSessionPass reads what a session's token opens, or gives ErrUnauthenticated.
func readSessionPass(ctx context.Context, tx *db.Tx, t token) (*pass, error) {
	var p pass
	var started, seen int64
	var name, merchants, stores string
	var role Role
	err := tx.QueryRow(ctx, sessionPassSQL, t[:]).Scan(&p.number, &started, &seen, &p.account, &name, &role, &merchants, &stores)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, api.ErrUnauthenticated
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	p.until = started + ageLimit.Milliseconds()
	p.seen.Store(seen)
	p.caller = api.Caller{Kind: "staff", ID: id.Encode(accountPrefix, 0, p.account), Name: name, Can: role.Can()}
	return &p, p.limit(merchants, stores)
}

var keyPassSQL = db.Define("staff.keyPass", `
	SELECT id, name, scopes, merchants, stores, test, until_ms, used_ms, networks
	FROM api_key
	WHERE hash = $1 AND revoked_ms IS NULL`)

// readKeyPass reads what an API key opens, or gives ErrUnauthenticated.
func readKeyPass(ctx context.Context, tx *db.Tx, t token) (*pass, error) {
	var p pass
	var name, scopes, merchants, stores, networks string
	var test bool
	var until, used sql.NullInt64
	err := tx.QueryRow(ctx, keyPassSQL, t[:]).Scan(&p.number, &name, &scopes, &merchants, &stores, &test, &until, &used, &networks)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, api.ErrUnauthenticated
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	var granted []string
	if err := json.Unmarshal([]byte(scopes), &granted); err != nil {
		return nil, fmt.Errorf("scopes of key %d: %w", p.number, err)
	}
	if p.networks, err = columnNetworks(networks); err != nil {
		return nil, fmt.Errorf("key %d: %w", p.number, err)
	}
	p.until = until.Int64
	p.seen.Store(used.Int64)
	p.caller = api.Caller{Kind: "key", ID: id.Encode(keyPrefix, 0, p.number), Name: name, Can: scope(granted), Sandbox: test}
	return &p, p.limit(merchants, stores)
}

// limit sets where the caller may act.
func (p *pass) limit(merchants, stores string) (err error) {
	if p.caller.Merchants, err = numbers(merchants); err != nil {
		return fmt.Errorf("limits of %s: %w", p.caller.ID, err)
	}
	if p.caller.Stores, err = numbers(stores); err != nil {
		return fmt.Errorf("limits of %s: %w", p.caller.ID, err)
	}
	return nil
}

var touchKeySQL = db.Define("staff.touchKey", `
	UPDATE api_key SET used_ms = $2
	WHERE id = $1 AND (used_ms IS NULL OR used_ms < $2)`)

var touchSessionSQL = db.Define("staff.touchSession", `
	UPDATE staff_session SET seen_ms = $2
	WHERE id = $1 AND seen_ms < $2`)

var insertSessionSQL = db.Define("staff.insertSession", `
	INSERT INTO staff_session (id, hash, staff_id, started_ms, seen_ms, ip, user_agent)
	VALUES ($1, $2, $3, $4, $4, $5, $6)`)

func insertSession(ctx context.Context, tx *db.Tx, s Session, hash token) error {
	return exec(ctx, tx, insertSessionSQL, s.ID, hash[:], s.Account, s.Started.UnixMilli(), s.IP, s.UserAgent)
}

var trimSessionsSQL = db.Define("staff.trimSessions", `
	DELETE FROM staff_session
	WHERE staff_id = $1 AND id NOT IN (
		SELECT id
		FROM staff_session
		WHERE staff_id = $1
		ORDER BY started_ms DESC, id DESC
		LIMIT $2)`)

// trimSessions keeps the newest n sessions of an account.
func trimSessions(ctx context.Context, tx *db.Tx, account int64, n int) error {
	return exec(ctx, tx, trimSessionsSQL, account, n)
}

var deleteSessionSQL = db.Define("staff.deleteSession", `
	DELETE FROM staff_session
	WHERE id = $1`)

func deleteSession(ctx context.Context, tx *db.Tx, n int64) error {
	return exec(ctx, tx, deleteSessionSQL, n)
}

var deleteByHashSQL = db.Define("staff.deleteSessionByHash", `
	DELETE FROM staff_session
	WHERE hash = $1`)

func deleteSessionByHash(ctx context.Context, tx *db.Tx, hash token) error {
	return exec(ctx, tx, deleteByHashSQL, hash[:])
}

var deleteSessionsSQL = db.Define("staff.deleteSessions", `
	DELETE FROM staff_session
	WHERE staff_id = $1`)

func deleteSessions(ctx context.Context, tx *db.Tx, account int64) error {
	return exec(ctx, tx, deleteSessionsSQL, account)
}

var purgeSessionsSQL = db.Define("staff.purgeSessions", `
	DELETE FROM staff_session
	WHERE seen_ms <= $1 OR started_ms <= $2`)

func purgeSessions(ctx context.Context, tx *db.Tx, seen, started time.Time) error {
	return exec(ctx, tx, purgeSessionsSQL, seen.UnixMilli(), started.UnixMilli())
}

var sessionOwnerSQL = db.Define("staff.sessionOwner", `
	SELECT staff_id
	FROM staff_session
	WHERE id = $1`)

func sessionOwner(ctx context.Context, tx *db.Tx, n int64) (account int64, err error) {
	err = tx.QueryRow(ctx, sessionOwnerSQL, n).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNoSession
	}
	return account, err
}

var sessionsSQL = db.Define("staff.sessions", `
	SELECT id, staff_id, started_ms, seen_ms, ip, user_agent
	FROM staff_session
	WHERE staff_id = $1 AND seen_ms > $2 AND started_ms > $3
	ORDER BY id`)

func readSessions(ctx context.Context, tx *db.Tx, account int64, seen, started time.Time) ([]Session, error) {
	return all(scanSession)(tx.Query(ctx, sessionsSQL, account, seen.UnixMilli(), started.UnixMilli()))
}

func scanSession(r row) (s Session, err error) {
	var started, seen int64
	err = r.Scan(&s.ID, &s.Account, &started, &seen, &s.IP, &s.UserAgent)
	s.Started, s.Seen = time.UnixMilli(started).UTC(), time.UnixMilli(seen).UTC()
	return s, err
}

var insertKeySQL = db.Define("staff.insertKey", `
	INSERT INTO api_key (id, hash, prefix, name, scopes, merchants, stores, test, created_by, created_ms, until_ms, networks, replaces)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`)

func insertKey(ctx context.Context, tx *db.Tx, k Key, hash token) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	return exec(ctx, tx, insertKeySQL, k.ID, hash[:], k.Prefix, k.Name, string(scopes), list(k.Merchants), list(k.Stores),
		k.Test, k.CreatedBy, k.Created.UnixMilli(), nullable(k.Until), networkColumn(k.Networks), k.Replaces)
}

const keyColumns = `id, prefix, name, scopes, merchants, stores, test, created_by, created_ms, until_ms, used_ms, revoked_ms, networks, replaces`

var keySQL = db.Define("staff.key", `
	SELECT `+keyColumns+`
	FROM api_key
	WHERE id = $1`)

func readKey(ctx context.Context, tx *db.Tx, n int64) (Key, error) {
	k, err := scanKey(tx.QueryRow(ctx, keySQL, n))
	if errors.Is(err, sql.ErrNoRows) {
		return Key{}, ErrNoKey
	}
	return k, err
}

var keysSQL = db.Define("staff.keys", `
	SELECT `+keyColumns+`
	FROM api_key
	WHERE id < $1
	ORDER BY id DESC
	LIMIT $2`)

func readKeys(ctx context.Context, tx *db.Tx, before int64, n int) ([]Key, error) {
	return all(scanKey)(tx.Query(ctx, keysSQL, before, n))
}

func scanKey(r row) (k Key, err error) {
	var scopes, merchants, stores, networks string
	var created int64
	var until, used, revoked sql.NullInt64
	err = r.Scan(&k.ID, &k.Prefix, &k.Name, &scopes, &merchants, &stores, &k.Test, &k.CreatedBy, &created, &until, &used, &revoked, &networks, &k.Replaces)
	if err != nil {
		return Key{}, err
	}
	k.Created, k.Until, k.Used, k.Revoked = time.UnixMilli(created).UTC(), instant(until), instant(used), instant(revoked)
	if err = json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return Key{}, fmt.Errorf("key %d: %w", k.ID, err)
	}
	if k.Networks, err = columnNetworks(networks); err != nil {
		return Key{}, fmt.Errorf("key %d: %w", k.ID, err)
	}
	if k.Merchants, err = numbers(merchants); err != nil {
		return Key{}, fmt.Errorf("key %d: %w", k.ID, err)
	}
	if k.Stores, err = numbers(stores); err != nil {
		return Key{}, fmt.Errorf("key %d: %w", k.ID, err)
	}
	return k, nil
}

var revokeKeySQL = db.Define("staff.revokeKey", `
	UPDATE api_key SET revoked_ms = $2
	WHERE id = $1 AND revoked_ms IS NULL`)

// revokeKey reports whether it ended the key; it may have been ended before.
func revokeKey(ctx context.Context, tx *db.Tx, n int64, at time.Time) (bool, error) {
	changed, err := tx.Exec(ctx, revokeKeySQL, n, at.UnixMilli())
	return changed == 1, err
}

func instant(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

func nullable(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
