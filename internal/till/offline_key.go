package till

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// offlineKey signs snapshots. The first is made when the first snapshot is asked for; a new one
// takes its place by hand. What an old one has signed stays good.
type offlineKey struct {
	ID            int64
	made, retired int64 // Unix milliseconds; 0 is not retired
	public        ed25519.PublicKey
	private       ed25519.PrivateKey // of the one that signs, once it was opened
	sealed        []byte
}

var (
	keysSQL = db.Define("till.offlineKeys", `
		SELECT id, made_ms, retired_ms, public, sealed
		FROM offline_key
		ORDER BY id DESC
		LIMIT $1`)
	keySQL = db.Define("till.offlineKey", `
		SELECT id, made_ms, retired_ms, public, sealed
		FROM offline_key
		WHERE id = $1`)
	addKeySQL = db.Define("till.addOfflineKey", `
		INSERT INTO offline_key (id, made_ms, retired_ms, public, sealed)
		VALUES ($1, $2, 0, $3, $4)
		ON CONFLICT (id) DO NOTHING`)
	retireKeysSQL = db.Define("till.retireOfflineKeys", `
		UPDATE offline_key SET retired_ms = $2
		WHERE id < $1 AND retired_ms = 0`)
	rewrapKeySQL = db.Define("till.rewrapOfflineKey", `
		UPDATE offline_key SET sealed = $3
		WHERE id = $1 AND sealed = $2`)
)

// maxKeys is how many keys a list shows: one a month for ten years.
const maxKeys = 120

func keyAAD(n int64) []byte { return []byte("offline key " + strconv.FormatInt(n, 10)) }

func scanKey(row interface{ Scan(...any) error }) (*offlineKey, error) {
	var k offlineKey
	var public []byte
	err := row.Scan(&k.ID, &k.made, &k.retired, &public, &k.sealed)
	k.public = public
	return &k, err
}

func keysIn(ctx context.Context, tx *db.Tx, most int) (list []*offlineKey, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		k, err := scanKey(rows)
		list = append(list, k)
		return err
	})(tx.Query(ctx, keysSQL, most))
	return list, err
}

// OfflineKeys lists the keys, the newest first.
func (s *Service) OfflineKeys(ctx context.Context) (list []*offlineKey, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		list, err = keysIn(ctx, tx, maxKeys)
		return err
	})
	return list, err
}

// signingKey is the newest key, opened; the first is made here.
func (s *Service) signingKey(ctx context.Context) (*offlineKey, error) {
	for range 2 {
		list, err := s.OfflineKeys(ctx)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			k := list[0]
			seed, err := s.o.Box.OpenBytes(k.sealed, keyAAD(k.ID))
			if err != nil || len(seed) != ed25519.SeedSize {
				return nil, errNoKey.Because(err)
			}
			k.private = ed25519.NewKeyFromSeed(seed)
			return k, nil
		}
		if err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.addKey(ctx, tx, 1) }); err != nil {
			return nil, err
		}
	}
	return nil, errNoKey
}

// addKey makes a key of a number. One that is there already stays.
func (s *Service) addKey(ctx context.Context, tx *db.Tx, n int64) error {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if _, err := tx.Exec(ctx, addKeySQL, n, s.o.Clock.Now().UnixMilli(), []byte(public), s.o.Box.SealBytes(seed, keyAAD(n))); err != nil {
		return fmt.Errorf("make an offline key: %w", err)
	}
	return nil
}

// RotateOfflineKey makes a new key. What the old one signed until now stays good.
func (s *Service) RotateOfflineKey(ctx context.Context) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err := keysIn(ctx, tx, 1)
		if err != nil {
			return err
		}
		next := int64(1)
		if len(list) > 0 {
			next = list[0].ID + 1
		}
		if err := s.addKey(ctx, tx, next); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, retireKeysSQL, next, s.o.Clock.Now().UnixMilli()); err != nil {
			return fmt.Errorf("retire offline keys: %w", err)
		}
		return s.o.Audit.Record(ctx, tx, "offline.key", strconv.FormatInt(next, 10), nil, nil)
	})
}

// verifyingKey is the key of a number, nil where there is none.
func (s *Service) verifyingKey(ctx context.Context, n int64) (k *offlineKey, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		k, err = scanKey(tx.QueryRow(ctx, keySQL, n))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return k, err
}

// Rewrap brings the private halves under the newest wrapping key.
func (s *Service) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	list, err := s.OfflineKeys(ctx)
	if err != nil {
		return 0, err
	}
	for _, k := range list {
		fresh, changed, err := s.o.Box.RewrapBytes(k.sealed, keyAAD(k.ID))
		if err != nil {
			return moved, fmt.Errorf("offline key %d: %w", k.ID, err)
		}
		if !changed {
			continue
		}
		err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, rewrapKeySQL, k.ID, k.sealed, fresh)
			return err
		})
		if err != nil {
			return moved, err
		}
		moved++
		progress(moved)
	}
	return moved, nil
}

func timeOrNil(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
