package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
)

// maxStatement bounds the rows of one statement: a hundred printed pages.
const maxStatement = 5000

// ErrStatementLong refuses a period with more rows than a statement holds.
var ErrStatementLong = errs.New(errs.Invalid, "ledger.statement_long", "There are more than {most} rows in this period; ask for a shorter one.", "该期间的记录超过 {most} 条，请缩短期间。")

// ErrPeriod refuses a period that ends before it begins.
var ErrPeriod = errs.New(errs.Invalid, "ledger.period", "The period ends before it begins.", "期间的结束早于开始。")

// Statement is what a member had at the beginning of a period, every movement in it with
// its reason, and what was there at its end.
//
// A movement belongs to the instant at which it took effect, whenever it was written. So a
// statement is the same whether the daily run has come by or not; a sale that is recorded
// late stands on its own day.
type Statement struct {
	Member   string    `json:"member_id" doc:"The member."`
	Number   string    `json:"number" doc:"Their number for people."`
	From     string    `json:"from" format:"date-time" doc:"The first instant of the period."`
	To       string    `json:"to" format:"date-time" doc:"The first instant after it."`
	MadeAt   string    `json:"made_at" format:"date-time" doc:"When this was drawn up."`
	Sections []Section `json:"sections" doc:"One for each currency."`

	fromMS, toMS, madeMS int64
}

// Section is the part of a Statement about one currency.
type Section struct {
	Currency string         `json:"currency" doc:"Code of the point currency."`
	NameEN   string         `json:"name_en" doc:"Its name in English."`
	NameZH   string         `json:"name_zh" doc:"Its name in Chinese."`
	Decimals int            `json:"decimals" doc:"Amounts are integers of the smallest unit."`
	Opening  Balance        `json:"opening" doc:"At the beginning of the period."`
	Rows     []StatementRow `json:"rows" doc:"Oldest first."`
	Closing  Balance        `json:"closing" doc:"At its end: opening and all rows."`
	Expiring []Due          `json:"expiring" doc:"What ends when, as of now."`

	currency *Currency
}

// Balance is a wallet at an instant.
type Balance struct {
	Available int64 `json:"available" doc:"Usable."`
	Pending   int64 `json:"pending" doc:"Not usable yet."`
	Held      int64 `json:"held" doc:"Set aside."`
	Debt      int64 `json:"debt" doc:"Owed."`
}

func (b Balance) plus(e *Entry) Balance {
	return Balance{add(b.Available, e.Active), add(b.Pending, e.Pending), add(b.Held, e.Held), add(b.Debt, e.Debt)}
}

// StatementRow is an entry with the balance after it, in the order of the statement.
type StatementRow struct {
	EntryView
	Balance Balance `json:"balance" doc:"After this row."`

	entry *Entry
}

var (
	sumBeforeSQL = db.Define("ledger.sumBefore", `
		SELECT CAST(COALESCE(SUM(active), 0) AS BIGINT), CAST(COALESCE(SUM(pending), 0) AS BIGINT),
			CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(debt), 0) AS BIGINT)
		FROM entry
		WHERE shard = $1 AND member_id = $2 AND currency_id = $3 AND at_ms < $4`)
	periodSQL = db.Define("ledger.period", `
		SELECT `+entryTable.names()+`
		FROM entry
		WHERE shard = $1 AND member_id = $2 AND currency_id = $3 AND at_ms >= $4 AND at_ms < $5
		ORDER BY at_ms, seq
		LIMIT $6`)
)

// Statement draws up the statement of a member for [from, to) in a language: of one
// currency, or of all that they ever had where code is "".
func (s *Service) Statement(ctx context.Context, m int64, from, to time.Time, code, lang string) (*Statement, error) {
	if to.Before(from) {
		return nil, ErrPeriod.At("query.to")
	}
	out := &Statement{
		Member: memberID(m), Number: member.ID(m).Number(), fromMS: from.UnixMilli(), toMS: to.UnixMilli(), madeMS: s.clock.Now().UnixMilli(),
	}
	out.From, out.To, out.MadeAt = stamp(out.fromMS), stamp(out.toMS), stamp(out.madeMS)
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		out.Sections = []Section{}
		st, a, err := s.look(ctx, tx, m)
		if err != nil {
			return err
		}
		rows := 0
		for _, c := range st.Config.inOrder() {
			i := slices.IndexFunc(a.wallets, func(w *Wallet) bool { return w.Currency == c.ID })
			if code != "" && code != c.Code || code == "" && i < 0 {
				continue
			}
			sec, err := out.section(ctx, tx, st, m, c, lang)
			if err != nil {
				return err
			}
			if rows += len(sec.Rows); rows > maxStatement {
				return ErrStatementLong.With("most", maxStatement).At("query.from")
			}
			if i >= 0 {
				sec.Expiring = viewWallet(a, a.wallets[i], c).Expiring
			}
			out.Sections = append(out.Sections, sec)
		}
		return nil
	})
	if err == nil && code != "" && len(out.Sections) == 0 {
		return nil, ErrCurrency.With("code", code).At("query.currency")
	}
	return out, err
}

// section reads one currency. What settling st has brought about is not in the database
// yet, and in the statement all the same.
func (o *Statement) section(ctx context.Context, tx *db.Tx, st *State, m int64, c *Currency, lang string) (Section, error) {
	sec := Section{Currency: c.Code, NameEN: c.NameEN, NameZH: c.NameZH, Decimals: c.Policy.Decimals, Rows: []StatementRow{}, Expiring: []Due{}, currency: c}
	shard := int64(id.Shard(m))
	b := &sec.Opening
	if err := tx.QueryRow(ctx, sumBeforeSQL, shard, m, c.ID, o.fromMS).Scan(&b.Available, &b.Pending, &b.Held, &b.Debt); err != nil {
		return sec, fmt.Errorf("opening balance of %d: %w", m, err)
	}
	list, err := readEntries(ctx, tx, periodSQL, shard, m, c.ID, o.fromMS, o.toMS, maxStatement+1)
	if err != nil {
		return sec, fmt.Errorf("statement of %d: %w", m, err)
	}
	for _, e := range st.entries {
		switch unwritten := *e; {
		case e.Currency != c.ID || e.AtMS >= o.toMS:
		case e.AtMS < o.fromMS:
			sec.Opening = sec.Opening.plus(e)
		default:
			unwritten.PostedMS = 0
			list = append(list, &unwritten)
		}
	}
	slices.SortFunc(list, func(a, b *Entry) int { return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), cmp.Compare(a.Seq, b.Seq)) })
	why, err := purposes(ctx, tx, shard, m, list)
	if err != nil {
		return sec, fmt.Errorf("statement of %d: %w", m, err)
	}
	sec.Closing = sec.Opening
	for _, e := range list {
		sec.Closing = sec.Closing.plus(e)
		v := viewEntry(st.Config, e, lang)
		v.Reason = cmp.Or(v.Reason, why[e.holdSeq()])
		sec.Rows = append(sec.Rows, StatementRow{v, sec.Closing, e})
	}
	return sec, nil
}

// holdSeq is the hold that an entry made or used up, 0 for other entries.
func (e *Entry) holdSeq() int64 {
	switch {
	case e.Kind == HoldMade:
		return e.Seq
	case e.Kind == HoldTaken && e.Cause.Kind == ByHold:
		return e.Cause.Seq
	}
	return 0
}

var purposesSQL = db.Define("ledger.purposes", `
	SELECT seq, purpose
	FROM hold
	WHERE shard = $1 AND member_id = $2 AND seq >= $3 AND seq <= $4
	ORDER BY seq`)

// purposes reads what holds are for. Entries do not say it themselves: they never change,
// and what a till writes goes with the member.
func purposes(ctx context.Context, tx *db.Tx, shard, m int64, list []*Entry) (map[int64]string, error) {
	first, last := int64(math.MaxInt64), int64(0)
	for _, e := range list {
		if seq := e.holdSeq(); seq > 0 {
			first, last = min(first, seq), max(last, seq)
		}
	}
	if last == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, purposesSQL, shard, m, first, last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	why := map[int64]string{}
	for rows.Next() {
		var seq int64
		var purpose string
		if err := rows.Scan(&seq, &purpose); err != nil {
			return nil, err
		}
		why[seq] = purpose
	}
	return why, rows.Err()
}
