package plan

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Item is a plan as the programme's file has it.
type Item struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" doc:"Unique among plans; never changes." example:"gold"`
	State State  `json:"state" enum:"draft,live,paused,ended" doc:"Whether it is sold."`
	Terms
}

// Part is the plans as a section of the programme's file. Currencies stand before it.
func (s *Service) Part() code.Part {
	return code.List[Item]{
		Section: "plans", Called: errs.Word{EN: "plan", ZH: "付费会员方案"}, Code: func(i Item) string { return i.Code },
		Hold: raiseBook,
		All: func(ctx context.Context, tx *db.Tx) ([]Item, error) {
			list, err := readPlans(ctx, tx)
			out := make([]Item, 0, len(list))
			for _, p := range list {
				out = append(out, Item{p.Code, p.State, p.Terms})
			}
			return out, err
		},
		Forms: func(i *Item) { i.tidy() },
		Put:   s.putItem,
		Drop: func(ctx context.Context, tx *db.Tx, was Item) error {
			list, err := readPlans(ctx, tx)
			if err != nil {
				return err
			}
			return s.drop(ctx, tx, newBook(0, list).byCode[was.Code])
		},
		Done: s.Refresh,
	}
}

// putItem writes one plan of the file. A new one takes on the state that it has there at once.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	if was == nil {
		n, err := s.o.DB.NextID(ctx, "plan")
		if err != nil {
			return err
		}
		return s.insert(ctx, tx, &Plan{ID: n, Code: is.Code, State: is.State, Version: 1, Terms: is.Terms}, "body", "body")
	}
	list, err := readPlans(ctx, tx)
	if err != nil {
		return err
	}
	before := newBook(0, list).byCode[is.Code]
	after := *before
	if err := s.edit(ctx, tx, &after, is.Terms, "body"); err != nil {
		return err
	}
	if is.State != before.State {
		if err := after.step(is.State, "body.state"); err != nil {
			return err
		}
	}
	return s.keep(ctx, tx, before, &after, staff.ActorOf(ctx))
}
