package offer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The sweep writes down which instances are over. Nothing depends on it: whoever looks goes by
// the time. It tells those who listen (offer.expired), and keeps the rows that sales load short.
const (
	sweepKind  = "offer.sweep"
	sweepEvery = 10 * time.Minute
	sweepSlice = 200
)

// register gives the program what this package does without being asked.
func (s *Service) register() {
	s.o.Jobs.Register(sweepKind, func(ctx context.Context, run *job.Run) error {
		return s.Sweep(ctx, func(done int64) { run.Progress(done, 0, "") })
	})
	s.o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: sweepKind})
	s.o.Jobs.Register(sendKind, s.runSending)
	s.o.Jobs.Register(freezeKind, func(ctx context.Context, _ *job.Run) error { return s.Freeze(ctx) })
	s.o.Jobs.Every(job.Interval(sweepEvery), job.New{Kind: freezeKind})
	s.o.Approvals.Register(s.approvals())
	s.o.Events.Subscribe("offer.tally", s.onEvents)
	s.o.Events.Subscribe("offer.grants", s.onDecided)
	s.o.Events.Subscribe("offer.scores", s.onScores)
}

// sweepSQL goes along member_offer_due. The literal is the condition of that index.
var sweepSQL = db.Define("offer.due", `
	SELECT next_ms, shard, member_id
	FROM member_offer
	WHERE next_ms < 253402300799999 AND next_ms <= $1
		AND (next_ms, shard, member_id) > ($2, $3, $4)
	ORDER BY next_ms, shard, member_id
	LIMIT $5`)

// Sweep writes down what time has made true of instances by now. What was done is not done
// again, on whatever nodes it runs at once.
func (s *Service) Sweep(ctx context.Context, progress func(done int64)) error {
	nowMS, done := s.nowMS(), int64(0)
	at := [3]int64{minMS, -1, 0}
	for {
		var members []int64
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			members = nil
			return db.ReadRows(func(rows *db.Rows) error {
				err := rows.Scan(&at[0], &at[1], &at[2])
				members = append(members, at[2])
				return err
			})(tx.Query(ctx, sweepSQL, nowMS, at[0], at[1], at[2], sweepSlice))
		})
		if err != nil || len(members) == 0 {
			return err
		}
		rs := make([]ledger.Request, len(members))
		for i, m := range members {
			rs[i] = ledger.Request{Command: &sweep{member: m, offers: s.now.Load().offers}, Bulk: true}
		}
		for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			if a.Err != nil && !errors.Is(a.Err, ledger.ErrCorrupt) && !errors.Is(a.Err, ledger.ErrMember) {
				return fmt.Errorf("sweep the offers of member %d: %w", members[i], a.Err)
			}
		}
		done += int64(len(members))
		progress(done)
	}
}

// sweep is the command that closes what is over of one member.
type sweep struct {
	member int64
	offers map[int64]*Offer
}

// Needs names the member and what is followed of them.
func (c *sweep) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{BookRow(c.member)}}
}

// Decide ends instances whose time is over, and lets go of those that have been over for long.
func (c *sweep) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	b := bookOf(s, c.member)
	var need ledger.Needs
	for _, i := range b.Open {
		if i.Step == StepOpen && s.NowMS > i.Until || s.NowMS > i.Keep {
			need.Rows = append(need.Rows, instanceRow(i.Member, i.Seq))
		}
	}
	if len(need.Rows) == 0 {
		return nil, nil
	}
	if err := s.Require(need); err != nil {
		return nil, err
	}
	kept := b.Open[:0:0]
	for _, i := range b.Open {
		changed := s.NowMS > i.Keep
		if i.Step == StepOpen && s.NowMS > i.Until {
			i.Step, changed = StepExpired, true
			if of := c.offers[i.Offer]; of != nil {
				tell(s, a, "offer.expired", i, of, i.Until, nil)
			}
		}
		if changed {
			i.putRow(s)
		}
		if s.NowMS <= i.Keep {
			kept = append(kept, i)
		}
	}
	b.Open = kept
	b.put(s, c.member)
	return nil, nil
}
