package reward

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	configSQL = db.Define("reward.config", `
		SELECT version
		FROM reward_config
		WHERE one = 1`)
	raiseSQL = db.Define("reward.raiseConfig", `
		UPDATE reward_config
		SET version = version + 1
		WHERE one = 1`)

	rewardsSQL = db.Define("reward.all", `
		SELECT id, code, state, version, terms, pictures, made_ms, changed_ms
		FROM reward
		ORDER BY id DESC`)
	rewardSQL = db.Define("reward.one", `
		SELECT id, code, state, version, terms, pictures, made_ms, changed_ms
		FROM reward
		WHERE id = $1`)
	insertRewardSQL = db.Define("reward.insert", `
		INSERT INTO reward (id, code, state, version, terms, pictures, made_ms, changed_ms)
		VALUES ($1, $2, 'draft', 1, $3, '', $4, $4)
		ON CONFLICT (code) DO NOTHING`)
	updateRewardSQL = db.Define("reward.update", `
		UPDATE reward
		SET terms = $3, version = version + 1, changed_ms = $4
		WHERE id = $1 AND version = $2`)
	moveRewardSQL = db.Define("reward.move", `
		UPDATE reward
		SET state = $3, changed_ms = $4
		WHERE id = $1 AND state = $2`)
	removeRewardSQL = db.Define("reward.remove", `
		DELETE FROM reward
		WHERE id = $1 AND state = 'draft' AND NOT EXISTS (SELECT 1 FROM reward_code WHERE reward_id = $1)`)
	removeVersionsSQL = db.Define("reward.removeVersions", `
		DELETE FROM reward_version
		WHERE reward_id = $1`)
	removeStockSQL = db.Define("reward.removeStock", `
		DELETE FROM reward_stock
		WHERE reward_id = $1`)
	insertVersionSQL = db.Define("reward.insertVersion", `
		INSERT INTO reward_version (reward_id, version, terms, actor, at_ms)
		VALUES ($1, $2, $3, $4, $5)`)
	versionsSQL = db.Define("reward.versions", `
		SELECT reward_id, version, terms, actor, at_ms
		FROM reward_version
		ORDER BY reward_id, version`)
	versionsOfSQL = db.Define("reward.versionsOf", `
		SELECT reward_id, version, terms, actor, at_ms
		FROM reward_version
		WHERE reward_id = $1
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

func scanReward(scan func(...any) error) (*Reward, error) {
	var r Reward
	var terms, pictures string
	var made, changed int64
	if err := scan(&r.ID, &r.Code, &r.State, &r.Version, &terms, &pictures, &made, &changed); err != nil {
		return nil, err
	}
	r.Made, r.Changed, r.Pictures = timeOf(made), timeOf(changed), strings.Fields(pictures)
	if err := json.Unmarshal([]byte(terms), &r.Terms); err != nil {
		return nil, fmt.Errorf("terms of reward %d: %w", r.ID, err)
	}
	return &r, nil
}

func readRewards(ctx context.Context, tx *db.Tx) (list []*Reward, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		r, err := scanReward(rows.Scan)
		list = append(list, r)
		return err
	})(tx.Query(ctx, rewardsSQL))
	return list, err
}

// read reads a reward as the database has it.
func read(ctx context.Context, tx *db.Tx, n int64) (*Reward, error) {
	r, err := scanReward(tx.QueryRow(ctx, rewardSQL, n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return r, err
}

// Version is what a reward said from a moment on.
type Version struct {
	Number int64
	Terms  Terms
	Actor  string
	AtMS   int64
}

func scanVersion(rows *db.Rows) (reward int64, v Version, err error) {
	var terms string
	if err := rows.Scan(&reward, &v.Number, &terms, &v.Actor, &v.AtMS); err != nil {
		return 0, v, err
	}
	return reward, v, json.Unmarshal([]byte(terms), &v.Terms)
}

func insertVersion(ctx context.Context, tx *db.Tx, r *Reward, actor string, nowMS int64) error {
	_, err := tx.Exec(ctx, insertVersionSQL, r.ID, r.Version, pack(r.Terms), actor, nowMS)
	return err
}
