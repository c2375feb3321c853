package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// A batch on PostgreSQL is two round trips: everything is locked and read in one pipeline,
// and written and committed in a second. Sets travel as one array per column.
var (
	pgLockSQL = db.Define("ledger.pgLock", "").OnPostgres(`
		SELECT a.shard, a.member_id, a.entry_n, a.sale_n, a.event_n, a.may_earn, a.may_spend, a.merged_into, a.first_hold, a.activity
		FROM unnest($1::bigint[], $2::bigint[]) AS k (shard, member_id)
		JOIN account AS a ON a.shard = k.shard AND a.member_id = k.member_id
		ORDER BY a.shard, a.member_id
		FOR UPDATE OF a`)
	pgWalletsSQL = db.Define("ledger.pgWallets", "").OnPostgres(`
		SELECT w.shard, w.member_id, w.currency_id, w.active, w.pending, w.held, w.debt, w.earned, w.spent, w.sent, w.held_ever, w.first_open, w.next_ms, w.slide_ms, w.days, w.line_expires_ms, w.line_earned_ms
		FROM unnest($1::bigint[], $2::bigint[]) AS k (shard, member_id)
		JOIN wallet AS w ON w.shard = k.shard AND w.member_id = k.member_id
		ORDER BY w.shard, w.member_id, w.currency_id`)
	// A currency of 0 is all that the member has.
	pgLineSQL = db.Define("ledger.pgLine", "").OnPostgres(`
		SELECT l.*
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS k (shard, member_id, currency_id, from_seq, most)
		JOIN wallet AS w ON w.shard = k.shard AND w.member_id = k.member_id AND (k.currency_id = 0 OR w.currency_id = k.currency_id) AND w.first_open > 0
		CROSS JOIN LATERAL (
			SELECT ` + lotTable.names() + `
			FROM lot
			WHERE lot.shard = w.shard AND lot.member_id = w.member_id AND lot.seq >= GREATEST(w.first_open, k.from_seq)
				AND lot.currency_id = w.currency_id AND lot.left_n > 0 AND lot.stray = 0
			ORDER BY lot.seq
			LIMIT k.most
		) AS l`)
	pgStraysSQL = db.Define("ledger.pgStrays", "").OnPostgres(`
		SELECT l.*
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) AS k (shard, member_id, currency_id, expires_ms, earned_ms, seq, most)
		JOIN wallet AS w ON w.shard = k.shard AND w.member_id = k.member_id AND (k.currency_id = 0 OR w.currency_id = k.currency_id)
		CROSS JOIN LATERAL (
			SELECT ` + lotTable.names() + `
			FROM lot
			WHERE lot.shard = w.shard AND lot.member_id = w.member_id AND lot.currency_id = w.currency_id AND lot.stray = 1
				AND (lot.expires_ms, lot.earned_ms, lot.seq) > (k.expires_ms, k.earned_ms, k.seq)
			ORDER BY lot.expires_ms, lot.earned_ms, lot.seq
			LIMIT k.most
		) AS l`)
	pgHeirsSQL = db.Define("ledger.pgHeirs", "").OnPostgres(`
		SELECT l.shard, l.member_id, l.seq, l.currency_id, l.bucket, l.state, l.issuer_id, l.store_id, l.month, l.earned_ms, l.active_ms, l.expires_ms, l.granted, l.left_n, l.held, l.spent, l.expired, l.clawed, l.moved, l.origin_member, l.origin_seq, l.via_member, l.via_seq, l.stray
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS k (shard, member_id, origin_member, origin_seq)
		JOIN lot AS l ON l.shard = k.shard AND l.member_id = k.member_id AND l.origin_member = k.origin_member AND l.origin_seq = k.origin_seq AND l.origin_member <> 0
		ORDER BY l.shard, l.member_id, l.seq`)
	pgHoldsSQL = db.Define("ledger.pgHolds", "").OnPostgres(`
		SELECT h.shard, h.member_id, h.seq, h.currency_id, h.state, h.amount, h.captured, h.made_ms, h.expires_ms, h.ended_ms, h.purpose, h.lots
		FROM unnest($1::bigint[], $2::bigint[]) AS k (shard, member_id)
		JOIN account AS a ON a.shard = k.shard AND a.member_id = k.member_id AND a.first_hold > 0
		JOIN hold AS h ON h.shard = k.shard AND h.member_id = k.member_id AND h.seq >= a.first_hold AND h.state = 0
		ORDER BY h.shard, h.member_id, h.seq`)
)

// settings of the posting connections. The statements join arrays of keys to tables of
// any size: the one good plan is to look each key up, whatever the statistics say.
const pgSettings = `
	SET plan_cache_mode = force_generic_plan;
	SET enable_seqscan = off;
	SET enable_hashjoin = off;
	SET enable_mergejoin = off;
	SET enable_bitmapscan = off;
	SET jit = off`

// statementTime bounds one round trip: past it the database is not answering.
const statementTime = 30 * time.Second

type pgStore struct{ db *db.DB }

func (s *pgStore) worker(context.Context) (worker, error) {
	return &pgWorker{db: s.db, pool: s.db.Pool()}, nil
}
func (s *pgStore) lanes() int { return 2 }
func (s *pgStore) close()     {}

// pgWorker keeps one connection for its life and takes another when that one broke.
type pgWorker struct {
	db   *db.DB
	pool *pgxpool.Pool
	conn *pgxpool.Conn
	link *link
}

func (w *pgWorker) close() {
	if w.conn != nil {
		_ = w.conn.Conn().Close(context.Background()) // its settings are not for others
		w.conn.Release()
		w.conn = nil
	}
}

func (w *pgWorker) run(ctx context.Context, fn func(session) error) error {
	if w.conn == nil || w.conn.Conn().IsClosed() {
		w.close()
		if err := w.connect(ctx); err != nil {
			return fmt.Errorf("%w: %w", errUnbegun, w.translate(err))
		}
	}
	s := &pgSession{link: w.link}
	err := fn(s)
	if err != nil && s.begun {
		rollback, cancel := context.WithTimeout(ctx, statementTime)
		defer cancel()
		if _, rerr := w.conn.Exec(rollback, "rollback"); rerr != nil {
			_ = w.conn.Conn().Close(ctx)
		}
	}
	return w.translate(err)
}

func (w *pgWorker) connect(ctx context.Context) error {
	conn, err := w.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Conn().PgConn().Exec(ctx, pgSettings).ReadAll(); err != nil {
		conn.Release()
		return err
	}
	w.conn, w.link = conn, newLink(conn.Conn().PgConn())
	return nil
}

func (w *pgWorker) translate(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01") {
		return fmt.Errorf("%w: %s", errConflict, pg.Message)
	}
	return w.db.Translate(err)
}

// pgSession is a batch's transaction.
type pgSession struct {
	link  *link
	begun bool
}

// keys are the arrays of (shard, member) that the statements above take.
func keys(members []int64) [][]int64 {
	shards := make([]int64, len(members))
	for i, m := range members {
		shards[i] = int64(id.Shard(m))
	}
	return [][]int64{shards, members}
}

func (p *pgSession) load(ctx context.Context, s *State, n Needs) error {
	w := s.missing(n)
	var l loaded
	var pipe pipeline
	if !p.begun {
		pipe.add(query{text: "begin"})
		p.begun = true
	}
	if len(w.members) > 0 {
		of := keys(w.members)
		pipe.add(query{text: pgLockSQL.Text(db.Postgres), ints: of, table: accountTable, read: l.account})
		pipe.add(query{text: pgWalletsSQL.Text(db.Postgres), ints: of, table: walletTable, read: l.wallet})
	}
	l.queueOpen(&pipe, w)
	l.queueHeirs(&pipe, s, w.origins)
	for _, g := range groupKeys(w) {
		pipe.add(query{text: g.table.load.Text(db.Postgres), rows: g.keys, columns: g.table.cols[:g.table.key], table: g.table, read: l.byKey(s, g.table)})
	}
	if len(pipe) == 0 {
		return nil
	}
	if err := p.link.send(ctx, pipe, nil); err != nil {
		return err
	}
	s.admit(w.members, l.accounts, l.wallets)
	l.opened(s, w)
	if due := s.dueOf(w.members); !due.nothing() { // time alone has changed something of them
		var more pipeline
		next := loaded{}
		next.queueOpen(&more, due)
		if err := p.link.send(ctx, more, nil); err != nil {
			return err
		}
		next.opened(s, due)
	}
	for _, f := range l.found {
		f()
	}
	for _, k := range w.rows {
		if i := k.Table.id(k.Key); s.rows[i].unseen() {
			s.rows[i] = &row{table: k.Table}
		}
	}
	return nil
}

// loaded is what the pipelines of one load have read so far.
type loaded struct {
	accounts []*Account
	wallets  map[int64][]*Wallet
	lots     map[int64][]*Lot
	holds    map[int64][]*Hold
	found    []func() // what was asked for by key: put into the state after the accounts
}

func (l *loaded) account(v []any) error {
	l.accounts = append(l.accounts, accountOf(v))
	return nil
}

func (l *loaded) wallet(v []any) error {
	if l.wallets == nil {
		l.wallets = map[int64][]*Wallet{}
	}
	m := v[1].(int64)
	l.wallets[m] = append(l.wallets[m], walletOf(v))
	return nil
}

// queueOpen asks for pages of open lots, and for open holds.
func (l *loaded) queueOpen(pipe *pipeline, w wants) {
	l.lots, l.holds = map[int64][]*Lot{}, map[int64][]*Hold{}
	if len(w.lots) > 0 {
		lot := func(v []any) error {
			l.lots[v[1].(int64)] = append(l.lots[v[1].(int64)], lotOf(v))
			return nil
		}
		line, strays := make([][]int64, 5), make([][]int64, 7)
		for _, p := range w.lots {
			shard, at := int64(id.Shard(p.member)), p.from.stray
			for i, n := range []int64{shard, p.member, p.currency, p.from.line.seq + 1, p.most} {
				line[i] = append(line[i], n)
			}
			for i, n := range []int64{shard, p.member, p.currency, at.expires, at.earned, at.seq, p.most} {
				strays[i] = append(strays[i], n)
			}
		}
		pipe.add(query{text: pgLineSQL.Text(db.Postgres), ints: line, table: lotTable, read: lot})
		pipe.add(query{text: pgStraysSQL.Text(db.Postgres), ints: strays, table: lotTable, read: lot})
	}
	if len(w.holdsOf) > 0 {
		pipe.add(query{text: pgHoldsSQL.Text(db.Postgres), ints: keys(w.holdsOf), table: holdTable, read: func(v []any) error {
			h, err := holdOf(v)
			l.holds[v[1].(int64)] = append(l.holds[v[1].(int64)], h)
			return err
		}})
	}
}

// opened puts what queueOpen asked for into the state.
func (l *loaded) opened(s *State, w wants) {
	for _, m := range w.holdsOf {
		s.holdsLoaded(s.accounts[m], l.holds[m])
	}
	for _, p := range w.lots {
		lots := l.lots[p.member]
		if p.currency != 0 {
			lots = slices.DeleteFunc(slices.Clone(lots), func(l *Lot) bool { return l.Currency != p.currency })
		}
		s.pageLoaded(p, lots)
	}
}

func (l *loaded) queueHeirs(pipe *pipeline, s *State, origins []Origin) {
	if len(origins) == 0 {
		return
	}
	of := make([][]int64, 4)
	for _, o := range origins {
		for i, n := range []int64{int64(id.Shard(o.Member)), o.Member, o.Of.Member, o.Of.Seq} {
			of[i] = append(of[i], n)
		}
		l.found = append(l.found, func() { s.heirs[o] = true })
	}
	pipe.add(query{text: pgHeirsSQL.Text(db.Postgres), ints: of, table: lotTable, read: func(v []any) error {
		l.found = append(l.found, func() { s.lotLoaded(v[1].(int64), lotOf(v)) })
		return nil
	}})
}

func (l *loaded) byKey(s *State, t *Table) func([]any) error {
	return func(v []any) error {
		switch t {
		case lotTable:
			l.found = append(l.found, func() { s.lotLoaded(v[1].(int64), lotOf(v)) })
		case holdTable:
			h, err := holdOf(v)
			if err != nil {
				return err
			}
			l.found = append(l.found, func() { s.holdLoaded(v[1].(int64), h) })
		default:
			s.rows[t.id(v)] = &row{table: t, values: v, existed: true}
		}
		return nil
	}
}

// keyGroup is the keys that are looked up in one table.
type keyGroup struct {
	table *Table
	keys  [][]any
}

func groupKeys(w wants) []keyGroup {
	var out []keyGroup
	add := func(t *Table, key []any) {
		for i := range out {
			if out[i].table == t {
				out[i].keys = append(out[i].keys, key)
				return
			}
		}
		out = append(out, keyGroup{t, [][]any{key}})
	}
	for _, k := range w.lotSeqs {
		add(lotTable, []any{int64(id.Shard(k.Member)), k.Member, k.Seq})
	}
	for _, k := range w.holds {
		add(holdTable, []any{int64(id.Shard(k.Member)), k.Member, k.Seq})
	}
	for _, k := range w.rows {
		add(k.Table, k.Key)
	}
	slices.SortStableFunc(out, func(a, b keyGroup) int { // those that lock, always in one order
		switch {
		case a.table.lock && b.table.lock:
			return strings.Compare(a.table.name, b.table.name)
		case a.table.lock:
			return 1
		case b.table.lock:
			return -1
		}
		return 0
	})
	return out
}

func (p *pgSession) write(ctx context.Context, s *State, written func()) error {
	var pipe pipeline
	for _, c := range s.changes() {
		if len(c.inserts) > 0 {
			pipe.add(query{text: c.table.insert.Text(db.Postgres), rows: c.inserts, columns: c.table.cols})
		}
		if len(c.updates) > 0 {
			pipe.add(query{text: c.table.update.Text(db.Postgres), rows: c.updates, columns: c.table.cols})
		}
	}
	pipe.add(query{text: "commit"})
	return p.link.send(ctx, pipe, written)
}
