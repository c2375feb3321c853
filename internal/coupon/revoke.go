package coupon

import (
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// takeOne counts one under a limit, or gives what to say where none is left.
func takeOne(st *ledger.State, k quota.Key, most int64, spent error) error {
	if most > 0 {
		if err := quota.Related(st, k); err != nil {
			return err
		}
	}
	if quota.Left(st, k, quota.Limit{N: most}).N == 0 {
		return spent
	}
	return quota.Take(st, k, quota.Limit{N: most}, 1, 0)
}

// claimRows are the counts of vouchers that are issued: of all, and of a member.
func claimRows(coupon, member int64) []ledger.RowKey {
	rows := []ledger.RowKey{claimKey(coupon, 0).Row()}
	if member > 0 {
		rows = append(rows, claimKey(coupon, member).Row())
	}
	return rows
}

// revoke takes a voucher back that was not used. Who was given it first is who it counted for:
// a gift does not change that.
func (v *Voucher) revoke(st *ledger.State, a *ledger.Account, of *Coupon) error {
	if err := v.revocable(st.NowMS); err != nil || v.Stage == Revoked {
		return err
	}
	who := v.counted()
	if err := st.Require(ledger.Needs{Rows: claimRows(v.Coupon, who)}); err != nil {
		return err
	}
	quota.Return(st, claimKey(v.Coupon, 0), 1, 0)
	if who > 0 {
		quota.Return(st, claimKey(v.Coupon, who), 1, 0)
	}
	v.Stage, v.Gift, v.HoldBy = Revoked, "", 0
	v.step(st, a, of, Step{Kind: StepRevoked}, nil)
	return nil
}

// revocable refuses to take back what was used, or is held.
func (v *Voucher) revocable(nowMS int64) error {
	switch {
	case v.Stage == Revoked:
		return nil
	case v.UsedN > 0 || v.Stage == Redeemed:
		return ErrUsed
	case v.held(nowMS, 0):
		return ErrHeld.With("until", timeOf(v.HoldUntil).Format("15:04:05"))
	}
	return nil
}

// Revocation is a voucher that another noun takes back within its own posting.
type Revocation struct {
	code string
	n    *snapshot
}

// PrepareRevoke makes ready to take a voucher back, whoever holds it.
func (s *Service) PrepareRevoke(code string) *Revocation {
	return &Revocation{fold(code), s.now.Load()}
}

// Ready asks for what is missing, and refuses what was used or is held by a checkout. It changes
// nothing.
func (r *Revocation) Ready(st *ledger.State) error {
	if err := st.Require(ledger.Needs{Rows: []ledger.RowKey{voucherRow(r.code)}}); err != nil {
		return err
	}
	v := load(st, r.code)
	if v == nil || r.n.of(v.Coupon, v.Version) == nil {
		return ErrUnknown
	}
	if err := v.revocable(st.NowMS); err != nil {
		return err
	}
	return st.Require(ledger.Needs{Rows: claimRows(v.Coupon, v.counted())})
}

// Decide takes it back; the event is told of the account. After Ready it does not refuse.
func (r *Revocation) Decide(st *ledger.State, a *ledger.Account) error {
	v := load(st, r.code)
	return v.revoke(st, a, r.n.of(v.Coupon, v.Version).coupon)
}
