package rule

import (
	"strconv"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/sale"
)

// The outcomes of a decision.
const (
	OutGiven     = "given"     // it gives what it says
	OutCapped    = "capped"    // it gives less than it says, or nothing, for a cap or its budget
	OutNothing   = "nothing"   // it says nothing: the amount is too small
	OutCondition = "condition" // its condition does not hold
	OutCalendar  = "calendar"  // it does not count at this time
	OutScope     = "scope"     // no line, or not the store or channel, counts
	OutOutdone   = "outdone"   // another rule of its group counts
	OutFailed    = "failed"    // it, or a rule of its group, could not be worked out
)

// Decision is what one rule came to, and why.
type Decision = sale.Trace

// decisions tells how a plan was decided, in the order of deciding.
func (t *teller) decisions(out []*Outcome) []Decision {
	list := make([]Decision, 0, len(out))
	for _, o := range out {
		list = append(list, t.decision(o))
	}
	return list
}

func (t *teller) decision(o *Outcome) Decision {
	d := Decision{
		Rule: o.name, NameEN: o.def.NameEN, NameZH: o.def.NameZH, Outcome: o.why, Currency: o.def.Effect.Currency, Basis: o.Basis, Wanted: o.Wanted,
	}
	if o.chosen {
		d.Amount, d.Tag, d.Outcome = o.Amount, o.def.Effect.Tag, OutGiven
		if o.cap != nil {
			d.Outcome = OutCapped
		}
	}
	for i, s := range o.steps {
		kind := cond.OfLine // which knows the words of a sale too
		if o.def.Trigger.On != OnSale {
			kind = kindOf(o.def.Trigger.On)
		}
		w := t.words.Say(s.Text, kind)
		o.steps[i].WordsEN, o.steps[i].WordsZH = w.EN, w.ZH
	}
	d.Steps = o.steps
	why := t.why(o, d.Outcome)
	d.WhyEN, d.WhyZH = why.EN, why.ZH
	d.Given, d.Result = stepsText(d.Steps), d.Outcome+": "+why.EN
	return d
}

// why tells in one sentence how a rule came to what it gives.
func (t *teller) why(o *Outcome, outcome string) errs.Word {
	switch outcome {
	case OutCalendar:
		return errs.Word{EN: "It does not count at this time.", ZH: "当前时间不在规则有效期内。"}
	case OutScope:
		return errs.Word{EN: "Nothing in this sale is within its scope.", ZH: "本单没有符合适用范围的内容。"}
	case OutCondition:
		return errs.Word{EN: "Its condition does not hold.", ZH: "条件不满足。"}
	case OutFailed:
		if o.failedBy != nil && o.failedBy != o.compiled {
			return both("%s of its group could not be worked out.", "同组的 %s 无法计算。", same(o.failedBy.name))
		}
		reason := errs.Word{EN: "it could not be worked out", ZH: "无法计算"}
		if e := errs.As(o.fault); e != nil {
			reason = errs.Word{EN: e.Text("en"), ZH: e.Text("zh-CN")}
		}
		return both("It failed: %s", "计算失败：%s", reason)
	case OutOutdone:
		return both("%s counts instead, which gives %s.", "由 %s 计入，得 %s。", same(o.instead.name), t.points(o.instead.def.Effect.Currency, o.instead.Amount))
	}
	said := t.reckoned(o)
	switch outcome {
	case OutNothing:
		return both("%s: nothing.", "%s：不足一个单位。", said)
	case OutCapped:
		return both("%s; cut to %s by %s.", "%s；受%[3]s限制，得 %[2]s。", said, t.points(o.def.Effect.Currency, o.Amount), errs.Word{EN: o.cap.en, ZH: o.cap.zh})
	}
	return both("%s.", "%s。", said)
}

// reckoned writes the formula with its values.
func (t *teller) reckoned(o *Outcome) errs.Word {
	e := &o.def.Effect
	wanted := t.points(e.Currency, o.Wanted)
	switch e.Kind {
	case PerAmount:
		w := both("%s × %d for every %s = %s", "%[1]s，每 %[3]s 得 %[2]d，计 %[4]s", t.sum(o.Basis), e.Points, t.sum(e.Per), wanted)
		return t.carriedOver(o, w)
	case Multiplier:
		factor := errs.Word{EN: percentText(e.Percent - 100), ZH: percentText(e.Percent - 100)}
		return t.carriedOver(o, both("%s given before × %s = %s", "此前所得 %s × %s，计 %s", t.points(e.Currency, o.Basis), factor, wanted))
	case Steps:
		return both("%s on the scale = %s", "%s 对应阶梯，计 %s", t.sum(o.Basis), wanted)
	case Fixed:
		if e.Each == EachLine || e.Each == EachPiece {
			return both("%d × %s = %s", "%d × %s，计 %s", o.Basis, t.points(e.Currency, e.Points), wanted)
		}
		return wanted
	}
	return both("the tag “%s”", "标签“%s”", e.Tag)
}

// carriedOver adds what waits from now on.
func (t *teller) carriedOver(o *Outcome, w errs.Word) errs.Word {
	if !o.moved {
		return w
	}
	return both("%s, and %d/%d waits for the next time", "%s，余 %d/%d 结转", w, o.Carry, o.Of)
}

// percentText writes hundredths as a factor.
func percentText(n int64) string {
	s := strconv.FormatInt(n/100, 10)
	if n%100 == 0 {
		return s
	}
	return strings.TrimRight(s+"."+strconv.FormatInt(100+n%100, 10)[1:], "0")
}

// stepsText writes what was looked at in one line.
func stepsText(steps []sale.TraceStep) string {
	list := make([]string, len(steps))
	for i, s := range steps {
		if list[i] = s.Text; s.Value != "" {
			list[i] += " (" + s.Value + ")"
		}
	}
	return strings.Join(list, "; ")
}
