package sale

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/program"
)

// Basket is a sale as a Step sees it: before the batch, without locked state.
type Basket struct {
	Sale      *Document
	Owner     member.ID // whose it is
	Explain   bool      // somebody wants to read the trace
	At        time.Time // the sale's own time
	Programme *program.Snapshot
	// Rate is what one unit of the sale's currency was worth on its day, in millionths;
	// 0 where nobody has said so.
	Rate int64
	// Under reports whether a category is another or lies below it.
	Under func(category, ancestor string) bool

	who   func(context.Context) (*cond.Member, error) // reads the owner's profile; nil where nobody owns the sale
	owner *cond.Member                                // what it read
	facts *cond.Facts
}

// Earning is what a rule gives for a sale.
type Earning struct {
	Currency    string  // code of the point currency
	Amount      int64   // not negative
	Weights     []int64 // how much each line has to do with it, in the order of the lines; none where no line has, and the step takes it back by itself
	Rule        string
	PendingDays int   // on top of none: 0 leaves it to the currency
	ExpiresMS   int64 // 0 leaves it to the currency
}

// Trace is one decision of a rule. Of the settings' own rule it has what it saw and what came
// out; of the rules above it has the whole way.
type Trace struct {
	Rule   string `json:"rule" doc:"The rule that decided: code and version; base is the settings' own." example:"double-tuesday@2"`
	Given  string `json:"given" doc:"What it saw, in one line."`
	Result string `json:"result" doc:"What came out, in one line."`

	NameEN   string      `json:"name_en,omitempty" doc:"Name of the rule in English."`
	NameZH   string      `json:"name_zh,omitempty" doc:"Name of the rule in Chinese."`
	Outcome  string      `json:"outcome,omitempty" enum:"given,capped,nothing,condition,calendar,scope,outdone,failed" doc:"given: what it says. capped: less, for a cap or the budget. nothing: the amount is too small. condition: it does not hold. calendar: not at this time. scope: no line, or not this store or channel. outdone: another rule of its group counts. failed: it or its group could not be worked out."`
	WhyEN    string      `json:"why_en,omitempty" doc:"How it came to that, in English."`
	WhyZH    string      `json:"why_zh,omitempty" doc:"How it came to that, in Chinese."`
	Steps    []TraceStep `json:"steps,omitempty" doc:"The parts of its conditions that decided."`
	Currency string      `json:"currency,omitempty" doc:"What it gives."`
	Basis    int64       `json:"basis,omitempty" doc:"What it reckons from: money in minor units of the programme's currency, points for a multiplier, or pieces."`
	Wanted   int64       `json:"wanted,omitempty" doc:"What it says, before caps."`
	Amount   int64       `json:"amount,omitempty" doc:"What it gives, in the currency's smallest unit."`
	Tag      string      `json:"tag,omitempty" doc:"The tag that it gives."`
}

// TraceStep is one part of a condition that decided.
type TraceStep struct {
	cond.Step
	WordsEN string `json:"words_en" doc:"The part in words, in English."`
	WordsZH string `json:"words_zh" doc:"The part in words, in Chinese."`
}

// baseRule gives points per amount, as the programme's settings say. It is pure: the same
// basket earns the same, whenever it is asked.
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
	trace := []Trace{{Rule: BaseRule, Given: given, Result: why, NameEN: "Settings", NameZH: "计划设置", Currency: rule.Currency, Basis: b.Worth(eligible), Wanted: amount, Amount: amount}}
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
