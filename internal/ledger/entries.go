package ledger

import (
	"context"
	"fmt"
	"math"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/i18n"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/program"
)

// EntryView is an entry as the outside sees it. The four changes are signed and say all;
// amount is their sum, which is what the member has more or less by it.
type EntryView struct {
	ID        string    `json:"id" doc:"The entry."`
	Number    int64     `json:"number" doc:"1, 2, 3 … of the member, without gaps."`
	Currency  string    `json:"currency" doc:"Code of the point currency."`
	Kind      string    `json:"kind" doc:"What it was, as a word that stays the same."`
	Title     string    `json:"title" doc:"What it was, in the language of the caller."`
	Amount    int64     `json:"amount" doc:"By how much what the member has changed."`
	Available int64     `json:"available" doc:"Change of what can be used."`
	Pending   int64     `json:"pending" doc:"Change of what is not usable yet."`
	Held      int64     `json:"held" doc:"Change of what is set aside."`
	Debt      int64     `json:"debt" doc:"Change of what is owed."`
	After     int64     `json:"available_after" doc:"What could be used after it."`
	Lots      []Touched `json:"lots" doc:"The lots that it touched."`
	Cause     string    `json:"cause,omitempty" doc:"What brought it about: a sale or return, a hold, another entry, or the other member of a merge."`
	Source    string    `json:"source,omitempty" doc:"System that sent the document."`
	Document  string    `json:"document,omitempty" doc:"The document that it was posted by."`
	Reason    string    `json:"reason,omitempty" doc:"Why, in the words of who asked."`
	Rule      string    `json:"rule,omitempty" doc:"The rule that gave it."`
	Store     string    `json:"store,omitempty" doc:"Where."`
	Actor     string    `json:"actor,omitempty" doc:"Who asked; absent where time alone did it."`
	At        string    `json:"at" format:"date-time" doc:"When it took effect."`
	PostedAt  string    `json:"posted_at,omitempty" format:"date-time" doc:"When it was written; absent where it is still to be."`
}

// Touched says by how much a lot changed, signed.
type Touched struct {
	LotID  string `json:"lot_id" doc:"The lot."`
	Amount int64  `json:"amount" doc:"Negative where it was taken from."`
}

// titles are the words for the kinds of entry, English and Chinese.
var titles = map[EntryKind][2]string{
	Earn: {"Earned", "获得"}, Activate: {"Became usable", "生效"}, Spend: {"Used", "使用"},
	HoldMade: {"Set aside", "冻结"}, HoldTaken: {"Used from a hold", "冻结扣取"}, HoldFreed: {"Released", "解冻"},
	Expire: {"Expired", "过期"}, Claw: {"Taken back after a return", "退货扣回"}, GiveBack: {"Given back after a return", "退货返还"},
	Repay: {"Repaid a debt", "抵偿欠额"}, TransferOut: {"Sent to a member", "转出"}, TransferIn: {"Received from a member", "转入"},
	Fee: {"Transfer fee", "转赠手续费"}, Adjust: {"Corrected", "人工调整"}, MergeOut: {"Moved by a merge", "合并转出"},
	MergeIn: {"Received by a merge", "合并转入"}, TopUp: {"Paid in", "充值"}, Opening: {"Opening balance", "期初余额"},
	MergeBack: {"Returned by an unmerge", "取消合并返还"},
}

// Title is what people call entries of this kind.
func (k EntryKind) Title(lang string) string {
	t, ok := titles[k]
	if !ok {
		return k.String()
	}
	return i18n.Pick(lang, t[0], t[1])
}

func viewEntry(c *Config, e *Entry, lang string) EntryView {
	v := EntryView{
		ID: EntryID(e.Member, e.Seq), Number: e.Seq, Kind: e.Kind.String(), Title: e.Kind.Title(lang),
		Amount: e.Net(), Available: e.Active, Pending: e.Pending, Held: e.Held, Debt: e.Debt, After: e.After, Lots: []Touched{},
		Cause: e.Cause.publicID(), Source: e.Source, Document: e.Document, Reason: e.Reason, Rule: e.Rule, Actor: e.Actor,
		At: stamp(e.AtMS), PostedAt: stamp(e.PostedMS),
	}
	if cur := c.Currencies[e.Currency]; cur != nil {
		v.Currency = cur.Code
	}
	if e.Store != 0 {
		v.Store = program.StoreID(e.Store)
	}
	for _, t := range e.Touches {
		v.Lots = append(v.Lots, Touched{LotID(e.Member, t.Lot), t.Amount})
	}
	return v
}

// publicID names the cause of an entry to the outside; "" where there is none. Sales and
// returns share one row of numbers and one prefix.
func (c Cause) publicID() string {
	switch c.Kind {
	case BySale, ByReturn:
		return id.Encode("sal_", c.Member, c.Seq)
	case ByHold:
		return HoldID(c.Member, c.Seq)
	case ByMerge:
		return memberID(c.Member)
	case ByTransfer, ByEntry:
		if c.Seq == 0 { // the sender's side knows the receiver only
			return memberID(c.Member)
		}
		return EntryID(c.Member, c.Seq)
	}
	return ""
}

// Both lists take a currency or 0 for all.
var entriesSQL = db.Define("ledger.entries", `
	SELECT `+entryTable.names()+`
	FROM entry
	WHERE shard = $1 AND member_id = $2 AND seq < $3 AND (currency_id = $4 OR $4 = 0)
	ORDER BY seq DESC
	LIMIT $5`)

// Entries reads up to n entries of a member before a number (0 = the newest), newest
// first; of one currency where it is not 0.
func (s *Service) Entries(ctx context.Context, m, currency, before int64, n int) (list []*Entry, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = readEntries(ctx, tx, entriesSQL, int64(id.Shard(m)), m, before, currency, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list entries of member %d: %w", m, err)
	}
	return list, nil
}

func readEntries(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Entry, error) {
	rows, err := many(ctx, tx, stmt, entryTable, args...)
	if err != nil {
		return nil, err
	}
	list := make([]*Entry, 0, len(rows))
	for _, r := range rows {
		e, err := entryOf(r)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
