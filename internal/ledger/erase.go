package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/member"
	"github.com/patron-loyalty/patron/internal/privacy"
	"github.com/patron-loyalty/patron/internal/staff"
)

// The Service takes part in exports and erasures.
var (
	_ privacy.Part     = (*Service)(nil)
	_ privacy.Objector = (*Service)(nil)
)

// ErrStoredLeft refuses to erase a member who has paid in money that is still there.
var ErrStoredLeft = errs.New(errs.Conflict, "ledger.stored_left",
	"The member still has {amount} {currency} of stored value. Pay it out first, or say that it is given up (forfeit).",
	"该会员仍有储值 {amount} {currency}。请先退还，或声明放弃（forfeit）。")

// Reason and source of the entries by which an erasure ends what a member has.
const (
	erasedReason = "erased"
	erasedSource = "privacy"
)

// eraseCommand closes the account of a member who is erased: nothing can be earned or
// spent any more, open holds are released, and what is left of each currency is forfeited.
// Stored value is left, and so is still owed, unless stored says otherwise. A second time
// it finds nothing to do.
type eraseCommand struct {
	member int64
	stored bool
}

func (c eraseCommand) Needs() Needs {
	return Needs{Members: []int64{c.member}, Lots: []int64{c.member}}
}

func (c eraseCommand) Decide(s *State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a.MayEarn || a.MaySpend {
		s.edit(a)
		a.MayEarn, a.MaySpend = false, false
	}
	for _, h := range slices.Clone(a.holds) {
		if h.State != HoldOpen {
			continue
		}
		if err := s.Release(a, h); err != nil {
			return nil, err
		}
	}
	for _, w := range slices.Clone(a.wallets) {
		cur := s.Config.Currencies[w.Currency]
		if cur == nil || cur.Kind == Stored && !c.stored {
			continue
		}
		before := a.EntryN
		n := s.Forfeit(a, cur, Posting{Reason: erasedReason, Source: erasedSource})
		if a.EntryN > before { // also where there was nothing but a debt
			s.tell(a, "points.forfeited", cur, n, a.EntryN)
		}
	}
	return struct{}{}, nil
}

// Forfeit takes everything that is left of a currency, pending or usable, and writes a debt
// off. It returns what the member had. Holds have been released before.
func (s *State) Forfeit(a *Account, c *Currency, p Posting) (took int64) {
	a.needLots("forfeiting")
	w := s.wallet(a, c.ID)
	e := p.entry(Adjust)
	for _, l := range a.lots {
		n := l.free()
		if l.Currency != c.ID || n == 0 {
			continue
		}
		s.editLot(l)
		l.Left, l.Clawed = l.Left-n, l.Clawed+n
		e.Touches = append(e.Touches, Touch{l.Seq, -n})
		if l.State == LotPending {
			e.Pending -= n
		} else {
			e.Active -= n
		}
		took = add(took, n)
	}
	if owed := w.Debt; owed > 0 {
		off := p.entry(Adjust)
		off.Debt = -owed
		s.enter(a, w, off)
	}
	if took > 0 {
		s.enter(a, w, e)
	}
	s.refresh(a, w)
	return took
}

// Name is part of privacy.Part.
func (s *Service) Name() string { return "ledger" }

// Objects refuses as long as the member has stored value, unless it is given up.
func (s *Service) Objects(ctx context.Context, e privacy.Erasure) error {
	if e.Forfeit {
		return nil
	}
	wallets, err := s.Wallets(ctx, int64(e.ID))
	if err != nil {
		return err
	}
	for _, w := range wallets {
		if n := w.Available + w.Pending + w.Held; w.Kind == Stored && n > 0 {
			return ErrStoredLeft.With("amount", s.Config().ByCode[w.Currency].Format(n), "currency", w.Currency)
		}
	}
	return nil
}

var (
	lockAccountSQL = db.Define("ledger.lockAccount", `
		UPDATE account
		SET event_n = event_n
		WHERE shard = $1 AND member_id = $2`)
	wipePurposesSQL = db.Define("ledger.wipePurposes", `
		UPDATE hold
		SET purpose = ''
		WHERE shard = $1 AND member_id = $2 AND purpose <> ''`)
	// wipeApprovalsSQL also ends what waits: a second person has nothing to decide any more.
	wipeApprovalsSQL = db.Define("ledger.wipeApprovals", `
		UPDATE approval
		SET reason = '',
			decided_ms = CASE WHEN state = 'waiting' THEN $2 ELSE decided_ms END,
			decided_by = CASE WHEN state = 'waiting' THEN 'system:privacy' ELSE decided_by END,
			state = CASE WHEN state = 'waiting' THEN 'rejected' ELSE state END
		WHERE member_id = $1`)
)

// LockAccount keeps the posting engine from an account until the end of the transaction,
// for those who change columns that no decision looks at.
func LockAccount(ctx context.Context, tx *db.Tx, m int64) error {
	if _, err := tx.Exec(ctx, lockAccountSQL, int64(id.Shard(m)), m); err != nil {
		return fmt.Errorf("lock account %d: %w", m, err)
	}
	return nil
}

// Erase closes the accounts and wipes what people wrote beside holds and approvals. Entries
// stay as they are: they are the books.
func (s *Service) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		a := s.engine.Do(ctx, Request{Command: eraseCommand{int64(m), e.Forfeit}, Actor: "system:privacy"})
		if a.Err != nil && !errors.Is(a.Err, ErrMember) {
			return fmt.Errorf("close account %d: %w", m, a.Err)
		}
		err := s.db.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			if err := LockAccount(ctx, tx, int64(m)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, wipePurposesSQL, m.Shard(), int64(m)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, wipeApprovalsSQL, int64(m), s.clock.Now().UnixMilli())
			return err
		})
		if err != nil {
			return fmt.Errorf("wipe reasons of %d: %w", m, err)
		}
	}
	return nil
}

// exportPage is how many rows one snapshot of an export reads.
const exportPage = 500

var (
	walletsOfSQL = db.Define("ledger.walletsOf", `
		SELECT `+walletTable.names()+`
		FROM wallet
		WHERE shard = $1 AND member_id = $2
		ORDER BY currency_id`)
	lotsOfSQL = db.Define("ledger.lotsOf", `
		SELECT `+lotTable.names()+`
		FROM lot
		WHERE shard = $1 AND member_id = $2 AND seq > $3
		ORDER BY seq
		LIMIT $4`)
	holdsOfSQL = db.Define("ledger.holdsOf", `
		SELECT `+holdTable.names()+`
		FROM hold
		WHERE shard = $1 AND member_id = $2 AND seq > $3
		ORDER BY seq
		LIMIT $4`)
	approvalsOfSQL = db.Define("ledger.approvalsOf", `
		SELECT `+approvalTable.names()+`
		FROM approval
		WHERE member_id = $1 AND id > $2
		ORDER BY id
		LIMIT $3`)
)

// Export writes wallets, lots, holds, approvals and entries.
func (s *Service) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	for _, sheet := range []func(context.Context, privacy.Person, privacy.Sheets) error{
		s.exportWallets, s.exportLots, s.exportHolds, s.exportApprovals, s.exportEntries,
	} {
		if err := sheet(ctx, who, to); err != nil {
			return err
		}
	}
	return nil
}

// pages reads the rows of a person's records, page by page, and hands them on outside of
// the snapshot. args are those of stmt before the last number and the size of the page.
func (s *Service) pages(ctx context.Context, stmt *db.Stmt, t *Table, seq func([]any) int64, args []any, each func([]any) error) error {
	for last := int64(math.MinInt64); ; {
		var page [][]any
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = many(ctx, tx, stmt, t, append(slices.Clone(args), last, exportPage)...)
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range page {
			if err := each(row); err != nil {
				return err
			}
			last = seq(row)
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

func (s *Service) code(currency int64) string {
	if c := s.Config().Currencies[currency]; c != nil {
		return c.Code
	}
	return ""
}

func keyOf(m member.ID) []any { return []any{m.Shard(), int64(m)} }

func third(row []any) int64 { return row[2].(int64) }

func (s *Service) exportWallets(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	err := to.Sheet("wallets", "record", "currency", "usable", "pending", "held", "debt", "lifetime_earned", "lifetime_spent")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		var rows [][]any
		err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			rows, err = many(ctx, tx, walletsOfSQL, walletTable, keyOf(m)...)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			w := walletOf(r)
			if err := to.Row(m, s.code(w.Currency), w.Active, w.Pending, w.Held, w.Debt, w.Earned, w.Spent); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) exportLots(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	err := to.Sheet("lots", "record", "id", "currency", "bucket", "state", "earned_at", "usable_at", "expires_at", "granted", "left", "held", "spent", "expired", "taken_back", "moved")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		err := s.pages(ctx, lotsOfSQL, lotTable, third, keyOf(m), func(r []any) error {
			l := lotOf(r)
			return to.Row(m, LotID(int64(m), l.Seq), s.code(l.Currency), l.Bucket.String(), l.State.String(), stamp(l.EarnedMS), stamp(l.ActiveMS), stamp(l.ExpiresMS),
				l.Granted, l.Left, l.Held, l.Spent, l.Expired, l.Clawed, l.Moved)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportHolds(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("holds", "record", "id", "currency", "state", "amount", "captured", "made_at", "ends_at", "ended_at", "purpose"); err != nil {
		return err
	}
	for _, m := range who.Records {
		err := s.pages(ctx, holdsOfSQL, holdTable, third, keyOf(m), func(r []any) error {
			h, err := holdOf(r)
			if err != nil {
				return err
			}
			return to.Row(m, HoldID(int64(m), h.Seq), s.code(h.Currency), h.State.String(), h.Amount, h.Captured, stamp(h.MadeMS), stamp(h.ExpiresMS), stamp(h.EndedMS), h.Purpose)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportApprovals(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("approvals", "record", "id", "kind", "currency", "amount", "reason", "state", "asked_at", "decided_at"); err != nil {
		return err
	}
	for _, m := range who.Records {
		first := func(r []any) int64 { return r[0].(int64) }
		err := s.pages(ctx, approvalsOfSQL, approvalTable, first, []any{int64(m)}, func(r []any) error {
			a := staff.ApprovalOf(r)
			var said asked
			if a.Kind == adjustmentKind { // others know nothing of points
				var err error
				if said, err = askedOf(a); err != nil {
					return err
				}
			}
			return to.Row(m, a.PublicID(), a.Kind, s.code(said.Currency), said.Amount, a.Reason, string(a.State), stamp(r[8].(int64)), stamp(r[11].(int64)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) exportEntries(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	err := to.Sheet("entries", "record", "id", "number", "currency", "kind", "usable", "pending", "held", "debt", "usable_after", "cause", "source", "document", "reason", "rule", "store", "at", "posted_at")
	if err != nil {
		return err
	}
	for _, m := range who.Records {
		for before := int64(0); ; {
			list, err := s.Entries(ctx, int64(m), 0, before, exportPage)
			if err != nil {
				return err
			}
			for _, e := range list {
				v := viewEntry(s.Config(), e, "en")
				if err := to.Row(m, v.ID, v.Number, v.Currency, v.Kind, v.Available, v.Pending, v.Held, v.Debt, v.After, v.Cause, v.Source, v.Document, v.Reason, v.Rule, v.Store, v.At, v.PostedAt); err != nil {
					return err
				}
				before = e.Seq
			}
			if len(list) < exportPage {
				break
			}
		}
	}
	return nil
}
