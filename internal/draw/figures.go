package draw

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/quota"
)

var tablesSQL = db.Define("draw.tables", `
	SELECT number, body
	FROM draw_odds
	WHERE draw_id = $1
	ORDER BY number
	LIMIT $2`)

var epochPlaysSQL = db.Define("draw.epochPlays", `
	SELECT epoch, COUNT(*)
	FROM draw_line
	WHERE draw_id = $1
	GROUP BY epoch
	ORDER BY epoch`)

// Figures is what a draw came to.
type Figures struct {
	Plays, Members, Free, Sure, Worth, Owed int64
	Paid                                    map[string]int64 // by currency
	Given                                   map[string]int64 // by prize
	Expected                                map[string]float64
	Left                                    map[string]int64 // of the stock; -1 where it has no bound
	BudgetLeft                              int64            // -1 where it has no bound
	Table                                   Table
}

// Figures says what a draw came to, and what was to be expected by the odds that were in force
// at each play. The guarantee is not part of what is expected: it comes on top.
func (s *Service) Figures(ctx context.Context, g *Game) (f Figures, err error) {
	f = Figures{Paid: map[string]int64{}, Given: map[string]int64{}, Expected: map[string]float64{}, Left: map[string]int64{}, BudgetLeft: -1}
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		st, err := readState(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		if err := s.figureLeft(ctx, tx, g, &f); err != nil || st == nil {
			return err
		}
		b := &st.Body
		f.Plays, f.Members, f.Free, f.Sure, f.Worth, f.Owed = b.Plays, b.Members, b.Free, b.Sure, b.Worth, b.Owed
		f.Paid, f.Given, f.Table = b.Paid, b.Given, b.Table
		return s.figureExpected(ctx, tx, g, &f)
	})
	if err != nil {
		return f, fmt.Errorf("figures of draw %s: %w", g.Code, err)
	}
	return f, nil
}

func (s *Service) figureLeft(ctx context.Context, tx *db.Tx, g *Game, f *Figures) error {
	keys := []quota.Key{budgetKey(g.ID)}
	for _, p := range g.Terms.Prizes {
		keys = append(keys, stockKey(g.ID, p.Code))
	}
	counts, err := quota.Read(ctx, tx, keys, s.nowMS())
	if err != nil {
		return err
	}
	for _, p := range g.Terms.Prizes {
		f.Left[p.Code] = -1
		if p.Stock > 0 {
			f.Left[p.Code] = max(0, p.Stock-counts[stockKey(g.ID, p.Code)].Used)
		}
	}
	if b := g.Terms.Budget; b > 0 {
		f.BudgetLeft = max(0, b-counts[budgetKey(g.ID)].Amount)
	}
	return nil
}

// figureExpected adds up odds times plays, table by table.
func (s *Service) figureExpected(ctx context.Context, tx *db.Tx, g *Game, f *Figures) error {
	var tables []Table
	err := db.ReadRows(func(rows *db.Rows) error {
		var number int64
		var body []byte
		if err := rows.Scan(&number, &body); err != nil {
			return err
		}
		var t Table
		unpack(body, &t)
		tables = append(tables, t)
		return nil
	})(tx.Query(ctx, tablesSQL, g.ID, maxTables))
	if err != nil {
		return err
	}
	return db.ReadRows(func(rows *db.Rows) error {
		var epoch, plays int64
		if err := rows.Scan(&epoch, &plays); err != nil {
			return err
		}
		for i := range tables {
			from, until := span(tables, i, epoch, plays)
			for _, o := range tables[i].Odds {
				f.Expected[o.Prize] += float64(max(0, until-from)) * float64(o.Odds) / Million
			}
		}
		return nil
	})(tx.Query(ctx, epochPlaysSQL, g.ID))
}

// span is from which play on, and up to which (exclusive), a table was in force in an epoch of so
// many plays.
func span(tables []Table, i int, epoch, plays int64) (from, until int64) {
	begins := func(t *Table) int64 {
		switch {
		case t.Epoch < epoch:
			return 1
		case t.Epoch == epoch:
			return t.From
		}
		return plays + 1
	}
	from, until = begins(&tables[i]), plays+1
	if i+1 < len(tables) {
		until = min(until, begins(&tables[i+1]))
	}
	return min(from, plays+1), until
}
