package portal

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/privacy"
)

var (
	_ api.Authenticator = (*Service)(nil)
	_ privacy.Part      = (*Service)(nil)
)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "portal" }

// Export writes where the member is signed in.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("portal_sessions", "record", "id", "device", "started_at", "seen_at"); err != nil {
		return err
	}
	for _, m := range who.Records {
		var list []Session
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			list, err = readSessions(ctx, tx, m)
			return err
		})
		if err != nil {
			return err
		}
		for _, x := range list {
			if err := to.Row(m, x.ID(), x.Device, x.Started, x.Seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// Erase ends the sessions. Codes and counts hold keyed hashes and go within a day.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, m := range e.Records {
			if _, err := tx.Exec(ctx, deleteSessionsSQL, m.Shard(), int64(m)); err != nil {
				return fmt.Errorf("end sessions of member %d: %w", m, err)
			}
		}
		return nil
	})
}

const (
	purgeKind  = "portal.purge"
	purgeSlice = 500            // rows of one transaction
	countLife  = 24 * time.Hour // how long a count is kept that nobody adds to
)

var (
	purgeCodesSQL = db.Define("portal.purgeCodes", `
		DELETE FROM portal_code
		WHERE (shard, hash) IN (SELECT shard, hash FROM portal_code WHERE until_ms <= $1 ORDER BY until_ms, shard, hash LIMIT $2)`)
	purgeCountsSQL = db.Define("portal.purgeCounts", `
		DELETE FROM portal_count
		WHERE (shard, hash) IN (SELECT shard, hash FROM portal_count WHERE last_ms <= $1 ORDER BY last_ms, shard, hash LIMIT $2)`)
	purgeSessionsSQL = db.Define("portal.purgeSessions", `
		DELETE FROM portal_session
		WHERE (shard, member_id, id) IN (SELECT shard, member_id, id FROM portal_session WHERE seen_ms <= $1 ORDER BY seen_ms, shard, member_id, id LIMIT $2)`)
)

// purge removes codes, counts and sessions that are over.
func (s *Service) purge(ctx context.Context, _ *job.Run) error {
	now := s.o.Clock.Now()
	for _, p := range []struct {
		stmt   *db.Stmt
		before time.Time
	}{{purgeCodesSQL, now}, {purgeCountsSQL, now.Add(-countLife)}, {purgeSessionsSQL, now.Add(-idleLimit)}} {
		for n := int64(purgeSlice); n == purgeSlice; {
			err := s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				n, err = tx.Exec(ctx, p.stmt, p.before.UnixMilli(), purgeSlice)
				return err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", p.stmt.Name(), err)
			}
		}
	}
	return nil
}
