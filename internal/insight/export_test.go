package insight

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
)

// Apply is the subscriber.
func (s *Service) Apply(ctx context.Context, tx *db.Tx, events []event.Event) error {
	return s.onEvents(ctx, tx, events)
}

// MaskName is for tests.
var MaskName = maskName
