package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
)

var (
	_ privacy.Part = (*Service)(nil)
	_ member.Card  = (*Service)(nil)
)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "plans" }

// personPage is how many rows one snapshot of an export reads.
const personPage = 200

var endedOfSQL = db.Define("plan.endedOf", `
	SELECT n, plan_id, started, paid, ended, why
	FROM plan_ended
	WHERE shard = $1 AND member_id = $2 AND n > $3
	ORDER BY n
	LIMIT $4`)

// Export writes the memberships of a person and what they paid for them.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("memberships", "record", "number", "plan", "standing", "started_on", "last_day", "periods_paid", "ended_why"); err != nil {
		return err
	}
	b, today := s.book(), s.Today()
	code := func(plan int64) string {
		if p := b.byID[plan]; p != nil {
			return p.Code
		}
		return ""
	}
	for _, m := range who.Records {
		got, err := s.read(ctx, m)
		if err != nil {
			return err
		}
		if v := b.view(&got, today); v.Standing.Runs() {
			if err := to.Row(m, v.Number, v.Plan, string(v.Standing), v.StartedOn, v.LastDay, v.Paid, ""); err != nil {
				return err
			}
		}
		if err := s.exportEnded(ctx, m, code, to); err != nil {
			return err
		}
	}
	return s.exportPayments(ctx, who, b, to)
}

func (s *Service) exportEnded(ctx context.Context, m member.ID, code func(int64) string, to privacy.Sheets) error {
	type over struct {
		n, plan, started, paid, ended int64
		why                           string
	}
	for last, more := int64(0), true; more; {
		var page []over
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			page = nil
			read := db.ReadRows(func(rows *db.Rows) error {
				var o over
				err := rows.Scan(&o.n, &o.plan, &o.started, &o.paid, &o.ended, &o.why)
				page = append(page, o)
				return err
			})
			return read(tx.Query(ctx, endedOfSQL, m.Shard(), int64(m), last, personPage))
		})
		if err != nil {
			return fmt.Errorf("memberships of %s: %w", m, err)
		}
		for _, o := range page {
			end := dayText(max(o.ended-1, o.started))
			if err := to.Row(m, o.n, code(o.plan), string(Over), dayText(o.started), end, o.paid, o.why); err != nil {
				return err
			}
			last = o.n
		}
		more = len(page) == personPage
	}
	return nil
}

func (s *Service) exportPayments(ctx context.Context, who privacy.Person, b *book, to privacy.Sheets) error {
	err := to.Sheet("plan_payments", "record", "id", "plan", "number", "first_day", "last_day", "amount", "currency", "method", "reference", "reason", "paid_at", "refunded", "refunded_at", "refund_method", "refund_reference", "refund_reason", "gifts")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		for before := int64(math.MaxInt64); ; {
			list, err := s.periods(ctx, m, before, personPage)
			if err != nil {
				return err
			}
			for i := range list {
				p := &list[i]
				v := b.payment(p)
				var back any
				if p.RefundMS != 0 {
					back = time.UnixMilli(p.RefundMS).UTC()
				}
				err := to.Row(m, v.ID, v.Plan, v.Number, v.FirstDay, v.LastDay, v.Amount, v.Currency, v.Method, v.Reference, v.Reason, v.PaidAt, v.Refunded, back, p.RefundMethod, v.Refund, v.Why, fmt.Sprint(v.Gifts))
				if err != nil {
					return err
				}
				before = p.Seq
			}
			if len(list) < personPage {
				break
			}
		}
	}
	return nil
}

var (
	wipePaymentsSQL = db.Define("plan.wipePayments", `
		UPDATE plan_period
		SET reference = '', reason = '', refund_reference = '', refund_reason = ''
		WHERE shard = $1 AND member_id = $2`)
	wipeChargesSQL = db.Define("plan.wipeCharges", `
		UPDATE plan_charge
		SET url = '', error = '', state = CASE WHEN state IN ('asked', 'authorised') THEN 'failed' ELSE state END
		WHERE shard = $1 AND member_id = $2`)
)

// Erase ends what runs, so that nobody is charged for it any more, and wipes what people wrote
// beside payments. What was paid when stays: it is the shop's book-keeping.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: erase{base{int64(m), s.book()}}, Actor: "system:privacy"})
		if a.Err != nil && !errors.Is(a.Err, ledger.ErrMember) {
			return fmt.Errorf("end the membership of %s: %w", m, a.Err)
		}
		err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if err := ledger.LockAccount(ctx, tx, int64(m)); err != nil {
				return err
			}
			if err := exec(ctx, tx, wipePaymentsSQL, m.Shard(), int64(m)); err != nil {
				return err
			}
			return exec(ctx, tx, wipeChargesSQL, m.Shard(), int64(m))
		})
		if err != nil {
			return fmt.Errorf("wipe payments of %s: %w", m, err)
		}
	}
	return nil
}

// erase ends the membership of a record that is erased, be it merged or not.
type erase struct{ base }

// Decide ends it.
func (c erase) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	m := load(s, a.ID)
	if m.N > 0 && m.Ended == 0 {
		c.book.end(s, a, &m, today(s), Erased)
		m.Auto = false
		m.put(s, 0)
	}
	return struct{}{}, nil
}

func dayText(n int64) string { return program.Day(n).String() }
