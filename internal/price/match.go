package price

import (
	"context"
	"slices"

	"github.com/patron-loyalty/patron/internal/discount"
	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/plan"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/tier"
)

// The kinds of what comes off without a coupon, as sales and quotes call them.
const (
	KindPrice = "member_price" // Ref is the code of the list
	KindTier  = "tier"         // Ref is the code of the tier
	KindPlan  = "plan"         // Ref is the code of the plan
)

// Take is something that comes off a basket by who buys.
type Take struct {
	Kind, Ref      string
	NameEN, NameZH string
	Promo          discount.Promo // its Ref has a colon, which no code of a coupon has
}

// Standing is what comes off a basket by who its owner is: member prices, then the discounts of
// their tier and of their plan. Lines of b hold amounts before anything came off; lines are these,
// as discounts are reckoned from them.
func (s *Service) Standing(ctx context.Context, b *sale.Basket, lines []discount.Line) ([]Take, error) {
	p, err := s.match(ctx, b, lines)
	if err != nil || p == nil {
		return nil, err
	}
	return p.takes(lines), nil
}

// match looks up who the owner of a basket is, as far as that changes what it costs; nil where
// nothing comes off.
func (s *Service) match(ctx context.Context, b *sale.Basket, lines []discount.Line) (*matched, error) {
	if b.Owner == 0 {
		return nil, nil
	}
	m := &matched{b: b, may: s.now.Load().offered(b, lines)}
	lists := m.lists()
	byTier := s.o.Tiers.Snapshot().Discounts() || slices.ContainsFunc(lists, func(l *live) bool { return len(l.Terms.Tiers) > 0 })
	byPlan := s.o.Plans.Discounts() || slices.ContainsFunc(lists, func(l *live) bool { return len(l.Terms.Plans) > 0 })
	if !byTier && !byPlan && len(lists) == 0 {
		return nil, nil
	}
	if byTier || byPlan {
		day := program.DayOf(b.At, b.Programme.Zone)
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			if byTier {
				if m.tier, err = s.o.Tiers.HeldBy(ctx, tx, b.Owner, day); err != nil {
					return err
				}
			}
			if byPlan {
				m.plan, err = s.o.Plans.HeldBy(ctx, tx, b.Owner, day)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return m, s.fit(ctx, m, lists)
}

// matched is what comes off one basket.
type matched struct {
	b    *sale.Basket
	may  [][]entry // by line, what lists say of it; once fit has looked, only what is for the owner
	tier *tier.At  // nil where nobody asked
	plan plan.Holding
}

// offered is what the lists say of each line that hold at the basket's place and time.
func (n *snapshot) offered(b *sale.Basket, lines []discount.Line) [][]entry {
	out := make([][]entry, len(lines))
	if len(n.skus)+len(n.brands)+len(n.wide) == 0 {
		return out
	}
	at, wide := b.At.UnixMilli(), map[string][]entry{}
	here := func(list []entry) []entry {
		var out []entry
		for _, e := range list {
			if e.in.holds(b, at) && (e.price == 0 || b.Sale.Currency == b.Programme.Settings.Currency) {
				out = append(out, e)
			}
		}
		return out
	}
	for i, l := range lines {
		if l.Delivery {
			continue
		}
		of, known := wide[l.Category]
		if !known && l.Category != "" {
			for _, e := range here(n.wide) {
				if b.Under(l.Category, e.category) {
					of = append(of, e)
				}
			}
			wide[l.Category] = of
		}
		out[i] = slices.Concat(here(n.skus[l.SKU]), here(n.brands[l.Brand]), of)
	}
	return out
}

// holds reports whether a list holds where and when a basket is bought.
func (l *live) holds(b *sale.Basket, at int64) bool {
	return l.from <= at && at < l.until && (l.stores == nil || l.stores[b.Sale.Store]) &&
		(len(l.Terms.Channels) == 0 || slices.Contains(l.Terms.Channels, b.Sale.Channel))
}

// lists are those that say something of a line.
func (m *matched) lists() (out []*live) {
	for _, list := range m.may {
		for _, e := range list {
			if !slices.Contains(out, e.in) {
				out = append(out, e.in)
			}
		}
	}
	return out
}

// fit leaves of what lists say only what is for the owner of the basket.
func (s *Service) fit(ctx context.Context, m *matched, lists []*live) error {
	var needs []cond.Need
	asks := false
	for _, l := range lists {
		if l.audience != nil {
			needs, asks = append(needs, l.audience.Needs()...), true
		}
	}
	facts := m.b.Facts()
	facts.Found = cond.Found{}
	var err error
	if asks {
		if facts.Member, err = m.b.Who(ctx); err != nil {
			return err
		}
	}
	if len(needs) > 0 {
		if facts.Found, err = sale.FoundOf(ctx, s.o.Ledger.Engine(), int64(m.b.Owner), needs); err != nil {
			return err
		}
	}
	fits := map[*live]bool{}
	for _, l := range lists {
		fits[l] = m.has(l) && l.hears(facts)
	}
	for i := range m.may {
		m.may[i] = slices.DeleteFunc(m.may[i], func(e entry) bool { return !fits[e.in] })
	}
	return nil
}

// has reports whether the owner has one of the tiers or plans that a list is for.
func (m *matched) has(l *live) bool {
	if len(l.Terms.Tiers)+len(l.Terms.Plans) == 0 {
		return true
	}
	return m.tier != nil && m.tier.Code != "" && slices.Contains(l.Terms.Tiers, m.tier.Code) || m.plan.Plan != "" && slices.Contains(l.Terms.Plans, m.plan.Plan)
}

// hears reports whether an audience holds. One that cannot be worked out does not.
func (l *live) hears(f *cond.Facts) bool {
	if l.audience == nil {
		return true
	}
	ok, err := l.audience.Eval(f)
	return ok && err == nil
}

// off is what an entry takes off a line: nothing where the line costs no more.
func (e entry) off(l discount.Line) int64 {
	if e.price == 0 {
		n, _ := money.MulDiv(l.Amount, e.percent, 10_000, money.HalfUp) // at most the amount
		return n
	}
	n, ok := money.MulDiv(e.price, l.Milli, 1000, money.HalfUp)
	if !ok {
		return 0 // past any amount
	}
	return max(0, l.Amount-n)
}

// best is the entry that takes most off a line; of equals that of the list that was made first. A
// zero entry is none.
func best(list []entry, l discount.Line) (e entry, off int64) {
	for _, x := range list {
		if n := x.off(l); n > off || n == off && n > 0 && x.in.ID < e.in.ID {
			e, off = x, n
		}
	}
	return e, off
}

// takes makes promos of what was matched.
func (m *matched) takes(lines []discount.Line) (out []Take) {
	byList := map[*live][]int64{}
	var order []*live
	for i, l := range lines {
		e, off := best(m.may[i], l)
		if off == 0 {
			continue
		}
		if byList[e.in] == nil {
			byList[e.in], order = make([]int64, len(lines)), append(order, e.in)
		}
		byList[e.in][i] = off
	}
	for _, l := range order {
		out = append(out, Take{KindPrice, l.Code, l.Terms.NameEN, l.Terms.NameZH, discount.Promo{
			Ref: KindPrice + ":" + l.Code, Stage: discount.StagePrice, Budget: -1, Effect: discount.Effect{Kind: discount.Set, ByLine: byList[l]},
		}})
	}
	if m.tier != nil && m.tier.Code != "" {
		g := m.tier.Benefits()
		out = append(out, standing(m.b, 0, Take{Kind: KindTier, Ref: m.tier.Code, NameEN: m.tier.NameEN, NameZH: m.tier.NameZH}, g.Discount, &g.Scope, g.FreeDelivery)...)
	}
	if m.plan.Plan != "" {
		g := m.plan.Benefits
		out = append(out, standing(m.b, 1, Take{Kind: KindPlan, Ref: m.plan.Plan, NameEN: m.plan.Name.EN, NameZH: m.plan.Name.ZH}, g.Discount, &g.Scope, g.FreeDelivery)...)
	}
	return out
}

// standing makes promos of what a tier or a plan gives: so many per cent, and free delivery.
func standing(b *sale.Basket, order int, t Take, percent int64, on *sale.Scope, delivery bool) (out []Take) {
	t.Promo = discount.Promo{Ref: t.Kind + ":" + t.Ref, Stage: discount.StageStanding, Order: order, Budget: -1}
	if percent > 0 {
		off := t
		off.Promo.Effect, off.Promo.Scope = discount.Effect{Kind: discount.Percent, Percent: percent * 100}, on.Of(b)
		out = append(out, off)
	}
	if delivery {
		t.Promo.Ref += ":delivery"
		t.Promo.Effect = discount.Effect{Kind: discount.FreeDelivery}
		out = append(out, t)
	}
	return out
}
