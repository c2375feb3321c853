package event

import (
	"context"
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// MaxPage bounds a page of List and ListMember.
const MaxPage = 1000

var (
	listSQL = db.Define("event.list", `
	SELECT position, shard, member_id, kind, at_ms, body
	FROM event
	WHERE position > $1
	ORDER BY position
	LIMIT $2`)
	listKindSQL = db.Define("event.listKind", `
	SELECT position, shard, member_id, kind, at_ms, body
	FROM event
	WHERE position > $2 AND position <= $4 AND kind = $1
	ORDER BY position
	LIMIT $3`)
	listMemberSQL = db.Define("event.listMember", `
	SELECT position, shard, member_id, kind, at_ms, body
	FROM event
	WHERE shard = $1 AND member_id = $2 AND member_id <> 0 AND position < $3
	ORDER BY position DESC
	LIMIT $4`)
	// listMemberKindSQL goes along the index of the member's events, and leaves out what is of
	// another kind on the way: a member has few events, and one more index would cost every sale.
	listMemberKindSQL = db.Define("event.listMemberKind", `
	SELECT position, shard, member_id, kind, at_ms, body
	FROM event
	WHERE shard = $1 AND member_id = $2 AND member_id <> 0 AND position < $3
		AND kind BETWEEN $5 AND $6
	ORDER BY position DESC
	LIMIT $4`)
	positionSQL = db.Define("event.position", `
	SELECT position
	FROM event_dispatcher
	WHERE one = 1`)
)

// List returns events after a position, oldest first, of one kind or (with "") of all.
// The limit is 1 to MaxPage. last is the position up to which there are no others, that to
// go on after: a reader of one kind passes over what is of others.
func List(ctx context.Context, tx *db.Tx, after int64, kind string, limit int) (list []Event, last int64, err error) {
	last = after
	if kind == "" {
		list, err = readEvents(tx.Query(ctx, listSQL, after, page(limit)))
	} else { // the end first: all up to there is to be seen by the second statement
		end, perr := Position(ctx, tx)
		if perr != nil {
			return nil, after, perr
		}
		end = max(after, end)
		if list, err = readEvents(tx.Query(ctx, listKindSQL, kind, after, page(limit), end)); len(list) < page(limit) {
			return list, end, err
		}
	}
	if len(list) > 0 {
		last = list[len(list)-1].Position
	}
	return list, last, err
}

// ListMember returns the events of one member before a position, newest first. A position
// of 0 begins at the newest.
func ListMember(ctx context.Context, tx *db.Tx, shard int16, member, before int64, limit int) ([]Event, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return readEvents(tx.Query(ctx, listMemberSQL, shard, member, before, page(limit)))
}

// ListMemberKind is ListMember of one kind, "task.closed", or of all of one noun, "task".
func ListMemberKind(ctx context.Context, tx *db.Tx, shard int16, member int64, kind string, before int64, limit int) ([]Event, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	first, last := kind, kind
	if !strings.Contains(kind, ".") {
		first, last = kind+".", kind+".~" // kinds are of letters, points and _, all before ~
	}
	return readEvents(tx.Query(ctx, listMemberKindSQL, shard, member, before, page(limit), first, last))
}

// Position returns the position of the newest event of the log, 0 for an empty one.
func Position(ctx context.Context, tx *db.Tx) (int64, error) {
	var p int64
	if err := tx.QueryRow(ctx, positionSQL).Scan(&p); err != nil {
		return 0, fmt.Errorf("read position of the log: %w", err)
	}
	return p, nil
}

func page(limit int) int { return max(1, min(limit, MaxPage)) }

// readEvents reads what a query returned, and takes its error so that calls stay one line.
func readEvents(rows *db.Rows, err error) ([]Event, error) {
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer rows.Close() // a reader: what matters is in Err
	var list []Event
	for rows.Next() {
		var e Event
		var body string
		if err := rows.Scan(&e.Position, &e.Shard, &e.Member, &e.Kind, &e.AtMS, &body); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		e.Body = []byte(body)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return list, nil
}
