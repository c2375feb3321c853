package draw

import (
	"context"

	"github.com/patron-loyalty/patron/internal/ledger"
)

// Gift is a coupon that is ready to be given to whoever wins it. Each play prepares its own, so
// a code that it bears is given once.
type Gift interface {
	// Needs is what giving it to a member needs loaded.
	Needs(member int64) ledger.Needs
	// Decide gives it, and returns its code. Where it refuses it has changed nothing: the prize
	// is then owed, by the pick-up code of the play.
	Decide(s *ledger.State, a *ledger.Account) (code string, err error)
}

// Vouchers are the coupons that draws can give. App says who keeps them.
type Vouchers interface {
	// Prepare finds a coupon by id or code and makes one ready to be given by a draw.
	Prepare(ctx context.Context, ref, draw string) (Gift, error)
}
