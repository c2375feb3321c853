// Package tier keeps the standing of members: ladders of tiers, who stands on which rung, since
// when and until when, and why.
//
// # Life
//
// A scheme is one ladder. It is written as a draft, tried on all members (what-if), and published:
// then it is live, and its versions are kept. A programme has any number of schemes; one of them
// is the main one, whose tier stands on the member's card and answers conditions.
//
// A member's standing in a scheme changes by one pure function, Evaluate: after each sale and
// return in the same batch, soon after growth value moved otherwise, and when a day comes on which
// time alone changes something (the end of a term, of a grace, of a lock). A standing knows that
// day, its next look, so that the daily run takes only those for whom it has come.
//
// # Laws
//
//   - The same sums, rules, day and standing give the same outcome, whoever asks.
//   - Who reaches a tier has it at once and keeps it until the end of its term: neither a return
//     (unless the scheme says so) nor an edit of the rules takes it away before.
//   - A lock moves by nobody's rules until its end.
//   - A welcome bonus is paid once for a member, a tier and a cycle.
//   - Every change has a row of history with the sums that counted. The last row of a scheme says
//     the tier in which the member stands.
//   - What a purchase or a return counts for is decided by the day of the purchase.
package tier

import (
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/sale"
)

// The bounds of schemes: all of them are held in memory, and every sale looks at each.
const (
	maxSchemes = 10
	maxTiers   = 20
	maxMonths  = 120
	maxGrace   = 366 // days
	maxText    = 2_000
)

// Scheme is one ladder of tiers, as it is written down: everything by code, nothing by number.
type Scheme struct {
	Code   string `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Its short name, unique and for ever." example:"club"`
	NameEN string `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"120" doc:"Its name in English; the Chinese one where left out."`
	NameZH string `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"120" doc:"Its name in Chinese; the English one where left out."`
	Main   bool   `json:"main,omitempty" yaml:"main,omitempty" doc:"Whether this is the ladder that cards, sales and conditions mean by the tier. One live scheme is."`

	Currency   string    `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"The point currency whose earnings are the growth value of this scheme."`
	Window     Window    `json:"window" yaml:"window" doc:"Over which time a member qualifies for a tier."`
	KeepWindow *Window   `json:"keep_window,omitempty" yaml:"keep_window,omitempty" doc:"Over which time a member has to keep it; as window where it is left out."`
	Term       Term      `json:"term" yaml:"term" doc:"For how long a tier that was reached is held."`
	GraceDays  int       `json:"grace_days,omitempty" yaml:"grace_days,omitempty" minimum:"0" maximum:"366" doc:"Days after the end of a term in which the tier is still held and can still be kept."`
	Downgrade  Downgrade `json:"downgrade" yaml:"downgrade" enum:"none,one_step,reassess" doc:"What becomes of who does not keep a tier: none (it stays), one_step (the next lower), reassess (the best that they have earned)."`
	// OnReturn lets a return take back a tier within its term.
	OnReturn    bool `json:"drop_on_return,omitempty" yaml:"drop_on_return,omitempty" doc:"Whether a return takes a tier back at once where what is left would not have reached it."`
	WarnDays    int  `json:"warn_days,omitempty" yaml:"warn_days,omitempty" minimum:"0" maximum:"366" doc:"How many days before the end of a term who would not keep it is told (event tier.about_to_drop); 0 for never."`
	NearPercent int  `json:"near_percent,omitempty" yaml:"near_percent,omitempty" minimum:"0" maximum:"99" doc:"From which part of the way to the next tier on a member is told (event tier.near_upgrade), in percent; 0 for never."`

	Tiers []Tier `json:"tiers" yaml:"tiers" minItems:"1" maxItems:"20" doc:"The rungs, the lowest first. One without conditions at the bottom is everybody's."`
}

// Tier is one rung of a ladder. Its rank is its place, from 1.
type Tier struct {
	Code     string    `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Its short name, unique in the scheme and for ever." example:"gold"`
	NameEN   string    `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"120" doc:"Its name in English; the Chinese one where left out."`
	NameZH   string    `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"120" doc:"Its name in Chinese; the English one where left out."`
	Color    string    `json:"color,omitempty" yaml:"color,omitempty" pattern:"^(#[0-9a-fA-F]{6})?$" doc:"Colour of its card." example:"#C9A227"`
	Icon     string    `json:"icon,omitempty" yaml:"icon,omitempty" maxLength:"40" doc:"Name of its icon."`
	Qualify  Criteria  `json:"qualify,omitempty" yaml:"qualify,omitempty" doc:"What a member must have to reach it."`
	Keep     *Criteria `json:"keep,omitempty" yaml:"keep,omitempty" doc:"What a member must have to keep it at the end of a term; as qualify where it is left out."`
	Benefits Benefits  `json:"benefits,omitempty" yaml:"benefits,omitempty" doc:"What it gives."`
	Welcome  *Bonus    `json:"welcome,omitempty" yaml:"welcome,omitempty" doc:"Points on reaching it, once in a cycle."`
}

// Criteria are what is asked of a member. What is 0 or empty is not asked; where nothing is,
// everybody meets them.
type Criteria struct {
	Any       bool   `json:"any,omitempty" yaml:"any,omitempty" doc:"Whether one of them is enough; otherwise all must be met."`
	Growth    int64  `json:"growth,omitempty" yaml:"growth,omitempty" minimum:"0" maximum:"1000000000000" doc:"So much earned of the scheme's currency, in its smallest unit."`
	Spend     int64  `json:"spend,omitempty" yaml:"spend,omitempty" minimum:"0" maximum:"1000000000000" doc:"So much paid, in minor units of the programme's currency."`
	Visits    int64  `json:"visits,omitempty" yaml:"visits,omitempty" minimum:"0" maximum:"1000000" doc:"So many purchases."`
	Condition string `json:"condition,omitempty" yaml:"condition,omitempty" maxLength:"8000" doc:"A condition on the member, as rules write them."`
}

func (c Criteria) empty() bool {
	return c.Growth == 0 && c.Spend == 0 && c.Visits == 0 && c.Condition == ""
}

// Benefits are what a tier gives.
type Benefits struct {
	Multiplier   int64      `json:"earn_multiplier,omitempty" yaml:"earn_multiplier,omitempty" minimum:"0" maximum:"100000" doc:"What earning rules multiply by, in thousandths: 1500 is × 1.5; 0 stands for 1000."`
	Discount     int64      `json:"discount_percent,omitempty" yaml:"discount_percent,omitempty" minimum:"0" maximum:"100" doc:"Discount at the till in percent."`
	Scope        sale.Scope `json:"discount_scope,omitzero" yaml:"discount_scope,omitempty" doc:"What the discount is on; the whole basket where absent."`
	BirthdayGift bool       `json:"birthday_gift,omitempty" yaml:"birthday_gift,omitempty" doc:"A gift on the birthday."`
	FreeDelivery bool       `json:"free_delivery,omitempty" yaml:"free_delivery,omitempty" doc:"Free delivery."`
	Priority     bool       `json:"service_priority,omitempty" yaml:"service_priority,omitempty" doc:"Served first by customer service."`
	TextEN       string     `json:"text_en,omitempty" yaml:"text_en,omitempty" maxLength:"2000" doc:"What else it gives, in English; a line each."`
	TextZH       string     `json:"text_zh,omitempty" yaml:"text_zh,omitempty" maxLength:"2000" doc:"What else it gives, in Chinese; a line each."`
}

// milli is the multiplier with its default.
func (b Benefits) milli() int64 {
	if b.Multiplier == 0 {
		return 1000
	}
	return b.Multiplier
}

// Bonus is points on reaching a tier.
type Bonus struct {
	Currency string `json:"currency" yaml:"currency" minLength:"1" maxLength:"40" doc:"Of which point currency."`
	Amount   int64  `json:"amount" yaml:"amount" minimum:"1" maximum:"1000000000" doc:"How much, in its smallest unit."`
}

// Downgrade says what becomes of who does not keep a tier.
type Downgrade string

// The ways down.
const (
	Never    Downgrade = "none"
	OneStep  Downgrade = "one_step"
	Reassess Downgrade = "reassess"
)

// Kind says what a change of standing was.
type Kind string

// The kinds of change.
const (
	Upgraded   Kind = "upgraded"
	Downgraded Kind = "downgraded"
	Kept       Kind = "kept" // a term ended and the next one began
	Left       Kind = "left" // stands in no tier any more
	Set        Kind = "set"  // by hand; what it was otherwise stands in the event
	Unlocked   Kind = "unlocked"
)

// The refusals.
var (
	ErrNoScheme  = errs.New(errs.NotFound, "tier.no_scheme", "There is no such tier scheme.", "没有这个等级体系。")
	ErrNoTier    = errs.New(errs.Invalid, "tier.no_tier", "The scheme has no tier {tier}.", "该等级体系中没有等级 {tier}。")
	ErrTaken     = errs.New(errs.Conflict, "tier.code_taken", "There is a tier scheme with this code already.", "该代码的等级体系已存在。")
	ErrSchemes   = errs.New(errs.Conflict, "tier.schemes", "There may be no more than {most} tier schemes.", "等级体系不能超过 {most} 个。")
	ErrChanged   = errs.New(errs.Conflict, "tier.changed", "The scheme was changed by someone else; read it again.", "该等级体系已被他人修改，请重新读取。")
	ErrNoDraft   = errs.New(errs.Conflict, "tier.no_draft", "There is no draft to publish.", "没有可发布的草稿。")
	ErrEnded     = errs.New(errs.Conflict, "tier.ended", "The scheme has ended.", "该等级体系已结束。")
	ErrName      = errs.New(errs.Invalid, "tier.name", "Give a name in one language at least.", "请至少填写一种语言的名称。")
	ErrCode      = errs.New(errs.Invalid, "tier.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成。")
	ErrTwice     = errs.New(errs.Invalid, "tier.twice", "Two tiers have the code {tier}.", "有两个等级的代码都是 {tier}。")
	ErrOrder     = errs.New(errs.Invalid, "tier.order", "Only the lowest tier may ask for nothing; {tier} stands higher.", "只有最低等级可以没有条件；{tier} 不是最低等级。")
	ErrGrowth    = errs.New(errs.Invalid, "tier.growth", "Growth value is asked for, and the scheme names no currency of it.", "条件要求成长值，但等级体系未指定成长值币种。")
	ErrWindow    = errs.New(errs.Invalid, "tier.window", "A calendar window needs a period, and a rolling one its months, from 1 to {most}.", "自然周期须选择周期，滚动窗口须填写 1 至 {most} 个月。")
	ErrTerm      = errs.New(errs.Invalid, "tier.term", "A term by the calendar needs a period, and one by months their number, from 1 to {most}.", "按自然周期的有效期须选择周期，按月的有效期须填写 1 至 {most} 个月。")
	ErrMain      = errs.New(errs.Conflict, "tier.main", "{scheme} is the main scheme; there is only one. End it or make it no main one first.", "{scheme} 已是主等级体系，主体系只能有一个。请先结束它或取消其主体系标记。")
	ErrFacts     = errs.New(errs.Invalid, "tier.facts", "A condition of a tier may ask for points, earned, spend and visits, not for {fact}.", "等级条件可使用 points、earned、spend、visits，不能使用 {fact}。")
	ErrReason    = errs.New(errs.Invalid, "tier.reason", "Say why, in 1 to 500 characters.", "请填写原因（1 至 500 个字符）。")
	ErrUntil     = errs.New(errs.Invalid, "tier.until", "The day must lie ahead.", "日期须在今天之后。")
	ErrNoLock    = errs.New(errs.Conflict, "tier.no_lock", "The member's tier is not locked.", "该会员的等级未被锁定。")
	ErrNoTry     = errs.New(errs.NotFound, "tier.no_try", "There is no such what-if.", "没有这次试算。")
	ErrNoMain    = errs.New(errs.Conflict, "tier.no_main", "There is no main tier scheme that is live.", "没有生效的主等级体系。")
	ErrOtherText = errs.New(errs.Invalid, "tier.text", "A text has at most {most} characters.", "文字最多 {most} 个字符。")
)
