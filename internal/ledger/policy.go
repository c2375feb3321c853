package ledger

import (
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
)

// Currency is one kind of points with its policies.
type Currency struct {
	ID     int64  `json:"-"`
	Code   string `json:"code"`
	Kind   Kind   `json:"kind"`
	NameEN string `json:"name_en"`
	NameZH string `json:"name_zh"`
	Policy Policy `json:"policy"`
	Active bool   `json:"active"`
}

// Pay bounds how much of one purchase a currency may pay for. What is 0 or empty does not bound.
type Pay struct {
	Least             int64    `json:"least,omitempty" minimum:"0" maximum:"1000000000000" doc:"The least that is taken, in its smallest unit."`
	Step              int64    `json:"step,omitempty" minimum:"0" maximum:"1000000000" doc:"It is taken in multiples of this; absent for the least that is worth a whole minor unit."`
	Most              int64    `json:"most,omitempty" minimum:"0" maximum:"1000000000000" doc:"The most that one purchase takes."`
	MostPercent       int64    `json:"most_percent,omitempty" minimum:"0" maximum:"100" doc:"The most of what the purchase comes to that may be paid so, in per cent."`
	ExcludeCategories []string `json:"exclude_categories,omitempty" maxItems:"100" doc:"What of these categories, and those below them, costs has to be paid otherwise."`
	ExcludeStores     []string `json:"exclude_stores,omitempty" maxItems:"500" doc:"Stores that do not take it: codes or ids."`
}

// Policy is how a currency behaves. The zero Policy never expires, activates at once,
// cannot be transferred and has no limits.
type Policy struct {
	Decimals    int        `json:"decimals" minimum:"0" maximum:"2" doc:"Decimals of the unit; amounts are integers of the smallest."`
	Expiry      Expiry     `json:"expiry,omitempty" doc:"When points end."`
	PendingDays int        `json:"pending_days,omitempty" minimum:"0" maximum:"366" doc:"Whole days in the programme's zone after which points become usable."`
	Restore     Restore    `json:"restore,omitempty" doc:"What becomes of points given back after their expiry."`
	Clawback    Clawback   `json:"clawback,omitempty" enum:"debt,balance,pending" default:"debt" doc:"How far a return takes points back: only what is pending, also what is usable, or into debt."`
	SpendOrder  SpendOrder `json:"spend_order,omitempty" enum:"principal_first,bonus_first,proportional" default:"principal_first" doc:"Stored value: which bucket pays."`
	Transfer    Transfer   `json:"transfer,omitempty" doc:"Giving points to another member."`
	Limits      []Limit    `json:"limits,omitempty" maxItems:"16" doc:"The most a member may move. Earning is cut to what is left, the rest refused."`
	// ApproveAbove is the size of an adjustment from which a second person must agree; 0 = never.
	ApproveAbove int64 `json:"approve_above,omitempty" minimum:"0" doc:"Adjustments larger than this wait for a second person; 0 = none does."`
	// UnitValue is what one whole unit is worth in the programme's currency, in millionths
	// of its minor unit: for the liability report.
	UnitValue int64 `json:"unit_value_millionths,omitempty" minimum:"0" maximum:"1000000000000" doc:"Worth of the smallest unit, in millionths of the currency's minor unit."`
	Pay       Pay   `json:"pay,omitzero" doc:"How much of a purchase it may pay for at a checkout."`
	// TopUps are the bonuses that come with a top-up whose caller states none.
	TopUps []TopUpStep `json:"top_ups,omitempty" maxItems:"20" doc:"Stored value: what comes on top of a top-up. Of the steps that are reached on the day, the one with the largest bonus counts."`
}

// TopUpStep is the bonus from one amount on.
type TopUpStep struct {
	Least int64  `json:"least" minimum:"1" maximum:"1000000000000" doc:"From what is paid in on, in the smallest unit."`
	Bonus int64  `json:"bonus" minimum:"1" maximum:"1000000000000" doc:"What comes on top, in the smallest unit."`
	From  string `json:"from,omitempty" maxLength:"10" doc:"First day, as 2026-03-01; absent for at once." example:"2026-03-01"`
	Until string `json:"until,omitempty" maxLength:"10" doc:"Last day; absent for no end." example:"2026-03-31"`
}

// days are the first and the last day of a step; 0 where there is none.
func (t TopUpStep) days() (from, until program.Day, err error) {
	if t.From != "" {
		if from, err = program.ParseDay(t.From); err != nil {
			return 0, 0, err
		}
	}
	if t.Until != "" {
		until, err = program.ParseDay(t.Until)
	}
	return from, until, err
}

// topUpBonus is what comes on top of so much that is paid in on a day.
func (p *Policy) topUpBonus(principal int64, day program.Day) (bonus int64) {
	for _, t := range p.TopUps {
		from, until, _ := t.days() // checked when it was written
		if principal >= t.Least && day >= from && (until == 0 || day <= until) {
			bonus = max(bonus, t.Bonus)
		}
	}
	return bonus
}

// Clawback says how far a return may take points back.
type Clawback string

// The claw-back policies.
const (
	ClawDebt    Clawback = "debt"    // pending, then usable, then the member owes the rest
	ClawBalance Clawback = "balance" // pending, then usable, never below zero
	ClawPending Clawback = "pending" // only what is not usable yet
)

// SpendOrder says which bucket of stored value pays.
type SpendOrder string

// The orders.
const (
	PrincipalFirst SpendOrder = "principal_first"
	BonusFirst     SpendOrder = "bonus_first"
	Proportional   SpendOrder = "proportional"
)

// Restore says what becomes of points that are given back past their expiry.
type Restore struct {
	GraceDays int `json:"grace_days,omitempty" minimum:"0" maximum:"366" doc:"Days for which they can still be used; 0 = they lapse."`
}

// Transfer is whether and how members give points to each other.
type Transfer struct {
	Allowed     bool  `json:"allowed,omitempty"`
	Min         int64 `json:"min,omitempty" minimum:"0" doc:"Least of one transfer; 0 = 1."`
	Max         int64 `json:"max,omitempty" minimum:"0" doc:"Most of one transfer; 0 = no bound."`
	FeePercent  int64 `json:"fee_percent,omitempty" minimum:"0" maximum:"100" doc:"Paid by the sender on top, rounded up."`
	KeepsExpiry bool  `json:"keeps_expiry,omitempty" doc:"Points end when they would have; otherwise the receiver's policy counts anew."`
}

// Limit bounds what one member moves in a window.
type Limit struct {
	Action string `json:"action" enum:"earn,spend,transfer,hold"`
	Window string `json:"window" enum:"day,month,ever" doc:"Calendar day or month in the programme's zone, by the time of the sale."`
	Amount int64  `json:"amount" minimum:"1" maximum:"1000000000000"`
}

// Expiry says when points end.
type Expiry struct {
	Policy string `json:"policy,omitempty" enum:"never,rolling,fixed,sliding" default:"never"`
	Count  int    `json:"count,omitempty" minimum:"0" maximum:"3660" doc:"Rolling and sliding: how many units."`
	Unit   string `json:"unit,omitempty" enum:"day,month,year" doc:"Rolling and sliding: of what."`
	// Round moves a rolling end to the last day of its month, quarter or year.
	Round string   `json:"round,omitempty" enum:"month,quarter,year" doc:"Rolling: on to the last day of this period."`
	Dates []string `json:"dates,omitempty" maxItems:"20" doc:"Fixed: days of the year as 03-31; 02-29 means the last day of February."`
}

// The reasons for which a policy is refused.
var (
	ErrExpiryPolicy = errs.New(errs.Invalid, "ledger.expiry_policy", "A rolling or sliding expiry needs a count of at least 1 and a unit (day, month, year).", "滚动或活跃到期需要数量（至少 1）与单位（天、月、年）。")
	ErrExpiryDates  = errs.New(errs.Invalid, "ledger.expiry_dates", "A fixed expiry needs 1 to 20 days of the year such as 12-31.", "固定到期需要 1 到 20 个日期，例如 12-31。")
	ErrTopUps       = errs.New(errs.Invalid, "ledger.top_ups", "A bonus on top-ups is for stored value: its amounts are above 0, and its first day, as 2026-03-01, is not after its last.", "充值赠送仅适用于储值币种：金额须大于 0，日期格式如 2026-03-01，且开始不晚于结束。")
	ErrTransferRule = errs.New(errs.Invalid, "ledger.transfer_rule", "The least of a transfer is above the most.", "转赠下限高于上限。")
)

// Check refuses an expiry that cannot be computed.
func (e Expiry) Check() error {
	switch e.Policy {
	case "", "never":
		return nil
	case "rolling", "sliding":
		if e.Count < 1 || e.Unit != "day" && e.Unit != "month" && e.Unit != "year" {
			return ErrExpiryPolicy
		}
		return nil
	case "fixed":
		if len(e.Dates) == 0 {
			return ErrExpiryDates
		}
		for _, d := range e.Dates {
			if _, _, err := monthDay(d); err != nil {
				return err
			}
		}
		return nil
	}
	return ErrExpiryPolicy
}

func monthDay(text string) (time.Month, int, error) {
	t, err := time.Parse("2006-01-02", "2024-"+text) // a leap year, so that 02-29 is read
	if err != nil {
		return 0, 0, ErrExpiryDates
	}
	return t.Month(), t.Day(), nil
}

// End returns when points end that become usable at an instant, in Unix milliseconds, or
// Never. Points are good to the end of a day in zone: the answer is the first instant of
// the day after. Sliding points have no end of their own.
func (e Expiry) End(activeMS int64, zone *time.Location) int64 {
	y, m, d := time.UnixMilli(activeMS).In(zone).Date()
	switch e.Policy {
	case "rolling":
		y, m, d = e.rolled(y, m, d)
	case "fixed":
		y, m, d = e.nextFixed(y, m, d)
	default:
		return Never
	}
	return min(startOfDay(y, m, d+1, zone).UnixMilli(), Never)
}

// Slide returns when a wallet ends whose last activity was at an instant, or Never where
// the policy does not slide.
func (e Expiry) Slide(activityMS int64, zone *time.Location) int64 {
	if e.Policy != "sliding" {
		return Never
	}
	y, m, d := time.UnixMilli(activityMS).In(zone).Date()
	y, m, d = e.rolled(y, m, d)
	return min(startOfDay(y, m, d+1, zone).UnixMilli(), Never)
}

// rolled adds the count to a date. A day that the month does not have becomes its last
// (31 January + 1 month is 28 or 29 February).
func (e Expiry) rolled(y int, m time.Month, d int) (int, time.Month, int) {
	switch e.Unit {
	case "day":
		y, m, d = time.Date(y, m, d+e.Count, 12, 0, 0, 0, time.UTC).Date()
	case "month":
		y, m, d = addMonths(y, m, d, e.Count)
	case "year":
		y, m, d = addMonths(y, m, d, 12*e.Count)
	}
	switch e.Round {
	case "month":
		d = daysIn(y, m)
	case "quarter":
		m = (m-1)/3*3 + 3
		d = daysIn(y, m)
	case "year":
		m, d = time.December, 31
	}
	return y, m, d
}

// nextFixed returns the first of the dates that is not before the given one.
func (e Expiry) nextFixed(y int, m time.Month, d int) (int, time.Month, int) {
	type date struct {
		y, d int
		m    time.Month
	}
	var all []date
	for _, text := range e.Dates {
		fm, fd, err := monthDay(text)
		if err != nil {
			panic("ledger: unchecked expiry date " + text)
		}
		for _, fy := range []int{y, y + 1} {
			all = append(all, date{fy, min(fd, daysIn(fy, fm)), fm})
		}
	}
	after := func(a, b date) int { return (a.y-b.y)*400 + (int(a.m)-int(b.m))*32 + a.d - b.d }
	slices.SortFunc(all, after)
	for _, f := range all {
		if after(f, date{y, d, m}) >= 0 {
			return f.y, f.m, f.d
		}
	}
	panic("ledger: no fixed date within a year")
}

func addMonths(y int, m time.Month, d, n int) (int, time.Month, int) {
	i := int(m) - 1 + n
	y, m = y+i/12, time.Month(i%12+1)
	return y, m, min(d, daysIn(y, m))
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 12, 0, 0, 0, time.UTC).Day() }

// startOfDay is the first instant of a date in a zone. Where clocks jump over midnight,
// that is the end of the gap; where they go back over it, its first coming. Of a day that
// a country skipped it is the start of the next.
func startOfDay(y int, m time.Month, d int, zone *time.Location) time.Time {
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	y, m, d = want.Date()
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	start, end := t.ZoneBounds() // of the offset that t is in
	switch got := civil(t); {
	case got.Before(want): // midnight is in a gap, and Date chose the side before it
		return end
	case got.After(want):
		return start
	case !start.IsZero():
		if last := start.Add(-1); civil(last).Equal(want) { // Date chose the second midnight
			h, mi, s := last.Clock()
			return start.Add(-time.Duration(h*3600+mi*60+s+1) * time.Second)
		}
	}
	return t
}

// civil is the date of t where it is, at midnight of no zone: to compare dates.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// activeAt returns when points become usable that are earned at an instant and wait for
// so many days: at once, or at the start of that day in the programme's zone.
func activeAt(earnedMS int64, days int, zone *time.Location) int64 {
	if days == 0 {
		return earnedMS
	}
	y, m, d := time.UnixMilli(earnedMS).In(zone).Date()
	return max(earnedMS, startOfDay(y, m, d+days, zone).UnixMilli())
}

func monthOf(ms int64, zone *time.Location) int64 {
	t := time.UnixMilli(ms).In(zone)
	return int64(t.Year()*100) + int64(t.Month())
}

// Config is what decisions read of the settings: immutable, replaced whole.
type Config struct {
	Zone       *time.Location
	Currencies map[int64]*Currency
	ByCode     map[string]*Currency
	Issuer     int64 // merchant who owes what no store issued
	Version    int64
}

// Currency returns the currency of a code, or ErrCurrency.
func (c *Config) Currency(code string) (*Currency, error) {
	if cur := c.ByCode[code]; cur != nil && cur.Active {
		return cur, nil
	}
	return nil, ErrCurrency.With("code", code)
}

// Check refuses a currency whose policy makes no sense.
func (c *Currency) Check() error {
	if err := c.Policy.Expiry.Check(); err != nil {
		return err
	}
	if t := c.Policy.Transfer; t.Max > 0 && t.Min > t.Max {
		return ErrTransferRule
	}
	for i, t := range c.Policy.TopUps {
		from, until, err := t.days()
		if err != nil || until != 0 && from > until || t.Least < 1 || t.Bonus < 1 || c.Kind != Stored {
			return ErrTopUps.At(fmt.Sprintf("body.policy.top_ups[%d]", i))
		}
	}
	return nil
}

// Format writes an amount of the currency with all its decimals.
func (c *Currency) Format(amount int64) string {
	scale := int64(1)
	for range c.Policy.Decimals {
		scale *= 10
	}
	if scale == 1 {
		return fmt.Sprint(amount)
	}
	sign := ""
	if amount < 0 {
		sign, amount = "-", -amount
	}
	return fmt.Sprintf("%s%d.%0*d", sign, amount/scale, c.Policy.Decimals, amount%scale)
}
