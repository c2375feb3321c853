// Package insight says how the programme does: sums by day that are kept while things
// happen, the dashboard made of them, what happens now, what waits for somebody, and one
// search over everything.
//
// # Life
//
// A subscriber of the event log adds each event to the sums of its day, inside the
// transaction that gives the event its place in the log. The dashboard reads nothing but
// those sums. Rebuild compares them with the books and adds what is missing.
//
// # Laws
//
//   - A sum is that of the books: of the rows of table sale, entry and member, and of nothing
//     else. Verify recomputes it, beside a running server.
//   - A day is one of the programme's zone. What came late counts on the day on which it
//     happened; a return counts on its own day, not on that of its sale.
//   - The order in which events come, and how they are cut into batches, makes no difference.
//   - A figure is shown with what it counts, in words, and as of when.
//   - Nobody sees here what they may not see where it comes from.
package insight

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/patron-loyalty/patron/internal/catalog"
	"github.com/patron-loyalty/patron/internal/kit/clock"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// subscription is the name of the subscriber that keeps the sums.
const subscription = "insight.rollup"

// Options are what a Service is made of.
type Options struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Program   *program.Service
	Approvals *staff.Approvals
	Members   *member.Service
	Ledger    *ledger.Service
	Catalog   *catalog.Service
	Sales     *sale.Service
	Events    *event.Dispatcher
	Jobs      *job.Queue
	// LastBackup says when the newest good backup was made; false where none is made by the
	// calendar.
	LastBackup func() (at time.Time, kept bool, err error)
}

// Service keeps the sums and answers from them. It is safe for use by many goroutines.
type Service struct {
	o    Options
	db   *db.DB
	live *feed

	rebuilding sync.Mutex // one at a time
}

// New makes the service and subscribes it.
func New(o Options) *Service {
	s := &Service{o: o, db: o.DB}
	s.live = newFeed(s)
	o.Events.Subscribe(subscription, s.onEvents)
	s.registerJobs()
	return s
}

// onEvents adds a batch of events to the sums. They keep the zone that they were begun in
// until they are rebuilt in another.
func (s *Service) onEvents(ctx context.Context, tx *db.Tx, events []event.Event) error {
	snap := s.o.Program.Snapshot()
	zone, err := s.zone(ctx, tx, snap, events[0].Position)
	if err != nil {
		return err
	}
	t := newTally(zone)
	for i := range events {
		if err := t.add(&events[i]); err != nil {
			return err
		}
	}
	if err := addSums(ctx, tx, t.sums); err != nil {
		return err
	}
	if err := addVisits(ctx, tx, snap, t.visits); err != nil {
		return fmt.Errorf("count active members: %w", err)
	}
	return nil
}

var setZoneSQL = db.Define("insight.setZone", `
	UPDATE rollup
	SET zone = $1
	WHERE one = 1`)

// zone is that of the sums. Where it is not the programme's any more, or the log is older
// than the sums, they are to be rebuilt.
func (s *Service) zone(ctx context.Context, tx *db.Tx, snap *program.Snapshot, first int64) (*time.Location, error) {
	zone, err := zoneOf(ctx, tx)
	if err != nil || zone != nil && zone.String() == snap.Zone.String() {
		return zone, err
	}
	if zone == nil {
		zone = snap.Zone
		if _, err := tx.Exec(ctx, setZoneSQL, zone.String()); err != nil || first == 1 {
			return zone, err
		}
	}
	_, err = job.Enqueue(ctx, tx, job.New{Kind: rebuildKind, UniqueKey: "rollup", Now: s.o.Clock.Now()})
	return zone, err
}
