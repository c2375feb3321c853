package offer

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// Step is where one instance stands. Received, viewed and progressing are one to the books;
// what tells them apart is what happened.
type Step int64

// The steps. Numbers are on disk.
const (
	StepOpen      Step = 1
	StepCompleted Step = 2 // the goal is met, and there was nothing to give, or it could not be given
	StepRewarded  Step = 3
	StepExpired   Step = 4
	StepCancelled Step = 5
)

// lateFor is how long after an instance's time, and after its receipt was recorded, purchases
// that were made in time still count: tills that were cut off send them late.
const lateFor = 31 * 24 * time.Hour

// Instance is one receipt of an offer by a member. While it is followed it lies in the
// member's Book; its row has it as it was when it was last written. Its JSON is on disk.
type Instance struct {
	Member   int64    `json:"w"` // with whom it was born: half of its key
	Seq      int64    `json:"i"`
	Offer    int64    `json:"o"`
	Version  int64    `json:"v"`
	Step     Step     `json:"s"`
	Cycle    int64    `json:"y,omitempty"` // of an open offer that repeats
	Received int64    `json:"r"`           // instants in Unix milliseconds, 0 where it did not happen
	Viewed   int64    `json:"a,omitempty"`
	Accepted int64    `json:"b,omitempty"`
	Done     int64    `json:"d,omitempty"` // when the goal was met: the time of the purchase
	From     int64    `json:"f"`           // purchases count from here
	Until    int64    `json:"u"`           // to here, inclusive
	Keep     int64    `json:"k"`           // until when it stays in the Book
	Waits    bool     `json:"q,omitempty"` // for the member's yes
	Quiet    bool     `json:"h,omitempty"` // from the past: nobody is told
	Progress Progress `json:"p,omitzero"`
	Given    []Given  `json:"g,omitempty"`
	Badge    int64    `json:"e,omitempty"` // that it gave
}

// Given is points that an instance was rewarded with.
type Given struct {
	Currency int64 `json:"c"`
	Member   int64 `json:"w"` // whose lot it was when it was given
	Lot      int64 `json:"l"`
	Amount   int64 `json:"m"`
}

// ID is the public id.
func (i *Instance) ID() string { return id.Encode(instancePrefix, i.Member, i.Seq) }

// Standing is the word for where an instance stands at an instant. Time ends it before
// anybody writes that down.
func (i *Instance) Standing(nowMS int64) string {
	switch i.Step {
	case StepCompleted:
		return "completed"
	case StepRewarded:
		return "rewarded"
	case StepExpired:
		return "expired"
	case StepCancelled:
		return "cancelled"
	}
	switch {
	case nowMS > i.Until:
		return "expired"
	case !i.Progress.Zero():
		return "progressing"
	case i.Viewed != 0:
		return "viewed"
	}
	return "received"
}

// covers reports whether a purchase at an instant counts.
func (i *Instance) covers(atMS int64) bool {
	return !i.Waits && i.Step != StepCancelled && atMS >= i.From && atMS <= i.Until
}

// Book is what is followed of one member: one row, which the member's purchases change. How it
// lies on the disk is in pack.go.
type Book struct {
	Next  int64 // number of the last instance
	Open  []*Instance
	Tally map[int64]Tally // by offer
	// Badges are by badge. Moved is whose instances went to another with a merge.
	Badges map[int64]Has
	Moved  []int64

	by map[int64][]*Instance // by offer; made when first asked for
	n  int                   // of Open as it was made
}

// Tally is how often a member had an offer.
type Tally struct {
	Received int64
	Done     int64
	Cycle    int64 // the latest
}

// of is the instances of an offer.
func (b *Book) of(offer int64) []*Instance {
	if b.by == nil || b.n != len(b.Open) {
		b.by, b.n = map[int64][]*Instance{}, len(b.Open)
		for _, i := range b.Open {
			b.by[i.Offer] = append(b.by[i.Offer], i)
		}
	}
	return b.by[offer]
}

// The tables as batches write them.
var (
	bookTable     = ledger.DefineTable("member_offer", 2, "shard int, member_id int, next_ms int, body bytes")
	instanceTable = ledger.DefineTable("offer_instance", 3, "shard int, member_id int, seq int, offer_id int, step int, received_ms int, done_ms int, body bytes")
)

func shardOf(member int64) int64 { return int64(id.Shard(member)) }

// BookRow names the row of a member's Book.
func BookRow(member int64) ledger.RowKey {
	return ledger.RowKey{Table: bookTable, Key: []any{shardOf(member), member}}
}

func instanceRow(member, seq int64) ledger.RowKey {
	return ledger.RowKey{Table: instanceTable, Key: []any{shardOf(member), member, seq}}
}

// bookOf reads a member's Book; its row must have been asked for.
func bookOf(s *ledger.State, member int64) *Book {
	v := s.Row(bookTable, shardOf(member), member)
	if v == nil {
		return &Book{}
	}
	return unpackBook(v[3].([]byte))
}

// put writes the Book, in the order of numbers, with the instant at which time will have
// changed something in it.
func (b *Book) put(s *ledger.State, member int64) {
	b.sort()
	s.Put(bookTable, shardOf(member), member, b.next(), b.pack())
}

func (b *Book) sort() {
	slices.SortFunc(b.Open, func(x, y *Instance) int {
		if x.Member != y.Member {
			return int(min(1, max(-1, x.Member-y.Member)))
		}
		return int(min(1, max(-1, x.Seq-y.Seq)))
	})
}

// next is when the sweep has something to do with the Book.
func (b *Book) next() int64 {
	at := never
	for _, i := range b.Open {
		if i.Step == StepOpen {
			at = min(at, i.Until+1)
		} else {
			at = min(at, i.Keep)
		}
	}
	return at
}

// find returns an instance that is followed, or nil.
func (b *Book) find(member, seq int64) *Instance {
	for _, i := range b.Open {
		if i.Member == member && i.Seq == seq {
			return i
		}
	}
	return nil
}

// drop takes an instance out of the Book.
func (b *Book) drop(x *Instance) {
	b.Open = slices.DeleteFunc(b.Open, func(i *Instance) bool { return i == x })
}

func (b *Book) note(offer int64, change func(*Tally)) {
	if b.Tally == nil {
		b.Tally = map[int64]Tally{}
	}
	t := b.Tally[offer]
	change(&t)
	b.Tally[offer] = t
}

// putRow writes the row of an instance. It must have been asked for, or be new.
func (i *Instance) putRow(s *ledger.State) {
	s.Put(instanceTable, shardOf(i.Member), i.Member, i.Seq, i.Offer, int64(i.Step), i.Received, i.Done, pack(i))
}

// loadRow reads the row of an instance, or nil; it must have been asked for.
func loadRow(s *ledger.State, member, seq int64) *Instance {
	v := s.Row(instanceTable, shardOf(member), member, seq)
	if v == nil {
		return nil
	}
	i := &Instance{}
	unpack(v[7].([]byte), i)
	return i
}

func pack(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain numbers
	}
	return b
}

// unpack reads what pack wrote. What it cannot read was not written by this program: it
// panics, and the command that asked is refused as a defect.
func unpack(body []byte, to any) {
	if err := json.Unmarshal(body, to); err != nil {
		panic("offer: a row cannot be read: " + err.Error())
	}
}
