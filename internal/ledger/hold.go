package ledger

import "fmt"

// Hold sets usable points aside until an instant. It pins the lots that a spend would
// have taken: they neither expire nor are taken by anything else while it is open.
func (s *State) Hold(a *Account, c *Currency, amount, untilMS int64, purpose string, p Posting) (*Hold, error) {
	w, err := s.usable(a, c, amount, "hold", p.AtMS)
	if err != nil {
		return nil, err
	}
	from, err := s.payers(a, c, w, amount)
	if err != nil {
		return nil, err
	}
	pins := take(s, from, amount, func(l *Lot, n int64) { l.Held += n })
	for i := range pins {
		pins[i].Amount = -pins[i].Amount
	}
	h := &Hold{
		Seq: a.EntryN + 1, Currency: c.ID, Amount: amount, MadeMS: s.NowMS, ExpiresMS: untilMS,
		Purpose: purpose, Lots: pins, isNew: true, dirty: true, epoch: s.epoch,
	}
	e := p.entry(HoldMade)
	e.Active, e.Held, e.Touches, e.Cause = -amount, amount, pins, Cause{ByHold, a.ID, h.Seq}
	s.enter(a, w, e)
	w.HeldEver = add(w.HeldEver, amount)
	s.count(c, w, "hold", p.AtMS, amount)
	s.edit(a)
	a.holds = append(a.holds, h)
	s.refresh(a, w)
	return h, nil
}

// FindHold returns a hold by number, or ErrNoHold. It must have been asked for in Needs.
func (s *State) FindHold(a *Account, seq int64) (*Hold, error) {
	for _, h := range a.holds {
		if h.Seq == seq {
			return h, nil
		}
	}
	if h := s.holds[lotID{a.ID, seq}]; h != nil {
		return h, nil
	}
	return nil, ErrNoHold
}

// Capture uses up to all of what a hold set aside and gives the rest back: the lots that a
// spend would have taken first are used first.
func (s *State) Capture(a *Account, c *Currency, h *Hold, amount int64, p Posting) ([]Touch, error) {
	if h.State != HoldOpen {
		return nil, ErrHoldOver.With("state", h.State.word())
	}
	if err := checkAmount(amount); err != nil {
		return nil, err
	}
	if amount > h.Amount {
		return nil, ErrHoldAmount.With("held", c.Format(h.Amount))
	}
	if err := s.needPins(a, h); err != nil {
		return nil, err
	}
	w := s.wallet(a, c.ID)
	var used, rest []Touch
	left := amount
	for _, pin := range h.Lots {
		n := min(left, pin.Amount)
		left -= n
		if n > 0 {
			l := s.pinned(a, pin.Lot, n)
			l.Left, l.Held, l.Spent = l.Left-n, l.Held-n, l.Spent+n
			used = append(used, Touch{pin.Lot, -n})
		}
		if pin.Amount > n {
			rest = append(rest, Touch{pin.Lot, pin.Amount - n})
		}
	}
	e := p.entry(HoldTaken)
	e.Held, e.Touches = -amount, used
	if e.Cause.Kind == NoCause {
		e.Cause = Cause{ByHold, a.ID, h.Seq}
	}
	s.enter(a, w, e)
	w.Spent = add(w.Spent, amount)
	s.count(c, w, "spend", p.AtMS, amount)
	s.slide(c, w)
	s.editHold(h)
	h.Captured = amount
	s.free(a, w, h, rest, s.NowMS, HoldCaptured)
	s.refresh(a, w)
	return used, nil
}

// Release gives back all that a hold set aside.
func (s *State) Release(a *Account, h *Hold) error {
	if h.State != HoldOpen {
		return ErrHoldOver.With("state", h.State.word())
	}
	if err := s.needPins(a, h); err != nil {
		return err
	}
	w := s.wallet(a, h.Currency)
	s.free(a, w, h, h.Lots, s.NowMS, HoldReleased)
	s.refresh(a, w)
	return nil
}

// free ends a hold and gives the pins that are left back to their lots. A lot whose time
// came while it was pinned ends at once.
func (s *State) free(a *Account, w *Wallet, h *Hold, pins []Touch, t int64, to HoldState) {
	s.editHold(h)
	h.State, h.EndedMS = to, t
	var sum int64
	for _, pin := range pins {
		s.pinned(a, pin.Lot, pin.Amount).Held -= pin.Amount
		sum = add(sum, pin.Amount)
	}
	if sum == 0 {
		return
	}
	s.enter(a, w, Entry{Kind: HoldFreed, Held: -sum, Active: sum, AtMS: t, Touches: pins, Cause: Cause{ByHold, a.ID, h.Seq}})
	s.repay(a, w, t)
	s.expire(a, w, t)
}

// needPins returns Again where lots that a hold pins are not loaded.
func (s *State) needPins(a *Account, h *Hold) error {
	if missing := s.pins(a, h); len(missing) > 0 {
		return &Again{Needs{LotSeqs: missing}}
	}
	return nil
}

// pins are the lots that a hold pins and that are not loaded.
func (s *State) pins(a *Account, h *Hold) (out []LotKey) {
	for _, pin := range h.Lots {
		if s.lot(a, pin.Lot) == nil {
			out = append(out, LotKey{a.ID, pin.Lot})
		}
	}
	return out
}

// pinsOf are the lots that open holds pin, of some that were asked for: they come with them,
// as whoever ends a hold needs them.
func (s *State) pinsOf(holds []LotKey) (n Needs) {
	for _, k := range holds {
		a := s.accounts[k.Member]
		if a == nil {
			continue
		}
		if h, err := s.FindHold(a, k.Seq); err == nil && h.State == HoldOpen {
			n.LotSeqs = append(n.LotSeqs, s.pins(a, h)...)
		}
	}
	return n
}

func (s *State) pinned(a *Account, seq, n int64) *Lot {
	l := s.lot(a, seq)
	if l == nil || l.Held < n || l.Left < n {
		panic(fmt.Sprintf("ledger: lot %d of member %d is not pinned by %d", seq, a.ID, n))
	}
	s.editLot(l)
	return l
}
