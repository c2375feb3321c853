package ledger

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// Command is one request that changes what members own. Nouns above the ledger have
// their own: a sale is one.
type Command interface {
	// Needs says what must be locked and loaded before Decide. Needs.Members[0] is whose
	// command it is: it decides which worker takes it.
	Needs() Needs
	// Decide is pure: it reads and changes the State, by the State's own time, and returns
	// the answer. After a refusal the State is as it was. It may be called several times,
	// on fresh States, before one call takes effect. Where it finds that it needs more, it
	// returns Again.
	Decide(s *State) (any, error)
}

// Needs is what a command must have in its State.
type Needs struct {
	Members []int64  // to lock; each may come twice
	Lots    []int64  // members of whom all open lots are needed
	Heads   []Head   // the lots that are spent first
	LotSeqs []LotKey // lots that may be closed
	Origins []Origin // lots that came from one lot of another member, open and closed
	Holds   []LotKey // holds that may be over, with the lots that they pin
	Rows    []RowKey
	// Fresh are rows that the command puts and that are hardly ever there before: its
	// document. They are not looked for. The command decides as if they were not there; if it
	// then does not put them, they are looked for and it decides anew, and if they are there
	// after all, writing them fails and the batch is run again with a look.
	Fresh []RowKey
}

// LotKey names a lot or a hold.
type LotKey struct{ Member, Seq int64 }

// Head is the lots of a member that are spent first. Decisions ask for more where it shows
// that those are not enough.
type Head struct {
	Member   int64
	Currency string // code
	Lots     int    // 0: as many as usually do
}

// Origin names the lots of a member that hold or held what was in a lot of another.
type Origin struct {
	Member int64
	Of     LotKey
}

// Add adds what another part of the same command needs.
func (n *Needs) Add(m Needs) {
	n.Members = append(n.Members, m.Members...)
	n.Lots = append(n.Lots, m.Lots...)
	n.Heads = append(n.Heads, m.Heads...)
	n.Origins = append(n.Origins, m.Origins...)
	n.LotSeqs = append(n.LotSeqs, m.LotSeqs...)
	n.Holds = append(n.Holds, m.Holds...)
	n.Rows = append(n.Rows, m.Rows...)
	n.Fresh = append(n.Fresh, m.Fresh...)
}

// Again is what Decide returns that has found out what else it needs. If that is another
// member, the command waits for the next batch, so that members are always locked in
// order; all else is loaded at once.
type Again struct{ Needs Needs }

func (*Again) Error() string { return "ledger: a command needs more than it was given" }

// Moved is what Decide returns whose member was merged into another: the caller starts
// anew with the survivor.
type Moved struct{ From, To int64 }

func (*Moved) Error() string { return "ledger: the member was merged" }

// Statuser is an answer that says its own HTTP status. Others are 201.
type Statuser interface{ Status() int }

// Telling is an answer with words in it that somebody wrote about a member. It is kept under
// the member's number, so that it goes with them.
type Telling interface{ Whose() int64 }

// ownerOf reads the member out of the public id in an answer.
func ownerOf(member string) int64 {
	m, _, err := id.Decode("mem_", member)
	if err != nil {
		panic("ledger: an answer names no member: " + err.Error())
	}
	return m
}

// Request is a command with what belongs to the caller who sent it.
type Request struct {
	Command Command
	Actor   string // for the entries, as "key:key_…"
	Key     api.Key
	DryRun  bool // decide and answer, keep nothing
	Bulk    bool // give way to others
	// Refusal writes a refusal as the caller would read it, so that a retry gets the same
	// answer. Nil where nothing is kept of refusals.
	Refusal func(error) (status int, body []byte)
}

// Answer is what became of a Request.
type Answer struct {
	Value any     // what Decide returned; nil where the answer was kept from before
	Raw   api.Raw // as the caller reads it; empty where the request bears no key
	Err   error
}

var (
	// ErrUnknown says that nobody knows whether a posting took effect.
	ErrUnknown = errs.New(errs.Unavailable, "ledger.unknown", "The database did not answer: whether this took effect is not known. Send it again with the same Idempotency-Key.", "数据库没有应答，无法确定操作是否生效。请用相同的 Idempotency-Key 重试。")
	// ErrOverload refuses work that would wait too long.
	ErrOverload = errs.New(errs.Unavailable, "ledger.overload", "Too much is waiting. Try again in a moment.", "系统繁忙，请稍后重试。")
	// ErrDefect answers a command whose decision failed by a fault of the program.
	ErrDefect = errs.New(errs.Internal, "ledger.defect", "This could not be posted. Nothing changed.", "无法入账，数据没有变化。")
	// ErrCorrupt refuses to post on books that do not add up.
	ErrCorrupt = errs.New(errs.Internal, "ledger.corrupt", "This member's books do not add up; they are closed until an operator has looked at them. Nothing changed.", "该会员账目不平，已停止入账，请联系管理员。数据没有变化。")
)

// Tables that the engine itself keeps beside the members' own.
var (
	requestTable  = DefineTable("request", 2, "shard int, hash bytes, body_hash bytes, status int, answer bytes, at_ms int, member_id int")
	documentTable = DefineTable("document", 2, "shard int, hash bytes, kind int, member_id int, seq int, content bytes")
)

// DocKind says what a document became.
type DocKind int64

// The kinds of document. Numbers are on disk.
const (
	DocSale     DocKind = 1
	DocReturn   DocKind = 2
	DocEarning  DocKind = 3
	DocSpending DocKind = 4
	DocAwaited  DocKind = 5 // a sale that a return came before: seq is the return's
	DocEvent    DocKind = 6
	DocTopUp    DocKind = 7
	DocOpening  DocKind = 8

	DocPlanPayment DocKind = 20 // of a membership: seq is its period
	DocPlanGift    DocKind = 21 // points that came with one
	DocWelcome     DocKind = 26 // the bonus of a tier: seq is the entry's
	DocReward      DocKind = 40 // an order of a reward: seq is the member's order
)

// Document is the natural key of a posting: it stands for one effect for ever.
type Document struct {
	Kind     DocKind
	Source   string
	Document string
}

// key is where the document stands in its table.
func (d Document) key() RowKey {
	h := sha256.New()
	name := d.Kind
	if name == DocAwaited {
		name = DocSale // the place of the sale that is awaited
	}
	for _, part := range []string{string(rune('0' + name)), d.Source, d.Document} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	var full [32]byte
	sum := h.Sum(full[:0])[:16]
	return RowKey{documentTable, []any{int64(sum[0]), sum}}
}

// Need is what a command that makes the document adds to its Needs.
func (d Document) Need() RowKey { return d.key() }

// Doc is what is known of a document.
type Doc struct {
	Kind    DocKind
	Member  int64
	Seq     int64
	Content [16]byte // hash of what it said
}

// FindDoc returns what a document became, and false where nobody has seen it.
func (s *State) FindDoc(d Document) (Doc, bool) {
	v := s.Row(documentTable, d.key().Key...)
	if v == nil {
		return Doc{}, false
	}
	out := Doc{Kind: DocKind(v[2].(int64)), Member: v[3].(int64), Seq: v[4].(int64)}
	copy(out.Content[:], v[5].([]byte))
	return out, true
}

// PutDoc records what a document became.
func (s *State) PutDoc(d Document, became Doc) {
	k := d.key()
	s.Put(documentTable, k.Key[0], k.Key[1], int64(became.Kind), became.Member, became.Seq, became.Content[:])
}

// ContentHash is what a Doc keeps of its content: two documents of one name have to agree
// in it.
func ContentHash(v any) [16]byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // content is plain structs
	}
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// requestKey is the row in which the answer to a key is kept.
func requestKey(k api.Key) []any { return []any{int64(k.Hash[0]), k.Hash[:]} }

// replay returns the answer that was given to the request's key before, if one was.
func (s *State) replay(r *Request) (Answer, bool) {
	if !r.Key.Set || r.DryRun {
		return Answer{}, false
	}
	v := s.Row(requestTable, requestKey(r.Key)...)
	if v == nil {
		return Answer{}, false
	}
	if [16]byte(v[2].([]byte)) != r.Key.Body {
		return Answer{Err: api.ErrKeyReused}, true
	}
	if v[3].(int64) == 0 { // it went with the member of whom it told
		return Answer{Err: api.ErrAnswerLost}, true
	}
	return Answer{Raw: api.Raw{Status: int(v[3].(int64)), Body: v[4].([]byte), Replayed: true}}, true
}

// remember keeps an answer under the request's key. value is what it was made from, nil for
// a refusal.
func (s *State) remember(r *Request, raw api.Raw, value any) {
	if !r.Key.Set || r.DryRun {
		return
	}
	whose := int64(0)
	if t, ok := value.(Telling); ok {
		whose = t.Whose()
	}
	k := requestKey(r.Key)
	body := r.Key.Body
	s.Put(requestTable, k[0], k[1], body[:], int64(raw.Status), raw.Body, s.NowMS, whose)
}

// answer turns what Decide returned into what the caller gets.
func answer(r *Request, value any) Answer {
	a := Answer{Value: value}
	if !r.Key.Set && r.Refusal == nil {
		return a
	}
	a.Raw.Status = http.StatusCreated
	if st, ok := value.(Statuser); ok {
		a.Raw.Status = st.Status()
	}
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // answers are plain structs
	}
	a.Raw.Body = body
	return a
}

// kept reports whether a refusal is kept for retries: those by state are, so that a key
// has one answer for ever; those of bad requests are not.
func kept(err error) bool {
	e := errs.As(err)
	return e != nil && e.Kind == errs.Conflict && !errors.Is(err, api.ErrInFlight)
}
