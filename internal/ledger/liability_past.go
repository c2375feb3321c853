package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// pastSlice is how many members one snapshot reads: their entries stay some megabytes and
// the snapshot short.
const pastSlice = 200

var (
	membersSQL = db.Define("ledger.members", `
		SELECT member_id
		FROM account
		WHERE shard = $1 AND member_id > $2
		ORDER BY member_id
		LIMIT $3`)
	lotsBetweenSQL = db.Define("ledger.lotsBetween", `
		SELECT member_id, seq, currency_id, month, issuer_id, active_ms
		FROM lot
		WHERE shard = $1 AND member_id >= $2 AND member_id <= $3
		ORDER BY member_id, seq`)
	movesBetweenSQL = db.Define("ledger.movesBetween", `
		SELECT member_id, seq, currency_id, kind, pending, debt, at_ms, touches
		FROM entry
		WHERE shard = $1 AND member_id >= $2 AND member_id <= $3 AND at_ms < $4
		ORDER BY member_id, seq`)
)

// LiabilityAt reports what was owed at an instant, exclusive, by going through all entries
// that had taken effect before it, whenever they were written. It takes time in proportion
// to the entries; nothing is locked and no snapshot lasts long.
func (s *Service) LiabilityAt(ctx context.Context, at time.Time) (*LiabilityReport, error) {
	p := past{atMS: at.UnixMilli(), groups: map[liabilityKey]*Figures{}, debts: map[int64]int64{}}
	for shard := range int16(id.Shards) {
		last := int64(-1 << 62)
		for {
			var more bool
			err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				last, more, err = p.slice(ctx, tx, shard, last)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("liability at %s: %w", at.UTC().Format(time.RFC3339), err)
			}
			if !more {
				break
			}
		}
	}
	return s.report(ctx, at, sortedRows(p.groups), p.debts)
}

// past gathers what was owed at an instant.
type past struct {
	atMS   int64
	groups map[liabilityKey]*Figures
	debts  map[int64]int64
}

// pastLot is a lot on its way through the entries.
type pastLot struct {
	key      liabilityKey
	activeMS int64
	pending  bool
	Figures
}

// slice adds the members of a shard after one, up to pastSlice of them.
func (p *past) slice(ctx context.Context, tx *db.Tx, shard int16, after int64) (last int64, more bool, err error) {
	first, last, n, err := membersAfter(ctx, tx, shard, after)
	if err != nil || n == 0 {
		return after, false, err
	}
	lots, err := readPastLots(ctx, tx, shard, first, last)
	if err != nil {
		return after, false, err
	}
	if err := p.replay(ctx, tx, lots, shard, first, last); err != nil {
		return after, false, err
	}
	for _, l := range lots {
		if l.Granted == 0 {
			continue // not made yet
		}
		g := p.groups[l.key]
		if g == nil {
			g = &Figures{}
			p.groups[l.key] = g
		}
		free := l.Outstanding - l.Held
		if l.pending {
			l.Pending = free
		} else {
			l.Active = free
		}
		g.add(l.Figures)
	}
	return last, n == pastSlice, nil
}

func membersAfter(ctx context.Context, tx *db.Tx, shard int16, after int64) (first, last int64, n int, err error) {
	rows, err := tx.Query(ctx, membersSQL, shard, after, pastSlice)
	if err != nil {
		return 0, 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&last); err != nil {
			return 0, 0, 0, err
		}
		if n == 0 {
			first = last
		}
		n++
	}
	return first, last, n, rows.Err()
}

func readPastLots(ctx context.Context, tx *db.Tx, shard int16, first, last int64) (map[lotID]*pastLot, error) {
	rows, err := tx.Query(ctx, lotsBetweenSQL, shard, first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	lots := map[lotID]*pastLot{}
	for rows.Next() {
		var k lotID
		l := &pastLot{}
		if err := rows.Scan(&k.member, &k.seq, &l.key.currency, &l.key.month, &l.key.issuer, &l.activeMS); err != nil {
			return nil, err
		}
		lots[k] = l
	}
	return lots, rows.Err()
}

func (p *past) replay(ctx context.Context, tx *db.Tx, lots map[lotID]*pastLot, shard int16, first, last int64) error {
	rows, err := tx.Query(ctx, movesBetweenSQL, shard, first, last, p.atMS)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e Entry
		var text string
		if err := rows.Scan(&e.Member, &e.Seq, &e.Currency, &e.Kind, &e.Pending, &e.Debt, &e.AtMS, &text); err != nil {
			return err
		}
		if e.Touches, err = unpackTouches(text); err != nil {
			return fmt.Errorf("entry %d of member %d: %w", e.Seq, e.Member, err)
		}
		p.debts[e.Currency] = add(p.debts[e.Currency], e.Debt)
		for _, t := range e.Touches {
			l := lots[lotID{e.Member, t.Lot}]
			if l == nil {
				return fmt.Errorf("entry %d of member %d touches lot %d, which is not there", e.Seq, e.Member, t.Lot)
			}
			l.apply(&e, t)
		}
	}
	return rows.Err()
}

// apply does to a lot what an entry did.
func (l *pastLot) apply(e *Entry, t Touch) {
	if t.Lot == e.Seq { // the entry that made it
		l.Granted, l.Outstanding, l.pending = t.Amount, t.Amount, e.Pending > 0
		return
	}
	took := -t.Amount
	switch e.Kind {
	case Activate:
		l.pending = false
		return
	case HoldMade:
		l.Held += t.Amount
		return
	case HoldFreed:
		l.Held -= t.Amount
		return
	case HoldTaken:
		l.Held -= took
		l.Redeemed += took
	case Spend, Fee, GiveBack:
		l.Redeemed += took
	case Expire:
		l.Expired += took
	case Claw, Repay, Adjust:
		l.ClawedBack += took
	case TransferOut, MergeOut:
		l.Moved += took
	case MergeBack:
		l.Moved += took
		l.pending = l.activeMS > e.AtMS
	}
	l.Outstanding -= took
}
