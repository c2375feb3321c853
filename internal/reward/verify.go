package reward

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
	"github.com/patron-loyalty/patron/internal/ledger"
)

// countedSQL goes along reward_order_by_reward: the orders of one reward that are counted in a
// stock, by stock and by how.
var (
	countedSQL = db.Define("reward.counted", `
		SELECT stocked, stock_store, COUNT(*)
		FROM reward_order
		WHERE reward_id = $1 AND stocked > 0
		GROUP BY stocked, stock_store
		ORDER BY stocked, stock_store`)
	liveHeldSQL = db.Define("reward.liveHeld", `
		SELECT COUNT(*)
		FROM reward_order
		WHERE reward_id = $1 AND stocked = 2 AND stock_store = $2 AND until_ms > $3`)
	drawnSQL = db.Define("reward.drawn", `
		SELECT s.drawn, (
				SELECT COUNT(*)
				FROM reward_code AS c
				WHERE c.reward_id = s.reward_id AND c.member_id <> 0
			)
		FROM reward_stock AS s
		WHERE s.reward_id = $1 AND s.store_id = 0`)
)

// Check compares what counters say of stock with the orders that are there: what is counted as
// taken is taken by an order, no more is taken and held than was put in, and as many codes were
// drawn as have an owner.
func (s *Service) Check() ledger.Check {
	return ledger.Check{Name: "rewards", Run: func(ctx context.Context, d *db.DB, found func(ledger.Finding)) error {
		for _, r := range s.List("", "") {
			err := d.Read(ctx, func(ctx context.Context, tx *db.Tx) error { return s.checkStock(ctx, tx, r, found) })
			if err != nil {
				return fmt.Errorf("check the stock of reward %s: %w", r.Code, err)
			}
		}
		return nil
	}}
}

func (s *Service) checkStock(ctx context.Context, tx *db.Tx, r *Reward, found func(ledger.Finding)) error {
	taken := map[int64]int64{}
	err := db.ReadRows(func(rows *db.Rows) error {
		var how, store, n int64
		if err := rows.Scan(&how, &store, &n); err != nil {
			return err
		}
		if how == stockTaken {
			taken[store] = n
		}
		return nil
	})(tx.Query(ctx, countedSQL, r.ID))
	if err != nil {
		return err
	}
	stocks, err := s.stocks(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	tell := func(store int64, en, zh string) {
		where := r.Code
		if store != 0 {
			where += " " + id.Encode("str_", 0, store)
		}
		found(ledger.Finding{Invariant: "rewards", Where: where, EN: en, ZH: zh})
	}
	nowMS := s.nowMS()
	for _, x := range stocks {
		if x.Taken != taken[x.Store] {
			tell(x.Store, fmt.Sprintf("%d orders took of the stock, it counts %d", taken[x.Store], x.Taken), fmt.Sprintf("占用库存的兑换单 %d 张，库存计数为 %d", taken[x.Store], x.Taken))
		}
		var held int64
		if err := tx.QueryRow(ctx, liveHeldSQL, r.ID, x.Store, nowMS).Scan(&held); err != nil {
			return err
		}
		if x.Held != held {
			tell(x.Store, fmt.Sprintf("%d orders hold of the stock, it counts %d", held, x.Held), fmt.Sprintf("冻结库存的兑换单 %d 张，库存计数为 %d", held, x.Held))
		}
		if x.Taken+x.Held > x.Supply {
			tell(x.Store, fmt.Sprintf("%d are taken or held, and only %d were put in", x.Taken+x.Held, x.Supply), fmt.Sprintf("占用与冻结合计 %d，入库仅 %d", x.Taken+x.Held, x.Supply))
		}
		delete(taken, x.Store)
	}
	for store := range taken {
		tell(store, "orders took of a stock that there is not", "兑换单占用了不存在的库存")
	}
	if r.Terms.Kind != CodeK || len(stocks) == 0 {
		return nil
	}
	var drawn, owned int64
	if err := tx.QueryRow(ctx, drawnSQL, r.ID).Scan(&drawn, &owned); err != nil {
		return err
	}
	if drawn != owned {
		tell(0, fmt.Sprintf("%d codes were drawn, %d have an owner", drawn, owned), fmt.Sprintf("已发放券码 %d 个，有归属的 %d 个", drawn, owned))
	}
	return nil
}
