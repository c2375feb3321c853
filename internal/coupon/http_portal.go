package coupon

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
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
	gives := []error{ErrNotFound, ErrManual, ErrNotLive, ErrPaused, ErrAudience, ErrStock, ErrOften, ErrNoUse, ErrDrawn, ledger.ErrMember, ledger.ErrMayNotEarn, ledger.ErrMayNotSpend, ledger.ErrInsufficient}
	api.Get(r, "/portal/v1/coupons", s.getCentre, api.Doc{ID: "portalCoupons", Summary: "List the coupons of the claim centre, with whether one can claim each.", Tags: portalTags})
	api.Post(r, "/portal/v1/coupons/{id}/claim", s.postClaim, api.Doc{ID: "portalClaimCoupon", Summary: "Claim a coupon, for its price in points where it has one.", Tags: portalTags, Status: http.StatusCreated, Fails: gives})
	api.Get(r, "/portal/v1/vouchers", s.getOwn, api.Doc{ID: "portalVouchers", Summary: "List one's vouchers: usable, used, or over.", Tags: portalTags, Fails: []error{api.ErrCursor}})
	api.Post(r, "/portal/v1/vouchers", s.postTake, api.Doc{ID: "portalAddVoucher", Summary: "Add a voucher that one has on paper, by its code.", Tags: portalTags, Status: http.StatusCreated,
		Description: "A code that is not there and one that is somebody else's are answered alike.", Fails: []error{ErrUnknown, ErrSlow, ErrAudience, ErrOften, ErrUsed, ErrRevoked, ErrOver, ledger.ErrMember, ledger.ErrMayNotEarn}})
	api.Get(r, "/portal/v1/vouchers/{code}", s.getOwnVoucher, api.Doc{ID: "portalVoucher", Summary: "Show one of one's vouchers.", Tags: portalTags, Fails: []error{ErrUnknown, ErrSlow}})
	api.Post(r, "/portal/v1/vouchers/{code}/gift", s.postGift, api.Doc{ID: "portalGiveVoucher", Summary: "Make a link by which somebody else gets the voucher.", Tags: portalTags, Status: http.StatusCreated, Secret: true,
		Description: "Until it is accepted, taken back or a week old, the voucher cannot be used. A new link takes the place of the last.", Fails: []error{ErrUnknown, ErrFixed, ErrUsed, ErrRevoked, ErrOver, ErrHeld, ledger.ErrMember}})
	api.Delete(r, "/portal/v1/vouchers/{code}/gift", s.deleteGift, api.Doc{ID: "portalKeepVoucher", Summary: "Take the link back: the voucher can be used again.", Tags: portalTags, Fails: []error{ErrUnknown, ledger.ErrMember}})
	api.Get(r, "/portal/v1/voucher-gifts/{token}", s.getGift, api.Doc{ID: "portalGift", Summary: "Show what a link gives.", Tags: portalTags, Fails: []error{ErrGift, ErrSlow}})
	api.Post(r, "/portal/v1/voucher-gifts/{token}/accept", s.postAccept, api.Doc{ID: "portalAcceptGift", Summary: "Accept a voucher by a link.", Tags: portalTags, Fails: []error{ErrGift, ErrOwnGift, ErrAudience, ErrSlow, ledger.ErrMember, ledger.ErrMayNotEarn}})
}

// Ticket is what members read of a coupon, claimed or not.
type Ticket struct {
	Coupon        string    `json:"coupon_id" doc:"The coupon."`
	Code          string    `json:"coupon_code" doc:"Code of the coupon."`
	Name          string    `json:"name" doc:"In the language of the caller."`
	Text          string    `json:"text,omitempty" doc:"In the language of the caller."`
	Picture       string    `json:"picture,omitempty" doc:"Address of its picture."`
	Effect        Effect    `json:"effect" doc:"What it gives."`
	Minimum       Minimum   `json:"minimum" doc:"From what purchase on."`
	Scope         Scope     `json:"scope" doc:"Which products it is for."`
	Stores        []placeIn `json:"stores" doc:"Where it is taken; empty for everywhere."`
	Channels      []string  `json:"channels" doc:"On which channels; empty for all."`
	Weekdays      []int64   `json:"weekdays" doc:"On which days of the week, 1 is Monday; empty for all."`
	Hours         []Hours   `json:"hours" doc:"At which times of day; empty for all."`
	Cap           int64     `json:"cap,omitempty" doc:"The most that it takes off, in minor units."`
	Stack         Stack     `json:"stack" doc:"What it goes together with."`
	Times         int64     `json:"times" doc:"How often one voucher can be used."`
	Transferable  bool      `json:"transferable" doc:"It can be given to somebody else."`
	MoneyCurrency string    `json:"money_currency" doc:"The currency of amounts of money."`
}

type placeIn struct {
	ID   string `json:"id" doc:"The store."`
	Name string `json:"name" doc:"Its name, in the language of the caller."`
}

func (s *Service) ticketOf(ctx context.Context, c *Coupon, t *Terms) Ticket {
	lang, snap := api.Language(ctx), s.o.Program.Snapshot()
	v := Ticket{
		Coupon: c.PublicID(), Code: c.Code, Name: i18n.Pick(lang, c.Terms.NameEN, c.Terms.NameZH), Text: i18n.Pick(lang, c.Terms.TextEN, c.Terms.TextZH), Picture: c.Terms.Picture,
		Effect: t.Effect, Minimum: t.Minimum, Scope: t.Scope, Channels: append([]string{}, t.Channels...), Weekdays: append([]int64{}, t.Weekdays...), Hours: append([]Hours{}, t.Hours...),
		Stores: []placeIn{}, Cap: t.Cap, Stack: t.Stack, Times: t.uses(), Transferable: t.Transferable, MoneyCurrency: s.currency(),
	}
	for _, ref := range t.Stores {
		if st, err := snap.FindStore(ref); err == nil {
			v.Stores = append(v.Stores, placeIn{program.StoreID(st.ID), i18n.Pick(lang, st.NameEN, st.NameZH)})
		}
	}
	return v
}

// claimable is a coupon of the claim centre.
type claimable struct {
	Ticket
	Price     *priceView `json:"price,omitempty" doc:"What claiming it costs; absent for nothing."`
	Until     *time.Time `json:"until,omitempty" doc:"It can be claimed to this instant, inclusive."`
	Valid     Valid      `json:"valid" doc:"How long the voucher can be used once it is claimed."`
	StockLeft *int64     `json:"stock_left,omitempty" doc:"How many are left; absent where there is no bound."`
	Stock     int64      `json:"stock,omitempty" doc:"Of how many."`
	Mine      int64      `json:"mine" doc:"How many of it one was given so far."`
	MineLeft  *int64     `json:"mine_left,omitempty" doc:"How many one can still have; absent where there is no bound."`
	Can       bool       `json:"can_claim" doc:"One can claim it now, but for the points."`
	Why       string     `json:"why,omitempty" doc:"Why not: the stable code, as coupon.often."`
	WhyWords  string     `json:"why_words,omitempty" doc:"The same in the language of the caller."`
}

type priceView struct {
	Currency string `json:"currency" doc:"Code of the currency."`
	Name     string `json:"currency_name" doc:"Its name, in the language of the caller."`
	Amount   int64  `json:"amount" doc:"How much, in its smallest unit."`
}

type centreOut struct {
	Body struct {
		Items []claimable `json:"items" doc:"All that are live and that one is of the audience of, the newest first; what is gone stands last. There are at most 200."`
	}
}

// centreMost bounds what the claim centre shows.
const centreMost = 200

func (s *Service) getCentre(ctx context.Context, _ *struct{}) (*centreOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	n, nowMS := s.now.Load(), s.nowMS()
	var list []*Coupon
	for _, c := range n.coupons {
		if c.Terms.Listed && c.Standing(nowMS, n.zone) == Live {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *Coupon) int { return cmp.Compare(b.ID, a.ID) })
	list = list[:min(len(list), centreMost)]
	out := &centreOut{}
	out.Body.Items = []claimable{}
	counts, err := s.claimsOf(ctx, m, list)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		ok, err := s.eligible(ctx, []int64{m}, []*cond.Cond{n.latest(c).audience})
		if err != nil {
			return nil, err
		}
		if ok[m] {
			out.Body.Items = append(out.Body.Items, s.claimable(ctx, c, counts[claimKey(c.ID, 0)], counts[claimKey(c.ID, m)]))
		}
	}
	slices.SortStableFunc(out.Body.Items, func(a, b claimable) int {
		switch {
		case a.Can == b.Can:
			return 0
		case a.Can:
			return -1
		}
		return 1
	})
	return out, nil
}

// claimsOf reads how many were issued of coupons, in all and to a member.
func (s *Service) claimsOf(ctx context.Context, m int64, list []*Coupon) (counts map[quota.Key]quota.Count, err error) {
	var keys []quota.Key
	for _, c := range list {
		keys = append(keys, claimKey(c.ID, 0), claimKey(c.ID, m))
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		counts, err = quota.Read(ctx, tx, keys, s.nowMS())
		return err
	})
	return counts, err
}

func (s *Service) claimable(ctx context.Context, c *Coupon, all, mine quota.Count) claimable {
	t := &c.Terms
	_, until := t.span(s.zone())
	v := claimable{Ticket: s.ticketOf(ctx, c, t), Until: moment(until), Valid: t.Valid, Stock: t.Limits.Stock, Mine: mine.Used, Can: true}
	if t.Price.Amount > 0 {
		v.Price = &priceView{Currency: t.Price.Currency, Amount: t.Price.Amount}
		if cur := s.o.Ledger.Config().ByCode[t.Price.Currency]; cur != nil {
			v.Price.Name = i18n.Pick(api.Language(ctx), cur.NameEN, cur.NameZH)
		}
	}
	refuse := func(e *errs.Error) { v.Can, v.Why, v.WhyWords = false, e.Code, api.ProblemOf(ctx, e).Title }
	if most := t.Limits.Stock; most > 0 {
		left := max(0, most-all.Used)
		if v.StockLeft = &left; left == 0 {
			refuse(ErrStock)
		}
	}
	if most := t.Limits.PerMember; most > 0 {
		left := max(0, most-mine.Used)
		if v.MineLeft = &left; left == 0 {
			refuse(ErrOften)
		}
	}
	return v
}

type claimIn struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The coupon: cpn_…, or its code."`
}

func (s *Service) postClaim(ctx context.Context, in *claimIn) (*ownVoucherOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.Claim(ctx, m, in.ID)
	return s.answerOwn(ctx, v, err)
}

// OwnVoucher is a voucher as its holder sees it.
type OwnVoucher struct {
	Ticket
	Voucher   string     `json:"code" doc:"Its code, which a QR code of it holds too."`
	Shown     string     `json:"shown" doc:"The same in groups."`
	State     string     `json:"state" enum:"claimed,held,gifting,redeemed,revoked,expired,issued" doc:"Where it stands. held: a checkout holds it just now. gifting: a link waits to be accepted."`
	From      *time.Time `json:"valid_from,omitempty" doc:"It can be used from this instant."`
	Until     *time.Time `json:"valid_until,omitempty" doc:"To this instant, inclusive; absent where it does not end."`
	Early     bool       `json:"early" doc:"Its time has not begun."`
	Paused    bool       `json:"paused" doc:"The coupon is paused: it cannot be used just now."`
	Claimed   *time.Time `json:"claimed_at,omitempty" doc:"When one got it."`
	Used      *time.Time `json:"used_at,omitempty" doc:"When it was used last."`
	UsesLeft  int64      `json:"uses_left" doc:"How often it can still be used."`
	Off       int64      `json:"off" doc:"What it saved, in minor units."`
	GiftUntil *time.Time `json:"gift_until,omitempty" doc:"Until when the open link can be accepted."`
	CanGive   bool       `json:"can_give" doc:"It can be given to somebody else now."`
}

func (s *Service) viewOwn(ctx context.Context, v *Voucher) OwnVoucher {
	n, nowMS := s.now.Load(), s.nowMS()
	out := OwnVoucher{
		Voucher: v.Code, Shown: shown(v.Code), State: v.Standing(nowMS), From: moment(v.From), Until: moment(v.Until), Early: nowMS < v.From,
		Claimed: moment(v.ClaimedMS), Used: moment(v.UsedMS), Off: v.Off,
	}
	of := n.of(v.Coupon, v.Version)
	if of == nil {
		return out
	}
	out.Ticket, out.Paused = s.ticketOf(ctx, of.coupon, of.terms), of.coupon.State == Paused
	if v.open(nowMS) {
		out.UsesLeft = max(0, of.terms.uses()-v.UsedN)
		out.CanGive = of.terms.Transferable && v.UsedN == 0 && !v.held(nowMS, 0)
	}
	if v.gifting(nowMS) {
		out.GiftUntil = moment(v.GiftUntil)
	}
	return out
}

type ownVoucherOut struct{ Body OwnVoucher }

func (s *Service) answerOwn(ctx context.Context, v *Voucher, err error) (*ownVoucherOut, error) {
	if err != nil {
		return nil, err
	}
	return &ownVoucherOut{s.viewOwn(ctx, v)}, nil
}

type ownVouchersIn struct {
	api.Page
	View string `query:"view" enum:"usable,used,expired" default:"usable" doc:"usable: the soonest to end first. used: what can be used no more. expired: over or taken back."`
}

type ownVouchersOut struct{ Body api.List[OwnVoucher] }

func (s *Service) getOwn(ctx context.Context, in *ownVouchersIn) (*ownVouchersOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := s.OfMember(ctx, m, in.View, in.Page)
	if err != nil {
		return nil, err
	}
	out := &ownVouchersOut{api.List[OwnVoucher]{Items: []OwnVoucher{}, NextCursor: next}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, s.viewOwn(ctx, v))
	}
	return out, nil
}

type takeIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"60" doc:"The code on the paper."`
	}
}

// guarded makes a look-up within the budget of misses.
func (s *Service) guarded(ctx context.Context, look func() (*Voucher, error)) (*Voucher, error) {
	found, err := s.guesses.admit(ctx, s.o.Clock.Now())
	if err != nil {
		return nil, err
	}
	v, err := look()
	if e := errs.As(err); err == nil || e != nil && e.Kind == errs.Conflict {
		found()
	}
	return v, err
}

func (s *Service) postTake(ctx context.Context, in *takeIn) (*ownVoucherOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.guarded(ctx, func() (*Voucher, error) { return s.Take(ctx, m, in.Body.Code) })
	return s.answerOwn(ctx, v, err)
}

// ownOne reads a voucher of a member; one of somebody else is not there.
func (s *Service) ownOne(ctx context.Context, m int64, code string) (*Voucher, error) {
	return s.guarded(ctx, func() (*Voucher, error) {
		v, err := s.Voucher(ctx, code)
		if err != nil {
			return nil, err
		}
		var records []int64
		err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			records, err = recordsOf(ctx, tx, m)
			return err
		})
		if err == nil && !slices.Contains(records, v.Member) {
			err = ErrUnknown
		}
		return v, err
	})
}

func (s *Service) getOwnVoucher(ctx context.Context, in *VoucherRef) (*ownVoucherOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.ownOne(ctx, m, in.Code)
	return s.answerOwn(ctx, v, err)
}

type giftOut struct {
	Body struct {
		OwnVoucher
		Token string `json:"token" doc:"What the link holds: shown once."`
		Path  string `json:"path" doc:"The path of the page in the portal that accepts it."`
	}
}

func (s *Service) postGift(ctx context.Context, in *VoucherRef) (*giftOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, token, err := s.Offer(ctx, m, in.Code)
	if err != nil {
		return nil, err
	}
	out := &giftOut{}
	out.Body.OwnVoucher, out.Body.Token, out.Body.Path = s.viewOwn(ctx, v), token, "/gift/"+token
	return out, nil
}

func (s *Service) deleteGift(ctx context.Context, in *VoucherRef) (*ownVoucherOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.TakeBack(ctx, m, in.Code)
	return s.answerOwn(ctx, v, err)
}

type tokenIn struct {
	Token string `path:"token" minLength:"1" maxLength:"200" doc:"What the link holds."`
}

type giftViewOut struct {
	Body struct {
		Ticket
		From    *time.Time `json:"valid_from,omitempty" doc:"It can be used from this instant."`
		Until   *time.Time `json:"valid_until,omitempty" doc:"To this instant, inclusive."`
		Expires *time.Time `json:"accept_until" doc:"The link can be accepted before this instant."`
		Own     bool       `json:"own" doc:"It is one's own gift."`
	}
}

func (s *Service) getGift(ctx context.Context, in *tokenIn) (*giftViewOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.guarded(ctx, func() (*Voucher, error) { return s.Gift(ctx, in.Token) })
	if err != nil {
		return nil, err
	}
	of := s.now.Load().of(v.Coupon, v.Version)
	if of == nil {
		return nil, ErrGift
	}
	out := &giftViewOut{}
	b := &out.Body
	b.Ticket, b.From, b.Until, b.Expires, b.Own = s.ticketOf(ctx, of.coupon, of.terms), moment(v.From), moment(v.Until), moment(v.GiftUntil), v.Member == m
	return out, nil
}

func (s *Service) postAccept(ctx context.Context, in *tokenIn) (*ownVoucherOut, error) {
	m, err := self(ctx)
	if err != nil {
		return nil, err
	}
	v, err := s.guarded(ctx, func() (*Voucher, error) { return s.Accept(ctx, m, in.Token) })
	return s.answerOwn(ctx, v, err)
}
