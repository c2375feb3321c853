package reward

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/program"
	"github.com/patron-loyalty/patron/internal/quota"
)

// Bounds of what is put in stock at a time.
const (
	maxStock    = 100_000_000
	maxCodes    = 10_000 // of one request
	maxCodeSize = 200
)

// The refusals.
var (
	ErrStockKind = errs.New(errs.Conflict, "reward.stock_kind", "The stock of this reward is not counted this way.", "该商品的库存不是这样计的。")
	ErrStockLow  = errs.New(errs.Conflict, "reward.stock_low", "Only {left} are left: no more can be taken out.", "仅剩 {left} 件，不能扣减更多。")
	ErrCodes     = errs.New(errs.Invalid, "reward.codes", "A request brings 1 to {most} codes, one a line, each of at most {size} letters without spaces around it.", "每次上传 1 至 {most} 个券码，每行一个，不超过 {size} 个字符。")
)

var (
	lockStockSQL = db.Define("reward.lockStock", `
		INSERT INTO reward_stock (reward_id, store_id, n, drawn, gone, round)
		VALUES ($1, $2, 0, 0, 0, 0)
		ON CONFLICT (reward_id, store_id) DO UPDATE SET n = reward_stock.n
		RETURNING n`)
	setStockSQL = db.Define("reward.setStock", `
		UPDATE reward_stock
		SET n = $3
		WHERE reward_id = $1 AND store_id = $2`)
	stocksSQL = db.Define("reward.stocks", `
		SELECT reward_id, store_id, n
		FROM reward_stock
		ORDER BY reward_id, store_id`)
	stocksOfSQL = db.Define("reward.stocksOf", `
		SELECT reward_id, store_id, n
		FROM reward_stock
		WHERE reward_id = $1
		ORDER BY store_id`)
	knownCodeSQL = db.Define("reward.knownCode", `
		SELECT COUNT(*)
		FROM reward_code
		WHERE reward_id = $1 AND hash = $2`)
	addCodeSQL = db.Define("reward.addCode", `
		INSERT INTO reward_code (reward_id, n, hash, code, member_id, order_seq, at_ms)
		VALUES ($1, $2, $3, $4, 0, 0, 0)`)
	codeSQL = db.Define("reward.codeAt", `
		SELECT code
		FROM reward_code
		WHERE reward_id = $1 AND n = $2`)
	sealedCodesSQL = db.Define("reward.sealedCodes", `
		SELECT reward_id, n, code
		FROM reward_code
		WHERE (reward_id, n) > ($1, $2)
		ORDER BY reward_id, n
		LIMIT $3`)
	rewrapCodeSQL = db.Define("reward.rewrapCode", `
		UPDATE reward_code
		SET code = $4
		WHERE reward_id = $1 AND n = $2 AND code = $3`)
)

// Stock is how much there is of a reward, common or at a store.
type Stock struct {
	Reward, Store int64
	Supply        int64 // what was ever put in
	Taken, Held   int64
}

// Left is what can still be ordered.
func (x Stock) Left() int64 { return max(0, x.Supply-x.Taken-x.Held) }

// stocks reads all stocks, or those of one reward.
func (s *Service) stocks(ctx context.Context, tx *db.Tx, reward int64) (list []Stock, err error) {
	read := db.ReadRows(func(rows *db.Rows) error {
		var x Stock
		err := rows.Scan(&x.Reward, &x.Store, &x.Supply)
		list = append(list, x)
		return err
	})
	if reward != 0 {
		err = read(tx.Query(ctx, stocksOfSQL, reward))
	} else {
		err = read(tx.Query(ctx, stocksSQL))
	}
	if err != nil || len(list) == 0 {
		return nil, err
	}
	keys := make([]quota.Key, len(list))
	for i, x := range list {
		keys[i] = stockKey(x.Reward, x.Store)
	}
	counts, err := quota.Read(ctx, tx, keys, s.nowMS())
	for i, k := range keys {
		list[i].Taken, list[i].Held = counts[k].Used, counts[k].Held
	}
	return list, err
}

// Stocks reads what there is of a reward.
func (s *Service) Stocks(ctx context.Context, r *Reward) (list []Stock, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = s.stocks(ctx, tx, r.ID)
		return err
	})
	return list, err
}

// allStocks reads what there is of all rewards.
func (s *Service) allStocks(ctx context.Context) (list []Stock, err error) {
	err = s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list, err = s.stocks(ctx, tx, 0)
		return err
	})
	return list, err
}

// AddStock puts n of a reward in stock, or takes so many out where n is negative: no more than
// are left.
func (s *Service) AddStock(ctx context.Context, ref, store string, n int64) (Stock, error) {
	r, err := s.Find(ref)
	if err != nil {
		return Stock{}, err
	}
	if n == 0 || n > maxStock || n < -maxStock {
		return Stock{}, ErrBound.At("body.add")
	}
	var of int64
	if (r.Terms.Stock == StockStores) != (store != "") || r.Terms.Stock == StockNone {
		return Stock{}, ErrStockKind.At("body.store")
	}
	if store != "" {
		st, err := s.o.Program.Snapshot().FindStore(store)
		if err != nil {
			return Stock{}, at(err, "body.store")
		}
		of = st.ID
	}
	var out Stock
	err = s.stocking(ctx, r, of, func(ctx context.Context, tx *db.Tx, was Stock) (int64, error) {
		switch {
		case n < 0 && was.Left() < -n:
			return 0, ErrStockLow.With("left", was.Left()).At("body.add")
		case was.Supply+n > maxStock:
			return 0, ErrBound.At("body.add")
		}
		out = was
		out.Supply += n
		name := r.PublicID()
		if of != 0 {
			name += " " + program.StoreID(of)
		}
		return n, s.o.Audit.Record(ctx, tx, "reward.stock", name, map[string]any{"supply": was.Supply}, map[string]any{"supply": out.Supply})
	})
	return out, err
}

// stocking changes a stock under its lock: whoever orders waits. add says by how much.
func (s *Service) stocking(ctx context.Context, r *Reward, store int64, add func(ctx context.Context, tx *db.Tx, was Stock) (int64, error)) error {
	if err := limited(ctx); err != nil {
		return err
	}
	err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		was := Stock{Reward: r.ID, Store: store}
		if err := tx.QueryRow(ctx, lockStockSQL, r.ID, store).Scan(&was.Supply); err != nil {
			return err
		}
		key := stockKey(r.ID, store)
		counts, err := quota.Read(ctx, tx, []quota.Key{key}, s.nowMS())
		if err != nil {
			return err
		}
		was.Taken, was.Held = counts[key].Used, counts[key].Held
		n, err := add(ctx, tx, was)
		if err != nil || n == 0 {
			return err
		}
		_, err = tx.Exec(ctx, setStockSQL, r.ID, store, was.Supply+n)
		return err
	})
	if err == nil {
		s.watchStock(ctx)
	}
	return err
}

// AddCodes adds codes of a third party to the pool of a reward, one a line. Those that are in it
// already are passed over.
func (s *Service) AddCodes(ctx context.Context, ref, text string) (added, known int64, err error) {
	r, err := s.Find(ref)
	if err != nil {
		return 0, 0, err
	}
	if r.Terms.Kind != CodeK {
		return 0, 0, ErrStockKind
	}
	codes, err := readCodes(text)
	if err != nil {
		return 0, 0, err
	}
	type sealedCode struct{ hash, code []byte }
	list := make([]sealedCode, len(codes))
	for i, code := range codes {
		hash := s.o.Box.Blind("reward code", code)
		list[i] = sealedCode{hash[:16], s.o.Box.SealBytes([]byte(code), codeAAD(r.ID))}
	}
	err = s.stocking(ctx, r, 0, func(ctx context.Context, tx *db.Tx, was Stock) (int64, error) {
		added, known = 0, 0
		if was.Supply+int64(len(list)) > maxStock {
			return 0, ErrBound
		}
		for _, c := range list {
			var n int64
			if err := tx.QueryRow(ctx, knownCodeSQL, r.ID, c.hash).Scan(&n); err != nil {
				return 0, err
			}
			if n > 0 {
				known++
				continue
			}
			added++
			if _, err := tx.Exec(ctx, addCodeSQL, r.ID, was.Supply+added, c.hash, c.code); err != nil {
				return 0, err
			}
		}
		if added == 0 {
			return 0, nil
		}
		return added, s.o.Audit.Record(ctx, tx, "reward.codes", r.PublicID(), nil, map[string]any{"added": added, "known": known})
	})
	return added, known, err
}

// readCodes takes a text apart.
func readCodes(text string) (codes []string, err error) {
	bad := ErrCodes.With("most", maxCodes, "size", maxCodeSize)
	lines := bufio.NewScanner(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	for n := 1; lines.Scan(); n++ {
		code := strings.TrimSpace(lines.Text())
		if code == "" {
			continue
		}
		if len([]rune(code)) > maxCodeSize || strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r == 0xFFFD }) {
			return nil, bad.At(fmt.Sprintf("body[%d]", n))
		}
		codes = append(codes, code)
	}
	if lines.Err() != nil || len(codes) == 0 || len(codes) > maxCodes {
		return nil, bad.At("body")
	}
	return codes, nil
}

// rewrapPage is how many codes one look reads.
const rewrapPage = 200

// Rewrap brings the codes of pools under the newest wrapping key.
func (s *Service) Rewrap(ctx context.Context, progress func(moved int64)) (moved int64, err error) {
	type row struct {
		reward, n int64
		code      []byte
	}
	for last := (row{}); ; {
		var page []row
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			page = nil
			return db.ReadRows(func(rows *db.Rows) error {
				var r row
				err := rows.Scan(&r.reward, &r.n, &r.code)
				page = append(page, r)
				return err
			})(tx.Query(ctx, sealedCodesSQL, last.reward, last.n, rewrapPage))
		})
		if err != nil || len(page) == 0 {
			return moved, err
		}
		for _, r := range page {
			fresh, changed, err := s.o.Box.RewrapBytes(r.code, codeAAD(r.reward))
			if err != nil {
				return moved, fmt.Errorf("rewrap code %d of reward %d: %w", r.n, r.reward, err)
			}
			if !changed {
				continue
			}
			err = s.o.DB.InBackground(ctx, func(ctx context.Context, tx *db.Tx) error {
				_, err := tx.Exec(ctx, rewrapCodeSQL, r.reward, r.n, r.code, fresh)
				return err
			})
			if err != nil {
				return moved, err
			}
			if moved++; progress != nil {
				progress(moved)
			}
		}
		last = page[len(page)-1]
	}
}

func storeID(n int64) string { return program.StoreID(n) }
