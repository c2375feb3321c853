package ledger

import (
	"context"

	"github.com/patron-loyalty/patron/internal/member"
)

// MergeAccounts is the first half of Merge: for a test that cuts it there.
func (s *Service) MergeAccounts(ctx context.Context, l member.Link) error {
	return s.move(ctx, l, false)
}
