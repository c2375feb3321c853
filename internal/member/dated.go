package member

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// DatedPage is how many members BornOn, JoinedBetween and After return at most: fewer is the end.
const DatedPage = 500

// Dated is a member whose day has come.
type Dated struct{ ID ID }

// Members are numbered in the order in which they joined, whatever their shard.
var (
	bornOnSQL = db.Define("member.bornOn", `
		SELECT id
		FROM member
		WHERE birth_md = $1 AND birth_md <> 0 AND id > $2 AND merged_into = 0 AND erased_ms = 0
		ORDER BY id
		LIMIT $3`)
	joinedBetweenSQL = db.Define("member.joinedBetween", `
		SELECT id
		FROM member
		WHERE joined_ms >= $1 AND joined_ms < $2 AND id > $3 AND merged_into = 0 AND erased_ms = 0
		ORDER BY id
		LIMIT $4`)
	afterSQL = db.Define("member.after", `
		SELECT id
		FROM member
		WHERE id > $1 AND merged_into = 0 AND erased_ms = 0
		ORDER BY id
		LIMIT $2`)
)

// BornOn lists members born on a day of the year (month × 100 + day), by number.
func (s *Service) BornOn(ctx context.Context, md int, after ID) ([]Dated, error) {
	return s.dated(ctx, bornOnSQL, md, int64(after), DatedPage)
}

// JoinedBetween lists members who joined in [from, to), in milliseconds, by number.
func (s *Service) JoinedBetween(ctx context.Context, from, to int64, after ID) ([]Dated, error) {
	return s.dated(ctx, joinedBetweenSQL, from, to, int64(after), DatedPage)
}

// After lists all members, by number.
func (s *Service) After(ctx context.Context, after ID) ([]Dated, error) {
	return s.dated(ctx, afterSQL, int64(after), DatedPage)
}

func (s *Service) dated(ctx context.Context, st *db.Stmt, args ...any) (list []Dated, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		return db.ReadRows(func(rows *db.Rows) error {
			var d Dated
			err := rows.Scan(&d.ID)
			list = append(list, d)
			return err
		})(tx.Query(ctx, st, args...))
	})
	if err != nil {
		return nil, fmt.Errorf("list members by date: %w", err)
	}
	return list, nil
}
