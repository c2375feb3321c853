package sale

import (
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// record is the command that makes a sale.
type record struct {
	doc     *Document // as it will stand, but for its number
	sent    [16]byte  // content of what was sent
	plan    *plan     // what it does for its owner
	steps   []Step
	explain bool
	holds   []ledger.LotKey   // that pay for it
	snap    *program.Snapshot // for what the caller, and senders of returns that wait, may see
	reach   Reach             // of the caller
}

func (c *record) key() ledger.Document {
	return ledger.Document{Kind: ledger.DocSale, Source: c.doc.Source, Document: c.doc.Document}
}

// Needs names the account under which the sale will lie, and its document.
func (c *record) Needs() ledger.Needs {
	n := ledger.Needs{Members: []int64{c.doc.Member}, Fresh: []ledger.RowKey{c.key().Need()}}
	if len(c.holds) > 0 {
		n.Holds = c.holds
	}
	return c.plan.needs(c.doc.Owner, n)
}

// Decide records the sale, gives what it earns, captures the holds that pay for it, and
// lets returns that came before it take effect.
func (c *record) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.doc.Member)
	if err != nil {
		return nil, err
	}
	if a.MergedInto != 0 {
		return nil, &ledger.Moved{From: a.ID, To: a.MergedInto}
	}
	was, seen := s.FindDoc(c.key())
	if seen && was.Kind != ledger.DocAwaited {
		return c.again(s, was)
	}
	if c.plan.refused != nil {
		return nil, c.plan.refused
	}
	var waiting []*Document
	if seen {
		if waiting, err = waitingFor(s, was); err != nil {
			return nil, err
		}
	}
	d := *c.doc
	d.Body.Lines = append([]Line(nil), c.doc.Body.Lines...)
	d.Seq, d.PostedMS = s.NextSale(a), s.NowMS
	outcome := &Outcome{Doc: &d, Trace: c.plan.trace}
	if c.plan.priced != nil {
		if err := c.plan.priced.Decide(s, a, outcome); err != nil {
			return nil, err
		}
	}
	if d.Owner != 0 {
		told := outcome.Notices
		if outcome, err = c.plan.apply(s, a, &d); err != nil {
			return nil, err
		}
		outcome.Notices = append(told, outcome.Notices...)
	}
	if err := c.pay(s, a, &d); err != nil {
		return nil, err
	}
	put(s, &d)
	s.PutDoc(c.key(), ledger.Doc{Kind: ledger.DocSale, Member: d.Member, Seq: d.Seq, Content: c.sent})
	s.Event(a, "sale.recorded", d.AtMS, eventBody(s, &d, assigned{}))
	for _, w := range waiting {
		if err := late(s, c.steps, c.snap, &d, w); err != nil {
			return nil, err
		}
	}
	out := answerOf(s, a, &d)
	out.Notices = outcome.Notices
	if c.explain {
		out.Trace = outcome.Trace
	}
	return out, nil
}

// again answers a document that was seen before: the first sale, if it says the same.
func (c *record) again(s *ledger.State, was ledger.Doc) (any, error) {
	if !s.Has(saleTable, int64(id.Shard(was.Member)), was.Member, was.Seq) {
		return nil, &ledger.Again{Needs: ledger.Needs{Rows: []ledger.RowKey{rowKey(was.Member, was.Seq)}}}
	}
	first := load(s, was.Member, was.Seq)
	a, err := ownerOf(s, first)
	if err != nil {
		return nil, err
	}
	same := IsStandIn(first.Member) && c.doc.Owner == 0 || c.doc.Owner == a.ID
	if was.Content != c.sent || !same {
		return nil, taken(c.doc, first, c.reach.covers(c.snap, first.Store))
	}
	if err := s.Require(earnedLots(first)); err != nil {
		return nil, err
	}
	out := answerOf(s, a, first)
	out.repeated = true
	return out, nil
}

// earnedLots is what has to be there for the answer to a sale.
func earnedLots(d *Document) (n ledger.Needs) {
	for _, e := range d.Effect.Earned {
		n.Members = append(n.Members, e.Member)
		n.LotSeqs = append(n.LotSeqs, ledger.LotKey{Member: e.Member, Seq: e.Lot})
	}
	return n
}

// taken refuses a document whose number stands for other content. Who may not see the
// first one is not shown it.
func taken(sent, first *Document, mayShow bool) error {
	recorded := "…"
	if mayShow {
		recorded = first.summary()
	}
	return ErrTaken.With("document", sent.Document, "source", sent.Source, "recorded", recorded, "sent", sent.summary())
}

// pay captures the holds that the payments name.
func (c *record) pay(s *ledger.State, a *ledger.Account, d *Document) error {
	for _, k := range c.holds {
		if k.Member != a.ID {
			return ErrHoldOwner
		}
		h, err := s.FindHold(a, k.Seq)
		if err != nil {
			return err
		}
		cur := s.Config.Currencies[h.Currency]
		used, err := s.Capture(a, cur, h, h.Amount, ledger.Posting{AtMS: s.NowMS, Store: d.Store, Cause: ledger.Cause{Kind: ledger.BySale, Member: d.Member, Seq: d.Seq}})
		if err != nil {
			return err
		}
		sp := Spent{Currency: h.Currency, Member: a.ID, Amount: h.Amount}
		for _, t := range used { // a list of its own: used is the entry's
			sp.Lots = append(sp.Lots, ledger.Touch{Lot: t.Lot, Amount: -t.Amount})
		}
		d.Effect.Spent = append(d.Effect.Spent, sp)
	}
	return nil
}

// shownLines is how many lines a summary tells of; the rest is counted.
const shownLines = 5

// summary is a document in one line, for a refusal that shows two: all in which they can
// differ.
func (d *Document) summary() string {
	parts := []string{iso(d.AtMS)}
	if d.Kind == Purchase {
		parts = append(parts, fmt.Sprint(d.Currency, " ", d.Total))
	}
	if d.Owner != 0 {
		parts = append(parts, member.ID(d.Owner).String())
	}
	for _, l := range d.Body.Lines[:min(len(d.Body.Lines), shownLines)] {
		text := fmt.Sprint("#", l.Line, " ", l.SKU, " × ", formatMilli(l.Milli))
		if l.Amount >= 0 {
			text += fmt.Sprint(" = ", l.Amount)
		}
		parts = append(parts, text)
	}
	if more := len(d.Body.Lines) - shownLines; more > 0 {
		parts = append(parts, fmt.Sprint("+", more))
	}
	return strings.Join(parts, ", ")
}

// assigned is what sale.assigned tells beyond what the sale told when it was recorded, so
// that whoever counts can move it from nobody's to somebody's.
type assigned struct {
	SoldMS  int64          `json:"sold_ms,omitempty"` // when it was made
	Returns []assignedBack `json:"returns,omitempty"` // that went with it
}

type assignedBack struct {
	AtMS  int64 `json:"at_ms"`
	Total int64 `json:"total"`
}

func eventBody(s *ledger.State, d *Document, more assigned) string {
	type earned struct {
		LotID    string `json:"lot_id"`
		Currency string `json:"currency"`
		Amount   int64  `json:"amount"`
		Rule     string `json:"rule"`
	}
	out := make([]earned, 0, len(d.Effect.Earned))
	for _, e := range d.Effect.Earned {
		out = append(out, earned{ledger.LotID(e.Member, e.Lot), s.Config.Currencies[e.Currency].Code, e.Amount, e.Rule})
	}
	return pack(struct {
		ID       string   `json:"id"`
		Currency string   `json:"currency"`
		Total    int64    `json:"total"`
		Store    string   `json:"store"`
		Lines    int      `json:"lines"`
		Earned   []earned `json:"earned,omitempty"`
		Quiet    bool     `json:"quiet,omitempty"` // from the past: nobody is told
		assigned
	}{d.ID(), d.Currency, d.Total, program.StoreID(d.Store), len(d.Body.Lines), out, d.Flags&History != 0, more})
}
