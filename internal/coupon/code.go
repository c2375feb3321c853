package coupon

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Item is a coupon as the programme's file has it.
type Item struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Unique among coupons; never changes." example:"spring-20-off-100"`
	State State  `json:"state" enum:"draft,live,paused,ended" doc:"Whether it can be had, in its time."`
	Terms
}

// InCode is the coupons as a section of the programme's file. Currencies stand before it.
func (s *Service) InCode() code.Part {
	return code.List[Item]{
		Section: "coupons", Called: errs.Word{EN: "coupon", ZH: "优惠券"}, Code: func(i Item) string { return i.Code },
		Hold: func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, raiseSQL)
			return err
		},
		Ready: s.o.Ledger.Declared,
		All: func(ctx context.Context, tx *db.Tx) ([]Item, error) {
			list, err := readCoupons(ctx, tx)
			var out []Item
			for _, c := range list {
				out = append(out, Item{c.Code, c.State, c.Terms})
			}
			return out, err
		},
		Forms: func(i *Item) { i.fill() },
		Put:   s.putItem,
		Drop: func(ctx context.Context, tx *db.Tx, was Item) error {
			c, err := scanCoupon(tx.QueryRow(ctx, couponByCodeSQL, was.Code).Scan)
			if err != nil {
				return err
			}
			n, err := tx.Exec(ctx, removeCouponSQL, c.ID)
			if err == nil && n == 0 {
				return ErrStarted
			}
			if err == nil {
				_, err = tx.Exec(ctx, removeVersionsSQL, c.ID)
			}
			return err
		},
		Done: s.Refresh,
	}
}

// putItem writes one coupon of the file. A new one takes on the state that it has there.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	t := is.Terms
	config, err := s.o.Ledger.ConfigIn(ctx, tx)
	if err != nil {
		return err
	}
	words, err := s.o.Ledger.WordsOf(ctx, config)
	if err != nil {
		return err
	}
	if err := s.checkBy(&t, words, config); err != nil {
		return err
	}
	nowMS := s.nowMS()
	if was == nil {
		n, err := s.o.DB.NextID(ctx, "coupon")
		if err != nil {
			return err
		}
		c := &Coupon{ID: n, Code: is.Code, State: Draft, Version: 1, Terms: t}
		if err := checkSharedIn(ctx, tx, c); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertCouponSQL, c.ID, c.Code, fold(t.SharedCode), pack(t), nowMS); err != nil {
			return fmt.Errorf("add coupon %s: %w", is.Code, err)
		}
		if err := insertVersion(ctx, tx, c, staff.ActorOf(ctx), nowMS); err != nil {
			return err
		}
		return s.moveItem(ctx, tx, c, is.State)
	}
	c, err := scanCoupon(tx.QueryRow(ctx, couponByCodeSQL, was.Code).Scan)
	if err != nil {
		return err
	}
	if c.State == Ended {
		return ErrMove.With("state", stateWord(Ended)).At("state")
	}
	if pack(t) != pack(c.Terms) {
		if c.State != Draft && (c.Terms.SharedCode == "") != (t.SharedCode == "") {
			return ErrSharedHas.At("shared_code")
		}
		next := *c
		next.Version, next.Terms = c.Version+1, t
		if err := checkSharedIn(ctx, tx, &next); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, updateCouponSQL, c.ID, c.Version, pack(t), fold(t.SharedCode), nowMS); err != nil {
			return err
		}
		if err := insertVersion(ctx, tx, &next, staff.ActorOf(ctx), nowMS); err != nil {
			return err
		}
	}
	if is.State != c.State && !slices.Contains(moves[is.State], c.State) {
		return ErrMove.With("state", stateWord(c.State)).At("state")
	}
	return s.moveItem(ctx, tx, c, is.State)
}

func (s *Service) moveItem(ctx context.Context, tx *db.Tx, c *Coupon, to State) error {
	if to == c.State {
		return nil
	}
	endedMS := int64(0)
	if to == Ended {
		endedMS = s.nowMS()
	}
	_, err := tx.Exec(ctx, moveCouponSQL, c.ID, string(c.State), string(to), s.nowMS(), endedMS)
	return err
}
