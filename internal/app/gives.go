package app

import (
	"context"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/rule"
	"github.com/patron-loyalty/patron/internal/track"
)

// rulesOnEvents lets rules give for events.
type rulesOnEvents struct{ rules *rule.Service }

// Event is part of track.Giver.
func (r rulesOnEvents) Event(ctx context.Context, owner member.ID, kind string, at time.Time, properties map[string]any) (track.Gift, error) {
	g, err := r.rules.Event(ctx, owner, kind, at, properties)
	if g == nil {
		return nil, err // and not a Gift that is nil
	}
	return ruleGift{g}, err
}

type ruleGift struct{ *rule.Gift }

// Decide is part of track.Gift.
func (g ruleGift) Decide(s *ledger.State, a *ledger.Account) ([]track.Lot, error) {
	list, err := g.Gift.Decide(s, a)
	var out []track.Lot
	for _, x := range list {
		out = append(out, track.Lot{Currency: x.Currency, Amount: x.Amount, Rule: x.Rule, Key: x.Lot})
	}
	return out, err
}
