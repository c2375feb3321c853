package portal

import (
	"context"

	"github.com/patron-loyalty/patron/internal/tier"
)

type tierOut struct {
	Body struct {
		Items []ownTier `json:"items" doc:"One for each live scheme, the main one first; empty where there are no tiers."`
	}
}

// ownTier is where the member stands in one scheme, with the whole ladder.
type ownTier struct {
	tier.StandingView
	Ladder []tier.Rung `json:"ladder" doc:"All tiers of the scheme, the lowest first."`
}

func (s *Service) getTier(ctx context.Context, _ *struct{}) (*tierOut, error) {
	m, err := me(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.o.Tiers.Standing(ctx, m)
	if err != nil {
		return nil, err
	}
	out := &tierOut{}
	out.Body.Items = []ownTier{}
	for _, v := range list {
		v.Lock, v.Hand = nil, false // colleagues' affairs
		out.Body.Items = append(out.Body.Items, ownTier{v, s.o.Tiers.Snapshot().Rungs(v.Scheme)})
	}
	return out, nil
}
