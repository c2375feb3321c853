// Package reward is the catalogue of what members have for points (兑换商品), and their orders
// of it (兑换单).
//
// # Life
//
// A reward is a draft, goes live, may be paused, and ends. Each change of what it says is a
// version; versions are kept, and an order goes to its end by the version, and the price,
// under which it was made.
//
// An order sets points and stock aside in one posting where money is still to be paid (held),
// else it is paid at once. Then it is fulfilled by its kind: picked up at a store with a code,
// shipped to an address, or at once where it is digital; then it is done. It can be cancelled
// before, and what can come back can be returned after: points go back to the lots that they
// came from, and to stock what came from it.
//
// # Laws
//
//   - Each step is one posting: whatever crashes, an order has its points and its stock, or
//     neither.
//   - The price is that of the first option that is open and whose condition holds. Where the
//     member has too little of its currency, the order is refused: no other wallet is tried.
//   - Of a stock of n no more than n are held, taken and not brought back, whoever asks at once;
//     so it is with the limits of a member.
//   - What an order took of points and of stock, a cancellation gives back in full, and nothing
//     twice.
//   - The code of a pool is handed out to one order, ever.
package reward

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

// Bounds of what is configured: the whole catalogue is held in memory.
const (
	maxRewards  = 1000
	maxPrices   = 10
	maxTags     = 10
	maxPoints   = 1_000_000_000
	maxMoney    = 100_000_000_00
	maxWorth    = 1_000_000_000
	maxHoldMin  = 7 * 24 * 60
	maxPickDays = 365
)

const (
	rewardPrefix = "rwd_"
	orderPrefix  = "rwo_"
)

// State says where a reward stands.
type State string

// The states of a reward.
const (
	Draft  State = "draft"
	Live   State = "live"
	Paused State = "paused"
	Ended  State = "ended"
)

// Kind is what a reward is.
type Kind string

// The kinds.
const (
	Goods    Kind = "goods"    // picked up or shipped
	Coupon   Kind = "coupon"   // a voucher of this programme, at once
	ServiceK Kind = "service"  // given at a store, against the pick-up code
	Donation Kind = "donation" // nothing comes back
	CodeK    Kind = "code"     // a code of a third party, out of a pool, at once
)

// Digital reports whether it is fulfilled at once.
func (k Kind) Digital() bool { return k == Coupon || k == Donation || k == CodeK }

// StockBy says how stock is counted.
type StockBy string

// The ways to count stock.
const (
	StockNone   StockBy = "none"   // without end
	StockCommon StockBy = "common" // one number
	StockStores StockBy = "stores" // one number a store
)

// Way is how goods come to the member.
type Way string

// The ways.
const (
	Pickup Way = "pickup"
	Ship   Way = "ship"
)

// Lapse is what becomes of goods that nobody picks up in time.
type Lapse string

// What a missed deadline does.
const (
	LapseBack Lapse = "return" // cancelled, and the points come back
	LapseKeep Lapse = "keep"   // cancelled, and the points stay spent
)

// Reward is one of the catalogue as it stands now.
type Reward struct {
	ID       int64
	Code     string // unique; what the programme as code calls it
	State    State
	Version  int64 // of Terms; grows with every change
	Terms    Terms
	Pictures []string // hashes; the first is in front
	Made     time.Time
	Changed  time.Time
}

// PublicID is what the outside calls the reward.
func (r *Reward) PublicID() string { return id.Encode(rewardPrefix, 0, r.ID) }

// Terms are what a reward says: what a version keeps. The JSON names are those of the API and
// of the programme as code.
type Terms struct {
	NameEN   string   `json:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH   string   `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	TextEN   string   `json:"text_en,omitempty" maxLength:"2000" doc:"What members read about it, in English."`
	TextZH   string   `json:"text_zh,omitempty" maxLength:"2000" doc:"What members read about it, in Chinese."`
	Kind     Kind     `json:"kind" enum:"goods,coupon,service,donation,code" doc:"What it is. code: a code of a third party, out of a pool that is uploaded. Fixed once it was live."`
	Category string   `json:"category,omitempty" maxLength:"40" doc:"The shelf that it stands on: lower-case letters, digits, dashes." example:"tea"`
	Tags     []string `json:"tags,omitempty" maxItems:"10" doc:"Seasons and the like, as members may filter by." example:"[\"spring\"]"`
	Coupon   string   `json:"coupon,omitempty" maxLength:"64" doc:"Of kind coupon: code or id of the coupon that is given."`

	VisibleFrom  string `json:"visible_from,omitempty" maxLength:"40" doc:"From when on members see it; a date or time without a zone is in the programme's."`
	VisibleUntil string `json:"visible_until,omitempty" maxLength:"40" doc:"The first instant at which they no longer do."`
	From         string `json:"from,omitempty" maxLength:"40" doc:"From when on it can be ordered."`
	Until        string `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer can."`
	Audience     string `json:"audience,omitempty" maxLength:"8000" doc:"Who sees and may order it: a condition of kind member; everybody where absent."`

	Limits Limits   `json:"limits,omitzero" doc:"How many one member may have."`
	Stock  StockBy  `json:"stock,omitempty" enum:"none,common,stores" doc:"How stock is counted: not at all, one number, or one a store. A pool of codes counts itself."`
	Ways   []Way    `json:"ways,omitempty" maxItems:"2" enum:"pickup,ship" doc:"How goods come to the member; pickup where absent."`
	Stores []string `json:"stores,omitempty" maxItems:"500" doc:"Where it can be picked up: codes or ids of stores; all of them where absent."`

	PickupDays  int64 `json:"pickup_days,omitempty" minimum:"0" maximum:"365" doc:"Until the end of which day after the payment it is to be picked up; 0 for no deadline."`
	Lapse       Lapse `json:"lapse,omitempty" enum:"return,keep" doc:"What a missed deadline does: return gives the points back, keep does not. The goods go back to stock."`
	HoldMinutes int64 `json:"hold_minutes,omitempty" minimum:"0" maximum:"10080" doc:"For how long points and stock are set aside while money is to be paid; 30 where absent."`

	Prices []Option `json:"prices" minItems:"1" maxItems:"10" doc:"In their order: the first that is open and whose condition holds is the price."`
}

// Limits are how many orders one member may have that were not cancelled or returned; 0 does
// not limit.
type Limits struct {
	Ever  int64 `json:"ever,omitempty" minimum:"0" maximum:"1000000" doc:"In all; 0 for no limit."`
	Day   int64 `json:"day,omitempty" minimum:"0" maximum:"1000000" doc:"A day of the programme."`
	Week  int64 `json:"week,omitempty" minimum:"0" maximum:"1000000" doc:"A week, from Monday."`
	Month int64 `json:"month,omitempty" minimum:"0" maximum:"1000000" doc:"A calendar month."`
}

// The refusals of rewards.
var (
	ErrNotFound = errs.New(errs.NotFound, "reward.unknown", "There is no such reward.", "没有这个兑换商品。")
	ErrCode     = errs.New(errs.Invalid, "reward.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成。")
	ErrTaken    = errs.New(errs.Conflict, "reward.code_taken", "There is one with this code already.", "该代码已存在。")
	ErrMany     = errs.New(errs.Conflict, "reward.many", "There may be no more than {most} rewards.", "兑换商品不能超过 {most} 个。")
	ErrEdited   = errs.New(errs.Conflict, "reward.edited", "It was changed by someone else meanwhile; read it again.", "内容已被他人修改，请重新读取。")
	ErrNames    = errs.New(errs.Invalid, "reward.names", "It needs a name of at most 100 characters in one language at least.", "须至少填写一种语言的名称，最多 100 个字符。")
	ErrText     = errs.New(errs.Invalid, "reward.text", "A text has at most {most} characters.", "文本最多 {most} 个字符。")
	ErrKind     = errs.New(errs.Invalid, "reward.kind", "This does not fit the kind of the reward: {why}.", "与商品类型不符：{why}。")
	ErrFixed    = errs.New(errs.Conflict, "reward.fixed", "The kind, and how stock is counted, are fixed once it was live. Make another reward.", "上线后，商品类型和库存方式不能更改，请另建商品。")
	ErrCategory = errs.New(errs.Invalid, "reward.category", "A category or tag is 1 to 40 letters, digits, dashes or underscores; each tag stands once.", "类目或标签由 1 至 40 个字母、数字、横线或下划线组成，标签不能重复。")
	ErrWindow   = errs.New(errs.Invalid, "reward.window", "Until lies after from.", "结束时间须晚于开始时间。")
	ErrBound    = errs.New(errs.Invalid, "reward.bound", "This number is out of its range.", "数值超出范围。")
	ErrPrices   = errs.New(errs.Invalid, "reward.prices", "A reward has 1 to {most} prices, each of points of a currency that can be spent.", "须有 1 至 {most} 个价格选项，且为可使用的积分币种。")
	ErrSlider   = errs.New(errs.Invalid, "reward.slider", "A slider goes from at least 1 to fewer points than the price, in steps that divide the way, and a point is worth something.", "滑块的最低积分须至少为 1 且小于价格，步长须整除其间差额，积分须有价值。")
	ErrFacts    = errs.New(errs.Invalid, "reward.facts", "A condition of a reward cannot ask for {fact}.", "兑换条件不能使用 {fact}。")
	ErrCoupon   = errs.New(errs.Invalid, "reward.coupon", "There is no such coupon that can be given.", "没有可发放的该优惠券。")
	ErrMove     = errs.New(errs.Conflict, "reward.state", "From {state}, that is not possible.", "当前状态（{state}）不允许此操作。")
	ErrStarted  = errs.New(errs.Conflict, "reward.started", "Only a draft can be deleted; end it instead.", "只有草稿可以删除，请改为结束。")
)

var (
	codeForm  = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)
	shelfForm = regexp.MustCompile(`^[\p{L}\p{N}_-]{1,40}$`)
)

// tidy brings terms into their one form.
func (t *Terms) tidy() {
	t.NameEN, t.NameZH = fill(t.NameEN, t.NameZH)
	t.TextEN, t.TextZH = fill(t.TextEN, t.TextZH)
	if t.Stock == "" || t.Kind == CodeK {
		t.Stock = StockNone
	}
	if t.Kind == Goods && len(t.Ways) == 0 || t.Kind == ServiceK {
		t.Ways = []Way{Pickup}
	}
	if t.Kind.Digital() {
		t.Ways = nil
	}
	if t.Lapse == "" {
		t.Lapse = LapseBack
	}
	if t.HoldMinutes == 0 {
		t.HoldMinutes = 30
	}
	if len(t.Tags) == 0 {
		t.Tags = nil
	}
	if len(t.Stores) == 0 {
		t.Stores = nil
	}
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

// check refuses what can be seen to be wrong of tidy terms. Currencies, stores, conditions and
// times are for whoever knows them.
func (t *Terms) check() error {
	long := func(s string, most int) bool { return utf8.RuneCountInString(s) > most }
	why := func(en, zh string) error { return ErrKind.With("why", errs.Word{EN: en, ZH: zh}) }
	switch {
	case t.NameEN == "" || long(t.NameEN, 100) || long(t.NameZH, 100):
		return ErrNames.At("body.name_en")
	case long(t.TextEN, 2000) || long(t.TextZH, 2000):
		return ErrText.With("most", 2000).At("body.text_en")
	case !slices.Contains([]Kind{Goods, Coupon, ServiceK, Donation, CodeK}, t.Kind):
		return why("there is no such kind", "没有这种类型")
	case (t.Kind == Coupon) != (t.Coupon != ""):
		return at(why("a coupon names what is given, and nothing else does", "优惠券类须指定所发放的券，其他类型不可"), "body.coupon")
	case t.Category != "" && !shelfForm.MatchString(t.Category):
		return ErrCategory.At("body.category")
	case t.Stock != StockNone && t.Stock != StockCommon && t.Stock != StockStores:
		return ErrBound.At("body.stock")
	case t.Stock == StockStores && !slices.Contains(t.Ways, Pickup):
		return at(why("stock of stores is for what is picked up there", "按门店计库存须可到店领取"), "body.stock")
	case t.Stock == StockStores && slices.Contains(t.Ways, Ship):
		return at(why("what is shipped comes out of one common stock", "邮寄商品须使用统一库存"), "body.stock")
	case t.Lapse != LapseBack && t.Lapse != LapseKeep:
		return ErrBound.At("body.lapse")
	case t.PickupDays < 0 || t.PickupDays > maxPickDays:
		return ErrBound.At("body.pickup_days")
	case t.HoldMinutes < 1 || t.HoldMinutes > maxHoldMin:
		return ErrBound.At("body.hold_minutes")
	}
	if len(t.Tags) > maxTags {
		return ErrCategory.At("body.tags")
	}
	for i, tag := range t.Tags {
		if !shelfForm.MatchString(tag) || slices.Contains(t.Tags[:i], tag) {
			return ErrCategory.At(fmt.Sprintf("body.tags[%d]", i))
		}
	}
	for i, w := range t.Ways {
		if w != Pickup && w != Ship || slices.Contains(t.Ways[:i], w) {
			return ErrBound.At(fmt.Sprintf("body.ways[%d]", i))
		}
	}
	for _, n := range []int64{t.Limits.Ever, t.Limits.Day, t.Limits.Week, t.Limits.Month} {
		if n < 0 || n > 1_000_000 {
			return ErrBound.At("body.limits")
		}
	}
	if len(t.Prices) == 0 || len(t.Prices) > maxPrices {
		return ErrPrices.With("most", maxPrices).At("body.prices")
	}
	for i := range t.Prices {
		if err := t.Prices[i].check(); err != nil {
			return at(err, fmt.Sprintf("body.prices[%d]", i))
		}
	}
	return nil
}

// Option is one price of a reward.
type Option struct {
	Condition string `json:"condition,omitempty" maxLength:"8000" doc:"For whom: a condition of kind member, as member.tier.rank >= 2; everybody where absent."`
	Currency  string `json:"currency" minLength:"1" maxLength:"40" doc:"Code of the currency of points." example:"points"`
	Points    int64  `json:"points" minimum:"1" maximum:"1000000000" doc:"How many, in its smallest unit; with a slider, the most that can be paid in points."`
	Money     int64  `json:"money,omitempty" minimum:"0" maximum:"10000000000" doc:"Money to be paid on top in any case, in minor units of the programme's money."`
	Least     int64  `json:"least,omitempty" minimum:"0" maximum:"1000000000" doc:"With a slider: the fewest points; the rest is paid in money. 0 for no slider."`
	Step      int64  `json:"step,omitempty" minimum:"0" maximum:"1000000000" doc:"With a slider: by how many points it moves."`
	Worth     int64  `json:"worth,omitempty" minimum:"0" maximum:"1000000000" doc:"With a slider: what one smallest unit of points is worth, in thousandths of a minor unit of money: 1000 is one fen or cent."`
	From      string `json:"from,omitempty" maxLength:"40" doc:"From when on this price is open: limited-time prices stand before the usual one."`
	Until     string `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer is."`
}

func (o *Option) check() error {
	switch {
	case o.Points < 1 || o.Points > maxPoints:
		return ErrPrices.With("most", maxPrices)
	case o.Money < 0 || o.Money > maxMoney:
		return ErrBound
	case o.Least == 0 && (o.Step != 0 || o.Worth != 0):
		return ErrSlider
	case o.Least != 0 && (o.Least < 1 || o.Least >= o.Points || o.Step < 1 || (o.Points-o.Least)%o.Step != 0 || o.Worth < 1 || o.Worth > maxWorth):
		return ErrSlider
	}
	return nil
}

// MoneyFor is what is to be paid in money where so many points are, or ErrShare where the
// slider does not stop there. Money is rounded up: a point never pays more than it is worth.
func (o *Option) MoneyFor(points int64) (int64, error) {
	if points == o.Points {
		return o.Money, nil
	}
	if o.Least == 0 || points < o.Least || points > o.Points || (points-o.Least)%o.Step != 0 {
		least, step := o.Least, o.Step
		if least == 0 {
			least, step = o.Points, 0
		}
		return 0, ErrShare.With("least", least, "most", o.Points, "step", step)
	}
	rest, ok := money.MulDiv(o.Points-points, o.Worth, 1000, money.Ceil)
	if !ok {
		return 0, ErrShare.With("least", o.Least, "most", o.Points, "step", o.Step)
	}
	return o.Money + rest, nil
}

// span reads two instants that were checked, both inclusive, in Unix milliseconds.
func span(from, until string, zone *time.Location) (first, last int64) {
	first, last = minMS, never
	if t, err := program.ParseTime(from, zone); err == nil {
		first = t.UnixMilli()
	}
	if t, err := program.ParseTime(until, zone); err == nil {
		last = t.UnixMilli() - 1
	}
	return first, last
}

const (
	minMS = int64(-1) << 62
	never = int64(253402300799999) // as the ledger's: the last millisecond of the year 9999
)

// at names the part of the request that a refusal is about.
func at(err error, location string) error {
	if e := errs.As(err); e != nil {
		return e.At(location)
	}
	return err
}

// stateWords are what people call the states of a reward.
var stateWords = map[State]errs.Word{
	Draft: {EN: "draft", ZH: "草稿"}, Live: {EN: "live", ZH: "已上架"}, Paused: {EN: "paused", ZH: "已暂停"}, Ended: {EN: "ended", ZH: "已结束"},
}

// moves says from which states each may be entered.
var moves = map[State][]State{Live: {Draft, Paused}, Paused: {Live}, Ended: {Live, Paused}}
