package reward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
)

var _ privacy.Part = (*Service)(nil)

// Name is part of privacy.Part.
func (s *Service) Name() string { return "rewards" }

const personPage = 100

// Export writes what a person ordered, and what they wish for.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	err := to.Sheet("reward_orders", "record", "id", "reward", "version", "state", "currency", "points", "money", "money_currency", "paid_by", "payment_reference", "way", "store", "code", "recipient", "phone", "address",
		"carrier", "tracking", "ordered_at", "paid_at", "changed_at", "expires_at", "history")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		if err := s.exportOrders(ctx, m, to); err != nil {
			return err
		}
	}
	if err := to.Sheet("reward_wishes", "record", "reward", "since"); err != nil {
		return err
	}
	for _, m := range who.Records {
		type wish struct{ reward, at int64 }
		var list []wish
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			list = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var w wish
				err := rows.Scan(&w.reward, &w.at)
				list = append(list, w)
				return err
			})(tx.Query(ctx, wishesSQL, m.Shard(), int64(m)))
		})
		if err != nil {
			return fmt.Errorf("wishes of %s: %w", m, err)
		}
		for _, w := range list {
			code := ""
			if r := s.now.Load().rewards[w.reward]; r != nil {
				code = r.Code
			}
			if err := to.Row(m, code, timeOf(w.at)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) exportOrders(ctx context.Context, m member.ID, to privacy.Sheets) error {
	for below := int64(math.MaxInt64); ; {
		var page []OrderView
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			var list []*Order
			page = nil
			if err := scanOrders(&list)(tx.Query(ctx, ordersOfSQL, m.Shard(), int64(m), below, personPage)); err != nil {
				return err
			}
			for _, o := range list {
				v, err := s.whole(ctx, tx, o, true)
				if err != nil {
					return err
				}
				page, below = append(page, v), o.Seq
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("orders of %s: %w", m, err)
		}
		for _, v := range page {
			var a Address
			if v.Address != nil {
				a = *v.Address
			}
			var history []string
			for _, st := range v.Steps {
				history = append(history, st.At.Format("2006-01-02T15:04:05Z")+" "+st.Step)
			}
			err := to.Row(m, v.ID, v.Code, v.Version, v.State, v.Currency, v.Points, v.Money.Amount, v.Money.Currency, v.PaidBy, v.PayRef, string(v.Way), v.Store, v.Gift, a.Name, a.Phone, a.Line,
				v.Carrier, v.Tracking, v.Made, cell(v.Paid), v.Changed, cell(v.Expires), fmt.Sprint(history))
			if err != nil {
				return err
			}
		}
		if len(page) < personPage {
			return nil
		}
	}
}

// cell is a value of an export that may be absent.
func cell[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// Erase ends what still waits for the member, and wipes addresses, codes and what was written
// beside orders. What was ordered when stays: it is the shop's book-keeping.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		for below := int64(math.MaxInt64); ; {
			var list []*Order
			err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
				list = nil
				return scanOrders(&list)(tx.Query(ctx, ordersOfSQL, m.Shard(), int64(m), below, personPage))
			})
			if err != nil {
				return fmt.Errorf("orders of %s: %w", m, err)
			}
			for _, o := range list {
				below = o.Seq
				a := s.o.Ledger.Engine().Do(ctx, ledger.Request{Command: &wipe{s.anyAct(o.Member, o.Seq)}, Actor: "system:privacy"})
				if a.Err != nil && !errors.Is(a.Err, ledger.ErrMember) && !errors.Is(a.Err, ErrNoOrder) {
					return fmt.Errorf("wipe order %s: %w", o.PublicID(), a.Err)
				}
			}
			if len(list) < personPage {
				break
			}
		}
		err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, unwishAllSQL, m.Shard(), int64(m)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, wipeNotesSQL, m.Shard(), int64(m))
			return err
		})
		if err != nil {
			return fmt.Errorf("wipe wishes and notes of %s: %w", m, err)
		}
	}
	return nil
}

var wipeNotesSQL = db.Define("reward.wipeNotes", `
	UPDATE reward_order_step
	SET note = ''
	WHERE shard = $1 AND member_id = $2 AND note <> ''`)

// wipe is the command that leaves of an order what the books need.
type wipe struct{ act }

// Decide cancels what waits: the points are forfeited with the rest, so they are not given back.
func (c *wipe) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if o := x.o; o.Step == Held || o.Step == Paid || o.Step == Fulfilled && o.Body.Way != Ship {
		if err := undo(s, x, Cancelled, false, true); err != nil {
			return nil, err
		}
		o.Body.Kept = true
		o.note(s, "cancelled", 0, "")
		c.n.tell(s, x.home, "reward.cancelled", o, "erased")
	}
	x.o.pickup, x.o.address, x.o.Carrier, x.o.Tracking, x.o.Gift = []byte{}, []byte{}, "", "", ""
	x.o.Body.PayKind, x.o.Body.PayRef = "", ""
	x.o.put(s)
	return struct{}{}, nil
}
