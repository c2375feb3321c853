package offer

import (
	"context"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// runSending goes on from where a sending was.
func (s *Service) runSending(ctx context.Context, run *job.Run) error {
	var n int64
	if err := run.Args(&n); err != nil {
		return err
	}
	return s.runOut(ctx, n, func(x *Sending) { run.Progress(x.Looked, x.Total, "") })
}

// runOut does what is left of a sending.
func (s *Service) runOut(ctx context.Context, n int64, progress func(*Sending)) error {
	for {
		x, err := s.sending(ctx, n)
		if errors.Is(err, ErrNoSending) || err == nil && x.State != "running" {
			return nil
		}
		if err != nil {
			return err
		}
		more, err := s.sendNext(ctx, x)
		if err != nil {
			return fmt.Errorf("sending %s: %w", x.PublicID(), err)
		}
		progress(x)
		if !more {
			return s.endSending(ctx, x)
		}
	}
}

// counts is what became of some members of a sending.
type counts struct{ looked, sent, passed, refused int64 }

// sendNext does the next few members.
func (s *Service) sendNext(ctx context.Context, x *Sending) (more bool, err error) {
	list, places, looked, err := s.targets(ctx, x)
	if err != nil || looked == 0 {
		return false, err
	}
	c := counts{looked: int64(looked)}
	list, places, c.passed, err = s.eligible(ctx, x, list, places)
	if err != nil {
		return false, err
	}
	if err := s.sendTo(ctx, x, list, places, &c); err != nil {
		return false, err
	}
	err = s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, stepSendingSQL, x.ID, x.place, x.next, c.looked, c.sent, c.passed, c.refused)
		if err == nil && n == 0 {
			return errElsewhere
		}
		return err
	})
	if errors.Is(err, errElsewhere) { // cancelled, or another run goes on: the row says
		return true, nil
	}
	x.Looked += c.looked
	return true, err
}

var errElsewhere = errors.New("another run goes on with this sending, or it was cancelled")

// targets reads the next members, each with its number for the natural key.
func (s *Service) targets(ctx context.Context, x *Sending) (list []target, places []string, looked int, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, places = nil, nil
		if x.Total > 0 || !x.Plan.All && x.Plan.Condition == "" {
			return db.ReadRows(func(rows *db.Rows) error {
				var n int64
				var t target
				err := rows.Scan(&n, &t.member, &t.atMS)
				list, places, x.next = append(list, t), append(places, fmt.Sprint(n)), n
				return err
			})(tx.Query(ctx, targetsSQL, x.ID, x.place, sendStep))
		}
		shard := int64(-1)
		if x.place != 0 {
			shard = int64(id.Shard(x.place))
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var t target
			err := rows.Scan(&t.member)
			list, places, x.next = append(list, t), append(places, "m"+fmt.Sprint(t.member)), t.member
			return err
		})(tx.Query(ctx, everybodySQL, shard, x.place, sendStep))
	})
	return list, places, len(list), err
}

// eligible leaves those for whom the condition of the sending, and the audience of the offer,
// hold. Who is named in a list is of the audience.
func (s *Service) eligible(ctx context.Context, x *Sending, list []target, places []string) ([]target, []string, int64, error) {
	n := s.now.Load()
	var conditions []*cond.Cond
	if c := n.condition(x.Plan.Condition, cond.OfMember); c != nil {
		conditions = append(conditions, c)
	}
	if x.Offer != 0 && (x.Plan.All || x.Plan.Condition != "") {
		if v := s.version(x.Offer); v != nil && v.audience != nil {
			conditions = append(conditions, v.audience)
		}
	}
	if len(conditions) == 0 {
		return list, places, 0, nil
	}
	ids := make([]int64, len(list))
	for i, t := range list {
		ids[i] = t.member
	}
	holds, err := s.holding(ctx, ids, conditions)
	if err != nil {
		return nil, nil, 0, err
	}
	var left []target
	var at []string
	for i, t := range list {
		if holds[t.member] {
			left, at = append(left, t), append(at, places[i])
		}
	}
	return left, at, int64(len(list) - len(left)), nil
}

// version is the latest version of an offer, or nil.
func (s *Service) version(offer int64) *version {
	n := s.now.Load()
	if o := n.offers[offer]; o != nil {
		return n.latest(o)
	}
	return nil
}

// sendTo posts a command for each of some members.
func (s *Service) sendTo(ctx context.Context, x *Sending, list []target, places []string, c *counts) error {
	build, err := s.commandOf(x)
	if err != nil {
		return err
	}
	for range maxMerges {
		if len(list) == 0 {
			return nil
		}
		rs := make([]ledger.Request, len(list))
		for i, t := range list {
			rs[i] = ledger.Request{Command: build(t, places[i]), Actor: x.Maker, Bulk: true}
		}
		var again []target
		var at []string
		for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			var moved *ledger.Moved
			switch e := errs.As(a.Err); {
			case a.Err == nil:
				c.sent++
			case errors.As(a.Err, &moved):
				again, at = append(again, target{moved.To, list[i].atMS}), append(at, places[i])
			case e != nil && (e.Kind == errs.Conflict || e.Kind == errs.NotFound || e.Kind == errs.Invalid || e.Kind == errs.Forbidden):
				c.refused++
			default:
				return a.Err
			}
		}
		list, places = again, at
	}
	c.refused += int64(len(list))
	return nil
}

// commandOf is what a sending does to one member.
func (s *Service) commandOf(x *Sending) (func(t target, place string) ledger.Command, error) {
	key := func(source, place string) ledger.Document {
		return ledger.Document{Kind: ledger.DocEvent, Source: source, Document: fmt.Sprint(x.ID, "/", place)}
	}
	if x.Offer == 0 {
		return func(t target, place string) ledger.Command {
			return &gift{
				member: t.member, currency: x.Plan.Currency, amount: x.Plan.Amount, endMS: x.Plan.EndMS, reason: x.Plan.Reason, rule: grantRule,
				doc: key(grantSource, place), more: map[string]any{"grant": x.PublicID()},
			}
		}, nil
	}
	v := s.version(x.Offer)
	if v == nil {
		return nil, job.Permanent(ErrNotFound)
	}
	snap := s.o.Program.Snapshot()
	return func(t target, place string) ledger.Command {
		atMS := t.atMS
		if atMS == 0 {
			atMS = x.Plan.AtMS
		}
		if atMS == 0 {
			atMS = s.nowMS()
		}
		return &receive{member: t.member, of: v, atMS: atMS, quiet: x.Plan.Quiet, doc: key(sendingSource, place), snap: snap}
	}, nil
}

// endSending writes down that all were looked at, on the trail as who asked for it.
func (s *Service) endSending(ctx context.Context, x *Sending) error {
	return s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, endSendingSQL, x.ID, "done", s.nowMS())
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, dropTargetsSQL, x.ID); err != nil {
			return err
		}
		x.State = "done"
		return s.recordIn(ctx, tx, "offer.sent", x)
	})
}
