package offer

import (
	"context"
	"fmt"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program/code"
	"github.com/patron-loyalty/patron/internal/staff"
)

// Item is an offer as the programme's file has it.
type Item struct {
	Code  string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Unique among offers; never changes." example:"coffee-week"`
	State State  `json:"state" enum:"draft,live,paused,ended" doc:"Whether it can be had, in its time."`
	Terms
}

// BadgeItem is a badge as the programme's file has it.
type BadgeItem struct {
	Code   string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Unique among badges; never changes."`
	Active bool   `json:"active" doc:"Whether it can be won. A badge is never removed."`
	BadgeTerms
}

// InCode is the badges and the offers as sections of the programme's file. Currencies stand
// before them.
func (s *Service) InCode() (badges, offers code.Part) {
	hold := func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, raiseSQL)
		return err
	}
	badges = code.List[BadgeItem]{
		Section: "badges", Called: errs.Word{EN: "badge", ZH: "徽章"}, Code: func(b BadgeItem) string { return b.Code }, Hold: hold,
		All: func(ctx context.Context, tx *db.Tx) ([]BadgeItem, error) {
			list, err := readBadges(ctx, tx)
			var out []BadgeItem
			for _, b := range list {
				out = append(out, BadgeItem{b.Code, b.Active, b.Terms})
			}
			return out, err
		},
		Forms: func(b *BadgeItem) {
			t := b.BadgeTerms
			if t.check() == nil {
				b.BadgeTerms = t
			}
		},
		Put:  s.putBadge,
		Done: s.Refresh,
	}
	offers = code.List[Item]{
		Section: "offers", Called: errs.Word{EN: "offer", ZH: "活动"}, Code: func(i Item) string { return i.Code }, Hold: hold,
		Ready: s.o.Ledger.Declared,
		All: func(ctx context.Context, tx *db.Tx) ([]Item, error) {
			list, err := readOffers(ctx, tx)
			var out []Item
			for _, o := range list {
				out = append(out, Item{o.Code, o.State, o.Terms})
			}
			return out, err
		},
		Forms: func(i *Item) {
			i.NameEN, i.NameZH = fill(i.NameEN, i.NameZH)
			i.TextEN, i.TextZH = fill(i.TextEN, i.TextZH)
			if i.Repeat.Every == Once {
				i.Repeat.Every = ""
			}
		},
		Put: s.putItem,
		Drop: func(ctx context.Context, tx *db.Tx, was Item) error {
			o, err := scanOffer(tx.QueryRow(ctx, offerByCodeSQL, was.Code).Scan)
			if err != nil {
				return err
			}
			n, err := tx.Exec(ctx, removeOfferSQL, o.ID)
			if err == nil && n == 0 {
				return ErrStarted
			}
			if err == nil {
				_, err = tx.Exec(ctx, removeVersionsSQL, o.ID)
			}
			return err
		},
		Done: s.Refresh,
	}
	return badges, offers
}

func (s *Service) putBadge(ctx context.Context, tx *db.Tx, was *BadgeItem, is BadgeItem) error {
	t := is.BadgeTerms
	if err := t.check(); err != nil {
		return err
	}
	list, err := readBadges(ctx, tx)
	if err != nil {
		return err
	}
	if was == nil {
		if len(list) >= maxBadges {
			return ErrMany.With("most", maxBadges)
		}
		n, err := s.o.DB.NextID(ctx, "badge")
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertBadgeSQL, n, is.Code, string(pack(t)), s.nowMS()); err != nil || is.Active {
			return err
		}
		_, err = tx.Exec(ctx, updateBadgeSQL, n, 1, string(pack(t)), false, s.nowMS())
		return err
	}
	for _, b := range list {
		if b.Code == is.Code {
			_, err = tx.Exec(ctx, updateBadgeSQL, b.ID, b.Version, string(pack(t)), is.Active, s.nowMS())
		}
	}
	return err
}

// putItem writes one offer of the file. A new one takes on the state that it has there.
func (s *Service) putItem(ctx context.Context, tx *db.Tx, was *Item, is Item) error {
	t := is.Terms
	if err := s.checkIn(ctx, tx, &t); err != nil {
		return err
	}
	nowMS := s.nowMS()
	if was == nil {
		n, err := s.o.DB.NextID(ctx, "offer")
		if err != nil {
			return err
		}
		o := &Offer{ID: n, Code: is.Code, State: Draft, Version: 1, Terms: t}
		if _, err := tx.Exec(ctx, insertOfferSQL, o.ID, o.Code, string(pack(t)), nowMS); err != nil {
			return fmt.Errorf("add offer %s: %w", is.Code, err)
		}
		if err := insertVersion(ctx, tx, o, staff.ActorOf(ctx), nowMS); err != nil {
			return err
		}
		return s.move(ctx, tx, o, is.State)
	}
	o, err := scanOffer(tx.QueryRow(ctx, offerByCodeSQL, is.Code).Scan)
	if err != nil {
		return err
	}
	if o.State == Ended {
		return ErrMove.With("state", stateWord(Ended)).At("state")
	}
	if string(pack(t)) != string(pack(o.Terms)) {
		if _, err := tx.Exec(ctx, updateOfferSQL, o.ID, o.Version, string(pack(t)), nowMS); err != nil {
			return err
		}
		next := *o
		next.Version, next.Terms = o.Version+1, t
		if err := insertVersion(ctx, tx, &next, staff.ActorOf(ctx), nowMS); err != nil {
			return err
		}
	}
	if is.State != o.State && !slices.Contains(moves[is.State], o.State) {
		return ErrMove.With("state", stateWord(o.State)).At("state")
	}
	return s.move(ctx, tx, o, is.State)
}

func (s *Service) move(ctx context.Context, tx *db.Tx, o *Offer, to State) error {
	if to == o.State {
		return nil
	}
	endedMS := int64(0)
	if to == Ended {
		endedMS = s.nowMS()
	}
	_, err := tx.Exec(ctx, moveOfferSQL, o.ID, string(o.State), string(to), s.nowMS(), endedMS)
	return err
}

// checkIn is check by the currencies and badges that the transaction sees.
func (s *Service) checkIn(ctx context.Context, tx *db.Tx, t *Terms) error {
	config, err := s.o.Ledger.ConfigIn(ctx, tx)
	if err != nil {
		return err
	}
	n := &snapshot{badge: map[string]*Badge{}}
	if n.words, err = s.o.Ledger.WordsOf(ctx, config); err != nil {
		return err
	}
	list, err := readBadges(ctx, tx)
	if err != nil {
		return err
	}
	for _, b := range list {
		n.badge[b.Code] = b
	}
	reward := t.Reward
	if cur := config.ByCode[reward.Currency]; (reward.Currency == "") != (reward.Amount == 0) || reward.Currency != "" && (cur == nil || cur.Kind == ledger.Stored) {
		return ErrReward.At("body.reward")
	}
	t.Reward.Currency, t.Reward.Amount = "", 0 // checked by what the transaction sees
	as := &Service{o: s.o}
	as.now.Store(n)
	err = as.check(t)
	t.Reward = reward
	return err
}
