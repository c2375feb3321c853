package event

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// What waits is wiped before the log: an event that the dispatcher moves meanwhile is met
// there. A row is read again under lock before it is written, since another erasure may
// have wiped other events in it; where it is gone by then, the dispatcher has it.
var (
	lockWaitingSQL = db.Define("event.lockWaiting", `
	SELECT id, n, at_ms, events
	FROM outbox
	WHERE id = $1`).OnPostgres(`
	SELECT id, n, at_ms, events
	FROM outbox
	WHERE id = $1
	FOR UPDATE`)
	wipeWaitingSQL = db.Define("event.wipeWaiting", `
	UPDATE outbox
	SET events = $2
	WHERE id = $1`)
	wipeLoggedSQL = db.Define("event.wipeLogged", `
	UPDATE event
	SET body = $2
	WHERE position = $1`)
)

// Wipe empties the bodies of a member's events of some kinds, first in the outbox, then in
// the log, a page at a time, and reports whether it has seen them all. Position, kind, time
// and the member's own number of the event stay. spare says whether the body of a kind stays.
//
// from is where a call goes on, 0 at first; next is that for the call after: the last
// position seen in the log, or less than nothing for a row of the outbox.
func Wipe(ctx context.Context, tx *db.Tx, shard int16, member, from int64, spare func(kind string) bool) (next int64, done bool, err error) {
	wipes := func(e Event) bool { return e.Member == member && !spare(e.Kind) && e.bare() != string(e.Body) }
	if from <= 0 {
		last, err := wipeWaiting(ctx, tx, -from, wipes)
		if err != nil || last != 0 {
			return -last, false, err
		}
		from = 0
	}
	list, err := ListMember(ctx, tx, shard, member, from, wipePage)
	if err != nil {
		return 0, false, err
	}
	for _, e := range list {
		next = e.Position
		if wipes(e) {
			if _, err := tx.Exec(ctx, wipeLoggedSQL, e.Position, e.bare()); err != nil {
				return 0, false, fmt.Errorf("wipe event %d: %w", e.Position, err)
			}
		}
	}
	return next, len(list) < wipePage, nil
}

// wipePage is how many events of the log, or rows of the outbox, one call looks at: a few
// milliseconds of work.
const wipePage = 100

// wipeWaiting wipes a page of the outbox and returns its last row, 0 at the end.
func wipeWaiting(ctx context.Context, tx *db.Tx, after int64, wipes func(Event) bool) (last int64, err error) {
	rows, err := readWaiting(math.MaxInt)(tx.Query(ctx, waitingSQL, after, wipePage))
	if err != nil {
		return 0, fmt.Errorf("read the outbox: %w", err)
	}
	for _, w := range rows {
		list, err := w.unpack()
		if err != nil {
			return 0, err
		}
		if slices.ContainsFunc(list, wipes) {
			if err := wipeRow(ctx, tx, w.id, wipes); err != nil {
				return 0, fmt.Errorf("wipe events that wait: %w", err)
			}
		}
	}
	if len(rows) < wipePage {
		return 0, nil
	}
	return rows[len(rows)-1].id, nil
}

// wipeRow wipes events in a row of the outbox.
func wipeRow(ctx context.Context, tx *db.Tx, row int64, wipes func(Event) bool) error {
	rows, err := readWaiting(math.MaxInt)(tx.Query(ctx, lockWaitingSQL, row))
	if err != nil || len(rows) == 0 {
		return err
	}
	list, err := rows[0].unpack()
	if err != nil {
		return err
	}
	for i, e := range list {
		if wipes(e) {
			list[i].Body = json.RawMessage(e.bare())
		}
	}
	_, err = tx.Exec(ctx, wipeWaitingSQL, row, packRow(list, len(rows[0].row)))
	return err
}

// bare is the body with nothing in it but the member's number of the event, where there is
// one: readers see by it that none is missing.
func (e Event) bare() string {
	var body struct {
		N int64 `json:"n"`
	}
	if json.Unmarshal(e.Body, &body) != nil || body.N == 0 {
		return "{}"
	}
	return fmt.Sprintf(`{"n":%d}`, body.N)
}
