package sale

import (
	"context"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// verifyPage is how many members are read in one snapshot: a sale and its returns lie under
// one of them, so that a page is consistent in itself while the server goes on.
const verifyPage = 500

var (
	verifyMembersSQL = db.Define("sale.verifyMembers", `
		SELECT shard, member_id
		FROM account
		WHERE (shard, member_id) > ($1, $2)
		ORDER BY shard, member_id
		LIMIT $3`)
	verifySQL = db.Define("sale.verify", `
		SELECT `+columns+`
		FROM sale
		WHERE (shard, member_id) > ($1, $2) AND (shard, member_id) <= ($3, $4)
		ORDER BY shard, member_id, seq`)
)

// Check recomputes what sales and returns say of each other, as a part of I8: never more
// is returned of a line than was sold, never more taken back than was earned, never more
// restored than was spent; and the books of a sale are the sum of its returns.
func Check() ledger.Check {
	return ledger.Check{Name: "sales", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		a := auditor{found: found, open: map[lineKey]back{}}
		at := place{-1, 0}
		for more := true; more; {
			err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
				at, more, err = a.page(ctx, tx, at)
				return err
			})
			if err != nil {
				return err
			}
		}
		for k, b := range a.open {
			a.tell((&Document{Member: k.member, Seq: k.seq}).ID(), fmt.Sprintf("line %d differs from its returns by %s pieces and %d money", k.line, formatMilli(b.milli), b.amount))
		}
		return nil
	}}
}

// place is a member in the order of the table.
type place struct{ shard, member int64 }

// page looks at the documents of the members behind a place.
func (a *auditor) page(ctx context.Context, tx *db.Tx, after place) (last place, more bool, err error) {
	members, err := tx.Query(ctx, verifyMembersSQL, after.shard, after.member, verifyPage)
	if err != nil {
		return after, false, err
	}
	defer members.Close()
	last = after
	for members.Next() {
		if err := members.Scan(&last.shard, &last.member); err != nil {
			return after, false, err
		}
		more = true
	}
	if err := errors.Join(members.Err(), members.Close()); err != nil || !more {
		return after, false, err
	}
	docs, err := list(ctx, tx, verifySQL, after.shard, after.member, last.shard, last.member)
	for _, d := range docs {
		a.look(d)
	}
	return last, err == nil, err
}

// auditor goes through all documents once. Returns and their sales lie in any order, so
// what the one says more than the other stays open until both were seen.
type auditor struct {
	found func(ledger.Finding)
	open  map[lineKey]back
}

type lineKey struct{ member, seq, line int64 }

type back struct{ milli, amount int64 }

func (a *auditor) tell(where, what string) {
	a.found(ledger.Finding{Invariant: "I8", Where: "sale " + where, EN: what, ZH: "销售与退货不符：" + what})
}

func (a *auditor) look(d *Document) {
	if d.Kind == Return {
		a.lookReturn(d)
		return
	}
	var total int64
	for _, l := range d.Body.Lines {
		total += l.Amount
		if l.BackMilli < 0 || l.BackMilli > l.Milli || l.BackAmount < 0 || l.BackAmount > l.Amount {
			a.tell(d.ID(), fmt.Sprintf("of line %d, %s of %s pieces and %d of %d money came back", l.Line, formatMilli(l.BackMilli), formatMilli(l.Milli), l.BackAmount, l.Amount))
		}
		if l.BackMilli != 0 || l.BackAmount != 0 {
			a.add(lineKey{d.Member, d.Seq, l.Line}, l.BackMilli, l.BackAmount)
		}
	}
	if total != d.Total {
		a.tell(d.ID(), fmt.Sprintf("the lines add up to %d, the total says %d", total, d.Total))
	}
	for _, e := range d.Effect.Earned {
		a.lookEarned(d, &e)
	}
	for _, sp := range d.Effect.Spent {
		if sp.Back < 0 || sp.Back > sp.Amount {
			a.tell(d.ID(), fmt.Sprintf("%d of %d points that paid were restored", sp.Back, sp.Amount))
		}
	}
}

func (a *auditor) lookEarned(d *Document, e *Earned) {
	if len(e.Shares) == 0 && e.Clawed == 0 {
		return // of no line: the step that gave it takes it back
	}
	var sum, due int64
	for i, n := range e.Shares {
		l := &d.Body.Lines[i]
		sum += n
		due += Share(n, l, l.BackMilli, l.BackAmount)
	}
	if sum != e.Amount || e.Clawed != due || e.Gone < 0 || e.Gone > e.Clawed {
		a.tell(d.ID(), fmt.Sprintf("%d earned are shared as %d; %d are taken back, %d of them expired, for lines worth %d", e.Amount, sum, e.Clawed, e.Gone, due))
	}
}

// lookReturn sets what a return says against the lines of its sales.
func (a *auditor) lookReturn(d *Document) {
	if d.State == Waiting {
		return
	}
	var total int64
	for _, l := range d.Body.Lines {
		if l.Parked != "" {
			continue
		}
		total += l.Amount
		k := lineKey{d.OfMember, d.OfSeq, l.Line}
		if l.OfSeq != 0 {
			k = lineKey{d.Member, l.OfSeq, l.Line}
		}
		a.add(k, -l.Milli, -l.Amount)
	}
	if total != d.Total {
		a.tell(d.ID(), fmt.Sprintf("the lines of the return add up to %d, its total says %d", total, d.Total))
	}
}

func (a *auditor) add(k lineKey, milli, amount int64) {
	b := a.open[k]
	if b = (back{b.milli + milli, b.amount + amount}); b == (back{}) {
		delete(a.open, k)
		return
	}
	a.open[k] = b
}
