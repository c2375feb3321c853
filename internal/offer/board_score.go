package offer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

var (
	optedOutSQL = db.Define("offer.optedOut", `
		SELECT COUNT(*)
		FROM leaderboard_opt_out
		WHERE shard = $1 AND member_id = $2`)
	optOutSQL = db.Define("offer.optOut", `
		INSERT INTO leaderboard_opt_out (shard, member_id, at_ms)
		VALUES ($1, $2, $3)
		ON CONFLICT (shard, member_id) DO NOTHING`)
	optInSQL = db.Define("offer.optIn", `
		DELETE FROM leaderboard_opt_out
		WHERE shard = $1 AND member_id = $2`)
	hideSQL = db.Define("offer.hideScores", `
		UPDATE leaderboard_score
		SET hidden = $3
		WHERE shard = $1 AND member_id = $2`)
)

func (s *Service) optedOut(ctx context.Context, m int64) (out bool, err error) {
	var n int64
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, optedOutSQL, shardOf(m), m).Scan(&n)
	})
	return n > 0, err
}

// SetVisible says whether a member is on leaderboards: from now on, and in cycles that are not
// frozen. Who is not wins no prizes.
func (s *Service) SetVisible(ctx context.Context, m int64, visible bool) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		var err error
		if visible {
			_, err = tx.Exec(ctx, optInSQL, shardOf(m), m)
		} else {
			_, err = tx.Exec(ctx, optOutSQL, shardOf(m), m, s.nowMS())
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, hideSQL, shardOf(m), m, !visible)
		return err
	})
}

// score is what events add to one member's score of one cycle.
type score struct {
	n       int64
	reached int64
}

type scoreKey struct{ board, cycle, member int64 }

// addScoreSQL adds to a score. When it was reached moves on only as it grows.
var addScoreSQL = db.Define("offer.addScore", `
	INSERT INTO leaderboard_score (board_id, cycle, shard, member_id, score, reached_ms, hidden)
	SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS SMALLINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT),
		CASE WHEN EXISTS (SELECT 1 FROM leaderboard_opt_out o WHERE o.shard = $3 AND o.member_id = $4) THEN 1 ELSE 0 END
	WHERE TRUE
	ON CONFLICT (board_id, cycle, shard, member_id) DO UPDATE SET
		score = leaderboard_score.score + excluded.score,
		reached_ms = CASE WHEN excluded.score > 0 AND excluded.reached_ms > leaderboard_score.reached_ms THEN excluded.reached_ms ELSE leaderboard_score.reached_ms END`)

// onScores adds what members did to the leaderboards that are live.
func (s *Service) onScores(ctx context.Context, tx *db.Tx, events []event.Event) error {
	var live []*Board
	for _, b := range s.Boards() {
		if b.State == Live {
			live = append(live, b)
		}
	}
	if len(live) == 0 {
		return nil
	}
	all := map[scoreKey]score{}
	for _, e := range events {
		if err := s.score(all, live, e); err != nil {
			return err
		}
	}
	keys := make([]scoreKey, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b scoreKey) int {
		return cmp.Or(cmp.Compare(a.board, b.board), cmp.Compare(a.cycle, b.cycle), cmp.Compare(shardOf(a.member), shardOf(b.member)), cmp.Compare(a.member, b.member))
	})
	for _, k := range keys {
		if _, err := tx.Exec(ctx, addScoreSQL, k.board, k.cycle, shardOf(k.member), k.member, all[k].n, all[k].reached); err != nil {
			return err
		}
	}
	return nil
}

// soldBody is what is read of the events of sales.
type soldBody struct {
	Currency string       `json:"currency"`
	Total    int64        `json:"total"`
	Owner    string       `json:"owner"`
	SoldMS   int64        `json:"sold_ms"`
	Quiet    bool         `json:"quiet"`
	Moves    ledger.Moves `json:"moves"`
}

// score adds what one event tells. What belongs to a cycle that is frozen counts in the first
// that is not.
func (s *Service) score(all map[scoreKey]score, live []*Board, e event.Event) error {
	var b soldBody
	if err := json.Unmarshal(e.Body, &b); err != nil || b.Quiet {
		return nil // of a kind that is none of ours
	}
	who, atMS, visits, money := e.Member, e.AtMS, int64(0), int64(0)
	switch e.Kind {
	case "sale.recorded":
		visits, money = 1, b.Total
	case "sale.assigned":
		visits, money, atMS = 1, b.Total, b.SoldMS
	case "sale.returned":
		money, who = -b.Total, 0
		if m, err := member.ParseID(b.Owner); err == nil {
			who = int64(m)
		}
	}
	add := func(board *Board, who, n, atMS int64) {
		if n == 0 || who <= 0 {
			return
		}
		k := scoreKey{board.ID, max(s.cycle(board, atMS), board.Frozen+1), who}
		v := all[k]
		if v.n += n; n > 0 {
			v.reached = max(v.reached, atMS)
		}
		all[k] = v
	}
	moves, err := b.Moves.Of(e.Member, e.AtMS)
	if err != nil {
		return err
	}
	for _, board := range live {
		switch board.Terms.Metric {
		case ByVisits:
			add(board, who, visits, atMS)
		case BySpend:
			if b.Currency == s.currency() {
				add(board, who, money, atMS)
			}
		case ByEarned:
			cur := s.o.Ledger.Config().ByCode[board.Terms.Currency]
			for _, m := range moves {
				if cur != nil && m.Currency == cur.ID && (m.Kind == ledger.Earn || m.Kind == ledger.Claw) {
					add(board, m.Member, m.Net, m.AtMS)
				}
			}
		}
	}
	return nil
}

// freezeAfter is how long after its end a cycle is frozen: what happened in its last minutes
// has been told by then.
const freezeAfter = 15 * time.Minute

var (
	insertResultSQL = db.DefineBulk("offer.insertResult", db.InsertSizes, 10, `INSERT INTO leaderboard_result (board_id, cycle, place, shard, member_id, score, reached_ms, currency_id, amount, given) VALUES`, db.Values(10), "")
	freezeSQL       = db.Define("offer.freezeBoard", `
		UPDATE leaderboard
		SET frozen = $3, version = version + 1
		WHERE id = $1 AND frozen = $2 AND state = 'live'`)
	duePrizesSQL = db.Define("offer.duePrizes", `
		SELECT cycle, place, member_id, currency_id, amount
		FROM leaderboard_result
		WHERE board_id = $1 AND given = 0
		ORDER BY cycle, place
		LIMIT 200`)
	givenSQL = db.Define("offer.prizeGiven", `
		UPDATE leaderboard_result
		SET given = 1
		WHERE board_id = $1 AND cycle = $2 AND place = $3`)
)

// Freeze freezes the cycles that are over, and gives their prizes: each place once.
func (s *Service) Freeze(ctx context.Context) error {
	for _, b := range s.Boards() {
		if b.State != Live {
			continue
		}
		for cycle := b.Frozen + 1; s.o.Clock.Now().After(cycleStart(b.Terms.Every, cycle+1).Start(s.zone()).Add(freezeAfter)); cycle++ {
			if err := s.o.Events.Drain(ctx); err != nil {
				return err
			}
			if err := s.freeze(ctx, b, cycle); err != nil {
				return fmt.Errorf("freeze cycle %d of %s: %w", cycle, b.Code, err)
			}
		}
		if err := s.givePrizes(ctx, b); err != nil {
			return fmt.Errorf("give the prizes of %s: %w", b.Code, err)
		}
	}
	return nil
}

// freeze writes down how a cycle ended: the places that win something, and those that are shown.
func (s *Service) freeze(ctx context.Context, b *Board, cycle int64) error {
	most := max(b.Terms.Shown, 100)
	for _, p := range b.Terms.Prizes {
		most = max(most, p.To)
	}
	return s.change(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, freezeSQL, b.ID, cycle-1, cycle)
		if err != nil || n == 0 { // another node did
			return err
		}
		place, args := int64(0), []any(nil)
		err = db.ReadRows(func(rows *db.Rows) error {
			var shard, who, score, reached int64
			if err := rows.Scan(&shard, &who, &score, &reached); err != nil {
				return err
			}
			place++
			cur, amount := s.prize(b, place)
			args = append(args, b.ID, cycle, place, shard, who, score, reached, cur, amount, amount == 0)
			return nil
		})(tx.Query(ctx, standingsSQL, b.ID, cycle, int64(math.MaxInt64), minMS, minMS, most))
		if err != nil || len(args) == 0 {
			return err
		}
		return insertResultSQL.Exec(ctx, tx, args)
	})
}

// givePrizes gives what places have won and were not given yet.
func (s *Service) givePrizes(ctx context.Context, b *Board) error {
	type due struct{ cycle, place, member, currency, amount int64 }
	for {
		var list []due
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var d due
				err := rows.Scan(&d.cycle, &d.place, &d.member, &d.currency, &d.amount)
				list = append(list, d)
				return err
			})(tx.Query(ctx, duePrizesSQL, b.ID))
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, d := range list {
			_, err := s.do(ctx, d.member, func(m int64) ledger.Command {
				return &gift{
					member: m, currency: s.currencyCode(d.currency), amount: d.amount, rule: boardRule + ":" + b.Code,
					doc:  ledger.Document{Kind: ledger.DocEvent, Source: prizeSource, Document: fmt.Sprintf("%d/%d/%d", b.ID, d.cycle, d.place)},
					more: map[string]any{"leaderboard": b.PublicID(), "place": d.place},
				}
			})
			if err != nil && errs.As(err) == nil {
				return err
			}
			// Who may not earn, or is gone, wins nothing: the place stays theirs.
			err = s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, givenSQL, b.ID, d.cycle, d.place)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
}
