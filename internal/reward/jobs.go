package reward

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The sweep writes down which orders ran out of time, and notices what is in stock again.
// Nobody's points wait for it: a hold ends by itself.
const (
	sweepKind  = "reward.sweep"
	backKind   = "reward.back"
	sweepEvery = time.Minute
	sweepSlice = 200
)

func (s *Service) registerJobs() {
	s.o.Jobs.Register(sweepKind, func(ctx context.Context, run *job.Run) error {
		return s.Sweep(ctx, func(done int64) { run.Progress(done, 0, "") })
	})
	s.o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind})
	s.o.Jobs.Register(backKind, func(ctx context.Context, run *job.Run) error {
		var args backArgs
		if err := run.Args(&args); err != nil {
			return err
		}
		return s.tellBack(ctx, args, func(done int64) { run.Progress(done, 0, "") })
	})
}

// dueSQL goes along reward_order_due. The literal is the condition of that index.
var dueSQL = db.Define("reward.due", `
	SELECT until_ms, shard, member_id, seq
	FROM reward_order
	WHERE until_ms < 253402300799999 AND until_ms <= $1
		AND (until_ms, shard, member_id, seq) > ($2, $3, $4, $5)
	ORDER BY until_ms, shard, member_id, seq
	LIMIT $6`)

// Sweep ends the orders whose time is over by now. What was done is not done again, on whatever
// nodes it runs at once.
func (s *Service) Sweep(ctx context.Context, progress func(done int64)) error {
	nowMS, done := s.nowMS(), int64(0)
	at := [4]int64{minMS, -1, 0, 0}
	for {
		var list []ledger.LotKey
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			return db.ReadRows(func(rows *db.Rows) error {
				err := rows.Scan(&at[0], &at[1], &at[2], &at[3])
				list = append(list, ledger.LotKey{Member: at[2], Seq: at[3]})
				return err
			})(tx.Query(ctx, dueSQL, nowMS, at[0], at[1], at[2], at[3], sweepSlice))
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return s.noticeStock(ctx)
		}
		rs := make([]ledger.Request, len(list))
		for i, k := range list {
			rs[i] = ledger.Request{Command: &lapse{s.anyAct(k.Member, k.Seq)}, Actor: "system:reward", Bulk: true}
		}
		for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			if a.Err != nil && !errors.Is(a.Err, ledger.ErrCorrupt) && !errors.Is(a.Err, ErrNotFound) {
				return fmt.Errorf("end order %d of member %d: %w", list[i].Seq, list[i].Member, a.Err)
			}
		}
		done += int64(len(list))
		progress(done)
	}
}
