package ledger

import "fmt"

// touch applies what an entry says of lots and holds.
func (b *book) touch(e *Entry) {
	var sum int64
	for _, t := range e.Touches {
		sum += t.Amount
		l := b.lots[t.Lot]
		if l == nil {
			if t.Lot != e.Seq || !makesLot(e) {
				b.bad("I4", e.Currency, fmt.Sprintf("entry %d touches lot %d, which no entry made", e.Seq, t.Lot), fmt.Sprintf("分录 %d 涉及不存在的批次 %d", e.Seq, t.Lot))
			}
			l = &Lot{Seq: t.Lot, Currency: e.Currency}
			b.lots[t.Lot] = l
		}
		apply(e, l, t.Amount)
		if l.Currency != e.Currency || l.Left < 0 || l.Held < 0 || l.Held > l.Left || l.Expired < 0 || l.Clawed < 0 || l.Moved < 0 {
			b.bad("I4", e.Currency, fmt.Sprintf("entry %d takes lot %d to %d left, %d held", e.Seq, l.Seq, l.Left, l.Held), fmt.Sprintf("分录 %d 使批次 %d 剩余 %d、冻结 %d", e.Seq, l.Seq, l.Left, l.Held))
		}
		if l.Spent < 0 {
			b.bad("I8", e.Currency, fmt.Sprintf("entry %d gives lot %d back %d more than was spent of it", e.Seq, l.Seq, -l.Spent), fmt.Sprintf("分录 %d 向批次 %d 多退 %d", e.Seq, l.Seq, -l.Spent))
		}
	}
	if want := touched(e); sum != want {
		b.bad("I4", e.Currency, fmt.Sprintf("entry %d moves %d, its lots %d", e.Seq, want, sum), fmt.Sprintf("分录 %d 变动 %d，批次变动合计 %d", e.Seq, want, sum))
	}
	b.holdEntry(e)
}

// makesLot reports whether an entry makes the lot that bears its number.
func makesLot(e *Entry) bool {
	switch e.Kind {
	case Earn, TopUp, Opening, TransferIn, MergeIn:
		return true
	case Adjust:
		return e.Net() > 0
	}
	return false
}

// touched is what the touches of an entry must sum to: what it did to usable and pending
// points, or to held ones where those are pinned, freed or taken.
func touched(e *Entry) int64 {
	switch e.Kind {
	case Activate, HoldFreed:
		return e.Active
	case HoldMade, HoldTaken:
		return e.Held
	}
	return e.Pending + e.Active
}

// apply does to a recomputed lot what a touch of an entry says, by the entry's kind.
func apply(e *Entry, l *Lot, n int64) {
	switch e.Kind {
	case HoldMade:
		l.Held += n
	case HoldFreed:
		l.Held -= n
	case HoldTaken:
		l.Left, l.Held, l.Spent = l.Left+n, l.Held+n, l.Spent-n
	case Spend, Fee, GiveBack:
		l.Left, l.Spent = l.Left+n, l.Spent-n
	case Expire:
		l.Left, l.Expired = l.Left+n, l.Expired-n
	case Claw, Repay:
		l.Left, l.Clawed = l.Left+n, l.Clawed-n
	case TransferOut, MergeOut, MergeBack:
		l.Left, l.Moved = l.Left+n, l.Moved-n
	case Earn, TopUp, Opening, TransferIn, MergeIn:
		l.Left, l.Granted = l.Left+n, l.Granted+n
	case Adjust:
		if n > 0 {
			l.Granted += n
		} else {
			l.Clawed -= n
		}
		l.Left += n
	}
}

// holdEntry adds up what entries say of holds.
func (b *book) holdEntry(e *Entry) {
	switch {
	case e.Kind == HoldMade:
		b.hold(e.Seq).made += e.Held
	case e.Kind == HoldFreed:
		b.hold(e.Cause.Seq).freed += e.Active
	case e.Kind == HoldTaken:
		if b.taken == nil {
			b.taken = map[int64]int64{}
		}
		b.taken[e.Currency] -= e.Held
	}
}

func (b *book) hold(seq int64) *heldBy {
	h := b.holds[seq]
	if h == nil {
		h = &heldBy{}
		b.holds[seq] = h
	}
	return h
}

// closeLots is I4: every lot as stored against what the entries made of it.
func (b *book) closeLots() {
	for _, l := range b.stored {
		want := b.lots[l.Seq]
		if want == nil {
			b.bad("I4", l.Currency, fmt.Sprintf("lot %d was made by no entry", l.Seq), fmt.Sprintf("批次 %d 没有对应的分录", l.Seq))
			continue
		}
		delete(b.lots, l.Seq)
		if l.Left < 0 || l.Left > l.Granted || l.Held < 0 || l.Held > l.Left || l.Granted != l.Left+l.Spent+l.Expired+l.Clawed+l.Moved {
			b.bad("I4", l.Currency,
				fmt.Sprintf("lot %d of %d has %d left (%d held), %d spent, %d expired, %d taken back, %d moved", l.Seq, l.Granted, l.Left, l.Held, l.Spent, l.Expired, l.Clawed, l.Moved),
				fmt.Sprintf("批次 %d（共 %d）剩余 %d（冻结 %d）、已用 %d、过期 %d、扣回 %d、转出 %d", l.Seq, l.Granted, l.Left, l.Held, l.Spent, l.Expired, l.Clawed, l.Moved))
		}
		if figures(l) != figures(want) {
			b.bad("I4", l.Currency,
				fmt.Sprintf("lot %d is stored as %v, its entries make it %v (granted, left, held, spent, expired, taken back, moved)", l.Seq, figures(l), figures(want)),
				fmt.Sprintf("批次 %d 记录为 %v，分录合计为 %v（发放、剩余、冻结、已用、过期、扣回、转出）", l.Seq, figures(l), figures(want)))
		}
	}
	for seq, l := range b.lots {
		b.bad("I4", l.Currency, fmt.Sprintf("lot %d is missing: entries leave %d in it", seq, l.Left), fmt.Sprintf("缺少批次 %d，分录显示剩余 %d", seq, l.Left))
	}
}

func figures(l *Lot) [7]int64 {
	return [7]int64{l.Granted, l.Left, l.Held, l.Spent, l.Expired, l.Clawed, l.Moved}
}

// closeHolds is I7.
func (b *book) closeHolds() {
	pins, captured := map[int64]int64{}, map[int64]int64{}
	first := int64(0)
	for _, h := range b.kept {
		said := b.hold(h.Seq)
		delete(b.holds, h.Seq)
		var pinned int64
		for _, p := range h.Lots {
			pinned += p.Amount
			if h.State == HoldOpen {
				pins[p.Lot] += p.Amount
			}
		}
		if h.State == HoldOpen && first == 0 {
			first = h.Seq
		}
		captured[h.Currency] += h.Captured
		b.checkHold(h, said, pinned)
	}
	for seq, said := range b.holds {
		b.bad("I7", 0, fmt.Sprintf("hold %d is missing: entries set %d aside and gave %d back", seq, said.made, said.freed), fmt.Sprintf("缺少冻结 %d：分录冻结 %d、解冻 %d", seq, said.made, said.freed))
	}
	for _, l := range b.stored {
		if l.Held != pins[l.Seq] {
			b.bad("I7", l.Currency, fmt.Sprintf("lot %d is pinned by %d, open holds pin %d", l.Seq, l.Held, pins[l.Seq]), fmt.Sprintf("批次 %d 冻结 %d，未结束的冻结合计 %d", l.Seq, l.Held, pins[l.Seq]))
		}
	}
	for _, w := range b.wallets {
		if captured[w.Currency] != b.taken[w.Currency] {
			b.bad("I7", w.Currency, fmt.Sprintf("holds say that %d were captured, entries %d", captured[w.Currency], b.taken[w.Currency]), fmt.Sprintf("冻结记录扣取 %d，分录为 %d", captured[w.Currency], b.taken[w.Currency]))
		}
	}
	if first > 0 && (b.account.FirstHold == 0 || b.account.FirstHold > first) {
		b.bad("I7", 0, fmt.Sprintf("hold %d is open, but the account looks from %d on", first, b.account.FirstHold), fmt.Sprintf("冻结 %d 未结束，但账户从 %d 起查找", first, b.account.FirstHold))
	}
}

// checkHold compares one hold with what its entries say.
func (b *book) checkHold(h *Hold, said *heldBy, pinned int64) {
	freed := int64(0)
	if h.State != HoldOpen {
		freed = h.Amount - h.Captured
	}
	ok := h.Amount == said.made && h.Amount == pinned && freed == said.freed && h.Captured >= 0 && h.Captured <= h.Amount
	if !ok || h.Captured > 0 != (h.State == HoldCaptured) {
		b.bad("I7", h.Currency,
			fmt.Sprintf("hold %d (%s) is over %d, of which %d captured, and pins %d; its entries set %d aside and gave %d back", h.Seq, h.State, h.Amount, h.Captured, pinned, said.made, said.freed),
			fmt.Sprintf("冻结 %d（%s）数额 %d、已扣取 %d、锁定 %d；分录冻结 %d、解冻 %d", h.Seq, h.State, h.Amount, h.Captured, pinned, said.made, said.freed))
	}
}
