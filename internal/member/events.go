package member

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// The bodies of this noun's events. None holds a personal value.
type (
	joinedBody struct {
		Source   string   `json:"source,omitempty"`
		Store    int64    `json:"store,omitempty"`
		Kinds    []Kind   `json:"identifiers"` // their kinds
		Consents []string `json:"consents,omitempty"`
		History  bool     `json:"history,omitempty"` // imported from the past: nobody is greeted
	}
	changedBody struct {
		Fields []string `json:"fields"` // names, no values
	}
	taggedBody struct {
		Added   []string `json:"added,omitempty"`
		Removed []string `json:"removed,omitempty"`
	}
	verifiedBody struct {
		Kind Kind `json:"kind"`
	}
	mergedBody struct {
		From ID     `json:"from"`
		Into ID     `json:"into"`
		By   string `json:"by,omitempty"` // public id of who did it
	}
)

// tell appends an event of a member that happens now.
func (s *Service) tell(ctx context.Context, tx *db.Tx, kind string, m ID, body any) error {
	return tellAt(ctx, tx, kind, m, s.clock.Now().UnixMilli(), body)
}

func tellAt(ctx context.Context, tx *db.Tx, kind string, m ID, atMS int64, body any) error {
	return event.Append(ctx, tx, event.Event{Kind: kind, Shard: m.Shard(), Member: int64(m), AtMS: atMS, Body: event.MustBody(body)})
}

// Timeline lists the events of a member and of the records merged into it, newest first,
// before a position (0 for the newest).
func (s *Service) Timeline(ctx context.Context, ref Ref, before int64, limit int) ([]event.Event, error) {
	m, err := s.Trace(ctx, ref)
	if err != nil {
		return nil, err
	}
	var list []event.Event
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = list[:0]
		merged, err := mergedInto(ctx, tx, m)
		if err != nil {
			return err
		}
		for _, who := range append([]ID{m}, merged...) {
			part, err := event.ListMember(ctx, tx, who.Shard(), int64(who), before, limit)
			if err != nil {
				return err
			}
			list = append(list, part...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("timeline of member %d: %w", m, err)
	}
	slices.SortFunc(list, func(a, b event.Event) int { return int(b.Position - a.Position) })
	return list[:min(limit, len(list))], nil
}
