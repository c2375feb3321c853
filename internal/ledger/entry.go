package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Entry is one row of the ledger: what one movement did to one wallet, and why.
type Entry struct {
	Member   int64
	Seq      int64
	Currency int64
	Kind     EntryKind
	// By how much each of the member's accounts changed.
	Pending, Active, Held, Debt int64
	After                       int64 // Active after it
	AtMS                        int64 // when it took effect (a sale's own time)
	PostedMS                    int64 // when it was written
	Touches                     []Touch
	Cause                       Cause
	Source                      string // who sent it: system name of the caller's document
	Document                    string
	Reason                      string
	Rule                        string
	Store                       int64
	Actor                       string // who asked, as "staff:stf_…"
}

// Cause is the row that brought an entry about.
type Cause struct {
	Kind   CauseKind
	Member int64
	Seq    int64
}

// CauseKind says in which table the cause is.
type CauseKind int16

// The causes.
const (
	NoCause    CauseKind = 0
	BySale     CauseKind = 1
	ByReturn   CauseKind = 2
	ByHold     CauseKind = 3
	ByTransfer CauseKind = 4 // Member and Seq name the entry on the sender's side
	ByMerge    CauseKind = 5 // Member is the other one
	ByEntry    CauseKind = 6
)

// EntryKind says what a movement was.
type EntryKind int16

// The kinds of entry. Numbers are on disk: never change one.
const (
	Earn        EntryKind = 1  // granted; lands in pending or active
	Activate    EntryKind = 2  // pending becomes active
	Spend       EntryKind = 3  // used
	HoldMade    EntryKind = 4  // active becomes held
	HoldTaken   EntryKind = 5  // held is used
	HoldFreed   EntryKind = 6  // held becomes active again
	Expire      EntryKind = 7  // ended unused
	Claw        EntryKind = 8  // taken back after a return; may leave a debt
	GiveBack    EntryKind = 9  // spent points restored after a return
	Repay       EntryKind = 10 // active points pay a debt
	TransferOut EntryKind = 11
	TransferIn  EntryKind = 12
	Fee         EntryKind = 13 // paid for a transfer
	Adjust      EntryKind = 14 // by staff, up or down
	MergeOut    EntryKind = 15
	MergeIn     EntryKind = 16
	TopUp       EntryKind = 17 // stored value paid in, or its bonus
	Opening     EntryKind = 18 // brought along from another system
	MergeBack   EntryKind = 19 // returned to its first owner by an unmerge
)

var kindNames = map[EntryKind]string{
	Earn: "earn", Activate: "activate", Spend: "spend", HoldMade: "hold", HoldTaken: "capture", HoldFreed: "release",
	Expire: "expire", Claw: "clawback", GiveBack: "restore", Repay: "repay", TransferOut: "transfer_out",
	TransferIn: "transfer_in", Fee: "fee", Adjust: "adjust", MergeOut: "merge_out", MergeIn: "merge_in",
	TopUp: "topup", Opening: "opening", MergeBack: "merge_back",
}

func (k EntryKind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return "kind " + strconv.Itoa(int(k))
}

// Contra is the programme's account on the other side of a member's entry.
type Contra string

// The programme's accounts.
const (
	None     Contra = ""         // the entry moves between the member's own accounts
	Issued   Contra = "issued"   // grants, less what returns took back
	Redeemed Contra = "redeemed" // uses, less what returns gave back
	Breakage Contra = "expired"
	Transit  Contra = "transit" // between two members; zero over all of them
	Adjusted Contra = "adjusted"
	Fees     Contra = "fees"
)

// Contra returns the account on the other side of entries of this kind.
func (k EntryKind) Contra() Contra {
	switch k {
	case Activate, HoldMade, HoldFreed, Repay:
		return None
	case Earn, Claw, TopUp, Opening:
		return Issued
	case Spend, HoldTaken, GiveBack:
		return Redeemed
	case Expire:
		return Breakage
	case TransferOut, TransferIn, MergeOut, MergeIn, MergeBack:
		return Transit
	case Adjust:
		return Adjusted
	case Fee:
		return Fees
	}
	panic("ledger: no contra account for " + k.String())
}

// Leg is one side of an entry: an account and by how much it changed.
type Leg struct {
	Account string // "pending", "active", "held", "debt" of the member, or a Contra
	Amount  int64  // credits to the member positive; a debt counts negative
}

// Legs spells the entry out as double entry. They sum to nothing.
func (e *Entry) Legs() []Leg {
	legs := []Leg{{"pending", e.Pending}, {"active", e.Active}, {"held", e.Held}, {"debt", -e.Debt}}
	if c := e.Kind.Contra(); c != None {
		legs = append(legs, Leg{string(c), -e.Net()})
	}
	return legs
}

// Net is by how much the entry changed what the programme owes the member.
func (e *Entry) Net() int64 { return e.Pending + e.Active + e.Held - e.Debt }

// check panics on an entry that cannot be: it stands before every write.
func (e *Entry) check() {
	var sum int64
	for _, l := range e.Legs() {
		sum += l.Amount
	}
	switch {
	case sum != 0:
		panic(fmt.Sprintf("ledger: legs of %s %d do not sum to nothing: %+v", e.Kind, e.Seq, e))
	case e.Seq < 1 || e.Currency < 1 || e.Member == 0:
		panic(fmt.Sprintf("ledger: entry without a number, a currency or a member: %+v", e))
	}
}

// canonical writes the entry as the bytes that its digest commits to. The order and the
// lengths are fixed for ever.
func (e *Entry) canonical() []byte {
	b := make([]byte, 0, 256)
	for _, v := range []int64{
		e.Member, e.Seq, e.Currency, int64(e.Kind), e.Pending, e.Active, e.Held, e.Debt, e.After,
		e.AtMS, e.PostedMS, int64(e.Cause.Kind), e.Cause.Member, e.Cause.Seq, e.Store,
	} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	for _, s := range []string{packTouches(e.Touches), e.Source, e.Document, e.Reason, e.Rule, e.Actor} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// digest commits to an entry without telling it: a hash over its salt and its content.
func (e *Entry) digest(salt []byte) [32]byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(e.canonical())
	var out [32]byte
	h.Sum(out[:0])
	return out
}

// packTouches writes touches as "lot:amount lot:amount".
func packTouches(touches []Touch) string {
	if len(touches) == 0 {
		return ""
	}
	b := make([]byte, 0, 16*len(touches))
	for i, t := range touches {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, t.Lot, 10)
		b = append(b, ':')
		b = strconv.AppendInt(b, t.Amount, 10)
	}
	return string(b)
}

// unpackTouches reads what packTouches wrote.
func unpackTouches(text string) ([]Touch, error) {
	var out []Touch
	for part := range strings.FieldsSeq(text) {
		lot, amount, ok := strings.Cut(part, ":")
		l, err1 := strconv.ParseInt(lot, 10, 64)
		a, err2 := strconv.ParseInt(amount, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return nil, fmt.Errorf("touches %q are not lot:amount", text)
		}
		out = append(out, Touch{l, a})
	}
	return out, nil
}
