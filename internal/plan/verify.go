package plan

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// verifyPage is how many memberships are read in one snapshot.
const verifyPage = 1000

var (
	verifySQL = db.Define("plan.verify", `
		SELECT `+memberColumns+`, (
				SELECT COUNT(*)
				FROM plan_period AS p
				WHERE p.shard = m.shard AND p.member_id = m.member_id
			), (
				SELECT COUNT(*)
				FROM plan_ended AS e
				WHERE e.shard = m.shard AND e.member_id = m.member_id AND e.n = m.n
			)
		FROM plan_member AS m
		WHERE (shard, member_id) > ($1, $2)
		ORDER BY shard, member_id
		LIMIT $3`)
	verifyPeriodsSQL = db.Define("plan.verifyPeriods", `
		SELECT member_id, seq
		FROM plan_period
		WHERE refunded < 0 OR refunded > amount OR until_day <= from_day OR (refunded > 0 AND refund_ms = 0)
		ORDER BY shard, member_id, seq
		LIMIT $1`)
)

// Check recomputes what memberships and payments say of each other: a membership is paid until
// the end of its last period, its rows are all there, it is over if and only if it is among
// those that are, and no more was given back than was paid.
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "plans", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		b := s.book()
		for at, more := (place{shard: -1}), true; more; {
			err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				at, more, err = b.verify(ctx, tx, at, found)
				return err
			})
			if err != nil {
				return err
			}
		}
		return d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			read := db.ReadRows(func(rows *db.Rows) error {
				var p Period
				err := rows.Scan(&p.Member, &p.Seq)
				found(ledger.Finding{Invariant: "plans", Where: p.PublicID(), EN: "more was given back than was paid, or the period has no day", ZH: "退款超过付款，或周期天数无效"})
				return err
			})
			return read(tx.Query(ctx, verifyPeriodsSQL, verifyPage))
		})
	}}
}

// verify looks at a page of memberships.
func (b *book) verify(ctx context.Context, tx *db.Tx, after place, found func(ledger.Finding)) (last place, more bool, err error) {
	last = after
	n := 0
	read := db.ReadRows(func(rows *db.Rows) error {
		v, err := scanRow(rows, 20, 10)
		if err != nil {
			return err
		}
		n++
		m := membershipOf(v)
		last = place{v[0].(int64), m.Member}
		tell := func(en, zh string) {
			found(ledger.Finding{Invariant: "plans", Where: "member " + member.ID(m.Member).String(), EN: en, ZH: zh})
		}
		if n := v[18].(int64); n != m.Periods {
			tell(fmt.Sprintf("%d payments are there, the membership counts %d", n, m.Periods), fmt.Sprintf("付款记录 %d 条，会员资格记为 %d 条", n, m.Periods))
		}
		if over := v[19].(int64) > 0; over != (m.Ended != 0) && m.Why != Merged {
			tell("it is over and not among those that are, or the other way round", "结束状态与结束记录不一致")
		}
		if p := b.byID[m.Plan]; p != nil && m.Until != p.Terms.Every.After(m.Anchor, m.Paid) {
			tell(fmt.Sprintf("it is paid until %s, its %d periods end elsewhere", m.Until, m.Paid), fmt.Sprintf("记为付费至 %s，与 %d 期不符", m.Until, m.Paid))
		}
		return nil
	})
	err = read(tx.Query(ctx, verifySQL, after.shard, after.member, verifyPage))
	return last, n == verifyPage, err
}
