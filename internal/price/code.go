package price

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program/code"
)

// Entry is a price list as the programme's file has it.
type Entry struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" doc:"Unique among price lists; never changes." example:"gold-tea"`
	State State  `json:"state" enum:"draft,live,paused" doc:"Whether it is published."`
	Terms
	Prices []Item `json:"prices,omitempty" maxItems:"20000" doc:"What it says of products, brands and categories."`
}

// InCode is the price lists as a section of the programme's file. Tiers and plans are named by their
// codes; one that is not there has no members.
func (s *Service) InCode() code.Part {
	return code.List[Entry]{
		Section: "prices", Called: errs.Word{EN: "price list", ZH: "会员价目表"}, Code: func(e Entry) string { return e.Code },
		Hold: func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, raiseSQL)
			return err
		},
		Ready: s.o.Ledger.Declared,
		All: func(ctx context.Context, tx *db.Tx) ([]Entry, error) {
			lists, err := readLists(ctx, tx)
			if err != nil {
				return nil, err
			}
			items := map[int64][]Item{}
			err = eachItem(ctx, tx, allItemsSQL, func(list int64, i Item) { items[list] = append(items[list], i) })
			out := make([]Entry, 0, len(lists))
			for _, l := range lists {
				out = append(out, Entry{l.Code, l.State, l.Terms, items[l.ID]})
			}
			return out, err
		},
		Forms: func(e *Entry) {
			e.fill()
			slices.SortStableFunc(e.Prices, func(a, b Item) int {
				x, y := keyOf(a), keyOf(b)
				return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.ref, y.ref))
			})
		},
		Put: s.putEntry,
		Drop: func(ctx context.Context, tx *db.Tx, was Entry) error {
			l, err := byCode(ctx, tx, was.Code)
			if err != nil {
				return err
			}
			if l.State == Live {
				return ErrLive
			}
			return remove(ctx, tx, l)
		},
		Done: s.Refresh,
	}
}

func byCode(ctx context.Context, tx *db.Tx, code string) (*List, error) {
	lists, err := readLists(ctx, tx)
	for _, l := range lists {
		if l.Code == code {
			return l, err
		}
	}
	return nil, cmp.Or(err, error(ErrUnknown))
}

// putEntry writes one list of the file, with all that it says.
func (s *Service) putEntry(ctx context.Context, tx *db.Tx, was *Entry, is Entry) error {
	config, err := s.o.Ledger.ConfigIn(ctx, tx)
	if err != nil {
		return err
	}
	words, err := s.o.Ledger.WordsOf(ctx, config)
	if err != nil {
		return err
	}
	if !codes.MatchString(is.Code) {
		return ErrCode.At("code")
	}
	if err := is.Terms.check(s.o.Program.Snapshot(), words); err != nil {
		return err
	}
	all := map[itemKey]Item{}
	for i := range is.Prices {
		if err := is.Prices[i].check(); err != nil {
			return at(err, fmt.Sprintf("prices[%d]", i))
		}
		all[keyOf(is.Prices[i])] = is.Prices[i]
	}
	if len(all) != len(is.Prices) {
		return ErrItem.With("why", errs.Word{EN: "Two prices are of the same product, brand or category.", ZH: "同一商品、品牌或品类重复出现。"}).At("prices")
	}
	if err := bounded(all); err != nil {
		return at(err, "prices")
	}
	var l *List
	if was == nil {
		l, err = s.insert(ctx, tx, is.Code, is.State, is.Terms)
	} else if l, err = byCode(ctx, tx, is.Code); err == nil {
		from := l.Version
		l.State, l.Terms = is.State, is.Terms
		if err = s.update(ctx, tx, from, l); err == nil {
			_, err = tx.Exec(ctx, removeItemsSQL, l.ID)
		}
	}
	if err != nil {
		return err
	}
	return writeItems(ctx, tx, l.ID, is.Prices)
}
