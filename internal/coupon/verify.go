package coupon

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// verifyPage is how many vouchers are read in one snapshot.
const verifyPage = 2_000

var (
	verifySQL = db.Define("coupon.verify", `
		SELECT `+voucherColumns+`
		FROM voucher
		WHERE coupon_id = $1 AND (issued_ms, shard, code) > ($2, $3, $4)
		ORDER BY issued_ms, shard, code
		LIMIT $5`)
	verifyStepsSQL = db.Define("coupon.verifySteps", `
		SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(CASE step WHEN 4 THEN amount WHEN 5 THEN 0 - amount ELSE 0 END), 0) AS BIGINT)
		FROM voucher_step
		WHERE shard = $1 AND code = $2`)
)

// Check recomputes what the counters of coupons say from the vouchers: issued is the vouchers
// that were not taken back, and of coupons without a shared code uses and money are the sums of
// theirs; no voucher was used more often than it can be, and each one's history has as many steps
// as it says and adds up to what it took off.
//
// It reads beside a server that goes on. A coupon of which something is used while it is read is
// read again, a few times; then it is left for the next time.
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "coupons", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		if err := s.Refresh(ctx); err != nil {
			return err
		}
		n := s.now.Load()
		for _, c := range n.coupons {
			if err := s.checkOne(ctx, d, n, c, found); err != nil {
				return fmt.Errorf("verify coupon %s: %w", c.Code, err)
			}
		}
		return nil
	}}
}

// added is what vouchers of a coupon add up to.
type added struct{ issued, uses, off int64 }

const verifyTurns = 5

func (s *Service) checkOne(ctx context.Context, d *db.DB, n *snapshot, c *Coupon, found func(ledger.Finding)) error {
	for range verifyTurns {
		before, err := s.totals(ctx, []*Coupon{c})
		if err != nil {
			return err
		}
		var sum added
		var wrong []ledger.Finding
		if err := s.sum(ctx, d, n, c, &sum, func(f ledger.Finding) { wrong = append(wrong, f) }); err != nil {
			return err
		}
		after, err := s.totals(ctx, []*Coupon{c})
		if err != nil {
			return err
		}
		is, now := before[c.ID], after[c.ID]
		if is.claims.Used != now.claims.Used || is.uses.Used != now.uses.Used || is.uses.Amount != now.uses.Amount {
			continue
		}
		tell := func(what string, counted, summed int64) {
			if counted != summed {
				wrong = append(wrong, finding(c.PublicID(), fmt.Sprintf("%s: the counter says %d, the vouchers %d", what, counted, summed), fmt.Sprintf("%s：计数为 %d，按券统计为 %d", what, counted, summed)))
			}
		}
		tell("issued", now.claims.Used, sum.issued)
		if c.Terms.SharedCode == "" {
			tell("uses", now.uses.Used, sum.uses)
			tell("off", now.uses.Amount, sum.off)
		}
		for _, f := range wrong {
			found(f)
		}
		return nil
	}
	return nil
}

// finding is what the check found out about a coupon or voucher.
func finding(where, en, zh string) ledger.Finding {
	return ledger.Finding{Invariant: "C1", Where: where, EN: en, ZH: zh}
}

// sum adds up the vouchers of a coupon, and looks at each.
func (s *Service) sum(ctx context.Context, d *db.DB, n *snapshot, c *Coupon, to *added, found func(ledger.Finding)) error {
	last := &Voucher{IssuedMS: minMS}
	for {
		var list []*Voucher
		err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			if err := scanVouchers(&list)(tx.Query(ctx, verifySQL, c.ID, last.IssuedMS, shardIn(last.Code), last.Code, verifyPage)); err != nil {
				return err
			}
			for _, v := range list {
				if v.steps == 0 {
					continue
				}
				var steps, off int64
				if err := tx.QueryRow(ctx, verifyStepsSQL, shardOfCode(v.Code), v.Code).Scan(&steps, &off); err != nil {
					return err
				}
				if steps != v.steps || off != v.Off {
					found(finding(v.Code, fmt.Sprintf("it says %d steps that took off %d, and has %d that took off %d", v.steps, v.Off, steps, off), fmt.Sprintf("应有 %d 条记录、共减 %d，实有 %d 条、共减 %d", v.steps, v.Off, steps, off)))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, v := range list {
			if v.Stage != Revoked {
				to.issued++
			}
			to.uses, to.off = to.uses+v.UsedN, to.off+v.Off
			if of := n.of(v.Coupon, v.Version); of != nil && (v.UsedN > of.terms.uses() || v.UsedN < 0 || v.Stage == Redeemed && v.UsedN == 0) {
				found(finding(v.Code, fmt.Sprintf("it was used %d times, of %d", v.UsedN, of.terms.uses()), fmt.Sprintf("已使用 %d 次，最多 %d 次", v.UsedN, of.terms.uses())))
			}
		}
		if len(list) < verifyPage {
			return nil
		}
		last = list[len(list)-1]
	}
}
