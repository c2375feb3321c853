package offer

import (
	"context"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/program"
)

var _ privacy.Part = (*Service)(nil)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "offers" }

const personPage = 200

var (
	checkInsOfSQL = db.Define("offer.checkInsOf", `
		SELECT day, run, total
		FROM member_check_in
		WHERE shard = $1 AND member_id = $2`)
	scoresOfSQL = db.Define("offer.scoresOf", `
		SELECT board_id, cycle, score, reached_ms, hidden
		FROM leaderboard_score
		WHERE shard = $1 AND member_id = $2
		ORDER BY board_id, cycle`)
	resultsOfSQL = db.Define("offer.resultsOf", `
		SELECT board_id, cycle, place, score, currency_id, amount
		FROM leaderboard_result
		WHERE shard = $1 AND member_id = $2
		ORDER BY board_id, cycle`)
)

// Export writes what a person was offered and has won.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("offers", "id", "offer", "state", "received_at", "viewed_at", "accepted_at", "completed_at", "counts_until", "done", "all"); err != nil {
		return err
	}
	for _, m := range who.Records {
		if err := s.exportInstances(ctx, int64(m), to); err != nil {
			return err
		}
	}
	if err := to.Sheet("badges", "badge", "times", "first_at", "last_at"); err != nil {
		return err
	}
	for _, m := range who.Records {
		list, err := s.BadgesOf(ctx, int64(m))
		if err != nil {
			return err
		}
		for _, w := range list {
			if err := to.Row(w.Badge.Code, w.N, timeOf(w.First), timeOf(w.Last)); err != nil {
				return err
			}
		}
	}
	return s.exportDeeds(ctx, who, to)
}

func (s *Service) exportInstances(ctx context.Context, m int64, to privacy.Sheets) error {
	n, nowMS := s.now.Load(), s.nowMS()
	for below := int64(math.MaxInt64); ; {
		var list []*Instance
		var b *Book
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			list = nil
			if b, err = readBook(ctx, tx, m); err != nil {
				return err
			}
			return scanInstances(&list)(tx.Query(ctx, instancesOfMemberSQL, shardOf(m), m, below, personPage))
		})
		if err != nil {
			return fmt.Errorf("offers of member %d: %w", m, err)
		}
		for _, i := range list {
			below = i.Seq
			if live := b.find(i.Member, i.Seq); live != nil {
				i = live
			}
			code, done, all := "", int64(0), int64(0)
			if v := n.of(i); v != nil {
				code = v.offer.Code
				done, all = v.terms.Goal.Reach(&i.Progress)
			}
			if err := to.Row(i.ID(), code, i.Standing(nowMS), cellAt(i.Received), cellAt(i.Viewed), cellAt(i.Accepted), cellAt(i.Done), cellAt(i.Until), done, all); err != nil {
				return err
			}
		}
		if len(list) < personPage {
			return nil
		}
	}
}

// cellAt is an instant of an export; nothing where it did not happen.
func cellAt(ms int64) any {
	if t := moment(ms); t != nil {
		return *t
	}
	return nil
}

// exportDeeds writes check-ins and places on leaderboards.
func (s *Service) exportDeeds(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	boards := map[int64]*Board{}
	for _, b := range s.Boards() {
		boards[b.ID] = b
	}
	cycle := func(board, cycle int64) (string, string) {
		if b := boards[board]; b != nil {
			return b.Code, cycleStart(b.Terms.Every, cycle).String()
		}
		return "", ""
	}
	if err := to.Sheet("check_ins", "last_day", "days_in_a_row", "days"); err != nil {
		return err
	}
	rows := func(sheet func(*db.Rows) error, stmt *db.Stmt) error {
		for _, m := range who.Records {
			err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
				return db.ReadRows(sheet)(tx.Query(ctx, stmt, shardOf(int64(m)), int64(m)))
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := rows(func(r *db.Rows) error {
		var day program.Day
		var run, total int64
		if err := r.Scan(&day, &run, &total); err != nil {
			return err
		}
		return to.Row(day.String(), run, total)
	}, checkInsOfSQL)
	if err != nil {
		return err
	}
	if err := to.Sheet("leaderboards", "leaderboard", "cycle_from", "place", "score", "reached_at", "hidden", "prize_currency", "prize"); err != nil {
		return err
	}
	err = rows(func(r *db.Rows) error {
		var board, number, score, reached int64
		var hidden bool
		if err := r.Scan(&board, &number, &score, &reached, &hidden); err != nil {
			return err
		}
		code, from := cycle(board, number)
		return to.Row(code, from, nil, score, cellAt(reached), hidden, nil, nil)
	}, scoresOfSQL)
	if err != nil {
		return err
	}
	return rows(func(r *db.Rows) error {
		var board, number, place, score, cur, amount int64
		if err := r.Scan(&board, &number, &place, &score, &cur, &amount); err != nil {
			return err
		}
		code, from := cycle(board, number)
		return to.Row(code, from, place, score, nil, false, s.currencyCode(cur), amount)
	}, resultsOfSQL)
}

// Erase is part of privacy.Part: what is kept here says nothing of the person. Who was erased
// is no longer on leaderboards.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		if err := s.SetVisible(ctx, int64(m), false); err != nil {
			return err
		}
	}
	return nil
}
