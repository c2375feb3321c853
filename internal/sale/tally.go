package sale

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Tally is the sum of sales and returns of one currency of money.
type Tally struct {
	Currency           string
	Sales, Returns     int64            // documents; Voids are among the returns
	Sold, Returned     int64            // money, minor units
	Voids, Voided      int64            // of the returns
	Payments           map[string]int64 // by kind, less what was given back so
	Unpaid             int64            // of Sold less Returned, what no payment says: tills need not name any
	Members            int64            // sales of members
	Earned, ClawedBack map[int64]int64  // points by currency
	Spent, Restored    map[int64]int64
}

// tallyRows is how many rows one look reads, and tallyLooks how many there are: more than a
// till sells in the longest span of a report, at the largest programme.
const (
	tallyRows  = 5_000
	tallyLooks = 400
)

// Tallies adds up what was sold and returned from an instant to another (Unix milliseconds,
// the latter exclusive), of a store, and where they are not empty of a till and of a
// salesperson as sales name them. It goes along the index by time and reads whole only
// what counts. Sales of the past that an import brought are left out.
func (s *Service) Tallies(ctx context.Context, store int64, till, staff string, from, to int64) (list []Tally, err error) {
	m := matcher{store: store, till: till, staff: staff}
	sums := map[string]*Tally{}
	c, err := firstByTime("")
	if err != nil {
		return nil, err
	}
	for range tallyLooks {
		n := 0
		var docs []*Document
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			n, docs = 0, nil
			var keys []*Document
			rows, err := tx.Query(ctx, narrowSQL, from, to, c[0], c[1], c[2], c[3], tallyRows)
			if err != nil {
				return err
			}
			defer rows.Close()
			for ; rows.Next(); n++ {
				d := &Document{}
				if err := rows.Scan(&d.AtMS, &d.Member, &d.Seq, &d.Kind, &d.Store, &d.Till, &d.Staff, &d.Channel); err != nil {
					return err
				}
				if m.fits(d) {
					keys = append(keys, d)
				}
				c = []int64{d.AtMS, int64(id.Shard(d.Member)), d.Member, d.Seq}
			}
			if err := rows.Err(); err != nil {
				return err
			}
			for part := range slices.Chunk(keys, wholeAtOnce) {
				more, err := whole(ctx, tx, part)
				if err != nil {
					return err
				}
				docs = append(docs, more...)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("add up sales: %w", err)
		}
		for _, d := range s.seen(ctx, docs) {
			if d.Flags&History != 0 || d.State == Waiting {
				continue
			}
			if sums[d.Currency] == nil {
				sums[d.Currency] = &Tally{Currency: d.Currency, Payments: map[string]int64{}, Earned: map[int64]int64{}, ClawedBack: map[int64]int64{}, Spent: map[int64]int64{}, Restored: map[int64]int64{}}
			}
			sums[d.Currency].add(d)
		}
		if n < tallyRows {
			break
		}
	}
	for _, t := range sums {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Tally) int { return strings.Compare(a.Currency, b.Currency) })
	return list, nil
}

func (t *Tally) add(d *Document) {
	sign := int64(1)
	if d.Kind == Return {
		sign = -1
		t.Returns, t.Returned = t.Returns+1, t.Returned+d.Total
		if d.Flags&Void != 0 {
			t.Voids, t.Voided = t.Voids+1, t.Voided+d.Total
		}
	} else {
		t.Sales, t.Sold = t.Sales+1, t.Sold+d.Total
		if d.Owner != 0 {
			t.Members++
		}
	}
	left := d.Total
	for _, p := range d.Body.Payments {
		t.Payments[p.Kind] += sign * p.Amount
		left -= p.Amount
	}
	t.Unpaid += sign * left
	for _, e := range d.Effect.Earned {
		t.Earned[e.Currency] += e.Amount
	}
	for _, e := range d.Effect.Spent {
		t.Spent[e.Currency] += e.Amount
	}
	for _, e := range d.Effect.Clawed {
		t.ClawedBack[e.Currency] += e.Amount
	}
	for _, e := range d.Effect.Restored {
		t.Restored[e.Currency] += e.Amount
	}
}
