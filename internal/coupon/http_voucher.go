package coupon

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) voucherRoutes(r *api.Router) {
	finds := []error{member.ErrRef, member.ErrNotFound, member.ErrQR}
	gives := []error{ErrNotFound, ErrNotLive, ErrPaused, ErrAudience, ErrStock, ErrOften, ErrNoUse, ErrDrawn, ledger.ErrMember, ledger.ErrMayNotEarn, ledger.ErrMayNotSpend, ledger.ErrInsufficient}
	api.Post(r, "/v1/coupons/{id}/vouchers", s.postVoucher, api.Doc{ID: "giveVoucher", Summary: "Give a member a voucher of a coupon.", Tags: tags, OneOf: []api.Permission{staff.WriteRules, staff.MovePoints}, Status: http.StatusCreated,
		Fails: slices.Concat(finds, gives)})
	api.Get(r, "/v1/coupons/{id}/vouchers", s.getVouchers, api.Doc{ID: "listVouchers", Summary: "List the vouchers of a coupon, the newest first.", Tags: tags, Needs: staff.ReadMembers, Fails: []error{ErrNotFound, api.ErrCursor}})
	api.Get(r, "/v1/vouchers/{code}", s.getVoucher, api.Doc{ID: "getVoucher", Summary: "Show a voucher by its code, with its whole history.", Tags: tags, OneOf: []api.Permission{staff.ReadMembers, staff.MovePoints},
		Description: "Case, spaces and dashes make no difference, nor do look-alikes. A shared code is no voucher.", Fails: []error{ErrUnknown, ErrSlow}})
	api.Post(r, "/v1/vouchers/{code}/revoke", s.postRevoke, api.Doc{ID: "revokeVoucher", Summary: "Take a voucher back. One that was used stays used.", Tags: tags, Needs: staff.WriteRules, Fails: []error{ErrUnknown, ErrUsed, ErrHeld, ErrEdited, ledger.ErrMember}})
	api.Get(r, "/v1/members/{ref}/vouchers", s.getMemberVouchers, api.Doc{ID: "listMemberVouchers", Summary: "List the vouchers of a member: usable, used, or over.", Tags: tags, OneOf: []api.Permission{staff.ReadMembers, staff.MovePoints}, Fails: slices.Concat(finds, []error{api.ErrCursor})})
}

// VoucherView is one voucher as the outside sees it.
type VoucherView struct {
	Code      string     `json:"code" doc:"Its code." example:"7K3QX9PWDF0MA5"`
	Shown     string     `json:"shown" doc:"The same in groups, as people read it." example:"7K3Q-X9PW-DF0M-A5"`
	Coupon    string     `json:"coupon_id" doc:"What it is a voucher of."`
	Name      string     `json:"coupon_code" doc:"Code of the coupon."`
	Title     string     `json:"name" doc:"Name of the coupon, in the language of the caller."`
	Version   int64      `json:"version" doc:"The version of the coupon that it goes by."`
	State     string     `json:"state" enum:"issued,claimed,held,gifting,redeemed,revoked,expired" doc:"Where it stands now. issued: nobody holds it. claimed: a member does. held: a checkout does. gifting: a link waits to be accepted. redeemed: used as often as it can be."`
	Member    string     `json:"member_id,omitempty" doc:"Who was given it, as they were then."`
	From      *time.Time `json:"valid_from,omitempty" doc:"It can be used from this instant."`
	Until     *time.Time `json:"valid_until,omitempty" doc:"To this instant, inclusive; absent where it does not end."`
	Issued    *time.Time `json:"issued_at,omitempty" doc:"When it was made."`
	Claimed   *time.Time `json:"claimed_at,omitempty" doc:"When a member got it."`
	Used      *time.Time `json:"used_at,omitempty" doc:"When it was used last."`
	Uses      int64      `json:"uses" doc:"How often it was used; what returns brought back does not count."`
	UsesLeft  int64      `json:"uses_left" doc:"How often it can still be used."`
	Off       int64      `json:"off" doc:"What it took off, less what returns gave back, in minor units of the programme's currency."`
	Sale      string     `json:"sale_id,omitempty" doc:"The sale on which it was used last."`
	HeldUntil *time.Time `json:"held_until,omitempty" doc:"Until when a checkout holds it."`
	GiftUntil *time.Time `json:"gift_until,omitempty" doc:"Until when a link by which it is given away can be accepted."`
	Batch     string     `json:"batch_id,omitempty" doc:"The batch or sending that it came with."`
	Origin    string     `json:"origin" enum:"claim,staff,batch,sending,sale,reward,draw,rule,tier,offer,join,birthday" doc:"What gave it."`
	FromRef   string     `json:"origin_id,omitempty" doc:"Which one: a sale, an order, a draw."`
}

func (s *Service) viewVoucher(ctx context.Context, v *Voucher) VoucherView {
	n := s.now.Load()
	nowMS := s.nowMS()
	out := VoucherView{
		Code: v.Code, Shown: shown(v.Code), Coupon: id.Encode(couponPrefix, 0, v.Coupon), Version: v.Version, State: v.Standing(nowMS),
		From: moment(v.From), Until: moment(v.Until), Issued: moment(v.IssuedMS), Claimed: moment(v.ClaimedMS), Used: moment(v.UsedMS), Uses: v.UsedN, Off: v.Off,
		Origin: v.Origin.Kind, FromRef: v.Origin.Ref,
	}
	if c := n.coupons[v.Coupon]; c != nil {
		out.Name, out.Title = c.Code, i18n.Pick(api.Language(ctx), c.Terms.NameEN, c.Terms.NameZH)
	}
	if of := n.of(v.Coupon, v.Version); of != nil && v.open(nowMS) {
		out.UsesLeft = max(0, of.terms.uses()-v.UsedN)
	}
	if v.Member > 0 {
		out.Member = member.ID(v.Member).String()
	}
	if v.Sale != (ledger.LotKey{}) {
		out.Sale = (&sale.Document{Member: v.Sale.Member, Seq: v.Sale.Seq}).ID()
	}
	if v.held(nowMS, 0) {
		out.HeldUntil = moment(v.HoldUntil)
	}
	if v.gifting(nowMS) {
		out.GiftUntil = moment(v.GiftUntil)
	}
	if v.Batch != 0 {
		prefix := batchPrefix
		if v.Origin.Kind == fromSending {
			prefix = sendingPrefix
		}
		out.Batch = id.Encode(prefix, 0, v.Batch)
	}
	return out
}

type voucherOut struct{ Body VoucherView }

func (s *Service) answerVoucher(ctx context.Context, v *Voucher, err error) (*voucherOut, error) {
	if err != nil {
		return nil, err
	}
	return &voucherOut{s.viewVoucher(ctx, v)}, nil
}

type giveIn struct {
	CouponRef
	Body struct {
		Member string `json:"member" minLength:"1" maxLength:"255" doc:"Who gets it, by any identifier."`
		Charge bool   `json:"charge,omitempty" doc:"The member pays the price of the coupon in points; else it is free."`
	}
}

func (s *Service) postVoucher(ctx context.Context, in *giveIn) (*voucherOut, error) {
	m, err := s.memberOf(ctx, in.Body.Member, "body.member")
	if err != nil {
		return nil, err
	}
	v, err := s.Hand(ctx, m, in.ID, in.Body.Charge)
	return s.answerVoucher(ctx, v, err)
}

type vouchersIn struct {
	CouponRef
	api.Page
}

type vouchersOut struct{ Body api.List[VoucherView] }

func (s *Service) answerVouchers(ctx context.Context, list []*Voucher, next string, err error) (*vouchersOut, error) {
	if err != nil {
		return nil, err
	}
	out := &vouchersOut{api.List[VoucherView]{Items: []VoucherView{}, NextCursor: next}}
	for _, v := range list {
		out.Body.Items = append(out.Body.Items, s.viewVoucher(ctx, v))
	}
	return out, nil
}

func (s *Service) getVouchers(ctx context.Context, in *vouchersIn) (*vouchersOut, error) {
	c, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	list, next, err := s.OfCoupon(ctx, c, in.Page)
	return s.answerVouchers(ctx, list, next, err)
}

// VoucherRef names the voucher that a path is about.
type VoucherRef struct {
	Code string `path:"code" minLength:"1" maxLength:"60" doc:"The code, as it is written anywhere."`
}

type stepView struct {
	Step   string    `json:"step" enum:"issued,claimed,held,released,redeemed,reversed,revoked,gifted,gift_cancelled,accepted,expired" doc:"What happened."`
	At     time.Time `json:"at" doc:"When; of a use, the time of the sale."`
	Actor  string    `json:"actor,omitempty" doc:"Who sent it, as staff:stf_… or key:key_…"`
	Member string    `json:"member_id,omitempty" doc:"The member who had to do with it."`
	Store  string    `json:"store_id,omitempty" doc:"Where."`
	Till   string    `json:"till,omitempty" doc:"At which till."`
	Staff  string    `json:"staff,omitempty" doc:"The salesperson of the sale."`
	Sale   string    `json:"sale_id,omitempty" doc:"On which sale."`
	Amount int64     `json:"amount,omitempty" doc:"Of redeemed, what it took off; of reversed, what came back; in minor units of the programme's currency."`
}

type historyOut struct {
	Body struct {
		VoucherView
		Sound   bool       `json:"check_ok" doc:"The check character is right. Codes that were brought along may have none."`
		History []stepView `json:"history" doc:"All that happened to it, the first step first."`
	}
}

func (s *Service) getVoucher(ctx context.Context, in *VoucherRef) (*historyOut, error) {
	found, err := s.guesses.admit(ctx, s.o.Clock.Now())
	if err != nil {
		return nil, err
	}
	v, err := s.Voucher(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	found()
	steps, err := s.Steps(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &historyOut{}
	out.Body.VoucherView, out.Body.Sound = s.viewVoucher(ctx, v), sound(v.Code)
	out.Body.History = []stepView{{Step: "issued", At: timeOf(v.IssuedMS)}}
	for _, x := range steps {
		out.Body.History = append(out.Body.History, s.viewStep(x))
	}
	return out, nil
}

func (s *Service) viewStep(x Step) stepView {
	w := stepView{Step: stepWords[x.Kind], At: timeOf(x.AtMS), Actor: x.Actor, Till: x.Till, Staff: x.Staff, Amount: x.Amount}
	if x.Member > 0 {
		w.Member = member.ID(x.Member).String()
	}
	if st, ok := s.o.Program.Snapshot().Store(x.Store); ok {
		w.Store = program.StoreID(st.ID)
	}
	if x.Sale != (ledger.LotKey{}) {
		w.Sale = (&sale.Document{Member: x.Sale.Member, Seq: x.Sale.Seq}).ID()
	}
	return w
}

type revokeIn struct {
	VoucherRef
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"Why. It should name nobody."`
	}
}

func (s *Service) postRevoke(ctx context.Context, in *revokeIn) (*voucherOut, error) {
	v, err := s.Revoke(ctx, in.Code, in.Body.Reason)
	return s.answerVoucher(ctx, v, err)
}

type memberVouchersIn struct {
	api.Page
	Ref  string `path:"ref" minLength:"1" maxLength:"255" doc:"The member, by any identifier."`
	View string `query:"view" enum:"usable,used,expired" default:"usable" doc:"usable: the soonest to end first. used: what can be used no more. expired: over or taken back."`
}

func (s *Service) getMemberVouchers(ctx context.Context, in *memberVouchersIn) (*vouchersOut, error) {
	m, err := s.memberOf(ctx, in.Ref, "path.ref")
	if err != nil {
		return nil, err
	}
	list, next, err := s.OfMember(ctx, m, in.View, in.Page)
	return s.answerVouchers(ctx, list, next, err)
}
