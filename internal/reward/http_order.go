package reward

import (
	"context"
	"net/http"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

// places is why an order may be refused.
var places = []error{
	ErrNotFound, ErrNotLive, ErrAudience, ErrNoPrice, ErrPrice, ErrShare, ErrSoldOut, ErrLimit, ErrStore, ErrWay, ErrAddress, ErrCoupon, program.ErrNoStore,
	ledger.ErrInsufficient, ledger.ErrMayNotSpend, ledger.ErrLimit, ledger.ErrMember,
}

func (s *Service) orderRoutes(r *api.Router) {
	missing := []error{member.ErrNotFound, member.ErrRef, member.ErrQR}
	own := func(d api.Doc) api.Doc {
		d.Tags, d.KeyRequired, d.OwnKey = tags, true, true
		if d.Needs == "" {
			d.Needs = staff.MovePoints
		}
		return d
	}
	api.Get(r, "/v1/members/{ref}/rewards", s.getMemberRewards, api.Doc{ID: "listMemberRewards", Summary: "List the rewards that a member can see, with the price for them and what is missing.", Tags: tags, Needs: staff.ReadPoints, Fails: slices.Concat(missing, []error{api.ErrCursor})})
	api.Get(r, "/v1/members/{ref}/reward-orders", s.getMemberOrders, api.Doc{ID: "listMemberRewardOrders", Summary: "List what a member ordered, the newest first.", Tags: tags, Needs: staff.ReadPoints, Fails: slices.Concat(missing, []error{api.ErrCursor})})
	api.Post(r, "/v1/members/{ref}/reward-orders", s.postOrder, own(api.Doc{ID: "orderReward", Summary: "Order a reward for a member.", Status: http.StatusCreated,
		Description: "Points and stock are taken in one posting or, where money is to be paid too, set aside until expires_at. The same source and document stand for one order for ever.",
		Fails:       slices.Concat(places, missing, []error{ErrDocument})}))
	api.Get(r, "/v1/reward-orders", s.getOrders, api.Doc{ID: "listRewardOrders", Summary: "List orders: all, the newest first, or what waits somewhere, the oldest first.", Tags: tags, Needs: staff.ReadPoints,
		Description: "A caller who is limited to stores sees those of theirs and those of none: a page may then hold fewer than limit.", Fails: []error{api.ErrCursor, program.ErrNoStore, ErrBound}})
	api.Get(r, "/v1/reward-orders/{id}", s.getOrder, api.Doc{ID: "getRewardOrder", Summary: "Show an order with its history.", Tags: tags, Needs: staff.ReadPoints, Fails: []error{ErrNoOrder}})
	api.Post(r, "/v1/reward-orders/pickup", s.postPickup, own(api.Doc{ID: "pickUpReward", Summary: "Hand over what is ordered, by its pick-up code.", Status: http.StatusOK,
		Description: "With dry_run it shows what would be handed over; an order whose money is still to be paid shows as held, with what is due. That money is taken with payment, in the same posting.",
		Fails:       []error{ErrPickup, ErrWay, ErrElsewhere, ErrStore, ErrUnpaid, ErrMoney, ErrStep, ErrLate, program.ErrNoStore}}))
	steps := []error{ErrNoOrder, ErrStep}
	api.Post(r, "/v1/reward-orders/{id}/pay", s.postPay, own(api.Doc{ID: "payRewardOrder", Summary: "Take the money for an order: its points are spent, and it is fulfilled by its kind.", Status: http.StatusOK,
		Description: "After expires_at it is refused: points and stock went back.", Fails: slices.Concat(steps, []error{ErrMoney, ErrLate, ErrPaidOther, ErrCoupon})}))
	api.Post(r, "/v1/reward-orders/{id}/ready", s.postReady, own(api.Doc{ID: "readyRewardOrder", Summary: "Say that an order lies ready to be picked up.", Status: http.StatusOK, Fails: slices.Concat(steps, []error{ErrWay, ErrLate})}))
	api.Post(r, "/v1/reward-orders/{id}/ship", s.postShip, own(api.Doc{ID: "shipRewardOrder", Summary: "Say that an order was shipped, or correct by whom.", Status: http.StatusOK, Fails: slices.Concat(steps, []error{ErrWay})}))
	api.Post(r, "/v1/reward-orders/{id}/deliver", s.postDeliver, own(api.Doc{ID: "deliverRewardOrder", Summary: "Say that what was shipped has arrived.", Status: http.StatusOK, Fails: slices.Concat(steps, []error{ErrWay})}))
	api.Post(r, "/v1/reward-orders/{id}/cancel", s.postCancel, own(api.Doc{ID: "cancelRewardOrder", Summary: "Cancel an order before it is in the member's hands: points go back to their lots, goods to stock.", Status: http.StatusOK, Fails: steps}))
	api.Post(r, "/v1/reward-orders/{id}/return", s.postReturn, own(api.Doc{ID: "returnRewardOrder", Summary: "Take back what a member had already: points go back to their lots.", Status: http.StatusOK,
		Description: "A coupon is revoked with it; one that was used has to come back with its purchase first.", Fails: slices.Concat(steps, []error{ErrNoReturn, ErrGiftUsed})}))
}

// answered is what a handler returns of an Answer of the engine.
func answered(a ledger.Answer) (*api.RawOf[OrderAnswer], error) {
	if a.Raw.Status == 0 {
		return nil, a.Err
	}
	if v, ok := a.Value.(*OrderAnswer); ok && v.repeated {
		a.Raw.Replayed = true
	}
	return &api.RawOf[OrderAnswer]{Raw: a.Raw}, nil
}

// ShelfIn is how lists of rewards for a member are asked for.
type ShelfIn struct {
	api.Page
	Category   string `query:"category" maxLength:"40" doc:"Only of this category."`
	Tag        string `query:"tag" maxLength:"40" doc:"Only with this tag."`
	Q          string `query:"q" maxLength:"100" doc:"Only whose name has this in it."`
	Affordable bool   `query:"affordable" doc:"Only what the member can have now."`
	Wished     bool   `query:"wished" doc:"Only what is on the member's wish list."`
	Sort       string `query:"sort" enum:"new,points,-points" default:"new" doc:"new: the newest first. points: the fewest points first; -points: the most."`
}

func (in *ShelfIn) shelf() Shelf {
	return Shelf{Category: in.Category, Tag: in.Tag, Q: in.Q, Affordable: in.Affordable, Wished: in.Wished, Sort: in.Sort}
}

type memberRewardsIn struct {
	ledger.MemberRef
	ShelfIn
}

type shelfOut struct{ Body api.List[ShelfView] }

func (s *Service) getMemberRewards(ctx context.Context, in *memberRewardsIn) (*shelfOut, error) {
	m, err := s.memberOf(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.ForMember(ctx, m, in.shelf(), in.Page)
	return &shelfOut{list}, err
}

type memberOrdersIn struct {
	ledger.MemberRef
	api.Page
}

type ordersOut struct{ Body api.List[OrderView] }

func (s *Service) getMemberOrders(ctx context.Context, in *memberOrdersIn) (*ordersOut, error) {
	m, err := s.memberOf(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, err := s.OfMember(ctx, m, in.Page, false)
	return &ordersOut{list}, err
}

// OrderBody is what an order asks for.
type OrderBody struct {
	Reward  string   `json:"reward" minLength:"1" maxLength:"64" doc:"Code or id of the reward." example:"spring-tin"`
	Version int64    `json:"version,omitempty" minimum:"1" doc:"The version that the price was read from: another one meanwhile is refused. Whatever it is now where absent."`
	Points  *int64   `json:"points,omitempty" minimum:"1" maximum:"1000000000" doc:"How many points to pay where the price has a slider; all of them where absent."`
	Way     Way      `json:"way,omitempty" enum:"pickup,ship" doc:"How it comes to the member; the first way of the reward where absent."`
	Store   string   `json:"store,omitempty" maxLength:"64" doc:"Id or code of the store where it is picked up; any of the reward's where absent, unless stock is counted by store."`
	Address *Address `json:"address,omitempty" doc:"Where it is shipped to."`
}

func (b *OrderBody) wish() Wish {
	return Wish{Reward: b.Reward, Version: b.Version, Points: b.Points, Way: b.Way, Store: b.Store, Address: b.Address}
}

type orderIn struct {
	ledger.MemberRef
	ledger.DryRun
	Body struct {
		OrderBody
		Source   string `json:"source,omitempty" maxLength:"40" doc:"Which system sends it; with document, the natural key of the order."`
		Document string `json:"document,omitempty" maxLength:"128" doc:"Its number there."`
	}
}

func (s *Service) postOrder(ctx context.Context, in *orderIn) (*api.RawOf[OrderAnswer], error) {
	m, err := s.memberOf(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	w := in.Body.wish()
	w.Source, w.Document = in.Body.Source, in.Body.Document
	return answered(s.Order(ctx, m, w, false, in.DryRun.DryRun))
}

type ordersIn struct {
	api.Page
	State string `query:"state" enum:"held,paid,fulfilled,done,cancelled,returned" doc:"Only those that stand there, the oldest first."`
	Store string `query:"store" maxLength:"64" doc:"With state: only those that are picked up at this store."`
}

func (s *Service) getOrders(ctx context.Context, in *ordersIn) (*ordersOut, error) {
	q := Queue{State: in.State}
	if in.Store != "" {
		snap := s.o.Program.Snapshot()
		st, err := snap.FindStore(in.Store)
		if err != nil {
			return nil, at(err, "query.store")
		}
		if in.State == "" {
			return nil, ErrBound.At("query.state")
		}
		if !snap.SeesStore(api.CallerOf(ctx), st.ID) {
			return nil, program.ErrNoStore.At("query.store")
		}
		q.Store = st.ID
	}
	list, err := s.Orders(ctx, q, in.Page)
	return &ordersOut{list}, err
}

// OrderRef names the order that a path is about.
type OrderRef struct {
	ID string `path:"id" minLength:"1" maxLength:"64" doc:"The order: rwo_…"`
}

type orderOut struct{ Body OrderView }

func (s *Service) getOrder(ctx context.Context, in *OrderRef) (*orderOut, error) {
	v, err := s.Get(ctx, in.ID, 0)
	return &orderOut{v}, err
}

// PaymentBody is money that was taken.
type PaymentBody struct {
	Kind      string `json:"kind" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"How it was paid." example:"wechat"`
	Reference string `json:"reference,omitempty" maxLength:"128" doc:"Number of the payment at whoever took it: sent again with the same one, the first answer is given."`
	Amount    int64  `json:"amount" minimum:"0" maximum:"10000000000" doc:"In minor units: exactly what is to be paid."`
	Currency  string `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217 code." example:"CNY"`
}

func (b *PaymentBody) payment() payment { return payment{b.Kind, b.Reference, b.Amount, b.Currency} }

type pickupIn struct {
	ledger.DryRun
	Body struct {
		Code    string       `json:"code" minLength:"1" maxLength:"40" doc:"The pick-up code; dashes, spaces and case make no difference."`
		Store   string       `json:"store,omitempty" maxLength:"64" doc:"Id or code of the store that hands it over: another one than was chosen is refused."`
		Payment *PaymentBody `json:"payment,omitempty" doc:"Money that is taken in the same breath, of an order that is held."`
	}
}

func (s *Service) postPickup(ctx context.Context, in *pickupIn) (*api.RawOf[OrderAnswer], error) {
	o, err := s.byPickup(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	c := &handOver{act: s.act(ctx, o.Member, o.Seq, 0), look: in.DryRun.DryRun}
	if in.Body.Store != "" {
		st, err := s.o.Program.Snapshot().FindStore(in.Body.Store)
		if err != nil {
			return nil, at(err, "body.store")
		}
		c.store = st.ID
	}
	if in.Body.Payment != nil {
		p := in.Body.Payment.payment()
		c.pays = &p
	}
	return answered(s.send(ctx, c, in.DryRun.DryRun))
}

type payIn struct {
	OrderRef
	ledger.DryRun
	Body struct {
		Payment PaymentBody `json:"payment" doc:"Money that was taken."`
	}
}

func (s *Service) postPay(ctx context.Context, in *payIn) (*api.RawOf[OrderAnswer], error) {
	m, seq, err := orderKey(in.ID)
	if err != nil {
		return nil, err
	}
	gift, err := s.giftFor(ctx, m, seq)
	if err != nil {
		return nil, err
	}
	return answered(s.send(ctx, &pay{act: s.act(ctx, m, seq, 0), payment: in.Body.Payment.payment(), gift: gift}, in.DryRun.DryRun))
}

type stepIn struct {
	OrderRef
	ledger.DryRun
}

// moved sends a command about the order that a path names.
func (s *Service) moved(ctx context.Context, ref string, owner int64, dry bool, command func(act) ledger.Command) (*api.RawOf[OrderAnswer], error) {
	m, seq, err := orderKey(ref)
	if err != nil {
		return nil, err
	}
	return answered(s.send(ctx, command(s.act(ctx, m, seq, owner)), dry))
}

func (s *Service) postReady(ctx context.Context, in *stepIn) (*api.RawOf[OrderAnswer], error) {
	return s.moved(ctx, in.ID, 0, in.DryRun.DryRun, func(a act) ledger.Command { return &fulfil{act: a, to: Fulfilled} })
}

type shipIn struct {
	OrderRef
	ledger.DryRun
	Body struct {
		Carrier  string `json:"carrier" minLength:"1" maxLength:"60" doc:"Who brings it." example:"SF Express"`
		Tracking string `json:"tracking,omitempty" maxLength:"60" doc:"The carrier's number."`
	}
}

func (s *Service) postShip(ctx context.Context, in *shipIn) (*api.RawOf[OrderAnswer], error) {
	return s.moved(ctx, in.ID, 0, in.DryRun.DryRun, func(a act) ledger.Command {
		return &fulfil{act: a, to: Fulfilled, carrier: in.Body.Carrier, tracking: in.Body.Tracking}
	})
}

func (s *Service) postDeliver(ctx context.Context, in *stepIn) (*api.RawOf[OrderAnswer], error) {
	return s.moved(ctx, in.ID, 0, in.DryRun.DryRun, func(a act) ledger.Command { return &fulfil{act: a, to: Done} })
}

type cancelIn struct {
	OrderRef
	ledger.DryRun
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Why. Only staff read it."`
	}
}

func (s *Service) postCancel(ctx context.Context, in *cancelIn) (*api.RawOf[OrderAnswer], error) {
	return s.moved(ctx, in.ID, 0, in.DryRun.DryRun, func(a act) ledger.Command { return &cancel{act: a, reason: in.Body.Reason} })
}

type returnIn struct {
	OrderRef
	ledger.DryRun
	Body struct {
		Reason  string `json:"reason" minLength:"1" maxLength:"200" doc:"Why. Only staff read it."`
		Restock bool   `json:"restock,omitempty" doc:"It can be given out again, and goes back to stock."`
	}
}

func (s *Service) postReturn(ctx context.Context, in *returnIn) (*api.RawOf[OrderAnswer], error) {
	return s.moved(ctx, in.ID, 0, in.DryRun.DryRun, func(a act) ledger.Command {
		return &giveBack{act: a, reason: in.Body.Reason, restock: in.Body.Restock, gifts: s.o.Vouchers}
	})
}
