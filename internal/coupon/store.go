package coupon

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var errNoRows = sql.ErrNoRows

var (
	configSQL = db.Define("coupon.config", `
		SELECT version
		FROM coupon_config
		WHERE one = 1`)
	raiseSQL = db.Define("coupon.raiseConfig", `
		UPDATE coupon_config
		SET version = version + 1
		WHERE one = 1`)

	couponsSQL = db.Define("coupon.all", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM coupon
		ORDER BY id DESC`)
	couponSQL = db.Define("coupon.one", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM coupon
		WHERE id = $1`)
	couponByCodeSQL = db.Define("coupon.byCode", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM coupon
		WHERE code = $1`)
	insertCouponSQL = db.Define("coupon.insert", `
		INSERT INTO coupon (id, code, shared_code, state, version, terms, made_ms, changed_ms, ended_ms)
		VALUES ($1, $2, $3, 'draft', 1, $4, $5, $5, 0)
		ON CONFLICT (code) DO NOTHING`)
	updateCouponSQL = db.Define("coupon.update", `
		UPDATE coupon
		SET terms = $3, shared_code = $4, version = version + 1, changed_ms = $5
		WHERE id = $1 AND version = $2`)
	moveCouponSQL = db.Define("coupon.move", `
		UPDATE coupon
		SET state = $3, changed_ms = $4, ended_ms = $5
		WHERE id = $1 AND state = $2`)
	removeCouponSQL = db.Define("coupon.remove", `
		DELETE FROM coupon
		WHERE id = $1 AND state = 'draft'`)
	removeVersionsSQL = db.Define("coupon.removeVersions", `
		DELETE FROM coupon_version
		WHERE coupon_id = $1`)
	sharedSQL = db.Define("coupon.shared", `
		SELECT id
		FROM coupon
		WHERE shared_code = $1 AND shared_code <> '' AND id <> $2`)
	insertVersionSQL = db.Define("coupon.insertVersion", `
		INSERT INTO coupon_version (coupon_id, version, terms, actor, at_ms)
		VALUES ($1, $2, $3, $4, $5)`)
	versionsSQL = db.Define("coupon.versions", `
		SELECT coupon_id, version, terms, actor, at_ms
		FROM coupon_version
		ORDER BY coupon_id, version`)
	versionsOfSQL = db.Define("coupon.versionsOf", `
		SELECT coupon_id, version, terms, actor, at_ms
		FROM coupon_version
		WHERE coupon_id = $1
		ORDER BY version DESC
		LIMIT 200`)
)

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func pack(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return string(b)
}

func scanCoupon(scan func(...any) error) (*Coupon, error) {
	var c Coupon
	var terms string
	var made, changed int64
	if err := scan(&c.ID, &c.Code, &c.State, &c.Version, &terms, &made, &changed, &c.EndedMS); err != nil {
		return nil, err
	}
	c.Made, c.Changed = timeOf(made), timeOf(changed)
	if err := json.Unmarshal([]byte(terms), &c.Terms); err != nil {
		return nil, fmt.Errorf("terms of coupon %d: %w", c.ID, err)
	}
	return &c, nil
}

// read reads a coupon as the database has it.
func read(ctx context.Context, tx *db.Tx, n int64) (*Coupon, error) {
	c, err := scanCoupon(tx.QueryRow(ctx, couponSQL, n).Scan)
	if errors.Is(err, errNoRows) {
		return nil, ErrNotFound
	}
	return c, err
}

func readCoupons(ctx context.Context, tx *db.Tx) (list []*Coupon, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		c, err := scanCoupon(rows.Scan)
		list = append(list, c)
		return err
	})(tx.Query(ctx, couponsSQL))
	return list, err
}

// Version is what a coupon said from a moment on.
type Version struct {
	Number int64
	Terms  Terms
	Actor  string
	AtMS   int64
}

func scanVersion(rows *db.Rows) (coupon int64, v Version, err error) {
	var terms string
	if err := rows.Scan(&coupon, &v.Number, &terms, &v.Actor, &v.AtMS); err != nil {
		return 0, v, err
	}
	return coupon, v, json.Unmarshal([]byte(terms), &v.Terms)
}

func readVersions(ctx context.Context, tx *db.Tx, each func(coupon, number int64, t *Terms)) error {
	return db.ReadRows(func(rows *db.Rows) error {
		coupon, v, err := scanVersion(rows)
		if err == nil {
			each(coupon, v.Number, &v.Terms)
		}
		return err
	})(tx.Query(ctx, versionsSQL))
}

func insertVersion(ctx context.Context, tx *db.Tx, c *Coupon, actor string, atMS int64) error {
	_, err := tx.Exec(ctx, insertVersionSQL, c.ID, c.Version, pack(c.Terms), actor, atMS)
	return err
}

// checkSharedIn refuses a shared code that another coupon has.
func checkSharedIn(ctx context.Context, tx *db.Tx, c *Coupon) error {
	if c.Terms.SharedCode == "" {
		return nil
	}
	var other int64
	err := tx.QueryRow(ctx, sharedSQL, fold(c.Terms.SharedCode), c.ID).Scan(&other)
	if err == nil {
		return ErrSharedIs.At("body.shared_code")
	}
	if errors.Is(err, errNoRows) {
		return nil
	}
	return err
}
