// Package plan is paid membership: plans that members buy by the month, quarter or year, what
// these give, and the payments for them.
//
// Life of a plan: a draft is shaped, then live: on offer, from a day on and until one where it
// says so. Paused, it is not offered while those who have it go on; ended, nobody can pay for
// it any more and those who have it keep what they paid for. Every version is kept.
//
// Life of a membership: a trial, where the plan has one, or the first payment begins it. Each
// payment adds a period. When what was paid for is over, days of grace run, in which a payment
// goes on without a gap; then it ends. The member may cancel: at the end of what is paid, or
// at once. Who comes back begins a new one.
//
// Laws:
//   - Where a membership stands on a day is a pure function of its row (period.go). The daily
//     run only writes down what is true already.
//   - Periods are counted from the first paid day, so that one that began on the 31st comes
//     back to the 31st after a short month. They begin and end with days of the programme.
//   - Whatever changes a membership is a command of the posting engine, so that it is decided
//     under the lock of the member's account, together with the points that it gives.
//   - A payment with a reference counts once for ever, and so does the gift of a period.
//   - No more is refunded of a period than was paid for it.
package plan

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Plan is what members can buy.
type Plan struct {
	ID      int64
	Code    string // unique; never changes
	State   State
	Version int64 // grows by one with every change
	Terms   Terms
	Made    time.Time
	Changed time.Time
}

// State says whether a plan is sold.
type State string

// The states of a plan. Scheduled is a live one whose first day is yet to come, and is not kept.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Live      State = "live"
	Paused    State = "paused"
	Ended     State = "ended"
)

// Terms are what a plan costs and gives. They are read and changed as a whole; this is also
// how the audit trail and the programme as a file have them.
type Terms struct {
	NameEN  string      `json:"name_en,omitempty" maxLength:"200" doc:"English name; the Chinese one where left out."`
	NameZH  string      `json:"name_zh,omitempty" maxLength:"200" doc:"Chinese name; the English one where left out."`
	AboutEN string      `json:"about_en,omitempty" maxLength:"2000" doc:"What it is, in English, as members read it."`
	AboutZH string      `json:"about_zh,omitempty" maxLength:"2000" doc:"What it is, in Chinese."`
	Every   Every       `json:"every" enum:"month,quarter,year" doc:"How long a period is."`
	Price   money.Money `json:"price" doc:"What a period costs, in the programme's money."`

	TrialDays  int `json:"trial_days" minimum:"0" maximum:"365" doc:"Days for nothing before the first period; 0 for none. A member gets one trial."`
	GraceDays  int `json:"grace_days" minimum:"0" maximum:"90" doc:"Days for which the benefits go on after the last paid one, while a payment is awaited."`
	RemindDays int `json:"remind_days" minimum:"0" maximum:"60" doc:"How many days before the end the event plan.renewal_due is told; 0 for never."`

	Benefits     Benefits `json:"benefits" doc:"What members have as long as it runs."`
	StartGifts   []Gift   `json:"start_gifts,omitempty" maxItems:"10" doc:"Points that come with the first payment."`
	RenewalGifts []Gift   `json:"renewal_gifts,omitempty" maxItems:"10" doc:"Points that come with every other payment."`

	Provider  string `json:"provider,omitempty" maxLength:"40" doc:"The payment provider that renewals are charged through; empty: payments are recorded."`
	SaleFrom  string `json:"sale_from,omitempty" maxLength:"10" doc:"First day on which it is offered, as 2026-03-01; empty: at once." example:"2026-03-01"`
	SaleUntil string `json:"sale_until,omitempty" maxLength:"10" doc:"Last day on which it is offered; empty: no last day." example:"2026-12-31"`
}

// Benefits are what a plan gives.
type Benefits struct {
	Multiplier   int64      `json:"multiplier" minimum:"1000" maximum:"100000" doc:"By how much what sales earn is multiplied, in thousandths: 1500 is half as much again, 1000 no more than without."`
	Discount     int64      `json:"discount_percent,omitempty" minimum:"0" maximum:"100" doc:"Percent off at checkout."`
	Scope        sale.Scope `json:"discount_scope,omitzero" doc:"What the discount is on; the whole basket where absent."`
	FreeDelivery bool       `json:"free_delivery,omitempty" doc:"Delivery costs nothing."`
	Others       []Benefit  `json:"others,omitempty" maxItems:"20" doc:"Anything else, in words."`
}

// Benefit is one in words.
type Benefit struct {
	EN string `json:"en" maxLength:"200" doc:"In English."`
	ZH string `json:"zh" maxLength:"200" doc:"In Chinese."`
}

// Gift is points that come with a payment.
type Gift struct {
	Currency string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the point currency." example:"points"`
	Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000" doc:"How many, in its smallest unit."`
}

// The bounds.
const (
	maxPlans  = 200 // all are held in memory, and a list of more would help nobody
	maxPrice  = 1_000_000_00
	maxTrial  = 365
	maxGrace  = 90
	maxRemind = 60
	maxGifts  = 10
	maxOthers = 20
	maxGift   = 1_000_000_000
	planID    = "pln_"
	periodID  = "pay_"
	chargeID  = "chg_"
)

// PublicID is what the outside calls the plan.
func (p *Plan) PublicID() string { return id.Encode(planID, 0, p.ID) }

// The refusals of plans.
var (
	ErrUnknown = errs.New(errs.NotFound, "plan.unknown", "There is no such plan.", "没有这个付费会员方案。")
	ErrCode    = errs.New(errs.Invalid, "plan.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores, and begins with a letter or digit.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成，并以字母或数字开头。")
	ErrTaken   = errs.New(errs.Conflict, "plan.code_taken", "There is a plan with this code already.", "该代码的方案已存在。")
	ErrMany    = errs.New(errs.Conflict, "plan.many", "There may be no more than {most} plans.", "方案不能超过 {most} 个。")
	ErrChanged = errs.New(errs.Conflict, "plan.changed", "The plan was changed by someone else; read it again.", "方案已被他人修改，请重新读取。")
	ErrFixed   = errs.New(errs.Conflict, "plan.fixed", "The length of a period and the currency of the price are fixed once the plan has been on offer. Make another plan.", "方案上线后，周期与价格币种不能更改，请另建方案。")
	ErrStep    = errs.New(errs.Conflict, "plan.step", "A plan that is {from} cannot become {to}.", "方案当前状态为“{from}”，不能改为“{to}”。")
	ErrUsed    = errs.New(errs.Conflict, "plan.used", "Members have or had this plan, so it stays; end it instead.", "已有会员使用过该方案，不能删除，可将其结束。")

	ErrName     = errs.New(errs.Invalid, "plan.name", "A name of at most 200 characters is needed in English or Chinese.", "需要英文或中文名称，且不超过 200 个字符。")
	ErrText     = errs.New(errs.Invalid, "plan.text", "This text is empty or too long.", "文本为空或过长。")
	ErrEvery    = errs.New(errs.Invalid, "plan.every", "A period is a month, a quarter or a year.", "周期只能是月、季或年。")
	ErrPrice    = errs.New(errs.Invalid, "plan.price", "A price is more than nothing and at most a million, in {currency}.", "价格须大于零且不超过一百万，币种为 {currency}。")
	ErrDays     = errs.New(errs.Invalid, "plan.days", "This number of days is out of its range.", "天数超出范围。")
	ErrBenefit  = errs.New(errs.Invalid, "plan.benefit", "A benefit is out of its range.", "权益设置超出范围。")
	ErrGift     = errs.New(errs.Invalid, "plan.gift", "A gift is of a point currency that is in use, each once, and at least one point.", "赠送须为启用中的积分币种，每种一次，且至少 1 分。")
	ErrSale     = errs.New(errs.Invalid, "plan.sale", "The days of sale are dates like 2026-03-01, the first not after the last.", "销售日期格式如 2026-03-01，且开始不晚于结束。")
	ErrProvider = errs.New(errs.Invalid, "plan.provider", "There is no payment provider {name} here.", "未接入名为 {name} 的支付渠道。")
)

var codes = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// tidy brings terms into their one form: names in both languages, no empty lists.
func (t *Terms) tidy() {
	t.NameEN, t.NameZH = both(t.NameEN, t.NameZH)
	t.AboutEN, t.AboutZH = both(t.AboutEN, t.AboutZH)
	for i := range t.Benefits.Others {
		b := &t.Benefits.Others[i]
		b.EN, b.ZH = both(b.EN, b.ZH)
	}
	if len(t.StartGifts) == 0 {
		t.StartGifts = nil
	}
	if len(t.RenewalGifts) == 0 {
		t.RenewalGifts = nil
	}
	if len(t.Benefits.Others) == 0 {
		t.Benefits.Others = nil
	}
	if t.Benefits.Multiplier == 0 {
		t.Benefits.Multiplier = 1000
	}
}

// both gives what is said in one language only the same text in the other.
func both(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

// check returns why t cannot be the terms of a plan, or nil. home is the programme's money.
// Locations begin with at.
func (t *Terms) check(home, at string) error {
	long := func(s string, most int) bool { return utf8.RuneCountInString(s) > most }
	switch {
	case t.NameEN == "" || long(t.NameEN, 200) || long(t.NameZH, 200):
		return ErrName.At(at + ".name_en")
	case long(t.AboutEN, 2000) || long(t.AboutZH, 2000):
		return ErrText.At(at + ".about_en")
	case t.Every.months() == 0:
		return ErrEvery.At(at + ".every")
	case t.Price.Currency != home || t.Price.Amount < 1 || t.Price.Amount > maxPrice:
		return ErrPrice.With("currency", home).At(at + ".price")
	case t.TrialDays < 0 || t.TrialDays > maxTrial:
		return ErrDays.At(at + ".trial_days")
	case t.GraceDays < 0 || t.GraceDays > maxGrace:
		return ErrDays.At(at + ".grace_days")
	case t.RemindDays < 0 || t.RemindDays > maxRemind:
		return ErrDays.At(at + ".remind_days")
	}
	if err := t.Benefits.check(at + ".benefits"); err != nil {
		return err
	}
	if err := checkGifts(t.StartGifts, at+".start_gifts"); err != nil {
		return err
	}
	if err := checkGifts(t.RenewalGifts, at+".renewal_gifts"); err != nil {
		return err
	}
	from, until, err := t.sale()
	if err != nil || until != 0 && from > until {
		return ErrSale.At(at + ".sale_from")
	}
	return nil
}

func (b *Benefits) check(at string) error {
	switch {
	case b.Multiplier < 1000 || b.Multiplier > 100_000:
		return ErrBenefit.At(at + ".multiplier")
	case b.Discount < 0 || b.Discount > 100:
		return ErrBenefit.At(at + ".discount_percent")
	case len(b.Others) > maxOthers:
		return ErrBenefit.At(at + ".others")
	}
	for i, o := range b.Others {
		if o.EN == "" || utf8.RuneCountInString(o.EN) > 200 || utf8.RuneCountInString(o.ZH) > 200 {
			return ErrText.At(fmt.Sprintf("%s.others[%d]", at, i))
		}
	}
	return nil
}

// checkGifts refuses what can be seen to be wrong of gifts; that the currencies are there is
// asked in the transaction.
func checkGifts(list []Gift, at string) error {
	seen := map[string]bool{}
	for i, g := range list {
		if g.Amount < 1 || g.Amount > maxGift || seen[g.Currency] || i >= maxGifts {
			return ErrGift.At(fmt.Sprintf("%s[%d]", at, i))
		}
		seen[g.Currency] = true
	}
	return nil
}

// sale is the first and the last day of sale; 0 where there is none.
func (t *Terms) sale() (from, until program.Day, err error) {
	if t.SaleFrom != "" {
		if from, err = program.ParseDay(t.SaleFrom); err != nil {
			return 0, 0, err
		}
	}
	if t.SaleUntil != "" {
		until, err = program.ParseDay(t.SaleUntil)
	}
	return from, until, err
}

// Shows is the state as people see it on a day: a live plan may be yet to come.
func (p *Plan) Shows(day program.Day) State {
	from, _, _ := p.Terms.sale() // checked when it was written
	if p.State == Live && day < from {
		return Scheduled
	}
	return p.State
}

// OnSale reports whether p can be bought on a day.
func (p *Plan) OnSale(day program.Day) bool {
	from, until, _ := p.Terms.sale()
	return p.State == Live && day >= from && (until == 0 || day <= until)
}

// steps are the changes of state that there are.
var steps = map[State][]State{
	Draft:  {Live},
	Live:   {Paused, Ended},
	Paused: {Live, Ended},
	Ended:  {Live},
}

// stateWords are what people call the states.
var stateWords = map[State]errs.Word{
	Draft: {EN: "a draft", ZH: "草稿"}, Scheduled: {EN: "scheduled", ZH: "待上线"}, Live: {EN: "live", ZH: "销售中"},
	Paused: {EN: "paused", ZH: "已暂停"}, Ended: {EN: "ended", ZH: "已结束"},
}
