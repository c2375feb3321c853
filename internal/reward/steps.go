package reward

import (
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
)

// act is what all commands about an order that is there have in common.
type act struct {
	home, seq int64 // the order
	owner     int64 // who asks about it; 0 for staff, who may ask about anybody's
	n         *snapshot
	shows     viewer
	secrets   *secrets
	sees      func(store int64) bool // of which stores the caller may see orders; nil for all
}

// Needs names the member under whom the order was made, and its row.
func (c *act) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.home}, Rows: []ledger.RowKey{orderRow(c.home, c.seq)}}
}

// opened is an order in hand.
type opened struct {
	home *ledger.Account // under whom it was made: who has its lots
	a    *ledger.Account // who has what home had
	o    *Order
	v    *version
	r    *Reward
}

func (c *act) open(s *ledger.State) (x opened, err error) {
	if x.o, err = load(s, c.home, c.seq); err != nil {
		return x, err
	}
	if x.home, err = s.Account(c.home); err != nil {
		return x, err
	}
	if x.a, err = survivor(s, x.home); err != nil {
		return x, err
	}
	if c.owner != 0 && c.owner != x.a.ID || c.sees != nil && !c.sees(x.o.Store) {
		return x, ErrNoOrder
	}
	x.r = c.n.rewards[x.o.Reward]
	if x.r != nil {
		x.v = c.n.terms[x.o.Reward][x.o.Version]
	}
	if x.v == nil {
		return x, ErrNotFound
	}
	return x, s.Require(x.counters())
}

// counters are the rows of what the order is counted in.
func (x *opened) counters() (n ledger.Needs) {
	for _, span := range x.o.Body.Spans {
		n.Rows = append(n.Rows, memberKey(x.home.ID, x.o.Reward, span).Row())
	}
	if x.o.Stocked != notStocked {
		n.Rows = append(n.Rows, stockRow(x.o.Reward, x.o.StockStore), stockKey(x.o.Reward, x.o.StockStore).Row())
	}
	return n
}

func (c *act) answer(s *ledger.State, x opened, repeated bool) (any, error) {
	return c.shows.answer(s, c.n, x.a, x.o, repeated)
}

// hold is the ledger's hold of the order. One that is open is there with the account's others;
// only one that is over has to be asked for.
func (x *opened) hold(s *ledger.State) (*ledger.Hold, error) {
	if h, err := s.FindHold(x.home, x.o.Body.Hold); err == nil {
		return h, nil
	}
	if err := s.Require(ledger.Needs{Holds: []ledger.LotKey{{Member: x.home.ID, Seq: x.o.Body.Hold}}}); err != nil {
		return nil, err
	}
	return s.FindHold(x.home, x.o.Body.Hold)
}

// payment is money that was taken for an order.
type payment struct {
	kind, reference string
	amount          int64
	currency        string
}

// pay is the command that takes the money for an order that is held, and at the till may hand
// it over at once.
type pay struct {
	act
	payment
	gift Gift
}

// Needs adds the hold that it ends.
func (c *pay) Needs() ledger.Needs {
	n := c.act.Needs()
	if c.gift != nil {
		n.Add(c.gift.Needs(c.home))
	}
	return n
}

// Decide captures the points and counts for good what was held.
func (c *pay) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if x.o.Step != Held && x.o.Step != Cancelled && x.o.Body.PaidMS != 0 && x.o.Money > 0 {
		if x.o.Body.PayKind == c.kind && x.o.Body.PayRef == c.reference && c.reference != "" {
			return c.answer(s, x, true)
		}
		return nil, ErrPaidOther
	}
	if err := take(s, c.n, x, c.payment, c.gift, c.secrets); err != nil {
		return nil, err
	}
	x.o.put(s)
	return c.answer(s, x, false)
}

// take makes a held order a paid one. It writes everything but the row of the order.
func take(s *ledger.State, n *snapshot, x opened, p payment, gift Gift, sec *secrets) error {
	switch {
	case x.o.Step != Held:
		return ErrStep.With("state", stepWords[x.o.Step])
	case x.o.over(s.NowMS):
		return ErrLate
	case p.amount != x.o.Money || p.currency != sec.money:
		return ErrMoney.With("money", shown(x.o.Money, sec.money)).At("body.payment")
	}
	h, err := x.hold(s)
	if err != nil {
		return err
	}
	cur := s.Config.Currencies[x.o.Currency]
	touches, err := s.Capture(x.home, cur, h, x.o.Points, posting(x.r, x.o))
	if err != nil {
		return err
	}
	x.o.spent(touches)
	for _, span := range x.o.Body.Spans {
		quota.Confirm(s, memberKey(x.home.ID, x.o.Reward, span), 1, 0, x.o.UntilMS)
	}
	if x.o.Stocked == stockHeld {
		quota.Confirm(s, stockKey(x.o.Reward, x.o.StockStore), 1, 0, x.o.UntilMS)
		x.o.Stocked = stockTaken
	}
	x.o.Body.PayKind, x.o.Body.PayRef = p.kind, p.reference
	return settle(s, n, x.a, x.o, x.v, gift, sec)
}

// handOver is the command by which a till gives out what was ordered.
type handOver struct {
	act
	store int64    // where; 0 where the caller did not say
	pays  *payment // that was taken in the same breath
	look  bool     // only to see what it is: money that is due is no obstacle
	gift  Gift
}

// Decide hands over what is paid.
func (c *handOver) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	if x.o.Body.Way != Pickup {
		return nil, ErrWay
	}
	if c.store != 0 && x.o.Store != 0 && c.store != x.o.Store {
		return nil, ErrElsewhere.With("store", c.secrets.store(x.o.Store))
	}
	if c.store != 0 && x.o.Store == 0 && !x.v.at(c.store) {
		return nil, ErrStore.At("body.store")
	}
	if x.o.Step == Held {
		if c.look && c.pays == nil && !x.o.over(s.NowMS) {
			return c.answer(s, x, false)
		}
		if c.pays == nil {
			return nil, ErrUnpaid.With("money", shown(x.o.Money, c.secrets.money))
		}
		if err := take(s, c.n, x, *c.pays, c.gift, c.secrets); err != nil {
			return nil, err
		}
	}
	switch {
	case x.o.Step != Paid && x.o.Step != Fulfilled:
		return nil, ErrStep.With("state", stepWords[x.o.Step])
	case x.o.over(s.NowMS):
		return nil, ErrLate
	}
	x.o.Step, x.o.UntilMS = Done, never
	x.o.note(s, "picked_up", c.store, "")
	c.n.tell(s, x.home, "reward.picked_up", x.o, "")
	x.o.put(s)
	return c.answer(s, x, false)
}

// fulfil is the command by which staff make an order ready, ship it, or say that it arrived.
type fulfil struct {
	act
	to                Step // Fulfilled or Done
	carrier, tracking string
}

// Decide moves the order on.
func (c *fulfil) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	ships := x.o.Body.Way == Ship
	switch {
	case x.o.Step == c.to && x.o.Carrier == c.carrier && x.o.Tracking == c.tracking || c.to == Done && x.o.Step == Done:
		return c.answer(s, x, true)
	case c.to == Done && !ships, c.to == Fulfilled && ships != (c.carrier != ""):
		return nil, ErrWay
	case c.to == Done && x.o.Step != Fulfilled, c.to == Fulfilled && x.o.Step != Paid && !(x.o.Step == Fulfilled && ships):
		return nil, ErrStep.With("state", stepWords[x.o.Step])
	case x.o.over(s.NowMS):
		return nil, ErrLate
	}
	step := "ready"
	switch {
	case c.to == Done:
		step = "delivered"
	case ships:
		step = "shipped"
		x.o.Carrier, x.o.Tracking = c.carrier, c.tracking
	}
	x.o.Step = c.to
	x.o.note(s, step, x.o.Store, "")
	c.n.tell(s, x.home, "reward."+step, x.o, "")
	x.o.put(s)
	return c.answer(s, x, false)
}

// cancel is the command that ends an order before it is in the member's hands.
type cancel struct {
	act
	reason string
}

// Decide gives back what the order took.
func (c *cancel) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	switch {
	case x.o.Step == Cancelled:
		return c.answer(s, x, true)
	case x.o.Step == Fulfilled && x.o.Body.Way == Ship, x.o.Step == Done, x.o.Step == Returned:
		return nil, ErrStep.With("state", stepWords[x.o.Step])
	case c.owner != 0 && x.o.Step == Fulfilled, c.owner != 0 && x.o.Step == Paid && x.o.Money > 0: // money goes back at the till only
		return nil, ErrYours
	}
	if err := undo(s, x, Cancelled, true, true); err != nil {
		return nil, err
	}
	x.o.note(s, "cancelled", 0, c.reason)
	c.n.tell(s, x.home, "reward.cancelled", x.o, "")
	x.o.put(s)
	return c.answer(s, x, false)
}

// giveBack is the command that takes back what a member had already.
type giveBack struct {
	act
	reason  string
	restock bool
	gifts   Vouchers // nil where there are none
}

// Decide gives back the points, and the goods to stock where they can be given out again.
func (c *giveBack) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil {
		return nil, err
	}
	switch {
	case x.o.Step == Returned:
		return c.answer(s, x, true)
	case x.v.terms.Kind.Digital() && !c.takes(x):
		return nil, ErrNoReturn
	case x.o.Step != Done && !(x.o.Step == Fulfilled && x.o.Body.Way == Ship):
		return nil, ErrStep.With("state", stepWords[x.o.Step])
	}
	var gift Taking
	if c.takes(x) && x.o.Gift != "" {
		gift = c.gifts.Back(x.o.Gift)
		if err := gift.Ready(s); err != nil {
			return nil, err
		}
	}
	if err := undo(s, x, Returned, true, c.restock); err != nil {
		return nil, err
	}
	if gift != nil {
		if err := gift.Decide(s, x.a); err != nil {
			return nil, err
		}
	}
	x.o.note(s, "returned", 0, c.reason)
	c.n.tell(s, x.home, "reward.returned", x.o, "")
	x.o.put(s)
	return c.answer(s, x, false)
}

// takes reports whether what was ordered is a coupon that can be taken back.
func (c *giveBack) takes(x opened) bool { return x.v.terms.Kind == Coupon && c.gifts != nil }

// undo gives back what an order took: points to the lots that they came from, stock, and the
// place that it has in the limits of the member. It does all of it or, with Again, nothing.
func undo(s *ledger.State, x opened, to Step, points, restock bool) error {
	o := x.o
	held := o.Step == Held
	var need ledger.Needs
	if !held && points {
		for _, l := range o.Body.Lots {
			need.LotSeqs = append(need.LotSeqs, ledger.LotKey{Member: x.home.ID, Seq: l.Lot})
		}
	}
	if err := s.Require(need); err != nil {
		return err
	}
	if held {
		h, err := x.hold(s)
		if err != nil {
			return err
		}
		if h.State == ledger.HoldOpen {
			if err := s.Release(x.home, h); err != nil {
				return err
			}
		}
	} else if points && len(o.Body.Lots) > 0 {
		cur, p := s.Config.Currencies[o.Currency], posting(x.r, o)
		var touches []ledger.Touch
		for _, l := range o.Body.Lots {
			touches = append(touches, ledger.Touch{Lot: l.Lot, Amount: l.N})
		}
		s.GiveBack(x.home, cur, touches, p)
		s.Forward(x.home, cur, p)
		o.Body.Lots = nil
	}
	o.uncount(s, x.home.ID, held, restock)
	o.Step, o.UntilMS = to, never
	return nil
}

// uncount takes an order off what it was counted in.
func (o *Order) uncount(s *ledger.State, member int64, held, restock bool) {
	back := func(k quota.Key) {
		if held {
			quota.Free(s, k, 1, 0, o.UntilMS)
		} else {
			quota.Return(s, k, 1, 0)
		}
	}
	for _, span := range o.Body.Spans {
		back(memberKey(member, o.Reward, span))
	}
	o.Body.Spans = nil
	if o.Stocked != notStocked && restock {
		back(stockKey(o.Reward, o.StockStore))
		o.Stocked = notStocked
	}
}

// lapse is the command of the sweep: it writes down that the time of an order is over.
type lapse struct{ act }

// Decide cancels what was not paid, or not picked up.
func (c *lapse) Decide(s *ledger.State) (any, error) {
	x, err := c.open(s)
	if err != nil || !x.o.over(s.NowMS) {
		return nil, err
	}
	why, points := "unpaid", true
	if x.o.Step != Held {
		why, points = "not_picked_up", x.v.terms.Lapse != LapseKeep
		x.o.Body.Kept = !points
	}
	x.o.Body.Lapsed = true
	if err := undo(s, x, Cancelled, points, true); err != nil {
		return nil, err
	}
	x.o.note(s, why, 0, "")
	c.n.tell(s, x.home, "reward.lapsed", x.o, why)
	x.o.put(s)
	return struct{}{}, nil
}

// dayStart is the first instant of a day of the programme.
func dayStart(s *ledger.State, day int64) int64 {
	return program.Day(day).Start(s.Config.Zone).UnixMilli()
}
