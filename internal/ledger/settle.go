package ledger

import (
	"fmt"
	"slices"
)

// settle writes down what time alone has made true of a: lots that became usable or
// ended, holds whose time is up, debts that can be repaid. Every command begins with it,
// and the daily run is nothing but it; so it makes no difference how late it comes.
func (s *State) settle(a *Account) {
	for _, w := range a.wallets {
		if w.NextMS <= s.NowMS {
			a.needLots("settling")
			s.settleWallet(a, w)
		}
	}
}

// settleWallet goes from instant to instant up to now. At each, lots activate first, then
// holds end, then lots expire: points never lapse before they could be used, and a hold
// that ends gives its lots back in time to expire with the rest. Only a sliding wallet
// whose time is up ends before anything activates, since that starts its clock anew.
func (s *State) settleWallet(a *Account, w *Wallet) {
	s.editWallet(w)
	last := int64(-1 << 62)
	for t := nextInstant(a, w); t <= s.NowMS; t = nextInstant(a, w) {
		if t <= last {
			panic(fmt.Sprintf("ledger: settling member %d stands still at %d", a.ID, t))
		}
		last = t
		if w.SlideMS <= t {
			s.expire(a, w, t)
		}
		s.activate(a, w, t)
		s.endHolds(a, w, t)
		s.expire(a, w, t)
	}
	s.refresh(a, w)
}

// nextInstant is when the next thing happens to a wallet by itself, or past Never.
func nextInstant(a *Account, w *Wallet) int64 {
	next := Never + 1
	usable := false
	for _, l := range a.lots {
		switch {
		case l.Currency != w.Currency || l.Left == 0:
		case l.State == LotPending:
			next = min(next, l.ActiveMS)
		case l.free() > 0:
			usable = true
			if l.ExpiresMS < Never {
				next = min(next, l.ExpiresMS)
			}
		}
	}
	for _, h := range a.holds {
		if h.Currency == w.Currency && h.State == HoldOpen {
			next = min(next, h.ExpiresMS)
		}
	}
	if usable && w.SlideMS < Never {
		next = min(next, w.SlideMS)
	}
	return next
}

// refresh brings the wallet's hints up to date: exactly where all open lots are loaded,
// otherwise as far as those that are can show it. A lot that is pinned whole leaves the
// line, so that the line's beginning does not wait for the end of a hold.
func (s *State) refresh(a *Account, w *Wallet) {
	s.edit(a)
	s.editWallet(w)
	for _, l := range a.lots {
		if stray := l.Left > 0 && (l.Stray || l.Currency == w.Currency && l.free() == 0); stray != l.Stray {
			s.editLot(l)
			l.Stray = stray
		}
	}
	a.lots = slices.DeleteFunc(a.lots, func(l *Lot) bool {
		if l.Left == 0 {
			keep(s, s.lots, lotID{a.ID, l.Seq}, l) // closed, and perhaps to be written yet
		}
		return l.Left == 0
	})
	a.holds = slices.DeleteFunc(a.holds, func(h *Hold) bool {
		if h.State != HoldOpen {
			keep(s, s.holds, lotID{a.ID, h.Seq}, h)
		}
		return h.State != HoldOpen
	})
	w.FirstOpen, w.NextMS = a.firstInLine(w), a.nextOf(w)
	switch {
	case len(a.holds) == 0 && a.holdsIn:
		a.FirstHold = 0
	case a.holdsIn || a.FirstHold == 0:
		a.FirstHold = a.holds[0].Seq
	}
}

// keep puts v into a map of the state, until the command is rolled back.
func keep[T any](s *State, m map[lotID]*T, k lotID, v *T) {
	if was, ok := m[k]; ok {
		if was != v {
			panic("ledger: two copies of one lot or hold")
		}
		return
	}
	m[k] = v
	s.undo = append(s.undo, func() { delete(m, k) })
}

func (s *State) activate(a *Account, w *Wallet, t int64) {
	var sum int64
	var touches []Touch
	for _, l := range a.lots {
		if l.Currency == w.Currency && l.State == LotPending && l.Left > 0 && l.ActiveMS <= t {
			s.editLot(l)
			l.State = LotActive
			sum = add(sum, l.Left)
			touches = append(touches, Touch{l.Seq, l.Left})
		}
	}
	if sum > 0 {
		s.enter(a, w, Entry{Kind: Activate, Pending: -sum, Active: sum, AtMS: t, Touches: touches})
		if c := s.Config.Currencies[w.Currency]; c != nil && w.idle(t) {
			w.SlideMS = c.Policy.Expiry.Slide(t, s.Config.Zone)
		}
		s.repay(a, w, t)
		s.Event(a, "points.activated", t, eventBody(s, w, sum))
	}
}

// idle reports whether no sliding clock runs at t: there was none, or it has run out, and
// all that is left of the wallet is pinned by holds.
func (w *Wallet) idle(t int64) bool { return w.SlideMS == Never || w.SlideMS <= t }

func (s *State) endHolds(a *Account, w *Wallet, t int64) {
	for _, h := range a.holds {
		if h.Currency == w.Currency && h.State == HoldOpen && h.ExpiresMS <= t {
			s.free(a, w, h, h.Lots, t, HoldExpired)
		}
	}
}

// expire ends what is past its time. What a hold has pinned stays until the hold ends.
func (s *State) expire(a *Account, w *Wallet, t int64) {
	var sum int64
	var touches []Touch
	for _, l := range a.lots {
		if l.Currency != w.Currency || l.State != LotActive || l.free() == 0 {
			continue
		}
		if l.ExpiresMS > t && w.SlideMS > t {
			continue
		}
		n := l.free()
		s.editLot(l)
		l.Left, l.Expired = l.Left-n, l.Expired+n
		sum = add(sum, n)
		touches = append(touches, Touch{l.Seq, -n})
	}
	if sum > 0 {
		s.enter(a, w, Entry{Kind: Expire, Active: -sum, AtMS: t, Touches: touches})
		s.Event(a, "points.expired", t, eventBody(s, w, sum))
	}
}

// repay lets usable points pay a debt. Of a member with a debt all usable points are, by
// the law that nobody has both, the ones that just arrived.
func (s *State) repay(a *Account, w *Wallet, t int64) {
	if w.Debt == 0 || w.Active == 0 {
		return
	}
	n := min(w.Debt, w.Active)
	touches := take(s, whole(usableLots(a, w)), n, func(l *Lot, n int64) { l.Left, l.Clawed = l.Left-n, l.Clawed+n })
	s.enter(a, w, Entry{Kind: Repay, Active: -n, Debt: -n, AtMS: t, Touches: touches})
}
