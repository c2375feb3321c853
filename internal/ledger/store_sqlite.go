package ledger

import (
	"context"
	"database/sql"
	"errors"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

var (
	liteWalletsSQL = db.Define("ledger.liteWallets", `
		SELECT `+walletTable.names()+`
		FROM wallet
		WHERE shard = $1 AND member_id = $2
		ORDER BY currency_id`)
	liteLineSQL = db.Define("ledger.liteLine", `
		SELECT `+lotTable.names()+`
		FROM lot
		WHERE shard = $1 AND member_id = $2 AND currency_id = $3 AND seq >= $4 AND left_n > 0 AND stray = 0
		ORDER BY seq
		LIMIT $5`)
	liteStraysSQL = db.Define("ledger.liteStrays", `
		SELECT `+lotTable.names()+`
		FROM lot
		WHERE shard = $1 AND member_id = $2 AND currency_id = $3 AND stray = 1 AND (expires_ms, earned_ms, seq) > ($4, $5, $6)
		ORDER BY expires_ms, earned_ms, seq
		LIMIT $7`)
	liteHeirsSQL = db.Define("ledger.liteHeirs", `
		SELECT `+lotTable.names()+`
		FROM lot
		WHERE shard = $1 AND member_id = $2 AND origin_member = $3 AND origin_seq = $4 AND origin_member <> 0
		ORDER BY seq`)
	liteHoldsSQL = db.Define("ledger.liteHolds", `
		SELECT `+holdTable.names()+`
		FROM hold
		WHERE shard = $1 AND member_id = $2 AND seq >= $3 AND state = 0
		ORDER BY seq`)
)

// liteStore posts through the one writer of SQLite, row by row: a prepared statement costs
// microseconds there, and the writer is the lock.
type liteStore struct{ db *db.DB }

func (s *liteStore) worker(context.Context) (worker, error) { return s, nil }
func (s *liteStore) lanes() int                             { return 1 } // there is one writer
func (s *liteStore) close()                                 {}

func (s *liteStore) run(ctx context.Context, fn func(session) error) error {
	return s.db.InPosting(ctx, func(_ context.Context, tx *db.Tx) error { return fn(&liteSession{tx}) })
}

type liteSession struct{ tx *db.Tx }

func (l *liteSession) load(ctx context.Context, s *State, n Needs) error {
	w := s.missing(n)
	var found []*Account
	wallets := map[int64][]*Wallet{}
	for _, m := range w.members {
		a, err := one(ctx, l.tx, accountTable, int64(id.Shard(m)), m)
		if err != nil {
			return err
		}
		if a == nil {
			continue
		}
		found = append(found, accountOf(a))
		rows, err := many(ctx, l.tx, liteWalletsSQL, walletTable, int64(id.Shard(m)), m)
		if err != nil {
			return err
		}
		for _, r := range rows {
			wallets[m] = append(wallets[m], walletOf(r))
		}
	}
	s.admit(w.members, found, wallets)
	if err := l.open(ctx, s, w); err != nil {
		return err
	}
	if err := l.open(ctx, s, s.dueOf(w.members)); err != nil {
		return err
	}
	return l.byKey(ctx, s, w)
}

// open loads pages of open lots, and open holds.
func (l *liteSession) open(ctx context.Context, s *State, w wants) error {
	for _, m := range w.holdsOf {
		if err := l.holds(ctx, s, s.accounts[m]); err != nil {
			return err
		}
	}
	for _, p := range w.lots {
		if err := l.page(ctx, s, p); err != nil {
			return err
		}
	}
	return nil
}

// page loads the next lots of a wallet, or all of a member's.
func (l *liteSession) page(ctx context.Context, s *State, p page) error {
	a := s.accounts[p.member]
	if a == nil {
		return nil
	}
	var lots []*Lot
	take := func(stmt *db.Stmt, args ...any) error {
		rows, err := many(ctx, l.tx, stmt, lotTable, args...)
		for _, r := range rows {
			lots = append(lots, lotOf(r))
		}
		return err
	}
	shard := int64(a.Shard)
	for _, w := range a.wallets {
		if p.currency != 0 && p.currency != w.Currency {
			continue
		}
		if !w.head.lineIn {
			if err := take(liteLineSQL, shard, a.ID, w.Currency, max(w.FirstOpen, p.from.line.seq+1), p.most); err != nil {
				return err
			}
		}
		if at := p.from.stray; !w.head.straysIn {
			if err := take(liteStraysSQL, shard, a.ID, w.Currency, at.expires, at.earned, at.seq, p.most); err != nil {
				return err
			}
		}
	}
	s.pageLoaded(p, lots)
	return nil
}

func (l *liteSession) holds(ctx context.Context, s *State, a *Account) error {
	if a == nil || a.holdsIn {
		return nil
	}
	rows, err := many(ctx, l.tx, liteHoldsSQL, holdTable, int64(a.Shard), a.ID, a.FirstHold)
	if err != nil {
		return err
	}
	var holds []*Hold
	for _, r := range rows {
		h, err := holdOf(r)
		if err != nil {
			return err
		}
		holds = append(holds, h)
	}
	s.holdsLoaded(a, holds)
	return nil
}

func (l *liteSession) byKey(ctx context.Context, s *State, w wants) error {
	for _, k := range w.lotSeqs {
		v, err := one(ctx, l.tx, lotTable, int64(id.Shard(k.Member)), k.Member, k.Seq)
		if err != nil {
			return err
		}
		if v != nil {
			s.lotLoaded(k.Member, lotOf(v))
		}
	}
	for _, o := range w.origins {
		rows, err := many(ctx, l.tx, liteHeirsSQL, lotTable, int64(id.Shard(o.Member)), o.Member, o.Of.Member, o.Of.Seq)
		if err != nil {
			return err
		}
		for _, r := range rows {
			s.lotLoaded(o.Member, lotOf(r))
		}
		s.heirs[o] = true
	}
	for _, k := range w.holds {
		v, err := one(ctx, l.tx, holdTable, int64(id.Shard(k.Member)), k.Member, k.Seq)
		if err != nil {
			return err
		}
		if v != nil {
			h, err := holdOf(v)
			if err != nil {
				return err
			}
			s.holdLoaded(k.Member, h)
		}
	}
	for _, k := range w.rows {
		v, err := one(ctx, l.tx, k.Table, k.Key...)
		if err != nil {
			return err
		}
		s.rows[k.Table.id(k.Key)] = &row{table: k.Table, values: v, existed: v != nil}
	}
	return nil
}

func one(ctx context.Context, tx *db.Tx, t *Table, key ...any) ([]any, error) {
	targets := t.targets()
	err := tx.QueryRow(ctx, t.load, key...).Scan(targets...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t.values(targets), nil
}

func many(ctx context.Context, tx *db.Tx, stmt *db.Stmt, t *Table, args ...any) ([][]any, error) {
	rows, err := tx.Query(ctx, stmt, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		targets := t.targets()
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		out = append(out, t.values(targets))
	}
	return out, rows.Err()
}

func (l *liteSession) write(ctx context.Context, s *State, _ func()) error {
	for _, c := range s.changes() {
		for _, r := range c.inserts {
			if _, err := l.tx.Exec(ctx, c.table.insert, r...); err != nil {
				return err
			}
		}
		for _, r := range c.updates {
			if _, err := l.tx.Exec(ctx, c.table.update, r...); err != nil {
				return err
			}
		}
	}
	return nil
}
