package tier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// The jobs. The day goes: tiers, then what activates and expires (ledger), then tiers again. A
// tier counts what was earned on which day, and what expires takes nothing from that; only a
// condition on usable points sees the difference, and it is asked on both sides.
const (
	dailyKind = "tier.daily" // before the ledger's run
	afterKind = "tier.after" // after it
	dueKind   = "tier.due"   // whom something has moved outside of a sale
	sweepKind = "tier.sweep" // everybody, after the rules have changed
	purgeKind = "tier.purge"
)

// slice is how many members a job takes at a time, tryKept how long what-ifs are kept.
const (
	slice   = 500
	tryKept = 30 * 24 * time.Hour
)

// lookSoon is the next look of a standing that a batch could not bring up to date.
const lookSoon = Day(1)

// register gives the queue and the dispatcher what the tiers do without being asked.
func (s *Service) register() {
	zone := func() *time.Location { return s.o.Program.Snapshot().Zone }
	q := s.o.Jobs
	q.Register(dailyKind, s.daily)
	q.Register(afterKind, s.daily)
	q.Register(dueKind, s.due)
	q.Register(sweepKind, s.sweepAll)
	q.Register(tryKind, s.runTry)
	q.Register(purgeKind, s.purge)
	q.Every(job.Daily(0, 2, zone), job.New{Kind: dailyKind})
	q.Every(job.Daily(0, 20, zone), job.New{Kind: afterKind})
	q.Every(job.Daily(4, 40, zone), job.New{Kind: purgeKind})
	s.o.Events.Subscribe("tier.due", s.onEvents)
}

var (
	dueRowsSQL = db.Define("tier.dueRows", `
		SELECT next_day, shard, member_id
		FROM tier_member
		WHERE next_day < 2147483647 AND next_day <= $1 AND (next_day, shard, member_id) > ($2, $3, $4)
		ORDER BY next_day, shard, member_id
		LIMIT $5`)
	dueSQL = db.Define("tier.dueMembers", `
		SELECT shard, member_id
		FROM tier_due
		WHERE (shard, member_id) > ($1, $2)
		ORDER BY shard, member_id
		LIMIT $3`)
	putDueSQL = db.Define("tier.putDue", `
		INSERT INTO tier_due (shard, member_id)
		VALUES ($1, $2)
		ON CONFLICT (shard, member_id) DO NOTHING`)
	dropDueSQL = db.Define("tier.dropDue", `
		DELETE FROM tier_due
		WHERE shard = $1 AND member_id = $2`)
	startSweepSQL = db.Define("tier.startSweep", `
		UPDATE tier_sweep
		SET round = round + 1, shard = -1, member_id = 0
		WHERE one = 1`)
	sweepSQL = db.Define("tier.sweepPlace", `
		SELECT round, shard, member_id
		FROM tier_sweep
		WHERE one = 1`)
	moveSweepSQL = db.Define("tier.moveSweep", `
		UPDATE tier_sweep
		SET shard = $2, member_id = $3
		WHERE one = 1 AND round = $1`)
	purgeTriesSQL = db.Define("tier.purgeTries", `
		DELETE FROM tier_try
		WHERE made_ms < $1`)
)

// daily looks at everybody whose day has come. Who was looked at has a later day, so that a run
// that is cut short leaves the rest to the next.
func (s *Service) daily(ctx context.Context, run *job.Run) error {
	return s.LookDue(ctx, func(done int64) { run.Progress(done, 0, "") })
}

// LookDue looks at everybody whose day has come by now; progress, which may be nil, hears how many.
func (s *Service) LookDue(ctx context.Context, progress func(done int64)) error {
	return s.lookUntil(ctx, s.today(), progress)
}

// lookUntil looks at everybody whose next look is on a day or before it.
func (s *Service) lookUntil(ctx context.Context, until Day, progress func(done int64)) error {
	day, at, done := int64(-1)<<40, theStart, int64(0)
	for {
		var ids []int64
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			ids = nil
			return db.ReadRows(func(rows *db.Rows) error {
				err := rows.Scan(&day, &at.shard, &at.member)
				ids = append(ids, at.member)
				return err
			})(tx.Query(ctx, dueRowsSQL, int64(until), day, at.shard, at.member, slice))
		})
		if err != nil {
			return fmt.Errorf("find whose tier is due: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		snap := s.Snapshot()
		list, err := s.people(ctx, snap, ids)
		if err != nil {
			return err
		}
		if err := s.post(ctx, snap, list); err != nil {
			return err
		}
		if done += int64(len(ids)); progress != nil {
			progress(done)
		}
	}
}

func (s *Service) due(ctx context.Context, run *job.Run) error {
	return s.LookMoved(ctx, func(done int64) { run.Progress(done, 0, "") })
}

// LookMoved looks at those whom something has moved outside of a sale.
func (s *Service) LookMoved(ctx context.Context, progress func(done int64)) error {
	if err := s.Refresh(ctx); err != nil { // another node may have changed the rules just now
		return err
	}
	at, done := theStart, int64(0)
	for {
		var ids []int64
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			ids = nil
			return db.ReadRows(func(rows *db.Rows) error {
				err := rows.Scan(&at.shard, &at.member)
				ids = append(ids, at.member)
				return err
			})(tx.Query(ctx, dueSQL, at.shard, at.member, slice))
		})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return s.lookUntil(ctx, lookSoon, nil)
		}
		// They are taken off the list first: what moves them again meanwhile puts them on it anew.
		err = s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, m := range ids {
				if _, err := tx.Exec(ctx, dropDueSQL, rowID(m), m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.lookAt(ctx, ids); err != nil {
			return errors.Join(err, s.again(context.WithoutCancel(ctx), ids))
		}
		if done += int64(len(ids)); progress != nil {
			progress(done)
		}
	}
}

func (s *Service) lookAt(ctx context.Context, ids []int64) error {
	snap := s.Snapshot()
	list, err := s.people(ctx, snap, ids)
	if err != nil {
		return err
	}
	return s.post(ctx, snap, list)
}

// again puts members back on the list of those who are due.
func (s *Service) again(ctx context.Context, ids []int64) error {
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error { return putDue(ctx, tx, ids) })
}

func putDue(ctx context.Context, tx *db.Tx, ids []int64) error {
	for _, m := range ids {
		if _, err := tx.Exec(ctx, putDueSQL, rowID(m), m); err != nil {
			return err
		}
	}
	return nil
}

// sweep has every member looked at, in the transaction that changes the rules. A sweep that is
// on its way begins anew.
func (s *Service) sweep(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.Exec(ctx, startSweepSQL); err != nil {
		return err
	}
	_, err := job.Enqueue(ctx, tx, job.New{Kind: sweepKind, Now: s.o.Clock.Now()})
	return err
}

// errElsewhere ends a sweep that a later one has overtaken.
var errElsewhere = errors.New("the rules have changed again: another sweep goes on")

func (s *Service) sweepAll(ctx context.Context, run *job.Run) error {
	return s.LookAll(ctx, func(done int64) { run.Progress(done, 0, "") })
}

// LookAll looks at everybody after the rules have changed, from where it last was.
func (s *Service) LookAll(ctx context.Context, progress func(done int64)) error {
	if err := s.Refresh(ctx); err != nil {
		return err
	}
	var round, done int64
	var at place
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		return tx.QueryRow(ctx, sweepSQL).Scan(&round, &at.shard, &at.member)
	})
	if err != nil {
		return fmt.Errorf("read where the sweep is: %w", err)
	}
	for {
		list, last, err := s.walk(ctx, everybodySQL, at, slice)
		if err != nil || len(list) == 0 {
			return err
		}
		snap := s.Snapshot()
		if err := s.fill(ctx, snap.profile, snap.asksPoints(), list); err != nil {
			return err
		}
		if err := s.post(ctx, snap, list); err != nil {
			return err
		}
		at = last
		err = s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
			n, err := tx.Exec(ctx, moveSweepSQL, round, at.shard, at.member)
			if err == nil && n == 0 {
				err = errElsewhere
			}
			return err
		})
		if errors.Is(err, errElsewhere) {
			return nil
		}
		if err != nil {
			return err
		}
		if done += int64(len(list)); progress != nil {
			progress(done)
		}
	}
}

// post sends a command for each member of whom a look would change something.
func (s *Service) post(ctx context.Context, snap *Snapshot, list []*person) error {
	var rs []ledger.Request
	for _, p := range list {
		if snap.stale(p, s.today()) {
			rs = append(rs, ledger.Request{Command: lookCommand{look{snap: snap, profile: p.sums.profile, joined: p.joined}, p.id}, Actor: "system:tiers", Bulk: true})
		}
	}
	var bad error
	var moved []int64
	for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
		var to *ledger.Moved
		switch {
		case a.Err == nil:
		case errors.As(a.Err, &to):
			moved = append(moved, to.To)
		case errors.Is(a.Err, ledger.ErrCorrupt), errors.Is(a.Err, ledger.ErrDefect), errors.Is(a.Err, ledger.ErrMember):
			s.o.Log.Error("the tier of a member cannot be worked out", "member", rs[i].Command.(lookCommand).member, "error", a.Err)
		default:
			bad = errors.Join(bad, a.Err)
		}
	}
	if len(moved) > 0 {
		bad = errors.Join(bad, s.again(ctx, moved))
	}
	return bad
}

// stale reports whether a look at a member would change their row.
func (n *Snapshot) stale(p *person, today Day) bool {
	if p.row.Out {
		return false
	}
	after := p.row
	for _, l := range n.Ladders {
		out := Evaluate(l, Input{Sums: p.sums, Joined: p.joined, Now: today, Current: p.row.of(l.ID)})
		if len(out.Changes) > 0 {
			return true
		}
		after.set(out.Standing)
	}
	if after.Joined = p.row.Joined; p.sums.profile != nil {
		after.Joined = p.joined
	}
	return len(after.List) > 0 && (after.pack() != p.body || n.codeOf(&after) != p.code)
}

// onEvents notes who is to be looked at: who has just joined, and who earned of what a scheme
// counts by another way than a sale, which has looked already.
func (s *Service) onEvents(ctx context.Context, tx *db.Tx, events []event.Event) error {
	snap := s.Snapshot()
	if len(snap.Ladders) == 0 {
		return nil
	}
	var ids []int64
	soon := false // a row says to look soon
	for _, e := range events {
		switch e.Kind {
		case "member.joined", "member.unblocked":
			ids = append(ids, e.Member)
			continue
		case "ledger.merged", "ledger.unmerged": // both have a row that says to look soon
			soon = true
			continue
		case "sale.returned":
			soon = soon || snap.profile
			continue
		case "member.tagged", "member.changed":
			if snap.profile {
				ids = append(ids, e.Member)
			}
			continue
		case "sale.recorded", "sale.assigned":
			continue
		}
		moves, err := ledger.MovesOf(e.Member, e.AtMS, e.Body)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Position, err)
		}
		for _, m := range moves {
			if snap.counts(m) {
				ids = append(ids, m.Member)
			}
		}
	}
	if len(ids) == 0 && !soon {
		return nil
	}
	if err := putDue(ctx, tx, ids); err != nil {
		return err
	}
	_, err := job.Enqueue(ctx, tx, job.New{Kind: dueKind, UniqueKey: "due", Now: s.o.Clock.Now()})
	return err
}

// counts reports whether a movement is one that a scheme looks at.
func (n *Snapshot) counts(m ledger.Move) bool {
	if m.Member < 0 || m.Kind == ledger.Expire && !n.asksPoints() {
		return false
	}
	for _, l := range n.Ladders {
		if l.daily || l.currency == m.Currency {
			return true
		}
	}
	return false
}

func (s *Service) purge(ctx context.Context, _ *job.Run) error {
	before := s.o.Clock.Now().Add(-tryKept).UnixMilli()
	return s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, purgeTriesSQL, before)
		return err
	})
}

// Rows is part of ledger.Companion.
func (s *Service) Rows(m int64) []ledger.RowKey { return []ledger.RowKey{Row(m)} }

var _ ledger.Companion = (*Service)(nil)

// Merged is part of ledger.Companion: the survivor stands where the higher of the two stood, for
// as long as that one would have, and the bonuses of both count as given. The other's own
// standing rests until the merge is undone.
func (s *Service) Merged(st *ledger.State, from, into *ledger.Account) error {
	snap := s.Snapshot()
	theirs, err := load(st, from.ID)
	if err != nil {
		return err
	}
	ours, err := load(st, into.ID)
	if err != nil {
		return err
	}
	k := look{snap: snap}
	for _, l := range snap.Ladders {
		a, b := theirs.of(l.ID), ours.of(l.ID)
		next := b
		if up := l.rankOf(a) > l.rankOf(b) && !b.Locked; up {
			next = a
			ours.N++
			c := Change{Kind: Upgraded, From: b.Tier, To: a.Tier, Day: dayAt(st.NowMS, st.Config.Zone), Until: a.Until}
			k.record(st, into, l, ours.N, c, "")
			tell(st, into, "tier.changed", changed{l.Code, c.From, c.To, c.Kind, c.Day.String(), text(c.Until), false})
		}
		next.Paid = bothPaid(a.Paid, b.Paid)
		next.Next = lookSoon
		ours.set(next)
	}
	theirs.Out = true
	snap.put(st, from, theirs)
	snap.put(st, into, ours)
	return nil
}

// bothPaid is two lists of bonuses in one: of each tier the later cycle.
func bothPaid(a, b []Paid) []Paid {
	var s Standing
	for _, p := range append(append([]Paid{}, a...), b...) {
		later := true
		for _, q := range s.Paid {
			later = later && (q.Tier != p.Tier || q.Cycle < p.Cycle)
		}
		if later {
			s.pay(p.Tier, p.Cycle)
		}
	}
	return s.Paid
}

// Unmerged is part of ledger.Companion: the record stands again where it stood. What the survivor
// was given stays until its term ends.
func (s *Service) Unmerged(st *ledger.State, from, into *ledger.Account) error {
	snap := s.Snapshot()
	theirs, err := load(st, from.ID)
	if err != nil {
		return err
	}
	ours, err := load(st, into.ID)
	if err != nil {
		return err
	}
	theirs.Out = false
	for _, r := range []*standings{&theirs, &ours} {
		for _, x := range r.List {
			x.Next = lookSoon
			r.set(x)
		}
	}
	snap.put(st, from, theirs)
	snap.put(st, into, ours)
	return nil
}
