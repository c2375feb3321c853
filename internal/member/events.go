package member

import (
	"context"

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
		// Where the store of joining changed: from which to which, and when they joined, so that
		// whoever counts joinings by store can move one.
		Joining *joining `json:"joining,omitempty"`
	}
	joining struct {
		FromStore int64 `json:"from_store"`
		ToStore   int64 `json:"to_store"`
		JoinedMS  int64 `json:"joined_ms"`
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
