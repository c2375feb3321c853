package reward

import (
	"context"
	"errors"
	"fmt"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/errs"
	"github.com/patron-loyalty/patron/internal/kit/job"
	"github.com/patron-loyalty/patron/internal/ledger"
	"github.com/patron-loyalty/patron/internal/member"
)

// maxWishes bounds the wish list of a member.
const maxWishes = 100

// ErrWishes refuses a wish too many.
var ErrWishes = errs.New(errs.Conflict, "reward.wishes", "A wish list has at most {most} rewards.", "心愿单最多 {most} 件商品。")

var (
	wishSQL = db.Define("reward.wish", `
		INSERT INTO reward_wish (shard, member_id, reward_id, at_ms)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (shard, member_id, reward_id) DO NOTHING`)
	unwishSQL = db.Define("reward.unwish", `
		DELETE FROM reward_wish
		WHERE shard = $1 AND member_id = $2 AND reward_id = $3`)
	wishesSQL = db.Define("reward.wishes", `
		SELECT reward_id, at_ms
		FROM reward_wish
		WHERE shard = $1 AND member_id = $2
		ORDER BY reward_id`)
	unwishAllSQL = db.Define("reward.unwishAll", `
		DELETE FROM reward_wish
		WHERE shard = $1 AND member_id = $2`)
	wishersSQL = db.Define("reward.wishers", `
		SELECT shard, member_id
		FROM reward_wish
		WHERE reward_id = $1 AND (shard, member_id) > ($2, $3)
		ORDER BY shard, member_id
		LIMIT $4`)
	goneSQL = db.Define("reward.gone", `
		SELECT reward_id, store_id, n, round
		FROM reward_stock
		WHERE gone = 1
		ORDER BY reward_id, store_id
		LIMIT 500`)
	noticedSQL = db.Define("reward.noticed", `
		UPDATE reward_stock
		SET gone = 0, round = round + 1
		WHERE reward_id = $1 AND store_id = $2 AND gone = 1 AND round = $3`)
)

// wishesOf is what a member wishes for, and those who were merged into them.
func wishesOf(ctx context.Context, tx *db.Tx, m int64) (map[int64]bool, error) {
	records, err := member.RecordsOf(ctx, tx, member.ID(m))
	if err != nil {
		return nil, err
	}
	out := map[int64]bool{}
	for _, r := range records {
		err := db.ReadRows(func(rows *db.Rows) error {
			var reward, at int64
			err := rows.Scan(&reward, &at)
			out[reward] = true
			return err
		})(tx.Query(ctx, wishesSQL, r.Shard(), int64(r)))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SetWish puts a reward on the wish list of a member, or takes it off.
func (s *Service) SetWish(ctx context.Context, m int64, ref string, wished bool) error {
	r, err := s.Find(ref)
	if err != nil {
		return err
	}
	err = s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
		if wished {
			if _, err := member.Lock(ctx, tx, member.ID(m)); err != nil { // of two wishes at once, one is the last that fits
				return err
			}
			have, err := wishesOf(ctx, tx, m)
			if err != nil || have[r.ID] {
				return err
			}
			if len(have) >= maxWishes {
				return ErrWishes.With("most", maxWishes)
			}
			_, err = tx.Exec(ctx, wishSQL, shardOf(m), m, r.ID, s.nowMS())
			return err
		}
		records, err := member.RecordsOf(ctx, tx, member.ID(m))
		if err != nil {
			return err
		}
		for _, x := range records {
			if _, err := tx.Exec(ctx, unwishSQL, x.Shard(), int64(x), r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wish of member %d: %w", m, err)
	}
	return nil
}

// backArgs is a job that tells those who wish for a reward that there is some again.
type backArgs struct {
	Reward int64 `json:"reward"`
	Store  int64 `json:"store"`
	Round  int64 `json:"round"`
}

// noticeStock looks at stocks that had run out. Where there is something again, be it that more
// came, that an order was cancelled or that its time was over, those who wish for it are told,
// once each time.
func (s *Service) noticeStock(ctx context.Context) error {
	type gone struct {
		Stock
		round int64
	}
	var list []gone
	err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
		list = nil
		err := db.ReadRows(func(rows *db.Rows) error {
			var g gone
			err := rows.Scan(&g.Reward, &g.Store, &g.Supply, &g.round)
			list = append(list, g)
			return err
		})(tx.Query(ctx, goneSQL))
		if err != nil {
			return err
		}
		for i := range list {
			now, err := s.stocks(ctx, tx, list[i].Reward)
			if err != nil {
				return err
			}
			for _, x := range now {
				if x.Store == list[i].Store {
					list[i].Stock = x
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look at stocks that ran out: %w", err)
	}
	for _, g := range list {
		if g.Left() == 0 {
			continue
		}
		err := s.o.DB.InTx(ctx, func(ctx context.Context, tx *db.Tx) error {
			n, err := tx.Exec(ctx, noticedSQL, g.Reward, g.Store, g.round)
			if err != nil || n == 0 { // another node was first
				return err
			}
			_, err = job.Enqueue(ctx, tx, job.New{Kind: backKind, Args: backArgs{g.Reward, g.Store, g.round}, Now: s.o.Clock.Now()})
			return err
		})
		if err != nil {
			return err
		}
		s.o.Jobs.Nudge()
	}
	return nil
}

// watchStock has noticeStock run soon. That nobody is told just now is no reason to refuse what
// was done: the next turn of the clock looks again.
func (s *Service) watchStock(ctx context.Context) {
	if err := s.noticeStock(ctx); err != nil {
		s.o.Log.Warn("stocks that ran out cannot be looked at", "error", err)
	}
}

const wisherPage = 200

// tellBack tells those who wish for a reward. It may be cut short and run again: each is told
// once.
func (s *Service) tellBack(ctx context.Context, args backArgs, progress func(done int64)) error {
	n := s.now.Load()
	r := n.rewards[args.Reward]
	if r == nil || r.State != Live {
		return nil
	}
	at, done := [2]int64{-1, 0}, int64(0)
	for {
		var members []int64
		err := s.o.DB.Read(ctx, func(ctx context.Context, tx *db.Tx) error {
			members = nil
			return db.ReadRows(func(rows *db.Rows) error {
				err := rows.Scan(&at[0], &at[1])
				members = append(members, at[1])
				return err
			})(tx.Query(ctx, wishersSQL, args.Reward, at[0], at[1], wisherPage))
		})
		if err != nil || len(members) == 0 {
			return err
		}
		rs := make([]ledger.Request, len(members))
		for i, m := range members {
			rs[i] = ledger.Request{Command: &back{m, r, args}, Actor: "system:reward", Bulk: true}
		}
		for i, a := range s.o.Ledger.Engine().DoMany(ctx, rs) {
			if a.Err != nil && !errors.Is(a.Err, ledger.ErrMember) && !errors.Is(a.Err, ledger.ErrCorrupt) {
				return fmt.Errorf("tell member %d that a reward is back: %w", members[i], a.Err)
			}
		}
		done += int64(len(members))
		progress(done)
	}
}

// back is the command that tells a member, once for each time that it ran out.
type back struct {
	member int64
	reward *Reward
	args   backArgs
}

func (c *back) doc(member int64) ledger.Document {
	return ledger.Document{Kind: ledger.DocEvent, Source: "reward/back", Document: fmt.Sprintf("%d/%d/%d/%d", c.args.Reward, c.args.Store, c.args.Round, member)}
}

// Needs names the member and the natural key.
func (c *back) Needs() ledger.Needs {
	return ledger.Needs{Members: []int64{c.member}, Rows: []ledger.RowKey{c.doc(c.member).Need()}}
}

// Decide tells.
func (c *back) Decide(s *ledger.State) (any, error) {
	a, err := s.Account(c.member)
	if err != nil {
		return nil, err
	}
	if a, err = survivor(s, a); err != nil {
		return nil, err
	}
	d := c.doc(a.ID)
	if err := s.Require(ledger.Needs{Rows: []ledger.RowKey{d.Need()}}); err != nil {
		return nil, err
	}
	if _, seen := s.FindDoc(d); seen {
		return nil, nil
	}
	s.PutDoc(d, ledger.Doc{Kind: ledger.DocEvent, Member: a.ID, Seq: c.args.Round})
	t := told{Reward: c.reward.PublicID(), Code: c.reward.Code, NameEN: c.reward.Terms.NameEN, NameZH: c.reward.Terms.NameZH, Store: c.args.Store}
	s.Event(a, "reward.back", s.NowMS, pack(t))
	return nil, nil
}
