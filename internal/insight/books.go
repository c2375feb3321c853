package insight

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// What the books say, beside a running server and in bounded memory.
//
// The books are read shard by shard, each in a snapshot of its own, so they are of as many
// instants as there are shards. The sums are read first, together with the position P of the
// log. What the snapshot of a shard holds beyond P is told by events: those of the log after
// P up to the snapshot's own position, and those that wait in its outbox. They are taken
// off, each part in the shard of its rows, and so are the events before P that were set
// aside for the subscriber. What is left
// is what the sums have to say at P, to the last unit.
//
// Visits are a set, and need no such care: a snapshot's stored days, with those that its
// waiting events will add, are the days of its sales.

var (
	allSaleSQL = db.Define("insight.allSale", `
	SELECT store_id, currency, day, sales, total, returns, returned, member_sales, member_total, member_returns, member_returned
	FROM day_sale`)
	allPointSQL = db.Define("insight.allPoint", `
	SELECT store_id, currency_id, day, issued, opened, redeemed, restored, expired, clawed, adjusted, fees, net
	FROM day_point`)
	allMemberSQL = db.Define("insight.allMember", `
	SELECT store_id, day, joined
	FROM day_member`)
	setAsideSQL = db.Define("insight.setAside", `
	SELECT first_position, last_position
	FROM event_failure
	WHERE subscriber = $1
	ORDER BY id`)
	zoneSQL = db.Define("insight.zone", `
	SELECT zone
	FROM rollup
	WHERE one = 1`)
	booksSaleSQL = db.Define("insight.booksSale", `
	SELECT member_id, kind, state, store_id, currency, total, at_ms, owner_id, CASE WHEN state = 2 THEN body ELSE '' END
	FROM sale
	WHERE shard = $1`)
	booksEntrySQL = db.Define("insight.booksEntry", `
	SELECT kind, currency_id, pending + active + held - debt, store_id, at_ms
	FROM entry
	WHERE shard = $1`)
	booksMemberSQL = db.Define("insight.booksMember", `
	SELECT store_id, joined_ms
	FROM member
	WHERE shard = $1`)
	booksAssignedSQL = db.Define("insight.booksAssigned", `
	SELECT owner_id, store_id, at_ms
	FROM sale
	WHERE owner_id <> member_id AND owner_id <> 0 AND kind = 1`)
	booksActiveSQL = db.Define("insight.booksActive", `
	SELECT member_id, month, store_id, days
	FROM active_month
	WHERE shard = $1`)
)

// each runs a query and hands each row on.
func each(ctx context.Context, tx *db.Tx, stmt *db.Stmt, scan func(row func(...any) error) error, args ...any) error {
	return db.ReadRows(func(rows *db.Rows) error { return scan(rows.Scan) })(tx.Query(ctx, stmt, args...))
}

// books are the sums that the books come to, as of a position of the log.
type books struct {
	s        *Service
	snap     *program.Snapshot
	zone     *time.Location
	position int64  // P
	last     int64  // position of the newest snapshot
	kept     *tally // the sums that are kept, at P
	want     *tally // what they have to be
	aside    *tally // what was set aside before P
	assigned [id.Shards][]visit
	upTo     [id.Shards]int64 // position of each shard's snapshot
}

// zoneOf is the zone in which the days of the sums begin; nil before the first event.
func zoneOf(ctx context.Context, tx *db.Tx) (*time.Location, error) {
	var name string
	if err := tx.QueryRow(ctx, zoneSQL).Scan(&name); err != nil || name == "" {
		return nil, err
	}
	return time.LoadLocation(name)
}

// open reads the sums, and where in the log they stand. It is nil where nothing was summed
// yet.
func (s *Service) open(ctx context.Context) (b *books, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		b = nil
		zone, err := zoneOf(ctx, tx)
		if err != nil || zone == nil {
			return err
		}
		b = &books{s: s, snap: s.o.Program.Snapshot(), zone: zone, kept: newTally(zone), want: newTally(zone), aside: newTally(zone)}
		if b.position, err = event.Position(ctx, tx); err != nil {
			return err
		}
		b.last = b.position
		if err := b.readKept(ctx, tx); err != nil {
			return err
		}
		var ranges [][2]int64
		err = each(ctx, tx, setAsideSQL, func(scan func(...any) error) error {
			var r [2]int64
			err := scan(&r[0], &r[1])
			ranges = append(ranges, r)
			return err
		}, subscription)
		if err != nil {
			return err
		}
		for _, r := range ranges {
			if err := eachEvent(ctx, tx, r[0]-1, r[1], b.aside.add); err != nil {
				return err
			}
		}
		return each(ctx, tx, booksAssignedSQL, func(scan func(...any) error) error {
			var v visit
			var atMS int64
			err := scan(&v.member, &v.store, &atMS)
			v.day = b.want.dayOf(atMS)
			b.assigned[id.Shard(v.member)] = append(b.assigned[id.Shard(v.member)], v)
			return err
		})
	})
	return b, err
}

func (b *books) readKept(ctx context.Context, tx *db.Tx) error {
	for t, stmt := range [tables]*db.Stmt{daySale: allSaleSQL, dayPoint: allPointSQL, dayMember: allMemberSQL} {
		sums := len(shapes[t].sums)
		err := each(ctx, tx, stmt, func(scan func(...any) error) error {
			c, r := cell{table: table(t)}, &row{}
			to := []any{&c.store, &c.unit, &c.day}
			switch c.table {
			case dayPoint:
				to[1] = &c.point
			case dayMember:
				to = []any{&c.store, &c.day}
			}
			for i := range sums {
				to = append(to, &r[i])
			}
			err := scan(to...)
			b.kept.sums[c] = r
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachEvent goes through events of the log after one position and up to another.
func eachEvent(ctx context.Context, tx *db.Tx, after, upTo int64, do func(*event.Event) error) error {
	for after < upTo {
		list, _, err := event.List(ctx, tx, after, "", event.MaxPage)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if after = list[i].Position; after > upTo {
				return nil
			}
			if err := do(&list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// page is what one snapshot of a shard says of visits.
type page struct {
	stored, pending, due map[monthKey]monthDays
	position             int64
}

// read adds the books of a shard.
func (b *books) read(ctx context.Context, shard int16) (p *page, err error) {
	var part *tally
	err = b.s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		part = newTally(b.zone)
		p = &page{stored: map[monthKey]monthDays{}, pending: map[monthKey]monthDays{}, due: map[monthKey]monthDays{}}
		position, err := event.Position(ctx, tx)
		if err != nil {
			return err
		}
		p.position, b.upTo[shard], b.last = position, position, max(b.last, position)
		if err := readBooks(ctx, tx, part, shard); err != nil {
			return err
		}
		p.setDue(part.visits)
		for _, v := range b.assigned[shard] {
			set(p.due, v)
		}
		if err := b.readAssigned(ctx, tx, p, shard); err != nil {
			return err
		}
		return b.readWaiting(ctx, tx, p, part, shard)
	})
	if err == nil {
		b.want.plus(part, 1)
	}
	return p, err
}

// readBooks counts the rows of a shard.
func readBooks(ctx context.Context, tx *db.Tx, t *tally, shard int16) error {
	err := each(ctx, tx, booksSaleSQL, func(scan func(...any) error) error {
		var member, kind, state, owner int64
		var body string
		var d sold
		if err := scan(&member, &kind, &state, &d.store, &d.currency, &d.total, &d.atMS, &owner, &body); err != nil {
			return err
		}
		d.owned, d.back = owner != 0, sale.Kind(kind) == sale.Return
		if ok, err := inEffect(sale.State(state), body); err != nil || !ok {
			return err
		}
		t.sale(d, 1)
		if !d.back && owner == member {
			t.visit(member, d.store, d.atMS)
		}
		return nil
	}, shard)
	if err != nil {
		return err
	}
	err = each(ctx, tx, booksEntrySQL, func(scan func(...any) error) error {
		var m movement
		err := scan(&m.kind, &m.currency, &m.net, &m.store, &m.atMS)
		t.move(m, 1)
		return err
	}, shard)
	if err != nil {
		return err
	}
	return each(ctx, tx, booksMemberSQL, func(scan func(...any) error) error {
		var store, joined int64
		err := scan(&store, &joined)
		t.join(store, joined, 1)
		return err
	}, shard)
}

// inEffect reports whether a document counts: all but a return that waits, or of which no
// line matched.
func inEffect(state sale.State, body string) (bool, error) {
	if state != sale.Parked {
		return state == sale.Posted, nil
	}
	var b sale.Body
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return false, fmt.Errorf("read a parked return: %w", err)
	}
	for _, l := range b.Lines {
		if l.Parked == "" {
			return true, nil
		}
	}
	return false, nil
}

// readAssigned adds the visits that were given to members of the shard since P.
func (b *books) readAssigned(ctx context.Context, tx *db.Tx, p *page, shard int16) error {
	for after := b.position; after < p.position; {
		list, last, err := event.List(ctx, tx, after, "sale.assigned", event.MaxPage)
		if err != nil {
			return err
		}
		t := newTally(b.zone)
		for i := range list {
			if list[i].Shard == shard && list[i].Position <= p.position {
				if err := t.add(&list[i]); err != nil {
					return err
				}
			}
		}
		p.setDue(t.visits)
		if last == after {
			break
		}
		after = last
	}
	return nil
}

// readWaiting takes off what waits, and reads which days are stored.
func (b *books) readWaiting(ctx context.Context, tx *db.Tx, p *page, part *tally, shard int16) error {
	waiting := newTally(b.zone)
	waiting.only = func(member int64) bool { return id.Shard(member) == shard }
	for after := int64(0); ; {
		list, last, err := event.Waiting(ctx, tx, after, event.MaxPage)
		if err != nil {
			return err
		}
		for i := range list {
			if err := waiting.add(&list[i]); err != nil {
				return err
			}
		}
		if last == after {
			break
		}
		after = last
	}
	part.plus(waiting, -1)
	for v := range waiting.visits {
		set(p.pending, v)
		set(p.due, v) // of an assigned sale, whose row lies in another shard
	}
	for v := range b.aside.visits {
		if id.Shard(v.member) == shard {
			set(p.pending, v)
		}
	}
	return each(ctx, tx, booksActiveSQL, func(scan func(...any) error) error {
		var k monthKey
		var store, days int64
		err := scan(&k.member, &k.month, &store, &days)
		if p.stored[k] == nil {
			p.stored[k] = monthDays{}
		}
		p.stored[k][store] = days
		return err
	}, shard)
}

func (p *page) setDue(visits map[visit]struct{}) {
	for v := range visits {
		set(p.due, v)
	}
}

// set adds a visit to days.
func set(days map[monthKey]monthDays, v visit) {
	month, bit := monthOf(v.day)
	k := monthKey{v.member, month}
	if days[k] == nil {
		days[k] = monthDays{}
	}
	days[k][v.store] |= bit
}

// plus adds the sums of another tally, sign times.
func (t *tally) plus(o *tally, sign int64) {
	for c, r := range o.sums {
		to := t.at(c)
		for i, n := range r {
			to[i] += sign * n
		}
	}
}

// finish takes off what the snapshots hold beyond P, and returns what the sums lack: what
// would have to be added to them.
func (b *books) finish(ctx context.Context) (map[cell]*row, error) {
	later := newTally(b.zone)
	for after := b.position; after < b.last; {
		upTo := min(after+20*event.MaxPage, b.last) // of one snapshot
		err := b.s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			part := newTally(b.zone)
			err := eachEvent(ctx, tx, after, upTo, func(e *event.Event) error {
				part.only = func(member int64) bool { return e.Position <= b.upTo[id.Shard(member)] }
				return part.add(e)
			})
			if err == nil {
				later.plus(part, 1)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		after = upTo
	}
	b.want.plus(later, -1)
	b.want.plus(b.aside, -1)
	b.want.plus(b.kept, -1)
	return b.want.sums, nil
}
