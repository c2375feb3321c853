// Package rule holds the earning rules: what a purchase, an event or a date gives to a member.
//
// # Life
//
// A rule begins as a draft, which may be tried and back-tested. Publishing makes a version of
// it, which counts from an instant on: a rule whose first version is yet to come is scheduled,
// then it is live. It may be paused and resumed, and is ended for good. A change of a published
// rule is a draft beside it until it is published as the next version. Versions are kept.
//
// # Laws
//
//   - A rule is pure: what it gives follows from the facts, the member's use of it and what is
//     left of its budget. Live posting, dry run, try and back-test evaluate the same function.
//   - What counts is the version that was live at the sale's own time. A return takes back the
//     shares that were stored with its sale, so it knows nothing of versions.
//   - Stages run in ascending order. What a rule multiplies was given before its stage, so rules
//     of one stage do not depend on each other, nor on their order.
//   - A rule rounds once. Where it carries, what was rounded off waits with the member.
//   - A cap is never passed. A sale returned whole gives back what it used of caps and budget.
//   - A rule that cannot be worked out is skipped with its group, and recorded; the sale stands.
package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
)

// Bounds.
const (
	maxRules    = 1_000 // all are held in memory, compiled
	maxVersions = 1_000 // of one rule
	maxGroups   = 200
	maxList     = 500 // skus, categories, brands or stores of one list
	maxText     = 2_000
	maxName     = 100
	maxPoints   = 1_000_000_000_000 // smallest units of a currency; far below what an entry takes
	maxRate     = 1_000_000         // points of a rate, so that amount × points stays in 63 bits
	maxPer      = 1_000_000_000
	maxSteps    = 20
	maxStage    = 99
	maxPriority = 999
	maxDays     = 3_660
	prefix      = "rul_"
)

// ID is the public id of a rule.
func ID(n int64) string { return id.Encode(prefix, 0, n) }

// Name is how entries, traces and answers name a rule: its code and version.
func Name(code string, version int64) string { return fmt.Sprintf("%s@%d", code, version) }

// Definition is all that a rule says. It is named by its code, never by an id, so that it can
// stand in a file.
type Definition struct {
	Code          string  `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9][a-z0-9_-]*$" doc:"Short name, unique and fixed: entries bear it." example:"double-tuesday"`
	NameEN        string  `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"Name in English; one of the two is needed."`
	NameZH        string  `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Name in Chinese."`
	DescriptionEN string  `json:"description_en,omitempty" yaml:"description_en,omitempty" maxLength:"2000" doc:"For colleagues, in English."`
	DescriptionZH string  `json:"description_zh,omitempty" yaml:"description_zh,omitempty" maxLength:"2000" doc:"For colleagues, in Chinese."`
	Trigger       Trigger `json:"trigger" yaml:"trigger" doc:"What sets it off."`
	Condition     string  `json:"condition,omitempty" yaml:"condition,omitempty" maxLength:"8000" doc:"What must hold, as text in CEL; empty: always." example:"member.tier.rank >= 2"`
	Scope         Scope   `json:"scope,omitzero,omitempty" yaml:"scope,omitempty" doc:"Which sales and which of their lines; empty: all."`
	Effect        Effect  `json:"effect" yaml:"effect" doc:"What it gives."`
	Valid         Valid   `json:"valid,omitzero,omitempty" yaml:"valid,omitempty" doc:"When it counts, in the programme's zone; every list that is not empty must agree."`
	Caps          Caps    `json:"caps,omitzero,omitempty" yaml:"caps,omitempty" doc:"The most that it gives; 0 is without a bound."`
	Stack         Stack   `json:"stack,omitzero,omitempty" yaml:"stack,omitempty" doc:"How it goes together with other rules."`
}

// The triggers.
const (
	OnSale        = "sale"
	OnEvent       = "event"
	OnJoined      = "joined"
	OnBirthday    = "birthday"
	OnAnniversary = "anniversary"
	OnSchedule    = "schedule"
	OnTier        = "tier_reached"
	OnProfile     = "profile_completed"
)

// Trigger is what sets a rule off.
type Trigger struct {
	On         string  `json:"on" yaml:"on" enum:"sale,event,joined,birthday,anniversary,schedule,tier_reached,profile_completed" doc:"schedule: each day on which the rule is valid."`
	Event      string  `json:"event,omitempty" yaml:"event,omitempty" maxLength:"64" doc:"Of event: its type." example:"visit"`
	Tier       string  `json:"tier,omitempty" yaml:"tier,omitempty" maxLength:"40" doc:"Of tier_reached: the code of the tier; empty for any."`
	Years      []int64 `json:"years,omitempty" yaml:"years,omitempty,flow" maxItems:"100" doc:"Of anniversary: only these, in years since joining; empty for each."`
	DaysBefore int64   `json:"days_before,omitempty" yaml:"days_before,omitempty" minimum:"0" maximum:"60" doc:"Of birthday: so many days ahead."`
}

// Scope says which sales and lines count. A line counts if it is in one of the lists of skus,
// categories and brands (or all three are empty), in none of those that are left out, and meets
// the line's condition.
type Scope struct {
	Stores        []string `json:"stores,omitempty" yaml:"stores,omitempty,flow" maxItems:"500" doc:"Codes of stores; empty for all."`
	Channels      []string `json:"channels,omitempty" yaml:"channels,omitempty,flow" maxItems:"500" doc:"Where the customer bought, such as online; empty for all."`
	SKUs          []string `json:"skus,omitempty" yaml:"skus,omitempty,flow" maxItems:"500" doc:"Products."`
	Categories    []string `json:"categories,omitempty" yaml:"categories,omitempty,flow" maxItems:"500" doc:"Categories, with those below them."`
	Brands        []string `json:"brands,omitempty" yaml:"brands,omitempty,flow" maxItems:"500" doc:"Brands."`
	NotSKUs       []string `json:"not_skus,omitempty" yaml:"not_skus,omitempty,flow" maxItems:"500" doc:"Products that are left out."`
	NotCategories []string `json:"not_categories,omitempty" yaml:"not_categories,omitempty,flow" maxItems:"500" doc:"Categories that are left out, with those below them."`
	NotBrands     []string `json:"not_brands,omitempty" yaml:"not_brands,omitempty,flow" maxItems:"500" doc:"Brands that are left out."`
	Line          string   `json:"line,omitempty" yaml:"line,omitempty" maxLength:"8000" doc:"What a line must meet, as text in CEL of the kind line; empty: nothing." example:"line.quantity >= 2"`
}

// The kinds of effects.
const (
	PerAmount  = "per_amount"
	Fixed      = "fixed"
	Multiplier = "multiplier"
	Steps      = "steps"
	Tag        = "tag"
)

// Of fixed points: how often.
const (
	Once      = "once"
	EachLine  = "line"
	EachPiece = "piece"
)

// Effect is what a rule gives.
type Effect struct {
	Kind     string `json:"kind" yaml:"kind" enum:"per_amount,fixed,multiplier,steps,tag" doc:"per_amount: points for every per of money. fixed: points once, for each line or for each piece. multiplier: (factor − 1) × what was given before. steps: by how much was bought. tag: a tag on the member."`
	Currency string `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"Code of the point currency; one of the kind growth is growth value. Not of tag."`
	Points   int64  `json:"points,omitempty" yaml:"points,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of per_amount (up to 1,000,000) and fixed: how many, in the currency's smallest unit."`
	Per      int64  `json:"per,omitempty" yaml:"per,omitempty" minimum:"0" maximum:"1000000000" doc:"Of per_amount: for every so much money, in minor units of the programme's currency."`
	Each     string `json:"each,omitempty" yaml:"each,omitempty" enum:"once,line,piece" doc:"Of fixed: once a sale (the default), for each line, or for each whole piece."`
	Percent  int64  `json:"percent,omitempty" yaml:"percent,omitempty" minimum:"0" maximum:"10000" doc:"Of multiplier: the factor in hundredths; 200 is double, so the rule gives as much again."`
	Steps    []Step `json:"steps,omitempty" yaml:"steps,omitempty" maxItems:"20" doc:"Of steps: ascending. Either all have points alone, and the highest that is reached counts; or all have per too, and each part of the amount earns by its own step."`
	Tag      string `json:"tag,omitempty" yaml:"tag,omitempty" maxLength:"60" doc:"Of tag: the tag."`

	Rounding       money.Rounding `json:"rounding,omitempty" yaml:"rounding,omitempty" enum:"floor,half_up,half_even,ceil" doc:"What becomes of a fraction of the smallest unit, once for the whole rule; floor where absent."`
	Carry          bool           `json:"carry,omitempty" yaml:"carry,omitempty" doc:"Keep the fraction with the member for the next time; rounds down."`
	EarnsOnPoints  bool           `json:"earns_on_points,omitempty" yaml:"earns_on_points,omitempty" doc:"The part of a sale that was paid with points earns too."`
	EarnsOnCoupons bool           `json:"earns_on_coupons,omitempty" yaml:"earns_on_coupons,omitempty" doc:"The part of a sale that was paid with coupons earns too."`
	PendingDays    int64          `json:"pending_days,omitempty" yaml:"pending_days,omitempty" minimum:"0" maximum:"365" doc:"Days until the points can be used; 0 leaves it to the currency."`
	ExpiresAfter   int64          `json:"expires_after_days,omitempty" yaml:"expires_after_days,omitempty" minimum:"0" maximum:"3660" doc:"The points end with this day after that on which they become usable; 0 leaves it to the currency."`
}

// Step is one step of a scale.
type Step struct {
	From   int64 `json:"from" yaml:"from" minimum:"0" maximum:"1000000000000" doc:"From so much money on, in minor units of the programme's currency."`
	Points int64 `json:"points" yaml:"points" minimum:"0" maximum:"1000000000000" doc:"Points: in all, or for every per."`
	Per    int64 `json:"per,omitempty" yaml:"per,omitempty" minimum:"0" maximum:"1000000000" doc:"For every so much of the money between this step and the next."`
}

// Valid says when a rule counts, by the sale's own time in the programme's zone.
type Valid struct {
	From      string   `json:"from,omitempty" yaml:"from,omitempty" maxLength:"40" doc:"The first instant; a date is its first."`
	Until     string   `json:"until,omitempty" yaml:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer counts; a date is its first."`
	Weekdays  []int64  `json:"weekdays,omitempty" yaml:"weekdays,omitempty,flow" maxItems:"7" doc:"1 is Monday, 7 is Sunday."`
	Hours     []Hours  `json:"hours,omitempty" yaml:"hours,omitempty" maxItems:"24" doc:"Times of day; one that ends before it begins runs past midnight."`
	MonthDays []int64  `json:"month_days,omitempty" yaml:"month_days,omitempty,flow" maxItems:"31" doc:"Days of the month, 1 to 31; -1 is the last one, -2 the one before."`
	Dates     []string `json:"dates,omitempty" yaml:"dates,omitempty,flow" maxItems:"500" doc:"Days as 2026-11-11, or of each year as 11-11. A day among dates or festivals will do."`
	Festivals []string `json:"festivals,omitempty" yaml:"festivals,omitempty,flow" maxItems:"50" doc:"Festivals of the Chinese calendar, as the vocabulary lists them for now.festival."`
}

// Hours is a time of day that may pass midnight.
type Hours struct {
	From  string `json:"from" yaml:"from" maxLength:"5" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"The first minute." example:"14:00"`
	Until string `json:"until" yaml:"until" maxLength:"5" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"The first minute after it." example:"17:00"`
}

// Caps bound what a rule gives, in the smallest unit of its currency. Weeks begin on Monday.
// What was returned counts no more.
type Caps struct {
	Sale       int64 `json:"sale,omitempty" yaml:"sale,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for one sale or event."`
	Day        int64 `json:"day,omitempty" yaml:"day,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for a member in a day, by the sale's own time."`
	Week       int64 `json:"week,omitempty" yaml:"week,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for a member in a week."`
	Month      int64 `json:"month,omitempty" yaml:"month,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for a member in a calendar month."`
	Ever       int64 `json:"ever,omitempty" yaml:"ever,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for a member, ever."`
	TimesDay   int64 `json:"times_day,omitempty" yaml:"times_day,omitempty" minimum:"0" maximum:"1000000" doc:"How often for a member in a day."`
	TimesWeek  int64 `json:"times_week,omitempty" yaml:"times_week,omitempty" minimum:"0" maximum:"1000000" doc:"How often for a member in a week."`
	TimesMonth int64 `json:"times_month,omitempty" yaml:"times_month,omitempty" minimum:"0" maximum:"1000000" doc:"How often for a member in a calendar month."`
	TimesEver  int64 `json:"times_ever,omitempty" yaml:"times_ever,omitempty" minimum:"0" maximum:"1000000" doc:"How often for a member, ever."`
	Budget     int64 `json:"budget,omitempty" yaml:"budget,omitempty" minimum:"0" maximum:"1000000000000" doc:"Points for all members together."`
}

// ofMember reports whether something is counted for each member.
func (c Caps) ofMember() bool { return c.windows() || c.Ever > 0 || c.TimesEver > 0 }

// windows reports whether something is counted by day.
func (c Caps) windows() bool {
	return c.Day > 0 || c.Week > 0 || c.Month > 0 || c.TimesDay > 0 || c.TimesWeek > 0 || c.TimesMonth > 0
}

// What a multiplier multiplies.
const (
	Initial = "initial"
	Running = "running"
)

// Stack says how a rule goes together with others.
type Stack struct {
	Stage    int64  `json:"stage,omitempty" yaml:"stage,omitempty" minimum:"0" maximum:"99" doc:"Stages run one after the other, the lowest first. A rule in a group has the group's."`
	Group    string `json:"group,omitempty" yaml:"group,omitempty" maxLength:"40" doc:"Code of the group of rules of which all, the first, the best or the least count."`
	Priority int64  `json:"priority,omitempty" yaml:"priority,omitempty" minimum:"0" maximum:"999" doc:"Within a group that counts the first: the lowest first; among equals by code."`
	Base     string `json:"base,omitempty" yaml:"base,omitempty" enum:"initial,running" doc:"What a multiplier multiplies. initial: what the settings' own rule and the rules without a multiplier gave before its stage. running (the default): all that was given before its stage."`
}

// The modes of groups.
const (
	All   = "all"
	First = "first"
	Best  = "best"
	Least = "least"
)

// Group is rules of which only some may count together. All of them run in its stage.
type Group struct {
	Code     string `json:"code" yaml:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9][a-z0-9_-]*$" doc:"Short name, unique and fixed."`
	NameEN   string `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"Name in English; one of the two is needed."`
	NameZH   string `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Name in Chinese."`
	Mode     string `json:"mode" yaml:"mode" enum:"all,first,best,least" doc:"Which of its rules count: all, the first by priority that gives anything, the one that gives most, or the one that gives least (but something)."`
	Stage    int64  `json:"stage" yaml:"stage" minimum:"0" maximum:"99" doc:"When they run."`
	Revision int64  `json:"revision,omitempty" yaml:"-" doc:"Grows at every change; where it is given, another one meanwhile is a conflict."`
}

// The refusals.
var (
	ErrUnknown  = errs.New(errs.NotFound, "rule.unknown", "There is no such rule.", "没有这条规则。")
	ErrTaken    = errs.New(errs.Conflict, "rule.code_taken", "There is a rule with this code already.", "该编码的规则已存在。")
	ErrCode     = errs.New(errs.Invalid, "rule.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores, begins with a letter or digit, and does not change; “base” is taken by the settings.", "编码由 1 至 40 个小写字母、数字、横线或下划线组成，以字母或数字开头，且不可更改；base 为设置保留。")
	ErrName     = errs.New(errs.Invalid, "rule.name", "A rule needs a name in English or Chinese.", "规则需要英文或中文名称。")
	ErrPart     = errs.New(errs.Invalid, "rule.part", "{reason}.", "{reason}。")
	ErrEdited   = errs.New(errs.Conflict, "rule.edited", "Somebody has changed this meanwhile; read it again.", "内容已被他人修改，请重新读取。")
	ErrState    = errs.New(errs.Conflict, "rule.state", "This cannot be done: the rule is {state}.", "无法操作：规则状态为{state}。")
	ErrNoDraft  = errs.New(errs.Conflict, "rule.no_draft", "There is no change to publish.", "没有待发布的修改。")
	ErrFrom     = errs.New(errs.Invalid, "rule.from", "A version cannot count from before the version that it follows.", "新版本的生效时间不能早于上一版本。")
	ErrMany     = errs.New(errs.Conflict, "rule.many", "There may be no more than {most} of these.", "数量不能超过 {most} 个。")
	ErrGroup    = errs.New(errs.NotFound, "rule.group_unknown", "There is no such group of rules.", "没有这个规则组。")
	ErrGroupUse = errs.New(errs.Conflict, "rule.group_in_use", "Rules belong to this group: {rules}.", "仍有规则属于该组：{rules}。")
)

// part refuses a part of a definition and names the field.
func part(at, en, zh string) error {
	return ErrPart.With("reason", errs.Word{EN: en, ZH: zh}).At("body." + at)
}

var codes = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// check brings a definition into its one form and refuses what contradicts itself. What has to
// be compiled, and what names other things, is looked at by compile.
func (d *Definition) check(zone *time.Location) error {
	if !codes.MatchString(d.Code) || d.Code == "base" {
		return ErrCode.At("body.code")
	}
	d.NameEN, d.NameZH = bothNames(d.NameEN, d.NameZH)
	if d.NameEN == "" || utf8.RuneCountInString(d.NameEN) > maxName || utf8.RuneCountInString(d.NameZH) > maxName {
		return ErrName.At("body.name_en")
	}
	for _, check := range []func() error{d.Trigger.check, d.Scope.check, d.checkEffect, func() error { return d.Valid.check(zone) }, d.checkStack} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// bothNames gives what is named in one language only the same name in the other.
func bothNames(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

var eventForm = regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z_]*)*$`)

func (t *Trigger) check() error {
	switch {
	case (t.On == OnEvent) != (t.Event != ""):
		return part("trigger.event", "A rule on events, and no other, names the type of the event", "事件规则（且仅事件规则）须填写事件类型")
	case t.Event != "" && !eventForm.MatchString(t.Event):
		return part("trigger.event", "A type is lower-case letters and _, in words joined by a dot", "类型须为小写字母与下划线，可用点分段")
	case t.On != OnTier && t.Tier != "":
		return part("trigger.tier", "Only a rule on a tier that is reached names a tier", "仅“达到等级”规则可填写等级")
	case t.On != OnAnniversary && len(t.Years) > 0:
		return part("trigger.years", "Only a rule on anniversaries names years", "仅“入会周年”规则可填写年数")
	case t.On != OnBirthday && t.DaysBefore != 0:
		return part("trigger.days_before", "Only a rule on birthdays comes days ahead", "仅生日规则可提前若干天")
	}
	for _, y := range t.Years {
		if y < 1 || y > 150 {
			return part("trigger.years", "Years since joining run from 1 to 150", "周年数为 1 至 150")
		}
	}
	t.Years = tidy(t.Years)
	return nil
}

func (s *Scope) check() error {
	for at, list := range map[string]*[]string{
		"stores": &s.Stores, "channels": &s.Channels, "skus": &s.SKUs, "categories": &s.Categories, "brands": &s.Brands,
		"not_skus": &s.NotSKUs, "not_categories": &s.NotCategories, "not_brands": &s.NotBrands,
	} {
		if len(*list) > maxList || slices.ContainsFunc(*list, func(t string) bool { return t == "" || len(t) > 500 }) {
			return part("scope."+at, fmt.Sprintf("A list has at most %d texts, none of them empty", maxList), fmt.Sprintf("列表最多 %d 项，且不得为空文本", maxList))
		}
		*list = tidy(*list)
	}
	s.Line = strings.TrimSpace(s.Line)
	return nil
}

// empty reports whether every line counts.
func (s *Scope) empty() bool {
	return len(s.SKUs)+len(s.Categories)+len(s.Brands)+len(s.NotSKUs)+len(s.NotCategories)+len(s.NotBrands) == 0 && s.Line == ""
}

// tidy sorts a list and drops what comes twice; nil for an empty one.
func tidy[T string | int64](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func (d *Definition) checkEffect() error {
	e := &d.Effect
	if e.Rounding == "" {
		e.Rounding = money.Floor
	}
	switch {
	case !e.Rounding.Valid():
		return part("effect.rounding", "Rounding is floor, half_up, half_even or ceil", "取整方式为 floor、half_up、half_even 或 ceil")
	case e.Carry && e.Rounding != money.Floor:
		return part("effect.rounding", "What carries the fraction rounds down", "结转零头时须向下取整")
	case e.Carry && !slices.Contains([]string{PerAmount, Multiplier}, e.Kind):
		return part("effect.carry", "Only points per amount and multipliers have fractions to carry", "仅按金额与倍数规则有零头可结转")
	case (e.Kind == Tag) == (e.Currency != ""):
		return part("effect.currency", "Points need a currency, a tag has none", "积分须填写币种，标签不填")
	case d.Trigger.On != OnSale && e.Kind != Fixed && e.Kind != Tag:
		return part("effect.kind", "What is no sale gives fixed points or a tag", "非销售触发的规则只能给固定积分或标签")
	case d.Trigger.On != OnSale && (!d.Scope.empty() || len(d.Scope.Stores)+len(d.Scope.Channels) > 0):
		return part("scope", "Only rules on sales have a scope", "仅销售规则有适用范围")
	case e.PendingDays < 0 || e.PendingDays > 365 || e.ExpiresAfter < 0 || e.ExpiresAfter > maxDays:
		return part("effect.pending_days", "Days are out of their range", "天数超出范围")
	}
	unused := func(wrong bool, field string) error {
		if !wrong {
			return nil
		}
		return part("effect."+field, "An effect of the kind "+e.Kind+" has no "+field, "类型 "+e.Kind+" 没有 "+field)
	}
	for _, u := range []struct {
		given bool
		field string
		kinds []string
	}{
		{e.Points != 0, "points", []string{PerAmount, Fixed}}, {e.Per != 0, "per", []string{PerAmount}}, {e.Each != "", "each", []string{Fixed}},
		{e.Percent != 0, "percent", []string{Multiplier}}, {len(e.Steps) > 0, "steps", []string{Steps}}, {e.Tag != "", "tag", []string{Tag}},
	} {
		if err := unused(u.given && !slices.Contains(u.kinds, e.Kind), u.field); err != nil {
			return err
		}
	}
	switch e.Kind {
	case PerAmount:
		if e.Points < 1 || e.Points > maxRate || e.Per < 1 || e.Per > maxPer {
			return part("effect.per", "Points run from 1 to 1,000,000, for every 1 to 1,000,000,000 of money", "积分为 1 至 1,000,000，每份金额为 1 至 1,000,000,000")
		}
	case Fixed:
		if e.Each == "" {
			e.Each = Once
		}
		if e.Points < 1 || e.Points > maxPoints || e.Each != Once && e.Points > maxRate || !slices.Contains([]string{Once, EachLine, EachPiece}, e.Each) {
			return part("effect.points", "Points are above 0, and at most 1,000,000 for a line or a piece", "积分须大于 0，按行或按件时不超过 1,000,000")
		}
		if d.Trigger.On != OnSale && e.Each != Once {
			return part("effect.each", "Only sales have lines and pieces", "仅销售有行与件")
		}
	case Multiplier:
		if e.Percent <= 100 || e.Percent > 10_000 {
			return part("effect.percent", "A factor is above 100 and at most 10,000 hundredths", "倍数须大于 100 且不超过 10,000（百分之一）")
		}
	case Steps:
		return e.checkSteps()
	case Tag:
		if e.Tag = strings.TrimSpace(e.Tag); e.Tag == "" {
			return part("effect.tag", "A tag is needed", "须填写标签")
		}
	default:
		return part("effect.kind", "There is no such effect", "没有这种效果")
	}
	return nil
}

func (e *Effect) checkSteps() error {
	if len(e.Steps) == 0 || len(e.Steps) > maxSteps {
		return part("effect.steps", fmt.Sprintf("A scale has 1 to %d steps", maxSteps), fmt.Sprintf("阶梯为 1 至 %d 级", maxSteps))
	}
	for i, s := range e.Steps {
		at := fmt.Sprintf("effect.steps[%d]", i)
		switch {
		case s.From < 0 || s.From > maxPoints || s.Points < 0 || s.Points > maxPoints || s.Per < 0 || s.Per > maxPer || s.Per > 0 && s.Points > maxRate:
			return part(at, "A step has a value out of its range", "阶梯中有超出范围的值")
		case i > 0 && s.From <= e.Steps[i-1].From:
			return part(at+".from", "Each step begins above the one before", "每级的起点须高于上一级")
		case (s.Per > 0) != (e.Steps[0].Per > 0):
			return part(at+".per", "Either all steps have per, or none has", "各级须同时有或同时没有 per")
		}
	}
	return nil
}

// graduated reports whether each part of the amount earns by its own step.
func (e *Effect) graduated() bool { return len(e.Steps) > 0 && e.Steps[0].Per > 0 }

func (d *Definition) checkStack() error {
	c, s := &d.Caps, &d.Stack
	for at, n := range map[string]int64{
		"sale": c.Sale, "day": c.Day, "week": c.Week, "month": c.Month, "ever": c.Ever, "times_day": c.TimesDay,
		"times_week": c.TimesWeek, "times_month": c.TimesMonth, "times_ever": c.TimesEver, "budget": c.Budget,
	} {
		if n < 0 || n > maxPoints {
			return part("caps."+at, "A cap is 0 or more", "上限须不小于 0")
		}
		if d.Effect.Kind == Tag && n > 0 && !strings.HasPrefix(at, "times") {
			return part("caps."+at, "A tag is counted in times, not in points", "标签按次数计，不按积分计")
		}
	}
	switch {
	case s.Stage < 0 || s.Stage > maxStage || s.Priority < 0 || s.Priority > maxPriority:
		return part("stack.stage", "Stage or priority is out of its range", "阶段或优先级超出范围")
	case s.Group != "" && !codes.MatchString(s.Group):
		return part("stack.group", "There is no such group", "没有这个规则组")
	case s.Base != "" && d.Effect.Kind != Multiplier:
		return part("stack.base", "Only a multiplier has something to multiply", "仅倍数规则有基数")
	case d.Effect.Kind == Multiplier && s.Base == "":
		s.Base = Running
	}
	return nil
}

func (v *Valid) check(zone *time.Location) error {
	for _, t := range []struct {
		text *string
		at   string
	}{{&v.From, "valid.from"}, {&v.Until, "valid.until"}} {
		if *t.text == "" {
			continue
		}
		at, err := program.ParseTime(*t.text, zone)
		if err != nil {
			return errs.As(err).At("body." + t.at)
		}
		*t.text = at.In(zone).Format(time.RFC3339)
	}
	if v.From != "" && v.Until != "" {
		if from, until := v.instants(); from >= until {
			return part("valid.until", "It ends before it begins", "结束时间早于开始时间")
		}
	}
	for _, d := range v.Weekdays {
		if d < 1 || d > 7 {
			return part("valid.weekdays", "Days of the week run from 1, Monday, to 7", "星期为 1（周一）至 7")
		}
	}
	for _, d := range v.MonthDays {
		if d == 0 || d < -31 || d > 31 {
			return part("valid.month_days", "Days of the month run from 1 to 31, or from -1, the last, down", "日期为 1 至 31，或 -1（最后一天）起倒数")
		}
	}
	for i := range v.Hours {
		if !clockForm.MatchString(v.Hours[i].From) || !clockForm.MatchString(v.Hours[i].Until) && v.Hours[i].Until != "24:00" || v.Hours[i].From == v.Hours[i].Until {
			return part("valid.hours", "Write times of day as 14:00", "时刻请写成 14:00")
		}
	}
	for _, d := range v.Dates {
		if !isDate(d) {
			return part("valid.dates", "Write days as 2026-11-11, or 11-11 for each year", "日期请写成 2026-11-11，或每年的 11-11")
		}
	}
	v.Weekdays, v.MonthDays, v.Dates, v.Festivals = tidy(v.Weekdays), tidy(v.MonthDays), tidy(v.Dates), tidy(v.Festivals)
	return nil
}

var clockForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

func isDate(text string) bool {
	if len(text) == len("11-11") {
		text = "2024-" + text // a leap year
	}
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// instants are the bounds in milliseconds; 0 and never where they are open. It has been checked.
func (v *Valid) instants() (from, until int64) {
	until = never
	if t, err := time.Parse(time.RFC3339, v.From); err == nil {
		from = t.UnixMilli()
	}
	if t, err := time.Parse(time.RFC3339, v.Until); err == nil {
		until = t.UnixMilli()
	}
	return from, until
}

// never is later than any instant that is written.
const never = int64(1) << 62

// check refuses a group that is none.
func (g *Group) check() error {
	if !codes.MatchString(g.Code) {
		return ErrCode.At("path.code")
	}
	if g.NameEN, g.NameZH = bothNames(g.NameEN, g.NameZH); g.NameEN == "" || utf8.RuneCountInString(g.NameEN) > maxName || utf8.RuneCountInString(g.NameZH) > maxName {
		return ErrName.At("body.name_en")
	}
	return nil
}
