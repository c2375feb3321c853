package sale

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

const columns = `shard, member_id, seq, kind, state, source, document, store_id, till, staff, channel, currency, total, at_ms, posted_ms, owner_id, of_member, of_seq, next_seq, flags, body, effect`

var (
	getSQL = db.Define("sale.get", `
		SELECT `+columns+`
		FROM sale
		WHERE shard = $1 AND member_id = $2 AND seq = $3`)
	findDocSQL = db.Define("sale.findDocument", `
		SELECT member_id, seq
		FROM document
		WHERE shard = $1 AND hash = $2 AND kind <> 5`)
	ofMemberSQL = db.Define("sale.ofMember", `
		SELECT `+columns+`
		FROM sale
		WHERE shard = $1 AND member_id = $2 AND seq < $3 AND at_ms >= $4 AND at_ms < $5
		ORDER BY seq DESC
		LIMIT $6`)
	assignedToSQL = db.Define("sale.assignedTo", `
		SELECT `+columns+`
		FROM sale
		WHERE owner_id = $1 AND owner_id <> member_id AND owner_id <> 0
			AND at_ms >= $2 AND at_ms < $3
			AND (at_ms, shard, member_id, seq) < ($4, $5, $6, $7)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $8`)
	byTimeSQL = db.Define("sale.byTime", `
		SELECT `+columns+`
		FROM sale
		WHERE at_ms >= $1 AND at_ms < $2
			AND (at_ms, shard, member_id, seq) < ($3, $4, $5, $6)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $7`)
	// narrowSQL reads what filters without an index look at.
	narrowSQL = db.Define("sale.narrow", `
		SELECT at_ms, member_id, seq, kind, store_id, till, staff, channel
		FROM sale
		WHERE at_ms >= $1 AND at_ms < $2
			AND (at_ms, shard, member_id, seq) < ($3, $4, $5, $6)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $7`)
	unassignedSQL = db.Define("sale.unassigned", `
		SELECT `+columns+`
		FROM sale
		WHERE owner_id = 0 AND kind = 1 AND at_ms >= $1 AND at_ms < $2
			AND (at_ms, shard, member_id, seq) < ($3, $4, $5, $6)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $7`)
	returnsOfSQL = db.Define("sale.returnsOf", `
		SELECT `+columns+`
		FROM sale
		WHERE of_member = $1 AND of_seq = $2 AND of_seq <> 0
		ORDER BY shard, member_id, seq
		LIMIT $3`)
	openSQL = db.Define("sale.open", `
		SELECT `+columns+`
		FROM sale
		WHERE state > 0 AND state = $1 AND at_ms >= $2 AND at_ms < $3
			AND (at_ms, shard, member_id, seq) < ($4, $5, $6, $7)
		ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC
		LIMIT $8`)
)

type scanner interface{ Scan(...any) error }

func scan(r scanner) (*Document, error) {
	d := &Document{}
	var shard int64
	var body, effect string
	err := r.Scan(&shard, &d.Member, &d.Seq, &d.Kind, &d.State, &d.Source, &d.Document, &d.Store, &d.Till, &d.Staff, &d.Channel,
		&d.Currency, &d.Total, &d.AtMS, &d.PostedMS, &d.Owner, &d.OfMember, &d.OfSeq, &d.NextSeq, &d.Flags, &body, &effect)
	if err != nil {
		return nil, err
	}
	unpack(body, &d.Body)
	unpack(effect, &d.Effect)
	return d, nil
}

func (s *Service) get(ctx context.Context, key ledger.LotKey) (d *Document, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		d, err = scan(tx.QueryRow(ctx, getSQL, id.Shard(key.Member), key.Member, key.Seq))
		return err
	})
	if isNone(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read sale %d/%d: %w", key.Member, key.Seq, err)
	}
	return d, nil
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

func list(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Document, error) {
	rows, err := tx.Query(ctx, stmt, args...)
	return scanAll(rows, err)
}

// scanAll reads and closes what a query returned.
func scanAll(rows *db.Rows, err error) ([]*Document, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*Document
	for rows.Next() {
		d, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}
