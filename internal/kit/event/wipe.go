package event

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// What waits is wiped before the log: an event that the dispatcher moves meanwhile is met
// there.
var (
	waitingOfSQL = db.Define("event.waitingOf", `
	SELECT id, shard, member_id, kind, at_ms, body
	FROM outbox
	WHERE shard = $1 AND member_id = $2 AND id > $3
	ORDER BY id
	LIMIT $4`)
	wipeWaitingSQL = db.Define("event.wipeWaiting", `
	UPDATE outbox
	SET body = $2
	WHERE id = $1`)
	wipeLoggedSQL = db.Define("event.wipeLogged", `
	UPDATE event
	SET body = $2
	WHERE position = $1`)
)

// Wipe empties the bodies of a member's events of some kinds, in the log and in the outbox,
// up to MaxPage of each, and reports whether it has seen them all. Position, kind, time and
// the member's own number of the event stay. spare says whether the body of a kind stays.
//
// before is the position that a call goes on from, 0 at first; next is the one for the call
// after.
func Wipe(ctx context.Context, tx *db.Tx, shard int16, member, before int64, spare func(kind string) bool) (next int64, done bool, err error) {
	if before == 0 {
		if err := wipeWaiting(ctx, tx, shard, member, spare); err != nil {
			return 0, false, err
		}
	}
	list, err := ListMember(ctx, tx, shard, member, before, wipePage)
	if err != nil {
		return 0, false, err
	}
	for _, e := range list {
		next = e.Position
		if bare := e.bare(); !spare(e.Kind) && bare != string(e.Body) {
			if _, err := tx.Exec(ctx, wipeLoggedSQL, e.Position, bare); err != nil {
				return 0, false, fmt.Errorf("wipe event %d: %w", e.Position, err)
			}
		}
	}
	return next, len(list) < wipePage, nil
}

// wipePage is how many events of the log one call looks at: a few milliseconds of work.
const wipePage = 100

// wipeWaiting goes through all that waits of the member: it is little.
func wipeWaiting(ctx context.Context, tx *db.Tx, shard int16, member int64, spare func(kind string) bool) error {
	for last := int64(0); ; {
		list, err := readEvents(tx.Query(ctx, waitingOfSQL, shard, member, last, wipePage))
		if err != nil {
			return err
		}
		for _, e := range list {
			last = e.Position // the id: it has no position yet
			if spare(e.Kind) {
				continue
			}
			if _, err := tx.Exec(ctx, wipeWaitingSQL, last, e.bare()); err != nil {
				return fmt.Errorf("wipe an event that waits: %w", err)
			}
		}
		if len(list) < wipePage {
			return nil
		}
	}
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
