package till

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/patron-loyalty/patron/internal/coupon"
	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/sale"
)

// OfflineSale is a sale that a till made by a snapshot.
type OfflineSale struct {
	Snapshot   string            `json:"snapshot" minLength:"1" maxLength:"65536" doc:"By which vouchers and points were taken. It says whose sale it is, in which store and at which till."`
	Source     string            `json:"source" minLength:"1" maxLength:"64" doc:"System that numbers the documents."`
	Document   string            `json:"document" minLength:"1" maxLength:"64" doc:"Number of the receipt; unique for ever under its source."`
	At         string            `json:"at" minLength:"1" maxLength:"40" doc:"When it was made, within the time of the snapshot. RFC 3339; without a zone, in the programme's."`
	Lines      []sale.NewLine    `json:"lines" minItems:"1" maxItems:"1000" doc:"What was bought, before vouchers."`
	Coupons    []OfflineCoupon   `json:"coupons,omitempty" maxItems:"20" doc:"Vouchers that were taken."`
	Spend      []Wanted          `json:"spend,omitempty" maxItems:"8" doc:"Points that paid."`
	Payments   []sale.NewPayment `json:"payments,omitempty" maxItems:"20" doc:"How the rest was paid."`
	Staff      string            `json:"staff,omitempty" maxLength:"64" doc:"Who served."`
	Channel    string            `json:"channel,omitempty" maxLength:"32" doc:"As store, web, app."`
	Attributes map[string]any    `json:"attributes,omitempty" doc:"Anything else that rules and reports may use."`
}

// OfflineCoupon is a voucher that a till took.
type OfflineCoupon struct {
	Code string `json:"code" minLength:"1" maxLength:"64" doc:"Of the voucher, as the snapshot writes it."`
	Off  int64  `json:"off" minimum:"1" maximum:"1000000000000" doc:"What the till took off for it, in minor units."`
}

// paidOffline is points that a till took.
type paidOffline struct {
	currency      string
	amount, worth int64
}

// Take records a sale that a till made without a line.
func (s *Service) Take(ctx context.Context, in OfflineSale, ask sale.Ask) sale.Result {
	c, err := s.read(ctx, in.Snapshot)
	if err != nil {
		return sale.Result{Err: errs.As(err).At("body.snapshot")}
	}
	st, err := s.store(ctx, c.Store)
	if err != nil {
		return sale.Result{Err: ErrSnapshotPlace.At("body.snapshot")}
	}
	snap := s.o.Program.Snapshot()
	at, err := snap.ParseTime(in.At)
	if err != nil {
		return sale.Result{Err: errs.As(err).At("body.at")}
	}
	if at.Before(c.Issued.Add(-clockSlack)) || !at.Before(c.Expires) {
		return sale.Result{Err: ErrSnapshotTime.With("from", c.Issued.Format(time.RFC3339), "until", c.Expires.Format(time.RFC3339), "at", at.UTC().Format(time.RFC3339)).At("body.at")}
	}
	n := sale.New{
		Source: in.Source, Document: in.Document, Member: c.Member, At: in.At, Currency: c.Currency, Lines: in.Lines, Store: c.Store, Till: c.Till,
		Staff: in.Staff, Channel: in.Channel, Payments: in.Payments, Attributes: in.Attributes,
	}
	for _, l := range in.Lines {
		n.Total += l.Amount // a thousand lines of a bounded amount
	}
	part := offline{s: s, p: pricing{s.o.Prices, s.o.Coupons}, claims: c, store: st.ID, day: int64(snap.Day(at)), rules: snap.OfflineRules()}
	if err := part.gather(in); err != nil {
		return sale.Result{Err: err}
	}
	for _, u := range part.uses {
		n.Coupons = append(n.Coupons, u.Code)
	}
	ask.Price = func(_ context.Context, b *sale.Basket) (sale.Part, error) { return part.price(b, in) }
	return s.o.Sales.Record(ctx, n, ask)
}

// offline is the part of a sale that takes what its till has taken already.
type offline struct {
	s      *Service
	p      pricing
	claims *Claims
	store  int64
	day    int64
	rules  program.Offline
	uses   []coupon.Use
	spends []paidOffline
}

// gather finds what was taken among what the snapshot says.
func (o *offline) gather(in OfflineSale) error {
	for i, x := range in.Coupons {
		at := "body.coupons[" + strconv.Itoa(i) + "].code"
		k := slices.IndexFunc(o.claims.Vouchers, func(v ClaimVoucher) bool { return v.Code == x.Code })
		if k < 0 {
			return ErrNotTaken.With("ref", x.Code).At(at)
		}
		if slices.ContainsFunc(o.uses, func(u coupon.Use) bool { return u.Code == x.Code }) {
			return coupon.ErrTwice.With("code", x.Code).At(at)
		}
		v := o.claims.Vouchers[k]
		o.uses = append(o.uses, coupon.Use{Coupon: v.Coupon, Version: v.Version, Code: v.Code})
	}
	for i, x := range in.Spend {
		at := "body.spend[" + strconv.Itoa(i) + "].currency"
		k := slices.IndexFunc(o.claims.Points, func(p ClaimPoints) bool { return p.Currency == x.Currency })
		if k < 0 {
			return ErrNotTaken.With("ref", x.Currency).At(at)
		}
		if slices.ContainsFunc(o.spends, func(p paidOffline) bool { return p.currency == x.Currency }) {
			return ledger.ErrCurrency.At(at)
		}
		o.spends = append(o.spends, paidOffline{x.Currency, x.Amount, o.claims.Points[k].worth(x.Amount)})
	}
	return nil
}

// price takes off the basket what the till took off, which has to be what the terms say.
func (o offline) price(b *sale.Basket, in OfflineSale) (sale.Part, error) {
	promos, err := o.s.o.Coupons.OfflinePromos(b, o.uses)
	if err != nil {
		return nil, err
	}
	r := discount.Apply(coupon.BasketLines(b), promos)
	due := map[string]discount.Applied{}
	for _, x := range r.Applied {
		due[x.Ref] = x
	}
	o.uses = slices.Clone(o.uses)
	for i := range o.uses {
		u := &o.uses[i]
		x := due[u.Code]
		if x.Amount != in.Coupons[i].Off {
			money := func(n int64) errs.Word {
				return errs.Word{EN: i18n.Money(n, b.Sale.Currency, "en"), ZH: i18n.Money(n, b.Sale.Currency, "zh-CN")}
			}
			return nil, ErrTerms.With("code", u.Code, "due", money(x.Amount), "off", money(in.Coupons[i].Off))
		}
		u.Amount, u.ByLine = x.Amount, x.ByLine
	}
	takeOff(b, nil, o.uses)
	var paid int64
	pays := slices.Clone(b.Sale.Body.Payments)
	for _, x := range o.spends {
		paid += x.worth
		pays = append(pays, sale.Payment{Kind: pointsKind, Amount: x.worth}) // rules see what points pay
	}
	if paid > b.Sale.Total {
		return nil, ErrOverpaid.With("paid", paid, "left", b.Sale.Total).At("body.spend")
	}
	b.Sale.Body.Payments = pays
	return o, nil
}

// The kinds of payment that a sale without a line brings about.
const (
	pointsKind = "points"
	lossKind   = "offline_loss" // points that were taken and were not there
)

func (o offline) handKey() quota.Key {
	return quota.Key{Kind: quota.OfflineHand, ID: o.claims.ID}
}

func (o offline) storeKey() quota.Key {
	return quota.Key{Kind: quota.OfflineStore, ID: o.store, Span: o.day}
}

// Needs is part of sale.Part.
func (o offline) Needs(owner int64) ledger.Needs {
	n := o.s.o.Coupons.UseNeeds(o.uses, owner)
	n.Rows = append(n.Rows, o.handKey().Row(), o.storeKey().Row())
	for _, x := range o.spends {
		n.Heads = append(n.Heads, ledger.Head{Member: owner, Currency: x.currency})
	}
	return n
}

// Asks is part of sale.Part.
func (offline) Asks() []cond.Need { return nil }

// Decide is part of sale.Part. What the books still hold is used; the rest is written down.
func (o offline) Decide(st *ledger.State, a *ledger.Account, out *sale.Outcome) error {
	w := conflicts{o: o, st: st, a: a, out: out}
	var kept []coupon.Use
	var worth int64
	for _, u := range o.uses {
		worth += u.Amount
		one := []coupon.Use{u}
		err := o.s.o.Coupons.Redeem(st, a, one, 0, out.Doc)
		if e := refusal(err); e != nil {
			w.add(ConflictVoucher, u.Code, e.Code, 1, u.Amount)
			continue
		}
		if err != nil {
			return err
		}
		kept = append(kept, one[0])
	}
	if len(kept) > 0 {
		out.Keep(o.p, kept)
	}
	pays := out.Doc.Body.Payments[:len(out.Doc.Body.Payments)-len(o.spends)]
	pays = slices.Clone(pays)
	for _, x := range o.spends {
		worth += x.worth
		got, why, err := o.spend(st, a, out.Doc, x)
		if err != nil {
			return err
		}
		part := x.worth
		if got < x.amount {
			part = o.worthOf(x.currency, got)
			w.add(ConflictPoints, x.currency, why, x.amount-got, x.worth-part)
			pays = append(pays, sale.Payment{Kind: lossKind, Amount: x.worth - part, Reference: x.currency})
		}
		if part > 0 {
			pays = append(pays, sale.Payment{Kind: pointsKind, Amount: part})
		}
	}
	out.Doc.Body.Payments = pays
	w.limit(o.handKey(), o.claims.Most, worth, "snapshot")
	w.limit(o.storeKey(), o.rules.PerStore, worth, "store")
	return nil
}

// refusal is err where it is one by state; what the engine has to hear is none.
func refusal(err error) *errs.Error {
	if e := errs.As(err); e != nil && (e.Kind == errs.Conflict || e.Kind == errs.NotFound || e.Kind == errs.Forbidden) {
		return e
	}
	return nil
}

func (o offline) worthOf(currency string, amount int64) int64 {
	k := slices.IndexFunc(o.claims.Points, func(p ClaimPoints) bool { return p.Currency == currency })
	return o.claims.Points[k].worth(amount)
}

// spend spends as much as there is, and says why it is not all.
func (o offline) spend(st *ledger.State, a *ledger.Account, d *sale.Document, x paidOffline) (got int64, why string, err error) {
	cur, err := st.Config.Currency(x.currency)
	if err != nil {
		return 0, "", err
	}
	n := min(x.amount, st.Balances(a)[x.currency])
	if n <= 0 {
		return 0, ledger.ErrInsufficient.Code, nil
	}
	used, err := st.Spend(a, cur, n, ledger.Posting{AtMS: st.NowMS, Store: d.Store, Cause: ledger.Cause{Kind: ledger.BySale, Member: d.Member, Seq: d.Seq}})
	if e := refusal(err); e != nil { // blocked since, or a limit of the currency
		return 0, e.Code, nil
	}
	if err != nil {
		return 0, "", err
	}
	sp := sale.Spent{Currency: cur.ID, Member: a.ID, Amount: n}
	for _, t := range used { // a list of its own: used is the entry's
		sp.Lots = append(sp.Lots, ledger.Touch{Lot: t.Lot, Amount: -t.Amount})
	}
	d.Effect.Spent = append(d.Effect.Spent, sp)
	return n, ledger.ErrInsufficient.Code, nil
}
