package till

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patron-loyalty/patron/internal/kit/api"
	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
	"github.com/patron-loyalty/patron/internal/sale"
	"github.com/patron-loyalty/patron/internal/staff"
)

// ConflictKind is what was given that the books did not hold. The numbers are on disk.
type ConflictKind int64

// The kinds. Of a limit nothing is lost: it says that a till gave more than it might.
const (
	ConflictVoucher ConflictKind = 1
	ConflictPoints  ConflictKind = 2
	ConflictLimit   ConflictKind = 3
)

func (k ConflictKind) String() string { return [...]string{"", "voucher", "points", "limit"}[k] }

// Outcome is who bears a conflict. The numbers are on disk.
type Outcome int64

// The outcomes.
const (
	NoOutcome Outcome = 0
	ByProgram Outcome = 1
	ByStore   Outcome = 2
	ByNobody  Outcome = 3 // it was none: made good at the till, or a mistake
)

func (o Outcome) String() string { return [...]string{"", "programme", "store", "nobody"}[o] }

// States of a conflict, as they are on disk.
const (
	conflictOpen    = 1
	conflictSettled = 2
)

// conflictsPerSale bounds them: 20 vouchers, 8 currencies, two limits.
const conflictsPerSale = 64

const (
	conflictPrefix = "ofc_"
	byPolicy       = "policy"
	maxReportDays  = 366
)

var (
	// ErrNoConflict answers for a conflict that is not there, or of another store.
	ErrNoConflict = errs.New(errs.NotFound, "offline.no_conflict", "There is no such conflict.", "没有这条冲突记录。")
	// ErrSettled refuses to settle twice.
	ErrSettled = errs.New(errs.Conflict, "offline.settled", "This conflict is settled already.", "该冲突已处理。")
	// ErrReportSpan refuses a report over too long a time.
	ErrReportSpan = errs.New(errs.Invalid, "offline.span", "A report goes from one time to a later one, over {days} days at most.", "报表须从较早时间到较晚时间，最长 {days} 天。")

	told = map[ConflictKind]*errs.Error{
		ConflictVoucher: errs.New(errs.Conflict, "offline.voucher_conflict", "The voucher {ref} could not be used any more. The sale stands.", "券 {ref} 已不可使用，销售仍然有效。"),
		ConflictPoints:  errs.New(errs.Conflict, "offline.points_conflict", "{amount} of {ref} were not there any more. The sale stands.", "{ref} 缺少 {amount}，销售仍然有效。"),
		ConflictLimit:   errs.New(errs.Conflict, "offline.limit_conflict", "More was given without a line than the {ref} may give.", "离线优惠超出了 {ref} 的限额。"),
	}
)

var conflictTable = ledger.DefineTable("offline_conflict", 3, "shard int, member_id int, id int, sale_seq int, store_id int, till text, kind int, state int, outcome int, ref text, why text, amount int, worth int, at_ms int, posted_ms int, settled_ms int, settled_by text, note text")

// conflicts writes down what a sale gave that was not there.
type conflicts struct {
	o   offline
	st  *ledger.State
	a   *ledger.Account
	out *sale.Outcome
	n   int64
}

func (w *conflicts) add(k ConflictKind, ref, why string, amount, worth int64) {
	d, now := w.out.Doc, w.st.NowMS
	state, outcome, settled, by := int64(conflictSettled), ByProgram, now, byPolicy
	switch w.o.rules.Policy {
	case program.Charge:
		outcome = ByStore
	case program.Review:
		state, outcome, settled, by = conflictOpen, NoOutcome, 0, ""
	}
	if w.n++; w.n >= conflictsPerSale {
		panic("till: a sale has more conflicts than it can")
	}
	w.st.Put(conflictTable, int64(id.Shard(d.Member)), d.Member, d.Seq*conflictsPerSale+w.n, d.Seq, d.Store, d.Till, int64(k), state, int64(outcome), ref, why, amount, worth, d.AtMS, now, settled, by, "")
	e := told[k].With("ref", ref, "amount", amount)
	w.out.Notices = append(w.out.Notices, sale.Notice{Code: e.Code, Title: e.Text("en"), TitleZ: e.Text("zh-CN")})
}

// limit counts what was given, and writes down by how much it is too much.
func (w *conflicts) limit(k quota.Key, most, worth int64, what string) {
	if worth == 0 {
		return
	}
	before := quota.Of(w.st, k).Amount
	if err := quota.Take(w.st, k, quota.Limit{}, 1, worth); err != nil {
		panic(err) // it has no limit
	}
	if over := min(worth, before+worth-most); most > 0 && over > 0 {
		w.add(ConflictLimit, what, "offline.limit", 0, over)
	}
}

// Conflict is one.
type Conflict struct {
	Member  int64
	ID      int64
	Sale    ledger.LotKey
	Store   int64
	Till    string
	Kind    ConflictKind
	Open    bool
	Outcome Outcome
	Ref     string
	Why     string
	Amount  int64
	Worth   int64
	At      int64 // Unix milliseconds, as the following
	Posted  int64
	Settled int64
	By      string
	Note    string
}

// PublicID is what the outside calls the conflict.
func (c Conflict) PublicID() string { return id.Encode(conflictPrefix, c.Member, c.ID) }

const conflictColumns = `member_id, id, sale_seq, store_id, till, kind, state, outcome, ref, why, amount, worth, at_ms, posted_ms, settled_ms, settled_by, note`

var (
	getConflictSQL = db.Define("till.getConflict", `
		SELECT `+conflictColumns+`
		FROM offline_conflict
		WHERE shard = $1 AND member_id = $2 AND id = $3`)
	listConflictsSQL = db.Define("till.listConflicts", `
		SELECT `+conflictColumns+`
		FROM offline_conflict
		WHERE (posted_ms, shard, member_id, id) < ($1, $2, $3, $4)
		ORDER BY posted_ms DESC, shard DESC, member_id DESC, id DESC
		LIMIT $5`)
	settleSQL = db.Define("till.settleConflict", `
		UPDATE offline_conflict SET state = 2, outcome = $4, settled_ms = $5, settled_by = $6, note = $7
		WHERE shard = $1 AND member_id = $2 AND id = $3 AND state = 1`)
	sumConflictsSQL = db.Define("till.sumConflicts", `
		SELECT store_id, kind, state, outcome, COUNT(*), SUM(amount), SUM(worth)
		FROM offline_conflict
		WHERE posted_ms >= $1 AND posted_ms < $2
		GROUP BY store_id, kind, state, outcome
		ORDER BY store_id, kind, state, outcome`)
)

func scanConflict(row interface{ Scan(...any) error }) (c Conflict, err error) {
	var kind, state, outcome int64
	err = row.Scan(&c.Member, &c.ID, &c.Sale.Seq, &c.Store, &c.Till, &kind, &state, &outcome, &c.Ref, &c.Why, &c.Amount, &c.Worth, &c.At, &c.Posted, &c.Settled, &c.By, &c.Note)
	c.Sale.Member, c.Kind, c.Open, c.Outcome = c.Member, ConflictKind(kind), state == conflictOpen, Outcome(outcome)
	return c, err
}

// Conflicts lists conflicts from behind a place, the newest first, with the place of each.
func (s *Service) Conflicts(ctx context.Context, after []int64, limit int) (list []Conflict, err error) {
	if after == nil {
		after = []int64{math.MaxInt64, math.MaxInt16, math.MaxInt64, math.MaxInt64}
	}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			c, err := scanConflict(rows)
			list = append(list, c)
			return err
		})(tx.Query(ctx, listConflictsSQL, after[0], after[1], after[2], after[3], limit))
	})
	return list, err
}

// place is where a list goes on after a conflict.
func (c Conflict) place() []int64 {
	return []int64{c.Posted, int64(id.Shard(c.Member)), c.Member, c.ID}
}

// Settle says who bears a conflict that is open.
func (s *Service) Settle(ctx context.Context, ref string, outcome Outcome, note string) (c Conflict, err error) {
	if note = strings.TrimSpace(note); utf8.RuneCountInString(note) > maxNote {
		return c, ErrNote.With("max", maxNote).At("body.note")
	}
	m, n, err := id.Decode(conflictPrefix, ref)
	if err != nil {
		return c, ErrNoConflict
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		list := []Conflict{}
		read := func() error {
			list = list[:0]
			return db.ReadRows(func(rows *db.Rows) error {
				c, err := scanConflict(rows)
				list = append(list, c)
				return err
			})(tx.Query(ctx, getConflictSQL, id.Shard(m), m, n))
		}
		if err := read(); err != nil {
			return fmt.Errorf("read a conflict: %w", err)
		}
		if len(list) == 0 || !s.o.Program.Snapshot().SeesStore(api.CallerOf(ctx), list[0].Store) {
			return ErrNoConflict
		}
		count, err := tx.Exec(ctx, settleSQL, id.Shard(m), m, n, int64(outcome), s.o.Clock.Now().UnixMilli(), staff.ActorOf(ctx), note)
		if err != nil {
			return fmt.Errorf("settle a conflict: %w", err)
		}
		if count == 0 {
			return ErrSettled
		}
		before := list[0]
		if err := read(); err != nil {
			return err
		}
		c = list[0]
		return s.o.Audit.Record(ctx, tx, "offline.settle", c.PublicID(), map[string]any{"state": "open"}, map[string]any{"outcome": outcome.String(), "worth": before.Worth})
	})
	return c, err
}

// ConflictSum is what conflicts of one store, kind and outcome add up to.
type ConflictSum struct {
	Store   int64
	Kind    ConflictKind
	Open    bool
	Outcome Outcome
	Count   int64
	Amount  int64
	Worth   int64
}

// ConflictSums adds up what was uploaded in a span of time, of the stores that the caller sees.
func (s *Service) ConflictSums(ctx context.Context, from, to time.Time) (list []ConflictSum, err error) {
	if !from.Before(to) || to.Sub(from) > maxReportDays*24*time.Hour {
		return nil, ErrReportSpan.With("days", maxReportDays).At("query.from")
	}
	snap, who := s.o.Program.Snapshot(), api.CallerOf(ctx)
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = []ConflictSum{}
		return db.ReadRows(func(rows *db.Rows) error {
			var x ConflictSum
			var kind, state, outcome int64
			if err := rows.Scan(&x.Store, &kind, &state, &outcome, &x.Count, &x.Amount, &x.Worth); err != nil {
				return err
			}
			if x.Kind, x.Open, x.Outcome = ConflictKind(kind), state == conflictOpen, Outcome(outcome); snap.SeesStore(who, x.Store) {
				list = append(list, x)
			}
			return nil
		})(tx.Query(ctx, sumConflictsSQL, from.UnixMilli(), to.UnixMilli()))
	})
	return list, err
}
