package app

import (
	"context"
	"errors"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/draw"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/reward"
)

// vouchers lets draws give coupons, which are a noun beside them.
type vouchers struct{ coupons *coupon.Service }

// Prepare is part of draw.Vouchers.
func (v vouchers) Prepare(_ context.Context, ref, of string) (draw.Gift, error) {
	g, err := v.coupons.PrepareGrant(ref, coupon.Origin{Kind: "draw", Ref: of}, 0)
	if err != nil {
		return nil, err
	}
	return voucher{g}, nil
}

// rewardVouchers lets rewards give coupons.
type rewardVouchers struct{ coupons *coupon.Service }

// Prepare is part of reward.Vouchers.
func (v rewardVouchers) Prepare(ref string) (reward.Gift, error) {
	g, err := v.coupons.PrepareGrant(ref, coupon.Origin{Kind: "reward"}, 0)
	if err != nil {
		return nil, err
	}
	return voucher{g}, nil
}

// Back is part of reward.Vouchers.
func (v rewardVouchers) Back(code string) reward.Taking { return taking{v.coupons.PrepareRevoke(code)} }

type taking struct{ *coupon.Revocation }

// Ready is part of reward.Taking.
func (t taking) Ready(s *ledger.State) error {
	err := t.Revocation.Ready(s)
	if errors.Is(err, coupon.ErrUsed) {
		return reward.ErrGiftUsed.Because(err)
	}
	return err
}

type voucher struct{ grant *coupon.Grant }

// Needs looks for the row of the code as for any other: most plays win something else, and do
// not write it.
func (v voucher) Needs(member int64) ledger.Needs {
	n := v.grant.Needs(member)
	n.Rows, n.Fresh = append(n.Rows, n.Fresh...), nil
	return n
}

// Decide is part of draw.Gift.
func (v voucher) Decide(s *ledger.State, a *ledger.Account) (string, error) {
	got, err := v.grant.Decide(s, a)
	if err != nil {
		return "", err
	}
	return got.Code, nil
}
