package tier

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/privacy"
)

// Part is what the tiers keep of persons, to be exported and erased.
func (s *Service) Part() privacy.Part { return kept{s} }

type kept struct{ *Service }

// Name is part of privacy.Part.
func (kept) Name() string { return "tiers" }

// personPage is how many rows of history one snapshot takes.
const personPage = 200

var (
	rowSQL = db.Define("tier.row", `
		SELECT tier, next_day, body
		FROM tier_member
		WHERE shard = $1 AND member_id = $2`)
	wipeRowSQL = db.Define("tier.wipeRow", `
		UPDATE tier_member
		SET body = $3, tier = '!', next_day = $4
		WHERE shard = $1 AND member_id = $2`)
	wipeHistorySQL = db.Define("tier.wipeHistory", `
		UPDATE tier_history
		SET reason = ''
		WHERE shard = $1 AND member_id = $2 AND reason <> ''`)
)

// readRow reads where a member stands, an empty row where nobody has looked yet.
func readRow(ctx context.Context, tx *db.Tx, m int64) (code string, next int64, row standings, err error) {
	var body string
	err = tx.QueryRow(ctx, rowSQL, rowID(m), m).Scan(&code, &next, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", int64(lastDay), row, nil
	}
	if err == nil {
		row, err = unpack(body)
	}
	return code, next, row, err
}

// Export writes where a person stands and what changed it.
func (s kept) Export(ctx context.Context, who privacy.Person, to privacy.Sheets) error {
	if err := to.Sheet("tiers", "scheme", "tier", "since", "until", "locked", "reason"); err != nil {
		return err
	}
	codes := map[int64]string{}
	for _, m := range who.Records {
		var row standings
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			if codes, _, err = schemeCodes(ctx, tx, ""); err != nil {
				return err
			}
			_, _, row, err = readRow(ctx, tx, int64(m))
			return err
		})
		if err != nil {
			return fmt.Errorf("read the standing of member %d: %w", m, err)
		}
		for _, st := range row.List {
			if err := to.Row(codes[st.Scheme], st.Tier, text(st.Since), text(st.Until), st.Locked, st.Reason); err != nil {
				return err
			}
		}
	}
	if err := to.Sheet("tier_history", "scheme", "kind", "from", "to", "day", "until", "at", "reason", "evidence"); err != nil {
		return err
	}
	for _, m := range who.Records {
		if err := s.exportHistory(ctx, int64(m), codes, to); err != nil {
			return err
		}
	}
	return nil
}

func (s kept) exportHistory(ctx context.Context, m int64, codes map[int64]string, to privacy.Sheets) error {
	for before := int64(1 << 62); ; {
		var page []history
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			page, err = readHistory(ctx, tx, m, before, 0, personPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("read the history of member %d: %w", m, err)
		}
		for _, h := range page {
			at := time.UnixMilli(h.atMS).UTC().Format(time.RFC3339)
			if err := to.Row(codes[h.scheme], h.kind, h.from, h.to, text(Day(h.day)), text(Day(h.until)), at, h.reason, h.evidence); err != nil {
				return err
			}
		}
		if len(page) < personPage {
			return nil
		}
		before = page[len(page)-1].seq
	}
}

// Erase takes out what colleagues wrote. Where somebody stood and why stays under a number that
// leads to nobody, and counts no more.
func (s kept) Erase(ctx context.Context, e privacy.Erasure) error {
	for _, m := range e.Records {
		err := s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
			if err := ledger.LockAccount(ctx, tx, int64(m)); err != nil {
				return err
			}
			_, _, row, err := readRow(ctx, tx, int64(m))
			if err != nil {
				return err
			}
			for _, st := range row.List {
				st.Reason = ""
				row.set(st)
			}
			if len(row.List) > 0 {
				row.Out = true
				if _, err := tx.Exec(ctx, wipeRowSQL, rowID(int64(m)), int64(m), row.pack(), int64(row.next())); err != nil {
					return err
				}
			}
			_, err = tx.Exec(ctx, wipeHistorySQL, rowID(int64(m)), int64(m))
			return err
		})
		if err != nil {
			return fmt.Errorf("wipe the reasons of member %d: %w", m, err)
		}
	}
	return nil
}
