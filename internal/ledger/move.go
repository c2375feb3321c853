package ledger

import (
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/money"
)

// Transfer gives points of one member to another: every lot that is touched becomes a lot
// of the receiver with the same issuer, by the currency's setting with the same end. The
// sender pays the fee on top. It returns the entry on the sender's side.
func (s *State) Transfer(from, to *Account, c *Currency, amount int64, p Posting) (*Entry, error) {
	fee, err := s.checkTransfer(from, to, c, amount)
	if err != nil {
		return nil, err
	}
	w, err := s.usable(from, c, amount+fee, "transfer", p.AtMS)
	if err != nil {
		return nil, err
	}
	if _, err := s.payers(from, c, w, amount+fee); err != nil {
		return nil, err // the fee is taken when the amount has gone
	}
	lots, err := s.payers(from, c, w, amount)
	if err != nil {
		return nil, err
	}
	touches := take(s, lots, amount, func(l *Lot, n int64) { l.Left, l.Moved = l.Left-n, l.Moved+n })
	e := p.entry(TransferOut)
	e.Active, e.Touches, e.Cause = -amount, touches, Cause{ByTransfer, to.ID, 0}
	out := s.enter(from, w, e)
	cause := Cause{ByTransfer, from.ID, out.Seq}
	if fee > 0 {
		lots, err := s.spendable(from, w, fee)
		if err != nil {
			return nil, err
		}
		used := take(s, whole(lots), fee, func(l *Lot, n int64) { l.Left, l.Spent = l.Left-n, l.Spent+n })
		f := p.entry(Fee)
		f.Active, f.Touches, f.Cause = -fee, used, Cause{ByEntry, from.ID, out.Seq}
		s.enter(from, w, f)
	}
	for _, t := range touches {
		if err := s.receive(to, c, s.lot(from, t.Lot), -t.Amount, from.ID, cause, p); err != nil {
			return nil, err
		}
	}
	w.SentN = add(w.SentN, amount)
	s.count(c, w, "transfer", p.AtMS, amount)
	s.slide(c, w)
	s.refresh(from, w)
	return out, nil
}

func (s *State) checkTransfer(from, to *Account, c *Currency, amount int64) (fee int64, err error) {
	t := c.Policy.Transfer
	switch {
	case from.ID == to.ID:
		return 0, ErrSelf
	case c.Kind == Growth:
		return 0, ErrNotSpendable.With("currency", c.Code)
	case !t.Allowed:
		return 0, ErrNoTransfer.With("currency", c.Code)
	case !to.MayEarn:
		return 0, ErrMayNotEarn
	}
	if err := checkAmount(amount); err != nil {
		return 0, err
	}
	if amount < t.Min || t.Max > 0 && amount > t.Max {
		most := t.Max
		if most == 0 {
			most = MaxPoints
		}
		return 0, ErrTransferSize.With("min", c.Format(max(1, t.Min)), "max", c.Format(most))
	}
	fee, _ = money.MulDiv(amount, t.FeePercent, 100, money.Ceil) // cannot pass the amount itself
	return fee, nil
}

// receive makes the receiver's lot of a part of a sender's.
func (s *State) receive(to *Account, c *Currency, from *Lot, amount, sender int64, cause Cause, p Posting) error {
	g := Grant{
		Posting: p, Kind: TransferIn, Currency: c, Bucket: from.Bucket, Amount: amount, Issuer: from.Issuer,
		ActiveMS: s.NowMS, Unlimited: true, EarnedMS: from.EarnedMS, OriginMember: sender, OriginSeq: from.Seq,
	}
	g.Cause = cause
	if c.Policy.Transfer.KeepsExpiry {
		g.ExpiresMS = from.ExpiresMS
	}
	_, err := s.Grant(to, g)
	return err
}

// Merge moves all that one member has to another and points the first at the second.
// Every open lot becomes a lot of the survivor with its own instants and issuer; a debt
// goes along. Nothing of the first one's history changes.
func (s *State) Merge(from, to *Account, p Posting) error {
	switch {
	case from.ID == to.ID:
		return ErrSelf
	case len(from.holds) > 0:
		return ErrHoldsOpen
	}
	from.needLots("merging")
	to.needLots("merging")
	s.edit(from)
	p.Cause = Cause{ByMerge, to.ID, 0}
	for _, w := range slices.Clone(from.wallets) {
		tw := s.wallet(to, w.Currency)
		if add(w.Net(), tw.Net()) > MaxPoints {
			return ErrFull
		}
		tw.addCounters(w, 1)
		s.moveWallet(from, to, w, p)
	}
	s.Record(to).Add(from.Activity(), 1)
	from.MergedInto = to.ID
	return nil
}

// moveWallet hands over what is left of a wallet, and its clock in any case: the two are
// one person, whose last activity may have been to use up all that was here.
func (s *State) moveWallet(from, to *Account, w *Wallet, p Posting) {
	if !w.whole() {
		panic("ledger: handing over a wallet without its lots")
	}
	tw := s.wallet(to, w.Currency)
	s.moveLots(from, to, w, tw, p)
	if !w.idle(s.NowMS) && (tw.SlideMS == Never || w.SlideMS > tw.SlideMS) {
		tw.SlideMS = w.SlideMS
	}
	s.repay(to, tw, s.NowMS)
	s.refresh(to, tw)
	s.refresh(from, w)
}

func (s *State) moveLots(from, to *Account, w, tw *Wallet, p Posting) {
	s.editWallet(w)
	e := p.entry(MergeOut)
	var moved []*Lot
	var left []int64
	for _, l := range from.lots {
		if l.Currency != w.Currency || l.Left == 0 {
			continue
		}
		s.editLot(l)
		moved, left = append(moved, l), append(left, l.Left)
		e.Touches = append(e.Touches, Touch{l.Seq, -l.Left})
		if l.State == LotPending {
			e.Pending -= l.Left
		} else {
			e.Active -= l.Left
		}
		l.Left, l.Moved = 0, l.Moved+l.Left
	}
	e.Debt = -w.Debt
	if len(moved) == 0 && e.Debt == 0 {
		return
	}
	s.enter(from, w, e)
	back := p
	back.Cause = Cause{ByMerge, from.ID, from.EntryN}
	for i, l := range moved {
		s.adopt(to, tw, l, left[i], from.ID, back)
	}
	if e.Debt != 0 {
		d := back.entry(MergeIn)
		d.Debt = -e.Debt
		s.enter(to, tw, d)
	}
}

// adopt gives the survivor of a merge a lot like the one that was moved.
func (s *State) adopt(to *Account, tw *Wallet, l *Lot, amount, from int64, p Posting) {
	e := p.entry(MergeIn)
	lot := *l
	lot.Seq = to.EntryN + 1
	lot.Granted, lot.Left = amount, amount
	lot.Held, lot.Spent, lot.Expired, lot.Clawed, lot.Moved = 0, 0, 0, 0, 0
	if lot.OriginMember == 0 {
		lot.OriginMember, lot.OriginSeq = from, l.Seq
	}
	lot.ViaMember, lot.ViaSeq = from, l.Seq
	lot.dirty, lot.epoch = true, s.epoch
	tw.join(&lot, l.Stray)
	if lot.State == LotPending {
		e.Pending = amount
	} else {
		e.Active = amount
	}
	e.Touches = []Touch{{lot.Seq, amount}}
	s.enter(to, tw, e)
	s.edit(to)
	to.lots = append(to.lots, &lot)
}

// Forward hands to the survivor what came back to a merged member afterwards: points
// restored by a return of an old sale. It goes by each survivor in between, so that one
// unmerge after the other finds it.
func (s *State) Forward(from *Account, c *Currency, p Posting) {
	for _, to := range s.Survivors(from) {
		p.Cause = Cause{ByMerge, to.ID, 0}
		s.moveWallet(from, to, s.wallet(from, c.ID), p)
		from = to
	}
}

// Unmerge gives back to a merged member what came from them and is still unspent, into
// the lots it was in, and lets them stand alone again. What the survivor spent stays spent.
func (s *State) Unmerge(from, survivor *Account, p Posting) error {
	from.needLots("unmerging")
	survivor.needLots("unmerging")
	s.edit(from)
	from.MergedInto = 0
	s.Record(survivor).Add(from.Activity(), -1)
	p.Cause = Cause{ByMerge, from.ID, 0}
	for _, w := range slices.Clone(survivor.wallets) {
		s.editWallet(w)
		fw := s.wallet(from, w.Currency)
		w.addCounters(fw, -1)
		out, in := p.entry(MergeOut), p.entry(MergeBack)
		in.Cause = Cause{ByMerge, survivor.ID, 0}
		for _, l := range survivor.lots {
			if l.Currency == w.Currency && l.ViaMember == from.ID && l.free() > 0 {
				s.returnLot(from, l, &out, &in)
			}
		}
		if len(in.Touches) == 0 {
			continue
		}
		s.enter(survivor, w, out)
		s.enter(from, fw, in)
		if fw.idle(s.NowMS) {
			fw.SlideMS = w.SlideMS
		}
		s.repay(from, fw, s.NowMS)
		s.refresh(survivor, w)
		s.refresh(from, fw)
	}
	return nil
}

func (s *State) returnLot(from *Account, l *Lot, out, in *Entry) {
	first := s.lot(from, l.ViaSeq)
	if first == nil {
		panic("ledger: unmerging without the lot that was merged")
	}
	n := l.free()
	s.editLot(l)
	s.editLot(first)
	l.Left, l.Moved = l.Left-n, l.Moved+n
	first.Left, first.Moved, first.State = first.Left+n, first.Moved-n, l.State
	out.Touches = append(out.Touches, Touch{l.Seq, -n})
	in.Touches = append(in.Touches, Touch{first.Seq, n})
	if l.State == LotPending {
		out.Pending, in.Pending = out.Pending-n, in.Pending+n
	} else {
		out.Active, in.Active = out.Active-n, in.Active+n
	}
	s.openLot(from, first)
}

// MergedLots names the lots of from that Unmerge will need: those whose successors still
// stand with the survivor.
func MergedLots(from int64, survivor *Account) []int64 {
	var out []int64
	for _, l := range survivor.lots {
		if l.ViaMember == from && l.free() > 0 {
			out = append(out, l.ViaSeq)
		}
	}
	return out
}
