package tier

import (
	"github.com/patron-loyalty/patron/internal/kit/cond"
)

// Evidence is what counted for or against a tier: the days, what there was in them, what was
// asked. Rows of history keep it.
type Evidence struct {
	Tier string `json:"tier" doc:"The tier that was judged."`
	For  string `json:"for" enum:"qualify,keep" doc:"Whether to reach it or to keep it."`
	From string `json:"from,omitempty" doc:"The first day that counted; absent for all time."`
	To   string `json:"to" doc:"The last day that counted."`
	Any  bool   `json:"any,omitempty" doc:"Whether one of the parts is enough."`
	Met  bool   `json:"met" doc:"Whether it was enough."`
	// Parts are what was asked, each with what there was.
	Parts []Part `json:"parts" doc:"What was asked, each with what there was; empty where nothing is asked."`
}

// Part is one thing that was asked.
type Part struct {
	Metric   string `json:"metric" enum:"growth,spend,visits,condition" doc:"What is counted. spend is in minor units of the programme's currency."`
	Currency string `json:"currency,omitempty" doc:"Of growth: the code of the point currency."`
	Have     int64  `json:"have" doc:"What there was; of a condition 1 where it held."`
	Need     int64  `json:"need" doc:"What was asked."`
	Missing  int64  `json:"missing" doc:"What was missing, 0 where nothing was."`
	Text     string `json:"condition,omitempty" doc:"The condition."`
}

// criteria are what is asked for a tier, to reach it or to keep it.
func (l *Ladder) criteria(rank int, keeping bool) (*Criteria, *cond.Cond) {
	t := &l.Tiers[rank-1]
	if keeping && t.Keep != nil {
		return t.Keep, l.keep[rank-1]
	}
	return &t.Qualify, l.qualify[rank-1]
}

func (l *Ladder) window(keeping bool) Window {
	if keeping && l.KeepWindow != nil {
		return *l.KeepWindow
	}
	return l.Window
}

// keeps reports whether a tier is kept as seen from a day, with what was done through another.
func (e *evaluation) keeps(rank int, on, through Day) bool { return e.met(rank, true, on, through) }

// qualifies reports whether a tier is reached.
func (e *evaluation) qualifies(rank int, on, through Day) bool {
	return e.met(rank, false, on, through)
}

func (e *evaluation) met(rank int, keeping bool, on, through Day) bool {
	c, text := e.l.criteria(rank, keeping)
	if c.empty() {
		return true
	}
	from := e.l.window(keeping).from(on, e.in.Joined, e.out.Standing.From)
	sum := e.in.Sums.Between(e.l.currency, from, through+1)
	asked, met := 0, 0
	count := func(have, need int64) {
		if need > 0 {
			if asked++; have >= need {
				met++
			}
		}
	}
	count(sum.Growth, c.Growth)
	count(sum.Spend, c.Spend)
	count(sum.Visits, c.Visits)
	if text != nil && (asked == met || c.Any) && !(c.Any && met > 0) { // else it makes no difference
		asked++
		if e.holds(text, through) {
			met++
		}
	}
	if c.Any {
		return met > 0
	}
	return met == asked
}

func (e *evaluation) holds(c *cond.Cond, on Day) bool {
	ok, err := e.in.Sums.Holds(c, on)
	if err != nil {
		e.out.Failed = err
	}
	return ok && err == nil
}

// evidence is met in full, to be kept and shown.
func (e *evaluation) evidence(rank int, keeping bool, on, through Day) *Evidence {
	c, text := e.l.criteria(rank, keeping)
	from := e.l.window(keeping).from(on, e.in.Joined, e.out.Standing.From)
	sum := e.in.Sums.Between(e.l.currency, from, through+1)
	v := &Evidence{Tier: e.l.code(rank), For: "qualify", To: through.String(), Any: c.Any, Met: e.met(rank, keeping, on, through), Parts: []Part{}}
	if keeping {
		v.For = "keep"
	}
	if from > firstDay {
		v.From = from.String()
	}
	part := func(metric string, have, need int64) *Part {
		v.Parts = append(v.Parts, Part{Metric: metric, Have: have, Need: need, Missing: max(0, need-have)})
		return &v.Parts[len(v.Parts)-1]
	}
	if c.Growth > 0 {
		part("growth", sum.Growth, c.Growth).Currency = e.l.Currency
	}
	if c.Spend > 0 {
		part("spend", sum.Spend, c.Spend)
	}
	if c.Visits > 0 {
		part("visits", sum.Visits, c.Visits)
	}
	if text != nil {
		have := int64(0)
		if e.holds(text, through) {
			have = 1
		}
		part("condition", have, 1).Text = c.Condition
	}
	return v
}

// percent is how far the way is gone: of all parts the one that is furthest behind, of any the
// one that is furthest ahead.
func (v *Evidence) percent() int {
	if v.Met {
		return 100
	}
	best, worst := 0, 100
	for _, p := range v.Parts {
		n := int(100 * max(0, min(p.Have, p.Need)) / p.Need)
		best, worst = max(best, n), min(worst, n)
	}
	if v.Any {
		return best
	}
	return worst
}
