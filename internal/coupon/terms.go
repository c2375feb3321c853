package coupon

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/cond"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/sale"
)

// Terms are what a coupon says: what a version keeps. The JSON names are those of the API
// and of the programme as code.
type Terms struct {
	NameEN   string `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH   string `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	TextEN   string `json:"text_en,omitempty" yaml:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
	TextZH   string `json:"text_zh,omitempty" yaml:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
	Picture  string `json:"picture,omitempty" yaml:"picture,omitempty" maxLength:"500" doc:"Address of a picture: https://…, or a path of this server."`
	Internal string `json:"internal_note,omitempty" yaml:"internal_note,omitempty" maxLength:"500" doc:"A note for colleagues; members do not see it."`

	Effect    Effect   `json:"effect" yaml:"effect" doc:"What it gives."`
	Minimum   Minimum  `json:"minimum,omitzero" yaml:"minimum,omitempty" doc:"From what purchase on; any where absent."`
	Scope     Scope    `json:"scope,omitzero" yaml:"scope,omitempty" doc:"Which lines it is for: of these the minimum is reckoned, and the discount. All where absent."`
	Stores    []string `json:"stores,omitempty" yaml:"stores,omitempty" maxItems:"500" doc:"Only at these stores: codes or ids."`
	Channels  []string `json:"channels,omitempty" yaml:"channels,omitempty" maxItems:"50" doc:"Only on these channels."`
	Weekdays  []int64  `json:"weekdays,omitempty" yaml:"weekdays,omitempty,flow" maxItems:"7" doc:"Only on these days of the week: 1 is Monday, 7 is Sunday."`
	Hours     []Hours  `json:"hours,omitempty" yaml:"hours,omitempty" maxItems:"24" doc:"Only at these times of day; one that ends before it begins runs past midnight."`
	Condition string   `json:"condition,omitempty" yaml:"condition,omitempty" maxLength:"8000" doc:"Only for purchases for which this holds: a condition of kind sale."`
	Audience  string   `json:"audience,omitempty" yaml:"audience,omitempty" maxLength:"8000" doc:"Who may have and use it: a condition of kind member; everybody where absent."`
	Cap       int64    `json:"cap,omitempty" yaml:"cap,omitempty" minimum:"0" maximum:"1000000000000" doc:"The most that it takes off a purchase, in minor units of the programme's currency; absent for no cap."`
	Partial   bool     `json:"partial,omitempty" yaml:"partial,omitempty" doc:"Where the budget has too little left, what is left is given; else nothing."`

	From         string    `json:"from,omitempty" yaml:"from,omitempty" maxLength:"40" doc:"From when on it is issued and claimed, and a shared code is taken; a date or time without a zone is in the programme's."`
	Until        string    `json:"until,omitempty" yaml:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer is."`
	Valid        Valid     `json:"valid,omitzero" yaml:"valid,omitempty" doc:"How long a voucher can be used; until the coupon's own end where nothing is said."`
	Limits       Limits    `json:"limits,omitzero" yaml:"limits,omitempty" doc:"How many and how often; without bound where absent."`
	Times        int64     `json:"times,omitempty" yaml:"times,omitempty" minimum:"0" maximum:"1000" doc:"How often one voucher can be used; once where absent."`
	Bearer       bool      `json:"bearer,omitempty" yaml:"bearer,omitempty" doc:"Whoever shows the code may use it; else only the member who holds it."`
	Transferable bool      `json:"transferable,omitempty" yaml:"transferable,omitempty" doc:"A member may give it to another by a link."`
	Stack        Stack     `json:"stack,omitzero" yaml:"stack,omitempty" doc:"What it goes together with."`
	Returns      Returns   `json:"returns,omitempty" yaml:"returns,omitempty" enum:"whole,lines,keep" doc:"What a return does with the voucher. whole (where absent): it comes back when the whole purchase does. lines: when all lines come back that it took something off. keep: it stays used. The money goes back to the budget in each case."`
	Price        Price     `json:"price,omitzero" yaml:"price,omitempty" doc:"What claiming it costs in points; nothing where absent."`
	Listed       bool      `json:"listed,omitempty" yaml:"listed,omitempty" doc:"Members find it in the claim centre and claim it themselves."`
	FromSale     *FromSale `json:"from_sale,omitempty" yaml:"from_sale,omitempty" doc:"Each purchase of this kind gives one, for a next time. It is taken back when that purchase is returned below the amount, unless it was used."`
	GrantOn      []GrantOn `json:"grant_on,omitempty" yaml:"grant_on,omitempty" maxItems:"10" doc:"Steps of a member's life that give one by themselves, while it is live."`
	SharedCode   string    `json:"shared_code,omitempty" yaml:"shared_code,omitempty" maxLength:"40" doc:"One code for everybody instead of vouchers. Case, dashes and look-alikes make no difference."`
}

// Effect is what a coupon gives.
type Effect struct {
	Kind    EffectKind `json:"kind" yaml:"kind" enum:"percent,amount,fixed_price,gift,buy_get,free_delivery,exchange" doc:"percent: percent off. amount: money off. fixed_price: each unit costs amount. gift: units of skus are free when they are in the basket. buy_get: of each buy + get units, the get cheapest have percent off. free_delivery: delivery lines are free. exchange: units in scope for nothing, the dearest that fit; with amount, only units that cost no more."`
	Percent int64      `json:"percent,omitempty" yaml:"percent,omitempty" minimum:"0" maximum:"10000" doc:"In hundredths of a per cent: 1500 is 15 % off, 10000 is free. Of percent and buy_get."`
	Amount  int64      `json:"amount,omitempty" yaml:"amount,omitempty" minimum:"0" maximum:"1000000000000" doc:"In minor units of the programme's currency. Of amount, fixed_price and exchange."`
	Per     Per        `json:"per,omitempty" yaml:"per,omitempty" enum:"order,step,line,unit,cheapest,nth" doc:"Off what: the order as a whole (where absent), the order once for each full minimum, each line, each unit, the one cheapest unit, or every nth unit by price."`
	Nth     int64      `json:"nth,omitempty" yaml:"nth,omitempty" minimum:"0" maximum:"1000" doc:"Of per nth: 2 is every second unit."`
	Buy     int64      `json:"buy,omitempty" yaml:"buy,omitempty" minimum:"0" maximum:"1000" doc:"Units, of buy_get."`
	Get     int64      `json:"get,omitempty" yaml:"get,omitempty" minimum:"0" maximum:"1000" doc:"Units, of buy_get."`
	Times   int64      `json:"times,omitempty" yaml:"times,omitempty" minimum:"0" maximum:"1000" doc:"How often it repeats in one purchase at most: steps, units or groups; absent for no bound."`
	Units   int64      `json:"units,omitempty" yaml:"units,omitempty" minimum:"0" maximum:"1000" doc:"How many units, of gift and exchange; one where absent."`
	SKUs    []string   `json:"skus,omitempty" yaml:"skus,omitempty" maxItems:"100" doc:"Which products a gift may be."`
}

// EffectKind is what sort of thing a coupon gives.
type EffectKind string

// The kinds.
const (
	Percent      EffectKind = "percent"
	Amount       EffectKind = "amount"
	FixedPrice   EffectKind = "fixed_price"
	Gift         EffectKind = "gift"
	BuyGet       EffectKind = "buy_get"
	FreeDelivery EffectKind = "free_delivery"
	Exchange     EffectKind = "exchange"
)

// Per is what a percentage or an amount is taken off. The empty one is the order.
type Per string

// The ways.
const (
	PerOrder    Per = "order"
	PerStep     Per = "step"
	PerLine     Per = "line"
	PerUnit     Per = "unit"
	PerCheapest Per = "cheapest"
	PerNth      Per = "nth"
)

// Minimum is from what purchase on a coupon is taken.
type Minimum struct {
	Amount   int64 `json:"amount,omitempty" yaml:"amount,omitempty" minimum:"0" maximum:"1000000000000" doc:"What the lines in scope come to at least, in minor units of the programme's currency."`
	Quantity int64 `json:"quantity,omitempty" yaml:"quantity,omitempty" minimum:"0" maximum:"1000000" doc:"How many units they hold at least."`
	Base     Base  `json:"base,omitempty" yaml:"base,omitempty" enum:"initial,running" doc:"running (where absent): of what earlier discounts have left, for the minimum and for percentages. initial: of the prices before any discount."`
}

// Base is which amounts a minimum and a percentage are reckoned from.
type Base string

// The bases. The empty one is running.
const (
	Initial Base = "initial"
	Running Base = "running"
)

// Scope says which lines a coupon is for. What is empty does not limit.
type Scope = sale.Scope

// Hours is a time of day that may pass midnight.
type Hours struct {
	From  string `json:"from" yaml:"from" maxLength:"5" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"The first minute." example:"14:00"`
	Until string `json:"until" yaml:"until" maxLength:"5" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"The first minute after it." example:"17:00"`
}

// Valid is how long a voucher can be used. Of several bounds the earliest counts.
type Valid struct {
	From     string `json:"from,omitempty" yaml:"from,omitempty" maxLength:"40" doc:"Not before this instant."`
	Until    string `json:"until,omitempty" yaml:"until,omitempty" maxLength:"40" doc:"The first instant at which it can no longer be used."`
	Days     int64  `json:"days,omitempty" yaml:"days,omitempty" minimum:"0" maximum:"1830" doc:"Days from the claim, to the end of the last one in the programme's zone; of a printed voucher from its issue. 1 is to the end of the day itself."`
	Hours    int64  `json:"hours,omitempty" yaml:"hours,omitempty" minimum:"0" maximum:"43920" doc:"Hours from the claim."`
	Wait     int64  `json:"wait_hours,omitempty" yaml:"wait_hours,omitempty" minimum:"0" maximum:"8784" doc:"Hours after the claim in which it cannot be used yet."`
	FirstUse int64  `json:"days_from_first_use,omitempty" yaml:"days_from_first_use,omitempty" minimum:"0" maximum:"1830" doc:"Days from the first use, of a voucher that can be used more than once; counted like days."`
}

// Limits are how many and how often. 0 is no bound. Weeks begin on Monday.
type Limits struct {
	Stock     int64 `json:"stock,omitempty" yaml:"stock,omitempty" minimum:"0" maximum:"100000000" doc:"Vouchers that are issued in all; those that are taken back count no more."`
	PerMember int64 `json:"per_member,omitempty" yaml:"per_member,omitempty" minimum:"0" maximum:"1000000" doc:"Vouchers that one member is given, ever."`
	Uses      int64 `json:"uses,omitempty" yaml:"uses,omitempty" minimum:"0" maximum:"1000000000" doc:"Uses by all."`
	UsesEver  int64 `json:"uses_per_member,omitempty" yaml:"uses_per_member,omitempty" minimum:"0" maximum:"1000000" doc:"Uses by one member, ever."`
	UsesDay   int64 `json:"uses_per_day,omitempty" yaml:"uses_per_day,omitempty" minimum:"0" maximum:"1000000" doc:"Uses by one member in a day of the programme."`
	UsesWeek  int64 `json:"uses_per_week,omitempty" yaml:"uses_per_week,omitempty" minimum:"0" maximum:"1000000" doc:"Uses by one member in a week."`
	UsesMonth int64 `json:"uses_per_month,omitempty" yaml:"uses_per_month,omitempty" minimum:"0" maximum:"1000000" doc:"Uses by one member in a calendar month."`
	Budget    int64 `json:"budget,omitempty" yaml:"budget,omitempty" minimum:"0" maximum:"1000000000000" doc:"What it takes off in all, in minor units of the programme's currency."`
}

// Stack is what a coupon goes together with.
type Stack struct {
	Class Class `json:"class,omitempty" yaml:"class,omitempty" enum:"joint,best,exclusive" doc:"joint (where absent): goes with other joint ones and one that is best. best: of all that are best, the one that saves most is used. exclusive: the only coupon on the order."`
	Order int64 `json:"order,omitempty" yaml:"order,omitempty" minimum:"0" maximum:"1000" doc:"The lower one is taken off first."`
}

// Class is which coupons go with which. The empty one is Joint.
type Class string

// The classes.
const (
	Joint     Class = "joint"
	Best      Class = "best"
	Exclusive Class = "exclusive"
)

// Returns is what a return does with a voucher. The empty one is Whole.
type Returns string

// The policies.
const (
	Whole Returns = "whole"
	Lines Returns = "lines"
	Keep  Returns = "keep"
)

// Price is what claiming a voucher costs.
type Price struct {
	Currency string `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"Code of a currency of points."`
	Amount   int64  `json:"amount,omitempty" yaml:"amount,omitempty" minimum:"0" maximum:"1000000000" doc:"How much of it, in its smallest unit."`
}

// FromSale says which purchases give a voucher for a next time.
type FromSale struct {
	Amount    int64    `json:"amount" yaml:"amount" minimum:"0" maximum:"1000000000000" doc:"What the purchase comes to at least, in minor units of the programme's currency."`
	Stores    []string `json:"stores,omitempty" yaml:"stores,omitempty" maxItems:"500" doc:"Only purchases at these stores: codes or ids."`
	Channels  []string `json:"channels,omitempty" yaml:"channels,omitempty" maxItems:"50" doc:"Only purchases on these channels."`
	Condition string   `json:"condition,omitempty" yaml:"condition,omitempty" maxLength:"8000" doc:"Only purchases for which this holds: a condition of kind sale."`
}

// span is from when until when a coupon is issued, both inclusive, in Unix milliseconds. Terms
// that were checked can be read.
func (t *Terms) span(zone *time.Location) (from, until int64) { return spanOf(t.From, t.Until, zone) }

func spanOf(first, last string, zone *time.Location) (from, until int64) {
	from, until = minMS, never
	if at, err := program.ParseTime(first, zone); err == nil {
		from = at.UnixMilli()
	}
	if at, err := program.ParseTime(last, zone); err == nil {
		until = at.UnixMilli() - 1
	}
	return from, until
}

// uses is how often one voucher can be used.
func (t *Terms) uses() int64 { return max(1, t.Times) }

// window is when a voucher can be used that is given at an instant, both ends inclusive.
func (t *Terms) window(atMS int64, zone *time.Location) (from, until int64) {
	first, last := spanOf(t.Valid.From, t.Valid.Until, zone)
	from, until = max(first, atMS+t.Valid.Wait*hourMS), last
	bounded := t.Valid.Until != ""
	if t.Valid.Days > 0 {
		until, bounded = min(until, lastOf(from, t.Valid.Days, zone)), true
	}
	if t.Valid.Hours > 0 {
		until, bounded = min(until, from+t.Valid.Hours*hourMS-1), true
	}
	if !bounded {
		_, until = t.span(zone)
	}
	return from, until
}

// lastOf is the last instant of so many days of which the first one is that of an instant.
func lastOf(atMS, days int64, zone *time.Location) int64 {
	day := program.DayOf(time.UnixMilli(atMS), zone) + program.Day(days)
	return day.Start(zone).UnixMilli() - 1
}

// check refuses terms that cannot be, and brings them into their one form.
func (s *Service) check(t *Terms) error {
	return s.checkBy(t, s.now.Load().words, s.o.Ledger.Config())
}

// checkBy is check by words and currencies that the caller has read.
func (s *Service) checkBy(t *Terms, words *cond.Env, config *ledger.Config) error {
	t.fill()
	if t.NameEN == "" || utf8.RuneCountInString(t.NameEN) > 100 || utf8.RuneCountInString(t.NameZH) > 100 {
		return ErrNames.At("body.name_en")
	}
	if t.Picture != "" && !strings.HasPrefix(t.Picture, "https://") && !strings.HasPrefix(t.Picture, "/") {
		return ErrPicture.At("body.picture")
	}
	if err := t.Effect.check(&t.Minimum); err != nil {
		return err
	}
	if err := s.checkTimes(t); err != nil {
		return err
	}
	lists := [][]string{t.Stores}
	if t.FromSale != nil {
		lists = append(lists, t.FromSale.Stores)
	}
	for i, list := range lists {
		for _, ref := range list {
			if _, err := s.o.Program.Snapshot().FindStore(ref); err != nil {
				return at(err, []string{"body.stores", "body.from_sale.stores"}[i])
			}
		}
	}
	if err := checkConditions(t, words); err != nil {
		return err
	}
	if err := checkGrantOn(t.GrantOn); err != nil {
		return err
	}
	if (t.Price.Currency == "") != (t.Price.Amount == 0) {
		return ErrPrice.At("body.price")
	}
	if t.Price.Currency != "" {
		if cur := config.ByCode[t.Price.Currency]; cur == nil || cur.Kind != ledger.Points {
			return ErrPrice.At("body.price.currency")
		}
	}
	return t.checkShared()
}

// fill brings terms into their one form: names in both languages, and nothing said that is so
// anyway.
func (t *Terms) fill() {
	t.NameEN, t.NameZH = fill(t.NameEN, t.NameZH)
	t.TextEN, t.TextZH = fill(t.TextEN, t.TextZH)
	t.SharedCode = strings.ToUpper(strings.TrimSpace(t.SharedCode))
	if t.Effect.Per == PerOrder {
		t.Effect.Per = ""
	}
	if t.Minimum.Base == Running {
		t.Minimum.Base = ""
	}
	if t.Stack.Class == Joint {
		t.Stack.Class = ""
	}
	if t.Returns == Whole {
		t.Returns = ""
	}
	if t.Times == 1 {
		t.Times = 0
	}
}

func effectWrong(en, zh, location string) error {
	return ErrEffect.With("why", errs.Word{EN: en, ZH: zh}).At("body.effect." + location)
}

func (e *Effect) check(m *Minimum) error {
	switch e.Kind {
	case Percent:
		if e.Percent <= 0 || e.Percent > 10_000 {
			return effectWrong("percent lies above 0 and is at most 10000", "percent 须大于 0 且不超过 10000", "percent")
		}
	case Amount, FixedPrice:
		if e.Amount <= 0 && e.Kind == Amount || e.Amount < 0 || e.Amount > maxMoney {
			return effectWrong("amount says how much", "须填写金额 amount", "amount")
		}
	case Gift:
		if len(e.SKUs) == 0 {
			return effectWrong("skus say which product is the gift", "须用 skus 指定赠品", "skus")
		}
	case BuyGet:
		if e.Buy < 1 || e.Get < 1 {
			return effectWrong("buy and get are at least 1", "buy 与 get 至少为 1", "buy")
		}
		if e.Percent == 0 {
			e.Percent = 10_000
		}
	case FreeDelivery, Exchange:
	default:
		return effectWrong("there is no such kind", "没有这种类型", "kind")
	}
	switch e.Per {
	case "", PerLine, PerUnit, PerCheapest:
	case PerStep:
		if e.Kind != Amount || m.Amount == 0 && m.Quantity == 0 {
			return effectWrong("per step is for an amount off, with a minimum", "按每满计算仅适用于有门槛的满减", "per")
		}
	case PerNth:
		if e.Nth < 2 {
			return effectWrong("nth is at least 2", "nth 至少为 2", "nth")
		}
	default:
		return effectWrong("there is no such way", "没有这种计算方式", "per")
	}
	if e.Per != "" && e.Kind != Percent && e.Kind != Amount && e.Kind != FixedPrice {
		return effectWrong("only percent, amount and fixed_price say off what", "仅折扣、减额与一口价可指定计算方式", "per")
	}
	if e.Percent < 0 || e.Nth < 0 || e.Times < 0 || e.Units < 0 || m.Amount < 0 || m.Quantity < 0 {
		return effectWrong("nothing is below 0", "数值不能为负", "kind")
	}
	return nil
}

func (s *Service) checkTimes(t *Terms) error {
	for _, part := range []struct {
		text *string
		at   string
	}{{&t.From, "body.from"}, {&t.Until, "body.until"}, {&t.Valid.From, "body.valid.from"}, {&t.Valid.Until, "body.valid.until"}} {
		if *part.text == "" {
			continue
		}
		when, err := s.o.Program.Snapshot().ParseTime(*part.text)
		if err != nil {
			return at(err, part.at)
		}
		*part.text = when.In(s.zone()).Format(time.RFC3339Nano)
	}
	if from, until := t.span(s.zone()); until < from {
		return ErrWindow.At("body.until")
	}
	if from, until := spanOf(t.Valid.From, t.Valid.Until, s.zone()); until < from {
		return ErrWindow.At("body.valid.until")
	}
	if t.Valid.Hours < 0 || t.Valid.Hours > maxHours || t.Valid.Wait < 0 || t.Valid.Wait > maxHours || t.Valid.Days < 0 || t.Valid.Days > 1830 || t.Valid.FirstUse < 0 || t.Valid.FirstUse > 1830 {
		return ErrWindow.At("body.valid")
	}
	for _, d := range t.Weekdays {
		if d < 1 || d > 7 {
			return ErrHours.At("body.weekdays")
		}
	}
	for _, h := range t.Hours {
		from, ok1 := minuteOf(h.From)
		until, ok2 := minuteOf(h.Until)
		if !ok1 || !ok2 || from == until || from == 24*60 {
			return ErrHours.At("body.hours")
		}
	}
	return nil
}

// minuteOf reads a time of day as minutes from midnight.
func minuteOf(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil && len(text) == 5
}

func checkConditions(t *Terms, words *cond.Env) error {
	if err := checkCondition(words, t.Audience, cond.OfMember, askedOfMember); err != nil {
		return at(err, "body.audience")
	}
	if err := checkCondition(words, t.Condition, cond.OfSale, askedOfMember); err != nil {
		return at(err, "body.condition")
	}
	if t.FromSale == nil {
		return nil
	}
	// These are asked before the batch that posts the purchase: what only the locked account knows
	// is not to be had there.
	if err := checkCondition(words, t.Audience, cond.OfMember, nil); err != nil {
		return at(err, "body.audience")
	}
	return at(checkCondition(words, t.FromSale.Condition, cond.OfSale, nil), "body.from_sale.condition")
}

// askedOfMember are the facts about a member that a condition may ask for here: those that
// the account knows.
var askedOfMember = []string{cond.FactPoints, cond.FactEarned, cond.FactSpend, cond.FactVisits}

func checkCondition(words *cond.Env, text string, kind cond.Kind, asked []string) error {
	if text == "" {
		return nil
	}
	c, err := words.Compile(text, kind)
	if err != nil {
		return err
	}
	for _, need := range c.Needs() {
		if !slices.Contains(asked, need.Fact) {
			return ErrFacts.With("fact", need.Fact)
		}
	}
	return nil
}

// checkShared refuses a shared code that cannot be, and terms that do not go with one.
func (t *Terms) checkShared() error {
	if t.SharedCode == "" {
		return nil
	}
	if n := len(fold(t.SharedCode)); n < 4 || n > 40 || !plain(fold(t.SharedCode)) {
		return ErrShared.At("body.shared_code")
	}
	v := t.Valid
	if t.Limits.Stock != 0 || t.Limits.PerMember != 0 || t.Price != (Price{}) || t.Listed || t.Transferable || t.FromSale != nil || len(t.GrantOn) != 0 ||
		v.Days != 0 || v.Hours != 0 || v.Wait != 0 || v.FirstUse != 0 || t.Times != 0 {
		return ErrSharedHas.At("body.shared_code")
	}
	return nil
}

// fill gives the one text for the other where that is missing.
func fill(en, zh string) (string, string) {
	en, zh = strings.TrimSpace(en), strings.TrimSpace(zh)
	if en == "" {
		en = zh
	}
	if zh == "" {
		zh = en
	}
	return en, zh
}

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}
