package rule

import (
	"context"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// figures are what rules have given so far, by rule.
type figures struct {
	given map[int64]givenView
	used  map[int64]int64 // of budgets
}

var givenSQL = db.Define("rule.given", `
	SELECT rule_id, CAST(SUM(points) AS BIGINT), CAST(SUM(times) AS BIGINT)
	FROM rule_given
	GROUP BY rule_id
	ORDER BY rule_id`)

// figures reads them: a row for each rule and day, and sixteen for each budget.
func (s *Service) figures(ctx context.Context) (*figures, error) {
	f := &figures{map[int64]givenView{}, map[int64]int64{}}
	err := s.db.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		clear(f.given)
		clear(f.used)
		err := db.ReadRows(func(rows *db.Rows) error {
			var rule int64
			var g givenView
			err := rows.Scan(&rule, &g.Points, &g.Times)
			f.given[rule] = g
			return err
		})(tx.Query(ctx, givenSQL))
		if err != nil {
			return err
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var n, used int64
			err := rows.Scan(&n, &used)
			f.used[n/slices16] += used
			return err
		})(tx.Query(ctx, budgetsSQL))
	})
	return f, err
}
