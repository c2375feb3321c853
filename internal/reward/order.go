package reward

import (
	"encoding/json"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Step is where an order stands.
type Step int64

// The steps. Numbers are on disk.
const (
	Held      Step = 1 // points and stock are set aside; money is to be paid until until_ms
	Paid      Step = 2
	Fulfilled Step = 3 // ready to be picked up, or shipped
	Done      Step = 4
	Cancelled Step = 5
	Returned  Step = 6
)

var stepNames = map[Step]string{Held: "held", Paid: "paid", Fulfilled: "fulfilled", Done: "done", Cancelled: "cancelled", Returned: "returned"}

var stepWords = map[Step]errs.Word{
	Held: {EN: "waiting for money", ZH: "待付款"}, Paid: {EN: "paid", ZH: "已支付"}, Fulfilled: {EN: "ready or shipped", ZH: "已备货或已发货"}, Done: {EN: "done", ZH: "已完成"},
	Cancelled: {EN: "cancelled", ZH: "已取消"}, Returned: {EN: "returned", ZH: "已退回"},
}

// stepNamed is the step of a name of the API.
func stepNamed(name string) Step {
	for st, n := range stepNames {
		if n == name {
			return st
		}
	}
	return 0
}

// String is what the API calls the step.
func (s Step) String() string { return stepNames[s] }

// How an order stands in the count of stock. Numbers are on disk.
const (
	notStocked int64 = 0
	stockTaken int64 = 1
	stockHeld  int64 = 2
)

// Order is one redemption of a reward by a member: one row.
type Order struct {
	Member, Seq     int64 // under whom it was made: its key, which no merge changes
	Reward, Version int64
	Step            Step
	Store           int64 // where it is picked up; 0 for anywhere, or where nothing is
	StockStore      int64 // of the stock that it is counted in
	Stocked         int64
	Currency        int64
	Points, Money   int64
	UntilMS         int64 // when time alone changes something
	MadeMS          int64
	ChangedMS       int64
	pickup          []byte // keyed hash of the code
	address         []byte // sealed under the member's own key
	Carrier         string
	Tracking        string
	Gift            string // code of the coupon that was given
	Body            orderBody
}

// orderBody is what of an order nobody looks for. Its JSON is on disk.
type orderBody struct {
	Way     Way      `json:"w,omitempty"`
	Hold    int64    `json:"h,omitempty"` // number of the ledger's hold
	Lots    []lotUse `json:"l,omitempty"` // what was spent of which lots
	Spans   []int64  `json:"q,omitempty"` // periods whose limits it counts for (limits.go)
	Code    int64    `json:"c,omitempty"` // which of the pool
	PayKind string   `json:"p,omitempty"` // how the money was paid
	PayRef  string   `json:"r,omitempty"`
	PaidMS  int64    `json:"m,omitempty"`
	Steps   int64    `json:"n"` // rows of its history
	Lapsed  bool     `json:"x,omitempty"`
	Kept    bool     `json:"k,omitempty"` // cancelled, and the points stay spent
}

// lotUse is how many points an order took of a lot.
type lotUse struct {
	Lot int64 `json:"l"`
	N   int64 `json:"n"`
}

// PublicID is what the outside calls the order.
func (o *Order) PublicID() string { return id.Encode(orderPrefix, o.Member, o.Seq) }

// The refusals of orders.
var (
	ErrNoOrder   = errs.New(errs.NotFound, "reward.no_order", "There is no such order.", "没有这张兑换单。")
	ErrNotLive   = errs.New(errs.Conflict, "reward.not_live", "This reward cannot be ordered now.", "该商品当前不可兑换。")
	ErrAudience  = errs.New(errs.Conflict, "reward.audience", "This reward is not for this member.", "该会员不符合兑换条件。")
	ErrNoPrice   = errs.New(errs.Conflict, "reward.no_price", "None of the prices is for this member now.", "目前没有适用于该会员的价格。")
	ErrPrice     = errs.New(errs.Conflict, "reward.price", "The price has changed meanwhile; look at it again.", "价格已变动，请重新查看。")
	ErrShare     = errs.New(errs.Invalid, "reward.share", "Points to pay are from {least} to {most} in steps of {step}.", "支付积分须在 {least} 至 {most} 之间，步长 {step}。")
	ErrSoldOut   = errs.New(errs.Conflict, "reward.sold_out", "Nothing of it is left.", "已兑完。")
	ErrLimit     = errs.New(errs.Conflict, "reward.limit", "The member has had it as often as it can be had for now.", "该会员的兑换次数已达上限。")
	ErrStore     = errs.New(errs.Invalid, "reward.store", "Say at which of its stores it is to be picked up.", "请选择可领取的门店。")
	ErrWay       = errs.New(errs.Invalid, "reward.way", "This reward does not come to the member this way.", "该商品不支持此领取方式。")
	ErrAddress   = errs.New(errs.Invalid, "reward.address", "What is shipped needs a name, a phone and an address; nothing else has one.", "邮寄须填写收件人、电话和地址；其他方式不需要。")
	ErrStep      = errs.New(errs.Conflict, "reward.step", "The order is {state}: that is not possible any more, or not yet.", "兑换单当前为“{state}”，不能进行此操作。")
	ErrUnpaid    = errs.New(errs.Conflict, "reward.unpaid", "{money} is to be paid first.", "须先支付 {money}。")
	ErrMoney     = errs.New(errs.Invalid, "reward.money", "Exactly {money} is to be paid.", "应付金额为 {money}。")
	ErrLate      = errs.New(errs.Conflict, "reward.late", "The time for this is over.", "已超过期限。")
	ErrElsewhere = errs.New(errs.Conflict, "reward.elsewhere", "This is to be picked up at {store}.", "须在 {store} 领取。")
	ErrPickup    = errs.New(errs.NotFound, "reward.pickup", "Nothing is to be picked up with this code.", "没有与此取货码对应的兑换单。")
	ErrNoReturn  = errs.New(errs.Conflict, "reward.no_return", "What was handed out as a code of a third party or given away cannot be taken back.", "已发放的第三方券码或捐赠不能退回。")
	ErrGiftUsed  = errs.New(errs.Conflict, "reward.gift_used", "The coupon of this order was used, so the order cannot be taken back. Take back the purchase on which it was used first.", "该兑换单的优惠券已使用，不能退回，请先为用券的消费办理退货。")
	ErrPaidOther = errs.New(errs.Conflict, "reward.paid", "The order was paid before, by another payment.", "该兑换单已由另一笔付款支付。")
	ErrDocument  = errs.New(errs.Conflict, "reward.document", "This source and document stand for another order.", "该来源与单据号已对应另一张兑换单。")
	ErrYours     = errs.New(errs.Conflict, "reward.in_hand", "It is on its way: ask the shop.", "订单已在处理中，请联系商家。")
)

// The tables as batches write them.
var (
	memberTable = ledger.DefineTable("reward_member", 2, "shard int, member_id int, order_n int")
	orderTable  = ledger.DefineTable("reward_order", 3, orderColumns)
	stepTable   = ledger.DefineTable("reward_order_step", 4, "shard int, member_id int, seq int, n int, step text, at_ms int, actor text, store_id int, note text")
	stockTable  = ledger.DefineSharedTable("reward_stock", 2, "reward_id int, store_id int, n int, drawn int, gone int, round int")
	codeTable   = ledger.DefineTable("reward_code", 2, "reward_id int, n int, hash bytes, code bytes, member_id int, order_seq int, at_ms int")
)

const orderColumns = "shard int, member_id int, seq int, reward_id int, version int, state int, store_id int, stock_store int, stocked int, currency_id int, " +
	"points int, money int, until_ms int, made_ms int, changed_ms int, pickup bytes, address bytes, carrier text, tracking text, gift text, body text"

func shardOf(member int64) int64 { return int64(id.Shard(member)) }

func memberRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: memberTable, Key: []any{shardOf(member), member}}
}

func orderRow(member, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: orderTable, Key: []any{shardOf(member), member, seq}}
}

func stockRow(reward, store int64) ledger.RowKey {
	return ledger.RowKey{Table: stockTable, Key: []any{reward, store}}
}

func codeRow(reward, n int64) ledger.RowKey {
	return ledger.RowKey{Table: codeTable, Key: []any{reward, n}}
}

// put writes the row of an order. It must have been asked for, or be new.
func (o *Order) put(s *ledger.State) {
	o.ChangedMS = s.NowMS
	if o.pickup == nil {
		o.pickup = []byte{} // as some databases give what is empty
	}
	if o.address == nil {
		o.address = []byte{}
	}
	s.Put(orderTable, shardOf(o.Member), o.Member, o.Seq, o.Reward, o.Version, int64(o.Step), o.Store, o.StockStore, o.Stocked, o.Currency,
		o.Points, o.Money, o.UntilMS, o.MadeMS, o.ChangedMS, o.pickup, o.address, o.Carrier, o.Tracking, o.Gift, pack(o.Body))
}

// orderOf reads a row of reward_order.
func orderOf(v []any) *Order {
	n := func(i int) int64 { return v[i].(int64) }
	o := &Order{
		Member: n(1), Seq: n(2), Reward: n(3), Version: n(4), Step: Step(n(5)), Store: n(6), StockStore: n(7), Stocked: n(8), Currency: n(9),
		Points: n(10), Money: n(11), UntilMS: n(12), MadeMS: n(13), ChangedMS: n(14), pickup: v[15].([]byte), address: v[16].([]byte),
		Carrier: v[17].(string), Tracking: v[18].(string), Gift: v[19].(string),
	}
	if err := json.Unmarshal([]byte(v[20].(string)), &o.Body); err != nil {
		panic("reward: an order cannot be read: " + err.Error()) // this package wrote it
	}
	return o
}

// load reads an order that was asked for, or gives ErrNoOrder.
func load(s *ledger.State, member, seq int64) (*Order, error) {
	v := s.Row(orderTable, orderRow(member, seq).Key...)
	if v == nil {
		return nil, ErrNoOrder
	}
	return orderOf(v), nil
}

// wait is until when the order waits for something, as others see it: time ends it before
// anybody writes that down.
func (o *Order) over(nowMS int64) bool {
	return nowMS >= o.UntilMS && (o.Step == Held || o.Step == Paid || o.Step == Fulfilled)
}

// note adds a row to the history of an order, under the name of who sent the command.
func (o *Order) note(s *ledger.State, step string, store int64, text string) {
	o.Body.Steps++
	s.Put(stepTable, shardOf(o.Member), o.Member, o.Seq, o.Body.Steps, step, s.NowMS, s.Actor(), store, text)
}

// told is the body of the events of orders.
type told struct {
	Order    string `json:"order"`
	Reward   string `json:"reward"`
	Code     string `json:"code"`
	NameEN   string `json:"name_en"`
	NameZH   string `json:"name_zh"`
	State    string `json:"state"`
	Currency string `json:"currency,omitempty"`
	Points   int64  `json:"points,omitempty"`
	Money    int64  `json:"money,omitempty"`
	Store    int64  `json:"store,omitempty"`
	Why      string `json:"why,omitempty"`
}

// tell adds an event of an order to the account under which it was made.
func (n *snapshot) tell(s *ledger.State, a *ledger.Account, kind string, o *Order, why string) {
	t := told{Order: o.PublicID(), State: o.Step.String(), Points: o.Points, Money: o.Money, Store: o.Store, Why: why}
	if r := n.rewards[o.Reward]; r != nil {
		t.Reward, t.Code, t.NameEN, t.NameZH = r.PublicID(), r.Code, r.Terms.NameEN, r.Terms.NameZH
	}
	if c := s.Config.Currencies[o.Currency]; c != nil {
		t.Currency = c.Code
	}
	s.Event(a, kind, s.NowMS, pack(t))
}
