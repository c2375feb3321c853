package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// ErrMonth refuses what is no month.
var ErrMonth = errs.New(errs.Invalid, "plan.month", "A month is written like 2026-03.", "月份格式如 2026-03。")

// Figures are what plans brought in a month.
type Figures struct {
	Month    string       `json:"month" doc:"The month, in the programme's zone."`
	Currency string       `json:"currency" doc:"ISO 4217 code of the programme's money, which all plans are sold in."`
	Plans    []PlanFigure `json:"plans" doc:"By plan, the oldest first."`
	Total    PlanFigure   `json:"total" doc:"All of them."`
}

// PlanFigure is what one plan brought.
type PlanFigure struct {
	Plan      string `json:"plan,omitempty" doc:"Code of the plan."`
	NameEN    string `json:"name_en,omitempty" doc:"English name."`
	NameZH    string `json:"name_zh,omitempty" doc:"Chinese name."`
	Trial     int64  `json:"trial" doc:"Members in the trial today."`
	Active    int64  `json:"active" doc:"Members who have paid, today."`
	Cancelled int64  `json:"cancelled_at_end" doc:"Members who have cancelled at the end of what is paid, today."`
	Grace     int64  `json:"grace" doc:"Members whose payment is awaited, today."`

	Revenue  int64 `json:"revenue" doc:"Payments recorded in the month, in minor units."`
	Payments int64 `json:"payments" doc:"How many."`
	Refunds  int64 `json:"refunds" doc:"What was given back in the month."`
	Net      int64 `json:"net" doc:"Revenue less refunds."`

	Before int64    `json:"paying_before" doc:"Paid memberships that ran as the month began."`
	Begun  int64    `json:"begun" doc:"Memberships that were first paid for in the month."`
	Ended  int64    `json:"ended" doc:"Paid memberships that ended in the month."`
	Churn  *float64 `json:"churn,omitempty" doc:"ended ÷ paying_before; absent where nobody was."`
}

var (
	standingsSQL = db.Define("plan.standings", `
		SELECT plan_id,
			CASE
				WHEN ended > 0 AND ended <= $1 THEN 'ended'
				WHEN $1 < until_day AND cancelled = 1 THEN 'cancelled_at_end'
				WHEN $1 < anchor THEN 'trial'
				WHEN $1 < until_day THEN 'active'
				WHEN cancelled = 1 OR $1 >= until_day + grace THEN 'ended'
				ELSE 'grace'
			END AS standing, COUNT(*)
		FROM plan_member
		WHERE ended = 0 OR ended > $1
		GROUP BY 1, 2
		ORDER BY 1, 2`)
	revenueSQL = db.Define("plan.revenue", `
		SELECT plan_id, CAST(COALESCE(SUM(amount), 0) AS BIGINT), COUNT(*), CAST(COALESCE(SUM(CASE WHEN k = 1 THEN 1 ELSE 0 END), 0) AS BIGINT)
		FROM plan_period
		WHERE paid_day >= $1 AND paid_day < $2
		GROUP BY plan_id
		ORDER BY plan_id`)
	refundsSQL = db.Define("plan.refunds", `
		SELECT plan_id, CAST(COALESCE(SUM(refunded), 0) AS BIGINT)
		FROM plan_period
		WHERE refund_day > 0 AND refund_day >= $1 AND refund_day < $2
		GROUP BY plan_id
		ORDER BY plan_id`)
	// payingSQL counts those that run and those that ended after the day.
	payingSQL = db.Define("plan.paying", `
		SELECT plan_id, CAST(SUM(n) AS BIGINT)
		FROM (
			SELECT plan_id, COUNT(*) AS n
			FROM plan_member
			WHERE ended = 0 AND paid > 0 AND anchor < $1
			GROUP BY plan_id
			UNION ALL
			SELECT plan_id, COUNT(*) AS n
			FROM plan_ended
			WHERE ended > $1 AND paid > 0 AND anchor < $1
			GROUP BY plan_id
		) AS x
		GROUP BY plan_id
		ORDER BY plan_id`)
	churnSQL = db.Define("plan.churn", `
		SELECT plan_id, COUNT(*)
		FROM plan_ended
		WHERE ended > $1 AND ended <= $2 AND paid > 0
		GROUP BY plan_id
		ORDER BY plan_id`)
)

// Figures adds up a month ("2026-03"), this one where it is empty.
func (s *Service) Figures(ctx context.Context, month string) (*Figures, error) {
	now := s.o.Program.Snapshot()
	today := s.Today()
	if month == "" {
		month = today.String()[:7]
	}
	begin, err := time.Parse("2006-01", month)
	if err != nil || begin.Year() < 1970 {
		return nil, ErrMonth.At("query.month")
	}
	from, until := dayOfDate(begin), dayOfDate(begin.AddDate(0, 1, 0))
	f := &Figures{Month: month, Currency: now.Settings.Currency, Plans: []PlanFigure{}}
	b := s.book()
	rows := map[int64]*PlanFigure{}
	f.Plans = make([]PlanFigure, len(b.list))
	for i, p := range b.list {
		f.Plans[i] = PlanFigure{Plan: p.Code, NameEN: p.Terms.NameEN, NameZH: p.Terms.NameZH}
		rows[p.ID] = &f.Plans[i]
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return fill(ctx, tx, rows, today, from, until)
	})
	if err != nil {
		return nil, fmt.Errorf("figures of plans: %w", err)
	}
	for i := range f.Plans {
		f.Plans[i].finish()
		f.Total.add(&f.Plans[i])
	}
	f.Total.finish()
	return f, nil
}

func dayOfDate(t time.Time) program.Day { return program.DayOf(t, time.UTC) }

// fill reads the figures of all plans.
func fill(ctx context.Context, tx *db.Tx, rows map[int64]*PlanFigure, today, from, until program.Day) error {
	of := func(n int64) *PlanFigure {
		if rows[n] == nil { // a plan that came meanwhile
			return &PlanFigure{}
		}
		return rows[n]
	}
	standings := db.ReadRows(func(r *db.Rows) error {
		var plan, n int64
		var st Standing
		if err := r.Scan(&plan, &st, &n); err != nil {
			return err
		}
		switch p := of(plan); st {
		case Trial:
			p.Trial = n
		case Active:
			p.Active = n
		case Cancelled:
			p.Cancelled = n
		case Grace:
			p.Grace = n
		}
		return nil
	})
	if err := standings(tx.Query(ctx, standingsSQL, int64(today))); err != nil {
		return err
	}
	revenue := db.ReadRows(func(r *db.Rows) error {
		var plan, sum, n, first int64
		err := r.Scan(&plan, &sum, &n, &first)
		p := of(plan)
		p.Revenue, p.Payments, p.Begun = sum, n, first
		return err
	})
	if err := revenue(tx.Query(ctx, revenueSQL, int64(from), int64(until))); err != nil {
		return err
	}
	one := func(to func(*PlanFigure) *int64) func(*db.Rows, error) error {
		return db.ReadRows(func(r *db.Rows) error {
			var plan, n int64
			err := r.Scan(&plan, &n)
			*to(of(plan)) = n
			return err
		})
	}
	if err := one(func(p *PlanFigure) *int64 { return &p.Refunds })(tx.Query(ctx, refundsSQL, int64(from), int64(until))); err != nil {
		return err
	}
	if err := one(func(p *PlanFigure) *int64 { return &p.Before })(tx.Query(ctx, payingSQL, int64(from))); err != nil {
		return err
	}
	return one(func(p *PlanFigure) *int64 { return &p.Ended })(tx.Query(ctx, churnSQL, int64(from), int64(until)))
}

func (p *PlanFigure) finish() {
	p.Net = p.Revenue - p.Refunds
	if p.Before > 0 {
		churn := float64(p.Ended) / float64(p.Before)
		p.Churn = &churn
	}
}

func (p *PlanFigure) add(q *PlanFigure) {
	p.Trial, p.Active, p.Cancelled, p.Grace = p.Trial+q.Trial, p.Active+q.Active, p.Cancelled+q.Cancelled, p.Grace+q.Grace
	p.Revenue, p.Payments, p.Refunds = p.Revenue+q.Revenue, p.Payments+q.Payments, p.Refunds+q.Refunds
	p.Before, p.Begun, p.Ended = p.Before+q.Before, p.Begun+q.Begun, p.Ended+q.Ended
}
