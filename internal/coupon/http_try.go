package coupon

import (
	"context"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

func (s *Service) tryRoutes(r *api.Router) {
	api.Post(r, "/v1/coupons/try", s.postTry, api.Doc{ID: "tryCouponTerms", Summary: "Say what a coupon that is not saved would take off a made-up basket.", Tags: tags, Needs: staff.ReadRules,
		Description: "Nothing is kept. Limits and whoever holds vouchers do not count.", Fails: slices.Concat(wrong, []error{ErrBasketLines, ErrDraftOnly, member.ErrRef, member.ErrNotFound, member.ErrQR})})
	api.Post(r, "/v1/coupons/{id}/try", s.postTryCoupon, api.Doc{ID: "tryCoupon", Summary: "Say what a coupon would take off a made-up basket.", Tags: tags, Needs: staff.ReadRules,
		Description: "Nothing is kept. Limits and whoever holds vouchers do not count.", Fails: []error{ErrNotFound, ErrBasketLines, ErrDraftOnly, program.ErrNoStore, program.ErrTime, member.ErrRef, member.ErrNotFound, member.ErrQR}})
}

var (
	// ErrBasketLines refuses a basket that cannot be.
	ErrBasketLines = errs.New(errs.Invalid, "coupon.basket", "A basket has 1 to 200 lines, each with a quantity above 0 and what it comes to.", "购物篮须有 1 至 200 行，每行数量大于 0 并填写金额。")
	// ErrDraftOnly refuses to try terms that are sent without any.
	ErrDraftOnly = errs.New(errs.Invalid, "coupon.try_terms", "Say what the coupon says.", "请填写优惠券内容。")
)

// tryBasket is a basket that is made up.
type tryBasket struct {
	Lines   []tryLine `json:"lines" minItems:"1" maxItems:"200" doc:"What lies in it."`
	Store   string    `json:"store,omitempty" maxLength:"64" doc:"Id or code; the programme's default where absent."`
	Channel string    `json:"channel,omitempty" maxLength:"64" doc:"Where the customer buys."`
	Member  string    `json:"member,omitempty" maxLength:"255" doc:"Who buys, by any identifier; nobody where absent."`
	At      string    `json:"at,omitempty" maxLength:"40" doc:"When; now where absent."`
}

type tryLine struct {
	SKU      string  `json:"sku,omitempty" maxLength:"64" doc:"Product code."`
	Category string  `json:"category,omitempty" maxLength:"255" doc:"Category; that of the product where absent."`
	Brand    string  `json:"brand,omitempty" maxLength:"64" doc:"Brand."`
	Quantity float64 `json:"quantity" exclusiveMinimum:"0" maximum:"1000000" doc:"How many; up to three decimals."`
	Amount   int64   `json:"amount" minimum:"0" maximum:"1000000000000" doc:"What the line comes to before discounts, in minor units of the programme's currency."`
	Delivery bool    `json:"delivery,omitempty" doc:"The line is the cost of delivery."`
}

type tryCouponIn struct {
	CouponRef
	Body tryBasket
}

type tryIn struct {
	Body struct {
		Coupon *Terms    `json:"coupon" doc:"What the coupon says."`
		Basket tryBasket `json:"basket" doc:"What is bought."`
	}
}

type tryOut struct {
	Body struct {
		Off     int64    `json:"off" doc:"What comes off, in minor units."`
		Total   int64    `json:"total" doc:"What the basket came to before."`
		Pay     int64    `json:"pay" doc:"What is left to pay."`
		ByLine  []int64  `json:"by_line" doc:"What comes off each line, in the order of the lines."`
		Why     string   `json:"why,omitempty" enum:"threshold,quantity,nothing,gift_missing,no_effect,budget,exclusive,not_best,refused" doc:"Why nothing comes off: threshold and quantity, too little is bought; nothing, no line is in scope; gift_missing, the gift is not in the basket; no_effect, nothing is left to take off; refused, see refusal."`
		More    int64    `json:"more,omitempty" doc:"Of threshold: minor units that are missing. Of quantity: thousandths of a unit."`
		SKU     string   `json:"sku,omitempty" doc:"Of gift_missing: what to add."`
		Refusal string   `json:"refusal,omitempty" doc:"Of refused: the stable code, as coupon.store."`
		Words   string   `json:"words,omitempty" doc:"The reason in the language of the caller."`
		Scope   []bool   `json:"in_scope" doc:"Which lines the coupon is for."`
		Notes   []string `json:"notes,omitempty" doc:"What else there is to know, in the language of the caller."`
	}
}

func (s *Service) postTryCoupon(ctx context.Context, in *tryCouponIn) (*tryOut, error) {
	c, err := s.Find(in.ID)
	if err != nil {
		return nil, err
	}
	return s.try(ctx, s.now.Load().latest(c), &in.Body, "body.")
}

func (s *Service) postTry(ctx context.Context, in *tryIn) (*tryOut, error) {
	if in.Body.Coupon == nil {
		return nil, ErrDraftOnly.At("body.coupon")
	}
	t := *in.Body.Coupon
	if err := s.check(&t); err != nil {
		return nil, err
	}
	v := s.now.Load().compile(&Coupon{State: Live, Terms: t}, 1, &t, s.o.Program.Snapshot())
	return s.try(ctx, v, &in.Body.Basket, "body.basket.")
}

// try works out what a version takes off a basket.
func (s *Service) try(ctx context.Context, v *version, q *tryBasket, location string) (*tryOut, error) {
	b, err := s.madeUp(ctx, q, location)
	if err != nil {
		return nil, err
	}
	lines := BasketLines(b)
	out := &tryOut{}
	body := &out.Body
	body.Total, body.Pay, body.ByLine = discount.Sum(lines), discount.Sum(lines), make([]int64, len(lines))
	p := v.promo("try", b, never)
	for i := range lines {
		body.Scope = append(body.Scope, !lines[i].Delivery && (p.Scope == nil || p.Scope(i)))
	}
	l := looking{s: s, n: s.now.Load(), b: b, nowMS: s.nowMS(), atMS: b.At.UnixMilli()}
	c := Candidate{Coupon: v.coupon, Version: v.n}
	if err := l.meetFor(ctx, []*version{v}); err != nil {
		return nil, err
	}
	if c.Refused = l.place(v); c.Refused == nil {
		c.Refused = l.holds(v)
	}
	if e := errs.As(c.Refused); e != nil {
		body.Why, body.Refusal = "refused", e.Code
		body.Words = api.ProblemOf(ctx, e).Title
		return out, nil
	}
	r := discount.Apply(lines, []discount.Promo{p})
	body.Off, body.Pay = r.Off, body.Total-r.Off
	for _, a := range r.Applied {
		copy(body.ByLine, a.ByLine)
	}
	for _, left := range r.Left {
		body.Why, body.More, body.SKU = string(left.Why), left.More, left.SKU
		w := WhyWords[left.Why]
		body.Words = i18n.Pick(api.Language(ctx), w.EN, w.ZH)
	}
	return out, nil
}

// WhyWords says in both languages why a coupon that could be used takes nothing off.
var WhyWords = map[discount.Why]errs.Word{
	discount.WhyThreshold:   {EN: "Too little is bought of what it is for.", ZH: "未达到使用门槛。"},
	discount.WhyQuantity:    {EN: "Too few are bought of what it is for.", ZH: "件数未达到使用门槛。"},
	discount.WhyNothing:     {EN: "Nothing in the basket is what it is for.", ZH: "购物篮中没有适用商品。"},
	discount.WhyGiftMissing: {EN: "The gift is not in the basket.", ZH: "购物篮中没有赠品。"},
	discount.WhyNoEffect:    {EN: "Nothing is left to take off.", ZH: "已无可优惠的金额。"},
	discount.WhyBudget:      {EN: "Its budget has too little left.", ZH: "优惠预算不足。"},
	discount.WhyExclusive:   {EN: "A coupon is used that goes with no other.", ZH: "已使用的券不可与其他券同用。"},
	discount.WhyNotBest:     {EN: "Another one saves more.", ZH: "有更优惠的券。"},
}

// madeUp makes the basket of a trial.
func (s *Service) madeUp(ctx context.Context, q *tryBasket, location string) (*sale.Basket, error) {
	snap := s.o.Program.Snapshot()
	d := &sale.Document{Kind: sale.Purchase, Channel: q.Channel, Currency: s.currency(), AtMS: s.nowMS(), Store: snap.DefaultStore().ID}
	if q.Store != "" {
		st, err := snap.FindStore(q.Store)
		if err != nil {
			return nil, at(err, location+"store")
		}
		d.Store = st.ID
	}
	if q.At != "" {
		when, err := snap.ParseTime(q.At)
		if err != nil {
			return nil, at(err, location+"at")
		}
		d.AtMS = when.UnixMilli()
	}
	if len(q.Lines) == 0 || len(q.Lines) > 200 {
		return nil, ErrBasketLines.At(location + "lines")
	}
	for i, l := range q.Lines {
		milli := int64(l.Quantity*1000 + 0.5)
		if milli <= 0 || milli > 1_000_000_000 || l.Amount < 0 || l.Amount > maxMoney {
			return nil, ErrBasketLines.At(location + "lines")
		}
		line := sale.Line{Line: int64(i + 1), SKU: l.SKU, Category: l.Category, Brand: l.Brand, Milli: milli, Amount: l.Amount}
		if l.Delivery {
			line.Attributes = map[string]any{DeliveryAttribute: true}
		}
		d.Total += l.Amount
		d.Body.Lines = append(d.Body.Lines, line)
	}
	owner := member.ID(0)
	if q.Member != "" {
		m, err := s.memberOf(ctx, q.Member, location+"member")
		if err != nil {
			return nil, err
		}
		owner = member.ID(m)
	}
	b, _, _, err := s.sales.Look(ctx, d, owner)
	if err == nil {
		b.At = time.UnixMilli(d.AtMS)
	}
	return b, err
}
