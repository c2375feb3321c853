package member

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// An identifier that is taken away from a member may soon be another's. Whoever takes one
// away counts it, in the same transaction; every node looks at the count and forgets all
// owners when it has grown. While it has looked lately, what it remembers is true.

// movedName is the count's row among the sequences.
const movedName = "member.moved"

var (
	countMovedSQL = db.Define("member.countMoved", `
	INSERT INTO sequence (name, next)
	VALUES ($1, 1)
	ON CONFLICT (name) DO UPDATE SET next = sequence.next + 1`)
	movedSQL = db.Define("member.moved", `
	SELECT next
	FROM sequence
	WHERE name = $1`)
)

// moves is what a node knows of the count.
type moves struct {
	count int64        // by the poller only
	until atomic.Int64 // Unix milliseconds until which no identifier moved unseen
}

// trusted is until when kept owners are true whatever their age.
func (m *moves) trusted() time.Time { return time.UnixMilli(m.until.Load()) }

// Run follows what other nodes take away until ctx ends. Without it owners are kept for a
// moment only.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	if s.db.Engine() == db.SQLite {
		return // there is no other node
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := s.follow(ctx); err != nil && ctx.Err() == nil {
			log.Warn("moved identifiers could not be looked at; members are looked up anew", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// follow looks at the count once.
func (s *Service) follow(ctx context.Context) error {
	began := s.clock.Now() // before the look: what is counted after it shows at the next
	var count int64
	err := s.db.Glance(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, movedSQL, movedName).Scan(&count)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if count != s.moves.count {
		s.owner.forgetAll()
		s.moves.count = count
	}
	s.moves.until.Store(began.Add(staleFor).UnixMilli())
	return nil
}
