package sale

import (
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// Asked is one line that a caller wants to return.
type Asked struct {
	Line   int64
	SKU    string // for returns that name no sale
	Milli  int64
	Amount int64 // -1: in proportion to the quantity
}

// giveBack is the command that makes a return of a sale that is named: by its key, or by
// its document, in which case the sale may be yet to come.
type giveBack struct {
	doc   *Document // the return, as it will stand but for its number and what it moves
	sale  ledger.LotKey
	of    *Of     // instead of sale
	lines []Asked // nil: all that is left
	claim int64   // whose the caller says it is; 0 = not said
	steps []Step
	snap  *program.Snapshot
	reach Reach // of the caller
}

func (c *giveBack) key() ledger.Document {
	return ledger.Document{Kind: ledger.DocReturn, Source: c.doc.Source, Document: c.doc.Document}
}

func saleDocument(of *Of) ledger.Document {
	return ledger.Document{Kind: ledger.DocSale, Source: of.Source, Document: of.Document}
}

// Needs names the account under which the return will lie: the sale's, or while that is
// not known a stand-in.
func (c *giveBack) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.doc.Member}, Fresh: []ledger.RowKey{c.key().Need()}}
	if c.of != nil {
		n.Rows = append(n.Rows, saleDocument(c.of).Need())
	} else {
		n.Rows = append(n.Rows, rowKey(c.sale.Member, c.sale.Seq))
	}
	return n
}

func (c *giveBack) Decide(s *ledger.State) (any, error) {
	if was, seen := s.FindDoc(c.key()); seen {
		return againReturn(s, c.sent(), was, c.content(), func(first *Document) bool { return c.reach.covers(c.snap, first.Store) })
	}
	at := c.sale
	if c.of != nil {
		found, seen := s.FindDoc(saleDocument(c.of))
		if !seen || found.Kind == ledger.DocAwaited {
			return c.wait(s, found)
		}
		at = ledger.LotKey{Member: found.Member, Seq: found.Seq}
	}
	if err := s.Require(ledger.Needs{Members: []int64{at.Member}, Rows: []ledger.RowKey{rowKey(at.Member, at.Seq)}}); err != nil {
		return nil, err
	}
	sale := load(s, at.Member, at.Seq)
	switch {
	case sale == nil || !c.reach.covers(c.snap, sale.Store):
		return nil, ErrNotFound
	case sale.Kind != Purchase:
		return nil, ErrIsReturn
	case earlier(c.doc, sale):
		return nil, ErrEarlier
	}
	home, err := s.Account(at.Member)
	if err != nil {
		return nil, err
	}
	if err := c.checkClaim(s, sale); err != nil {
		return nil, err
	}
	d := c.numbered(s, home)
	d.AtMS = max(d.AtMS, sale.AtMS)
	lines, err := complete(sale, c.lines)
	if err != nil {
		return nil, err
	}
	a, err := takeBack(s, c.steps, sale, &d, lines)
	if err != nil {
		return nil, err
	}
	put(s, &d)
	s.PutDoc(c.key(), ledger.Doc{Kind: ledger.DocReturn, Member: d.Member, Seq: d.Seq, Content: c.content()})
	s.Event(home, "sale.returned", d.AtMS, returnBody(&d))
	return returnOf(s, a, &d), nil
}

// earlier says that a return came before its sale by more than clocks of tills differ. One
// within that bears the time of the sale: many tills tell no more than seconds.
func earlier(ret, sale *Document) bool {
	return ret.AtMS < sale.AtMS-MaxApart.Milliseconds()
}

// checkClaim refuses a return in the name of a member who does not own the sale.
func (c *giveBack) checkClaim(s *ledger.State, sale *Document) error {
	if c.claim == 0 || sale.Owner == 0 {
		return nil
	}
	a, err := ownerOf(s, sale)
	if err == nil && a.ID != c.claim {
		err = ErrOtherOwner
	}
	return err
}

// sent is the return as its sender wrote it, for a refusal that shows it.
func (c *giveBack) sent() *Document {
	d := *c.doc
	d.Body.Lines = sentLines(c.lines)
	return &d
}

func sentLines(asked []Asked) (out []Line) {
	for _, q := range asked {
		out = append(out, Line{Line: q.Line, SKU: q.SKU, Milli: q.Milli, Amount: q.Amount})
	}
	return out
}

// numbered is the return with its place under an account.
func (c *giveBack) numbered(s *ledger.State, home *ledger.Account) Document {
	d := *c.doc
	d.Member, d.Seq, d.PostedMS = home.ID, s.NextSale(home), s.NowMS
	return d
}

func (c *giveBack) content() [16]byte {
	return ledger.ContentHash(struct {
		Of    *Of
		Sale  ledger.LotKey
		AtMS  int64
		Lines []Asked
	}{c.of, c.sale, c.doc.AtMS, c.lines})
}

// complete turns what was asked into lines with quantity and money, and refuses what the
// sale does not have.
func complete(sale *Document, asked []Asked) ([]Line, error) {
	if len(asked) == 0 {
		for _, l := range sale.Body.Lines {
			if l.BackMilli < l.Milli {
				asked = append(asked, Asked{Line: l.Line, Milli: l.Milli - l.BackMilli, Amount: l.Amount - l.BackAmount})
			}
		}
		if len(asked) == 0 {
			return nil, ErrNothing
		}
	}
	var out []Line
	seen := map[int64]bool{}
	for _, q := range asked {
		l := sale.Body.line(q.Line)
		switch {
		case l == nil:
			return nil, ErrNoLine.With("line", q.Line)
		case seen[q.Line]:
			return nil, ErrLineTwice.With("line", q.Line)
		case q.Milli <= 0:
			return nil, ErrQuantity.With("line", q.Line)
		case q.Milli > l.Milli-l.BackMilli:
			return nil, ErrTooMuch.With("line", q.Line, "left", formatMilli(l.Milli-l.BackMilli))
		}
		seen[q.Line] = true
		amount := q.Amount
		if amount < 0 {
			amount = worth(l, q.Milli)
		}
		if left := l.Amount - l.BackAmount; amount > left {
			return nil, ErrTooMuch.With("line", q.Line, "left", left)
		}
		out = append(out, Line{Line: l.Line, SKU: l.SKU, Name: l.Name, Milli: q.Milli, Amount: amount})
	}
	return out, nil
}

// worth is the money of a part of what is left of a line. Parts of a line that is returned
// in proportion only are cut from the whole, so that their order makes no difference; of a
// line of which a caller named the money of a part, they are cut from what is left.
func worth(l *Line, milli int64) int64 {
	upTo := func(n int64) int64 {
		part, _ := money.MulDiv(l.Amount, n, l.Milli, money.HalfUp) // n ≤ l.Milli
		return part
	}
	if l.BackAmount == upTo(l.BackMilli) {
		return upTo(l.BackMilli+milli) - l.BackAmount
	}
	part, _ := money.MulDiv(l.Amount-l.BackAmount, milli, l.Milli-l.BackMilli, money.HalfUp)
	return part
}

// againReturn answers a return document that was seen before.
func againReturn(s *ledger.State, sent *Document, was ledger.Doc, content [16]byte, mayShow func(first *Document) bool) (any, error) {
	if err := s.Require(ledger.Needs{Members: []int64{was.Member}, Rows: []ledger.RowKey{rowKey(was.Member, was.Seq)}}); err != nil {
		return nil, err
	}
	first := load(s, was.Member, was.Seq)
	if was.Content != content {
		return nil, taken(sent, first, mayShow(first))
	}
	a, err := ownerOf(s, first)
	if err != nil {
		return nil, err
	}
	out := returnOf(s, a, first)
	out.repeated = true
	return out, nil
}

// takenOff is what a return took back of what one rule had given.
type takenOff struct {
	Rule   string `json:"rule"`
	Amount int64  `json:"amount"`
}

func returnBody(d *Document) string {
	out := struct {
		ID       string `json:"id"`
		Sale     string `json:"sale,omitempty"`
		Currency string `json:"currency,omitempty"` // of the sale; not known while it waits
		Total    int64  `json:"total"`
		Store    string `json:"store,omitempty"`
		Owner    string `json:"owner,omitempty"` // of the sale; nobody's has none
		State    string `json:"state"`
		Quiet    bool   `json:"quiet,omitempty"`

		Taken []takenOff `json:"taken,omitempty"` // by rule, of what the sale had earned
	}{ID: d.ID(), Currency: d.Currency, Total: d.Total, State: d.State.String(), Quiet: d.Flags&History != 0}
	for _, c := range d.Effect.Taken {
		out.Taken = append(out.Taken, takenOff{c.Rule, c.Amount})
	}
	if d.Store != 0 {
		out.Store = program.StoreID(d.Store)
	}
	if d.Owner != 0 {
		out.Owner = member.ID(d.Owner).String()
	}
	if d.OfSeq != 0 {
		out.Sale = id.Encode(idPrefix, d.OfMember, d.OfSeq)
	}
	return pack(out)
}
