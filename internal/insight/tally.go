package insight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// everywhere is the store of the sum over all stores.
const everywhere = -1

// table is one of the tables of sums.
type table uint8

// The tables. Their columns of sums stand in this order in a row.
const (
	daySale table = iota
	dayPoint
	dayMember
	tables
)

// The sums of day_sale.
const (
	sales = iota
	total
	returns
	returned
	memberSales
	memberTotal
	memberReturns
	memberReturned
)

// The sums of day_point.
const (
	issued = iota
	opened
	redeemed
	restored
	expired
	clawed
	adjusted
	fees
	net
	widest // of all tables
)

// cell is the key of a row of sums.
type cell struct {
	table table
	store int64
	unit  string // of money in day_sale
	point int64  // currency of day_point
	day   program.Day
}

// row is its sums, signed.
type row [widest]int64

// visit is a day on which a member bought something in a store.
type visit struct {
	member, store int64
	day           program.Day
}

// tally is what a list of events comes to: sums, which commute, and visits, which are a set.
// So neither order nor batches make a difference.
type tally struct {
	zone   *time.Location
	sums   map[cell]*row
	visits map[visit]struct{}

	// only says of whose rows to count; nil for everybody's. What an event tells of may lie with
	// others than its member: a sale that is assigned stays where it was made.
	only func(member int64) bool

	lastMS  int64 // the latest instant that was asked for, and its day: events come in crowds
	lastDay program.Day
}

func newTally(zone *time.Location) *tally {
	return &tally{zone: zone, sums: map[cell]*row{}, visits: map[visit]struct{}{}, lastMS: -1 << 62}
}

func (t *tally) dayOf(ms int64) program.Day {
	if ms != t.lastMS {
		t.lastMS, t.lastDay = ms, program.DayOf(time.UnixMilli(ms), t.zone)
	}
	return t.lastDay
}

// at returns the sums of a cell, to be added to.
func (t *tally) at(c cell) *row {
	r := t.sums[c]
	if r == nil {
		r = &row{}
		t.sums[c] = r
	}
	return r
}

// both adds to the row of a store and to that of all stores.
func (t *tally) both(c cell, add func(*row)) {
	add(t.at(c))
	c.store = everywhere
	add(t.at(c))
}

// sold is a purchase or a return as it is counted.
type sold struct {
	store    int64
	currency string
	atMS     int64
	total    int64
	owned    bool // by a member
	back     bool // a return
}

// sale adds a purchase or return sign times. What is given to a member later is first taken
// off as nobody's.
func (t *tally) sale(s sold, sign int64) {
	all, money, mine, minesMoney := sales, total, memberSales, memberTotal
	if s.back {
		all, money, mine, minesMoney = returns, returned, memberReturns, memberReturned
	}
	t.both(cell{table: daySale, store: s.store, unit: s.currency, day: t.dayOf(s.atMS)}, func(r *row) {
		r[all] += sign
		r[money] += sign * s.total
		if s.owned {
			r[mine] += sign
			r[minesMoney] += sign * s.total
		}
	})
}

func (t *tally) visit(member, store, atMS int64) {
	t.visits[visit{member, store, t.dayOf(atMS)}] = struct{}{}
}

func (t *tally) join(store, atMS, n int64) {
	t.both(cell{table: dayMember, store: store, day: t.dayOf(atMS)}, func(r *row) { r[0] += n })
}

// movement is what a movement is counted as.
type movement struct {
	store, currency, atMS, net int64
	kind                       ledger.EntryKind
}

// counted reports whether a kind of entry changes a figure: what goes from one member to
// another, or between a member's own accounts, changes none.
func counted(k ledger.EntryKind) bool {
	c := k.Contra()
	return c != ledger.None && c != ledger.Transit
}

func (t *tally) move(m movement, sign int64) {
	if !counted(m.kind) {
		return
	}
	n := sign * m.net
	t.both(cell{table: dayPoint, store: m.store, point: m.currency, day: t.dayOf(m.atMS)}, func(r *row) {
		r[net] += n
		switch m.kind {
		case ledger.Earn, ledger.TopUp:
			r[issued] += n
		case ledger.Opening:
			r[opened] += n
		case ledger.Spend, ledger.HoldTaken:
			r[redeemed] -= n
		case ledger.GiveBack:
			r[restored] += n
		case ledger.Expire:
			r[expired] -= n
		case ledger.Claw:
			r[clawed] -= n
		case ledger.Adjust:
			r[adjusted] += n
		case ledger.Fee:
			r[fees] -= n
		}
	})
}

// counts reports whether rows of a member are counted.
func (t *tally) counts(member int64) bool { return t.only == nil || t.only(member) }

// told is what is read of the bodies of the events that count.
type told struct {
	ID       string       `json:"id"`
	Currency string       `json:"currency"`
	Total    int64        `json:"total"`
	Store    storeRef     `json:"store"`
	Owner    string       `json:"owner"`
	Moves    ledger.Moves `json:"moves"`
	SoldMS   int64        `json:"sold_ms"`
	Returns  []struct {
		AtMS  int64 `json:"at_ms"`
		Total int64 `json:"total"`
	} `json:"returns"`
	Joining *struct {
		From     int64 `json:"from_store"`
		To       int64 `json:"to_store"`
		JoinedMS int64 `json:"joined_ms"`
	} `json:"joining"`
}

// storeRef is a store by its public id, or by its number in the events of members.
type storeRef int64

// UnmarshalJSON reads either.
func (s *storeRef) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '"' {
		return json.Unmarshal(b, (*int64)(s))
	}
	_, n, err := id.Decode("sto_", string(bytes.Trim(b, `"`)))
	*s = storeRef(n)
	return err
}

const movesField = `"moves":`

// add counts an event.
func (t *tally) add(e *event.Event) error {
	switch e.Kind {
	case "sale.recorded", "sale.returned", "sale.assigned", "member.joined", "member.changed":
	default:
		if !bytes.Contains(e.Body, []byte(movesField)) {
			return nil
		}
	}
	var b told
	if err := json.Unmarshal(e.Body, &b); err != nil {
		return fmt.Errorf("read event %d: %w", e.Position, err)
	}
	if e.Kind == "sale.assigned" {
		if err := t.assigned(e, &b); err != nil {
			return fmt.Errorf("read event %d: %w", e.Position, err)
		}
	} else if t.counts(e.Member) {
		t.own(e, &b)
	}
	moves, err := b.Moves.Of(e.Member, e.AtMS)
	if err != nil {
		return fmt.Errorf("read event %d: %w", e.Position, err)
	}
	for _, m := range moves {
		if t.counts(m.Member) {
			t.move(movement{m.Store, m.Currency, m.AtMS, m.Net, m.Kind}, 1)
		}
	}
	return nil
}

// own counts what an event tells of its own member but for movements.
func (t *tally) own(e *event.Event, b *told) {
	store := int64(b.Store)
	switch e.Kind {
	case "sale.recorded":
		t.sale(sold{store, b.Currency, e.AtMS, b.Total, e.Member > 0, false}, 1)
		if e.Member > 0 {
			t.visit(e.Member, store, e.AtMS)
		}
	case "sale.returned":
		t.sale(sold{store, b.Currency, e.AtMS, b.Total, b.Owner != "", true}, 1)
	case "member.joined":
		t.join(store, e.AtMS, 1)
	case "member.changed":
		if j := b.Joining; j != nil {
			t.join(j.From, j.JoinedMS, -1)
			t.join(j.To, j.JoinedMS, 1)
		}
	}
}

// assigned moves a sale, and the returns that went with it, from nobody to a member. Their
// rows stay where they were made.
func (t *tally) assigned(e *event.Event, b *told) error {
	home, _, err := id.Decode("sal_", b.ID)
	if err != nil {
		return err
	}
	if t.counts(e.Member) {
		t.visit(e.Member, int64(b.Store), b.SoldMS)
	}
	if !t.counts(home) {
		return nil
	}
	docs := []sold{{int64(b.Store), b.Currency, b.SoldMS, b.Total, false, false}}
	for _, r := range b.Returns {
		docs = append(docs, sold{int64(b.Store), b.Currency, r.AtMS, r.Total, false, true})
	}
	for _, d := range docs {
		t.sale(d, -1)
		d.owned = true
		t.sale(d, 1)
	}
	return nil
}
