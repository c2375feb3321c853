package sale

import (
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// unnamed is the command for a return that names no sale, as cancelled invoices of other
// systems do: each line is looked for in the member's latest sales, newest first, by sku.
// Lines that match nothing are parked for a person; the rest takes effect.
type unnamed struct {
	doc   *Document // Member is the owner
	lines []Asked
	steps []Step
	snap  *program.Snapshot
	reach Reach // of the caller
}

func (c *unnamed) key() ledger.Document {
	return ledger.Document{Kind: ledger.DocReturn, Source: c.doc.Source, Document: c.doc.Document}
}

func (c *unnamed) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.doc.Member}, Fresh: []ledger.RowKey{c.key().Need()}}
}

func (c *unnamed) content() [16]byte {
	return ledger.ContentHash(struct {
		AtMS  int64
		Lines []Asked
	}{c.doc.AtMS, c.lines})
}

func (c *unnamed) Decide(s *ledger.State) (any, error) {
	if was, seen := s.FindDoc(c.key()); seen {
		sent := *c.doc
		sent.Body.Lines = sentLines(c.lines)
		return againReturn(s, &sent, was, c.content(), func(first *Document) bool { return c.reach.covers(c.snap, first.Store) })
	}
	home, err := s.Account(c.doc.Member)
	if err != nil {
		return nil, err
	}
	if home.MergedInto != 0 {
		return nil, &ledger.Moved{From: home.ID, To: home.MergedInto}
	}
	sales, err := c.candidates(s, home)
	if err != nil {
		return nil, err
	}
	var n ledger.Needs // of all sales together: one round for each would be too many
	for _, sale := range sales {
		n.Add(touchedLots(s, home, sale))
	}
	if err := s.Require(n); err != nil {
		return nil, err
	}
	d := *c.doc
	d.Seq, d.PostedMS, d.State = s.NextSale(home), s.NowMS, Posted
	d.Body.Lines = nil
	var parked []Line
	d.OfMember, d.OfSeq = 0, 0
	for _, q := range c.lines {
		found := match(sales, q)
		if found == nil {
			parked = append(parked, Line{Line: q.Line, SKU: q.SKU, Milli: q.Milli, Amount: q.Amount, Parked: "no_sale"})
			continue
		}
		for _, f := range found {
			n := len(d.Body.Lines)
			if _, err := takeBack(s, c.steps, f.sale, &d, []Line{f.line}); err != nil {
				return nil, err
			}
			d.Body.Lines[n].OfSeq = f.sale.Seq
		}
	}
	for _, l := range d.Body.Lines {
		if l.OfSeq != d.OfSeq {
			d.OfMember, d.OfSeq = 0, 0 // of several: each line says of which
		}
	}
	if len(parked) > 0 {
		d.State = Parked
		d.Body.Lines = append(d.Body.Lines, parked...)
	}
	put(s, &d)
	s.PutDoc(c.key(), ledger.Doc{Kind: ledger.DocReturn, Member: d.Member, Seq: d.Seq, Content: c.content()})
	kind := "sale.returned"
	if len(parked) == len(c.lines) {
		kind = "sale.return_parked"
	}
	s.Event(home, kind, d.AtMS, returnBody(&d))
	return returnOf(s, home, &d), nil
}

// candidates are the member's latest sales up to the time of the return, newest first,
// that have one of its skus left.
func (c *unnamed) candidates(s *ledger.State, home *ledger.Account) ([]*Document, error) {
	if IsStandIn(home.ID) {
		return nil, nil
	}
	from := max(1, home.SaleN-maxUnmatched+1)
	var n ledger.Needs
	for seq := from; seq <= home.SaleN; seq++ {
		n.Rows = append(n.Rows, rowKey(home.ID, seq))
	}
	if err := s.Require(n); err != nil {
		return nil, err
	}
	var out []*Document
	for seq := home.SaleN; seq >= from; seq-- {
		if d := load(s, home.ID, seq); d.Kind == Purchase && d.AtMS <= c.doc.AtMS && c.reach.covers(c.snap, d.Store) && c.wants(d) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (c *unnamed) wants(d *Document) bool {
	for _, q := range c.lines {
		for _, l := range d.Body.Lines {
			if l.SKU == q.SKU && l.BackMilli < l.Milli {
				return true
			}
		}
	}
	return false
}

// matched is a part of an asked line with the sale that it is of.
type matched struct {
	sale *Document
	line Line
}

// match shares an asked line out over sales, or gives nil where they have too little.
func match(sales []*Document, q Asked) []matched {
	var out []matched
	left, amount := q.Milli, q.Amount
	for _, sale := range sales {
		for i := range sale.Body.Lines {
			l := &sale.Body.Lines[i]
			n := min(left, l.Milli-l.BackMilli)
			if l.SKU != q.SKU || n <= 0 {
				continue
			}
			part := worth(l, n)
			if amount >= 0 {
				part, _ = money.MulDiv(amount, n, left, money.HalfUp)
				amount -= part
			}
			out = append(out, matched{sale, Line{Line: l.Line, SKU: l.SKU, Name: l.Name, Milli: n, Amount: min(part, l.Amount-l.BackAmount)}})
			left -= n
			if left == 0 {
				return out
			}
		}
	}
	return nil
}
