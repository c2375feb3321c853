package draw

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

// epoch is one epoch with its secrets, as plays need it.
type epoch struct {
	N       int64
	FromMS  int64
	UntilMS int64 // inclusive
	Hash    string
	seed    []byte
	key     []byte // of the marks
}

// play is the command that plays a draw once.
type play struct {
	member int64
	game   *Game    // its terms of Version
	span   [2]int64 // in which instants it can be played, both inclusive
	epochs []epoch  // that are open, in order
	nonce  string
	pickup string          // the code that a thing would be picked up by
	pay    *int64          // what the member has agreed to pay; nil for whatever it costs
	gifts  map[string]Gift // of prizes that are coupons, by code of the prize
	store  int64
}

// stockKey counts a prize of a draw. Codes are fixed, so a prize that is taken out and put in
// again has not come back.
func stockKey(draw int64, prize string) quota.Key {
	sum := sha256.Sum256([]byte(prize))
	return quota.Key{Kind: quota.DrawPrize, ID: draw, Part: int64(binary.BigEndian.Uint64(sum[:8]) >> 1)}
}

// budgetKey counts what the prizes of a draw are worth. No prize has the part 0.
func budgetKey(draw int64) quota.Key { return quota.Key{Kind: quota.DrawPrize, ID: draw} }

// Needs names the member with the lots that pay, the draw, and what counts its prizes.
func (c *play) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{stateRow(c.game.ID), memberRow(c.member), budgetKey(c.game.ID).Row()}}
	for i := range c.game.Terms.Prizes {
		p := &c.game.Terms.Prizes[i]
		n.Rows = append(n.Rows, stockKey(c.game.ID, p.Code).Row())
		if g := c.gifts[p.Code]; g != nil {
			n.Add(g.Needs(c.member))
		}
	}
	if price := c.game.Terms.Price; price.Amount > 0 {
		n.Heads = append(n.Heads, ledger.Head{Member: c.member, Currency: price.Currency})
	}
	return n
}

// left says what is left of prizes, in the batch.
func (c *play) left(s *ledger.State) left {
	return func(p *Prize) (bool, string) {
		if l := quota.Left(s, stockKey(c.game.ID, p.Code), quota.Limit{N: p.Stock}); l.N == 0 {
			return false, whyStock
		}
		if l := quota.Left(s, budgetKey(c.game.ID), quota.Limit{Amount: c.game.Terms.Budget}); l.Amount >= 0 && l.Amount < p.worth() {
			return false, whyBudget
		}
		return true, ""
	}
}

// Decide plays: it answers with a *Played.
func (c *play) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	st := stateOf(s, c.game.ID)
	if st == nil || st.Version != c.game.Version {
		return nil, ErrBusy
	}
	if !st.Live || s.NowMS < c.span[0] || s.NowMS > c.span[1] {
		return nil, ErrNotLive
	}
	if !a.MayEarn {
		return nil, ledger.ErrMayNotEarn
	}
	e := c.epoch(s.NowMS, st.Epoch)
	if e == nil {
		return nil, ErrBusy
	}
	if e.N != st.Epoch {
		st.Epoch, st.PlayN, st.Body.Link = e.N, 0, ""
	}
	b := bookOf(s, a.ID)
	x := b[c.game.ID]
	paid, err := c.charge(s, a, &x)
	if err != nil {
		return nil, err
	}
	p := c.draw(s, a, st, e, &x)
	if paid > 0 {
		p.Body.Paid, p.Body.PaidIn = paid, c.game.Terms.Price.Currency
		st.Body.Paid[p.Body.PaidIn] += paid
	} else {
		st.Body.Free++
	}
	if err := c.give(s, a, st, p); err != nil {
		return nil, err
	}
	b[c.game.ID] = x
	b.put(s, a.ID)
	p.put(s)
	c.turn(s, st)
	st.put(s)
	c.tell(s, a, p)
	return c.answer(s, a, p), nil
}

// epoch is the one that a play at an instant belongs to: never one before that of the last play,
// whatever the clocks of nodes say.
func (c *play) epoch(nowMS, last int64) *epoch {
	for i := range c.epochs {
		e := &c.epochs[i]
		if e.N >= last && (nowMS <= e.UntilMS) {
			if nowMS < e.FromMS && e.N > last {
				return nil
			}
			return e
		}
	}
	return nil
}

// charge counts the play against what the member may, and takes the price.
func (c *play) charge(s *ledger.State, a *ledger.Account, x *stand) (paid int64, err error) {
	t, day := &c.game.Terms, int64(s.Day(s.NowMS))
	today := x.on(day)
	switch {
	case t.PerMember > 0 && x.Plays >= t.PerMember:
		return 0, ErrOften
	case t.PerDay > 0 && today >= t.PerDay:
		return 0, ErrToday
	}
	if today >= t.Free {
		if paid = t.Price.Amount; paid == 0 {
			return 0, ErrToday
		}
	}
	if c.pay != nil && *c.pay != paid {
		return 0, ErrPaying
	}
	if paid > 0 {
		cur, err := s.Config.Currency(t.Price.Currency)
		if err != nil {
			return 0, err
		}
		if _, err := s.Spend(a, cur, paid, ledger.Posting{Rule: ruleName, Reason: c.game.Code, Store: c.store}); err != nil {
			return 0, err
		}
	}
	x.Plays, x.Day, x.Today = x.Plays+1, day, today+1
	return paid, nil
}

// ruleName is what entries of draws say that gave or took them.
const ruleName = "draw"

// draw works out the outcome, and writes its line.
func (c *play) draw(s *ledger.State, a *ledger.Account, st *state, e *epoch, x *stand) *Play {
	t := &st.Body.Table
	k := x.in(e.N) + 1
	l := Line{N: st.PlayN + 1, Mark: markOf(e.key, a.ID), K: k, Nonce: c.nonce, Dry: x.Dry, Table: t.Number}
	l.Number = Draw(e.seed, c.game.PublicID(), e.N, l.Mark, l.K, l.Nonce)
	var sure bool
	l.Prize, sure = t.Prize(l.Number, l.Dry)
	before := st.Body.Link
	if before == "" {
		before = e.Hash
	}
	l.Link = l.link(before, st.Body.Hash)
	s.Put(lineTable, c.game.ID, e.N, l.N, pack(l))
	st.PlayN, st.Body.Link, st.Body.Plays = l.N, l.Link, st.Body.Plays+1
	if !x.Seen {
		st.Body.Members++
	}
	x.Seen, x.Epoch, x.K, x.Dry = true, e.N, k, 0
	if l.Prize == "" {
		x.Dry = l.Dry + 1
	}
	return &Play{
		Member: a.ID, Seq: a.EventN + 1, Draw: c.game.ID, Epoch: e.N, AtMS: s.NowMS, Prize: l.Prize,
		Body: playBody{Line: l, Guaranteed: sure},
	}
}

// give takes the prize from stock and budget and hands it to the member. The table in force had
// it only while there was one.
func (c *play) give(s *ledger.State, a *ledger.Account, st *state, p *Play) error {
	if p.Prize == "" {
		return nil
	}
	prize := c.game.Terms.prize(p.Prize)
	if prize == nil {
		panic("draw: a table has a prize that its terms do not have")
	}
	if err := quota.Take(s, stockKey(c.game.ID, prize.Code), quota.Limit{N: prize.Stock}, 1, 0); err != nil {
		panic("draw: a table has a prize that is out of stock: " + err.Error())
	}
	if err := quota.Take(s, budgetKey(c.game.ID), quota.Limit{Amount: c.game.Terms.Budget}, 1, prize.worth()); err != nil {
		panic("draw: a table has a prize beyond the budget: " + err.Error())
	}
	st.Body.Given[prize.Code]++
	st.Body.Worth += prize.worth()
	if p.Body.Guaranteed {
		st.Body.Sure++
	}
	p.Body.Kind, p.Body.NameEN, p.Body.NameZH = prize.Kind, prize.NameEN, prize.NameZH
	err := c.hand(s, a, prize, p)
	if err != nil && errs.As(err) == nil {
		return err // Again, or a defect
	}
	if err != nil { // it was drawn, so it is won: the counter sees to it
		p.Code, p.Body.Owed = c.pickup, true
		st.Body.Owed++
	}
	return nil
}

// hand gives what can be given at once, and a code for what cannot. A refusal has changed
// nothing.
func (c *play) hand(s *ledger.State, a *ledger.Account, prize *Prize, p *Play) error {
	switch prize.Kind {
	case Points:
		cur, err := s.Config.Currency(prize.Currency)
		if err != nil {
			return err
		}
		p.Body.Currency, p.Body.Amount = cur.Code, prize.Amount
		_, err = s.Grant(a, ledger.Grant{
			Posting: ledger.Posting{Rule: ruleName, Reason: c.game.Code, Store: c.store}, Kind: ledger.Earn, Currency: cur, Amount: prize.Amount, Unlimited: true,
		})
		return err
	case Coupon:
		g := c.gifts[prize.Code]
		if g == nil {
			return errNoGift
		}
		code, err := g.Decide(s, a)
		p.Body.Coupon = code
		return err
	}
	p.Code = c.pickup
	return nil
}

// errNoGift is why a coupon is owed that could not be prepared.
var errNoGift = errs.New(errs.Conflict, "draw.no_gift", "The coupon cannot be given now.", "优惠券暂时无法发放。")

// turn brings the next table into force where the play has used something up.
func (c *play) turn(s *ledger.State, st *state) {
	t, changed := st.Body.Table.next(&c.game.Terms, c.left(s), st.Epoch, st.PlayN+1, s.NowMS, "")
	if !changed {
		return
	}
	st.enact(t, c.game.PublicID())
	s.Put(oddsTable, c.game.ID, t.Number, t.Epoch, t.From, pack(t))
}

func (st *state) enact(t Table, draw string) {
	st.Body.Table, st.Body.Hash, st.TableN = t, t.Hash(draw), t.Number
}

// tell adds the event.
func (c *play) tell(s *ledger.State, a *ledger.Account, p *Play) {
	body := map[string]any{"draw": c.game.PublicID(), "code": c.game.Code, "play": p.ID(), "epoch": p.Epoch, "number": p.Body.Line.N}
	if p.Prize != "" {
		body["prize"], body["kind"] = p.Prize, p.Body.Kind
		body["name_en"], body["name_zh"] = p.Body.NameEN, p.Body.NameZH
	}
	for k, v := range map[string]any{"currency": p.Body.Currency, "paid_in": p.Body.PaidIn} {
		if v != "" {
			body[k] = v
		}
	}
	if p.Body.Amount > 0 {
		body["amount"] = p.Body.Amount
	}
	if p.Body.Paid > 0 {
		body["paid"] = p.Body.Paid
	}
	s.Event(a, "draw.played", s.NowMS, string(pack(body)))
}

// handOut is the command that marks a prize as handed out at the counter.
type handOut struct {
	member, seq int64
	code        string
	by          string
}

// Needs names the member and the play.
func (c *handOut) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{playRow(c.member, c.seq)}}
}

// Decide hands out once. The play stays with the record that won it, also when that was merged.
func (c *handOut) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	v := s.Row(playTable, shardOf(c.member), c.member, c.seq)
	if v == nil {
		return nil, ErrNoPrize
	}
	p := unpackPlay(v)
	if p.Code == "" || p.Code != c.code {
		return nil, ErrNoPrize
	}
	if p.Handed != 0 {
		return p, ErrHanded.With("at", timeOf(p.Handed).In(s.Config.Zone).Format("2006-01-02 15:04"))
	}
	p.Handed, p.Body.By = s.NowMS, c.by
	p.put(s)
	s.Event(a, "draw.handed_out", s.NowMS, string(pack(map[string]any{
		"play": p.ID(), "prize": p.Prize, "name_en": p.Body.NameEN, "name_zh": p.Body.NameZH,
	})))
	return p, nil
}
