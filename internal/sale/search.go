package sale

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

var recentSourcesSQL = db.Define("sale.recentSources", `
	SELECT source
	FROM (SELECT source FROM sale ORDER BY at_ms DESC, shard DESC, member_id DESC, seq DESC LIMIT $1) AS recent
	GROUP BY source
	ORDER BY source`)

// maxSources bounds the systems in which a number is looked for.
const maxSources = 32

// Sources lists the systems that sent the newest n sales and returns.
func (s *Service) Sources(ctx context.Context, n int) (list []string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		rows, err := tx.Query(ctx, recentSourcesSQL, n)
		if err != nil {
			return err
		}
		defer rows.Close() // a reader: what matters is in Err
		for rows.Next() && len(list) < maxSources {
			var source string
			if err := rows.Scan(&source); err != nil {
				return err
			}
			list = append(list, source)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list the sources of sales: %w", err)
	}
	return list, nil
}

// Numbered finds the sales and returns that bear a number in one of the sources, or the one
// of a public id, as far as the caller may see them: at most n.
func (s *Service) Numbered(ctx context.Context, number string, sources []string, n int) ([]View, error) {
	out := []View{}
	if key, err := saleKey(number); err == nil {
		if d, err := s.Get(ctx, key); err == nil {
			return append(out, s.view(d)), nil
		}
	}
	for _, source := range sources {
		docs, err := s.byDocument(ctx, source, number)
		if err != nil {
			return nil, err
		}
		for _, d := range s.seen(ctx, docs) {
			if len(out) == n {
				return out, nil
			}
			out = append(out, s.view(d))
		}
	}
	return out, nil
}
