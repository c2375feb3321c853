package draw

import (
	"slices"
	"time"
)

// left says of a prize whether one more of it can be given, and where not, why.
type left func(p *Prize) (yes bool, why string)

// tableOf is the table that goes by the terms with what is left: the odds of what has run out go
// to the prize that the terms name instead of it, and else to nothing.
func (t *Terms) tableOf(is left) (odds []Odds, after int64, guarantee, why string) {
	can := map[string]bool{}
	for i := range t.Prizes {
		p := &t.Prizes[i]
		yes, because := is(p)
		can[p.Code] = yes
		if !yes && why == "" {
			why = because
		}
	}
	index := map[string]int{}
	for i, p := range t.Prizes {
		index[p.Code] = i
		odds = append(odds, Odds{Prize: p.Code})
	}
	for _, p := range t.Prizes {
		switch {
		case can[p.Code]:
			odds[index[p.Code]].Odds += p.Odds
		case can[p.Instead]:
			odds[index[p.Instead]].Odds += p.Odds
		}
	}
	if can[t.Guarantee.Prize] {
		after, guarantee = t.Guarantee.After, t.Guarantee.Prize
	}
	return odds, after, guarantee, why
}

// next is the table that comes into force with a play, if it says something else than now.
func (now *Table) next(t *Terms, is left, epoch, from, atMS int64, why string) (Table, bool) {
	odds, after, guarantee, because := t.tableOf(is)
	if now.Number > 0 && slices.Equal(odds, now.Odds) && after == now.After && guarantee == now.Guarantee {
		return Table{}, false
	}
	if why == "" {
		why = because
	}
	if why == "" { // something came back
		why = whyChanged
	}
	return Table{Number: now.Number + 1, Epoch: epoch, From: from, At: time.UnixMilli(atMS).UTC(), Why: why, Odds: odds, After: after, Guarantee: guarantee}, true
}

// Why a table is another than before.
const (
	whyPublished = "published"
	whyChanged   = "changed"
	whyStock     = "stock"
	whyBudget    = "budget"
)

// prize finds a prize by code, or nil.
func (t *Terms) prize(code string) *Prize {
	for i := range t.Prizes {
		if t.Prizes[i].Code == code {
			return &t.Prizes[i]
		}
	}
	return nil
}
