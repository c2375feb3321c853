package ledger

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) holdRoutes(r *api.Router) {
	api.Post(r, "/v1/holds", s.postHold, posts(api.Doc{ID: "hold", Summary: "Set usable points aside for a purchase that is not finished.",
		Description: "The hold ends by itself when its time is up; until then its points neither expire nor can be used otherwise.",
		Fails:       []error{ErrInsufficient, ErrNotSpendable, ErrMayNotSpend, ErrLimit}}))
	api.Get(r, "/v1/holds/{id}", s.getHold, api.Doc{ID: "getHold", Summary: "Read a hold.", Tags: []string{"Points"}, Needs: staff.ReadPoints, Fails: []error{ErrNoHold}})
	api.Post(r, "/v1/holds/{id}/capture", s.captureHold, posts(api.Doc{ID: "captureHold", Summary: "Use all or a part of what a hold set aside; the rest goes back.",
		Status: 200, Fails: []error{ErrNoHold, ErrHoldOver, ErrHoldAmount}}))
	api.Post(r, "/v1/holds/{id}/release", s.releaseHold, posts(api.Doc{ID: "releaseHold", Summary: "Give back all that a hold set aside.",
		Status: 200, Fails: []error{ErrNoHold, ErrHoldOver}}))
}

type holdIn struct {
	DryRun
	Body struct {
		Member   string `json:"member" minLength:"1" maxLength:"300" doc:"Whose points."`
		Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
		Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000" doc:"In the smallest unit."`
		TTL      int64  `json:"ttl_seconds" minimum:"1" maximum:"2592000" doc:"For how long: up to 30 days."`
		Purpose  string `json:"purpose" minLength:"1" maxLength:"200" doc:"What for; the member may read it."`
	}
}

func (s *Service) postHold(ctx context.Context, in *holdIn) (*api.RawOf[HoldView], error) {
	b := &in.Body
	c := holdCommand{currency: b.Currency, amount: b.Amount, ttlMS: b.TTL * 1000, purpose: b.Purpose}
	m, err := s.find(ctx, b.Member, "body.member")
	if err != nil {
		return nil, err
	}
	return send[HoldView](ctx, s, m, in.DryRun.DryRun, func(m int64) Command { c.member = m; return c })
}

// HoldRef names the hold that a path is about.
type HoldRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The hold."`
}

type holdOut struct{ Body *HoldView }

func (s *Service) getHold(ctx context.Context, in *HoldRef) (*holdOut, error) {
	m, seq, err := holdKey(in.ID)
	if err != nil {
		return nil, err
	}
	v, err := s.FindHold(ctx, m, seq)
	return &holdOut{v}, err
}

type captureIn struct {
	HoldRef
	DryRun
	Body struct {
		Amount int64 `json:"amount,omitempty" minimum:"1" maximum:"1000000000000" doc:"How much to use; absent for all of it."`
	}
}

func (s *Service) captureHold(ctx context.Context, in *captureIn) (*api.RawOf[HoldView], error) {
	return s.endHold(ctx, in.ID, in.DryRun.DryRun, endHoldCommand{capture: true, amount: in.Body.Amount})
}

type releaseIn struct {
	HoldRef
	DryRun
}

func (s *Service) releaseHold(ctx context.Context, in *releaseIn) (*api.RawOf[HoldView], error) {
	return s.endHold(ctx, in.ID, in.DryRun.DryRun, endHoldCommand{})
}

func (s *Service) endHold(ctx context.Context, ref string, dry bool, c endHoldCommand) (*api.RawOf[HoldView], error) {
	var err error
	if c.member, c.seq, err = holdKey(ref); err != nil {
		return nil, err
	}
	return answered[HoldView](s.engine.Do(ctx, RequestOf(ctx, c, dry)))
}
