package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// ToppedUp is stored value that a member paid in.
type ToppedUp struct {
	Currency *Currency
	Amount   int64 // what was paid, without a bonus
	Worth    int64 // in minor units of the programme's money
	Payment  string
	Store    int64
	Actor    string
}

// The bounds of a look at top-ups: it goes back from the newest.
const (
	topUpPage  = 200
	topUpPages = 100
	// topUpSlack is by how much the order of the log and that of time may differ.
	topUpSlack = 60_000
)

var (
	topUpsSQL = db.Define("ledger.topUps", `
	SELECT position, at_ms, body
	FROM event
	WHERE kind = 'points.topped_up' AND position < $1
	ORDER BY position DESC
	LIMIT $2`)
	topUpEntrySQL = db.Define("ledger.topUpEntry", `
	SELECT `+entryTable.names()+`
	FROM entry
	WHERE shard = $1 AND member_id = $2 AND seq = $3`)
)

// TopUps lists the stored value that was paid in from an instant to another, in Unix
// milliseconds, the latter exclusive. It follows the events, so its cost is that of the
// top-ups since then.
func (s *Service) TopUps(ctx context.Context, from, to int64) (list []ToppedUp, err error) {
	before := int64(math.MaxInt64)
	for n := range topUpPages {
		var more bool
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			var part []movedBody
			if n == 0 { // what is on its way to the log counts too
				if part, err = waitingTopUps(ctx, tx, from, to); err != nil {
					return err
				}
			}
			logged, last, oldest, err := readTopUps(ctx, tx, from, to, topUpsSQL, before, topUpPage)
			if err != nil {
				return err
			}
			more = last > 0 && oldest >= from-topUpSlack
			before = last
			for _, b := range append(part, logged...) {
				t, err := s.toppedUp(ctx, tx, b)
				if err != nil {
					return err
				}
				list = append(list, t)
			}
			return nil
		})
		if err != nil || !more {
			return list, err
		}
	}
	return list, nil
}

// waitingTopUps are those within the span that are not in the log yet.
func waitingTopUps(ctx context.Context, tx *db.Tx, from, to int64) (list []movedBody, err error) {
	for after := int64(0); ; {
		waiting, last, err := event.Waiting(ctx, tx, after, event.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range waiting {
			if e.Kind != "points.topped_up" || e.AtMS < from || e.AtMS >= to {
				continue
			}
			var b movedBody
			if err := json.Unmarshal(e.Body, &b); err != nil {
				return nil, fmt.Errorf("read a top-up: %w", err)
			}
			list = append(list, b)
		}
		if last == after {
			return list, nil
		}
		after = last
	}
}

// readTopUps reads events, and returns those within the span, and the place and time of the
// last that it saw.
func readTopUps(ctx context.Context, tx *db.Tx, from, to int64, stmt *db.Stmt, args ...any) (list []movedBody, last, oldest int64, err error) {
	rows, err := tx.Query(ctx, stmt, args...)
	if err != nil {
		return nil, 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var body string
		if err := rows.Scan(&last, &oldest, &body); err != nil {
			return nil, 0, 0, err
		}
		if oldest < from || oldest >= to {
			continue
		}
		var b movedBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return nil, 0, 0, fmt.Errorf("read a top-up: %w", err)
		}
		list = append(list, b)
	}
	return list, last, oldest, rows.Err()
}

// toppedUp reads the entry of a top-up, which says where it was and how it was paid.
func (s *Service) toppedUp(ctx context.Context, tx *db.Tx, b movedBody) (t ToppedUp, err error) {
	member, seq, err := id.Decode(entryPrefix, b.Entry)
	if err != nil {
		return t, fmt.Errorf("read a top-up: %w", err)
	}
	found, err := readEntries(ctx, tx, topUpEntrySQL, int64(id.Shard(member)), member, seq)
	if err != nil || len(found) == 0 {
		return t, fmt.Errorf("read top-up %s: %w", b.Entry, err)
	}
	e := found[0]
	t = ToppedUp{Currency: s.Config().Currencies[e.Currency], Amount: e.Net(), Store: e.Store, Actor: e.Actor, Payment: e.Reason}
	if kind, ok := strings.CutPrefix(e.Source, "payment:"); ok {
		t.Payment = kind
	}
	if t.Currency != nil {
		t.Worth, err = t.Currency.worth(t.Amount)
	}
	return t, err
}
