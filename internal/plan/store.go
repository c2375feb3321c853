package plan

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

var (
	bookVersionSQL = db.Define("plan.bookVersion", `
		SELECT version
		FROM plan_book
		WHERE one = 1`)
	raiseBookSQL = db.Define("plan.raiseBook", `
		UPDATE plan_book
		SET version = version + 1
		WHERE one = 1`)
	plansSQL = db.Define("plan.plans", `
		SELECT id, code, state, version, terms, made_ms, changed_ms
		FROM plan
		ORDER BY id`)
	insertPlanSQL = db.Define("plan.insert", `
		INSERT INTO plan (id, code, state, version, terms, made_ms, changed_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	updatePlanSQL = db.Define("plan.update", `
		UPDATE plan
		SET state = $2, version = $3, terms = $4, changed_ms = $5
		WHERE id = $1`)
	keepVersionSQL = db.Define("plan.keepVersion", `
		INSERT INTO plan_version (plan_id, version, state, terms, at_ms, by_whom)
		VALUES ($1, $2, $3, $4, $5, $6)`)
	versionsSQL = db.Define("plan.versions", `
		SELECT version, state, terms, at_ms, by_whom
		FROM plan_version
		WHERE plan_id = $1 AND version < $2
		ORDER BY version DESC
		LIMIT $3`)
	usedSQL = db.Define("plan.used", `
		SELECT (SELECT COUNT(*) FROM (SELECT 1 AS one FROM plan_member WHERE plan_id = $1 LIMIT 1) AS a)
			+ (SELECT COUNT(*) FROM (SELECT 1 AS one FROM plan_period WHERE plan_id = $1 LIMIT 1) AS b)
			+ (SELECT COUNT(*) FROM (SELECT 1 AS one FROM plan_ended WHERE plan_id = $1 LIMIT 1) AS c)`)
	deleteVersionsSQL = db.Define("plan.deleteVersions", `
		DELETE FROM plan_version
		WHERE plan_id = $1`)
	deletePlanSQL = db.Define("plan.delete", `
		DELETE FROM plan
		WHERE id = $1`)
)

func bookVersion(ctx context.Context, tx *db.Tx) (v int64, err error) {
	err = tx.QueryRow(ctx, bookVersionSQL).Scan(&v)
	return v, err
}

func raiseBook(ctx context.Context, tx *db.Tx) error { return exec(ctx, tx, raiseBookSQL) }

func readPlans(ctx context.Context, tx *db.Tx) (list []*Plan, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		var p Plan
		var terms string
		var made, changed int64
		if err := rows.Scan(&p.ID, &p.Code, &p.State, &p.Version, &terms, &made, &changed); err != nil {
			return err
		}
		p.Made, p.Changed = time.UnixMilli(made).UTC(), time.UnixMilli(changed).UTC()
		if err := json.Unmarshal([]byte(terms), &p.Terms); err != nil {
			return fmt.Errorf("terms of plan %s: %w", p.Code, err)
		}
		list = append(list, &p)
		return nil
	})
	err = read(tx.Query(ctx, plansSQL))
	return list, err
}

// packed is what a row keeps of terms.
func packed(t Terms) string {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain structs
	}
	return string(b)
}

func insertPlan(ctx context.Context, tx *db.Tx, p *Plan) error {
	return exec(ctx, tx, insertPlanSQL, p.ID, p.Code, string(p.State), p.Version, packed(p.Terms), p.Made.UnixMilli(), p.Changed.UnixMilli())
}

func updatePlan(ctx context.Context, tx *db.Tx, p *Plan) error {
	return exec(ctx, tx, updatePlanSQL, p.ID, string(p.State), p.Version, packed(p.Terms), p.Changed.UnixMilli())
}

func keepVersion(ctx context.Context, tx *db.Tx, p *Plan, by string) error {
	return exec(ctx, tx, keepVersionSQL, p.ID, p.Version, string(p.State), packed(p.Terms), p.Changed.UnixMilli(), by)
}

// Version is a plan as it was.
type Version struct {
	Version int64
	State   State
	Terms   Terms
	At      time.Time
	By      string
}

func readVersions(ctx context.Context, tx *db.Tx, plan, before int64, n int) (list []Version, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		var v Version
		var terms string
		var at int64
		if err := rows.Scan(&v.Version, &v.State, &terms, &at, &v.By); err != nil {
			return err
		}
		v.At = time.UnixMilli(at).UTC()
		list = append(list, v)
		return json.Unmarshal([]byte(terms), &list[len(list)-1].Terms)
	})
	err = read(tx.Query(ctx, versionsSQL, plan, before, n))
	return list, err
}

// planUsed reports whether a member has or had a plan.
func planUsed(ctx context.Context, tx *db.Tx, plan int64) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, usedSQL, plan).Scan(&n)
	return n > 0, err
}

func deletePlan(ctx context.Context, tx *db.Tx, plan int64) error {
	if err := exec(ctx, tx, deleteVersionsSQL, plan); err != nil {
		return err
	}
	return exec(ctx, tx, deletePlanSQL, plan)
}

// exec runs a write and names it in its error.
func exec(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) error {
	if _, err := tx.Exec(ctx, stmt, args...); err != nil {
		return fmt.Errorf("%s: %w", stmt.Name(), err)
	}
	return nil
}

const memberColumns = `shard, member_id, n, plan_id, started, anchor, until_day, paid, grace, ended, why, cancelled, auto, reminded, lapsed, period_n, next_day, via`

var (
	membershipSQL = db.Define("plan.membership", `
		SELECT `+memberColumns+`
		FROM plan_member
		WHERE shard = $1 AND member_id = $2`)
	membersSQL = db.Define("plan.members", `
		SELECT `+memberColumns+`
		FROM plan_member
		WHERE plan_id = $1 AND (shard, member_id) > ($2, $3)
		ORDER BY shard, member_id
		LIMIT $4`)
	dueSQL = db.Define("plan.due", `
		SELECT next_day, shard, member_id
		FROM plan_member
		WHERE next_day > 0 AND next_day <= $1 AND (next_day, shard, member_id) > ($2, $3, $4)
		ORDER BY next_day, shard, member_id
		LIMIT $5`)
	periodsSQL = db.Define("plan.periods", `
		SELECT shard, member_id, seq, n, k, plan_id, plan_version, from_day, until_day, amount, currency, method, reference, reason, charge_id, paid_ms, paid_day,
			refunded, refund_ms, refund_day, refund_method, refund_reference, refund_reason, gifts
		FROM plan_period
		WHERE shard = $1 AND member_id = $2 AND seq < $3
		ORDER BY seq DESC
		LIMIT $4`)
)

// scanRow scans a row whose columns are texts where texts says so, else integers.
func scanRow(rows interface{ Scan(...any) error }, columns int, texts ...int) ([]any, error) {
	values, targets := make([]any, columns), make([]any, columns)
	words, numbers := make([]string, columns), make([]int64, columns)
	text := map[int]bool{}
	for _, i := range texts {
		text[i] = true
	}
	for i := range targets {
		if targets[i] = &numbers[i]; text[i] {
			targets[i] = &words[i]
		}
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, err
	}
	for i := range values {
		if values[i] = numbers[i]; text[i] {
			values[i] = words[i]
		}
	}
	return values, nil
}

func scanMembership(rows interface{ Scan(...any) error }) (Membership, error) {
	v, err := scanRow(rows, 18, 10)
	if err != nil {
		return Membership{}, err
	}
	return membershipOf(v), nil
}

func scanPeriod(rows interface{ Scan(...any) error }) (Period, error) {
	v, err := scanRow(rows, 24, 10, 11, 12, 13, 20, 21, 22, 23)
	if err != nil {
		return Period{}, err
	}
	return periodOf(v), nil
}

// readMembership reads what a member has; the zero Membership where that is nothing.
func readMembership(ctx context.Context, tx *db.Tx, member int64) (Membership, error) {
	m, err := scanMembership(tx.QueryRow(ctx, membershipSQL, id.Shard(member), member))
	if errors.Is(err, sql.ErrNoRows) {
		return Membership{Member: member}, nil
	}
	return m, err
}

func readPeriods(ctx context.Context, tx *db.Tx, member, before int64, n int) (list []Period, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		p, err := scanPeriod(rows)
		list = append(list, p)
		return err
	})
	err = read(tx.Query(ctx, periodsSQL, id.Shard(member), member, before, n))
	return list, err
}

func decodeID(ref string) (member, n int64, err error) { return id.Decode(planID, ref) }
