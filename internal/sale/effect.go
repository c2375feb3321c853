package sale

import (
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
)

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
func takeBack(s *ledger.State, steps []Step, sale, ret *Document, lines []Line) (*ledger.Account, error) {
	a, err := ownerOf(s, sale)
	if err != nil {
		return nil, err
	}
	if err := s.Require(touchedLots(s, a, sale)); err != nil {
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
	clawed, err := claw(s, a, sale, ret, p)
	if err != nil {
		return nil, err
	}
	ret.Effect.Taken = append(ret.Effect.Taken, clawed...)
	r := &Reversal{Sale: sale, Return: ret, Lines: lines, Clawed: clawed, Whole: sale.whole()}
	if err := unprice(s, steps, a, r); err != nil {
		return nil, err
	}
	if err := undo(s, steps, a, r); err != nil {
		return nil, err
	}
	if err := restore(s, sale, ret, p); err != nil {
		return nil, err
	}
	put(s, sale)
	return a, nil
}

// touchedLots are the lots that a return of the sale is known to touch. What else is taken
// back comes out of the lots that are spent first; the ledger asks for more of them.
func touchedLots(s *ledger.State, a *ledger.Account, sale *Document) ledger.Needs {
	n := ledger.Needs{Members: []int64{a.ID}}
	for _, e := range sale.Effect.Earned {
		n.Members = append(n.Members, e.Member)
		lot := ledger.LotKey{Member: e.Member, Seq: e.Lot}
		n.LotSeqs = append(n.LotSeqs, lot)
		n.Heads = append(n.Heads, ledger.Head{Member: a.ID, Currency: s.Config.Currencies[e.Currency].Code})
		for _, next := range survivorsOf(s, e.Member) {
			n.Origins = append(n.Origins, ledger.Origin{Member: next.ID, Of: lot})
		}
	}
	for _, sp := range sale.Effect.Spent {
		n.Members = append(n.Members, sp.Member)
		for _, t := range sp.Lots {
			n.LotSeqs = append(n.LotSeqs, ledger.LotKey{Member: sp.Member, Seq: t.Lot})
		}
	}
	return n
}

// undo takes a return off the day on which its sale is counted, and lets the steps take back
// what they keep of it.
func undo(s *ledger.State, steps []Step, a *ledger.Account, r *Reversal) error {
	e := &r.Sale.Effect
	if r.Sale.Owner == 0 || e.Day == 0 {
		return nil
	}
	r.Day, r.Whole = e.Day, r.Sale.whole()
	var back int64
	for _, l := range r.Sale.Body.Lines {
		back += l.BackAmount
	}
	worth, visits := e.Worth, int64(-1)
	if !r.Whole {
		worth, visits = 0, 0
		if r.Sale.Total > 0 {
			worth, _ = money.MulDiv(e.Worth, back, r.Sale.Total, money.Floor) // back ≤ total
		}
	}
	s.Along(a, r.Sale.Owner, func(x *ledger.Account) { s.Record(x).Bought(e.Day, visits, e.WorthBack-worth) })
	e.WorthBack = worth
	for _, step := range steps {
		if _, done := step.(Pricing); done {
			continue // see unprice
		}
		if err := step.Undo(s, a, r); err != nil {
			return err
		}
	}
	return nil
}

// claw takes back, in each currency, what the lines that have been returned by now had
// earned, less what was taken before.
func claw(s *ledger.State, a *ledger.Account, sale, ret *Document, p ledger.Posting) ([]Clawed, error) {
	var clawed []Clawed
	takes := map[int64][]ledger.Take{}
	var order []int64
	for i := range sale.Effect.Earned {
		e := &sale.Effect.Earned[i]
		if len(e.Shares) == 0 {
			continue // of no line: the step that gave it takes it back
		}
		var target int64
		for j := range sale.Body.Lines {
			l := &sale.Body.Lines[j]
			target += Share(e.Shares[j], l, l.BackMilli, l.BackAmount)
		}
		n := target - e.Clawed
		if n == 0 {
			continue
		}
		gone, err := expired(s, e, n)
		if err != nil {
			return nil, err
		}
		e.Clawed, e.Gone = target, e.Gone+gone
		if takes[e.Currency] == nil {
			order = append(order, e.Currency)
		}
		takes[e.Currency] = append(takes[e.Currency], ledger.Take{Member: e.Member, Lot: e.Lot, Amount: n, Gone: gone, AtMS: sale.AtMS})
		clawed = append(clawed, Clawed{e.Rule, e.Currency, n})
	}
	for _, cur := range order {
		out, err := s.Clawback(a, s.Config.Currencies[cur], takes[cur], p)
		if err != nil {
			return nil, err
		}
		ret.Effect.Clawed = append(ret.Effect.Clawed, Moved{Currency: cur, Amount: out.Total(), Debt: out.Debt, Waived: out.Waived})
	}
	return clawed, nil
}

// expired is how much of a claw-back ended unused in the member's hands: it is not taken
// from them a second time. What is still there is taken first. After a merge the points
// may lie, and may have ended, with the survivor.
func expired(s *ledger.State, e *Earned, n int64) (int64, error) {
	home, err := s.Account(e.Member)
	if err != nil {
		return 0, nil
	}
	var lots []*ledger.Lot
	if l := s.Lot(home, e.Lot); l != nil {
		lots = append(lots, l)
	}
	for _, next := range survivorsOf(s, e.Member) {
		heirs, err := s.Heirs(next, ledger.LotKey{Member: e.Member, Seq: e.Lot})
		if err != nil {
			return 0, err
		}
		lots = append(lots, heirs...)
	}
	left, ended := int64(0), -e.Gone
	for _, l := range lots {
		left, ended = left+l.Left-l.Held, ended+l.Expired
	}
	return min(max(0, n-left), max(0, ended)), nil
}

// survivorsOf are those whom a member was merged into, as far as they are loaded.
func survivorsOf(s *ledger.State, m int64) []*ledger.Account {
	home, err := s.Account(m)
	if err != nil {
		return nil
	}
	return s.Survivors(home)
}

// restore gives back points that paid for the sale, in the proportion of the money that
// has been returned by now: the last lots that were used first.
func restore(s *ledger.State, sale, ret *Document, p ledger.Posting) error {
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
		s.Forward(home, cur, p)
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
