package draw

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var (
	configSQL = db.Define("draw.config", `
		SELECT version
		FROM draw_config
		WHERE one = 1`)
	raiseSQL = db.Define("draw.raiseConfig", `
		UPDATE draw_config
		SET version = version + 1
		WHERE one = 1`)
	gamesSQL = db.Define("draw.all", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM draw
		ORDER BY id DESC`)
	gameSQL = db.Define("draw.one", `
		SELECT id, code, state, version, terms, made_ms, changed_ms, ended_ms
		FROM draw
		WHERE id = $1`)
	insertGameSQL = db.Define("draw.insert", `
		INSERT INTO draw (id, code, state, version, terms, made_ms, changed_ms, ended_ms)
		VALUES ($1, $2, 'draft', 1, $3, $4, $4, 0)
		ON CONFLICT (code) DO NOTHING`)
	updateGameSQL = db.Define("draw.update", `
		UPDATE draw
		SET terms = $3, version = version + 1, changed_ms = $4
		WHERE id = $1 AND version = $2`)
	moveGameSQL = db.Define("draw.move", `
		UPDATE draw
		SET state = $3, changed_ms = $4, ended_ms = $5
		WHERE id = $1 AND state = $2`)
	removeGameSQL = db.Define("draw.remove", `
		DELETE FROM draw
		WHERE id = $1 AND state = 'draft'`)
	removeVersionsSQL = db.Define("draw.removeVersions", `
		DELETE FROM draw_version
		WHERE draw_id = $1`)
	insertVersionSQL = db.Define("draw.insertVersion", `
		INSERT INTO draw_version (draw_id, version, terms, actor, at_ms)
		VALUES ($1, $2, $3, $4, $5)`)
	versionsOfSQL = db.Define("draw.versionsOf", `
		SELECT version, terms, actor, at_ms
		FROM draw_version
		WHERE draw_id = $1
		ORDER BY version DESC
		LIMIT 200`)

	// To write what is there locks the row until the end, on both engines.
	lockStateSQL = db.Define("draw.lockState", `
		UPDATE draw_state
		SET version = version
		WHERE draw_id = $1
		RETURNING draw_id, version, live, epoch, play_n, table_n, body`)
	stateSQL = db.Define("draw.state", `
		SELECT draw_id, version, live, epoch, play_n, table_n, body
		FROM draw_state
		WHERE draw_id = $1`)
	insertStateSQL = db.Define("draw.insertState", `
		INSERT INTO draw_state (draw_id, version, live, epoch, play_n, table_n, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	updateStateSQL = db.Define("draw.updateState", `
		UPDATE draw_state
		SET version = $2, live = $3, epoch = $4, play_n = $5, table_n = $6, body = $7
		WHERE draw_id = $1`)
	insertOddsSQL = db.Define("draw.insertOdds", `
		INSERT INTO draw_odds (draw_id, number, epoch, from_n, body)
		VALUES ($1, $2, $3, $4, $5)`)
	memberDrawsSQL = db.Define("draw.ofMember", `
		SELECT body
		FROM member_draw
		WHERE shard = $1 AND member_id = $2`)
)

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func scanGame(scan func(...any) error) (*Game, error) {
	var g Game
	var terms string
	var made, changed int64
	if err := scan(&g.ID, &g.Code, &g.State, &g.Version, &terms, &made, &changed, &g.EndedMS); err != nil {
		return nil, err
	}
	g.Made, g.Changed = timeOf(made), timeOf(changed)
	if err := json.Unmarshal([]byte(terms), &g.Terms); err != nil {
		return nil, fmt.Errorf("terms of draw %d: %w", g.ID, err)
	}
	return &g, nil
}

func readGames(ctx context.Context, tx *db.Tx) (list []*Game, err error) {
	err = db.ReadRows(func(rows *db.Rows) error {
		g, err := scanGame(rows.Scan)
		list = append(list, g)
		return err
	})(tx.Query(ctx, gamesSQL))
	return list, err
}

// read reads a draw as the database has it.
func read(ctx context.Context, tx *db.Tx, n int64) (*Game, error) {
	g, err := scanGame(tx.QueryRow(ctx, gameSQL, n).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return g, err
}

func insertVersion(ctx context.Context, tx *db.Tx, g *Game, actor string, atMS int64) error {
	_, err := tx.Exec(ctx, insertVersionSQL, g.ID, g.Version, string(pack(g.Terms)), actor, atMS)
	return err
}

// scanState reads a state, or nil where the draw was never published.
func scanState(scan func(...any) error) (*state, error) {
	var st state
	var live int64
	var body []byte
	err := scan(&st.Draw, &st.Version, &live, &st.Epoch, &st.PlayN, &st.TableN, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	st.Live = live == 1
	unpack(body, &st.Body)
	st.fill()
	return &st, nil
}

// lockState reads the state of a draw and keeps plays away until the end of the transaction.
func lockState(ctx context.Context, tx *db.Tx, draw int64) (*state, error) {
	return scanState(tx.QueryRow(ctx, lockStateSQL, draw).Scan)
}

func readState(ctx context.Context, tx *db.Tx, draw int64) (*state, error) {
	return scanState(tx.QueryRow(ctx, stateSQL, draw).Scan)
}

func (st *state) write(ctx context.Context, tx *db.Tx, stmt *db.Stmt) error {
	_, err := tx.Exec(ctx, stmt, st.Draw, st.Version, flag(st.Live), st.Epoch, st.PlayN, st.TableN, pack(st.Body))
	return err
}

func insertOdds(ctx context.Context, tx *db.Tx, draw int64, t Table) error {
	_, err := tx.Exec(ctx, insertOddsSQL, draw, t.Number, t.Epoch, t.From, pack(t))
	return err
}

// readBook reads where a member stands with all draws.
func readBook(ctx context.Context, tx *db.Tx, m int64) (book, error) {
	b := book{}
	var body []byte
	err := tx.QueryRow(ctx, memberDrawsSQL, shardOf(m), m).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return b, nil
	}
	if err == nil {
		unpack(body, &b)
	}
	return b, err
}
