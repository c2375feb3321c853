// Package coupon keeps coupons and vouchers. A coupon is what is given and to whom: 20 off
// 100. A voucher is one piece of it, with a code of its own, which somebody may hold.
//
// # Life
//
// A coupon is a draft, is published, is live in its time, may be paused, and ends. Each change
// of what it says is a version; versions are kept. A voucher is issued, claimed by a member,
// held by a checkout for a while, redeemed, and comes back with a return where the coupon says
// so; or it is revoked, or its time is over. It goes by the version under which it was issued,
// to its end. A coupon with a shared code has no vouchers: whoever knows the code may use it.
//
// A coupon that has ended is issued no more and its shared code is closed. Vouchers that are
// out stay good to their own end: people hold them. A paused coupon is neither issued nor used.
//
// # Laws
//
//   - A code is one row: of many who want to use one voucher at once, one does.
//   - What is limited (stock, pieces and uses of a member, uses in all, money) is counted in
//     the posting that issues or uses, never more than the limit. Reversing everything brings
//     every count back to where it was.
//   - Time ends holds and vouchers by itself; the sweep only writes it down.
//   - Every step of a voucher is an event, and after its issue a row of its history, in the
//     same posting.
//   - Nothing tells a member a code that is not there from one that is somebody else's.
package coupon

import (
	"regexp"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Bounds of what is configured. Coupons are all held in memory with their versions.
const (
	maxCoupons = 5_000
	maxHours   = 24 * 366 * 5
	maxMoney   = 1_000_000_000_000
)

// State says where a coupon stands.
type State string

// The states. Scheduled is what a live coupon is called before its time.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Live      State = "live"
	Paused    State = "paused"
	Ended     State = "ended"
)

const (
	couponPrefix  = "cpn_"
	batchPrefix   = "cpb_"
	sendingPrefix = "cps_"
)

// Coupon is one coupon as it stands now.
type Coupon struct {
	ID      int64
	Code    string // unique; what the programme as code calls it
	State   State  // as kept: draft, live, paused or ended
	Version int64  // of Terms; grows with every change
	Terms   Terms
	Made    time.Time
	Changed time.Time
	EndedMS int64 // when it was ended by hand; 0 where it was not
}

// PublicID is what the outside calls the coupon.
func (c *Coupon) PublicID() string { return id.Encode(couponPrefix, 0, c.ID) }

// Standing is the state at an instant: a published coupon waits for its time and ends by it.
func (c *Coupon) Standing(nowMS int64, zone *time.Location) State {
	if c.State != Live {
		return c.State
	}
	from, until := c.Terms.span(zone)
	switch {
	case nowMS < from:
		return Scheduled
	case nowMS > until:
		return Ended
	}
	return Live
}

// The refusals of coupons.
var (
	ErrNotFound  = errs.New(errs.NotFound, "coupon.no_coupon", "There is no such coupon.", "没有这种优惠券。")
	ErrCode      = errs.New(errs.Invalid, "coupon.code", "A code is 1 to 40 lower-case letters, digits, dashes or underscores.", "代码由 1 至 40 个小写字母、数字、横线或下划线组成。")
	ErrTaken     = errs.New(errs.Conflict, "coupon.code_taken", "There is one with this code already.", "该代码已存在。")
	ErrMany      = errs.New(errs.Conflict, "coupon.many", "There may be no more than {most} of these.", "数量不能超过 {most}。")
	ErrEdited    = errs.New(errs.Conflict, "coupon.edited", "It was changed by someone else meanwhile; read it again.", "内容已被他人修改，请重新读取。")
	ErrNames     = errs.New(errs.Invalid, "coupon.names", "It needs a name of at most 100 characters in one language at least.", "须至少填写一种语言的名称，最多 100 个字符。")
	ErrPicture   = errs.New(errs.Invalid, "coupon.picture", "A picture is https://… or a path that begins with /.", "图片地址须以 https:// 或 / 开头。")
	ErrEffect    = errs.New(errs.Invalid, "coupon.effect", "What it gives does not fit its kind: {why}.", "优惠内容与类型不符：{why}。")
	ErrWindow    = errs.New(errs.Invalid, "coupon.window", "Until lies after from.", "结束时间须晚于开始时间。")
	ErrHours     = errs.New(errs.Invalid, "coupon.hours", "Days of the week run from 1, Monday, to 7; times of day from 00:00 to 24:00.", "星期为 1（周一）至 7，时刻为 00:00 至 24:00。")
	ErrFacts     = errs.New(errs.Invalid, "coupon.facts", "A condition of a coupon cannot ask for {fact}.", "优惠券条件不能使用 {fact}。")
	ErrPrice     = errs.New(errs.Invalid, "coupon.price", "A price names a currency of points, and how much.", "兑换价须指定积分币种及数量。")
	ErrShared    = errs.New(errs.Invalid, "coupon.shared_code", "A shared code has 4 to 40 letters, digits and dashes.", "公用券码由 4 至 40 个字母、数字或横线组成。")
	ErrSharedIs  = errs.New(errs.Conflict, "coupon.shared_taken", "Another coupon has this code, or one that reads like it.", "该公用券码（或易混淆的券码）已被其他优惠券使用。")
	ErrSharedHas = errs.New(errs.Invalid, "coupon.shared_terms", "A coupon with a shared code has no vouchers: it has no stock, price, claim centre, gifts, sales or steps of life that give it, or validity from a claim.", "使用公用券码的优惠券没有单张券，不能设置发行量、兑换价、领券中心、转赠、下单返券、自动发放或领取后有效期。")
	ErrMove      = errs.New(errs.Conflict, "coupon.state", "From {state}, that is not possible.", "当前状态（{state}）不允许此操作。")
	ErrStarted   = errs.New(errs.Conflict, "coupon.started", "Only a draft can be deleted; end it instead.", "只有草稿可以删除，请改为结束。")
)

// The reasons for which a voucher is not issued, claimed or used. Of several, the one is given
// that will not change by waiting.
var (
	ErrUnknown  = errs.New(errs.NotFound, "coupon.unknown", "There is no voucher with this code.", "没有这个券码。")
	ErrForeign  = errs.New(errs.Conflict, "coupon.foreign", "This voucher belongs to somebody else.", "这张券属于其他会员。")
	ErrMember   = errs.New(errs.Conflict, "coupon.member_needed", "This coupon is for members: say who buys.", "该券仅限会员使用，请先识别会员。")
	ErrUsed     = errs.New(errs.Conflict, "coupon.used", "This voucher was used.", "这张券已使用。")
	ErrRevoked  = errs.New(errs.Conflict, "coupon.revoked", "This voucher was taken back.", "这张券已作废。")
	ErrOver     = errs.New(errs.Conflict, "coupon.over", "This voucher is no longer valid.", "这张券已过期。")
	ErrEarly    = errs.New(errs.Conflict, "coupon.early", "This voucher is not valid yet.", "这张券尚未生效。")
	ErrHeld     = errs.New(errs.Conflict, "coupon.held", "This voucher is held by another checkout, until {until}.", "这张券正被另一笔结算占用，至 {until}。")
	ErrGifted   = errs.New(errs.Conflict, "coupon.gifted", "This voucher waits for somebody to accept it as a gift.", "这张券正在转赠中，等待对方领取。")
	ErrPaused   = errs.New(errs.Conflict, "coupon.paused", "This coupon is paused.", "该优惠券已暂停。")
	ErrNotLive  = errs.New(errs.Conflict, "coupon.not_live", "This coupon is not issued now.", "该优惠券当前不可领取。")
	ErrAudience = errs.New(errs.Conflict, "coupon.audience", "This coupon is not for this member.", "该会员不符合优惠券条件。")
	ErrStock    = errs.New(errs.Conflict, "coupon.stock", "All of this coupon have been given out.", "该优惠券已领完。")
	ErrOften    = errs.New(errs.Conflict, "coupon.often", "The member has had this coupon as often as it can be had.", "该会员领取次数已达上限。")
	ErrUses     = errs.New(errs.Conflict, "coupon.uses", "This coupon has been used as often as it can be.", "该优惠券使用次数已达上限。")
	ErrMyUses   = errs.New(errs.Conflict, "coupon.member_uses", "The member has used this coupon as often as it can be used {when}.", "该会员{when}使用次数已达上限。")
	ErrBudget   = errs.New(errs.Conflict, "coupon.budget", "The budget of this coupon is used up.", "该优惠券预算已用完。")
	ErrStore    = errs.New(errs.Conflict, "coupon.store", "This coupon is not taken at this store.", "本店不可使用该优惠券。")
	ErrChannel  = errs.New(errs.Conflict, "coupon.channel", "This coupon is not taken on this channel.", "该渠道不可使用该优惠券。")
	ErrTime     = errs.New(errs.Conflict, "coupon.time", "This coupon is not taken at this time of the day or week.", "当前时段不可使用该优惠券。")
	ErrBasket   = errs.New(errs.Conflict, "coupon.condition", "This purchase does not meet the condition of the coupon.", "本次购买不符合优惠券条件。")
	ErrCurrency = errs.New(errs.Conflict, "coupon.currency", "This coupon is for purchases in {currency}.", "该优惠券仅限 {currency} 结算的订单。")
	ErrTwice    = errs.New(errs.Invalid, "coupon.twice", "A code comes twice.", "券码重复。")
	ErrManual   = errs.New(errs.Conflict, "coupon.not_claimable", "This coupon is not for claiming.", "该优惠券不支持领取。")
	ErrNoUse    = errs.New(errs.Conflict, "coupon.no_vouchers", "This coupon has a shared code and no vouchers.", "该优惠券使用公用券码，没有单张券。")
	ErrFixed    = errs.New(errs.Conflict, "coupon.not_transferable", "This voucher cannot be given away.", "这张券不可转赠。")
	ErrGift     = errs.New(errs.NotFound, "coupon.gift", "This gift is no longer there: it was accepted, taken back, or is too old.", "该转赠已失效：已被领取、已撤回或已过期。")
	ErrOwnGift  = errs.New(errs.Conflict, "coupon.own_gift", "This is your own gift; take it back instead.", "这是您自己的转赠，可选择撤回。")
)

var codeForm = regexp.MustCompile(`^[a-z0-9_-]{1,40}$`)

const (
	minMS  = int64(-1) << 62
	never  = int64(253402300799999) // as the ledger's: the last millisecond of the year 9999
	hourMS = int64(60 * 60 * 1000)
)
