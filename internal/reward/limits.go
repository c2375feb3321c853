package reward

import (
	"errors"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// spanOf tells the periods of a member's limits apart: which kind of period (0 ever, 1 day, 2
// week, 3 month), and which one.
func spanOf(window, period int64) int64 { return window<<spanBits | period }

const spanBits = 32

func stockKey(reward, store int64) quota.Key {
	return quota.Key{Kind: quota.RewardStock, ID: reward, Part: store}
}

func memberKey(member, reward, span int64) quota.Key {
	return quota.Key{Kind: quota.RewardMember, ID: reward, Part: member, Span: span}
}

// bound is one limit that an order counts for.
type bound struct {
	key   quota.Key
	limit quota.Limit
}

// bounds are the limits of a member for a reward at an instant.
func (v *version) bounds(s *ledger.State, member int64) (list []bound) {
	day, week, month := periods(s, s.NowMS)
	return v.boundsAt(member, day, week, month)
}

func (v *version) boundsAt(member, day, week, month int64) (list []bound) {
	l := v.terms.Limits
	for i, w := range []struct{ most, period int64 }{{l.Ever, 0}, {l.Day, day}, {l.Week, week}, {l.Month, month}} {
		if w.most > 0 {
			list = append(list, bound{memberKey(member, v.reward.ID, spanOf(int64(i), w.period)), quota.Limit{N: w.most}})
		}
	}
	return list
}

// stocked reports whether orders of the reward are counted in a stock, and in which store's.
func (v *version) stocked(store int64) (of int64, counted bool) {
	switch {
	case v.terms.Kind == CodeK || v.terms.Stock == StockCommon:
		return 0, true
	case v.terms.Stock == StockStores:
		return store, true
	}
	return 0, false
}

// supply is what was ever put in a stock whose row was asked for, and that row.
func supply(s *ledger.State, reward, store int64) (n int64, row []any) {
	if row = s.Row(stockTable, reward, store); row == nil {
		return 0, nil
	}
	return row[2].(int64), row
}

// spent translates that a limit is reached.
func spent(err error, to error) error {
	if errors.Is(err, quota.ErrSpent) || errors.Is(err, quota.ErrBudget) {
		return to
	}
	return err
}
