package staff

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

var (
	// ErrKeyOver refuses to rotate a key that is not good any more.
	ErrKeyOver = errs.New(errs.Conflict, "staff.key_over", "This key is revoked or has expired; make a new one.", "此密钥已吊销或过期，请新建密钥。")
	// ErrRotated refuses to rotate a key twice.
	ErrRotated = errs.New(errs.Conflict, "staff.key_rotated", "Another key has taken the place of this one already; rotate that one.", "此密钥已被新密钥取代，请轮换新密钥。")
)

// RotateKey makes a key that may do what another may, and lets that one go on for an
// overlap, so that machines can be given the new one without a pause; zero ends the old
// one at once. The new key is good for as long as the old one was made for. It returns the
// new key with its secret, which nobody can read again.
func (s *Service) RotateKey(ctx context.Context, n int64, overlap time.Duration) (Key, string, error) {
	number, err := s.db.NextID(ctx, "key")
	if err != nil {
		return Key{}, "", err
	}
	var fresh Key
	var secret string
	err = s.takeAway(ctx, func(ctx context.Context, tx *db.Tx) error {
		old, err := readKey(ctx, tx, n)
		if err != nil {
			return err
		}
		if err := mayMakeKey(ctx, old.Scopes, old.Test); err != nil {
			return err
		}
		now := s.clock.Now()
		fresh = old.successor(number, now, api.CallerOf(ctx).ID)
		secret = fresh.newSecret()
		if err := retireKey(ctx, tx, n, now, now.Add(overlap)); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, fresh, hashOf(secret)); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx, "key.rotate", fresh.PublicID(), old.trail(), fresh.trail())
	})
	if err != nil {
		return Key{}, "", err
	}
	return fresh, secret, nil
}

// successor is a key that takes the place of k.
func (k Key) successor(number int64, now time.Time, by string) Key {
	fresh := k
	fresh.ID, fresh.Replaces, fresh.CreatedBy = number, k.ID, by
	fresh.Created, fresh.Used, fresh.Revoked = now, time.Time{}, time.Time{}
	if !k.Until.IsZero() {
		fresh.Until = now.Add(k.Until.Sub(k.Created))
	}
	return fresh
}

var retireKeySQL = db.Define("staff.retireKey", `
	UPDATE api_key SET until_ms = CASE WHEN until_ms < $3 THEN until_ms ELSE CAST($3 AS BIGINT) END
	WHERE id = $1 AND revoked_ms IS NULL AND (until_ms IS NULL OR until_ms > $2)
		AND NOT EXISTS (SELECT 1 FROM api_key successor WHERE successor.replaces = $1)`)

// retireKey lets a key end at a time, if it is good and nothing has taken its place.
func retireKey(ctx context.Context, tx *db.Tx, n int64, now, until time.Time) error {
	changed, err := tx.Exec(ctx, retireKeySQL, n, now.UnixMilli(), until.UnixMilli())
	if err != nil || changed == 1 {
		return err
	}
	k, err := readKey(ctx, tx, n)
	switch {
	case err != nil:
		return err
	case !k.Revoked.IsZero() || !k.Until.IsZero() && !now.Before(k.Until):
		return ErrKeyOver
	}
	return ErrRotated
}
