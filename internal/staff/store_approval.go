package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// ApprovalTable and ApprovalColumns are for the posting engine, which writes approvals in
// the transactions of postings with statements of its own. Row gives one in the order of
// the columns, ApprovalOf reads one back; the first column is the key.
const (
	ApprovalTable   = "approval"
	ApprovalColumns = "id int, kind text, member_id int, merchant_id int, payload bytes, reason text, state text, asked_by text, asked_ms int, until_ms int, decided_by text, decided_ms int, done_ms int, result text"
)

const approvalColumns = `id, kind, member_id, merchant_id, payload, reason, state, asked_by, asked_ms, until_ms, decided_by, decided_ms, done_ms, result`

// Row is the approval as its row, in the order of ApprovalColumns.
func (a Approval) Row() []any {
	return []any{a.ID, a.Kind, a.Member, a.Merchant, []byte(a.Payload), a.Reason, string(a.State), a.AskedBy, millis(a.Asked),
		millis(a.Until), a.DecidedBy, millis(a.Decided), millis(a.Done), a.Result}
}

// ApprovalOf reads what Row wrote.
func ApprovalOf(row []any) Approval {
	n := func(i int) int64 { return row[i].(int64) }
	text := func(i int) string { return row[i].(string) }
	return Approval{
		ID: n(0), Kind: text(1), Member: n(2), Merchant: n(3), Payload: row[4].([]byte), Reason: text(5), State: ApprovalState(text(6)),
		AskedBy: text(7), Asked: ofMillis(n(8)), Until: ofMillis(n(9)), DecidedBy: text(10), Decided: ofMillis(n(11)), Done: ofMillis(n(12)), Result: text(13),
	}
}

// millis writes a time as a column; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func ofMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

var insertApprovalSQL = db.Define("staff.insertApproval", `
	INSERT INTO approval (`+approvalColumns+`)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`)

func insertApproval(ctx context.Context, tx *db.Tx, a Approval) error {
	return exec(ctx, tx, insertApprovalSQL, a.Row()...)
}

func scanApproval(r row) (a Approval, err error) {
	var asked, until, decided, done int64
	var payload []byte
	err = r.Scan(&a.ID, &a.Kind, &a.Member, &a.Merchant, &payload, &a.Reason, &a.State, &a.AskedBy, &asked, &until, &a.DecidedBy, &decided, &done, &a.Result)
	a.Payload, a.Asked, a.Until, a.Decided, a.Done = payload, ofMillis(asked), ofMillis(until), ofMillis(decided), ofMillis(done)
	return a, err
}

var approvalSQL = db.Define("staff.approval", `
	SELECT `+approvalColumns+`
	FROM approval
	WHERE id = $1`)

func readApproval(ctx context.Context, tx *db.Tx, n int64) (Approval, error) {
	a, err := scanApproval(tx.QueryRow(ctx, approvalSQL, n))
	if errors.Is(err, sql.ErrNoRows) {
		return Approval{}, ErrNoApproval
	}
	return a, err
}

var approvalsSQL = db.Define("staff.approvals", `
	SELECT `+approvalColumns+`
	FROM approval
	WHERE state = $1 AND id < $2 AND ($3 = '' OR kind = $3) AND ($4 = '' OR asked_by = $4)
	ORDER BY id DESC
	LIMIT $5`)

func readApprovals(ctx context.Context, tx *db.Tx, f ApprovalFilter, before int64, n int) ([]Approval, error) {
	return all(scanApproval)(tx.Query(ctx, approvalsSQL, string(f.State), before, f.Kind, f.AskedBy, n))
}

var overSQL = db.Define("staff.approvalsOver", `
	SELECT `+approvalColumns+`
	FROM approval
	WHERE state = 'waiting' AND until_ms > 0 AND until_ms <= $1
	ORDER BY until_ms, id
	LIMIT $2`)

func readOver(ctx context.Context, tx *db.Tx, now time.Time, n int) ([]Approval, error) {
	return all(scanApproval)(tx.Query(ctx, overSQL, now.UnixMilli(), n))
}

var noteDecisionSQL = db.Define("staff.noteDecision", `
	UPDATE approval SET state = $2, decided_by = $3, decided_ms = $4
	WHERE id = $1 AND state = 'waiting'
		AND (until_ms = 0 OR until_ms > $4 OR CAST($2 AS TEXT) = 'expired')`)

// noteDecision writes a final state, and reports whether the approval still waited. The
// guard stands in the UPDATE: of many who decide at once, one does. The row stays locked
// until the end of tx, against the posting engine too.
func noteDecision(ctx context.Context, tx *db.Tx, a Approval) (bool, error) {
	n, err := tx.Exec(ctx, noteDecisionSQL, a.ID, string(a.State), a.DecidedBy, millis(a.Decided))
	if err != nil {
		return false, fmt.Errorf("decide on approval %d: %w", a.ID, err)
	}
	return n == 1, nil
}

var noteDoneSQL = db.Define("staff.noteDone", `
	UPDATE approval SET done_ms = $2, result = $3
	WHERE id = $1`)

func noteDone(ctx context.Context, tx *db.Tx, a Approval) error {
	return exec(ctx, tx, noteDoneSQL, a.ID, millis(a.Done), a.Result)
}

var makerSQL = db.Define("staff.keyMaker", `
	SELECT created_by
	FROM api_key
	WHERE id = $1`)

// personOf is who stands behind an actor: of a key that a person made, that person.
func personOf(ctx context.Context, tx *db.Tx, actor string) (string, error) {
	ref, isKey := strings.CutPrefix(actor, "key:")
	_, n, err := id.Decode(keyPrefix, ref)
	if !isKey || err != nil {
		return actor, nil
	}
	var maker string
	err = tx.QueryRow(ctx, makerSQL, n).Scan(&maker)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && !strings.HasPrefix(maker, accountPrefix):
		return actor, nil // made on the command line, or by another key
	case err != nil:
		return "", fmt.Errorf("read who made the key %d: %w", n, err)
	}
	return "staff:" + maker, nil
}
