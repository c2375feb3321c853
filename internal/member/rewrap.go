package member

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// rewrapPage is how many members one transaction moves: it stays under the 5 ms that
// background work may take.
const rewrapPage = 100

var wrappedSQL = db.Define("member.wrapped", `
	SELECT id, wrapped_key
	FROM member
	WHERE (shard, id) > ($1, $2) AND erased_ms = 0
	ORDER BY shard, id
	LIMIT $3`)

// rewrapSQL takes the place of the wrapped key that was read, and of no other: an erasure
// meanwhile stays one.
var rewrapSQL = db.Define("member.rewrap", `
	UPDATE member
	SET wrapped_key = $4
	WHERE shard = $1 AND id = $2 AND wrapped_key = $3`)

// Rewrap brings every member's key under the primary wrapping key, beside all other work,
// and returns how many it moved. It may be stopped and started anew at any time. Once it
// returns 0, and every node has run with the new key file since before it began, the older
// wrapping keys can be retired. progress, which may be nil, hears how many were moved.
func (s *Service) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	shard, last := int16(-1), ID(0)
	for {
		page, err := s.wrappedAfter(ctx, shard, last)
		if err != nil || len(page) == 0 {
			return moved, err
		}
		n, err := s.rewrap(ctx, page)
		if err != nil {
			return moved, fmt.Errorf("rewrap keys after member %d: %w", last, err)
		}
		if moved += n; n > 0 && progress != nil {
			progress(moved)
		}
		last = page[len(page)-1].id
		shard = last.Shard()
	}
}

func (s *Service) wrappedAfter(ctx context.Context, shard int16, last ID) ([]record, error) {
	var page []record
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		page = page[:0]
		return db.ReadRows(func(rows *db.Rows) error {
			var r record
			err := rows.Scan(&r.id, &r.wrapped)
			page = append(page, r)
			return err
		})(tx.Query(ctx, wrappedSQL, shard, int64(last), rewrapPage))
	})
	if err != nil {
		return nil, fmt.Errorf("read wrapped keys after member %d: %w", last, err)
	}
	return page, nil
}

// rewrap moves a page. What is under the primary key already is not written.
func (s *Service) rewrap(ctx context.Context, page []record) (moved int64, err error) {
	fresh := map[ID][]byte{}
	for _, r := range page {
		wrapped, changed, err := s.box.Rewrap(r.wrapped)
		if err != nil {
			return 0, fmt.Errorf("member %d: %w", r.id, err)
		}
		if changed {
			fresh[r.id] = wrapped
		}
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	err = s.db.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		moved = 0
		for _, r := range page {
			wrapped, ok := fresh[r.id]
			if !ok {
				continue
			}
			n, err := tx.Exec(ctx, rewrapSQL, r.id.Shard(), int64(r.id), r.wrapped, wrapped)
			if err != nil {
				return err
			}
			moved += n
		}
		return nil
	})
	return moved, err
}
