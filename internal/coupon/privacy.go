package coupon

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/sale"
)

var _ privacy.Part = (*Service)(nil)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "coupons" }

const personPage = 200

// everySQL goes along voucher_of_member.
var everySQL = db.Define("coupon.everyOfMember", `
	SELECT `+voucherColumns+`
	FROM voucher
	WHERE member_id = $1 AND member_id <> 0 AND (state, until_ms, shard, code) > ($2, $3, $4, $5)
	ORDER BY state, until_ms, shard, code
	LIMIT $6`)

// each reads all vouchers of a record, page by page.
func (s *Service) each(ctx context.Context, m int64, fn func(*Voucher) error) error {
	last := &Voucher{Stage: -1}
	for {
		var list []*Voucher
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			return scanVouchers(&list)(tx.Query(ctx, everySQL, m, int64(last.Stage), last.Until, shardIn(last.Code), last.Code, personPage))
		})
		if err != nil {
			return fmt.Errorf("vouchers of member %d: %w", m, err)
		}
		for _, v := range list {
			if err := fn(v); err != nil {
				return err
			}
		}
		if len(list) < personPage {
			return nil
		}
		last = list[len(list)-1]
	}
}

// Export writes which vouchers a person was given, and what became of them.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("vouchers", "code", "coupon", "state", "origin", "claimed_at", "valid_from", "valid_until", "used_at", "uses", "saved", "sale"); err != nil {
		return err
	}
	nowMS := s.nowMS()
	for _, m := range who.Records {
		err := s.each(ctx, int64(m), func(v *Voucher) error {
			code, bought := "", ""
			if c := s.now.Load().coupons[v.Coupon]; c != nil {
				code = c.Code
			}
			if v.Sale != (ledger.LotKey{}) {
				bought = (&sale.Document{Member: v.Sale.Member, Seq: v.Sale.Seq}).ID()
			}
			return to.Row(v.Code, code, v.Standing(nowMS), v.Origin.Kind, cellAt(v.ClaimedMS), cellAt(v.From), cellAt(v.Until), cellAt(v.UsedMS), v.UsedN, v.Off, bought)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// cellAt is an instant of an export; nothing where it did not happen.
func cellAt(ms int64) any {
	if t := moment(ms); t != nil {
		return t.In(time.UTC)
	}
	return nil
}

// Erase is part of privacy.Part. What is kept here says nothing of the person: it lies under a
// number that leads to nobody any more. What they could still use is taken back, so that
// nobody who finds a code uses it in their place.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		err := s.each(ctx, int64(m), func(v *Voucher) error {
			if v.Stage != Claimed || v.UsedN > 0 {
				return nil
			}
			c := &change{member: int64(m), code: v.Code, n: s.now.Load(), merged: true, needs: ledger.Needs{Rows: claimRows(v.Coupon, v.counted())},
				do: func(st *ledger.State, a *ledger.Account, v *Voucher, of *version) error {
					if v.Stage != Claimed || v.UsedN > 0 || v.Member != int64(m) {
						return nil
					}
					v.HoldUntil = 0 // a checkout that is under way ends without it
					return v.revoke(st, a, of.coupon)
				}}
			return s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: c, Actor: "system"}).Err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
