package ledger

import (
	"net/http"

	"github.com/patron-loyalty/patron/internal/program"
)

// EarnCommand gives a member points for a reason that is no sale. Where it bears a
// document, that document has this effect once and for ever.
type EarnCommand struct {
	Member           int64
	Currency         string // code
	Amount           int64
	Opening          bool // a balance brought along from another system
	Source, Document string
	Reason           string
	Store, Issuer    int64
	EarnedMS         int64 // 0 = now
	ActiveMS         int64 // 0 = by the currency's policy
	ExpiresMS        int64 // 0 = by the currency's policy
}

func (c EarnCommand) document() Document {
	d := Document{DocEarning, c.Source, c.Document}
	if c.Opening {
		d.Kind = DocOpening
	}
	return d
}

func (c EarnCommand) terms() terms {
	return terms{Currency: c.Currency, Amount: c.Amount, ActiveMS: c.ActiveMS, EndMS: c.ExpiresMS}
}

// Needs is part of Command.
func (c EarnCommand) Needs() Needs { return c.document().need(Needs{Members: []int64{c.Member}}) }

// Decide answers with a *Posted. Where a limit leaves no room at all it refuses: a
// document must not be used up by nothing.
func (c EarnCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.Member)
	if err != nil {
		return nil, err
	}
	if p, err := s.seen(a, c.document(), c.terms()); p != nil || err != nil {
		return p, err
	}
	cur, err := s.Config.Currency(c.Currency)
	if err != nil {
		return nil, err
	}
	if !a.MayEarn {
		return nil, ErrMayNotEarn
	}
	g, err := s.Grant(a, c.grant(cur))
	if err != nil {
		return nil, err
	}
	if g.Lot == nil {
		return nil, s.checkRoom(cur, s.wallet(a, cur.ID), "earn", c.EarnedMS, 1)
	}
	s.settledBy(a, c.document(), g.Lot.Seq, c.terms())
	s.tell(a, "points.earned", cur, g.Lot.Granted, g.Lot.Seq)
	p, err := s.posted(a, a.ID, g.Lot.Seq)
	if err != nil {
		return nil, err
	}
	p.Cut = g.Cut
	return p, nil
}

func (c EarnCommand) grant(cur *Currency) Grant {
	g := Grant{
		Posting: Posting{AtMS: c.EarnedMS, Source: c.Source, Document: c.Document, Reason: c.Reason, Store: c.Store},
		Kind:    Earn, Currency: cur, Amount: c.Amount, Issuer: c.Issuer, ActiveMS: c.ActiveMS, ExpiresMS: c.ExpiresMS,
	}
	if c.Opening {
		g.Kind, g.Unlimited = Opening, true
	}
	if cur.Kind == Stored { // nobody has paid it in
		g.Bucket = Bonus
	}
	return g
}

// SpendCommand uses points up.
type SpendCommand struct {
	Member           int64
	Currency         string
	Amount           int64
	Source, Document string
	Reason           string
	Store            int64
}

func (c SpendCommand) document() Document { return Document{DocSpending, c.Source, c.Document} }

// Needs is part of Command.
func (c SpendCommand) Needs() Needs {
	return c.document().need(Needs{Members: []int64{c.Member}, Heads: []Head{{Member: c.Member, Currency: c.Currency}}})
}

// Decide answers with a *Posted that names the lots it took.
func (c SpendCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.Member)
	if err != nil {
		return nil, err
	}
	sent := terms{Currency: c.Currency, Amount: c.Amount}
	if p, err := s.seen(a, c.document(), sent); p != nil || err != nil {
		return p, err
	}
	cur, err := s.Config.Currency(c.Currency)
	if err != nil {
		return nil, err
	}
	if _, err := s.Spend(a, cur, c.Amount, Posting{Source: c.Source, Document: c.Document, Reason: c.Reason, Store: c.Store}); err != nil {
		return nil, err
	}
	s.settledBy(a, c.document(), a.EntryN, sent)
	s.tell(a, "points.spent", cur, c.Amount, a.EntryN)
	return s.posted(a, a.ID, a.EntryN)
}

// topUpCommand takes stored value that was paid in, and the bonus that the shop gives.
type topUpCommand struct {
	member           int64
	currency         string
	principal, bonus int64
	steps            bool // the bonus is what the currency's steps say
	source, document string
	reason           string
	store, issuer    int64
}

func (c topUpCommand) doc() Document { return Document{DocTopUp, c.source, c.document} }

func (c topUpCommand) Needs() Needs { return c.doc().need(Needs{Members: []int64{c.member}}) }

func (c topUpCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.member)
	if err != nil {
		return nil, err
	}
	sent := terms{Currency: c.currency, Amount: c.principal, Bonus: c.bonus}
	if p, err := s.seen(a, c.doc(), sent); p != nil || err != nil {
		return p, err
	}
	cur, err := s.Config.Currency(c.currency)
	switch {
	case err != nil:
		return nil, err
	case cur.Kind != Stored:
		return nil, ErrNotStored.With("currency", cur.Code)
	case !a.MayEarn:
		return nil, ErrMayNotEarn
	}
	if c.steps { // not among the terms: a retry gets the first answer, whatever the steps say by then
		c.bonus = cur.Policy.topUpBonus(c.principal, program.Day(s.Day(s.NowMS)))
	}
	g := Grant{
		Posting: Posting{Source: c.source, Document: c.document, Reason: c.reason, Store: c.store},
		Kind:    TopUp, Currency: cur, Amount: c.principal, Issuer: c.issuer, Unlimited: true,
	}
	paid, err := s.Grant(a, g)
	if err != nil {
		return nil, err
	}
	if c.bonus > 0 {
		g.Amount, g.Bucket, g.Cause = c.bonus, Bonus, Cause{ByEntry, a.ID, paid.Lot.Seq}
		if _, err := s.Grant(a, g); err != nil {
			return nil, err
		}
	}
	s.settledBy(a, c.doc(), paid.Lot.Seq, sent)
	s.tell(a, "points.topped_up", cur, c.principal+c.bonus, paid.Lot.Seq)
	p, err := s.posted(a, a.ID, paid.Lot.Seq)
	if err != nil {
		return nil, err
	}
	return p, s.addBonus(p, a.ID, paid.Lot.Seq)
}

// addBonus adds the bonus lot of a top-up to the answer that tells of its principal, entry
// seq of a member. The entry of the bonus is the next, or the one after where the principal
// repaid a debt.
func (s *State) addBonus(p *Posted, home, seq int64) error {
	for next := seq + 1; next <= seq+2; next++ {
		e, err := s.entryAt(home, next)
		if err != nil {
			return err
		}
		if e == nil || e.Kind != TopUp || e.Cause != (Cause{ByEntry, home, seq}) {
			continue
		}
		uses, err := s.lotUses(e)
		if err != nil {
			return err
		}
		p.Lots, p.Amount = append(p.Lots, uses...), p.Amount+e.Net()
		return nil
	}
	return nil
}

// transferCommand gives points of one member to another.
type transferCommand struct {
	from, to int64
	currency string
	amount   int64
	reason   string
}

func (c transferCommand) Needs() Needs {
	return Needs{Members: []int64{c.from, c.to}, Heads: []Head{{Member: c.from, Currency: c.currency}}}
}

// Decide tells the sender how they stand; what the receiver has is not theirs to know.
func (c transferCommand) Decide(s *State) (any, error) {
	if c.from == c.to {
		return nil, ErrSelf
	}
	from, err := s.owner(c.from)
	if err != nil {
		return nil, err
	}
	to, err := s.owner(c.to)
	if err != nil {
		return nil, err
	}
	cur, err := s.Config.Currency(c.currency)
	if err != nil {
		return nil, err
	}
	fee, err := s.checkTransfer(from, to, cur, c.amount)
	if err != nil {
		return nil, err
	}
	out, err := s.Transfer(from, to, cur, c.amount, Posting{Reason: c.reason})
	if err != nil {
		return nil, err
	}
	s.tellAs(from, "points.sent", movedBody{Currency: cur.Code, Amount: c.amount, Entry: EntryID(from.ID, out.Seq), Other: memberID(to.ID)})
	s.tellAs(to, "points.received", movedBody{Currency: cur.Code, Amount: c.amount, Other: memberID(from.ID)})
	p, err := s.posted(from, from.ID, out.Seq)
	if err != nil {
		return nil, err
	}
	p.Fee = fee
	return p, nil
}

// Adjustment is the answer to an adjustment: posted, or waiting for a second person.
type Adjustment struct {
	State    string           `json:"state" enum:"posted,waiting" doc:"waiting: nothing has moved; a second person has to agree."`
	Approval string           `json:"approval_id,omitempty" doc:"What the second person decides on; where it waits."`
	ID       string           `json:"id,omitempty" doc:"The ledger entry; once it is posted."`
	Member   string           `json:"member_id" doc:"Whose balance."`
	Currency string           `json:"currency" doc:"Code of the point currency."`
	Amount   int64            `json:"amount" doc:"Signed, in the smallest unit."`
	Lots     []LotUse         `json:"lots,omitempty" doc:"The lot that was made, or the lots that were taken from, in the order of use."`
	Balances map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`
}

// Status is 202 for an adjustment that waits.
func (a *Adjustment) Status() int {
	if a.State == "waiting" {
		return http.StatusAccepted
	}
	return http.StatusCreated
}

// adjustCommand corrects a balance. One that is larger than the currency lets one person
// decide becomes an Approval instead.
type adjustCommand struct {
	member        int64
	currency      string
	amount        int64 // signed
	reason        string
	store, issuer int64
	approval      int64 // the number that an approval gets, should it need one
}

func (c adjustCommand) Needs() Needs {
	n := Needs{Members: []int64{c.member}}
	if c.amount < 0 {
		n.Heads = []Head{{Member: c.member, Currency: c.currency}}
	}
	return n
}

func (c adjustCommand) Decide(s *State) (any, error) {
	a, err := s.owner(c.member)
	if err != nil {
		return nil, err
	}
	cur, err := s.Config.Currency(c.currency)
	switch {
	case err != nil:
		return nil, err
	case c.amount == 0 || c.amount > MaxPoints || c.amount < -MaxPoints:
		return nil, ErrAmount.At("body.amount")
	}
	if most := cur.Policy.ApproveAbove; most > 0 && abs(c.amount) > most {
		return c.ask(s, a, cur), nil
	}
	p, err := s.adjust(a, cur, c.amount, c.issuer, Posting{Reason: c.reason, Store: c.store})
	if err != nil {
		return nil, err
	}
	return &Adjustment{State: "posted", ID: p.ID, Member: p.Member, Currency: p.Currency, Amount: c.amount, Lots: p.Lots, Balances: p.Balances}, nil
}

// adjust posts a correction and tells of it.
func (s *State) adjust(a *Account, c *Currency, amount, issuer int64, p Posting) (*Posted, error) {
	seq := a.EntryN + 1 // the adjustment is the first entry of what follows
	if amount > 0 {
		if _, err := s.Grant(a, Grant{Posting: p, Kind: Adjust, Currency: c, Amount: amount, Issuer: issuer, Unlimited: true}); err != nil {
			return nil, err
		}
	} else if _, _, err := s.Adjust(a, c, amount, p); err != nil {
		return nil, err
	}
	s.tell(a, "points.adjusted", c, amount, seq)
	out, err := s.posted(a, a.ID, seq)
	if err != nil {
		return nil, err
	}
	out.Amount = amount
	return out, nil
}
