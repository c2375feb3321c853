package reward

import (
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// place is the command that orders a reward for a member.
type place struct {
	member  int64
	n       *snapshot
	v       *version
	price   price
	points  int64 // of it, as the slider stands
	money   int64
	way     Way
	store   int64
	address []byte // sealed
	gift    Gift   // of kind coupon, where it is given at once
	doc     ledger.Document
	shows   viewer
	secrets *secrets
}

// keyed reports whether the caller gave the order a natural key.
func (c *place) keyed() bool { return c.doc.Source != "" }

// Needs names the member, what they pay with, the stock, and what is counted.
func (c *place) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}, Heads: []ledger.Head{{Member: c.member, Currency: c.price.Currency}}, Rows: []ledger.RowKey{memberRow(c.member)}}
	if c.keyed() {
		n.Rows = append(n.Rows, c.doc.Need())
	}
	n.Add(c.stock())
	if c.gift != nil {
		n.Add(c.gift.Needs(c.member))
	}
	return n
}

func (c *place) stock() (n ledger.Needs) {
	if store, counted := c.v.stocked(c.store); counted {
		n.Rows = append(n.Rows, stockRow(c.v.reward.ID, store), stockKey(c.v.reward.ID, store).Row())
	}
	return n
}

// Decide sets everything aside, or takes it where nothing is left to pay.
func (c *place) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	if c.keyed() {
		if was, seen := s.FindDoc(c.doc); seen {
			return c.again(s, a, was)
		}
	}
	r := c.v.reward
	if r.State != Live || !within(c.v.seen, s.NowMS) || !within(c.v.open, s.NowMS) {
		return nil, ErrNotLive
	}
	if !within(c.price.open, s.NowMS) {
		return nil, ErrPrice
	}
	cur, err := s.Config.Currency(c.price.Currency)
	if err != nil {
		return nil, err
	}
	bounds := c.v.bounds(s, a.ID)
	var need ledger.Needs
	keys := make([]quota.Key, len(bounds))
	for i, b := range bounds {
		keys[i], need.Rows = b.key, append(need.Rows, b.key.Row())
	}
	if err := s.Require(need); err != nil {
		return nil, err
	}
	if err := quota.Related(s, keys...); err != nil {
		return nil, err
	}
	o := c.order(s, a, cur)
	if err := c.count(s, o, bounds); err != nil {
		return nil, err
	}
	p := c.posting(o)
	if c.money > 0 {
		h, err := s.Hold(a, cur, c.points, o.UntilMS, "reward:"+r.Code, p)
		if err != nil {
			return nil, err
		}
		o.Body.Hold = h.Seq
		o.note(s, "held", c.store, "")
		c.n.tell(s, a, "reward.ordered", o, "")
	} else {
		touches, err := s.Spend(a, cur, c.points, p)
		if err != nil {
			return nil, err
		}
		o.spent(touches)
		if err := settle(s, c.n, a, o, c.v, c.gift, c.secrets); err != nil {
			return nil, err
		}
	}
	o.put(s)
	s.Put(memberTable, shardOf(a.ID), a.ID, o.Seq)
	if c.keyed() {
		s.PutDoc(c.doc, ledger.Doc{Kind: ledger.DocReward, Member: a.ID, Seq: o.Seq, Content: c.content()})
	}
	out, err := c.shows.answer(s, c.n, a, o, false)
	if err != nil {
		return nil, err
	}
	out.created = true
	return out, nil
}

// order is the new row.
func (c *place) order(s *ledger.State, a *ledger.Account, cur *ledger.Currency) *Order {
	o := &Order{
		Member: a.ID, Seq: 1, Reward: c.v.reward.ID, Version: c.v.n, Step: Held, Store: c.store, Currency: cur.ID, Points: c.points, Money: c.money,
		UntilMS: never, MadeMS: s.NowMS, address: c.address, Body: orderBody{Way: c.way},
	}
	if row := s.Row(memberTable, shardOf(a.ID), a.ID); row != nil {
		o.Seq = row[2].(int64) + 1
	}
	if c.way == Pickup {
		_, o.pickup = c.secrets.pickup(o.Member, o.Seq)
	}
	return o
}

// count counts the order for stock and for the limits of the member: for good, or until the
// hold ends.
func (c *place) count(s *ledger.State, o *Order, bounds []bound) error {
	until := s.NowMS + c.v.terms.HoldMinutes*60_000
	take := func(k quota.Key, l quota.Limit) (err error) {
		if c.money == 0 {
			return quota.Take(s, k, l, 1, 0)
		}
		o.UntilMS, err = quota.Hold(s, k, l, 1, 0, until)
		return err
	}
	if c.money > 0 {
		o.UntilMS = (until + 9_999) / 10_000 * 10_000 // as counters round it
	}
	for _, b := range bounds {
		if err := take(b.key, b.limit); err != nil {
			return spent(err, ErrLimit)
		}
		o.Body.Spans = append(o.Body.Spans, b.key.Span)
	}
	store, counted := c.v.stocked(c.store)
	if !counted {
		return nil
	}
	n, row := supply(s, o.Reward, store)
	if n == 0 { // to a counter, 0 is no limit
		return ErrSoldOut
	}
	key, limit := stockKey(o.Reward, store), quota.Limit{N: n}
	if err := take(key, limit); err != nil {
		return spent(err, ErrSoldOut)
	}
	o.StockStore, o.Stocked = store, stockTaken
	if c.money > 0 {
		o.Stocked = stockHeld
	}
	if quota.Left(s, key, limit).N == 0 && row[4].(int64) == 0 {
		s.Put(stockTable, row[0], row[1], row[2], row[3], int64(1), row[5])
	}
	return nil
}

func (c *place) posting(o *Order) ledger.Posting { return posting(c.v.reward, o) }

// posting is how entries name an order.
func posting(r *Reward, o *Order) ledger.Posting {
	p := ledger.Posting{Source: "reward", Document: o.PublicID(), Store: o.Store}
	if r != nil {
		p.Rule = "reward:" + r.Code
	}
	return p
}

// content is what two requests with one natural key must have in common.
func (c *place) content() [16]byte {
	return ledger.ContentHash([]any{c.v.reward.ID, c.points, string(c.way), c.store})
}

// again answers an order that was made before under the same natural key.
func (c *place) again(s *ledger.State, a *ledger.Account, was ledger.Doc) (any, error) {
	if was.Content != c.content() {
		return nil, ErrDocument
	}
	if err := s.Require(ledger.Needs{Members: []int64{was.Member}, Rows: []ledger.RowKey{orderRow(was.Member, was.Seq)}}); err != nil {
		return nil, err
	}
	home, err := s.Account(was.Member)
	if err != nil {
		return nil, err
	}
	now, err := survivor(s, home)
	if err != nil {
		return nil, err
	}
	if now.ID != a.ID {
		return nil, ErrDocument
	}
	o, err := load(s, was.Member, was.Seq)
	if err != nil {
		return nil, err
	}
	return c.shows.answer(s, c.n, a, o, true)
}

// survivor follows merges to the account that has what home had.
func survivor(s *ledger.State, home *ledger.Account) (*ledger.Account, error) {
	a := home
	for range maxMerges {
		if a.MergedInto == 0 {
			return a, nil
		}
		if err := s.Require(ledger.Needs{Members: []int64{a.MergedInto}}); err != nil {
			return nil, err
		}
		next, err := s.Account(a.MergedInto)
		if err != nil {
			return nil, err
		}
		a = next
	}
	return nil, ledger.ErrMember
}

// spent notes which lots the order took points of.
func (o *Order) spent(touches []ledger.Touch) {
	for _, t := range touches {
		o.Body.Lots = append(o.Body.Lots, lotUse{t.Lot, -t.Amount})
	}
}

// settle is what happens when an order is paid: what is digital is done at once. It writes
// everything but the row of the order.
func settle(s *ledger.State, n *snapshot, a *ledger.Account, o *Order, v *version, gift Gift, x *secrets) error {
	o.Step, o.UntilMS, o.Body.PaidMS = Paid, never, s.NowMS
	switch v.terms.Kind {
	case CodeK:
		if err := drawCode(s, o); err != nil {
			return err
		}
	case Coupon:
		if gift == nil {
			return ErrCoupon
		}
		code, err := gift.Decide(s, a)
		if err != nil {
			return err
		}
		o.Gift = code
	}
	o.note(s, "paid", o.Store, "")
	n.tell(s, a, "reward.paid", o, "")
	switch {
	case v.terms.Kind.Digital():
		o.Step = Done
		o.note(s, "done", 0, "")
		n.tell(s, a, "reward.done", o, "")
	case o.Body.Way == Pickup && v.terms.PickupDays > 0:
		day, _, _ := periods(s, s.NowMS)
		o.UntilMS = dayStart(s, day+v.terms.PickupDays+1)
	}
	return nil
}

// drawCode hands the next code of the pool to an order. Its stock row was asked for, and is locked:
// nobody draws beside.
func drawCode(s *ledger.State, o *Order) error {
	row := s.Row(stockTable, o.Reward, int64(0))
	if row == nil {
		return ErrSoldOut
	}
	n := row[3].(int64) + 1
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{codeRow(o.Reward, n)}}); err != nil {
		return err
	}
	code := s.Row(codeTable, o.Reward, n)
	if code == nil || code[4].(int64) != 0 {
		return ErrSoldOut
	}
	o.Body.Code = n
	s.Put(codeTable, code[0], code[1], code[2], code[3], o.Member, o.Seq, s.NowMS)
	s.Put(stockTable, row[0], row[1], row[2], n, row[4], row[5])
	return nil
}
