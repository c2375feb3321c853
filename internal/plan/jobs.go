package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// The daily run goes just after midnight of the programme, when memberships end and reminders
// are due. It is not needed for anybody's benefits: every reading works out where a membership
// stands. It tells the events, and asks providers for renewals.
const (
	dailyKind  = "plan.daily"
	chargeKind = "plan.charges"
)

// slice is how many memberships the run takes at a time.
const slice = 500

func (s *Service) registerJobs(q *job.Queue) {
	zone := func() *time.Location { return s.o.Program.Snapshot().Zone }
	q.Register(dailyKind, func(ctx context.Context, run *job.Run) error {
		return s.Daily(ctx, func(done int64) { run.Progress(done, 0, "") })
	})
	q.Register(chargeKind, func(ctx context.Context, _ *job.Run) error { return s.Chase(ctx) })
	q.Every(job.Daily(0, 10, zone), job.New{Kind: dailyKind})
	q.Every(job.Interval(10*time.Minute), job.New{Kind: chargeKind})
}

// due is a membership with something to be written down.
type due struct {
	day int64
	place
}

// Daily writes down what time alone has made true of memberships by today, and asks providers
// for the renewals that are due. Where it is cut short the rest is left to the next run; what
// was done is not done again, on whatever nodes it runs at once.
func (s *Service) Daily(ctx context.Context, progress func(done int64)) error {
	today, at, done := s.Today(), due{}, int64(0)
	for {
		list, err := s.dueAfter(ctx, today, at)
		if err != nil {
			return fmt.Errorf("find memberships that are due: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		rs := make([]ledger.Request, len(list))
		for i, d := range list {
			rs[i] = ledger.Request{Command: tick{base{d.member, s.book()}}, Actor: "system:plan", Bulk: true}
		}
		var bad error
		for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			var moved *ledger.Moved
			switch m, _ := a.Value.(*Membership); {
			case m != nil:
				bad = errors.Join(bad, s.charge(ctx, m, today))
			case errors.As(a.Err, &moved):
				bad = errors.Join(bad, s.rest(ctx, list[i].member))
			case errors.Is(a.Err, ledger.ErrCorrupt), errors.Is(a.Err, ledger.ErrDefect):
				s.o.Log.Error("a membership cannot be brought up to date", "member", member.ID(list[i].member), "error", a.Err)
			default:
				bad = errors.Join(bad, a.Err)
			}
		}
		if bad != nil {
			return bad
		}
		if done += int64(len(list)); progress != nil {
			progress(done)
		}
		at = list[len(list)-1]
	}
}

func (s *Service) dueAfter(ctx context.Context, today program.Day, at due) (list []due, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		read := db.ReadRows(func(rows *db.Rows) error {
			var d due
			if err := rows.Scan(&d.day, &d.shard, &d.member); err != nil {
				return err
			}
			list = append(list, d)
			return nil
		})
		return read(tx.Query(ctx, dueSQL, int64(today), at.day, at.shard, at.member, slice))
	})
	return list, err
}

var restSQL = db.Define("plan.rest", `
	UPDATE plan_member
	SET next_day = 0
	WHERE shard = $1 AND member_id = $2`)

// rest lets the daily run pass over the membership of a record that was merged into another:
// nothing becomes of it as long as that lasts.
func (s *Service) rest(ctx context.Context, m int64) error {
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := ledger.LockAccount(ctx, tx, m); err != nil {
			return err
		}
		return exec(ctx, tx, restSQL, member.ID(m).Shard(), m)
	})
}
