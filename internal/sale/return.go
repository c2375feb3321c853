package sale

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
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
	n := ledger.Needs{Members: []int64{c.doc.Member}, Rows: []ledger.RowKey{c.key().Need()}}
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
	case c.doc.AtMS < sale.AtMS:
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
	lines, err := complete(sale, c.lines)
	if err != nil {
		return nil, err
	}
	a, err := takeBack(s, sale, &d, lines)
	if err != nil {
		return nil, err
	}
	put(s, &d)
	s.PutDoc(c.key(), ledger.Doc{Kind: ledger.DocReturn, Member: d.Member, Seq: d.Seq, Content: c.content()})
	s.Event(home, "sale.returned", d.AtMS, returnBody(&d))
	return returnOf(s, a, &d), nil
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

// wait keeps a return whose sale has not come. The place of the sale's document is taken
// by a pointer here, so that the sale cannot miss it; the latest return that waits for a
// sale knows those before it.
func (c *giveBack) wait(s *ledger.State, first ledger.Doc) (any, error) {
	member := c.doc.Member
	if first.Kind == ledger.DocAwaited {
		member = first.Member
	}
	if err := s.Require(ledger.Needs{Members: []int64{member}}); err != nil {
		return nil, err
	}
	home, err := s.Account(member)
	if err != nil {
		return nil, err
	}
	queue, err := queueOf(s, first)
	if err != nil {
		return nil, err
	}
	if len(queue) == maxWaiting {
		return nil, ErrWaiting.With("most", maxWaiting)
	}
	d := c.numbered(s, home)
	d.State, d.NextSeq, d.Body.Queue, d.Body.Of, d.Owner = Waiting, first.Seq, queue, c.of, c.claim
	d.Body.Lines = sentLines(c.lines)
	if reach := c.reach; len(reach.Merchants)+len(reach.Stores) > 0 {
		d.Body.Reach = &reach
	}
	put(s, &d)
	s.PutDoc(c.key(), ledger.Doc{Kind: ledger.DocReturn, Member: d.Member, Seq: d.Seq, Content: c.content()})
	s.PutDoc(saleDocument(c.of), ledger.Doc{Kind: ledger.DocAwaited, Member: d.Member, Seq: d.Seq})
	s.Event(home, "sale.return_waiting", d.AtMS, returnBody(&d))
	return returnOf(s, home, &d), nil
}

// queueOf lists the numbers of the returns that wait for a sale, the first to come first.
// The latest knows all before it, so that they are found at once, however many.
func queueOf(s *ledger.State, awaited ledger.Doc) ([]int64, error) {
	if awaited.Kind != ledger.DocAwaited {
		return nil, nil
	}
	if err := s.Require(ledger.Needs{Members: []int64{awaited.Member}, Rows: []ledger.RowKey{rowKey(awaited.Member, awaited.Seq)}}); err != nil {
		return nil, err
	}
	before := load(s, awaited.Member, awaited.Seq).Body.Queue
	return append(slices.Clone(before), awaited.Seq), nil
}

// waitingFor returns the returns that wait for a sale, the first to come first.
func waitingFor(s *ledger.State, awaited ledger.Doc) ([]*Document, error) {
	queue, err := queueOf(s, awaited)
	if err != nil {
		return nil, err
	}
	var n ledger.Needs
	for _, seq := range queue {
		n.Rows = append(n.Rows, rowKey(awaited.Member, seq))
	}
	if err := s.Require(n); err != nil {
		return nil, err
	}
	out := make([]*Document, len(queue))
	var claimed ledger.Needs
	for i, seq := range queue {
		out[i] = load(s, awaited.Member, seq)
		if owner := out[i].Owner; owner != 0 {
			claimed.Members = append(claimed.Members, owner)
		}
	}
	return out, s.Require(claimed)
}

// late lets a return take effect that came before its sale. One that does not fit the sale
// is parked for a person: the sale stands whatever the return says.
func late(s *ledger.State, snap *program.Snapshot, sale, w *Document) error {
	home, err := s.Account(w.Member)
	if err != nil {
		return err
	}
	var asked []Asked
	for _, l := range w.Body.Lines {
		asked = append(asked, Asked{Line: l.Line, Milli: l.Milli, Amount: l.Amount})
	}
	w.OfMember, w.OfSeq, w.NextSeq, w.State, w.Body.Queue = sale.Member, sale.Seq, 0, Posted, nil
	lines, err := complete(sale, asked)
	if err == nil {
		err = fits(s, snap, sale, w)
	}
	if e := errs.As(err); e == nil && err != nil {
		return err
	} else if e != nil {
		w.park(e.Code)
		put(s, w)
		s.Event(home, "sale.return_parked", w.AtMS, returnBody(w))
		return nil
	}
	w.Body.Lines, w.Body.Reach = nil, nil
	if _, err := takeBack(s, sale, w, lines); err != nil {
		return err
	}
	put(s, w)
	s.Event(home, "sale.returned", w.AtMS, returnBody(w))
	return nil
}

// fits refuses a return that waited for a sale of another store or member, or of a later
// time.
func fits(s *ledger.State, snap *program.Snapshot, sale, w *Document) error {
	switch {
	case !w.Body.Reach.covers(snap, sale.Store):
		return ErrNotFound
	case w.AtMS < sale.AtMS:
		return ErrEarlier
	case w.Owner == 0 || sale.Owner == 0:
		return nil
	}
	claimed, err := ownerOf(s, w)
	if err != nil {
		return err
	}
	owner, err := ownerOf(s, sale)
	if err == nil && owner.ID != claimed.ID {
		err = ErrOtherOwner
	}
	return err
}

// park keeps a return for a person to look at, with the reason in every line.
func (d *Document) park(code string) {
	d.State = Parked
	for i := range d.Body.Lines {
		d.Body.Lines[i].Parked = code
	}
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

// ownerOf returns the account that has what a sale earned: of its owner, or of whom the
// owner was merged into since; of the stand-in where nobody owns it.
func ownerOf(s *ledger.State, sale *Document) (*ledger.Account, error) {
	owner := sale.Owner
	if owner == 0 {
		owner = sale.Member
	}
	for range maxMerges {
		if err := s.Require(ledger.Needs{Members: []int64{owner}}); err != nil {
			return nil, err
		}
		a, err := s.Account(owner)
		if err != nil || a.MergedInto == 0 {
			return a, err
		}
		owner = a.MergedInto
	}
	return nil, ledger.ErrMember
}

// maxMerges bounds a chain of merges.
const maxMerges = 8

// takeBack makes the lines of a return take effect: on the sale, on what it earned, and on
// the points that paid for it. It changes the sale's row and the return in hand.
func takeBack(s *ledger.State, sale, ret *Document, lines []Line) (*ledger.Account, error) {
	a, err := ownerOf(s, sale)
	if err != nil {
		return nil, err
	}
	if err := requireLots(s, a, sale); err != nil {
		return nil, err
	}
	for _, l := range lines {
		of := sale.Body.line(l.Line)
		of.BackMilli, of.BackAmount = of.BackMilli+l.Milli, of.BackAmount+l.Amount
		ret.Total += l.Amount
		ret.Body.Lines = append(ret.Body.Lines, l)
	}
	if ret.OfSeq == 0 && ret.State == Posted {
		ret.OfMember, ret.OfSeq = sale.Member, sale.Seq
	}
	ret.Owner, ret.Store, ret.Currency = sale.Owner, sale.Store, sale.Currency
	if sale.Owner == 0 && ret.Member == sale.Member {
		sale.Body.Returns = append(sale.Body.Returns, ret.Seq) // they go with it to whom it is assigned
	}
	p := ledger.Posting{AtMS: ret.AtMS, Cause: ledger.Cause{Kind: ledger.ByReturn, Member: ret.Member, Seq: ret.Seq}, Store: sale.Store}
	claw(s, a, sale, ret, p)
	if err := restore(s, a, sale, ret, p); err != nil {
		return nil, err
	}
	put(s, sale)
	return a, nil
}

// requireLots asks for all lots that a return of the sale may touch.
func requireLots(s *ledger.State, a *ledger.Account, sale *Document) error {
	n := ledger.Needs{Members: []int64{a.ID}, Lots: []int64{a.ID}}
	for _, e := range sale.Effect.Earned {
		n.Members = append(n.Members, e.Member)
		n.LotSeqs = append(n.LotSeqs, ledger.LotKey{Member: e.Member, Seq: e.Lot})
	}
	for _, sp := range sale.Effect.Spent {
		n.Members = append(n.Members, sp.Member)
		n.Lots = append(n.Lots, sp.Member)
		for _, t := range sp.Lots {
			n.LotSeqs = append(n.LotSeqs, ledger.LotKey{Member: sp.Member, Seq: t.Lot})
		}
	}
	return s.Require(n)
}

// claw takes back, in each currency, what the lines that have been returned by now had
// earned, less what was taken before.
func claw(s *ledger.State, a *ledger.Account, sale, ret *Document, p ledger.Posting) {
	takes := map[int64][]ledger.Take{}
	var order []int64
	for i := range sale.Effect.Earned {
		e := &sale.Effect.Earned[i]
		var target int64
		for j := range sale.Body.Lines {
			l := &sale.Body.Lines[j]
			target += share(e.Shares[j], l, l.BackMilli, l.BackAmount)
		}
		n := target - e.Clawed
		if n == 0 {
			continue
		}
		gone := expired(s, e, n)
		e.Clawed, e.Gone = target, e.Gone+gone
		if takes[e.Currency] == nil {
			order = append(order, e.Currency)
		}
		takes[e.Currency] = append(takes[e.Currency], ledger.Take{Member: e.Member, Lot: e.Lot, Amount: n, Gone: gone})
	}
	for _, cur := range order {
		out := s.Clawback(a, s.Config.Currencies[cur], takes[cur], p)
		ret.Effect.Clawed = append(ret.Effect.Clawed, Moved{Currency: cur, Amount: out.Total(), Debt: out.Debt, Waived: out.Waived})
	}
}

// expired is how much of a claw-back ended unused in the member's hands: it is not taken
// from them a second time. What the lot still has is taken first.
func expired(s *ledger.State, e *Earned, n int64) int64 {
	home, err := s.Account(e.Member)
	if err != nil {
		return 0
	}
	l := s.Lot(home, e.Lot)
	if l == nil {
		return 0
	}
	return min(max(0, n-(l.Left-l.Held)), max(0, l.Expired-e.Gone))
}

// restore gives back points that paid for the sale, in the proportion of the money that
// has been returned by now: the last lots that were used first.
func restore(s *ledger.State, a *ledger.Account, sale, ret *Document, p ledger.Posting) error {
	var back, milli int64
	for _, l := range sale.Body.Lines {
		back += l.BackAmount
		milli += l.Milli - l.BackMilli
	}
	for i := range sale.Effect.Spent {
		sp := &sale.Effect.Spent[i]
		target := sp.Amount
		if milli > 0 && sale.Total > 0 {
			target, _ = money.MulDiv(sp.Amount, back, sale.Total, money.Floor)
		} else if milli > 0 {
			target = 0
		}
		n := target - sp.Back
		if n == 0 {
			continue
		}
		home, err := s.Account(sp.Member)
		if err != nil {
			return err
		}
		cur := s.Config.Currencies[sp.Currency]
		s.GiveBack(home, cur, lastUsed(sp, n), p)
		if home.ID != a.ID {
			s.Forward(home, a, cur, p)
		}
		sp.Back = target
		ret.Effect.Restored = append(ret.Effect.Restored, Moved{Currency: sp.Currency, Amount: n})
	}
	return nil
}

// lastUsed is which lots the next n points go back to: from the end of the list, behind
// what went back before.
func lastUsed(sp *Spent, n int64) []ledger.Touch {
	skip := sp.Back
	var out []ledger.Touch
	for i := len(sp.Lots) - 1; i >= 0 && n > 0; i-- {
		have := sp.Lots[i].Amount
		passed := min(skip, have)
		skip -= passed
		if take := min(n, have-passed); take > 0 {
			out = append(out, ledger.Touch{Lot: sp.Lots[i].Lot, Amount: take})
			n -= take
		}
	}
	return out
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

func returnBody(d *Document) string {
	out := struct {
		ID    string `json:"id"`
		Sale  string `json:"sale,omitempty"`
		Total int64  `json:"total"`
		State string `json:"state"`
		Quiet bool   `json:"quiet,omitempty"`
	}{ID: d.ID(), Total: d.Total, State: d.State.String(), Quiet: d.Flags&History != 0}
	if d.OfSeq != 0 {
		out.Sale = id.Encode(idPrefix, d.OfMember, d.OfSeq)
	}
	return pack(out)
}
