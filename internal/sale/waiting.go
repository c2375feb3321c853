package sale

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

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
func late(s *ledger.State, steps []Step, snap *program.Snapshot, sale, w *Document) error {
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
	w.AtMS, w.Body.Lines, w.Body.Reach = max(w.AtMS, sale.AtMS), nil, nil
	if _, err := takeBack(s, steps, sale, w, lines); err != nil {
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
	case earlier(w, sale):
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
