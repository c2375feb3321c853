package reward

import (
	"context"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/qrcode"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

var portalTags = []string{"Portal"}

// self is the member who makes a request of the portal.
func self(ctx context.Context) (int64, error) {
	c := api.CallerOf(ctx)
	m, err := member.ParseID(c.ID)
	if c.Kind != "member" || err != nil {
		return 0, api.ErrNotSignedIn
	}
	return int64(m), nil
}

func (s *Service) portalRoutes(r *api.Router) {
	own := func(d api.Doc) api.Doc {
		d.Tags, d.KeyRequired, d.OwnKey = portalTags, true, true
		return d
	}
	api.Get(r, "/portal/v1/rewards", s.getOwnRewards, api.Doc{ID: "portalRewards", Summary: "List the rewards that one can see, with the price for oneself and what is missing.", Tags: portalTags, Fails: []error{api.ErrCursor}})
	api.Get(r, "/portal/v1/reward-shelves", s.getShelves, api.Doc{ID: "portalRewardShelves", Summary: "List the categories and tags of the rewards that are out.", Tags: portalTags})
	api.Get(r, "/portal/v1/rewards/{id}", s.getOwnReward, api.Doc{ID: "portalReward", Summary: "Show one reward.", Tags: portalTags, Fails: []error{ErrNotFound}})
	api.Put(r, "/portal/v1/rewards/{id}/wish", s.putWish, api.Doc{ID: "portalWish", Summary: "Put a reward on one's wish list.", Tags: portalTags, Status: http.StatusNoContent, Fails: []error{ErrNotFound, ErrWishes}})
	api.Delete(r, "/portal/v1/rewards/{id}/wish", s.deleteWish, api.Doc{ID: "portalUnwish", Summary: "Take a reward off one's wish list.", Tags: portalTags, Status: http.StatusNoContent, Fails: []error{ErrNotFound}})
	api.Get(r, "/portal/v1/reward-orders", s.getOwnOrders, api.Doc{ID: "portalRewardOrders", Summary: "List what one ordered, the newest first.", Tags: portalTags, Fails: []error{api.ErrCursor}})
	api.Post(r, "/portal/v1/reward-orders", s.postOwnOrder, own(api.Doc{ID: "portalOrderReward", Summary: "Order a reward.", Status: http.StatusCreated,
		Description: "Where money is to be paid too, points and goods are set aside until expires_at, and it is paid at the shop.", Fails: places}))
	api.Get(r, "/portal/v1/reward-orders/{id}", s.getOwnOrder, api.Doc{ID: "portalRewardOrder", Summary: "Show one of one's orders, with its codes.", Tags: portalTags, Fails: []error{ErrNoOrder}})
	api.Post(r, "/portal/v1/reward-orders/{id}/cancel", s.postOwnCancel, own(api.Doc{ID: "portalCancelRewardOrder", Summary: "Cancel an order that the shop has not made ready yet.", Status: http.StatusOK, Fails: []error{ErrNoOrder, ErrStep, ErrYours}}))
}

func (s *Service) getOwnRewards(ctx context.Context, in *ShelfIn) (*shelfOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.ForMember(ctx, m, in.shelf(), in.Page)
	return &shelfOut{list}, err
}

type shelvesOut struct {
	Body struct {
		Categories []string `json:"categories" doc:"In the order of the alphabet."`
		Tags       []string `json:"tags" doc:"In the order of the alphabet."`
	}
}

func (s *Service) getShelves(ctx context.Context, _ *struct{}) (*shelvesOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.shelved(ctx, m, nil)
	if err != nil {
		return nil, err
	}
	out := &shelvesOut{}
	out.Body.Categories, out.Body.Tags = shelves(list)
	return out, nil
}

type ownRewardIn struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The reward: rwd_…, or its code."`
}

type ownRewardOut struct{ Body ShelfView }

func (s *Service) getOwnReward(ctx context.Context, in *ownRewardIn) (*ownRewardOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.OneForMember(ctx, m, in.ID)
	return &ownRewardOut{v}, err
}

func (s *Service) putWish(ctx context.Context, in *ownRewardIn) (*struct{}, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.OneForMember(ctx, m, in.ID); err != nil { // one wishes for what one may see
		return nil, err
	}
	return nil, s.SetWish(ctx, m, in.ID, true)
}

func (s *Service) deleteWish(ctx context.Context, in *ownRewardIn) (*struct{}, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.SetWish(ctx, m, in.ID, false)
}

type ownOrdersIn struct{ api.Page }

func (s *Service) getOwnOrders(ctx context.Context, in *ownOrdersIn) (*ordersOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.OfMember(ctx, m, in.Page, true)
	return &ordersOut{list}, err
}

type ownOrderIn struct {
	Body OrderBody
}

func (s *Service) postOwnOrder(ctx context.Context, in *ownOrderIn) (*api.RawOf[OrderAnswer], error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return answered(s.Order(ctx, m, in.Body.wish(), true, false))
}

// ownOrder is one order for the member's own screen.
type ownOrder struct {
	OrderView
	QR string `json:"pickup_qr,omitempty" doc:"The pick-up code as a picture: SVG."`
}

type ownOrderOut struct{ Body ownOrder }

func (s *Service) getOwnOrder(ctx context.Context, in *OrderRef) (*ownOrderOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.Get(ctx, in.ID, m)
	if err != nil {
		return nil, err
	}
	out := &ownOrderOut{ownOrder{OrderView: v}}
	if v.Pickup != "" {
		if out.Body.QR, err = qrcode.SVG(v.Pickup); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) postOwnCancel(ctx context.Context, in *OrderRef) (*api.RawOf[OrderAnswer], error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	return s.moved(ctx, in.ID, m, false, func(a act) ledger.Command { return &cancel{act: a} })
}
