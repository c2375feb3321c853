package coupon

import (
	"context"

	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Offline is a voucher as a till may use it while the line is down.
type Offline struct {
	Code            string
	Coupon          int64
	Version         int64
	FromMS, UntilMS int64
	Terms           OfflineTerms
}

// OfflineTerms are as much of the terms as a till needs to price by itself. They hold nothing of
// stock, budget and audience. The JSON is what tills read.
type OfflineTerms struct {
	NameEN   string   `json:"name_en"`
	NameZH   string   `json:"name_zh"`
	Effect   Effect   `json:"effect"`
	Minimum  Minimum  `json:"minimum,omitzero"`
	Scope    Scope    `json:"scope,omitzero"`
	Channels []string `json:"channels,omitempty"`
	Weekdays []int64  `json:"weekdays,omitempty"`
	Hours    []Hours  `json:"hours,omitempty"`
	Cap      int64    `json:"cap,omitempty"`
	Stack    Stack    `json:"stack,omitzero"`
}

// OfflineOf lists vouchers of a member that a till of a store can price by itself now, the soonest
// to end first: those that the member holds, without a condition of the sale or of the member,
// which only the server can work out.
func (s *Service) OfflineOf(ctx context.Context, m, store int64, most int) (out []Offline, err error) {
	n, now := s.now.Load(), s.nowMS()
	var list []*Voucher
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		records, err := recordsOf(ctx, tx, m)
		if err != nil {
			return err
		}
		list, err = usableOf(ctx, tx, records, now, maxCandidates)
		return err
	})
	for _, v := range list {
		of := n.of(v.Coupon, v.Version)
		if of == nil || of.sale != nil || of.audience != nil || of.stores != nil && !of.stores[store] || of.coupon.State == Paused || of.coupon.State == Draft {
			continue
		}
		if v.usable(now, now, 0) != nil {
			continue
		}
		t := of.terms
		out = append(out, Offline{v.Code, v.Coupon, v.Version, v.From, v.Until, OfflineTerms{
			NameEN: t.NameEN, NameZH: t.NameZH, Effect: t.Effect, Minimum: t.Minimum, Scope: t.Scope, Channels: t.Channels,
			Weekdays: t.Weekdays, Hours: t.Hours, Cap: t.Cap, Stack: t.Stack,
		}})
		if len(out) == most {
			break
		}
	}
	return out, err
}

// OfflinePromos is what vouchers take off a basket by their own versions, whatever has become of
// them since: a till has taken it off already. A refusal says why a till could not have.
func (s *Service) OfflinePromos(b *sale.Basket, uses []Use) (out []discount.Promo, err error) {
	l := looking{s: s, n: s.now.Load(), b: b}
	for _, u := range uses {
		v := l.n.of(u.Coupon, u.Version)
		if v == nil {
			return nil, ErrUnknown.With("code", u.Code)
		}
		if err := l.place(v); err != nil {
			return nil, err
		}
		out = append(out, v.promo(u.Code, b, 0))
	}
	return out, nil
}
