// Package offer keeps what members are invited to do, and what they get for it: offers and
// challenges with a goal and a time, badges, leaderboards, the daily check-in, and points
// that are granted to many at once.
//
// # Life
//
// An offer is a draft, is published, becomes live when its time begins, may be paused, and
// ends. Each change of what it says is a version; versions are kept. Members receive an
// instance of it (sent to them, begun by themselves, or by their first purchase that counts);
// an instance is viewed, progresses, is completed and rewarded, or expires. It goes by the
// version under which it was received, to its end.
//
// # Laws
//
//   - Progress is a sum over purchases in the instance's window, which is closed on both
//     sides. So the order in which purchases arrive makes no difference, and a purchase that
//     is returned whole leaves nothing.
//   - An instance is completed if and only if its progress meets its goal. Where a return
//     brings it back below, what it was rewarded with is taken back and it is open again, or
//     over where its time is.
//   - Each receipt is its own instance; one purchase may complete several.
//   - Progress changes in the batch that posts the sale, under the member's lock. A member
//     without instances costs one row that is looked for.
//   - Nothing here ever blocks a sale.
package offer

import (
	"regexp"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// Bounds of what is configured. Live offers are all held in memory, and each purchase looks
// at them.
const (
	maxOffers = 2_000
	maxHours  = 24 * 366 * 5
	maxOpen   = 500 // instances of one member that are followed at a time
)

// State says where an offer stands.
type State string

// The states. Scheduled is what a live offer is called before its time.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Live      State = "live"
	Paused    State = "paused"
	Ended     State = "ended"
)

// Offer is one offer as it stands now.
type Offer struct {
	ID      int64
	Code    string // unique; what the programme as code calls it
	State   State  // as kept: draft, live, paused or ended
	Version int64  // of Terms; grows with every change
	Terms   Terms
	Made    time.Time
	Changed time.Time
	EndedMS int64 // when it was ended by hand; 0 where it was not
}

const (
	offerPrefix    = "off_"
	instancePrefix = "ofi_"
	sendingPrefix  = "ofs_"
	badgePrefix    = "bdg_"
	boardPrefix    = "ldb_"
	grantPrefix    = "grt_"
)

// PublicID is what the outside calls the offer.
func (o *Offer) PublicID() string { return id.Encode(offerPrefix, 0, o.ID) }

// Standing is the state at an instant: a published offer waits for its time and ends by it.
func (o *Offer) Standing(nowMS int64, zone *time.Location) State {
	if o.State != Live {
		return o.State
	}
	from, until := o.Terms.span(zone)
	switch {
	case nowMS < from:
		return Scheduled
	case nowMS > until:
		return Ended
	}
	return Live
}

// Terms are what an offer says: what a version keeps. The JSON names are those of the API
// and of the programme as code.
type Terms struct {
	NameEN   string   `json:"name_en,omitempty" yaml:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH   string   `json:"name_zh,omitempty" yaml:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	TextEN   string   `json:"text_en,omitempty" yaml:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
	TextZH   string   `json:"text_zh,omitempty" yaml:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
	Picture  string   `json:"picture,omitempty" yaml:"picture,omitempty" maxLength:"500" doc:"Address of a picture: https://…, or a path of this server."`
	Goal     Goal     `json:"goal" yaml:"goal" doc:"What is to be done."`
	Counts   Counts   `json:"counts,omitzero" yaml:"counts,omitempty" doc:"Which purchases count, and which of their lines; all where absent."`
	Audience string   `json:"audience,omitempty" yaml:"audience,omitempty" maxLength:"8000" doc:"Who may have it: a condition of kind member; everybody where absent."`
	Delivery Delivery `json:"delivery" yaml:"delivery" enum:"sent,open" doc:"sent: whoever it is sent to has it. open: everybody of the audience has it."`
	OptIn    bool     `json:"opt_in,omitempty" yaml:"opt_in,omitempty" doc:"Counts only from when the member has said yes."`
	From     string   `json:"from,omitempty" yaml:"from,omitempty" maxLength:"40" doc:"From when on it can be had and purchases count; a date or time without a zone is in the programme's."`
	Until    string   `json:"until,omitempty" yaml:"until,omitempty" maxLength:"40" doc:"The first instant at which they no longer do."`
	Hours    int64    `json:"hours,omitempty" yaml:"hours,omitempty" minimum:"0" maximum:"43920" doc:"How many hours a member has from receipt, the last instant included; absent where only until bounds it."`
	Repeat   Repeat   `json:"repeat,omitzero" yaml:"repeat,omitempty" doc:"Whether and how often it can be had again; once where absent. Of offers that are sent, each receipt counts for itself in any case."`
	Reward   Reward   `json:"reward" yaml:"reward" doc:"What completing it gives."`
}

// Delivery says how members come by an offer.
type Delivery string

// The deliveries.
const (
	Sent Delivery = "sent"
	Open Delivery = "open"
)

// Repeat says how often an open offer can be had by one member.
type Repeat struct {
	Every RepeatEvery `json:"every,omitempty" yaml:"every,omitempty" enum:"once,completion,day,week,month" doc:"once; again after each completion; or anew each day, week or month of the programme's calendar."`
	Times int64       `json:"times,omitempty" yaml:"times,omitempty" minimum:"0" maximum:"1000000" doc:"How often at most; 0 for no bound."`
}

// RepeatEvery is when the next instance may begin.
type RepeatEvery string

// The ways to repeat. The empty one is Once.
const (
	Once            RepeatEvery = "once"
	EveryCompletion RepeatEvery = "completion"
	EveryDay        RepeatEvery = "day"
	EveryWeek       RepeatEvery = "week"
	EveryMonth      RepeatEvery = "month"
)

// Counts says which purchases count, and which of their lines. What is empty does not limit.
type Counts struct {
	Stores            []string `json:"stores,omitempty" yaml:"stores,omitempty" maxItems:"500" doc:"Only purchases at these stores: codes or ids."`
	Channels          []string `json:"channels,omitempty" yaml:"channels,omitempty" maxItems:"50" doc:"Only purchases on these channels."`
	Categories        []string `json:"categories,omitempty" yaml:"categories,omitempty" maxItems:"500" doc:"Only lines of these categories and those below them."`
	Brands            []string `json:"brands,omitempty" yaml:"brands,omitempty" maxItems:"500" doc:"Only lines of these brands."`
	SKUs              []string `json:"skus,omitempty" yaml:"skus,omitempty" maxItems:"500" doc:"Only lines of these products."`
	ExcludeCategories []string `json:"exclude_categories,omitempty" yaml:"exclude_categories,omitempty" maxItems:"500" doc:"No lines of these categories and those below them."`
	ExcludeBrands     []string `json:"exclude_brands,omitempty" yaml:"exclude_brands,omitempty" maxItems:"500" doc:"No lines of these brands."`
	ExcludeSKUs       []string `json:"exclude_skus,omitempty" yaml:"exclude_skus,omitempty" maxItems:"500" doc:"No lines of these products."`
	Condition         string   `json:"condition,omitempty" yaml:"condition,omitempty" maxLength:"8000" doc:"Only purchases for which this holds: a condition of kind sale."`
}

// Reward is what completing an offer gives. All of it is optional: a goal may be its own
// reward.
type Reward struct {
	Currency string `json:"currency,omitempty" yaml:"currency,omitempty" maxLength:"40" doc:"Code of a currency of points or growth value."`
	Amount   int64  `json:"amount,omitempty" yaml:"amount,omitempty" minimum:"0" maximum:"1000000000" doc:"How much of it, in its smallest unit."`
	Badge    string `json:"badge,omitempty" yaml:"badge,omitempty" maxLength:"40" doc:"Code of a badge."`
}

// The refusals of offers.
var (
	ErrNotFound = errs.New(errs.NotFound, "offer.unknown", "There is no such offer.", "没有这个活动。")
	ErrCode     = errs.New(errs.Invalid, "offer.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成。")
	ErrTaken    = errs.New(errs.Conflict, "offer.code_taken", "There is one with this code already.", "该代码已存在。")
	ErrMany     = errs.New(errs.Conflict, "offer.many", "There may be no more than {most} of these.", "数量不能超过 {most}。")
	ErrEdited   = errs.New(errs.Conflict, "offer.edited", "It was changed by someone else meanwhile; read it again.", "内容已被他人修改，请重新读取。")
	ErrNames    = errs.New(errs.Invalid, "offer.names", "It needs a name of at most 100 characters in one language at least.", "须至少填写一种语言的名称，最多 100 个字符。")
	ErrGoal     = errs.New(errs.Invalid, "offer.goal", "The goal does not fit its kind: {why}.", "目标与类型不符：{why}。")
	ErrWindow   = errs.New(errs.Invalid, "offer.window", "Until lies after from.", "结束时间须晚于开始时间。")
	ErrReward   = errs.New(errs.Invalid, "offer.reward", "A reward of points names a currency of points or growth value, and how much.", "积分奖励须指定积分或成长值币种及数量。")
	ErrBadge    = errs.New(errs.Invalid, "offer.reward_badge", "There is no badge {code}.", "没有徽章 {code}。")
	ErrPicture  = errs.New(errs.Invalid, "offer.picture", "A picture is https://… or a path that begins with /.", "图片地址须以 https:// 或 / 开头。")
	ErrRepeat   = errs.New(errs.Invalid, "offer.repeat", "Offers that are sent repeat by being sent again; only open ones repeat by the calendar.", "定向发放的活动通过再次发放来重复；只有公开活动可按日历重复。")
	ErrFacts    = errs.New(errs.Invalid, "offer.facts", "A condition of an offer cannot ask for {fact}.", "活动条件不能使用 {fact}。")
	ErrMove     = errs.New(errs.Conflict, "offer.state", "From {state}, that is not possible.", "当前状态（{state}）不允许此操作。")
	ErrStarted  = errs.New(errs.Conflict, "offer.started", "Only a draft can be deleted; end it instead.", "只有草稿可以删除，请改为结束。")

	ErrNoInstance = errs.New(errs.NotFound, "offer.no_instance", "The member has no such offer.", "该会员没有这个活动。")
	ErrOver       = errs.New(errs.Conflict, "offer.over", "This offer is over.", "该活动已结束。")
	ErrNotLive    = errs.New(errs.Conflict, "offer.not_live", "This offer is not live.", "该活动未上线。")
	ErrAudience   = errs.New(errs.Conflict, "offer.audience", "This offer is not for this member.", "该会员不符合活动条件。")
	ErrOften      = errs.New(errs.Conflict, "offer.often", "The member has had this offer as often as it can be had.", "该会员参加此活动的次数已达上限。")
	ErrFull       = errs.New(errs.Conflict, "offer.full", "The member has {most} open offers, which is all that are followed.", "该会员进行中的活动已达上限（{most} 个）。")
	ErrFuture     = errs.New(errs.Invalid, "offer.future", "The time lies more than five minutes ahead.", "时间超前超过五分钟。")
)

var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

// span is from when until when an offer can be had, both inclusive, in Unix milliseconds.
// Terms that were checked can be read.
func (t *Terms) span(zone *time.Location) (from, until int64) {
	from, until = minMS, never
	if at, err := program.ParseTime(t.From, zone); err == nil {
		from = at.UnixMilli()
	}
	if at, err := program.ParseTime(t.Until, zone); err == nil {
		until = at.UnixMilli() - 1
	}
	return from, until
}

const (
	minMS = int64(-1) << 62
	never = int64(253402300799999) // as the ledger's: the last millisecond of the year 9999
)
