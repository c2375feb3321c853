// Package event tells the rest of the program what happened: an outbox that a change
// writes in its own transaction, and a log that everybody reads from.
//
// Life of an event: Append puts it in the outbox, inside the transaction of the change
// that it tells; the events of a batch of postings lie packed, many in a row. One dispatcher (of all nodes, by lease) moves waiting events to the log
// in the order of the outbox, gives each its position, and applies the subscribers, all
// in one transaction. Then anybody may page through the log by position.
//
// Laws:
//   - An event is in the log exactly once if its change was committed, and never otherwise.
//   - Positions begin at 1 and have no gap. A position that can be seen is final, and so are
//     all before it: who has read up to p reads on after p and misses nothing.
//   - Events of one member keep the order of their changes as long as each change holds the
//     member's row while it appends. Across members the order is that of dispatch.
//   - A subscriber's effect on the database happens exactly once for each event, in the
//     transaction that gives the position. What reaches outside the database is a job that
//     the subscriber enqueues: at least once, with the event's stable id.
//   - A subscriber that fails does not stop the others: after maxTries it is set aside for
//     that batch (table event_failure), the log goes on, and the dispatcher comes back to
//     what it set aside, halving the range until only the events that really fail are left.
//     Those are tried again ever more seldom; Replay tries them at once. A subscriber must
//     therefore bear to see a replayed event after later ones.
//   - Bodies hold no personal value unless sealed.
package event

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Event is one thing that happened.
type Event struct {
	Position int64  // place in the log from 1; 0 until dispatched
	Kind     string // "noun.happened"
	Shard    int16  // of the member; 0 without one
	Member   int64  // whose it is; 0 for nobody's; negative for a stand-in
	AtMS     int64  // when it happened, which may be long before it was written
	Body     json.RawMessage
}

// MaxBody bounds a body, in bytes. The log is read whole pages at a time and delivered to
// others, whose own limits for one message begin at 64 KiB.
const MaxBody = 60 << 10

// ID is the stable public id of an event that has its position.
func (e Event) ID() string { return id.Encode("evt_", 0, e.Position) }

// At is when the event happened.
func (e Event) At() time.Time { return time.UnixMilli(e.AtMS).UTC() }

var kinds = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z_]*)+$`)

// Check returns what is wrong with an event that is about to be written. All of it is a
// mistake of the program.
func (e Event) Check() error {
	switch {
	case !kinds.MatchString(e.Kind):
		return fmt.Errorf("event kind %q is not of the form noun.happened", e.Kind)
	case e.Member == 0 && e.Shard != 0, e.Member != 0 && e.Shard != id.Shard(e.Member):
		return fmt.Errorf("event %s: shard %d is not that of member %d", e.Kind, e.Shard, e.Member)
	case len(e.Body) > MaxBody:
		return fmt.Errorf("event %s: body of %d bytes, at most %d", e.Kind, len(e.Body), MaxBody)
	case !json.Valid(e.Body) || !utf8.Valid(e.Body): // what the log cannot hold would stop it
		return fmt.Errorf("event %s: body is not JSON", e.Kind)
	}
	return nil
}

var appendSQL = db.Define("event.append", `
	INSERT INTO outbox (n, at_ms, events)
	VALUES ($1, 0, $2)`)

// Append writes an event in the transaction of the change that it tells. After the commit
// the dispatcher finds it within a poll, or at once where the caller nudges it.
func Append(ctx context.Context, tx *db.Tx, e Event) error {
	return AppendAll(ctx, tx, []Event{e})
}

// AppendAll is Append for a list, in its order, in few rows.
func AppendAll(ctx context.Context, tx *db.Tx, list []Event) error {
	for _, e := range list {
		if err := e.Check(); err != nil {
			return err
		}
	}
	for _, r := range Pack(list) {
		if _, err := tx.Exec(ctx, appendSQL, r.N, r.Events); err != nil {
			return fmt.Errorf("append %d events: %w", len(list), err)
		}
	}
	return nil
}

// MustBody makes a body of a value that cannot fail to marshal (plain structs and maps of
// text and numbers). Anything else is a mistake of the program and panics.
func MustBody(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("event: body: " + err.Error())
	}
	return b
}

// oneLine shortens the text of an error to what the log of failures keeps.
func oneLine(err error) string {
	const most = 500
	s := strings.Join(strings.Fields(err.Error()), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
