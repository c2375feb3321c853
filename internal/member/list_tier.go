package member

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Standings tells in which tier members stand. A higher noun does.
type Standings interface {
	// TierCodes gives the code of the tier of each member that stands in one.
	TierCodes(ctx context.Context, tx *db.Tx, ids []ID) (map[ID]string, error)
	// InTier lists up to n members of a tier whose numbers are lower than another, the highest first.
	InTier(ctx context.Context, tx *db.Tx, code string, below ID, n int) ([]ID, error)
}

// listTier lists the members of a tier, the youngest records first.
func (s *Service) listTier(ctx context.Context, q Search, after []int64) (page []Member, next string, err error) {
	last := ID(1 << 62)
	if after != nil {
		last = ID(after[1])
	}
	if s.hooks.Standings == nil {
		return nil, "", nil
	}
	for range maxLooks {
		var ids []ID
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			ids, err = s.hooks.Standings.InTier(ctx, tx, q.Tier, last, q.Limit)
			return err
		})
		if err != nil {
			return nil, "", fmt.Errorf("list members of a tier: %w", err)
		}
		found, err := s.listed(ctx, ids, q)
		if err != nil {
			return nil, "", err
		}
		for _, m := range found {
			if len(page) == q.Limit {
				return page, api.EncodeCursor(0, int64(page[len(page)-1].ID)), nil
			}
			page = append(page, m)
		}
		if len(ids) < q.Limit {
			return page, "", nil
		}
		last = ids[len(ids)-1]
	}
	return page, api.EncodeCursor(0, int64(last)), nil
}
