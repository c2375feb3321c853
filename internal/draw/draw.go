// Package draw keeps games of chance that members play for prizes: a wheel, a scratch card or
// a box. Whoever doubts an outcome can work it out again.
//
// # Life
//
// A draw is a draft, is published, becomes live when its time begins, may be paused, and ends.
// Each change of what it says is a version. While it is published its time is cut into epochs,
// a day each or what the draw says. Of each epoch a seed is drawn and its hash published before
// the first play; after its end the seed is revealed, with every play of it.
//
// # Laws
//
//   - A play is one posting: it takes the price, counts limits and stock, gives the prize, and
//     writes down what it went by. Nothing of it happens without the rest.
//   - The outcome follows from the seed, which the shop fixed beforehand, and from the nonce of
//     the member's device, which the shop cannot know beforehand. See protocol.go.
//   - Plays of an epoch are numbered without gaps, under the lock of the draw's row.
//   - The odds are those of the table in force. Where stock or budget end, the play that ended
//     them also writes the next table: odds never change silently, nor within a play.
//   - No more of a prize is given than there is, whatever happens at once.
//   - A prize that was drawn is won. What cannot be given at once is owed, by a code.
package draw

import (
	"regexp"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// Bounds of what is configured. All draws are held in memory.
const (
	maxDraws  = 500
	maxPrizes = 24 // what a wheel can show
	seedSize  = 32
)

// State says where a draw stands.
type State string

// The states. Scheduled is what a live draw is called before its time.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Live      State = "live"
	Paused    State = "paused"
	Ended     State = "ended"
)

const (
	drawPrefix = "drw_"
	playPrefix = "ply_"
)

// Game is one draw as it stands now.
type Game struct {
	ID      int64
	Code    string // unique; fixed
	State   State  // as kept: draft, live, paused or ended
	Version int64  // of Terms; grows with every change
	Terms   Terms
	Made    time.Time
	Changed time.Time
	EndedMS int64 // when it was ended by hand; 0 where it was not
}

// PublicID is what the outside calls the draw.
func (g *Game) PublicID() string { return id.Encode(drawPrefix, 0, g.ID) }

// Standing is the state at an instant: a published draw waits for its time and ends by it.
func (g *Game) Standing(nowMS int64, zone *time.Location) State {
	if g.State != Live {
		return g.State
	}
	from, until := g.Terms.span(zone)
	switch {
	case nowMS < from:
		return Scheduled
	case nowMS > until:
		return Ended
	}
	return Live
}

// Look is what the game looks like to members. It changes nothing else.
type Look string

// The looks.
const (
	Wheel   Look = "wheel"
	Scratch Look = "scratch"
	Box     Look = "box"
)

// Every is how long an epoch is.
type Every string

// The epochs. The empty one is EveryDay.
const (
	EveryDay  Every = "day"
	EveryWeek Every = "week"
	Whole     Every = "whole"
)

// Terms are what a draw says: what a version keeps. The JSON names are those of the API.
type Terms struct {
	NameEN    string    `json:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH    string    `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	TextEN    string    `json:"text_en,omitempty" maxLength:"1000" doc:"What members read about it, in English."`
	TextZH    string    `json:"text_zh,omitempty" maxLength:"1000" doc:"What members read about it, in Chinese."`
	Look      Look      `json:"look" enum:"wheel,scratch,box" doc:"What it looks like to members: a wheel, a scratch card or a box."`
	Audience  string    `json:"audience,omitempty" maxLength:"8000" doc:"Who may play: a condition of kind member; everybody where absent."`
	From      string    `json:"from,omitempty" maxLength:"40" doc:"From when on it can be played; a date or time without a zone is in the programme's."`
	Until     string    `json:"until,omitempty" maxLength:"40" doc:"The first instant at which it no longer can."`
	Epoch     Every     `json:"epoch,omitempty" enum:"day,week,whole" doc:"After what time the seed is revealed and another is used: a day (also where absent) or week of the programme's calendar, or when the draw ends."`
	Price     Price     `json:"price,omitzero" doc:"What a play costs beyond the free ones; absent where only free ones can be had."`
	Free      int64     `json:"free_per_day,omitempty" minimum:"0" maximum:"1000" doc:"Plays of a member that are free, per day of the programme."`
	PerDay    int64     `json:"plays_per_day,omitempty" minimum:"0" maximum:"100000" doc:"Plays of a member per day at most, free ones included; 0 for no bound."`
	PerMember int64     `json:"plays_per_member,omitempty" minimum:"0" maximum:"1000000" doc:"Plays of a member at most; 0 for no bound."`
	Budget    int64     `json:"budget,omitempty" minimum:"0" maximum:"1000000000000" doc:"What all prizes together may be worth, in the units of their worth; 0 for no bound."`
	Guarantee Guarantee `json:"guarantee,omitzero" doc:"The play with which a member wins at the latest; absent for no such promise."`
	Prizes    []Prize   `json:"prizes" minItems:"1" maxItems:"24" doc:"What can be won. The odds that are left over to a million win nothing."`
}

// Price is what a play costs.
type Price struct {
	Currency string `json:"currency,omitempty" maxLength:"40" doc:"Code of a currency of points."`
	Amount   int64  `json:"amount,omitempty" minimum:"0" maximum:"1000000000" doc:"How much of it, in its smallest unit."`
}

// Guarantee promises a prize to who plays often without one.
type Guarantee struct {
	After int64  `json:"after,omitempty" minimum:"0" maximum:"10000" doc:"With this play since their last prize a member wins at the latest; 2 or more."`
	Prize string `json:"prize,omitempty" maxLength:"40" doc:"Code of the prize that is then won where the number means nothing."`
}

// Kind is what a prize is.
type Kind string

// The kinds.
const (
	Points Kind = "points"
	Coupon Kind = "coupon"
	Thing  Kind = "thing"
)

// Prize is one thing that can be won.
type Prize struct {
	Code     string `json:"code" minLength:"1" maxLength:"40" pattern:"^[a-z0-9_-]+$" doc:"Unique in the draw; its stock is counted under it." example:"cup"`
	NameEN   string `json:"name_en,omitempty" maxLength:"100" doc:"English name; the Chinese one where absent."`
	NameZH   string `json:"name_zh,omitempty" maxLength:"100" doc:"Chinese name; the English one where absent."`
	Kind     Kind   `json:"kind" enum:"points,coupon,thing" doc:"points; a coupon; or a thing that is handed out at the counter."`
	Currency string `json:"currency,omitempty" maxLength:"40" doc:"Of points: code of a currency of points or growth value."`
	Amount   int64  `json:"amount,omitempty" minimum:"0" maximum:"1000000000" doc:"Of points: how much of it, in its smallest unit."`
	Coupon   string `json:"coupon,omitempty" maxLength:"64" doc:"Of a coupon: which, by id or code."`
	Worth    int64  `json:"worth,omitempty" minimum:"0" maximum:"1000000000" doc:"What it counts for the budget; of points their amount, whatever is said here."`
	Odds     int64  `json:"odds" minimum:"0" maximum:"1000000" doc:"Of a million plays, how many win it on average."`
	Stock    int64  `json:"stock,omitempty" minimum:"0" maximum:"1000000000" doc:"How many there are in all; 0 for no bound."`
	Instead  string `json:"instead,omitempty" maxLength:"40" doc:"Code of the prize that its odds go to once there is no more of it; nothing where absent."`
}

// worth is what a prize counts for the budget.
func (p *Prize) worth() int64 {
	if p.Kind == Points {
		return p.Amount
	}
	return p.Worth
}

// The refusals of draws.
var (
	ErrNotFound  = errs.New(errs.NotFound, "draw.unknown", "There is no such draw.", "没有这个抽奖。")
	ErrCode      = errs.New(errs.Invalid, "draw.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成。")
	ErrTaken     = errs.New(errs.Conflict, "draw.code_taken", "There is a draw with this code already.", "该代码已存在。")
	ErrMany      = errs.New(errs.Conflict, "draw.many", "There may be no more than {most} draws.", "抽奖不能超过 {most} 个。")
	ErrEdited    = errs.New(errs.Conflict, "draw.edited", "It was changed by someone else meanwhile; read it again.", "内容已被他人修改，请重新读取。")
	ErrNames     = errs.New(errs.Invalid, "draw.names", "It needs a name of at most 100 characters in one language at least.", "须至少填写一种语言的名称，最多 100 个字符。")
	ErrWindow    = errs.New(errs.Invalid, "draw.window", "Until lies after from.", "结束时间须晚于开始时间。")
	ErrPrice     = errs.New(errs.Invalid, "draw.price", "A play costs points of a currency that can be spent, or there are free plays each day.", "须设置可消费积分的抽奖价格，或每日免费次数。")
	ErrOdds      = errs.New(errs.Invalid, "draw.odds", "The odds of the prizes sum to {sum} of a million; there may be no more than a million.", "奖品概率之和为百万分之 {sum}，不得超过一百万。")
	ErrPrize     = errs.New(errs.Invalid, "draw.prize", "The prize {code} does not fit its kind: {why}.", "奖品 {code} 与类型不符：{why}。")
	ErrTwice     = errs.New(errs.Invalid, "draw.prize_twice", "There are two prizes with the code {code}.", "奖品代码 {code} 重复。")
	ErrGuarantee = errs.New(errs.Invalid, "draw.guarantee", "A guarantee names one of the prizes, and a play from the second on.", "保底须指定奖品，且次数不少于 2。")
	ErrEpoch     = errs.New(errs.Conflict, "draw.epoch", "How long an epoch is cannot change once a draw is published.", "抽奖发布后不能更改周期长度。")
	ErrFacts     = errs.New(errs.Invalid, "draw.facts", "The audience of a draw cannot ask for {fact}.", "抽奖的参与条件不能使用 {fact}。")
	ErrMove      = errs.New(errs.Conflict, "draw.state", "From {state}, that is not possible.", "当前状态（{state}）不允许此操作。")
	ErrStarted   = errs.New(errs.Conflict, "draw.started", "Only a draft can be deleted; end it instead.", "只有草稿可以删除，请改为结束。")

	ErrNotLive   = errs.New(errs.Conflict, "draw.not_live", "This draw cannot be played now.", "该抽奖当前不可参与。")
	ErrAudience  = errs.New(errs.Conflict, "draw.audience", "This draw is not for this member.", "该会员不符合参与条件。")
	ErrToday     = errs.New(errs.Conflict, "draw.today", "All plays of today are used up.", "今日抽奖次数已用完。")
	ErrOften     = errs.New(errs.Conflict, "draw.often", "All plays of this draw are used up.", "该抽奖的参与次数已用完。")
	ErrNonce     = errs.New(errs.Invalid, "draw.nonce", "A nonce is 1 to 64 letters, digits, dashes or underscores.", "随机串由 1 至 64 个字母、数字、横线或下划线组成。")
	ErrPaying    = errs.New(errs.Conflict, "draw.price_changed", "A play does not cost that now; look at the draw again.", "抽奖价格已变化，请刷新后再试。")
	ErrBusy      = errs.New(errs.Unavailable, "draw.busy", "The draw is being changed. Try again in a moment.", "抽奖正在变更，请稍后重试。")
	ErrEpochGone = errs.New(errs.NotFound, "draw.epoch_unknown", "The draw has no such epoch.", "该抽奖没有这个周期。")
	ErrSealed    = errs.New(errs.Conflict, "draw.sealed", "This epoch is not over: its seed and its plays are shown afterwards.", "该周期尚未结束，种子与抽奖记录将在结束后公布。")

	ErrNoPrize = errs.New(errs.NotFound, "draw.no_prize", "There is no prize with this code.", "没有使用此领奖码的奖品。")
	ErrHanded  = errs.New(errs.Conflict, "draw.handed_out", "This prize was handed out on {at}.", "该奖品已于 {at} 领取。")
)

var (
	codeForm  = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)
	nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// span is from when until when a draw can be played, both inclusive, in Unix milliseconds.
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
