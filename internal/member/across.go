package member

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// Line is a member as lists show them: identifiers are masked.
type Line = lineView

// Lines is List as the API shows it.
func (s *Service) Lines(ctx context.Context, q Search) ([]Line, error) {
	page, _, err := s.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]Line, len(page))
	for i, m := range page {
		out[i] = viewLine(m)
	}
	return out, nil
}

// Names reads the names of members, "" for those who gave none or were erased. Who was
// merged has the name of their own record.
func (s *Service) Names(ctx context.Context, ids []ID) (map[ID]string, error) {
	out := make(map[ID]string, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return rowsSQL.Query(ctx, tx, pairArgs(ids), func(rows *db.Rows) error {
			r, err := s.readRecord(rows)
			if err == nil {
				out[r.id] = r.personal.Name
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of %d members: %w", len(ids), err)
	}
	return out, nil
}
