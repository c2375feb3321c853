package plan

import (
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// Kinds of document of this package; numbers are on disk.
const (
	DocPayment = ledger.DocPlanPayment
	DocGift    = ledger.DocPlanGift
)

// pay records a payment: it begins a membership, or adds a period to the one that runs.
type pay struct {
	base
	plan      *Plan // of the request; nil for the one that runs
	amount    int64
	currency  string
	method    string
	reference string
	reason    string
	charge    int64
}

func (c pay) doc() (d ledger.Document, known bool) {
	if c.reference == "" {
		return d, false
	}
	return ledger.Document{Kind: DocPayment, Source: c.method, Document: c.reference}, true
}

// Needs adds the natural key.
func (c pay) Needs() ledger.Needs {
	n := c.base.Needs()
	if d, known := c.doc(); known {
		n.Rows = append(n.Rows, d.Need())
	}
	return n
}

// Decide records the payment, once for each reference.
func (c pay) Decide(s *ledger.State) (any, error) {
	a, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	d, known := c.doc()
	content := ledger.ContentHash([]any{c.amount, c.currency})
	if known {
		if was, seen := s.FindDoc(d); seen {
			return c.again(s, a, m, today, was, content)
		}
	}
	p, err := c.which(m, today)
	if err != nil {
		return nil, err
	}
	price := p.Terms.Price
	if c.currency != price.Currency || c.amount != price.Amount && c.reason == "" {
		return nil, ErrAmount.With("price", show(price)).At("body.amount")
	}
	fresh := *m
	if !m.On(today).Runs() {
		fresh.begin(p, today, 0)
	}
	gifts := p.Terms.RenewalGifts
	kind := "plan.renewed"
	if fresh.Paid == 0 {
		gifts, kind = p.Terms.StartGifts, "plan.started"
	}
	if err := s.Require(giftNeeds(&fresh, gifts)); err != nil {
		return nil, err
	}
	*m = fresh
	t := c.period(s, m, p, today)
	t.Gifts = give(s, a, m, &t, p, gifts)
	t.put(s)
	m.put(s, c.book.next(m, today))
	if known {
		s.PutDoc(d, ledger.Doc{Kind: DocPayment, Member: a.ID, Seq: t.Seq, Content: content})
	}
	c.book.tell(s, a, kind, m, told{Until: m.Until.String(), Amount: t.Amount, Currency: t.Currency})
	out := c.book.answer(s, a, m, today)
	out.Payment, out.created = c.book.payment(&t), true
	return out, nil
}

// which says for which plan a payment is, or refuses it.
func (c pay) which(m *Membership, today program.Day) (*Plan, error) {
	if !m.On(today).Runs() {
		switch {
		case c.plan == nil:
			return nil, ErrNone.At("body.plan")
		case !c.plan.OnSale(today):
			return nil, ErrNotOnSale.At("body.plan")
		}
		return c.plan, nil
	}
	p := c.book.byID[m.Plan]
	switch {
	case c.plan != nil && c.plan.ID != m.Plan:
		return nil, ErrOther.With("plan", c.book.nameOf(m.Plan)).At("body.plan")
	case p == nil || p.State == Ended:
		return nil, ErrNotRenewed
	case !m.payable(p.Terms.Every, today):
		return nil, ErrAhead.With("until", m.Until, "from", p.Terms.Every.After(m.Anchor, m.Paid-1))
	}
	return p, nil
}

// period adds a period to m.
func (c pay) period(s *ledger.State, m *Membership, p *Plan, today program.Day) Period {
	from := m.Until
	m.Paid++
	m.Periods++
	m.Until, m.Grace, m.Cancelled = p.Terms.Every.After(m.Anchor, m.Paid), int64(p.Terms.GraceDays), false
	if c.charge != 0 {
		m.Auto = true
	}
	return Period{
		Member: m.Member, Seq: m.Periods, N: m.N, K: m.Paid, Plan: p.ID, Version: p.Version, From: from, Until: m.Until, Amount: c.amount, Currency: c.currency,
		Method: c.method, Reference: c.reference, Reason: c.reason, Charge: c.charge, PaidMS: s.NowMS, PaidDay: today,
	}
}

// again answers a payment that was recorded before.
func (c pay) again(s *ledger.State, a *ledger.Account, m *Membership, today program.Day, was ledger.Doc, content [16]byte) (any, error) {
	if was.Content != content {
		return nil, ErrPaid
	}
	// Who was merged since is found through the account that took the payment.
	for home := was.Member; home != a.ID; {
		if err := s.Require(ledger.Needs{Members: []int64{home}}); err != nil {
			return nil, err
		}
		first, err := s.Account(home)
		if err != nil {
			return nil, err
		}
		if first.MergedInto == 0 {
			return nil, ErrPaid
		}
		home = first.MergedInto
	}
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{periodKey(was.Member, was.Seq)}}); err != nil {
		return nil, err
	}
	t := periodOf(s.Row(periodTable, periodKey(was.Member, was.Seq).Key...))
	out := c.book.answer(s, a, m, today)
	out.Payment, out.repeated, out.created = c.book.payment(&t), true, true
	return out, nil
}

// giftNeeds are the natural keys of the gifts of the period that comes next.
func giftNeeds(m *Membership, gifts []Gift) (n ledger.Needs) {
	for _, g := range gifts {
		n.Rows = append(n.Rows, giftDoc(m, m.Paid+1, g.Currency).Need())
	}
	return n
}

// give posts the gifts of a period. A currency that is not in use any more, or a member who
// may not earn, is no reason to refuse money: such a gift is left out.
func give(s *ledger.State, a *ledger.Account, m *Membership, t *Period, p *Plan, gifts []Gift) (given []Given) {
	for _, g := range gifts {
		doc := giftDoc(m, t.K, g.Currency)
		cur, err := s.Config.Currency(g.Currency)
		if _, seen := s.FindDoc(doc); seen || err != nil || !a.MayEarn {
			continue
		}
		grant := ledger.Grant{
			Posting: ledger.Posting{Source: doc.Source, Document: doc.Document, Rule: "plan:" + p.Code},
			Kind:    ledger.Earn, Currency: cur, Amount: g.Amount, Unlimited: true,
		}
		if cur.Kind == ledger.Stored {
			grant.Bucket = ledger.Bonus
		}
		got, err := s.Grant(a, grant)
		if err != nil || got.Lot == nil { // the wallet is full
			continue
		}
		s.PutDoc(doc, ledger.Doc{Kind: DocGift, Member: a.ID, Seq: got.Lot.Seq, Content: ledger.ContentHash(g)})
		given = append(given, Given{Currency: g.Currency, Amount: got.Lot.Granted, Lot: got.Lot.Seq})
	}
	return given
}

// refund ends a membership and gives back what was paid for days that have not begun.
type refund struct {
	base
	amount    *int64 // instead of the share; nil for the share
	method    string
	reference string
	reason    string
}

// Decide refunds. What was refunded before is not refunded again.
func (c refund) Decide(s *ledger.State) (any, error) {
	a, m, today, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if m.N == 0 || m.Periods == 0 || m.Paid == 0 {
		return nil, ErrNoRefund
	}
	// At most one period is paid ahead, so that two rows are all that a refund can reach.
	var ask ledger.Needs
	for seq := m.Periods; seq > 0 && seq > m.Periods-2; seq-- {
		ask.Rows = append(ask.Rows, periodKey(m.Member, seq))
	}
	if err := s.Require(ask); err != nil {
		return nil, err
	}
	day := today
	if m.Ended != 0 && m.Ended < day {
		day = m.Ended
	}
	parts, most, total := c.parts(s, m, ask.Rows, day)
	want := total
	if c.amount != nil {
		want = *c.amount
	}
	if len(parts) > 0 && want > most {
		return nil, ErrTooMuch.With("most", show(money.Money{Amount: most, Currency: parts[0].Currency})).At("body.amount")
	}
	if want <= 0 {
		return nil, ErrNoRefund
	}
	if err := s.Require(clawNeeds(a.ID, parts)); err != nil {
		return nil, err
	}
	return c.settle(s, a, m, parts, want, today)
}

// part is a period of which something is refunded.
type part struct {
	Period
	share       int64 // of the amount, by days, less what was refunded
	unused, all int64
}

// parts are the periods of the membership that reach behind a day, the last one first, the
// most that can be given back of them, and what their unused days are worth.
func (c refund) parts(s *ledger.State, m *Membership, keys []ledger.RowKey, day program.Day) (parts []part, most, total int64) {
	for _, k := range keys {
		v := s.Row(k.Table, k.Key...)
		if v == nil {
			continue
		}
		p := part{Period: periodOf(v)}
		if p.N != m.N || p.Until <= day {
			continue
		}
		share, unused, all := Share(p.Amount, p.From, p.Until, day)
		p.share, p.unused, p.all = max(share-p.Refunded, 0), unused, all
		most += p.Amount - p.Refunded
		total += p.share
		parts = append(parts, p)
	}
	return parts, most, total
}

// clawNeeds are what taking gifts back needs.
func clawNeeds(member int64, parts []part) (n ledger.Needs) {
	for _, p := range parts {
		for _, g := range p.Gifts {
			n.LotSeqs = append(n.LotSeqs, ledger.LotKey{Member: member, Seq: g.Lot})
			n.Heads = append(n.Heads, ledger.Head{Member: member, Currency: g.Currency})
		}
	}
	return n
}

// settle writes the refund into the periods, takes gifts back in the same proportion and ends
// the membership.
func (c refund) settle(s *ledger.State, a *ledger.Account, m *Membership, parts []part, want int64, today program.Day) (any, error) {
	view := RefundView{Currency: parts[0].Currency, Amount: want, Method: c.method, Gifts: []PointsView{}}
	left := want
	for i, p := range parts {
		n := p.share
		if c.amount != nil || i == len(parts)-1 { // the rest: what was asked for may differ from the shares
			n = min(left, p.Amount-p.Refunded)
		}
		n = min(n, left)
		left -= n
		if n == 0 {
			continue
		}
		p.Refunded += n
		p.RefundMS, p.RefundDay, p.RefundMethod, p.RefundReference, p.RefundReason = s.NowMS, today, c.method, c.reference, c.reason
		view.Unused += p.unused
		for j := range p.Gifts {
			took, err := claw(s, a, &p.Gifts[j], p.unused, p.all)
			if err != nil {
				return nil, err
			}
			if took > 0 {
				view.Gifts = append(view.Gifts, PointsView{p.Gifts[j].Currency, took})
			}
		}
		p.put(s)
	}
	if m.Ended == 0 {
		c.book.end(s, a, m, today, Refunded)
	}
	m.Why = Refunded
	m.put(s, 0)
	c.book.tell(s, a, "plan.refunded", m, told{Amount: want, Currency: view.Currency})
	out := c.book.answer(s, a, m, today)
	out.Refund = &view
	return out, nil
}

// claw takes back of a gift what fell on days that were not used, rounded down. A currency
// that is gone, or a lot that moved with a merge, is left.
func claw(s *ledger.State, a *ledger.Account, g *Given, unused, all int64) (int64, error) {
	share, _ := money.MulDiv(g.Amount, unused, all, money.Floor) // no more than the amount
	cur := s.Config.ByCode[g.Currency]
	if share -= g.Took; share <= 0 || cur == nil || s.Lot(a, g.Lot) == nil {
		return 0, nil
	}
	got, err := s.Clawback(a, cur, []ledger.Take{{Member: a.ID, Lot: g.Lot, Amount: share}}, ledger.Posting{Source: "plan"})
	if err != nil {
		return 0, err
	}
	g.Took += got.Total()
	return got.Total(), nil
}

// show writes money for a refusal.
func show(m money.Money) string {
	decimals, err := money.Decimals(m.Currency)
	if err != nil {
		return fmt.Sprint(m.Amount, " ", m.Currency)
	}
	unit := int64(1)
	for range decimals {
		unit *= 10
	}
	if unit == 1 {
		return fmt.Sprint(m.Amount, " ", m.Currency)
	}
	return fmt.Sprintf("%d.%0*d %s", m.Amount/unit, decimals, m.Amount%unit, m.Currency)
}
