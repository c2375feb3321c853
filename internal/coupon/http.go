package coupon

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/staff"
)

var tags = []string{"Coupons"}

// wrong is why terms may be refused.
var wrong = []error{
	ErrNames, ErrPicture, ErrEffect, ErrWindow, ErrHours, ErrFacts, ErrPrice, ErrGrantOn, ErrShared, ErrSharedHas, ErrSharedIs, program.ErrNoStore, program.ErrTime,
	cond.ErrEmpty, cond.ErrLong, cond.ErrSyntax, cond.ErrName, cond.ErrField, cond.ErrType, cond.ErrResult, cond.ErrMoney, cond.ErrValue, cond.ErrConstant, cond.ErrDivisor, cond.ErrDeep, cond.ErrCost,
}

// Routes adds what this package serves.
func (s *Service) Routes(r *api.Router) {
	api.Get(r, "/v1/coupons", s.getCoupons, api.Doc{ID: "listCoupons", Summary: "List coupons, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{api.ErrCursor}})
	api.Post(r, "/v1/coupons", s.postCoupon, api.Doc{ID: "addCoupon", Summary: "Make a coupon, as a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusCreated,
		Fails: slices.Concat(wrong, []error{ErrCode, ErrTaken, ErrMany})})
	api.Get(r, "/v1/coupons/{id}", s.getCoupon, api.Doc{ID: "getCoupon", Summary: "Show a coupon.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	api.Patch(r, "/v1/coupons/{id}", s.patchCoupon, api.Doc{ID: "changeCoupon", Summary: "Change what a coupon says; what is left out stays.", Tags: tags, Needs: staff.WriteRules,
		Description: "Each change is a version. Vouchers that are out go on by the version under which they were issued; limits are always those of the latest.",
		Fails:       slices.Concat(wrong, []error{ErrNotFound, ErrEdited, ErrMove})})
	api.Put(r, "/v1/coupons/{id}", s.putCoupon, api.Doc{ID: "replaceCoupon", Summary: "Write anew all that a coupon says.", Tags: tags, Needs: staff.WriteRules,
		Fails: slices.Concat(wrong, []error{ErrNotFound, ErrEdited, ErrMove})})
	api.Delete(r, "/v1/coupons/{id}", s.deleteCoupon, api.Doc{ID: "removeCoupon", Summary: "Delete a draft.", Tags: tags, Needs: staff.WriteRules, Status: http.StatusNoContent, Fails: []error{ErrNotFound, ErrStarted}})
	for _, m := range []struct {
		path, id, summary string
		to                State
	}{
		{"publish", "publishCoupon", "Publish a draft: it is live from its time on.", Live},
		{"pause", "pauseCoupon", "Pause a coupon: until it is resumed it is neither issued nor used.", Paused},
		{"resume", "resumeCoupon", "Go on with a paused coupon.", Live},
		{"end", "endCoupon", "End a coupon for good: it is issued no more. Vouchers that are out stay good to their own end.", Ended},
	} {
		api.Post(r, "/v1/coupons/{id}/"+m.path, s.mover(m.to), api.Doc{ID: m.id, Summary: m.summary, Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrNotFound, ErrMove, ErrEdited}})
	}
	api.Get(r, "/v1/coupons/{id}/versions", s.getVersions, api.Doc{ID: "listCouponVersions", Summary: "List what a coupon said, the newest first.", Tags: tags, Needs: staff.ReadRules, Fails: []error{ErrNotFound}})
	s.tryRoutes(r)
	s.voucherRoutes(r)
	s.batchRoutes(r)
	s.figureRoutes(r)
	s.portalRoutes(r)
}

// CouponRef names the coupon that a path is about.
type CouponRef struct {
	ID string `path:"id" minLength:"1" maxLength:"40" doc:"The coupon: cpn_…, or its code."`
}

// couponView is a coupon as the outside sees it.
type couponView struct {
	ID      string `json:"id" doc:"The coupon."`
	Code    string `json:"code" doc:"Unique and fixed." example:"spring-20-off-100"`
	State   State  `json:"state" enum:"draft,scheduled,live,paused,ended" doc:"Where it stands now; scheduled until its time begins, ended when it is over."`
	Version int64  `json:"version" doc:"Of what it says; grows with every change."`
	Terms
	MoneyCurrency string     `json:"money_currency" doc:"The currency of all amounts of money: the programme's."`
	Counts        countsView `json:"counts" doc:"How far it is."`
	Made          time.Time  `json:"made_at" doc:"When it was made."`
	Changed       time.Time  `json:"changed_at" doc:"When it was changed last."`
	Ended         *time.Time `json:"ended_at,omitempty" doc:"When it was ended by hand."`
}

// countsView is what the counters of a coupon say now.
type countsView struct {
	Issued     int64  `json:"issued" doc:"Vouchers issued, less those that were taken back."`
	Used       int64  `json:"used" doc:"Uses, less those that returns brought back."`
	Held       int64  `json:"held" doc:"Uses that checkouts hold just now."`
	Off        int64  `json:"off" doc:"What it took off, less what returns gave back, in minor units of the programme's currency."`
	StockLeft  *int64 `json:"stock_left,omitempty" doc:"Vouchers that can still be issued; absent where there is no bound."`
	UsesLeft   *int64 `json:"uses_left,omitempty" doc:"Uses that are left; absent where there is no bound."`
	BudgetLeft *int64 `json:"budget_left,omitempty" doc:"Money that is left, in minor units; absent where there is no bound."`
}

func (s *Service) view(c *Coupon, t totals) couponView {
	v := couponView{
		ID: c.PublicID(), Code: c.Code, State: c.Standing(s.nowMS(), s.zone()), Version: c.Version, Terms: c.Terms, MoneyCurrency: s.currency(),
		Made: c.Made, Changed: c.Changed, Ended: moment(c.EndedMS),
		Counts: countsView{Issued: t.claims.Used, Used: t.uses.Used, Held: t.uses.Held, Off: t.uses.Amount},
	}
	l := c.Terms.Limits
	left := func(most, gone int64) *int64 {
		if most == 0 {
			return nil
		}
		n := max(0, most-gone)
		return &n
	}
	v.Counts.StockLeft, v.Counts.UsesLeft, v.Counts.BudgetLeft = left(l.Stock, t.claims.Used+t.claims.Held), left(l.Uses, t.uses.Used+t.uses.Held), left(l.Budget, t.uses.Amount+t.uses.HeldAmount)
	return v
}

// moment is an instant of an answer; 0, and what never comes, have none.
func moment(ms int64) *time.Time {
	if ms == 0 || ms >= never || ms <= minMS {
		return nil
	}
	t := timeOf(ms)
	return &t
}

type couponOut struct{ Body couponView }

func (s *Service) answer(ctx context.Context, c *Coupon, err error) (*couponOut, error) {
	if err != nil {
		return nil, err
	}
	t, err := s.totals(ctx, []*Coupon{c})
	if err != nil {
		return nil, err
	}
	return &couponOut{s.view(c, t[c.ID])}, nil
}

type couponsIn struct {
	api.Page
	State State  `query:"state" enum:"draft,scheduled,live,paused,ended" doc:"Only those that stand there."`
	Q     string `query:"q" maxLength:"100" doc:"Only those whose code, shared code or name has this in it."`
}

type couponsOut struct{ Body api.List[couponView] }

func (s *Service) getCoupons(ctx context.Context, in *couponsIn) (*couponsOut, error) {
	list, next, err := page(s.List(in.State, in.Q), func(c *Coupon) int64 { return c.ID }, in.Page)
	if err != nil {
		return nil, err
	}
	t, err := s.totals(ctx, list)
	if err != nil {
		return nil, err
	}
	out := &couponsOut{api.List[couponView]{Items: []couponView{}, NextCursor: next}}
	for _, c := range list {
		out.Body.Items = append(out.Body.Items, s.view(c, t[c.ID]))
	}
	return out, nil
}

type newCouponIn struct {
	Body struct {
		Code string `json:"code" minLength:"1" maxLength:"40" doc:"Unique, and fixed from now on: lower-case letters, digits, dashes and underscores." example:"spring-20-off-100"`
		Terms
	}
}

func (s *Service) postCoupon(ctx context.Context, in *newCouponIn) (*couponOut, error) {
	c, err := s.Add(ctx, in.Body.Code, in.Body.Terms)
	return s.answer(ctx, c, err)
}

func (s *Service) getCoupon(ctx context.Context, in *CouponRef) (*couponOut, error) {
	c, err := s.Find(in.ID)
	return s.answer(ctx, c, err)
}

type putCouponIn struct {
	CouponRef
	Body struct {
		Version int64 `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		Terms
	}
}

func (s *Service) putCoupon(ctx context.Context, in *putCouponIn) (*couponOut, error) {
	c, err := s.Change(ctx, in.ID, in.Body.Version, func(t *Terms) { *t = in.Body.Terms })
	return s.answer(ctx, c, err)
}

type changeCouponIn struct {
	CouponRef
	Body struct {
		Version      int64      `json:"version,omitempty" minimum:"1" doc:"The version that this change is made from; another one meanwhile is a conflict."`
		NameEN       *string    `json:"name_en,omitempty" maxLength:"100" doc:"English name."`
		NameZH       *string    `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name."`
		TextEN       *string    `json:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
		TextZH       *string    `json:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
		Picture      *string    `json:"picture,omitempty" maxLength:"500" doc:"Address of a picture; empty for none."`
		Internal     *string    `json:"internal_note,omitempty" maxLength:"500" doc:"A note for colleagues."`
		Effect       *Effect    `json:"effect,omitempty" doc:"What it gives: all of it anew."`
		Minimum      *Minimum   `json:"minimum,omitempty" doc:"From what purchase on: all of it anew."`
		Scope        *Scope     `json:"scope,omitempty" doc:"Which lines it is for: all of it anew."`
		Stores       *[]string  `json:"stores,omitempty" maxItems:"500" doc:"Only at these stores; empty for all."`
		Channels     *[]string  `json:"channels,omitempty" maxItems:"50" doc:"Only on these channels; empty for all."`
		Weekdays     *[]int64   `json:"weekdays,omitempty" maxItems:"7" doc:"Only on these days of the week; empty for all."`
		Hours        *[]Hours   `json:"hours,omitempty" maxItems:"24" doc:"Only at these times of day; empty for all."`
		Condition    *string    `json:"condition,omitempty" maxLength:"8000" doc:"Only for purchases for which this holds; empty for all."`
		Audience     *string    `json:"audience,omitempty" maxLength:"8000" doc:"Who may have and use it; empty for everybody."`
		Cap          *int64     `json:"cap,omitempty" minimum:"0" maximum:"1000000000000" doc:"The most that it takes off, in minor units; 0 for no cap."`
		Partial      *bool      `json:"partial,omitempty" doc:"Give what is left of a budget that has too little."`
		From         *string    `json:"from,omitempty" maxLength:"40" doc:"From when on it is issued; empty for no bound."`
		Until        *string    `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer is; empty for no bound."`
		Valid        *Valid     `json:"valid,omitempty" doc:"How long a voucher can be used: all of it anew."`
		Limits       *Limits    `json:"limits,omitempty" doc:"How many and how often: all of it anew."`
		Times        *int64     `json:"times,omitempty" minimum:"0" maximum:"1000" doc:"How often one voucher can be used."`
		Bearer       *bool      `json:"bearer,omitempty" doc:"Whoever shows the code may use it."`
		Transferable *bool      `json:"transferable,omitempty" doc:"A member may give it to another."`
		Stack        *Stack     `json:"stack,omitempty" doc:"What it goes together with."`
		Returns      *Returns   `json:"returns,omitempty" enum:"whole,lines,keep" doc:"What a return does with the voucher."`
		Price        *Price     `json:"price,omitempty" doc:"What claiming it costs in points; an empty object for nothing."`
		Listed       *bool      `json:"listed,omitempty" doc:"Members find it in the claim centre."`
		FromSale     *FromSale  `json:"from_sale,omitempty" doc:"Which purchases give one; see replaceCoupon to take it away."`
		GrantOn      *[]GrantOn `json:"grant_on,omitempty" maxItems:"10" doc:"Steps of a member's life that give one; empty for none."`
		SharedCode   *string    `json:"shared_code,omitempty" maxLength:"40" doc:"One code for everybody; fixed once it is published whether there is one."`
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) patchCoupon(ctx context.Context, in *changeCouponIn) (*couponOut, error) {
	b := &in.Body
	c, err := s.Change(ctx, in.ID, b.Version, func(t *Terms) {
		set(&t.NameEN, b.NameEN)
		set(&t.NameZH, b.NameZH)
		set(&t.TextEN, b.TextEN)
		set(&t.TextZH, b.TextZH)
		set(&t.Picture, b.Picture)
		set(&t.Internal, b.Internal)
		set(&t.Effect, b.Effect)
		set(&t.Minimum, b.Minimum)
		set(&t.Scope, b.Scope)
		set(&t.Stores, b.Stores)
		set(&t.Channels, b.Channels)
		set(&t.Weekdays, b.Weekdays)
		set(&t.Hours, b.Hours)
		set(&t.Condition, b.Condition)
		set(&t.Audience, b.Audience)
		set(&t.Cap, b.Cap)
		set(&t.Partial, b.Partial)
		set(&t.From, b.From)
		set(&t.Until, b.Until)
		set(&t.Valid, b.Valid)
		set(&t.Limits, b.Limits)
		set(&t.Times, b.Times)
		set(&t.Bearer, b.Bearer)
		set(&t.Transferable, b.Transferable)
		set(&t.Stack, b.Stack)
		set(&t.Returns, b.Returns)
		set(&t.Price, b.Price)
		set(&t.Listed, b.Listed)
		if b.FromSale != nil {
			t.FromSale = b.FromSale
		}
		set(&t.GrantOn, b.GrantOn)
		set(&t.SharedCode, b.SharedCode)
	})
	return s.answer(ctx, c, err)
}

func (s *Service) deleteCoupon(ctx context.Context, in *CouponRef) (*struct{}, error) {
	return nil, s.Remove(ctx, in.ID)
}

func (s *Service) mover(to State) func(context.Context, *CouponRef) (*couponOut, error) {
	return func(ctx context.Context, in *CouponRef) (*couponOut, error) {
		c, err := s.Move(ctx, in.ID, to)
		return s.answer(ctx, c, err)
	}
}

type versionView struct {
	Version int64 `json:"version" doc:"Its number."`
	Terms
	Actor string    `json:"actor" doc:"Who wrote it, as staff:stf_…"`
	At    time.Time `json:"at" doc:"When."`
}

type versionsOut struct{ Body api.List[versionView] }

func (s *Service) getVersions(ctx context.Context, in *CouponRef) (*versionsOut, error) {
	c, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Versions(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &versionsOut{api.List[versionView]{Items: []versionView{}}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, versionView{v.Number, v.Terms, v.Actor, timeOf(v.AtMS)})
	}
	return out, nil
}

// memberOf finds the member that a request names.
func (s *Service) memberOf(ctx context.Context, text, location string) (int64, error) {
	ref, err := member.ParseRef(text)
	if err == nil {
		var m member.ID
		if m, err = s.o.Members.Find(ctx, ref); err == nil {
			return int64(m), nil
		}
	}
	return 0, at(err, location)
}
