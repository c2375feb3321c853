package coupon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The sweep writes down which vouchers are over. Nothing depends on it: whoever looks goes by
// the time. It tells those who listen (coupon.expired), and figures.
const (
	sweepKind  = "coupon.sweep"
	sweepEvery = 10 * time.Minute
	sweepSlice = 200
)

// register gives the program what this package does without being asked.
func (s *Service) register() {
	s.o.Jobs.Register(sweepKind, func(ctx context.Context, run *job.Run) error {
		return s.Sweep(ctx, func(done int64) { run.Progress(done, 0, "") })
	})
	s.o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind})
	s.o.Jobs.Register(batchJob, s.runBatch)
	s.o.Events.Subscribe("coupon.tally", s.onEvents)
	s.registerSteps()
}

// dueSQL goes along voucher_due. The literals are the condition of that index.
var dueSQL = db.Define("coupon.due", `
	SELECT until_ms, shard, code, member_id
	FROM voucher
	WHERE state < 3 AND until_ms < 253402300799999 AND until_ms < $1
		AND (until_ms, shard, code) > ($2, $3, $4)
	ORDER BY until_ms, shard, code
	LIMIT $5`)

// Sweep writes down what time has made true of vouchers by now. What was done is not done
// again, on whatever nodes it runs at once.
func (s *Service) Sweep(ctx context.Context, progress func(done int64)) error {
	nowMS, done := s.nowMS(), int64(0)
	atMS, shard, code := minMS, int64(-1), ""
	for {
		var rs []ledger.Request
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			rs = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var m int64
				err := rows.Scan(&atMS, &shard, &code, &m)
				rs = append(rs, ledger.Request{Command: &sweep{code: code, member: m, n: s.now.Load()}, Bulk: true})
				return err
			})(tx.Query(ctx, dueSQL, nowMS, atMS, shard, code, sweepSlice))
		})
		if err != nil || len(rs) == 0 {
			return err
		}
		for _, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			if a.Err != nil && !errors.Is(a.Err, ledger.ErrCorrupt) && !errors.Is(a.Err, ledger.ErrMember) {
				return fmt.Errorf("sweep vouchers: %w", a.Err)
			}
		}
		done += int64(len(rs))
		progress(done)
	}
}

// sweep is the command that ends one voucher whose time is over.
type sweep struct {
	code   string
	member int64
	n      *snapshot
}

// Needs names who holds it, and its row.
func (c *sweep) Needs() ledger.Needs {
	m := c.member
	if m == 0 {
		m = nobody
	}
	return ledger.Needs{Members: []int64{m}, Rows: []ledger.RowKey{voucherRow(c.code)}}
}

// Decide ends it, where it is still open and its time is over. What a checkout holds goes on to
// the end of that hold.
func (c *sweep) Decide(st *ledger.State) (any, error) {
	a, err := st.Account(c.Needs().Members[0])
	if err != nil {
		return nil, err
	}
	v := load(st, c.code)
	if v == nil || v.Stage >= Redeemed || v.Until >= st.NowMS || v.HoldUntil > st.NowMS {
		return nil, nil
	}
	of := c.n.coupons[v.Coupon]
	if of == nil {
		return nil, nil
	}
	v.Stage = Expired
	v.step(st, a, of, Step{Kind: StepExpired, AtMS: v.Until}, nil)
	return nil, nil
}
