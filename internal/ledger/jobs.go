package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
)

// The daily run goes just after midnight of the programme, when most lots activate or end,
// and every hour for holds and for lots with instants of their own. It is not needed for
// anybody's balance: every posting and every reading settles first. It keeps the events
// (points.expired) and the figures of reports near the truth.
const (
	dailyKind  = "ledger.settle_daily"
	hourlyKind = "ledger.settle_hourly"
)

// settleSlice is how many wallets the run takes at a time: a batch or two of the engine.
const settleSlice = 500

// register gives the queue what the ledger does without being asked.
func (s *Service) register(q *job.Queue) {
	zone := func() *time.Location { return s.Config().Zone }
	q.Register(dailyKind, s.settleAll)
	q.Register(hourlyKind, s.settleAll)
	q.Register(linkKind, s.follow)
	q.Every(job.Daily(0, 5, zone), job.New{Kind: dailyKind})
	q.Every(job.Interval(time.Hour), job.New{Kind: hourlyKind})
}

func (s *Service) settleAll(ctx context.Context, run *job.Run) error {
	return s.SettleDue(ctx, func(done int64) { run.Progress(done, 0, "") })
}

// due is a wallet with something to be written down.
type due struct{ nextMS, shard, member int64 }

// dueSQL goes along wallet_due. The literal is the condition of that index, as a
// parameter would keep the engines from using it.
var dueSQL = db.Define("ledger.due", `
	SELECT next_ms, shard, member_id
	FROM wallet
	WHERE next_ms < 253402300799999 AND next_ms <= $1
		AND (next_ms, shard, member_id) > ($2, $3, $4)
	ORDER BY next_ms, shard, member_id
	LIMIT $5`)

// SettleDue writes down what time alone has made true by now, of all members: lots that
// activated or expired, holds that ended. Where it is cut short the rest is left to the
// next run; what was done is not done again, on whatever nodes it runs at once. progress,
// which may be nil, hears how many members were settled.
//
// A member whose books are closed is passed over: verify tells of them.
func (s *Service) SettleDue(ctx context.Context, progress func(done int64)) error {
	nowMS := s.clock.Now().UnixMilli()
	at, done := due{nextMS: -1 << 62}, int64(0)
	for {
		slice, err := s.dueAfter(ctx, nowMS, at)
		if err != nil {
			return fmt.Errorf("find wallets to settle: %w", err)
		}
		if len(slice) == 0 {
			return nil
		}
		n, err := s.settleSlice(ctx, slice)
		if err != nil {
			return err
		}
		if done += n; progress != nil {
			progress(done)
		}
		at = slice[len(slice)-1]
	}
}

func (s *Service) dueAfter(ctx context.Context, nowMS int64, at due) (slice []due, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		rows, err := tx.Query(ctx, dueSQL, nowMS, at.nextMS, at.shard, at.member, settleSlice)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d due
			if err := rows.Scan(&d.nextMS, &d.shard, &d.member); err != nil {
				return err
			}
			slice = append(slice, d)
		}
		return rows.Err()
	})
	return slice, err
}

// settleSlice sends one command for each member of a slice and returns how many there were.
func (s *Service) settleSlice(ctx context.Context, slice []due) (int64, error) {
	seen := make(map[int64]bool, len(slice)) // a member may have several wallets
	var rs []Request
	for _, d := range slice {
		if !seen[d.member] {
			seen[d.member] = true
			rs = append(rs, Request{Command: settleCommand{d.member}, Bulk: true})
		}
	}
	var bad error
	for i, a := range s.engine.DoMany(ctx, rs) {
		switch {
		case a.Err == nil:
		case errors.Is(a.Err, ErrCorrupt) || errors.Is(a.Err, ErrDefect):
			s.log.Error("a member cannot be settled", "member", rs[i].Command.(settleCommand).member, "error", a.Err)
		default:
			bad = errors.Join(bad, a.Err)
		}
	}
	return int64(len(rs)), bad
}
