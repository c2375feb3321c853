package coupon

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/member"
)

// Again sends the first slice of a sending once more, as a job would that read its place before
// another moved it on; then it does what is left.
func (s *Service) Again(ctx context.Context, n int64) error {
	b, err := s.batch(ctx, n)
	if err != nil {
		return err
	}
	b.Place = 0
	if _, err := s.sendNext(ctx, b); err != nil {
		return err
	}
	return s.runOut(ctx, n, func(*Batch) {})
}

// Occur gives what a step of a member's life gives, as a job of it would that is told once more.
func (s *Service) Occur(ctx context.Context, on string, m int64, period, tier string) error {
	return s.grantFor(ctx, occasion{On: on, Member: member.ID(m), Period: period, Tier: tier})
}

// Told hands events on once more, as after a dispatcher that died before it wrote how far it was.
func (s *Service) Told(ctx context.Context, events []event.Event) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error { return s.onSteps(ctx, tx, events) })
}
