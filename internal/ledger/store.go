package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"

	"github.com/patron-loyalty/patron/internal/kit/db"
	"github.com/patron-loyalty/patron/internal/kit/event"
	"github.com/patron-loyalty/patron/internal/kit/id"
)

// store is how batches reach the database: one way for each engine.
type store interface {
	worker(context.Context) (worker, error)
	lanes() int // of each worker of the Engine
	close()
}

// worker is what one lane of the Engine posts through.
type worker interface {
	// run is one transaction. A serialization failure or deadlock is errConflict.
	run(context.Context, func(session) error) error
	close()
}

// session is a batch's transaction.
type session interface {
	// load locks members in the order of (shard, id) and reads what is asked for into s.
	// What s has already is left as it is.
	load(ctx context.Context, s *State, n Needs) error
	// write writes all that s changed. It may call written when only the commit is left.
	write(ctx context.Context, s *State, written func()) error
}

func newStore(d *db.DB) store {
	if d.Engine() == db.Postgres {
		return &pgStore{d}
	}
	return &liteStore{d}
}

// The members' own tables. Columns stand in the order in which the functions below read
// and write them.
var (
	accountTable = DefineTable("account", 2, "shard int, member_id int, entry_n int, sale_n int, event_n int, may_earn int, may_spend int, merged_into int, first_hold int, activity bytes")
	walletTable  = DefineTable("wallet", 3, "shard int, member_id int, currency_id int, active int, pending int, held int, debt int, earned int, spent int, sent int, held_ever int, first_open int, next_ms int, slide_ms int, days text, line_expires_ms int, line_earned_ms int")
	lotTable     = DefineTable("lot", 3, "shard int, member_id int, seq int, currency_id int, bucket int, state int, issuer_id int, store_id int, month int, earned_ms int, active_ms int, expires_ms int, granted int, left_n int, held int, spent int, expired int, clawed int, moved int, origin_member int, origin_seq int, via_member int, via_seq int, stray int")
	holdTable    = DefineTable("hold", 3, "shard int, member_id int, seq int, currency_id int, state int, amount int, captured int, made_ms int, expires_ms int, ended_ms int, purpose text, lots text")
	entryTable   = DefineTable("entry", 3, "shard int, member_id int, seq int, currency_id int, kind int, pending int, active int, held int, debt int, after_active int, at_ms int, posted_ms int, touches text, cause_kind int, cause_member int, cause_seq int, source text, document text, reason text, rule text, store_id int, actor text, salt bytes, digest bytes")
	outboxTable  = DefineTable("outbox", 0, "n int, at_ms int, events bytes")
)

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (a *Account) row() []any {
	if a.book != nil || a.packed == nil {
		a.packed = a.Activity().Pack()
	}
	return []any{int64(a.Shard), a.ID, a.EntryN, a.SaleN, a.EventN, flag(a.MayEarn), flag(a.MaySpend), a.MergedInto, a.FirstHold, a.packed}
}

func accountOf(v []any) *Account {
	i := ints(v)
	return &Account{Shard: int16(i(0)), ID: i(1), EntryN: i(2), SaleN: i(3), EventN: i(4), MayEarn: i(5) == 1, MaySpend: i(6) == 1, MergedInto: i(7), FirstHold: i(8), packed: v[9].([]byte)}
}

func (w *Wallet) row(a *Account) []any {
	return []any{int64(a.Shard), a.ID, w.Currency, w.Active, w.Pending, w.Held, w.Debt, w.Earned, w.Spent, w.SentN, w.HeldEver, w.FirstOpen, w.NextMS, w.SlideMS, w.Days, w.TailExpires, w.TailEarned}
}

func walletOf(v []any) *Wallet {
	i := ints(v)
	return &Wallet{Currency: i(2), Active: i(3), Pending: i(4), Held: i(5), Debt: i(6), Earned: i(7), Spent: i(8), SentN: i(9), HeldEver: i(10), FirstOpen: i(11), NextMS: i(12), SlideMS: i(13), Days: v[14].(string), TailExpires: i(15), TailEarned: i(16)}
}

func (l *Lot) row(a *Account) []any {
	return []any{int64(a.Shard), a.ID, l.Seq, l.Currency, int64(l.Bucket), int64(l.State), l.Issuer, l.Store, l.Month, l.EarnedMS, l.ActiveMS, l.ExpiresMS, l.Granted, l.Left, l.Held, l.Spent, l.Expired, l.Clawed, l.Moved, l.OriginMember, l.OriginSeq, l.ViaMember, l.ViaSeq, flag(l.Stray)}
}

func lotOf(v []any) *Lot {
	i := ints(v)
	return &Lot{Seq: i(2), Currency: i(3), Bucket: Bucket(i(4)), State: LotState(i(5)), Issuer: i(6), Store: i(7), Month: i(8), EarnedMS: i(9), ActiveMS: i(10), ExpiresMS: i(11), Granted: i(12), Left: i(13), Held: i(14), Spent: i(15), Expired: i(16), Clawed: i(17), Moved: i(18), OriginMember: i(19), OriginSeq: i(20), ViaMember: i(21), ViaSeq: i(22), Stray: i(23) == 1}
}

func (h *Hold) row(a *Account) []any {
	return []any{int64(a.Shard), a.ID, h.Seq, h.Currency, int64(h.State), h.Amount, h.Captured, h.MadeMS, h.ExpiresMS, h.EndedMS, h.Purpose, packTouches(h.Lots)}
}

func holdOf(v []any) (*Hold, error) {
	i := ints(v)
	touches, err := unpackTouches(v[11].(string))
	return &Hold{Seq: i(2), Currency: i(3), State: HoldState(i(4)), Amount: i(5), Captured: i(6), MadeMS: i(7), ExpiresMS: i(8), EndedMS: i(9), Purpose: v[10].(string), Lots: touches}, err
}

func (e *Entry) row(salt []byte) []any {
	digest := e.digest(salt)
	return []any{int64(id.Shard(e.Member)), e.Member, e.Seq, e.Currency, int64(e.Kind), e.Pending, e.Active, e.Held, e.Debt, e.After, e.AtMS, e.PostedMS, packTouches(e.Touches), int64(e.Cause.Kind), e.Cause.Member, e.Cause.Seq, e.Source, e.Document, e.Reason, e.Rule, e.Store, e.Actor, salt, digest[:]}
}

func entryOf(v []any) (*Entry, error) {
	i := ints(v)
	touches, err := unpackTouches(v[12].(string))
	return &Entry{Member: i(1), Seq: i(2), Currency: i(3), Kind: EntryKind(i(4)), Pending: i(5), Active: i(6), Held: i(7), Debt: i(8), After: i(9), AtMS: i(10), PostedMS: i(11), Touches: touches, Cause: Cause{CauseKind(i(13)), i(14), i(15)}, Source: v[16].(string), Document: v[17].(string), Reason: v[18].(string), Rule: v[19].(string), Store: i(20), Actor: v[21].(string)}, err
}

func ints(v []any) func(int) int64 { return func(i int) int64 { return v[i].(int64) } }

// wants is a Needs without what the state has already, each thing once and in order.
type wants struct {
	members []int64 // by (shard, id)
	lots    []page
	holdsOf []int64 // members of whom all open holds are needed
	lotSeqs []LotKey
	origins []Origin
	holds   []LotKey
	rows    []RowKey
}

func (w *wants) nothing() bool {
	return len(w.members)+len(w.lots)+len(w.holdsOf)+len(w.lotSeqs)+len(w.origins)+len(w.holds)+len(w.rows) == 0
}

// page is the next open lots of a wallet: so many in line and so many strays, behind those
// that are loaded. Without a currency it is of every wallet of the member, and has no end.
type page struct {
	member, currency int64
	from             head
	most             int64
}

// noEnd is more lots than anybody has.
const noEnd = int64(1) << 40

func (s *State) missing(n Needs) wants {
	var w wants
	for _, m := range n.Members {
		if s.accounts[m] == nil {
			w.members = append(w.members, m)
		}
	}
	slices.SortFunc(w.members, byShard)
	w.members = slices.Compact(w.members)
	for _, m := range n.Lots {
		if a := s.accounts[m]; a == nil || !a.lotsIn() {
			w.allOf(m)
		}
	}
	for _, h := range n.Heads {
		s.missingHead(&w, h)
	}
	for _, k := range n.Holds {
		w.holdsOf = append(w.holdsOf, k.Member)
		if s.holds[lotID{k.Member, k.Seq}] == nil && !slices.Contains(w.holds, k) {
			w.holds = append(w.holds, k)
		}
	}
	w.holdsOf = slices.DeleteFunc(w.holdsOf, func(m int64) bool { a := s.accounts[m]; return a != nil && a.holdsIn })
	slices.SortFunc(w.holdsOf, byShard)
	w.holdsOf = slices.Compact(w.holdsOf)
	for _, k := range n.LotSeqs {
		if a := s.accounts[k.Member]; a != nil && s.lot(a, k.Seq) != nil {
			continue
		}
		if s.lots[lotID{k.Member, k.Seq}] == nil && !slices.Contains(w.lotSeqs, k) {
			w.lotSeqs = append(w.lotSeqs, k)
		}
	}
	for _, o := range n.Origins {
		if !s.heirs[o] && !slices.Contains(w.origins, o) {
			w.origins = append(w.origins, o)
		}
	}
	seen := map[rowID]bool{}
	for _, k := range n.Rows {
		i := k.Table.id(k.Key)
		if s.rows[i].unseen() && !seen[i] {
			seen[i] = true
			w.rows = append(w.rows, k)
		}
	}
	return w
}

// allOf wants all open lots and holds of a member.
func (w *wants) allOf(member int64) {
	w.lots = slices.DeleteFunc(w.lots, func(p page) bool { return p.member == member })
	w.lots = append(w.lots, page{member: member, most: noEnd})
	w.holdsOf = append(w.holdsOf, member)
}

// missingHead wants the lots of a Head that are not loaded, and the member's holds, without
// which nobody knows when the next thing happens to the wallet.
func (s *State) missingHead(w *wants, h Head) {
	c := s.Config.ByCode[h.Currency]
	if c == nil {
		return // the command will be refused
	}
	p := page{member: h.Member, currency: c.ID, most: int64(cmp.Or(h.Lots, headLots))}
	if a := s.accounts[h.Member]; a != nil {
		i := slices.IndexFunc(a.wallets, func(w *Wallet) bool { return w.Currency == c.ID })
		if i < 0 || a.wallets[i].whole() || int64(a.wallets[i].head.n) >= p.most {
			return
		}
		p.from = a.wallets[i].head
		p.most -= int64(p.from.n)
	}
	for i, have := range w.lots {
		if have.member == p.member && (have.currency == 0 || have.currency == p.currency) {
			w.lots[i].most = max(have.most, p.most)
			return
		}
	}
	w.lots = append(w.lots, p)
	w.holdsOf = append(w.holdsOf, p.member)
}

func byShard(a, b int64) int {
	return cmp.Or(cmp.Compare(id.Shard(a), id.Shard(b)), cmp.Compare(a, b))
}

// admit puts the accounts that were found into the state, and new ones for the rest.
func (s *State) admit(members []int64, found []*Account, wallets map[int64][]*Wallet) {
	for _, a := range found {
		a.wallets = wallets[a.ID]
		s.accounts[a.ID] = a
	}
	for _, m := range members {
		if s.accounts[m] == nil {
			s.accounts[m] = &Account{ID: m, Shard: id.Shard(m), MayEarn: true, MaySpend: true, isNew: true}
		}
	}
	for _, m := range members {
		a := s.accounts[m]
		a.holdsIn = a.FirstHold == 0
		for _, w := range a.wallets {
			w.head.lineIn = w.FirstOpen == 0
			w.head.straysIn = w.FirstOpen == 0 && w.nothing()
		}
	}
}

// due reports whether time alone has changed something of a.
func (a *Account) due(nowMS int64) bool {
	for _, w := range a.wallets {
		if w.NextMS <= nowMS {
			return true
		}
	}
	return false
}

// dueOf are those of some members of whom time alone has changed something: all their lots
// are needed too.
func (s *State) dueOf(members []int64) (w wants) {
	for _, m := range members {
		if a := s.accounts[m]; a.due(s.NowMS) && !a.lotsIn() {
			w.allOf(m)
		}
	}
	return w
}

// pageLoaded puts a page of open lots into the state and closes the books of a member where
// they do not add up: better to stop than to be wrong.
func (s *State) pageLoaded(p page, lots []*Lot) {
	a := s.accounts[p.member]
	if a == nil {
		return
	}
	for _, w := range a.wallets {
		if p.currency == 0 || p.currency == w.Currency {
			w.head = w.head.after(p, w, lots)
		}
	}
	for _, l := range lots {
		if known := s.lots[lotID{a.ID, l.Seq}]; known != nil {
			l = known
		}
		if l.Left > 0 { // else this batch has closed it
			a.lots = append(a.lots, l)
		}
	}
	// Those that are there already, as this batch made them or asked for them by number,
	// stay what they are.
	slices.SortStableFunc(a.lots, func(x, y *Lot) int { return cmp.Compare(x.Seq, y.Seq) })
	a.lots = slices.CompactFunc(a.lots, func(x, y *Lot) bool { return x.Seq == y.Seq })
	a.corrupt = a.audit()
}

// after is how much of a wallet is loaded once a page is: all of a row that had fewer lots
// than were asked for.
func (h head) after(p page, w *Wallet, lots []*Lot) head {
	var line, strays int64
	for _, l := range lots {
		switch at := l.spot(); {
		case l.Currency != w.Currency:
		case l.Stray:
			if strays++; at.compare(h.stray) > 0 {
				h.stray = at
			}
		default:
			if line++; at.compare(h.line) > 0 {
				h.line = at
			}
		}
	}
	h.n += int(min(p.most, noEnd-int64(h.n)))
	h.lineIn, h.straysIn = h.lineIn || line < p.most, h.straysIn || strays < p.most
	return h
}

// holdsLoaded puts all open holds of an account into the state.
func (s *State) holdsLoaded(a *Account, holds []*Hold) {
	if a == nil || a.holdsIn {
		return
	}
	for _, h := range holds {
		if known := s.holds[lotID{a.ID, h.Seq}]; known != nil {
			h = known
		}
		if h.State == HoldOpen && !slices.ContainsFunc(a.holds, func(x *Hold) bool { return x.Seq == h.Seq }) {
			a.holds = append(a.holds, h)
		}
	}
	slices.SortFunc(a.holds, func(x, y *Hold) int { return cmp.Compare(x.Seq, y.Seq) })
	a.holdsIn = true
}

// lotLoaded notes a lot that was asked for by number. An open one is the same that the
// account has.
func (s *State) lotLoaded(member int64, l *Lot) {
	a := s.accounts[member]
	switch {
	case a != nil && s.lot(a, l.Seq) != nil:
	case a != nil && l.Left > 0:
		a.addLot(l)
	default:
		s.lots[lotID{member, l.Seq}] = l
	}
}

func (s *State) holdLoaded(member int64, h *Hold) {
	if a := s.accounts[member]; a != nil {
		for _, have := range a.holds {
			if have.Seq == h.Seq {
				return
			}
		}
	}
	s.holds[lotID{member, h.Seq}] = h
}

// audit says what is wrong with an account as far as its open lots are loaded, or nothing.
func (a *Account) audit() string {
	for _, w := range a.wallets {
		var pending, active, held int64
		for _, l := range a.lots {
			if l.Currency != w.Currency {
				continue
			}
			if l.Granted != l.Left+l.Spent+l.Expired+l.Clawed+l.Moved || l.Held > l.Left || l.Held < 0 || l.Left < 0 {
				return fmt.Sprintf("lot %d of member %d: %+v", l.Seq, a.ID, *l)
			}
			if l.State == LotPending {
				pending += l.Left
			} else {
				active += l.free()
			}
			held += l.Held
		}
		same := pending == w.Pending && active == w.Active && held == w.Held
		if !w.whole() {
			same = pending <= w.Pending && active <= w.Active && held <= w.Held
		}
		if !same || w.Debt < 0 || w.Debt > 0 && w.Active > 0 {
			return fmt.Sprintf("wallet %d of member %d counts %d/%d/%d pending/active/held, its lots %d/%d/%d; debt %d",
				w.Currency, a.ID, w.Pending, w.Active, w.Held, pending, active, held, w.Debt)
		}
	}
	return ""
}

// change is what a batch writes to one table.
type change struct {
	table   *Table
	inserts [][]any
	updates [][]any
}

func (c *change) put(isNew bool, row []any) {
	if isNew {
		c.inserts = append(c.inserts, row)
	} else {
		c.updates = append(c.updates, row)
	}
}

// changes lists all that the state wants written: accounts first, so that two nodes that
// make the same account meet there and nowhere else; keys last, in order.
func (s *State) changes() []change {
	accounts, wallets, lots := change{table: accountTable}, change{table: walletTable}, change{table: lotTable}
	holds, entries, outbox := change{table: holdTable}, change{table: entryTable}, change{table: outboxTable}
	isNewLot := s.newLots()
	for _, a := range s.sorted() { // rows that lie together are written together
		if a.dirty {
			accounts.put(a.isNew, a.row())
		}
		for _, w := range a.wallets {
			if w.dirty {
				wallets.put(w.isNew, w.row(a))
			}
		}
		for _, l := range a.lots {
			if l.dirty {
				lots.put(isNewLot[lotID{a.ID, l.Seq}], l.row(a))
			}
		}
		for _, h := range a.holds {
			if h.dirty {
				holds.put(h.isNew, h.row(a))
			}
		}
	}
	s.closedChanges(&lots, &holds, isNewLot)
	salts := make([]byte, 16*len(s.entries))
	_, _ = rand.Read(salts) // it never fails
	for i, e := range s.entries {
		entries.put(true, e.row(salts[16*i:16*i+16]))
	}
	for _, r := range event.Pack(s.events) {
		outbox.put(true, []any{int64(r.N), s.NowMS, r.Events})
	}
	out := append([]change{accounts, wallets, lots, holds, entries}, s.rowChanges()...)
	return append(out, outbox)
}

// sorted are the accounts in the order in which they are locked.
func (s *State) sorted() []*Account {
	all := slices.Collect(maps.Values(s.accounts))
	slices.SortFunc(all, func(a, b *Account) int { return byShard(a.ID, b.ID) })
	return all
}

// newLots are the lots that this batch made: the entry that made one bears its number.
func (s *State) newLots() map[lotID]bool {
	made := map[lotID]bool{}
	for _, e := range s.entries {
		made[lotID{e.Member, e.Seq}] = true
	}
	return made
}

// closedChanges adds the lots and holds that are not among the open ones of an account.
func (s *State) closedChanges(lots, holds *change, isNewLot map[lotID]bool) {
	for k, l := range s.lots {
		a := s.accounts[k.member]
		if l.dirty && !slices.Contains(a.lots, l) {
			lots.put(isNewLot[k], l.row(a))
		}
	}
	for k, h := range s.holds {
		a := s.accounts[k.member]
		if h.dirty && !slices.Contains(a.holds, h) {
			holds.put(h.isNew, h.row(a))
		}
	}
}

// rowChanges groups the rows of other tables, ordered by key: two nodes never lock keys
// crosswise.
func (s *State) rowChanges() []change {
	byTable := map[*Table]*change{}
	var order []*Table
	for _, r := range s.changed {
		c := byTable[r.table]
		if c == nil {
			c = &change{table: r.table}
			byTable[r.table] = c
			order = append(order, r.table)
		}
		c.put(!r.existed, r.values)
	}
	slices.SortFunc(order, func(a, b *Table) int { return cmp.Compare(a.name, b.name) })
	var out []change
	for _, t := range order {
		c := byTable[t]
		slices.SortFunc(c.inserts, t.byKey)
		slices.SortFunc(c.updates, t.byKey)
		out = append(out, *c)
	}
	return out
}

func (t *Table) byKey(a, b []any) int {
	for i := range t.key {
		var c int
		switch v := a[i].(type) {
		case int64:
			c = cmp.Compare(v, b[i].(int64))
		case string:
			c = cmp.Compare(v, b[i].(string))
		case []byte:
			c = bytes.Compare(v, b[i].([]byte))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
