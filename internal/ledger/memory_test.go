package ledger

import (
	"fmt"
	"slices"
)

// memory is a database of maps that loads and writes as the engines' stores do: what they
// do not load, the ledger does not see.
type memory struct {
	rows map[*Table]map[string][]any
}

func newMemory() *memory { return &memory{map[*Table]map[string][]any{}} }

func (m *memory) one(t *Table, key ...any) []any { return m.rows[t][t.id(key).key] }

// of returns the rows of a member, by number.
func (m *memory) of(t *Table, member int64) (out [][]any) {
	for _, r := range m.rows[t] {
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
	for _, id := range w.members {
		if s.accounts[id].due(s.NowMS) {
			w.lots = append(w.lots, id)
		}
	}
	for _, id := range w.lots {
		if a := s.accounts[id]; a != nil && !a.lotsIn {
			m.lots(s, a)
		}
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

// lots loads what the hints of the account in the database say is open.
func (m *memory) lots(s *State, a *Account) {
	stored := accountOf(m.one(accountTable, int64(a.Shard), a.ID))
	for _, r := range m.of(walletTable, a.ID) {
		stored.wallets = append(stored.wallets, walletOf(r))
	}
	var lots []*Lot
	if first := stored.firstOpen(); first > 0 {
		for _, r := range m.of(lotTable, a.ID) {
			if l := lotOf(r); l.Seq >= first && l.Left > 0 {
				lots = append(lots, l)
			}
		}
	}
	var holds []*Hold
	if stored.FirstHold > 0 {
		for _, r := range m.of(holdTable, a.ID) {
			if h := mustHold(r); h.Seq >= stored.FirstHold && h.State == HoldOpen {
				holds = append(holds, h)
			}
		}
	}
	s.lotsLoaded(a, lots, holds)
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
		if m.rows[c.table] == nil {
			m.rows[c.table] = map[string][]any{}
		}
		rows := m.rows[c.table]
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
