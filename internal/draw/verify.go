package draw

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/quota"
)

const verifyPage = 500

var verifyPlaysSQL = db.Define("draw.verifyPlays", `
	SELECT l.n, l.body, COALESCE(p.body, l.body), COUNT(p.seq), COALESCE(MAX(p.prize), '')
	FROM draw_line AS l
	LEFT JOIN draw_play AS p ON p.draw_id = l.draw_id AND p.epoch = l.epoch AND p.n = l.n
	WHERE l.draw_id = $1 AND l.epoch = $2 AND l.n > $3
	GROUP BY l.n, l.body, p.body
	ORDER BY l.n
	LIMIT $4`)

// Check recomputes what draws say of themselves (D1): every outcome of every epoch follows from
// its seed, each line has one play of a member that says the same, what was given is what the
// lines say and what was counted of stock and budget.
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "draws", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		var games []*Game
		err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
			games, err = readGames(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		for _, g := range games {
			if g.State != Draft {
				if err := s.verify(ctx, d, g, found); err != nil {
					return fmt.Errorf("verify draw %s: %w", g.Code, err)
				}
			}
		}
		return nil
	}}
}

// verify looks at one draw. Plays go on meanwhile: what is counted is compared as far as the
// state of the beginning says.
func (s *Service) verify(ctx context.Context, d *db.DB, g *Game, found func(ledger.Finding)) error {
	wrong := func(where, en, zh string) {
		found(ledger.Finding{Invariant: "D1", Where: "draw " + g.Code + where, EN: en, ZH: zh})
	}
	var st *state
	counts := map[quota.Key]quota.Count{}
	var epochs []int64
	secrets := map[int64]epoch{}
	err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		epochs = nil
		if st, err = readState(ctx, tx, g.ID); err != nil || st == nil {
			return err
		}
		keys := []quota.Key{budgetKey(g.ID)}
		for code := range st.Body.Given {
			keys = append(keys, stockKey(g.ID, code))
		}
		if counts, err = quota.Read(ctx, tx, keys, s.nowMS()); err != nil {
			return err
		}
		open := map[int64][]epoch{}
		if err := s.scanEpochs(open)(tx.Query(ctx, openEpochsSQL, g.ID)); err != nil {
			return err
		}
		for _, e := range open[g.ID] {
			secrets[e.N] = e
		}
		return db.ReadRows(func(rows *db.Rows) error {
			var e, n int64
			err := rows.Scan(&e, &n)
			epochs = append(epochs, e)
			return err
		})(tx.Query(ctx, epochPlaysSQL, g.ID))
	})
	if err != nil {
		return err
	}
	if st == nil {
		wrong("", "it is published, but has no state", "已发布但没有状态记录")
		return nil
	}
	given, plays := map[string]int64{}, int64(0)
	for _, e := range epochs {
		if e > st.Epoch {
			continue
		}
		most := int64(-1)
		if e == st.Epoch {
			most = st.PlayN
		}
		n, err := s.verifyEpoch(ctx, d, g, e, most, secrets, given, wrong)
		if err != nil {
			return err
		}
		plays += n
	}
	if plays != st.Body.Plays {
		wrong("", fmt.Sprintf("there are %d plays, but %d were counted", plays, st.Body.Plays), fmt.Sprintf("共有 %d 次抽奖，计数却为 %d", plays, st.Body.Plays))
	}
	for _, code := range sortedKeys(st.Body.Given) {
		if n := st.Body.Given[code]; n != given[code] || n != counts[stockKey(g.ID, code)].Used {
			wrong(", prize "+code, fmt.Sprintf("%d were given by the plays, %d by the figures, %d by the stock", given[code], n, counts[stockKey(g.ID, code)].Used),
				fmt.Sprintf("抽奖记录发出 %d 份，统计为 %d，库存计数为 %d", given[code], n, counts[stockKey(g.ID, code)].Used))
		}
	}
	if counts[budgetKey(g.ID)].Amount != st.Body.Worth {
		wrong("", "what the prizes are worth is not what the budget has counted", "奖品价值与预算计数不符")
	}
	return nil
}

// verifyEpoch recomputes the plays of an epoch up to most, all where that is below 0.
func (s *Service) verifyEpoch(ctx context.Context, d *db.DB, g *Game, n, most int64, secrets map[int64]epoch, given map[string]int64, wrong func(where, en, zh string)) (int64, error) {
	p, e, err := s.Proof(ctx, g, n)
	if err != nil {
		return 0, err
	}
	open := e.ClosedMS == 0
	if open {
		p.Seed = fmt.Sprintf("%x", secrets[n].seed)
	}
	c, after := NewChecker(p), int64(0)
	for more := true; more && (most < 0 || after < most); {
		err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			rows := 0
			read := db.ReadRows(func(r *db.Rows) error {
				var l Line
				var body, play []byte
				var number, of int64
				var prize string
				if err := r.Scan(&number, &body, &play, &of, &prize); err != nil {
					return err
				}
				rows++
				if most >= 0 && number > most {
					return nil
				}
				after = number
				unpack(body, &l)
				c.Line(l)
				if l.Prize != "" {
					given[l.Prize]++
				}
				if of != 1 || prize != l.Prize {
					wrong(fmt.Sprintf(", epoch %d, play %d", n, number), "it is not exactly one play of a member with the same prize", "与会员的抽奖记录不是一一对应")
				}
				return nil
			})
			if err := read(tx.Query(ctx, verifyPlaysSQL, g.ID, n, after, verifyPage)); err != nil {
				return err
			}
			more = rows == verifyPage
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	found := c.Found
	if !open {
		found = c.Close()
	}
	for _, f := range found {
		wrong(fmt.Sprintf(", epoch %d", n), f.String(), "第 "+fmt.Sprint(f.N)+" 次抽奖无法由公布的种子重新算出")
	}
	return after, nil
}
