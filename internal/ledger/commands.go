package ledger

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// The prefixes of public ids.
const (
	entryPrefix = "ent_"
	lotPrefix   = "lot_"
	holdPrefix  = "hld_"
)

// EntryID, LotID and HoldID give the public id of what bears a number with a member.
func EntryID(member, seq int64) string { return id.Encode(entryPrefix, member, seq) }

// LotID gives the public id of a lot.
func LotID(member, seq int64) string { return id.Encode(lotPrefix, member, seq) }

// HoldID gives the public id of a hold.
func HoldID(member, seq int64) string { return id.Encode(holdPrefix, member, seq) }

func memberID(m int64) string { return id.Encode("mem_", m, 0) }

// ErrDocumentTaken refuses a document that stands for another posting already.
var ErrDocumentTaken = errs.New(errs.Conflict, "ledger.document_taken",
	"This document was posted before, as {existing}; now it says {sent}.", "该单据此前已入账：{existing}；本次内容为：{sent}。")

// Posted is the answer to a request that moved points.
type Posted struct {
	ID       string           `json:"id" doc:"The ledger entry."`
	Member   string           `json:"member_id" doc:"Whose points moved."`
	Currency string           `json:"currency" doc:"Code of the point currency."`
	Amount   int64            `json:"amount" doc:"How much was posted, in the smallest unit; an earning may have been cut by a limit."`
	Cut      int64            `json:"cut,omitempty" doc:"What a limit took off the earning that was asked for."`
	Fee      int64            `json:"fee,omitempty" doc:"What the sender of a transfer paid on top."`
	Lots     []LotUse         `json:"lots" doc:"The lot that was made, or the lots that were taken from, in the order of use."`
	Balances map[string]int64 `json:"balances" doc:"What the member can use now, by currency code."`

	repeated bool
}

// LotUse is a lot and how much of it a posting made or took.
type LotUse struct {
	LotID     string `json:"lot_id" doc:"The lot."`
	Amount    int64  `json:"amount" doc:"What was made or taken of it; never negative."`
	Bucket    string `json:"bucket,omitempty" enum:"principal,bonus" doc:"Stored value: paid in, or given on top."`
	State     string `json:"state" enum:"pending,active" doc:"pending until usable_at."`
	UsableAt  string `json:"usable_at" format:"date-time" doc:"From when it can be used."`
	ExpiresAt string `json:"expires_at,omitempty" format:"date-time" doc:"The first instant at which it can no longer be used; absent where it does not end."`
}

// stamp writes an instant of an answer; what never happens has none.
func stamp(ms int64) string {
	if ms == 0 || ms >= Never {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

// owner returns the account of a member that stands alone, settled, or Moved.
func (s *State) owner(m int64) (*Account, error) {
	a, err := s.Account(m)
	if err == nil && a.MergedInto != 0 {
		return nil, &Moved{From: m, To: a.MergedInto}
	}
	return a, err
}

// posted makes the answer that tells of entry seq of a member home, whose points are a's
// now: the two differ only after a merge.
func (s *State) posted(a *Account, home, seq int64) (*Posted, error) {
	e, err := s.entryAt(home, seq)
	if err != nil {
		return nil, err
	}
	if e == nil {
		panic(fmt.Sprintf("ledger: entry %d of member %d is not there", seq, home))
	}
	lots, err := s.lotUses(e)
	if err != nil {
		return nil, err
	}
	return &Posted{
		ID: EntryID(home, seq), Member: memberID(a.ID), Currency: s.Config.Currencies[e.Currency].Code,
		Amount: abs(e.Net()), Lots: lots, Balances: s.Balances(a),
	}, nil
}

// entryAt finds an entry, of this batch or an earlier one; nil where there is none.
func (s *State) entryAt(member, seq int64) (*Entry, error) {
	for _, e := range s.entries {
		if e.Member == member && e.Seq == seq {
			return e, nil
		}
	}
	key := []any{int64(id.Shard(member)), member, seq}
	if !s.Has(entryTable, key...) {
		return nil, &Again{Needs{Rows: []RowKey{{entryTable, key}}}}
	}
	v := s.Row(entryTable, key...)
	if v == nil {
		return nil, nil
	}
	return entryOf(v)
}

// lotUses tells of the lots that an entry touched.
func (s *State) lotUses(e *Entry) ([]LotUse, error) {
	home := s.accounts[e.Member]
	uses := make([]LotUse, 0, len(e.Touches))
	var ask Needs
	for _, t := range e.Touches {
		l := s.lot(home, t.Lot)
		if l == nil {
			ask.LotSeqs = append(ask.LotSeqs, LotKey{e.Member, t.Lot})
			continue
		}
		uses = append(uses, s.lotUse(e.Member, l, abs(t.Amount)))
	}
	if len(ask.LotSeqs) > 0 {
		return nil, &Again{ask}
	}
	return uses, nil
}

func (s *State) lotUse(member int64, l *Lot, amount int64) LotUse {
	u := LotUse{LotID: LotID(member, l.Seq), Amount: amount, State: l.State.String(), UsableAt: stamp(l.ActiveMS), ExpiresAt: stamp(l.ExpiresMS)}
	if c := s.Config.Currencies[l.Currency]; c != nil && c.Kind == Stored {
		u.Bucket = l.Bucket.String()
	}
	return u
}

// String is the name of a bucket of stored value.
func (b Bucket) String() string {
	if b == Bonus {
		return "bonus"
	}
	return "principal"
}

// terms are what two documents of one name must agree in. The reason is not among them:
// it is a remark, and a till that words it anew has not asked for anything else.
type terms struct {
	Currency string
	Amount   int64
	Bonus    int64
	ActiveMS int64 // 0 where the policy decides
	EndMS    int64
}

// describe writes terms as people read them, for a refusal that shows both sides.
func (t terms) describe(s *State, member int64) string {
	parts := []string{fmt.Sprint(t.Amount, " ", t.Currency)}
	if c := s.Config.ByCode[t.Currency]; c != nil {
		parts[0] = c.Format(t.Amount) + " " + t.Currency
	}
	if t.Bonus > 0 {
		parts[0] += fmt.Sprint(" + ", t.Bonus)
	}
	if at := stamp(t.ActiveMS); at != "" {
		parts = append(parts, "usable "+at)
	}
	if at := stamp(t.EndMS); at != "" {
		parts = append(parts, "until "+at)
	}
	return strings.Join(append(parts, memberID(member)), ", ")
}

// seen looks a document up. It returns the answer of the first time where the same was
// posted before, ErrDocumentTaken where something else was, and nil where it is new.
// Documents are for ever: the first effect stands for the member it was posted to, and
// for the one whom that member was merged into.
func (s *State) seen(a *Account, d Document, sent terms) (*Posted, error) {
	if d.Source == "" && d.Document == "" {
		return nil, nil
	}
	was, ok := s.FindDoc(d)
	if !ok {
		return nil, nil
	}
	same, err := s.ownedBy(was.Member, a.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.posted(a, was.Member, was.Seq)
	if err != nil {
		return nil, err
	}
	first := terms{Currency: p.Currency, Amount: p.Amount}
	switch d.Kind {
	case DocTopUp:
		if err := s.addBonus(p, was.Member, was.Seq); err != nil {
			return nil, err
		}
		first.Bonus = p.Amount - first.Amount
	case DocEarning, DocOpening:
		l := s.lot(s.accounts[was.Member], was.Seq)
		first.ActiveMS, first.EndMS = l.ActiveMS, l.ExpiresMS
	}
	if !same || was.Content != ContentHash(sent) {
		return nil, ErrDocumentTaken.With("existing", first.describe(s, was.Member), "sent", sent.describe(s, a.ID))
	}
	p.repeated = true
	return p, nil
}

// ownedBy reports whether what belonged to one member is another's now.
func (s *State) ownedBy(was, now int64) (bool, error) {
	for range maxMoves {
		if was == now {
			return true, nil
		}
		home := s.accounts[was]
		if home == nil {
			return false, &Again{Needs{Members: []int64{was}}}
		}
		if home.MergedInto == 0 {
			return false, nil
		}
		was = home.MergedInto
	}
	return false, nil
}

// settledBy notes that a document became entry seq of a.
func (s *State) settledBy(a *Account, d Document, seq int64, sent terms) {
	if d.Source != "" || d.Document != "" {
		s.PutDoc(d, Doc{Kind: d.Kind, Member: a.ID, Seq: seq, Content: ContentHash(sent)})
	}
}

// need is what a command adds to its Needs for a document, if it has one.
func (d Document) need(n Needs) Needs {
	if d.Source != "" || d.Document != "" {
		n.Fresh = append(n.Fresh, d.Need())
	}
	return n
}

// tell adds the event of a posting.
func (s *State) tell(a *Account, kind string, c *Currency, amount, seq int64) {
	s.tellAs(a, kind, movedBody{Currency: c.Code, Amount: amount, Entry: EntryID(a.ID, seq)})
}

func (s *State) tellAs(a *Account, kind string, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // bodies are plain structs
	}
	s.Event(a, kind, s.NowMS, string(b))
}

// movedBody is the body of the events of postings.
type movedBody struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	Entry    string `json:"entry,omitempty"`
	Hold     string `json:"hold,omitempty"`
	Other    string `json:"other,omitempty"` // the other member of a transfer
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
