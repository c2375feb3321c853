package sale

import (
	"fmt"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// Basket is a sale as a Step sees it: before the batch, without locked state.
type Basket struct {
	Sale      *Document
	At        time.Time // the sale's own time
	Programme *program.Snapshot
	// Rate is what one unit of the sale's currency was worth on its day, in millionths;
	// 0 where nobody has said so.
	Rate int64
	// Under reports whether a category is another or lies below it.
	Under func(category, ancestor string) bool
}

// Earning is what a Step gives for a sale.
type Earning struct {
	Currency    string  // code of the point currency
	Amount      int64   // not negative
	Weights     []int64 // how much each line has to do with it, in the order of the lines
	Rule        string
	PendingDays int // on top of none: 0 leaves it to the currency
}

// Step works out what a sale earns. It is pure: the same basket earns the same, whenever
// it is asked. Trace lines say why, in the order of deciding.
type Step interface {
	Earn(b *Basket) ([]Earning, []Trace)
}

// Trace is one decision of a rule.
type Trace struct {
	Rule   string `json:"rule" doc:"The rule that decided."`
	Given  string `json:"given" doc:"What it saw."`
	Result string `json:"result" doc:"What came out."`
}

// baseRule gives points per amount, as the programme's settings say.
type baseRule struct{}

// BaseRule is the name under which the settings' own rule stands in entries and traces.
const BaseRule = "base"

// Earn takes the money of all lines but those of excluded categories, in the programme's
// currency at the rate of the sale's day, and rounds once for the whole sale:
//
//	points = round(eligible × rate × points ÷ per)
func (baseRule) Earn(b *Basket) ([]Earning, []Trace) {
	rule := b.Programme.Settings.Earning
	weights, eligible := b.eligible(rule.Excluded)
	given := fmt.Sprintf("eligible %d of %d %s", eligible, b.Sale.Total, b.Sale.Currency)
	amount, why := b.points(rule, eligible)
	trace := []Trace{{BaseRule, given, why}}
	if amount == 0 {
		return nil, trace
	}
	return []Earning{{Currency: rule.Currency, Amount: amount, Weights: weights, Rule: BaseRule, PendingDays: rule.PendingDays}}, trace
}

// eligible is what of each line earns, and the sum.
func (b *Basket) eligible(excluded []string) (weights []int64, sum int64) {
	for _, l := range b.Sale.Body.Lines {
		n := l.Amount
		for _, ex := range excluded {
			if b.Under(l.Category, ex) {
				n = 0
			}
		}
		weights = append(weights, n)
		sum += n
	}
	return weights, sum
}

// points computes the base rule's formula exactly and rounds once.
func (b *Basket) points(rule program.Earning, eligible int64) (int64, string) {
	switch {
	case rule.Points == 0:
		return 0, "sales earn nothing by themselves"
	case b.Rate == 0:
		return 0, "no rate for the day: nothing is earned"
	}
	from, err1 := money.Decimals(b.Sale.Currency)
	to, err2 := money.Decimals(b.Programme.Settings.Currency)
	if err1 != nil || err2 != nil {
		return 0, "unknown currency"
	}
	// No factor passes 63 bits: at most 10^12 × 10^4 money, 10^12 × 10^6 rate and points.
	up, down := b.Rate*rule.Points, rule.Per*program.RateOne
	for ; from < to; from++ {
		eligible *= 10
	}
	ok := true
	for ; from > to; from-- {
		ok = ok && down <= math.MaxInt64/10 // else far too much money for one point
		down *= 10
	}
	var n int64
	if ok {
		n, ok = money.MulDiv(eligible, up, down, rule.Rounding)
	}
	if !ok {
		return 0, "past the limit"
	}
	return n, fmt.Sprintf("%d points per %d, rate %d.%06d, %s: %d", rule.Points, rule.Per, b.Rate/program.RateOne, b.Rate%program.RateOne, rule.Rounding, n)
}
