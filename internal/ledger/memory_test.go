package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patron-loyalty/patron/internal/kit/db"
)

// memory is a database of maps that loads and writes as the engines' stores do: what they
// do not load, the ledger does not see.
type memory struct {
	tables map[*Table]map[string][]any
	config *Config
	s      *State // of the batch that is open
}

func newMemory() *memory {
	c := testConfig()
	return &memory{map[*Table]map[string][]any{}, c, newState(c, noon)}
}

func (m *memory) one(t *Table, key ...any) []any { return m.tables[t][t.id(key).key] }

func (m *memory) post(n Needs, f func(*State) error) (*State, error) {
	for rounds := 0; ; rounds++ {
		m.load(m.s, n)
		mark := m.s.begin("test")
		err := f(m.s)
		if err != nil {
			m.s.rollback(mark)
		}
		var ask *Again
		if !errors.As(err, &ask) || rounds > maxRounds {
			return m.s, err
		}
		n = ask.Needs
	}
}

func (m *memory) flush() { m.write(m.s); m.s = newState(m.config, m.s.NowMS) }

func (m *memory) set(nowMS int64) { m.s = newState(m.config, nowMS) }

func (m *memory) rows() *memory { return m }

// of returns the rows of a member, by number.
func (m *memory) of(t *Table, member int64) (out [][]any) {
	for _, r := range m.tables[t] {
		if r[1].(int64) == member {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b []any) int { return int(a[2].(int64) - b[2].(int64)) })
	return out
}

func (m *memory) load(s *State, n Needs) {
	w := s.missing(n)
	var found []*Account
	wallets := map[int64][]*Wallet{}
	for _, id := range w.members {
		if r := m.one(accountTable, int64(shardOf(id)), id); r != nil {
			found = append(found, accountOf(r))
		}
		for _, r := range m.of(walletTable, id) {
			wallets[id] = append(wallets[id], walletOf(r))
		}
	}
	s.admit(w.members, found, wallets)
	m.open(s, w)
	m.open(s, s.dueOf(w.members))
	for _, o := range w.origins {
		for _, r := range m.of(lotTable, o.Member) {
			if l := lotOf(r); (LotKey{l.OriginMember, l.OriginSeq}) == o.Of {
				s.lotLoaded(o.Member, l)
			}
		}
		s.heirs[o] = true
	}
	for _, k := range w.lotSeqs {
		if r := m.one(lotTable, int64(shardOf(k.Member)), k.Member, k.Seq); r != nil {
			s.lotLoaded(k.Member, lotOf(r))
		}
	}
	for _, k := range w.holds {
		if r := m.one(holdTable, int64(shardOf(k.Member)), k.Member, k.Seq); r != nil {
			s.holdLoaded(k.Member, mustHold(r))
		}
	}
}

// open loads what the hints in the database say is open.
func (m *memory) open(s *State, w wants) {
	for _, id := range w.holdsOf {
		var holds []*Hold
		if a := s.accounts[id]; a != nil {
			for _, r := range m.of(holdTable, id) {
				if h := mustHold(r); h.Seq >= accountOf(m.one(accountTable, int64(a.Shard), id)).FirstHold && h.State == HoldOpen {
					holds = append(holds, h)
				}
			}
		}
		s.holdsLoaded(s.accounts[id], holds)
	}
	for _, p := range w.lots {
		var lots []*Lot
		for _, r := range m.of(walletTable, p.member) {
			if stored := walletOf(r); p.currency == 0 || p.currency == stored.Currency {
				lots = append(lots, m.rowsOf(stored, p)...)
			}
		}
		s.pageLoaded(p, lots)
	}
}

// rowsOf is the next lots in line of a wallet, and the next strays.
func (m *memory) rowsOf(stored *Wallet, p page) []*Lot {
	var line, strays []*Lot
	for _, r := range m.of(lotTable, p.member) {
		l := lotOf(r)
		switch {
		case l.Currency != stored.Currency:
		case l.Stray && l.spot().compare(p.from.stray) > 0:
			strays = append(strays, l)
		case !l.Stray && l.Left > 0 && stored.FirstOpen > 0 && l.Seq >= max(stored.FirstOpen, p.from.line.seq+1):
			line = append(line, l)
		}
	}
	slices.SortFunc(strays, func(a, b *Lot) int {
		return cmp.Or(cmp.Compare(a.ExpiresMS, b.ExpiresMS), cmp.Compare(a.EarnedMS, b.EarnedMS), cmp.Compare(a.Seq, b.Seq))
	})
	return append(line[:min(len(line), int(p.most)):len(line)], strays[:min(len(strays), int(p.most))]...)
}

func mustHold(r []any) *Hold {
	h, err := holdOf(r)
	if err != nil {
		panic(err)
	}
	return h
}

// write keeps what a batch changed, and panics where it inserts what is there or updates
// what is not.
func (m *memory) write(s *State) {
	for _, c := range s.changes() {
		if m.tables[c.table] == nil {
			m.tables[c.table] = map[string][]any{}
		}
		rows := m.tables[c.table]
		for _, r := range c.inserts {
			k := c.table.id(r).key
			if c.table.key == 0 {
				k = fmt.Sprint(len(rows))
			}
			if rows[k] != nil {
				panic(fmt.Sprintf("%s is there already: %v", c.table.name, r))
			}
			rows[k] = r
		}
		for _, r := range c.updates {
			k := c.table.id(r).key
			if rows[k] == nil {
				panic(fmt.Sprintf("%s to be updated is not there: %v", c.table.name, r))
			}
			rows[k] = r
		}
	}
}

// posted posts a history through an Engine.
type posted struct {
	*bench
	first int64
}

func (p *posted) post(n Needs, f func(*State) error) (seen *State, err error) {
	a := p.Do(p.t.Context(), Request{Actor: "test", Command: cmd{n, func(s *State) (any, error) {
		seen = s
		return nil, f(s)
	}}})
	return seen, a.Err
}

func (p *posted) flush() {}

func (p *posted) set(nowMS int64) { p.clock.Set(time.UnixMilli(nowMS)) }

// rows reads what the database has of the history's members.
func (p *posted) rows() *memory {
	m := &memory{tables: map[*Table]map[string][]any{}}
	err := p.db.Read(p.t.Context(), func(ctx context.Context, tx *db.Tx) error {
		for _, t := range []*Table{accountTable, walletTable, lotTable, holdTable, entryTable} {
			m.tables[t] = map[string][]any{}
			for member := p.first; member < p.first+3; member++ {
				if err := p.table(ctx, tx, m, t, member); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *posted) table(ctx context.Context, tx *db.Tx, m *memory, t *Table, member int64) error {
	rows, err := tx.QueryText(ctx, "SELECT "+t.names()+" FROM "+t.name+" WHERE shard = $1 AND member_id = $2", shardOf(member), member)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		targets := t.targets()
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		r := t.values(targets)
		m.tables[t][t.id(r).key] = r
	}
	return rows.Err()
}
