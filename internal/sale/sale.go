// Package sale records purchases and returns and what they earn.
//
// # Life
//
// A sale is recorded once under the document number of its source, for ever. It belongs to
// a member, or to nobody yet: then it lies with one of sixteen stand-ins of its store and
// may be assigned later, with the earning of its own day. Lines are returned one by one or
// all at once, in one return document or several. A return that comes before its sale
// waits for it. A return that names no sale is matched by member and sku, or parked for a
// person to look at.
//
// # Laws
//
//   - One document of a source is one sale: the same again is the first one's answer, a
//     different one is refused with both shown.
//   - What a line earned is its share of the sale's points, fixed at the sale by largest
//     remainder. A return takes back, for each line, the share of what was returned of it,
//     rounded down, and all of it once the line is returned whole. So the order of returns
//     makes no difference, and a sale returned whole leaves nothing.
//   - Never more is returned of a line than was sold, in quantity or in money.
//   - Points that paid for the sale come back in the proportion of the money returned, to
//     the lots that they were taken from.
package sale

import (
	"context"
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/kit/money"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
)

// MaxApart is how far clocks of tills differ; more is a mistake.
const MaxApart = 5 * time.Minute

// Bounds of one document.
const (
	lateAfter    = 7 * 24 * time.Hour // later than this is flagged
	maxWaiting   = 100                // returns that wait for one sale; more is a mistake of the sender's
	maxUnmatched = 500                // latest sales of a member in which an unnamed return looks for its lines
)

// Kind tells sales from returns.
type Kind int64

// The kinds.
const (
	Purchase Kind = 1
	Return   Kind = 2
)

// State says whether a document has taken effect.
type State int64

// The states.
const (
	Posted  State = 0
	Waiting State = 1 // a return whose sale has not come yet
	Parked  State = 2 // a return of which some lines match no sale
)

func (s State) String() string { return [...]string{"posted", "waiting", "parked"}[s] }

// Flags say what is remarkable about a sale.
type Flags int64

// The flags.
const (
	Late    Flags = 1 // recorded more than seven days after it was made
	NoRate  Flags = 2 // in a currency without a rate for its day: it earned nothing
	History Flags = 4 // brought along from the past: no messages, no webhooks
	Void    Flags = 8 // a return that undid its sale at the till
)

// Names lists the flags as the API writes them.
func (f Flags) Names() []string {
	out := []string{}
	for i, name := range []string{"late", "no_rate", "history", "void"} {
		if f&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// Document is one sale or return as it lies in the books.
type Document struct {
	Member   int64 // with whom it was born: half of its key
	Seq      int64
	Kind     Kind
	State    State
	Source   string
	Document string
	Store    int64
	Till     string
	Staff    string
	Channel  string
	Currency string
	Total    int64 // of the sale's money, minor units; of a return what was given back
	AtMS     int64
	PostedMS int64
	Owner    int64 // who earned; 0 for a sale that nobody has claimed
	OfMember int64 // of a return: the sale's key; 0 where it is of several or waits
	OfSeq    int64
	NextSeq  int64 // of a waiting return: the one that waits for the same sale since before it; 0 for none
	Flags    Flags
	Body     Body
	Effect   Effect
}

// ID is the public id.
func (d *Document) ID() string { return id.Encode(idPrefix, d.Member, d.Seq) }

const idPrefix = "sal_"

// Body is what the document says. Its JSON names are short: it is most of what a sale
// costs on the disk.
type Body struct {
	Lines      []Line         `json:"l"`
	Payments   []Payment      `json:"p,omitempty"`
	Discounts  []Discount     `json:"d,omitempty"`
	Coupons    []string       `json:"cp,omitempty"` // codes that it was sent with
	Attributes map[string]any `json:"a,omitempty"`
	Of         *Of            `json:"of,omitempty"` // of a waiting or parked return: what it named
	Queue      []int64        `json:"u,omitempty"`  // of a waiting return: numbers of those that have waited for the same sale for longer, in order
	Reach      *Reach         `json:"w,omitempty"`  // of a return that waited: where its sender may act
	Returns    []int64        `json:"b,omitempty"`  // of a sale that nobody owns: numbers of its returns, beside it
}

// Of names a sale by its document.
type Of struct {
	Source   string `json:"source"`
	Document string `json:"document"`
}

// Reach is the stores and merchants that a caller is limited to; empty means none.
type Reach struct {
	Merchants []int64 `json:"m,omitempty"`
	Stores    []int64 `json:"s,omitempty"`
}

func reachOf(ctx context.Context) Reach {
	c := api.CallerOf(ctx)
	return Reach{c.Merchants, c.Stores}
}

// covers reports whether a store lies within it.
func (r *Reach) covers(snap *program.Snapshot, store int64) bool {
	return r == nil || snap.SeesStore(api.Caller{Merchants: r.Merchants, Stores: r.Stores}, store)
}

// Line is one line of a sale or of a return.
type Line struct {
	Line       int64          `json:"n"`
	SKU        string         `json:"s,omitempty"`
	Name       string         `json:"t,omitempty"`
	Category   string         `json:"c,omitempty"`
	Brand      string         `json:"b,omitempty"`
	Milli      int64          `json:"q"`           // quantity in thousandths
	Amount     int64          `json:"m"`           // paid for the line
	Off        int64          `json:"o,omitempty"` // what was taken off here: Amount is without it
	Cost       int64          `json:"k,omitempty"` // what it cost the shop
	Attributes map[string]any `json:"a,omitempty"`

	// Of a sale: what was returned of it so far.
	BackMilli  int64 `json:"rq,omitempty"`
	BackAmount int64 `json:"rm,omitempty"`
	// Of a return: the sale whose line it is, where the return is not of one sale.
	OfSeq  int64  `json:"of,omitempty"`
	Parked string `json:"x,omitempty"` // why this line matches no sale
}

// Payment is one way in which a sale was paid.
type Payment struct {
	Kind      string `json:"k"`
	Amount    int64  `json:"m"`
	Reference string `json:"r,omitempty"`
}

// Discount is one that the till gave, or that was taken off here: by a member price, a tier, a plan or
// a coupon.
type Discount struct {
	Kind   string `json:"k"`
	Ref    string `json:"r,omitempty"`
	Amount int64  `json:"m"`
	// ByLine is, of one that was taken off here and not by the till, how much of it each line of the
	// sale has, in their order.
	ByLine []int64 `json:"y,omitempty"`
}

// Effect is what a document moved.
type Effect struct {
	Earned []Earned `json:"e,omitempty"`
	Spent  []Spent  `json:"s,omitempty"`
	// Of a sale that is among the days on which its owner bought: which day that is, what it
	// was worth in the programme's money, and what returns took off that.
	Day       int32 `json:"y,omitempty"`
	Worth     int64 `json:"v,omitempty"`
	Rate      int64 `json:"rt,omitempty"` // by which it was taken in, where an import brought its own
	WorthBack int64 `json:"vx,omitempty"`
	// Tier is the code of the owner's tier after the sale, Kept what steps want to know when
	// it is returned, by their names.
	Tier string                     `json:"t,omitempty"`
	Kept map[string]json.RawMessage `json:"k,omitempty"`
	// Of a return.
	Taken    []Clawed `json:"b,omitempty"` // by rule, what came off of what the sale had earned
	Clawed   []Moved  `json:"c,omitempty"`
	Restored []Moved  `json:"r,omitempty"`
}

// Earned is one lot that a sale earned, and what returns took back of it.
type Earned struct {
	Currency int64   `json:"c"`
	Member   int64   `json:"w"` // whose lot it was when it was earned
	Lot      int64   `json:"l"`
	Amount   int64   `json:"m"`
	Rule     string  `json:"r"`
	Shares   []int64 `json:"s"` // of each line, in the order of Body.Lines; they add up to Amount
	Clawed   int64   `json:"x,omitempty"`
	Gone     int64   `json:"g,omitempty"` // of Clawed, what had expired unused
}

// Spent is what points paid of a sale.
type Spent struct {
	Currency int64          `json:"c"`
	Member   int64          `json:"w"`
	Amount   int64          `json:"m"`
	Lots     []ledger.Touch `json:"l"` // positive, in spending order
	Back     int64          `json:"x,omitempty"`
}

// Moved is what a return moved in one currency.
type Moved struct {
	Currency int64 `json:"c"`
	Amount   int64 `json:"m"`
	Debt     int64 `json:"d,omitempty"`
	Waived   int64 `json:"g,omitempty"`
}

// The reasons for which a sale or return is refused.
var (
	ErrNotFound   = errs.New(errs.NotFound, "sale.unknown", "There is no such sale.", "没有这笔销售。")
	ErrTotal      = errs.New(errs.Invalid, "sale.total", "The lines add up to {sum}, the total says {total}.", "各行合计 {sum}，与总额 {total} 不符。")
	ErrLineTwice  = errs.New(errs.Invalid, "sale.line_twice", "Line {line} comes twice.", "第 {line} 行重复。")
	ErrFuture     = errs.New(errs.Invalid, "sale.future", "The time lies more than five minutes ahead.", "时间超前超过五分钟。")
	ErrTaken      = errs.New(errs.Conflict, "sale.document_taken", "Document {document} of {source} was recorded with other content. Recorded: {recorded}. Sent: {sent}.", "来源 {source} 的单据 {document} 已入账，内容不同。已入账：{recorded}。本次：{sent}。")
	ErrNoLine     = errs.New(errs.Invalid, "sale.no_line", "The sale has no line {line}.", "销售单没有第 {line} 行。")
	ErrTooMuch    = errs.New(errs.Conflict, "sale.too_much", "Of line {line}, {left} can still be returned.", "第 {line} 行还可退 {left}。")
	ErrNothing    = errs.New(errs.Conflict, "sale.nothing_left", "Everything of this sale has been returned.", "这笔销售已全部退回。")
	ErrIsReturn   = errs.New(errs.Conflict, "sale.is_return", "This document is a return.", "该单据是退货单。")
	ErrEarlier    = errs.New(errs.Invalid, "sale.before_sale", "A return cannot be more than five minutes earlier than its sale.", "退货时间比销售时间早五分钟以上。")
	ErrAssigned   = errs.New(errs.Conflict, "sale.assigned", "This sale belongs to a member already.", "这笔销售已归属会员。")
	ErrCoupons    = errs.New(errs.Invalid, "sale.coupons", "This programme has no coupons.", "本计划未启用优惠券。")
	ErrPayment    = errs.New(errs.Invalid, "sale.payment", "A payment with points names its hold (hld_…) as reference.", "积分支付须以冻结编号（hld_…）作为 reference。")
	ErrQuantity   = errs.New(errs.Invalid, "sale.quantity", "The quantity of line {line} must be above 0.", "第 {line} 行的数量须大于 0。")
	ErrUnmatched  = errs.New(errs.Conflict, "sale.unmatched", "This line matches no sale of the member; it is kept for a person to look at.", "该行没有匹配的销售，已留待人工处理。")
	ErrWaiting    = errs.New(errs.Conflict, "sale.waiting", "{most} returns wait for this sale already.", "已有 {most} 笔退货在等待这笔销售。")
	ErrOtherOwner = errs.New(errs.Conflict, "sale.other_member", "The sale belongs to another member.", "这笔销售属于其他会员。")
	ErrMany       = errs.New(errs.Invalid, "sale.too_many", "The programme's settings allow {most} here.", "按计划设置，此处最多 {most} 个。")
	ErrHoldOwner  = errs.New(errs.Conflict, "sale.hold_owner", "This hold is not the member's.", "这笔冻结不属于该会员。")
)

// standIns is how many accounts stand in for the unknown members of one store: one would
// be locked by every sale.
const standIns = 16

// standIn is the account under which a sale without a member lies.
func standIn(store int64, hash byte) int64 { return -(store*standIns + int64(hash%standIns) + 1) }

// IsStandIn reports whether an account is no member's.
func IsStandIn(member int64) bool { return member < 0 }

// saleTable is the table as batches write it.
var saleTable = ledger.DefineTable("sale", 3, "shard int, member_id int, seq int, kind int, state int, source text, document text, store_id int, till text, staff text, channel text, currency text, total int, at_ms int, posted_ms int, owner_id int, of_member int, of_seq int, next_seq int, flags int, body text, effect text")

func rowKey(member, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: saleTable, Key: []any{int64(id.Shard(member)), member, seq}}
}

func (d *Document) row() []any {
	return []any{int64(id.Shard(d.Member)), d.Member, d.Seq, int64(d.Kind), int64(d.State), d.Source, d.Document, d.Store, d.Till, d.Staff, d.Channel, d.Currency, d.Total, d.AtMS, d.PostedMS, d.Owner, d.OfMember, d.OfSeq, d.NextSeq, int64(d.Flags), pack(d.Body), pack(d.Effect)}
}

func pack(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs; attributes were read from JSON
	}
	return string(b)
}

// documentOf reads a row that batches wrote. What it cannot read was not written by this
// program: it panics, and the command that asked is refused as a defect.
func documentOf(v []any) *Document {
	n := func(i int) int64 { return v[i].(int64) }
	t := func(i int) string { return v[i].(string) }
	d := &Document{Member: n(1), Seq: n(2), Kind: Kind(n(3)), State: State(n(4)), Source: t(5), Document: t(6), Store: n(7), Till: t(8), Staff: t(9), Channel: t(10), Currency: t(11), Total: n(12), AtMS: n(13), PostedMS: n(14), Owner: n(15), OfMember: n(16), OfSeq: n(17), NextSeq: n(18), Flags: Flags(n(19))}
	unpack(t(20), &d.Body)
	unpack(t(21), &d.Effect)
	return d
}

func unpack(text string, to any) {
	if err := json.Unmarshal([]byte(text), to); err != nil {
		panic("sale: a row cannot be read: " + err.Error())
	}
}

// load returns a document of the state, or nil. Its row must have been asked for.
func load(s *ledger.State, member, seq int64) *Document {
	v := s.Row(saleTable, int64(id.Shard(member)), member, seq)
	if v == nil {
		return nil
	}
	return documentOf(v)
}

func put(s *ledger.State, d *Document) { s.Put(saleTable, d.row()...) }

// line finds a line by number.
func (b *Body) line(n int64) *Line {
	for i := range b.Lines {
		if b.Lines[i].Line == n {
			return &b.Lines[i]
		}
	}
	return nil
}

// content is what two documents of one number have to agree in.
func (d *Document) content() [16]byte {
	return ledger.ContentHash(struct {
		Kind     Kind
		AtMS     int64
		Currency string
		Total    int64
		Lines    []Line
		Coupons  []string `json:",omitempty"`
	}{d.Kind, d.AtMS, d.Currency, d.Total, bare(d.Body.Lines), d.Body.Coupons})
}

// bare is lines without what happened to them since.
func bare(lines []Line) []Line {
	out := make([]Line, len(lines))
	for i, l := range lines {
		out[i] = Line{Line: l.Line, SKU: l.SKU, Milli: l.Milli, Amount: l.Amount}
	}
	return out
}

// Share is what a line's share of points comes to for a part of its money: in proportion,
// rounded down, and all of it for the whole. A line that cost nothing goes by quantity.
func Share(points int64, l *Line, milli, amount int64) int64 {
	if milli == l.Milli {
		return points
	}
	part, whole := amount, l.Amount
	if whole == 0 {
		part, whole = milli, l.Milli
	}
	n, _ := money.MulDiv(points, part, whole, money.Floor) // part ≤ whole, so it is ≤ points
	return n
}
