// Package ledger keeps what members own: points, growth value and stored value.
//
// # Life
//
// Everything that a member earns is a Lot: so much of one currency, from one issuer, that
// becomes usable at an instant and ends at another. Lots are pending until they activate,
// then active until they are spent or expire. A Hold sets usable points aside for a
// purchase that is not finished; it pins the lots that it took until it is captured,
// released, or its time is up.
//
// Each movement writes an Entry: one row of one member and one currency that says by how
// much pending, active, held and debt changed, which lots it touched and why. The other
// side of the double entry (issued, redeemed, expired …) is implied by the entry's kind,
// see Entry.Legs, so no posting updates a row that everybody shares.
//
// # Laws
//
//   - An entry's legs sum to nothing. A wallet is the sum of its entries, and what is
//     left in its lots. No lot, no balance and no debt is ever negative.
//   - Who has points to use owes none: a debt is repaid as soon as there is something to
//     repay it with.
//   - Entries of a member are numbered 1, 2, 3 … without gaps and never change.
//   - A lot can be used in [activates, expires), and a hold captured in [made, ends).
//     Whether the daily run has written that down yet makes no difference.
//   - Points are spent earliest expiry first, then oldest, then by number.
//
// # Where things are
//
// The decisions are pure Go over loaded State (book.go, settle.go, policy.go). Requests
// reach them as Commands through the Engine (engine.go), which loads, decides, writes and
// commits many at a time. There is no other way to move a point.
package ledger

import (
	"github.com/patron-loyalty/patron/internal/activity"
	"github.com/patron-loyalty/patron/internal/kit/errs"
)

// Never is the instant at which things happen that never happen: the end of year 9999.
const Never = int64(253402300799999)

// MaxPoints bounds a wallet and every amount that moves: sums of a million wallets stay
// exact in 64 bits.
const MaxPoints = int64(1_000_000_000_000)

// Kind says what a currency is for.
type Kind string

// The kinds of currency.
const (
	Points Kind = "points" // earned, spent, given away
	Growth Kind = "growth" // a score that lifts the tier; never spent
	Stored Kind = "stored" // money paid in: principal, and the bonus that came with it
)

// Bucket tells the two halves of stored value apart. Other currencies use Main only.
type Bucket int16

// The buckets.
const (
	Main  Bucket = 0 // points, growth value, and the principal of stored value
	Bonus Bucket = 1 // what the shop gave on top of a top-up
)

// Lot is a grant of points with a life of its own.
type Lot struct {
	Seq      int64 // number of the entry that made it, unique for the member
	Currency int64
	Bucket   Bucket
	State    LotState
	Issuer   int64 // merchant who owes it
	Store    int64
	Month    int64 // of EarnedMS in the programme's zone, as 202611: reports group by it
	EarnedMS int64
	ActiveMS int64
	// ExpiresMS is the first instant at which the lot can no longer be used; Never where
	// it does not end. Under a sliding policy the wallet's SlideMS ends it instead.
	ExpiresMS int64

	// Granted = Left + Spent + Expired + Clawed + Moved, always.
	Granted int64
	Left    int64 // includes Held
	Held    int64 // pinned by open holds
	Spent   int64
	Expired int64
	Clawed  int64 // taken back by returns and negative adjustments
	Moved   int64 // went to another lot: transfer, merge

	OriginMember int64 // whose lot this was born as, 0 for one that was born here
	OriginSeq    int64
	ViaMember    int64 // whose lot a merge made this of, else 0: an unmerge goes back there
	ViaSeq       int64

	// Stray is whether the lot is open and found by the index of strays. An open lot that is
	// no stray stands in line.
	Stray bool

	dirty bool
	epoch uint64
}

// LotState is how far a lot's life has been written down.
type LotState int16

// The states of a lot.
const (
	LotPending LotState = 0
	LotActive  LotState = 1
)

func (s LotState) String() string {
	if s == LotPending {
		return "pending"
	}
	return "active"
}

// free is what of the lot no hold has pinned.
func (l *Lot) free() int64 { return l.Left - l.Held }

// Wallet is what a member has of one currency.
type Wallet struct {
	Currency  int64
	Active    int64 // usable now, without what is held
	Pending   int64
	Held      int64
	Debt      int64
	Earned    int64 // over the whole life, net of what returns took back
	Spent     int64 // over the whole life, net of what returns gave back
	SentN     int64 // given to other members over the whole life
	HeldEver  int64 // put on hold over the whole life, for the limit "ever"
	FirstOpen int64 // no lot in line with a lower number has anything left; 0 = none has
	// NextMS is not later than the next instant at which a lot activates or expires or a
	// hold ends. Before it the figures above are the truth; from then on settle first.
	NextMS  int64
	SlideMS int64 // end of everything under a sliding policy, else Never; may be long over
	Days    string
	// No lot that ends earlier, or as early and was earned earlier, may join the line.
	TailExpires, TailEarned int64

	head  head
	isNew bool
	dirty bool
	epoch uint64
}

// Net is what the programme owes the member in total.
func (w *Wallet) Net() int64 { return w.Pending + w.Active + w.Held - w.Debt }

// HoldState says how a hold stands.
type HoldState int16

// The states of a hold. Every state but HoldOpen is final.
const (
	HoldOpen     HoldState = 0
	HoldCaptured HoldState = 1
	HoldReleased HoldState = 2
	HoldExpired  HoldState = 3
)

func (s HoldState) String() string {
	names := [...]string{"open", "captured", "released", "expired"}
	if s < 0 || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// word is the state as a sentence says it.
func (s HoldState) word() errs.Word {
	zh := [...]string{"未结束", "已使用", "已释放", "已过期"}
	if s < 0 || int(s) >= len(zh) {
		return errs.Word{EN: s.String(), ZH: "未知"}
	}
	return errs.Word{EN: s.String(), ZH: zh[s]}
}

// Hold is usable points set aside.
type Hold struct {
	Seq       int64 // number of the entry that made it
	Currency  int64
	State     HoldState
	Amount    int64
	Captured  int64
	MadeMS    int64
	ExpiresMS int64 // the first instant at which it can no longer be captured
	EndedMS   int64
	Purpose   string
	Lots      []Touch // what it pinned, in spending order

	isNew bool
	dirty bool
	epoch uint64
}

// Touch says by how much an entry, a hold or a return changed a lot. Signed: negative
// where it took.
type Touch struct {
	Lot    int64
	Amount int64
}

// Account is the row of a member that a batch locks: counters, switches, wallets.
type Account struct {
	ID         int64
	Shard      int16
	EntryN     int64 // entries so far = number of the latest
	SaleN      int64
	EventN     int64
	MayEarn    bool
	MaySpend   bool
	MergedInto int64 // the survivor, 0 where the member stands alone
	FirstHold  int64 // no hold with a lower number is open; 0 = none is

	wallets []*Wallet
	lots    []*Lot  // open ones that are loaded, ascending; how many says Wallet.head
	holds   []*Hold // open ones, ascending; all of them iff holdsIn
	holdsIn bool
	isNew   bool
	dirty   bool
	epoch   uint64
	corrupt string // why nothing may be posted here; found at loading

	packed    []byte         // the activity as it was loaded
	book      *activity.Book // the same, unpacked, once it is asked for
	bookEpoch uint64
}

// The reasons for which a posting is refused.
var (
	ErrInsufficient = errs.New(errs.Conflict, "ledger.insufficient", "There are {available} usable, {amount} were asked for.", "可用 {available}，需要 {amount}，余额不足。")
	ErrNotSpendable = errs.New(errs.Conflict, "ledger.not_spendable", "{currency} is a score: it cannot be spent, held or given away.", "{currency} 是成长值，不能使用、冻结或转赠。")
	ErrMayNotEarn   = errs.New(errs.Conflict, "ledger.may_not_earn", "This member may not earn: earning is switched off.", "该会员已停用积分获取。")
	ErrMayNotSpend  = errs.New(errs.Conflict, "ledger.may_not_spend", "This member may not spend: spending is switched off.", "该会员已停用积分使用。")
	ErrCurrency     = errs.New(errs.Invalid, "ledger.currency", "There is no point currency {code}.", "没有代码为 {code} 的积分币种。")
	ErrAmount       = errs.New(errs.Invalid, "ledger.amount", "The amount must be from 1 to 1,000,000,000,000.", "数额须在 1 到 1,000,000,000,000 之间。")
	ErrFull         = errs.New(errs.Conflict, "ledger.full", "The balance would pass 1,000,000,000,000.", "余额将超过上限 1,000,000,000,000。")
	ErrLimit        = errs.New(errs.Conflict, "ledger.limit", "This would pass the limit of {limit} per {window}; {left} are left.", "超过上限：{window} {limit}，还可 {left}。")
	ErrNoHold       = errs.New(errs.NotFound, "ledger.hold_unknown", "There is no such hold.", "没有这笔冻结。")
	ErrHoldOver     = errs.New(errs.Conflict, "ledger.hold_over", "This hold is over: it was {state}.", "这笔冻结已结束（{state}）。")
	ErrHoldAmount   = errs.New(errs.Conflict, "ledger.hold_amount", "The hold is over {held}; more than that cannot be captured.", "冻结数额为 {held}，不能超额扣取。")
	ErrSelf         = errs.New(errs.Invalid, "ledger.self", "Sender and receiver are the same member.", "转出方与转入方是同一会员。")
	ErrNoTransfer   = errs.New(errs.Conflict, "ledger.no_transfer", "{currency} cannot be given to others.", "{currency} 不可转赠。")
	ErrTransferSize = errs.New(errs.Conflict, "ledger.transfer_size", "One transfer moves from {min} to {max}.", "单次转赠须在 {min} 到 {max} 之间。")
	ErrDates        = errs.New(errs.Invalid, "ledger.dates", "The points would expire before they can be used.", "到期时间早于生效时间。")
	ErrNotStored    = errs.New(errs.Invalid, "ledger.not_stored", "{currency} is not stored value.", "{currency} 不是储值币种。")
	ErrHoldsOpen    = errs.New(errs.Conflict, "ledger.holds_open", "The member has open holds: capture or release them first.", "该会员有未结束的冻结，请先扣取或解冻。")
	ErrMember       = errs.New(errs.NotFound, "ledger.member", "There is no such member.", "没有这个会员。")
)

// add is a + b checked: the ledger stops rather than wrap.
func add(a, b int64) int64 {
	s := a + b
	if (s > a) != (b > 0) && b != 0 {
		panic("ledger: overflow")
	}
	return s
}
