package cond

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Fact is something about a member that costs a look-up, registered by the noun that can do
// it: member.NAME(text, days). A condition calls it with fixed arguments, Needs lists the
// calls, and whoever evaluates hands in the values.
type Fact struct {
	Name    string // "member.spend"
	Text    *Arg   // the text argument, or nil
	Days    bool   // takes a window in days as its last argument, and may be called without it: ever
	Type    Type   // Whole, Number, Money, Text, YesNo or Date
	EN, ZH  string // what it is, in a few words
	Example string // a condition of kind OfMember that compiles
}

// Arg is the text argument of a fact.
type Arg struct {
	EN, ZH string
	Values []string // the only ones that compile; nil accepts any
}

// The names of the facts of Standard.
const (
	FactPoints  = "member.points"
	FactEarned  = "member.earned"
	FactSpend   = "member.spend"
	FactVisits  = "member.visits"
	FactSpentOn = "member.spent_on"
	FactBought  = "member.bought"
	FactEvents  = "member.events"
)

// Standard is the facts that every programme has, for the codes of its currencies.
//
// A window of n days is today and the n-1 days before it, by the programme's calendar. What a
// sale asks is answered without the sale itself: as it was before. Returns are taken off.
func Standard(currencies []string) []Fact {
	currency := &Arg{EN: "currency of points", ZH: "积分币种", Values: currencies}
	code := "POINTS"
	if len(currencies) > 0 {
		code = currencies[0]
	}
	category := &Arg{EN: "category", ZH: "品类"}
	return []Fact{
		{Name: FactPoints, Text: currency, Type: Whole, Example: "member.points(" + quote(code) + ") >= 100",
			EN: "What the member can use of a currency now, in its smallest unit", ZH: "会员某币种当前可用余额（最小单位）"},
		{Name: FactEarned, Text: currency, Days: true, Type: Whole, Example: "member.earned(" + quote(code) + ", 365) >= 1000",
			EN: "What the member earned of a currency", ZH: "会员获得的某币种数量"},
		{Name: FactSpend, Days: true, Type: Money, Example: `member.spend(90) >= money("1000")`,
			EN: "What the member paid in all purchases", ZH: "会员消费金额"},
		{Name: FactVisits, Days: true, Type: Whole, Example: `member.visits(30) >= 3`,
			EN: "How many purchases the member made", ZH: "会员消费次数"},
		{Name: FactSpentOn, Text: category, Days: true, Type: Money, Example: `member.spent_on("coffee", 90) >= money("200")`,
			EN: "What the member paid for a category and those below it", ZH: "会员在品类及其下级的消费金额"},
		{Name: FactBought, Text: category, Days: true, Type: Number, Example: `member.bought("coffee", 30) >= 10`,
			EN: "How many pieces of a category and those below it the member bought", ZH: "会员购买品类及其下级的件数"},
		{Name: FactEvents, Text: &Arg{EN: "type of event", ZH: "事件类型"}, Days: true, Type: Whole, Example: `member.events("visit", 7) == 0`,
			EN: "How many events of a type the member had", ZH: "会员发生某类事件的次数"},
	}
}

// word makes a fact a function of member.
func (f Fact) word() word {
	w := word{on: memberType, name: f.Name[len("member."):], typ: f.Type, en: f.EN, zh: f.ZH, eg: f.Example, fact: true}
	if f.Text != nil {
		w.args = append(w.args, Param{Type: Text, EN: f.Text.EN, ZH: f.Text.ZH, Values: f.Text.Values})
	}
	if f.Days {
		w.args = append(w.args, Param{Type: Whole, EN: "days, today included; ever if left out", ZH: "天数（含今天），省略为累计", Optional: true})
	}
	zero := f.Type.zero()
	w.call = func(o *object, args []ref.Val) ref.Val {
		need := needOf(f.Name, args)
		v, ok := o.facts.Found[need]
		switch {
		case !ok:
			return types.WrapErr(ErrFacts.With("name", need.String()))
		case v.val == nil:
			return zero
		case v.val.Type() != zero.Type():
			return types.WrapErr(ErrFacts.With("name", need.String()+" of type "+string(f.Type)))
		}
		return v.val
	}
	return w
}

// needOf is the Need of a call: a text, days, both or neither.
func needOf(fact string, args []ref.Val) Need {
	n := Need{Fact: fact}
	for _, a := range args {
		switch a := a.(type) {
		case types.String:
			n.Text = string(a)
		case types.Int:
			n.Days = int64(a)
		}
	}
	return n
}
