package reward

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Item is a reward as the programme's file has it. Its pictures, stock and codes are no part of
// the file: they stay with the reward.
type Item struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Unique among rewards; never changes." example:"tea-tin"`
	State State  `json:"state" enum:"draft,live,paused,ended" doc:"Whether it can be ordered, in its time."`
	Terms
}

// InCode is the rewards as a section of the programme's file. Currencies and coupons stand
// before them.
func (s *Service) InCode() code.Part {
	return code.List[Item]{
		Section: "rewards", Called: errs.Word{EN: "reward", ZH: "兑换商品"}, Code: func(i Item) string { return i.Code },
		Hold: func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, raiseSQL)
			return err
		},
		All: func(ctx context.Context, tx *db.Tx) (out []Item, err error) {
			list, err := readRewards(ctx, tx)
			for _, r := range list {
				out = append(out, Item{r.Code, r.State, r.Terms})
			}
			return out, err
		},
		Forms: func(i *Item) { i.tidy() },
		Put:   s.putItem,
		Drop: func(ctx context.Context, tx *db.Tx, was Item) error {
			r, err := byCode(ctx, tx, was.Code)
			if err != nil {
				return err
			}
			return drop(ctx, tx, r)
		},
		Done: s.Refresh,
	}
}

// byCode finds a reward as it stands in the transaction. They are few.
func byCode(ctx context.Context, tx *db.Tx, code string) (*Reward, error) {
	list, err := readRewards(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.Code == code {
			return r, nil
		}
	}
	return nil, ErrNotFound
}

// putItem writes one reward of the file. A new one takes on the state that it has there. That the
// coupon which one gives is issued is looked at when it is ordered: it may stand in the same file.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	if was == nil {
		n, err := s.o.DB.NextID(ctx, "reward")
		if err != nil {
			return err
		}
		r := &Reward{ID: n, Code: is.Code, State: Draft, Version: 1, Terms: is.Terms}
		if err := s.insert(ctx, tx, r); err != nil {
			return err
		}
		return s.moveItem(ctx, tx, r, is.State)
	}
	r, err := byCode(ctx, tx, was.Code)
	if err != nil {
		return err
	}
	next := *r
	next.Terms = is.Terms
	if _, err := s.edit(ctx, tx, r, &next); err != nil {
		return err
	}
	if is.State != r.State && !slices.Contains(moves[is.State], r.State) {
		return ErrMove.With("state", stateWords[r.State]).At("state")
	}
	return s.moveItem(ctx, tx, r, is.State)
}

func (s *Service) moveItem(ctx context.Context, tx *db.Tx, r *Reward, to State) error {
	if to == r.State {
		return nil
	}
	n, err := tx.Exec(ctx, moveRewardSQL, r.ID, string(r.State), string(to), s.nowMS())
	if err == nil && n == 0 {
		err = ErrEdited
	}
	if err != nil {
		return fmt.Errorf("move reward %s, by %s: %w", r.Code, staff.ActorOf(ctx), err)
	}
	return nil
}
