package coupon

import (
	"encoding/json"
	"time"

	"github.com/patron-loyalty/patron/internal/ledger"
)

// Stage is where one voucher stands, as its row says. Time ends it before anybody writes that
// down: see Standing.
type Stage int64

// The stages. Numbers are on disk; those below Redeemed are open.
const (
	Issued   Stage = 1 // nobody holds it
	Claimed  Stage = 2 // a member holds it
	Redeemed Stage = 3 // used as often as it can be
	Revoked  Stage = 4
	Expired  Stage = 5
)

// Voucher is one piece of a coupon. Instants are Unix milliseconds, 0 where it did not happen.
type Voucher struct {
	Code      string
	Member    int64 // whom it was given to, as they were then; 0 for nobody
	Coupon    int64
	Version   int64
	Stage     Stage
	From      int64 // when it can be used, both inclusive
	Until     int64
	End       int64 // Until as it is before the first use
	IssuedMS  int64
	ClaimedMS int64
	FirstMS   int64 // of the uses that stand
	UsedMS    int64 // the last use
	UsedN     int64 // uses that stand
	Off       int64 // what they took off, less what returns gave back
	Sale      ledger.LotKey
	HoldBy    int64 // checkout
	HoldUntil int64
	Batch     int64
	Origin    Origin
	Gift      string // hash of the open link by which it is given away
	GiftUntil int64

	steps int64
}

// Origin is what gave a voucher. Its JSON is on disk.
type Origin struct {
	Kind string `json:"k"`           // claim, staff, batch, sending, sale, reward, draw, rule, tier, offer, join, birthday
	Ref  string `json:"r,omitempty"` // which one: sal_…, ord_…
	For  int64  `json:"w,omitempty"` // of a voucher that was given away: to whom it was issued, for whom it counts
}

// counted is the member for whom the voucher counts among those issued, 0 for nobody.
func (v *Voucher) counted() int64 {
	if v.Origin.For != 0 {
		return v.Origin.For
	}
	return v.Member
}

// Standing is the word for where a voucher stands at an instant.
func (v *Voucher) Standing(nowMS int64) string {
	switch {
	case v.Stage == Redeemed:
		return "redeemed"
	case v.Stage == Revoked:
		return "revoked"
	case v.Stage == Expired || nowMS > v.Until:
		return "expired"
	case v.held(nowMS, 0):
		return "held"
	case v.gifting(nowMS):
		return "gifting"
	case v.Stage == Claimed:
		return "claimed"
	}
	return "issued"
}

// held reports whether a checkout other than the caller's holds it.
func (v *Voucher) held(nowMS, checkout int64) bool {
	return v.HoldBy != 0 && v.HoldBy != checkout && v.HoldUntil > nowMS
}

func (v *Voucher) gifting(nowMS int64) bool { return v.Gift != "" && v.GiftUntil > nowMS }

// open reports whether it can still be used, as far as its own row says.
func (v *Voucher) open(nowMS int64) bool { return v.Stage < Redeemed && nowMS <= v.Until }

// The tables as batches write them. A voucher is shared: jobs and members' own requests come
// to one row from many workers.
var (
	voucherTable = ledger.DefineSharedTable("voucher", 2, "shard int, code text, member_id int, coupon_id int, version int, state int, from_ms int, until_ms int, end_ms int, issued_ms int, claimed_ms int, first_ms int, used_ms int, used_n int, off int, sale_member int, sale_seq int, hold_by int, hold_until_ms int, batch_id int, origin text, gift text, gift_until_ms int, step_n int")
	stepTable    = ledger.DefineTable("voucher_step", 3, "shard int, code text, n int, step int, at_ms int, member_id int, actor text, store_id int, till text, staff text, sale_member int, sale_seq int, amount int")
)

const voucherColumns = `code, member_id, coupon_id, version, state, from_ms, until_ms, end_ms, issued_ms, claimed_ms, first_ms, used_ms, used_n, off, sale_member, sale_seq, hold_by, hold_until_ms, batch_id, origin, gift, gift_until_ms, step_n`

// voucherRow names the row of a code.
func voucherRow(code string) ledger.RowKey {
	return ledger.RowKey{Table: voucherTable, Key: []any{shardOfCode(code), code}}
}

// load reads a voucher of the state, or nil; its row must have been asked for.
func load(st *ledger.State, code string) *Voucher {
	r := st.Row(voucherTable, shardOfCode(code), code)
	if r == nil {
		return nil
	}
	n := func(i int) int64 { return r[i].(int64) }
	v := &Voucher{
		Code: code, Member: n(2), Coupon: n(3), Version: n(4), Stage: Stage(n(5)), From: n(6), Until: n(7), End: n(8), IssuedMS: n(9), ClaimedMS: n(10), FirstMS: n(11),
		UsedMS: n(12), UsedN: n(13), Off: n(14), Sale: ledger.LotKey{Member: n(15), Seq: n(16)}, HoldBy: n(17), HoldUntil: n(18), Batch: n(19), Gift: r[21].(string), GiftUntil: n(22), steps: n(23),
	}
	v.Origin = originOf(r[20].(string))
	return v
}

// originOf reads what pack wrote. What it cannot read was not written by this program.
func originOf(text string) (o Origin) {
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic("coupon: an origin cannot be read: " + err.Error())
	}
	return o
}

func (v *Voucher) put(st *ledger.State) {
	st.Put(voucherTable, shardOfCode(v.Code), v.Code, v.Member, v.Coupon, v.Version, int64(v.Stage), v.From, v.Until, v.End, v.IssuedMS, v.ClaimedMS, v.FirstMS,
		v.UsedMS, v.UsedN, v.Off, v.Sale.Member, v.Sale.Seq, v.HoldBy, v.HoldUntil, v.Batch, pack(v.Origin), v.Gift, v.GiftUntil, v.steps)
}

// scanVoucher reads a row of voucherColumns.
func scanVoucher(scan func(...any) error) (*Voucher, error) {
	v := &Voucher{}
	var origin string
	err := scan(&v.Code, &v.Member, &v.Coupon, &v.Version, &v.Stage, &v.From, &v.Until, &v.End, &v.IssuedMS, &v.ClaimedMS, &v.FirstMS,
		&v.UsedMS, &v.UsedN, &v.Off, &v.Sale.Member, &v.Sale.Seq, &v.HoldBy, &v.HoldUntil, &v.Batch, &origin, &v.Gift, &v.GiftUntil, &v.steps)
	if err == nil {
		v.Origin = originOf(origin)
	}
	return v, err
}

// StepKind is what happened to a voucher.
type StepKind int64

// The kinds. Numbers are on disk.
const (
	StepClaimed  StepKind = 1
	StepHeld     StepKind = 2
	StepReleased StepKind = 3
	StepRedeemed StepKind = 4
	StepReversed StepKind = 5
	StepRevoked  StepKind = 6
	StepGifted   StepKind = 7 // a link was made
	StepKept     StepKind = 8 // the link was taken back
	StepAccepted StepKind = 9
	StepExpired  StepKind = 10
)

// stepWords are the kinds as the API and events write them.
var stepWords = map[StepKind]string{
	StepClaimed: "claimed", StepHeld: "held", StepReleased: "released", StepRedeemed: "redeemed", StepReversed: "reversed",
	StepRevoked: "revoked", StepGifted: "gifted", StepKept: "gift_cancelled", StepAccepted: "accepted", StepExpired: "expired",
}

// Step is one step of a voucher.
type Step struct {
	Kind   StepKind
	AtMS   int64
	Member int64  // who had to do with it, 0 for nobody
	Actor  string // who sent it, as staff:stf_…; of sales the till's key
	Store  int64
	Till   string
	Staff  string
	Sale   ledger.LotKey
	Amount int64 // of redeemed and reversed: money, minor units
}

// step writes the row of the voucher with one more step of its history, and tells of it.
func (v *Voucher) step(st *ledger.State, a *ledger.Account, of *Coupon, x Step, more map[string]any) {
	v.steps++
	if x.AtMS == 0 {
		x.AtMS = st.NowMS
	}
	x.Actor = st.Actor()
	if x.Member = a.ID; x.Member < 0 {
		x.Member = 0
	}
	st.Put(stepTable, shardOfCode(v.Code), v.Code, v.steps, int64(x.Kind), x.AtMS, x.Member, x.Actor, x.Store, x.Till, x.Staff, x.Sale.Member, x.Sale.Seq, x.Amount)
	v.put(st)
	tell(st, a, of, stepWords[x.Kind], x.AtMS, v.Code, more)
}

// tell adds the event of a coupon.
func tell(st *ledger.State, a *ledger.Account, of *Coupon, what string, atMS int64, code string, more map[string]any) {
	body := map[string]any{"coupon": of.PublicID(), "name": of.Code, "name_en": of.Terms.NameEN, "name_zh": of.Terms.NameZH}
	if code != "" {
		body["code"] = code
	}
	for k, x := range more {
		if x != "" {
			body[k] = x
		}
	}
	st.Event(a, "coupon."+what, atMS, pack(body))
}

// untilAfterUse is until when a voucher can be used whose first use was at an instant.
func (t *Terms) untilAfterUse(firstMS, end int64, zone *time.Location) int64 {
	if t.Valid.FirstUse == 0 {
		return end
	}
	return min(end, lastOf(firstMS, t.Valid.FirstUse, zone))
}
