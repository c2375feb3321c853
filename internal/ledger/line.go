package ledger

import (
	"cmp"
	"slices"
)

// Points are spent soonest to expire first, then oldest, then by number. Lots that were
// granted one after the other by one policy come in that order by themselves: they stand in
// line, and the first of them are found along the primary key, from Wallet.FirstOpen on.
// A lot that cannot join the line is a stray: backdated, with an end of its own, brought
// back after it was closed. Open strays have a small index in spending order. So the first
// so many lots of a wallet are the first of two rows, whatever lies behind them.

// headLots is how many lots of each row a spending loads at first. It is a variable so that
// tests see what happens behind it.
var headLots = 16

// moreLots is by how much more are loaded each time that those were not enough.
const moreLots = 4

// spot is a place in the spending order of a wallet.
type spot struct{ expires, earned, seq int64 }

func (l *Lot) spot() spot { return spot{l.ExpiresMS, l.EarnedMS, l.Seq} }

func (p spot) compare(q spot) int {
	return cmp.Or(cmp.Compare(p.expires, q.expires), cmp.Compare(p.earned, q.earned), cmp.Compare(p.seq, q.seq))
}

// head is how much of a wallet's open lots is in the State: of the line and of the strays,
// all, or those up to a spot.
type head struct {
	n                int // how many of each row were asked for
	lineIn, straysIn bool
	line, stray      spot
}

// whole reports whether all open lots of the wallet are loaded.
func (w *Wallet) whole() bool { return w.head.lineIn && w.head.straysIn }

// reach is the spot up to which all open lots are loaded, where not all are.
func (w *Wallet) reach() spot {
	switch h := w.head; {
	case h.lineIn:
		return h.stray
	case h.straysIn || h.line.compare(h.stray) < 0:
		return h.line
	}
	return w.head.stray
}

// nothing reports whether the wallet has no open lots.
func (w *Wallet) nothing() bool { return w.Pending == 0 && w.Active == 0 && w.Held == 0 }

// join puts a new lot in line, or makes it a stray: where it would be spent before one that
// stands there, and where its end is its own, since a late one would keep out those that
// follow.
func (w *Wallet) join(l *Lot, own bool) {
	at := l.spot()
	if l.Stray = own || w.FirstOpen > 0 && at.compare(spot{w.TailExpires, w.TailEarned, 0}) < 0; l.Stray {
		return
	}
	w.TailExpires, w.TailEarned = at.expires, at.earned
	if w.FirstOpen == 0 {
		w.FirstOpen = l.Seq
	}
}

// firstInLine is FirstOpen as the loaded lots show it.
func (a *Account) firstInLine(w *Wallet) int64 {
	if w.nothing() {
		return 0
	}
	for _, l := range a.lots {
		if l.Currency == w.Currency && l.Left > 0 && !l.Stray && (w.head.lineIn || l.Seq <= w.head.line.seq) {
			return l.Seq
		}
	}
	switch {
	case w.head.lineIn:
		return 0
	case w.head.line.seq > 0:
		return w.head.line.seq + 1
	}
	return w.FirstOpen
}

// nextOf is NextMS as far as the loaded lots show it: exactly where all are loaded.
func (a *Account) nextOf(w *Wallet) int64 {
	next := nextInstant(a, w)
	if w.Active > 0 {
		next = min(next, w.SlideMS)
	}
	known := a.holdsIn
	if !w.whole() {
		var pending, active int64
		for _, l := range a.lots {
			switch {
			case l.Currency != w.Currency:
			case l.State == LotPending:
				pending += l.Left
			default:
				active += l.free()
			}
		}
		known = known && pending == w.Pending
		if active < w.Active { // the others end no earlier than where loading stopped
			known = known && w.head.n > 0
			if w.head.n > 0 {
				next = min(next, w.reach().expires)
			}
		}
	}
	if !known {
		next = min(next, w.NextMS)
	}
	return min(next, Never)
}

// usableLots returns the active lots of a wallet that are loaded and have something free,
// in spending order.
func usableLots(a *Account, w *Wallet) []*Lot {
	var out []*Lot
	for _, l := range a.lots {
		if l.Currency == w.Currency && l.State == LotActive && l.free() > 0 {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(x, y *Lot) int { return x.spot().compare(y.spot()) })
	return out
}

// spendable returns the lots that are spent first, in spending order, as many as hold the
// amount or more. Where they are not loaded it returns Again.
func (s *State) spendable(a *Account, w *Wallet, amount int64) ([]*Lot, error) {
	lots := usableLots(a, w)
	if w.whole() {
		return lots, nil
	}
	reach, sum := w.reach(), int64(0)
	for i, l := range lots {
		if l.spot().compare(reach) > 0 {
			lots = lots[:i]
			break
		}
		sum += l.free()
	}
	if sum >= amount {
		return lots, nil
	}
	return nil, &Again{Needs{Heads: []Head{{a.ID, s.Config.Currencies[w.Currency].Code, max(headLots, moreLots*w.head.n)}}}}
}

// payers is spendable with what of each lot pays. Stored value is spent by bucket, so that
// all its lots are looked at.
func (s *State) payers(a *Account, c *Currency, w *Wallet, amount int64) ([]share, error) {
	if c.Kind == Stored && !w.whole() {
		return nil, &Again{Needs{Lots: []int64{a.ID}}}
	}
	lots, err := s.spendable(a, w, amount)
	if err != nil {
		return nil, err
	}
	return spendingOrder(c, lots, amount), nil
}

// Heirs returns the lots of a that hold or held what was in a lot of another member who was
// merged into a: open and closed, by number. Where they are not loaded it returns Again.
func (s *State) Heirs(a *Account, of LotKey) ([]*Lot, error) {
	if !s.heirs[Origin{a.ID, of}] {
		return nil, &Again{Needs{Origins: []Origin{{a.ID, of}}}}
	}
	var out []*Lot
	for _, l := range a.lots {
		if (LotKey{l.OriginMember, l.OriginSeq}) == of {
			out = append(out, l)
		}
	}
	for k, l := range s.lots {
		if k.member == a.ID && (LotKey{l.OriginMember, l.OriginSeq}) == of && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(x, y *Lot) int { return cmp.Compare(x.Seq, y.Seq) })
	return out, nil
}
