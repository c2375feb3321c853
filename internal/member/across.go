package member

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/staff"
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

// NameAll writes into the items of a list what their members are called, for a caller who may
// read members. of gives an item's member, as the API writes the id, and where the name goes.
func NameAll[T any](ctx context.Context, s *Service, list []T, of func(*T) (id string, name *string)) error {
	if !api.CallerOf(ctx).Can[staff.ReadMembers] {
		return nil
	}
	ids := make([]ID, len(list))
	for i := range list {
		text, _ := of(&list[i])
		ids[i], _ = ParseID(text) // 0, whom nobody is, where there is no member
	}
	names, err := s.Names(ctx, ids)
	for i := range list {
		_, name := of(&list[i])
		*name = names[ids[i]]
	}
	return err
}
